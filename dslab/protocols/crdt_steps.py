"""Data types with operations and merge from outside: a counter that grows, and a set in which an add wins.

An answer is a class derived from Counter or Set. Its methods take a state and return another one; what they get is
theirs, so they may change it. A state is plain data: numbers, text, lists and dictionaries.
"""

from __future__ import annotations

from . import crdt
from .crdt_counters import GCounter
from .crdt_sets import ORSet


class Counter:
    """A counter without its decisions: inc(state, amount, replica), merge(state, other) and value(state)."""

    def initial(self):
        return {}


class Set:
    """A set without its decisions: add(state, element, tag), remove(state, element), merge(state, other), value(state).

    No two adds have the same tag; it is text, such as "n2.7".
    """

    def initial(self):
        return {}


class AnsweredCounter(GCounter):
    """A counter whose methods are the answer's."""

    def __init__(self, answer):
        self.name, self.answer = answer.__name__, answer()

    def initial(self):
        return _state(self.name, "initial", self.answer.initial())

    def inc(self, state, amount, tag):
        return _state(self.name, "inc", self.answer.inc(_copy(state), amount, tag[1]))

    def merge(self, state, other):
        return _state(self.name, "merge", self.answer.merge(_copy(state), _copy(other)))

    def value(self, state):
        total = self.answer.value(_copy(state))
        if isinstance(total, bool) or not isinstance(total, int):
            raise TypeError(f"{self.name}.value returned {total!r}; it must return a whole number")
        return total


class AnsweredSet(ORSet):
    """A set whose methods are the answer's."""

    def __init__(self, answer):
        self.name, self.answer = answer.__name__, answer()

    def initial(self):
        return _state(self.name, "initial", self.answer.initial())

    def add(self, state, element, tag):
        number, replica = tag
        return _state(self.name, "add", self.answer.add(_copy(state), element, f"{replica}.{number}"))

    def remove(self, state, element, tag):
        return _state(self.name, "remove", self.answer.remove(_copy(state), element))

    def merge(self, state, other):
        return _state(self.name, "merge", self.answer.merge(_copy(state), _copy(other)))

    def value(self, state):
        elements = self.answer.value(_copy(state))
        if not isinstance(elements, (list, set, tuple)) or not all(isinstance(one, str) for one in elements):
            raise TypeError(f"{self.name}.value returned {elements!r}; it must return a list of elements")
        return sorted(set(elements))


def _copy(value):
    """A copy that can be changed, of a state that may be part of a message."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(item) for item in value]
    return value


def _state(name, method, state):
    """What a method returned, if it is a state.

    Raises:
        TypeError: it is none; says what is wrong with it.
    """
    if state is None:
        raise TypeError(f"{name}.{method} returned None; it must return a state")
    _must_be_plain(name, method, state)
    return _copy(state)


def _must_be_plain(name, method, value):
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, (str, int)):
                raise TypeError(f"{name}.{method} returned a state with the key {key!r}; keys must be text")
            _must_be_plain(name, method, item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _must_be_plain(name, method, item)
    elif value is not None and not isinstance(value, (str, int, float)):
        remedy = "write sorted(...) around it" if isinstance(value, (set, frozenset)) else "use lists and dictionaries"
        raise TypeError(f"{name}.{method} returned a state that holds an object of type {type(value).__name__}, which "
                        f"cannot be sent: {remedy}")


def counting(answer, nodes=3, **options):
    """Replicas of a counter from outside.

    Args:
        answer: a class derived from Counter.
        nodes, options: as for crdt.cluster.
    """

    class Counting(crdt.Replica):
        """A replica of this counter."""

        private = ("state",)
        payload = AnsweredCounter(answer)

    return _named(crdt.cluster(nodes, server=Counting, **options), "counting", answer, nodes, options)


def sets(answer, nodes=3, **options):
    """Replicas of a set from outside.

    Args:
        answer: a class derived from Set.
        nodes, options: as for crdt.cluster.
    """

    class Holding(crdt.Replica):
        """A replica of this set."""

        private = ("state",)
        payload = AnsweredSet(answer)

    return _named(crdt.cluster(nodes, server=Holding, **options), "sets", answer, nodes, options)


def counted(nodes=3, **options):
    """Replicas of a counter as in the report; arguments as for crdt.cluster."""
    return crdt.cluster(nodes, crdt="g-counter", **options)


def or_set(nodes=3, **options):
    """Replicas of an OR-set as in the report."""
    return crdt.cluster(nodes, crdt="or-set", **options)


def _named(system, maker, answer, nodes, options):
    given = "".join(f", {name}={value!r}" for name, value in options.items())
    system.imports = "from dslab.protocols import crdt_steps"
    return system.replace(code=f"crdt_steps.{maker}({answer.__name__}, {nodes}{given})")
