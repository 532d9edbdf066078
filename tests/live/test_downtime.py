"""A Raft leader that is killed twenty times, and how long nobody leads: on processes and in the simulator."""

from __future__ import annotations

import importlib.util
import itertools
import json
from pathlib import Path

import pytest

from dslab.__main__ import main
from dslab.check.invariants import check_trace
from dslab.live import LiveError, start
from dslab.live.downtime import (
    Downtimes,
    catch_up,
    compare_with_processes,
    leading,
    measured,
    predicted,
    without_leader,
)
from dslab.protocols import echo, raft
from dslab.protocols.raft_variants import ForgetfulVoter
from dslab.sim import simulate

spec = importlib.util.spec_from_file_location("linearizable", Path(__file__).with_name("linearizable.py"))
judge = importlib.util.module_from_spec(spec)
spec.loader.exec_module(judge)


@pytest.fixture(scope="module")
def twenty_kills():
    """Five servers and three clients as processes; the leader is killed twenty times."""
    system = raft.cluster(5, clients=3)
    downtimes, trace = compare_with_processes(system, kills=20, seed=1)
    return system, downtimes, trace


def test_twenty_leaders_are_killed(twenty_kills):
    """Each crash is of the server that led; each is followed by a restart on the old disk."""
    _, downtimes, trace = twenty_kills
    crashes = [event for event in trace.events if event.kind == "crash"]
    assert len(crashes) == len(downtimes.times["processes"]) == 20
    for event in crashes:
        assert trace.state_at(event.id)[event.node]["role"] == "leader"
    assert [e.detail for e in trace.events if e.kind == "restart"] == [{"disk": True}] * 20


def test_no_term_has_two_leaders_and_no_committed_command_is_lost(twenty_kills):
    """The five properties of Figure 3, judged on the merged trace of all processes."""
    system, _, trace = twenty_kills
    verdicts = check_trace(trace, system.always, system.eventually)
    assert [(v.title, v.status) for v in verdicts if v.status not in ("held", "reached")] == []
    assert len(verdicts) == 7


def test_every_server_ends_with_every_answered_write(twenty_kills):
    """Counted without the properties: what a client was told stands in each log, once applied."""
    system, _, trace = twenty_kills
    answered = [o["command"] for o in trace.history if o["completed_us"] is not None and "=" in o["command"]]
    final = trace.state_at(len(trace) - 1)
    assert len(answered) >= 35
    for server in system.servers:
        committed = [entry["command"] for entry in final[server]["log"][:final[server]["commit_index"]]]
        assert set(answered) <= set(committed)


def test_the_history_is_linearizable(twenty_kills):
    """By a judge that knows nothing of Raft."""
    _, _, trace = twenty_kills
    assert len(trace.history) >= 63 and judge.linearizable(trace.history)
    read = next(o for o in trace.history[5:] if "=" not in o["command"] and o["result"])
    read["result"] = "0.0" if read["result"] != "0.0" else "0.1"
    stale = [read if (o["client"], o["number"]) == (read["client"], read["number"]) else o for o in trace.history]
    assert not judge.linearizable(stale)


def test_downtimes_stand_beside_the_prediction(twenty_kills):
    """Nobody leads before the shortest timeout less a heartbeat, which a busy machine may send late; the table says how
    both were measured."""
    _, downtimes, _ = twenty_kills
    shortest = raft.ELECTION_TIMEOUT[0] - raft.HEARTBEAT
    assert min(downtimes.times["processes"]) > 0 and min(downtimes.times["simulator"]) > shortest
    table = str(downtimes).splitlines()
    assert [line.split()[0] for line in table[:3]] == ["ms", "processes", "simulator"]
    assert table[3].startswith("The simulator was given what this machine needed: latency ")
    assert downtimes.summary()["processes"]["kills"] == 20


