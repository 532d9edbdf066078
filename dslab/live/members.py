"""The nodes of a run as the supervisor knows them: starts their processes, passes on what they say, ends them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from random import Random
from time import monotonic_ns
from typing import Any

from .codec import LENGTH, block, dumps
from .proxy import Link

START_SECONDS = 60         # a process may need so long on a busy machine until it listens
END_SECONDS = 10           # a killed process is gone long before


class StartError(Exception):
    """A node did not start; one sentence."""


class Member:
    """One node, whether its process lives or not.

    Attributes:
        status: "new", "up", "paused", "crashed" or "failed".
        port: where it listens; None while it does not.
    """

    def __init__(self, name: str, code: str) -> None:
        self.name, self.code = name, code
        self.status = "new"
        self.port: int | None = None
        self.lives = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.writer: asyncio.StreamWriter | None = None
        self.reading: asyncio.Task[None] | None = None
        self.listening: asyncio.Future[int] | None = None

    def send(self, data: dict[str, Any]) -> None:
        """Tells the process something."""
        if self.writer is not None:
            self.writer.write(block(dumps(data)))


class Members:
    """The nodes of one run, their processes and the links between them.

    Args:
        launcher: the stream to the process that started it.
        plan: {nodes: {name: code}, servers, clients, seed, path}; `code` is a pickled (class, options) in hex.
        folder: for the nodes' disks.
    """

    def __init__(self, launcher: asyncio.StreamWriter, plan: dict[str, Any], folder: Path) -> None:
        self.launcher, self.plan, self.folder = launcher, plan, folder
        self.token = secrets.token_bytes(16)
        self.t0 = monotonic_ns() // 1000
        self.members = {name: Member(name, code) for name, code in plan["nodes"].items()}
        self.links: dict[tuple[str, str], Link] = {}
        self.serving: list[asyncio.Task[None]] = []
        self.faults = 0

    def clock(self) -> int:
        """Time of the run, us."""
        return monotonic_ns() // 1000 - self.t0

    # ---- what the launcher hears

    def tell(self, data: dict[str, Any]) -> None:
        """Sends the launcher something."""
        self.launcher.write(block(dumps(data)))

    def note(self, *entry: Any) -> None:
        """An entry of the network's record."""
        self.tell({"net": entry})

    def fault(self, kind: str, node: str | None, detail: Any, action: dict[str, Any] | None, at: int) -> int:
        """An entry for something that was done to the run; returns its number."""
        number, self.faults = self.faults, self.faults + 1
        self.tell({"fault": [kind, at, node, detail, number], "action": action, "at": at})
        return number

    # ---- starting and ending processes

    async def start(self) -> None:
        """Starts all nodes.

        Raises:
            StartError: one did not start.
        """
        dice = Random(self.plan["seed"])
        clients = self.plan["clients"]
        for source in self.members:
            for target in self.members:
                if source != target and not (source in clients and target in clients):
                    self.links[source, target] = Link(
                        source, target, token=self.token, clock=self.clock, port_of=lambda n: self.members[n].port,
                        note=self.note, dice=Random(dice.getrandbits(64)))
        self.serving = [asyncio.create_task(link.serve()) for link in self.links.values()]
        await asyncio.gather(*(self.spawn(member, "start", None) for member in self.members.values()))
        self.t0 = monotonic_ns() // 1000
        for member in self.members.values():
            self.go(member)

    async def spawn(self, member: Member, kind: str, detail: Any) -> None:
        """Starts a node's process and waits until it listens.

        Raises:
            StartError: it ended before, or did not listen in time.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-m", "dslab.live.process", member.name, str(theirs.fileno()),
                       str(os.getpid())]
            try:
                member.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
            except OSError as error:
                ours.close()
                raise StartError(f"{member.name} cannot be started: {error.strerror}") from None
        reader, member.writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        member.listening = asyncio.get_running_loop().create_future()
        member.send({"id": member.name, "servers": self.plan["servers"], "clients": self.plan["clients"],
                     "seed": self.plan["seed"], "path": self.plan["path"], "code": member.code,
                     "token": self.token.hex(), "folder": str(self.folder), "life": member.lives,
                     "kind": kind, "detail": detail,
                     "ports": {target: link.port for (source, target), link in self.links.items()
                               if source == member.name}})
        member.lives += 1
        member.reading = asyncio.create_task(self.read(member, reader))
        try:
            member.port = await asyncio.wait_for(member.listening, START_SECONDS)
        except TimeoutError:
            raise StartError(f"{member.name} did not start within {START_SECONDS} s; is the machine busy?") from None

    def go(self, member: Member) -> None:
        """Lets a started process begin."""
        member.status = "up"
        member.send({"t0": self.t0})

    async def read(self, member: Member, reader: asyncio.StreamReader) -> None:
        """Passes on what a node's process says, until it ends."""
        assert member.process is not None and member.listening is not None
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                body = await reader.readexactly(*LENGTH.unpack(await reader.readexactly(LENGTH.size)))
                if body.startswith(b'{"listening"'):
                    member.listening.set_result(json.loads(body)["listening"])
                    continue
                if body.startswith(b'{"failed"'):
                    member.status = "failed"
                self.launcher.write(block(b'{"node":"%s","says":%s}' % (member.name.encode(), body)))
        await asyncio.to_thread(member.process.wait)
        self.ended(member)

    def ended(self, member: Member) -> None:
        """A node's process has ended: everything that it said has been passed on."""
        at = self.clock()
        if member.listening is not None and not member.listening.done():
            member.listening.set_exception(StartError(f"{member.name} ended before it could listen"))
            member.listening.exception()
        member.port = None
        if member.writer is not None:
            member.writer.close()
        for (_, target), link in self.links.items():
            if target == member.name:
                link.receiver_died()
        status = member.process.returncode if member.process is not None else 0
        if member.status in ("up", "paused") and status >= 0:
            member.status = "failed"
            text = f"{member.name}'s process ended by itself with status {status}, as no handler may make it"
            self.tell({"node": member.name, "says": {"failed": "NodeError", "text": text}})
        elif member.status in ("up", "paused"):      # not by us: somebody else has killed it
            member.status = "crashed"
            self.fault("crash", member.name, None, {"do": "crash", "node": member.name}, at)

    async def kill(self, member: Member) -> None:
        """Kills a node's process and waits until it is gone and all it said is passed on."""
        if member.process is not None and member.reading is not None:
            member.process.kill()
            await asyncio.wait([member.reading], timeout=END_SECONDS)

    async def stop(self) -> None:
        """Ends everything; what is on its way at the end stays on its way."""
        for task in self.serving:
            task.cancel()
        self.links.clear()
        for member in self.members.values():
            if member.status in ("up", "paused"):
                member.status = "ending"
        await asyncio.gather(*(self.kill(member) for member in self.members.values()))
