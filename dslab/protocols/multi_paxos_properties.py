"""What Multi-Paxos promises: each slot keeps the promises of Paxos, and state machines run the same commands in order.

Source: L. Lamport, "Paxos Made Simple", ACM SIGACT News 32(4), 2001, section 3. They look at slots ({slot: {"ballot",
"value", "chosen"}}), executed (slots, in order) and ran (requests), so they hold for a student's own server too.
"""

from __future__ import annotations

from dslab.sim import title, violation

from .paxos_properties import told


def tell(value):
    """A command in a few characters, for violations."""
    command = getattr(value, "command", value)
    return "a no-op" if command is None else f"`{command}`"


@title("One value per slot")
def slot_agreement(world):
    """In each slot a single value is chosen: accepted by a majority of the servers under one ballot."""
    server = world.changed
    if server is None or not hasattr(server, "slots"):
        return None
    seen = world.memory.setdefault(server.id, {})
    for slot, held in server.slots.items():
        vote = told(held["ballot"]), held["value"]
        if seen.get(slot) == vote:
            continue
        seen[slot] = vote
        voters = world.memory.setdefault((slot, *vote), [])
        if server.id not in voters:
            voters.append(server.id)
        if 2 * len(voters) <= len(world.servers):
            continue
        first = world.memory.setdefault(("chosen", slot), held["value"])
        if first != held["value"]:
            return violation(f"{tell(first)} was chosen in slot {slot}, and then {tell(held['value'])} by "
                             f"{' and '.join(voters)}", nodes=voters, index=slot, expected=tell(first),
                             found=tell(held["value"]))
    return None


@title("Learners agree")
def learners_agree(world):
    """No two servers hold different values to be chosen in one slot."""
    server = world.changed
    if server is None or not hasattr(server, "slots"):
        return None
    for slot, held in server.slots.items():
        if held["chosen"]:
            who, first = world.memory.setdefault(slot, (server.id, held["value"]))
            if first != held["value"]:
                return violation(f"{who} holds {tell(first)} to be chosen in slot {slot}, and {server.id} "
                                 f"{tell(held['value'])}", nodes=[who, server.id], index=slot, expected=tell(first),
                                 found=tell(held["value"]))
    return None


@title("Executed in order")
def executed_in_order(world):
    """Every server executes slot 1 first, and after each slot the next one."""
    server = world.changed
    if server is None or not getattr(server, "executed", None):
        return None
    expected = list(range(1, len(server.executed) + 1))
    if list(server.executed) != expected:
        after = next(i for i, slot in enumerate(server.executed) if slot != i + 1)
        return violation(f"{server.id} executed slot {server.executed[after]} after {after or 'nothing'}",
                         nodes=[server.id], index=server.executed[after], expected=f"slot {after + 1}",
                         found=f"slot {server.executed[after]}")
    return None


@title("At most once")
def at_most_once(world):
    """No state machine runs a client's request twice."""
    server = world.changed
    if server is None or not getattr(server, "ran", None):
        return None
    if len(set(server.ran)) < len(server.ran):
        twice = next(request for request in server.ran if server.ran.count(request) > 1)
        return violation(f"{server.id} ran request {twice} twice", nodes=[server.id], expected="once", found="twice")
    return None


@title("A leader")
def has_leader(world):
    """A server that is running leads."""
    return any(s.status == "up" and getattr(s, "role", None) == "leader" for s in world.servers)


@title("A command is executed")
def executes(world):
    """A command of a client is chosen and executed somewhere."""
    return any(getattr(s, "ran", None) for s in world.servers)


ALWAYS = (slot_agreement, learners_agree, executed_in_order, at_most_once)
EVENTUALLY = (has_leader, executes)
