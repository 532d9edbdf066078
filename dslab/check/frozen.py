"""Values of nodes as keys and as copies: what the explorer needs to tell states apart and to go back to them."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Hashable, Mapping
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from dslab.sim import FrozenDict, FrozenList, Message, MessageError, Node
from dslab.sim.message import IMMUTABLE_AS_IS

PLAIN = frozenset({int, str, type(None)})
CONTAINERS = list, tuple, dict, set, frozenset, deque
BOUND = FunctionType, MethodType, BuiltinFunctionType, partial     # they act on the object that they were made with
AS_IT_IS, BACKWARDS, ROTATED = range(3)       # orders in which a copy of a dict is filled


def freeze(value: Any, ordered: bool = False) -> Hashable:
    """A hashable twin: equal for equal values of equal types.

    The order in which a dict was filled counts in whatever `copied` cannot fill in another order: dicts of other types
    than dict, dicts inside messages, and all that a deque or an object of another class holds.

    Args:
        value: what a node holds.
        ordered: whether the order counts in every dict.

    Raises:
        MessageError: the value has no parts by which to compare it.
    """
    kind = value.__class__
    if kind in PLAIN:
        return value
    if kind is bool or kind is float:                     # 1, 1.0 and True are equal, and not the same
        return kind, value
    if kind is list or kind is tuple:
        return kind, tuple([freeze(item, ordered) for item in value])
    if kind is dict and not ordered:
        return kind, frozenset([(freeze(key), freeze(item)) for key, item in value.items()])
    if isinstance(value, dict) and not getattr(value, "__dict__", None):
        return kind, tuple([(freeze(key, True), freeze(item, True)) for key, item in value.items()])
    if isinstance(value, Message) or kind is FrozenList or kind is deque:
        return kind, tuple([freeze(item, True) for item in value])
    if kind is set or kind is frozenset:
        return kind, frozenset([freeze(item, True) for item in value])
    if isinstance(value, type) or kind is FunctionType and value.__closure__ is None:
        return kind, value
    if hasattr(value, "__dict__") and not isinstance(value, (*CONTAINERS, *BOUND, Node)):
        return kind, freeze(vars(value), True)
    raise MessageError(f"a {kind.__name__} cannot be compared by what it holds")


def copied(value: Any, order: int = AS_IT_IS, memo: dict[int, Any] | None = None) -> Any:
    """A copy that shares nothing changeable; what a value holds in two places, its copy holds in two places.

    Args:
        value: what a node holds.
        order: in which to fill dicts, to find out whether that matters: AS_IT_IS, BACKWARDS, or ROTATED (the first
            key last).
        memo: {id: copy} of what has been copied already, as copy.deepcopy takes it.
    """
    kind = value.__class__
    if kind in IMMUTABLE_AS_IS or kind is float or isinstance(value, (Message, FrozenList, FrozenDict)):
        return value
    if memo is None:
        memo = {}
    if kind is tuple:
        return tuple([copied(item, order, memo) for item in value])
    if id(value) in memo:
        return memo[id(value)]
    if kind is list:
        items = memo[id(value)] = []
        items += [copied(item, order, memo) for item in value]
        return items
    if kind is dict:
        keys = list(value)
        if order is BACKWARDS:
            keys.reverse()
        elif order is ROTATED:
            keys = keys[1:] + keys[:1]
        held = memo[id(value)] = {}
        held.update((key, copied(value[key], order, memo)) for key in keys)
        return held
    return copy.deepcopy(value, memo)


def orders(value: Any) -> tuple[int, ...]:
    """The other orders in which the dicts in a value can be filled, as `copied` takes them."""
    return (BACKWARDS, ROTATED)[:max(0, _longest(value) - 1)]


def _longest(value: Any) -> int:
    """The number of keys of the largest dict that `copied` can fill in another order."""
    kind = value.__class__
    if kind is dict:
        return max([len(value), *map(_longest, value.values())])
    return max(map(_longest, value), default=0) if kind is list or kind is tuple else 0


def aliases(attributes: Mapping[str, Any]) -> frozenset[frozenset[tuple[Any, ...]]]:
    """Which places of a node hold one and the same changeable object: the paths to each such object, together."""
    places: dict[int, list[tuple[Any, ...]]] = {}
    for name, value in attributes.items():
        _find(value, (name,), places)
    return frozenset([frozenset(paths) for paths in places.values() if len(paths) > 1])


def _find(value: Any, path: tuple[Any, ...], places: dict[int, list[tuple[Any, ...]]]) -> None:
    kind = value.__class__
    if kind in IMMUTABLE_AS_IS or kind is float or isinstance(value, (Message, FrozenList, FrozenDict)) \
            or callable(value):
        return
    if kind is not tuple and kind is not frozenset:
        places.setdefault(id(value), []).append(path)
    if isinstance(value, dict):
        for key, item in value.items():
            _find(item, (*path, freeze(key)), places)
    elif isinstance(value, (list, tuple, deque)):
        for place, item in enumerate(value):
            _find(item, (*path, place), places)
    elif isinstance(value, (set, frozenset)):
        for item in value:
            _find(item, (*path, freeze(item)), places)
    elif hasattr(value, "__dict__"):
        for name, item in vars(value).items():
            _find(item, (*path, name), places)


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
