"""A counter and a set from outside: right answers pass, each wrong one fails at the promise that names its mistake."""

from __future__ import annotations

import pytest

from dslab.check.answers import verify
from dslab.check.feedback import CheckFailed
from dslab.check.laws import judge_laws
from dslab.protocols import crdt_steps, crdt_steps_cases


class Counter(crdt_steps.Counter):
    """A slot for each replica."""

    def inc(self, state, amount, replica):
        state[replica] = state.get(replica, 0) + amount          # what it gets is its own
        return state

    def merge(self, state, other):
        return {name: max(state.get(name, 0), other.get(name, 0)) for name in {**state, **other}}

    def value(self, state):
        return sum(state.values())


class AddsUp(Counter):
    """S16."""

    def merge(self, state, other):
        return {name: state.get(name, 0) + other.get(name, 0) for name in {**state, **other}}


class OneTotal(Counter):
    """S17."""

    def inc(self, state, amount, replica):
        return {"total": state.get("total", 0) + amount}


class LastSlotWins(Counter):
    """What arrives replaces what is here."""

    def merge(self, state, other):
        return {**state, **other}


class KeepsOwn(Counter):
    """Nothing is learnt about replicas that are known."""

    def merge(self, state, other):
        return {**other, **state}


class SetsSlot(Counter):
    """The slot holds the newest amount, not the sum."""

    def inc(self, state, amount, replica):
        return {**state, replica: amount}


class LargestSlot(Counter):
    """The value is the largest slot."""

    def value(self, state):
        return max(state.values(), default=0)


class Set(crdt_steps.Set):
    """Tags of adds, and tags that were removed."""

    def initial(self):
        return {"added": {}, "removed": []}

    def add(self, state, element, tag):
        state["added"].setdefault(element, []).append(tag)
        return state

    def remove(self, state, element):
        state["removed"] += state["added"].get(element, [])
        return state

    def merge(self, state, other):
        for element, tags in other["added"].items():
            state["added"][element] = sorted({*state["added"].get(element, []), *tags})
        state["removed"] = sorted({*state["removed"], *other["removed"]})
        return state

    def value(self, state):
        return {element for element, tags in state["added"].items()
                if any(tag not in state["removed"] for tag in tags)}


class UnsortedSet(Set):
    """As Set; tags stand in the order of their arrival, which no reader sees."""

    def merge(self, state, other):
        for element, tags in other["added"].items():
            held = state["added"].setdefault(element, [])
            held += [tag for tag in tags if tag not in held]
        state["removed"] += [tag for tag in other["removed"] if tag not in state["removed"]]
        return state


class ByValue(Set):
    """S19: the element is removed, not its tags."""

    def remove(self, state, element):
        state["removed"].append(element)
        return state

    def value(self, state):
        return [element for element in state["added"] if element not in state["removed"]]


class Forgets(Set):
    """Removed tags are forgotten."""

    def remove(self, state, element):
        state["added"].pop(element, None)
        return state


class RemovesFirstTag(Set):
    """Only one of the tags is removed."""

    def remove(self, state, element):
        state["removed"] += state["added"].get(element, [])[:1]
        return state


class RemoveWins(Set):
    """An element with any removed tag is gone."""

    def value(self, state):
        return [element for element, tags in state["added"].items()
                if not any(tag in state["removed"] for tag in tags)]


ONCE, SAME = "Every update counts, once", "Same updates, same value"
COUNTER_CASES = crdt_steps_cases.COUNTER + crdt_steps_cases.storms(range(1, 7))
SET_CASES = crdt_steps_cases.SET + crdt_steps_cases.set_storms(range(1, 7))


def counter(answer):
    return verify("counter", answer, crdt_steps.counting, like=crdt_steps.counted, cases=COUNTER_CASES)


def or_set(answer):
    return verify("or-set", answer, crdt_steps.sets, like=crdt_steps.or_set, cases=SET_CASES)


def failure(check, answer):
    with pytest.raises(CheckFailed) as failed:
        check(answer)
    return failed.value


@pytest.mark.parametrize(("check", "answer"), [(counter, Counter), (or_set, Set), (or_set, UnsortedSet)])
def test_right_answers_pass(check, answer):
    """In the cases and in storms; also where the answer changes what it was given, or keeps lists in any order."""
    assert "right" in check(answer)


