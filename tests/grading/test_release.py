"""What students get has the exercises, and no line of a solution or a hidden check."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hand_ins.courses import Course

from dslab.grading.assignment import assignment_of
from dslab.grading.intake import hand_in_of
from dslab.grading.merge import merge
from dslab.grading.release import ReleaseError, changes, main, student_version


@pytest.fixture(params=["functions", "protocol", "sheet"])
def made(request):
    return Course(request.param)


@pytest.fixture
def sheet():
    return Course("sheet").instructor


def by_id(notebook):
    return {cell["id"]: cell for cell in notebook["cells"]}


@pytest.mark.parametrize("name", ["functions", "protocol"])
def test_ours_is_released_as_it_is_built(name):
    """The same cells, texts, ids and metadata as the build writes from the source."""
    made = Course(name)
    assert student_version(made.instructor) == made.handout


def test_a_release_is_merged_back_without_a_flag(made):
    """Handed in untouched, every answer is known as untouched, and nothing is odd."""
    merged = merge(made.assignment, hand_in_of(student_version(made.instructor)))
    assert merged.flags == () and merged.untouched == {answer.exercise for answer in made.assignment.answers}


def test_no_canary_is_left(made):
    """Odd words and numbers of the hidden checks, and each line of a solution."""
    text = json.dumps(student_version(made.instructor))
    assert made.canaries() and not [canary for canary in made.canaries() if json.dumps(canary)[1:-1] in text]
    assert "BEGIN SOLUTION" not in text and "HIDDEN" not in text


def test_nbgraders_cells_are_cut_as_nbgrader_does(sheet):
    """Stub at the column of the mark, hidden tests gone, an answer in words asked for."""
    cells = by_id(student_version(sheet))
    assert cells["squares"]["source"].endswith('    """\n    # YOUR CODE HERE\n    raise NotImplementedError()\n')
    assert cells["test-squares"]["source"].endswith("assert squares(4) == [1, 4, 9, 16]\n")
    assert cells["test-middle-hidden"]["source"] == ""
    assert cells["why"]["source"] == "YOUR ANSWER HERE"


def test_a_cell_without_marks_is_a_solution_as_a_whole(sheet):
    """As in nbgrader."""
    by_id(sheet)["scaled"]["source"] = "scaled = [10 * n for n in (1, 2, 3)]\nimport math"
    assert by_id(student_version(sheet))["scaled"]["source"] == "# YOUR CODE HERE\nraise NotImplementedError()"


