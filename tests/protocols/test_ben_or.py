"""Ben-Or: what its rounds cost, every collected run, every rule left out, and crashes at random."""

import itertools
import sys
from collections import Counter
from pathlib import Path

import pytest

from dslab.check.answers import find
from dslab.check.invariants import check_trace
from dslab.protocols import ben_or, ben_or_cases, ben_or_variants
from dslab.sim import simulate

sys.path.insert(0, str(Path(__file__).parent))
from random_consensus import ben_or_run


def verdict(case, server=ben_or.Server):
    broken = find(ben_or.cluster(case.nodes, server=server, clients=case.clients), case)
    return broken and broken.verdict.name


@pytest.mark.parametrize("nodes", range(1, 8))
@pytest.mark.parametrize("value", [0, 1])
def test_one_round_if_all_begin_equal(nodes, value):
    """And one more to help the others: 2n(n-1) messages a round."""
    trace = simulate(ben_or.cluster(nodes, clients=0, inputs=(value,) * nodes), seed=nodes, until=1_000)
    assert Counter(m.type for m in trace.messages) == Counter(
        Report=2 * nodes * (nodes - 1), Proposal=2 * nodes * (nodes - 1)) - Counter()
    states = trace.state_at(len(trace) - 1)
    assert {states[s]["decided"] for s in states} == {value}
    decided = [e for e in trace.events if any(p[0] == "decided" and p[1] == value for p in e.patch)]
    assert len(decided) == nodes
    assert check_trace(trace, ben_or.ALWAYS)[0].status == "held"


def test_majorities_are_of_all_servers():
    """By brute force: two servers that hear any n - t of the same reports never see different majorities."""
    for n in range(1, 7):
        enough = n - (n - 1) // 2
        for inputs in itertools.product((0, 1), repeat=n):
            seen = {next((v for v in (0, 1) if 2 * heard.count(v) > n), None)
                    for k in range(enough, n + 1) for heard in itertools.combinations(inputs, k)}
            assert len(seen - {None}) <= 1
            assert len(set(inputs)) > 1 or None not in seen


@pytest.mark.parametrize("case", ben_or_cases.CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("seed", range(1, 6))
def test_it_keeps_its_promises_in_every_case(case, seed):
    assert verdict(case._replace(seed=seed)) is None


CAUGHT = [
    (ben_or_variants.CountsTheHeard, ben_or_cases.TWO_MAJORITIES, "agreement"),
    (ben_or_variants.DecidesOnOne, ben_or_cases.ONE_PROPOSAL, "agreement"),
    (ben_or_variants.StopsAtOnce, ben_or_cases.LEFT_BEHIND, "requests_are_answered"),
    (ben_or_variants.NoCoin, ben_or_cases.SPLIT, "requests_are_answered"),
    (ben_or_variants.WaitsForAll, ben_or_cases.ONE_DOWN, "requests_are_answered"),
]


@pytest.mark.parametrize(("server", "case", "name"), CAUGHT, ids=lambda x: getattr(x, "__name__", None))
def test_without_a_rule_its_case_breaks(server, case, name):
    assert verdict(case, server) == name
    assert server.catalogue == case.catalogue
    assert verdict(ben_or_cases.CALM, server) is None


def test_every_mutant_has_a_case():
    assert tuple(server for server, _, _ in CAUGHT) == ben_or_variants.MUTANTS


def test_the_coin_ends_what_nothing_else_ends():
    """FLP: without a coin four servers with two opinions go on for thousands of rounds; with it, a few."""
    case = ben_or_cases.SPLIT
    stuck = find(ben_or.cluster(4, server=ben_or_variants.NoCoin), case._replace(until=20_000))
    assert stuck.trace.state_at(len(stuck.trace) - 1)["n1"]["round"] > 500
    rounds = []
    for seed in range(40):
        trace = simulate(ben_or.cluster(4), seed=seed, schedule=case.schedule, until=case.until)
        last = trace.state_at(len(trace) - 1)
        assert {last[s]["decided"] for s in ("n1", "n2", "n3", "n4")} <= {0, 1}
        rounds.append(last["n1"]["round"])
    assert 2 <= sum(rounds) / len(rounds) <= 12


@pytest.mark.parametrize("seeds", [range(start, start + 100) for start in range(0, 300, 100)], ids=str)
def test_survives_crashes_and_slow_messages(seeds):
    """Fewer than half crash, at any moment: all others decide, and alike."""
    assert [seed for seed in seeds if ben_or_run(seed)[0]] == []
