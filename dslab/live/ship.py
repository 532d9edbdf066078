"""Node classes as text that another process can read, also those that were written in a notebook's cell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

import cloudpickle

from dslab.sim import Node, NodeError

BY_NAME = frozenset({"dslab", "__main__", "__mp_main__", *sys.builtin_module_names, *sys.stdlib_module_names})


@lru_cache(maxsize=4096)
def _importable(package: str) -> bool:
    return package in BY_NAME or PathFinder.find_spec(package) is not None


def shipped(cls: type[Node], options: dict[str, Any]) -> str:
    """A class and the options of its system, in hex.

    Classes of this package travel by name. All others travel as code, with what they use, because a process that
    starts later may not be able to import them: a notebook's cells, a script, a file that was loaded by hand.

    Raises:
        NodeError: something in the class cannot be copied into another process.
    """
    own = {owner.__module__ for owner in cls.__mro__ if owner.__module__.partition(".")[0] not in BY_NAME}
    with ExitStack() as stack:
        for name in [*own, *(name for name in sys.modules if not _importable(name.partition(".")[0]))]:
            if name in sys.modules and name not in cloudpickle.list_registry_pickle_by_value():
                stack.enter_context(_by_value(sys.modules[name]))
        try:
            return cloudpickle.dumps((cls, options)).hex()
        except Exception as error:
            raise NodeError(f"class {cls.__name__} cannot be copied into a process of its own: {error}; keep open "
                            f"files, locks and connections out of the class and of the globals that it uses") from None


@contextmanager
def _by_value(module: ModuleType) -> Iterator[None]:
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)

