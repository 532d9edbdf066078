"""Loaded dice: what a node draws next, when a schedule says so."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any


class LoadedDice:
    """Stands in for a node's `random` until the given outcomes are used up.

    Args:
        outcomes: for each draw the number, from 0, of what comes out among what could.
        fair: what the node draws from after that.
    """

    def __init__(self, outcomes: Sequence[int], fair: Random | LoadedDice) -> None:
        self._outcomes, self._fair = list(outcomes), fair

    def choice(self, items: Sequence[Any]) -> Any:
        """One of the items."""
        if not self._outcomes or len(items) == 1:
            return self._fair.choice(items)
        return items[self._outcomes.pop(0) % len(items)]

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """One number of a range."""
        return int(self.choice(range(start) if stop is None else range(start, stop, step)))

    def randint(self, low: int, high: int) -> int:
        """One number from low to high, both included."""
        return self.randrange(low, high + 1)

    def getrandbits(self, bits: int) -> int:
        """One number of this many bits."""
        return self._outcomes.pop(0) % (1 << bits) if self._outcomes else self._fair.getrandbits(bits)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fair, name)
