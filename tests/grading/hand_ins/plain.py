"""Answers without a grader, and with it: what two ways of running them have to agree on."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Mapping
from dataclasses import replace

from dslab.grading import sandbox, worker
from dslab.grading.assignment import Assignment


def plainly(assignment: Assignment, answers: Mapping[str, str], exercise: str) -> list[str]:
    """The checks of one exercise that pass in one plain namespace, as in a notebook that nobody distrusts.

    Args:
        answers: source text by exercise; others stay as they were given out.
    """
    os.environ["DSLAB_GRADING"] = os.environ["DSLAB_HIDDEN_CHECK"] = "1"  # what a check says is not read here
    names: dict[str, object] = {"__name__": "__main__"}
    passed = []
    for cell in assignment.cells:
        if cell.role == "check" and cell.exercise != exercise:
            continue
        text = answers.get(cell.exercise, cell.text) if cell.role == "answer" else cell.text
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, f"<{cell.id}>", "exec"), names)
            if cell.role == "check":
                passed.append(cell.id)
    return passed


def graded(assignment: Assignment, data: bytes, exercise: str) -> list[str]:
    """The checks of one exercise that pass in the grader, for a hand-in file."""
    layers = tuple(layer.name for layer in sandbox.probe() if layer.works)
    cells = tuple(cell for cell in assignment.cells if cell.exercise in ("", exercise))
    result = worker.grade_task(worker.Task(replace(assignment, cells=cells), "mutant", data, 30.0, layers))
    return [check["id"] for check in result["json"]["checks"] if check["status"] == "passed"]
