"""Minimising a branch: the same property breaks with fewer actions; it can be watched and stopped."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from dslab import DslabError, Lab, simulate
from dslab.check.invariants import first_violation
from dslab.protocols import raft, raft_cases, raft_variants

from .test_lab import Browser

CASE = raft_cases.RESTARTED_VOTER
NOISE = [{"at": 1 + i, "do": "link", "source": "n1", "target": "n2"} for i in range(4)]


def broken() -> Lab:
    """Two leaders in one term, among actions that have nothing to do with it."""
    system = raft.cluster(CASE.nodes, server=raft_variants.ForgetfulVoter, clients=CASE.clients)
    return Lab(system, seed=CASE.seed, schedule=[*NOISE, *CASE.schedule], until=CASE.until)


def wait_for_reply(browser: Browser, job: int) -> dict[str, Any]:
    """What a command that takes its time answers in the end."""
    for thread in threading.enumerate():
        if thread.name == "dslab-minimise":
            thread.join(60)
    [reply] = [r for r in browser.replies if r["id"] == job and "ok" in r]
    return reply


def test_the_smaller_branch_breaks_the_same_property_and_none_of_its_actions_can_go() -> None:
    """By an independent run of every schedule with one action less."""
    lab = broken()
    text = lab.minimise("election_safety")
    kept = lab.schedule()
    assert text.startswith(f"{len(kept)} of {len(NOISE) + len(CASE.schedule)} actions suffice.")
    assert (lab.branch, lab.branches[1]["label"], lab.branches[1]["parent"]) == ("B", "minimised", "A")
    [event] = [v.event for v in lab.verdicts() if v.name == "election_safety"]
    assert lab.cursor["event"] >= event and lab.trace().events[event].time_us == lab.cursor["time_us"]
    system = lab._runs.system

    def breaks(schedule: list[dict[str, Any]]) -> bool:
        found = first_violation(simulate(system, seed=CASE.seed, schedule=schedule, until=CASE.until), [raft.ALWAYS[0]])
        return found is not None

    assert breaks(kept)
    assert not any(breaks(kept[:i] + kept[i + 1 :]) for i in range(len(kept)))
    assert len(lab.schedule("A")) == len(NOISE) + len(CASE.schedule), "the old branch stays"
    assert lab.minimise("election_safety").startswith(f"None of the {len(kept)} actions can be left out")
    lab.undo()
    assert len(lab.branches) == 1


def test_the_browser_hears_how_far_it_is_and_gets_the_branch() -> None:
    """Progress comes under the command's id, then one reply."""
    lab = broken()
    browser = Browser(lab)
    lab._handle_custom_msg({"id": 7, "do": "minimise", "branch": "A", "property": "election_safety"}, [])
    reply = wait_for_reply(browser, 7)
    assert reply["ok"] and reply["branch"] == "B" and "suffice" in reply["text"]
    told = [r["progress"] for r in browser.replies if "progress" in r]
    assert told and all(set(p) == {"runs", "left"} for p in told)
    assert [b["id"] for b in lab.branches] == ["A", "B"] and lab.branches[1]["digest"]


def test_stopping_it_changes_nothing() -> None:
    """The stop is heard between two runs; the browser is told."""
    lab = broken()
    browser = Browser(lab)
    first = threading.Event()
    lab.send = lambda content, buffers=None: (browser.replies.append(content), first.set())  # type: ignore[method-assign]
    lab._handle_custom_msg({"id": 7, "do": "minimise", "branch": "A", "property": "election_safety"}, [])
    assert first.wait(30)
    lab._handle_custom_msg({"id": 8, "do": "stop", "job": 7}, [])
    reply = wait_for_reply(browser, 7)
    assert (reply["ok"], reply.get("stopped")) == (False, True)
    assert [b["id"] for b in lab.branches] == ["A"]
    lab._handle_custom_msg({"id": 9, "do": "stop", "job": 7}, [])
    assert browser.replies[-1]["ok"], "stopping what has ended is no error"


def test_a_property_of_ones_own_is_minimised_too() -> None:
    """As chips are equal, so is what can be done with them."""
    def nobody_restarts(world: Any) -> str | None:
        seen = world.memory.setdefault("seen", {})
        for server in world.servers:
            if server.status == "up" and seen.get(server.id) == "down":
                return f"{server.id} came back"
            if server.status == "up" or server.id in seen:
                seen[server.id] = "up" if server.status == "up" else "down"
        return None

    lab = broken()
    lab.watch(nobody_restarts)
    text, code = lab.minimise("nobody_restarts").split("\n\n", 1)
    assert [action["do"] for action in lab.schedule()] == ["crash", "restart"]
    whole = len(NOISE) + len(CASE.schedule)
    assert text == f"2 of {whole} actions suffice. With 1 server instead of 3, 2 actions suffice."
    scope = {"ForgetfulVoter": raft_variants.ForgetfulVoter}
    exec(code.replace("Lab(", "lab = Lab("), scope)
    again = scope["lab"]
    again.watch(nobody_restarts)
    assert again._runs.system.servers == ["n3"]
    assert [v.status for v in again.verdicts() if v.name == "nobody_restarts"] == ["violated"]


def test_a_recorded_run_cannot_be_minimised_but_watched() -> None:
    """What really happened has no smaller version; a property can be judged on it all the same."""
    lab = broken()
    recorded = Lab.recorded(lab.trace(), system=lab._runs.system)
    with pytest.raises(DslabError, match="recorded from real processes, so nothing can be left out"):
        recorded.minimise("election_safety")

    def never(world: Any) -> str:
        return "it happened"

    recorded.watch(never)
    assert recorded.verdicts()[-1].status == "violated"


@pytest.mark.parametrize("name", ["election_safety", "nonsense", "has_leader"])
def test_what_cannot_be_minimised_is_refused_in_words(name: str) -> None:
    """Nothing violated, no such property, a property of progress."""
    lab = Lab(raft.cluster(3), seed=7, until=800)
    with pytest.raises(DslabError, match=r"does not violate|no safety property"):
        lab.minimise(name)
    browser = Browser(lab)
    lab._handle_custom_msg({"id": 7, "do": "minimise", "branch": "A", "property": name}, [])
    assert not wait_for_reply(browser, 7)["ok"]
    lab._handle_custom_msg({"id": 8, "do": "minimise"}, [])
    assert not wait_for_reply(browser, 8)["ok"]
