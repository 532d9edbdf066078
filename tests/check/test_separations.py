"""Neighbouring models are told apart by the histories that are kept for it; none is smaller; and the lattice is as it
is said, by enumeration of all small histories."""

from __future__ import annotations

import itertools
import random
import sys
from pathlib import Path

import pytest

from dslab import simulate
from dslab.check import eventual, views, weaker
from dslab.check.history import CONSISTENCY, HistoryError, Operation, check_history
from dslab.check.invariants import check_trace
from dslab.check.isolation import fits
from dslab.check.levels import IMPLIES, LEVELS, forbidden, implied, strongest
from dslab.check.ordering import Budget
from dslab.check.separations import BETWEEN, BETWEEN_TRANSACTIONS, SAME, SEPARATIONS, judge, separating
from dslab.check.transactional import anomalies
from dslab.protocols import local_reads, local_reads_cases

sys.path.insert(0, str(Path(__file__).parent))
from small_histories import single, transactional

TOLD = ("identity", "bounces")                 # as the catalogue tells them, not as short as can be
ALL = "read your writes + monotonic reads + monotonic writes + writes follow reads"


@pytest.mark.parametrize("one", SEPARATIONS, ids=lambda one: f"{one.name}: {one.stronger} > {one.weaker}")
def test_each_separates(one):
    refused, accepted = one.verdicts()
    assert refused.verdict == "violation" and refused.smallest and refused.why
    assert accepted.verdict == "ok"
    assert separating(one.stronger, one.weaker).stronger == one.stronger
    assert 20 < len(one.sentence) < 120


def test_every_pair_of_neighbours():
    pairs = {(one.stronger, one.weaker) for one in SEPARATIONS} | set(SAME)
    for table in ({level: LEVELS[level].implies for level in LEVELS}, IMPLIES):
        for stronger, weaker_ones in table.items():
            assert {(stronger, weaker) for weaker in weaker_ones} <= pairs
    assert {"S1", "S2", "S5", "S10"} <= {one.catalogue for one in SEPARATIONS}
    with pytest.raises(HistoryError, match="no neighbours"):
        separating("causal", "linearizable")


def test_lattice_and_smallest_histories_of_single_operations():
    """No history of up to three operations, nor any of 800 of four, goes against the lattice; and none that separates
    two neighbours is shorter than the one that is kept."""
    kept = {(one.stronger, one.weaker): one for one in BETWEEN if one.name not in TOLD}
    assert not set(IMPLIES) - set(CONSISTENCY)
    for size in (1, 2, 3, 4):
        listed = list(single(size))
        for operations in listed if size < 4 else random.Random(1).sample(listed, 800):
            if any(one.result is not None and 2 * one.result - 2 > one.invoked for one in operations):
                continue                                   # nothing is read before it is written
            ok = {name: check_history(operations, "register", name).verdict == "ok" for name in IMPLIES}
            for name in IMPLIES:
                assert not ok[name] or all(ok[weak] for weak in implied(name, IMPLIES)), (name, operations)
            assert ok["causal"] is (views.check(operations, "register", ALL).verdict == "ok")
            for (stronger, weak), one in kept.items():
                assert ok[stronger] or not ok[weak] or len(one.history) <= size


def test_smallest_histories_of_transactions():
    """No history with fewer reads and writes separates two levels."""
    kept = {(one.stronger, one.weaker): sum(len(t.result) for t in one.history) for one in BETWEEN_TRANSACTIONS}
    shapes = [shape for total in (1, 2, 3) for k in range(1, total + 1)
              for shape in itertools.product(range(1, 4), repeat=k) if sum(shape) == total]
    for shape in shapes:
        for operations in transactional(shape):
            began = {value: one.invoked for one in operations for do, _, value in one.result if do == "w"}
            if any(do == "r" and value is not None and began[value] >= one.invoked
                   for one in operations for do, _, value in one.result):
                continue                                   # nothing is read before its writer has begun
            found, wrong = anomalies(operations, "rw-register")
            names = {anomaly.name for anomaly in wrong}
            ok = {level: not names & set(forbidden(level)) and fits(found, "rw-register", level, Budget(10_000)).fits
                  for level in LEVELS}
            for level in LEVELS:
                assert not ok[level] or all(ok[weak] for weak in implied(level)), (level, operations)
            for (stronger, weak), size in kept.items():
                assert ok[stronger] or not ok[weak] or size <= sum(shape), (stronger, weak, operations)


