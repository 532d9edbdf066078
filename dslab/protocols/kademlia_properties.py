"""What Kademlia promises. Properties judge what servers show."""

from __future__ import annotations

from dslab.sim import title, violation

from .chord_properties import lookup_succeeds


def prefix(one, other, bits):
    """How many leading bits two identifiers share; `bits` if they are equal."""
    return bits - (one ^ other).bit_length()


def running(world):
    """The servers that run."""
    return [server for server in world.servers if server.status == "up" and hasattr(server, "buckets")]


def full(world):
    """Whether every bucket has k servers, or all there are for it, and only such as run: then lookups are exact.

    A server names the k closest that it knows. Where some of these are gone, a lookup may end with fewer than k.
    """
    servers = running(world)
    alive = {server.id for server in servers}
    for server in servers:
        if any(name not in alive for names in server.buckets.values() for name in names):
            return False
        there = {}
        for other in servers:
            if other is not server:
                length = str(prefix(server.position, other.position, server.bits))
                there[length] = there.get(length, 0) + 1
        for length, number in there.items():
            if len(server.buckets.get(length, ())) < min(number, server.k):
                return False
    return True


@title("Buckets are in order")
def buckets_in_order(world):
    """No bucket holds more than k servers, one twice, the server itself, or one whose prefix is of another length."""
    server = world.changed
    if server is None or not hasattr(server, "buckets"):
        return None
    places = {other.id: other.position for other in world.servers if hasattr(other, "position")}
    for length, names in server.buckets.items():
        if len(names) > server.k:
            return violation(f"{server.id} has {len(names)} servers in bucket {length}; k is {server.k}",
                             nodes=[server.id], expected=f"at most {server.k}", found=str(len(names)))
        wrong = [name for name in names if name == server.id or names.count(name) > 1 or name in places
                 and prefix(server.position, places[name], server.bits) != int(length)]
        if wrong:
            return violation(f"{server.id} has {wrong[0]} in bucket {length}, where it does not belong or is twice",
                             nodes=[server.id])
    return None


@title("Lookups find the closest")
def lookups_find_the_closest(world):
    """While nobody comes or goes and all buckets are full, a lookup ends with the k servers closest to the key."""
    memory, server = world.memory, world.changed
    statuses = [other.status for other in world.servers]
    if memory.get("statuses") != statuses:               # what is under way did not begin with these
        under_way = {f"{other.id} {number}": False for other in world.servers
                     for number, lookup in getattr(other, "lookups", {}).items() if lookup["state"] == "going"}
        memory["statuses"], memory["began"] = statuses, under_way
    if server is None or not getattr(server, "lookups", None):
        return None
    began = memory["began"]
    for number, lookup in server.lookups.items():
        mark = f"{server.id} {number}"
        if lookup["state"] == "going":
            if mark not in began:
                began[mark] = full(world)
        elif began.pop(mark, False):
            right = sorted(running(world), key=lambda other: other.position ^ lookup["key"])
            wanted = [other.id for other in right][:server.k]
            named = list(lookup["closest"])
            if named != wanted and not _has_value(world, named, lookup["key"]):
                return violation(f"the servers closest to {lookup['key']} are {', '.join(wanted)}, and the lookup of "
                                 f"{server.id} ends with {', '.join(lookup['closest']) or 'nobody'}",
                                 nodes=[server.id], expected=", ".join(wanted), found=", ".join(lookup["closest"]))
    return None


def _has_value(world, named, key):
    """Whether a lookup of a value ended with one server that has it, which may once have been among the closest."""
    return len(named) == 1 and key in world.nodes[named[0]].keys


ALWAYS = (buckets_in_order, lookups_find_the_closest)
EVENTUALLY = (lookup_succeeds,)
