"""Runs of the ring election worth keeping. They are made for `stage`, where a client's question starts a server."""

from __future__ import annotations

from dslab.sim.case import Case

from . import ring


def stage(nodes=5, *, clients=2, server=ring.Server, **options):
    """The system that these runs are made for: nobody starts by itself.

    Args:
        nodes, clients, server, options: as for ring.cluster.
    """
    return ring.cluster(nodes, clients=clients, server=server, starters=(), **options)


def _asks(at, node, client="c1"):
    return {"at": at, "do": "request", "command": "who leads?", "to": node, "client": client}


HIGHEST_STARTS = Case(
    "highest-starts",
    "a client asks n5 of five servers, which has the highest number.",
    [_asks(10, "n5")],
    until=280,
    nodes=5,
    clients=2,
    question="How many messages does it take, and which of them bring n5's number back to it?",
)

LOWEST_STARTS = Case(
    "lowest-starts",
    "a client asks n1 of five servers, which has the lowest number; the others have not begun.",
    [_asks(10, "n1")],
    until=280,
    nodes=5,
    clients=2,
    catalogue="C2",
    question="n2 hears 1, which is lower than its own. Who will ever hear of n5?",
)

TWO_STARTERS = Case(
    "two-starters",
    "clients ask n2 and n4 of six servers at the same moment.",
    [_asks(10, "n2"), _asks(10, "n4", client="c2")],
    until=290,
    nodes=6,
    clients=2,
    catalogue="C2",
    question="Which numbers travel, and how far must each go?",
)

CASES = (HIGHEST_STARTS, LOWEST_STARTS, TWO_STARTERS)
