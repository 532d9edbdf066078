"""The chart of a history: it draws what the checker says, and judges an order tried by hand as the checker does."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dslab import HistoryChart, Lab
from dslab.check.history import Operation, check_history
from dslab.check.models import ILLEGAL, MODELS
from dslab.check.properties import linearizable
from dslab.protocols import local_reads, local_reads_cases, quorum, raft
from dslab.widgets.history import MOST_PLACED, PlacingError, judge_points

from .test_lab import Browser

STATIC = Path(__file__).parents[2] / "dslab" / "widgets" / "static"


def history(dice: random.Random, model: str = "register", keys: str = "x") -> list[Operation]:
    """Three clients with up to two operations each; answers are guessed, so about half of the histories are wrong."""
    found = []
    for client in ("c1", "c2", "c3"):
        at = dice.randrange(4)
        for _ in range(dice.randrange(1, 3)):
            end = at + dice.randrange(1, 9)
            key = dice.choice(keys)
            if model == "mutex":
                op = Operation(client, dice.choice(("acquire", "release")), key, None, None, at, end)
            elif dice.random() < 0.5:
                op = Operation(client, "write", key, str(dice.randrange(1, 3)), None, at, end)
            else:
                op = Operation(client, "read", key, None, dice.choice((None, "1", "2")), at, end)
            found.append(op)
            at = end + dice.randrange(1, 3)
    return found


def explains(ops: list[Operation], order: tuple[int, ...], model: str) -> bool:
    """By hand: real time is kept and every object answers so."""
    if any(ops[b].completed < ops[a].invoked for a, b in itertools.combinations(order, 2)):
        return False
    states: dict[Any, Any] = {}
    for i in order:
        after = MODELS[model].step(states.get(ops[i].key, MODELS[model].initial), ops[i])
        if after is ILLEGAL:
            return False
        states[ops[i].key] = after
    return True


@pytest.mark.parametrize(("model", "keys"), [("register", "x"), ("register", "xy"), ("mutex", "m")])
def test_an_order_is_right_exactly_where_walking_the_model_by_hand_says_so(model: str, keys: str) -> None:
    """And one exists exactly where the checker finds one."""
    dice, seen = random.Random(7), set()
    for _ in range(25):
        ops = history(dice, model, keys)
        chart = HistoryChart(ops, model, puzzle=True)
        orders = list(itertools.permutations(range(len(ops))))
        right = [order for order in orders if explains(ops, order, model)]
        assert bool(right) == (chart.verdict.verdict == "ok")
        seen.add(bool(right))
        for order in [*right[:3], *dice.sample(orders, min(6, len(orders)))]:
            try:
                chart.order(*order)
                assert chart.solved == (order in right)
            except PlacingError as error:
                assert order not in right and "is over before" in str(error)
    assert seen == {True, False}


def test_the_witness_of_the_checker_solves_the_puzzle_and_the_picture_of_the_puzzle_does_not_tell_it() -> None:
    """What is asked for is neither in the words nor in the picture."""
    ops = [Operation("c1", "write", "x", "1", None, 0, 5), Operation("c2", "read", "x", None, "1", 2, 4)]
    chart = HistoryChart(ops, puzzle=True, title="Which order?")
    data, _ = chart._repr_mimebundle_()
    assert "in this order" not in data["text/plain"] and "Is there an order" in data["text/plain"]
    assert "value" not in data["image/svg+xml"]
    assert chart.order(*chart.verdict.witness) == "It works: in this order every answer fits." and chart.solved
    assert chart.order("B", "A") == "c2 reads 1 cannot be number 1: at the beginning the value is nothing."
    chart.clear()
    assert chart.place("A", 1) == "1 placed, 1 to go; every answer fits so far."
    assert chart.place("B", 3).startswith("It works")
    shown, _ = HistoryChart(ops)._repr_mimebundle_()
    assert "in this order: 1. c1 writes 1; 2. c2 reads 1." in shown["text/plain"]


def test_what_cannot_be_placed_is_refused_with_a_reason() -> None:
    """Outside the interval, unknown, twice, failed, no puzzle, too long, or no order to look for."""
    ops = [
        Operation("c1", "write", "x", "1", None, 0, 5),
        Operation("c1", "write", "x", "2", None, 6, 8, "failed"),
        Operation("c2", "read", "x", None, "1", 9, 12),
    ]
    chart = HistoryChart(ops, puzzle=True)
    for wrong, words in (
        (lambda: chart.place(0, 5), "A runs from 0 to 5; 5 is not inside it"),
        (lambda: chart.place(9, 1), "there is no operation 9; choose from A, B, C"),
        (lambda: chart.place("B", 7), "B failed: it has no effect and no moment"),
        (lambda: chart.order(0, 0), "once only"),
        (lambda: chart.order("C", "A"), "A is over before C begins"),
        (lambda: HistoryChart(ops).order(0), "puzzle=True"),
        (lambda: HistoryChart(ops, consistency="eventual", puzzle=True), "points can be placed for"),
    ):
        with pytest.raises(PlacingError, match=words):
            wrong()
    long = [Operation("c1", "write", "x", "1", None, 2 * i, 2 * i + 1) for i in range(MOST_PLACED + 1)]
    with pytest.raises(PlacingError, match="at most 12"):
        HistoryChart(long, puzzle=True)


def test_sequential_puzzles_keep_each_clients_order_and_not_real_time() -> None:
    """A read that is too old in real time may move before the write; a client's own order stays."""
    ops = [
        Operation("c1", "write", "x", "1", None, 0, 2),
        Operation("c2", "read", "x", None, None, 4, 6),
        Operation("c2", "read", "x", None, "1", 7, 9),
    ]
    assert HistoryChart(ops).verdict.verdict == "violation"
    chart = HistoryChart(ops, consistency="sequential", puzzle=True)
    assert chart.order(1, 0, 2).startswith("It works")
    assert "something that comes later" in chart.order(2, 1, 0)


