"""The picture of a history: intervals in lanes, the order as numbers and the value above, or what fits nowhere."""

from __future__ import annotations

from html import escape
from typing import Any

from .history import Chart, history_words, verdict_words
from .svg import DANGER, INK, INK2, LINE, MARK, PAPER, SANS, WASH2, circle, label, n, path, rect, text

LANE, HEAD, PAD, DOT, CHAR = 44, 52, 16, 8.5, 6.6
NARROW, WIDE = 30.0, 110.0  # one unit
ROOM, MOST_LINES, LINE_CHARS = 860, 4, 112


def history_picture(chart: Chart, title: str = "") -> str:
    """A history as SVG, on paper of its own so that it can be read on a dark page too.

    Args:
        chart: from `history_chart`.
        title: a heading.

    Returns:
        SVG; equal charts give equal bytes.
    """
    left = PAD + max([HEAD - PAD, *(len(lane) * 7.4 + 12 for lane in chart["lanes"])])
    unit = _unit(chart, left)
    words = _lines(verdict_words(chart))
    top = PAD + (26 if title else 0) + 16 * len(words) + 8
    band = 30 if chart["points"] and chart["values"] else 0
    width = left + chart["width"] * unit + PAD
    height = top + band + LANE * len(chart["lanes"]) + 8
    page = max(width, 420)
    parts = [text(PAD, PAD + 15, title, 15, INK, 650)] if title else []
    wrong = chart["verdict"] == "violation"
    for i, line in enumerate(words):
        parts.append(
            text(
                PAD,
                PAD + (26 if title else 0) + 12 + 16 * i,
                line,
                12.5,
                DANGER if wrong else INK,
                600 if wrong else 400,
            )
        )

    def y(lane: int) -> float:
        return top + band + lane * LANE + 26

    for lane, name in enumerate(chart["lanes"]):
        parts.append(path(f"M{n(left - 6)} {n(y(lane))}H{n(width - 6)}", LINE))
        parts.append(text(PAD, y(lane) + 4.5, name, 12.5, INK, 600))
    if band:
        parts += _values(chart, left, unit, top, width, y)
    parts += [_operation(chart, i, left, unit, width, y) for i in range(len(chart["operations"]))]
    size = f'viewBox="0 0 {n(page)} {n(height)}" width="{n(page)}" height="{n(height)}"'
    style = f'style="max-width:100%;height:auto" role="img" font-family="{SANS}"'
    paper = rect(0.5, 0.5, page - 1, height - 1, PAPER, LINE, rx=8)
    said = escape(history_words(chart), quote=False)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}><title>{said}</title>{paper}{"".join(parts)}</svg>'


def _unit(chart: Chart, left: float) -> float:
    """Pixels per unit: as wide as the room allows, wider where labels need it."""
    unit: float = max(NARROW, (ROOM - left - PAD) / chart["width"])
    unit = min(unit, WIDE)
    ops = chart["operations"]
    for i, op in enumerate(ops):
        follower = next((other["from"] for other in ops[i + 1 :] if other["lane"] == op["lane"]), None)
        span = follower - op["from"] if follower is not None else max(0.6, chart["width"] - op["from"])
        unit = max(unit, min(WIDE, (len(op["label"]) * CHAR + 12) / max(span, 0.1)))
    return unit


def _values(chart: Chart, left: float, unit: float, top: float, width: float, y: Any) -> list[str]:
    """The value from each point to the next one that changes it."""
    parts = [text(PAD, top + 14, "value", 11.5, INK2)]
    xs = [left + at * unit for at in chart["points"]]
    values = chart["values"]
    for k, value in enumerate(values):
        lane = chart["operations"][chart["order"][k]]["lane"]
        parts.append(path(f"M{n(xs[k])} {n(top + 19)}V{n(y(lane) - DOT)}", MARK, dash="1.5 3"))
        if k and values[k - 1] == value:
            continue
        end = next((xs[j] for j in range(k + 1, len(values)) if values[j] != value), width - 10)
        room = int((end - xs[k] - 8) / CHAR)
        shown = value if len(value) <= room else value[: room - 1] + "…" if room > 1 else ""
        parts.append(rect(xs[k], top, max(2, end - xs[k] - 2), 19, WASH2, MARK, rx=3.5))
        parts += [text(xs[k] + 5, top + 13.5, shown, 11.5)] if shown else []
    return parts


def _operation(chart: Chart, i: int, left: float, unit: float, width: float, y: Any) -> str:
    op = chart["operations"][i]
    wrong, stuck = chart["verdict"] == "violation", chart["stuck"] == i
    part = wrong and i in chart["smallest"]
    start, mid = left + op["from"] * unit, y(op["lane"])
    known = max(start, left + (chart["marks"][-1][1] if op["to"] is None else op["to"]) * unit)
    stroke = DANGER if stuck else MARK if (wrong and not part) or op["status"] == "failed" else INK
    thick = 3.5 if stuck or part else 2 if not wrong else 1.25
    dash = "4 3" if op["status"] == "failed" else ""
    parts = [
        path(
            f"M{n(start)} {n(mid - 7)}v14M{n(start)} {n(mid)}H{n(known)}"
            + ("" if op["to"] is None else f"M{n(known)} {n(mid - 7)}v14"),
            stroke,
            thick,
            dash,
        )
    ]
    if op["to"] is None:
        end = width - 12
        parts.append(path(f"M{n(known)} {n(mid)}H{n(end)}", stroke, 2, "2 4"))
        parts.append(path(f"M{n(end - 6)} {n(mid - 5)}l6 5l-6 5", stroke, 2))
    bold = 600 if stuck or part else 400
    parts.append(
        text(start + 2, mid - 12, op["label"], 12, DANGER if stuck else INK2 if wrong and not part else INK, bold)
    )
    if op["status"] == "failed":
        parts.append(path(f"M{n((start + known) / 2 - 4)} {n(mid - 4)}l8 8m0 -8l-8 8", MARK, 2))
    if stuck:
        at = (start + known) / 2
        parts += [circle(at, mid, 8, DANGER, ""), path(f"M{n(at - 3)} {n(mid - 3)}l6 6m0 -6l-6 6", PAPER, 2)]
    if i in chart["order"]:
        place, points = chart["order"].index(i), chart["points"]
        at = left + points[place] * unit if points else (start + known) / 2
        parts += [
            circle(at, mid, DOT, INK if points else PAPER, PAPER if points else INK, 1.5),
            label(at, mid, place + 1, 11, PAPER if points else INK),
        ]
    return "".join(parts)


def _lines(words: str) -> list[str]:
    lines = [""]
    for word in words.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) + 1 > LINE_CHARS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1] + " …"]
