"""Multi-Paxos: what a command costs, every collected run, every rule left out, and runs under random faults."""

import sys
from collections import Counter
from pathlib import Path

import pytest

from dslab.check.answers import find
from dslab.check.invariants import check_trace, first_violation
from dslab.protocols import multi_paxos, multi_paxos_cases, multi_paxos_variants, paxos
from dslab.sim import simulate

sys.path.insert(0, str(Path(__file__).parent))
from random_consensus import multi_paxos_run

LEADS = {"at": 10, "do": "timeout", "node": "n1", "timer": "election"}


def asks(at, command, to="n1", client="c1"):
    return {"at": at, "do": "request", "command": command, "to": to, "client": client}


def verdict(case, server=multi_paxos.Server):
    """The name of what breaks first, or None."""
    broken = find(multi_paxos.cluster(case.nodes, server=server, clients=case.clients), case)
    return broken and broken.verdict.name


@pytest.mark.parametrize("nodes", range(1, 10))
def test_a_stable_leader_needs_two_messages_per_other_server(nodes):
    """2(n - 1) messages and 2 delays per command; phase 1 was paid for once."""
    commands = 5
    system = multi_paxos.cluster(nodes, latency=10, disk=0, heartbeat=10_000)
    schedule = [LEADS, *[asks(100 + 60 * i, f"x={i}") for i in range(commands)]]
    trace = simulate(system, seed=1, schedule=schedule, until=500)
    sent = Counter(m.type for m in trace.messages)
    assert sent["Accept"] == sent["Accepted"] == commands * (nodes - 1)
    assert sent["Prepare"] == sent["Promise"] == nodes - 1
    delays = {op["completed_us"] - op["invoked_us"] for op in trace.history}
    assert delays == {20_000 + (20_000 if nodes > 1 else 0)}      # to the leader and back, and two delays
    assert trace.state_at(len(trace) - 1)["n1"]["executed"] == list(range(1, commands + 1))


def test_a_pipeline_of_commands_costs_no_more():
    """Three clients at once, with latencies that reorder: still 2(n - 1) messages each."""
    system = multi_paxos.cluster(5, clients=3, heartbeat=10_000)
    schedule = [LEADS, *[asks(100, f"x={i}", client=f"c{i}") for i in (1, 2, 3)]]
    sent = Counter(m.type for m in simulate(system, seed=3, schedule=schedule, until=200).messages)
    assert sent["Accept"] == sent["Accepted"] == 3 * 4
    assert sent["Missing"] == 0


def test_it_is_cheaper_than_paxos_from_the_second_command_on():
    """Single-decree Paxos takes 4(n - 1) for every value."""
    trace = simulate(paxos.cluster(5, latency=10, disk=0), seed=1, schedule=[asks(100, "x=1")], until=150)
    assert sum(m.type in ("Prepare", "Promise", "Accept", "Accepted") for m in trace.messages) == 2 * 2 * 4


@pytest.mark.parametrize("case", multi_paxos_cases.CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("seed", range(1, 6))
def test_it_keeps_its_promises_in_every_case(case, seed):
    assert verdict(case._replace(seed=seed)) is None


CAUGHT = [
    (multi_paxos_variants.OutOfOrder, multi_paxos_cases.HOLE, "executed_in_order"),
    (multi_paxos_variants.LeavesHoles, multi_paxos_cases.HOLE, "requests_are_answered"),
    (multi_paxos_variants.OwnCommands, multi_paxos_cases.TAKEOVER, "slot_agreement"),
    (multi_paxos_variants.Hasty, multi_paxos_cases.LATE_ACCEPT, "slot_agreement"),
    (multi_paxos_variants.Forgetful, multi_paxos_cases.RESTARTED, "slot_agreement"),
    (multi_paxos_variants.TrustsIndex, multi_paxos_cases.STALE_SLOT, "learners_agree"),
    (multi_paxos_variants.FrontEndTable, multi_paxos_cases.LOST_REPLY, "at_most_once"),
]


@pytest.mark.parametrize(("server", "case", "name"), CAUGHT, ids=lambda x: getattr(x, "__name__", None))
def test_without_a_rule_its_case_breaks(server, case, name):
    """At every seed: the schedule does it, not luck. The case names the misconception."""
    for seed in range(1, 6):
        assert verdict(case._replace(seed=seed), server) == name
    assert server.catalogue == case.catalogue
    assert verdict(multi_paxos_cases.CALM, server) is None


def test_every_mutant_has_a_case():
    assert tuple(server for server, _, _ in CAUGHT) == multi_paxos_variants.MUTANTS


def test_a_hole_is_filled_with_a_no_op():
    """Section 3: slot 2 was lost with the old leader, so the new one proposes that nothing happens there."""
    case = multi_paxos_cases.HOLE
    trace = simulate(multi_paxos.cluster(3, clients=3), seed=1, schedule=case.schedule, until=case.until)
    slots = trace.state_at(len(trace) - 1)["n2"]["slots"]
    assert [slots[str(slot)]["value"]["command"] for slot in (1, 2, 3)] == ["x=1", None, "z=3"]


def test_state_machines_end_equal_after_faults():
    """An independent replay of the chosen commands gives what every server holds."""
    for seed in range(30):
        _, trace, _ = multi_paxos_run(seed)
        for world in trace.states():
            last = world
        longest = max(last.servers, key=lambda s: len(s.executed))
        for server in last.servers:
            store, seen = {}, {}
            for slot in server.executed:
                value = longest.slots[slot]["value"]
                if value.client is not None and value.number > seen.get(value.client, 0):
                    seen[value.client] = value.number
                    key, _, written = value.command.partition("=")
                    if "=" in value.command:
                        store[key] = written
            assert dict(server.store) == store


@pytest.mark.parametrize("seeds", [range(start, start + 50) for start in range(0, 200, 50)], ids=str)
def test_survives_random_faults(seeds):
    assert [seed for seed in seeds if multi_paxos_run(seed)[0]] == []


def test_goes_somewhere_without_faults():
    trace = simulate(multi_paxos.cluster(5), seed=1, schedule=[asks(1_000, "x=1")], until=2_000)
    assert [v.status for v in check_trace(trace, (), multi_paxos.EVENTUALLY)] == ["reached", "reached"]
    assert first_violation(trace, multi_paxos.ALWAYS) is None
