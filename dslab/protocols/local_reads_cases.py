"""Runs of fast reads: what clients can see when a copy is behind. The links from n1 to n3 are slow."""

from __future__ import annotations

from dslab.sim.case import Case


def _asks(at, client, command, to):
    return {"at": at, "do": "request", "command": command, "client": client, "to": to}


FAR = [{"at": 1, "do": "link", "source": "n1", "target": "n3", "latency": [120, 120]}]

OTHER_CLIENT = Case(
    "other-client",
    "c1 writes and has its answer; then c2 reads at a copy that has not heard of it.",
    [*FAR, _asks(10, "c1", "x=0", "n1"), _asks(200, "c1", "x=1", "n1"), _asks(240, "c2", "x", "n3")],
    until=500,
    clients=2,
    catalogue="S1",
    question="Which operation was over before the other began?",
)

IDENTITY = Case(
    "identity",
    "two clients ask whether the version is what they believe, by a compare-and-set that changes nothing.",
    [
        *FAR,
        _asks(10, "c1", "v=119", "n1"),
        _asks(200, "c1", "v=121", "n1"),
        _asks(245, "c2", "v:121>121", "n2"),
        _asks(275, "c3", "v:119>119", "n3"),
    ],
    until=500,
    clients=3,
    catalogue="S2",
    question="Which value did the second compare-and-set see, and when had it been replaced?",
)

WANDERS = Case(
    "wanders",
    "c2 reads three times, at n2, at n3 and at n2 again, while n3 has not heard of the newest write.",
    [
        *FAR,
        _asks(10, "c1", "x=3", "n1"),
        _asks(200, "c1", "x=5", "n1"),
        _asks(235, "c2", "x", "n2"),
        _asks(260, "c2", "x", "n3"),
        _asks(285, "c2", "x", "n2"),
    ],
    until=600,
    clients=2,
    catalogue="S10",
    question="What had c2 seen before it asked n3?",
)

CASES = OTHER_CLIENT, IDENTITY, WANDERS
