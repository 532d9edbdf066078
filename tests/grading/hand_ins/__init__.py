"""Hand-ins of four kinds, as data: what is handed in, and what is fair for it.

A hand-in is the handout of its assignment with right answers, of which `answers` replaces some and `change`
does the rest. In a text @PORT@ stands for a port on which somebody listens, @INSTRUCTOR@ for the path of the
instructor's notebook and @OUTSIDE@ for a folder in which nothing may be written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dslab.grading import regions

Cells = dict[str, dict[str, Any]]
Change = Callable[[Cells, dict[str, Any]], None]

BLEND_STUB = f'''{regions.marker("blend")}
def blend(a, b):
    """Three parts of a and two of b."""
    {regions.DEFAULT_STUB}'''


class HandIn(NamedTuple):
    """One hand-in and its fair result.

    Attributes:
        name: of the student.
        answers: the text of an answer by exercise; the others are right, or as given out if `stubs`.
        statuses: of the checks that are lost, by id; "wrong|error" allows both. All others are passed.
        assignment: "functions", "sheet" or "protocol".
        flags: kinds that the integrity log must have; an honest or wrong hand-in must have no others.
        change: what else was done to the notebook; called with its cells by id and the notebook.
        says: words that some visible check's message must have.
        stubs: what is not in `answers` is as it was given out.
    """

    name: str
    answers: dict[str, str] = {}
    statuses: dict[str, str] = {}
    assignment: str = "functions"
    flags: tuple[str, ...] = ()
    change: Change | None = None
    says: str = ""
    stubs: bool = False


def both(exercise: str, status: str) -> dict[str, str]:
    """The visible and the hidden check of an exercise are lost alike."""
    return {f"{exercise}-check": status, f"{exercise}-hidden": status}


def hand_ins() -> dict[str, list[HandIn]]:
    """The set, by kind."""
    from hand_ins import honest, hostile, hungry, wrong

    return {
        "honest": honest.HAND_INS,
        "wrong": wrong.HAND_INS,
        "hungry": hungry.HAND_INS,
        "hostile": hostile.HAND_INS,
    }
