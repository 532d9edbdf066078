"""A run in four to six pictures and one paragraph: what a notebook shows where no browser plays the widget."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from .gloss import reply_types
from .narrate import narrate
from .picture import DANGER, INK, INK2, LINE, MARK, PAPER, SANS, cluster, n, roundel, term_fill, text
from .scene import Reading, Scene, scene_at
from .survey import survey
from .words import Said, number_word, plain_text

FRAMES, WIDTH, FRAME_W, FRAME_H, PAD = 6, 960, 306, 246, 14


class Storyboard(NamedTuple):
    """The picture and the paragraph that says the same."""

    svg: str
    text: str


def storyboard(
    reading: Reading, title: str | None = None, also: Sequence[int] = (), ended: str | None = None
) -> Storyboard:
    """Draws the key moments of a run.

    Args:
        reading: the trace, read.
        title: a heading; the system's name if not given.
        also: events that must be shown, such as violations.
        ended: why the run stopped early.

    Returns:
        A Storyboard; equal traces give equal bytes.
    """
    facts, says = survey(reading), narrate(reading)
    frames = key_frames(reading, facts, says, also)
    captions = [_caption(reading, facts, says, event) for event in frames]
    heading = title or f"{reading.trace.system}, seed {reading.trace.seed}"
    paragraph = _paragraph(reading, facts, frames, captions, ended)
    return Storyboard(_svg(reading, facts, frames, captions, heading, paragraph), paragraph)


def key_frames(
    reading: Reading, facts: dict[str, Any], says: dict[int, Said], also: Sequence[int] = ()
) -> list[int]:
    """The events to draw, in order: before the first fault, the faults, votes, elections, commits, and what was mended."""
    events = reading.events
    if not events:
        return []
    weight: dict[int, int] = dict.fromkeys(also, 9)
    starts = {fault["from_us"] for fault in facts["faults"]}
    ends = {fault["to_us"] for fault in facts["faults"]}
    broken = [
        e
        for e in facts["interesting"]
        if events[e].time_us in starts and events[e].kind not in ("invoke", "complete")
    ]
    mended = [e for e in facts["interesting"] if events[e].time_us in ends and events[e].kind in MENDS]
    elected = [station["event"] for station in facts["stations"]]
    if broken:
        if broken[0] - 1 in range(len(events)) and facts["stations"] and elected[0] < broken[0]:
            weight[broken[0] - 1] = 6
        for rank, event in enumerate(broken):
            weight[event] = max(weight.get(event, 0), 8 if rank == 0 else 5)
    later = [e for e in elected if not broken or e > broken[0]]
    for rank, event in enumerate(later or elected[:1]):
        weight[event] = max(weight.get(event, 0), 7 if rank == 0 else 4)
        votes = [e for e in says if e < event and " votes for term" in says[e][0]]
        if votes and votes[-1] > (broken[0] if broken and rank == 0 and later else -1):
            weight.setdefault(votes[-1], 4 if rank == 0 else 1)
    for point in [broken[:1], later[:1]]:
        after = next((c["event"] for c in facts["commits"] if not point or c["event"] > point[0]), None)
        if after is not None:
            weight[after] = max(weight.get(after, 0), 5)
    for event in mended:
        weight.setdefault(event, 4)
    for event in list(says)[:1] + list(says)[-1:]:
        weight.setdefault(event, 1)
    if len(weight) < 4:  # a protocol of which we know little: spread what there is to say
        told = list(says) or [0, len(events) - 1]
        weight.update(
            {
                told[i * (len(told) - 1) // 3]: 1
                for i in range(4)
                if told[i * (len(told) - 1) // 3] not in weight
            }
        )
    best = sorted(weight, key=lambda event: (-weight[event], event))[:FRAMES]
    return sorted(best)


MENDS = ("restart", "resume", "heal", "mend", "link")


def _caption(reading: Reading, facts: dict[str, Any], says: dict[int, Said], event: int) -> Said:
    if event in says:
        return says[event]
    scene = scene_at(reading, event)
    leaders = scene.leaders()
    committed = max((c["index"] for c in facts["commits"] if c["event"] <= event), default=0)
    entries = f"{committed} {'entry is' if committed == 1 else 'entries are'} committed"
    if leaders:
        return (
            f"n leads term {{term:{leaders[0].term}}}".replace("n", leaders[0].id, 1),
            f"Just before the first fault; {entries}.",
        )
    earlier = [e for e in says if e <= event]
    return says[earlier[-1]] if earlier else ("Nothing has happened yet", "")


def _paragraph(
    reading: Reading, facts: dict[str, Any], frames: list[int], captions: list[Said], ended: str | None
) -> str:
    trace = reading.trace
    servers, clients = len(trace.servers), len(trace.clients)
    sentences = [
        f"{trace.system}, {servers} server{'s' * (servers != 1)}"
        + (f" and {clients} client{'s' * (clients != 1)}" if clients else "")
        + f", seed {trace.seed}, {trace.until_us / 1e6:g} s, {len(trace.schedule)} action{'s' * (len(trace.schedule) != 1)}."
    ]
    for event, (headline, _) in zip(frames, captions):
        sentences.append(f"{reading.events[event].time_us / 1e6:.3f} s: {plain_text(headline)}.")
    if facts["stations"] or facts["commits"]:
        leaders = scene_at(reading, len(reading.events) - 1).leaders()
        committed = facts["commits"][-1]["index"] if facts["commits"] else 0
        leads = f"{leaders[0].id} leads term {leaders[0].term}" if leaders else "nobody leads"
        sentences.append(
            f"At the end {leads} and {number_word(committed)} {'entry is' if committed == 1 else 'entries are'} committed."
        )
    if ended:
        sentences.append(f"The run stopped early: {ended}.")
    return " ".join(sentences)


def _svg(
    reading: Reading,
    facts: dict[str, Any],
    frames: list[int],
    captions: list[Said],
    heading: str,
    paragraph: str,
) -> str:
    columns, answers = 3 if len(frames) != 4 else 2, reply_types(reading)
    columns = max(1, min(columns, len(frames)))
    gap = (WIDTH - 2 * PAD - columns * FRAME_W) / max(1, columns - 1) if columns == 3 else 24
    rows = -(-len(frames) // columns)
    body = [text(PAD + 4, 30, heading, 15, INK, 650)]
    for number, event in enumerate(frames):
        x = PAD + (number % columns) * (FRAME_W + gap)
        y = 46 + (number // columns) * (FRAME_H + 10)
        scene = scene_at(reading, event)
        body.append(
            f'<g transform="translate({n(x)} {n(y)})">'
            + _frame(reading, scene, event, number + 1, captions[number], answers)
            + "</g>"
        )
    width = WIDTH if columns == 3 else 2 * PAD + columns * FRAME_W + (columns - 1) * gap
    top = 46 + rows * (FRAME_H + 10)
    lane, height = _timeline(reading, facts, frames, top, width)
    body.append(lane)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {n(width)} {n(height)}" width="{n(width)}" height="{n(height)}" '
        f'style="max-width:100%;height:auto" role="img" font-family="{SANS}"><title>{escape(paragraph, quote=False)}</title>'
        f'<rect x="0.5" y="0.5" width="{n(width - 1)}" height="{n(height - 1)}" rx="8" fill="{PAPER}" stroke="{LINE}"/>'
        + "".join(body)
        + "</svg>"
    )


def _frame(
    reading: Reading, scene: Scene, event: int, number: int, caption: Said, answers: frozenset[str]
) -> str:
    headline, reason = caption
    lines = _wrap(reason, 50)[:2]
    return "".join(
        [
            _disc(12, 12, number),
            text(28, 16, f"{reading.events[event].time_us / 1e6:.3f} s", 11, INK2),
            text(4, 38, headline, 13, INK, 650),
            *(text(4, 54 + 14 * i, line, 11, INK2) for i, line in enumerate(lines)),
            '<g transform="translate(0 74)">',
            cluster(reading, scene, event, answers),
            "</g>",
        ]
    )


def _wrap(words: str, width: int) -> list[str]:
    lines = [""]
    for word in words.split(" "):
        if lines[-1] and len(plain_text(lines[-1] + " " + word)) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _disc(x: float, y: float, number: int) -> str:
    return f'<circle cx="{n(x)}" cy="{n(y)}" r="8.5" fill="{INK}"/>' + text(
        x, y + 3.8, str(number), 10.5, PAPER, 700, "middle"
    )


def _timeline(
    reading: Reading, facts: dict[str, Any], frames: list[int], top: float, width: float
) -> tuple[str, float]:
    """The run as a line: who led, in which term, what was broken, and where the pictures were taken."""
    left, right, end = 30, width - 30, max(1, reading.trace.until_us)
    times = [reading.events[event].time_us for event in frames]
    first, last = min(times, default=0), max(times, default=end)
    first, last = max(0, first - (last - first) // 10), min(end, last + (last - first) // 10 + 100_000)

    def x(us: int) -> float:
        return left + (right - left) * (min(max(us, first), last) - first) / max(1, last - first)

    y = top + 34
    parts = [
        f'<path d="M{n(left)} {n(y)}H{n(right)}" stroke="{MARK}" stroke-width="2" stroke-dasharray="2 4"/>'
    ]
    for span in facts["leaders"]:
        a, b = x(span["from_us"]), x(end if span["to_us"] is None else span["to_us"])
        if b > a:
            parts.append(
                f'<rect x="{n(a)}" y="{n(y - 3.5)}" width="{n(b - a)}" height="7" fill="{term_fill(span["term"])[0]}" stroke="{INK}"/>'
            )
    row = y + 14
    for fault in facts["faults"][:4]:
        a, b = x(fault["from_us"]), x(end if fault["to_us"] is None else fault["to_us"])
        if b > a:
            label = text(a + 5, row + 9.5, fault["label"], 10, INK2)
            parts.append(
                f'<rect x="{n(a)}" y="{n(row)}" width="{n(b - a)}" height="13" rx="2" fill="{PAPER}" stroke="{DANGER}" '
                f'stroke-dasharray="3 2"/>{label}'
            )
            row += 16
    parts += [
        roundel(x(station["us"]), y, 7.5, station["term"])
        for station in facts["stations"]
        if first <= station["us"] <= last
    ]
    places = _apart([x(us) for us in times], 20, left, right)
    for number, (place, us) in enumerate(zip(places, times), start=1):
        parts.append(
            f'<path d="M{n(place)} {n(top + 16)}L{n(x(us))} {n(y - 4)}" stroke="{MARK}"/>'
            + _disc(place, top + 8, number)
        )
    parts.append(text(left, row + 12, f"{first / 1e6:.3f} s", 10.5, INK2))
    parts.append(text(right, row + 12, f"{last / 1e6:.3f} s", 10.5, INK2, anchor="end"))
    return "".join(parts), row + 24


def _apart(places: list[float], least: float, left: float, right: float) -> list[float]:
    """The same places, in order, moved until none covers another."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + least) if moved else max(place, left))
    limit = right
    for i in range(len(moved) - 1, -1, -1):
        moved[i] = min(moved[i], limit)
        limit = moved[i] - least
    return moved
