"""One node as an operating-system process: `python -m dslab.live.process`, started by the supervisor.

It handles one thing at a time, in the order in which things happened. After each handler it saves what became
different, tells the supervisor what it did, and only then lets the messages leave. So a SIGKILL can lose a message, but
no other node can hold one that depends on something unsaved, or that no record mentions.
"""

from __future__ import annotations

import contextlib
import ctypes
import heapq
import io
import json
import os
import pickle
import signal
import socket
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from dslab.sim import Client, DslabError, MessageError, NodeError
from dslab.sim.diagnosis import explained, failure
from dslab.sim.guard import forbidden_calls
from dslab.sim.host import Host
from dslab.sim.recorder import Recorder
from dslab.sim.watchdog import HandlerTimeout, watched

from .codec import LONGEST_MESSAGE, Codec, block, dumps, encode, receive_block
from .journal import Journal
from .sockets import Sockets

LIFE = 1 << 40  # message numbers of one life of a node
PR_SET_PDEATHSIG = 1


class Process(Sockets):
    """The node's surroundings: clock, timers, links and disk are real, the interface is the simulator's.

    Args:
        control: the socket to the supervisor.
        boot: who it is; see Supervisor.
    """

    by_hand = False             # timers fire by themselves

    def __init__(self, control: socket.socket, boot: dict[str, Any]) -> None:
        super().__init__(control, boot["id"], bytes.fromhex(boot["token"]), boot["ports"])
        self.kind, self.detail, self.life = boot["kind"], boot["detail"], boot["life"]
        self.servers = tuple(boot["servers"])
        self.seed: Any = boot["seed"] if not self.life else f"{boot['seed']}/{self.life}"
        cls, options = pickle.loads(bytes.fromhex(boot["code"]))
        self.system = SimpleNamespace(classes={self.id: cls}, nodes=[self.id], absent={}, clients=boot["clients"],
                                      options=options, name=cls.__name__, servers=list(self.servers))
        self.codec = Codec()
        self.now_us = 0
        self.heap: list[Any] = []                            # timers: (due, sequence, host, None, name, cause)
        self.next_message = count(self.life * LIFE).__next__
        self.current: int | None = None
        self.handling: Any = None
        self.recorder = Recorder(self.system, 0, [])
        self.told = 0                                        # events that the supervisor has heard of
        self.requests: list[int] = []                        # of operations that have not begun
        self.operations: dict[int, int] = {}                 # number of an operation -> request
        self.answers: list[dict[str, Any]] = []              # of operations that this handler has completed
        self.host = Host(self, self.id)  # type: ignore[arg-type]
        self.folder = Path(boot["folder"])

    # ---- what Host, Recorder and the guards ask of a simulation

    def peers(self, node_id: str) -> tuple[str, ...]:
        """The other servers."""
        return tuple(n for n in self.servers if n != node_id)

    def link(self, source: str, target: str) -> str:
        """A link is known by its target.

        Raises:
            NodeError: there is no such node.
        """
        if target not in self.ports and target != self.id:
            known = ", ".join([*self.servers, *self.system.clients])
            raise NodeError(f"there is no node {target!r} to send to; the nodes are {known}")
        self.host.links[target] = target  # type: ignore[assignment]
        return target

    def invoked(self, client: str, number: int, command: Any, to: str) -> None:
        """Notes that an operation begins."""
        self.current = self.recorder.event(self.now_us, "invoke", client, self.current,
                                           {"number": number, "command": command, "to": to})
        self.operations[number] = self.requests.pop(0)

    def completed(self, client: str, number: int, result: Any) -> None:
        """Notes that an operation got its answer."""
        self.current = self.recorder.event(self.now_us, "complete", client, self.current,
                                           {"number": number, "result": result})
        self.answers.append({"answered": self.operations.pop(number), "result": encode(result)})

    # ---- running

    def serve(self) -> NoReturn:
        """Until the supervisor ends it or goes away."""
        self.say({"listening": self.listen()})
        self.t0 = json.loads(receive_block(self.control))["t0"]
        try:
            with forbidden_calls(self), watched(self):
                self._run()
        except DslabError as error:
            self._fail(error)
        except HandlerTimeout:
            self._fail(NodeError("it did not return; look for a loop that never ends"))
        except Exception as error:
            if self.handling is None:
                raise
            self._fail(NodeError(failure(error)))
        raise AssertionError("unreachable")

    def _run(self) -> NoReturn:
        self._handle((self._clock(), 0, self.host, self._boot, None, None), self._boot)
        while True:
            # What has happened by now is read first, then handled in the order in which it happened: a message that
            # came by before a timer was due goes first, however late this process gets its turn.
            self._poll(self.heap[0][0] if self.heap else None)
            while self.heap and self.host.timers.get(self.heap[0][4]) != self.heap[0][1]:
                heapq.heappop(self.heap)                     # stopped or started anew since
            if self.inbox and (not self.heap or self.inbox[0][0] <= self.heap[0][0]):
                _, _, sender, number, body = heapq.heappop(self.inbox)
                if sender is None:
                    self._handle((self._clock(), 0, self.host, self._request, None, None), self._request, body)
                else:
                    self._deliver(sender, number, body)
            elif self.heap and self.heap[0][0] <= self._clock():
                self._fire(heapq.heappop(self.heap))

    def _handle(self, entry: tuple[Any, ...], call: Any, *arguments: Any) -> None:
        """Runs a handler and what follows from it."""
        self.now_us = entry[0]
        self.handling = entry
        call(*arguments)
        host = self.host
        outbox: list[Any] = host.outbox
        host.outbox = []
        bodies = [self._body(m, target) for target, m in outbox]
        self.recorder.state(host)
        unsaved = self.journal.changed(vars(host.node))
        if unsaved:
            self._tell([])
            try:
                self.journal.save(vars(host.node), unsaved)
            except OSError as error:
                raise NodeError(f"its durable attributes cannot be saved ({error.strerror}); make room on the disk "
                                f"that holds {self.folder.parent}") from None
            self.current = self.recorder.event(self._clock(), "write", self.id, self.current)
        self.handling = None
        sends = [(target, self.next_message(), body) for (target, _), body in zip(outbox, bodies)]
        if self.told < len(self.recorder.events) or sends:
            self._tell(sends)
        for answer in self.answers:                          # whoever waits for one finds it in the record
            self.say(answer)
        self.answers.clear()
        for target, number, body in sends:
            self._transmit(target, number, body)

    def _body(self, m: Any, target: str) -> bytes:
        body = dumps(encode(m))
        if len(body) > LONGEST_MESSAGE:
            raise MessageError(f"the {type(m).__name__} to {target} has {len(body):,} bytes, and a link takes messages "
                               f"of up to {LONGEST_MESSAGE:,}; send it in parts")
        return body

    def _boot(self) -> None:
        self.current = self.recorder.event(self.now_us, self.kind, self.id, None, self.detail)
        cls = self.system.classes[self.id]
        path = self.folder / f"{self.id}.journal"
        try:
            self.journal = Journal(path, cls.durable)
        except OSError as error:
            raise NodeError(f"its disk cannot be read ({error.strerror})") from None
        self.host.disk = self.journal.values
        self.host.boot()
        self.host.node.on_start()
        missing = [name for name in cls.shows or () if not hasattr(self.host.node, name)]
        if missing:
            raise NodeError(f"`shows` names {missing[0]!r}, which the node does not have: "
                            f"set self.{missing[0]} in on_start")

    def _deliver(self, sender: str, number: int, body: bytes) -> None:
        m = self.codec.decode(json.loads(body))
        entry = (self._clock(), 0, self.host, sender, m, number)
        self._handle(entry, self._receive, sender, number, m)

    def _receive(self, sender: str, number: int, m: Any) -> None:
        self.current = self.recorder.event(self.now_us, "deliver", self.id, None)
        self.recorder.events[-1] = (self.now_us, "deliver", self.id, None, [sender, number], None)
        handlers = self.host.handlers
        if m.__class__ not in handlers:
            name = type(self.host.node).message_handler(m.__class__, self.id, sender)
            handlers[m.__class__] = getattr(self.host.node, name)
        handlers[m.__class__](sender, m)

    def _fire(self, timer: Any) -> None:
        _, _, host, _, name, cause = timer
        del host.timers[name]
        now = self._clock()
        self.current = self.recorder.fired(now, self.id, name, cause)
        self._handle((now, 0, host, None, name, None), host.timer_names[name])

    def _request(self, body: Any) -> None:
        self.current = self.recorder.event(self.now_us, "request", self.id, None,
                                           {"command": body["command"], "to": body["to"]})
        self.requests.append(body["request"])
        client = self.host.node
        assert isinstance(client, Client)
        client.invoke(body["command"], body["to"])

    def _fail(self, error: DslabError) -> NoReturn:
        error = explained(self, error)  # type: ignore[arg-type]
        self.handling = None
        self.say({"failed": type(error).__name__, "text": str(error)})
        os._exit(1)

    # ---- the record

    def _tell(self, sends: list[tuple[str, int, bytes]]) -> None:
        """Sends the record of what happened since the last one; it is safe from then on, whatever becomes of us."""
        recorder = self.recorder
        events = [[time, kind, cause, message, encode(detail)]
                  for time, kind, _, cause, message, detail in recorder.events[self.told:]]
        patches = [[event, [encode(change) for change in patch]] for event, patch in recorder.patches.items()]
        recorder.patches.clear()
        letters = [[target, number, json.loads(body)] for target, number, body in sends]
        self.say({"life": self.life, "first": self.told, "events": events, "patches": patches, "sends": letters,
                  "by": self.current, "at": self._clock()})
        self.told = len(recorder.events)

class Said(io.TextIOBase):
    """Standard output of a node: goes to whoever started the run."""

    def __init__(self, process: Process) -> None:
        self.process, self.begun = process, ""

    def write(self, text: str) -> int:
        """Passes whole lines on, so that those of several nodes do not mix."""
        lines, newline, self.begun = (self.begun + text).rpartition("\n")
        if newline:
            self.process.say({"said": lines + newline})
        return len(text)


def die_with_parent(parent: int) -> None:
    """Lets the kernel kill this process when its parent dies, even while it is stopped (Linux)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def main() -> NoReturn:
    """Arguments: the node's name, for those who look at the list of processes; a socket; the supervisor's process."""
    die_with_parent(int(sys.argv[3]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=int(sys.argv[2]))
    boot = json.loads(receive_block(control))
    sys.path[:] = boot["path"]
    try:
        process = Process(control, boot)
    except Exception as error:
        text = f"{boot['id']} cannot start in a process of its own: {type(error).__name__}: {error}"
        control.sendall(block(dumps({"failed": "NodeError", "text": text})))
        os._exit(1)
    sys.stdout = Said(process)
    process.serve()


if __name__ == "__main__":
    main()
