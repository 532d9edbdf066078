"""Draws a cluster at one moment as SVG text: nodes on a ring, messages on their way, logs beside it.

Colours are the light theme's, written out, because a picture in a notebook has no style sheet. Coordinates have one
decimal, so that equal traces give equal bytes everywhere.
"""

from __future__ import annotations

import math
from html import escape
from typing import Any

from dslab.sim import MessageRecord

from .gloss import message_class
from .scene import LEADING, STANDING, Reading, Scene, granted, term_of
from .words import MARKUP, payload

PAPER, INK, INK2, MARK, LINE2, LINE, WASH2, DANGER = (
    "#ffffff",
    "#23262b",
    "#5e6064",
    "#7b7d80",
    "#c9cacb",
    "#e2e2e3",
    "#ebecec",
    "#b3261e",
)
TERMS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
MONO = "ui-monospace, Menlo, Consolas, monospace"
RING_X, RING_Y, RING_R = 98, 90, 55
CELL_W, CELL_H, CELLS = 14, 13, 6


def n(x: float) -> str:
    """A coordinate: one decimal, none where it is whole."""
    text = f"{x:.1f}"
    return text[:-2] if text.endswith(".0") else text


def term_fill(term: int) -> tuple[str, str]:
    """(fill, text colour) of a term."""
    if term < 1:
        return PAPER, INK
    return TERMS[(term - 1) % 6], "#ffffff" if (term - 1) % 6 == 0 else "#000000"


def text(
    x: float,
    y: float,
    words: str,
    size: float = 11,
    fill: str = INK,
    weight: int = 400,
    anchor: str = "start",
) -> str:
    """One line of text; `{term:4}` and code are set in bold and in a fixed pitch."""
    parts, last = [], 0
    for match in MARKUP.finditer(words):
        parts.append(escape(words[last : match.start()], quote=False))
        parts.append(
            f'<tspan font-weight="700">{match[1]}</tspan>'
            if match[1]
            else f'<tspan font-family="{MONO}">{escape(match[2], quote=False)}</tspan>'
        )
        last = match.end()
    parts.append(escape(words[last:], quote=False))
    extra = (f' font-weight="{weight}"' if weight != 400 else "") + (
        f' text-anchor="{anchor}"' if anchor != "start" else ""
    )
    return f'<text x="{n(x)}" y="{n(y)}" font-size="{size:g}" fill="{fill}"{extra}>{"".join(parts)}</text>'


def roundel(x: float, y: float, r: float, term: int) -> str:
    """The mark of a term."""
    fill, ink = term_fill(term)
    return f'<circle cx="{n(x)}" cy="{n(y)}" r="{n(r)}" fill="{fill}" stroke="{INK}"/>' + text(
        x, y + r * 0.48, str(term), r * 1.35, ink, 700, "middle"
    )


def cluster(reading: Reading, scene: Scene, event: int, answers: frozenset[str]) -> str:
    """The ring and, for protocols with logs, the logs beside it; about 300 × 170."""
    places = _places(scene)
    time = reading.events[event].time_us
    return "".join(
        [
            *_links(scene, places),
            *_messages(reading, event, time, places, answers),
            *(_node(scene, node, places[node]) for node in scene.servers),
            _logs(scene),
        ]
    )


def _places(scene: Scene) -> dict[str, tuple[float, float, float]]:
    """x, y and size of every server."""
    count = len(scene.servers)
    size = 1 if count <= 7 else max(0.25, 7 / count)
    radius = 0 if count == 1 else RING_R
    angles = [2 * math.pi * i / count - math.pi / 2 for i in range(count)]
    return {
        node: (RING_X + radius * math.cos(a), RING_Y + radius * math.sin(a), size)
        for node, a in zip(scene.servers, angles)
    }


