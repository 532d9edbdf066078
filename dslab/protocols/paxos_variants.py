"""Variants of Paxos: one rule taken out of each.

The docstring of each says what people believe who leave the rule out; `catalogue` is its name among misconceptions. All
of them work while one proposes and nothing fails. A variant is a server that plays all roles; `roles` gives the classes
for roles apart.
"""

from __future__ import annotations

from . import paxos

# ---- proposers


class OwnValueProposer(paxos.Proposer):
    """Proposes its own value, whatever promises report."""

    def pick(self, promises):
        return self.wish


class OwnValue(OwnValueProposer, paxos.Server):
    """Who has the promises of a majority may propose what it likes (instead of P2c, section 2.2)."""

    catalogue = "C24"


class CommonestValueProposer(paxos.Proposer):
    """Lets the promises vote."""

    def pick(self, promises):
        values = [value for ballot, value in promises.values() if ballot is not None]
        return max(values, key=values.count) if values else self.wish


class CommonestValue(CommonestValueProposer, paxos.Server):
    """The value that most promises report is the one to keep (instead of that of the highest ballot, section 2.2)."""

    catalogue = "C25"


class LocalBallotsProposer(paxos.Proposer):
    """Numbers its ballots 1, 2, 3."""

    def next_ballot(self):
        return super().next_ballot()[:1]


class AgreeableAcceptor(paxos.Acceptor):
    """Promises a ballot again."""

    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot >= self.promised:
            self.promised = m.ballot
            self.send(sender, paxos.Promise(m.ballot, self.accepted_ballot, self.accepted_value))


class LocalBallots(LocalBallotsProposer, AgreeableAcceptor, paxos.Server):
    """A ballot is a counter of one's own (instead of different numbers for all proposers, section 2.5)."""

    catalogue = "C27"

    def next_ballot(self):
        return paxos.Server.next_ballot(self)[:1]


class NoBackOff(paxos.Server):
    """Who is overtaken tries again at once with a higher ballot (instead of waiting a random time)."""

    catalogue = "C29"

    def on_prepare(self, sender, m):
        super().on_prepare(sender, m)
        if self.phase in ("prepare", "accept") and m.ballot > self.ballot:
            self.on_propose_timeout()


class DecidesOnTimeoutProposer(paxos.Proposer):
    """Takes silence for consent."""

    def on_propose_timeout(self):
        if self.phase == "accept":
            self.learn(self.value)
        else:
            super().on_propose_timeout()


class DecidesOnTimeout(DecidesOnTimeoutProposer, paxos.Server):
    """An algorithm must end, so after a while what was proposed counts as chosen (instead of section 2.3)."""

    catalogue = "C30"


class HalfIsEnoughProposer(paxos.Proposer):
    """Counts half of the acceptors as a quorum."""

    @property
    def quorum(self):
        return max(1, len(self.acceptors) // 2)


class HalfIsEnough(HalfIsEnoughProposer, paxos.Server):
    """Half of the acceptors are a majority (instead of more than half, section 2.1)."""

    catalogue = "C32"


class WaitsForAllProposer(paxos.Proposer):
    """Counts all acceptors as a quorum."""

    @property
    def quorum(self):
        return len(self.acceptors)


class WaitsForAll(WaitsForAllProposer, paxos.Server):
    """To be safe, everybody must agree (instead of a majority, section 2.1)."""

    catalogue = "C35"


# ---- acceptors


class HastyAcceptor(paxos.Acceptor):
    """Accepts under any ballot."""

    def on_accept(self, sender, m):
        self.promised = max(self.promised or m.ballot, m.ballot)
        self.accepted_ballot, self.accepted_value = m.ballot, m.value
        self.send(sender, paxos.Accepted(m.ballot))


class Hasty(HastyAcceptor, paxos.Server):
    """A promise is about prepares; who asks to accept has had its promise (instead of P1a, section 2.2)."""

    catalogue = "C26"


class ForgetfulAcceptor(paxos.Acceptor):
    """Begins anew after a restart."""

    def on_start(self):
        super().on_start()
        self.promised = self.accepted_ballot = self.accepted_value = None


class Forgetful(ForgetfulAcceptor, paxos.Server):
    """What an acceptor has promised and accepted is kept in memory (instead of stable storage, section 2.5)."""

    catalogue = "C28"


class FreezingAcceptor(paxos.Acceptor):
    """Stays with the first value."""

    def on_accept(self, sender, m):
        if self.accepted_value in (None, m.value):
            super().on_accept(sender, m)


class Freezing(FreezingAcceptor, paxos.Server):
    """Who has accepted a value may not accept another (instead of: under a higher ballot it may, section 2.2)."""

    catalogue = "C36"


class SilentAcceptor(paxos.Acceptor):
    """Promises, and keeps to itself what it has accepted."""

    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot > self.promised:
            self.promised = m.ballot
            self.send(sender, paxos.Promise(m.ballot, None, None))


class Silent(SilentAcceptor, paxos.Server):
    """A promise looks forward, so what was accepted before does not belong in it (instead of section 2.2)."""

    catalogue = "C24"


MUTANTS = (OwnValue, CommonestValue, Hasty, LocalBallots, Forgetful, NoBackOff, DecidesOnTimeout, HalfIsEnough,
           WaitsForAll, Freezing, Silent)


def roles(mutant):
    """The classes of a variant for roles apart: `paxos.cluster(proposers=2, acceptors=3, **roles(OwnValue))`.

    Args:
        mutant: one of MUTANTS.

    Returns:
        {"proposer": class, "acceptor": class}, each with the rule taken out if it is that role's.
    """
    apart = [cls for cls in mutant.__mro__ if not issubclass(cls, paxos.Server)]
    return {"proposer": next(cls for cls in apart if issubclass(cls, paxos.Proposer)),
            "acceptor": next(cls for cls in apart if issubclass(cls, paxos.Acceptor))}
