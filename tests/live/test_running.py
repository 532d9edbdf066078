"""Runs of node classes as processes: what verbs do to the processes, and what the trace says of it."""

from __future__ import annotations

import importlib.util
import itertools
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from dslab.check.invariants import check_trace
from dslab.live import LiveError, start
from dslab.live.downtime import catch_up
from dslab.protocols import raft
from dslab.sim import ScheduleError, System, Trace, simulate
from dslab.sim.schedule import VERBS
from dslab.widgets import Lab

SECONDS = 60  # nothing here takes a second; a busy machine may need many


def load(name):
    """A module beside this file, under a name that no other process can import."""
    spec = importlib.util.spec_from_file_location(f"live_test_{name}", Path(__file__).with_name(f"{name}.py"))
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


nodes = load("nodes")


def leader(states):
    """The server that leads, if one does."""
    return next((n for n, s in states.items() if s.status == "up" and getattr(s, "role", "") == "leader"), None)


def faults(trace):
    """What was done to the run, without times."""
    return [{k: v for k, v in action.items() if k != "at"} for action in trace.schedule]


@pytest.fixture(scope="module")
def raft_run():
    """Raft with a leader killed and restarted, and one that is stopped while another takes over."""
    with start(raft.cluster(5), seed=1) as running:
        first = running.wait(leader, SECONDS)
        assert running.request("x=1").result(SECONDS) == "1"
        running.crash(first)
        second = running.wait(leader, SECONDS)
        assert running.request("x=2").result(SECONDS) == "2"
        running.restart(first)
        running.pause(second)
        running.wait(leader, SECONDS)
        running.resume(second)
        running.wait(lambda states: states[second].role == "follower", SECONDS)
        assert running.request("x").result(SECONDS) == "2"
        catch_up(running)
        running.wait(lambda states: states[first].store == {"x": "2"}, SECONDS)
    return running, running.trace(), first, second


def test_raft_keeps_its_promises_on_processes(raft_run):
    """The properties of the simulator judge the trace of a live run."""
    running, trace, _, _ = raft_run
    verdicts = check_trace(trace, running.system.always, running.system.eventually)
    assert {v.status for v in verdicts} == {"held", "reached"}


def test_a_trace_is_in_the_simulators_format(raft_run):
    """It survives JSON, has a digest, and gives the clients' history."""
    _, trace, _, _ = raft_run
    again = Trace.from_json(trace.to_json())
    assert again.digest() == trace.digest()
    assert [(o["command"], o["result"]) for o in trace.history] == [("x=1", "1"), ("x=2", "2"), ("x", "2")]
    assert all(o["invoked_us"] < o["completed_us"] for o in trace.history)


def test_a_lab_shows_it(raft_run):
    """The widget draws it like any other trace."""
    running, trace, _, _ = raft_run
    lab = Lab.recorded(trace, system=running.system, title="Raft on real processes")
    assert lab.trace().digest() == trace.digest()


def test_every_event_has_its_cause_before_it(raft_run):
    """What is received was sent before, what is written was handled before; times never go back."""
    _, trace, _, _ = raft_run
    events = trace.events
    assert all(a.time_us <= b.time_us for a, b in itertools.pairwise(events))
    for event in events:
        assert event.cause is None or event.cause < event.id
        if event.kind in ("deliver", "drop"):
            record = trace.messages[event.message]
            assert record.end_event == event.id and record.sent_us <= record.end_us == event.time_us
            assert record.sent_event == event.cause or event.kind == "drop"
        if event.kind in ("timer", "write", "deliver"):
            assert event.cause is not None
    for record in trace.messages:
        assert events[record.sent_event].node == record.source
        assert (record.fate in ("delivered", "dropped")) == (record.end_event is not None)


def test_messages_leave_after_what_they_depend_on_is_on_the_disk(raft_run):
    """A vote is a promise of its sender's disk: the event that sends it is the end of the write."""
    _, trace, _, _ = raft_run
    granted = [m for m in trace.messages if m.type == "Vote" and m.fields["granted"]]
    assert granted and all(trace.events[m.sent_event].kind == "write" for m in granted)


