"""Variants of Raft: one guard taken out of each, or one decision handed to a function from outside.

Every class without a guard is something that people believe or write; its docstring says the belief, and
`catalogue` the misconception's name. All of them work while nothing fails.
"""

from __future__ import annotations

from dslab.sim import ClientReply

from . import raft
from .raft_properties import SERVICE
from .raft_steps_properties import commits_what_is_safe, who_votes_waits

# ---- one guard less


class LongestLogWins(raft.Server):
    """A longer log is a newer log (instead of section 5.4.1)."""

    catalogue = "C7"

    def up_to_date(self, m):
        return m.last_index >= self.last_index


class LastTermOnly(raft.Server):
    """The last term alone says which log is newer (instead of section 5.4.1)."""

    catalogue = "C8"

    def up_to_date(self, m):
        return m.last_term >= self.term_at(self.last_index)


class ForgetfulVoter(raft.Server):
    """A vote is kept in memory (instead of on the disk, Figure 2)."""

    catalogue = "C9"

    durable = {"term": 0, "log": []}

    def on_start(self):
        self.voted_for = None
        super().on_start()


class EasilyCalmed(raft.Server):
    """Any request for a vote restarts the election timer (instead of a vote given, section 5.2)."""

    catalogue = "C6"

    def on_request_vote(self, sender, m):
        if self.role != "leader":
            self.reset_election_timer()
        super().on_request_vote(sender, m)


class Truncating(raft.Server):
    """What follows the entries of a message is deleted (instead of what conflicts with them, section 5.3)."""

    catalogue = "C12"

    def append(self, m):
        self.log = self.log[: m.prev_index] + list(m.entries)


class CommitsAnyTerm(raft.Server):
    """What a majority holds is committed, whatever its term (instead of section 5.4.2)."""

    catalogue = "C14"

    def committable(self):
        held = sorted([self.last_index, *self.match_index.values()], reverse=True)
        return max(self.commit_index, held[self.quorum - 1])


class AnyTermCounts(raft.Server):
    """What another server says counts, whatever its term (instead of section 5.1)."""

    catalogue = "C4"

    def on_append_entries(self, sender, m):
        super().on_append_entries(sender, raft.AppendEntries(max(m.term, self.term), *m[1:]))


class VoteBeforeTerm(raft.Server):
    """Who has voted refuses, before it looks at the term (instead of section 5.1)."""

    catalogue = "C5"

    def on_request_vote(self, sender, m):
        if self.voted_for in (None, sender):
            super().on_request_vote(sender, m)
        else:
            self.send(sender, raft.Vote(self.term, False))


class WaitsForVotes(raft.Server):
    """A candidate waits until it has its votes (instead of standing again, section 5.2)."""

    catalogue = "C10"

    def on_election_timeout(self):
        super().on_election_timeout()
        self.cancel_timer("election")


class DiscardsTheUnknown(raft.Server):
    """What a new leader does not know to be committed, it throws away (instead of section 5.3)."""

    catalogue = "C15"

    def become_leader(self):
        self.log = self.log[: self.commit_index]
        super().become_leader()


class ReplyCountsAll(raft.Server):
    """An answer means that the follower has my log as it is now (instead of as it was sent, section 5.3)."""

    catalogue = "C18"

    def on_appended(self, sender, m):
        match = self.last_index if m.success else m.match_index
        super().on_appended(sender, raft.Appended(m.term, m.success, match))


class CommitsOwnLength(raft.Server):
    """What the leader has committed, I can apply as far as my log goes (instead of Figure 2, step 5).

    Its heartbeats carry no entries, which is allowed; else the mistake would hardly show.
    """

    catalogue = "C13"

    def on_heartbeat_timeout(self):
        for peer in self.peers:
            prev = self.next_index[peer] - 1
            heartbeat = raft.AppendEntries(self.term, prev, self.term_at(prev), [], self.commit_index)
            self.send(peer, heartbeat)
        self.set_timer("heartbeat", after=self.heartbeat)

    def on_append_entries(self, sender, m):
        super().on_append_entries(sender, m)
        if m.term == self.term and self.term_at(m.prev_index) == m.prev_term:
            self.commit_up_to(min(m.commit_index, self.last_index))


class HalfIsEnough(raft.Server):
    """Half of the servers are a majority."""

    catalogue = "C32"

    @property
    def quorum(self):
        return (len(self.peers) + 2) // 2


class WaitsForAll(raft.Server):
    """An entry is safe when all servers hold it (instead of a majority)."""

    catalogue = "C35"

    @property
    def quorum(self):
        return len(self.peers) + 1


# ---- one guard less towards clients (section 8)


