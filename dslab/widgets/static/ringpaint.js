// The drawing of a ring of keys: what stands still as one canvas or a few paths, nodes, hops and chords as SVG.

import { h, s } from "./format.js";
import { fix } from "./geometry.js";
import { arcLine, curvePath, densityOf, placeOf, pointOn, strokeOf, trieOf, trimmed } from "./ringlayout.js";

export const TICKS_FROM = 300;      // marks: from here on they are ticks on a canvas, and only the path has roundels
export const BAND_FROM = 10_000;    // above, single marks could not be told apart: a band of density
const MOST_KEY_TICKS = 600;
const BINS = 240;
const BAND_BINS = 720;
const TRIE_LEAVES = 300;
const PATTERNS = 6;
const ARROW = "M2 0l-8 -4v8z";
const RING_COLOURS = { ink: "--ds-ink", mark: "--ds-mark", line2: "--ds-line2", bg: "--ds-bg", danger: "--ds-danger", ink2: "--ds-ink2" };

// ---- what stands still --------------------------------------------------------------------------------------------

/** Bars outside the ring: [[part, length 0 to 1], ...], keys where any are held, else the share of the ring itself. */
export function barsOf(model, counts) {
  const keys = counts.some((count) => count > 0);
  const values = keys ? counts : model.arcs.map(({ part }) => part);
  if (model.live.length <= BINS) {
    const most = Math.max(...values, 0) || 1;
    return values.map((value, i) => [middleOf(model, i), value / most]);
  }
  const bins = new Array(BINS).fill(0);
  model.live.forEach(({ position }, i) => { bins[Math.min(BINS - 1, Math.floor((position / model.size) * BINS))] += values[i]; });
  const most = Math.max(...bins) || 1;
  return bins.map((value, i) => [(i + 0.5) / BINS, value / most]);
}

const middleOf = ({ arcs, size, metric }, i) => (metric === "xor" ? arcs[i].position / size : (((arcs[i].position / size - arcs[i].part / 2) % 1) + 1) % 1);

function barLine(room, part, length) {
  const a = placeOf(room, part, room.shape === "trie" ? 4 : 9);
  const b = placeOf(room, part, (room.shape === "trie" ? 4 : 9) + Math.max(0.5, length * (room.histogram - 4)));
  return `M${fix(a.x)} ${fix(a.y)}L${fix(b.x)} ${fix(b.y)}`;
}

function keyTicks(room, model) {
  const keys = [...new Set([...model.nodes.values()].flatMap((dht) => dht.keys))];
  if (keys.length > MOST_KEY_TICKS) return "";
  return keys.map((key) => {
    const a = placeOf(room, key / model.size, -3.5);
    const b = placeOf(room, key / model.size, 3.5);
    return `M${fix(a.x)} ${fix(a.y)}L${fix(b.x)} ${fix(b.y)}`;
  }).join("");
}

function trieLines(room, model) {
  const positions = [...new Set(model.marks.map(({ position }) => position))];
  if (positions.length > TRIE_LEAVES) return "";
  const nodes = trieOf(positions, model.bits);
  const depths = [...new Set(nodes.map(({ depth }) => depth))].sort((a, b) => a - b);
  const y = (depth) => (depth >= model.bits || !depths.includes(depth) ? room.leaves : room.top + ((room.leaves - room.top - 14) * depths.indexOf(depth)) / Math.max(1, depths.length));
  const x = (part) => room.left + part * (room.right - room.left);
  return nodes.flatMap((node) => [node.left, node.right].map((child) => `M${fix(x(node.part))} ${fix(y(node.depth))}L${fix(x(child.part))} ${fix(y(child.depth))}`)).join("");
}

/** The circle or the trie, arcs of servers with several tokens, keys and bars: SVG, for fewer than TICKS_FROM marks. */
export function groundShapes(doc, { room, model, counts, patternId, chosen }) {
  const line = (klass, d) => (d ? [s(doc, "path", { class: klass, d })] : []);
  const shapes = room.shape === "trie"
    ? [...line("ds-ring-line", `M${room.left} ${fix(room.leaves)}H${fix(room.right)}`), ...line("ds-ring-trie", trieLines(room, model))]
    : [s(doc, "circle", { class: "ds-ring-line", cx: fix(room.cx), cy: fix(room.cy), r: fix(room.r) })];
  if (severalTokens(model)) shapes.push(...tokenArcs(doc, room, model, patternId, chosen));
  if (room.histogram) shapes.push(...line("ds-ring-bars", barsOf(model, counts).filter(([, length]) => length > 0).map(([part, length]) => barLine(room, part, length)).join("")));
  return [...shapes, ...line("ds-ring-keys", keyTicks(room, model))];
}

export const severalTokens = (model) => model.marks.length > model.nodes.size - model.rest.length;

/** Which pattern a server's arcs have, 1 to 6. */
export const patternOf = (model, id) => 1 + ([...model.nodes.keys()].indexOf(id) % PATTERNS);

