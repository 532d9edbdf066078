"""The only form in which values cross between the grader and a student's code: tagged plain data as JSON.

Numbers, text, True, False, None and lists are themselves; everything else is an object with one key, its kind. The
decoder builds values of exactly the kinds below and refuses the rest, so what arrives has no behaviour of its own:
an object that calls itself equal to everything arrives as what it contains, or not at all.
"""

from __future__ import annotations

import base64
import builtins
import datetime
import json
import math
import re
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, ItemsView, KeysView, ValuesView
from decimal import Decimal
from fractions import Fraction
from typing import Any

MAX_BYTES = 32_000_000  # of one frame
MAX_DEPTH = 100
MAX_ITEMS = 2_000_000
MAX_RANGE = 10_000_000  # a check that goes through a longer one would not come back

VIEWS = (KeysView, ValuesView, ItemsView)  # of a dictionary
_PLAIN = frozenset({str, bool, type(None)})
_DIGITS = 4000  # Python refuses to write longer whole numbers in decimal

# What may be passed by its name: `sorted(key=len)`, `convert(int)`.
BUILTINS: dict[str, Any] = {
    one.__name__: one
    for one in (
        bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, range, object, len, abs, min, max,
        sum, sorted, reversed, round, ord, chr, any, all, pow, divmod, hash, repr, isinstance, zip, map, filter,
        enumerate,
    )
}  # fmt: skip
BUILTINS |= {name: one for name, one in vars(builtins).items() if isinstance(one, type) and issubclass(one, Exception)}
_BUILTIN_NAMES = {id(one): name for name, one in BUILTINS.items()}

_HALF = re.compile(rb"(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]")  # ours are never written like that: text goes as UTF-8
# A string without its end is taken to the end of all: looking for one from each of its quotes would take for ever.
_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)
_DTYPE = re.compile(r"[<>|=][biufcSU][0-9]{1,6}|[<>|=][mM]8(\[[a-zA-Z0-9]{1,9}\])?")


class WireError(ValueError):
    """A value that cannot cross, or bytes that are no value; the text is one sentence without a full stop."""


Encode = Callable[[Any, Callable[[Any], Any]], Any]
Decode = Callable[[str, Any], Any]


def _no_object(value: Any, encode: Callable[[Any], Any]) -> Any:
    return NotImplemented


def _no_tag(tag: str, data: Any) -> Any:
    raise WireError(f"there is no kind of value called {tag[:40]!r}")


# ---- writing


def _basic(value: Any, kind: type, walk: Callable[[Any], Any]) -> Any:
    """A value of a class of Python's own, or of one derived from it, as the plain value inside."""
    if issubclass(kind, bool | int):
        number = int.__add__(value, 0)
        return {"int": hex(number)} if number.bit_length() > 3 * _DIGITS else number
    if issubclass(kind, float):
        real = float.__mul__(value, 1.0)
        return real if math.isfinite(real) else {"float": float.__repr__(real)}
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, Counter):
        return {"counter": [walk(part) for pair in dict.items(value) for part in pair]}
    if issubclass(kind, OrderedDict):
        return {"ordered": [walk(part) for pair in OrderedDict.items(value) for part in pair]}
    if issubclass(kind, dict):
        return {"dict": [walk(part) for pair in dict.items(value) for part in pair]}
    for base, tag in ((list, ""), (tuple, "tuple"), (set, "set"), (frozenset, "frozenset"), (deque, "deque")):
        if issubclass(kind, base):
            items = [walk(item) for item in base.__iter__(value)]
            return {tag: items} if tag else items
    if issubclass(kind, bytes | bytearray):
        tag = "bytes" if issubclass(kind, bytes) else "bytearray"
        return {tag: base64.b64encode(memoryview(value)).decode("ascii")}
    return NotImplemented


