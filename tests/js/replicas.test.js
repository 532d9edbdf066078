// Versions, quorums, siblings, hints, and the lattice of replicated data types, from the fields that nodes show.
import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { keysOf, quorumModel, quorumSentence, storesOf, versionOf, versionOrder } from "../../dslab/widgets/static/quorumdata.js";
import { createQuorumView } from "../../dslab/widgets/static/quorum.js";
import { mergeModel, mergeSentence, mergingOf, seenHistory } from "../../dslab/widgets/static/mergedata.js";
import { createMergeView } from "../../dslab/widgets/static/merge.js";
import { chainModel, chainSentence, createChainView } from "../../dslab/widgets/static/chain.js";
import { createPairView, pairModel, pairSentence } from "../../dslab/widgets/static/pair.js";
import { buildTrace, fakeContext } from "./panels-fixture.js";

const { document } = new JSDOM("<!doctype html><body></body>").window;
const specOf = (fields) => ({ servers: Object.keys(fields), clients: [], fields, properties: [], verbs: [] });
const STORE = ["versions", "reads", "writes", "hints", "siblings"];
const three = specOf({ n1: STORE, n2: STORE, n3: STORE });

function traceOf(spec, states) {
  return buildTrace(states.map(([node, fields, more], i) => ({ at: i, kind: i < spec.servers.length ? "start" : "deliver", node, patch: Object.entries(fields), ...more })), spec);
}
const at = (spec, states) => {
  const trace = traceOf(spec, states);
  return [trace, trace.frameAt(trace.n - 1), spec];
};

function view(create, spec, states) {
  const [trace, frame] = at(spec, states);
  const ctx = fakeContext(document);
  Object.assign(ctx, { spec, seek: () => {} });
  Object.assign(ctx.store, { trace, selection: null, layout: "wide", branch: { id: "A", verdicts: [] } });
  const made = create(ctx);
  document.body.replaceChildren(made.el);
  made.update(frame);
  return made;
}

const write = { key: "x", version: [2, "n1"], value: "2", asked: ["n1", "n2", "n3"], answers: {}, acks: ["n1", "n2"], need: 2, state: "done", repairs: [] };
const read = { key: "x", version: [2, "n1"], value: "2", asked: ["n1", "n2", "n3"], answers: { n2: [[2, "n1"], "2"], n3: [[1, "n1"], "1"] }, acks: [], need: 2, state: "done", repairs: ["n3"] };
const states = [
  ["n1", { versions: { x: [[2, "n1"], "2"] }, writes: {}, reads: {} }], ["n2", { versions: { x: [[2, "n1"], "2"] }, writes: {}, reads: {} }],
  ["n3", { versions: { x: [[1, "n1"], "1"] }, writes: {}, reads: {} }],
  ["n1", { writes: { "c1/2": write } }], ["n2", { reads: { "c2/1": read } }],
];

test("versions: pairs in order, vectors by what they have seen, neither before the other where neither has seen it", () => {
  const order = (a, b) => versionOrder(versionOf(a), versionOf(b));
  assert.deepEqual([order([1, "n2"], [2, "n1"]), order([2, "n2"], [2, "n1"]), order([2, "n1"], [2, "n1"]), order(3, 2)], [-1, 1, 0, 1]);
  assert.deepEqual([order({ n1: 1 }, { n1: 2 }), order({ n1: 1, n2: 1 }, { n1: 2 }), order({}, { n1: 1 }), order({ n1: 1, n2: 0 }, { n1: 1 })], [-1, null, -1, 0]);
  assert.equal(order({ n1: 1 }, [1, "n1"]), null);
  for (const none of [null, undefined, "2", [], ["a"], true]) assert.equal(versionOf(none), null);
  assert.equal(versionOf({ n2: 1, n1: 3 }).text, "n1:3 n2:1");
});

test("against brute force: a vector is before another exactly where no entry is larger and one is smaller", () => {
  let seed = 11;
  const dice = (n) => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 200; round++) {
    const [a, b] = [0, 1].map(() => ({ n1: dice(3), n2: dice(3), n3: dice(3) }));
    const names = ["n1", "n2", "n3"];
    const least = names.every((name) => a[name] <= b[name]);
    const most = names.every((name) => a[name] >= b[name]);
    assert.equal(versionOrder(versionOf(a), versionOf(b)), least && most ? 0 : least ? -1 : most ? 1 : null);
  }
});

