"""Evaluates properties on a trace: what must always hold, after every event, and what must happen at some time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from dslab.sim import Trace, Violation

HELD, VIOLATED, NOT_YET, REACHED, NOT_EVALUABLE = "held", "violated", "not yet", "reached", "not evaluable"


class Verdict(NamedTuple):
    """What became of one property.

    Attributes:
        name: the function's name. title: a few words. sentence: what it demands.
        kind: "always" or "eventually".
        status: "held", "violated", "not yet", "reached" or "not evaluable".
        event: id of the event that decided it, or None. time_us: its time.
        violation: what was found, or None; for "not evaluable" its text says why.
    """

    name: str
    title: str
    sentence: str
    kind: str
    status: str
    event: int | None = None
    time_us: int | None = None
    violation: Violation | None = None


def check_trace(trace: Trace, always: Sequence[Callable[..., Any]] = (),
                eventually: Sequence[Callable[..., Any]] = (), *, to_first: bool = False) -> list[Verdict]:
    """Judges every property on every state of a trace.

    Args:
        trace: a run.
        always: functions of a World that return None or a Violation (or a sentence).
        eventually: functions of a World that return True once reached.
        to_first: look no further than the event that violates a property first.

    Returns:
        One Verdict per property, in order; the first violation of each counts.
    """
    pending = {i: prop for i, prop in enumerate([*always, *eventually])}
    memories: dict[int, dict[Any, Any]] = {i: {} for i in pending}
    decided: dict[int, tuple[str, int, Violation | None]] = {}
    early: dict[int, tuple[str, int, Violation | None]] = {}
    begun: dict[str, None] = {}                 # servers that have shown something
    for world in trace.states():
        if world.changed is None:
            continue
        if len(begun) < len(trace.servers) and world.changed.id in trace.servers:
            begun[world.changed.id] = None
        for i in list(pending):
            world.memory = memories[i]
            prop = pending[i]
            try:
                outcome = _outcome(prop, i < len(always), world)
                early.pop(i, None)
            except (Exception, SystemExit) as error:   # a property may ask for what this protocol does not show
                outcome = NOT_EVALUABLE, Violation(_why(prop, error))
                if isinstance(error, AttributeError) and len(begun) < len(trace.servers):
                    early[i], outcome = (NOT_EVALUABLE, world.event, outcome[1]), None   # a server has yet to start
            if outcome is not None:
                decided[i] = outcome[0], world.event, outcome[1]
                del pending[i]
        if not pending or to_first and any(status == VIOLATED for status, *_ in decided.values()):
            break
    decided |= early
    verdicts = []
    for i, prop in enumerate([*always, *eventually]):
        kind = "always" if i < len(always) else "eventually"
        status, event, violation = decided.get(i, (HELD if kind == "always" else NOT_YET, None, None))
        time_us = None if event is None else trace.events[event].time_us
        words = prop.__name__, title_of(prop), sentence_of(prop)
        verdicts.append(Verdict(*words, kind, status, event, time_us, violation))
    return verdicts


def first_violation(trace: Trace, always: Sequence[Callable[..., Any]]) -> Verdict | None:
    """The verdict on the property that is violated first, or None."""
    broken = [v for v in check_trace(trace, always, to_first=True) if v.status == VIOLATED]
    return min(broken, key=lambda v: v.event or 0) if broken else None


def title_of(prop: Callable[..., Any]) -> str:
    """The few words on a property's chip: its `title`, or its name in words."""
    return getattr(prop, "title", None) or prop.__name__.replace("_", " ").capitalize()


def sentence_of(prop: Callable[..., Any]) -> str:
    """What a property demands: the first line of its docstring."""
    return (prop.__doc__ or title_of(prop)).strip().splitlines()[0]


def _outcome(prop: Callable[..., Any], always: bool, world: Any) -> tuple[str, Violation | None] | None:
    """What a property says of one state, or None while nothing is decided."""
    found = prop(world)
    if not always:
        return (REACHED, None) if found else None
    return None if found is None or found is True else (VIOLATED, _as_violation(found, prop))


def _as_violation(found: Any, prop: Callable[..., Any]) -> Violation:
    """A Violation of plain texts, whatever a property returned."""
    if not isinstance(found, Violation):
        return Violation(found if isinstance(found, str) else f"{title_of(prop)}: violated")
    text, nodes, index, expected, seen = found
    index = index if isinstance(index, int) else None
    return Violation(str(text), tuple(str(getattr(node, "id", node)) for node in nodes), index,
                     None if expected is None else str(expected), None if seen is None else str(seen))


def _why(prop: Callable[..., Any], error: BaseException) -> str:
    if isinstance(error, AttributeError) and error.name:
        return f"{prop.__name__} needs the attribute {error.name!r}, which a node does not show"
    return f"{prop.__name__} failed: {type(error).__name__}: {error}"
