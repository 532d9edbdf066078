"""A trace as the bytes that the browser reads: JSON columns, equal words and values stored once.

The bytes of a branch hold only what follows its fork; whatever was in the air at the fork stands in "over",
because it may end differently there than in the parent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from dslab.sim import Event, MessageRecord

from .gloss import Glosses, message_class, reply_types
from .scene import Reading
from .words import Said


class Table:
    """Values stored once, known by their position; -1 stands for none."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._known: dict[str, int] = {}

    def column(self, values: Iterable[Any], keys: Iterable[str | None]) -> list[int]:
        """Positions of values that are equal where their keys are; a key of None stands for no value."""
        known, items, positions = self._known, self.items, []
        for value, key in zip(values, keys, strict=True):
            position = -1 if key is None else known.get(key)
            if position is None:
                position = known[key] = len(items)  # type: ignore[index]
                items.append(value)
            positions.append(position)
        return positions

    def words(self, words: list[Any]) -> list[int]:
        return self.column(words, words)

    def appended(self, values: Iterable[Any]) -> list[int]:
        """Positions of values that are hardly ever equal, so that looking for them would not pay."""
        positions = []
        for value in values:
            positions.append(len(self.items) if value else -1)
            if value:
                self.items.append(value)
        return positions


def pack(reading: Reading, says: dict[int, Said] | None = None, first: int = 0) -> bytes:
    """The part of a trace from event `first` on.

    Args:
        reading: the trace, read.
        says: {event: (headline, reason)}.
        first: how many events are shared with the parent branch.

    Returns:
        UTF-8 JSON; static/trace.js decodes it.
    """
    first_message = len(reading.messages)
    while first_message and (reading.messages[first_message - 1].sent_event or 0) >= first:
        first_message -= 1
    strings, payloads, sentences = Table(), Table(), Table()
    told = says or {}
    events = _events(reading.events[first:], strings, payloads)
    events["s"] = sentences.appended(told.get(event.id) for event in reading.events[first:])
    whole = {
        "first": first,
        "m0": first_message,
        "e": events,
        "m": _messages(reading, reading.messages[first_message:], strings, payloads),
        "over": _still_flying(reading.messages[:first_message], first),
        "strings": strings.items,
        "payloads": payloads.items,
        "says": sentences.items,
    }
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()


def _events(events: list[Event], strings: Table, payloads: Table) -> dict[str, list[int]]:
    times = [event.time_us for event in events]
    details = [event.detail for event in events]
    return {
        "t": [time - before for before, time in zip([0, *times], times, strict=False)],
        "k": strings.words([event.kind for event in events]),
        "n": strings.words([event.node for event in events]),
        "c": _or_none([event.cause for event in events]),
        "m": _or_none([event.message for event in events]),
        "d": payloads.column(details, [None if detail is None else repr(detail) for detail in details]),
        "p": payloads.appended(event.patch for event in events),
    }


def _messages(
    reading: Reading, records: list[MessageRecord], strings: Table, payloads: Table
) -> dict[str, list[int]]:
    answers, sentences = reply_types(reading), Glosses(reading)
    fields = [record.fields for record in records]
    keys = [repr(value) for value in fields]
    shapes = [message_class(record, answers) for record in records]
    truths = [record.forged for record in records]
    lied = {"z": payloads.column(truths, [repr(truth) if truth else None for truth in truths])} if any(truths) else {}
    return {
        **lied,
        "f": strings.words([record.source for record in records]),
        "o": strings.words([record.target for record in records]),
        "y": strings.words([record.type for record in records]),
        "s": _or_none([record.sent_event for record in records]),
        "u": _or_none([record.due_us for record in records]),
        "x": _or_none([record.end_event for record in records]),
        "w": strings.words([record.fate for record in records]),
        "c": strings.words([shape for shape, _ in shapes]),
        "r": [term for _, term in shapes],
        "p": payloads.column(fields, keys),
        "g": strings.words([sentences.of(*pair) for pair in zip(records, keys, strict=True)]),
    }


def _or_none(numbers: list[int | None]) -> list[int]:
    return [-1 if number is None else number for number in numbers]


def _still_flying(shared: list[MessageRecord], first: int) -> dict[str, list[Any]]:
    """Messages of the shared part that were not over at the fork: how they end in this branch."""
    return {
        str(record.id): [record.due_us, -1 if record.end_event is None else record.end_event, record.fate]
        for record in shared
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
