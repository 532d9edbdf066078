"""Raft with log compaction: a snapshot stands for the beginning of the log.

Source: Ongaro, Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014, extended version,
section 7 and Figure 13. The snapshot holds the store and the sessions of clients, without which an old command could
take effect twice. It is sent whole. The snapshot and the log behind it are saved in one write, so they always fit.
"""

from __future__ import annotations

from dslab.sim import System, message

from . import raft
from .raft_properties import ALWAYS, EVENTUALLY, SERVICE

SNAPSHOT_AFTER = 4       # entries applied since the last snapshot; small, so that a short run shows one


@message
class InstallSnapshot:
    """{source} sends {target} its snapshot up to index {last_index} (term {last_term}), in term {term}."""

    term: int
    last_index: int
    last_term: int
    state: dict[str, object]


class Server(raft.Server):
    """A Raft server that compacts its log (section 7)."""

    durable = {**raft.Server.durable, "snapshot": {"index": 0, "term": 0, "state": {}}}
    shows = (*raft.Server.shows, "snapshot_index")
    captures = ("store", "sessions")                     # the attributes that a snapshot holds
    snapshot_after = SNAPSHOT_AFTER

    def on_start(self):
        super().on_start()
        self.load()

    def load(self):
        """The state machine as it was when the snapshot was taken."""
        for name, value in self.snapshot["state"].items():
            setattr(self, name, copied(value))
        self.commit_index = self.last_applied = self.snapshot_index

    # ---- a log whose first entry is not entry 1

    @property
    def snapshot_index(self):
        return self.snapshot["index"]

    @property
    def last_index(self):
        return self.snapshot_index + len(self.log)

    def term_at(self, index):
        if index == self.snapshot_index:
            return self.snapshot["term"]                 # the check of the first entry behind it needs this term
        place = index - self.snapshot_index
        return self.log[place - 1].term if 0 < place <= len(self.log) else 0

    def after(self, index, to=None):
        base = self.snapshot_index
        return self.log[index - base:None if to is None else to - base]

    def append(self, m):
        for index, entry in enumerate(m.entries, start=m.prev_index + 1):
            if self.term_at(index) != entry.term:
                self.log[index - self.snapshot_index - 1:] = m.entries[index - m.prev_index - 1:]
                return

    def on_append_entries(self, sender, m):
        """What the snapshot covers is committed, so the leader has it too: the message may begin behind it."""
        known = self.snapshot_index - m.prev_index
        if known > 0:
            m = raft.AppendEntries(m.term, self.snapshot_index, self.snapshot["term"], m.entries[known:],
                                   m.commit_index)
        super().on_append_entries(sender, m)

    # ---- taking a snapshot

    def commit_up_to(self, index):
        super().commit_up_to(index)
        if self.last_applied - self.snapshot_index >= self.snapshot_after:
            self.set_timer("snapshot", after=0)

    def on_snapshot_timeout(self):
        """Each server takes its own, of what it has applied; only what is committed can be in it."""
        index = self.last_applied
        term, rest = self.term_at(index), self.after(index)
        state = {name: copied(getattr(self, name)) for name in self.captures}
        self.snapshot, self.log = {"index": index, "term": term, "state": state}, rest

    # ---- sending it to a follower that needs what is gone

    def replicate(self, peer):
        if self.next_index[peer] > self.snapshot_index:
            return super().replicate(peer)
        saved = self.snapshot
        self.send(peer, InstallSnapshot(self.term, saved["index"], saved["term"], saved["state"]))

    def on_install_snapshot(self, sender, m):
        self.adopt(m.term)
        if m.term < self.term:
            return self.send(sender, raft.Appended(self.term, False, 0))
        self.role, self.leader, self.votes = "follower", sender, {}
        self.reset_election_timer()
        if m.last_index > self.commit_index:             # else we hold all of it, and perhaps more
            fits = self.term_at(m.last_index) == m.last_term
            rest = self.after(m.last_index) if fits else []          # what follows is kept only behind an equal entry
            self.snapshot = {"index": m.last_index, "term": m.last_term, "state": m.state}
            self.log = rest
            self.load()
        self.send(sender, raft.Appended(self.term, True, m.last_index))


def copied(value):
    """The value as it is now: what is applied later must not change a snapshot."""
    return dict(value) if isinstance(value, dict) else value


def cluster(nodes=5, *, server=Server, **options):
    """A cluster whose servers compact their logs.

    Args:
        nodes, options: as for raft.cluster; snapshot_after=4 is how many entries make a snapshot.
        server: the class to run, Server or a variant of it.
    """
    return extended("raft_snapshots", nodes, server, Server, options, ALWAYS + SERVICE)


def extended(module, nodes, server, usual, options, always) -> System:
    """A cluster of a variant that has a file of its own: raft.cluster, with a name, code and properties that fit.

    Args:
        module: the file's name.
        nodes: how many servers.
        server, usual: the class to run, and the one that the file's cluster() runs if none is given.
        options: as for raft.cluster.
        always: what must hold.
    """
    system = raft.cluster(nodes, server=server, **options)
    given = {} if server is usual else {"server": server}
    changed = [f", {name}={getattr(value, '__name__', repr(value))}" for name, value in {**given, **options}.items()]
    system = system.replace(code=f"{module}.cluster({nodes}{''.join(changed)})")
    system.name, system.imports = module, f"from dslab.protocols import {module}"
    system.always, system.eventually = always, EVENTUALLY
    return system
