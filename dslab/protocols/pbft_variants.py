"""Variants of PBFT: one guard taken out of each.

Every class is something that people believe or write; its docstring says the belief. All of them work while
nothing fails.
"""

from __future__ import annotations

from . import pbft


class MajorityQuorum(pbft.Replica):
    """A majority is a quorum, whoever lies (instead of more than (n+f)/2, section 4)."""

    catalogue = "C33"

    @property
    def quorum(self):
        return len(self.replicas) // 2 + 1


class HalfQuorum(pbft.Replica):
    """Half of the replicas are enough, so an even number stands more (instead of more than (n+f)/2)."""

    catalogue = "C32"

    @property
    def quorum(self):
        return len(self.replicas) // 2


class WaitsForAll(pbft.Replica):
    """The more answers the safer: wait for every replica (instead of n-f, because f may never speak)."""

    catalogue = "C35"

    @property
    def quorum(self):
        return len(self.replicas)


class CountsVoices(pbft.Replica):
    """A prepare is signed, so it may be counted unread (instead of comparing view, number and digest, section 4.2)."""

    catalogue = "C34"

    def matching(self, slot, phase):
        return len(slot[phase])


class CommitsOnWeak(pbft.Replica):
    """f+1 commits are enough, since one of them is loyal (instead of a quorum, section 4.2)."""

    catalogue = "C33"

    def is_committed(self, slot):
        return self.matching(slot, "commits") >= self.weak


class FreshViews(pbft.Replica):
    """A new view starts afresh (instead of with what prepared in earlier ones, section 4.4)."""

    catalogue = "C24"

    def certificates(self):
        return []


class TrustsNewPrimary(pbft.Replica):
    """The new primary knows what to propose (instead of checking what a quorum said, section 4.4)."""

    catalogue = "C34"

    def justified(self, m):
        return bool(m.proofs)


class AcceptsAnyProposal(pbft.Replica):
    """Who gives out numbers must be the primary (instead of checking it, section 4.2)."""

    catalogue = "C4"

    def believes(self, sender, m):
        return super().believes(self.primary, m)


class RunsAtOnce(pbft.Replica):
    """What is committed can be run (instead of in the order of the numbers, section 4.2)."""

    catalogue = "C31"

    def execute(self):
        for sequence in sorted(self.slots):
            if self.slots[sequence]["state"] == "committed":
                self.slots[sequence]["state"] = "executed"
                self.last_executed += 1
                self.run(*self.slots[sequence]["request"])
                self.made_progress()


class TrustsAnyCheckpoint(pbft.Replica):
    """Somebody's checkpoint is a checkpoint (instead of a quorum's with one digest, section 4.3)."""

    catalogue = "C34"

    def is_stable(self, said, digest):
        return True


class BelievesFirst(pbft.Client):
    """The first reply is the answer (instead of f+1 equal ones, section 4.1)."""

    catalogue = "C34"

    @property
    def enough(self):
        return 1


MUTANTS = (MajorityQuorum, HalfQuorum, WaitsForAll, CountsVoices, CommitsOnWeak, FreshViews, TrustsNewPrimary,
           AcceptsAnyProposal, RunsAtOnce, TrustsAnyCheckpoint, BelievesFirst)


def deceived(mutant, nodes=4, **options):
    """A service of which every replica, or every client, runs a mutant; nodes and options as for pbft.cluster."""
    part = "client" if issubclass(mutant, pbft.Client) else "server"
    return pbft.cluster(nodes, **{part: mutant}, **options)
