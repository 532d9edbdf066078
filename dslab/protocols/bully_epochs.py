"""Bully with epochs: two servers may believe that they lead, but only the one elected last gets anything written.

Source: the election is that of bully.py. The store numbers the leaders that register with it and refuses what comes
from an earlier one, like the sequencers of a lock service (M. Burrows, "The Chubby Lock Service for Loosely-Coupled
Distributed Systems", OSDI 2006, section 2.4). Nothing here relies on time for safety.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System, message, title, violation

from . import bully
from .election_properties import all_agree, nobody_follows_lower

LATENCY, DISK = bully.LATENCY, (1, 3)        # ms one way; ms per durable write


@message
class Register:
    """{source} tells the store that it leads now."""


@message
class Epoch:
    """The store gives {target} the number {epoch}."""

    epoch: int


@message
class Write:
    """{source}, leader of epoch {epoch}, writes {command}."""

    epoch: int
    command: object
    client: str
    number: int


@message
class Written:
    """The store has written request {number} of {client}."""

    client: str
    number: int


@message
class Refused:
    """The store refuses epoch {epoch} of {target}: there has been a later one."""

    epoch: int


class Store(Node):
    """Where leaders write; not a server of the election."""

    durable = {"epoch": 0, "written": []}
    shows = ("epoch", "written")

    def on_register(self, sender, m):
        self.epoch += 1
        self.send(sender, Epoch(self.epoch))

    def on_write(self, sender, m):
        if self.valid(m.epoch):
            self.written.append([m.epoch, m.command, sender])
            self.send(sender, Written(m.client, m.number))
        else:
            self.send(sender, Refused(m.epoch))

    def valid(self, epoch):
        return epoch == self.epoch                       # a leader cannot know that it is deposed, but the store does

    def on_coordinator(self, sender, m):
        """The store hears of leaders when they register."""

    def on_client_request(self, sender, m):
        self.send(sender, ClientReply(m.number, False))


class CarelessStore(Store):
    """Who leads may write, and it knows best whether it leads (instead of the store comparing epochs)."""

    catalogue = "C1"

    def valid(self, epoch):
        return True


class Server(bully.Server):
    """A server whose clients' commands go to the store while it leads."""

    shows = (*bully.Server.shows, "epoch")

    def on_start(self):
        self.epoch = None                                # of this server's leadership
        super().on_start()

    def win(self):
        super().win()
        self.epoch = None
        self.send("store", Register())

    def on_epoch(self, sender, m):
        self.epoch = m.epoch

    def on_client_request(self, sender, m):
        if self.role != "leader":
            super().on_client_request(sender, m)
        elif self.epoch is None:
            self.send("store", Register())               # again: the first may be lost
        else:
            self.send("store", Write(self.epoch, m.command, sender, m.number))

    def on_written(self, sender, m):
        self.send(m.client, ClientReply(m.number, True, "written"))

    def on_refused(self, sender, m):
        if self.role == "leader" and m.epoch == self.epoch:
            self.elect()                                 # somebody else has led since


MUTANTS = (CarelessStore,)


@title("The last leader writes")
def epochs_grow(world):
    """Once a leader has registered, no earlier one writes any more."""
    store = world.changed
    if store is None or not getattr(store, "written", None):
        return None
    already = world.memory.get("written", 0)
    world.memory["written"] = len(store.written)
    for epoch, command, leader in store.written[already:]:
        if epoch != store.epoch:
            return violation(f"{leader}, leader of epoch {epoch}, wrote {command} in epoch {store.epoch}",
                             nodes=[store.id, leader], expected=f"writes of epoch {store.epoch}",
                             found=f"epoch {epoch}")
    return None


ALWAYS = (epochs_grow, nobody_follows_lower)
EVENTUALLY = (all_agree,)


def cluster(nodes=5, *, server=Server, store=Store, clients=1, latency=LATENCY, disk=DISK, **options):
    """Servers that elect a leader, and a store that only the last leader can write to.

    Args:
        nodes, clients: how many servers and clients; the store comes on top.
        server, store: the classes to run, or variants of them.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the server class, such as answer=40, or starters=("n1",), which is the default.
    """
    options = {"starters": ("n1",), **options}
    classes = {**{f"n{i}": server for i in range(1, nodes + 1)}, "store": store}
    given = {"server": server, "store": store, "latency": latency, "disk": disk, "clients": clients, **options}
    usual = {"server": Server, "store": Store, "latency": LATENCY, "disk": DISK, "clients": 1, "starters": ("n1",)}
    changed = [f", {name}={getattr(value, '__name__', None) or repr(value)}" for name, value in given.items()
               if name not in usual or value != usual[name]]
    return System(classes, clients=clients, network=Network(latency=latency), disk=disk, options=options,
                  always=ALWAYS, eventually=EVENTUALLY, name="bully with epochs",
                  imports="from dslab.protocols import bully_epochs",
                  code=f"bully_epochs.cluster({nodes}{''.join(changed)})")
