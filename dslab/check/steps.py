"""What a step of a search is, and what it does to a state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dslab.sim import Message

Flight = tuple[str, str, Message]     # a message with its source and its target


class Outcome(NamedTuple):
    """What a step does to a state."""

    delta: int                    # to XOR: another number for the node
    sends: int                    # to OR: the first copies of the messages sent
    judged: dict[int, Any] | None         # verdicts on what follows, if the node shows something else
    sent: tuple[int, ...]         # numbers of the messages, in order
    node: int                     # whose step it is, by number
    script: tuple[int, ...] = ()  # outcomes drawn
    lies: tuple[tuple[str, int], ...] = ()      # (receiver, which lie) where a traitor does not tell the truth


class Step(NamedTuple):
    """One step from a state."""

    kind: str                     # "deliver", "timeout", "crash", "restart", "join", "request", "loss", "duplicate"
    node: str
    what: Any                     # message number, timer, request number
    outcome: Outcome | None


class Deed(NamedTuple):
    """One step in words that mean the same to every run.

    Attributes:
        kind, node: as in Step.
        message: that is delivered, lost or doubled.
        timer: the one that runs out. request: the one that is made. join: through which node.
        script: outcomes of what the node draws.
        lies: (receiver, fields) where a traitor does not tell the truth.
        sent: what the node sends, in order.
    """

    kind: str
    node: str
    message: Flight | None = None
    timer: str | None = None
    request: Mapping[str, Any] | None = None
    script: tuple[int, ...] = ()
    lies: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    sent: tuple[Flight, ...] = ()
    join: str | None = None
