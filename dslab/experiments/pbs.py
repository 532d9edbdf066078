"""How stale a read of a partial quorum is: probabilistically bounded staleness by the WARS model.

Source: P. Bailis, S. Venkataraman, M. Franklin, J. Hellerstein, I. Stoica, "Probabilistically Bounded Staleness for
Practical Partial Quorums", VLDB 2012: the model is section 3, the delays table 3, the results table 4.

A write sends N messages, each delayed by W; the acknowledgements are delayed by A; the write commits with the w-th of
them. A read that begins t after that sends N messages delayed by R, the replies by S, and returns when r have come. It
is stale if every one of those r replicas saw the read before the write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

Delay = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]  # ms, by (operation, replica)

REMOTE_MS = 75.0  # of the wide-area trace: extra, one way, to a replica at another site (section 5.5)
CHUNK = 100_000  # operations drawn at a time


def exponential(mean: float) -> Delay:
    """Delays with an exponential distribution.

    Args:
        mean: ms, above 0.
    """
    return lambda rng, shape: rng.exponential(mean, shape)


def pareto_and_exponential(share: float, scale: float, shape: float, rate: float) -> Delay:
    """A share of the delays from a Pareto distribution, the rest from an exponential one, as in table 3.

    Args:
        share: of the Pareto part, 0 to 1.
        scale: the smallest Pareto delay, ms.
        shape: the exponent of its tail.
        rate: of the exponential part, per ms.
    """

    def draw(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        body = scale * (1 - rng.random(size)) ** (-1 / shape)
        tail = rng.exponential(1 / rate, size)
        return np.where(rng.random(size) < share, body, tail)

    return draw


@dataclass(frozen=True)
class Delays:
    """How long the four kinds of messages take.

    Attributes:
        write, ack, read, reply: W, A, R and S, ms.
        remote_ms: extra to and from all replicas but one, which is at the site where the operation begins; that site is
            drawn for each operation.
    """

    write: Delay
    ack: Delay
    read: Delay
    reply: Delay
    remote_ms: float = 0.0

    @classmethod
    def of(cls, write: Delay, others: Delay, remote_ms: float = 0.0) -> Delays:
        """Delays of which the last three kinds are alike."""
        return cls(write, others, others, others, remote_ms)


_SSD = pareto_and_exponential(0.9122, 0.235, 10, 1.66)
_DISK = pareto_and_exponential(0.38, 1.05, 1.51, 0.183)
TRACES = {
    "LNKD-SSD": Delays.of(_SSD, _SSD),
    "LNKD-DISK": Delays.of(_DISK, _SSD),
    "YMMR": Delays.of(
        pareto_and_exponential(0.939, 3, 3.35, 0.0028), pareto_and_exponential(0.982, 1.5, 3.8, 0.0217)
    ),
    "WAN": Delays.of(_DISK, _SSD, remote_ms=REMOTE_MS),
}


@dataclass(frozen=True)
class Staleness:
    """What was measured; all times in ms, sorted.

    Attributes:
        n, r, w: replicas, and how many of them answer a read and acknowledge a write.
        reads, writes: how long the operations took.
        consistent_after: per pair of a write and a read, how long after the commit the read must begin to see it; 0 if
            it sees it in any case.
    """

    n: int
    r: int
    w: int
    reads: np.ndarray
    writes: np.ndarray
    consistent_after: np.ndarray

    def consistent(self, after_ms: float) -> float:
        """The probability that a read that begins this long after the commit sees the write."""
        return float(np.searchsorted(self.consistent_after, after_ms, side="right") / len(self.consistent_after))

    def visible(self, probability: float = 0.999) -> float:
        """t-visibility: how long after the commit this share of the reads sees the write, ms."""
        return float(np.quantile(self.consistent_after, probability, method="inverted_cdf"))

    def summary(self) -> dict[str, float]:
        """The columns of table 4, ms: the 99.9th percentiles and the time after which 99.9 % of reads agree."""
        return {
            "read_ms": round(float(np.quantile(self.reads, 0.999)), 3),
            "write_ms": round(float(np.quantile(self.writes, 0.999)), 3),
            "t_visibility_ms": round(self.visible(), 3),
            "consistent_at_once": round(self.consistent(0), 5),
        }


def measure(
    delays: Delays,
    *,
    n: int = 3,
    r: int = 1,
    w: int = 1,
    trials: int = 400_000,
    seed: int = 1,
    progress: Callable[[int], object] | None = None,
) -> Staleness:
    """Draws writes, and a read after each.

    Args:
        delays: such as TRACES["LNKD-DISK"].
        n: replicas, 1 or more.
        r, w: quorums of reads and of writes, 1 to n.
        trials: how many pairs, 1 or more.
        seed: any integer from 0.
        progress: called with the number of pairs done since the last call.

    Raises:
        ValueError: a quorum is not from 1 to n.
    """
    if not (1 <= r <= n and 1 <= w <= n):
        raise ValueError(f"R={r} and W={w} must be from 1 to N={n}")
    rng = np.random.default_rng(seed)
    parts: list[Sequence[np.ndarray]] = []
    for first in range(0, trials, CHUNK):
        size = min(CHUNK, trials - first), n
        parts.append(_operations(rng, delays, size, r, w))
        if progress is not None:
            progress(size[0])
    return Staleness(n, r, w, *(np.sort(np.concatenate(column)) for column in zip(*parts, strict=True)))


def _operations(
    rng: np.random.Generator, delays: Delays, size: tuple[int, int], r: int, w: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times of reads and of writes, and how long after the commit the read would have been consistent."""
    there, back = delays.write(rng, size), delays.ack(rng, size)
    asked, said = delays.read(rng, size), delays.reply(rng, size)
    if delays.remote_ms:
        writer, reader = _distance(rng, size, delays.remote_ms), _distance(rng, size, delays.remote_ms)
        there, back, asked, said = there + writer, back + writer, asked + reader, said + reader
    commit = np.partition(there + back, w - 1, axis=1)[:, w - 1]
    replied = asked + said
    first = np.argpartition(replied, r - 1, axis=1)[:, :r]
    late = np.take_along_axis(there - commit[:, None] - asked, first, axis=1)  # the write came so much too late
    return np.take_along_axis(replied, first, axis=1).max(axis=1), commit, late.min(axis=1).clip(0)


def _distance(rng: np.random.Generator, size: tuple[int, int], remote_ms: float) -> np.ndarray:
    """Extra ms one way by (operation, replica): none to the replica at the operation's own site."""
    home = rng.integers(size[1], size=size[0])
    return np.where(np.arange(size[1]) == home[:, None], 0.0, remote_ms)


def within_versions(n: int, r: int, w: int, versions: int) -> float:
    """The probability that a read returns one of the newest versions, if quorums are fixed and drawn at random.

    Args:
        n, r, w: replicas and quorums.
        versions: how many versions back are good enough, 1 or more.

    Returns:
        1 - (C(n-w, r) / C(n, r)) ** versions (section 3.1).
    """
    return 1 - (comb(n - w, r) / comb(n, r)) ** versions


__all__ = [
    "TRACES",
    "Delays",
    "Staleness",
    "exponential",
    "measure",
    "pareto_and_exponential",
    "within_versions",
]
