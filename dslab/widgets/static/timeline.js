// The timeline as a line map: colour is who leads, a gap is nobody, a station is a term, a siding is a branch.

import { h, s, iconGroup, setAttrs, setText, clockText, termClass } from "./format.js";
import { eraOf } from "./glyphs.js";
import { fix, stageLayout } from "./geometry.js";
import { createFaultBars } from "./faultbars.js";

const LANE_PITCH = 36;
const FAULT_ROW = 14;
const TAG = { wide: 94, one: 94, small: 44 };
const LABEL_CHAR = 6.2;
const DEFAULT_WINDOW_US = 1_000_000;
const SNAP_PX = 6;

/** Round ticks for a window: about `count` of 1, 2 or 5 times a power of ten. */
export function axisTicks(from, to, count = 5) {
  const rough = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((size) => size >= rough * 0.999);
  const ticks = [];
  for (let us = Math.ceil(from / step) * step; us <= to + 1; us += step) ticks.push(us);
  return { ticks, decimals: Math.max(1, Math.min(3, 6 - Math.floor(Math.log10(step)))), step };
}

/** The stretch of time on show: it holds still until the cursor leaves it, then turns the page. */
export function followWindow(view, cursorUs, endUs) {
  const length = view.to - view.from;
  if (cursorUs >= view.from && cursorUs <= view.to) return view;
  const step = length / 10;
  const from = Math.max(0, Math.min(Math.floor((cursorUs - length * 0.2) / step) * step, Math.max(0, endUs - length)));
  return { from, to: from + length };
}

/** Rows for overlapping faults of one lane: each fault gets the first row that is free. */
export function faultRows(faults) {
  const ends = [];
  return faults.map((fault) => {
    let row = ends.findIndex((end) => end <= fault.from_us);
    if (row < 0) row = ends.push(0) - 1;
    ends[row] = fault.to_us ?? Infinity;
    return row;
  });
}

/**
 * Where the labels of fault bars {a, b, row, text} stand: behind the bar, before it, on it (shortened), or nowhere; never
 * on one another. Returns {x, anchor, text} or null for each.
 */
export function placeLabels(bars, left, right) {
  const placed = bars.map(() => null);
  for (const row of new Set(bars.map((bar) => bar.row))) {
    const line = bars.map((bar, i) => ({ ...bar, i })).filter((bar) => bar.row === row).sort((p, q) => p.a - q.a);
    let busy = left;
    line.forEach(({ a, b, text, i }, at) => {
      const width = text.length * LABEL_CHAR;
      const letters = Math.floor((b - a - 12) / LABEL_CHAR);
      const behind = (line[at + 1]?.a ?? right) - b - 14;
      if (width <= behind) placed[i] = { x: b + 7, anchor: "start", text };
      else if (width <= a - busy - 11) placed[i] = { x: a - 7, anchor: "end", text };
      else if (letters >= Math.min(4, text.length)) placed[i] = { x: (a + b) / 2, anchor: "middle", text: letters < text.length ? `${text.slice(0, letters - 1)}…` : text };
      busy = placed[i]?.anchor === "start" ? b + 7 + width : b;
    });
  }
  return placed;
}

/** Leader spans of a branch; derived from its stations when it has none. */
export function leaderSpans(branch) {
  return branch.leaders ?? [];
}

/** Slider words: "1.250 seconds, event 214 of 900, branch B"; without a count, where the run's length is a secret. */
export function cursorText(us, event, count, branch) {
  return `${clockText(us)} seconds, event ${event + 1}${count === null ? "" : ` of ${count}`}, branch ${branch}`;
}

