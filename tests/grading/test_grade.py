"""Status, points and message of each check, over a real kernel: what a hand-in's report says."""

from __future__ import annotations

import json

import pytest

from dslab.grading import grade, sandbox, worker
from dslab.grading.outcome import Outcome

LAYERS = tuple(layer.name for layer in sandbox.probe() if layer.works)


@pytest.fixture(scope="module", autouse=True)
def _worker():
    yield
    worker.close()


def graded(course, answers, change=None, timeout=5.0):
    data = json.dumps(course.notebook(answers, change)).encode()
    return worker.grade_task(worker.Task(course.assignment, "anna", data, timeout, LAYERS))


def statuses(result):
    return {check["id"]: check["status"] for check in result["json"]["checks"]}


def check(result, name):
    return next(one for one in result["json"]["checks"] if one["id"] == name)


def test_right_answers_get_all_points(course):
    """Visible and hidden."""
    result = graded(course, course.right)
    assert result["json"]["points"] == result["json"]["max_points"] == 9
    assert set(statuses(result).values()) == {"passed"} and not result["json"]["flags"]
    assert result["answers"] == course.right and "testsuite" in result["junit"]


ANSWERS = [
    pytest.param("def add(a, b):\n    return 0", "wrong", "wanted 9. You gave 0.", id="wrong value"),
    pytest.param("def add(a, b):\n    return c", "error", "NameError: name 'c' is not defined (put", id="name"),
    pytest.param("def sum(a, b):\n    return a + b", "error", "the answer does not define it", id="other name"),
    pytest.param("def add(a):\n    return a", "error", "TypeError: add() takes 1", id="signature"),
    pytest.param("def add(a, b:\n    return", "error", "answer cell stops with SyntaxError", id="syntax"),
    pytest.param("1 / 0", "error", "answer cell stops with ZeroDivisionError", id="raises at once"),
    pytest.param("def add(a, b):\n    raise MemoryError", "memory", "more memory", id="memory"),
    pytest.param("x = bytearray(10**11)", "memory", "more memory", id="memory at once"),
    pytest.param("def add(a, b):\n    raise NotImplementedError", "missing", "not answered yet", id="still a stub"),
    pytest.param("import os\nos._exit(0)", "crashed", "answer cell ended the process", id="exit"),
    pytest.param("import os\ndef add(a, b):\n    os._exit(0)", "crashed", "answer ended the process", id="exit later"),
    pytest.param("import sys\nsys.exit(0)", "error", "SystemExit", id="sys.exit"),
    pytest.param("while True: pass", "timeout", "answer cell did not end in time", id="endless"),
    pytest.param("def add(a, b):\n    while True: pass", "timeout", "answer did not end in time", id="endless later"),
    pytest.param("import ctypes\nctypes.string_at(0)", "crashed", "ended the process", id="segmentation fault"),
    pytest.param("raise KeyboardInterrupt", "error", "KeyboardInterrupt", id="interrupt"),
]


@pytest.mark.parametrize(("answer", "status", "words"), ANSWERS)
def test_a_bad_answer_costs_its_own_exercise_only(course, answer, status, words):
    """Its visible check says why; the other exercises keep their points, whatever it did."""
    result = graded(course, course.right | {"add": answer}, timeout=1.0)
    assert result["json"]["points"] == 6
    assert check(result, "add-check")["status"] == status
    assert words in check(result, "add-check")["message"]
    assert check(result, "add-hidden")["status"] == status


def test_two_exercises_that_end_the_process_leave_the_third(course):
    """Each is taken out in its turn."""
    answers = {"add": "def add(a, b):\n    while True: pass", "sub": "import os\nos.abort()"}
    result = graded(course, course.right | answers, timeout=1.0)
    assert result["json"]["points"] == 3 and statuses(result)["mul-hidden"] == "passed"
    assert {statuses(result)[name] for name in ("add-check", "sub-check")} == {"timeout", "crashed"}


