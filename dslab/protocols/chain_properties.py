"""What chain replication promises: whoever comes earlier in the chain has all that its successor has, and more."""

from __future__ import annotations

from itertools import pairwise

from dslab.sim import title, violation


@title("Update propagation")
def update_propagation(world):
    """Within a configuration a server's updates begin with those of its successor (OSDI 2004, section 3.1)."""
    node = world.changed
    if node is None or not hasattr(node, "hist"):
        return None
    for (name, joined), (next_name, next_joined) in pairwise(node.chain):
        if node.id not in (name, next_name):
            continue
        a, b = world.nodes[name], world.nodes[next_name]
        if not (getattr(a, "number", 0) == getattr(b, "number", 0) == node.number
                and a.since == joined and b.since == next_joined):
            continue
        if list(a.hist[:len(b.hist)]) != list(b.hist):
            return violation(f"{b.id} has updates that its predecessor {a.id} has not, in configuration "
                             f"{node.number}", nodes=[a.id, b.id],
                             expected=f"the first of {a.id}'s {len(a.hist)} updates",
                             found=f"{len(b.hist)} updates, some of them others")
    return None


@title("What is acknowledged is everywhere")
def acknowledged_is_everywhere(world):
    """No server believes that more updates have reached the tail than it has itself."""
    node = world.changed
    if node is None or not hasattr(node, "hist") or node.acknowledged <= len(node.hist):
        return None
    return violation(f"{node.id} believes that {node.acknowledged} updates are at the tail and has {len(node.hist)}",
                     nodes=[node.id], expected=f"at most {len(node.hist)}", found=f"{node.acknowledged}")


def an_update_reaches_the_tail(world):
    """A server knows that the tail has an update."""
    return any(getattr(node, "acknowledged", 0) > 0 for node in world.servers)


ALWAYS = (update_propagation, acknowledged_is_everywhere)
EVENTUALLY = (an_update_reaches_the_tail,)
