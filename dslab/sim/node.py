"""The class that students write: a state machine that reacts to messages and timers.

Handlers never wait. They change attributes of `self`, set timers and send messages; the runtime applies the sends
when the handler has returned and the durable attributes are safe on the disk. The same class runs in the simulator,
in the explorer and as an operating-system process.
"""

from __future__ import annotations

import difflib
import re
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from .errors import BudgetError, NodeError
from .message import Message

if TYPE_CHECKING:
    from .simulation import Host

SENDS_PER_HANDLER = 10_000
RUNTIME_ATTRIBUTES = frozenset({"id", "peers", "random"})
WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def handler_name(message_class: type) -> str:
    """`on_request_vote` for the message class `RequestVote`."""
    return "on_" + WORD_START.sub("_", message_class.__name__).lower()


class Node:
    """Base class of every node.

    Write `on_start(self)`, one `on_<message>(self, sender, m)` per message class and one `on_<name>_timeout(self)`
    per timer.

    Attributes:
        durable: {attribute: value on an empty disk}; these survive a crash, every other attribute is lost.
        shows: attributes that traces record and views draw; None records every public attribute.
        private: those of them, and fields of messages, that another class for the same task may write in another way.
        id: this node's name, such as "n1".
        peers: the names of the other servers, in order, those included that are absent (see `System.absent`).
        random: a `random.Random` of this node alone, seeded by the run.
    """

    durable: ClassVar[dict[str, Any]] = {}
    shows: ClassVar[tuple[str, ...] | None] = None
    private: ClassVar[tuple[str, ...]] = ()

    id: str
    random: Random
    _host: Host

    def on_start(self) -> None:
        """Runs when the node starts and at each restart; durable attributes are there already."""

    def on_join(self, contact: str | None) -> None:
        """Runs instead of `on_start` when a schedule lets this server join a system in which it was absent.

        Args:
            contact: the name of a server that it may ask, or None if no other one runs.
        """
        self.on_start()

    def on_leave(self) -> None:
        """Runs when a schedule lets this server leave in order; what it sends here goes out, then it is gone."""

    @cached_property
    def peers(self) -> tuple[str, ...]:
        """The names of the other servers, in order, those included that are absent."""
        return self._host.sim.peers(self.id)           # made when asked for: thousands of nodes do not all ask

    @property
    def now(self) -> float:
        """This node's own clock, ms since the run began; wrong where a schedule has skewed it."""
        return self._host.local_clock_ms()

    def send(self, to: str, m: Message) -> None:
        """Sends a message once this handler has returned.

        Args:
            to: a node's name.
            m: an instance of a class decorated with @message.

        Raises:
            NodeError: the target does not exist or `m` is not a message.
        """
        if not isinstance(m, Message):
            raise NodeError(f"send needs an instance of a @message class, not {short(m)}")
        host = self._host
        outbox = host.outbox
        outbox.append((host.links.get(to) or host.sim.link(host.id, to), m))
        if len(outbox) > SENDS_PER_HANDLER:
            raise BudgetError(f"it sent more than {SENDS_PER_HANDLER:,} messages in one call; "
                              f"look for a loop that never ends")

    def broadcast(self, m: Message) -> None:
        """Sends the same message to every other server."""
        for peer in self.peers:
            self.send(peer, m)

    def set_timer(self, name: str, *, after: float | None = None, between: tuple[float, float] | None = None) -> None:
        """Starts, or restarts, the timer that calls `on_<name>_timeout` once.

        Args:
            name: which timer.
            after: ms from now on this node's own clock, at least 0.
            between: (lowest, highest) ms; the runtime draws uniformly, and views show both ends.

        Raises:
            NodeError: no such handler, or neither or both of `after` and `between`.
        """
        self._host.set_timer(name, after, between)

    def cancel_timer(self, name: str) -> None:
        """Stops a timer; nothing happens if it is not running."""
        self._host.cancel_timer(name)

    @classmethod
    def timer_handler(cls, name: str) -> str:
        """The method that timer `name` calls.

        Raises:
            NodeError: the class has no such method; names the nearest one.
        """
        method = f"on_{name}_timeout"
        if callable(getattr(cls, method, None)):
            return method
        timers = [m[3:-8] for m in dir(cls) if m.startswith("on_") and m.endswith("_timeout")]
        near = difflib.get_close_matches(str(name), timers, n=1)
        raise NodeError(f"timer {name!r} has no handler: " + (f"did you mean {near[0]!r}?" if near else
                        f"write `def {method}(self):` in class {cls.__name__}"))

    @classmethod
    def message_handler(cls, message_class: type, receiver: str, sender: str) -> str:
        """The method that receives messages of this class.

        Raises:
            NodeError: the class has no such method; says what to write.
        """
        method = handler_name(message_class)
        if callable(getattr(cls, method, None)):
            return method
        raise NodeError(f"{receiver} received a {message_class.__name__} from {sender} but class {cls.__name__} has no "
                        f"handler for it: write `def {method}(self, sender, m):`")


def short(value: Any) -> str:
    """A value's repr, cut to fit into a sentence."""
    text = f"{type(value).__name__} {value!r}"
    return text if len(text) <= 60 else text[:57] + "..."
