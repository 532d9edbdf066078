"""Variants of replicated data types: one rule taken out of each.

The docstring of each says what people believe who leave the rule out; `catalogue` is its name among misconceptions. All
of them work while one replica is asked and every message arrives once, in order.
"""

from __future__ import annotations

from . import crdt, crdt_operations
from .crdt_counters import BoundedCounter, GCounter, Payload, PNCounter
from .crdt_registers import LWWRegister, MVRegister
from .crdt_sequence import RGA
from .crdt_sets import GSet, ORSet, TwoPhaseSet, union

# ---- types


class Added(GCounter):
    """A counter whose merge adds."""

    def merge(self, state, other):
        return {name: state.get(name, 0) + other.get(name, 0) for name in sorted({**state, **other})}


class OneTotal(GCounter):
    """A counter with one slot for all replicas."""

    def inc(self, state, amount, tag):
        return {"total": state.get("total", 0) + amount}


class Difference(PNCounter):
    """A counter that keeps, for each replica, what it has added less what it has taken away."""

    def dec(self, state, amount, tag):
        return self.inc(state, -amount, tag)


class Stock(PNCounter):
    """A counter that refuses to fall below zero, as far as the replica knows."""

    kind = "bounded-counter"
    operations = ("inc", "dec")
    examples = ("inc 3", "dec 2", "dec 1", "dec 3", "read", "dec 2")

    def dec(self, state, amount, tag):
        return super().dec(state, amount, tag) if amount <= self.value(state) else None


class Generous(BoundedCounter):
    """A bounded counter whose replicas may give away rights and use them all the same."""

    def left(self, state, replica):
        return sum(row.get(replica, 0) for row in state["rights"].values()) - state["used"].get(replica, 0)


class LastOnly(LWWRegister):
    """A register for concurrent writes that keeps the last one."""

    kind = "mv-register"

    def value(self, state):
        return state[1:]


class Arrived(LWWRegister):
    """A register that keeps what arrived last."""

    def merge(self, state, other):
        return other or state


class Counted(LWWRegister):
    """A register whose writes are ordered by their number alone."""

    def merge(self, state, other):
        return other if state and other and other[0][0] >= state[0][0] else state or other


class Heaped(MVRegister):
    """A register that keeps all that was ever written."""

    def merge(self, state, other):
        return sorted([*state, *(one for one in other if one not in state)], key=lambda one: sorted(one[0].items()))


class RemovedOnce(GSet):
    """A set from which elements are taken out."""

    kind = "2p-set"
    operations = ("add", "remove")
    examples = TwoPhaseSet.examples

    def remove(self, state, element, tag):
        return [one for one in state if one != element] if element in state else None


class RemovedByValue(TwoPhaseSet):
    """A set in which a remove is about the element, not about its adds."""

    kind = "or-set"


class AddedLast(ORSet):
    """A set whose merge takes each element from the side that has changed it last."""

    def initial(self):
        return {}

    def add(self, state, element, tag):
        return {**state, element: [tag, True]}

    def remove(self, state, element, tag):
        return {**state, element: [tag, False]}

    def value(self, state):
        return sorted(element for element, (_, there) in state.items() if there)

    def merge(self, state, other):
        nothing = [[0, ""], False]
        return {element: max(state.get(element, nothing), other.get(element, nothing))
                for element in sorted({**state, **other})}


class NoTombstones(ORSet):
    """An OR-set that forgets what was removed."""

    def remove(self, state, element, tag):
        return {**state, "added": {name: tags for name, tags in state["added"].items() if name != element}}


class ByPlace(Payload):
    """A sequence that is a list; merging puts in what the other side has and this one lacks, at its place there."""

    kind = "sequence"
    operations = RGA.operations
    examples = RGA.examples
    argument = RGA.argument

    def initial(self):
        return {"items": [], "deleted": []}

    def insert(self, state, argument, tag):
        (place, element), items = argument, state["items"]
        if not 0 <= place <= len(items):
            return None
        return {**state, "items": [*items[:place], [tag, element], *items[place:]]}

    def delete(self, state, place, tag):
        if not 0 <= place < len(state["items"]):
            return None
        item = state["items"][place]
        return {"items": [one for one in state["items"] if one != item], "deleted": union(state["deleted"], [item])}

    def value(self, state):
        return [element for _, element in state["items"]]

    def merge(self, state, other):
        deleted = union(state["deleted"], other["deleted"])
        items = state["items"][:]
        for place, item in enumerate(other["items"]):
            if item not in items:
                items.insert(place, item)
        return {"items": [item for item in items if item not in deleted], "deleted": deleted}


