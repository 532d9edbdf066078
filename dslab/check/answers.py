"""Checks a student's function: plugs it into a system, runs it under faults, explains the first failure.

A check looks at properties, never at printed text or at the way the answer is written.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from dslab.sim import DslabError, System, Trace, simulate
from dslab.sim.case import Case

from .faults import KINDS, random_schedule
from .feedback import PACKAGE, CheckFailed, failure_text, folded, student_line
from .invariants import Verdict, first_violation
from .printed import Printed, held_back
from .progress import settled, unanswered
from .shrink import shortest

FAULTS_MS = 2_000  # of a random run: crashes, partitions and losses in this time, then
QUIET_MS = 3_000  # a time without faults in which every request must be answered
LONG = 100_000  # events: a right answer makes a few thousand in a run
SHORTENING = 100_000  # most events to simulate in all for a shorter schedule


class Pair(NamedTuple):
    """The system that uses the answer, and the one that does it right."""

    mine: System
    right: System


class Broken(NamedTuple):
    """A run and what is wrong with it."""

    trace: Trace
    verdict: Verdict


def verify(
    name: str,
    answer: Callable[..., Any],
    cluster: Callable[..., System],
    *,
    like: Callable[..., System],
    cases: Sequence[Case] = (),
    seeds: Iterable[int] = (),
    faults: Sequence[str] = KINDS,
    minutes: int = 10,
) -> str:
    """Checks an answer by running it.

    Args:
        name: the exercise's id.
        answer: the student's function.
        cluster: called as cluster(answer, nodes, clients=...); makes the system that uses the answer.
        like: called as like(nodes, clients=...); makes the system that does it right.
        cases: tried first, in this order, because each has its own question.
        seeds: one run with random faults for each.
        faults: which kinds of dslab.check.faults may occur in these.
        minutes: expected time for the exercise.

    Returns:
        One line that says what was tried; or that the exercise is not answered yet.

    Raises:
        CheckFailed: the answer breaks a property, or raises; or is not there, while grading.

    What the answer prints is shown of one run only, and of that the beginning: of the run that fails, or of the last.
    """
    if not callable(answer):
        raise CheckFailed(folded(f"{name}: the answer must be a function or a class, not {answer!r}: write it with "
                                 "`def` or `class`, under the name that the cell gives."))
    systems: dict[tuple[int, int], Pair] = {}  # classes are inspected once each, so they are made once
    seeds = list(seeds)
    try:
        with held_back() as printed:
            for case in [*cases, *(random_case(like(3 if seed % 2 else 5), seed, faults) for seed in seeds)]:
                size = case.nodes, case.clients
                if size not in systems:
                    systems[size] = Pair(
                        cluster(answer, case.nodes, clients=case.clients), like(case.nodes, clients=case.clients)
                    )
                _try(name, case, systems[size], printed)
    except NotImplementedError as error:
        return not_answered(name, minutes, _stub_used(error, answer))
    return (
        f"{name}: right. {_tried(cases, seeds, faults)}: all safety properties held and every request was answered."
    )


def not_answered(name: str, minutes: int, stub: str = "") -> str:
    """The kind line for an untouched stub.

    Args:
        name, minutes: the exercise's id and its expected time.
        stub: an earlier answer, which this one uses and which is not there; "" if it is this one itself.

    Raises:
        CheckFailed: instead, while grading.
    """
    what_to_do = "fill in the cell above and run this cell again"
    text = f"{name}: not answered yet - {what_to_do} (about {minutes} minute{'s' if minutes > 1 else ''})."
    if stub:
        text = f"{name}: it uses {stub}, which is not answered yet - answer that first, and run this cell again."
    if os.environ.get("DSLAB_GRADING") == "1":
        raise CheckFailed(text)
    return text


def _stub_used(error: NotImplementedError, answer: Callable[..., Any]) -> str:
    """The function or class outside the package that is a stub, if it is not the answer itself; "" if unknown."""
    frames = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    outside = [code for code in frames if not code.co_filename.startswith(PACKAGE)]
    stub = outside[-1].co_qualname.rpartition("<locals>.")[2].split(".")[0] if outside else ""
    return stub if stub not in (getattr(answer, "__name__", ""), "<lambda>", "<module>") else ""


def _tried(cases: Sequence[Case], seeds: list[int], faults: Sequence[str]) -> str:
    parts = [f"{len(cases)} case{'s' if len(cases) > 1 else ''}"] if cases else []
    if seeds:
        span = (
            f"seeds {seeds[0]}-{seeds[-1]}"
            if seeds == list(range(seeds[0], seeds[-1] + 1))
            else f"{len(seeds)} seeds"
        )
        what = "crashes, partitions" if "crash" in faults else "partitions"
        parts.append(f"{len(seeds)} runs with {what} and lost messages ({span})")
    return " and ".join(parts)


def random_case(system: System, seed: int, faults: Sequence[str] = KINDS) -> Case:
    """A run with random faults that all end, then a request that nothing excuses from being answered."""
    schedule = settled(random_schedule(system, seed, FAULTS_MS, faults), system, FAULTS_MS)
    schedule.append({"at": FAULTS_MS + 500, "do": "request", "command": "z=9"})
    return Case(f"seed-{seed}", "", schedule, FAULTS_MS + QUIET_MS, nodes=len(system.servers), seed=seed)


def _try(name: str, case: Case, systems: Pair, printed: Printed) -> None:
    system = systems.mine
    printed.begin()
    try:
        broken = find(system, case)
    except DslabError as error:
        if isinstance(error.__cause__, NotImplementedError):
            raise error.__cause__ from None
        failed = CheckFailed(folded(f"{name}: {student_line(error)}"))
        failed.answer_line = getattr(error.__cause__, "answer_line", None)
        raise failed from None
    if broken is None or (broken.verdict.kind != "always" and find(systems.right, case) is not None):
        return  # what the right system does not manage either is nobody's fault
    raise _failure(name, case, systems, broken, printed)


def _failure(name: str, case: Case, systems: Pair, broken: Broken, printed: Printed) -> CheckFailed:
    """What to tell about a run that breaks a property, after shortening its schedule."""
    if os.environ.get("DSLAB_HIDDEN_CHECK") == "1":  # nobody reads what a hidden check says
        return CheckFailed(failure_text(name, case, broken.trace, broken.verdict, None))
    system, right = systems
    wanted = broken.verdict.name

    left, twice = SHORTENING, 2 * len(broken.trace.events)

    said = printed.state()

    def same(candidate: Case) -> Broken | None:
        nonlocal left, said
        if left <= 0:
            return None
        printed.begin()
        try:
            trace, verdict = _judged(system, candidate, min(left, twice))
            left -= len(trace.events)
            # a majority that stays down excuses a lack of progress, so the right system must make it
            if verdict is not None and verdict.name == wanted and verdict.kind != "always":
                again, broken_too = _judged(right, candidate, LONG)
                left -= len(again.events)
                verdict = None if broken_too else verdict
        except DslabError as error:
            left -= len(error.trace.events) if hasattr(error, "trace") else 0
            return None
        if verdict is None or verdict.name != wanted:
            return None
        said = printed.state()
        return Broken(trace, verdict)

    small, shown = shortest(case, broken, same)
    printed.restore(said)
    if shown.verdict.kind == "always" and shown.verdict.time_us is not None:
        small = small._replace(until=shown.verdict.time_us // 1000 + 1)
    reference = simulate(right, seed=small.seed, schedule=small.schedule, until=small.until)
    private = [name for cls in system.classes.values() for name in cls.private]
    text = failure_text(name, small, shown.trace, shown.verdict, reference, private)
    return CheckFailed(text, system=system, case=small, verdict=shown.verdict, start=start_of(shown))


def find(system: System, case: Case) -> Broken | None:
    """Runs a case; what is wrong with the run first, safety before progress, or None.

    Raises:
        DslabError: a node's code failed before any property did.
    """
    trace, verdict = _judged(system, case, LONG)
    return Broken(trace, verdict) if verdict else None


def _judged(system: System, case: Case, budget: int) -> tuple[Trace, Verdict | None]:
    """The run of a case of at most so many events, and what is wrong with it first; raises as `find` does."""
    try:
        trace = simulate(system, seed=case.seed, schedule=case.schedule, until=case.until, budget=budget)
    except DslabError as error:
        # two leaders in one term can make sound code stumble later; what broke first explains more
        so_far = getattr(error, "trace", None)
        earlier = first_violation(so_far, system.always) if so_far is not None else None
        if so_far is None or earlier is None:
            raise
        return so_far, earlier
    return trace, first_violation(trace, system.always) or (unanswered(trace) if case.progress else None)


def start_of(broken: Broken) -> float:
    """Where to put the cursor, simulated ms: a little before the event that decided."""
    time_us = broken.verdict.time_us or 0
    return max(0, time_us // 1000 - 20)
