"""How much may happen in a search, and how much of it has happened on the way to a state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

LOSS, DUPLICATE, CRASH, RESTART = "loss", "duplicate", "crash", "restart"


class Bounds(NamedTuple):
    """How much may happen in a search; see dslab.check.explore.explore."""

    requests: tuple[Mapping[str, Any], ...] = ()
    timeouts: int | Mapping[str, int] | None = 0
    crashes: int = 0
    restarts: int = 0
    losses: int = 0
    duplicates: int = 0
    traitors: Mapping[str, Sequence[Mapping[str, Any]]] = {}
    kept: bool = False
    joins: tuple[Mapping[str, Any], ...] = ()


class Spent(NamedTuple):
    """What of the bounds is used up."""

    faults: tuple[int, ...]       # losses, duplicates, crashes, restarts
    timeouts: tuple[int, ...]     # of each timer that has a bound of its own, or of all together
    requests: tuple[int, ...]     # of each client


class Ledger:
    """Numbers for what is used up, and what each kind of step costs.

    A kind of step is LOSS, DUPLICATE, CRASH, RESTART, ("join", which), ("timeout", timer) or ("request", which).

    Args:
        bounds: how much may happen. clients: who makes the requests.
        shift: where the number stands in a state.

    Attributes:
        by_client: {client: the places of its requests among all, in order}.
        costs: for each number {kind: what to XOR to a state, None if its bound is used up}, as far as asked.
    """

    def __init__(self, bounds: Bounds, clients: Sequence[str], shift: int) -> None:
        self.shift = shift
        self.limits = {LOSS: bounds.losses, DUPLICATE: bounds.duplicates, CRASH: bounds.crashes,
                       RESTART: bounds.restarts}
        timers = bounds.timeouts
        self._any_timer = timers is None
        self._timers = dict(timers) if isinstance(timers, Mapping) else None
        self._all_timers = timers if isinstance(timers, int) else 0
        self.by_client = {client: [k for k, r in enumerate(bounds.requests) if r.get("client", "c1") == client]
                          for client in clients}
        self.costs: list[dict[Any, int | None]] = []
        self._spent: list[Spent] = []
        self._numbers: dict[Spent, int] = {}
        self._number(Spent((0,) * len(self.limits), (0,) * (1 if self._timers is None else len(self._timers)),
                           (0,) * len(self.by_client)))

    def cost(self, number: int, kind: Any) -> int | None:
        """What to XOR to a state when one more step of a kind is taken; None if its bound is used up."""
        costs = self.costs[number]
        if kind not in costs:
            after = self._after(self._spent[number], kind)
            costs[kind] = None if after is None else (self._number(after) ^ number) << self.shift
        return costs[kind]

    def _number(self, spent: Spent) -> int:
        if spent not in self._numbers:
            self._numbers[spent] = len(self._spent)
            self._spent.append(spent)
            self.costs.append({})
        return self._numbers[spent]

    def _after(self, spent: Spent, kind: Any) -> Spent | None:
        if kind in self.limits:
            return _one_more(spent, "faults", list(self.limits).index(kind), self.limits[kind])
        sort, what = kind
        if sort == "join" or sort == "timeout" and self._any_timer:
            return spent                        # who has joined is absent no more
        if sort == "timeout":
            if self._timers is None:
                return _one_more(spent, "timeouts", 0, self._all_timers)
            if what not in self._timers:
                return None
            return _one_more(spent, "timeouts", list(self._timers).index(what), self._timers[what])
        for place, mine in enumerate(self.by_client.values()):        # a client's requests are made in order
            if what in mine and mine.index(what) == spent.requests[place]:
                return _one_more(spent, "requests", place, len(mine))
        return None


def _one_more(spent: Spent, field: str, place: int, limit: int) -> Spent | None:
    counts = getattr(spent, field)
    if counts[place] >= limit:
        return None
    return spent._replace(**{field: (*counts[:place], counts[place] + 1, *counts[place + 1:])})
