"""Turns what became of each cell of a merged notebook into points, a status and feedback."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dslab.grading.assignment import Assignment, Cell, number
from dslab.grading.intake import HandIn, flag
from dslab.grading.merge import Merged, merge
from dslab.grading.outcome import NbvalError, Outcome

if TYPE_CHECKING:
    from dslab.grading.worker import Ran

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
# Control characters, and those that turn the direction of the text that follows them.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")

MAX_MESSAGE = 4000  # characters
_WRONG = ("AssertionError", "CheckFailed")
_SCOPE = " (put what an answer needs into its own cell: other cells are run only where they define it)"
_UNANSWERED = "not answered yet: the answer cell is as it was given out"
_SHOWN = ("call", "got", "wanted", "line", "code", "property", "sentence", "seed", "schedule")
_GONE = {
    "timeout": "{} did not end in time",
    "crashed": "{} ended the process that it runs in",
    "memory": "{} hands over more data than there is room for",
}


def plain(text: str) -> str:
    """`text` without colours, control characters and memory addresses, at most MAX_MESSAGE long."""
    text = _ADDRESS.sub("0x…", CONTROL.sub("", _ANSI.sub("", text))).strip()
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


def message_of(outcome: Outcome) -> str:
    """What a failed cell said."""
    text = outcome.evalue if outcome.ename in _WRONG else f"{outcome.ename}: {outcome.evalue}"
    return plain(text).removesuffix(":") or outcome.ename


def read_feedback(folder: Path) -> dict[str, dict[str, Any]]:
    """What the kernel noted about each answer and check, by cell id."""
    file = folder / "feedback.jsonl"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return {record["cell"]: record for record in map(json.loads, lines)}


def culprit(assignment: Assignment, outcomes: dict[str, Outcome]) -> str | None:
    """The exercise whose cell ended the grader's kernel, or None."""
    for cell in assignment.cells:
        if cell.exercise and outcomes.get(cell.id, Outcome("")).what in ("timeout", "crashed"):
            return cell.exercise
    return None


def _hint(note: dict[str, Any]) -> str:
    """What to look at first, where the values alone tell it."""
    got, wanted = note.get("got", ""), note.get("wanted")
    if got == "None" and wanted not in (None, "None"):
        return "nothing came back: does every path through the function end with a return?"
    if got.startswith("<") and " of the answer>" in got:
        return "an object came back where a plain value is wanted: return the number, text or container itself"
    if wanted is not None and got.strip("'\"") == wanted.strip("'\"") and got != wanted:
        return "this is text where a number is wanted, or the other way round"
    if wanted is not None and {got[:1], wanted[:1]} == {"[", "("}:
        return "lists are written [1, 2], tuples (1, 2): one is wanted and the other came"
    return ""


def _answer_error(note: dict[str, Any]) -> str:
    text = str(note.get("said", "")) or str(note.get("error", ""))
    name = str(note.get("error", ""))
    told = text if name == "AnswerError" or text.startswith(name) else f"{name}: {text}"
    return plain(told) + (_SCOPE if name == "NameError" else "")


def _judge(check: Cell, ran: Ran, answer: Cell | None, untouched: bool) -> tuple[str, str, dict[str, Any]]:
    """Status, message and the note that explains it."""
    outcome, note = ran.outcomes[check.id], ran.feedback.get(check.id, {})
    before = ran.feedback.get(answer.id, {}) if answer is not None else {}
    if outcome.what == "passed" and note.get("checked") and "error" not in note:
        return "passed", "", {}
    if untouched:
        return "missing", _UNANSWERED, {}
    for what, where in ((before, "the answer cell"), (note, "the answer")):
        if what.get("gone"):
            return what["gone"], _GONE[what["gone"]].format(where), note
    cell = ran.outcomes[answer.id].what if answer is not None else ""
    if cell in _GONE:
        return cell, _GONE[cell].format("the answer cell"), note
    if outcome.what == "timeout":
        return "timeout", "the check did not end in time with this answer", note
    if outcome.what == "crashed":
        return "crashed", "the check could not go on with this answer", note
    if outcome.what == "not run":
        return "not run", "it was not run because an earlier cell ended the grader's kernel", note
    if before.get("error") == "MemoryError" or note.get("error") == "MemoryError":
        return "memory", "the answer needs more memory than there is", note
    if before.get("error"):
        return "error", f"the answer cell stops with {_answer_error(before)}", before
    if note.get("error") == "NotImplementedError" or outcome.ename == "NotImplementedError":
        return "missing", "not answered yet: the answer still raises NotImplementedError", {}
    if (outcome.ename or note.get("error")) in _WRONG:
        does_not_hold = f"this does not hold: {note.get('assertion') or note.get('statement', 'the check')}"
        return "wrong", plain(note.get("said", "")) or does_not_hold, note
    return "error", _answer_error({"error": outcome.ename, "said": outcome.evalue} | note), note


