"""Runs of the bully algorithm worth keeping, for bully.cluster and, SLOW_ANSWER, for bully_epochs.cluster."""

from __future__ import annotations

from dslab.sim.case import Case


def _at(at, do, **arguments):
    return {"at": at, "do": do, **arguments}


def _slow(at, source, target, latency):
    return _at(at, "link", source=source, target=target, latency=latency)


CALM = Case(
    "calm",
    "nothing fails; n1, the lowest of five, calls an election.",
    [],
    until=1_000,
    nodes=5,
    catalogue="C10",
    question="n1's call reaches everybody. Who must do something about it?",
)

LEADER_DIES = Case(
    "leader-dies",
    "n5 leads and crashes; a client's request to n4 goes unanswered.",
    [_at(300, "crash", node="n5"), _at(400, "request", command="x=1", to="n4")],
    until=2_000,
    nodes=5,
    question="How does n4 find out, and whom must it ask before it leads?",
)

ANSWERS_AND_DIES = Case(
    "answers-and-dies",
    "n5 answers n1's call and crashes before it has announced itself.",
    [_at(30, "crash", node="n5"), _at(100, "request", command="x=1", to="n1")],
    until=2_000,
    nodes=5,
    catalogue="C10",
    question="n4 has n5's answer and waits. What for, and for how long?",
)

HIGHEST_RETURNS = Case(
    "highest-returns",
    "n5 is down while n4 is elected, and comes back.",
    [_at(1, "crash", node="n5"), _at(400, "restart", node="n5")],
    until=2_000,
    nodes=5,
    catalogue="C1",
    question="Who leads at the end, and who told the others?",
)

SLOW_ANSWER = Case(
    "slow-answer",
    "n5's messages to n4 are slow; both lead, and a client of each has something written.",
    [
        _slow(1, "n5", "n4", 400),
        _at(150, "request", command="x=1", to="n5"),
        _at(250, "request", command="x=2", to="n4", client="c2"),
    ],
    until=2_500,
    nodes=5,
    clients=2,
    catalogue="C1",
    question="n4 leads in good faith. Who could have stopped it?",
)

CASES = (CALM, LEADER_DIES, ANSWERS_AND_DIES, HIGHEST_RETURNS, SLOW_ANSWER)
