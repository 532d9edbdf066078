"""What replicas of a conflict-free data type promise: the same updates make the same value, and the right one.

Source: M. Shapiro et al., "Conflict-free Replicated Data Types", SSS 2011, definition 3 (strong eventual
consistency). What the right value is says crdt_specification, from the updates alone. Judged by the attributes `crdt`,
`value`, `seen` (how many updates of each replica a replica includes) and `issued` (a replica's own: operation,
argument, tag, and what it had seen).
"""

from __future__ import annotations

from dslab.sim import title, violation

from .crdt_specification import expected, update


def _known(world, replica):
    """The updates that a replica includes, or None where one of them is not on record."""
    updates = []
    for other in world.servers:
        count = replica.seen.get(other.id, 0)
        issued = getattr(other, "issued", ())
        if count > len(issued):
            return None
        updates += [update(other.id, index, one) for index, one in enumerate(issued[:count], 1)]
    return tuple(sorted(updates, key=lambda one: one.tag))


def _told(updates):
    words = [f"{one.do} {_words(one.argument)} at {one.replica}" for one in updates]
    if not words:
        return "no update"
    return ", ".join(words) if len(words) < 7 else f"{len(words)} updates, the last {', '.join(words[-3:])}"


def _words(argument):
    return " ".join(map(str, argument)) if isinstance(argument, tuple) else str(argument)


@title("Same updates, same value")
def strong_convergence(world):
    """Two replicas that include the same updates show the same value."""
    replica = world.changed
    if getattr(replica, "seen", None) is None or replica not in world.servers:
        return None
    for other in world.servers:
        if other is replica or getattr(other, "seen", None) is None:
            continue
        mine = {name: count for name, count in replica.seen.items() if count}
        if mine == {name: count for name, count in other.seen.items() if count} and replica.value != other.value:
            return violation(f"{other.id} and {replica.id} include the same updates, and {other.id} shows "
                             f"{other.value} and {replica.id} {replica.value}", nodes=[other.id, replica.id],
                             expected=f"{other.value}", found=f"{replica.value}")
    return None


@title("Every update counts, once")
def follows_the_updates(world):
    """A replica's value is what its type makes of the updates that it includes, each once, and of no others."""
    replica = world.changed
    if getattr(replica, "seen", None) is None or replica not in world.servers:
        return None
    updates = _known(world, replica)
    wanted = None if updates is None else expected(replica.crdt, updates)
    if wanted is None or wanted.value == replica.value:
        return None
    return violation(f"{replica.id} includes {_told(updates)}, and shows {replica.value} instead of {wanted.value}",
                     nodes=[replica.id], expected=f"{wanted.value}", found=f"{replica.value}")


@title("Never below zero")
def never_below_zero(world):
    """Nobody takes away what is not there: no counter that is bounded shows less than zero."""
    replica = world.changed
    if getattr(replica, "crdt", None) != "bounded-counter" or replica.value >= 0:
        return None
    return violation(f"{replica.id} shows {replica.value}", nodes=[replica.id], expected="0 or more",
                     found=f"{replica.value}")


@title("All have heard all")
def all_heard(world):
    """After some update, all replicas include all updates."""
    total = {s.id: len(getattr(s, "issued", ())) for s in world.servers}
    return any(total.values()) and all(getattr(s, "seen", {}).get(name, 0) == count
                                       for s in world.servers for name, count in total.items())


ALWAYS = (strong_convergence, follows_the_updates, never_below_zero)
EVENTUALLY = (all_heard,)
