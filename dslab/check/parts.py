"""Which operation cannot be placed, and a smallest part of a history that still fails: for every model alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from .history import FAILED, OK, UNKNOWN, Operation
from .models import Model
from .ordering import OutOfBudget

Fits = Callable[[list[Operation]], bool]


def failing_part(operations: Sequence[Operation], model: Model, fits: Fits) -> tuple[int | None, tuple[int, ...]]:
    """The operation of a history that cannot be placed, and a smallest part that does not fit.

    Args:
        operations: a history that does not fit.
        fits: whether a list of operations does; its OutOfBudget ends the search with what is known by then.

    Returns:
        Its index, or None; the indices of the part, or of everything.
    """
    culprit, part = None, tuple(range(len(operations)))
    with suppress(OutOfBudget):
        culprit, known = stuck(operations, model, fits)
        part = smallest(operations, model, known, fits)
    return culprit, part


def stuck(operations: Sequence[Operation], model: Model, fits: Fits) -> tuple[int, list[int]]:
    """The first operation, by when it ended, with which the history no longer fits; and what is known by then.

    A part of a history is: all that ended so far as it was answered, and of the rest what changes something, as if it
    had not been answered yet. With each further answer it can only fit worse, so halving finds the first misfit.

    Args:
        operations: a history that does not fit.
        fits: whether a list of operations does.

    Returns:
        The index of that operation, and the indices of the part that fails (with those after it unanswered).

    Raises:
        OutOfBudget: `fits` did.
    """
    ends = sorted((i for i in range(len(operations)) if operations[i].status == OK), key=lambda i: _end(operations[i]))
    low, high = 1, len(ends)
    while low < high:
        middle = (low + high) // 2
        if fits(_known(operations, model, ends[:middle])):
            low = middle + 1
        else:
            high = middle
    return ends[low - 1], ends[:low]


def smallest(operations: Sequence[Operation], model: Model, answered: Iterable[int], fits: Fits) -> tuple[int, ...]:
    """Indices of a part that does not fit, and fits when any one more is left out; in order of invocation.

    What writes a value that is still read stays, so that a part never fails for want of a writer that the whole has.

    Args:
        answered: the operations whose answers count; what else changes something may have taken effect.
    """
    kept = set(answered) | {i for i, one in enumerate(operations) if one.status != FAILED and not _reads(model, one)}
    known = set(answered)

    def fails(part: set[int]) -> bool:
        if any(_needed(operations, model, i, part & known) for i in kept - part):
            return False
        return not fits([_as(operations[i], i in known) for i in sorted(part)])

    try:
        for groups in _groups(operations, kept):
            moved = True
            while moved:
                moved = False
                for group in groups:
                    less = kept - group
                    if less != kept and fails(less):
                        kept, moved = less, True
    except OutOfBudget:
        pass
    return tuple(sorted(kept, key=lambda i: (operations[i].invoked, i)))


def _groups(operations: Sequence[Operation], kept: set[int]) -> list[list[set[int]]]:
    """What is tried together: one object, then halves, quarters ... of the rest, then single operations."""
    listed = sorted(kept, key=lambda i: -operations[i].invoked)
    rounds = [[{i for i in kept if operations[i].key == key} for key in dict.fromkeys(one.key for one in operations)]]
    size = len(listed) // 2
    while size > 1:
        rounds.append([set(listed[at : at + size]) for at in range(0, len(listed), size)])
        size //= 2
    return [*rounds, [{i} for i in listed]]


def _known(operations: Sequence[Operation], model: Model, answered: Sequence[int]) -> list[Operation]:
    seen = set(answered)
    return [
        _as(one, i in seen)
        for i, one in enumerate(operations)
        if i in seen or (one.status != FAILED and not _reads(model, one))
    ]


def _as(operation: Operation, answered: bool) -> Operation:
    if answered or operation.status == UNKNOWN:
        return operation
    return replace(operation, status=UNKNOWN, completed=None, result=None)


def _reads(model: Model, operation: Operation) -> bool:
    return operation.do in model.reads


def _needed(operations: Sequence[Operation], model: Model, i: int, readers: set[int]) -> bool:
    """Whether some reader may show what this operation wrote; of another object nothing does."""
    one = operations[i]
    others = [operations[j] for j in sorted(readers) if operations[j].key == one.key]
    if _reads(model, one) or one.result is False or not others:
        return False
    wrote = model.wrote(one)
    return not wrote or any(model.shows(other, value) for other in others for value in wrote)


def _end(operation: Operation) -> int:
    return operation.completed if operation.completed is not None else operation.invoked
