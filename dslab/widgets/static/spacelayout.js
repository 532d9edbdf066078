// Where everything of a space-time diagram lies along time: pure functions of a trace, no drawing.
import { directCauses, laneOf } from "./trace.js";
import { laneEvents, lamportTimes } from "./causality.js";

const BLOCK = 128;
const SPACE_LEADS = new Set(["leader", "primary", "coordinator"]);

/** Finds the intervals [start, end] that touch a window without looking at all of them. `ids` are the ones to index. */
export function intervalIndex(ids, starts, ends) {
  const order = [...ids].sort((a, b) => starts[a] - starts[b] || a - b);
  const latest = [];
  order.forEach((id, at) => {
    const block = Math.floor(at / BLOCK);
    latest[block] = Math.max(latest[block] ?? -Infinity, ends[id]);
  });
  return {
    size: order.length,
    /** Ids whose interval touches [low, high]. */
    within(low, high) {
      const found = [];
      for (let block = 0; block < latest.length; block++) {
        if (starts[order[block * BLOCK]] > high) break;
        if (latest[block] < low) continue;
        const stop = Math.min(order.length, (block + 1) * BLOCK);
        for (let at = block * BLOCK; at < stop && starts[order[at]] <= high; at++) if (ends[order[at]] >= low) found.push(order[at]);
      }
      return found;
    },
  };
}

/**
 * Places of all events and messages along time, in px from the start. `axis` is "time" (`scale` px per µs) or "rank"
 * (`scale` px per step of Lamport time; steps at which nothing is shown take no room). `hidden` says what is left out.
 */
export function spaceLayout(trace, { axis, scale, hidden }) {
  const { messages } = trace;
  const at = new Float64Array(trace.n);
  if (axis === "time") {
    for (let i = 0; i < trace.n; i++) at[i] = trace.time(i) * scale;
  } else {
    const times = lamportTimes(trace);
    const used = new Uint8Array(trace.n + 2);
    for (let i = 0; i < trace.n; i++) if (!hidden.events[i]) used[times[i]] = 1;
    const rows = new Int32Array(trace.n + 2);
    for (let time = 1; time < rows.length; time++) rows[time] = rows[time - 1] + used[time];
    for (let i = 0; i < trace.n; i++) at[i] = rows[times[i]] * scale;
  }
  const from = new Float64Array(messages.count);
  const to = new Float64Array(messages.count);
  const shown = [];
  for (let k = 0; k < messages.count; k++) {
    const sent = messages.sentEvent(k);
    const end = messages.endEvent(k);
    const due = messages.dueUs(k);
    from[k] = sent < 0 ? 0 : at[sent];
    to[k] = end !== null ? at[end] : axis === "time" && due !== null ? Math.max(from[k], due * scale) : from[k] + scale * (axis === "time" ? 20_000 : 1.5);
    if (!hidden.messages[k]) shown.push(k);
  }
  const events = [];
  for (let i = 0; i < trace.n; i++) if (!hidden.events[i] && laneOf(trace.events, i) !== null) events.push(i);
  return {
    axis, scale, at, from, to,
    length: Math.max(trace.n ? at.reduce((most, value) => Math.max(most, value), 0) : 0, 1),
    events: intervalIndex(events, at, at),
    messages: intervalIndex(shown, from, to),
  };
}

/** Whether a message is a heartbeat or the answer to one; `beats` is filled as it goes. */
function isBeat(trace, k, beats) {
  const { messages } = trace;
  if (messages.klass(k) === "heartbeat") return true;
  const sent = messages.sentEvent(k);
  const asked = sent >= 0 && trace.kind(sent) === "deliver" ? trace.message(sent) : null;
  return asked !== null && asked < k && beats[asked] === 1 && messages.from(k) === messages.to(asked) && messages.to(k) === messages.from(asked);
}

const showsNothing = (trace, i) => !trace.says(i) && trace.patch(i).every(([name]) => name[0] === "@");

/**
 * What is left out: {events, messages} as masks, `beads` [{lane, events}] for what is folded into one mark. `heartbeats`
 * folds those that changed nothing, with their answers; `runs` folds local steps that follow each other; `lanes` are hidden
 * lanes; `only` keeps the conversation of one node.
 */
