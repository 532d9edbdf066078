"""The simulator: runs a system under a schedule, one event at a time, in virtual time.

One heap of flat tuples (time, sequence, host, source, payload, reference) holds everything that will happen. The
sequence number is unique, so ties break the same way everywhere and payloads are never compared. A message has its
sender's name as `source`, a timer has None, everything else is a method of this class.
"""

from __future__ import annotations

import gc
import heapq
import traceback
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

from .client import Client
from .errors import BudgetError, DeterminismError, DslabError, NodeError, ScheduleError
from .guard import check_class, find_shared, forbidden_calls
from .message import Message
from .network import MODULUS, MULTIPLIER, Link, latency_range_us, random_word, stream
from .node import RUNTIME_ATTRIBUTES, Node
from .schedule import VERBS, Action, check_schedule, to_us
from .snapshot import keep
from .system import System
from .trace import Recorder, Trace
from .watchdog import HandlerTimeout, watched

UP, PAUSED, CRASHED = "up", "paused", "crashed"
AFTER_EVERYTHING = 1 << 60         # sequence numbers of actions: at one instant, what was already due comes first
BUDGET = 1_000_000                 # events; a five-node Raft makes about 200 a simulated second
SHARING_CHECK = 256                # the first look for shared objects; then after twice as many events each time


class Host:
    """Where one node runs: its status, timers, links, disk and clock. Nodes reach the simulator only through this."""

    __slots__ = ("backlog", "clock_from", "clock_rate", "clock_start", "disk", "disk_dice", "disk_free", "handlers", "id", "incarnation",
                 "latest", "links", "node", "outbox", "sim", "status", "timer_names", "timer_plans", "timers", "word", "write")

    def __init__(self, sim: Simulation, node_id: str) -> None:
        self.sim, self.id = sim, node_id
        self.word = random_word(sim.seed, "net", node_id)
        self.status = CRASHED
        self.incarnation = 0
        self.outbox: list[tuple[Link, Message]] = []
        self.timers: dict[str, int] = {}                     # name -> sequence number of the entry that will fire
        self.timer_names: dict[str, Callable[[], None]] = {}
        self.timer_plans: dict[str, tuple[Any, ...]] = {}      # name -> (between, lowest, highest, random())
        self.disk_dice = stream(sim.seed, "disk", node_id).random if sim.disk_spread else None
        self.links: dict[str, Link] = {}
        self.handlers: dict[type, Callable[[str, Any], None]] = {}
        self.backlog: list[tuple[Any, ...]] = []             # what arrived while paused
        self.clock_rate, self.clock_from, self.clock_start = 1.0, 0, 0
        self.wipe_disk()

    def wipe_disk(self) -> None:
        """The disk as it was before the first start."""
        empty = self.sim.system.classes[self.id].durable
        self.disk = {name: keep(value) for name, value in empty.items()}      # safe after a crash now
        self.latest = self.disk                                               # safe once all writes are done
        self.disk_free = 0
        self.write: list[Any] | None = None                                   # the newest unfinished write

    def boot(self) -> None:
        """A new instance of the node with nothing but its durable attributes."""
        system = self.sim.system
        self.incarnation += 1
        node = self.node = object.__new__(system.classes[self.id])
        node._host = self
        node.id = self.id
        node.peers = self.sim.peers(self.id)
        node.random = stream(self.sim.seed, "node", self.id, self.incarnation)
        if self.id not in system.clients:
            for name, value in system.options.items():
                setattr(node, name, value)
        node.__init__()  # type: ignore[misc]
        for name, value in self.disk.items():
            setattr(node, name, _thaw(value))
        self.latest = self.disk
        self.disk_free, self.write = 0, None
        self.handlers, self.timer_names = {}, {}
        self.status = UP

    def stop(self) -> None:
        """Power off: timers, unsent messages and unfinished writes are gone."""
        self.status = CRASHED
        if self.sim.recorder:
            for name in self.timers:
                self.sim.recorder.timers["@" + name] = None
        self.timers.clear()
        self.outbox.clear()
        self.backlog.clear()
        if self.write is not None:
            self.write = None
        self.incarnation += 1

    def set_timer(self, name: str, after: float | None, between: tuple[float, float] | None) -> None:
        sim = self.sim
        if name not in self.timer_names:
            self.timer_names[name] = getattr(self.node, type(self.node).timer_handler(name))
        if between is None or after is not None:
            low = high = after_us = _timer_us(name, after, between)
        else:
            plan = self.timer_plans.get(name)
            if plan is None or plan[0] != between:
                dice = plan[3] if plan else stream(sim.seed, "timer", self.id, name).random
                plan = self.timer_plans[name] = (between, *_timer_range_us(name, between), dice)
            _, low, high, random = plan
            after_us = low + int(random() * (high - low + 1))
        if self.clock_rate != 1.0:
            after_us, low, high = (round(us / self.clock_rate) for us in (after_us, low, high))
        self.timers[name] = sequence = sim.next_sequence()
        now = sim.now_us
        heapq.heappush(sim.heap, (now + after_us, sequence, self, None, name, sim.current))
        if sim.recorder:
            sim.recorder.timers["@" + name] = [now, now + after_us, low, high]

    def cancel_timer(self, name: str) -> None:
        if self.timers.pop(name, None) is not None and self.sim.recorder:
            self.sim.recorder.timers["@" + name] = None

    def local_clock_ms(self) -> float:
        return (self.clock_start + (self.sim.now_us - self.clock_from) * self.clock_rate) / 1000

    def skew(self, offset_ms: float, rate: float) -> None:
        now = self.sim.now_us
        self.clock_start, self.clock_from, self.clock_rate = now + round(offset_ms * 1000), now, rate

    def record_invoke(self, number: int, command: Any, to: str) -> None:
        self.sim.invoked(self.id, number, command, to)

    def record_complete(self, number: int, result: Any) -> None:
        self.sim.completed(self.id, number, result)


