"""Runs a system as operating-system processes: `with start(raft.cluster(5), seed=1) as running:`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from dslab.sim import Client, ScheduleError, System
from dslab.sim.guard import check_class
from dslab.sim.schedule import action, check_schedule

from .codec import block, dumps
from .looking import VERB_SECONDS, Looking
from .merge import Records
from .ship import shipped
from .wire import END_SECONDS, LiveError, connect

MOST_PROCESSES = 20
TCP = "a live link is a TCP connection, which loses, doubles and reorders nothing; set its latency, or cut it"
MESSAGE = ("a message between processes has arrived before anybody can name it; cut(source, target) loses what is "
           "sent, link(source, target, latency=ms) delays it")
LIE = "a process runs its class as it is; start a System in which this server has a class that lies"
SIMULATED = {
    "join": "processes cannot join; start a system in which every server is there",
    "leave": "processes cannot leave; crash the node",
    "lose_disk": "crash the node and restart it with disk=False",
    "skew": "the processes of one machine share its clock; simulate(...) can skew a node's",
    "timeout": "timers of processes fire by the machine's clock; wait for it, or use simulate(...)",
    "load_dice": "a process draws its own random numbers; take another seed, or use simulate(...)",
    "turn_traitor": LIE, "turn_loyal": LIE,
    **dict.fromkeys(("drop", "hold", "release", "delay", "duplicate", "deliver"), MESSAGE),
}


class Running(Looking):
    """A system whose nodes are processes of this machine; made by `start`.

    Every verb of a schedule that processes can undergo is a method, and acts at once. What happens is recorded: `trace`
    gives it in the simulator's format.

    Attributes:
        system, seed: what runs.
        pids: {node: process id} of the nodes that are up or paused; a terminal may kill them as well.
    """

    def crash(self, node: str) -> None:
        """Kills a node's process: SIGKILL. Its memory is lost, its disk is not."""
        self._do("crash", node)

    def restart(self, node: str, disk: bool = True) -> None:
        """Starts a crashed node again in a new process; returns when its on_start is done.

        Args:
            node: its name.
            disk: False gives it an empty disk.
        """
        with self._wire.news:
            since = len(self._wire.records.nodes.get(node, ()))
        if self._do("restart", node, disk=disk):
            self._until(lambda: any("events" in entry for entry in self._wire.records.nodes[node][since:]),
                        VERB_SECONDS, f"{node} to start again")

    def pause(self, node: str) -> None:
        """Stops a node's process where it is: SIGSTOP. Its connections stay open and fill up."""
        self._do("pause", node)

    def resume(self, node: str) -> None:
        """Lets a paused process go on: SIGCONT. It learns from its clock alone how long it was away."""
        self._do("resume", node)

    def partition(self, groups: list[list[str]], in_flight: str = "lost") -> None:
        """Cuts all links between groups of nodes, in both directions.

        Args:
            groups: names of nodes; servers in no group are one more group.
            in_flight: "lost" breaks the connections; "held" leaves them open and lets nothing through, so that all that
                was sent arrives after `heal`, as TCP does it when a cable is pulled.
        """
        self._do("partition", groups, in_flight=in_flight)

    def heal(self) -> None:
        """Opens all links."""
        self._do("heal")

    def cut(self, source: str, target: str) -> None:
        """Cuts one direction between two nodes; the other one stays."""
        self._do("cut", source, target)

    def mend(self, source: str, target: str) -> None:
        """Opens one direction between two nodes."""
        self._do("mend", source, target)

    def link(self, source: str, target: str, *, latency: float | tuple[float, float], **others: Any) -> None:
        """Delays what goes over one direction between two nodes, in order.

        Args:
            source, target: names of nodes.
            latency: ms that are added to what the machine needs: a number or a pair (lowest, highest).

        Raises:
            ScheduleError: another property of a link was given, which TCP cannot have.
        """
        if others:
            raise ScheduleError(f"link: {next(iter(others))} cannot be set: {TCP}")
        self._do("link", source, target, latency=latency)

    def request(self, command: Any, to: str | None = None, client: str = "c1") -> Future[Any]:
        """Hands a command to a client process.

        Args:
            command: plain data.
            to: the server to ask first; None asks the one that answered last.
            client: the client's name.

        Returns:
            A future: `.result(10)` waits up to ten seconds for the answer.

        Raises:
            LiveError: the client is not up.
        """
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()                # what has been asked cannot be taken back
        number = self._number()
        with self._wire.news:
            self._wire.futures[number] = future
            self._wire.clients[number] = client
        try:
            ignored = self._send("request", command=command, to=to, client=client, number=number)
        except BaseException:
            self._wire.forget(number)
            raise
        if ignored:
            self._wire.forget(number)
            raise LiveError(f"the request cannot be made: {ignored}")
        return future

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in SIMULATED:
            raise AttributeError(f"a run on processes has no {name!r}")

        def refuse(*_: Any, **__: Any) -> None:
            raise ScheduleError(f"{name} is for simulated runs: {SIMULATED[name]}")

        return refuse

    def _do(self, do: str, *arguments: Any, **named: Any) -> bool:
        """Carries out an action; returns whether it had an effect."""
        return self._send(do, *arguments, **named) is None

    def _send(self, do: str, *arguments: Any, number: int | None = None, **named: Any) -> Any:
        checked = check_schedule([action(do, *arguments, at=0, **named)], self.system)[0]
        del checked["at"]
        return self._ask(checked | ({} if number is None else {"number": number})).get("ignored")

    def stop(self) -> None:
        """Kills all nodes and removes their folder; the trace stays. Does nothing the second time."""
        wire = self._wire
        with suppress(OSError):
            wire.sock.sendall(block(dumps({"ask": 0, "stop": True})))
        wire.thread.join(END_SECONDS)
        self._close()
        wire.thread.join()
        self.pids = {}

    def __enter__(self) -> Running:
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        self.stop()
        if kind is None:
            self._raise_failure()

    def __repr__(self) -> str:
        what = "running" if self._wire.thread.is_alive() else "ended"
        return f"<{self.system.name} on processes, seed {self.seed}, {what}: {self._in_short()}>"


