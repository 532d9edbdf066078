"""What a notebook sees of a check: one line, or the failure with the failing run below it."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from dslab import CheckFailed, Lab, verify
from dslab.protocols import echo
from dslab.widgets import report


class Events:
    """IPython's events, by hand."""

    def __init__(self):
        self.waiting = []

    def register(self, name, function):
        self.waiting.append((name, function))

    def unregister(self, name, function):
        self.waiting.remove((name, function))


class Shell:
    """A shell with a kernel."""

    def __init__(self):
        self.events, self.kernel = Events(), object()


@pytest.fixture
def shown(monkeypatch):
    """What is displayed, with a notebook's shell around."""
    shell, displayed = Shell(), []
    monkeypatch.delenv("DSLAB_GRADING", raising=False)
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: shell)
    monkeypatch.setattr("IPython.display.display", displayed.append)
    shell.displayed = displayed
    return shell


def check(answer):
    """The exercise of the first notebook."""
    verify("start-echo", answer, echo.echoing, like=echo.cluster, cases=echo.CALLS)


def test_right_answer_prints_one_line(capsys):
    """And shows nothing else."""
    check(lambda command: command)
    assert capsys.readouterr().out.startswith("start-echo: right. ")


def test_failing_run_opens_below_the_text_of_the_failure(shown):
    """Nothing is shown before the cell has ended; then a Lab of that very run, just before it goes wrong."""
    with pytest.raises(CheckFailed, match="The echo is the call"):
        check(lambda command: "hello")
    assert shown.displayed == []
    ((name, function),) = shown.events.waiting
    function(None)
    (lab,) = shown.displayed
    assert (name, shown.events.waiting) == ("post_run_cell", [])
    assert isinstance(lab, Lab)
    assert [v.status for v in lab.verdicts() if v.name == "echoes"] == ["violated"]
    assert lab.cursor["time_us"] < next(v.time_us for v in lab.verdicts() if v.name == "echoes")


def test_nothing_opens_while_grading(shown, monkeypatch):
    """nbval compares outputs; a widget would differ."""
    monkeypatch.setenv("DSLAB_GRADING", "1")
    with pytest.raises(CheckFailed):
        check(lambda command: None)
    assert shown.events.waiting == []


def test_nothing_opens_without_a_kernel(monkeypatch):
    """In a terminal the text must do."""
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: None)
    with pytest.raises(CheckFailed):
        check(lambda command: None)
    assert report._notebook_shell() is None


def test_ipython_shows_only_the_text(capsys):
    """No traceback through the package, whatever the traceback mode."""
    shell = InteractiveShell()
    shell.run_cell("from dslab import CheckFailed\nraise CheckFailed('raft-vote: the text')")
    said = capsys.readouterr().out
    assert "raft-vote: the text" in said and "Traceback" not in said


def test_grading_keeps_the_failing_run_as_a_page(monkeypatch, tmp_path):
    """Where the grader says, and standing just before it goes wrong."""
    page = tmp_path / "run.html"
    monkeypatch.setenv("DSLAB_GRADING", "1")
    monkeypatch.setenv("DSLAB_FAILED_RUN", str(page))
    with pytest.raises(CheckFailed) as caught:
        check(lambda command: "hello")
    text = page.read_text("utf-8")
    assert text.startswith("<!doctype html>") and "the run that fails" in text
    assert f'"cursor":{{"branch":"A","time_us":{round(caught.value.start * 1000)},' in text


def test_outside_grading_no_page_is_kept(monkeypatch, tmp_path):
    """A student's own notebook writes no files."""
    monkeypatch.delenv("DSLAB_GRADING", raising=False)
    monkeypatch.setenv("DSLAB_FAILED_RUN", str(tmp_path / "run.html"))
    with pytest.raises(CheckFailed):
        check(lambda command: "hello")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("trouble", [OSError("disk full"), ValueError("no such run"), RecursionError(), MemoryError()])
def test_a_page_that_cannot_be_made_hides_nothing(monkeypatch, tmp_path, trouble):
    """The failure of the answer is what is heard."""
    monkeypatch.setenv("DSLAB_GRADING", "1")
    monkeypatch.setenv("DSLAB_FAILED_RUN", str(tmp_path / "no" / "such" / "folder.html"))
    with pytest.raises(CheckFailed, match="The echo is the call"):
        check(lambda command: "hello")

    def fail(*_):
        raise trouble

    monkeypatch.setattr(Lab, "export_html", fail)
    with pytest.raises(CheckFailed, match="The echo is the call"):
        check(lambda command: "hello")
