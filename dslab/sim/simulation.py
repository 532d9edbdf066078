"""The simulator: runs a system under a schedule, one event at a time, in virtual time.

One heap of flat tuples (time, sequence, host, source, payload, reference) holds everything that will happen. The
sequence number is unique, so ties break the same way everywhere and payloads are never compared. A message has its
sender's name as `source`, a timer has None, everything else is a method of this class.
"""

from __future__ import annotations

import gc
import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

from .actions import Actions
from .client import Client
from .diagnosis import explained, failure, what_goes_round
from .errors import BudgetError, DeterminismError, DslabError, NodeError, ScheduleError
from .guard import check_class, find_shared, forbidden_calls
from .host import ABSENT, PAUSED, UP, Host
from .message import Message
from .network import MODULUS, MULTIPLIER, latency_range_us, stream
from .node import Node
from .recorder import Recorder
from .schedule import Action, check_schedule, to_us
from .snapshot import keep
from .system import System
from .trace import Trace
from .traffic import Entry
from .watchdog import HandlerTimeout, watched

AFTER_EVERYTHING = 1 << 60         # sequence numbers of actions: at one instant, what was already due comes first
BUDGET = 1_000_000                 # events; a five-node Raft makes about 200 a simulated second
SHARING_CHECK = 256                # the first look for shared objects; then after twice as many events each time