def _links(scene: Scene, places: dict[str, tuple[float, float, float]]) -> list[str]:
    if len(places) > 12:
        return []
    whole, cut = [], []
    for i, a in enumerate(scene.servers):
        for b in scene.servers[i + 1 :]:
            (ax, ay, _), (bx, by, _) = places[a], places[b]
            path = f"M{n(ax)} {n(ay)}L{n(bx)} {n(by)}"
            (cut if scene.is_cut(a, b) or scene.is_cut(b, a) else whole).append(path)
    drawn = [f'<path d="{"".join(whole)}" stroke="{LINE}" fill="none"/>'] if whole else []
    return drawn + (
        [f'<path d="{"".join(cut)}" stroke="{DANGER}" stroke-dasharray="2 4" fill="none"/>'] if cut else []
    )


def _node(scene: Scene, node: str, place: tuple[float, float, float]) -> str:
    x, y, size = place
    state, r = scene.nodes[node], 15 * size
    label = _label(scene, state, x, y) if size > 0.5 else ""
    if state.status == "crashed":
        arm = r * 0.42
        return (
            f'<circle cx="{n(x)}" cy="{n(y)}" r="{n(r)}" fill="{WASH2}" stroke="{MARK}"/>'
            f'<path d="M{n(x - arm)} {n(y - arm)}L{n(x + arm)} {n(y + arm)}M{n(x + arm)} {n(y - arm)}L{n(x - arm)} {n(y + arm)}" '
            f'stroke="{DANGER}" stroke-width="2.4" stroke-linecap="round"/>' + label
        )
    fill, ink = term_fill(state.term)
    parts = [f'<circle cx="{n(x)}" cy="{n(y)}" r="{n(r)}" fill="{fill}" stroke="{INK}" stroke-width="1.3"/>']
    if state.role in LEADING or state.role in STANDING:
        dash = ' stroke-dasharray="3.6 2.3"' if state.role in STANDING else ""
        parts.append(
            f'<circle cx="{n(x)}" cy="{n(y)}" r="{n(r + 3.6 * size)}" fill="none" stroke="{INK}" stroke-width="1.7"{dash}/>'
        )
    if size > 0.5:
        parts.append(
            text(
                x,
                y + 4,
                f"{str(state.role)[0].upper() if state.role else ''}{state.term or ''}",
                10.5,
                ink,
                700,
                "middle",
            )
        )
    return "".join(parts) + label


def _label(scene: Scene, state: Any, x: float, y: float) -> str:
    """Name, and what the shape does not say, on the outer side of a node."""
    more = (
        "paused"
        if state.status == "paused"
        else f"{granted(state.fields.get('votes'))} of {len(scene.servers)}"
        if state.role in STANDING and state.status == "up"
        else ""
    )
    side = 0 if abs(x - RING_X) < 8 else 1 if x > RING_X else -1
    name = f"{state.id}, {more}" if more else state.id
    if side == 0 and y <= RING_Y:
        return text(x, y - 23, name, 10.5, INK, 600, "middle")
    if side == 0 or y > RING_Y + 20:
        return text(x, y + 30, name, 10.5, INK, 600, "middle")
    anchor = "start" if side > 0 else "end"
    place = x + 22 * side
    return text(place, y + 4, state.id, 10.5, INK, 600, anchor) + (
        text(place, y + 16, more, 9.5, INK2, 600, anchor) if more else ""
    )


def _messages(
    reading: Reading, event: int, time: int, places: dict[str, Any], answers: frozenset[str]
) -> list[str]:
    drawn = []
    for record in reading.messages:
        if record.sent_event is None or record.sent_event > event:
            break
        ended = record.end_event is not None and record.end_event < event
        here = record.end_event == event and record.fate == "dropped"
        if (
            ended
            or (record.end_event == event and not here)
            or record.source not in places
            or record.target not in places
        ):
            continue
        if len(drawn) < 40:
            drawn.append(_message(record, time, here, places, answers))
    return drawn


