"""Variants of raft_reads: leaders that answer reads too easily, and leaders that hold a lease.

Source of the lease: D. Ongaro, "Consensus: Bridging Theory and Practice", Stanford 2014, section 6.4.1.
"""

from __future__ import annotations

from . import raft, raft_reads
from .raft_prevote import Attentive

DRIFT = 1.1      # how much faster than another a clock may run


class LocalReads(raft_reads.Server):
    """A leader knows that it leads, so its own state is good enough (instead of asking a majority)."""

    catalogue = "C3"

    def is_confirmed(self, asked):
        return True


class AnswersAtOnce(raft_reads.Server):
    """A new leader holds all that was committed, so it may answer at once (instead of opening its term, section 8)."""

    catalogue = "C20"
    on_heartbeat_timeout = raft.Server.on_heartbeat_timeout          # no entry opens the term

    def on_client_request(self, sender, m):
        if self.role == "leader" and "=" not in str(m.command):
            self.answer(sender, m.number, m.command)
        else:
            super().on_client_request(sender, m)


MUTANTS = (LocalReads, AnswersAtOnce)


class Leasing(Attentive, raft_reads.Server):
    """A leader that a majority has confirmed answers without asking for as long as nobody else can be elected.

    That is as long as its own clock says so: the lease is safe only while clocks differ by less than DRIFT.
    """

    def on_start(self):
        super().on_start()
        self.hear()                  # it may have heard from a leader just before it stopped
        self.lease, self.asked_at = 0, {}                # ms on this server's clock; round -> when it was asked

    def hears_leader(self):
        return self.role == "leader" or self.heard

    def on_heartbeat_timeout(self):
        self.round += 1
        self.asked_at = {**self.asked_at, self.round: self.now}
        super().on_heartbeat_timeout()
        self.broadcast(raft_reads.Confirm(self.term, self.round))

    def become_leader(self):
        self.lease, self.asked_at = 0, {}
        super().become_leader()

    def on_confirm(self, sender, m):
        super().on_confirm(sender, m)
        if m.term == self.term:
            self.hear()

    def on_confirmed(self, sender, m):
        super().on_confirmed(sender, m)
        for asked, at in list(self.asked_at.items()):
            if self.role == "leader" and super().is_confirmed(asked):
                self.lease = max(self.lease, at + self.election_timeout[0] / DRIFT)
                del self.asked_at[asked]

    def is_confirmed(self, asked):
        return self.now < self.lease or super().is_confirmed(asked)

    def on_request_vote(self, sender, m):
        if not self.hears_leader():                      # what the lease relies on
            super().on_request_vote(sender, m)


def leasing(nodes=5, **options):
    """A cluster whose leaders hold leases; nodes and options as for raft_reads.cluster."""
    return raft_reads.cluster(nodes, server=Leasing, **options)
