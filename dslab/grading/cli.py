"""`python -m dslab grade`: points for hand-ins, or where a student's own notebook stands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from dslab.grading.arguments import Parser
from dslab.grading.assignment import Assignment, read_assignment
from dslab.grading.grade import Result, grade_file, unreadable
from dslab.grading.handins import Found, file_names, find_hand_ins
from dslab.grading.intake import HandInError
from dslab.grading.reports import write_reports
from dslab.grading.run import Running
from dslab.grading.standing import standing


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
    parser.add_argument("--workers", type=_whole, default=1, metavar="N", help="hand-ins at the same time")
    parser.add_argument(
        "--timeout", type=_seconds, default=60.0, metavar="SECONDS", help="for one cell (default: 60)"
    )
    return parser


@contextmanager
def _quiet_bar(total: int) -> Iterator[tqdm]:
    with tqdm(total=total, unit="hand-in", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
        yield bar


def _collected(futures: Iterable[Future[Result]], bar: tqdm, results: list[Result]) -> None:
    for future in as_completed(futures):
        results.append(future.result())
        bar.update()


def grade_all(
    assignment: Assignment, found: Sequence[Found], out: Path, workers: int, timeout: float
) -> tuple[list[Result], bool]:
    """Every hand-in's result, and whether all were graded: Ctrl-C keeps what is finished."""
    names = file_names([one.name for one in found])
    running = Running()
    results: list[Result] = []

    def one(hand_in: Found) -> Result:
        if hand_in.problem:
            return unreadable(assignment, hand_in.name, hand_in.problem)
        junit = out / "junit" / f"{names[hand_in.name]}.xml"
        try:
            return grade_file(
                assignment, hand_in.path, hand_in.name, timeout=timeout, junit=junit, running=running
            )
        except Exception as error:  # whatever it is, the others are graded
            problem = f"grading stopped with {type(error).__name__}: {error}; grade this one again by itself"
            return unreadable(assignment, hand_in.name, problem)

    with ThreadPoolExecutor(workers) as pool, _quiet_bar(len(found)) as bar:
        futures = [pool.submit(one, hand_in) for hand_in in found]
        try:
            _collected(futures, bar, results)
        except KeyboardInterrupt:
            for future in futures:
                future.cancel()
            finished = [future for future in futures if future.done() and not future.cancelled()]
            running.stop()
            return [future.result() for future in finished], False
    return results, True


def _class(options: argparse.Namespace) -> int:
    if options.out is None:
        print("grade --assignment needs --out FOLDER, where the reports go", file=sys.stderr)
        return 2
    try:
        assignment = read_assignment(options.assignment)
    except HandInError as error:
        print(f"{options.assignment}: {error}", file=sys.stderr)
        return 2
    found = find_hand_ins(options.hand_ins)
    if not found:
        print("there is no .ipynb file in what was given: name the hand-ins' folder", file=sys.stderr)
        return 2
    try:
        (options.out / "junit").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"{options.out}: no reports can be written there ({error.strerror})", file=sys.stderr)
        return 2
    results, complete = grade_all(assignment, found, options.out, options.workers, options.timeout)
    write_reports(assignment, results, options.out)
    for result in sorted(results, key=lambda one: one.name):
        problem = f"  not graded: {result.problem}" if result.problem else ""
        print(f"{result.name}: {result.points} of {result.max_points}{problem}")
    print(f"reports: {options.out / 'summary.html'}")
    if not complete:
        print(f"stopped: {len(results)} of {len(found)} hand-ins are in the reports", file=sys.stderr)
        return 130
    return 0


def _own(options: argparse.Namespace) -> int:
    """Prints where each notebook stands; 1 if one of them could not be read."""
    readable = True
    for found in find_hand_ins(options.hand_ins):
        try:
            if found.problem:
                raise HandInError(found.problem)
            lines = standing(found.path, timeout=options.timeout)
        except HandInError as error:
            print(f"{found.path}: {error}", file=sys.stderr)
            readable = False
            continue
        print(f"{found.path}")
        print("\n".join(lines))
    return 0 if readable else 1


def main(argv: Sequence[str] | None = None) -> int:
    """Grades; returns 0, 1 if an own notebook cannot be read, 2 after a wrong argument, 130 on Ctrl-C."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = _parser().parse_args(arguments[1:] if arguments[:1] == ["grade"] else arguments)
    if options.assignment is not None:
        return _class(options)
    if options.out is not None:
        print("grade --out needs --assignment INSTRUCTOR.ipynb, against which to grade", file=sys.stderr)
        return 2
    try:
        return _own(options)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
