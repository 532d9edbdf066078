"""Linearizability as a property: at the very answer where no order is left, in runs and in searches."""

import sys
from pathlib import Path
from random import Random

import pytest

from dslab import explore, simulate
from dslab.check.history import HistoryError, check_history
from dslab.check.invariants import HELD, VIOLATED, check_trace
from dslab.check.properties import linearizable
from dslab.check.shrink import minimise
from dslab.sim import ClientReply, Node, ScheduleError, System, World, message
from dslab.sim.case import Case
from dslab.sim.properties import enter

sys.path.insert(0, str(Path(__file__).parent))
import brute_force


@message
class Copy:
    value: object


class Replica(Node):
    """Answers from what it holds itself; tells the others of a write, and does not wait for them."""

    shows = ("x",)

    def on_start(self):
        self.x = None

    def on_client_request(self, sender, m):
        _, writes, value = m.command.partition("=")
        if writes:
            self.x = value
            self.broadcast(Copy(value))
        self.send(sender, ClientReply(m.number, True, self.x))

    def on_copy(self, sender, m):
        self.x = m.value


class Failing(Replica):
    """Tells a client that its write failed, and does it all the same."""

    def on_client_request(self, sender, m):
        _, writes, value = m.command.partition("=")
        self.x = value if writes else self.x
        self.send(sender, ClientReply(m.number, True, "failed" if writes else self.x))


def replicas(nodes, cls=Replica):
    return System(cls, nodes, clients=2, code=f"replicas({nodes})").expecting(linearizable())


WRITE_THEN_READ = [{"command": "x=1", "to": "n1", "client": "c1"}, {"command": "x", "to": "n2", "client": "c2"}]


def commanded(o):
    forms = {"read": "x", "get": "x", "write": f"x={o.argument}", "put": f"x={o.argument}",
             "append": f"x+={o.argument}", "add": f"x|={o.argument}", "acquire": "acquire x", "release": "release x"}
    if o.do == "cas":
        return f"x:{o.argument[0]}>{o.argument[1]}"
    return [list(part) for part in o.argument] if o.do == "txn" else forms[o.do]


def records_of(history, model):
    """What the clients of a history asked and were told, in order; values as texts, as in commands."""
    numbers, found = {}, []
    for o in history:
        numbers[o.process] = number = numbers.get(o.process, 0) + 1
        found.append((o.invoked, ("invoke", f"c{o.process}", number, commanded(o))))
        if o.completed is not None:
            result = o.result
            if o.do == "read" and model == "register":
                result = None if result is None else str(result)
            elif o.do == "read":
                result = [str(item) for item in result]
            found.append((o.completed, ("complete", f"c{o.process}", number, result)))
    return [record for _, record in sorted(found, key=lambda one: one[0])]


@pytest.mark.parametrize("model", ["register", "key-value", "mutex", "set", "multi-register"])
def test_says_violation_at_the_first_answer_that_leaves_no_order(model):
    """The step-by-step judge against the search, on every beginning of random histories."""
    violated = 0
    for seed in range(300):
        history = [o for o in brute_force.some(model, Random(f"{model} {seed}"), 8)
                   if o.status != "failed" and o.do != "remove"]
        prop, world = linearizable(model), World([], [])
        records = records_of(history, model)
        for place, record in enumerate(records):
            enter(world.history, record, place, place)
            world.recorded = (record,)
            found = prop(world)
            wrong = check_history(world.history, model, smallest=False).verdict == "violation"
            assert (found is not None) is wrong, (seed, place, records)
            if wrong:
                violated += 1
                assert record[1] in found.nodes
                break
    assert violated > 30