# ---- replicas


class AddsUp(crdt.Replica):
    """To merge two counters is to add them (instead of taking the larger of each slot)."""

    catalogue = "S16"
    payload = Added()


class SingleTotal(crdt.Replica):
    """One total is enough: the larger one is the newer one (instead of a slot for each replica)."""

    catalogue = "S17"
    payload = OneTotal()


class OneSlotForBoth(crdt.Replica):
    """What was taken away can be subtracted at once (instead of two counters that only grow)."""

    catalogue = "S17"
    payload = Difference()


class Sells(crdt.Replica):
    """Who sees one left may sell one, because replicas agree in the end (instead of having the right to it)."""

    catalogue = "S18"
    payload = Stock()


class GivesAndKeeps(crdt.Replica):
    """A right that was given away can still be used until the other one uses it (instead of being gone at once)."""

    catalogue = "S18"
    payload = Generous()


class KeepsTheLast(crdt.Replica):
    """Of two concurrent writes the later one is the right one (instead of keeping both)."""

    catalogue = "S9"
    payload = LastOnly()


class KeepsWhatArrives(crdt.Replica):
    """What arrives is newer than what is here (instead of comparing tags)."""

    catalogue = "S9"
    payload = Arrived()


class NumbersOnly(crdt.Replica):
    """Numbers of writes are enough to order them (instead of numbers and, where they are equal, names)."""

    catalogue = "S9"
    payload = Counted()


class KeepsEverything(crdt.Replica):
    """Merging loses nothing, so it keeps every write (instead of dropping those that another one has seen)."""

    catalogue = "S9"
    payload = Heaped()


class TakesOut(crdt.Replica):
    """Removed is removed: no need to remember it (instead of a second set)."""

    catalogue = "S19"
    payload = RemovedOnce()


class RemovesByValue(crdt.Replica):
    """A remove is about the element (instead of the adds that it has seen)."""

    catalogue = "S19"
    payload = RemovedByValue()


class LastChangeWins(crdt.Replica):
    """The last change of an element decides (instead of letting an add win that the remove has not seen)."""

    catalogue = "S19"
    payload = AddedLast()


class ForgetsRemoved(crdt.Replica):
    """A tag that is removed can be forgotten (instead of being kept, or known by what was heard)."""

    catalogue = "S19"
    payload = NoTombstones()


class EditsByPlace(crdt.Replica):
    """An element's place is its number (instead of the element that it follows)."""

    catalogue = "S20"
    payload = ByPlace()


class RunsAgain(crdt_operations.Replica):
    """An update that arrives again does no harm (instead of being recognised by its number)."""

    catalogue = "S20"
    payload = crdt_operations.OpCounter()

    def on_update(self, sender, m):
        if m.number <= self.seen.get(m.replica, 0):
            self.take(self.payload.apply(self.state, m.effect))
        else:
            super().on_update(sender, m)


class RunsAtOnce(crdt_operations.Replica):
    """Updates may run in any order, because they commute (instead of after all that their replica had seen)."""

    catalogue = "S20"

    def may_run(self, m):
        return m.number == self.seen.get(m.replica, 0) + 1


class DoesNotRepeat(crdt_operations.Replica):
    """An update is sent once, like any message (instead of again while somebody lacks it)."""

    catalogue = "S20"

    def on_have(self, sender, m):
        self.clock = max(self.clock, m.clock)

    def may_run(self, m):
        return m.number > self.seen.get(m.replica, 0)


MUTANTS = (AddsUp, SingleTotal, OneSlotForBoth, Sells, GivesAndKeeps, KeepsTheLast, KeepsWhatArrives, NumbersOnly,
           KeepsEverything, TakesOut, RemovesByValue, LastChangeWins, ForgetsRemoved, EditsByPlace, RunsAgain,
           RunsAtOnce, DoesNotRepeat)
