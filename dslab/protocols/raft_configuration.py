"""Who belongs to a Raft cluster, and what its majorities are: plain functions, no messages.

Source: Ongaro, Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014, extended version,
section 6; D. Ongaro, "Consensus: Bridging Theory and Practice", Stanford 2014, sections 4.1 to 4.3. While a change is
under way (C_old,new), whatever needs a majority needs one of the old and one of the new voters.
"""

from __future__ import annotations

import math

from dslab.sim import message


class ConfigurationError(ValueError):
    """A change that the rules do not allow; says which rule."""


@message
class Configuration:
    """The servers of a cluster.

    Fields:
        voters: whose majority counts; in C_old,new these are the new ones.
        outgoing: the old voters, whose majority counts as well; empty unless a change is under way.
        learners: receive the log and do not count ("non-voting members").
        learners_next: outgoing voters that will be learners when the change is over.
        auto_leave: whether the leader ends the change by itself, as in the paper.
    """

    voters: list[str]
    outgoing: list[str] = []
    learners: list[str] = []
    learners_next: list[str] = []
    auto_leave: bool = True

    @property
    def joint(self):
        """Whether this is C_old,new."""
        return bool(self.outgoing)

    @property
    def servers(self):
        """Everybody who receives the log."""
        return list(dict.fromkeys([*self.voters, *self.outgoing, *self.learners]))


# ---- majorities


def majority_commit(voters, match):
    """The highest index that a majority of voters holds; infinity without voters.

    Args:
        voters: ids.
        match: {id: highest index known to be on it}; 0 for who is missing or None.
    """
    if not voters:
        return math.inf
    held = sorted((match.get(voter) or 0 for voter in voters), reverse=True)
    return held[len(held) // 2]


def joint_commit(configuration, match):
    """The highest index that a majority of the voters, and of the outgoing voters, holds."""
    return min(majority_commit(configuration.voters, match), majority_commit(configuration.outgoing, match))


def majority_vote(voters, votes):
    """What became of an election: "won", "lost" or "pending"; won without voters.

    Args:
        voters: ids.
        votes: {id: granted}; who is missing or None has not answered.
    """
    yes = sum(votes.get(voter) is True for voter in voters)
    no = sum(votes.get(voter) is False for voter in voters)
    needed = len(voters) // 2 + 1
    if not voters or yes >= needed:
        return "won"
    return "lost" if len(voters) - no < needed else "pending"


def joint_vote(configuration, votes):
    """What became of an election that needs both majorities."""
    halves = majority_vote(configuration.voters, votes), majority_vote(configuration.outgoing, votes)
    if "lost" in halves:
        return "lost"
    return "won" if halves == ("won", "won") else "pending"


# ---- changes: a list of (what, server), what being "voter", "learner" or "remove"


def simple(configuration, changes):
    """The configuration after changes that need no C_old,new, because at most one voter comes or goes.

    Raises:
        ConfigurationError: a change is under way, nobody would be left, or more than one voter comes or goes.
    """
    if configuration.joint:
        raise ConfigurationError("can't apply simple config change in joint config")
    voters, learners = _applied(configuration, changes)
    if len(set(voters) ^ set(configuration.voters)) > 1:         # else old and new majorities share a server (4.1)
        raise ConfigurationError("more than one voter changed without entering joint config")
    return Configuration(voters, learners=learners)


def enter_joint(configuration, changes, auto_leave=True):
    """C_old,new: the changes, under the majorities of both the old and the new voters.

    Raises:
        ConfigurationError: a change is under way, or there is nobody now or would be nobody after it.
    """
    if configuration.joint:
        raise ConfigurationError("config is already joint")
    if not configuration.voters:
        raise ConfigurationError("can't make a zero-voter config joint")
    voters, learners = _applied(configuration, changes)
    waiting = [server for server in learners if server in configuration.voters]      # they still vote, as old ones
    learners = [server for server in learners if server not in waiting]
    return Configuration(voters, configuration.voters, learners, waiting, auto_leave)


def leave_joint(configuration):
    """C_new: what C_old,new becomes when it is committed.

    Raises:
        ConfigurationError: no change is under way.
    """
    if not configuration.joint:
        raise ConfigurationError("can't leave a non-joint config")
    return Configuration(configuration.voters, learners=[*configuration.learners, *configuration.learners_next])


def changes_to(configuration, voters):
    """The changes that lead to these voters."""
    return [*(("voter", server) for server in voters if server not in configuration.voters),
            *(("remove", server) for server in configuration.voters if server not in voters)]


def _applied(configuration, changes):
    voters, learners = list(configuration.voters), list(configuration.learners)
    for what, server in changes:
        for name, group in (("voter", voters), ("learner", learners)):
            if what == name and server not in group:
                group.append(server)
            elif what != name and server in group:
                group.remove(server)
    if not voters:
        raise ConfigurationError("removed all voters")
    return voters, learners
