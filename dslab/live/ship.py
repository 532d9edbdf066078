"""Node classes as text that another process can read, also those that were written in a notebook's cell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

import cloudpickle

from dslab.sim import Node, NodeError


def shipped(cls: type[Node], options: dict[str, Any]) -> str:
    """A class and the options of its system, in hex.

    Classes of this package travel by name. All others travel as code, because a process that starts later may not be
    able to import them: a notebook's cells, a script, a test.

    Raises:
        NodeError: something in the class cannot be copied into another process.
    """
    modules = {owner.__module__: None for owner in cls.__mro__}
    with ExitStack() as stack:
        for name in modules:
            importable = name.partition(".")[0] in ("dslab", "__main__", *sys.stdlib_module_names)
            if name in sys.modules and not importable and name not in cloudpickle.list_registry_pickle_by_value():
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

