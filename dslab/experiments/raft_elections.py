"""How long a Raft cluster is without a leader, and how the range of the election timeouts decides it.

Source: D. Ongaro, J. Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014,
section 9.3 and Figure 16; the wide-area simulation is from D. Ongaro's dissertation "Consensus: Bridging
Theory and Practice" (2014).

What runs is `dslab.protocols.raft.Server` in the simulator, nothing simplified. A trial of Figure 16 starts
at the moment of the old leader's last heartbeat, on disks that already hold logs of different lengths.
Nothing earlier matters, because that heartbeat restarts every election timer. The time of disk writes is
easily overlooked: a candidate saves its term and vote before it asks, a voter before it answers, and that
these writes differ is what breaks a tie between servers that time out together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

import numpy as np

from dslab.protocols import raft
from dslab.sim import Network, Node, Simulation, System

LATENCY = (0.1, 0.4)  # ms one way: gigabit Ethernet
DISK = (0, 8)  # ms per durable write: the paper gives only a broadcast time of about 15 ms with it
WAN_LATENCY = (30, 40)  # ms one way
WAN_TIMEOUTS = (300, 600)  # ms
LIMIT = 20_000  # ms; a trial without a leader by then is given up and counts as this long
CHUNK = 50  # trials between two reports of progress


class OldLeader(raft.Server):
    """The leader of term 1, which sends one heartbeat as the run begins and will be crashed."""

    def on_start(self):
        super().on_start()
        self.cancel_timer("election")
        self.role, self.leader = "leader", self.id
        for reached, peer in enumerate(self.peers, start=1):  # the k-th follower holds k entries
            self.match_index[peer], self.next_index[peer] = reached, reached + 1
            self.send(peer, raft.AppendEntries(self.term, reached, self.term_at(reached), [], 0))


@lru_cache(maxsize=32)
def on_disk(server: type[Node], entries: int, vote: str) -> type[Node]:
    """A server class whose disk already holds term 1, a vote in it and a log of this many entries."""
    log = [raft.Entry(1, f"x={i}") for i in range(1, entries + 1)]
    durable = {"term": 1, "voted_for": vote, "log": log}
    body = {"__module__": __name__, "__doc__": server.__doc__, "durable": durable}
    return type(server.__name__, (server,), body)


@dataclass(frozen=True)
class LeaderCrash:
    """Figure 16: a leader crashes at a random point between two heartbeats.

    The heartbeat interval is half the smallest timeout. The other servers hold 1, 2, ... entries, and one of
    them can win only if a majority, itself included, holds no more than it does: two of four can. Measured
    from the crash until all other servers have heard the new leader.

    Args:
        timeouts: (smallest, largest) election timeout, ms; drawn uniformly.
        servers: how many servers before the crash, 3 or more.
        latency: one way, ms: a number or a pair (lowest, highest).
        disk: of one durable write, ms: a number or a pair.
    """

    timeouts: tuple[float, float] = raft.ELECTION_TIMEOUT
    servers: int = 5
    latency: Any = LATENCY
    disk: Any = DISK

    def system(self) -> System:
        """The cluster at the moment of the last heartbeat; n1 leads."""
        entries = [self.servers - 1, *range(1, self.servers)]
        classes = {
            f"n{i}": on_disk(raft.Server if i > 1 else OldLeader, length, "n1")
            for i, length in enumerate(entries, start=1)
        }
        arguments = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        usual = raft.cluster(self.servers)
        return System(
            classes,
            network=Network(latency=self.latency),
            disk=self.disk,
            always=usual.always,
            options={"election_timeout": self.timeouts, "heartbeat": self.timeouts[0] / 2},
            eventually=usual.eventually,
            name=usual.name,
            code=f"raft_elections.LeaderCrash({arguments}).system()",
            imports="from dslab.experiments import raft_elections",
        )

    def schedule(self, seed: int) -> tuple[float, list[dict[str, Any]]]:
        """When the measurement begins in the trial with this seed, ms, and what happens to it."""
        interval_us = int(self.timeouts[0] * 500)
        crash = int(Random(f"{seed}/crash").random() * interval_us) / 1000
        return crash, [{"at": crash, "do": "crash", "node": "n1"}]

    def over(self) -> Callable[[Simulation], bool]:
        """A fresh test for the end of one trial: everybody who is left follows the same new leader."""
        left: list[Any] = []

        def followed(sim: Simulation) -> bool:
            if not left:
                nodes = sim.nodes
                if len(nodes) < self.servers:
                    return False
                left.extend(node for name, node in nodes.items() if name != "n1")
            leader = left[0].leader
            if leader is None or leader == "n1":
                return False
            return all(node.leader == leader for node in left)

        return followed


@dataclass(frozen=True)
class FreshTimers:
    """The dissertation's wide-area simulation: all timers start at 0, nobody leads, disks take no time.

    Measured until a candidate has the votes of a majority.

    Args:
        timeouts: (smallest, largest) election timeout, ms.
        servers: how many servers, 3 or more.
        failed: how many of them are down; a majority must be left.
        latency: one way, ms: a number or a pair (lowest, highest).
    """

    timeouts: tuple[float, float] = WAN_TIMEOUTS
    servers: int = 5
    failed: int = 1
    latency: Any = WAN_LATENCY

    def system(self) -> System:
        """The cluster with empty logs."""
        return raft.cluster(
            self.servers, clients=0, latency=self.latency, disk=0, election_timeout=self.timeouts
        )

    def schedule(self, seed: int) -> tuple[float, list[dict[str, Any]]]:
        """When the measurement begins, ms, and what happens."""
        first = self.servers - self.failed + 1
        return 0, [{"at": 0, "do": "crash", "node": f"n{i}"} for i in range(first, self.servers + 1)]

    def over(self) -> Callable[[Simulation], bool]:
        """A fresh test for the end of one trial: somebody leads."""
        nodes: list[Any] = []

        def elected(sim: Simulation) -> bool:
            if not nodes:
                if len(sim.nodes) < self.servers:
                    return False
                nodes.extend(sim.nodes.values())
            return any(node.role == "leader" for node in nodes)

        return elected


Setup = LeaderCrash | FreshTimers


@dataclass(frozen=True)
class Elections:
    """What was measured.

    Attributes:
        setup: what one trial was.
        seed: of the whole measurement.
        limit: ms after which a trial was given up.
        times: ms without a leader, one per trial, in the order of the trials; `limit` where it was given up.
        stopped: True if Ctrl-C ended it early.
    """

    setup: Setup
    seed: int
    limit: float
    times: np.ndarray
    stopped: bool = False

    @property
    def given_up(self) -> int:
        """How many trials had no leader within the limit."""
        return int(np.count_nonzero(self.times >= self.limit))

    def summary(self) -> dict[str, float]:
        """min, mean, median, p90, p99, p99.9 and max, ms."""
        numbers = {
            "min": self.times.min(),
            "mean": self.times.mean(),
            "median": np.median(self.times),
            **{f"p{p:g}": np.percentile(self.times, p) for p in (90, 99, 99.9)},
            "max": self.times.max(),
        }
        return {name: round(float(value), 3) for name, value in numbers.items()}


def trial_seed(seed: int, number: int) -> int:
    """The seed of one trial of a measurement, for looking at that very trial."""
    return Random(f"{seed}/raft-elections/{number}").getrandbits(48)


def run_trials(setup: Setup, seed: int, numbers: Iterable[int], limit: float) -> list[float]:
    """Some trials of a measurement, one after the other.

    Returns:
        ms without a leader, one per trial.
    """
    system, times = setup.system(), []
    for number in numbers:
        own_seed = trial_seed(seed, number)
        begin, schedule = setup.schedule(own_seed)
        sim = Simulation(system, own_seed, schedule, record=False, budget=10**9).run(
            begin + limit, stop=setup.over()
        )
        times.append((sim.now_us - round(begin * 1000)) / 1000)
    return times


def measure(
    setup: Setup,
    *,
    trials: int = 1000,
    seed: int = 1,
    limit: float = LIMIT,
    progress: Callable[[int], object] | None = None,
) -> Elections:
    """Runs many trials.

    Args:
        setup: LeaderCrash(...) or FreshTimers(...).
        trials: how many, 1 or more.
        seed: any integer; trial k is the same however many there are.
        limit: ms after which a trial is given up.
        progress: called with the number of trials done since the last call.

    Returns:
        The times; after Ctrl-C those of the trials that were done.

    Raises:
        KeyboardInterrupt: Ctrl-C before the first trials were done.
    """
    times: list[float] = []
    stopped = False
    try:
        for first in range(0, trials, CHUNK):
            part = run_trials(setup, seed, range(first, min(first + CHUNK, trials)), limit)
            times += part
            if progress is not None:
                progress(len(part))
    except KeyboardInterrupt:
        if not times:
            raise
        stopped = True
    return Elections(setup, seed, limit, np.array(times), stopped)


__all__ = ["LIMIT", "Elections", "FreshTimers", "LeaderCrash", "measure", "run_trials", "trial_seed"]
