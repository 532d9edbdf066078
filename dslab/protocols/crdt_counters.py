"""Counters that each replica changes without asking the others, and whose states merge in any order.

Source: M. Shapiro, N. Preguiça, C. Baquero, M. Zawirski, "A comprehensive study of Convergent and Commutative
Replicated Data Types", INRIA report 7506, 2011, section 3.1. The bounded counter: V. Balegas et al., "Extending
Eventually Consistent Cloud Databases for Enforcing Numeric Invariants", SRDS 2015, section IV; its rights are what
P. O'Neil calls escrow ("The Escrow Transactional Method", ACM TODS 11(4), 1986).
Left out: counters that can be reset.

A type is a class without a state of its own: its methods take a state, plain data, and return another one.
"""

from __future__ import annotations


class Payload:
    """What all types have: `initial()`, `value(state)`, `merge(state, other)`, and the operations it names.

    An operation is called as `operation(state, argument, tag)` and returns the next state, or None if it refuses. A tag
    is [number, replica]; no two operations have the same, and its number is higher than all that the replica has heard
    of before.

    Attributes:
        kind: the name of the type.
        operations: the names of its operations, which are methods.
        examples: commands for random runs.
    """

    kind = ""
    operations: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    def initial(self):
        return {}

    def argument(self, do, text):
        """The argument of an operation from a command.

        Raises:
            ValueError: the text is none.
        """
        if not text:
            raise ValueError(f"{do} needs an argument")
        return text


def largest(slots, others):
    """Entry by entry the larger one; an entry that is not there is 0."""
    return {name: max(slots.get(name, 0), others.get(name, 0)) for name in sorted({**slots, **others})}


class GCounter(Payload):
    """A counter that grows: every replica adds to a slot of its own, and the value is the sum (specification 6)."""

    kind = "g-counter"
    operations = ("inc",)
    examples = ("inc 3", "inc 5", "inc 1", "read", "inc 2")

    def argument(self, do, text):
        amount = int(text)
        if amount < 0:
            raise ValueError(f"{do} needs a number from 0 on")
        return amount

    def inc(self, state, amount, tag):
        _, replica = tag
        return {**state, replica: state.get(replica, 0) + amount}

    def value(self, state):
        return sum(state.values())

    def merge(self, state, other):
        """Nobody but its owner changes a slot, and it only grows: so the larger is the newer."""
        return largest(state, other)


class PNCounter(GCounter):
    """A counter that grows and shrinks: two that grow, and the value is the difference (specification 7)."""

    kind = "pn-counter"
    operations = ("inc", "dec")
    examples = ("inc 3", "dec 2", "inc 5", "read", "dec 1", "inc 1")

    def initial(self):
        return {"up": {}, "down": {}}

    def inc(self, state, amount, tag):
        return {**state, "up": super().inc(state["up"], amount, tag)}

    def dec(self, state, amount, tag):
        return {**state, "down": super().inc(state["down"], amount, tag)}

    def value(self, state):
        return sum(state["up"].values()) - sum(state["down"].values())

    def merge(self, state, other):
        return {half: largest(state[half], other[half]) for half in ("up", "down")}


class BoundedCounter(GCounter):
    """A counter that never falls below zero: a replica takes away only what it has the right to.

    Whoever adds has the right to take as much away, or gives that right to another replica. Rights are in
    `rights[giver][receiver]`, what a replica has added itself in `rights[replica][replica]`; only the giver changes its
    row, so rows merge entry by entry.
    """

    kind = "bounded-counter"
    operations = ("inc", "dec", "give")
    examples = ("inc 2", "give 2 n2", "dec 2", "give 1 n3", "dec 2", "give 2 n1", "dec 1")

    def initial(self):
        return {"rights": {}, "used": {}}

    def argument(self, do, text):
        if do != "give":
            return super().argument(do, text)
        amount, _, receiver = text.partition(" ")
        if not receiver:
            raise ValueError("give needs a number and a replica")
        return [super().argument(do, amount), receiver]

    def inc(self, state, amount, tag):
        return self._add(state, amount, tag[1], tag[1])

    def give(self, state, argument, tag):
        (amount, receiver), (_, replica) = argument, tag
        if receiver == replica or amount > self.left(state, replica):
            return None
        return self._add(state, amount, replica, receiver)

    def dec(self, state, amount, tag):
        _, replica = tag
        if amount > self.left(state, replica):
            return None
        return {**state, "used": {**state["used"], replica: state["used"].get(replica, 0) + amount}}

    def _add(self, state, amount, giver, receiver):
        row = state["rights"].get(giver, {})
        return {**state, "rights": {**state["rights"], giver: {**row, receiver: row.get(receiver, 0) + amount}}}

    def left(self, state, replica):
        """How much a replica may take away without asking anybody.

        It may know too little of what others gave it, never too little of what it gave or used itself; so nothing is
        taken twice.
        """
        rights = state["rights"]
        received = sum(row.get(replica, 0) for row in rights.values())
        given = sum(n for receiver, n in rights.get(replica, {}).items() if receiver != replica)
        return received - given - state["used"].get(replica, 0)

    def value(self, state):
        return sum(row.get(giver, 0) for giver, row in state["rights"].items()) - sum(state["used"].values())

    def merge(self, state, other):
        mine, theirs = state["rights"], other["rights"]
        return {"rights": {giver: largest(mine.get(giver, {}), theirs.get(giver, {}))
                           for giver in sorted({**mine, **theirs})},
                "used": largest(state["used"], other["used"])}
