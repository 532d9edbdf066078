// A small Raft-like run, written by hand rather than simulated: the widget needs columns, not truth.

/** Collects events and messages of one branch and packs them as Python does. */
export class Run {
  constructor(servers = 5, { clients = ["c1"], start = 0 } = {}) {
    this.servers = Array.from({ length: servers }, (_, i) => `n${i + 1}`);
    this.clients = clients;
    this.events = [];
    this.messages = [];
    this.pending = [];
    this.now = start;
    this.random = 1;
    this.down = new Set();
    this.state = Object.fromEntries(this.servers.map((id) => [id, { role: "follower", term: 0, voted_for: null, votes: [], log: [], commit_index: 0 }]));
    this.stations = [];
    this.leaders = [];
    this.commits = [];
    this.interesting = [];
  }

  dice(n) {
    this.random = (this.random * 48271) % 2147483647;
    return this.random % n;
  }

  event(us, kind, node, { cause = null, message = null, detail = null, patch = [], says = null } = {}) {
    for (const [field, ...change] of patch) {
      const state = this.state[node];
      if (!state || field[0] === "@") continue;
      if (change.length === 1) [state[field]] = change;
      else state[field] = [...state[field].slice(0, change[0]), ...change[2], ...state[field].slice(change[0] + change[1])];
    }
    this.events.push({ us, kind, node, cause, message, detail, patch, says });
    return this.events.length - 1;
  }

  send(from, to, type, klass, { term = 0, payload = {}, latency = 10000 + this.dice(8000), then = null, drop = null, gloss = "" } = {}) {
    const sent = this.events.length - 1;
    const us = this.events[sent].us;
    const k = this.messages.push({ from, to, type, klass, term, payload, sent, due: us + latency, end: null, fate: "in flight", gloss }) - 1;
    this.pending.push({ us: us + (drop ? latency * 0.5 : latency), k, then, drop });
    return k;
  }

  /** Let every message due by `us` arrive, in order. */
  flow(us) {
    for (;;) {
      this.pending.sort((a, b) => a.us - b.us || a.k - b.k);
      if (!this.pending.length || this.pending[0].us > us) break;
      const { us: at, k, then, drop: lost } = this.pending.shift();
      const message = this.messages[k];
      const drop = lost ?? (this.down.has(message.to) ? "crashed" : null);
      message.end = this.events.length;
      message.fate = drop ? "dropped" : "delivered";
      if (drop) this.event(Math.round(at), "drop", message.to, { cause: message.sent, message: k, detail: drop });
      else if (then) then(Math.round(at), k);
      else this.event(Math.round(at), "deliver", message.to, { cause: message.sent, message: k });
    }
    this.now = us;
  }

  timer(us, min = 150000, max = 300000) {
    return ["@election", [us, us + min + this.dice(max - min), min, max]];
  }

  begin(term = 1, leader = "n1") {
    for (const id of this.servers) {
      this.event(0, "start", id, { patch: [["role", id === leader ? "leader" : "follower"], ["term", term], ["voted_for", leader], ["votes", []], ["log", []], ["commit_index", 0], this.timer(0)] });
    }
    this.stations.push({ us: 0, event: 0, term, leader });
    this.leaders.push({ from_us: 0, to_us: null, node: leader, term });
    this.events[this.events.length - 1].says = [`${leader} leads term {term:${term}}`, "A heartbeat every 50 ms restarts each follower’s election timer."];
  }

  heartbeats(us, leader, to = this.servers) {
    const { term } = this.state[leader];
    this.event(us, "timer", leader, { detail: "heartbeat", patch: [["@heartbeat", [us, us + 50000, 50000, 50000]]] });
    for (const id of to) {
      if (id === leader) continue;
      this.send(leader, id, "AppendEntries", "heartbeat", {
        term, payload: { term, entries: [], commit: this.state[leader].commit_index }, gloss: `${leader} tells ${id} it leads term ${term}.`,
        then: (at, k) => this.event(at, "deliver", id, { cause: this.messages[k].sent, message: k, patch: [this.timer(at)] }),
      });
    }
  }

