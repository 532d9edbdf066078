"""Client operations as intervals: where each stands on the page, what it says, in which order they may have happened.

One plain record serves the widget and the picture: operations in lanes, in units of width that both draw alike.
Half of every gap between two moments is the same for all, half is to scale, so that short operations stay readable.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from .words import plain_text, plain_value, shorten

TAIL = 1.0  # how far an operation without an answer reaches beyond the last moment
SAME_FOR_ALL = 0.6  # of a gap's width; the rest is to scale
OPEN, FAILED, GOING = "unknown", "failed", "going"

Chart = dict[str, Any]

TOLD = {
    FAILED: "; it failed and has no effect",
    OPEN: "; no answer, so it may take effect at any time, or never",
    GOING: "; not answered yet",
}


def history_chart(
    operations: Sequence[Mapping[str, Any]], found: Mapping[str, Any], clock: Mapping[int, int] | None = None
) -> Chart:
    """Places operations and, where there is one, the order in which they may have happened.

    Args:
        operations: {"process", "do", "key", "argument", "result", "invoked", "completed" (None: never), "status"} each;
            `events` (the two events of a trace) may be added.
        found: {"model", "consistency", "verdict", "order" (positions or None), "values" (after each of them), "stuck",
            "smallest", "why"}, as far as known.
        clock: {moment: microseconds}, where moments are events of a trace; without it they are times themselves.

    Returns:
        A Chart: plain data, equal for equal arguments.
    """
    marks = _marks(operations, clock or {})
    width = (marks[-1][1] if marks else 0) + TAIL
    lanes = list(dict.fromkeys(str(op["process"]) for op in operations))
    keys = {op.get("key") for op in operations}
    placed = [_placed(op, lanes, marks, len(keys) > 1) for op in operations]
    order = [i for i in found.get("order") or () if 0 <= i < len(placed)]
    return {
        "model": str(found.get("model", "register")),
        "consistency": str(found.get("consistency", "linearizable")),
        "lanes": lanes,
        "width": width,
        "clock": clock is not None,
        "marks": marks,
        "operations": placed,
        "verdict": found.get("verdict", "unknown"),
        "order": order,
        "points": points_of(placed, order, width),
        "values": [str(value) for value in found.get("values") or ()][: len(order)],
        "stuck": found.get("stuck"),
        "smallest": list(found.get("smallest") or ()),
        "why": str(found.get("why") or ""),
    }


def _marks(operations: Sequence[Mapping[str, Any]], clock: Mapping[int, int]) -> list[list[float]]:
    """[[moment, units from the left, its time], ...] for every moment at which something begins or ends."""
    ends = [op["completed"] for op in operations if op["completed"] is not None]
    moments = sorted({*(op["invoked"] for op in operations), *ends})
    times = [clock.get(moment, moment) for moment in moments]
    whole, at, marks = max(1, times[-1] - times[0]) if times else 1, 0.0, []
    for i, moment in enumerate(moments):
        if i:
            part = (times[i] - times[i - 1]) / whole * (len(moments) - 1)
            at += SAME_FOR_ALL + (1 - SAME_FOR_ALL) * part
        marks.append([moment, round(at, 3), times[i]])
    return marks


def units_at(marks: Sequence[Sequence[float]], moment: float) -> float:
    """Units from the left; between two marks in proportion, beyond the last one never more than half a tail."""
    if not marks:
        return 0.0
    i = bisect_right([mark[0] for mark in marks], moment) - 1
    if i < 0:
        return float(marks[0][1])
    if i == len(marks) - 1:
        return float(marks[i][1]) + (TAIL / 2 if moment > marks[i][0] else 0)
    (start, left, _), (end, right, _) = marks[i], marks[i + 1]
    return round(left + (right - left) * (moment - start) / (end - start), 3)


def _placed(op: Mapping[str, Any], lanes: list[str], marks: list[list[float]], several: bool) -> dict[str, Any]:
    short, says = operation_words(op, several)
    # what may still happen has no end: its answer never came, or nobody knows whether it took effect
    end = None if op["completed"] is None or op["status"] == OPEN else units_at(marks, op["completed"])
    asked = {}
    if end is not None and op.get("events"):  # what is known of it before it is answered
        asked = dict(zip(("asked", "asks"), operation_words({**op, "status": GOING}, several), strict=True))
        asked["asks"] = f"{op['process']} {asked['asks']}"
    return {
        "lane": lanes.index(str(op["process"])),
        "label": short,
        "says": f"{op['process']} {says}",
        "from": units_at(marks, op["invoked"]),
        "to": end,
        "status": op["status"],
        "key": None if op.get("key") is None else str(op["key"]),
        "invoked": op["invoked"],
        "completed": op["completed"],
        "events": list(op.get("events") or ()),
        **asked,
    }


def operation_words(op: Mapping[str, Any], several: bool = True) -> tuple[str, str]:
    """What an operation does, in a bar ("x=1") and in a sentence ("writes 1 to x").

    Args:
        op: as in `history_chart`.
        several: whether the key must be named.
    """
    do, key, argument, result = str(op["do"]), op.get("key"), op.get("argument"), op.get("result")
    ok, name, told, answer = op["status"] == "ok", "", _value(argument), _value(result)
    if several and key is not None:
        name = str(key)
    of, to, origin = (f" {name}", f" to {name}", f" from {name}") if name else ("", "", "")
    if do in ("write", "put"):
        short, says = f"{name}={told}" if name else f"{do} {told}", f"writes {told}{to}"
    elif do in ("read", "get"):
        short = (f"{name} is {answer}" if name else f"{do} {answer}") if ok else f"{name or do}?"
        says = f"reads {answer}{origin}" if ok else f"reads{of}"
    elif do == "cas" and isinstance(argument, (list, tuple)) and len(argument) == 2:
        old, new = map(_value, argument)
        short, says = (
            f"{name} {old}→{new}".strip(),
            f"changes {name or 'the value'} from {old} to {new}, if it is {old}",
        )
        if ok and isinstance(result, bool):
            short, says = f"{short} {'✓' if result else '✗'}", f"{says}: {'it was' if result else 'it was not'}"
    elif do == "append":
        short, says = f"{name}+={told}" if name else f"append {told}", f"appends {told}{to}"
    elif do == "txn":
        done = result if ok and result is not None else argument
        short = says = "; ".join(_part(part) for part in done or ())
    else:
        short = says = " ".join(word for word in (do, name, "" if argument is None else told) if word)
        if ok and result is not None:
            short, says = f"{short}: {answer}", f"{says}, answered {answer}"
    return shorten(short, 24), says + TOLD.get(op["status"], "")


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    return shorten(plain_value(list(value) if isinstance(value, tuple) else value), 18)


def _part(part: Any) -> str:
    """One read or write of a transaction."""
    do, key, value = part
    if do in ("r", "read"):
        return f"{key} is {_value(value)}" if value is not None else f"{key}?"
    return f"{key}+={_value(value)}" if do == "append" else f"{key}={_value(value)}"


def points_of(placed: Sequence[Mapping[str, Any]], order: Sequence[int], width: float) -> list[float] | None:
    """One moment inside each interval, in the given order; None where no such moments exist.

    Each takes its share of the room that is left for it and those that must share it.
    """
    early: list[float] = []
    for i in order:
        early.append(max(placed[i]["from"], early[-1] if early else 0.0))
    late: list[float] = []
    for i in reversed(order):
        end = placed[i]["to"] if placed[i]["to"] is not None else width
        late.append(min(end, late[-1] if late else width))
    late.reverse()
    if any(first > last for first, last in zip(early, late, strict=True)):
        return None
    points: list[float] = []
    for k, last in enumerate(late):
        low = max(early[k], points[-1] if points else 0.0)
        sharing = sum(1 for first in early[k:] if first < last) or 1
        points.append(round(low + (last - low) / (sharing + 1), 3))
    return points


def history_words(chart: Chart) -> str:
    """A chart in a paragraph: what each client did, and what came of it."""
    lines = [f"{op['says']}." for op in chart["operations"]]
    return plain_text(" ".join([*lines, verdict_words(chart)]))


def verdict_words(chart: Chart) -> str:
    """What the checker says, in a sentence or two."""
    name, ops = chart["consistency"], chart["operations"]
    if chart["verdict"] == "ok":
        if not chart["order"]:
            return f"This history is {name}."
        listed = "; ".join(f"{k + 1}. {ops[i]['says'].split(';')[0]}" for k, i in enumerate(chart["order"]))
        return f"This history is {name}, in this order: {listed}."
    why = chart["why"]
    if chart["verdict"] == "violation":
        return why or f"This history is not {name}: no order explains all answers."
    return why or f"Whether this history is {name} has not been judged."