def _timer_us(name: str, after: Any, between: Any) -> int:
    if between is not None or after is None:
        raise NodeError(f"set_timer({name!r}) needs either after=ms or between=(lowest, highest)")
    if isinstance(after, bool) or not isinstance(after, (int, float)) or not 0 <= after < 1e12:
        raise NodeError(f"set_timer({name!r}, after={after!r}) needs a number of ms, 0 or more")
    return round(after * 1000)


def _timer_range_us(name: str, between: Any) -> tuple[int, int]:
    try:
        low, high = between
        if 0 <= low <= high < 1e12:
            return round(low * 1000), round(high * 1000)
    except (TypeError, ValueError):
        pass
    raise NodeError(f"set_timer({name!r}, between={between!r}) needs a pair (lowest, highest) of ms")


def _thaw(value: Any) -> Any:
    """A copy of a disk's value that the node may change without changing the disk."""
    return keep(value)


class Simulation:
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

    def __init__(self, system: System, seed: int, schedule: Any = (), *, record: bool = True, budget: int = BUDGET) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ScheduleError(f"a seed is a whole number, not {seed!r}")
        if not isinstance(system, System):
            raise NodeError(f"a run needs a System, such as raft.cluster(5) or System(MyNode, nodes=3), not {system!r}")
        self.system, self.seed, self.budget = system, seed, budget
        self.schedule = check_schedule(schedule, system)
        for node_id, cls in system.classes.items():
            if cls is not Client:
                check_class(cls, node_id)
        self.now_us = 0
        self.heap: list[tuple[Any, ...]] = []
        self.next_sequence = count().__next__
        self.next_message = count().__next__
        self.history: list[dict[str, Any]] = []
        self.handling: tuple[Any, ...] | None = None     # the entry whose handler runs now
        self.current: int | None = None                  # id of the event to which effects belong
        self.events_done = 0
        self.groups: list[list[str]] = []
        self.cuts: dict[tuple[str, str], bool] = {}
        self.held: dict[int, tuple[int, tuple[Any, ...]]] = {}      # message -> (time left, entry); held by an action
        self.held_by_cut: dict[int, tuple[int, tuple[Any, ...]]] = {}
        self._servers = tuple(system.servers)
        self.disk_low, self.disk_spread = latency_range_us(system.disk, "disk")
        self.hosts = {node_id: Host(self, node_id) for node_id in system.nodes}
        self.recorder = Recorder(system, seed, self.schedule) if record else None
        for host in self.hosts.values():
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

    # ---- the loop -------------------------------------------------------------------------------------------------

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
            raise self._explained(error) from error.__cause__
        except HandlerTimeout:
            raise self._explained(BudgetError("it did not return; look for a loop that never ends")) from None
        except Exception as error:
            if self.handling is None:
                raise
            raise self._explained(NodeError(_describe(error))) from error
        finally:
            self.handling = None
            if collecting:
                gc.enable()
        return self

    def _loop(self, until_us: int, stop: Callable[[Simulation], bool] | None) -> None:
        """Takes one entry after the other; everything in here runs once an event, so names are local and sends inline."""
        heap, pop, push, recorder = self.heap, heapq.heappop, heapq.heappush, self.recorder
        next_sequence, next_message, settle = self.next_sequence, self.next_message, self._settle
        up, multiplier, modulus, sent = UP, MULTIPLIER, MODULUS, recorder.messages.append if recorder else None
        done = self.events_done
        look = max(SHARING_CHECK, done)
        while heap and heap[0][0] <= until_us:
            entry = pop(heap)
            time, sequence, host, source, payload, reference = entry
            if source.__class__ is str:                                   # a message arrives
                if host.status is not up:
                    self._arrives_in_vain(entry)
                    continue
                self.now_us = time
                self.handling = entry
                if recorder:
                    self.current = recorder.delivered(time, host.id, reference)
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
                for link, m in host.outbox:
                    if link.plain:
                        link.state = state = link.state * multiplier % modulus
                        due = time + link.low + (state * link.spread >> 31)
                        push(heap, (due, next_sequence(), link.host, link.source, m, next_message()))
                        if recorder:
                            sent([link.source, link.target, m, self.current, time, due, None, None, "in flight", None])
                    else:
                        self._transmit(link, m, self.current)
                host.outbox.clear()
            if recorder:
                recorder.state(host)
            done += 1
            if done >= look:
                self.events_done = done
                if done > self.budget:
                    raise BudgetError(self._what_goes_round())
                self._check_sharing()
                look = min(2 * done, self.budget + 1)
            if stop is not None and stop(self):
                self.events_done = done
                return
        self.events_done = done
        self.handling = None
        self._check_sharing()
        self.now_us = max(self.now_us, until_us)

    def trace(self) -> Trace:
        """The trace so far.

        Raises:
            ScheduleError: the simulation was made with record=False.
        """
        if self.recorder is None:
            raise ScheduleError("this simulation keeps no trace; make it with record=True")
        return self.recorder.trace(self.now_us)

    def _push(self, time: int, host: Host, source: Any, payload: Any, reference: Any = None) -> None:
        heapq.heappush(self.heap, (time, self.next_sequence(), host, source, payload, reference))

    def _handler(self, host: Host, payload: Message, source: str) -> Callable[[str, Any], None]:
        name = type(host.node).message_handler(payload.__class__, host.id, source)
        host.handlers[payload.__class__] = handler = getattr(host.node, name)
        return handler

    # ---- effects of a handler -------------------------------------------------------------------------------------

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
                    fresh = dict(latest)
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
        return self.disk_low + int(host.disk_dice() * (self.disk_spread + 1)) if host.disk_dice else self.disk_low

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

    def _transmit_all(self, messages: list[tuple[Link, Message]]) -> None:
        event = self.current
        for link, m in messages:
            self._transmit(link, m, event)
        messages.clear()

    def _transmit(self, link: Link, m: Message, event: int | None) -> None:
        """Puts one message on its way: it may be lost, doubled, kept in order, or meet a cut."""
        now, recorder = self.now_us, self.recorder
        if link.plain:
            due, lost, twice = now + link.draw_us(), False, False
        else:
            lost = link.loss > 0 and link.dice().random() < link.loss
            twice = link.duplicate > 0 and link.dice().random() < link.duplicate
        for copy in range(1 + twice):
            if not link.plain:
                due = now + link.draw_us()
                if link.fifo:
                    due = link.last_due = max(due, link.last_due)
            number = self.next_message()
            if recorder:
                recorder.sent(link.source, link.target, m, event, now, due, copy_of=number - 1 if copy else None)
            if lost or link.cut:
                reason = "cut" if link.cut else "loss"
                self._push((now + due) // 2, link.host, self._lost, (number, reason), event)
            else:
                heapq.heappush(self.heap, (due, self.next_sequence(), link.host, link.source, m, number))

    def link(self, source: str, target: str) -> Link:
        """The link between two nodes, made when it is used first.

        Raises:
            NodeError: there is no such node.
        """
        host = self.hosts[source]
        link = host.links.get(target)
        if link is None:
            if target not in self.hosts:
                raise NodeError(f"there is no node {target!r} to send to; the nodes are {', '.join(self.hosts)}")
            other = self.hosts[target]
            link = host.links[target] = Link(source, target, other, (host.word, other.word), self.system.network)
            if self.groups or self.cuts:
                link.set_cut(self._is_cut(source, target))
        return link

    def _lost(self, host: Host, payload: tuple[int, str], cause: int | None) -> None:
        if self.recorder:
            self.recorder.dropped(self.now_us, host.id, payload[0], payload[1])

    def _arrives_in_vain(self, entry: tuple[Any, ...]) -> None:
        time, _, host, _, _, number = entry
        self.now_us = time
        if host.status is PAUSED:
            host.backlog.append(entry)
        elif self.recorder:
            self.recorder.dropped(time, host.id, number, "crashed")

    # ---- life of a node -------------------------------------------------------------------------------------------

    def _start(self, host: Host, payload: None, cause: int | None) -> None:
        self.handling = (self.now_us, 0, host, self._start, None, None)
        if self.recorder:
            self.current = self.recorder.event(self.now_us, "start", host.id, None)
        self._boot(host)

    def _boot(self, host: Host) -> None:
        if self.recorder:
            self.recorder.forget(host.id)
        host.boot()
        host.node.on_start()
        missing = [name for name in type(host.node).shows or () if not hasattr(host.node, name)]
        if missing:
            raise NodeError(f"`shows` names {missing[0]!r}, which the node does not have: set self.{missing[0]} in on_start")

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

    # ---- actions --------------------------------------------------------------------------------------------------

    def _act(self, _: None, act: Action, __: None) -> None:
        arguments = {name: act.get(name, default) for name, (default, _check) in VERBS[act["do"]].items()}
        self.current = None
        getattr(self, "_do_" + act["do"])(**arguments)
        self.handling = None

    def _note(self, verb: str, node: str | None, detail: dict[str, Any] | None = None) -> None:
        if self.recorder:
            self.current = self.recorder.event(self.now_us, verb, node, None, detail)

    def _ignored(self, verb: str, node: str | None, why: str) -> None:
        self._note(verb, node, {"ignored": why})

    def _after_action(self, host: Host) -> None:
        """What the loop does after a handler, for a handler that an action has run."""
        if not host.latest or self._settle(host):
            self._transmit_all(host.outbox)
        if self.recorder:
            self.recorder.state(host)

    def _do_crash(self, node: str) -> None:
        host = self.hosts[node]
        if host.status is CRASHED:
            return self._ignored("crash", node, f"{node} is already down")
        self._note("crash", node)
        host.stop()
        if self.recorder:
            self.recorder.flush_timers(node)

    def _do_restart(self, node: str, disk: bool) -> None:
        host = self.hosts[node]
        if host.status is not CRASHED:
            return self._ignored("restart", node, f"{node} is running")
        self.handling = (self.now_us, 0, host, self._start, None, None)
        self._note("restart", node, {"disk": disk})
        if not disk:
            host.wipe_disk()
        self._boot(host)
        self._after_action(host)

    def _do_pause(self, node: str) -> None:
        host = self.hosts[node]
        if host.status is not UP:
            return self._ignored("pause", node, f"{node} is {host.status}")
        self._note("pause", node)
        host.status = PAUSED

    def _do_resume(self, node: str) -> None:
        host = self.hosts[node]
        if host.status is not PAUSED:
            return self._ignored("resume", node, f"{node} is not paused")
        self._note("resume", node)
        host.status = UP
        for entry in host.backlog:        # in the order of arrival; a timer keeps its number, by which it is known
            if entry[3] is None:
                heapq.heappush(self.heap, (self.now_us, *entry[1:]))
            else:
                self._push(self.now_us, *entry[2:])
        host.backlog.clear()

    def _do_lose_disk(self, node: str) -> None:
        host = self.hosts[node]
        self._note("lose_disk", node)
        if host.status is CRASHED:
            host.wipe_disk()
        else:                             # a running node still has its memory; what it saves from now on is kept
            empty = type(host.node).durable
            host.disk = {name: keep(value) for name, value in empty.items()}

    def _do_skew(self, node: str, offset: float, rate: float) -> None:
        self._note("skew", node, {"offset": offset, "rate": rate})
        self.hosts[node].skew(offset, rate)

    def _do_timeout(self, node: str, timer: str | None) -> None:
        host = self.hosts[node]
        if host.status is not UP:
            return self._ignored("timeout", node, f"{node} is {host.status}")
        name = timer or next(iter(host.timers), None)
        if name is None or name not in host.timers:
            return self._ignored("timeout", node, f"{node} has no timer {name!r} running" if name else f"{node} has no timer")
        self._note("timeout", node, {"timer": name})
        if self.recorder:
            self.current = self.recorder.fired(self.now_us, host.id, name, self.current)
        self.handling = (self.now_us, 0, host, None, name, None)
        del host.timers[name]
        host.timer_names[name]()
        self._after_action(host)

    def _do_request(self, command: Any, to: str | None, client: str) -> None:
        host = self.hosts[client]
        if host.status is not UP:
            return self._ignored("request", client, f"{client} is {host.status}")
        self._note("request", client, {"command": command, "to": to})
        self.handling = (self.now_us, 0, host, self._do_request, None, None)
        assert isinstance(host.node, Client)
        host.node.invoke(command, to)
        self._after_action(host)

    # ---- the network ----------------------------------------------------------------------------------------------

    def _is_cut(self, source: str, target: str) -> bool:
        if (source, target) in self.cuts:
            return True
        if not self.groups or source == target:
            return False
        side = {node: number for number, group in enumerate(self.groups) for node in group}
        # servers that no group names are one more group; clients that no group names reach everybody
        here = side.get(source, None if source in self.system.clients else -1)
        there = side.get(target, None if target in self.system.clients else -1)
        return here is not None and there is not None and here != there

    def _rewire(self, in_flight: str = "lost") -> None:
        """Brings all links in line with the cuts, and settles what happens to messages on links that just closed."""
        closed = set()
        for host in self.hosts.values():
            for link in host.links.values():
                cut = self._is_cut(link.source, link.target)
                if cut and not link.cut:
                    closed.add((link.source, link.target))
                link.set_cut(cut)
        if closed:
            for entry in self._take(lambda e: (e[3], e[2].id) in closed):
                if in_flight == "held":
                    self.held_by_cut[entry[5]] = (entry[0] - self.now_us, entry)
                    if self.recorder:
                        self.recorder.fate(entry[5], "held")
                elif self.recorder:
                    self.recorder.dropped(self.now_us, entry[2].id, entry[5], "cut", cause=self.current)
        for number in list(self.held_by_cut):
            left, entry = self.held_by_cut[number]
            if not self._is_cut(entry[3], entry[2].id):
                del self.held_by_cut[number]
                self._fly(entry, left)

    def _take(self, wanted: Callable[[tuple[Any, ...]], bool]) -> list[tuple[Any, ...]]:
        """Removes messages from the air, in the order in which they would have arrived."""
        taken = sorted((e for e in self.heap if e[3].__class__ is str and wanted(e)), key=lambda e: e[:2])
        if taken:
            gone = {e[1] for e in taken}
            self.heap[:] = [e for e in self.heap if e[1] not in gone]
            heapq.heapify(self.heap)
        return taken

    def _fly(self, entry: tuple[Any, ...], left: int) -> None:
        """Puts a message back into the air."""
        due = self.now_us + max(0, left)
        self._push(due, *entry[2:])
        if self.recorder:
            self.recorder.fate(entry[5], "in flight", due)

    def _do_partition(self, groups: list[list[str]], in_flight: str) -> None:
        self._note("partition", None, {"groups": groups, "in_flight": in_flight})
        self.groups = [list(group) for group in groups]
        self._rewire(in_flight)

    def _do_heal(self) -> None:
        self._note("heal", None)
        self.groups = []
        self.cuts.clear()
        self._rewire()

    def _do_cut(self, source: str, target: str) -> None:
        self._note("cut", None, {"source": source, "target": target})
        self.cuts[source, target] = True
        self._rewire()

    def _do_mend(self, source: str, target: str) -> None:
        self._note("mend", None, {"source": source, "target": target})
        self.cuts.pop((source, target), None)
        self._rewire()

    def _do_link(self, source: str, target: str, **properties: Any) -> None:
        self._note("link", None, {"source": source, "target": target, **properties})
        self.link(source, target).configure(**properties)

    # ---- single messages ------------------------------------------------------------------------------------------

    def _in_flight(self, verb: str, number: int) -> tuple[Any, ...] | None:
        """Takes a message out of the air, or notes that it is not there."""
        if number in self.held:
            return self.held.pop(number)[1]
        taken = self._take(lambda e: e[5] == number)
        if taken:
            return taken[0]
        self._ignored(verb, None, f"message {number} is not in flight")
        return None

    def _do_drop(self, message: int) -> None:
        if entry := self._in_flight("drop", message):
            if self.recorder:
                self.recorder.dropped(self.now_us, entry[2].id, message, "action")

    def _do_hold(self, message: int) -> None:
        if entry := self._in_flight("hold", message):
            self._note("hold", entry[2].id, {"message": message})
            self.held[message] = (entry[0] - self.now_us, entry)
            if self.recorder:
                self.recorder.fate(message, "held")

    def _do_release(self, message: int) -> None:
        if message not in self.held:
            return self._ignored("release", None, f"message {message} is not held")
        left, entry = self.held.pop(message)
        self._note("release", entry[2].id, {"message": message})
        self._fly(entry, left)

    def _do_delay(self, message: int, by: float) -> None:
        if entry := self._in_flight("delay", message):
            self._note("delay", entry[2].id, {"message": message, "by": by})
            self._fly(entry, entry[0] - self.now_us + to_us(by))

    def _do_deliver(self, message: int) -> None:
        if entry := self._in_flight("deliver", message):
            self._note("deliver_now", entry[2].id, {"message": message})
            self._fly(entry, 0)

    def _do_duplicate(self, message: int) -> None:
        if entry := self._in_flight("duplicate", message):
            self._note("duplicate", entry[2].id, {"message": message})
            heapq.heappush(self.heap, entry)
            number = self.next_message()
            if self.recorder:
                self.recorder.sent(entry[3], entry[2].id, entry[4], self.current, self.now_us, entry[0], copy_of=message)
            self._push(entry[0], entry[2], entry[3], entry[4], number)

    # ---- what went wrong ------------------------------------------------------------------------------------------

    def _check_sharing(self) -> None:
        shared = find_shared(self.nodes)
        if shared is None:
            return
        first, second, thing = shared
        raise DeterminismError(f"{first} and {second} are one and the same {type(thing).__name__}, so a change in one node "
                               f"shows in the other without a message; give each node its own, for example with "
                               f"{type(thing).__name__}(...)")

    def _where(self) -> str:
        if self.handling is None:
            return f"at {self.now_us / 1000:.3f} ms: "
        time, _, host, source, payload, _ = self.handling
        if source.__class__ is str:
            handler = type(host.node).message_handler(payload.__class__, host.id, source) \
                if payload.__class__ in host.handlers else None
            what = f"{host.id} in {handler} at {time / 1000:.3f} ms ({payload!r} from {source}): " if handler else ""
            return what
        if source is None:
            return f"{host.id} in on_{payload}_timeout at {time / 1000:.3f} ms: "
        return f"{host.id} in {'on_start' if host.incarnation < 2 else 'on_start after a restart'} at {time / 1000:.3f} ms: "

    def _explained(self, error: DslabError) -> DslabError:
        """The same error with the place in front, and what was recorded so far attached as `error.trace`."""
        explained = error if isinstance(error, ScheduleError) else type(error)(self._where() + str(error))
        explained.trace = self.recorder.trace(self.now_us) if self.recorder else None  # type: ignore[attr-defined]
        return explained

    def _what_goes_round(self) -> str:
        waiting: Counter[str] = Counter()
        for _, _, host, source, payload, _ in self.heap:
            if source.__class__ is str:
                waiting[f"{payload.__class__.__name__} {source} -> {host.id}"] += 1
            elif source is None and host.timers:
                waiting[f"timer {payload!r} of {host.id}"] += 1
        if self.handling is not None:
            _, _, host, source, payload, _ = self.handling
            waiting[f"{payload.__class__.__name__} {source} -> {host.id}" if source.__class__ is str
                    else f"timer {payload!r} of {host.id}"] += 1
        top = ", ".join(f"{what} ({number:,} waiting)" for what, number in waiting.most_common(3))
        return (f"the run was stopped after {self.budget:,} events; going round: {top}; "
                f"look for an answer that is itself answered, or a timer that is set to 0 ms")


def _describe(error: Exception) -> str:
    """An exception of a node's code: its type, its text and the student's own line."""
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/dslab/sim/" not in f.filename.replace("\\", "/")]
    if not frames:
        return text
    line = f" `{frames[-1].line}`" if frames[-1].line else ""
    return f"{text} (line {frames[-1].lineno}:{line} in {frames[-1].name})"


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
        NodeError, DeterminismError: a node's code is at fault. ScheduleError: an input is. BudgetError: no end in sight.
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
        raise DeterminismError(f"two runs with seed {seed} differ: {difference}; look for state that outlives a run, such as "
                               f"a class attribute or a global")
    return first

