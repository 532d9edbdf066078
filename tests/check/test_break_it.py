"""Checks of schedules: what breaks the variant and not Raft is right, whatever it is."""

import pytest

from dslab.check.break_it import judge_schedule
from dslab.check.feedback import CheckFailed
from dslab.protocols import raft
from dslab.protocols.raft_variants import Truncating

CUT = {"at": 400, "do": "cut", "source": "n1", "target": "n3"}
WRITE = {"at": 420, "do": "request", "command": "x=1", "to": "n1"}
DIE = {"at": 480, "do": "crash", "node": "n1"}


def judge(schedule, **options):
    """The exercise raft-break-it."""
    return judge_schedule(
        "raft-break-it", schedule, raft.cluster(3, server=Truncating), raft.cluster(3), seed=7, **options
    )


def failure(schedule, **options):
    """The text of the failure, on one line."""
    with pytest.raises(CheckFailed) as caught:
        judge(schedule, **options)
    return " ".join(str(caught.value).split())


def test_shortest_known_schedule_is_right():
    """An old heartbeat that is overtaken erases a committed entry."""
    said = judge([CUT, WRITE], par=3)
    assert 'right. "Commits are kept" is broken' in said and said.endswith(
        "That took 2 actions, and par is 3."
    )


def test_schedule_that_breaks_nothing_is_told_what_was_watched():
    """All properties by name, the seed, how long, and the question."""
    text = failure([WRITE, DIE], question="who holds it?")
    assert "2 actions break no property (seed 7, watched until 2480 ms)" in text
    assert "State machines agree" in text and text.endswith("Question: who holds it?")


def test_losing_a_disk_does_not_count():
    """A schedule must break the variant, not what every Raft relies on."""
    wipe = [
        {"at": 600, "do": "crash", "node": "n2"},
        {"at": 610, "do": "restart", "node": "n2", "disk": False},
    ]
    assert "also break Raft with all its guards" in failure([CUT, WRITE, *wipe])


def test_longer_than_par_is_valid_but_not_par():
    """The first check passes, the second one asks what could go."""
    long = [CUT, WRITE, {"at": 470, "do": "request", "command": "y=2"}, DIE]
    assert "right" in judge(long)
    assert "That took 4 actions, and par is 3" in failure(long, par=3)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ([{"at": 3, "do": "crsh", "node": "n1"}], "did you mean 'crash'?"),
        ([{"at": 3, "do": "crash", "node": "n9"}], "node must be one of n1, n2, n3, c1, not 'n9'"),
        ("crash", "a schedule is a list of actions"),
        ([["crash"]], "write a dict such as"),
    ],
)
def test_what_is_no_schedule_is_named(schedule, words):
    """One sentence, no traceback."""
    assert words in failure(schedule)


def test_empty_schedule_is_not_answered_yet(monkeypatch):
    """The stub."""
    monkeypatch.delenv("DSLAB_GRADING", raising=False)
    assert "not answered yet" in judge([])
    monkeypatch.setenv("DSLAB_GRADING", "1")
    assert "not answered yet" in failure([])
