"""Primary and backup with a view service: one server decides, another one knows all that it has acknowledged.

Sources: P. Alsberg, J. Day, "A Principle for Resilient Sharing of Distributed Resources", ICSE 1976 (the primary
answers when the backup has it); the view service is that of R. Morris's course labs (MIT 6.824): a view is a number, a
primary and perhaps a backup, and no backup is promoted before its primary has said that it has everything. Left out:
more than one backup, and a view service that survives a crash of its own (see raft.py).

Reads go through the backup as writes do. A primary that answered them alone might have been replaced without knowing.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System, message

from .primary_backup_properties import ALWAYS, EVENTUALLY

LATENCY, DISK = (5, 15), (1, 3)  # ms one way; ms per durable write
PING = 50                        # ms between two pings; also until what was not acknowledged is sent again
DEAD = 4                         # pings missed until a server counts as dead


@message
class Ping:
    """{source} is alive and at work in view {number}."""

    number: int


@message
class View:
    """{source} tells {target} view {number}: primary {primary}, backup {backup}."""

    number: int
    primary: object
    backup: object


@message
class Transfer:
    """{source}, primary of view {tag}, gives {target} all that it has: {state}."""

    tag: list
    state: dict


@message
class Transferred:
    """{source} tells {target} that it has it all (view {tag})."""

    tag: list


@message
class Forward:
    """{source}, primary of view {tag}, asks {target} to run {operation}, its number {place}."""

    tag: list
    place: int
    operation: list


@message
class Forwarded:
    """{source} tells {target} that it has run everything up to number {place} (view {tag})."""

    tag: list
    place: int


class ViewService(Node):
    """Decides who is primary; it must not crash."""

    durable = {"view": [0, None, None], "at_work": 0}
    shows = ("view", "at_work", "silent")
    ping, dead = PING, DEAD

    def on_start(self):
        self.silent = {}                                 # server -> ticks since its last ping
        self.set_timer("tick", after=self.ping)

    def on_ping(self, sender, m):
        self.silent[sender] = 0
        if sender == self.view[1] and m.number == self.view[0]:
            self.at_work = m.number
        self.send(sender, View(*self.view))

    def on_tick_timeout(self):
        self.silent = {server: ticks + 1 for server, ticks in self.silent.items()}
        self.next_view()
        self.set_timer("tick", after=self.ping)

    def alive(self, server):
        return self.silent.get(server, self.dead + 1) <= self.dead

    def next_view(self):
        number, primary, backup = self.view
        idle = [server for server in self.peers if self.alive(server) and server not in (primary, backup)]
        if number == 0 and idle:
            self.view = [1, idle[0], None]
        elif self.alive(primary) and not self.alive(backup) and (backup or idle):
            self.view = [number + 1, primary, idle[0] if idle else None]
        elif number == self.at_work and not self.alive(primary) and self.alive(backup):
            # before the primary has said so, its backup may not have everything
            self.view = [number + 1, backup, idle[0] if idle else None]

    def on_client_request(self, sender, m):
        self.send(sender, ClientReply(m.number, False, leader=self.view[1]))


class Server(Node):
    """A server: primary, backup or idle.

    What it runs is [client, number, command]; `done` keeps each client's last answer, so that nothing runs twice.
    """

    durable = {"store": {}, "done": {}, "run": 0, "tag": [0, 0], "starts": 0}
    shows = ("role", "view", "store", "run", "tag", "ready")
    ping = PING
    service = "v"

    def on_start(self):
        self.starts += 1
        self.role = "idle"
        self.view = [0, None, None]
        self.ready = False                               # the backup, if any, has all that this primary has
        self.waiting = []                                # operations that the primary has numbered and not run
        self.on_ping_timeout()

    def on_ping_timeout(self):
        at_work = self.role != "primary" or self.ready
        self.send(self.service, Ping(self.view[0] if at_work else 0))
        self.again()
        self.set_timer("ping", after=self.ping)

    def on_view(self, sender, m):
        if m.number <= self.view[0]:
            return
        self.view = [m.number, m.primary, m.backup]
        self.role = {m.primary: "primary", m.backup: "backup"}.get(self.id, "idle")
        self.ready, waiting, self.waiting = False, self.waiting, []
        if self.role == "primary":
            self.tag = [m.number, self.starts]           # never the same again, and newer than every one before
            self.ready = m.backup is None
            for operation in waiting if self.ready else ():
                self.execute(operation)                  # the old backup has left: nobody else needs to have it
            self.again()

    def state(self):
        return {"store": self.store, "done": self.done, "run": self.run}

    # ---- clients

    def on_client_request(self, sender, m):
        operation = [sender, m.number, m.command]
        if self.role != "primary":
            self.send(sender, ClientReply(m.number, False, leader=self.view[1]))
        elif self.ready and operation not in self.waiting:
            self.take(operation)                         # even if it has run: the backup knows who is primary

    def take(self, operation):
        """Runs an operation when the backup has, which then knows at least as much (Alsberg & Day, section 3)."""
        if self.view[2] is None:
            self.execute(operation)
        else:
            self.waiting = [*self.waiting, operation]
            self.send(self.view[2], Forward(self.tag, self.run + len(self.waiting), operation))

    def execute(self, operation):
        client, number, command = operation
        self.run += 1
        if number > self.done.get(client, [0, None])[0]:
            key, is_write, value = str(command).partition("=")
            if is_write:
                self.store[key] = value
            self.done[client] = [number, self.store.get(key)]
        if self.role == "primary" and number == self.done[client][0]:
            self.send(client, ClientReply(number, True, self.done[client][1]))

    # ---- primary and backup

    def again(self):
        """Sends what the backup has not acknowledged."""
        backup = self.view[2]
        if self.role == "primary" and backup and not self.ready:
            self.send(backup, Transfer(self.tag, self.state()))
        elif self.role == "primary" and backup:
            for place, operation in enumerate(self.waiting, start=self.run + 1):
                self.send(backup, Forward(self.tag, place, operation))

    def on_transfer(self, sender, m):
        if m.tag[0] < self.view[0] or (m.tag[0] == self.view[0] and self.role != "backup"):
            return                                       # from somebody who does not know yet that it is over
        if list(m.tag) > self.tag:                       # else it has come before, and more since
            self.store, self.done = dict(m.state["store"]), {c: list(d) for c, d in m.state["done"].items()}
            self.run, self.tag = m.state["run"], list(m.tag)
        if list(m.tag) == self.tag:
            self.send(sender, Transferred(m.tag))

    def on_transferred(self, sender, m):
        if self.role == "primary" and list(m.tag) == self.tag:
            self.ready = True

    def on_forward(self, sender, m):
        if list(m.tag) != self.tag or m.tag[0] < self.view[0]:
            return
        if m.place == self.run + 1:
            self.execute(m.operation)
        self.send(sender, Forwarded(m.tag, self.run))

    def on_forwarded(self, sender, m):
        if self.role == "primary" and list(m.tag) == self.tag:
            while self.waiting and self.run < m.place:
                operation, *self.waiting = self.waiting
                self.execute(operation)


def cluster(nodes=3, *, server=Server, service=ViewService, clients=1, latency=LATENCY, disk=DISK, **options):
    """Servers n1, n2, ... and a view service v.

    Args:
        nodes, clients: how many servers and clients.
        server, service: the classes to run.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the classes, such as ping=50 or dead=4.
    """
    given = {"latency": latency, "disk": disk, "clients": clients, **options}
    usual = {"latency": LATENCY, "disk": DISK, "clients": 1}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = "".join(f", {name}={cls.__name__}" for name, cls, one in (
        ("server", server, Server), ("service", service, ViewService)) if cls is not one)
    classes = {f"n{i}": server for i in range(1, nodes + 1)}
    return System({**classes, "v": service}, clients=clients, network=Network(latency=latency), disk=disk,
                  options=options, always=ALWAYS, eventually=EVENTUALLY, name="primary-backup",
                  imports="from dslab.protocols import primary_backup",
                  code=f"primary_backup.cluster({nodes}{variant}{''.join(changed)})")
