// Logs as data: what an entry is, which one counts, why it is or is not committed. No drawing here.
import { byTerm, currentLeader, entryText, isUp } from "./entries.js";
import { listText } from "./format.js";
import { quorumOf, votersOf } from "./glyphs.js";

/** Servers that show a log; the Log tab is absent when there are none. */
export function logServers(spec) {
  return spec.servers.filter((id) => spec.fields?.[id]?.includes("log"));
}

/** Highest index of a node's log, its snapshot included. */
export function lastLogIndex(node) {
  return (node.fields.snapshot_index ?? 0) + (node.fields.log?.length ?? 0);
}

/** The entry at `index` (counted from 1), or null. */
export function entryAt(node, index) {
  return node.fields.log?.[index - 1 - (node.fields.snapshot_index ?? 0)] ?? null;
}

/** Two entries at one index are the same entry when their terms agree (Raft's log matching property). */
export function sameEntry(a, b) {
  if (!a || !b) return false;
  return a.term !== undefined ? a.term === b.term : JSON.stringify(a) === JSON.stringify(b);
}

/** The entry others are measured against at `index`: the committed one, else the leader's. */
export function authorityAt(nodes, index) {
  const committer = nodes.find((node) => (node.fields.commit_index ?? 0) >= index && entryAt(node, index));
  const holder = committer ?? currentLeader(nodes);
  return holder ? { entry: entryAt(holder, index), committed: Boolean(committer), node: holder.id } : null;
}

/** What to draw for one server at one index. */
export function classifyCell(node, index, authority) {
  if (index <= (node.fields.snapshot_index ?? 0)) return { kind: "snapshot", entry: null };
  const entry = entryAt(node, index);
  if (!entry) return { kind: "empty", entry: null };
  const committed = (node.fields.commit_index ?? 0) >= index;
  return {
    kind: committed ? "committed" : "uncommitted",
    entry,
    applied: (node.fields.last_applied ?? 0) >= index,
    conflicting: Boolean(authority?.entry) && !sameEntry(entry, authority.entry),
  };
}

/** Entries that the event at the cursor removed from a log: [[index, entry], ...]. */
export function truncatedEntries(node) {
  if (!node.changed?.includes("log") || node.changed.includes("snapshot_index")) return [];
  const offset = node.fields.snapshot_index ?? 0;
  return (node.before.log ?? [])
    .map((entry, i) => [i + 1 + offset, entry])
    .filter(([index, entry]) => !sameEntry(entry, entryAt(node, index)));
}

/** Events that appended, committed and truncated the entry of `term` at `index`; commit looks at every server. */
export function logMoments(trace, id, index, term) {
  const moments = { append: null, commit: null, commitTerm: null, truncate: null };
  const states = new Map();
  for (let i = 0; i < trace.n; i++) {
    const patch = trace.patch(i);
    if (!patch.length) continue;
    const node = trace.node(i);
    const state = states.get(node) ?? { fields: { log: [] } };
    states.set(node, state);
    for (const [field, ...change] of patch) {
      if (field === "log" && change.length === 3) state.fields.log.splice(change[0], change[1], ...change[2]);
      else state.fields[field] = field === "log" ? change[0].slice() : change[0];
    }
    const entry = entryAt(state, index);
    const holds = entry !== null && (entry.term ?? null) === (term ?? null);
    if (node === id && holds) moments.append ??= i;
    if (node === id && !holds && moments.append !== null) moments.truncate ??= i;
    if (holds && moments.commit === null && (state.fields.commit_index ?? 0) >= index) {
      moments.commit = i;
      moments.commitTerm = state.fields.term ?? null;
    }
  }
  return moments;
}