def _message(
    record: MessageRecord, time: int, dropped: bool, places: dict[str, Any], answers: frozenset[str]
) -> str:
    (ax, ay, size), (bx, by, _) = places[record.source], places[record.target]
    way = math.hypot(bx - ax, by - ay) or 1
    ux, uy = (bx - ax) / way, (by - ay) / way
    whole = max(1, (record.due_us or time) - record.sent_us)
    gone = min(1, max(0, (time - record.sent_us) / whole))
    along = 20 * size + (way - 40 * size) * gone
    x, y = ax + ux * along - uy * 3, ay + uy * along + ux * 3
    if dropped:
        return f'<path d="M{n(x - 3)} {n(y - 3)}l6 6m0 -6l-6 6" stroke="{DANGER}" stroke-width="1.6"/>'
    shape, term = message_class(record, answers)
    if shape == "entry":
        fill, ink = term_fill(term)
        return (
            f'<rect x="{n(x - 5)}" y="{n(y - 5)}" width="10" height="10" rx="1.8" fill="{fill}" stroke="{INK}"/>'
            + text(x, y + 2.9, str(term), 8, ink, 700, "middle")
        )
    tip = (
        f"M{n(x + ux * 8.5)} {n(y + uy * 8.5)}L{n(x + ux * 5 - uy * 2.2)} {n(y + uy * 5 + ux * 2.2)}"
        f"L{n(x + ux * 5 + uy * 2.2)} {n(y + uy * 5 - ux * 2.2)}z"
    )
    arrow = f'<path d="{tip}" fill="{INK}"/>'
    if shape in ("reply", "yes", "no"):
        sign = (
            ""
            if shape == "reply"
            else f"M{n(x - 2)} {n(y)}h4" + (f"M{n(x)} {n(y - 2)}v4" if shape == "yes" else "")
        )
        return (
            f'<circle cx="{n(x)}" cy="{n(y)}" r="3.9" fill="{PAPER}" stroke="{INK}" stroke-width="1.2"/>'
            + (f'<path d="{sign}" stroke="{INK}" stroke-width="1.1"/>' if sign else "")
            + arrow
        )
    return (
        f'<circle cx="{n(x)}" cy="{n(y)}" r="{2.2 if shape == "heartbeat" else 3.4}" fill="{INK}"/>' + arrow
    )


def _logs(scene: Scene) -> str:
    """A row of cells per server: term and payload; solid where committed, dashed where not."""
    longest = max((len(scene.nodes[s].log) for s in scene.servers), default=0)
    if not longest or len(scene.servers) > 9:
        return ""
    first = max(0, longest - CELLS)
    left, pitch = 220, 140 / max(5, len(scene.servers))
    top = RING_Y - pitch * len(scene.servers) / 2
    parts = [
        text(left + (i - first) * CELL_W + CELL_W / 2, top - 3, str(i + 1), 8.5, INK2, anchor="middle")
        for i in range(first, longest)
    ]
    for row, node in enumerate(scene.servers):
        state, y = scene.nodes[node], top + row * pitch + (pitch - CELL_H) / 2
        committed = state.fields.get("commit_index") or 0
        parts.append(text(left - 8, y + 10, node, 9.5, INK2, 600, "end"))
        for index in range(first, len(state.log)):
            term = term_of(state.log[index])
            fill, ink = term_fill(term)
            x, dash = (
                left + (index - first) * CELL_W,
                "" if index < committed else ' stroke-dasharray="2.4 1.8"',
            )
            parts.append(
                f'<rect x="{n(x + 1)}" y="{n(y)}" width="{CELL_W - 2}" height="{CELL_H}" rx="2" fill="{fill}" stroke="{INK}"{dash}>'
                f"<title>{escape(payload(state.log[index]))}</title></rect>"
            )
            if index < committed:
                parts.append(
                    f'<path d="M{n(x + 2)} {n(y + CELL_H + 0.6)}h{CELL_W - 4}" stroke="{INK}" stroke-width="1.8"/>'
                )
            parts.append(text(x + CELL_W / 2, y + 9.8, str(term or ""), 9, ink, 700, "middle"))
    return "".join(parts)
