"""The weaker consistencies as properties of runs: sequential, causal, session guarantees, and agreement after a while.

Each makes an ALWAYS property of a World, as `linearizable` of dslab.check.properties does. They are judged on all that
clients were told so far, after every answer.

Source: as dslab.check.sequential, dslab.check.views and dslab.check.eventual.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dslab.sim import Violation, violation

from . import eventual
from .history import VIOLATION, HistoryError, operations
from .properties import linearizable

Property = Callable[[Any], Violation | None]


def sequential(model: str = "register") -> Property:
    """One order of all operations keeps each client's own."""
    return linearizable(model, consistency="sequential")


def causal(model: str = "register") -> Property:
    """Every client's view keeps causes before effects."""
    return linearizable(model, consistency="causal")


def pram(model: str = "register") -> Property:
    """Every client sees the writes of each other client in their order."""
    return linearizable(model, consistency="pram")


def read_your_writes(model: str = "register") -> Property:
    """A client never misses its own earlier writes."""
    return linearizable(model, consistency="read your writes")


def monotonic_reads(model: str = "register") -> Property:
    """What a client has seen it does not lose sight of."""
    return linearizable(model, consistency="monotonic reads")


def monotonic_writes(model: str = "register") -> Property:
    """Nobody who reads forwards sees one client's writes in another order."""
    return linearizable(model, consistency="monotonic reads + monotonic writes")


def writes_follow_reads(model: str = "register") -> Property:
    """Nobody who reads forwards sees a write before what its writer had read."""
    return linearizable(model, consistency="monotonic reads + writes follow reads")


def agreeing(after: float, model: str = "register") -> Property:
    """Reads agree once no object has been written for some time.

    Args:
        after: how long after the answer to the last write reads may still differ, in simulated ms, 0 or more.
        model: the kind of objects, a name in dslab.check.models.MODELS.

    Raises:
        HistoryError: the time is no number of 0 or more.
    """
    if isinstance(after, bool) or not isinstance(after, (int, float)) or not after >= 0:
        raise HistoryError(f"`after` is a time in ms, 0 or more, not {after!r}")

    def reads_agree(world: Any) -> Violation | None:
        told = [{name: entry[name] for name in entry if name not in ("invoked", "completed")}
                for entry in world.history]
        found = eventual.check(operations(told), model, quiet=round(after * 1000))
        if found.verdict != VIOLATION:
            return None
        return violation(found.why, nodes=dict.fromkeys(told[i]["client"] for i in found.smallest))

    reads_agree.__doc__ = f"Reads agree {after:g} ms after the last write of what they read ({model})."
    marks = {"consistency": "eventual", "model": model, "title": "Reads agree in the end",
             "imports": "from dslab.check.weaker import agreeing", "code": f'agreeing({after:g}, model="{model}")'}
    for name, value in marks.items():
        setattr(reads_agree, name, value)
    return reads_agree