  append(us, leader, command, to = this.servers) {
    const { term, log } = this.state[leader];
    const entry = { "@": "Entry", term, command };
    const index = log.length + 1;
    this.event(us, "deliver", leader, { patch: [["log", log.length, 0, [entry]]], says: [`${leader} appends entry ${index}`, `A client asked for \`${command}\`.`] });
    const acks = new Set([leader]);
    for (const id of to) {
      if (id === leader) continue;
      this.send(leader, id, "AppendEntries", "entry", {
        term, payload: { term, previous: index - 1, entries: [entry], commit: this.state[leader].commit_index }, gloss: `${leader} asks ${id} to append 1 entry after index ${index - 1}, in term ${term}.`,
        then: (at, k) => {
          this.event(at, "deliver", id, { cause: this.messages[k].sent, message: k, patch: [["log", this.state[id].log.length, 0, [entry]], this.timer(at)] });
          this.send(id, leader, "AppendReply", "yes", { term, payload: { term, success: true }, then: (back, j) => {
            acks.add(id);
            const commits = acks.size === Math.floor(this.servers.length / 2) + 1;
            const e = this.event(back, "deliver", leader, {
              cause: this.messages[j].sent, message: j, patch: commits ? [["commit_index", index]] : [],
              says: commits ? [`${leader} commits entry ${index} in term {term:${term}}`, "Most servers hold it, so it will survive any later election."] : null,
            });
            if (commits) {
              this.commits.push({ us: back, event: e, index });
              this.interesting.push(e);
            }
          } });
        },
      });
    }
  }

  crash(us, id) {
    this.down.add(id);
    const e = this.event(us, "crash", id, { says: [`${id} crashed`, "What was in its memory is gone; its disk stays."] });
    for (const span of this.leaders) if (span.node === id && span.to_us === null) span.to_us = us;
    this.interesting.push(e);
    return e;
  }

  elect(us, candidate, { term, voters = this.servers, drop = [], wins = true } = {}) {
    const need = Math.floor(this.servers.length / 2) + 1;
    const started = this.event(us, "timer", candidate, {
      detail: "election", patch: [["role", "candidate"], ["term", term], ["voted_for", candidate], ["votes", [candidate]], this.timer(us)],
      says: [`${candidate} asks for votes in term {term:${term}}`, `${candidate}’s timer ran out first.`],
    });
    this.interesting.push(started);
    for (const id of voters) {
      if (id === candidate) continue;
      this.send(candidate, id, "RequestVote", "request", {
        term, payload: { term, last_index: 0 }, drop: drop.includes(id) ? "loss" : null, latency: 12000 + 4000 * this.servers.indexOf(id),
        then: (at, k) => {
          this.event(at, "deliver", id, { cause: this.messages[k].sent, message: k, patch: [["role", "follower"], ["term", term], ["voted_for", candidate], this.timer(at)] });
          this.send(id, candidate, "Vote", "yes", { term, payload: { term, granted: true }, latency: 14000, then: (back, j) => this.vote(back, j, candidate, id, need, wins) });
        },
      });
    }
  }

  vote(us, k, candidate, voter, need, wins) {
    const state = this.state[candidate];
    const votes = [...state.votes, voter];
    const won = wins && votes.length === need && state.role === "candidate";
    const e = this.event(us, "deliver", candidate, {
      cause: this.messages[k].sent, message: k, patch: [["votes", votes], ...(won ? [["role", "leader"], ["@heartbeat", [us, us + 50000, 50000, 50000]], ["@election", null]] : [])],
      says: won ? [`${candidate} leads term {term:${state.term}}`, `${votes.length} of ${this.servers.length} votes make a quorum.`]
        : [`${candidate} has ${votes.length} of ${this.servers.length} votes for term {term:${state.term}}`, "It needs one more than half."],
    });
    if (!won) return;
    this.stations.push({ us, event: e, term: state.term, leader: candidate });
    this.leaders.push({ from_us: us, to_us: null, node: candidate, term: state.term });
    this.interesting.push(e);
  }

