"""Makes a failing run smaller: which of its actions, and then which of its nodes, does the property need to break?"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any, NamedTuple

from dslab.check.invariants import VIOLATED, Verdict
from dslab.check.shrink import Minimised, minimise, shortest
from dslab.sim import DslabError, simulate
from dslab.sim.case import Case
from dslab.sim.schedule import Action

from .branches import Branch
from .runs import MOST_EVENTS, Runs

Tell = Callable[[int, int], None]


MOST_RUNS = 300  # for a smaller system, after the smallest schedule has been found


class Stopped(BaseException):
    """Somebody has called the search for a smaller run off; no Exception, so that no property's verdict hides it."""


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

    case = _case(runs, branch, name)
    verdict = find(case)
    if verdict is None:
        raise DslabError(f"branch {branch.id} does not violate {name!r}, so there is nothing to minimise")
    small, verdict = shortest(case, verdict, find)
    return Smaller(small.schedule, verdict, tried)


def smallest(runs: Runs, branch: Branch, name: str, found: Smaller, tell: Tell) -> Minimised | None:
    """Goes on from a smaller schedule: fewer nodes, simpler times, messages by other numbers.

    Returns:
        What was found; None where it was called off.
    """
    watched = copy(runs.system)
    prop = runs.properties.named(name)
    best = len(found.actions)

    @wraps(prop)
    def listening(world: Any) -> Any:
        tell(found.runs, best)
        return prop(world)

    def better(tried: int, case: Case) -> None:
        nonlocal best
        best = len(case.schedule)

    watched.always = (listening,)
    case = _case(runs, branch, name)._replace(schedule=[dict(action) for action in found.actions])
    try:
        return minimise(watched, case, name, runs=MOST_RUNS, progress=better)
    except (Stopped, DslabError):
        return None


def _case(runs: Runs, branch: Branch, name: str) -> Case:
    servers, clients = len(runs.system.servers), len(runs.system.clients)
    actions = [dict(action) for action in branch.actions]
    return Case(name, "", actions, branch.until, nodes=servers, clients=clients, seed=runs.seed)
