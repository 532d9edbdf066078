"""The sockets of one node's process: to the supervisor, to its own links, and from the links of others."""

from __future__ import annotations

import contextlib
import heapq
import json
import os
import selectors
import socket
from itertools import count
from time import monotonic_ns
from typing import Any

from .codec import HEADER, LENGTH, block, dumps


class Sockets:
    """What comes in waits in `inbox`, in the order in which it happened; what goes out goes at once.

    Args:
        control: the socket to the supervisor.
        node: its name.
        token: the secret that every connection of this run begins with.
        ports: {receiver: where the link to it listens}.

    Attributes:
        inbox: (came by at, order, sender or None for the supervisor, number, body), a heap.
        t0: when the run began, us of this machine's clock.
    """

    def __init__(self, control: socket.socket, node: str, token: bytes, ports: dict[str, int]) -> None:
        self.control, self.id, self.token, self.ports = control, node, token, ports
        self.t0 = 0
        self.inbox: list[Any] = []
        self.next_sequence = count().__next__
        self.outgoing: dict[str, socket.socket] = {}
        self.selector = selectors.DefaultSelector()

    def listen(self) -> int:
        """Begins to listen to the supervisor and to links; returns the port for these."""
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        heard = bytearray()
        self.selector.register(listener, selectors.EVENT_READ, lambda: self._accept(listener))
        self.selector.register(self.control, selectors.EVENT_READ, lambda: self._hear(heard))
        return int(listener.getsockname()[1])

    def _clock(self) -> int:
        return monotonic_ns() // 1000 - self.t0

    def say(self, data: dict[str, Any]) -> None:
        """Tells the supervisor something; ends the process if there is none."""
        try:
            self.control.sendall(block(dumps(data)))
        except OSError:
            os._exit(1)

    def _transmit(self, target: str, number: int, body: bytes) -> None:
        if target == self.id:
            heapq.heappush(self.inbox, (self._clock(), self.next_sequence(), self.id, number, body))
            return
        try:
            if target not in self.outgoing:
                sock = self.outgoing[target] = socket.create_connection(("127.0.0.1", self.ports[target]))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.sendall(self.token)
            self.outgoing[target].sendall(HEADER.pack(len(body), number, 0) + body)
        except OSError:            # the link's other end is the supervisor's: without it this process has no purpose
            os._exit(1)

    def _poll(self, due: int | None) -> None:
        """Waits until something may have to be handled, and reads all that has arrived.

        Args:
            due: when the next timer fires, us, or None.
        """
        wait: float | None = None
        if self.inbox:
            wait = 0
        elif due is not None:
            wait = max(0, due - self._clock()) / 1e6
        for key, _ in self.selector.select(wait):
            key.data()

    def _hear(self, heard: bytearray) -> None:
        try:
            data = self.control.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            os._exit(0)
        heard += data
        while len(heard) >= LENGTH.size:
            (size,) = LENGTH.unpack_from(heard)
            if len(heard) < LENGTH.size + size:
                return
            body = json.loads(heard[LENGTH.size:LENGTH.size + size])
            del heard[:LENGTH.size + size]
            heapq.heappush(self.inbox, (self._clock(), self.next_sequence(), None, 0, body))

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock, _ = listener.accept()
            Incoming(self, sock)


class Incoming:
    """The receiving end of one link."""

    def __init__(self, process: Sockets, sock: socket.socket) -> None:
        self.process, self.sock, self.buffer = process, sock, bytearray()
        self.sender: str | None = None
        sock.setblocking(False)
        process.selector.register(sock, selectors.EVENT_READ, self.read)

    def read(self) -> None:
        """Takes what has arrived; whole messages go to the inbox."""
        try:
            data = self.sock.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        process, buffer = self.process, self.buffer
        buffer += data
        if self.sender is None and not self._introduced() and len(buffer) < 256 and data:
            return
        if not data or self.sender is None:
            process.selector.unregister(self.sock)
            self.sock.close()
            return
        while len(buffer) >= HEADER.size:
            size, number, came_by = HEADER.unpack_from(buffer)
            if len(buffer) < HEADER.size + size:
                return
            body = bytes(buffer[HEADER.size:HEADER.size + size])
            del buffer[:HEADER.size + size]
            heapq.heappush(process.inbox, (came_by, process.next_sequence(), self.sender, number, body))

    def _introduced(self) -> bool:
        """Reads the token and the sender's name, with which a link begins."""
        token, buffer = self.process.token, self.buffer
        head = len(token) + 1
        if len(buffer) < head or bytes(buffer[:len(token)]) != token or len(buffer) < head + buffer[head - 1]:
            return False
        self.sender = buffer[head:head + buffer[head - 1]].decode()
        del buffer[:head + buffer[head - 1]]
        return True
