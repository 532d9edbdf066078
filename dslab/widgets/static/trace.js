// A run, read only: columns decoded once, state folded on demand from keyframes.
//
// Node states are never changed in place: an event replaces the node's object by a new one, so a keyframe is a
// shallow copy of one Map, and two frames may be compared by identity.

export const KEYFRAME_EVERY = 256;

function chunkText(bytes) {
  if (typeof bytes === "string") {
    return bytes.trimStart().startsWith("{") ? bytes : new TextDecoder().decode(fromBase64(bytes));
  }
  return new TextDecoder().decode(bytes);
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** Columns of one chunk, with indices resolved to values. */
export function decodeChunk(bytes) {
  const raw = JSON.parse(chunkText(bytes));
  const { strings, payloads, says } = raw;
  const text = (index) => (index < 0 ? null : strings[index]);
  const payload = (index) => (index < 0 ? null : payloads[index]);
  const orNull = (value) => (value < 0 ? null : value);
  let clock = 0;
  const e = raw.e;
  const m = raw.m;
  return {
    first: raw.first,
    firstMessage: raw.m0,
    over: raw.over ?? {},
    events: {
      time: e.t.map((delta) => (clock += delta)),
      kind: e.k.map(text),
      node: e.n.map(text),
      cause: e.c.map(orNull),
      message: e.m.map(orNull),
      detail: e.d.map(payload),
      patch: e.p.map(payload),
      says: e.s.map((index) => (index < 0 ? null : says[index])),
    },
    messages: {
      from: m.f.map(text),
      to: m.o.map(text),
      type: m.y.map(text),
      sentEvent: m.s,
      dueUs: m.u.map(orNull),
      endEvent: m.x.map(orNull),
      fate: m.w.map(text),
      klass: m.c.map(text),
      term: m.r,
      payload: m.p.map(payload),
      gloss: m.g.map(text),
      truth: m.f.map((_, k) => payload(m.z?.[k] ?? -1)),
    },
  };
}

function joinColumns(parent, count, own) {
  const joined = {};
  for (const name of Object.keys(own)) {
    joined[name] = parent ? parent[name].slice(0, count).concat(own[name]) : own[name].slice();
  }
  return joined;
}

/** The trace of one branch: its parent's prefix followed by its own chunk. `chunks` maps branch id to decoded chunk. */
export function assembleTrace(branches, chunks, id, spec) {
  const branch = branches.find((item) => item.id === id);
  const chunk = chunks[id];
  const parent = branch.parent ? assembleTrace(branches, chunks, branch.parent, spec) : null;
  const events = joinColumns(parent?.events, chunk.first, chunk.events);
  const messages = joinColumns(parent?.messageColumns, chunk.firstMessage, chunk.messages);
  for (const [message, [due, end, fate]] of Object.entries(chunk.over)) {
    messages.dueUs[message] = due < 0 ? null : due;
    messages.endEvent[message] = end === null || end < 0 ? null : end;
    messages.fate[message] = typeof fate === "number" ? null : fate;
  }
  return createTrace(events, messages, spec);
}

/** The same trace as it was known at `us`: nothing that came later, no end of what was still on its way. */
export function traceUntil(trace, us) {
  const n = trace.eventAt(us) + 1;
  const sent = trace.messageColumns.sentEvent.findIndex((event) => event >= n);
  const count = sent < 0 ? trace.messages.count : sent;
  const shorter = (columns, length) => Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column.slice(0, length)]));
  const messages = shorter(trace.messageColumns, count);
  const open = (k) => messages.endEvent[k] !== null && messages.endEvent[k] >= n;
  messages.fate = messages.fate.map((fate, k) => (open(k) ? "in flight" : fate));
  messages.endEvent = messages.endEvent.map((event, k) => (open(k) ? null : event));
  return createTrace(shorter(trace.events, n), messages, trace.spec);
}

