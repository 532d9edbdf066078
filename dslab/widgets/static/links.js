// Links between servers: the matrix, ready-made cuts, and the quality of one link.
import { chooseIn, h, menuOf, setAttrs } from "./format.js";
import { currentLeader } from "./entries.js";

const PRESETS = [["leader", "Isolate leader"], ["minority", "Majority, minority"], ["bridge", "Bridge node"], ["oneway", "One way"], ["ring", "Ring"]];
const MATRIX_UP_TO = 40;        // above, its cells are thousands and too small to hit
const FLAKY = { loss: 0.2, latency: [5, 60], duplicate: 0.05 };

/** Actions [[verb, args], ...] of a ready-made cut among `servers`, in ring order; `leader` may be null. */
export function presetActions(name, servers, leader, inFlight = "lost") {
  const n = servers.length;
  const at = Math.max(0, servers.indexOf(leader));
  const around = [...servers.slice(at), ...servers.slice(0, at)];
  const split = (groups) => [["partition", inFlight === "lost" ? { groups } : { groups, in_flight: inFlight }]];
  const inOrder = (ids) => servers.filter((id) => ids.includes(id));
  const cuts = (pairs) => pairs.map(([source, target]) => ["cut", { source, target }]);
  if (name === "leader") return split([[around[0]], inOrder(around.slice(1))]);
  if (name === "minority") {
    const few = Math.floor((n - 1) / 2);
    return split([inOrder(around.slice(0, few)), inOrder(around.slice(few))]);
  }
  if (name === "oneway") return cuts(around.slice(1).map((source) => [source, around[0]]));
  const side = (id) => (id === servers[Math.floor(n / 2)] ? 0 : servers.indexOf(id) < n / 2 ? 1 : 2);
  const near = (a, b) => [1, n - 1].includes(Math.abs(servers.indexOf(a) - servers.indexOf(b)));
  const apart = name === "ring" ? (a, b) => !near(a, b) : (a, b) => side(a) * side(b) === 2;
  return cuts(servers.flatMap((a) => servers.filter((b) => b !== a && apart(a, b)).map((b) => [a, b])));
}

/** State of one direction: {cut, loss, words}. */
export function linkState(frame, source, target) {
  const name = `${source}>${target}`;
  const cut = frame.cut.has(name);
  const link = frame.links.get(name) ?? {};
  const loss = Math.round(100 * (link.loss ?? 0));
  const flaws = [loss && `loses ${loss} %`, link.latency && `takes ${[].concat(link.latency).join("–")} ms`,
    link.duplicate && `duplicates ${Math.round(100 * link.duplicate)} %`, link.fifo && "in order"].filter(Boolean);
  return { cut, loss, changed: flaws.length > 0, words: cut ? "cut" : flaws.length ? flaws.join(", ") : "open" };
}

