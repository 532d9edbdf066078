"""Conflicts that are kept: values with version vectors, siblings where neither has seen the other, and contexts.

Source: G. DeCandia et al., "Dynamo: Amazon's Highly Available Key-value Store", SOSP 2007, sections 4.4 (vector clocks,
the cart) and 4.5 (coordinators, R and W); the comparison is that of D. Parker et al., "Detection of Mutual
Inconsistency in Distributed Systems", IEEE TSE 9(3), 1983. One thing differs: the paper counts the writes of each
coordinating server, here each client counts its own. By a server's count two clients that put at the same server,
neither having seen the other, look as if one had: N. Preguica et al., "Dotted Version Vectors", PODC 2012. Left out:
hints (quorum_handoff.py), anti-entropy, truncation of vectors.

Clients fill carts: "cart+milk" gets the cart with its context, merges what it finds, adds milk and puts the result back
under that context; "cart" only gets. A cart is a sorted list of items, written "bread milk".
"""

from __future__ import annotations

from dslab.sim import Client, ClientRequest
from dslab.sim.client import RETRY_MS

from . import quorum
from .dynamo_properties import ALWAYS, EVENTUALLY

BOUNDS = {"requests": ["cart+beer"], "timeouts": 0}     # of an exploration, unless told otherwise


def descends(a, b):
    """Whether version vector a has seen all that b has: every entry of b is at most a's."""
    return all(a.get(server, 0) >= count for server, count in b.items())


def joined(vectors):
    """The smallest vector that descends from all of them."""
    most = {}
    for vector in vectors:
        most.update({server: max(count, most.get(server, 0)) for server, count in vector.items()})
    return dict(sorted(most.items()))


class Replica(quorum.Coordinator):
    """A replica that keeps every value that no other one has seen.

    A version is a vector. What a replica holds, and what a get returns, is a list of siblings [vector, value].
    """

    durable = {"siblings": {}}
    shows = ("siblings", "reads", "writes")

    def on_start(self):
        self.requests = {}
        self.forget()

    # ---- the rule: a value goes only when another has seen it

    def newer(self, a, b):
        """Whether a value with vector a replaces one with vector b."""
        return descends(a, b)

    def merged(self, siblings, vector, value):
        """What is left of some siblings and one more value."""
        if any(self.newer(other, vector) for other, _ in siblings):
            return siblings
        return [*(sibling for sibling in siblings if not self.newer(vector, sibling[0])), [vector, value]]

    def keep(self, key, version, value):
        self.siblings[key] = self.merged(self.siblings.get(key, []), dict(version), value)

    # ---- put: a new vector at once, then W replicas (section 4.5)

    def parsed(self, command):
        return (command, False, None) if isinstance(command, str) else (command["key"], True, command)

    def ask(self, name):
        if name in self.reads:
            return super().ask(name)
        write = self.writes[name]
        context, write["value"] = write["value"]["context"], write["value"]["value"]
        self.put(name, self.vector(context, write))

    def vector(self, context, write):
        """Of a new value: it has seen the context, and it is one more of its client. Asked twice, the same."""
        return dict(sorted({**context, write["client"]: write["number"]}.items()))

    def is_stored(self, acks):
        return len(acks) >= self.W

    # ---- get: what R replicas hold, and the context that covers it

    def held(self, key):
        siblings = self.siblings.get(key, [])
        return joined(vector for vector, _ in siblings), siblings

    def newest(self, answers):
        if len(answers) >= self.R:
            siblings = []
            for _, held in answers.values():
                for vector, value in held:
                    siblings = self.merged(siblings, dict(vector), value)
            return joined(vector for vector, _ in siblings), siblings

    def found(self, name):
        """Answers, then repairs who has not all of it (section 5)."""
        self.finish(name)
        for replica in self.reads[name]["answers"]:
            self.late(name, replica)

    def late(self, name, replica):
        read = self.reads.get(name)
        vectors = [vector for vector, _ in read["answers"][replica][1]] if read else []
        for vector, value in read["value"] if read else []:
            if vector not in vectors and replica == self.id:
                self.keep(read["key"], vector, value)
            elif vector not in vectors:
                self.send(replica, quorum.Write(name, read["key"], vector, value))
                read["repairs"] = [*read["repairs"], replica]


class Customer(Client):
    """A client that puts back what it got, merged, with what it wants."""

    shows = (*Client.shows, "told")

    def on_start(self):
        super().on_start()
        self.told = None                                 # [number, key, item added or None, items] of the last answer
        self.putting = None                              # the put that belongs to the open operation

    def _ask(self):
        # a get and its put are two requests to the servers, and one operation in the history
        if self.putting is None:
            self.send(self.contact, ClientRequest(2 * self.number, self.command.partition("+")[0]))
        else:
            self.send(self.contact, ClientRequest(2 * self.number + 1, self.putting))
        self.set_timer("retry", after=RETRY_MS)

    def on_retry_timeout(self):
        if self.putting is None:
            super().on_retry_timeout()
        else:
            self._ask()

    def reconciled(self, siblings):
        """The items of all carts: nothing that was added may be lost (section 4.4)."""
        return sorted({item for _, cart in siblings for item in cart})

    def on_client_reply(self, sender, m):
        if not self._open or m.number != 2 * self.number + (self.putting is not None):
            return
        key, adds, item = self.command.partition("+")
        if self.putting is None:
            context, siblings = m.result
            items = self.reconciled(siblings)
            if adds:
                items = sorted({*items, item})
                self.putting = {"key": key, "value": items, "context": context}
                return self._ask()
        else:
            items = self.putting["value"]
        self.putting = None
        self.contact = sender
        self.told = [self.number, key, item or None, items]
        self.complete(" ".join(items))


def cluster(nodes=3, *, server=Replica, client=Customer, clients=1, latency=quorum.LATENCY, disk=quorum.DISK,
            **options):
    """Replicas that keep conflicts, and clients that reconcile them; arguments as for quorum.cluster."""
    return quorum.assembled("dynamo", {"server": Replica, "client": Customer}, nodes, server=server, client=client,
                            clients=clients, latency=latency, disk=disk, always=ALWAYS, eventually=EVENTUALLY,
                            **options)
