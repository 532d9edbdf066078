"""Formats of recorded transactions and of the workloads bank, set and long-fork.

Source: the history formats of Elle (https://github.com/jepsen-io/elle) and elle-cli (https://github.com/ligurio/elle-cli):
maps with process, type, f and value; a transaction's value is a list of [f key value]. Where nothing but answers is
recorded, the transactions are a set: neither real time nor the order of a process is known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .events import Event, read_events
from .history import FAILED, OK, UNKNOWN, HistoryError, Operation, hashable

Value = Callable[[Event], tuple[str, Any]]


def elle_append(text: str) -> list[Operation]:
    """Transactions of lists: parts are [append key element] and [r key list]."""
    return _recorded(text, _transaction)


def elle_register(text: str) -> list[Operation]:
    """Transactions of registers: parts are [w key value] and [r key value]."""
    return _recorded(text, _transaction)


def bank(text: str) -> list[Operation]:
    """Reads of all balances, and transfers."""
    return _recorded(text, lambda event: (event.do, event.value))


def set_workload(text: str) -> list[Operation]:
    """Adds of single elements, and reads of all."""
    return _recorded(text, lambda event: (event.do, event.value))


def long_fork(text: str) -> list[Operation]:
    """Reads of groups of registers, and writes of single ones; each register is written once."""
    return _recorded(text, _transaction)


def _transaction(event: Event) -> tuple[str, Any]:
    value = event.value
    if value is not None and not isinstance(value, (list, tuple)):
        raise HistoryError(f"line {event.line}: a transaction is a list of [f key value], not {str(value)[:60]}")
    return "txn", [[_plain(part[0]), *part[1:]] if isinstance(part, (list, tuple)) and part else part
                   for part in value or []]


def _plain(name: Any) -> Any:
    return name.lstrip(":") if isinstance(name, str) else name


def _recorded(text: str, value: Value) -> list[Operation]:
    """Operations of the events in a text, which may also be one case: a JSON object with a "history"."""
    events = [event for event in read_events(_history(text)) if not _nemesis(event.process)]
    if not any(event.type == "invoke" for event in events):
        return [_operation(event, event, at, len(events) + at, value) for at, event in enumerate(events)]
    found: list[tuple[Event, Event | None]] = []
    waiting: dict[Any, list[int]] = {}
    for event in events:
        open_ = waiting.setdefault(event.process, [])
        if event.type == "invoke":
            open_.append(len(found))
            found.append((event, None))
        elif open_:
            at = next((at for at in open_ if _shape(found[at][0]) == _shape(event)), open_[0])
            open_.remove(at)
            found[at] = (found[at][0], event)
        else:
            raise HistoryError(f"line {event.line}: process {event.process} is answered ({event.type}) and has asked "
                               f"nothing")
    return [_operation(asked, answer, asked.place, None if answer is None else answer.place, value)
            for asked, answer in found]


def _history(text: str) -> str:
    """The events of a case, or the text itself."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        case = json.loads(text)
    except (ValueError, RecursionError):
        return text
    cases = case.get("cases") if isinstance(case, dict) else None
    if isinstance(cases, list):
        if len(cases) != 1:
            raise HistoryError(f"line 1: the file holds {len(cases)} cases: give one, such as its \"history\" alone")
        case = cases[0]
    return json.dumps(case["history"]) if isinstance(case, dict) and isinstance(case.get("history"), list) else text


def _nemesis(process: Any) -> bool:
    return isinstance(process, str)


def _shape(event: Event) -> Any:
    """What question and answer have in common, for events that do not say whose they are."""
    if not isinstance(event.value, (list, tuple)):
        return event.do
    return [tuple(part[:2]) if isinstance(part, (list, tuple)) and len(part) > 2 else part for part in event.value]


def _operation(asked: Event, answer: Event | None, invoked: int, completed: int | None, value: Value) -> Operation:
    do, argument = value(asked)
    kind = "info" if answer is None else answer.type
    status = OK if kind == "ok" else FAILED if kind == "fail" else UNKNOWN
    if status != OK and argument in (None, []) and answer is not None:
        do, argument = value(answer)
    result = value(answer)[1] if answer is not None and status == OK else None
    if isinstance(argument, Mapping) and do == "read":
        argument = None
    who = f"T{asked.place + 1}" if asked.process is None else asked.process
    return Operation(who, do, None, hashable(argument), hashable(result), invoked,
                     completed if status == OK else None, status, asked.line)
