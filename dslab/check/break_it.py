"""Judges a schedule with which a student breaks a protocol that lacks a guard."""

from __future__ import annotations

from typing import Any

from dslab.sim import DslabError, System
from dslab.sim.case import Case
from dslab.sim.schedule import check_schedule

from .answers import find, not_answered, start_of
from .feedback import CheckFailed, folded, schedule_lines, sentence
from .invariants import title_of

ENDS_MS = 2_000  # a run goes on for this long after the last action, so that its consequences show


def judge_schedule(
    name: str,
    schedule: Any,
    broken: System,
    sound: System,
    *,
    seed: int,
    par: int | None = None,
    minutes: int = 10,
    question: str = "",
) -> str:
    """Whether a schedule breaks the system without the guard, and only that one.

    Args:
        name: the exercise's id.
        schedule: the student's list of actions.
        broken: lacks a guard.
        sound: has it; otherwise the same.
        seed: of both runs.
        par: most actions for full points; None if any number will do.
        minutes: expected time for the exercise.
        question: asked when nothing is broken.

    Returns:
        One line that says what was broken; or that the exercise is not answered yet.

    Raises:
        CheckFailed: it is not a schedule, breaks nothing, breaks the sound system too, or is longer than par.
    """
    if schedule is None or schedule == []:
        return not_answered(name, minutes)
    try:
        actions = check_schedule(schedule, broken)
        case = Case(
            name,
            "",
            actions,
            actions[-1]["at"] + ENDS_MS,
            nodes=len(broken.servers),
            clients=len(broken.clients),
            seed=seed,
            progress=False,
        )
        mine, right = find(broken, case), find(sound, case)
    except DslabError as error:
        raise CheckFailed(folded(f"{name}: {sentence(error)}")) from None
    length, s = (f"{len(actions)} actions", "") if len(actions) != 1 else ("1 action", "s")
    if mine is None and par is not None:
        raise CheckFailed(
            f"{name}: par counts once a schedule breaks something; the check above says what yours does."
        )
    if mine is None:
        promises = ", ".join(f'"{title_of(prop)}"' for prop in broken.always)
        raise CheckFailed(
            folded(
                f"{name}: your {length} break{s} no property (seed {seed}, watched until {case.until:.0f} ms): "
                f"{promises} all hold.",
                *_asking(question),
            ),
            system=broken,
            case=case,
            start=max(0, actions[0]["at"] - 20),
        )
    if right is not None:
        protocol = sound.name.capitalize()
        found = right.verdict.violation
        assert found is not None
        raise CheckFailed(
            folded(
                f'{name}: your {length} also break{s} {protocol} with all its guards: "{right.verdict.title}", '
                f"because {found.text}.",
                *_asking(f"which of your actions does something that {protocol} never promised to survive?"),
            ),
            system=sound,
            case=case,
            verdict=right.verdict,
            start=start_of(right),
        )
    found = mine.verdict.violation
    assert found is not None
    what = f'"{mine.verdict.title}" is broken at {(mine.verdict.time_us or 0) / 1000:g} ms: {found.text}'
    if par is not None and len(actions) > par:
        raise CheckFailed(
            folded(
                f"{name}: {what}. That took {length}, and par is {par}:",
                *schedule_lines(case),
                *_asking("which of these would have happened anyway, or did not matter?"),
            )
        )
    return f"{name}: right. {what}. That took {length}{f', and par is {par}' if par is not None else ''}."


def _asking(question: str) -> list[str]:
    return ["", f"Question: {question}"] if question else []
