"""Raft with reads that bypass the log and are linearizable all the same.

Source: Ongaro, Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014, extended version,
section 8; D. Ongaro, "Consensus: Bridging Theory and Practice", Stanford 2014, section 6.4 (elsewhere: ReadIndex). A
command without "=" is a read. Left out: reads that followers serve.
"""

from __future__ import annotations

from dslab.sim import ClientReply, message, title, violation

from . import raft
from .raft_properties import ALWAYS, SERVICE
from .raft_snapshots import extended


@message
class Confirm:
    """{source} asks {target} whether it still follows it in term {term} (round {round})."""

    term: int
    round: int


@message
class Confirmed:
    """{source} tells {target} that its term is {term} (round {round})."""

    term: int
    round: int


class Opening(raft.Server):
    """A Raft server that opens its term as a leader with an entry without a command (section 8).

    When this entry is committed, so is everything before it; until then a new leader does not know which entries of
    earlier terms are.
    """

    def on_heartbeat_timeout(self):
        if self.term_at(self.last_index) != self.term:   # only at the first heartbeat of a term
            self.log.append(raft.Entry(self.term, None))
        super().on_heartbeat_timeout()
        self.commit_up_to(self.committable())            # a cluster of one is its own majority

    def apply(self, entry):
        if entry.command is not None:
            super().apply(entry)


class Server(Opening):
    """A Raft server whose leader answers reads from its own store once that is known to be fresh."""

    shows = (*raft.Server.shows, "reads", "served")

    def on_start(self):
        super().on_start()
        self.reads = {}              # client -> (number, key, index that must be applied, round that must be confirmed)
        self.served = None           # (client, number, index applied) of the last read answered
        self.round, self.confirmed = 0, {}               # peer -> the last round that it confirmed

    def become_leader(self):
        self.reads, self.confirmed = {}, {}
        super().become_leader()
        self.opening = self.last_index                   # the entry that opened this term

    def on_client_request(self, sender, m):
        if self.role != "leader" or "=" in str(m.command):
            return super().on_client_request(sender, m)
        self.round += 1
        # All that was committed when the request came is at or before one of these two.
        index = max(self.commit_index, self.opening)
        self.reads[sender] = (m.number, m.command, index, self.round)
        self.broadcast(Confirm(self.term, self.round))
        self.serve()

    def on_heartbeat_timeout(self):
        super().on_heartbeat_timeout()
        if self.reads:
            self.broadcast(Confirm(self.term, self.round))           # an answer may have been lost

    def on_confirm(self, sender, m):
        self.adopt(m.term)
        if m.term == self.term:
            self.role, self.leader, self.votes = "follower", sender, {}
            self.reset_election_timer()
        self.send(sender, Confirmed(self.term, m.round))

    def on_confirmed(self, sender, m):
        self.adopt(m.term)
        if self.role == "leader" and m.term == self.term:
            self.confirmed[sender] = max(m.round, self.confirmed.get(sender, 0))
            self.serve()

    def commit_up_to(self, index):
        super().commit_up_to(index)
        if self.role == "leader":
            self.serve()

    def serve(self):
        """Answers the reads for which a majority has confirmed, after they came, that no newer leader exists."""
        for client, (number, key, index, asked) in list(self.reads.items()):
            if self.last_applied >= index and self.is_confirmed(asked):
                del self.reads[client]
                self.answer(client, number, key)

    def is_confirmed(self, asked):
        return self.is_quorum([self.id, *(peer for peer, last in self.confirmed.items() if last >= asked)])

    def is_quorum(self, servers):
        return len(servers) >= self.quorum

    def answer(self, client, number, key):
        self.served = (client, number, self.last_applied)
        self.send(client, ClientReply(number, True, self.store.get(str(key))))


@title("Reads are fresh")
def reads_are_fresh(world):
    """A read that a server answers from its store sees all that was committed when the client asked."""
    node = world.changed
    if node is None:
        return None
    if hasattr(node, "commit_index"):
        world.memory["committed"] = max(world.memory.get("committed", 0), node.commit_index)
        served = getattr(node, "served", None)
        if served is None or world.memory.get(node.id) == served:
            return None
        world.memory[node.id] = served
        client, number, index = served
        asked = world.memory.get((client, number), 0)
        if index < asked:
            return violation(f"{node.id} answers {client}'s read from what it had applied, up to index {index}",
                             nodes=[node.id, client], index=asked,
                             expected=f"all up to index {asked}, committed before {client} asked",
                             found=f"nothing behind index {index}")
    elif hasattr(node, "number"):
        world.memory.setdefault((node.id, node.number), world.memory.get("committed", 0))
    return None


def cluster(nodes=5, *, server=Server, **options):
    """A cluster that serves reads without a log entry.

    Args:
        nodes, options: as for raft.cluster.
        server: the class to run, Server or a variant of it.
    """
    return extended("raft_reads", nodes, server, Server, options, (*ALWAYS, *SERVICE, reads_are_fresh))
