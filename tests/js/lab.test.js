import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { render } from "../../dslab/widgets/static/lab.js";
import "../../dslab/widgets/static/log.js";
import { FakeModel, electionRun, modelState, partitionRun } from "./fixture.js";

/** A lab in a page of its own, with frames cranked by hand; `send` null is a page without a kernel. */
function lab(extra = {}, run = electionRun(), send = undefined) {
  const dom = new JSDOM("<!doctype html><html lang=en><title>t</title><body><main id=m></main></body></html>", { pretendToBeVisual: true, runScripts: "outside-only" });
  const { window } = dom;
  let frames = [];
  window.requestAnimationFrame = (f) => frames.push(f);
  window.cancelAnimationFrame = () => { frames = []; };
  const model = new FakeModel(modelState(run, extra));
  if (send === null) model.send = null;
  const el = window.document.getElementById("m");
  const stop = render({ model, el });
  const root = el.querySelector(".dslab-lab");
  let now = 1000;
  return {
    window, model, stop, root, run,
    find: (selector) => root.querySelector(selector),
    control: (name) => root.querySelector(`[data-control=${name}]`),
    key(target, key, more = {}) {
      target.dispatchEvent(new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
    },
    play(ms) {
      for (let t = 0; t < ms; t += 20) {
        now += 20;
        const due = frames;
        frames = [];
        for (const f of due) f(now);
      }
    },
    waiting: () => frames.length,
    us: () => Number(root.dataset.timeUs),
    event: () => Number(root.dataset.event),
    async settle() {
      for (let i = 0; i < 6; i++) await new Promise((done) => setTimeout(done));
    },
  };
}

test("paused at birth, at the start the author chose, with one element per server", () => {
  const { root, us, waiting, find } = lab();
  assert.equal(root.dataset.playing, "false");
  assert.equal(us(), 1_000_000);
  assert.equal(waiting(), 0);
  assert.equal(root.querySelectorAll(".dslab-node[data-kind=server]").length, 5);
  assert.equal(root.dataset.lmSuppressShortcuts, "true");
  assert.match(find(".ds-headline").textContent, /commits entry 5 in term 3|leads term/);
});

test("play moves time at the chosen speed, says nothing to the kernel, and pause tells it once", async () => {
  const it = lab();
  it.control("play").click();
  assert.equal(it.root.dataset.playing, "true");
  it.play(1020);
  assert.equal(it.us(), 1_050_000);
  assert.deepEqual([it.model.sent.length, it.model.saved.length], [0, 0]);
  it.control("play").click();
  assert.equal(it.root.dataset.playing, "false");
  assert.equal(it.model.get("cursor").time_us, 1_050_000);
  assert.equal(it.model.saved.length, 1);
  assert.equal(it.waiting(), 0);
});

test("near the computed end it asks for more, once", () => {
  const it = lab({ spec: { start_us: 1_400_000, speed: 1 } });
  it.control("play").click();
  it.play(400);
  assert.deepEqual(it.model.sent.map(({ do: what, branch }) => [what, branch]), [["extend", "A"]]);
});

test("clean-up stops the loop and leaves the model", () => {
  const it = lab();
  it.control("play").click();
  it.play(40);
  it.stop();
  assert.equal(it.waiting(), 0);
  assert.equal(it.window.document.querySelector(".dslab-lab"), null);
  assert.ok(Object.values(it.model.h).every((handlers) => handlers.size === 0));
});

test("step, back, interesting, start and end by key", () => {
  const it = lab();
  const before = it.event();
  it.key(it.root, ".");
  assert.equal(it.event(), before + 1);
  it.key(it.root, ",");
  assert.equal(it.event(), before);
  it.key(it.root, ">");
  assert.ok(it.run.interesting.includes(it.event()));
  it.key(it.root, "Home");
  assert.equal(it.us(), 0);
  it.key(it.root, "End");
  assert.equal(it.event(), it.run.events.length - 1);
});

test("the slider says seconds, event and branch, and steps by arrow", () => {
  const it = lab();
  const track = it.find("[role=slider]");
  const before = it.event();
  it.key(track, "ArrowRight");
  assert.equal(it.event(), before + 1);
  assert.equal(track.getAttribute("aria-valuetext"), `${(it.us() / 1e6).toFixed(3)} seconds, event ${before + 2} of ${it.run.events.length}, branch A`);
});

test("one lab plays at a time in a page", () => {
  const it = lab();
  it.control("play").click();
  const other = it.window.document.createElement("div");
  it.window.document.body.append(other);
  const stop = render({ model: new FakeModel(modelState(partitionRun())), el: other });
  other.querySelector("[data-control=play]").click();
  assert.equal(it.root.dataset.playing, "false");
  assert.equal(other.querySelector(".dslab-lab").dataset.playing, "true");
  stop();
});

test("crash by key: the cursor stops, the verb is sent at once, the reply opens the branch", async () => {
  const it = lab();
  const node = it.find(".dslab-node[data-node=n1]");
  node.focus();
  it.key(node, "k");
  assert.equal(it.root.dataset.pending, "crash");
  assert.ok(node.classList.contains("is-pending"));
  const [sent] = it.model.sent;
  assert.equal(sent.cursor.time_us, 1_000_000);
  assert.deepEqual({ ...sent, id: 0, cursor: 0 }, { id: 0, do: "act", cursor: 0, branch: "A", at_us: 1_000_000, seen_us: 1_000_000, verb: "crash", args: { node: "n1" } });
  const child = electionRun();
  it.model.s.chunks = { ...it.model.s.chunks, B: child.chunk() };
  it.model.set("branches", [...it.model.get("branches"), { ...it.model.get("branches")[0], id: "B", parent: "A", fork_event: 0, fork_us: 1_000_000, label: "n1 down", digest: "d1" }]);
  it.model.reply({ id: sent.id, ok: true, branch: "B" });
  await it.settle();
  assert.equal(it.root.dataset.branch, "B");
  assert.equal(it.root.dataset.digest, "d1");
  assert.equal(it.root.dataset.pending, undefined);
  assert.equal(it.root.querySelectorAll(".dslab-lane").length, 2);
  it.find(".dslab-lane[data-branch=A]").click();
  assert.equal(it.root.dataset.branch, "A");
});

/** The answer of Python to a crash in A: a branch B, and with `cursor` its move there. */
function publishChild(it, cursor = null) {
  it.model.s.chunks = { ...it.model.s.chunks, B: electionRun().chunk() };
  it.model.set("branches", [...it.model.get("branches"), { ...it.model.get("branches")[0], id: "B", parent: "A", fork_event: 0, fork_us: 1_000_000, label: "n1 down", digest: "d1" }]);
  if (cursor) it.model.set("cursor", { branch: "B", time_us: 1_000_000, event: null, ...cursor });
}

test("a branch chosen before the reply to an action has come stays open", async () => {
  const it = lab();
  it.key(it.root, "k");
  publishChild(it, { stamp: it.model.sent[0].cursor.stamp + 1 });
  assert.equal(it.root.dataset.branch, "B");
  it.key(it.root, "b");
  assert.equal(it.root.dataset.branch, "A");
  it.model.reply({ id: it.model.sent[0].id, ok: true, branch: "B" });
  await it.settle();
  assert.equal(it.root.dataset.branch, "A");
  await new Promise((done) => setTimeout(done, 300));
  assert.equal(it.model.get("cursor").branch, "A");
});

test("a step that was still to be told does not bring back the branch that Python has left", async () => {
  const it = lab();
  it.key(it.root, "<");
  it.key(it.find(".dslab-node[data-node=n1]"), "k");
  publishChild(it, { stamp: it.model.sent[0].cursor.stamp + 1 });
  assert.equal(it.root.dataset.branch, "B");
  await new Promise((done) => setTimeout(done, 300));
  assert.equal(it.root.dataset.branch, "B");
  assert.equal(it.model.get("cursor").branch, "B");
});

test("a refusal is said in its own words, a busy kernel after 300 ms", async () => {
  const it = lab();
  it.key(it.root, "k");
  await new Promise((done) => setTimeout(done, 330));
  assert.match(it.find(".ds-notice").textContent, /Kernel busy/);
  it.model.reply({ id: it.model.sent[0].id, ok: false, error: "n1 is made of glass." });
  await it.settle();
  assert.equal(it.find(".ds-notice").textContent, "n1 is made of glass.");
});

test("a later seen time travels with the action, so that Python forks", () => {
  const it = lab();
  it.key(it.root, "End");
  it.key(it.root, "Home");
  it.key(it.root, "k");
  assert.equal(it.model.sent[0].at_us, 0);
  assert.equal(it.model.sent[0].seen_us, it.run.events.at(-1).us);
});

test("a prediction locks time and verbs, and says so in the controls' names", () => {
  const predict = { question: "Who wins?", options: [{ id: "a", text: "n2" }, { id: "b", text: "n3" }], reveal_us: 1_420_000 };
  const it = lab({ spec: { predict, start_us: 1_300_000, speed: 1 } });
  assert.equal(it.control("play").getAttribute("aria-label"), "Play unavailable: answer the prediction first");
  it.control("play").click();
  it.key(it.root, ".");
  it.key(it.root, "k");
  assert.deepEqual([it.root.dataset.playing, it.us(), it.model.sent.length], ["false", 1_300_000, 0]);
  it.model.set("prediction", { choice: "b", confidence: 2 });
  assert.equal(it.control("play").getAttribute("aria-label"), "Play");
  it.control("play").click();
  it.play(400);
  assert.equal(it.root.dataset.playing, "false", "play stops where the answer is decided");
  assert.ok(it.us() >= 1_420_000 && it.us() < 1_450_000);
});

test("verbs that an exercise does not allow are refused with a reason", () => {
  const it = lab({ spec: { verbs: ["request"] } });
  it.key(it.root, "k");
  assert.equal(it.model.sent.length, 0);
  assert.match(it.find("[data-verb=partition]").getAttribute("aria-label"), /Partition unavailable: this exercise does not use it/);
});

test("groups by keyboard: G and a digit, then Enter cuts", () => {
  const it = lab();
  for (const id of ["n1", "n2"]) {
    const node = it.find(`.dslab-node[data-node=${id}]`);
    node.focus();
    it.key(node, "g");
    it.key(it.find(`.dslab-node[data-node=${id}]`), "2");
  }
  it.key(it.root, "Enter");
  assert.deepEqual(it.model.sent[0].args, { groups: [["n3", "n4", "n5"], ["n1", "n2"]] });
});

test("naming two groups by key cuts at once", () => {
  const it = lab();
  for (const [id, digit] of [["n4", "1"], ["n3", "2"]]) {
    const node = it.find(`.dslab-node[data-node=${id}]`);
    node.focus();
    it.key(node, "g");
    it.key(it.find(`.dslab-node[data-node=${id}]`), digit);
  }
  assert.deepEqual(it.model.sent[0].args, { groups: [["n1", "n2", "n4", "n5"], ["n3"]] });
  assert.equal(it.window.document.activeElement.dataset.node, "n3");
});

test("a request by key: the form has the focus, then the node has it again", () => {
  const it = lab();
  it.find(".dslab-node[data-node=n2]").focus();
  it.key(it.find(".dslab-node[data-node=n2]"), "c");
  assert.equal(it.window.document.activeElement.getAttribute("aria-label"), "Command");
  it.find("form.ds-ask").dispatchEvent(new it.window.Event("submit", { bubbles: true, cancelable: true }));
  assert.equal(it.model.sent[0].verb, "request");
  assert.equal(it.window.document.activeElement.dataset.node, "n2");
});

test("the focus outlives what had it: a message that is gone, Heal, and arrows lead in from the root", () => {
  const it = lab({ spec: { start_us: 1_412_500 } });
  it.key(it.root, "m");
  assert.ok(it.window.document.activeElement.classList.contains("dslab-message"));
  it.key(it.window.document.activeElement, "Home");
  assert.equal(it.window.document.activeElement.dataset.node, "n1");
  it.root.focus();
  it.key(it.root, "ArrowDown");
  assert.equal(it.window.document.activeElement.dataset.node, "n1");
  const cut = lab({ spec: { start_us: 500_000 } }, partitionRun());
  cut.find(".ds-tools [data-verb=heal]").focus();
  cut.key(cut.window.document.activeElement, "Home");
  assert.equal(cut.window.document.activeElement.dataset.node, "n1");
});

test("a fault bar opens a form; another beginning asks for another branch", () => {
  const actions = [{ at: 1180, do: "crash", node: "n1" }, { at: 2000, do: "restart", node: "n1" }];
  const it = lab({ faults: [{ kind: "down", label: "n1 down", from_us: 1_180_000, to_us: 2_000_000, action: 0 }], branch: { actions } });
  const bar = it.find("[data-fault-button]");
  assert.match(bar.getAttribute("aria-label"), /^n1 down, from 1.180 to 2.000 s/);
  bar.click();
  const [from, to] = it.root.querySelectorAll(".ds-fault-form input");
  assert.deepEqual([from.value, to.value], ["1180", "2000"]);
  from.value = "1100.5";
  it.find(".ds-fault-form").dispatchEvent(new it.window.Event("submit", { bubbles: true, cancelable: true }));
  assert.deepEqual({ ...it.model.sent[0], id: 0, cursor: 0 }, { id: 0, cursor: 0, do: "move", branch: "A", times_us: { 0: 1_100_500 } });
  assert.equal(it.window.document.activeElement.dataset.faultButton, "n1 down");
});

test("the layout is chosen, remembered and reset", () => {
  const it = lab();
  const places = () => [...it.root.querySelectorAll(".dslab-node[data-kind=server]")].map((node) => node.getAttribute("transform")).join();
  const ring = places();
  const choice = it.find("select[aria-label=Layout]");
  choice.value = "rows";
  choice.dispatchEvent(new it.window.Event("change"));
  assert.notEqual(places(), ring);
  it.control("resetLayout").click();
  assert.equal(places(), ring);
});

test("printing pauses, and puts what happened on paper", () => {
  const it = lab();
  it.control("play").click();
  it.window.dispatchEvent(new it.window.Event("beforeprint"));
  assert.equal(it.root.dataset.playing, "false");
  assert.match(it.find(".ds-print").textContent, /up to 1.000 s.*n1 leads term 1/);
  it.window.dispatchEvent(new it.window.Event("afterprint"));
  assert.equal(it.find(".ds-print").textContent, "");
});

test("Describe opens a paragraph, takes the focus and gives it back", () => {
  const it = lab();
  it.find("[aria-label=Describe]").click();
  assert.match(it.find(".ds-description").textContent, /^1.000 seconds, event \d+ of \d+, branch A. n1: leader/);
  assert.equal(it.window.document.activeElement, it.find(".ds-description"));
  it.key(it.find(".ds-description"), "Escape");
  assert.equal(it.window.document.activeElement.getAttribute("aria-label"), "Describe");
});

test("left and right reach every node", () => {
  const it = lab();
  it.find(".dslab-node[data-node=n1]").focus();
  const reached = [];
  for (let i = 0; i < 5; i++) {
    it.key(it.window.document.activeElement, "ArrowRight");
    reached.push(it.window.document.activeElement.dataset.node);
  }
  assert.deepEqual(reached, ["n2", "n3", "n4", "n5", "n1"]);
});

test("an open prediction shows nothing of what comes later, in no view", () => {
  const predict = { question: "Who wins?", options: [{ id: "a", text: "n2" }, { id: "b", text: "n3" }], reveal_us: 1_420_000 };
  const faults = [{ kind: "down", label: "n1 down", from_us: 1_180_000, to_us: 2_000_000, action: 0 }, { kind: "down", label: "n5 down", from_us: 1_500_000, to_us: null, action: 1 }];
  const verdicts = [{ name: "election_safety", status: "violated", event: 5, time_us: 1_900_000, text: "two leaders", nodes: ["n1"] }];
  const it = lab({ spec: { predict, start_us: 1_300_000, speed: 1 }, faults, branch: { verdicts } });
  const count = () => it.root.querySelectorAll(".ds-table tr[class=ds-later]").length;
  assert.equal(it.root.querySelectorAll(".ds-station[data-term='4']").length, 0);
  assert.deepEqual([...it.root.querySelectorAll("[data-fault]")].map((bar) => bar.dataset.fault), ["n1 down"]);
  assert.equal(it.find(".dslab-chip[data-property=election_safety]").dataset.status, "held");
  assert.doesNotMatch(it.find(".ds-clock").textContent, / of /);
  assert.doesNotMatch(it.find("[role=slider]").getAttribute("aria-valuetext"), / of /);
  it.find("[data-tab=events]").click();
  assert.equal(count(), 0);
  it.find("[aria-label='Help and legend']").click();
  assert.doesNotMatch(it.find(".ds-help").textContent, /event \d+ of/);
  it.model.set("prediction", { choice: "b", confidence: 2 });
  assert.equal(it.root.querySelectorAll(".ds-station[data-term='4']").length, 1);
  assert.equal(it.root.querySelectorAll("[data-fault]").length, 2);
  assert.ok(count() > 0);
});

test("Heal is there while anything is cut, and only then", () => {
  const it = lab({ spec: { start_us: 500_000 } }, partitionRun());
  assert.equal(it.find(".ds-tools [data-verb=heal]").hidden, false);
  it.key(it.root, "Home");
  assert.equal(it.find(".ds-tools [data-verb=heal]").hidden, true);
});

test("messages in flight by key: M chooses, D drops", () => {
  const it = lab({ spec: { start_us: 1_412_500 } });
  it.key(it.root, "m");
  const chosen = it.find(".dslab-message.is-selected");
  assert.ok(chosen);
  it.key(it.root, "d");
  assert.deepEqual(it.model.sent[0].args, { message: Number(chosen.dataset.message) });
});

test("arrows move among nodes; one of them is the tab stop", () => {
  const it = lab();
  const first = it.find(".dslab-node[data-node=n1]");
  first.focus();
  it.key(first, "ArrowRight");
  assert.equal(it.window.document.activeElement.dataset.node, "n2");
  assert.equal(it.root.querySelectorAll(".dslab-node[tabindex='0']").length, 1);
});

test("Python may move the cursor", () => {
  const it = lab();
  it.model.set("cursor", { branch: "A", time_us: 1_250_000, event: null, stamp: 1 });
  assert.equal(it.us(), 1_250_000);
});

test("of several who move the cursor the last one wins; what comes late is not followed", () => {
  const it = lab();
  it.key(it.root, ">");
  const here = it.us();
  it.model.set("cursor", { branch: "A", time_us: 1_250_000, event: null, stamp: 1 });
  assert.equal(it.us(), here);
  it.model.set("cursor", { branch: "A", time_us: 1_260_000, event: null, stamp: 2 });
  assert.equal(it.us(), 1_260_000);
  it.model.set("cursor", { branch: "A", time_us: here, event: null, stamp: 1 });
  assert.equal(it.us(), 1_260_000);
});

test("automated accessibility rules find nothing, also with a popover, the drawer and a partition", async () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  for (const extra of [{}, { spec: { start_us: 500_000 } }]) {
    const it = lab(extra, extra.spec ? partitionRun() : electionRun());
    if (extra.spec) it.find(".dslab-node[data-node=n3]").dispatchEvent(new it.window.MouseEvent("click", { bubbles: true }));
    it.find("[aria-label=Script]").click();
    it.window.eval(axe);
    // jsdom has no layout: contrast is for the browser test.
    const { violations } = await it.window.axe.run(it.root, { rules: { "color-contrast": { enabled: false } } });
    assert.equal(JSON.stringify(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 120))])), "[]");
    it.stop();
  }
});

