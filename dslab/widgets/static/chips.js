// Properties as chips, always on screen, and the bar that explains the chosen one.
import { clockText, countText, h, markup, plainText } from "./format.js";

const CHIP_LOOKS = {
  held: ["check", "held so far"], reached: ["check", "reached"], violated: ["cross", "violated"],
  unknown: ["unknown", "not evaluable"], waiting: ["hourglass", "not yet"],
};

const MOST_CHIPS = 4;

/** A property's status as the reader may know it: what lies beyond `knownUs` has not happened yet. */
export function chipStatus(property, verdict, knownUs) {
  if (!verdict || verdict.status === "not evaluable") return "unknown";
  const known = verdict.time_us !== null && verdict.time_us !== undefined && verdict.time_us <= knownUs;
  if (property.kind === "eventually") return verdict.status === "reached" && known ? "reached" : "waiting";
  return verdict.status === "violated" && known ? "violated" : "held";
}

/** Words after a chip's title. */
export function chipWords(status, verdict) {
  return status === "violated" ? `violated at ${clockText(verdict.time_us)} s` : CHIP_LOOKS[status][1];
}

export function createChips(ctx) {
  const { doc, store, spec } = ctx;
  const el = h(doc, "div", { class: "ds-chips", role: "group", "aria-label": "Properties" });
  const bar = h(doc, "div", { class: "ds-bar-violation", role: "group", "aria-label": "About this property", hidden: true });
  const seenUs = new Map();
  let open = false;
  let shown = "";
  let job = null;                // minimising: {running, id, runs, left}, then {text, branch}
  const listed = () => (spec.hide_properties ? [] : spec.properties ?? []);

  function statuses() {
    const known = Math.max(seenUs.get(store.branch.id) ?? 0, store.cursor.time_us);
    seenUs.set(store.branch.id, known);
    return listed().map((property) => {
      const verdict = store.branch.verdicts?.find((item) => item.name === property.name);
      return { property, verdict, status: chipStatus(property, verdict, known) };
    });
  }

  function chip({ property, verdict, status }) {
    const [look] = CHIP_LOOKS[status];
    const words = chipWords(status, verdict);
    const quiet = status === "held" || status === "reached";
    return h(doc, "button", {
      class: `dslab-chip ds-chip is-${status}`, type: "button", "data-property": property.name, "data-status": STATUS_NAMES[status],
      "aria-pressed": String(chosen() === property.name), onclick: () => activate(property.name),
    }, status === "violated" ? h(doc, "span", { class: "ds-disc" }, ctx.icon(look)) : ctx.icon(look), property.title,
    h(doc, "span", { class: quiet ? "ds-vh" : "ds-quiet" }, status === "violated" ? [h(doc, "span", { class: "ds-long" }, " violated at"), words.slice(11)] : ` ${words}`));
  }

  // Where there is no room for all: one chip per kind of status, which opens the full list.
  function summaries(items) {
    return ["held", "reached", "unknown", "waiting"].flatMap((status) => {
      const count = items.filter((item) => item.status === status).length;
      return count ? [h(doc, "button", {
        class: `ds-chip ds-chip-sum is-${status}`, type: "button", "aria-expanded": String(open), onclick: () => { open = !open; draw(); },
      }, ctx.icon(CHIP_LOOKS[status][0]), `${count} ${CHIP_LOOKS[status][1].replace(" so far", "")}`)] : [];
    });
  }

  const chosen = () => (store.selection?.kind === "property" ? store.selection.id : null);

  function activate(name) {
    const { verdict, status, property } = statuses().find((item) => item.property.name === name);
    if (chosen() === name && status !== "violated") return ctx.select(null);
    ctx.select({ kind: "property", id: name });
    if (property.consistency && ctx.hasTab?.("history")) ctx.showTab("history");
    if (status === "violated") {
      ctx.seek({ event: verdict.event });
      ctx.say(plainText(verdict.text));
    } else ctx.say(property.sentence);
  }

  function update() {
    draw();
  }

  function draw() {
    const items = statuses();
    const first = items.find((item) => item.status === "violated");
    const subject = items.find((item) => item.property.name === chosen()) ?? first;
    const look = JSON.stringify([items.map((item) => [item.property, item.status]), chosen(), open, store.branch.id, store.causalOnly, subject?.verdict, job, store.locked]);
    if (look === shown) return;
    const keep = el.contains(el.getRootNode().activeElement) ? el.getRootNode().activeElement.dataset.property ?? "sum" : null;
    shown = look;
    el.classList.toggle("is-open", open);
    el.classList.toggle("is-many", Boolean(first) || items.length > MOST_CHIPS);
    el.replaceChildren(...items.map(chip), ...summaries(items));
    if (keep) el.querySelector(keep === "sum" ? ".ds-chip-sum" : `[data-property="${keep}"]`)?.focus();
    const held = bar.contains(bar.getRootNode().activeElement) ? bar.getRootNode().activeElement.dataset.control : null;
    drawBar(subject);
    if (held) bar.querySelector(`[data-control="${held}"]`)?.focus();
  }

  function drawBar(item) {
    bar.hidden = !item;
    if (!item) return;
    const { property, verdict, status } = item;
    if (status !== "violated") {
      bar.replaceChildren(h(doc, "p", {}, h(doc, "b", {}, property.sentence), ` ${capital(chipWords(status, verdict))}${status === "unknown" && verdict?.text ? `: ${verdict.text}` : ""}.`));
      return;
    }
    bar.replaceChildren(
      h(doc, "p", {}, h(doc, "b", {}, markup(doc, verdict.text.replace(/[.!?]?$/, "."))), " ", expectedWords(verdict)),
      h(doc, "button", { class: "ds-btn ds-lab ds-out", type: "button", "data-control": "violation", onclick: () => activate(property.name) }, `Go to ${clockText(verdict.time_us)} s`),
      h(doc, "button", { class: "ds-btn ds-lab", type: "button", "data-control": "causal", "aria-pressed": String(Boolean(store.causalOnly)), onclick: toggleCausal }, "Causal past only"),
      ...minimising(property.name));
  }

  // The button, or how far it is and a way to stop it, or what came of it.
  function minimising(name) {
    const button = (text, onclick, why) => h(doc, "button", {
      class: "ds-btn ds-lab ds-out", type: "button", "data-control": "minimise", "aria-disabled": why ? "true" : null, "aria-label": why ? `${text} unavailable: ${why}` : null, title: why, onclick,
    }, text);
    if (job?.running) return [h(doc, "span", { class: "ds-quiet", "data-progress": job.left ?? "" }, jobWords()), button("Stop", stopJob)];
    const why = ctx.noKernel ?? (store.locked ? "answer the prediction first" : null);
    return [button("Minimise", () => (why ? ctx.notice(`Minimise unavailable: ${why}.`) : minimise(name)), why),
      ...(job?.text && job.branch === store.branch.id ? outcome(job) : [])];
  }

  // The sizes; and a smaller system as a cell of its own, because a branch cannot have other nodes.
  function outcome({ text, code }) {
    const shown = h(doc, "textarea", { class: "ds-code-copy", readonly: true, rows: 6, hidden: true, "aria-label": "Code to copy" });
    const copy = async () => {
      try {
        await doc.defaultView.navigator.clipboard.writeText(code);
        ctx.say("The smaller system is copied as code.");
      } catch {
        shown.hidden = false;                  // no clipboard here: offer the text, selected
        shown.value = code;
        shown.focus();
        shown.select();
      }
    };
    return [h(doc, "span", { class: "ds-quiet" }, text),
      code && h(doc, "button", { class: "ds-btn ds-lab ds-out", type: "button", "data-control": "copySmaller", onclick: copy }, ctx.icon("copy"), "Copy as code"), shown].filter(Boolean);
  }

  function jobWords() {
    return job.runs ? `Minimising: ${countText(job.left, "action")} left, ${countText(job.runs, "run")} tried` : "Minimising";
  }

  async function minimise(name) {
    const mine = job = { running: true, id: null };
    draw();
    bar.querySelector("[data-control=minimise]")?.focus();
    const reply = await ctx.work("minimise", { branch: store.branch.id, property: name }, ({ runs, left }, id) => {
      Object.assign(mine, { runs, left, id });
      if (job === mine) draw();
    });
    if (job === mine) job = { text: reply.text, code: reply.code, branch: store.branch.id };
    draw();
    if (reply.text) ctx.say(reply.text);
    bar.querySelector("[data-control=minimise]")?.focus();
  }

  function stopJob() {
    if (job.id !== null) ctx.command("stop", { job: job.id });
    job = null;
    draw();
    bar.querySelector("[data-control=minimise]")?.focus();
  }

  function expectedWords({ expected, found }) {
    if (!expected && !found) return [];
    return ["Expected ", ...markup(doc, expected ?? "nothing"), ", found ", ...markup(doc, found ?? "nothing"), "."];
  }

  function toggleCausal() {
    store.causalOnly = !store.causalOnly;
    const name = chosen() ?? statuses().find((item) => item.status === "violated").property.name;
    ctx.select({ kind: "property", id: name });
    draw();
    bar.querySelector("[aria-pressed]").focus();
  }

  return { el, bar, update, focus: () => [...el.children].find((chip) => chip.getClientRects().length > 0)?.focus() };
}

const STATUS_NAMES = { held: "held", reached: "reached", violated: "violated", unknown: "not evaluable", waiting: "not yet" };

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
