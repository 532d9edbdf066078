"""A run as a line: who led in which term, what was broken, and where the pictures were taken."""

from __future__ import annotations

from typing import Any

from .scene import Reading
from .svg import DANGER, INK2, MARK, PAPER, disc, n, path, rect, roundel, term_fill, text

MOST_FAULTS, LEAST_APART = 4, 20


def line_map(
    reading: Reading, facts: dict[str, Any], frames: list[int], top: float, width: float
) -> tuple[str, float]:
    """Draws the line.

    Args:
        reading: the run. facts: its survey. frames: the events that have a picture.
        top: where it begins, px. width: how wide the sheet is, px.

    Returns:
        (SVG, the y at which it ends).
    """
    left, right, end = 30, width - 30, max(1, reading.trace.until_us)
    times = [reading.events[event].time_us for event in frames]
    first, last = min(times, default=0), max(times, default=end)
    margin = (last - first) // 10
    first, last = max(0, first - margin), min(end, last + margin + 100_000)

    def x(us: int | None) -> float:
        us = end if us is None else us
        return left + (right - left) * (min(max(us, first), last) - first) / max(1, last - first)

    y, row = top + 34, top + 48
    parts = [path(f"M{n(left)} {n(y)}H{n(right)}", MARK, 2, "2 4")]
    for span in facts["leaders"]:
        a, b = x(span["from_us"]), x(span["to_us"])
        if b > a:
            parts.append(rect(a, y - 3.5, b - a, 7, term_fill(span["term"])[0], rx=0))
    for fault in facts["faults"][:MOST_FAULTS]:
        a, b = x(fault["from_us"]), x(fault["to_us"])
        if b > a:
            parts.append(rect(a, row, b - a, 13, PAPER, DANGER, "3 2"))
            parts.append(text(a + 5, row + 9.5, fault["label"], 10, INK2))
            row += 16
    shown = [station for station in facts["stations"] if first <= station["us"] <= last]
    parts += [roundel(x(station["us"]), y, 7.5, station["term"]) for station in shown]
    places = _apart([x(us) for us in times], left, right)
    for number, (place, us) in enumerate(zip(places, times, strict=True), start=1):
        pointer = f"M{n(place)} {n(top + 16)}L{n(x(us))} {n(y - 4)}"
        parts += [path(pointer, MARK), disc(place, top + 8, number)]
    parts += [text(left, row + 12, f"{first / 1e6:.3f} s", 10.5, INK2),
              text(right, row + 12, f"{last / 1e6:.3f} s", 10.5, INK2, anchor="end")]
    return "".join(parts), row + 24


def _apart(places: list[float], left: float, right: float) -> list[float]:
    """The same places, in order, moved until none covers another."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + LEAST_APART) if moved else max(place, left))
    limit = right
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], limit)
        limit = moved[i] - LEAST_APART
    return moved
