// A short Raft run written out by hand: n1 leads term 3, is cut off with n2, and n3 leads term 4.
import { createTrace } from "../../dslab/widgets/static/trace.js";

export const SERVERS = ["n1", "n2", "n3", "n4", "n5"];
const FIELDS = ["role", "term", "voted_for", "log", "commit_index", "last_applied", "next_index", "match_index"];

export const spec = {
  schema: 1, system: "raft", code: "raft.cluster(5)", imports: "from dslab.protocols import raft", seed: 7,
  servers: SERVERS, clients: ["c1"],
  fields: Object.fromEntries([...SERVERS.map((id) => [id, FIELDS]), ["c1", ["waiting"]]]),
  verbs: ["crash", "restart", "pause", "resume", "lose_disk", "skew", "timeout", "partition", "heal", "cut", "mend", "link",
    "drop", "hold", "release", "delay", "duplicate", "deliver", "request"],
  properties: [
    { name: "election_safety", title: "One leader per term", sentence: "At most one server leads each term.", kind: "always" },
    { name: "log_matching", title: "Logs match", sentence: "Two logs with an equal entry are equal up to it.", kind: "always" },
    { name: "linearizable", title: "Linearizable", sentence: "Every reply fits one order of the operations.", kind: "always" },
    { name: "progress", title: "Clients served", sentence: "Some request completes.", kind: "eventually" },
  ],
  predict: null, shortcuts: true, reduced_motion: false,
};

export const entry = (term, command) => ({ "@": "Entry", term, command });
const FIRST = [entry(1, "x=1"), entry(1, "y=4"), entry(1, "x=2")];
const COMMON = [...FIRST, entry(3, "z=9"), entry(3, "y=7")];

/** Columns from a readable list; `send` and `end` tie messages to events. */
export function buildTrace(list, system = spec) {
  const events = { time: [], kind: [], node: [], cause: [], message: [], detail: [], patch: [], says: [] };
  const messages = { from: [], to: [], type: [], sentEvent: [], dueUs: [], endEvent: [], fate: [], klass: [], term: [], payload: [], gloss: [] };
  list.forEach((item, i) => {
    events.time.push(item.at * 1000);
    for (const name of ["kind", "node", "cause", "message", "detail", "patch", "says"]) events[name].push(item[name] ?? null);
    for (const m of item.send ?? []) {
      messages.from.push(item.node);
      messages.to.push(m.to);
      messages.type.push(m.type);
      messages.sentEvent.push(i);
      messages.dueUs.push(m.due * 1000);
      messages.endEvent.push(null);
      messages.fate.push("in flight");
      messages.klass.push(m.klass ?? "request");
      messages.term.push(m.payload?.term ?? 0);
      messages.payload.push(m.payload ?? {});
      messages.gloss.push(m.gloss ?? "");
    }
    if (item.message !== undefined && (item.kind === "deliver" || item.kind === "drop")) {
      messages.endEvent[item.message] = i;
      messages.fate[item.message] = item.kind === "deliver" ? "delivered" : "dropped";
    }
  });
  return createTrace(events, messages, system);
}

const start = (node, log, extra) => ({
  at: 0, kind: "start", node,
  patch: Object.entries({ role: "follower", term: 3, voted_for: "n1", log, commit_index: 5, last_applied: 3, ...extra }),
});
const append = (prev, prevTerm, entries, term, commit) => ({
  type: "AppendEntries", klass: entries.length ? "entry" : "heartbeat",
  payload: { "@": "AppendEntries", term, prev_index: prev, prev_term: prevTerm, entries, commit },
});

