"""Judges the states of a search by the same properties as traces: safety properties and goals.

What a property notes in `world.memory` belongs to the past of a state, so it is part of the state: two pasts that left
different notes are two states. That keeps every verdict as right as on a trace.

What clients were told is no state of a node. Only where a property asks for it, it becomes part of a state too: what
the last step was for clients while the state is judged (`recorded`), or all since the start (`history`).

A property is a function of what it reads, and most read little: who leads, and in which term. So each is watched while
it reads, and asked again only when something that it has read, or its own notes, is different.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dslab.sim import MessageError, System, Violation, World
from dslab.sim.errors import BudgetError
from dslab.sim.properties import NodeState, enter
from dslab.sim.snapshot import keep
from dslab.sim.watchdog import HandlerTimeout

from .frozen import freeze
from .invariants import title_of

ABSENT = "absent", object()
NOTHING, RECORDED, HISTORY = range(3)         # how much of what clients did is kept
PAST = ""                                     # the name under which it is read, which no node has
Records = tuple[tuple[str, str, int, Any], ...]


class PastMatters(BaseException):
    """A property asks for what clients did, and the search does not keep it; no Exception, so that nobody catches it.

    Attributes:
        kept: how much of it has to be kept.
    """

    def __init__(self, kept: int) -> None:
        super().__init__(kept)
        self.kept = kept


def _remember(world: World) -> None:
    """Keeps the history in its notes, as the first of the properties, so that it is part of every state."""
    if world.recorded:
        world.memory["records"] = [*world.memory.get("records", ()), *world.recorded]


def _as_history(notes: dict[Any, Any]) -> list[dict[str, Any]]:
    """What `_remember` has noted, as `World.history`; there is no clock, so the times are places."""
    found: list[dict[str, Any]] = []
    for place, record in enumerate(notes.get("records", ())):
        enter(found, record, place, place)
    return found


class _World(World):
    """A world that notes when a property asks for what clients did."""

    def __init__(self, reads: dict[tuple[str, str], None], past: View | None, kept: int) -> None:
        self._reads, self._past, self._kept = reads, past, kept
        super().__init__([], [])

    def _asked(self, what: str, kept: int) -> Any:
        if self._kept < kept:
            raise PastMatters(kept)
        self._reads[PAST, what] = None
        return getattr(self._past.state, what)  # type: ignore[union-attr]

    @property
    def recorded(self) -> Records:
        return self._asked("recorded", RECORDED)

    @recorded.setter
    def recorded(self, value: Any) -> None:
        """A world of the explorer has none of its own."""

    @property
    def history(self) -> list[dict[str, Any]]:
        return self._asked("history", HISTORY)

    @history.setter
    def history(self, value: Any) -> None:
        """A world of the explorer has none of its own."""


class Broken(Exception):
    """A safety property does not hold in a state.

    Attributes:
        name: of the property.
        violation: what was found.
    """

    def __init__(self, name: str, violation: Violation) -> None:
        super().__init__(violation.text)
        self.name, self.violation = name, violation


class View:
    """What a node shows, with what tells each of its attributes from others."""

    __slots__ = ("_keys", "state")

    def __init__(self, state: NodeState) -> None:
        self.state = state
        self._keys: dict[str, Any] = {}

    def key(self, attribute: str) -> Any:
        """A hashable twin of the attribute's value."""
        try:
            return self._keys[attribute]
        except KeyError:
            found = getattr(self.state, attribute, ABSENT)
            key = self._keys[attribute] = ABSENT if found is ABSENT else freeze(found)
            return key


class _Watched:
    """A node as a property sees it, noting what is read."""

    __slots__ = ("_name", "_reads", "_state")

    def __init__(self, name: str, state: NodeState, reads: dict[tuple[str, str], None]) -> None:
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_state", state)
        object.__setattr__(self, "_reads", reads)

    def __getattr__(self, attribute: str) -> Any:
        if attribute == "id":
            return self._name
        if attribute == "__dict__":             # somebody reads everything
            for name in vars(self._state):
                self._reads[self._name, name] = None
            return vars(self._state)
        self._reads[self._name, attribute] = None
        return getattr(self._state, attribute)


class _Answer(NamedTuple):
    """What a property said: the number of its notes afterwards, and a violation or whether a goal is met."""

    notes: int
    found: Any


class _Property:
    """One property and all that it has answered."""

    def __init__(self, function: Callable[..., Any], is_goal: bool) -> None:
        self.function, self.is_goal = function, is_goal
        self.name = function.__name__
        self.notes: list[dict[Any, Any]] = []
        self._numbers: dict[Any, int] = {}
        self.number({})
        # for each node that changed: {what was read: {(notes, values read): answer}}
        self.answers: dict[str, dict[tuple[tuple[str, str], ...], dict[Any, _Answer]]] = {}

    def number(self, notes: dict[Any, Any]) -> int:
        """The number of some notes."""
        key = freeze(notes)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.notes)
            self.notes.append(notes)
        return number