def test_a_function_that_ends_for_some_arguments_keeps_those_points(course):
    """The second check of an exercise gets its own try."""
    answer = "def add(a, b):\n    while a < 100: pass\n    return a + b"
    result = graded(course, course.right | {"add": answer}, timeout=1.0)
    assert statuses(result)["add-check"] == "timeout" and statuses(result)["add-hidden"] == "passed"


def test_a_failed_check_tells_the_call_and_the_values(course):
    """And the line of the answer where it raised."""
    answers = {"add": "def add(a, b):\n    return a", "sub": "def sub(a, b):\n    return a / (b - 3)"}
    result = graded(course, course.right | answers)
    add, sub = check(result, "add-check"), check(result, "sub-check")
    assert (add["call"], add["got"]) == ("add(6, 3)", "6")
    assert (sub["line"], sub["code"]) == (2, "return a / (b - 3)") and sub["got"].startswith("raises ZeroDivisionError")


def test_hidden_checks_say_nothing_but_status_and_points(course):
    """Neither their message nor a line; visible ones do."""
    result = graded(course, course.right | {"add": "def add(a, b):\n    return 9"})
    assert check(result, "add-hidden") == {
        "id": "add-hidden", "exercise": "add", "title": "add-hidden", "status": "wrong", "points": 0,
        "max_points": 1, "hidden": True,
    }  # fmt: skip
    assert "unseen case" not in json.dumps(result["json"])


def test_an_untouched_answer_is_missing(course):
    """Not wrong: the hint is another one."""
    result = graded(course, {"add": course.right["add"]})
    assert result["json"]["points"] == 3
    assert statuses(result)["sub-check"] == statuses(result)["sub-hidden"] == "missing"
    assert "as it was given out" in check(result, "sub-check")["message"]


def test_a_missing_answer_cell_costs_its_exercise_only(course):
    """And says so."""

    def change(cells, notebook):
        notebook["cells"].remove(cells["add-exercise"])

    result = graded(course, {"sub": course.right["sub"]}, change)
    assert result["json"]["points"] == 3
    assert "no answer cell" in check(result, "add-check")["message"]


def test_a_notebook_of_something_else_is_one_sentence(course):
    """No answer cell at all."""

    def change(cells, notebook):
        notebook["cells"] = [{"cell_type": "markdown", "metadata": {}, "source": "my diary"}]

    result = graded(course, {}, change)["json"]
    assert result["points"] == 0 and "no answer cell was found" in result["problem"]


def test_a_run_that_cannot_start_is_one_sentence(course, monkeypatch):
    """The others are graded all the same."""

    def fail(*_, **__):
        raise worker.NbvalError("no kernel")

    monkeypatch.setattr(worker, "run_answers", fail)
    assert graded(course, course.right)["json"]["problem"] == "no kernel"


def test_a_check_that_never_ends_costs_its_exercise_only(course, monkeypatch):
    """The grader's own kernel is replaced, and the rest of the notebook run again."""
    assert graded(course, course.right)["json"]["points"] == 9  # all that takes long to start is there now
    monkeypatch.setattr(worker, "CELL_FACTOR", 0)
    monkeypatch.setattr(worker, "CELL_EXTRA", 8.0)
    text = "class Endless:\n    def __iter__(self): return self\n    def __next__(self): return 1\n"
    assignment = course.with_check("add-check", "for _ in add(6, 3): pass")
    data = json.dumps(course.notebook(course.right | {"add": text + "def add(a, b):\n    return Endless()"})).encode()
    result = worker.grade_task(worker.Task(assignment, "anna", data, 30.0, LAYERS))
    assert statuses(result)["add-check"] == "timeout"
    assert result["json"]["points"] == 6
    assert graded(course, course.right)["json"]["points"] == 9


def test_what_was_refused_is_flagged(course):
    """As something odd, with the exercise; an honest hand-in has no such flag."""
    answer = "import os\ndef add(a, b):\n    try: os.fork()\n    except OSError: pass\n    return a + b"
    result = graded(course, course.right | {"add": answer})["json"]
    assert result["points"] == 9
    assert [(flag["kind"], "os.fork" in flag["text"]) for flag in result["flags"]] == [("refused-call", True)]
    in_hidden = "import os\ndef add(a, b):\n    try: a > 100 and os.fork()\n    except OSError: pass\n    return a + b"
    flags = graded(course, course.right | {"add": in_hidden})["json"]["flags"]
    assert flags == []  # they would tell what that check asks


