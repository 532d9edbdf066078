"""What consistent hashing promises. Properties judge what servers show."""

from __future__ import annotations

from dslab.sim import title, violation

MANY = 20             # keys from which on one may speak of parts
CROWDED = 1.7         # times the average load that nobody may have
MOVED = 2             # times the new server's share that may move
CALM_MS = 500         # after a change of members or a new key, until copies must be where they belong


def settled(world):
    """The running members, if they agree on who is a member, no key is new and nobody has just gone; else None."""
    members = [server for server in world.servers if server.status == "up" and server.epoch]
    now = {server.id: [server.status, list(getattr(server, "keys", ())), getattr(server, "epoch", None)]
           for server in world.servers}
    if world.memory.get("now") != now:
        world.memory["now"], world.memory["since"] = now, world.time_us
    agree = members and all(server.members == members[0].members for server in members)
    if not agree or world.time_us - world.memory["since"] < CALM_MS * 1000:
        return None
    return members if len(members) == len(members[0].members) else None


@title("Copies are on distinct hosts")
def copies_on_distinct_hosts(world):
    """Some time after the last change, the copies of a key stand on as many hosts as there are copies."""
    members = settled(world)
    if members is None:
        return None
    wanted = min(members[0].copies, len({server.host for server in members}))
    hosts = {}
    for server in members:
        for key in server.keys:
            hosts.setdefault(key, {})[server.host] = server.id
    for key, found in hosts.items():
        if len(found) < wanted:
            return violation(f"all copies of key {key} are on host{'s' if len(found) > 1 else ''} {', '.join(found)}: "
                             f"there are to be {wanted}", nodes=found.values(), expected=f"{wanted} hosts",
                             found=f"{len(found)}")
    return None


@title("Few keys move")
def few_keys_move(world):
    """A new server gets about its share of the keys, and the others get none."""
    server, memory = world.changed, world.memory
    if server is None or not hasattr(server, "got"):
        return None
    sizes = memory.setdefault("sizes", {})
    if sizes.get(server.id, server.members) != server.members:
        memory["before"] = {other.id: other.got for other in world.servers if hasattr(other, "got")}
    sizes[server.id] = list(server.members)
    keys = {key for other in world.servers if hasattr(other, "keys") and other.status == "up" for key in other.keys}
    if "before" not in memory or len(keys) < MANY:
        return None
    moved = sum(other.got - memory["before"].get(other.id, 0) for other in world.servers if hasattr(other, "got"))
    most = MOVED * server.copies * len(keys) / max(1, len(server.members) - 1)
    if moved > most:
        return violation(f"one change among {len(server.members)} members has moved {moved} copies of {len(keys)} "
                         f"keys", nodes=[server.id], expected=f"at most {int(most)}", found=str(moved))
    return None


@title("Loads are even")
def loads_are_even(world):
    """With many keys, nobody has much more than the average."""
    members = settled(world)
    if members is None or len({server.host for server in members}) < len(members):
        return None
    loads = {server.id: len(server.keys) for server in members}
    average = sum(loads.values()) / len(loads)
    if average < MANY / 2:
        return None
    most = max(loads, key=loads.get)
    if loads[most] > CROWDED * average:
        return violation(f"{most} has {loads[most]} keys, and the average is {average:.1f}", nodes=[most],
                         expected=f"at most {CROWDED * average:.0f}", found=str(loads[most]))
    return None


@title("Keys are spread")
def keys_are_spread(world):
    """Every running server has a key."""
    return all(getattr(server, "keys", ()) for server in world.servers if server.status == "up")


ALWAYS = (copies_on_distinct_hosts, few_keys_move, loads_are_even)
EVENTUALLY = (keys_are_spread,)