  /** The branch's chunk as bytes, from event `first` and message `firstMessage` on. */
  chunk(first = 0, firstMessage = 0) {
    const strings = [];
    const known = new Map();
    const text = (value) => {
      if (value === null || value === undefined) return -1;
      if (!known.has(value)) known.set(value, strings.push(value) - 1);
      return known.get(value);
    };
    const payloads = [];
    const payload = (value) => (value === null || value === undefined || (Array.isArray(value) && !value.length) ? -1 : payloads.push(value) - 1);
    const says = [];
    const events = this.events.slice(first);
    let last = 0;
    const e = { t: [], k: [], n: [], c: [], m: [], d: [], p: [], s: [] };
    for (const event of events) {
      e.t.push(event.us - last);
      last = event.us;
      e.k.push(text(event.kind));
      e.n.push(text(event.node));
      e.c.push(event.cause ?? -1);
      e.m.push(event.message ?? -1);
      e.d.push(payload(event.detail));
      e.p.push(payload(event.patch));
      e.s.push(event.says ? says.push(event.says) - 1 : -1);
    }
    const m = { f: [], o: [], y: [], s: [], u: [], x: [], w: [], c: [], r: [], p: [], g: [] };
    for (const message of this.messages.slice(firstMessage)) {
      m.f.push(text(message.from));
      m.o.push(text(message.to));
      m.y.push(text(message.type));
      m.s.push(message.sent);
      m.u.push(message.due ?? -1);
      m.x.push(message.end ?? -1);
      m.w.push(text(message.fate));
      m.c.push(text(message.klass));
      m.r.push(message.term);
      m.p.push(payload(message.payload));
      m.g.push(text(message.gloss));
    }
    return new TextEncoder().encode(JSON.stringify({ strings, e, first, m0: firstMessage, m, over: {}, payloads, says }));
  }
}

/** Spec and first branch around a run. */
export function modelState(run, extra = {}) {
  const until = run.events.at(-1).us;
  const fields = Object.fromEntries(run.servers.map((id) => [id, ["role", "term", "voted_for", "votes", "log", "commit_index"]]));
  return {
    spec: {
      schema: 1, system: "raft", code: `raft.cluster(${run.servers.length})`, imports: "from dslab.protocols import raft", seed: 7,
      servers: run.servers, clients: run.clients, fields,
      verbs: ["crash", "restart", "pause", "resume", "lose_disk", "skew", "timeout", "partition", "heal", "cut", "mend", "link", "drop", "hold", "release", "delay", "duplicate", "deliver", "request"],
      properties: [
        { name: "election_safety", title: "One leader per term", sentence: "No term has two leaders.", kind: "always" },
        { name: "log_matching", title: "Logs match", sentence: "Equal entries mean equal prefixes.", kind: "always" },
        { name: "leader_completeness", title: "Commits are kept", sentence: "A committed entry is in every later leader’s log.", kind: "always" },
        { name: "a_leader", title: "A leader", sentence: "Some server leads.", kind: "eventually" },
      ],
      hide_properties: false, roles: {}, start_us: 1000000, speed: 0.05, reduced_motion: false, shortcuts: true, predict: null, theme: null, title: "Raft",
      ...extra.spec,
    },
    branches: [{
      id: "A", parent: null, fork_event: 0, fork_us: 0, label: "main", pinned: false, actions: [], digest: "d0", until_us: until, faults: extra.faults ?? [],
      stations: run.stations, leaders: run.leaders, commits: run.commits, bookmarks: [], interesting: run.interesting, truncated: null,
      verdicts: [
        { name: "election_safety", status: "held" }, { name: "log_matching", status: "held" }, { name: "leader_completeness", status: "held" },
        { name: "a_leader", status: "not yet" }],
      ...extra.branch,
    }],
    chunks: { A: run.chunk() },
    cursor: extra.cursor ?? {}, selection: null, prediction: { choice: null, confidence: null }, feedback: null,
  };
}

