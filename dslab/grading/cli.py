"""`python -m dslab grade`: points for hand-ins, or where a student's own notebook stands."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from dslab.grading import sandbox, worker
from dslab.grading.arguments import Parser
from dslab.grading.assignment import read_assignment
from dslab.grading.classroom import ClassroomError, Cluster, Graded, Here, Machine, grade_class
from dslab.grading.handins import Found, find_hand_ins
from dslab.grading.intake import HandInError
from dslab.grading.pages import points_text
from dslab.grading.processes import CallError, DiedError, Processes
from dslab.grading.reports import write_reports
from dslab.grading.standing import standing

_MOST_WORKERS = 8  # each has a kernel and a student's process: beyond that it is for who asks for it


class UsageError(Exception):
    """The command cannot be carried out; the text is one sentence."""


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def _workers() -> int:
    """As many as processors may be used, within reason."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _MOST_WORKERS)


def _parser() -> Parser:
    parser = Parser(
        prog="python -m dslab grade",
        description="With --assignment: points and reports for hand-ins. Without: where yours stands.",
    )
    parser.add_argument("hand_ins", nargs="+", type=Path, metavar="HAND_IN_OR_FOLDER")
    parser.add_argument(
        "--assignment", type=Path, metavar="INSTRUCTOR.ipynb", help="from build --instructor, or for nbgrader"
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the reports go")
    places = parser.add_mutually_exclusive_group()
    places.add_argument(
        "--workers", type=_whole, metavar="N", help=f"hand-ins at the same time (default: {_workers()}, by processors)"
    )
    places.add_argument("--scheduler", metavar="ADDRESS", help="grade on the Dask cluster with this scheduler")
    parser.add_argument(
        "--timeout", type=_seconds, default=10.0, metavar="SECONDS", help="for an answer in one cell (default: 10)"
    )
    parser.add_argument(
        "--allow-reduced", action="store_true", help="grade also where hand-ins cannot be isolated fully"
    )
    return parser


@contextmanager
def _stoppable() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise KeyboardInterrupt, once: what is then put away is not interrupted again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop(*_: Any) -> NoReturn:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _layers(machine: Machine, allow_reduced: bool) -> tuple[str, ...]:
    """The layers of the sandbox that work.

    Raises:
        UsageError: not all of them do, and that was not allowed.
    """
    layers = machine.layers()
    working = tuple(layer.name for layer in layers if layer.works)
    if len(working) < len(layers) and not allow_reduced:
        lacking = sandbox.isolation(working).removeprefix("reduced: ")
        why = next(layer.why for layer in layers if not layer.works).rstrip(".")
        raise UsageError(
            f"hand-ins cannot be isolated fully: {lacking} ({why}); use another machine, or give --allow-reduced"
        )
    return working


def _graded(options: argparse.Namespace, found: Sequence[Found]) -> int:
    """Grades a class and writes its reports."""
    assignment = read_assignment(options.assignment)
    options.out.mkdir(parents=True, exist_ok=True)
    with Cluster(options.scheduler) if options.scheduler else Here(options.workers or _workers()) as machine:
        layers = _layers(machine, options.allow_reduced)
        with tqdm(total=len(found), unit="hand-in", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
            graded = grade_class(
                assignment, found, options.out, machine,
                timeout=options.timeout, layers=layers, on_finished=bar.update,
            )  # fmt: skip
    write_reports(
        assignment, graded.results, options.out, isolation=sandbox.isolation(layers), seconds=graded.seconds
    )
    return _said(graded, options.out, len(found))


def _said(graded: Graded, out: Path, count: int) -> int:
    for result in sorted((result["json"] for result in graded.results), key=lambda one: one["name"]):
        problem = f"  not graded: {' '.join(result['problem'].split())}" if "problem" in result else ""
        points, most = points_text(result["points"]), points_text(result["max_points"])
        print(f"{result['name']}: {points} of {most}{problem}")
    print(f"reports: {out / 'summary.html'}")
    if graded.stopped:
        print(f"{graded.stopped}: {len(graded.results)} of {count} hand-ins are in the reports", file=sys.stderr)
        return 130 if graded.interrupted else 1
    return 0


def _class(options: argparse.Namespace) -> int:
    """Grades a class; what cannot be done is one line."""
    try:
        if options.out is None:
            raise UsageError("grade --assignment needs --out FOLDER, where the reports go")
        found = find_hand_ins(options.hand_ins)
        if not found:
            raise UsageError("there is no .ipynb file in what was given: name the hand-ins' folder")
        return _graded(options, found)
    except HandInError as error:
        print(f"{options.assignment}: {error}", file=sys.stderr)
    except (UsageError, ClassroomError) as error:
        print(error, file=sys.stderr)
    except BlockingIOError:
        print(f"{options.out}: another run writes there; wait for it, or give another folder", file=sys.stderr)
    except OSError as error:
        print(f"{options.out}: no reports can be written there ({error.strerror or error})", file=sys.stderr)
    return 2


def _standing(path: Path, timeout: float) -> tuple[list[str], str]:
    """Where a notebook stands, or why that cannot be said."""
    try:
        return standing(path, timeout=timeout), ""
    except HandInError as error:
        return [], str(error)


def _own(options: argparse.Namespace) -> int:
    """Prints where each notebook stands; 1 if one of them could not be read."""
    readable = True
    processes = Processes(worker.close)
    try:
        for found in find_hand_ins(options.hand_ins):
            lines, problem = [], found.problem
            if found.entry is not None:
                problem = "this is a zip file: unpack it and give the .ipynb file"
            if not problem:
                try:
                    lines, problem = processes.call(_standing, found.path, options.timeout)
                except (CallError, DiedError) as error:
                    problem = f"it could not be run ({error or 'its process ended'}): restart and try again"
            if problem:
                print(f"{found.path}: {problem}", file=sys.stderr)
                readable = False
                continue
            print(f"{found.path}")
            print("\n".join(lines))
    finally:
        processes.stop()
    return 0 if readable else 1


def main(argv: Sequence[str] | None = None) -> int:
    """Grades.

    Returns:
        0; 1 if an own notebook cannot be read or a cluster is lost; 2 if it cannot begin; 130 after Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = _parser().parse_args(arguments[1:] if arguments[:1] == ["grade"] else arguments)
    if options.assignment is None and (options.out is not None or options.scheduler is not None):
        print("grade --out and --scheduler need --assignment INSTRUCTOR.ipynb, against which to grade", file=sys.stderr)
        return 2
    if not hasattr(os, "fork"):
        print("grading needs Linux, macOS or WSL 2; the checks in the notebook itself run everywhere", file=sys.stderr)
        return 2
    try:
        with _stoppable():
            return _own(options) if options.assignment is None else _class(options)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
