// Moving through time: the play loop, the buttons, the speed, and "run until".

import { h, icon, setAttrs, setText, clockText, speedText } from "./format.js";
import { createUntilForm } from "./until.js";

/** The speeds of the slider and of the keys [ and ]: virtual seconds per real second. */
export const SPEEDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const LONGEST_FRAME_MS = 100;
const REDUCED_STEP_MS = 1000;
const CLIENT_KINDS = new Set(["invoke", "complete"]);

/** Position of a speed on the log scale: the nearest slider stop. */
export function speedIndex(speed) {
  let best = 0;
  SPEEDS.forEach((stop, i) => {
    if (Math.abs(Math.log(stop / speed)) < Math.abs(Math.log(SPEEDS[best] / speed))) best = i;
  });
  return best;
}

/** The next faster (+1) or slower (-1) stop. */
export function nextSpeed(speed, direction) {
  return SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, speedIndex(speed) + direction))];
}

/**
 * The frame loop. It asks `advance(virtualUs)` for every frame and stops when that returns false; in reduced motion it
 * calls `stepOnce(direction)` once a second instead. `paced(ms)`, if given, hears how long each frame took.
 */
export function createPlayer(win, { advance, stepOnce, speed, reduced, visible, paced }) {
  let direction = 0;
  let handle = 0;
  let last = null;
  let owed = 0;

  function frame(now) {
    handle = 0;
    if (!direction || !visible()) return;
    const before = last;
    const elapsed = last === null ? 0 : Math.min(LONGEST_FRAME_MS, now - last);
    last = now;
    if (reduced()) {
      owed += elapsed;
      if (owed >= REDUCED_STEP_MS) {
        owed -= REDUCED_STEP_MS;
        if (!stepOnce(direction)) return;
      }
    } else if (advance(elapsed * 1000 * speed() * direction) === false) {
      return;
    }
    paced?.(now - (before ?? now));
    schedule();
  }

  function schedule() {
    if (direction && !handle && visible()) handle = win.requestAnimationFrame(frame);
  }

  return {
    play(way) {
      direction = way;
      last = null;
      owed = REDUCED_STEP_MS;
      schedule();
    },
    stop() {
      direction = 0;
      if (handle) win.cancelAnimationFrame(handle);
      handle = 0;
    },
    /** After the widget came back on screen. */
    wake() {
      last = null;
      schedule();
    },
    direction: () => direction,
    scheduled: () => handle !== 0,
  };
}

/** What "interesting" can mean; anything that is none of the others is a fault. */
export const INTERESTING = {
  leaders: "changes of leader", commits: "commits", decisions: "decisions", violations: "violations", requests: "client requests", faults: "faults",
};

/** Events of a branch at which "next interesting" stops; `kindAt` gives the kind of an event. */
export function interestingEvents(branch, kinds, kindAt = () => null) {
  const sets = Object.fromEntries([["leaders", branch.stations], ["commits", branch.commits], ["decisions", branch.decisions],
    ["violations", (branch.verdicts ?? []).filter(({ status }) => status === "violated")]]
    .map(([kind, list]) => [kind, new Set((list ?? []).map(({ event }) => event))]));
  const kindsOf = (event) => {
    const found = Object.keys(sets).filter((kind) => sets[kind].has(event));
    if (!found.length) found.push(CLIENT_KINDS.has(kindAt(event)) ? "requests" : "faults");
    return found;
  };
  return (branch.interesting ?? []).filter((event) => kindsOf(event).some((kind) => kinds.has(kind)));
}

