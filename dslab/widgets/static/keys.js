// The keyboard map, and what the live region says.

const PLAIN_KEYS = {
  " ": "play", ",": "stepback", ".": "step", "<": "prev", ">": "next", "[": "slower", "]": "faster", Home: "start", End: "end",
  "?": "help", "/": "condition",
};
const LETTER_KEYS = {
  k: "crash", r: "restart", p: "pause", m: "nextMessage", M: "prevMessage", d: "drop", u: "duplicate", h: "hold",
  b: "nextBranch", B: "fork", g: "group", x: "links", c: "request", i: "properties", y: "cone", l: "events", t: "table", s: "spacetime", f: "lookup", j: "join", o: "leave", v: "compare",
};

/** The action of a key, or null. Letters can be switched off; keys with a modifier belong to the host. */
export function keyAction(event, { shortcuts, grouping }) {
  const { key } = event;
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "z") return event.shiftKey ? "redo" : "undo";
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (key === "Escape") return "escape";
  if (grouping && /^[1-9]$/.test(key)) return `group${key}`;
  return PLAIN_KEYS[key] ?? (shortcuts ? LETTER_KEYS[key] ?? LETTER_KEYS[key.toLowerCase()] ?? null : null);
}

/** True where a key belongs to a field or control that uses it itself. */
export function keyIsTaken(target, key) {
  const tag = target?.tagName?.toLowerCase();
  if (tag === "textarea" || tag === "select" || target?.isContentEditable) return key !== "Escape";
  if (tag === "input") return key !== "Escape" && (target.type !== "checkbox" || key === " ");
  if (key === " " || key === "Enter") return tag === "button" || tag === "a" || tag === "summary";
  return false;
}

/**
 * A live region that says at most one sentence a second. What piles up meanwhile is joined: the last sentences win, and
 * heartbeats are only counted.
 */
export function createSpeaker(el, win, everyMs = 1000) {
  let queue = [];
  let heartbeats = 0;
  let timer = 0;
  let last = -Infinity;
  const now = () => win.performance.now();

  function speak() {
    timer = 0;
    const words = queue.slice(-2);
    if (heartbeats) words.unshift(heartbeats === 1 ? "1 heartbeat" : `${heartbeats} heartbeats`);
    queue = [];
    heartbeats = 0;
    if (!words.length) return;
    last = now();
    const text = words.join("; ");
    el.textContent = /[.!?]$/.test(text) ? text : `${text}.`;
  }

  function schedule() {
    if (timer) return;
    timer = win.setTimeout(speak, Math.max(0, last + everyMs - now()));
  }

  return {
    say(text) {
      if (!text) return;
      if (queue.at(-1) !== text) queue.push(text.replace(/\.$/, ""));
      schedule();
    },
    heartbeat() {
      heartbeats += 1;
      schedule();
    },
    /** Playing fast: forget what piled up. */
    hush() {
      queue = [];
      heartbeats = 0;
    },
    destroy: () => win.clearTimeout(timer),
  };
}
