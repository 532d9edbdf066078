"""Bounded staleness: the paper's table, what must be zero, and a second implementation of the model."""

from __future__ import annotations

import numpy as np
import pytest

from dslab.experiments import published
from dslab.experiments.pbs import TRACES, Delays, exponential, measure, within_versions

CASES = [(trace, quorums) for trace in ("LNKD-DISK", "YMMR") for quorums in published.pbs(trace)]


@pytest.mark.parametrize(("trace", "quorums"), CASES)
def test_table_4(trace, quorums):
    """Latencies within 5 % (10 % where a quorum is 3), t-visibility within 15 %, zeros exact."""
    r, w = quorums
    ours, paper = measure(TRACES[trace], r=r, w=w).summary(), published.pbs(trace)[quorums]
    assert ours["read_ms"] == pytest.approx(paper["read_ms"], rel=0.10 if r == 3 else 0.05)
    assert ours["write_ms"] == pytest.approx(paper["write_ms"], rel=0.10 if w == 3 else 0.05)
    if paper["t_visibility_ms"] == 0:
        assert ours["t_visibility_ms"] == 0
    else:
        assert ours["t_visibility_ms"] == pytest.approx(paper["t_visibility_ms"], rel=0.15)


@pytest.mark.parametrize(
    ("trace", "at_once", "after_10_ms"), [("YMMR", 0.893, 0.939), ("LNKD-DISK", 0.439, 0.925)]
)
def test_the_probabilities_of_section_5(trace, at_once, after_10_ms):
    """Within one point, for R = W = 1."""
    measured = measure(TRACES[trace])
    assert measured.consistent(0) == pytest.approx(at_once, abs=0.01)
    assert measured.consistent(10) == pytest.approx(after_10_ms, abs=0.01)


@pytest.mark.parametrize(("n", "published_ms"), [(2, 45.3), (10, 53.7)])
def test_more_replicas_take_a_little_longer(n, published_ms):
    """LNKD-DISK, section 5.7."""
    assert measure(TRACES["LNKD-DISK"], n=n).visible() == pytest.approx(published_ms, rel=0.15)


@pytest.mark.parametrize(("mean", "at_once", "visible"), [(0.25, 0.94, 1), (10, 0.41, 65)])
def test_exponential_delays(mean, at_once, visible):
    """Section 5.3: slow writes are what makes reads stale."""
    measured = measure(Delays.of(exponential(mean), exponential(1)))
    assert measured.consistent(0) == pytest.approx(at_once, abs=0.01)
    assert measured.visible() == pytest.approx(visible, rel=0.15)


@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize(("n", "r", "w"), [(3, 2, 2), (3, 1, 3), (3, 3, 1), (5, 3, 3), (1, 1, 1)])
def test_quorums_that_overlap_are_never_stale(trace, n, r, w):
    """R + W > N: one of the replicas that acknowledged is among those that answer."""
    assert measure(TRACES[trace], n=n, r=r, w=w, trials=2_000).consistent_after.max() == 0


def test_a_remote_site_costs_two_ways_of_75_ms():
    """A quorum of two needs one remote replica; one alone is at hand."""
    near, far = (measure(TRACES["WAN"], r=r, trials=20_000).reads for r in (1, 2))
    assert near[len(near) // 2] < 10
    assert far[0] > 150


class Told:
    """Delays that are given, one table after the other."""

    def __init__(self, *tables):
        self.tables = [np.array(table, dtype=float) for table in tables]

    def delays(self):
        """The same as Delays."""
        draws = [lambda rng, shape, table=table: table for table in self.tables]
        return Delays(*draws)


def plainly(write, ack, read, reply, r, w, after):
    """One pair by the definition in section 3.2: is a read that begins `after` ms after the commit consistent?"""
    n = len(write)
    commit = sorted(write[i] + ack[i] for i in range(n))[w - 1]
    first = sorted(range(n), key=lambda i: read[i] + reply[i])[:r]
    return any(write[i] <= commit + after + read[i] for i in first)


@pytest.mark.parametrize(("n", "r", "w"), [(3, 1, 1), (3, 1, 2), (4, 2, 1), (5, 2, 2), (2, 1, 1)])
def test_each_pair_is_judged_as_the_definition_says(n, r, w):
    """500 pairs of random delays, at seven times each, against the definition in plain Python."""
    rng = np.random.default_rng(n * 100 + r * 10 + w)
    tables = [rng.exponential(scale, (500, n)) for scale in (5, 1, 1, 1)]
    measured = measure(Told(*tables).delays(), n=n, r=r, w=w, trials=500)
    for after in (0, 0.5, 1, 2, 4, 8, 16):
        share = np.mean([plainly(*(table[i] for table in tables), r, w, after) for i in range(500)])
        assert measured.consistent(after) == pytest.approx(share, abs=1e-9)


def test_versions_of_fixed_quorums():
    """Section 3.1: [C(N-W,R) / C(N,R)] ** k."""
    assert [round(within_versions(3, 1, 1, k), 3) for k in (2, 3, 5, 10)] == [0.556, 0.704, 0.868, 0.983]
    assert [round(within_versions(3, *quorums, 2), 3) for quorums in ((1, 2), (2, 1))] == [0.889, 0.889]
    assert within_versions(3, 2, 2, 1) == 1


def test_a_seed_gives_the_same_numbers():
    """And another one others; the chunks of a long measurement do not repeat each other."""
    first, again, other = (measure(TRACES["YMMR"], trials=1000, seed=seed) for seed in (1, 1, 2))
    assert first.summary() == again.summary() != other.summary()
    assert len(np.unique(measure(TRACES["YMMR"], trials=200_000).reads)) == 200_000


@pytest.mark.parametrize(("n", "r", "w"), [(3, 4, 1), (3, 1, 0), (0, 1, 1), (3, -1, 1)])
def test_impossible_quorums(n, r, w):
    """One sentence with all three numbers."""
    with pytest.raises(ValueError, match=rf"R={r} and W={w} must be from 1 to N={n}"):
        measure(TRACES["WAN"], n=n, r=r, w=w, trials=10)
