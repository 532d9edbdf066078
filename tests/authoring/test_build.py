"""The command: builds, compares, and says in one line what is wrong."""

from __future__ import annotations

import subprocess
import sys

import nbformat
import pytest

from dslab.authoring.cli import main
from dslab.authoring.execute import WIDGET

WIDGET_CELL = f'''
# %% name="sum-widget" tags=["play"]
view = {{"model_id": str(id(object())), "version_major": 2, "version_minor": 0}}
display({{"{WIDGET}": view, "text/plain": "Lab(n=5)"}}, raw=True)
display({{"{WIDGET}": view}}, raw=True)
'''


def build(course, *arguments):
    return main(["build", "--notebooks", str(course), *arguments])


def test_a_built_notebook_is_stable_and_passes_strict_nbval(course, capfd):
    """Built twice it is the same, nothing that differs between runs is in it, and nbval agrees."""
    source = course / "source" / "01_small_sum.py"
    source.write_text(source.read_text("utf-8") + WIDGET_CELL, encoding="utf-8")
    assert build(course) == 0
    target = course / "01-small-sum.ipynb"
    first = target.read_bytes()
    notebook = nbformat.reads(first.decode(), as_version=4)
    assert "widgets" not in notebook.metadata and "version" not in notebook.metadata.language_info
    assert not any("execution" in cell.metadata for cell in notebook.cells)
    outputs = {cell.id: cell.get("outputs") for cell in notebook.cells}
    assert WIDGET not in str(outputs)
    assert "not answered yet" in outputs["sum-add-check"][0].text
    assert "image/svg+xml" in outputs["sum-play"][0].data
    assert [output.data for output in outputs["sum-widget"]] == [{"text/plain": "Lab(n=5)"}]
    assert outputs["sum-later"] == []
    target.unlink()
    assert build(course, "01_small_sum") == 0
    assert target.read_bytes() == first
    assert build(course, "--check") == 0
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-c", "none.ini"]
    (course / "none.ini").write_text("[pytest]\n")
    strict = subprocess.run([*command, target.name], cwd=course, capture_output=True, text=True)
    assert strict.returncode == 0, strict.stdout
    target.write_text(
        target.read_text("utf-8").replace("**Goal**: add.", "**Goal**: addd."), encoding="utf-8"
    )
    capfd.readouterr()
    assert build(course, "--check") == 1
    said = capfd.readouterr().err
    assert (
        'cell "sum-add-statement" differs in its text' in said
        and "python -m dslab build 01-small-sum" in said
    )


def test_a_cell_that_stops_run_all_is_named(course, capfd):
    """A handout must run to its end."""
    source = course / "source" / "01_small_sum.py"
    text = source.read_text("utf-8").replace("import os\n", "import os\n1 / 0\n")
    source.write_text(text, encoding="utf-8")
    assert build(course) == 1
    assert capfd.readouterr().err == (
        '01_small_sum.py, line 5: the cell "sum-setup" raises ZeroDivisionError: division by zero'
        " in the handout, which must run to its end\n"
    )
    assert not (course / "01-small-sum.ipynb").exists()


def test_a_memory_address_in_an_output_is_named(course, capfd):
    """It would differ in every run."""
    source = course / "source" / "01_small_sum.py"
    source.write_text(source.read_text("utf-8") + '\n# %% name="sum-object"\nobject()\n', encoding="utf-8")
    assert build(course) == 1
    assert '"sum-object" shows a memory address' in capfd.readouterr().err


def test_instructor_notebooks_go_where_they_are_asked_for(course, tmp_path):
    """Nothing is run and the handout is not touched."""
    out = tmp_path / "secret"
    assert build(course, "--instructor", str(out)) == 0
    assert "sum-add-hidden" in (out / "01-small-sum.ipynb").read_text("utf-8")
    assert not (course / "01-small-sum.ipynb").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["09-nothing"], "there is no notebook 09-nothing: there are 01-small-sum"),
        (["--wrong"], "unrecognized arguments"),
        (["--check", "--instructor", "x"], "not allowed with"),
    ],
)
def test_a_wrong_argument_ends_with_2_and_one_line(course, capfd, arguments, words):
    """It says what is accepted."""
    try:
        status = build(course, *arguments)
    except SystemExit as end:
        status = end.code
    said = capfd.readouterr().err
    assert status == 2 and words in said and said.count("\n") == 1


def test_a_folder_without_sources_is_named(tmp_path, capfd):
    """Not an empty success."""
    assert main(["build", "--notebooks", str(tmp_path)]) == 2
    assert "there is no source in" in capfd.readouterr().err


def test_one_bad_source_does_not_stop_the_others(course, capfd):
    """Each source is built or named."""
    (course / "source" / "00_bad.py").write_text("# %%\n1\n", encoding="utf-8")
    assert build(course) == 1
    assert "00_bad.py, line 1: the cell has no name" in capfd.readouterr().err
    assert (course / "01-small-sum.ipynb").exists()
