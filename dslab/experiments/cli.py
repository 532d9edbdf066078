"""`python -m dslab experiment NAME`: measures what a paper measured, beside the paper's numbers."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import storage_cli
from .arguments import Parser, whole
from .election_figures import RANGES, plot_elections, range_text, table, usual_trials
from .raft_elections import Elections, FreshTimers, LeaderCrash, Setup, measure

RECOMMENDED = (150, 300)  # ms, Raft paper section 9.3
LONGEST_TIMEOUT = 60_000  # ms


def timeouts(text: str) -> tuple[float, float]:
    """A range of election timeouts, such as 150-300."""
    try:
        low, high = (float(part) for part in text.split("-"))
    except ValueError:
        low = high = 0.0
    if not 1 <= low <= high <= LONGEST_TIMEOUT:
        accepted = f"a range LOW-HIGH of ms from 1 to {LONGEST_TIMEOUT:,}, such as 150-300"
        raise argparse.ArgumentTypeError(f"{text!r} is not {accepted}")
    return (int(low) if low.is_integer() else low, int(high) if high.is_integer() else high)


def build_parser() -> Parser:
    """The parser of all experiments."""
    parser = Parser(prog="python -m dslab experiment", description="Measure what a paper measured.")
    experiments = parser.add_subparsers(dest="experiment", metavar="NAME", required=True)
    about = "Raft paper, Figure 16: time without a leader"
    raft = experiments.add_parser("raft-elections", help=about, description=f"{about}; a table and a picture.")
    raft.add_argument(
        "--preset",
        choices=("figure-16", "wan"),
        default="figure-16",
        help="a leader crashes in a local network (default), or the dissertation's wide-area simulation",
    )
    raft.add_argument(
        "--timeouts",
        type=timeouts,
        nargs="+",
        metavar="LOW-HIGH",
        help="election timeouts, ms (default: all published ranges; with --json 150-300; wan: 300-600)",
    )
    raft.add_argument(
        "--trials",
        type=whole(1, 1_000_000),
        metavar="N",
        help="per range (default: as published, 1000, wan 10000)",
    )
    raft.add_argument("--seed", type=whole(0, 2**63), default=1, metavar="S", help="(default: 1)")
    raft.add_argument(
        "--servers", type=whole(3, 25), default=5, metavar="N", help="before the crash (default: 5)"
    )
    raft.add_argument(
        "--failed", type=whole(0, 12), metavar="N", help="wan: how many servers are down (default: 1)"
    )
    output = raft.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object, draw nothing")
    output.add_argument(
        "--out",
        type=Path,
        default=Path("raft-elections.png"),
        metavar="FILE",
        help="where the picture goes (default: raft-elections.png)",
    )
    raft.set_defaults(run=raft_elections, parser=raft)

    about = "time without a leader on real processes, beside the simulator's prediction"
    live = experiments.add_parser("live-elections", help=about, description=f"Measure {about}.")
    live.add_argument(
        "--kills", type=whole(1, 1000), default=20, metavar="N", help="of the leader, by SIGKILL (default: 20)"
    )
    live.add_argument(
        "--servers", type=whole(3, 9), default=5, metavar="N", help="one process each (default: 5)"
    )
    live.add_argument(
        "--timeouts", type=timeouts, default=RECOMMENDED, metavar="LOW-HIGH", help="ms (default: 150-300)"
    )
    live.add_argument("--seed", type=whole(0, 2**63), default=1, metavar="S", help="(default: 1)")
    live.add_argument("--json", action="store_true", help="print one JSON object")
    live.set_defaults(run=live_elections, parser=live)
    storage_cli.add_parsers(experiments)
    return parser


def setups(chosen: argparse.Namespace) -> list[Setup]:
    """What to measure; ends with status 2 where the arguments contradict each other."""
    wan = chosen.preset == "wan"
    ranges = chosen.timeouts or ([(300, 600)] if wan else [RECOMMENDED] if chosen.json else list(RANGES))
    if chosen.json and len(ranges) > 1:
        chosen.parser.error("--json measures one range of --timeouts at a time")
    if not wan:
        if chosen.failed is not None:
            chosen.parser.error("--failed goes with --preset wan; in figure-16 it is the leader that fails")
        return [LeaderCrash(pair, chosen.servers) for pair in ranges]
    failed, most = 1 if chosen.failed is None else chosen.failed, (chosen.servers - 1) // 2
    if failed > most:
        chosen.parser.error(
            f"--failed {failed} leaves no majority of {chosen.servers} servers; at most {most} may be down"
        )
    return [FreshTimers(pair, chosen.servers, failed) for pair in ranges]


def trials_of(setup: Setup) -> int:
    """As many as were published."""
    return 10_000 if isinstance(setup, FreshTimers) else usual_trials(setup.timeouts, 1000)


def raft_elections(chosen: argparse.Namespace) -> int:
    """Runs the experiment; returns the exit status."""
    from tqdm import tqdm

    planned = setups(chosen)
    if not chosen.json and not chosen.out.resolve().parent.is_dir():
        chosen.parser.error(
            f"--out {chosen.out}: there is no folder {chosen.out.resolve().parent}; make it first"
        )
    if chosen.out.is_dir():
        chosen.parser.error(f"--out {chosen.out} is a folder; name a file in it")
    measured: list[Elections] = []
    for setup in planned:
        trials = chosen.trials or trials_of(setup)
        with tqdm(
            total=trials,
            desc=range_text(setup.timeouts),
            unit=" trials",
            leave=False,
            disable=not sys.stderr.isatty(),
        ) as bar:
            try:
                elections = measure(setup, trials=trials, seed=chosen.seed, progress=bar.update)
            except KeyboardInterrupt:
                if not measured:
                    raise
                break
        measured.append(elections)
        if elections.stopped:
            break
    stopped = len(measured) < len(planned) or measured[-1].stopped
    if chosen.json:
        print(json.dumps(as_dict(measured[0])))
    else:
        print(table(measured))
        print(f"Picture: {save(measured, chosen)}")
    if stopped:
        done = sum(len(elections.times) for elections in measured)
        print(f"Stopped: the numbers are of the {done:,} trials that were done.", file=sys.stderr)
    return 130 if stopped else 0


def live_elections(chosen: argparse.Namespace) -> int:
    """Runs the experiment on processes; returns the exit status."""
    from tqdm import tqdm

    from dslab.live.downtime import compare_with_processes
    from dslab.protocols import raft

    timing = {"election_timeout": chosen.timeouts, "heartbeat": chosen.timeouts[0] / 2}
    system = raft.cluster(chosen.servers, **timing)
    with tqdm(total=chosen.kills, unit=" kills", leave=False, disable=not sys.stderr.isatty()) as bar:
        downtimes, _ = compare_with_processes(system, kills=chosen.kills, seed=chosen.seed, progress=bar.update)
    if chosen.json:
        inputs = {name: getattr(chosen, name) for name in ("experiment", "servers", "timeouts", "seed")}
        print(json.dumps({**inputs, **downtimes.summary(), "note": downtimes.note}))
    else:
        print(downtimes)
    return 0


def as_dict(elections: Elections) -> dict[str, Any]:
    """Inputs and numbers of a measurement, for JSON; times in ms."""
    setup = elections.setup
    wan = isinstance(setup, FreshTimers)
    return {
        "experiment": "raft-elections",
        "preset": "wan" if wan else "figure-16",
        "timeouts": list(setup.timeouts),
        "servers": setup.servers,
        "failed": setup.failed if wan else 1,
        "seed": elections.seed,
        "trials": len(elections.times),
        "limit": elections.limit,
        "without_leader": elections.given_up,
        **elections.summary(),
    }


def save(measured: Sequence[Elections], chosen: argparse.Namespace) -> Path:
    """Draws the picture into --out and returns its path; ends with status 2 where that cannot be written."""
    import matplotlib

    matplotlib.use("agg")  # no window
    picture = io.BytesIO()
    plot_elections(measured).savefig(picture, format="png", dpi=120, metadata={"Software": None})
    try:
        chosen.out.write_bytes(picture.getvalue())
    except OSError as error:
        chosen.parser.error(f"--out {chosen.out}: {error.strerror}; choose another file")
    return chosen.out


def main(argv: Sequence[str]) -> int:
    """Runs one experiment from its command line; returns the exit status."""
    chosen = build_parser().parse_args(argv)
    return chosen.run(chosen)
