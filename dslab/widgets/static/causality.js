// Happened-before by walking the graph of causes; dslab/view/causality.py has the same sets by vector clocks.
//
// An event is after the earlier events of its lane, after its cause, and after the sending of its message. What befalls
// a message on its way (a loss, a delay) is no event of the receiver: it has no lane.
import { directCauses, laneOf } from "./trace.js";

const knownLamports = new WeakMap();
const knownLanes = new WeakMap();

/** Lane of each event as {events: Map of lane to event ids, rank: how many events of its lane are before each event}. */
export function laneEvents(trace) {
  if (knownLanes.has(trace)) return knownLanes.get(trace);
  const events = new Map();
  const rank = new Int32Array(trace.n).fill(-1);
  for (let i = 0; i < trace.n; i++) {
    const lane = laneOf(trace.events, i);
    if (lane === null) continue;
    if (!events.has(lane)) events.set(lane, []);
    rank[i] = events.get(lane).push(i) - 1;
  }
  knownLanes.set(trace, { events, rank });
  return knownLanes.get(trace);
}

/** The event before `i` on its lane, or -1. */
function laneBefore(trace, i) {
  const { events, rank } = laneEvents(trace);
  return rank[i] > 0 ? events.get(laneOf(trace.events, i))[rank[i] - 1] : -1;
}

/** Lamport time of every event, from 1: how many events the longest causal path to it has. */
export function lamportTimes(trace) {
  if (knownLamports.has(trace)) return knownLamports.get(trace);
  const times = new Int32Array(trace.n);
  const last = new Map();
  for (let i = 0; i < trace.n; i++) {
    let most = 0;
    for (const cause of directCauses(trace.events, trace.messageColumns, i)) most = Math.max(most, times[cause]);
    const lane = laneOf(trace.events, i);
    if (lane !== null) {
      most = Math.max(most, last.get(lane) ?? 0);
      last.set(lane, most + 1);
    }
    times[i] = most + 1;
  }
  knownLamports.set(trace, times);
  return times;
}

/** Vector time of event `i`: {lane: how many of its events are known}. */
export function vectorTime(trace, i, past = trace.past(i)) {
  const vector = {};
  for (const event of [...past, i]) {
    const lane = laneOf(trace.events, event);
    if (lane !== null) vector[lane] = (vector[lane] ?? 0) + 1;
  }
  return vector;
}

/** The cone of event `i`: its past, its future, and how many events are neither. */
export function coneOf(trace, i) {
  const past = trace.past(i);
  const future = trace.future(i);
  return { event: i, past, future, concurrent: trace.n - 1 - past.size - future.size, lamport: lamportTimes(trace)[i], vector: vectorTime(trace, i, past) };
}

/** "before", "after", "concurrent" or "same": how event `a` stands to event `b`. */
export function relation(trace, a, b) {
  if (a === b) return "same";
  if (a < b) return trace.past(b).has(a) ? "before" : "concurrent";
  return trace.past(a).has(b) ? "after" : "concurrent";
}

/** A causal path from `a` to `b` with the fewest messages, as event ids, both ends included; null if there is none. */
export function causalPath(trace, a, b) {
  const inside = trace.future(a).add(a);
  if (!inside.has(b)) return null;
  const next = new Map([[b, null]]);
  let level = [b];
  while (level.length) {
    // Along the lanes first: a local step costs nothing, a message does.
    for (let at = 0; at < level.length; at++) {
      const before = laneBefore(trace, level[at]);
      if (before >= 0 && inside.has(before) && !next.has(before)) {
        next.set(before, level[at]);
        level.push(before);
      }
    }
    if (next.has(a)) break;
    const further = [];
    for (const event of level) {
      for (const cause of directCauses(trace.events, trace.messageColumns, event)) {
        if (!inside.has(cause) || next.has(cause)) continue;
        next.set(cause, event);
        further.push(cause);
      }
    }
    level = further;
  }
  const path = [];
  for (let i = a; i !== null; i = next.get(i)) path.push(i);
  return path;
}

/** How many of the ascending `ids` are at most `event`. */
export function countUpTo(ids, event) {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle] <= event) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A cut at event `event`: {lane: how many of its events are inside}. */
export function cutAt(trace, lanes, event) {
  const { events } = laneEvents(trace);
  return new Map(lanes.map((lane) => [lane, countUpTo(events.get(lane) ?? [], event)]));
}

/**
 * What a cut is worth: `orphans` are messages received inside and sent outside, `channels` those that are on their way
 * (neither received inside nor lost before the last event inside).
 * It is consistent when there is no orphan.
 */
export function judgeCut(trace, cut) {
  const { events, rank } = laneEvents(trace);
  const inside = (i) => {
    const lane = laneOf(trace.events, i);
    return lane !== null && cut.has(lane) && rank[i] < cut.get(lane);
  };
  const lastInside = (lane) => events.get(lane)?.[cut.get(lane) - 1] ?? -1;
  const latest = Math.max(-1, ...[...cut.keys()].map(lastInside));
  const orphans = [];
  const channels = [];
  const { messages } = trace;
  for (let k = 0; k < messages.count; k++) {
    if (!cut.has(messages.from(k)) || !cut.has(messages.to(k))) continue;
    const sent = messages.sentEvent(k);
    const end = messages.endEvent(k);
    const left = sent >= 0 && (rank[sent] < 0 ? sent <= lastInside(messages.from(k)) : inside(sent));
    const over = end !== null && (trace.kind(end) === "deliver" ? inside(end) : end <= latest);
    if (left && !over) channels.push(k);
    else if (!left && over && trace.kind(end) === "deliver") orphans.push(k);
  }
  return { consistent: orphans.length === 0, orphans, channels };
}
