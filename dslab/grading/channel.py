"""Frames over a socket: a length and as many bytes."""

from __future__ import annotations

import os
import select
import struct
from collections.abc import Callable

from dslab.grading.wire import MAX_BYTES

_LENGTH = struct.Struct(">I")
_SLICE_MS = 50  # between two calls of `waiting`


class ClosedError(Exception):
    """The other side is gone, or what it sends is no frame."""


class Channel:
    """One end of a connection between two processes that take turns.

    Args:
        descriptor: an open socket; the channel closes it.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        os.set_blocking(descriptor, False)

    def send(self, data: bytes, waiting: Callable[[], None] | None = None) -> None:
        """Sends one frame; `waiting` as for receive.

        Raises:
            ClosedError: nobody reads it.
        """
        rest = memoryview(_LENGTH.pack(len(data)) + data)
        while rest:
            try:
                rest = rest[os.write(self.descriptor, rest) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, waiting)
            except OSError as error:
                raise ClosedError(str(error)) from None

    def receive(self, waiting: Callable[[], None] | None = None) -> bytes:
        """The next frame.

        Args:
            waiting: called now and then until the frame is complete; it raises to give up.

        Raises:
            ClosedError: there will be none.
        """
        (size,) = _LENGTH.unpack(self._read(_LENGTH.size, waiting))
        if size > MAX_BYTES:
            raise ClosedError("a frame is too long")
        return self._read(size, waiting)

    def _read(self, size: int, waiting: Callable[[], None] | None) -> bytes:
        parts = []
        while True:
            try:
                part = os.read(self.descriptor, min(size, 1 << 20))
            except BlockingIOError:
                self._wait(select.POLLIN, waiting)
                continue
            except OSError as error:
                raise ClosedError(str(error)) from None
            if not part:
                raise ClosedError("the other side is gone")
            parts.append(part)
            size -= len(part)
            if not size:
                return b"".join(parts)
            if waiting is not None:  # also while bytes come, one by one
                waiting()

    def _wait(self, what: int, waiting: Callable[[], None] | None) -> None:
        ready = select.poll()
        ready.register(self.descriptor, what)
        while not ready.poll(_SLICE_MS if waiting else None) and waiting:
            waiting()

    def has_something(self) -> bool:
        """Whether a frame waits, or the other side is gone."""
        ready = select.poll()
        ready.register(self.descriptor, select.POLLIN)
        return bool(ready.poll(0))

    def close(self) -> None:
        """Ends the connection."""
        os.close(self.descriptor)
