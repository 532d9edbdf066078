"""Sets that each replica changes without asking the others.

Source: M. Shapiro et al., INRIA report 7506, 2011, section 3.3; the last one: A. Bieniusa et al., "An optimized
conflict-free replicated set", INRIA report 8083, 2012, figure 3.
Left out: sets with time stamps per element (LWW-element-set) and with counts per element (PN-set).
"""

from __future__ import annotations

from .crdt_counters import Payload, largest


def union(things, others):
    """The items of both lists, once each, in order."""
    return sorted([*things, *(one for one in others if one not in things)])


class GSet(Payload):
    """A set that grows; merging is union (specification 11)."""

    kind = "g-set"
    operations = ("add",)
    examples = ("add a", "add b", "read", "add c", "add a")

    def initial(self):
        return []

    def add(self, state, element, tag):
        return union(state, [element])

    def value(self, state):
        return sorted(state)

    def merge(self, state, other):
        return union(state, other)


class TwoPhaseSet(Payload):
    """A set of what was added and never removed: who removes an element removes it for good (specification 12)."""

    kind = "2p-set"
    operations = ("add", "remove")
    examples = ("add a", "add b", "remove a", "add a", "read", "add c", "remove b")

    def initial(self):
        return {"added": [], "removed": []}

    def add(self, state, element, tag):
        return {**state, "added": union(state["added"], [element])}

    def remove(self, state, element, tag):
        """Only what is there can be removed: nobody bars an element that was never added."""
        if element not in self.value(state):
            return None
        return {**state, "removed": union(state["removed"], [element])}

    def value(self, state):
        return sorted(element for element in state["added"] if element not in state["removed"])

    def merge(self, state, other):
        return {half: union(state[half], other[half]) for half in ("added", "removed")}


class ORSet(Payload):
    """A set in which each add is marked by a tag, and a remove takes away the tags that it has seen, no others.

    So an add that a concurrent remove has not seen wins (section 3.3.5; the state-based form, with removed tags kept).
    """

    kind = "or-set"
    operations = ("add", "remove")
    examples = ("add a", "add b", "remove a", "add a", "read", "add c", "remove b", "remove c", "add b")

    def initial(self):
        return {"added": {}, "removed": {}}

    def add(self, state, element, tag):
        return self._with(state, "added", element, [tag])

    def remove(self, state, element, tag):
        return self._with(state, "removed", element, state["added"].get(element, []))

    def _with(self, state, half, element, tags):
        held = state[half]
        return {**state, half: {**held, element: union(held.get(element, []), tags)}}

    def value(self, state):
        removed = state["removed"]
        return sorted(element for element, tags in state["added"].items()
                      if any(tag not in removed.get(element, ()) for tag in tags))

    def merge(self, state, other):
        return {half: {element: union(state[half].get(element, []), other[half].get(element, []))
                       for element in sorted({**state[half], **other[half]})} for half in ("added", "removed")}


class OptimisedORSet(Payload):
    """An OR-set that forgets removed tags: a tag that a replica has heard of and does not hold was removed.

    `heard` is the highest number of each replica's tags that has arrived; a state brings all of a replica's adds up to
    it, so nothing between is missing.
    """

    kind = "or-set-optimised"
    operations = ("add", "remove")
    examples = ORSet.examples

    def initial(self):
        return {"tags": {}, "heard": {}}

    def add(self, state, element, tag):
        """The new tag stands for the element's older ones of the same replica, which are dropped."""
        number, replica = tag
        others = [old for old in state["tags"].get(element, []) if old[1] != replica]
        return {"tags": {**state["tags"], element: union(others, [tag])},
                "heard": {**state["heard"], replica: number}}

    def remove(self, state, element, tag):
        return {**state, "tags": {name: tags for name, tags in state["tags"].items() if name != element}}

    def value(self, state):
        return sorted(state["tags"])

    def merge(self, state, other):
        """A tag stays if both hold it, or if one holds it and the other has never heard of it."""
        def kept(held, rest, heard):
            return [tag for tag in held if tag in rest or tag[0] > heard.get(tag[1], 0)]

        tags = {}
        for element in sorted({**state["tags"], **other["tags"]}):
            mine, theirs = state["tags"].get(element, []), other["tags"].get(element, [])
            both = union(kept(mine, theirs, other["heard"]), kept(theirs, mine, state["heard"]))
            newest = [tag for tag in both if not any(tag[1] == two[1] and tag < two for two in both)]
            if newest:
                tags[element] = newest
        return {"tags": tags, "heard": largest(state["heard"], other["heard"])}
