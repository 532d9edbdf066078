"""Judges the answers to several puzzles at once, as an exercise of a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .answers import not_answered
from .feedback import CheckFailed, folded
from .history import HistoryError
from .puzzle_answers import judge_answer
from .puzzles import puzzle


def judge_puzzles(name: str, answers: Any, series: Mapping[str, tuple[int, int]], *, proofs: bool = False,
                  minutes: int = 10) -> str:
    """Whether all histories of a series are judged rightly.

    Args:
        name: the exercise's id.
        answers: {label: answer}, each as judge_answer takes it; None where there is none yet.
        series: {label: (seed, difficulty)} of the puzzles.
        proofs: whether a bare True or False is too little.
        minutes: expected time for the exercise.

    Returns:
        One line; or that the exercise is not answered yet.

    Raises:
        CheckFailed: an answer is missing or wrong, or has no proof; says why.
    """
    if answers is None or (isinstance(answers, Mapping) and all(answers.get(label) is None for label in series)):
        return not_answered(name, minutes)
    if not isinstance(answers, Mapping):
        raise CheckFailed(folded(f"{name}: the answers are a dictionary from {', '.join(series)} to an answer each."))
    for label, (seed, difficulty) in series.items():
        made = puzzle(seed, difficulty)
        if answers.get(label) is None:
            raise CheckFailed(folded(f"{name}: puzzle {label} has no answer yet."))
        try:
            said = judge_answer(made, answers[label])
        except HistoryError as error:
            raise CheckFailed(folded(f"{name}: puzzle {label}: {error}.")) from None
        if not said.right or (proofs and said.score < 1):
            belief = f" ({said.belief})" if said.belief else ""
            raise CheckFailed(folded(f"{name}: puzzle {label}{belief}: {said.text}", "", *made.text.splitlines()))
    return f"{name}: right, all {len(series)}{' with a proof' if proofs else ''}."