def test_the_schedule_says_what_was_done(raft_run):
    """The same faults can be played in the simulator."""
    running, trace, first, second = raft_run
    done = [action for action in faults(trace) if action["do"] != "request"]
    assert done == [{"do": "crash", "node": first}, {"do": "restart", "node": first},
                    {"do": "pause", "node": second}, {"do": "resume", "node": second}]  # fmt: skip
    assert [e.kind for e in trace.events if e.node in (first, second) and e.kind in {a["do"] for a in done}] == [
        "crash", "restart", "pause", "resume"]  # fmt: skip
    simulate(running.system, seed=1, schedule=trace.schedule, until=trace.until_us / 1000)


def test_random_numbers_are_those_of_the_simulator(raft_run):
    """The first election timeouts are the simulation's, with the same seed."""
    running, trace, _, _ = raft_run

    def first_timeouts(trace):
        patches = {e.node: {c[0]: c[1:] for c in e.patch} for e in trace.events if e.kind == "start"}
        return {n: p["@election"][0][1] - p["@election"][0][0] for n, p in patches.items() if "@election" in p}

    simulated = simulate(running.system, seed=1, until=1)
    assert first_timeouts(trace) == first_timeouts(simulated) and len(first_timeouts(trace)) == 5


def test_the_states_are_those_at_the_end_of_the_trace(raft_run):
    """`states` follows the records one by one, the trace merges them: both come to the same."""
    running, trace, _, _ = raft_run
    final = trace.state_at(len(trace) - 1)
    for node, state in running.states().items():
        for field in ("status", "role", "term", "commit_index", "store"):
            assert getattr(state, field, None) == final[node].get(field)


def test_a_crash_is_a_kill_and_a_restart_another_process_on_the_old_disk():
    """Memory is lost, the disk is not, unless it is replaced by an empty one."""
    with start(System(nodes.Counter, 3, clients=1), seed=3) as running:
        assert running.request(5, to="n1").result(SECONDS) == 5
        assert running.request(6, to="n1").result(SECONDS) == 11
        old = psutil.Process(running.pids["n1"])
        assert "dslab.live.process" in old.cmdline() and "n1" in old.cmdline()
        running.crash("n1")
        assert not old.is_running() and "n1" not in running.pids
        assert running.states()["n1"].status == "crashed"
        running.restart("n1")
        state = running.states()["n1"]
        assert (state.total, state.seen, state.memory) == (11, [nodes.Add(5), nodes.Add(6)], 0)
        assert state.status == "up" and running.pids["n1"] != old.pid
        assert running.request(1, to="n1").result(SECONDS) == 12
        running.crash("n1")
        running.restart("n1", disk=False)
        assert running.states()["n1"].total == 0
        running.wait(lambda states: states["n2"].told == {"n1": 12}, SECONDS)
    assert running.trace().state_at(len(running.trace()) - 1)["n2"]["told"] == {"n1": 12}


def test_a_kill_from_outside_is_recorded():
    """What a terminal does to a process is a crash like any other."""
    with start(System(nodes.Counter, 2, clients=1), seed=3) as running:
        os.kill(running.pids["n2"], signal.SIGKILL)
        running.wait(lambda states: states["n2"].status == "crashed", SECONDS)
        running.restart("n2")
    assert faults(running.trace()) == [{"do": "crash", "node": "n2"}, {"do": "restart", "node": "n2"}]


def test_a_paused_process_is_stopped_and_learns_it_from_its_clock():
    """SIGSTOP: nothing is handled; after SIGCONT the clock has jumped, and what came meanwhile is there."""
    with start(System(nodes.Heart, 2), seed=1) as running:
        running.wait(lambda states: states["n1"].heard["n2"] > 2, SECONDS)
        running.pause("n1")
        assert psutil.Process(running.pids["n1"]).status() == psutil.STATUS_STOPPED
        before = running.states()["n1"]
        heard = running.states()["n2"].clock
        running.wait(lambda states: states["n2"].clock > heard + 200, SECONDS)
        assert running.states()["n1"].heard == before.heard and running.states()["n1"].status == "paused"
        running.resume("n1")
        running.wait(lambda states: states["n1"].heard["n2"] >= before.heard["n2"] + 10, SECONDS)
        assert running.states()["n1"].clock > before.clock + 200
    trace = running.trace()
    pause, resume = (next(e for e in trace.events if e.kind == kind) for kind in ("pause", "resume"))
    between = trace.events[pause.id + 1:resume.id]
    assert between and all(event.node == "n2" for event in between)


def grows(states, node, sender, by=3):
    """A condition: a node hears so many more beats of another."""
    since = states[node].heard[sender]
    return lambda states: states[node].heard[sender] >= since + by


