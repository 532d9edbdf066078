"""Paxos without an end: two proposers that overtake each other, as a property that a search can break.

Source: M. Fischer, N. Lynch, M. Paterson, "Impossibility of Distributed Consensus with One Faulty Process", Journal of
the ACM 32(2), 1985: from every state in which nothing is decided, whoever orders the messages can lead to another one.
"""

from __future__ import annotations

from dslab.sim import title, violation


def over_after(ballots):
    """A property: something is accepted before so many ballots have had the promises of a majority.

    Args:
        ballots: of all proposers together, 1 or more.

    Returns:
        A function of a World, for `explore(..., always=[over_after(4)])`.
    """

    def over(world):
        """An acceptor accepts something before that."""
        node = world.changed
        if getattr(node, "accepted_ballot", None) is not None:
            world.memory["over"] = True
        if getattr(node, "phase", None) != "accept" or "over" in world.memory:
            return None
        world.memory[tuple(node.ballot)] = True
        if len(world.memory) < ballots:
            return None
        return violation(f"{ballots} ballots had the promises of a majority, and no acceptor has accepted anything")

    return title(f"Over before ballot {ballots}")(over)
