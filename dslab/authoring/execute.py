"""Runs a built notebook in a clean kernel and keeps the outputs that are the same every time."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager

from dslab.authoring.notebooks import SKIP_TAG
from dslab.grading.environment import clean_environment, kernel_transport

WIDGET = "application/vnd.jupyter.widget-view+json"

_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")


class ExecutionError(Exception):
    """A cell of the handout did not run to its end; `.cell` is its id."""

    def __init__(self, cell: str, text: str) -> None:
        super().__init__(text)
        self.cell = cell


def _strip(notebook: NotebookNode) -> None:
    """Removes what differs from run to run: widget models, timing, the interpreter's version."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            if "data" in output:
                output.data.pop(WIDGET, None)
                output.metadata.pop(WIDGET, None)
        cell.outputs = [output for output in cell.outputs if output.get("data", True)]


def _check_addresses(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            found = _ADDRESS.search(
                str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
            )
            if found:
                raise ExecutionError(
                    cell.id, f"shows a memory address ({found[0]}), which differs in every run,"
                )


def _last_cell(notebook: NotebookNode) -> str:
    """The cell that was at work when the run ended: the last one that started."""
    started = [
        cell.id for cell in notebook.cells if cell.cell_type == "code" and cell.metadata.get("execution")
    ]
    return started[-1] if started else notebook.cells[0].id


def execute(notebook: NotebookNode, folder: Path, timeout: int = 600) -> NotebookNode:
    """`notebook` with outputs, changed in place, as a fresh kernel of this interpreter gives them.

    Args:
        folder: the kernel's working directory.
        timeout: seconds for one cell.

    Raises:
        ExecutionError: a cell raised, took too long, or ended the kernel.
    """
    with tempfile.TemporaryDirectory(prefix="dslab-", ignore_cleanup_errors=True) as name:
        private = Path(name).resolve()
        manager = AsyncKernelManager(
            kernel_name=CURRENT_ENV_KERNEL_NAME,
            kernel_spec_manager=NbvalKernelspecManager(),
            **kernel_transport(private, "kernel"),
        )
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=timeout,
            store_widget_state=False,
            coalesce_streams=True,
            skip_cells_with_tag=SKIP_TAG,
        )
        try:
            client.execute(env=clean_environment(private, grading=False), cwd=str(folder), cleanup_kc=True)
        except CellExecutionError as error:
            raise ExecutionError(_last_cell(notebook), f"raises {error.ename}: {error.evalue}") from None
        except CellTimeoutError:
            raise ExecutionError(_last_cell(notebook), f"takes more than {timeout} seconds") from None
        except DeadKernelError:
            raise ExecutionError(_last_cell(notebook), "ends the kernel") from None
    _strip(notebook)
    _check_addresses(notebook)
    return notebook
