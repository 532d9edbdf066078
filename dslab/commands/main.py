"""The command line: reads the arguments, makes the environment where a command needs it, hands over."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from dslab.commands.environment import SetupError, enter, say

PACKAGE = Path(__file__).resolve().parents[1]

# Commands with argument lists of their own: the module of main(argv), what it needs beyond the standard
# library, what it does.
HANDED_OVER = {
    "experiment": ("dslab.experiments.cli", ("numpy",), "measure what a paper measured: a table, or --json"),
    "explore": ("dslab.commands.explore", (), "search every order of events for one that breaks a property"),
    "check": ("dslab.commands.check", (), "judge a recorded history: is it consistent?"),
    "build": (
        "dslab.authoring.cli",
        ("jupytext", "nbclient"),
        "make the student notebooks from notebooks/source",
    ),
    "grade": (
        "dslab.grading.cli",
        ("nbformat", "nbval"),
        "run the checks on hand-ins, or on your own notebook",
    ),
    "release": (
        "dslab.grading.release",
        ("nbformat",),
        "make the students' version of an assignment",
    ),
    "gradebook": (
        "dslab.grading.gradebook",
        ("jinja2",),
        "fill the points into the gradebook that your learning platform exported",
    ),
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line that says what is accepted."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        if message.startswith("unrecognized arguments"):
            message += f"; `{self.prog} --help` lists what is accepted"
        self.exit(2, f"{self.prog}: {message}\n")


def port(text: str) -> int:
    """A TCP port from the command line."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a whole number from 1 to 65535")
    return int(text)


def present(command: str) -> bool:
    """True if this copy of the course has the module behind a handed-over command. Imports nothing."""
    return PACKAGE.parent.joinpath(*HANDED_OVER[command][0].split(".")).with_suffix(".py").is_file()


def build_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(prog="python -m dslab", description="Distributed systems in Jupyter.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    lab = commands.add_parser(
        "lab",
        help="set up if need be, then open JupyterLab on the first notebook",
        description="Set up if need be, then open JupyterLab on the first notebook. Ctrl-C stops it.",
    )
    lab.add_argument(
        "--port", type=port, metavar="N", help="serve on this port; else the first free one from 8888"
    )
    lab.add_argument("--no-browser", action="store_true", help="only print the address")

    test = commands.add_parser(
        "test",
        help="set up if need be, then run every test that this machine can run",
        usage="%(prog)s [--all] [pytest arguments]",
        allow_abbrev=False,
        description="Without pytest arguments: ruff, mypy, the JavaScript tests, pytest, notebooks included.",
    )
    test.add_argument(
        "--all", action="store_true", help="what this machine cannot run is a failure, not left out"
    )

    commands.add_parser(
        "doctor",
        help="list the optional parts: found, version, why not, how to get them",
        description="List the optional parts of the course: found, version, why not, how to get them.",
    )

    run = commands.add_parser(
        "run",
        help="run a system once and say what happened",
        description="Run a system of dslab.protocols once and say what happened.",
    )
    add_run_arguments(run)

    for name, (_, _, text) in HANDED_OVER.items():
        if present(name):
            commands.add_parser(name, help=text, add_help=False)
    return parser


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`."""
    parser.add_argument("system", metavar="SYSTEM", help="a protocol of dslab.protocols, for example raft")
    parser.add_argument(
        "--nodes", type=whole(1, 1000), metavar="N", help="how many servers (default: 5)", default=5
    )
    parser.add_argument("--seed", type=whole(0), metavar="S", help="the seed (default: 1)", default=1)
    parser.add_argument(
        "--until", type=whole(1), metavar="MS", help="simulated ms (default: 10000)", default=10_000
    )
    example = '[{"at": 1200, "do": "crash", "node": "n1"}]'
    parser.add_argument("--schedule", metavar="FILE.json", help=f"timed actions, such as {example}")
    parser.add_argument("--digest", action="store_true", help="print only the digest of the trace")
    parser.add_argument("--json", metavar="FILE", help="write the trace to this file")


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """An argument type: a whole number within bounds."""
    bounds = f"from {least} up" if most is None else f"from {least} to {most}"

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {bounds}")
        return value

    return convert


def hand_over(command: str, arguments: Sequence[str]) -> int:
    """Run another package's command line, in the course's environment if this Python lacks what it needs."""
    module, needed, _ = HANDED_OVER[command]
    if not all(importlib.util.find_spec(name) for name in needed):
        status = enter([command, *arguments])
        if status is not None:
            return status
    return importlib.import_module(module).main(list(arguments))


def dispatch(argv: Sequence[str]) -> int:
    """Run one command line; returns the exit status."""
    parser = build_parser()
    if not argv:
        parser.print_help()
        return 0
    if argv[0] in HANDED_OVER and present(argv[0]):
        return hand_over(argv[0], argv[1:])
    if argv[0] == "test":  # everything it does not know is pytest's
        chosen, extra = parser.parse_known_args(argv)
    else:
        chosen, extra = parser.parse_args(argv), []
    if chosen.command in ("lab", "test"):
        status = enter(argv)
        if status is not None:
            return status
    if chosen.command == "lab":
        from dslab.commands.lab import lab

        return lab(chosen.port, browser=not chosen.no_browser)
    if chosen.command == "test":
        from dslab.commands.test import test

        return test(extra, strict=chosen.all)
    if chosen.command == "run":
        from dslab.commands.run import run

        return run(chosen)
    from dslab.commands.doctor import doctor

    return doctor()


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point. Returns the exit status: 0 done, 1 failed, 2 wrong arguments, 130 stopped by Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):  # a Windows console may not know every sign we print
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        status = dispatch(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return status
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130
    except BrokenPipeError:  # the reader, `head` for one, has enough: what is left goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