def test_checks_are_locked_and_outputs_gone(sheet):
    """Answers stay editable; what a set-up cell shows stays."""
    output = {"output_type": "stream", "name": "stdout", "text": "seen"}
    for cell in sheet["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [output], 3
    before = copy.deepcopy(sheet)
    cells = by_id(student_version(sheet))
    assert sheet == before
    for name in ("test-squares", "test-middle-hidden"):
        metadata = cells[name]["metadata"]
        assert (metadata["editable"], metadata["deletable"], metadata["nbgrader"]["locked"]) == (False, False, True)
    assert cells["squares"]["metadata"]["deletable"] is False and "editable" not in cells["squares"]["metadata"]
    assert cells["setup"]["metadata"]["editable"] is False
    assert [name for name, cell in cells.items() if cell.get("outputs")] == ["setup"]
    nbformat.validate(nbformat.from_dict(student_version(sheet)))


def test_a_mark_scheme_is_cut(sheet):
    """nbgrader's tasks have one."""
    cells = by_id(sheet)
    cells["intro"]["source"] = (
        "Draw it.\n=== BEGIN MARK SCHEME ===\nOne point for the axes.\n=== END MARK SCHEME ===\nBye"
    )
    assert by_id(student_version(sheet))["intro"]["source"] == "Draw it.\nBye"


LEAKS = [
    (
        "intro",
        "Hint: `return statistics.median(numbers)`.",
        'the cell "intro" shows a line of the solution of "middle"',
    ),
    ("setup", "SCALE = 10\nassert squares(537)[530]  ==  281961", 'a line of the hidden check of "test-squares"'),
]


@pytest.mark.parametrize(("place", "text", "words"), LEAKS)
def test_a_line_that_is_left_is_named(sheet, place, text, words):
    """The cell that shows it and the cell that it belongs to."""
    by_id(sheet)[place]["source"] = text
    if place == "setup":  # the author wrote it in the open: it is no secret
        student_version(sheet)
        by_id(sheet)[place]["source"] = "SCALE = 10"
        shown = ["assert squares(537)", "[530] == 281961"]
        by_id(sheet)[place]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": shown}]
    with pytest.raises(ReleaseError) as error:
        student_version(sheet)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_metadata_leaks_too(sheet):
    """Whatever an editor or another tool stored there."""
    sheet["metadata"]["backup"] = {"old": ["return statistics.median(numbers)"]}
    with pytest.raises(ReleaseError, match="the notebook's metadata shows"):
        student_version(sheet)


BROKEN = [
    ("squares", "### BEGIN SOLUTION\nx = 1", 'cell "squares", line 1: "### BEGIN SOLUTION" has no "### END'),
    ("setup", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION", 'the cell "setup" has a solution but is no answer cell'),
    ("test-scaled", "### BEGIN HIDDEN TESTS\nassert scaled", 'the cell "test-scaled" has a "### BEGIN HIDDEN TESTS"'),
    ("test-scaled", "assert scaled\n### END HIDDEN TESTS", 'the cell "test-scaled" has a "### BEGIN HIDDEN TESTS"'),
]


@pytest.mark.parametrize(("place", "text", "words"), BROKEN)
def test_marks_that_do_not_pair_are_named(tmp_path, capsys, sheet, place, text, words):
    """Nothing is written then: half a cut is no cut."""
    by_id(sheet)[place]["source"] = text
    (tmp_path / "a.ipynb").write_text(json.dumps(sheet), "utf-8")
    assert main([str(tmp_path / "a.ipynb"), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert words in said.err and said.err.count("\n") == 1 and not (tmp_path / "out").exists()


def test_the_command_releases_and_tells_what_changed(tmp_path, capsys, made):
    """Twice the same gives the same bytes; then one cell changed, one gone, one new."""
    source, out = tmp_path / "a.ipynb", tmp_path / "out"
    source.write_text(json.dumps(made.instructor), "utf-8")
    assert main([str(source), "--out", str(out)]) == 0
    first = (out / "a.ipynb").read_bytes()
    assert main([str(source), "--out", str(out)]) == 0
    assert (out / "a.ipynb").read_bytes() == first
    assert capsys.readouterr().out.endswith("released; no cell differs from the earlier release\n")
    made.instructor["cells"][0]["source"] = "Another beginning"
    source.write_text(json.dumps(made.instructor), "utf-8")
    assert main([str(source), "--out", str(out)]) == 0
    name = made.instructor["cells"][0]["id"]
    assert capsys.readouterr().out.endswith(f'1 cell differs\n  the cell "{name}" has changed\n')
    assert assignment_of(hand_in_of(json.loads((out / "a.ipynb").read_bytes())), "a").answers


def test_new_and_lost_cells_are_told():
    """By their names."""
    old = {"cells": [{"id": "a", "metadata": {}, "source": "1"}, {"id": "b", "metadata": {}, "source": "2"}]}
    new = {"cells": [{"id": "b", "metadata": {}, "source": "2"}, {"metadata": {}, "source": "3"}]}
    assert changes(old, new) == ['the cell "number 2" is new', 'the cell "a" is gone']


def test_wrong_files_and_folders_are_one_sentence(tmp_path, capsys, sheet):
    """No notebook, a diary, the students' version itself, the same folder, the same name twice."""
    place = tmp_path / "in"
    place.mkdir()
    functions = Course("functions")
    files = {
        "none": None,
        "diary": {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []},
        "student": functions.handout,
        "fine": sheet,
    }
    for name, notebook in files.items():
        if notebook is not None:
            (place / f"{name}.ipynb").write_text(json.dumps(notebook), "utf-8")
    wanted = {"none": "no such file", "diary": "no answer cell", "student": "the students' version already"}
    for name, words in wanted.items():
        assert main([str(place / f"{name}.ipynb"), "--out", str(tmp_path / "out")]) == 1
        said = capsys.readouterr().err
        assert words in said and said.count("\n") == 1
    fine = str(place / "fine.ipynb")
    assert main([fine, "--out", str(place)]) == 1 and "name another one" in capsys.readouterr().err
    assert main([fine, fine, "--out", str(tmp_path / "out")]) == 2 and "same name" in capsys.readouterr().err
    assert main([fine, "--out", fine]) == 2 and "nothing can be written" in capsys.readouterr().err
