"""Chord's path lengths, loads and failed lookups, by the closed form of a stable ring.

Source: I. Stoica, R. Morris, D. Karger, F. Kaashoek, H. Balakrishnan, "Chord: A Scalable Peer-to-peer Lookup Service
for Internet Applications", SIGCOMM 2001, section 6; extended in IEEE/ACM ToN 11(1), 2003, section V.

In a stable ring every finger is what its definition says, finger i of n is the first node at or after n + 2^i, so no
table has to be stored: a sorted list of positions answers what any node's finger is. One lookup among a million nodes
takes microseconds. The nodes that really exchange messages are in `dslab.protocols.chord`.

Hops are counted as the paper's figures need it: nodes contacted after the one that asks, up to the key's predecessor,
which knows the owner; counting the last step to the owner too gives one more. As in the paper's pseudocode (Figure 4) a
node does not ask itself first whether it owns the key: such a lookup goes round the ring.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

BITS = 48  # of a position; below 53, so that a distance is exact as a float too


class Ring:
    """Nodes at positions on a ring, all of whose fingers are right.

    Args:
        positions: whole numbers from 0 to 2**bits - 1, all different; in any order.
        bits: of a position, 1 to 52.
    """

    def __init__(self, positions: Any, bits: int = BITS) -> None:
        self.bits = bits
        self.positions = np.unique(np.asarray(positions, dtype=np.int64))
        if not len(self.positions) or self.positions[0] < 0 or self.positions[-1] >= 1 << bits:
            raise ValueError(f"a ring needs one position or more, from 0 to 2**{bits} - 1")

    @classmethod
    def random(cls, nodes: int, rng: np.random.Generator, bits: int = BITS) -> Ring:
        """A ring of this many nodes at random positions."""
        positions = np.unique(rng.integers(1 << bits, size=nodes))
        while len(positions) < nodes:
            positions = np.unique(np.append(positions, rng.integers(1 << bits, size=nodes - len(positions))))
        return cls(positions, bits)

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def _sorted(self) -> list[int]:
        return self.positions.tolist()  # bisect is faster on a list than numpy for one lookup at a time

    def owner(self, key: int) -> int:
        """The key's successor: the position of the first node at or after it."""
        return self._sorted[bisect_left(self._sorted, key) % len(self)]

    def path(self, start: int, key: int) -> list[int]:
        """The nodes of one lookup, by position: the one that asks, those it contacts, and last the owner.

        Args:
            start: position of a node of the ring.
            key: 0 to 2**bits - 1.
        """
        positions, size = self._sorted, 1 << self.bits
        owner = bisect_left(positions, key) % len(positions)
        predecessor = positions[owner - 1]
        path = [start]
        while path[-1] != predecessor:
            here = path[-1]
            # The largest finger that does not pass the predecessor is the closest preceding node.
            finger = here + (1 << ((predecessor - here) % size).bit_length() - 1)
            path.append(positions[bisect_left(positions, finger % size) % len(positions)])
        return [*path, positions[owner]]

    def owners(self, keys: np.ndarray) -> np.ndarray:
        """For many keys at once: indices of their owners among `positions`."""
        return np.searchsorted(self.positions, keys) % len(self)

    def hops(self, starts: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """For many lookups at once: nodes contacted up to the key's predecessor.

        Args:
            starts: indices of the nodes that ask, among `positions`.
            keys: 0 to 2**bits - 1, as many.
        """
        mask = (1 << self.bits) - 1
        goals = (self.owners(keys) - 1) % len(self)
        here, hops = np.array(starts), np.zeros(len(keys), dtype=np.int64)
        going = np.flatnonzero(here != goals)
        while len(going):
            at, goal = self.positions[here[going]], self.positions[goals[going]]
            _, exponent = np.frexp(((goal - at) & mask).astype(np.float64))
            finger = (at + (np.int64(1) << (exponent.astype(np.int64) - 1))) & mask
            here[going] = self.owners(finger)
            hops[going] += 1
            going = going[here[going] != goals[going]]
        return hops


class PathLengths(NamedTuple):
    """Hops of many lookups.

    Attributes:
        nodes: size of the ring.
        counts: how many lookups took 0, 1, 2, ... hops.
    """

    nodes: int
    counts: np.ndarray

    @property
    def mean(self) -> float:
        """Mean number of hops."""
        return float(np.arange(len(self.counts)) @ self.counts / self.counts.sum())

    def percentile(self, percent: float) -> int:
        """The number of hops that this many per cent of the lookups do not exceed."""
        return int(np.searchsorted(np.cumsum(self.counts), percent / 100 * self.counts.sum()))


def path_lengths(
    nodes: int, *, keys_per_node: int = 100, seed: int = 1, progress: Callable[[int], object] | None = None
) -> PathLengths:
    """Figure 10 of the 2001 paper: each key is looked up once, from a node at random.

    Args:
        nodes: size of the ring, 1 to 1,000,000.
        keys_per_node: lookups, as many for each node, 1 or more.
        seed: any integer from 0.
        progress: called with the number of lookups done since the last call.
    """
    rng = np.random.default_rng(seed)
    ring = Ring.random(nodes, rng)
    counts = np.zeros(ring.bits + 1, dtype=np.int64)
    for first in range(0, nodes * keys_per_node, 200_000):
        some = min(200_000, nodes * keys_per_node - first)
        hops = ring.hops(rng.integers(nodes, size=some), rng.integers(1 << ring.bits, size=some))
        counts += np.bincount(hops, minlength=len(counts))
        if progress is not None:
            progress(some)
    return PathLengths(nodes, np.trim_zeros(counts, "b"))


class Load(NamedTuple):
    """Keys per node, over several rings.

    Attributes:
        mean: keys per node.
        p1, p99: percentiles over all nodes of all rings, keys.
        largest: keys of the fullest node, mean over the rings.
        empty: share of the nodes that hold none.
    """

    mean: float
    p1: float
    p99: float
    largest: float
    empty: float


def load(
    nodes: int = 10_000, keys: int = 500_000, *, virtual: int = 1, rings: int = 20, seed: int = 1
) -> Load:
    """Figures 8 and 9 of the 2001 paper: how evenly the keys are spread.

    Args:
        nodes: real nodes, 1 or more.
        keys: in all, 1 or more.
        virtual: points on the ring for each node, 1 or more.
        rings: how many are tried.
        seed: any integer from 0.
    """
    rng = np.random.default_rng(seed)
    all_loads, largest = [], []
    for _ in range(rings):
        ring = Ring.random(nodes * virtual, rng)
        holder = rng.permutation(nodes * virtual) % nodes
        loads = np.bincount(holder[ring.owners(rng.integers(1 << BITS, size=keys))], minlength=nodes)
        all_loads.append(loads)
        largest.append(loads.max())
    loads = np.concatenate(all_loads)
    p1, p99 = np.percentile(loads, (1, 99))
    return Load(keys / nodes, float(p1), float(p99), float(np.mean(largest)), float(np.mean(loads == 0)))


def failed_lookups(
    failed: float, *, nodes: int = 10_000, keys: int = 1_000_000, seed: int = 1
) -> tuple[float, float]:
    """Section 6.3 of the 2001 paper: a share of the nodes fails at once, the rest stabilises, every key is looked up.

    Args:
        failed: share of the nodes, 0 or more and below 1.
        nodes, keys: how many.
        seed: any integer from 0.

    Returns:
        The share of the lookups that do not find their key, because it was lost with its node or for any other reason;
        and the mean hops of all lookups.
    """
    rng = np.random.default_rng(seed)
    before = Ring.random(nodes, rng)
    wanted = rng.integers(1 << BITS, size=keys)
    holders = before.positions[before.owners(wanted)]
    lost = rng.permutation(nodes)[: round(failed * nodes)]
    after = Ring(np.delete(before.positions, lost))
    hops = after.hops(rng.integers(len(after), size=keys), wanted)
    return float(np.mean(after.positions[after.owners(wanted)] != holders)), float(hops.mean())


__all__ = ["BITS", "Load", "PathLengths", "Ring", "failed_lookups", "load", "path_lengths"]
