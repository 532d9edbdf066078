"""Keeps a run a pure function: finds clocks, global randomness and shared objects in a node's code.

Three nets, each catching what the one before it lets through: the bytecode of a class is read when a system starts;
forbidden functions of the standard library raise while a handler runs; the objects that nodes hold are compared.
"""

from __future__ import annotations

import builtins
import contextlib
import dis
import os
import random
import threading
import time
import types
import uuid
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from .errors import DeterminismError, NodeError
from .message import FrozenDict, FrozenList, Message
from .node import RUNTIME_ATTRIBUTES, Node

REMEDIES = {
    "random": "use self.random, which the run seeds",
    "secrets": "use self.random, which the run seeds",
    "uuid": "make names from self.id and a counter",
    "time": "use self.now for this node's clock and self.set_timer(...) to wait",
    "datetime": "use self.now for this node's clock",
    "threading": "handlers run one at a time; use self.set_timer(...) for later work",
    "asyncio": "handlers never wait; use self.set_timer(...) for later work",
    "multiprocessing": "each node is a Node of its own; send it a message",
    "concurrent": "handlers run one at a time; use self.set_timer(...) for later work",
    "socket": "use self.send(...)",
    "subprocess": "a node may only send messages and set timers",
    "os": "a node may only use its own attributes; put what must survive a crash into `durable`",
}
FORBIDDEN_BUILTINS = {
    "open": "put what must survive a crash into `durable`",
    "input": "a node hears only messages and timers",
    "id": "memory addresses differ from run to run; use self.id for a node's name",
    "hash": "hashes of text differ from run to run; use zlib.crc32(text.encode())",
}
MUTABLE = (list, dict, set, bytearray)


@lru_cache(maxsize=512)
def check_class(cls: type[Node], node: str) -> None:
    """Reads a node's class before it runs.

    Args:
        cls: the class.
        node: the first node that runs it, for the error.

    Raises:
        DeterminismError: a method uses something outside the run, or an attribute would be shared by all nodes.
        NodeError: `durable` or `shows` is not what it must be.
    """
    if not isinstance(cls.durable, dict) or not all(isinstance(name, str) for name in cls.durable):
        raise NodeError(f"{cls.__name__}.durable must be a dict {{attribute: value on an empty disk}}, "
                        f"such as {{'term': 0}}, not {cls.durable!r}")
    if isinstance(cls.shows, str):
        raise NodeError(f"{cls.__name__}.shows must be a tuple of names: write ({cls.shows!r},) with a comma")
    for owner in cls.__mro__[:cls.__mro__.index(Node)]:
        for name, value in vars(owner).items():
            if isinstance(value, MUTABLE) and name != "durable" and not name.startswith("__"):
                raise DeterminismError(f"{owner.__name__}.{name} is a {type(value).__name__} that all nodes would "
                                       f"share; create it in on_start: self.{name} = {value!r}")
            function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            if isinstance(function, types.FunctionType):
                _check_function(function, f"{node}'s class {owner.__name__}", name, {function.__code__})


def _check_function(function: types.FunctionType, owner: str, handler: str, seen: set[types.CodeType]) -> None:
    names = function.__globals__
    closure = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))
    for code in _nested(function.__code__):
        for instruction in dis.get_instructions(code):
            name = instruction.argval
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                value = names.get(name, getattr(builtins, name, None))
            elif instruction.opname in ("LOAD_DEREF", "LOAD_FROM_DICT_OR_DEREF") and name in closure:
                try:
                    value = closure[name].cell_contents
                except ValueError:
                    continue
            elif instruction.opname == "STORE_GLOBAL":
                raise DeterminismError(f"{owner} changes the global {name!r} in {handler}, which all nodes would "
                                       f"share; keep it in self.{name}")
            elif instruction.opname == "IMPORT_NAME":
                value = name
            else:
                continue
            _check_value(name, value, owner, handler)
            if isinstance(value, types.FunctionType) and value.__module__ == function.__module__ \
                    and value.__code__ not in seen:
                seen.add(value.__code__)
                _check_function(value, owner, f"{handler} (through {name})", seen)


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)


