"""A variant of raft_prevote whose servers say yes to whoever's log is good enough."""

from __future__ import annotations

from . import raft_prevote


class LogAloneDecides(raft_prevote.Server):
    """Who could win may stand (instead of: and nobody hears from a leader, dissertation, section 9.6)."""

    catalogue = ""

    def hears_leader(self):
        return False


MUTANTS = (LogAloneDecides,)
