"""Runs a system as operating-system processes: `with start(raft.cluster(5), seed=1) as running:`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dslab.sim import Client, DslabError, ScheduleError, System, Trace
from dslab.sim import errors as sim_errors
from dslab.sim.guard import check_class
from dslab.sim.schedule import action, check_schedule
from dslab.sim.trace import STATUS_AFTER

from .codec import Codec, block, dumps, receive_block
from .merge import Records
from .ship import shipped

ROOT = Path(__file__).resolve().parents[2]
MOST_PROCESSES = 20
VERB_SECONDS = 90         # longer than the supervisor needs for anything
END_SECONDS = 15
TCP = "a live link is a TCP connection, which loses, doubles and reorders nothing; set its latency, or cut it"


class LiveError(DslabError):
    """A live run could not be started, has ended, or did not get where it should; says what to do."""


class _Wire:
    """The connection to the supervisor, and what has come over it; holds no reference to the Running."""

    def __init__(self, sock: socket.socket, supervisor: subprocess.Popen[bytes], records: Records, errors: Any) -> None:
        self.sock, self.supervisor, self.records, self.errors = sock, supervisor, records, errors
        self.news = threading.Condition()
        self.answers: dict[int, dict[str, Any]] = {}
        self.futures: dict[int, Future[Any]] = {}
        self.clients: dict[int, str] = {}                    # open request -> client
        self.codec = Codec()
        self.failure: DslabError | None = None
        self.ended_us: int | None = None
        self.folder: Path | None = None
        self.heard = 0
        self.thread = threading.Thread(target=self._listen, name="dslab-live", daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        try:
            while True:
                heard = json.loads(receive_block(self.sock))
                with self.news:
                    self._take(heard)
                    self.heard += 1
                    self.news.notify_all()
        except (EOFError, OSError):
            pass
        except Exception as error:
            self.failure = LiveError(f"what a node said cannot be read: {error}")
            _hang_up(self.sock)
        self._clean_up()
        with self.news:
            if self.ended_us is None and self.failure is None:
                self.failure = LiveError("the process that ran the nodes has ended; start the run again" + self._said())
            self.sock.close()
            self.errors.close()
            self._answer_none(self.failure or LiveError("the run was stopped before the answer came"))
            self.news.notify_all()

    def _take(self, heard: dict[str, Any]) -> None:
        if "answer" in heard:
            self.answers[heard["answer"]] = heard
        elif "ended" in heard:
            self.ended_us = heard["ended"]
        elif "folder" in heard:
            self.folder = Path(heard["folder"])
        self.records.add(heard)
        says = heard.get("says", {})
        if "said" in says:
            sys.stdout.write(says["said"])
        elif "answered" in says:
            self.clients.pop(says["answered"], None)
            if says["answered"] in self.futures:
                self.futures.pop(says["answered"]).set_result(self.codec.decode(says["result"]))
        elif "failed" in says:
            kind = getattr(sim_errors, says["failed"], LiveError)
            self.failure = self.failure or kind(says["text"])
            self._answer_none(self.failure)
        elif "fault" in heard and heard["fault"][0] == "crash":
            self._give_up(heard["fault"][2])

    def forget(self, request: int) -> None:
        """No answer to this request is awaited any more."""
        with self.news:
            self.futures.pop(request, None)
            self.clients.pop(request, None)

    def _answer_none(self, why: DslabError) -> None:
        for future in self.futures.values():
            future.set_exception(why)
        self.futures.clear()
        self.clients.clear()

    def _give_up(self, client: str) -> None:
        """A client that has crashed answers nothing any more."""
        for request in [r for r, asked in self.clients.items() if asked == client]:
            del self.clients[request]
            self.futures.pop(request).set_exception(LiveError(f"{client} crashed before the answer came"))

    def _said(self) -> str:
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return f" ({lines[-1]})" if lines else ""

    def _clean_up(self) -> None:
        """The supervisor is ending or was killed: what it left is put away."""
        with suppress(subprocess.TimeoutExpired):
            self.supervisor.wait(END_SECONDS)
        if self.supervisor.returncode != 0:
            with suppress(OSError):
                os.killpg(self.supervisor.pid, signal.SIGKILL)   # the nodes are in its group
            self.supervisor.wait()
        for _ in range(100):                                 # until no dying node writes into it any more
            if self.folder is None or not self.folder.exists():
                break
            shutil.rmtree(self.folder, ignore_errors=True)
            time.sleep(0.01)


def _hang_up(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


class Running:
    """A system whose nodes are processes of this machine; made by `start`.

    Every verb of a schedule that processes can undergo is a method, and acts at once. What happens is recorded: `trace`
    gives it in the simulator's format.

    Attributes:
        system, seed: what runs.
        pids: {node: process id} of the nodes that are up or paused; a terminal may kill them as well.
    """

    def __init__(self, system: System, seed: int, wire: _Wire) -> None:
        self.system, self.seed, self._wire = system, seed, wire
        self.pids: dict[str, int] = {}
        self._asked = 0
        self._lock = threading.Lock()
        self._seen = dict.fromkeys(system.nodes, 0)
        self._states = {node: SimpleNamespace(id=node, status="crashed") for node in system.nodes}
        self._close = weakref.finalize(self, _hang_up, wire.sock)    # a Running that nobody holds any more ends, too

    # ---- verbs

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
        with self._lock:
            self._asked += 1
            number = self._asked
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

    # ---- looking

    def states(self) -> dict[str, SimpleNamespace]:
        """What every node shows now.

        Returns:
            {node: an object with the attributes that it shows, `id` and `status`: "up", "paused" or "crashed"}. A
            crashed node keeps the attributes that it had last.
        """
        with self._wire.news:
            for node, state in self._states.items():
                entries = self._wire.records.nodes[node]
                for entry in entries[self._seen[node]:]:
                    self._apply(state, entry)
                self._seen[node] = len(entries)
            return {node: SimpleNamespace(**vars(state)) for node, state in self._states.items()}

    def _apply(self, state: SimpleNamespace, entry: dict[str, Any]) -> None:
        if "fault" in entry:
            kind, _, _, detail, _ = entry["fault"]
            if kind in STATUS_AFTER and not (detail and "ignored" in detail):
                state.status = STATUS_AFTER[kind]
        for event in entry.get("events", ()):
            state.status = STATUS_AFTER.get(event[1], state.status)
        for _, patch in entry.get("patches", ()):
            for field, *change in map(self._wire.codec.decode, patch):
                if field[0] == "@":
                    continue
                if len(change) == 1:
                    setattr(state, field, change[0])
                else:
                    first, removed, items = change
                    old = getattr(state, field)
                    setattr(state, field, old[:first] + items + old[first + removed:])

    def wait(self, condition: Callable[[dict[str, SimpleNamespace]], Any], seconds: float = 10) -> Any:
        """Waits until something is true of the states.

        Args:
            condition: a function of `states()`; looked at whenever a node has told something new.
            seconds: how long at most.

        Returns:
            What the condition returned.

        Raises:
            LiveError: it did not come true in time. NodeError: a node failed.
        """
        return self._until(lambda: condition(self.states()), seconds, "the condition to come true")

    def _until(self, condition: Callable[[], Any], seconds: float, what: str) -> Any:
        wire = self._wire
        end = time.monotonic() + seconds
        while True:
            with wire.news:
                heard = wire.heard
            self._raise_failure()
            if found := condition():
                return found
            with wire.news:
                left = end - time.monotonic()
                if left <= 0:
                    raise LiveError(f"waited {seconds:g} s in vain for {what}; the nodes: {self._in_short()}")
                if wire.heard == heard:
                    if not wire.thread.is_alive():
                        raise LiveError("this run has ended; start it again")
                    wire.news.wait(min(left, 1))

    def _in_short(self) -> str:
        return ", ".join(f"{node} {state.status}" for node, state in self.states().items())

    @property
    def elapsed(self) -> float:
        """Seconds since the nodes started."""
        return float(self._ask({})["time"]) / 1e6

    def trace(self) -> Trace:
        """What has happened so far, in the format of the simulator; also after `stop`, and after a node has failed."""
        wire, until = self._wire, 0
        if wire.thread.is_alive() and wire.failure is None:
            until = self._ask({})["time"]                    # what has happened before the answer is heard before it
        with wire.news:
            return wire.records.trace(wire.ended_us or until, whole=wire.ended_us is not None)

    # ---- the supervisor

    def _do(self, do: str, *arguments: Any, **named: Any) -> bool:
        """Carries out an action; returns whether it had an effect."""
        return self._send(do, *arguments, **named) is None

    def _send(self, do: str, *arguments: Any, number: int | None = None, **named: Any) -> Any:
        checked = check_schedule([action(do, *arguments, at=0, **named)], self.system)[0]
        del checked["at"]
        return self._ask(checked | ({} if number is None else {"number": number})).get("ignored")

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        wire = self._wire
        with self._lock:
            self._asked += 1
            number = self._asked
        self._raise_failure()
        with suppress(OSError):                              # then it has ended, which is told below
            wire.sock.sendall(block(dumps({"ask": number, **question})))
        answer = self._until(lambda: wire.answers.pop(number, None), VERB_SECONDS, "an answer")
        self.pids = answer.get("pids", self.pids)
        if "error" in answer:
            self._raise_failure()
            raise LiveError(answer["error"])
        return dict(answer)

    def _raise_failure(self) -> None:
        if self._wire.failure is not None:
            raise self._wire.failure

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
    wire = _connect(Records(system, seed))
    running = Running(system, seed, wire)
    try:
        with suppress(OSError):
            wire.sock.sendall(block(dumps(plan)))
        answer = running._until(lambda: wire.answers.pop(0, None), VERB_SECONDS, "the nodes to start")
        if "error" in answer:
            running._raise_failure()
            raise LiveError(answer["error"])
        running.pids = answer["pids"]
        running._until(lambda: all(wire.records.nodes.values()), VERB_SECONDS, "the nodes to start")
        return running
    except BaseException:
        running.stop()
        raise


def _connect(records: Records) -> _Wire:
    ours, theirs = socket.socketpair()
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    errors = tempfile.TemporaryFile()  # noqa: SIM115  # the supervisor's, read where it ends badly
    with theirs:
        supervisor = subprocess.Popen(
            [sys.executable, "-P", "-m", "dslab.live.supervisor", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
        )
    return _Wire(ours, supervisor, records, errors)
