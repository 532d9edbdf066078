"""A variant of raft_prevote whose servers say yes to whoever's log is good enough.

It keeps every promise of Raft, as Raft without pre-votes does; what it does not keep is the leader.
"""

from __future__ import annotations

from . import raft_prevote


class LogAloneDecides(raft_prevote.Server):
    """Who could win may stand (instead of: and nobody hears from a leader, dissertation, section 9.6)."""

    def hears_leader(self):
        return False


MUTANTS: tuple[type[raft_prevote.Server], ...] = ()
