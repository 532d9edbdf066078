"""What a Chord ring promises. Properties judge what servers show, so they hold for every class that shows the same.

The ring is in order when every running server names the next one clockwise as its first successor, the ones after it
in the rest of its list, and the one before it as its predecessor. That is promised for some time after servers have
joined, left or failed; at any time, a list of successors runs clockwise. Nothing is promised about partitions.
"""

from __future__ import annotations

from itertools import pairwise

from dslab.sim import title, violation

from .identifiers import identifier, way

ROUNDS = 12           # of repair after the last change, in which a ring must be in order; 2 to 6 are usual


def running(world):
    """The servers that run, in the order of the ring."""
    return sorted((server for server in world.servers if server.status == "up"), key=lambda server: server.position)


def owner_of(key, servers):
    """Who owns a key: the first of these servers, in the order of the ring, at or after it."""
    return next((server for server in servers if server.position >= key), servers[0])


def disorder(world):
    """What keeps the ring from being in order: a violation, or None if it is."""
    servers = running(world)
    if len(servers) < 2:
        return None
    names = [server.id for server in servers]
    for i, server in enumerate(servers):
        after = [*names[i + 1:], *names[:i]]
        found, wanted = list(server.successors), after[:server.list_length]
        if found != wanted:
            return violation(f"the servers after {server.id} on the ring are {', '.join(wanted)}, but it names "
                             f"{', '.join(found) or 'nobody'}", nodes=[server.id],
                             expected=", ".join(wanted), found=", ".join(found) or "nobody")
        if server.predecessor != after[-1]:
            return violation(f"{after[-1]} stands before {server.id} on the ring, but {server.id} names "
                             f"{server.predecessor or 'nobody'}", nodes=[server.id], expected=after[-1],
                             found=str(server.predecessor))
    return None


def fingers_right(world):
    """Whether every finger of every running server names the owner of its start."""
    servers = running(world)
    return all(name == owner_of(start, servers).id for server in servers for start, name in server.fingers)


def calm_ms(world):
    """For how long no server has joined, left or failed; None while one is paused."""
    statuses = {server.id: server.status for server in world.servers}
    if world.memory.get("statuses") != statuses:
        world.memory["statuses"], world.memory["since"] = statuses, world.time_us
    return None if "paused" in statuses.values() else (world.time_us - world.memory["since"]) / 1000


@title("Successors run clockwise")
def successors_in_order(world):
    """A list of successors runs clockwise from its server, names nobody twice and not the server itself."""
    server = world.changed
    if server is None or not getattr(server, "successors", None):
        return None
    places = {other.id: other.position for other in world.servers if hasattr(other, "position")}
    ways = [0, *(way(server.position, places[name], server.bits) for name in server.successors if name in places)]
    if all(near < far for near, far in pairwise(ways)):
        return None
    return violation(f"{server.id} names {', '.join(server.successors)} as its successors, which is not the order in "
                     f"which they stand", nodes=[server.id])


@title("Lookups find the owner")
def lookups_find_the_owner(world):
    """A lookup that begins and ends while the ring is in order names the owner of its key."""
    server, memory = world.changed, world.memory
    if server is None or not hasattr(server, "lookups"):
        return None
    ordered, seen = disorder(world) is None, memory.setdefault("seen", {})
    if not ordered:
        memory["upsets"] = memory.get("upsets", 0) + bool(memory.get("ordered", True))
    memory["ordered"] = ordered
    for number, lookup in server.lookups.items():
        mark = f"{server.id} {number}"
        began = seen.setdefault(mark, memory.get("upsets", 0) if ordered else None)
        if lookup["state"] == "going" or began == "judged":
            continue
        seen[mark] = "judged"
        if lookup["state"] == "refused":                 # it took a slow owner for a dead one: nothing is written
            continue
        if ordered and began == memory.get("upsets", 0) and lookup["owner"] != (
                owner := owner_of(lookup["key"], running(world)).id):
            return violation(f"{owner} owns {lookup['key']}, but the lookup of {server.id} by way of "
                             f"{', '.join(lookup['path'])} ends with {lookup['owner'] or 'nobody'}",
                             nodes=[server.id], expected=owner, found=str(lookup["owner"]))
    return None


def mends_within(ms):
    """The properties of a ring that has had time to mend.

    Args:
        ms: how long after the last change of servers.

    Returns:
        (ring_mends, keys_stay).
    """

    @title("The ring mends")
    def ring_mends(world):
        """Some time after the last server joined, left or failed, the ring is one and in order."""
        calm = calm_ms(world)
        return disorder(world) if calm is not None and calm > ms else None

    @title("Answered writes stay")
    def keys_stay(world):
        """Once the ring has mended, every key whose write was answered is with its owner."""
        asked, kept = world.memory.setdefault("asked", {}), world.memory.setdefault("kept", {})
        client = world.changed
        if client is not None and hasattr(client, "command"):
            before, now = asked.get(client.id), [client.number, client.command]
            if before and before != now and "=" in str(before[1]):
                kept[str(before[1]).partition("=")[0]] = True
            asked[client.id] = now
        calm = calm_ms(world)
        if calm is None or calm <= ms or not kept or disorder(world):
            return None
        servers = running(world)
        for name in kept:
            key = identifier(name, servers[0].bits)
            owner = owner_of(key, servers)
            if key not in owner.keys:
                return violation(f"{owner.id} owns {name!r} ({key}), whose write was answered, and does not have it",
                                 nodes=[owner.id])
        return None

    return ring_mends, keys_stay


@title("Lookups are short")
def hops_halve(world):
    """With all fingers right, every hop of a lookup at least halves the way to the last server before the key."""
    server = world.changed
    if server is None or not getattr(server, "lookups", None) or disorder(world) or not fingers_right(world):
        return None
    servers = {other.id: other for other in running(world)}
    for lookup in server.lookups.values():
        path = [servers[name] for name in lookup["path"] if name in servers]
        last = max(servers.values(), key=lambda other: -way(other.position, lookup["key"] - 1, server.bits)).position
        for one, next_one in pairwise(path):
            before, after = (way(at.position, last, server.bits) for at in (one, next_one))
            if 2 * after > before:
                return violation(f"the lookup of {lookup['key']} goes from {one.id} to {next_one.id} and comes from "
                                 f"{before} to {after} before the last server that precedes the key: less than half",
                                 nodes=[one.id, next_one.id], expected=f"{before // 2} or less", found=str(after))
    return None


@title("The ring is in order")
def ring_forms(world):
    """All running servers, two or more, are one ring in order."""
    return len(running(world)) > 1 and all(hasattr(s, "successors") for s in running(world)) and not disorder(world)


@title("A lookup succeeds")
def lookup_succeeds(world):
    """Some lookup that took at least one hop found an owner."""
    return any(lookup["state"] == "found" and len(lookup["path"]) > 1
               for server in world.servers for lookup in getattr(server, "lookups", {}).values())


EVENTUALLY = (ring_forms, lookup_succeeds)
