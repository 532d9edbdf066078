"""A sequence that several people edit at the same time, such as a shared text.

Source: H.-G. Roh, M. Jeon, J.-S. Kim, J. Lee, "Replicated abstract data types: Building blocks for collaborative
applications", J. Parallel Distrib. Comput. 71(3), 2011, section 4 (RGA), in the form of a tree: H. Attiya et al.,
"Specification and Complexity of Collaborative Text Editing", PODC 2016, section 6, which proves that its order is
the same at all replicas and at all times.

Why RGA and not Logoot or LSEQ: an element's place is the tag of the one before it, of constant size, while theirs is
a position between two others that grows with editing; and a run typed from left to right stays together when somebody
else types at the same place, because each element hangs on the one before, while theirs may interleave letter by letter
(M. Kleppmann et al., "Interleaving anomalies in collaborative text editors", PaPoC 2019). What is typed from right to
left, each element in front of the last, can interleave here too. A deleted element stays as a tombstone, because others
may hang on it.
Left out: collecting tombstones (the paper's section 4.3), and updates of an element in place.
"""

from __future__ import annotations

from .crdt_counters import Payload


def _key(tag):
    return f"{tag[0]}.{tag[1]}"


def _tag(key):
    number, _, replica = key.partition(".")
    return int(number), replica


class RGA(Payload):
    """A replicated growable array.

    The state is {tag: [tag before, element, deleted]}, tags as text such as "3.n1"; the tag before the first is "".
    """

    kind = "sequence"
    operations = ("insert", "delete")
    examples = ("insert 0 a", "insert 1 b", "insert 0 c", "read", "delete 0", "insert 1 d", "insert 0 e", "delete 1")

    def argument(self, do, text):
        place, _, element = text.partition(" ")
        if do == "insert" and not element:
            raise ValueError("insert needs a place and an element")
        return [int(place), element] if do == "insert" else int(place)

    def insert(self, state, argument, tag):
        """Before it, as the replica sees it, stand as many elements as `place` says."""
        place, element = argument
        shown = self.shown(state)
        if not 0 <= place <= len(shown):
            return None
        return {**state, _key(tag): [shown[place - 1] if place else "", element, False]}

    def delete(self, state, place, tag):
        shown = self.shown(state)
        if not 0 <= place < len(shown):
            return None
        before, element, _ = state[shown[place]]
        return {**state, shown[place]: [before, element, True]}

    def shown(self, state):
        """The tags of all elements that are not deleted, in order.

        Each stands after the one that it was inserted after; of several at one place the newest comes first, as it
        would if they had been typed one after the other.
        """
        following = {}
        for key in sorted(state, key=_tag):              # the newest last, so it is taken first
            following.setdefault(state[key][0], []).append(key)
        order, waiting = [], following.get("", [])[:]
        while waiting:
            key = waiting.pop()
            order.append(key)
            waiting += following.get(key, ())
        return [key for key in order if not state[key][2]]

    def value(self, state):
        return [state[key][1] for key in self.shown(state)]

    def merge(self, state, other):
        """A tag stands for one element at one place for ever; deleted is deleted."""
        merged = {}
        for key in sorted({**state, **other}, key=_tag):
            copies = [side[key] for side in (state, other) if key in side]
            before, element, _ = copies[0]
            merged[key] = [before, element, any(deleted for *_, deleted in copies)]
        return merged
