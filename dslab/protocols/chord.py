"""Chord: servers on a circle of identifiers; the first one at or after a key owns it, and fingers find it in few hops.

Source: I. Stoica, R. Morris, D. Liben-Nowell, D. Karger, M. Kaashoek, F. Dabek, H. Balakrishnan, "Chord", IEEE/ACM
Transactions on Networking 11(1), 2003 ("the paper"), with its successor lists (section IV-E.3). Three rules are those
of P. Zave, "Reasoning about Identifier Spaces: How to Make Chord Correct", IEEE Transactions on Software Engineering
43(12), 2017: who joins takes over a whole successor list before anybody hears of it; a new successor is adopted only
when it has answered; a list holds no server twice and not its owner. What goes wrong without them is in
chord_variants.py. The ring itself is in chord_ring.py, lookups are in chord_lookup.py; here are the keys.

A key is kept by its owner and by the next servers of its list. Left out: partitions (two halves that have forgotten
each other stay two rings), as many failures at once as there are entries in a list, and reads that are linearizable:
an answered write survives `copies` - 1 failures, but two that write one key may overtake each other, and a write may be
overtaken by the value before it while several servers join side by side and hand the key on (about one storm in 700).
"""

from __future__ import annotations

from dslab.sim import ClientReply, FrozenDict, FrozenList, Network, NodeError, System, message

from .chord_lookup import Router
from .chord_properties import EVENTUALLY, ROUNDS, lookups_find_the_owner, mends_within, successors_in_order
from .chord_ring import PERIOD
from .identifiers import identifier, owned

LATENCY = (5, 15)       # ms one way
JUDGED = 64             # servers; larger rings run without properties

ALWAYS = (successors_in_order, lookups_find_the_owner, *mends_within(ROUNDS * PERIOD))


@message
class Store:
    """{source} writes {value} under {name} at its owner {target}."""

    number: int
    name: str
    value: object


@message
class Stored:
    """{source} and the next servers have the write of lookup {number}."""

    number: int


@message
class Refused:
    """{source} does not own what lookup {number} is about, or does not have all of it yet."""

    number: int


@message
class Fetch:
    """{source} asks {target} for {name}."""

    number: int
    name: str


@message
class Fetched:
    """{source} answers lookup {number} with [version, value], or None; next in its list: {successors}."""

    number: int
    item: object
    successors: list


@message
class Keep:
    """{source} gives {target} its keys in ({low}, {high}]."""

    low: int
    high: int
    items: dict


@message
class Kept:
    """{source} has the keys in ({low}, {high}]."""

    low: int
    high: int


@message
class Leaving:
    """{source} leaves: {predecessor} stood before it, {successors} after it, and here is what it kept."""

    predecessor: object
    successors: list
    items: dict


