"""Replicated data types as processes with real disks: one is killed, and what it had acknowledged counts once."""

from __future__ import annotations

import pytest

from dslab.check.invariants import HELD, check_trace
from dslab.live import start
from dslab.protocols import crdt, crdt_operations

SECONDS = 60  # nothing here takes a second; a busy machine may need many


def all_show(value):
    """Whether every replica shows a value."""
    return lambda states: all(getattr(states[node], "value", None) == value for node in ("n1", "n2", "n3"))


@pytest.mark.parametrize("server", [crdt.PNCounterReplica, crdt_operations.CounterReplica])
def test_acknowledged_updates_survive_a_kill_and_count_once(server):
    """By states and by operations: n1 answers and is killed at once; the others hear of it when it is back."""
    with start(crdt.cluster(3, server=server, clients=2), seed=1) as running:
        assert running.request("inc 3", to="n1", client="c1").result(SECONDS) == "ok"
        running.crash("n1")
        assert running.request("inc 5", to="n2", client="c2").result(SECONDS) == "ok"
        running.restart("n1")
        running.wait(all_show(8), SECONDS)
        assert running.request("read", to="n3", client="c1").result(SECONDS) == 8
        trace = running.trace()
    assert all(verdict.status == HELD for verdict in check_trace(trace, crdt.cluster(3).always))
