// Where a ring of keys is drawn: places of keys on a circle or on the leaves of a trie, strokes between them, labels
// that do not cover each other, density where marks are too many. Pure functions; no drawing here.

const TURN = 2 * Math.PI;
const ROOMS = {
  wide: { height: 374, cx: 0.5, cy: 190, r: 146 }, one: { height: 352, cx: 0.5, cy: 178, r: 138 }, small: { height: 300, cx: 0.5, cy: 152, r: 118 },
};
const HISTOGRAM = 22;          // px outside the circle
const LENS_ROOM = 20;
const CURVE_STEPS = 24;
const round = (value) => Math.round(value * 10) / 10;

/** Room and shape of the picture. `shape` is "ring" or "trie"; `popover` keeps its right side free, `lens` its foot. */
export function ringRoom({ width, mode, popover, shape, histogram, lens }) {
  const room = ROOMS[mode] ?? ROOMS.wide;
  const aside = popover && mode !== "small";
  const r = (aside ? 106 : Math.min(room.r, width / 2 - 40)) - (histogram ? HISTOGRAM * 0.6 : 0) - (lens && !aside ? LENS_ROOM : 0);
  const cx = aside ? Math.min(172, width / 2) : width * room.cx;
  const right = aside ? Math.max(320, width - 310) : width - 18;
  return { width, edge: aside ? width - 296 : width, height: room.height, cx, cy: aside ? 198 : room.cy - (lens ? LENS_ROOM : 0), r, shape, left: 18, right, leaves: room.height * 0.56, top: 44, histogram: histogram ? HISTOGRAM : 0 };
}

/** The point of a key: `part` (0 to 1) of the whole, clockwise from the top, or from left to right on the trie's leaves. */
export function placeOf(room, part, out = 0) {
  if (room.shape === "trie") return { x: room.left + part * (room.right - room.left), y: room.leaves + out, angle: Math.PI / 2 };
  const angle = part * TURN - Math.PI / 2;
  return { x: room.cx + (room.r + out) * Math.cos(angle), y: room.cy + (room.r + out) * Math.sin(angle), angle };
}

/**
 * The stroke of a hop between two parts of the whole: a quadratic curve {a, c, b}. On the ring it is bent inward by how
 * much of the ring it crosses; under a trie it hangs.
 */
export function strokeOf(room, from, to) {
  const a = placeOf(room, from);
  const b = placeOf(room, to);
  if (room.shape === "trie") {
    const deep = Math.min(room.height - room.leaves - 24, 26 + Math.abs(b.x - a.x) * 0.42);
    return { a, b, c: { x: (a.x + b.x) / 2, y: room.leaves + 2 * deep } };
  }
  const crossed = (((to - from) % 1) + 1) % 1;
  const angle = (from + crossed / 2) * TURN - Math.PI / 2;
  const r = room.r * (1 - Math.min(1, 2.4 * crossed + 0.16));
  return { a, b, c: { x: room.cx + r * Math.cos(angle), y: room.cy + r * Math.sin(angle) } };
}

/** The point of a curve at t, 0 to 1, with the direction there in degrees. */
export function pointOn({ a, c, b }, t) {
  const u = 1 - t;
  const dx = u * (c.x - a.x) + t * (b.x - c.x);
  const dy = u * (c.y - a.y) + t * (b.y - c.y);
  return { x: u * u * a.x + 2 * u * t * c.x + t * t * b.x, y: u * u * a.y + 2 * u * t * c.y + t * t * b.y, degrees: (Math.atan2(dy, dx) * 180) / Math.PI };
}

/** The same curve without `head` px at its beginning and `tail` px at its end. */
export function trimmed(curve, head, tail) {
  const lengths = [0];
  let last = curve.a;
  for (let i = 1; i <= CURVE_STEPS; i++) {
    const next = pointOn(curve, i / CURVE_STEPS);
    lengths.push(lengths.at(-1) + Math.hypot(next.x - last.x, next.y - last.y));
    last = next;
  }
  const whole = lengths.at(-1);
  const spare = Math.min(1, (whole * 0.8) / (head + tail || 1));
  const at = (far) => {
    const i = Math.max(1, lengths.findIndex((length) => length >= far));
    const step = lengths[i] - lengths[i - 1] || 1;
    return (i - 1 + (far - lengths[i - 1]) / step) / CURVE_STEPS;
  };
  return between(curve, at(head * spare), at(whole - tail * spare));
}

/** The part of a quadratic curve from t0 to t1. */
export function between(curve, t0, t1) {
  const { a, c, b } = curve;
  const mix = (p, q, t) => ({ x: p.x + (q.x - p.x) * t, y: p.y + (q.y - p.y) * t });
  const left = mix(a, c, t0);
  const right = mix(c, b, t0);
  return { a: pointOn(curve, t0), c: mix(left, right, t1), b: pointOn(curve, t1) };
}

