// Links, popovers, events, chips, prediction, description.
import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { chipStatus, createChips } from "../../dslab/widgets/static/chips.js";
import { describeFrame } from "../../dslab/widgets/static/describe.js";
import { createEventsView, createTableView, eventsFile, eventWords, filterEvents, typeWords } from "../../dslab/widgets/static/events.js";
import { createLinksView, linkState, presetActions } from "../../dslab/widgets/static/links.js";
import { causeChain, effectChain, effectWords, fieldHistory, messageDiff, previousLike, sparkPath } from "../../dslab/widgets/static/causes.js";
import { createMessageInspector, createNodePopover } from "../../dslab/widgets/static/popover.js";
import { createPredict } from "../../dslab/widgets/static/predict.js";
import { EVENTS, SERVERS, branch, buildTrace, fakeContext, frameAt, spec } from "./panels-fixture.js";

const { document } = new JSDOM("<!doctype html><body></body>").window;
const trace = buildTrace(EVENTS);
const click = (root, selector) => root.querySelector(selector).click();

test("presets cut what their names say", () => {
  assert.deepEqual(presetActions("leader", SERVERS, "n3"), [["partition", { groups: [["n3"], ["n1", "n2", "n4", "n5"]] }]]);
  assert.deepEqual(presetActions("minority", SERVERS, "n1", "held"), [["partition", { groups: [["n1", "n2"], ["n3", "n4", "n5"]], in_flight: "held" }]]);
  assert.deepEqual(presetActions("minority", SERVERS, null)[0][1].groups[0].length, 2);
  assert.deepEqual(presetActions("oneway", ["n1", "n2", "n3"], "n1"), [["cut", { source: "n2", target: "n1" }], ["cut", { source: "n3", target: "n1" }]]);
});

test("a bridge node alone reaches both sides", () => {
  const cuts = presetActions("bridge", SERVERS, null).map(([, { source, target }]) => `${source}>${target}`);
  assert.equal(cuts.length, 8);
  assert.ok(cuts.every((link) => !link.includes("n3")));
  assert.ok(!cuts.includes("n1>n2") && cuts.includes("n1>n4"));
});

test("in a ring every server keeps its two neighbours", () => {
  const cuts = presetActions("ring", SERVERS, null);
  assert.equal(cuts.length, 5 * 2);
  assert.ok(!cuts.some(([, { source, target }]) => source === "n1" && (target === "n2" || target === "n5")));
});

test("a link is described by what is wrong with it", () => {
  const frame = { cut: new Set(["n1>n2"]), links: new Map([["n1>n3", { loss: 0.2, latency: [5, 60] }]]) };
  assert.equal(linkState(frame, "n1", "n2").words, "cut");
  assert.equal(linkState(frame, "n1", "n3").words, "loses 20 %, takes 5–60 ms");
  assert.equal(linkState(frame, "n2", "n1").words, "open");
});

test("a matrix cell toggles one direction", () => {
  const ctx = fakeContext(document);
  const view = createLinksView(ctx);
  view.update(frameAt(ctx, 25));
  click(view.el, "[data-link='n3>n4']");
  click(view.el, "[data-link='n3>n1']");
  assert.deepEqual(ctx.calls, [["cut", { source: "n3", target: "n4" }], ["mend", { source: "n3", target: "n1" }]]);
  assert.equal(view.el.querySelector("[data-link='n3>n1']").getAttribute("aria-checked"), "false");
});

test("the link form sends only what differs from a perfect link", () => {
  const ctx = fakeContext(document);
  const view = createLinksView(ctx);
  view.update(frameAt(ctx, 4));
  click(view.el, "[data-preset=flaky]");
  assert.deepEqual(ctx.calls, [["link", { source: "n1", target: "n2", latency: [5, 60], loss: 0.2, duplicate: 0.05 }]]);
});

test("Why? walks back to the client request or the timeout", () => {
  assert.deepEqual(causeChain(trace, 9), [9, 7, 6]);
  assert.deepEqual(causeChain(trace, 14), [14, 13, 12]);
});

test("What then? walks forward", () => {
  assert.deepEqual(effectChain(trace, 12).slice(0, 3), [12, 13, 14]);
});

test("an effect is told by the state it changed", () => {
  assert.equal(effectWords(trace, 7), "n1’s log grows to index 6");
  assert.equal(effectWords(trace, 9), "n2’s log is rewritten to index 6");
  assert.equal(effectWords(trace, 13), "n4 votes for n3");
  assert.equal(effectWords(trace, 26), "Append entries from n3 to n4 arrives");
});