test("without a kernel it plays to the end, and whatever would change the run says why it cannot", async () => {
  const it = lab({ spec: { start_us: 1_400_000, speed: 1 } }, electionRun(), null);
  assert.match(it.find("[data-verb=partition]").getAttribute("aria-label"), /^Partition unavailable: this page has no kernel/);
  for (const name of ["fork", "bookmark", "undo"]) {
    assert.match(it.control(name).getAttribute("aria-label"), /unavailable: this page has no kernel: open the notebook to try it$/);
  }
  assert.equal(it.control("play").getAttribute("aria-label"), "Play");
  it.control("play").click();
  it.play(4000);
  assert.equal(it.us(), it.model.get("branches")[0].until_us);
  assert.equal(it.find(".ds-notice").hidden, true);
  it.control("undo").click();
  assert.equal(it.find(".ds-notice").textContent, "Undo unavailable: this page has no kernel: open the notebook to try it.");
  it.control("start").click();
  assert.equal(it.find(".ds-notice").hidden, true);
  const node = it.find(".dslab-node[data-node=n1]");
  node.focus();
  it.key(node, "k");
  await it.settle();
  assert.equal(it.root.dataset.branch, "A");
  assert.match(it.find(".ds-notice").textContent, /^crash unavailable: this page has no kernel/);
  assert.match(it.find("div.ds-links").textContent, /Links cannot be changed: this page has no kernel/);
});

