"""Each of the four proofs fails when it should.

Here cells run in this process: that nbval's outcomes are read rightly is tests/grading/test_grade.py's matter,
and tests/authoring/test_build.py proves a source with everything real.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dslab.authoring.notebooks import student_notebook
from dslab.authoring.proofs import leaks, prove, unkind_checks
from dslab.authoring.source import parse_source
from dslab.grading.outcome import Outcome

PATH = Path("01_small_sum.py")
KIND = "sum-add is not answered yet"


def handout(source):
    """The student's notebook as if it had been run."""
    student = student_notebook(source)
    for cell in student.cells:
        if cell.id == "sum-add-check":
            cell.outputs = [{"output_type": "stream", "name": "stdout", "text": KIND + "\n"}]
    return student


def run_here(assignment, runs, *_):
    """The outcomes of every run, without pytest, kernels and processes."""
    return [outcomes_here(assignment, run) for run in runs]


def outcomes_here(assignment, run):
    outcomes, names = {}, {}
    for cell in assignment.cells:
        if cell.role == "check" and cell.exercise not in run.exercises:
            continue
        text = run.answers.get(cell.exercise, cell.text) if cell.role == "answer" else cell.text
        try:
            exec(compile(text, cell.id, "exec"), names)
            outcomes[cell.id] = Outcome("passed")
        except Exception as error:
            outcomes[cell.id] = Outcome("error", type(error).__name__, str(error))
    return outcomes


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.setattr("dslab.authoring.proofs._run_all", run_here)
    monkeypatch.setitem(os.environ, "DSLAB_GRADING", "1")


def problems(text):
    source = parse_source(PATH, text)
    return prove(source, handout(source))


def test_a_sound_source_is_proved(text):
    """Reference, stub, mutants and secrecy: nothing to say."""
    assert problems(text) == []


SEEDED = [
    pytest.param(
        "numbers = a + b", "numbers = a + b + 1", 'reference answers the cell "sum-add-check"', id="reference"
    ),
    pytest.param(
        "(1001, 2002, 3003)", "(1, 2, 4)", 'reference answers the cell "sum-add-hidden"', id="hidden check"
    ),
    pytest.param(
        '### STUB raise NotImplementedError("write your answer here")',
        "### STUB return a + b",
        "passes with the untouched stub",
        id="stub that answers",
    ),
    pytest.param("return a - b", "return b + a", 'minus" passes every check', id="mutant that is right"),
    pytest.param(
        '"commutativity"',
        '"log matching"',
        'must fail at "log matching" and fails at "sum-add-check"',
        id="mutant at another property",
    ),
    pytest.param(
        'property="sum-add-hidden"',
        'property="sum-add-check"',
        'capped" must fail at "sum-add-check"',
        id="mutant at another check",
    ),
    pytest.param("return a - b", "return subtract", "NameError", id="mutant that does not run"),
]


@pytest.mark.parametrize(("old", "new", "words"), SEEDED)
def test_a_seeded_fault_is_found(text, old, new, words):
    """One thing wrong in the source; the proof names it."""
    assert old in text
    found = problems(text.replace(old, new, 1))
    assert any(words in one for one in found), found


LEAKS = [
    pytest.param(
        "the_sum_of_both_numbers = a + b", 'of "sum-add-exercise" is in the handout', id="solution line"
    ),
    pytest.param(
        "return a-b # takes away what it should add", '"sum-add-mutant-minus" is in', id="mutant line"
    ),
    pytest.param("[(1001, 2002, 3003)], 'x'", None, id="another text"),
    pytest.param(
        'verify(add, [(1001, 2002, 3003)], "Magnitude for unseen numbers")', "hidden", id="hidden check"
    ),
    pytest.param('explanation_for_instructors = "adding is enough"', "sum-solution", id="solution cell"),
    pytest.param("see sum-add-mutant-capped", 'name of the cell "sum-add-mutant-capped"', id="mutant's name"),
]


@pytest.mark.parametrize(("shown", "words"), LEAKS)
def test_a_leak_is_found_wherever_it_stands(text, shown, words):
    """In an output or in a text, with other white space."""
    source = parse_source(PATH, text)
    for place in ("output", "text"):
        student = handout(source)
        if place == "output":
            output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": shown}}
            next(cell for cell in student.cells if cell.id == "sum-play").outputs = [output]
        else:
            student.cells[0].source += "\n" + shown
        found = leaks(source, student)
        assert any(words in one for one in found) if words else found == []


def test_shared_lines_of_a_hidden_check_are_no_leak(text):
    """An import that stands in the open is no secret because a hidden cell has it too."""
    line = "from collections import OrderedDict"
    more = text.replace("import os\n", f"import os\n{line}\n")
    more = more.replace("verify(add, [(1001", f"{line}\nverify(add, [(1001")
    source = parse_source(PATH, more)
    assert leaks(source, handout(source)) == []


def test_a_call_without_arguments_is_no_leak(text):
    """The name of a helper that an exercise gives is in the open, and so may be its call."""
    call = "self.reset_election_timer()"
    source = parse_source(PATH, text.replace("    the_sum_of", f"    {call}\n    the_sum_of", 1))
    student = handout(source)
    student.cells[0].source += f"\n{call}"
    assert leaks(source, student) == []


def test_a_check_that_says_nothing_kind_is_found(text):
    """On the untouched stub a check prints that it is not answered yet."""
    source = parse_source(PATH, text)
    student = handout(source)
    assert unkind_checks(source, student) == []
    next(cell for cell in student.cells if cell.id == "sum-add-check").outputs = []
    assert any("sum-add-check" in one for one in unkind_checks(source, student))
