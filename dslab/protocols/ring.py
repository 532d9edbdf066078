"""Ring election: numbers travel round a ring in one direction, and only the highest comes all the way round.

Source: E. Chang, R. Roberts, "An Improved Algorithm for Decentralized Extrema-Finding in Circular Configurations of
Processes", Communications of the ACM 22(5), 1979. Safe whatever happens; it ends when all servers of the ring run and
no message is lost. A client's question starts it again.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System, message

from .election_properties import all_agree, highest_leads, nobody_follows_lower, one_leader

LATENCY = (5, 15)    # ms one way

ALWAYS = (one_leader, highest_leads, nobody_follows_lower)
EVENTUALLY = (all_agree,)


@message
class Election:
    """{source} passes number {number} on to {target}."""

    number: int


@message
class Elected:
    """{source} tells {target} that {leader}, number {number}, leads."""

    number: int
    leader: str


class Server(Node):
    """One server of the ring; it sends to its successor only."""

    shows = ("number", "successor", "marked", "role", "leader")
    starters = None      # names of those who start; None for all
    numbers = None       # of the servers in ring order, all different; None for 1, 2, ...

    def on_start(self):
        ring = sorted([self.id, *self.peers], key=lambda name: (len(name), name))
        place = ring.index(self.id)
        self.successor = ring[(place + 1) % len(ring)]
        self.number = self.numbers[place] if self.numbers else place + 1
        self.marked = False                              # whether its number, or a higher, is on its way
        self.role, self.leader = "follower", None
        self.waiting = {}                                # client -> number of its request
        if self.starters is None or self.id in self.starters:
            self.start()

    def start(self):
        self.marked, self.role = True, "candidate"
        self.send(self.successor, Election(self.number))

    def on_election(self, sender, m):
        if m.number == self.number:
            self.win()
            return
        passed = self.pass_on(m.number)
        if passed is not None:
            self.marked, self.role = True, "candidate"
            self.send(self.successor, Election(passed))

    def pass_on(self, received):
        """What goes on to the successor when another server's number arrives; None for nothing."""
        if received > self.number:
            return received
        return None if self.marked else self.number      # a lower number dies here, so only the highest gets round

    def win(self):
        self.role, self.leader = "leader", self.id
        self.send(self.successor, Elected(self.number, self.id))

    def on_elected(self, sender, m):
        self.marked, self.leader = False, m.leader
        if m.leader != self.id:
            self.role = "follower"
            self.send(self.successor, m)
        self.answer()

    def on_client_request(self, sender, m):
        """A client asks who leads."""
        self.waiting[sender] = m.number
        if self.leader is None:
            self.start()                                 # again, if need be: a number may have been lost
        else:
            self.answer()

    def answer(self):
        for client, request in self.waiting.items():
            self.send(client, ClientReply(request, True, self.leader))
        self.waiting = {}


def cluster(nodes=5, *, server=Server, clients=1, latency=LATENCY, disk=0, **options):
    """A ring of servers, n1 to nN, that elect the one with the highest number.

    Args:
        nodes, clients: how many of each; at least one node.
        server: the class to run, Server or a variant of it.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the server class, such as numbers=(2, 3, 1), or starters=("n1",): the default is all.
    """
    given = {"latency": latency, "disk": disk, "clients": clients, **options}
    usual = {"latency": LATENCY, "disk": 0, "clients": 1}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = f", server={server.__name__}" if server is not Server else ""
    return System(server, nodes, clients=clients, network=Network(latency=latency), disk=disk, options=options,
                  always=ALWAYS, eventually=EVENTUALLY, name="ring", imports="from dslab.protocols import ring",
                  code=f"ring.cluster({nodes}{variant}{''.join(changed)})")
