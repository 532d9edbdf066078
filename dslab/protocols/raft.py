"""Raft: a replicated log kept the same on all servers by a leader that a majority has elected.

Source: Ongaro, Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014, extended version.
Left out: membership changes (section 6), log compaction (section 7), reads that bypass the log. Indexes start at 1.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System, message

from .raft_properties import ALWAYS, EVENTUALLY

ELECTION_TIMEOUT = (150, 300)    # ms, section 9.3; must be well above the broadcast time, section 5.6
HEARTBEAT = 75                   # ms, half the shortest election timeout, as in the experiments of section 9.3
LATENCY, DISK = (5, 15), (1, 3)  # ms one way; ms per durable write


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

    def after(self, index, to=None):
        """The entries behind an index, up to another or to the end."""
        return self.log[index:to]

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
        return m.term >= self.term and self.voted_for in (None, candidate) and self.up_to_date(m)

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
        self.send(peer, AppendEntries(self.term, prev, self.term_at(prev), self.after(prev), self.commit_index))

    def on_append_entries(self, sender, m):
        self.adopt(m.term)
        if m.term < self.term:
            return self.send(sender, Appended(self.term, False, 0))
        self.role, self.leader, self.votes = "follower", sender, {}
        self.reset_election_timer()
        if m.prev_index > self.last_index or self.term_at(m.prev_index) != m.prev_term:
            return self.send(sender, Appended(self.term, False, min(m.prev_index - 1, self.last_index)))
        self.append(m)
        match = m.prev_index + len(m.entries)            # not the end of our log: what follows may be another leader's
        self.commit_up_to(min(m.commit_index, match))
        self.send(sender, Appended(self.term, True, match))

    def append(self, m):
        """Adds what is new and deletes only what conflicts: an old message must not shorten the log (section 5.3)."""
        for index, entry in enumerate(m.entries, start=m.prev_index + 1):
            if self.term_at(index) != entry.term:
                self.log[index - 1:] = m.entries[index - m.prev_index - 1:]
                return

    def on_appended(self, sender, m):
        self.adopt(m.term)
        if self.role != "leader" or m.term < self.term:
            return
        if m.success and m.match_index > self.match_index[sender]:
            self.match_index[sender] = m.match_index
            self.next_index[sender] = m.match_index + 1
            self.commit_up_to(self.committable())
        elif not m.success and self.next_index[sender] > self.match_index[sender] + 1:
            self.next_index[sender] = max(self.match_index[sender], m.match_index) + 1
            self.replicate(sender)

    def committable(self):
        """The highest index that a majority holds and that is of this term (section 5.4.2, Figure 8)."""
        held = sorted([self.last_index, *self.match_index.values()], reverse=True)
        index = held[self.quorum - 1]
        return index if self.term_at(index) == self.term else self.commit_index

    def commit_up_to(self, index):
        self.commit_index = max(index, self.commit_index)
        for entry in self.after(self.last_applied, self.commit_index):
            self.last_applied += 1
            self.apply(entry)

    # ---- clients (section 8)

    def on_client_request(self, sender, m):
        if self.role != "leader":
            self.send(sender, ClientReply(m.number, False, leader=self.leader))
        elif m.number == self.sessions.get(sender, (0, None))[0]:
            self.send(sender, ClientReply(m.number, True, self.sessions[sender][1]))    # done before: same answer
        elif (self.term, sender, m.number) not in [(e.term, e.client, e.number) for e in self.after(self.last_applied)]:
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
                self.store[key] = value
            result = self.store.get(key)
            self.sessions[entry.client] = (entry.number, result)
        if self.role == "leader" and entry.client is not None:
            self.send(entry.client, ClientReply(entry.number, True, result))


def cluster(nodes=5, *, server=Server, clients=1, latency=LATENCY, disk=DISK, **options):
    """A Raft cluster on a local network.

    Args:
        nodes, clients: how many of each. One node alone commits before its disk has written; its answers wait for that.
        server: the class to run, Server or a variant of it.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the server class, such as election_timeout=(150, 300).
    """
    given = {"latency": latency, "disk": disk, "clients": clients, **options}
    usual = {"latency": LATENCY, "disk": DISK, "clients": 1}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = f", server={server.__name__}" if server is not Server else ""
    return System(server, nodes, clients=clients, network=Network(latency=latency), disk=disk, options=options,
                  always=ALWAYS, eventually=EVENTUALLY, name="raft", imports="from dslab.protocols import raft",
                  code=f"raft.cluster({nodes}{variant}{''.join(changed)})")
