"""A trace is data: it survives JSON, its digest names it, and its patches add up to the state."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dslab
from dslab.check.faults import random_schedule
from dslab.protocols import raft
from dslab.sim import Simulation, Trace, TraceError, plain, simulate
from dslab.sim.snapshot import keep, list_change

SCHEDULE = [{"at": 600, "do": "request", "command": "x=1"}, {"at": 900, "do": "crash", "node": "n1"},
            {"at": 1500, "do": "restart", "node": "n1"}]


def test_json_keeps_every_byte_of_the_digest():
    trace = simulate(raft.cluster(5), seed=7, schedule=SCHEDULE, until=2_000)
    back = Trace.from_json(trace.to_json())
    assert back.digest() == trace.digest() and back.to_bytes() == trace.to_bytes()
    assert list(back.events) == list(trace.events) and list(back.messages) == list(trace.messages)
    assert back.state_at(200) == trace.state_at(200) and back.history == trace.history
    assert back.first_difference(trace) is None


def test_the_digest_depends_on_each_of_the_three_inputs():
    base = simulate(raft.cluster(3), seed=1, until=500)
    others = [simulate(raft.cluster(5), seed=1, until=500), simulate(raft.cluster(3), seed=2, until=500),
              simulate(raft.cluster(3), seed=1, until=500, schedule=[{"at": 499, "do": "heal"}])]
    assert len({t.digest() for t in [base, *others]}) == 4
    assert "event" in base.first_difference(others[1])


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_the_digest_does_not_depend_on_the_hash_seed(seed):
    code = ("from dslab.protocols import raft; from dslab.sim import simulate;"
            "print(simulate(raft.cluster(5), seed=7, until=3000).digest())")
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(dslab.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == simulate(raft.cluster(5), seed=7, until=3_000).digest()


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_patches_add_up_to_the_live_state(seed):
    """The state rebuilt from patches is the state of the node objects themselves."""
    system = raft.cluster(3)
    sim = Simulation(system, seed, random_schedule(system, seed, 1_500)).run(1_500)
    trace = sim.trace()
    state = trace.state_at(len(trace) - 1)
    for name in system.servers:
        if sim.hosts[name].status == "up":
            assert state[name] == {"status": "up", **{f: plain(getattr(sim.nodes[name], f)) for f in raft.Server.shows}}


@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)))
def test_a_list_change_turns_the_old_into_the_new(old, new):
    start, removed, items = list_change(new, old)
    assert old[:start] + items + old[start + removed:] == new
    assert keep(new, old) == new and keep(new, old) is not new


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 99}', "[" * 100_000,
                                  '{"schema": 1, "event_list": [[1]]}'])
def test_a_damaged_file_is_refused_in_one_sentence(text):
    with pytest.raises(TraceError) as caught:
        Trace.from_json(text)
    assert "\n" not in str(caught.value)


def test_a_truncated_trace_is_refused():
    text = simulate(raft.cluster(3), seed=1, until=300).to_json()
    data = json.loads(text)
    data["event_list"][3] = data["event_list"][3][:4]
    for bad in (text[:-20], json.dumps(data)):
        with pytest.raises(TraceError):
            Trace.from_json(bad)


def test_positions_out_of_range_say_how_many_there_are():
    trace = simulate(raft.cluster(3), seed=1, until=300)
    with pytest.raises(IndexError, match=f"there are {len(trace)}"):
        trace.events[len(trace)]
    with pytest.raises(IndexError):
        trace.state_at(-1)
    assert trace.events[-1].id == len(trace) - 1 and len(trace.events[2:5]) == 3