/** The timeline. `handlers`: seek({us}|{event}), branch(id), move(times_us), locked() -> reason or null. */
export function createTimeline(ctx, handlers) {
  const { doc, store, spec } = ctx;
  const ids = { hatch: ctx.uid("fault"), past: ctx.uid("past"), future: ctx.uid("future") };
  const tags = h(doc, "div", { class: "ds-tags", role: "group", "aria-label": "Branches" });
  const svg = s(doc, "svg", { class: "ds-time-svg", "aria-hidden": "true", focusable: "false" });
  const track = h(doc, "div", { class: "ds-track", role: "slider", tabindex: "0", "aria-label": "Time" }, svg);
  const thumb = h(doc, "div", { class: "ds-thumb", hidden: true, "aria-hidden": "true" });
  const faults = createFaultBars(ctx, handlers.move);
  const el = h(doc, "div", { class: "ds-time" }, tags, track, faults.el, faults.form, thumb);
  let size = { width: 1168, mode: "wide" };
  let view = null;
  let wasWhole = false;
  let plot = null;
  let lanes = [];
  let moving = {};

  const x = (us) => plot.left + ((us - view.from) / (view.to - view.from)) * (plot.right - plot.left);
  const timeAt = (px) => view.from + ((px - plot.left) / (plot.right - plot.left)) * (view.to - view.from);
  const endUs = () => Math.max(store.branch.until_us ?? 0, store.trace.endUs, 1);

  function firstWindow() {
    const end = endUs();
    if (end <= DEFAULT_WINDOW_US * 1.5) return { from: 0, to: end };
    const start = Math.max(0, Math.min(Math.floor((spec.start_us ?? 0) / 100_000) * 100_000, end - DEFAULT_WINDOW_US));
    return { from: start, to: start + DEFAULT_WINDOW_US };
  }

  /** Draw everything; needed after a new branch, size or window. */
  function rebuild(next = {}) {
    size = { ...size, ...next };
    // A run that was on show as a whole has gone on: choose the stretch anew, or it would turn page by page.
    if (!view || (wasWhole && endUs() > view.to)) view = firstWindow();
    view = followWindow(view, store.cursor.time_us, endUs());
    plot = { left: TAG[size.mode], right: size.width - (size.mode === "small" ? 18 : 30) };
    const marks = store.branches.some((branch) => branch.bookmarks?.length);
    let y = marks ? 36 : 22;
    lanes = store.branches.map((branch) => {
      const rows = faultRows(branch.faults ?? []);
      const lane = { branch, y, rows };
      y += LANE_PITCH + FAULT_ROW * Math.max(0, ...rows);
      return lane;
    });
    plot.axis = y + 1;
    const whole = view.from <= 0 && view.to >= endUs();
    wasWhole = whole;
    const height = plot.axis + (whole ? 18 : 34);
    svg.setAttribute("viewBox", `0 0 ${fix(size.width)} ${height}`);
    svg.style.width = `${fix(size.width / 13 * 100) / 100}em`;
    svg.replaceChildren(...drawing(marks, whole));
    drawTags(height);
    const shown = lanes.find((lane) => lane.branch.id === store.branch.id);
    faults.place(barsOf(shown).map((bar) => ({ ...bar, top: barTop(shown, bar.row) })));
    tick(store.cursor.time_us);
  }

  function drawing(marks, whole) {
    const grid = axis();
    moving = {
      past: s(doc, "rect", { x: 0, y: 0, height: 999 }), future: s(doc, "rect", { y: 0, width: 9999, height: 999 }),
      line: s(doc, "path", { class: "ds-ph-line" }), pill: pill(), labels: grid.labels,
    };
    return [
      s(doc, "defs", {},
        s(doc, "pattern", { id: ids.hatch, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
          s(doc, "path", { d: "M0 0V5", class: "ds-hatch-mark" })),
        s(doc, "clipPath", { id: ids.past }, moving.past), s(doc, "clipPath", { id: ids.future }, moving.future)),
      grid.lines, lanes.flatMap(faultBars), lanes.flatMap(lineShapes), moving.line, lanes.flatMap(markShapes),
      marks ? bookmarks() : null, grid.texts, moving.pill.g, whole ? null : overview(),
    ].flat().filter(Boolean);
  }

  function axis() {
    const count = size.mode === "small" ? 3 : 5;
    const { ticks, decimals } = axisTicks(view.from, view.to, count);
    const lines = ticks.map((us) => s(doc, "path", { d: `M${fix(x(us))} ${lanes[0].y - 14}V${plot.axis}`, class: "ds-grid" }));
    const labels = ticks.map((us) => ({
      us, el: s(doc, "text", { x: fix(x(us)), y: plot.axis + 12, "text-anchor": "middle", class: "ds-t12 ds-s" },
        `${(us / 1e6).toFixed(decimals)} s`),
    }));
    return { lines, labels, texts: labels.map((label) => label.el) };
  }

  function pill() {
    const text = s(doc, "text", { y: 4.3, "text-anchor": "middle", class: "ds-t12 ds-b ds-on-ink" });
    return { text, g: s(doc, "g", {}, s(doc, "rect", { x: -25, y: -10, width: 50, height: 20, rx: 10, class: "ds-ph-pill" }), text) };
  }

  function clipped(from, to) {
    const a = Math.max(from, view.from);
    const b = Math.min(to, view.to);
    return b > a ? [x(a), x(b)] : null;
  }

  // Leader colours on this lane, and a dotted line wherever nobody leads.
  function lineShapes({ branch, y }) {
    const current = branch.id === store.branch.id;
    const begin = branch.parent ? branch.fork_us : 0;
    const end = Math.max(branch.until_us ?? 0, current ? store.trace.endUs : 0);
    const shapes = forkShapes(branch, y);
    const groups = current ? [[8, ids.past], [4, ids.future]] : [[5, null]];
    const spans = leaderSpans(branch).map((span) => ({ ...span, from_us: Math.max(begin, span.from_us), to_us: span.to_us ?? end }))
      .filter((span) => span.to_us > span.from_us);
    let last = begin;
    for (const span of [...spans, { from_us: end, to_us: end }]) {
      const gap = clipped(last, span.from_us);
      const indent = branch.parent && last === begin ? 12 : 2;
      if (gap && gap[1] - gap[0] > indent) shapes.push(s(doc, "path", { d: `M${fix(gap[0] + indent)} ${y}H${fix(gap[1])}`, class: "ds-gap" }));
      last = span.to_us;
    }
    for (const [thick, clip] of groups) {
      shapes.push(s(doc, "g", { "clip-path": clip ? `url(#${clip})` : null }, spans.map((span) => segment(span, y, thick, current))));
    }
    return shapes;
  }

  function segment(span, y, thick, current) {
    const piece = clipped(span.from_us, span.to_us);
    return piece && s(doc, "rect", {
      x: fix(piece[0]), y: y - thick / 2, width: fix(piece[1] - piece[0]), height: thick, rx: thick / 2,
      class: `ds-line-seg ${termClass(span.term)} ${current ? "" : "is-other"}`,
    });
  }

  function forkShapes(branch, y) {
    const parent = branch.parent && lanes.find((lane) => lane.branch.id === branch.parent);
    if (!parent || branch.fork_us < view.from || branch.fork_us > view.to) return [];
    const at = fix(x(branch.fork_us));
    return [
      s(doc, "path", { d: `M${at} ${parent.y}V${y - 10}a10 10 0 0 0 10 10`, class: "ds-fork-line" }),
      s(doc, "circle", { cx: at, cy: parent.y, r: 5.5, class: "ds-fork-dot" }),
    ];
  }

  // The faults of a lane that the window shows, as bars in px; a child's lane begins at its fork.
  function barsOf({ branch, rows }) {
    const begin = branch.parent ? branch.fork_us : 0;
    return (branch.faults ?? []).flatMap((fault, i) => {
      const piece = clipped(Math.max(fault.from_us, begin), fault.to_us ?? endUs());
      return piece ? [{ fault, row: rows[i], a: fix(piece[0]), b: fix(piece[1]), text: fault.label }] : [];
    });
  }

  const barTop = (lane, row) => lane.y + 13 + FAULT_ROW * row;

  function faultBars(lane) {
    const bars = barsOf(lane);
    const labels = size.mode === "small" ? [] : placeLabels(bars, plot.left, plot.right + 20);
    return bars.flatMap(({ fault, row, a, b }, i) => {
      const top = barTop(lane, row);
      const shapes = [
        s(doc, "rect", { x: a, y: top, width: fix(b - a), height: 8, class: "ds-fault", style: `fill:url(#${ids.hatch})`, "data-fault": fault.label }),
        s(doc, "rect", { x: a, y: top, width: fix(b - a), height: 8, class: "ds-fault-edge" }),
      ];
      if (fault.from_us >= view.from) shapes.push(cap(a, top));
      if (fault.to_us && fault.to_us <= view.to) shapes.push(cap(b, top));
      return labels[i] ? [...shapes, faultLabel(labels[i], top)] : shapes;
    });
  }

  function cap(at, top) {
    return s(doc, "rect", { x: at - 1.5, y: top - 2, width: 3, height: 12, class: "ds-fault-cap" });
  }

  function faultLabel({ x: at, anchor, text }, top) {
    const width = text.length * LABEL_CHAR + 6;
    const paper = anchor === "middle" && s(doc, "rect", { x: at - width / 2, y: top - 3, width, height: 14, class: "ds-scis" });
    return s(doc, "g", {}, paper, s(doc, "text", { x: at, y: top + 8.3, "text-anchor": anchor, class: "ds-t12 ds-s ds-halo" }, text));
  }

  // Ticks, stations and flags stand on the line and over the playhead.
  function markShapes({ branch, y }) {
    const current = branch.id === store.branch.id;
    const begin = branch.parent ? branch.fork_us : 0;
    const inside = (us) => us >= Math.max(view.from, begin) && us <= view.to;
    const shapes = [];
    if (current) shapes.push(eventTicks(y));
    for (const commit of (branch.commits ?? []).filter(({ us }) => inside(us))) {
      shapes.push(s(doc, "path", { d: `M${fix(x(commit.us))} ${y - 13}v6`, class: "ds-tick-commit" }));
    }
    shapes.push(...stations([...inForce(branch, begin), ...(branch.stations ?? []).filter(({ us }) => inside(us))], y));
    for (const verdict of (branch.verdicts ?? []).filter((v) => v.status === "violated" && v.time_us != null && inside(v.time_us))) {
      shapes.push(s(doc, "g", { transform: `translate(${fix(x(verdict.time_us))} ${y})`, class: "ds-flag" },
        s(doc, "circle", { r: 8 }), iconGroup(doc, "cross", -6, -6, 12, "is-on-danger")));
    }
    return shapes;
  }

  function eventTicks(y) {
    const trace = store.trace;
    let d = "";
    let lastPx = -1;
    for (let i = Math.max(0, trace.eventAt(view.from)); i < trace.n && trace.time(i) <= view.to; i++) {
      const px = Math.round(x(trace.time(i)));
      if (px < lastPx + 3 || px < plot.left) continue;
      d += `M${px} ${y - 13}v4`;
      lastPx = px;
    }
    return s(doc, "path", { d, class: "ds-tick" });
  }

  // Whoever leads already where the window begins gets a station there.
  function inForce(branch, begin) {
    if (begin >= view.from) return [];
    const span = leaderSpans(branch).find(({ from_us: from, to_us: to }) => from < view.from && (to ?? Infinity) > view.from);
    return span?.term ? [{ us: view.from, term: span.term }] : [];
  }

  // Stations nearer than 20 px: the later one is drawn.
  function stations(list, y) {
    return list.filter((station, i) => !(list[i + 1] && x(list[i + 1].us) - x(station.us) < 20)).map((station) => s(doc, "g",
      { transform: `translate(${fix(x(station.us))} ${y})`, class: "ds-station", "data-term": station.term },
      s(doc, "circle", { r: 9, class: `ds-nf ${termClass(station.term)}` }),
      s(doc, "text", { y: 4.3, "text-anchor": "middle", class: `ds-t12 ds-b ds-on ${termClass(station.term)}` }, String(station.term))));
  }

  function bookmarks() {
    return lanes.flatMap(({ branch, y }) => (branch.bookmarks ?? []).filter(({ us }) => us >= view.from && us <= view.to).flatMap((mark) => {
      const at = fix(x(mark.us));
      return [
        s(doc, "path", { d: `M${at} 18V${y - 4}`, class: "ds-mark-line" }), iconGroup(doc, "bookmark", at - 7, 4, 14),
        size.mode === "small" ? null : s(doc, "text", { x: at + 10, y: 15, class: "ds-t12 ds-s ds-halo" }, mark.label),
      ];
    }));
  }

  // The whole run in one thin strip, with the window on show.
  function overview() {
    const y = plot.axis + 26;
    const end = endUs();
    const at = (us) => plot.left + (Math.min(us, end) / end) * (plot.right - plot.left);
    const branch = store.branch;
    moving.over = s(doc, "path", { class: "ds-over-head" });
    moving.overX = at;
    return [
      s(doc, "rect", { x: plot.left, y: y - 7, width: plot.right - plot.left, height: 14, class: "ds-over-hit", "data-over": "" }),
      s(doc, "path", { d: `M${plot.left} ${y}H${plot.right}`, class: "ds-over-line" }),
      ...(branch.faults ?? []).map((fault) => s(doc, "path", { d: `M${fix(at(fault.from_us))} ${y}H${fix(at(fault.to_us ?? end))}`, class: "ds-over-fault" })),
      s(doc, "path", { d: (branch.stations ?? []).map(({ us }) => `M${fix(at(us))} ${y - 4}v8`).join(""), class: "ds-over-station" }),
      s(doc, "rect", { x: fix(at(view.from)), y: y - 6, width: fix(Math.max(6, at(view.to) - at(view.from))), height: 12, rx: 3, class: "ds-over-window" }),
      moving.over,
    ];
  }

  function drawTags(height) {
    const focused = tags.contains(doc.activeElement) && doc.activeElement.dataset.branch;
    tags.style.height = `${fix(height / 13)}em`;
    tags.replaceChildren(...lanes.map(({ branch, y }) => h(doc, "button", {
      class: "ds-tag dslab-lane", type: "button", "data-branch": branch.id, "aria-pressed": String(branch.id === store.branch.id),
      style: `top:${fix((y - 12.5) / 13)}em`, onclick: () => handlers.branch(branch.id), onkeydown: tagKey,
    }, h(doc, "i", { class: "ds-vh" }, "Branch "), h(doc, "b", {}, branch.id), " ", h(doc, "span", {}, branch.label),
    branch.parent && h(doc, "i", { class: "ds-vh" }, `, from ${clockText(branch.fork_us)} s of ${branch.parent}`))));
    if (focused) [...tags.children].find((tag) => tag.dataset.branch === focused)?.focus();
  }

  function tagKey(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const index = store.branches.findIndex((branch) => branch.id === event.currentTarget.dataset.branch);
    const next = store.branches[index + step];
    if (!next) return;
    tags.children[index + step].focus();
    handlers.branch(next.id);
  }

  /** Move the playhead; turns the page when it leaves the window. */
  function tick(us) {
    if (!view) return;
    const next = followWindow(view, us, endUs());
    if (next !== view) {
      view = next;
      rebuild();
      return;
    }
    const at = fix(x(us));
    moving.past.setAttribute("width", Math.max(0, at));
    moving.future.setAttribute("x", at);
    moving.line.setAttribute("d", `M${at} ${lanes[0].y - 18}V${plot.axis}`);
    moving.pill.g.setAttribute("transform", `translate(${at} ${plot.axis + 8})`);
    setText(moving.pill.text, clockText(us));
    for (const label of moving.labels) label.el.style.display = Math.abs(x(label.us) - at) < 46 ? "none" : "";
    moving.over?.setAttribute("d", `M${fix(moving.overX(us))} ${plot.axis + 19}v14`);
  }

  /** Slider words; called for events, not for frames. */
  function describe(cursor) {
    const { trace, branch } = store;
    const reason = handlers.locked();
    setAttrs(track, {
      "aria-valuemin": "0", "aria-valuemax": String(trace.n), "aria-valuenow": String(cursor.event + 1),
      "aria-valuetext": cursorText(cursor.time_us, cursor.event, store.locked ? null : trace.n, branch.id), "aria-disabled": String(Boolean(reason)),
      "aria-label": reason ? `Time, unavailable: ${reason}` : "Time",
    });
  }

  function pointer(event) {
    const box = svg.getBoundingClientRect();
    const viewBox = svg.viewBox?.baseVal;
    const scale = (viewBox?.width || size.width) / (box.width || size.width);
    return { px: (event.clientX - box.left) * scale, py: (event.clientY - box.top) * scale };
  }

  function seekPointer(event) {
    const { px, py } = pointer(event);
    const run = endUs();
    if (moving.overX && py > plot.axis + 18 && view.to - view.from < run) {
      handlers.seek({ us: Math.max(0, Math.min(run, ((px - plot.left) / (plot.right - plot.left)) * run)) });
      return;
    }
    handlers.seek(snapped(px) ?? { us: Math.max(0, Math.min(run, timeAt(Math.max(plot.left, Math.min(plot.right, px))))) });
  }

  // A click on a station, commit, flag or bookmark means that event.
  function snapped(px) {
    const { branch } = store;
    const points = [...(branch.stations ?? []), ...(branch.bookmarks ?? []),
      ...(branch.verdicts ?? []).filter((v) => v.status === "violated").map((v) => ({ us: v.time_us, event: v.event }))];
    const near = points.find(({ us, event }) => event != null && Math.abs(x(us) - px) < SNAP_PX);
    return near ? { event: near.event } : null;
  }

  track.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const window = doc.defaultView;
    seekPointer(event);
    thumb.hidden = true;
    window.addEventListener("pointermove", seekPointer);
    window.addEventListener("pointerup", () => window.removeEventListener("pointermove", seekPointer), { once: true });
  });
  track.addEventListener("pointermove", (event) => showThumb(event));
  track.addEventListener("pointerleave", () => { thumb.hidden = true; });
  track.addEventListener("keydown", (event) => {
    const zoom = { "+": 0.5, "=": 0.5, "-": 2 }[event.key];
    if (!zoom) return;
    event.preventDefault();
    zoomBy(zoom);
  });

  function zoomBy(factor) {
    const length = Math.min(endUs(), Math.max(20_000, (view.to - view.from) * factor));
    const us = store.cursor.time_us;
    const from = Math.max(0, Math.min(us - ((us - view.from) / (view.to - view.from)) * length, endUs() - length));
    view = { from, to: from + length };
    rebuild();
  }

  // The cluster as it was then, small: terms, leaders and the dead.
  function showThumb(event) {
    const { px, py } = pointer(event);
    thumb.hidden = store.playing || event.buttons > 0 || px < plot.left || px > plot.right || py > plot.axis || Boolean(handlers.locked());
    if (thumb.hidden) return;
    const us = Math.max(0, timeAt(px));
    const past = store.trace.frameAt(store.trace.eventAt(us), us);
    const layout = stageLayout(spec.servers, 318, "small");
    const dots = [...past.nodes.values()].filter((node) => layout.nodes.has(node.id)).map((node) => {
      const at = layout.nodes.get(node.id);
      const down = node.status === "crashed";
      return s(doc, "g", { transform: `translate(${fix(at.x)} ${fix(at.y)}) scale(${layout.scale * 1.4})` },
        s(doc, "circle", { r: 24, class: `ds-nf ${termClass(eraOf(node.fields)?.[1])} ${down ? "is-down" : ""}` }),
        node.fields.role === "leader" && !down ? s(doc, "circle", { r: 30, class: "ds-ring-leader" }) : null,
        down ? s(doc, "path", { d: "M-10 -10l20 20M10 -10l-20 20", class: "ds-x-down" }) : null);
    });
    thumb.replaceChildren(s(doc, "svg", { viewBox: "0 20 318 300" }, dots), h(doc, "span", {}, `${clockText(us)} s`));
    thumb.style.left = `${fix(px / 13)}em`;
  }

  return { el, track, rebuild, tick, describe };
}
