"""What a check puts in the place of a name, and the random numbers it seeds: the answer meets the same.

A check may delete a function, or put another in its place, to see whether the answer uses it; it may replace `input`
and `print`; it may seed `random` and numpy. Before it calls the answer, the answer's process is told. What a hidden
check has left behind is told to the processes of hidden checks only.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from dslab.grading import wire
from dslab.grading.connection import StudentGone

if TYPE_CHECKING:
    from dslab.grading.connection import Connection

SEEDED = ("random", "numpy.random")  # modules
MAX_BYTES = 100_000  # of a value that is told; a check may use a name of the answer's for anything
BUILTINS = ("input", "print")
GONE = object()  # in the place of a name that a check has deleted


class Seed:
    """A module's function `seed`, which counts its calls."""

    def __init__(self, seed: Callable[..., Any]) -> None:
        self.seed, self.calls = seed, 0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.calls += 1
        return self.seed(*arguments, **named)


class Replaced:
    """The names that both sides have, and what of them a check has changed on this one.

    Args:
        names: the names of the checks.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self._given: dict[str, Any] = {}  # name -> what it stands for
        self._builtins: dict[str, Any] = {}
        self._kept_back: dict[str, Any] = {}  # left behind by hidden checks
        self._calls: dict[str, int] = {}  # module -> calls of `seed` before this check

    def give(self, name: str, value: Any) -> None:
        """Gives a name the value that it has on the other side."""
        self.names[name] = self._given[name] = value

    def define(self, names: Iterable[str]) -> None:
        """Takes over what a cell has defined that ran on both sides."""
        self._given |= {name: self.names[name] for name in names if name in self.names}

    def keep_back(self) -> None:
        """Ends a hidden check: what it leaves behind is no business of visible ones."""
        self._kept_back |= self._changed()

    def begin(self) -> None:
        """Begins a check: what it finds there stands for itself."""
        self._builtins = {name: getattr(builtins, name) for name in BUILTINS}  # a kernel makes an `input` for each cell
        for name in SEEDED:
            if name.partition(".")[0] in sys.modules:
                module: Any = importlib.import_module(name)
                if not isinstance(module.seed, Seed):
                    module.seed = Seed(module.seed)
                self._calls[name] = module.seed.calls

    def _changed(self) -> dict[str, Any]:
        now = {name: self.names.get(name, GONE) for name in self._given}
        return {name: value for name, value in now.items() if value is not self._given[name]}

    def tell(self, connection: Connection, hidden: bool) -> None:
        """Tells a process what has changed since it was told last.

        Args:
            hidden: whether it is one of those that hidden checks have.
        """
        now = self._changed()
        if not hidden:
            now = {name: value for name, value in now.items() if self._kept_back.get(name) is not value}
        for name, was in self._builtins.items():
            if getattr(builtins, name) is not was:
                now[f"builtins.{name}"] = getattr(builtins, name)
        told = connection.replaced
        for name in [name for name, (value, _) in told.items() if name not in now or now[name] is not value]:
            if told.pop(name)[1]:
                connection.request("restore", name)
        for name, value in now.items():
            if name not in told:
                described = _described(connection, value)
                told[name] = value, described is not None
                if described is not None:
                    connection.request("replace", name, described)
        for name, before in self._calls.items():
            module: Any = sys.modules[name]
            calls = getattr(module.seed, "calls", before)
            if calls != before and connection.seeded.get(name) != calls:
                connection.seeded[name] = calls
                state = module.getstate() if name == "random" else module.get_state()
                connection.request("seed", name, state)

    @staticmethod
    def end() -> None:
        """Leaves modules as they were."""
        modules: list[Any] = [sys.modules[name] for name in SEEDED if name in sys.modules]
        for module in modules:
            if isinstance(module.seed, Seed):
                module.seed = module.seed.seed


def _described(connection: Connection, value: Any) -> list[str] | None:
    """A value as it is told, in a list; an empty one for a deleted name; None if it is nothing that can be told."""
    if value is GONE:
        return []
    gone, data = connection.session.gone, b""
    try:
        data = connection.encode(value)
    except (wire.WireError, StudentGone):  # or an object of a process that is gone: no harm if the answer needs it not
        connection.session.gone = gone
    if not 0 < len(data) <= MAX_BYTES:
        connection.generators.clear()
        return None
    return [data.decode("utf-8")]
