"""What PBFT promises to everybody who is loyal, and two signs of progress.

Source: Castro, Liskov, "Practical Byzantine Fault Tolerance", OSDI 1999, sections 3 and 4.5.1. They look at `slots`,
`view`, `replies` and a client's `accepted`, so they hold for every class that shows those.
"""

from __future__ import annotations

from dslab.sim import title, violation


@title("One request per number")
def same_order(world):
    """No two loyal replicas execute different requests under the same number."""
    return _conflict(world, ("executed",), lambda slot, sequence: sequence, "executed")


@title("Prepared agree")
def prepared_agree(world):
    """No two loyal replicas prepare different requests under the same number in the same view."""
    states = ("prepared", "committed", "executed")
    return _conflict(world, states, lambda slot, sequence: (slot.get("view"), sequence), "prepared")


@title("Only the primary proposes")
def primary_proposes(world):
    """What a loyal replica takes up in a view is what the primary of that view, if loyal, has proposed."""
    replica = world.changed
    if replica is None or replica.traitor or not hasattr(replica, "slots"):
        return None
    for sequence, slot in replica.slots.items():
        if slot["digest"] is None or slot.get("view") != replica.view:
            continue
        if replica.id == replica.primary:
            world.memory[replica.view, sequence] = slot["digest"]
        elif not world.nodes[replica.primary].traitor and int(sequence) > world.nodes[replica.primary].low_mark:
            digest = world.memory.get((replica.view, sequence))
            if digest != slot["digest"]:
                return violation(f"{replica.id} takes up number {sequence} in view {replica.view} as its primary "
                                 f"{replica.primary} has not proposed it", nodes=[replica.id, replica.primary],
                                 index=int(sequence), expected=f"`{digest}`", found=f"`{slot['digest']}`")
    return None


@title("Same state")
def same_state(world):
    """Loyal replicas that have executed equally many requests hold the same state."""
    replica = world.changed
    if replica is None or replica.traitor or not hasattr(replica, "last_executed"):
        return None
    if world.memory.get(replica.id) == replica.last_executed:
        return None
    world.memory[replica.id] = replica.last_executed
    first, store = world.memory.setdefault(("store", replica.last_executed), (replica.id, replica.store))
    if store != replica.store and not world.nodes[first].traitor:
        return violation(f"{first} and {replica.id} differ after {replica.last_executed} requests",
                         nodes=[first, replica.id], index=replica.last_executed, expected=f"{store}",
                         found=f"{replica.store}")
    return None


@title("Answers are true")
def answers_are_true(world):
    """What a client believes is what a loyal replica answered."""
    client = world.changed
    accepted = getattr(client, "accepted", None)
    if accepted is None or client.traitor or world.memory.get(client.id) == accepted:
        return None
    world.memory[client.id] = accepted
    number, result = accepted
    loyal = [replica for replica in world.servers if not replica.traitor and hasattr(replica, "replies")]
    true = [replica.replies.get(client.id) for replica in loyal]
    if any(reply is not None and reply[0] == number and reply[1] == result for reply in true):
        return None
    said = next((reply[1] for reply in true if reply is not None and reply[0] == number), "nothing yet")
    return violation(f"{client.id} believes `{result}`, which no loyal replica answered", nodes=[client.id],
                     expected=f"{said}", found=f"{result}")


@title("A request is executed")
def executes(world):
    """A loyal replica executes a request."""
    return any(not s.traitor and slot["state"] == "executed" for s in world.servers
               for slot in getattr(s, "slots", {}).values())


@title("A client is answered")
def answers(world):
    """A client has enough equal replies."""
    return any(getattr(client, "accepted", None) is not None for client in world.clients)


def _conflict(world, states, key_of, done):
    """The first replica that did something to another digest than a loyal replica before it."""
    replica = world.changed
    if replica is None or replica.traitor or not hasattr(replica, "slots"):
        return None
    for sequence, slot in replica.slots.items():
        if slot["state"] not in states:
            continue
        first, digest = world.memory.setdefault(key_of(slot, sequence), (replica.id, slot["digest"]))
        if digest != slot["digest"] and not world.nodes[first].traitor:
            return violation(f"{first} and {replica.id} {done} different requests as number {sequence}",
                             nodes=[first, replica.id], index=int(sequence), expected=f"`{digest}`",
                             found=f"`{slot['digest']}`")
    return None


ALWAYS = (same_order, prepared_agree, primary_proposes, same_state, answers_are_true)
EVENTUALLY = (executes, answers)
