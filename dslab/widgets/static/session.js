// The browser's side of the conversation with Python: traits in, commands out, one cursor.

import { decodeChunk, assembleTrace, traceUntil } from "./trace.js";

const BUSY_AFTER_MS = 300;
const CURSOR_EVERY_MS = 250;
const MAX_RUN_US = 120_000_000;
const LOOK_AHEAD = 0.25;

/** Why nothing can be changed in a page of its own, which plays what was recorded. */
export const NO_KERNEL = "this page has no kernel: open the notebook to try it";

const NOT_YET = { violated: { status: "held", nodes: [], index: null }, reached: { status: "not yet" } };

/** A branch as it was known at `us`, for a prediction that is still open. */
export function branchUntil(branch, us) {
  const begun = (list) => (list ?? []).filter((item) => (item.us ?? item.from_us) <= us);
  const open = (list) => begun(list).map((item) => (item.to_us > us ? { ...item, to_us: null } : item));
  return {
    ...branch, until_us: Math.min(branch.until_us ?? us, us), actions: (branch.actions ?? []).filter(({ at }) => at * 1000 <= us),
    faults: open(branch.faults), leaders: open(branch.leaders), stations: begun(branch.stations), commits: begun(branch.commits), decisions: begun(branch.decisions),
    bookmarks: begun(branch.bookmarks), interesting: [],
    verdicts: (branch.verdicts ?? []).map((verdict) => (verdict.time_us > us ? { ...verdict, ...NOT_YET[verdict.status], event: null, time_us: null } : verdict)),
  };
}

