"""Answers are found whatever an editor did to the notebook; nothing else of the student's is run."""

from __future__ import annotations

import ast
import copy

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from dslab.grading.merge import MAX_ANSWER, OPEN, merge, merged_notebook

ANSWER = "# ---- exercise: add (write your answer in this cell) ----\ndef add(a, b):\n    return a + b"


def kinds(merged):
    return [flag["kind"] for flag in merged.flags]


def lose_id(cells, notebook):
    cells["add-exercise"]["id"] = "8f3b2c1d"


def lose_all_ids(cells, notebook):
    """As nbformat 4.4 has it."""
    notebook["nbformat_minor"] = 4
    for cell in notebook["cells"]:
        del cell["id"]


def lose_metadata(cells, notebook):
    lose_all_ids(cells, notebook)
    for cell in notebook["cells"]:
        cell["metadata"].pop("dslab", None)


def lose_everything_but_the_marker(cells, notebook):
    lose_metadata(cells, notebook)
    for cell in notebook["cells"]:
        cell["metadata"] = {}


@pytest.mark.parametrize(
    ("change", "way"),
    [
        (None, None),
        (lose_id, "dslab metadata"),
        (lose_all_ids, "dslab metadata"),
        (lose_metadata, "nbgrader grade_id"),
        (lose_everything_but_the_marker, "marker line"),
    ],
)
def test_an_answer_is_found_by_what_is_left(course, change, way):
    """Cell id, dslab metadata, nbgrader's grade_id, marker line: the first that matches."""
    merged = merge(course.assignment, course.hand_in({"add": ANSWER}, change))
    assert merged.answers["add"] == ANSWER
    texts = [flag["text"] for flag in merged.flags if flag["cell"] == "add-exercise"]
    assert texts == ([] if way is None else [f"the answer to add was found by its {way}"])


def add_copy(text, where):
    def change(cells, notebook):
        twin = copy.deepcopy(cells["add-exercise"])
        twin["source"] = text
        at = notebook["cells"].index(cells["add-exercise"])
        notebook["cells"].insert(at + where, twin)

    return change


def test_the_first_of_two_answers_counts(course):
    """And the hand-in is flagged."""
    merged = merge(course.assignment, course.hand_in({"add": ANSWER}, add_copy("def add(a, b): return 0", 1)))
    assert merged.answers["add"] == ANSWER
    assert "answer-duplicate" in kinds(merged)


def test_an_answer_goes_before_an_untouched_copy(course):
    """A pulled correction can put the original beside the student's cell."""
    stub = next(cell["source"] for cell in course.handout["cells"] if cell["id"] == "add-exercise")
    merged = merge(course.assignment, course.hand_in({"add": ANSWER}, add_copy(stub, 0)))
    assert merged.answers["add"] == ANSWER
    assert "answer-duplicate" in kinds(merged) and "add" not in merged.untouched


def test_a_changed_cell_type_is_recovered(course):
    """Markdown by accident: the text is still the answer."""

    def change(cells, notebook):
        cells["add-exercise"]["cell_type"] = "markdown"

    merged = merge(course.assignment, course.hand_in({"add": ANSWER}, change))
    assert merged.answers["add"] == ANSWER and "answer-cell-type" in kinds(merged)


def test_a_missing_answer_is_flagged_and_gets_the_stub(course):
    """Never the reference."""

    def change(cells, notebook):
        notebook["cells"].remove(cells["add-exercise"])

    merged = merge(course.assignment, course.hand_in({}, change))
    assert "add" not in merged.answers and "answer-missing" in kinds(merged)
    text = "\n".join(cell.source for cell in merged_notebook(course.assignment, merged.answers).cells)
    assert "return a + b" not in text and "write your answer here" in text


def test_untouched_answers_are_known(course):
    """White space at line ends does not make an answer."""
    stub = next(cell["source"] for cell in course.handout["cells"] if cell["id"] == "sub-exercise")
    merged = merge(
        course.assignment, course.hand_in({"add": ANSWER, "sub": stub.replace("\n", "  \n") + "\n\n"})
    )
    assert merged.untouched == {"sub", "mul"}


