"""Copies of a node's attributes that stay what they were when the node changes its own.

Copying and comparing run after every event, so a list that has only grown shares its old part with the copy before.
"""

from __future__ import annotations

from typing import Any

from .errors import MessageError
from .message import ALLOWED, IMMUTABLE_AS_IS, FrozenDict, FrozenList, Message


def keep(value: Any, previous: Any = None) -> Any:
    """A copy that nobody else can change.

    Args:
        value: plain data, possibly holding messages; sets are allowed.
        previous: an older copy of the same attribute, whose equal beginning is reused.

    Raises:
        MessageError: the value holds something that is not plain data.
    """
    kind = value.__class__
    if kind in IMMUTABLE_AS_IS or kind is float or isinstance(value, (Message, FrozenList, FrozenDict)):
        return value
    if kind is list:
        if previous.__class__ is list and previous:
            size = len(previous)
            if size <= len(value):
                if value[:size] == previous:
                    return previous + [keep(item) for item in value[size:]]
            elif previous[:len(value)] == value:
                return previous[:len(value)]
        return [item if item.__class__ in IMMUTABLE_AS_IS else keep(item) for item in value]
    if kind is dict:
        return {key: item if item.__class__ in IMMUTABLE_AS_IS else keep(item) for key, item in value.items()}
    if kind is tuple:
        return tuple([keep(item) for item in value])
    if kind is set or kind is frozenset:
        return kind(keep(item) for item in value)
    if isinstance(value, dict):                      # Counter, defaultdict and the like keep their contents only
        return {key: keep(item) for key, item in value.items()}
    raise MessageError(f"a {kind.__name__} cannot be recorded; use {ALLOWED}")


def list_change(new: list[Any], old: list[Any]) -> tuple[int, int, list[Any]]:
    """(start, removed, inserted) that turns the old list into the new one."""
    size = len(old)
    if size <= len(new) and new[:size] == old:
        return size, 0, new[size:]
    start = 0
    for mine, other in zip(new, old):
        if mine is not other and mine != other:
            break
        start += 1
    return start, size - start, new[start:]
