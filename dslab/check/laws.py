"""Checks the laws by which states of replicas can be merged in any order: a merge must be a least upper bound.

The states are those that replicas reach by operations and merges: all that a few steps lead to, and random longer
ones. Only states of one and the same execution are merged, because others never meet: tags are different within an
execution only. Two states are the same if no reader can tell them apart, now or after one more operation or merge.

Source: M. Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types", INRIA report
7506, 2011, section 2.3.1 (monotonic semilattice).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from random import Random
from typing import Any, NamedTuple

from dslab.sim import DslabError
from dslab.sim.watchdog import HandlerTimeout, watched

from .answers import not_answered
from .feedback import CheckFailed, folded, student_line
from .frozen import copied, freeze

REPLICAS = ("n1", "n2", "n3")
DEPTH = 3                    # steps of the executions that are all tried
COMMANDS = 4                 # different commands in those
RANDOM, LENGTH = 40, 7       # random executions, and their steps
LAWS = {
    "idempotent": "merging a state with itself changes nothing",
    "commutative": "it does not matter which of two states is merged into the other",
    "associative": "it does not matter which of three states are merged first",
    "monotone": "an operation only adds to what a state says, so merging the state before it again changes nothing",
}

Step = tuple[str, str, str]  # (replica, "merge" or "do", from whom or which command)


class BrokenLaw(NamedTuple):
    """A law that does not hold, and the smallest execution found in which it does not.

    Attributes:
        law: a key of LAWS.
        steps: what the replicas do, a sentence each, with the state after it.
        sides: the two expressions that should be the same, with what they come to.
    """

    law: str
    steps: tuple[str, ...]
    sides: tuple[str, str]

    @property
    def text(self) -> str:
        """The law and the counterexample, several lines."""
        numbered = [f"  {number}. {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([f"the merge is not {self.law}: {LAWS[self.law]}.", *numbered,
                          f"  But {self.sides[0]},", f"  and {self.sides[1]}."])


class _States:
    """All states met so far, each once, known by its number."""

    def __init__(self, payload: Any) -> None:
        self.payload = payload
        self.handling: object = None                     # what is asked of the payload now, for the watchdog
        self.states: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._merged: dict[tuple[int, int], int] = {}
        self._done: dict[tuple[int, str, int, str], int | None] = {}
        self._values: dict[int | None, Any] = {None: None}
        self.start = self.number(payload.initial())

    def number(self, state: Any) -> int:
        key = freeze(state)
        if key not in self._numbers:
            self._numbers[key] = len(self.states)
            self.states.append(copied(state))
        return self._numbers[key]

    def merge(self, x: int, y: int) -> int:
        if (x, y) not in self._merged:
            self.handling = x, y
            self._merged[x, y] = self.number(self.payload.merge(copied(self.states[x]), copied(self.states[y])))
        return self._merged[x, y]

    def operate(self, x: int, command: str, number: int, replica: str) -> int | None:
        """The state after an operation with the tag [number, replica], or None if the type refuses it."""
        key = x, command, number, replica
        if key not in self._done:
            do, _, text = command.partition(" ")
            argument = self.payload.argument(do, text)
            self.handling = key
            state = getattr(self.payload, do)(copied(self.states[x]), argument, [number, replica])
            self._done[key] = None if state is None else self.number(state)
        return self._done[key]

    def value(self, x: int | None) -> Any:
        if x not in self._values:
            self.handling = [x]
            self._values[x] = self.payload.value(copied(self.states[x]))  # type: ignore[index]
        return self._values[x]


class _Execution:
    """Replicas that take steps; remembers all states that there have been."""

    def __init__(self, known: _States, commands: Sequence[str]) -> None:
        self.known, self.commands = known, commands
        self.now = dict.fromkeys(REPLICAS, known.start)
        self.clock = dict.fromkeys(REPLICAS, 0)          # Lamport's, so that concurrent tags may have equal numbers
        self.met = {known.start: "s0"}                         # number of a state -> its name here
        self.told: list[str] = []
        self.updates: list[tuple[int, int]] = []         # before and after an operation

    def take(self, step: Step) -> None:
        """One step; an operation that the type refuses changes nothing."""
        replica, verb, about = step
        before = self.now[replica]
        if verb == "merge":
            self.clock[replica] = max(self.clock[replica], self.clock[about])
            after, what = self.known.merge(before, self.now[about]), f"{replica} merges what {about} has"
        else:
            self.clock[replica] += 1
            done = self.known.operate(before, about, self.clock[replica], replica)
            after, what = before if done is None else done, f"{replica}: {about}"
            self.updates.append((before, after))
        self.now[replica] = after
        name = self.met.setdefault(after, f"s{len(self.met)}")
        self.told.append(f"{what}; it then has {name} = {self.known.states[after]!r}")

    def same(self, x: int, y: int) -> bool:
        """Whether no reader can tell two states apart, now or after one more step."""
        known = self.known
        if x == y:
            return True
        tag = max(self.clock.values()) + 1               # of an operation after both
        after = [[one, *(known.merge(one, third) for third in self.met), *(known.operate(one, command, tag, replica)
                  for command in self.commands for replica in REPLICAS)] for one in (x, y)]
        return all(known.value(mine) == known.value(theirs) for mine, theirs in zip(*after))

    def broken(self) -> BrokenLaw | None:
        """The first law that the states so far break."""
        for law, left, right, wanted, found in self._equations():
            if not self.same(wanted, found):
                return BrokenLaw(law, tuple(self.told), (self._side(left, wanted), self._side(right, found)))
        return None

    def _side(self, expression: str, state: int) -> str:
        return f"{expression} = {self.known.states[state]!r}, which shows {self.known.value(state)!r}"

    def _equations(self) -> Iterator[tuple[str, str, str, int, int]]:
        merge, met = self.known.merge, self.met
        for x, name in met.items():
            yield "idempotent", name, f"merge({name}, {name})", x, merge(x, x)
        for (x, one), (y, two) in combinations(met.items(), 2):
            yield "commutative", f"merge({one}, {two})", f"merge({two}, {one})", merge(x, y), merge(y, x)
        for x, y in self.updates:
            yield "monotone", met[y], f"merge({met[x]}, {met[y]})", y, merge(x, y)
        for (x, one), (y, two), (z, three) in product(met.items(), repeat=3):
            if x != y != z:
                yield ("associative", f"merge(merge({one}, {two}), {three})", f"merge({one}, merge({two}, {three}))",
                       merge(merge(x, y), z), merge(x, merge(y, z)))


def broken_law(payload: Any, seed: int = 1) -> BrokenLaw | None:
    """The smallest counterexample to a law of merging that is found, or None.

    Args:
        payload: a data type: initial(), merge(state, other), value(state), argument(do, text), `examples` of commands
            and a method for each operation, called with state, argument and tag, that returns a state or None.
        seed: of the random executions.

    Raises:
        Exception: whatever the type's methods raise.
    """
    commands = [command for command in dict.fromkeys(payload.examples) if command != "read"]
    known = _States(payload)
    with watched(known):
        for steps in _all_steps(commands[:COMMANDS]):
            found = _run(known, commands, steps).broken()
            if found is not None:
                return found
        random = Random(f"laws/{seed}")
        for _ in range(RANDOM):
            steps = [_any_step(random, commands) for _ in range(LENGTH)]
            if _run(known, commands, steps).broken() is not None:
                return _smallest(known, commands, steps)
    return None


def _run(known: _States, commands: Sequence[str], steps: Sequence[Step]) -> _Execution:
    execution = _Execution(known, commands)
    for step in steps:
        execution.take(step)
    return execution


def _all_steps(commands: Sequence[str]) -> Iterator[list[Step]]:
    """All executions of at most DEPTH steps, the shortest first; replicas come in the order of their names."""
    longest: list[list[Step]] = [[]]
    for _ in range(DEPTH):
        longer = []
        for steps in longest:
            active = list(dict.fromkeys(replica for replica, *_ in steps))
            able = [*active, *REPLICAS[len(active):len(active) + 1]]
            follow: list[Step] = [(replica, "do", command) for replica in able for command in commands]
            follow += [(replica, "merge", other) for replica in able for other in active if replica != other]
            longer += [[*steps, step] for step in follow]
        yield from longer
        longest = longer


def _any_step(random: Random, commands: Sequence[str]) -> Step:
    replica, other = random.sample(REPLICAS, 2)
    return (replica, "merge", other) if random.random() < 0.4 else (replica, "do", random.choice(commands))


def _smallest(known: _States, commands: Sequence[str], steps: list[Step]) -> BrokenLaw | None:
    """What a failing execution breaks when no step can be left out of it any more."""
    best = _run(known, commands, steps).broken()
    left = 0
    while left < len(steps):
        fewer = [*steps[:left], *steps[left + 1:]]
        found = _run(known, commands, fewer).broken()
        if found is None:
            left += 1
        else:
            steps, best, left = fewer, found, 0
    return best


def judge_laws(name: str, answer: Callable[..., Any], payload: Callable[[Any], Any], *, minutes: int = 10) -> str:
    """Checks whether the states of an answer can be merged in any order.

    Args:
        name: the exercise's id.
        answer: the student's class.
        payload: called as payload(answer); makes the data type that uses it, see broken_law.
        minutes: expected time for the exercise.

    Returns:
        One line that says what was tried; or that the exercise is not answered yet.

    Raises:
        CheckFailed: a law does not hold, or the answer raises; or is not there, while grading.
    """
    try:
        found = broken_law(payload(answer))
    except NotImplementedError:
        return not_answered(name, minutes)
    except HandlerTimeout:
        raise CheckFailed(f"{name}: your answer did not return; look for a loop that never ends.") from None
    except (Exception, SystemExit) as error:
        told = DslabError(str(error))
        told.__cause__ = error
        raise CheckFailed(folded(f"{name}: {student_line(told)}")) from None
    if found is None:
        return (f"{name}: right. Merging is idempotent, commutative, associative and monotone for all states that "
                f"{DEPTH} steps of three replicas reach, and for those of {RANDOM} longer runs.")
    raise CheckFailed(folded(*f"{name}: {found.text}".splitlines(), "", f"Question: {QUESTIONS[found.law]}"))


QUESTIONS = {
    "idempotent": "A network may deliver a state twice. What should a replica learn from the second copy?",
    "commutative": "Two replicas send each other their states. Why must both end with the same?",
    "associative": "A state may arrive through a third replica, merged already. What is lost or counted on that way?",
    "monotone": "An old state may arrive late. What keeps it from undoing what was done since?",
}
