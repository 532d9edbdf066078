// The insets: which ballot chose, who still may accept, which slots conflict, how far a request is at each replica.
import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { ballotHistory, ballotModel, ballotOrder, ballotSentence, insetsOf, phaseModel, slotModel } from "../../dslab/widgets/static/insetdata.js";
import { createBallotsView, createPhasesView } from "../../dslab/widgets/static/insets.js";
import { ballotOf, eraOf, nodeView, starPath } from "../../dslab/widgets/static/glyphs.js";
import { buildTrace, fakeContext } from "./panels-fixture.js";

const { document } = new JSDOM("<!doctype html><body></body>").window;
const specOf = (fields) => ({ servers: Object.keys(fields), clients: [], fields, properties: [], verbs: [] });
const PAXOS = ["promised", "accepted_ballot", "accepted_value", "ballot", "phase", "value", "promises", "accepts", "chosen"];

/** A trace of states: [node, {field: value}], one event each. */
function traceOf(spec, states) {
  return buildTrace(states.map(([node, fields], i) => ({ at: i, kind: i < spec.servers.length ? "start" : "deliver", node, patch: Object.entries(fields) })), spec);
}

const three = specOf({ n1: PAXOS, n2: PAXOS, n3: PAXOS });
const idle = { promised: null, accepted_ballot: null, accepted_value: null, ballot: null, phase: "idle", value: null, promises: {}, accepts: [], chosen: null };
const begin = three.servers.map((id) => [id, idle]);
const promise = (node, ballot) => [node, { promised: ballot }];
const accept = (node, ballot, value) => [node, { promised: ballot, accepted_ballot: ballot, accepted_value: value }];

function view(create, spec, trace, event = trace.n - 1) {
  const ctx = fakeContext(document);
  Object.assign(ctx, { spec, seek: (target) => ctx.sought.push(target), sought: [] });
  Object.assign(ctx.store, { trace, selection: null, layout: "wide", branch: { id: "A", verdicts: [] } });
  const made = create(ctx);
  document.body.replaceChildren(made.el);
  made.update(trace.frameAt(event));
  return { ctx, ...made, text: (selector) => [...made.el.querySelectorAll(selector)].map((item) => item.textContent.trim()) };
}

test("a ballot is a number, or a number and whose it is, in the order of Python's tuples", () => {
  assert.deepEqual([3, [3, "n1"], { "@": "Ballot", counter: 3, node: "n1" }].map((value) => ballotOf(value).text), ["3", "3 of n1", "3 of n1"]);
  for (const none of [null, undefined, "3", [], [null, "n1"], {}, true, 1.5]) assert.equal(ballotOf(none), null);
  const sorted = [[2, "n10"], [2, "n2"], [1, "n9"], [10, "n1"]].map(ballotOf).sort(ballotOrder).map(({ text }) => text);
  assert.deepEqual(sorted, ["1 of n9", "2 of n10", "2 of n2", "10 of n1"]);
  assert.deepEqual(eraOf({ ballot: [1, "n1"], promised: [4, "n2"] }), ["ballot", 4]);
  assert.deepEqual(eraOf({ view: 0, ballot: 3 }), ["view", 0]);
  assert.equal(eraOf({ ballot: null }), null);
});

test("insets are there for the fields that nodes show, whoever wrote the class", () => {
  assert.deepEqual(insetsOf(three), ["ballots"]);
  assert.deepEqual(insetsOf(specOf({ a: ["accepted_ballot"], b: ["role"] })), ["ballots"]);
  assert.deepEqual(insetsOf(specOf({ a: ["slots", "ballot"] })), ["ballots"]);
  assert.deepEqual(insetsOf(specOf({ a: ["slots", "view"] })), ["phases"]);
  assert.deepEqual(insetsOf(specOf({ a: ["role", "term", "log"] })), []);
  assert.deepEqual(insetsOf({ servers: ["a"] }), []);
});