def test_a_killed_server_wakes_with_what_was_recorded_as_saved(twenty_kills):
    """Its disk holds the state of its last write, or of a later handler whose write the kill came too late for."""
    system, _, trace = twenty_kills
    possible = {server: [] for server in system.servers}
    restarts = 0
    for world in trace.states():
        event = trace.events[world.event]
        if event.node not in possible:
            continue
        server = world.nodes[event.node]
        saved = (server.term, server.voted_for, server.log)
        if event.kind == "restart":
            restarts += 1
            assert saved in possible[event.node]
        if event.kind in ("restart", "write"):
            possible[event.node] = []
        possible[event.node].append(saved)
    assert restarts == 20


def operation(command, begin, end, result):
    """One operation of a history."""
    return {"client": "c", "number": begin, "command": command, "invoked_us": begin, "completed_us": end,
            "result": result}  # fmt: skip


@pytest.mark.parametrize(
    ("history", "verdict"),
    [
        ([("x=1", 0, 1, "1"), ("x", 2, 3, "1")], True),
        ([("x=1", 0, 1, "1"), ("x", 2, 3, None)], False),
        ([("x=1", 0, 5, "1"), ("x", 2, 3, None)], True),
        ([("x=1", 0, None, None), ("x", 2, 3, "1"), ("x", 4, 5, None)], False),
        ([("x=1", 0, None, None), ("x", 2, 3, None), ("x", 4, 5, "1")], True),
        ([("x=1", 0, 9, "1"), ("x=2", 0, 9, "2"), ("x", 1, 2, "1"), ("x", 3, 4, "2"), ("x", 5, 6, "1")], False),
        ([("x=1", 0, 1, "1"), ("y", 2, 3, None), ("x", 2, 3, "1")], True),
    ],
)
def test_the_judge_of_histories_is_right(history, verdict):
    """Small histories whose verdict is plain."""
    assert judge.linearizable([operation(*o) for o in history]) is verdict


@pytest.mark.parametrize("size", [3, 4])
def test_the_judge_agrees_with_trying_every_order(size):
    """All histories of a few operations: a legal order exists, or not."""
    kinds = [("x=1", "1"), ("x=2", "2"), ("x", "1"), ("x", "2"), ("x", None)]
    spans = [(0, 3), (1, 2), (2, 5), (4, 6)]

    def by_hand(history):
        for order in itertools.permutations(history):
            value, legal = None, True
            for place, o in enumerate(order):
                legal = legal and all(later["completed_us"] >= o["invoked_us"] for later in order[place + 1:])
                value = o["command"].partition("=")[2] or value
                legal = legal and o["result"] == value
            if legal:
                return True
        return False

    for chosen in itertools.product(kinds, repeat=size):
        history = [operation(c, *span, r) for (c, r), span in zip(chosen, spans)]
        assert judge.linearizable(history) == by_hand(history)


def test_times_without_a_leader_are_read_from_any_trace():
    """From the crash of a leader to the next server that leads: a run of the simulator has the same answer."""
    system = raft.cluster(5)
    first = next(w for w in iter(simulate(system, seed=7, until=2000).states()) if w.changed is not None
                 and getattr(w.changed, "role", None) == "leader").changed.id  # fmt: skip
    other = next(n for n in system.servers if n != first)
    trace = simulate(system, seed=7, until=4000, schedule=[
        {"at": 900, "do": "crash", "node": other}, {"at": 1000, "do": "crash", "node": first}])  # fmt: skip
    led = [e for e in trace.events if e.time_us > 1_000_000 and ["role", "leader"] in e.patch]
    assert without_leader(trace) == [(led[0].time_us - 1_000_000) / 1000]


def test_what_the_machine_needed_is_read_from_the_trace():
    """A simulated machine with fixed times is found to have these."""
    trace = simulate(raft.cluster(3, latency=7, disk=3), seed=1, until=3000)
    assert measured(trace) == {"latency": (7.0, 7.0), "disk": (3.0, 3.0)}
    low, high = measured(simulate(raft.cluster(3, latency=(10, 20), disk=0), seed=1, until=20_000))["latency"]
    assert 10 <= low < 11 and 18 < high < 20.5


