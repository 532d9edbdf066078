// The key ring: who owns what, how a lookup went and why, which keys moved, where it is all drawn.
import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import {
  barLength, churnAt, contactsOf, dhtOf, distance, distanceText, explainHop, hasRing, hopSentence, keyText, loads, lookupsAt, nextOf, ownerIndex, positionFor, race, ringHistory, ringModel, sharedBits, silent,
} from "../../dslab/widgets/static/ringdata.js";
import { arcLine, between, densityOf, inLens, lensOf, placeOf, pointOn, ringLabels, ringRoom, strokeOf, trieOf, trimmed } from "../../dslab/widgets/static/ringlayout.js";
import { createRing } from "../../dslab/widgets/static/ring.js";
import { createChurnView, createLookupView, createRaceView, createRingTable, gridOf } from "../../dslab/widgets/static/ringviews.js";
import { buildTrace, fakeContext } from "./panels-fixture.js";

const { window } = new JSDOM("<!doctype html><body></body>");
const { document } = window;
window.HTMLCanvasElement.prototype.getContext = () => null;
const FIELDS = ["position", "bits", "metric", "predecessor", "successors", "fingers", "keys", "lookups"];
const specOf = (ids, fields = FIELDS) => ({ servers: ids, clients: [], absent: [], fields: Object.fromEntries(ids.map((id) => [id, fields])), properties: [], verbs: ["join", "leave", "crash"] });

let seed = 7;
const dice = (n) => {
  seed = (seed * 48271) % 2147483647;
  return seed % n;
};
const places = (count, bits) => {
  const found = new Set();
  while (found.size < count) found.add(dice(2 ** bits));
  return [...found];
};

// ---- the second implementation: by counting, step by step ----
const slowOwner = (positions, key, size) => {
  for (let i = 0; i < size; i++) if (positions.includes((key + i) % size)) return (key + i) % size;
  return null;
};
const slowWay = (from, to, size) => {
  let steps = 0;
  for (let at = from; at !== to; at = (at + 1) % size) steps += 1;
  return steps;
};
const textBits = (value, bits) => value.toString(2).padStart(bits, "0");
const slowShared = (a, b, bits) => {
  const [one, other] = [textBits(a, bits), textBits(b, bits)];
  for (let i = 0; i < bits; i++) if (one[i] !== other[i]) return i;
  return bits;
};

/** A ring in which every finger is right. */
function stableRing(count, bits, extra = () => ({})) {
  const at = places(count, bits);
  const ids = at.map((_, i) => `n${i + 1}`);
  const size = 2 ** bits;
  const named = (position) => ids[at.indexOf(position)];
  const fields = ids.map((id, i) => ({
    position: at[i], bits, metric: "clockwise", predecessor: null, successors: [named(slowOwner(at, (at[i] + 1) % size, size))],
    fingers: Array.from({ length: bits }, (_, k) => [(at[i] + 2 ** k) % size, named(slowOwner(at, (at[i] + 2 ** k) % size, size))]), keys: [], lookups: {}, ...extra(id, i),
  }));
  return { ids, at, size, bits, fields, named, spec: specOf(ids) };
}

const starts = (ring) => ring.ids.map((node, i) => ({ at: 0, kind: "start", node, patch: Object.entries(ring.fields[i]) }));
const lookup = (key, path, asking = [], owner = null, state = "going") => ({ 1: { key, path, asking, owner, state } });

