// Draws a space-time diagram on a canvas. Rules of the picture are at the top of spacetime.js.
import { h } from "./format.js";
import { laneOf } from "./trace.js";
import { beadsWithin } from "./spacelayout.js";

const SPACE_TOKENS = {
  ink: "--ds-ink", ink2: "--ds-ink2", bg: "--ds-bg", mark: "--ds-mark", line2: "--ds-line2", line: "--ds-line", wash: "--ds-wash",
  danger: "--ds-danger", onDanger: "--ds-on-danger", focus: "--ds-focus",
};
const RAIL = 4;                // half the width of a leader's band
const FAINT = 0.35;
const CAP = 9;
const BEAD_PX = 34;

/** The colours in force where `el` stands, and the hatch made of them. */
export function spaceColours(doc, el) {
  const probe = h(doc, "span", { hidden: true, style: "forced-color-adjust: none" });
  el.append(probe);
  const read = (name) => {
    probe.style.color = `var(${name})`;
    return doc.defaultView.getComputedStyle(probe).color;
  };
  const colours = Object.fromEntries(Object.entries(SPACE_TOKENS).map(([key, name]) => [key, read(name)]));
  colours.terms = [1, 2, 3, 4, 5, 6].map((i) => read(`--ds-t${i}`));
  colours.font = doc.defaultView.getComputedStyle(el).fontFamily;
  probe.remove();
  colours.hatch = hatchOf(doc, colours.mark);
  colours.hatchDanger = hatchOf(doc, colours.danger);
  return colours;
}

function hatchOf(doc, colour) {
  const tile = h(doc, "canvas", { width: 12, height: 12 });
  const pen = tile.getContext("2d");
  if (!pen) return colour;
  pen.strokeStyle = colour;
  pen.lineWidth = 3;
  for (const shift of [-12, 0, 12]) {
    pen.moveTo(shift - 3, 15);
    pen.lineTo(shift + 15, -3);
  }
  pen.stroke();
  const pattern = pen.createPattern(tile, "repeat");
  pattern?.setTransform?.(new doc.defaultView.DOMMatrix([0.5, 0, 0, 0.5, 0, 0]));
  return pattern;
}

/** Fill of a term, and what is written on it. */
function termPaint(colours, term) {
  if (!Number.isInteger(term) || term < 1) return { fill: colours.bg, text: colours.ink };
  const turn = (term - 1) % 6;
  return { fill: colours.terms[turn], text: turn === 0 ? "#fff" : "#000" };
}

/** A pen with the few strokes that the diagram needs; `point(u, v)` turns along and across into x and y. */
function strokesOf(pen, point) {
  return {
    lines(items, style, dash = []) {
      if (!items.length) return;
      Object.assign(pen, style);
      pen.setLineDash(dash);
      pen.beginPath();
      for (const [a, b] of items) {
        pen.moveTo(...a);
        pen.lineTo(...b);
      }
      pen.stroke();
      pen.setLineDash([]);
    },
    discs(items, r, fill, stroke, width) {
      if (!items.length) return;
      pen.beginPath();
      for (const [x, y] of items) {
        pen.moveTo(x + r, y);
        pen.arc(x, y, r, 0, 2 * Math.PI);
      }
      if (fill) {
        pen.fillStyle = fill;
        pen.fill();
      }
      if (stroke) {
        pen.strokeStyle = stroke;
        pen.lineWidth = width;
        pen.stroke();
      }
    },
    /** A strip along a lane from u to u, `half` px to each side. */
    strip(u1, u2, v, half, round = 0) {
      const [x1, y1] = point(u1, v - half);
      const [x2, y2] = point(u2, v + half);
      pen.beginPath();
      pen.roundRect(Math.min(x1, x2), Math.min(y1, y2), Math.abs(x2 - x1), Math.abs(y2 - y1), round);
    },
    text(words, x, y, { fill, size = 11, weight = 400, align = "center", halo = null, font }) {
      pen.font = `${weight} ${size}px ${font}`;
      pen.textAlign = align;
      pen.textBaseline = "middle";
      if (halo) {
        pen.strokeStyle = halo;
        pen.lineWidth = 4;
        pen.lineJoin = "round";
        pen.strokeText(words, x, y);
      }
      pen.fillStyle = fill;
      pen.fillText(words, x, y);
    },
  };
}

