"""Variants of raft_snapshots: what a snapshot leaves out, and how it is saved."""

from __future__ import annotations

from . import raft_snapshots


class TrimsAfterwards(raft_snapshots.Server):
    """First the snapshot is saved, then the log is shortened; where the log begins, the snapshot says.

    Two writes instead of one, and no index on the disk with the log itself.
    """

    catalogue = "C21"
    trim_after = 100         # ms between the two writes

    @property
    def snapshot_index(self):
        return self.base

    def load(self):
        self.base, self.base_term = self.snapshot["index"], self.snapshot["term"]
        super().load()

    def term_at(self, index):
        return self.base_term if index == self.base else super().term_at(index)

    def on_snapshot_timeout(self):
        if self.snapshot["index"] > self.base:
            return                                       # the log is still to be shortened for the last one
        log = self.log
        super().on_snapshot_timeout()
        self.log = log
        self.set_timer("trim", after=self.trim_after)

    def on_trim_timeout(self):
        index, term = self.snapshot["index"], self.snapshot["term"]
        self.log = self.after(index)
        self.base, self.base_term = index, term


class ForgetsSessions(raft_snapshots.Server):
    """A snapshot is the store (instead of the whole state machine, with what clients were answered)."""

    catalogue = "C23"
    captures = ("store",)


MUTANTS = (TrimsAfterwards, ForgetsSessions)