/** The transport bar. `go` has one function per button; `reason(name)` says why a control is locked, or null. */
export function createTransport(ctx, go, reason) {
  const { doc, store } = ctx;
  const buttons = new Map();

  function button(name, iconName, label, keys, klass = "") {
    const element = h(doc, "button", {
      type: "button", class: `ds-btn ${klass}`, "data-control": name, "aria-label": label, "aria-keyshortcuts": keys, title: `${label}${keys ? ` (${keys})` : ""}`,
      onclick: () => {
        const why = reason(name);
        if (why) ctx.notice(`${buttons.get(name).label} unavailable: ${why}.`);
        else go[name]();
      },
    }, icon(doc, iconName));
    buttons.set(name, { element, label, keys });
    return element;
  }

  const play = button("play", "play", "Play", "Space", "ds-play");
  const time = h(doc, "b", {});
  const unit = h(doc, "small", {}, "s");
  const count = h(doc, "span", { class: "ds-hide-small" });
  const value = h(doc, "span", { class: "ds-speed-value" });
  const slider = h(doc, "input", {
    type: "range", min: "0", max: String(SPEEDS.length - 1), step: "1", "aria-label": "Speed",
    oninput: (event) => go.speed(SPEEDS[Number(event.target.value)]),
  });
  const speed = h(doc, "div", { class: "ds-speed ds-hide-small" }, icon(doc, "speed"), slider, value);
  const more = h(doc, "button", {
    type: "button", class: "ds-btn", "aria-label": "More controls", "aria-expanded": "false", "data-control": "more", onclick: () => openMore(panel.hidden),
  }, icon(doc, "more"));
  const panel = createMorePanel(ctx, go, reason, button);
  const heal = button("heal", "heal", "Heal all cuts", null, "ds-only-small ds-out");
  const bar = h(doc, "div", { class: "ds-bar", role: "toolbar", "aria-label": "Time controls" },
    button("start", "start", "To start", "Home", "ds-hide-small"), button("prev", "prev", "Previous interesting event", "<", "ds-hide-small"),
    button("stepback", "stepback", "Step back", ","), button("reverse", "reverse", "Play in reverse", null, "ds-hide-small"), play,
    button("step", "step", "Step", "."), button("next", "next", "Next interesting event", ">"),
    button("end", "end", "To end", "End", "ds-hide-small"),
    h(doc, "div", { class: "ds-clock" }, h(doc, "span", { class: "ds-time-now" }, time, unit), count), h(doc, "span", { class: "ds-grow" }), speed,
    button("fork", "fork", "Fork here", "Shift+B", "ds-hide-small"), button("bookmark", "bookmark", "Bookmark this event", null, "ds-hide-small"),
    heal, button("undo", "undo", "Undo", "Control+Z"), more);
  const el = h(doc, "div", { class: "ds-transport" }, bar, panel);
  rovingToolbar(bar);

  function openMore(open) {
    panel.hidden = !open;
    more.setAttribute("aria-expanded", String(open));
    if (!open) return;
    panel.sync();
    panel.querySelector("button, select, input")?.focus();
  }

  function openUntil() {
    openMore(true);
    panel.focusUntil();
  }

  /** Names and pressed states; called for events and state changes. */
  function update() {
    const playing = store.playing !== 0;
    const now = buttons.get("play");
    now.label = playing ? "Pause" : "Play";
    if (play.dataset.shows !== now.label) play.replaceChildren(icon(doc, playing ? "pause" : "play"));
    play.dataset.shows = now.label;
    for (const [name, { element, label, keys }] of buttons) {
      const why = reason(name);
      setAttrs(element, {
        "aria-disabled": String(Boolean(why)), "aria-label": why ? `${label} unavailable: ${why}` : label,
        title: why ? `${label}: ${why}` : `${label}${keys ? ` (${keys})` : ""}`,
      });
    }
    heal.hidden = store.cutCount === 0;
    slider.value = String(speedIndex(store.speed));
    setAttrs(slider, { "aria-valuetext": `${speedText(store.speed)} of real time` });
    setText(value, speedText(store.speed));
    panel.sync();
    const of = store.layout === "wide" && !store.locked ? ` of ${store.trace.n}` : "";
    const branch = store.branches.length > 1 && store.layout === "wide" ? `, branch ${store.branch.id}` : "";
    setText(count, `event ${store.cursor.event + 1}${of}${branch}`);
  }

  return { el, panel, update, openUntil, tick: (us) => setText(time, clockText(us)) };
}

