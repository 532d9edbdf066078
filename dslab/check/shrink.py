"""The shortest schedule that still fails: what is left when no single action can be taken out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from dslab.sim.case import Case

Found = TypeVar("Found")


def shortest(
    case: Case, found: Found, find: Callable[[Case], Found | None], *, attempts: int = 300
) -> tuple[Case, Found]:
    """Takes actions out of a failing case while it still fails: halves, quarters, and so on to single ones.

    Args:
        case: fails.
        found: what is wrong with it.
        find: what is wrong with a case in the same way, or None.
        attempts: most runs to spend; the answer is correct but may be longer when they are used up.

    Returns:
        The shortest case found and what is wrong with it.

    Source: A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2),
    2002; of its two steps the one that removes parts.
    """
    actions: list[dict[str, Any]] = list(case.schedule)
    size = max(1, len(actions) // 2)
    while attempts > 0:
        removed = False
        start = len(actions)
        while start > 0 and attempts > 0:  # from the end: late actions are needed least
            start = max(0, start - size)
            candidate = case._replace(schedule=actions[:start] + actions[start + size :])
            if len(candidate.schedule) == len(actions):
                continue
            attempts -= 1
            again = find(candidate)
            if again is not None:
                actions, found, removed = list(candidate.schedule), again, True
        if size == 1 and not removed:
            break
        size = max(1, size // 2)
    return case._replace(schedule=actions), found
