"""Ben-Or: agreement on 0 or 1 without any assumption about time, because those who are in doubt toss a coin.

Source: M. Ben-Or, "Another Advantage of Free Choice: Completely Asynchronous Agreement Protocols", PODC 1983, protocol
A (crashes only). It needs fewer than half of the servers to crash, and links that lose nothing; messages may take as
long as they like. It ends with probability one. Left out: servers that come back.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System, message, title, violation

LATENCY = (5, 15)    # ms one way
BEGIN = 10           # ms until a server says what it prefers, so that a schedule can come first

BOUNDS = {"timeouts": None}      # of an exploration, unless told otherwise: `last` bounds the rounds


@message
class Report:
    """{source} tells {target} that it prefers {value} in round {round}."""

    round: int
    value: int


@message
class Proposal:
    """{source} tells {target} that in round {round} a majority prefers {value}; None: it has seen no majority."""

    round: int
    value: int | None


class Server(Node):
    """One server with an opinion."""

    shows = ("round", "step", "value", "reports", "proposals", "tossed", "decided")
    inputs = ()          # 0 or 1 for each server in turn; who has none begins with its place: even 0, odd 1
    begin = BEGIN
    last = None          # number of the last round; None to go on until it is decided

    def on_start(self):
        place = sorted([self.id, *self.peers], key=lambda name: (len(name), name)).index(self.id)
        self.value = self.inputs[place] if place < len(self.inputs) else place % 2
        self.round, self.step, self.tossed, self.decided = 0, "report", False, None
        self.reports, self.proposals = {}, {}            # round -> {sender: value}
        self.waiting = {}                                # client -> number of its request
        self.set_timer("begin", after=self.begin)

    def on_begin_timeout(self):
        self.next_round()

    @property
    def servers(self):
        return len(self.peers) + 1

    @property
    def faults(self):
        """t: the most servers that may crash."""
        return (self.servers - 1) // 2

    @property
    def enough(self):
        """Who waits for more may wait for ever."""
        return self.servers - self.faults

    def next_round(self):
        """Step 1: everybody says what it prefers."""
        self.round, self.step = self.round + 1, "report"
        self.hear(self.reports, self.round, self.id, self.value)
        self.broadcast(Report(self.round, self.value))
        self.go_on()

    def hear(self, heard, number, sender, value):
        """Notes what was said in a round; some are rounds ahead, and what comes too late needs no note."""
        late = self.step == "done" or (heard is self.reports and self.step == "propose")
        if number > self.round or (number == self.round and not late):
            heard.setdefault(number, {})[sender] = value

    def on_report(self, sender, m):
        self.hear(self.reports, m.round, sender, m.value)
        self.go_on()

    def on_proposal(self, sender, m):
        self.hear(self.proposals, m.round, sender, m.value)
        self.go_on()

    def go_on(self):
        if self.step == "report" and len(self.reports.get(self.round, {})) >= self.enough:
            proposal = self.majority(list(self.reports.pop(self.round).values()))
            self.step = "propose"
            self.hear(self.proposals, self.round, self.id, proposal)
            self.broadcast(Proposal(self.round, proposal))
        if self.step == "propose" and len(self.proposals.get(self.round, {})) >= self.enough:
            self.conclude(list(self.proposals.pop(self.round).values()))

    def majority(self, values):
        """Step 2: the value that more than half of all servers prefer; no two servers can see different ones."""
        return next((value for value in (0, 1) if 2 * values.count(value) > self.servers), None)

    def conclude(self, proposals):
        """Step 3: decides if nobody can miss the proposal; follows it if there is one; otherwise tosses a coin."""
        proposed = [value for value in proposals if value is not None]
        over = self.decided is not None                  # this was the round more in which all others decide
        if len(proposed) > self.faults:
            self.decide(proposed[0])
        self.tossed = not proposed
        self.value = proposed[0] if proposed else self.coin()
        if over or self.round == self.last:
            self.step, self.reports, self.proposals = "done", {}, {}
        else:
            self.next_round()

    def coin(self):
        return self.random.randrange(2)

    def decide(self, value):
        self.decided = value
        self.answer()

    def on_client_request(self, sender, m):
        """A client asks what is decided."""
        self.waiting[sender] = m.number
        self.answer()

    def answer(self):
        if self.decided is not None:
            for client, number in self.waiting.items():
                self.send(client, ClientReply(number, True, self.decided))
            self.waiting = {}


@title("Agreement")
def agreement(world):
    """No two servers decide differently."""
    server = world.changed
    if server is None or getattr(server, "decided", None) is None:
        return None
    who, first = world.memory.setdefault("decided", (server.id, server.decided))
    if first != server.decided:
        return violation(f"{who} decided {first}, and {server.id} {server.decided}", nodes=[who, server.id],
                         expected=f"{first}", found=f"{server.decided}")
    return None


@title("Validity")
def validity(world):
    """If all begin with the same value, nobody decides the other one."""
    server = world.changed
    if server is None or not hasattr(server, "decided"):
        return None
    begun = world.memory.setdefault("begun", {})
    begun.setdefault(server.id, server.value)
    if server.decided is None or server.decided in begun.values():
        return None
    return violation(f"{server.id} decided {server.decided}, with which nobody began", nodes=[server.id],
                     expected=f"one of {sorted(set(begun.values()))}", found=f"{server.decided}")


@title("All decide")
def all_decide(world):
    """Every server that runs has decided."""
    return all(getattr(s, "decided", None) is not None for s in world.servers if s.status == "up")


ALWAYS = (agreement, validity)
EVENTUALLY = (all_decide,)


def cluster(nodes=5, *, server=Server, clients=1, latency=LATENCY, disk=0, **options):
    """Servers that agree on 0 or 1.

    Args:
        nodes, clients: how many of each; at least one node.
        server: the class to run, Server or a variant of it.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the server class, such as inputs=(0, 1, 1), or last=2: rounds, for a search.
    """
    given = {"latency": latency, "disk": disk, "clients": clients, **options}
    usual = {"latency": LATENCY, "disk": 0, "clients": 1}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = f", server={server.__name__}" if server is not Server else ""
    return System(server, nodes, clients=clients, network=Network(latency=latency), disk=disk, options=options,
                  always=ALWAYS, eventually=EVENTUALLY, name="ben-or", imports="from dslab.protocols import ben_or",
                  code=f"ben_or.cluster({nodes}{variant}{''.join(changed)})")
