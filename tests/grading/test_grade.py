"""Status, points and message of each check, from what became of its cells."""

from __future__ import annotations

import contextlib
import io
import json

import pytest

from dslab.grading import grade
from dslab.grading.run import NbvalError, Outcome

DEAD = ("crash()", "hang()")


def run_here(notebook, **_):
    """What run_notebook returns, without pytest and a kernel; crash() and hang() end the run."""
    outcomes, names, ended = {}, {}, False
    for cell in notebook.cells:
        if ended:
            outcomes[cell.id] = Outcome("not run")
            continue
        ended = any(word in cell.source for word in DEAD)
        if ended:
            outcomes[cell.id] = Outcome("crashed" if "crash()" in cell.source else "timeout")
            continue
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(cell.source, cell.id, "exec"), names)
            outcomes[cell.id] = Outcome("passed")
        except Exception as error:
            outcomes[cell.id] = Outcome("error", type(error).__name__, str(error))
    return outcomes


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.setattr(grade, "run_notebook", run_here)


def graded(course, answers, change=None):
    return grade.grade_notebook(course.assignment, course.hand_in(answers, change), "anna")


def statuses(result):
    return {check["id"]: check["status"] for check in result.checks}


def check(result, name):
    return next(one for one in result.checks if one["id"] == name)


def test_right_answers_get_all_points(course):
    """Visible and hidden."""
    result = graded(course, course.right)
    assert result.points == result.max_points == 9
    assert set(statuses(result).values()) == {"passed"} and not result.flags


ANSWERS = [
    pytest.param("def add(a, b):\n    return 0", "wrong", "wanted 9. You gave 0.", id="wrong value"),
    pytest.param(
        "def add(a, b):\n    return c", "error", "NameError: name 'c' is not defined (graded", id="name"
    ),
    pytest.param("def add(a):\n    return a", "error", "TypeError: add() takes 1", id="signature"),
    pytest.param("def add(a, b:\n    return", "error", "answer cell stops with SyntaxError", id="syntax"),
    pytest.param("1 / 0", "error", "answer cell stops with ZeroDivisionError", id="raises at once"),
    pytest.param("def add(a, b):\n    raise MemoryError", "memory", "more memory", id="memory"),
    pytest.param(
        "def add(a, b):\n    raise NotImplementedError", "missing", "not answered yet", id="still a stub"
    ),
    pytest.param("crash()", "crashed", "ended the kernel", id="crash"),
    pytest.param("hang()", "timeout", "did not end in time", id="endless"),
]


@pytest.mark.parametrize(("answer", "status", "words"), ANSWERS)
def test_a_bad_answer_costs_its_own_exercise_only(course, answer, status, words):
    """Its visible check says why; the other exercises keep their points, whatever it did."""
    result = graded(course, course.right | {"add": answer})
    assert result.points == 6
    assert check(result, "add-check")["status"] == status
    assert words in check(result, "add-check")["message"]
    assert check(result, "add-hidden")["status"] == status


def test_two_exercises_that_end_the_kernel_leave_the_third(course):
    """Each is taken out in its turn."""
    result = graded(course, course.right | {"add": "hang()", "sub": "crash()"})
    assert result.points == 3
    assert statuses(result)["mul-hidden"] == "passed"
    assert {statuses(result)[name] for name in ("add-check", "sub-check")} == {"timeout", "crashed"}


def test_hidden_checks_say_nothing_but_status_and_points(course):
    """Neither their message nor a line; visible ones do."""
    result = graded(course, course.right | {"add": "def add(a, b):\n    return 9"})
    assert check(result, "add-hidden") == {
        "id": "add-hidden", "exercise": "add", "title": "add-hidden", "status": "wrong", "points": 0,
        "max_points": 1, "hidden": True,
    }  # fmt: skip
    assert "unseen case" not in json.dumps(result.as_json())


def test_an_untouched_answer_is_missing(course):
    """Not wrong: the hint is another one."""
    result = graded(course, {"add": course.right["add"]})
    assert result.points == 3
    assert statuses(result)["sub-check"] == statuses(result)["sub-hidden"] == "missing"
    assert "as it was given out" in check(result, "sub-check")["message"]


def test_a_missing_answer_cell_costs_its_exercise_only(course):
    """And says so."""

    def change(cells, notebook):
        notebook["cells"].remove(cells["add-exercise"])

    result = graded(course, {"sub": course.right["sub"]}, change)
    assert result.points == 3
    assert "no answer cell" in check(result, "add-check")["message"]


def test_a_notebook_of_something_else_is_one_sentence(course):
    """No answer cell at all."""

    def change(cells, notebook):
        notebook["cells"] = [{"cell_type": "markdown", "metadata": {}, "source": "my diary"}]

    result = graded(course, {}, change)
    assert result.points == 0 and "no answer cell was found" in result.problem


def test_a_run_that_cannot_start_is_one_sentence(course, monkeypatch):
    """The others are graded all the same."""

    def fail(*_, **__):
        raise NbvalError("no kernel")

    monkeypatch.setattr(grade, "run_notebook", fail)
    assert graded(course, course.right).problem == "no kernel"


def test_messages_are_plain_and_bounded():
    """No colours, no control characters, no addresses that differ from run to run."""
    assert grade.plain("\x1b[31mred\x1b[0m\x07 <A at 0x7f00deadbeef>\r") == "red <A at 0x…>"
    assert len(grade.plain("x" * 10_000)) == grade.MAX_MESSAGE


def test_a_plain_assert_shows_its_line():
    """nbgrader's checks have no text of their own."""
    traceback = "\x1b[0;32m----> 1\x1b[0m \x1b[38;5;28;01massert\x1b[39;00m f(2) == 4"
    assert (
        grade.message_of(Outcome("error", "AssertionError", "", traceback))
        == "this does not hold: assert f(2) == 4"
    )


def test_the_line_of_the_answer_is_found_in_the_traceback():
    """The innermost arrow that points at a line of the student's own."""
    answer = "def f(x):\n    return g(x)\ndef g(x):\n    return 1 / x"
    traceback = "----> 1 f(0)\n----> 2     return g(x)\n----> 4     return 1 / x\n--> 912     library()"
    outcome = Outcome("error", "ZeroDivisionError", "", traceback)
    assert grade.failing_line(outcome, answer) == {"line": 4, "code": "return 1 / x"}
    assert grade.failing_line(Outcome("error", traceback="--> 99 x"), answer) == {}
