"""Chord while nodes fail and join: longer paths, time-outs and failed lookups.

Source: I. Stoica, R. Morris, D. Karger, F. Kaashoek, H. Balakrishnan, "Chord: A Scalable Peer-to-peer Lookup Service
for Internet Applications", SIGCOMM 2001, section 6.4 (Figure 12); IEEE/ACM ToN 11(1), 2003, tables II and III.

As in the paper's own simulator a lookup takes no time, while stabilisation takes half a minute, and each node keeps
tables of its own, which are wrong until it repairs them by asking others. The nodes that exchange messages, with
latencies and failure detection, are in `dslab.protocols.chord`; two hours of 500 of them would take a day.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable
from random import Random
from typing import NamedTuple

BITS = 32
SIZE = 1 << BITS
STABILISE_S = 30.0  # mean time between two rounds of a node; drawn from half to one and a half of it
LIST_LENGTH = 20  # of a successor list, in the 2003 paper


def _between(position: int, after: int, upto: int) -> bool:
    """Whether a position lies on the arc (after, upto]."""
    return 0 < (position - after) % SIZE <= ((upto - after) % SIZE or SIZE)


class Table:
    """What one node knows: positions, of which some may have failed since."""

    __slots__ = ("fingers", "next_finger", "predecessor", "successors")

    def __init__(self, successors: list[int], fingers: list[int], predecessor: int | None) -> None:
        self.successors = successors
        self.fingers = fingers
        self.predecessor = predecessor
        self.next_finger = 0

    def preceding(self, here: int, key: int) -> list[int]:
        """All known nodes on the arc (here, key), the closest to the key first."""
        span = (key - here) % SIZE or SIZE
        found = {(p - here) % SIZE for p in (*self.fingers, *self.successors)}
        return [(here + way) % SIZE for way in sorted((w for w in found if 0 < w < span), reverse=True)]


class Found(NamedTuple):
    """One lookup.

    Attributes:
        node: where it ended; None if it could not go on.
        hops: nodes contacted after the one that asks, up to the key's predecessor.
        timeouts: nodes that did not answer.
    """

    node: int | None
    hops: int
    timeouts: int


class ChangingRing:
    """A ring whose nodes keep tables that may be out of date.

    Args:
        nodes: how many at first; their tables are right.
        random: where all chance comes from.
        list_length: entries of a successor list; 1 for the rules of 2001.
        retry: whether a lookup that meets a failed node tries the next best; the 2001 paper's fails at once.
    """

    def __init__(self, nodes: int, random: Random, *, list_length: int = LIST_LENGTH, retry: bool = True) -> None:
        self.random, self.list_length, self.retry = random, list_length, retry
        self.alive = sorted(random.sample(range(SIZE), nodes))
        n = len(self.alive)
        self.tables = {
            here: Table(
                [self.alive[(i + k) % n] for k in range(1, min(list_length, n - 1) + 1)],
                [self.owner(here + (1 << k)) for k in range(BITS)],
                self.alive[i - 1],
            )
            for i, here in enumerate(self.alive)
        }

    def owner(self, key: int) -> int:
        """The node that holds the key now, whatever the tables say."""
        return self.alive[bisect_left(self.alive, key % SIZE) % len(self.alive)]

    def any(self) -> int:
        """A node at random."""
        return self.alive[self.random.randrange(len(self.alive))]

    def lookup(self, start: int, key: int) -> Found:
        """Follows the tables; a node that did not answer once is not asked again in this lookup."""
        here, hops, silent = start, 0, dict[int, None]()
        while True:
            table = self.tables[here]
            following = self._first_alive(table.preceding(here, key), silent)
            if following is None:
                break
            here, hops = following, hops + 1
        if silent and not self.retry:
            return Found(None, hops, len(silent))
        owner = self._first_alive([node for node in table.successors if node not in silent], silent)
        if owner is not None and self.knows_better(owner, key):
            owner = self.tables[owner].predecessor
        return Found(owner, hops, len(silent))

    def knows_better(self, owner: int, key: int) -> bool:
        """Whether a node that is asked for a key has a living predecessor that should hold it."""
        predecessor = self.tables[owner].predecessor
        return self.retry and predecessor in self.tables and not _between(key, predecessor, owner)

    def _first_alive(self, candidates: list[int], silent: dict[int, None]) -> int | None:
        """The first that answers; those that do not are noted."""
        for candidate in candidates:
            if candidate in self.tables:
                return candidate
            silent[candidate] = None
            if not self.retry:
                break
        return None

    def fail(self, node: int) -> None:
        """A node stops, and its keys are taken over by its successor."""
        self.alive.remove(node)
        del self.tables[node]

    def join(self) -> int | None:
        """A new node asks one at random for its successor, takes over its tables and tells it; None if that failed."""
        here, known = self.random.randrange(SIZE), self.any()
        successor = self.lookup(known, here).node
        if here in self.tables or successor is None:
            return None
        others = self.tables[successor]
        self.tables[here] = Table([successor, *others.successors][: self.list_length], list(others.fingers), None)
        insort(self.alive, here)
        self._notify(successor, here)
        for k in range(BITS):
            self._fix_finger(here, k)
        return here

    def _notify(self, node: int, candidate: int) -> None:
        table = self.tables[node]
        known = table.predecessor
        if known not in self.tables or _between(candidate, known, node - 1):
            table.predecessor = candidate

    def stabilise(self, here: int, *, all_fingers: bool) -> None:
        """One round of a node: repair the successors, tell the successor, fix one finger or all."""
        table = self.tables[here]
        living = [node for node in table.successors if node in self.tables]
        if not living:
            living = [self.owner(here + 1)]  # cut off: it joins again
        successor = living[0]
        closer = self.tables[successor].predecessor
        if closer in self.tables and closer != here and _between(closer, here, successor - 1):
            successor = closer
        table.successors = [successor, *self.tables[successor].successors][: self.list_length]
        self._notify(successor, here)
        first = min(((successor - here) % SIZE).bit_length(), BITS - 1)  # those below are the successor itself
        table.fingers[:first] = [successor] * first
        table.next_finger = max(first, (table.next_finger + 1) % BITS)
        for k in range(first, BITS) if all_fingers else [table.next_finger]:
            self._fix_finger(here, k)

    def _fix_finger(self, here: int, k: int) -> None:
        table = self.tables[here]
        start = (here + (1 << k)) % SIZE
        if table.successors and _between(start, here, table.successors[0]):
            table.fingers[k] = table.successors[0]
            return
        found = self.lookup(here, start).node
        if found is not None:
            table.fingers[k] = found


class Lookups(NamedTuple):
    """What became of many lookups.

    Attributes:
        lookups: how many.
        failed: how many did not end at the key's owner.
        hops: mean, up to the key's predecessor.
        timeouts: mean.
    """

    lookups: int
    failed: int
    hops: float
    timeouts: float


def without_stabilisation(
    failed: float, *, nodes: int = 1000, lookups: int = 10_000, list_length: int = LIST_LENGTH, seed: int = 1
) -> Lookups:
    """Table II of the 2003 paper: a share of the nodes fails at once, and nobody repairs anything.

    Args:
        failed: share of the nodes, from 0 to 0.9.
        nodes, lookups: how many.
        list_length: entries of a successor list.
        seed: any integer.
    """
    ring = ChangingRing(nodes, Random(f"{seed}/without stabilisation"), list_length=list_length)
    for node in ring.random.sample(ring.alive, round(failed * nodes)):
        ring.fail(node)
    return _summary([_one_lookup(ring) for _ in range(lookups)])


def churn(
    rate: float,
    *,
    nodes: int = 1000,
    hours: float = 2,
    list_length: int = LIST_LENGTH,
    all_fingers: bool = False,
    retry: bool = True,
    seed: int = 1,
    progress: Callable[[int], object] | None = None,
) -> Lookups:
    """Nodes join and fail, each as a Poisson process, while one key a second is looked up (also Poisson).

    Args:
        rate: joins per second, and failures per second.
        nodes: at first.
        hours: simulated.
        list_length, retry: see ChangingRing.
        all_fingers: whether a round fixes all fingers, as in 2001, or one, as in 2003.
        seed: any integer.
        progress: called with the number of simulated seconds since the last call.
    """
    random = Random(f"{seed}/churn")
    ring = ChangingRing(nodes, random, list_length=list_length, retry=retry)
    until, number, results = hours * 3600, 0, []
    events: list[tuple[float, int, str, int]] = []

    def plan(at: float, what: str, node: int = 0) -> None:
        nonlocal number
        number += 1
        heapq.heappush(events, (at, number, what, node))

    for node in ring.alive:
        plan(random.uniform(0, STABILISE_S), "stabilise", node)
    plan(random.expovariate(1), "lookup")
    if rate > 0:
        plan(random.expovariate(rate), "join")
        plan(random.expovariate(rate), "fail")
    done = 0
    while events[0][0] < until:
        now, _, what, node = heapq.heappop(events)
        if progress is not None and now >= done + 60:
            progress(60)
            done += 60
        if what == "lookup":
            results.append(_one_lookup(ring))
            plan(now + random.expovariate(1), what)
        elif what == "fail":
            if len(ring.alive) > 2:
                ring.fail(ring.any())
            plan(now + random.expovariate(rate), what)
        elif what == "join":
            joined = ring.join()
            if joined is not None:
                plan(now + random.uniform(0, STABILISE_S), "stabilise", joined)
            plan(now + random.expovariate(rate), what)
        elif node in ring.tables:
            ring.stabilise(node, all_fingers=all_fingers)
            plan(now + random.uniform(0.5, 1.5) * STABILISE_S, what, node)
    return _summary(results)


def _one_lookup(ring: ChangingRing) -> tuple[bool, int, int]:
    """Whether it found the owner, hops, time-outs."""
    key = ring.random.randrange(SIZE)
    found = ring.lookup(ring.any(), key)
    return found.node == ring.owner(key), found.hops, found.timeouts


def _summary(results: list[tuple[bool, int, int]]) -> Lookups:
    number = len(results)
    right, hops, timeouts = (sum(column) for column in zip(*results, strict=True))
    return Lookups(number, number - right, hops / number, timeouts / number)


__all__ = ["ChangingRing", "Found", "Lookups", "Table", "churn", "without_stabilisation"]