def start(system: System, *, seed: int = 1) -> Running:
    """Runs every node of a system as a process of its own, on TCP and on the disk of this machine.

    The system's latencies and disk times are not imitated: what is measured is this machine's. Use it in a `with`
    statement, or call `stop`; when this program ends without, however it ends, the nodes end with it.

    Args:
        system: such as `raft.cluster(5)`; up to MOST_PROCESSES nodes, clients included.
        seed: the nodes' random numbers are the simulator's with this seed; everything else is up to the machine.

    Returns:
        The run, when all nodes have started.

    Raises:
        NodeError, DeterminismError: a node's class is at fault. LiveError: the machine cannot do it.
    """
    if not isinstance(system, System):
        raise LiveError(f"a run needs a System, such as raft.cluster(5) or System(MyNode, nodes=3), not {system!r}")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ScheduleError(f"a seed is a whole number, not {seed!r}")
    if system.absent:
        raise ScheduleError(f"{next(iter(system.absent))} is absent at first, and processes cannot join or leave: "
                            "start a system in which every server is there")
    if os.name != "posix":
        raise LiveError("nodes as processes need Linux or macOS; on Windows run the course in WSL")
    if len(system.nodes) > MOST_PROCESSES:
        raise LiveError(f"{len(system.nodes)} nodes are too many processes; take up to {MOST_PROCESSES}")
    for node, cls in system.classes.items():
        if cls is not Client:
            check_class(cls, node)  # type: ignore[arg-type]  # classes are hashable
    nodes = {node: shipped(cls, system.options) for node, cls in system.classes.items()}
    plan = {"nodes": nodes, "servers": system.servers, "clients": system.clients, "seed": seed, "path": sys.path}
    wire = connect(Records(system, seed))
    running = Running(system, seed, wire)
    try:
        with suppress(OSError):
            wire.sock.sendall(block(dumps(plan)))
        answer = running._until(lambda: wire.answers.pop(0, None), VERB_SECONDS, "the nodes to start")
        running._raise_failure()
        running.pids = answer["pids"]
        running.wait(lambda states: all(wire.records.nodes.values()), VERB_SECONDS)
        return running
    except BaseException:
        running.stop()
        raise
