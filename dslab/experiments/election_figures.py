"""Figure 16 of the Raft paper: our elections as lines over the paper's points, and the same as a table."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .raft_elections import Elections, FreshTimers, LeaderCrash, Setup, measure

POINTS = Path(__file__).resolve().parents[2] / "notebooks" / "data" / "raft-figure-16.csv"
RANGES = ((150, 150), (150, 155), (150, 200), (150, 300), (50, 100), (12, 24))  # ms, as published
TRIALS_WITHOUT_CHANCE = 100  # of the paper, where all timeouts are equal: each such trial takes long
COLUMNS = ("median", "mean", "p90", "p99", "max")
# One look per curve, told apart without colour too; the colours are M. Okabe's and K. Ito's (2008).
LOOKS = (
    ("#0072B2", "-", "o"),
    ("#D55E00", "--", "s"),
    ("#009E73", "-.", "^"),
    ("#CC79A7", ":", "D"),
    ("#56B4E9", (0, (5, 1, 1, 1, 1, 1)), "v"),
    ("#000000", (0, (1, 1)), "X"),
    ("#E69F00", (0, (8, 2)), "P"),
)


@dataclass(frozen=True)
class Published:
    """One curve of the paper.

    Attributes:
        numbers: {"mean": ms, "median": ms, ...}.
        points: (ms, percent of the trials that were shorter), in order.
    """

    numbers: dict[str, float]
    points: tuple[tuple[float, float], ...]


def published(file: Path | str = POINTS) -> dict[Setup, Published]:
    """The paper's curves by what was measured; empty where this copy of the course lacks the file."""
    file = Path(file)
    if not file.exists():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        next(lines)  # the citation
        rows: dict[Setup, dict[str, float]] = {}
        for row in csv.DictReader(lines):
            low, high = map(int, row["timeouts_ms"].split("-"))
            setup = FreshTimers() if row["experiment"] == "wan-1-failed" else LeaderCrash((low, high))
            rows.setdefault(setup, {})[row["statistic"]] = float(row["ms"])
    curves = {}
    for setup, numbers in rows.items():
        points = [
            (numbers["min"], 0.0),
            *((ms, float(name[1:])) for name, ms in numbers.items() if name[0] == "p"),
            (numbers["max"], 100.0),
        ]
        curves[setup] = Published({**numbers, "median": numbers["p50"]}, tuple(points))
    return curves


def range_text(timeouts: tuple[float, float]) -> str:
    """A range of timeouts as the paper writes it: "150-155"."""
    return f"{timeouts[0]:g}-{timeouts[1]:g}"


def table(measured: Iterable[Elections]) -> str:
    """A line per measurement; the paper's numbers in brackets, where the paper gives them."""
    paper = published()
    lines = [f"{'timeouts':>9}{'trials':>8}" + "".join(f"{name:>19}" for name in COLUMNS)]
    notes = []
    for elections in measured:
        ours = elections.summary()
        theirs = paper[elections.setup].numbers if elections.setup in paper else {}
        cells = []
        for name in COLUMNS:
            beyond = ">" if ours[name] >= elections.limit else ""
            bracket = f" ({theirs[name]:,.0f})" if name in theirs else ""
            cells.append(f"{beyond}{ours[name]:,.0f}{bracket}".rjust(19))
        lines.append(f"{range_text(elections.setup.timeouts):>9}{len(elections.times):>8,}{''.join(cells)}")
        if elections.given_up:
            notes.append(
                f"{range_text(elections.setup.timeouts)}: {elections.given_up:,} of {len(elections.times):,} "
                f"trials had no leader within {elections.limit / 1000:g} s and count as that long, so the "
                "mean is too small."
            )
    return "\n".join([*lines, "Times without a leader in ms; in brackets the paper's.", *notes])


