"""Replicated stores in storms: reads and writes all the time, under faults that end; see dslab.protocols.storms.

Every run is judged by the protocol's own promises, by whether everybody is answered, and, where a protocol promises
that, by the definition of linearizability. Every other run has all kinds of faults there are, and slow disks. The
test suite runs a few of each; `python -m tests.protocols.random_storage 10000` runs as many as you like, ends each part
after a minute of CPU unless told otherwise, and prints one line of JSON for each protocol.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from dslab.check.invariants import HELD, check_trace
from dslab.check.progress import unanswered
from dslab.protocols import abd, chain, dynamo, primary_backup, quorum_handoff, quorum_sessions, quorum_steps, storms
from dslab.protocols import quorum as quorums
from dslab.sim import System, Trace, simulate
from dslab.sim.case import Case

sys.path.insert(0, str(Path(__file__).parent))

import linearizability
import live_judge


class Kind(NamedTuple):
    """A protocol: how to make it, whether it is a register without a second truth, whether everybody is answered."""

    make: Callable[..., System]
    linearizable: bool = True
    answers: bool = True
    faults: tuple[str, ...] = storms.RESTARTS
    sizes: tuple[int, ...] = (3, 5, 4)
    outside: tuple[str, ...] = ()


KINDS = {
    "abd": Kind(abd.cluster),
    "quorum": Kind(quorums.cluster, linearizable=False, answers=False),
    "quorum_handoff": Kind(quorum_handoff.cluster, linearizable=False, answers=False, sizes=(4, 5, 6)),
    "quorum_sessions": Kind(quorum_sessions.cluster, linearizable=False),
    "quorum_steps": Kind(quorum_steps.restarted),
    "repaired": Kind(quorum_steps.repaired, faults=storms.NO_RESTARTS),
    "dynamo": Kind(dynamo.cluster, linearizable=False),
    "primary_backup": Kind(primary_backup.cluster, sizes=(3, 4), outside=("v",)),
    "chain": Kind(chain.cluster, sizes=(4, 3, 5), outside=("m",)),
}


def case_for(name: str, seed: int) -> Case:
    """The storm with this seed, odd ones with every kind of fault; carts are filled where the protocol keeps carts."""
    kind = KINDS[name]
    nodes = kind.sizes[seed % len(kind.sizes)]
    if seed % 2 and kind.faults is storms.RESTARTS:
        case = storms.storm(seed, nodes, faults=storms.EVERYTHING, outside=kind.outside)
    else:
        case = storms.storm(seed, nodes, faults=kind.faults)
    if name == "dynamo":
        schedule = [{**act, "command": _cart(act["command"])} if act["do"] == "request" else act
                    for act in case.schedule]
        case = case._replace(schedule=schedule)
    return case


def _cart(command: str) -> str:
    key, is_write, value = command.partition("=")
    return f"{key}+i{value}" if is_write else key


def system_for(name: str, case: Case, **parts: Any) -> System:
    """The system, perhaps with another `server` or `client`; disks are slow in every third run with odd seed."""
    slow: dict[str, Any] = {"disk": (0, 20)} if case.seed % 6 == 5 else {}
    return KINDS[name].make(case.nodes, clients=case.clients, **slow, **parts)


def run(name: str, case: Case, **parts: Any) -> tuple[System, Trace]:
    """The system and its run."""
    system = system_for(name, case, **parts)
    return system, simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)


def by_event(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The history with the numbers of events for times, so that what happened at one instant has an order too."""
    return [{**o, "invoked_us": o["invoked"], "completed_us": o["completed"]} for o in history]


def faults_of(name: str, system: System, trace: Trace) -> list[str]:
    """Everything that is wrong with a run."""
    wrong = [v.name for v in check_trace(trace, system.always) if v.status != HELD]
    if KINDS[name].linearizable and not linearizability.is_linearizable(by_event(trace.history)):
        wrong.append("linearizable")
    if KINDS[name].answers and unanswered(trace):
        wrong.append("requests_are_answered")
    return wrong


def linearizable(history: list[dict[str, Any]]) -> bool:
    return linearizability.is_linearizable(by_event(history))


def one_run(name: str, seed: int) -> Counter[str]:
    """What happened in the run with this seed."""
    kind, case = KINDS[name], case_for(name, seed)
    case = case._replace(until=2 * case.until)       # it ends when nobody waits; some have 15 requests in a row by then
    found = live_judge.holds(system_for(name, case), case, *[linearizable] * kind.linearizable, answers=kind.answers)
    told = [operation["completed_us"] for operation in found.history if operation["completed_us"] is not None]
    early = sum(us < storms.STORM * 1000 for us in told)
    wrong = faults_of(name, *run(name, case)) or [found.broken] if found.broken else []
    return Counter(runs=1, bad_runs=bool(wrong), **dict.fromkeys(wrong, 1), events=found.events_done,
                   answered=len(told), answered_in_storm=early, runs_with_answers_in_storm=bool(early))


def many(name: str, seeds: Iterable[int], seconds: float = 60) -> Counter[str]:
    """The sums over these runs; prints the seed of each run in which something is wrong."""
    total: Counter[str] = Counter()
    ends = time.process_time() + seconds
    for seed in seeds:
        told = one_run(name, seed)
        total.update(told)
        if told["bad_runs"]:
            print(json.dumps({"protocol": name, "seed": seed, **told}), flush=True)
        if time.process_time() > ends:
            break
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int)
    parser.add_argument("--first", type=int, default=0, help="seed of the first run")
    parser.add_argument("--seconds", type=float, default=60, help="of CPU for each protocol")
    parser.add_argument("--protocol", choices=KINDS, action="append")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.runs)
    for name in options.protocol or KINDS:
        began = time.process_time()
        total = many(name, seeds, options.seconds)
        print(json.dumps({"protocol": name, **total, "cpu_s": round(time.process_time() - began, 1)}), flush=True)


if __name__ == "__main__":
    main()
