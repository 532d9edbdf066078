"""Chooses the moments of a run that tell its story."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .scene import Reading
from .words import Said

FRAMES, FRAMES_OF_MANY, MANY = 6, 4, 9      # a picture of many servers has many marks, so there are fewer
OTHERS = frozenset({"invoke", "complete", "deliver", "timer"})
BREAKS = frozenset({"crash", "partition", "pause", "lose_disk", "turn_traitor", "drop"})
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
    faults = [e for e in facts["interesting"] if events[e].kind not in OTHERS]
    broken = [e for e in faults if events[e].kind in BREAKS]
    broken = broken or [e for e in faults if events[e].kind not in MENDS]
    elected = [station["event"] for station in facts["stations"]]
    after = [e for e in elected if not broken or e > broken[0]]
    weight: dict[int, int] = {}

    def add(found: Sequence[int], worth: int, least: int = 1) -> None:
        """Gives the first event a worth, and the others less."""
        for rank, event in enumerate(found):
            weight[event] = max(weight.get(event, 0), worth if rank == 0 else least)

    told = list(says)
    add(also, 9, 8)
    add(broken, 8, 3)
    if broken and elected and elected[0] < broken[0]:
        add([broken[0] - 1], 6)                           # how it was before
    add(after or elected, 7, 3)
    add(after[::-1], 6)
    add([e for e in told if " throws away " in says[e][0]], 6)
    add([e for e in told if says[e][0].startswith("Two leaders")], 5)
    found = [e for e in told if " is found: " in says[e][0]]
    add(found[::-1] if not broken else found, 5, 2)
    add([e for e in told if " move from " in says[e][0] or " moves from " in says[e][0]], 5, 2)
    for point in (broken[:1], after[:1]):
        add([c["event"] for c in facts["commits"] if not point or c["event"] > point[0]], 5)
    if after:
        start = broken[0] if broken else -1
        votes = [e for e in told if start < e < after[0] and " votes for term" in says[e][0]]
        add(votes[::-1], 4)
    add([e for e in faults if events[e].kind in MENDS], 4)
    add([told[0], told[-1]] if told else [], 1)
    if len(weight) < 4:                    # a protocol of which little is known: spread what there is to say
        told = told or [0, len(events) - 1]
        add([told[i * (len(told) - 1) // 3] for i in range(4)], 1)
    most = FRAMES if len(reading.trace.servers) <= MANY else FRAMES_OF_MANY
    return sorted(sorted(weight, key=lambda event: (-weight[event], event))[:most])
