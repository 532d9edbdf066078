"""Every misconception about Raft in the catalogue that a server can embody: its case breaks it, and only it."""

import pytest

from dslab.check.answers import find
from dslab.protocols import raft, raft_cases, raft_steps_cases, raft_variants
from dslab.sim import simulate

CASES = {
    case.name: case
    for module in (raft_cases, raft_steps_cases)
    for case in vars(module).values()
    if isinstance(case, raft_cases.Case)
}
SHOWN_BY = {
    "AnyTermCounts": ("late-leader", "Commits are kept"),
    "VoteBeforeTerm": ("leader-dies", "Requests are answered"),
    "EasilyCalmed": ("impatient", "Requests are answered"),
    "LongestLogWins": ("long-log", "Commits are kept"),
    "LastTermOnly": ("short-log", "Commits are kept"),
    "ForgetfulVoter": ("restarted-voter", "One leader per term"),
    "WaitsForVotes": ("split-vote", "Requests are answered"),
    "EmptyMeansYes": ("empty-append", "Commits are kept"),
    "Truncating": ("older-append", "Commits are kept"),
    "CommitsOwnLength": ("stale-tail", "State machines agree"),
    "CommitsAnyTerm": ("figure-8-cut", "Commits are kept"),
    "DiscardsTheUnknown": ("heir", "Commits are kept"),
    "EveryTryIsNew": ("reissued", "Commands take effect once"),
    "MatchFromNext": ("leader-alone", "Commits are kept"),
    "ReplyCountsAll": ("first-of-two", "Commits are kept"),
    "RepliesByIndex": ("other-command", "Answers are true"),
    "RemembersAtTheFront": ("asked-twice", "Commands take effect once"),
    "HalfIsEnough": ("half", "One leader per term"),
    "WaitsForAll": ("one-down", "Requests are answered"),
}


def broken(case, server=raft.Server):
    found = find(raft_variants.serving(case.nodes, server=server, clients=case.clients), case)
    return found and found.verdict.title


@pytest.mark.parametrize("mutant", raft_variants.MUTANTS, ids=lambda cls: cls.__name__)
def test_each_mutant_is_shown_by_a_short_case_of_its_own(mutant):
    """The case names the same misconception, takes at most 15 actions, and does nothing to Raft."""
    name, title = SHOWN_BY[mutant.__name__]
    case = CASES[name]
    assert broken(case, mutant) == title
    assert broken(case) is None
    assert case.catalogue == mutant.catalogue and len(case.schedule) <= 15


@pytest.mark.parametrize("mutant", raft_variants.MUTANTS, ids=lambda cls: cls.__name__)
def test_each_mutant_works_while_nothing_fails(mutant):
    assert broken(raft_cases.CALM, mutant) is None


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_raft_serves_its_clients_in_every_case(case):
    """Commands take effect once, and answers are true (section 8), beside the properties of Figure 3."""
    assert broken(case) is None


@pytest.mark.parametrize("name", ["late-leader", "empty-append", "older-append", "first-of-two", "asked-twice",
                                  "reissued"])
def test_a_case_depends_on_its_schedule_and_not_on_luck(name):
    """At ten seeds the mutant breaks and Raft does not."""
    mutant = next(cls for cls in raft_variants.MUTANTS if SHOWN_BY[cls.__name__][0] == name)
    for seed in range(1, 11):
        case = CASES[name]._replace(seed=seed)
        assert broken(case, mutant) == SHOWN_BY[mutant.__name__][1], seed
        assert broken(case) is None, seed


def test_lesson_script_4_is_repaired_by_an_entry_of_the_own_term():
    """The script's last step: with it on n1, n2 and n3, n5 gets only n4's vote and its own, and nothing is lost."""
    for seed in range(1, 11):
        case = raft_cases.FIGURE_8_REPAIRED._replace(seed=seed)
        for server in (raft.Server, raft_variants.CommitsAnyTerm):
            assert broken(case, server) is None, seed
        system = raft.cluster(case.nodes, clients=case.clients)
        trace = simulate(system, seed=seed, schedule=case.schedule, until=case.until)
        before = trace.state_at(next(e.id for e in trace.events if e.time_us > 395_000))
        assert before["n1"]["commit_index"] == 2
        votes = {m.source: m.fields["granted"] for m in trace.messages
                 if m.type == "Vote" and m.target == "n5" and m.sent_us > 410_000}
        assert votes == {"n2": False, "n3": False, "n4": True}


def test_lesson_script_4_holds_with_one_event_less():
    """The script's twist: some event of Figure 8 can be left out, and the mutant breaks all the same."""
    case = raft_cases.FIGURE_8
    shorter = [case._replace(schedule=case.schedule[:i] + case.schedule[i + 1:]) for i in range(len(case.schedule))]
    assert any(broken(less, raft_variants.CommitsAnyTerm) for less in shorter)
    assert not any(broken(less) for less in shorter)
