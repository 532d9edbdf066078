"""Runs of raft_reads in which a read can be stale."""

from __future__ import annotations

from dslab.sim.case import Case

from .raft_cases import _at, _stands

NOT_YET_KNOWN = Case(
    "not-yet-known",
    "x=1 is acknowledged; n2 holds it and does not know that it is committed; n2 wins, and c2 reads x there.",
    [
        _stands("n1", 10),
        _at(60, "request", command="x=0", to="n1"),
        _at(190, "request", command="x=1", to="n1"),
        _at(243, "partition", groups=[["n1"]]),
        _stands("n2", 260),
        _at(310, "request", command="x", to="n2", client="c2"),
    ],
    until=1_500,
    clients=2,
    catalogue="C20",
    question="n2's log ends with x=1. What does n2 know of it, and what would it have to do to know more?",
)

TWO_TRUTHS = NOT_YET_KNOWN._replace(
    name="two-truths",
    shows="the same; then n2 writes x=2, and c4 reads x at n1, which nobody has told that it leads no more.",
    schedule=[
        *NOT_YET_KNOWN.schedule,
        _at(400, "request", command="x=2", to="n2", client="c3"),
        _at(500, "request", command="x", to="n1", client="c4"),
    ],
    clients=4,
    catalogue="C3",
    question="Which of the two reads are linearizable? What could n1 have done before it answered?",
)

PAUSED_LEADER = Case(
    "paused-leader",
    "n1 leads, is cut off and paused for two seconds; the others write x=2; then c3 reads x at n1.",
    [
        _stands("n1", 151),
        _at(300, "request", command="x=1", to="n1"),
        _at(500, "partition", groups=[["n1"]]),
        _at(500, "pause", node="n1"),
        _at(1_200, "request", command="x=2", to="n2", client="c2"),
        _at(2_480, "request", command="x", to="n1", client="c3"),
        _at(2_500, "resume", node="n1"),
    ],
    until=4_000,
    clients=3,
    seed=1,
    question="n1 wakes up with a lease and a question. What tells it that the lease is over?",
)

STOPPED_CLOCK = PAUSED_LEADER._replace(
    name="stopped-clock",
    shows="the same, and n1's clock stood still while it was paused, as that of a suspended virtual machine.",
    schedule=[*PAUSED_LEADER.schedule[:-1], _at(2_499, "skew", node="n1", offset=-2_000), PAUSED_LEADER.schedule[-1]],
    question="How long is n1's lease by its own clock, and by the clock on the wall?",
)
