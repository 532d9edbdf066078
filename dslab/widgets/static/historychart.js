// Operations as intervals, one lane per client: the order that explains them, or the one that fits nowhere; or points to place.

import { clockText, h, iconGroup, markMore, markup, s, setAttrs } from "./format.js";
import { factsOf, judgePoints, orderList, placeWord, rangeOf, stopsOf, verdictText } from "./historydata.js";

const LANE_PX = 46;
const HEAD = { wide: 62, small: 40 };
const UNIT = { least: 30, most: 120 };
const TOP = 14;
const VALUE_BAND = 34;
const DOT = 9;
const CHAR = 6.9;              // of a label at 12 px

/**
 * The picture, its sentence, and what is told about one operation.
 *
 * `on` has select(i or null), and, where points are placed, place(i, units or null).
 */
export function createHistoryChart(ctx, on) {
  const { doc } = ctx;
  const status = h(doc, "p", { class: "ds-hist-status" });
  const scroller = h(doc, "div", { class: "ds-hist-scroll" });
  const more = markMore(scroller);
  const facts = h(doc, "p", { class: "ds-hist-facts" });
  const spoken = h(doc, "ol", { class: "ds-vh" });
  const el = h(doc, "div", { class: "ds-hist" }, status, scroller, facts, spoken);
  let chart = null;
  let view = {};
  let at = 0;                  // the operation that takes the focus
  let scale = null;
  let dragged = null;
  let cursor = null;
  let seen = { px: 0, width: 0 };      // px of one unit of the drawing, and of the window
  let followed = null;

  const placing = () => view.placed !== undefined;
  const newest = () => chart.marks.findLast(([moment]) => moment <= (chart.known ?? Infinity))?.[1] ?? 0;
  const x = (units) => scale.left + units * scale.unit;
  const y = (lane) => scale.top + lane * LANE_PX + 26;

  /** `look`: {width, small, selected, cursor (units or null), placed ({operation: units}, only where points are placed)}. */
  function update(next, look) {
    chart = next;
    view = look;
    at = Math.min(at, Math.max(0, chart.operations.length - 1));
    if (chart.hidden?.has(at)) at = Math.max(0, chart.operations.findIndex((_, i) => !chart.hidden.has(i)));
    draw();
  }

  function draw() {
    const root = el.getRootNode();
    const focused = el.contains(root.activeElement) && root.activeElement.dataset?.op !== undefined;
    const left = scroller.scrollLeft;
    const judged = placing() ? judgePoints(chart, view.placed) : null;
    const shown = judged ? { ...chart, order: judged.order, points: judged.order.map((i) => view.placed[i]), values: judged.values, stuck: judged.wrong, smallest: [], verdict: judged.wrong === null ? "ok" : "violation" } : chart;
    scale = scaleOf(shown);
    scroller.replaceChildren(heads(shown), picture(shown, judged));
    scroller.scrollLeft = left;
    seen = { px: scroller.lastChild.getBoundingClientRect().width / scale.width, width: scroller.clientWidth };
    keepInView(view.cursor ?? null);
    more();
    tell(shown, judged);
    if (focused) focus();
  }

  function scaleOf({ operations, hidden, points, values, width, lanes }) {
    const left = Math.max(view.small ? HEAD.small : HEAD.wide, Math.max(0, ...lanes.map((name) => name.length)) * 7.5 + 18);
    const room = Math.max(120, view.width - left - 24);
    let unit = Math.max(UNIT.least, room / (width || 1));
    operations.forEach((op, i) => {
      if (hidden?.has(i)) return;
      const next = operations.find((other, j) => j > i && other.lane === op.lane && !hidden?.has(j));
      const span = Math.min(next ? next.from - op.from : Infinity, Math.max((op.to ?? width) - op.from, 0.6) + 1);
      unit = Math.max(unit, Math.min(UNIT.most, (op.label.length * CHAR + 12) / span));
    });
    const banded = placing() || (points && values.length > 0);
    return { head: left, left: 8, unit, top: TOP + (banded ? VALUE_BAND : 0), banded, width: width * unit + 24, height: TOP + (banded ? VALUE_BAND : 0) + lanes.length * LANE_PX + (chart.clock ? 22 : 6) };
  }

  // ---- drawing --------------------------------------------------------------------------------------------------

  const sheet = (width, attrs) => ({ viewBox: `0 0 ${width} ${scale.height}`, style: `width:${width / 13}em;height:${scale.height / 13}em`, ...attrs });

  // The clients' names stay where they are while the rest is scrolled.
  function heads({ lanes, points }) {
    return s(doc, "svg", { class: "ds-hist-svg ds-hist-heads", "aria-hidden": "true", ...sheet(scale.head) },
      scale.banded && points && s(doc, "text", { class: "ds-t12 ds-s", x: 4, y: TOP + 11 }, "value"),
      lanes.map((name, lane) => s(doc, "text", { class: "ds-b", x: 4, y: y(lane) + 4.5 }, name)));
  }

  function picture(shown, judged) {
    const { lanes } = shown;
    const svg = s(doc, "svg", {
      class: "ds-hist-svg", role: "group", "aria-label": `Operations of ${lanes.join(", ")}`, ...sheet(scale.width),
    });
    lanes.forEach((name, lane) => svg.append(s(doc, "line", { class: "ds-hist-lane", x1: 0, x2: scale.width - 6, y1: y(lane), y2: y(lane) })));
    if (chart.clock) svg.append(...axis());
    if (scale.banded) svg.append(...valueLine(shown));
    svg.append(...shown.operations.flatMap((op, i) => (shown.hidden?.has(i) ? [] : operation(shown, judged, op, i))));
    cursor = s(doc, "line", { class: "ds-hist-cursor", y1: 4, y2: scale.height - 18 });
    svg.append(cursor);
    placeCursor(view.cursor ?? null);
    return svg;
  }

  // Times under the lanes: few, and never one over the other.
  function axis() {
    let last = -Infinity;
    return chart.marks.flatMap(([moment, units, us]) => {
      if (moment > (chart.known ?? Infinity) || x(units) - last < 86 || x(units) > scale.width - 40) return [];
      last = x(units);
      return [s(doc, "text", { class: "ds-t12 ds-s", x: last, y: scale.height - 6 }, `${clockText(us)} s`)];
    });
  }

  // The value after each operation, from its point to the next one.
  function valueLine({ order, points, values }) {
    if (!points) return [];
    const drawn = [];
    values.forEach((value, k) => {
      drawn.push(s(doc, "line", { class: "ds-hist-drop", x1: x(points[k]), x2: x(points[k]), y1: TOP + 17, y2: y(chart.operations[order[k]].lane) - DOT }));
      if (k && values[k - 1] === value) return;
      const next = values.findIndex((other, j) => j > k && other !== value);
      const end = next < 0 ? scale.width - 10 : x(points[next]);
      const room = Math.floor((end - x(points[k]) - 8) / CHAR);
      const text = value.length > room ? (room > 1 ? `${value.slice(0, room - 1)}…` : "") : value;
      drawn.push(s(doc, "rect", { class: "ds-hist-value", x: x(points[k]), y: TOP - 2, width: Math.max(2, end - x(points[k]) - 2), height: 19, rx: 3.5 }),
        text && s(doc, "text", { class: "ds-t12", x: x(points[k]) + 5, y: TOP + 12 }, text));
    });
    return drawn.filter(Boolean);
  }

  function operation(shown, judged, op, i) {
    const place = shown.order.indexOf(i);
    const stuck = shown.stuck === i;
    const part = shown.verdict === "violation" && shown.smallest.includes(i);
    const aside = shown.verdict === "violation" && !stuck && !part && !placing();
    const [from, to, mid] = [x(op.from), op.to === null ? scale.width - 12 : x(op.to), y(op.lane)];
    const last = op.to === null ? Math.min(to, Math.max(from, x(newest()))) : to;
    const classes = ["ds-op", stuck && "is-stuck", part && "is-part", aside && "is-aside", op.status === "failed" && "is-failed", view.selected === i && "is-selected"];
    const group = s(doc, "g", {
      class: classes.filter(Boolean).join(" "), "data-op": i, tabindex: i === at ? 0 : -1, ...role(shown, op, i, place),
    },
    s(doc, "rect", { class: "ds-hist-hit", x: from - 4, y: mid - 24, width: Math.max(28, to - from + 8), height: 40, rx: 5 }),
    s(doc, "path", { class: "ds-hist-bar", d: `M${from} ${mid - 7}v14M${from} ${mid}H${Math.max(from, last)}${op.to === null ? "" : `M${to} ${mid - 7}v14`}` }),
    op.to === null && s(doc, "path", { class: "ds-hist-open", d: `M${Math.max(from, last)} ${mid}H${to}` }),
    op.to === null && s(doc, "path", { class: "ds-hist-bar", d: `M${to - 6} ${mid - 5}l6 5l-6 5` }));
    // Beside the control, not in it: its name says more than its label, and begins otherwise.
    const words = s(doc, "g", { class: "ds-op-words", "aria-hidden": "true", "data-words": i },
      s(doc, "text", { class: `ds-t12 ds-halo ${stuck || part ? "ds-b" : ""} ${stuck ? "ds-danger" : aside ? "ds-s" : ""}`, x: from + 2, y: mid - 12 }, op.label));
    if (op.status === "failed") group.append(s(doc, "path", { class: "ds-hist-bar", d: `M${(from + to) / 2 - 4} ${mid - 4}l8 8m0 -8l-8 8` }));
    if (stuck && !placing()) group.append(...badge((from + Math.max(from, last)) / 2, mid));
    if (place >= 0) {
      const [circle, number] = point(shown, i, place, mid, op);
      group.append(circle);
      words.append(number);
    }
    if (place < 0 && judged && op.status !== "failed") group.append(s(doc, "circle", { class: "ds-hist-empty", cx: (from + to) / 2, cy: mid, r: DOT }));
    return [group, words];
  }

  // Where the order keeps to real time the number is a moment; elsewhere it is only a number.
  function point(shown, i, place, mid, op) {
    const stuck = shown.stuck === i;
    const at = shown.points ? x(shown.points[place]) : (x(op.from) + x(op.to ?? shown.width)) / 2;
    return [s(doc, "circle", { class: `ds-hist-point ${stuck ? "is-stuck" : ""} ${shown.points ? "" : "is-loose"}`, cx: at, cy: mid, r: DOT }),
      s(doc, "text", { class: `ds-t12 ds-b ${stuck ? "ds-on-danger" : shown.points ? "ds-on-ink" : ""}`, x: at, y: mid + 4.2, "text-anchor": "middle" }, String(place + 1))];
  }

  function badge(cx, cy) {
    return [s(doc, "circle", { class: "ds-hist-disc", cx, cy, r: 8 }), iconGroup(doc, "cross", cx - 6, cy - 6, 12, "is-on-danger")];
  }

  const letter = ({ name }) => (name ? `${name}: ` : "");

  function role(shown, op, i, place) {
    const part = shown.stuck === i ? ", fits nowhere" : shown.verdict === "violation" && shown.smallest.includes(i) ? ", part of the smallest contradiction" : "";
    if (!placing() || op.status === "failed") return { role: "button", "aria-pressed": String(view.selected === i), "aria-label": `${letter(op)}${op.says}${place >= 0 ? `, ${placeWord(place + 1)} in the order` : ""}${part}` };
    const stops = stopsOf(chart, view.placed, i);
    const now = view.placed[i];
    const near = now === undefined ? 0 : stops.reduce((best, stop, k) => (Math.abs(stop - now) < Math.abs(stops[best] - now) ? k : best), 0) + 1;
    return {
      role: "slider", "aria-label": `${letter(op)}${op.says}`, "aria-valuemin": 0, "aria-valuemax": stops.length, "aria-valuenow": near,
      "aria-valuetext": now === undefined ? "not placed" : `${placeWord(place + 1)} in the order${shown.stuck === i ? ", where it does not fit" : ""}`,
    };
  }

  function tell(shown, judged) {
    const wrong = shown.verdict === "violation";
    status.className = `ds-hist-status${wrong ? " ds-wrong" : ""}${judged?.done ? " is-done" : ""}`;
    status.replaceChildren(...[wrong && ctx.icon("cross"), judged?.done && ctx.icon("check"), h(doc, "span", {}, markup(doc, judged ? judged.text : verdictText(shown)))].filter(Boolean));
    const { selected } = view;
    const told = selected !== null && selected !== undefined && shown.operations[selected] && !shown.hidden?.has(selected);
    facts.replaceChildren(...(told ? [factsOf(shown, selected, view.clock), ...(on.links?.(selected) ?? []).flatMap((link) => [" ", link])] : []));
    facts.hidden = !told;
    spoken.replaceChildren(...orderList(shown).map((text) => h(doc, "li", {}, text)));
  }

  /** Moves the line of the cursor alone. */
  function tick(units) {
    if (!cursor) return;
    placeCursor(units);
    keepInView(units);
  }

  function placeCursor(units) {
    cursor.toggleAttribute("hidden", units === null);
    if (units !== null) setAttrs(cursor, { x1: x(units), x2: x(units) });
  }

  // Where the cursor leaves the window, the window goes after it; whoever scrolls by hand is left alone.
  function keepInView(units) {
    if (!view.follow || units === null || units === followed) return;
    followed = units;
    const room = seen.width - scale.head * seen.px;
    const place = x(units) * seen.px - scroller.scrollLeft;
    if (room > 0 && (place < 0 || place > room - 24)) scroller.scrollLeft += place - (place < 0 ? 0.3 : 0.7) * room;
  }

  // ---- hands ----------------------------------------------------------------------------------------------------

  const opOf = (target) => target.closest?.("[data-op]")?.dataset.op;

  function unitsOf(event) {
    const box = scroller.lastChild.getBoundingClientRect();
    return (((event.clientX - box.left) / box.width) * scale.width - scale.left) / scale.unit;
  }

  function put(i, units) {
    const [low, high] = rangeOf(chart, i);
    const margin = Math.min(0.02, (high - low) / 4);
    view.placed = { ...view.placed, [i]: Math.round(Math.max(low + margin, Math.min(high - margin, units)) * 1000) / 1000 };
  }

  scroller.addEventListener("pointerdown", (event) => {
    const i = opOf(event.target);
    if (i === undefined || !placing() || event.button !== 0 || chart.operations[i].status === "failed") return;
    dragged = Number(i);
    at = dragged;
    scroller.setPointerCapture?.(event.pointerId);
    put(dragged, unitsOf(event));
    draw();
    focus();
    event.preventDefault();
  });
  scroller.addEventListener("pointermove", (event) => {
    if (dragged === null) return;
    put(dragged, unitsOf(event));
    draw();
  });
  const drop = () => {
    if (dragged === null) return;
    const i = dragged;
    dragged = null;
    commit(i);
  };
  scroller.addEventListener("pointerup", drop);
  scroller.addEventListener("pointercancel", drop);
  scroller.addEventListener("click", (event) => {
    const i = opOf(event.target);
    if (i === undefined) return;
    at = Number(i);
    if (!placing()) on.select(view.selected === at ? null : at);
  });

  function commit(i) {
    on.place(i, view.placed[i] ?? null);
    ctx.say(judgePoints(chart, view.placed).text);
  }

  // By key: in a puzzle left and right move the point, up and down the focus; elsewhere all four move the focus.
  scroller.addEventListener("keydown", (event) => {
    const i = Number(opOf(event.target) ?? NaN);
    if (Number.isNaN(i) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!react(event.key, i)) return;
    event.preventDefault();
    event.stopPropagation();
  });

  function react(key, i) {
    if (placing()) {
      if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(key)) return slide(key, i);
      if (key === "Delete" || key === "Backspace") {
        const { [i]: gone, ...rest } = view.placed;
        view.placed = rest;
        draw();
        commit(i);
        return gone !== undefined;
      }
      if (key === "ArrowUp" || key === "ArrowDown") return move(i, key === "ArrowDown" ? 1 : -1, inReadingOrder());
      return false;
    }
    if (key === "Enter" || key === " ") {
      on.select(view.selected === i ? null : i);
      return true;
    }
    const { lane, from } = chart.operations[i];
    const mine = inReadingOrder().filter((j) => chart.operations[j].lane === lane);
    if (key === "ArrowLeft" || key === "ArrowRight") return move(i, key === "ArrowRight" ? 1 : -1, mine);
    if (key === "Home" || key === "End") return take(mine.at(key === "Home" ? 0 : -1));
    if (key !== "ArrowUp" && key !== "ArrowDown") return false;
    const lanes = inReadingOrder().filter((j) => (key === "ArrowDown" ? chart.operations[j].lane > lane : chart.operations[j].lane < lane));
    const nearest = Math[key === "ArrowDown" ? "min" : "max"](...lanes.map((j) => chart.operations[j].lane));
    const there = lanes.filter((j) => chart.operations[j].lane === nearest);
    return take(there.reduce((best, j) => (best === undefined || Math.abs(chart.operations[j].from - from) < Math.abs(chart.operations[best].from - from) ? j : best), undefined));
  }

  function inReadingOrder() {
    return chart.operations.map((_, i) => i).filter((i) => !chart.hidden?.has(i))
      .sort((a, b) => chart.operations[a].lane - chart.operations[b].lane || chart.operations[a].from - chart.operations[b].from);
  }

  const move = (i, step, list) => take(list[list.indexOf(i) + step]);

  function take(i) {
    if (i !== undefined) {
      at = i;
      for (const item of scroller.querySelectorAll("[data-op]")) item.setAttribute("tabindex", Number(item.dataset.op) === at ? 0 : -1);
      focus();
    }
    return true;
  }

  function slide(key, i) {
    if (chart.operations[i].status === "failed") return true;
    const stops = stopsOf(chart, view.placed, i);
    const now = view.placed[i];
    const next = key === "Home" ? stops[0] : key === "End" ? stops.at(-1)
      : now === undefined ? stops[key === "ArrowLeft" ? stops.length - 1 : 0]
        : key === "ArrowRight" ? stops.find((stop) => stop > now + 1e-6) : stops.findLast((stop) => stop < now - 1e-6);
    if (next === undefined || !stops.length) return true;
    put(i, next);
    draw();
    commit(i);
    return true;
  }

  function focus() {
    const item = scroller.querySelector(`[data-op="${at}"]`);
    item?.focus({ preventScroll: true });
    const box = item?.querySelector(".ds-hist-hit")?.getBoundingClientRect?.();
    const room = scroller.getBoundingClientRect();
    if (box && box.width && (box.left < room.left + scale.head || box.right > room.right)) scroller.scrollLeft += box.left - room.left - scale.head - 8;
  }

  return { el, update, tick, focus };
}
