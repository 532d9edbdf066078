"""Runs that questions of storage_questions are about."""

from __future__ import annotations

from dslab.sim.case import Case

from .raft_cases import _at

NEAREST = Case(
    "nearest",
    "six servers of Kademlia with four bits; n1 is asked who is nearest to 8. For positions 1, 4, 7, 10, 12, 15.",
    [_at(50, "request", command="#8", to="n1")],
    until=600,
    nodes=6,
    question="Which bits do the positions share with the key?",
)

DELETED = Case(
    "deleted",
    "three sites hold tea, and one takes it out of its store. For death_certificates.Erasing, "
    "contents=(('tea', '1'), ('milk', '2')), cycle=(150, 250).",
    [_at(100, "request", command="delete tea", to="n1"), _at(700, "request", command="tea", to="n1")],
    until=900,
    question="What does a site that compares with n1 see: that tea was deleted, or that it was never there?",
)

ON_ITS_WAY = Case(
    "on-its-way",
    "a chain of three; x=2 has not reached the tail, which is asked for x. For latency=10, disk=0.",
    [
        _at(300, "request", command="x=1", to="n1"),
        _at(600, "request", command="x=2", to="n1"),
        _at(612, "request", command="x", to="n3", client="c2"),
        _at(900, "crash", node="n2"),
        _at(905, "request", command="x=3", to="n1"),
    ],
    until=2_500,
    clients=2,
    catalogue="S3",
    question="Which of the two operations was over before the other began?",
)
