"""An assignment with three exercises, and hand-ins made from it."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest

from dslab.authoring.notebooks import instructor_notebook, student_notebook
from dslab.authoring.source import parse_source
from dslab.grading.assignment import assignment_of
from dslab.grading.intake import hand_in_of

EXERCISE = """
# %% name="NAME-exercise" tags=["exercise"]
def NAME(a, b):
    ### BEGIN SOLUTION
    return a OPERATOR b
    ### END SOLUTION

# %% name="NAME-mutant-one" tags=["mutant"] property="x"
# %% name="NAME-mutant-two" tags=["mutant"] property="x"
# %% name="NAME-check" tags=["check"] points=2 title="NAME of small numbers"
equal(NAME(6, 3), SMALL)

# %% name="NAME-hidden" tags=["hidden"] points=1
assert NAME(600, 300) == LARGE, "the unseen case of NAME"
"""

SOURCE = """\
# %% name="setup"
base = 0
def equal(got, wanted):
    assert got == wanted, f"wanted {wanted}. You gave {got}. The rest is detail."

# %% name="play" tags=["play"]
from_play = 1
"""


def exercise(name, operator, small, large):
    text = EXERCISE.replace("NAME", name).replace("OPERATOR", operator)
    return text.replace("SMALL", small).replace("LARGE", large)


PARTS = [
    exercise("add", "+", "9", "900"),
    exercise("sub", "-", "3", "300"),
    exercise("mul", "*", "18", "180000"),
]
RIGHT = {
    "add": "def add(a, b):\n    return a + b",
    "sub": "def sub(a, b):\n    return a - b",
    "mul": "def mul(a, b):\n    return a * b",
}


class Course:
    """The assignment, and hand-ins written as files."""

    def __init__(self, folder: Path) -> None:
        source = parse_source(Path("01_sums.py"), SOURCE + "".join(PARTS))
        self.folder = folder
        self.handout = json.loads(json.dumps(student_notebook(source)))
        self.instructor = json.loads(json.dumps(instructor_notebook(source)))
        self.assignment_path = folder / "instructor.ipynb"
        self.assignment_path.write_text(json.dumps(self.instructor), encoding="utf-8")
        self.assignment = assignment_of(hand_in_of(self.instructor), "01-sums")
        self.right = dict(RIGHT)

    def notebook(self, answers=None, change=None):
        """The handout with answers filled in, as plain data, changed by `change(cells by id, notebook)`."""
        notebook = copy.deepcopy(self.handout)
        cells = {cell["id"]: cell for cell in notebook["cells"]}
        for name, text in (answers or {}).items():
            cells[f"{name}-exercise"]["source"] = text
        if change is not None:
            change(cells, notebook)
        return notebook

    def hand_in(self, answers=None, change=None):
        return hand_in_of(self.notebook(answers, change))

    def with_check(self, cell_id, text):
        """The assignment with another text in one check."""
        cells = tuple(replace(cell, text=text) if cell.id == cell_id else cell for cell in self.assignment.cells)
        return replace(self.assignment, cells=cells)

    def write(self, place, answers=None, change=None):
        """A hand-in file below the folder "class"."""
        path = self.folder / "class" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.notebook(answers, change)), encoding="utf-8")
        return path


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path)
