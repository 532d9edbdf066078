"""Quorum replication: every key on N replicas; a write waits for W of them, a read asks R and takes the newest.

Sources: D. Gifford, "Weighted Voting for Replicated Data", SOSP 1979 (quorums that overlap, version numbers);
G. DeCandia et al., "Dynamo: Amazon's Highly Available Key-value Store", SOSP 2007, sections 4.5 (a coordinator for each
request) and 5 (read repair). Left out: weights; placement by consistent hashing (see consistent_hashing.py).

With R + W > N every read meets the newest write that was *acknowledged*. What became of a write that is still running,
or that failed, a read may see or not: so this register is not atomic. abd.py adds what is missing.
"""

from __future__ import annotations

from dslab.sim import Network, System

from .quorum_coordinator import Coordinator, Customer, Write
from .quorum_properties import ALWAYS, EVENTUALLY

LATENCY, DISK = 10, (1, 3)  # ms one way; ms per durable write


class Replica(Coordinator):
    """A server that decides as Gifford and Dynamo do."""

    durable = {"versions": {}, "requests": {}, "counter": 0}
    tries = 3

    def on_start(self):
        self.forget()

    def keep(self, key, version, value):
        """Stores what is newer than what it has: messages overtake each other."""
        if list(version) > self.held(key)[0]:
            self.versions[key] = [list(version), value]

    def new_version(self, answers):
        """Newer than all that R replicas hold, so than every acknowledged write (Gifford, section 2).

        No other write has it: the name tells those of two servers apart, the counter those of one.
        """
        if len(answers) >= self.R:
            self.counter = max(self.counter, *(version[0] for version, _ in answers.values())) + 1
            return [self.counter, self.id]

    def newest(self, answers):
        if len(answers) >= self.R:
            return max(answers.values(), key=lambda answer: answer[0])

    def is_stored(self, acks):
        return len(acks) >= self.W

    def found(self, name):
        """Answers the client, then repairs whoever answered with something older (Dynamo, section 5)."""
        self.finish(name)
        for replica in self.reads[name]["answers"]:
            self.late(name, replica)

    def late(self, name, replica):
        read = self.reads.get(name)
        if read and read["answers"][replica][0] < read["version"] and replica not in read["repairs"]:
            read["repairs"] = [*read["repairs"], replica]
            if replica == self.id:
                self.keep(read["key"], read["version"], read["value"])
            else:
                self.send(replica, Write(name, read["key"], read["version"], read["value"]))


def cluster(nodes=3, *, server=Replica, client=Customer, clients=1, latency=LATENCY, disk=DISK, **options):
    """Replicas of a key-value store; clients write "x=1" and read "x".

    Args:
        nodes, clients: how many of each; at least N nodes.
        server, client: the classes to run, Replica and Customer or variants of them.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the server class, such as N=3, R=2, W=2, or tries=3, after which an operation fails
            (None: never).
    """
    return assembled("quorum", {"server": Replica, "client": Customer}, nodes, server=server, client=client,
                     clients=clients, latency=latency, disk=disk, **options)


def assembled(module, usual, nodes, *, server, client, clients, latency, disk, always=ALWAYS, eventually=EVENTUALLY,
              **options):
    """The System of a protocol made of these parts, with the code that makes it again.

    Args:
        module: the protocol's module, whose `cluster` was called.
        usual: the classes that `cluster` runs unless told otherwise.
        nodes, server, client, clients, latency, disk, options: what it was called with.
        always, eventually: its properties.
    """
    given = {"latency": latency, "disk": disk, "clients": clients, **options}
    defaults = {"latency": LATENCY, "disk": DISK, "clients": 1}
    parts = [f", {name}={cls.__name__}" for name, cls in (("server", server), ("client", client))
             if cls is not usual[name]]
    parts += [f", {name}={value!r}" for name, value in given.items() if name not in defaults or value != defaults[name]]
    return System(server, nodes, clients=clients, client=client, network=Network(latency=latency), disk=disk,
                  options=options, always=always, eventually=eventually, name=module,
                  imports=f"from dslab.protocols import {module}", code=f"{module}.cluster({nodes}{''.join(parts)})")
