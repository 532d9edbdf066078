// The key ring in the place of the cluster: nodes where their keys are, a lookup hop by hop, messages on their way.
//
// It does what the stage does for its lab, and hands over to the cluster diagram when links are to be cut.

import { h, s, setAttrs } from "./format.js";
import { fix } from "./geometry.js";
import { messageMark, messageName } from "./glyphs.js";
import { knotFraction } from "./trace.js";
import { createStage } from "./stage.js";
import { parts } from "./parts.js";
import { contactsOf, explainHop, hasRing, keyText, loads, lookupsAt, ownerIndex, positionFor, ringHistory, ringModel, silent } from "./ringdata.js";
import { between, curvePath, inLens, lensOf, ringLabels, placeOf, pointOn, ringRoom, strokeOf } from "./ringlayout.js";
import { TICKS_FROM, chordShapes, createGround, groundShapes, hopShapes, keyWedge, nodeRadius, nodeShapes, ownArc, patternDefs, patternOf, rejectedShapes, severalTokens } from "./ringpaint.js";
import { ringTabs, ringViews } from "./ringviews.js";

const NAMES_UP_TO = { ring: 24, trie: 12 };      // nodes: fewer are all named
const LEGEND_SERVERS = 10;
const MOST_CHORDS = 40;
const MOST_REJECTED = 24;
const MARKED_MESSAGES = 40;
const MOST_DOTS = 1500;
const MOST_TRAY = 30;
const RACE_STROKES = 60;           // hops of a racer; above, only its last ones
const LENS = { height: 46, marks: 60 };
const CLUSTER_UP_TO = 60;
const HIT_PX = 14;

parts.ring = {
  tabs: (spec) => (hasRing(spec) ? ringTabs() : []),
  views: (ctx) => (hasRing(ctx.spec) ? ringViews(ctx) : {}),
  stage: (ctx, handlers) => (hasRing(ctx.spec) ? createRing(ctx, handlers) : null),
  keys: (spec) => (hasRing(spec) ? [["F", "follow the lookup: arrows walk its hops"], ["J O", "let the node join, leave"]] : []),
};

/** The lookup on show at a frame: the one that was chosen, else the newest; and its hop on show, -1 for its beginning. */
export function shownLookup(store, frame) {
  const lookups = lookupsAt(ringHistory(store.trace), frame.event);
  const lookup = lookups.find(({ id }) => id === store.lookup) ?? lookups.at(-1) ?? null;
  if (!lookup) return { lookups, lookup, hop: -1 };
  const { kind, id } = store.selection ?? {};
  const chosen = kind === "hop" && String(id).startsWith(`${lookup.id}#`) ? Number(String(id).slice(lookup.id.length + 1)) : null;
  return { lookups, lookup, hop: chosen !== null && chosen < lookup.hops.length ? chosen : lookup.hops.length - 1 };
}

