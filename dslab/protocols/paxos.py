"""Paxos: several processes agree on one value, although any of them may stop and come back, and messages may be lost.

Source: L. Lamport, "Paxos Made Simple", ACM SIGACT News 32(4), 2001, sections 2.2 to 2.5.
Left out: the election of a distinguished proposer (section 2.4; a random back-off takes its place), word to a proposer
that its ballot is too low (section 2.5; it finds out when no majority answers), and many instances (section 3: see
multi_paxos). A proposal number is called a ballot: [counter, proposer], compared in this order.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System, message

from .paxos_properties import ALWAYS, EVENTUALLY

RETRY = (100, 200)               # ms until the next try; random, so that two do not hinder each other for ever
LATENCY, DISK = (5, 15), (1, 3)  # ms one way; ms per durable write
BOUNDS = {"timeouts": None}      # of an exploration, unless told otherwise: `ballots` bounds how often proposers start


@message
class Prepare:
    """{source} asks {target} to accept nothing below ballot {ballot} any more."""

    ballot: list


@message
class Promise:
    """{source} promises {target} ballot {ballot}, having accepted {accepted_value} (ballot {accepted_ballot})."""

    ballot: list
    accepted_ballot: list | None
    accepted_value: object


@message
class Accept:
    """{source} asks {target} to accept {value} under ballot {ballot}."""

    ballot: list
    value: object


@message
class Accepted:
    """{source} has accepted what {target} proposed under ballot {ballot}."""

    ballot: list


@message
class Chosen:
    """{source} tells {target} that {value} is chosen."""

    value: object


class Acceptor(Node):
    """Votes for proposals; what it has promised and accepted survives a crash."""

    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    shows = ("promised", "accepted_ballot", "accepted_value")

    def on_prepare(self, sender, m):
        """P1a: a promise forbids proposals below it, so what it reports stays the last of them (section 2.2)."""
        if self.promised is None or m.ballot > self.promised:
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))

    def on_accept(self, sender, m):
        if self.promised is None or m.ballot >= self.promised:
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))        # leaves when the value is on the disk


class Learner(Node):
    """Hears which value is chosen."""

    shows = ("chosen",)

    def on_start(self):
        super().on_start()
        self.chosen = None

    def on_chosen(self, sender, m):
        self.learn(m.value)

    def learn(self, value):
        self.chosen = value


class Proposer(Learner):
    """Proposes a value; it is also the learner that acceptors answer, and tells the others (section 2.3)."""

    durable = {"ballot": None}
    shows = ("ballot", "phase", "wish", "value", "promises", "accepts", "chosen")
    acceptors = ()          # names; of all acceptors, whether they run or not
    learners = ()           # names; of those who hear what is chosen
    wishes = True           # whether it wants a value chosen from the start
    values = ()             # pairs (proposer, value) of what each wants; its own name, where there is none
    ballots = None          # how many it may start; None for no limit
    retry = RETRY

    def on_start(self):
        super().on_start()
        self.phase, self.wish, self.value = "idle", None, None
        self.promises, self.accepts = {}, []
        if self.wishes:
            self.wish = dict(self.values).get(self.id, self.id)
            self.propose_later()

    @property
    def quorum(self):
        return len(self.acceptors) // 2 + 1

    def propose_later(self):
        if self.ballots is None or self.ballot is None or self.ballot[0] < self.ballots:
            self.set_timer("propose", between=self.retry)

    def on_propose_timeout(self):
        """Phase 1 (a): asks for promises under a ballot that it has never used."""
        if self.wish is None or self.phase == "chosen":
            return
        self.ballot = self.next_ballot()
        self.phase, self.value, self.promises, self.accepts = "prepare", None, {}, []
        self.propose_later()                             # unless this ballot succeeds
        self.ask(Prepare(self.ballot))

    def next_ballot(self):
        return [self.ballot[0] + 1 if self.ballot else 1, self.id]

    def ask(self, m):
        for acceptor in self.acceptors:
            self.send(acceptor, m)

    def on_promise(self, sender, m):
        """Phase 2 (a): a majority has promised, so nothing below this ballot that it does not report can be chosen."""
        if self.phase == "prepare" and m.ballot == self.ballot:
            self.promises[sender] = [m.accepted_ballot, m.accepted_value]
            if len(self.promises) >= self.quorum:
                self.value = self.pick(self.promises)
                self.phase, self.promises = "accept", {}
                self.ask(Accept(self.ballot, self.value))

    def pick(self, promises):
        """The value of the highest ballot reported, because it may be chosen already; or its own (P2c, section 2.2)."""
        reported = [promise for promise in promises.values() if promise[0] is not None]
        return max(reported, key=lambda promise: promise[0])[1] if reported else self.wish

    def on_accepted(self, sender, m):
        if self.phase == "accept" and m.ballot == self.ballot and sender not in self.accepts:
            self.accepts = sorted([*self.accepts, sender])
            if len(self.accepts) >= self.quorum:
                self.learn(self.value)
                for learner in self.learners:
                    self.send(learner, Chosen(self.value))

    def learn(self, value):
        super().learn(value)
        self.phase, self.promises, self.accepts = "chosen", {}, []
        self.cancel_timer("propose")


class Server(Proposer, Acceptor):
    """All roles in one process, as in section 2.5; it proposes what a client asks for first."""

    durable = {**Proposer.durable, **Acceptor.durable}
    shows = (*Proposer.shows, *Acceptor.shows)
    wishes = False

    def on_start(self):
        super().on_start()
        self.waiting = {}                                # client -> number of the request that it wants answered
        self.acceptors, self.learners = sorted([self.id, *self.peers]), self.peers

    def next_ballot(self):
        """Above what its own acceptor has promised: that is as much as it knows of others (section 2.5)."""
        return [max(ballot[0] if ballot else 0 for ballot in (self.ballot, self.promised)) + 1, self.id]

    def send(self, to, m):
        """What a server tells itself takes no message."""
        if to == self.id:
            getattr(self, self.message_handler(type(m), to, to))(to, m)
        else:
            super().send(to, m)

    def on_client_request(self, sender, m):
        self.waiting[sender] = m.number
        if self.phase == "chosen":
            self.answer()
        elif self.phase == "idle":
            self.wish = m.command
            self.on_propose_timeout()

    def learn(self, value):
        super().learn(value)
        self.answer()

    def answer(self):
        for client, number in self.waiting.items():
            self.send(client, ClientReply(number, True, self.chosen))
        self.waiting = {}


def cluster(nodes=3, *, proposers=0, acceptors=3, learners=0, server=Server, proposer=Proposer, acceptor=Acceptor,
            clients=1, latency=LATENCY, disk=DISK, **options):
    """Paxos on a local network: servers that play all roles, or each role in processes of its own.

    Args:
        nodes, clients: how many servers and clients, where servers play all roles.
        proposers, acceptors, learners: how many of each, p1, a1, l1 and so on, where roles are apart: if proposers > 0.
            There are no clients then.
        server, proposer, acceptor: the classes to run, or variants of them.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the classes, such as retry=(100, 200), or ballots=1: how many a proposer may start, or
            values=("v", "w"): what p1 and p2 want chosen; their own names if not given.
    """
    given = {"server": server, "proposer": proposer, "acceptor": acceptor, "clients": clients, "latency": latency,
             "disk": disk, **options}
    unused = ("server", "clients") if proposers else ("proposer", "acceptor")
    usual = {"server": Server, "proposer": Proposer, "acceptor": Acceptor, "clients": 1, "latency": LATENCY,
             "disk": DISK}
    changed = [f"{name}={getattr(value, '__name__', None) or repr(value)}" for name, value in given.items()
               if name not in unused and (name not in usual or value != usual[name])]
    if not proposers:
        size, classes = [f"{nodes}"], server
    else:
        size = [f"proposers={proposers}", f"acceptors={acceptors}", *([f"learners={learners}"] if learners else [])]
        roles = [("p", proposer, proposers), ("a", acceptor, acceptors), ("l", Learner, learners)]
        classes = {f"{letter}{i}": role for letter, role, count in roles for i in range(1, count + 1)}
        options = {"acceptors": tuple(f"a{i}" for i in range(1, acceptors + 1)),
                   "learners": tuple(f"l{i}" for i in range(1, learners + 1)), **options,
                   "values": tuple((f"p{i}", value) for i, value in enumerate(options.get("values", ()), 1))}
        clients = 0
    return System(classes, nodes, clients=clients, network=Network(latency=latency), disk=disk, options=options,
                  always=ALWAYS, eventually=EVENTUALLY, name="paxos", imports="from dslab.protocols import paxos",
                  code=f"paxos.cluster({', '.join(size + changed)})")
