"""What a cell of a notebook needs where there is no notebook: magics, what it prints, the names it takes and gives."""

from __future__ import annotations

import importlib
import io
import symtable
from collections.abc import Callable
from typing import Any

MAX_PRINTED = 20_000  # characters an answer may print between two replies


class Printed(io.TextIOBase):
    """What an answer prints, up to a limit."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.left = MAX_PRINTED

    def write(self, text: str) -> int:
        kept = whole(str(text)[: max(0, self.left)])
        self.left -= len(kept)
        if kept:
            self.parts.append(kept)
        return len(text)

    def writable(self) -> bool:
        return True

    def taken(self) -> str:
        """What was printed since the last time."""
        text, self.parts, self.left = "".join(self.parts), [], MAX_PRINTED
        return text


class NoShell:
    """Stands where IPython's shell would be: magics of the display kind have no effect here."""

    def __init__(self, run: Callable[[str], Any]) -> None:
        self._run = run

    def run_line_magic(self, name: str, line: str, *_: Any) -> None:
        """Runs the line of %time; other magics have no effect."""
        if name == "time":
            self._run(line)

    def run_cell_magic(self, name: str, line: str, cell: str) -> Any:
        """Runs the cell of %%time and the like as it is; other magics have no effect."""
        return self._run(cell) if name in ("time", "timeit", "capture", "prun") else None

    def system(self, command: str) -> list[str]:
        """Starts nothing, and says so; the lines that a program would have printed are none."""
        print("the grader starts no programs for an answer")
        return []

    getoutput = system


def without_magics(text: str) -> str:
    """A cell with IPython's magics as calls; the same one if it has none."""
    if not any(line.lstrip()[:1] in ("%", "!", "?") or "= %" in line or "= !" in line for line in text.split("\n")):
        return text
    transform = importlib.import_module("IPython.core.inputtransformer2").TransformerManager().transform_cell
    return str(transform(text))


def names_in(text: str) -> tuple[set[str], set[str]]:
    """The names that a cell defines at its top level, and those that it or its functions take from there."""
    try:
        waiting = [symtable.symtable(without_magics(text), "cell", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), set()
    top = waiting[0].get_symbols()
    defined = {one.get_name() for one in top if one.is_assigned() or one.is_imported() or one.is_namespace()}
    needed: set[str] = set()
    while waiting:
        table = waiting.pop()
        needed |= {one.get_name() for one in table.get_symbols()
                   if one.is_referenced() and (one.is_global() or table.get_type() == "module")}  # fmt: skip
        waiting += table.get_children()
    return defined, needed - defined


def whole(text: str) -> str:
    """Text that can be written down: half a character becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")