test("a value is chosen by a majority in one ballot, at the event of the last vote, and stays so", () => {
  const b1 = [1, "n1"];
  const b2 = [2, "n2"];
  const trace = traceOf(three, [...begin, accept("n1", b1, "x"), promise("n2", b2), accept("n2", b2, "y"), accept("n3", b2, "y"), promise("n3", [3, "n1"]), accept("n3", [3, "n1"], "y")]);
  const at = (event) => ballotModel(trace, trace.frameAt(event), three);
  assert.deepEqual(at(3).ballots.map(({ value, count, chosen }) => [value, count, chosen]), [["x", 1, null]]);
  assert.deepEqual(at(5).chosen, []);
  assert.deepEqual(at(6).chosen.map(({ ballot, chosen }) => [ballot.text, chosen]), [["2 of n2", { value: "y", event: 6 }]]);
  assert.equal(at(8).chosen[0].ballot.text, "2 of n2", "accepting in a later ballot takes nothing back");
  const [first, second, third] = at(8).ballots;
  assert.deepEqual(first.marks.map(({ state }) => state), ["accepted", "closed", "closed"]);
  assert.equal(first.dead, true);
  assert.deepEqual(second.marks.map(({ state }) => state), ["open", "accepted", "accepted"]);
  assert.deepEqual(third.marks.map(({ state }) => state), ["open", "open", "accepted"]);
  assert.equal(third.dead, false);
  assert.match(ballotSentence(at(8)).text, /`y` is chosen: 2 of 3 accepted it in ballot 2 of n2/);
  assert.match(ballotSentence(at(3)).text, /at most 1 of 3 accepted one ballot, 2 must/);
});

test("against brute force: chosen are exactly the ballots that a majority accepted up to the event", () => {
  let seed = 7;
  const dice = (n) => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 30; round++) {
    const states = [...begin];
    for (let i = 0; i < 12; i++) states.push(accept(`n${1 + dice(3)}`, [1 + dice(3), "n1"], `v${dice(2)}`));
    const trace = traceOf(three, states);
    for (const event of [5, 9, trace.n - 1]) {
      const votes = new Map();
      for (const [node, { accepted_ballot: ballot, accepted_value: value }] of states.slice(3, event + 1)) {
        const key = `${ballot} ${value}`;
        votes.set(key, (votes.get(key) ?? new Set()).add(node));
      }
      const wanted = new Set([...votes].filter(([, nodes]) => nodes.size >= 2).map(([key]) => key.split(",")[0]));
      const found = ballotModel(trace, trace.frameAt(event), three).chosen.map(({ ballot }) => String(ballot.counter));
      assert.deepEqual(new Set(found), wanted);
    }
  }
});

test("two values chosen, or two learned, are said as what is wrong", () => {
  const trace = traceOf(three, [...begin, accept("n1", 1, "x"), accept("n2", 1, "x"), accept("n2", 2, "y"), accept("n3", 2, "y"), ["n1", { chosen: "x" }], ["n3", { chosen: "y" }]]);
  const said = (event) => ballotSentence(ballotModel(trace, trace.frameAt(event), three));
  assert.deepEqual(said(6), { wrong: true, text: "Two values were chosen: `x` and `y`." });
  const learners = traceOf(three, [...begin, ["n1", { chosen: "x" }], ["n3", { chosen: "y" }]]);
  assert.match(ballotSentence(ballotModel(learners, learners.frameAt(4), three)).text, /Learners disagree: n1 holds `x`, n3 holds `y`/);
});

test("ballots of a list that grows by changes of its items are found as well", () => {
  const trace = buildTrace([...begin.map(([node, fields]) => ({ at: 0, kind: "start", node, patch: Object.entries({ ...fields, promised: [1, "n1"] }) })),
    { at: 1, kind: "deliver", node: "n2", patch: [["promised", 0, 2, [2, "n3"]]] }], three);
  assert.deepEqual(ballotHistory(trace).map(({ ballot }) => ballot.text), ["1 of n1", "1 of n1", "1 of n1", "2 of n3"]);
});

test("a proposer is bound by the highest ballot among its promises", () => {
  const promises = { n1: [[1, "n1"], "x"], n2: [null, null], n3: [[2, "n3"], "y"] };
  const trace = traceOf(three, [...begin, ["n2", { ballot: [3, "n2"], phase: "prepare", promises }], ["n2", { phase: "accept", value: "y", accepts: ["n1"] }]]);
  const [item] = ballotModel(trace, trace.frameAt(3), three).proposers;
  assert.deepEqual([item.bound.from, item.bound.value, item.pips.map(({ state }) => state)], ["n3", "y", ["granted", "granted", "granted"]]);
  const [later] = ballotModel(trace, trace.frameAt(4), three).proposers;
  assert.deepEqual([later.bound, later.pips.map(({ state }) => state)], [null, ["granted", "pending", "pending"]]);
});

