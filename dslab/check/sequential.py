"""Sequential consistency: one order of all operations that keeps each process's own, whatever the clocks say.

Source: L. Lamport, How to Make a Multiprocessor Computer That Correctly Executes Multiprocess Programs, IEEE Trans.
Computers C-28(9), 1979. Unlike linearizability it must be asked of all objects together (M. Herlihy, J. Wing, ACM
TOPLAS 12(3), 1990, section 3.1: it is not local), and it is NP-complete (R. Taylor, Acta Informatica 19, 1983; P.
Gibbons, E. Korach, SIAM J. Computing 26(4), 1997), so the search has a budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .history import FAILED, LEGAL, OK, UNKNOWN, VIOLATION, HistoryVerdict, Operation
from .models import ILLEGAL, Model, model_of
from .ordering import Budget, OutOfBudget
from .parts import failing_part

STEPS = 400_000
NAME = "sequential"


def check(operations: Sequence[Operation], model: str = "register", steps: int = STEPS,
          initial: Any = ...) -> HistoryVerdict:
    """Whether the history is sequentially consistent.

    Args:
        operations: the history, of objects of one kind.
        model: what kind, a name in dslab.check.models.MODELS.
        steps: how many states may be looked at; more makes the verdict "unknown".
        initial: what every object holds at the start; as the model says if not given.

    Returns:
        With a witness order if it is; with the operation that cannot be placed and a smallest failing part if not.

    Raises:
        HistoryError: the model does not know an operation.
    """
    kind = model_of(operations, model, initial)
    budget = Budget(steps)
    try:
        order = sequential_order(operations, kind, budget)
    except OutOfBudget:
        why = f"no order was found, and not every one was tried: {steps} states were looked at"
        return HistoryVerdict(UNKNOWN, NAME, model, why=why, tried={"states": steps})
    tried = {"states": budget.spent}
    if order is not None:
        why = "one order of all operations keeps each process's own"
        return HistoryVerdict(LEGAL, NAME, model, tuple(order), why=why, tried=tried)

    def fits(part: list[Operation]) -> bool:
        return sequential_order(part, kind, Budget(steps)) is not None

    culprit, part = failing_part(operations, kind, fits)
    what = "the operations" if culprit is None else f"`{operations[culprit]}`"
    why = f"{what} fits no order of all operations that keeps each process's own order"
    return HistoryVerdict(VIOLATION, NAME, model, None, culprit, part, why, tried)


def sequential_order(operations: Sequence[Operation], model: Model, budget: Budget) -> list[int] | None:
    """Indices of the operations in a legal order that keeps each process's own; None if there is none.

    An operation that was never answered is placed anywhere after those its process had done by then, or left out. A
    read that is legal now is taken at once: it changes nothing, so waiting cannot help.

    Raises:
        OutOfBudget: undecided.
    """
    keys = {key: number for number, key in enumerate(dict.fromkeys(one.key for one in operations))}
    threads: dict[Any, list[int]] = {}
    pending: list[tuple[int, Any, int]] = []            # an unanswered operation, its process, how many came before
    for i in sorted(range(len(operations)), key=lambda i: (operations[i].invoked, i)):
        one = operations[i]
        thread = threads.setdefault(one.process, [])
        if one.status == OK:
            thread.append(i)
        elif one.status != FAILED and one.do not in model.reads:
            pending.append((i, one.process, len(thread)))
    processes = list(threads)
    queues = [threads[process] for process in processes]
    waiting = [(i, processes.index(process), after) for i, process, after in pending]

    def free(i: int) -> bool:
        return operations[i].do in model.reads or (operations[i].do == "cas" and operations[i].result is False)

    def stepped(values: tuple[Any, ...], i: int) -> tuple[Any, ...] | None:
        at = keys[operations[i].key]
        after = model.step(values[at], operations[i])
        return None if after is ILLEGAL else (*values[:at], after, *values[at + 1 :])

    def read_on(positions: list[int], values: tuple[Any, ...], order: list[int]) -> None:
        moved = True
        while moved:
            moved = False
            for p, queue in enumerate(queues):
                while positions[p] < len(queue) and free(queue[positions[p]]) and stepped(values, queue[positions[p]]):
                    order.append(queue[positions[p]])
                    positions[p] += 1
                    moved = True

    values = tuple(model.initial for _ in keys)
    stack: list[tuple[list[int], int, tuple[Any, ...], list[int]]] = [([0] * len(queues), 0, values, [])]
    seen = set()
    while stack:
        positions, taken, values, order = stack.pop()
        read_on(positions, values, order)
        if all(at == len(queue) for at, queue in zip(positions, queues, strict=True)):
            return order
        if (mark := (tuple(positions), taken, values)) in seen:
            continue
        seen.add(mark)
        budget.spend()
        for number, (i, p, after) in enumerate(waiting):
            if not taken >> number & 1 and positions[p] >= after and (then := stepped(values, i)) is not None:
                stack.append((positions[:], taken | 1 << number, then, [*order, i]))
        nexts = [(queue[at], p) for p, (at, queue) in enumerate(zip(positions, queues, strict=True)) if at < len(queue)]
        for i, p in sorted(nexts, key=lambda pair: -operations[pair[0]].invoked):      # the earliest is tried first
            if not free(i) and (then := stepped(values, i)) is not None:
                ahead = positions[:]
                ahead[p] += 1
                stack.append((ahead, taken, then, [*order, i]))
    return None
