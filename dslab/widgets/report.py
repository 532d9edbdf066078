"""What notebooks call to check an answer: prints what was found, and opens the failing run in a Lab."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from dslab.check import answers, break_it, laws, own_checker, puzzle_series
from dslab.check.feedback import CheckFailed

from .lab import Lab


def verify(*arguments: Any, **options: Any) -> None:
    """Checks a function; see `dslab.check.answers.verify`."""
    _report(answers.verify, arguments, options)


def judge_schedule(*arguments: Any, **options: Any) -> None:
    """Checks a schedule that is to break a protocol; see `dslab.check.break_it.judge_schedule`."""
    _report(break_it.judge_schedule, arguments, options)


def judge_order(*arguments: Any, **options: Any) -> None:
    """Checks a rule of a linearizability checker; see `dslab.check.own_checker.judge_order`."""
    _report(own_checker.judge_order, arguments, options)


def judge_shortcut(*arguments: Any, **options: Any) -> None:
    """Checks a shortcut of a linearizability checker; see `dslab.check.own_checker.judge_shortcut`."""
    _report(own_checker.judge_shortcut, arguments, options)


def judge_puzzles(*arguments: Any, **options: Any) -> None:
    """Checks answers to puzzles; see `dslab.check.puzzle_series.judge_puzzles`."""
    _report(puzzle_series.judge_puzzles, arguments, options)


def judge_laws(*arguments: Any, **options: Any) -> None:
    """Checks whether the states of a replicated data type can be merged in any order; see dslab.check.laws."""
    _report(laws.judge_laws, arguments, options)


def _report(check: Callable[..., str], arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    try:
        print(check(*arguments, **options))
    except CheckFailed as failed:
        _keep(failed)
        _open(failed)
        raise


def _keep(failed: CheckFailed) -> None:
    """While grading, writes the failing run as a page to the file that the grader names in DSLAB_FAILED_RUN."""
    path = os.environ.get("DSLAB_FAILED_RUN")
    if os.environ.get("DSLAB_GRADING") != "1" or not path or failed.system is None or failed.case is None:
        return
    with suppress(Exception):  # whatever it is, the failure itself must be heard
        _failing_run(failed).export_html(path)


def _open(failed: CheckFailed) -> None:
    """Shows the failing run below the text of the failure, where there is a notebook to show it in."""
    shell = _notebook_shell()
    if shell is None or failed.system is None or failed.case is None:
        return
    lab = _failing_run(failed)

    def show(result: Any) -> None:
        """Runs when the cell has ended: by then IPython has printed the text of the failure."""
        shell.events.unregister("post_run_cell", show)
        from IPython.display import display

        display(lab)

    shell.events.register("post_run_cell", show)


def _failing_run(failed: CheckFailed) -> Lab:
    """The run just before it goes wrong."""
    case, system = failed.case, failed.system
    assert case is not None and system is not None
    return Lab(
        system,
        seed=case.seed,
        schedule=case.schedule,
        until=case.until,
        start=failed.start,
        title=f"{case.name}: the run that fails",
    )


def _notebook_shell() -> Any:
    """IPython's shell if it has a kernel, so that somebody may look; None while grading and in a terminal."""
    if os.environ.get("DSLAB_GRADING") == "1":
        return None
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    return shell if shell is not None and hasattr(shell, "kernel") else None
