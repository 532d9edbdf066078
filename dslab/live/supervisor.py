"""The process between whoever started a run and the nodes: `python -m dslab.live.supervisor`.

It starts the node processes, carries their links, sends signals, collects their records, and outlives nobody: when the
process that started it is gone, by whatever way, it kills the nodes and removes their folder. It has a session of its
own, so that Ctrl-C and the end of a notebook's kernel do not reach it first. It runs none of the nodes' code.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from .codec import LENGTH, block, dumps
from .folder import end_by_signals, private_folder
from .members import Member, Members, StartError
from .proxy import CUT, HOLE, PASS


class Supervisor(Members):
    """One run and the verbs of a schedule; see Members for its arguments."""

    def __init__(self, launcher: asyncio.StreamWriter, plan: dict[str, Any], folder: Path) -> None:
        super().__init__(launcher, plan, folder)
        self.groups: list[list[str]] = []
        self.cuts: dict[tuple[str, str], bool] = {}
        self.in_flight = "lost"

    async def do(self, action: dict[str, Any]) -> Any:
        """Carries out one action of a schedule; returns why it had no effect, or None."""
        arguments = {name: value for name, value in action.items() if name not in ("at", "do")}
        verb = action["do"]
        if verb in ("crash", "restart", "pause", "resume"):
            ignored = await getattr(self, "do_" + verb)(action, self.members[arguments.pop("node")], **arguments)
        else:
            ignored = getattr(self, "do_" + verb)(action, **arguments)
        return ignored

    def ignored(self, action: dict[str, Any], why: str) -> str:
        """Notes an action that cannot have an effect."""
        self.fault(action["do"], action.get("node") or action.get("client"), {"ignored": why}, action, self.clock())
        return why

    async def do_crash(self, action: dict[str, Any], member: Member) -> str | None:
        """SIGKILL."""
        if member.status not in ("up", "paused"):
            return self.ignored(action, f"{member.name} is already down")
        at = self.clock()
        member.status = "crashed"
        await self.kill(member)
        self.fault("crash", member.name, None, action, at)
        return None

    async def do_restart(self, action: dict[str, Any], member: Member, disk: bool = True) -> str | None:
        """A new process on the old disk, or on an empty one."""
        if member.status != "crashed":
            return self.ignored(action, f"{member.name} is running")
        if not disk:
            (self.folder / f"{member.name}.journal").unlink(missing_ok=True)
        at = self.clock()
        try:
            await self.spawn(member, "restart", {"disk": disk})
        except StartError:
            await self.kill(member)
            raise
        self.tell({"action": action, "at": at})
        self.go(member)
        return None

    async def do_pause(self, action: dict[str, Any], member: Member) -> str | None:
        """SIGSTOP."""
        if member.status != "up":
            return self.ignored(action, f"{member.name} is {member.status}")
        assert member.process is not None
        member.status = "paused"
        os.kill(member.process.pid, signal.SIGSTOP)
        if sys.platform == "linux":                          # elsewhere nothing says it without reaping the process
            await asyncio.to_thread(os.waitid, os.P_PID, member.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self.fault("pause", member.name, None, action, self.clock())       # now it stands still
        return None

    async def do_resume(self, action: dict[str, Any], member: Member) -> str | None:
        """SIGCONT."""
        if member.status != "paused":
            return self.ignored(action, f"{member.name} is not paused")
        assert member.process is not None
        at = self.clock()
        member.status = "up"
        self.fault("resume", member.name, None, action, at)
        os.kill(member.process.pid, signal.SIGCONT)
        return None

    def do_request(self, action: dict[str, Any], number: int, command: Any, to: str | None = None,
                   client: str = "c1") -> str | None:
        """Hands a command to a client."""
        member = self.members[client]
        del action["number"]
        if member.status != "up":
            return self.ignored(action, f"{client} is {member.status}")
        self.tell({"action": action, "at": self.clock()})
        member.send({"request": number, "command": command, "to": to})
        return None

    def do_partition(self, action: dict[str, Any], groups: list[list[str]], in_flight: str = "lost") -> None:
        """Cuts the links between groups, or lets them swallow what is sent."""
        number = self.fault("partition", None, {"groups": groups, "in_flight": in_flight}, action, self.clock())
        self.groups, self.in_flight = groups, in_flight
        self.rewire(number)

    def do_heal(self, action: dict[str, Any]) -> None:
        """Opens all links."""
        number = self.fault("heal", None, None, action, self.clock())
        self.groups = []
        self.cuts.clear()
        self.rewire(number)

    def do_cut(self, action: dict[str, Any], source: str, target: str) -> None:
        """Cuts one direction."""
        number = self.fault("cut", None, {"source": source, "target": target}, action, self.clock())
        self.cuts[source, target] = True
        self.rewire(number)

    def do_mend(self, action: dict[str, Any], source: str, target: str) -> None:
        """Opens one direction."""
        number = self.fault("mend", None, {"source": source, "target": target}, action, self.clock())
        self.cuts.pop((source, target), None)
        self.rewire(number)

    def do_link(self, action: dict[str, Any], source: str, target: str, latency: Any) -> None:
        """Delays what goes over one direction."""
        self.fault("link", None, {"source": source, "target": target, "latency": latency, "loss": None,
                                  "duplicate": None, "fifo": None}, action, self.clock())
        link = self.links[source, target]
        low, high = latency if isinstance(latency, list) else (latency, latency)
        link.low_us, link.high_us = round(1000 * low), round(1000 * high)

    def rewire(self, fault: int) -> None:
        """Brings all links in line with partition and cuts."""
        side = {node: number for number, group in enumerate(self.groups) for node in group}
        clients = self.plan["clients"]
        for (source, target), link in self.links.items():
            # servers that no group names are one more group; clients that no group names reach everybody
            here = side.get(source, None if source in clients else -1)
            there = side.get(target, None if target in clients else -1)
            apart = bool(self.groups) and here is not None and there is not None and here != there
            if (source, target) in self.cuts or (apart and self.in_flight == "lost"):
                link.set_mode(CUT, fault)
            else:
                link.set_mode(HOLE if apart else PASS, fault)


async def serve(sock: socket.socket, folder: Path) -> None:
    """One run, from the launcher's first word to its end."""
    reader, writer = await asyncio.open_connection(sock=sock, limit=1 << 20)
    plan = json.loads(await reader.readexactly(*LENGTH.unpack(await reader.readexactly(LENGTH.size))))
    try:
        supervisor = Supervisor(writer, plan, folder)
        listening = asyncio.create_task(listen(supervisor, reader))
        gone = asyncio.create_task(orphaned(os.getppid(), reader))
        await asyncio.wait([listening, gone], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await supervisor.stop()
        supervisor.tell({"ended": supervisor.clock()})
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()


async def orphaned(parent: int, reader: asyncio.StreamReader) -> None:
    """Until the launcher is gone or has hung up; its socket may live on in processes that it has forked."""
    while os.getppid() == parent and not reader.at_eof():
        await asyncio.sleep(0.25)


async def listen(supervisor: Supervisor, reader: asyncio.StreamReader) -> None:
    """Does what the launcher says, one thing after the other, until it says stop or goes away."""
    with contextlib.suppress(asyncio.IncompleteReadError, OSError):
        supervisor.tell({"folder": str(supervisor.folder)})
        try:
            await supervisor.start()
        except (OSError, StartError) as error:
            supervisor.tell({"answer": 0, "error": str(error)})
            return
        supervisor.tell({"answer": 0, "pids": pids(supervisor)})
        while True:
            asked = json.loads(await reader.readexactly(*LENGTH.unpack(await reader.readexactly(LENGTH.size))))
            if "do" not in asked:
                supervisor.tell({"answer": asked["ask"], "time": supervisor.clock()})
                if asked.get("stop"):
                    return
                continue
            answer = {"answer": asked.pop("ask")}
            asked["at"] = supervisor.clock() / 1000
            try:
                ignored = await supervisor.do(asked)
                supervisor.tell(answer | {"ignored": ignored, "pids": pids(supervisor)})
            except (OSError, StartError) as error:
                supervisor.tell(answer | {"error": str(error)})


def pids(supervisor: Supervisor) -> dict[str, int]:
    """The process ids of the nodes that run."""
    return {name: member.process.pid for name, member in supervisor.members.items()
            if member.process is not None and member.status in ("up", "paused")}


def main() -> None:
    """Argument: the socket to the launcher."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_by_signals()
    sock = socket.socket(fileno=int(sys.argv[1]))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with private_folder() as folder:
            asyncio.run(serve(sock, folder))
    except OSError as error:
        sock.sendall(block(dumps({"answer": 0, "error": f"there is no folder for the nodes' disks: {error}"})))


if __name__ == "__main__":
    main()