class RepliesByIndex(raft.Server):
    """My index was applied, so my command was."""

    catalogue = "C19"

    def on_start(self):
        self.waiting = {}  # index -> (client, number)
        super().on_start()

    def on_client_request(self, sender, m):
        before = self.last_index
        super().on_client_request(sender, m)
        if self.last_index > before:
            self.waiting[self.last_index] = (sender, m.number)

    def apply(self, entry):
        super().apply(entry)
        if self.last_applied in self.waiting:
            client, number = self.waiting.pop(self.last_applied)
            self.send(client, ClientReply(number, True, self.sessions[entry.client][1]))


class RemembersAtTheFront(raft.Server):
    """Whoever answers a client remembers what it answered (instead of every state machine)."""

    catalogue = "C23"

    def apply(self, entry):
        known, self.sessions = self.sessions, {}
        super().apply(entry)
        self.sessions = {**known, **self.sessions} if self.role == "leader" else known


class EveryTryIsNew(raft.Server):
    """What was not answered did not happen, so a second try is a new operation."""

    catalogue = "C16"

    def apply(self, entry):
        super().apply(entry)
        self.sessions = {}


# ---- one step more


class Pipelining(raft.Server):
    """A leader that does not wait: next_index moves when entries are sent (dissertation, 10.2.1)."""

    def replicate(self, peer):
        super().replicate(peer)
        self.next_index[peer] = self.last_index + 1


class MatchFromNext(Pipelining):
    """What was sent has arrived: the followers hold all before next_index (instead of match_index)."""

    catalogue = "C17"

    def committable(self):
        held = sorted([self.last_index, *(index - 1 for index in self.next_index.values())], reverse=True)
        index = held[self.quorum - 1]
        return index if self.term_at(index) == self.term else self.commit_index


class EmptyMeansYes(Pipelining):
    """A heartbeat has nothing to compare, so the answer is yes (instead of the check of section 5.3)."""

    catalogue = "C11"

    def on_append_entries(self, sender, m):
        if m.entries or m.term < self.term:
            return super().on_append_entries(sender, m)
        self.adopt(m.term)
        self.role, self.leader, self.votes = "follower", sender, {}
        self.reset_election_timer()
        self.commit_up_to(min(m.commit_index, self.last_index))
        self.send(sender, raft.Appended(self.term, True, m.prev_index))


MUTANTS = (
    AnyTermCounts,
    VoteBeforeTerm,
    EasilyCalmed,
    LongestLogWins,
    LastTermOnly,
    ForgetfulVoter,
    WaitsForVotes,
    EmptyMeansYes,
    Truncating,
    CommitsOwnLength,
    CommitsAnyTerm,
    DiscardsTheUnknown,
    EveryTryIsNew,
    MatchFromNext,
    ReplyCountsAll,
    RepliesByIndex,
    RemembersAtTheFront,
    HalfIsEnough,
    WaitsForAll,
)


def serving(nodes=5, **options):
    """A cluster of which clients also expect that their commands take effect once and answers are true.

    Args:
        nodes, options: as for raft.cluster.
    """
    system = raft.cluster(nodes, **options)
    arguments = [f"{nodes}", *(f"{k}={getattr(v, '__name__', repr(v))}" for k, v in options.items())]
    system = system.replace(code=f"raft_variants.serving({', '.join(arguments)})")
    system.imports = "from dslab.protocols import raft_variants"
    system.always = (*system.always, *SERVICE)
    return system


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

        shows = (*raft.Server.shows, "hasty_vote")

        def on_start(self):
            self.hasty_vote = None                       # [candidate, term] once it votes and does not wait anew
            self.waits_anew = False
            super().on_start()

        def set_timer(self, name, **times):
            super().set_timer(name, **times)
            self.waits_anew = True

        def on_request_vote(self, sender, m):
            before, self.waits_anew = (self.term, self.voted_for), False
            granted = answer(self, sender, m)
            if not isinstance(granted, bool):
                raise TypeError(
                    f"{answer.__name__} returned {granted!r}; it must return True or False on every path"
                )
            if granted and not self.waits_anew and before != (self.term, sender):
                self.hasty_vote = [sender, self.term]
            self.send(sender, raft.Vote(self.term, granted))

    return _plugged(raft.cluster(nodes, server=Voter, **options), "voting", answer, nodes, options, who_votes_waits)


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
            lowest, highest = self.commit_index, self.last_index
            if isinstance(index, bool) or not isinstance(index, int) or not lowest <= index <= highest:
                raise TypeError(
                    f"{answer.__name__} returned {index!r}; it must return an index from {lowest}, up to which the log "
                    f"is committed already, to {highest}, its end"
                )
            return index

    system = raft.cluster(nodes, server=Committer, **options)
    return _plugged(system, "committing", answer, nodes, options, commits_what_is_safe)


def _plugged(system, maker, answer, nodes, options, *promises):
    arguments = [answer.__name__, f"{nodes}", *(f"{name}={value!r}" for name, value in options.items())]
    system = system.replace(code=f"raft_variants.{maker}({', '.join(arguments)})")
    system.imports = "from dslab.protocols import raft_variants"
    system.always = (*system.always, *promises)
    return system
