"""Operations as intervals: places, moments for an order, words, and a picture that is valid and says the same."""

from __future__ import annotations

import itertools
import random
from xml.etree import ElementTree

import pytest

from dslab.view.history import history_chart, history_words, operation_words, points_of, units_at
from dslab.view.historypicture import history_picture


def op(process, do, argument, result, invoked, completed, status="ok", key="x"):
    return {
        "process": process,
        "do": do,
        "key": key,
        "argument": argument,
        "result": result,
        "invoked": invoked,
        "completed": completed,
        "status": status,
    }


HISTORY = [
    op("c1", "write", "1", None, 0, 40),
    op("c2", "write", "2", None, 20, 70),
    op("c3", "read", None, "1", 50, 60),
    op("c1", "read", None, "2", 90, 120),
    op("c3", "write", "5", None, 110, None, "unknown"),
    op("c2", "write", "9", None, 130, 140, "failed"),
]
FOUND = {"verdict": "ok", "order": [0, 2, 1, 3], "values": ["1", "1", "2", "2"]}


def test_places_keep_the_order_of_moments_and_gaps_share_the_width():
    """Later is further right; the shortest gap is not lost; what has no answer is open."""
    chart = history_chart(HISTORY, FOUND)
    places = [units for _, units, _ in chart["marks"]]
    assert places == sorted(set(places)) and places[0] == 0
    assert min(b - a for a, b in itertools.pairwise(places)) > 0.6
    assert [o["to"] is None for o in chart["operations"]] == [False, False, False, False, True, False]
    assert chart["width"] > places[-1]
    assert units_at(chart["marks"], 45) == pytest.approx(
        (units_at(chart["marks"], 40) + units_at(chart["marks"], 50)) / 2, abs=0.01
    )


def test_every_order_that_real_time_allows_gets_moments_inside_the_intervals_and_no_other_order_does():
    """Against the definition: nobody who is over before another begins may stand behind it."""
    dice = random.Random(3)
    for _ in range(60):
        ops = []
        for process in range(3):
            at = dice.randrange(5)
            for _ in range(dice.randrange(1, 3)):
                end = at + dice.randrange(1, 8)
                ops.append(op(f"c{process}", "write", "1", None, at, end if dice.random() < 0.8 else None))
                at = end + dice.randrange(1, 4)
                if ops[-1]["completed"] is None:
                    ops[-1]["status"] = "unknown"
                    break
        chart = history_chart(ops, {})
        for order in itertools.islice(itertools.permutations(range(len(ops))), 40):
            allowed = not any(
                ops[b]["completed"] is not None and ops[b]["completed"] < ops[a]["invoked"]
                for a, b in itertools.combinations(order, 2)
            )
            points = points_of(chart["operations"], order, chart["width"])
            assert (points is not None) == allowed
            if points:
                assert points == sorted(points)
                for i, at in zip(order, points, strict=True):
                    placed = chart["operations"][i]
                    assert placed["from"] <= at <= (chart["width"] if placed["to"] is None else placed["to"])


@pytest.mark.parametrize(
    ("item", "short", "says"),
    [
        (HISTORY[0], "x=1", "writes 1 to x"),
        (HISTORY[3], "x is 2", "reads 2 from x"),
        (HISTORY[4], "x=5", "writes 5 to x; no answer, so it may take effect at any time, or never"),
        (HISTORY[5], "x=9", "writes 9 to x; it failed and has no effect"),
        (op("c", "read", None, None, 0, 1), "x is nothing", "reads nothing from x"),
        (
            op("c", "read", None, None, 0, None, "unknown"),
            "x?",
            "reads x; no answer, so it may take effect at any time, or never",
        ),
        (op("c", "cas", ("1", "2"), True, 0, 1), "x 1→2 ✓", "changes x from 1 to 2, if it is 1: it was"),
        (op("c", "cas", ("1", "2"), False, 0, 1), "x 1→2 ✗", "changes x from 1 to 2, if it is 1: it was not"),
        (op("c", "append", "b", None, 0, 1), "x+=b", "appends b to x"),
        (
            op("c", "txn", (("r", "x", None), ("w", "y", 2)), (("r", "x", 1), ("w", "y", 2)), 0, 1, key=None),
            "x is 1; y=2",
            "x is 1; y=2",
        ),
        (op("c", "acquire", None, None, 0, 1, key="m"), "acquire m", "acquire m"),
        (op("c", "dequeue", None, "7", 0, 1, key="q"), "dequeue q: 7", "dequeue q, answered 7"),
    ],
)
def test_an_operation_in_a_bar_and_in_a_sentence(item, short, says):
    """The same facts, short and long."""
    assert operation_words(item) == (short, says)


def test_with_one_key_its_name_is_left_out():
    """A register without a name needs none."""
    assert operation_words(HISTORY[0], several=False) == ("write 1", "writes 1")


def test_the_picture_is_well_formed_says_the_same_in_words_and_is_the_same_every_time():
    """Any text in it is escaped; the numbers of the order and the value line are there."""
    chart = history_chart([op("<c&1>", "write", "<b>", None, 0, 4), *HISTORY], {**FOUND, "order": [0, 1, 3, 2, 4]})
    svg = history_picture(chart, "One & <two>")
    root = ElementTree.fromstring(svg)
    texts = ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")]
    assert {"1", "2", "3", "4", "5", "value", "<c&1>"} <= set(texts)
    assert root[0].text == history_words(chart)
    assert history_picture(chart, "One & <two>") == svg


def test_the_picture_of_a_violation_has_no_order_but_marks_and_a_reason():
    """The stuck operation in the colour of danger, with a cross; the reason without its markup in the words."""
    chart = history_chart(
        HISTORY, {"verdict": "violation", "stuck": 3, "smallest": [0, 1, 3], "why": "`read 2` fits nowhere"}
    )
    svg = history_picture(chart)
    assert svg.count("#b3261e") >= 4
    assert history_words(chart).endswith("read 2 fits nowhere")
    assert "value" not in "".join(ElementTree.fromstring(svg).itertext()).replace(history_words(chart), "")


@pytest.mark.parametrize("found", [{}, {"order": [99]}, {"verdict": "ok"}, {"verdict": "unknown", "why": "too long"}])
def test_half_an_answer_is_drawn_too(found):
    """Whatever the checker could not say is left out."""
    for history in ([], HISTORY[:1], HISTORY):
        ElementTree.fromstring(history_picture(history_chart(history, found)))
