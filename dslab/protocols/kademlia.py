"""Kademlia: servers that know many near them and few far away, where near means a small XOR of identifiers.

Source: P. Maymounkov, D. Mazieres, "Kademlia: A Peer-to-peer Information System Based on the XOR Metric", IPTPS 2002.
Names are the paper's: k, alpha, k-buckets, PING, STORE, FIND_NODE, FIND_VALUE. Buckets do not split; there is one for
each length of the prefix that names share with the server's own (section 2.2). Left out: caching of values on the
way, expiry, and the faster republishing of section 2.5. Nobody leaves in order: who goes is silent.
"""

from __future__ import annotations

from bisect import bisect_left

from dslab.sim import ClientReply, FrozenDict, FrozenList, Network, Node, NodeError, System, message

from .identifiers import identifier
from .kademlia_properties import ALWAYS, EVENTUALLY, prefix

LATENCY = (5, 15)       # ms one way
PATIENCE = 60           # ms after which an answer is overdue; at the second time the server counts as gone
REFRESH = 5_000         # ms between two refreshes; the paper has an hour
SHOWN = 3               # lookups that a server shows
JUDGED = 64             # servers; larger networks run without properties
BOUNDS = {"timeouts": {"patience": 1}}     # of an exploration, which cannot follow all that a refresh draws


@message
class Ping:
    """{source} asks whether {target} lives."""


@message
class Pong:
    """{source} lives."""


@message
class FindNode:
    """{source} asks {target} for the servers closest to {key}."""

    number: int
    key: int


@message
class FindValue:
    """{source} asks {target} for {name}, or for the servers closest to it."""

    number: int
    name: str


@message
class Nodes:
    """{source} names the closest that it knows: {names}."""

    number: int
    names: list


@message
class Value:
    """{source} has what lookup {number} looks for: {item}."""

    number: int
    item: list


@message
class Store:
    """{source} gives {target} {name} to keep: {item}."""

    name: str
    item: list