export function hiddenParts(trace, { heartbeats = false, runs = false, lanes = new Set(), only = null } = {}) {
  const { messages } = trace;
  const hidden = { events: new Uint8Array(trace.n), messages: new Uint8Array(messages.count), beads: [] };
  const sends = new Map();
  for (let k = 0; k < messages.count; k++) {
    const sent = messages.sentEvent(k);
    if (!sends.has(sent)) sends.set(sent, []);
    sends.get(sent).push(k);
  }
  if (heartbeats) {
    const beats = new Uint8Array(messages.count);
    for (let k = 0; k < messages.count; k++) {
      const end = messages.endEvent(k);
      beats[k] = isBeat(trace, k, beats) && (end === null || showsNothing(trace, end)) ? 1 : 0;
    }
    hidden.messages.set(beats);
    for (let i = 0; i < trace.n; i++) {
      const k = trace.message(i);
      const mine = sends.get(i) ?? [];
      const about = trace.kind(i) === "deliver" ? k !== null && beats[k] : trace.kind(i) === "timer" && mine.length > 0;
      if (about && mine.every((m) => beats[m]) && showsNothing(trace, i)) hidden.events[i] = 1;
    }
  }
  const local = new Set();       // a local step by itself is no run
  if (runs) {
    for (let i = 0; i < trace.n; i++) {
      if (["timer", "write"].includes(trace.kind(i)) && !sends.has(i) && showsNothing(trace, i)) {
        hidden.events[i] = 1;
        local.add(i);
      }
    }
  }
  for (const [lane, ids] of laneEvents(trace).events) if (!lanes.has(lane)) hidden.beads.push(...beadsOf(lane, ids, hidden.events));
  for (const { events } of hidden.beads) if (events.length === 1 && local.has(events[0])) hidden.events[events[0]] = 0;
  hidden.beads = hidden.beads.filter(({ events }) => events.length > 1 || hidden.events[events[0]]);
  for (let k = 0; k < messages.count; k++) {
    const [from, to] = [messages.from(k), messages.to(k)];
    if (lanes.has(from) || lanes.has(to) || (only && from !== only && to !== only)) hidden.messages[k] = 1;
  }
  const silent = (i) => {
    const k = trace.message(i);
    const about = [...sends.get(i) ?? [], ...(k !== null && trace.kind(i) === "deliver" ? [k] : [])];
    return laneOf(trace.events, i) !== only && about.every((m) => hidden.messages[m]);
  };
  for (let i = 0; i < trace.n; i++) if (lanes.has(trace.node(i)) || (only && silent(i))) hidden.events[i] = 1;
  if (only) hidden.beads = hidden.beads.filter(({ lane }) => lane === only);
  return hidden;
}

function beadsOf(lane, ids, mask) {
  const beads = [];
  let run = [];
  for (const i of [...ids, -1]) {
    if (i >= 0 && mask[i]) run.push(i);
    else if (run.length) {
      beads.push({ lane, events: run });
      run = [];
    }
  }
  return beads;
}

/** Groups {from, to} of folded events (positions in `folded`) that lie in [low, high] along `at`, each within `room` px. */
export function beadsWithin(folded, at, low, high, room) {
  let first = 0;
  let last = folded.length;
  while (first < last) {
    const middle = (first + last) >> 1;
    if (at(folded[middle]) < low) first = middle + 1;
    else last = middle;
  }
  const groups = [];
  for (let j = first; j < folded.length && at(folded[j]) <= high; j++) {
    const group = groups.at(-1);
    if (group && at(folded[j]) - at(folded[group.from]) <= room) group.to = j + 1;
    else groups.push({ from: j, to: j + 1 });
  }
  return groups;
}

/**
 * Edges that stand in for paths through hidden lanes: [{from, to, send, receive}], events of visible lanes. With them the
 * visible events keep their order; an edge that follows from others is left out.
 */
export function transitiveEdges(trace, lanes) {
  const { messages } = trace;
  const { events, rank } = laneEvents(trace);
  const names = [...events.keys()];
  const column = new Map(names.map((lane, at) => [lane, at]));
  const width = names.length;
  const vectors = new Int32Array(trace.n * width);       // how many events of each lane are known
  const told = new Map();                                // of hidden events: the last visible event of each lane that told them
  const last = new Map();
  for (let i = 0; i < trace.n; i++) {
    const lane = laneOf(trace.events, i);
    const before = directCauses(trace.events, trace.messageColumns, i);
    if (last.has(lane)) before.push(last.get(lane));
    const hidden = lane === null || lanes.has(lane);
    const mine = hidden ? new Int32Array(width).fill(-1) : null;
    for (const j of before) {
      for (let c = 0; c < width; c++) vectors[i * width + c] = Math.max(vectors[i * width + c], vectors[j * width + c]);
      if (!hidden) continue;
      if (told.has(j)) told.get(j).forEach((event, c) => { mine[c] = Math.max(mine[c], event); });
      else mine[column.get(laneOf(trace.events, j))] = Math.max(mine[column.get(laneOf(trace.events, j))], j);
    }
    if (hidden) told.set(i, mine);
    if (lane === null) continue;
    last.set(lane, i);
    vectors[i * width + column.get(lane)] = rank[i] + 1;
  }
  const knows = (i, event) => i >= 0 && vectors[i * width + column.get(laneOf(trace.events, event))] > rank[event];
  const edges = [];
  for (let k = 0; k < messages.count; k++) {
    const receive = messages.endEvent(k);
    const to = messages.to(k);
    const known = told.get(messages.sentEvent(k));
    if (!lanes.has(messages.from(k)) || lanes.has(to) || receive === null || trace.kind(receive) !== "deliver" || !known) continue;
    const earlier = rank[receive] > 0 ? events.get(to)[rank[receive] - 1] : -1;
    const fresh = [...known].filter((event) => event >= 0 && laneOf(trace.events, event) !== to && !knows(earlier, event));
    for (const send of fresh) {
      if (!fresh.some((event) => event !== send && knows(event, send))) edges.push({ from: laneOf(trace.events, send), to, send, receive });
    }
  }
  return edges;
}

