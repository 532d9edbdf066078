"""A table spread over nodes by one function from outside: who holds a position of the ring.

Every node knows all points, puts what it is asked to put where the function says, and looks for it there.

Source: D. Karger and others, "Consistent Hashing and Random Trees", STOC 1997; several points per node, and copies
on distinct hosts as in G. DeCandia and others, "Dynamo", SOSP 2007, sections 4.2 and 4.3. Left out: nodes that come and
go, and disks.
"""

from __future__ import annotations

import hashlib

from dslab.sim import ClientReply, Network, Node, System, message, title, violation

BITS = 8                         # positions are 0 to 255, so that one can count
COPIES = {5: 2, 7: 4}            # by the number of nodes; 3 otherwise
LATENCY = (5, 15)                # ms, one way
POINTS = {                       # by the number of nodes: the points of n1, n2, ...
    3: ((40, 210), (90,), (150,)),
    4: ((75, 220), (0, 180), (110,), (140, 255)),                # both ends are taken
    5: ((20, 130), (60, 240), (95,), (160,), (200,)),
    6: ((10, 120), (35, 140), (70, 215), (100, 180), (160, 230), (195, 245)),
    7: ((20, 170), (15, 150), (55,), (90, 200), (110,), (125, 240), (225,)),
    8: ((5, 130), (12, 140), (50, 180), (58, 190), (95, 215), (103,), (225, 80), (235, 250)),
}
HOSTS = {                        # two or three nodes share a host, and some neighbours on the ring do; not of 3 nodes
    3: ("a", "b", "c"),
    4: ("a", "b", "a", "b"),
    5: ("a", "b", "a", "c", "c"),
    6: ("a", "a", "b", "c", "b", "c"),
    7: ("a", "a", "b", "c", "b", "c", "c"),
    8: ("a", "a", "b", "b", "c", "c", "d", "d"),
}


@message
class Put:
    """{source} gives {target} the copy of {key}."""

    key: str
    value: object
    client: str
    number: int


@message
class Kept:
    """{source} has its copy."""

    client: str
    number: int


@message
class Get:
    """{source} asks {target} for {key}."""

    key: str
    client: str
    number: int


@message
class Got:
    """{source} has {value} for it."""

    value: object
    client: str
    number: int


def position_of(key, bits=BITS):
    """Where a key is on the ring: `#200` says so itself, any other key is hashed."""
    if key.startswith("#"):
        return int(key[1:]) % 2**bits
    return int.from_bytes(hashlib.sha1(key.encode()).digest(), "big") % 2**bits


def clockwise(points, position):
    """The nodes in the order in which somebody who walks clockwise from a position meets a point of theirs."""
    met = sorted(points, key=lambda point: (point[0] - position) % 2**BITS)
    return list(dict.fromkeys(node for _, node in met))


class Server(Node):
    """Puts a key on the nodes that `place` names and asks these for it."""

    shows = ("bits", "tokens", "host", "copies", "keys", "table", "placed")
    bits, copies = BITS, 1
    points = ()                  # ((position, node), ...), sorted
    hosts = ()                   # ((node, host), ...); a node that is not named is a host of its own

    def on_start(self):
        self.tokens = [point for point, node in self.points if node == self.id]
        self.host = dict(self.hosts).get(self.id, self.id)
        self.table, self.keys = {}, []
        self.placed = {}         # position, as text -> the nodes that this one put it on
        self.missing = {}        # (client, number) -> who has not said yet that it keeps its copy
        self.values = {}         # (client, number) -> the value that was put

    def place(self, position):
        """The nodes that hold a position, in order."""
        return clockwise(self.points, position)[:1]

    def on_client_request(self, sender, m):
        key, put, value = m.command.partition("=")
        position = position_of(key, self.bits)
        nodes = self.placed[str(position)] = self.place(position)
        request = sender, m.number
        if not put:
            for node in nodes:
                self.send(node, Get(key, *request))
            return
        self.missing[request], self.values[request] = list(nodes), value
        for node in nodes:
            self.send(node, Put(key, value, *request))

    def on_put(self, sender, m):
        self.table[m.key] = m.value
        self.keys = sorted({position_of(key, self.bits) for key in self.table})
        self.send(sender, Kept(m.client, m.number))

    def on_kept(self, sender, m):
        missing = self.missing.get((m.client, m.number), [])
        if sender in missing:
            missing.remove(sender)
            if not missing:
                self.send(m.client, ClientReply(m.number, True, self.values[m.client, m.number]))

    def on_get(self, sender, m):
        self.send(sender, Got(self.table.get(m.key), m.client, m.number))

    def on_got(self, sender, m):
        self.send(m.client, ClientReply(m.number, True, m.value))


@title("Every key is with its owner")
def owned(world):
    """A key lies on the node whose point one meets first on the way clockwise, its own position included."""
    server = world.changed
    points = [(point, node.id) for node in world.servers for point in getattr(node, "tokens", ())]
    for position in getattr(server, "keys", None) or ():
        owner = clockwise(points, position)[0]
        if owner != server.id:
            point = min((p for p, node in points if node == owner), key=lambda p: (p - position) % 2**BITS)
            return violation(f"{server.id} keeps position {position}, but clockwise from {position} the first point is "
                             f"{point}, of {owner}", nodes=[server.id, owner], expected=owner, found=server.id)
    return None


