"""The storage experiments of `python -m dslab experiment`: their arguments, tables and pictures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .arguments import whole
from .storage_experiments import EXPERIMENTS, MILLION, Experiment, Row


def add_parsers(experiments: Any) -> None:
    """Adds the storage experiments to the parsers of all experiments."""
    for name, experiment in EXPERIMENTS.items():
        about = f"{experiment.what}. Of several values of an option each is measured, in a row of its own."
        parser = experiments.add_parser(name, help=experiment.what, description=about)
        for option, (kind, usual, what) in experiment.options.items():
            shown = " ".join(str(value) for value in usual)
            parser.add_argument(
                f"--{option}",
                type=kind,
                nargs="+",
                default=list(usual),
                metavar="VALUE",
                help=f"{what} (default: {shown})",
            )
        number_of, what = experiment.trials
        what = f"{what} (default: {number_of})"
        parser.add_argument("--trials", type=whole(1, 10 * MILLION), default=number_of, metavar="N", help=what)
        parser.add_argument("--seed", type=whole(0, 2**63), default=1, metavar="S", help="(default: 1)")
        output = parser.add_mutually_exclusive_group()
        output.add_argument("--json", action="store_true", help="print one JSON object, draw nothing")
        if experiment.figure:
            output.add_argument("--out", type=Path, metavar="FILE", help="draw the usual picture into this file too")
        parser.set_defaults(run=run, parser=parser)


def run(chosen: argparse.Namespace) -> int:
    """Measures every combination of the options; returns the exit status."""
    from tqdm import tqdm

    experiment = EXPERIMENTS[chosen.experiment]
    cases = _combinations({name: getattr(chosen, name) for name in experiment.options})
    if chosen.experiment == "pbs":
        cases = _fitting(cases, chosen)
    out = getattr(chosen, "out", None)
    if out is not None and (out.is_dir() or not out.resolve().parent.is_dir()):
        chosen.parser.error(f"--out {out}: name a file in a folder that exists")
    rows: list[Row] = []
    stopped = False
    for case in tqdm(cases, unit=" rows", leave=False, disable=not sys.stderr.isatty()):
        try:
            rows.append({**case, **experiment.measure(**case, seed=chosen.seed, trials=chosen.trials)})
        except KeyboardInterrupt:
            if not rows:
                raise
            stopped = True
            break
    if chosen.json:
        inputs = {"experiment": chosen.experiment, "seed": chosen.seed, "trials": chosen.trials}
        print(json.dumps({**inputs, **rows[0]} if len(cases) == 1 else {**inputs, "rows": rows}))
    else:
        print(table(rows))
        if out is not None and not stopped:
            print(f"Picture: {_draw(experiment, chosen)}")
    if stopped:
        print(f"Stopped: these are {len(rows)} of {len(cases)} rows.", file=sys.stderr)
    return 130 if stopped else 0


def _combinations(options: dict[str, list[Any]]) -> list[Row]:
    """Every choice of one value for each option, the last option changing fastest."""
    rows: list[Row] = [{}]
    for name, values in options.items():
        rows = [{**row, name: value} for row in rows for value in dict.fromkeys(values)]
    return rows


def _fitting(cases: list[Row], chosen: argparse.Namespace) -> list[Row]:
    """Quorums that N replicas have; ends with status 2 where there is none."""
    fitting = [case for case in cases if case["r"] <= case["n"] and case["w"] <= case["n"]]
    if not fitting:
        chosen.parser.error(f"--r and --w must be at most --n, which is {max(chosen.n)}")
    return fitting


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned columns; the paper's numbers are those in brackets."""
    cells = [_cells(row) for row in rows]
    names = list(dict.fromkeys(name for row in cells for name in row))
    widths = {name: max(len(name), *(len(row.get(name, "")) for row in cells)) for name in names}
    lines = [
        "  ".join(text.rjust(widths[name]) for name, text in row.items())
        for row in [{name: name for name in names}, *({name: row.get(name, "") for name in names} for row in cells)]
    ]
    if any("paper" in row for row in rows):
        lines.append("In brackets the paper's numbers.")
    return "\n".join(lines)


def _cells(row: Row) -> dict[str, str]:
    """A row's numbers as texts; nested ones by the names of both."""
    paper = row.get("paper", {})
    flat: dict[str, str] = {}
    for name, value in row.items():
        if name == "paper":
            continue
        inner = value.items() if isinstance(value, dict) else [(name, value)]
        for last, number_ in inner:
            text = f"{number_:,g}" if isinstance(number_, float) else str(number_)
            nested = f"{name}.{last}" if isinstance(value, dict) else last
            bracket = f" ({paper[last]:g})" if last in paper and name != "stabilised" else ""
            flat[nested] = text + bracket
    return flat


def _draw(experiment: Experiment, chosen: argparse.Namespace) -> Path:
    """The experiment's usual figure in a file; ends with status 2 where that cannot be written."""
    import matplotlib

    matplotlib.use("agg")  # no window
    from . import storage_figures

    figure = getattr(storage_figures, str(experiment.figure))(seed=chosen.seed)
    try:
        figure.savefig(chosen.out, dpi=120, format="png", metadata={"Software": None})
    except OSError as error:
        chosen.parser.error(f"--out {chosen.out}: {error.strerror}; choose another file")
    return chosen.out


__all__ = ["add_parsers", "run", "table"]
