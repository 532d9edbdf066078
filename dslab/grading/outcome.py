"""What nbval says of a cell; by itself, because few processes need pytest and nbval, which take long to load."""

from __future__ import annotations

from dataclasses import dataclass


class NbvalError(Exception):
    """pytest could not run the notebook at all; the text has its last words."""


@dataclass(frozen=True)
class Outcome:
    """What became of one cell: "passed", "error", "timeout", "crashed" or "not run"."""

    what: str
    ename: str = ""
    evalue: str = ""
