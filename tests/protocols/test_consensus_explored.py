"""Elections, Paxos, Multi-Paxos and Ben-Or under search, with one rule less; with all rules: see exhausted.py."""

import pytest

from dslab.check.answers import find
from dslab.check.explore import explore
from dslab.check.invariants import first_violation
from dslab.protocols import (
    ben_or,
    ben_or_cases,
    ben_or_variants,
    bully,
    bully_epochs,
    highest_id,
    multi_paxos,
    multi_paxos_cases,
    multi_paxos_variants,
    paxos,
    paxos_cases,
    paxos_variants,
    ring,
    ring_cases,
    ring_variants,
)
from dslab.protocols.paxos_properties import ends_within
from dslab.sim import simulate

MOST_ACTIONS = 15


def two_proposers(mutant, acceptors=3, ballots=1):
    return paxos.cluster(proposers=2, acceptors=acceptors, ballots=ballots, **paxos_variants.roles(mutant))


# ---- with all rules


@pytest.mark.parametrize("numbers", [(1, 2, 3, 4), (4, 3, 2, 1), (2, 4, 1, 3)], ids=str)
def test_ring_elects_the_highest_in_every_order(numbers):
    assert explore(ring.cluster(4, clients=0, numbers=numbers)).passed


def test_highest_number_relies_on_time():
    """Without time, two servers that have not heard each other both lead: C1."""
    found = explore(highest_id.cluster(3, clients=0), timeouts=None)
    assert found.verdict.name == "one_leader"
    assert len(found.case.schedule) <= 4


def test_a_search_finds_the_duel():
    """FLP: both proposers get the promises of a majority, and neither gets a value accepted; the replay shows it."""
    system = paxos.cluster(proposers=2, acceptors=3, ballots=1)
    found = explore(system, timeouts=None, always=[ends_within(1)])
    assert len(found.case.schedule) == 10
    trace = simulate(found.system, seed=found.case.seed, schedule=found.case.schedule, until=found.case.until)
    assert first_violation(trace, [ends_within(1)])
    assert first_violation(trace, paxos.ALWAYS) is None


# ---- with one rule less


@pytest.mark.parametrize(
    ("mutant", "acceptors", "bounds", "name"),
    [
        (paxos_variants.OwnValue, 3, {}, "agreement"),
        (paxos_variants.Silent, 3, {}, "agreement"),
        (paxos_variants.Hasty, 3, {}, "agreement"),
        (paxos_variants.LocalBallots, 3, {}, "one_value_per_ballot"),
        (paxos_variants.HalfIsEnough, 2, {}, "learners_agree"),
        (paxos_variants.DecidesOnTimeout, 1, {}, "learners_agree"),
        (paxos_variants.Forgetful, 1, {"crashes": 1, "restarts": 1}, "agreement"),
    ],
)
def test_breadth_first_search_finds_a_shortest_way_to_two_values(mutant, acceptors, bounds, name):
    """And it replays in the simulator."""
    ballots = 2 if mutant is paxos_variants.DecidesOnTimeout else 1
    found = explore(two_proposers(mutant, acceptors, ballots), timeouts=None, **bounds)
    assert found.verdict.name == name
    assert len(found.case.schedule) <= MOST_ACTIONS
    assert find(found.system, found.case).verdict.name == name
    if acceptors < 3:                # three are searched above
        assert explore(two_proposers(paxos.Server, acceptors, ballots), timeouts=None, **bounds).result == "exhausted"


def test_a_random_walk_finds_two_majorities():
    found = explore(ben_or.cluster(4, clients=0, last=2, server=ben_or_variants.CountsTheHeard), timeouts=None,
                    search="random walk")
    assert found.verdict.name == "agreement"


@pytest.mark.parametrize("mutant", ring_variants.MUTANTS)
def test_search_finds_every_broken_ring(mutant):
    """The wrong leader, or, by the goal, none in any order: doing nothing is no pass."""
    found = explore(ring.cluster(4, clients=0, server=mutant, starters=("n1", "n3")))
    assert not found.passed
    assert found.result == "violated" or found.goals == {"all_agree": False}


@pytest.mark.parametrize("mutant", [multi_paxos_variants.OutOfOrder, multi_paxos_variants.OwnCommands,
                                    multi_paxos_variants.Hasty])
def test_random_walks_find_a_broken_log(mutant):
    requests = [{"command": "x=1", "to": "n1", "client": "c1"}, {"command": "y=2", "to": "n2", "client": "c2"}]
    found = explore(multi_paxos.cluster(3, server=mutant, clients=2), timeouts={"election": 2, "heartbeat": 2},
                    requests=requests, crashes=1, restarts=1, search="random walk")
    assert found.result == "violated"


def test_every_collected_run_is_short():
    """What a case needs can be told in class."""
    cases = [*paxos_cases.CASES, *multi_paxos_cases.CASES, *ben_or_cases.CASES, *ring_cases.CASES]
    assert max(len(case.schedule) for case in cases) <= MOST_ACTIONS


@pytest.mark.parametrize("system", [
    paxos.cluster(5), paxos.cluster(3, clients=2, retry=(50, 60), disk=0), paxos_cases.stage(5),
    paxos.cluster(proposers=2, acceptors=3, learners=1, ballots=1), ring_cases.stage(4),
    ring.cluster(3, numbers=(2, 3, 1)),
    multi_paxos.cluster(3, heartbeat=50), ben_or.cluster(3, inputs=(1, 1, 0)), highest_id.cluster(4, timeout=30),
    bully.cluster(3), bully_epochs.cluster(3, latency=10)], ids=lambda system: system.code)
def test_the_code_of_a_system_makes_it_again(system):
    """Copy as code: the same run, byte for byte."""
    scope: dict = {}
    exec(system.imports, scope)
    again = eval(system.code, scope)
    assert simulate(again, seed=5, until=400).digest() == simulate(system, seed=5, until=400).digest()