def test_the_prediction_is_that_of_the_elections_experiment():
    """Two programs for nearly one question: the Raft paper's crash between two heartbeats, without unequal logs.

    With 150 to 300 ms, four survivors and a heartbeat of 75 ms, the first of four timers ends on average 30 ms after
    the shortest timeout, and half a heartbeat has passed: 142.5 ms plus one broadcast.
    """
    times = predicted(raft.cluster(5, latency=1, disk=0), trials=150)
    assert 140 < sum(times) / len(times) < 165
    assert predicted(raft.cluster(5, latency=1, disk=0), trials=3) == times[:3]


def test_a_system_without_leaders_is_refused():
    """One sentence instead of a division by nothing."""
    with pytest.raises(LiveError, match=r"echo has no leader|has no leader that lasts a second"):
        predicted(echo.cluster(3), trials=1)


@pytest.mark.parametrize(("server", "verdict"), [(ForgetfulVoter, "violated"), (raft.Server, "held")])
def test_a_vote_that_a_crash_erases_elects_two_leaders(server, verdict):
    """A seeded bug is convicted by the trace of real processes: a SIGSTOP, a SIGKILL and two partitions do it.

    n3 is stopped before it hears of term 1. The other two elect a leader in it; the voter is killed, and asked by n3.
    """
    system = raft.cluster(3, server=server, clients=0, election_timeout=(1000, 2000), heartbeat=100)
    with start(system, seed=7) as running:       # n1 asks first, long before n2 would
        running.pause("n3")
        running.partition([["n1", "n2"], ["n3"]])
        first = running.wait(leading, 60)
        voter = next(n for n in ("n1", "n2") if n != first)
        running.crash(voter)
        running.restart(voter)
        running.partition([[first], [voter, "n3"]])
        running.resume("n3")
        running.wait(lambda states: "leader" in (states[voter].role, states["n3"].role), 60)
    verdicts = {v.title: v.status for v in check_trace(running.trace(), system.always)}
    assert verdicts["One leader per term"] == verdict


def test_servers_whose_new_leader_does_not_know_what_is_committed_catch_up():
    """The leader answers a write and is stopped before anybody hears that it is committed; the next has no entry of its
    own, so that no heartbeat ever brings the three to the same commit index."""
    system = raft.cluster(3, clients=1, election_timeout=(2000, 4000), heartbeat=1000)
    with start(system, seed=1) as running:
        first = running.wait(leading, 60)
        running.request("x=1").result(60)
        running.pause(first)
        running.wait(lambda states: leading(states) not in (None, first), 60)
        running.resume(first)
        catch_up(running)
        states = running.states()
    assert {(s.leader, s.commit_index, len(s.log)) for s in map(states.get, system.servers)} == {
        (leading(states), len(states["n1"].log), len(states["n1"].log))}  # fmt: skip


def test_the_table_of_one_source():
    """Numbers that can be checked by hand."""
    downtimes = Downtimes({"etcd": [100.0, 300.0, 200.0]}, "Nothing else.")
    assert downtimes.summary() == {
        "etcd": {"kills": 3, "min": 100.0, "median": 200.0, "mean": 200.0, "p90": 200.0, "max": 300.0}
    }
    assert str(downtimes).splitlines()[1].split() == ["etcd", "3", "100", "200", "200", "200", "300"]


def test_the_experiment_prints_one_object(capsys):
    """python -m dslab experiment live-elections --json."""
    assert main(["experiment", "live-elections", "--servers", "3", "--kills", "1", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["processes"]["kills"] == 1 and printed["simulator"]["kills"] == 200
    assert printed["timeouts"] == [150, 300] and printed["servers"] == 3


def test_a_wrong_argument_is_one_line(capsys):
    """Exit status 2 and what is accepted."""
    with pytest.raises(SystemExit) as ended:
        main(["experiment", "live-elections", "--kills", "0"])
    assert ended.value.code == 2 and "from 1 to 1,000" in capsys.readouterr().err
