"""An assignment: the cells to run, which of them are answers, which are checks and what those are worth.

Read from our own instructor notebook, from any nbgrader notebook (cell metadata schema 3), or from a
student's own notebook, which then knows its visible checks only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dslab.grading import regions
from dslab.grading.intake import HandIn, HandInCell, HandInError, read_notebook

Points = int | float

# What nbgrader puts in the place of a solution.
NBGRADER_STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")

_VALID_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Cell:
    """One code cell to run. `text` is what runs; an answer's is its stub until something is merged in."""

    id: str
    role: str  # "setup", "answer" or "check"
    text: str
    exercise: str = ""
    title: str = ""
    points: Points = 0
    hidden: bool = False
    handout: str = ""  # a check as the student sees it
    by_hand: bool = False  # a check that no program makes: nbgrader's tasks, and cells with both `grade` and `solution`
    task: bool = False  # nbgrader's cell that only says what to do: what the student adds below it is the answer
    cell_id: str | None = None  # what the file has, which need not be valid or there at all
    grade_id: str | None = None


@dataclass(frozen=True)
class Assignment:
    """What a hand-in is merged into.

    Attributes:
        cells: code cells in order.
        stubs: fingerprint of each answer cell as it was given out, by exercise.
        solutions: each answer as the instructor wrote it, by exercise.
        total: points of the whole assignment; more than its checks have when hidden ones are not here.
        expected: ids of the checks that the handout had.
        given: fingerprints of the code cells that the handout had, answers left out.
    """

    name: str
    cells: tuple[Cell, ...]
    stubs: dict[str, str]
    solutions: dict[str, str]
    total: Points
    expected: tuple[str, ...]
    given: tuple[str, ...] = ()

    @property
    def answers(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.role == "answer"]

    @property
    def checks(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.role == "check"]


def number(value: Any) -> Points:
    """Points as written: 2 stays 2, 2.0 becomes 2, anything that is no number is 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        return 0
    return int(value) if value == int(value) else value


def _role(cell: HandInCell, ours: bool) -> str:
    """Our role if the notebook is ours, else nbgrader's: `grade` without `solution` is a check.

    A cell without a role in a notebook of ours is a student's addition, which no grader sees.
    """
    role = cell.dslab.get("role", "demo" if ours else None)
    if role in ("answer", "check", "setup", "demo"):
        return str(role)
    nbgrader = cell.raw.get("metadata", {}).get("nbgrader", {})
    if isinstance(nbgrader, dict) and nbgrader.get("solution"):
        return "answer"
    return "check" if isinstance(nbgrader, dict) and nbgrader.get("grade") else "setup"


def _check(cell: HandInCell, cell_id: str, exercise: str) -> Cell:
    nbgrader = cell.raw["metadata"].get("nbgrader", {})
    points = nbgrader.get("points", 0) if isinstance(nbgrader, dict) else 0
    return Cell(
        id=cell_id,
        role="check",
        text=cell.source,
        exercise=str(cell.dslab.get("exercise", exercise)),
        title=str(cell.dslab.get("title", cell_id)),
        points=number(points),
        hidden=bool(cell.dslab.get("hidden")) or regions.has_hidden_tests(cell.source),
        handout=regions.without_hidden_tests(cell.source),
    )


def _by_hand(cell: HandInCell, cell_id: str) -> Cell | None:
    """The points for an answer that somebody reads, or None."""
    nbgrader = cell.raw.get("metadata", {}).get("nbgrader", {})
    if not isinstance(nbgrader, dict):
        return None
    task = bool(nbgrader.get("task"))
    if not task and not (nbgrader.get("grade") and nbgrader.get("solution")):
        return None
    own_id = f"{cell_id}-by-hand"[:64] if cell.kind == "code" else cell_id
    exercise, points = cell.grade_id or cell_id, number(nbgrader.get("points", 0))
    return Cell(own_id, "check", "", exercise, cell_id, points, by_hand=True, task=task)


def _answer(cell: HandInCell, cell_id: str) -> tuple[Cell, str]:
    """An answer cell and the fingerprint of its stub."""
    exercise = str(cell.dslab.get("exercise", cell.grade_id or cell_id))
    if isinstance(cell.dslab.get("stub"), str):
        # A student's own notebook: the stub itself may be gone, its fingerprint is not.
        return Cell(cell_id, "answer", cell.source, exercise), cell.dslab["stub"]
    default = (regions.DEFAULT_STUB,) if cell.dslab else NBGRADER_STUB
    # As nbgrader does: without markers the whole cell is the solution.
    marked = regions.has_solution(cell.source)
    stub = regions.stub_of(cell.source, default) if marked else "\n".join(default)
    return Cell(cell_id, "answer", stub, exercise), regions.fingerprint(stub)


def _cell_id(cell: HandInCell, index: int, taken: set[str]) -> str | None:
    """A valid id for running and reporting; None for a copy of an earlier cell: the first one counts."""
    for candidate in (cell.grade_id, cell.id):
        if candidate is not None and _VALID_ID.fullmatch(candidate):
            return None if candidate in taken else candidate
    return f"cell-{index}"


def assignment_of(notebook: HandIn, name: str) -> Assignment:
    """The assignment in `notebook`; cells with the role "demo" are left out, the grader never runs them.

    Raises:
        HandInError: it has no answer cell or no check.
    """
    mine = notebook.metadata.get("dslab")
    ours = mine if isinstance(mine, dict) else {}
    cells: list[Cell] = []
    stubs: dict[str, str] = {}
    solutions: dict[str, str] = {}
    exercise = ""
    taken: set[str] = set()
    for index, source in enumerate(notebook.cells):
        role = _role(source, bool(ours))
        cell_id = _cell_id(source, index, taken)
        if cell_id is not None and not ours and (by_hand := _by_hand(source, cell_id)):
            cells.append(replace(by_hand, cell_id=source.id, grade_id=source.grade_id))
        if source.kind != "code" or role == "demo" or cell_id is None:
            continue
        taken.add(cell_id)
        if role == "answer":
            try:
                cell, stub = _answer(source, cell_id)
            except regions.RegionError as error:
                raise HandInError(f'its cell "{cell_id}", line {error.line}: {error}') from None
            exercise = cell.exercise
            if exercise in stubs:
                continue
            stubs[exercise], solutions[exercise] = stub, source.source
        elif role == "check":
            cell = _check(source, cell_id, exercise)
        else:
            cell = Cell(cell_id, "setup", source.source)
        cells.append(replace(cell, cell_id=source.id, grade_id=source.grade_id))
    result = Assignment(str(ours.get("name", name)), tuple(cells), stubs, solutions, 0, ())
    if not result.answers or not result.checks:
        what = "answer cell" if not result.answers else "check"
        raise HandInError(
            f'it has no {what} (cell metadata "dslab" or "nbgrader"): give a notebook made by'
            ' "python -m dslab build", or one made for nbgrader'
        )
    total = number(ours.get("points")) or number(sum(check.points for check in result.checks))
    expected = ours.get("checks")
    names = (
        tuple(map(str, expected))
        if isinstance(expected, list)
        else tuple(check.id for check in result.checks)
    )
    code = [cell.source for cell in notebook.cells if cell.kind == "code"]
    given = dict.fromkeys(regions.fingerprint(regions.without_hidden_tests(text)) for text in code)
    return replace(result, total=total, expected=names, given=tuple(given))


def read_assignment(path: Path) -> Assignment:
    """The assignment in the notebook file at `path`.

    Raises:
        HandInError: the file cannot be read, or has no answer cell or no check.
    """
    return assignment_of(read_notebook(path), path.stem)
