"""A simplified Raft that grows in four steps: election, replication, commitment, restart.

`Skeleton` is what is the same in every answer: names, helpers, and the order in which a server takes its decisions.
The decisions are missing; each step is a class that adds some and inherits the rest from the step before. Messages,
names and section numbers are those of raft.py. Nothing is durable before the last step, so runs of the first three
have lost messages and partitions, but no restarts.

Left out, beside what raft.py leaves out: nothing stops a leader from appending a retried request a second time.
"""

from __future__ import annotations

from dslab.sim import Client, ClientReply, Network, Node, System

from . import raft
from .raft_properties import ALWAYS, election_safety, leader_append_only, log_matching
from .raft_steps_properties import (
    answered_is_committed,
    answers_are_results,
    applied_once,
    committed_is_stored,
    counted_is_there,
    elected_once,
    hears_what_is_committed,
    nobody_follows_the_past,
    runs_once,
    stores_follow_the_log,
    told_what_it_returned,
    who_follows_is_no_candidate,
)


class Skeleton(Node):
    """A Raft server without its decisions: by itself it stands for nothing, stores nothing and forgets everything."""

    shows = (*raft.Server.shows, "ran", "heard")
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
        self.heard = None                                # the last append: [term, own term, followed, known committed]

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
        followed = _yes_or_no("follows", self.follows(sender, m.term))
        self.heard = [m.term, self.term, followed, 0]
        if not followed:                                 # step 1
            self.send(sender, raft.Appended(self.term, False, 0))
        elif not _yes_or_no("append", self.append(m)):   # step 2
            self.send(sender, raft.Appended(self.term, False, min(m.prev_index - 1, self.last_index)))
        else:
            self.commit_up_to(self.known_committed(m))   # step 3
            self.heard = [m.term, self.term, followed, min(m.commit_index, m.prev_index + len(m.entries))]
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

    # ---- step 3: commitment. Until then what a majority has stored counts, and followers apply as far as they can

    def committable(self):
        held = sorted([self.last_index, *self.match_index.values()], reverse=True)
        return max(self.commit_index, held[self.quorum - 1])

    def known_committed(self, m):
        return min(m.commit_index, self.last_index)

    def commit_up_to(self, index):
        self.commit_index = max(self.commit_index, index)
        while self.last_applied < self.commit_index:
            self.last_applied += 1
            entry = self.log[self.last_applied - 1]
            self.answer(self.last_applied, entry, self.run(entry))

    def answer(self, index, entry, result):
        if self.role == "leader":
            self.send(entry.client, ClientReply(entry.number, True))      # done; with what result, comes in step 3

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


def _yes_or_no(method, answer):
    if not isinstance(answer, bool):
        raise TypeError(f"{method} returned {answer!r}; it must return True or False on every path")
    return answer


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

    def answer(self, index, entry, result):
        if self.role == "leader":
            self.send(entry.client, ClientReply(entry.number, True, result))


class Restarted(Committed):
    """All as in raft.py."""

    durable = raft.Server.durable

    def on_start(self):
        self.forget()
        self.done = {}                                   # client -> (number, result) of the last request that ran
        self.reset_election_timer()

    def run(self, entry):
        number, result = self.done.get(entry.client, (0, None))
        if entry.number > number:
            result = self.execute(entry)
            self.done[entry.client] = (entry.number, result)
        return result


class Customer(Client):
    """A client that shows the number and the result of what it was told last."""

    shows = (*Client.shows, "told")

    def on_start(self):
        super().on_start()
        self.told = [0, None]

    def complete(self, result):
        self.told = [self.number, result]
        super().complete(result)


# ---- clusters


def electing(server, nodes=3, **options):
    """A cluster that elects leaders: a client asks who leads.

    Args:
        server: a class derived from Skeleton.
        nodes, options: as for raft.cluster.
    """
    promises = (election_safety, nobody_follows_the_past, who_follows_is_no_candidate, elected_once)
    return _cluster("electing", server, nodes, promises, options)


def replicating(server, nodes=3, **options):
    """A cluster that replicates a log; arguments as for electing."""
    promises = (election_safety, leader_append_only, log_matching, counted_is_there, committed_is_stored,
                answered_is_committed)
    return _cluster("replicating", server, nodes, promises, options)


def committing(server, nodes=3, **options):
    """A cluster that commits; arguments as for electing."""
    promises = (*ALWAYS, answered_is_committed, told_what_it_returned, hears_what_is_committed, applied_once)
    return _cluster("committing", server, nodes, promises, options)


def restarting(server, nodes=3, **options):
    """A cluster that survives restarts; arguments as for electing."""
    promises = (*ALWAYS, answered_is_committed, runs_once, stores_follow_the_log, answers_are_results)
    return _cluster("restarting", server, nodes, promises, options)


def elected(nodes=3, **options):
    """The cluster of step 1, done; arguments as for electing."""
    return electing(Elected, nodes, **options)


def replicated(nodes=3, **options):
    """The cluster of step 2, done."""
    return replicating(Replicated, nodes, **options)


def committed(nodes=3, **options):
    """The cluster of step 3, done."""
    return committing(Committed, nodes, **options)


def restarted(nodes=3, **options):
    """The cluster of step 4, done."""
    return restarting(Restarted, nodes, **options)


def _cluster(maker, server, nodes, always, options):
    given = "".join(f", {name}={value!r}" for name, value in options.items())
    clients = options.pop("clients", 1)
    network = Network(latency=options.pop("latency", raft.LATENCY))
    return System(server, nodes, clients=clients, client=Customer, network=network, disk=options.pop("disk", raft.DISK),
                  options=options, always=always, eventually=raft.EVENTUALLY, name="raft",
                  imports="from dslab.protocols import raft_steps",
                  code=f"raft_steps.{maker}({server.__name__}, {nodes}{given})")
