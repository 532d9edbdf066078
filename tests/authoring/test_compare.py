"""A committed notebook is compared with a fresh build on everything but pictures' bytes."""

from __future__ import annotations

import copy

import nbformat
import pytest

from dslab.authoring.compare import first_difference


@pytest.fixture
def notebook():
    outputs = [
        nbformat.v4.new_output("stream", text="7\n"),
        nbformat.v4.new_output("display_data", {"text/plain": "<Figure>", "image/png": "AAAA"}),
    ]
    cells = [
        nbformat.v4.new_markdown_cell("why", id="a-why"),
        nbformat.v4.new_code_cell("print(7)", id="a-run", outputs=outputs, execution_count=1),
    ]
    return nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "3"}}
    )


def test_pictures_may_differ_in_their_bytes(notebook):
    """PNG bytes depend on the library's version; counters do not matter either."""
    other = copy.deepcopy(notebook)
    other.cells[1].outputs[1].data["image/png"] = "BBBB"
    other.cells[1].execution_count = 9
    assert first_difference(notebook, other) is None


def change(name):
    def deed(notebook):
        cell = notebook.cells[1]
        if name == "text":
            cell.source = "print(8)"
        elif name == "stream":
            cell.outputs[0].text = "8\n"
        elif name == "picture gone":
            del cell.outputs[1].data["image/png"]
        elif name == "output gone":
            del cell.outputs[1]
        elif name == "tag":
            cell.metadata["tags"] = ["play"]
        elif name == "id":
            cell.id = "b-run"
        elif name == "cell gone":
            del notebook.cells[1]
        elif name == "type":
            cell.cell_type = "raw"
        elif name == "kernel":
            notebook.metadata["kernelspec"]["name"] = "ir"

    return deed


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("text", '"a-run" differs in its text'),
        ("stream", "output 1 (text)"),
        ("picture gone", "output 2 (image/png)"),
        ("output gone", "number of outputs"),
        ("tag", "metadata"),
        ("id", "cell 2"),
        ("cell gone", "cells"),
        ("type", "type"),
        ("kernel", "metadata"),
    ],
)
def test_every_other_difference_is_named(notebook, name, words):
    """The first cell that differs, and what of it."""
    other = copy.deepcopy(notebook)
    change(name)(other)
    assert words in first_difference(notebook, other)
