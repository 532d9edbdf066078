"""Draws a ring of keys at one moment: nodes at their places, and the newest lookup with its hops in numbers."""

from __future__ import annotations

import math
from typing import Any

from .rings import bits_of, distance, key_text, lookups_of, positions_of
from .scene import NodeScene, Scene
from .svg import DANGER, INK, INK2, LINE, MARK, PAPER, circle, label, n, path, text

CX, CY, R = 150, 92, 58
NAMED_UP_TO, MARKS_UP_TO = 16, 300


def ring(scene: Scene, node: str | None) -> str:
    """The ring, about 300 × 175.

    Args:
        scene: the state after an event.
        node: whose event it was; a lookup of its own is drawn before those of others.
    """
    servers = [scene.nodes[s] for s in scene.servers if bits_of(scene.nodes[s].fields) is not None]
    lookup = _lookup(servers, node)
    places = {server.id: _place(server, lookup) for server in servers}
    asker, hops = (lookup[0].id, _hops(lookup[1], places)) if lookup else (None, [])
    owner = lookup[1].get("owner") if lookup else None
    parts = [circle(CX, CY, R, "none", LINE, width=1.2)]
    parts += [_arrow(places[a], places[b]) for a, b in zip([asker, *hops], hops, strict=False)]
    named: dict[str, str] = {}
    if lookup:
        parts.append(_key(lookup))
        named = {asker: f"{asker} asks", **{hop: hop for hop in hops}}
        if owner in places:
            named[owner] = f"{owner} owns"
    if len(servers) <= NAMED_UP_TO:
        named = {**{server.id: server.id for server in servers}, **named}
    for server in servers:
        for position in positions_of(server.fields):
            part = position / 2 ** (bits_of(server.fields) or 1)
            parts.append(_mark(server, part, server.id in (asker, *hops), len(servers)))
    for number, (a, b) in enumerate(zip([asker, *hops], hops, strict=False), start=1):
        x, y = _middle(places[a], places[b])
        parts.append(circle(x, y, 6, INK, PAPER) + label(x, y, number, 8.5, PAPER))
    return "".join([*parts, *_names(named, places)])


def _lookup(servers: list[NodeScene], node: str | None) -> tuple[NodeScene, dict[str, Any]] | None:
    """The newest lookup of the given node, else one that is under way."""
    found = [(server, item) for server in servers for item in lookups_of(server.fields).values()]
    own = [pair for pair in found if pair[0].id == node]
    going = [pair for pair in found if pair[1].get("state") == "going"]
    return (own or going or [None])[-1]


def _place(server: NodeScene, lookup: Any) -> float:
    """The part of the ring at which a node stands; of several tokens the one nearest before the key."""
    positions = positions_of(server.fields)
    if lookup is not None and len(positions) > 1:
        positions = sorted(positions, key=lambda at: distance(at, lookup[1]["key"], server.fields))
    return positions[0] / 2 ** (bits_of(server.fields) or 1)


def _hops(lookup: dict[str, Any], places: dict[str, float]) -> list[str]:
    path, asking = ([x for x in lookup.get(f) or [] if isinstance(x, str)] if isinstance(lookup.get(f), list) else []
                    for f in ("path", "asking"))
    last = [lookup["owner"]] if isinstance(lookup.get("owner"), str) else asking
    hops = [*path[1:], *(name for name in last if name not in path)]
    return [name for name in hops if name in places]


def _point(part: float, out: float = 0) -> tuple[float, float]:
    angle = 2 * math.pi * part - math.pi / 2
    return CX + (R + out) * math.cos(angle), CY + (R + out) * math.sin(angle)


def _bend(a: float, b: float) -> tuple[float, float]:
    """The control point of a hop, as on the stage."""
    crossed = (b - a) % 1
    return _point(a + crossed / 2, -R * min(1, 2.4 * crossed + 0.16))


def _middle(a: float, b: float) -> tuple[float, float]:
    (ax, ay), (cx, cy), (bx, by) = _point(a), _bend(a, b), _point(b)
    return (ax + 2 * cx + bx) / 4, (ay + 2 * cy + by) / 4 - 1


def _arrow(a: float, b: float) -> str:
    (ax, ay), (cx, cy), (bx, by) = _point(a), _bend(a, b), _point(b)
    way = math.hypot(bx - cx, by - cy) or 1
    ux, uy = (bx - cx) / way, (by - cy) / way
    x, y = bx - 4 * ux, by - 4 * uy
    left = f"{n(x - 6 * ux - 3 * uy)} {n(y - 6 * uy + 3 * ux)}"
    right = f"{n(x - 6 * ux + 3 * uy)} {n(y - 6 * uy - 3 * ux)}"
    line = path(f"M{n(ax)} {n(ay)}Q{n(cx)} {n(cy)} {n(x)} {n(y)}", width=1.5)
    return line + path(f"M{n(x)} {n(y)}L{left}L{right}z", "", fill=INK)


def _mark(server: NodeScene, part: float, on_path: bool, count: int) -> str:
    x, y = _point(part)
    if server.status == "crashed":
        return path(f"M{n(x - 3)} {n(y - 3)}l6 6m0 -6l-6 6", DANGER, 1.6)
    if server.status == "absent":
        return circle(x, y, 2.6, PAPER, MARK, width=1, dash="1.5 1.5")
    if on_path:
        return circle(x, y, 3.8, INK)
    if count > MARKS_UP_TO:
        (ax, ay), (bx, by) = _point(part, -2), _point(part, 2)
        return path(f"M{n(ax)} {n(ay)}L{n(bx)} {n(by)}", MARK, 0.6)
    return circle(x, y, 2.8 if count < 60 else 1.6, PAPER, MARK, width=1.1)


def _key(lookup: tuple[NodeScene, dict[str, Any]]) -> str:
    server, item = lookup
    part = item["key"] / 2 ** (bits_of(server.fields) or 1)
    (x, y), (ax, ay), (bx, by) = _point(part, 3), _point(part + 0.012, 9), _point(part - 0.012, 9)
    words = text(6, 12, f"key {key_text(item['key'], server.fields)}", 9.5, INK2, 600)
    return path(f"M{n(x)} {n(y)}L{n(ax)} {n(ay)}L{n(bx)} {n(by)}z", "", fill=INK) + words


def _names(named: dict[str, str], places: dict[str, float]) -> list[str]:
    """Names outside the ring; one that would cover an earlier one is left out, those of the path come first."""
    drawn: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []
    for node in sorted(named, key=lambda node: named[node] == node):
        words = named[node]
        (x, y), wide = _point(places[node], 13), 5.6 * len(words)
        anchor = "start" if x > CX + 20 else "end" if x < CX - 20 else "middle"
        left = x if anchor == "start" else x - wide if anchor == "end" else x - wide / 2
        box = (left, left + wide, y - 6, y + 5)
        if any(box[0] < b[1] and b[0] < box[1] and box[2] < b[3] and b[2] < box[3] for b in boxes):
            continue
        boxes.append(box)
        strong = words != node
        drawn.append(text(x, y + 3, words, 9.5, INK if strong else INK2, 600 if strong else 400, anchor))
    return drawn
