"""Grades one hand-in: merge, run, and turn what became of each cell into points and a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dslab.grading.assignment import Assignment, Cell, Points
from dslab.grading.intake import HandIn, HandInError, read_notebook
from dslab.grading.merge import Merged, merge, merged_notebook
from dslab.grading.run import NbvalError, Outcome, Running, run_notebook

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
# Control characters, and those that turn the direction of the text that follows them.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
_COMPILED = re.compile(r"\(\d+\.py, line (\d+)\)")  # IPython's name for a cell says nothing to anybody
_ARROW = re.compile(r"^-+> (\d+) ?(.*)$", re.MULTILINE)

MAX_MESSAGE = 4000  # characters
_WRONG = ("AssertionError", "CheckFailed")
_SCOPE = " (graded are the set-up, answer and check cells: put what an answer needs into its own cell)"
_UNANSWERED = "not answered yet: the answer cell is as it was given out"


@dataclass
class Result:
    """One hand-in, graded; `problem` is the reason when it could not be."""

    name: str
    max_points: Points
    checks: list[dict[str, Any]]
    flags: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    problem: str = ""

    @property
    def points(self) -> Points:
        return sum(check["points"] for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """The hand-in's part of results.json; it holds nothing that differs between two runs."""
        data: dict[str, Any] = {
            "name": self.name,
            "points": self.points,
            "max_points": self.max_points,
            "checks": self.checks,
            "flags": self.flags,
        }
        return data | ({"problem": self.problem} if self.problem else {})


def plain(text: str) -> str:
    """`text` without colours, control characters and memory addresses, at most MAX_MESSAGE long."""
    text = _ADDRESS.sub("0x…", CONTROL.sub("", _ANSI.sub("", text))).strip()
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


def failing_line(outcome: Outcome, answer: str) -> dict[str, Any]:
    """The innermost line of the student's own cell that the traceback points at."""
    lines = answer.split("\n")
    for number, code in reversed(_ARROW.findall(_ANSI.sub("", outcome.traceback))):
        at = int(number)
        if code.strip() and 0 < at <= len(lines) and lines[at - 1].strip() == code.strip():
            return {"line": at, "code": plain(code)}
    return {}


def message_of(outcome: Outcome) -> str:
    """What a failed cell said, in the student's words where the check gave any."""
    if outcome.ename in _WRONG:
        if outcome.evalue.strip():
            return plain(outcome.evalue)
        arrows = _ARROW.findall(_ANSI.sub("", outcome.traceback))
        return f"this does not hold: {plain(arrows[-1][1])}" if arrows else "the check does not hold"
    text = f"{outcome.ename}: {outcome.evalue}" if outcome.evalue else outcome.ename
    if outcome.ename == "NameError":
        text += _SCOPE
    return plain(_COMPILED.sub(r"(line \1)", text))


def _judge(check: Cell, outcome: Outcome, answer: Outcome, untouched: bool) -> tuple[str, str, Outcome]:
    """Status, message and the outcome that explains it, for a check that ended as `outcome`."""
    if outcome.what == "passed":
        return "passed", "", outcome
    if untouched:
        return "missing", _UNANSWERED, outcome
    if answer.what in ("timeout", "crashed"):
        verb = "did not end in time" if answer.what == "timeout" else "ended the kernel"
        return answer.what, f"the answer cell {verb}", answer
    if outcome.what == "timeout":
        return "timeout", "the check did not end in time with this answer", outcome
    if outcome.what == "crashed":
        return "crashed", "the kernel ended while the check ran", outcome
    if outcome.what == "not run":
        return "not run", "it was not run because an earlier cell ended the kernel", outcome
    if answer.what == "error":
        return "error", f"the answer cell stops with {message_of(answer)}", answer
    if outcome.ename == "NotImplementedError":
        return "missing", "not answered yet: the answer still raises NotImplementedError", outcome
    if outcome.ename == "MemoryError":
        return "memory", "the answer needs more memory than there is", outcome
    return ("wrong" if outcome.ename in _WRONG else "error"), message_of(outcome), outcome


