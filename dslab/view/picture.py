"""Draws a cluster at one moment: nodes on a ring, messages on their way, logs beside it."""

from __future__ import annotations

import math
from typing import Any

from dslab.sim import MessageRecord

from .gloss import message_class
from .ringpicture import ring
from .rings import bits_of
from .scene import LEADING, STANDING, NodeScene, Reading, Scene, granted, term_of
from .svg import DANGER, INK, INK2, LINE, MARK, PAPER, WASH2, circle, label, n, path, rect, term_fill, text

RING_X, RING_Y, RING_R, NODE_R = 98, 90, 55, 15
LOG_X, LOG_H, CELL_W, CELL_H, CELLS = 220, 140, 14, 13, 6
MOST_MESSAGES, MOST_LOGS, MOST_LINKED = 24, 9, 9

Places = dict[str, tuple[float, float, float]]      # server -> x, y, scale


def cluster(reading: Reading, scene: Scene, event: int, answers: frozenset[str]) -> str:
    """The ring and, for protocols with logs, the logs beside it; about 300 × 175.

    Args:
        reading: the run.
        scene: the state after the event.
        event: which one; messages are drawn where they are at its time.
        answers: message types that are replies.
    """
    if any(bits_of(scene.nodes[server].fields) is not None for server in scene.servers):
        return ring(scene, reading.events[event].node)
    places = _places(scene)
    nodes = (_node(scene, scene.nodes[server], *places[server]) for server in scene.servers)
    messages = _messages(reading, event, places, answers)
    return "".join([*_links(scene, places), *messages, *nodes, *_logs(scene)])


def _places(scene: Scene) -> Places:
    count = len(scene.servers)
    size = 1 if count <= 7 else max(0.25, 7 / count)
    radius = RING_R if count > 1 else 0
    angles = [2 * math.pi * i / count - math.pi / 2 for i in range(count)]
    return {server: (RING_X + radius * math.cos(angle), RING_Y + radius * math.sin(angle), size)
            for server, angle in zip(scene.servers, angles, strict=True)}


def _links(scene: Scene, places: Places) -> list[str]:
    if len(places) > MOST_LINKED:
        return []
    whole, cut = "", ""
    for i, a in enumerate(scene.servers):
        for b in scene.servers[i + 1:]:
            line = f"M{n(places[a][0])} {n(places[a][1])}L{n(places[b][0])} {n(places[b][1])}"
            if scene.is_cut(a, b) or scene.is_cut(b, a):
                cut += line
            else:
                whole += line
    return [path(whole, LINE)] * bool(whole) + [path(cut, DANGER, dash="2 4")] * bool(cut)


def _node(scene: Scene, node: NodeScene, x: float, y: float, size: float) -> str:
    r, named = NODE_R * size, size > 0.5
    parts = [_name(scene, node, x, y)] if named else []
    if node.status == "crashed":
        a, b, c, d = n(x - 0.42 * r), n(x + 0.42 * r), n(y - 0.42 * r), n(y + 0.42 * r)
        cross = path(f"M{a} {c}L{b} {d}M{b} {c}L{a} {d}", DANGER, 2.4)
        return "".join([circle(x, y, r, WASH2, MARK), cross, *parts])
    fill, ink = term_fill(node.term)
    parts.append(_star(x, y, r, fill) if node.traitor else circle(x, y, r, fill, width=1.3))
    if node.role in LEADING or node.role in STANDING:
        parts.append(circle(x, y, r + 3.6 * size, width=1.7, dash="3.6 2.3" if node.role in STANDING else ""))
    if named:
        letter = str(node.role)[0].upper() if node.role else ""
        parts.append(label(x, y, f"{letter}{node.term or ''}", 10.5, ink))
    return "".join(parts)


def _star(x: float, y: float, r: float, fill: str) -> str:
    """A traitor: eight points, as on the stage."""
    corners = [(r * (26 / 24 if i % 2 == 0 else 20 / 24), i * math.pi / 8) for i in range(16)]
    line = "L".join(f"{n(x + long * math.sin(a))} {n(y - long * math.cos(a))}" for long, a in corners)
    return path(f"M{line}z", width=1.3, fill=fill)


def _name(scene: Scene, node: NodeScene, x: float, y: float) -> str:
    """A node's name, and what its shape does not say, on its outer side."""
    more = ""
    if node.status == "paused":
        more = "paused"
    elif node.traitor:
        more = "traitor"
    elif node.role in STANDING and node.status == "up":
        more = f"{granted(node.fields.get('votes'))} of {len(scene.servers)}"
    if abs(x - RING_X) < 8 or y > RING_Y + 20:
        above = y <= RING_Y and len(scene.servers) > 1
        name = f"{node.id}, {more}" if more else node.id
        return text(x, y - 23 if above else y + 30, name, 10.5, INK, 600, "middle")
    side, anchor = (22, "start") if x > RING_X else (-22, "end")
    name = text(x + side, y + 4, node.id, 10.5, INK, 600, anchor)
    return name + text(x + side, y + 16, more, 9.5, INK2, 600, anchor) if more else name


