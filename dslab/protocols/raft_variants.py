"""Variants of Raft: one guard taken out of each, or one decision handed to a function from outside.

Every class without a guard is something that people believe or write; its docstring says the belief. All of
them work while nothing fails.
"""

from __future__ import annotations

from . import raft

# ---- one guard less


class LongestLogWins(raft.Server):
    """A longer log is a newer log (instead of section 5.4.1)."""

    def up_to_date(self, m):
        return m.last_index >= self.last_index


class LastTermOnly(raft.Server):
    """The last term alone says which log is newer (instead of section 5.4.1)."""

    def up_to_date(self, m):
        return m.last_term >= self.term_at(self.last_index)


class ForgetfulVoter(raft.Server):
    """A vote is kept in memory (instead of on the disk, Figure 2)."""

    durable = {"term": 0, "log": []}

    def on_start(self):
        self.voted_for = None
        super().on_start()


class EasilyCalmed(raft.Server):
    """Any request for a vote restarts the election timer (instead of a vote given, section 5.2)."""

    def on_request_vote(self, sender, m):
        self.reset_election_timer()
        super().on_request_vote(sender, m)


class Truncating(raft.Server):
    """What follows the entries of a message is deleted (instead of what conflicts with them, section 5.3)."""

    def append(self, m):
        self.log = self.log[: m.prev_index] + list(m.entries)


class CommitsAnyTerm(raft.Server):
    """What a majority holds is committed, whatever its term (instead of section 5.4.2)."""

    def committable(self):
        held = sorted([self.last_index, *self.match_index.values()], reverse=True)
        return max(self.commit_index, held[self.quorum - 1])


# ---- one step more


class Pipelining(raft.Server):
    """A leader that does not wait: next_index moves when entries are sent (dissertation, 10.2.1)."""

    def replicate(self, peer):
        super().replicate(peer)
        self.next_index[peer] = self.last_index + 1


def pipelining(nodes=5, **options):
    """A cluster whose leaders pipeline; nodes and options as for raft.cluster."""
    return raft.cluster(nodes, server=Pipelining, **options)


# ---- one decision from outside


def counting(answer, nodes=5, **options):
    """A cluster whose servers ask a function how many servers are a majority.

    Args:
        answer: called as answer(n) with the number of servers; returns a number from 1 to n.
        nodes, options: as for raft.cluster.
    """

    class Counter(raft.Server):
        """A Raft server whose quorum is decided outside."""

        @property
        def quorum(self):
            servers = len(self.peers) + 1
            quorum = answer(servers)
            if isinstance(quorum, bool) or not isinstance(quorum, int) or not 1 <= quorum <= servers:
                raise TypeError(
                    f"{answer.__name__}({servers}) returned {quorum!r}; it must return a whole number from 1 "
                    f"to {servers}"
                )
            return quorum

    return _plugged(raft.cluster(nodes, server=Counter, **options), "counting", answer, nodes, options)


def voting(answer, nodes=5, **options):
    """A cluster whose servers ask a function whether to vote.

    Args:
        answer: called as answer(server, candidate, request); returns True or False, and does itself what must
            happen before the reply leaves: adopt the term, note the vote, restart the timer.
        nodes, options: as for raft.cluster.
    """

    class Voter(raft.Server):
        """A Raft server whose votes are decided outside."""

        def on_request_vote(self, sender, m):
            granted = answer(self, sender, m)
            if not isinstance(granted, bool):
                raise TypeError(
                    f"{answer.__name__} returned {granted!r}; it must return True or False on every path"
                )
            self.send(sender, raft.Vote(self.term, granted))

    return _plugged(raft.cluster(nodes, server=Voter, **options), "voting", answer, nodes, options)


def committing(answer, nodes=5, **options):
    """A cluster whose pipelining leaders ask a function how far the log is committed.

    Args:
        answer: called as answer(server); returns an index from 0 to server.last_index.
        nodes, options: as for raft.cluster.
    """

    class Committer(Pipelining):
        """A Raft server whose commit index is decided outside."""

        def committable(self):
            index = answer(self)
            if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index <= self.last_index:
                raise TypeError(
                    f"{answer.__name__} returned {index!r}; it must return an index from 0 to "
                    f"{self.last_index}, the end of the log"
                )
            return index

    return _plugged(raft.cluster(nodes, server=Committer, **options), "committing", answer, nodes, options)


def _plugged(system, maker, answer, nodes, options):
    arguments = [answer.__name__, f"{nodes}", *(f"{name}={value!r}" for name, value in options.items())]
    system = system.replace(code=f"raft_variants.{maker}({', '.join(arguments)})")
    system.imports = "from dslab.protocols import raft_variants"
    return system
