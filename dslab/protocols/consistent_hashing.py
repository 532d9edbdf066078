"""Consistent hashing: servers that all know each other spread keys over a ring on which each has several points.

Sources: D. Karger and others, "Consistent Hashing and Random Trees", STOC 1997; membership that an administrator
changes, points per server and copies on distinct hosts as in G. DeCandia and others, "Dynamo", SOSP 2007, sections
4.2, 4.3 and 4.8. Where a key goes is decided by the functions of placement.py.

A client may ask any server: that one is the front end and passes the request on to the first keeper of the key, which
numbers writes and gives them to the other keepers. When somebody joins or leaves, keys move to their new keepers; a
version begins with the number of the membership, so an old write that arrives late loses. Left out: failure detection
(a silent keeper is passed over for this request only) and reads that are linearizable.
"""

from __future__ import annotations

from dslab.sim import ClientReply, FrozenDict, FrozenList, Network, Node, NodeError, System, message

from . import placement
from .consistent_hashing_properties import ALWAYS, EVENTUALLY
from .identifiers import identifier

LATENCY = (5, 15)       # ms one way
PATIENCE = 100          # ms until the next keeper is asked, and until a handover is repeated
BITS = 16


@message
class Enter:
    """{source} asks {target} to let it in, or for the newest members."""

    joining: bool


@message
class Members:
    """{source} tells {target} that membership {epoch} is {names}; before it was {before}."""

    epoch: int
    names: list
    before: list


@message
class Pass:
    """{source} passes request {number} on to {target}: the value of {key}, or a write if {is_put}."""

    number: int
    epoch: int
    key: str
    is_put: bool
    value: object


@message
class Answer:
    """{source} answers request {number}: {item}."""

    number: int
    item: object


@message
class Keep:
    """{source} gives {target} what it shall keep (delivery {number})."""

    number: int
    items: dict


@message
class Kept:
    """{source} has delivery {number}."""

    number: int


