import assert from "node:assert/strict";
import { test } from "node:test";
import { causalPath, coneOf, countUpTo, cutAt, judgeCut, laneEvents, lamportTimes, relation, vectorTime } from "../../dslab/widgets/static/causality.js";
import {
  beadsWithin, eventText, hiddenParts, intervalIndex, laneSpans, leavesAlone, naturalScale, searchEvents, spaceLayout, spaceTicks, transitiveEdges,
} from "../../dslab/widgets/static/spacelayout.js";
import { branchDiff, commonEvents, diffWords, linkedEvent, stateDiff } from "../../dslab/widgets/static/spacecompare.js";
import { assembleTrace, createTrace, decodeChunk, directCauses, laneOf } from "../../dslab/widgets/static/trace.js";
import { eventWords } from "../../dslab/widgets/static/events.js";
import { busyRun, electionRun, modelState, partitionRun } from "./fixture.js";

const traceOf = (run) => assembleTrace([{ id: "A", parent: null }], { A: decodeChunk(run.chunk()) }, "A", modelState(run).spec);

/** Numbers from 0 to 1, always the same. */
function dice(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

const shownAll = (trace) => hiddenParts(trace);
const laneIds = (trace) => [...laneEvents(trace).events.values()].flat();

test("the index of intervals finds what looking at all of them finds", () => {
  const roll = dice(7);
  const starts = Array.from({ length: 5000 }, () => roll() * 10000);
  const ends = starts.map((start, i) => start + roll() * (i % 97 === 0 ? 4000 : 30));
  const ids = starts.map((_, i) => i).filter((i) => i % 5);
  const index = intervalIndex(ids, starts, ends);
  assert.equal(index.size, ids.length);
  for (let i = 0; i < 200; i++) {
    const low = roll() * 11000 - 500;
    const high = low + roll() * 300;
    const expected = ids.filter((id) => starts[id] <= high && ends[id] >= low);
    assert.deepEqual(index.within(low, high).sort((a, b) => a - b), expected);
  }
  assert.deepEqual(intervalIndex([], [], []).within(0, 1), []);
});

test("in virtual time places are times; in logical time every arrow goes a step and none is skipped", () => {
  const trace = traceOf(electionRun());
  const time = spaceLayout(trace, { axis: "time", scale: 0.002, hidden: shownAll(trace) });
  assert.ok(laneIds(trace).every((i) => time.at[i] === trace.time(i) * 0.002));
  const ranked = spaceLayout(trace, { axis: "rank", scale: 10, hidden: shownAll(trace) });
  for (let k = 0; k < trace.messages.count; k++) if (trace.messages.sentEvent(k) >= 0) assert.ok(ranked.to[k] - ranked.from[k] >= 10, `message ${k}`);
  for (const ids of laneEvents(trace).events.values()) ids.slice(1).forEach((i, at) => assert.ok(ranked.at[i] > ranked.at[ids[at]]));
  const rows = [...new Set(laneIds(trace).map((i) => ranked.at[i] / 10))].sort((a, b) => a - b);
  assert.equal(rows.at(-1) - rows[0], rows.length - 1);
  assert.deepEqual(ranked.messages.within(-Infinity, Infinity).length, trace.messages.count);
});

test("folding hides only what changed nothing, and every lane's events are shown or in a bead", () => {
  const trace = traceOf(electionRun());
  for (const fold of [{ heartbeats: true }, { runs: true }, { heartbeats: true, runs: true }]) {
    const hidden = hiddenParts(trace, fold);
    const folded = hidden.beads.flatMap(({ events }) => events);
    const hiddenIds = laneIds(trace).filter((i) => hidden.events[i]);
    assert.deepEqual([...folded].sort((a, b) => a - b), hiddenIds.sort((a, b) => a - b));
    assert.equal(hiddenIds.length > 0, Boolean(fold.heartbeats));
    for (const i of folded) assert.ok(!trace.says(i) && trace.patch(i).every(([name]) => name[0] === "@"), eventWords(trace, i));
    for (let k = 0; k < trace.messages.count; k++) {
      const end = trace.messages.endEvent(k);
      if (hidden.messages[k] && end !== null) assert.ok(trace.patch(end).every(([name]) => name[0] === "@"));
    }
  }
  const hidden = hiddenParts(trace, { heartbeats: true });
  const tight = spaceLayout(trace, { axis: "rank", scale: 10, hidden });
  assert.ok(tight.length < spaceLayout(trace, { axis: "rank", scale: 10, hidden: shownAll(trace) }).length);
});

test("local steps become a bead from two on; one that tells something stays", () => {
  const columns = { kind: ["timer", "timer", "deliver", "write", "timer", "write"], node: ["n1", "n1", "n1", "n1", "n1", "n1"] };
  const same = (value) => columns.kind.map(() => value);
  const events = { ...columns, time: [1, 2, 3, 4, 5, 6], cause: same(null), message: [null, null, 0, null, null, null], detail: same(null), patch: same(null), says: same(null) };
  events.patch[4] = [["term", 2]];
  const messages = { from: ["n2"], to: ["n1"], type: ["Ping"], sentEvent: [-1], dueUs: [3], endEvent: [2], fate: ["delivered"], klass: ["request"], term: [0], payload: [null], gloss: [null] };
  const trace = createTrace(events, messages, { servers: ["n1", "n2"], clients: [] });
  const { events: mask, beads } = hiddenParts(trace, { runs: true });
  assert.deepEqual([...mask], [1, 1, 0, 0, 0, 0]);
  assert.deepEqual(beads, [{ lane: "n1", events: [0, 1] }]);
});

test("one node's conversation is its messages, its events and the other ends", () => {
  const trace = traceOf(electionRun());
  const hidden = hiddenParts(trace, { only: "n2" });
  for (let k = 0; k < trace.messages.count; k++) {
    assert.equal(hidden.messages[k] === 0, [trace.messages.from(k), trace.messages.to(k)].includes("n2"));
  }
  for (const i of laneIds(trace)) if (laneOf(trace.events, i) === "n2") assert.equal(hidden.events[i], 0);
});

test("beads stand where their events are: groups within a bead's room, only those in view", () => {
  const places = [0, 5, 11, 100, 101, 300, 305, 900];
  const at = (i) => places[i];
  const ids = places.map((_, i) => i);
  assert.deepEqual(beadsWithin(ids, at, -10, 1000, 20).map(({ from, to }) => [from, to]), [[0, 3], [3, 5], [5, 7], [7, 8]]);
  assert.deepEqual(beadsWithin(ids, at, 90, 310, 20).map(({ from, to }) => [from, to]), [[3, 5], [5, 7]]);
  assert.deepEqual(beadsWithin(ids, at, 400, 500, 20), []);
});

/** Events before each event, along lanes, causes and sendings, and `edges`; only through lanes that are not in `without`. */
function orderOf(trace, without = new Set(), edges = []) {
  const before = [];
  const last = new Map();
  const direct = edges.map(({ send, receive }) => [send, receive]);
  for (let i = 0; i < trace.n; i++) {
    const lane = laneOf(trace.events, i);
    const causes = [...directCauses(trace.events, trace.messageColumns, i), last.get(lane), ...direct.filter(([, to]) => to === i).map(([from]) => from)]
      .filter((j) => j !== undefined && !without.has(laneOf(trace.events, j)));
    before.push(new Set(causes.flatMap((j) => [j, ...before[j]])));
    if (lane !== null) last.set(lane, i);
    if (without.has(lane)) before[i].clear();
  }
  return before;
}

test("with the dashed edges the visible events keep exactly their order", () => {
  for (const run of [electionRun(), partitionRun(), electionRun(3)]) {
    const trace = traceOf(run);
    const whole = orderOf(trace);
    for (const lanes of [new Set(["n1"]), new Set(["n3"]), new Set(["n1", "n2"])]) {
      const edges = transitiveEdges(trace, lanes);
      assert.ok(edges.every(({ from, to }) => !lanes.has(from) && !lanes.has(to)));
      const seen = orderOf(trace, lanes, edges);
      for (const i of laneIds(trace)) {
        if (lanes.has(laneOf(trace.events, i))) continue;
        const expected = [...whole[i]].filter((j) => laneOf(trace.events, j) !== null && !lanes.has(laneOf(trace.events, j))).sort((a, b) => a - b);
        const found = [...seen[i]].filter((j) => laneOf(trace.events, j) !== null).sort((a, b) => a - b);
        assert.deepEqual(found, expected, `${[...lanes]} at ${i}`);
      }
    }
  }
});

test("a cut through any moment is consistent; a random cut is judged as by looking at every message", () => {
  const trace = traceOf(electionRun());
  const lanes = [...laneEvents(trace).events.keys()];
  const { events } = laneEvents(trace);
  for (let i = 0; i < trace.n; i += 9) assert.ok(judgeCut(trace, cutAt(trace, lanes, i)).consistent, `at ${i}`);
  const roll = dice(3);
  let broken = 0;
  for (let n = 0; n < 150; n++) {
    const cut = new Map(lanes.map((lane) => [lane, Math.floor(roll() * (events.get(lane).length + 1))]));
    const inside = new Set(lanes.flatMap((lane) => events.get(lane).slice(0, cut.get(lane))));
    const judged = judgeCut(trace, cut);
    const expected = { orphans: [], channels: [] };
    const latest = Math.max(-1, ...inside);
    for (let k = 0; k < trace.messages.count; k++) {
      const [sent, end] = [trace.messages.sentEvent(k), trace.messages.endEvent(k)];
      const arrived = end !== null && trace.kind(end) === "deliver";
      if (arrived && inside.has(end) && !inside.has(sent)) expected.orphans.push(k);
      const gone = end !== null && (arrived ? inside.has(end) : end <= latest);
      if (inside.has(sent) && !gone) expected.channels.push(k);
    }
    assert.deepEqual([judged.orphans, judged.channels], [expected.orphans, expected.channels]);
    assert.equal(judged.consistent, expected.orphans.length === 0);
    if (judged.orphans.length) broken += 1;
    // A cut is consistent exactly when it is closed under happened-before.
    const closed = [...inside].every((i) => [...trace.past(i)].every((j) => laneOf(trace.events, j) === null || inside.has(j)));
    assert.equal(judged.consistent, closed);
  }
  assert.ok(broken > 50);
});

test("cones, stamps and paths fit together", () => {
  const trace = traceOf(electionRun());
  for (let i = 3; i < trace.n; i += 31) {
    const cone = coneOf(trace, i);
    assert.equal(cone.past.size + cone.future.size + cone.concurrent + 1, trace.n);
    assert.deepEqual(cone.vector, vectorTime(trace, i));
    assert.equal(cone.lamport, lamportTimes(trace)[i]);
    for (const [j, how] of [[[...cone.past][0], "after"], [[...cone.future].at(-1), "before"]]) {
      if (j === undefined) continue;
      assert.equal(relation(trace, i, j), how);
      assert.ok(how === "after" ? causalPath(trace, j, i).includes(i) : causalPath(trace, i, j).includes(j));
      assert.equal(how === "after" ? causalPath(trace, i, j) : causalPath(trace, j, i), null);
    }
  }
  assert.equal(relation(trace, 5, 5), "same");
  assert.deepEqual([countUpTo([2, 4, 6], 1), countUpTo([2, 4, 6], 4), countUpTo([], 4)], [0, 2, 0]);
});

test("lanes are coloured while somebody leads or stands, and open while somebody is down", () => {
  const spans = laneSpans(traceOf(electionRun()));
  const of = (kind) => spans.filter((span) => span.kind === kind).map(({ lane, term }) => `${lane} ${term}`);
  assert.deepEqual(of("leads"), ["n1 1", "n1 2", "n1 3", "n3 4"]);
  assert.ok(of("stands").includes("n3 4"));
  const [down] = spans.filter(({ kind }) => kind === "down");
  assert.deepEqual([down.lane, down.to !== null], ["n1", true]);
});

test("marks of messages that leave together stand at the receivers", () => {
  const trace = traceOf(electionRun());
  const alone = leavesAlone(trace);
  const sends = new Map();
  for (let k = 0; k < trace.messages.count; k++) sends.set(trace.messages.sentEvent(k), (sends.get(trace.messages.sentEvent(k)) ?? 0) + 1);
  for (let k = 0; k < trace.messages.count; k++) assert.equal(alone[k] === 1, sends.get(trace.messages.sentEvent(k)) === 1);
});

test("search finds by words, type, field and value", () => {
  const trace = traceOf(electionRun());
  const find = (words) => searchEvents(trace, words, (i) => eventText(trace, i, eventWords(trace, i)));
  assert.ok(find("crash").some((i) => trace.kind(i) === "crash"));
  const votes = find("vote term=4");
  assert.ok(votes.length > 3 && votes.every((i) => eventText(trace, i, eventWords(trace, i)).includes("term=4")));
  assert.deepEqual(find("  "), []);
  assert.deepEqual(find("no such thing"), []);
});

test("labels along time are round and far enough apart", () => {
  for (const scale of [0.0001, 0.003, 0.5]) {
    const { ticks } = spaceTicks(0, 400, scale, 56);
    for (let i = 1; i < ticks.length; i++) assert.ok((ticks[i] - ticks[i - 1]) * scale >= 55.9);
    assert.ok(ticks.every((us) => us * scale <= 400));
  }
  assert.ok(naturalScale(traceOf(electionRun())) > 0);
});

test("two branches: the shared part once, partners in order, and what only one of them has", () => {
  const mine = traceOf(electionRun());
  assert.deepEqual(branchDiff(mine, traceOf(electionRun())).prefix, mine.n);
  assert.match(diffWords(mine, traceOf(electionRun()), { prefix: mine.n }, "A", "B").title, /equal/);
  const other = traceOf(partitionRun());
  const longer = electionRun();
  longer.crash(2100000, "n2");
  const theirs = traceOf(longer);
  const diff = branchDiff(mine, theirs);
  assert.equal(diff.prefix, mine.n);
  assert.equal(diff.onlyMine.size, 0);
  assert.deepEqual([...diff.onlyOther].map((i) => theirs.kind(i)), ["crash"]);
  assert.match(diffWords(mine, theirs, diff, "A", "B").text, /A has no further event; in B, n2 crashed/);
  const apart = branchDiff(mine, other);
  assert.equal(apart.prefix, commonEvents(mine, other));
  const partners = [...apart.partner];
  assert.ok(partners.every(([i, j]) => mine.kind(i) === other.kind(j) && mine.node(i) === other.node(j)));
  assert.equal(new Set(partners.map(([, j]) => j)).size, partners.length);
  assert.equal(linkedEvent(apart, apart.prefix - 1), apart.prefix - 1);
  if (partners.length) assert.equal(linkedEvent(apart, partners[0][0]), partners[0][1]);
  const at = (trace) => trace.frameAt(trace.n - 1);
  assert.match(stateDiff(at(mine), at(theirs), "A", "B"), /n2 is up in A, crashed in B/);
  assert.match(stateDiff(at(mine), at(mine), "A", "B"), /same state/);
});

test("only what is in view is looked at, however long the run", () => {
  const trace = traceOf(busyRun(5, 0, 30_000));
  const layout = spaceLayout(trace, { axis: "time", scale: 0.003, hidden: shownAll(trace) });
  const found = layout.messages.within(40_000, 40_300);
  assert.ok(found.length > 0 && found.length < 200);
});
