import assert from "node:assert/strict";
import { test } from "node:test";
import { assembleTrace, decodeChunk, knotFraction, messageKnots, wholeGroups } from "../../dslab/widgets/static/trace.js";
import { Run, busyRun, electionRun, modelState, partitionRun } from "./fixture.js";

function traceOf(run) {
  const { spec, branches, chunks } = modelState(run);
  return assembleTrace(branches, { A: decodeChunk(chunks.A) }, "A", spec);
}

/** Fields, status and timers after every event, by the plainest code. */
function naiveStates(run) {
  const nodes = Object.fromEntries([...run.servers, ...run.clients].map((id) => [id, { status: "up", fields: {}, timers: {} }]));
  const flying = new Set();
  return run.events.map((event, i) => {
    run.messages.forEach((message, k) => {
      if (message.sent === i) flying.add(k);
      if (message.end === i) flying.delete(k);
    });
    const node = nodes[event.node];
    if (event.kind === "crash") Object.assign(node, { status: "crashed", timers: {} });
    if (event.kind === "restart") node.status = "up";
    for (const [name, ...change] of event.patch) {
      if (name[0] === "@") {
        if (change[0]) node.timers[name.slice(1)] = change[0];
        else delete node.timers[name.slice(1)];
      } else if (change.length === 1) [node.fields[name]] = change;
      else {
        node.fields[name] = (node.fields[name] ?? []).slice();
        node.fields[name].splice(change[0], change[1], ...change[2]);
      }
    }
    return JSON.stringify([nodes, [...flying].sort((a, b) => a - b)]);
  });
}

function framed(frame) {
  const nodes = Object.fromEntries([...frame.nodes].map(([id, { status, fields, timers }]) => [id, {
    status, fields, timers: Object.fromEntries(Object.entries(timers).map(([name, t]) => [name, [t.set, t.due, t.min, t.max]])),
  }]));
  return JSON.stringify([nodes, [...frame.flying].sort((a, b) => a - b)]);
}

for (const [name, run] of [["an election", electionRun()], ["a partition", partitionRun()], ["a long run", busyRun(3, 0, 1500)]]) {
  test(`${name}: folding forward, backward and at random equals a plain fold at every event`, () => {
    const trace = traceOf(run);
    const wanted = naiveStates(run);
    for (let i = 0; i < trace.n; i++) assert.equal(framed(trace.frameAt(i)), wanted[i], `forward at ${i}`);
    for (let i = trace.n - 1; i >= 0; i--) assert.equal(framed(trace.frameAt(i)), wanted[i], `backward at ${i}`);
    for (let k = 0; k < trace.n; k++) {
      const i = (k * 7919) % trace.n;
      assert.equal(framed(trace.frameAt(i)), wanted[i], `jump to ${i}`);
    }
  });
}

test("a frame names what its event changed, and what was there before", () => {
  const run = electionRun();
  const trace = traceOf(run);
  const started = run.events.findIndex((event) => event.patch.some(([name, value]) => name === "role" && value === "candidate"));
  const node = trace.frameAt(started).nodes.get("n1");
  assert.ok(node.changed.includes("role"));
  assert.equal(node.before.role, "leader");
});

test("eventAt gives the last event at or before a time", () => {
  const trace = traceOf(electionRun());
  for (let us = 0; us <= trace.endUs; us += 9973) {
    const i = trace.eventAt(us);
    assert.ok(trace.time(i) <= us);
    assert.ok(i + 1 === trace.n || trace.time(i + 1) > us);
  }
  assert.equal(trace.eventAt(-1), -1);
});

test("a message is in flight from its sending to just before its end", () => {
  const run = electionRun();
  const trace = traceOf(run);
  const k = 3;
  assert.ok(!trace.frameAt(trace.messages.sentEvent(k) - 1).flying.includes(k));
  assert.ok(trace.frameAt(trace.messages.sentEvent(k)).flying.includes(k));
  assert.ok(trace.frameAt(trace.messages.endEvent(k) - 1).flying.includes(k));
  assert.ok(!trace.frameAt(trace.messages.endEvent(k)).flying.includes(k));
});

test("the headline is the last thing said at or before the cursor", () => {
  const run = electionRun();
  const trace = traceOf(run);
  for (let i = 0; i < trace.n; i++) {
    let wanted = i;
    while (wanted >= 0 && !run.events[wanted].says) wanted--;
    assert.equal(trace.saidAt(i), wanted);
  }
});