test("without a kernel an open prediction cannot be answered, and says so", () => {
  const predict = { question: "Who?", options: [{ id: "a", text: "n1" }, { id: "b", text: "n2" }], reveal_us: 2_000_000 };
  const it = lab({ spec: { predict } }, electionRun(), null);
  assert.ok([...it.find(".ds-predict").querySelectorAll("input, button")].every((control) => control.disabled));
  assert.match(it.find(".ds-predict").textContent, /Locked: this page has no kernel: open the notebook to try it/);
});

const broken = [{ name: "election_safety", status: "violated", event: 3, time_us: 0, text: "n1 and n2 lead", nodes: ["n1", "n2"], index: null, expected: null, found: null }];
const brokenLab = (send) => lab({ branch: { verdicts: broken } }, electionRun(), send);

test("minimise: one command, its progress in words, the branch and the sizes at the end", async () => {
  const it = brokenLab();
  it.control("minimise").click();
  const [sent] = it.model.sent;
  assert.deepEqual({ ...sent, id: 0, cursor: 0 }, { id: 0, cursor: 0, do: "minimise", branch: "A", property: "election_safety" });
  assert.match(it.find(".ds-bar-violation").textContent, /Minimising/);
  it.model.reply({ id: sent.id, progress: { runs: 12, left: 4 } });
  assert.match(it.find(".ds-bar-violation").textContent, /Minimising: 4 actions left, 12 runs tried/);
  assert.equal(it.window.document.activeElement.textContent, "Stop");
  it.model.reply({ id: sent.id, ok: true, branch: "A", text: "None of the 4 actions can be left out (12 runs tried)." });
  await it.settle();
  assert.match(it.find(".ds-bar-violation").textContent, /None of the 4 actions can be left out/);
  assert.equal(it.model.sent.length, 1);
  assert.equal(it.control("copySmaller"), null);
  it.control("minimise").click();
  it.model.reply({ id: it.model.sent[1].id, ok: true, branch: "A", text: "With 1 server instead of 5, 2 actions suffice.", code: "Lab(tiny)" });
  await it.settle();
  it.control("copySmaller").click();
  await it.settle();
  assert.equal(it.find(".ds-bar-violation textarea").value, "Lab(tiny)", "without a clipboard the text is offered");
});

