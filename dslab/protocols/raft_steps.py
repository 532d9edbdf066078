"""A simplified Raft that grows in four steps: election, replication, commitment, restart.

`Skeleton` is what is the same in every answer: names, helpers, and the order in which a server takes its decisions.
The decisions are missing; each step is a class that adds some and inherits the rest from the step before. Messages,
names and section numbers are those of raft.py. Nothing is durable before the last step, so runs of the first three
have lost messages and partitions, but no restarts.

Left out, beside what raft.py leaves out: nothing stops a leader from appending a retried request a second time.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System, title, violation

from . import raft
from .raft_properties import ALWAYS, election_safety, leader_append_only, log_matching


class Skeleton(Node):
    """A Raft server without its decisions: by itself it stands for nothing, stores nothing and forgets everything."""

    shows = (*raft.Server.shows, "ran")
    election_timeout, heartbeat = raft.ELECTION_TIMEOUT, raft.HEARTBEAT

    def on_start(self):
        self.term, self.voted_for, self.log = 0, None, []
        self.forget()
        self.reset_election_timer()

    def forget(self):
        """Sets all attributes that a server may lose."""
        self.role, self.leader = "follower", None
        self.votes = {}                                  # voter -> granted, while candidate
        self.commit_index = self.last_applied = 0
        self.next_index, self.match_index = {}, {}       # per peer, while leader
        self.store, self.ran = {}, []                    # the state machine; [client, number] of what it has run

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

    adopt = raft.Server.adopt                            # a newer term ends every role (section 5.1)

    # ---- step 1: election. Missing: on_election_timeout, on_request_vote, on_vote, follows(leader, term)

    def become_leader(self):
        self.role, self.leader, self.votes = "leader", self.id, {}
        self.next_index = {peer: self.last_index + 1 for peer in self.peers}
        self.match_index = {peer: 0 for peer in self.peers}
        self.cancel_timer("election")
        self.on_heartbeat_timeout()

    def on_heartbeat_timeout(self):
        for peer in self.peers:                          # empty, and checked like all others (section 5.3)
            prev = self.next_index[peer] - 1
            self.send(peer, raft.AppendEntries(self.term, prev, self.term_at(prev), [], self.commit_index))
        self.set_timer("heartbeat", after=self.heartbeat)

    def on_append_entries(self, sender, m):
        if not self.follows(sender, m.term):             # step 1
            self.send(sender, raft.Appended(self.term, False, 0))
        elif not self.append(m):                         # step 2
            self.send(sender, raft.Appended(self.term, False, min(m.prev_index - 1, self.last_index)))
        else:
            self.commit_up_to(self.known_committed(m))   # step 3
            self.send(sender, raft.Appended(self.term, True, m.prev_index + len(m.entries)))

    # ---- step 2: replication. Until then nothing is stored, and a leader says yes to every client

    def on_client_request(self, sender, m):
        if self.role == "leader":
            self.send(sender, ClientReply(m.number, True, self.id))
        else:
            self.redirect(sender, m)

    def redirect(self, client, m):
        self.send(client, ClientReply(m.number, False, leader=self.leader))

    def append(self, m):
        return True

    def on_appended(self, sender, m):
        self.adopt(m.term)

    # ---- step 3: commitment. Until then what a majority has stored counts, and nobody tells the followers

    def committable(self):
        held = sorted([self.last_index, *self.match_index.values()], reverse=True)
        return max(self.commit_index, held[self.quorum - 1])

    def known_committed(self, m):
        return self.commit_index

    def commit_up_to(self, index):
        self.commit_index = max(self.commit_index, index)
        while self.last_applied < self.commit_index:
            self.last_applied += 1
            entry = self.log[self.last_applied - 1]
            self.answer(self.last_applied, entry, self.run(entry))

    def answer(self, index, entry, result):
        if self.role == "leader":
            self.send(entry.client, ClientReply(entry.number, True, result))

    # ---- step 4: restart. Until then nothing is durable, and a request that stands twice in the log runs twice

    def run(self, entry):
        return self.execute(entry)

    def execute(self, entry):
        """Runs a command on the state machine; its result."""
        self.ran = [*self.ran, [entry.client, entry.number]]
        key, is_write, value = str(entry.command).partition("=")
        if is_write:
            self.store = {**self.store, key: value}
        return self.store.get(key)


# ---- the steps, done: whoever is stuck at one derives the next class from these


class Elected(Skeleton):
    """Elections as in raft.py."""

    on_election_timeout, count_votes = raft.Server.on_election_timeout, raft.Server.count_votes
    on_request_vote, grants, up_to_date = raft.Server.on_request_vote, raft.Server.grants, raft.Server.up_to_date
    on_vote = raft.Server.on_vote

    def follows(self, leader, term):
        self.adopt(term)
        if term == self.term:
            self.role, self.leader, self.votes = "follower", leader, {}
            self.reset_election_timer()
        return term == self.term


class Replicated(Elected):
    """Elections and replication as in raft.py."""

    def on_client_request(self, sender, m):
        if self.role != "leader":
            return self.redirect(sender, m)
        self.log.append(raft.Entry(self.term, m.command, sender, m.number))
        for peer in self.peers:
            self.replicate(peer)

    def replicate(self, peer):
        prev = self.next_index[peer] - 1
        entries = self.log[prev:]
        self.send(peer, raft.AppendEntries(self.term, prev, self.term_at(prev), entries, self.commit_index))

    def append(self, m):
        fits = m.prev_index <= self.last_index and self.term_at(m.prev_index) == m.prev_term
        if fits:
            raft.Server.append(self, m)
        return fits

    def on_appended(self, sender, m):
        self.adopt(m.term)
        if self.role != "leader" or m.term < self.term:
            return
        if m.success:
            self.match_index[sender] = max(self.match_index[sender], m.match_index)
            self.commit_up_to(self.committable())
        self.next_index[sender] = max(self.match_index[sender], m.match_index) + 1
        if self.next_index[sender] <= self.last_index:
            self.replicate(sender)


class Committed(Replicated):
    """All but restarts as in raft.py."""

    committable = raft.Server.committable

    def known_committed(self, m):
        return min(m.commit_index, m.prev_index + len(m.entries))


# ---- what each step promises


@title("Nobody follows the past")
def nobody_follows_the_past(world):
    """The leader that a server follows was elected in the server's own term."""
    server = world.changed
    if server is None or not hasattr(server, "leader"):
        return None
    if server.role == "leader":
        world.memory[server.term] = server.id
    elif server.leader is not None and world.memory.get(server.term, server.leader) != server.leader:
        return violation(f"{server.id} is in term {server.term}, which {world.memory[server.term]} leads, and follows "
                         f"{server.leader}", nodes=[server.id, server.leader],
                         expected=f"{server.id} follows {world.memory[server.term]}", found=server.leader)
    return None


