"""Traces: what happened in a run, as data.

A trace is a list of events in order, each with the id of the event that caused it, and a list of messages. State is
kept as patches: what an event changed in its node. Everything a view, a property or a grader needs is in here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

from .errors import TraceError
from .message import Message, plain
from .properties import World, enter

SCHEMA = 1


class Event(NamedTuple):
    """One event.

    Attributes:
        id: its position in the trace.
        time_us: when, microseconds.
        kind: "start", "absent" (instead of "start": joins later or never), "deliver", "timer", "write", "drop",
            "invoke", "complete" or a verb of a schedule.
        node: where, or None.
        cause: id of the event that caused it, or None for what the schedule or the start caused.
        message: id of the message delivered or dropped, or None.
        detail: more about it: a timer's name, a reason, an action's arguments.
        patch: changes of the node's state: [field, value], or [field, start, removed, [items]] for a list; a field
            "@name" is a timer: [set, due, lowest, highest] in microseconds, or None once it stands still.
    """

    id: int
    time_us: int
    kind: str
    node: str | None
    cause: int | None
    message: int | None
    detail: Any
    patch: list[list[Any]]


class MessageRecord(NamedTuple):
    """One message; `fate` is "delivered", "dropped", "in flight" or "held", `end_event` what decided it.

    `forged` is None unless a traitor changed the message: then {field: the truth}.
    """

    id: int
    source: str
    target: str
    type: str
    fields: dict[str, Any]
    sent_event: int | None
    sent_us: int
    due_us: int
    end_event: int | None
    end_us: int | None
    fate: str
    copy_of: int | None
    forged: dict[str, Any] | None = None


class _View(Sequence[Any]):
    """A sequence whose items are made when asked for."""

    def __init__(self, size: int, make: Any) -> None:
        self._size, self._make = size, make

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self._make(i) for i in range(*index.indices(self._size))]
        position = index + self._size if index < 0 else index
        if not 0 <= position < self._size:
            raise IndexError(f"there are {self._size} items, not {index}")
        return self._make(position)

    def __iter__(self) -> Iterator[Any]:
        return map(self._make, range(self._size))


class Trace:
    """A finished run.

    Attributes:
        system, seed, schedule, until_us: what was run.
        servers, clients: node ids in order.
        events: sequence of Event. messages: sequence of MessageRecord.
    """

    def __init__(self, *, system: str, seed: int, schedule: list[dict[str, Any]], until_us: int, servers: list[str],
                 clients: list[str], events: list[Any], patches: dict[int, list[list[Any]]],
                 messages: list[Any]) -> None:
        self.system, self.seed, self.schedule, self.until_us = system, seed, schedule, until_us
        self.servers, self.clients = servers, clients
        self._events, self._patches, self._messages = events, patches, messages
        self._lines: list[str] | None = None

    @property
    def events(self) -> Sequence[Event]:
        return _View(len(self._events), self._event)

    @property
    def messages(self) -> Sequence[MessageRecord]:
        return _View(len(self._messages), self._message)

    def _event(self, i: int) -> Event:
        time, kind, node, cause, message, detail = self._events[i]
        return Event(i, time, kind, node, cause, message, plain(detail), plain(self._patches.get(i, [])))

    def _message(self, i: int) -> MessageRecord:
        source, target, m, *rest = self._messages[i]
        if isinstance(m, Message):
            kind, fields = type(m).__name__, {f: plain(v) for f, v in zip(m.fields, m)}
        else:
            kind, fields = m
        return MessageRecord(i, source, target, kind, fields, *rest)

    @property
    def history(self) -> list[dict[str, Any]]:
        """Client operations: client, number, command, invoked_us, completed_us (None: never answered), result.

        `invoked` and `completed` are the ids of the events, which tell what came first at one and the same time.
        """
        operations: list[dict[str, Any]] = []
        for i, (time, kind, node, _, _, detail) in enumerate(self._events):
            if kind in RECORDED:
                enter(operations, _record(kind, node, plain(detail)), i, time)
        return operations

    def states(self) -> Iterator[World]:
        """One World per event, the same object brought up to date each time; values are those the nodes held."""
        world = World(self.servers, self.clients)
        yield from self.replay(world)

    def replay(self, world: World, start: int = 0) -> Iterator[World]:
        """Applies the events from `start` on to a world and yields it after each."""
        for i in range(start, len(self._events)):
            raw = self._events[i]
            kind, node = raw[1], raw[2]
            patch = self._patches.get(i, ())
            world.changed, world.recorded = None, ()
            if node is not None:
                self._apply(world.nodes[node], kind, patch, raw[5])
                if patch or kind in STATUS_AFTER or kind == "turn_traitor":
                    world.changed = world.nodes[node]
                if kind in RECORDED:
                    world.changed, record = world.nodes[node], _record(kind, node, plain(raw[5]))
                    world.recorded = (record,)
                    enter(world.history, record, i, raw[0])
            world.event, world.time_us = i, raw[0]
            yield world

    @staticmethod
    def _apply(node: Any, kind: str, patch: Any, detail: Any) -> None:
        if kind in STATUS_AFTER and not (detail.__class__ is dict and "ignored" in detail):
            node.status = STATUS_AFTER[kind]
        elif kind == "turn_traitor":
            node.traitor = True
        for change in patch:
            field = change[0]
            if field[0] == "@":
                continue
            if len(change) == 2:
                setattr(node, field, change[1])
            else:
                _, start, removed, items = change
                old = getattr(node, field)
                setattr(node, field, old[:start] + list(items) + old[start + removed:])

    def state_at(self, event: int) -> dict[str, dict[str, Any]]:
        """The state of all nodes after an event, as plain data: {node: {field: value}} with "status" among the fields.

        Raises:
            IndexError: there is no such event.
        """
        if not 0 <= event < len(self._events):
            raise IndexError(f"there are {len(self._events)} events, not {event}")
        world = World(self.servers, self.clients)
        for i, _ in enumerate(self.replay(world)):
            if i == event:
                break
        return {name: {field: plain(value) for field, value in vars(node).items() if field != "id"}
                for name, node in world.nodes.items()}

    # ---- bytes ----------------------------------------------------------------------------------------------------

    def _canonical(self) -> list[str]:
        """The trace as lines of JSON: a header, the events, the messages."""
        if self._lines is None:
            header = {"schema": SCHEMA, "system": self.system, "seed": self.seed, "schedule": self.schedule,
                      "until_us": self.until_us, "servers": self.servers, "clients": self.clients,
                      "events": len(self._events), "messages": len(self._messages)}
            self._lines = [_json(header)]
            self._lines += [_json(list(self._event(i))[1:]) for i in range(len(self._events))]
            self._lines += [_json(list(self._message(i))[1:len(self._messages[i]) + 2])
                            for i in range(len(self._messages))]
        return self._lines

    def to_bytes(self) -> bytes:
        """The canonical bytes: equal runs give equal bytes."""
        return "\n".join(self._canonical()).encode()

    def digest(self) -> str:
        """sha256 of the canonical bytes, in hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_json(self) -> str:
        """The trace as JSON text; `from_json` reads it back and the digest stays the same."""
        header, *rest = self._canonical()
        events, messages = rest[:len(self._events)], rest[len(self._events):]
        join = ",\n".join
        lists = f'"event_list":[\n{join(events)}\n],"message_list":[\n{join(messages)}\n]'
        return f"{header[:-1]},{lists}}}\n"

    @classmethod
    def from_json(cls, text: str) -> Trace:
        """Reads a trace.

        Raises:
            TraceError: not JSON, not a trace, or of another schema.
        """
        try:
            data = json.loads(text, object_hook=lambda value: _ReadBack(value) if "@" in value else value)
            if data["schema"] != SCHEMA:
                raise TraceError(f"this trace has schema {data['schema']!r}; "
                                 f"this version of dslab reads schema {SCHEMA}")
            events = [tuple(e[:6]) for e in data["event_list"]]
            patches = {i: e[6] for i, e in enumerate(data["event_list"]) if e[6]}
            messages = [[m[0], m[1], (m[2], m[3]), *m[4:]] for m in data["message_list"]]
            inputs = {name: data[name] for name in ("system", "seed", "schedule", "until_us", "servers", "clients")}
            trace = cls(**inputs, events=events, patches=patches, messages=messages)
            if any(len(e) != 6 for e in events) or any(len(m) not in (10, 11) for m in messages):
                raise TraceError("this is not a trace: an event or a message is incomplete")
            return trace
        except json.JSONDecodeError as error:
            raise TraceError(f"the trace is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
        except (KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise TraceError(f"this is not a trace: {type(error).__name__} {error}") from None

    def first_difference(self, other: Trace) -> str | None:
        """Says in words where two traces part, or None if they are equal."""
        mine, theirs = self._canonical(), other._canonical()
        if mine == theirs:
            return None
        for i in range(min(len(self._events), len(other._events))):
            if mine[i + 1] != theirs[i + 1]:
                return f"event {i}: {_tell(self.events[i])} in one, {_tell(other.events[i])} in the other"
        if len(self._events) != len(other._events):
            longer = self if len(self._events) > len(other._events) else other
            i = min(len(self._events), len(other._events))
            return f"event {i} happens only in one: {_tell(longer.events[i])}"
        for i in range(min(len(self._messages), len(other._messages))):
            if self.messages[i] != other.messages[i]:
                return f"message {i}: {self.messages[i]} in one, {other.messages[i]} in the other"
        return "the systems, seeds, schedules or end times differ"

    def __len__(self) -> int:
        return len(self._events)

    def __repr__(self) -> str:
        return f"<Trace {self.system}, seed {self.seed}: {len(self._events)} events in {self.until_us / 1000:g} ms>"


STATUS_AFTER = {"start": "up", "restart": "up", "crash": "crashed", "pause": "paused", "resume": "up",
                "absent": "absent", "join": "up", "leave": "absent"}


RECORDED = {"invoke": "command", "complete": "result"}        # events of clients: what of their detail matters


def _record(kind: str, client: str, detail: dict[str, Any]) -> tuple[str, str, int, Any]:
    return kind, client, detail["number"], detail[RECORDED[kind]]


class _ReadBack(dict[str, Any]):
    """A message in the state of a trace read from JSON: properties ask for its fields as for those of the message."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a {self['@']} has no field {name!r}") from None


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _tell(event: Event) -> str:
    what = f"{event.kind} at {event.node}" if event.node else event.kind
    extra = f" ({event.detail})" if event.detail is not None else ""
    change = f", state {event.patch}" if event.patch else ""
    return f"{what}, {event.time_us / 1000:.3f} ms{extra}{change}"[:160]