def test_two_runs_give_the_same(course):
    """Byte for byte, whatever the kernel graded between them."""
    draw = "[random.random(), random.SystemRandom().random()]"
    answers = course.right | {"add": f"import random\ndef add(a, b):\n    return {{1, 'x', (2,)}}, {draw}"}
    first = graded(course, answers)
    graded(course, {})
    assert json.dumps(first, sort_keys=True) == json.dumps(graded(course, answers), sort_keys=True)


def test_messages_are_plain_and_bounded():
    """No colours, no control characters, no addresses that differ from run to run."""
    assert grade.plain("\x1b[31mred\x1b[0m\x07 <A at 0x7f00deadbeef>\r") == "red <A at 0x…>"
    assert len(grade.plain("x" * 10_000)) == grade.MAX_MESSAGE


def test_an_outcome_is_told_in_a_sentence():
    """The text of a check's own error; of another one its class too."""
    assert grade.message_of(Outcome("error", "CheckFailed", "so it is")) == "so it is"
    assert grade.message_of(Outcome("error", "ValueError", "no")) == "ValueError: no"
    assert grade.message_of(Outcome("error", "AssertionError", "")) == "AssertionError"


def test_a_check_that_does_not_listen_is_ended(course, monkeypatch):
    """A loop of C code cannot be interrupted: its kernel is killed, and the other exercises are graded in a new one."""
    assert graded(course, course.right)["json"]["points"] == 9
    monkeypatch.setattr(worker, "CELL_FACTOR", 0)
    monkeypatch.setattr(worker, "CELL_EXTRA", 8.0)
    assignment = course.with_check("add-check", "add(6, 3)\nsum(range(10**15))")
    data = json.dumps(course.notebook(course.right)).encode()
    result = worker.grade_task(worker.Task(assignment, "anna", data, 30.0, LAYERS))
    assert result["json"]["points"] == 6 and statuses(result)["add-check"] in ("timeout", "crashed")


def test_an_answer_that_takes_the_kernel_down_every_time_ends_too(course, monkeypatch):
    """Each turn leaves one answer out, so there is a last one."""
    runs = []

    def crash(bench, notebook, work, limit):
        runs.append(notebook)
        cells = [cell.id for cell in notebook.cells]
        at = cells.index("add-exercise")
        found = {name: Outcome("passed" if number < at else "not run") for number, name in enumerate(cells)}
        return found | {"add-exercise": Outcome("crashed")}, ""

    monkeypatch.setattr("dslab.grading.plugin.Bench.run", crash)
    result = graded(course, course.right)["json"]
    assert result["points"] == 0 and len(runs) == 2
    assert {check["status"] for check in result["checks"]} == {"crashed", "not run"}


HALVES = [
    "def add(a, b):\n    raise ValueError('\\ud800')",
    "def add(a, b):\n    print('\\ud800')\n    return 5",
    "def add(a, b):\n    return '\\ud800'",
    "class E(Exception): pass\nE.__name__ = '\\ud800'\ndef add(a, b):\n    raise E",
    "raise ValueError('\\ud800')",
]


@pytest.mark.parametrize("answer", HALVES)
def test_an_error_that_cannot_be_told_is_an_error(course, answer):
    """The kernel cannot send a text with half a character, and nbval takes silence for a pass."""
    result = graded(course, course.right | {"add": answer})
    assert result["json"]["points"] == 6, result["json"]
    assert {check(result, name)["status"] for name in ("add-check", "add-hidden")} <= {"wrong", "error"}


def test_a_check_has_passed_only_if_it_came_to_its_end(course):
    """Not because nothing was heard of an error."""
    assignment = course.with_check("add-check", "raise ValueError('\\ud800')")
    data = json.dumps(course.notebook(course.right)).encode()
    result = worker.grade_task(worker.Task(assignment, "anna", data, 5.0, LAYERS))
    assert statuses(result)["add-check"] == "error" and result["json"]["points"] == 7