def all_beat(states, by=5):
    """A condition: every node has sent so many more beats."""
    since = {node: state.beats for node, state in states.items()}
    return lambda states: all(state.beats >= since[node] + by for node, state in states.items())


def sent_between(trace, first, last):
    """Messages of each link that left between two faults, but for the last, which may have come to the link later."""
    begin, end = (next(e.time_us for e in trace.events if e.kind == kind) for kind in (first, last))
    sent = {}
    for m in trace.messages:
        if begin < m.sent_us < end:
            sent.setdefault((m.source, m.target), []).append(m)
    return {link: messages[:-1] for link, messages in sent.items()}


def test_one_direction_can_be_cut():
    """n1 hears n2 but not the other way round, until the link is mended."""
    with start(System(nodes.Heart, 2), seed=1) as running:
        running.wait(grows(running.states(), "n2", "n1"), SECONDS)
        running.cut("n1", "n2")
        running.wait(all_beat(running.states()), SECONDS)
        running.mend("n1", "n2")
        running.wait(grows(running.states(), "n2", "n1"), SECONDS)
    trace = running.trace()
    meanwhile = sent_between(trace, "cut", "mend")
    assert {m.fate for m in meanwhile["n1", "n2"]} == {"dropped"}
    assert {m.fate for m in meanwhile["n2", "n1"]} == {"delivered"}
    assert {m.source for m in trace.messages if m.fate == "dropped"} == {"n1"}
    assert {e.detail for e in trace.events if e.kind == "drop"} == {"cut"}


@pytest.mark.parametrize("in_flight", ["lost", "held"])
def test_a_partition_loses_what_is_sent_or_keeps_it(in_flight):
    """A broken connection loses messages; a pulled cable only delays them, because TCP sends them again."""
    with start(System(nodes.Heart, 3), seed=1) as running:
        running.wait(grows(running.states(), "n3", "n1"), SECONDS)
        running.partition([["n1", "n2"], ["n3"]], in_flight=in_flight)
        running.wait(all_beat(running.states()), SECONDS)
        sent = [m for m in running.trace().messages if (m.source, m.target) == ("n1", "n3")]
        assert {m.fate for m in sent} >= ({"dropped"} if in_flight == "lost" else {"held"})
        running.heal()
        sent = {node: state.beats for node, state in running.states().items()}
        running.wait(grows(running.states(), "n3", "n1"), SECONDS)
        running.wait(grows(running.states(), "n1", "n3"), SECONDS)
        if in_flight == "held":
            running.wait(lambda s: all(s[a].heard[b] >= sent[b] for a in sent for b in sent if a != b), SECONDS)
    trace = running.trace()
    meanwhile = sent_between(trace, "partition", "heal")
    healed = next(e.time_us for e in trace.events if e.kind == "heal")
    for link in (("n1", "n3"), ("n3", "n1")):
        assert {m.fate for m in meanwhile[link]} == {"dropped" if in_flight == "lost" else "delivered"}
        assert in_flight == "lost" or min(m.end_us for m in meanwhile[link]) >= healed
    assert {m.fate for m in meanwhile["n1", "n2"]} == {"delivered"}
    assert {"dropped"} >= {m.fate for m in trace.messages if m.end_us and m.fate != "delivered"}


def test_a_link_can_be_slow():
    """The added latency is what the trace shows, on that direction alone."""
    with start(System(nodes.Heart, 2), seed=1) as running:
        running.link("n1", "n2", latency=(150, 160))
        running.wait(lambda states: states["n2"].heard["n1"] > 5, SECONDS)
    trace = running.trace()
    since = next(e.time_us for e in trace.events if e.kind == "link")
    took = {"n1": [], "n2": []}
    for m in trace.messages:
        if m.fate == "delivered" and m.sent_us > since:
            took[m.source].append(m.end_us - m.sent_us)
    assert min(took["n1"]) >= 150_000 > min(took["n2"])


def test_messages_to_a_crashed_node_are_dropped():
    """And each says so."""
    with start(System(nodes.Heart, 2), seed=1) as running:
        running.crash("n2")
        clock = running.states()["n1"].clock
        running.wait(lambda states: states["n1"].clock > clock + 100, SECONDS)
    trace = running.trace()
    crash = next(e for e in trace.events if e.kind == "crash")
    after = [m for m in trace.messages if m.target == "n2" and m.sent_us > crash.time_us]
    assert len(after) >= 4
    assert {m.fate for m in after} <= {"dropped", "in flight"} and "dropped" in {m.fate for m in after}
    assert {e.detail for e in trace.events if e.kind == "drop"} == {"crashed"}
    assert trace.state_at(len(trace) - 1)["n2"]["status"] == "crashed"


