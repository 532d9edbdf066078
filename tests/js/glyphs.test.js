import assert from "node:assert/strict";
import { test } from "node:test";
import { clockText, durationText, plainText, speedText, termClass, valueText } from "../../dslab/widgets/static/format.js";
import * as glyphs from "../../dslab/widgets/static/glyphs.js";
import { assembleTrace, decodeChunk } from "../../dslab/widgets/static/trace.js";
import { electionRun, modelState, partitionRun } from "./fixture.js";

function traceOf(run) {
  const { spec, branches, chunks } = modelState(run);
  return assembleTrace(branches, { A: decodeChunk(chunks.A) }, "A", spec);
}

const at = (trace, us) => trace.frameAt(trace.eventAt(us), us);
const view = (trace, frame, id) => glyphs.nodeView(frame.nodes.get(id), frame, trace, trace.spec);

test("a candidate's votes have four states", () => {
  const trace = traceOf(electionRun());
  const frame = at(trace, 1_421_000);
  const { votes, line, name, ring } = view(trace, frame, "n3");
  assert.deepEqual([...votes.values()], ["lost", "granted", "granted", "pending", "lost"]);
  assert.equal(ring, "candidate");
  assert.match(line, /^candidate, \d of 5 votes$/);
  assert.match(name, /^n3, candidate, term 4, \d of 5 votes$/);
});

test("followers say whom they voted for only while that server stands", () => {
  const trace = traceOf(electionRun());
  assert.equal(view(trace, at(trace, 1_412_500), "n2").line, "voted for n3");
  assert.equal(view(trace, at(trace, 1_412_500), "n5").line, "follower");
  assert.equal(view(trace, at(trace, 1_600_000), "n2").line, "follower");
});

test("a crashed server has no ring, timer or badge, and says since when", () => {
  const trace = traceOf(electionRun());
  const down = view(trace, at(trace, 1_412_500), "n1");
  assert.deepEqual([down.status, down.ring, down.timer, down.badge], ["crashed", null, null, null]);
  assert.equal(down.line, "crashed at 1.180");
  assert.equal(down.name, "n1, crashed, term 3");
});

test("a leader that reaches no quorum is cut off, and groups have letters", () => {
  const trace = traceOf(partitionRun());
  const frame = at(trace, 500_000);
  assert.equal(view(trace, frame, "n1").line, "leader, cut off");
  assert.equal(view(trace, frame, "n3").line, "leader");
  assert.deepEqual(["n1", "n2", "n3"].map((id) => view(trace, frame, id).group), ["A", "A", "B"]);
});

test("quorums", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 7].map(glyphs.quorumOf), [1, 2, 2, 3, 3, 4]);
});

test("a timer's arc is what remains of its maximum", () => {
  const timer = { set: 0, due: 200_000, min: 150_000, max: 300_000 };
  assert.equal(glyphs.timerFraction(timer, 50_000), 0.5);
  assert.equal(glyphs.timerFraction(timer, 999_999), 0);
  assert.equal(glyphs.shownTimer({ timers: { heartbeat: { due: 1, min: 5, max: 5 }, election: timer } }).name, "election");
});

test("a tail is never longer than the way flown", () => {
  assert.equal(glyphs.tailPath("request", 3), "");
  assert.equal(glyphs.tailPath("request", 20), "M-20 0L-5 -4V4z");
  assert.equal(glyphs.tailPath("request", 500), "M-35 0L-5 -4V4z");
});

test("words", () => {
  assert.equal(clockText(1_428_999), "1.428");
  assert.deepEqual([durationText(7000), durationText(250), durationText(1_200_000)], ["7 ms", "250 µs", "1.2 s"]);
  assert.deepEqual([0.001, 0.02, 0.5, 1, 20].map(speedText), ["1/1000×", "1/50×", "1/2×", "1×", "20×"]);
  assert.equal(plainText("n1 leads term {term:4} after `x=8`"), "n1 leads term 4 after x=8");
  assert.deepEqual([1, 6, 7, 0, null].map(termClass), ["ds-term-1", "ds-term-6", "ds-term-1", "ds-term-0", "ds-term-0"]);
  assert.equal(valueText({ "@": "Entry", term: 2, command: "x=1" }), "Entry(term=2, command=x=1)");
});
