"""Variants of the Byzantine generals: one rule of OM(m) taken out of each.

Every class is something that people believe or write; its docstring says the belief. All of them work while
nobody lies.
"""

from __future__ import annotations

from . import generals


class OneRoundLess(generals.General):
    """m rounds find m traitors (instead of m+1: with one traitor, nobody compares what the commander said)."""

    catalogue = "C34"

    @property
    def depth(self):
        return super().depth - 1


class Patient(generals.General):
    """A late message is better than none (instead of treating it as not sent, assumption A3)."""

    catalogue = "C35"

    def is_timely(self, m):
        return len(m.path) <= self.round


class TrustsNames(generals.General):
    """A message says who sent it (instead of the link it came by, assumption A2)."""

    catalogue = "C34"

    def is_plausible(self, sender, m):
        return tuple(m.path) in self.paths(len(m.path))


class AsksOthersOnly(generals.General):
    """What the others report decides (instead of a majority in which one's own word counts, OM(m) step 3)."""

    catalogue = "C33"

    def majority(self, values):
        return super().majority(values[1:])


class ObeysInDoubt(generals.General):
    """In doubt the commander is right (instead of an order that all fall back on)."""

    catalogue = "C33"

    def majority(self, values):
        values = list(values)
        return values[0] if 2 * values.count(values[0]) >= len(values) else super().majority(values)


class DoubtsAMajority(generals.General):
    """Only what nobody contradicts is believed (instead of the majority)."""

    catalogue = "C35"

    def majority(self, values):
        return values[0] if len(set(values)) == 1 else generals.RETREAT


MUTANTS = (OneRoundLess, Patient, TrustsNames, AsksOthersOnly, ObeysInDoubt, DoubtsAMajority)
