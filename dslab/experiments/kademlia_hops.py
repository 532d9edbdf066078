"""How many hops a Kademlia lookup takes, by the size of the buckets.

Source: P. Maymounkov, D. Mazieres, "Kademlia: A Peer-to-peer Information System Based on the XOR Metric", IPTPS 2002,
which proves O(log n); X. S. Cai, L. Devroye, "A Probabilistic Analysis of Kademlia Networks", ISAAC 2013, which gives
the constant and shows that it falls with the bucket size k.

One path, greedily, to a node that exists, through full routing tables: the bucket for the part of the identifiers that
shares a prefix with the target holds k nodes of it at random, or all where there are fewer. The nodes that exchange
messages, with parallel queries, are in `dslab.protocols.kademlia`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

BITS = 48  # of an identifier; below 53, so that a distance is exact as a float too
CHUNK = 50_000  # lookups at a time


class Hops(NamedTuple):
    """Hops of many lookups.

    Attributes:
        nodes, k: size of the network and of a bucket.
        counts: how many lookups took 0, 1, 2, ... hops.
    """

    nodes: int
    k: int
    counts: np.ndarray

    @property
    def mean(self) -> float:
        """Mean number of hops."""
        return float(np.arange(len(self.counts)) @ self.counts / self.counts.sum())


def hops(
    nodes: int,
    k: int = 20,
    *,
    lookups: int = 100_000,
    seed: int = 1,
    progress: Callable[[int], object] | None = None,
) -> Hops:
    """Looks up nodes, from nodes, both at random.

    Args:
        nodes: size of the network, 2 or more.
        k: size of a bucket, 1 or more.
        lookups: how many, 1 or more.
        seed: any integer from 0.
        progress: called with the number of lookups done since the last call.
    """
    rng = np.random.default_rng(seed)
    ids = np.unique(rng.integers(1 << BITS, size=nodes))
    while len(ids) < nodes:
        ids = np.unique(np.append(ids, rng.integers(1 << BITS, size=nodes - len(ids))))
    counts = np.zeros(BITS + 1, dtype=np.int64)
    for first in range(0, lookups, CHUNK):
        some = min(CHUNK, lookups - first)
        counts += np.bincount(_paths(ids, k, some, rng), minlength=len(counts))
        if progress is not None:
            progress(some)
    return Hops(nodes, k, np.trim_zeros(counts, "b"))


def _paths(ids: np.ndarray, k: int, lookups: int, rng: np.random.Generator) -> np.ndarray:
    """Hops of so many lookups; `ids` is sorted."""
    here, targets = (ids[rng.integers(len(ids), size=lookups)] for _ in range(2))
    taken = np.zeros(lookups, dtype=np.int64)
    going = np.flatnonzero(here != targets)
    while len(going):
        at, target = here[going], targets[going]
        _, differing = np.frexp((at ^ target).astype(np.float64))  # the highest bit in which they differ, from 1
        width = np.int64(1) << (differing.astype(np.int64) - 1)
        low = np.searchsorted(ids, target & ~(width - 1))  # the bucket's part of the identifiers: target's half
        size = np.searchsorted(ids, target | (width - 1), side="right") - low
        here[going] = _closest(ids, low, size, target, k, rng)
        taken[going] += 1
        going = going[here[going] != targets[going]]
    return taken


def _closest(
    ids: np.ndarray, low: np.ndarray, size: np.ndarray, target: np.ndarray, k: int, rng: np.random.Generator
) -> np.ndarray:
    """The node closest to each target in a bucket of k out of the `size` nodes from index `low` on."""
    chosen = target.copy()  # where the bucket holds all of them, the target is among them
    large = np.flatnonzero(size > k)
    if len(large):
        places = _without_repeats(size[large], k, rng)
        known = ids[low[large, None] + places]
        best = np.argmin(known ^ target[large, None], axis=1)
        chosen[large] = known[np.arange(len(large)), best]
    return chosen


def _without_repeats(sizes: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """For each size, k different whole numbers below it (Floyd's method, for all sizes at once)."""
    places = np.empty((len(sizes), k), dtype=np.int64)
    for j in range(k):
        newest = sizes - k + j
        draw = rng.integers(newest + 1)
        repeated = (places[:, :j] == draw[:, None]).any(axis=1)
        places[:, j] = np.where(repeated, newest, draw)
    return places


__all__ = ["BITS", "Hops", "hops"]
