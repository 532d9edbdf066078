"""Servers that are absent at first: they join by an action, may leave in order, and are nobody before and after."""

from __future__ import annotations

import pytest

from dslab import Node, System, message, simulate
from dslab.sim import NodeError, ScheduleError, Trace
from dslab.sim.schedule import check_schedule


@message
class Word:
    """{source} says {text}."""

    text: str


class Guest(Node):
    """Tells everybody what happens to it, and remembers what it heard."""

    durable = {"visits": 0}
    shows = ("visits", "heard", "came")

    def on_start(self):
        self.heard, self.came = [], "at the start"
        self.visits += 1
        self.broadcast(Word("here"))

    def on_join(self, contact):
        self.on_start()
        self.came = f"through {contact}"

    def on_leave(self):
        self.broadcast(Word("bye"))

    def on_word(self, sender, m):
        self.heard.append(f"{sender} {m.text}")


class Plain(Guest):
    """Has no words for joining or leaving."""

    on_join, on_leave = Node.on_join, Node.on_leave


def run(schedule, server=Guest, absent=("n3",), until=1_000, disk=0):
    return simulate(System(server, 3, absent=absent, disk=disk), seed=1, schedule=schedule, until=until)


def last(trace):
    return trace.state_at(len(trace) - 1)


JOIN, LEAVE = {"at": 100, "do": "join", "node": "n3", "to": "n2"}, {"at": 200, "do": "leave", "node": "n3"}


def test_an_absent_server_starts_when_it_joins_and_hears_nothing_before():
    trace = run([JOIN])
    assert [e.kind for e in trace.events if e.time_us == 0] == ["start", "start", "absent"]
    assert trace.state_at(2)["n3"] == {"status": "absent"}
    assert {m.fate for m in trace.messages if m.target == "n3" and m.sent_us == 0} == {"dropped"}
    assert {e.detail for e in trace.events if e.kind == "drop"} == {"absent"}
    assert last(trace)["n3"]["came"] == "through n2" and last(trace)["n1"]["heard"].count("n3 here") == 1


def test_without_a_contact_the_first_running_server_is_named():
    joined = [e for e in run([{"at": 50, "do": "crash", "node": "n1"}, {"at": 100, "do": "join", "node": "n3"}]).events
              if e.kind == "join"]
    assert joined[0].detail == {"to": "n2"}
    alone = run([{"at": 5, "do": "crash", "node": "n1"}, {"at": 6, "do": "crash", "node": "n2"}, JOIN | {"to": None}])
    assert last(alone)["n3"]["came"] == "through None"


def test_what_a_server_says_while_it_leaves_goes_out_even_with_a_slow_disk():
    trace = run([JOIN, LEAVE], disk=500)
    assert last(trace)["n3"]["status"] == "absent" and "n3 bye" in last(trace)["n1"]["heard"]


def test_who_comes_back_has_an_empty_disk_and_restarts_keep_theirs():
    again = run([JOIN, LEAVE, JOIN | {"at": 300}])
    assert last(again)["n3"]["visits"] == 1
    back = run([JOIN, {"at": 200, "do": "crash", "node": "n3"}, {"at": 300, "do": "restart", "node": "n3"}])
    assert last(back)["n3"]["visits"] == 2 and last(back)["n3"]["came"] == "at the start"


def test_a_class_without_hooks_just_starts_and_stops():
    trace = run([JOIN, LEAVE], Plain)
    assert last(trace)["n3"]["came"] == "at the start" and last(trace)["n3"]["status"] == "absent"


@pytest.mark.parametrize(("action", "why"), [
    ({"do": "crash", "node": "n3"}, "n3 is absent"), ({"do": "restart", "node": "n3"}, "n3 is absent"),
    ({"do": "leave", "node": "n3"}, "n3 is absent"), ({"do": "pause", "node": "n3"}, "n3 is absent"),
    ({"do": "timeout", "node": "n3"}, "n3 is absent"),
    ({"do": "load_dice", "node": "n3", "outcomes": [1]}, "n3 is absent"),
    ({"do": "join", "node": "n1"}, "n1 has joined and is up"),
])
def test_what_cannot_be_done_to_an_absent_server_is_noted_and_changes_nothing(action, why):
    trace = run([{"at": 10, **action}])
    assert [e.detail["ignored"] for e in trace.events if isinstance(e.detail, dict) and "ignored" in e.detail] == [why]


def test_an_absent_server_has_a_disk_that_can_be_lost():
    assert last(run([{"at": 10, "do": "lose_disk", "node": "n3"}, JOIN]))["n3"]["visits"] == 1


@pytest.mark.parametrize("absent", [("n4",), "n3", ("c1",), ("n1", "n2", "n3")])
def test_absent_names_servers_and_leaves_somebody(absent):
    with pytest.raises(ScheduleError, match="absent"):
        System(Guest, 3, clients=1, absent=absent)


def test_a_system_without_some_nodes_keeps_the_others_absent():
    system = System(Guest, 4, absent=("n3", "n4")).without("n3")
    assert list(system.absent) == ["n4"] and list(system.replace(disk=1).absent) == ["n4"]


def test_a_fault_in_a_hook_names_the_hook():
    class Clumsy(Guest):
        def on_join(self, contact):
            self.on_start()
            raise ValueError("no shoes")

    with pytest.raises(NodeError, match=r"n3 in on_join at 100.000 ms: ValueError: no shoes"):
        run([JOIN], Clumsy)

    class Mute(Guest):
        def on_leave(self):
            self.send("n9", Word("bye"))

    with pytest.raises(NodeError, match=r"n3 in on_leave at 200.000 ms: there is no node 'n9'"):
        run([JOIN, LEAVE], Mute)


def test_a_trace_with_comings_and_goings_survives_json():
    trace = run(check_schedule([JOIN, LEAVE]))
    again = Trace.from_json(trace.to_json())
    assert again.digest() == trace.digest()
    assert again.state_at(len(again) - 1) == last(trace)


def test_a_system_in_which_everybody_is_there_runs_as_before():
    assert simulate(System(Guest, 3), seed=1, until=100).digest() == \
        simulate(System(Guest, 3, absent=()), seed=1, until=100).digest()
