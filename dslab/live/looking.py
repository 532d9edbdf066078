"""A run on processes as seen from outside: what its nodes show, and what its supervisor answers."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from dslab.sim import System, Trace
from dslab.sim.trace import STATUS_AFTER

from .codec import block, dumps
from .wire import LiveError, Wire, hang_up

VERB_SECONDS = 90         # longer than the supervisor needs for anything


class Looking:
    """What one can see of a run; see Running."""

    def __init__(self, system: System, seed: int, wire: Wire) -> None:
        self.system, self.seed, self._wire = system, seed, wire
        self.pids: dict[str, int] = {}
        self._asked = 0
        self._lock = threading.Lock()
        self._seen = dict.fromkeys(system.nodes, 0)
        self._states = {node: SimpleNamespace(id=node, status="crashed") for node in system.nodes}
        self._close = weakref.finalize(self, hang_up, wire.sock)    # a Running that nobody holds any more ends, too

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
        def look() -> Any:
            self._raise_failure()                            # the states of a run that has failed may lack anything
            return condition(self.states())

        return self._until(look, seconds, "the condition to come true")

    def _until(self, condition: Callable[[], Any], seconds: float, what: str) -> Any:
        wire = self._wire
        end = time.monotonic() + seconds
        while True:
            with wire.news:                                  # before the look: what came last is seen before the end
                heard, failure, alive = wire.heard, wire.failure, wire.thread.is_alive()
            if found := condition():
                return found
            if failure is not None:
                raise failure
            if not alive:
                raise LiveError("this run has ended; start it again")
            with wire.news:
                left = end - time.monotonic()
                if left <= 0:
                    raise LiveError(f"waited {seconds:g} s in vain for {what}; the nodes: {self._in_short()}")
                if wire.heard == heard:
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
            until = self._ask({})["time"]
            self._until(wire.records.caught_up, VERB_SECONDS, "the nodes to tell what they sent")
        with wire.news:
            return wire.records.trace(wire.ended_us or until, whole=wire.ended_us is not None)

    # ---- the supervisor

    def _number(self) -> int:
        with self._lock:
            self._asked += 1
            return self._asked

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        wire = self._wire
        number = self._number()
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
