// The operations of a run in the Lab: as far as they are known, with what the checker says of them, at the cursor.

import { clockText, h } from "./format.js";
import { createHistoryChart } from "./historychart.js";
import { knownChart, unitsAt } from "./historydata.js";
import { parts } from "./parts.js";

parts.history = {
  tabs: () => [["history", "Operations"]],
  views: (ctx) => ({ history: createHistoryView(ctx) }),
};

/** Properties whose chip opens the operations: [{name, ...}, ...]. */
export function historyProperties(spec) {
  return (spec.properties ?? []).filter(({ consistency }) => consistency);
}

// In the pixels of the design, so that larger text makes a larger picture.
function roomOf(el) {
  const font = parseFloat(el.ownerDocument.defaultView.getComputedStyle(el).fontSize) || 13;
  return el.clientWidth ? (el.clientWidth * 13) / font : 550;
}

/** The view behind the tab "Operations". */
export function createHistoryView(ctx) {
  const { doc, store, spec } = ctx;
  const asked = new Map();       // what Python was asked for, by branch, its end and property: a chart, or null while it is under way
  const seen = new Map();
  const chooser = h(doc, "select", { "aria-label": "Judged as", onchange: () => { wanted = chooser.value; draw(); } });
  const tools = h(doc, "div", { class: "ds-hist-tools", hidden: true }, chooser);
  const empty = h(doc, "p", { class: "ds-quiet ds-hist-head", hidden: true });
  const chart = createHistoryChart(ctx, { select, links });
  const el = h(doc, "div", { class: "ds-history" }, chart.el, tools, empty);
  let wanted = null;
  let frame = null;
  let selected = null;
  let known = null;
  let shown = "";

  function property() {
    const all = historyProperties(spec);
    if (store.selection?.kind === "property" && all.some(({ name }) => name === store.selection.id)) wanted = store.selection.id;
    return all.find(({ name }) => name === wanted) ?? all[0] ?? null;
  }

  // What the branch brought along, or what Python says when asked.
  function chartOf({ name }) {
    const { branch } = store;
    const brought = branch.histories?.[name];
    if (brought) return brought;
    const key = JSON.stringify([branch.id, branch.until_us, branch.digest, branch.actions?.length, name]);
    if (!asked.has(key)) {
      asked.set(key, null);
      if (ctx.query && !ctx.noKernel) {
        ctx.query("history", { branch: branch.id, property: name }).then((reply) => {
          asked.set(key, reply.ok ? reply.chart : { error: reply.error });
          shown = "";
          draw();
        });
      } else asked.set(key, { error: `The operations are worked out by Python; ${ctx.noKernel ?? "there is no kernel"}.` });
    }
    return asked.get(key);
  }

  function update(next) {
    frame = next;
    draw();
  }

  function draw() {
    const wish = property();
    if (!frame || !wish || el.hidden) return;
    const listed = historyProperties(spec);
    tools.hidden = listed.length < 2;
    if (chooser.options.length !== listed.length) chooser.replaceChildren(...listed.map(({ name, title }) => h(doc, "option", { value: name }, title)));
    chooser.value = wish.name;
    const whole = chartOf(wish);
    const fine = Boolean(whole) && Array.isArray(whole.operations);
    chart.el.hidden = !fine;
    empty.hidden = fine;
    if (!fine) {
      empty.textContent = whole?.error ?? "The checker is at work.";
      return;
    }
    const until = Math.max(seen.get(store.branch.id) ?? -1, frame.event);
    seen.set(store.branch.id, until);
    const width = roomOf(el) - 30;
    known = knownChart(whole, until, whole.broken ?? null);
    if (selected !== null && (!known.operations[selected] || known.hidden.has(selected))) selected = null;
    const look = JSON.stringify([wish.name, store.branch.id, store.branch.until_us, until, width, selected, store.layout]);
    const at = unitsAt(known.marks, frame.event, frame.time_us);
    if (look === shown) return chart.tick(at);
    shown = look;
    return chart.update(known, { width, small: store.layout === "small", selected, cursor: at, clock: timeOf, follow: true });
  }

  const timeOf = (event) => `${clockText(store.trace.time(Math.min(event, store.trace.n - 1)))} s`;

  // The answer where there is one: what it depends on is the operation.
  function select(i) {
    selected = i;
    const events = i === null ? [] : known.operations[i].events.filter((event) => event !== null && event < store.trace.n);
    ctx.select(i === null || !events.length ? null : { kind: "event", id: known.operations[i].completed === null ? events[0] : events.at(-1) });
    shown = "";
    draw();
  }

  function links(i) {
    const op = known.operations[i];
    const ends = [["asked", op.events[0]], op.completed !== null && ["answered", op.events[1]]].filter((end) => end && end[1] !== null && end[1] !== undefined);
    return ends.map(([word, event]) => h(doc, "button", { class: "ds-go", type: "button", onclick: () => ctx.seek({ event }) }, `Go to where it is ${word}`));
  }

  return {
    el, update, focus: () => chart.focus(),
    idle: () => !historyProperties(spec).length,          // until somebody watches one
    tick(us) {
      if (!frame || el.hidden || !known || chart.el.hidden) return;
      chart.tick(unitsAt(known.marks, store.cursor.event, us));
    },
    choose(name) {
      wanted = name;
    },
  };
}