class Server(Node):
    """A front end for clients and a keeper of keys."""

    shows = ("tokens", "bits", "metric", "host", "copies", "members", "epoch", "keys", "got")
    each = 16             # points of every server
    copies = 2
    hosts = None          # {server: host}; None if every server is one
    first_members = ()

    def on_start(self):
        self.begin()
        self.change(1, list(self.first_members), [])

    def on_join(self, contact):
        self.begin()
        self.change(1, [self.id], [])
        if contact is not None:
            self.epoch = 0
            self.contact = contact
            self.send(contact, Enter(True))
            self.set_timer("patience", after=PATIENCE)

    def begin(self):
        self.bits, self.metric = BITS, "clockwise"
        self.host = self.hosts[self.id] if self.hosts else self.id
        self.contact = None
        self.epoch, self.members, self.before = 0, [], []
        self.store = {}                                  # key -> [[epoch, number], value]
        self.keys, self.tokens, self.got = [], [], 0     # `got`: how many keys were handed over to it
        self.number = 0
        self.asked = {}                                  # number -> what a client wants, as a front end
        self.given = {}                                  # number -> a delivery without a receipt

    def on_leave(self):
        others = [name for name in self.members if name != self.id]
        ring = self.ring(others)
        for name in others:
            items = {key: item for key, item in self.store.items() if name in self.keepers(ring, key)}
            self.send(name, Members(self.epoch + 1, others, self.members))
            if items:
                self.send(name, Keep(0, items))

    # ---- where keys go

    def ring(self, members):
        return placement.points(members, self.each, BITS)

    def points_of(self, ring):
        return [position for position, name in ring if name == self.id]

    def keepers(self, ring, key):
        """Who keeps a key, in order."""
        return placement.keepers(ring, identifier(key, BITS), self.copies, self.hosts)

    # ---- members

    def change(self, epoch, members, before):
        """Takes over a new membership, and gives the keys that it has to their new keepers."""
        self.epoch, self.members, self.before = epoch, members, before
        now, old = self.ring(members), self.ring(before or members)
        self.new_ring, self.old_ring = now, old
        self.tokens = self.points_of(now)
        moving = {}
        for key in self.store:
            were = [name for name in self.keepers(old, key) if name in members]
            if self.id in (*were[:1], *([] if were else [self.id])):
                for name in self.keepers(now, key):
                    if name not in were:
                        moving.setdefault(name, {})[key] = self.store[key]
        for name, items in moving.items():
            self.give(name, items)
        self.tidy()

    def give(self, name, items, then=None):
        self.number += 1
        self.given[self.number] = [name, items, then]
        self.send(name, Keep(self.number, items))
        self.set_timer("patience", after=PATIENCE)

    def tidy(self):
        """Forgets what others keep, once they have it."""
        on_their_way = [key for _, items, _ in self.given.values() for key in items]
        self.store = {key: item for key, item in self.store.items()
                      if key in on_their_way or self.id in self.keepers(self.new_ring, key)}
        self.keys = sorted(identifier(key, BITS) for key in self.store)

    def on_enter(self, sender, m):
        if m.joining and sender not in self.members:
            before, names = self.members, [*self.members, sender]
            for name in names:
                if name != self.id:
                    self.send(name, Members(self.epoch + 1, names, before))
            self.change(self.epoch + 1, names, before)
        else:
            self.send(sender, Members(self.epoch, self.members, self.before))

    def on_members(self, sender, m):
        if m.epoch > self.epoch:
            self.contact = None
            self.change(m.epoch, list(m.names), list(m.before))

    # ---- requests: "x=1" puts, "x" gets

    def on_client_request(self, sender, m):
        key, is_put, value = str(m.command).partition("=")
        if any(wish["client"] == [sender, m.number] for wish in self.asked.values()) or self.epoch == 0:
            return
        candidates = list(dict.fromkeys([*self.keepers(self.new_ring, key), *self.keepers(self.old_ring, key)]))
        self.number += 1
        self.asked[self.number] = {"client": [sender, m.number], "key": key, "is_put": bool(is_put), "value": value,
                                   "left": [name for name in candidates if name in self.members]}
        self.pass_on(self.number)

    def pass_on(self, number):
        """Asks the next keeper; a key that none of them has does not exist."""
        wish = self.asked[number]
        if not wish["left"]:
            if wish["is_put"]:
                del self.asked[number]                   # nobody has the write; the client will ask again
            else:
                self.reply(number, None)
            return
        wish["asking"], *wish["left"] = wish["left"]
        self.send(wish["asking"], Pass(number, self.epoch, wish["key"], wish["is_put"], wish["value"]))
        self.set_timer("patience", after=PATIENCE)

    def reply(self, number, result):
        wish = self.asked.pop(number)
        client, request = wish["client"]
        self.send(client, ClientReply(request, True, result))

    def on_pass(self, sender, m):
        if m.epoch != self.epoch:                        # one of both has missed something
            self.send(sender, Members(self.epoch, self.members, self.before))
            self.send(sender, Enter(False))
            if m.epoch > self.epoch:
                return
        if not m.is_put:
            self.send(sender, Answer(m.number, self.store.get(m.key)))
            return
        _, number = self.store.get(m.key, [[0, 0], None])[0]
        item = [[self.epoch, number + 1], m.value]
        self.take_in({m.key: item})
        others = [name for name in self.keepers(self.new_ring, m.key) if name != self.id and name in self.members]
        for name in others:
            self.give(name, {m.key: item}, [sender, m.number])
        if not others:
            self.send(sender, Answer(m.number, item))

    def on_answer(self, sender, m):
        wish = self.asked.get(m.number)
        if wish is None or wish["asking"] != sender:
            return
        if m.item is None and wish["left"]:
            self.pass_on(m.number)
        else:
            self.reply(m.number, m.item and m.item[1])

    def take_in(self, items):
        for key, item in items.items():
            if key not in self.store or self.store[key][0] < item[0]:
                self.store = {**self.store, key: [list(item[0]), item[1]]}
        self.keys = sorted(identifier(key, BITS) for key in self.store)

    def on_keep(self, sender, m):
        self.got += sum(key not in self.store for key in m.items)
        self.take_in(m.items)
        self.send(sender, Kept(m.number))

    def on_kept(self, sender, m):
        delivery = self.given.pop(m.number, None)
        if delivery is None:
            return
        _, items, then = delivery
        if then and not any(other == then for _, _, other in self.given.values()):
            key, = items
            self.send(then[0], Answer(then[1], self.store.get(key, items[key])))
        self.tidy()

    def on_patience_timeout(self):
        if self.contact is not None:
            self.contact = self.peers[(self.peers.index(self.contact) + 1) % len(self.peers)]
            self.send(self.contact, Enter(True))
        for number in list(self.asked):
            self.pass_on(number)
        for number, (name, items, then) in list(self.given.items()):
            if name in self.members and not then:
                self.send(name, Keep(number, items))
            else:                                        # who is silent gets the write when it is handed over again
                del self.given[number]
                if then and not any(other == then for _, _, other in self.given.values()):
                    key, = items
                    self.send(then[0], Answer(then[1], items[key]))
        if self.contact is not None or self.asked or self.given:
            self.set_timer("patience", after=PATIENCE)


def cluster(nodes=5, *, absent=(), hosts=None, server=Server, clients=1, latency=LATENCY, disk=0, **options):
    """Servers n1 to nN that spread keys over a ring.

    Args:
        nodes, clients: how many of each, those included that are absent.
        absent: names of servers that join later.
        hosts: on which host n1, n2, ... stand, in this order, such as ("a", "a", "b"); None for one each.
        server: the class to run, Server or a variant of it.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the server class, such as each=1 (points per server) or copies=3.

    Raises:
        NodeError: there are more or fewer hosts than servers.
    """
    names = [f"n{i}" for i in range(1, nodes + 1)]
    if hosts is not None and len(hosts) != nodes:
        raise NodeError(f"hosts names {len(hosts)} hosts for {nodes} servers: give one for each")
    given = {"absent": tuple(absent), "hosts": hosts, "latency": latency, "disk": disk, "clients": clients, **options}
    usual = {"absent": (), "hosts": None, "latency": LATENCY, "disk": 0, "clients": 1}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = f", server={server.__name__}" if server is not Server else ""
    inside = {"first_members": FrozenList(name for name in names if name not in absent)}
    if hosts:
        inside["hosts"] = FrozenDict(zip(names, hosts, strict=True))
    return System(server, nodes, clients=clients, network=Network(latency=latency), disk=disk,
                  options={**inside, **options}, absent=absent, always=ALWAYS, eventually=EVENTUALLY,
                  name="consistent_hashing", imports="from dslab.protocols import consistent_hashing",
                  code=f"consistent_hashing.cluster({nodes}{variant}{''.join(changed)})")
