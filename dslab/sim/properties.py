"""What a property sees and says: the state of all nodes after an event, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar


class Violation(NamedTuple):
    """What a safety property found: one sentence, and the places to point at."""

    text: str
    nodes: tuple[str, ...] = ()
    index: int | None = None      # type: ignore[assignment]  # of the log; hides tuple.index, which nobody needs here
    expected: str | None = None
    found: str | None = None


def violation(text: str, *, nodes: Any = (), index: int | None = None, expected: str | None = None,
              found: str | None = None) -> Violation:
    """Makes a Violation.

    Args:
        text: one sentence: who disagrees about what.
        nodes: names of the culprits.
        index: the log index in question, if there is one.
        expected: what should be there, in short.
        found: what is there, in short.
    """
    return Violation(text, tuple(nodes), index, expected, found)


class NodeState(SimpleNamespace):
    """One node as a property sees it."""

    traitor = False


class World:
    """The state of a run after one event, as a property sees it.

    Attributes:
        nodes: {id: node}; a node has its shown attributes, `id`, `status` ("up", "crashed", "paused", "absent") and
            `traitor`: whether it has ever been one, because nothing is promised about those.
        servers: the server nodes, in order.
        clients: the client nodes, in order.
        event: id of the event that was applied last.
        time_us: its time, microseconds; 0 in the explorer, which has no clock.
        changed: the node whose state that event changed, or None.
        memory: a dict for the property's own notes, empty when the run starts.
        recorded: what this event was for clients: ("invoke", client, number, command) and ("complete", client, number,
            result), in order; mostly none.
        history: what clients asked and were told so far, as `Trace.history` says it.
    """

    def __init__(self, servers: list[str], clients: list[str]) -> None:
        self.nodes: dict[str, Any] = {n: NodeState(id=n, status="crashed") for n in [*servers, *clients]}
        self.servers: list[Any] = [self.nodes[n] for n in servers]
        self.clients: list[Any] = [self.nodes[n] for n in clients]
        self.event = -1
        self.time_us = 0
        self.changed: Any = None
        self.memory: dict[Any, Any] = {}
        self.recorded: tuple[tuple[str, str, int, Any], ...] = ()
        self.history: list[dict[str, Any]] = []


def enter(history: list[dict[str, Any]], record: tuple[str, str, int, Any], event: int, time_us: int) -> None:
    """Writes down that a client asked or was told something.

    Args:
        history: operations so far, in the order in which they were asked.
        record: as in World.recorded.
        event: its id. time_us: its time.
    """
    kind, client, number, what = record
    if kind == "invoke":
        history.append({"client": client, "number": number, "command": what, "invoked_us": time_us,
                        "completed_us": None, "result": None, "invoked": event, "completed": None})
        return
    for operation in reversed(history):
        if operation["client"] == client and operation["number"] == number:
            operation.update(completed_us=time_us, result=what, completed=event)
            return


F = TypeVar("F", bound=Callable[..., Any])


def title(text: str) -> Callable[[F], F]:
    """Gives a property the few words that stand on its chip."""
    def mark(function: F) -> F:
        function.title = text  # type: ignore[attr-defined]
        return function
    return mark
