"""Runs a merged notebook under pytest and nbval in a clean process, and says what became of each cell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import nbformat

from dslab.grading.environment import clean_environment

_STARTUP = 120.0  # seconds for pytest and the kernel to start, beyond the time for cells


class NbvalError(Exception):
    """pytest could not run the notebook at all; the text has its last words."""


@dataclass(frozen=True)
class Outcome:
    """What became of one cell: "passed", "error", "timeout", "crashed" or "not run"."""

    what: str
    ename: str = ""
    evalue: str = ""
    traceback: str = ""


class Running:
    """The pytest processes that are at work, so that Ctrl-C can end them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._stopped = False

    @contextmanager
    def added(self, process: subprocess.Popen[str]) -> Iterator[None]:
        with self._lock:
            self._processes.add(process)
            stopped = self._stopped
        try:
            if stopped:
                _kill(process)
            yield
        finally:
            with self._lock:
                self._processes.discard(process)

    def stop(self) -> None:
        """Ends every process now, and every later one as soon as it starts."""
        with self._lock:
            self._stopped = True
            processes = list(self._processes)
        for process in processes:
            _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    # The kernel notices within a second that its parent is gone, and ends by itself.
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _command(notebook: Path, outcomes: Path, timeout: float, junit: Path | None) -> list[str]:
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env"]
    command += [
        "-p",
        "dslab.grading.plugin",
        "-p",
        "nbval.plugin",
        "-p",
        "no:cacheprovider",
        "-c",
        "pytest.ini",
    ]
    command += [
        "--rootdir",
        ".",
        "-q",
        "--color=no",
        f"--nbval-cell-timeout={timeout:g}",
        f"--dslab-outcomes={outcomes}",
    ]
    if junit is not None:
        command.append(f"--junitxml={junit}")
    return [*command, notebook.name]


def _read(outcomes: Path) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    if outcomes.exists():
        for line in outcomes.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            text = "\n".join(record.get("traceback", ()))
            found[record["cell"]] = Outcome(
                record["outcome"], record.get("ename", ""), record.get("evalue", ""), text
            )
    return found


def run_notebook(
    notebook: nbformat.NotebookNode,
    *,
    timeout: float = 60.0,
    junit: Path | None = None,
    running: Running | None = None,
) -> dict[str, Outcome]:
    """What became of each code cell of `notebook`, by cell id.

    Args:
        timeout: seconds for one cell.
        junit: where pytest's own report goes.
        running: gets the process while it works.

    Returns:
        An outcome for every code cell; "not run" for those after one that ended the run.

    Raises:
        NbvalError: pytest did not get as far as the first cell.
    """
    ids = [cell.id for cell in notebook.cells if cell.cell_type == "code"]
    with tempfile.TemporaryDirectory(prefix="dslab-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        work = folder / "work"
        work.mkdir()
        (work / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        nbformat.write(notebook, work / "hand-in.ipynb")
        outcomes = folder / "outcomes.jsonl"
        environment = clean_environment(folder, grading=True)
        # Only the plugins named in the command; and the runtime folder holds this kernel's channels alone.
        environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "JUPYTER_RUNTIME_DIR": str(folder)}
        process = subprocess.Popen(
            _command(work / "hand-in.ipynb", outcomes, timeout, junit and junit.resolve()),
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        overdue = False
        with (running or Running()).added(process):
            try:
                said, _ = process.communicate(timeout=_STARTUP + 2 * timeout * len(ids))
            except subprocess.TimeoutExpired:
                overdue = True
                _kill(process)
                said, _ = process.communicate()
            except BaseException:  # Ctrl-C reaches this process only
                _kill(process)
                raise
        found = _read(outcomes)
        if not found and not overdue:
            last = [line for line in said.splitlines() if line.strip()][-3:]
            raise NbvalError("pytest ended before the first cell: " + " / ".join(last))
    missing = [cell_id for cell_id in ids if cell_id not in found]
    if missing and overdue:
        found[missing[0]] = Outcome("timeout")
    return {cell_id: found.get(cell_id, Outcome("not run")) for cell_id in ids}