@pytest.mark.parametrize(("check", "answer", "title", "catalogue"), [
    (counter, AddsUp, SAME, "S16"), (counter, OneTotal, ONCE, "S17"), (counter, LastSlotWins, ONCE, ""),
    (counter, KeepsOwn, SAME, ""), (counter, SetsSlot, ONCE, ""), (counter, LargestSlot, ONCE, "S17"),
    (or_set, ByValue, ONCE, "S19"), (or_set, Forgets, ONCE, "S19"), (or_set, RemovesFirstTag, ONCE, ""),
    (or_set, RemoveWins, ONCE, "S19")])
def test_wrong_answers_fail_at_what_they_break(check, answer, title, catalogue):
    """The property, a short schedule, the first wrong step by its value, and a run to look at."""
    failed = failure(check, answer)
    assert failed.verdict.title == title and failed.case.catalogue == catalogue
    assert len(failed.case.schedule) <= 8
    text = str(failed)
    assert "Question:" in text and "state becomes" not in text and "state[" not in text
    assert failed.system.code.startswith("crdt_steps.")


@pytest.mark.parametrize(("check", "base", "methods"), [
    (counter, crdt_steps.Counter, ("inc", "merge", "value")),
    (or_set, crdt_steps.Set, ("add", "remove", "merge", "value"))])
def test_a_stub_is_told_so_kindly(check, base, methods):
    """Whichever method is missing first."""
    def missing(self, *_):
        raise NotImplementedError

    stub = type("Stub", (base,), dict.fromkeys(methods, missing))
    assert "not answered yet" in check(stub)


@pytest.mark.parametrize(("check", "answer", "told"), [
    (counter, type("A", (Counter,), {"merge": lambda self, state, other: state.update(other)}), "merge returned None"),
    (counter, type("B", (Counter,), {"value": lambda self, state: 1.0}), "B.value returned 1.0"),
    (counter, type("C", (Counter,), {"value": lambda self, state: True}), "C.value returned True"),
    (or_set, type("D", (Set,), {"initial": lambda self: {"added": set(), "removed": []}}), "sorted(...)"),
    (or_set, type("E", (Set,), {"initial": lambda self: {("a", 1): []}}), "keys must be text"),
    (or_set, type("F", (Set,), {"value": lambda self, state: 3}), "F.value returned 3"),
    (or_set, type("G", (Set,), {"remove": lambda self, state, element: state["nobody"]}), "KeyError"),
    (or_set, type("H", (Set,), {"initial": lambda self: {"added": object(), "removed": []}}), "of type object"),
])
def test_what_is_no_state_or_value_is_named(check, answer, told):
    """The method, what it returned and what to return instead."""
    assert told in str(failure(check, answer))


def laws(payload):
    """judge_laws for answers of a kind."""
    return lambda answer: judge_laws("laws", answer, payload)


@pytest.mark.parametrize(("payload", "answer"), [
    (crdt_steps.AnsweredCounter, Counter), (crdt_steps.AnsweredSet, Set), (crdt_steps.AnsweredSet, UnsortedSet),
    (crdt_steps.AnsweredCounter, OneTotal), (crdt_steps.AnsweredSet, ByValue)])
def test_lawful_merges_pass(payload, answer):
    """A merge may obey the laws and still merge the wrong thing: laws say that replicas agree, not on what."""
    assert "idempotent, commutative, associative and monotone" in laws(payload)(answer)


@pytest.mark.parametrize(("payload", "answer", "law"), [
    (crdt_steps.AnsweredCounter, AddsUp, "idempotent"), (crdt_steps.AnsweredCounter, LastSlotWins, "commutative"),
    (crdt_steps.AnsweredCounter, KeepsOwn, "commutative"), (crdt_steps.AnsweredSet, Forgets, "monotone"),
    (crdt_steps.AnsweredCounter, SetsSlot, "monotone")])
def test_unlawful_merges_are_told_by_the_smallest_case(payload, answer, law):
    """At most two steps, both sides with what they show, and a question."""
    text = str(failure(laws(payload), answer))
    assert f"the merge is not {law}" in text and "Question:" in text and "3. n" not in text
