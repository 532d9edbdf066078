"""Consistency as a property of runs: what clients are told is judged as they are told it.

Linearizability is judged step by step: after each answer there remain the states in which the object can be, each with
the open operations that must have taken effect for that. No state left means no order. What remains is also all that
the explorer has to tell apart, so searches stay small. Other consistencies are judged on the whole history.

Source: J. M. Wing, C. Gong, JPDC 17, 1993; G. Lowe, CPE 29(4), 2017, section 3 (just-in-time linearization).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from dslab.sim import Violation, violation

from .history import (
    CONSISTENCY,
    FAILED,
    OK,
    UNKNOWN,
    VIOLATION,
    HistoryError,
    Operation,
    check_history,
    hashable,
    parsed,
    told,
)
from .models import ILLEGAL, Model, model_named

MOST = 1_000        # states that are kept apart; where there are more, the whole history is judged instead

# An operation that took effect though it is open: (client, number, what it will have to answer).
Early = tuple[str, int, Any]
# A state of the object, and what took effect early on the way to it.
Way = tuple[Any, tuple[Early, ...]]
# An open operation by (client, number): what it does, to what, with what, and whether its client has given up on it.
Waiting = dict[tuple[str, int], tuple[str, Any, Any, bool]]


def linearizable(model: str = "register", *, initial: Any = ..., consistency: str = "linearizable",
                 ) -> Callable[[Any], Violation | None]:
    """Makes a safety property: what clients were told is linearizable, or keeps another consistency.

    Args:
        model: the kind of objects, a name in dslab.check.models.MODELS.
        initial: what each holds at the start; as the model says if not given.
        consistency: a name in dslab.check.history.CONSISTENCY.

    Returns:
        A function of a World, with `consistency`, `model`, `initial`, `title`, and `code` that makes it again.

    Raises:
        HistoryError: there is no such model or consistency.
    """
    if consistency not in CONSISTENCY:
        raise HistoryError(f"there is no consistency {consistency!r}; choose from {', '.join(CONSISTENCY)}")
    options = {} if initial is ... else {"initial": initial}
    if consistency == "linearizable":
        kind = model_named(model)._replace(**options)

    def property_(world: Any) -> Violation | None:
        found = None
        for record in world.recorded:
            if consistency == "linearizable" and "whole" not in world.memory:
                found = found or _step(kind, world.memory, record)
            if record[0] == "complete" and (consistency != "linearizable" or "whole" in world.memory):
                found = found or _whole(world.history, model, consistency, options)
        return found

    property_.__doc__ = f"What clients are told is {consistency} ({model})." if consistency == "linearizable" else \
        f"What clients are told keeps {consistency} consistency ({model})."
    given = [repr(model)] if model != "register" else []
    given += [f"{name}={value!r}" for name, value in options.items()]
    given += [f"consistency={consistency!r}"] if consistency != "linearizable" else []
    marks = {"consistency": consistency, "model": model, "initial": initial, "title": consistency.capitalize(),
             "__name__": consistency.replace(" ", "_"), "imports": "from dslab.check.properties import linearizable",
             "code": f"linearizable({', '.join(given)})".replace("'", '"')}
    for name, value in marks.items():
        setattr(property_, name, value)
    return property_


def _whole(history: list[dict[str, Any]], model: str, consistency: str, options: dict[str, Any]) -> Violation | None:
    """Judges all that clients were told so far."""
    found = check_history(history, model, consistency, **options)
    if found.verdict != VIOLATION:
        return None
    clients = dict.fromkeys(history[i]["client"] for i in (found.smallest or (found.stuck,)) if i is not None)
    return violation(found.why, nodes=clients)


def _step(model: Model, memory: dict[Any, Any], record: tuple[str, str, int, Any]) -> Violation | None:
    """Takes in what one client asked or was told; notes what the objects can be after it."""
    kind, client, number, what = record
    open_: Waiting = memory.setdefault("open", {})
    if kind == "invoke":
        for other in [other for other, asked in open_.items() if other[0] == client and not asked[3]]:
            _give_up(model, memory, other)
        do, key, argument = parsed(what)
        model.check(Operation(client, do, key, argument, None, 0, None))
        open_[client, number] = (do, key, argument, False)
        if do == "write":
            memory.setdefault("writers", {})[key, argument] = client
        return None
    if (client, number) not in open_:
        return None
    if what == FAILED:
        _give_up(model, memory, (client, number))
        return None
    do, key, argument, _ = open_.pop((client, number))
    answered = Operation(client, do, key, argument, what is not False if do == "cas" else hashable(what), 0, 0, OK)
    ways: dict[Any, tuple[Way, ...]] = memory.setdefault("ways", {})
    found = _after(model, ways.get(key, ((model.initial, ()),)),
                   {one: asked for one, asked in open_.items() if asked[1] == key}, answered, number)
    if found is None:
        memory.clear()
        memory["whole"] = True
        return None
    ways[key], possible = found
    return None if ways[key] else _impossible(model, answered, possible, memory.get("writers", {}))


def _give_up(model: Model, memory: dict[Any, Any], one: tuple[str, int]) -> None:
    """Notes that an open operation will never be answered; if it only reads, it does not matter any more.

    It is renumbered, from -1 down: a client that was restarted counts from 1 again.
    """
    open_: Waiting = memory["open"]
    do, key, argument, _ = open_.pop(one)
    reads, client = do in model.reads, one[0]
    given_up = client, -1 - sum(other[0] == client and other[1] < 0 for other in open_)
    if not reads:
        open_[given_up] = (do, key, argument, True)
    ways = memory.get("ways", {})
    if key in ways:
        ways[key] = _sorted({(state, tuple([item if item[:2] != one else (*given_up, None) for item in early
                                            if not reads or item[:2] != one])) for state, early in ways[key]})


def _after(model: Model, before: tuple[Way, ...], waiting: Waiting, answered: Operation,
           number: int) -> tuple[tuple[Way, ...], list[Any]] | None:
    """What an object can be once an operation is answered, and what the answer could have been; None if too much."""
    me = (answered.process, number)
    after: dict[Way, None] = {}
    possible: dict[Any, None] = {}
    ways = _ways(model, before, waiting)
    if ways is None:
        return None
    for state, early in ways:
        mine = [answer for client, which, answer in early if (client, which) == me]
        rest = tuple([item for item in early if item[:2] != me])
        effect = (state, mine[0]) if mine else _effect(model, state, answered)
        if effect is None:
            continue
        new, answer = effect
        possible[answer] = None
        fits = model.step(answer, answered) is not ILLEGAL if answered.do in (*model.reads, "txn") \
            else answer in (None, answered.result)
        if fits:
            after[new, rest] = None
    return _sorted(after), list(possible)


def _effect(model: Model, state: Any, operation: Operation) -> tuple[Any, Any] | None:
    """What an operation makes of a state and what it answers (what it sees, if it reads); None if it cannot happen."""
    if operation.do in model.reads:
        return state, state
    if operation.do == "cas":
        fits = state == operation.argument[0]
        return (operation.argument[1] if fits else state), fits
    new = model.step(state, replace(operation, status=UNKNOWN))
    return None if new is ILLEGAL else (new, state if operation.do == "txn" else None)


def _ways(model: Model, before: tuple[Way, ...], waiting: Waiting) -> list[Way] | None:
    """All that an object can be when some of the open operations take effect, in any order; None if that is too much.

    Whoever has used fewer of the operations that were given up can do whatever who has used more can, so of two such
    ways to a state only the one that has used fewer is followed.
    """
    given_up = {one for one, asked in waiting.items() if asked[3]}
    asked = {one: Operation(one[0], do, key, argument, None, 0, None, UNKNOWN)
             for one, (do, key, argument, _) in waiting.items()}
    found: list[Way] = []
    used: dict[Way, list[frozenset[Early]]] = {}

    def follow(state: Any, early: tuple[Early, ...]) -> None:
        spent = frozenset([item for item in early if item[:2] in given_up])
        others = used.setdefault((state, tuple([item for item in early if item not in spent])), [])
        if not any(other <= spent for other in others):
            others.append(spent)
            found.append((state, early))

    for state, early in sorted(before, key=lambda way: len(way[1])):
        follow(state, early)
    for state, early in found:                            # it grows meanwhile
        if len(found) > MOST:
            return None
        for one, operation in asked.items():
            effect = None if any(item[:2] == one for item in early) else _effect(model, state, operation)
            if effect is not None and not (one in given_up and effect[0] == state):
                answer = None if one in given_up else effect[1]
                follow(effect[0], tuple(sorted([*early, (*one, answer)], key=repr)))
    return found


def _sorted(ways: Iterable[Way]) -> tuple[Way, ...]:
    return tuple(sorted(ways, key=repr))


def _impossible(model: Model, answered: Operation, possible: list[Any], writers: dict[Any, str]) -> Violation:
    """Says who was told what cannot be."""
    client, key = answered.process, answered.key
    if answered.do in model.reads:
        seen = list(dict.fromkeys(map(_seen, possible)))
        by = [f" (written by {writers[key, value]})" if (key, value) in writers else "" for value in seen]
        could = " or ".join(f"{told(value)}{who}" for value, who in zip(seen, by))
        who = dict.fromkeys([client, *[writers[key, value] for value in seen if (key, value) in writers]])
        return violation(f"{client} read {key} and was told {told(answered.result)}, when it could only hold {could}",
                         nodes=who, expected=f"{key}={' or '.join(map(told, seen))}",
                         found=f"{key}={told(answered.result)}")
    return violation(f"`{answered}`, and no order of all operations allows that", nodes=[client])


def _seen(state: Any) -> Any:
    return tuple(sorted(state, key=repr)) if isinstance(state, frozenset) else state
