"""The student's and the instructor's notebook of a source; neither is run here."""

from __future__ import annotations

from typing import Any

import nbformat
from nbformat import NotebookNode

from dslab.authoring.cells import Source, SourceCell
from dslab.grading import regions

_KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}

# nbval does not run a cell with this tag, and neither does the build.
SKIP_TAG = "nbval-skip"


def _role(cell: SourceCell) -> str:
    if "exercise" in cell.tags:
        return "answer"
    if {"check", "hidden"} & set(cell.tags):
        return "check"
    return "demo" if cell.tags else "setup"


def _nbgrader(cell: SourceCell, role: str) -> dict[str, Any]:
    """nbgrader's keys, schema 3: the points of an exercise lie in its checks."""
    keys: dict[str, Any] = {
        "schema_version": 3,
        "grade_id": cell.name,
        "grade": role == "check",
        "solution": role == "answer",
        "locked": role == "check",
        "task": False,
    }
    return keys | ({"points": cell.keys["points"]} if role == "check" else {})


def _metadata(cell: SourceCell) -> dict[str, Any]:
    tags = [tag for tag in cell.tags if not tag.startswith("skip-")] + ([SKIP_TAG] if cell.skipped else [])
    metadata: dict[str, Any] = {"tags": tags} if tags else {}
    if cell.kind == "markdown":
        return metadata
    role = _role(cell)
    metadata["dslab"] = {"role": role}
    if role in ("answer", "check"):
        metadata["dslab"]["exercise"] = cell.exercise
        metadata["nbgrader"] = _nbgrader(cell, role)
        metadata["deletable"] = False
    if role == "check":
        metadata["editable"] = False
        if "title" in cell.keys:
            metadata["dslab"]["title"] = cell.keys["title"]
        if "hidden" in cell.tags:
            metadata["dslab"]["hidden"] = True
    return metadata


def _notebook(source: Source, cells: list[NotebookNode], kind: str) -> NotebookNode:
    metadata: dict[str, Any] = {"kernelspec": dict(_KERNEL), "language_info": {"name": "python"}}
    metadata["dslab"] = {"name": source.name, "kind": kind}
    if source.exercises:
        metadata["dslab"] |= {
            "points": source.points,
            "checks": [cell.name for cell in source.tagged("check")],
        }
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    notebook.nbformat_minor = 5
    return notebook


def _new_cell(cell: SourceCell, text: str, metadata: dict[str, Any]) -> NotebookNode:
    make = nbformat.v4.new_markdown_cell if cell.kind == "markdown" else nbformat.v4.new_code_cell
    return make(text, id=cell.name, metadata=metadata)


def student_notebook(source: Source) -> NotebookNode:
    """The handout: stubs for solutions; no solution, mutant or hidden cell."""
    cells = []
    for cell in source.cells:
        if {"solution", "mutant", "hidden"} & set(cell.tags):
            continue
        text, metadata = cell.text, _metadata(cell)
        if cell.is_code("exercise"):
            text = regions.marker(cell.exercise) + "\n" + regions.stub_of(text)
            metadata["dslab"]["stub"] = regions.fingerprint(text)
        cells.append(_new_cell(cell, text, metadata))
    return _notebook(source, cells, "student")


def instructor_notebook(source: Source) -> NotebookNode:
    """What `grade --assignment` takes: solutions in their regions, and the hidden checks."""
    cells = []
    for cell in source.cells:
        if "mutant" in cell.tags:
            continue
        text = regions.marker(cell.exercise) + "\n" + cell.text if cell.is_code("exercise") else cell.text
        if "hidden" in cell.tags:  # nbgrader too must know what to cut
            text = "\n".join([regions.HIDDEN_MARKS[0], cell.text, regions.HIDDEN_MARKS[1]])
        cells.append(_new_cell(cell, text, _metadata(cell)))
    return _notebook(source, cells, "instructor")
