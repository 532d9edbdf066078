"""Replicated stores as processes with real disks: a server is killed in the middle of a write, and nothing is lost."""

from __future__ import annotations

from concurrent.futures import wait
from functools import partial
from types import SimpleNamespace

import pytest

from dslab.check.invariants import HELD, check_trace
from dslab.check.properties import linearizable
from dslab.live import start
from dslab.protocols import abd, quorum

SECONDS = 60  # nothing here takes a second; a busy machine may need many


def going(node):
    """Whether a server coordinates a write that is not acknowledged yet and has a version, which is on its disk."""
    def look(states):
        writes = getattr(states[node], "writes", {}).values()
        return any(write["state"] == "going" and write["version"] for write in writes)
    return look


def half_written(make):
    """A run in which n1 was killed in time; a machine that stands still for a moment lets the write come to its end."""
    for _ in range(10):
        system, trace = killed_in_a_write(make)
        crash = next(event for event in trace.events if event.kind == "crash")
        if going("n1")({name: SimpleNamespace(**fields) for name, fields in trace.state_at(crash.id).items()}):
            return system, trace
    raise AssertionError("n1 was killed too late ten times")


def killed_in_a_write(make):
    """x=0 is written; then n1 is killed while it coordinates x=1, which nobody else has; it comes back later."""
    system = make(3, clients=3).expecting(linearizable())
    with start(system, seed=1) as running:
        assert running.request("x=0", to="n1", client="c1").result(SECONDS) == "0"
        for other in ("n2", "n3"):
            running.link("n1", other, latency=300)               # what n1 sends is on its way for long
        write = running.request("x=1", to="n1", client="c1")
        running.wait(going("n1"), SECONDS)
        running.crash("n1")
        reads = [running.request("x", to=node, client=client) for node, client in (("n2", "c2"), ("n3", "c3"))]
        wait(reads, SECONDS)
        for other in ("n2", "n3"):
            running.link("n1", other, latency=5)
        running.restart("n1")
        assert write.result(SECONDS) == "1"                      # the same write, from its disk
        assert running.request("x", to="n3", client="c3").result(SECONDS) == "1"
    return system, running.trace()


@pytest.mark.parametrize("make", [abd.cluster, partial(quorum.cluster, tries=None)], ids=["abd", "quorum"])
def test_a_server_is_killed_in_the_middle_of_a_write(make):
    """The write keeps its version over the kill and is acknowledged once; every promise holds in the merged trace."""
    system, trace = half_written(make)
    verdicts = check_trace(trace, system.always)
    assert [verdict.name for verdict in verdicts if verdict.status != HELD] == []
    assert "crash" in {event.kind for event in trace.events if event.node == "n1"}
    assert [o["result"] for o in trace.history if o["command"] == "x=1"] == ["1"]
    last = trace.state_at(len(trace) - 1)
    version = next(write["version"] for write in last["n1"]["writes"].values())
    assert version[1] == "n1" and sum(last[n]["versions"]["x"] == [version, "1"] for n in ("n1", "n2", "n3")) >= 2


def test_acknowledged_writes_survive_the_power_cut():
    """All servers are killed after many writes; what was acknowledged is read when they are back."""
    system = abd.cluster(3, clients=3).expecting(linearizable())
    with start(system, seed=2) as running:
        for number in range(4):
            asked = [running.request(f"k{i}={number}", to=f"n{i}", client=f"c{i}") for i in (1, 2, 3)]
            assert [one.result(SECONDS) for one in asked] == [str(number)] * 3
        for node in ("n1", "n2", "n3"):
            running.crash(node)
        for node in ("n1", "n2", "n3"):
            running.restart(node)
        again = [running.request(f"k{i}", to=f"n{i % 3 + 1}", client=f"c{i}") for i in (1, 2, 3)]
        assert [one.result(SECONDS) for one in again] == ["3"] * 3
    verdicts = check_trace(running.trace(), system.always)
    assert [verdict.name for verdict in verdicts if verdict.status != HELD] == []
