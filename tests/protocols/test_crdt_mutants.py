"""Every variant of a replicated data type is found, by a case, by chance and, where it is small, by search."""

from __future__ import annotations

import pytest

from dslab import explore, simulate
from dslab.check.invariants import first_violation
from dslab.protocols import crdt, crdt_cases, crdt_operations, crdt_questions, crdt_steps_cases, crdt_variants

OPERATIONS = {cls.payload.kind: cls for cls in (
    crdt_operations.CounterReplica, crdt_operations.SetReplica, crdt_operations.SequenceReplica)}
RIGHT = {**crdt.REPLICAS, **OPERATIONS}
# variant: the case made for it, what it breaks there, and the first storm that finds it
FOUND = {
    "AddsUp": ("DELIVERED_TWICE", "follows_the_updates", 0),
    "SingleTotal": ("TWO_COUNT", "follows_the_updates", 0),
    "OneSlotForBoth": (None, None, 0),
    "Sells": ("BOTH_SELL", "never_below_zero", 6),
    "GivesAndKeeps": ("RIGHT_GIVEN", "never_below_zero", 3),
    "KeepsTheLast": ("TWO_CARTS", "follows_the_updates", 0),
    "KeepsWhatArrives": ("OVERWRITTEN", "follows_the_updates", 0),
    "NumbersOnly": ("TWO_CARTS", "follows_the_updates", 0),
    "KeepsEverything": ("OVERWRITTEN", "follows_the_updates", 0),
    "TakesOut": ("ADDED_AGAIN", "follows_the_updates", 0),
    "RemovesByValue": ("ADD_AND_REMOVE", "follows_the_updates", 0),
    "LastChangeWins": ("ADD_AND_REMOVE", "follows_the_updates", 0),
    "ForgetsRemoved": ("SECOND_HAND", "strong_convergence", 0),
    "EditsByPlace": ("TWO_TYPE", "follows_the_updates", 1),
    "RunsAgain": ("COUNTED_TWICE", "strong_convergence", 0),
    "RunsAtOnce": ("REMOVED_BEFORE_ADDED", "strong_convergence", 3),
    "DoesNotRepeat": ("LOST_OPERATION", "strong_convergence", 1),
}
MUTANTS = {cls.__name__: cls for cls in crdt_variants.MUTANTS}


def broken(system, case):
    """What a run breaks, or ""."""
    trace = simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)
    verdict = first_violation(trace, system.always)
    return verdict.name if verdict else ""


def test_every_variant_is_in_the_table_and_says_what_it_believes():
    """With a belief, and the catalogue's name for it."""
    assert set(FOUND) == set(MUTANTS)
    for cls in crdt_variants.MUTANTS:
        assert "instead of" in cls.__doc__ and cls.catalogue in ("S9", "S16", "S17", "S18", "S19", "S20")
    assert {cls.catalogue for cls in crdt_variants.MUTANTS} == {"S9", "S16", "S17", "S18", "S19", "S20"}


@pytest.mark.parametrize("name", [name for name in FOUND if FOUND[name][0]])
def test_a_case_finds_the_variant(name):
    """In at most fifteen actions; the type without the mutation keeps every promise in the same run."""
    about, promise, _ = FOUND[name]
    mutant, case = MUTANTS[name], getattr(crdt_cases, about)
    assert len(case.schedule) <= 15
    assert case in crdt_cases.CASES[mutant.payload.kind]
    assert broken(crdt_cases.stage(case.nodes, server=mutant), case) == promise
    assert broken(crdt_cases.stage(case.nodes, server=RIGHT[mutant.payload.kind]), case) == ""


@pytest.mark.parametrize("name", FOUND)
def test_a_random_run_finds_the_variant(name):
    """A storm that the type itself survives."""
    mutant, seed = MUTANTS[name], FOUND[name][2]
    case = crdt_steps_cases.storms([seed], mutant.payload)[0]
    assert broken(crdt.cluster(3, server=mutant, clients=2), case)
    assert broken(crdt.cluster(3, server=RIGHT[mutant.payload.kind], clients=2), case) == ""