test("minimise can be stopped, and says what went wrong; late words of the stopped one change nothing", async () => {
  const it = brokenLab();
  it.control("minimise").click();
  it.control("minimise").click();
  assert.deepEqual(it.model.sent.slice(1).map(({ do: what, job }) => [what, job]), [["stop", it.model.sent[0].id]]);
  it.model.reply({ id: it.model.sent[1].id, ok: true, branch: null });
  it.model.reply({ id: it.model.sent[0].id, progress: { runs: 99, left: 1 } });
  it.model.reply({ id: it.model.sent[0].id, ok: false, stopped: true, error: "Stopped; nothing has changed." });
  await it.settle();
  assert.equal(it.control("minimise").textContent, "Minimise");
  it.control("minimise").click();
  it.model.reply({ id: it.model.sent.at(-1).id, ok: false, error: "branch A does not violate it" });
  await it.settle();
  assert.equal(it.find(".ds-notice").textContent, "branch A does not violate it");
  assert.equal(it.control("minimise").textContent, "Minimise");
});

test("without a kernel minimise says why not", () => {
  const it = brokenLab(null);
  assert.match(it.control("minimise").getAttribute("aria-label"), /Minimise unavailable: this page has no kernel/);
  it.control("minimise").click();
  assert.match(it.find(".ds-notice").textContent, /Minimise unavailable: this page has no kernel/);
});

