"""The rules that a source must obey; each breach is one sentence that says what to write instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from dslab.authoring.cells import Source, SourceCell
from dslab.grading import regions

FLOW_TAGS = ("why", "predict", "play", "explain", "exercise", "check", "experiment", "reflect", "reading")
BUILD_TAGS = ("solution", "mutant", "hidden")
KEYS = ("name", "tags", "points", "property", "catalogue", "title")

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SKIP = re.compile(r"skip-[a-z0-9]+(?:-[a-z0-9]+)*")
_ROLES = ("exercise", "check", "hidden", "mutant", "solution")

Mistake = tuple[SourceCell, str, int]


def check_header(kind: str, keys: dict[str, Any]) -> str | None:
    """What is wrong with a cell's `# %%` line, or None."""
    if "incorrectly_encoded_metadata" in keys:
        return 'the "# %%" line cannot be read: write [markdown] first, then key="value" pairs'
    name = keys.get("name")
    if not isinstance(name, str):
        return 'the cell has no name: write name="topic-what-it-is" in its "# %%" line'
    if not _NAME.fullmatch(name) or len(name) > 64:
        return f'the name "{name}" is no cell id: use lower case, digits and single hyphens, at most 64 signs'
    for key in keys:
        if key not in KEYS:
            return f'the cell "{name}" has the unknown key "{key}": known are {", ".join(KEYS)}'
    if kind not in ("code", "markdown"):
        return f'the cell "{name}" is of type {kind}: only code and markdown are built'
    tags = keys.get("tags", [])
    if not isinstance(tags, list):
        return f'the tags of "{name}" are not a list: write tags=["check"]'
    for tag in tags:
        if tag not in FLOW_TAGS + BUILD_TAGS and not _SKIP.fullmatch(str(tag)):
            known = ", ".join((*FLOW_TAGS, *BUILD_TAGS, "skip-REASON"))
            return f'the cell "{name}" has the unknown tag "{tag}": known are {known}'
    return None


def _names(source: Source) -> Iterator[Mistake]:
    seen: dict[str, int] = {}
    for cell in source.cells:
        if cell.name in seen:
            yield (
                cell,
                f'the name "{cell.name}" is taken by the cell at line {seen[cell.name]}: rename one',
                0,
            )
        seen.setdefault(cell.name, cell.line)
        if cell.is_code("exercise") and not cell.name.endswith("-exercise"):
            yield (
                cell,
                f'the exercise "{cell.name}" must be named after its id, as in "raft-vote-exercise"',
                0,
            )


def _role(cell: SourceCell) -> Iterator[str]:
    mine = [tag for tag in _ROLES if tag in cell.tags]
    if len(mine) > 1:
        yield f'the cell "{cell.name}" is tagged both {mine[0]} and {mine[1]}: keep one'
    if cell.kind == "markdown" and ({"mutant", "hidden"} & set(cell.tags) or "points" in cell.keys):
        yield f'the Markdown cell "{cell.name}" is a mutant, hidden or has points: make it a code cell'
    if cell.kind == "markdown" or not mine:
        return
    role, points = mine[0], cell.keys.get("points")
    if role in ("check", "hidden", "mutant") and not cell.exercise:
        yield (
            f'the {role} "{cell.name}" belongs to no exercise: start its name with the id of one,'
            ' as in "raft-vote-check" for "raft-vote-exercise"'
        )
    number = isinstance(points, int | float) and not isinstance(points, bool) and points > 0
    if role in ("check", "hidden") and not number:
        yield f'the {role} "{cell.name}" has no points: write points=2 in its "# %%" line'
    if role == "mutant" and not isinstance(cell.keys.get("property"), str):
        yield f'the mutant "{cell.name}" names no property at which it must fail: write property="..."'


def _roles(source: Source) -> Iterator[Mistake]:
    for cell in source.cells:
        for words in _role(cell):
            yield cell, words, 0


def _regions(source: Source) -> Iterator[Mistake]:
    for cell in source.cells:
        try:
            has = regions.has_solution(cell.text)
            if cell.is_code("exercise") and not has:
                yield cell, f'the exercise "{cell.name}" has no solution: mark it with "{regions.BEGIN}"', 0
            if has and not cell.is_code("exercise"):
                yield cell, f'the cell "{cell.name}" has a solution region: only exercises may', 0
            if regions.DEFAULT_STUB in regions.stub_of(cell.text).split("\n"):
                words = f'the solution region of "{cell.name}" stands at the top level'
                yield (
                    cell,
                    f'{words}, where the default stub would stop Run All: add "{regions.STUB}" lines',
                    0,
                )
        except regions.RegionError as error:
            yield cell, f'in the cell "{cell.name}" {error}', error.line


def _exercises(source: Source) -> Iterator[Mistake]:
    for cell in source.tagged("exercise"):
        mutants = source.tagged("mutant", cell.exercise)
        if len(mutants) < 2:
            words = f'the exercise "{cell.name}" has {len(mutants)} of at least two mutants'
            yield cell, f"{words}: add wrong answers that students really give", 0
        checks = source.tagged("check", cell.exercise)
        if not checks:
            yield cell, f'the exercise "{cell.name}" has no check: add "{cell.exercise}-check"', 0
        total = sum(check.keys["points"] for check in checks + source.tagged("hidden", cell.exercise))
        points = cell.keys.get("points", total)
        if points != total:
            words = f'the exercise "{cell.name}" promises {points} points and its checks give {total}'
            yield cell, f"{words}: make them equal", 0


def _code(source: Source) -> Iterator[Mistake]:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    for cell in source.cells:
        if cell.kind != "code":
            continue
        try:
            compile(TransformerManager().transform_cell(cell.text), cell.name, "exec", flags)
        except SyntaxError as error:
            yield cell, f'the cell "{cell.name}" is not Python: {error.msg}', error.lineno or 0
        if cell.text.rstrip().endswith(";"):
            # IPython hides the value only for cells in its history, and nbval's are not.
            yield cell, f'the cell "{cell.name}" ends in ";", which nbval does not obey: end it otherwise', 0


def first_mistake(source: Source) -> Mistake | None:
    """The first breach: the cell, the sentence, and the line in the cell's text (0 is its header)."""
    for rule in (_names, _roles, _regions, _exercises, _code):
        for mistake in rule(source):
            return mistake
    return None