def plot_elections(measured: Sequence[Elections]) -> Any:
    """Cumulative distributions: lines are measured, markers are the paper's.

    Args:
        measured: what to draw. Two panels, as in the paper, where ranges (T, 2T) stand beside others.

    Returns:
        A matplotlib Figure.
    """
    import matplotlib.pyplot as plt

    paper = published()
    looks = {id(elections): LOOKS[i % len(LOOKS)] for i, elections in enumerate(measured)}
    panels = _panels(measured)
    with plt.style.context("default"):
        figure, axes = plt.subplots(
            len(panels), 1, figsize=(7.5, 3.4 * len(panels) + 0.4), squeeze=False, layout="constrained"
        )
        for axis, (title, curves, scale) in zip(axes[:, 0], panels, strict=True):
            for elections in curves:
                _draw(axis, elections, paper.get(elections.setup), *looks[id(elections)])
            axis.set(
                title=title,
                xscale=scale,
                xlabel="time without a leader (ms)",
                ylim=(-2, 102),
                ylabel="trials that took at most\nthis long (%)",
            )
            if scale == "log":
                axis.xaxis.set_major_formatter("{x:,.0f}")
            axis.grid(color="#dddddd", linewidth=0.6)
            axis.legend(title="timeouts (ms)", loc="lower right", framealpha=1, handlelength=4)
        figure.supxlabel("Lines: this simulation. Markers: Ongaro 2014.", fontsize=9, x=0.02, ha="left")
        plt.close(figure)  # whoever asked for it shows it, once
    return figure


def _panels(measured: Sequence[Elections]) -> list[tuple[str, list[Elections], str]]:
    """(title, curves, scale of the time axis) of each panel."""
    doubled = [e for e in measured if e.setup.timeouts[1] == 2 * e.setup.timeouts[0]]
    others = [e for e in measured if e.setup.timeouts[1] != 2 * e.setup.timeouts[0]]
    if not others:
        return [("", doubled, "linear")]
    least = {e.setup.timeouts[0] for e in others}
    first = [e for e in measured if e in others or e.setup.timeouts[0] in least]
    if len(doubled) < 2:
        return [("", list(measured), "log")]
    return [
        ("More randomness ends split votes", first, "log"),
        ("Shorter timeouts shorten the gap", doubled, "linear"),
    ]


def _draw(
    axis: Any, elections: Elections, paper: Published | None, colour: str, style: Any, marker: str
) -> None:
    times = sorted(t for t in elections.times if t < elections.limit)
    shares = [100 * i / len(elections.times) for i in range(len(times) + 1)]
    label = range_text(elections.setup.timeouts)
    if times:
        axis.step(
            [times[0], *times], shares, where="post", color=colour, linestyle=style, linewidth=1.6, zorder=2
        )
    if paper is not None:
        axis.plot(
            *zip(*paper.points, strict=True),
            color=colour,
            marker=marker,
            markersize=5,
            linestyle="none",
            markerfacecolor="white",
            zorder=3,
        )
    axis.plot(
        [],
        [],
        color=colour,
        linestyle=style,
        linewidth=1.6,
        label=label,
        markerfacecolor="white",
        marker=marker if paper else None,
        markersize=5,
    )


def figure_16(
    *,
    trials: int = 200,
    seed: int = 1,
    ranges: Iterable[tuple[float, float]] = RANGES,
    progress: Callable[[int], object] | None = None,
) -> Any:
    """Measures and draws all published ranges of Figure 16.

    Args:
        trials: per range; at most 100 where all timeouts are equal, as in the paper.
        seed: any integer.
        ranges: (smallest, largest) timeout of each curve, ms.
        progress: called with the number of trials done since the last call.

    Returns:
        A matplotlib Figure.
    """
    return plot_elections(
        [
            measure(
                LeaderCrash(timeouts), trials=usual_trials(timeouts, trials), seed=seed, progress=progress
            )
            for timeouts in ranges
        ]
    )


def usual_trials(timeouts: tuple[float, float], trials: int) -> int:
    """Fewer where all timeouts are equal."""
    return min(trials, TRIALS_WITHOUT_CHANCE) if timeouts[0] == timeouts[1] else trials
