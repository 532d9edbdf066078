"""Single-decree Paxos: message costs, every collected run, every rule left out, and runs under random faults."""

import itertools
import sys
from collections import Counter
from pathlib import Path

import pytest

from dslab.check.answers import find
from dslab.check.invariants import check_trace, first_violation
from dslab.protocols import paxos, paxos_cases, paxos_questions, paxos_variants
from dslab.sim import simulate

sys.path.insert(0, str(Path(__file__).parent))
from random_consensus import paxos_run

PROTOCOL = ("Prepare", "Promise", "Accept", "Accepted")


def ran(case, **roles):
    system = paxos_cases.stage(case.nodes, **roles)
    return system, simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)


def verdict(case, **roles):
    """The name of the property that breaks, or whether a value was chosen."""
    system, trace = ran(case, **roles)
    broken = first_violation(trace, system.always)
    return broken.name if broken else check_trace(trace, (), system.eventually)[0].status


def requested(nodes, command="v", **options):
    system = paxos.cluster(nodes, latency=10, disk=0, **options)
    return simulate(system, seed=1, schedule=[{"at": 0, "do": "request", "command": command, "to": "n1"}], until=90)


@pytest.mark.parametrize("nodes", range(1, 10))
def test_four_messages_and_four_delays_per_other_server(nodes):
    """4(n - 1) messages when the proposer is an acceptor and the only learner; n - 1 more tell the others."""
    trace = requested(nodes)
    sent = Counter(message.type for message in trace.messages)
    assert [sent[name] for name in PROTOCOL] == [nodes - 1] * 4
    assert sent["Chosen"] == nodes - 1
    operation = trace.history[0]
    assert operation["result"] == "v"
    assert operation["completed_us"] - operation["invoked_us"] == 20_000 + (40_000 if nodes > 1 else 0)


def test_one_delay_more_tells_all_learners():
    """Roles apart: a learner hears of the choice five delays after the proposer began."""
    system = paxos.cluster(proposers=1, acceptors=3, learners=2, latency=10, disk=0)
    schedule = [{"at": 20, "do": "timeout", "node": "p1", "timer": "propose"}]
    trace = simulate(system, seed=1, schedule=schedule, until=75)
    assert trace.state_at(len(trace) - 1)["l2"]["chosen"] == "p1"
    assert next(m.end_us for m in trace.messages if m.target == "l2") == 70_000


@pytest.mark.parametrize("case", [*paxos_cases.CASES, paxos_cases.duel(3)], ids=lambda case: case.name)
def test_paxos_is_safe_in_every_case(case):
    """And chooses a value where a majority can talk for the length of a ballot."""
    stuck = case.name in ("two-halves", "duel-3")
    assert verdict(case) == ("not yet" if stuck else "reached")


CAUGHT = [
    (paxos_variants.OwnValue, paxos_cases.OWN_MIND, "agreement"),
    (paxos_variants.Silent, paxos_cases.OWN_MIND, "agreement"),
    (paxos_variants.CommonestValue, paxos_cases.COMMONEST, "agreement"),
    (paxos_variants.Hasty, paxos_cases.LATE_ACCEPT, "agreement"),
    (paxos_variants.LocalBallots, paxos_cases.SAME_NUMBER, "one_value_per_ballot"),
    (paxos_variants.Forgetful, paxos_cases.RESTARTED_ACCEPTOR, "agreement"),
    (paxos_variants.DecidesOnTimeout, paxos_cases.PATIENCE, "learners_agree"),
    (paxos_variants.HalfIsEnough, paxos_cases.TWO_HALVES, "learners_agree"),
    (paxos_variants.WaitsForAll, paxos_cases.ONE_DOWN, "not yet"),
    (paxos_variants.Freezing, paxos_cases.SPLIT, "not yet"),
]


@pytest.mark.parametrize(("mutant", "case", "name"), CAUGHT, ids=lambda x: getattr(x, "__name__", None))
def test_without_a_rule_its_case_breaks(mutant, case, name):
    """Each case shows what its rule is for, and names the same misconception."""
    assert verdict(case, **paxos_variants.roles(mutant)) == name
    assert mutant.catalogue == case.catalogue


def test_every_mutant_has_a_case():
    """NoBackOff has the case of servers that play all roles."""
    assert {mutant for mutant, _, _ in CAUGHT} | {paxos_variants.NoBackOff} == set(paxos_variants.MUTANTS)


