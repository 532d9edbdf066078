"""Properties that a student writes: chips like the built-in ones, and whatever they do wrong, the lab goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dslab import DslabError, Lab, simulate, violation
from dslab.protocols import raft

from .test_lab import Browser


def nobody_leads(world: Any) -> Any:
    """Nobody ever leads."""
    leaders = [s for s in world.servers if s.role == "leader"]
    if not leaders:
        return None
    return violation(f"{leaders[0].id} leads", nodes=leaders, expected="nobody", found=leaders[0].id)


def verdict(lab: Lab, name: str) -> dict[str, Any]:
    return next(v for v in lab.branches[0]["verdicts"] if v["name"] == name)


@pytest.fixture
def lab() -> Lab:
    return Lab(raft.cluster(3), seed=7, until=1500)


def test_a_watched_property_is_a_chip_like_the_others(lab: Lab) -> None:
    """It has a name, a sentence and a verdict with the first event, the culprits and what was expected."""
    lab.watch(nobody_leads)
    [chip] = [p for p in lab.spec["properties"] if p["name"] == "nobody_leads"]
    assert chip == {"name": "nobody_leads", "title": "Nobody leads", "sentence": "Nobody ever leads.", "kind": "always"}
    first = next(e for e in lab.trace().events if ["role", "leader"] in [list(c) for c in e.patch])
    found = verdict(lab, "nobody_leads")
    assert (found["status"], found["event"], found["nodes"]) == ("violated", first.id, [first.node])
    assert (found["expected"], found["found"]) == ("nobody", first.node)
    assert first.id in lab.branches[0]["interesting"]


def test_watching_again_replaces_it_and_new_branches_are_judged_too(lab: Lab) -> None:
    """A cell that is run twice leaves one chip, that of the newer function."""
    lab.watch(nobody_leads)

    def nobody_leads_too(world: Any) -> None:
        """Nothing is demanded."""

    nobody_leads_too.__name__ = "nobody_leads"
    lab.watch(nobody_leads_too)
    lab.crash("n1", at=700)
    assert [p["name"] for p in lab.spec["properties"]].count("nobody_leads") == 1
    assert [v.status for v in lab.verdicts() if v.name == "nobody_leads"] == ["held"]

    def a_crash(world: Any) -> bool:
        return any(s.status == "crashed" for s in world.servers) and world.event > 10

    lab.watch(a_crash, eventually=True)
    assert [(v.status, v.kind) for v in lab.verdicts() if v.name == "a_crash"] == [("reached", "eventually")]
    assert lab.spec["properties"][-1]["name"] == "a_crash", "progress comes last"


def breaks(world: Any) -> Any:
    return world.servers[0].no_such_field


def divides(world: Any) -> Any:
    return 1 / 0


def leaves(world: Any) -> Any:
    raise SystemExit(3)


def returns_nodes(world: Any) -> Any:
    return violation(world.servers, nodes=[world.servers[0], 3], index="x", expected={1, 2}, found=world)  # type: ignore[arg-type]


def returns_a_trap(world: Any) -> Any:
    return violation("broken", nodes=7)


def returns_false(world: Any) -> bool:
    return False


@pytest.mark.parametrize(("prop", "status", "says"), [
    (breaks, "not evaluable", "no_such_field"), (divides, "not evaluable", "ZeroDivisionError"),
    (leaves, "not evaluable", "SystemExit"), (returns_nodes, "violated", "n1"),
    (returns_a_trap, "not evaluable", "TypeError"), (returns_false, "violated", "Returns false: violated"),
])
def test_an_error_in_a_property_is_its_verdict(lab: Lab, prop: Any, status: str, says: str) -> None:
    """The chip says why; the other verdicts, the run and the browser's commands stay as they were."""
    before = [v for v in lab.verdicts()]
    lab.watch(prop)
    found = verdict(lab, prop.__name__)
    assert found["status"] == status and says in found["text"]
    json.dumps(lab.branches)
    assert lab.verdicts()[:-1] == before
    assert Browser(lab)("act", branch="A", at_us=500_000, verb="crash", args={"node": "n1"})["ok"]


def test_a_property_that_changes_what_it_sees_changes_nothing_else(lab: Lab) -> None:
    """Neither the trace nor what other properties see; not even lists deep inside."""
    digest = simulate(raft.cluster(3), seed=7, until=1500).digest()
    lab.request("x=1", at=800)
    wanted = simulate(raft.cluster(3), seed=7, schedule=lab.schedule(), until=1500).digest()
    before = lab.verdicts()

    def vandal(world: Any) -> None:
        for server in world.servers:
            server.role, server.term = "leader", 1
            for value in vars(server).values():
                if isinstance(value, (list, dict)):
                    value.clear()
        world.servers.clear()

    lab.watch(vandal)
    assert lab.verdicts()[:-1] == before
    assert lab.trace()._lines is None or lab.digest() == wanted != digest
    lab.trace()._lines = None
    assert lab.trace().digest() == wanted


def test_what_is_no_property_is_refused_and_changes_nothing(lab: Lab) -> None:
    """The error says what to write; an interrupted property is forgotten."""
    before = lab.spec["properties"], lab.branches
    for wrong in (None, 3, "election", lambda world: None):
        with pytest.raises(DslabError, match="a property is a function of the world"):
            lab.watch(wrong)  # type: ignore[arg-type]
    with pytest.raises(DslabError, match="already"):
        lab.watch(raft.ALWAYS[0])

    def endless(world: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lab.watch(endless)
    assert (lab.spec["properties"], lab.branches) == before
    lab.crash("n1", at=700)
    with pytest.raises(DslabError, match="hides"):
        Lab(raft.cluster(3), seed=7, until=500, hide_properties=True).watch(nobody_leads)
    with pytest.raises(DslabError, match="with a name"):
        Lab(raft.cluster(3), seed=7, until=500, properties=[lambda world: None])
