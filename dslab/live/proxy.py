"""The links between node processes: one listening socket for each direction between two nodes.

A node sends to the link, the link connects to the receiver. Between the two a message can be let through, delayed,
thrown away (`cut`: the connection to the receiver is broken, what was on its way is lost) or kept (`hole`: nothing
arrives and nobody is told, as when a cable is pulled; TCP would send it again, so all of it arrives at the end).
No kernel feature and no rights are needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from random import Random

from .codec import HEADER, LONGEST_MESSAGE

PASS, CUT, HOLE = "pass", "cut", "hole"


class Link:
    """One direction between two nodes.

    Args:
        source, target: names of nodes.
        token: the secret that every connection of this run begins with.
        clock: gives the time of the run, us.
        port_of: gives the port on which a node listens, or None while it is down.
        note: is told the fate of messages: ("drop" or "held", time, source, number, target, reason, fault).
    """

    def __init__(self, source: str, target: str, *, token: bytes, clock: Callable[[], int],
                 port_of: Callable[[str], int | None], note: Callable[..., None], dice: Random) -> None:
        self.source, self.target = source, target
        self.mode = PASS
        self.low_us = self.high_us = 0                       # added to every message
        self._token, self._clock, self._port_of, self._note, self._dice = token, clock, port_of, note, dice
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._queue: list[tuple[int, int, bytes]] = []       # (due, number, body), in order
        self._wake = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None

    @property
    def port(self) -> int:
        """Where the sender connects."""
        return int(self._socket.getsockname()[1])

    async def serve(self) -> None:
        """Runs the link until cancelled."""
        server = await asyncio.start_server(self._accepted, sock=self._socket, limit=1 << 20)
        async with server:
            await self._forward_all()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            if await reader.readexactly(len(self._token)) == self._token:
                while True:
                    size, number, _ = HEADER.unpack(await reader.readexactly(HEADER.size))
                    if size > LONGEST_MESSAGE:
                        break
                    self._arrived(number, await reader.readexactly(size))
        writer.close()

    def _arrived(self, number: int, body: bytes) -> None:
        if self.mode == CUT:
            self._drop(number, "cut")
            return
        if self.mode == HOLE:
            self._note("held", self._clock(), self.source, number, self.target)
        due = self._clock() + self.low_us + round(self._dice.random() * (self.high_us - self.low_us))
        if self._queue:
            due = max(due, self._queue[-1][0])               # TCP keeps the order
        self._queue.append((due, number, body))
        self._wake.set()

    def _drop(self, number: int, reason: str, fault: int | None = None) -> None:
        self._note("drop", self._clock(), self.source, number, self.target, reason, fault)

    async def _forward_all(self) -> None:
        while True:
            if self.mode == HOLE or not self._queue:
                self._wake.clear()
                await self._wake.wait()
                continue
            wait = self._queue[0][0] - self._clock()
            if wait > 0:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), wait / 1e6)
                continue
            if self._port_of(self.target) is None:
                self._hang_up()
                self._drop(self._queue.pop(0)[1], "crashed")
                continue
            if self._writer is None or self._writer.is_closing():
                await self._connect()
                continue                                     # anything may have happened in the meantime
            _, number, body = self._queue.pop(0)
            self._writer.write(HEADER.pack(len(body), number, self._clock()) + body)

    async def _connect(self) -> None:
        port = self._port_of(self.target)
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:                                      # it has just died; the supervisor will hear of it
            await asyncio.sleep(0.001)
            return
        name = self.source.encode()
        writer.write(self._token + bytes([len(name)]) + name)
        self._writer = writer

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    def receiver_died(self) -> None:
        """What waits for the receiver is lost with it."""
        self._hang_up()
        for _, number, _ in self._queue:
            self._drop(number, "crashed")
        self._queue.clear()

    def set_mode(self, mode: str, fault: int) -> None:
        """Lets messages pass, throws them away or keeps them.

        Args:
            mode: PASS, CUT or HOLE.
            fault: number of the fault because of which this happens.
        """
        if mode == self.mode:
            return
        if mode == CUT:
            self._hang_up()
            for _, number, _ in self._queue:
                self._drop(number, "cut", fault)
            self._queue.clear()
        if mode == HOLE:
            for _, number, _ in self._queue:
                self._note("held", self._clock(), self.source, number, self.target)
        self.mode = mode
        self._wake.set()
