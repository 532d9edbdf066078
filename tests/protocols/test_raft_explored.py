"""The extensions of Raft in every order of events within small bounds: nothing is broken, and all was seen."""

import pytest

from dslab.check.explore import explore
from dslab.protocols import raft_membership, raft_prevote, raft_reads, raft_snapshots

WRITE, READ = {"command": "x=1", "to": "n1"}, {"command": "x", "to": "n1"}
SWAP = {"command": "members=n1 n3", "to": "n1"}


@pytest.mark.parametrize(("system", "bounds"), [
    (raft_reads.cluster(3), {"requests": [READ], "timeouts": 1}),
    (raft_snapshots.cluster(2, snapshot_after=1), {"requests": [WRITE], "timeouts": 1, "crashes": 1, "restarts": 1}),
    (raft_prevote.cluster(2), {"requests": [WRITE], "timeouts": 2}),
    (raft_membership.cluster(3, members=2), {"requests": [SWAP], "timeouts": 2}),
    (raft_membership.cluster(3, members=2, server=raft_membership.Whole), {"requests": [SWAP], "timeouts": 1}),
], ids=["reads", "snapshots", "prevote", "membership", "whole"])
def test_every_order_of_events_keeps_the_promises(system, bounds):
    """One request, one or two elections, and where a snapshot is taken, a crash and a restart at any point."""
    found = explore(system, states=100_000, **bounds)
    assert found.result == "exhausted" and found.verdict is None
    assert found.states > 100 and all(found.goals.values()), found.goals
