// The cluster: nodes and links in SVG; messages in SVG while they are few, on a canvas above when they are many.

import { h, s, setAttrs, iconGroup, termClass, durationText, valueText } from "./format.js";
import { NODE, stageLayout, clientPlaces, route, messageRoute, along, flownFraction, quarterOf, fix, cutBands, crossing, groupsByLine, neighbour } from "./geometry.js";
import { nodeView, buildNode, paintNode, paintTimer, labelPlace, quorumMeter, messageMark, arrowPath, tailPath, messageName, badgeMark, legendWord, clusterName, starPath, CLASS_WORDS } from "./glyphs.js";
import { knotFraction } from "./trace.js";
import { createMessageCanvas } from "./canvas.js";
import { ECONOMIES, mergeParallel } from "./guard.js";

// Above either, messages and timer arcs move on the canvas: by measurement, from here on SVG costs the main thread more
// than 8 ms a frame.
const SVG_NODES = 28;
const SVG_MESSAGES = 60;
const CANVAS_HIT_PX = 12;
const LINKS_UP_TO = 12;        // above, idle links are a grey disc that hides the messages
const LINE_CHAR = 6.2;         // px of a letter at 12 px
const DROP_LINGER_US = 12_000;
const HIDE_HEARTBEATS_ABOVE = 20;
const FADE_HEARTBEATS_ABOVE = 4;
const DROP_LINGER_REAL_S = 1;

