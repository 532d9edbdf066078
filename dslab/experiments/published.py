"""The papers' own numbers, which our figures and tables are set against; the files are in `notebooks/data`."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "notebooks" / "data"


@lru_cache
def points(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a file of published numbers.

    Args:
        name: of the file, without ".csv".

    Returns:
        One dict per row; none where this copy of the course lacks the file.
    """
    file = DATA / f"{name}.csv"
    if not file.exists():
        return ()
    with file.open(encoding="utf-8", newline="") as lines:
        next(lines)  # the citation
        return tuple(csv.DictReader(lines))


def chord(experiment: str, statistic: str) -> dict[float, float]:
    """One curve of the Chord papers, {parameter: value}, in order."""
    rows = [row for row in points("chord") if (row["experiment"], row["statistic"]) == (experiment, statistic)]
    return {float(row["parameter"]): float(row["value"]) for row in rows}


def pbs(trace: str) -> dict[tuple[int, int], dict[str, float]]:
    """A trace's column of table 4, {(R, W): {"read_ms": ..., "write_ms": ..., "t_visibility_ms": ...}}."""
    names = ("read_ms", "write_ms", "t_visibility_ms")
    return {
        (int(row["r"]), int(row["w"])): {name: float(row[name]) for name in names}
        for row in points("pbs-table-4")
        if row["trace"] == trace
    }


def rumours(direction: str, interest: str) -> dict[int, dict[str, float]]:
    """One of the tables on rumours, {k: {"residue": ..., "messages": ...}}."""
    return {
        int(row["k"]): {"residue": float(row["residue"]), "messages": float(row["messages"])}
        for row in points("demers-rumours")
        if (row["direction"], row["interest"]) == (direction, interest)
    }


__all__ = ["chord", "pbs", "points", "rumours"]
