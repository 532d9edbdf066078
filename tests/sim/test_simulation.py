"""What the simulator does to nodes, timers, disks and messages, fault by fault."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dslab.check.faults import random_schedule
from dslab.protocols import raft
from dslab.sim import (
    ClientReply,
    Exponential,
    LogNormal,
    Network,
    Node,
    Simulation,
    System,
    message,
    simulate,
)


@message
class Ping:
    n: int = 0


@message
class Pong:
    n: int = 0


class Quiet(Node):
    """Counts what it hears; sends when told to by its timer."""

    durable = {"saved": 0}
    shows = ("heard", "saved")

    def on_start(self):
        self.heard = []
        if self.id == "n1":
            self.set_timer("go", after=10)

    def on_go_timeout(self):
        self.saved += 1
        self.broadcast(Ping(self.saved))
        self.set_timer("go", after=10)

    def on_ping(self, sender, m):
        self.heard.append(m.n)


def run(schedule=(), until=100, nodes=2, cls=Quiet, latency=5, seed=1, **kwargs):
    return simulate(System(cls, nodes, network=Network(latency=latency, **kwargs.pop("network", {})), **kwargs),
                    seed=seed, schedule=schedule, until=until)


def final(trace, node="n2"):
    return trace.state_at(len(trace) - 1)[node]


def at(ms, do, **arguments):
    return {"at": ms, "do": do, **arguments}


def test_messages_take_their_latency_and_timers_their_time():
    trace = run(until=30)
    assert [(e.time_us, e.kind, e.node) for e in trace.events] == [
        (0, "start", "n1"), (0, "start", "n2"), (10_000, "timer", "n1"), (15_000, "deliver", "n2"),
        (20_000, "timer", "n1"), (25_000, "deliver", "n2"), (30_000, "timer", "n1")]
    assert [e.cause for e in trace.events] == [None, None, 0, 2, 2, 4, 4]


def test_a_crash_loses_memory_and_keeps_the_disk():
    trace = run([at(35, "crash", node="n1"), at(55, "restart", node="n1")], until=70)
    assert final(trace, "n1")["saved"] == 4 and final(trace)["heard"] == [1, 2, 3, 4]
    assert final(run([at(22, "crash", node="n2"), at(28, "restart", node="n2")], until=40))["heard"] == [3]


def test_a_restart_without_the_disk_begins_anew():
    trace = run([at(35, "crash", node="n1"), at(36, "restart", node="n1", disk=False)], until=60)
    assert final(trace, "n1")["saved"] == 2
    trace = run([at(35, "lose_disk", node="n1"), at(36, "crash", node="n1"), at(37, "restart", node="n1")], until=60)
    assert final(trace, "n1")["saved"] == 2


def test_a_message_to_a_crashed_node_is_dropped():
    trace = run([at(12, "crash", node="n2")], until=16)
    assert (trace.messages[0].fate, trace.events[-1].kind, trace.events[-1].detail) == ("dropped", "drop", "crashed")


def test_a_durable_write_takes_time_and_comes_before_the_message_that_depends_on_it():
    trace = run(until=30, disk=3)
    assert [(e.time_us, e.kind) for e in trace.events if e.node == "n1"][:3] == [(0, "start"), (10_000, "timer"),
                                                                              (13_000, "write")]
    sent = trace.messages[0]
    assert sent.sent_us == 13_000 and trace.events[sent.sent_event].kind == "write"
    assert trace.events[sent.sent_event].cause == 2


def test_a_crash_during_a_write_loses_the_write_and_its_messages():
    """Nobody can have heard of what was not safe."""
    trace = run([at(12, "crash", node="n1"), at(13, "restart", node="n1")], until=20, disk=3)
    assert final(trace, "n1")["saved"] == 0 and not trace.messages


def test_messages_of_a_later_handler_wait_for_an_earlier_write():
    class Chatty(Quiet):
        def on_go_timeout(self):
            self.saved += 1
            self.set_timer("more", after=1)

        def on_more_timeout(self):
            self.broadcast(Ping(self.saved))
    trace = run(until=20, disk=3, cls=Chatty)
    assert [m.sent_us for m in trace.messages] == [13_000]


def test_a_paused_node_catches_up_when_it_is_resumed():
    trace = run([at(12, "pause", node="n2"), at(33, "resume", node="n2")], until=34)
    assert final(trace)["heard"] == [1, 2] and trace.events[-1].time_us == 33_000
    trace = run([at(5, "pause", node="n1"), at(33, "resume", node="n1")], until=34)
    assert [e.time_us for e in trace.events if e.kind == "timer"] == [33_000]


def test_a_partition_loses_what_is_in_flight_or_holds_it():
    cut = at(12, "partition", groups=[["n1"], ["n2"]])
    trace = run([cut, at(30, "heal")], until=60)
    assert final(trace)["heard"] == [4, 5], "the one sent at 30 ms left before the link was mended"
    assert [m.fate for m in trace.messages[:4]] == ["dropped"] * 3 + ["delivered"]
    trace = run([{**cut, "in_flight": "held"}, at(30, "heal")], until=60)
    assert final(trace)["heard"][0] == 1 and trace.messages[0].end_us == 33_000, "the 3 ms it had left"


def test_groups_left_out_form_one_more_group():
    class Loud(Quiet):
        def on_start(self):
            self.heard = []
            self.set_timer("go", after=10)
    trace = run([at(1, "partition", groups=[["n1"]])], until=16, nodes=3, cls=Loud)
    assert [final(trace, n)["heard"] for n in ("n1", "n2", "n3")] == [[], [1], [1]]


def test_a_cut_has_a_direction():
    class Answering(Quiet):
        def on_ping(self, sender, m):
            self.heard.append(m.n)
            self.send(sender, Pong(m.n))

        def on_pong(self, sender, m):
            self.heard.append(-m.n)
    schedule = [at(1, "cut", source="n2", target="n1"), at(22, "mend", source="n2", target="n1")]
    trace = run(schedule, until=38, cls=Answering)
    assert final(trace)["heard"] == [1, 2, 3] and final(trace, "n1")["heard"] == [-2]


@pytest.mark.parametrize(("verb", "more", "heard"), [
    ("drop", {}, [2, 3]), ("hold", {}, [2, 3]), ("delay", {"by": 12}, [2, 1, 3]), ("duplicate", {}, [1, 1, 2, 3]),
    ("deliver", {}, [1, 2, 3]),
])
def test_one_message_can_be_singled_out(verb, more, heard):
    trace = run([at(12, verb, message=0, **more)], until=38)
    assert final(trace)["heard"] == heard
    if verb == "deliver":
        assert trace.messages[0].end_us == 12_000
    if verb == "duplicate":
        assert trace.messages[1].copy_of == 0


def test_a_held_message_flies_on_when_released():
    trace = run([at(12, "hold", message=0), at(31, "release", message=0)], until=38)
    assert final(trace)["heard"] == [2, 1, 3] and trace.messages[0].end_us == 34_000


@pytest.mark.parametrize("bad", [at(50, "drop", message=0), at(50, "release", message=0), at(50, "hold", message=999),
                                 at(50, "restart", node="n1"), at(50, "resume", node="n1"),
                                 at(50, "timeout", node="n2")])
def test_an_action_without_effect_is_noted_and_changes_nothing(bad):
    plain, with_it = run(until=80), run([bad], until=80)
    noted = [e for e in with_it.events if e.detail and "ignored" in e.detail]
    assert len(noted) == 1 and noted[0].kind == bad["do"]
    assert final(plain) == final(with_it)


def test_loss_and_duplication_meet_their_probabilities():
    """A thousand messages at 30 %: within five standard deviations of the binomial."""
    lossy = run(until=10_005, network={"loss": 0.3})
    assert abs(sum(m.fate == "dropped" for m in lossy.messages) - 300) < 5 * (1000 * 0.3 * 0.7) ** 0.5
    double = run(until=10_005, network={"duplicate": 0.3})
    assert abs(sum(m.copy_of is not None for m in double.messages) - 300) < 5 * (1000 * 0.3 * 0.7) ** 0.5
    assert not any(m.fate == "dropped" for m in double.messages)


@pytest.mark.parametrize(("latency", "mean", "low"), [
    ((2, 8), 5, 2), (4, 4, 4), (Exponential(3, minimum=1), 4, 1), (LogNormal(3, 0.2), 3 * 2.718281828 ** 0.02, 0)])
def test_latencies_have_the_asked_distribution(latency, mean, low):
    trace = run(until=20_000, latency=latency)
    taken = [(m.due_us - m.sent_us) / 1000 for m in trace.messages]
    assert len(taken) > 1900 and min(taken) >= low - 0.001
    assert abs(sum(taken) / len(taken) - mean) < 0.05 * mean


def test_fifo_keeps_the_order_that_latency_would_break():
    for fifo in (True, False):
        heard = final(run(until=3_000, latency=(1, 60), network={"fifo": fifo}))["heard"]
        assert (heard == sorted(heard)) is fifo


def test_a_link_changes_on_request():
    trace = run([at(15, "link", source="n1", target="n2", latency=[1, 1], loss=0.0),
                 at(35, "link", source="n1", target="n2", loss=1.0)], until=70)
    assert [m.end_us - m.sent_us for m in trace.messages[1:3]] == [1000, 1000]
    assert {m.fate for m in trace.messages[3:-1]} == {"dropped"}


def test_a_skewed_clock_reads_wrong_and_times_wrong():
    class Clock(Node):
        def on_start(self):
            self.read = []
            self.set_timer("tick", after=10)

        def on_tick_timeout(self):
            self.read.append(self.now)
            self.set_timer("tick", after=10)
    state = final(run([at(15, "skew", node="n1", offset=100, rate=2.0)], until=36, cls=Clock), "n1")
    assert state["read"] == [10, 125, 135, 145, 155], "20 ms is 100 + 15 + 5 * 2; then every 5 ms"


def test_a_timeout_can_be_forced():
    trace = run([at(4, "timeout", node="n1", timer="go")], until=8)
    timer = next(e for e in trace.events if e.kind == "timer")
    assert timer.time_us == 4000 and trace.events[timer.cause].kind == "timeout"


def test_client_operations_are_retried_redirected_and_recorded():
    class Service(Node):
        def on_client_request(self, sender, m):
            if self.id == "n3":
                self.send(sender, ClientReply(m.number, True, m.command * 2))
            elif self.id == "n2":
                self.send(sender, ClientReply(m.number, False, leader="n3"))
    schedule = [at(10, "request", command=21), at(20, "request", command=4)]
    trace = run(schedule, nodes=3, cls=Service, clients=1, until=2000)
    first, second = trace.history
    assert (first["result"], second["result"]) == (42, 8)
    assert first["invoked_us"] == 10_000 and first["completed_us"] == 10_000 + 300_000 + 4 * 5_000
    assert second["invoked_us"] == first["completed_us"], "one operation at a time"
    deaf = type("Deaf", (Service,), {"on_client_request": lambda *a: None})
    open_ = run([at(10, "request", command=1)], nodes=1, cls=deaf, clients=1, until=500).history
    assert open_[0]["completed_us"] is None


def test_random_streams_do_not_disturb_each_other():
    """A node that only listens changes neither latencies nor draws of the others."""
    class Talker(Quiet):
        def on_go_timeout(self):
            self.saved += 1
            self.send("n2", Ping(int(self.random.random() * 1000)))
            self.set_timer("go", between=(5, 20))
    small = run(until=300, nodes=2, cls=Talker, latency=(1, 9))
    large = run(until=300, nodes=4, cls=Talker, latency=(1, 9))
    assert [m[1:4] + m[6:8] for m in small.messages] == [m[1:4] + m[6:8] for m in large.messages]


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_traces_make_sense_whatever_happens(seed):
    """Time does not run back, causes come first, nothing arrives that was not sent, the dead do not act."""
    system = raft.cluster(5)
    trace = simulate(system, seed=seed, schedule=random_schedule(system, seed, 2_000), until=2_500)
    status = {}
    last = 0
    for event in trace.events:
        assert event.time_us >= last and (event.cause is None or event.cause < event.id)
        last = event.time_us
        if event.kind in ("start", "restart", "crash") and "ignored" not in (event.detail or {}):
            status[event.node] = event.kind != "crash"
        if event.kind in ("deliver", "timer", "write"):
            assert status[event.node]
        if event.message is not None and event.kind in ("deliver", "drop"):
            record = trace.messages[event.message]
            assert record.end_event == event.id and record.sent_us <= event.time_us and record.target == event.node
    for m in trace.messages:
        assert (m.end_event is None) == (m.fate in ("in flight", "held"))


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 1999), st.sampled_from(["n1", "n3", "n5"]))
def test_one_more_action_changes_nothing_before_it(seed, ms, node):
    """A fork shares its past with its parent, event for event."""
    system = raft.cluster(5)
    schedule = random_schedule(system, seed, 2_000)
    parent = simulate(system, seed=seed, schedule=schedule, until=2_000)
    when = parent.events[len(parent) * ms // 2000].time_us / 1000
    child = simulate(system, seed=seed, schedule=[*schedule, at(when, "pause", node=node)], until=2_000)
    shared = [e for e in parent.events if e.time_us <= when * 1000]
    assert [e for e in child.events[:len(shared)]] == shared


def test_running_in_pieces_equals_running_at_once():
    system = raft.cluster(3)
    pieces = Simulation(system, 4)
    for end in (100, 333.333, 900, 2_000):
        pieces.run(end)
    assert pieces.trace().digest() == simulate(system, seed=4, until=2_000).digest()


def test_without_a_trace_the_run_is_the_same():
    system = raft.cluster(5)
    schedule = random_schedule(system, 5, 3_000)
    bare = Simulation(system, 5, schedule, record=False).run(3_000)
    traced = Simulation(system, 5, schedule).run(3_000)
    assert bare.history == traced.history and bare.events_done == traced.events_done
    assert [bare.nodes[n].log for n in system.servers] == [traced.nodes[n].log for n in system.servers]


def test_time_stands_at_the_end_when_nothing_is_left():
    assert Simulation(System(type("Idle", (Node,), {}), 1), 1).run(500).now_us == 500_000
