"""What the parts of Raft that students write promise, beside the properties of raft_properties.

Each looks at shown attributes only: role, term, leader, votes, log, match_index, commit_index, last_applied, store,
ran and what it says of itself, and what a client was told.
"""

from __future__ import annotations

from dslab.sim import title, violation


@title("Who votes waits")
def who_votes_waits(world):
    """A server that gives its vote waits for a whole time-out before it stands for election itself (Figure 2)."""
    server = world.changed
    if server is None or getattr(server, "hasty_vote", None) is None:
        return None
    candidate, term = server.hasty_vote
    return violation(f"{server.id} gives {candidate} its vote in term {term}, and its own time-out runs on",
                     nodes=[server.id], expected="a whole time-out from now on", found="what was left of the old one")


@title("What is safe is committed")
def commits_what_is_safe(world):
    """A leader's commit index is no lower than what its match_index proves to be safe for ever."""
    server = world.changed
    if server is None or getattr(server, "role", None) != "leader":
        return None
    held = sorted([len(server.log), *server.match_index.values()], reverse=True)
    index = held[len(held) // 2]
    if index <= server.commit_index or server.log[index - 1].term != server.term:
        return None
    holders = [server.id, *[peer for peer, match in server.match_index.items() if match >= index]]
    return violation(f"{server.id} leads term {server.term}, has proof that {', '.join(holders)} hold its index "
                     f"{index} of this term, and calls no more than index {server.commit_index} committed",
                     nodes=holders,
                     expected=f"commit index {index}", found=f"commit index {server.commit_index}")


@title("Nobody follows the past")
def nobody_follows_the_past(world):
    """The leader that a server follows was elected in the server's own term."""
    server = world.changed
    if server is None or not hasattr(server, "leader"):
        return None
    if getattr(server, "heard", None) is not None and server.heard != world.memory.get(server.id):
        world.memory[server.id] = server.heard
        term, own, followed, _ = server.heard
        if followed != (term >= own):
            says = "follows" if followed else "does not follow"
            return violation(f"{server.id}, in term {own}, says that it {says} the leader of term {term}",
                             nodes=[server.id], expected=f"{not followed}", found=f"{followed}")
    if server.role == "leader":
        world.memory[server.term] = server.id
    elif server.leader is not None and world.memory.get(server.term, server.leader) != server.leader:
        return violation(f"{server.id} is in term {server.term}, which {world.memory[server.term]} leads, and follows "
                         f"{server.leader}", nodes=[server.id, server.leader],
                         expected=f"{server.id} follows {world.memory[server.term]}", found=server.leader)
    return None


@title("Who follows is no candidate")
def who_follows_is_no_candidate(world):
    """A server that hears from the leader of its term, and follows it, stands no more."""
    server = world.changed
    if server is None or not hasattr(server, "leader"):
        return None
    before = world.memory.get(server.id)
    world.memory[server.id] = server.leader
    if server.role != "candidate" or server.leader in (None, server.id, before):
        return None
    return violation(f"{server.id} follows {server.leader} in term {server.term}, and is a candidate still",
                     nodes=[server.id, server.leader], expected="follower", found="candidate")


@title("Elected once")
def elected_once(world):
    """Who leads a term is not elected again in it."""
    server = world.changed
    if server is None or getattr(server, "role", None) != "leader":
        return None
    before = world.memory.get((server.id, server.term))
    world.memory[server.id, server.term] = server.votes
    if not before or server.votes:
        return None
    return violation(f"{server.id} led term {server.term} already when late votes elected it again", nodes=[server.id],
                     expected="late votes are no news", found=f"votes of {', '.join(before)}, counted anew")


@title("What a leader counts is there")
def counted_is_there(world):
    """Up to match_index a follower's log is the leader's, as long as both are in the leader's term."""
    server = world.changed
    if server is None or not hasattr(server, "match_index"):
        return None
    for leader in world.servers:
        if getattr(leader, "role", None) != "leader":
            continue
        for peer in world.servers if leader is server else [server]:
            match = leader.match_index.get(peer.id, 0)
            if getattr(peer, "term", None) == leader.term and peer.log[:match] != leader.log[:match]:
                return violation(f"{leader.id} believes that {peer.id} holds its log up to index {match}",
                                 nodes=[leader.id, peer.id], index=match,
                                 expected=f"{leader.id}'s log up to there",
                                 found=f"another, with {len(peer.log)} in all")
    return None


@title("Committed is stored")
def committed_is_stored(world):
    """What a leader calls committed is in the logs of a majority, and others learn of it from a leader."""
    server = world.changed
    if server is None or not hasattr(server, "commit_index"):
        return None
    before = world.memory.get(server.id, 0)
    world.memory[server.id] = index = server.commit_index
    if index <= before:
        return None
    if server.role != "leader":
        if index <= world.memory.get("leaders", 0):
            return None
        return violation(f"{server.id}, which does not lead, calls index {index} committed, and no leader has done so",
                         nodes=[server.id], index=index, expected="a leader that called it committed", found="none")
    world.memory["leaders"] = max(world.memory.get("leaders", 0), index)
    holders = [s.id for s in world.servers if hasattr(s, "log") and (
        s.term > server.term or s.log[:index] == server.log[:index])]     # a newer leader may have replaced it since
    if 2 * len(holders) > len(world.servers):
        return None
    return violation(f"leader {server.id} calls index {index} committed, which only {' and '.join(holders)} "
                     f"hold{'s' if len(holders) == 1 else ''}", nodes=holders, index=index,
                     expected=f"{len(world.servers) // 2 + 1} servers that hold it", found=f"{len(holders)}")


@title("What is known is applied")
def hears_what_is_committed(world):
    """A follower has applied all that the last append of its leader proves to be committed and in its log."""
    server = world.changed
    heard = getattr(server, "heard", None)
    if heard is None or server.commit_index >= heard[3]:
        return None
    return violation(f"{server.id} has heard that index {heard[3]} is committed, holds it, and calls no more than "
                     f"index {server.commit_index} committed", nodes=[server.id], index=heard[3],
                     expected=f"commit index {heard[3]}", found=f"commit index {server.commit_index}")


@title("An entry runs once")
def applied_once(world):
    """A server runs every entry of its log at most once."""
    server = world.changed
    ran = getattr(server, "ran", None)
    if not ran or len(ran) <= server.last_applied:
        return None
    client, number = ran[-1]
    return violation(f"{server.id} has applied {server.last_applied} entries and run {len(ran)} commands, the last of "
                     f"them request {number} of {client}", nodes=[server.id], expected=f"{server.last_applied}",
                     found=f"{len(ran)}")


@title("Answered is committed")
def answered_is_committed(world):
    """When a client has its answer, a server has applied its request."""
    node = world.changed
    if node is None:
        return None
    if hasattr(node, "last_applied"):
        for index in range(world.memory.get(node.id, 0) + 1, min(node.last_applied, len(node.log)) + 1):
            world.memory[node.log[index - 1].client, node.log[index - 1].number] = True
        world.memory[node.id] = node.last_applied
    elif hasattr(node, "contact"):
        number, command = world.memory.get(node.id, (0, None))
        world.memory[node.id] = node.number, node.command
        done = command is not None and (number, command) != (node.number, node.command)
        if done and (node.id, number) not in world.memory:
            return violation(f"{node.id} was told by {node.contact} that `{command}` is done, and no server has "
                             f"applied it", nodes=[node.id, node.contact])
    return None


@title("Answers are results")
def told_what_it_returned(world):
    """What a client is told is what its request returned, at a place where it stands in an applied log."""
    node = world.changed
    if node is None:
        return None
    store, results = world.memory.setdefault("run", ({}, {}))    # by all that is applied; of each request, every time
    if hasattr(node, "last_applied"):
        for index in range(world.memory.get("applied", 0) + 1, min(node.last_applied, len(node.log)) + 1):
            entry = node.log[index - 1]
            key, is_write, value = str(entry.command).partition("=")
            if is_write:
                store[key] = value
            results.setdefault((entry.client, entry.number), []).append(store.get(key))
            world.memory["applied"] = index
    elif hasattr(node, "told"):
        number, result = node.told
        right = results.get((node.id, number), [result])
        if result not in right:
            return violation(f"{node.id} was told {result!r} for its request {number}, which returned {right[0]!r}",
                             nodes=[node.id, node.contact], expected=repr(right[0]), found=repr(result))
    return None


@title("A request runs once")
def runs_once(world):
    """No state machine runs a request of a client twice."""
    server = world.changed
    ran = getattr(server, "ran", None)
    if not ran or ran[-1] not in ran[:-1]:
        return None
    client, number = ran[-1]
    return violation(f"{server.id} has run request {number} of {client} twice", nodes=[server.id])


@title("Stores follow the log")
def stores_follow_the_log(world):
    """The store is what the applied commands make of an empty one, each run once, and a restart loses none of it."""
    server = world.changed
    if server is None or not hasattr(server, "store"):
        return None
    stores, _ = _applied(world, server)
    highest = world.memory[server.id] = max(world.memory.get(server.id, 0), server.last_applied)
    if server.last_applied < highest or highest >= len(stores) or server.store == stores[highest]:
        return None                                      # until it has caught up a restarted server may hold anything
    right = stores[highest]
    key = next(key for key in [*right, *server.store] if right.get(key) != server.store.get(key))
    return violation(f"{server.id} holds {key}={server.store.get(key)} after index {highest}", nodes=[server.id],
                     index=highest, expected=f"{key}={right.get(key)}", found=f"{key}={server.store.get(key)}")


@title("Answers are results")
def answers_are_results(world):
    """A client is told what its request gave when it ran for the first time, however often it had to ask."""
    node = world.changed
    if node is None:
        return None
    if hasattr(node, "last_applied"):
        _applied(world, node)
    elif hasattr(node, "told"):
        number, result = node.told
        right = world.memory.get("applied", ([], {}))[1].get((node.id, number), result)
        if result != right:
            return violation(f"{node.id} was told by {node.contact} that its request {number} gave {result}",
                             nodes=[node.id, node.contact], expected=right, found=result)
    return None


def _applied(world, server):
    """What the commands that servers have applied make of an empty store, each once: stores by index, results."""
    stores, results = world.memory.setdefault("applied", ([{}], {}))
    for entry in server.log[len(stores) - 1:server.last_applied]:
        key, is_write, value = str(entry.command).partition("=")
        is_first = (entry.client, entry.number) not in results
        stores.append({**stores[-1], key: value} if is_write and is_first else stores[-1])
        results.setdefault((entry.client, entry.number), stores[-1].get(key))
    return stores, results
