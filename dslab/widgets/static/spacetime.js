// The space-time diagram: one lane per node, time along it, an arrow per message.
//
// Rules of the picture, which extend the visual guide:
// - Time runs down (or to the right) and is virtual time or logical time. In logical time an event stands at its Lamport
//   time, so every arrow goes one step or more; steps at which nothing is shown take no room.
// - A lane is a thin line. It carries a band in the term's fill while its node leads, the same band dashed while it stands
//   for election, each beginning with the term's roundel: the timeline's line map, once per node. A follower's lane stays
//   bare: colour means term, and a term matters where somebody claims it. Down = cross and dotted, paused = hatched.
// - An arrow is thin ink, a heartbeat's thinner and grey. It carries the class mark of the stage, small, where it stands
//   alone: near the sender of a single message, near each receiver of many. A lost one ends in a cross, dotted beyond.
// - An arrival is a dot, a fired timer a clock, a durable write a short bar, a commit a thick bar across the lane.
// - What is still to come lies under a veil. In logical time the cursor is a line from lane to lane: a consistent cut.
// - A chosen event parts all others in three, by pattern and by tone: past solid ink, future double, neither hatched or
//   dotted grey. Its vector stands under the heads of the lanes. A second event (B beside A) adds the path between them.
// - A cut is a thick line with a grip on each lane; what it encloses is washed, what crosses it is bold, and a receive
//   without its send is danger.
// - Folded steps are a bead with their number; a dashed line leads through hidden lanes.
// - Two branches share one lane up to the fork, then part like a siding: this branch solid, the other dashed; what only one
//   of them has is a rhombus, filled here, hollow there. Side by side, each branch has its own lanes.
import { clockText, countText, h, icon, listText, menuOf, plainText, s, setAttrs, setText } from "./format.js";
import { messageMark, nodeBadge, nodeView, CLASS_WORDS } from "./glyphs.js";
import { laneOf } from "./trace.js";
import { causalPath, coneOf, countUpTo, cutAt, judgeCut, lamportTimes, laneEvents, relation, vectorTime } from "./causality.js";
import { eventText, hiddenParts, laneSpans, leavesAlone, naturalScale, searchEvents, spaceLayout, spaceTicks, transitiveEdges } from "./spacelayout.js";
import { paintAxis, paintDiagram, paintFaults, paintFrontier, paintPath, spaceColours } from "./spacepaint.js";
import { branchDiff, diffWords, linkedEvent, stateDiff } from "./spacecompare.js";
import { eventWords, typeWords } from "./events.js";

const RELAYOUT_MS = 240;
const SETTLED_MS = 120;        // what can be focused is placed once scrolling has come to rest
const RANK_STEP = 24;
const RAILS = 9;
const TAIL = 46;
const FILTERS = ["heartbeats", "runs", "lanes", "only"];
const MOST_STOPS = 60;
const TABLE_ROWS = 24;
const PICK_PX = 14;
const ZOOMS = [0.1, 0.2, 0.4, 0.7, 1, 1.5, 2.5, 4, 8];
const SIZES = { down: { head: 42, gutter: 62, pitch: 38 }, right: { head: 62, gutter: 34, pitch: 30 } };
const spaceEm = (px) => `${(px / 13).toFixed(3)}em`;

