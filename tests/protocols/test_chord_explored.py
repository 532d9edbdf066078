"""Chord under the explorer: what the rules of 2001 can never mend, and that the repaired rules can, from every state.

n1 and n3 are a ring with lists of two; n2 joins, may run one round of repairs, and one server fails: 165 to 757 states.
From the states that look bad a second search lets every timer of the repairs run out without bound, every message
arrive late or again and again, and looks for a ring in order. It ends, so "met nowhere" is a proof.
"""

from __future__ import annotations

import pytest

from dslab import explore, simulate, violation
from dslab.check.explore import Stage
from dslab.check.retrace import path
from dslab.protocols import chord, chord_cases, chord_variants
from dslab.protocols.chord_properties import disorder, running
from dslab.sim import ScheduleError

JOIN = [{"node": "n2", "to": "n1"}]


def names_the_dead(world):
    """n2 has failed, and n3 has it for its predecessor."""
    _, n2, n3 = world.servers
    return n2.status == "crashed" and n3.status == "up" and n3.predecessor == "n2"


def knows_nobody_alive(world):
    """n3 has failed, and n2, which is in the ring, knows nobody else."""
    n1, n2, n3 = world.servers
    return n3.status == "crashed" and n1.status == n2.status == "up" and n2.successors == ["n3"]


def mended(world):
    """The two servers that are left are a ring in order."""
    return len(running(world)) == 2 and not disorder(world)


def bad_states(server, goal):
    system = chord_cases.three(chord_cases.without_fingers(server))
    found = explore(system, joins=JOIN, timeouts={"stabilize": 1}, crashes=1, goals=[goal], always=[])
    assert found.result == "exhausted"
    return system, found


def test_with_the_rules_of_2001_a_dead_predecessor_stays_for_ever():
    """All that can happen from there is looked at, repeated and late messages included: no ring in order is reached."""
    system, found = bad_states(chord_variants.Chord2001, names_the_dead)
    start = found.where("names_the_dead")
    for state in start.states:
        after = explore(system, start=Stage(found, (state,), start.goal), timeouts=None, network="any number",
                        goals=[mended], always=[])
        assert after.result == "exhausted" and after.goals == {"mended": False}, after


def test_with_the_rules_of_2001_a_server_may_be_left_alone():
    """Joined with one successor, which fails before n1 has heard of n2: neither will ever name the other."""
    system, found = bad_states(chord_variants.Chord2001, knows_nobody_alive)
    start = found.where("knows_nobody_alive")
    met = {state: explore(system, start=Stage(found, (state,), start.goal), timeouts=None, network="any number",
                          goals=[mended], always=[]) for state in start.states}
    lost = [state for state, after in met.items() if after.result == "exhausted" and not after.goals["mended"]]
    assert lost, met


@pytest.mark.parametrize("goal", [names_the_dead])
def test_with_the_repaired_rules_such_states_can_mend(goal):
    """One state of nine is tried; `python -m tests.protocols.random_churn` runs thousands of storms instead."""
    system, found = bad_states(chord.Server, goal)
    start = found.where(goal.__name__)
    for state in start.states[::9]:
        after = explore(system, start=Stage(found, (state,), start.goal), timeouts=None, goals=[mended], always=[],
                        states=8_000)
        assert after.goals == {"mended": True}, path(found, state)


def test_with_the_repaired_rules_nobody_is_left_with_nobody():
    _, found = bad_states(chord.Server, knows_nobody_alive)
    assert found.goals == {"knows_nobody_alive": False}


def nobody_names_the_dead(world):
    """No server has a failed one for its predecessor, which is more than anybody promises."""
    return violation("n3 names the failed n2", nodes=["n3"]) if names_the_dead(world) else None


def test_the_steps_to_a_bad_state_are_a_schedule_that_replays():
    system = chord_cases.three(chord_cases.without_fingers(chord_variants.Chord2001))
    found = explore(system, joins=JOIN, timeouts={"stabilize": 1}, crashes=1, goals=(), always=[nobody_names_the_dead])
    assert found.result == "violated"
    assert found.case.schedule[0] == {"at": 10, "do": "join", "node": "n2", "to": "n1"}
    trace = simulate(found.system, seed=found.case.seed, schedule=found.case.schedule, until=found.case.until)
    end = trace.state_at(len(trace) - 1)
    assert end["n2"]["status"] == "crashed" and end["n3"]["predecessor"] == "n2"


@pytest.mark.parametrize("joins", [
    [{"node": "n1", "to": "n3"}], [{"node": "n2"}], [{"node": "n2", "to": "n9"}], {"node": "n2", "to": "n1"}, ["n2"]])
def test_who_cannot_join_is_refused_in_a_sentence(joins):
    with pytest.raises(ScheduleError, match="join"):
        explore(chord_cases.three(), joins=joins)
