"""`python -m dslab explore SYSTEM`: a search through all orders of events, from the shell."""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dslab.commands.environment import say
from dslab.commands.main import Parser, whole
from dslab.commands.run import WrongArgumentError, systems, write_whole

SIZES = ("nodes", "proposers", "acceptors", "learners", "ballots", "clients")
COUNTS = ("crashes", "restarts", "losses", "duplicates")
TIMEOUTS = 2        # how many timers may run out, where neither the command nor the protocol's BOUNDS say


def timeouts(text: str) -> int | dict[str, int] | None:
    """`3`, `any` or `election=2,heartbeat=1`."""
    if text == "any":
        return None
    try:
        if "=" not in text:
            return whole(0)(text)
        pairs = [part.split("=") for part in text.split(",")]
        if not all(name for name, _ in pairs):
            raise ValueError("a number without a timer")
        return {name: whole(0)(number) for name, number in pairs}
    except (ValueError, argparse.ArgumentTypeError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number, nor `any`, nor numbers for timers such as election=2,heartbeat=1") from None


def build_parser() -> Parser:
    """The parser of this command."""
    parser = Parser(prog="python -m dslab explore", description="Search every order of events within bounds: "
                    "exhausted, violated or budget spent.", epilog="The exit status is 0 if the search was exhausted, "
                    "every property held and every goal was reached; 1 if not; 2 for a wrong argument; 130 after "
                    "Ctrl-C. What three servers do is often exhausted, what five do hardly ever.")
    parser.add_argument("system", metavar="SYSTEM", help="a protocol of dslab.protocols, for example paxos")
    for name in SIZES:
        parser.add_argument(f"--{name}", type=whole(0, 1000), metavar="N", help="as the protocol's cluster takes it")
    parser.add_argument("--request", action="append", metavar="COMMAND[@NODE]",
                        help="what client c1 asks for, of this server; may be repeated (default: x=1, or what the "
                             "protocol says)")
    parser.add_argument("--timeouts", type=timeouts, metavar="N", default=argparse.SUPPRESS,
                        help=f"how many timers may run out: N, `any`, or election=2,heartbeat=1 (default: {TIMEOUTS}, "
                             "or what the protocol says)")
    for name in COUNTS:
        parser.add_argument(f"--{name}", type=whole(0), metavar="N", default=0, help=f"how many {name} (default: 0)")
    parser.add_argument("--network", choices=("once", "any"), help="whether a message can arrive once or any number of "
                        "times (default: once, or what the protocol says)")
    parser.add_argument("--search", choices=("breadth-first", "depth-first", "random-walk"), default="breadth-first",
                        help="(default: breadth-first, which finds the shortest schedule)")
    parser.add_argument("--states", type=whole(1), metavar="N", default=1_000_000,
                        help="most states (default: 1000000)")
    parser.add_argument("--depth", type=whole(1), metavar="N", help="most steps from the start")
    parser.add_argument("--memory", type=whole(1), metavar="MB", default=2000, help="most memory (default: 2000)")
    parser.add_argument("--seed", type=whole(0), metavar="S", default=1, help="of a random walk (default: 1)")
    parser.add_argument("--symmetry", action="store_true", help="one state for all that differ in names only")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--counterexample", metavar="FILE.json", help="write the schedule of a violation to this file")
    return parser


def made(module: Any, chosen: argparse.Namespace) -> Any:
    """The system that the arguments describe.

    Raises:
        WrongArgumentError: the protocol takes no such argument.
    """
    from dslab.sim import DslabError

    given = {name: getattr(chosen, name) for name in SIZES if getattr(chosen, name) is not None}
    accepted = inspect.signature(module.cluster).parameters
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values())
    for name in given:
        if name not in accepted and not anything:
            known = ", ".join(f"--{size}" for size in SIZES if size in accepted)
            raise WrongArgumentError(f"{chosen.system} takes no --{name}; it takes {known}")
    try:
        return module.cluster(**given)
    except DslabError as error:
        raise WrongArgumentError(f"{chosen.system}: {error}") from None


def requests(chosen: argparse.Namespace, system: Any, usual: Sequence[str]) -> list[dict[str, Any]]:
    """What client c1 asks for; the usual, if the command does not say."""
    asked = chosen.request if chosen.request is not None else usual if system.clients else []
    if asked and not system.clients:
        raise WrongArgumentError(f"{system.code} has no clients to make a --request")
    found = []
    for text in asked:
        command, _, node = text.partition("@")
        if not command:
            raise WrongArgumentError(f"--request {text}: there is no command before the @; write x=1@n1")
        if node and node not in system.servers:
            raise WrongArgumentError(f"--request {text}: there is no server {node!r}; "
                                     f"choose from {', '.join(system.servers)}")
        found.append({"command": command, **({"to": node} if node else {})})
    return found