def test_checks_and_set_up_come_from_the_instructor(course):
    """A changed or missing check is flagged; its text, the student's set-up and extra cells are not run."""

    def change(cells, notebook):
        cells["add-check"]["source"] = "hacked = 1"
        cells["setup"]["source"] = "hacked = 2"
        cells["play"]["source"] = "hacked = 3"
        notebook["cells"].remove(cells["sub-check"])
        extra = {"cell_type": "code", "id": "x", "metadata": {}, "source": "hacked = 4", "outputs": []}
        notebook["cells"].insert(0, extra | {"execution_count": None})

    merged = merge(course.assignment, course.hand_in({"add": ANSWER}, change))
    assert {(flag["kind"], flag["cell"]) for flag in merged.flags} == {
        ("check-changed", "add-check"),
        ("check-missing", "sub-check"),
    }
    notebook = merged_notebook(course.assignment, merged.answers)
    assert not any("hacked" in cell.source or "from_play" in cell.source for cell in notebook.cells)
    assert [cell.id for cell in notebook.cells][:5] == [OPEN, "setup", "add-exercise", "add-check", "add-hidden"]
    nbformat.validate(notebook)


TEXTS = [ANSWER, "%%bash\nls", "!ls", "'" * 3, "\\", "\x00\r", "', names=()); evil() #", "{}{0}", "\u2028"]


@pytest.mark.parametrize("text", TEXTS)
def test_an_answer_is_an_argument_and_never_code(course, text):
    """Whatever stands in it, the cell of the kernel is one call with the text as it was."""
    notebook = merged_notebook(course.assignment, {"add": text})
    cell = next(cell for cell in notebook.cells if cell.id == "add-exercise")
    (statement,) = ast.parse(cell.source).body
    assert isinstance(statement.value, ast.Call) and ast.literal_eval(statement.value.args[1]) == text
    assert TransformerManager().transform_cell(cell.source).rstrip("\n") == cell.source


@pytest.mark.parametrize("first", ["%%time\n", ""])
def test_a_cell_magic_stays_the_first_line_of_a_check(course, first):
    """With the grader's own lines behind it."""
    notebook = merged_notebook(course.with_check("add-check", f"{first}assert add(1, 2) == 3"), {})
    cell = next(cell for cell in notebook.cells if cell.id == "add-check")
    begin = "dslab_grade.check('add-check', hidden=False)"
    assert cell.source == f"{first}{begin}\nassert add(1, 2) == 3\ndslab_grade.checked()"


@pytest.mark.parametrize("comment", ["# NBVAL_SKIP", "  ##  NBVAL_RAISES_EXCEPTION ", "#NBVAL_IGNORE_OUTPUT"])
def test_an_nbval_comment_has_no_effect(course, comment):
    """It would take the cell out of the judgement."""
    from nbval.plugin import find_comment_markers

    text = f"{ANSWER}\n{comment}\n"
    assert list(find_comment_markers(text))
    merged = merge(course.assignment, course.hand_in({"add": text}))
    assert "nbval-comment" in kinds(merged)
    notebook = merged_notebook(course.assignment, merged.answers)
    answer = next(cell for cell in notebook.cells if cell.id == "add-exercise")
    assert not list(find_comment_markers(answer.source))


def test_checks_of_some_exercises_run_with_what_stands_before_them(course):
    """Set-up and answers that come after the last of them can change nothing."""
    ids = [cell.id for cell in merged_notebook(course.assignment, {}, only=["sub"]).cells]
    assert ids[0] == OPEN and ids[-4:] == ["add-exercise", "sub-exercise", "sub-check", "sub-hidden"]
    assert merged_notebook(course.assignment, {}, only=[]).cells[-1].id == "mul-exercise"


def test_tags_of_a_student_have_no_effect(course):
    """nbval reads tags too."""

    def change(cells, notebook):
        for cell in notebook["cells"]:
            cell["metadata"]["tags"] = ["nbval-skip", "raises-exception"]

    merged = merge(course.assignment, course.hand_in({"add": ANSWER}, change))
    assert all(not cell.metadata for cell in merged_notebook(course.assignment, merged.answers).cells)


def test_an_endless_answer_is_not_run(course):
    """A cap on its length, and a flag."""
    merged = merge(course.assignment, course.hand_in({"add": "#" * (MAX_ANSWER + 1)}))
    assert "add" not in merged.answers and "answer-too-long" in kinds(merged)
