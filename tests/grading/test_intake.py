"""Whatever is handed in, reading it ends in a notebook or in one sentence."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from dslab.grading import intake
from dslab.grading.intake import LARGEST_FILE, HandInError, read_bytes, read_notebook
from dslab.grading.merge import merge


def problem(path):
    with pytest.raises(HandInError) as error:
        read_notebook(path)
    assert "\n" not in str(error.value)
    return str(error.value)


CONTENTS = [
    pytest.param(b"", "empty", id="empty"),
    pytest.param(b" \n\n", "empty", id="white space"),
    pytest.param(b"PK\x03\x04\xff\xfe", "not UTF-8", id="zip"),
    pytest.param(b"hello", "not JSON", id="text"),
    pytest.param(b'{"cells": [', "not JSON", id="cut short"),
    pytest.param(b'{"a": "' + b"\\" * 9, "not JSON", id="open string"),
    pytest.param(b"[1, 2]", "no notebook", id="another JSON"),
    pytest.param(b"[" * 100_000, "nested more than 100 deep", id="deep lists"),
    pytest.param(b'{"a":' * 100_000, "nested more than 100 deep", id="deep objects"),
    pytest.param(b"1" * 10_000, "not JSON", id="huge number"),
    pytest.param(b'{"nbformat": 3, "nbformat_minor": 0, "worksheets": []}', "format 3.0", id="nbformat 3"),
    pytest.param(b'{"nbformat": 4, "nbformat_minor": 9, "cells": []}', "format 4.9", id="newer"),
    pytest.param(b'{"nbformat": 4, "nbformat_minor": "5", "cells": []}', "format 4.5", id="odd minor"),
    pytest.param(b'{"nbformat": 4, "nbformat_minor": 5, "cells": {}}', "no list of cells", id="no cells"),
]


@pytest.mark.parametrize(("content", "words"), CONTENTS)
def test_a_file_that_is_no_notebook_is_one_sentence(tmp_path, content, words):
    """What is wrong and what to do."""
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    assert words in problem(path)


def test_a_huge_file_is_not_read(tmp_path):
    """200 MB: its size is enough to refuse it."""
    path = tmp_path / "a.ipynb"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    assert "200 MB" in problem(path) and str(LARGEST_FILE // 1_000_000) in problem(path)


def test_a_missing_file_a_folder_and_a_broken_link_are_named(tmp_path):
    """Each in its own words."""
    (tmp_path / "folder.ipynb").mkdir()
    assert "no such file" in problem(tmp_path / "none.ipynb")
    assert "folder" in problem(tmp_path / "folder.ipynb")
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "nowhere")
    assert "leads nowhere" in problem(tmp_path / "link.ipynb")
    (tmp_path / "loop.ipynb").symlink_to(tmp_path / "loop.ipynb")
    assert "cannot be opened" in problem(tmp_path / "loop.ipynb")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_named_pipe_is_not_waited_for(tmp_path):
    """Reading it would never end."""
    os.mkfifo(tmp_path / "pipe.ipynb")
    assert "ordinary file" in problem(tmp_path / "pipe.ipynb")


def test_brackets_in_strings_are_not_depth(tmp_path, course):
    """A student's text may contain any number of them."""
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(course.notebook({"add": '"' + "[{" * 500 + '\\"' + '"'})), encoding="utf-8")
    assert "[{[{" in read_notebook(path).cells[2].source


def test_malformed_cells_are_left_out_and_flagged(tmp_path, course):
    """The others are read."""
    notebook = course.notebook()
    notebook["cells"][:0] = [
        None,
        7,
        {"cell_type": "code"},
        {"source": "x"},
        {"cell_type": "code", "source": [1]},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text("\ufeff" + json.dumps(notebook), encoding="utf-8")
    hand_in = read_notebook(path)
    assert len(hand_in.cells) == len(course.handout["cells"])
    assert [flag["kind"] for flag in hand_in.flags] == ["bad-cell"] and "and 4 more" in hand_in.flags[0]["text"]


def test_a_lone_surrogate_becomes_writable_text(course):
    """JSON can hold it; no file can."""
    hand_in = course.hand_in({"add": "x = '\ud800'"})
    assert any(cell.source == "x = '?'" for cell in hand_in.cells)


@pytest.mark.skipif(os.name == "nt", reason="makes a pipe as Unix does")
@pytest.mark.parametrize("late", [False, True])
def test_a_pipe_does_not_keep_the_grader_waiting(tmp_path, monkeypatch, late):
    """Nobody ever writes to it; not even when it takes a file's place after that was looked at."""
    path, decoy = tmp_path / "a.ipynb", tmp_path / "decoy"
    os.mkfifo(path)
    decoy.write_text("{}")
    if late:
        monkeypatch.setattr(type(path), "stat", lambda self: os.stat(decoy))  # noqa: PTH116 - not its own
    assert "not an ordinary file" in problem(path)


@pytest.mark.skipif(os.name == "nt", reason="opens a device as Unix does")
def test_a_device_is_refused():
    """It never ends."""
    with pytest.raises(HandInError, match="not an ordinary file"):
        read_bytes(Path("/dev/zero"))


def test_a_file_that_grows_is_read_up_to_the_limit(tmp_path, monkeypatch):
    """Its size when it was looked at says nothing about what is read later."""
    monkeypatch.setattr(intake, "LARGEST_FILE", 10)
    monkeypatch.setattr(intake, "_refuse", lambda status: None)
    (tmp_path / "a.ipynb").write_bytes(b"x" * 1000)
    assert "are read" in problem(tmp_path / "a.ipynb")


def test_saved_outputs_are_not_what_makes_a_file_too_large(tmp_path, course, monkeypatch):
    """Plots, pasted pictures and the state of widgets go before anything else looks at the file; text stays."""
    monkeypatch.setattr(intake, "MAX_BYTES", 60_000)
    heavy = [{"output_type": "stream", "name": "stdout", "text": ['"outputs": [{', "x" * 30_000 + '\\"']}]

    def change(cells, notebook):
        for name in ("add", "sub", "mul"):
            cells[f"{name}-exercise"] |= {"outputs": heavy, "attachments": {"a": {"outputs": ["x" * 30_000]}}}
        notebook["metadata"]["widgets"] = {"state": ["x" * 30_000]}

    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(course.notebook(course.right, change), indent=1), encoding="utf-8")
    found, plain = read_notebook(path), course.hand_in(course.right)
    assert [(cell.id, cell.source) for cell in found.cells] == [(cell.id, cell.source) for cell in plain.cells]
    assert found.metadata["dslab"] == plain.metadata["dslab"]
    path.write_text(json.dumps(course.notebook({"add": "#" * 60_000}, change)), encoding="utf-8")
    assert "without its outputs" in problem(path)


def test_copies_of_a_cell_take_no_time_that_grows_with_their_square(course):
    """As many as fit into a file, each of which claims the answer in several ways."""
    def change(cells, notebook):
        del cells["add-exercise"]["id"]
        notebook["cells"] += [cells["add-exercise"]] * 20_000

    assert "20001 cells claim" in str(merge(course.assignment, course.hand_in(course.right, change)).flags)
