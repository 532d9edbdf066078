"""Elections: message counts of the closed forms, every collected run, every rule left out, and random faults."""

import itertools
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from dslab.check.invariants import check_trace, first_violation
from dslab.check.progress import unanswered
from dslab.protocols import (
    bully,
    bully_cases,
    bully_epochs,
    bully_variants,
    highest_id,
    highest_id_variants,
    ring,
    ring_cases,
    ring_questions,
    ring_variants,
)
from dslab.sim import simulate

sys.path.insert(0, str(Path(__file__).parent))
import random_consensus


def ran(system, case):
    return simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)


def outcome(system, case):
    """What breaks: the name of a safety property, or "unanswered", or "disagree" at the end, or None."""
    trace = ran(system, case)
    broken = first_violation(trace, system.always)
    if broken:
        return broken.name
    return "unanswered" if unanswered(trace) else None if random_consensus.agree_at_end(trace) else "disagree"


# ---- messages


@pytest.mark.parametrize("nodes", range(1, 13))
def test_bully_costs_n_squared_minus_one(nodes):
    """The lowest calls, all live: n(n-1)/2 calls, as many answers, n-1 announcements."""
    sent = Counter(m.type for m in simulate(bully.cluster(nodes, clients=0), seed=nodes, until=1_000).messages)
    half = nodes * (nodes - 1) // 2
    assert sent == Counter(Election=half, Answer=half, Coordinator=nodes - 1) - Counter()
    assert sent.total() == nodes**2 - 1


@pytest.mark.parametrize("nodes", range(3, 13))
def test_bully_costs_n_minus_one_when_the_second_highest_calls(nodes):
    """The highest has crashed: one call in vain, n-2 announcements."""
    system = bully.cluster(nodes, clients=0, starters=(f"n{nodes - 1}",))
    trace = simulate(system, seed=1, schedule=[{"at": 0, "do": "crash", "node": f"n{nodes}"}], until=1_000)
    assert Counter(m.type for m in trace.messages) == {"Election": 1, "Coordinator": nodes - 2}


def ring_cost(numbers):
    """Messages of an election in which all start: (those that carry numbers, those that announce)."""
    system = ring.cluster(len(numbers), clients=0, numbers=tuple(numbers), latency=10)
    sent = Counter(m.type for m in simulate(system, seed=1, until=1_000_000).messages)
    return sent["Election"], sent["Elected"]


def ring_cost_by_definition(numbers):
    """Each number goes on until it meets a higher one, the highest all the way round."""
    n = len(numbers)
    return sum(next((step for step in range(1, n) if numbers[(i + step) % n] > numbers[i]), n) for i in range(n))


def test_ring_messages_follow_the_definition():
    """All orders of up to five servers; the announcement takes n more."""
    for n in range(1, 6):
        for numbers in itertools.permutations(range(1, n + 1)):
            assert ring_cost(numbers) == (ring_cost_by_definition(numbers), n)


@pytest.mark.parametrize("nodes", [1, 2, 5, 10, 50])
def test_ring_extremes_are_exact(nodes):
    """Numbers that grow along the ring cost 2n - 1, numbers that shrink n(n+1)/2."""
    assert ring_cost(range(1, nodes + 1))[0] == 2 * nodes - 1
    assert ring_cost(range(nodes, 0, -1))[0] == nodes * (nodes + 1) // 2


def test_ring_mean_is_n_times_the_harmonic_number():
    """n H_n = 29.3 for n = 10, within 2 % over 2000 random orders."""
    random, n = Random("ring orders"), 10
    mean = sum(ring_cost(random.sample(range(1, n + 1), n))[0] for _ in range(2_000)) / 2_000
    expected = n * sum(1 / k for k in range(1, n + 1))
    assert abs(mean / expected - 1) < 0.02


def test_announcement_costs_one_message_per_pair():
    """Highest number: everybody tells everybody, once."""
    for nodes in range(1, 9):
        trace = simulate(highest_id.cluster(nodes, clients=0), seed=nodes, until=1_000)
        assert len(trace.messages) == nodes * (nodes - 1)


# ---- collected runs, with and without each rule


@pytest.mark.parametrize("case", bully_cases.CASES, ids=lambda case: case.name)
def test_bully_agrees_in_every_case(case):
    assert outcome(bully.cluster(case.nodes, clients=case.clients), case) is None


