"""Quorum replication with hints: a write for a replica that cannot be reached is left with another server for a while.

Source: G. DeCandia et al., "Dynamo: Amazon's Highly Available Key-value Store", SOSP 2007, section 4.6. In `Handing` a
hint is a promise to deliver, and only replicas count; Dynamo's sloppy quorum, in `Sloppy`, counts those who keep hints
too, so that a write succeeds wherever W servers run, and a later read may not meet any of them.
"""

from __future__ import annotations

from dslab.sim import message

from . import quorum, quorum_coordinator
from .quorum_properties import ALWAYS, EVENTUALLY

HANDOFF = 500        # ms between two attempts to deliver hints


@message
class Hint:
    """{source} leaves {key}={value}, version {version}, for {home} with {target} (operation {operation})."""

    operation: str
    home: str
    key: str
    version: object
    value: object


@message
class Hinted:
    """{source} tells {target} that it keeps the hint of operation {operation}."""

    operation: str


@message
class HandOff:
    """{source} delivers to {target} the hint {key}={value}, version {version}."""

    key: str
    version: object
    value: object


@message
class HandedOff:
    """{source} tells {target} that it has stored version {version} of {key}."""

    key: str
    version: object


class Handing(quorum.Replica):
    """A replica that keeps hints for others, and leaves hints where it is not answered."""

    durable = {**quorum.Replica.durable, "hints": {}}    # {home: {key: [version, value]}}
    shows = (*quorum.Replica.shows, "hints")
    handoff = HANDOFF

    def on_start(self):
        super().on_start()
        if self.hints:
            self.set_timer("handoff", after=self.handoff)

    def stand_ins(self, key):
        """The servers that are no replicas of a key, in the order in which they stand in."""
        servers, home = self.servers(), self.home(key)
        first = servers.index(home[-1])
        return [s for s in servers[first + 1:] + servers[:first] if s not in home]

    def again(self, name):
        super().again(name)
        write = self.writes.get(name)
        if write and write["version"]:
            missing = [replica for replica in write["asked"] if replica not in write["acks"]]
            for home, stand_in in zip(missing, self.stand_ins(write["key"])):
                hint = Hint(name, home, write["key"], write["version"], write["value"])
                if stand_in == self.id:
                    self.on_hint(self.id, hint)
                else:
                    self.send(stand_in, hint)

    def on_hint(self, sender, m):
        hints = self.hints.setdefault(m.home, {})
        if list(m.version) > hints.get(m.key, [[0, ""]])[0]:
            hints[m.key] = [list(m.version), m.value]
        self.set_timer("handoff", after=self.handoff)
        if sender == self.id:
            self.hinted(m.operation, self.id)
        else:
            self.send(sender, Hinted(m.operation))

    def on_hinted(self, sender, m):
        if self.operation(m.operation):
            self.hinted(m.operation, sender)

    def hinted(self, name, stand_in):
        """Nothing is counted: a read that asks the replicas does not meet who keeps a hint."""

    def on_handoff_timeout(self):
        for home, hints in self.hints.items():
            for key, (version, value) in hints.items():
                self.send(home, HandOff(key, version, value))
        if self.hints:
            self.set_timer("handoff", after=self.handoff)

    def on_hand_off(self, sender, m):
        self.keep(m.key, m.version, m.value)
        self.send(sender, HandedOff(m.key, m.version))

    def on_handed_off(self, sender, m):
        hints = self.hints.get(sender, {})
        if m.key in hints and hints[m.key][0] == list(m.version):
            left = {key: hint for key, hint in hints.items() if key != m.key}
            self.hints = {home: kept for home, kept in {**self.hints, sender: left}.items() if kept}


class Sloppy(Handing):
    """A hint is a copy like any other, so who keeps it counts, for writes and for reads (Dynamo's sloppy quorum)."""

    catalogue = "S8"

    def hinted(self, name, stand_in):
        self.stored(name, stand_in)

    def again(self, name):
        super().again(name)
        operation = self.operation(name)
        if not operation["version"]:
            for stand_in in self.stand_ins(operation["key"]):
                if stand_in == self.id:
                    self.heard(name, self.id, *self.hint(operation["key"]))
                else:
                    self.send(stand_in, quorum_coordinator.Read(name, operation["key"]))

    def hint(self, key):
        return max([self.held(key), *(hints[key] for hints in self.hints.values() if key in hints)], key=lambda h: h[0])

    def on_read(self, sender, m):
        self.send(sender, quorum_coordinator.Held(m.operation, *self.hint(m.key)))


MUTANTS = (Sloppy,)


def cluster(nodes=4, *, server=Handing, client=quorum.Customer, clients=1, latency=quorum.LATENCY, disk=quorum.DISK,
            **options):
    """Replicas with stand-ins: more servers than N; arguments as for quorum.cluster."""
    return quorum.assembled("quorum_handoff", {"server": Handing, "client": quorum.Customer}, nodes, server=server,
                            client=client, clients=clients, latency=latency, disk=disk, always=ALWAYS,
                            eventually=EVENTUALLY, **options)