class Server(Node):
    """A server with its k-buckets."""

    shows = ("position", "bits", "metric", "k", "buckets", "keys", "lookups")
    bits = 16
    positions = None      # {name: identifier}; None for the hash of the name
    members, places = (), ()      # who is there at first and where, in the order of identifiers
    joined = True         # whether those begin with filled buckets
    founder = None        # whom the others ask if not
    k = 4                 # servers in a bucket, and copies of a key; the paper has 20
    alpha = 3             # questions in flight of one lookup
    refresh = REFRESH

    # ---- starting and joining

    def on_start(self):
        self.begin()
        if self.joined and self.id in self.members:
            self.fill_buckets()
        elif self.id != self.founder:
            self.join(self.founder)

    def on_join(self, contact):
        self.begin()
        if contact is not None:
            self.join(contact)

    def begin(self):
        self.position, self.metric = self.position_of(self.id), "xor"
        self.buckets = {}                                # "length of the shared prefix" -> names, longest unseen first
        self.store, self.keys = {}, []                   # name -> [version, value]; the identifiers of these names
        self.numbers, self.searches, self.lookups = 0, {}, {}
        self.doubted = {}                                # "length" -> [the one that is pinged, who wants its place]
        self.looked_into = {}                            # "length" -> True, since the last refresh
        if self.refresh is not None:
            self.set_timer("refresh", between=(self.refresh / 2, 3 * self.refresh / 2))

    def position_of(self, name):
        """The identifier of a server."""
        return self.positions[name] if self.positions else identifier(name, self.bits)

    def fill_buckets(self):
        """Up to k servers in each bucket, as long use would have filled them; neighbours begin at different ones."""
        for length in range(self.bits):
            width = self.bits - length - 1
            first = (self.position >> width ^ 1) << width         # the identifiers that differ in this bit first
            low, high = bisect_left(self.places, first), bisect_left(self.places, first + (1 << width))
            size = high - low
            if size:
                self.buckets[str(length)] = [self.members[low + (self.position + i) % size]
                                             for i in range(min(self.k, size))]

    def join(self, contact):
        """Section 2.3: the contact goes into a bucket, then the server looks itself up."""
        if contact is not None:
            self.seen(contact)
            self.find(self.position, ["join"])

    # ---- buckets (section 2.2)

    def seen(self, name):
        """A message has come from a server: it goes to the end of its bucket, or the oldest there is pinged."""
        if name == self.id:
            return
        length = str(prefix(self.position, self.position_of(name), self.bits))
        bucket = self.buckets.setdefault(length, [])
        if name in bucket:
            bucket.remove(name)
            bucket.append(name)
            if length in self.doubted and self.doubted[length][0] == name:
                del self.doubted[length]                 # the old one lives, so it stays: who lived long lives on
        elif len(bucket) < self.k:
            bucket.append(name)
        elif length not in self.doubted:
            self.doubted[length] = [bucket[0], name]
            self.send(bucket[0], Ping())
            self.set_timer("ping", after=2 * PATIENCE)

    def silent(self, name):
        """A server did not answer: out of its bucket."""
        bucket = self.buckets.get(str(prefix(self.position, self.position_of(name), self.bits)), [])
        if name in bucket:
            bucket.remove(name)

    def on_ping_timeout(self):
        doubted, self.doubted = self.doubted, {}
        for old, new in doubted.values():
            self.silent(old)
            self.seen(new)

    def on_ping(self, sender, m):
        self.seen(sender)
        self.send(sender, Pong())

    def on_pong(self, sender, m):
        self.seen(sender)

    def closest(self, key, count):
        """The servers nearest to a key that this one knows, itself included."""
        known = [self.id, *(name for bucket in self.buckets.values() for name in bucket)]
        return sorted(known, key=lambda name: self.position_of(name) ^ key)[:count]

    def on_find_node(self, sender, m):
        self.send(sender, Nodes(m.number, self.closest(m.key, self.k)))
        self.seen(sender)

    def on_find_value(self, sender, m):
        if m.name in self.store:
            self.send(sender, Value(m.number, self.store[m.name]))
        else:
            self.send(sender, Nodes(m.number, self.closest(identifier(m.name, self.bits), self.k)))
        self.seen(sender)

    # ---- lookups (section 2.3)

    def find(self, key, task):
        """Begins a lookup.

        Args:
            key: an identifier.
            task: a list whose first item says what for: "join", "refresh", "republish", "route", "get" or "put".
        """
        self.numbers += 1
        length = prefix(self.position, key, self.bits)
        self.looked_into[str(length)] = True
        self.searches[self.numbers] = {"key": key, "task": task, "known": self.closest(key, self.k), "path": [self.id],
                                       "asked": {self.id: "answered"}, "state": "going"}
        self.go_on(self.numbers)

    def go_on(self, number):
        """Asks the closest that have not been asked, alpha at a time, until the k closest have answered."""
        search = self.searches[number]
        asked = search["asked"]
        alive = [name for name in search["known"] if asked.get(name) != "silent"][:self.k]
        going = sum(state in ("asking", "overdue") for state in asked.values())
        for name in alive:
            if name not in asked and going < self.alpha:
                going += 1
                asked[name] = "asking"
                task = search["task"]
                self.send(name, FindValue(number, task[3]) if task[0] == "get" else FindNode(number, search["key"]))
                self.set_timer("patience", after=PATIENCE)
        if all(asked.get(name) == "answered" for name in alive):
            self.finish(number, alive)
        else:
            self.show(number)

    def answered(self, sender, number):
        """The search that an answer belongs to, or None."""
        self.seen(sender)
        search = self.searches.get(number)
        if search is None or search["asked"].get(sender) not in ("asking", "overdue"):
            return None
        search["asked"][sender] = "answered"
        search["path"] = [*search["path"], sender]
        return search

    def on_nodes(self, sender, m):
        search = self.answered(sender, m.number)
        if search is not None:
            known = dict.fromkeys([*search["known"], *m.names])
            search["known"] = sorted(known, key=lambda name: self.position_of(name) ^ search["key"])
            self.go_on(m.number)

    def on_value(self, sender, m):
        search = self.answered(sender, m.number)
        if search is not None:
            search["found"] = list(m.item)
            self.finish(m.number, [sender])

    def on_patience_timeout(self):
        for number, search in list(self.searches.items()):
            for name, state in list(search["asked"].items()):
                if state == "overdue":
                    search["asked"][name] = "silent"
                    self.silent(name)
                elif state == "asking":
                    search["asked"][name] = "overdue"
            self.go_on(number)
        if self.searches:
            self.set_timer("patience", after=PATIENCE)

    def finish(self, number, closest):
        search = self.searches[number]
        search["state"], search["closest"] = "found", closest
        for name, state in search["asked"].items():
            search["asked"][name] = "answered" if state == "answered" else "silent"
        self.show(number)
        del self.searches[number]
        task = search["task"]
        if task[0] == "join":
            self.refresh_buckets(search["closest"])
        elif task[0] == "route":
            self.send(task[1], ClientReply(task[2], True, closest[0] if closest else None))
        elif task[0] == "get":
            item = search.get("found") or self.store.get(task[3])
            self.send(task[1], ClientReply(task[2], True, item and item[1]))
        elif task[0] == "put":
            self.give(closest, task[3], [self.store.get(task[3], [0])[0] + 1, task[4]])
            self.send(task[1], ClientReply(task[2], True, task[4]))
        elif task[0] == "republish":
            self.give(closest, task[3], self.store[task[3]])

    def show(self, number):
        search = self.searches[number]
        if search["task"][0] in ("refresh", "republish"):
            return                                       # they would crowd out what somebody asked for
        going = search["state"] == "going"
        closest = search.get("closest", [])
        shown = {"key": search["key"], "path": search["path"], "state": search["state"], "closest": closest,
                 "asking": [name for name, state in search["asked"].items() if going and state != "answered"],
                 "owner": closest[0] if closest else None}
        self.lookups = dict(list({**self.lookups, str(number): shown}.items())[-SHOWN:])

    # ---- refresh and republish (sections 2.3 and 2.5)

    def on_refresh_timeout(self):
        self.set_timer("refresh", between=(self.refresh / 2, 3 * self.refresh / 2))
        self.refresh_buckets(())
        self.looked_into = {}
        for name in self.store:
            self.find(identifier(name, self.bits), ["republish", None, None, name])

    def refresh_buckets(self, closest):
        """A lookup of a random identifier in each bucket that nobody has looked into, up to the closest neighbour."""
        far = [prefix(self.position, self.position_of(name), self.bits) for name in closest if name != self.id]
        for length in range(max(far, default=max(map(int, self.buckets), default=-1)) + 1):
            if str(length) not in self.looked_into:
                width = self.bits - length - 1
                first = (self.position >> width ^ 1) << width
                self.find(first | self.random.randrange(1 << width), ["refresh"])

    # ---- clients and keys: "x=1" writes, "x" reads, "#17" asks who is closest to an identifier

    def on_client_request(self, sender, m):
        if any(search["task"][1:3] == [sender, m.number] for search in self.searches.values()):
            return
        name, is_write, value = str(m.command).partition("=")
        if name.startswith("#") and name[1:].isdigit():
            self.find(int(name[1:]) % (1 << self.bits), ["route", sender, m.number])
        elif is_write:
            self.find(identifier(name, self.bits), ["put", sender, m.number, name, value])
        else:
            self.find(identifier(name, self.bits), ["get", sender, m.number, name])

    def give(self, servers, name, item):
        for server in servers:
            if server == self.id:
                self.keep(name, item)
            else:
                self.send(server, Store(name, item))

    def on_store(self, sender, m):
        self.keep(m.name, m.item)
        self.seen(sender)

    def keep(self, name, item):
        if item[0] >= self.store.get(name, [0])[0]:
            self.store = {**self.store, name: list(item)}
            self.keys = sorted(identifier(name, self.bits) for name in self.store)


