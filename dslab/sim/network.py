"""The network between nodes: how long a message takes and what can happen to it on the way.

A link is one direction between two nodes. Its random numbers come from a stream of its own, named by (seed, source,
target), so a new node or one more message elsewhere never changes the fate of others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
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
    plain: bool = field(init=False, repr=False, compare=False)     # the loop itself draws a uniform latency

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
        sender, host: where its messages come from and go to; their words start the link's own stream.
        network: the usual properties; a link that differs has a network of its own.
    """

    __slots__ = ("cut", "host", "last_due", "low", "network", "plain", "random", "sender", "spread", "state")

    def __init__(self, sender: Any, host: Any, network: Network) -> None:      # cheap: there are thousands
        self.sender, self.host, self.network = sender, host, network
        self.state = (sender.word ^ host.mixed_word) % (MODULUS - 1) + 1
        self.low, self.spread = network.range_us if sender is not host or sender.sim.by_hand else (0, 0)
        self.plain, self.cut, self.last_due = network.plain and not sender.treason, False, 0
        self.random: Random | None = None

    @property
    def source(self) -> str:
        """The sender's id."""
        return str(self.sender.id)

    @property
    def target(self) -> str:
        """The receiver's id."""
        return str(self.host.id)

    def configure(self, **properties: Any) -> None:
        """Changes the properties of the network that are not None."""
        changes = {name: value for name, value in properties.items() if value is not None}
        self.network = replace(self.network, **changes)
        if "latency" in changes and not self.network.shape:
            self.low, self.spread = self.network.range_us
        self.set_cut(self.cut)

    def set_cut(self, cut: bool) -> None:
        """Closes or opens the link."""
        self.cut = cut
        self.plain = self.network.plain and not cut and not self.sender.treason

    def draw_us(self) -> int:
        """The latency of the next message."""
        if self.network.shape is not None:
            return self.network.shape.draw_us(self.dice())
        self.state = self.state * MULTIPLIER % MODULUS
        return self.low + (self.state * self.spread >> 31)

    def dice(self) -> Random:
        """The stream for everything but uniform latencies."""
        if self.random is None:
            self.random = stream(self.sender.word, self.host.word, "link", self.source, self.target)
        return self.random
