"""Anti-entropy: every site now and then compares all it has with another one, until all have the same.

Source: A. Demers et al., "Epidemic Algorithms for Replicated Database Maintenance", PODC 1987, sections 1.3 (push,
pull, push-pull) and 2 (a delete leaves a death certificate). Comparing by a hash tree: G. DeCandia et al., "Dynamo:
Amazon's Highly Available Key-value Store", SOSP 2007, section 4.7. Rumours stand in rumours, certificates that expire
in death_certificates.
Left out: direct mail, checksums with lists of recent updates, and choosing near sites more often (section 3).
"""

from __future__ import annotations

import json

from dslab.sim import ClientReply, Network, Node, System, message
from dslab.sim.message import plain

from . import merkle
from .anti_entropy_properties import ALWAYS, EVENTUALLY, few_hashes, finds_what_differs
from .crdt import LocalClient

CYCLE = (80, 120)                # ms between two exchanges that a site begins
LATENCY, DISK = (5, 15), (1, 3)  # ms one way; ms per durable write
DEPTH = 4                        # levels of a hash tree below its root
PATIENCE = 3                     # cycles without an answer after which an exchange is given up


@message
class Entries:
    """{source} sends {target} entries: {entries}."""

    entries: dict
    answer: bool


@message
class Fetch:
    """{source} asks {target} for all it has."""


@message
class Ask:
    """{source} asks {target} for the hashes of {nodes} (exchange {number})."""

    number: int
    nodes: list


@message
class Hashes:
    """{source} tells {target} hashes: {hashes} (exchange {number})."""

    number: int
    hashes: dict


@message
class Leaves:
    """{source} sends {target} its entries in {leaves} and wants the other's: {entries} (exchange {number})."""

    number: int
    leaves: list
    entries: dict


@message
class Rest:
    """{source} sends {target} what it lacked: {entries} (exchange {number})."""

    number: int
    entries: dict


class Site(Node):
    """A copy of the database, whose entries are [stamp, value]; the higher stamp wins, and no value means deleted.

    Commands: "x=1" writes, "x" reads, "delete x" deletes.
    """

    durable = {"store": {}, "clock": 0, "done": {}}
    shows = ("store", "sent_messages", "sent_bytes")
    private = ("sent_messages", "sent_bytes")
    cycle = CYCLE
    contents = ()                # pairs (key, value) that every site begins with
    promises = ALWAYS

    def on_start(self):
        self.sent_messages = self.sent_bytes = 0
        if not self.store:
            self.store = {key: [[0, ""], value] for key, value in self.contents}
        self.set_timer("cycle", between=self.cycle)

    def send(self, to, m):
        self.sent_messages += 1
        self.sent_bytes += len(json.dumps(plain(m)))
        super().send(to, m)

    def on_client_request(self, sender, m):
        number, result = self.done.get(sender, (0, None))
        if m.number > number:                            # a retry is answered as before
            result = self.run(str(m.command))
            self.done[sender] = [m.number, result]
        self.send(sender, ClientReply(m.number, True, result))

    def run(self, command):
        key, is_write, value = command.partition("=")
        if command.startswith("delete "):
            return self.change(command.removeprefix("delete "), None)
        if is_write:
            return self.change(key, value)
        return self.store.get(key, [None, None])[1]

    def change(self, key, value):
        """A change of its own; its stamp is above all that this site has heard of."""
        self.take({key: [[self.clock + 1, self.id], value]})
        return "ok"

    def take(self, entries):
        """Keeps what is newer than what it has; returns the keys of that."""
        fresh = {key: entry for key, entry in entries.items() if newer(entry, self.store.get(key))}
        for key, entry in fresh.items():
            self.clock = max(self.clock, entry[0][0])
            self.store[key] = entry
        return list(fresh)

    def on_cycle_timeout(self):
        self.set_timer("cycle", between=self.cycle)
        if self.peers:
            self.contact(self.random.choice(self.peers))

    def contact(self, partner):
        """Begins an exchange."""
        raise NotImplementedError

    def on_entries(self, sender, m):
        self.take(m.entries)
        if m.answer:
            rest = {key: entry for key, entry in self.store.items() if newer(entry, m.entries.get(key))}
            self.send(sender, Entries(rest, False))

    def on_fetch(self, sender, m):
        self.send(sender, Entries(self.store, False))


def newer(entry, other):
    """Whether an entry replaces another one, which may be None."""
    return other is None or entry[0] > other[0]


