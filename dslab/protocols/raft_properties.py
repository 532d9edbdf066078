"""What Raft promises: the five safety properties of Figure 3, and two signs of progress.

Source: D. Ongaro, J. Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014, extended
version, Figure 3. They hold for every variant of Raft that shows role, term, log, commit_index and last_applied, so a
student's own Raft is judged by the same functions. Each looks only at what the last event changed.
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
    before = world.memory.get((server.id, server.term), [])
    world.memory[server.id, server.term] = server.log
    if server.log[:len(before)] != before:
        index = next(i for i, e in enumerate(before, 1) if server.log[i - 1:i] != [e])
        return violation(f"leader {server.id} changed index {index} of its own log", nodes=[server.id], index=index,
                         expected=tell(before, index), found=tell(server.log, index))
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
        end = min(len(server.log), len(other.log))
        while end and server.log[end - 1].term != other.log[end - 1].term:
            end -= 1
        if server.log[:end] != other.log[:end]:
            index = next(i for i in range(1, end + 1) if server.log[i - 1] != other.log[i - 1])
            return violation(f"{other.id} and {server.id} differ at index {index} though both hold term "
                             f"{server.log[end - 1].term} at index {end}", nodes=[other.id, server.id], index=index,
                             expected=tell(other.log, index), found=tell(server.log, index))
    return None


@title("Commits are kept")
def leader_completeness(world):
    """An entry committed in a term stands in the log of every leader of a later term."""
    server = world.changed
    if server is None or not hasattr(server, "commit_index"):
        return None
    committed = world.memory.setdefault("committed", [])         # (entry, term in which it was known committed)
    grew = server.commit_index > len(committed)
    for index in range(len(committed), min(server.commit_index, len(server.log))):
        committed.append((server.log[index], server.term))
    leaders = [s for s in world.servers if getattr(s, "role", None) == "leader"] if grew else \
        [server] if server.role == "leader" and world.memory.get(server.id) != server.term else []
    for leader in leaders:
        world.memory[leader.id] = leader.term
        for index, (entry, term) in enumerate(committed, start=1):
            if leader.term > term and leader.log[index - 1:index] != [entry]:
                text = f"{leader.id} leads term {leader.term} without index {index}, committed in term {term}"
                return violation(text, nodes=[leader.id], index=index, expected=tell([entry], 1),
                                 found=tell(leader.log, index))
    return None


@title("State machines agree")
def state_machine_safety(world):
    """No two servers apply different commands at the same index."""
    server = world.changed
    if server is None or not hasattr(server, "last_applied"):
        return None
    for index in range(world.memory.get(server.id, 0) + 1, server.last_applied + 1):
        entry = server.log[index - 1] if index <= len(server.log) else None
        who, first = world.memory.setdefault(("applied", index), (server.id, entry))
        if first != entry:
            return violation(f"{who} and {server.id} applied different commands at index {index}",
                             nodes=[who, server.id], index=index, expected=tell([first], 1), found=tell([entry], 1))
    world.memory[server.id] = server.last_applied
    return None


@title("A leader")
def has_leader(world):
    """A server that is running leads."""
    return any(s.status == "up" and getattr(s, "role", None) == "leader" for s in world.servers)


@title("A command commits")
def commits(world):
    """A command is committed and applied somewhere."""
    return any(getattr(s, "last_applied", 0) > 0 for s in world.servers)


def tell(log, index):
    """An entry in a few characters, for violations."""
    entry = log[index - 1] if index <= len(log) else None
    return "nothing" if entry is None else f"`{entry.command}` of term {entry.term}"


ALWAYS = (election_safety, leader_append_only, log_matching, leader_completeness, state_machine_safety)
EVENTUALLY = (has_leader, commits)
