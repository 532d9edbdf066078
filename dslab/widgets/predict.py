"""A question to be answered before the run shows the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dslab.sim import DslabError
from dslab.sim.schedule import to_us


class PredictionError(DslabError):
    """A prediction, or an answer to one, is not what it must be."""


@dataclass(frozen=True)
class Prediction:
    """A multiple-choice prediction.

    Args:
        question: what will happen?
        options: (id, text, feedback) or (id, text, feedback, misconception id), at least two.
        right: id of the right option.
        reveal: simulated ms at which the run shows the answer.
    """

    question: str
    options: Sequence[tuple[str, ...]]
    right: str
    reveal: float

    def __post_init__(self) -> None:
        ids = [option[0] for option in self.options]
        if (
            len(ids) < 2
            or len(set(ids)) < len(ids)
            or any(len(option) not in (3, 4) for option in self.options)
        ):
            raise PredictionError("a prediction needs two or more options (id, text, feedback), each id once")
        if self.right not in ids:
            raise PredictionError(f"the right option {self.right!r} is not among {', '.join(ids)}")

    def spec(self) -> dict[str, Any]:
        """What the browser may know before the answer is given."""
        return {
            "question": self.question,
            "options": [{"id": o[0], "text": o[1]} for o in self.options],
            "reveal_us": to_us(self.reveal),
        }

    def option(self, choice: Any) -> tuple[str, ...]:
        """The option with this id.

        Raises:
            PredictionError: there is none.
        """
        for option in self.options:
            if option[0] == choice:
                return option
        raise PredictionError(
            f"there is no answer {choice!r}; choose one of {', '.join(o[0] for o in self.options)}"
        )

    def feedback(self, choice: str) -> dict[str, Any]:
        """What is shown once the run has passed the decisive moment."""
        return {
            "right": choice == self.right,
            "text": self.option(choice)[2],
            "answer_text": self.option(self.right)[1],
        }

    def record(self, choice: str, confidence: int | None) -> dict[str, Any]:
        """What graders read."""
        option = self.option(choice)
        return {
            "question": self.question,
            "choice": choice,
            "confidence": confidence,
            "right": choice == self.right,
            "misconception": option[3] if len(option) > 3 else None,
        }
