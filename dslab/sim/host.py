"""Where one node runs: its status, timers, links, disk and clock. Nodes reach the simulator only through this."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import TYPE_CHECKING, Any

from .errors import NodeError
from .message import Message
from .network import Link, random_word, stream
from .snapshot import keep
from .system import A_DAY
from .treason import Treason

if TYPE_CHECKING:
    from .simulation import Simulation

UP, PAUSED, CRASHED, ABSENT = "up", "paused", "crashed", "absent"


class Host:
    """Where one node runs: its status, timers, links, disk and clock. Nodes reach the simulator only through this."""

    __slots__ = ("backlog", "clock_from", "clock_rate", "clock_start", "disk", "disk_dice", "disk_free", "handlers",
                 "id", "incarnation", "latest", "links", "mixed_word", "node", "outbox", "sim", "status",
                 "timer_names", "timer_plans", "timers", "treason", "word", "write")

    def __init__(self, sim: Simulation, node_id: str) -> None:
        self.sim, self.id = sim, node_id
        self.word = random_word(sim.seed, "net", node_id)
        self.mixed_word = self.word * 0x9E3779B1             # as target; differs from the word as source
        self.status = ABSENT if node_id in sim.system.absent else CRASHED
        self.incarnation = 0
        self.outbox: list[tuple[Link, Message]] = []
        self.timers: dict[str, int] = {}                     # name -> sequence number of the entry that will fire
        self.timer_names: dict[str, Callable[[], None]] = {}
        self.timer_plans: dict[str, tuple[Any, ...]] = {}      # name -> (between, lowest, highest, random())
        self.disk_dice: Callable[[], float] | None = None    # made at the first write: most classes write nothing
        self.links: dict[str, Link] = {}
        self.treason: dict[str, Treason] = {}                # receiver -> what it does to messages to it; mostly empty
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
        node.random = stream(self.sim.seed, "node", self.id, self.incarnation)
        for name, value in system.options.items():
            if self.id not in system.clients or hasattr(node, name):
                setattr(node, name, value)
        node.__init__()  # type: ignore[misc]
        for name, value in self.disk.items():
            setattr(node, name, keep(value))
        self.latest = self.disk
        self.disk_free, self.write = 0, None
        self.handlers, self.timer_names = {}, {}
        self.status = UP

    def stop(self, status: str = CRASHED) -> None:
        """Power off: timers, unsent messages and unfinished writes are gone."""
        self.status = status
        if self.sim.recorder:
            for name in self.timers:
                self.sim.recorder.timers["@" + name] = None
        self.timers.clear()
        self.outbox.clear()
        self.backlog.clear()
        self.write = None
        self.incarnation += 1

    def set_timer(self, name: str, after: float | None, between: tuple[float, float] | None) -> None:
        sim = self.sim
        if name not in self.timer_names:
            self.timer_names[name] = getattr(self.node, type(self.node).timer_handler(name))
        if between is None or after is not None:
            if after.__class__ is int and between is None and 0 <= after < 10**12:
                low = high = after_us = after * 1000
            else:
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
        if sim.by_hand:
            after_us = low = high = A_DAY * 1000
        self.timers[name] = sequence = sim.next_sequence()
        now = sim.now_us
        heappush(sim.heap, (now + after_us, sequence, self, None, name, sim.current))
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