test("a message is compared with the last of its type on its link", () => {
  assert.equal(previousLike(trace, 8), 6);
  const changed = messageDiff(trace, 8).filter(([, , old]) => old !== undefined).map(([name]) => name);
  assert.deepEqual(changed, ["prev_index", "prev_term", "entries", "commit"]);
});

test("the history of a field is a stepped line", () => {
  const points = fieldHistory(trace, "n3", "commit_index", 25);
  assert.deepEqual(points.map(([, value]) => value), [5, 6, 7]);
  assert.match(sparkPath(points, 2012000), /^M1\.0 15\.0H\d+\.\dV9\.0H\d+\.\dV3\.0H69$/);
});

test("the node popover offers allowed verbs only, and says why one is not possible", () => {
  const ctx = fakeContext(document, { spec: { verbs: ["crash", "restart", "request"] }, store: { selection: { kind: "node", id: "n3" } } });
  const popover = createNodePopover(ctx);
  document.body.append(popover.el);
  popover.update(frameAt(ctx, 20));
  const verbs = [...popover.el.querySelectorAll("[data-verb]")].map((button) => button.dataset.verb);
  assert.deepEqual(verbs, ["crash", "request", "step", "watch", "restart"]);
  assert.match(popover.el.querySelector("[data-verb=restart]").textContent, /Restart unavailable: n3 is running/);
  assert.match(popover.el.textContent, /commit index6was 5/);
  click(popover.el, "[data-verb=crash]");
  assert.deepEqual(ctx.calls.at(-1), ["crash", { node: "n3" }]);
  popover.el.remove();
});

test("a form takes the place of the verbs, and Escape leaves it first", () => {
  const ctx = fakeContext(document, { store: { selection: { kind: "node", id: "n3" } } });
  const popover = createNodePopover(ctx);
  document.body.append(popover.el);
  popover.update(frameAt(ctx, 20));
  click(popover.el, "[data-verb=skew]");
  const form = popover.el.querySelector("form");
  const escape = () => document.activeElement.dispatchEvent(new document.defaultView.KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true }));
  escape();
  assert.equal(form.isConnected, false);
  assert.equal(ctx.store.selection.id, "n3");
  click(popover.el, "[data-verb=skew]");
  popover.el.querySelector("form input").value = "250";
  popover.el.querySelector("form").dispatchEvent(new document.defaultView.Event("submit", { cancelable: true }));
  assert.deepEqual(ctx.calls.at(-1), ["skew", { node: "n3", offset: 250 }]);
  escape();
  popover.el.remove();
});

test("the inspector names message, fate, causes and effects", () => {
  const ctx = fakeContext(document, { store: { selection: { kind: "message", id: 1 } } });
  const inspector = createMessageInspector(ctx);
  inspector.update(frameAt(ctx, 8));
  const text = inspector.el.textContent;
  assert.match(text, /Append entriesn1 → n2, arrives in 7 ms/);
  assert.match(text, /c1 asks x=8 \(event 6\)/);
  assert.match(text, /n2’s log is rewritten to index 6 \(event 9\)/);
  click(inspector.el, "[data-verb=drop]");
  assert.deepEqual(ctx.calls.at(-1), ["drop", { message: 1 }]);
  inspector.update(frameAt(ctx, 20));
  assert.match(inspector.el.textContent, /arrived at 1\.521 s.*not in flight/s);
});

test("events are told in words, filtered and written to a file", () => {
  assert.equal(typeWords("AppendEntries"), "Append entries");
  assert.equal(eventWords(trace, 8), "Append entries from n1 to n3 is lost (partition)");
  assert.equal(eventWords(trace, 12), "n3 stands for term 4");
  assert.deepEqual(filterEvents(trace, { node: "n3", kind: "deliver" }), [14, 17, 20, 24]);
  assert.deepEqual(filterEvents(trace, { text: "STANDS" }), [12]);
  assert.equal(eventsFile(trace, [8], "csv"), "event,time_us,node,kind,cause,text\n8,1514000,n3,drop,7,Append entries from n1 to n3 is lost (partition)\n");
  assert.equal(JSON.parse(eventsFile(trace, [8], "json"))[0].cause, 7);
});

