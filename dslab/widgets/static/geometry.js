// Where things stand on the stage. Pure numbers in design pixels (13 px text); nothing here touches a document.

export const NODE = { body: 24, ring: 29.5, timer: 36, focus: 44, pips: 48, pipsFocus: 58, link: 40, message: 41 };
const LANE = 5;
const POPOVER_WIDTH = 294;

/**
 * Positions and scale for `ids`, in a stage `width` px wide of layout wide | one | small: a ring (from 13 nodes on an
 * ellipse, from 29 a grid), or with shape "rows" servers in one row and clients in the row below.
 */
export function stageLayout(ids, width, mode, popover = false, shape = "ring") {
  const frame = stageFrame(width, mode, popover && mode !== "small");
  const n = ids.length;
  const scale = n <= 6 ? 1 : n <= 7 ? 0.85 : n <= 12 ? 0.75 : 0.6;
  const wider = n === 7 ? 12 : 0;
  const inRow = shape === "rows" && n <= 12;
  const places = inRow ? bowedRow(frame, n) : n <= 12 ? ellipse(frame, n, frame.radius + wider, frame.radius + wider)
    : n <= 28 ? ellipse(frame, n, frame.cx - 46, frame.height / 2 - 50)
      : rows(frame, n);
  const nodes = new Map(ids.map((id, i) => [id, places[i]]));
  return {
    ...frame, nodes, inRow, scale: inRow ? Math.min(scale, rowStep(frame, n) / 92) : n <= 28 ? scale : rowScale(frame, n), order: [...ids],
    labels: n > 12 ? "focus" : n > 7 || frame.nameOnly ? "name" : "full",
  };
}

function stageFrame(width, mode, popover) {
  const room = Math.max(200, width - POPOVER_WIDTH);
  if (mode === "small") return { width, height: 316, cx: width / 2, cy: 160, radius: 94, nameOnly: true };
  if (popover) {
    const height = mode === "wide" ? 374 : 340;
    const cy = mode === "wide" ? 198 : 184;
    return { width, height, cx: Math.min(mode === "wide" ? 172 : 200, room / 2), cy, radius: Math.min(106, room / 2 - 60),
      nameOnly: true, rightTaken: true };
  }
  if (mode === "wide") return { width, height: 374, cx: width / 2, cy: 172, radius: 124, nameOnly: false };
  return { width, height: 352, cx: width / 2, cy: 158, radius: 112, nameOnly: false };
}

// Equal steps along the curve: on a flat ellipse equal angles would crowd the ends.
function ellipse(frame, n, rx, ry) {
  const steps = rx === ry ? n : 720;
  const points = Array.from({ length: steps }, (_, i) => {
    const angle = -Math.PI / 2 + (2 * Math.PI * i) / steps;
    return { x: frame.cx + rx * Math.cos(angle), y: frame.cy + ry * Math.sin(angle), angle };
  });
  const walked = [0];
  points.forEach((point, i) => {
    const next = points[(i + 1) % steps];
    walked.push(walked[i] + Math.hypot(next.x - point.x, next.y - point.y));
  });
  return Array.from({ length: n }, (_, k) => points[walked.findIndex((way) => way >= (k * walked[steps]) / n - 1e-6)]);
}

const rowStep = (frame, n) => (2 * Math.min(frame.cx, 330)) / n;

// Bowed, so that no link hides another: a straight row would put all of them on one line.
function bowedRow(frame, n) {
  const step = rowStep(frame, n);
  return Array.from({ length: n }, (_, i) => {
    const off = n > 1 ? (2 * i) / (n - 1) - 1 : 0;
    return { x: frame.cx + (i - (n - 1) / 2) * step, y: 108 + 84 * off * off, angle: Math.PI / 2 };
  });
}

function rowGrid(frame, n) {
  const columns = Math.ceil(Math.sqrt((n * frame.width) / frame.height));
  return { columns, rows: Math.ceil(n / columns) };
}

