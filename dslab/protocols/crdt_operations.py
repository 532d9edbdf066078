"""Replicas that send each other operations instead of states: smaller messages, and more to ask of the network.

Source: M. Shapiro et al., INRIA report 7506, 2011, section 2.2.2: an operation is prepared at one replica and takes
effect at all of them, once each, and after all that its replica had seen (causal delivery). Concurrent effects commute,
so their order does not matter. The types: specifications 5 (counter) and 15 (OR-set); the sequence: H.-G. Roh et al.,
2011, section 4. Delivery: every update carries what its replica had seen; who lacks some of that lets it wait (K.
Birman, A. Schiper, P. Stephenson, "Lightweight Causal and Atomic Group Multicast", ACM TOCS 9(3), 1991, section 5.1),
and replicas tell each other now and then what they have, so that what was lost is sent again.
Left out: forgetting updates that all replicas have.
"""

from __future__ import annotations

from dslab.sim import message

from . import crdt
from .crdt_counters import Payload, PNCounter
from .crdt_sequence import RGA
from .crdt_sets import ORSet, union


@message
class Update:
    """{source} tells {target}: update {number} of {replica} is {effect}, after so many of each replica: {after}."""

    replica: str
    number: int
    tag: list
    after: dict
    effect: list


@message
class Have:
    """{source} tells {target} how many updates of each replica it has: {seen}."""

    seen: dict
    clock: int


class OpCounter(PNCounter):
    """A counter whose effects are added up (specification 5); nothing but a number is kept."""

    kind = "op-counter"

    def initial(self):
        return 0

    def prepare(self, state, do, amount, tag):
        return [amount if do == "inc" else -amount]

    def apply(self, state, effect):
        return state + effect[0]

    def value(self, state):
        return state


class OpSet(ORSet):
    """An OR-set (specification 15): an add brings a tag, a remove takes the tags that its replica has seen.

    Causal delivery brings those tags first, so nobody needs to remember what was removed.
    """

    kind = "op-set"

    def prepare(self, state, do, element, tag):
        return [do, element, [tag] if do == "add" else state.get(element, [])]

    def initial(self):
        return {}

    def apply(self, state, effect):
        do, element, tags = effect
        held = state.get(element, [])
        left = union(held, tags) if do == "add" else [tag for tag in held if tag not in tags]
        rest = {name: held for name, held in state.items() if name != element}
        return {**rest, element: left} if left else rest

    def value(self, state):
        return sorted(state)


class OpSequence(RGA):
    """A sequence: an insert brings an element and the tag of the one before it, a delete the tag of its element."""

    kind = "op-sequence"

    def prepare(self, state, do, argument, tag):
        changed = getattr(self, do)(state, argument, tag)
        if changed is None:
            return None
        return next([key, *changed[key]] for key in changed if changed[key] != state.get(key))

    def apply(self, state, effect):
        key, *entry = effect
        deleted = entry[2] or state.get(key, [0, 0, False])[2]
        return {**state, key: [*entry[:2], deleted]}


class Replica(crdt.Requested):
    """An operation-based replica."""

    durable = {**crdt.Requested.durable, "log": []}
    payload: Payload = OpSet()

    def on_start(self):
        super().on_start()
        self.waiting = []                                # updates that came before what they need

    def update(self, do, argument, tag):
        effect = self.payload.prepare(self.state, do, argument, tag)
        if effect is None:
            return False
        m = Update(self.id, len(self.issued) + 1, tag, self.seen, effect)
        self.count(do, argument, tag)
        self.carry_out(m)
        self.broadcast(m)
        return True

    def carry_out(self, m):
        self.log.append(m)
        self.take(self.payload.apply(self.state, m.effect))

    def on_update(self, sender, m):
        self.clock = max(self.clock, m.tag[0])
        self.waiting.append(m)
        while ready := [one for one in self.waiting if self.may_run(one)]:
            self.seen[ready[0].replica] = ready[0].number
            self.carry_out(ready[0])
        self.waiting = [one for one in self.waiting if one.number > self.seen.get(one.replica, 0)]

    def may_run(self, m):
        """Next of its replica, so not run before; and all that its replica had seen is here."""
        return m.number == self.seen.get(m.replica, 0) + 1 and all(
            self.seen.get(name, 0) >= count for name, count in m.after.items())

    def on_gossip_timeout(self):
        self.broadcast(Have(self.seen, self.clock))
        self.set_timer("gossip", between=self.gossip)

    def on_have(self, sender, m):
        """Sends what the other lacks, in an order in which it can run."""
        self.clock = max(self.clock, m.clock)
        for one in self.log:
            if one.number > m.seen.get(one.replica, 0):
                self.send(sender, one)


class CounterReplica(Replica):
    """Counts, by operations."""

    payload = OpCounter()


class SetReplica(Replica):
    """Holds a set, by operations."""


class SequenceReplica(Replica):
    """Holds a sequence, by operations."""

    payload = OpSequence()