class Server(Router):
    """A server of the ring that keeps keys."""

    shows = ("position", "bits", "metric", "predecessor", "successors", "list_length", "fingers", "keys",
             "lookups")
    copies = 2            # of a key: at its owner and at the next servers

    def reset(self):
        super().reset()
        self.store = {}                                  # name -> [version, value]
        self.keys = []                                   # the identifiers of those that it owns
        self.owed = []                                   # [to, low, high]: keys to be given until there is a receipt
        self.promised = []                               # [to, number, identifier]: writes to be confirmed
        self.covered = None                              # predecessor and keepers of copies, when they were served last

    # ---- what clients want: "x=1" writes, "x" reads, "#17" asks who owns an identifier

    def on_client_request(self, sender, m):
        asked = [sender, m.number]
        if not self.member or any(search["task"][1:3] == asked for search in self.searches.values()):
            return                                       # the client will ask again
        name, is_write, value = str(m.command).partition("=")
        if name.startswith("#") and name[1:].isdigit():
            self.find_successor(int(name[1:]) % (1 << self.bits), ["route", *asked])
        else:
            task = ["put", *asked, name, value] if is_write else ["get", *asked, name]
            self.find_successor(identifier(name, self.bits), task)

    def owner_found(self, number, task, owner):
        if task[0] == "route":
            self.answer(number, owner)
        elif task[0] in ("get", "put"):
            self.expect(number, owner)
            self.send(owner, Fetch(number, task[3]) if task[0] == "get" else Store(number, task[3], task[4]))
        else:
            super().owner_found(number, task, owner)

    def answer(self, number, result):
        _, client, request, *_ = self.searches[number]["task"]
        self.finish(number, "found")
        self.send(client, ClientReply(request, True, result))

    def on_fetch(self, sender, m):
        if self.member:
            self.send(sender, Fetched(m.number, self.store.get(m.name), self.successors[:self.copies]))

    def on_fetched(self, sender, m):
        if not self.answered(sender, m.number):
            return
        search = self.searches[m.number]
        untried = [name for name in m.successors if name not in search["avoid"] and name != sender]
        if m.item is None and untried and len(search["avoid"]) < self.copies:
            search["avoid"] = [*search["avoid"], sender]           # it may be new there and lack the key
            self.owner_found(m.number, search["task"], untried[0])
        else:
            self.answer(m.number, m.item and m.item[1])

    def on_store(self, sender, m):
        key = identifier(m.name, self.bits)
        lost = self.predecessor is None and self.successors      # where its own keys begin
        if not self.member or self.fresh or lost or not self.owns(key):
            self.send(sender, Refused(m.number))         # it does not know, or no longer, what there is to overwrite
            return
        version = self.store.get(m.name, [0, None])[0]
        self.take_in({m.name: [version + 1, m.value]})
        self.promised.append([sender, m.number, key])
        for keeper in self.keepers():
            self.owe(keeper, key - 1 & (1 << self.bits) - 1, key)
        self.keep_promises()

    def on_stored(self, sender, m):
        if self.answered(sender, m.number):
            self.answer(m.number, self.searches[m.number]["task"][4])

    def on_refused(self, sender, m):
        if self.answered(sender, m.number):
            self.finish(m.number, "refused")             # the client will ask again

    # ---- copies

    def keepers(self):
        """Who keeps a copy of what this server owns."""
        return self.successors[:self.copies - 1]

    def take_in(self, items):
        for name, item in items.items():
            if item[0] > self.store.get(name, [0])[0]:
                self.store[name] = list(item)
        self.count_keys()

    def owns(self, key):
        """Whether a key is this server's: it comes after the predecessor, which has got all before it."""
        low = self.position if self.predecessor is None else self.position_of(self.predecessor)
        return owned(key, low, self.position, self.bits)

    def count_keys(self):
        held = [identifier(name, self.bits) for name in self.store]
        self.keys = sorted(key for key in held if self.owns(key))

    def owe(self, to, low, high, even_nothing=False):
        items = {name: item for name, item in self.store.items()
                 if owned(identifier(name, self.bits), low, high, self.bits)}
        if items or even_nothing:
            if [to, low, high] not in self.owed:
                self.owed.append([to, low, high])
            self.send(to, Keep(low, high, items))

    def on_keep(self, sender, m):
        if self.member:
            self.take_in(m.items)
            if sender == self.successor and m.low == self.position_of(sender):
                self.fresh = False                       # it got what lies before its successor
            self.send(sender, Kept(m.low, m.high))

    def on_kept(self, sender, m):
        self.owed = [debt for debt in self.owed if debt != [sender, m.low, m.high]]
        self.keep_promises()

    def keep_promises(self):
        """Confirms the writes whose copies are safe."""
        open_ = [high for _, _, high in self.owed]
        for to, number, key in self.promised:
            if key not in open_:
                self.send(to, Stored(number))
        self.promised = [promise for promise in self.promised if promise[2] in open_]

    def on_stabilize_timeout(self):
        super().on_stabilize_timeout()
        if self.member and not self.successors:
            self.fresh = False                           # there is nobody left who could give it anything
        self.cover()
        debts, self.owed = self.owed, []
        for to, low, high in debts:
            if to == self.predecessor or to in self.keepers():
                self.owe(to, low, high, True)
        self.keep_promises()

    def cover(self):
        """Gives all that it owns to those who shall keep copies, if they or its own keys have changed."""
        now = [self.predecessor, self.keepers()]
        if self.predecessor is not None and now != self.covered:
            self.covered = now
            for keeper in now[1]:
                self.owe(keeper, self.position_of(self.predecessor), self.position)

    def new_predecessor(self, name):
        super().new_predecessor(name)
        self.count_keys()
        self.cover()

    def on_notify(self, sender, m):
        before = self.predecessor
        super().on_notify(sender, m)
        if self.predecessor != before:
            self.new_predecessor(self.predecessor)
        if self.predecessor == sender and (before != sender or m.fresh) and not self.fresh:
            self.owe(sender, self.position, self.position_of(sender), True)       # section IV-E.1: its keys

    # ---- leaving in order (section IV-E.4)

    def on_leave(self):
        for name in dict.fromkeys([self.successor, self.predecessor]):
            if name not in (None, self.id):
                self.send(name, Leaving(self.predecessor, self.successors, self.store))

    def on_leaving(self, sender, m):
        self.take_in(m.items)
        if sender == self.successor:
            self.adopt_list([name for name in m.successors if name != self.id])
        self.gone(sender)
        if sender == self.predecessor:
            self.new_predecessor(m.predecessor if m.predecessor != self.id else None)