def test_another_initial_value_is_that_of_checker_and_puzzle() -> None:
    """A register that starts at 0."""
    ops = [Operation("c1", "read", "x", None, "0", 0, 2)]
    assert HistoryChart(ops).verdict.verdict == "violation"
    chart = HistoryChart(ops, initial="0", puzzle=True)
    assert chart.verdict.verdict == "ok" and chart.place(0, 1).startswith("It works")


@pytest.mark.needs("node")
def test_python_and_the_browser_judge_points_alike() -> None:
    """Every sentence, value and operation that is wrong, for random points."""
    dice, cases = random.Random(11), []
    for k in range(80):
        consistency = ("linearizable", "sequential")[k % 2]
        chart = HistoryChart(history(dice, "register", "xy"), consistency=consistency, puzzle=True).chart
        placed = {
            str(i): round(dice.uniform(0, chart["width"]), 3)
            for i in range(len(chart["operations"]))
            if dice.random() < 0.8
        }
        cases.append([chart, placed])
    script = f"""
import {{ judgePoints }} from {json.dumps((STATIC / "historydata.js").as_uri())};
import {{ readFileSync }} from "node:fs";
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(([chart, placed]) => judgePoints(chart, placed))));
"""
    run = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    for (chart, placed), told in zip(cases, json.loads(run.stdout), strict=True):
        assert told == judge_points(chart, placed)


# ---- in a Lab

STALE = local_reads_cases


def act(at: float, do: str, **more: Any) -> dict[str, Any]:
    return {"at": at, "do": do, **more}


SCHEDULE = [
    act(20, "request", client="c1", command="x=1"),
    act(100, "request", client="c2", command="x"),
    act(200, "request", client="c1", command="x=2"),
]


def lab_of(**more: Any) -> Lab:
    return Lab(quorum.cluster(3, clients=2).expecting(linearizable()), seed=4, schedule=SCHEDULE, until=400, **more)


