"""A traitor lies in what it sends, never in who sent it; and a run with one is as repeatable as any other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dslab.protocols import raft
from dslab.sim import Client, Network, Node, NodeError, ScheduleError, Simulation, System, Trace, message, simulate
from dslab.sim.schedule import check_schedule, dumps, loads
from dslab.view import narrate, read
from dslab.view.words import HEADLINE, REASON, plain_text


@message
class Inner:
    word: str


@message
class Say:
    """{source} says {word} to {target}."""

    number: int
    word: str
    flag: bool = True
    anything: object = None
    quotes: list[Inner] = []
    table: dict[str, int] = {}


@message
class Bare:
    number: int


class Talker(Node):
    """n1 says the same to everybody every 10 ms; all keep what they hear."""

    shows = ("heard",)

    def on_start(self):
        self.heard = []
        if self.id == "n1":
            self.set_timer("talk", after=10)

    def on_talk_timeout(self):
        number = round(self.now)
        self.broadcast(Say(number, "truth", quotes=[Inner("signed")]))
        self.broadcast(Bare(number))
        self.send(self.id, Bare(number))
        self.set_timer("talk", after=10)

    def on_say(self, sender, m):
        self.heard.append([sender, self.now, m.number, m.word, len(m.quotes)])

    def on_bare(self, sender, m):
        self.heard.append([sender, self.now, m.number])


def run(*actions, until=100, nodes=3, seed=1, **network):
    system = System(Talker, nodes, network=Network(**{"latency": 2, **network}))
    return simulate(system, seed=seed, schedule=list(actions), until=until)


def heard(trace, node):
    return trace.state_at(len(trace) - 1)[node]["heard"]


def traitor(behaviour, at=25, node="n1", **arguments):
    return {"at": at, "do": "turn_traitor", "node": node, "behaviour": behaviour, **arguments}


LOYAL_AGAIN = {"at": 55, "do": "turn_loyal", "node": "n1"}


def test_a_silent_traitor_sends_nothing_to_others_and_still_works():
    """Between its two actions nothing leaves it; it hears itself, and its code runs on."""
    trace = run(traitor("silent"), LOYAL_AGAIN)
    times = [m.sent_us // 1000 for m in trace.messages if m.source == "n1" and m.target != "n1"]
    assert sorted(set(times)) == [10, 20, 60, 70, 80, 90, 100]
    assert [h[2] for h in heard(trace, "n1")] == list(range(10, 101, 10))


def test_silence_may_be_for_some_only():
    trace = run(traitor("silent", to=["n2"]))
    assert {h[2] for h in heard(trace, "n2")} == {10, 20}
    assert {h[2] for h in heard(trace, "n3")} == {10, 20, 30, 40, 50, 60, 70, 80, 90}


def test_a_corrupting_traitor_lies_to_everybody_where_the_class_has_the_field():
    """Bare has no word, so it leaves as it is; a message to itself is never changed."""
    trace = run(traitor("corrupt", fields={"word": "lie"}), LOYAL_AGAIN)
    for node in ("n2", "n3"):
        assert {(h[2], h[3]) for h in heard(trace, node) if len(h) == 5} == {
            (n, "lie" if n in (30, 40, 50) else "truth") for n in range(10, 100, 10)}
    lied = [m for m in trace.messages if m.forged]
    assert {(m.type, m.source, m.target) for m in lied} == {("Say", "n1", "n2"), ("Say", "n1", "n3")}
    assert len(lied) == 6 and all(m.forged == {"word": "truth"} and m.fields["word"] == "lie" for m in lied)


def test_an_equivocator_tells_each_what_its_last_action_says():
    """Two groups hear two lies, a third the truth; a later action counts for its receivers only."""
    trace = run(traitor("equivocate", fields={"word": "v"}, to=["n2", "n3"]),
                traitor("equivocate", fields={"word": "w"}, to=["n3"], at=45), nodes=4)
    said = {node: [h[3] for h in heard(trace, node) if len(h) == 5] for node in ("n2", "n3", "n4")}
    assert said == {"n2": ["truth"] * 2 + ["v"] * 7, "n3": ["truth"] * 2 + ["v"] * 2 + ["w"] * 5, "n4": ["truth"] * 9}


def test_a_delaying_traitor_sends_later_and_the_same():
    trace = run(traitor("delay", by=30))
    arrived = {h[2]: h[1] for h in heard(trace, "n2")}
    assert arrived == {10: 12, 20: 22, 30: 62, 40: 72, 50: 82, 60: 92}
    assert not any(m.forged for m in trace.messages)


def test_a_lie_equal_to_the_truth_is_none():
    trace = run(traitor("corrupt", fields={"word": "truth", "number": 30}))
    assert {m.forged["number"] for m in trace.messages if m.forged} == {40, 50, 60, 70, 80, 90, 100}


def test_quotes_can_be_left_out_but_not_made_up():
    """A message in a message is signed by who made it."""
    trace = run(traitor("corrupt", fields={"quotes": []}))
    assert {h[4] for h in heard(trace, "n2") if len(h) == 5 and h[2] > 25} == {0}
    with pytest.raises(ScheduleError, match=r"quotes=.*a list, each item a Inner, which only its maker can sign"):
        run(traitor("corrupt", fields={"quotes": [{"@": "Inner", "word": "made up"}]}))


@pytest.mark.parametrize(("field", "lie", "says"), [
    ("word", 7, "text"), ("number", "x", "a whole number"), ("number", 1.5, "a whole number"),
    ("number", True, "a whole number"), ("flag", 1, "True or False"),
    ("table", [], "a dict"), ("number", None, "a whole number"),
])
def test_a_lie_of_another_kind_stops_the_run_with_a_sentence(field, lie, says):
    """No receiver could read it; the sentence names the message, the field and what is there."""
    with pytest.raises(ScheduleError) as caught:
        run(traitor("corrupt", fields={field: lie}))
    assert f"Say with {field}={lie!r}, because the truth is {says}" in str(caught.value)


def test_a_field_that_is_empty_may_become_anything():
    trace = run(traitor("corrupt", fields={"anything": [1, {"a": None}]}))
    assert trace.messages[-1].forged is None
    assert any(m.fields.get("anything") == [1, {"a": None}] for m in trace.messages)


SYSTEM = System(Talker, 3)


@pytest.mark.parametrize(("arguments", "says"), [
    ({"behaviour": "kind"}, "'silent' or 'equivocate' or 'corrupt' or 'delay'"),
    ({}, "lacks 'behaviour'"),
    ({"behaviour": "corrupt"}, "corrupt needs fields, and 'fields' is missing"),
    ({"behaviour": "equivocate", "fields": {"word": "x"}}, "equivocate needs fields and to, and 'to' is missing"),
    ({"behaviour": "delay"}, "delay needs by"),
    ({"behaviour": "silent", "fields": {"word": "x"}}, "silent takes no 'fields'"),
    ({"behaviour": "silent", "by": 5}, "silent takes no 'by'"),
    ({"behaviour": "corrupt", "fields": {"word": "x"}, "to": ["n2"]}, "'equivocate' lies to the nodes in 'to'"),
    ({"behaviour": "silent", "to": []}, "to must be None or a list of node names among n1, n2, n3"),
    ({"behaviour": "silent", "to": "n2"}, "to must be None or a list"),
    ({"behaviour": "silent", "to": ["n2", "n2"]}, "each at most once"),
    ({"behaviour": "silent", "to": ["n9"]}, "to must be None or a list"),
    ({"behaviour": "silent", "to": ["n1"]}, "n1 cannot betray itself"),
    ({"behaviour": "corrupt", "fields": {}}, "fields must be None or a dict"),
    ({"behaviour": "corrupt", "fields": ["word"]}, "fields must be None or a dict"),
    ({"behaviour": "corrupt", "fields": {"wrod": "x"}}, "did you mean 'word'"),
    ({"behaviour": "corrupt", "fields": {"no_such_thing_at_all": 1}}, "fields must be"),
    ({"behaviour": "corrupt", "fields": {"word": {1, 2}}}, None),
    ({"behaviour": "corrupt", "fields": {"word": float("nan")}}, "plain data"),
    ({"behaviour": "delay", "by": -1}, "by must be"), ({"behaviour": "delay", "by": "x"}, "by must be"),
])
def test_bad_arguments_are_refused_in_one_sentence(arguments, says):
    action = {"at": 1, "do": "turn_traitor", "node": "n1", **arguments}
    if says is None:
        assert check_schedule([action], SYSTEM)[0]["fields"] == {"word": [1, 2]}, "a set becomes its sorted list"
        return
    with pytest.raises(ScheduleError) as caught:
        check_schedule([action], SYSTEM)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_turning_loyal_without_treason_changes_nothing():
    (event,) = [e for e in run(LOYAL_AGAIN).events if e.kind == "turn_loyal"]
    assert event.detail == {"ignored": "n1 is loyal"}


def test_who_was_a_traitor_once_is_told_to_properties():
    """Nothing is promised about a node that has lied, even when it is loyal again."""
    trace = run(traitor("silent"), LOYAL_AGAIN)
    ever = [world.nodes["n1"].traitor for world in trace.states()]
    turned = next(e.id for e in trace.events if e.kind == "turn_traitor")
    assert ever == [i >= turned for i in range(len(trace))]
    assert not any(world.nodes["n2"].traitor for world in trace.states())
    assert "traitor" not in trace.state_at(turned - 1)["n1"] and trace.state_at(turned)["n1"]["traitor"] is True


def test_a_crash_does_not_make_a_traitor_loyal():
    trace = run(traitor("silent"), {"at": 30, "do": "crash", "node": "n1"}, {"at": 40, "do": "restart", "node": "n1"})
    assert max(h[2] for h in heard(trace, "n2")) == 20


def test_a_copy_of_a_lie_is_marked_too():
    """Doubled by the network or by an action."""
    trace = run(traitor("corrupt", fields={"word": "lie"}), duplicate=1.0, until=40)
    assert sum(m.forged is not None for m in trace.messages) == 8
    lie = next(m.id for m in trace.messages if m.forged)
    trace = run(traitor("corrupt", fields={"word": "lie"}), {"at": 31, "do": "duplicate", "message": lie},
                duplicate=1.0, until=40)
    copy = next(m for m in trace.messages if m.copy_of == lie and m.sent_us == 31_000)
    assert copy.forged == {"word": "truth"} and copy.fields["word"] == "lie"


LINES = st.one_of(
    st.builds(lambda at, node, to: traitor("silent", at, node, **to), st.integers(0, 900),
              st.sampled_from(["n1", "n2", "c1"]), st.sampled_from([{}, {"to": ["n3"]}])),
    st.builds(lambda at, node, term: traitor("corrupt", at, node, fields={"term": term, "granted": True}),
              st.integers(0, 900), st.sampled_from(["n1", "n2", "n3"]), st.integers(0, 9)),
    st.builds(lambda at, by: traitor("delay", at, "n2", by=by), st.integers(0, 900), st.sampled_from([0, 3.5, 400])),
    st.builds(lambda at: {"at": at, "do": "turn_loyal", "node": "n1"}, st.integers(0, 900)),
    st.builds(lambda at: {"at": at, "do": "request", "command": "x=1"}, st.integers(0, 900)),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(LINES, max_size=8), st.integers(0, 99))
def test_runs_with_traitors_repeat_byte_for_byte(schedule, seed):
    """Through JSON of the schedule and of the trace; and every sentence about them fits its line."""
    system = raft.cluster(3)
    trace = simulate(system, seed=seed, schedule=schedule, until=1_000)
    again = simulate(system, seed=seed, schedule=loads(dumps(schedule), system), until=1_000)
    back = Trace.from_json(trace.to_json())
    assert trace.digest() == again.digest() == back.digest()
    assert list(back.messages) == list(trace.messages)
    for headline, reason in narrate(read(trace)).values():
        assert len(plain_text(headline)) <= HEADLINE and len(plain_text(reason)) <= REASON


def test_without_traitors_a_trace_has_the_bytes_it_always_had():
    """A record of a message has ten values unless it is forged; the digest is the one of the first release."""
    trace = simulate(raft.cluster(5), seed=7, until=3_000)
    assert {len(json.loads(line)) for line in trace._canonical()[1 + len(trace):]} == {11}
    assert trace.digest() == GOLDEN


GOLDEN = "5bddf5fbef44e2b66eee4b3c55b853be8bbd361526059042bf796beab83c2837"


class Asker(Client):
    """A client of its own kind: says who it is, and has an option."""

    shows = ("greeting",)
    words = "hello"

    def on_start(self):
        super().on_start()
        self.greeting = self.words


def test_clients_may_be_of_another_class_and_take_options_that_they_define():
    """Options that they do not define are for the servers alone."""
    class Listener(Talker):
        words = depth = None

    system = System(Listener, 2, clients=1, client=Asker, options={"words": "good day", "depth": 3})
    trace = simulate(system, seed=1, until=20)
    assert trace.state_at(len(trace) - 1)["c1"]["greeting"] == "good day"
    for wrong in (Talker, "Client", None):
        with pytest.raises(NodeError, match=r"inherits from dslab\.sim\.Client"):
            System(Listener, 2, clients=1, client=wrong)


def test_recording_or_not_makes_no_difference():
    schedule = [traitor("corrupt", fields={"word": "lie"}), traitor("silent", 60, to=["n3"])]
    silent = Simulation(System(Talker, 3), 1, schedule, record=False).run(100)
    recorded = Simulation(System(Talker, 3), 1, schedule).run(100)
    assert [n.heard for n in silent.nodes.values()] == [n.heard for n in recorded.nodes.values()]
