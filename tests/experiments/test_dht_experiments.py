"""Chord and Kademlia by closed form and under churn: the papers' numbers and second implementations."""

from __future__ import annotations

import random

import numpy as np
import pytest

from dslab.experiments import published
from dslab.experiments.chord_churn import SIZE, ChangingRing, churn, without_stabilisation
from dslab.experiments.chord_ring import Ring, failed_lookups, load, path_lengths
from dslab.experiments.kademlia_hops import hops


def finger_table_path(positions, bits, start, key):
    """Figure 4 of the 2001 paper, word for word, with stored tables and no shortcut."""
    size = 1 << bits

    def successor(position):
        return min(positions, key=lambda node: (node - position) % size)

    def inside(position, after, before):  # the open interval (after, before)
        return position != after and (after == before or 0 < (position - after) % size < (before - after) % size)

    here, path = start, [start]
    while not (inside(key, here, successor(here + 1)) or key == successor(here + 1)):
        fingers = [successor(here + 2**i) for i in range(bits)]
        here = next(finger for finger in reversed(fingers) if inside(finger, here, key))
        path.append(here)
    return [*path, successor(here + 1)]


@pytest.mark.parametrize("seed", range(6))
def test_paths_are_those_of_stored_finger_tables(seed):
    """Every start and key of a small ring; counted one at a time and all at once."""
    rng = random.Random(seed)
    positions = rng.sample(range(64), rng.randint(1, 9))
    ring = Ring(positions, bits=6)
    for index, start in enumerate(sorted(positions)):
        expected = [finger_table_path(positions, 6, start, key) for key in range(64)]
        assert [ring.path(start, key) for key in range(64)] == expected
        counted = ring.hops(np.full(64, index), np.arange(64))
        assert counted.tolist() == [len(path) - 2 for path in expected]


@pytest.mark.parametrize("exponent", range(3, 14))
def test_half_of_log2_n(exponent):
    """Figure 10: within a quarter of a hop; the 1st and 99th percentile grow with it."""
    path = path_lengths(2**exponent, keys_per_node=20)
    assert path.mean == pytest.approx(exponent / 2, abs=0.25)
    assert path.percentile(1) <= path.mean <= path.percentile(99) <= exponent


def test_a_lookup_among_a_million_nodes():
    """Half of log2 of a million hops, and the owner is the one that a linear search finds."""
    rng = np.random.default_rng(5)
    ring = Ring.random(1_000_000, rng)
    starts, keys = ring.positions[rng.integers(1_000_000, size=300)], rng.integers(1 << ring.bits, size=300)
    paths = [ring.path(int(start), int(key)) for start, key in zip(starts, keys, strict=True)]
    assert np.mean([len(path) - 2 for path in paths]) == pytest.approx(9.97, abs=0.4)
    for path, key in zip(paths, keys, strict=True):
        assert path[-1] == ring.positions[np.argmin((ring.positions - key) % (1 << ring.bits))]


def test_load_without_and_with_virtual_nodes():
    """Figures 8 and 9: percentiles of the Gamma distribution that arcs of random points have."""
    alone = load(10_000, 500_000, rings=5)
    assert alone.p99 / alone.mean == pytest.approx(4.7, rel=0.05)
    assert alone.p1 == 0 < alone.empty
    assert 7 < alone.largest / alone.mean < 13
    reference = {1: (0, 4.7), 5: (0.24, 2.36), 20: (0.52, 1.64)}
    for virtual, (p1, p99) in reference.items():
        measured = load(10_000, 1_000_000, virtual=virtual, rings=2)
        assert measured.p99 / measured.mean == pytest.approx(p99, rel=0.05)
        assert measured.p1 / measured.mean == pytest.approx(p1, abs=0.03)


@pytest.mark.parametrize("failed", [0.05, 0.2, 0.5])
def test_after_stabilisation_only_lost_keys_are_missing(failed):
    """Section 6.3 of 2001: failed lookups are the share of the nodes that failed, within one point."""
    share, _ = failed_lookups(failed, keys=100_000)
    assert share == pytest.approx(failed, abs=0.01)


