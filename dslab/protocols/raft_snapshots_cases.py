"""Runs of raft_snapshots, whose servers take a snapshot after four entries."""

from __future__ import annotations

from dslab.sim.case import Case

from .raft_cases import _at, _stands

LEFT_BEHIND = Case(
    "left-behind",
    "n3 is down while five entries are written; when it returns, the leader has them no more.",
    [
        _stands("n1", 10),
        _at(60, "crash", node="n3"),
        *[_at(100 + 80 * i, "request", command=f"x={i}", to="n1") for i in range(1, 6)],
        _at(700, "restart", node="n3"),
        _at(900, "request", command="y=1", to="n1"),
    ],
    until=2_000,
    question="n3's log is empty, and the leader's begins at index 5. What can the leader send?",
)

BETWEEN_TWO_WRITES = Case(
    "between-two-writes",
    "four entries are in n1's snapshot, a fifth is behind them, when n1 loses its power and returns.",
    [
        _stands("n1", 10),
        *[_at(60, "request", command=f"{key}=1", to="n1", client=f"c{i}") for i, key in enumerate("abcd", 1)],
        _at(125, "request", command="e=1", to="n1", client="c5"),
        _at(172, "crash", node="n1"),
        _at(175, "restart", node="n1"),
    ],
    until=400,
    progress=False,
    clients=5,
    catalogue="C21",
    question="n1's disk has a snapshot up to index 4 and a log. Which index has the first entry of that log?",
)

ASKED_TWICE = Case(
    "asked-twice",
    "x=1's answer is lost, x=2 follows; n2 restarts from its snapshot and leads; c1 asks it for x=1 again.",
    [
        _stands("n1", 10),
        _at(55, "cut", source="n1", target="c1"),
        _at(60, "request", command="x=1", to="n1"),
        _at(100, "request", command="x=2", to="n1", client="c2"),
        *[_at(100, "request", command=f"{key}=1", to="n1", client=f"c{i}") for i, key in ((3, "a"), (4, "b"))],
        _at(250, "crash", node="n2"),
        _at(255, "restart", node="n2"),
        _at(260, "crash", node="n1"),
        _stands("n2", 265),
        _stands("n2", 310),
    ],
    until=2_000,
    clients=4,
    catalogue="C23",
    question="n2 has x from its snapshot. Has it, from there, what c1 was going to be told?",
)
