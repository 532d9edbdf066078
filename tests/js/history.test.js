// Operation histories: what may be known, where a point may stand, whether an order explains all answers; mouse and keys.
import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { createHistoryChart } from "../../dslab/widgets/static/historychart.js";
import { createHistoryView, historyProperties } from "../../dslab/widgets/static/historyview.js";
import { factsOf, judgePoints, knownChart, orderList, rangeOf, stopsOf, unitsAt, verdictText } from "../../dslab/widgets/static/historydata.js";
import { renderHistory } from "../../dslab/widgets/static/historywidget.js";
import { buildTrace, fakeContext } from "./panels-fixture.js";
import { FakeModel, electionRun, modelState } from "./fixture.js";
import { render } from "../../dslab/widgets/static/lab.js";

const { document } = new JSDOM("<!doctype html><body></body>").window;
const op = (lane, label, from, to, extra = {}) => ({
  lane, label, says: `c${lane + 1} does ${label}`, from, to, status: "ok", key: "x", invoked: from, completed: to, events: [], ...extra,
});

// c1 writes 1 and later reads 2; c2 writes 2; c3 reads 1 while both are under way.
const operations = [op(0, "write 1", 0, 3), op(0, "read 2", 7, 9), op(1, "write 2", 1, 6), op(2, "read 1", 4, 5)];
const marks = [0, 1, 3, 4, 5, 6, 7, 9].map((at) => [at, at, at * 1000]);
const chart = (extra = {}) => ({
  model: "register", consistency: "linearizable", lanes: ["c1", "c2", "c3"], width: 10, clock: false, marks, operations,
  verdict: "ok", order: [0, 3, 2, 1], points: [2, 4.5, 5.5, 8], values: ["1", "1", "2", "2"], stuck: null, smallest: [], why: "", ...extra,
});
const table = { rule: "interval", states: ["nothing", "1", "2"], steps: [[1, -1, 2, -1], [1, -1, 2, 1], [1, 2, 2, -1]] };