def test_many_writes_without_an_answer_are_no_trouble():
    """A hundred operations of which a third is never answered: what was given up does not multiply."""
    prop, world = linearizable(), World([], [])
    place = 0

    def take(*record):
        nonlocal place
        enter(world.history, record, place, place)
        world.recorded, place = (record,), place + 1
        return prop(world)

    for number in range(1, 34):
        assert take("invoke", "c1", number, f"x={number}") is None
        assert take("invoke", "c2", number, "x") is None
        assert take("complete", "c2", number, str(number)) is None
    assert "whole" not in world.memory and len(world.memory["ways"]["x"]) < 50
    take("invoke", "c2", 34, "x")
    found = take("complete", "c2", 34, "never")
    assert found is not None and "was told never" in found.text


def test_too_many_ways_are_judged_as_a_whole():
    """Appends that were given up can have happened in any order; then the search judges, and still rightly."""
    prop, world = linearizable("append"), World([], [])
    records = [("invoke", "c1", number, f"x+={'abcdefgh'[number - 1]}") for number in range(1, 9)]
    records += [("invoke", "c2", 1, "x"), ("complete", "c2", 1, "hgf"), ("invoke", "c2", 2, "x"),
                ("complete", "c2", 2, "hgfa"), ("invoke", "c2", 3, "x"), ("complete", "c2", 3, "ha")]
    answers = []
    for place, record in enumerate(records):
        enter(world.history, record, place, place)
        world.recorded = (record,)
        answers.append(prop(world))
    assert world.memory == {"whole": True}
    assert answers[:-1] == [None] * (len(records) - 1) and answers[-1] is not None


def answers_to(prop, records):
    """What a property says after each record."""
    world, answers = World([], []), []
    for place, record in enumerate(records):
        enter(world.history, record, place, place)
        world.recorded = (record,)
        answers.append(prop(world))
    return answers


def test_the_answer_that_is_too_much_for_the_steps_is_judged_too():
    """... and not only the next one, which may never come."""
    records = [("invoke", "c1", number, f"x+={'abcdefgh'[number - 1]}") for number in range(1, 9)]
    assert answers_to(linearizable("append"), [*records, ("invoke", "c2", 1, "x"), ("complete", "c2", 1, "?")])[-1]


def test_a_client_that_was_restarted_counts_anew():
    """Its first write has the number of its later one, and may still take effect."""
    records = [("invoke", "c1", 1, "x=1"), ("invoke", "c1", 1, "x=2"), ("complete", "c1", 1, "2"),
               ("invoke", "c2", 1, "x"), ("complete", "c2", 1, "1"), ("invoke", "c2", 2, "x")]
    assert not any(answers_to(linearizable(), [*records, ("complete", "c2", 2, "1")]))
    assert answers_to(linearizable(), [*records, ("complete", "c2", 2, "2")])[-1]


def test_a_run_is_judged_and_the_clients_are_named():
    schedule = [{"at": 10, "do": "cut", "source": "n1", "target": "n2"},
                {"at": 20, "do": "request", "command": "x=1", "to": "n1", "client": "c1"},
                {"at": 200, "do": "request", "command": "x", "to": "n2", "client": "c2"}]
    system = replicas(2)
    trace = simulate(system, seed=1, schedule=schedule, until=400)
    verdict = check_trace(trace, system.always)[-1]
    assert (verdict.name, verdict.title, verdict.status) == ("linearizable", "Linearizable", VIOLATED)
    assert verdict.violation.text == "c2 read x and was told nothing, when it could only hold 1 (written by c1)"
    assert verdict.violation.nodes == ("c2", "c1") and trace.events[verdict.event].kind == "complete"
    again = type(trace).from_json(trace.to_json())
    assert check_trace(again, system.always)[-1].violation == verdict.violation
    assert check_trace(simulate(system, seed=1, schedule=schedule[1:], until=400), system.always)[-1].status == HELD


def test_a_write_that_was_called_failed_may_show():
    schedule = [{"at": 10, "do": "request", "command": "x=1", "to": "n1", "client": "c1"},
                {"at": 200, "do": "request", "command": "x", "to": "n1", "client": "c2"}]
    system = replicas(1, Failing)
    assert check_trace(simulate(system, seed=1, schedule=schedule, until=400), system.always)[-1].status == HELD


