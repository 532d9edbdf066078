"""Fast reads with a step more or less, and what a client may see then."""

from __future__ import annotations

from dslab.sim import Client, ClientReply, message

from .local_reads import Server, kind, result


class EverythingInOrder(Server):
    """Reads get their place in the order too: linearizable, and as slow as writes."""

    catalogue = ""

    def answers_itself(self, command):
        return False


class AnswersCasItself(Server):
    """Belief: a compare-and-set that succeeds has seen the newest value. Left out: it is put in order like a write.

    A compare-and-set that would leave the value as it is changes nothing, so this server asks its own copy.
    """

    catalogue = "S2"

    def answers_itself(self, command):
        old, _, new = command.partition(":")[2].partition(">")
        return kind(command) == "read" or kind(command) == "cas" and old == new


@message
class ReadAfter:
    """{source} reads {key} at {target}, from a copy that has everything up to place {after} (request {number})."""

    number: int
    key: str
    after: int


@message
class ReadAt:
    """{source} answers request {number} with {value}, as of place {place}."""

    number: int
    value: object
    place: int


class Session(Server):
    """Lets a read wait until this copy is as new as what its client has seen (Terry and others 1994)."""

    shows = (*Server.shows, "readers")

    def on_start(self):
        self.readers = []                # [client, number, key, after]
        super().on_start()

    def on_read_after(self, sender, m):
        self.readers.append([sender, m.number, m.key, m.after])
        self.serve()

    def serve(self):
        for client, number, key, after in self.readers:
            if after <= self.applied:
                self.send(client, ReadAt(number, result(self.values, key), self.applied))
        self.readers = [reader for reader in self.readers if reader[3] > self.applied]

    def apply(self):
        super().apply()
        self.serve()


class Traveller(Client):
    """A client that goes from server to server and carries with it up to where it has seen."""

    shows = (*Client.shows, "seen")

    def on_start(self):
        super().on_start()
        self.seen = 0

    def _ask(self):
        if kind(self.command) != "read":
            return super()._ask()
        self.send(self.contact, ReadAfter(self.number, self.command, self.seen))
        self.set_timer("retry", after=300)

    def on_read_at(self, sender, m):
        if self._open and m.number == self.number:
            self.seen = m.place
            self.on_client_reply(sender, ClientReply(m.number, True, m.value))
