"""Variants of quorum replication and of ABD: one rule taken out of each. All of them work while nothing fails."""

from __future__ import annotations

from dslab.sim import title, violation

from . import abd, quorum
from .quorum_coordinator import Customer


class RepairsLater(abd.Server):
    """Quorums overlap, so a read may answer at once and repair whom it likes (instead of JACM 1995, section 3)."""

    catalogue = "S6"

    found, late = quorum.Replica.found, quorum.Replica.late


class NeverRepairs(abd.Server):
    """R + W > N is all it takes."""

    catalogue = "S6"

    def found(self, name):
        self.finish(name)


class FollowerReads(abd.Server):
    """Every replica gets every write, so it can answer reads alone."""

    catalogue = "S1"

    def newest(self, answers):
        return answers.get(self.id)


class HalfAndHalf(abd.Server):
    """Half of the replicas are enough for a write, and half for a read."""

    catalogue = "C32"

    @property
    def R(self):  # noqa: N802
        return (self.N + 1) // 2 if self.N % 2 == 0 else self.N // 2

    W = R


class LocalVersions(abd.Server):
    """The newest write is the one that has the highest number at its own server."""

    catalogue = "F11"

    def new_version(self, answers):
        if super().new_version(answers):
            self.counter = self.held_counter = getattr(self, "held_counter", 0) + 1
            return [self.counter, self.id]


class WallClock(abd.Server):
    """Clocks are synchronised, so the time is a version (instead of asking what there is)."""

    catalogue = "F11"

    def new_version(self, answers):
        if len(answers) >= self.R:
            return [round(self.now * 1000) + 1, self.id]


class Nameless(abd.Server):
    """One more than the highest number that a majority knows is a number that nobody else has."""

    catalogue = "F8"

    def new_version(self, answers):
        version = super().new_version(answers)
        return version and [version[0], ""]


class ForgetsWhatItGave(abd.Server):
    """The replicas say what the highest number is; there is nothing to remember."""

    catalogue = "F8"

    def new_version(self, answers):
        self.counter = 0
        return super().new_version(answers)


class StoresWhatComes(abd.Server):
    """The last message has the last value."""

    catalogue = "F11"

    def keep(self, key, version, value):
        self.versions[key] = [list(version), value]


class Volatile(abd.Server):
    """A majority has it in memory, and not all crash at once."""

    catalogue = "C28"

    durable = {"requests": {}, "counter": 0}

    def on_start(self):
        self.versions = {}
        super().on_start()


class EveryTryIsNew(abd.Server):
    """What was not answered did not happen, so a second try is a new write."""

    catalogue = "F4"

    durable = {"versions": {}, "counter": 0}

    def on_start(self):
        self.requests = {}
        super().on_start()


class BelievesFailure(Customer):
    """A write that failed was not written."""

    catalogue = "S7"
    shows = (*Customer.shows, "not_written")

    def on_start(self):
        super().on_start()
        self.not_written = []

    def failed(self):
        if "=" in self.command:
            self.not_written = [*self.not_written, self.command]
        super().failed()


@title("What was not written is not read")
def not_written_is_not_read(world):
    """No replica holds a value of which a client says that it was not written."""
    for client in world.clients:
        for command in getattr(client, "not_written", ()):
            key, _, value = command.partition("=")
            has = [node.id for node in world.servers
                   if getattr(node, "versions", {}).get(key, [0, None])[1] == value]
            if has:
                return violation(f"{client.id} says that {command} was not written, and {has[0]} holds it",
                                 nodes=[client.id, *has], expected=f"no {command}", found=f"{command} at {has[0]}")
    return None


MUTANTS = (RepairsLater, NeverRepairs, FollowerReads, HalfAndHalf, LocalVersions, WallClock, Nameless,
           ForgetsWhatItGave, StoresWhatComes, Volatile, EveryTryIsNew)


def believing(nodes=3, *, client=BelievesFailure, **options):
    """Clients that say of each failed write that it was not written; arguments as for quorum.cluster."""
    given = "".join(f", {name}={value!r}" for name, value in options.items())
    system = quorum.cluster(nodes, client=client, **options)
    system.always = (*system.always, not_written_is_not_read)
    system.imports = "from dslab.protocols import quorum_variants"
    return system.replace(code=f"quorum_variants.believing({nodes}{given})")
