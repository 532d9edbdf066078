"""`python -m dslab release`: the students' version of an assignment, ours or nbgrader's.

Solutions become stubs, hidden tests are cut, cells with hidden checks are left out, and it is made sure that no line
of any of them is left anywhere in the notebook.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dslab.grading import regions
from dslab.grading.arguments import Parser
from dslab.grading.assignment import NBGRADER_STUB, assignment_of
from dslab.grading.intake import HandInError, hand_in_of, read_notebook

_TEXT_STUB = ("YOUR ANSWER HERE",)
_SCHEME_MARKS = "=== BEGIN MARK SCHEME ===", "=== END MARK SCHEME ==="  # for those who mark

# Shorter lines ("return False", "for entry in log:") are nobody's secret, and neither are signatures and imports.
_SECRET = 20  # characters without white space
_NO_SECRET = re.compile(r"\s*(?:###|@|(?:async\s+def|def|class|import|from)\s)")

Cell = dict[str, Any]


class ReleaseError(Exception):
    """An assignment that cannot be released; the text is one sentence."""


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _keys(cell: Cell, name: str) -> dict[str, Any]:
    keys = cell["metadata"].get(name)
    return keys if isinstance(keys, dict) else {}


def _name(cell: Cell, number: int) -> str:
    return str(cell.get("id") or _keys(cell, "nbgrader").get("grade_id") or f"number {number}")


def _is_answer(cell: Cell) -> bool:
    role = _keys(cell, "dslab").get("role")
    return role == "answer" or (role is None and bool(_keys(cell, "nbgrader").get("solution")))


def _is_check(cell: Cell) -> bool:
    role = _keys(cell, "dslab").get("role")
    return role == "check" or (role is None and not _is_answer(cell) and bool(_keys(cell, "nbgrader").get("grade")))


def _is_kept_out(cell: Cell) -> bool:
    """Whether students do not get the cell at all."""
    return bool(_keys(cell, "dslab").get("hidden")) or "solution" in cell["metadata"].get("tags", ())


def _given_out(cell: Cell) -> str:
    """A cell's text as students get it.

    Raises:
        RegionError: a region does not open or close where it must.
    """
    text = regions.without(regions.without_hidden_tests(cell["source"]), *_SCHEME_MARKS)
    if not _is_answer(cell):
        return text
    stub: Sequence[str] = (regions.DEFAULT_STUB,) if _keys(cell, "dslab") else NBGRADER_STUB
    stub = _TEXT_STUB if cell["cell_type"] == "markdown" else stub
    # As nbgrader does: without markers the whole cell is the solution.
    return regions.stub_of(text, stub) if regions.has_solution(text) else "\n".join(stub)


def _released(cell: Cell, text: str) -> Cell:
    cell = copy.deepcopy(cell)
    cell["source"] = text
    metadata, keys = cell["metadata"], _keys(cell, "nbgrader")
    if cell["cell_type"] == "code" and (_is_answer(cell) or _is_check(cell)):
        cell["outputs"], cell["execution_count"] = [], None
    if _is_answer(cell) or _is_check(cell):
        metadata["deletable"] = False
    if _is_answer(cell) and _keys(cell, "dslab"):
        metadata["dslab"]["stub"] = regions.fingerprint(text)
    if _is_check(cell) or keys.get("locked"):
        metadata["editable"] = False
        if keys:
            keys["locked"] = True
    return cell


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            # Jupyter stores a text as its lines; put together it is one text again.
            waiting += ["".join(one)] if all(isinstance(part, str) for part in one) else one


def _secrets(cells: Sequence[Cell], texts: Sequence[str | None]) -> Iterator[tuple[int, str]]:
    """Lines that students must not see, with the index of their cell.

    A line that the author also wrote in the open is no secret, unless it stands between the marks of a solution.
    """
    in_the_open = _squeezed("\n".join(text for text in texts if text is not None))
    for index, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        solution = regions.solution_lines(cell["source"]) if _is_answer(cell) else []
        kept = set((text or "").split("\n"))
        for line in cell["source"].split("\n"):
            bare = _squeezed(line)
            if len(bare) < _SECRET or _NO_SECRET.match(line) or line in kept:
                continue
            if line in solution or bare not in in_the_open:
                yield index, line


def _leak(cells: Sequence[Cell], texts: Sequence[str | None], notebook: dict[str, Any]) -> str:
    """The first secret line that the students' version has, as one sentence; or nothing."""
    places = [(f'the cell "{_name(cell, number)}"', _squeezed("\n".join(_strings(cell))))
              for number, cell in enumerate(notebook["cells"], start=1)]  # fmt: skip
    places.append(("the notebook's metadata", _squeezed("\n".join(_strings(notebook["metadata"])))))
    for index, line in _secrets(cells, texts):
        for place, shown in places:
            if _squeezed(line) in shown:
                secret = "solution" if _is_answer(cells[index]) else "hidden check"
                owner = f'the {secret} of "{_name(cells[index], index + 1)}"'
                return f"{place} shows a line of {owner}, {line.strip()!r}: take it out there, or out of the {secret}"
    return ""