def report(found: Any) -> str:
    """What was explored, within which bounds, what came out and what that means."""
    system, bounds = found.space.system, found.bounds
    runs = "any number of" if bounds["timeouts"] is None else bounds["timeouts"]
    if isinstance(runs, dict):
        runs = " and ".join(f"{number} {timer}" for timer, number in runs.items())
    faults = [f"{bounds[name]} {name}" for name in COUNTS if bounds[name]]
    asks = [f"`{request['command']}`" for request in bounds["requests"]]
    lines = [
        f"{system.code}, {found.search}",
        f"allowed     {runs} timers running out, {', '.join(faults) or 'no faults'}"
        + (f"; c1 asks for {', '.join(asks)}" if asks else "")
        + ("; a message can arrive any number of times" if bounds["network"] == "any number" else ""),
        f"seen        {found.states:,} states, {found.transitions:,} steps, up to {found.depth} from the start"
        + (f" ({found.histories:,} with what properties noted on the way)" if found.histories > found.states else ""),
        f"took        {found.cpu_seconds:.1f} s, about {found.memory_bytes / 1e6:,.0f} MB; "
        f"{found.handler_runs:,} handler runs",
    ]
    lines += [f"{'reached' if met else 'not reached':11} {name}" for name, met in found.goals.items()]
    lines += [f"not judged  {name}: {why}" for name, why in found.not_evaluable.items()]
    if found.result == "violated":
        lines += [f'violated    "{found.verdict.title}": {found.verdict.violation.text}',
                  f"            {len(found.case.schedule)} actions on {found.system.code}; they play in a Lab:"]
        from dslab.sim.schedule import call

        lines += [f"            {call(action)}" for action in found.case.schedule]
        if any(action["do"] == "timeout" for action in found.case.schedule):
            lines.append("There is no clock in a search: timers run out at any time, and what relies on time breaks.")
    elif found.result == "budget spent":
        lines.append(f"budget spent: {found.why}. Nothing was found so far, which proves nothing about the rest; "
                     f"with smaller bounds or fewer nodes there is less to see.")
    else:
        lines.append("exhausted: there is no other state within these bounds"
                     + (", and every property holds in all of them." if not found.not_evaluable else "."))
        if not all(found.goals.values()):
            lines.append("This is no pass: what was to be reached was not, so raise the bounds.")
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Search once. Returns the exit status: 0 passed, 1 not passed, 2 a wrong argument, 130 stopped by Ctrl-C."""
    from dslab.check.explore import explore
    from dslab.sim import DslabError
    from dslab.sim.errors import ScheduleError

    chosen = build_parser().parse_args(list(argv))
    live = sys.stderr.isatty()

    def progress(unfinished: Any) -> None:
        rate = unfinished.states / max(unfinished.cpu_seconds, 0.001)
        sys.stderr.write(f"\r{unfinished.states:,} states, depth {unfinished.depth}, {rate:,.0f} states/s ")
        sys.stderr.flush()

    try:
        known = systems()
        if chosen.system not in known:
            raise WrongArgumentError(f"no system is called {chosen.system!r}: choose from {', '.join(known)}")
        module = known[chosen.system]
        system = made(module, chosen)
        bounds = {"timeouts": TIMEOUTS, "network": "once", "requests": ["x=1"], **getattr(module, "BOUNDS", {})}
        bounds["requests"] = requests(chosen, system, bounds["requests"])
        if hasattr(chosen, "timeouts"):
            bounds["timeouts"] = chosen.timeouts
        if chosen.network:
            bounds["network"] = {"once": "once", "any": "any number"}[chosen.network]
        bounds.update({name: getattr(chosen, name) for name in COUNTS})
        if chosen.counterexample and not Path(chosen.counterexample).absolute().parent.is_dir():
            raise WrongArgumentError(f"{chosen.counterexample} cannot be written (there is no such directory): "
                                     f"--counterexample takes the name of a file")
        found = explore(system, search=chosen.search.replace("-walk", " walk"),
                        states=chosen.states, depth=chosen.depth, memory=chosen.memory * 1_000_000, seed=chosen.seed,
                        symmetry=chosen.symmetry, progress=progress if live else None, **bounds)
        if chosen.counterexample and found.case:
            write_whole(chosen.counterexample, json.dumps(
                {"system": found.system.code, "imports": found.system.import_lines, "property": found.verdict.name,
                 "seed": found.case.seed, "until": found.case.until, "schedule": found.case.schedule}, indent=1) + "\n",
                "--counterexample")
    except (WrongArgumentError, ScheduleError) as error:
        say(f"python -m dslab explore: {error}")
        return 2
    except DslabError as error:
        say(f"python -m dslab explore: {error}")
        return 1
    if live:
        sys.stderr.write("\r" + " " * 70 + "\r")
    print(json.dumps(found.to_json()) if chosen.json else report(found))
    if found.why == "stopped by Ctrl-C":
        return 130
    return 0 if found.passed else 1