def test_the_same_levels():
    """What is said to be told apart by nothing is not told apart by small histories."""
    for operations in random.Random(2).sample(list(transactional((2, 2))), 60):
        for stronger, weak in SAME:
            first, second = (judge(tuple(operations), "rw-register", level).verdict for level in (stronger, weak))
            assert first == second, (stronger, weak, operations)


def test_strongest_model():
    """Question 28: the strongest model that a history satisfies."""
    def models(one):
        return strongest([name for name in IMPLIES if check_history(one.history, "register", name).verdict == "ok"],
                         IMPLIES)

    assert models(separating("linearizable", "sequential")) == ("sequential",)
    assert models(separating("sequential", "causal")) == ("causal",)
    assert models(separating("causal", "pram")) == ("pram", "writes follow reads")
    assert set(models(separating("monotonic reads", "eventual"))) == {
        "read your writes", "monotonic writes", "writes follow reads", "eventual"}


# ---- convergence


def one(process, do, at, value, key="x", end=None, status="ok"):
    done = status == "ok"
    return Operation(process, do, key, value if do != "read" else None, value if do == "read" else None, at,
                     (end or at + 1) if done else None, status)


def test_eventual():
    def verdict(*operations, **options):
        return eventual.check(list(operations), **options).verdict

    write, other = one("a", "write", 0, 1), one("b", "write", 0, 2, end=5)
    assert verdict(write, other, one("c", "read", 3, 1), one("c", "read", 7, 2), one("d", "read", 9, 2)) == "ok"
    assert verdict(write, other, one("c", "read", 7, 2), one("d", "read", 9, 1)) == "violation"
    assert verdict(write, other, one("c", "read", 7, 2), one("d", "read", 9, 1), quiet=3) == "ok"
    assert verdict(write, one("c", "read", 7, 3), one("d", "read", 9, 3)) == "violation"
    assert verdict(write, one("c", "read", 7, None)) == "violation"
    assert verdict(one("c", "read", 7, None)) == "ok"
    late = one("b", "write", 0, 2, status="unknown")
    assert verdict(write, late, one("c", "read", 7, 2), one("d", "read", 9, 1)) == "ok"
    assert verdict(write, one("b", "write", 0, 2, status="failed"), one("c", "read", 7, 2)) == "violation"
    assert verdict(write, one("c", "read", 7, 1), one("c", "write", 8, 5, key="y"), one("d", "read", 9, 1)) == "ok"
    found = eventual.check([write, other, one("c", "read", 7, 2), one("d", "read", 9, 1)])
    assert found.stuck == 3 and found.smallest == (2, 3)
    sets = [one("a", "add", 0, 1), one("c", "read", 7, (1, 2)), one("d", "read", 9, (2, 1))]
    assert verdict(*sets, model="set") == "ok"
    assert verdict(*sets, one("d", "read", 11, (1,)), model="set") == "violation"


# ---- as properties of runs


def violated(case, make):
    """Whether a property of the clients is violated in a run of copies that answer at once."""
    system = local_reads.cluster(3, clients=case.clients).expecting(make)
    trace = simulate(system, seed=case.seed or 1, schedule=case.schedule, until=case.until)
    return [verdict for verdict in check_trace(trace, always=[make]) if verdict.violation is not None]


def test_properties_of_runs():
    stale, wanders = local_reads_cases.OTHER_CLIENT, local_reads_cases.WANDERS
    for make in (weaker.sequential, weaker.causal, weaker.read_your_writes, weaker.monotonic_reads, weaker.pram,
                 weaker.monotonic_writes, weaker.writes_follow_reads):
        assert make().title and make().code and make().consistency in CONSISTENCY
        assert violated(stale, make()) == []
    assert violated(wanders, weaker.read_your_writes()) == []
    for make in (weaker.sequential, weaker.monotonic_reads, weaker.monotonic_writes):
        (found,) = violated(wanders, make())
        assert "c2" in found.violation.nodes and "c2 read x" in found.violation.text
    assert violated(wanders, weaker.agreeing(after=200)) == []
    (found,) = violated(wanders, weaker.agreeing(after=0))
    assert "although" in found.violation.text
    with pytest.raises(HistoryError, match="a time in ms"):
        weaker.agreeing(after=-1)