def _library(value: Any, kind: type, walk: Callable[[Any], Any]) -> Any:
    """Values of the standard library, numpy and networkx."""
    if kind is complex:
        return {"complex": [walk(value.real), walk(value.imag)]}
    if kind in (range, slice):
        return {kind.__name__: [walk(value.start), walk(value.stop), walk(value.step)]}
    if issubclass(kind, VIEWS):
        if issubclass(kind, ItemsView):
            return {"items": [walk(part) for pair in value for part in pair]}
        return {"keys" if issubclass(kind, KeysView) else "values": [walk(part) for part in value]}
    if kind is Fraction:
        return {"fraction": [walk(value.numerator), walk(value.denominator)]}
    if kind is Decimal:
        return {"decimal": str(value)}
    if kind in (datetime.datetime, datetime.date, datetime.time):
        return {kind.__name__: value.isoformat()}
    if kind is datetime.timedelta:
        return {"timedelta": [value.days, value.seconds, value.microseconds]}
    numpy, networkx = sys.modules.get("numpy"), sys.modules.get("networkx")
    if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
        plain = numpy.ascontiguousarray(value)
        if not _DTYPE.fullmatch(plain.dtype.str):
            raise WireError(f"an array of {plain.dtype} cannot be handed over; use numbers, text or True and False")
        tag = "scalar" if isinstance(value, numpy.generic) else "array"
        return {tag: [plain.dtype.str, list(numpy.shape(value)), base64.b64encode(plain.tobytes()).decode("ascii")]}
    if networkx is not None and isinstance(value, networkx.Graph):
        edges = value.edges(keys=True, data=True) if value.is_multigraph() else value.edges(data=True)
        name = ("Multi" if value.is_multigraph() else "") + ("DiGraph" if value.is_directed() else "Graph")
        parts = [dict(value.graph), [[n, dict(d)] for n, d in value.nodes(data=True)], [list(edge) for edge in edges]]
        return {"graph": [name, *map(walk, parts)]}
    return NotImplemented


