"""Chooses the moments of a run that tell its story."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .scene import Reading
from .words import Said

FRAMES = 6
OTHERS = frozenset({"invoke", "complete", "deliver", "timer"})
MENDS = frozenset({"restart", "resume", "heal", "mend", "link"})


def key_frames(
    reading: Reading, facts: dict[str, Any], says: dict[int, Said], also: Sequence[int] = ()
) -> list[int]:
    """The events to draw: before the first fault, faults, votes, elections, commits, what was mended.

    Args:
        reading: the run. facts: its survey. says: its narration.
        also: events that must be among them, such as violations.
    """
    events = reading.events
    if not events:
        return []
    starts = {fault["from_us"] for fault in facts["faults"]}
    ends = {fault["to_us"] for fault in facts["faults"]}
    faults = [e for e in facts["interesting"] if events[e].kind not in OTHERS]
    broken = [e for e in faults if events[e].time_us in starts or events[e].kind not in MENDS]
    mended = [e for e in faults if events[e].time_us in ends and events[e].kind in MENDS]
    elected = [station["event"] for station in facts["stations"]]
    after = [e for e in elected if not broken or e > broken[0]]

    weight = dict.fromkeys([*list(says)[:1], *list(says)[-1:]], 1)
    weight.update(dict.fromkeys(mended, 4))
    weight.update(dict.fromkeys(broken, 5))
    weight.update(dict.fromkeys(after or elected[:1], 4))
    if broken:
        weight[broken[0]] = 8
        if elected and elected[0] < broken[0]:
            weight[broken[0] - 1] = 6                     # how it was before
    if after:
        weight[after[0]] = 7
        votes = [e for e in says if e < after[0] and " votes for term" in says[e][0]]
        if votes and votes[-1] > (broken[0] if broken else -1):
            weight[votes[-1]] = 4
    for point in (broken[:1], after[:1]):
        commit = next((c["event"] for c in facts["commits"] if not point or c["event"] > point[0]), None)
        if commit is not None:
            weight[commit] = 5
    weight.update(dict.fromkeys(also, 9))
    if len(weight) < 4:                    # a protocol of which little is known: spread what there is to say
        told = list(says) or [0, len(events) - 1]
        weight.update({told[i * (len(told) - 1) // 3]: 1 for i in range(4)})
    return sorted(sorted(weight, key=lambda event: (-weight[event], event))[:FRAMES])