export const EVENTS = [
  start("n1", COMMON, { role: "leader", next_index: { n2: 6, n3: 6, n4: 6, n5: 6 }, match_index: { n2: 5, n3: 5, n4: 5, n5: 5 } }),
  start("n2", [...FIRST, entry(2, "w=6"), entry(2, "w=3")], { commit_index: 3 }),
  start("n3", COMMON),
  start("n4", COMMON),
  start("n5", COMMON),
  // 5
  { at: 1500, kind: "partition", detail: { groups: [["n1", "n2"], ["n3", "n4", "n5"]], in_flight: "lost" },
    says: ["n1 and n2 are cut off", "Only three of five servers can still agree."] },
  { at: 1510, kind: "invoke", node: "c1", detail: { number: 1, command: "x=8", to: "n1" }, says: ["c1 asks `x=8`", "n1 is the leader it knows."],
    send: [{ to: "n1", type: "ClientRequest", due: 1514, payload: { command: "x=8" }, gloss: "c1 asks n1 for `x=8`." }] },
  { at: 1514, kind: "deliver", node: "n1", cause: 6, message: 0, patch: [["log", 5, 0, [entry(3, "x=8")]]],
    send: [{ to: "n2", due: 1521, ...append(3, 1, COMMON.slice(3).concat(entry(3, "x=8")), 3, 5), gloss: "n1 asks n2 to append 3 entries after index 3, in term {term:3}." },
      { to: "n3", due: 1522, ...append(5, 3, [entry(3, "x=8")], 3, 5) }] },
  { at: 1514, kind: "drop", node: "n3", cause: 7, message: 2, detail: "partition" },
  { at: 1521, kind: "deliver", node: "n2", cause: 7, message: 1,
    patch: [["log", 3, 2, [...COMMON.slice(3), entry(3, "x=8")]], ["commit_index", 5]],
    send: [{ to: "n1", type: "AppendReply", klass: "yes", due: 1528, payload: { "@": "AppendReply", term: 3, success: true, match: 6 } }],
    says: ["n2 drops two entries of term {term:2}", "They differ from the leader’s log."] },
  // 10
  { at: 1528, kind: "deliver", node: "n1", cause: 9, message: 3, patch: [["match_index", { n2: 6, n3: 5, n4: 5, n5: 5 }]] },
  { at: 1600, kind: "invoke", node: "c1", detail: { number: 2, command: "z=1", to: "n1" } },
  { at: 1602, kind: "timer", node: "n3", detail: "election", patch: [["role", "candidate"], ["term", 4], ["voted_for", "n3"], ["@election", [1602000, 1820000, 150000, 300000]]],
    send: [{ to: "n4", type: "RequestVote", due: 1606, payload: { "@": "RequestVote", term: 4, last_index: 5, last_term: 3 }, gloss: "n3 asks n4 for its vote in term {term:4}." }],
    says: ["n3 stands for term {term:4}", "It has heard no leader for 212 ms."] },
  { at: 1606, kind: "deliver", node: "n4", cause: 12, message: 4, patch: [["term", 4], ["voted_for", "n3"]],
    send: [{ to: "n3", type: "Vote", klass: "yes", due: 1612, payload: { "@": "Vote", term: 4, granted: true } }] },
  { at: 1612, kind: "deliver", node: "n3", cause: 13, message: 5, patch: [["role", "leader"], ["next_index", { n1: 6, n2: 6, n4: 6, n5: 6 }], ["match_index", { n1: 0, n2: 0, n4: 0, n5: 0 }]],
    says: ["n3 leads term {term:4}", "Three of five votes are a majority."] },
  // 15
  { at: 1640, kind: "deliver", node: "n1", cause: 11, patch: [["log", 6, 0, [entry(3, "z=1")]]] },
  { at: 1700, kind: "invoke", node: "c1", detail: { number: 3, command: "y=2", to: "n3" } },
  { at: 1702, kind: "deliver", node: "n3", cause: 16, patch: [["log", 5, 0, [entry(4, "y=2"), entry(4, "x=5")]]],
    send: [{ to: "n4", due: 1706, ...append(5, 3, [entry(4, "y=2"), entry(4, "x=5")], 4, 5) }, { to: "n5", due: 1708, ...append(5, 3, [entry(4, "y=2"), entry(4, "x=5")], 4, 5) }] },
  { at: 1706, kind: "deliver", node: "n4", cause: 17, message: 6, patch: [["log", 5, 0, [entry(4, "y=2"), entry(4, "x=5")]]] },
  { at: 1708, kind: "deliver", node: "n5", cause: 17, message: 7, patch: [["term", 4], ["log", 5, 0, [entry(4, "y=2"), entry(4, "x=5")]]] },
  // 20
  { at: 1720, kind: "deliver", node: "n3", cause: 18, patch: [["match_index", { n1: 0, n2: 0, n4: 7, n5: 7 }], ["next_index", { n1: 6, n2: 6, n4: 8, n5: 8 }], ["commit_index", 6]],
    says: ["n3 commits entry 6 in term {term:4}", "Three of five servers hold it."] },
  { at: 1722, kind: "write", node: "n3", cause: 20, patch: [["commit_index", 7], ["last_applied", 5]] },
  { at: 1800, kind: "deliver", node: "n4", cause: 21, patch: [["commit_index", 7]] },
  { at: 1802, kind: "deliver", node: "n5", cause: 21, patch: [["commit_index", 6]] },
  { at: 2000, kind: "deliver", node: "n3", cause: 16, patch: [["log", 7, 0, [entry(4, "z=8")]]],
    send: [{ to: "n4", due: 2019, ...append(7, 4, [entry(4, "z=8")], 4, 7), gloss: "n3 asks n4 to append 1 entry after index 7, in term {term:4}." }] },
  // 25
  { at: 2012, kind: "deliver", node: "n4", cause: 24, patch: [["log", 7, 0, [entry(4, "z=8")]]] },
  { at: 2019, kind: "deliver", node: "n4", cause: 24, message: 8 },
  { at: 2300, kind: "crash", node: "n1", says: ["n1 crashes", "You crashed it."] },
  { at: 2310, kind: "timer", node: "n5", detail: "election", says: ["n5 and n3 disagree", ""] },
];

