"""What came out of a search: exhausted, violated or budget spent, with its figures."""

from __future__ import annotations

from typing import Any, NamedTuple

from dslab.sim import System
from dslab.sim.case import Case
from dslab.sim.errors import ScheduleError

from .invariants import Verdict
from .space import Space
from .symmetry import Symmetry

EXHAUSTED, VIOLATED, BUDGET_SPENT = "exhausted", "violated", "budget spent"


class Stage(NamedTuple):
    """Where a search goes on that follows another: states of that one."""

    earlier: Exploration
    states: tuple[int, ...]
    goal: str


class Exploration:
    """What came out of a search.

    Attributes:
        result: "exhausted", "violated" or "budget spent".
        why: for "budget spent": which budget.
        states: how many different states of the system were seen.
        transitions: how many steps were tried, each state's once.
        histories: how many different pairs of a state and the notes that properties had taken there; this is what
            was searched, and equals `states` where no property takes notes.
        depth: most steps from the start.
        handler_runs: how often a handler really ran.
        memory_bytes: about how much the states took.
        cpu_seconds: processor time.
        goals: {name: whether it was met in some state}.
        not_evaluable: {name of a property: why it could not be judged}.
        bounds: what was allowed, as a dict.
        verdict, case, system: the property violated, the steps to it and the system to replay them on; or None.
        space, symmetry, start: what was searched, whether mirror images count once, where it began if not at the start.
        parents: {state: the one from which it was reached first}; of a random walk, those of the last walk.
        roots: {state where a search in stages began: (the earlier search, its number there)}.
        roots_real: {first state: the one that it stands for, which symmetry may rename}.
    """

    def __init__(self, space: Space, search: str, bounds: dict[str, Any], start: Stage | None,
                 symmetry: Symmetry | None) -> None:
        self.space, self.search, self.bounds, self.start, self.symmetry = space, search, bounds, start, symmetry
        self.result, self.why = BUDGET_SPENT, ""
        self.states = self.transitions = self.histories = self.depth = 0
        self.handler_runs = self.memory_bytes = 0
        self.cpu_seconds = 0.0
        self.goals: dict[str, bool] = {}
        self.not_evaluable: dict[str, str] = {}
        self.verdict: Verdict | None = None
        self.case: Case | None = None
        self.system: System | None = None
        self.parents: dict[int, int | None] = {}
        self.roots: dict[int, tuple[Exploration, int]] = {}
        self.roots_real: dict[int, int] = {}

    @property
    def passed(self) -> bool:
        """Whether everything was seen, every property could be judged and held, and every goal was met."""
        return self.result == EXHAUSTED and all(self.goals.values()) and not self.not_evaluable

    def where(self, goal: str) -> Stage:
        """The states where a goal was met, as the start of another search.

        Raises:
            ScheduleError: it was not met.
        """
        names = list(self.goals)
        if goal not in names:
            raise ScheduleError(f"this search had no goal {goal!r}; its goals: {', '.join(names) or 'none'}")
        states = tuple(self.space.goal_states[names.index(goal)])
        if not states:
            raise ScheduleError(f"{goal} was met nowhere, so no search can start from there")
        return Stage(self, states, goal)

    def canonical(self, state: int) -> int:
        """The state that stands for this one."""
        return state if self.symmetry is None else self.symmetry.canonical(state)

    def to_json(self) -> dict[str, Any]:
        """Everything that can be written down."""
        broken = self.verdict and {"property": self.verdict.name, "title": self.verdict.title,
                                   "text": self.verdict.violation.text if self.verdict.violation else ""}
        return {"system": self.space.system.code, "search": self.search, "result": self.result, "why": self.why,
                "passed": self.passed, "states": self.states, "transitions": self.transitions,
                "histories": self.histories, "depth": self.depth, "handler_runs": self.handler_runs,
                "memory_bytes": self.memory_bytes, "cpu_seconds": round(self.cpu_seconds, 3), "goals": self.goals,
                "not_evaluable": self.not_evaluable, "bounds": self.bounds, "violation": broken,
                "replay_on": self.system.code if self.system else None,
                "schedule": self.case.schedule if self.case else None}

    def __repr__(self) -> str:
        seen = f"{self.states:,} states, {self.transitions:,} steps, up to {self.depth} deep"
        if self.start is not None:
            seen += f", from {len(self.start.states):,} states where {self.start.goal} was met"
        if self.result == VIOLATED:
            assert self.verdict is not None and self.case is not None
            text = self.verdict.violation.text if self.verdict.violation else ""
            return f'violated: "{self.verdict.title}" after {len(self.case.schedule)} actions: {text} ({seen})'
        unmet = [name for name, met in self.goals.items() if not met]
        if self.result == BUDGET_SPENT:
            told = f"budget spent ({self.why}): nothing found in {seen}; this proves nothing about the rest"
        else:
            told = f"exhausted: every property holds in all {seen}"
        if unmet:
            were = "was" if len(unmet) == 1 else "were"
            told += f"; but {' and '.join(unmet)} {were} met nowhere, so this is no pass"
        if self.not_evaluable:
            told += "; could not be judged: " + ", ".join(f"{name} ({why})" for name, why in self.not_evaluable.items())
        return told
