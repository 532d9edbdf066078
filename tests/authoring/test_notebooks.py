"""What the student's and the instructor's notebooks hold, before anything runs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from dslab.authoring.notebooks import instructor_notebook, student_notebook
from dslab.authoring.source import parse_source
from dslab.grading import regions


@pytest.fixture
def source(text):
    return parse_source(Path("01_small_sum.py"), text)


def cell(notebook, name):
    return next(one for one in notebook.cells if one.id == name)


def test_the_handout_has_stubs_and_nothing_else_of_the_answers(source):
    """Solution regions become stubs; mutants, hidden and solution cells are left out."""
    student = student_notebook(source)
    assert [one.id for one in student.cells] == [
        "sum-why", "sum-setup", "sum-play", "sum-add-statement", "sum-add-exercise", "sum-add-check",
        "sum-later",
    ]  # fmt: skip
    assert cell(student, "sum-add-exercise").source == (
        "# ---- exercise: sum-add (write your answer in this cell) ----\n"
        "def add(a, b):\n"
        '    """The sum of a and b."""\n'
        "    # both numbers count\n"
        '    raise NotImplementedError("write your answer here")'
    )


def test_the_instructor_has_solutions_and_hidden_checks(source):
    """And no mutants: they are proofs, not parts of an assignment."""
    instructor = instructor_notebook(source)
    names = [one.id for one in instructor.cells]
    assert {"sum-add-hidden", "sum-solution"} <= set(names)
    assert not any("mutant" in name for name in names)
    assert "the_sum_of_both_numbers = a + b" in cell(instructor, "sum-add-exercise").source
    assert cell(instructor, "sum-add-hidden").metadata["dslab"]["hidden"] is True


@pytest.mark.parametrize("make", [student_notebook, instructor_notebook])
def test_both_are_valid_and_readable_by_nbgrader(source, make):
    """nbformat 4.5, ids from names, our keys beside nbgrader's schema 3."""
    notebook = make(source)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    answer, check = cell(notebook, "sum-add-exercise").metadata, cell(notebook, "sum-add-check").metadata
    assert answer["dslab"]["role"] == "answer" and answer["dslab"]["exercise"] == "sum-add"
    assert check["dslab"] == {"role": "check", "exercise": "sum-add", "title": "Small sums"}
    assert cell(notebook, "sum-setup").metadata["dslab"] == {"role": "setup"}
    assert cell(notebook, "sum-play").metadata["dslab"] == {"role": "demo"}
    assert answer["nbgrader"] == {
        "schema_version": 3, "grade_id": "sum-add-exercise", "grade": False, "solution": True,
        "locked": False, "task": False,
    }  # fmt: skip
    assert check["nbgrader"]["grade"] and check["nbgrader"]["locked"] and check["nbgrader"]["points"] == 2
    assert check["editable"] is False and check["deletable"] is False


def test_a_skip_reason_becomes_nbvals_own_tag(source):
    """What the build does not run, a strict nbval run does not run either."""
    assert cell(student_notebook(source), "sum-later").metadata["tags"] == ["reflect", "nbval-skip"]


def test_stub_lines_keep_the_regions_indentation():
    """Text after `### STUB ` is code at the column of the region; a bare `### STUB` is an empty line."""
    stub = "    ### STUB if a:\n    ### STUB\n    ### STUB     b\n"
    given = f"def f():\n    ### BEGIN SOLUTION\n    x\n{stub}    ### END SOLUTION"
    assert regions.stub_of(given) == "def f():\n    if a:\n\n        b"


def test_a_region_without_stub_lines_asks_for_the_answer():
    """The default stub, at the region's indentation."""
    given = (
        "class A:\n    def f(self):\n        ### BEGIN SOLUTION\n        return 1\n        ### END SOLUTION"
    )
    assert regions.stub_of(given).endswith('\n        raise NotImplementedError("write your answer here")')
    assert regions.solution_lines(given) == ["        return 1"]
