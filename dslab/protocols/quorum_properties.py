"""What a replicated register promises, in terms of versions: what clients are told, and what replicas hold.

A client shows `told` = [number, key, "read" or "write", version]; a replica shows `versions` and the records of the
operations that it coordinates. The first three together make a register atomic if no two writes have one version: N.
Lynch, "Distributed Algorithms", 1996, lemma 13.16.
"""

from __future__ import annotations

from dslab.sim import title, violation


def _told(world):
    """(number, key, kind, version, floor) if a client was told something new; floor: what it must not be below.

    The floor is {"write": newest version that an acknowledged write had, "read": that a read had returned} when the
    client asked. Used once per property, each with notes of its own.
    """
    node, memory = world.changed, world.memory
    if node is None or not hasattr(node, "told"):
        return None
    newest, answer = memory.setdefault("newest", {}), None
    if node.told and memory.get((node.id, "told")) != node.told[0]:
        memory[node.id, "told"] = node.told[0]
        _, key, kind, version = node.told
        answer = key, kind, list(version), memory.get((node.id, "asked"), {}).get(key, {})
        seen = newest.get(key, {})
        newest = memory["newest"] = {**newest, key: {**seen, kind: max(list(version), seen.get(kind, [0, ""]))}}
    if memory.get((node.id, "number")) != node.number:
        memory[node.id, "number"] = node.number
        memory[node.id, "asked"] = newest
    return answer


@title("Reads are fresh")
def reads_are_fresh(world):
    """A read returns nothing older than the newest write that was acknowledged before it was asked."""
    told = _told(world)
    if told is None or told[1] != "read":
        return None
    key, _, version, floor = told
    if version >= floor.get("write", [0, ""]):
        return None
    return violation(f"{world.changed.id} reads version {_say(version)} of {key}, but version {_say(floor['write'])} "
                     f"was acknowledged before it asked", nodes=[world.changed.id],
                     expected=f"version {_say(floor['write'])} or a newer one", found=f"version {_say(version)}")


@title("Reads never go back")
def reads_never_go_back(world):
    """A read returns nothing older than what another read had returned before it was asked."""
    told = _told(world)
    if told is None or told[1] != "read":
        return None
    key, _, version, floor = told
    if version >= floor.get("read", [0, ""]):
        return None
    return violation(f"{world.changed.id} reads version {_say(version)} of {key}, but a read had returned version "
                     f"{_say(floor['read'])} before it asked", nodes=[world.changed.id],
                     expected=f"version {_say(floor['read'])} or a newer one", found=f"version {_say(version)}")


@title("Writes are newer")
def writes_are_newer(world):
    """A write has a newer version than all that clients had been told before it was asked."""
    told = _told(world)
    if told is None or told[1] != "write":
        return None
    key, _, version, floor = told
    newest = max(floor.values(), default=[0, ""])
    if version > newest:
        return None
    return violation(f"{world.changed.id}'s write of {key} has version {_say(version)}, but version {_say(newest)} was "
                     f"known before it asked", nodes=[world.changed.id], expected=f"a version after {_say(newest)}",
                     found=f"version {_say(version)}")


@title("One value per version")
def one_value_per_version(world):
    """No two replicas hold different values under one version of a key."""
    node = world.changed
    if node is None or not hasattr(node, "versions"):
        return None
    values = world.memory
    for key, (version, value) in node.versions.items():
        name = (key, *version)
        first = values.setdefault(name, [value, node.id])
        if first[0] != value:
            return violation(f"{node.id} holds {key}={value} and {first[1]} {key}={first[0]}, both as version "
                             f"{_say(version)}", nodes=[node.id, first[1]], expected=f"{key}={first[0]}",
                             found=f"{key}={value}")
    return None


@title("What is counted is stored")
def what_is_counted_is_stored(world):
    """Every replica whose acknowledgement a coordinator has counted holds that version of the key, or a newer one."""
    if world.changed is None or not hasattr(world.changed, "versions"):
        return None
    for node in world.servers:
        for operation in [*getattr(node, "writes", {}).values(), *getattr(node, "reads", {}).values()]:
            version = operation["version"]
            for name in operation["acks"] if operation["state"] == "done" else ():
                held = getattr(world.nodes[name], "versions", {}).get(operation["key"], [[0, ""], None])[0]
                if list(held) < list(version):
                    return violation(f"{node.id} counts {name} among those who store version {_say(version)} of "
                                     f"{operation['key']}", nodes=[node.id, name],
                                     expected=f"version {_say(version)} at {name}", found=f"version {_say(held)}")
    return None


def writes_finish(world):
    """A write is acknowledged."""
    return any(getattr(client, "told", None) and client.told[2] == "write" for client in world.clients)


def _say(version):
    """A version in words: 3.n1, or "none"."""
    return f"{version[0]}.{version[1]}" if version[0] else "none"


ALWAYS = (reads_are_fresh, writes_are_newer, one_value_per_version, what_is_counted_is_stored)
ATOMIC = (reads_are_fresh, reads_never_go_back, writes_are_newer, one_value_per_version, what_is_counted_is_stored)
EVENTUALLY = (writes_finish,)
