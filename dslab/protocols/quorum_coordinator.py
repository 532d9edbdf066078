"""What is the same in all quorum systems here: messages, clients, and servers that ask all replicas for a client.

Sources: as in quorum.py. Whoever coordinates an operation asks, counts and asks again; when it has enough, and what it
makes of it, is left to the classes that inherit from Coordinator.
"""

from __future__ import annotations

import hashlib

from dslab.sim import Client, ClientReply, Node, message

RESEND = 200                     # ms until those who have not answered are asked again; above a round trip and a write


@message
class Read:
    """{source} asks {target} what it holds of {key} (operation {operation})."""

    operation: str
    key: str


@message
class Held:
    """{source} tells {target} that it holds {value}, version {version} (operation {operation})."""

    operation: str
    version: object
    value: object


@message
class Write:
    """{source} asks {target} to store {key}={value}, version {version} (operation {operation})."""

    operation: str
    key: str
    version: object
    value: object


@message
class Stored:
    """{source} tells {target} that it has stored that version or has a newer one (operation {operation})."""

    operation: str


class Coordinator(Node):
    """What every server does for the clients that ask it, without the decisions: those are in Replica.

    An operation is called after its client and that client's number for it, such as "c1/3". Its record stays until the
    client asks for something newer, because answers that come late can still be of use.
    """

    shows = ("versions", "reads", "writes")
    N, R, W = 3, 2, 2
    resend = RESEND
    tries = None                                         # how often all are asked before it fails; None: no end

    def on_start(self):
        self.versions = {}                               # key -> [version, value]
        self.requests = {}                               # client -> [number, version] of its newest write here
        self.counter = 0                                 # in the newest version that this server has given to a write
        self.forget()

    def forget(self):
        """Sets all attributes that a server may lose."""
        self.reads, self.writes = {}, {}                 # the newest operation of each client
        self.latest = {}                                 # client -> its number

    def servers(self):
        return sorted([self.id, *self.peers], key=lambda name: (len(name), name))

    def home(self, key):
        """The N servers that keep a key: the first is found by its hash, the others come after it."""
        servers = self.servers()
        first = int.from_bytes(hashlib.sha1(key.encode()).digest(), "big")
        return [servers[(first + i) % len(servers)] for i in range(min(self.N, len(servers)))]

    def held(self, key):
        return self.versions.get(key, [[0, ""], None])   # a key that was never written: before all [counter, writer]

    def operation(self, name):
        return self.writes.get(name) or self.reads.get(name)

    # ---- a request comes

    def on_client_request(self, sender, m):
        name = f"{sender}/{m.number}"
        if m.number < self.latest.get(sender, 0):
            return                                       # a copy that was long on its way
        if self.operation(name):
            return self.answer(name)
        key, is_write, value = self.parsed(m.command)
        self.reads = {n: r for n, r in self.reads.items() if r["client"] != sender}
        self.writes = {n: w for n, w in self.writes.items() if w["client"] != sender}
        self.latest[sender] = m.number
        record = {"client": sender, "number": m.number, "key": key, "version": None, "value": None,
                  "asked": self.home(key), "answers": {}, "acks": [], "repairs": [], "state": "going", "tries": 1}
        if not is_write:
            self.reads[name] = {**record, "need": self.R}
            self.ask(name)
        else:
            self.writes[name] = {**record, "value": value, "need": self.W}
            number, version = self.requests.get(sender, [0, None])
            if m.number < number:
                del self.writes[name]
            elif m.number == number and version:         # begun before this server restarted: still the same write
                self.put(name, version)
            else:
                self.ask(name)
        self.set_timer("resend", after=self.resend)

    def parsed(self, command):
        """The key, whether it is a write, and what is to be written."""
        return str(command).partition("=")

    def answer(self, name):
        operation = self.operation(name)
        if operation["state"] != "going":
            result = [operation["version"], operation["value"]]
            self.send(operation["client"], ClientReply(operation["number"], operation["state"] == "done", result))

    def on_resend_timeout(self):
        """Messages get lost: asks again for what is missing."""
        for name, operation in [*self.writes.items(), *self.reads.items()]:
            if operation["state"] == "going" and operation["tries"] == self.tries:
                operation["state"] = "failed"            # which says nothing about the replicas
                self.answer(name)
            elif operation["state"] == "going":
                operation["tries"] += 1
                self.again(name)
        if any(operation["state"] == "going" for operation in [*self.writes.values(), *self.reads.values()]):
            self.set_timer("resend", after=self.resend)

    def again(self, name):
        """Asks again whoever has not answered."""
        if self.operation(name)["version"] is not None:
            self.put(name)
        else:
            self.ask(name)

    # ---- first, both kinds ask what there is

    def ask(self, name):
        operation = self.operation(name)
        for replica in operation["asked"]:
            if replica != self.id and replica not in operation["answers"]:
                self.send(replica, Read(name, operation["key"]))
        if self.id in operation["asked"]:
            self.heard(name, self.id, *self.held(operation["key"]))

    def on_read(self, sender, m):
        self.send(sender, Held(m.operation, *self.held(m.key)))

    def on_held(self, sender, m):
        if self.operation(m.operation):
            self.heard(m.operation, sender, m.version, m.value)

    def heard(self, name, replica, version, value):
        operation = self.operation(name)
        operation["answers"] = {**operation["answers"], replica: [version, value]}
        if operation["version"] is not None:
            self.late(name, replica)
        elif name in self.writes:
            version = self.new_version(operation["answers"])
            if version is not None:
                self.put(name, version)
        else:
            newest = self.newest(operation["answers"])
            if newest is not None:
                operation["version"], operation["value"] = newest
                self.found(name)

    def late(self, name, replica):
        """One more answer, when the result is known."""

    # ---- then a write, and a read that repairs, has it stored

    def put(self, name, version=None):
        operation = self.operation(name)
        if version is not None:
            operation["version"] = version
            if name in self.writes:                      # durable before anybody hears it: never two for one write
                self.requests[operation["client"]] = [operation["number"], version]
        for replica in operation["asked"]:
            if replica != self.id and replica not in operation["acks"]:
                self.send(replica, Write(name, operation["key"], operation["version"], operation["value"]))
        if self.id in operation["asked"] and self.id not in operation["acks"]:
            self.keep(operation["key"], operation["version"], operation["value"])
            self.stored(name, self.id)

    def on_write(self, sender, m):
        self.keep(m.key, m.version, m.value)
        self.send(sender, Stored(m.operation))           # leaves when it is on the disk

    def on_stored(self, sender, m):
        if self.operation(m.operation):
            self.stored(m.operation, sender)

    def stored(self, name, replica):
        operation = self.operation(name)
        if replica not in operation["acks"]:
            operation["acks"] = [*operation["acks"], replica]
        if operation["state"] == "going" and self.is_stored(operation["acks"]):
            self.finish(name)

    def finish(self, name):
        self.operation(name)["state"] = "done"
        self.answer(name)


class Customer(Client):
    """A client that asks one coordinator for a write, again and again, and no other: two might choose two versions.

    A read that is not answered it asks elsewhere. An operation that failed stays open in the history: nobody knows
    whether it took effect, or will.
    """

    shows = (*Client.shows, "told", "unknown")

    def on_start(self):
        super().on_start()
        self.told = None                                 # [number, key, "read" or "write", version] of the last answer
        self.unknown = []                                # commands that failed

    def on_retry_timeout(self):
        if "=" in str(self.command):
            self._ask()
        else:
            super().on_retry_timeout()

    def on_client_reply(self, sender, m):
        if self._open and m.number == self.number and not m.ok:
            self.failed()
        else:
            super().on_client_reply(sender, m)

    def failed(self):
        """Goes on without knowing what became of it."""
        self.unknown = [*self.unknown, self.command]
        self._open = False
        self.command = None
        self.cancel_timer("retry")
        if self._waiting:
            self.invoke(*self._waiting.pop(0))

    def complete(self, result):
        key, is_write, _ = str(self.command).partition("=")
        self.told = [self.number, key, "write" if is_write else "read", result[0]]
        super().complete(result[1])
