"""An assignment is our instructor notebook, an nbgrader notebook, or a student's own."""

from __future__ import annotations

import pytest

from dslab.grading.assignment import assignment_of
from dslab.grading.intake import HandInError, hand_in_of
from dslab.grading.merge import merge


def cell(source, grade_id=None, cell_id=None, **keys):
    metadata = {}
    if grade_id:
        metadata["nbgrader"] = {"grade_id": grade_id, "schema_version": 3, "task": False, **keys}
    made = {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    return made | ({"id": cell_id} if cell_id else {})


SQUARE = "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION"
TEST = "assert square(2) == 4\n### BEGIN HIDDEN TESTS\nassert square(9) == 81\n### END HIDDEN TESTS"


def nbgrader(square=SQUARE, test=TEST):
    cells = [
        cell("import math"),
        cell(square, "square", "1a2b3c", grade=False, solution=True, locked=False),
        cell(
            "assert square(1) == 1",
            "test_square_one",
            "4d5e6f",
            grade=True,
            solution=False,
            locked=True,
            points=1,
        ),
        cell(test, "test_square_more", "7a8b9c", grade=True, solution=False, locked=True, points=2.5),
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def test_an_nbgrader_notebook_is_an_assignment():
    """Roles from its keys; a check belongs to the answer before it; hidden tests hide the check."""
    assignment = assignment_of(hand_in_of(nbgrader()), "hw1")
    assert [(one.id, one.role) for one in assignment.cells] == [
        ("cell-0", "setup"), ("square", "answer"), ("test_square_one", "check"),
        ("test_square_more", "check"),
    ]  # fmt: skip
    assert [(one.exercise, one.points, one.hidden) for one in assignment.checks] == [
        ("square", 1, False), ("square", 2.5, True),
    ]  # fmt: skip
    assert assignment.total == 3.5
    assert "x * x" not in assignment.answers[0].text


def test_an_nbgrader_hand_in_is_merged():
    """By cell id; the release's stub counts as untouched, and its check without hidden tests as unchanged."""
    assignment = assignment_of(hand_in_of(nbgrader()), "hw1")
    release = nbgrader(
        "def square(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()", "assert square(2) == 4\n"
    )
    merged = merge(assignment, hand_in_of(release))
    assert merged.untouched == {"square"} and merged.flags == ()


TASK = {"grade": False, "solution": False, "locked": True, "task": True, "points": 4.0}


def test_nbgraders_task_is_marked_by_hand():
    """Its points count, and what the student wrote below it, up to the next cell of the assignment, is the answer."""
    notebook = nbgrader()
    task = cell("Find a use for it.", "use", "0c1d2e", **TASK) | {"cell_type": "markdown"}
    notebook["cells"].insert(2, task)
    assignment = assignment_of(hand_in_of(notebook), "hw1")
    check = next(one for one in assignment.checks if one.by_hand)
    assert (check.id, check.points, check.task, assignment.total) == ("use", 4, True, 7.5)
    assert merge(assignment, hand_in_of(notebook)).answers.get("use") is None
    notebook["cells"][3:3] = [cell("tiles = square(3)"), cell("print(tiles)")]
    assert merge(assignment, hand_in_of(notebook)).answers["use"] == "tiles = square(3)\n\nprint(tiles)"


def test_an_answer_without_markers_never_runs_as_the_solution():
    """nbgrader takes the whole cell for the solution then."""
    assignment = assignment_of(hand_in_of(nbgrader("def square(x): return x * x")), "hw1")
    assert "x * x" not in assignment.answers[0].text


def test_a_students_own_notebook_knows_what_it_cannot_see(course):
    """The points of hidden checks are in its metadata."""
    own = assignment_of(course.hand_in(course.right), "01-sums")
    assert own.total == 9
    assert [check.id for check in own.checks] == ["add-check", "sub-check", "mul-check"]
    assert {one.text for one in own.answers} == set(course.right.values())


@pytest.mark.parametrize("points", ["many", None, -1, True, 1e300, float("nan")])
def test_points_that_are_no_number_count_nothing(points):
    """An assignment is somebody's file, too."""
    notebook = nbgrader()
    notebook["cells"][2]["metadata"]["nbgrader"]["points"] = points
    assert assignment_of(hand_in_of(notebook), "hw1").total == 2.5


@pytest.mark.parametrize(("index", "words"), [(1, "no answer cell"), (slice(2, 4), "no check")])
def test_a_notebook_without_exercises_is_refused(index, words):
    """One sentence."""
    notebook = nbgrader()
    del notebook["cells"][index]
    with pytest.raises(HandInError, match=words):
        assignment_of(hand_in_of(notebook), "hw1")


def test_an_open_region_is_named():
    """Cell and line."""
    with pytest.raises(HandInError, match='cell "square", line 2'):
        assignment_of(hand_in_of(nbgrader(SQUARE.replace("### END SOLUTION", ""))), "hw1")
