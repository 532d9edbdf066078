"""Runs of raft_membership; three of five servers belong to the first configuration."""

from __future__ import annotations

from dslab.sim.case import Case

from .raft_cases import _at, _stands

FIVE = "members=n1 n2 n3 n4 n5"

GROWS = Case(
    "grows",
    "n1 leads three servers; a client asks for five; then it writes x=1.",
    [
        _stands("n1", 10),
        _at(200, "request", command=FIVE, to="n1"),
        _at(500, "request", command="x=1", to="n1"),
    ],
    until=2_000,
    nodes=5,
    question="From which moment on does n4 count, and where?",
)

TWO_MAJORITIES = Case(
    "two-majorities",
    "n3 leads and is asked for five servers when n1 and n2, who have not heard of it, are cut off; n1 stands.",
    [
        _stands("n3", 10),
        _at(95, "partition", groups=[["n1", "n2"], ["n3", "n4", "n5"]]),
        _at(100, "request", command=FIVE, to="n3"),
        _stands("n1", 290),
        _stands("n1", 330),
    ],
    until=700,
    progress=False,
    nodes=5,
    catalogue="C22",
    question="n1 and n2 are a majority by one configuration, n3, n4 and n5 by another. Who should have to agree?",
)

LEADER_LEAVES = Case(
    "leader-leaves",
    "n1 leads n1, n2 and n3, and is asked for n2, n3 and n4; then a client writes x=1.",
    [
        _stands("n1", 10),
        _at(200, "request", command="members=n2 n3 n4", to="n1"),
        _at(800, "request", command="x=1", to="n2"),
    ],
    until=3_000,
    nodes=5,
    question="When may n1 stop leading, and who could lead before?",
)

LEADER_DIES_BETWEEN = Case(
    "leader-dies-between",
    "n1 leads a change to five servers and dies when C_old,new is committed and C_new is not.",
    [
        _stands("n1", 10),
        _at(200, "request", command=FIVE, to="n1"),
        _at(275, "crash", node="n1"),
    ],
    until=4_000,
    nodes=5,
    question="The next leader finds C_old,new in its log. What must it do, and what must it not assume?",
)

REMOVED_RETURNS = Case(
    "removed-returns",
    "n3 is removed while it is cut off, so it does not know; its term grows; then it can be heard again.",
    [
        _stands("n1", 10),
        _at(150, "partition", groups=[["n3"]]),
        _at(200, "request", command="members=n1 n2", to="n1"),
        _at(1_500, "heal"),
    ],
    until=2_500,
    nodes=3,
    question="n3 asks for votes in a newer term than everybody's. Why must n1 and n2 not even adopt it?",
)
