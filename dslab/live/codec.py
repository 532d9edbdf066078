"""Values as text and back: what goes over a link, into a journal and into a log is plain JSON.

Nothing that arrives over a socket is unpickled, so that a stranger on the same machine can at worst send nonsense.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

from dslab.sim import FrozenDict, FrozenList, Message, MessageError
from dslab.sim.message import ALLOWED, IMMUTABLE_AS_IS

LONGEST_MESSAGE = 16 * 2**20  # bytes of one message on a link
LENGTH = struct.Struct("!I")
HEADER = struct.Struct("!IQQ")  # of a frame on a link: length, number of the message, when it came by (us)


def encode(value: Any) -> Any:
    """A value as JSON data that `Codec.decode` turns into an equal one.

    Args:
        value: plain data: numbers, text, True, False, None, lists, dicts, tuples, sets and messages.

    Raises:
        MessageError: it holds something else.
    """
    kind = value.__class__
    if kind in IMMUTABLE_AS_IS or kind is float:
        return value
    if isinstance(value, Message):
        return {"m": [full_name(kind), *(encode(item) for item in value)]}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {"d": [[encode(key), encode(item)] for key, item in value.items()]}
    if kind is tuple:
        return {"t": [encode(item) for item in value]}
    if kind is set or kind is frozenset:
        return {"s" if kind is set else "f": [encode(item) for item in value]}
    raise MessageError(f"a {kind.__name__} cannot leave its process; use {ALLOWED}")


def full_name(message_class: type[Message]) -> str:
    """The name by which processes know a message class."""
    return f"{message_class.__module__}:{message_class.__name__}"


class Codec:
    """Turns JSON data back into values; knows the message classes of this process by their names."""

    def __init__(self) -> None:
        self._classes: dict[str, type[Message]] = {}

    def decode(self, data: Any, frozen: bool = False) -> Any:
        """The value that `encode` was given.

        Args:
            data: what `encode` returned.
            frozen: True inside a message, whose lists and dicts cannot be changed.

        Raises:
            MessageError: this process has no message class of a name in it.
        """
        if data.__class__ is list:
            items = [self.decode(item, frozen) for item in data]
            return FrozenList(items) if frozen else items
        if data.__class__ is not dict:
            return data
        ((tag, body),) = data.items()
        if tag == "m":
            return tuple.__new__(self._class(body[0]), [self.decode(item, True) for item in body[1:]])
        if tag == "d":
            pairs = {self.decode(key, True): self.decode(item, frozen) for key, item in body}
            return FrozenDict(pairs) if frozen else pairs
        return {"t": tuple, "s": set, "f": frozenset}[tag](self.decode(item, frozen) for item in body)

    def _class(self, name: str) -> type[Message]:
        if name not in self._classes:
            self._classes = {full_name(cls): cls for cls in _subclasses(Message)}
        try:
            return self._classes[name]
        except KeyError:
            raise MessageError(f"a {name.partition(':')[2]} arrived, but this process has no message class of that "
                               f"name; define the class beside its node, not inside a handler") from None


def _subclasses(cls: type[Any]) -> Iterator[Any]:
    sub: Any
    for sub in cls.__subclasses__():      # in the order of definition: a cell that ran again counts
        yield sub
        yield from _subclasses(sub)


def dumps(data: Any) -> bytes:
    """JSON data as bytes."""
    return json.dumps(data, separators=(",", ":")).encode("ascii")


def block(body: bytes) -> bytes:
    """A body with its length in front, as it goes over a socket."""
    return LENGTH.pack(len(body)) + body


def receive(sock: socket.socket, size: int) -> bytes:
    """Exactly so many bytes from a blocking socket.

    Raises:
        EOFError: the other end has gone.
    """
    parts = []
    while size:
        try:
            part = sock.recv(min(size, 1 << 20))
        except ConnectionError:
            part = b""
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def receive_block(sock: socket.socket) -> bytes:
    """The next body from a blocking socket."""
    return receive(sock, *LENGTH.unpack(receive(sock, LENGTH.size)))
