"""The verbs of a schedule: what each does to a node, a link or a message.

An action that cannot have an effect, such as the crash of a node that is down, is recorded with the reason and
changes nothing, so that a schedule stays usable when something before it changes.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from .client import Client
from .dice import LoadedDice
from .host import ABSENT, CRASHED, PAUSED, UP, Host
from .node import Node
from .schedule import VERBS, Action, to_us
from .snapshot import keep
from .traffic import Entry, Traffic
from .treason import Treason


class Actions(Traffic):
    """The part of a simulation that carries out actions."""

    handling: Entry | None

    _servers: tuple[str, ...]

    def _boot(self, host: Host, begin: Callable[[Node], None] = lambda node: node.on_start()) -> None:
        raise NotImplementedError

    def _settle(self, host: Host) -> bool:
        raise NotImplementedError

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

    # ---- nodes

    def _do_crash(self, node: str) -> None:
        host = self.hosts[node]
        if host.status in (CRASHED, ABSENT):
            return self._ignored("crash", node, f"{node} is {'already down' if host.status is CRASHED else 'absent'}")
        self._note("crash", node)
        host.stop()
        if self.recorder:
            self.recorder.flush_timers(node)

    def _do_restart(self, node: str, disk: bool) -> None:
        host = self.hosts[node]
        if host.status is not CRASHED:
            return self._ignored("restart", node, f"{node} is {'absent' if host.status is ABSENT else 'running'}")
        self.handling = (self.now_us, 0, host, self._do_restart, None, None)
        self._note("restart", node, {"disk": disk})
        if not disk:
            host.wipe_disk()
        self._boot(host)
        self._after_action(host)

    def _do_join(self, node: str, to: str | None) -> None:
        host = self.hosts[node]
        if host.status is not ABSENT:
            return self._ignored("join", node, f"{node} has joined and is {host.status}")
        running = (name for name in self._servers if self.hosts[name].status is UP)
        contact = to or next(running, None)
        self._note("join", node, {"to": contact})
        self.handling = (self.now_us, 0, host, self._do_join, None, None)
        host.wipe_disk()
        self._boot(host, lambda node: node.on_join(contact))
        self._after_action(host)

    def _do_leave(self, node: str) -> None:
        host = self.hosts[node]
        if host.status is not UP:
            return self._ignored("leave", node, f"{node} is {host.status}")
        self._note("leave", node)
        self.handling = (self.now_us, 0, host, self._do_leave, None, None)
        host.node.on_leave()
        self._transmit_all(host.outbox)   # at once: its disk leaves with it
        if self.recorder:
            self.recorder.state(host)
        host.stop(ABSENT)
        if self.recorder:
            self.recorder.flush_timers(node)

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
        if host.status in (CRASHED, ABSENT):
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
            return self._ignored("timeout", node, f"{node} has no timer {timer or ''} running".replace("  ", " "))
        self._note("timeout", node, {"timer": name})
        if self.recorder:
            self.current = self.recorder.fired(self.now_us, host.id, name, self.current)
        self.handling = (self.now_us, 0, host, None, name, None)
        del host.timers[name]
        host.timer_names[name]()
        self._after_action(host)

    def _do_load_dice(self, node: str, outcomes: list[int]) -> None:
        host = self.hosts[node]
        if host.status in (CRASHED, ABSENT):
            return self._ignored("load_dice", node, f"{node} is {host.status}")
        self._note("load_dice", node, {"outcomes": outcomes})
        host.node.random = LoadedDice(outcomes, host.node.random)  # type: ignore[assignment]

    def _do_turn_traitor(self, node: str, behaviour: str, fields: dict[str, Any] | None, to: list[str] | None,
                         by: float | None) -> None:
        given = {"fields": fields, "to": to, "by": by}
        detail = {name: value for name, value in given.items() if value is not None}
        self._note("turn_traitor", node, {"behaviour": behaviour, **detail})
        treason = Treason(behaviour, fields or {}, to_us(by or 0))
        host = self.hosts[node]
        host.treason.update({other: treason for other in to or self.hosts if other != node})
        self._rewire()

    def _do_turn_loyal(self, node: str) -> None:
        host = self.hosts[node]
        if not host.treason:
            return self._ignored("turn_loyal", node, f"{node} is loyal")
        self._note("turn_loyal", node)
        host.treason.clear()
        self._rewire()

    def _do_request(self, command: Any, to: str | None, client: str) -> None:
        host = self.hosts[client]
        if host.status is not UP:
            return self._ignored("request", client, f"{client} is {host.status}")
        self._note("request", client, {"command": command, "to": to})
        self.handling = (self.now_us, 0, host, self._do_request, None, None)
        assert isinstance(host.node, Client)
        host.node.invoke(command, to)
        self._after_action(host)

    # ---- links

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

    # ---- single messages

    def _in_flight(self, verb: str, number: int) -> Entry | None:
        """Takes a message out of the air, or notes that it is not there."""
        if number in self.held:
            return self.held.pop(number)[1]
        taken = self._take(lambda e: e[5] == number)
        if taken:
            return taken[0]
        self._ignored(verb, None, f"message {number} is not in flight")
        return None

    def _do_drop(self, message: int) -> None:
        if (entry := self._in_flight("drop", message)) and self.recorder:
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
        if entry := self._in_flight("deliver_now", message):
            self._note("deliver_now", entry[2].id, {"message": message})
            self._fly(entry, 0)

    def _do_duplicate(self, message: int) -> None:
        if entry := self._in_flight("duplicate", message):
            self._note("duplicate", entry[2].id, {"message": message})
            heapq.heappush(self.heap, entry)
            number = self.next_message()
            if self.recorder:
                source, target = entry[3], entry[2].id
                truth = next(iter(self.recorder.messages[message][10:]), None)
                self.recorder.sent(source, target, entry[4], self.current, self.now_us, entry[0], message, truth)
            self._push(entry[0], entry[2], entry[3], entry[4], number)