/** A read-only trace over resolved columns; `spec` names servers and clients. */
export function createTrace(events, messages, spec) {
  const n = events.time.length;
  const endUs = (k) => (messages.endEvent[k] === null ? null : events.time[messages.endEvent[k]]);
  const trace = {
    events,
    messageColumns: messages,
    n,
    spec,
    time: (i) => events.time[i] ?? 0,
    kind: (i) => events.kind[i],
    node: (i) => events.node[i],
    cause: (i) => events.cause[i],
    message: (i) => events.message[i],
    detail: (i) => events.detail[i],
    patch: (i) => events.patch[i] ?? [],
    says: (i) => events.says[i] ?? null,
    endUs: n ? events.time[n - 1] : 0,
    messages: {
      count: messages.from.length,
      from: (k) => messages.from[k],
      to: (k) => messages.to[k],
      type: (k) => messages.type[k],
      sentEvent: (k) => messages.sentEvent[k],
      sentUs: (k) => events.time[messages.sentEvent[k]] ?? 0,
      dueUs: (k) => messages.dueUs[k],
      endEvent: (k) => messages.endEvent[k],
      endUs,
      fate: (k) => messages.fate[k],
      klass: (k) => messages.klass[k],
      term: (k) => messages.term[k],
      payload: (k) => messages.payload[k],
      gloss: (k) => messages.gloss[k],
      truth: (k) => messages.truth?.[k] ?? null,      // of a forged message: {field: what a loyal node would have said}
    },
  };
  const sentAt = groupMessages(messages.sentEvent);
  const endedAt = groupMessages(messages.endEvent);
  const keyframes = [initialState(spec)];
  let folded = { next: 0, state: cloneState(keyframes[0]) };

  /** State after events 0..event-1, folded from the nearest keyframe or from where the last seek stopped. */
  function stateBefore(event) {
    const frame = Math.floor(event / KEYFRAME_EVERY);
    extendKeyframes(frame);
    const start = frame * KEYFRAME_EVERY;
    const usable = folded.next <= event && folded.next >= start;
    if (!usable) folded = { next: start, state: cloneState(keyframes[frame]) };
    while (folded.next < event) foldEvent(folded.state, trace, folded.next++, sentAt, endedAt);
    return folded.state;
  }

  function extendKeyframes(frame) {
    while (keyframes.length <= frame) {
      const state = cloneState(keyframes.at(-1));
      const start = (keyframes.length - 1) * KEYFRAME_EVERY;
      const stop = Math.min(n, start + KEYFRAME_EVERY);
      for (let i = start; i < stop; i++) foldEvent(state, trace, i, sentAt, endedAt);
      keyframes.push(state);
    }
  }

  /** Build keyframes for at most `budgetMs`; true once every keyframe exists. */
  trace.warm = (budgetMs, now) => {
    const last = Math.floor(n / KEYFRAME_EVERY);
    const started = now();
    while (keyframes.length <= last && now() - started < budgetMs) extendKeyframes(keyframes.length);
    return keyframes.length > last;
  };

  /** The frame after `event` (-1: before the first), drawn at time `us`. */
  trace.frameAt = (event, us = event < 0 ? 0 : trace.time(event)) => {
    const at = Math.min(event, n - 1);
    const state = stateBefore(Math.max(0, at));
    const before = at >= 0 ? state.nodes.get(trace.node(at)) : null;
    if (at >= 0) foldEvent(state, trace, folded.next++, sentAt, endedAt);
    const nodes = new Map(state.nodes);
    if (before) nodes.set(before.id, withChanges(before, nodes.get(before.id), trace.patch(at)));
    return {
      event: at, time_us: us, nodes, cut: state.cut, groups: state.groups, inFlightRule: state.inFlightRule,
      links: state.links, flying: [...state.flying], ops: state.ops,
      marks: marksAt(at, state.flying),
    };
  };

  /** Index of the last event at or before `us`, -1 if none. */
  trace.eventAt = (us) => {
    let low = 0;
    let high = n;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (events.time[middle] <= us) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };

  /** The narrated event in force at `event`, or -1. */
  trace.saidAt = (event) => {
    for (let i = Math.min(event, n - 1); i >= 0; i--) if (events.says[i]) return i;
    return -1;
  };

  /** Drop marks to draw at `us`: messages that died at most `lingerUs` ago, or before they would have arrived. */
  trace.droppedAt = (event, us, lingerUs) => {
    const found = [];
    const horizon = us - Math.max(lingerUs, MAX_DROP_LINGER);
    for (let i = event; i >= 0 && events.time[i] >= horizon; i--) {
      const k = events.message[i];
      if (events.kind[i] !== "drop" || k === null) continue;
      const gone = Math.max(events.time[i] + lingerUs, messages.dueUs[k] ?? 0);
      if (us < gone) found.push(k);
    }
    return found;
  };

  let motion = null;

  // Messages in flight that somebody holds or delayed.
  function marksAt(event, flying) {
    motion ??= messageSteps(events, messages, spec);
    const touched = [...motion.steps.keys()].filter((k) => flying.has(k));
    return new Map(touched.map((k) => [k, trace.motionAt(k, event)]));
  }

  /**
   * The knot of message `k` in force at `event`. `twinOf` names the message it was copied from by hand, `twins` its own
   * copies.
   */
  trace.motionAt = (k, event) => {
    motion ??= messageSteps(events, messages, spec);
    const twinOf = motion.twinOf.get(k) ?? null;
    const steps = motion.steps.get(twinOf ?? k) ?? [];
    const knots = messageKnots(trace.messages.sentUs(twinOf ?? k), messages.dueUs[k], steps);
    let at = 0;
    while (at + 1 < knots.length && knots[at + 1].event <= event) at++;
    return { ...knots[at], twinOf, twins: motion.twins.get(k) ?? NO_TWINS };
  };

  /** Everything event `i` depends on: its causes and its lane's earlier events. */
  trace.past = (i) => causalPast(events, messages, i);
  /** Everything that depends on event `i`. */
  trace.future = (i) => causalFuture(events, messages, i);
  return trace;
}

