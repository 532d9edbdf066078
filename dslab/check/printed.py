"""What an answer prints while it is checked: the beginning of what one run printed, not that of hundreds."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator

LINES, CHARACTERS = 40, 4_000  # most to show


class Printed(io.TextIOBase):
    """Stands in for standard output; keeps the beginning of what was written since the last run began."""

    def __init__(self) -> None:
        self.text, self.lines, self.characters = "", 0, 0

    def write(self, text: str) -> int:
        self.text += text[: max(0, CHARACTERS - len(self.text))]
        self.lines += text.count("\n")
        self.characters += len(text)
        return len(text)

    def begin(self) -> None:
        """Forgets what was printed: another run begins."""
        self.text, self.lines, self.characters = "", 0, 0

    def state(self) -> tuple[str, int, int]:
        """What it holds, for `restore`."""
        return self.text, self.lines, self.characters

    def restore(self, state: tuple[str, int, int]) -> None:
        """Holds what it held once."""
        self.text, self.lines, self.characters = state

    def shown(self) -> str:
        """What to show of it."""
        kept = "".join(self.text.splitlines(keepends=True)[:LINES])
        if len(kept) == self.characters:
            return kept
        return f"{kept.rstrip()}\n... ({self.lines:,} lines in this run; these are the first)\n"


@contextlib.contextmanager
def held_back() -> Iterator[Printed]:
    """While inside, what is printed is kept; at the end the beginning of the last run's is printed."""
    printed = Printed()
    try:
        with contextlib.redirect_stdout(printed):
            yield printed
    finally:
        sys.stdout.write(printed.shown())
