"""What primary and backup promise: one primary in a view, and a backup that has run all that was acknowledged."""

from __future__ import annotations

from dslab.sim import title, violation


@title("One primary per view")
def one_primary_per_view(world):
    """No two servers are primary in the same view."""
    node = world.changed
    if node is None or getattr(node, "role", "") != "primary":
        return None
    first = world.memory.setdefault(node.view[0], node.id)
    if first == node.id:
        return None
    return violation(f"{first} and {node.id} are both primary in view {node.view[0]}", nodes=[first, node.id],
                     expected=first, found=node.id)


@title("The backup is ahead")
def the_backup_is_ahead(world):
    """What a primary that is ready has run, its backup has run too."""
    for node in world.servers:
        if getattr(node, "role", "") == "primary" and node.ready and node.view[2]:
            backup = world.nodes[node.view[2]]
            if list(backup.tag) == list(node.tag) and backup.run < node.run:
                return violation(f"{node.id} has run {node.run} operations and its backup {backup.id} {backup.run}",
                                 nodes=[node.id, backup.id], expected=f"at least {node.run}", found=f"{backup.run}")
    return None


def somebody_is_at_work(world):
    """A primary is ready."""
    return any(getattr(node, "ready", False) and node.role == "primary" for node in world.servers)


ALWAYS = (one_primary_per_view, the_backup_is_ahead)
EVENTUALLY = (somebody_is_at_work,)