/** The stage of a system with a ring of keys; `handlers` as for the cluster diagram. */
export function createRing(ctx, handlers) {
  const { doc, store, spec } = ctx;
  const patternId = ctx.uid("pattern");
  const layers = {};
  for (const name of ["ground", "own", "paths", "nodes", "numbers", "labels", "lens", "messages"]) {
    layers[name] = s(doc, "g", { class: `ds-ring-${name}`, "aria-hidden": name === "nodes" || name === "messages" ? null : "true" });
  }
  const dots = s(doc, "path", { class: "ds-ring-dots" });
  layers.messages.append(dots);
  const svg = s(doc, "svg", { class: "ds-stage-svg", role: "group", "aria-label": "Key ring" }, s(doc, "defs", {}, patternDefs(doc, patternId)), Object.values(layers));
  const ground = createGround(ctx);
  const legend = h(doc, "div", { class: "ds-legend" });
  const picture = h(doc, "div", { class: "ds-ring-picture" }, ground.el, svg, legend);
  const cluster = spec.servers.length <= CLUSTER_UP_TO ? createStage(ctx, handlers) : null;
  const switcher = cluster && h(doc, "button", { type: "button", class: "ds-btn ds-lab ds-ring-switch", "aria-pressed": "false", onclick: () => showCluster(!clustered) }, ctx.icon("partition"), "Cluster");
  const el = h(doc, "div", { class: "ds-stage" }, picture, cluster?.el, switcher);
  let clustered = false;
  if (cluster) cluster.el.hidden = true;

  let size = { width: 640, mode: "wide", popover: false };
  let room = null;
  let frame = null;
  let model = null;
  let counts = [];
  let roving = spec.servers[0];
  let pending = null;
  let looks = {};
  let placed = new Map();          // node -> part of the ring
  let drawnNodes = new Map();
  let flights = [];

  function relayout(next) {
    size = { ...size, ...next };
    cluster?.relayout(next);
    room = null;
    looks = {};
    drawnNodes = new Map();
    layers.nodes.replaceChildren();
    ground.forget();
    if (frame) update(frame);
  }

  function shapeRoom() {
    room = ringRoom({ ...size, shape: model.metric === "xor" ? "trie" : "ring", histogram: true, lens: many() && model.metric !== "xor" });
    room.many = many();
    svg.setAttribute("viewBox", `0 0 ${fix(room.width)} ${room.height}`);
    svg.style.width = `${fix((room.width / 13) * 100) / 100}em`;
  }

  /** Draw a frame; of that only what differs from the last one. */
  function update(next) {
    frame = next;
    if (clustered) return cluster.update(next);
    const [marksBefore, metricBefore] = [model?.marks, model?.metric];
    model = ringModel(frame, spec, model);
    const history = ringHistory(store.trace);
    if (!room || metricBefore !== model.metric || room.many !== many()) shapeRoom();
    const { lookup, hop } = shownLookup(store, frame);
    if (model.marks !== marksBefore) placed = new Map(model.marks.map(({ id, position }) => [id, position / model.size]));
    paintGround();
    const scene = sceneOf(lookup, hop, history);
    paintNodes(scene);
    paintPaths(scene, history);
    svg.setAttribute("aria-label", ringName(scene));
    return tick(frame.time_us);
  }

  const many = () => model.marks.length >= TICKS_FROM;
  const differs = (name, look) => {
    if (looks[name] === look) return false;
    looks[name] = look;
    return true;
  };
  let counted = 0;

  function paintGround() {
    const chosen = severalTokens(model) ? focusOn() : null;
    if (counted !== model.version) counts = loads(model);
    counted = model.version;
    if (many()) {
      layers.ground.replaceChildren();
      looks.ground = null;
      ground.draw(room, model, counts, `${model.version} ${room.width} ${size.mode} ${size.popover}`);
    } else {
      ground.hide();
      if (differs("ground", `${model.version} ${chosen}`)) layers.ground.replaceChildren(...groundShapes(doc, { room, model, counts, patternId, chosen }));
    }
  }

  // Everything that depends on the lookup on show.
  function sceneOf(lookup, hop, history) {
    const at = (id) => {
      const dht = model.nodes.get(id);
      const position = positionFor(dht, lookup?.key ?? null, model.metric) ?? positionFor(history.versionAt(id, frame.event), lookup?.key ?? null, model.metric);
      return position === null ? null : position / model.size;
    };
    const aside = store.race || store.selection?.kind === "node";      // then something else is on show
    const path = lookup && !aside ? [lookup.node, ...lookup.hops.map((item) => item.name)] : [];
    return { lookup: aside ? null : lookup, hop, at, path, owner: aside ? null : lookup?.owner ?? null, focus: focusOn(), race: store.race ?? null };
  }

  const focusOn = () => {
    if (store.selection?.kind === "node" && model.nodes.has(store.selection.id)) return store.selection.id;
    return layers.nodes.contains(doc.activeElement) ? roving : null;
  };

  function ringName({ lookup }) {
    const shape = model.metric === "xor" ? "Trie of keys" : "Key ring";
    return `${shape}, ${model.members} of ${spec.servers.length} nodes are members${lookup ? `, lookup of key ${keyText(lookup.key, model.bits)} by ${lookup.node}, ${lookup.hops.length} ${lookup.hops.length === 1 ? "hop" : "hops"}` : ""}`;
  }

  // ---- nodes ----
  // Up to TICKS_FROM each mark is an element; above, only those of the path and the one that has the keyboard.
  function paintNodes(scene) {
    const wanted = new Map();
    const add = (id, i, part, state, where) => wanted.set(`${id} ${i}`, { id, part, state, where });
    const path = new Set(scene.path);
    const focus = scene.focus ?? roving;
    const several = severalTokens(model);
    const seen = new Map();
    for (const { id, position, state } of model.marks) {
      if (many() && !path.has(id) && id !== focus && id !== roving) continue;
      const i = seen.get(id) ?? 0;
      seen.set(id, i + 1);
      add(id, i, position / model.size, state, null);
    }
    model.rest.slice(0, MOST_TRAY).forEach((id, i) => add(id, 0, null, model.states.get(id), { x: 22 + (i % 15) * 16, y: room.height - 14 - 16 * Math.floor(i / 15) }));
    if (many() && model.rest.includes(roving)) add(roving, 0, null, model.states.get(roving), { x: 22, y: room.height - 46 });
    const r = nodeRadius(model.marks.length);
    for (const [key, item] of drawnNodes) {
      if (wanted.has(key)) continue;
      item.g.remove();
      drawnNodes.delete(key);
    }
    for (const [key, { id, part, state, where }] of wanted) {
      const first = key.endsWith(" 0");
      const look = id === scene.owner && isOwnerMark(scene, part) ? "owner" : path.has(id) && (!several || part === scene.at(id)) ? "path" : "";
      const chosen = store.selection?.kind === "node" && store.selection.id === id;
      const point = where ?? placeOf(room, part);
      const drawn = drawnNodes.get(key) ?? makeNode(key, id, first);
      const text = `${look} ${state} ${chosen} ${point.x} ${point.y} ${r} ${first && id === roving} ${pending?.node === id}`;
      if (drawn.look !== text) {
        drawn.look = text;
        drawn.g.setAttribute("transform", `translate(${fix(point.x)} ${fix(point.y)})`);
        drawn.g.replaceChildren(s(doc, "circle", { r: many() ? 9 : Math.max(9, r + 3), class: "ds-hit" }), ...(chosen ? [s(doc, "circle", { r: 12, class: "ds-ring-chosen" })] : []), ...nodeShapes(doc, state, look, many() ? 4.5 : r));
        if (first) setAttrs(drawn.g, { tabindex: id === roving ? "0" : "-1", "aria-pressed": String(chosen) });
        drawn.g.classList.toggle("is-pending", pending?.node === id);
      }
      if (first) setAttrs(drawn.g, { "aria-label": nodeName(id) });
    }
  }

  const isOwnerMark = (scene, part) => part !== null && (scene.lookup === null || model.metric === "xor" || Math.abs(part * model.size - (model.live[ownerIndex(model.live, scene.lookup.key)]?.position ?? -1)) < 0.5
    || !severalTokens(model));

  function makeNode(key, id, first) {
    const g = s(doc, "g", first ? { class: "dslab-node ds-ring-node", role: "button", "data-node": id } : { class: "ds-ring-node", "aria-hidden": "true" });
    g.addEventListener("click", () => handlers.openNode(id));
    if (first) {
      g.addEventListener("focus", () => focused(id));
      g.addEventListener("keydown", (event) => nodeKey(event, id));
    }
    layers.nodes.append(g);
    drawnNodes.set(key, { g, look: "" });
    return drawnNodes.get(key);
  }

  function nodeName(id) {
    const dht = model.nodes.get(id);
    const state = model.states.get(id);
    const words = [id];
    if (!dht || !dht.positions.length) words.push(state === "gone" ? "not a member" : "no place on the ring");
    else words.push(dht.positions.length > 1 ? `${dht.positions.length} places` : `at ${keyText(dht.positions[0], model.bits)}`);
    if (state === "down" || state === "joining") words.push(state);
    const arc = dht?.positions.length === 1 && model.metric !== "xor" ? model.arcs[ownerIndex(model.live, dht.positions[0])] : null;
    if (arc && arc.id === id && state === "up") words.push(`owns ${keyText(arc.from, model.bits)} to ${keyText(arc.position, model.bits)}`);
    if (dht?.keys.length) words.push(dht.keys.length === 1 ? "1 key" : `${dht.keys.length} keys`);
    return words.join(", ");
  }

  function focused(id) {
    if (roving !== id) {
      roving = id;
      handlers.focused(id);
    }
    if (frame) update(frame);
  }

  layers.nodes.addEventListener("focusout", () => doc.defaultView.queueMicrotask(() => frame && !layers.nodes.contains(doc.activeElement) && !clustered && update(frame)));

  function nodeKey(event, id) {
    const ids = ringOrder();
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: Math.max(1, Math.round(ids.length / 8)), ArrowUp: -Math.max(1, Math.round(ids.length / 8)) }[event.key];
    if (step) {
      event.preventDefault();
      event.stopPropagation();
      focusNode(ids[(ids.indexOf(id) + step + ids.length) % ids.length]);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      event.stopPropagation();
      handlers.openNode(id);
    }
  }

  // Round the ring; then those that have no place on it.
  const ringOrder = () => [...new Set([...model.marks.map(({ id }) => id), ...model.rest.slice(0, MOST_TRAY)])];

  function focusNode(id = roving) {
    if (clustered) return cluster.focusNode(id);
    if (id !== roving) {
      roving = id;
      handlers.focused(id);
      if (frame) update(frame);
    }
    return drawnNodes.get(`${id} 0`)?.g.focus();
  }

  // ---- hops, chords and names ----
  function paintPaths(scene, history) {
    const { lookup, hop, focus, race } = scene;
    const moves = history.moves.filter((move) => move.event === frame.event);
    const shown = focus ? model.nodes.get(focus) : null;
    const look = JSON.stringify([lookup?.id, lookup?.state, lookup?.hops.map((item) => [item.name, item.answered, item.found]), hop, focus, shown && contactsOf(shown, focus), model.version, moves.length && frame.event, race && [race.step, race.racers.map((racer) => racer.hops.length), race.key], size.popover]);
    if (!differs("paths", `${look} ${room.width}`)) return;
    const own = [];
    const lines = [];
    const numbers = [];
    const labels = [];
    if (lookup) paintLookup(scene, history, { own, lines, numbers, labels });
    if (race) paintRace(scene, { lines, labels });
    if (focus) paintChords(scene, { lines, numbers, labels });
    for (const move of moves) {
      const [from, to] = [scene.at(move.from), scene.at(move.to)];
      if (from === null || to === null) continue;
      lines.push(...chordShapes(doc, room, from, to, `${move.keys.length} ${move.keys.length === 1 ? "key" : "keys"}`, false));
      labels.push({ id: move.from, part: from, text: move.from, strong: false }, { id: move.to, part: to, text: move.to, strong: true });
    }
    if (model.nodes.size <= NAMES_UP_TO[room.shape]) for (const [id, dht] of model.nodes) if (dht.positions.length === 1) labels.push({ id, part: scene.at(id), text: id, strong: false });
    layers.own.replaceChildren(...own);
    layers.paths.replaceChildren(...lines);
    layers.numbers.replaceChildren(...numbers);
    const known = new Set();
    const wanted = labels.filter(({ part, id }) => part !== null && !known.has(id) && known.add(id));
    layers.labels.replaceChildren(...ringLabels(room, size.mode === "small" ? wanted.map((label) => ({ ...label, text: label.short ?? label.text })) : wanted, [controls()])
      .map((label) => s(doc, "text", { x: fix(label.x), y: fix(label.y), "text-anchor": label.anchor, class: `ds-halo ${label.strong ? "ds-t13 ds-b" : "ds-t12 ds-s"}` }, label.text)));
    paintLens(scene);
    paintLegend(scene);
  }

  // The tools stand on the upper left corner.
  const controls = () => ({ left: 0, right: size.mode === "wide" && !size.popover ? 215 : 0, top: 0, bottom: 34 });

  function paintLookup(scene, history, { own, lines, numbers, labels }) {
    const { lookup, hop, at } = scene;
    const key = lookup.key / model.size;
    const start = at(lookup.node);
    const arc = scene.owner && model.metric !== "xor" ? model.arcs[ownerIndex(model.live, lookup.key)] : null;
    if (arc && arc.id === scene.owner) own.push(...ownArc(doc, room, (((arc.position / model.size - arc.part) % 1) + 1) % 1, arc.position / model.size));
    own.push(keyWedge(doc, room, key));
    const rejected = lookup.hops[hop] ? explainHop(lookup, lookup.hops[hop], history).rejected : [];
    const teller = lookup.hops[hop] && at(lookup.hops[hop].parent);
    for (const item of rejected.slice(0, MOST_REJECTED)) if (teller !== null && at(item.name) !== null) lines.push(...rejectedShapes(doc, room, teller, at(item.name), item.why));
    const taken = [];
    lookup.hops.forEach((item, i) => {
      const [from, to] = [at(item.parent), at(item.name)];
      if (from === null || to === null) return;
      const shape = hopShapes(doc, room, { from, to, number: i + 1, selected: i === hop, taken, look: silent(lookup, item) ? "silent" : item.answered === null && !item.found ? "going" : "" });
      taken.push(shape.at);
      lines.push(...shape.line);
      numbers.push(...shape.mark.map((mark) => { mark.addEventListener("click", () => chooseHop(lookup, i)); return mark; }));
    });
    const range = arc && arc.id === scene.owner ? ` owns ${keyText(arc.from, model.bits)} to ${keyText(arc.position, model.bits)}` : " holds the key";
    if (scene.owner) labels.push({ id: scene.owner, part: at(scene.owner), text: `${scene.owner}${range}`, short: scene.owner, strong: true });
    labels.push({ id: lookup.node, part: start, text: `${lookup.node} asks`, short: lookup.node, strong: true }, { id: " key", part: key, text: `key ${keyText(lookup.key, model.bits)}`, strong: false });
    for (const { name } of lookup.hops.toReversed()) if (name !== scene.owner) labels.push({ id: name, part: at(name), text: name, strong: false });
  }

  function chooseHop(lookup, i) {
    store.lookup = lookup.id;
    ctx.select({ kind: "hop", id: `${lookup.id}#${i}` });
  }

  function paintRace({ race, at }, { lines, labels }) {
    race.racers.forEach((racer, n) => {
      const way = [race.from, ...racer.hops.slice(0, race.step)];
      way.slice(-RACE_STROKES - 1).forEach((id, i, all) => {
        const [from, to] = [i ? at(all[i - 1]) : null, at(id)];
        if (from !== null && to !== null) lines.push(...hopShapes(doc, room, { from, to, look: `racer${n + 1}` }).line);
      });
      if (racer.hops.length <= race.step && racer.end === "found") labels.push({ id: racer.goal, part: at(racer.goal), text: racer.goal, strong: true });
    });
    lines.push(keyWedge(doc, room, race.key / model.size));
    labels.push({ id: race.from, part: at(race.from), text: `${race.from} asks`, short: race.from, strong: true }, { id: " key", part: race.key / model.size, text: `key ${keyText(race.key, model.bits)}`, strong: false });
  }

  // What a node knows: one chord to each, with the numbers of the fingers or the bucket that hold it.
  function paintChords({ focus, at }, { lines, numbers, labels }) {
    const here = at(focus);
    if (here === null) return;
    labels.unshift({ id: focus, part: here, text: focus, strong: true });
    for (const item of contactsOf(model.nodes.get(focus), focus).slice(0, MOST_CHORDS)) {
      const there = at(item.name);
      if (there === null) continue;
      const stale = !["up", "joining"].includes(model.states.get(item.name));
      const span = item.numbers.length > 1 ? `${item.numbers[0]}–${item.numbers.at(-1)}` : String(item.numbers[0]);
      const [line, ...number] = chordShapes(doc, room, here, there, item.words === "successor" ? `s${span}` : span, stale);
      lines.push(line);
      numbers.push(...number);
      labels.push({ id: item.name, part: there, text: item.name, strong: false });
    }
  }

  // Where hops come too close to be told apart, the stretch before the key once more, straightened.
  function paintLens({ lookup, at, race, path }) {
    const known = lookup && many() && !race && model.metric !== "xor" ? path.map((id) => at(id)).map((part) => (part === null ? null : part * model.size)) : [];
    const lens = known.length > 1 ? lensOf(known, lookup.key, model.size) : null;
    if (!lens) return layers.lens.replaceChildren();
    const y = room.height - 30;
    const [left, right] = [40, size.popover && size.mode !== "small" ? room.right : room.width - 40];
    const x = (position) => left + ((((position - lens.from) % model.size) + model.size) % model.size) / lens.length * (right - left);
    const inside = (position) => position !== null && x(position) <= right;
    const ticks = inLens(model.marks, lens, model.size, LENS.marks).map(({ part }) => `M${fix(left + part * (right - left))} ${y - 4}v8`).join("");
    const strokes = known.flatMap((position, i) => {
      if (!i || !inside(position)) return [];
      const from = inside(known[i - 1]) ? x(known[i - 1]) : left;
      return [s(doc, "path", { class: "ds-hop", d: `M${fix(from)} ${y - 5}Q${fix((from + x(position)) / 2)} ${y - 24} ${fix(x(position))} ${y - 6}` }), s(doc, "text", { x: fix((from + x(position)) / 2), y: y - 17, "text-anchor": "middle", class: "ds-t12 ds-b ds-halo" }, String(i))];
    });
    return layers.lens.replaceChildren(s(doc, "rect", { x: left - 8, y: y - LENS.height + 16, width: fix(right - left + 16), height: LENS.height, rx: 5, class: "ds-lens" }),
      s(doc, "path", { class: "ds-ring-line", d: `M${left} ${y}H${right}` }), s(doc, "path", { class: "ds-lens-ticks", d: ticks }), ...strokes,
      s(doc, "path", { class: "ds-hop-head", d: `M${fix(x(lookup.key))} ${y + 3}l4.5 9h-9z` }),
      s(doc, "text", { x: right, y: y + 13, "text-anchor": "end", class: "ds-t12 ds-s" }, `1/${Math.round(model.size / lens.length).toLocaleString("en")} of the ring`));
  }

  function paintLegend({ lookup, focus, race }) {
    const sample = (klass, words, style) => h(doc, "span", {}, s(doc, "svg", { viewBox: "0 0 26 12", class: "ds-ring-sample", "aria-hidden": "true" }, s(doc, "path", { d: "M1 6H25", class: klass, style })), words);
    const items = severalTokens(model) && !many() && model.nodes.size <= LEGEND_SERVERS ? [...model.nodes.keys()].map((id) => sample("ds-token-arc", id, `stroke:url(#${patternId}${patternOf(model, id)})`)) : [];
    if (lookup?.hops.length && !many()) items.push(sample("ds-rej is-past", "not chosen"));
    if (lookup && lookup.hops.some((hop) => silent(lookup, hop))) items.push(sample("ds-hop is-silent", "no answer"));
    if (focus) items.push(sample("ds-chord", "knows"), sample("ds-chord is-stale", "knows, but it is gone"));
    if (race) race.racers.forEach((racer, n) => items.push(sample(`ds-hop is-racer${n + 1}`, racer.name)));
    legend.replaceChildren(...items);
  }

  // ---- what moves ----
  function tick(us) {
    if (!frame || !model || !room) return;
    if (clustered) {
      cluster.tick(us);
      return;
    }
    const { messages } = store.trace;
    flights = [];
    for (const k of frame.flying) {
      const [from, to] = [placed.get(messages.from(k)), placed.get(messages.to(k))];
      if (from === undefined || to === undefined) continue;
      flights.push({ k, from, to });
      if (flights.length >= MOST_DOTS) break;
    }
    const few = flights.length <= MARKED_MESSAGES;
    for (const flight of flights) Object.assign(flight, flightAt(flight, us));
    drawMarks(few ? flights : flights.filter(({ k }) => store.selection?.kind === "message" && store.selection.id === k), us);
    const path = few ? "" : flights.map(({ x, y }) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("");
    if (dots.getAttribute("d") !== path) dots.setAttribute("d", path);
  }

  function flightAt({ k, from, to }, us) {
    const fraction = knotFraction(store.trace.motionAt(k, frame.event), us);
    const t = ctx.settings.reducedMotion ? Math.round(fraction * 4) / 4 : fraction;
    return { t, ...pointOn(strokeOf(room, from, to), t) };
  }

  const marks = new Map();

  function drawMarks(wanted, us) {
    const keep = new Set(wanted.map(({ k }) => k));
    for (const [k, g] of marks) {
      if (keep.has(k)) continue;
      if (g.contains(doc.activeElement)) focusNode();
      g.remove();
      marks.delete(k);
    }
    for (const { k, x, y, t, from, to } of wanted) {
      if (!marks.has(k)) marks.set(k, makeMark(k));
      const g = marks.get(k);
      g.lastChild.setAttribute("transform", `translate(${fix(x)} ${fix(y)})`);
      if (!many()) g.firstChild.setAttribute("d", t > 0.02 ? curvePath(between(strokeOf(room, from, to), Math.max(0, t - 0.16), t)) : "");
      if (!store.playing) setAttrs(g, { "aria-label": messageName(store.trace, k, us, store.trace.motionAt(k, frame.event), false) });
      g.classList.toggle("is-selected", store.selection?.kind === "message" && store.selection.id === k);
    }
  }

  function makeMark(k) {
    const { messages } = store.trace;
    const g = s(doc, "g", { class: "dslab-message ds-ring-message", role: "button", tabindex: "-1", "data-message": k, "aria-label": messages.type(k), onclick: () => handlers.openMessage(k),
      onkeydown: (event) => event.key === "Enter" && (event.preventDefault(), handlers.openMessage(k)) },
    s(doc, "path", { class: "ds-ring-tail" }), s(doc, "g", {}, s(doc, "circle", { r: 11, class: "ds-hit" }), messageMark(doc, messages.klass(k), messages.term(k))));
    layers.messages.append(g);
    return g;
  }

  // On the canvas a mark has no element of its own: a click means the nearest one.
  svg.addEventListener("click", (event) => {
    if (!model || !many() || event.target.closest(".ds-ring-node, .dslab-message, .ds-hopn")) return;
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * room.width;
    const y = ((event.clientY - box.top) / box.height) * room.height;
    let best = null;
    for (const { id, position } of model.marks) {
      const at = placeOf(room, position / model.size);
      const far = Math.hypot(at.x - x, at.y - y);
      if (far < HIT_PX && (best === null || far < best.far)) best = { id, far };
    }
    if (best) handlers.openNode(best.id);
  });

  function showCluster(on) {
    if (!cluster || clustered === on) return;
    clustered = on;
    picture.hidden = on;
    cluster.el.hidden = !on;
    switcher.setAttribute("aria-pressed", String(on));
    looks = {};
    if (frame) update(frame);
  }

  function startDraft() {
    if (!cluster) return ctx.notice(`Partition unavailable: it is drawn for up to ${CLUSTER_UP_TO} nodes; cut single links in the table of links.`);
    showCluster(true);
    return cluster.startDraft();
  }

  return {
    el, svg, update, tick, relayout, focusNode, startDraft,
    title: "Ring",
    retheme: () => {
      cluster?.retheme();
      if (ground.retheme() && frame) update(frame);
    },
    focusedNode: () => (clustered ? cluster.focusedNode() : roving),
    focusMessage: (k) => (clustered ? cluster.focusMessage(k) : marks.get(k)?.focus()),
    crowded: () => clustered && cluster.crowded(),
    economize: (level) => cluster?.economize(level),
    repaintMessages: () => (clustered ? cluster.repaintMessages() : frame && tick(store.cursor.time_us)),
    setPending: (next) => {
      pending = next;
      cluster?.setPending(next);
      if (frame && !clustered) update(frame);
    },
    stopDraft: () => cluster?.stopDraft(),
    nameGroup: (id, digit) => {
      showCluster(true);
      return cluster?.nameGroup(id, digit);
    },
    draftGroups: () => cluster?.draftGroups() ?? null,
    drafting: () => Boolean(cluster?.drafting()),
  };
}
