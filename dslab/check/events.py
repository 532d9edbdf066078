"""Events of a recorded history, as Jepsen writes them: EDN or JSON, one per line or all in one list.

Source of the fields: Jepsen's history format, https://github.com/jepsen-io/history: process, type ("invoke", "ok",
"fail", "info"), f, value. Lines stand in real-time order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .edn import DEEPEST, LONGEST, Edn
from .history import HistoryError, hashable

TYPES = ("invoke", "ok", "fail", "info")


class Event(NamedTuple):
    """One event.

    Attributes:
        place: which one it is, from 0. line: where it stands.
        process: who; a name that is no number is no client. type: one of TYPES.
        do: what, the field "f". key, value: of what, with what. fields: all that stands there.
    """

    place: int
    line: int
    process: Any
    type: str
    do: Any
    key: Any
    value: Any
    fields: Mapping[str, Any]

    @property
    def by_client(self) -> bool:
        """Whether a client did this, and not a nemesis."""
        return isinstance(self.process, int)


def read_events(text: str) -> list[Event]:
    """The events of a file in EDN or JSON.

    Args:
        text: a map per line, or one list or vector of maps. An empty list is a history in which nothing happened.

    Raises:
        HistoryError: it is neither; says on which line.
    """
    found = [_event(place, line, fields) for place, (line, fields) in enumerate(_maps(text))]
    if not found and Edn(text).opens() not in ("[", "("):
        raise HistoryError("line 1: the file holds no event: a map such as {:process 0, :type :invoke, :f :read}")
    return found


def _maps(text: str) -> Iterator[tuple[int, Any]]:
    reader = Edn(text)
    end = reader.enter() if reader.opens() in ("[", "(") else None
    reader.opens()
    if _is_json(text, reader.place):
        yield from _json_list(text) if end else _json_lines(text)
        return
    yield from reader.forms(end)
    if reader.opens() is not None:
        raise reader.error("something follows the end of the list")


def _is_json(text: str, place: int) -> bool:
    return text[place:place + 1] == "{" and text[place + 1:].lstrip()[:1] == '"'


def _json_lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise HistoryError(f"line {number}: this is not JSON: {_told(error)}") from None


def _json_list(text: str) -> Iterator[tuple[int, Any]]:
    """The items of one list, each with its line: json itself forgets lines."""
    decoder = json.JSONDecoder()
    place, line, counted = text.index("[") + 1, 1, 0
    while True:
        while text[place:place + 1] in (" ", "\t", "\r", "\n", ","):
            place += 1
        line, counted = line + text.count("\n", counted, place), place
        if text[place:place + 1] == "]":
            if text[place + 1:].strip():
                raise HistoryError(f"line {line}: this is not JSON: something follows the end of the list")
            return
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            raise HistoryError(f"line {line}: this is not JSON: {_told(error)}") from None
        yield line, value


def _told(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    return f"more than {DEEPEST} brackets are open" if isinstance(error, RecursionError) else "a number is too long"


def _too_deep(value: Any) -> bool:
    """Whether more than DEEPEST collections are in each other."""
    level = [value]
    for _ in range(DEEPEST):
        level = [item for one in level if isinstance(one, (list, Mapping))
                 for item in (one.values() if isinstance(one, Mapping) else one)]
        if not level:
            return False
    return True


def _event(place: int, line: int, fields: Any) -> Event:
    if not isinstance(fields, Mapping):
        raise HistoryError(f"line {line}: an event is a map with process, type, f and value, not {str(fields)[:60]}")
    named = {_name(name): value for name, value in fields.items()}
    kind = _name(named.get("type"))
    if kind not in TYPES:
        raise HistoryError(f"line {line}: the type of an event is one of {', '.join(TYPES)}, not {kind}")
    if _too_deep(fields):
        raise HistoryError(f"line {line}: more than {DEEPEST} brackets are open")
    process, do = _process(named.get("process")), _name(named.get("f"))
    for name, told in (("process", process), ("f", do)):
        if isinstance(told, (list, Mapping)):
            raise HistoryError(f"line {line}: the {name} of an event is a number or a name, not {str(told)[:60]}")
    return Event(place, line, process, kind, do, hashable(_unlike_numbers(named.get("key"))),
                 _unlike_numbers(named.get("value")), named)


def _unlike_numbers(value: Any) -> Any:
    """A value in which true and false are words: to Python they are equal to 1 and 0, and to no store."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return type(value)([_unlike_numbers(item) for item in value])
    if isinstance(value, frozenset):
        return frozenset([_unlike_numbers(item) for item in value])
    if isinstance(value, Mapping):
        return {_unlike_numbers(key): _unlike_numbers(item) for key, item in value.items()}
    return value


def _name(value: Any) -> Any:
    """A name without the colon that a conversion may have left."""
    return value[1:] if isinstance(value, str) and value.startswith(":") else value


def _process(value: Any) -> Any:
    """A process: a number even where it stands in quotes."""
    value = _name(value)
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) <= LONGEST else value


class Pair(NamedTuple):
    """A question and its answer; `answer` is None if there was none."""

    question: Event
    answer: Event | None


def paired(events: list[Event]) -> list[Pair]:
    """The questions of clients in order, each with its answer; what a nemesis did is left out.

    Raises:
        HistoryError: a process asks again before it was answered, or is answered without having asked.
    """
    found: list[Pair] = []
    open_: dict[Any, int] = {}
    for event in events:
        if not event.by_client:
            if event.process is None:
                raise HistoryError(f"line {event.line}: an event has no process")
            continue
        before = open_.get(event.process)
        if event.type == "invoke":
            if before is not None:
                raise HistoryError(f"line {event.line}: process {event.process} asks while its question of line "
                                   f"{found[before].question.line} is open")
            open_[event.process] = len(found)
            found.append(Pair(event, None))
        elif before is None:
            raise HistoryError(f"line {event.line}: process {event.process} is answered ({event.type}) and has asked "
                               f"nothing")
        else:
            question = found[before].question
            if event.do != question.do:
                raise HistoryError(f"line {event.line}: process {event.process} asked for {question.do} on line "
                                   f"{question.line} and is answered about {event.do}")
            found[before] = Pair(question, event)
            del open_[event.process]
    return found
