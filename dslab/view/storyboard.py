"""A run in four to six pictures and one paragraph: what a notebook shows without a browser."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from .gloss import reply_types
from .keyframes import key_frames
from .linemap import line_map
from .narrate import narrate
from .picture import cluster
from .scene import NodeScene, Reading, Scene, scene_at
from .survey import survey
from .svg import INK, INK2, LINE, PAPER, SANS, disc, n, rect, text
from .words import Said, plain_text

WIDTH, FRAME_W, FRAME_H, PAD, HEAD = 960, 306, 246, 14, 46


class Storyboard(NamedTuple):
    """The picture, and the paragraph that says the same."""

    svg: str
    text: str


def storyboard(
    reading: Reading, title: str | None = None, also: Sequence[int] = (), note: str = ""
) -> Storyboard:
    """Draws the key moments of a run.

    Args:
        reading: the trace, read.
        title: a heading; the system's name and the seed if not given.
        also: events that must be shown, such as violations.
        note: a sentence to add, such as why the run stopped early.

    Returns:
        A Storyboard; equal traces give equal bytes.
    """
    facts, says = survey(reading), narrate(reading)
    frames = key_frames(reading, facts, says, also)
    scenes = [scene_at(reading, event) for event in frames]
    captions = [_caption(facts, says, event, scene) for event, scene in zip(frames, scenes, strict=True)]
    paragraph = _paragraph(reading, facts, frames, captions, note)
    columns = max(1, min(len(frames), 2 if len(frames) == 4 else 3))
    gap = (WIDTH - 2 * PAD - 3 * FRAME_W) / 2
    width = 2 * PAD + columns * FRAME_W + (columns - 1) * gap
    answers = reply_types(reading)
    body = [text(PAD + 4, 30, title or f"{reading.trace.system}, seed {reading.trace.seed}", 15, INK, 650)]
    for number, (event, scene, caption) in enumerate(zip(frames, scenes, captions, strict=True)):
        x, y = PAD + (number % columns) * (FRAME_W + gap), HEAD + (number // columns) * (FRAME_H + 10)
        time = reading.events[event].time_us
        body += [f'<g transform="translate({n(x)} {n(y)})">', _heading(number + 1, time, caption),
                 '<g transform="translate(0 74)">', cluster(reading, scene, event, answers), "</g></g>"]
    line, height = line_map(reading, facts, frames, HEAD + -(-len(frames) // columns) * (FRAME_H + 10), width)
    return Storyboard(_sheet(width, height, paragraph, "".join([*body, line])), paragraph)


def _sheet(width: float, height: float, paragraph: str, body: str) -> str:
    """Paints its own paper, so that it can be read on a dark page too."""
    size = f'viewBox="0 0 {n(width)} {n(height)}" width="{n(width)}" height="{n(height)}"'
    style = f'style="max-width:100%;height:auto" role="img" font-family="{SANS}"'
    title = f"<title>{escape(paragraph, quote=False)}</title>"
    return (f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{title}'
            + rect(0.5, 0.5, width - 1, height - 1, PAPER, LINE, rx=8) + body + "</svg>")


def _heading(number: int, time_us: int, caption: Said) -> str:
    headline, reason = caption
    lines = [text(4, 54 + 14 * i, line, 11, INK2) for i, line in enumerate(_wrap(reason, 50)[:2])]
    time = text(28, 16, f"{time_us / 1e6:.3f} s", 11, INK2)
    return "".join([disc(12, 12, number), time, text(4, 38, headline, 13, INK, 650), *lines])


def _wrap(words: str, width: int) -> list[str]:
    lines = [""]
    for word in words.split(" "):
        if lines[-1] and len(plain_text(f"{lines[-1]} {word}")) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _caption(facts: dict[str, Any], says: dict[int, Said], event: int, scene: Scene) -> Said:
    if event in says:
        return says[event]
    leaders = scene.leaders()
    if leaders:
        committed = max((c["index"] for c in facts["commits"] if c["event"] <= event), default=0)
        return _leads(leaders[0]), f"Just before the first fault; {_entries(committed)} committed."
    earlier = [e for e in says if e <= event]
    return says[earlier[-1]] if earlier else ("Nothing has happened yet", "")


def _leads(leader: NodeScene) -> str:
    return f"{leader.id} leads term {{term:{leader.term}}}" if leader.term else f"{leader.id} leads"


def _paragraph(
    reading: Reading, facts: dict[str, Any], frames: list[int], captions: list[Said], note: str
) -> str:
    trace = reading.trace
    clients = f" and {_count(len(trace.clients), 'client')}" if trace.clients else ""
    what = f"{trace.system}, {_count(len(trace.servers), 'server')}{clients}, seed {trace.seed}"
    sentences = [f"{what}, {trace.until_us / 1e6:g} s, {_count(len(trace.schedule), 'action')}."]
    sentences += [f"{reading.events[event].time_us / 1e6:.3f} s: {plain_text(headline)}."
                  for event, (headline, _) in zip(frames, captions, strict=True)]
    if facts["stations"] or facts["commits"]:
        leaders = scene_at(reading, len(reading.events) - 1).leaders()
        leads = plain_text(_leads(leaders[0])) if leaders else "nobody leads"
        committed = facts["commits"][-1]["index"] if facts["commits"] else 0
        sentences.append(f"At the end {leads} and {_entries(committed)} committed.")
    return " ".join([*sentences, *([note] if note else [])])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _entries(number: int) -> str:
    return "1 entry is" if number == 1 else f"{number or 'no'} entries are"
