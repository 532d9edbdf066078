"""Runs of raft_prevote in which a server returns after a time alone."""

from __future__ import annotations

from dslab.sim.case import Case

from .raft_cases import _at, _stands

RETURNS = Case(
    "returns",
    "n3 is cut off for a second, in which n1 and n2 go on; then it can be heard again.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n3"]]),
        _at(300, "request", command="x=1", to="n1"),
        _at(1_060, "heal"),
        _at(1_700, "request", command="y=2", to="n1"),
    ],
    until=3_000,
    question="n3 cannot win. What does its request for votes do to n1 and n2 all the same?",
)

HEARS_ONLY = Case(
    "hears-only",
    "n1 leads, and nothing of what it sends reaches n3; n3's log misses nothing.",
    [_stands("n1", 10), _at(60, "cut", source="n1", target="n3"), _at(900, "request", command="x=1", to="n1")],
    until=3_000,
    question="n3's log is as good as anybody's. What do n2 and n1 know that n3 does not?",
)