def _messages(reading: Reading, event: int, places: Places, answers: frozenset[str]) -> list[str]:
    """What is in the air after the event, and what it dropped."""
    time, drawn = reading.events[event].time_us, []
    for record in reading.messages:
        if record.sent_event is not None and record.sent_event > event:
            break
        end = record.end_event
        dropped = end == event and record.fate == "dropped"
        flying = end is None or end > event or dropped
        if flying and record.source in places and record.target in places and len(drawn) < MOST_MESSAGES:
            drawn.append(_message(record, time, dropped, places, answers))
    return drawn


def _message(record: MessageRecord, time: int, dropped: bool, places: Places, answers: frozenset[str]) -> str:
    (ax, ay, size), (bx, by, _) = places[record.source], places[record.target]
    way = math.hypot(bx - ax, by - ay) or 1
    ux, uy = (bx - ax) / way, (by - ay) / way
    gone = min(1, max(0, (time - record.sent_us) / max(1, record.due_us - record.sent_us)))
    along = 20 * size + (way - 40 * size) * gone
    # messages keep to one side of their way, so that a reply does not hide a request
    x, y = ax + ux * along - uy * 3, ay + uy * along + ux * 3
    if dropped:
        return path(f"M{n(x - 3)} {n(y - 3)}l6 6m0 -6l-6 6", DANGER, 1.6)
    shape, term = message_class(record, answers)
    if shape == "forged":
        return path(f"M{n(x)} {n(y - 5.5)}L{n(x + 5)} {n(y + 3.5)}h-10z", width=1.2, fill=PAPER)
    if shape == "entry":
        fill, ink = term_fill(term)
        return rect(x - 5, y - 5, 10, 10, fill) + label(x, y, term, 8, ink)
    left = f"{n(x + ux * 5 - uy * 2.2)} {n(y + uy * 5 + ux * 2.2)}"
    right = f"{n(x + ux * 5 + uy * 2.2)} {n(y + uy * 5 - ux * 2.2)}"
    arrow = path(f"M{n(x + ux * 8.5)} {n(y + uy * 8.5)}L{left}L{right}z", "", fill=INK)
    if shape in ("request", "heartbeat"):
        return circle(x, y, 2.2 if shape == "heartbeat" else 3.4, INK, "") + arrow
    sign = {"yes": f"M{n(x - 2)} {n(y)}h4M{n(x)} {n(y - 2)}v4", "no": f"M{n(x - 2)} {n(y)}h4"}.get(shape)
    return circle(x, y, 3.9, PAPER, width=1.2) + (path(sign, width=1.1) if sign else "") + arrow


def _logs(scene: Scene) -> list[str]:
    """A row of cells per server: solid with a thick lower edge where committed, dashed where not."""
    nodes: list[Any] = [scene.nodes[server] for server in scene.servers]
    longest = max((node.last_index for node in nodes), default=0)
    if not longest or len(nodes) > MOST_LOGS:
        return []
    first, pitch = max(0, longest - CELLS), LOG_H / max(5, len(nodes))
    top = RING_Y - pitch * len(nodes) / 2
    parts = [text(LOG_X + (i - first + 0.5) * CELL_W, top - 3, str(i + 1), 8.5, INK2, anchor="middle")
             for i in range(first, longest)]
    for row, node in enumerate(nodes):
        y = top + row * pitch + (pitch - CELL_H) / 2
        committed = node.fields.get("commit_index") or 0
        parts.append(text(LOG_X - 8, y + 10, node.id, 9.5, INK2, 600, "end"))
        if node.base > first:                    # a snapshot: one block in place of its entries
            width = (node.base - first) * CELL_W
            parts.append(rect(LOG_X + 1, y, width - 2, CELL_H, PAPER))
            parts.append(path(f"M{n(LOG_X + 2)} {n(y + CELL_H + 0.6)}h{n(width - 4)}", width=1.8))
            parts.append(text(LOG_X + width / 2, y + CELL_H / 2 + 3, f"1–{node.base}", 8.5, INK, 600, anchor="middle"))
        for index, entry in enumerate(node.log[max(0, first - node.base):], start=max(first, node.base)):
            x, (fill, ink) = LOG_X + (index - first) * CELL_W, term_fill(term_of(entry))
            dash = "" if index < committed else "2.4 1.8"
            parts.append(rect(x + 1, y, CELL_W - 2, CELL_H, fill, dash=dash))
            if index < committed:
                parts.append(path(f"M{n(x + 2)} {n(y + CELL_H + 0.6)}h{CELL_W - 4}", width=1.8))
            parts.append(label(x + CELL_W / 2, y + CELL_H / 2, term_of(entry) or "", 9, ink))
    return parts
