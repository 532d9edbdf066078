"""The other half of correctness: doing nothing is safe, so a run must also get somewhere, by its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dslab.sim import System, Trace, Violation

from .invariants import VIOLATED, Verdict

TITLE = "Requests are answered"
SENTENCE = "While a majority runs and can talk, every request of a client gets its answer."


def unanswered(trace: Trace) -> Verdict | None:
    """The verdict on progress if a client still waits when the run ends, or None."""
    waiting = [operation for operation in trace.history if operation["completed_us"] is None]
    if not waiting:
        return None
    first = waiting[0]
    waited = (trace.until_us - first["invoked_us"]) / 1000
    found = Violation(
        f"{first['client']} has waited {waited:.0f} ms for its answer to `{first['command']}`{_leaders(trace)}",
        (first["client"],),
        None,
        "an answer",
        "none",
    )
    return Verdict(
        "requests_are_answered", TITLE, SENTENCE, "eventually", VIOLATED, None, first["invoked_us"], found
    )


def _leaders(trace: Trace) -> str:
    states = trace.state_at(len(trace) - 1)
    if not any("role" in states[name] for name in trace.servers):
        return ""
    leading = [name for name in states if states[name].get("role") == "leader" and states[name]["status"] == "up"]
    return f", and {' and '.join(leading)} leads" if leading else ", and no server leads"


def settled(schedule: Sequence[dict[str, Any]], system: System, at: float) -> list[dict[str, Any]]:
    """The schedule with every fault ended at a time, so that from then on nothing excuses a lack of progress.

    Args:
        schedule: actions before `at`, in order of time.
        at: simulated ms.
    """
    stopped: dict[str, str] = {}
    links: dict[tuple[str, str], bool] = {}
    cut = False
    for action in schedule:
        verb, node = action["do"], action.get("node")
        if node is not None and verb in ("crash", "pause"):
            if verb == "crash" or stopped.get(node) != "restart":
                stopped[node] = "restart" if verb == "crash" else "resume"
        elif node is not None and verb in ("restart", "resume") and stopped.get(node) == verb:
            del stopped[node]
        elif verb == "link":
            links[action["source"], action["target"]] = True
        cut = verb in ("partition", "cut") or (cut and verb != "heal")
    ends: list[dict[str, Any]] = [{"at": at, "do": "heal"}] if cut else []
    usual = {"loss": system.network.loss, "duplicate": system.network.duplicate}
    ends += [
        {"at": at, "do": "link", "source": source, "target": target, **usual} for source, target in links
    ]
    ends += [{"at": at, "do": verb, "node": node} for node, verb in stopped.items()]
    return [*schedule, *ends]