// What is used now and then: run until, redo, switches; on a small widget also what its bar has no room for.
function createMorePanel(ctx, go, reason, button) {
  const { doc, store } = ctx;
  const select = (label, options) => h(doc, "select", { "aria-label": label },
    options.map(([value, text]) => h(doc, "option", { value }, text)));
  const until = createUntilForm(ctx, go);
  const stops = h(doc, "div", { class: "ds-until", role: "group", "aria-label": "Next interesting stops at" }, "Next stops at",
    Object.entries(INTERESTING).map(([kind, text]) => h(doc, "label", { class: "ds-switch" }, h(doc, "input", {
      type: "checkbox", checked: true, onchange: (event) => (event.target.checked ? store.interesting.add(kind) : store.interesting.delete(kind)),
    }), text)));
  const label = h(doc, "input", { type: "text", size: "10", "aria-label": "Name of this branch" });
  const text = (name, words) => h(doc, "button", { type: "button", class: "ds-btn ds-lab ds-out", "data-control": name, "aria-disabled": ctx.noKernel ? "true" : null, title: ctx.noKernel, onclick: () => go[name]() }, words);
  const pin = text("pin", "Pin");
  const compare = h(doc, "button", { type: "button", class: "ds-btn ds-lab ds-out", "data-control": "compare", "aria-keyshortcuts": "v", onclick: () => go.compare() }, "Compare");
  const branch = h(doc, "form", { class: "ds-until", onsubmit: (event) => {
    event.preventDefault();
    go.rename(label.value.trim());
  } }, label, h(doc, "button", { type: "submit", class: "ds-btn ds-lab ds-out", "data-control": "rename", "aria-disabled": ctx.noKernel ? "true" : null, title: ctx.noKernel }, "Rename branch"), pin, text("delete", "Delete"), compare);
  const shape = select("Layout", [["ring", "ring"], ["rows", "rows by kind"]]);
  shape.addEventListener("change", () => go.layout.set(shape.value));
  const reset = h(doc, "button", { type: "button", class: "ds-btn ds-lab ds-out", "data-control": "resetLayout", onclick: () => {
    shape.value = "ring";
    go.layout.set("ring");
  } }, "Reset layout");
  const panel = h(doc, "div", { class: "ds-more", hidden: true, role: "group", "aria-label": "More controls" },
    h(doc, "div", { class: "ds-only-small ds-more-row" },
      button("start2", "start", "To start", "Home"), button("prev2", "prev", "Previous interesting event", "<"),
      button("reverse2", "reverse", "Play in reverse"), button("end2", "end", "To end", "End"),
      button("slower", "stepback", "Slower", "["), button("faster", "step", "Faster", "]"),
      button("fork2", "fork", "Fork here", "Shift+B"), button("bookmark2", "bookmark", "Bookmark this event")),
    until.el, stops, branch, h(doc, "div", { class: "ds-until" }, "Layout", shape, reset), button("redo", "redo", "Redo", "Control+Shift+Z"));
  let named = "";
  shape.value = go.layout.get();
  panel.focusUntil = until.focus;
  panel.sync = () => {
    if (!panel.hidden) until.sync();
    const now = `${store.branch.id} ${store.branch.label}`;
    if (now !== named) label.value = store.branch.label;
    named = now;
    compare.hidden = store.branches.length < 2;
    setText(pin, store.branch.pinned ? "Unpin" : "Pin");
  };
  return panel;
}

/** One tab stop for a toolbar; arrows, Home and End move inside it. */
export function rovingToolbar(bar) {
  const visible = () => [...bar.querySelectorAll("button, input")].filter((item) => !item.hidden && item.offsetParent !== null);
  const all = [...bar.querySelectorAll("button, input")];
  const first = bar.querySelector("[data-control=play]") ?? all[0];
  for (const item of all) item.tabIndex = item === first || item.tagName === "INPUT" ? 0 : -1;
  bar.addEventListener("focusin", (event) => {
    for (const item of all) if (item.tagName !== "INPUT") item.tabIndex = item === event.target ? 0 : -1;
    if (event.target.tagName === "INPUT") first.tabIndex = 0;
  });
  bar.addEventListener("keydown", (event) => {
    if (event.target.tagName === "INPUT") return;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const items = visible();
    items[(items.indexOf(event.target) + step + items.length) % items.length]?.focus();
  });
}