@pytest.mark.parametrize("about", [name for name in vars(crdt_cases) if name.isupper() and name != "GOSSIP"])
def test_right_types_survive_every_case(about):
    """All cases that a type is asked about, with every right type of that kind."""
    for case in [case for name, case in vars(crdt_cases).items() if name == about and hasattr(case, "schedule")]:
        for kind, cases in crdt_cases.CASES.items():
            if case in cases:
                assert broken(crdt_cases.stage(case.nodes, server=RIGHT[kind]), case) == "", kind


COUNT = [{"command": "inc 3", "to": "n1", "client": "c1"}, {"command": "inc 5", "to": "n2", "client": "c2"}]
HOLD = [{"command": "add x", "to": "n1", "client": "c1"}, {"command": "add x", "to": "n2", "client": "c2"},
        {"command": "remove x", "to": "n2", "client": "c2"}]


@pytest.mark.parametrize(("name", "requests", "nodes", "gossip", "promise", "steps"), [
    ("AddsUp", COUNT, 2, 2, "strong_convergence", 6),
    ("SingleTotal", COUNT, 2, 1, "follows_the_updates", 6),
    ("RemovesByValue", HOLD, 2, 2, "follows_the_updates", 9),
    ("RunsAtOnce", [HOLD[0], HOLD[2]], 3, 0, "strong_convergence", 7),
])
def test_a_search_finds_the_variant(name, requests, nodes, gossip, promise, steps):
    """By a shortest way, which replays."""
    found = explore(crdt.cluster(nodes, server=MUTANTS[name], clients=2), requests=requests,
                    timeouts={"gossip": gossip})
    assert (found.verdict.name, len(found.case.schedule)) == (promise, steps)
    assert broken(found.system, found.case) == promise


# ---- the questions: the right option is what the run shows

def last_result(case, **options):
    """What the last client reads, and what all replicas show."""
    trace = simulate(crdt_cases.stage(case.nodes, **options), seed=1, schedule=case.schedule, until=case.until)
    at_end = trace.state_at(len(trace) - 1)
    return trace.history[-1]["result"], [at_end[node]["value"] for node in trace.servers]


def test_the_right_answers_are_what_happens():
    """One run for each question."""
    v = crdt_variants
    assert last_result(crdt_cases.TWO_COUNT, server=v.SingleTotal) == (5, [5, 5])
    assert last_result(crdt_cases.DELIVERED_TWICE, server=v.AddsUp)[0] == 13
    assert last_result(crdt_cases.BOTH_SELL, server=v.Sells) == (-1, [-1, -1])
    assert last_result(crdt_cases.TWO_CARTS, crdt="lww-register") == ("bread", ["bread", "bread"])
    assert "milk" in last_result(crdt_cases.ADD_AND_REMOVE, crdt="or-set")[0]
    assert last_result(crdt_cases.ADDED_AGAIN, crdt="2p-set") == ([], [[], []])
    assert last_result(crdt_cases.REMOVED_BEFORE_ADDED, server=v.RunsAtOnce) == (["milk"], [[], [], ["milk"]])
    assert last_result(crdt_cases.COUNTED_TWICE, server=v.RunsAgain)[0] == 6


def test_every_wrong_option_says_why_in_one_or_two_sentences():
    """And names its misconception; the right one names none."""
    questions = {name: value for name, value in vars(crdt_questions).items() if name.isupper()}
    assert len(questions) == 8
    for name, question in questions.items():
        ids = [option[0] for option in question["options"]]
        assert question["right"] in ids and len(set(ids)) == len(ids) >= 3, name
        for option in question["options"]:
            assert len(option) == (3 if option[0] == question["right"] else 4), (name, option[0])
            assert option[2].endswith(".") and len(option[2]) < 200, (name, option[0])