def encode(value: Any, others: Encode = _no_object) -> bytes:
    """The bytes of one value.

    Args:
        value: plain data, possibly with arrays and graphs inside.
        others: asked first for a value that is not plain: called as others(value, encode), it returns an object with
            one key, or NotImplemented.

    Raises:
        WireError: something inside is not plain, too deep or too much.
    """
    left = MAX_ITEMS

    def walk(value: Any, depth: int = 0) -> Any:
        nonlocal left
        kind = type(value)
        if kind is str or kind is bool or value is None or (kind is int and -(2**63) < value < 2**63):
            return value
        left -= 1
        if depth > MAX_DEPTH:
            raise WireError(f"it is nested more than {MAX_DEPTH} deep, or contains itself")
        if kind is list:
            left -= len(value)
            if left < 0:
                raise WireError(f"it has more than {MAX_ITEMS:,} parts")
            return value if _PLAIN.issuperset(map(type, value)) else [walk(item, depth + 1) for item in value]
        if left < 0:
            raise WireError(f"it has more than {MAX_ITEMS:,} parts")

        def deeper(part: Any) -> Any:
            return walk(part, depth + 1)

        found = others(value, deeper)
        if found is NotImplemented:
            found = _library(value, kind, deeper)
        if found is NotImplemented:
            found = _basic(value, kind, deeper)
        if found is NotImplemented and id(value) in _BUILTIN_NAMES:
            found = {"builtin": _BUILTIN_NAMES[id(value)]}
        if found is NotImplemented:
            raise WireError(f"a value of type {str.__str__(kind.__name__)[:60]} cannot be handed over")
        return found

    try:
        data = json.dumps(walk(value), separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise WireError("text with half a character (a lone surrogate) cannot be handed over") from None
    except RecursionError:
        raise WireError(f"it is nested more than {MAX_DEPTH} deep, or contains itself") from None
    if len(data) > MAX_BYTES:
        raise WireError(f"it has {len(data) / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB can be handed over")
    return data


# ---- reading


def _items(data: Any) -> list[Any]:
    if type(data) is not list:
        raise WireError("a list is missing")
    return data


def _pairs(data: Any) -> list[tuple[Any, Any]]:
    items = _items(data)
    return list(zip(items[::2], items[1::2], strict=True))


def _array(data: Any, scalar: bool) -> Any:
    import numpy

    dtype, shape, packed = data
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
        raise WireError("an array of this type cannot be handed over")
    if not all(type(size) is int and 0 <= size < 2**40 for size in _items(shape)) or len(shape) > 32:
        raise WireError("an array has an impossible shape")
    plain = numpy.dtype(dtype)
    raw = _bytes(packed)
    if not plain.itemsize or plain.itemsize * math.prod(shape) != len(raw):
        raise WireError("an array's shape and size disagree")
    array = numpy.frombuffer(raw, plain).reshape(shape).copy()
    return array[()] if scalar else array


def _graph(data: Any) -> Any:
    import networkx

    name, attributes, nodes, edges = data
    if name not in ("Graph", "DiGraph", "MultiGraph", "MultiDiGraph"):
        raise WireError("there is no such kind of graph")
    graph = getattr(networkx, name)()
    graph.graph.update(attributes)
    for node, about in nodes:
        graph.add_node(node)
        graph.nodes[node].update(about)
    for edge in edges:
        graph.add_edge(*edge[:2], *([edge[2]] if graph.is_multigraph() else []))
        graph.edges[tuple(edge[:-1])].update(edge[-1])
    return graph


def _bytes(data: Any) -> bytes:
    return base64.b64decode(data, validate=True)


def _float(data: Any) -> float:
    if data not in ("nan", "inf", "-inf"):
        raise WireError("this is no number")
    return float(data)


def _range(start: int, stop: int, step: int) -> range:
    found = range(start, stop, step)
    if found and (found[-1] - found[0]) // step >= MAX_RANGE:
        raise WireError(f"a range of more than {MAX_RANGE:,} numbers cannot be handed over")
    return found


def _integer(data: Any) -> int:
    if not isinstance(data, str) or not re.fullmatch(r"-?0x[0-9a-f]+", data):
        raise WireError("this is no whole number")
    return int(data, 16)


_READ: dict[str, Callable[[Any], Any]] = {
    "int": _integer,
    "float": _float,
    "complex": lambda data: complex(float(data[0]), float(data[1])),
    "tuple": lambda data: tuple(_items(data)),
    "set": lambda data: set(_items(data)),
    "frozenset": lambda data: frozenset(_items(data)),
    "deque": lambda data: deque(_items(data)),
    "dict": lambda data: dict(_pairs(data)),
    "counter": lambda data: Counter(dict(_pairs(data))),
    "ordered": lambda data: OrderedDict(_pairs(data)),
    "keys": lambda data: dict.fromkeys(_items(data)).keys(),
    "values": lambda data: dict(enumerate(_items(data))).values(),
    "items": lambda data: dict(_pairs(data)).items(),
    "slice": lambda data: slice(*_items(data)),
    "bytes": _bytes,
    "bytearray": lambda data: bytearray(_bytes(data)),
    "range": lambda data: _range(*_items(data)),
    "fraction": lambda data: Fraction(*_items(data)),
    "decimal": lambda data: Decimal(str(data)),
    "datetime": lambda data: datetime.datetime.fromisoformat(data),
    "date": lambda data: datetime.date.fromisoformat(data),
    "time": lambda data: datetime.time.fromisoformat(data),
    "timedelta": lambda data: datetime.timedelta(*_items(data)),
    "array": lambda data: _array(data, scalar=False),
    "scalar": lambda data: _array(data, scalar=True),
    "graph": _graph,
    "builtin": lambda data: BUILTINS[data],
}


def _not_finite(text: str) -> Any:
    raise WireError(f"{text} is no number")


def _too_deep(data: bytes) -> bool:
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for match in _BRACKET.finditer(data):
        depth += 1 if match[1] else -1 if match[2] else 0
        if depth > 3 * MAX_DEPTH:  # a value of a dict stands three brackets below the dict
            return True
    return False


def decode(data: bytes, others: Decode = _no_tag) -> Any:
    """The value that `encode` was given, made anew.

    Args:
        data: what came over the wire; nothing about it is trusted.
        others: makes a value of a kind that is not known here: others(kind, data); WireError if there is none.

    Raises:
        WireError: the bytes are not a value.
    """

    def read(pairs: list[tuple[str, Any]]) -> Any:
        if len(pairs) != 1:
            raise WireError("an object must have one key, its kind")
        tag, content = pairs[0]
        reader = _READ.get(tag)
        return others(tag, content) if reader is None else reader(content)

    if _HALF.search(data):
        raise WireError("text with half a character (a lone surrogate) cannot be handed over")
    if len(data) > MAX_BYTES or data.count(b",") + data.count(b"[") > MAX_ITEMS or _too_deep(data):
        raise WireError("it is too large or nested too deep")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=read, parse_constant=_not_finite)
    except WireError:
        raise
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, AttributeError, MemoryError) as error:
        raise WireError(f"it is not a value ({type(error).__name__})") from None