def _placements(world):
    for position, nodes in (getattr(world.changed, "placed", None) or {}).items():
        yield int(position), nodes


@title("Copies are on different hosts")
def on_different_hosts(world):
    """Two copies of a key are never on one host."""
    for position, nodes in _placements(world):
        hosts = [world.nodes[node].host for node in nodes]
        for index, host in enumerate(hosts):
            if host in hosts[:index]:
                twin = nodes[hosts.index(host)]
                both = f"on {twin} and {nodes[index]}, both of host {host}"
                both = both if twin != nodes[index] else f"twice on {twin}"
                return violation(f"position {position} is put {both}", nodes=[twin, nodes[index]],
                                 expected="different hosts", found=host)
    return None


@title("There are enough copies")
def enough_copies(world):
    """A key has as many copies as were asked for, or one on each host if there are fewer hosts."""
    hosts = len({server.host for server in world.servers if hasattr(server, "host")})
    for position, nodes in _placements(world):
        wanted = min(world.changed.copies, hosts)
        if len(nodes) != wanted:
            return violation(f"position {position} is put {len(nodes)} times instead of {wanted}",
                             nodes=nodes, expected=f"{wanted} copies", found=f"{len(nodes)}")
    return None


@title("Copies are the next ones")
def nearest_copies(world):
    """The copies of a key are on the first nodes clockwise whose host has none yet, in this order."""
    points = [(point, node.id) for node in world.servers for point in getattr(node, "tokens", ())]
    for position, nodes in _placements(world):
        wanted: dict[str, str] = {}
        for node in clockwise(points, position):
            wanted.setdefault(world.nodes[node].host, node)
        right = list(wanted.values())[:world.changed.copies]
        if list(nodes) != right:
            return violation(f"position {position} is put on {', '.join(nodes)}; the next of different hosts are "
                             f"{', '.join(right)}", nodes=nodes, expected=", ".join(right), found=", ".join(nodes))
    return None


def owning(answer, nodes=5, *, clients=1):
    """A table without copies, placed by a function.

    Args:
        answer: called as answer(points, position); points is a sorted list of (position, node); returns a node.
        nodes: 3 to 8.
        clients: how many.
    """

    class Placer(Server):
        """Asks the function for the one node."""

        def place(self, position):
            node = answer(list(self.points), position)
            _check(answer, [node], self.points, f"the name of a node, and it returned {node!r}")
            return [node]

    return _system(Placer, nodes, clients, (owned,), f"owning({answer.__name__}, {nodes})")


def copying(answer, nodes=6, *, clients=1):
    """A table with copies on different hosts, placed by a function.

    Args:
        answer: called as answer(points, hosts, position, copies); hosts is {node: host}; returns a list of nodes.
        nodes: 3 to 8; see COPIES and HOSTS.
        clients: how many.
    """

    class Placer(Server):
        """Asks the function for the nodes."""

        def place(self, position):
            found = answer(list(self.points), dict(self.hosts), position, self.copies)
            _check(answer, found, self.points, f"a list of nodes' names, and it returned {found!r}")
            return list(found)

    return _system(Placer, nodes, clients, SPREAD, f"copying({answer.__name__}, {nodes})")


def owned_by_ring(nodes=5, *, clients=1):
    """A table without copies, placed as the ring says; arguments as for owning."""
    return _system(Server, nodes, clients, (owned,), f"owned_by_ring({nodes}, clients={clients})")


def copied(nodes=6, *, clients=1):
    """A table with copies on different hosts, placed as the ring says; arguments as for copying."""
    return _system(Spread, nodes, clients, SPREAD, f"copied({nodes}, clients={clients})")


class Spread(Server):
    """Copies on the next nodes of different hosts."""

    def place(self, position):
        chosen, hosts = {}, dict(self.hosts)
        for node in clockwise(self.points, position):
            chosen.setdefault(hosts[node], node)
        return list(chosen.values())[:self.copies]


class SpreadsByPoint(Server):
    """Belief: the next three points are three copies. Left out: points of a host that has a copy already are passed."""

    catalogue = "S15"

    def place(self, position):
        return clockwise(self.points, position)[:self.copies]


def _check(answer, found, points, wanted):
    names = {node for _, node in points}
    if not isinstance(found, (list, tuple)) or not all(isinstance(node, str) and node in names for node in found):
        raise TypeError(f"{answer.__name__} must return {wanted}")


def _system(server, nodes, clients, always, code):
    points = sorted((point, f"n{i}") for i, mine in enumerate(POINTS[nodes], 1) for point in mine)
    options = {"points": tuple(points)}
    if nodes in HOSTS and always is SPREAD:
        options["hosts"] = tuple((f"n{i}", host) for i, host in enumerate(HOSTS[nodes], 1))
        options["copies"] = COPIES.get(nodes, 3)
    return System(server, nodes, clients=clients, network=Network(latency=LATENCY), options=options, always=always,
                  name="ring of points", code=f"placement_steps.{code}",
                  imports="from dslab.protocols import placement_steps")


def by_point(nodes=6, *, clients=1):
    """A table whose copies lie on the next three nodes, whatever their hosts; arguments as for copying."""
    return _system(SpreadsByPoint, nodes, clients, SPREAD, f"by_point({nodes}, clients={clients})")


SPREAD = on_different_hosts, enough_copies, nearest_copies