/** The cluster diagram. `handlers`: openNode(id), openMessage(k), partition(groups), focused(id). */
export function createStage(ctx, handlers) {
  const { doc, store, spec } = ctx;
  const hatchId = ctx.uid("hatch");
  const layers = {};
  for (const name of ["links", "band", "nodes", "labels", "messages", "draft"]) {
    layers[name] = s(doc, "g", { class: `ds-${name}`, "aria-hidden": name === "nodes" || name === "messages" ? null : "true" });
  }
  const svg = s(doc, "svg", { class: "ds-stage-svg", role: "group", "aria-label": "Cluster diagram" },
    s(doc, "defs", {}, s(doc, "pattern", {
      id: hatchId, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)",
    }, s(doc, "path", { d: "M0 0V6", class: "ds-hatch-danger" }))),
    Object.values(layers));
  const canvas = createMessageCanvas(ctx);
  const legend = h(doc, "div", { class: "ds-legend" });
  const el = h(doc, "div", { class: "ds-stage" }, svg, canvas.el, legend);

  const nodes = new Map();
  const drawn = new Map();
  let frame = null;
  let layout = null;
  let size = { width: 640, mode: "wide", popover: false, shape: "ring" };
  let places = new Map();
  let views = new Map();
  let legendKey = "";
  let roving = spec.servers[0];
  let pending = null;
  let draft = null;
  let named = false;             // its groups are named by key: Enter then cuts, it does not choose
  let bulk = false;
  let layoutCount = 0;
  let drawnLinks = "";
  let drawnLabels = "";
  let flights = [];
  let economy = 0;               // how much the canvas gives up for speed

  function relayout(next) {
    size = { ...size, ...next };
    layout = stageLayout(spec.servers, size.width, size.mode, size.popover, size.shape);
    places = new Map([...layout.nodes, ...clientPlaces(spec.clients ?? [], layout)]);
    svg.setAttribute("viewBox", `0 0 ${fix(layout.width)} ${layout.height}`);
    svg.style.width = `${fix(layout.width / 13 * 100) / 100}em`;
    canvas.resize(layout.width, layout.height);
    layoutCount += 1;
    buildNodes();
    clearMessages();
    if (frame) update(frame);
  }

  function buildNodes() {
    const active = doc.activeElement?.getAttribute?.("data-node");
    const hadFocus = layers.nodes.contains(doc.activeElement);
    nodes.clear();
    layers.nodes.replaceChildren();
    for (const [id, place] of places) {
      const kind = spec.servers.includes(id) ? "server" : "client";
      const built = buildNode(doc, { id, kind }, kind === "client" ? layout.scale * 0.8 : layout.scale);
      for (const part of [built.g, built.caption]) part.setAttribute("transform", `translate(${fix(place.x)} ${fix(place.y)})`);
      built.g.setAttribute("tabindex", id === roving ? "0" : "-1");
      built.g.addEventListener("click", () => clickNode(id));
      built.g.addEventListener("focus", () => setRoving(id));
      built.g.addEventListener("keydown", (event) => nodeKey(event, id));
      nodes.set(id, built);
      layers.nodes.append(built.g, built.caption);
    }
    if (hadFocus && active) nodes.get(active)?.g.focus();
  }

  function clickNode(id) {
    if (draft) assignDraft(id);
    else handlers.openNode(id);
  }

  function nodeKey(event, id) {
    const around = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const across = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (around || across) {
      event.preventDefault();
      focusNode(around ? nextAround(id, around) : neighbour(visiblePlaces(), id, 0, across));
    } else if (event.key === "Enter" && !named) {
      event.preventDefault();
      clickNode(id);
    }
  }

  // Left and right go round the ring, so that they reach every node; up and down go to the nearest one there.
  function nextAround(id, way) {
    const ids = [...visiblePlaces().keys()];
    return ids[(ids.indexOf(id) + way + ids.length) % ids.length];
  }

  function visiblePlaces() {
    return new Map([...places].filter(([id]) => spec.servers.includes(id) || clientShown(id)));
  }

  function setRoving(id) {
    if (roving !== id) nodes.get(roving)?.g.setAttribute("tabindex", "-1");
    nodes.get(id)?.g.setAttribute("tabindex", "0");
    roving = id;
    handlers.focused(id);
    if (layout.labels === "focus") paintLabels();
  }

  function focusNode(id = roving) {
    setRoving(id);
    nodes.get(id)?.g.focus();
  }

  function clientShown(id) {
    const involved = (k) => store.trace.messages.from(k) === id || store.trace.messages.to(k) === id;
    return frame.ops.some((op) => op.client === id) || frame.flying.some(involved);
  }

  // The chosen node, or the nodes that broke the chosen property.
  function isChosen(id) {
    const { kind, id: chosen } = store.selection ?? {};
    if (kind !== "property") return kind === "node" && chosen === id;
    const verdict = store.branch.verdicts?.find((item) => item.name === chosen && item.status === "violated");
    return Boolean(verdict && verdict.event <= frame.event && verdict.nodes.includes(id));
  }

  // The field that is pinned beside a node's name, with its value.
  function watchedWords(id) {
    const field = store.watch?.get(id);
    return field ? ` ${field.replace(/_/g, " ")} ${valueText(frame.nodes.get(id).fields[field])}` : "";
  }

  /** Draw a frame: everything that changes with events, and of that only what differs from the last one. */
  function update(next) {
    const trace = store.trace;
    frame = next;
    if (!layout) return;
    views = new Map([...frame.nodes.values()].map((node) => [node.id, withDraft(nodeView(node, frame, trace, spec))]));
    for (const [id, view] of views) {
      const built = nodes.get(id);
      const selected = isChosen(id);
      const visible = view.kind === "server" || clientShown(id);
      const look = JSON.stringify([view, view.votes && [...view.votes], selected, visible, pending?.node === id]);
      if (!built || built.look === look) continue;
      built.look = look;
      paintNode(doc, built, view, places, selected, store.playing !== 0);
      built.g.classList.toggle("is-pending", pending?.node === id);
      for (const part of [built.g, built.caption]) part.style.display = visible ? "" : "none";
    }
    setAttrs(svg, { "aria-label": clusterName(frame) });
    const linksLook = `${[...frame.cut]} ${JSON.stringify(frame.groups)} ${layoutCount}`;
    if (linksLook !== drawnLinks) {
      drawnLinks = linksLook;
      paintLinks();
      paintBands();
    }
    paintLabels();
    tick(frame.time_us);
  }

  function withDraft(view) {
    return draft && layout.nodes.has(view.id) ? { ...view, group: String.fromCharCode(64 + (draft.get(view.id) ?? 1)) } : view;
  }

  function paintLinks() {
    const ids = spec.servers.length <= SVG_NODES ? spec.servers : [];
    const idle = ids.length <= LINKS_UP_TO;
    const lines = [];
    ids.forEach((a, i) => ids.slice(i + 1).forEach((b) => {
      const forth = frame.cut.has(`${a}>${b}`);
      const back = frame.cut.has(`${b}>${a}`);
      const way = route(places.get(a), places.get(b), NODE.link * layout.scale);
      if (idle || (forth && back)) lines.push(linkLine(way, forth && back));
      if (forth !== back) lines.push(openArrow(back ? way : route(places.get(b), places.get(a), NODE.link * layout.scale)));
    }));
    layers.links.replaceChildren(...lines);
  }

  function linkLine(way, cut) {
    return s(doc, "path", {
      d: `M${fix(way.x1)} ${fix(way.y1)}L${fix(way.x2)} ${fix(way.y2)}`, class: cut ? "ds-link is-cut" : "ds-link",
    });
  }

  function openArrow(way) {
    const at = along(way, 0.93);
    return s(doc, "g", { class: "ds-one-way" }, linkLine(way, false),
      s(doc, "path", { d: "M-4 -4.2l8 4.2-8 4.2z", transform: `translate(${fix(at.x)} ${fix(at.y)}) rotate(${fix(way.degrees)})` }));
  }

  function paintBands() {
    const shapes = [];
    const bands = frame.groups && spec.servers.length <= SVG_NODES ? cutBands(frame.groups, layout) : [];
    for (const band of bands) shapes.push(...bandShapes(band));
    const cutPairs = spec.servers.flatMap((a, i) => spec.servers.slice(i + 1).map((b) => [a, b]))
      .filter(([a, b]) => frame.cut.has(`${a}>${b}`) && frame.cut.has(`${b}>${a}`));
    for (const [a, b] of spec.servers.length <= SVG_NODES ? cutPairs : []) {
      const way = route(places.get(a), places.get(b), NODE.link * layout.scale);
      const hits = bands.map((band) => crossing(way, band)).filter(Boolean);
      for (const at of hits.length ? hits : [along(way, 0.5)]) shapes.push(scissors(at));
    }
    layers.band.replaceChildren(...shapes);
  }

  function bandShapes(band) {
    const length = Math.hypot(band.x2 - band.x1, band.y2 - band.y1) || 1;
    const offX = (-(band.y2 - band.y1) / length) * 8;
    const offY = ((band.x2 - band.x1) / length) * 8;
    const path = (sign) => `M${fix(band.x1 + sign * offX)} ${fix(band.y1 + sign * offY)}`
      + `L${fix(band.x2 + sign * offX)} ${fix(band.y2 + sign * offY)}`;
    return [
      s(doc, "path", { d: path(0), class: "ds-band-paper" }),
      s(doc, "path", { d: path(0), class: "ds-band-fill", style: `stroke:url(#${hatchId})` }),
      s(doc, "path", { d: path(1) + path(-1), class: "ds-band-edge" }),
    ];
  }

  function scissors(at) {
    return s(doc, "g", { transform: `translate(${fix(at.x)} ${fix(at.y)})` },
      s(doc, "circle", { r: 9, class: "ds-scis" }), iconGroup(doc, "partition", -6.5, -6.5, 13, "is-danger"));
  }

  function paintLabels() {
    const look = JSON.stringify([layoutCount, roving, store.selection?.id, [...views.values()].map((view) => [view.line, view.status, watchedWords(view.id),
      view.votes && [...view.votes], view.kind === "client" && clientShown(view.id)])]);
    if (look === drawnLabels) return;
    drawnLabels = look;
    const shapes = [];
    for (const view of views.values()) {
      const place = places.get(view.id);
      if (!place || (view.kind === "client" && !clientShown(view.id))) continue;
      if (layout.labels === "focus" && view.id !== roving && store.selection?.id !== view.id) continue;
      shapes.push(...labelShapes(view, place));
    }
    layers.labels.replaceChildren(...shapes);
  }

  function labelShapes(view, place) {
    if (view.kind === "client") return [];
    const at = labelPlace(layout, place, view);
    const text = (y, klass, words) => s(doc, "text", { x: fix(at.x), y: fix(y), "text-anchor": at.anchor, class: klass }, words);
    const shapes = [text(at.y, "ds-t13 ds-b ds-halo", view.id)];
    shapes[0].append(s(doc, "tspan", { class: "ds-watched" }, watchedWords(view.id)));
    if (!at.line) return shapes;
    const room = at.anchor === "start" ? layout.width - at.x : at.anchor === "end" ? at.x : layout.width / layout.order.length;
    const line = view.line.length * LINE_CHAR <= room ? view.line : view.line.split(", ").at(-1);
    shapes.push(text(at.y + 16, `ds-t12 ds-halo ${view.status === "crashed" ? "ds-danger" : "ds-s"}`, line));
    if (view.votes && at.anchor === "start") shapes.push(quorumMeter(doc, view.votes, fix(at.x), fix(at.y + 27)));
    if (view.votes && at.anchor !== "start") {
      const wide = Math.min(19, 150 / view.votes.size) * view.votes.size;
      shapes.push(quorumMeter(doc, view.votes, fix(at.x - (at.anchor === "end" ? wide : wide / 2)), fix(at.y + 27)));
    }
    return shapes;
  }

  /** Draw the instant `us` of the present frame: timers and messages. */
  function tick(us) {
    if (!frame || !layout) return;
    const speed = store.playing ? Math.abs(store.speed) : 0;
    const linger = Math.max(DROP_LINGER_US, speed * DROP_LINGER_REAL_S * 1e6);
    const dropped = store.trace.droppedAt(frame.event, us, linger);
    const fast = speed > HIDE_HEARTBEATS_ABOVE;
    const hidden = fast || (bulk && economy >= 2);
    const flying = hidden ? frame.flying.filter((k) => store.trace.messages.klass(k) !== "heartbeat") : frame.flying;
    const many = (fast ? flying : frame.flying).length > SVG_MESSAGES || nodes.size > SVG_NODES;
    const placed = (k) => places.has(store.trace.messages.from(k)) && places.has(store.trace.messages.to(k));
    const known = flying.filter(placed);
    layers.messages.classList.toggle("is-faded", speed > FADE_HEARTBEATS_ABOVE);
    if (many !== bulk) {
      bulk = many;
      clearMessages();
      canvas.clear();
      layers.nodes.classList.toggle("is-bulk", bulk);
    }
    if (bulk) {
      flights = known.map((k) => flightOf(k, us)).filter(({ mark }) => mark.twinOf === null || !frame.flying.includes(mark.twinOf));
      if (economy >= 3) flights = mergeParallel(flights);
      const chosen = store.selection?.kind === "message" ? store.selection.id : null;
      canvas.draw({ flights, lost: dropped.filter(placed).map(deathOf), timers: timersAt(us), scale: layout.scale, chosen, faded: speed > FADE_HEARTBEATS_ABOVE });
    } else {
      for (const { view, at } of timersAt(us)) paintTimer(nodes.get(view.id), view.timer, at);
      drawMessages(known, dropped, us);
    }
    paintLegend(known, dropped, hidden ? frame.flying.length - flying.length : 0);
  }

  // A paused node's timers stand still.
  function timersAt(us) {
    const timed = [...views.values()].filter((view) => view.timer);
    return timed.map((view) => ({ view, place: places.get(view.id), at: view.status === "paused" ? frame.nodes.get(view.id).statusSince : us }));
  }

  function flightOf(k, us) {
    const { messages } = store.trace;
    const mark = store.trace.motionAt(k, frame.event);
    const way = messageRoute(places.get(messages.from(k)), places.get(messages.to(k)), layout.scale);
    let fraction = knotFraction(mark, us);
    if (ctx.settings.reducedMotion) fraction = quarterOf(fraction);
    const at = along(way, fraction);
    return { k, klass: messages.klass(k), term: messages.term(k), way, fraction, x: at.x, y: at.y, mark,
      twin: mark.twins.some((twin) => frame.flying.includes(twin)) };
  }

  function drawMessages(all, dropped, us) {
    // A copy made by hand flies with its original, drawn once as a pair.
    const flying = all.filter((k) => !frame.flying.includes(store.trace.motionAt(k, frame.event).twinOf));
    const wanted = new Set(flying);
    const lost = new Set(dropped);
    for (const [k, item] of drawn) {
      if (item.lost ? !lost.has(k) : !wanted.has(k)) {
        item.g.remove();
        drawn.delete(k);
      }
    }
    for (const k of flying) moveMessage(k, us);
    for (const k of dropped) {
      if (drawn.has(k)) continue;
      const g = lostMessage(k);
      drawn.set(k, { g, lost: true });
      layers.messages.append(g);
    }
  }

  function clearMessages() {
    for (const item of drawn.values()) item.g.remove();
    drawn.clear();
  }

  function moveMessage(k, us) {
    const flight = flightOf(k, us);
    const key = `${flight.mark.held} ${flight.mark.delayUs} ${flight.twin}`;
    let item = drawn.get(k);
    if (!item || item.key !== key) {
      item?.g.remove();
      item = buildMessage(flight);
      item.key = key;
      drawn.set(k, item);
      layers.messages.append(item.g);
    }
    const selected = store.selection?.kind === "message" && store.selection.id === k;
    item.g.classList.toggle("is-selected", selected);
    item.g.setAttribute("tabindex", selected ? "0" : "-1");
    if (item.event !== frame.event) {
      item.g.setAttribute("aria-label", messageName(store.trace, k, us, flight.mark, flight.twin));
      item.event = frame.event;
    }
    item.body.setAttribute("transform", `translate(${fix(flight.x)} ${fix(flight.y)})`);
    if (item.tail) item.tail.setAttribute("d", tailPath(flight.klass, flight.fraction * flight.way.length));
    if (item.route) item.route.style.display = selected || ctx.settings.reducedMotion ? "" : "none";
  }

  function buildMessage(flight) {
    const { k, klass, way, mark } = flight;
    const moving = !mark.held && !ctx.settings.reducedMotion;
    const tail = moving ? s(doc, "path", { class: "ds-tail" }) : null;
    const turned = s(doc, "g", { transform: `rotate(${fix(way.degrees)})` }, tail,
      moving ? s(doc, "path", { d: arrowPath(klass), class: "ds-chev" }) : null);
    const body = s(doc, "g", {},
      s(doc, "circle", { r: 12.5, class: "ds-hit" }), s(doc, "circle", { r: 16, class: "ds-focus-ring" }),
      turned, messageMark(doc, klass, flight.term), flight.twin ? twinMark(flight) : null, messageBadge(mark));
    const line = routeLine(way, klass);
    const g = s(doc, "g", {
      class: `dslab-message is-${klass}`, role: "button", tabindex: "-1", "data-message": k, "data-class": klass,
      onclick: () => handlers.openMessage(k),
      onkeydown: (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        handlers.openMessage(k);
      },
    }, line, body);
    return { g, body, tail, route: line };
  }

  // The selected message shows its way; in reduced motion every message does, with a tick at each quarter.
  function routeLine(way, klass) {
    const line = (d) => s(doc, "path", { d, class: "ds-route" });
    const whole = line(`M${fix(way.x1)} ${fix(way.y1)}L${fix(way.x2)} ${fix(way.y2)}`);
    if (!ctx.settings.reducedMotion) return s(doc, "g", {}, whole);
    const ticks = [0, 0.25, 0.5, 0.75].map((quarter) => {
      const at = along(way, quarter);
      return `M${fix(at.x - way.uy * 4)} ${fix(at.y + way.ux * 4)}L${fix(at.x + way.uy * 4)} ${fix(at.y - way.ux * 4)}`;
    });
    return s(doc, "g", {}, whole, line(ticks.join("")), s(doc, "path", {
      d: arrowPath(klass, -6), class: "ds-chev", transform: `translate(${fix(way.x2)} ${fix(way.y2)}) rotate(${fix(way.degrees)})`,
    }));
  }

  function messageBadge(mark) {
    if (mark.held) return s(doc, "g", { transform: "translate(11 -11)" }, badgeMark(doc, "lock", 8.5, 12));
    if (!mark.delayUs) return null;
    return [
      s(doc, "g", { transform: "translate(11 -11)" }, badgeMark(doc, "clock", 8.5, 12)),
      s(doc, "text", { x: -20, y: -10, "text-anchor": "end", class: "ds-t12 ds-halo ds-s" }, `+${durationText(mark.delayUs)}`),
    ];
  }

  function twinMark({ klass, term }) {
    return [
      s(doc, "g", { transform: "translate(0 10)" }, messageMark(doc, klass, term)),
      s(doc, "text", { x: 22, y: 9, class: "ds-t12 ds-b ds-halo" }, "×2"),
    ];
  }

  // The place on its way where a message died.
  function deathOf(k) {
    const { messages } = store.trace;
    const way = messageRoute(places.get(messages.from(k)), places.get(messages.to(k)), layout.scale);
    const fraction = Math.max(0.12, Math.min(0.94, flownFraction(messages.sentUs(k), messages.dueUs(k), messages.endUs(k))));
    const at = along(way, fraction);
    return { way, x: fix(at.x), y: fix(at.y) };
  }

  function lostMessage(k) {
    const { way, x, y } = deathOf(k);
    const cross = `M${x - 5} ${y - 5}l10 10m0-10l-10 10`;
    const wordY = y < way.y2 ? y - 12 : y + 25;      // on the side away from the node it did not reach
    return s(doc, "g", { class: "dslab-message is-lost", "data-message": k, "data-fate": "dropped", onclick: () => handlers.openMessage(k) },
      s(doc, "path", { d: `M${fix(way.x1)} ${fix(way.y1)}L${x} ${y}`, class: "ds-route-flown" }),
      s(doc, "path", { d: `M${x} ${y}L${fix(way.x2)} ${fix(way.y2)}`, class: "ds-route-lost" }),
      s(doc, "path", { d: cross, class: "ds-x-halo" }), s(doc, "path", { d: cross, class: "ds-x-drop" }),
      s(doc, "text", { x: x - 4, y: wordY, "text-anchor": "middle", class: "ds-t12 ds-halo ds-danger" }, "dropped"));
  }

  function paintLegend(flying, dropped, hiddenCount) {
    const classes = new Map();
    for (const k of flying) classes.set(store.trace.messages.klass(k), store.trace.messages.term(k));
    const running = [...views.values()].filter((view) => view.kind === "server" && view.status !== "crashed");
    const terms = [...new Map(running.filter((view) => view.term).map((view) => [view.term, view.era]))].sort(([a], [b]) => a - b).slice(-4);
    const traitor = running.some((view) => view.traitor);
    const gives = bulk ? ECONOMIES[economy] : "";
    const key = JSON.stringify([[...classes.keys()].sort(), terms, traitor, hiddenCount, size.mode, gives]);
    if (key === legendKey) return;
    legendKey = key;
    const order = Object.keys(CLASS_WORDS).filter((klass) => classes.has(klass) || (klass === "heartbeat" && hiddenCount));
    const items = order.map((klass) => legendItem(klass, classes, klass === "heartbeat" ? hiddenCount : 0));
    if (traitor) items.push(h(doc, "span", {}, s(doc, "svg", { viewBox: "-15 -15 30 30", "aria-hidden": "true" }, s(doc, "path", { d: starPath(13, 10), class: "ds-nf ds-term-0" })), "traitor"));
    const swatches = terms.map(([term, era]) => h(doc, "span", {},
      h(doc, "i", { class: `ds-swatch ${termClass(term)}` }), `${era} ${term}`));
    legend.replaceChildren(...(gives ? [h(doc, "span", {}, gives)] : []), ...items, ...(items.length && swatches.length ? [h(doc, "i", { class: "ds-legend-rule" })] : []), ...swatches);
  }

  function legendItem(klass, classes, hiddenCount) {
    return h(doc, "span", {}, s(doc, "svg", { viewBox: "-10 -10 20 20", "aria-hidden": "true" },
      messageMark(doc, klass, classes.get(klass))), legendWord(klass, classes, hiddenCount));
  }

  // ---- the partition tool: press and drag a line, or give servers to groups one by one ----
  function startDraft() {
    draft = new Map();
    el.classList.add("is-drafting");
    update(frame);
  }

  function assignDraft(id, digit = draft.get(id) === 2 ? 1 : 2) {
    if (!layout.nodes.has(id)) return;
    draft.set(id, digit);
    named = false;
    update(frame);
    handlers.drafted(draftGroups());
  }

  /** The same by key; true once two groups have been named. */
  function nameGroup(id, digit) {
    assignDraft(id, digit);
    named = true;
    return new Set(draft.values()).size > 1;
  }

  function draftGroups() {
    const digits = [...new Set(spec.servers.map((id) => draft.get(id) ?? 1))].sort();
    return digits.length < 2 ? null : digits.map((digit) => spec.servers.filter((id) => (draft.get(id) ?? 1) === digit));
  }

  function stopDraft() {
    draft = null;
    named = false;
    layers.draft.replaceChildren();
    el.classList.remove("is-drafting");
    if (frame) update(frame);
  }

  function stagePoint(event) {
    const box = svg.getBoundingClientRect();
    return { x: ((event.clientX - box.left) / box.width) * layout.width, y: ((event.clientY - box.top) / box.height) * layout.height };
  }

  // On the canvas a message has no element of its own: a click means the nearest one.
  svg.addEventListener("click", (event) => {
    if (!bulk || draft || event.target.closest(".dslab-node")) return;
    const { x, y } = stagePoint(event);
    const far = (flight) => Math.hypot(flight.x - x, flight.y - y);
    const nearest = flights.reduce((best, flight) => (best && far(best) <= far(flight) ? best : flight), null);
    if (nearest && far(nearest) < CANVAS_HIT_PX) handlers.openMessage(nearest.k);
  });

  svg.addEventListener("pointerdown", (event) => {
    if (!draft || event.button !== 0) return;
    const start = stagePoint(event);
    const line = s(doc, "path", { class: "ds-draft-line" });
    const view = doc.defaultView;
    const onMove = (next) => {
      const end = stagePoint(next);
      line.setAttribute("d", `M${fix(start.x)} ${fix(start.y)}L${fix(end.x)} ${fix(end.y)}`);
      layers.draft.replaceChildren(line);
    };
    const onUp = (next) => {
      view.removeEventListener("pointermove", onMove);
      const end = stagePoint(next);
      layers.draft.replaceChildren();
      if (Math.hypot(end.x - start.x, end.y - start.y) < 24) return;
      const groups = groupsByLine({ x1: start.x, y1: start.y, x2: end.x, y2: end.y }, layout);
      if (groups) handlers.partition(groups);
      else ctx.say("That line crosses no link.");
    };
    view.addEventListener("pointermove", onMove);
    view.addEventListener("pointerup", onUp, { once: true });
  });

  return {
    el,
    svg,
    update,
    tick,
    relayout,
    focusNode,
    retheme: () => canvas.retheme(),
    focusedNode: () => roving,
    focusMessage: (k) => drawn.get(k)?.g.focus(),
    crowded: () => bulk,
    /** Give up so much (0 to 3) of the canvas for speed. */
    economize: (level) => {
      economy = level;
      canvas.setCoarse(level > 0);
      if (level && bulk) ctx.say(`The picture is simplified: ${ECONOMIES[level]}.`);
    },
    /** Draw messages anew: their look depends on a setting. */
    repaintMessages: () => {
      clearMessages();
      if (frame) tick(store.cursor.time_us);
    },
    setPending: (next) => {
      pending = next;
      if (frame) update(frame);
    },
    startDraft,
    stopDraft,
    nameGroup,
    draftGroups,
    drafting: () => draft !== null,
  };
}