class Simulation(Actions):
    """A run in progress.

    Args:
        system: what runs.
        seed: any integer; every random stream is derived from it and a purpose.
        schedule: list of actions (see dslab.sim.schedule).
        record: False keeps no trace, for experiments with thousands of runs.
        budget: largest number of events before the run is given up.

    Attributes:
        now_us: virtual time, microseconds.
        history: client operations, as dicts, in order of invocation.

    Raises:
        NodeError, DeterminismError, ScheduleError: an input is not what it must be.
    """

    def __init__(self, system: System, seed: int, schedule: Any = (), *, record: bool = True,
                 budget: int = BUDGET) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ScheduleError(f"a seed is a whole number, not {seed!r}")
        if not isinstance(system, System):
            raise NodeError(f"a run needs a System, such as raft.cluster(5) or System(MyNode, nodes=3), not {system!r}")
        self.system, self.seed, self.budget = system, seed, budget
        self.schedule = check_schedule(schedule, system)
        first: dict[type[Node], str] = {}
        for node_id, cls in system.classes.items():
            first.setdefault(cls, node_id)
        for cls, node_id in first.items():
            if cls is not Client:
                check_class(cls, node_id)  # type: ignore[arg-type]  # classes are hashable
        self.now_us = 0
        self.by_hand = system.by_hand
        self.heap: list[Entry] = []
        self.next_sequence = count().__next__
        self.next_message = count().__next__
        self.history: list[dict[str, Any]] = []
        self.handling: Entry | None = None     # the entry whose handler runs now
        self.careful = False                             # look for shared objects after every event
        self.current: int | None = None                  # id of the event to which effects belong
        self.events_done = 0
        self.groups: list[list[str]] = []
        self.cuts: dict[tuple[str, str], bool] = {}
        self.held: dict[int, tuple[int, Entry]] = {}      # message -> (time left, entry); held by an action
        self.held_by_cut: dict[int, tuple[int, Entry]] = {}
        self._servers = tuple(system.servers)
        self.disk_low, self.disk_spread = latency_range_us(system.disk, "disk")
        self.hosts = {node_id: Host(self, node_id) for node_id in system.nodes}
        self.recorder = Recorder(system, seed, self.schedule) if record else None
        for host in self.hosts.values():
            if host.status is ABSENT:
                heapq.heappush(self.heap, (0, self.next_sequence(), None, self._absent, host.id, None))
            else:
                self._push(0, host, self._start, None)
        for number, act in enumerate(self.schedule):
            heapq.heappush(self.heap, (to_us(act["at"]), AFTER_EVERYTHING + number, None, self._act, act, None))

    @property
    def nodes(self) -> dict[str, Node]:
        """The node objects of all hosts that have started."""
        return {node_id: host.node for node_id, host in self.hosts.items() if host.incarnation}

    def peers(self, node_id: str) -> tuple[str, ...]:
        """The other servers."""
        return tuple(n for n in self._servers if n != node_id)

    def run(self, until: float, stop: Callable[[Simulation], bool] | None = None) -> Simulation:
        """Runs until a time, or until `stop(self)` is true after an event.

        Args:
            until: simulated ms since the start of the run.
            stop: looked at after every event; None runs to the end.

        Raises:
            NodeError: a node's code failed. BudgetError: no end in sight. DeterminismError: see `guard`.
        """
        until_us = to_us(until)
        collecting = gc.isenabled()
        gc.disable()        # a growing trace makes the cyclic collector scan the same live objects again and again
        try:
            with forbidden_calls(self), watched(self):
                self._loop(until_us, stop)
        except DslabError as error:
            raise explained(self, error) from error.__cause__
        except HandlerTimeout:
            raise explained(self, BudgetError("it did not return; look for a loop that never ends")) from None
        except (Exception, SystemExit) as error:  # exit() in a handler is a mistake like another
            if self.handling is None:
                raise
            raise explained(self, NodeError(failure(error))) from error
        finally:
            self.handling = None
            if collecting:
                gc.enable()
        return self

    def _loop(self, until_us: int, stop: Callable[[Simulation], bool] | None) -> None:
        """Takes one entry after the other; all this runs once an event, so names are local and sends inline."""
        heap, pop, push, recorder = self.heap, heapq.heappop, heapq.heappush, self.recorder
        next_sequence, next_message, settle = self.next_sequence, self.next_message, self._settle
        up, multiplier, modulus = UP, MULTIPLIER, MODULUS
        if recorder:
            events, messages = recorder.events, recorder.messages
            append, sent = events.append, messages.append
        done = self.events_done
        look = done if self.careful else max(SHARING_CHECK, done)
        while heap and heap[0][0] <= until_us:
            entry = pop(heap)
            time, sequence, host, source, payload, reference = entry
            if source.__class__ is str:                                   # a message arrives
                if host.status is not up:
                    self._arrives_in_vain(entry)
                    continue
                self.now_us = time
                self.handling = entry
                if recorder:                                              # no call of the recorder: too many
                    self.current = recorder.open = event = len(events)
                    record = messages[reference]
                    append((time, "deliver", host.id, record[3], reference, None))
                    record[6], record[7], record[8] = event, time, "delivered"
                try:
                    handler = host.handlers[payload.__class__]
                except KeyError:
                    handler = self._handler(host, payload, source)
                handler(source, payload)
            elif source is None:                                          # a timer fires
                if host.timers.get(payload) != sequence:
                    continue                                              # stopped or started anew since
                if host.status is not up:
                    host.backlog.append(entry)
                    continue
                self.now_us = time
                self.handling = entry
                del host.timers[payload]
                if recorder:
                    self.current = recorder.fired(time, host.id, payload, reference)
                host.timer_names[payload]()
            else:
                self.now_us = time
                source(host, payload, reference)
                if host is None:
                    continue
            if (not host.latest or settle(host)) and host.outbox:
                sender = host.id
                for link, m in host.outbox:
                    if link.plain:
                        link.state = state = link.state * multiplier % modulus
                        due = time + link.low + (state * link.spread >> 31)
                        push(heap, (due, next_sequence(), link.host, sender, m, next_message()))
                        if recorder:                                      # as recorder.sent
                            sent([sender, link.host.id, m, self.current, time, due, None, None, "in flight", None])
                    else:
                        self._transmit(link, m, self.current)
                host.outbox.clear()
            if recorder:
                recorder.state(host)
            done += 1
            if done >= look:
                self.events_done = done
                if done > self.budget:
                    raise BudgetError(what_goes_round(self))
                self._check_sharing(until_us)
                look = done + 1 if self.careful else min(2 * done, self.budget + 1)
            if stop is not None and stop(self):
                self.events_done = done
                return
        self.events_done = done
        self._check_sharing(until_us)
        self.handling = None
        self.now_us = max(self.now_us, until_us)

    def plan(self, act: Action) -> None:
        """Adds an action to the schedule of a run in progress.

        Args:
            act: not before the present; runs after what is planned for the same moment.
        """
        number = len(self.schedule)
        self.schedule.append(act)
        heapq.heappush(self.heap, (to_us(act["at"]), AFTER_EVERYTHING + number, None, self._act, act, None))

    def trace(self) -> Trace:
        """The trace so far.

        Raises:
            ScheduleError: the simulation was made with record=False.
        """
        if self.recorder is None:
            raise ScheduleError("this simulation keeps no trace; make it with record=True")
        return self.recorder.trace(self.now_us)

    def _handler(self, host: Host, payload: Message, source: str) -> Callable[[str, Any], None]:
        name = type(host.node).message_handler(payload.__class__, host.id, source)
        host.handlers[payload.__class__] = handler = getattr(host.node, name)
        return handler

    def _settle(self, host: Host) -> bool:
        """Saves what became different.

        Returns:
            Whether the messages may leave now; if not, they wait until everything they may depend on is on the disk.
        """
        attributes, latest = host.node.__dict__, host.latest
        fresh = None
        for name, old in latest.items():
            new = attributes[name]
            if new is not old and (new.__class__ is not old.__class__ or new != old):
                if fresh is None:
                    fresh = latest.copy()
                fresh[name] = keep(new, old)
        if fresh is None:
            if host.write is None:
                return True
            host.write[1].extend(host.outbox)            # an earlier write is still on its way to the disk
            host.outbox.clear()
            return False
        host.latest = fresh
        took = self._disk_time(host)
        if not took:
            host.disk = fresh
            return True
        host.disk_free = max(self.now_us, host.disk_free) + took
        host.write = [fresh, host.outbox[:], host.incarnation]
        host.outbox.clear()
        self._push(host.disk_free, host, self._written, host.write, self.current)
        return False

    def _disk_time(self, host: Host) -> int:
        if host.disk_dice is None:
            host.disk_dice = stream(self.seed, "disk", host.id).random
        return self.disk_low + int(host.disk_dice() * (self.disk_spread + 1))

    def _written(self, host: Host, write: list[Any], cause: int | None) -> None:
        if write[2] != host.incarnation:
            return                                       # the node crashed before the write was done
        if host.status is PAUSED:
            host.backlog.append((self.now_us, 0, host, self._written, write, cause))
            return
        host.disk = write[0]
        if host.write is write:
            host.write = None
        if self.recorder:
            self.current = self.recorder.event(self.now_us, "write", host.id, cause)
        if write[1]:
            self._transmit_all(write[1])

    def _start(self, host: Host, payload: None, cause: int | None) -> None:
        self.handling = (self.now_us, 0, host, self._start, None, None)
        if self.recorder:
            self.current = self.recorder.event(self.now_us, "start", host.id, None)
        self._boot(host)

    def _absent(self, _: None, node: str, __: None) -> None:
        self._note("absent", node)

    def _boot(self, host: Host, begin: Callable[[Node], None] = lambda node: node.on_start()) -> None:
        if self.recorder:
            self.recorder.forget(host.id)
        host.boot()
        begin(host.node)
        missing = [name for name in type(host.node).shows or () if not hasattr(host.node, name)]
        if missing:
            raise NodeError(f"`shows` names {missing[0]!r}, which the node does not have: "
                            f"set self.{missing[0]} in on_start")

    def invoked(self, client: str, number: int, command: Any, to: str) -> None:
        """Notes that a client begins an operation."""
        if self.recorder:
            self.current = self.recorder.event(self.now_us, "invoke", client, self.current,
                                               {"number": number, "command": command, "to": to})
        self.history.append({"client": client, "number": number, "command": command, "invoked_us": self.now_us,
                             "completed_us": None, "result": None})

    def completed(self, client: str, number: int, result: Any) -> None:
        """Notes that a client's operation got its answer."""
        if self.recorder:
            self.current = self.recorder.event(self.now_us, "complete", client, self.current,
                                               {"number": number, "result": result})
        for operation in reversed(self.history):
            if operation["client"] == client and operation["number"] == number:
                operation.update(completed_us=self.now_us, result=result)
                break

    def _check_sharing(self, until_us: int) -> None:
        shared = find_shared(self.nodes)
        if shared is None:
            return
        if not self.careful:          # run again and look after every event, to name the handler that did it
            again = Simulation(self.system, self.seed, self.schedule, record=False, budget=self.budget)
            again.careful = True
            again.run(until_us / 1000)
        first, second, thing = shared
        raise DeterminismError(f"{first} and {second} are one and the same {type(thing).__name__}, so a change in "
                               f"one node shows in the other without a message; give each node its own, for example "
                               f"with {type(thing).__name__}(...)")


