"""Isolation levels of transactions, judged exactly: can the versions be ordered so that nothing forbidden appears?

A history is first looked at for what is wrong on its face (aborted and intermediate reads, ...). What remains is a
graph in which some edges are fixed and others depend on which of two writes of an object came first; the level says
which graph must have no cycle. Lists fix nearly all of it; for registers the choices are searched
(dslab.check.ordering).

Families (what must have no cycle; D is ww and wr, with the process or real-time order where the level adds it):

    ww, committed         ww, which includes that who reads a version and writes the object comes after it; D
    monotonic atomic,     D, where u comes before w in the order of x whenever somebody reads x from w though it reads,
    atomic, causal        earlier; anywhere; or transitively; what u, who also writes x, has left
    view                  D, and D with exactly one rw
    prefix, snapshot      starts and commits: a read starts after the commit it reads from and before the next one; in
                          snapshot two writers of one object do not overlap (the first committer wins)
    serial                D and rw

Source: as dslab.check.levels; A. Cerone, A. Gotsman, Analysing Snapshot Isolation, PODC 2016 (theorem 10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, product
from typing import Any, NamedTuple

from .dependencies import order_edges
from .history import OK
from .levels import LEVELS, forbidden
from .ordering import Arc, Budget, Choice, Order, OutOfBudget, Way, in_line, search
from .serial import serial_order
from .transactions import Transaction, Writers, list_orders

FAMILIES = ("ww", "committed", "monotonic atomic", "atomic", "causal", "view", "prefix", "snapshot", "serial")
LARGEST = 1_500                   # transactions for which choices are searched; without choices there is no limit
NOBODY = -1                       # who "wrote" what was there at the start


class Searched(NamedTuple):
    """What a search for an order of transactions came to.

    Attributes:
        fits: True or False, or None if it is undecided.
        order: positions of transactions in the order in which they took effect (for weak levels: one of many).
    """

    fits: bool | None
    order: tuple[int, ...] = ()


def fits(found: Sequence[Transaction], kind: str, level: str, budget: Budget) -> Searched:
    """Whether transactions can be ordered as a level demands; anomalies on their face are judged elsewhere.

    Args:
        found: as `transactions` gives them.
        kind: "list-append" or "rw-register".
        level: a name in LEVELS.
        budget: ways that may be looked at.
    """
    writers = Writers(found)
    if kind == "list-append" and any(len(writers.able(*pair)) > 1 for pair in writers.by):
        return Searched(None)
    try:
        for sources in _sources(found, writers, kind, "garbage-read" in forbidden(level), budget):
            if kind == "rw-register" and (line := serial_order(found, sources)) is not None:
                return Searched(True, tuple(line))
            problem = _Problem(found, kind, level, sources, writers)
            order = problem.solved(budget)
            if order is not None:
                return Searched(True, tuple(order))
    except OutOfBudget:
        if LEVELS[level].family != "view":
            return Searched(None)
        found_in_one_snapshot = fits(found, kind, "snapshot-isolation", budget)      # which implies it
        return found_in_one_snapshot if found_in_one_snapshot.fits else Searched(None)
    return Searched(False)


Sources = dict[tuple[int, Any], int]              # (reader, key) -> writer


def _sources(found: Sequence[Transaction], writers: Writers, kind: str, strict: bool,
             budget: Budget) -> Iterator[Sources]:
    """Every way in which reads can be of those who wrote the values; what nobody wrote is left out unless strict."""
    pairs, options = [], []
    for t, one in enumerate(found):
        if one.status != OK:
            continue
        for key, value in one.reads.items():
            empty = value == () if kind == "list-append" else value is None
            last = value[-1] if kind == "list-append" and value else value
            able = [NOBODY] if empty else []
            if not (kind == "list-append" and empty):
                wrote = [u for u in writers.leave(key, last) if u != t]
                able += sorted(wrote, key=lambda u: (found[u].operation.invoked > one.operation.invoked,
                                                     -found[u].operation.invoked))
            if not able and not (strict and not writers.by.get((key, last))):
                continue                              # dirty reads are anomalies of their own
            pairs.append((t, key))
            options.append(able)
    ways = product(*options)
    for chosen in ways:
        budget.spend(1 + len(pairs))
        yield dict(zip(pairs, chosen, strict=True))


class _Problem:
    """One graph: nodes are transactions, or their starts and commits; arcs that are fixed; and what can be chosen."""

    def __init__(self, found: Sequence[Transaction], kind: str, level: str, sources: Sources, writers: Writers):
        self.found, self.sources = found, sources
        self.family, self.order = LEVELS[level].family, LEVELS[level].order
        self.split = self.family in ("prefix", "snapshot")
        read_from = set(sources.values())
        if kind == "list-append":
            orders, _ = list_orders(found)
            shown = {(key, value) for key, order in orders.items() for value in order}
            read_from |= {u for pair in shown for u in writers.able(*pair)}
        self.members = [t for t, one in enumerate(found) if one.status == OK or t in read_from]
        self.node = {t: n for n, t in enumerate(self.members)}
        self.arcs: list[Arc] = []
        self.never: list[Arc] = []
        self.choices: list[Choice] = []
        self.readers: dict[tuple[Any, int], list[int]] = {}
        for (t, key), w in sources.items():
            self.readers.setdefault((key, w), []).append(t)
        self.writers: dict[Any, list[int]] = {}
        for t in self.members:
            for key in found[t].writes:
                self.writers.setdefault(key, []).append(t)
        fixed = self._lists(orders, writers) if kind == "list-append" else {}
        self._dependencies(fixed)

    # what an edge of the dependency graph means as an arc

    def ww(self, a: int, b: int) -> Arc:
        """b overwrote a."""
        if self.family == "snapshot":
            return 2 * self.node[a] + 1, 2 * self.node[b]
        return (2 * self.node[a] + 1, 2 * self.node[b] + 1) if self.split else (self.node[a], self.node[b])

    def wr(self, a: int, b: int) -> Arc:
        """b read from a, or may only begin after it."""
        return (2 * self.node[a] + 1, 2 * self.node[b]) if self.split else (self.node[a], self.node[b])

    def rw(self, a: int, b: int) -> tuple[list[Arc], list[Arc]]:
        """b overwrote what a read: the arcs, and what may never be."""
        if self.family == "serial":
            return [(self.node[a], self.node[b])], []
        if self.split:
            return [(2 * self.node[a], 2 * self.node[b] + 1)], []
        return [], [(self.node[b], self.node[a])] if self.family == "view" else []

    def _overwrites(self, key: Any, a: int, b: int) -> Way:
        """The way in which b comes after a in the order of versions."""
        arcs, never = [self.ww(a, b)], []
        for r in self.readers.get((key, a), ()):
            if r != b:
                more, bars = self.rw(r, b)
                arcs += more
                never += bars
        return Way(tuple(arcs), tuple(never))

    def _lists(self, orders: dict[Any, tuple[Any, ...]], writers: Writers) -> dict[Any, list[int]]:
        """The known order of the writers of each list; what nobody read comes after it."""
        result: dict[Any, list[int]] = {}
        for key, order in orders.items():
            known = [u for value in order for u in writers.able(key, value)]
            for a, b in pairwise(known):
                if a != b:
                    self.arcs.append(self.ww(a, b))
            unread = [t for t in self.writers.get(key, ()) if self.found[t].writes[key][-1] not in order]
            self.arcs += [self.ww(known[-1], t) for t in unread if known and t != known[-1]]
            result[key] = known
        return result

    def _dependencies(self, fixed: dict[Any, list[int]]) -> None:
        if self.split:
            self.arcs += [(2 * n, 2 * n + 1) for n in range(len(self.members))]
        self.arcs += [self.wr(w, t) for (t, key), w in self.sources.items()
                      if w != NOBODY and (self.family != "ww" or key in self.found[t].writes)]
        if self.order is not None:
            members = [self.found[t] for t in self.members]
            process, real = order_edges(members)
            again = process if self.order == "process" else real
            self.arcs += [self.wr(self.members[a], self.members[b]) for a, b in again]
        if self.family in ("monotonic atomic", "atomic", "causal"):
            self._visible()
        elif self.family not in ("ww", "committed"):
            for key, those in self.writers.items():
                self._versions(key, those, list(dict.fromkeys(fixed.get(key, ()))))

    def _versions(self, key: Any, those: Sequence[int], known: Sequence[int]) -> None:
        """Fixes or leaves open which of two writers of an object comes first, with all that follows for its readers."""
        free = [t for t in those if t not in set(known)]
        for r in self.readers.get((key, NOBODY), ()):
            for b in known[:1] or free:
                if r != b:
                    self._fix(*self.rw(r, b))
        for at, a in enumerate(known):
            for b in known[at + 1 : at + 2] or free:
                way = self._overwrites(key, a, b)
                self._fix([*way.arcs], [*way.never])
        silent = self.family in ("serial", "prefix")
        for at, a in enumerate(free):
            for b in free[at + 1 :]:
                if silent and (key, a) not in self.readers and (key, b) not in self.readers:
                    continue                              # any order will do
                ways = self._overwrites(key, a, b), self._overwrites(key, b, a)
                early = self.found[a].operation.invoked <= self.found[b].operation.invoked
                self.choices.append(ways if early else ways[::-1])

    def _fix(self, arcs: list[Arc], never: list[Arc]) -> None:
        self.arcs += arcs
        self.never += never

    def _visible(self) -> None:
        """What a transaction sees of another it must not miss elsewhere: u before w, where it reads from both."""
        past: Callable[[int, Any], Iterator[int]] = self._causes() if self.family == "causal" else self._read_before
        for (t, key), w in self.sources.items():
            for u in past(t, key):
                if u not in (w, t) and key in self.found[u].writes:
                    if w == NOBODY:
                        self.arcs.append((self.node[u], self.node[u]))
                    else:
                        self.arcs.append(self.ww(u, w))

    def _read_before(self, t: int, key: Any) -> Iterator[int]:
        one = self.found[t]
        for other in one.reads:
            early = self.family == "atomic" or one.places[other] < one.places[key]
            if early and self.sources.get((t, other), NOBODY) != NOBODY:
                yield self.sources[t, other]

    def _causes(self) -> Callable[[int, Any], Iterator[int]]:
        direct: dict[int, list[int]] = {}
        for (t, _), w in self.sources.items():
            if w != NOBODY:
                direct.setdefault(t, []).append(w)

        def past(t: int, key: Any) -> Iterator[int]:
            seen, work = {t}, list(direct.get(t, ()))
            while work:
                u = work.pop()
                if u not in seen:
                    seen.add(u)
                    yield u
                    work += direct.get(u, ())

        return past

    def solved(self, budget: Budget) -> list[int] | None:
        """The members in an order that fits, or None.

        Raises:
            OutOfBudget: undecided.
        """
        size = len(self.members) * (2 if self.split else 1)
        line = in_line(size, self.arcs)
        if line is None:
            return None
        if self.choices or self.never:
            usual = [arc for choice in self.choices for arc in choice[0].arcs]
            barred = self.never or any(choice[0].never for choice in self.choices)
            line = None if barred else in_line(size, self.arcs + usual)
            if line is None and len(self.members) > LARGEST:
                raise OutOfBudget
        if line is None:
            order = Order(size)
            good = all(order.add(a, b) for a, b in self.arcs) and all(order.bar(a, b) for a, b in self.never)
            settled = search(order, self.choices, budget) if good else None
            line = None if settled is None else settled.line(range(size))
        if line is None:
            return None
        return [self.members[n // 2] for n in line if n % 2] if self.split else [self.members[n] for n in line]