@title("What a leader counts is there")
def counted_is_there(world):
    """Up to match_index a follower's log is the leader's, as long as both are in the leader's term."""
    server = world.changed
    if server is None or not hasattr(server, "match_index"):
        return None
    for leader in world.servers:
        if getattr(leader, "role", None) != "leader":
            continue
        for peer in world.servers if leader is server else [server]:
            match = leader.match_index.get(peer.id, 0)
            if getattr(peer, "term", None) == leader.term and peer.log[:match] != leader.log[:match]:
                return violation(f"{leader.id} believes that {peer.id} holds its log up to index {match}",
                                 nodes=[leader.id, peer.id], index=match,
                                 expected=f"the first {match} entries of {leader.id}", found=f"{len(peer.log)} entries")
    return None


@title("Answered is committed")
def answered_is_committed(world):
    """When a client has its answer, a server has applied its request."""
    node = world.changed
    if node is None:
        return None
    if hasattr(node, "last_applied"):
        for index in range(world.memory.get(node.id, 0) + 1, min(node.last_applied, len(node.log)) + 1):
            world.memory[node.log[index - 1].client, node.log[index - 1].number] = True
        world.memory[node.id] = node.last_applied
    elif hasattr(node, "contact"):
        number, command = world.memory.get(node.id, (0, None))
        world.memory[node.id] = node.number, node.command
        done = command is not None and (number, command) != (node.number, node.command)
        if done and (node.id, number) not in world.memory:
            return violation(f"{node.id} was told by {node.contact} that `{command}` is done, and no server has "
                             f"applied it", nodes=[node.id, node.contact])
    return None


@title("A request runs once")
def runs_once(world):
    """No state machine runs a request of a client twice."""
    server = world.changed
    ran = getattr(server, "ran", None)
    if not ran or ran[-1] not in ran[:-1]:
        return None
    client, number = ran[-1]
    return violation(f"{server.id} has run request {number} of {client} twice", nodes=[server.id])


def electing(server, nodes=3, **options):
    """A cluster that elects leaders: a client asks who leads.

    Args:
        server: a class derived from Skeleton.
        nodes, options: as for raft.cluster.
    """
    return _cluster("electing", server, nodes, (election_safety, nobody_follows_the_past), options)


def replicating(server, nodes=3, **options):
    """A cluster that replicates a log; arguments as for electing."""
    promises = (election_safety, leader_append_only, log_matching, counted_is_there)
    return _cluster("replicating", server, nodes, promises, options)


def committing(server, nodes=3, **options):
    """A cluster that commits; arguments as for electing."""
    return _cluster("committing", server, nodes, (*ALWAYS, answered_is_committed), options)


def restarting(server, nodes=3, **options):
    """A cluster that survives restarts; arguments as for electing."""
    return _cluster("restarting", server, nodes, (*ALWAYS, answered_is_committed, runs_once), options)


def _cluster(maker, server, nodes, always, options):
    given = "".join(f", {name}={value!r}" for name, value in options.items())
    clients = options.pop("clients", 1)
    network = Network(latency=options.pop("latency", raft.LATENCY))
    return System(server, nodes, clients=clients, network=network, disk=options.pop("disk", raft.DISK),
                  options=options, always=always, eventually=raft.EVENTUALLY, name="raft",
                  imports="from dslab.protocols import raft_steps",
                  code=f"raft_steps.{maker}({server.__name__}, {nodes}{given})")
