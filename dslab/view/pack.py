"""A trace as the bytes that the browser reads: JSON columns, equal words and values stored once.

The bytes of a branch hold only what follows its fork; whatever was in the air at the fork stands in "over",
because it may end differently there than in the parent.
"""

from __future__ import annotations

import json
from typing import Any

from .gloss import Glosses, message_class, reply_types
from .scene import Reading


class Table:
    """Values stored once, known by their position."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._known: dict[Any, int] = {}

    def text(self, value: str | None) -> int:
        if value is None:
            return -1
        position = self._known.get(value)
        if position is None:
            position = self._known[value] = len(self.items)
            self.items.append(value)
        return position

    def value(self, value: Any, key: str) -> int:
        position = self._known.get(key)
        return self.add(value, key) if position is None else position

    def add(self, value: Any, key: str | None = None) -> int:
        """Stores a value that is not worth looking up."""
        position = len(self.items)
        if key is not None:
            self._known[key] = position
        self.items.append(value)
        return position


def pack(reading: Reading, says: dict[int, tuple[str, str]] | None = None, first: int = 0) -> bytes:
    """The part of a trace from event `first` on.

    Args:
        reading: the trace, read.
        says: {event: (headline, reason)}.
        first: how many events are shared with the parent branch.

    Returns:
        UTF-8 JSON; static/trace.js decodes it.
    """
    says = says or {}
    events, messages = reading.events[first:], reading.messages
    strings, payloads = Table(), Table()
    sentences: list[tuple[str, str]] = []
    columns: dict[str, list[int]] = {name: [] for name in "tkncmdps"}
    add = [columns[name].append for name in "tkncmdps"]
    clock = 0
    for event in events:
        number, time, kind, node, cause, message, detail, patch = event
        said = -1
        if number in says:
            said = len(sentences)
            sentences.append(says[number])
        row = (
            time - clock,
            strings.text(kind),
            strings.text(node),
            -1 if cause is None else cause,
            -1 if message is None else message,
            -1 if detail is None else payloads.value(detail, repr(detail)),
            payloads.add(patch) if patch else -1,
            said,
        )
        for append, value in zip(add, row, strict=True):
            append(value)
        clock = time
    first_message = len(messages)
    while first_message and (messages[first_message - 1].sent_event or 0) >= first:
        first_message -= 1
    return json.dumps(
        {
            "strings": strings.items,
            "first": first,
            "m0": first_message,
            "e": columns,
            "m": _messages(reading, first_message, strings, payloads),
            "over": _still_flying(reading, first, first_message),
            "payloads": payloads.items,
            "says": sentences,
        },
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode()


def _messages(reading: Reading, first: int, strings: Table, payloads: Table) -> dict[str, list[int]]:
    columns: dict[str, list[int]] = {name: [] for name in "foysuxwcrpg"}
    add = [columns[name].append for name in "foysuxwcrpg"]
    answers, sentences = reply_types(reading), Glosses(reading)
    for record in reading.messages[first:]:
        fields = repr(record.fields)
        shape, term = message_class(record, answers)
        row = (
            strings.text(record.source),
            strings.text(record.target),
            strings.text(record.type),
            -1 if record.sent_event is None else record.sent_event,
            -1 if record.due_us is None else record.due_us,
            -1 if record.end_event is None else record.end_event,
            strings.text(record.fate),
            strings.text(shape),
            term,
            payloads.value(record.fields, fields),
            strings.text(sentences.of(record, fields)),
        )
        for append, value in zip(add, row, strict=True):
            append(value)
    return columns


def _still_flying(reading: Reading, first: int, first_message: int) -> dict[str, list[Any]]:
    """Messages of the shared part that were not over at the fork: how they end in this branch."""
    return {
        str(record.id): [record.due_us, -1 if record.end_event is None else record.end_event, record.fate]
        for record in reading.messages[:first_message]
        if record.end_event is None or record.end_event >= first
    }


def shared_prefix(reading: Reading, parent: Reading) -> int:
    """How many events two runs of one system and seed have in common; they have then sent the same, too."""
    common = 0
    for mine, theirs in zip(reading.events, parent.events, strict=False):
        if mine != theirs:
            break
        common += 1
    return common
