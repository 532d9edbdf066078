"""Judges a rule of a linearizability checker: it is put into a checker, which is tried on small histories.

The checker is the plain search of J. Wing and C. Gong, "Testing and Verifying Concurrent Objects", Journal of Parallel
and Distributed Computing 17 (1993): put one operation after another in its place, and go back where none is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple

from dslab.sim import DslabError
from dslab.sim.watchdog import HandlerTimeout, watched

from .answers import not_answered
from .feedback import CheckFailed, folded, student_line
from .history import OK, UNKNOWN, Operation, check_history
from .models import ILLEGAL, MODELS

Plain = dict[str, Any]
Rule = Callable[[Plain, list[Plain]], bool]
Shortcut = Callable[[Plain, object, object], bool]

REGISTER = MODELS["register"]
STEPS = 20_000                   # of a search; a right rule needs a few hundred
ACCEPTS, REFUSES = "Nothing impossible is accepted", "Nothing possible is refused"
QUICK = "Reads need no second try"


class Found(NamedTuple):
    """What a search came to: an order of all operations, or None; and how many operations it placed on its way."""

    order: list[Operation] | None
    steps: int


def plain(operation: Operation) -> Plain:
    """What a rule is told of an operation."""
    value = operation.argument if operation.do == "write" else operation.result
    return {"client": operation.process, "do": operation.do, "value": value, "invoked": operation.invoked,
            "completed": operation.completed}


def possible_next(operation: Plain, remaining: Sequence[Plain]) -> bool:
    """Whether no other remaining operation was over before this one began (Wing and Gong, section 3)."""
    return not any(other["completed"] is not None and other["completed"] < operation["invoked"] for other in remaining)


def search(history: Sequence[Operation], rule: Rule, shortcut: Shortcut = lambda *_: False) -> Found:
    """Looks for a legal order with a rule from outside.

    Args:
        history: operations of one register; those without an answer need not be placed.
        rule: called as rule(operation, remaining); whether the operation may come next.
        shortcut: called as shortcut(operation, before, after) with the register's states; if it says True, nothing
            else is tried in this place.
    """
    steps = 0

    def place(state: object, remaining: list[Operation]) -> list[Operation] | None:
        nonlocal steps
        if all(operation.status != OK for operation in remaining):
            return []
        for operation in remaining:
            if not _decided(rule, plain(operation), [plain(other) for other in remaining]):
                continue
            after = REGISTER.step(state, operation)
            if after is ILLEGAL:
                continue
            steps += 1
            if steps > STEPS:
                return None
            rest = place(after, [other for other in remaining if other is not operation])
            if rest is not None:
                return [operation, *rest]
            if _decided(shortcut, plain(operation), state, after):
                return None
        return None

    return Found(place(REGISTER.initial, list(history)), steps)


def _decided(rule: Callable[..., Any], *about: object) -> bool:
    said = rule(*about)
    if not isinstance(said, int):
        raise TypeError(f"{getattr(rule, '__name__', 'the rule')} returned {said!r}; it must return True or False")
    return bool(said)


def history_of(seed: int, size: int) -> list[Operation]:
    """A small history of one register, by seed; more than half of them are linearizable.

    Args:
        seed: any integer.
        size: how many operations, 2 to 10.
    """
    random = Random(f"history/{seed}/{size}")
    free = {f"c{i}": random.randint(0, 4) for i in (1, 2, 3)}
    spans = []
    for _ in range(size):
        client = min(free, key=lambda name: (free[name], name))
        start = free[client] + random.randint(1, 4)
        end = start + random.randint(1, 7)
        spans.append((random.randint(start, end), client, start, end))
        free[client] = end
    value, written, wrong = None, 0, random.random() < 0.6
    found = []
    for number, (_point, client, start, end) in enumerate(sorted(spans)):
        open_end = number > 0 and random.random() < 0.15 and free[client] == end
        if number == 0 or random.random() < 0.45:
            written = written + 1 if random.random() < 0.75 else max(1, written - 1)
            value = str(written)
            found.append(Operation(client, "write", "x", value, None if open_end else value, start,
                                   None if open_end else end, UNKNOWN if open_end else OK))
        else:
            seen = value
            if wrong and random.random() < 0.7:          # something that is, was, or never was there
                seen = str(random.randint(1, written + 1)) if random.random() < 0.8 else None
            found.append(Operation(client, "read", "x", None, seen, start, end))
    return sorted(found, key=lambda operation: operation.invoked)


def _is_right(history: list[Operation]) -> bool:
    return check_history(history).verdict == "ok"


def _smallest(history: list[Operation], fails: Callable[[list[Operation]], bool]) -> list[Operation]:
    """The history with operations left out as long as the rule still fails on what is left."""
    for operation in list(history):
        rest = [other for other in history if other is not operation]
        if rest and fails(rest):
            history = rest
    return history


def judge_order(name: str, answer: Rule, *, seeds: Iterable[int], minutes: int = 10) -> str:
    """Whether a rule for what may come next makes a right checker.

    Args:
        name: the exercise's id.
        answer: called as answer(operation, remaining); True if the operation may come next; remaining, a list, holds
            it too; both as `plain` makes them.
        seeds: of the histories.
        minutes: expected time for the exercise.

    Returns:
        One line that says what was tried; or that the exercise is not answered yet.

    Raises:
        CheckFailed: a history gets a wrong verdict.
    """
    def fails(history: list[Operation]) -> bool:
        return (search(history, answer).order is not None) != _is_right(history)

    return _judged(name, fails, lambda history: _order_text(name, history, search(history, answer)), seeds, minutes)


def judge_shortcut(name: str, answer: Shortcut, *, seeds: Iterable[int], minutes: int = 10) -> str:
    """Whether a rule for when nothing else need be tried leaves a checker right, and saves what reads can save.

    Args:
        name: the exercise's id.
        answer: called as answer(operation, before, after) once the operation, placed next, has led to no order; True
            if no other operation need be tried in its place.
        seeds, minutes: as for judge_order.
    """
    def wrong(history: list[Operation]) -> bool:
        return (search(history, possible_next, answer).order is not None) != _is_right(history)

    def slow(history: list[Operation]) -> bool:
        return search(history, possible_next, answer).steps > search(history, possible_next, _reads_only).steps

    def wrong_text(history: list[Operation]) -> str:
        return _order_text(name, history, search(history, possible_next, answer))

    def slow_text(history: list[Operation]) -> str:
        mine, right = (search(history, possible_next, rule).steps for rule in (answer, _reads_only))
        return folded(f'{name}: the property "{QUICK}" is broken.',
                      f"  Your checker places {mine} operations here, and {right} would do:", *_lines(history), "",
                      "Question: where could another operation have come first without making any difference?")

    seeds = list(seeds)
    said = _judged(name, wrong, wrong_text, seeds, minutes)
    return _judged(name, slow, slow_text, seeds, minutes) if "right" in said else said


def _reads_only(operation: Plain, before: object, after: object) -> bool:
    return bool(operation["do"] == "read")


def _judged(name: str, fails: Callable[[list[Operation]], bool], text: Callable[[list[Operation]], str],
            seeds: Iterable[int], minutes: int) -> str:
    tried, watch = 0, SimpleNamespace(handling=None)
    try:
        with watched(watch):
            for seed in seeds:
                for size in (3, 4, 5, 6, 7, 8):
                    tried += 1
                    watch.handling = history = history_of(seed, size)
                    if fails(history):
                        raise CheckFailed(text(_smallest(history, fails)))
    except HandlerTimeout:
        raise CheckFailed(f"{name}: your answer did not return; look for a loop that never ends.") from None
    except NotImplementedError:
        return not_answered(name, minutes)
    except CheckFailed:
        raise
    except (Exception, SystemExit) as error:
        told = DslabError(str(error))
        told.__cause__ = error
        raise CheckFailed(folded(f"{name}: {student_line(told)}")) from None
    return f"{name}: right. {tried} histories, and each got its verdict."


def _order_text(name: str, history: list[Operation], found: Found) -> str:
    verdict = check_history(history)
    accepts = found.order is not None
    lines = [f'{name}: the property "{ACCEPTS if accepts else REFUSES}" is broken.',
             f"  A checker with your rule {'accepts' if accepts else 'refuses'} this history:", *_lines(history)]
    if accepts:
        order = ", then ".join(str(operation) for operation in found.order or ())
        lines += [f"  in the order {order}.", f"  But it is not linearizable: {verdict.why}."]
    else:
        order = ", then ".join(str(history[index]) for index in verdict.witness or ())
        lines += [f"  But it is linearizable: {order}."]
    question = ("which two of these operations stand in an order that nobody could have seen in time?" if accepts
                else "which operation of the legal order did your checker not try, and what kept it from it?")
    return folded(*lines, "", f"Question: {question}")


def _lines(history: list[Operation]) -> list[str]:
    return [f"    {one.invoked:3} to {'?' if one.completed is None else one.completed:>3}  {one}" for one in history]
