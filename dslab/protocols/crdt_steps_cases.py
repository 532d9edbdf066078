"""Runs that judge a counter or a set from outside: each asks about one thing that is easily left out."""

from __future__ import annotations

from random import Random

from dslab.sim.case import Case

from .crdt_counters import GCounter, Payload
from .crdt_sets import ORSet

STORM_MS, QUIET_MS = 1_500, 1_500        # of a random run: with faults, and without


def _at(at, do, **arguments):
    return {"at": at, "do": do, **arguments}


def _asks(at, command, to, client="c1"):
    return _at(at, "request", command=command, to=to, client=client)


# ---- the counter

TWO_ADD = Case(
    "two-add",
    "n1 adds 3 and n2 adds 5 before they hear of each other; n1 reads.",
    [_asks(10, "inc 3", "n1"), _asks(20, "inc 5", "n2", "c2"), _asks(600, "read", "n1")],
    until=800,
    nodes=2,
    clients=2,
    catalogue="S17",
    question="n2 receives 3 from n1 and holds 5. Which of the two numbers tells what the other has added?",
)

ARRIVES_TWICE = Case(
    "arrives-twice",
    "n1 adds 3; every message of n1 arrives twice.",
    [
        _at(1, "link", source="n1", target="n2", duplicate=1.0),
        _asks(10, "inc 3", "n1"),
        _asks(600, "read", "n2", "c2"),
    ],
    until=800,
    nodes=2,
    clients=2,
    catalogue="S16",
    question="n2 has merged a state and receives the same state again. What should the second time change?",
)

ADDS_AGAIN = Case(
    "adds-again",
    "n1 adds 1, then 2, then 4, while it is apart from n2 and n3.",
    [
        _at(5, "partition", groups=[["n1"]]),
        *(_asks(10 + 100 * i, f"inc {2**i}", "n1") for i in range(3)),
        _asks(200, "inc 8", "n3", "c2"),
        _at(400, "heal"),
        _asks(900, "read", "n2", "c2"),
    ],
    until=1_200,
    clients=2,
    question="n1 has added three times. What stands in its state, and what must n2 take from it?",
)

OLDER_OVERTAKES = Case(
    "older-overtakes",
    "a state that n1 sent early reaches n2 after a later one.",
    [
        _at(1, "link", source="n1", target="n2", latency=[1, 250]),
        *(_asks(10 + 60 * i, "inc 1", "n1") for i in range(8)),
        _asks(1_200, "read", "n2", "c2"),
    ],
    until=1_400,
    nodes=2,
    clients=2,
    question="n2 holds n1's newest state and receives an older one. What must not happen to its counter?",
)

THROUGH_ANOTHER = Case(
    "through-another",
    "n1 and n3 cannot talk; n2 can talk to both.",
    [
        *(_at(1, "cut", source=source, target=target) for source, target in (("n1", "n3"), ("n3", "n1"))),
        _asks(10, "inc 3", "n1"),
        _asks(30, "inc 5", "n3", "c2"),
        _asks(900, "read", "n1"),
        _asks(920, "read", "n3", "c2"),
    ],
    until=1_200,
    clients=2,
    question="n2 passes on what it has heard of n1. By what does n3 know that it is n1's?",
)

COUNTER = (ARRIVES_TWICE, TWO_ADD, ADDS_AGAIN, OLDER_OVERTAKES, THROUGH_ANOTHER)

# ---- the set

ADDED_AGAIN = Case(
    "added-again",
    "a client adds milk, removes it, and adds it again.",
    [_asks(10, "add milk", "n1"), _asks(100, "remove milk", "n1"), _asks(200, "add milk", "n1"),
     _asks(700, "read", "n2", "c2")],
    until=900,
    nodes=2,
    clients=2,
    catalogue="S19",
    question="Which add of milk had the remove seen, and which came after it?",
)

ADD_AND_REMOVE = Case(
    "add-and-remove",
    "both hold milk; while they are apart n1 removes it, and n2 adds it again.",
    [
        _asks(10, "add milk", "n1"),
        _at(300, "partition", groups=[["n1"], ["n2"]]),
        _asks(320, "remove milk", "n1"),
        _asks(340, "add milk", "n2", "c2"),
        _at(500, "heal"),
        _asks(1_000, "read", "n1"),
    ],
    until=1_200,
    nodes=2,
    clients=2,
    catalogue="S19",
    question="n1 had never heard of n2's add when it removed milk. What can its remove have been about?",
)

STAYS_AWAY = Case(
    "stays-away",
    "n1 adds milk, and n2, which has heard of it, removes it; n1 goes on sending that it has milk for a while.",
    [
        _asks(10, "add milk", "n1"),
        _at(300, "cut", source="n2", target="n1"),
        _asks(320, "remove milk", "n2", "c2"),
        _at(700, "mend", source="n2", target="n1"),
        _asks(1_200, "read", "n1"),
    ],
    until=1_400,
    nodes=2,
    clients=2,
    question="n2 has removed milk and receives a state with milk. What tells it that this is the milk it removed?",
)

