"""The verdict on a history of transactions: what is wrong on its face, the smallest cycle, and the exact search.

A violation is found in three ways, and each is sound: an anomaly that the level forbids; a cycle of dependencies that
it forbids; or an exact search in which no order of versions is left. A verdict "ok" always comes from the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from .dependencies import cycles, list_edges, order_edges, register_edges
from .history import FAILED, LEGAL, OK, UNKNOWN, VIOLATION, HistoryError, HistoryVerdict, Operation, told
from .isolation import fits
from .levels import LEVELS, forbidden, level_named, ruled_out, strongest
from .ordering import Budget, OutOfBudget
from .transactions import KINDS, Anomaly, Transaction, Writers, dirty, list_orders, lost_updates, transactions
from .workloads import WORKLOADS

STEPS = 3_000_000
OVERWHELMING = 400                # transactions up to which a smallest failing part is looked for without a cycle


def check(operations: Sequence[Operation], model: str = "list-append", consistency: str = "serializable",
          steps: int = STEPS) -> HistoryVerdict:
    """Whether transactions keep an isolation level.

    Args:
        operations: transactions (`do` is "txn").
        model: "list-append" or "rw-register".
        consistency: a name that `level_named` knows.
        steps: how many ways of choices may be looked at; more makes the verdict "unknown".

    Returns:
        For "ok" an order of the transactions as witness (of weak levels one of many). For "violation" the transactions
        of the anomaly or of the smallest cycle. details: "anomalies" found, the weakest levels "ruled out" by them.

    Raises:
        HistoryError: there is no such level or model, or an operation is no such transaction.
    """
    level = level_named(consistency)
    found, wrong = anomalies(operations, model)
    names = list(dict.fromkeys(anomaly.name for anomaly in wrong))
    details = {"level": level, "anomalies": names, "ruled out": list(ruled_out(names))}
    bad = [anomaly for anomaly in wrong if anomaly.name in forbidden(level)]
    if bad:
        worst = min(bad, key=lambda anomaly: len(anomaly.operations))
        return HistoryVerdict(VIOLATION, consistency, model, None, _last(operations, worst.operations),
                              worst.operations, f"{worst.name}: {worst.why}", {"transactions": len(found)}, details)
    budget = Budget(steps)
    searched = fits(found, model, level, budget)
    tried = {"transactions": len(found), "ways": budget.spent}
    if searched.fits is None:
        why = f"no order was found, and not all were tried: {budget.spent} ways were looked at"
        writers = Writers(found)
        twice = [pair for pair in writers.by if model == "list-append" and len(writers.able(*pair)) > 1]
        if twice:
            why = f"{told(twice[0][1])} is appended to {told(twice[0][0])} twice, so no read tells whose it is"
        return HistoryVerdict(UNKNOWN, consistency, model, why=why, tried=tried, details=details)
    if searched.fits:
        witness = tuple(found[t].index for t in searched.order)
        return HistoryVerdict(LEGAL, consistency, model, witness, why=f"an order of versions keeps {level}",
                              tried=tried, details=details)
    part = _smallest(found, model, level, budget)
    why = f"no order of versions of these transactions keeps {level}"
    return HistoryVerdict(VIOLATION, consistency, model, None, _last(operations, part), part, why, tried, details)


def anomalies(operations: Sequence[Operation], model: str) -> tuple[list[Transaction], list[Anomaly]]:
    """The transactions of a history, and all anomalies that are found in it, the plainest first.

    Raises:
        HistoryError: as `check`.
    """
    found, wrong = transactions(operations, model)
    writers = Writers(found)
    wrong += dirty(found, writers, model)
    if model == "list-append":
        orders, more = list_orders(found)
        edges = list_edges(found, writers, orders)
    else:
        edges, more = register_edges(found, writers)
    edges["process"], edges["realtime"] = order_edges(found)
    wrong += more
    if model == "rw-register" or not any(len(writers.able(*pair)) > 1 for pair in writers.by):
        wrong += lost_updates(found, writers, model)
        wrong += cycles(found, edges)
    return found, wrong


def satisfied(operations: Sequence[Operation], model: str = "list-append", steps: int = STEPS) -> tuple[str, ...]:
    """All levels that the history keeps for certain."""
    return tuple(level for level in LEVELS if check(operations, model, level, steps).verdict == LEGAL)


def strongest_levels(operations: Sequence[Operation], model: str = "list-append",
                     steps: int = STEPS) -> tuple[str, ...]:
    """The strongest levels that the history keeps."""
    return strongest(satisfied(operations, model, steps))


def judged(operations: Sequence[Operation], kind: str, name: str, steps: int = STEPS) -> HistoryVerdict:
    """The verdict on what one of the recorded formats holds.

    Args:
        kind: "list-append", "rw-register", "bank", "set" or "long-fork".
        name: an isolation level; or the kind or its format itself, which asks what it is usually asked: strict
            serializability of transactions, the workload's own rule of a workload.
        steps: how many ways of choices may be looked at.

    Raises:
        HistoryError: the name is none of these for this kind.
    """
    plain = name.strip().lower()
    if kind in WORKLOADS:
        if plain == kind:
            return WORKLOADS[kind](operations)
        if kind != "long-fork":
            raise HistoryError(f"{kind} histories are judged by the model {kind!r}, not by {name!r}")
    if plain in (kind, "elle-append", "elle-register"):
        plain = kind
    return check(operations, kind if kind in KINDS else "rw-register", plain, steps)


def _smallest(found: Sequence[Transaction], model: str, level: str, budget: Budget) -> tuple[int, ...]:
    """A part that still cannot be ordered, and can when one more is left out; writers of what is read stay."""
    kept = [one for one in found if one.status != FAILED]
    if len(kept) > OVERWHELMING:
        return tuple(one.index for one in kept)
    try:
        for one in sorted(kept, key=lambda one: -one.operation.invoked):
            less = [other for other in kept if other is not one]
            if not _read_from(one, less, model) and fits(less, model, level, budget).fits is False:
                kept = less
    except OutOfBudget:
        pass
    return tuple(one.index for one in kept)


def _read_from(one: Transaction, others: Sequence[Transaction], model: str) -> bool:
    shown = {(key, value) for other in others for key, seen in other.reads.items()
             for value in (seen if model == "list-append" else (seen,))}
    return any((key, value) in shown for key, values in one.writes.items() for value in values)


def _last(operations: Sequence[Operation], part: Sequence[int]) -> int | None:
    ends = [(operations[i].completed or 0, i) for i in part if operations[i].status == OK]
    return max(ends)[1] if ends else None


def __getattr__(name: str) -> Any:
    """`snapshot_isolation(operations, model)` and so on: `check` with that level."""
    level = name.replace("_", "-")
    if level in LEVELS:
        return partial(check, consistency=level)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