def cluster(nodes=8, *, absent=(), joined=True, bits=None, positions=None, server=Server, clients=1, latency=LATENCY,
            disk=0, **options):
    """A ring of servers n1 to nN.

    Args:
        nodes, clients: how many of each, those included that are absent.
        absent: names of servers that join later; of the others, the first makes the ring.
        joined: whether the others begin with the tables of a finished ring; otherwise all but one join at the start.
        bits: the circle has 2**bits identifiers, 1 to 160; None for as many as it takes that no two servers meet.
        positions: identifiers of n1, n2, ... in this order, all different; None for the hashes of the names.
        server: the class to run, Server or a variant of it.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the server class, such as list_length=3, copies=3, or period=None for no repairs at all.

    Raises:
        NodeError: two servers have one position, or there are more or fewer positions than servers.
    """
    names = [f"n{i}" for i in range(1, nodes + 1)]
    width = bits or (16 if nodes <= JUDGED else 32)
    if positions is not None and len(positions) != nodes:
        raise NodeError(f"positions has {len(positions)} identifiers for {nodes} servers: give one for each")
    placed = dict(zip(names, positions)) if positions else {name: identifier(name, width) for name in names}
    for name, position in placed.items():
        if not 0 <= position < 1 << width:
            raise NodeError(f"{name} stands at {position}, outside the circle of 2**{width} identifiers")
    if len(set(placed.values())) < nodes:
        raise NodeError(f"two of {nodes} servers stand at one of 2**{width} identifiers: take more bits")
    present = [name for name in names if name not in absent]
    given = {"absent": tuple(absent), "joined": joined, "bits": bits, "positions": positions, "latency": latency,
             "disk": disk, "clients": clients, **options}
    usual = {"absent": (), "joined": True, "bits": None, "positions": None, "latency": LATENCY, "disk": 0, "clients": 1}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = f", server={server.__name__}" if server is not Server else ""
    members = sorted(present, key=placed.__getitem__)
    inside = {"bits": width, "joined": joined, "founder": present[0] if present else None,
              "members": FrozenList(members), "places": FrozenList(placed[name] for name in members)}
    if positions:
        inside["positions"] = FrozenDict(placed)
    period = options.get("period", server.period)
    always = ALWAYS if period == PERIOD else ALWAYS[:2] + (mends_within(ROUNDS * period) if period else ())
    return System(server, nodes, clients=clients, network=Network(latency=latency), disk=disk,
                  options={**inside, **options}, absent=absent, always=always if nodes <= JUDGED else (),
                  eventually=EVENTUALLY if nodes <= JUDGED else (), name="chord",
                  imports="from dslab.protocols import chord",
                  code=f"chord.cluster({nodes}{variant}{''.join(changed)})")
