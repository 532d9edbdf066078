"""Eventual consistency: after the last write and a quiet time, all reads agree, and replicas are equal.

Source: W. Vogels, Eventually Consistent, CACM 52(1), 2009; D. Terry et al., Session Guarantees for Weakly Consistent
Replicated Data, PDIS 1994, section 2. A promise about "eventually" can only be judged in a finite history if somebody
says when: here, `quiet` after the last write of an object has been answered. An object with a write that was never
answered is never quiet, for that write may still arrive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .history import FAILED, LEGAL, OK, VIOLATION, HistoryVerdict, Operation, told
from .models import Model, model_of

NAME = "eventual"


def check(operations: Sequence[Operation], model: str = "register", quiet: int = 0,
          initial: Any = ...) -> HistoryVerdict:
    """Whether all reads of an object that began after its quiet time agree, on something that was written.

    Args:
        operations: the history; anything that is no read counts as a write.
        model: the kind of object, a name in dslab.check.models.MODELS.
        quiet: how long after the answer to the last write, in units of the operations, reads may differ.
        initial: what every object holds at the start; as the model says if not given.

    Returns:
        If not: `stuck` is the first read that disagrees, `smallest` that read and the one it disagrees with.

    Raises:
        HistoryError: the model does not know an operation.
    """
    kind = model_of(operations, model, initial)
    objects: dict[Any, list[int]] = {}
    for i in sorted(range(len(operations)), key=lambda i: (operations[i].invoked, i)):
        if operations[i].status != FAILED:
            objects.setdefault(operations[i].key, []).append(i)
    judged = 0
    for key, indices in objects.items():
        writes = [operations[i] for i in indices if not _reads(kind, operations[i])]
        since = _quiet_since(writes)
        if since is None:
            continue
        late = [i for i in indices if operations[i].do in kind.reads and operations[i].status == OK
                and operations[i].invoked > since + (quiet if writes else 0)]
        judged += len(late)
        for i in late:
            first, wrong = operations[late[0]], operations[i]
            if _seen(kind, wrong) != _seen(kind, first):
                why = f"`{wrong}` although `{first}` after the last write of {told(key)} had been answered"
                return _violation(model, i, (late[0], i), why, judged)
        if late and not _possible(kind, writes, operations[late[0]]):
            why = f"`{operations[late[0]]}` after the last write of {told(key)}, but no write left that there"
            return _violation(model, late[0], (late[0],), why, judged)
    why = "all reads after the last writes agree" if judged else "no read came after the last writes"
    return HistoryVerdict(LEGAL, NAME, model, why=why, tried={"objects": len(objects), "late reads": judged})


def _violation(model: str, stuck: int, part: tuple[int, ...], why: str, judged: int) -> HistoryVerdict:
    return HistoryVerdict(VIOLATION, NAME, model, None, stuck, part, why, {"late reads": judged})


def _reads(model: Model, one: Operation) -> bool:
    return one.do in model.reads or (one.do == "cas" and one.result is False and one.status == OK)


def _quiet_since(writes: Sequence[Operation]) -> int | None:
    """When the last write was answered; None while one is open, -1 if there is none."""
    ends = [one.completed for one in writes if one.status == OK]
    if len(ends) < len(writes) or None in ends:
        return None
    return max((end for end in ends if end is not None), default=-1)


def _seen(model: Model, one: Operation) -> Any:
    """What a read answered; a read of a set answers it in any order."""
    return frozenset(one.result or ()) if model.name == "set" else one.result


def _possible(model: Model, writes: Sequence[Operation], read: Operation) -> bool:
    """Whether some write can have left what was read; of other objects than registers only agreement counts."""
    if model.name not in ("register", "cas-register"):
        return True
    if not writes:
        return read.result == model.initial
    return any(model.shows(read, value) for one in writes for value in model.wrote(one))
