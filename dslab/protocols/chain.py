"""Chain replication: writes enter at the head and are passed on to the tail, which answers, and answers all reads.

Source: R. van Renesse, F. Schneider, "Chain Replication for Supporting High Throughput and Availability", OSDI 2004,
sections 2 and 3; names are the paper's. A master, which must not crash, says who is in the chain. The paper assumes
that who seems to have failed has failed; here a server may only be slow or cut off, so configurations have numbers,
messages of old ones are refused, and a tail asks the master, before it answers a read, whether it is still the tail.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System, message

from .chain_properties import ALWAYS, EVENTUALLY

LATENCY, DISK = (5, 15), (1, 3)  # ms one way; ms per durable write
PING = 50                        # ms between two pings; also until what was not acknowledged is sent again
DEAD = 4                         # pings missed until a server counts as failed


@message
class Ping:
    """{source} is alive; it knows configuration {number} and has what the chain had when it joined in {since}."""

    number: int
    since: int


@message
class Configuration:
    """{source} tells {target} configuration {number}: the chain {chain}, each with the number in which it joined."""

    number: int
    chain: list


@message
class Update:
    """{source} passes on to {target} update {place} of configuration {number}: {request}."""

    number: int
    place: int
    request: list


@message
class Behind:
    """{source} has just joined and asks {target} for all updates so far (configuration {number})."""

    number: int


@message
class History:
    """{source} gives {target} all updates so far: {hist} (configuration {number})."""

    number: int
    hist: list


@message
class Acknowledge:
    """{source} tells {target} that the tail has update {place} and all before it (configuration {number})."""

    number: int
    place: int


@message
class AmITail:
    """{source} asks {target} whether configuration {number} is the newest (read {read})."""

    number: int
    read: int


@message
class YouAre:
    """{source} tells {target} that it is (read {read})."""

    read: int


class Master(Node):
    """Finds out who has failed and says who follows whom (section 3)."""

    durable = {"number": 0, "chain": []}                 # [[server, number in which it joined], ...], head first
    shows = ("number", "chain", "silent")
    ping, dead = PING, DEAD

    def on_start(self):
        self.silent, self.since = {}, {}                 # server -> ticks since its last ping; what it says it has
        self.set_timer("tick", after=self.ping)

    def on_ping(self, sender, m):
        self.silent[sender], self.since[sender] = 0, m.since
        if m.number != self.number:
            self.send(sender, Configuration(self.number, self.chain))

    def on_tick_timeout(self):
        self.silent = {server: ticks + 1 for server, ticks in self.silent.items()}
        self.reconfigure()
        self.set_timer("tick", after=self.ping)

    def alive(self, server):
        return self.silent.get(server, self.dead + 1) <= self.dead

    def whole(self, server, joined):
        """Whether a server of the chain has all that was acknowledged."""
        return self.since.get(server) == joined

    def reconfigure(self):
        """Takes out who has failed, as long as somebody is left who has everything; adds one server at the tail.

        Head, middle and tail are no different here: their neighbours find out what that means for them.
        """
        left = [[server, joined] for server, joined in self.chain if self.alive(server)]
        if not any(self.whole(*member) for member in left):
            left = self.chain
        new = [server for server in self.peers if self.alive(server) and server not in dict(left)]
        if self.number == 0:
            left = [[server, 1] for server in new]
        elif left == self.chain and new and all(self.whole(*member) for member in left):
            left = [*left, [new[0], self.number + 1]]
        if left != self.chain:
            self.number, self.chain = self.number + 1, left
            for server in self.peers:
                self.send(server, Configuration(self.number, self.chain))

    def on_am_i_tail(self, sender, m):
        if m.number == self.number:
            self.send(sender, YouAre(m.read))

    def on_client_request(self, sender, m):
        if self.chain:
            self.send(sender, ClientReply(m.number, False, leader=self.chain[0][0]))


class Server(Node):
    """A server of the chain.

    Its updates are `hist`, in order, each [client, number, command]; `acknowledged` of them are known to be at the
    tail, the others are the paper's Sent. What it stores follows from them.
    """

    durable = {"hist": [], "since": 1}
    shows = ("role", "number", "chain", "hist", "acknowledged", "since", "store")
    ping = PING
    master = "m"

    def on_start(self):
        self.role, self.number, self.chain = "idle", 0, []
        self.acknowledged = 0
        self.reads, self.asked = {}, 0                   # read -> (client, number, key), while this is the tail
        self.store, self.done = {}, {}                   # client -> [number, result] of its last update
        for request in self.hist:
            self.execute(request)
        self.on_ping_timeout()

    def on_ping_timeout(self):
        self.send(self.master, Ping(self.number, self.since))
        self.again()
        self.set_timer("ping", after=self.ping)

    @property
    def joined(self):
        """The configuration in which this server joined the chain, if it is in it."""
        return dict(self.chain).get(self.id)

    @property
    def is_whole(self):
        return self.joined == self.since

    def neighbour(self, step):
        servers = [server for server, _ in self.chain]
        place = servers.index(self.id) + step if self.id in servers else -1
        return servers[place] if 0 <= place < len(servers) else None

    def on_configuration(self, sender, m):
        """A new place in the chain: whoever failed, what was in flight is sent once more to who follows now."""
        if m.number <= self.number:
            return
        self.number, self.chain = m.number, [list(member) for member in m.chain]
        servers = [server for server, _ in self.chain]
        self.role = "idle" if self.id not in servers else "head" if self.id == servers[0] else \
            "tail" if self.id == servers[-1] else "middle"
        self.reads = {}
        self.again()

    @property
    def is_tail(self):
        return bool(self.chain) and self.chain[-1][0] == self.id

    def again(self):
        """Passes on what may have been lost: Sent to the successor, the tail's acknowledgement to the predecessor."""
        if not self.is_whole:
            if self.neighbour(-1):
                self.send(self.neighbour(-1), Behind(self.number))
        elif self.is_tail:
            self.stable(len(self.hist))
        elif self.neighbour(+1):
            for place in range(self.acknowledged, len(self.hist)):
                self.send(self.neighbour(+1), Update(self.number, place + 1, self.hist[place]))

    # ---- clients

    def on_client_request(self, sender, m):
        key, is_update, _ = str(m.command).partition("=")
        head, tail = (self.chain[0][0], self.chain[-1][0]) if self.chain else (None, None)
        if self.id != (head if is_update else tail):
            self.send(sender, ClientReply(m.number, False, leader=head if is_update else tail))
        elif self.is_whole and is_update:
            self.update([sender, m.number, m.command])
        elif self.is_whole:
            self.query(sender, m.number, key)

    def query(self, client, number, key):
        """The tail has exactly what was acknowledged, so it can answer, if it is the tail (section 2)."""
        self.asked += 1
        self.reads[self.asked] = (client, number, key)
        self.send(self.master, AmITail(self.number, self.asked))

    def on_you_are(self, sender, m):
        if m.read in self.reads:
            client, number, key = self.reads.pop(m.read)
            self.send(client, ClientReply(number, True, self.store.get(key)))

    # ---- updates go down the chain, acknowledgements up

    def update(self, request):
        """The head gives an update its place. One that has a place keeps it, and is answered once the tail has it."""
        client, number, _ = request
        if number > self.done.get(client, [0, None])[0]:
            self.accept(request)
        elif request in self.hist[:self.acknowledged] and number == self.done[client][0]:
            self.answer(request)

    def accept(self, request):
        self.hist = [*self.hist, list(request)]
        self.execute(request)
        if self.is_tail:
            self.stable(len(self.hist))
            self.answer(request)
        else:
            self.send(self.neighbour(+1), Update(self.number, len(self.hist), request))

    def execute(self, request):
        client, number, command = request
        key, _, value = str(command).partition("=")
        self.store[key] = value
        self.done[client] = [number, value]

    def answer(self, request):
        client, number, _ = request
        self.send(client, ClientReply(number, True, self.done[client][1]))

    def on_update(self, sender, m):
        if m.number != self.number or not self.is_whole:
            return
        if m.place == len(self.hist) + 1:
            self.accept(m.request)
        elif m.place <= len(self.hist) and self.is_tail:
            client, number, _ = m.request
            if number == self.done[client][0]:
                self.answer(m.request)                   # the answer may have been lost with the tail of before
            self.stable(len(self.hist))
        elif m.place <= self.acknowledged:
            self.stable(self.acknowledged)               # the acknowledgement may have been lost

    def stable(self, place):
        """Nothing up to here is in flight any more (section 3.3)."""
        self.acknowledged = max(self.acknowledged, place)
        if self.neighbour(-1):
            self.send(self.neighbour(-1), Acknowledge(self.number, self.acknowledged))

    def on_acknowledge(self, sender, m):
        if m.number == self.number and self.is_whole and m.place > self.acknowledged:
            self.stable(m.place)

    # ---- a new tail gets everything from the one of before

    def on_behind(self, sender, m):
        if m.number == self.number and self.is_whole and sender == self.neighbour(+1):
            self.send(sender, History(self.number, self.hist))

    def on_history(self, sender, m):
        if m.number == self.number and not self.is_whole:
            self.hist, self.since = [list(request) for request in m.hist], self.joined
            self.store, self.done, self.acknowledged = {}, {}, 0
            for request in self.hist:
                self.execute(request)
            self.stable(len(self.hist))
            self.on_ping_timeout()                       # the master may add the next one


def cluster(nodes=3, *, server=Server, master=Master, clients=1, latency=LATENCY, disk=DISK, **options):
    """Servers n1, n2, ... and a master m.

    Args:
        nodes, clients: how many servers and clients.
        server, master: the classes to run.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the classes, such as ping=50 or dead=4.
    """
    given = {"latency": latency, "disk": disk, "clients": clients, **options}
    usual = {"latency": LATENCY, "disk": DISK, "clients": 1}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = "".join(f", {name}={cls.__name__}" for name, cls, one in (
        ("server", server, Server), ("master", master, Master)) if cls is not one)
    classes = {f"n{i}": server for i in range(1, nodes + 1)}
    return System({**classes, "m": master}, clients=clients, network=Network(latency=latency), disk=disk,
                  options=options, always=ALWAYS, eventually=EVENTUALLY, name="chain",
                  imports="from dslab.protocols import chain",
                  code=f"chain.cluster({nodes}{variant}{''.join(changed)})")