def test_exploring_two_replicas_without_quorums_finds_the_stale_read():
    """... with the fewest steps; the way replays in the simulator. One replica alone is linearizable."""
    found = explore(replicas(2), requests=WRITE_THEN_READ)
    assert found.result == "violated" and found.verdict.name == "linearizable"
    assert [action["do"] for action in found.case.schedule] == ["request", "deliver", "deliver", "request", "deliver",
                                                                "deliver"]
    alone = [{**request, "to": "n1"} for request in WRITE_THEN_READ]
    assert explore(replicas(1), requests=alone).passed


def test_a_search_keeps_of_the_past_only_what_matters():
    """The same states as without the property, and fewer pasts than whole histories."""
    asks = [{"command": command, "to": "n1", "client": client}
            for client, command in (("c1", "x=1"), ("c2", "x"), ("c2", "x=2"), ("c1", "x"))]

    def whole(world):
        """Judges all of the history, every time."""
        return check_history(world.history).why if check_history(world.history).verdict == "violation" else None

    plain = System(Replica, 1, clients=2)
    bare = explore(plain, requests=asks)
    short, long = (explore(plain.expecting(prop), requests=asks) for prop in (linearizable(), whole))
    assert bare.states == short.states == long.states and bare.passed and short.passed and long.passed
    assert bare.histories < short.histories < long.histories
    stale = explore(System(Replica, 2, clients=2).expecting(whole), requests=WRITE_THEN_READ)
    assert stale.result == "violated" and stale.verdict.name == "whole"


def test_naive_search_agrees():
    asks = [*WRITE_THEN_READ, {"command": "x", "to": "n1", "client": "c1"}]
    for nodes in (1, 2):
        system = replicas(nodes)
        requests = asks if nodes == 2 else [{**request, "to": "n1"} for request in asks]
        quick, slow = (explore(system, requests=requests, copying=how) for how in ("touched", "deepcopy"))
        assert (quick.result, quick.states, quick.histories) == (slow.result, slow.states, slow.histories)


def test_a_search_in_stages_needs_the_same_properties():
    system = System(Replica, 1, clients=2)
    first = explore(system, goals=[lambda world: True], always=[])
    with pytest.raises(ScheduleError, match="the earlier search did not keep that"):
        explore(system, start=first.where("<lambda>"), always=[linearizable()], goals=[])


def test_minimise_keeps_the_stale_read():
    schedule = [{"at": 5, "do": "request", "command": "y=7", "to": "n2", "client": "c2"},
                {"at": 10, "do": "cut", "source": "n1", "target": "n2"},
                {"at": 20, "do": "request", "command": "x=1", "to": "n1", "client": "c1"},
                {"at": 100, "do": "crash", "node": "n3"},
                {"at": 200, "do": "request", "command": "x", "to": "n2", "client": "c2"}]
    case = Case("stale", "", schedule, 400, nodes=3, clients=2, seed=1)
    smaller = minimise(replicas(3), case, "linearizable")
    assert smaller.verdict.name == "linearizable" and len(smaller.case.schedule) < len(schedule)
    assert "expecting(linearizable())" in smaller.cell and "import linearizable" in smaller.cell


def test_code_makes_the_property_again():
    prop = linearizable("cas-register", initial="0")
    again = eval(prop.code, {"linearizable": linearizable})
    assert prop.code == again.code == 'linearizable("cas-register", initial="0")'
    assert (again.model, again.initial, again.consistency) == ("cas-register", "0", "linearizable")
    system = replicas(2)
    assert system.code == "replicas(2).expecting(linearizable())"
    assert system.imports == "from dslab.check.properties import linearizable"
    for arguments in ({"model": "rgister"}, {"consistency": "strong"}):
        with pytest.raises(HistoryError, match="choose from"):
            linearizable(**arguments)