def cluster(nodes=8, *, absent=(), joined=True, bits=None, positions=None, server=Server, clients=1, latency=LATENCY,
            disk=0, **options):
    """A network of servers n1 to nN.

    Args:
        nodes, clients: how many of each, those included that are absent.
        absent: names of servers that join later.
        joined: whether the others begin with filled buckets; otherwise they join through the first at the start.
        bits: identifiers are below 2**bits, 1 to 160; None for as many as it takes that no two servers meet.
        positions: identifiers of n1, n2, ... in this order, all different; None for the hashes of the names.
        server: the class to run, Server or a variant of it.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the server class, such as k=20, alpha=1 or refresh=None for no repairs at all.

    Raises:
        NodeError: two servers have one position, or there are more or fewer positions than servers.
    """
    names = [f"n{i}" for i in range(1, nodes + 1)]
    width = bits or (16 if nodes <= JUDGED else 32)
    if positions is not None and len(positions) != nodes:
        raise NodeError(f"positions has {len(positions)} identifiers for {nodes} servers: give one for each")
    placed = dict(zip(names, positions, strict=True)) if positions else {n: identifier(n, width) for n in names}
    if len(set(placed.values())) < nodes or not all(0 <= place < 1 << width for place in placed.values()):
        raise NodeError(f"{nodes} servers need {nodes} different positions from 0 to 2**{width} - 1: take more bits")
    members = sorted((name for name in names if name not in absent), key=placed.__getitem__)
    given = {"absent": tuple(absent), "joined": joined, "bits": bits, "positions": positions, "latency": latency,
             "disk": disk, "clients": clients, **options}
    usual = {"absent": (), "joined": True, "bits": None, "positions": None, "latency": LATENCY, "disk": 0, "clients": 1}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = f", server={server.__name__}" if server is not Server else ""
    inside = {"bits": width, "joined": joined, "members": FrozenList(members),
              "places": FrozenList(placed[name] for name in members),
              "founder": next((name for name in names if name not in absent), None)}
    if positions:
        inside["positions"] = FrozenDict(placed)
    return System(server, nodes, clients=clients, network=Network(latency=latency), disk=disk,
                  options={**inside, **options}, absent=absent, always=ALWAYS if nodes <= JUDGED else (),
                  eventually=EVENTUALLY if nodes <= JUDGED else (), name="kademlia",
                  imports="from dslab.protocols import kademlia",
                  code=f"kademlia.cluster({nodes}{variant}{''.join(changed)})")
