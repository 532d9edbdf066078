// The script drawer: the actions of a branch as the Python that makes it again.
import { countText, h } from "./format.js";

// Every verb's arguments in order; those from `keyword` on are written with their name. Same table as dslab.sim.schedule.
const CALLS = {
  crash: [["node"], 1], restart: [["node", "disk"], 1], join: [["node", "to"], 1], leave: [["node"], 1], pause: [["node"], 1], resume: [["node"], 1], lose_disk: [["node"], 1],
  skew: [["node", "offset", "rate"], 1], timeout: [["node", "timer"], 2],
  load_dice: [["node", "outcomes"], 2],
  turn_traitor: [["node", "behaviour", "fields", "to", "by"], 2], turn_loyal: [["node"], 1], partition: [["groups", "in_flight"], 1], heal: [[], 0],
  cut: [["source", "target"], 2], mend: [["source", "target"], 2],
  link: [["source", "target", "latency", "loss", "duplicate", "fifo"], 2],
  drop: [["message"], 1], hold: [["message"], 1], release: [["message"], 1], delay: [["message", "by"], 1],
  duplicate: [["message"], 1], deliver: [["message"], 1], request: [["command", "to", "client"], 1],
};

const USUAL_UNTIL_US = 10_000_000;

/** A Python literal of plain data, text in double quotes. */
export function pythonLiteral(value) {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return pythonNumber(value);
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(", ")}]`;
  return `{${Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${pythonLiteral(item)}`).join(", ")}}`;
}

function pythonNumber(value) {
  const small = value !== 0 && Math.abs(value) < 1e-4;
  return small ? value.toExponential().replace(/e-(\d)$/, "e-0$1") : String(value);
}

/** One action as a call: crash("n1", at=1200). */
export function actionCall(action) {
  const [names, keyword] = CALLS[action.do] ?? [Object.keys(action).filter((name) => name !== "at" && name !== "do"), 0];
  const words = names.filter((name) => name in action)
    .map((name) => (names.indexOf(name) < keyword ? "" : `${name}=`) + pythonLiteral(action[name]));
  return `${action.do}(${[...words, `at=${pythonLiteral(action.at)}`].join(", ")})`;
}

// The end of the run is part of what its digest stands for; the usual one is left out.
function untilText({ until_us: us }) {
  return us == null || us === USUAL_UNTIL_US ? "" : `, until=${pythonLiteral(us / 1000)}`;
}

/** The cell that makes this branch: what Lab.code() returns. */
export function scriptText(spec, branch) {
  const own = (spec.properties ?? []).filter(({ code }) => code);
  const judged = own.length ? `, properties=[${own.map(({ code }) => code).join(", ")}]` : "";
  const imports = [...(spec.imports ?? "").split("\n"), ...own.map((property) => property.imports)];
  return [
    ...(spec.recorded ? ["# the recorded actions, in the simulator"] : []), "from dslab import Lab", ...new Set(imports.filter(Boolean)), "",
    `lab = Lab(${spec.code}, seed=${pythonLiteral(spec.seed)}${untilText(branch)}${judged})`,
    ...branch.actions.map((action) => `lab.${actionCall(action)}`),
    "lab",
  ].join("\n");
}

const LITERAL = /\b(?:True|False|None|\d+(?:\.\d+)?(?:e-\d+)?)\b|"(?:[^"\\]|\\.)*"/g;

function boldLiterals(doc, text) {
  const parts = [];
  let last = 0;
  for (const match of text.matchAll(LITERAL)) {
    const bold = match[0][0] === "\"" ? match[0] : h(doc, "b", {}, match[0]);
    parts.push(text.slice(last, match.index), bold);
    last = match.index + match[0].length;
  }
  return [...parts, text.slice(last)];
}

export function createScriptDrawer(ctx) {
  const { doc, store, spec } = ctx;
  const about = h(doc, "span", { class: "ds-quiet" });
  const copy = h(doc, "button", { class: "ds-btn ds-lab", type: "button", onclick: copyCode }, ctx.icon("copy"), "Copy as code");
  const list = h(doc, "ol", { class: "ds-code", tabindex: "0", "aria-label": "Script of this branch" });
  const fallback = h(doc, "textarea", { class: "ds-code-copy", readonly: true, rows: 6, hidden: true, "aria-label": "Code to copy" });
  const el = h(doc, "section", { class: "ds-drawer", "aria-label": "Script drawer" },
    h(doc, "div", { class: "ds-drawer-head" }, h(doc, "b", {}, "Script"), about, copy), list, fallback);
  let shown = "";
  let known = new Set();

  async function copyCode() {
    const text = scriptText(spec, store.branch);
    try {
      await doc.defaultView.navigator.clipboard.writeText(text);
      fallback.hidden = true;
      ctx.say("The code of this branch is copied.");
    } catch {
      // No clipboard here (an insecure page, a frame without the permission): offer the text, selected.
      fallback.hidden = false;
      fallback.value = text;
      fallback.focus();
      fallback.select();
      ctx.say("The code is selected; copy it with your keyboard.");
    }
  }

  function update() {
    const { branch } = store;
    const text = scriptText(spec, branch);
    const look = `${branch.id} ${text}`;
    if (look === shown) return;
    const lines = text.split("\n");
    const calls = branch.actions.length ? lines.slice(-1 - branch.actions.length, -1) : [];
    const fresh = calls.filter((line) => !known.has(line));
    const newest = lines.lastIndexOf(known.size && fresh.length ? fresh.at(-1) : calls.at(-1));
    known = new Set(lines);
    shown = look;
    about.textContent = `branch ${branch.id}, ${countText(branch.actions.length, "action")}`;
    fallback.hidden = true;
    list.replaceChildren(...lines.map((line, i) => h(doc, "li", {
      class: i === newest ? "ds-newest" : null, "aria-current": i === newest ? "true" : null,
    }, h(doc, "code", {}, boldLiterals(doc, line)))));
    list.scrollTop = (list.scrollHeight / lines.length) * (newest - 3);
  }

  return { el, update, focus: () => copy.focus() };
}
