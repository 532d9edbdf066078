"""An assignment as nbgrader's own tools make it: cell metadata of schema 3 and nothing of ours."""

from __future__ import annotations

from typing import Any


def cell(grade_id: str, text: str, kind: str = "code", **keys: Any) -> dict[str, Any]:
    """A cell with nbgrader's metadata."""
    metadata = {"schema_version": 3, "grade_id": grade_id, "grade": False, "solution": False, "locked": False}
    made: dict[str, Any] = {"cell_type": kind, "id": grade_id, "source": text}
    made["metadata"] = {"nbgrader": metadata | {"task": False} | keys}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def answer(grade_id: str, text: str) -> dict[str, Any]:
    """An autograded answer."""
    return cell(grade_id, text, solution=True)


def check(grade_id: str, text: str, points: float) -> dict[str, Any]:
    """A locked cell with tests."""
    return cell(grade_id, text, grade=True, locked=True, points=points)


SETUP = """\
import math

SCALE = 10
"""

SQUARES = '''\
def squares(n):
    """The squares of 1 to n.

    n below 1 is a ValueError.
    """
    ### BEGIN SOLUTION
    if n < 1:
        raise ValueError("n must be at least 1")
    return [i ** 2 for i in range(1, n + 1)]
    ### END SOLUTION
'''

SQUARES_TESTS = '''\
"""squares returns the squares of 1 to n"""
assert squares(1) == [1]
assert squares(4) == [1, 4, 9, 16]
### BEGIN HIDDEN TESTS
assert squares(537)[530] == 281961
### END HIDDEN TESTS
'''

SQUARES_ERRORS = """\
try:
    squares(0)
except ValueError:
    pass
else:
    raise AssertionError("did not raise")
"""

MIDDLE = """\
import statistics


def middle(numbers):
    ### BEGIN SOLUTION
    return statistics.median(numbers)
    ### END SOLUTION
"""

MIDDLE_TESTS = """\
from itertools import permutations

for order in permutations([3, 1, 2]):
    assert middle(order) == statistics.median(order)
assert math.isclose(middle([0.5, 1.5]), 1)
"""

MIDDLE_HIDDEN = """\
### BEGIN HIDDEN TESTS
assert middle([847261093, 15, 620394817]) == 620394817
### END HIDDEN TESTS
"""

SCALED = """\
### BEGIN SOLUTION
scaled = [SCALE * n for n in (1, 2, 3)]
### END SOLUTION
"""

SCALED_TESTS = "assert scaled == [10, 20, 30]"


def notebook() -> dict[str, Any]:
    """What `nbgrader generate_assignment` takes: 10 points by tests and 3 by hand."""
    cells = [
        cell("intro", "# Squares and middles", "markdown", locked=True),
        cell("setup", SETUP, locked=True),
        answer("squares", SQUARES),
        check("test-squares", SQUARES_TESTS, 3),
        check("test-squares-errors", SQUARES_ERRORS, 1),
        answer("middle", MIDDLE),
        check("test-middle", MIDDLE_TESTS, 2),
        check("test-middle-hidden", MIDDLE_HIDDEN, 2),
        answer("scaled", SCALED),
        check("test-scaled", SCALED_TESTS, 2),
        cell("why", "Why is the median robust?\n\nOne outlier moves it by one place at most.", "markdown",
             grade=True, solution=True, points=3),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
