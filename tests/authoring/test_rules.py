"""Every mistake in a source is one sentence with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dslab.authoring.cells import BuildError
from dslab.authoring.source import parse_source, read_source

PATH = Path("01_small_sum.py")
HEADER = '# %% name="sum-add-check" tags=["check"] points=2 title="Small sums"'
EXERCISE = '# %% name="sum-add-exercise" tags=["exercise"] points=5'
MINUS = '# %% name="sum-add-mutant-minus" tags=["mutant"] property="commutativity" catalogue="C7"'


def test_a_good_source_is_read(text):
    """Names, exercises, points and lines come from the headers."""
    source = parse_source(PATH, text)
    assert source.name == "01-small-sum"
    assert source.exercises == ["sum-add"]
    assert source.points == 5
    assert [cell.name for cell in source.tagged("mutant")] == [
        "sum-add-mutant-minus",
        "sum-add-mutant-capped",
    ]
    lines = text.split("\n")
    assert all(f'name="{cell.name}"' in lines[cell.line - 1] for cell in source.cells)


def test_a_marker_inside_a_string_opens_no_cell(text):
    """The line numbers of later cells stay right."""
    more = text.replace("import os\n", 'import os\ntext = """\n# %% name="inside"\n"""\n')
    source = parse_source(PATH, more)
    lines = more.split("\n")
    assert "inside" not in [cell.name for cell in source.cells]
    assert all(f'name="{cell.name}"' in lines[cell.line - 1] for cell in source.cells)


MISTAKES = [
    pytest.param('tags=["play"]', 'tags=["ply"]', "sum-play", 'unknown tag "ply"', id="unknown tag"),
    pytest.param(
        'tags=["play"]', 'tags=["skip-"]', "sum-play", 'unknown tag "skip-"', id="skip without reason"
    ),
    pytest.param('tags=["play"]', 'tags="play"', "sum-play", "not a list", id="tags not a list"),
    pytest.param(
        '"sum-play"', '"sum-setup"', 'tags=["play"]', 'the name "sum-setup" is taken', id="duplicate name"
    ),
    pytest.param('"sum-play"', '"Sum_Play"', "Sum_Play", "no cell id", id="invalid name"),
    pytest.param('"sum-play"', f'"{"x" * 65}"', "xxx", "at most 64", id="name too long"),
    pytest.param(' name="sum-play"', "", '# %% tags=["play"]', "has no name", id="no name"),
    pytest.param(
        HEADER, HEADER.replace(" points=2", ""), "sum-add-check", "has no points", id="check without points"
    ),
    pytest.param(
        HEADER, HEADER.replace("=2", "=0"), "sum-add-check", "has no points", id="check worth nothing"
    ),
    pytest.param(" points=3", "", 'name="sum-add-hidden"', "has no points", id="hidden without points"),
    pytest.param(
        HEADER, HEADER.replace("points", "point"), "sum-add-check", 'unknown key "point"', id="unknown key"
    ),
    pytest.param(
        ' property="commutativity"', "", "mutant-minus", "names no property", id="mutant without property"
    ),
    pytest.param(
        MINUS, MINUS.replace("sum-add-m", "other-m"), "other-mutant", "no exercise", id="mutant of nothing"
    ),
    pytest.param(HEADER, HEADER.replace("sum-add-c", "c"), '"check"', "no exercise", id="check of nothing"),
    pytest.param(
        MINUS, '# %% name="other" tags=["solution"]', EXERCISE, "1 of at least two", id="one mutant"
    ),
    pytest.param("points=5", "points=4", "sum-add-exercise", "promises 4 points", id="points do not add up"),
    pytest.param(
        'tags=["check"]', 'tags=["check", "hidden"]', "sum-add-check", "both check and hidden", id="two roles"
    ),
    pytest.param('tags=["check"]', 'tags=["play"]', "points=5", "has no check", id="exercise without check"),
    pytest.param(
        EXERCISE, EXERCISE.replace("-exercise", "-task"), "-task", "after its id", id="exercise's name"
    ),
    pytest.param(
        '"sum-later" tags', '"sum-later" points=2 [tags', "sum-later", "cannot be read", id="bad header"
    ),
]


@pytest.mark.parametrize(("old", "new", "where", "words"), MISTAKES)
def test_a_mistake_in_a_header_is_named_with_its_line(text, old, new, where, words):
    """One rule broken: file, line of the cell, what is wrong."""
    assert old in text
    broken = text.replace(old, new, 1)
    lines = broken.split("\n")
    line = next(at for at, one in enumerate(lines, start=1) if one.startswith("# %%") and where in one)
    with pytest.raises(BuildError) as error:
        parse_source(PATH, broken)
    assert str(error.value).startswith(f"01_small_sum.py, line {line}: ")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


TEXTS = [
    pytest.param(
        "    ### END SOLUTION\n", "", "### BEGIN SOLUTION", 'has no "### END SOLUTION"', id="not closed"
    ),
    pytest.param(
        "    ### BEGIN SOLUTION\n", "", "### STUB # both", "outside a solution region", id="not opened"
    ),
    pytest.param(
        "import os\n", "### END SOLUTION\n", "### END", 'has no "### BEGIN SOLUTION"', id="end only"
    ),
    pytest.param("    return min(", "    return min((", "return min((", "not Python", id="syntax error"),
]


@pytest.mark.parametrize(("old", "new", "where", "words"), TEXTS)
def test_a_mistake_in_a_cell_is_named_with_its_own_line(text, old, new, where, words):
    """The line is that of the mistake, not of the cell."""
    broken = text.replace(old, new, 1)
    line = next(at for at, one in enumerate(broken.split("\n"), start=1) if where in one)
    with pytest.raises(BuildError, match=f"line {line}: ") as error:
        parse_source(PATH, broken)
    assert words in str(error.value)


def test_a_solution_outside_an_exercise_is_refused(text):
    """It would go to the students as it is."""
    broken = text.replace("import os\n", "### BEGIN SOLUTION\nimport os\n### STUB pass\n### END SOLUTION\n")
    with pytest.raises(BuildError, match="only exercises may"):
        parse_source(PATH, broken)


def test_an_exercise_without_a_region_is_refused(text):
    """Its answer would go to the students as it is."""
    kept = [line for line in text.split("\n") if "### " not in line]
    with pytest.raises(BuildError, match="has no solution"):
        parse_source(PATH, "\n".join(kept))


def test_a_top_level_region_needs_a_stub(text):
    """The default stub raises, and Run All on the handout must reach the end."""
    exercise = text.index("def add(a, b):")
    end = text.index("# %% ", exercise)
    broken = text[:exercise] + "### BEGIN SOLUTION\nschedule = [1]\n### END SOLUTION\n\n" + text[end:]
    with pytest.raises(BuildError, match="top level"):
        parse_source(PATH, broken)
    parse_source(PATH, broken.replace("### END", "### STUB schedule = []\n### END"))


def test_a_trailing_semicolon_is_refused(text):
    """nbval shows the value all the same, so a committed output would differ."""
    with pytest.raises(BuildError, match='ends in ";"'):
        parse_source(PATH, text.replace("svg'/>\"))", "svg'/>\"));"))


@pytest.mark.parametrize("name", ["consensus.py", "2_consensus.py", "02-consensus.py", "02_Consensus.py"])
def test_a_misnamed_file_is_refused(text, name):
    """The notebook's name is made from it."""
    with pytest.raises(BuildError, match="NN_slug"):
        parse_source(Path(name), text)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    """One sentence, not a decoding traceback."""
    path = tmp_path / "01_sum.py"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BuildError, match="not UTF-8"):
        read_source(path)
