"""The records of many processes as one trace, in an order in which every message is received after it was sent.

Each process records in its own order and with its own clock. The entries are taken by their time, except that one that
needs a message waits until the message has been sent; its time is then moved up to that of the sending. So the trace is
right about causes even where the clocks are not.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from typing import Any

from dslab.sim import System, Trace, TraceError
from dslab.sim.recorder import Recorder

from .codec import Codec

Key = tuple[str, int]     # a message: its sender and its number


class Records:
    """What the processes of one run have said so far.

    Attributes:
        nodes: {node: its entries}: records of its process and what was done to it, in order.
        net: what was done to the network and to messages on it.
        schedule: what was done to the run, as actions.
    """

    def __init__(self, system: System, seed: int) -> None:
        self.system, self.seed = system, seed
        self.nodes: dict[str, list[dict[str, Any]]] = {node: [] for node in system.nodes}
        self.net: list[dict[str, Any]] = []
        self.schedule: list[dict[str, Any]] = []

    def add(self, heard: dict[str, Any]) -> None:
        """Takes what the supervisor has passed on."""
        if heard.get("action"):
            self.schedule.append(heard["action"] | {"at": heard["at"] / 1000})
        if "events" in heard.get("says", ()):
            self.nodes[heard["node"]].append(heard["says"])
        elif "fault" in heard:
            node = heard["fault"][2]
            (self.nodes[node] if node else self.net).append(heard)
        elif "net" in heard:
            self.net.append(heard)

    def caught_up(self) -> bool:
        """Whether the sending of all that was received has been heard of: records of two processes come by two ways."""
        said = [says for entries in self.nodes.values() for says in entries if "events" in says]
        sent = {(node, number) for node, entries in self.nodes.items() for says in entries
                for _, number, _ in says.get("sends", ())}
        return all(tuple(event[3]) in sent for says in said for event in says["events"] if event[3])

    def trace(self, until_us: int, *, whole: bool) -> Trace:
        """The trace so far.

        Args:
            until_us: the time of the run.
            whole: True once all processes have ended; before that, what needs a message that has not been heard of is
                left out, and so is all that follows it at its node.

        Raises:
            TraceError: `whole`, and still the record of a sending is missing.
        """
        return Merge(self, until_us).trace(whole)


class Item:
    """One event on its way into the trace."""

    __slots__ = ("data", "kind", "needs", "node", "time")

    def __init__(self, time: int, kind: str, node: str | None, data: Any, needs: Key | None = None) -> None:
        self.time, self.kind, self.node, self.data, self.needs = time, kind, node, data, needs


class Merge:
    """Puts the items of all streams into one order."""

    def __init__(self, records: Records, until_us: int) -> None:
        self.records, self.until_us = records, until_us
        self.codec = Codec()
        self.schedule = sorted(records.schedule, key=lambda action: action["at"])
        self.recorder = Recorder(records.system, records.seed, self.schedule)
        self.sent: dict[Key, int] = {}                               # -> number of the message in the trace
        self.events: dict[tuple[str, int, int], int] = {}            # node, life, number there -> number in the trace
        self.faults: dict[int, int] = {}                             # number of a fault -> number in the trace
        self.running: dict[str, dict[str, None]] = defaultdict(dict)     # node -> its timers
        self.now = 0

    def trace(self, whole: bool) -> Trace:
        """See Records.trace."""
        streams = [self._node_items(node, entries) for node, entries in self.records.nodes.items()]
        streams += [self._fault_items(), self._net_items()]
        streams.append(self._lost(streams))
        heads = [(stream[0].time, number) for number, stream in enumerate(streams) if stream]
        heapq.heapify(heads)
        done = [0] * len(streams)
        waiting: dict[Key, list[int]] = defaultdict(list)
        while heads:
            _, number = heapq.heappop(heads)
            item = streams[number][done[number]]
            if item.needs is not None and item.needs not in self.sent:
                waiting[item.needs].append(number)
                continue
            done[number] += 1
            self.now = max(self.now, item.time)
            for key in self._put(item):
                for woken in waiting.pop(key, ()):
                    heapq.heappush(heads, (max(self.now, streams[woken][done[woken]].time), woken))
            if done[number] < len(streams[number]):
                heapq.heappush(heads, (streams[number][done[number]].time, number))
        if whole and waiting:
            sender, message = next(iter(waiting))
            raise TraceError(f"the record of {sender} is damaged: others received its message {message}, which it "
                             f"does not mention")
        return self.recorder.trace(max(self.now, self.until_us))

    # ---- streams

    def _node_items(self, node: str, entries: list[dict[str, Any]]) -> list[Item]:
        items: list[Item] = []
        for entry in entries:
            if "fault" in entry:
                kind, time, *_ = entry["fault"]
                if kind == "crash" and items:                    # it is dead: what it has said was before
                    time = max(time, items[-1].time)
                items.append(Item(time, kind, node, entry["fault"]))
            else:
                items += self._record_items(node, entry)
        return sorted(items, key=lambda item: item.time)         # stable: moves pauses alone, whose entries may be late

    def _record_items(self, node: str, entry: dict[str, Any]) -> list[Item]:
        patches = dict(entry["patches"])
        first, life = entry["first"], entry["life"]
        items = []
        for number, event in enumerate(entry["events"], start=first):
            needs = (event[3][0], event[3][1]) if event[3] else None
            items.append(Item(event[0], event[1], node, (life, number, event, patches.get(number, []), []), needs))
        if entry["sends"]:
            if not items:                                        # more messages of an event that is told already
                items.append(Item(entry["at"], "", node, (life, entry["by"], None, [], [])))
            by = next((i for i in items if i.data[1] == entry["by"]), items[-1])
            by.data[4].extend(entry["sends"])
        return items

    def _fault_items(self) -> list[Item]:
        return [Item(e["fault"][1], e["fault"][0], None, e["fault"]) for e in self.records.net if "fault" in e]

    def _net_items(self) -> list[Item]:
        items = []
        for entry in self.records.net:
            if "net" in entry:
                kind, time, source, number, target, *rest = entry["net"]
                items.append(Item(time, "-" + kind, target, rest, (source, number)))
        return items

    def _lost(self, streams: list[list[Item]]) -> list[Item]:
        """What nobody has seen again: it was in a buffer of the system when its receiver or sender was killed or its
        link was cut."""
        over = {item.needs for stream in streams for item in stream if item.needs and item.kind != "-held"}
        faults = sorted((item for stream in streams for item in stream if item.kind in ("crash", "cut", "partition")),
                        key=lambda item: item.time)
        items = []
        for stream in streams:
            died: Item | None = None                             # right after an item, perhaps before its messages left
            for item in reversed(stream):
                if not isinstance(item.data, tuple):
                    died = item if item.kind == "crash" and "ignored" not in (item.data[3] or ()) else died
                    continue
                for target, number, _ in item.data[4]:
                    key = (str(item.node), number)
                    if key not in over:
                        reasons = ((f, _reason(f, key[0], target)) for f in faults if f.time >= item.time)
                        fault, reason = next((found for found in reasons if found[1]), (died, died and "crashed"))
                        if fault is not None:
                            items.append(Item(fault.time, "-drop", target, [reason, None], key))
                died = None
        return sorted(items, key=lambda item: item.time)

    # ---- the trace

    def _put(self, item: Item) -> list[Key]:
        """Adds an item to the trace; returns the messages that it sends."""
        recorder = self.recorder
        if item.kind == "-drop":
            assert item.needs is not None and item.node is not None
            reason, fault = item.data
            recorder.dropped(self.now, item.node, self.sent[item.needs], reason,
                             self.faults.get(fault) if fault is not None else None)
            return []
        if item.kind == "-held":
            assert item.needs is not None
            recorder.fate(self.sent[item.needs], "held")
            return []
        if isinstance(item.data, list):
            _, _, node, detail, number = item.data
            self.faults[number] = event = recorder.event(self.now, item.kind, node, None, detail)
            if item.kind == "crash" and not (detail and "ignored" in detail):
                stopped = [[name, None] for name in self.running.pop(node, ())]
                if stopped:
                    recorder.patches[event] = stopped
            return []
        return self._put_record(item)

    def _put_record(self, item: Item) -> list[Key]:
        recorder, node = self.recorder, item.node
        assert node is not None
        life, number, event, patch, sends = item.data
        if event is not None:
            _, kind, cause, message, detail = event
            place: int | None = None
            caused = None if cause is None else self.events[node, life, cause]
            if message is not None:
                place = self.sent[item.needs]  # type: ignore[index]
                record = recorder.messages[place]
                caused = record[3]
                record[5], record[6], record[7], record[8] = self.now, len(recorder.events), self.now, "delivered"
            self.events[node, life, number] = len(recorder.events)
            if patch:
                recorder.patches[len(recorder.events)] = [self._change(node, change) for change in patch]
            recorder.events.append((self.now, kind, node, caused, place, self.codec.decode(detail)))
        keys = []
        for target, letter, body in sends:
            self.sent[node, letter] = len(recorder.messages)
            recorder.sent(node, target, self.codec.decode(body), self.events[node, life, number], self.now,
                          max(self.now, self.until_us))
            keys.append((node, letter))
        return keys

    def _change(self, node: str, data: Any) -> list[Any]:
        change: list[Any] = self.codec.decode(data)
        if change[0][0] == "@":
            if change[1] is None:
                self.running[node].pop(change[0], None)
            else:
                self.running[node][change[0]] = None
        return change


def _reason(fault: Item, source: str, target: str) -> str | None:
    """Why a fault would have lost a message on its way, or None if it would not."""
    detail = fault.data[3] or {}
    if "ignored" in detail:
        return None
    if fault.kind == "crash":
        return "crashed" if fault.node == target else None
    if fault.kind == "cut":
        return "cut" if (detail["source"], detail["target"]) == (source, target) else None
    side = {node: number for number, group in enumerate(detail["groups"]) for node in group}
    return "cut" if side.get(source) != side.get(target) and detail["in_flight"] == "lost" else None
