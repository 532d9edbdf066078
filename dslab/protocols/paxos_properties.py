"""What Paxos promises: safety of section 2.1 of the paper, and a sign of progress.

Source: L. Lamport, "Paxos Made Simple", ACM SIGACT News 32(4), 2001, sections 2.1 and 2.2. An acceptor is whoever shows
accepted_ballot and accepted_value, a learner whoever shows chosen, so a student's own classes are judged by the same
functions, and so are servers that play all roles.
"""

from __future__ import annotations

from dslab.sim import title, violation


def told(ballot):
    """A ballot in a few characters: 2.n1 for [2, "n1"]."""
    return ".".join(map(str, ballot)) if isinstance(ballot, (list, tuple)) else str(ballot)


def acceptors(world):
    """The servers that vote."""
    return [s for s in world.servers if hasattr(s, "accepted_ballot")]


def _vote(world):
    """(acceptor, ballot, value) if the last event made an acceptor accept something, else None."""
    acceptor = world.changed
    if acceptor is None or getattr(acceptor, "accepted_ballot", None) is None:
        return None
    return acceptor, acceptor.accepted_ballot, acceptor.accepted_value


@title("One value chosen")
def agreement(world):
    """Only a single value is chosen: accepted by a majority of the acceptors under one ballot."""
    vote = _vote(world)
    if vote is None:
        return None
    acceptor, ballot, value = vote
    voters = world.memory.setdefault((told(ballot), repr(value)), {})        # votes stay votes when others follow
    voters[acceptor.id] = value
    if 2 * len(voters) <= len(acceptors(world)):
        return None
    for (under, other), by in world.memory.items():
        if other != repr(value) and 2 * len(by) > len(acceptors(world)):
            first = next(iter(by.values()))
            return violation(f"{first} was chosen by {' and '.join(by)} under ballot {under}, and {value} by "
                             f"{' and '.join(voters)} under ballot {told(ballot)}", nodes=voters,
                             expected=f"{first}, chosen first", found=f"{value}")
    return None


@title("Only proposed values")
def validity(world):
    """Only a value that somebody wanted is accepted, and so only such a value can be chosen."""
    node = world.changed
    for wish in (getattr(node, "wish", None), getattr(node, "command", None)):
        if wish is not None:
            world.memory[repr(wish)] = True
    vote = _vote(world)
    if vote is None or not world.memory or repr(vote[2]) in world.memory:
        return None
    return violation(f"{vote[0].id} accepted {vote[2]}, which nobody wanted", nodes=[vote[0].id],
                     expected="a value that a proposer or a client wanted", found=f"{vote[2]}")


@title("Learners agree")
def learners_agree(world):
    """No two processes learn different values."""
    learner = world.changed
    if learner is None or getattr(learner, "chosen", None) is None:
        return None
    for other in world.servers:
        if getattr(other, "chosen", None) not in (None, learner.chosen):
            return violation(f"{other.id} has learned {other.chosen}, and {learner.id} {learner.chosen}",
                             nodes=[other.id, learner.id], expected=f"{other.chosen}", found=f"{learner.chosen}")
    return None


@title("One value per ballot")
def one_value_per_ballot(world):
    """No two acceptors accept different values under one ballot."""
    vote = _vote(world)
    if vote is None:
        return None
    acceptor, ballot, value = vote
    for other in acceptors(world):
        if other.accepted_ballot == ballot and other.accepted_value != value:
            return violation(f"under ballot {told(ballot)}, {other.id} accepted {other.accepted_value} and "
                             f"{acceptor.id} {value}", nodes=[other.id, acceptor.id],
                             expected=f"{other.accepted_value}", found=f"{value}")
    return None


@title("A value chosen")
def chooses(world):
    """A process learns that a value is chosen."""
    return any(getattr(s, "chosen", None) is not None for s in world.servers)


def ends_within(rounds):
    """A property that Paxos does not have, to be refuted by a search: two proposers can keep each other busy.

    Args:
        rounds: ballots of each proposer that got as far as phase 2, 1 or more.
    """
    @title(f"Ends within {rounds} ballot{'s' if rounds > 1 else ''} each")
    def accepted_by_then(world):
        """When every proposer has had that many promises of a majority, some acceptor has accepted a value."""
        proposer = world.changed
        if getattr(proposer, "phase", None) != "accept":
            return None
        world.memory[proposer.id, told(proposer.ballot)] = True
        proposers = [s.id for s in world.servers if hasattr(s, "phase")]
        asked = [name for name, _ in world.memory]
        if any(asked.count(name) < rounds for name in proposers) or \
                any(a.accepted_ballot is not None for a in acceptors(world)):
            return None
        times = "once" if rounds == 1 else f"{rounds} times"
        return violation(f"{' and '.join(proposers)} have each asked for a value {times}, and nothing is accepted",
                         nodes=proposers)
    return accepted_by_then


ALWAYS = (agreement, validity, learners_agree, one_value_per_ballot)
EVENTUALLY = (chooses,)
