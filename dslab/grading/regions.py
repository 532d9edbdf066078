"""Marked regions of an answer cell: what the reference has and what the student gets instead.

    def grant_vote(server, request):
        ### BEGIN SOLUTION
        return server.term <= request.term
        ### STUB # compare the terms first
        ### STUB raise NotImplementedError("write your answer here")
        ### END SOLUTION

The lines of a region are the reference. What follows `### STUB ` is what stands there in the handout, at the
column of the `###`; a bare `### STUB` is an empty line. Without such lines the region becomes DEFAULT_STUB.
Stub lines are comments, so the reference runs with them in place.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

BEGIN, STUB, END = "### BEGIN SOLUTION", "### STUB", "### END SOLUTION"
DEFAULT_STUB = 'raise NotImplementedError("write your answer here")'

HIDDEN_MARKS = _BEGIN_HIDDEN, _END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
_MARKER = re.compile(r"^[ \t]*# -+ exercise: ([a-z0-9][a-z0-9-]*)\b", re.MULTILINE)


class RegionError(ValueError):
    """A region that does not open or close where it must; `.line` counts from 1 in the cell."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def marker(exercise: str) -> str:
    """The first line of an answer cell: it names the exercise, and finds the answer when ids are lost."""
    return f"# ---- exercise: {exercise} (write your answer in this cell) ----"


def marked_exercises(text: str) -> list[str]:
    """The exercises that marker lines in `text` name, in order."""
    return _MARKER.findall(text)


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Each line as ("given" | "solution" | "stub" | "mark", line)."""
    opened = 0
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.strip()
        if bare == BEGIN:
            if opened:
                raise RegionError(number, f'"{BEGIN}" stands inside the region opened at line {opened}')
            opened = number
            yield "mark", line
        elif bare == END:
            if not opened:
                raise RegionError(number, f'"{END}" has no "{BEGIN}" before it')
            opened = 0
            yield "mark", line
        elif bare == STUB or bare.startswith(STUB + " "):
            if not opened:
                raise RegionError(number, f'"{STUB}" stands outside a solution region')
            yield "stub", line
        else:
            yield ("solution" if opened else "given"), line
    if opened:
        raise RegionError(opened, f'"{BEGIN}" has no "{END}" after it')


def has_solution(text: str) -> bool:
    """Whether `text` contains a solution region."""
    return any(kind == "mark" for kind, _ in _parts(text))


def solution_lines(text: str) -> list[str]:
    """The lines of all solution regions, without their markers and stub lines."""
    return [line for kind, line in _parts(text) if kind == "solution"]


def stub_of(text: str, default: Sequence[str] = (DEFAULT_STUB,)) -> str:
    """What the student gets: every solution region of `text` replaced by its stub, or by the lines `default`.

    Raises:
        RegionError: a region is not closed, or not opened.
    """
    out: list[str] = []
    stub: list[str] = []
    indent, inside = "", False
    for kind, line in _parts(text):
        if kind == "given":
            out.append(line)
        elif kind == "stub":
            code = line.strip()[len(STUB) :].removeprefix(" ")
            stub.append(indent + code if code else "")
        elif kind == "mark" and not inside:
            indent, stub, inside = line[: len(line) - len(line.lstrip())], [], True
        elif kind == "mark":
            out.extend(stub or [indent + line for line in default])
            inside = False
    return "\n".join(out)


def has_hidden_tests(text: str) -> bool:
    """Whether an nbgrader check cell has a part that students must not see."""
    return _BEGIN_HIDDEN in text


def without_hidden_tests(text: str) -> str:
    """An nbgrader check cell as the handout shows it."""
    return without(text, _BEGIN_HIDDEN, _END_HIDDEN)


def without(text: str, begin: str, end: str) -> str:
    """A cell without the lines from each line `begin` to the next line `end`, or to the cell's end."""
    out: list[str] = []
    inside = False
    for line in text.split("\n"):
        inside = inside or line.strip() == begin
        if not inside:
            out.append(line)
        inside = inside and line.strip() != end
    return "\n".join(out)


def fingerprint(text: str) -> str:
    """A short hash of `text` that ignores white space at line ends and around the cell."""
    lines = [line.rstrip() for line in text.strip().split("\n")]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()[:16]
