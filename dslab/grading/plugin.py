"""pytest plugin beside nbval: one JSON line per cell, by cell id, and no waiting for a dead kernel.

Loaded with `-p dslab.grading.plugin`; without `--dslab-outcomes` it changes nothing.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Generator
from functools import partial
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

# jsonschema compiles a grammar for one format of address as it is imported: 3 CPU seconds in each of our
# processes, and no notebook's schema uses it. Without the package jsonschema leaves that format out.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import nbval.kernel  # noqa: E402

from dslab.grading.environment import kernel_transport  # noqa: E402

_SLICE = 0.5  # seconds between two looks at whether the kernel lives
_GRACE = 15.0  # seconds that nbval gets to end a cell after its timeout


class KernelDiedError(Exception):
    """The kernel ended while a cell ran."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--dslab-outcomes", default=None, help="file that gets one JSON line per notebook cell")


def pytest_configure(config: pytest.Config) -> None:
    outcomes = config.getoption("--dslab-outcomes")
    if not outcomes:
        return
    await_reply = nbval.kernel.RunningKernel.await_reply

    def await_reply_or_death(self: Any, msg_id: str, timeout: float | None = None) -> None:
        """nbval waits the whole cell timeout for a kernel that has ended; this looks twice a second."""
        until = time.monotonic() + (timeout if timeout is not None else 60.0)
        while True:
            try:
                await_reply(self, msg_id, timeout=_SLICE)
                return
            except Empty:
                if not self.is_alive():
                    raise KernelDiedError from None
                if time.monotonic() > until:
                    raise

    nbval.kernel.RunningKernel.await_reply = await_reply_or_death
    manager = nbval.kernel.KernelManager
    nbval.kernel.KernelManager = partial(manager, **kernel_transport(Path(outcomes).parent, "kernel"))


def _write(path: str, line: dict[str, Any]) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: Any) -> Generator[None, None, None]:
    """Ends the run at a cell that floods nbval with output, which it reads without looking at the clock."""
    outcomes = item.config.getoption("--dslab-outcomes")
    kernel = getattr(item.parent, "kernel", None)
    if kernel is None or not outcomes:
        return (yield)

    def give_up() -> None:
        _write(outcomes, {"cell": item.cell.id, "outcome": "timeout"})
        os._exit(1)  # the kernel ends when its parent is gone

    timer = threading.Timer(item.config.getoption("--nbval-cell-timeout") + _GRACE, give_up)
    timer.daemon = True
    timer.start()
    try:
        return (yield)
    finally:
        timer.cancel()


def _error(item: Any) -> dict[str, Any]:
    outputs = [output for output in item.test_outputs or () if output["output_type"] == "error"]
    if not outputs:
        return {}
    return {key: outputs[-1][key] for key in ("ename", "evalue", "traceback")}


def _what_happened(item: Any, report: pytest.TestReport, call: pytest.CallInfo[None]) -> str:
    if hasattr(report, "wasxfail") or report.skipped:
        return "not run"
    if report.passed:
        return "passed"
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, KernelDiedError):
        return "crashed"
    if item.parent.timed_out:
        return "timeout"
    return "error" if _error(item) else "not run"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    outcomes = item.config.getoption("--dslab-outcomes")
    if (
        outcomes
        and hasattr(item, "cell")
        and (call.when == "call" or (call.when == "setup" and not report.passed))
    ):
        line = {"cell": item.cell.id, "outcome": _what_happened(item, report, call)} | _error(item)
        _write(outcomes, line)
    return report