function walked(ring, from, key) {
  const events = starts(ring);
  const origin = ring.ids.indexOf(from);
  const step = (id) => {
    const i = ring.ids.indexOf(id);
    const toKey = slowWay(ring.at[i], key, ring.size);
    const next = ring.fields[i].successors[0];
    const toNext = slowWay(ring.at[i], ring.at[ring.ids.indexOf(next)], ring.size) || ring.size;
    if (toKey > 0 && toKey <= toNext) return [next, true];
    const inside = ring.fields[i].fingers.map(([, id2]) => id2).filter((id2) => id2 !== id && slowWay(ring.at[i], ring.at[ring.ids.indexOf(id2)], ring.size) < toKey);
    return [inside.reduce((best, id2) => (slowWay(ring.at[i], ring.at[ring.ids.indexOf(id2)], ring.size) > slowWay(ring.at[i], ring.at[ring.ids.indexOf(best)], ring.size) ? id2 : best)), false];
  };
  const path = [from];
  let now = 10;
  let [next, found] = step(from);
  let message = 0;
  let patch = () => [["lookups", found ? lookup(key, [...path], [], next, "found") : lookup(key, [...path], [next])]];
  events.push({ at: now, kind: "timer", node: from, patch: patch(), ...(found ? {} : { send: [{ to: next, type: "Ask", due: now + 5 }] }) });
  while (!found) {
    const asked = next;
    events.push({ at: (now += 5), kind: "deliver", node: asked, message: message++, send: [{ to: from, type: "Next", due: now + 5 }] });
    path.push(asked);
    [next, found] = step(asked);
    events.push({ at: (now += 5), kind: "deliver", node: from, message: message++, patch: patch(), ...(found ? {} : { send: [{ to: next, type: "Ask", due: now + 5 }] }) });
  }
  assert.ok(origin >= 0);
  return { trace: buildTrace(events, ring.spec), path: [...path.slice(1), next], owner: next };
}

test("a system has a ring where a server shows bits and a place", () => {
  assert.equal(hasRing(specOf(["a"])), true);
  assert.equal(hasRing(specOf(["a"], ["tokens", "bits"])), true);
  for (const fields of [["position"], ["bits"], ["role", "term"], []]) assert.equal(hasRing(specOf(["a"], fields)), false);
  assert.equal(hasRing({ servers: ["a"] }), false);
  assert.equal(hasRing({}), false);
});

test("owners, arcs and distances agree with counting", () => {
  for (let round = 0; round < 60; round++) {
    const bits = 3 + dice(5);
    const ring = stableRing(1 + dice(Math.min(9, 2 ** bits - 1)), bits);
    const trace = buildTrace(starts(ring), ring.spec);
    const model = ringModel(trace.frameAt(trace.n - 1), ring.spec);
    assert.ok(Math.abs(model.arcs.reduce((sum, { part }) => sum + part, 0) - 1) < 1e-9);
    for (let key = 0; key < ring.size; key++) {
      const owner = slowOwner(ring.at, key, ring.size);
      assert.equal(model.live[ownerIndex(model.live, key)].position, owner);
      const arc = model.arcs[ownerIndex(model.live, key)];
      assert.ok(slowWay(arc.from, key, ring.size) <= slowWay(arc.from, arc.position, ring.size), `${key} in ${arc.from}..${arc.position}`);
      assert.equal(distance("clockwise", ring.at[0], key, bits), slowWay(ring.at[0], key, ring.size));
      assert.equal(distance("xor", ring.at[0], key, bits), parseInt([...textBits(key, bits)].map((bit, i) => Number(bit !== textBits(ring.at[0], bits)[i])).join(""), 2));
      assert.equal(sharedBits(ring.at[0], key, bits), slowShared(ring.at[0], key, bits));
    }
  }
});

test("distances hold for keys of 160 bits", () => {
  const half = 2 ** 159;
  assert.equal(distance("clockwise", half, 0, 160), half);
  assert.equal(distance("xor", half, 0, 160), half);
  assert.equal(sharedBits(half, 0, 160), 0);
  assert.equal(keyText(2 ** 159, 160), "800000…");
  assert.equal(keyText(733, 10), "733");
  assert.equal(distanceText(786), "786");
  assert.equal(distanceText(2 ** 100 * 1.5), "2^100");
  assert.deepEqual([barLength(0, 10), barLength(1023, 10)], [0, 1]);
});

