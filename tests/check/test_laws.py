"""The laws of merging: right types obey them, each seeded bug is told by its smallest case."""

from __future__ import annotations

from itertools import product

import pytest

from dslab.check.laws import LAWS, REPLICAS, broken_law
from dslab.protocols import crdt, crdt_variants

# variant: the law that its merge breaks; None for those that merge lawfully, and the wrong thing
BROKEN = {
    "AddsUp": "idempotent", "SingleTotal": None, "OneSlotForBoth": "monotone", "Sells": None, "GivesAndKeeps": None,
    "KeepsTheLast": None, "KeepsWhatArrives": "commutative", "NumbersOnly": "commutative",
    "KeepsEverything": "monotone", "TakesOut": "monotone", "RemovesByValue": None, "LastChangeWins": None,
    "ForgetsRemoved": "monotone", "EditsByPlace": "commutative",
}


@pytest.mark.parametrize("kind", crdt.REPLICAS)
def test_types_obey_the_laws(kind):
    """All ten, with any seed."""
    assert broken_law(crdt.REPLICAS[kind].payload, seed=2) is None


@pytest.mark.parametrize("name", BROKEN)
def test_a_variant_breaks_the_law_it_must(name):
    """By at most two steps, none of which could be left out."""
    found = broken_law(getattr(crdt_variants, name).payload)
    assert (found and found.law) == BROKEN[name]
    assert found is None or 1 <= len(found.steps) <= 2


class Join:
    """A type made of a merge alone: states are numbers or text, operations set them."""

    examples = ("set 1", "set 2", "set 3", "set 4")

    def __init__(self, merge, start=0, low=0):
        self.join, self.start = merge, start

    def initial(self):
        return self.start

    def argument(self, do, text):
        return int(text)

    def set(self, state, argument, tag):
        return self.join(state, argument)

    def merge(self, state, other):
        return self.join(state, other)

    def value(self, state):
        return state


def breaks(merge, values):
    """The laws that a merge breaks on a few values, by brute force; an oracle that shares nothing with the checker."""
    broken = set()
    for x, y, z in product(values, repeat=3):
        if merge(x, x) != x:
            broken.add("idempotent")
        if merge(x, y) != merge(y, x):
            broken.add("commutative")
        if merge(merge(x, y), z) != merge(x, merge(y, z)):
            broken.add("associative")
    return broken


@pytest.mark.parametrize("merge", [
    max, min, lambda x, y: x | y, lambda x, y: x & y,
    lambda x, y: x + y, lambda x, y: x, lambda x, y: y, lambda x, y: x ^ y, lambda x, y: (x + y) // 2,
    lambda x, y: x if x == y else 0, lambda x, y: max(x, y) + (x != y), lambda x, y: x if x % 2 else max(x, y),
], ids=["max", "min", "or", "and", "add", "first", "second", "xor", "mean", "agree", "count up", "odd first"])
def test_agrees_with_brute_force_on_numbers(merge):
    """A law is reported only if it is broken, and some law is if one is broken among states that are reached."""
    wanted = breaks(merge, range(8))
    found = broken_law(Join(merge))
    if not wanted:
        assert found is None
    elif found is not None:
        assert found.law in wanted | {"monotone"}
    reached = {0}
    for _ in range(2):
        reached |= {merge(x, y) for x in reached for y in (1, 2, 3, 4)}
    assert found is not None or not breaks(merge, sorted(reached))


def test_only_associativity_broken_is_found():
    """A merge that is idempotent and commutative: two different hands make paper win over rock, and so on."""
    beats = {(1, 2): 2, (2, 3): 3, (1, 3): 1}

    def game(x, y):
        return x if x == y or not y else y if not x else beats[min(x, y), max(x, y)]

    payload = Join(game)
    payload.examples = ("set 1", "set 2", "set 3")
    found = broken_law(payload)
    assert found.law == "associative" and len(found.steps) <= 3


def test_states_that_never_meet_are_not_merged():
    """Tags are different within an execution only: two executions may give one tag to two elements."""
    class Tagged(Join):
        """Keeps one element for each tag."""

        examples = ("put 1", "put 2")

        def put(self, state, argument, tag):
            return {**state, f"{tag[0]}.{tag[1]}": argument}

        def merge(self, state, other):
            return {**state, **other}

    assert broken_law(Tagged(None, start={})) is None


def test_the_text_is_a_proof_to_read():
    """Law, numbered steps with the states, and two sides with what they show."""
    text = broken_law(crdt_variants.AddsUp.payload).text
    assert text.splitlines() == [
        "the merge is not idempotent: merging a state with itself changes nothing.",
        "  1. n1: inc 3; it then has s1 = {'n1': 3}",
        "  But s1 = {'n1': 3}, which shows 3,",
        "  and merge(s1, s1) = {'n1': 6}, which shows 6."]
    assert set(LAWS) == {"idempotent", "commutative", "associative", "monotone"} and len(REPLICAS) == 3


@pytest.mark.parametrize("broken", [ValueError("no"), TypeError("never"), KeyError("x")])
def test_what_a_type_raises_comes_through(broken):
    """Judging an answer turns it into a sentence; see judge_laws."""
    def merge(x, y):
        raise broken

    with pytest.raises(type(broken)):
        broken_law(Join(merge))
