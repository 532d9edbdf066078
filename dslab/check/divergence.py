"""Where two runs of the same schedule part: the first step that one system takes and the other does not."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dslab.sim import Event, MessageRecord, Trace


def first_divergence(mine: Trace, reference: Trace, private: Collection[str] = ()) -> str | None:
    """The first event with another effect than in the reference, in words; None if there is none to compare.

    Runs whose timers were drawn differently soon differ in every time, so the comparison ends there.

    Args:
        mine: a run of the system in question.
        reference: a run of the right one with the same seed and schedule.
        private: attributes and fields of messages that each system writes in its own way; they are not compared.
    """
    mine_sent, reference_sent = _sent(mine, private), _sent(reference, private)
    for i in range(min(len(mine), len(reference))):
        here, there = _public(mine.events[i], private), _public(reference.events[i], private)
        if here[:6] != there[:6]:
            return None
        for effects in (_changes, _timers):
            done, expected = effects(_narrowed(here, there)), effects(_narrowed(there, here))
            name = next((name for name in [*done, *expected] if done.get(name) != expected.get(name)), None)
            if name is not None:
                usual = f"{name} stays as it is"
                return _tell(mine, here, done.get(name, usual), expected.get(name, usual))
        sent, expected = _messages(mine_sent.get(i, [])), _messages(reference_sent.get(i, []))
        name = next((name for name in [*sent, *expected] if sent.get(name) != expected.get(name)), None)
        if name is not None:
            return _tell(
                mine,
                here,
                sent.get(name, f"does not send {name}"),
                expected.get(name, f"does not send {name}"),
            )
    return None


def _public(event: Event, private: Collection[str]) -> Event:
    return event._replace(patch=[change for change in event.patch if change[0] not in private])


def _tell(trace: Trace, event: Event, done: str, expected: str) -> str:
    return (
        f"at {event.time_us / 1000:g} ms {_occasion(trace, event)}. Here: {done}. It should be: {expected}."
    )


def _narrowed(event: Event, other: Event) -> Event:
    """The event, but of a table in which only some entries differ from the other's only these, each as a field."""
    theirs = {change[0]: change[1] for change in other.patch if len(change) == 2}
    patch: list[Any] = []
    for change in event.patch:
        pairs = [(change[0], change[1], theirs.get(change[0]))] if len(change) == 2 else []
        if not pairs or pairs[0][1] == pairs[0][2]:
            patch.append(change)
            continue
        while any(isinstance(mine, dict) and isinstance(their, dict) for _, mine, their in pairs):
            pairs = [pair for name, mine, their in pairs for pair in _entries(name, mine, their)]
        patch += [[name, mine] for name, mine, _ in pairs]
    return event._replace(patch=patch)


def _entries(name: str, mine: Any, theirs: Any) -> list[tuple[str, Any, Any]]:
    if not (isinstance(mine, dict) and isinstance(theirs, dict)):
        return [(name, mine, theirs)]
    keys = [key for key in dict.fromkeys([*mine, *theirs]) if mine.get(key) != theirs.get(key)]
    return [(f"{name}[{key}]", mine.get(key), theirs.get(key)) for key in keys]


def _changes(event: Event) -> dict[str, str]:
    """What an event changed, a few words for each attribute."""
    changes = {}
    for change in event.patch:
        if len(change) == 4:
            field, start, removed, items = change
            what = [f"loses {removed} from index {start + 1} on"] if removed else []
            what += [f"gets {_show(items)} at index {start + 1}"] if items else []
            changes[field] = f"{field} {' and '.join(what)}"
        elif not change[0].startswith("@"):
            changes[change[0]] = f"{change[0]} becomes {_show(change[1])}"
    return changes


def _timers(event: Event) -> dict[str, str]:
    """Which timers an event started or stopped; when they are due is left to chance."""
    timers = {f"the {change[0][1:]} timer": change[1] for change in event.patch if change[0].startswith("@")}
    return {timer: f"{timer} is {'stopped' if to is None else 'restarted'}" for timer, to in timers.items()}


def _messages(sent: list[MessageRecord]) -> dict[str, str]:
    return {f"{m.target} {_a(m.type)}": f"sends {m.target} {_a(m.type)} ({_fields(m)})" for m in sent}


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'AEIOU' else 'a'} {noun}"


def _fields(m: MessageRecord) -> str:
    return ", ".join(f"{name} {_show(value)}" for name, value in m.fields.items())


def _sent(trace: Trace, private: Collection[str]) -> dict[int | None, list[MessageRecord]]:
    sent: dict[int | None, list[MessageRecord]] = {}
    for message in trace.messages:
        fields = {name: value for name, value in message.fields.items() if name not in private}
        sent.setdefault(message.sent_event, []).append(message._replace(fields=fields))
    return sent


def _occasion(trace: Trace, event: Event) -> str:
    if event.kind == "deliver" and event.message is not None:
        m = trace.messages[event.message]
        return f"{event.node} gets {_a(m.type)} from {m.source} ({_fields(m)})"
    if event.kind == "timer":
        return f"the {event.detail} timer of {event.node} fires"
    return f"{event.node}: {event.kind}" if event.node else event.kind


def _show(value: Any) -> str:
    if isinstance(value, dict) and "command" in value and "term" in value:
        return f"`{value['command']}` of term {value['term']}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_show, value)) + "]"
    return "nobody" if value is None else str(value)
