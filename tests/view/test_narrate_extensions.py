"""The words for snapshots, pre-votes and changes of the membership: true of the log and the majority that count."""

from dslab.protocols import (
    raft_membership,
    raft_membership_cases,
    raft_prevote,
    raft_prevote_cases,
    raft_snapshots,
    raft_snapshots_cases,
)
from dslab.sim import simulate
from dslab.view import narrate, read, scene_at
from dslab.view.picture import cluster
from dslab.view.words import plain_text


def told(module, case):
    trace = simulate(module.cluster(case.nodes, clients=case.clients), seed=case.seed, schedule=case.schedule,
                     until=case.until)
    return [f"{plain_text(headline)} | {plain_text(reason)}" for headline, reason in narrate(read(trace)).values()]


def test_a_snapshot_is_told_as_one():
    """Not as entries thrown away; and what follows it keeps its index."""
    lines = told(raft_snapshots, raft_snapshots_cases.LEFT_BEHIND)
    assert not any("throws away" in line for line in lines)
    assert any(line.startswith("n1 puts entries 1 to 4 into a snapshot") for line in lines)
    assert "n3 takes n1's snapshot up to 4 | Its log now has no entry behind it." in lines
    assert "n1 appends y=1 at index 6 | It is safe only once two of three servers hold it." in lines


def test_the_picture_has_one_block_for_a_snapshot():
    """Cells of logs keep their columns: index 5 stands in the fifth."""
    case = raft_snapshots_cases.LEFT_BEHIND
    reading = read(simulate(raft_snapshots.cluster(3), seed=case.seed, schedule=case.schedule, until=800))
    event = len(reading.events) - 1
    svg = cluster(reading, scene_at(reading, event), event, frozenset())
    assert svg.count("1–4") == 3 and ">5<" in svg


def test_the_majority_is_that_of_the_configuration():
    """Three of five servers vote at first; then old and new majorities count; then the new ones alone."""
    lines = told(raft_membership, raft_membership_cases.LEADER_LEAVES)
    assert any(line.startswith("n1 wins term 1 with 2 of 3 votes") for line in lines)
    assert any("majorities of the old and the new servers" in line for line in lines)
    assert "n1 steps down | It is not a member of the new configuration." in lines
    assert "n2 learns that entry 1 is committed | n1 told it so; it now applies no-op." in lines


def test_a_pre_vote_is_told_before_the_election():
    lines = told(raft_prevote, raft_prevote_cases.RETURNS)
    asks = [i for i, line in enumerate(lines) if line.startswith("n1 asks who would vote for it in term 1")]
    wins = [i for i, line in enumerate(lines) if line.startswith("n1 wins term 1")]
    assert asks and wins and asks[0] < wins[0]
