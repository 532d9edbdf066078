"""Small node classes that the tests of live runs use. They travel as code: a process cannot import this file."""

from __future__ import annotations

from dslab.sim import ClientReply, Node, message


@message
class Add:
    """{source} asks {target} to add {amount}."""

    amount: int


@message
class Told:
    """{source} tells {target} what it has: {what}."""

    what: object


class Counter(Node):
    """Adds what clients say to a durable sum, and tells its peers."""

    durable = {"total": 0, "seen": []}
    shows = ("total", "seen", "starts", "memory", "told")

    def on_start(self):
        self.starts, self.memory, self.told = 1, 0, {}

    def on_client_request(self, sender, m):
        self.total += m.command
        self.seen.append(Add(m.command))
        self.memory += m.command
        self.broadcast(Told([self.total, {"by": self.id, 7: None}]))
        self.send(sender, ClientReply(m.number, True, self.total))

    def on_told(self, sender, m):
        self.told[sender] = m.what[0]


class Heart(Node):
    """Sends a beat to every peer every 20 ms and counts what it hears."""

    shows = ("heard", "clock", "beats")

    def on_start(self):
        self.heard, self.clock, self.beats = {peer: 0 for peer in self.peers}, self.now, 0
        self.set_timer("beat", after=20)

    def on_beat_timeout(self):
        self.clock = self.now
        self.beats += 1
        self.broadcast(Add(1))
        self.set_timer("beat", after=20)

    def on_add(self, sender, m):
        self.heard[sender] += m.amount