test("the event table marks the current row and seeks on activation", () => {
  const ctx = fakeContext(document);
  const view = createEventsView(ctx);
  document.body.append(view.el);
  view.update(frameAt(ctx, 9));
  assert.match(view.el.querySelector("[aria-current=true]").textContent, /n2 drops two entries of term 2/);
  click(view.el, "[data-event='12']");
  assert.deepEqual(ctx.calls.at(-1), ["seek", { event: 12 }]);
  view.el.remove();
});

test("the table view lists states and messages in flight", () => {
  const ctx = fakeContext(document);
  const view = createTableView(ctx);
  view.update(frameAt(ctx, 25));
  const rows = [...view.el.querySelectorAll("tbody tr")].map((row) => row.textContent);
  assert.match(rows[2], /^n3leader4n38 items75/);
  assert.match(rows.at(-1), /^Append entriesn3n47 ms/);
});

test("a violation ahead stays unknown until it has been seen", () => {
  const [, matching, linear, progress] = spec.properties;
  const [, violated, unknown, waiting] = branch.verdicts;
  assert.equal(chipStatus(matching, violated, 2_309_999), "held");
  assert.equal(chipStatus(matching, violated, 2_310_000), "violated");
  assert.equal(chipStatus(linear, unknown, 0), "unknown");
  assert.equal(chipStatus(progress, waiting, 9e9), "waiting");
  assert.equal(chipStatus(progress, { status: "reached", time_us: 5 }, 6), "reached");
});

test("a violated chip opens the bar, which goes to the event and marks the culprits", () => {
  const ctx = fakeContext(document, { store: { cursor: { branch: "A", time_us: 2_310_000, event: 28 } } });
  const chips = createChips(ctx);
  chips.update(frameAt(ctx, 28));
  assert.equal(chips.el.querySelector("[data-property=log_matching]").dataset.status, "violated");
  assert.match(chips.bar.textContent, /n5 and n3 disagree at index 6\. Expected y=2 of term 4, found x=8 of term 3 on n5\./);
  ctx.store.cursor = { branch: "A", time_us: 100, event: 3 };
  chips.update(frameAt(ctx, 3));
  assert.equal(chips.el.querySelector("[data-property=log_matching]").dataset.status, "violated", "what was seen stays known");
  click(chips.bar, "button");
  assert.deepEqual(ctx.calls.filter(([name]) => name !== "say"), [["select", { kind: "property", id: "log_matching" }], ["seek", { event: 28 }]]);
  chips.bar.querySelectorAll("button")[1].click();
  assert.equal(ctx.store.causalOnly, true);
});

test("hidden properties show no chip", () => {
  const ctx = fakeContext(document, { spec: { hide_properties: true } });
  const chips = createChips(ctx);
  chips.update(frameAt(ctx, 28));
  assert.equal(chips.el.children.length, 0);
  assert.equal(chips.bar.hidden, true);
});

test("a prediction needs a choice and a confidence, and meets its outcome", () => {
  const predict = { question: "Who leads?", options: [{ id: "a", text: "n1" }, { id: "b", text: "n3" }], reveal_us: 1_612_000 };
  const ctx = fakeContext(document, { spec: { predict } });
  const panel = createPredict(ctx);
  const submit = () => panel.el.querySelector("form").dispatchEvent(new document.defaultView.Event("submit", { cancelable: true }));
  submit();
  assert.equal(ctx.calls.length, 0);
  panel.el.querySelector("[value=a]").checked = true;
  panel.el.querySelector("[value='2']").checked = true;
  submit();
  assert.deepEqual(ctx.calls[0], ["answer", { choice: "a", confidence: 2 }]);
  Object.assign(ctx.store, { answer: { choice: "a", confidence: 2 }, feedback: { right: false, text: "Only three can agree.", answer_text: "n3 leads." } });
  panel.update(frameAt(ctx, 10));
  assert.doesNotMatch(panel.el.textContent, /Only three/, "nothing is told before the outcome");
  panel.update(frameAt(ctx, 14));
  assert.match(panel.el.textContent, /Your prediction: n1.*It went otherwise\. n3 leads\. Only three can agree\./s);
});

test("the description is a paragraph of the present", () => {
  const ctx = fakeContext(document);
  const text = describeFrame(frameAt(ctx, 25), ctx.store);
  assert.match(text, /^2\.012 seconds, event 26 of 29, branch A\./);
  assert.match(text, /n1: leader, cut off, term 3, 7 log entries, 5 committed\./);
  assert.match(text, /Partition: A is n1 and n2; B is n3, n4 and n5\./);
  assert.match(text, /In flight: append entries from n3 to n4\.$/);
});