export function createSpacetimeView(ctx) {
  const { doc, store, spec } = ctx;
  const win = doc.defaultView;
  const allLanes = [...spec.servers, ...spec.clients ?? []];
  const set = { axis: "time", down: true, zoom: 4, heartbeats: false, runs: false, lanes: new Set(), only: "", find: "", side: false, link: "time" };
  let trace = null;
  let other = null;              // the branch compared with: {id, trace, diff, main, ...}
  let main = null;               // {trace, layout, hidden, spans, edges, alone}
  let colours = null;
  let frame = null;
  let second = null;             // the other end of a pair of events
  let pairing = false;
  let cut = null;
  let found = [];
  let cone = null;
  let path = null;
  let before = null;             // while the layout changes: where things were
  let drawnWindow = null;
  let asTable = false;
  let lastBranch = null;
  let active = -1;
  let pointed = -1;              // what the pointer or the focus is on
  let pointedIn = null;          // and in which run, where two are compared
  let follow = true;
  let shownKey = "";

  // ---- parts ----------------------------------------------------------------------------------------------------
  const canvas = h(doc, "canvas", { class: "ds-st-canvas", "aria-hidden": "true" });
  const veil = h(doc, "div", { class: "ds-st-veil" });
  const now = h(doc, "div", { class: "ds-st-now" }, h(doc, "b", {}));
  const heads = h(doc, "div", { class: "ds-st-heads" });
  const stops = h(doc, "div", { class: "ds-st-stops", role: "group", "aria-label": "Events in view" });
  const grips = h(doc, "div", { class: "ds-st-grips", role: "group", "aria-label": "Cut" });
  const fixed = h(doc, "div", { class: "ds-st-fixed" }, canvas, veil, now, grips, stops, heads);
  const sizer = h(doc, "div", { class: "ds-st-sizer" }, fixed);
  const scroller = h(doc, "div", { class: "ds-st-scroll", role: "group", tabindex: "0", "aria-label": "Space-time diagram" }, sizer);
  const table = h(doc, "div", { class: "ds-st-table", tabindex: "0", role: "region", "aria-label": "Space-time diagram as a table", hidden: true });
  const note = h(doc, "div", { class: "ds-note ds-st-note" });
  const line = h(doc, "div", {});
  let lineElse = () => [];
  const tool = (name, look, act, more = {}) => h(doc, "button", { type: "button", class: "ds-btn", "aria-label": name, title: name, onclick: act, ...more }, look);
  const segment = (axis, text) => h(doc, "button", { type: "button", class: "ds-btn ds-st-seg", "data-axis": axis, onclick: () => relayout({ axis }) }, text);
  const axes = [segment("time", "Time"), segment("rank", "Logical")];
  const turnButton = tool("Time to the right", icon(doc, "turn"), () => relayout({ down: !set.down }), { "data-tool": "turn" });
  const cutButton = tool("Cut", icon(doc, "partition"), () => toggleCut(), { "data-tool": "cut" });
  const filterButton = tool("Show", icon(doc, "watch"), () => toggleFilter(), { "data-tool": "filter", "aria-expanded": "false" });
  const tableButton = tool("As a table", icon(doc, "table"), () => toggleTable(), { "data-tool": "table" });
  const compareBy = h(doc, "select", { class: "ds-input", "aria-label": "Compare with branch", onchange: () => compare(compareBy.value || null) });
  const sideButton = tool("Side by side", icon(doc, "columns"), () => relayout({ side: !set.side }), { "data-tool": "side" });
  const linkButton = tool("Link the cursors by event, not by time", icon(doc, "heal"), () => relayout({ link: set.link === "time" ? "event" : "time" }), { "data-tool": "link" });
  const compareTools = h(doc, "span", { class: "ds-st-compare" },
    tool("First divergence", icon(doc, "fork"), () => ctx.seek({ us: forkUs() }), { "data-tool": "divergence" }), sideButton, linkButton);
  const bar = h(doc, "div", { class: "ds-st-bar", role: "group", "aria-label": "Space-time tools" },
    h(doc, "div", { class: "ds-st-segs", role: "group", "aria-label": "Time axis" }, axes), turnButton,
    tool("Zoom out", icon(doc, "minus"), () => zoom(-1), { "data-tool": "out" }), tool("Zoom in", icon(doc, "request"), () => zoom(1), { "data-tool": "in" }),
    cutButton, filterButton, tableButton, h(doc, "span", { class: "ds-grow" }), compareBy, compareTools);
  const panel = filterPanel();
  const el = h(doc, "div", { class: "ds-st" }, bar, panel.el, scroller, table, note);
  const observer = win.ResizeObserver ? new win.ResizeObserver(() => main && place()) : null;
  observer?.observe(scroller);
  let expected = [0, 0];
  let settling = 0;
  let room = { unit: 1, width: 540, height: 250, left: 0, top: 0 };
  scroller.addEventListener("scroll", () => {
    if (Math.abs(scroller.scrollTop - expected[1]) > 2 || Math.abs(scroller.scrollLeft - expected[0]) > 2) follow = false;
    draw(false);
    win.clearTimeout(settling);
    settling = win.setTimeout(placeStops, SETTLED_MS);
  });
  scroller.addEventListener("click", pickPointer);
  scroller.addEventListener("pointermove", hover);
  scroller.addEventListener("pointerleave", () => {
    stops.querySelector(".is-near")?.classList.remove("is-near");
    if (main) tellOf(-1);
  });
  stops.addEventListener("focusin", (event) => tellOf(Number(event.target.dataset.event)));
  stops.addEventListener("focusout", () => tellOf(-1));
  stops.addEventListener("keydown", onKey);
  scroller.addEventListener("keydown", (event) => {
    const step = { "+": 1, "=": 1, "-": -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    zoom(step);
  });

  function filterPanel() {
    const check = (text, on, change) => h(doc, "label", { class: "ds-switch" }, h(doc, "input", { type: "checkbox", checked: on, onchange: (event) => change(event.target.checked) }), text);
    const only = menuOf(doc, { class: "ds-input", "aria-label": "Only the conversation of", onchange: () => relayout({ only: only.value }) },
      [["", "everybody’s messages"], ...allLanes.map((id) => [id, `only with ${id}`])]);
    const find = h(doc, "input", { class: "ds-input", type: "search", placeholder: "Find: vote, term=4", "aria-label": "Find events by text or field", oninput: () => search(find.value) });
    const count = h(doc, "span", { class: "ds-quiet", "aria-live": "polite" });
    const shown = allLanes.length > 12 ? [] : ["Lanes", ...allLanes.map((id) => check(id, true, (on) => {
      const lanes = new Set(set.lanes);
      if (on) lanes.delete(id);
      else if (lanes.size < allLanes.length - 1) lanes.add(id);
      relayout({ lanes });
    }))];
    const el = h(doc, "div", { class: "ds-st-panel", hidden: true },
      h(doc, "div", { class: "ds-row" }, find, h(doc, "span", {}, tool("Previous found", icon(doc, "stepback"), () => nextFound(-1)), tool("Next found", icon(doc, "step"), () => nextFound(1))), count, h(doc, "span", { class: "ds-grow" }), only),
      h(doc, "div", { class: "ds-row", role: "group", "aria-label": "What is drawn" }, "Fold", check("heartbeats", false, (on) => relayout({ heartbeats: on })), check("local steps", false, (on) => relayout({ runs: on })), shown));
    return { el, count, find };
  }

  // ---- what is shown ----------------------------------------------------------------------------------------------
  const lanes = () => allLanes.filter((id) => !set.lanes.has(id));
  const scaleOf = (base) => (set.axis === "time" ? base * ZOOMS[set.zoom] : RANK_STEP * Math.max(0.7, Math.min(2, ZOOMS[set.zoom])));

  function shownEvents(of, hidden) {
    const onLane = new Map([...laneEvents(of).events].map(([lane, ids]) => [lane, ids.filter((i) => !hidden.events[i])]));
    return { onLane, shown: [...onLane.values()].flat().sort((a, b) => a - b) };
  }

  // `known` is an earlier part of the same run whose filters still hold.
  function prepare(of, base, known) {
    const hidden = known?.hidden ?? hiddenParts(of, { heartbeats: set.heartbeats, runs: set.runs, lanes: set.lanes, only: set.only || null });
    return {
      trace: of, hidden, base, layout: spaceLayout(of, { axis: set.axis, scale: scaleOf(base), hidden }),
      ...(known ? { onLane: known.onLane, shown: known.shown } : shownEvents(of, hidden)),
      spans: known?.spans ?? laneSpans(of), alone: known?.alone ?? leavesAlone(of), edges: known?.edges ?? (set.lanes.size ? transitiveEdges(of, set.lanes) : []),
    };
  }

  function rebuild(keep = false) {
    const last = trace === store.trace ? main : null;
    if (store.compare === store.branch.id) store.compare = lastBranch;      // the other way round
    if (lastBranch !== store.branch.id) cut = null;
    if (cut) cut.judged = null;
    lastBranch = store.branch.id;
    trace = store.trace;
    const base = main && main.trace.messages.count ? main.base : naturalScale(trace);      // a scale for all branches
    main = prepare(trace, base, keep ? last : null);
    const id = store.branches.some((branch) => branch.id === store.compare && branch.id !== store.branch.id) ? store.compare : null;
    const compared = id ? ctx.traceOf(id) : null;
    const same = keep && other?.trace === compared ? other : null;
    other = compared ? { id, ...prepare(compared, base, same), diff: same?.diff ?? branchDiff(trace, compared) } : null;
    store.compare = other?.id ?? null;
    if (second !== null && second >= trace.n) second = null;
    search(set.find);
  }

  /** Change the arrangement; what is in view glides to its new place, but jumps where motion is reduced. */
  function relayout(change) {
    const old = main && { ...main.layout, scroll: scrollMain() };
    const turned = "down" in change;
    Object.assign(set, change);
    rebuild(!FILTERS.some((name) => name in change));
    place();
    follow = true;
    revealCursor(true);
    cone = null;
    if (old && !turned && !ctx.settings.reducedMotion && win.requestAnimationFrame && trace.n === old.at.length) glide(old);
    refresh();
  }

  function glide(old) {
    const begun = win.performance.now();
    before = { ...old, part: 0 };
    const step = (time) => {
      if (!before) return;
      const part = Math.min(1, (time - begun) / RELAYOUT_MS);
      before.part = 1 - (1 - part) ** 3;
      if (part >= 1) before = null;
      draw();
      if (before) win.requestAnimationFrame(step);
    };
    win.requestAnimationFrame(step);
  }

  function zoom(step) {
    const next = Math.max(0, Math.min(ZOOMS.length - 1, set.zoom + step));
    if (next !== set.zoom) relayout({ zoom: next });
  }

  // ---- geometry, in design px ---------------------------------------------------------------------------------------
  // Asked of the page once per drawing: every question could make it lay itself out again.
  function measure() {
    const unit = parseFloat(win.getComputedStyle(el).fontSize) / 13 || 1;
    room = { unit, width: (scroller.clientWidth || 540) / unit, height: (scroller.clientHeight || 250) / unit, left: scroller.scrollLeft / unit, top: scroller.scrollTop / unit };
  }

  const size = () => SIZES[set.down ? "down" : "right"];
  const headRoom = () => (set.down ? size().head + (stamped() ? 16 : 0) : size().head + (stamped() ? 26 : 0));
  const stamped = () => subjectEvent() >= 0 && !cut;
  const extent = () => (set.down ? room.height : room.width) - headRoom();
  const columns = () => lanes().length * (other && set.side ? 2 : 1);
  const pitch = () => Math.max(size().pitch, ((set.down ? room.width : room.height) - size().gutter) / columns());
  const breadth = () => size().gutter + pitch() * columns();
  const scrollMain = () => (set.down ? room.top : room.left);
  const scrollCross = () => (set.down ? room.left : room.top);
  const point = (u, v) => (set.down ? [v, u + headRoom()] : [u + headRoom(), v]);
  const cursorU = (part = main, us = store.cursor.time_us, event = store.cursor.event) => (set.axis === "time" ? us * part.layout.scale : part.layout.at[Math.max(0, event)]);

  function lengthOf() {
    const most = Math.max(main.layout.length, other?.layout.length ?? 0, set.axis === "time" ? Math.min(store.trace.endUs * 1.02, store.branch.until_us ?? 0) * main.layout.scale : 0);
    return most + TAIL;
  }

  function scrollTo(u) {
    const to = Math.max(0, Math.min(u, lengthOf() - extent())) * room.unit;
    if (set.down) scroller.scrollTop = to;
    else scroller.scrollLeft = to;
    expected = [scroller.scrollLeft, scroller.scrollTop];
    measure();
  }

  // The paper holds still until the cursor leaves it, then turns the page.
  function revealCursor(again = false) {
    const u = cursorU();
    const at = u - scrollMain();
    if (again || at < 8 || at > extent() - 14) scrollTo(u - extent() * (store.playing < 0 ? 0.75 : again ? 0.55 : 0.3));
  }

  function reveal(i) {
    const at = main.layout.at[i] - scrollMain();
    if (at < 14 || at > extent() - 20) scrollTo(main.layout.at[i] - extent() / 2);
  }

  function stretch() {
    measure();
    setAttrs(el, { "data-axis": set.axis, "data-down": String(set.down) });
    const along = spaceEm(Math.max(headRoom() + lengthOf(), 1));
    const across = spaceEm(Math.floor(breadth()));
    sizer.style[set.down ? "height" : "width"] = along;
    sizer.style[set.down ? "width" : "height"] = across;
  }

  function place() {
    stretch();
    draw();
  }

  // ---- what is chosen ------------------------------------------------------------------------------------------------
  /** The event whose cone is drawn, or -1. */
  function subjectEvent() {
    if (other) return -1;
    const { kind, id } = store.selection ?? {};
    if (kind === "event") return Number(id) < store.trace.n ? Number(id) : -1;
    if (!store.causalOnly) return -1;
    if (kind === "property") return store.branch.verdicts?.find((verdict) => verdict.name === id)?.event ?? -1;
    return kind === "message" ? store.trace.messages.sentEvent(id) : store.cursor.event;
  }

  function choose() {
    const event = subjectEvent();
    if (event < 0 || cut) {
      cone = path = null;
      if (!cut) second = event < 0 ? null : second;
      return;
    }
    if (!cone || cone.event !== event || cone.trace !== trace) {
      cone = { ...coneOf(trace, event), trace };
      cone.lanes = new Map([...laneEvents(trace).events].map(([lane, ids]) => {
        const mine = lane === laneOf(trace.events, event);
        const first = mine ? event : ids.find((i) => cone.future.has(i));
        return [lane, { past: mine ? event : ids[(cone.vector[lane] ?? 0) - 1], first }];
      }));
    }
    path = null;
    if (second === null) return;
    const how = relation(trace, event, second);
    path = how === "before" ? causalPath(trace, event, second) : how === "after" ? causalPath(trace, second, event) : null;
  }

  function pick(i, more = false) {
    if (other) return ctx.seek({ event: i });
    const chosen = store.selection?.kind === "event" ? Number(store.selection.id) : -1;
    if ((more || pairing) && chosen >= 0 && chosen !== i) {
      second = i;
      pairing = false;
      active = i;
      refresh();
      return ctx.say(plainText(note.textContent));
    }
    if (chosen === i) return ctx.seek({ event: i });
    second = null;
    active = i;
    ctx.select({ kind: "event", id: i });
    return ctx.say(note.textContent);
  }

  function clearChoice() {
    second = null;
    pairing = false;
    if (store.selection?.kind === "event") ctx.select(null);
    else refresh();
  }

  function search(words) {
    set.find = words;
    found = words.trim() ? searchEvents(trace, words, (i) => eventText(trace, i, eventWords(trace, i))) : [];
    setText(panel.count, words.trim() ? countText(found.length, "event") : "");
    if (main && frame) refresh();
  }

  function nextFound(way) {
    const visible = found.filter((i) => !main.hidden.events[i]);
    if (!visible.length) return ctx.say("Nothing found.");
    const next = way > 0 ? visible.find((i) => i > active) ?? visible[0] : visible.findLast((i) => i < active) ?? visible.at(-1);
    active = next;
    follow = false;
    reveal(next);
    setText(panel.count, `${visible.indexOf(next) + 1} of ${countText(visible.length, "event")}`);
    draw();
    return ctx.say(eventName(next));
  }

  function toggleFilter(open = panel.el.hidden) {
    panel.el.hidden = !open;
    filterButton.setAttribute("aria-expanded", String(open));
    place();
    if (open) panel.find.focus();
  }

  function toggleTable() {
    asTable = !asTable;
    scroller.hidden = asTable;
    table.hidden = !asTable;
    refresh();
    if (asTable) table.focus();
  }

  function compare(id) {
    store.compare = id;
    cone = null;
    second = null;
    cut = null;
    relayout({});
    if (other) ctx.say(plainText(note.textContent));
  }

  // ---- the cut ---------------------------------------------------------------------------------------------------------
  function toggleCut() {
    cut = cut ? null : cutHere();
    if (cut) second = null;
    refresh();
    if (cut) grips.querySelector("[role=slider]")?.focus({ preventScroll: true });
  }

  // Judged once per position: a drawing asks for it, and so do the words.
  function judgement() {
    if (cut.judged?.at !== cut.at) cut.judged = { at: cut.at, ...judgeCut(trace, cut.at) };
    return cut.judged;
  }

  const cutHere = () => ({ at: cutAt(trace, lanes(), store.cursor.event), event: store.cursor.event, us: store.cursor.time_us });

  function moveCut(lane, count) {
    const most = laneEvents(trace).events.get(lane)?.length ?? 0;
    cut.at = new Map(cut.at).set(lane, Math.max(0, Math.min(most, count)));
    refresh();
    const u = cutU(lane);
    if (u - scrollMain() < 8 || u - scrollMain() > extent() - 10) {
      follow = false;
      scrollTo(u - extent() / 2);
    }
  }

  // As straight as the events allow: near `wanted`, but after the last one inside and before the first outside.
  function between(wanted, last, next) {
    const least = Math.min(12, (next - last) / 2);
    return Math.min(next - least, Math.max(last + least, wanted));
  }

  function cutU(lane) {
    const ids = laneEvents(trace).events.get(lane) ?? [];
    const count = cut.at.get(lane) ?? 0;
    const { at } = main.layout;
    return between(cursorU(main, cut.us, cut.event), count ? at[ids[count - 1]] : -24, count < ids.length ? at[ids[count]] : Infinity);
  }

  function drawGrips() {
    if (!cut) {
      grips.replaceChildren();
      return;
    }
    const shown = lanes();
    if (grips.children.length !== shown.length) {
      grips.replaceChildren(...shown.map((lane) => h(doc, "div", {
        class: "ds-st-grip", role: "slider", tabindex: "0", "data-lane": lane, "aria-orientation": set.down ? "vertical" : "horizontal",
        onkeydown: gripKey, onpointerdown: gripDrag,
      })));
    }
    for (const grip of grips.children) {
      const { lane } = grip.dataset;
      const ids = laneEvents(trace).events.get(lane) ?? [];
      const count = cut.at.get(lane);
      const [x, y] = point(cutU(lane) - scrollMain(), laneV(main, lane));
      grip.style.transform = `translate(${spaceEm(x)}, ${spaceEm(y)})`;
      const last = ids[count - 1];
      setAttrs(grip, {
        "aria-label": `Cut of ${lane}`, "aria-valuemin": 0, "aria-valuemax": ids.length, "aria-valuenow": count,
        "aria-valuetext": last === undefined ? "before its first event" : `after ${clockText(trace.time(last))}, ${eventWords(trace, last)}`,
      });
    }
  }

  function gripKey(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const { lane } = event.currentTarget.dataset;
    moveCut(lane, cut.at.get(lane) + step);
    ctx.say(note.firstChild?.textContent);
  }

  function gripDrag(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const { lane } = event.currentTarget.dataset;
    event.currentTarget.focus({ preventScroll: true });
    const ids = laneEvents(trace).events.get(lane) ?? [];
    const move = (moved) => {
      const [x, y] = pointerAt(moved);
      const u = (set.down ? y : x) - headRoom() + scrollMain();
      const { at } = main.layout;
      moveCut(lane, ids.filter((i) => at[i] <= u).length);
    };
    win.addEventListener("pointermove", move);
    win.addEventListener("pointerup", () => win.removeEventListener("pointermove", move), { once: true });
  }

  // ---- drawing -----------------------------------------------------------------------------------------------------------
  function laneV(part, id) {
    const index = lanes().indexOf(id);
    if (index < 0) return undefined;
    const column = part === other && set.side ? index + lanes().length : index;
    return size().gutter + pitch() * (column + 0.5) - scrollCross();
  }

  // How a part of the picture is laid on the window: this branch, or the one compared with.
  function diagram(part) {
    const scroll = scrollMain();
    const { at, from, to } = part.layout;
    const old = before && part === main ? before : null;
    const mix = (next, past) => (old ? (past - old.scroll) * (1 - old.part) + (next - scroll) * old.part : next - scroll);
    const d = {
      ...part, lanes: lanes(), lane: (id) => laneV(part, id),
      at: (i) => mix(at[i], old?.at[i]), from: (k) => mix(from[k], old?.from[k]), to: (k) => mix(to[k], old?.to[k]),
    };
    if (old) d.layout = bothWindows(old, part.layout);
    if (!other) return d;
    const { prefix } = other.diff;
    const fork = forkU() - scroll;
    d.unmatched = part === other ? other.diff.onlyOther : other.diff.onlyMine;
    if (part === other) Object.assign(d, { other: true, begin: fork, layout: afterFork(part, prefix) });
    if (!set.side) {
      if (part === other) d.lane = (id) => laneV(main, id) + RAILS;
    }
    return d;
  }

  // While things glide: whatever is in view before or after.
  function bothWindows(old, next) {
    const end = old.scroll + extent() + 30;
    const union = (name) => ({ within: (low, high) => [...new Set([...next[name].within(low, high), ...old[name].within(old.scroll - 30, end)])] });
    return { ...next, events: union("events"), messages: union("messages") };
  }

  // The first event that differs stands at the fork; the part before it is drawn once.
  function afterFork(part, prefix) {
    const { layout } = part;
    const { messages } = part.trace;
    const late = (k) => messages.sentEvent(k) >= prefix || (messages.endEvent(k) ?? Infinity) >= prefix;
    return {
      ...layout,
      events: { within: (low, high) => layout.events.within(low, high).filter((i) => i >= prefix) },
      messages: { within: (low, high) => layout.messages.within(low, high).filter(late) },
    };
  }

  /** Where the two begin to differ, px along: before everything that is not shared. */
  function forkU() {
    if (set.axis === "time") return forkUs() * main.layout.scale - 6;
    other.forkRank ??= Math.min(...[main, other].map(({ layout, trace: of }) => layout.at.subarray(Math.min(other.diff.prefix, of.n - 1)).reduce((least, u) => Math.min(least, u), Infinity)));
    return other.forkRank - 6;
  }

  function draw(settled = true) {
    if (!main || !frame || asTable || el.hidden) return;
    measure();
    const { width, height } = room;
    const ratio = Math.min(2, win.devicePixelRatio || 1) * room.unit;
    const pen = sized(width, height, ratio);
    colours ??= spaceColours(doc, el);
    const scroll = scrollMain();
    drawnWindow = {
      low: scroll - 30, high: scroll + extent() + 30, extent: extent(), point, vertical: set.down,
      gutter: size().gutter - scrollCross(), label: set.down ? size().gutter - 19 - scrollCross() : 9 - scrollCross(), breadth: breadth() - scrollCross(),
    };
    drawHeads();
    drawGrips();
    if (pen) paint(pen, ratio, width, height);
    placeCursor();
    if (settled) placeStops();
  }

  function sized(width, height, ratio) {
    const [w, hgt] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== hgt) {
      canvas.width = w;
      canvas.height = hgt;
      canvas.style.width = spaceEm(width);
      canvas.style.height = spaceEm(height);
      fixed.style.width = spaceEm(width);
    }
    return canvas.getContext("2d");
  }

  function paint(pen, ratio, width, height) {
    const window = drawnWindow;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.save();
    pen.beginPath();
    pen.rect(...(set.down ? [0, headRoom(), width, height] : [headRoom(), 0, width, height]));
    pen.clip();
    const judged = cut ? judgement() : null;
    if (cut) paintInside(pen);
    paintAxis(pen, axisLabels(), window, colours);
    const faults = set.axis === "time" ? (store.branch.faults ?? []).filter(({ kind }) => ["partition", "cut", "link"].includes(kind)) : [];
    paintFaults(pen, faults.map((fault) => ({
      label: fault.label, row: 0, u1: fault.from_us * main.layout.scale - scrollMain(), u2: (fault.to_us ?? Infinity) * main.layout.scale - scrollMain(),
    })), window, colours);
    const pair = second === null ? [] : [[cone.event, "A"], [second, "B"]];
    const look = {
      event: store.cursor.event, ranked: set.axis === "rank", message: store.selection?.kind === "message" ? store.selection.id : null,
      cone: path || second !== null ? null : cone, coneLanes: cone?.lanes, tags: pair.length ? pair : cone ? [[cone.event, ""]] : [],
      found: found.length || set.find.trim() ? { events: new Set(found), messages: messagesOf(found) } : null,
      orphans: judged && new Set(judged.orphans), channels: judged && new Set(judged.channels),
      broken: new Set((store.branch.verdicts ?? []).filter(({ status }) => status === "violated").map(({ event }) => event)),
    };
    if (other && set.side) paintTwin(pen);
    if (other) paintDiagram(pen, diagram(other), { ...look, event: otherCursor().event, message: null, found: null, broken: null }, window, colours);
    paintDiagram(pen, diagram(main), look, window, colours);
    if (other && !set.side) paintSidings(pen);
    const at = (i) => point(diagram(main).at(i), laneV(main, laneOf(trace.events, i)));
    if (path) paintPath(pen, path.filter((i) => laneOf(trace.events, i) !== null && !set.lanes.has(laneOf(trace.events, i))).map(at), colours);
    if (cut) paintFrontier(pen, lanes().map((lane) => point(cutU(lane) - scrollMain(), laneV(main, lane))), colours, { width: 2.5 });
    if (set.axis === "rank") paintFrontier(pen, cursorFrontier(), colours);
    pen.restore();
  }

  const messagesOf = (events) => new Set(events.map((i) => trace.message(i)).filter((k) => k !== null));

  function axisLabels() {
    const scroll = scrollMain();
    const [low, high] = [Math.max(0, scroll - 20), scroll + extent() + 20];
    if (set.axis === "time") {
      const { ticks, decimals } = spaceTicks(low, high, main.layout.scale, set.down ? 56 : 84);
      return ticks.map((us) => ({ u: us * main.layout.scale - scroll, text: (us / 1e6).toFixed(Math.max(1, decimals)) }));
    }
    const times = lamportTimes(trace);
    const rows = new Map(main.layout.events.within(low, high).map((i) => [main.layout.at[i], times[i]]));
    return [...rows].filter(([, time]) => main.layout.scale > 20 || time % 2 === 0).map(([u, time]) => ({ u: u - scroll, text: String(time) }));
  }

  function paintInside(pen) {
    const shown = lanes();
    pen.beginPath();
    const edge = shown.map((lane) => point(cutU(lane) - scrollMain(), laneV(main, lane)));
    const [first, last] = [edge[0], edge.at(-1)];
    const out = pitch() / 2;
    pen.moveTo(...(set.down ? [first[0] - out, -20] : [-20, first[1] - out]));
    pen.lineTo(...(set.down ? [first[0] - out, first[1]] : [first[0], first[1] - out]));
    for (const [x, y] of edge) pen.lineTo(x, y);
    pen.lineTo(...(set.down ? [last[0] + out, last[1]] : [last[0], last[1] + out]));
    pen.lineTo(...(set.down ? [last[0] + out, -20] : [-20, last[1] + out]));
    pen.fillStyle = colours.wash;
    pen.fill();
  }

  // Where time is logical the cursor is the cut through what has happened.
  function cursorFrontier() {
    const scroll = scrollMain();
    const half = pitch() / 2;
    const points = lanes().map((lane) => {
      const ids = shownOn(lane);
      const count = countUpTo(ids, store.cursor.event);
      const last = count ? main.layout.at[ids[count - 1]] : -24;
      const next = count < ids.length ? main.layout.at[ids[count]] : Infinity;
      return [between(cursorU() + 12, last, next) - scroll, laneV(main, lane)];
    });
    const [first, end] = [points[0], points.at(-1)];
    return [[first[0], first[1] - half], ...points, [end[0], end[1] + half]].map(([u, v]) => point(u, v));
  }

  // A lane that parts: from the shared line to the rail of the other branch.
  function paintSidings(pen) {
    const u = forkU() - scrollMain();
    Object.assign(pen, { strokeStyle: colours.mark, lineWidth: 1.25 });
    pen.beginPath();
    for (const id of lanes()) {
      const v = laneV(main, id);
      pen.moveTo(...point(u - 7, v));
      pen.lineTo(...point(u, v + RAILS));
    }
    pen.stroke();
  }

  // Beside: a word on what is not drawn twice.
  function paintTwin(pen) {
    const u = forkU() - scrollMain();
    const v = size().gutter + pitch() * lanes().length - scrollCross();
    Object.assign(pen, { strokeStyle: colours.line2, lineWidth: 1, fillStyle: colours.ink2, font: `400 12px ${colours.font}`, textAlign: "left", textBaseline: "middle" });
    pen.beginPath();
    pen.moveTo(...point(-20, v));
    pen.lineTo(...point(extent() + 20, v));
    pen.moveTo(...point(u, v));
    pen.lineTo(...point(u, breadth() - scrollCross()));
    pen.stroke();
    const [x, y] = point(Math.min(u - 12, extent() - 12), v + 10);
    if (u > 14) pen.fillText(`as in ${store.branch.id} until ${clockText(forkUs())} s`, x, y);
  }

  const forkUs = () => Math.min(...[trace, other.trace].map((of) => (other.diff.prefix < of.n ? of.time(other.diff.prefix) : Math.max(trace.endUs, other.trace.endUs))));

  function otherCursor() {
    if (set.link === "time") return { event: other.trace.eventAt(store.cursor.time_us), us: store.cursor.time_us };
    const event = linkedEvent(other.diff, store.cursor.event);
    return { event, us: event < 0 ? 0 : other.trace.time(event) };
  }

  function drawHeads() {
    const key = JSON.stringify([lanes(), columns(), set.down, room.width, room.height, scrollCross(), store.branch.id, other?.id, frame.event, stamped() && [cone?.event, second], store.selection?.kind === "node" && store.selection.id]);
    if (key === shownKey) return;
    shownKey = key;
    const parts = other && set.side ? [main, other] : [main];
    const theirs = other && set.side ? other.trace.frameAt(otherCursor().event) : null;
    const stamps = stamped() && cone ? [cone.vector, ...(second === null ? [] : [vectorTime(trace, second)])] : [];
    const { width, height } = room;
    Object.assign(heads.style, { width: spaceEm(set.down ? width : headRoom()), height: spaceEm(set.down ? headRoom() : height) });
    const corner = stamps.length && set.down ? [h(doc, "small", { class: "ds-st-corner" }, stamps.length > 1 ? "A | B" : "vector")] : [];
    heads.replaceChildren(...corner, ...parts.flatMap((part) => lanes().map((id) => {
      const of = part === other ? theirs : frame;
      const view = nodeView(of.nodes.get(id), of, part.trace, spec);
      const v = laneV(part, id);
      const wide = pitch();
      return h(doc, "div", {
        class: `ds-st-head ${set.down && wide < 66 ? "is-tight" : ""} ${store.selection?.kind === "node" && store.selection.id === id ? "ds-chosen" : ""}`, "data-lane": id,
        style: set.down ? `left:${spaceEm(v - wide / 2)};width:${spaceEm(wide)}` : `top:${spaceEm(v - 15)};height:${spaceEm(30)}`,
      }, view.kind === "client" ? h(doc, "span", { class: "ds-st-client" }, id) : nodeBadge(doc, view),
      view.kind === "client" ? null : h(doc, "b", {}, part === other ? `${id} ${other.id}` : parts.length > 1 ? `${id} ${store.branch.id}` : id),
      stamps.length ? h(doc, "small", { class: "ds-st-stamp" }, stamps.map((vector) => String(vector[id] ?? 0)).join(" | ")) : null);
    })));
  }

  function placeCursor() {
    const ranked = set.axis === "rank";
    const u = cursorU() - scrollMain();
    const late = ranked || u > extent();
    now.hidden = ranked || u < 0 || u > extent();
    veil.hidden = late || Boolean(cut || cone || set.find.trim());       // what is asked about may lie ahead
    const at = Math.max(0, u);
    now.style.transform = set.down ? `translate(0, ${spaceEm(at + headRoom())})` : `translate(${spaceEm(at + headRoom())}, 0)`;
    setText(now.firstChild, clockText(store.cursor.time_us));
    const { width, height } = room;
    Object.assign(veil.style, set.down
      ? { left: spaceEm(Math.max(0, size().gutter - scrollCross() - 4)), top: spaceEm(at + headRoom()), width: spaceEm(width), height: spaceEm(Math.max(0, height - headRoom() - at)) }
      : { top: spaceEm(Math.max(0, size().gutter - scrollCross() - 6)), left: spaceEm(at + headRoom()), height: spaceEm(height), width: spaceEm(Math.max(0, width - headRoom() - at)) });
    Object.assign(now.style, set.down ? { width: spaceEm(width), height: "" } : { height: spaceEm(height), width: "" });
  }

  // ---- focus -------------------------------------------------------------------------------------------------------------
  const eventsInView = () => main.layout.events.within(scrollMain(), scrollMain() + extent());

  function eventName(i) {
    const chosen = cone && i !== cone.event && second === null ? `, ${cone.past.has(i) ? "before" : cone.future.has(i) ? "after" : "concurrent to"} the chosen event` : "";
    return `${clockText(trace.time(i))} s, ${laneOf(trace.events, i)}: ${eventWords(trace, i)}, logical time ${lamportTimes(trace)[i]}${chosen}`;
  }

  function placeStops() {
    const had = stops.contains(doc.activeElement);
    if (store.playing || before) {
      if (!had) stops.replaceChildren();
      return;
    }
    let ids = eventsInView().sort((a, b) => a - b);
    if (!ids.includes(active)) active = ids.findLast((i) => i <= store.cursor.event) ?? ids[0] ?? -1;
    const middle = ids.indexOf(active);
    if (ids.length > MOST_STOPS) ids = ids.slice(Math.max(0, middle - MOST_STOPS / 2), middle + MOST_STOPS / 2);
    const known = new Map([...stops.children].map((button) => [Number(button.dataset.event), button]));
    const chosen = store.selection?.kind === "event" ? Number(store.selection.id) : -1;
    const buttons = ids.map((i) => {
      const button = known.get(i) ?? h(doc, "button", { type: "button", class: "ds-st-stop", "data-event": i });
      const [x, y] = point(main.layout.at[i] - scrollMain(), laneV(main, laneOf(trace.events, i)));
      button.style.transform = `translate(${spaceEm(x)}, ${spaceEm(y)})`;
      setAttrs(button, { "aria-label": eventName(i), "aria-pressed": String(i === chosen || i === second), tabindex: i === active ? 0 : -1 });
      return button;
    });
    if (buttons.length !== stops.children.length || buttons.some((button, at) => stops.children[at] !== button)) stops.replaceChildren(...buttons);
    if (had && !stops.contains(doc.activeElement)) focusActive();
  }

  function focusActive() {
    stops.querySelector(`[data-event="${active}"]`)?.focus({ preventScroll: true });
  }

  function onKey(event) {
    if (event.key === "Enter" || event.key === " ") {
      if (event.key === " ") return;
      event.preventDefault();
      event.stopPropagation();
      pick(Number(event.target.dataset.event), event.shiftKey);
      return;
    }
    if (event.key === "Escape" && (second !== null || pairing || store.selection?.kind === "event")) {
      event.preventDefault();
      event.stopPropagation();
      clearChoice();
      return;
    }
    const [back, on, left, right] = set.down ? ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"] : ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
    const next = { [back]: () => alongLane(-1), [on]: () => alongLane(1), [left]: () => toLane(-1), [right]: () => toLane(1), PageUp: () => alongLane(-10), PageDown: () => alongLane(10) }[event.key]?.();
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (next < 0) return;
    active = next;
    follow = false;
    reveal(next);
    draw();
    focusActive();
  }

  const shownOn = (lane) => main.onLane.get(lane) ?? [];

  function alongLane(step) {
    const ids = shownOn(laneOf(trace.events, active));
    return ids[Math.max(0, Math.min(ids.length - 1, ids.indexOf(active) + step))] ?? -1;
  }

  function toLane(step) {
    const ids = lanes();
    const next = ids[ids.indexOf(laneOf(trace.events, active)) + step];
    if (!next) return -1;
    const { at } = main.layout;
    return shownOn(next).reduce((best, i) => (best < 0 || Math.abs(at[i] - at[active]) < Math.abs(at[best] - at[active]) ? i : best), -1);
  }

  function pointerAt(event) {
    const rect = scroller.getBoundingClientRect();
    return [(event.clientX - rect.left) / room.unit, (event.clientY - rect.top) / room.unit];
  }

  function pickPointer(event) {
    if (event.target.closest?.("[role=slider], .ds-st-heads") || !main || store.playing) return;
    const [x, y] = pointerAt(event);
    const [u, v] = set.down ? [y - headRoom(), x] : [x - headRoom(), y];
    if (u < 0) return;
    if (v < size().gutter - scrollCross() && set.axis === "time") {
      ctx.seek({ us: (u + scrollMain()) / main.layout.scale });
      return;
    }
    const { part, i: near } = eventNear(u, v);
    if (near >= 0) {
      if (part === other) goBeside(near);
      else pick(near, event.shiftKey);
      return;
    }
    const message = messageNear(u, v);
    if (message !== null) ctx.select({ kind: "message", id: message });
    else if (second !== null || store.selection?.kind === "event") clearChoice();
  }

  // The nearest event of this branch or of the one compared with: {part, i}; i is -1 where there is none.
  function eventNear(u, v) {
    let best = { part: main, i: -1, distance: PICK_PX };
    for (const part of other ? [main, other] : [main]) {
      const d = diagram(part);
      for (const i of d.layout.events.within(scrollMain(), scrollMain() + extent())) {
        const distance = Math.hypot(d.at(i) - u, d.lane(laneOf(part.trace.events, i)) - v);
        if (distance < best.distance || (distance === best.distance && part === best.part)) best = { part, i, distance };
      }
    }
    return best;
  }

  // Where this branch is when the other one is at `event`: at the same time, or at the latest event that both have.
  function goBeside(event) {
    if (set.link === "time") return ctx.seek({ us: other.trace.time(event) });
    const { prefix, partner } = other.diff;
    return ctx.seek({ event: [...partner].reduce((last, [mine, theirs]) => (theirs <= event ? Math.max(last, mine) : last), Math.min(event, prefix - 1)) });
  }

  // What the pointer is on says what it is, as what has the focus does.
  function hover(event) {
    if (!main || store.playing || event.buttons) return;
    const [x, y] = pointerAt(event);
    const [u, v] = set.down ? [y - headRoom(), x] : [x - headRoom(), y];
    const { part, i: near } = u < 0 ? { part: main, i: -1 } : eventNear(u, v);
    scroller.classList.toggle("is-on-event", near >= 0);
    for (const button of stops.children) button.classList.toggle("is-near", part === main && Number(button.dataset.event) === near);
    tellOf(near, part);
  }

  // In the note, not over the picture.
  function tellOf(i, part = main) {
    if (i === pointed && part.trace === pointedIn) return;
    pointed = i;
    pointedIn = part.trace;
    fillLine();
  }

  // Only this line changes: whatever is about to be pressed beside it must stay.
  function fillLine() {
    const words = told();
    line.replaceChildren(...words ? [words] : lineElse());
  }

  function messageNear(u, v) {
    let best = null;
    for (const k of main.layout.messages.within(scrollMain(), scrollMain() + extent())) {
      const [u1, u2] = [main.layout.from[k] - scrollMain(), main.layout.to[k] - scrollMain()];
      const [v1, v2] = [laneV(main, trace.messages.from(k)), laneV(main, trace.messages.to(k))];
      const [du, dv] = [u2 - u1, v2 - v1];
      const part = Math.max(0, Math.min(1, ((u - u1) * du + (v - v1) * dv) / (du * du + dv * dv || 1)));
      const distance = Math.hypot(u1 + du * part - u, v1 + dv * part - v);
      if (distance < 7 && (!best || distance < best.distance)) best = { k, distance };
    }
    return best?.k ?? null;
  }

  // ---- words ---------------------------------------------------------------------------------------------------------------
  const key = (klass, text) => h(doc, "span", {}, h(doc, "i", { class: `ds-st-key is-${klass}` }), text);
  const noteButton = (text, act, more = {}) => h(doc, "button", { type: "button", class: "ds-btn ds-lab ds-out", onclick: act, ...more }, text);

  function writeNote() {
    const parts = cut ? cutNote() : other ? compareNote() : second !== null ? pairNote() : cone ? coneNote() : plainNote();
    const held = [...note.querySelectorAll("button")].indexOf(doc.activeElement);
    note.replaceChildren(...parts.filter(Boolean));
    if (held >= 0) (note.querySelectorAll("button")[held] ?? note.querySelector("button") ?? scroller).focus({ preventScroll: true });
    if (asTable) writeTable();
  }

  function plainNote() {
    const { kind, id } = store.selection ?? {};
    if (kind === "message" && id < trace.messages.count) {
      return [h(doc, "p", {}, h(doc, "b", {}, `${typeWords(trace.messages.type(id))}, ${trace.messages.from(id)} to ${trace.messages.to(id)}. `), plainText(trace.messages.gloss(id) ?? "")),
        h(doc, "div", { class: "ds-gos" }, noteButton("Inspect", () => ctx.openMessage(id)))];
    }
    const ids = main.layout.messages.within(scrollMain(), scrollMain() + extent());
    const classes = [...new Set(ids.map((k) => trace.messages.klass(k)))].sort();
    const lost = ids.some((k) => trace.messages.fate(k) === "dropped");
    return [h(doc, "div", { class: "ds-log-key" }, classes.slice(0, 5).map((klass) => h(doc, "span", {},
      s(doc, "svg", { viewBox: "-11 -11 22 22", class: "ds-st-mark", "aria-hidden": "true" }, messageMark(doc, klass, ids.map((k) => (trace.messages.klass(k) === klass ? trace.messages.term(k) : 0)).find(Boolean) ?? "")),
      CLASS_WORDS[klass] ?? klass)), lost ? key("lost", "lost") : null), lineOr(() => [h(doc, "p", { class: "ds-quiet" }, "Choose an event to see what it can have influenced.")])];
  }

  function lineOr(otherwise) {
    lineElse = otherwise;
    fillLine();
    return line;
  }

  // What is pointed at, in words; null if nothing is, or if it is what the note is about.
  function told() {
    const beside = other && pointedIn === other.trace;
    const of = beside ? other.trace : trace;
    if (pointed < 0 || pointed >= of.n || pointed === cone?.event) return null;
    const how = !cone ? "" : cone.past.has(pointed) ? ", before it" : cone.future.has(pointed) ? ", after it" : ", concurrent";
    return h(doc, "p", { class: "ds-st-told" }, `${other ? `${beside ? other.id : store.branch.id}: ` : ""}${clockText(of.time(pointed))} s  ${eventTitle(pointed, of)}${how}`);
  }

  function eventTitle(i, of = trace) {
    const words = eventWords(of, i);
    const lane = laneOf(of.events, i);
    return words.includes(lane) ? words : `${lane}: ${words}`;
  }

  function coneNote() {
    const { past, future, concurrent } = cone;      // the line may be written anew when nothing is chosen any more
    return [h(doc, "p", {}, h(doc, "b", {}, `${eventTitle(cone.event)}. `), h(doc, "span", { class: "ds-quiet" }, `Event ${cone.event}, logical time ${cone.lamport}.`)),
      lineOr(() => [h(doc, "div", { class: "ds-log-key" }, key("past", `${past.size} before`), key("future", `${future.size} after`), key("other", `${concurrent} concurrent`))]),
      h(doc, "div", { class: "ds-gos" }, cone.event === store.cursor.event ? null : noteButton("Go there", () => ctx.seek({ event: cone.event })),
        noteButton(pairing ? "Choose the other event" : "Relate to…", () => {
          pairing = !pairing;
          writeNote();
        }, { "aria-pressed": String(pairing) }), noteButton("Clear", clearChoice))];
  }

  function pairNote() {
    const how = relation(trace, cone.event, second);
    const name = (i) => `${eventTitle(i)}, ${clockText(trace.time(i))} s`;
    const hops = path ? path.filter((i, at) => at && laneOf(trace.events, path[at - 1]) !== laneOf(trace.events, i)).length : 0;
    const said = how === "concurrent" ? "A and B are concurrent: neither can have influenced the other."
      : `${how === "before" ? "A before B" : "B before A"}: the shortest path has ${countText(hops, "message")}.`;
    return [h(doc, "p", {}, h(doc, "b", {}, said)),
      h(doc, "p", { class: "ds-quiet" }, `A: ${name(cone.event)}. B: ${name(second)}.`,
        h(doc, "span", { class: "ds-vh" }, ` Vector of A ${vectorText(cone.vector)}, of B ${vectorText(vectorTime(trace, second))}.`)),
      h(doc, "div", { class: "ds-gos" }, noteButton("Clear", clearChoice))];
  }

  const vectorText = (vector) => `[${allLanes.map((id) => `${id} ${vector[id] ?? 0}`).join(", ")}]`;

  function cutNote() {
    const { consistent, orphans, channels } = judgement();
    const { messages } = trace;
    const way = (k) => `${typeWords(messages.type(k))} ${messages.from(k)} → ${messages.to(k)}`;
    const worst = orphans[0];
    return [h(doc, "p", {}, h(doc, "b", { class: consistent ? null : "ds-danger-text" }, consistent ? "A consistent cut. " : "Not consistent. "),
      consistent ? "Whatever was received inside was sent inside."
        : `${messages.to(worst)} has received “${typeWords(messages.type(worst))}”, which ${messages.from(worst)} has not sent yet${orphans.length > 1 ? `; ${orphans.length - 1} more` : ""}.`),
    h(doc, "p", { class: "ds-quiet" }, channels.length ? `In the channels: ${listText(channels.slice(0, 3).map(way))}${channels.length > 3 ? ` and ${channels.length - 3} more` : ""}.` : "The channels are empty."),
    h(doc, "div", { class: "ds-gos" }, noteButton("To the cursor", () => {
      cut = cutHere();
      refresh();
    }))];
  }

  function compareNote() {
    const words = diffWords(trace, other.trace, other.diff, store.branch.id, other.id);
    const differ = stateDiff(frame, other.trace.frameAt(Math.max(0, otherCursor().event), otherCursor().us), store.branch.id, other.id);
    return [h(doc, "p", {}, h(doc, "b", {}, `${words.title} `), words.text), h(doc, "p", { class: "ds-quiet ds-st-told", title: differ }, differ),
      lineOr(() => [h(doc, "p", { class: "ds-quiet ds-st-told" }, `Rhombs happen in one branch only; ${other.id} is dashed. Point at an event to read it.`)])];
  }

  // The events around the cursor in words: what the picture says by place and pattern.
  function writeTable() {
    const at = Math.max(0, main.shown.findLastIndex((i) => i <= store.cursor.event));
    const ids = main.shown.slice(Math.max(0, at - TABLE_ROWS), at + TABLE_ROWS);
    const how = (i) => (i === cone.event ? "chosen" : cone.past.has(i) ? "before" : cone.future.has(i) ? "after" : "concurrent");
    const names = ["Time, s", "Node", "What happens", "Logical time", `Vector of ${allLanes.join(" ")}`, ...(cone ? ["To the chosen event"] : [])];
    table.replaceChildren(h(doc, "table", { class: "ds-table" }, h(doc, "caption", {}, `Branch ${store.branch.id}, ${countText(ids.length, "event")} around the cursor`),
      h(doc, "thead", {}, h(doc, "tr", {}, names.map((name) => h(doc, "th", { scope: "col" }, name)))),
      h(doc, "tbody", {}, ids.map((i) => {
        const vector = vectorTime(trace, i);
        const cells = [clockText(trace.time(i)), laneOf(trace.events, i), eventWords(trace, i), lamportTimes(trace)[i], allLanes.map((id) => vector[id] ?? 0).join(" "), ...(cone ? [how(i)] : [])];
        return h(doc, "tr", { class: i === store.cursor.event ? "ds-now" : i > store.cursor.event ? "ds-later" : null }, cells.map((text) => h(doc, "td", {}, String(text))));
      }))));
    table.querySelector(".ds-now")?.scrollIntoView?.({ block: "nearest" });
  }

  // ---- life ------------------------------------------------------------------------------------------------------------------
  function refresh() {
    if (!main || !frame) return;
    choose();
    for (const button of axes) setAttrs(button, { "aria-pressed": String(button.dataset.axis === set.axis) });
    setAttrs(turnButton, { "aria-label": set.down ? "Time to the right" : "Time downwards", title: set.down ? "Time to the right" : "Time downwards" });
    setAttrs(cutButton, { "aria-pressed": String(Boolean(cut)), "aria-disabled": other ? "true" : null });
    setAttrs(tableButton, { "aria-pressed": String(asTable) });
    compareBy.hidden = store.branches.length < 2;
    compareTools.hidden = !other;
    setAttrs(sideButton, { "aria-pressed": String(set.side) });
    setAttrs(linkButton, { "aria-pressed": String(set.link === "event") });
    const options = ["", ...store.branches.map(({ id }) => id).filter((id) => id !== store.branch.id)];
    if (!compareBy.hidden && options.join() !== [...compareBy.options].map(({ value }) => value).join()) {
      compareBy.replaceChildren(...options.map((id) => h(doc, "option", { value: id }, id ? `with ${id}` : "compare…")));
    }
    compareBy.value = other?.id ?? "";
    setAttrs(el, { "data-cone": cone ? String(cone.event) : null, "data-compare": other?.id ?? null, "data-message": store.selection?.kind === "message" ? store.selection.id : null, "data-cut": cut ? String(judgement().consistent) : null });
    writeNote();
    place();
  }

  function update(next, why) {
    frame = next;
    if (store.trace !== trace || (store.compare ?? null) !== (other?.id ?? null)) {
      rebuild();
      cone = null;
      follow = true;
    }
    if (why === "seek" || why === "branch" || why === "open") follow = true;
    if (why === "play") {
      if (!follow && store.playing) follow = true;
      revealCursor();
      draw();
      return;
    }
    stretch();
    if (follow) revealCursor(why === "layout" || why === "branch");
    refresh();
  }

  /** Every frame while it plays: only the cursor moves. */
  function tick() {
    if (!main || !store.playing || set.axis !== "time") return;
    const at = cursorU() - scrollMain();
    if (at < 0 || at > extent() - 14) {
      revealCursor();
      draw();
    } else placeCursor();
  }

  return {
    el, update, tick, compare, drawn: () => drawnWindow,
    retheme() {
      colours = null;
      if (main && frame) draw();
    },
    focus() {
      draw();
      focusActive();
    },
    destroy() {
      observer?.disconnect();
      win.clearTimeout(settling);
    },
  };
}
