"""Raft: a replicated log kept the same on all servers by a leader that a majority has elected.

Source: D. Ongaro, J. Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014; section and
figure numbers are the extended version's. Left out: membership changes (section 6), log compaction (section 7), reads
that bypass the log (section 8). Log indexes start at 1, as in the paper.
"""

from __future__ import annotations

from dslab.sim import ClientReply, ClientRequest, Network, Node, System, message, title, violation

ELECTION_TIMEOUT = (150, 300)    # ms, section 9.3; must be well above the broadcast time, section 5.6
HEARTBEAT = 50                   # ms, well below the shortest election timeout
LATENCY = (5, 15)                # ms one way
DISK = (1, 3)                    # ms per durable write


@message
class Entry:
    """A command with the term in which a leader received it."""

    term: int
    command: object
    client: object = None
    number: int = 0


@message
class RequestVote:
    """{source} asks {target} for its vote in term {term}; its log ends with index {last_index} of term {last_term}."""

    term: int
    last_index: int
    last_term: int


@message
class Vote:
    """{source} answers {target}'s request for a vote in term {term}: granted is {granted}."""

    term: int
    granted: bool


@message
class AppendEntries:
    """{source} asks {target} to append {entries} after index {prev_index} (term {prev_term}), in term {term}."""

    term: int
    prev_index: int
    prev_term: int
    entries: list[Entry]
    commit_index: int


@message
class Appended:
    """{source} tells {target}, in term {term}: success is {success}, logs agree up to index {match_index}."""

    term: int
    success: bool
    match_index: int