test("a lookup is read hop by hop, each with what is left and the largest finger not past the key", () => {
  let long = 0;
  for (let round = 0; round < 40; round++) {
    const ring = stableRing(12 + dice(14), 8);
    const from = ring.ids[dice(ring.ids.length)];
    const key = dice(256);
    if (ring.named(slowOwner(ring.at, key, 256)) === from) continue;      // it would come back to itself
    const { trace, path, owner } = walked(ring, from, key);
    const history = ringHistory(trace);
    const [shown, ...more] = lookupsAt(history, trace.n - 1);
    assert.equal(more.length, 0);
    assert.deepEqual(shown.hops.map((hop) => hop.name), path);
    assert.deepEqual(shown.hops.map((hop) => hop.parent), [from, ...path.slice(0, -1)]);
    assert.deepEqual([shown.state, shown.owner], ["found", owner]);
    shown.hops.forEach((hop, i) => {
      const { left, why, rejected } = explainHop(shown, hop, history);
      const last = i === shown.hops.length - 1;
      assert.equal(left, last ? 0 : slowWay(ring.at[ring.ids.indexOf(hop.name)], key, ring.size));
      assert.match(why, last ? /^the key lies between n\d+ and its successor$/ : /^(finger \d+|successor), the (largest|furthest) not past the key/);
      const here = ring.at[ring.ids.indexOf(hop.parent)];
      const past = new Set(ring.fields[ring.ids.indexOf(hop.parent)].fingers.map(([, id]) => id).filter((id) => id !== hop.name && id !== hop.parent && slowWay(here, ring.at[ring.ids.indexOf(id)], 256) > slowWay(here, key, 256)));
      assert.deepEqual(new Set(rejected.filter((item) => item.why === "past").map((item) => item.name)), past);
      if (!last) assert.equal(Number(why.match(/; (\d+) passed it/)?.[1] ?? 0), past.size);
    });
    long = Math.max(long, path.length);
    // what is known grows with time, and the next event is where the next hop is
    const seen = [];
    for (let event = history.lookups[0].begun; event >= 0; event = nextOf(history, shown.id, event)) seen.push(lookupsAt(history, event)[0].hops.length);
    assert.equal(seen.at(-1), path.length);
    assert.deepEqual(seen, [...seen].sort((a, b) => a - b));
    assert.match(hopSentence(shown, 0, history, 8), /^Hop 1: n\d+, /);
  }
  assert.ok(long >= 4, "some lookup takes several hops");
});

test("a hop that goes wrong is told as it is: a worse finger, one past the key, no finger at all", () => {
  const ring = { ids: ["a", "b", "c", "d"], at: [0, 10, 20, 40], bits: 6, size: 64 };
  const spec = specOf(ring.ids);
  const base = ring.ids.map((node, i) => ({ at: 0, kind: "start", node, patch: Object.entries({ position: ring.at[i], bits: 6, metric: "clockwise", successors: [ring.ids[(i + 1) % 4]], fingers: [[1, "b"], [2, "b"], [16, "c"], [32, "d"]], keys: [], lookups: {} }) }));
  const whyOf = (next) => {
    const trace = buildTrace([...base, { at: 5, kind: "timer", node: "a", patch: [["lookups", lookup(30, ["a", next])]] }], spec);
    const [shown] = lookupsAt(ringHistory(trace), trace.n - 1);
    return explainHop(shown, shown.hops[0], ringHistory(trace)).why;
  };
  assert.equal(whyOf("c"), "finger 3, the largest not past the key; 1 passed it");
  assert.equal(whyOf("b"), "finger 2, though finger 3 is nearer and not past the key");
  assert.equal(whyOf("d"), "finger 4, past the key");
  assert.equal(whyOf("nobody"), "named by a");
});

test("a silent node is asked in vain, the one before once more, and another one answers", () => {
  const ids = ["a", "b", "c", "d"];
  const spec = specOf(ids);
  const list = ids.map((node, i) => ({ at: 0, kind: "start", node, patch: Object.entries({ position: 10 * i, bits: 6, metric: "clockwise", successors: [ids[(i + 1) % 4]], fingers: [], keys: [], lookups: {} }) }));
  list.push({ at: 1, kind: "timer", node: "a", patch: [["lookups", lookup(35, ["a"], ["b"])]], send: [{ to: "b", type: "Ask", due: 2 }] });
  list.push({ at: 2, kind: "deliver", node: "b", message: 0, send: [{ to: "a", type: "Next", due: 3 }] });
  list.push({ at: 3, kind: "deliver", node: "a", message: 1, patch: [["lookups", lookup(35, ["a", "b"], ["c"])]] });
  list.push({ at: 90, kind: "timer", node: "a", patch: [["lookups", lookup(35, ["a"], ["b"])]], send: [{ to: "b", type: "Ask", due: 92 }] });
  list.push({ at: 92, kind: "deliver", node: "b", message: 2, send: [{ to: "a", type: "Next", due: 93 }] });
  list.push({ at: 93, kind: "deliver", node: "a", message: 3, patch: [["lookups", lookup(35, ["a", "b"], ["d"])]] });
  const trace = buildTrace(list, spec);
  const history = ringHistory(trace);
  const [shown] = lookupsAt(history, trace.n - 1);
  assert.deepEqual(shown.hops.map(({ name, parent }) => [name, parent]), [["b", "a"], ["c", "b"], ["b", "a"], ["d", "b"]]);
  assert.deepEqual(shown.hops.map((hop) => silent(shown, hop)), [false, true, false, false]);
  assert.equal(explainHop(shown, shown.hops[2], history).why, "asked again");
  assert.equal(history.lookups.length, 1);
});