def _report(check: Cell, status: str, message: str, note: dict[str, Any], run: bool) -> dict[str, Any]:
    report: dict[str, Any] = {
        "id": check.id,
        "exercise": check.exercise,
        "title": check.title,
        "status": status,
        "points": check.points if status == "passed" else 0,
        "max_points": check.points,
        "hidden": check.hidden,
    }
    if check.hidden or status == "passed":  # what a hidden check looks at must stay unseen: title and points only
        return report
    report |= {"message": message} if message else {}
    for key in _SHOWN:
        if key in note:
            report[key] = plain(note[key]) if isinstance(note[key], str) else note[key]
    hint = _hint(note) if status == "wrong" else ""
    return report | ({"hint": hint} if hint else {}) | ({"run": True} if run else {})


def _result(
    assignment: Assignment, name: str, checks: list[dict[str, Any]], flags: list[dict[str, str]], problem: str = ""
) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": name,
        "points": number(sum(check["points"] for check in checks)),
        "max_points": assignment.total,
        "checks": checks,
        "flags": flags,
    }
    data |= {"problem": problem} if problem else {}
    return {"json": data, "answers": {}, "runs": {}, "junit": ""}


def unreadable(assignment: Assignment, name: str, problem: str, flags: Any = ()) -> dict[str, Any]:
    """The result of a hand-in that could not be graded: no points, and the reason."""
    checks = [_report(check, "not run", "", {}, False) for check in assignment.checks]
    return _result(assignment, name, checks, list(flags), problem)


def _refused(assignment: Assignment, ran: Ran) -> list[dict[str, str]]:
    """Flags for system calls that answers tried in vain; each once, where it was first seen."""
    flags, known = [], set()
    for cell in assignment.cells:
        tried = [one for one in ran.feedback.get(cell.id, {}).get("refused", []) if one not in known]
        known |= set(tried)
        if tried:
            text = f"the answer to {cell.exercise} tried {', '.join(tried)}, which the sandbox does not allow"
            flags.append(flag("refused-call", plain(text), cell.id if cell.role == "answer" else ""))
    return flags


def grade_notebook(
    assignment: Assignment, hand_in: HandIn, name: str, *, seconds: float, layers: tuple[str, ...], run: Any
) -> dict[str, Any]:
    """The graded hand-in, in the form of `worker.grade_task`.

    An exercise with no answer cell gets "missing", and the others their points.

    Args:
        seconds: that the student's code may use in one cell.
        layers: of the sandbox.
        run: as worker.run_answers.
    """
    merged = merge(assignment, hand_in)
    if not merged.answers:
        problem = "no answer cell was found: hand in the notebook that was given out"
        return unreadable(assignment, name, problem, merged.flags)
    try:
        ran = run(assignment, merged.answers, seconds=seconds, layers=layers, own=merged.own)
    except NbvalError as error:
        return unreadable(assignment, name, plain(str(error)))
    checks = _checks(assignment, merged, ran)
    result = _result(assignment, name, checks, [*merged.flags, *_refused(assignment, ran)])
    shown = {check["id"] for check in checks if check.get("run")}
    pages = {check: page for check, page in ran.runs.items() if check in shown}
    return result | {"answers": merged.answers, "runs": pages, "junit": ran.junit}


def _checks(assignment: Assignment, merged: Merged, ran: Ran) -> list[dict[str, Any]]:
    answers = {answer.exercise: answer for answer in assignment.answers}
    checks = []
    for check in assignment.checks:
        answer = answers.get(check.exercise)
        if check.by_hand:
            checks.append(_report(check, "not run", "marked by hand", {}, False))
        elif answer is not None and check.exercise not in merged.answers:
            message = "there is no answer cell for this exercise in the hand-in"
            checks.append(_report(check, "missing", message, {}, False))
        else:
            status, message, note = _judge(check, ran, answer, check.exercise in merged.untouched)
            checks.append(_report(check, status, message, note, check.id in ran.runs and status != "passed"))
    return checks
