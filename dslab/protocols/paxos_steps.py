"""Paxos with one part from outside: the acceptors, or the value that a proposer asks for.

Two proposers, p1 and p2, ask for what clients want; the other servers, a1, a2 and so on, are acceptors.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System

from . import paxos


class Voter(Node):
    """An acceptor without its decisions: on_prepare, on_accept, and what is durable."""

    shows = paxos.Acceptor.shows

    def on_start(self):
        for name in self.shows:
            if name not in self.durable:
                setattr(self, name, None)

    def on_client_request(self, sender, m):
        """Acceptors propose nothing; the client will ask somebody else."""


class Acceptor(paxos.Acceptor):
    """An acceptor that lets clients ask somebody else."""

    def on_client_request(self, sender, m):
        """Proposes nothing."""


class Asked(paxos.Proposer):
    """A proposer that proposes what a client asks for first, and tells every client what was chosen."""

    wishes = False

    def on_start(self):
        super().on_start()
        self.waiting = {}                                # client -> number of the request that it wants answered

    def on_client_request(self, sender, m):
        self.waiting[sender] = m.number
        if self.phase == "chosen":
            self.learn(self.chosen)
        elif self.phase == "idle":
            self.wish = m.command
            self.on_propose_timeout()

    def learn(self, value):
        super().learn(value)
        for client, number in self.waiting.items():
            self.send(client, ClientReply(number, True, value))
        self.waiting = {}


def asked(nodes=5, *, acceptor=Acceptor, proposer=Asked, clients=1, **options):
    """Paxos that clients ask for a value.

    Args:
        nodes: how many servers, two of them proposers; at least 3.
        acceptor, proposer: the classes to run.
        clients: how many.
        options: attributes of the classes, such as retry=(100, 200).
    """
    names = [f"a{i}" for i in range(1, nodes - 1)]
    classes = {"p1": proposer, "p2": proposer, **dict.fromkeys(names, acceptor)}
    given = "".join(f", {name}={value!r}" for name, value in {"clients": clients, **options}.items())
    return System(classes, clients=clients, network=Network(latency=paxos.LATENCY), disk=paxos.DISK,
                  options={"acceptors": tuple(names), **options}, always=paxos.ALWAYS, eventually=paxos.EVENTUALLY,
                  name="paxos", code=f"paxos_steps.asked({nodes}{given})",
                  imports="from dslab.protocols import paxos_steps")


def accepting(answer, nodes=5, **options):
    """A cluster with acceptors from outside.

    Args:
        answer: a class derived from Voter.
        nodes, options: as for asked.
    """
    return _named(asked(nodes, acceptor=answer, **options), "accepting", answer, nodes, options)


def proposing(answer, nodes=5, **options):
    """A cluster whose proposers ask a function which value to propose.

    Args:
        answer: called as answer(promises, wish); promises is a list of (ballot, value), in the order of their arrival,
            with None for both where an acceptor has accepted nothing; returns a value.
        nodes, options: as for asked.
    """

    class Chooser(Asked):
        """A proposer whose value is decided outside."""

        def pick(self, promises):
            return answer([tuple(promise) for promise in promises.values()], self.wish)

    return _named(asked(nodes, proposer=Chooser, **options), "proposing", answer, nodes, options)


def _named(system, maker, answer, nodes, options):
    given = "".join(f", {name}={value!r}" for name, value in options.items())
    return system.replace(code=f"paxos_steps.{maker}({answer.__name__}, {nodes}{given})")
