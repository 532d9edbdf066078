"""Runs of consistent hashing worth keeping. They are made for `stage`, which fits the servers of each case."""

from __future__ import annotations

from dslab.sim.case import Case

from . import consistent_hashing
from .raft_cases import _at

HOSTS = {4: ("a", "a", "b", "b"), 6: None, 8: None}       # by the number of servers
ABSENT = {4: (), 6: ("n6",), 8: ()}


def stage(nodes, *, server=consistent_hashing.Server, **options):
    """The system of a case.

    Args:
        nodes: 4 (two on each of two hosts), 6 (n6 joins later) or 8.
        server, options: as for consistent_hashing.cluster.
    """
    return consistent_hashing.cluster(nodes, hosts=HOSTS[nodes], absent=ABSENT[nodes], server=server, **options)


def _puts(count, clients, servers, start=100):
    return [_at(start + 5 * i, "request", command=f"key{i}={i}", to=f"n{i % servers + 1}", client=f"c{i % clients + 1}")
            for i in range(count)]


ONE_MORE = Case(
    "one-more",
    "sixty keys are on five servers; then a sixth one joins, and some keys are read.",
    [*_puts(60, 4, 5), _at(3_000, "join", node="n6", to="n1"),
     *[_at(4_000 + 50 * i, "request", command=f"key{7 * i}", to=f"n{i % 6 + 1}") for i in range(8)]],
    until=6_500,
    nodes=6,
    clients=4,
    catalogue="S11",
    question="Five of six keys had a good place. Where must they go when there are six servers, and why?",
)

CROWDED = Case(
    "crowded",
    "a hundred and twenty keys are put on eight servers.",
    [*_puts(120, 4, 8), _at(4_500, "request", command="key0", to="n1")],
    until=5_500,
    nodes=8,
    clients=4,
    catalogue="S12",
    question="How long are the arcs between eight random points, and who owns the longest?",
)

TWO_HOSTS = Case(
    "two-hosts",
    "n1 and n2 share a host, and n3 and n4 another; twenty keys with two copies each, then one host fails.",
    [*_puts(20, 4, 4), _at(2_000, "request", command="key0", to="n1"),
     _at(2_500, "crash", node="n1"), _at(2_500, "crash", node="n2"),
     *[_at(3_000 + 60 * i, "request", command=f"key{2 * i}", to="n3") for i in range(8)]],
    until=9_000,
    nodes=4,
    clients=4,
    catalogue="S15",
    question="Which copies of a key are lost together?",
)

CASES = (ONE_MORE, CROWDED, TWO_HOSTS)