export const branch = {
  id: "A", parent: null, fork_event: 0, fork_us: 0, label: "main", pinned: false, digest: "0".repeat(16), until_us: 10_000_000,
  actions: [
    { at: 1500, do: "partition", groups: [["n1", "n2"], ["n3", "n4", "n5"]] },
    { at: 1510, do: "request", command: "x=8", to: "n1" },
    { at: 1700.5, do: "link", source: "n4", target: "n5", latency: [5, 60], loss: 0.2, duplicate: 0, fifo: false },
    { at: 2012, do: "mend", source: "n2", target: "n5" },
  ],
  faults: [], stations: [{ us: 0, event: 0, term: 3, leader: "n1" }, { us: 1612000, event: 14, term: 4, leader: "n3" }], commits: [],
  verdicts: [
    { name: "election_safety", status: "held", event: null, time_us: null },
    { name: "log_matching", status: "violated", event: 28, time_us: 2310000, text: "n5 and n3 disagree at index 6.", nodes: ["n5", "n3"], index: 6,
      expected: "`y=2` of term {term:4}", found: "`x=8` of term {term:3} on n5" },
    { name: "linearizable", status: "not evaluable", event: null, time_us: null },
    { name: "progress", status: "not yet", event: null, time_us: null },
  ],
  bookmarks: [], interesting: [], truncated: null,
};

/** A context like the one the widget hands to its panels; `calls` records what a panel asked for. */
export function fakeContext(doc, extra = {}) {
  const calls = [];
  const trace = buildTrace(EVENTS);
  const store = { branch, branches: [branch], trace, cursor: { branch: "A", time_us: 2012000, event: 25 }, selection: null, playing: false, speed: 0.02, ...extra.store };
  let count = 0;
  const ctx = {
    doc, store, spec: { ...spec, ...extra.spec }, calls,
    send: async (verb, args) => { calls.push([verb, args]); },
    command: async (name, args) => { calls.push([name, args]); },
    select: (selection) => { store.selection = selection; calls.push(["select", selection]); extra.refresh?.(); },
    seek: (target) => { calls.push(["seek", target]); extra.refresh?.(target); },
    say: (text) => calls.push(["say", text]),
    notice: (text) => calls.push(["notice", text]),
    icon: extra.icon ?? ((name) => Object.assign(doc.createElement("i"), { className: `icon-${name}` })),
    uid: (prefix) => `${prefix}-${++count}`,
    reason: (verb, target) => (verb === "restart" ? `${target} is running` : verb === "resume" ? `${target} is not paused` : null),
    settings: { shortcuts: true, reducedMotion: false }, setting: (...args) => calls.push(["setting", ...args]),
    close: () => { store.selection = null; calls.push(["close"]); extra.refresh?.(); },
  };
  return ctx;
}

export const frameAt = (ctx, event, us) => ctx.store.trace.frameAt(event, us);