class Server(Node):
    """One Raft server (Figure 2)."""

    durable = {"term": 0, "voted_for": None, "log": []}
    shows = ("role", "term", "voted_for", "votes", "log", "commit_index", "last_applied", "next_index", "match_index",
             "leader", "store")
    election_timeout = ELECTION_TIMEOUT
    heartbeat = HEARTBEAT

    # ---- state

    def on_start(self):
        self.role, self.leader = "follower", None
        self.votes = {}                                  # voter -> granted, while candidate
        self.commit_index = self.last_applied = 0
        self.next_index, self.match_index = {}, {}       # per peer, while leader
        self.store, self.sessions = {}, {}               # the state machine; client -> (number, result)
        self.reset_election_timer()

    @property
    def quorum(self):
        return (len(self.peers) + 1) // 2 + 1

    @property
    def last_index(self):
        return len(self.log)

    def term_at(self, index):
        return self.log[index - 1].term if 0 < index <= len(self.log) else 0

    def reset_election_timer(self):
        self.set_timer("election", between=self.election_timeout)

    def adopt(self, term):
        """A newer term makes everybody a follower, with a fresh vote (section 5.1)."""
        if term > self.term:
            if self.role == "leader":
                self.cancel_timer("heartbeat")
                self.reset_election_timer()
            self.term, self.voted_for = term, None
            self.role, self.leader, self.votes = "follower", None, {}
            self.next_index, self.match_index = {}, {}

    # ---- leader election (section 5.2)

    def on_election_timeout(self):
        self.role, self.leader = "candidate", None
        self.term += 1
        self.voted_for = self.id
        self.votes = {self.id: True}
        self.reset_election_timer()                      # a split vote ends by another, randomised, timeout
        self.broadcast(RequestVote(self.term, self.last_index, self.term_at(self.last_index)))
        self.count_votes()

    def on_request_vote(self, sender, m):
        self.adopt(m.term)
        granted = self.grants(sender, m)
        if granted:
            self.voted_for = sender                      # durable before the answer leaves, so no second vote this term
            self.reset_election_timer()                  # only for a vote given: others must not keep us quiet
        self.send(sender, Vote(self.term, granted))

    def grants(self, candidate, m):
        """Whether this server votes for the candidate (sections 5.2 and 5.4.1)."""
        if m.term < self.term or self.voted_for not in (None, candidate):
            return False
        return self.up_to_date(m)

    def up_to_date(self, m):
        """The candidate's log is at least as recent: later last term, or same and at least as long (section 5.4.1)."""
        return (m.last_term, m.last_index) >= (self.term_at(self.last_index), self.last_index)

    def on_vote(self, sender, m):
        self.adopt(m.term)
        if self.role == "candidate" and m.term == self.term:
            self.votes[sender] = m.granted
            self.count_votes()

    def count_votes(self):
        if sum(self.votes.values()) >= self.quorum:      # two majorities share a server, and it votes once a term
            self.become_leader()

    def become_leader(self):
        self.role, self.leader, self.votes = "leader", self.id, {}
        self.next_index = {peer: self.last_index + 1 for peer in self.peers}
        self.match_index = {peer: 0 for peer in self.peers}
        self.cancel_timer("election")
        self.on_heartbeat_timeout()

    # ---- log replication (section 5.3)

    def on_heartbeat_timeout(self):
        for peer in self.peers:
            self.replicate(peer)
        self.set_timer("heartbeat", after=self.heartbeat)

    def replicate(self, peer):
        prev = self.next_index[peer] - 1
        self.send(peer, AppendEntries(self.term, prev, self.term_at(prev), self.log[prev:], self.commit_index))

    def on_append_entries(self, sender, m):
        self.adopt(m.term)
        if m.term < self.term:
            self.send(sender, Appended(self.term, False, 0))
            return
        self.role, self.leader, self.votes = "follower", sender, {}
        self.reset_election_timer()
        if m.prev_index > self.last_index or self.term_at(m.prev_index) != m.prev_term:
            self.send(sender, Appended(self.term, False, min(m.prev_index - 1, self.last_index)))
            return
        self.append(m)
        match = m.prev_index + len(m.entries)            # not the end of our log: what follows may be another leader's
        self.commit_up_to(min(m.commit_index, match))
        self.send(sender, Appended(self.term, True, match))

    def append(self, m):
        """Adds what is new and deletes only what conflicts: an old message must not shorten the log (section 5.3)."""
        for index, entry in enumerate(m.entries, start=m.prev_index + 1):
            if self.term_at(index) != entry.term:
                self.log = self.log[:index - 1] + list(m.entries[index - m.prev_index - 1:])
                return

    def on_appended(self, sender, m):
        self.adopt(m.term)
        if self.role != "leader" or m.term < self.term:
            return
        if m.success:
            self.match_index[sender] = max(self.match_index[sender], m.match_index)
            self.next_index[sender] = self.match_index[sender] + 1
            self.commit_up_to(self.committable())
        elif self.next_index[sender] > self.match_index[sender] + 1:
            self.next_index[sender] = max(self.match_index[sender], m.match_index) + 1
            self.replicate(sender)

    def committable(self):
        """The highest index that a majority holds and that is of this term (section 5.4.2, Figure 8)."""
        held = sorted([self.last_index, *self.match_index.values()], reverse=True)
        index = held[self.quorum - 1]
        return index if self.term_at(index) == self.term else self.commit_index

    def commit_up_to(self, index):
        self.commit_index = max(self.commit_index, index)
        while self.last_applied < self.commit_index:
            self.last_applied += 1
            self.apply(self.log[self.last_applied - 1])

    # ---- clients (section 8)

    def on_client_request(self, sender, m):
        if self.role != "leader":
            self.send(sender, ClientReply(m.number, False, leader=self.leader))
        elif m.number == self.sessions.get(sender, (0, None))[0]:
            self.send(sender, ClientReply(m.number, True, self.sessions[sender][1]))     # done before: same answer again
        elif not any(e.client == sender and e.number == m.number for e in self.log[self.last_applied:]):
            self.log.append(Entry(self.term, m.command, sender, m.number))
            for peer in self.peers:
                self.replicate(peer)
            self.commit_up_to(self.committable())        # a cluster of one is its own majority

    def apply(self, entry):
        """Runs a command on the state machine, exactly once however often it stands in the log."""
        done, result = self.sessions.get(entry.client, (0, None))
        if entry.number > done or entry.client is None:
            key, is_write, value = str(entry.command).partition("=")
            if is_write:
                self.store[key.strip()] = value.strip()
            result = self.store.get(key.strip())
            self.sessions[entry.client] = (entry.number, result)
        if self.role == "leader" and entry.client is not None:
            self.send(entry.client, ClientReply(entry.number, True, result))


# ---- properties (Figure 3)


@title("One leader per term")
def election_safety(world):
    """At most one server is elected leader in a term."""
    server = world.changed
    if server is None or getattr(server, "role", None) != "leader":
        return None
    first = world.memory.setdefault(server.term, server.id)
    if first != server.id:
        return violation(f"{first} and {server.id} were both elected in term {server.term}", nodes=[first, server.id],
                         expected=f"one leader in term {server.term}", found=f"{first} and {server.id}")
    return None


@title("Leaders only append")
def leader_append_only(world):
    """A leader never overwrites or deletes entries of its own log."""
    server = world.changed
    if server is None or getattr(server, "role", None) != "leader":
        return None
    before = world.memory.get((server.id, server.term), [])
    world.memory[server.id, server.term] = server.log
    if server.log[:len(before)] != before:
        index = next(i for i, e in enumerate(before, 1) if server.log[i - 1:i] != [e])
        return violation(f"leader {server.id} changed index {index} of its own log", nodes=[server.id], index=index,
                         expected=tell(before, index), found=tell(server.log, index))
    return None