export function createLinksView(ctx) {
  const { doc, store, spec } = ctx;
  const { servers } = spec;
  const cells = new Map();
  const may = (verb) => spec.verbs.includes(verb);
  let frame = null;
  let active = [0, Math.min(1, servers.length - 1)];
  let inFlight = "lost";
  const flakyWords = h(doc, "span", { class: "ds-quiet" });

  const head = h(doc, "tr", { role: "row" }, h(doc, "th", { role: "columnheader" }, "from ↓ to →"), servers.map((id) => h(doc, "th", { role: "columnheader" }, id)));
  const matrix = servers.length <= MATRIX_UP_TO;
  const rows = (matrix ? servers : []).map((from, r) => h(doc, "tr", { role: "row" }, h(doc, "th", { role: "rowheader" }, from),
    servers.map((to, c) => h(doc, "td", { role: "gridcell" }, from === to ? h(doc, "span", { class: "ds-lk ds-lk-self" }, h(doc, "span", { class: "ds-vh" }, "itself")) : linkCell(from, to, r, c)))));
  const table = h(doc, "table", { role: "grid", "aria-label": "Links, from row to column", onkeydown: onKey }, h(doc, "thead", { role: "rowgroup" }, head), h(doc, "tbody", { role: "rowgroup" }, rows));

  const presets = PRESETS.filter(([name]) => may(["leader", "minority"].includes(name) ? "partition" : "cut"))
    .map(([name, text]) => h(doc, "button", { class: "ds-btn", type: "button", "data-preset": name, onclick: () => apply(name, text) }, text));
  if (may("link")) presets.push(h(doc, "button", { class: "ds-btn", type: "button", "data-preset": "flaky", onclick: () => form.flaky() }, "Flaky link", flakyWords));
  const heal = h(doc, "button", { class: "ds-btn ds-lab ds-out", type: "button", "data-verb": "heal", onclick: () => ctx.send("heal", {}) }, ctx.icon("heal"), "Heal");
  const rule = ctx.uid("rule");
  const rules = ["lost", "held"].map((value) => h(doc, "label", {}, h(doc, "input", { type: "radio", name: rule, value, checked: value === inFlight, onchange: () => { inFlight = value; } }), h(doc, "span", {}, value)));
  const form = linkForm();
  const el = h(doc, "div", { class: "ds-links" },
    matrix ? h(doc, "div", { class: "ds-matrix" }, table)
      : h(doc, "p", { class: "ds-quiet" }, `${servers.length} servers have too many links for a matrix. Use a preset, or name one link below.`),
    ctx.noKernel ? h(doc, "p", { class: "ds-quiet" }, `Links cannot be changed: ${ctx.noKernel}.`) : h(doc, "div", { class: "ds-presets" },
      presets.length > 0 && h(doc, "h4", {}, "Presets"), presets, heal,
      may("partition") && h(doc, "fieldset", {}, h(doc, "legend", {}, "In flight at a cut"), h(doc, "span", { class: "ds-seg2" }, rules))),
    may("link") && !ctx.noKernel && form.el);

  function linkCell(from, to, r, c) {
    const cell = h(doc, "button", { class: "ds-lk", type: "button", role: "checkbox", "data-link": `${from}>${to}`, "aria-disabled": ctx.noKernel ? "true" : null,
      onclick: () => toggle(from, to), onfocus: () => { active = [r, c]; form.choose(from, to); drawStops(); } });
    cells.set(`${r},${c}`, { cell, from, to });
    return cell;
  }

  async function toggle(source, target) {
    const verb = frame.cut.has(`${source}>${target}`) ? "mend" : "cut";
    const why = may(verb) ? ctx.reason(verb, `${source}>${target}`) : "not part of this exercise";
    if (why) return ctx.notice(`${verb === "cut" ? "Cut" : "Mend"} unavailable: ${why}.`);
    return ctx.send(verb, { source, target });
  }

  async function apply(name, text) {
    const leader = currentLeader(servers.map((id) => frame.nodes.get(id)))?.id ?? null;
    const atUs = store.cursor.time_us;
    // one after the other: the first may fork, the others then join it
    for (const [verb, args] of presetActions(name, servers, leader, inFlight)) {
      const reply = await ctx.send(verb, args, atUs);
      if (reply?.ok === false) return;
    }
    ctx.say(`${text} applied.`);
  }

  function onKey(event) {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    let [r, c] = active;
    do { r += move[0]; c += move[1]; } while (r === c);
    cells.get(`${r},${c}`)?.cell.focus();
  }

  function drawStops() {
    for (const [place, { cell }] of cells) cell.tabIndex = place === active.join() ? 0 : -1;
  }

  function linkForm() {
    const number = (label, attrs) => [label, h(doc, "input", { class: "ds-input", type: "number", min: 0, step: "any", ...attrs })];
    const picker = (label) => menuOf(doc, { class: "ds-input", "aria-label": label, onchange: () => fill() }, servers.map((id) => [id]));
    const from = picker("From");
    const to = picker("To");
    const fields = { loss: number("Loss, %", { max: 100 }), low: number("Latency from, ms", {}), high: number("to, ms", {}), duplicate: number("Duplicate, %", { max: 100 }) };
    const fifo = h(doc, "input", { type: "checkbox" });
    const box = h(doc, "form", { class: "ds-linkform", onsubmit: (event) => { event.preventDefault(); submit(); } },
      h(doc, "div", { class: "ds-row" }, from, "→", to),
      Object.values(fields).map(([label, input]) => h(doc, "label", {}, h(doc, "span", {}, label), input)),
      h(doc, "label", { class: "ds-check" }, fifo, h(doc, "span", {}, "in order")),
      h(doc, "button", { class: "ds-btn ds-lab ds-out" }, "Apply"));

    function write({ loss, latency, duplicate, fifo: ordered }) {
      const range = [].concat(latency ?? []);
      fields.loss[1].value = Math.round(100 * (loss ?? 0));
      fields.low[1].value = range[0] ?? "";
      fields.high[1].value = range.at(-1) ?? "";
      fields.duplicate[1].value = Math.round(100 * (duplicate ?? 0));
      fifo.checked = Boolean(ordered);
    }

    function fill() {
      flakyWords.textContent = ` ${from.value} → ${to.value}`;
      if (frame) write(frame.links.get(`${from.value}>${to.value}`) ?? {});
    }

    function submit() {
      const value = (name) => (fields[name][1].value === "" ? null : Number(fields[name][1].value));
      if (from.value === to.value) return ctx.say("A link needs two different servers.");
      const args = { source: from.value, target: to.value };
      if (value("low") !== null) args.latency = [value("low"), Math.max(value("low"), value("high") ?? value("low"))];
      if (value("loss")) args.loss = value("loss") / 100;
      if (value("duplicate")) args.duplicate = value("duplicate") / 100;
      if (fifo.checked) args.fifo = true;
      return ctx.send("link", args);
    }

    return { el: h(doc, "details", { class: "ds-quality" }, h(doc, "summary", {}, "Loss, latency and order of one link"), box), flaky() { write(FLAKY); submit(); }, choose(source, target) { chooseIn(from, source); chooseIn(to, target); fill(); } };
  }

  function update(next) {
    frame = next;
    for (const { cell, from, to } of cells.values()) {
      const state = linkState(frame, from, to);
      const words = `${from} to ${to}, ${state.words}`;
      if (cell.getAttribute("aria-label") === words) continue;
      setAttrs(cell, { "aria-checked": String(!state.cut), "aria-label": words, class: `ds-lk ${state.cut ? "ds-lk-cut" : state.changed ? "ds-lk-flaky" : "ds-lk-open"}` });
      cell.replaceChildren(...(state.cut ? [ctx.icon("cross")] : state.changed ? [h(doc, "span", { "aria-hidden": "true" }, state.loss ? `${state.loss}%` : "~")] : []));
    }
    heal.hidden = !frame.cut.size || !may("heal");
    drawStops();
  }

  form.choose(servers[0], servers[active[1]]);
  return { el, update, focus: () => cells.get(active.join())?.cell.focus() };
}
