"""Runs of Chord worth keeping, and any number of others in which servers come and go."""

from __future__ import annotations

from random import Random

from dslab.sim.case import Case

from . import chord
from .raft_cases import _at

BURST_MS, CALM_MS = 60, (3_000, 6_000)     # within a burst of changes, and between two of them


def three(server=chord.Server, **options):
    """n1 and n3 are a ring of two with lists of two; n2 may join between them.

    Args:
        server, options: as for chord.cluster.
    """
    given = {"positions": (10, 30, 50), "bits": 6, "list_length": 2, "absent": ("n2",), "clients": 0, **options}
    return chord.cluster(3, server=server, **given)


def without_fingers(server):
    """The same server with no timers but those of `stabilize` and `check_predecessor`, so that an explorer can search
    all that repairs may do: lookups of fingers have ever new numbers.
    """

    class Repairing(server):
        """Keeps the ring together, and nothing else."""

        def start_repairs(self):
            for name in ("stabilize", "check_predecessor"):
                self.again(name)

    Repairing.__name__ = server.__name__
    return Repairing


GONE_BETWEEN = Case(
    "gone-between",
    "n2 joins between n1 and n3, tells n3, and fails.",
    [_at(100, "join", node="n2", to="n1"), _at(190, "timeout", node="n2", timer="stabilize"),
     _at(260, "crash", node="n2")],
    until=12_000,
    clients=0,
    catalogue="S14",
    question="n3 takes n2 for its predecessor. Who may take its place, and who is asked?",
)

LOSES_ITS_ONLY_ONE = Case(
    "loses-its-only-one",
    "n2 joins between n1 and n3, and n3 fails before the first round of repairs.",
    [_at(100, "join", node="n2", to="n1"), _at(185, "crash", node="n3")],
    until=12_000,
    clients=0,
    catalogue="S14",
    question="Which names does n2 know when n3 is gone, and who knows n2?",
)

CASES = (GONE_BETWEEN, LOSES_ITS_ONLY_ONE)         # for `three`; Chord2001 does not get over them


def storms(seeds, nodes=8, bursts=3, quiet_ms=12_000):
    """Cases in which servers join, leave, fail and come back in bursts, while clients write and read.

    At most two servers fail or leave in one burst and at least three always run, so a ring with lists of four and
    three copies of each key must get over all of it. Meant for `cluster(nodes, absent=absent(nodes), copies=3)`.

    Args:
        seeds: one case for each.
        nodes: 6 to 64 servers.
        bursts: how many groups of changes.
        quiet_ms: how long the run goes on after the last change; then every key is read at every server.
    """
    return [_storm(seed, nodes, bursts, quiet_ms) for seed in seeds]


def absent(nodes):
    """The servers that are not there at first in a storm: every third."""
    return tuple(f"n{i}" for i in range(3, nodes + 1, 3))


def _storm(seed, nodes, bursts, quiet_ms):
    random = Random(f"storm/{seed}/{nodes}/{bursts}")
    names = [f"n{i}" for i in range(1, nodes + 1)]
    away = list(absent(nodes))
    up, down = [name for name in names if name not in away], []
    keys = [f"k{i}" for i in range(1, 6)]
    schedule, at = [], 300
    for i, key in enumerate(keys):
        schedule.append(_at(at + 200 * i, "request", command=f"{key}={i}", to=random.choice(up)))
    at += 200 * len(keys) + 1_000
    for _ in range(bursts):
        lost = 0
        for _ in range(random.randint(1, 4)):
            at += random.randint(0, BURST_MS)
            kind = random.choice(["join", "join", "leave", "crash", "restart"])
            if kind == "join" and away:
                up.append(away.pop(random.randrange(len(away))))
                to = random.choice([name for name in up[:-1] if name != up[-1]])
                schedule.append(_at(at, "join", node=up[-1], to=to))
            elif kind == "restart" and down:
                up.append(down.pop(random.randrange(len(down))))
                schedule.append(_at(at, "restart", node=up[-1]))
            elif kind in ("leave", "crash") and len(up) > 4 and lost < 2:
                lost += 1
                node = up.pop(random.randrange(len(up)))
                (away if kind == "leave" else down).append(node)
                schedule.append(_at(at, kind, node=node))
        at += random.randint(*CALM_MS)
        schedule.append(_at(at - 1_000, "request", command=f"{random.choice(keys)}={at}", to=random.choice(up)))
    schedule += [_at(at + quiet_ms + 200 * i, "request", command=key, to=name)
                 for i, (key, name) in enumerate((key, name) for key in keys for name in sorted(up))]
    until = schedule[-1]["at"] + 2_000
    return Case(f"storm-{seed}", "servers join, leave, fail and come back in bursts.", schedule, until, nodes=nodes,
                seed=seed)