test("a child branch shares its parent's prefix and overrides how its messages end", () => {
  const parent = electionRun();
  const fork = 60;
  const child = electionRun();
  child.events.splice(fork);
  const shared = child.messages.findIndex((message) => message.sent >= fork);
  child.messages.splice(shared);
  const open = child.messages.findIndex((message) => message.end === null || message.end >= fork);
  child.event(child.events.at(-1).us + 5, "crash", "n2");
  const { spec, branches, chunks } = modelState(parent);
  const own = decodeChunk(child.chunk(fork, shared));
  own.over = { [open]: [777, fork + 1, "dropped"] };
  const trace = assembleTrace([...branches, { id: "B", parent: "A", fork_event: fork }], { A: decodeChunk(chunks.A), B: own }, "B", spec);
  assert.equal(trace.n, fork + 1);
  assert.equal(trace.messages.count, shared);
  assert.equal(trace.time(fork - 1), parent.events[fork - 1].us);
  assert.equal(trace.messages.dueUs(open), 777);
  assert.equal(trace.messages.fate(open), "dropped");
  assert.equal(trace.frameAt(fork).nodes.get("n2").status, "crashed");
});

test("a partition cuts between groups, single cuts stay under it, heal clears both", () => {
  const run = new Run(3);
  run.begin();
  run.event(10, "cut", null, { detail: { source: "n1", target: "n2" } });
  run.event(20, "partition", null, { detail: { groups: [["n1"], ["n2"]], in_flight: "lost" } });
  run.event(30, "partition", null, { detail: { ignored: "no" } });
  run.event(40, "mend", null, { detail: { source: "n1", target: "n2" } });
  run.event(50, "heal", null);
  const trace = traceOf(run);
  assert.deepEqual([...trace.frameAt(3).cut], ["n1>n2"]);
  assert.equal(trace.frameAt(4).cut.size, 6);
  assert.equal(trace.frameAt(6).cut.size, 6);
  assert.equal(trace.frameAt(7).cut.size, 0);
  assert.deepEqual(wholeGroups([["n1"]], { servers: ["n1", "n2"] }), [["n1"], ["n2"]]);
});

test("a message is half-way at half time; held it stands, delayed it slows, released it goes on", () => {
  const plain = messageKnots(1000, 2000, []);
  assert.equal(knotFraction(plain[0], 1500), 0.5);
  assert.equal(knotFraction(plain[0], 3000), 1);
  // Sent at 1000 to arrive at 2000; held at 1250, released at 5000 with 750 left.
  const held = messageKnots(1000, 5750, [{ event: 1, us: 1250, kind: "hold", by: 0 }, { event: 2, us: 5000, kind: "release", by: 0 }]);
  assert.equal(knotFraction(held[0], 1250), 0.25);
  assert.equal(knotFraction(held[1], 4000), 0.25);
  assert.equal(knotFraction(held[2], 5375), 0.625);
  const delayed = messageKnots(1000, 2400, [{ event: 1, us: 1500, kind: "delay", by: 400 }]);
  assert.equal(knotFraction(delayed[0], 1500), 0.5);
  assert.equal(delayed[1].delayUs, 400);
  assert.equal(knotFraction(delayed[1], 1950), 0.75);
});

test("causal past and future equal reachability", () => {
  const run = electionRun();
  const trace = traceOf(run);
  const before = Array.from({ length: trace.n }, () => new Set());
  const lastAt = new Map();
  for (let i = 0; i < trace.n; i++) {
    const direct = [];
    if (trace.cause(i) !== null) direct.push(trace.cause(i));
    if (trace.message(i) !== null) direct.push(trace.messages.sentEvent(trace.message(i)));
    const atNode = trace.kind(i) !== "drop" && trace.node(i) !== null;   // nobody learns of a loss
    if (atNode && lastAt.has(trace.node(i))) direct.push(lastAt.get(trace.node(i)));
    if (atNode) lastAt.set(trace.node(i), i);
    for (const j of direct) for (const x of [j, ...before[j]]) before[i].add(x);
  }
  const sorted = (set) => [...set].sort((a, b) => a - b);
  for (let i = 0; i < trace.n; i += 3) {
    assert.deepEqual(sorted(trace.past(i)), sorted(before[i]), `past of ${i}`);
    const after = before.flatMap((set, j) => (set.has(i) ? [j] : []));
    assert.deepEqual(sorted(trace.future(i)), after, `future of ${i}`);
  }
});

test("a seek among 50,000 events folds at most one keyframe's worth", () => {
  const trace = traceOf(busyRun(5, 0, 50_000));
  while (!trace.warm(1000, () => performance.now()));
  trace.frameAt(1);
  const times = Array.from({ length: 60 }, (_, i) => {
    const started = performance.now();
    trace.frameAt((i * 104_729) % trace.n);
    return performance.now() - started;
  }).sort((a, b) => a - b);
  assert.ok(times[30] < 16, `median seek ${times[30].toFixed(2)} ms`);
});
