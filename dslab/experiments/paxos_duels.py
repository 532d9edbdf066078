"""How long two Paxos proposers hinder each other, by how they wait before they try again."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from statistics import median
from typing import NamedTuple

from dslab.protocols import paxos_cases
from dslab.sim import simulate

PATIENCE_MS = 2_000


class Duels(NamedTuple):
    """Many runs of two proposers that begin at the same time.

    Attributes:
        retry: (lowest, highest) ms that a proposer waits before it tries again.
        trials: how many runs.
        ended: ms until a proposer knew that a value was chosen, in the runs in which one did by PATIENCE_MS, in order.
        ballots: mean number of ballots that a proposer began.
    """

    retry: tuple[float, float]
    trials: int
    ended: tuple[float, ...]
    ballots: float

    def __str__(self) -> str:
        low, high = self.retry
        wait = f"{low:g} ms" if low == high else f"{low:g} to {high:g} ms"
        told = f"wait {wait:12} {len(self.ended):4} of {self.trials} duels end within {PATIENCE_MS / 1000:g} s"
        if self.ended:
            told += f"; half of them by {median(self.ended):.0f} ms, the last at {self.ended[-1]:.0f} ms"
        return f"{told}; {self.ballots:.1f} ballots each"


def duels(retry: tuple[float, float], trials: int = 100, seed: int = 1) -> Duels:
    """Lets two proposers compete, with a ballot of 40 ms.

    Args:
        retry: (lowest, highest) ms that a proposer waits before it tries again.
        trials: how many runs, at least 1.
        seed: of their seeds.
    """
    draw, system = Random(f"duels/{seed}"), paxos_cases.stage(retry=retry)
    ended: list[float] = []
    ballots = 0.0
    for _ in range(trials):
        trace = simulate(system, seed=draw.randrange(2**31), until=PATIENCE_MS)
        final = trace.state_at(len(trace) - 1)
        ballots += sum(final[name]["ballot"][0] for name in ("p1", "p2")) / 2
        time_us = next((event.time_us for event in trace.events if _is_chosen(event.patch)), None)
        if time_us is not None:
            ended.append(time_us / 1000)
    return Duels(retry, trials, tuple(sorted(ended)), ballots / trials)


def _is_chosen(patch: Sequence[Sequence[object]]) -> bool:
    return any(change[0] == "phase" and change[1] == "chosen" for change in patch)