/** Why the entry is, or is not, committed: how many hold it and the rule in words. */
export function commitNote(nodes, id, index, { stations = [], commitTerm = null } = {}) {
  const node = nodes.find((item) => item.id === id);
  const authority = authorityAt(nodes, index);
  const own = entryAt(node, index);
  const entry = own ?? authority?.entry ?? null;
  const speaker = currentLeader(nodes) ?? node;
  const voters = votersOf(speaker, nodes.map((item) => item.id));
  const holders = nodes.filter((item) => entry && voters.includes(item.id)
    && (sameEntry(entryAt(item, index), entry) || (item.fields.snapshot_index ?? 0) >= index));
  const n = voters.length;
  const k = holders.length;
  return { k, n, holders: holders.map((item) => item.id), ...noteWords() };

  function noteWords() {
    if (!entry) return { title: `${id} has no entry ${index}.`, text: "" };
    if (!own) return { title: `${id} has no entry ${index}.`, text: `It is on ${k} of ${n}.` };
    if (authority?.entry && !sameEntry(own, authority.entry)) return conflictWords();
    if (authority?.committed && authority.entry) return committedWords();
    return waitingWords();
  }

  function conflictWords() {
    const rival = `\`${entryText(authority.entry)}\` of term {term:${authority.entry.term}}`;
    return {
      title: `Entry ${index} of ${id} conflicts.`,
      text: authority.committed
        ? `The committed entry there is ${rival}, so this one will be removed.`
        : `The leader ${authority.node} holds ${rival} there and will replace it.`,
    };
  }

  function committedWords() {
    const rivals = nodes.filter((item) => entryAt(item, index) && !sameEntry(entryAt(item, index), entry));
    let how = "";
    if (commitTerm !== null && entry.term !== undefined) {
      how = commitTerm === entry.term ? ", and of the leader’s own term"
        : `, behind an entry of term {term:${commitTerm}} (§5.4.2)`;
    }
    const lost = rivals.length
      ? ` ${listText(rivals.map((item) => `${item.id}’s`))} ${index} ${rivals.length > 1 ? "conflict" : "conflicts"} with it and cannot win.`
      : "";
    return { title: `Entry ${index} is committed:`, text: `on ${k} of ${n}${how}.${lost}` };
  }

  function waitingWords() {
    const quorum = quorumOf(n);
    const leader = currentLeader(nodes);
    const contender = leader ?? nodes.filter((item) => isUp(item) && item.fields.role === "candidate").sort(byTerm)[0];
    const title = k >= quorum ? `Entry ${index} is on ${k} of ${n} but not committed.` : `Entry ${index} is on ${k} of ${n}.`;
    if (leader && !sameEntry(entryAt(leader, index), entry)) {
      return { title, text: formerLeader(`${leader.id} leads term {term:${leader.fields.term}} without it and will replace it.`) };
    }
    const oldTerm = contender && entry.term !== undefined && contender.fields.term > entry.term;
    if (nodes.every((item) => item.fields.commit_index === undefined)) return { title, text: "" };
    if (oldTerm) {
      const may = `${contender.id} may commit it only behind an entry of term {term:${contender.fields.term}} (§5.4.2).`;
      return { title, text: formerLeader(may) };
    }
    if (!leader) return { title, text: formerLeader("a later leader may commit it only behind an entry of its own term (§5.4.2).") };
    if (speaker.fields.configuration?.outgoing?.length) {
      return { title, text: `${leader.id} may commit it when majorities of the old and of the new servers hold it.` };
    }
    if (k >= quorum) return { title, text: `${leader.id} commits it when it has heard so from a majority.` };
    const more = quorum - k;
    return { title, text: `${leader.id} may commit it when ${more} more ${more > 1 ? "servers hold" : "server holds"} it.` };
  }

  function formerLeader(rest) {
    const leader = stations.filter((station) => station.term === entry.term).at(-1)?.leader;
    const state = nodes.find((item) => item.id === leader);
    if (!state) return rest.replace(/^a /, "A ");
    if (rest.startsWith(leader)) return rest;
    const fate = !isUp(state) ? "crashed first" : state.fields.role === "leader" ? "is behind the times" : "lost office first";
    return `Its leader ${leader} ${fate}; ${rest}`;
  }
}

/** Letters of the longest entry that any log of the run ever holds. */
export function longestEntry(trace) {
  let most = 0;
  for (let i = 0; i < trace.n; i++) {
    for (const change of trace.patch(i)) {
      if (change[0] !== "log") continue;
      for (const entry of change.at(-1) ?? []) most = Math.max(most, entryText(entry).length);
    }
  }
  return most;
}

/** Runs of one term in a log: [[from, to, term], ...], from counted from 0. */
export function termRuns({ log = [], snapshot_index: offset = 0 }) {
  const runs = [];
  log.forEach((entry, i) => {
    const run = runs.at(-1);
    if (run && run[2] === entry.term) run[1] = offset + i + 1;
    else runs.push([offset + i, offset + i + 1, entry.term]);
  });
  return runs;
}
