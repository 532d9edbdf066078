// Versions, quorums and repairs as plain records: whatever shows `versions`, `siblings`, `reads` or `writes`. No drawing here.

import { isMap } from "./causes.js";
import { valueText } from "./format.js";

const STORES = ["versions", "siblings", "hints"];
const REQUESTS = ["reads", "writes"];
const MOST_CALLS = 24;

const showsAny = (spec, id, names) => names.some((name) => (spec.fields?.[id] ?? []).includes(name));
const listed = (value) => (Array.isArray(value) ? value : isMap(value) ? Object.keys(value) : []).map(String);

/** The nodes that keep versions. */
export function storesOf(spec) {
  return (spec.servers ?? []).filter((id) => showsAny(spec, id, STORES));
}

/** A version as a record: [counter, writer], a number, or a vector {node: counter}; null for none. */
export function versionOf(value) {
  if (Number.isInteger(value)) return { vector: null, counter: value, by: "", text: String(value) };
  if (Array.isArray(value) && Number.isInteger(value[0])) {
    const by = value[1] === undefined || value[1] === null ? "" : valueText(value[1]);
    return { vector: null, counter: value[0], by, text: by ? `${value[0]} of ${by}` : String(value[0]) };
  }
  if (!isMap(value)) return null;
  const parts = Object.entries(value).filter(([name, count]) => name !== "@" && Number.isInteger(count) && count > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return { vector: Object.fromEntries(parts), counter: 0, by: "", text: parts.map(([name, count]) => `${name}:${count}`).join(" ") || "none" };
}

/** -1, 0 or 1 as one version is before, equal to or after the other; null where neither knows of the other. */
export function versionOrder(a, b) {
  if (!a || !b) return a ? 1 : b ? -1 : 0;
  if (a.vector || b.vector) {
    if (!a.vector || !b.vector) return null;
    const names = [...new Set([...Object.keys(a.vector), ...Object.keys(b.vector)])];
    const more = names.some((name) => (a.vector[name] ?? 0) > (b.vector[name] ?? 0));
    const less = names.some((name) => (a.vector[name] ?? 0) < (b.vector[name] ?? 0));
    return more && less ? null : more ? 1 : less ? -1 : 0;
  }
  return Math.sign(a.counter - b.counter) || (a.by < b.by ? -1 : Number(a.by > b.by));
}

const pairOf = (item) => (Array.isArray(item) ? { version: versionOf(item[0]), value: item[1] ?? null } : null);

function heldBy({ versions, siblings }, key) {
  const several = isMap(siblings) && Array.isArray(siblings[key]) ? siblings[key] : null;
  const found = several ?? (isMap(versions) && versions[key] !== undefined ? [versions[key]] : []);
  return found.map(pairOf).filter((item) => item && item.version);
}

function hintsAt({ hints }, key) {
  if (!isMap(hints)) return [];
  return Object.entries(hints).flatMap(([home, kept]) => {
    const item = isMap(kept) ? kept[key] : undefined;
    const pairs = Array.isArray(item) && Array.isArray(item[0]) && Array.isArray(item[0][0]) ? item : [item];
    return pairs.map(pairOf).filter(Boolean).map((pair) => ({ home, ...pair }));
  });
}

/** All keys that anybody keeps or asks for, in order. */
export function keysOf(frame) {
  const found = new Set();
  for (const { fields } of frame.nodes.values()) {
    for (const name of ["versions", "siblings"]) if (isMap(fields[name])) for (const key of Object.keys(fields[name])) found.add(key);
    if (isMap(fields.hints)) for (const kept of Object.values(fields.hints)) for (const key of listed(isMap(kept) ? kept : [])) found.add(key);
    for (const name of REQUESTS) if (isMap(fields[name])) for (const call of Object.values(fields[name])) if (isMap(call) && typeof call.key === "string") found.add(call.key);
  }
  return [...found].sort();
}

const knownStarts = new WeakMap();

// Where each read and write was first shown: {"node name kind": event}.
function startsOf(trace) {
  if (knownStarts.has(trace)) return knownStarts.get(trace);
  const found = new Map();
  for (let i = 0; i < trace.n; i++) {
    for (const change of trace.patch(i)) {
      if (!REQUESTS.includes(change[0]) || change.length !== 2 || !isMap(change[1])) continue;
      for (const name of Object.keys(change[1])) {
        const id = `${trace.node(i)} ${name} ${change[0]}`;
        if (!found.has(id)) found.set(id, i);
      }
    }
  }
  knownStarts.set(trace, found);
  return found;
}

function callOf(node, name, kind, call, replicas, start) {
  const asked = listed(call.asked);
  const answers = isMap(call.answers) ? call.answers : {};
  const heard = kind === "reads" ? Object.keys(answers) : listed(call.acks);
  const repairs = listed(call.repairs);
  const version = versionOf(call.version);
  const cells = replicas.map((id) => {
    const told = pairOf(answers[id]);
    const state = heard.includes(id) ? "accepted" : asked.includes(id) ? "promised" : "open";
    return { id, state, told: kind === "reads" ? told : null, repaired: repairs.includes(id) };
  });
  const newest = cells.reduce((best, { told }) => (told && versionOrder(told.version, best) === 1 ? told.version : best), null);
  for (const cell of cells) cell.behind = Boolean(cell.told) && versionOrder(cell.told.version, newest) === -1;
  const need = Number.isInteger(call.need) ? call.need : null;
  return {
    at: node.id, name, kind, start, asked, heard, repairs, cells, need, version, value: call.value ?? null, key: String(call.key ?? ""),
    state: typeof call.state === "string" ? call.state : "going", n: asked.length || replicas.length,
  };
}

/** What the replicas hold of one key, the newest reads and writes of it, and what their quorums share. */
export function quorumModel(trace, frame, spec, wanted = null, most = 3) {
  const keys = keysOf(frame);
  const starts = startsOf(trace);
  const all = [...frame.nodes.values()].flatMap((node) => REQUESTS.flatMap((kind) => Object.entries(isMap(node.fields[kind]) ? node.fields[kind] : {})
    .filter(([, call]) => isMap(call)).slice(-MOST_CALLS).map(([name, call]) => ({ node, kind, name, call, start: starts.get(`${node.id} ${name} ${kind}`) ?? -1 }))));
  const newest = all.reduce((best, item) => (item.start > (best?.start ?? -1) ? item : best), null);
  const key = keys.includes(wanted) ? wanted : typeof newest?.call.key === "string" ? newest.call.key : keys[0] ?? null;
  const mine = all.filter(({ call }) => String(call.key ?? "") === key).sort((a, b) => a.start - b.start);
  const homes = new Set(mine.flatMap(({ call }) => listed(call.asked)));
  const replicas = storesOf(spec).map((id) => frame.nodes.get(id)).filter(Boolean)
    .map(({ id, status, fields }) => ({ id, status, held: heldBy(fields, key), hints: hintsAt(fields, key) }))
    .filter(({ id, held, hints }, _, rows) => rows.length <= 7 || homes.has(id) || held.length || hints.length);
  const versions = replicas.flatMap(({ held }) => held.map(({ version }) => version));
  for (const { held } of replicas) for (const item of held) item.newest = !versions.some((other) => versionOrder(other, item.version) === 1);
  const ids = replicas.map(({ id }) => id);
  const calls = mine.slice(-most).map(({ node, kind, name, call, start }) => callOf(node, name, kind, call, ids, start));
  const read = calls.findLast(({ kind }) => kind === "reads") ?? null;
  const write = calls.findLast((call) => call.kind === "writes" && (!read || call.start < read.start)) ?? null;
  const shared = read && write ? read.heard.filter((id) => write.heard.includes(id)) : [];
  return { keys, key, replicas, calls, hidden: mine.length - calls.length, read, write, shared, split: replicas.some(({ held }) => held.length > 1) };
}

/** What the quorums, or the versions, come to: a sentence. */
export function quorumSentence({ key, replicas, read, write, shared, split }) {
  if (key === null) return "Nothing has been written or asked for yet.";
  if (read?.state === "failed" || write?.state === "failed") {
    const call = read?.state === "failed" ? read : write;
    return `The ${call.kind === "reads" ? "read" : "write"} failed: ${call.heard.length} of ${call.need ?? call.n} answered in time.${call.kind === "writes" && call.heard.length ? " What is stored stays stored." : ""}`;
  }
  if (split) return "Siblings: neither version knows of the other, so both are kept until a client brings them together.";
  if (read && write && read.state === "done" && write.state === "done") {
    if (shared.length) return `Read and write met at ${shared.join(", ")}: the read heard of \`${valueText(write.value).slice(0, 40)}\` there.`;
    const sum = read.need !== null && write.need !== null && read.need + write.need <= read.n ? ` ${read.need} + ${write.need} is not more than ${read.n}.` : "";
    return `The read asked nobody who had stored the write.${sum}`;
  }
  const going = [write, read].filter((call) => call?.state === "going").sort((a, b) => b.start - a.start)[0];
  if (going) return `The ${going.kind === "reads" ? "read" : "write"} waits: ${going.heard.length} of ${going.need ?? going.n} have ${going.kind === "reads" ? "answered" : "stored it"}.`;
  const stale = replicas.filter(({ held }) => held.length > 0 && !held.some((item) => item.newest)).map(({ id }) => id);
  if (stale.length) return `${stale.join(", ")} ${stale.length === 1 ? "holds" : "hold"} an older version.`;
  return replicas.some(({ held }) => held.length) ? "All that hold it hold the newest version." : "No replica holds it.";
}
