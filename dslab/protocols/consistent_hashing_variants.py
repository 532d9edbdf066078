"""Variants of consistent hashing: one rule taken out of each; the docstring says what people believe."""

from __future__ import annotations

from . import consistent_hashing, placement
from .identifiers import identifier


class Modulo(consistent_hashing.Server):
    """hash % n spreads keys evenly, and that is what counts (instead of a ring, on which few keys move)."""

    catalogue = "S11"

    def ring(self, members):
        return members

    def points_of(self, ring):
        return []

    def keepers(self, ring, key):
        at = identifier(key, consistent_hashing.BITS)
        return list(dict.fromkeys(placement.modulo(ring, at + i) for i in range(self.copies)))


class OnePoint(consistent_hashing.Server):
    """A hash is random, so one point per server balances by itself (instead of many)."""

    catalogue = "S12"
    each = 1


class NoWrap(consistent_hashing.Server):
    """The keeper is the next point in the list (and behind the last one there is nobody)."""

    catalogue = "S13"

    def keepers(self, ring, key):
        at = identifier(key, consistent_hashing.BITS)
        return [] if placement.unwrapped(ring, at) is None else super().keepers(ring, key)


class NextPoints(consistent_hashing.Server):
    """The next points on the ring keep the copies (whoever's they are, and wherever they stand)."""

    catalogue = "S15"

    def keepers(self, ring, key):
        at = identifier(key, consistent_hashing.BITS)
        return list(dict.fromkeys(placement.next_points(ring, at, self.copies)))


MUTANTS = (Modulo, OnePoint, NoWrap, NextPoints)
