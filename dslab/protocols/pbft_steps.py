"""PBFT with the size of its quorums from outside, and the runs that judge it."""

from __future__ import annotations

from dslab.sim.case import Case

from . import pbft
from .raft_cases import _at


def counting(answer, nodes=4, **options):
    """A PBFT service whose replicas ask a function how many of them make a quorum.

    Args:
        answer: called as answer(n, f) with the number of replicas and of liars among them; returns 1 to n.
        nodes, options: as for pbft.cluster.
    """

    class Counter(pbft.Replica):
        """A replica whose quorum is decided outside."""

        @property
        def quorum(self):
            n = len(self.replicas)
            f = pbft.faults_of(self, n)
            quorum = answer(n, f)
            if isinstance(quorum, bool) or not isinstance(quorum, int) or not 1 <= quorum <= n:
                raise TypeError(f"{answer.__name__}({n}, {f}) returned {quorum!r}; it must return a whole number from "
                                f"1 to {n}")
            return quorum

    given = "".join(f", {name}={value!r}" for name, value in options.items())
    system = pbft.cluster(nodes, server=Counter, **options)
    system.imports = "from dslab.protocols import pbft_steps"
    return system.replace(code=f"pbft_steps.counting({answer.__name__}, {nodes}{given})")


Y = {"digest": "c2.1 y=2", "client": "c2", "number": 1, "command": "y=2"}


def _silent(nodes, *names):
    return Case(
        f"silent-{'-'.join(names)}",
        f"{' and '.join(names)} of {nodes} replicas say nothing; a client writes x=1.",
        [*[_at(1, "turn_traitor", node=name, behaviour="silent") for name in names],
         _at(10, "request", command="x=1", to="n1")],
        until=3_000,
        nodes=nodes,
        catalogue="C35",
        question="How many replicas can you hear from, when those that lie choose to say nothing?",
    )


def _two_faced(nodes, liars, fooled):
    told, who = " and ".join(fooled), " and ".join(liars)
    return Case(
        f"two-faced-{nodes}",
        f"of {nodes} replicas, {who} {'say' if len(liars) > 1 else 'says'} x=1 to some and y=2 to {told}, for the same "
        f"number; n1 is the primary.",
        [*[_at(1, "turn_traitor", node=liar, behaviour="equivocate", fields=Y, to=list(fooled)) for liar in liars],
         _at(10, "request", command="x=1", to="n1"),
         _at(10, "request", command="y=2", to=fooled[0], client="c2")],
        until=400,
        nodes=nodes,
        clients=2,
        progress=False,
        catalogue="C33",
        question="Two quorums agreed on different requests. Which replicas are in both, and which of these are loyal?",
    )


NOBODY_LIES = Case(
    "nobody-lies",
    "four replicas, none of which lies; a client writes x=1.",
    [_at(10, "request", command="x=1", to="n1")],
    until=2_000,
    nodes=4,
    question="How many of the four does each phase wait for?",
)

QUORUM = (NOBODY_LIES, _silent(4, "n3"), _two_faced(5, ["n1"], ["n4", "n5"]), _silent(7, "n3", "n6"),
          _two_faced(7, ["n1", "n4"], ["n5", "n6", "n7"]), _two_faced(4, ["n1"], ["n4"]))
MORE = (_silent(5, "n2"), _two_faced(5, ["n1"], ["n2", "n3"]), _silent(7, "n4", "n5"),
        _two_faced(7, ["n1", "n7"], ["n2", "n3", "n6"]), _silent(10, "n2", "n5", "n9"))