@pytest.mark.parametrize("failed", [0, 0.1, 0.2, 0.3, 0.4, 0.5])
def test_table_ii_of_2003(failed):
    """Paths within 0.3 of a hop, time-outs within 40 %."""
    measured = without_stabilisation(failed, lookups=4_000)
    assert measured.hops == pytest.approx(published.chord("without-stabilisation", "hops")[failed], abs=0.3)
    paper = published.chord("without-stabilisation", "timeouts")[failed]
    assert measured.timeouts == pytest.approx(paper, rel=0.4)
    assert measured.failed == 0


def test_churn_by_the_rules_of_2001():
    """About R x 30 x 5 / 500 of the lookups fail, within a factor of two."""
    measured = churn(0.1, nodes=500, hours=0.2, list_length=1, all_fingers=True, retry=False)
    assert 0.015 < measured.failed / measured.lookups < 0.06


def test_churn_by_the_rules_of_2003():
    """Time-outs within a factor of two of table III, paths of about 3.8 to 4.1 hops, few wrong answers."""
    measured = churn(0.4, hours=0.4)
    assert 0.46 / 2 < measured.timeouts < 0.46 * 2
    assert 3.6 < measured.hops < 4.2
    assert measured.failed / measured.lookups < 2 * 15 / 10_000


def test_tables_are_right_at_first_and_again_after_everything_stops():
    """Joins and failures, then rounds of all nodes: each successor, list and finger is what its definition says."""
    ring = ChangingRing(60, random.Random(3), list_length=6)
    for step in range(40):
        ring.join() if step % 2 else ring.fail(ring.any())
        for node in ring.random.sample(ring.alive, 10):
            ring.stabilise(node, all_fingers=False)
    for _ in range(8):
        for node in ring.alive:
            ring.stabilise(node, all_fingers=True)
    n = len(ring.alive)
    for i, node in enumerate(ring.alive):
        assert ring.tables[node].successors == [ring.alive[(i + k) % n] for k in range(1, 7)]
        assert ring.tables[node].fingers == [ring.owner(node + 2**k) for k in range(SIZE.bit_length() - 1)]
        assert all(ring.lookup(node, key).node == ring.owner(key) for key in range(0, SIZE, SIZE // 50))


def plain_kademlia(nodes, k, bits, rng):
    """Mean hops in a small network whose tables are stored: one random bucket per node and prefix."""
    ids = rng.sample(range(1 << bits), nodes)
    tables: dict[tuple[int, int], list[int]] = {}
    for one in ids:
        for bit in range(bits):
            bucket = [other for other in ids if (one ^ other).bit_length() == bit + 1]
            tables[one, bit] = rng.sample(bucket, min(k, len(bucket)))
    total = 0
    for start in ids:
        for target in ids:
            here = start
            while here != target:
                here = min(tables[here, (here ^ target).bit_length() - 1], key=lambda other: other ^ target)
                total += 1
    return total / nodes**2


@pytest.mark.parametrize("k", [1, 3])
def test_kademlia_with_stored_tables_takes_as_many_hops(k):
    """64 nodes, all pairs, five networks."""
    rng = random.Random(k)
    stored = np.mean([plain_kademlia(64, k, 20, rng) for _ in range(5)])
    drawn = np.mean([hops(64, k, lookups=4_000, seed=seed).mean for seed in range(5)])
    assert drawn == pytest.approx(stored, abs=0.1)


@pytest.mark.parametrize(
    ("k", "expected"), [(1, (3.97, 4.94, 5.88, 6.87)), (8, (1.95, 2.36, 2.82, 3.27)), (20, (1.64, 1.93, 2.29, 2.66))]
)
def test_kademlia_hops_fall_with_the_bucket_size(k, expected):
    """Reference runs at 2^8 to 2^14 nodes, within 0.15 of a hop."""
    measured = [hops(2**exponent, k, lookups=10_000).mean for exponent in (8, 10, 12, 14)]
    assert measured == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize("positions", [[], [-1], [1 << 48], [5, -3]])
def test_positions_outside_the_ring(positions):
    """One sentence with the bounds."""
    with pytest.raises(ValueError, match="a ring needs one position or more, from 0 to"):
        Ring(positions)
