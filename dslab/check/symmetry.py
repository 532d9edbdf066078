"""One state for all that differ only in which of several interchangeable nodes is which.

Interchangeable nodes are put in the order of a signature: what the node is, what others hold about it and which
messages speak of it, all without names. Renaming nodes never leads out of a symmetric system, so the state found this
way is always one that can be reached; where signatures tell apart all that differs it is one for each class of states.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from dslab.sim.errors import ScheduleError

from .frozen import freeze, renamed
from .local_states import FIELD, WIDTH
from .space import Space

ME, OTHER = "(this node)", "(another one)"


class Symmetry:
    """Finds the state that stands for all its mirror images.

    Args:
        space: of a system that declares `interchangeable` nodes.

    Raises:
        ScheduleError: it declares none, or what is explored treats them differently.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.groups = [list(group) for group in space.system.interchangeable]
        if not self.groups:
            raise ScheduleError("symmetry: this system does not say which nodes are interchangeable")
        members = [name for group in self.groups for name in group]
        named = [r["to"] for r in space.bounds.requests if r.get("to") in members] + [
            node for node in space.bounds.traitors if node in members]
        if named:
            raise ScheduleError(f"symmetry: requests or traitors name {named[0]}, which makes it different from others")
        self._numbers: dict[Any, int] = {}
        self._of_local: dict[tuple[int, int, str], int] = {}
        self._of_message: dict[tuple[int, str], int | None] = {}
        self._of_memory: dict[tuple[int, str], int] = {}
        self._renamed: dict[Any, int] = {}
        self._mentions: dict[Any, list[str]] = {}

    def canonical(self, state: int) -> int:
        """The state that stands for this one."""
        for group in self.groups:
            signatures = [self._signature(state, name, group) for name in group]
            order = sorted(range(len(group)), key=signatures.__getitem__)
            if order != list(range(len(group))):
                state = self.rename(state, {group[old]: group[new] for new, old in enumerate(order)})
        return state

    # ---- signatures

    def _number(self, key: Any) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def _signature(self, state: int, name: str, group: list[str]) -> tuple[Any, ...]:
        space = self.space
        parts = []
        for i, node in enumerate(space.names):
            if node == name or node not in group:
                parts.append((node != name, self._local(i, (state >> i * WIDTH) & FIELD, name, group)))
        messages = [self._message(number, name, group) for number in space.flights.of(state)]
        memory = self._memory((state >> space.memory_shift) & FIELD, name, group)
        return tuple(sorted(parts)), tuple(sorted(m for m in messages if m is not None)), memory

    def _without_names(self, value: Any, name: str, group: list[str]) -> Any:
        return freeze(renamed(value, {other: ME if other == name else OTHER for other in group}))

    def _local(self, i: int, number: int, name: str, group: list[str]) -> int:
        known = self._of_local.get((i, number, name))
        if known is None:
            local = self.space.locals[i][number]
            place = ME if self.space.names[i] == name else i
            what = self._without_names([local.attributes, vars(local.view.state)], name, group)
            known = self._of_local[i, number, name] = self._number((place, local.up, local.timers, what))
        return known

    def _message(self, number: int, name: str, group: list[str]) -> int | None:
        if (number, name) not in self._of_message:
            whole = self.space.flights.messages[number]
            speaks = name in self._named(("message", number), list(whole))
            self._of_message[number, name] = self._number(self._without_names(list(whole), name, group)) \
                if speaks else None
        return self._of_message[number, name]

    def _memory(self, number: int, name: str, group: list[str]) -> int:
        known = self._of_memory.get((number, name))
        if known is None:
            notes = self.space.judge.notes(number)
            known = self._of_memory[number, name] = self._number(self._without_names(notes, name, group))
        return known

    # ---- renaming

    def _named(self, key: Any, value: Any) -> list[str]:
        """The interchangeable nodes that a value names."""
        if key not in self._mentions:
            found: dict[str, None] = {}
            members = {name for group in self.groups for name in group}
            _collect(value, members, found)
            self._mentions[key] = list(found)
        return self._mentions[key]

    def rename(self, state: int, names: dict[str, str]) -> int:
        """The same state with other names."""
        space = self.space
        new = state & (FIELD << space.used_shift)
        for i, node in enumerate(space.names):
            number, target = (state >> i * WIDTH) & FIELD, names.get(node, node)
            local = space.locals[i][number]
            named = self._named((i, number), [local.attributes, {k: v for k, v in vars(local.view.state).items()
                                                                 if k != "id"}])
            key = (i, number, target, tuple(names.get(name, name) for name in named))
            if key not in self._renamed:
                self._renamed[key] = space.locals.renamed(i, number, space.index[target], names)
            new |= self._renamed[key] << space.index[target] * WIDTH
        memory = (state >> space.memory_shift) & FIELD
        notes = space.judge.notes(memory)
        named = self._named(("memory", memory), notes)
        noted = ("memory", memory, tuple(names.get(name, name) for name in named))
        if noted not in self._renamed:
            self._renamed[noted] = space.judge.adopt([renamed(mine, names) for mine in notes])
        new |= self._renamed[noted] << space.memory_shift
        for number in space.flights.of(state):
            source, target, m = space.flights.messages[number]
            named = self._named(("message", number), [source, target, m])
            flown = ("message", number, tuple(names.get(name, name) for name in named))
            if flown not in self._renamed:
                self._renamed[flown] = space.flights.number(names.get(source, source), names.get(target, target),
                                                     renamed(m, names))
            new = space.flights.send(new, (self._renamed[flown],))
        return new

    def check(self, initial: int) -> None:
        """Makes sure that the system starts alike for all of them.

        Raises:
            ScheduleError: it does not.
        """
        for group in self.groups:
            for one, other in pairwise(group):
                if self.rename(initial, {one: other, other: one}) != initial:
                    raise ScheduleError(f"symmetry: {one} and {other} start differently, so they are not "
                                        f"interchangeable")


def _collect(value: Any, members: set[str], found: dict[str, None]) -> None:
    if value.__class__ is str:
        if value in members:
            found[value] = None
    elif isinstance(value, dict):
        for key, item in value.items():
            _collect(key, members, found)
            _collect(item, members, found)
    elif isinstance(value, (set, frozenset)):
        for item in sorted(value, key=repr):
            _collect(item, members, found)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _collect(item, members, found)
