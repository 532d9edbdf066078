"""Collects a trace while a simulation runs."""

from __future__ import annotations

from typing import Any

from .errors import MessageError
from .message import IMMUTABLE_AS_IS, Message
from .node import RUNTIME_ATTRIBUTES
from .snapshot import keep, list_change
from .trace import Trace

OUTSIDE_STATE = frozenset({"invoke", "complete"})     # events inside another event; its state patch is not theirs
MISSING = object()


class Recorder:
    """Collects a trace while a simulation runs; keeps copies, converts nothing until somebody asks."""

    def __init__(self, system: Any, seed: int, schedule: list[dict[str, Any]]) -> None:
        self.system, self.seed, self.schedule = system, seed, schedule
        self.events: list[tuple[Any, ...]] = []          # (time, kind, node, cause, message, detail)
        self.patches: dict[int, list[list[Any]]] = {}
        self.messages: list[list[Any]] = []
        self.shown: dict[str, dict[str, Any]] = {node: {} for node in system.nodes}
        self.fields = {node: cls.shows for node, cls in system.classes.items()}
        self.hidden: set[tuple[str, str]] = set()        # attributes that are not plain data, where all are shown
        self.timers: dict[str, Any] = {}
        self.open = 0                                    # the event to which state changes belong

    def event(self, time: int, kind: str, node: str | None, cause: int | None, detail: Any = None) -> int:
        number = len(self.events)
        self.events.append((time, kind, node, cause, None, detail))
        if kind not in OUTSIDE_STATE:
            self.open = number
        return number

    def dropped(self, time: int, node: str, number: int, reason: str, cause: int | None = None) -> None:
        record = self.messages[number]
        record[6], record[7], record[8] = len(self.events), time, "dropped"
        self.events.append((time, "drop", node, record[3] if cause is None else cause, number, reason))

    def fired(self, time: int, node: str, name: str, cause: int | None) -> int:
        self.open = event = len(self.events)
        self.events.append((time, "timer", node, cause, None, name))
        self.timers["@" + name] = None
        return event

    def sent(self, source: str, target: str, m: Message, event: int | None, now: int, due: int,
             copy_of: int | None = None, truth: dict[str, Any] | None = None) -> None:
        record = [source, target, m, event, now, due, None, None, "in flight", copy_of]
        self.messages.append(record if truth is None else [*record, truth])

    def fate(self, number: int, fate: str, due: int | None = None) -> None:
        record = self.messages[number]
        record[8] = fate
        if due is not None:
            record[5] = due

    def flush_timers(self, node: str) -> None:
        if self.timers:
            self.patches.setdefault(self.open, []).extend([name, value] for name, value in self.timers.items())
            self.timers.clear()

    def forget(self, node: str) -> None:
        """Before a restart: everything that the node shows will be new."""
        self.shown[node].clear()

    def state(self, host: Any) -> None:
        """Notes what the last event changed in a node."""
        attributes, shown, patch = host.node.__dict__, self.shown[host.id], None
        fields = self.fields[host.id]
        if fields is None:
            fields = self._public(host, attributes)
        for field in fields:
            try:
                new, old = attributes[field], shown[field]
            except KeyError:
                new, old = getattr(host.node, field), shown.get(field, MISSING)
            if new is old:
                continue
            kind = new.__class__
            if kind is old.__class__ and new == old:
                continue
            if patch is None:
                patch = self.patches.setdefault(self.open, [])
            if kind in IMMUTABLE_AS_IS:                  # most changes: no call to keep
                shown[field] = new
                patch.append([field, new])
                continue
            try:
                kept = shown[field] = keep(new, old)
            except MessageError as error:
                raise MessageError(f"`shows` names {field!r}, but {error}") from None
            if old.__class__ is list and kept.__class__ is list:
                patch.append([field, *list_change(kept, old)])
            else:
                patch.append([field, kept])
        if self.timers:
            self.flush_timers(host.id)

    def _public(self, host: Any, attributes: dict[str, Any]) -> list[str]:
        fields = []
        for field, value in attributes.items():
            if field[0] == "_" or field in RUNTIME_ATTRIBUTES or (host.id, field) in self.hidden:
                continue
            if value.__class__ in IMMUTABLE_AS_IS:
                fields.append(field)
                continue
            try:
                keep(value)
            except MessageError:
                self.hidden.add((host.id, field))
                continue
            fields.append(field)
        return fields

    def trace(self, until_us: int) -> Trace:
        return Trace(system=self.system.name, seed=self.seed, schedule=self.schedule, until_us=until_us,
                     servers=list(self.system.servers), clients=list(self.system.clients),
                     events=self.events, patches=self.patches, messages=self.messages)
