"""The collected runs of Raft: it keeps its promises in each, and the variant without the guard does not."""

import pytest

from dslab.check.answers import find
from dslab.protocols import raft, raft_cases, raft_variants

CASES = [case for case in vars(raft_cases).values() if isinstance(case, raft_cases.Case)]


def verdict(case, server=raft.Server):
    """The title of what breaks first, or None."""
    broken = find(raft.cluster(case.nodes, server=server, clients=case.clients), case)
    return broken and broken.verdict.title


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_raft_keeps_its_promises(case):
    """With these servers, with others in their place, and with other luck."""
    assert verdict(case) is None
    for by, seed in ((0, 2), (1, 21), (2, 30)):
        for other in raft_cases.rotated([case], by, seed):
            assert verdict(other) is None, other.name


@pytest.mark.parametrize(
    ("case", "server", "title"),
    [
        (raft_cases.FIGURE_8, raft_variants.CommitsAnyTerm, "Commits are kept"),
        (raft_cases.LONG_LOG, raft_variants.LongestLogWins, "Commits are kept"),
        (raft_cases.SHORT_LOG, raft_variants.LastTermOnly, "Commits are kept"),
        (raft_cases.RESTARTED_VOTER, raft_variants.ForgetfulVoter, "One leader per term"),
        (raft_cases.IMPATIENT, raft_variants.EasilyCalmed, "Requests are answered"),
    ],
    ids=["C14", "C7", "C8", "C9", "C6"],
)
def test_variant_without_the_guard_breaks_it(case, server, title):
    """And the case names the misconception that the variant embodies."""
    assert verdict(case, server) == title


@pytest.mark.parametrize("seed", range(1, 21))
def test_figure_8_loses_an_old_entry_at_every_seed(seed):
    """§5.4.2: the schedule alone does it, not luck with latencies."""
    case = raft_cases.FIGURE_8._replace(seed=seed)
    assert verdict(case, raft_variants.CommitsAnyTerm) == "Commits are kept"
    assert verdict(case) is None


@pytest.mark.parametrize(
    "server",
    [
        raft_variants.LongestLogWins,
        raft_variants.LastTermOnly,
        raft_variants.ForgetfulVoter,
        raft_variants.EasilyCalmed,
        raft_variants.Truncating,
        raft_variants.CommitsAnyTerm,
        raft_variants.Pipelining,
    ],
)
def test_variants_work_while_nothing_fails(server):
    """A guard is missed only when something goes wrong."""
    assert verdict(raft_cases.CALM, server) is None


def test_rotated_cases_move_every_name():
    """n1's part is played by n2, and the schedule is otherwise the same."""
    (case,) = raft_cases.rotated([raft_cases.LEADER_ALONE], 1, 5)
    assert [a.get("node") or a.get("groups") or a.get("to") for a in case.schedule] == [
        "n2",
        [["n2"]],
        "n2",
        "n3",
    ]
    assert (case.seed, case.question) == (5, "")


@pytest.mark.parametrize(
    ("make", "answer", "code"),
    [
        (raft_variants.voting, "grant_vote", "raft_variants.voting(grant_vote, 3, clients=2)"),
        (
            raft_variants.committing,
            "new_commit_index",
            "raft_variants.committing(new_commit_index, 3, clients=2)",
        ),
        (raft_variants.counting, "majority", "raft_variants.counting(majority, 3, clients=2)"),
    ],
)
def test_plugged_system_prints_as_code_that_makes_it(make, answer, code):
    """So that "copy as code" works below a failed check."""

    def function(*arguments):
        raise NotImplementedError

    function.__name__ = answer
    system = make(function, 3, clients=2)
    assert (system.code, system.imports) == (code, "from dslab.protocols import raft_variants")