def student_version(notebook: dict[str, Any]) -> dict[str, Any]:
    """What students get of an assignment.

    Args:
        notebook: the instructor's, as JSON data; it stays as it is.

    Raises:
        ReleaseError: it is the students' already, a region does not close, or a line of a solution would be left.
        HandInError: it has no answer cell or no check.
    """
    hand_in = hand_in_of(notebook)
    assignment_of(hand_in, "")
    cells = [{**cell.raw, "source": cell.source, "metadata": cell.raw.get("metadata", {})} for cell in hand_in.cells]
    metadata = copy.deepcopy(hand_in.metadata)
    ours = metadata.get("dslab")
    if isinstance(ours, dict) and ours.get("kind") == "student":
        raise ReleaseError("this is the students' version already: give the instructor's")
    texts: list[str | None] = []
    for number, cell in enumerate(cells, start=1):
        try:
            if not _is_answer(cell) and regions.has_solution(cell["source"]):
                words = "has a solution but is no answer cell: mark it as one, or take the marks out"
                raise ReleaseError(f'the cell "{_name(cell, number)}" {words}')
            texts.append(None if _is_kept_out(cell) else _given_out(cell))
        except regions.RegionError as error:
            raise ReleaseError(f'the cell "{_name(cell, number)}", line {error.line}: {error}') from None
        lines = [line.strip() for line in cell["source"].split("\n")]
        for begin, end in (regions.HIDDEN_MARKS, _SCHEME_MARKS):
            if lines.count(begin) != lines.count(end):
                raise ReleaseError(f'the cell "{_name(cell, number)}" has a "{begin}" without "{end}", or one too many')
    if isinstance(ours, dict):
        ours["kind"] = "student"
    result = {key: value for key, value in notebook.items() if key not in ("cells", "metadata")}
    kept = [_released(cell, text) for cell, text in zip(cells, texts, strict=True) if text is not None]
    result |= {"cells": kept, "metadata": metadata}
    leak = _leak(cells, texts, result)
    if leak:
        raise ReleaseError(leak)
    return result


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Which cells differ between two releases, one sentence each."""
    old, new = ({_name(cell, number): cell["source"] for number, cell in enumerate(one["cells"], start=1)}
                for one in (before, after))  # fmt: skip
    found = [f'the cell "{name}" is new' for name in new if name not in old]
    found += [f'the cell "{name}" is gone' for name in old if name not in new]
    found += [f'the cell "{name}" has changed' for name in new if name in old and new[name] != old[name]]
    return found


def _earlier(target: Path) -> dict[str, Any] | None:
    """The release that stands there, if it is a notebook."""
    try:
        hand_in = read_notebook(target)
    except HandInError:
        return None
    return {"cells": [{**cell.raw, "source": cell.source, "metadata": {}} for cell in hand_in.cells]}


def release(path: Path, folder: Path) -> list[str]:
    """Writes the students' version of the notebook at `path` into a folder; what to tell, line by line.

    Raises:
        ReleaseError, HandInError: it cannot be released.
        OSError: it cannot be written.
    """
    read_notebook(path)  # the limits, and one sentence for whatever is no notebook
    made = student_version(json.loads(path.read_bytes().decode("utf-8-sig")))
    target = folder / path.name
    if target.resolve() == path.resolve():
        raise ReleaseError("--out is the folder of the instructor's notebook: name another one")
    earlier = _earlier(target)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [cell | {"source": cell["source"].splitlines(keepends=True)} for cell in made["cells"]]
    text = json.dumps(made | {"cells": lines}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    part = target.with_name(target.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(target)
    if earlier is None:
        return [f"{target}: released"]
    found = changes(earlier, made)
    told = f"{len(found)} cells differ from the earlier release" if len(found) != 1 else "1 cell differs"
    return [f"{target}: released; {told if found else 'no cell differs from the earlier release'}",
            *(f"  {one}" for one in found)]  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Releases assignments; returns 0, or 1 if one of them could not be, or 2 after a mistake in the arguments."""
    parser = Parser(prog="python -m dslab release", description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="INSTRUCTOR.ipynb")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where the students' version goes")
    options: argparse.Namespace = parser.parse_args(sys.argv[1:] if argv is None else list(argv))
    names = [path.name for path in options.notebooks]
    if len(set(names)) < len(names):
        print("two of these notebooks have the same name: rename one, or release them one by one", file=sys.stderr)
        return 2
    good = True
    for path in options.notebooks:
        try:
            print("\n".join(release(path, options.out)))
        except (ReleaseError, HandInError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            good = False
        except OSError as error:
            print(f"{options.out}: nothing can be written there ({error.strerror})", file=sys.stderr)
            return 2
    return 0 if good else 1