def test_an_answer_that_was_waited_for_is_in_the_trace():
    """Whoever has the result finds it in the record, whichever process tells what it did first."""
    with start(System(nodes.Counter, 3, clients=1), seed=1) as running:
        told, seen = [], []
        for _ in range(30):
            told.append(running.request(1).result(SECONDS))
            seen.append([one["result"] for one in running.trace().history])
    assert seen == [told[:n] for n in range(1, 31)]


def test_what_cannot_have_an_effect_is_recorded_with_the_reason():
    """As in the simulator, so that a schedule stays usable."""
    with start(System(nodes.Counter, 2, clients=1), seed=1) as running:
        running.restart("n1")
        running.resume("n1")
        running.crash("n1")
        running.crash("n1")
        running.pause("n1")
        running.crash("c1")
        with pytest.raises(LiveError, match="the request cannot be made: c1 is crashed"):
            running.request(1)
    told = [e.detail["ignored"] for e in running.trace().events if e.detail and "ignored" in e.detail]
    assert told == ["n1 is running", "n1 is not paused", "n1 is already down", "n1 is crashed", "c1 is crashed"]


def test_wrong_arguments_are_refused_as_in_a_schedule():
    """One sentence, and nothing is done."""
    with start(System(nodes.Counter, 2), seed=1) as running:
        with pytest.raises(ScheduleError, match="node must be one of n1, n2, not 'n9'"):
            running.crash("n9")
        with pytest.raises(ScheduleError, match="loss cannot be set: a live link is a TCP connection"):
            running.link("n1", "n2", latency=5, loss=0.5)
        with pytest.raises(ScheduleError, match="a node's link to itself"):
            running.cut("n1", "n1")
        with pytest.raises(ScheduleError, match="this system has none"):
            running.request("x")
        with pytest.raises(LiveError, match=r"waited 0\.05 s in vain for the condition to come true; the nodes: n1 up"):
            running.wait(lambda states: False, seconds=0.05)
    with pytest.raises(LiveError, match="this run has ended"):
        running.crash("n1")
    assert len(running.trace().schedule) == 0


@pytest.mark.parametrize(
    ("verb", "arguments", "remedy"),
    [
        ("join", ["n1"], "start a system in which every server is there"),
        ("leave", ["n1"], "crash the node"),
        ("lose_disk", ["n1"], "restart it with disk=False"),
        ("skew", ["n1", 100], "the processes of one machine share its clock"),
        ("timeout", ["n1"], "timers of processes fire by the machine's clock"),
        ("load_dice", ["n1", [1]], "a process draws its own random numbers"),
        ("turn_traitor", ["n1", "silent"], "a process runs its class as it is"),
        ("turn_loyal", ["n1"], "a process runs its class as it is"),
        *[(verb, [3], "cut.source, target. loses what is sent")
          for verb in ("drop", "hold", "release", "delay", "duplicate", "deliver")],
    ],
)  # fmt: skip
def test_a_verb_for_simulated_runs_alone_says_so(one_process, verb, arguments, remedy):
    """One sentence with a remedy, and nothing is done."""
    with pytest.raises(ScheduleError, match=f"{verb} is for simulated runs: .*{remedy}"):
        getattr(one_process, verb)(*arguments)
    assert one_process.trace().schedule == []


def test_every_verb_of_a_schedule_does_something_or_says_why_not(one_process):
    """And what is no verb is no attribute."""
    assert all(callable(getattr(one_process, verb)) for verb in VERBS)
    with pytest.raises(AttributeError, match="a run on processes has no 'explode'"):
        one_process.explode  # noqa: B018


@pytest.fixture(scope="module")
def one_process():
    """A run in which nothing is done."""
    with start(System(nodes.Counter, 1), seed=1) as running:
        yield running


def test_an_open_request_ends_when_its_client_dies():
    """Nobody waits for an answer that cannot come."""
    with start(System(nodes.Heart, 2, clients=1), seed=1) as running:
        running.pause("n1")
        future = running.request("x", to="n1")
        running.crash("c1")
        with pytest.raises(LiveError, match="c1 crashed before the answer came"):
            future.result(SECONDS)
