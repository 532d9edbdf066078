"""The network between nodes: how long a message takes and what can happen to it on the way.

A link is one direction between two nodes. Its random numbers come from a stream of its own, named by (seed, source,
target), so a new node or one more message elsewhere never changes the fate of others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Any

from .errors import ScheduleError

# Lehmer's generator modulo a Mersenne prime ("minimal standard" with the multiplier of Park, Miller and Stockmeyer 1993).
# One multiplication per draw in integers: the same on every machine, and a fresh stream costs a microsecond, which
# matters with thousands of links. Heavy-tailed latencies, loss and duplication draw from random.Random instead.
MULTIPLIER, MODULUS = 48271, 2**31 - 1


def stream_seed(*purpose: object) -> int:
    """A number in [1, MODULUS) that depends on nothing but the words of the purpose."""
    digest = blake2b("/".join(map(str, purpose)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (MODULUS - 1) + 1


def stream(*purpose: object) -> Random:
    """A `random.Random` of its own for a purpose such as (seed, "node", "n1")."""
    return Random("/".join(map(str, purpose)))


@dataclass(frozen=True)
class Exponential:
    """Latency: a minimum plus an exponentially distributed part (ms)."""

    mean: float
    minimum: float = 0.0

    def draw_us(self, random: Random) -> int:
        return round(1000 * (self.minimum + random.expovariate(1 / self.mean)))


@dataclass(frozen=True)
class LogNormal:
    """Latency: log-normal with this median (ms) and sigma, the usual shape of a wide-area network."""

    median: float
    sigma: float = 0.5

    def draw_us(self, random: Random) -> int:
        return round(1000 * random.lognormvariate(math.log(self.median), self.sigma))


Latency = float | tuple[float, float] | Exponential | LogNormal


def latency_range_us(latency: Any, where: str) -> tuple[int, int]:
    """(shortest, spread) in microseconds of a constant or uniform latency given in ms.

    Raises:
        ScheduleError: it is neither a number nor a pair lo <= hi of numbers from 0 to one day.
    """
    pair = latency if isinstance(latency, (list, tuple)) else (latency, latency)
    numbers = [x for x in pair if isinstance(x, (int, float)) and not isinstance(x, bool) and 0 <= x <= 86_400_000]
    if len(pair) != 2 or len(numbers) != 2 or pair[0] > pair[1]:
        raise ScheduleError(f"{where}: latency {latency!r} is not a number of ms or a pair [lowest, highest]")
    low, high = (round(1000 * x) for x in pair)
    return low, high - low


@dataclass(frozen=True)
class Network:
    """What every link is like until a schedule changes it.

    Args:
        latency: ms; a number, a pair (lowest, highest) drawn uniformly, Exponential or LogNormal.
        loss: probability in [0, 1] that a message disappears.
        duplicate: probability in [0, 1] that a message arrives twice.
        fifo: True keeps the order of messages on each link; otherwise different latencies reorder them.
    """

    latency: Latency = (5.0, 15.0)
    loss: float = 0.0
    duplicate: float = 0.0
    fifo: bool = False


class Link:
    """One direction between two nodes; the simulator reads these fields directly in its inner loop."""

    __slots__ = ("source", "target", "host", "cut", "low", "spread", "state", "shape", "loss", "duplicate", "fifo",
                 "last_due", "random", "seed", "special")

    def __init__(self, source: str, target: str, host: Any, network: Network, seed: int) -> None:
        self.source, self.target, self.host, self.seed = source, target, host, seed
        self.cut = False
        self.state = stream_seed(seed, "net", source, target)
        self.last_due = 0
        self.random: Random | None = None
        self.configure(network.latency, network.loss, network.duplicate, network.fifo)

    def configure(self, latency: Latency | None, loss: float | None, duplicate: float | None, fifo: bool | None) -> None:
        """Changes what is not None."""
        if latency is not None:
            self.shape = latency if isinstance(latency, (Exponential, LogNormal)) else None
            where = f"link {self.source} -> {self.target}"
            self.low, self.spread = (0, 0) if self.shape else latency_range_us(latency, where)
            if self.source == self.target:
                self.shape, self.low, self.spread = None, 0, 0
        if loss is not None:
            self.loss = loss
        if duplicate is not None:
            self.duplicate = duplicate
        if fifo is not None:
            self.fifo = fifo
        self.special = bool(self.loss or self.duplicate or self.fifo or self.shape)

    def draw_us(self) -> int:
        """The latency of the next message."""
        if self.shape is not None:
            return self.shape.draw_us(self.dice())
        self.state = self.state * MULTIPLIER % MODULUS
        return self.low + self.state * self.spread // MODULUS

    def dice(self) -> Random:
        """The stream for everything but uniform latencies."""
        if self.random is None:
            self.random = stream(self.seed, "link", self.source, self.target)
        return self.random
