// Making a node a traitor: two small forms, and the action that they make.
import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { createNodePopover, lieText, treasonOf } from "../../dslab/widgets/static/popover.js";
import { actionCall } from "../../dslab/widgets/static/script.js";
import { fakeContext, frameAt, spec } from "./panels-fixture.js";

const { document } = new JSDOM("<!doctype html><body></body>").window;
const submit = (form) => form.dispatchEvent(new document.defaultView.Event("submit", { cancelable: true }));

function popoverOf(verbs = [...spec.verbs, "turn_traitor", "turn_loyal"]) {
  const ctx = fakeContext(document, { spec: { verbs }, store: { selection: { kind: "node", id: "n3" } } });
  const popover = createNodePopover(ctx);
  document.body.append(popover.el);
  popover.update(frameAt(ctx, 20));
  return { ctx, el: popover.el };
}

function choose(behaviour) {
  const { ctx, el } = popoverOf();
  el.querySelector("[data-verb=turn_traitor]").click();
  el.querySelector("select").value = behaviour;
  submit(el.querySelector("form"));
  return { ctx, el, inputs: [...el.querySelectorAll("form input")] };
}

test("text becomes fields: JSON where it is JSON, words otherwise", () => {
  assert.deepEqual(treasonOf({ fields: "term=9; granted = true;voted_for=null; command=y=2; digest=c1.1 x=1; list=[1]; ", to: "n4, n5  c1" }), {
    fields: { term: 9, granted: true, voted_for: null, command: "y=2", digest: "c1.1 x=1", list: [1] }, to: ["n4", "n5", "c1"],
  });
  assert.deepEqual(treasonOf({ to: " ", by: "20.5" }), { by: 20.5 });
});

test("a message as text leaves out what is no single value", () => {
  assert.equal(lieText({ "@": "Prepare", view: 1, digest: "c1.1 x=1", ok: false, entries: [], map: {}, leader: null }), "view=1; digest=c1.1 x=1; ok=false; leader=null");
});

test("silent asks to whom, and means everybody when nothing is written", () => {
  const { ctx, el, inputs } = choose("silent");
  assert.equal(inputs.length, 1);
  assert.equal(inputs[0].required, false);
  submit(el.querySelector("form"));
  assert.deepEqual(ctx.calls.at(-1), ["turn_traitor", { node: "n3", behaviour: "silent" }]);
});

test("an equivocator begins with its last words, and must lie to somebody", () => {
  const { ctx, el, inputs } = choose("equivocate");
  assert.match(inputs[0].value, /term=4/);
  assert.deepEqual([inputs[1].value, inputs[1].required], ["n5", true]);
  inputs[0].value = "term=9";
  inputs[1].value = "n1 n2";
  submit(el.querySelector("form"));
  assert.deepEqual(ctx.calls.at(-1), ["turn_traitor", { node: "n3", behaviour: "equivocate", fields: { term: 9 }, to: ["n1", "n2"] }]);
});

test("corrupt and delay ask for what they need", () => {
  const corrupt = choose("corrupt");
  corrupt.inputs[0].value = "granted=false";
  submit(corrupt.el.querySelector("form"));
  assert.deepEqual(corrupt.ctx.calls.at(-1)[1], { node: "n3", behaviour: "corrupt", fields: { granted: false } });
  const late = choose("delay");
  submit(late.el.querySelector("form"));
  assert.deepEqual(late.ctx.calls.at(-1)[1], { node: "n3", behaviour: "delay", by: 100 });
});

test("a loyal node cannot be made loyal, and an exercise without traitors offers none", () => {
  assert.equal(popoverOf().el.querySelector("[data-verb=turn_loyal]"), null);
  assert.equal(popoverOf(spec.verbs).el.querySelector("[data-verb=turn_traitor]"), null);
});

test("the script prints the action as Python", () => {
  assert.equal(actionCall({ at: 5, do: "turn_traitor", node: "n3", behaviour: "equivocate", fields: { term: 9, granted: true }, to: ["n1"] }),
    "turn_traitor(\"n3\", \"equivocate\", fields={\"term\": 9, \"granted\": True}, to=[\"n1\"], at=5)");
});
