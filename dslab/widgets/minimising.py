"""Makes a failing run smaller: which of its actions are needed for the property to break?"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dslab.check.invariants import VIOLATED, Verdict
from dslab.check.shrink import shortest
from dslab.sim import DslabError, simulate
from dslab.sim.case import Case
from dslab.sim.schedule import Action

from .branches import Branch
from .runs import MOST_EVENTS, Runs

Tell = Callable[[int, int], None]


class Stopped(Exception):
    """Somebody has called the search for a smaller run off."""


class Smaller(NamedTuple):
    """A schedule that breaks a property with less.

    Attributes:
        actions: those that are left. verdict: of their run. runs: how many were tried.
    """

    actions: list[Action]
    verdict: Verdict
    runs: int


def smaller(runs: Runs, branch: Branch, name: str, tell: Tell = lambda runs, left: None) -> Smaller:
    """Leaves actions out of a branch while the same property still breaks.

    Args:
        runs: the system, the seed and the properties.
        branch: breaks the property.
        name: of the property.
        tell: hears after every run how many have been tried and how many actions are left; may raise Stopped.

    Raises:
        DslabError: there is no such safety property, or the branch keeps it.
    """
    tried, left = 0, len(branch.actions)

    def find(case: Case) -> Verdict | None:
        nonlocal tried, left
        tried += 1
        try:
            trace = simulate(
                runs.system, seed=runs.seed, schedule=case.schedule, until=case.until, budget=MOST_EVENTS
            )
        except DslabError as error:
            trace = getattr(error, "trace", None)
        verdict = runs.properties.judge(trace, name) if trace is not None else None
        if verdict is None or verdict.status != VIOLATED:
            verdict = None
        else:
            left = min(left, len(case.schedule))
        tell(tried, left)
        return verdict

    case = Case(name, "", [dict(action) for action in branch.actions], branch.until, seed=runs.seed)
    verdict = find(case)
    if verdict is None:
        raise DslabError(f"branch {branch.id} does not violate {name!r}, so there is nothing to minimise")
    small, verdict = shortest(case, verdict, find)
    return Smaller(small.schedule, verdict, tried)
