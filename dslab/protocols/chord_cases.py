"""Runs of Chord worth keeping, and any number of others in which servers come and go."""

from __future__ import annotations

from random import Random

from dslab.sim.case import Case

from .raft_cases import _at

BURST_MS, CALM_MS = 60, (3_000, 6_000)     # within a burst of changes, and between two of them


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
