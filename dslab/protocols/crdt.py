"""Replicas that answer at once, and agree once they have heard the same: conflict-free replicated data types.

Source: M. Shapiro, N. Preguiça, C. Baquero, M. Zawirski, "Conflict-free Replicated Data Types", SSS 2011, and "A
comprehensive study of Convergent and Commutative Replicated Data Types", INRIA report 7506, 2011, section 2.2.1: a
replica changes its own state and sends it to others now and then; merging takes the least upper bound, so it does not
matter what is lost, comes twice or overtakes. The types are in crdt_counters, crdt_registers, crdt_sets and
crdt_sequence; replicas that send operations instead of states in crdt_operations.
Left out: deltas (messages carry whole states), garbage collection, and replicas that join.
"""

from __future__ import annotations

from dslab.sim import Client, ClientReply, Network, Node, System, message

from .crdt_counters import BoundedCounter, GCounter, PNCounter, largest
from .crdt_properties import ALWAYS, EVENTUALLY
from .crdt_registers import LWWRegister, MVRegister
from .crdt_sequence import RGA
from .crdt_sets import GSet, OptimisedORSet, ORSet, TwoPhaseSet

GOSSIP = (80, 120)               # ms between two messages to the same replica
LATENCY, DISK = (5, 15), (1, 3)  # ms one way; ms per durable write
BOUNDS = {"requests": ["add a", "remove a"], "timeouts": 3}     # of an exploration, unless told otherwise


@message
class State:
    """{source} tells {target} its state {state}, which includes so many updates of each replica: {seen}."""

    state: object
    seen: dict
    clock: int


class LocalClient(Client):
    """A client that stays with the replica it has asked: asked again elsewhere, an update would be a second one."""

    def on_retry_timeout(self):
        self._ask()


class Requested(Node):
    """What replicas of all kinds have: they run each request once, count updates, and give them tags.

    A replica that loses its disk is another replica with the same name, and its updates would get tags that others
    know already; so it must not.
    """

    durable = {"state": None, "seen": {}, "clock": 0, "issued": [], "done": {}}
    shows = ("crdt", "state", "value", "seen", "issued")
    payload = ORSet()
    gossip = GOSSIP              # ms between two messages, (lowest, highest)

    @property
    def crdt(self):
        return self.payload.kind

    def on_start(self):
        self.take(self.payload.initial() if self.state is None else self.state)
        self.set_timer("gossip", between=self.gossip)

    def take(self, state):
        """The state becomes this one, and readers see its value."""
        self.state = state
        self.value = self.payload.value(state)

    def on_client_request(self, sender, m):
        number, result = self.done.get(sender, (0, None))
        if m.number > number:                            # a retry is answered as before
            result = self.run(m.command)
            self.done[sender] = [m.number, result]
        self.send(sender, ClientReply(m.number, True, result))

    def run(self, command):
        """Runs "read", or an operation such as "add x"; its result: the value, "ok" or "refused"."""
        do, _, text = str(command).partition(" ")
        if do == "read":
            return self.value
        if do not in self.payload.operations:
            return f"refused: a {self.crdt} knows {', '.join(self.payload.operations)} and read"
        try:
            argument = self.payload.argument(do, text)
        except ValueError as error:
            return f"refused: {error}"
        tag = [self.clock + 1, self.id]                  # a Lamport time: above all that it has heard of
        if not self.update(do, argument, tag):
            return "refused"
        return "ok"

    def count(self, do, argument, tag):
        """One more update of its own, which has seen all that `seen` says."""
        self.clock = tag[0]
        self.issued.append([do, argument, tag, dict(self.seen)])
        self.seen[self.id] = len(self.issued)

    def update(self, do, argument, tag):
        """Carries out an operation; False if the type refuses it."""
        raise NotImplementedError


class Replica(Requested):
    """A state-based replica (report 7506, section 2.2.1)."""

    def update(self, do, argument, tag):
        state = getattr(self.payload, do)(self.state, argument, tag)
        if state is None:
            return False
        self.count(do, argument, tag)
        self.take(state)
        return True

    def on_gossip_timeout(self):
        self.broadcast(State(self.state, self.seen, self.clock))
        self.set_timer("gossip", between=self.gossip)

    def on_state(self, sender, m):
        self.clock = max(self.clock, m.clock)
        self.seen = largest(self.seen, m.seen)
        self.take(self.payload.merge(self.state, m.state))


class GCounterReplica(Replica):
    """Counts up."""

    payload = GCounter()


class PNCounterReplica(Replica):
    """Counts up and down."""

    payload = PNCounter()


class BoundedCounterReplica(Replica):
    """Counts up, and down as far as its rights go."""

    payload = BoundedCounter()


class LWWRegisterReplica(Replica):
    """Holds what was written last."""

    payload = LWWRegister()


class MVRegisterReplica(Replica):
    """Holds all that was written and not overwritten."""

    payload = MVRegister()


class GSetReplica(Replica):
    """Holds a set that grows."""

    payload = GSet()


class TwoPhaseSetReplica(Replica):
    """Holds a set from which an element is removed for good."""

    payload = TwoPhaseSet()


class ORSetReplica(Replica):
    """Holds a set in which an add wins against a concurrent remove."""


class OptimisedORSetReplica(Replica):
    """Holds such a set without tombstones."""

    payload = OptimisedORSet()


class SequenceReplica(Replica):
    """Holds a sequence."""

    payload = RGA()


REPLICAS = {cls.payload.kind: cls for cls in (
    GCounterReplica, PNCounterReplica, BoundedCounterReplica, LWWRegisterReplica, MVRegisterReplica, GSetReplica,
    TwoPhaseSetReplica, ORSetReplica, OptimisedORSetReplica, SequenceReplica)}


def cluster(nodes=3, *, crdt="or-set", server=None, clients=1, latency=LATENCY, disk=DISK, **options):
    """Replicas of one data type on a local network.

    Args:
        nodes, clients: how many.
        crdt: the type, a key of REPLICAS; not needed where `server` is given.
        server: the class to run, or a variant of it.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the class, such as gossip=(80, 120), ms.
    """
    changed = [f"server={server.__name__}"] if server else [f'crdt="{crdt}"']
    given = {"clients": (clients, 1), "latency": (latency, LATENCY), "disk": (disk, DISK)}
    changed += [f"{name}={value!r}" for name, (value, usual) in given.items() if value != usual]
    changed += [f"{name}={value!r}" for name, value in options.items()]
    return System(server or REPLICAS[crdt], nodes, clients=clients, client=LocalClient, disk=disk,
                  network=Network(latency=latency), options=options, always=ALWAYS, eventually=EVENTUALLY, name="crdt",
                  imports="from dslab.protocols import crdt", code=f"crdt.cluster({', '.join([f'{nodes}', *changed])})")