test("Kademlia: queries of one round side by side, each told by its place among the contacts", () => {
  const ids = ["a", "b", "c", "d", "e"];
  const at = { a: 0b0000, b: 0b0111, c: 0b1000, d: 0b1100, e: 0b1110 };
  const spec = specOf(ids, ["position", "bits", "metric", "buckets", "keys", "lookups"]);
  const start = (node, buckets) => ({ at: 0, kind: "start", node, patch: Object.entries({ position: at[node], bits: 4, metric: "xor", buckets, keys: [], lookups: {} }) });
  const trace = buildTrace([
    start("a", { 0: ["c", "d"], 1: ["b"] }), start("b", {}), start("c", { 1: ["d", "e"] }), start("d", {}), start("e", {}),
    { at: 1, kind: "timer", node: "a", patch: [["lookups", lookup(0b1111, ["a"], ["c", "d"])]], send: [{ to: "c", type: "Find", due: 2 }, { to: "d", type: "Find", due: 2 }] },
    { at: 2, kind: "deliver", node: "c", message: 0, send: [{ to: "a", type: "Found", due: 3 }] },
    { at: 3, kind: "deliver", node: "a", message: 2, patch: [["lookups", lookup(0b1111, ["a", "c"], ["d", "e"])]] },
    { at: 4, kind: "timer", node: "a", patch: [["lookups", lookup(0b1111, ["a", "c", "e"], [], "e", "found")]] },
  ], spec);
  const history = ringHistory(trace);
  const [shown] = lookupsAt(history, trace.n - 1);
  assert.deepEqual(shown.hops.map(({ name, parent, round }) => [name, parent, round]), [["c", "a", 1], ["d", "a", 1], ["e", "c", 2]]);
  assert.deepEqual(shown.hops.map((hop) => explainHop(shown, hop, history).left), [7, 3, 1]);
  assert.equal(explainHop(shown, shown.hops[1], history).why, "nearest to the key of a's 3; shares 2 of 4 bits");
  assert.equal(explainHop(shown, shown.hops[0], history).why, "2nd nearest to the key of a's 3; shares 1 of 4 bits");
  assert.equal(shown.hops[2].found, true);
});

test("keys move from who had them last, and are the fraction of all that they are", () => {
  const ids = ["a", "b", "c"];
  const spec = specOf(ids);
  const start = (node, position, keys) => ({ at: 0, kind: "start", node, patch: Object.entries({ position, bits: 6, metric: "clockwise", successors: ["a"], fingers: [], keys, lookups: {} }) });
  const trace = buildTrace([
    start("a", 10, [1, 2]), start("b", 50, [20, 30, 40, 45]),
    { at: 5, kind: "join", node: "c", patch: Object.entries({ position: 35, bits: 6, metric: "clockwise", successors: ["b"], fingers: [], keys: [], lookups: {} }) },
    { at: 6, kind: "deliver", node: "b", patch: [["keys", [40, 45]]] },
    { at: 7, kind: "deliver", node: "c", patch: [["keys", [20, 30]]] },
    { at: 8, kind: "deliver", node: "c", patch: [["keys", [20, 30, 33]]] },
    { at: 9, kind: "crash", node: "a" },
    { at: 10, kind: "deliver", node: "c", patch: [["keys", [1, 20, 30, 33]]] },
  ], spec);
  const history = ringHistory(trace);
  assert.deepEqual(history.moves, [{ event: 4, from: "b", to: "c", keys: [20, 30] }, { event: 7, from: "a", to: "c", keys: [1] }]);
  const changes = churnAt(history, ringModel(trace.frameAt(7), spec), 7);
  assert.deepEqual(changes.map(({ kind, node, moved, total }) => [kind, node, moved, total]), [["crash", "a", 1, 7], ["join", "c", 2, 7]]);
  assert.equal(changes[0].fair, 1 / 2);
  assert.equal(churnAt(history, ringModel(trace.frameAt(3), spec), 3)[0].moved, 0);
});