const NO_TWINS = [];
const MAX_DROP_LINGER = 400_000;

function groupMessages(column) {
  const groups = new Map();
  column.forEach((event, k) => {
    if (event === null || event < 0) return;
    if (groups.has(event)) groups.get(event).push(k);
    else groups.set(event, [k]);
  });
  return groups;
}

function initialState(spec) {
  const nodes = new Map();
  for (const kind of ["server", "client"]) {
    for (const id of spec[`${kind}s`] ?? []) {
      nodes.set(id, {
        id, kind, status: "up", statusSince: 0, fields: {}, timers: {}, skew: null, diskLost: false, changed: [],
        before: {}, treason: null,
      });
    }
  }
  return {
    nodes, cut: new Set(), singleCuts: new Set(), groups: null, inFlightRule: "lost", links: new Map(),
    flying: new Set(), ops: [],
  };
}

function cloneState(state) {
  return { ...state, nodes: new Map(state.nodes), flying: new Set(state.flying) };
}

function withChanges(before, after, patch) {
  const names = patch.map(([name]) => name).filter((name) => name[0] !== "@");
  if (!names.length) return after;
  const old = {};
  for (const name of names) old[name] = before.fields[name];
  return { ...after, changed: names, before: old };
}

/** Apply event `i` to `state` (Maps and Sets of the state are its own; everything inside them is shared). */
export function foldEvent(state, trace, i, sentAt, endedAt) {
  for (const k of sentAt.get(i) ?? []) state.flying.add(k);
  for (const k of endedAt.get(i) ?? []) state.flying.delete(k);
  foldWorld(state, trace, i);
  const id = trace.node(i);
  const node = id === null ? null : state.nodes.get(id);
  if (!node) return;
  const next = foldNode(node, trace, i);
  const patched = patchNode(next, trace.patch(i));
  if (patched !== node) state.nodes.set(id, patched);
}

