"""Puts a student's answers, and nothing else of theirs, into the instructor copy."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from dslab.grading import regions
from dslab.grading.assignment import Assignment, Cell
from dslab.grading.intake import HandIn, HandInCell, flag
from dslab.grading.names import defined_classes, defined_names, import_statements

if TYPE_CHECKING:
    import nbformat

OPEN = "dslab-open"  # id of the first cell of a merged notebook

# Comments with which a cell tells nbval not to judge it; an answer's never reach nbval.
_NBVAL_COMMENT = re.compile(r"^[ \t]*#+[ \t]*(?:NBVAL|PYTEST_VALIDATE)_[A-Z_]+[ \t]*$", re.MULTILINE)

MAX_ANSWER = 200_000  # characters
MAX_OWN = 200_000  # characters of the student's own cells together


@dataclass(frozen=True)
class Merged:
    """A student's answers by exercise, those left as given out, what was odd, and the student's own other cells."""

    answers: dict[str, str]
    untouched: frozenset[str]
    flags: tuple[dict[str, str], ...]
    own: tuple[str, ...] = ()


def _ways(answer: Cell) -> list[tuple[str, Callable[[HandInCell], bool]]]:
    return [
        (
            "its cell id",
            lambda cell: (
                cell.id == answer.cell_id is not None and cell.dslab.get("role", "answer") == "answer"
            ),
        ),
        (
            "its dslab metadata",
            lambda cell: (
                cell.dslab.get("exercise") == answer.exercise and cell.dslab.get("role", "answer") == "answer"
            ),
        ),
        ("its nbgrader grade_id", lambda cell: cell.grade_id == answer.grade_id is not None),
        ("its marker line", lambda cell: answer.exercise in regions.marked_exercises(cell.source)),
    ]


def _find(
    answer: Cell, stub: str, cells: tuple[HandInCell, ...]
) -> tuple[HandInCell | None, list[dict[str, str]]]:
    """The student's cell for one answer, by the first way that finds any."""
    claims: list[HandInCell] = []
    first_way = ""
    for way, matches in _ways(answer):
        known = set(map(id, claims))
        found = [cell for cell in cells if matches(cell) and id(cell) not in known]
        if found and not claims:
            first_way = way
        claims += found
    if not claims:
        return None, [
            flag("answer-missing", f"no cell for the answer to {answer.exercise} was found", answer.id)
        ]
    flags = []
    chosen = claims[0]
    if first_way != "its cell id":
        flags.append(
            flag("answer-restored", f"the answer to {answer.exercise} was found by {first_way}", answer.id)
        )
    if len(claims) > 1:
        # A pulled correction can leave the untouched original too: an answer goes before a stub.
        chosen = next((cell for cell in claims if regions.fingerprint(cell.source) != stub), claims[0])
        text = f"{len(claims)} cells claim to be the answer to {answer.exercise}"
        used = claims.index(chosen) + 1
        flags.append(flag("answer-duplicate", f"{text}; number {used} was used", answer.id))
    if chosen.kind != "code":
        text = f"the answer to {answer.exercise} stood in a {chosen.kind} cell and was run as code"
        flags.append(flag("answer-cell-type", text, answer.id))
    return chosen, flags


def _check_flags(assignment: Assignment, cells: tuple[HandInCell, ...]) -> list[dict[str, str]]:
    """Visible checks that the student's copy has changed or lost; their own text is never run."""
    flags = []
    theirs: dict[str, list[str]] = {}
    for cell in cells:
        for name in {cell.id, cell.grade_id}:
            if name is not None:
                theirs.setdefault(name, []).append(regions.fingerprint(cell.source))
    for check in assignment.checks:
        if check.id not in assignment.expected or check.by_hand:
            continue
        known = [name for name in (check.cell_id, check.grade_id) if name in theirs]
        if not known:
            flags.append(flag("check-missing", f"the check {check.id} is missing from the hand-in", check.id))
        elif regions.fingerprint(check.handout) not in theirs[known[0]]:
            flags.append(
                flag("check-changed", f"the check {check.id} was changed; the original was run", check.id)
            )
    return flags


def merge(assignment: Assignment, hand_in: HandIn) -> Merged:
    """Finds each answer by cell id, dslab metadata, nbgrader grade_id, then marker line."""
    answers: dict[str, str] = {}
    untouched = set()
    flags = list(hand_in.flags)
    for answer in assignment.answers:
        stub = assignment.stubs[answer.exercise]
        cell, odd = _find(answer, stub, hand_in.cells)
        flags += odd
        if cell is None:
            continue
        text = cell.source
        if len(text) > MAX_ANSWER:
            sentence = (
                f"the answer to {answer.exercise} has {len(text)} characters; at most {MAX_ANSWER} are run"
            )
            flags.append(flag("answer-too-long", sentence, answer.id))
            continue
        if _NBVAL_COMMENT.search(text):
            flags.append(
                flag(
                    "nbval-comment",
                    f"an nbval comment in the answer to {answer.exercise} had no effect",
                    answer.id,
                )
            )
        if regions.fingerprint(text) == stub:
            untouched.add(answer.exercise)
        answers[answer.exercise] = text
    for check in assignment.checks:
        if check.by_hand and check.exercise not in assignment.stubs:
            text = _to_read(check, hand_in.cells)
            answers |= {check.exercise: text[:MAX_ANSWER]} if text else {}
    flags += _check_flags(assignment, hand_in.cells)
    return Merged(answers, frozenset(untouched), tuple(flags), _own(assignment, hand_in.cells, answers))


