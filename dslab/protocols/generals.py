"""Byzantine generals with oral messages: loyal generals agree although m of n >= 3m+1 are traitors.

Source: Lamport, Shostak, Pease, "The Byzantine Generals Problem", ACM TOPLAS 4(3), 1982, sections 1 to 3: OM(m).
Traitors come from the schedule (turn_traitor), never from the code. Left out: signed messages, SM(m) of section 4.
"""

from __future__ import annotations

from collections import Counter

from dslab.sim import Network, Node, System, message, title, violation

ATTACK, RETREAT = "attack", "retreat"
ROUND = 20               # ms; longer than any message takes, so that a missing message is noticed (assumption A3)
LATENCY = (5, 15)        # ms one way


@message
class Order:
    """{source} tells {target} that the order is {value}, heard by way of {path}."""

    value: str
    path: list[str]      # from the commander on, the last one is the sender


class General(Node):
    """A general who runs OM(m); n1 is the commander."""

    shows = ("role", "order", "heard", "decision")
    m = None                                 # rounds of relaying; None for one for every three lieutenants
    order = ATTACK                           # what the commander wants

    def on_start(self):
        self.generals = sorted([self.id, *self.peers], key=lambda name: (len(name), name))
        self.role = "commander" if self.id == self.generals[0] else "lieutenant"
        if self.role == "lieutenant":
            self.order = None
        self.heard = {}                      # "n1 n3" -> what n3 says that n1 told it
        self.decision = None
        self.round = 0
        self.set_timer("round", after=ROUND)

    @property
    def depth(self):
        return max(1, (len(self.generals) - 1) // 3) if self.m is None else self.m

    # ---- OM(m): who says what to whom

    def on_round_timeout(self):
        """In round k a message has been through k generals; what is late is as good as never sent."""
        self.round += 1
        if self.round == 1 and self.role == "commander":
            self.decision = self.order
            self.broadcast(Order(self.order, [self.id]))         # OM(m), step 1
        if self.role == "lieutenant" and 1 < self.round <= self.depth + 1:
            for path in self.paths(self.round - 1):
                self.relay(path)
        if self.round <= self.depth + 1:
            self.set_timer("round", after=ROUND)
        elif self.role == "lieutenant":
            self.decision = self.value_of((self.generals[0],))

    def relay(self, path):
        """Acts as the commander of OM(m-1), with the value that came along this path (OM(m), step 2)."""
        for general in self.generals:
            if general != self.id and general not in path:
                self.send(general, Order(self.told(path), [*path, self.id]))

    def on_order(self, sender, m):
        if self.is_timely(m) and self.is_plausible(sender, m):
            self.heard.setdefault(" ".join(m.path), m.value)

    def is_timely(self, m):
        return len(m.path) == self.round

    def is_plausible(self, sender, m):
        """The receiver knows who sent a message (assumption A2), and it has come by way of different generals."""
        return m.path[-1:] == [sender] and tuple(m.path) in self.paths(len(m.path))

    def paths(self, length):
        """All ways by which a message can have come here through so many generals."""
        found = [(self.generals[0],)]
        for _ in range(length - 1):
            found = [(*path, g) for path in found for g in self.generals if g not in path and g != self.id]
        return found if self.role == "lieutenant" else []

    # ---- OM(m): what to believe

    def told(self, path):
        """The value that came along a path; retreat if none did."""
        return self.heard.get(" ".join(path), RETREAT)

    def value_of(self, path):
        """The majority of what was told along this path and what every other lieutenant says of it (OM(m), step 3)."""
        if len(path) == self.depth + 1:
            return self.told(path)
        others = [g for g in self.generals if g not in path and g != self.id]
        return self.majority([self.told(path), *(self.value_of((*path, general)) for general in others)])

    def majority(self, values):
        value, votes = Counter(values).most_common(1)[0]
        return value if 2 * votes > len(values) else RETREAT


@title("IC1: all obey the same order")
def interactive_consistency_1(world):
    """All loyal lieutenants obey the same order."""
    decided = _decided(world)
    different = [g for g in decided if g.decision != decided[0].decision]
    if not different:
        return None
    first, other = decided[0], different[0]
    return violation(f"{first.id} decides to {first.decision} and {other.id} to {other.decision}",
                     nodes=[first.id, other.id], expected=first.decision, found=other.decision)


@title("IC2: all obey a loyal commander")
def interactive_consistency_2(world):
    """If the commander is loyal, every loyal lieutenant obeys the order he sends."""
    commander = world.servers[0]
    wrong = [g for g in _decided(world) if g.decision != commander.order]
    if commander.traitor or not wrong:
        return None
    return violation(f"the loyal commander says {commander.order}, and {wrong[0].id} decides to {wrong[0].decision}",
                     nodes=[commander.id, wrong[0].id], expected=commander.order, found=wrong[0].decision)


@title("All decide")
def all_decide(world):
    """Every loyal lieutenant decides."""
    return len(_decided(world)) == sum(not g.traitor for g in world.servers[1:])


def _decided(world):
    return [g for g in world.servers[1:] if not g.traitor and getattr(g, "decision", None) is not None]


ALWAYS = (interactive_consistency_1, interactive_consistency_2)
EVENTUALLY = (all_decide,)


def messages_of(n, m):
    """How many messages OM(m) takes among n generals: (n-1) + (n-1)(n-2) + ... with m+1 terms."""
    total, term = 0, 1
    for k in range(1, m + 2):
        term *= n - k
        total += term
    return total


def cluster(nodes=4, *, server=General, clients=0, latency=LATENCY, **options):
    """Generals on hills around a city; n1 commands.

    Args:
        nodes: how many generals.
        server: the class to run, General or a variant of it.
        clients: of no use here; 0.
        latency: ms one way, less than ROUND: a number or a pair (lowest, highest).
        options: attributes of the class: m=1 (the traitors to stand), order="attack".
    """
    given = {"clients": clients, "latency": latency, **options}
    usual = {"clients": 0, "latency": LATENCY}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = f", server={server.__name__}" if server is not General else ""
    return System(server, nodes, clients=clients, network=Network(latency=latency), options=options, always=ALWAYS,
                  eventually=EVENTUALLY, name="generals", imports="from dslab.protocols import generals",
                  code=f"generals.cluster({nodes}{variant}{''.join(changed)})")
