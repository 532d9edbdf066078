"""Whether the arguments of a search make sense, and the bounds that they describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dslab.sim import System
from dslab.sim.errors import ScheduleError
from dslab.sim.schedule import check_schedule
from dslab.sim.treason import known_fields

from .exploration import Stage

NETWORKS = "once", "any number"
SEARCHES = "breadth-first", "depth-first", "random walk"
COPYING = "touched", "deepcopy"


def check_choices(**chosen: str) -> None:
    """Makes sure that each of `network`, `search` and `copying` is one of its values.

    Raises:
        ScheduleError: one is not.
    """
    for (name, value), known in zip(chosen.items(), (NETWORKS, SEARCHES, COPYING), strict=True):
        if value not in known:
            raise ScheduleError(f"{name} is one of {', '.join(map(repr, known))}, not {value!r}")


def check_numbers(numbers: Mapping[str, Any], timeouts: Any, system: System) -> None:
    """Makes sure that bounds and budgets are numbers, and that each timer named is one.

    Raises:
        ScheduleError: they are not.
    """
    if isinstance(timeouts, Mapping):
        given = {**numbers, **{f"timeouts[{timer!r}]": number for timer, number in timeouts.items()}}
    else:
        given = {**numbers, "timeouts": 0 if timeouts is None else timeouts}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ScheduleError(f"{name} must be a whole number, 0 or more, not {value!r}")
    if isinstance(timeouts, Mapping):
        known = dict.fromkeys(name[3:-8] for cls in system.classes.values() for name in dir(cls)
                              if name.startswith("on_") and name.endswith("_timeout"))
        for timer in timeouts:
            if timer not in known:
                raise ScheduleError(f"timeouts: there is no timer {timer!r}; "
                                    f"the timers are {', '.join(known) or 'none'}")


def checked_properties(name: str, given: Any, otherwise: Sequence[Callable[..., Any]]) -> list[Callable[..., Any]]:
    """The functions of an argument, or those that stand for it where it is None.

    Raises:
        ScheduleError: it is no list of functions with names of their own.
    """
    if given is None:
        return list(otherwise)
    if not isinstance(given, (list, tuple)) or not all(map(callable, given)):
        raise ScheduleError(f"{name} must be a list of functions of a World, not {given!r}")
    called = [prop.__name__ for prop in given]
    if twice := next((one for one in called if called.count(one) > 1), None):
        raise ScheduleError(f"two of {name} are both called {twice!r}, so nobody could tell which one is meant: "
                            f"write each as a function with a name of its own")
    return list(given)


def checked_requests(requests: Any, system: System) -> tuple[Mapping[str, Any], ...]:
    """The requests with all their arguments.

    Raises:
        ScheduleError: they are no list of requests that this system can take.
    """
    if not isinstance(requests, (list, tuple)) or not all(isinstance(request, Mapping) for request in requests):
        raise ScheduleError(f'requests must be a list such as [{{"command": "x=1", "to": "n1"}}], not {requests!r}')
    asked = check_schedule([{"at": 0, "do": "request", **request} for request in requests], system)
    return tuple({k: v for k, v in act.items() if k not in ("at", "do")} for act in asked)


def checked_joins(joins: Any, system: System) -> tuple[Mapping[str, Any], ...]:
    """The joins with all their arguments.

    Raises:
        ScheduleError: they are no list of absent servers that join through another one.
    """
    if not isinstance(joins, (list, tuple)) or not all(isinstance(join, Mapping) for join in joins):
        raise ScheduleError(f'joins must be a list such as [{{"node": "n4", "to": "n1"}}], not {joins!r}')
    entering = check_schedule([{"at": 0, "do": "join", **join} for join in joins], system)
    for join in entering:
        if join["node"] not in system.absent or "to" not in join:
            raise ScheduleError(f"joins: {join['node']} must be absent at first, so in System(..., absent=[...]), and "
                                f"join through a server that \"to\" names")
    return tuple(entering)


def checked_traitors(traitors: Any, system: System, start: Stage | None) -> dict[str, list[dict[str, Any]]]:
    """The lies of each traitor, those included that were traitors in an earlier search.

    Raises:
        ScheduleError: they are no lists of lies, one for each traitor.
    """
    if traitors is not None and not isinstance(traitors, Mapping):
        raise ScheduleError(f'traitors must be a dict such as {{"n1": [{{"value": "b"}}]}}, not {traitors!r}')
    given = dict(traitors or {})
    for node, lies in given.items():
        if node not in system.servers:
            raise ScheduleError(f"traitors: there is no server {node!r}; choose from {', '.join(system.servers)}")
        if not isinstance(lies, (list, tuple)) or not all(isinstance(lie, Mapping) for lie in lies):
            raise ScheduleError(f'traitors: the lies of {node} must be a list such as [{{"value": "b"}}], not {lies!r}')
        for lie in lies:
            wrong = [field for field in lie if field not in known_fields()]
            if wrong:
                raise ScheduleError(f"traitors: no message has a field {wrong[0]!r} for {node} to lie about")
    earlier = start.earlier.space.bounds.traitors if start is not None else {}
    return {**{node: [] for node in earlier}, **{node: [dict(lie) for lie in lies] for node, lies in given.items()}}