/**
 * Draws one diagram. `d` has the trace, its layout, `at(i)`, `from(k)`, `to(k)` (px along, in the window), `lane(id)` (px
 * across) and `lanes`; `look` says what is chosen. `window` is {vertical, low, high, extent, point, gutter, breadth}.
 */
export function paintDiagram(pen, d, look, window, colours) {
  const { point } = window;
  const draw = strokesOf(pen, point);
  const span = [-CAP * 2, window.extent + CAP * 2];
  const inView = (u) => Math.min(span[1], Math.max(span[0], u));
  const start = d.begin ?? span[0];
  const font = colours.font;
  paintLanes();
  paintSpans();
  const flights = d.layout.messages.within(window.low, window.high).map(flight);
  paintMessages(flights);
  const events = d.layout.events.within(window.low, window.high).map((i) => ({ i, u: d.at(i), v: d.lane(laneOf(d.trace.events, i)) }))
    .filter(({ v }) => v !== undefined);
  paintEdges();
  paintEvents(events);
  for (const bead of d.hidden.beads) paintBeads(bead);
  paintGlyphs(flights);
  paintChosen(events);
  return { flights, events };

  function laneEnd() {
    return Math.min(span[1], d.end ?? span[1]);
  }

  // In a cone each lane has a past (solid), what is neither (hatched) and a future (double).
  function paintLanes() {
    const plain = [];
    for (const id of d.lanes) {
      const v = d.lane(id);
      const a = Math.max(span[0], start);
      if (!look.cone) {
        plain.push([point(a, v), point(laneEnd(), v)]);
        continue;
      }
      const { past, first } = look.coneLanes.get(id) ?? {};
      const known = past === undefined ? a : inView(d.at(past));
      const after = first === undefined ? laneEnd() : inView(d.at(first));
      if (known > a) draw.lines([[point(a, v), point(known, v)]], { strokeStyle: colours.ink, lineWidth: 2.5 });
      if (after > known) {
        draw.strip(known, after, v, 3.5);
        pen.fillStyle = colours.hatch;
        pen.fill();
      }
      if (after < laneEnd()) {
        draw.lines([[point(after, v), point(laneEnd(), v)]], { strokeStyle: colours.ink, lineWidth: 6 });
        draw.lines([[point(after, v), point(laneEnd(), v)]], { strokeStyle: colours.bg, lineWidth: 3.2 });
      }
    }
    draw.lines(plain, { strokeStyle: colours.mark, lineWidth: 1.25 }, d.other ? [4, 2.5] : []);
  }

  function paintSpans() {
    for (const { lane, kind, term, from, to } of d.spans) {
      const v = d.lane(lane);
      if (v === undefined) continue;
      const u1 = Math.max(d.at(from), start);
      const u2 = to === null ? laneEnd() : d.at(to);
      if (u2 < span[0] || u1 > span[1] || u2 <= u1) continue;
      const [a, b] = [inView(u1), inView(u2)];
      if (kind === "down") {
        draw.strip(a, b, v, RAIL + 2.5);
        pen.fillStyle = colours.bg;
        pen.fill();
        draw.lines([[point(a, v), point(b, v)]], { strokeStyle: colours.line2, lineWidth: 1.5 }, [2, 4]);
      } else if (kind === "paused") {
        draw.strip(a, b, v, RAIL + 0.5);
        pen.fillStyle = colours.bg;
        pen.fill();
        pen.fillStyle = colours.hatch;
        pen.fill();
        pen.strokeStyle = colours.mark;
        pen.lineWidth = 1;
        pen.stroke();
        draw.lines([u1, u2].map((u) => [point(u, v - 7), point(u, v + 7)]), { strokeStyle: colours.ink2, lineWidth: 2 });
      } else if (!look.cone) {
        const { fill } = termPaint(colours, term);
        draw.strip(a, b, v, d.other ? RAIL - 0.75 : RAIL, RAIL);
        pen.fillStyle = fill;
        pen.fill();
        pen.strokeStyle = colours.ink;
        pen.lineWidth = 1;
        if (kind === "stands") pen.setLineDash([3, 2.2]);
        pen.stroke();
        pen.setLineDash([]);
      }
    }
  }

  function flight(k) {
    const { messages } = d.trace;
    const end = messages.endEvent(k);
    const over = end !== null;
    const v1 = d.lane(messages.from(k));
    const v2 = d.lane(messages.to(k));
    const sent = messages.sentEvent(k);
    let [u1, u2] = [d.from(k), d.to(k)];
    const lost = over && messages.fate(k) === "dropped";
    let fraction = 1;
    if (lost) {
      // It died on its way: the arrow's whole length is the way it would have gone.
      const due = messages.dueUs(k);
      const flown = messages.endUs(k) - messages.sentUs(k);
      const whole = due !== null && due > messages.sentUs(k) ? due - messages.sentUs(k) : 0;
      fraction = whole ? Math.min(1, Math.max(0.25, flown / whole)) : 0.5;
      if (fraction > 0.9) fraction = 1;
      u2 = u1 + (u2 - u1) / (d.layout.axis === "time" && whole && flown ? Math.min(1, Math.max(0.05, flown / whole)) : 1);
    }
    const [x1, y1] = point(u1, v1);
    const [x2, y2] = point(u2, v2);
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const later = sent > look.event;
    return {
      k, x1, y1, x2, y2, length, ux: (x2 - x1) / length, uy: (y2 - y1) / length, lost, fraction, over, later,
      klass: messages.klass(k), term: messages.term(k), relation: relationOf(sent, end, lost),
    };
  }

  // past, future or other, for a cone; in a cut: crossing or orphan.
  function relationOf(sent, end, lost) {
    if (!look.cone) return null;
    const { event, past, future } = look.cone;
    if (end !== null && !lost && (end === event || past.has(end))) return "past";
    return sent === event || future.has(sent) ? "future" : "other";
  }

  function groupOf(f) {
    if (look.orphans?.has(f.k)) return "orphan";
    if (look.channels?.has(f.k)) return "crossing";
    if (f.k === look.message) return "chosen";
    if (f.relation) return f.relation;
    if (look.found && !look.found.messages.has(f.k)) return "unfound";
    return f.klass === "heartbeat" ? "beat" : "plain";
  }

  function paintMessages(all) {
    const groups = new Map();
    for (const f of all) {
      const name = `${groupOf(f)}${look.ranked && f.later ? " later" : ""}`;
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(f);
    }
    const styles = {
      plain: [colours.ink, 1.3], beat: [colours.mark, 1], other: [colours.mark, 1, [1, 3]], unfound: [colours.line2, 1], past: [colours.ink, 1.75],
      future: [colours.ink, 3.6], chosen: [colours.ink, 2.25], crossing: [colours.ink, 2.5], orphan: [colours.danger, 2.5],
    };
    for (const [name, items] of groups) {
      const [group, later] = name.split(" ");
      const [strokeStyle, lineWidth, dash] = styles[group];
      pen.globalAlpha = later ? FAINT : 1;
      const flown = items.map((f) => [[f.x1, f.y1], along(f, f.lost ? f.fraction : 1, f.lost ? 0 : 5)]);
      draw.lines(flown, { strokeStyle, lineWidth }, dash ?? (d.other ? [5, 3] : []));
      if (group === "future") draw.lines(flown, { strokeStyle: colours.bg, lineWidth: 1.4 });
      const lost = items.filter((f) => f.lost && f.fraction < 1);
      draw.lines(lost.map((f) => [along(f, f.fraction), along(f, 1, 4)]), { strokeStyle: colours.danger, lineWidth: 1 }, [1.5, 3.5]);
      const heads = items.filter((f) => !f.lost);
      pen.fillStyle = strokeStyle;
      pen.beginPath();
      for (const f of heads) {
        const [x, y] = along(f, 1, 4.5);
        const size = f.klass === "heartbeat" ? 5.5 : 7;
        pen.moveTo(x, y);
        pen.lineTo(x - f.ux * size - f.uy * size * 0.42, y - f.uy * size + f.ux * size * 0.42);
        pen.lineTo(x - f.ux * size + f.uy * size * 0.42, y - f.uy * size - f.ux * size * 0.42);
      }
      if (group === "unfound" || group === "other") pen.fillStyle = group === "other" ? colours.mark : colours.line2;
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  function along(f, fraction, short = 0) {
    return [f.x1 + (f.x2 - f.x1) * fraction - f.ux * short, f.y1 + (f.y2 - f.y1) * fraction - f.uy * short];
  }

  // What leads through hidden lanes.
  function paintEdges() {
    const items = (d.edges ?? []).map(({ from, to, send, receive }) => [point(d.at(send), d.lane(from)), point(d.at(receive), d.lane(to))])
      .filter(([a, b]) => a.every(Number.isFinite) && b.every(Number.isFinite));
    draw.lines(items, { strokeStyle: colours.ink2, lineWidth: 1.25 }, [6, 4]);
  }

  function paintEvents(all) {
    const kinds = new Map();
    for (const item of all) {
      const { i } = item;
      const kind = d.unmatched?.has(i) ? "unmatched" : markOf(d.trace, i);
      const dim = (look.found && !look.found.events.has(i)) || (look.ranked && i > look.event)
        || (look.cone && i !== look.cone.event && !look.cone.past.has(i) && !look.cone.future.has(i));
      const name = `${kind}${dim ? " dim" : ""}`;
      if (!kinds.has(name)) kinds.set(name, []);
      kinds.get(name).push(point(item.u, item.v));
    }
    for (const [name, points] of kinds) {
      const [kind, dim] = name.split(" ");
      pen.globalAlpha = dim ? FAINT : 1;
      paintMarks(kind, points);
    }
    pen.globalAlpha = 1;
  }

  function paintMarks(kind, points) {
    const across = (half) => points.map(([x, y]) => (window.vertical ? [[x - half, y], [x + half, y]] : [[x, y - half], [x, y + half]]));
    switch (kind) {
      case "timer":
        draw.discs(points, 4.5, colours.bg, colours.ink, 1.4);
        draw.lines(points.flatMap(([x, y]) => [[[x, y - 2.6], [x, y]], [[x, y], [x + 2, y + 0.8]]]), { strokeStyle: colours.ink, lineWidth: 1.2 });
        break;
      case "crash":
        for (const [colour, width] of [[colours.bg, 7], [colours.danger, 2.75]]) {
          draw.lines(points.flatMap(([x, y]) => [[[x - 5.5, y - 5.5], [x + 5.5, y + 5.5]], [[x + 5.5, y - 5.5], [x - 5.5, y + 5.5]]]), { strokeStyle: colour, lineWidth: width, lineCap: "round" });
        }
        pen.lineCap = "butt";
        break;
      case "restart":
        pen.setLineDash([2, 2.6]);
        draw.discs(points, 6.5, colours.bg, colours.mark, 1.5);
        pen.setLineDash([]);
        break;
      case "traitor":
        for (const [x, y] of points) {
          pen.beginPath();
          for (let at = 0; at < 16; at++) pen.lineTo(x + (at % 2 ? 5.5 : 8) * Math.cos((at * Math.PI) / 8), y + (at % 2 ? 5.5 : 8) * Math.sin((at * Math.PI) / 8));
          pen.closePath();
          pen.fillStyle = colours.bg;
          pen.fill();
          pen.strokeStyle = colours.ink;
          pen.lineWidth = 1.5;
          pen.stroke();
        }
        break;
      case "write": draw.lines(across(4.5), { strokeStyle: colours.ink2, lineWidth: 2 }); break;
      case "commit": draw.lines(across(7), { strokeStyle: colours.ink, lineWidth: 3.5 }); break;
      case "start": draw.lines(across(6), { strokeStyle: colours.ink2, lineWidth: 1.5 }); break;
      case "none": break;
      case "unmatched":
        pen.beginPath();
        for (const [x, y] of points) {
          pen.moveTo(x, y - 6);
          pen.lineTo(x + 6, y);
          pen.lineTo(x, y + 6);
          pen.lineTo(x - 6, y);
          pen.closePath();
        }
        pen.fillStyle = d.other ? colours.bg : colours.ink;
        pen.fill();
        pen.strokeStyle = colours.ink;
        pen.lineWidth = 1.5;
        pen.stroke();
        break;
      case "arrival": draw.discs(points, 2.2, colours.ink); break;
      default: draw.discs(points, 3.4, colours.ink);
    }
  }

  // One bead for what is folded within its own room; further apart, one more.
  function paintBeads({ lane, events: folded }) {
    const v = d.lane(lane);
    if (v === undefined || d.at(folded[0]) > span[1] || d.at(folded.at(-1)) < span[0]) return;
    for (const { from, to } of beadsWithin(folded, d.at, span[0] - BEAD_PX, span[1], BEAD_PX)) {
      paintBead(String(to - from), ...point((d.at(folded[from]) + d.at(folded[to - 1])) / 2, v));
    }
  }

  function paintBead(words, x, y) {
    const half = 8 + Math.max(0, words.length - 2) * 3;
    pen.beginPath();
    pen.roundRect(x - half, y - 8, 2 * half, 16, 8);
    pen.fillStyle = colours.bg;
    pen.fill();
    pen.strokeStyle = colours.mark;
    pen.lineWidth = 1.25;
    pen.stroke();
    draw.text(words, x, y + 0.5, { fill: colours.ink2, weight: 600, font });
  }

  // A mark stands beside the lane where its message stands alone: at the sender of one, at the receivers of many.
  function paintGlyphs(all) {
    for (const f of all) {
      const dim = f.relation === "other" || (look.found && !look.found.messages.has(f.k)) || (look.ranked && f.later);
      pen.globalAlpha = dim ? FAINT : 1;
      if (f.lost) paintCross(...along(f, f.fraction, f.fraction === 1 ? 9 : 0));
      const reach = Math.min(20, f.length * 0.4);
      const near = d.alone[f.k] || f.lost ? reach / f.length : 1 - reach / f.length;
      paintGlyph(f, ...along(f, near));
    }
    pen.globalAlpha = 1;
  }

  function paintCross(x, y) {
    for (const [strokeStyle, lineWidth] of [[colours.bg, 6], [colours.danger, 2.25]]) {
      draw.lines([[[x - 4, y - 4], [x + 4, y + 4]], [[x + 4, y - 4], [x - 4, y + 4]]], { strokeStyle, lineWidth });
    }
  }

  function paintGlyph({ klass, term }, x, y) {
    switch (klass) {
      case "heartbeat": return draw.discs([[x, y]], 2.6, colours.ink);
      case "entry": {
        const { fill, text } = termPaint(colours, term);
        pen.beginPath();
        pen.roundRect(x - 7, y - 7, 14, 14, 2.5);
        pen.fillStyle = fill;
        pen.fill();
        pen.strokeStyle = colours.ink;
        pen.lineWidth = 1.25;
        pen.stroke();
        return draw.text(String(term ?? ""), x, y + 0.5, { fill: text, weight: 600, font });
      }
      case "forged":
        pen.beginPath();
        pen.moveTo(x, y - 7);
        pen.lineTo(x + 7, y + 5);
        pen.lineTo(x - 7, y + 5);
        pen.closePath();
        pen.fillStyle = colours.bg;
        pen.fill();
        pen.strokeStyle = colours.ink;
        pen.lineWidth = 1.4;
        pen.stroke();
        return draw.lines([[[x, y - 3], [x, y + 0.8]], [[x, y + 2.4], [x, y + 3.4]]], { strokeStyle: colours.ink, lineWidth: 1.4 });
      case "reply": case "yes": case "no": {
        draw.discs([[x, y]], 5, colours.bg, colours.ink, 1.5);
        const arms = klass === "reply" ? [] : [[[x - 2.4, y], [x + 2.4, y]], ...(klass === "yes" ? [[[x, y - 2.4], [x, y + 2.4]]] : [])];
        return draw.lines(arms, { strokeStyle: colours.ink, lineWidth: 1.4 });
      }
      default: return draw.discs([[x, y]], 4.5, colours.ink, colours.bg, 1.25);
    }
  }

  function paintChosen(all) {
    for (const { kind, term, from, lane } of d.spans) {
      if (kind !== "leads" && kind !== "stands") continue;
      const [u, v] = [d.at(from), d.lane(lane)];
      if (v === undefined || term === null || u < span[0] || u > span[1] || u < start) continue;
      const { fill, text } = termPaint(colours, term);
      const [x, y] = point(u, v);
      if (kind === "stands") pen.setLineDash([3, 2.2]);
      draw.discs([[x, y]], 9, fill, colours.ink, 1.25);
      pen.setLineDash([]);
      draw.text(String(term), x, y + 0.5, { fill: text, weight: 600, font });
    }
    const named = new Map(look.tags ?? []);
    for (const { i, u, v } of all) {
      const [x, y] = point(u, v);
      if (look.found?.events.has(i)) draw.discs([[x, y]], 9, null, colours.mark, 1.5);
      if (look.broken?.has(i)) {
        draw.discs([[x, y]], 8, colours.danger, colours.bg, 2);
        draw.lines([[[x - 3, y - 3], [x + 3, y + 3]], [[x + 3, y - 3], [x - 3, y + 3]]], { strokeStyle: colours.onDanger, lineWidth: 2 });
      }
      if (!named.has(i)) continue;
      draw.discs([[x, y]], 9.5, null, colours.focus, 2);
      const letter = named.get(i);
      if (!letter) continue;
      pen.beginPath();
      pen.roundRect(x + 9, y - 16, 15, 15, 3);
      pen.fillStyle = colours.ink;
      pen.fill();
      draw.text(letter, x + 16.5, y - 8, { fill: colours.bg, weight: 600, font });
    }
  }
}

function markOf(trace, i) {
  const kind = trace.kind(i);
  if (trace.patch(i).some(([name, value]) => name === "commit_index" || (name === "chosen" && value !== null)) && kind !== "start" && kind !== "restart") return "commit";
  switch (kind) {
    case "deliver": return "arrival";
    case "timeout": return "timer";
    case "turn_traitor": return "traitor";
    case "pause": case "resume": return "none";
    default: return kind;
  }
}

/** The way of a chain of events, drawn over everything: ink with a casing of paper. */
export function paintPath(pen, points, colours) {
  for (const [strokeStyle, lineWidth] of [[colours.bg, 7], [colours.ink, 3.5]]) {
    pen.beginPath();
    points.forEach(([x, y], at) => (at ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    Object.assign(pen, { strokeStyle, lineWidth, lineJoin: "round", lineCap: "round" });
    pen.stroke();
  }
  Object.assign(pen, { lineJoin: "miter", lineCap: "butt" });
}

/** A line across the lanes through one point of each: a cut, or the cursor where time is logical. */
export function paintFrontier(pen, points, colours, { width = 1.5, dash = [] } = {}) {
  for (const [strokeStyle, lineWidth] of [[colours.bg, width + 3], [colours.ink, width]]) {
    pen.beginPath();
    points.forEach(([x, y], at) => (at ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.setLineDash(strokeStyle === colours.ink ? dash : []);
    Object.assign(pen, { strokeStyle, lineWidth, lineJoin: "round" });
    pen.stroke();
  }
  pen.setLineDash([]);
}

/** Fault bars beside the axis and their edges across the lanes: partitions, cuts, altered links. */
export function paintFaults(pen, faults, window, colours) {
  faults.forEach(({ u1, u2, label, row }) => {
    const a = Math.max(-20, u1);
    const b = Math.min(window.extent + 20, u2);
    if (b <= a) return;
    const v = window.gutter - 8 - 11 * row;
    const [x1, y1] = window.point(a, v - 4);
    const [x2, y2] = window.point(b, v + 4);
    pen.fillStyle = colours.hatch;
    pen.strokeStyle = colours.mark;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.rect(Math.min(x1, x2), Math.min(y1, y2), Math.abs(x2 - x1), Math.abs(y2 - y1));
    pen.fill();
    pen.stroke();
    pen.setLineDash([7, 4]);
    pen.strokeStyle = colours.danger;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const u of [u1, u2]) {
      pen.moveTo(...window.point(u, v));
      pen.lineTo(...window.point(u, window.breadth));
    }
    pen.stroke();
    pen.setLineDash([]);
    const [x, y] = window.point(u1, window.breadth - 6);
    Object.assign(pen, { font: `400 11px ${colours.font}`, textAlign: window.vertical ? "right" : "left", textBaseline: "middle", fillStyle: colours.danger, strokeStyle: colours.bg, lineWidth: 4, lineJoin: "round" });
    const place = window.vertical ? [x, y + 9] : [x + 5, y - 2];
    pen.strokeText(label, ...place);
    pen.fillText(label, ...place);
  });
}

/** Lines across at round times, with their labels in the gutter. */
export function paintAxis(pen, ticks, window, colours) {
  pen.strokeStyle = colours.line;
  pen.lineWidth = 1;
  pen.beginPath();
  for (const { u } of ticks) {
    pen.moveTo(...window.point(u, window.gutter));
    pen.lineTo(...window.point(u, window.breadth));
  }
  pen.stroke();
  Object.assign(pen, { font: `400 11px ${colours.font}`, fillStyle: colours.ink2, textBaseline: "middle", textAlign: window.vertical ? "right" : "center" });
  for (const { u, text } of ticks) pen.fillText(text, ...window.point(u, window.label));
}

