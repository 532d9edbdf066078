import assert from "node:assert/strict";
import { test } from "node:test";
import { createFrameGuard, mergeParallel } from "../../dslab/widgets/static/guard.js";

test("a second of slow frames costs one step, fast ones none, and another size starts again", () => {
  const levels = [];
  const guard = createFrameGuard((level) => levels.push(level));
  const second = (ms) => { for (let t = 0; t < 1000; t += ms) guard.note(ms); };
  second(16);
  assert.deepEqual(levels, []);
  for (let i = 0; i < 5; i++) second(40);
  assert.deepEqual(levels, [1, 2, 3], "there is nothing to give up after the third");
  guard.reset();
  second(16);
  assert.deepEqual(levels, [1, 2, 3, 0]);
});

test("parallel messages of one class become the foremost of them, with their number", () => {
  const way = { x1: 0, y1: 0, x2: 9, y2: 0 };
  const merged = mergeParallel([{ way, klass: "request", fraction: 0.2 }, { way, klass: "request", fraction: 0.7 }, { way, klass: "heartbeat", fraction: 0.1 }]);
  assert.deepEqual(merged.map(({ klass, fraction, count }) => [klass, fraction, count]), [["request", 0.7, 2], ["heartbeat", 0.1, 1]]);
});
