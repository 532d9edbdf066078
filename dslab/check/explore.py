"""Explores a system: every order of deliveries, timers, crashes, restarts, losses, duplicates, requests and lies.

The nodes are the same classes that run in the simulator. Time is left out: any timer that runs may run out next, any
message in flight may arrive next, within bounds. What comes out is "exhausted" (every reachable state was seen and
every property held), "violated" (with the steps that lead there, as a case that replays in the simulator) or "budget
spent" (nothing was found in the part that was looked at, which proves nothing).

Source of the method: explicit-state model checking, as in L. Lamport, "Specifying Systems", 2002, chapter 14, and
E. Michael et al., "Teaching Rigorous Distributed Systems With Efficient Model Checking", EuroSys 2019.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dslab.sim import System
from dslab.sim.errors import ScheduleError
from dslab.sim.guard import forbidden_calls
from dslab.sim.watchdog import watched

from .bounds import Bounds
from .exploration import Exploration, Stage
from .handlers import OrderMatters
from .judge import NOTHING, Judge, PastMatters
from .limits import (
    check_choices,
    check_numbers,
    checked_joins,
    checked_properties,
    checked_requests,
    checked_traitors,
)
from .search import Search
from .space import Space
from .symmetry import Symmetry

BYTES = 2_000_000_000       # of memory, unless another bound is given


def explore(system: System, *, requests: Sequence[Mapping[str, Any]] = (),
            timeouts: int | Mapping[str, int] | None = 0, crashes: int = 0, restarts: int = 0, losses: int = 0,
            duplicates: int = 0, joins: Sequence[Mapping[str, str]] = (),
            traitors: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
            network: str = "once", search: str = "breadth-first", goals: Sequence[Callable[..., Any]] | None = None,
            always: Sequence[Callable[..., Any]] | None = None, start: Stage | None = None, states: int = 1_000_000,
            depth: int | None = None, memory: int = BYTES, seed: int = 1, symmetry: bool = False,
            copying: str = "touched", progress: Callable[[Exploration], None] | None = None) -> Exploration:
    """Searches the states that a system can reach, for one where a safety property does not hold.

    Two states that differ in nothing but the order in which a dict was filled count as one, unless some handler does
    something else when the dicts of its node are filled in another order; then the search begins again and the order
    is part of the state. Two other orders are tried for each handler and state of its node: backwards, and the first
    key last. That finds whoever asks for the first, the last or the middle one; a handler that treats these orders
    alike and a third one not would escape. The order always counts in dicts of other types (OrderedDict, defaultdict,
    Counter), in messages, in deques and in objects of other classes. Properties must not ask for the order of a dict.

    What clients were told becomes part of the state where a property asks for it: what it notes of `world.recorded`,
    or all of `world.history`.

    Args:
        system: what to explore; its network and times do not matter here.
        requests: what clients ask, such as {"command": "x=1", "to": "n1", "client": "c1"}; each client in this order.
        timeouts: how many timers may run out: a number for all together, {timer: number} for each, None for no limit.
        crashes, restarts, losses, duplicates: how many of each.
        joins: which absent servers may join, each once and at any time, such as {"node": "n4", "to": "n1"}.
        traitors: {node: lies}; a lie is {field of a message: what to say instead}. For each message that it sends, a
            traitor may choose the truth or a lie; silence is a message that never arrives.
        network: "once": what was delivered is gone; "any number": what was sent once may arrive again and again.
        search: "breadth-first" finds a shortest way; "depth-first" and "random walk" get further with fewer states.
        goals: functions of a World to be met in some state; `system.eventually` if not given.
        always: safety properties; `system.always` if not given.
        start: begins in states of an earlier search of this system: `earlier.where("has_leader")`. Only if that one
            was exhausted can this one be; its traitors stay traitors, and tell the truth unless `traitors` names lies.
        states: most states; for a random walk: most steps.
        depth: most steps from the start; None for no limit.
        memory: most bytes for states.
        seed: of a random walk.
        symmetry: look at one state only of those that differ in which of `system.interchangeable` is which.
        copying: "deepcopy" copies every node at every step and remembers nothing, for comparison: same results, slowly.
        progress: called now and then with the unfinished result.

    Returns:
        An Exploration. Ctrl-C ends the search; what it has found by then is "budget spent".

    Raises:
        NodeError: a node does what cannot be followed, such as reading the clock; says what to do instead.
        ScheduleError: an argument is not what it must be.
    """
    if not isinstance(system, System):
        raise ScheduleError(f"explore takes a system such as raft.cluster(3), not {system!r}")
    check_choices(network=network, search=search, copying=copying)
    check_numbers({"crashes": crashes, "restarts": restarts, "losses": losses, "duplicates": duplicates,
                   "states": states, "memory": memory, "seed": seed, "depth": 0 if depth is None else depth},
                  timeouts, system)
    if start is not None and not isinstance(start, Stage):
        raise ScheduleError(f'start must be what `earlier.where("name of a goal")` gives, not {start!r}')
    safe = checked_properties("always", always, system.always)
    wanted = checked_properties("goals", goals, system.eventually)
    bounds = Bounds(checked_requests(requests, system), timeouts, crashes, restarts, losses, duplicates,
                    checked_traitors(traitors, system, start), network == "any number", checked_joins(joins, system))
    told = {"requests": list(bounds.requests), "timeouts": dict(timeouts) if isinstance(timeouts, Mapping)
            else timeouts, "crashes": crashes, "restarts": restarts, "losses": losses, "duplicates": duplicates,
            "joins": [dict(join) for join in joins], "traitors": {n: list(lies) for n, lies in bounds.traitors.items()},
            "network": network, "states": states, "depth": depth, "memory": memory}
    earlier = start.earlier.space if start is not None else None
    ordered, kept = (False, NOTHING) if earlier is None else (earlier.ordered, earlier.judge.kept)
    while True:
        space = Space(system, bounds, Judge(system, safe, wanted, kept), ordered=ordered, naive=copying == "deepcopy")
        found = Exploration(space, search, told, start, Symmetry(space) if symmetry else None)
        collecting = gc.isenabled()
        gc.disable()                       # there are no cycles among numbers, only many of them to look through
        try:
            with forbidden_calls(space.handlers), watched(space):
                Search(found, states, depth, memory, seed, progress).run()
            return found
        except OrderMatters:
            ordered = True
        except PastMatters as matters:
            if earlier is not None:
                raise ScheduleError("start: a property asks what clients did before, and the earlier search did not "
                                    "keep that: let that one judge by the same properties") from None
            kept = matters.kept
        finally:
            if collecting:
                gc.enable()
