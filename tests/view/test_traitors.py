"""What views show of traitors: a bar while they lie, words for each behaviour, and the lie beside the truth."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dslab.protocols import generals
from dslab.sim import simulate
from dslab.sim.schedule import VERBS
from dslab.view import narrate, pack, read
from dslab.view.branching import DID
from dslab.view.gloss import reply_types
from dslab.view.picture import cluster
from dslab.view.scene import scene_at
from dslab.view.survey import survey

LIE = {"fields": {"value": "retreat"}}


def traitor(at: float, node: str, behaviour: str, **arguments: Any) -> dict[str, Any]:
    return {"at": at, "do": "turn_traitor", "node": node, "behaviour": behaviour, **arguments}


def reading_of(*schedule: dict[str, Any]) -> Any:
    return read(simulate(generals.cluster(4), seed=1, schedule=list(schedule), until=100))


def test_a_bar_spans_each_kind_of_treason() -> None:
    """Another behaviour begins another bar; each knows its action; loyalty ends the last one."""
    reading = reading_of(
        traitor(1, "n4", "corrupt", **LIE), traitor(30, "n4", "silent"), {"at": 50, "do": "turn_loyal", "node": "n4"},
        traitor(60, "n1", "delay", by=5),
    )
    bars = [(f["kind"], f["label"], f["from_us"], f["to_us"], f["action"]) for f in survey(reading)["faults"]]
    assert bars == [
        ("traitor", "n4 lies", 1_000, 30_000, 0), ("traitor", "n4 silent", 30_000, 50_000, 1),
        ("traitor", "n1 delays", 60_000, None, 3),
    ]


@pytest.mark.parametrize(
    ("action", "headline", "reason"),
    [
        (traitor(1, "n4", "silent"), "Traitor n4 sends nothing", "looks like a crash"),
        (traitor(1, "n4", "silent", to=["n2", "n3"]), "Traitor n4 sends nothing to n2 and n3", "looks like a crash"),
        (traitor(1, "n4", "corrupt", **LIE), "Traitor n4 lies to everybody", "It says value `retreat`"),
        (traitor(1, "n4", "equivocate", to=["n2"], **LIE), "Traitor n4 lies to n2 only", "They hear value `retreat`"),
        (traitor(1, "n4", "delay", by=7.5), "Traitor n4 holds back what it sends", "leaves 7.5 ms late"),
        ({"at": 1, "do": "turn_loyal", "node": "n4"}, "Nothing happens", "n4 is loyal"),
    ],
)
def test_each_behaviour_has_its_words(action: dict[str, Any], headline: str, reason: str) -> None:
    reading = reading_of(action)
    (event,) = [e.id for e in reading.events if e.kind == action["do"]]
    said = narrate(reading)[event]
    assert said[0] == headline and reason in said[1]


def test_the_browser_gets_the_lie_and_the_truth() -> None:
    """A forged message has a shape of its own; the column of truths is there only if somebody lies."""
    reading = reading_of(traitor(1, "n4", "equivocate", to=["n2"], **LIE))
    raw = json.loads(pack(reading))
    columns, payloads, strings = raw["m"], raw["payloads"], raw["strings"]
    forged = [k for k, record in enumerate(reading.messages) if record.forged]
    assert [k for k, truth in enumerate(columns["z"]) if truth >= 0] == forged == [
        k for k, shape in enumerate(columns["c"]) if strings[shape] == "forged"]
    assert len(forged) == 1 and payloads[columns["z"][forged[0]]] == {"value": "attack"}
    assert payloads[columns["p"][forged[0]]]["value"] == "retreat"
    assert "z" not in json.loads(pack(reading_of()))["m"]


def test_every_verb_can_be_told_of_a_branch() -> None:
    assert set(DID) == set(VERBS)


def test_a_picture_shows_a_star_and_a_triangle_while_somebody_lies() -> None:
    """In the storyboard, too, and a loyal node is round again."""
    reading = reading_of(traitor(1, "n4", "corrupt", **LIE), {"at": 62, "do": "turn_loyal", "node": "n4"})
    lying = next(e.id for e in reading.events if e.time_us > 40_000)
    answers = reply_types(reading)
    drawn = cluster(reading, scene_at(reading, lying), lying, answers)
    last = reading.events[-1].id
    later = cluster(reading, scene_at(reading, last), last, answers)
    assert drawn.count(">traitor<") == 1 and drawn.count("h-10z") == 2 and later.count("traitor") == 0