function foldNode(node, trace, i) {
  const us = trace.time(i);
  const detail = trace.detail(i);
  if (detail?.ignored) return node;
  switch (trace.kind(i)) {
    case "crash": return { ...node, status: "crashed", statusSince: us, timers: {} };
    case "restart": return { ...node, status: "up", statusSince: us, diskLost: detail?.disk === false };
    case "join": return { ...node, status: "up", statusSince: us };
    case "absent":
    case "leave": return { ...node, status: "absent", statusSince: us, timers: {} };
    case "pause": return { ...node, status: "paused", statusSince: us };
    case "resume": return { ...node, status: "up", statusSince: us };
    case "skew": return { ...node, skew: detail.offset || detail.rate !== 1 ? detail : null };
    case "turn_traitor": return { ...node, treason: detail };
    case "turn_loyal": return { ...node, treason: null };
    case "lose_disk": return { ...node, diskLost: true };
    default: return node;
  }
}

function patchNode(node, patch) {
  if (!patch.length) return node;
  const fields = patch.every(([name]) => name[0] === "@") ? node.fields : { ...node.fields };
  let timers = node.timers;
  for (const change of patch) {
    const [name, value] = change;
    if (name[0] === "@") timers = patchTimer(timers, name.slice(1), value);
    else if (change.length === 4) fields[name] = spliced(fields[name] ?? [], change);
    else fields[name] = value;
  }
  return { ...node, fields, timers };
}

function patchTimer(timers, name, value) {
  const next = { ...timers };
  if (value === null) delete next[name];
  else next[name] = { set: value[0], due: value[1], min: value[2], max: value[3] };
  return next;
}

function spliced(list, [, start, removed, items]) {
  return [...list.slice(0, start), ...items, ...list.slice(start + removed)];
}

function foldWorld(state, trace, i) {
  const detail = trace.detail(i) ?? {};
  if (detail.ignored) return;
  const link = `${detail.source}>${detail.target}`;
  switch (trace.kind(i)) {
    case "partition":
      state.groups = wholeGroups(detail.groups, trace.spec);
      state.inFlightRule = detail.in_flight ?? "lost";
      break;
    case "heal":
      state.groups = null;
      state.singleCuts = new Set();
      break;
    case "cut": state.singleCuts = new Set(state.singleCuts).add(link); break;
    case "mend":
      state.singleCuts = new Set(state.singleCuts);
      state.singleCuts.delete(link);
      break;
    case "link": state.links = new Map(state.links).set(link, { ...state.links.get(link), ...withoutNulls(detail) }); return;
    case "invoke": state.ops = [...state.ops, { client: trace.node(i), event: i, us: trace.time(i), ...detail }]; return;
    case "complete":
      state.ops = state.ops.filter((op) => op.client !== trace.node(i) || op.number !== detail.number);
      return;
    default: return;
  }
  state.cut = new Set([...state.singleCuts, ...cutBetween(state.groups ?? [])]);
}

function withoutNulls(record) {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}

/** Groups of a partition; servers that none names are one more group. */
export function wholeGroups(groups, spec) {
  const named = new Set(groups.flat());
  const rest = spec.servers.filter((id) => !named.has(id));
  return rest.length ? [...groups, rest] : groups;
}

/** Directed links cut by a partition into groups. */
export function cutBetween(groups) {
  const cut = new Set();
  groups.forEach((from, a) => groups.forEach((to, b) => {
    if (a !== b) for (const source of from) for (const target of to) cut.add(`${source}>${target}`);
  }));
  return cut;
}

// ---- how messages move -------------------------------------------------------------------------------------------
// A message flies straight from its sending to its arrival unless somebody holds, delays or hurries it. Each such
// step is a knot {event, us, fraction, due, held, delayUs}: from there on it flies its remaining way until `due`.

const STEPS_OF_A_MESSAGE = new Set(["hold", "release", "delay", "deliver_now"]);

