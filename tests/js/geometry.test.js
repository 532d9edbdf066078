import assert from "node:assert/strict";
import { test } from "node:test";
import * as g from "../../dslab/widgets/static/geometry.js";

const five = ["n1", "n2", "n3", "n4", "n5"];
const near = (a, b, by = 0.06) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

test("five nodes stand on the ring of the guide, first at the top, clockwise", () => {
  const { nodes } = g.stageLayout(five, 640, "wide");
  near(nodes.get("n1").x, 320);
  near(nodes.get("n1").y, 48);
  near(nodes.get("n2").x, 437.9);
  near(nodes.get("n2").y, 133.7);
  near(nodes.get("n4").x, 247.1);
  near(nodes.get("n4").y, 272.3);
});

test("beside a popover the ring moves left and keeps names only", () => {
  const wide = g.stageLayout(five, 640, "wide", true);
  assert.deepEqual([wide.cx, wide.cy, wide.radius, wide.labels], [172, 198, 106, "name"]);
  const one = g.stageLayout(five, 694, "one", true);
  assert.deepEqual([one.cx, one.cy, one.radius], [200, 184, 106]);
  assert.deepEqual(g.stageLayout(five, 318, "small", true).radius, 94);
});

test("no two nodes overlap, up to 60, and all stay on the stage", () => {
  for (let n = 1; n <= 60; n++) {
    const ids = Array.from({ length: n }, (_, i) => `n${i}`);
    const layout = g.stageLayout(ids, 640, "wide");
    const places = [...layout.nodes.values()];
    places.forEach((a, i) => {
      assert.ok(a.x > 0 && a.x < 640 && a.y > 0 && a.y < layout.height, `${n}: ${i} outside`);
      for (const b of places.slice(i + 1)) assert.ok(Math.hypot(a.x - b.x, a.y - b.y) > 2 * g.NODE.body * layout.scale, `${n} nodes overlap`);
    });
  }
});

test("messages keep right: a request and its reply never share a line", () => {
  const a = { x: 0, y: 0 };
  const b = { x: 200, y: 0 };
  const forth = g.messageRoute(a, b, 1);
  const back = g.messageRoute(b, a, 1);
  assert.equal(forth.y1, 5);
  assert.equal(back.y1, -5);
  assert.deepEqual([forth.x1, forth.x2], [41, 159]);
  assert.deepEqual(g.along(forth, 0.5), { x: 100, y: 5 });
});

test("flight fractions are half-open and linear", () => {
  assert.equal(g.flownFraction(100, 200, 50), 0);
  assert.equal(g.flownFraction(100, 200, 150), 0.5);
  assert.equal(g.flownFraction(100, 200, 250), 1);
  assert.equal(g.quarterOf(0.6), 0.5);
  assert.equal(g.quarterOf(1), 0.75);
});

test("a line through the stage parts the servers; one beside it parts nothing", () => {
  const layout = g.stageLayout(five, 640, "wide");
  assert.deepEqual(g.groupsByLine({ x1: 214, y1: 57, x2: 469, y2: 242 }, layout), [["n1", "n2"], ["n3", "n4", "n5"]]);
  assert.equal(g.groupsByLine({ x1: 600, y1: 0, x2: 600, y2: 300 }, layout), null);
});

test("the band runs through the middles of the outermost cut links, 60 px beyond", () => {
  const layout = g.stageLayout(five, 640, "wide");
  const [band] = g.cutBands([["n1", "n2"], ["n3", "n4", "n5"]], layout);
  const ends = [[band.x1, band.y1], [band.x2, band.y2]].sort((a, b) => a[0] - b[0]);
  near(ends[0][0], 212, 3);
  near(ends[0][1], 56, 3);
  assert.equal(g.cutBands([["n1", "n3"], ["n2", "n4", "n5"]], layout).length, 2);
  assert.equal(g.cutBands([["n1"], ["n2", "n3", "n4", "n5"]], layout).length, 1);
});

test("arrow keys go to the nearest node that way", () => {
  const { nodes } = g.stageLayout(five, 640, "wide");
  assert.equal(g.neighbour(nodes, "n1", 1, 0), "n2");
  assert.equal(g.neighbour(nodes, "n1", -1, 0), "n5");
  assert.equal(g.neighbour(nodes, "n1", 0, -1), "n1");
  assert.equal(g.neighbour(nodes, "n4", 1, 0), "n3");
});

test("arcs start at 12 o'clock and run clockwise", () => {
  assert.equal(g.arcPath(36, 0.25), "M0 -36A36 36 0 0 1 36 0");
  assert.equal(g.arcPath(36, 0), "");
  assert.match(g.arcPath(36, 0.75), /A36 36 0 1 1 -36 0$/);
});

test("in rows servers stand side by side on a bow, so that no link lies on another", () => {
  const { nodes, inRow } = g.stageLayout(["n1", "n2", "n3", "n4", "n5"], 640, "wide", false, "rows");
  const places = [...nodes.values()];
  assert.ok(inRow && places.every((place, i) => !i || place.x - places[i - 1].x >= 80));
  const bend = ([a, b, c]) => Math.abs((b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x));
  for (let i = 0; i < 3; i++) assert.ok(bend(places.slice(i, i + 3)) > 1000);
});