def _check_value(name: str, value: Any, owner: str, handler: str) -> None:
    for builtin, remedy in FORBIDDEN_BUILTINS.items():
        if value is getattr(builtins, builtin):
            raise DeterminismError(f"{owner} calls {builtin}() in {handler}: {remedy}")
    if isinstance(value, (FrozenList, FrozenDict)) or name.startswith("__"):
        return
    if isinstance(value, MUTABLE):
        raise DeterminismError(f"{owner} uses the global {name!r}, a {type(value).__name__}, in {handler}; all nodes "
                               f"would share it: keep it in self.{name}, or make it a tuple if it never changes")
    root = _module_of(value).partition(".")[0]
    if root in REMEDIES:
        raise DeterminismError(f"{owner} uses {name} in {handler}, so two runs with one seed would differ: "
                               f"{REMEDIES[root]}")


def _module_of(value: Any) -> str:
    """The module that a value is or comes from; an IMPORT instruction gives its name as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, types.ModuleType):
        return value.__name__
    home = getattr(value, "__module__", None)   # None for a bound method such as random.random
    return str(home or type(getattr(value, "__self__", None)).__module__)


FORBIDDEN_CALLS: list[tuple[Any, str, str]] = [
    *((time, name, "time") for name in (
        "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "sleep",
        "localtime", "gmtime")),
    *((random, name, "random") for name in (
        "random", "randint", "randrange", "choice", "choices", "sample", "shuffle", "uniform", "gauss", "expovariate",
        "getrandbits", "seed", "betavariate", "normalvariate", "lognormvariate", "triangular")),
    (os, "urandom", "random"), (uuid, "uuid4", "uuid"), (uuid, "uuid1", "uuid"),
    (threading.Thread, "start", "threading"),
]
_patch_lock = threading.RLock()
_running: dict[int, list[Any]] = {}      # thread -> simulations it is running, innermost last


def _forbid(original: Callable[..., Any], name: str, remedy: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        for simulation in reversed(_running.get(threading.get_ident(), ())):
            if simulation.handling is not None:
                raise DeterminismError(f"called {name}, so two runs with one seed would differ: {remedy}")
        return original(*args, **kwargs)
    return call


@contextlib.contextmanager
def forbidden_calls(simulation: Any) -> Iterator[None]:
    """While inside, clocks and global randomness raise in this thread whenever `simulation.handling` is set.

    Other threads, and this thread outside handlers, are not touched.
    """
    thread = threading.get_ident()
    with _patch_lock:
        if not _running:
            _originals[:] = [getattr(owner, name) for owner, name, _ in FORBIDDEN_CALLS]
            for (owner, name, topic), original in zip(FORBIDDEN_CALLS, _originals):
                label = f"{getattr(owner, '__name__', owner)}.{name}()"
                setattr(owner, name, _forbid(original, label, REMEDIES[topic]))
        _running.setdefault(thread, []).append(simulation)
    try:
        yield
    finally:
        with _patch_lock:
            _running[thread].pop()
            if not _running[thread]:
                del _running[thread]
            if not _running:
                for (owner, name, _), original in zip(FORBIDDEN_CALLS, _originals):
                    setattr(owner, name, original)


_originals: list[Any] = []


def find_shared(nodes: dict[str, Node]) -> tuple[str, str, Any] | None:
    """Two nodes that hold the same changeable object.

    Returns:
        ("n1.log", "n2.log", the object), or None.
    """
    owner: dict[int, tuple[str, str]] = {}
    for node_id, node in nodes.items():
        mine: set[int] = set()
        for field, value in vars(node).items():
            if field in RUNTIME_ATTRIBUTES or field == "_host":
                continue
            label = node_id, field
            for part in _mutable_parts(value, mine):
                first = owner.setdefault(id(part), label)
                if first[0] != node_id:
                    return ".".join(first), ".".join(label), part
    return None


def _mutable_parts(value: Any, seen: set[int]) -> list[Any]:
    """What can be changed in a value: itself first, then what it holds, in order."""
    found, stack = [], [value]
    while stack:
        value = stack.pop()
        kind = value.__class__
        if _cannot_change(kind):
            continue
        if kind is not tuple:
            if id(value) in seen:
                continue
            seen.add(id(value))
            found.append(value)
        parts: Any = ()
        if isinstance(value, dict):
            parts = value.values()
        elif isinstance(value, (list, set, tuple)):
            parts = value
        elif hasattr(value, "__dict__"):
            parts = vars(value).values()
        if not all(map(_cannot_change, set(map(type, parts)))):       # a log of a thousand entries has one type
            stack.extend(reversed(list(parts)))
    return found


@lru_cache(maxsize=4096)
def _cannot_change(kind: type) -> bool:
    return issubclass(kind, (str, int, float, type(None), Message, FrozenList, FrozenDict, type, types.FunctionType))
