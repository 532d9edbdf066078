"""Schedules are plain data: checked with a sentence, and the same after JSON or Python text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dslab.protocols import raft
from dslab.sim import ScheduleError
from dslab.sim.schedule import VERBS, action, call, check_schedule, dumps, loads, to_python

SYSTEM = raft.cluster(3)
EVERY_VERB = [
    action("crash", "n1", at=5), action("restart", "n1", disk=False, at=6),
    action("join", "n3", to="n1", at=6.25), action("leave", "n3", at=6.5), action("pause", "n2", at=7),
    action("resume", "n2", at=8), action("lose_disk", "n3", at=9), action("skew", "n1", offset=-20.5, rate=1.5, at=10),
    action("timeout", "n2", timer="election", at=11),
    action("load_dice", "n2", [1, 0], at=11.25),
    action("turn_traitor", "n1", "equivocate", fields={"term": 9, "granted": True}, to=["n2", "c1"], at=11.5),
    action("turn_loyal", "n1", at=11.75),
    action("partition", [["n1"], ["n2", "n3"]], in_flight="held", at=12),
    action("heal", at=13), action("cut", "n1", "n2", at=14), action("mend", "n1", "n2", at=15),
    action("link", "n1", "n2", latency=[1, 2.5], loss=0.25, duplicate=0.1, fifo=True, at=16), action("drop", 3, at=17),
    action("hold", 4, at=18), action("release", 4, at=19), action("delay", 5, by=20, at=20),
    action("duplicate", 6, at=21), action("deliver", 7, at=22.125), action("request", "x=1", to="n3", at=23),
]


def test_the_list_above_has_every_verb():
    assert [a["do"] for a in EVERY_VERB] == list(VERBS)


def test_every_verb_survives_json_and_python():
    assert loads(dumps(EVERY_VERB), SYSTEM) == check_schedule(EVERY_VERB, SYSTEM) == EVERY_VERB
    scope = {}
    exec(to_python(EVERY_VERB), scope)
    assert scope["schedule"] == EVERY_VERB


def test_every_verb_prints_as_a_call_that_makes_it_again():
    calls = {verb: (lambda *args, _verb=verb, **kwargs: action(_verb, *args, **kwargs)) for verb in VERBS}
    for act in EVERY_VERB:
        assert eval(call(act), dict(calls)) == act, call(act)
    assert call(EVERY_VERB[0]) == 'crash("n1", at=5)'
    assert call(EVERY_VERB[10]) == ('turn_traitor("n1", "equivocate", fields={"term": 9, "granted": True}, '
                                   'to=["n2", "c1"], at=11.5)')
    assert call(EVERY_VERB[12]) == 'partition([["n1"], ["n2", "n3"]], in_flight="held", at=12)'
    assert call(EVERY_VERB[16]) == 'link("n1", "n2", latency=[1, 2.5], loss=0.25, duplicate=0.1, fifo=True, at=16)'


def test_canonical_form_is_sorted_and_drops_defaults():
    given_ = [{"do": "heal", "at": 5.0}, {"node": "n1", "disk": True, "at": 2, "do": "restart"}]
    assert check_schedule(given_) == [{"at": 2, "do": "restart", "node": "n1"}, {"at": 5, "do": "heal"}]
    assert given_[0] == {"do": "heal", "at": 5.0}, "the argument itself is not changed"


@pytest.mark.parametrize(("bad", "says"), [
    ("crash", "a list of actions"), ({"at": 1}, "a list of actions"), ([7], "action 1 is 7"),
    ([{"at": 1, "do": "explode"}], "no action 'explode'"),
    ([{"at": 1, "do": "crsh", "node": "n1"}], "did you mean 'crash'"),
    ([{"do": "heal"}], "'at' must be"), ([{"at": -1, "do": "heal"}], "'at' must be"),
    ([{"at": True, "do": "heal"}], "'at'"),
    ([{"at": 1, "do": "crash"}], "lacks 'node'"), ([{"at": 1, "do": "crash", "node": "n9"}], "one of n1, n2, n3"),
    ([{"at": 1, "do": "crash", "nod": "n1"}], "no argument 'nod'"),
    ([{"at": 1, "do": "partition", "groups": [["n1"], ["n1"]]}], "at most once"),
    ([{"at": 1, "do": "partition", "groups": [["n1", "zz"]]}], "there is no 'zz'"),
    ([{"at": 1, "do": "link", "source": "n1", "target": "n2", "loss": 2}], "loss must be None or a probability"),
    ([{"at": 1, "do": "link", "source": "n1", "target": "n2", "latency": [9, 1]}], "latency must be"),
    ([{"at": 1, "do": "cut", "source": "n1", "target": "n1"}], "link to itself"),
    ([{"at": 1, "do": "join", "node": "n1", "to": "n1"}], "not through itself"),
    ([{"at": 1, "do": "join", "node": "c1"}], "node must be one of n1, n2, n3"),
    ([{"at": 1, "do": "leave"}], "lacks 'node'"),
    ([{"at": 1, "do": "request", "command": {1, 2}, "to": "c1"}], "to must be"),
    ([{"at": 1, "do": "request", "command": object()}], "command must be plain data"),
])
def test_a_bad_schedule_is_refused_in_one_sentence(bad, says):
    with pytest.raises(ScheduleError) as caught:
        check_schedule(bad, SYSTEM)
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1", "[" * 100_000, json.dumps([{"at": 1}])])
def test_bad_text_is_refused_in_one_sentence(text):
    with pytest.raises(ScheduleError):
        loads(text, SYSTEM)


def test_a_request_needs_a_client():
    with pytest.raises(ScheduleError, match="clients=1"):
        check_schedule([{"at": 1, "do": "request", "command": "x"}], raft.cluster(3, clients=0))


@given(st.floats(0, 1e6), st.sampled_from(["n1", "n2"]))
def test_times_keep_microseconds_and_nothing_finer(at, node):
    (act,) = check_schedule([{"at": at, "do": "crash", "node": node}])
    assert abs(act["at"] - at) <= 0.0005 + 1e-9 and check_schedule([act]) == [act]
