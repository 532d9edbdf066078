"""What a store that keeps conflicts promises: nothing that was acknowledged is lost, and only conflicts are kept.

A client shows `told` = [number, key, item added or None, items]; a replica `siblings` = {key: [[vector, value], ...]}.
"""

from __future__ import annotations

from dslab.sim import title, violation


@title("Nothing added is lost")
def nothing_added_is_lost(world):
    """A cart has every item whose addition was acknowledged before the cart was asked for."""
    client, memory = world.changed, world.memory
    if client is None or not hasattr(client, "told"):
        return None
    missing = []
    if client.told and memory.get((client.id, "told")) != client.told[0]:
        number, key, added, items = client.told
        memory[client.id, "told"] = number
        missing = [item for item in memory.get((client.id, "asked"), {}).get(key, []) if item not in items]
        carts = memory.get("carts", {})
        if added:
            memory["carts"] = {**carts, key: sorted({*carts.get(key, []), added})}
    if memory.get((client.id, "number")) != client.number:
        memory[client.id, "number"] = client.number
        memory[client.id, "asked"] = memory.get("carts", {})
    if not missing:
        return None
    found = " ".join(items) or "nothing"
    return violation(f"{client.id} finds {found} in {key}, but {missing[0]} was in it before {client.id} asked",
                     nodes=[client.id], expected=f"{missing[0]} among the items", found=found)


@title("Siblings are conflicts")
def siblings_are_conflicts(world):
    """Of two siblings neither has seen the other: each vector has an entry that is above the other's."""
    for key, siblings in getattr(world.changed, "siblings", {}).items():
        for i, (a, mine) in enumerate(siblings):
            for b, theirs in siblings[i + 1:]:
                if _covers(a, b) or _covers(b, a):
                    return violation(f"{world.changed.id} keeps {mine} {a} and {theirs} {b} of {key} as siblings, and "
                                     f"one has seen the other", nodes=[world.changed.id], expected="one of them",
                                     found="both")
    return None


@title("One value per version")
def one_value_per_version(world):
    """No two replicas hold different values under one vector."""
    node = world.changed
    for key, siblings in getattr(node, "siblings", {}).items():
        for other in world.servers:
            for vector, value in getattr(other, "siblings", {}).get(key, []):
                for mine, my_value in siblings:
                    if mine == vector and my_value != value:
                        return violation(f"{node.id} holds {my_value} and {other.id} {value} of {key}, both as "
                                         f"{vector}", nodes=[node.id, other.id], expected=f"{value}",
                                         found=f"{my_value}")
    return None


@title("A write stays until it is seen")
def writes_stay(world):
    """A replica that has stored a write holds it, or something that has seen it."""
    node = world.changed
    for key, siblings in getattr(node, "siblings", {}).items():
        before = world.memory.get((node.id, key), [])
        world.memory[node.id, key] = [[vector, value] for vector, value in siblings]
        for vector, value in before:
            if not any(_covers(held, vector) for held, _ in siblings):
                return _gone(node, key, vector, value)
    for write in getattr(node, "writes", {}).values():
        for name in write["acks"]:
            held = getattr(world.nodes[name], "siblings", {}).get(write["key"], [])
            if not any(_covers(vector, write["version"]) for vector, _ in held):
                return _gone(world.nodes[name], write["key"], write["version"], write["value"])
    return None


def _gone(node, key, vector, value):
    return violation(f"{node.id} has stored {value} {vector} of {key}, and holds neither that nor anything that has "
                     f"seen it", nodes=[node.id], expected=f"{value} {vector}",
                     found=f"{node.siblings.get(key, [])}")


def _covers(a, b):
    return all(a.get(server, 0) >= count for server, count in b.items())


def carts_fill(world):
    """An item is acknowledged."""
    return any(getattr(client, "told", None) and client.told[2] for client in world.clients)


ALWAYS = (nothing_added_is_lost, siblings_are_conflicts, one_value_per_version)
EVENTUALLY = (carts_fill,)