class Push(Site):
    """Sends all it has: the partner takes what is newer."""

    def contact(self, partner):
        self.send(partner, Entries(self.store, False))


class Pull(Site):
    """Asks for all the partner has, and takes what is newer."""

    def contact(self, partner):
        self.send(partner, Fetch())


class PushPull(Site):
    """Sends all it has; the partner takes what is newer and sends back what is newer there."""

    def contact(self, partner):
        self.send(partner, Entries(self.store, True))


class Comparing(Site):
    """Compares hash trees from the root down and exchanges the leaves that differ, nothing else.

    `exchange` says how it goes: with whom, how many hashes were asked for, which leaves differ as far as is known, and
    whether it is at "hashes", at "leaves" or "done".
    """

    shows = (*Site.shows, "exchange")
    depth = DEPTH
    promises = (*ALWAYS, finds_what_differs, few_hashes)

    def on_start(self):
        super().on_start()
        self.exchange, self.asking, self.numbers, self.silent = None, [], 0, 0
        self.tree = merkle.Tree(self.depth, self.store)

    def take(self, entries):
        fresh = super().take(entries)
        for key in fresh:
            self.tree.put(key, self.store[key])
        return fresh

    def contact(self, partner):
        self.silent += 1
        if self.exchange and self.exchange["state"] != "done" and self.silent <= PATIENCE:
            return
        self.silent = 0
        self.numbers += 1
        self.exchange = {"number": self.numbers, "partner": partner, "depth": self.depth, "asked": 1,
                         "leaves": [], "state": "hashes"}
        self.ask(partner, [""])

    def ask(self, partner, nodes):
        self.asking = nodes
        self.send(partner, Ask(self.numbers, nodes))

    def on_ask(self, sender, m):
        self.send(sender, Hashes(m.number, {node: self.tree.hashes[node] for node in m.nodes}))

    def on_hashes(self, sender, m):
        """Goes on below the nodes that differ; when the leaves are known, sends what it has there."""
        now = self.exchange
        if now is None or now["number"] != m.number or list(m.hashes) != self.asking:
            return                                       # a copy, or an answer that comes too late
        self.silent = 0
        below, leaves = self.descend(self.tree.hashes, m.hashes)
        leaves = sorted([*now["leaves"], *leaves])
        state = "hashes" if below else "leaves" if leaves else "done"
        self.exchange = {**now, "asked": now["asked"] + len(below), "leaves": leaves, "state": state}
        self.asking = []
        if below:
            self.ask(sender, below)
        elif leaves:
            self.send(sender, Leaves(m.number, leaves, self.entries_in(leaves)))

    def descend(self, mine, theirs):
        """What to ask for next, and which leaves differ, after the other's hashes of some nodes."""
        differ = [node for node in theirs if theirs[node] != mine[node]]
        return ([child for node in differ if len(node) < self.depth for child in merkle.children(node)],
                [node for node in differ if len(node) == self.depth])

    def entries_in(self, leaves):
        return {key: entry for leaf in leaves for key, entry in self.tree.buckets[leaf].items()}

    def on_leaves(self, sender, m):
        mine = self.entries_in(m.leaves)
        self.take(m.entries)
        self.send(sender, Rest(m.number, {key: entry for key, entry in mine.items()
                                          if newer(entry, m.entries.get(key))}))

    def on_rest(self, sender, m):
        self.take(m.entries)
        if self.exchange is not None and self.exchange["number"] == m.number:
            self.exchange = {**self.exchange, "state": "done"}


def cluster(nodes=3, *, server=PushPull, clients=1, latency=LATENCY, disk=DISK, **options):
    """Sites that keep their copies of a database the same.

    Args:
        nodes, clients: how many.
        server: Push, Pull, PushPull, Comparing, a class of rumours or death_certificates, or a variant.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the class, such as cycle=(80, 120), ms.
    """
    given = {"server": (server, PushPull), "clients": (clients, 1), "latency": (latency, LATENCY), "disk": (disk, DISK)}
    changed = [f"{name}={getattr(value, '__name__', None) or repr(value)}" for name, (value, usual) in given.items()
               if value != usual]
    changed += [f"{name}={value!r}" for name, value in options.items()]
    return System(server, nodes, clients=clients, client=LocalClient, network=Network(latency=latency), disk=disk,
                  options=options, always=server.promises, eventually=EVENTUALLY, name="anti-entropy",
                  imports="from dslab.protocols import anti_entropy",
                  code=f"anti_entropy.cluster({', '.join([f'{nodes}', *changed])})")
