"""PBFT counts its messages as the paper does, survives f liars of every kind, and not f+1 of them."""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from dslab.check.answers import find
from dslab.check.explore import explore
from dslab.check.invariants import check_trace, first_violation
from dslab.protocols import pbft, pbft_cases, pbft_steps, pbft_variants
from dslab.sim import Trace, simulate
from dslab.sim.case import Case
from dslab.sim.schedule import check_schedule, dumps, loads

sys.path.insert(0, str(Path(__file__).parent))
import random_byzantine

CASES = [case for case in vars(pbft_cases).values() if isinstance(case, Case)]
REQUEST = {"at": 10, "do": "request", "command": "x=1"}


def broken(case, seed=1, **classes):
    """The title of what breaks first, or None."""
    found = find(pbft.cluster(case.nodes, clients=case.clients, **classes), case._replace(seed=seed))
    return found and found.verdict.title


def answered(trace):
    return [operation["completed_us"] is not None for operation in trace.history]


# ---- counts


@pytest.mark.parametrize(("n", "total", "between"), [(4, 29, 24), (7, 92, 84), (10, 191, 180)])
def test_one_request_takes_as_many_messages_as_the_paper_says(n, total, between):
    """Multicasts counted per receiver, no message to oneself: 2n²-n+1 in all, 2n(n-1) of them between replicas."""
    assert (total, between) == (2 * n * n - n + 1, 2 * n * (n - 1))
    trace = simulate(pbft.cluster(n), seed=3, schedule=[REQUEST], until=900)
    assert answered(trace) == [True]
    assert len(trace.messages) == total
    assert sum(m.source[0] == m.target[0] == "n" for m in trace.messages) == between
    assert Counter(m.type for m in trace.messages) == {
        "Request": 1, "PrePrepare": n - 1, "Prepare": (n - 1) ** 2, "Commit": n * (n - 1), "Reply": n}


def test_a_request_is_answered_after_five_message_delays():
    """Request, pre-prepare, prepare, commit, reply (section 4): 10 ms each, and no other wait."""
    trace = simulate(pbft.cluster(4, latency=10), seed=1, schedule=[REQUEST], until=500)
    assert trace.history[0]["completed_us"] - trace.history[0]["invoked_us"] == 50_000


def test_many_requests_cost_the_same_each_and_one_checkpoint_every_k():
    trace = simulate(pbft.cluster(4), seed=1, schedule=[{**REQUEST, "at": 10 + 80 * i} for i in range(20)], until=3_000)
    counts = Counter(m.type for m in trace.messages)
    assert all(answered(trace)) and counts.pop("Checkpoint") == 5 * 4 * 3
    assert sum(counts.values()) == 20 * 29


# ---- quorums


