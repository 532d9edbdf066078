"""What nbval says about each cell, read from a real run of pytest."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager

import nbformat
import pytest

from dslab.grading.run import NbvalError, Running, run_notebook

# a hand-in that never ends and shrugs off interrupts: the sleep is the student's, no test waits for it
HANG = """
import time
while True:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""


def notebook(**cells):
    made = [nbformat.v4.new_code_cell(text, id=name) for name, text in cells.items()]
    return nbformat.v4.new_notebook(cells=made)


def test_each_cell_has_its_own_outcome(tmp_path):
    """By cell id; a skipped cell and one that is expected to raise are not passed for nothing."""
    junit = tmp_path / "report.xml"
    outcomes = run_notebook(
        notebook(
            fine="x = 1",
            wrong="assert x == 2, 'x is one'",
            broken="def f():\n    return 1 / 0\nf()",
            skipped="# NBVAL_SKIP\nx = 3",
            environment="import os\nassert os.environ['DSLAB_GRADING'] == '1'",
            asks="input()",
            last="assert x == 1",
        ),
        junit=junit,
    )
    assert {name: outcome.what for name, outcome in outcomes.items()} == {
        "fine": "passed", "wrong": "error", "broken": "error", "skipped": "not run", "environment": "passed",
        "asks": "error", "last": "passed",
    }  # fmt: skip
    assert (outcomes["wrong"].ename, outcomes["wrong"].evalue) == ("AssertionError", "x is one")
    assert "ZeroDivisionError" in outcomes["broken"].traceback
    assert 'tests="7"' in junit.read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("import os\nos._exit(0)", "crashed", id="ends the kernel"),
        pytest.param("while True: pass", "timeout", id="endless"),
        pytest.param(HANG, "timeout", id="endless and cannot be interrupted"),
    ],
)
def test_a_cell_that_ends_the_run_is_named_and_the_rest_is_not_run(text, what):
    """A dead kernel is noticed long before the cell's time is over."""
    timeout = 600 if what == "crashed" else 1
    outcomes = run_notebook(notebook(before="x = 1", culprit=text, after="x = 2"), timeout=timeout)
    assert [outcome.what for outcome in outcomes.values()] == ["passed", what, "not run"]


def test_a_run_that_does_not_start_says_why(monkeypatch):
    """pytest's last words, not an empty result."""
    monkeypatch.setattr("dslab.grading.run._command", lambda *_: ["python", "-c", "print('no pytest here')"])
    with pytest.raises(NbvalError, match="no pytest here"):
        run_notebook(notebook(only="1"))


def test_ctrl_c_leaves_no_process_behind(monkeypatch):
    """pytest has a session of its own, so the signal does not reach it."""
    started = []

    class Watched(Running):
        @contextmanager
        def added(self, process):
            started.append(process)
            with super().added(process):
                yield

    def interrupted(process, timeout=None):
        raise KeyboardInterrupt

    # a process that outlives any test, unless the grader ends it, which is what is tested
    sleeper = ["python", "-c", "import time; time.sleep(600)"]
    monkeypatch.setattr("dslab.grading.run._command", lambda *_: sleeper)
    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_notebook(notebook(only="1"), running=Watched())
    assert started[0].wait(timeout=60) != 0
    started[0].stdout.close()
