"""Where two runs of the same schedule part: the first step that one system takes and the other does not."""

from __future__ import annotations

from typing import Any

from dslab.sim import Event, Trace


def first_divergence(mine: Trace, reference: Trace) -> str | None:
    """The first event with another effect than in the reference, in words, or None.

    Args:
        mine: a run of the system in question.
        reference: a run of the right one with the same seed and schedule.
    """
    mine_sent, reference_sent = _sent(mine), _sent(reference)
    for i in range(min(len(mine), len(reference))):
        here, there = mine.events[i], reference.events[i]
        if here[:6] != there[:6]:
            return f"at {here.time_us / 1000:g} ms {_occasion(mine, here)}; in the paper's Raft {_occasion(reference, there)}"
        effects, expected = _effects(here, mine_sent.get(i, [])), _effects(there, reference_sent.get(i, []))
        if effects != expected:
            name = next(k for k in [*effects, *expected] if effects.get(k) != expected.get(k))
            return (f"at {here.time_us / 1000:g} ms {_occasion(mine, here)}: {effects.get(name, f'{name} stays as it is')}; "
                    f"in the paper's Raft {expected.get(name, f'{name} stays as it is')}")
    return None


def _effects(event: Event, sent: list[Any]) -> dict[str, str]:
    """What an event did, one sentence per attribute and per message sent."""
    effects = {}
    for change in event.patch:
        if len(change) == 2 and not change[0].startswith("@"):
            effects[change[0]] = f"{change[0]} becomes {_show(change[1])}"
        elif len(change) == 4:
            field, start, removed, items = change
            what = [f"loses {removed} from index {start + 1} on"] if removed else []
            what += [f"gets {_show(items)} at index {start + 1}"] if items else []
            effects[field] = f"{field} {' and '.join(what)}"
    for message in sent:
        fields = ", ".join(f"{name} {_show(value)}" for name, value in message.fields.items())
        effects[f"the {message.type} to {message.target}"] = f"sends {message.target} a {message.type} with {fields}"
    # a timer that restarts is drawn anew, so only whether it runs is compared
    for change in event.patch:
        if change[0].startswith("@"):
            timer = f"the {change[0][1:]} timer"
            effects[timer] = f"{timer} is {'stopped' if change[1] is None else 'restarted'}"
    return effects


def _sent(trace: Trace) -> dict[int, list[Any]]:
    sent: dict[int, list[Any]] = {}
    for message in trace.messages:
        sent.setdefault(message.sent_event, []).append(message)
    return sent


def _occasion(trace: Trace, event: Event) -> str:
    if event.kind == "deliver" and event.message is not None:
        m = trace.messages[event.message]
        fields = ", ".join(f"{name} {_show(value)}" for name, value in m.fields.items())
        return f"{event.node} gets a {m.type} from {m.source} ({fields})"
    if event.kind == "timer":
        return f"the {event.detail} timer of {event.node} fires"
    return f"{event.node}: {event.kind}" if event.node else event.kind


def _show(value: Any) -> str:
    if isinstance(value, dict) and "command" in value and "term" in value:
        return f"`{value['command']}` of term {value['term']}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_show, value)) + "]"
    return "nobody" if value is None else str(value)
