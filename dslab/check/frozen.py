"""Values of nodes as keys and as copies: what the explorer needs to tell states apart and to go back to them."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Hashable
from typing import Any

from dslab.sim import FrozenDict, FrozenList, Message, MessageError
from dslab.sim.message import IMMUTABLE_AS_IS

PLAIN = frozenset({int, str, type(None)})


def freeze(value: Any, ordered: bool = False) -> Hashable:
    """A hashable twin: equal for equal values of equal types, whatever the order in which a dict was filled.

    Args:
        value: what a node holds.
        ordered: whether the order in which a dict was filled counts as well.

    Raises:
        MessageError: the value has no parts by which to compare it.
    """
    kind = value.__class__
    if kind in PLAIN:
        return value
    if kind is bool or kind is float:                     # 1, 1.0 and True are equal, and not the same
        return kind, value
    if kind is list or kind is tuple or kind is FrozenList or kind is deque or isinstance(value, Message):
        return kind, tuple([freeze(item, ordered) for item in value])
    if isinstance(value, dict):
        items = [(freeze(key, ordered), freeze(item, ordered)) for key, item in value.items()]
        return kind, tuple(items) if ordered else frozenset(items)
    if kind is set or kind is frozenset:
        return kind, frozenset([freeze(item, ordered) for item in value])
    if callable(value):
        return kind, value
    if hasattr(value, "__dict__"):
        return kind, freeze(vars(value), ordered)
    raise MessageError(f"a {kind.__name__} cannot be compared by what it holds")


def copied(value: Any, backwards: bool = False) -> Any:
    """A copy that shares nothing changeable.

    Args:
        value: what a node holds.
        backwards: fill dicts in the opposite order, to find out whether the order matters.
    """
    kind = value.__class__
    if kind in IMMUTABLE_AS_IS or kind is float or isinstance(value, (Message, FrozenList, FrozenDict)):
        return value
    if kind is list:
        return [copied(item, backwards) for item in value]
    if kind is tuple:
        return tuple([copied(item, backwards) for item in value])
    if kind is dict:
        items = value.items()
        return {key: copied(item, backwards) for key, item in (reversed(items) if backwards else items)}
    if kind is set:
        return {copied(item, backwards) for item in value}
    return copy.deepcopy(value)


def has_order(value: Any) -> bool:
    """Whether a value holds a dict that could have been filled in another order."""
    kind = value.__class__
    if kind in IMMUTABLE_AS_IS or isinstance(value, (Message, FrozenList, FrozenDict)):
        return False
    if isinstance(value, dict):
        return len(value) > 1 or any(map(has_order, value.values()))
    return isinstance(value, (list, tuple)) and any(map(has_order, value))


def renamed(value: Any, names: dict[str, str]) -> Any:
    """A copy in which some nodes have each other's names.

    Args:
        value: plain data, messages included.
        names: {name: the name to write instead}.
    """
    kind = value.__class__
    if kind is str:
        return names.get(value, value)
    if isinstance(value, Message):
        return tuple.__new__(kind, [renamed(item, names) for item in value])
    if isinstance(value, dict):
        items = {renamed(key, names): renamed(item, names) for key, item in value.items()}
        return items if kind is dict else kind(items)
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return kind([renamed(item, names) for item in value])
    return value
