"""Progress: who waits, and what excuses it."""

from dslab.check.progress import settled, unanswered
from dslab.protocols import raft
from dslab.sim import simulate


def test_request_without_majority_is_unanswered():
    """One of three cannot commit, and the verdict says who waits for what."""
    schedule = [
        {"at": 5, "do": "crash", "node": "n2"},
        {"at": 5, "do": "crash", "node": "n3"},
        {"at": 600, "do": "request", "command": "x=1"},
    ]
    verdict = unanswered(simulate(raft.cluster(3), seed=1, schedule=schedule, until=1600))
    assert verdict.violation.text == "c1 has waited 1000 ms for its answer to `x=1`, and no server leads"


def test_answered_requests_give_no_verdict():
    """Nor does a run without requests."""
    assert (
        unanswered(
            simulate(
                raft.cluster(3), seed=1, schedule=[{"at": 600, "do": "request", "command": "x=1"}], until=1600
            )
        )
        is None
    )
    assert unanswered(simulate(raft.cluster(3), seed=1, until=100)) is None


def test_settled_ends_every_fault():
    """Crashed and paused servers run, cuts heal, links are as they were; what has ended is left alone."""
    schedule = [
        {"at": 1, "do": "crash", "node": "n1"},
        {"at": 2, "do": "pause", "node": "n2"},
        {"at": 3, "do": "crash", "node": "n3"},
        {"at": 4, "do": "restart", "node": "n3"},
        {"at": 5, "do": "cut", "source": "n1", "target": "n2"},
        {"at": 6, "do": "link", "source": "n2", "target": "n3", "loss": 0.9},
    ]
    ends = settled(schedule, raft.cluster(3), 50)[len(schedule) :]
    assert ends == [
        {"at": 50, "do": "heal"},
        {"at": 50, "do": "link", "source": "n2", "target": "n3", "loss": 0.0, "duplicate": 0.0},
        {"at": 50, "do": "restart", "node": "n1"},
        {"at": 50, "do": "resume", "node": "n2"},
    ]


def test_healed_partition_needs_no_healing():
    """The last word counts."""
    schedule = [{"at": 1, "do": "partition", "groups": [["n1"]]}, {"at": 2, "do": "heal"}]
    assert settled(schedule, raft.cluster(3), 50) == schedule