def simulate(system: System, *, seed: int, schedule: Any = (), until: float = 10_000, budget: int = BUDGET) -> Trace:
    """Runs a system and returns what happened.

    Args:
        system: what runs, such as `raft.cluster(5)`.
        seed: any integer.
        schedule: list of actions, such as {"at": 1200, "do": "crash", "node": "n1"}.
        until: simulated ms, 0 to 10^10.
        budget: largest number of events.

    Returns:
        The trace; equal inputs give equal bytes on every machine.

    Raises:
        NodeError, DeterminismError: a node's code is at fault. ScheduleError: an input is.
        BudgetError: no end in sight.
    """
    if isinstance(until, bool) or not isinstance(until, (int, float)) or not 0 <= until <= 1e10:
        raise ScheduleError(f"until must be a number of ms from 0 to 10,000,000,000, not {until!r}")
    return Simulation(system, seed, schedule, budget=budget).run(until).trace()


def check_repeatable(system: System, *, seed: int, schedule: Any = (), until: float = 10_000) -> Trace:
    """Runs twice and compares.

    Returns:
        The trace, when both runs are equal.

    Raises:
        DeterminismError: names the first event that differs.
    """
    first, second = (simulate(system, seed=seed, schedule=schedule, until=until) for _ in range(2))
    difference = first.first_difference(second)
    if difference is not None:
        raise DeterminismError(f"two runs with seed {seed} differ: {difference}; look for state that outlives a run, "
                               f"such as a class attribute or a global")
    return first
