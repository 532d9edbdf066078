"""Linearizability: an order of all operations, each between its question and its answer, that the model allows.

Objects with different keys are judged apart (theorem 1), each by the search of dslab.check.wing_gong, in turns of a
growing number of steps, because one bad key ends it and a good one can take for ever.

Source: M. Herlihy, J. Wing, "Linearizability: A Correctness Condition for Concurrent Objects", ACM TOPLAS 12(3), 1990.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .history import LEGAL, OK, UNKNOWN, VIOLATION, HistoryError, HistoryVerdict, Operation, in_order, told
from .models import model_named
from .smallest import smallest_part
from .wing_gong import FIRST_TURN, Search, begun_by

STEPS = 4_000_000           # of the model, of all keys together; each remembers at most one state


def check(history: Sequence[Operation], model: str, *, initial: Any = ..., steps: int = STEPS,
          smallest: bool = True) -> HistoryVerdict:
    """Whether a history is linearizable.

    Args:
        history: operations. model: the kind of object.
        initial: what each object holds at the start; as the model says if not given.
        steps: most steps of the model, 1 or more.
        smallest: whether to look for a smallest failing part.

    Returns:
        "unknown" only where the steps did not suffice.

    Raises:
        HistoryError: there is no such model, or an operation that it does not know.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise HistoryError(f"steps must be a whole number, 1 or more, not {steps!r}")
    kind = model_named(model)
    if initial is not ...:
        kind = kind._replace(initial=initial)
    keys: dict[Any, list[int]] = {}
    for i in in_order(history):
        o = history[i]
        kind.check(o)
        if o.status == OK or o.status == UNKNOWN and o.do not in kind.reads:
            keys.setdefault(o.key, []).append(i)
    searches = {key: Search(kind, [history[i] for i in mine]) for key, mine in keys.items()}
    bad = _in_turns(list(searches.values()), steps)
    tried = {"steps": sum(search.steps for search in searches.values()), "keys": len(searches)}
    asked = HistoryVerdict(UNKNOWN, "linearizable", model, tried=tried)
    if bad is not None:
        mine = next(keys[key] for key, search in searches.items() if search is bad)
        last = bad.stuck()
        begun = begun_by(bad.history, last)
        part = smallest_part(kind, [o for _, o in begun], Search, bad.steps) if smallest else ()
        stuck, shown = mine[last], tuple([mine[begun[i][0]] for i in part])
        return asked._replace(verdict=VIOLATION, stuck=stuck, smallest=shown, why=_why(history, stuck, shown))
    open_ = [key for key, search in searches.items() if not search.legal]
    if open_:
        return asked._replace(why=f"{tried['steps']:,} steps did not decide {len(open_)} of {len(searches)} keys, the "
                                  f"first of them {told(open_[0])}; allow more steps")
    orders = [[keys[key][i] for i in search.order()] for key, search in searches.items()]
    return asked._replace(verdict=LEGAL, witness=_merged(history, orders), why="this order gives every answer")


def _in_turns(searches: list[Search], steps: int) -> Search | None:
    """Gives each search its turns until all are done or the steps are used up; the first that finds no order."""
    turn = FIRST_TURN                             # each further turn is twice as long
    going = sorted(searches, key=lambda search: len(search.history))
    while going and steps > 0:
        for search in going:
            before = search.steps
            if search.run(min(turn, steps)) is False:
                return search
            steps -= search.steps - before
        going = [search for search in going if search.legal is None]
        turn *= 2
    return None


def _merged(history: Sequence[Operation], orders: list[list[int]]) -> tuple[int, ...]:
    """One order of all operations that keeps those of each key, and real time."""
    points: list[tuple[int, int, int]] = []
    for order in orders:
        latest = 0
        for place, i in enumerate(order):         # each takes effect as soon as it and all before it were asked
            latest = max(latest, history[i].invoked) if place else history[i].invoked
            points.append((latest, len(points), i))
    return tuple([i for _, _, i in sorted(points)])


def _why(history: Sequence[Operation], stuck: int, part: Sequence[int]) -> str:
    """What is wrong, in one sentence."""
    others = [f"`{history[i]}`" for i in part if i != stuck]
    if not others:
        return f"`{history[stuck]}` cannot be placed, whatever else happened"
    if len(others) > 6:
        others[5:] = [f"{len(others) - 5} more"]
    return f"`{history[stuck]}` cannot be placed in any order together with {' and '.join(others)}"