function rowScale(frame, n) {
  const { columns, rows: count } = rowGrid(frame, n);
  return Math.min(0.6, (frame.width - 20) / columns / 84, (frame.height - 60) / count / 84);
}

function rows(frame, n) {
  const { columns, rows: count } = rowGrid(frame, n);
  return Array.from({ length: n }, (_, i) => ({
    x: ((i % columns) + 0.5) * (frame.width / columns),
    y: 34 + (Math.floor(i / columns) + 0.5) * ((frame.height - 64) / count),
    angle: 0,
  }));
}

/** Clients stand at the lower corners, outside the ring: left first, then right. */
export function clientPlaces(ids, layout) {
  return new Map(ids.map((id, i) => {
    const left = i % 2 === 0 || layout.rightTaken;
    const x = left ? 34 + 52 * Math.floor(i / (layout.rightTaken ? 1 : 2)) : layout.width - 34;
    return [id, { x, y: layout.height - 58, angle: Math.PI / 2 }];
  }));
}

/** Straight way between two places, shortened by `gap` at both ends; `lane` px to the right of its direction. */
export function route(from, to, gap, lane = 0) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy) || 1;
  const ux = dx / length;
  const uy = dy / length;
  const shiftX = -uy * lane;
  const shiftY = ux * lane;
  return {
    x1: from.x + ux * gap + shiftX, y1: from.y + uy * gap + shiftY,
    x2: to.x - ux * gap + shiftX, y2: to.y - uy * gap + shiftY,
    ux, uy, length: Math.max(0, length - 2 * gap), degrees: (Math.atan2(dy, dx) * 180) / Math.PI,
  };
}

/** The way of a message: keeps right, from edge to edge. */
export function messageRoute(from, to, scale) {
  return route(from, to, NODE.message * scale, LANE * Math.min(1, scale + 0.2));
}

/** The point at `fraction` of a route. */
export function along(way, fraction) {
  return { x: way.x1 + (way.x2 - way.x1) * fraction, y: way.y1 + (way.y2 - way.y1) * fraction };
}

/** How far a message has flown at `us`, 0 to 1. */
export function flownFraction(sentUs, dueUs, us) {
  if (us <= sentUs) return 0;
  if (dueUs === null || dueUs <= sentUs) return dueUs === null ? 0 : 1;
  return Math.min(1, (us - sentUs) / (dueUs - sentUs));
}

/** In reduced motion a message stands at the last quarter passed. */
export function quarterOf(fraction) {
  return Math.min(0.75, Math.floor(fraction * 4) / 4);
}

/** Clockwise arc from 12 o'clock over `fraction` of the circle. */
export function arcPath(r, fraction) {
  if (fraction <= 0) return "";
  if (fraction >= 0.9999) return `M0 ${-r}A${r} ${r} 0 1 1 0 ${r}A${r} ${r} 0 1 1 0 ${-r}`;
  const angle = 2 * Math.PI * fraction;
  return `M0 ${-r}A${r} ${r} 0 ${fraction > 0.5 ? 1 : 0} 1 ${fix(r * Math.sin(angle))} ${fix(-r * Math.cos(angle))}`;
}

/** Tick across the timer ring at `fraction` of the maximum. */
export function tickPath(fraction, inner = 32.5, outer = 40) {
  const angle = 2 * Math.PI * fraction;
  const x = Math.sin(angle);
  const y = -Math.cos(angle);
  return `M${fix(inner * x)} ${fix(inner * y)}L${fix(outer * x)} ${fix(outer * y)}`;
}

/** Round to a tenth of a pixel: shorter attributes, fewer changes. */
export function fix(value) {
  return Math.round(value * 10) / 10;
}

/** Outward direction of a node, for names and pips. */
export function outward(place) {
  return { x: Math.cos(place.angle), y: Math.sin(place.angle) };
}

/**
 * Band lines of a partition on a ring: for every run of neighbours that is not of the largest group, the line through
 * the middles of the two ring links at its ends, 60 px longer at each end.
 */
