"""Runs a notebook under pytest and nbval in this process, over a kernel that serves one hand-in after the other.

nbval stays the judge: here is only what it lacks. Its kernels are kept (no student's code ever ran in them), talk over
private files and not over ports, and are watched: nbval by itself waits the whole cell timeout for a dead kernel.
Results are known by the cell's id, and what is skipped does not count as passed.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import nbformat
import nbval.kernel
import nbval.plugin
import pytest
from jupyter_client.manager import KernelManager

from dslab.grading.environment import clean_environment, kernel_transport
from dslab.grading.outcome import NbvalError, Outcome

_SLICE = 0.5  # seconds between two looks at whether the kernel lives
_LISTENS = 5.0  # seconds in which an interrupted kernel must answer
_GRACE = 15.0  # seconds that nbval gets to end a cell after its timeout
_PLUGINS = ("no:cacheprovider", "no:logging", "no:faulthandler", "no:unraisableexception", "no:threadexception")
_VARYING = re.compile(r' (?:time|timestamp|hostname)="[^"]*"')


class KernelDiedError(Exception):
    """The kernel ended while a cell ran."""


class Kernel(nbval.kernel.RunningKernel):
    """nbval's kernel, given back to the bench when a notebook has ended."""

    bench: Bench

    def __init__(self, kernel_name: str, cwd: str | None = None, startup_timeout: float = 60) -> None:
        self.km, self.kc = self.bench.take()
        self.await_reply(self.execute_cell_input(self.bench.begin(cwd or ".")), timeout=startup_timeout)

    def get_message(self, stream: str, timeout: float | None = None) -> Any:
        """As nbval's, without an event loop and a log entry for each message."""
        socket = (self.kc.shell_channel if stream == "shell" else self.kc.iopub_channel).socket
        if not socket.poll(None if timeout is None else int(1000 * timeout)):
            raise Empty
        _, parts = self.kc.session.feed_identities(socket.recv_multipart())
        return self.kc.session.deserialize(parts)

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        until = time.monotonic() + (timeout if timeout is not None else 60.0)
        while True:
            try:
                super().await_reply(msg_id, timeout=_SLICE)
                return
            except Empty:
                if not self.is_alive():
                    raise KernelDiedError from None
                if time.monotonic() > until:
                    self.bench.spoilt = True
                    raise

    def interrupt(self) -> None:
        """Interrupts the kernel; one that does not listen, in a long loop of C code, is killed."""
        super().interrupt()
        if not self.kc.shell_channel.socket.poll(int(1000 * _LISTENS)):
            self.bench.spoilt = True
            self.km.signal_kernel(signal.SIGKILL)

    def stop(self) -> None:
        """Leaves the kernel to the bench."""


