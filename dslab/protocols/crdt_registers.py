"""Registers that each replica writes without asking the others: the last writer wins, or concurrent values stay.

Source: M. Shapiro et al., INRIA report 7506, 2011, section 3.2.
"""

from __future__ import annotations

from .crdt_counters import Payload


class LWWRegister(Payload):
    """Keeps the write with the highest tag (specification 8). Of two concurrent writes one is lost, silently.

    The tag is a Lamport time, so a write that has seen another has the higher one.
    """

    kind = "lww-register"
    operations = ("write",)
    examples = ("write a", "write b", "read", "write c", "write d")

    def initial(self):
        return []

    def write(self, state, content, tag):
        return [tag, content]

    def value(self, state):
        return state[1] if state else None

    def merge(self, state, other):
        """Tags differ, and are in one order at all replicas; nothing is the lowest."""
        return max(state, other)


class MVRegister(Payload):
    """Keeps every write that no other write has seen (specification 10): a reader gets all of them.

    The state is a list of [version vector, content], none of which includes another.
    """

    kind = "mv-register"
    operations = ("write",)
    examples = ("write a", "write b", "read", "write c", "write d")

    def initial(self):
        return []

    def write(self, state, content, tag):
        """The new version includes all that the replica holds, so it replaces them."""
        vector = {}
        for version, _ in state:
            for name, count in version.items():
                vector[name] = max(count, vector.get(name, 0))
        _, replica = tag
        vector[replica] = vector.get(replica, 0) + 1
        return [[vector, content]]

    def value(self, state):
        return sorted(content for _, content in state)

    def merge(self, state, other):
        """What one side has and the other side has seen replaced is gone; the rest stays."""
        both = [*state, *(one for one in other if one not in state)]
        kept = [one for one in both if not any(one[0] != two[0] and includes(two[0], one[0]) for two in both)]
        return sorted(kept, key=lambda one: sorted(one[0].items()))


def includes(vector, other):
    """Whether a version vector has seen all that another has: entry by entry at least as high."""
    return all(vector.get(name, 0) >= count for name, count in other.items())
