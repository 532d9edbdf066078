"""The network between nodes: how long a message takes and what can happen to it on the way.

A link is one direction between two nodes. Its random numbers come from a stream of its own, named by (seed, source,
target), so a new node or one more message elsewhere never changes the fate of others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from hashlib import blake2b
from random import Random
from typing import Any

from .errors import ScheduleError

# Lehmer's generator modulo a Mersenne prime ("minimal standard", with the multiplier of Park, Miller and Stockmeyer,
# 1993). One multiplication per draw in integers: the same on every machine, and a fresh stream costs a microsecond,
# which matters with thousands of links. Other latencies, loss and duplication draw from random.Random instead.
MULTIPLIER, MODULUS = 48271, 2**31 - 1


def random_word(*purpose: object) -> int:
    """62 bits that depend on nothing but the words of the purpose."""
    return int.from_bytes(blake2b("/".join(map(str, purpose)).encode(), digest_size=8).digest(), "big") >> 2


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
    shape: Exponential | LogNormal | None = field(init=False, repr=False, compare=False)
    range_us: tuple[int, int] = field(init=False, repr=False, compare=False)
    plain: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ScheduleError(f"{name} is a probability from 0 to 1, not {getattr(self, name)!r}")
        shaped = isinstance(self.latency, (Exponential, LogNormal))
        object.__setattr__(self, "shape", self.latency if shaped else None)
        object.__setattr__(self, "range_us", (0, 0) if shaped else latency_range_us(self.latency, "network"))
        object.__setattr__(self, "plain", not (self.loss or self.duplicate or self.fifo or shaped))


class Link:
    """One direction between two nodes; the simulator reads these fields directly in its inner loop.

    Args:
        source, target: node ids.
        host: the target's host.
        seeds: one random word of (seed, source) and one of (seed, target); together they start the link's own stream.
        network: the usual properties.
    """

    __slots__ = ("cut", "duplicate", "fifo", "host", "last_due", "loss", "low", "plain", "random", "seeds", "shape",
                 "source", "spread", "state", "target")

    def __init__(self, source: str, target: str, host: Any, seeds: tuple[int, int], network: Network) -> None:
        self.source, self.target, self.host, self.seeds = source, target, host, seeds
        self.state = (seeds[0] ^ seeds[1] * 0x9E3779B1) % (MODULUS - 1) + 1
        self.cut, self.last_due = False, 0
        self.random: Random | None = None
        self.shape = network.shape
        self.low, self.spread = network.range_us if source != target else (0, 0)
        self.loss, self.duplicate, self.fifo = network.loss, network.duplicate, network.fifo
        self.plain = network.plain

    def configure(self, latency: Latency | None, loss: float | None, duplicate: float | None,
                  fifo: bool | None) -> None:
        """Changes what is not None."""
        if latency is not None:
            self.shape = latency if isinstance(latency, (Exponential, LogNormal)) else None
            if self.shape is None:
                self.low, self.spread = latency_range_us(latency, f"link {self.source} -> {self.target}")
        if loss is not None:
            self.loss = loss
        if duplicate is not None:
            self.duplicate = duplicate
        if fifo is not None:
            self.fifo = fifo
        self.set_cut(self.cut)

    def set_cut(self, cut: bool) -> None:
        """Closes or opens the link."""
        self.cut = cut
        # a plain link needs nothing but a uniform latency, which the simulator draws in its loop
        self.plain = not (cut or self.loss or self.duplicate or self.fifo or self.shape)

    def draw_us(self) -> int:
        """The latency of the next message."""
        if self.shape is not None:
            return self.shape.draw_us(self.dice())
        self.state = self.state * MULTIPLIER % MODULUS
        return self.low + (self.state * self.spread >> 31)

    def dice(self) -> Random:
        """The stream for everything but uniform latencies."""
        if self.random is None:
            self.random = stream(*self.seeds, "link", self.source, self.target)
        return self.random