/** Terms 1 to 3, five entries, n1 crashes at 1.18 s, n3 is elected in term 4 with one vote request lost. */
export function electionRun(servers = 5) {
  const run = new Run(servers);
  run.begin(1, "n1");
  let us = 20000;
  for (const [i, [term, command]] of [[1, "x=1"], [1, "y=4"], [2, "x=2"], [3, "z=9"], [3, "y=7"]].entries()) {
    if (run.state.n1.term !== term) {
      run.leaders.at(-1).to_us = us;
      us += 90000;
      run.elect(us, "n1", { term });
      us += 80000;
      run.flow(us);
    }
    run.append(us, "n1", command);
    us += 60000;
    run.flow(us);
    run.heartbeats(us, "n1");
    us += 40000 + i;
    run.flow(us);
  }
  for (; us < 1150000; us += 50000) {
    run.flow(us);
    run.heartbeats(us, "n1");
  }
  run.flow(us);
  run.append(us, "n1", "x=8", run.servers.slice(0, 4));
  run.flow(1180000);
  run.crash(1180000, "n1");
  run.flow(1390000);
  run.elect(1390000, "n3", { term: 4, drop: ["n5"] });
  us = 1460000;
  run.flow(us);
  for (; us < 1960000; us += 50000) {
    run.heartbeats(us, "n3", run.servers.slice(1));
    run.flow(us + 30000);
    if (us === 1560000) run.append(us + 31000, "n3", "y=2", run.servers.slice(1));
    run.flow(us + 50000);
  }
  run.event(2000000, "restart", "n1", { detail: { disk: true }, patch: [["role", "follower"], ["term", 3], ["voted_for", "n1"], ["log", run.state.n1.log], ["commit_index", 0], run.timer(2000000)], says: ["n1 is back", "It reads its term, vote and log from disk."] });
  return run;
}

/** The same cluster split into {n1, n2} and the rest, a leader on each side. */
export function partitionRun() {
  const run = new Run(5);
  run.begin(3, "n1");
  run.append(20000, "n1", "x=1");
  run.flow(100000);
  run.heartbeats(100000, "n1");
  run.flow(150000);
  run.event(150000, "partition", null, { detail: { groups: [["n1", "n2"], ["n3", "n4", "n5"]], in_flight: "lost" }, says: ["The network splits", "n1 and n2 on one side, the others on the other."] });
  run.flow(290000);
  run.elect(290000, "n3", { term: 4, voters: ["n3", "n4", "n5"] });
  run.flow(380000);
  run.append(380000, "n3", "y=2", ["n3", "n4", "n5"]);
  run.append(381000, "n1", "x=8", ["n1", "n2"]);
  run.flow(440000);
  run.heartbeats(440000, "n3", ["n3", "n4", "n5"]);
  run.append(441000, "n3", "z=1", ["n3", "n4", "n5"]);
  run.flow(600000);
  run.event(900000, "heal", null, { says: ["The cut is healed", "Everybody hears everybody again."] });
  return run;
}

/** Many events or messages, for measurements. */
export function busyRun(servers, messages, events = 0) {
  const run = new Run(servers);
  run.begin(1, "n1");
  if (events) {
    let us = 20000;
    while (run.events.length < events) {
      run.heartbeats(us, "n1");
      us += 50000;
      run.flow(us);
      if (run.events.length % 7 === 0 && run.state.n1.log.length < 100) run.append(us, "n1", "x=1");
    }
    return run;
  }
  run.event(1000, "timer", "n1", { detail: "burst" });
  const kinds = ["heartbeat", "request", "yes", "entry"];
  for (let i = 0; i < messages; i++) {
    const from = run.servers[i % servers];
    run.send(from, run.servers[(i * 7 + 1 + i % 5) % servers === i % servers ? (i + 1) % servers : (i * 7 + 1 + i % 5) % servers], "Ping", kinds[i % 4], { term: 1 + (i % 6), latency: 900000 + run.dice(90000) });
  }
  run.flow(1000000);
  return run;
}

/** A model that stands in for anywidget's. */
export class FakeModel {
  constructor(state) {
    this.s = { ...state };
    this.h = {};
    this.saved = [];
    this.sent = [];
    this.dirty = {};
  }
  get(k) { return this.s[k]; }
  set(k, v) {
    this.s[k] = v;
    this.dirty[k] = v;
    this.h[`change:${k}`]?.forEach((f) => f());
  }
  save_changes() {
    this.saved.push(this.dirty);
    this.dirty = {};
  }
  on(e, f) { (this.h[e] ??= new Set()).add(f); }
  off(e, f) { this.h[e]?.delete(f); }
  send(message) {
    this.sent.push(message);
    this.onsend?.(message);
  }
  reply(content) { this.h["msg:custom"]?.forEach((f) => f(content)); }
}