export function cutBands(groups, layout, beyond = 60) {
  const groupOf = new Map(groups.flatMap((group, i) => group.map((id) => [id, i])));
  const order = layout.order.filter((id) => groupOf.has(id));
  if (order.length < 2 || groups.length < 2) return [];
  const largest = groups.reduce((best, group, i) => (group.length > groups[best].length ? i : best), 0);
  const runs = ringRuns(order, (id) => groupOf.get(id)).filter((run) => run.group !== largest);
  return runs.map((run) => {
    const start = middle(layout, order.at(run.start - 1), order[run.start]);
    const end = middle(layout, order[run.end % order.length], order[(run.end + 1) % order.length]);
    return longer(start, end, layout, beyond);
  });
}

function ringRuns(order, groupOf) {
  const n = order.length;
  const starts = order.map((id, i) => i).filter((i) => groupOf(order[i]) !== groupOf(order.at(i - 1)));
  return starts.map((start, k) => {
    const next = starts[(k + 1) % starts.length] + (k + 1 === starts.length ? n : 0);
    return { start, end: next - 1, group: groupOf(order[start]) };
  });
}

function middle(layout, a, b) {
  const from = layout.nodes.get(a);
  const to = layout.nodes.get(b);
  return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
}

function longer(start, end, layout, beyond) {
  let dx = end.x - start.x;
  let dy = end.y - start.y;
  let length = Math.hypot(dx, dy);
  if (length < 1) {
    // Both ends are one link (two nodes): stand across it.
    dx = -(start.y - layout.nodes.get(layout.order[0]).y);
    dy = start.x - layout.nodes.get(layout.order[0]).x;
    length = Math.hypot(dx, dy) || 1;
  }
  const ux = dx / length;
  const uy = dy / length;
  return { x1: start.x - ux * beyond, y1: start.y - uy * beyond, x2: end.x + ux * beyond, y2: end.y + uy * beyond };
}

/** Where two segments cross, or null. */
export function crossing(a, b) {
  const rx = a.x2 - a.x1;
  const ry = a.y2 - a.y1;
  const sx = b.x2 - b.x1;
  const sy = b.y2 - b.y1;
  const area = rx * sy - ry * sx;
  if (Math.abs(area) < 1e-9) return null;
  const t = ((b.x1 - a.x1) * sy - (b.y1 - a.y1) * sx) / area;
  const u = ((b.x1 - a.x1) * ry - (b.y1 - a.y1) * rx) / area;
  return t >= 0 && t <= 1 && u >= 0 && u <= 1 ? { x: a.x1 + t * rx, y: a.y1 + t * ry } : null;
}

/** Two groups by the sides of a drawn line, or null when it crosses no link. */
export function groupsByLine(line, layout) {
  const side = (place) => (line.x2 - line.x1) * (place.y - line.y1) - (line.y2 - line.y1) * (place.x - line.x1) > 0;
  const ids = layout.order;
  const left = ids.filter((id) => side(layout.nodes.get(id)));
  const right = ids.filter((id) => !side(layout.nodes.get(id)));
  const crossed = left.some((a) => right.some((b) => {
    const from = layout.nodes.get(a);
    const to = layout.nodes.get(b);
    return crossing(line, { x1: from.x, y1: from.y, x2: to.x, y2: to.y });
  }));
  if (!crossed) return null;
  return left.includes(ids[0]) ? [left, right] : [right, left];
}

/** The nearest place from `id` in the direction (dx, dy), for arrow keys; `id` itself if there is none. */
export function neighbour(places, id, dx, dy) {
  const from = places.get(id);
  let best = id;
  let bestCost = Infinity;
  for (const [other, place] of places) {
    const ahead = (place.x - from.x) * dx + (place.y - from.y) * dy;
    const aside = Math.abs((place.x - from.x) * dy - (place.y - from.y) * dx);
    if (other === id || ahead < 2) continue;
    const cost = ahead + 1.5 * aside;
    if (cost < bestCost) [best, bestCost] = [other, cost];
  }
  return best;
}