test("the table: a row per acceptor, a column per ballot, words for every mark, a way to the deciding event", () => {
  const trace = traceOf(three, [...begin, accept("n1", [1, "n1"], "x"), accept("n2", [1, "n1"], "x")]);
  const it = view(createBallotsView, three, trace);
  assert.deepEqual(it.text(".ds-acceptors thead th"), ["acceptor", "promised", "accepted", "ballot 1 of n1"]);
  assert.deepEqual(it.text(".ds-acceptors .ds-pip-cell"), ["accepted", "accepted", "may accept"]);
  assert.match(it.text(".ds-acceptors tfoot td")[1], /chosen by 2 of 3/);
  it.el.querySelector(".ds-go").click();
  assert.deepEqual(it.ctx.sought, [{ event: 4 }]);
  const rows = [...it.el.querySelectorAll(".ds-acceptors [data-row]")];
  assert.deepEqual(rows.map((row) => row.tabIndex), [0, -1, -1]);
  rows[0].focus();
  rows[0].dispatchEvent(new document.defaultView.KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true, cancelable: true }));
  assert.equal(document.activeElement, rows[1]);
  assert.ok(it.el.querySelector("caption") && it.el.querySelector("th[scope=row]"));
});

const MULTI = specOf({ n1: ["ballot", "slots"], n2: ["ballot", "slots"], n3: ["ballot", "slots"] });

test("slots: equal ballots and values are counted, a value that differs from the chosen one conflicts", () => {
  const slots = (value, chosen) => ({ 1: { ballot: [1, "n1"], value: "a", chosen: true }, 2: { ballot: [1, "n1"], value, chosen } });
  const trace = traceOf(MULTI, [["n1", { ballot: [1, "n1"], slots: slots("b", true) }], ["n2", { ballot: [1, "n1"], slots: slots("b", false) }], ["n3", { ballot: null, slots: slots("c", false) }]]);
  const model = slotModel(trace.frameAt(2), MULTI);
  assert.deepEqual(model.columns, [{ number: 1, count: 3, chosen: ["a"] }, { number: 2, count: 2, chosen: ["b"] }]);
  assert.deepEqual(model.rows.map((row) => row.slots.get(2).conflicting), [false, false, true]);
  const it = view(createBallotsView, MULTI, trace);
  assert.deepEqual(it.text(".ds-slots tfoot td"), ["3 of 3, a quorum", "2 of 3, a quorum"]);
  assert.match(it.text(".ds-slot-entry")[5], /c, ballot 1 of n1, not chosen, in conflict/);
});

const PBFT = specOf({ n1: ["view", "primary", "slots"], n2: ["view", "slots"], n3: ["view", "slots"], n4: ["view", "slots"] });
const slot = (digest, state, prepares = {}, commits = {}) => ({ digest, state, prepares, commits });

