"""Tiny random protocols, as tables: run by a Node class in the explorer, and by hand here, in the simplest way."""

from __future__ import annotations

from collections import Counter
from random import Random
from types import MappingProxyType
from typing import Any

from dslab.sim import Node, System, message

STATES, LETTERS = 3, 2
NAMES = ("n1", "n2", "n3")


@message
class Letter:
    """{source} sends {target} the letter {letter}."""

    letter: int


def table(seed: int) -> MappingProxyType[Any, Any]:
    """What every node does: {(state, event): (new state, sends, whether the timer starts)}.

    Letters are answered with smaller letters only, so every protocol comes to an end.
    """
    random = Random(f"protocol/{seed}")

    def reaction(letters: range) -> tuple[int, tuple[tuple[int, int], ...], bool]:
        sends = tuple((random.randrange(1, 3), random.choice(letters)) for _ in range(random.randrange(2)) if letters)
        return random.randrange(STATES), sends, random.random() < 0.4

    rules: dict[Any, Any] = {"durable": random.random() < 0.5}
    for node in range(3):
        rules["start", node] = reaction(range(LETTERS))
        for state in range(STATES):
            rules["timer", node, state] = reaction(range(LETTERS))
            for letter in range(LETTERS):
                rules["letter", node, state, letter] = reaction(range(letter))
    return MappingProxyType(rules)


def system(rules: MappingProxyType[Any, Any]) -> System:
    """The protocol as a Node class."""
    class Machine(Node):
        durable = {"state": 0} if rules["durable"] else {}
        shows = ("state",)

        @property
        def me(self):
            return int(self.id[1:]) - 1

        def on_start(self):
            self.state = getattr(self, "state", 0)
            self.react(rules["start", self.me])

        def on_tick_timeout(self):
            self.react(rules["timer", self.me, self.state])

        def on_letter(self, sender, m):
            self.react(rules["letter", self.me, self.state, m.letter])

        def react(self, reaction):
            self.state, sends, starts = reaction
            for step, letter in sends:
                self.send(f"n{(self.me + step) % 3 + 1}", Letter(letter))
            if starts:
                self.set_timer("tick", after=10)
            else:
                self.cancel_timer("tick")
    return System(Machine, 3)


def by_hand(rules: MappingProxyType[Any, Any], timeouts: int = 0, crashes: int = 0, restarts: int = 0, losses: int = 0,
            duplicates: int = 0, kept: bool = False) -> tuple[int, int]:
    """(states, steps) of the protocol within bounds.

    A state is (nodes, air, used): a node is (up, state, timer runs, what it showed when it crashed), the air is a
    multiset of (source, target, letter).
    """
    def react(nodes, air, i, reaction):
        state, sends, starts = reaction
        flying = Counter(dict(air))
        for step, letter in sends:
            flight = (i, (i + step) % 3, letter)
            flying[flight] = 1 if kept else flying[flight] + 1
        new = list(nodes)
        new[i] = (True, state, starts, None)
        return tuple(new), frozenset(flying.items())

    def without(air, flight):
        if kept:
            return air
        flying = Counter(dict(air))
        flying[flight] -= 1
        return frozenset((+flying).items())

    def used_up(used, kind):
        new = list(used)
        new[kind] += 1
        return tuple(new)

    nodes, air = ((False, 0, False, None),) * 3, frozenset()
    for i in range(3):
        nodes, air = react(nodes, air, i, rules["start", i])
    first = (nodes, air, (0,) * 5)
    bounds = (timeouts, crashes, restarts, losses, duplicates)
    seen, waiting, count = {first}, [first], 0
    while waiting:
        nodes, air, used = waiting.pop()
        after = []
        for i, (up, state, ticking, _) in enumerate(nodes):
            if ticking and used[0] < bounds[0]:
                after.append((*react(nodes, air, i, rules["timer", i, state]), used_up(used, 0)))
            if up and used[1] < bounds[1]:
                crashed = (False, state if rules["durable"] else 0, False, state)
                after.append(((*nodes[:i], crashed, *nodes[i + 1:]), air, used_up(used, 1)))
            if not up and used[2] < bounds[2]:
                after.append((*react(nodes, air, i, rules["start", i]), used_up(used, 2)))
        for flight, copies in air:
            _, target, letter = flight
            if nodes[target][0]:
                rule = rules["letter", target, nodes[target][1], letter]
                after.append((*react(nodes, without(air, flight), target, rule), used))
            if used[3] < bounds[3]:
                after.append((nodes, without(air, flight), used_up(used, 3)))
            if used[4] < bounds[4]:
                doubled = air if kept else (air - {(flight, copies)}) | {(flight, copies + 1)}
                after.append((nodes, doubled, used_up(used, 4)))
        for new in after:
            count += 1
            if new not in seen:
                seen.add(new)
                waiting.append(new)
    return len(seen), count