export const curvePath = ({ a, c, b }) => `M${round(a.x)} ${round(a.y)}Q${round(c.x)} ${round(c.y)} ${round(b.x)} ${round(b.y)}`;

/** Path of the keys from one part of the whole to another, clockwise; on a trie a line along its leaves. */
export function arcLine(room, from, to, out = 0) {
  const crossed = (((to - from) % 1) + 1) % 1 || (to === from ? 0 : 1);
  const a = placeOf(room, from, out);
  const b = placeOf(room, to, out);
  if (room.shape === "trie") return `M${round(a.x)} ${round(a.y)}L${round(b.x)} ${round(b.y)}`;
  const r = round(room.r + out);
  return `M${round(a.x)} ${round(a.y)}A${r} ${r} 0 ${crossed > 0.5 ? 1 : 0} 1 ${round(b.x)} ${round(b.y)}`;
}

/**
 * Places for names outside the ring: those that would cover an earlier one go further out, and if there is no room
 * either they are left out. `wanted`: [{part, text, strong}] in the order of their weight.
 */
export function ringLabels(room, wanted, taken = []) {
  const boxes = [...taken];
  return wanted.flatMap((label) => {
    const wide = label.text.length * (label.strong ? 7.4 : 6.4) + 4;
    for (const out of room.shape === "trie" ? [24, 40, 56] : [18, 32, 46]) {
      const at = placeOf(room, label.part, out);
      const sideways = room.shape === "trie" ? 0 : Math.cos(at.angle);
      const anchor = sideways > 0.35 ? "start" : sideways < -0.35 ? "end" : "middle";
      const middle = (at.x < wide / 2 ? "start" : at.x > room.edge - wide / 2 ? "end" : "middle");
      const by = anchor === "middle" ? middle : anchor;
      const left = by === "start" ? at.x : by === "end" ? at.x - wide : at.x - wide / 2;
      const box = { left, right: left + wide, top: at.y - 9, bottom: at.y + 7 };
      const inside = box.left > 0 && box.right < room.edge && box.top > 0 && box.bottom < room.height;
      if (!inside || boxes.some((other) => other.left < box.right && box.left < other.right && other.top < box.bottom && box.top < other.bottom)) continue;
      boxes.push(box);
      return [{ ...label, x: at.x, y: at.y + 4, anchor: by }];
    }
    return [];
  });
}

/** How many of the marks (sorted by position) fall into each of `count` equal parts. */
export function densityOf(marks, size, count) {
  const bins = new Array(count).fill(0);
  for (const { position } of marks) bins[Math.min(count - 1, Math.floor((position / size) * count))] += 1;
  return bins;
}

/** The part of the ring that a lens enlarges: from the hop that is `back` before the last to a little past the key. */
export function lensOf(positions, key, size) {
  const known = positions.filter((position) => position !== null);
  if (!known.length) return null;
  const before = known.slice(-4).map((position) => (((key - position) % size) + size) % size).filter((far) => far < size / 8);
  if (!before.length) return null;
  const reach = Math.max(...before, size / 2 ** 40, 8);
  return { from: (((key - reach * 1.15) % size) + size) % size, length: reach * 1.5 };
}

/** The marks (sorted) inside a lens: [{mark, part}], part 0 to 1 of the lens; at most `most`, spread evenly. */
export function inLens(marks, lens, size, most) {
  const inside = marks.map((mark) => ({ mark, part: ((((mark.position - lens.from) % size) + size) % size) / lens.length })).filter(({ part }) => part <= 1);
  const step = Math.max(1, Math.ceil(inside.length / most));
  return inside.filter((_, i) => i % step === 0);
}

/**
 * A binary trie over keys (sorted, different): its branchings as [{depth, part, left, right}], where `part` is the place
 * above the leaves and left, right are {part, depth} of what hangs there; depth is how many bits all keys below share.
 */
export function trieOf(positions, bits) {
  const size = 2 ** bits;
  const nodes = [];
  const build = (low, high, depth) => {
    if (high - low === 1) return { part: (positions[low] + 0.5) / size, depth: bits };
    let start = 0;
    let far = depth;
    for (; far < bits; far++) {
      start = split(positions, low, high, bits, far);
      if (start > low && start < high) break;
    }
    const left = build(low, start, far + 1);
    const right = build(start, high, far + 1);
    const made = { depth: far, part: (left.part + right.part) / 2, left, right };
    nodes.push(made);
    return made;
  };
  if (positions.length > 1) build(0, positions.length, 0);
  return nodes;
}

// The first index from which bit `far` (0 is the highest) is 1; between low and high all higher bits are equal.
function split(positions, low, high, bits, far) {
  const half = 2 ** (bits - 1 - far);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Math.floor(positions[middle] / half) % 2 === 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