test("a model that is brought up to date is the one that is made anew", () => {
  const ring = stableRing(9, 8, (id, i) => ({ keys: [i] }));
  const list = starts(ring);
  for (let i = 0; i < 60; i++) {
    const node = ring.ids[dice(9)];
    const what = dice(5);
    if (what === 0) list.push({ at: i + 1, kind: dice(2) ? "crash" : "restart", node });
    else if (what === 1) list.push({ at: i + 1, kind: "deliver", node, patch: [["position", dice(256)]] });
    else if (what === 2) list.push({ at: i + 1, kind: "deliver", node, patch: [["keys", [dice(256)]]] });
    else list.push({ at: i + 1, kind: "deliver", node, patch: [["successors", dice(3) ? [ring.ids[dice(9)]] : []]] });
  }
  const trace = buildTrace(list, ring.spec);
  let model = null;
  for (let step = 0; step < 200; step++) {
    const frame = trace.frameAt(dice(trace.n));
    model = ringModel(frame, ring.spec, model);
    const fresh = ringModel(frame, ring.spec);
    for (const part of ["marks", "live", "arcs", "rest", "bits", "metric", "members"]) assert.deepEqual(model[part], fresh[part], part);
    assert.deepEqual([...model.nodes], [...fresh.nodes]);
    assert.deepEqual([...model.states], [...fresh.states]);
    assert.deepEqual(loads(model), loads(fresh));
  }
});

test("a race is followed on the tables that are shown; the owner is who owns the key", () => {
  for (let round = 0; round < 30; round++) {
    const ring = stableRing(2 + dice(20), 7);
    const model = ringModel(buildTrace(starts(ring), ring.spec).frameAt(ring.ids.length - 1), ring.spec);
    const key = dice(128);
    const from = ring.ids[0];
    const [successors, fingers, prefixes] = race(model, from, key);
    const owner = ring.named(slowOwner(ring.at, key, 128));
    assert.deepEqual([successors.end, fingers.end, prefixes.end], ["found", "found", "found"]);
    assert.deepEqual([successors.goal, fingers.goal], [owner, owner]);
    assert.equal(successors.hops.length, ring.at.filter((at) => at !== ring.at[0] && slowWay(ring.at[0], at, 128) <= slowWay(ring.at[0], ring.at[ring.ids.indexOf(owner)], 128)).length);
    assert.ok(fingers.hops.length <= successors.hops.length);
    assert.equal(prefixes.goal, ring.named(ring.at.reduce((best, at) => ((at ^ key) < (best ^ key) ? at : best))));
    assert.deepEqual([successors.basis, fingers.basis, prefixes.basis], ["the tables shown", "the tables shown", "made from the positions"]);
  }
  const broken = stableRing(4, 6);
  for (const fields of broken.fields) Object.assign(fields, { successors: [broken.ids[0]], fingers: [] });
  const model = ringModel(buildTrace(starts(broken), broken.spec).frameAt(3), broken.spec);
  const key = broken.at[2];
  assert.ok(["loop", "stuck", "found"].includes(race(model, broken.ids[1], key)[0].end));
  assert.deepEqual(race(model, "nobody", key), []);
});

const ODD = [null, undefined, 1, -1, 1.5, NaN, "x", true, [], {}, [null], [[]], [[1]], { 1: null }, { 1: { key: "x" } }, { 1: { key: 3, path: "a", asking: [1], owner: 4, state: [] } }, { a: ["n1", 3] }, [[1, 2]], 2 ** 60];

