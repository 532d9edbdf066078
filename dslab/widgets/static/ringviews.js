// Beside the ring: a lookup hop by hop with the distance that is left, the table of nodes, who came and went and which
// keys moved, and the race of three ways to the same key.

import { h, icon, clockText, countText, durationText, listText, setText } from "./format.js";
import { barLength, churnAt, contactsOf, distance, distanceText, explainHop, hopSentence, keyText, loads, nextOf, positionFor, race, ringHistory, ringModel, silent } from "./ringdata.js";
import { shownLookup } from "./ring.js";

const MOST_ROWS = 60;
const MOST_CHANGES = 60;
const MOST_KEYS = 12;
const MOST_CHOICES = 300;
const MOST_LOOKUPS = 40;
const STATE_WORDS = { up: "", down: "down", gone: "not a member", joining: "joining" };
const CHANGE_NOUNS = { join: ["join"], leave: ["leave"], crash: ["crash", "crashes"], restart: ["return"] };
const CHANGE_WORDS = { join: "joins", leave: "leaves", crash: "crashes", restart: "is back" };

/** The tabs of a system with a ring. */
export function ringTabs() {
  return [["lookup", "Lookup"], ["ringtable", "Ring table"], ["churn", "Churn"], ["race", "Race"]];
}

/** The views behind them, by id. */
export function ringViews(ctx) {
  const idle = () => !ctx.spec.servers.some((id) => ctx.spec.fields?.[id]?.includes("lookups"));
  const table = view(ctx, createRingTable(ctx));
  return { lookup: { ...view(ctx, createLookupView(ctx)), idle }, ringtable: table, churn: view(ctx, createChurnView(ctx)), race: { ...createRaceView(ctx), idle } };
}

// Only the race is drawn as one.
function view(ctx, made) {
  return { ...made, update: (frame, why) => {
    ctx.store.race = null;
    made.update(frame, why);
  } };
}

const hidden = (doc, text) => h(doc, "span", { class: "ds-vh" }, text);

/** Exponents of two under the bars: at most six, evenly spread. */
export function gridOf(bits) {
  const step = Math.max(1, Math.ceil(bits / 6 / 2) * 2);
  return Array.from({ length: Math.floor(bits / step) + 1 }, (_, i) => i * step);
}

// Keeps what is drawn until it differs, and the focus where it was.
function redrawn(el, draw) {
  let shown = null;
  return (look, ...args) => {
    if (look === shown) return;
    shown = look;
    const { activeElement } = el.getRootNode();
    const kept = el.contains(activeElement) ? activeElement.getAttribute("data-row") : null;
    draw(...args);
    if (kept !== null && !el.contains(el.getRootNode().activeElement)) (el.querySelector(`[data-row="${kept}"]`) ?? el.querySelector("[data-row][tabindex='0']"))?.focus({ preventScroll: true });
  };
}

// ---- a lookup -----------------------------------------------------------------------------------------------------

