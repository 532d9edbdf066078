// Replicated data types as plain records: which updates each replica has seen, who includes whom, what merging gives.

import { isMap } from "./causes.js";
import { valueText } from "./format.js";

/** The nodes that show a replicated data type. */
export function mergingOf(spec) {
  return (spec.servers ?? []).filter((id) => (spec.fields?.[id] ?? []).includes("crdt"));
}

const counts = (value) => (isMap(value) && Object.entries(value).every(([, count]) => Number.isInteger(count)) ? Object.fromEntries(Object.entries(value).filter(([name, count]) => name !== "@" && count > 0)) : null);
const most = (a, b) => {
  const all = { ...a };
  for (const [name, count] of Object.entries(b)) all[name] = Math.max(all[name] ?? 0, count);
  return all;
};
const within = (a, b) => Object.entries(a).every(([name, count]) => count <= (b[name] ?? 0));
const alike = (a, b) => within(a, b) && within(b, a);
const sum = (seen) => Object.values(seen).reduce((total, count) => total + count, 0);

const knownSeen = new WeakMap();

/**
 * What each event leaves a replica with: [{event, node, seen}], in order. A replica may say so itself (`seen`); else a
 * change of its state that no other replica's message brought is an update of its own, and a state brings all it has.
 */
export function seenHistory(trace, spec) {
  if (knownSeen.has(trace)) return knownSeen.get(trace);
  const ids = mergingOf(spec);
  const now = new Map(ids.map((id) => [id, {}]));
  const at = new Map();            // event -> what its node had seen then, for what it sent
  const found = [];
  for (let i = 0; i < trace.n; i++) {
    const node = trace.node(i);
    if (!now.has(node)) continue;
    const patch = trace.patch(i);
    const told = patch.find((change) => change[0] === "seen" && change.length === 2);
    const changed = patch.some((change) => change[0] === "state");
    const own = counts(told?.[1]);
    if (own) now.set(node, own);
    else if (!(spec.fields[node] ?? []).includes("seen")) {
      const k = trace.kind(i) === "deliver" ? trace.message(i) : null;
      const from = k === null || k === undefined ? null : trace.messages.from(k);
      if (ids.includes(from)) now.set(node, most(now.get(node), at.get(trace.messages.sentEvent(k)) ?? {}));
      else if (changed && trace.kind(i) !== "start" && trace.kind(i) !== "restart") now.set(node, { ...now.get(node), [node]: (now.get(node)[node] ?? 0) + 1 });
    }
    at.set(i, now.get(node));
    if (!found.length || found.findLast((item) => item.node === node)?.seen !== now.get(node)) found.push({ event: i, node, seen: now.get(node) });
  }
  knownSeen.set(trace, found);
  return found;
}

/** The replicas at a frame, the distinct states among them in their partial order, and what merging all would give. */
export function mergeModel(trace, frame, spec) {
  const ids = mergingOf(spec);
  const seen = new Map(ids.map((id) => [id, {}]));
  for (const item of seenHistory(trace, spec)) {
    if (item.event > frame.event) break;
    seen.set(item.node, item.seen);
  }
  const replicas = ids.map((id) => frame.nodes.get(id)).filter(Boolean).map(({ id, status, fields }) => ({
    id, status, kind: valueText(fields.crdt ?? ""), value: valueText(fields.value), state: valueText(fields.state), seen: seen.get(id), total: sum(seen.get(id)),
  }));
  const join = replicas.reduce((all, row) => most(all, row.seen), {});
  const groups = [];
  for (const row of replicas) {
    const group = groups.find((item) => alike(item.seen, row.seen));
    if (group) group.members.push(row);
    else groups.push({ seen: row.seen, members: [row] });
  }
  groups.sort((a, b) => sum(a.seen) - sum(b.seen));
  for (const group of groups) group.differ = new Set(group.members.map(({ value }) => value)).size > 1;
  if (groups.length && !groups.some((group) => alike(group.seen, join))) groups.push({ seen: join, members: [], differ: false });
  groups.forEach((group, i) => {
    const below = groups.map((other, j) => j).filter((j) => j !== i && within(groups[j].seen, group.seen));
    group.level = below.reduce((level, j) => Math.max(level, groups[j].level + 1), 0);
    group.covers = below.filter((j) => !below.some((k) => k !== j && within(groups[j].seen, groups[k].seen)));
  });
  const origins = Object.keys(join).sort((a, b) => ids.indexOf(a) - ids.indexOf(b) || (a < b ? -1 : 1));
  return { kind: replicas[0]?.kind ?? "", replicas, groups, join, origins, total: sum(join), spread: spreadOf(trace, frame, spec, ids) };
}

// The newest update: when each replica has seen it, up to the frame.
function spreadOf(trace, frame, spec, ids) {
  const history = seenHistory(trace, spec).filter(({ event }) => event <= frame.event);
  const made = history.findLast(({ node, seen }, i) => (seen[node] ?? 0) > (history.slice(0, i).findLast((item) => item.node === node)?.seen[node] ?? 0));
  if (!made) return null;
  const count = made.seen[made.node];
  const heard = [];
  for (const { event, node, seen } of history) if ((seen[made.node] ?? 0) >= count && !heard.some((item) => item.node === node)) heard.push({ node, event, us: trace.time(event) });
  return { by: made.node, count, from: trace.time(made.event), until: frame.time_us, heard, n: ids.length };
}

/** The state of affairs in one sentence: {text, wrong}. */
export function mergeSentence({ groups, total, replicas }) {
  const torn = groups.find(({ differ }) => differ);
  if (torn) {
    const [first, other] = [torn.members[0], torn.members.find(({ value }) => value !== torn.members[0].value)];
    return { wrong: true, text: `${first.id} and ${other.id} have seen the same updates and differ: \`${first.value}\`, \`${other.value}\`.` };
  }
  if (!total) return { text: "No replica has been updated yet." };
  const real = groups.filter(({ members }) => members.length);
  if (real.length === 1) return { text: `All ${replicas.length} have seen the same ${total === 1 ? "update" : `${total} updates`} and hold the same.` };
  const tops = real.filter((group) => !real.some((other) => other !== group && within(group.seen, other.seen)));
  if (tops.length > 1) return { text: `${tops[0].members[0].id} and ${tops[1].members[0].id} have each seen an update that the other has not; merging gives both.` };
  const behind = real.filter((group) => group !== tops[0]).flatMap(({ members }) => members.map(({ id }) => id));
  return { text: `${tops[0].members.map(({ id }) => id).join(", ")} ${tops[0].members.length > 1 ? "have" : "has"} seen everything; ${behind.join(", ")} ${behind.length > 1 ? "are" : "is"} behind.` };
}
