"""What a search has found, as one sentence and, where it found a counterexample, the run that one can play."""

from __future__ import annotations

from typing import Any

from dslab.sim import DslabError

from .lab import Lab

FACTS = ("result", "case", "system", "verdict")


def show_counterexample(exploration: Any) -> Lab | str:
    """Says what a search found and opens its counterexample one step before the property breaks.

    Args:
        exploration: what `explore(...)` returned.

    Returns:
        A Lab at the last moment before the violation, after printing the sentence; the sentence alone where nothing
        was violated.

    Raises:
        DslabError: the argument is not the result of a search.
    """
    if not all(hasattr(exploration, name) for name in FACTS):
        raise DslabError(f"show_counterexample needs what explore(...) returns, not {exploration!r}")
    sentence = repr(exploration)
    if exploration.result != "violated":
        return sentence
    print(sentence)
    case, found = exploration.case, exploration.verdict
    lab = Lab(
        exploration.system, seed=case.seed, schedule=case.schedule, until=case.until, title=f"{found.title}: broken"
    )
    events = lab.trace().events
    broken = next((v.event for v in lab.verdicts() if v.name == found.name and v.event is not None), len(events) - 1)
    now = events[broken].time_us
    before = max((event.time_us for event in events[:broken] if event.time_us < now), default=0)
    lab.seek(before / 1000)
    return lab
