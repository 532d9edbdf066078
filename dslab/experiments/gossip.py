"""How fast gossip spreads, and how many sites a rumour misses.

Source: A. Demers et al., "Epidemic Algorithms for Replicated Database Maintenance", PODC 1987, sections 1.2 to 1.4 and
tables 1 to 3; B. Pittel, "On Spreading a Rumor", SIAM J. Appl. Math. 47, 1987; R. Karp, C. Schindelhauer, S. Shenker,
B. Voecking, "Randomized Rumor Spreading", FOCS 2000.

All sites act at once in a cycle, each calls one other at random, and what a site knows is judged as it was when the
cycle began. The nodes that exchange messages are in `dslab.protocols.anti_entropy`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

Direction = Literal["push", "pull", "push-pull"]


class Spread(NamedTuple):
    """Rounds until everybody knew, over several trials.

    Attributes:
        nodes: how many sites.
        rounds: one number per trial.
        knowing: share of the sites that knew after 0, 1, 2, ... rounds, mean over the trials.
    """

    nodes: int
    rounds: np.ndarray
    knowing: np.ndarray

    @property
    def mean(self) -> float:
        """Mean number of rounds."""
        return float(self.rounds.mean())


def _others(rng: np.random.Generator, callers: np.ndarray, nodes: int) -> np.ndarray:
    """For each caller a site other than itself."""
    called = rng.integers(nodes - 1, size=len(callers))
    return called + (called >= callers)


def spread(nodes: int, direction: Direction = "push", *, trials: int = 200, seed: int = 1) -> Spread:
    """Anti-entropy from one site that knows, until all do.

    Args:
        nodes: how many, 2 or more.
        direction: who tells whom in a call: "push" the caller, "pull" the called, "push-pull" both.
        trials: how many, 1 or more.
        seed: any integer from 0.
    """
    rng = np.random.default_rng(seed)
    curves = []
    for _ in range(trials):
        knows = np.zeros(nodes, dtype=bool)
        knows[0] = True
        curve = [1]
        while curve[-1] < nodes:
            before = knows.copy()
            if direction != "pull":
                knows[_others(rng, np.flatnonzero(before), nodes)] = True
            if direction != "push":
                asking = np.flatnonzero(~before)
                knows[asking] |= before[_others(rng, asking, nodes)]
            curve.append(int(knows.sum()))
        curves.append(curve)
    longest = max(map(len, curves))
    filled = np.array([curve + [nodes] * (longest - len(curve)) for curve in curves])
    return Spread(nodes, np.array([len(curve) - 1 for curve in curves]), filled.mean(axis=0) / nodes)


class Rumour(NamedTuple):
    """A rumour that sites lose interest in; means over the trials.

    Attributes:
        residue: share of the sites that never heard it.
        messages: sent for each site.
        last: cycle in which the last site heard it.
    """

    residue: float
    messages: float
    last: float


def rumour(
    k: int,
    *,
    nodes: int = 1000,
    direction: Literal["push", "pull"] = "push",
    feedback: bool = True,
    counter: bool = True,
    trials: int = 100,
    seed: int = 1,
) -> Rumour:
    """Rumour mongering from one site, until nobody is interested any more.

    Args:
        k: calls in vain before a site loses interest (counter), or one over the chance of it at each (coin); 1 or more.
        nodes: how many sites, 2 or more.
        direction: who sends in a call: "push" the caller, if it is interested; "pull" the called one, if it is.
        feedback: whether only a call in vain counts, because the other knew already; if not ("blind"), every call does.
        counter: lose interest after k calls in a row that count; if not ("coin"), each of them with a chance of 1 / k.
        trials: how many, 1 or more.
        seed: any integer from 0.
    """
    rng = np.random.default_rng(seed)
    totals = np.zeros(3)
    for _ in range(trials):
        totals += _one_rumour(rng, k, nodes, direction == "push", feedback, counter)
    return Rumour(*(float(total) / trials for total in totals))


def _one_rumour(
    rng: np.random.Generator, k: int, nodes: int, push: bool, feedback: bool, counter: bool
) -> tuple[float, float, int]:
    """Residue, messages for each site, and the last cycle in which somebody heard it."""
    knows, interested = np.zeros(nodes, dtype=bool), np.zeros(nodes, dtype=bool)
    vain = np.zeros(nodes, dtype=np.int64)
    knows[0] = interested[0] = True
    sent = last = cycle = 0
    everybody = np.arange(nodes)
    while interested.any():
        cycle += 1
        before = knows.copy()
        if push:
            senders = np.flatnonzero(interested)
            receivers = _others(rng, senders, nodes)
        else:
            senders = _others(rng, everybody, nodes)
            receivers = everybody[interested[senders]]
            senders = senders[receivers]
        sent += len(senders)
        knows[receivers] = interested[receivers[~before[receivers]]] = True
        if knows.sum() > before.sum():
            last = cycle
        _lose_interest(rng, k, interested, vain, senders, before[receivers] | (not feedback), push, counter)
    return 1 - knows.mean(), sent / nodes, last


def _lose_interest(
    rng: np.random.Generator,
    k: int,
    interested: np.ndarray,
    vain: np.ndarray,
    senders: np.ndarray,
    counts: np.ndarray,
    push: bool,
    counter: bool,
) -> None:
    """What the calls of this cycle did to those who sent; `counts` says which calls count against the rumour."""
    if not counter:
        interested[senders[counts & (rng.random(len(senders)) < 1 / k)]] = False
        return
    useful = np.zeros(len(vain), dtype=bool)
    useful[senders[~counts]] = True
    tried = np.zeros(len(vain), dtype=bool)
    tried[senders] = True
    vain[tried & ~useful] += 1  # a pulled site is judged once a cycle, however many asked it
    vain[useful] = 0
    interested[vain >= k] = False


__all__ = ["Rumour", "Spread", "rumour", "spread"]