class Bench:
    """A kernel and the folder of its channels; one for each process that grades.

    Args:
        folder: private; the kernel's channels and what it needs to start are in it.
        layers: of the sandbox for the students' processes.
    """

    def __init__(self, folder: Path, layers: tuple[str, ...]) -> None:
        self.folder, self.layers = folder, layers
        self.kernel: tuple[Any, Any] | None = None
        self.spoilt = False
        self.lock: Any = None  # an open file, locked as long as this process lives

    def take(self) -> tuple[Any, Any]:
        """A kernel that runs: the one of the hand-in before, or a new one."""
        if self.kernel is None:
            environment = clean_environment(self.folder, grading=True) | {
                "DSLAB_GRADING_FOLDER": str(self.folder),
                "DSLAB_GRADING_LAYERS": ",".join(self.layers),
                "JUPYTER_RUNTIME_DIR": str(self.folder),
            }
            manager = KernelManager(
                kernel_name=nbval.kernel.CURRENT_ENV_KERNEL_NAME,
                kernel_spec_manager=nbval.kernel.NbvalKernelspecManager(),
                **kernel_transport(self.folder, f"kernel-{time.monotonic_ns()}"),
            )
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            # No history (each hand-in would begin a session in a database), no threads that watch descriptors 1 and 2.
            options = ["--HistoryManager.enabled=False", "--IPKernelApp.capture_fd_output=False"]
            options += ["--IPKernelApp.outstream_class=dslab.grading.output.Output"]
            manager.start_kernel(env=environment, cwd=str(self.folder), extra_arguments=options, **quiet)
            client = manager.client()
            client.start_channels()
            client.wait_for_ready(timeout=120)
            self.kernel = manager, client
        return self.kernel

    def begin(self, folder: str) -> str:
        """What the kernel runs before a hand-in."""
        return (
            "from dslab.grading.session import dslab_grade\n"
            f"dslab_grade.next_hand_in({str(Path(folder).resolve())!r})"
        )

    def kill(self) -> None:
        """Ends the kernel at once; the next hand-in gets a new one."""
        if self.kernel is not None:
            (manager, client), self.kernel = self.kernel, None
            client.stop_channels()
            manager.shutdown_kernel(now=True)
        self.spoilt = False

    def run(self, notebook: nbformat.NotebookNode, work: Path, cell_timeout: float) -> tuple[dict[str, Outcome], str]:
        """What became of each code cell of `notebook`, by cell id, and pytest's own report as XML.

        Args:
            work: an empty folder.
            cell_timeout: seconds for one cell, set-up and checks included.

        Raises:
            NbvalError: pytest did not get as far as the first cell.
        """
        (work / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        (work / "hand-in.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
        recorder = _Recorder(self, cell_timeout)
        arguments = ["--nbval-lax", "--nbval-current-env", "-c", "pytest.ini", "--rootdir", "."]
        arguments += [part for name in _PLUGINS for part in ("-p", name)]
        arguments += ["-q", "-s", "--color=no", "--junitxml=junit.xml", f"--nbval-cell-timeout={cell_timeout:g}"]
        said = io.StringIO()
        with _at(work), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), self._as_nbvals_kernel():
            pytest.main([*arguments, "hand-in.ipynb"], plugins=[nbval.plugin, recorder])
        ids = [cell.id for cell in notebook.cells if cell.cell_type == "code"]
        outcomes = {cell_id: recorder.outcomes.get(cell_id, Outcome("not run")) for cell_id in ids}
        whole = all(outcome.what in ("passed", "error") for outcome in outcomes.values())
        if self.spoilt or not whole:
            self.kill()
        if not recorder.outcomes:
            last = [line for line in said.getvalue().splitlines() if line.strip()][-3:]
            raise NbvalError("pytest ended before the first cell: " + " / ".join(last))
        junit = work / "junit.xml"
        text = junit.read_text("utf-8", "replace") if junit.exists() else ""
        return outcomes, _VARYING.sub("", text).replace(str(work), "")

    @contextlib.contextmanager
    def _as_nbvals_kernel(self) -> Iterator[None]:
        class Ours(Kernel):
            bench = self

        theirs = nbval.plugin.RunningKernel
        nbval.plugin.RunningKernel = Ours
        try:
            yield
        finally:
            nbval.plugin.RunningKernel = theirs


@contextlib.contextmanager
def _at(folder: Path) -> Iterator[None]:
    """In another folder, and with no other plugins than those that were named."""
    before = Path.cwd()
    variables = {name: os.environ.get(name) for name in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_ADDOPTS")}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Recorder:
    """What became of each cell."""

    def __init__(self, bench: Bench, cell_timeout: float) -> None:
        self.bench, self.limit = bench, cell_timeout + _GRACE
        self.outcomes: dict[str, Outcome] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: Any) -> Generator[None, None, None]:
        """Ends a kernel that floods nbval with output, which it reads without looking at the clock."""
        timer = threading.Timer(self.limit, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            return (yield)
        finally:
            timer.cancel()

    def _give_up(self) -> None:
        self.bench.spoilt = True
        if self.bench.kernel is not None:
            self.bench.kernel[0].signal_kernel(signal.SIGKILL)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        report = yield
        if hasattr(item, "cell") and (call.when == "call" or (call.when == "setup" and not report.passed)):
            self.outcomes[item.cell.id] = _outcome(item, report, call)
        return report


def _outcome(item: Any, report: pytest.TestReport, call: pytest.CallInfo[None]) -> Outcome:
    if hasattr(report, "wasxfail") or report.skipped:
        return Outcome("not run")
    if report.passed:
        return Outcome("passed")
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, KernelDiedError):
        return Outcome("crashed")
    if item.parent.timed_out:
        return Outcome("timeout")
    errors = [output for output in item.test_outputs or () if output["output_type"] == "error"]
    return Outcome("error", errors[-1]["ename"], errors[-1]["evalue"]) if errors else Outcome("not run")