function tokenArcs(doc, room, model, patternId, chosen) {
  return model.arcs.flatMap(({ id, part, position }) => {
    const at = position / model.size;
    const d = arcLine(room, (((at - part) % 1) + 1) % 1, at);
    const arc = s(doc, "path", { class: `ds-token-arc is-pattern${patternOf(model, id)}`, d, style: `stroke:url(#${patternId}${patternOf(model, id)})` });
    return id === chosen ? [s(doc, "path", { class: "ds-own-case", d }), arc] : [arc];
  });
}

/** Six patterns in the widget's own ink, told apart without colour. */
export function patternDefs(doc, id) {
  const looks = ["M0 0V6", "M0 3H6M3 0V6", "M0 1.5H3M3 4.5H6", "M0 3H6", "M1 0V6M3 0V6", "M0 0L6 6"];
  return looks.map((d, i) => s(doc, "pattern", {
    id: `${id}${i + 1}`, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${[45, 0, 0, -45, 90, 20][i]})`,
  }, s(doc, "rect", { class: "ds-pattern-paper", width: 6, height: 6 }), s(doc, "path", { class: `ds-pattern-ink${i === 2 ? " is-thick" : ""}`, d })));
}

/** A canvas below the SVG for many marks: drawn once for each ring, and not again until it changes. */
export function createGround(ctx) {
  const { doc } = ctx;
  const el = h(doc, "canvas", { class: "ds-ring-ground", "aria-hidden": "true", hidden: true });
  let drawn = "";
  let inks = null;

  function colours() {
    const probe = h(doc, "span", { hidden: true });
    el.parentNode.append(probe);
    const found = Object.fromEntries(Object.entries(RING_COLOURS).map(([name, token]) => {
      probe.style.color = `var(${token})`;
      return [name, doc.defaultView.getComputedStyle(probe).color];
    }));
    probe.remove();
    return found;
  }

  /** `look` names what is drawn: equal looks are not drawn twice. */
  function draw(room, model, counts, look) {
    el.hidden = false;
    if (look === drawn) return;
    drawn = look;
    inks ??= colours();
    const ratio = Math.min(2, doc.defaultView.devicePixelRatio || 1);
    el.style.aspectRatio = `${room.width} / ${room.height}`;
    const scale = ((el.getBoundingClientRect().width || room.width) / room.width) * ratio;
    el.width = Math.round(room.width * scale);
    el.height = Math.round(room.height * scale);
    const pen = el.getContext("2d");
    if (!pen) return;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    paintGround(pen, room, model, counts, inks);
  }

  /** True where the theme has other colours now; what is drawn is then forgotten. */
  function retheme() {
    if (!inks || !el.parentNode) return false;
    const next = colours();
    if (JSON.stringify(next) === JSON.stringify(inks)) return false;
    inks = next;
    drawn = "";
    return true;
  }

  return { el, draw, hide: () => { el.hidden = true; drawn = ""; }, forget: () => { drawn = ""; }, retheme };
}

function paintGround(pen, room, model, counts, colour) {
  const line = (style, width, paths) => {
    pen.strokeStyle = style;
    pen.lineWidth = width;
    pen.beginPath();
    for (const [a, b] of paths) {
      pen.moveTo(a.x, a.y);
      pen.lineTo(b.x, b.y);
    }
    pen.stroke();
  };
  const spoke = (part, from, to) => [placeOf(room, part, from), placeOf(room, part, to)];
  const part = ({ position }) => position / model.size;
  pen.strokeStyle = colour.line2;
  pen.lineWidth = 1.5;
  pen.beginPath();
  if (room.shape === "trie") {
    pen.moveTo(room.left, room.leaves);
    pen.lineTo(room.right, room.leaves);
  } else pen.arc(room.cx, room.cy, room.r, 0, 2 * Math.PI);
  pen.stroke();
  const far = room.shape === "trie" ? 4 : 9;
  if (room.histogram) line(colour.line2, 1.5, barsOf(model, counts).filter(([, length]) => length > 0).map(([at, length]) => spoke(at, far, far + length * (room.histogram - 4))));
  if (model.marks.length > BAND_FROM) {
    const bins = densityOf(model.marks, model.size, BAND_BINS);
    const most = Math.max(...bins);
    line(colour.mark, 1.6, bins.map((count, i) => spoke((i + 0.5) / BAND_BINS, -1 - 9 * (count / most), 0)));
    return;
  }
  const looks = { up: [colour.mark, 1, -3, 4], down: [colour.danger, 1.25, -6, 6], gone: [colour.line2, 1, -2, 2], joining: [colour.line2, 1, -2, 2] };
  for (const [state, [style, width, from, to]] of Object.entries(looks)) {
    line(style, width, model.marks.filter((mark) => mark.state === state).map((mark) => spoke(part(mark), from, to)));
  }
}

// ---- nodes --------------------------------------------------------------------------------------------------------

/** The disc of a node: `look` is "", "path", "owner" or "tick"; down with a cross, gone dotted. */
export function nodeShapes(doc, state, look, r) {
  if (state === "gone" || state === "joining") return [s(doc, "circle", { r, class: "ds-dn is-gone" })];
  if (state === "down") return [s(doc, "circle", { r, class: "ds-dn is-down" }), s(doc, "path", { d: `M${-r - 1} ${-r - 1}L${r + 1} ${r + 1}M${r + 1} ${-r - 1}L${-r - 1} ${r + 1}`, class: "ds-x-small" })];
  return [s(doc, "circle", { r: look === "owner" ? 8 : look === "path" ? 6.5 : r, class: `ds-dn${look ? ` is-${look}` : ""}` })];
}

export const nodeRadius = (count) => (count < 60 ? 4.5 : count < 150 ? 3.4 : 2.4);

// ---- hops and chords ----------------------------------------------------------------------------------------------

function arrowHead(doc, at, klass) {
  return s(doc, "path", { d: ARROW, class: klass, transform: `translate(${fix(at.x)} ${fix(at.y)}) rotate(${fix(at.degrees)})` });
}

const NUMBER_AT = [0.5, 0.34, 0.66, 0.2, 0.8];       // of the way, where the number of a hop may stand

/** The stroke of a hop. `look`: "", "silent", "going", "thin"; without a number no roundel. */
export function hopShapes(doc, room, { from, to, look, number, selected, taken = [] }) {
  const whole = strokeOf(room, from, to);
  if (Math.hypot(whole.b.x - whole.a.x, whole.b.y - whole.a.y) < 3) return { line: [], mark: [], at: pointOn(whole, 0.5) };
  const curve = trimmed(whole, 6.5, 10);
  const end = pointOn(curve, 1);
  const places = NUMBER_AT.map((part) => pointOn(whole, part));
  const at = places.find(({ x, y }) => taken.every((other) => Math.hypot(other.x - x, other.y - y) > 20)) ?? places[0];
  const line = [s(doc, "path", { d: curvePath(curve), class: `ds-hop${look ? ` is-${look}` : ""}` }), arrowHead(doc, end, "ds-hop-head")];
  const mark = number === undefined ? [] : [selected && s(doc, "circle", { cx: fix(at.x), cy: fix(at.y), r: 13.5, class: "ds-hop-focus" }),
    s(doc, "circle", { cx: fix(at.x), cy: fix(at.y), r: 9.5, class: "ds-hopn" }),
    s(doc, "text", { x: fix(at.x), y: fix(at.y + 4.3), "text-anchor": "middle", class: "ds-t12 ds-b ds-on-ink" }, String(number))].filter(Boolean);
  return { line, mark, at };
}

/** A contact that was not chosen: dotted, and with a cross where it would have passed the key. */
export function rejectedShapes(doc, room, from, to, why) {
  const curve = trimmed(strokeOf(room, from, to), 6.5, 7);
  const at = pointOn(curve, 0.8);
  return [s(doc, "path", { d: curvePath(curve), class: `ds-rej is-${why}` }),
    why === "past" && s(doc, "path", { d: `M${fix(at.x - 3.2)} ${fix(at.y - 3.2)}l6.4 6.4m0 -6.4l-6.4 6.4`, class: "ds-rej-cross" })].filter(Boolean);
}

/** A chord from a node to one that it knows, with its number; dashed where that node is no member any more. */
export function chordShapes(doc, room, from, to, text, stale) {
  const curve = trimmed(strokeOf(room, from, to), 7, 8);
  const at = pointOn(curve, 0.74);
  const wide = Math.max(17, text.length * 6.6 + 8);
  return [s(doc, "path", { d: curvePath(curve), class: `ds-chord${stale ? " is-stale" : ""}` }),
    s(doc, "rect", { x: fix(at.x - wide / 2), y: fix(at.y - 8), width: fix(wide), height: 16, rx: 8, class: `ds-chordn${stale ? " is-stale" : ""}` }),
    s(doc, "text", { x: fix(at.x), y: fix(at.y + 4.2), "text-anchor": "middle", class: "ds-t12" }, text)];
}

/** The owner's range as a band with a casing of ink. */
export function ownArc(doc, room, from, to) {
  const d = arcLine(room, from, to);
  return [s(doc, "path", { d, class: "ds-own-case" }), s(doc, "path", { d, class: "ds-own-arc" })];
}

/** A wedge outside the ring that points at a key. */
export function keyWedge(doc, room, part) {
  const at = placeOf(room, part, 5);
  return s(doc, "path", { d: "M0 0l9 -5v10z", class: "ds-hop-head", transform: `translate(${fix(at.x)} ${fix(at.y)}) rotate(${fix((at.angle * 180) / Math.PI)})` });
}
