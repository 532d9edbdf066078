"""A hash table on one server: the table whose parts a distributed one has to spread.

Source: the insert, lookup and delete of a table with chaining in T. Cormen, C. Leiserson, R. Rivest, C. Stein,
"Introduction to Algorithms", section 11.2, with the doubling of section 17.4. Everything is in memory: a restarted
server has forgotten it. A request that is repeated because its answer was lost runs twice, which does no harm here:
each command says what shall be, not what shall change. But a late copy of an old put undoes a newer one.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System, title, violation

from .identifiers import identifier

LATENCY = (5, 15)       # ms one way
BUCKETS = 4             # at first
FULL = 2                # entries per bucket, on average, at which the number of buckets doubles
BITS = 32               # of a hash
BOUNDS = {"requests": [f"{key}=1" for key in "abcdefghi"]}     # of an exploration, unless told otherwise


class Server(Node):
    """A table of buckets: "x=1" puts, "x" gets, "-x" deletes; a get or delete answers with the value, or None."""

    shows = ("buckets", "size")

    def on_start(self):
        self.buckets = [[] for _ in range(BUCKETS)]      # of entries [key, value]
        self.size = 0

    def bucket(self, key):
        return self.buckets[identifier(key, BITS) % len(self.buckets)]

    def on_client_request(self, sender, m):
        text = str(m.command)
        key, is_put, value = text.partition("=")
        result = self.put(key, value) if is_put else self.delete(text[1:]) if text[:1] == "-" else self.get(text)
        self.send(sender, ClientReply(m.number, True, result))

    def get(self, key):
        return next((value for other, value in self.bucket(key) if other == key), None)

    def put(self, key, value):
        if self.size >= FULL * len(self.buckets):
            self.grow()
        entries = self.bucket(key)
        for entry in entries:
            if entry[0] == key:
                entry[1] = value
                return value
        entries.append([key, value])
        self.size += 1
        return value

    def delete(self, key):
        entries, value = self.bucket(key), self.get(key)
        kept = [entry for entry in entries if entry[0] != key]
        self.size -= len(entries) - len(kept)
        entries[:] = kept
        return value

    def grow(self):
        """Twice the buckets: nearly every second entry moves, which is why servers are not buckets (S11)."""
        entries = [entry for bucket in self.buckets for entry in bucket]
        self.buckets = [[] for _ in range(2 * len(self.buckets))]
        for key, value in entries:
            self.bucket(key).append([key, value])


@title("Entries are in their buckets")
def entries_in_their_buckets(world):
    """Every entry is in the bucket of its hash, every key is there once, and the size is their number."""
    server = world.changed
    if server is None or not hasattr(server, "buckets"):
        return None
    keys = [key for bucket in server.buckets for key, _ in bucket]
    for number, bucket in enumerate(server.buckets):
        for key, _ in bucket:
            wanted = identifier(key, BITS) % len(server.buckets)
            if wanted != number:
                return violation(f"{server.id} has {key!r} in bucket {number}; it belongs into {wanted}",
                                 nodes=[server.id], expected=f"bucket {wanted}", found=f"bucket {number}")
    if len(set(keys)) < len(keys) or server.size != len(keys):
        return violation(f"{server.id} counts {server.size} entries and has {len(set(keys))} keys in {len(keys)} "
                         f"entries", nodes=[server.id])
    return None


@title("The table has grown")
def table_has_grown(world):
    """Some table has more buckets than at first."""
    return any(len(getattr(server, "buckets", ())) > BUCKETS for server in world.servers)


ALWAYS, EVENTUALLY = (entries_in_their_buckets,), (table_has_grown,)


class ForgetsToRehash(Server):
    """A bigger table is the old one with empty buckets behind it (and everything stays where it is)."""

    catalogue = "S11"

    def grow(self):
        self.buckets = [*self.buckets, *([] for _ in self.buckets)]


MUTANTS = (ForgetsToRehash,)


def cluster(nodes=1, *, server=Server, clients=1, latency=LATENCY, disk=0, **options):
    """One server with a table.

    Args:
        nodes: 1; more are tables that know nothing of each other.
        clients: how many.
        server: the class to run, Server or a variant of it.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the server class.
    """
    given = {"latency": latency, "disk": disk, "clients": clients, **options}
    usual = {"latency": LATENCY, "disk": 0, "clients": 1}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = f", server={server.__name__}" if server is not Server else ""
    return System(server, nodes, clients=clients, network=Network(latency=latency), disk=disk, options=options,
                  always=ALWAYS, eventually=EVENTUALLY, name="hash_table",
                  imports="from dslab.protocols import hash_table",
                  code=f"hash_table.cluster({nodes}{variant}{''.join(changed)})")
