"""Runs of replicated data types worth keeping: each shows why a rule is there, by what becomes of who leaves it out.

All are made for `stage`: no message is sent of itself before 10,000 ms. A `timeout` action makes a replica send its
state (or, where replicas send operations, what it has) to all others; every message takes 10 ms.
"""

from __future__ import annotations

from dslab.sim.case import Case

from . import crdt

GOSSIP = (10_000, 20_000)        # ms; long after what the schedules do


def stage(nodes=2, *, gossip=GOSSIP, clients=2, **options):
    """The system that these runs are made for; arguments as for crdt.cluster, such as crdt="g-counter" or server=..."""
    return crdt.cluster(nodes, latency=10, disk=0, gossip=gossip, clients=clients, **options)


def _at(at, do, **arguments):
    return {"at": at, "do": do, **arguments}


def _asks(at, command, to, client="c1"):
    return _at(at, "request", command=command, to=to, client=client)


def _sends(at, node):
    return _at(at, "timeout", node=node, timer="gossip")


def _each_sends(at, nodes=2, every=30):
    """One after the other sends its state to all, twice, so that all hear all."""
    return [_sends(at + every * i, f"n{i % nodes + 1}") for i in range(2 * nodes)]


TWO_COUNT = Case(
    "two-count",
    "n1 adds 3 and n2 adds 5; then n1 sends its state, then n2.",
    [_asks(10, "inc 3", "n1"), _asks(15, "inc 5", "n2", "c2"), _sends(60, "n1"), _sends(100, "n2"),
     _asks(140, "read", "n1")],
    until=200,
    nodes=2,
    clients=2,
    catalogue="S17",
    question="n2 holds 5 and receives 3. Is the 3 part of the 5, or does it come on top? What would tell?",
)

DELIVERED_TWICE = Case(
    "delivered-twice",
    "n1 adds 3 and n2 adds 5; n2's state reaches n1 twice.",
    [_at(1, "link", source="n2", target="n1", duplicate=1.0), _asks(10, "inc 3", "n1"), _asks(15, "inc 5", "n2", "c2"),
     _sends(60, "n2"), _asks(140, "read", "n1")],
    until=200,
    nodes=2,
    clients=2,
    catalogue="S16",
    question="What has n1 learnt from the second copy that it did not know before?",
)

BOTH_SELL = Case(
    "both-sell",
    "one piece is in stock, and both replicas know it; both sell it before they hear of each other.",
    [_asks(10, "inc 1", "n1"), _sends(40, "n1"), _asks(100, "dec 1", "n1"), _asks(100, "dec 1", "n2", "c2"),
     *_each_sends(150), _asks(300, "read", "n1")],
    until=400,
    nodes=2,
    clients=2,
    catalogue="S18",
    question="Both replicas followed their rule, and they agree. Which of them could have known that it must not sell?",
)

RIGHT_GIVEN = Case(
    "right-given",
    "n1 adds 1, gives the right to take it away to n2, and takes it away itself before n2 does.",
    [_asks(10, "inc 1", "n1"), _asks(40, "give 1 n2", "n1"), _sends(70, "n1"), _asks(100, "dec 1", "n1"),
     _asks(110, "dec 1", "n2", "c2"), *_each_sends(150), _asks(300, "read", "n1")],
    until=400,
    nodes=2,
    clients=2,
    catalogue="S18",
    question="n1 gave a right away. How does it know that it must not use it any more, if n2 may be out of reach?",
)

TWO_CARTS = Case(
    "two-carts",
    "a customer's cart is written at n1 and at n2 before they hear of each other.",
    [_asks(10, "write milk", "n1"), _asks(15, "write bread", "n2", "c2"), *_each_sends(60), _asks(220, "read", "n1")],
    until=300,
    nodes=2,
    clients=2,
    catalogue="S9",
    question="Both writes were acknowledged. Had either of them seen the other?",
)

OVERWRITTEN = Case(
    "overwritten",
    "n2 has seen n1's write and overwrites it; then an old state of n1 arrives.",
    [_asks(10, "write milk", "n1"), _at(35, "link", source="n1", target="n2", latency=200), _sends(40, "n1"),
     _at(45, "link", source="n1", target="n2", latency=10), _sends(50, "n1"), _asks(80, "write bread", "n2", "c2"),
     _asks(280, "read", "n2", "c2")],
    until=350,
    nodes=2,
    clients=2,
    catalogue="S9",
    question="n2 receives milk after it has written bread. What says which of the two has seen the other?",
)

