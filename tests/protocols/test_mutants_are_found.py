"""Every mutant is found by chance or by search, in a run of at most fifteen actions that the protocol itself survives.

The seeds are among those that `python -m tests.protocols.mutant_hunt` finds, from 0, 10000 or 20000 on. A run counts
only if the protocol without the mutation keeps every promise in it, and in the smaller run that is left.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dslab import explore
from dslab.protocols import paxos, paxos_variants, raft, raft_variants, two_phase_commit

sys.path.insert(0, str(Path(__file__).parent))

import mutant_hunt

MOST = 15
FOUND = {
    ("highest_id", "Impatient"): (0, "one_leader"),
    ("highest_id", "DoesNotJoin"): (0, "one_leader"),
    ("highest_id", "FirstHeard"): (0, "nobody_follows_lower"),
    ("highest_id", "NamesAsText"): (2, "nobody_follows_lower"),
    ("bully", "Impatient"): (22, "requests_are_answered"),
    ("bully", "WaitsForEver"): (10006, "requests_are_answered"),
    ("bully", "ComesBackQuietly"): (10003, "requests_are_answered"),
    ("bully", "AnswersOnly"): (160, "requests_are_answered"),
    ("bully_epochs", "CarelessStore"): (36, "epochs_grow"),
    ("ring", "ForwardsAll"): (0, "highest_leads"),
    ("ring", "KeepsQuiet"): (0, "requests_are_answered"),
    ("ring", "LowestWins"): (0, "highest_leads"),
    ("ring", "AlwaysOwn"): (0, "requests_are_answered"),
    ("ring", "BeatsNeighbour"): (0, "highest_leads"),
    ("paxos", "OwnValue"): (2, "agreement"),
    ("paxos", "CommonestValue"): (17, "agreement"),
    ("paxos", "Hasty"): (17, "agreement"),
    ("paxos", "LocalBallots"): (176, "one_value_per_ballot"),
    ("paxos", "Forgetful"): (23, "agreement"),
    ("paxos", "NoBackOff"): (17, "requests_are_answered"),
    ("paxos", "DecidesOnTimeout"): (563, "learners_agree"),
    ("paxos", "HalfIsEnough"): (7, "learners_agree"),
    ("paxos", "WaitsForAll"): (10015, "requests_are_answered"),
    ("paxos", "Freezing"): (11253, "requests_are_answered"),
    ("paxos", "Silent"): (2, "agreement"),
    ("multi_paxos", "OutOfOrder"): (0, "executed_in_order"),
    ("multi_paxos", "OwnCommands"): (2, "learners_agree"),
    ("multi_paxos", "Hasty"): (5, "slot_agreement"),
    ("multi_paxos", "Forgetful"): (23, "slot_agreement"),
    ("multi_paxos", "TrustsIndex"): (5, "learners_agree"),
    ("multi_paxos", "LeavesHoles"): (21333, "requests_are_answered"),  # 20275 takes longer to become small
    ("multi_paxos", "FrontEndTable"): (20004, "at_most_once"),
    ("ben_or", "CountsTheHeard"): (15, "agreement"),
    ("ben_or", "DecidesOnOne"): (9, "all_decide"),
    ("ben_or", "StopsAtOnce"): (181, "all_decide"),
    ("ben_or", "NoCoin"): (4, "requests_are_answered"),
    ("ben_or", "WaitsForAll"): (3, "requests_are_answered"),
    ("raft", "AnyTermCounts"): (5, "leader_completeness"),
    ("raft", "VoteBeforeTerm"): (16, "requests_are_answered"),
    ("raft", "LastTermOnly"): (9, "leader_completeness"),
    ("raft", "WaitsForVotes"): (13, "requests_are_answered"),
    ("raft", "EmptyMeansYes"): (5, "state_machine_safety"),
    ("raft", "DiscardsTheUnknown"): (3, "leader_completeness"),
    ("raft", "EveryTryIsNew"): (293, "takes_effect_once"),
    ("raft", "MatchFromNext"): (0, "leader_completeness"),
    ("raft", "ReplyCountsAll"): (171, "leader_completeness"),
    ("raft", "RepliesByIndex"): (5, "answers_are_true"),
    ("raft", "EasilyCalmed"): (20019, "requests_are_answered"),
    ("raft", "CommitsOwnLength"): (20051, "state_machine_safety"),  # 20043 shows only that its heartbeats are empty
    ("raft", "RemembersAtTheFront"): (20004, "takes_effect_once"),
    ("raft", "HalfIsEnough"): (20042, "election_safety"),
    ("raft", "WaitsForAll"): (10001, "requests_are_answered"),
    ("raft_safety", "LongestLogWins"): (1088, "leader_completeness"),
    ("raft_safety", "LastTermOnly"): (5, "leader_completeness"),
    ("raft_safety", "ForgetfulVoter"): (2960, "election_safety"),
    ("raft_safety", "Truncating"): (69, "leader_completeness"),
    ("raft_safety", "CommitsAnyTerm"): (365, "leader_completeness"),
    ("raft_snapshots", "TrimsAfterwards"): (4, "log_matching"),
    ("raft_snapshots", "ForgetsSessions"): (626, "takes_effect_once"),
    ("raft_membership", "SwitchesAtOnce"): (11, "leader_completeness"),
    ("raft_reads", "LocalReads"): (5, "reads_are_fresh"),
    ("raft_reads", "AnswersAtOnce"): (5, "reads_are_fresh"),
    ("generals", "OneRoundLess"): (0, "interactive_consistency_1"),
    ("generals", "Patient"): (26, "interactive_consistency_1"),
    ("generals", "TrustsNames"): (78, "interactive_consistency_1"),
    ("generals", "AsksOthersOnly"): (2, "interactive_consistency_2"),
    ("generals", "ObeysInDoubt"): (26, "interactive_consistency_1"),
    ("generals", "DoubtsAMajority"): (2, "interactive_consistency_2"),
    ("pbft", "MajorityQuorum"): (25, "prepared_agree"),
    ("pbft", "HalfQuorum"): (22, "prepared_agree"),
    ("pbft", "WaitsForAll"): (10007, "requests_are_answered"),
    ("pbft", "CountsVoices"): (19, "same_order"),
    ("pbft", "CommitsOnWeak"): (226, "same_order"),
    ("pbft", "FreshViews"): (2, "same_order"),
    ("pbft", "TrustsNewPrimary"): (250, "same_order"),
    ("pbft", "AcceptsAnyProposal"): (334, "primary_proposes"),
    ("pbft", "RunsAtOnce"): (0, "same_state"),
    ("pbft", "TrustsAnyCheckpoint"): (5, "requests_are_answered"),
    ("pbft", "BelievesFirst"): (3, "answers_are_true"),
    ("two_phase_commit", "MajorityCommits"): (88, "consistent"),
    ("two_phase_commit", "ChangesItsMind"): (0, "consistent"),
}
# Searches that find a mutant: roles apart, bounds, the steps of a shortest way.
SEARCHED = {
    "OwnValue": ("agreement", 14), "Silent": ("agreement", 14), "Hasty": ("agreement", 14),
    "LocalBallots": ("one_value_per_ballot", 12),
}


@pytest.mark.parametrize(("protocol", "name"), FOUND, ids=lambda word: word)
def test_a_random_run_finds_the_mutant(protocol, name):
    """And what is left of the run has at most 15 actions; it breaks the same promise."""
    seed, promise = FOUND[protocol, name]
    mutant = next(cls for cls in mutant_hunt.PROTOCOLS[protocol][0] if cls.__name__ == name)
    found = mutant_hunt.found_at(protocol, mutant, seed)
    assert found is not None and found[1] == promise
    attempt, _ = found
    if len(attempt.case.schedule) > MOST:
        small = mutant_hunt.smallest(attempt, promise, runs=150)
        assert small.after["actions"] <= MOST and small.verdict.name == promise
        assert not mutant_hunt.broken(small_right(attempt, small), small.case._replace(progress=False))


def small_right(attempt, small):
    """The protocol without the mutation, made smaller in the same way."""
    gone = [node for node in attempt.right.nodes if node not in small.system.nodes]
    system = attempt.right.without(*gone) if gone else attempt.right
    return system.replace(network=small.system.network, disk=small.system.disk)


@pytest.mark.parametrize("name", SEARCHED)
def test_a_search_finds_the_mutant(name):
    """Two proposers with one ballot each, three acceptors; the way is a shortest one."""
    mutant = next(cls for cls in paxos_variants.MUTANTS if cls.__name__ == name)
    found = explore(paxos.cluster(proposers=2, acceptors=3, ballots=1, **paxos_variants.roles(mutant)), timeouts=None)
    assert (found.verdict.name, len(found.case.schedule)) == SEARCHED[name]


def test_the_protocols_survive_the_same_searches():
    """Exhausted, and every goal met: two-phase commit with four managers, Raft with one election and one request."""
    assert explore(two_phase_commit.cluster(4), **two_phase_commit.BOUNDS).passed
    assert explore(raft.cluster(3), requests=[{"command": "x=1"}], timeouts={"election": 1, "heartbeat": 1}).passed


def test_a_forgotten_vote_is_found_by_search():
    """Eight steps, a crash and a restart among them."""
    found = explore(raft.cluster(3, server=raft_variants.ForgetfulVoter, clients=0), timeouts={"election": 2},
                    crashes=1, restarts=1, goals=())
    assert found.verdict.name == "election_safety" and len(found.case.schedule) == 8


def test_every_mutant_is_in_the_table():
    """A new mutant needs a run that finds it, in one protocol's list if it stands in two."""
    every = {(protocol, cls.__name__): cls for protocol, (mutants, _) in mutant_hunt.PROTOCOLS.items()
             for cls in mutants}
    assert not set(FOUND) - set(every)
    found = {every[pair] for pair in FOUND}
    assert [pair for pair, cls in every.items() if cls not in found] == []
