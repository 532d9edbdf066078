"""Eventual consistency with session guarantees: replicas answer alone, and a client brings along what it has seen.

Source: D. Terry et al., "Session Guarantees for Weakly Consistent Replicated Data", PDIS 1994: read your writes,
monotonic reads, writes follow reads and monotonic writes, each by a version that the client remembers. R = W = 1, so no
two quorums need to meet: what one client sees is in order, what two clients see is not.
"""

from __future__ import annotations

from dslab.sim import message, title, violation
from dslab.sim.client import RETRY_MS

from . import quorum
from .quorum_properties import EVENTUALLY, one_value_per_version


@message
class SessionRequest:
    """{source} asks {target} to run {command} (request {number}); it has seen versions {seen}."""

    number: int
    command: object
    seen: dict


class Traveller(quorum.Customer):
    """A client that remembers the newest version of each key that it has read or written, and says so."""

    shows = (*quorum.Customer.shows, "seen")

    def on_start(self):
        super().on_start()
        self.seen = {}

    def _ask(self):
        self.send(self.contact, SessionRequest(self.number, self.command, self.seen))
        self.set_timer("retry", after=RETRY_MS)

    def complete(self, result):
        key = str(self.command).partition("=")[0]
        self.seen = {**self.seen, key: max(list(result[0]), self.seen.get(key, [0, ""]))}
        super().complete(result)                         # which may ask the next one already


class Server(quorum.Replica):
    """A replica that answers from one copy, but never with less than its client has seen."""

    R = W = 1
    tries = None

    def forget(self):
        super().forget()
        self.seen = {}                                   # client -> the versions that it brought along last

    def on_session_request(self, sender, m):
        if m.number >= self.latest.get(sender, 0):
            self.seen[sender] = m.seen
        self.counter = max(self.counter, *(version[0] for version in m.seen.values()), 0)
        self.on_client_request(sender, m)

    def found(self, name):
        read = self.reads[name]
        if read["version"] >= self.seen.get(read["client"], {}).get(read["key"], [0, ""]):
            super().found(name)
        else:
            read["version"], read["value"] = None, None  # waits for another answer

    def again(self, name):
        if name in self.reads:
            self.reads[name]["answers"] = {}             # they were too old; they may have been repaired since
        super().again(name)


class Forgetful(Traveller):
    """A store that converges never goes backwards, so there is nothing to bring along."""

    catalogue = "S10"

    def _ask(self):
        self.seen = {}
        super()._ask()


MUTANTS = (Forgetful,)


@title("No client goes back")
def no_client_goes_back(world):
    """Whatever a client is told about a key is no older than what it was told about it before."""
    client, memory = world.changed, world.memory
    if client is None or not getattr(client, "told", None) or memory.get((client.id, "told")) == client.told[0]:
        return None
    number, key, kind, version = client.told
    memory[client.id, "told"] = number
    before = memory.get((client.id, key), [0, ""])
    memory[client.id, key] = max(before, list(version))
    if list(version) >= before:
        return None
    before, now = (f"{counter}.{writer}" if counter else "none" for counter, writer in (before, version))
    return violation(f"{client.id}'s {kind} of {key} has version {now}, and it had seen version {before}",
                     nodes=[client.id], expected=f"version {before} or a newer one", found=f"version {now}")


def cluster(nodes=3, *, server=Server, client=Traveller, clients=1, latency=quorum.LATENCY, disk=quorum.DISK,
            **options):
    """Replicas that answer alone; arguments as for quorum.cluster."""
    return quorum.assembled("quorum_sessions", {"server": Server, "client": Traveller}, nodes, server=server,
                            client=client, clients=clients, latency=latency, disk=disk,
                            always=(no_client_goes_back, one_value_per_version), eventually=EVENTUALLY, **options)