@title("Logs match")
def log_matching(world):
    """Logs that agree on the term of an entry agree on everything up to it."""
    server = world.changed
    if server is None or not hasattr(server, "log") or world.memory.get(server.id) is server.log:
        return None
    world.memory[server.id] = server.log
    for other in world.servers:
        if other is server or not hasattr(other, "log"):
            continue
        end = min(len(server.log), len(other.log))
        while end and server.log[end - 1].term != other.log[end - 1].term:
            end -= 1
        if server.log[:end] != other.log[:end]:
            index = next(i for i in range(1, end + 1) if server.log[i - 1] != other.log[i - 1])
            return violation(f"{other.id} and {server.id} differ at index {index} though both hold term "
                             f"{server.log[end - 1].term} at index {end}", nodes=[other.id, server.id], index=index,
                             expected=tell(other.log, index), found=tell(server.log, index))
    return None


@title("Commits are kept")
def leader_completeness(world):
    """An entry committed in a term stands in the log of every leader of a later term."""
    server = world.changed
    if server is None or not hasattr(server, "commit_index"):
        return None
    committed = world.memory.setdefault("committed", [])         # (entry, term in which it was known committed)
    grew = server.commit_index > len(committed)
    for index in range(len(committed), min(server.commit_index, len(server.log))):
        committed.append((server.log[index], server.term))
    leaders = [s for s in world.servers if getattr(s, "role", None) == "leader"] if grew else \
        [server] if server.role == "leader" and world.memory.get(server.id) != server.term else []
    for leader in leaders:
        world.memory[leader.id] = leader.term
        for index, (entry, term) in enumerate(committed, start=1):
            if leader.term > term and leader.log[index - 1:index] != [entry]:
                return violation(f"{leader.id} leads term {leader.term} without index {index}, committed in term {term}",
                                 nodes=[leader.id], index=index, expected=tell([entry], 1), found=tell(leader.log, index))
    return None


@title("State machines agree")
def state_machine_safety(world):
    """No two servers apply different commands at the same index."""
    server = world.changed
    if server is None or not hasattr(server, "last_applied"):
        return None
    for index in range(world.memory.get(server.id, 0) + 1, server.last_applied + 1):
        entry = server.log[index - 1] if index <= len(server.log) else None
        who, first = world.memory.setdefault(("applied", index), (server.id, entry))
        if first != entry:
            return violation(f"{who} and {server.id} applied different commands at index {index}", nodes=[who, server.id],
                             index=index, expected=tell([first], 1), found=tell([entry], 1))
    world.memory[server.id] = server.last_applied
    return None


@title("A leader")
def has_leader(world):
    """A server that is running leads."""
    return any(s.status == "up" and getattr(s, "role", None) == "leader" for s in world.servers)


@title("A command commits")
def commits(world):
    """A command is committed and applied somewhere."""
    return any(getattr(s, "last_applied", 0) > 0 for s in world.servers)


def tell(log, index):
    """An entry in a few characters, for violations."""
    entry = log[index - 1] if index <= len(log) else None
    return "nothing" if entry is None else f"`{entry.command}` of term {entry.term}"


ALWAYS = (election_safety, leader_append_only, log_matching, leader_completeness, state_machine_safety)
EVENTUALLY = (has_leader, commits)


def cluster(nodes=5, *, server=Server, clients=1, latency=LATENCY, disk=DISK, **options):
    """A Raft cluster on a local network.

    Args:
        nodes: number of servers, 1 or more.
        server: the class to run, Server or a variant of it.
        clients: number of clients.
        latency: one-way latency, ms: a number or a pair (lowest, highest).
        disk: time of a durable write, ms: a number or a pair.
        options: attributes of the server class, such as election_timeout=(150, 300).
    """
    changes = {"latency": (latency, LATENCY), "disk": (disk, DISK), "clients": (clients, 1)}
    arguments = [f"{nodes}", *(["server=" + server.__name__] if server is not Server else []),
                 *(f"{k}={v!r}" for k, (v, usual) in changes.items() if v != usual),
                 *(f"{k}={v!r}" for k, v in options.items())]
    return System(server, nodes, clients=clients, network=Network(latency=latency), disk=disk, options=options,
                  always=ALWAYS, eventually=EVENTUALLY, name="raft", code=f"raft.cluster({', '.join(arguments)})",
                  imports="from dslab.protocols import raft")
