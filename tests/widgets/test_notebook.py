"""A notebook without a browser: cells run, outputs are the same each time, exports work."""

from __future__ import annotations

from typing import Any

import nbclient
import nbformat
import pytest
from nbconvert import HTMLExporter, LatexExporter

CELLS = [
    "from dslab import Lab\nfrom dslab.protocols import raft",
    "lab = Lab(raft.cluster(5), seed=7, until=2000)\nlab",
    'lab.crash("n1", at=1200)\nlab.crash("n2", at=600)\nlab',
    "print(lab.code())\nprint(lab.branch, lab.digest()[:12])\nlab.undo()\nrepr(lab)",
    'lab.crash("n9")',
]
VIEW = "application/vnd.jupyter.widget-view+json"


def execute() -> Any:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbclient.NotebookClient(notebook, timeout=120, allow_errors=True, store_widget_state=False).execute()
    return notebook


@pytest.fixture(scope="module")
def notebook() -> Any:
    return execute()


def outputs(notebook: Any) -> list[Any]:
    """What nbval compares: everything but the ids of live views."""
    found = []
    for cell in notebook.cells:
        for output in cell.outputs:
            data = {kind: value for kind, value in output.get("data", {}).items() if kind != VIEW}
            found.append((output.output_type, output.get("text"), data, output.get("evalue")))
    return found


def test_cells_run_without_a_front_end_and_give_the_same_outputs_again(notebook: Any) -> None:
    """Two kernels, one output, picture and paragraph included."""
    shown = notebook.cells[1].outputs[0].data
    assert {"text/plain", "image/svg+xml", VIEW} <= set(shown)
    assert shown["text/plain"].startswith("raft, 5 servers and 1 client, seed 7, 2 s, 0 actions.")
    assert "In branch" not in shown["text/plain"] and notebook.cells[3].outputs[0].text.startswith(
        "from dslab import Lab\n"
    )
    assert outputs(execute()) == outputs(notebook)


def test_a_wrong_call_is_one_line_in_the_notebook(notebook: Any) -> None:
    """The student sees the sentence and no traceback."""
    error = notebook.cells[4].outputs[0]
    assert error.output_type == "error" and len(error.traceback) == 1
    assert error.traceback[0].startswith("ScheduleError: crash: node must be one of n1, n2")


def test_a_published_notebook_exports_to_html_with_the_picture_and_to_latex_without_svg_tools(
    notebook: Any,
) -> None:
    """Without live views HTML shows the picture; LaTeX, which cannot draw SVG, has the paragraph."""
    published = nbformat.from_dict(notebook)
    for cell in published.cells:
        for output in cell.outputs:
            output.get("data", {}).pop(VIEW, None)
    html, _ = HTMLExporter().from_notebook_node(published)
    assert "data:image/svg+xml" in html or "<svg" in html
    for cell in published.cells:
        for output in cell.outputs:
            output.get("data", {}).pop("image/svg+xml", None)
    latex, _ = LatexExporter().from_notebook_node(published)
    assert "seed 7" in latex