test("fields of another shape are taken as absent; nothing throws, in no view", () => {
  const ids = ["n1", "n2", "n3"];
  const all = [...FIELDS, "tokens", "buckets"];
  const spec = specOf(ids, all);
  const good = { position: 3, bits: 5, metric: "clockwise", predecessor: "n2", successors: ["n2"], fingers: [[1, "n2"]], keys: [1], lookups: lookup(4, ["n1", "n2"]), buckets: { 1: ["n2"] } };
  const ctx = fakeContext(document);
  Object.assign(ctx, { spec, seek() {}, reason: () => null, notice() {} });
  const handlers = { openNode() {}, openMessage() {}, focused() {}, drafted() {}, partition() {} };
  Object.assign(ctx.store, { trace: buildTrace([], spec), layout: "wide", branch: { id: "A" } });
  const stage = createRing(ctx, handlers);
  stage.relayout({ width: 640, mode: "wide", popover: false });
  const views = [createLookupView, createRingTable, createChurnView, createRaceView].map((make) => make(ctx));
  const drawn = new Set();
  for (const field of all) {
    for (const odd of ODD) {
      const list = ids.map((node, i) => ({ at: 0, kind: "start", node, patch: Object.entries({ ...good, position: 3 + i, [field]: i === 0 ? odd : good[field] }) }));
      list.push({ at: 1, kind: "deliver", node: "n2", patch: [[field, odd]] }, { at: 2, kind: "deliver", node: "n3", patch: [Array.isArray(good[field]) ? [field, 0, 1, [odd]] : [field, odd], ["nothing", 3]] });
      const trace = buildTrace(list, spec);
      Object.assign(ctx.store, { trace, selection: { kind: "node", id: "n1" }, layout: "wide", branch: { id: "A" }, race: null, playing: 0, cursor: { time_us: 0 } });
      for (const event of [-1, 0, 4]) {
        const frame = trace.frameAt(event);
        const history = ringHistory(trace);
        const read = JSON.stringify([event, [...frame.nodes.values()].map(({ fields, status }) => [dhtOf(fields), status]), { ...ringModel(frame, spec), raw: null }, lookupsAt(history, event), history.moves, history.changes]);
        if (drawn.has(read)) continue;      // views see fields only as they are read here: the same reading is the same picture
        drawn.add(read);
        for (const view of views) view.update(frame);
        stage.update(frame);
      }
      for (const item of lookupsAt(ringHistory(trace), trace.n)) item.hops.forEach((hop, i) => hopSentence(item, i, ringHistory(trace), 5));
    }
  }
  assert.ok(drawn.size > 30, `${drawn.size} readings`);
  for (const odd of ODD) assert.deepEqual(contactsOf(dhtOf(odd), "n1"), []);
});

test("places stand on the circle clockwise from the top; strokes join them and can be cut", () => {
  const room = ringRoom({ width: 640, mode: "wide", popover: false, shape: "ring", histogram: false });
  assert.deepEqual([room.r, room.cy], [146, 190]);
  const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-6, `${a} is ${b}`);
  near(placeOf(room, 0).y, 190 - 146);
  near(placeOf(room, 0.25).x, 320 + 146);
  for (let i = 0; i < 200; i++) {
    const [from, to] = [dice(1000) / 1000, dice(1000) / 1000];
    const curve = strokeOf(room, from, to);
    near(Math.hypot(curve.a.x - room.cx, curve.a.y - room.cy), room.r);
    // the guide's rule, by the law of cosines rather than by coordinates
    const crossed = (to - from + 1) % 1;
    near(Math.hypot(curve.c.x - room.cx, curve.c.y - room.cy), room.r * (1 - Math.min(1, 2.4 * crossed + 0.16)));
    if (crossed > 0.02 && crossed < 0.98) {
      const short = trimmed(curve, 6.5, 10);
      assert.ok(Math.hypot(short.a.x - curve.a.x, short.a.y - curve.a.y) <= 6.7);
      const t = dice(100) / 100;
      const whole = between(curve, 0, 1);
      near(pointOn(whole, t).x, pointOn(curve, t).x);
      near(pointOn(between(curve, 0.25, 0.75), 0.5).y, pointOn(curve, 0.5).y);
    }
  }
  assert.match(arcLine(room, 0.9, 0.1), / 0 0 1 /);
  assert.match(arcLine(room, 0.1, 0.9), / 0 1 1 /);
});