/** Reads the model's traits into `store`, remembers what was seen, and sends commands. */
export function createSession(model, win, on) {
  const spec = model.get("spec");
  const live = typeof model.send === "function";
  const waiting = new Map();
  const decoded = new Map();
  const assembled = new Map();
  const seen = new Map();
  const asked = new Map();
  let nextId = 1;
  let flushTimer = 0;
  let unsent = {};
  const cursor = model.get("cursor") ?? {};
  let stamp = cursor.stamp ?? 0;        // a Lamport clock: of all who move the cursor, Python and each view, the last one wins
  const store = {
    branches: model.get("branches") ?? [], branch: null, trace: null, selection: model.get("selection") ?? null,
    cursor: { branch: cursor.branch ?? "A", time_us: cursor.time_us ?? spec.start_us ?? 0, event: cursor.event ?? null },
    playing: 0, speed: spec.speed ?? 0.05, layout: "wide", cutCount: 0, causalOnly: false, locked: false,
  };

  function chunkOf(id) {
    const bytes = model.get("chunks")[id];
    const known = decoded.get(id);
    if (known && known.bytes === bytes) return known.chunk;
    const chunk = decodeChunk(bytes);
    decoded.set(id, { bytes, chunk });
    return chunk;
  }

  /** Show branch `id`, with its trace put together from its ancestors. */
  function openBranch(id) {
    const start = spec.start_us ?? 0;
    store.locked = Boolean(spec.predict) && !model.get("prediction")?.choice;
    store.branches = (model.get("branches") ?? []).map((item) => (store.locked ? branchUntil(item, start) : item));
    const branch = store.branches.find((item) => item.id === id) ?? store.branches[0];
    const chunks = {};
    for (let item = branch; item; item = store.branches.find((other) => other.id === item.parent)) chunks[item.id] = chunkOf(item.id);
    store.branch = branch;
    const trace = assembleTrace(store.branches, chunks, branch.id, spec);
    store.trace = store.locked ? traceUntil(trace, start) : trace;
    store.cursor = { ...store.cursor, branch: branch.id };
    placeCursor({ us: store.cursor.time_us });
  }

  const ready = (id) => Boolean(model.get("chunks")?.[id]) && (model.get("branches") ?? []).some((branch) => branch.id === id);

  /** The trace of another branch, or null where it may not be known yet. */
  function traceOf(id) {
    if (id === store.branch.id) return store.trace;
    if (store.locked || !ready(id)) return null;
    const chunks = {};
    for (let item = store.branches.find((branch) => branch.id === id); item; item = store.branches.find((other) => other.id === item.parent)) chunks[item.id] = chunkOf(item.id);
    const known = assembled.get(id);
    if (known && Object.entries(chunks).every(([name, chunk]) => known.chunks[name] === chunk)) return known.trace;
    assembled.set(id, { chunks, trace: assembleTrace(store.branches, chunks, id, spec) });
    return assembled.get(id).trace;
  }

  /** Move the cursor; an event stands at its own time, a time at the last event before it. */
  function placeCursor({ us, event }) {
    const { trace } = store;
    const last = Math.max(store.branch.until_us ?? 0, trace.endUs);
    if (event !== undefined && event !== null) {
      const at = Math.max(0, Math.min(trace.n - 1, event));
      store.cursor = { branch: store.branch.id, event: at, time_us: trace.time(at) };
    } else {
      const time = Math.max(0, Math.min(last, us));
      store.cursor = { branch: store.branch.id, event: trace.eventAt(time), time_us: time };
    }
    seen.set(store.branch.id, Math.max(seen.get(store.branch.id) ?? 0, Math.floor(store.cursor.time_us)));
  }

  /** Tell Python where the cursor or what the selection is: not while playing, and at most four times a second. */
  function share(name, value) {
    unsent[name] = value;
    if (store.playing || flushTimer) return;
    flushTimer = win.setTimeout(flush, CURSOR_EVERY_MS);
  }

  function flush() {
    flushTimer = 0;
    if (store.playing || !Object.keys(unsent).length) return;
    for (const [name, value] of Object.entries(unsent)) model.set(name, value);
    unsent = {};
    model.save_changes();
  }

  const whereItStands = () => ({ ...store.cursor, time_us: Math.floor(store.cursor.time_us), stamp });

  function shareCursor() {
    stamp += 1;
    share("cursor", whereItStands());
  }

  /** Send one command; resolves with Python's reply, also when that is a refusal. `tell` hears of progress until then. */
  function command(what, args = {}, tell = null) {
    if (!live) return Promise.resolve({ ok: false, error: `Unavailable: ${NO_KERNEL}.` });
    const id = nextId++;
    return new Promise((resolve) => {
      const busy = win.setTimeout(() => on.busy(), BUSY_AFTER_MS);
      waiting.set(id, (reply) => {
        win.clearTimeout(busy);
        if (reply.progress) return tell?.(reply.progress, id);
        waiting.delete(id);
        return resolve(reply);
      });
      tell?.({}, id);
      model.send({ id, do: what, cursor: whereItStands(), ...args });
    });
  }

  function onMessage(reply) {
    waiting.get(reply?.id)?.(reply);
  }

  /** A verb at `atUs`: Python forks when that time, or later, was already on show. */
  function act(verb, args, atUs = store.cursor.time_us) {
    const at = Math.floor(atUs);
    return command("act", { branch: store.branch.id, at_us: at, seen_us: Math.max(at, seen.get(store.branch.id) ?? 0), verb, args });
  }

  /** Ask for more of the run when the playhead nears its computed end; once per end, and never without bound. */
  function lookAhead() {
    const until = store.branch.until_us ?? store.trace.endUs;
    if (asked.get(store.branch.id) === until || store.cursor.time_us < until * (1 - LOOK_AHEAD) || !mayExtend()) return;
    asked.set(store.branch.id, until);
    extend();
  }

  const mayExtend = () => live && !spec.recorded && !store.branch.truncated && (store.branch.until_us ?? store.trace.endUs) < MAX_RUN_US;

  /** Ask for more of the run; resolves with whether there will be any. */
  async function extend() {
    if (!mayExtend()) return false;
    const { id } = store.branch;
    const until = store.branch.until_us ?? store.trace.endUs;
    const reply = await command("extend", { branch: id, until_us: Math.min(MAX_RUN_US, until + Math.max(2_000_000, Math.round(until / 2))) });
    if (!reply.ok) on.refused(reply.error);
    return reply.ok && (model.get("branches") ?? []).some((branch) => branch.id === id && branch.until_us > until);
  }

  const listeners = [];
  function listen(event, handler) {
    model.on(event, handler);
    listeners.push([event, handler]);
  }
  listen("msg:custom", onMessage);
  listen("change:branches", () => on.data());
  listen("change:chunks", () => on.data());
  listen("change:spec", () => {
    spec.properties = model.get("spec").properties;      // all else is known from the beginning
    on.data();
  });
  listen("change:prediction", () => on.answer());
  listen("change:feedback", () => on.answer());
  listen("change:selection", () => on.selection(model.get("selection")));
  listen("change:cursor", () => {
    const next = model.get("cursor") ?? {};
    if (!(next.stamp > stamp)) return;             // an echo, or what Python knew before it heard of the latest move
    stamp = next.stamp;
    delete unsent.cursor;
    const same = next.branch === store.cursor.branch && next.time_us === Math.floor(store.cursor.time_us);
    if (!same) on.cursor(next);
  });

  return {
    store, spec, live, command, act, openBranch, placeCursor, shareCursor, share, flush, lookAhead, extend,
    traceOf, ready,
    answer: () => model.get("prediction") ?? {},
    feedback: () => model.get("feedback") ?? null,
    setAnswer(answer) {
      model.set("prediction", answer);
      model.save_changes();
    },
    destroy() {
      win.clearTimeout(flushTimer);
      for (const [event, handler] of listeners) model.off?.(event, handler);
    },
  };
}