def _report(check: Cell, status: str, message: str, line: dict[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = {
        "id": check.id,
        "exercise": check.exercise,
        "title": check.title,
        "status": status,
        "points": check.points if status == "passed" else 0,
        "max_points": check.points,
        "hidden": check.hidden,
    }
    # What a hidden check looks at must stay unseen: title and points only.
    return report if check.hidden or not message else report | {"message": message} | line


def _culprit(assignment: Assignment, outcomes: dict[str, Outcome]) -> str | None:
    """The exercise whose cell ended the kernel, or None."""
    for cell in assignment.cells:
        if cell.exercise and outcomes.get(cell.id, Outcome("")).what in ("timeout", "crashed"):
            return cell.exercise
    return None


def run_answers(
    assignment: Assignment,
    answers: dict[str, str],
    *,
    timeout: float = 60.0,
    junit: Path | None = None,
    running: Running | None = None,
) -> dict[str, Outcome]:
    """What became of every cell; an exercise that ends the kernel costs its own checks only.

    After such an end the notebook runs again without that answer and its checks.
    """
    left = dict(answers)
    wanted = {check.exercise for check in assignment.checks}
    result: dict[str, Outcome] = {}
    for turn in range(len(wanted) + 1):
        report = junit if turn == 0 or junit is None else junit.with_stem(f"{junit.stem}-{turn + 1}")
        notebook = merged_notebook(assignment, left, only=wanted)
        outcomes = run_notebook(notebook, timeout=timeout, junit=report, running=running)
        dropped = set(answers) - set(left)
        for cell in assignment.cells:
            if (
                cell.id in outcomes
                and cell.exercise not in dropped
                and result.get(cell.id, Outcome("not run")).what == "not run"
            ):
                result[cell.id] = outcomes[cell.id]
        culprit = _culprit(assignment, outcomes)
        if culprit is None or culprit not in wanted:
            break
        wanted.discard(culprit)
        left.pop(culprit, None)
        if not any(
            result.get(check.id, Outcome("not run")).what == "not run"
            for check in assignment.checks
            if check.exercise in wanted
        ):
            break
    return {cell.id: result.get(cell.id, Outcome("not run")) for cell in assignment.cells}


def unreadable(assignment: Assignment, name: str, problem: str) -> Result:
    """The result of a hand-in that could not be graded: no points, and the reason."""
    checks = [_report(check, "not run", "", {}) for check in assignment.checks]
    return Result(name, assignment.total, checks, problem=problem)


def _results(assignment: Assignment, merged: Merged, outcomes: dict[str, Outcome]) -> list[dict[str, Any]]:
    cells = {answer.exercise: answer.id for answer in assignment.answers}
    checks = []
    for check in assignment.checks:
        answer_id = cells.get(check.exercise)
        if answer_id is not None and check.exercise not in merged.answers:
            checks.append(
                _report(check, "missing", "there is no answer cell for this exercise in the hand-in", {})
            )
            continue
        answer = outcomes[answer_id] if answer_id else Outcome("passed")
        untouched = check.exercise in merged.untouched
        status, message, why = _judge(check, outcomes[check.id], answer, untouched)
        line = (
            failing_line(why, merged.answers.get(check.exercise, "")) if status in ("wrong", "error") else {}
        )
        checks.append(_report(check, status, message, line))
    return checks


def grade_notebook(
    assignment: Assignment,
    hand_in: HandIn,
    name: str,
    *,
    timeout: float = 60.0,
    junit: Path | None = None,
    running: Running | None = None,
) -> Result:
    """The graded hand-in. An exercise with no answer cell gets "missing", and the others their points."""
    merged = merge(assignment, hand_in)
    if not merged.answers:
        result = unreadable(
            assignment, name, "no answer cell was found: hand in the notebook that was given out"
        )
        result.flags = list(merged.flags)
        return result
    try:
        outcomes = run_answers(assignment, merged.answers, timeout=timeout, junit=junit, running=running)
    except NbvalError as error:
        return unreadable(assignment, name, plain(str(error)))
    return Result(
        name, assignment.total, _results(assignment, merged, outcomes), list(merged.flags), merged.answers
    )


def grade_file(
    assignment: Assignment,
    path: Path,
    name: str,
    *,
    timeout: float = 60.0,
    junit: Path | None = None,
    running: Running | None = None,
) -> Result:
    """As grade_notebook, for a file; one that cannot be read gives a result that says why."""
    try:
        hand_in = read_notebook(path)
    except HandInError as error:
        return unreadable(assignment, name, str(error))
    return grade_notebook(assignment, hand_in, name, timeout=timeout, junit=junit, running=running)