REMOVED_UNSEEN = Case(
    "removed-unseen",
    "n2 removes milk before it has heard that n1 has added it.",
    [
        _at(1, "partition", groups=[["n1"], ["n2"]]),
        _asks(10, "add milk", "n1"),
        _asks(30, "remove milk", "n2", "c2"),
        _at(300, "heal"),
        _asks(800, "read", "n2", "c2"),
    ],
    until=1_000,
    nodes=2,
    clients=2,
    catalogue="S19",
    question="What did n2 know about milk when it removed it?",
)

TWO_ADD_ONE_REMOVES = Case(
    "two-add-one-removes",
    "n1 and n2 both add milk while they are apart; n3 hears of both, and removes milk.",
    [
        _at(1, "partition", groups=[["n1"], ["n2", "n3"]]),
        _asks(10, "add milk", "n1"),
        _asks(30, "add milk", "n2", "c2"),
        _at(200, "heal"),
        _asks(700, "remove milk", "n3"),
        _asks(1_300, "read", "n1"),
    ],
    until=1_500,
    clients=2,
    question="There are two adds of milk, and n3 has seen both. How many does its remove take away?",
)

OFTEN_REMOVED = Case(
    "often-removed",
    "while they are apart n1 adds milk once, and n2 adds and removes it twice.",
    [
        _at(1, "partition", groups=[["n1"], ["n2"]]),
        _asks(10, "add milk", "n1"),
        *(_asks(20 + 40 * i, f"{'remove' if i % 2 else 'add'} milk", "n2", "c2") for i in range(4)),
        _at(400, "heal"),
        _asks(900, "read", "n2", "c2"),
    ],
    until=1_100,
    nodes=2,
    clients=2,
    catalogue="S19",
    question="n2 has done more, and later. Had any of its removes seen n1's add?",
)

BOTH_REMOVE = Case(
    "both-remove",
    "both hold milk and bread; while they are apart n1 removes milk, and n2 bread.",
    [
        _asks(10, "add milk", "n1"),
        _asks(30, "add bread", "n1"),
        _at(300, "partition", groups=[["n1"], ["n2"]]),
        _asks(320, "remove milk", "n1"),
        _asks(340, "remove bread", "n2", "c2"),
        _at(500, "heal"),
        _asks(1_000, "read", "n1"),
    ],
    until=1_200,
    nodes=2,
    clients=2,
    question="Each of the two knows of one remove. What must be left of both when they have met?",
)

SET = (ADDED_AGAIN, ADD_AND_REMOVE, STAYS_AWAY, REMOVED_UNSEEN, TWO_ADD_ONE_REMOVES, OFTEN_REMOVED, BOTH_REMOVE)


def storms(seeds, payload: type[Payload] = GCounter, nodes=3):
    """Random runs: two clients ask any replicas; messages get lost, doubled and late, links fail, replicas restart.

    All faults end after STORM_MS, and every replica is read when QUIET_MS have passed after that.

    Args:
        seeds: one run each; equal seeds give equal runs.
        payload: the type whose examples the clients ask for, such as ORSet.
        nodes: how many replicas.
    """
    return tuple(_storm(seed, payload, nodes) for seed in seeds)


def set_storms(seeds, nodes=3):
    """Random runs of a set; arguments as for storms."""
    return storms(seeds, ORSet, nodes)


def _storm(seed, payload, nodes):
    random = Random(f"storm/{seed}")
    servers = [f"n{i}" for i in range(1, nodes + 1)]
    links = [(source, target) for source in servers for target in servers if source != target]
    schedule, at, down = [], 0, {}
    while (at := at + random.randint(10, 90)) < STORM_MS:
        for server in [server for server, until in down.items() if until <= at]:
            schedule.append(_at(down.pop(server), "restart", node=server))
        what = random.choice(["ask"] * 6 + ["lose", "double", "delay", "part", "heal", "crash"])
        source, target = random.choice(links)
        if what == "ask":
            schedule.append(_asks(at, random.choice(payload.examples), random.choice(servers),
                                  random.choice(["c1", "c2"])))
        elif what == "part":
            schedule.append(_at(at, "partition", groups=[[source]]))
        elif what == "heal":
            schedule.append(_at(at, "heal"))
        elif what == "crash" and source not in down:
            schedule.append(_at(at, "crash", node=source))
            down[source] = at + random.randint(5, 300)
        elif what != "crash":
            fault = {"lose": {"loss": 0.5}, "double": {"duplicate": 0.7}, "delay": {"latency": [1, 300]}}[what]
            schedule.append(_at(at, "link", source=source, target=target, **fault))
    schedule += [_at(STORM_MS, "restart", node=server) for server in down]
    schedule.append(_at(STORM_MS, "heal"))
    schedule += [_at(STORM_MS, "link", source=source, target=target, loss=0, duplicate=0, latency=[5, 15])
                 for source, target in links]
    end = STORM_MS + QUIET_MS
    schedule += [_asks(end, "read", server, client) for server in servers for client in ("c1",)]
    return Case(f"storm-{seed}", "", sorted(schedule, key=lambda action: action["at"]), end + 500, nodes=nodes,
                clients=2, seed=seed)
