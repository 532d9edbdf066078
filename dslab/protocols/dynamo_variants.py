"""Variants of the store that keeps conflicts: one rule taken out of each, or handed to a function from outside."""

from __future__ import annotations

from . import dynamo
from .dynamo_properties import writes_stay


class LastWriterWins(dynamo.Replica):
    """The write with the latest time is the one that counts (instead of section 4.4)."""

    catalogue = "S9"

    def vector(self, context, write):
        return {write["client"]: write["number"], "time": round(self.now * 1000)}

    def newer(self, a, b):
        return (a["time"], min(a)) >= (b["time"], min(b))


class ComparesTuples(dynamo.Replica):
    """Vectors are compared as tuples are: by the first entry that differs."""

    catalogue = "F10"

    def newer(self, a, b):
        clients = sorted([*a, *b])
        return [a.get(client, 0) for client in clients] >= [b.get(client, 0) for client in clients]


class ComparesSums(dynamo.Replica):
    """A vector with more events in it is newer."""

    catalogue = "F10"

    def newer(self, a, b):
        return sum(a.values()) >= sum(b.values())


class CountsByServer(dynamo.Replica):
    """Every put is one more of the server that coordinates it (as in section 4.4)."""

    catalogue = "S9"
    durable = {**dynamo.Replica.durable, "requests": {}, "counter": 0}

    def on_start(self):
        self.forget()

    def vector(self, context, write):
        self.counter += 1
        return {**context, self.id: self.counter}


class TakesOne(dynamo.Customer):
    """A get has one value (instead of all that conflict)."""

    catalogue = "S9"

    def reconciled(self, siblings):
        return super().reconciled(siblings[:1])


MUTANTS = (LastWriterWins, ComparesTuples, ComparesSums, CountsByServer, TakesOne)


def merging(answer, nodes=3, **options):
    """A store whose replicas ask a function what to keep.

    Args:
        answer: called as answer(siblings, vector, value), siblings a list of [vector, value] and a vector a dict;
            returns the list that is left when that value comes too.
        nodes, options: as for dynamo.cluster.
    """

    class Merger(dynamo.Replica):
        """A replica whose siblings are decided outside."""

        def merged(self, siblings, vector, value):
            left = answer([[dict(v), one] for v, one in siblings], dict(vector), value)
            known = [*siblings, [vector, value]]
            if not isinstance(left, list) or any(list(sibling) not in known for sibling in left):
                raise TypeError(f"{answer.__name__} returned {left!r}; it must return a list of [vector, value], each "
                                f"one of the siblings or the new value")
            return [list(sibling) for sibling in left]

    given = "".join(f", {name}={value!r}" for name, value in options.items())
    system = dynamo.cluster(nodes, server=Merger, **options)
    system.imports = "from dslab.protocols import dynamo_variants"
    system.always = (*system.always, writes_stay)
    return system.replace(code=f"dynamo_variants.merging({answer.__name__}, {nodes}{given})")


def merged(nodes=3, **options):
    """The store with the rule as it should be; arguments as for dynamo.cluster."""
    return dynamo.cluster(nodes, **options)
