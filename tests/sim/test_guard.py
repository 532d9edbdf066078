"""Whatever would make two equal runs differ is found, and the error names node, handler and remedy."""

import contextlib
import random
import time
from random import randint

import pytest

from dslab.sim import (
    BudgetError,
    DeterminismError,
    DslabError,
    NodeError,
    ScheduleError,
    System,
    check_repeatable,
    message,
    simulate,
    watchdog,
)
from dslab.sim import Node as Base

LOG = []


@message
class Ping:
    n: int = 0


class Node(Base):
    def on_start(self):
        self.go()

    def go(self):
        pass


def fails(cls, error, *words, until=100, nodes=2, **kwargs):
    with pytest.raises(error) as caught:
        simulate(System(cls, nodes), seed=1, until=until, **kwargs)
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text, text
    return caught.value


def helper():
    return time.time()


class ReadsClock(Node):
    def go(self):
        self.t = time.time()


class ReadsClockThroughHelper(Node):
    def go(self):
        self.t = helper()


class DrawsGlobally(Node):
    def go(self):
        self.x = random.random()


class DrawsByName(Node):
    def go(self):
        self.x = randint(1, 6)


class ImportsInside(Node):
    def go(self):
        import datetime
        self.t = datetime.datetime.now()


class UsesGlobalList(Node):
    def go(self):
        LOG.append(self.id)


class UsesAddress(Node):
    def go(self):
        self.x = id(self)


class OpensFile(Node):
    def go(self):
        self.f = open("x")  # noqa: PTH123, SIM115


class SharesAtClass(Node):
    log = []


@pytest.mark.parametrize(("cls", "words"), [
    (ReadsClock, ("n1", "go", "time", "self.now")),
    (ReadsClockThroughHelper, ("n1", "go (through helper)", "self.now")),
    (DrawsGlobally, ("n1", "go", "self.random")),
    (DrawsByName, ("n1", "randint", "self.random")),
    (ImportsInside, ("n1", "datetime", "self.now")),
    (UsesGlobalList, ("n1", "LOG", "self.LOG")),
    (UsesAddress, ("n1", "id()", "self.id")),
    (OpensFile, ("n1", "open()", "durable")),
    (SharesAtClass, ("SharesAtClass.log", "self.log = []")),
])
def test_outside_influence_is_found_before_the_run(cls, words):
    fails(cls, DeterminismError, *words)


def test_a_clock_behind_another_name_is_found_while_the_handler_runs():
    """The bytecode does not show it, so the function itself refuses."""
    class Hidden(Node):
        def go(self):
            getattr(__import__("ti" + "me"), "mono" + "tonic")()
    fails(Hidden, DeterminismError, "n1 in on_start", "time.monotonic()", "self.now")
    assert time.monotonic() > 0 and random.random() < 1, "outside a run they work as ever"


def test_two_nodes_holding_one_object_are_found():
    class Sharer(Node):
        def go(self):
            self.settings = self.election
    shared = {"a": []}
    with pytest.raises(DeterminismError, match=r"n1\..* and n2\..* are one and the same dict"):
        simulate(System(type("S", (Sharer,), {"election": None}), 2, options={"election": shared}), seed=1, until=1)


def test_the_handler_that_shares_an_object_is_named():
    class Box:
        items = []

    class Late(Node):
        box = Box()

        def go(self):
            self.set_timer("share", after=30)

        def on_share_timeout(self):
            self.mine = self.box.items
    fails(Late, DeterminismError, "n2 in on_share_timeout at 30.000 ms", "n1.mine and n2.mine", "same list")


def test_messages_and_frozen_values_may_be_shared():
    class Keeps(Node):
        def go(self):
            self.kept = []
            self.broadcast(Ping(3))

        def on_ping(self, sender, m):
            self.kept.append(m)
    assert simulate(System(Keeps, 3), seed=1, until=100).state_at(8)["n1"]["kept"]


def test_state_that_outlives_a_run_is_named_by_the_first_event_that_differs():
    class Counter:
        n = 0

    class Leaky(Node):
        counter = Counter()

        def go(self):
            self.counter.n += 1
            self.seen = self.counter.n
    with pytest.raises(DeterminismError, match=r"event 0: start at n1.*seen"):
        check_repeatable(System(Leaky, 1), seed=1, until=10)


