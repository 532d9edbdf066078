"""Says in a child branch what made it: the first thing that differs, and the first leader after it."""

from __future__ import annotations

from dslab.sim.schedule import Action

from .gloss import short_name
from .scene import Reading
from .words import REASON, Said, fit, payload, say

DID = {
    "crash": "crashed {node}",
    "restart": "restarted {node}",
    "join": "let {node} join",
    "leave": "let {node} leave",
    "pause": "paused {node}",
    "resume": "resumed {node}",
    "lose_disk": "took {node}'s disk",
    "skew": "changed {node}'s clock",
    "timeout": "made {node}'s timer run out",
    "load_dice": "loaded {node}'s dice",
    "turn_traitor": "made {node} a traitor",
    "turn_loyal": "made {node} loyal again",
    "partition": "split the network",
    "heal": "healed the network",
    "cut": "cut the link from {source} to {target}",
    "mend": "mended the link from {source} to {target}",
    "link": "changed the link from {source} to {target}",
    "drop": "dropped {message}",
    "hold": "held {message}",
    "release": "released {message}",
    "delay": "delayed {message}",
    "duplicate": "duplicated {message}",
    "deliver": "delivered {message}",
    "request": "sent `{command}`",
}


def announce(
    says: dict[int, Said],
    reading: Reading,
    branch: str,
    parent: str,
    first: int,
    cause: Action,
    stations: list[int],
) -> dict[int, Said]:
    """The narration of a child branch.

    Args:
        says: the narration of its run.
        reading: its run.
        branch, parent: their ids.
        first: the first event that is its own.
        cause: the action that made it.
        stations: ids of the events that elected a leader.
    """
    words = {name: str(cause.get(name)) for name in ("node", "source", "target")}
    words["command"] = payload(cause.get("command"))
    number = cause.get("message")
    known = isinstance(number, int) and 0 <= number < len(reading.messages)
    words["message"] = short_name(reading.messages[number]) if known else "a message"  # type: ignore[index]
    did = f"You {DID[cause['do']].format(**words)} at {cause['at'] / 1000:.3f} s."
    reason = fit(
        REASON,
        f"{did} Branch {parent} keeps the other future.",
        f"{did} {parent} keeps the other future.",
        f"Branch {parent} keeps the other future.",
    )
    own = [event for event in says if event >= first]
    elected = [event for event in stations if event > (own[0] if own else first) and event in says]
    told = dict(says)
    for event in {*own[:1], *elected[:1]}:
        headline = says[event][0]
        lowered = headline if headline[1:2].isdigit() else headline[0].lower() + headline[1:]
        told[event] = say((f"In branch {branch}, {lowered}", headline), reason)
    return told
