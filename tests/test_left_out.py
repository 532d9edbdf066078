"""What a machine cannot run is left out with its reason, or fails where nothing may be left out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dslab.commands import test as command
from dslab.commands.components import why_missing

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ["-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", "-p", "no:nbval", "-p", "no:anyio"]
SAMPLE = """
import pytest

@pytest.mark.needs("python3.99")
def test_with_a_missing_part(): pass

@pytest.mark.needs("python")
def test_with_a_part_that_is_there(): pass

@pytest.mark.xfail(strict=True)
def test_known_to_fail(): assert False
"""


@pytest.fixture
def sample(tmp_path, monkeypatch):
    """A test file under the course's own settings; returns the arguments that run it."""
    monkeypatch.delenv("DSLAB_TEST_ALL", raising=False)       # this suite may itself be running under --all
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_sample.py").write_text(SAMPLE, "utf-8")
    return [*SETTINGS, f"--rootdir={tmp_path}", "-q", str(tmp_path)]


def test_a_missing_part_is_left_out_with_its_reason(sample, capfd):
    """The reason stands at the end of the output, with the name of the test."""
    outcome = command.pytest("pytest", sample, strict=False)
    assert outcome.note == "2 passed, 0 failed, 1 left out"
    assert command.summary([outcome], strict=False) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[-1] == f"  pytest: {why_missing('python3.99')} (test_sample::test_with_a_missing_part)"


def test_under_all_a_missing_part_fails(sample, capfd):
    """CI may not be green for want of a program."""
    outcome = command.pytest("pytest", sample, strict=True)
    assert outcome.status == "failed"
    assert outcome.note == "2 passed, 1 failed, 0 left out"
    assert command.summary([outcome], strict=True) == 1
    assert f"{why_missing('python3.99')}" in capfd.readouterr().out


def test_a_step_left_out_fails_under_all_only(capsys):
    """So does a whole step, such as the JavaScript tests without node."""
    for strict in (False, True):
        outcome = command.Outcome("javascript", "left out", left_out=["needs node"])
        assert command.summary([outcome], strict) == int(strict)
        assert "  javascript: needs node" in capsys.readouterr().out.splitlines()


def test_no_test_at_all_is_a_failure(tmp_path, capfd):
    """A misspelt path must not look like success."""
    outcome = command.pytest("pytest", [*SETTINGS, str(tmp_path)], strict=False)
    assert (outcome.status, outcome.note) == ("failed", "no test was collected")


def test_an_unknown_part_is_an_error():
    """A misspelt name in the marker is not a reason to leave a test out."""
    with pytest.raises(KeyError):
        why_missing("cromium")
