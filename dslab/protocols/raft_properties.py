"""What Raft promises: the five safety properties of Figure 3, and two signs of progress.

Source: D. Ongaro, J. Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014, extended
version, Figure 3. They hold for every variant of Raft that shows role, term, log, commit_index and last_applied, so a
student's own Raft is judged by the same functions. Where a snapshot stands for the beginning of a log (section 7), the
server shows `snapshot_index`, and `log` is what follows it. Each looks only at what the last event changed.
"""

from __future__ import annotations

from dslab.sim import title, violation


@title("One leader per term")
def election_safety(world):
    """At most one server is elected leader in a term."""
    server = world.changed
    if server is None or getattr(server, "role", None) != "leader":
        return None
    first = world.memory.setdefault(server.term, server.id)
    if first != server.id:
        return violation(f"{first} and {server.id} were both elected in term {server.term}", nodes=[first, server.id],
                         expected=f"one leader in term {server.term}", found=f"{first} and {server.id}")
    return None


@title("Leaders only append")
def leader_append_only(world):
    """A leader never overwrites or deletes entries of its own log."""
    server = world.changed
    if server is None or getattr(server, "role", None) != "leader":
        return None
    first, before = world.memory.get((server.id, server.term), (0, []))
    base = start(server)
    world.memory[server.id, server.term] = base, server.log
    before = before[max(0, base - first):]
    kept = server.log[max(0, first - base):]
    if kept[:len(before)] != before:
        place = next(i for i, e in enumerate(before, 1) if kept[i - 1:i] != [e])
        index = place + max(base, first)
        return violation(f"leader {server.id} changed index {index} of its own log", nodes=[server.id], index=index,
                         expected=tell(before, place), found=tell(kept, place))
    return None


@title("Logs match")
def log_matching(world):
    """Logs that agree on the term of an entry agree on everything up to it."""
    server = world.changed
    if server is None or not hasattr(server, "log") or world.memory.get(server.id) is server.log:
        return None
    world.memory[server.id] = server.log
    for other in world.servers:
        if other is server or not hasattr(other, "log"):
            continue
        base = max(start(server), start(other))          # of what both still hold as entries
        mine, its = server.log[base - start(server):], other.log[base - start(other):]
        end = min(len(mine), len(its))
        while end and mine[end - 1].term != its[end - 1].term:
            end -= 1
        if mine[:end] != its[:end]:
            place = next(i for i in range(1, end + 1) if mine[i - 1] != its[i - 1])
            return violation(f"{other.id} and {server.id} differ at index {base + place} though both hold term "
                             f"{mine[end - 1].term} at index {base + end}", nodes=[other.id, server.id],
                             index=base + place, expected=tell(its, place), found=tell(mine, place))
    return None


@title("Commits are kept")
def leader_completeness(world):
    """An entry committed in a term stands in the log of every leader of a later term."""
    server = world.changed
    if server is None or not hasattr(server, "commit_index"):
        return None
    committed = world.memory.setdefault("committed", [])         # (entry, term in which it was known committed)
    grew = server.commit_index > len(committed)
    base = start(server)
    for index in range(len(committed), min(server.commit_index, base + len(server.log))):
        committed.append((server.log[index - base] if index >= base else None, server.term))
    leaders = [s for s in world.servers if getattr(s, "role", None) == "leader"] if grew else \
        [server] if server.role == "leader" and world.memory.get(server.id) != server.term else []
    for leader in leaders:
        world.memory[leader.id] = leader.term
        for index, (entry, term) in enumerate(committed, start=1):
            place = index - start(leader)
            if leader.term > term and place > 0 and entry is not None and leader.log[place - 1:place] != [entry]:
                text = f"{leader.id} leads term {leader.term} without index {index}, committed in term {term}"
                return violation(text, nodes=[leader.id], index=index, expected=tell([entry], 1),
                                 found=tell(leader.log, place))
    return None


@title("State machines agree")
def state_machine_safety(world):
    """No two servers apply different commands at the same index."""
    server = world.changed
    if server is None or not hasattr(server, "last_applied"):
        return None
    base = start(server)
    for index in range(max(world.memory.get(server.id, 0), base) + 1, server.last_applied + 1):
        entry = server.log[index - base - 1] if index <= base + len(server.log) else None
        who, first = world.memory.setdefault(("applied", index), (server.id, entry))
        if first != entry:
            return violation(f"{who} and {server.id} applied different commands at index {index}",
                             nodes=[who, server.id], index=index, expected=tell([first], 1), found=tell([entry], 1))
    world.memory[server.id] = server.last_applied
    return None


# ---- what clients rely on (section 8); for servers whose state machine is a `store` of keys and values


@title("Commands take effect once")
def takes_effect_once(world):
    """A server's store is what its committed commands make of it, each taken once."""
    server = world.changed
    if server is None or not hasattr(server, "store"):
        return None
    stores = world.memory.setdefault("stores", [{}])             # after so many entries
    base = start(server)
    for index in range(len(stores) - 1, min(server.commit_index, base + len(server.log))):
        if index < base:
            return None                                          # nobody showed this entry
        entry = server.log[index - base]
        again = world.memory.setdefault(("done", entry.client, entry.number), index) != index
        key, is_write, value = entry.command.partition("=") if isinstance(entry.command, str) else ("", "", "")
        write = {key: value} if is_write and (entry.client is None or not again) else {}
        stores.append({**stores[-1], **write})
    right = stores[server.last_applied] if server.last_applied < len(stores) else server.store
    if server.store != right:
        key = next(key for key in [*right, *server.store] if right.get(key) != server.store.get(key))
        return violation(f"{server.id} holds {key}={server.store.get(key)} after index {server.last_applied}",
                         nodes=[server.id], index=server.last_applied, expected=f"{key}={right.get(key)}",
                         found=f"{key}={server.store.get(key)}")
    return None


@title("Answers are true")
def answers_are_true(world):
    """A client is told that its write is done only when this very write is committed."""
    node = world.changed
    if node is None:
        return None
    if hasattr(node, "commit_index"):
        base = start(node)
        for index in range(max(base, world.memory.get(node.id, 0)), min(node.commit_index, base + len(node.log))):
            entry = node.log[index - base]
            world.memory["committed", entry.client, entry.number] = True
        world.memory[node.id] = node.commit_index
    elif hasattr(node, "number"):
        number, command = world.memory.get(node.id, (0, None))
        world.memory[node.id] = node.number, node.command
        answered = command is not None and (node.command is None or node.number != number)
        if answered and "=" in str(command) and ("committed", node.id, number) not in world.memory:
            return violation(f"{node.id} was told that `{command}` is done, and it is not committed", nodes=[node.id],
                             expected=f"`{command}` in a committed log", found="nowhere")
    return None


@title("A leader")
def has_leader(world):
    """A server that is running leads."""
    return any(s.status == "up" and getattr(s, "role", None) == "leader" for s in world.servers)


@title("A command commits")
def commits(world):
    """A command is committed and applied somewhere."""
    return any(getattr(s, "last_applied", 0) > 0 for s in world.servers)


def start(server):
    """The index behind which a server's log begins: 0 unless a snapshot stands for what was before."""
    return getattr(server, "snapshot_index", 0)


def tell(log, place):
    """An entry in a few characters, for violations."""
    entry = log[place - 1] if place <= len(log) else None
    return "nothing" if entry is None else f"`{entry.command}` of term {entry.term}"


ALWAYS = (election_safety, leader_append_only, log_matching, leader_completeness, state_machine_safety)
SERVICE = (takes_effect_once, answers_are_true)
EVENTUALLY = (has_leader, commits)