ADDED_AGAIN = Case(
    "added-again",
    "a client adds milk, removes it and adds it again.",
    [_asks(10, "add milk", "n1"), _asks(40, "remove milk", "n1"), _asks(70, "add milk", "n1"), *_each_sends(100),
     _asks(260, "read", "n2", "c2")],
    until=320,
    nodes=2,
    clients=2,
    catalogue="S19",
    question="Which adds of milk had the remove seen?",
)

ADD_AND_REMOVE = Case(
    "add-and-remove",
    "both hold milk; n2 adds it again, and n1, which adds bread meanwhile, removes it, before they hear of each other.",
    [_asks(10, "add milk", "n1"), *_each_sends(40), _asks(200, "add milk", "n2", "c2"), _asks(205, "add bread", "n1"),
     _asks(230, "remove milk", "n1"), *_each_sends(270), _asks(430, "read", "n1")],
    until=490,
    nodes=2,
    clients=2,
    catalogue="S19",
    question="n1 had not seen n2's second add. Can its remove have been about that one?",
)

SECOND_HAND = Case(
    "second-hand",
    "n1 adds milk, n2 hears of it and removes it; a state that n1 sent before reaches n3 after n2's.",
    [_asks(10, "add milk", "n1"), _at(35, "link", source="n1", target="n3", latency=200), _sends(40, "n1"),
     _asks(70, "remove milk", "n2", "c2"), _sends(100, "n2"), _sends(300, "n3"), _asks(340, "read", "n3", "c2")],
    until=400,
    nodes=3,
    clients=2,
    catalogue="S19",
    question="n3 holds nothing and receives milk. What could tell it that this milk was removed?",
)

REMOVED_BEFORE_ADDED = Case(
    "removed-before-added",
    "operations are sent: n1 adds milk, n2 removes it; at n3 the remove arrives before the add.",
    [_at(1, "link", source="n1", target="n3", latency=100), _asks(10, "add milk", "n1"),
     _asks(60, "remove milk", "n2", "c2"), _asks(200, "read", "n3", "c2")],
    until=300,
    nodes=3,
    clients=2,
    catalogue="S20",
    question="n3 is to remove milk that it has never heard of. What does the remove say about what came before it?",
)

COUNTED_TWICE = Case(
    "counted-twice",
    "operations are sent: n1 adds 3, and the message to n2 arrives twice.",
    [_at(1, "link", source="n1", target="n2", duplicate=1.0), _asks(10, "inc 3", "n1"),
     _asks(100, "read", "n2", "c2")],
    until=200,
    nodes=2,
    clients=2,
    catalogue="S20",
    question="n2 receives inc 3 a second time. Is it another update or the same one?",
)

LOST_OPERATION = Case(
    "lost-operation",
    "operations are sent: n1 adds milk, then bread; the first message to n2 is lost.",
    [_at(1, "link", source="n1", target="n2", loss=1.0), _asks(10, "add milk", "n1"),
     _at(40, "link", source="n1", target="n2", loss=0.0), _asks(60, "add bread", "n1"), _sends(100, "n2"),
     _asks(200, "read", "n2", "c2")],
    until=300,
    nodes=2,
    clients=2,
    catalogue="S20",
    question="n2 hears of bread. By what could it notice that something is missing, and who can send it again?",
)

TWO_TYPE = Case(
    "two-type",
    "n1 types a b, and n2, at the same place and the same time, x y.",
    [_asks(10, "insert 0 a", "n1"), _asks(15, "insert 0 x", "n2", "c2"), _asks(40, "insert 1 b", "n1"),
     _asks(45, "insert 1 y", "n2", "c2"), *_each_sends(80), _asks(240, "read", "n1")],
    until=300,
    nodes=2,
    clients=2,
    question="Both say `insert 1`. Is that the same place?",
)

# type or class of the right system: the runs that ask about it
CASES = {
    "g-counter": (TWO_COUNT, DELIVERED_TWICE), "bounded-counter": (BOTH_SELL, RIGHT_GIVEN),
    "mv-register": (TWO_CARTS, OVERWRITTEN), "lww-register": (TWO_CARTS, OVERWRITTEN),
    "or-set": (ADDED_AGAIN, ADD_AND_REMOVE, SECOND_HAND), "2p-set": (ADDED_AGAIN, SECOND_HAND),
    "op-set": (REMOVED_BEFORE_ADDED, LOST_OPERATION), "op-counter": (COUNTED_TWICE,), "sequence": (TWO_TYPE,),
}
