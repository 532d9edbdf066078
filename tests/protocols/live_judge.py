"""Judges a run while it goes on, on the nodes themselves and without a trace, which takes half the time or less.

Good for properties that keep no part of a node's state in their notes, because nodes go on changing it. Whatever it
finds is to be run again with a trace, which says what is wrong and where.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from dslab.sim import Simulation, System, World
from dslab.sim.case import Case

AFTER_US = 200_000        # the run ends so long after the last request, once nobody waits


class LiveRun(Simulation):
    """A run that numbers what clients ask and are told, and counts who waits.

    Attributes:
        broken: the name of the property that was violated first, or "".
        open: how many operations are not answered.
    """

    def __init__(self, system: System, case: Case) -> None:
        super().__init__(system, case.seed, case.schedule, record=False)
        self.broken, self.open, self.order = "", 0, count()
        self.last_us = 1_000 * max((act["at"] for act in self.schedule if act["do"] == "request"), default=0)
        self.notes: dict[Callable[..., Any], dict[Any, Any]] = {prop: {} for prop in system.always}
        self.seen: dict[str, str] = {}           # node -> what it showed when it was judged last
        self.world = World(list(system.servers), list(system.clients))
        self.run(case.until, self.look)

    def invoked(self, client: str, number: int, command: Any, to: str) -> None:
        super().invoked(client, number, command, to)
        self.history[-1].update(invoked=next(self.order), completed=None)
        self.open += 1

    def completed(self, client: str, number: int, result: Any) -> None:
        super().completed(client, number, result)
        operation = next(o for o in reversed(self.history) if o["client"] == client and o["number"] == number)
        operation["completed"] = next(self.order)
        self.open -= 1

    def _act(self, _: None, act: dict[str, Any], __: None) -> None:
        super()._act(_, act, __)
        node = act.get("client", "c1") if act["do"] == "request" else act.get("node")
        if node is not None and self.hosts[node].incarnation:
            self.judge(self.hosts[node])

    def __len__(self) -> int:
        return self.events_done

    def look(self, _: Simulation) -> bool:
        """Whether a property is violated now, or all is done."""
        if self.handling is not None:
            self.judge(self.handling[2])
        return bool(self.broken) or self.now_us > self.last_us + AFTER_US and not self.open

    def judge(self, host: Any) -> None:
        """Asks all properties after a change of one node."""
        world, node = self.world, host.node
        node.status = host.status
        if world.nodes[host.id] is not node:
            world.nodes[host.id] = node
            world.servers = [world.nodes[name] for name in self.system.servers]
            world.clients = [world.nodes[name] for name in self.system.clients]
        shown = repr([node.status, *(getattr(node, field, None) for field in node.shows)])
        if self.seen.get(host.id) == shown:
            return
        self.seen[host.id] = shown
        world.changed, world.time_us, world.event = node, self.now_us, self.events_done
        for prop, memory in self.notes.items():
            world.memory = memory
            if not self.broken and _says(prop, world):
                self.broken = prop.__name__


def _says(prop: Callable[..., Any], world: World) -> bool:
    try:
        return prop(world) not in (None, True)
    except AttributeError:
        if any(type(node).__name__ == "NodeState" for node in world.servers):
            return False                     # a server has yet to start
        raise


def holds(system: System, case: Case, *also: Callable[[Any], bool], answers: bool = True) -> LiveRun:
    """The run; its `broken` also tells whether everybody was answered, and what functions of the history say."""
    run = LiveRun(system, case)
    if not run.broken and answers and run.open:
        run.broken = "requests_are_answered"
    for judge in also:
        if not run.broken and not judge(run.history):
            run.broken = judge.__name__
    return run
