"""Whether a small ring of Chord can mend at all, by search; and a large one in which nodes come and go.

Source: P. Zave, "Using Lightweight Modeling to Understand Chord", ACM SIGCOMM CCR 42(2), 2012:
under the rules of 2001 there are rings that never mend.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from statistics import mean
from typing import Any

from dslab.check.explore import Exploration, explore
from dslab.protocols import chord, chord_cases
from dslab.protocols.chord_properties import disorder, owner_of
from dslab.sim.simulation import Simulation

SETTLE, CHURN, CALM = 500, 1_500, 1_000      # ms before the changes, of them, and after them


def n2_failed(world: Any) -> bool:
    """n2 has failed, and n3 takes it for its predecessor."""
    return world.nodes["n2"].status == "crashed" and getattr(world.nodes["n3"], "predecessor", None) == "n2"


def mended(world: Any) -> bool:
    """The servers that run are one ring in order."""
    return disorder(world) is None


@dataclass(frozen=True)
class Mending:
    """What the search says.

    Attributes:
        possible: whether there is any way to a ring in order; None if the search was not finished.
        search: of the states after the failure.
    """

    possible: bool | None
    search: Exploration

    def __str__(self) -> str:
        words = {True: "a ring again in some of", False: "never a ring again in any of", None: "not decided after"}
        return f"{words[self.possible]} {self.search.states:,} states"


def can_mend(rules: type[chord.Server], *, states: int = 200_000) -> Mending:
    """Lets n2 join between n1 and n3 and fail once n3 knows it; then looks for any way back to a ring.

    After the failure timers may run out as often as they like, and messages arrive in any order, again and again, or
    not at all.

    Args:
        rules: the class of the servers.
        states: most states of the second search.
    """
    system = chord_cases.three(chord_cases.without_fingers(rules))
    first = explore(system, joins=[{"node": "n2", "to": "n1"}], timeouts={"stabilize": 1}, crashes=1,
                    goals=[n2_failed], always=[])
    second = explore(system, start=first.where("n2_failed"), timeouts=None, network="any number", goals=[mended],
                     always=[], states=states)
    possible = True if second.goals["mended"] else False if second.result == "exhausted" else None
    return Mending(possible, second)


@dataclass(frozen=True)
class Crowd:
    """What lookups in a large ring came to, while nodes joined, left and failed.

    Attributes:
        nodes, changes: how many. lookups, found: how many were asked for, and named an owner.
        owners: how many of those named who owns the key when all is over.
        hops: mean number of other nodes that were asked.
    """

    nodes: int
    changes: int
    lookups: int
    found: int
    owners: int
    hops: float

    def __str__(self) -> str:
        return (f"{self.nodes:,} nodes, {self.changes} changes: {self.found} of {self.lookups} lookups found a node, "
                f"{self.owners} the one that owns the key when all is over; {self.hops:.2f} hops on average")


def crowd(nodes: int = 1_000, *, changes: int = 16, lookups: int = 100, seed: int = 1) -> Crowd:
    """A ring of many nodes, event by event: some join, leave and fail while others look keys up.

    Args:
        nodes: 50 to 10,000; a thousand take about five seconds.
        changes: how many joins, leaves and failures, one after the other; at most nodes / 10.
        lookups: how many, each at a node of its own that stays; at most nodes / 4.
        seed: any integer.
    """
    dice = Random(f"crowd/{seed}")
    names = [f"n{i}" for i in range(1, nodes + 1)]
    dice.shuffle(names)
    moving, asked = names[:changes], names[changes:changes + lookups]
    absent = moving[::3]
    system = chord.cluster(nodes, joined=True, absent=tuple(absent), clients=lookups)
    schedule: list[dict[str, Any]] = []
    for i, node in enumerate(moving):
        do = ("join", "leave", "crash")[i % 3]
        contact = {"to": names[-1]} if do == "join" else {}
        schedule.append({"at": SETTLE + CHURN * i // changes, "do": do, "node": node, **contact})
    for i, node in enumerate(asked):
        key = dice.randrange(2**16)
        schedule.append({"at": SETTLE + CHURN * i // lookups, "do": "request", "command": f"#{key}", "to": node,
                         "client": f"c{i + 1}"})
    simulation = Simulation(system, seed, sorted(schedule, key=lambda action: action["at"]), record=False)
    simulation.run(SETTLE + CHURN + CALM)
    hosts = simulation.hosts
    up = sorted((hosts[name].node for name in names if str(hosts[name].status) == "up"), key=lambda node: node.position)
    ended = [lookup for node in asked for lookup in hosts[node].node.lookups.values() if lookup["state"] == "found"]
    owners = sum(lookup["owner"] == owner_of(lookup["key"], up).id for lookup in ended)
    return Crowd(nodes, changes, lookups, len(ended), owners, mean(len(lookup["path"]) - 1 for lookup in ended))