@pytest.mark.parametrize(("n", "f"), [(n, f) for n in range(4, 20) for f in range(1, (n - 1) // 3 + 1)])
def test_the_quorum_is_the_smallest_that_is_safe_and_still_answers(n, f):
    """Two quorums share a loyal replica: 2q - n > f; the loyal ones alone make one: q <= n - f. Compare brute force."""
    q = pbft.byzantine_quorum(n, f)
    safe = [size for size in range(1, n + 1) if 2 * size - n > f]
    assert q == min(safe) == -(-(n + f + 1) // 2) and q <= n - f
    if n == 3 * f + 1:
        assert q == 2 * f + 1
    if n <= 7:
        liars = set(range(f))
        for size in (q - 1, q):
            groups = [set(g) for g in itertools.combinations(range(n), size)]
            assert all(a & b - liars for a in groups for b in groups) == (size >= q)


# ---- safety


def test_f_liars_of_every_kind_break_nothing():
    """Four and seven replicas, each behaviour, among crashes, partitions, losses; 10,000 runs did so, too."""
    runs = random_byzantine.many(range(200))
    assert runs["violations"] == 0
    assert runs["runs_with_a_view_change"] > 50 and runs["answered"] > 600, "the runs must get somewhere"


def test_f_plus_one_equivocators_break_safety():
    """Two of four: n3 and n4 execute different requests under number 1, and each had a quorum (section 2)."""
    case = pbft_cases.TWO_LIARS
    for seed in range(1, 11):
        trace = simulate(pbft.cluster(4, clients=2), seed=seed, schedule=case.schedule, until=case.until)
        violated = {v.title: v for v in check_trace(trace, pbft.ALWAYS) if v.status == "violated"}
        assert {"One request per number", "Prepared agree"} <= set(violated)
        assert set(violated["One request per number"].violation.nodes) == {"n3", "n4"}
    for i in range(len(case.schedule)):
        shorter = case._replace(schedule=case.schedule[:i] + case.schedule[i + 1:])
        assert broken(shorter) is None or i == 3, "every action is needed, but c2's request, which makes the lie fair"


def test_the_explorer_finds_it_too_and_its_schedule_replays():
    """Two liars who may tell everybody either story; the counterexample is an ordinary case."""
    requests = [{"command": "x=1", "to": "n1", "client": "c1"}, {"command": "y=2", "to": "n1", "client": "c2"}]
    lies = {"n1": [pbft_cases.SAYS_Y], "n2": [pbft_cases.SAYS_Y]}
    found = explore(pbft.cluster(4, clients=2), requests=requests, traitors=lies, search="random walk", states=5_000)
    assert found.result == "violated"
    again = find(found.system, found.case)
    assert again is not None and again.verdict.name == found.verdict.name


@pytest.mark.parametrize("behaviour", random_byzantine.BEHAVIOURS)
@pytest.mark.parametrize("node", ["n1", "n3"])
def test_one_liar_of_four_cannot_stop_the_service(behaviour, node):
    """The primary or a backup: every request is answered, after a view change if it must be."""
    lies = {"silent": {}, "delay": {"by": 700}, "corrupt": {"fields": {"digest": "nonsense", "result": "lie"}},
            "equivocate": {"fields": {"digest": "nonsense"}, "to": ["n2", "n4"]}}[behaviour]
    schedule = [{"at": 5, "do": "turn_traitor", "node": node, "behaviour": behaviour, **lies},
                *[{**REQUEST, "at": 10 + 100 * i, "command": f"x={i}"} for i in range(8)]]
    trace = simulate(pbft.cluster(4), seed=2, schedule=schedule, until=6_000)
    assert all(answered(trace)) and first_violation(trace, pbft.ALWAYS) is None


# ---- view changes and checkpoints


def test_a_crashed_primary_is_replaced_and_what_was_executed_stays():
    trace = simulate(pbft.cluster(4), seed=1, until=4_000, schedule=[
        REQUEST, {"at": 100, "do": "crash", "node": "n1"}, {"at": 120, "do": "request", "command": "y=2"},
        {"at": 1_000, "do": "restart", "node": "n1"}, {"at": 1_500, "do": "request", "command": "x"}])
    assert [operation["result"] for operation in trace.history] == ["1", "2", "1"]
    last = trace.state_at(len(trace) - 1)
    assert {last[n]["view"] for n in ("n2", "n3", "n4")} == {1} and last["n2"]["role"] == "primary"


def test_two_silent_primaries_in_a_row_take_two_view_changes():
    schedule = [{"at": 1, "do": "turn_traitor", "node": n, "behaviour": "silent"} for n in ("n1", "n2")]
    trace = simulate(pbft.cluster(7), seed=1, schedule=[*schedule, REQUEST], until=4_000)
    assert answered(trace) == [True]
    assert {trace.state_at(len(trace) - 1)[n]["view"] for n in ("n3", "n4", "n5", "n6", "n7")} == {2}


def test_checkpoints_move_the_marks_and_empty_the_log():
    """Section 4.3: nothing at or below the low mark is kept, and the log never holds more than 2K numbers."""
    schedule = [{**REQUEST, "at": 10 + 60 * i, "command": f"x={i}"} for i in range(18)]
    trace = simulate(pbft.cluster(4), seed=1, schedule=schedule, until=3_000)
    for world in trace.states():
        for replica in world.servers:
            slots = getattr(replica, "slots", {})
            assert all(replica.low_mark < s <= replica.high_mark for s in slots) and len(slots) <= 8
    last = trace.state_at(len(trace) - 1)
    for n in trace.servers:
        assert (last[n]["low_mark"], last[n]["high_mark"], sorted(last[n]["slots"])) == (16, 24, ["17", "18"])


def test_a_replica_left_behind_fetches_the_state_of_a_checkpoint():
    """n4 hears nothing for six requests; the next checkpoint that it hears of brings it back."""
    cut = [{"at": 5, "do": "cut", "source": n, "target": "n4"} for n in ("n1", "n2", "n3")]
    schedule = [*cut, *[{**REQUEST, "at": 10 + 80 * i, "command": f"k{i}={i}"} for i in range(6)],
                {"at": 600, "do": "heal"}, *[{**REQUEST, "at": 610 + 80 * i, "command": f"m={i}"} for i in range(3)]]
    trace = simulate(pbft.cluster(4), seed=1, schedule=schedule, until=3_000)
    last = trace.state_at(len(trace) - 1)
    assert all(answered(trace)) and last["n4"]["store"] == last["n1"]["store"]
    assert any(m.type == "Snapshot" and m.target == "n4" for m in trace.messages)


def test_the_primary_waits_at_the_high_mark():
    """Without checkpoints no number beyond 2K is given out."""
    schedule = [{"at": 1, "do": "turn_traitor", "node": "n4", "behaviour": "corrupt", "fields": {"digest": "nonsense"}},
                {"at": 2, "do": "cut", "source": "n2", "target": "n3"},
                *[{"at": 3 + i, "do": "request", "command": f"x={i}", "client": f"c{i}"} for i in range(1, 13)]]
    trace = simulate(pbft.cluster(4, clients=12), seed=1, schedule=schedule, until=250)
    assert max(m.fields["sequence"] for m in trace.messages if m.type == "PrePrepare") <= 8


# ---- the cases and the variants

KILLED_BY = {
    pbft_variants.MajorityQuorum: (pbft_cases.ONE_MORE_NODE, "Prepared agree"),
    pbft_variants.HalfQuorum: (pbft_cases.HALF_AND_HALF, "Prepared agree"),
    pbft_variants.WaitsForAll: (pbft_cases.ONE_SILENT, "Requests are answered"),
    pbft_variants.CountsVoices: (pbft_cases.TWO_STORIES, "Prepared agree"),
    pbft_variants.CommitsOnWeak: (pbft_cases.HASTY, "One request per number"),
    pbft_variants.FreshViews: (pbft_cases.PRIMARY_CRASHES, "One request per number"),
    pbft_variants.TrustsNewPrimary: (pbft_cases.NEW_PRIMARY_LIES, "One request per number"),
    pbft_variants.AcceptsAnyProposal: (pbft_cases.STOLEN_NUMBERS, "Only the primary proposes"),
    pbft_variants.RunsAtOnce: (pbft_cases.GAP, "Same state"),
    pbft_variants.TrustsAnyCheckpoint: (pbft_cases.FALSE_CHECKPOINT, "Requests are answered"),
    pbft_variants.BelievesFirst: (pbft_cases.FALSE_ANSWER, "Answers are true"),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_pbft_keeps_its_promises_in_every_case_but_two_liars(case):
    """At any seed; and each case is a schedule that survives JSON, of at most 15 actions."""
    for seed in range(1, 11):
        assert (broken(case, seed) is None) == (case is not pbft_cases.TWO_LIARS)
    assert len(case.schedule) <= 15
    system = pbft.cluster(case.nodes, clients=case.clients)
    assert loads(dumps(case.schedule), system) == check_schedule(case.schedule, system)


def test_every_mutant_has_its_case():
    assert set(KILLED_BY) == set(pbft_variants.MUTANTS)
    assert all(mutant.catalogue and mutant.__doc__ for mutant in pbft_variants.MUTANTS)


@pytest.mark.parametrize("mutant", pbft_variants.MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_works_while_nothing_fails_and_breaks_in_its_case(mutant):
    """At ten seeds: the schedule alone does it."""
    part = {"client" if issubclass(mutant, pbft.Client) else "server": mutant}
    assert broken(pbft_cases.CALM, **part) is None
    case, title = KILLED_BY[mutant]
    assert [broken(case, seed, **part) for seed in range(1, 11)] == [title] * 10


FOUND_AT = {     # the first seed whose random plot breaks the variant; see random_byzantine.caught_at
    pbft_variants.MajorityQuorum: 25, pbft_variants.HalfQuorum: 22, pbft_variants.WaitsForAll: 2,
    pbft_variants.CountsVoices: 19, pbft_variants.CommitsOnWeak: 226, pbft_variants.FreshViews: 2,
    pbft_variants.TrustsNewPrimary: 250, pbft_variants.AcceptsAnyProposal: 334, pbft_variants.RunsAtOnce: 0,
    pbft_variants.TrustsAnyCheckpoint: 5, pbft_variants.BelievesFirst: 3,
}


@pytest.mark.parametrize("mutant", pbft_variants.MUTANTS, ids=lambda mutant: mutant.__name__)
def test_random_plots_find_every_mutant_and_nothing_in_pbft(mutant):
    """The schedule is random, has at most 15 actions, and the unmutated protocol survives it."""
    seed, nodes = FOUND_AT[mutant], 5 if mutant is pbft_variants.MajorityQuorum else 4
    case, _ = random_byzantine.caught_at(range(seed, seed + 1), mutant, nodes)
    assert len(case.schedule) <= 15
    assert random_byzantine.caught_at(range(seed, seed + 8), nodes=nodes) is None


# ---- odds and ends


@pytest.mark.parametrize("node", ["n1", "n3"])
@pytest.mark.parametrize("fields", [
    {"view": -1}, {"view": 10**12}, {"sequence": 0}, {"sequence": 10**12}, {"digest": "null"}, {"digest": ""},
    {"number": -5}, {"result": ""}, {"replica": "nobody"}, {"proofs": [], "proposals": []},
    {"store": {}, "replies": {}},
])
def test_senseless_lies_stop_nobody(node, fields):
    """Worst inputs in every message that has the field: no replica stumbles, and the client is answered."""
    schedule = [{"at": 1, "do": "turn_traitor", "node": node, "behaviour": "corrupt", "fields": fields}]
    schedule += [{**REQUEST, "at": 10 + 200 * i, "command": f"x={i}"} for i in range(5)]
    if node != "n1":
        schedule.append({"at": 300, "do": "crash", "node": "n1"})
        schedule.append({"at": 900, "do": "restart", "node": "n1"})
    trace = simulate(pbft.cluster(4), seed=1, schedule=schedule, until=6_000)
    assert all(answered(trace)) and first_violation(trace, pbft.ALWAYS) is None


def test_runs_repeat_byte_for_byte():
    system = pbft.cluster(4, clients=2)
    for seed in range(8):
        schedule = random_byzantine.schedule_of(system, seed, 1)
        trace = simulate(system, seed=seed, schedule=schedule, until=1_500)
        again = simulate(pbft.cluster(4, clients=2), seed=seed, schedule=json.loads(json.dumps(schedule)), until=1_500)
        assert trace.digest() == again.digest() == Trace.from_json(trace.to_json()).digest()


def test_code_makes_the_same_system():
    system = pbft.cluster(5, clients=2, latency=(1, 2), faults=1)
    assert system.code == "pbft.cluster(5, clients=2, latency=(1, 2), faults=1)"
    assert pbft.cluster(4, server=pbft_variants.CountsVoices).code == "pbft.cluster(4, server=CountsVoices)"


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6])
def test_any_number_of_replicas_serves_while_nothing_fails(n):
    trace = simulate(pbft.cluster(n), seed=1, schedule=[REQUEST], until=900)
    assert answered(trace) == [True] and first_violation(trace, pbft.ALWAYS) is None


# ---- one more node, less safe: which sizes of a quorum are safe and live


@pytest.mark.parametrize(("n", "f", "right"), [(3, 1, []), (4, 1, [3]), (5, 1, [4]), (6, 1, [4, 5]), (7, 2, [5])])
def test_sizes_that_are_safe_and_live_are_those_of_the_arithmetic(n, f, right):
    """By running it: f liars that split the loyal ones as the size allows, and f that say nothing."""
    names = [f"n{i}" for i in range(1, n + 1)]
    good = []
    for size in range(1, n + 1):
        fooled = names[n - max(1, size - f):]
        told = {"behaviour": "equivocate", "fields": pbft_cases.SAYS_Y, "to": fooled}
        lying = [*({"at": 1, "do": "turn_traitor", "node": name, **told} for name in names[:f]), REQUEST,
                 {"at": 12, "do": "request", "command": "y=2", "client": "c2", "to": "n1"}]
        silent = [{"at": 1, "do": "turn_traitor", "node": name, "behaviour": "silent"} for name in names[n - f:]]

        def quorum(n, f, size=size):
            return size

        system = pbft_steps.counting(quorum, n, clients=2, faults=f)
        split = simulate(system, seed=1, schedule=lying, until=400)
        quiet = simulate(system, seed=1, schedule=[*silent, REQUEST], until=3_000)
        if first_violation(split, pbft.ALWAYS) is None and answered(quiet) == [True]:
            good.append(size)
    assert good == right == [q for q in range(1, n + 1) if 2 * q - n > f and q <= n - f]
