"""Tells a student where the notebook stands: its visible checks, in a clean kernel, from the top."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from dslab.grading import sandbox, worker
from dslab.grading.assignment import assignment_of
from dslab.grading.grade import grade_notebook
from dslab.grading.intake import HandInError, read_notebook

_SENTENCES = 2


def _first_sentences(text: str) -> str:
    parts = re.split(r"(?<=[.!?])\s+", " ".join(text.split()))
    return " ".join(parts[:_SENTENCES])


def _line(check: dict[str, Any]) -> str:
    if check["status"] == "passed":
        return f"  {check['title']}: passed"
    words = _first_sentences(check.get("message", ""))
    place = f"line {check['line']} of your answer" if "line" in check else ""
    where = f" ({place}: {check['code'].strip()})" if place and place not in words else ""
    return f"  {check['title']}: {check['status']}; {words}{where}"


def standing(path: Path, timeout: float = 10.0) -> list[str]:
    """Lines of text: each visible check, the count, and a hint for what is not answered yet.

    Args:
        timeout: seconds that the answers may use in one cell.

    Raises:
        HandInError: the notebook cannot be read or has no exercises.
    """
    notebook = read_notebook(path)
    assignment = assignment_of(notebook, path.stem)
    layers = tuple(layer.name for layer in sandbox.probe() if layer.works)
    graded = grade_notebook(assignment, notebook, path.stem, seconds=timeout, layers=layers, run=worker.run_answers)
    result = graded["json"]
    if "problem" in result:
        raise HandInError(result["problem"])
    lines = [_line(check) for check in result["checks"]]
    present = {check.id for check in assignment.checks}
    lost = [name for name in assignment.expected if name not in present]
    lines += [
        f"  {name}: this check is no longer in the notebook; the grader has its own copy" for name in lost
    ]
    passed = sum(check["status"] == "passed" for check in result["checks"])
    seen = sum(check["max_points"] for check in result["checks"])
    lines.append(
        f"visible checks: {passed} of {len(result['checks']) + len(lost)} passed,"
        f" {seen} of {result['max_points']} points can be seen here"
        f" ({result['points']} of these {seen} are yours)"
    )
    waiting = sorted({check["exercise"] for check in result["checks"] if check["status"] == "missing"})
    if waiting:
        lines.append(f"not answered yet: {', '.join(waiting)}; write the answer into the cell with that name")
    return lines