test("a property that is added later becomes a chip, and one that cannot be judged says why", async () => {
  const it = lab();
  const before = it.root.querySelectorAll(".dslab-chip").length;
  const property = { name: "mine", title: "Mine", sentence: "Nobody is late.", kind: "always" };
  it.model.set("spec", { ...it.model.get("spec"), properties: [...it.model.get("spec").properties, property] });
  it.model.set("branches", it.model.get("branches").map((branch) => ({ ...branch, verdicts: [...(branch.verdicts ?? []), { name: "mine", status: "not evaluable", event: 0, time_us: 0, text: "mine needs the attribute 'late'" }] })));
  await it.settle();
  assert.equal(it.root.querySelectorAll(".dslab-chip").length, before + 1);
  it.find("[data-property=mine]").click();
  assert.match(it.find(".ds-bar-violation").textContent, /Nobody is late\. Not evaluable: mine needs the attribute 'late'\./);
});

test("run until asks for more of the run, goes on in it, and stops when something else is asked for", async () => {
  const it = lab();
  it.key(it.root, "/");
  const field = it.find(".ds-condition");
  assert.equal(it.window.document.activeElement, field);
  field.value = "n1.term >= 99";
  field.form.dispatchEvent(new it.window.Event("submit", { cancelable: true }));
  assert.deepEqual(it.model.sent.map(({ do: what }) => what), ["extend"]);
  assert.match(it.find(".ds-notice").textContent, /never reaches: n1\.term >= 99\. Computing more/);
  const until = it.model.sent[0].until_us;
  it.model.set("branches", it.model.get("branches").map((branch) => ({ ...branch, until_us: until })));
  it.model.reply({ id: it.model.sent[0].id, ok: true, branch: null });
  await it.settle();
  assert.deepEqual(it.model.sent.map(({ do: what }) => what), ["extend", "extend"]);
  it.key(it.root, "Home");
  it.model.reply({ id: it.model.sent[1].id, ok: true, branch: null });
  await it.settle();
  assert.equal(it.model.sent.length, 2);
  assert.equal(it.us(), 0);
});