@pytest.mark.parametrize(
    ("server", "case", "what"),
    [
        (bully_variants.WaitsForEver, bully_cases.ANSWERS_AND_DIES, "unanswered"),
        (bully_variants.ComesBackQuietly, bully_cases.HIGHEST_RETURNS, "disagree"),
        (bully_variants.AnswersOnly, bully_cases.CALM, "disagree"),
        (bully_variants.Impatient, bully_cases.SLOW_ANSWER, "disagree"),
    ],
)
def test_bully_without_a_rule_fails_its_case(server, case, what):
    assert outcome(bully.cluster(case.nodes, server=server, clients=case.clients), case) == what
    assert server.catalogue == case.catalogue


@pytest.mark.parametrize("seed", range(1, 11))
def test_only_the_store_can_stop_a_deposed_leader(seed):
    """Both servers lead and write; without epochs at the store the earlier leader overwrites the later one."""
    case = bully_cases.SLOW_ANSWER._replace(seed=seed)
    assert outcome(bully_epochs.cluster(5, clients=2), case) in (None, "disagree")      # n5 stays hard to hear
    careless = bully_epochs.cluster(5, clients=2, store=bully_epochs.CarelessStore)
    assert outcome(careless, case) == "epochs_grow"
    states = ran(careless, case).states()
    assert max(sum(getattr(s, "role", None) == "leader" for s in world.servers) for world in states) == 2


@pytest.mark.parametrize("case", ring_cases.CASES, ids=lambda case: case.name)
def test_ring_elects_the_highest_in_every_case(case):
    assert outcome(ring_cases.stage(case.nodes), case) is None


@pytest.mark.parametrize(
    ("server", "case", "what"),
    [
        (ring_variants.ForwardsAll, ring_cases.TWO_STARTERS, "highest_leads"),
        (ring_variants.KeepsQuiet, ring_cases.LOWEST_STARTS, "unanswered"),
        (ring_variants.LowestWins, ring_cases.HIGHEST_STARTS, "highest_leads"),
        (ring_variants.AlwaysOwn, ring_cases.TWO_STARTERS, "unanswered"),
        (ring_variants.BeatsNeighbour, ring_cases.LOWEST_STARTS, "highest_leads"),
    ],
)
def test_ring_without_a_rule_fails_a_case(server, case, what):
    assert outcome(ring_cases.stage(case.nodes, server=server), case) == what


@pytest.mark.parametrize(
    ("server", "nodes", "what"),
    [
        (highest_id.Server, 10, None),
        (highest_id_variants.Impatient, 5, "one_leader"),
        (highest_id_variants.DoesNotJoin, 5, "disagree"),
        (highest_id_variants.FirstHeard, 5, "nobody_follows_lower"),
        (highest_id_variants.NamesAsText, 10, "nobody_follows_lower"),
    ],
)
def test_highest_number_wins_only_with_every_rule(server, nodes, what):
    assert outcome(highest_id.cluster(nodes, server=server), bully_cases.CALM) == what


def test_every_mutant_is_named():
    """Each has a belief and a catalogue name."""
    for module in (highest_id_variants, ring_variants, bully_variants, bully_epochs):
        for mutant in module.MUTANTS:
            assert mutant.__doc__
            assert mutant.catalogue


# ---- random faults


@pytest.mark.parametrize("name", ["bully", "bully with epochs", "ring", "highest id"])
def test_survives_random_faults(name):
    """What each promises under the faults that it is made for."""
    assert [seed for seed in range(200) if random_consensus.RUNS[name](seed)[0]] == []


def test_random_faults_find_the_careless_store():
    assert any(random_consensus.epochs_run(seed, bully_epochs.CarelessStore)[0] == "epochs_grow" for seed in range(200))


def test_lost_messages_are_beyond_what_bully_promises():
    """Cut off from n5, n4 leads beside it: time and reliable links are assumptions, not luxuries."""
    schedule = [{"at": 1, "do": "partition", "groups": [["n5"]]}]
    trace = simulate(bully.cluster(5), seed=1, schedule=schedule, until=1_000)
    assert check_trace(trace, (), bully.EVENTUALLY)[0].status == "not yet"


@pytest.mark.parametrize("question", [q for q in vars(ring_questions).values() if isinstance(q, dict) and "right" in q])
def test_questions_have_one_right_option(question):
    assert sum(len(option) == 3 for option in question["options"]) == 1
    assert next(option for option in question["options"] if len(option) == 3)[0] == question["right"]
