"""Says in one sentence what went wrong in a run, and where."""

from __future__ import annotations

import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import DslabError, ScheduleError

if TYPE_CHECKING:
    from .simulation import Simulation

HERE = Path(__file__).parent


def explained(sim: Simulation, error: DslabError) -> DslabError:
    """The same error with the place in front, and what was recorded so far attached as `error.trace`."""
    if hasattr(error, "trace"):
        return error                               # told already, by a run inside this one
    told = error if isinstance(error, ScheduleError) else type(error)(_place(sim) + str(error))
    told.trace = sim.recorder.trace(sim.now_us) if sim.recorder else None  # type: ignore[attr-defined]
    return told


def _place(sim: Simulation) -> str:
    """The node, the handler and the time of what runs now."""
    if sim.handling is None:
        return f"at {sim.now_us / 1000:.3f} ms: "
    time, _, host, source, payload, _ = sim.handling
    when = f"at {time / 1000:.3f} ms"
    if source is None:
        return f"{host.id} in on_{payload}_timeout {when}: "
    if source.__class__ is not str:
        if source.__name__ in ("_do_join", "_do_leave"):
            return f"{host.id} in on_{source.__name__[4:]} {when}: "
        return f"{host.id} in on_start{'' if host.incarnation < 2 else ' after a restart'} {when}: "
    if payload.__class__ not in host.handlers:
        return ""                                  # there is no handler, which is what the error says
    handler = type(host.node).message_handler(payload.__class__, host.id, source)
    return f"{host.id} in {handler} {when} ({payload!r} from {source}): "


def what_goes_round(sim: Simulation) -> str:
    """Why a run has no end in sight: what waits most often."""
    waiting: Counter[str] = Counter()
    for entry in [*sim.heap, *([sim.handling] if sim.handling else [])]:
        _, _, host, source, payload, _ = entry
        if source.__class__ is str:
            waiting[f"{payload.__class__.__name__} {source} -> {host.id}"] += 1
        elif source is None:
            waiting[f"timer {payload!r} of {host.id}"] += 1
    top = ", ".join(f"{what} ({number:,} waiting)" for what, number in waiting.most_common(3))
    return (f"the run was stopped after {sim.budget:,} events; going round: {top}; "
            f"look for an answer that is itself answered, or a timer that is set to 0 ms")


def failure(error: BaseException) -> str:
    """An exception of a node's code: its type, its text and the line of the node's own code."""
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    if getattr(error, "answer_line", None):        # raised in another process, which told the line
        number, code = error.answer_line           # type: ignore[attr-defined]
        return f"{text} (line {number}: `{code}`)"
    frames: list[Any] = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent != HERE]
    if not frames:
        return text
    line = f" `{frames[-1].line}`" if frames[-1].line else ""
    return f"{text} (line {frames[-1].lineno}:{line} in {frames[-1].name})"
