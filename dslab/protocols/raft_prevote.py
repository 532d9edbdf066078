"""Raft with pre-votes: who could not win an election does not start one, so its return disturbs nobody.

Source: D. Ongaro, "Consensus: Bridging Theory and Practice", Stanford 2014, sections 4.2.3 and 9.6.
"""

from __future__ import annotations

from dslab.sim import message, title, violation

from . import raft
from .raft_properties import ALWAYS, SERVICE
from .raft_snapshots import extended


@message
class RequestPreVote:
    """{source} asks {target} whether it would vote for it in term {term}; its log ends at {last_index}."""

    term: int
    last_index: int
    last_term: int


@message
class PreVote:
    """{source} tells {target} whether it would vote for it in term {term}: {granted}."""

    term: int
    granted: bool


class Attentive(raft.Server):
    """A Raft server that remembers when it last heard from a leader (section 4.2.3)."""

    def on_start(self):
        super().on_start()
        self.heard = False                               # within the shortest election timeout

    def on_append_entries(self, sender, m):
        super().on_append_entries(sender, m)
        if m.term == self.term:
            self.hear()

    def hear(self):
        self.heard = True
        self.set_timer("silence", after=self.election_timeout[0])

    def on_silence_timeout(self):
        self.heard = False

    def hears_leader(self):
        """Whether there is a leader, as far as this server knows: itself, or one heard a short time ago."""
        return self.role == "leader" or (self.leader is not None and self.heard)


class Server(Attentive):
    """A Raft server that asks for pre-votes before it raises its term (section 9.6)."""

    def on_election_timeout(self):
        self.role, self.leader = "pre-candidate", None
        self.votes = {self.id: True}
        self.reset_election_timer()
        self.broadcast(RequestPreVote(self.term + 1, self.last_index, self.term_at(self.last_index)))
        self.count_votes()

    def on_request_pre_vote(self, sender, m):
        """Promises nothing: no term is adopted, no vote noted, no timer restarted."""
        granted = m.term > self.term and self.up_to_date(m) and not self.hears_leader()
        self.send(sender, PreVote(m.term if granted else self.term, granted))

    def on_pre_vote(self, sender, m):
        if not m.granted:
            self.adopt(m.term)
        if self.role == "pre-candidate" and (m.term == self.term + 1 or not m.granted):
            self.votes[sender] = m.granted
            self.count_votes()

    def become_leader(self):
        """A majority of pre-votes makes a candidate; a majority of votes, a leader."""
        if self.role == "pre-candidate":
            super().on_election_timeout()
        else:
            super().become_leader()


@title("A followed leader stays")
def leader_stays(world):
    """While a majority follows a leader, nobody starts an election."""
    server = world.changed
    if server is None or not hasattr(server, "role"):
        return None
    before = world.memory.get(server.id, 0)
    world.memory[server.id] = server.term
    if server.role == "candidate" and server.term > before:
        for leader in world.servers:
            if leader is not server and leader.status == "up" and leader.role == "leader":
                led = [s for s in world.servers if s.status == "up" and s.leader == leader.id and s.term == leader.term]
                if len(led) > len(world.servers) // 2:
                    return violation(f"{server.id} stands in term {server.term} while {leader.id} leads {len(led)} of "
                                     f"{len(world.servers)} servers", nodes=[server.id, leader.id],
                                     expected=f"{leader.id} leads on", found=f"term {server.term}")
    return None


def cluster(nodes=5, *, server=Server, **options):
    """A cluster whose servers ask for pre-votes.

    Args:
        nodes, options: as for raft.cluster.
        server: the class to run, Server or a variant of it.
    """
    return extended("raft_prevote", nodes, server, Server, options, (*ALWAYS, *SERVICE))