def test_a_missing_handler_is_named():
    class Deaf(Node):
        def go(self):
            self.broadcast(Ping())
    fails(Deaf, NodeError, "received a Ping from n", "def on_ping(self, sender, m):")


def test_a_misspelt_timer_is_named():
    class Typo(Node):
        def go(self):
            self.set_timer("electon", after=5)

        def on_election_timeout(self):
            pass
    fails(Typo, NodeError, "n1 in on_start", "did you mean 'election'?")


@pytest.mark.parametrize(("after", "between"), [(None, None), (-1, None), ("5", None), (None, (5, 1)), (None, 5),
                                                (1, (1, 2)), (float("nan"), None)])
def test_a_timer_needs_a_time(after, between):
    class Odd(Node):
        def go(self):
            self.set_timer("t", after=after, between=between)

        def on_t_timeout(self):
            pass
    fails(Odd, NodeError, "set_timer('t'")


def test_sending_to_nobody_and_sending_no_message():
    class Lost(Node):
        def go(self):
            self.send("n7", Ping())

    class Raw(Node):
        def go(self):
            self.broadcast({"n": 1})
    fails(Lost, NodeError, "no node 'n7'", "n1, n2")
    fails(Raw, NodeError, "@message class", "{'n': 1}")


def test_an_exception_in_a_handler_gets_its_line():
    class Broken(Node):
        def go(self):
            self.table = {}
            self.x = self.table["missing"]
    error = fails(Broken, NodeError, "n1 in on_start", "KeyError: 'missing'", 'self.x = self.table["missing"]')
    assert error.trace is not None

    class Leaves(Node):
        def go(self):
            raise SystemExit(3)
    fails(Leaves, NodeError, "n1 in on_start", "SystemExit: 3")


@pytest.mark.parametrize(("attribute", "value", "words"), [
    ("durable", ("term",), "must be a dict"), ("shows", "term", "comma"), ("shows", ("ghost",), "self.ghost"),
])
def test_declarations_are_checked(attribute, value, words):
    fails(type("Odd", (Node,), {attribute: value}), NodeError, words)


def test_showing_what_is_not_data_is_refused_but_not_asked_for_by_default():
    class Object(Node):
        def go(self):
            self.thing, self.number = object(), 1
    fails(type("Asked", (Object,), {"shows": ("thing",)}), DslabError, "'thing'")
    assert simulate(System(Object, 1), seed=1, until=1).state_at(0)["n1"] == {"status": "up", "number": 1}


def test_a_message_storm_says_what_goes_round():
    class Echo(Node):
        def go(self):
            self.broadcast(Ping())

        def on_ping(self, sender, m):
            self.broadcast(m)
    fails(Echo, BudgetError, "5,000 events", "Ping n", "going round", nodes=3, until=1e6, budget=5_000)


def test_a_timer_of_zero_says_what_goes_round():
    class Busy(Node):
        def go(self):
            self.set_timer("spin", after=0)

        def on_spin_timeout(self):
            self.set_timer("spin", after=0)
    fails(Busy, BudgetError, "timer 'spin' of n1", nodes=1, budget=1_000)


def test_a_loop_that_sends_is_stopped():
    class Flood(Node):
        def go(self):
            while True:
                self.send("n2", Ping())
    fails(Flood, BudgetError, "n1 in on_start", "10,000 messages in one call")


def test_a_handler_that_never_returns_is_stopped(monkeypatch):
    monkeypatch.setattr(watchdog, "HANDLER_SECONDS", 1)

    class Stuck(Node):
        def go(self):
            while True:
                with contextlib.suppress(Exception):      # a student's own net must not keep the loop alive
                    self.x = 1
    fails(Stuck, BudgetError, "n1 in on_start", "loop that never ends")


@pytest.mark.parametrize("seed", [1.5, "7", None, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ScheduleError, match="whole number"):
        simulate(System(Node, 1), seed=seed)


def test_a_system_is_asked_for():
    with pytest.raises(NodeError, match=r"raft\.cluster"):
        simulate(Node, seed=1)
    with pytest.raises(NodeError, match="inherits from Node"):
        System(object)
    with pytest.raises(NodeError, match="no attribute 'timeot'"):
        System(Node, 2, options={"timeot": 1})
    with pytest.raises(ScheduleError, match="until"):
        simulate(System(Node, 1), seed=1, until=-5)