class Judge:
    """Evaluates properties on worlds put together from what nodes show.

    Args:
        system: whose nodes these are.
        always: safety properties. goals: functions of a World that return True where met.
        kept: how much of what clients did is part of a state: NOTHING, RECORDED or HISTORY.

    Attributes:
        not_evaluable: {name: why} of the properties that failed themselves; they were left out from then on.
        asking: what is being judged now, for the watchdog.
        starting: whether some nodes have not started, so that a property that fails will be asked again.
        memories: all different notes, of all properties together, by number.
        answers: how many answers of properties are remembered.
    """

    def __init__(self, system: System, always: Sequence[Callable[..., Any]],
                 goals: Sequence[Callable[..., Any]], kept: int = NOTHING) -> None:
        self.system, self.kept = system, kept
        self.always, self.goals = [*([_remember] if kept == HISTORY else []), *always], list(goals)
        self.properties = [_Property(f, False) for f in self.always] + [_Property(f, True) for f in goals]
        self.not_evaluable: dict[str, str] = {}
        self.starting = False
        self.asking: Any = None
        self.memories: list[tuple[int, ...]] = []
        self._numbers: dict[tuple[int, ...], int] = {}
        self.answers = 0
        self._memory((0,) * len(self.properties))

    def _memory(self, notes: tuple[int, ...]) -> int:
        number = self._numbers.get(notes)
        if number is None:
            number = self._numbers[notes] = len(self.memories)
            self.memories.append(notes)
        return number

    def notes(self, memory: int) -> list[dict[Any, Any]]:
        """What the safety properties have noted."""
        return [prop.notes[n] for prop, n in zip(self.properties, self.memories[memory]) if not prop.is_goal]

    def adopt(self, notes: Sequence[dict[Any, Any]]) -> int:
        """The number of notes that another judge has given."""
        numbers = [prop.number(mine) for prop, mine in zip(self.properties, notes)]
        return self._memory((*numbers, *[0] * len(self.goals)))

    def judge(self, views: Mapping[str, View], changed: str, memory: int,
              records: Records = ()) -> tuple[int, int]:
        """Judges one world.

        Args:
            views: {node: what it shows}.
            changed: the node that changed last.
            memory: number of all notes before.
            records: what this step was for clients.

        Returns:
            Number of all notes after, and the goals met as a bit set.

        Raises:
            Broken: a safety property does not hold.
        """
        before = self.memories[memory]
        after = []
        met = 0
        if self.kept:
            views = {**views, PAST: View(NodeState(recorded=records, history=None))}
        for i, prop in enumerate(self.properties):
            answer = self._answer(prop, views, changed, before[i])
            after.append(answer.notes)
            if prop.function is _remember:
                views[PAST].state.history = _as_history(prop.notes[answer.notes])
            if prop.is_goal:
                met |= bool(answer.found) << (i - len(self.always))
            elif answer.found is not None:
                raise Broken(prop.name, answer.found)
        numbers = tuple(after)
        return (memory if numbers == before else self._memory(numbers)), met

    def _answer(self, prop: _Property, views: Mapping[str, View], changed: str, notes: int) -> _Answer:
        known = prop.answers.setdefault(changed, {})
        for reads, answers in known.items():
            answer = answers.get((notes, *[views[node].key(attribute) for node, attribute in reads]))
            if answer is not None:
                return answer
        read: dict[tuple[str, str], None] = {}
        answer = self._ask(prop, views, changed, notes, read)
        reads = tuple(read)
        key = (notes, *[views[node].key(attribute) for node, attribute in reads])
        known.setdefault(reads, {})[key] = answer
        self.answers += 1
        return answer

    def _ask(self, prop: _Property, views: Mapping[str, View], changed: str, number: int,
             reads: dict[tuple[str, str], None]) -> _Answer:
        if prop.name in self.not_evaluable:
            return _Answer(number, None)
        world = _World(reads, views.get(PAST), self.kept)
        world.nodes = {name: _Watched(name, view.state, reads) for name, view in views.items() if name != PAST}
        world.servers = [world.nodes[name] for name in self.system.servers]
        world.clients = [world.nodes[name] for name in self.system.clients]
        world.changed = world.nodes[changed]
        before = prop.notes[number]
        notes = world.memory = keep(before) if before else {}
        self.asking = prop.name, changed, number
        try:
            found = prop.function(world)
            after = number if notes == before else prop.number(keep(notes))
        except MessageError as error:
            self.not_evaluable[prop.name] = f"it notes what cannot be compared: {error}"
            return _Answer(number, None)
        except HandlerTimeout:
            raise BudgetError(f"{prop.name}: this property did not return; look for a loop that never ends") from None
        except (Exception, SystemExit) as error:     # it may ask for what this protocol does not show
            if self.starting:              # or for what a node does not show yet
                return _Answer(number, None)
            self.not_evaluable[prop.name] = f"{type(error).__name__}: {error}"
            return _Answer(number, None)
        finally:
            self.asking = None
        if prop.is_goal:
            return _Answer(0, bool(found))
        if found is None or found is True:
            return _Answer(after, None)
        text = found if isinstance(found, str) else f"{title_of(prop.function)}: violated"
        return _Answer(after, found if isinstance(found, Violation) else Violation(text))
