"""What the steps of raft_steps promise, beside the properties of raft_properties.

Each looks at shown attributes only: role, term, leader, log, match_index, last_applied and ran.
"""

from __future__ import annotations

from dslab.sim import title, violation


@title("Nobody follows the past")
def nobody_follows_the_past(world):
    """The leader that a server follows was elected in the server's own term."""
    server = world.changed
    if server is None or not hasattr(server, "leader"):
        return None
    if server.role == "leader":
        world.memory[server.term] = server.id
    elif server.leader is not None and world.memory.get(server.term, server.leader) != server.leader:
        return violation(f"{server.id} is in term {server.term}, which {world.memory[server.term]} leads, and follows "
                         f"{server.leader}", nodes=[server.id, server.leader],
                         expected=f"{server.id} follows {world.memory[server.term]}", found=server.leader)
    return None


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


@title("A request runs once")
def runs_once(world):
    """No state machine runs a request of a client twice."""
    server = world.changed
    ran = getattr(server, "ran", None)
    if not ran or ran[-1] not in ran[:-1]:
        return None
    client, number = ran[-1]
    return violation(f"{server.id} has run request {number} of {client} twice", nodes=[server.id])