test("the newest request gives the key; quorums meet where both were answered; who is behind is repaired", () => {
  const model = quorumModel(...at(three, states));
  assert.equal(model.key, "x");
  assert.deepEqual(model.replicas.map(({ held }) => held[0].newest), [true, true, false]);
  assert.deepEqual(model.shared, ["n2"]);
  const cells = model.read.cells.map(({ state, behind, repaired }) => [state, behind, repaired]);
  assert.deepEqual(cells, [["promised", false, false], ["accepted", false, false], ["accepted", true, true]]);
  assert.match(quorumSentence(model), /met at n2: the read heard of `2`/);
  assert.deepEqual(storesOf(specOf({ a: ["role"], b: ["hints"] })), ["b"]);
});

test("quorums that do not meet are told with their sizes, a request under way with what it still needs", () => {
  const apart = [...states.slice(0, 3), ["n1", { writes: { w: { ...write, acks: ["n1"], need: 1 } } }], ["n3", { reads: { r: { ...read, answers: { n3: [[1, "n1"], "1"] }, need: 1, repairs: [] } } }]];
  assert.match(quorumSentence(quorumModel(...at(three, apart))), /nobody who had stored the write\. 1 \+ 1 is not more than 3\./);
  const going = [...states.slice(0, 3), ["n1", { writes: { w: { ...write, acks: ["n1"], state: "going" } } }]];
  assert.match(quorumSentence(quorumModel(...at(three, going))), /The write waits: 1 of 2 have stored it/);
  const failed = [...states.slice(0, 3), ["n1", { writes: { w: { ...write, acks: ["n1"], state: "failed" } } }]];
  assert.match(quorumSentence(quorumModel(...at(three, failed))), /The write failed: 1 of 2 answered in time\. What is stored stays stored/);
  assert.equal(quorumSentence(quorumModel(...at(three, [["n1", {}], ["n2", {}], ["n3", {}]]))), "Nothing has been written or asked for yet.");
});

test("the table: newest solid, older dashed, the shared row shaded, an arrow to whom the read repairs, a line at the quorum", () => {
  const { el } = view(createQuorumView, three, states);
  assert.equal(el.querySelectorAll(".ds-version.is-newest").length, 2);
  assert.equal(el.querySelectorAll(".ds-version.is-older").length, 1);
  const rows = [...el.querySelectorAll("tbody tr")];
  assert.deepEqual(rows.map((row) => row.querySelectorAll(".is-shared").length), [0, 2, 0]);
  assert.equal(el.querySelector(".ds-repairs svg").getAttribute("aria-label"), "n2 repairs n3");
  assert.deepEqual([...el.querySelectorAll("tfoot b")].map((item) => item.textContent), ["quorum", "quorum"]);
  assert.equal(el.querySelectorAll(".is-threshold").length, 2);
  assert.match(rows[2].textContent, /answered 1 of n1, older, repaired by the read/);
});

test("siblings stand in halves, and a hint says for whom it is kept", () => {
  const split = [["n1", { siblings: { x: [[{ n1: 1 }, "a"], [{ n2: 1 }, "b"]] } }], ["n2", { siblings: { x: [[{ n1: 1 }, "a"]] } }], ["n3", { siblings: {}, hints: { n2: { x: [[1, "n1"], "a"] } } }]];
  const model = quorumModel(...at(three, split));
  assert.equal(model.split, true);
  assert.match(quorumSentence(model), /^Siblings/);
  const { el } = view(createQuorumView, three, split);
  assert.equal(el.querySelectorAll(".is-split .ds-version").length, 2);
  assert.match(el.querySelector(".ds-hint").textContent, /n2: a/);
});

test("fields that are not as agreed are left out, never a reason to fail", () => {
  const odd = [null, 3, "x", [], {}, { x: null }, { x: 3 }, { x: [] }, { x: [[]] }, { x: [null, null] }, { x: { y: 1 } }, { x: [[1, "n1"]] }, { x: { key: 3, asked: 4, answers: [], acks: "no", state: 7 } }, { x: { key: "x", answers: { n1: null, n2: 3 }, repairs: { n1: 1 } } }];
  for (const value of odd) {
    for (const name of STORE) {
      const all = [["n1", { [name]: value }], ["n2", {}], ["n3", {}], ["n2", { [name]: value }]];
      assert.ok(view(createQuorumView, three, all).el, `${name} ${JSON.stringify(value)}`);
      assert.ok(Array.isArray(keysOf(at(three, all)[1])));
    }
  }
});

// ---- merges

const MERGED = ["crdt", "state", "value", "seen"];
const four = specOf({ n1: MERGED, n2: MERGED, n3: MERGED, n4: MERGED });
const replica = (node, seen, value) => [node, { crdt: "g-set", state: value, value, seen }];

