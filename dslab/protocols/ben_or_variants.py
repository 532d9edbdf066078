"""Variants of Ben-Or: one rule taken out of each; the docstring says what people believe who leave it out."""

from __future__ import annotations

from . import ben_or


class CountsTheHeard(ben_or.Server):
    """A majority of those that I have heard is a majority (instead of more than half of all)."""

    catalogue = "C32"

    def majority(self, values):
        return next((value for value in (0, 1) if 2 * values.count(value) > len(values)), None)


class DecidesOnOne(ben_or.Server):
    """One who has seen a majority is enough to decide (instead of more than may crash)."""

    catalogue = "C15"

    def conclude(self, proposals):
        proposed = [value for value in proposals if value is not None]
        if proposed and self.decided is None:
            self.decide(proposed[0])
        super().conclude(proposals)


class StopsAtOnce(ben_or.Server):
    """Who has decided is done (instead of helping the others through one more round)."""

    catalogue = "C15"

    def decide(self, value):
        super().decide(value)
        self.last = self.round


class NoCoin(ben_or.Server):
    """Who is in doubt keeps its opinion (instead of tossing a coin)."""

    catalogue = "C30"

    def coin(self):
        return self.value


class WaitsForAll(ben_or.Server):
    """Only who has heard everybody knows enough (instead of all but those that may have crashed)."""

    catalogue = "C35"

    @property
    def enough(self):
        return self.servers


MUTANTS = (CountsTheHeard, DecidesOnOne, StopsAtOnce, NoCoin, WaitsForAll)
