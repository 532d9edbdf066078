"""Runs of Multi-Paxos worth keeping: each shows why a rule is there, by what happens to those who leave it out.

`timeout` actions make a server stand for leadership at once.
"""

from __future__ import annotations

from dslab.sim.case import Case


def _at(at, do, **arguments):
    return {"at": at, "do": do, **arguments}


def _stands(node, at):
    return _at(at, "timeout", node=node, timer="election")


def _asks(at, command, client="c1", to="n1"):
    return _at(at, "request", command=command, to=to, client=client)


CALM = Case(
    "calm",
    "nothing fails; n1 leads and executes x=1.",
    [_stands("n1", 10), _asks(100, "x=1")],
    until=1_000,
    question="Which messages does a command take once there is a leader?",
)

HOLE = Case(
    "hole",
    "x=1 is chosen in slot 1 and z=3 in slot 3; y=2 for slot 2 has reached nobody when n1 crashes.",
    [
        _stands("n1", 10),
        _asks(70, "x=1"),
        _at(130, "cut", source="n1", target="n2"),
        _at(130, "cut", source="n1", target="n3"),
        _asks(132, "y=2", client="c2"),
        _at(152, "heal"),
        _asks(153, "z=3", client="c3"),
        _at(203, "crash", node="n1"),
        _stands("n2", 260),
    ],
    until=3_000,
    clients=3,
    catalogue="C31",
    question="Slot 3 is chosen, slot 2 is not. May z=3 be executed, and who will ever fill slot 2?",
)

TAKEOVER = Case(
    "takeover",
    "x=1 is chosen and executed by n1 alone, which crashes; n2 leads and is asked for y=2.",
    [
        _stands("n1", 10),
        _asks(45, "x=1"),
        _at(97, "crash", node="n1"),
        _stands("n2", 140),
        _asks(250, "y=2", client="c2", to="n2"),
    ],
    until=2_000,
    clients=2,
    catalogue="C24",
    question="n2 has x=1 in slot 1 and does not know that it is chosen. What does it propose for slot 1?",
)

LATE_ACCEPT = Case(
    "late-accept",
    "n1's requests to accept x=1 are late; meanwhile n3 leads, and y=2 is chosen in slot 1.",
    [
        _stands("n1", 10),
        _at(65, "link", source="n1", target="n2", latency=300),
        _at(65, "link", source="n1", target="n3", latency=300),
        _asks(70, "x=1"),
        _at(105, "cut", source="n3", target="n1"),
        _stands("n3", 110),
        _asks(180, "y=2", client="c2", to="n3"),
    ],
    until=2_000,
    clients=2,
    progress=False,
    catalogue="C26",
    question="n2 has promised n3's ballot. What does that say about a request to accept under n1's?",
)

RESTARTED = Case(
    "restarted",
    "x=1 is chosen by n1 and n2; n1 crashes, n2 restarts, and n3 leads.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n3"]]),
        _asks(70, "x=1"),
        _at(130, "crash", node="n1"),
        _at(135, "crash", node="n2"),
        _at(140, "restart", node="n2"),
        _at(145, "heal"),
        _stands("n3", 150),
        _asks(250, "y=2", client="c2", to="n3"),
    ],
    until=2_000,
    clients=2,
    catalogue="C28",
    question="Of those that accepted x=1, only n2 runs. What must it still know?",
)

STALE_SLOT = Case(
    "stale-slot",
    "n1 alone has x=1 in slot 1; n2 leads, y=2 is chosen in slot 1, and n1 hears that slot 1 is chosen.",
    [
        _stands("n1", 10),
        _at(65, "partition", groups=[["n1"]]),
        _asks(70, "x=1"),
        _stands("n2", 110),
        _asks(170, "y=2", client="c2", to="n2"),
        _at(250, "heal"),
    ],
    until=2_000,
    clients=2,
    catalogue="C13",
    question="Slot 1 is chosen, and n1 holds something in slot 1. Is that what was chosen?",
)

LOST_REPLY = Case(
    "lost-reply",
    "n1 executes x=1, its reply is lost, and it crashes; the client asks again, and n2 leads.",
    [
        _stands("n1", 10),
        _asks(70, "x=1"),
        _at(85, "cut", source="n1", target="c1"),
        _at(250, "crash", node="n1"),
        _stands("n2", 260),
    ],
    until=2_000,
    catalogue="C23",
    question="The same request arrives twice. Who could know that it has been run?",
)

CASES = (CALM, HOLE, TAKEOVER, LATE_ACCEPT, RESTARTED, STALE_SLOT, LOST_REPLY)
