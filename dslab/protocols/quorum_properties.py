"""What a replicated register promises, in terms of versions: what clients are told, and what replicas hold.

A client shows `told` = [number, key, "read" or "write", version]; a replica shows `versions` and the records of the
operations that it coordinates. The properties in ATOMIC make a register atomic if no two writes have one version: N.
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
    """A write has a newer version than every write that was acknowledged before it was asked."""
    return _newer_than(world, "write", "acknowledged")


@title("Writes pass what was read")
def writes_pass_reads(world):
    """A write has a newer version than all that reads had returned before it was asked."""
    return _newer_than(world, "read", "read")


def _newer_than(world, kind, what):
    told = _told(world)
    if told is None or told[1] != "write":
        return None
    key, _, version, floor = told
    known = floor.get(kind, [0, ""])
    if version > known:
        return None
    return violation(f"{world.changed.id}'s write of {key} has version {_say(version)}, but version {_say(known)} was "
                     f"{what} before it asked", nodes=[world.changed.id], expected=f"a version after {_say(known)}",
                     found=f"version {_say(version)}")


@title("One value per version")
def one_value_per_version(world):
    """No two writes of a key have the same version: neither at the replicas nor where they are coordinated."""
    if world.changed is None or not hasattr(world.changed, "versions"):
        return None
    values = {}
    for node in world.servers:
        known = [(key, version, value) for key, (version, value) in getattr(node, "versions", {}).items()]
        known += [(w["key"], w["version"], w["value"]) for w in getattr(node, "writes", {}).values() if w["version"]]
        for key, version, value in known:
            first, where = values.setdefault((key, *version), (value, node.id))
            if first != value:
                return violation(f"{key}={value} at {node.id} and {key}={first} at {where} both have version "
                                 f"{_say(version)}", nodes=dict.fromkeys([node.id, where]),
                                 expected=f"one value of version {_say(version)}", found=f"{first} and {value}")
    return None


@title("What is acknowledged is stored")
def what_is_acknowledged_is_stored(world):
    """Of the replicas of a key, as many as a write needs hold its version or a newer one once it is acknowledged."""
    if world.changed is None or not hasattr(world.changed, "versions"):
        return None
    for node in world.servers:
        for write in getattr(node, "writes", {}).values():
            if write["state"] == "done":
                key, version = write["key"], list(write["version"])
                has = [name for name in write["asked"] if _held(world.nodes[name], key) >= version]
                if len(has) < write["need"]:
                    return violation(f"{node.id} has acknowledged version {_say(version)} of {key}, which "
                                     f"{len(has)} of its replicas store", nodes=[node.id, *has],
                                     expected=f"{write['need']} replicas", found=", ".join(has) or "none")
    return None


def _held(node, key):
    return list(getattr(node, "versions", {}).get(key, [[0, ""]])[0])


def writes_finish(world):
    """A write is acknowledged."""
    return any(getattr(client, "told", None) and client.told[2] == "write" for client in world.clients)


def _say(version):
    """A version in words: 3.n1, or "none"."""
    return f"{version[0]}.{version[1]}" if version[0] else "none"


STORED = (writes_are_newer, one_value_per_version, what_is_acknowledged_is_stored)
ALWAYS = (reads_are_fresh, *STORED)
ATOMIC = (reads_are_fresh, reads_never_go_back, writes_pass_reads, *STORED)
EVENTUALLY = (writes_finish,)
