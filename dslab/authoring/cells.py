"""What a source is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class BuildError(Exception):
    """A mistake in a source; its text is one sentence that starts with file and line."""

    def __init__(self, path: Path, line: int, text: str) -> None:
        super().__init__(f"{path.name}, line {line}: {text}")


@dataclass(frozen=True)
class SourceCell:
    """One cell of a source; `line` is that of its `# %%`."""

    kind: str  # "code" or "markdown"
    name: str
    text: str
    line: int
    tags: tuple[str, ...] = ()
    exercise: str = ""
    keys: dict[str, Any] = field(default_factory=dict)

    def is_code(self, tag: str) -> bool:
        return self.kind == "code" and tag in self.tags

    @property
    def skipped(self) -> bool:
        return any(tag.startswith("skip-") for tag in self.tags)


@dataclass(frozen=True)
class Source:
    """A source file that obeys all the rules above."""

    path: Path
    name: str  # "02-consensus", the notebook's file name without its ending
    cells: tuple[SourceCell, ...]

    def tagged(self, tag: str, exercise: str | None = None) -> list[SourceCell]:
        """The code cells with `tag`, of one exercise or of all."""
        return [cell for cell in self.cells if cell.is_code(tag) and exercise in (None, cell.exercise)]

    @property
    def exercises(self) -> list[str]:
        return [cell.exercise for cell in self.tagged("exercise")]

    @property
    def points(self) -> int | float:
        return sum(cell.keys["points"] for cell in self.tagged("check") + self.tagged("hidden"))

    def error(self, cell: SourceCell, text: str, line: int = 0) -> BuildError:
        """An error at a cell's header, or at `line` of its text, counted from 1."""
        return BuildError(self.path, cell.line + line, text)
