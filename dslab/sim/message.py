"""Messages: immutable values with named fields.

A message is a tuple with names. Everything inside it is frozen when it is created, so no node can change what
another node holds, a broadcast needs no copies, and a trace can keep the message itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, dataclass_transform

from .errors import MessageError

try:
    from _collections import _tuplegetter as item_property  # what namedtuple uses: reads a field without a call
except ImportError:
    from operator import itemgetter

    def item_property(index: int, doc: str | None) -> Any:
        """A read-only attribute that is an item of a tuple."""
        return property(itemgetter(index), doc=doc)

IMMUTABLE_AS_IS = frozenset({int, str, bool, type(None)})
ALLOWED = "numbers, text, True, False, None, lists, dicts and other messages"

T = TypeVar("T")


def _refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
    kind = "list" if isinstance(self, list) else "dict"
    raise MessageError(f"a {kind} inside a message cannot be changed, because the sender and other receivers hold it "
                       f"too; copy it first: {kind}(...)")


class FrozenList(list):
    """A list inside a message: reads like any list, refuses to be changed; `list(x)` or a slice gives a free copy."""

    __slots__ = ()
    append = extend = insert = pop = remove = clear = sort = reverse = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse

    def __hash__(self) -> int:      # type: ignore[override]
        return hash(tuple(self))

    def __reduce__(self) -> Any:
        return _frozen_list, (list(self),)

    def __deepcopy__(self, memo: Any) -> FrozenList:
        return self


NO_ITEMS = FrozenList()


class FrozenDict(dict):
    """A dict inside a message: reads like any dict, refuses to be changed; `dict(x)` gives a free copy."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = _refuse
    update = pop = popitem = clear = setdefault = _refuse

    def __hash__(self) -> int:      # type: ignore[override]
        return hash(tuple(self.items()))

    def __reduce__(self) -> Any:
        return _frozen_dict, (dict(self),)

    def __deepcopy__(self, memo: Any) -> FrozenDict:
        return self


def _frozen_list(items: Iterable[Any]) -> FrozenList:
    return FrozenList(items)


def _frozen_dict(items: Mapping[Any, Any]) -> FrozenDict:
    return FrozenDict(items)


class Message(tuple):
    """Base of all message classes; made by the `message` decorator, never written by hand."""

    __slots__ = ()
    fields: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in zip(self.fields, self))})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __deepcopy__(self, memo: Any) -> Message:
        return self


def freeze(value: Any, owner: str, field: str) -> Any:
    """The immutable twin of a value that is about to become part of a message.

    Args:
        value: what was given for the field.
        owner: name of the message class, for the error.
        field: name of the field, for the error.

    Returns:
        The value itself, or a FrozenList / FrozenDict of frozen values.

    Raises:
        MessageError: the value is not plain data.
    """
    kind = value.__class__
    if kind is list or kind is tuple:
        return NO_ITEMS if not value else FrozenList([freeze(item, owner, field) for item in value])
    if kind in IMMUTABLE_AS_IS or isinstance(value, (Message, FrozenList)):
        return value
    if kind is float:
        if math.isfinite(value):
            return value
        raise MessageError(f"{owner}.{field} is {value}, which is not a number that can be written down; "
                           f"send None instead")
    if kind is dict or kind is FrozenDict:
        for key in value:
            if key.__class__ not in (str, int):
                raise MessageError(f"{owner}.{field} is a dict with the key {key!r}; keys in a message are text or "
                                   f"whole numbers")
        return FrozenDict({key: freeze(item, owner, field) for key, item in value.items()})
    if kind is set or kind is frozenset:
        raise MessageError(f"{owner}.{field} is a set, whose order differs from run to run; send sorted(...) instead")
    raise MessageError(f"{owner}.{field} holds a {kind.__name__}, which cannot be sent; a message may hold {ALLOWED}")


@dataclass_transform(frozen_default=True)
def message(cls: type[T]) -> type[T]:
    """Turns a class with annotated fields into a message type.

    The docstring is the sentence that views show for a message; `{source}`, `{target}` and field names in braces are
    filled in. A default is written as in a dataclass.

    Args:
        cls: a class whose annotations are the fields, in order.

    Returns:
        An immutable class; `RequestVote(3, last_index=7)` makes one, `m.term` reads a field.

    Raises:
        MessageError: a field's name is not usable or a field without default follows one with a default.
    """
    body = dict(cls.__dict__)
    fields = tuple(body.get("__annotations__") or getattr(cls, "__annotations__", {}))
    defaults: dict[str, Any] = {}
    for field in fields:
        if field.startswith("_") or field in ("fields", "count", "index"):
            raise MessageError(f"{cls.__name__} cannot have a field named {field!r}; choose another name")
        if field in body:
            defaults[field] = freeze(body.pop(field), cls.__name__, field)
        elif defaults:
            raise MessageError(f"{cls.__name__}.{field} has no default but follows a field that has one; "
                               f"put it first or give it a default")
    for name in ("__dict__", "__weakref__", "__annotations__", "__annotate_func__"):
        body.pop(name, None)
    body.update({"__slots__": (), "fields": fields, "__match_args__": fields})
    body["__new__"] = _constructor(cls, fields, defaults)
    body.update({field: item_property(i, None) for i, field in enumerate(fields)})
    made: Any = type(cls.__name__, (Message,), body)
    made.__annotations__ = {field: Any for field in fields}
    return made


def _constructor(cls: type, fields: tuple[str, ...], defaults: dict[str, Any]) -> Any:
    """`__new__` written out for these fields: one test a field, so that plain numbers and text cost next to nothing."""
    arguments = "".join(f", {f}=_default_{f}" if f in defaults else f", {f}" for f in fields)
    lines = [f"def {cls.__name__}(_cls{arguments}):"]
    lines += [f"    if {f}.__class__ not in _as_is: {f} = _freeze({f}, {cls.__name__!r}, {f!r})" for f in fields]
    lines += [f"    return _new(_cls, ({''.join(f + ', ' for f in fields)}))"]
    scope = {"_as_is": IMMUTABLE_AS_IS, "_freeze": freeze, "_new": tuple.__new__}
    scope.update({f"_default_{f}": value for f, value in defaults.items()})
    exec("\n".join(lines), scope)
    return scope[cls.__name__]


def plain(value: Any) -> Any:
    """A value as JSON data: messages become {"@": type, field: ...}, sets sorted lists, keys text.

    Raises:
        MessageError: the value is not plain data.
    """
    kind = value.__class__
    if kind in IMMUTABLE_AS_IS or kind is float:
        return value
    if isinstance(value, Message):
        return {"@": kind.__name__, **{f: plain(v) for f, v in zip(value.fields, value)}}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=lambda item: (str(type(item)), repr(item)))
    raise MessageError(f"a {kind.__name__} is not plain data; use {ALLOWED}")
