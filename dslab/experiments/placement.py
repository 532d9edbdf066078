"""How evenly consistent hashing places keys, what moves when a node is added, and what bounded loads cost.

Source: D. Karger et al., "Consistent Hashing and Random Trees", STOC 1997; V. Mirrokni, M. Thorup, M. Zadimoghaddam,
"Consistent Hashing with Bounded Loads", SODA 2018 (arXiv:1608.01350). The rules themselves, on nodes that serve
clients, are in `dslab.protocols.consistent_hashing`; here they are arrays of a million keys.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import NamedTuple

import numpy as np


def largest_arc(nodes: int, *, rings: int = 100, seed: int = 1) -> float:
    """The longest arc between neighbours on a ring of random points, as a multiple of the mean arc.

    Args:
        nodes: points on the ring, 1 or more.
        rings: how many rings the result is the mean of.
        seed: any integer from 0.

    Returns:
        About H_n, the n-th harmonic number: n random points cut a circle into arcs of which the longest is H_n / n.
    """
    rng = np.random.default_rng(seed)
    longest = []
    for _ in range(rings):
        points = np.sort(rng.random(nodes))
        longest.append(np.diff(points, append=points[0] + 1).max())
    return float(np.mean(longest) * nodes)


class Moved(NamedTuple):
    """What adding one node to n did.

    Attributes:
        share: of the keys that changed their node; 1 / (n + 1) is expected.
        elsewhere: of the keys that moved between two old nodes; 0 on a ring.
    """

    share: float
    elsewhere: float


def moved(
    nodes: int, keys: int = 20_000, *, points: int = 400, rings: int = 20, modulo: bool = False, seed: int = 1
) -> Moved:
    """Adds a node and counts the keys that change their place, as a mean over several rings.

    Args:
        nodes: before, 1 or more.
        keys: how many.
        points: of each node on the ring, 1 or more; with one alone the share varies as much as an arc does.
        rings: how many are tried.
        modulo: place a key on node `hash % n` instead of on a ring.
        seed: any integer from 0.
    """
    rng = np.random.default_rng(seed)
    shares, elsewhere = [], []
    for _ in range(rings):
        wanted = rng.integers(1 << 62, size=keys)
        if modulo:
            before, after = wanted % nodes, wanted % (nodes + 1)
        else:
            ring = rng.integers(1 << 62, size=(nodes + 1) * points)  # the last are the new node's
            before = _owners(ring[: nodes * points], wanted) // points
            after = _owners(ring, wanted) // points
        changed = before != after
        shares.append(changed.mean())
        elsewhere.append((changed & (after != nodes)).mean())
    return Moved(float(np.mean(shares)), float(np.mean(elsewhere)))


def _owners(points: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Index of the first point at or after each key."""
    order = np.argsort(points)
    return order[np.searchsorted(points[order], keys) % len(points)]


class Bounded(NamedTuple):
    """Keys on rings whose nodes refuse more than their capacity; means over the rings.

    Attributes:
        capacity: keys that a node takes.
        largest: keys of the fullest node, in any ring.
        extra_hops: nodes that a key is passed on.
        unbounded: keys of the fullest node if none refused.
    """

    capacity: int
    largest: int
    extra_hops: float
    unbounded: float


def bounded_loads(
    nodes: int = 1000, keys: int = 100_000, *, c: float = 1.25, rings: int = 20, seed: int = 1
) -> Bounded:
    """Places keys one after the other; each goes clockwise past the nodes that are full.

    Args:
        nodes, keys: how many, 1 or more.
        c: capacity as a multiple of the mean load, above 1.
        rings: how many are tried.
        seed: any integer from 0.

    Raises:
        ValueError: c is not above 1.
    """
    if not c > 1:
        raise ValueError(f"c must be above 1, or there is no room for all keys; it is {c}")
    rng = np.random.default_rng(seed)
    capacity = ceil(Fraction(str(c)) * keys / nodes)
    largest, hops, unbounded = 0, 0, []
    for _ in range(rings):
        points = np.sort(rng.random(nodes))
        firsts = np.searchsorted(points, rng.random(keys)) % nodes
        unbounded.append(np.bincount(firsts, minlength=nodes).max())
        load = [0] * nodes
        for first in firsts.tolist():
            node = first
            while load[node] == capacity:
                node = (node + 1) % nodes
                hops += 1
            load[node] += 1
        largest = max(largest, *load)
    return Bounded(capacity, largest, hops / keys / rings, float(np.mean(unbounded)))


__all__ = ["Bounded", "Moved", "bounded_loads", "largest_arc", "moved"]