test("replicas that have seen the same are one state; above stands what includes it; the join is there even if nobody holds it", () => {
  const model = mergeModel(...at(four, [replica("n1", { n1: 2, n2: 1 }, ["a"]), replica("n2", { n1: 2, n2: 2 }, ["b"]), replica("n3", { n1: 1, n2: 1, n3: 1 }, ["c"]), replica("n4", { n1: 1, n2: 1, n3: 1 }, ["c"])]));
  const names = model.groups.map(({ members }) => members.map(({ id }) => id).join(" ") || "join");
  assert.deepEqual(names, ["n1", "n3 n4", "n2", "join"]);
  const covers = Object.fromEntries(model.groups.map((group, i) => [names[i], group.covers.map((j) => names[j])]));
  assert.deepEqual(covers, { n1: [], "n3 n4": [], n2: ["n1"], join: ["n3 n4", "n2"] });
  assert.deepEqual(model.groups.map(({ level }) => level), [0, 0, 1, 2]);
  assert.match(mergeSentence(model).text, /n3 and n2 have each seen an update that the other has not/);
});

test("the same updates and different values is what must never be", () => {
  const model = mergeModel(...at(four, [replica("n1", { n1: 1 }, ["a"]), replica("n2", { n1: 1 }, []), replica("n3", { n1: 1 }, ["a"]), replica("n4", {}, [])]));
  assert.equal(mergeSentence(model).wrong, true);
  assert.match(mergeSentence(model).text, /n1 and n2 have seen the same updates and differ: `\[a\]`, `\[\]`/);
  const { el } = view(createMergeView, four, [replica("n1", { n1: 1 }, ["a"]), replica("n2", { n1: 1 }, []), replica("n3", {}, []), replica("n4", {}, [])]);
  assert.ok(el.querySelector(".ds-card.is-torn") && el.querySelector(".ds-wrong"));
  assert.match(el.querySelector(".ds-lattice").getAttribute("aria-label"), /n1, n2 includes n3, n4/);
});

test("a class that does not count is followed by its messages: an update is one's own, a state brings all its sender had seen", () => {
  const plain = specOf({ n1: ["crdt", "state", "value"], n2: ["crdt", "state", "value"], n3: ["crdt", "state", "value"] });
  const states_ = [
    ...["n1", "n2", "n3"].map((node) => ({ at: 0, kind: "start", node, patch: [["crdt", "g-set"], ["state", []], ["value", []]] })),
    { at: 1, kind: "deliver", node: "n1", patch: [["state", ["a"]], ["value", ["a"]]], send: [{ to: "n2", type: "State", due: 3 }] },
    { at: 2, kind: "deliver", node: "n2", patch: [["state", ["b"]], ["value", ["b"]]] },
    { at: 3, kind: "deliver", node: "n2", cause: 3, message: 0, patch: [["state", ["a", "b"]], ["value", ["a", "b"]]], send: [{ to: "n3", type: "State", due: 4 }] },
    { at: 4, kind: "deliver", node: "n3", cause: 5, message: 1, patch: [["state", ["a", "b"]], ["value", ["a", "b"]]] },
  ];
  const trace = buildTrace(states_, plain);
  assert.deepEqual(seenHistory(trace, plain).at(-1), { event: 6, node: "n3", seen: { n1: 1, n2: 1 } });
  const model = mergeModel(trace, trace.frameAt(6), plain);
  assert.deepEqual(model.replicas.map(({ seen }) => seen), [{ n1: 1 }, { n1: 1, n2: 1 }, { n1: 1, n2: 1 }]);
  assert.match(mergeSentence(model).text, /n2, n3 have seen everything; n1 is behind/);
  assert.deepEqual(model.spread.heard.map(({ node }) => node), ["n2", "n3"]);
});

test("against brute force: the lattice has an edge exactly where one state includes another with none between", () => {
  let seed = 5;
  const dice = (n) => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 60; round++) {
    const all = four.servers.map((node) => replica(node, { n1: dice(3), n2: dice(3) }, [`${dice(2)}`]));
    const { groups } = mergeModel(...at(four, all));
    const less = (a, b) => a !== b && ["n1", "n2"].every((name) => (groups[a].seen[name] ?? 0) <= (groups[b].seen[name] ?? 0));
    groups.forEach((group, i) => {
      const expected = groups.map((_, j) => j).filter((j) => less(j, i) && !groups.some((_o, k) => less(j, k) && less(k, i)));
      assert.deepEqual(group.covers, expected);
      assert.ok(group.covers.every((j) => groups[j].level < group.level));
    });
  }
});

