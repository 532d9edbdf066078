"""The bully algorithm: who misses the leader asks all higher servers whether they live; the highest that does leads.

Source: H. Garcia-Molina, "Elections in a Distributed Computing System", IEEE Transactions on Computers C-31(1), 1982,
in the short form of the textbooks: without the halting of lower servers one by one. It relies on time: every message
arrives within half of ANSWER, none is lost, and a server that does not answer is down.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System, message

from .election_properties import all_agree, nobody_follows_lower, number

LATENCY = (5, 15)    # ms one way
ANSWER = 40          # ms to wait for an answer: there and back, and some more
COORDINATOR = 150    # ms to wait for the one that answered to make itself known

ALWAYS = (nobody_follows_lower,)
EVENTUALLY = (all_agree,)


@message
class Election:
    """{source} asks {target}, which is higher, whether it lives."""


@message
class Answer:
    """{source} tells {target} that it lives, and takes over."""


@message
class Coordinator:
    """{source} tells {target}, which is lower, that it leads now."""


@message
class AreYouUp:
    """{source} asks its leader {target} whether it lives."""


@message
class Up:
    """{source} lives, it tells {target}."""


class Server(Node):
    """One server; the higher number is the bigger bully."""

    durable = {"started": False}
    shows = ("role", "leader")
    starters = ()        # names of those who call an election at the start
    answer = ANSWER
    coordinator = COORDINATOR

    def on_start(self):
        self.role, self.leader = "follower", None
        if self.started or self.id in self.starters:
            self.elect()                                 # whoever comes back may be the highest now
        self.started = True

    @property
    def higher(self):
        return [peer for peer in self.peers if number(peer) > number(self.id)]

    @property
    def lower(self):
        return [peer for peer in self.peers if number(peer) < number(self.id)]

    def elect(self):
        self.role, self.leader = "candidate", None
        for peer in self.higher:
            self.send(peer, Election())
        self.set_timer("answer", after=self.answer)

    def on_election(self, sender, m):
        self.send(sender, Answer())
        if self.role != "candidate":
            self.elect()

    def on_answer(self, sender, m):
        if self.role == "candidate":
            self.cancel_timer("answer")
            self.set_timer("coordinator", after=self.coordinator)

    def on_answer_timeout(self):
        """No higher server lives, so this one leads."""
        self.win()

    def win(self):
        self.role, self.leader = "leader", self.id
        for peer in self.lower:
            self.send(peer, Coordinator())

    def on_coordinator(self, sender, m):
        self.role, self.leader = "follower", sender
        self.cancel_timer("answer")
        self.cancel_timer("coordinator")

    def on_coordinator_timeout(self):
        self.elect()                                     # the one that answered has died since

    # ---- clients: their requests show whether the leader lives

    def on_client_request(self, sender, m):
        if self.leader == self.id:
            self.send(sender, ClientReply(m.number, True, self.id))
        else:
            self.send(sender, ClientReply(m.number, False, leader=self.leader))
            self.look_after_leader()

    def look_after_leader(self):
        if self.leader is not None:
            self.send(self.leader, AreYouUp())
            self.set_timer("leader", after=self.answer)
        elif self.role != "candidate":
            self.elect()

    def on_are_you_up(self, sender, m):
        if self.role == "leader":
            self.send(sender, Up())

    def on_up(self, sender, m):
        self.cancel_timer("leader")

    def on_leader_timeout(self):
        if self.role == "follower":
            self.elect()


def cluster(nodes=5, *, server=Server, clients=1, latency=LATENCY, disk=0, **options):
    """Servers that elect a leader by the bully algorithm.

    Args:
        nodes, clients: how many of each; at least one node.
        server: the class to run, Server or a variant of it.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the server class, such as answer=40, or starters=("n1",), which is the default.
    """
    options = {"starters": ("n1",), **options}
    given = {"latency": latency, "disk": disk, "clients": clients, **options}
    usual = {"latency": LATENCY, "disk": 0, "clients": 1, "starters": ("n1",)}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = f", server={server.__name__}" if server is not Server else ""
    return System(server, nodes, clients=clients, network=Network(latency=latency), disk=disk, options=options,
                  always=ALWAYS, eventually=EVENTUALLY, name="bully", imports="from dslab.protocols import bully",
                  code=f"bully.cluster({nodes}{variant}{''.join(changed)})")
