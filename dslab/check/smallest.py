"""A smallest failing part of a history: few enough operations to look at.

A part fails if its operations cannot all have happened as they were told, whichever of the other operations happened
too. Whoever takes an operation out of a part takes out with it what shows its effect and that of no other: a read of 1
without any write of 1 would fail too, and explain nothing. A part is smallest if it fails and, whatever one takes out,
the rest does not.

Source of the method: A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2),
2002; of its two steps the one that removes parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .history import Operation
from .models import Model

STEPS = 200_000             # of the model, for all attempts together
ATTEMPT = 20_000            # for one attempt; one that takes longer counts as no failure
# or so many times what the first search took, if that is more
SEARCHES, SEARCH = 20, 3


class Parts:
    """The parts of one object's history that fail.

    Args:
        model: the kind of object.
        history: operations in the order in which they were asked.
        search: a class as dslab.check.wing_gong.Search.
        took: steps of the search that found that the whole fails.
    """

    def __init__(self, model: Model, history: Sequence[Operation], search: Callable[..., Any], took: int = 0) -> None:
        self.model, self.history, self.search = model, history, search
        self.steps, self.attempt = max(STEPS, SEARCHES * took), max(ATTEMPT, SEARCH * took)
        self.writers: dict[Any, list[int]] = {}
        for i, o in enumerate(history):
            for written in model.wrote(o):
                self.writers.setdefault(written, []).append(i)
        # of each operation: for all that it shows, who can have written it
        self.sources: list[list[tuple[int, ...]]] = [[] for _ in history]
        for i, o in enumerate(history):
            shown = [w for w in self.writers if model.shows(o, w)] if model.shown is None else model.shown(o)
            self.sources[i] = [tuple(self.writers[w]) for w in shown if w in self.writers and w != model.initial]

    def fails(self, part: Sequence[int]) -> bool:
        """Whether the operations of a part cannot all have happened."""
        taken = frozenset(part)
        others = [i for i, o in enumerate(self.history) if i not in taken and o.do not in self.model.reads
                  and (not self.model.closed or self.model.clears(o))]
        chosen = sorted([*taken, *others])
        may = frozenset([n for n, i in enumerate(chosen)
                         if i not in taken and self.history[i].completed is not None])
        found = self.search(self.model, [self.history[i] for i in chosen], may)
        legal = found.run(min(self.attempt, self.steps))
        self.steps -= found.steps
        return legal is False

    def without(self, part: Sequence[int], removed: Sequence[int]) -> list[int]:
        """The part without some operations, nor what then shows an effect of none."""
        rest = dict.fromkeys(part)
        gone = list(removed)
        for i in gone:
            rest.pop(i, None)
        while gone:
            i = gone.pop()
            lost = []
            for r in rest:
                for writers in self.sources[r]:
                    if i in writers and (self.model.closed or not any(w in rest for w in writers)):
                        lost.append(r)
                        break
            for r in lost:
                del rest[r]
            gone += lost
        return list(rest)


def smallest_part(model: Model, history: Sequence[Operation], search: Callable[..., Any],
                  took: int) -> tuple[int, ...]:
    """A smallest failing part.

    Args:
        model, history, search, took: as for Parts. The history fails, and ends with the answer that makes it so.

    Returns:
        Positions in order of invocation.
    """
    parts = Parts(model, history, search, took)
    part = [i for i, o in enumerate(history) if o.completed is not None or o.do not in model.reads]
    size = max(1, len(part) // 2)
    while parts.steps > 0:
        removed = False
        start = 0
        while start < len(part) and parts.steps > 0:
            smaller = parts.without(part, part[start:start + size])
            if len(smaller) < len(part) and smaller and parts.fails(smaller):
                part, removed = smaller, True
            else:
                start += size
        if size == 1 and not removed:
            break
        size = max(1, size // 2)
    return tuple(part)