test("merging fields that are not as agreed are no reason to fail", () => {
  for (const value of [null, 3, "x", [], { n1: "2" }, { n1: 1.5 }, { n1: null }]) {
    for (const name of MERGED) assert.ok(view(createMergeView, four, four.servers.map((node) => [node, { crdt: "odd", [name]: value }])).el);
  }
  assert.deepEqual(mergingOf({}), []);
});

// ---- chains

test("a chain stands in its own order, what is known to be at the tail is solid, who is out of it comes last", () => {
  const fields = ["role", "number", "chain", "hist", "acknowledged"];
  const spec = specOf({ n1: fields, n2: fields, n3: fields });
  const chain = [["n3", 1], ["n1", 1]];
  const link = (node, role, hist, acknowledged) => [node, { role, number: 2, chain, hist, acknowledged }];
  const all = [link("n1", "tail", [["c1", 1, "x=1"]], 1), ["n2", { role: "middle", number: 1, chain: [["n2", 1]], hist: [], acknowledged: 0 }], link("n3", "head", [["c1", 1, "x=1"], ["c1", 2, "x=2"]], 1)];
  const model = chainModel(at(spec, all)[1], spec);
  assert.deepEqual(model.rows.map(({ id, role }) => [id, role]), [["n3", "head"], ["n1", "tail"], ["n2", "not in it"]]);
  assert.equal(chainSentence(model), "1 update is on the way down; only what n1 has may be answered.");
  const { el } = view(createChainView, spec, all);
  assert.deepEqual([...el.querySelectorAll("tbody tr")].map((row) => [row.querySelectorAll(".is-newest").length, row.querySelectorAll(".is-older").length]), [[1, 1], [1, 0], [0, 0]]);
  for (const odd of [null, 3, "x", [], {}, [null], [["n1"]], [[null, 1]]]) {
    for (const name of fields) assert.ok(view(createChainView, spec, all.map(([node, shown]) => [node, { ...shown, [name]: odd }])).el);
  }
});

// ---- primary and backup

test("primary and backup: the newest view counts, what both have run is solid, and an answer waits for the backup", () => {
  const [serves, decides] = [["role", "view", "run", "tag", "ready"], ["view", "at_work", "silent"]];
  const spec = specOf({ v: decides, n1: serves, n2: serves, n3: serves });
  const server = (node, role, view, run, ready, tag = [2, 1]) => [node, { role, view, run, tag, ready }];
  const all = [["v", { view: [2, "n1", "n2"], at_work: 2, silent: {} }], server("n1", "primary", [2, "n1", "n2"], 1, true), server("n2", "backup", [2, "n1", "n2"], 2, false), server("n3", "idle", [1, "n1", null], 0, false, [0, 0])];
  const said = (changed) => pairSentence(pairModel(at(spec, all.map((item) => changed[item[0]] ?? item))[1], spec));
  assert.equal(said({}), "View 2: n2 has run 1 operation of which n1 has not heard; then n1 answers.");
  assert.equal(said({ n1: server("n1", "primary", [2, "n1", "n2"], 2, true) }), "View 2: What n1 answers, n2 has run before.");
  assert.equal(said({ n1: server("n1", "primary", [2, "n1", "n2"], 2, false) }), "View 2: n2 does not have all that n1 has yet, so n1 answers nobody.");
  assert.equal(said({ v: ["v", { view: [3, "n2", null], at_work: 2, silent: {} }], n2: server("n2", "primary", [3, "n2", null], 2, true, [3, 1]) }), "View 3: n2 is primary and has no backup: nobody could take its place. n1 still takes itself for the primary of view 2.");
  assert.equal(said({ v: ["v", { view: [0, null, null], at_work: 0, silent: {} }], n1: server("n1", "idle", [0, null, null], 0, false), n2: server("n2", "idle", [0, null, null], 0, false), n3: server("n3", "idle", [0, null, null], 0, false) }), "Nobody is primary yet.");
  const { el } = view(createPairView, spec, all);
  const rows = [...el.querySelectorAll("tbody tr")].map((row) => [row.querySelector("[data-row]").dataset.row, row.querySelectorAll(".is-newest").length, row.querySelectorAll(".is-older").length]);
  assert.deepEqual(rows, [["v", 1, 0], ["n1", 2, 0], ["n2", 2, 1], ["n3", 0, 1]]);
  for (const odd of [null, 3, "x", [], {}, [null], [["n1"]], [1, null], [1.5, "n1", "n2"]]) {
    for (const name of new Set([...serves, ...decides])) assert.ok(view(createPairView, spec, all.map(([node, shown]) => [node, { ...shown, [name]: odd }])).el);
  }
});
