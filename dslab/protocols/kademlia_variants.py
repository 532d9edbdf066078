"""Variants of Kademlia: one rule taken out of each; the docstring says what people believe."""

from __future__ import annotations

from . import kademlia
from .kademlia_properties import prefix


class NewestFirst(kademlia.Server):
    """A bucket that is full makes room for whoever came last (instead of asking whether the oldest still lives).

    Who floods the network with new names then owns every table: long-lived servers are what the rule protects.
    """

    catalogue = "S14"

    def seen(self, name):
        if name != self.id:
            length = str(prefix(self.position, self.position_of(name), self.bits))
            others = [other for other in self.buckets.get(length, []) if other != name]
            self.buckets[length] = [*others, name][-self.k:]


class Collects(kademlia.Server):
    """The more servers one knows the better (instead of k in a bucket)."""

    catalogue = "S14"

    def seen(self, name):
        if name != self.id:
            bucket = self.buckets.setdefault(str(prefix(self.position, self.position_of(name), self.bits)), [])
            if name not in bucket:
                bucket.append(name)


class AsksOnce(kademlia.Server):
    """The first servers that one knows are close enough (instead of asking closer and closer ones)."""

    catalogue = "S14"

    def on_nodes(self, sender, m):
        if self.answered(sender, m.number) is not None:
            self.go_on(m.number)


class CountsDistance(kademlia.Server):
    """Near is what differs by a small number (instead of XOR, in which every server has its own order)."""

    catalogue = "S13"

    def closest(self, key, count):
        known = [self.id, *(name for bucket in self.buckets.values() for name in bucket)]
        return sorted(known, key=lambda name: abs(self.position_of(name) - key))[:count]


MUTANTS = (Collects, AsksOnce, CountsDistance)