def test_two_proposers_duel_for_any_number_of_rounds():
    """FLP: whatever the number of rounds, a schedule without a lost message keeps them from choosing."""
    for rounds in (1, 2, 10, 50):
        case = paxos_cases.duel(rounds)
        _, trace = ran(case)
        assert verdict(case) == "not yet"
        assert trace.state_at(len(trace) - 1)["p2"]["ballot"] == [rounds, "p2"]
        assert not [m for m in trace.messages if m.fate not in ("delivered", "in flight")]


@pytest.mark.parametrize("seed", range(20))
def test_a_random_back_off_ends_the_duel(seed):
    """The same two servers: at once again never ends, a random pause does."""
    case = paxos_cases.TWO_AT_ONCE._replace(seed=seed)
    assert find(paxos.cluster(3, clients=2), case) is None
    broken = find(paxos.cluster(3, clients=2, server=paxos_variants.NoBackOff), case)
    assert broken.verdict.name == "requests_are_answered"
    assert broken.trace.state_at(len(broken.trace) - 1)["n1"]["ballot"][0] > 100


@pytest.mark.parametrize("mutant", paxos_variants.MUTANTS)
def test_variants_work_while_one_proposes(mutant):
    """A mistake that shows at once teaches nothing."""
    trace = simulate(paxos.cluster(3, server=mutant), seed=1, until=1_000,
                     schedule=[{"at": 10, "do": "request", "command": "v", "to": "n1"}])
    assert trace.history[0]["result"] == "v"
    assert first_violation(trace, paxos.ALWAYS) is None


def test_a_client_that_comes_late_hears_what_was_chosen():
    """One value for ever: the answer to every later request is the value chosen first."""
    schedule = [{"at": at, "do": "request", "command": command, "to": to}
                for at, command, to in ((10, "v", "n1"), (300, "w", "n2"), (600, "x", "n3"))]
    trace = simulate(paxos.cluster(3), seed=1, schedule=schedule, until=1_000)
    assert [operation["result"] for operation in trace.history] == ["v", "v", "v"]


def test_an_acceptor_that_lies_about_values_is_caught():
    """Validity: a value that nobody wanted is not accepted unnoticed."""
    class Inventive(paxos.Acceptor):
        def on_accept(self, sender, m):
            super().on_accept(sender, paxos.Accept(m.ballot, "nothing of the kind"))

    assert verdict(paxos_cases.CALM, acceptor=Inventive) == "validity"


def chosen_by_brute_force(votes, acceptors):
    """The values chosen, from the definition: some ballot, some majority, every one of it accepted that."""
    majorities = list(itertools.combinations(acceptors, len(acceptors) // 2 + 1))
    return {value for _, ballot, value in votes for majority in majorities
            if all((a, ballot, value) in votes for a in majority)}


@pytest.mark.parametrize("mutant", [paxos.Server, paxos_variants.Hasty, paxos_variants.OwnValue,
                                    paxos_variants.Forgetful])
def test_agreement_means_what_the_paper_says(mutant):
    """The property and the definition by brute force agree on runs with and without the rules."""
    for seed in range(40):
        _, trace, system = paxos_run(seed, mutant)
        votes = {(s.id, tuple(s.accepted_ballot), s.accepted_value) for world in trace.states() for s in world.servers
                 if getattr(s, "accepted_ballot", None)}
        several = len(chosen_by_brute_force(votes, system.servers)) > 1
        assert several == any(v.status == "violated" for v in check_trace(trace, paxos.ALWAYS[:1]))


@pytest.mark.parametrize("seeds", [range(start, start + 50) for start in range(0, 200, 50)], ids=str)
def test_survives_random_faults(seeds):
    """Crashes, restarts, partitions, lost and doubled messages, proposals at any moment; then all are answered."""
    assert [seed for seed in seeds if paxos_run(seed)[0]] == []


@pytest.mark.parametrize("mutant", [paxos_variants.OwnValue, paxos_variants.Hasty, paxos_variants.Forgetful,
                                    paxos_variants.LocalBallots, paxos_variants.Silent])
def test_random_faults_find_what_is_missing(mutant):
    """Without being told where to look."""
    assert any(paxos_run(seed, mutant)[0] for seed in range(400))


QUESTIONS = [q for q in vars(paxos_questions).values() if isinstance(q, dict) and "right" in q]


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_have_one_right_option(question):
    """Every wrong option says which misconception it is."""
    wrong = [option for option in question["options"] if option[0] != question["right"]]
    assert len(wrong) == len(question["options"]) - 1
    assert all(len(option) == 4 for option in wrong)
