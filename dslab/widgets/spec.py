"""What the browser must know about a lab once: the system, its properties, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dslab.check.invariants import sentence_of, title_of
from dslab.sim import ScheduleError, Trace
from dslab.sim.schedule import VERBS

from .runs import Runs


def lab_spec(runs: Runs, trace: Trace, verbs: Sequence[str] | None, **more: Any) -> dict[str, Any]:
    """The trait `spec`.

    Args:
        runs: the system and its properties.
        trace: a run of it, which says what the nodes show.
        verbs: the allowed actions, None for all.
        more: what the lab adds.

    Raises:
        ScheduleError: a verb that does not exist.
    """
    system = runs.system
    unknown = [verb for verb in verbs or () if verb not in VERBS]
    if unknown:
        raise ScheduleError(f"there is no action {unknown[0]!r} to allow; choose from {', '.join(VERBS)}")
    starts = [event for event in trace.events[: len(system.nodes)] if event.kind == "start"]
    return {
        "schema": 1,
        "system": system.name,
        "code": system.code,
        "imports": system.import_lines,
        "seed": runs.seed,
        "servers": system.servers,
        "clients": system.clients,
        "fields": {event.node: [name for name, *_ in event.patch if name[0] != "@"] for event in starts},
        "verbs": [v for v in (VERBS if verbs is None else verbs) if v != "request" or system.clients],
        "roles": {},
        "properties": chips(runs),
        "hide_properties": runs.hidden,
        "reduced_motion": False,
        "shortcuts": True,
        "theme": None,
        **more,
    }


def chips(runs: Runs) -> list[dict[str, str]]:
    """The properties as their chips need them; none where the exercise hides them."""
    return [
        {
            "name": prop.__name__,
            "title": title_of(prop),
            "sentence": sentence_of(prop),
            "kind": kind,
            **({"consistency": prop.consistency} if hasattr(prop, "consistency") else {}),
            **(_printed(prop) if prop.__name__ in runs.properties.own else {}),
        }
        for kind, prop in runs.properties.listed()
        if not runs.hidden
    ]


def _printed(prop: Callable[..., Any]) -> dict[str, str]:
    """The expression that makes a property of ours, and its import; nothing for one that somebody has written here."""
    if hasattr(prop, "code"):
        return {"code": prop.code, "imports": prop.imports}
    home, name = prop.__module__, prop.__name__
    return {"code": name, "imports": f"from {home} import {name}"} if home.startswith("dslab.") else {}


def check_number(name: str, value: Any, low: float, high: float, unit: str) -> None:
    """Refuses an argument that is no number in a range.

    Raises:
        ScheduleError: names the argument and the range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ScheduleError(f"{name} must be a number from {low:g} to {high:g} ({unit}), not {value!r}")
