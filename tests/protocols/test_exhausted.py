"""What the table of exhausted searches says of every protocol; here the rows that take half a second at most."""

import sys
from pathlib import Path

import pytest

from dslab.commands.run import systems

sys.path.insert(0, str(Path(__file__).parent))

from exhausted import ROWS, Row, as_stated, searched

QUICK = (
    "highest_id", "bully_epochs", "ring", "ring of 4", "paxos, restarts", "multi_paxos", "ben_or",
    "ben_or, a second round", "raft", "raft_snapshots", "raft_prevote", "raft_reads", "raft_membership",
    "raft_membership, restarts", "pbft, a silent traitor", "pbft, the primary lies", "primary_backup",
    "quorum, a crash", "abd, a crash", "quorum_handoff", "quorum_sessions", "local_reads", "dynamo", "anti_entropy",
    "echo", "hash_table", "consistent_hashing", "chord", "kademlia", "crdt, or-set")


def test_every_protocol_has_a_row():
    """Whatever `python -m dslab explore` takes is in the table."""
    assert {name.replace(",", " ").split()[0] for name in ROWS} == set(systems())


@pytest.mark.parametrize("name", QUICK)
def test_every_order_of_events_keeps_the_promises(name):
    """All rows: python -m tests.protocols.exhausted."""
    found = searched(ROWS[name])
    assert as_stated(ROWS[name], found), found


def test_a_spent_budget_and_an_unmet_goal_are_not_as_stated():
    """A row that is never finished, or in which nothing happens, cannot hide in the table."""
    row = ROWS["raft_prevote"]
    assert not as_stated(row, searched(row, states=100))
    assert not as_stated(row, searched(Row(row.system, {**row.bounds, "timeouts": 0})))
