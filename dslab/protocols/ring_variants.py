"""Variants of the ring election: one rule taken out of each; the docstring says what people believe."""

from __future__ import annotations

from . import ring


class ForwardsAll(ring.Server):
    """Every number must go round, so that everybody can compare (instead of dying at a higher one)."""

    catalogue = "C2"

    def pass_on(self, received):
        return received


class KeepsQuiet(ring.Server):
    """A lower number is dropped, and that is all (instead of one's own being sent, if it is not on its way)."""

    catalogue = "C2"

    def pass_on(self, received):
        return received if received > self.number else None


class LowestWins(ring.Server):
    """Drop what is higher (instead of what is lower)."""

    catalogue = "C2"

    def pass_on(self, received):
        if received < self.number:
            return received
        return None if self.marked else self.number


class AlwaysOwn(ring.Server):
    """One says who one is, whatever comes (instead of passing a higher number on)."""

    catalogue = "C2"

    def pass_on(self, received):
        return None if self.marked else self.number


class BeatsNeighbour(ring.Server):
    """Who hears a lower number has won (instead of who hears its own)."""

    catalogue = "C1"

    def on_election(self, sender, m):
        if m.number < self.number:
            self.win()
        else:
            super().on_election(sender, m)


MUTANTS = (ForwardsAll, KeepsQuiet, LowestWins, AlwaysOwn, BeatsNeighbour)
