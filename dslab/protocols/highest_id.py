"""Election by announcement: every server says its number, and after a while the highest number heard has won.

Source: the textbook's first try (compare A. Tanenbaum, M. van Steen, "Distributed Systems", chapter on coordination).
It relies on time: every message arrives within half of TIMEOUT, none is lost. Left out: servers that come back.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System, message

from .election_properties import all_agree, nobody_follows_lower, number, one_leader

LATENCY = (5, 15)    # ms one way
TIMEOUT = 40         # ms; twice the longest latency, for a call and what it sets off, and some more

ALWAYS = (one_leader, nobody_follows_lower)
EVENTUALLY = (all_agree,)


@message
class MyNumber:
    """{source} tells {target} that it stands for election with number {number}."""

    number: int


class Server(Node):
    """Stands for election whenever anybody does."""

    shows = ("role", "heard", "leader")
    starters = ()        # names of those who call an election at the start
    timeout = TIMEOUT

    def on_start(self):
        self.role, self.leader, self.heard = "follower", None, {}
        self.asked = {}                                  # client -> number of its last request
        if self.id in self.starters:
            self.stand()

    def stand(self):
        self.role, self.leader = "candidate", None
        self.heard = {self.id: number(self.id)}
        self.broadcast(MyNumber(number(self.id)))
        self.set_timer("decide", after=self.timeout)

    def on_my_number(self, sender, m):
        if self.role != "candidate":
            self.stand()                                 # a leader, too, must be elected again
        self.heard[sender] = m.number

    def on_decide_timeout(self):
        """Whoever could have been heard has been heard, if time is what we think it is."""
        self.leader = self.winner()
        self.role = "leader" if self.leader == self.id else "follower"

    def winner(self):
        return max(self.heard, key=self.heard.get)

    def on_client_request(self, sender, m):
        """The leader answers. Whoever asks another server twice has not found the leader: time for an election."""
        again = self.asked.get(sender) == m.number
        self.asked[sender] = m.number
        if self.leader == self.id:
            self.send(sender, ClientReply(m.number, True, self.id))
            return
        if self.role != "candidate" and (again or self.leader is None):
            self.stand()
        self.send(sender, ClientReply(m.number, False, leader=self.leader))


def cluster(nodes=5, *, server=Server, clients=1, latency=LATENCY, disk=0, **options):
    """Servers that elect the highest number.

    Args:
        nodes, clients: how many of each; at least one node.
        server: the class to run, Server or a variant of it.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the server class, such as timeout=40, or starters=("n1",), which is the default.
    """
    options = {"starters": ("n1",), **options}
    given = {"latency": latency, "disk": disk, "clients": clients, **options}
    usual = {"latency": LATENCY, "disk": 0, "clients": 1, "starters": ("n1",)}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = f", server={server.__name__}" if server is not Server else ""
    return System(server, nodes, clients=clients, network=Network(latency=latency), disk=disk, options=options,
                  always=ALWAYS, eventually=EVENTUALLY, name="highest id",
                  imports="from dslab.protocols import highest_id",
                  code=f"highest_id.cluster({nodes}{variant}{''.join(changed)})")
