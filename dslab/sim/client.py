"""The client that comes with the simulator: one operation at a time, retried until it is answered.

A retry keeps its number, so a service can recognise it (at most once); an operation that is never answered stays open
in the history, because nobody knows whether it took effect.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .message import message
from .node import Node

RETRY_MS = 300.0     # longer than an election in most examples, so that a retry usually finds the new leader


@message
class ClientRequest:
    """{source} asks {target} to run {command} (request {number})."""

    number: int
    command: object


@message
class ClientReply:
    """{source} answers request {number}."""

    number: int
    ok: bool
    result: object = None
    leader: object = None


class Client(Node):
    """Sends each command to one server, follows redirects, and tries the next server when no answer comes."""

    shows: ClassVar[tuple[str, ...] | None] = ("number", "command", "contact")

    def on_start(self) -> None:
        self.number = 0                      # of the newest operation
        self.command: Any = None             # of the open operation
        self.contact = self.peers[0]         # the server to ask
        self._waiting: list[tuple[Any, str | None]] = []
        self._open = False

    def invoke(self, command: Any, to: str | None) -> None:
        """Starts an operation, or queues it behind the one that is open; called by the simulator."""
        if self._open:
            self._waiting.append((command, to))
            return
        self._open = True
        self.number += 1
        self.command = command
        self.contact = to or self.contact
        self._host.record_invoke(self.number, command, self.contact)
        self._ask()

    def _ask(self) -> None:
        self.send(self.contact, ClientRequest(self.number, self.command))  # type: ignore[arg-type]
        self.set_timer("retry", after=RETRY_MS)

    def on_retry_timeout(self) -> None:
        self.contact = self.peers[(self.peers.index(self.contact) + 1) % len(self.peers)]
        self._ask()

    def on_client_reply(self, sender: str, m: ClientReply) -> None:
        if not self._open or m.number != self.number:
            return
        if not m.ok:
            if m.leader in self.peers and m.leader != self.contact:
                self.contact = m.leader
                self._ask()
            return                           # no leader known: the retry timer asks somebody else
        self.contact = sender
        self.complete(m.result)

    def complete(self, result: Any) -> None:
        """Ends the open operation and starts the next one that waits."""
        self._open = False
        self.command = None
        self.cancel_timer("retry")
        self._host.record_complete(self.number, result)
        if self._waiting:
            self.invoke(*self._waiting.pop(0))