def test_the_chart_travels_with_the_branch_and_is_that_of_the_checker() -> None:
    """Its operations are those of the run, with the events at which they begin and end; the witness orders them."""
    lab = lab_of()
    [chip] = [p for p in lab.spec["properties"] if "consistency" in p]
    assert (chip["name"], chip["consistency"]) == ("linearizable", "linearizable")
    assert "history" in lab._parts
    chart = lab.branches[0]["histories"]["linearizable"]
    trace = lab.trace()
    assert [o["label"] for o in chart["operations"]] == ["write 1", "read 1", "write 2"]
    for placed, entry in zip(chart["operations"], trace.history, strict=True):
        begin, end = placed["events"]
        assert (
            trace.events[begin].time_us == entry["invoked_us"] and trace.events[end].time_us == entry["completed_us"]
        )
    assert chart["order"] == list(check_history(trace).witness) and chart["values"] == ["1", "1", "2"]
    json.dumps(chart)


def test_a_violation_is_judged_up_to_the_event_that_broke_the_property() -> None:
    """So that chip and chart speak of the same moment; later operations are there, but not part of it."""
    case = next(c for c in vars(STALE).values() if hasattr(c, "schedule") and c.catalogue == "S1")
    system = local_reads.cluster(case.nodes, clients=case.clients)
    if not any(hasattr(prop, "consistency") for prop in system.always):
        system = system.expecting(linearizable())
    lab = Lab(system, seed=case.seed, schedule=case.schedule, until=case.until)
    [broken] = [v for v in lab.verdicts() if v.name == "linearizable"]
    assert broken.status == "violated"
    chart = lab.branches[0]["histories"]["linearizable"]
    assert chart["verdict"] == "violation" and chart["broken"] == broken.event
    stuck = chart["operations"][chart["stuck"]]
    assert stuck["completed"] <= broken.event and chart["stuck"] in chart["smallest"]


def test_a_long_history_is_worked_out_when_somebody_asks_and_nothing_else_changes() -> None:
    """The reply has the chart; the branches stay as they were; what cannot be answered is told in a sentence."""
    many = [act(20 + 90 * i, "request", client="c1", command=f"x={i}") for i in range(45)]
    lab = Lab(quorum.cluster(3, clients=1).expecting(linearizable()), seed=4, schedule=many, until=4300)
    assert "histories" not in lab.branches[0]
    browser, before = Browser(lab), lab.branches
    reply = browser("history", branch="A", property="linearizable")
    assert reply["ok"] and len(reply["chart"]["operations"]) == 45 and lab.branches is before
    assert not browser("history", branch="A", property="reads_are_fresh")["ok"]
    assert not browser("history", branch="Z", property="linearizable")["ok"]


def test_a_property_that_is_watched_later_brings_its_chart() -> None:
    """The code is there wherever clients are told something; the chart comes with the property."""
    lab = Lab(quorum.cluster(3, clients=2), seed=4, schedule=SCHEDULE, until=400)
    assert "history" in lab._parts and "histories" not in lab.branches[0]
    lab.watch(linearizable())
    assert lab.branches[0]["histories"] == lab_of().branches[0]["histories"]
    assert lab.code().splitlines()[1:5] == [
        "from dslab.protocols import quorum",
        "from dslab.check.properties import linearizable",
        "",
        "lab = Lab(quorum.cluster(3, clients=2), seed=4, until=400, properties=[linearizable()])",
    ]


def test_a_lab_without_clients_carries_nothing_of_it() -> None:
    """Neither the code of the chart nor a chart."""
    lab = Lab(raft.cluster(3, clients=0), seed=7, until=600)
    assert "history" not in lab._parts and "histories" not in lab.branches[0]


def test_hidden_properties_bring_no_chart() -> None:
    """It would tell what the exercise hides."""
    assert "histories" not in lab_of(hide_properties=True).branches[0]
