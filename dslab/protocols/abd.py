"""An atomic register on servers that crash: a majority is asked, and a majority has it before anybody is told.

Sources: H. Attiya, A. Bar-Noy, D. Dolev, "Sharing Memory Robustly in Message-Passing Systems", JACM 42(1), 1995 (one
writer; a reader writes back); N. Lynch, A. Shvartsman, "Robust Emulation of Shared Memory Using Dynamic
Quorum-Acknowledged Broadcasts", FTCS 1997 (many writers: a write asks for the versions first). In both, clients talk to
all servers; here the server that a client asks does that for it, and its disk remembers the version, so that a write
that is asked for again is still the same write. Left out: quorums other than majorities, and their change.
"""

from __future__ import annotations

from . import quorum
from .quorum_properties import ATOMIC, EVENTUALLY


class Server(quorum.Replica):
    """A server of an atomic register: quorum replication on majorities, with reads that write back."""

    @property
    def N(self):  # noqa: N802
        return len(self.peers) + 1

    @property
    def R(self):  # noqa: N802
        return self.N // 2 + 1

    W = R
    tries = None                                         # who waits long enough is answered

    def found(self, name):
        """Has a majority store what is read before the client is told, so that no later read finds less (section 3).

        A majority that has it already needs nothing; the reader would have heard of a newer write in time.
        """
        read = self.reads[name]
        read["acks"] = [r for r, (version, _) in read["answers"].items() if version == read["version"]]
        if self.is_stored(read["acks"]):
            self.finish(name)
        else:
            read["repairs"] = [r for r in read["asked"] if r not in read["acks"]]
            self.put(name)

    def late(self, name, replica):
        """An answer that comes late changes nothing."""


def cluster(nodes=3, *, server=Server, client=quorum.Customer, clients=1, latency=quorum.LATENCY, disk=quorum.DISK,
            **options):
    """An atomic register for each key; arguments as for quorum.cluster."""
    return quorum.assembled("abd", {"server": Server, "client": quorum.Customer}, nodes, server=server, client=client,
                            clients=clients, latency=latency, disk=disk, always=ATOMIC, eventually=EVENTUALLY,
                            **options)