function messageSteps(events, messages, spec) {
  const steps = new Map();
  const add = (k, step) => {
    if (!steps.has(k)) steps.set(k, []);
    steps.get(k).push(step);
  };
  const twinOf = new Map();
  const twins = new Map();
  let heldByCut = [];
  events.kind.forEach((kind, event) => {
    const detail = events.detail[event];
    const us = events.time[event];
    if (!detail || detail.ignored) {
      if (kind === "heal") heldByCut = heldByCut.filter((k) => add(k, { event, us, kind: "release" }));
      return;
    }
    const k = events.message[event] ?? detail.message ?? null;
    if (STEPS_OF_A_MESSAGE.has(kind)) add(k, { event, us, kind, by: 1000 * (detail.by ?? 0) });
    if (kind === "duplicate") {
      const twin = messages.sentEvent.indexOf(event);
      if (twin >= 0) {
        twinOf.set(twin, k);
        twins.set(k, [...(twins.get(k) ?? []), twin]);
      }
    }
    if (kind !== "partition") return;
    const cut = cutBetween(wholeGroups(detail.groups, spec));
    const closed = (m) => cut.has(`${messages.from[m]}>${messages.to[m]}`);
    heldByCut = heldByCut.filter((m) => closed(m) || add(m, { event, us, kind: "release" }));
    if (detail.in_flight !== "held") return;
    messages.sentEvent.forEach((sent, m) => {
      if (sent >= event || (messages.endEvent[m] !== null && messages.endEvent[m] <= event) || !closed(m)) return;
      if (heldByCut.includes(m)) return;
      add(m, { event, us, kind: "hold" });
      heldByCut.push(m);
    });
  });
  return { steps, twinOf, twins };
}

/** Knots of one message. The recorded arrival is the last one, so arrivals before each step follow backwards. */
export function messageKnots(sentUs, dueUs, steps) {
  let due = dueUs ?? sentUs;
  const dueAfter = [];
  for (let i = steps.length - 1; i >= 0; i--) {
    dueAfter[i] = due;
    const { kind, us, by } = steps[i];
    if (kind === "delay") due -= by;
    else if (kind === "release") due -= us - (steps[i - 1]?.us ?? us);
    else if (kind === "deliver_now") due = us + 5000;
  }
  const knots = [{ event: -1, us: sentUs, fraction: 0, due, held: false, delayUs: 0 }];
  steps.forEach(({ event, us, kind, by }, i) => {
    const last = knots.at(-1);
    knots.push({
      event, us, fraction: last.held ? last.fraction : knotFraction(last, us), due: dueAfter[i],
      held: kind === "hold", delayUs: last.delayUs + (kind === "delay" ? by : 0),
    });
  });
  return knots;
}

/** How far a message has flown at `us`, 0 to 1, from the knot in force. */
export function knotFraction(knot, us) {
  if (knot.held || us <= knot.us) return knot.fraction;
  if (us >= knot.due) return 1;
  return knot.fraction + (1 - knot.fraction) * ((us - knot.us) / (knot.due - knot.us));
}

/** Where event `i` happens: its node, or null for what happens to a message on its way or to the whole network. */
export function laneOf(events, i) {
  return events.message[i] !== null && events.kind[i] !== "deliver" ? null : events.node[i];
}

function causalPast(events, messages, start) {
  const past = new Set([start]);
  const needed = new Set([start]);
  const lanesSeen = new Set();
  for (let i = start; i >= 0; i--) {
    const lane = laneOf(events, i);
    if (!needed.has(i) && !(lane !== null && lanesSeen.has(lane))) continue;
    past.add(i);
    if (lane !== null) lanesSeen.add(lane);
    for (const cause of directCauses(events, messages, i)) needed.add(cause);
  }
  past.delete(start);
  return past;
}

function causalFuture(events, messages, start) {
  const future = new Set([start]);
  const first = laneOf(events, start);
  const lanesSeen = new Set(first === null ? [] : [first]);
  for (let i = start + 1; i < events.time.length; i++) {
    const lane = laneOf(events, i);
    const follows = (lane !== null && lanesSeen.has(lane)) || directCauses(events, messages, i).some((cause) => future.has(cause));
    if (!follows) continue;
    future.add(i);
    if (lane !== null) lanesSeen.add(lane);
  }
  future.delete(start);
  return future;
}

/** Events that event `i` follows from directly, other than the one before it on its lane. */
export function directCauses(events, messages, i) {
  const causes = [];
  if (events.cause[i] !== null) causes.push(events.cause[i]);
  const k = events.message[i];
  if (k !== null && messages.sentEvent[k] >= 0 && messages.sentEvent[k] < i) causes.push(messages.sentEvent[k]);
  return causes;
}
