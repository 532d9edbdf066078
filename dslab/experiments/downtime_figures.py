"""Times without a leader, from processes and from the simulator, as one row of marks for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
MARKS = ("o", "s", "^", "D")


def figure_downtimes(sources: Mapping[str, Sequence[float] | str], title: str = "") -> Any:
    """Draws a row of marks for each source, the median as a line.

    Args:
        sources: {what was killed: ms without a leader, one per kill; or a sentence that says why there are none}.
        title: above the figure.

    Returns:
        A matplotlib Figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 0.9 + 0.55 * len(sources)), layout="constrained")
    axes = figure.subplots()
    for row, (name, times) in enumerate(sources.items()):
        if isinstance(times, str):
            axes.text(0.02, row, f"{name}: {times}", transform=axes.get_yaxis_transform(), va="center", fontsize=8,
                      wrap=True)
            continue
        ordered = sorted(times)
        heights = [row + 0.3 * (i / max(1, len(ordered) - 1) - 0.5) for i in range(len(ordered))]
        axes.plot(ordered, heights, MARKS[row % len(MARKS)], color=COLOURS[row % len(COLOURS)], markersize=4,
                  markerfacecolor="none")
        middle = median(ordered)
        axes.vlines(middle, row - 0.3, row + 0.3, color="black")
        axes.annotate(f"{middle:.0f}", (middle, row - 0.3), ha="center", va="bottom", fontsize=8)
    axes.set_yticks(range(len(sources)), [name if not isinstance(t, str) else "" for name, t in sources.items()])
    axes.set_ylim(len(sources) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel("ms without a leader (line: median)")
    axes.set_title(title, fontsize=10)
    return figure