/** The term that a node's fields stand for: a term, a view, or the counter of a ballot. */
export function termOfFields({ term, view, ballot }) {
  return term ?? view ?? (Array.isArray(ballot) ? ballot[0] : ballot) ?? null;
}

/**
 * What each lane was, and when: [{lane, kind, term, from, to}] by event ids, `to` null while it lasts. Kinds are "leads",
 * "stands", "down" and "paused".
 */
export function laneSpans(trace) {
  const spans = [];
  const fields = new Map();
  const open = new Map();
  const turn = (lane, slot, kind, term, i) => {
    const last = open.get(`${slot} ${lane}`) ?? null;
    if (last && last.kind === kind && last.term === term) return;
    if (last) last.to = i;
    const span = kind && { lane, kind, term, from: i, to: null };
    if (span) spans.push(span);
    open.set(`${slot} ${lane}`, span);
  };
  for (let i = 0; i < trace.n; i++) {
    const lane = laneOf(trace.events, i);
    if (lane === null || trace.detail(i)?.ignored) continue;
    const now = fields.get(lane) ?? { up: true };
    fields.set(lane, now);
    for (const change of trace.patch(i)) if (change.length === 2 && change[0][0] !== "@") now[change[0]] = change[1];
    const kind = trace.kind(i);
    if (kind === "crash") now.up = false;
    if (kind === "restart" || kind === "start") now.up = true;
    if (kind === "crash" || kind === "restart" || kind === "pause" || kind === "resume" || kind === "start") {
      turn(lane, "status", { crash: "down", pause: "paused" }[kind] ?? null, null, i);
    }
    // A ballot is stood for until it is promised, and led from there to its end.
    const leads = now.up && (SPACE_LEADS.has(now.role) || now.phase === "accept");
    const stands = now.up && (now.role === "candidate" || now.phase === "prepare");
    turn(lane, "role", leads ? "leads" : stands ? "stands" : null, leads || stands ? termOfFields(now) : null, i);
  }
  return spans;
}

/** Messages whose mark stands at the sender: those that leave alone. The others would cover each other there. */
export function leavesAlone(trace) {
  const { messages } = trace;
  const alone = new Uint8Array(messages.count).fill(1);
  for (let k = 1; k < messages.count; k++) {
    if (messages.sentEvent(k) === messages.sentEvent(k - 1)) alone[k] = alone[k - 1] = 0;
  }
  return alone;
}

/** The events that a search finds in `words` (all must occur, in any order), given the words of each event. */
export function searchEvents(trace, words, textOf) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [];
  if (!wanted.length) return found;
  for (let i = 0; i < trace.n; i++) {
    if (laneOf(trace.events, i) === null) continue;
    const text = textOf(i).toLowerCase();
    if (wanted.every((word) => text.includes(word))) found.push(i);
  }
  return found;
}

/** What an event can be found by: its words, its message's type and fields, and the fields it changed. */
export function eventText(trace, i, words) {
  const k = trace.message(i);
  const fields = k === null ? [] : Object.entries(trace.messages.payload(k) ?? {});
  const changed = trace.patch(i).filter((change) => change.length === 2 && change[0][0] !== "@");
  const pairs = [...fields, ...changed].map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`);
  return [words, trace.kind(i), k === null ? "" : trace.messages.type(k), ...pairs].join(" ");
}

/** Round distances for labels along time: about one in `room` px. */
export function spaceTicks(low, high, scale, room = 64) {
  const rough = room / scale;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((size) => size >= rough);
  const ticks = [];
  for (let us = Math.max(0, Math.ceil(low / scale / step) * step); us <= high / scale; us += step) ticks.push(us);
  return { ticks, decimals: Math.max(0, Math.min(6, 6 - Math.floor(Math.log10(step)))) };
}

/** px per µs at which a usual message takes about `px`. */
export function naturalScale(trace, px = 36) {
  const { messages } = trace;
  const times = [];
  for (let k = 0; k < messages.count && times.length < 500; k++) {
    const end = messages.endUs(k);
    if (end !== null && end > messages.sentUs(k)) times.push(end - messages.sentUs(k));
  }
  times.sort((a, b) => a - b);
  return px / (times[times.length >> 1] ?? 10_000);
}