test("names do not cover each other and stay inside", () => {
  for (let round = 0; round < 40; round++) {
    const room = ringRoom({ width: [640, 698, 318][round % 3], mode: ["wide", "one", "small"][round % 3], popover: false, shape: round % 2 ? "ring" : "trie", histogram: true });
    const wanted = Array.from({ length: 30 }, (_, i) => ({ part: dice(1000) / 1000, text: `node ${i}`, strong: i < 2 }));
    const boxes = ringLabels(room, wanted).map((label) => {
      const wide = label.text.length * (label.strong ? 7.4 : 6.4) + 4;
      const left = label.anchor === "start" ? label.x : label.anchor === "end" ? label.x - wide : label.x - wide / 2;
      return { left, right: left + wide, top: label.y - 13, bottom: label.y + 3 };
    });
    boxes.forEach((a, i) => {
      assert.ok(a.left >= 0 && a.right <= room.width && a.top >= 0 && a.bottom <= room.height);
      for (const b of boxes.slice(i + 1)) assert.ok(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top);
    });
    assert.ok(boxes.length >= 2);
  }
});

test("density, lens and trie agree with counting", () => {
  const positions = places(400, 16).sort((a, b) => a - b);
  const marks = positions.map((position) => ({ position }));
  const bins = densityOf(marks, 2 ** 16, 32);
  bins.forEach((count, i) => assert.equal(count, positions.filter((at) => at >= i * 2048 && at < (i + 1) * 2048).length));
  const lens = lensOf([0, 60000, 65000], 65500, 2 ** 16);
  assert.deepEqual(inLens(marks, lens, 2 ** 16, 1e9).map(({ mark }) => mark.position).sort((a, b) => a - b), positions.filter((at) => (at - lens.from + 2 ** 16) % 2 ** 16 <= lens.length));
  assert.equal(lensOf([null], 5, 64), null);
  for (let round = 0; round < 20; round++) {
    const keys = places(2 + dice(12), 6).sort((a, b) => a - b);
    const depths = trieOf(keys, 6).map(({ depth }) => depth).sort();
    assert.deepEqual(depths, keys.slice(1).map((key, i) => slowShared(keys[i], key, 6)).sort());
  }
  assert.deepEqual(trieOf([5], 6), []);
  assert.deepEqual(gridOf(10), [0, 2, 4, 6, 8, 10]);
});

test("tokens: a server has several places, and its keys are counted where they lie", () => {
  const spec = specOf(["a", "b"], ["tokens", "bits", "keys"]);
  const start = (node, tokens, keys) => ({ at: 0, kind: "start", node, patch: Object.entries({ tokens, bits: 6, keys }) });
  const trace = buildTrace([start("a", [10, 40], [5, 35, 36]), start("b", [20, 60], [15, 50])], spec);
  const model = ringModel(trace.frameAt(1), spec);
  assert.deepEqual(model.marks.map(({ id, position }) => [id, position]), [["a", 10], ["b", 20], ["a", 40], ["b", 60]]);
  assert.deepEqual(loads(model), [1, 1, 2, 1]);
  assert.equal(positionFor(model.nodes.get("a"), 45, "clockwise"), 40);
  assert.deepEqual(race(model, "a", 3), []);
});

// ---- the views ----
function made(ring, trace, event = trace.n - 1) {
  const ctx = fakeContext(document);
  const said = [];
  Object.assign(ctx, { spec: ring.spec, say: (text) => said.push(text), reason: () => null, notice() {} });
  Object.assign(ctx.store, { trace, selection: null, layout: "wide", branch: { id: "A" }, race: null, playing: 0, cursor: { time_us: 0 } });
  const opened = [];
  const stage = createRing(ctx, { openNode: (id) => opened.push(id), openMessage() {}, focused() {}, drafted() {}, partition() {} });
  const hops = createLookupView(ctx);
  let now = event;
  const draw = () => {
    hops.update(trace.frameAt(now));
    stage.update(trace.frameAt(now));
  };
  ctx.select = (selection) => {
    ctx.store.selection = selection;
    draw();
  };
  ctx.seek = ({ event: next }) => {
    now = next;
    draw();
  };
  document.body.replaceChildren(stage.el, hops.el);
  stage.relayout({ width: 640, mode: "wide", popover: false });
  draw();
  return { ctx, stage, hops, said, opened, at: () => now, draw };
}

