"""One process that grades: it keeps a warm kernel and grades one hand-in after the other."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dslab.grading import grade
from dslab.grading.assignment import Assignment
from dslab.grading.intake import HandInError, notebook_of
from dslab.grading.merge import merged_notebook
from dslab.grading.outcome import NbvalError, Outcome
from dslab.grading.zygote import LOCK

if TYPE_CHECKING:
    from dslab.grading.plugin import Bench

LONGEST_PLACE = 50  # bytes; "/dslab-" and a kernel's sockets need another 50
# A check's own work (simulating, judging) has no fair limit; this one only ends what never ends.
CELL_FACTOR, CELL_EXTRA = 6, 60.0


class Task(NamedTuple):
    """One hand-in to grade.

    Args:
        name: the hand-in's.
        data: the bytes of its file.
        timeout: seconds that the student's code may use in one cell.
        layers: of the sandbox.
    """

    assignment: Assignment
    name: str
    data: bytes
    timeout: float
    layers: tuple[str, ...]


class Ran(NamedTuple):
    """What became of a merged notebook: outcome and feedback by cell id, failing runs as pages, pytest's XML."""

    outcomes: dict[str, Outcome]
    feedback: dict[str, dict[str, Any]]
    runs: dict[str, str]
    junit: str


_bench: Bench | None = None


def _private_folder() -> Path:
    """A new folder in which sockets can be made: their paths have at most 103 bytes on macOS, 107 on Linux."""
    place = tempfile.gettempdir()
    if len(os.fsencode(os.path.realpath(place))) > LONGEST_PLACE:
        place = "/tmp"
    return Path(tempfile.mkdtemp(prefix="dslab-", dir=place)).resolve()


def _ready(layers: tuple[str, ...]) -> Bench:
    global _bench
    if _bench is not None and _bench.layers != layers:
        close()
    if _bench is None:
        if not hasattr(os, "fork"):
            raise HandInError("grading needs Linux, macOS or WSL 2; the checks in the notebook itself run everywhere")
        import fcntl

        from dslab.grading.plugin import Bench  # the processes that grade need it, the one that hands out work does not

        if sys.platform == "linux":  # the kernel and the student's process take turns: on one processor that is fastest
            processors = sorted(os.sched_getaffinity(0))
            number = int(os.environ.get("DSLAB_GRADING_WORKER", os.getpid()))
            os.sched_setaffinity(0, {processors[number % len(processors)]})
        _bench = Bench(_private_folder(), layers)
        _bench.lock = (_bench.folder / LOCK).open("wb")
        fcntl.flock(_bench.lock, fcntl.LOCK_EX)  # kept while this process lives; see zygote.remove_if_left
        atexit.register(close)
    return _bench


def close() -> None:
    """Ends this process's kernel and all that hangs on it, and removes its folder."""
    global _bench
    if _bench is not None:
        bench, _bench = _bench, None
        bench.kill()
        shutil.rmtree(bench.folder, ignore_errors=True)
        bench.lock.close()


def run_answers(
    assignment: Assignment,
    answers: Mapping[str, str],
    *,
    seconds: float,
    layers: tuple[str, ...],
    only: Collection[str] | None = None,
    own: Sequence[str] = (),
) -> Ran:
    """Merges answers into the assignment and runs it.

    Args:
        answers: source text by exercise.
        seconds: that the student's code may use in one cell.
        layers: of the sandbox.
        only: exercises whose checks run; None means all.
        own: other cells of the student's.

    Raises:
        NbvalError: pytest did not get as far as the first cell.
    """
    bench = _ready(layers)
    wanted = {check.exercise for check in assignment.checks} if only is None else set(only)
    outcomes: dict[str, Outcome] = {}
    feedback: dict[str, dict[str, Any]] = {}
    runs: dict[str, str] = {}
    junit = ""
    kept = dict(answers)
    while True:
        work = Path(tempfile.mkdtemp(dir=bench.folder))
        try:
            notebook = merged_notebook(assignment, kept, seconds=seconds, only=wanted, own=own)
            found, report = bench.run(notebook, work, CELL_FACTOR * seconds + CELL_EXTRA)
            junit = junit or report
            for cell, outcome in found.items():
                if outcomes.get(cell, Outcome("not run")).what == "not run":
                    outcomes[cell] = outcome
            feedback = grade.read_feedback(work) | feedback
            runs |= {file.stem: file.read_text("utf-8", "replace") for file in work.glob("*.html")}
        finally:
            shutil.rmtree(work, ignore_errors=True)
        culprit = grade.culprit(assignment, found)
        left = [one for one in assignment.checks if one.exercise in wanted - {culprit} and not one.by_hand]
        done = all(outcomes.get(one.id, Outcome("not run")).what != "not run" for one in left)
        if done or culprit not in kept:
            return Ran(outcomes, feedback, runs, junit)
        wanted.discard(culprit)
        del kept[culprit]  # its stub stands there in the next turn: each turn has one answer less, so this ends


def grade_task(task: Task) -> dict[str, Any]:
    """The graded hand-in.

    Returns:
        {"json": its part of results.json, "answers": {exercise: text}, "runs": {check: page}, "junit": XML}; a hand-in
        that cannot be graded has the reason in its "problem".
    """
    try:
        hand_in = notebook_of(task.data)
    except HandInError as error:
        return grade.unreadable(task.assignment, task.name, str(error))
    return grade.grade_notebook(task.assignment, hand_in, task.name, seconds=task.timeout, layers=task.layers,
                                run=run_answers)  # fmt: skip


__all__ = ["NbvalError", "Ran", "Task", "close", "grade_task", "run_answers"]
