"""Runs of primary and backup and of the chain in which a server fails, or seems to, at the worst moment.

n1 is primary and n2 backup, or head, middle and tail are n1, n2 and n3, when the first request comes.
"""

from __future__ import annotations

from dslab.sim.case import Case

from .raft_cases import _at


def _asks(at, client, command, to):
    return _at(at, "request", command=command, to=to, client=client)


FIRST = [_at(600, "request", command="x=0", to="n1")]

STILL_PRIMARY = Case(
    "still-primary",
    "n1, primary, is cut off from the servers; n2 takes over and x becomes 1; then c3 reads x at n1.",
    [
        *FIRST,
        _at(800, "partition", groups=[["n1"], ["n2", "n3", "v"]]),
        _asks(1_300, "c2", "x=1", "n2"),
        _asks(1_600, "c3", "x", "n1"),
        _at(2_000, "heal"),
    ],
    until=4_000,
    clients=3,
    catalogue="T4",
    question="n1 has heard nothing of another primary. Whom can it ask, before it answers, who would know?",
)

ACKNOWLEDGED_AND_GONE = Case(
    "acknowledged-and-gone",
    "n1, primary, cannot reach its backup; x=1 is asked for; n1 crashes, n2 takes over, and c2 reads x.",
    [
        *FIRST,
        _at(800, "link", source="n1", target="n2", loss=1),
        _asks(820, "c1", "x=1", "n1"),
        _at(850, "crash", node="n1"),
        _at(850, "link", source="n1", target="n2", loss=0),
        _asks(1_400, "c2", "x", "n2"),
        _at(2_000, "restart", node="n1"),
    ],
    until=4_000,
    clients=2,
    catalogue="T9",
    question="Who has x=1 when n1 crashes, and what may c1 have been told by then?",
)

EMPTY_BACKUP = Case(
    "empty-backup",
    "n2, backup, crashes; n3 is named in its place, but what n1 sends it is lost; then n1 crashes, and c2 reads x.",
    [
        *FIRST,
        _at(800, "link", source="n1", target="n3", loss=1),
        _at(800, "crash", node="n2"),
        _at(1_300, "crash", node="n1"),
        _asks(1_400, "c2", "x", "n3"),
        _at(2_200, "link", source="n1", target="n3", loss=0),
        _at(2_200, "restart", node="n1"),
        _at(2_200, "restart", node="n2"),
    ],
    until=5_000,
    clients=2,
    catalogue="T9",
    question="n3 is the backup, by name. What must it have been given before it may become primary, and who knows?",
)

STILL_TAIL = Case(
    "still-tail",
    "n3, tail, is cut off from the servers; the chain goes on without it and x becomes 1; then c3 reads x at n3.",
    [
        *FIRST,
        _at(800, "partition", groups=[["n3"], ["n1", "n2", "m"]]),
        _asks(1_300, "c2", "x=1", "n1"),
        _asks(1_600, "c3", "x", "n3"),
        _at(2_000, "heal"),
    ],
    until=4_000,
    clients=3,
    catalogue="T4",
    question="n3 was the tail when it heard of the chain last. Who could tell it that it is not?",
)

HEAD_FAILS = Case(
    "head-fails",
    "what n1, the head, passes on is lost; x=1 is asked for, n1 crashes, and c2 reads x.",
    [
        *FIRST,
        _at(800, "link", source="n1", target="n2", loss=1),
        _asks(820, "c1", "x=1", "n1"),
        _at(850, "crash", node="n1"),
        _asks(1_400, "c2", "x", "n2"),
        _at(2_000, "link", source="n1", target="n2", loss=0),
        _at(2_000, "restart", node="n1"),
    ],
    until=4_000,
    clients=2,
    catalogue="T9",
    question="The update is at the head only. What is left of it when the head is gone, and what was c1 told?",
)

MIDDLE_FAILS = Case(
    "middle-fails",
    "n2 crashes with x=1 on its way to it: n1 has it, n3 has not; later c2 reads x.",
    [
        *FIRST,
        _asks(820, "c1", "x=1", "n1"),
        _at(826, "crash", node="n2"),
        _asks(1_500, "c2", "x", "n3"),
        _at(2_000, "restart", node="n2"),
    ],
    until=4_000,
    clients=2,
    catalogue="F2",
    question="n1 has passed x=1 on to somebody who is gone. Who follows n1 now, and what does it lack?",
)

TAIL_FAILS = Case(
    "tail-fails",
    "n3 crashes before x=1 reaches it; n2, which has it, becomes the tail; then c2 reads x.",
    [
        *FIRST,
        _at(800, "link", source="n2", target="n3", loss=1),
        _asks(820, "c1", "x=1", "n1"),
        _at(900, "crash", node="n3"),
        _asks(1_500, "c2", "x", "n2"),
        _at(2_000, "link", source="n2", target="n3", loss=0),
        _at(2_000, "restart", node="n3"),
    ],
    until=4_000,
    clients=2,
    question="n2 becomes the tail. Which of its updates are now at the tail, and who has to be told?",
)

READ_IN_THE_MIDDLE = Case(
    "read-in-the-middle",
    "x=1 is slow on its way from n2 to n3, the tail; meanwhile c2 reads at n1, and after that c3 at n3.",
    [
        *FIRST,
        _at(800, "link", source="n2", target="n3", latency=[300, 300]),
        _asks(820, "c1", "x=1", "n1"),
        _asks(900, "c2", "x", "n1"),
        _asks(950, "c3", "x", "n3"),
        _at(1_200, "link", source="n2", target="n3", latency=[5, 15]),
    ],
    until=4_000,
    clients=3,
    catalogue="S1",
    question="n1 has x=1 before anybody was told. What if the tail is asked a moment later?",
)