const press = (element, key) => element.dispatchEvent(new document.defaultView.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

test("by keyboard from the first hop to the owner: arrows go on in time, and each hop is said", () => {
  const ring = stableRing(26, 8);
  const owner = ring.named(slowOwner(ring.at, 77, 256));
  const far = ring.ids.filter((id) => id !== owner).map((id) => [id, walked(ring, id, 77).path.length]).sort((a, b) => b[1] - a[1])[0][0];
  const { trace, path } = walked(ring, far, 77);
  const view = made(ring, trace, ringHistory(trace).lookups[0].begun);
  view.hops.focus();
  press(document.activeElement, "Home");
  for (let i = 0; i < path.length + 3 && !/over/.test(view.said.at(-1) ?? ""); i++) press(document.activeElement, "ArrowDown");
  assert.equal(view.at(), trace.n - 1);
  assert.equal(view.said.at(-1), "The lookup is over: found.");
  for (const name of path) assert.ok(view.said.some((text) => text.includes(`${name}, `)), `${name} is said`);
  assert.match(view.said.at(-2), /; found$/);
  assert.equal(document.querySelectorAll(".ds-hopn").length > 0, true);
  press(document.activeElement, "Home");
  assert.equal(document.activeElement.getAttribute("data-row"), "-1");
  assert.equal(view.said.at(-1), `${far} asks for key 77`);
});

test("nodes are buttons round the ring; from 300 marks on only the path and the one with the keyboard are elements", () => {
  const few = stableRing(12, 8);
  const view = made(few, walked(few, few.ids[0], 200).trace);
  assert.equal(document.querySelectorAll(".ds-ring-node[role=button]").length, 12);
  assert.equal(document.querySelectorAll(".ds-ring-node[tabindex='0']").length, 1);
  view.stage.focusNode();
  const order = [...few.ids].sort((a, b) => few.at[few.ids.indexOf(a)] - few.at[few.ids.indexOf(b)]);
  const first = document.activeElement.getAttribute("data-node");
  press(document.activeElement, "ArrowRight");
  assert.equal(document.activeElement.getAttribute("data-node"), order[(order.indexOf(first) + 1) % 12]);
  assert.ok(document.querySelectorAll(".ds-chord").length > 0, "what it knows is drawn");
  press(document.activeElement, "Enter");
  assert.deepEqual(view.opened, [document.activeElement.getAttribute("data-node")]);
  const ids = Array.from({ length: 320 }, (_, i) => `n${i + 1}`);
  const spec = specOf(ids);
  const at = places(320, 16);
  const trace = buildTrace(ids.map((node, i) => ({ at: 0, kind: "start", node, patch: Object.entries({ position: at[i], bits: 16, successors: ["n1"], fingers: [], keys: [], lookups: i ? {} : lookup(9, ["n1", "n2"]) }) })), spec);
  made({ spec }, trace);
  assert.deepEqual([...document.querySelectorAll(".ds-ring-node")].map((item) => item.getAttribute("data-node")).sort(), ["n1", "n2"]);
});

test("a contact that is down or has left is dashed", () => {
  const ids = ["a", "b", "c"];
  const spec = specOf(ids);
  const start = (node, position) => ({ at: 0, kind: "start", node, patch: Object.entries({ position, bits: 6, successors: ["b"], fingers: [[1, "b"], [2, "c"]], keys: [], lookups: {} }) });
  const trace = buildTrace([start("a", 1), start("b", 20), start("c", 40), { at: 5, kind: "crash", node: "c" }, { at: 6, kind: "leave", node: "b" }], spec);
  const view = made({ spec }, trace);
  view.ctx.select({ kind: "node", id: "a" });
  assert.equal(document.querySelectorAll("svg.ds-stage-svg path.ds-chord").length, 2);
  assert.equal(document.querySelectorAll("svg.ds-stage-svg path.ds-chord.is-stale").length, 2);
  assert.equal(document.querySelectorAll(".ds-dn.is-down").length, 1);
  assert.equal(document.querySelectorAll(".ds-dn.is-gone").length, 1);
});
