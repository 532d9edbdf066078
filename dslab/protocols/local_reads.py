"""Fast reads: one server puts all writes in order, every server answers reads from its own copy.

A write is answered by the server that was asked, once that server has applied it; so a client that stays with one
server sees its own writes, and all servers go through the same states in the same order. That is sequential
consistency: nobody promises that a copy is as new as another one.

Source: H. Attiya, J. Welch, "Sequential Consistency versus Linearizability", ACM TOCS 12(2), 1994, section 4.1 (fast
reads). Left out: a leader that fails; n1 puts the writes in order for ever. See local_reads_variants for what becomes
of it when clients wander, or when a compare-and-set is answered like a read.
"""

from __future__ import annotations

from dslab.sim import Client, ClientReply, Network, Node, System, message

LATENCY = (5, 15)                # ms, one way
PULL = 100                       # ms between two questions of a follower: what has it missed?
LEADER = "n1"


@message
class Order:
    """{source} asks {target} to put {command} in its place ({client}, request {number})."""

    command: str
    client: str
    number: int


@message
class Ordered:
    """{source} tells {target} that {entries} come after place {after}."""

    after: int
    entries: list


@message
class Missing:
    """{source} has everything up to place {after} and asks {target} for more."""

    after: int


class Server(Node):
    """A copy of the data; n1 is also the one that puts writes in order."""

    shows = ("applied", "values")
    durable = {"log": []}        # [command, client, number, result] in order; a follower's is a beginning of n1's

    def on_start(self):
        self.applied, self.values = 0, {}
        self.waiting = {}        # client -> number of the write that it waits for here
        self.apply()
        if self.id != LEADER:
            self.on_pull_timeout()

    def on_client_request(self, sender, m):
        if self.answers_itself(m.command):
            return self.send(sender, ClientReply(m.number, True, result(self.values, m.command)))
        self.waiting[sender] = m.number
        if self.id == LEADER:
            self.put_in_order(m.command, sender, m.number)
        else:
            self.send(LEADER, Order(m.command, sender, m.number))

    def answers_itself(self, command):
        """Whether the own copy is good enough: for a read it is."""
        return kind(command) == "read"

    # ---- writes, in one order

    def on_order(self, sender, m):
        self.put_in_order(m.command, m.client, m.number)

    def put_in_order(self, command, client, number):
        if all(entry[1:3] != [client, number] for entry in self.log):
            self.log.append([command, client, number, result(self.values, command)])
            for peer in self.peers:
                self.send(peer, Ordered(len(self.log) - 1, self.log[-1:]))
        self.apply()

    def on_pull_timeout(self):
        self.send(LEADER, Missing(len(self.log)))
        self.set_timer("pull", after=PULL)

    def on_missing(self, sender, m):
        if m.after < len(self.log):
            self.send(sender, Ordered(m.after, self.log[m.after:]))

    def on_ordered(self, sender, m):
        if m.after <= len(self.log):
            self.log += m.entries[len(self.log) - m.after:]
            self.apply()

    def apply(self):
        for command, client, number, answer in self.log[self.applied:]:
            key, _, change = command.partition(":" if kind(command) == "cas" else "=")
            if kind(command) == "write":
                self.values[key] = change
            elif kind(command) == "cas" and answer:
                self.values[key] = change.partition(">")[2]
            if self.waiting.get(client) == number:
                del self.waiting[client]
                self.send(client, ClientReply(number, True, answer))
        self.applied = len(self.log)


def kind(command):
    """What a command does: "read" (x), "write" (x=1) or "cas" (x:1>2)."""
    return "write" if "=" in command else "cas" if ">" in command else "read"


def result(values, command):
    """What a command answers if it comes next."""
    if kind(command) == "cas":
        key, _, change = command.partition(":")
        return values.get(key) == change.partition(">")[0]
    return command.partition("=")[2] if kind(command) == "write" else values.get(command)


def cluster(nodes=3, *, server=Server, client=Client, clients=2, latency=LATENCY, **options):
    """Copies with one order of writes; clients write "x=1", compare and set "x:1>2", read "x".

    Args:
        nodes, clients: how many of each.
        server, client: the classes to run.
        latency: ms one way, a number or a pair (lowest, highest).
        options: attributes of the server class.
    """
    named = [f"{key}={cls.__name__}" for key, cls, usual in (("server", server, Server), ("client", client, Client))
             if cls is not usual]
    named += [f"clients={clients}"] * (clients != 2) + [f"{key}={value!r}" for key, value in options.items()]
    return System(server, nodes, clients=clients, client=client, network=Network(latency=latency), options=options,
                  name="fast reads", imports="from dslab.protocols import local_reads",
                  code=f"local_reads.cluster({', '.join([str(nodes), *named])})")
