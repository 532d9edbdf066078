"""What a student reads when a check fails: property, shortest schedule, first wrong step, one question."""

from __future__ import annotations

import textwrap
import traceback
from collections.abc import Collection
from pathlib import Path

from dslab.sim import DslabError, System, Trace
from dslab.sim.case import Case
from dslab.sim.schedule import call

from .divergence import first_divergence
from .invariants import Verdict

PACKAGE = str(Path(__file__).resolve().parents[1])
WIDTH = 100


class CheckFailed(AssertionError):
    """An answer did not pass; the text is all that a student sees.

    Attributes:
        system, case, verdict: the failing run and the property that it breaks, or None.
        start: simulated ms just before it goes wrong.
        answer_line: (number, text) of the line of the answer that raised, where only that is known.
    """

    def __init__(
        self,
        text: str,
        *,
        system: System | None = None,
        case: Case | None = None,
        verdict: Verdict | None = None,
        start: float = 0,
    ) -> None:
        super().__init__(text)
        self.system, self.case, self.verdict, self.start = system, case, verdict, start
        self.answer_line: tuple[int, str] | None = None

    def _render_traceback_(self) -> list[str]:  # IPython calls this in place of its own traceback
        return str(self).splitlines()


def failure_text(name: str, case: Case, trace: Trace, verdict: Verdict, reference: Trace | None,
                 private: Collection[str] = ()) -> str:
    """The feedback for a run that breaks a property.

    Args:
        name: the exercise's id.
        case: the shortest failing one.
        trace: its run.
        verdict: the property that it breaks.
        reference: the run of the right system under the same schedule, or None to leave the comparison out.
        private: what the comparison leaves out, see first_divergence.
    """
    found = verdict.violation
    assert found is not None
    lines = [f'{name}: the property "{verdict.title}" is broken.', f"  It says: {verdict.sentence}"]
    when = (
        f"at {trace.events[verdict.event].time_us / 1000:g} ms"
        if verdict.event is not None
        else f"when the run ends at {trace.until_us / 1000:g} ms"
    )
    lines += [f"  What happens: {when} {found.text}."]
    if found.index is not None:
        lines += [
            f"    expected at index {found.index}: {found.expected}",
            f"    found at index {found.index}:    {found.found}",
        ]
    if case.shows:
        lines += [f"  The case{f' ({case.catalogue})' if case.catalogue else ''}: {case.shows}"]
    lines += [
        "",
        f"The shortest schedule that does it ({len(trace.servers)} servers, seed {case.seed}, "
        f"{len(case.schedule)} actions):",
        *schedule_lines(case),
    ]
    step = first_divergence(trace, reference, private) if reference is not None else None
    if step:
        lines += ["", f"The first step that {trace.system.capitalize()} does not take: {step}"]
    question = case.question or QUESTIONS.get(verdict.name, ANY_QUESTION)
    lines += ["", f"Question: {question}"]
    return folded(*lines)


ANY_QUESTION = "Which single step of this run should not have happened, and who could have refused it?"
QUESTIONS = {
    "requests_are_answered": "Which server could have answered, and what did it lack?",
    "election_safety": "Which server helped both of them, and what did it know the second time?",
    "leader_completeness": "Who voted for the new leader, and what did the voter's own log hold then?",
    "state_machine_safety": "Which server took its entry for safe too early, and who could be elected then?",
}


def schedule_lines(case: Case) -> list[str]:
    """The actions, numbered, as the calls that make them."""
    return [f"  {number:2}. {call(action)}" for number, action in enumerate(case.schedule, start=1)] or [
        "  (none: it goes wrong while nothing fails)"
    ]


def folded(*lines: str) -> str:
    """Lines of feedback as one text; what hangs over is indented a little more than its line."""
    parts = []
    for line in lines:
        indent = len(line) - len(line.lstrip()) + 2
        parts += textwrap.wrap(
            line, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
        ) or [""]
    return "\n".join(parts)


def student_line(error: DslabError) -> str:
    """One sentence about an exception in a student's code: the line, if known, and what Python says."""
    cause = error.__cause__
    if cause is None:
        return sentence(error)
    if getattr(cause, "answer_line", None):  # raised in another process, which told the line
        line, code = cause.answer_line  # type: ignore[attr-defined]
        name, said = getattr(cause, "answer_name", type(cause).__name__), getattr(cause, "answer_text", str(cause))
        what = f"{name}: {said}".rstrip(": ")
        return f"line {line} of your answer, `{code}`, stops with {what}."
    frames = [
        frame for frame in traceback.extract_tb(cause.__traceback__) if not frame.filename.startswith(PACKAGE)
    ]
    if not frames:  # the call itself failed, or what came back is not of the right kind
        for told in (f": {type(cause).__name__}: {cause}", f": {cause}"):
            place, found, _ = str(error).partition(told)
            if found:
                return f"{cause} ({place})."
        return sentence(cause)
    what = f"{type(cause).__name__}: {cause}".rstrip(": ")
    return f"line {frames[-1].lineno} of your answer, `{frames[-1].line}`, stops with {what}."


def sentence(error: BaseException) -> str:
    """An error's text with a full stop, unless it ends like a sentence already."""
    text = str(error)
    return text if text.endswith((".", "?", "!")) else text + "."
