"""Messages on their way: sent, lost, doubled, cut off, held, and put back into the air."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from .errors import NodeError
from .host import PAUSED, Host
from .message import Message
from .network import Link
from .recorder import Recorder
from .system import System
from .treason import forged

Entry = tuple[Any, ...]     # (time, sequence, host, source, payload, reference); see dslab.sim.simulation


class Traffic:
    """The part of a simulation that knows about links and messages in flight."""

    system: System
    recorder: Recorder | None
    hosts: dict[str, Host]
    heap: list[Entry]
    now_us: int
    current: int | None
    next_sequence: Callable[[], int]
    next_message: Callable[[], int]
    groups: list[list[str]]
    cuts: dict[tuple[str, str], bool]
    held: dict[int, tuple[int, Entry]]
    held_by_cut: dict[int, tuple[int, Entry]]

    def _push(self, time: int, host: Host, source: Any, payload: Any, reference: Any = None) -> None:
        heapq.heappush(self.heap, (time, self.next_sequence(), host, source, payload, reference))

    def _transmit_all(self, messages: list[tuple[Link, Message]]) -> None:
        event = self.current
        for link, m in messages:
            self._transmit(link, m, event)
        messages.clear()

    def _transmit(self, link: Link, m: Message, event: int | None) -> None:
        """Puts one message on its way: it may be lost, doubled, kept in order, or meet a cut."""
        now, recorder, network = self.now_us, self.recorder, link.network
        if link.plain:
            due = now + link.draw_us()
            heapq.heappush(self.heap, (due, self.next_sequence(), link.host, link.sender.id, m, self.next_message()))
            if recorder:
                recorder.sent(link.sender.id, link.host.id, m, event, now, due)
            return
        later, truth = 0, None
        if treason := link.sender.treason.get(link.target):
            if treason.behaviour == "silent":
                return
            m, truth = forged(m, treason.fields, link.source)
            later = treason.by_us
        lost = network.loss > 0 and link.dice().random() < network.loss
        twice = network.duplicate > 0 and link.dice().random() < network.duplicate
        for copy in range(1 + twice):
            due = now + later + link.draw_us()
            if network.fifo:
                due = link.last_due = max(due, link.last_due)
            number = self.next_message()
            if recorder:
                recorder.sent(link.source, link.target, m, event, now, due, number - 1 if copy else None, truth)
            if lost or link.cut:
                reason = "cut" if link.cut else "loss"
                self._push((now + due) // 2, link.host, self._lost, (number, reason), event)
            else:
                heapq.heappush(self.heap, (due, self.next_sequence(), link.host, link.sender.id, m, number))

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
            link = host.links[target] = Link(host, self.hosts[target], self.system.network)
            if self.groups or self.cuts:
                link.set_cut(self._is_cut(source, target))
        return link

    def _lost(self, host: Host, payload: tuple[int, str], cause: int | None) -> None:
        if self.recorder:
            self.recorder.dropped(self.now_us, host.id, payload[0], payload[1])

    def _arrives_in_vain(self, entry: Entry) -> None:
        time, _, host, _, _, number = entry
        self.now_us = time
        if host.status is PAUSED:
            host.backlog.append(entry)
        elif self.recorder:
            self.recorder.dropped(time, host.id, number, host.status)

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

    def _take(self, wanted: Callable[[Entry], bool]) -> list[Entry]:
        """Removes messages from the air, in the order in which they would have arrived."""
        taken = sorted((e for e in self.heap if e[3].__class__ is str and wanted(e)), key=lambda e: e[:2])
        if taken:
            gone = {e[1] for e in taken}
            self.heap[:] = [e for e in self.heap if e[1] not in gone]
            heapq.heapify(self.heap)
        return taken

    def _fly(self, entry: Entry, left: int) -> None:
        """Puts a message back into the air."""
        due = self.now_us + max(0, left)
        self._push(due, *entry[2:])
        if self.recorder:
            self.recorder.fate(entry[5], "in flight", due)