/** Hop by hop: a bar of the distance that is left, the node, and why it was chosen. Arrows walk, and go on in time. */
export function createLookupView(ctx) {
  const { doc, store } = ctx;
  const choice = h(doc, "select", { class: "ds-input", "aria-label": "Lookup", onchange: () => choose(choice.value) });
  const head = h(doc, "div", { class: "ds-hops-head" });
  const rows = h(doc, "ol", { class: "ds-hops", "aria-label": "Hops", onkeydown: walk });
  const scale = h(doc, "div", { class: "ds-hops-scale", "aria-hidden": "true" });
  const el = h(doc, "div", { class: "ds-inset ds-lookup" }, head, h(doc, "div", { class: "ds-inset-scroll" }, rows), scale);
  let frame = null;
  let now = { lookups: [], lookup: null, hop: -1 };
  const redraw = redrawn(el, draw);

  function update(next) {
    frame = next;
    now = shownLookup(store, frame);
    const { lookup, hop, lookups } = now;
    redraw(JSON.stringify([store.branch.id, lookup && [lookup.id, lookup.state, lookup.hops.map((item) => [item.name, item.answered, item.found])], hop, lookups.length, store.layout]));
  }

  function draw() {
    const { lookup, lookups, hop } = now;
    const history = ringHistory(store.trace);
    const { bits } = lookup ? history.versionAt(lookup.node, frame.event) : { bits: 1 };
    if (!lookup) {
      head.replaceChildren(h(doc, "span", { class: "ds-quiet" }, "Nobody has looked up a key yet."));
      rows.replaceChildren();
      scale.replaceChildren();
      return;
    }
    const text = (item) => `key ${keyText(item.key, bits)} by ${item.node}, ${item.state === "going" ? "under way" : item.state}`;
    choice.replaceChildren(...lookups.slice(-MOST_LOOKUPS).map((item) => h(doc, "option", { value: item.id, selected: item.id === lookup.id }, text(item))));
    head.replaceChildren(...(lookups.length > 1 ? [choice] : [h(doc, "span", {}, text(lookup))]), h(doc, "span", { class: "ds-quiet" }, "distance left to the key, log scale"));
    const first = history.versionAt(lookup.node, frame.event);
    const start = positionFor(first, lookup.key, first.metric);
    const begin = { left: start === null ? null : distance(first.metric, start, lookup.key, bits), why: `${lookup.node} asks for key ${keyText(lookup.key, bits)}` };
    rows.replaceChildren(row(-1, begin, hop, bits, null), ...lookup.hops.map((item, i) => {
      const told = explainHop(lookup, item, history);
      return row(i, { ...told, why: `${item.name}: ${told.why}${silent(lookup, item) ? "; no answer" : item.answered === null && !item.found ? "; asked" : ""}` }, hop, bits, item);
    }));
    if (lookup.owner === lookup.node) rows.append(h(doc, "li", { class: "ds-hop-end" }, `${lookup.node} owns the key itself.`));
    if (lookup.state === "failed") rows.append(h(doc, "li", { class: "ds-hop-end ds-wrong" }, "The lookup failed."));
    scale.replaceChildren(...gridOf(bits).map((power) => h(doc, "span", { style: `left:${(85 * power) / bits}%` }, power <= 19 ? String(2 ** power) : h(doc, "span", {}, "2", h(doc, "sup", {}, String(power))))));
    if (!store.playing || lookup.hops.length > 6) rows.querySelector("[aria-current]")?.scrollIntoView?.({ block: "nearest" });
  }

  function row(i, { left, why }, chosen, bits, hop) {
    const end = hop?.found ? "found" : left === null ? "unknown" : distanceText(left);
    const length = left === null ? 0 : barLength(left, bits);
    return h(doc, "li", {}, h(doc, "button", {
      type: "button", class: `ds-hop-row${hop?.found ? " is-found" : ""}`, "data-row": i, "aria-current": i === chosen ? "step" : null, tabindex: i === chosen ? "0" : "-1",
      onclick: () => pick(i, true),
    },
    h(doc, "span", { class: i < 0 ? "ds-hopn-dot is-open" : "ds-hopn-dot", "aria-hidden": "true" }, i < 0 ? "" : String(i + 1)), hidden(doc, i < 0 ? "Start: " : `Hop ${i + 1}: `),
    h(doc, "span", { class: "ds-hop-track", "aria-hidden": "true" }, gridOf(bits).map((power) => h(doc, "i", { style: `left:${(85 * power) / bits}%` })), h(doc, "span", { class: "ds-hop-bar", style: `width:${Math.round(850 * length) / 10}%` }), h(doc, "b", {}, end)),
    h(doc, "span", { class: "ds-hop-why" }, why), hidden(doc, hop?.found ? ", found" : left === null ? "" : `, ${end} left`)));
  }

  function pick(i, focus) {
    const { lookup } = now;
    store.lookup = lookup.id;
    ctx.select({ kind: "hop", id: `${lookup.id}#${i}` });
    if (focus) rows.querySelector(`[data-row="${i}"]`)?.focus();
    ctx.say(hopSentence(now.lookup, i, ringHistory(store.trace), ringHistory(store.trace).versionAt(lookup.node, frame.event).bits ?? 1));
  }

  // Past the last hop that is known here, time goes on to the next one.
  function walk(event) {
    const { lookup, hop } = now;
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!lookup || (!step && event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Home") return pick(-1, true);
    if (event.key === "End" || hop + step < lookup.hops.length) return pick(event.key === "End" ? lookup.hops.length - 1 : Math.max(-1, hop + step), true);
    const next = nextOf(ringHistory(store.trace), lookup.id, frame.event);
    if (next < 0) return ctx.say(lookup.state === "going" ? "The recording ends before the next hop." : `The lookup is over: ${lookup.state}.`);
    store.lookup = lookup.id;
    ctx.seek({ event: next });
    return pick(Math.min(hop + step, now.lookup.hops.length - 1), true);
  }

  function choose(id) {
    store.lookup = id;
    ctx.select({ kind: "hop", id: `${id}#${now.lookups.find((item) => item.id === id).hops.length - 1}` });
  }

  return { el, update, focus: () => (rows.querySelector("[aria-current]") ?? rows.querySelector("[data-row]"))?.focus() };
}

// ---- nodes --------------------------------------------------------------------------------------------------------

/** The nodes in the order of their places: range, keys, contacts; where there are many, those around the chosen one. */
export function createRingTable(ctx) {
  const { doc, store, spec } = ctx;
  const body = h(doc, "tbody", {});
  const caption = h(doc, "caption", {});
  const headings = h(doc, "tr", {});
  const el = h(doc, "div", { class: "ds-inset ds-ring-table", onkeydown: move }, h(doc, "div", { class: "ds-inset-scroll" },
    h(doc, "table", { class: "ds-inset-table" }, caption, h(doc, "thead", {}, headings), body)));
  const redraw = redrawn(el, draw);
  let model = null;

  function update(frame) {
    model = ringModel(frame, spec, model);
    const chosen = store.selection?.kind === "node" ? store.selection.id : null;
    redraw(JSON.stringify([store.branch.id, frame.event, chosen, store.layout]), chosen);
  }

  function draw(chosen) {
    const counts = loads(model);
    const held = new Map();
    const share = new Map();
    model.live.forEach(({ id }, i) => {
      held.set(id, (held.get(id) ?? 0) + counts[i]);
      share.set(id, (share.get(id) ?? 0) + model.arcs[i].part);
    });
    const ids = [...new Set([...model.marks.map(({ id }) => id), ...model.rest])];
    const at = Math.max(0, ids.indexOf(chosen));
    const first = Math.max(0, Math.min(ids.length - MOST_ROWS, at - Math.floor(MOST_ROWS / 2)));
    const shown = ids.slice(first, first + MOST_ROWS);
    const clockwise = model.metric !== "xor";
    const several = model.marks.length > ids.length - model.rest.length;
    setText(caption, ids.length > shown.length ? `${shown.length} of ${ids.length.toLocaleString("en")} nodes, around ${chosen ?? shown[0]}` : countText(ids.length, "node"));
    headings.replaceChildren(...["node", several ? "places" : "place", ...(clockwise ? [several ? "share" : "owns", "of the ring"].slice(several ? 1 : 0) : []), "keys", "knows"].map((text) => h(doc, "th", { scope: "col" }, text)));
    body.replaceChildren(...shown.map((id) => {
      const dht = model.nodes.get(id);
      const state = model.states.get(id);
      const arc = clockwise && !several ? model.arcs.find((item) => item.id === id) : null;
      return h(doc, "tr", { class: state === "up" ? null : "is-down" },
        h(doc, "th", { scope: "row" }, h(doc, "button", { class: "ds-inset-node", type: "button", "data-row": id, tabindex: id === (chosen ?? shown[0]) ? "0" : "-1", "aria-pressed": String(id === chosen), onclick: () => ctx.select({ kind: "node", id }) },
          h(doc, "b", {}, id), state !== "up" && h(doc, "small", {}, STATE_WORDS[state]))),
        h(doc, "td", {}, several ? String(dht.positions.length) : dht.positions.length ? keyText(dht.positions[0], model.bits) : "–"),
        clockwise && !several && h(doc, "td", {}, arc ? `${keyText(arc.from, model.bits)} to ${keyText(arc.position, model.bits)}` : "–"),
        clockwise && h(doc, "td", {}, share.has(id) ? percent(share.get(id)) : "–"),
        h(doc, "td", {}, share.has(id) ? String(held.get(id)) : String(dht.keys.length)), h(doc, "td", {}, String(contactsOf(dht, id).length)));
    }));
    if (!body.querySelector("[tabindex='0']")) body.querySelector("[data-row]")?.setAttribute("tabindex", "0");
  }

  function move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = [...body.querySelectorAll("[data-row]")];
    const at = all.indexOf(event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = all[Math.max(0, Math.min(all.length - 1, at + step))];
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  return { el, update, focus: () => body.querySelector("[tabindex='0']")?.focus() };
}

/** "2 joins and 1 crash in 4 s, one change every 1.3 s"; nothing where nobody has come or gone. */
export function rateText(changes, us) {
  if (!changes.length) return "";
  const counted = Object.entries(CHANGE_NOUNS).flatMap(([kind, [one, many]]) => {
    const n = changes.filter((change) => change.kind === kind).length;
    return n ? [countText(n, one, many)] : [];
  });
  return `${listText(counted)} in ${durationText(us)}: one change every ${durationText(us / changes.length)}.`;
}

const percent = (part) => `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`;

// ---- who came and went --------------------------------------------------------------------------------------------

/** Joins, leaves and crashes, newest first, with the keys that moved and the part they are of all, beside 1/n. */
export function createChurnView(ctx) {
  const { doc, store, spec } = ctx;
  const waiting = h(doc, "div", { class: "ds-churn-absent", role: "group", "aria-label": "Nodes that can join" });
  const list = h(doc, "ol", { class: "ds-churn" });
  const rate = h(doc, "p", { class: "ds-quiet ds-churn-rate" });
  const el = h(doc, "div", { class: "ds-inset" }, waiting, rate, h(doc, "div", { class: "ds-inset-scroll", tabindex: "0", role: "region", "aria-label": "Changes of members" }, list));
  const redraw = redrawn(el, draw);
  let model = null;

  function update(frame) {
    model = ringModel(frame, spec, model);
    const changes = churnAt(ringHistory(store.trace), model, frame.event);
    const absent = [...model.states].filter(([, state]) => state === "gone").map(([id]) => id);
    setText(rate, rateText(changes.filter(({ node }) => node !== null), frame.time_us));
    redraw(JSON.stringify([store.branch.id, changes, absent, ctx.reason("join", absent[0])]), changes, absent);
  }

  function draw(changes, absent) {
    waiting.hidden = !absent.length || !spec.verbs?.includes("join");
    waiting.replaceChildren("Not a member: ", ...absent.slice(0, MOST_ROWS).map((id) => {
      const why = ctx.reason("join", id);
      return h(doc, "button", { type: "button", class: "ds-btn ds-lab ds-out", "data-row": `join ${id}`, "aria-disabled": why ? "true" : null, "aria-label": why ? `Join ${id} unavailable: ${why}` : `Join ${id}`,
        onclick: () => (why ? ctx.notice(`Join unavailable: ${why}.`) : ctx.send("join", { node: id })) }, icon(doc, "request"), id);
    }));
    list.replaceChildren(...changes.slice(0, MOST_CHANGES).map(change));
    if (!changes.length) list.replaceChildren(h(doc, "li", { class: "ds-quiet" }, "Nobody has joined, left or crashed yet."));
  }

  function change({ event, kind, node, moves, moved, total, part, fair }) {
    const title = node === null ? "At the start" : `${node} ${CHANGE_WORDS[kind] ?? kind}`;
    return h(doc, "li", {}, h(doc, "div", { class: "ds-churn-head" }, h(doc, "b", {}, title), event >= 0 && h(doc, "button", { class: "ds-go", type: "button", "data-row": `go ${event}`, onclick: () => ctx.seek({ event }) }, `Go to ${clockText(store.trace.time(event))} s`)),
      total > 0 && h(doc, "div", { class: "ds-churn-part" },
        h(doc, "span", { class: "ds-churn-track", "aria-hidden": "true" }, h(doc, "span", { class: "ds-hop-bar", style: `width:${(100 * Math.min(1, part)).toFixed(1)}%` }), h(doc, "i", { style: `left:${(100 * fair).toFixed(1)}%` })),
        h(doc, "span", {}, moved ? `${moved} of ${total} keys moved, ${percent(part)}; 1/n is ${percent(fair)}` : "no key has moved yet")),
      moves.length > 0 && h(doc, "ul", { class: "ds-churn-moves" }, moves.slice(0, MOST_KEYS).map((move) => h(doc, "li", {}, `${move.from} to ${move.to}: ${keyWords(move.keys)}`)),
        moves.length > MOST_KEYS && h(doc, "li", {}, `and ${moves.length - MOST_KEYS} more`)));
  }

  function keyWords(keys) {
    const shown = keys.slice(0, MOST_KEYS).map((key) => keyText(key, model.bits)).join(", ");
    return `${keys.length === 1 ? "key" : "keys"} ${shown}${keys.length > MOST_KEYS ? ` and ${keys.length - MOST_KEYS} more` : ""}`;
  }

  return { el, update, focus: () => (waiting.querySelector("button") ?? el.querySelector("[tabindex='0']"))?.focus() };
}

// ---- the race -----------------------------------------------------------------------------------------------------

/** Successors, fingers and prefixes to the same key, step by step, against log2 n; followed on tables, not run. */
export function createRaceView(ctx) {
  const { doc, store, spec } = ctx;
  const from = h(doc, "select", { class: "ds-input", "aria-label": "From", onchange: () => start({ from: from.value }) });
  const key = h(doc, "input", { class: "ds-input", type: "number", min: 0, step: 1, "aria-label": "Key", onchange: () => start({ key: Number(key.value) }) });
  const button = (text, go) => h(doc, "button", { type: "button", class: "ds-btn ds-lab ds-out", onclick: go }, text);
  const steps = h(doc, "div", { class: "ds-race-steps", role: "group", "aria-label": "Steps" }, button("Back", () => to(state.step - 1)), button("Step", () => to(state.step + 1)), button("To the end", () => to(Infinity)));
  const rows = h(doc, "ol", { class: "ds-race", tabindex: "0", "aria-label": "Race", onkeydown: (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    to(state.step + step);
  } });
  const note = h(doc, "p", { class: "ds-inset-note" }, "Followed on the tables of this moment; no message was sent for it. Real lookups are under Lookup.");
  const el = h(doc, "div", { class: "ds-inset" }, h(doc, "form", { class: "ds-race-ask", onsubmit: (event) => event.preventDefault() }, h(doc, "label", {}, "from ", from), h(doc, "label", {}, "key ", key), steps), rows, note);
  let model = null;
  let state = { from: null, key: null, step: 0 };
  let chosen = false;

  function update(frame) {
    model = ringModel(frame, spec, model);
    const { lookup } = shownLookup(store, frame);
    if (!chosen) state = { ...state, from: lookup?.node ?? model.live[0]?.id ?? null, key: lookup?.key ?? Math.floor(model.size / 2) };
    if (!model.live.some(({ id }) => id === state.from)) state = { ...state, from: model.live[0]?.id ?? null };
    run();
  }

  function run() {
    const racers = state.from === null ? [] : race(model, state.from, state.key);
    const most = Math.max(0, ...racers.map(({ hops }) => hops.length));
    state = { ...state, step: Math.max(0, Math.min(most, state.step)) };
    store.race = racers.length ? { ...state, racers } : null;
    const ids = model.live.slice(0, MOST_CHOICES).map(({ id }) => id);
    from.replaceChildren(...(ids.includes(state.from) || state.from === null ? ids : [state.from, ...ids]).map((id) => h(doc, "option", { value: id, selected: id === state.from }, id)));
    key.max = model.size - 1;
    if (key.value !== String(state.key)) key.value = String(state.key);
    rows.replaceChildren(...racers.map((racer, n) => racerRow(racer, n, most)));
    if (!racers.length) rows.replaceChildren(h(doc, "li", { class: "ds-quiet" }, "A race needs nodes with one place each."));
  }

  function start(change) {
    chosen = true;
    const wanted = { ...state, ...change, step: 0 };
    if (!Number.isInteger(wanted.key) || wanted.key < 0 || wanted.key >= model.size) return ctx.notice(`The key must be a whole number from 0 to ${model.size - 1}.`);
    state = wanted;
    return ctx.select(store.selection);
  }

  function to(step) {
    chosen = true;
    state = { ...state, step: Math.max(0, step) };
    ctx.select(store.selection);
    ctx.say(`Step ${state.step}: ${(store.race?.racers ?? []).map((racer) => `${racer.name} ${standing(racer)}`).join(", ")}`);
  }

  function standing({ hops, end }) {
    if (state.step < hops.length) return `at ${state.step ? hops[state.step - 1] : state.from}`;
    return end === "found" ? `found in ${countText(hops.length, "hop")}` : end === "loop" ? `goes round after ${countText(hops.length, "hop")}` : `stuck after ${countText(hops.length, "hop")}`;
  }

  function racerRow(racer, n, most) {
    const members = model.live.length;
    const goal = Math.log2(Math.max(2, members));
    const whole = Math.log2(Math.max(most, goal) + 1) || 1;
    const done = Math.min(state.step, racer.hops.length);
    return h(doc, "li", {}, h(doc, "div", { class: "ds-race-head" }, h(doc, "i", { class: `ds-race-key is-racer${n + 1}`, "aria-hidden": "true" }), h(doc, "b", {}, racer.name), h(doc, "span", { class: "ds-quiet" }, racer.basis)),
      h(doc, "div", { class: "ds-churn-part" }, h(doc, "span", { class: "ds-churn-track", "aria-hidden": "true" }, h(doc, "span", { class: "ds-hop-bar", style: `width:${(100 * Math.log2(done + 1)) / whole}%` }), h(doc, "i", { style: `left:${(100 * Math.log2(goal + 1)) / whole}%` })),
        h(doc, "span", {}, `${standing(racer)}; log2 n is ${goal.toFixed(1)}`)));
  }

  return { el, update, focus: () => rows.focus() };
}