def _to_read(check: Cell, cells: tuple[HandInCell, ...]) -> str:
    """The text for which somebody gives the points of a check; nothing if it is missing."""
    mine = [
        i
        for i, one in enumerate(cells)
        if check.grade_id == one.grade_id is not None or check.cell_id == one.id is not None
    ]
    if not mine or not check.task:
        return cells[mine[0]].source if mine else ""
    below = takewhile(lambda cell: cell.grade_id is None and not cell.dslab, cells[mine[0] + 1 :])
    return "\n\n".join(cell.source for cell in below)


def _own(assignment: Assignment, cells: tuple[HandInCell, ...], answers: Mapping[str, str]) -> tuple[str, ...]:
    """Code cells that the student wrote, changed or split off an answer: an answer may use what they define."""
    known = {*assignment.given, *assignment.stubs.values(), *map(regions.fingerprint, answers.values())}
    own, left = [], MAX_OWN
    for cell in cells:
        if cell.kind == "code" and cell.source.strip() and regions.fingerprint(cell.source) not in known:
            left -= len(cell.source)
            own += [cell.source] if left >= 0 else []
    return tuple(own)


def _code_cell(cell_id: str, text: str) -> dict[str, Any]:
    return {"cell_type": "code", "id": cell_id, "metadata": {}, "source": text, "outputs": [], "execution_count": None}


def _begin(assignment: Assignment, seconds: float) -> str:
    texts = [cell.text for cell in assignment.cells if cell.role == "setup"] + list(assignment.solutions.values())
    imports = sorted({statement for text in texts for statement in import_statements(text)})
    return (
        "from dslab.grading.session import dslab_grade\n"
        f"dslab_grade.open(imports={imports!r}, seconds={seconds:g})"
    )


def _setup(cell: Cell) -> str:
    return _with_first_line(f"dslab_grade.setup({cell.id!r}, {cell.text!r})", cell.text)


def _check(cell: Cell) -> str:
    text = _with_first_line(f"dslab_grade.check({cell.id!r}, hidden={cell.hidden})", cell.text)
    return f"{text}\ndslab_grade.checked()"


def _with_first_line(line: str, text: str) -> str:
    """A cell with one more line; a cell magic must stay the first one."""
    if not text.startswith("%%"):
        return f"{line}\n{text}"
    magic, _, rest = text.partition("\n")
    return f"{magic}\n{line}\n{rest}"


def merged_notebook(
    assignment: Assignment,
    answers: Mapping[str, str],
    *,
    seconds: float = 10.0,
    only: Collection[str] | None = None,
    own: Sequence[str] = (),
) -> nbformat.NotebookNode:
    """The notebook that nbval runs: set-up, answers (the stub where one is missing) and checks.

    An answer is an argument of a call here, not code: the kernel that runs this notebook sends it to another process.

    Args:
        answers: source text by exercise.
        seconds: that the student's code may use in one cell.
        only: exercises whose checks run, and what stands before the last of them; None means all.
        own: other cells of the student's; those that an answer needs are run before it.
    """
    begin = _begin(assignment, seconds) + (f"\ndslab_grade.own({list(own)!r})" if own else "")
    cells = [_code_cell(OPEN, begin)]
    wanted = [i for i, one in enumerate(assignment.cells) if one.role == "check" and only and one.exercise in only]
    for cell in assignment.cells[: wanted[-1] + 1 if wanted else None]:
        if cell.role == "setup":
            text = _setup(cell)
        elif cell.role == "answer":
            solution = assignment.solutions[cell.exercise]
            arguments = [repr(cell.id), repr(answers.get(cell.exercise, cell.text))]
            arguments += [f"names={defined_names(solution)!r}"]
            classes = defined_classes(solution)
            arguments += [f"classes={classes!r}"] if classes else []
            imports = "\n".join(import_statements(solution))
            arguments += [f"imports={imports!r}"] if imports else []
            text = f"dslab_grade.answer({', '.join(arguments)})"
        elif cell.by_hand or (only is not None and cell.exercise not in only):
            continue
        else:
            text = _check(cell)
        cells.append(_code_cell(cell.id, text))
    import nbformat  # here, because it takes long to load

    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
    return nbformat.from_dict(notebook)  # nbformat's own constructors check the whole schema for each cell