test("phases: k of 2f+1 per digest, the primary's pre-prepare stands for its prepare", () => {
  const trace = traceOf(PBFT, [
    ["n1", { view: 0, primary: "n1", low_mark: 0, high_mark: 10, slots: { 1: slot("aa", "executed"), 2: slot("aa", "pre-prepared", { n2: "aa" }) } }],
    ["n2", { view: 0, slots: { 2: slot("aa", "prepared", { n2: "aa", n3: "bb", n4: "aa" }, { n2: "aa" }) } }],
    ["n3", { view: 0, slots: { 2: slot("bb", "pre-prepared", { n3: "bb" }) } }], ["n4", { view: 1, slots: {} }]]);
  const model = phaseModel(trace.frameAt(3), PBFT);
  assert.deepEqual([model.n, model.faulty, model.need, model.number], [4, 1, 3, 2]);
  assert.deepEqual(model.sequences, [{ number: 1, rank: 4, by: 1 }, { number: 2, rank: 2, by: 1 }]);
  assert.deepEqual(model.rows[0].prepares.map(({ letter, voters }) => [letter, voters]), [["A", ["n1", "n2"]]]);
  assert.deepEqual(model.rows[1].prepares.map(({ letter, voters }) => [letter, voters]), [["A", ["n1", "n2", "n4"]], ["B", ["n3"]]]);
  assert.deepEqual(model.rows.map(({ primary, digest }) => [primary, digest?.letter ?? ""]), [[true, "A"], [false, "A"], [false, "B"], [false, ""]]);
  assert.equal(phaseModel(trace.frameAt(3), PBFT, 1).number, 1);
  assert.equal(phaseModel(trace.frameAt(3), PBFT, 99).number, 2, "a number that is gone falls back to the newest");
  const it = view(createPhasesView, PBFT, trace);
  assert.match(it.text(".ds-inset-note")[0], /told different things: A and B/);
  assert.deepEqual(it.text(".ds-strip [data-slot]"), ["1", "2"]);
  const chosen = it.el.querySelector(".ds-strip [aria-pressed=true]");
  chosen.focus();
  chosen.dispatchEvent(new document.defaultView.KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true, cancelable: true }));
  assert.equal(document.activeElement.dataset.slot, "1");
  assert.match(it.text("caption")[0], /Sequence number 1: 4 replicas, 1 may be faulty, 3 make a quorum/);
});

test("two digests committed for one number are said as what is wrong", () => {
  const trace = traceOf(PBFT, PBFT.servers.map((id, i) => [id, { view: 0, slots: { 1: slot(i < 2 ? "aa" : "bb", "committed") } }]));
  assert.match(view(createPhasesView, PBFT, trace).text(".ds-wrong")[0], /Two digests committed for number 1: A at n1, n2; B at n3, n4/);
});

test("worst states: odd fields and nothing at all are drawn without an error", () => {
  const odd = [{ slots: null }, { slots: [1, 2] }, { slots: { 1: null, x: 3 } }, { slots: { 1: { digest: 7, prepares: null, commits: [] } }, view: "high", primary: 3 }];
  const phases = traceOf(PBFT, PBFT.servers.map((id, i) => [id, odd[i]]));
  assert.doesNotThrow(() => view(createPhasesView, PBFT, phases));
  const strange = [{ promised: "no", accepted_ballot: {}, accepted_value: { a: [1] } }, { promised: [1], promises: ["n1"], ballot: 5, accepts: { n1: true }, phase: 3 }, { promised: -1, accepted_ballot: -1, accepted_value: null }];
  const ballots = traceOf(three, three.servers.map((id, i) => [id, strange[i]]));
  assert.doesNotThrow(() => view(createBallotsView, three, ballots));
  assert.doesNotThrow(() => view(createBallotsView, three, traceOf(three, begin), 0));
  const many = traceOf(three, [...begin, ...Array.from({ length: 40 }, (_, i) => promise("n1", [i + 1, "n1"]))]);
  assert.deepEqual(view(createBallotsView, three, many).text(".ds-acceptors caption"), ["Acceptors, 35 earlier ballots not shown"]);
});

test("nodes: a traitor is a star, a believed leader is named where nothing else is known", () => {
  const election = specOf({ n1: ["leader"], n2: ["leader"] });
  const trace = buildTrace([{ at: 0, kind: "start", node: "n1", patch: [["leader", "n2"]] }, { at: 0, kind: "start", node: "n2", patch: [["leader", "n2"]] },
    { at: 1, kind: "turn_traitor", node: "n1", detail: { node: "n1", behaviour: "silent" } }], election);
  const at = (event, id) => nodeView(trace.frameAt(event).nodes.get(id), trace.frameAt(event), trace, election);
  assert.deepEqual([at(1, "n1").line, at(1, "n2").line, at(1, "n2").ring], ["believes n2 leads", "believes it leads", "leader"]);
  assert.deepEqual([at(2, "n1").traitor, at(2, "n1").line], ["silent", "traitor: silent"]);
  assert.match(at(2, "n1").name, /^n1, traitor, silent/);
  assert.equal(starPath(26, 20).match(/[ML]/g).length, 16);
});
