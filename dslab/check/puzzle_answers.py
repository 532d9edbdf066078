"""Judges an answer to a puzzle, and says why.

An order is checked against real time and against what was answered; operations that cannot all have happened are
checked by looking for an order of them. Valid is worth something, smallest is worth all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from .history import OK, HistoryError, told
from .puzzles import BEGIN, EXPLAINED, MODEL, NAMES, TRIES, Puzzle, misfit, named
from .smallest import Parts
from .wing_gong import Search


class Feedback(NamedTuple):
    """What is said of an answer.

    Attributes:
        right: whether it is right. score: of 1; a bare yes or no is worth half of a reason.
        text: why. belief: the catalogue id of what somebody may believe who answers so, or None.
    """

    right: bool
    score: float
    text: str
    belief: str | None = None


def judge_answer(made: Puzzle, answer: Any) -> Feedback:
    """Judges an answer to a puzzle.

    Args:
        made: the puzzle.
        answer: True or False; an order as a list of names or a text such as "BAC"; or the names of operations that
            cannot all have happened as a set, such as {"A", "C"}.

    Raises:
        HistoryError: it is none of these, or names an operation that is not there.
    """
    if isinstance(answer, bool):
        return _judge_word(made, answer)
    if isinstance(answer, (set, frozenset)):
        return _judge_part(made, sorted(_places(made, answer)))
    if isinstance(answer, (list, tuple, str)):
        return _judge_order(made, _places(made, answer))
    raise HistoryError(f'an answer is True, False, an order such as "BAC" or a set such as {{"A", "C"}}, '
                       f"not {answer!r}")


def _places(made: Puzzle, names: Iterable[Any]) -> list[int]:
    known = NAMES[:len(made.operations)]
    found = []
    for name in names:
        if not (isinstance(name, str) and len(name) == 1 and name in known):
            raise HistoryError(f"there is no operation {name!r}; they are called {', '.join(known)}")
        found.append(known.index(name))
    return found


def _judge_word(made: Puzzle, answer: bool) -> Feedback:
    if answer == made.answer:
        more = 'an order that proves it, such as "BAC"' if answer else "operations that cannot all have happened"
        return Feedback(True, 0.5, f"{'Yes, it is' if answer else 'No, it is not'} linearizable. Now name {more}.")
    belief = made.separates[-1]
    reason = f"{', '.join(made.order)} is an order that gives every answer" if made.answer else \
        f"{_listed(made.bad)} cannot all have happened as they were told"
    return Feedback(False, 0.0, f"It is{'' if made.answer else ' not'} linearizable: {reason}. Remember: "
                                f"{EXPLAINED[belief]}.", belief)


def _judge_order(made: Puzzle, places: list[int]) -> Feedback:
    operations = made.operations
    twice = [i for k, i in enumerate(places) if i in places[:k]]
    if twice:
        return Feedback(False, 0.0, f"{NAMES[twice[0]]} stands in the order twice, and it happened once.")
    missing = [i for i, o in enumerate(operations) if o.status == OK and i not in places]
    if missing:
        name = NAMES[missing[0]]
        return Feedback(False, 0.0, f"{name} was answered, so it took effect, and it needs a place in the order.")
    for k, i in enumerate(places):
        for j in places[:k]:
            ended = operations[i].completed
            if ended is not None and ended < operations[j].invoked:
                return Feedback(False, 0.0, f"{NAMES[j]} stands before {NAMES[i]}, and {NAMES[i]} was answered before "
                                            f"{NAMES[j]} was asked. Remember: {EXPLAINED['S1']}.", "S1")
    wrong = misfit([operations[i] for i in places])
    if wrong is not None:
        o, held = wrong
        name = NAMES[operations.index(o)]
        belief = "S3" if all(one < other for one, other in pairwise(places)) and made.answer else None
        more = f" Remember: {EXPLAINED['S3']}." if belief else ""
        return Feedback(False, 0.0, f"In this order x holds {held} when {name} takes effect, and {name} was told "
                                    f"{told(o.result)}.{more}", belief)
    return Feedback(True, 1.0, f"Right: {', '.join(named(places))} keeps to real time and gives every answer.")


def _judge_part(made: Puzzle, part: list[int]) -> Feedback:
    operations = made.operations
    for i in part:
        o = operations[i]
        if o.do == "read" and o.result != BEGIN and not any(
                operations[j].do == "write" and operations[j].argument == o.result for j in part):
            return Feedback(False, 0.0, f"{NAMES[i]} was told {o.result}, and nobody among {_listed(named(part))} "
                                        f"writes {o.result}: take the write along.")
    parts = Parts(MODEL, operations, Search)
    if not part or not parts.fails(part):
        order = "".join(name for name in _order_of(made, part))
        why = f"{', '.join(order)} is an order of them" if order else "nothing is wrong with none"
        return Feedback(False, 0.0, f"These can all have happened: {why}."
                                    + (" The history is linearizable." if made.answer else ""))
    smaller = [i for i in part if (rest := parts.without(part, [i])) and parts.fails(rest)]
    if smaller:
        return Feedback(True, 0.7, f"Right, these cannot all have happened. There are fewer: leave out "
                                   f"{NAMES[smaller[0]]}, and it is still so.")
    return Feedback(True, 1.0, f"Right: {_listed(named(part))} cannot all have happened, and without any of them the "
                               f"rest can.")


def _order_of(made: Puzzle, part: Sequence[int]) -> str:
    """An order of some operations, with those others that it needs."""
    taken = frozenset(part)
    chosen = [i for i, o in enumerate(made.operations) if i in taken or o.do == "write"]
    may = frozenset([n for n, i in enumerate(chosen) if i not in taken and made.operations[i].completed is not None])
    search = Search(MODEL, [made.operations[i] for i in chosen], may)
    search.run(TRIES)
    return "".join(NAMES[chosen[n]] for n in search.order())


def _listed(names: str) -> str:
    return names if len(names) < 2 else f"{', '.join(names[:-1])} and {names[-1]}"
