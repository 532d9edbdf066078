"""What a check does with an object of the student's other than calling it: operators, and what Python asks of it."""

from __future__ import annotations

import asyncio
import builtins
import operator
from collections.abc import Callable, Sequence
from typing import Any

BINARY = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "and_", "or_", "xor")
SPECIAL: dict[str, Callable[..., Any]] = {
    "contains": lambda whole, part: part in whole,
    "isinstance": isinstance,
    "issubclass": issubclass,
    "enter": lambda manager: manager.__enter__(),
    "exit": lambda manager, *raised: _left(manager, *raised),
    "await": lambda coroutine: asyncio.run(coroutine),
    "plain": lambda thing: _plain_part(thing),
    "members": lambda thing: [name for name in dir(thing) if not name.startswith("_")],
    **{one.__name__: one for one in (len, iter, next, bool, str, repr, hash, int, float, abs, round, reversed, format,
                                     delattr)},
    **{name: getattr(operator, name) for name in (
        "getitem", "setitem", "delitem", "eq", "ne", "lt", "le", "gt", "ge", "neg", "pos", "invert", "index", *BINARY)},
    **{f"r{name}": lambda right, left, _name=name: getattr(operator, _name)(left, right) for name in BINARY},
}  # fmt: skip


def _left(manager: Any, name: str = "", arguments: Sequence[Any] = ()) -> Any:
    """Leaves a `with` statement; by an exception if it has a name."""
    if not name:
        return manager.__exit__(None, None, None)
    error = getattr(builtins, name, RuntimeError)(*arguments)
    return manager.__exit__(type(error), error, None)


def _plain_part(thing: Any) -> list[Any]:
    """What an object of a class derived from list, int and the like holds, in a list; else an empty one."""
    return [base(thing) for base in (bool, int, float, str, bytes, list, tuple, dict, set, frozenset)
            if base in type(thing).__mro__][:1]  # fmt: skip