function drawn(given = chart(), look = {}) {
  const said = [];
  const events = [];
  const ctx = { doc: document, icon: () => document.createElement("i"), say: (text) => said.push(text) };
  const made = createHistoryChart(ctx, { select: (i) => events.push(["select", i]), place: (i, at) => events.push(["place", i, at]) });
  document.body.replaceChildren(made.el);
  made.update(given, { width: 700, small: false, selected: null, ...look });
  const item = (i) => made.el.querySelector(`[data-op="${i}"]`);
  const key = (i, name) => item(i).dispatchEvent(new document.defaultView.KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  return { ...made, said, events, item, key };
}

test("an order is judged operation by operation, and the first that does not fit is named with the value it met", () => {
  const puzzle = chart({ table });
  assert.equal(judgePoints(puzzle, {}).text, "Give each operation the moment at which it takes effect.");
  const right = judgePoints(puzzle, { 0: 2, 3: 4.5, 2: 5.5, 1: 8 });
  assert.deepEqual([right.done, right.order, right.values, right.wrong], [true, [0, 3, 2, 1], ["1", "1", "2", "2"], null]);
  const wrong = judgePoints(puzzle, { 0: 2, 2: 2.5, 3: 4.5, 1: 8 });
  assert.deepEqual([wrong.done, wrong.wrong], [false, 3]);
  assert.equal(wrong.text, "c3 does read 1 cannot be number 3: after c2 does write 2 the value is 2.");
  assert.equal(judgePoints(puzzle, { 3: 4.5 }).text, "c3 does read 1 cannot be number 1: at the beginning the value is nothing.");
  assert.equal(judgePoints(puzzle, { 0: 2 }).text, "1 placed, 3 to go; every answer fits so far.");
});

test("against brute force: an order is right exactly where walking the register by hand gives every answer", () => {
  const puzzle = chart({ table });
  const ways = (rest) => (rest.length ? rest.flatMap((i) => ways(rest.filter((j) => j !== i)).map((tail) => [i, ...tail])) : [[]]);
  let right = 0;
  for (const order of ways([0, 1, 2, 3])) {
    let value = null;
    const legal = order.every((i) => {
      const [do_, what] = operations[i].label.split(" ");
      if (do_ === "write") value = what;
      return do_ === "write" || value === what;
    });
    const judged = judgePoints(puzzle, Object.fromEntries(order.map((i, k) => [i, k])));
    assert.equal(judged.done, legal, order.join(" "));
    right += legal;
  }
  assert.ok(right > 0);
});

test("a pending operation need not be placed, a failed one cannot, and program order counts where real time does not", () => {
  const open = chart({ table, operations: [...operations.slice(0, 3), op(2, "read 1", 4, null, { status: "unknown", completed: null })] });
  assert.equal(judgePoints(open, { 0: 0.5, 2: 5, 1: 8 }).done, true);
  assert.deepEqual(rangeOf(open, 3), [4, 10]);
  const loose = chart({ table: { ...table, rule: "program" } });
  assert.deepEqual(rangeOf(loose, 3), [0, 10]);
  assert.match(judgePoints(loose, { 1: 1, 0: 2 }).text, /^c1 did this after something that comes later here/);
});

test("keys have one stop in each part of an interval between others' ends and points", () => {
  const puzzle = chart({ table });
  assert.deepEqual(stopsOf(puzzle, {}, 2), [2, 3.5, 4.5, 5.5]);
  assert.deepEqual(stopsOf(puzzle, { 0: 2 }, 2), [1.5, 2.5, 3.5, 4.5, 5.5]);
  assert.deepEqual(stopsOf(puzzle, {}, 3), [4.5]);
});

test("what has not happened yet is not shown, and the order goes as far as the last answer that is known", () => {
  const known = knownChart(chart(), 5);
  assert.deepEqual([...known.hidden], [1]);
  assert.equal(known.operations[2].to, null, "its answer comes later");
  assert.deepEqual(known.order, [0, 3]);
  assert.match(verdictText(known), /^Linearizable so far/);
  const broken = chart({ verdict: "violation", stuck: 3, smallest: [0, 2, 3], why: "it fits nowhere" });
  assert.equal(knownChart(broken, 5, 6).stuck, null);
  assert.equal(knownChart(broken, 5, 6).verdict, "ok");
  assert.equal(knownChart(broken, 6, 6).stuck, 3);
  assert.equal(unitsAt(marks, 1, 2000), 2);
  assert.equal(unitsAt([], 3, 0), 0);
});

test("the picture: numbers in the order, the value above, each operation a control with its sentence", () => {
  const { el, item } = drawn();
  assert.deepEqual([0, 1, 2, 3].map((i) => el.querySelector(`[data-words="${i}"] text:nth-child(2)`).textContent), ["1", "4", "3", "2"]);
  assert.equal(el.querySelectorAll(".ds-hist-value").length, 2, "one box per value, not per operation");
  assert.equal(item(3).getAttribute("aria-label"), "c3 does read 1, second in the order");
  assert.deepEqual(orderList(chart())[1], "c3 does read 1; the value is 1");
  assert.equal(el.querySelectorAll("ol.ds-vh li").length, 4);
  assert.equal([...el.querySelectorAll("[data-op]")].filter((item_) => item_.getAttribute("tabindex") === "0").length, 1);
});

test("what fits nowhere is marked by shape and words, its contradiction is thick, all else steps back", () => {
  const { el, item } = drawn(chart({ verdict: "violation", order: [], points: null, values: [], stuck: 1, smallest: [1, 2, 3], why: "`read 2` fits nowhere" }), { selected: 1 });
  assert.ok(item(1).classList.contains("is-stuck") && item(1).querySelector(".ds-hist-disc"));
  assert.ok(item(2).classList.contains("is-part") && item(0).classList.contains("is-aside"));
  assert.match(el.querySelector(".ds-hist-status").textContent, /fits nowhere/);
  assert.match(el.querySelector(".ds-hist-facts").textContent, /It fits nowhere\./);
  assert.match(item(1).getAttribute("aria-label"), /fits nowhere/);
  assert.match(factsOf(chart(), 2), /Third in the order; then the value is 2/);
});

test("an order that real time does not allow has numbers but no moments", () => {
  const { el } = drawn(chart({ consistency: "sequential", points: null }));
  assert.equal(el.querySelectorAll(".ds-hist-point.is-loose").length, 4);
  assert.equal(el.querySelectorAll(".ds-hist-value").length, 0);
});

test("arrows move among operations, Enter selects; in a puzzle they move the point and Delete takes it away", () => {
  const look = drawn();
  look.key(0, "ArrowRight");
  assert.equal(document.activeElement, look.item(1));
  look.key(1, "ArrowDown");
  assert.equal(document.activeElement, look.item(2));
  look.key(2, "Enter");
  assert.deepEqual(look.events, [["select", 2]]);

  const puzzle = drawn(chart({ table, order: [], points: null, values: [] }), { placed: {} });
  assert.equal(puzzle.item(2).getAttribute("role"), "slider");
  assert.equal(puzzle.item(2).getAttribute("aria-valuetext"), "not placed");
  puzzle.key(2, "ArrowRight");
  puzzle.key(2, "ArrowRight");
  assert.deepEqual(puzzle.events, [["place", 2, 2], ["place", 2, 3.5]]);
  assert.equal(puzzle.item(2).getAttribute("aria-valuetext"), "first in the order");
  puzzle.key(2, "End");
  puzzle.key(2, "Delete");
  assert.deepEqual(puzzle.events.slice(2), [["place", 2, 5.5], ["place", 2, null]]);
  assert.match(puzzle.said.at(-1), /Give each operation/);
});

test("the widget: points survive in the model, a false claim is refused, a true one ends the puzzle", () => {
  const { window } = new JSDOM("<!doctype html><body></body>");
  const el = window.document.body;
  const model = new FakeModel({ chart: chart({ table }), placed: {}, selected: null, title: "Find it" });
  const stop = renderHistory({ model, el });
  const root = el.querySelector(".dslab-history");
  root.querySelector('[data-op="0"]').dispatchEvent(new window.KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  assert.deepEqual(Object.keys(model.get("placed")), ["0"]);
  assert.equal(root.dataset.done, "false");
  assert.equal(root.querySelectorAll(".ds-hist-point").length, 1, "the order that is asked for is not shown");
  root.querySelector(".ds-hist-tools button").click();
  assert.match(root.textContent, /There is one that does/);
  model.set("placed", { 0: 2, 3: 4.5, 2: 5.5, 1: 8 });
  assert.equal(root.dataset.done, "true");
  model.set("chart", chart({ table, verdict: "violation", stuck: 1, smallest: [1, 2, 3], order: [], points: null, values: [], why: "nothing fits" }));
  model.set("placed", {});
  root.querySelector(".ds-hist-tools button").click();
  assert.match(root.textContent, /That is so: no order fits/);
  assert.ok(root.querySelector(".is-stuck"));
  stop();
  assert.equal(el.children.length, 0);
});

test("in the lab: a chip's property, the branch's own chart or Python's, and the cursor", async () => {
  const properties = [{ name: "linear", title: "Linearizable", sentence: "One order.", kind: "always", consistency: "linearizable" }, { name: "other", title: "Other", kind: "always" }];
  assert.deepEqual(historyProperties({ properties }).map(({ name }) => name), ["linear"]);
  assert.deepEqual(historyProperties({}), []);
  const list = marks.map(([at]) => ({ at, kind: "deliver", node: "n1", patch: [] }));
  const spec = { servers: ["n1"], clients: [], fields: {}, properties };
  const lab = chart({ clock: true, marks: marks.map(([at, units], i) => [i, units, at * 1000]), operations: operations.map((item) => ({ ...item, invoked: marks.findIndex(([at]) => at === item.from), completed: marks.findIndex(([at]) => at === item.to) })) });
  const ctx = fakeContext(document);
  const sent = [];
  Object.assign(ctx, { spec, noKernel: null, query: (what, args) => (sent.push([what, args]), Promise.resolve({ ok: true, chart: lab })) });
  Object.assign(ctx.store, { trace: buildTrace(list, spec), selection: null, layout: "wide", branch: { id: "A", until_us: 9000, actions: [] } });
  const view = createHistoryView(ctx);
  document.body.replaceChildren(view.el);
  view.update(ctx.store.trace.frameAt(7));
  assert.match(view.el.textContent, /at work/);
  await null;
  await null;
  assert.deepEqual(sent, [["history", { branch: "A", property: "linear" }]]);
  assert.equal(view.el.querySelectorAll("[data-op]").length, 4);
  view.el.querySelector("[data-op='3']").dispatchEvent(new document.defaultView.MouseEvent("click", { bubbles: true }));
  assert.match(view.el.querySelector(".ds-hist-facts").textContent, /second in the order/i);

  ctx.store.branch = { id: "B", until_us: 9000, actions: [], histories: { linear: lab } };
  view.update(ctx.store.trace.frameAt(3));
  assert.equal(view.el.querySelectorAll("[data-op]").length, 3, "the branch's own, as far as it is known");
  assert.equal(sent.length, 1);
});

test("charts that are not whole are no reason to fail", () => {
  for (const odd of [
    { operations: [], lanes: [], marks: [], order: [], points: null, values: [] },
    { order: [], points: null, values: [], verdict: "unknown", why: "" },
    { verdict: "violation", stuck: null, smallest: [], why: "", order: [], points: null, values: [] },
    { operations: [op(0, "read?", 0, null, { completed: null, status: "unknown" })], lanes: ["c1"], order: [], points: null, values: [] },
    { operations: [op(0, "write 1", 0, 1, { status: "failed" })], lanes: ["c1"], order: [], points: null, values: [] },
  ]) assert.ok(drawn(chart(odd)).el.querySelector(".ds-hist-status").textContent.length > 0);
});

test("Operations: a property about clients that is watched later brings its tab, and its chip opens it", async () => {
  const dom = new JSDOM("<!doctype html><html lang=en><title>t</title><body></body></html>", { pretendToBeVisual: true });
  const model = new FakeModel(modelState(electionRun()));
  const stop = render({ model, el: dom.window.document.body });
  const find = (selector) => dom.window.document.querySelector(selector);
  const tab = find("[data-tab=history]");
  assert.equal(tab.hidden, true);
  assert.notEqual(tab.getAttribute("aria-selected"), "true");
  model.set("spec", { ...model.get("spec"), properties: [{ name: "linearizable", title: "Linearizable", sentence: "What clients are told is linearizable.", kind: "always", consistency: "linearizable" }] });
  await new Promise((resolve) => { dom.window.queueMicrotask(resolve); });
  assert.equal(tab.hidden, false);
  find("[data-property=linearizable]").click();
  assert.equal(tab.getAttribute("aria-selected"), "true");
  assert.equal(find(".ds-history").hidden, false);
  stop();
});
