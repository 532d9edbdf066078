"""Replicated stores under random faults, judged by the definition of linearizability and by their own promises.

The test suite runs a few of each; `python -m tests.protocols.random_storage 10000` runs as many as you like, ends each
part after a minute of CPU unless told otherwise, and prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from dslab.check.faults import HOSTILE, KINDS, random_schedule
from dslab.check.invariants import HELD, check_trace
from dslab.check.progress import settled, unanswered
from dslab.protocols import abd
from dslab.sim import System, Trace, simulate

sys.path.insert(0, str(Path(__file__).parent))

import linearizability

UNTIL, QUIET = 1_500, 1_500      # ms


def system_for(variant: str, seed: int) -> System:
    disk = (0, 20) if seed % 3 else 0
    return VARIANTS[variant](3 if seed % 2 else 5, clients=3, disk=disk)


def schedule_for(system: System, seed: int) -> list[dict[str, Any]]:
    """Random faults that end, with reads and writes of two keys by all clients; slow links make messages overtake."""
    random = Random(f"storage/{seed}")
    schedule = random_schedule(system, seed, UNTIL, KINDS if seed % 4 < 2 else HOSTILE)
    more: list[dict[str, Any]] = []
    for action in schedule:
        if action["do"] == "request":
            key = "x" if random.random() < 0.8 else "y"
            action["client"] = random.choice(system.clients)
            action["command"] = key if random.random() < 0.5 else action["command"].replace("x", key)
        elif action["do"] in ("heal", "loss", "link"):
            source, target = random.sample(system.servers, 2)
            more.append({"at": action["at"], "do": "link", "source": source, "target": target,
                         "latency": random.choice([1, 40, 150])})
    schedule = settled(sorted([*schedule, *more], key=lambda a: a["at"]), system, UNTIL)
    schedule += [{"at": UNTIL, "do": "link", "source": a["source"], "target": a["target"],
                  "latency": system.network.latency} for a in more]
    return schedule


def run(variant: str, seed: int, server: Any = None) -> Trace:
    system = system_for(variant, seed)
    if server is not None:
        system.classes.update(dict.fromkeys(system.servers, server))
    return simulate(system, seed=seed, schedule=schedule_for(system, seed), until=UNTIL + QUIET)


VARIANTS: dict[str, Any] = {"abd": abd.cluster}


def one_run(variant: str, seed: int) -> Counter[str]:
    """What happened in the run with this seed."""
    trace = run(variant, seed)
    verdicts = check_trace(trace, system_for(variant, seed).always)
    done = [operation for operation in trace.history if operation["completed_us"] is not None]
    return Counter(
        runs=1,
        violations=sum(verdict.status != HELD for verdict in verdicts),
        not_linearizable=not linearizability.is_linearizable(trace.history),
        unanswered=unanswered(trace) is not None,
        reads=sum("=" not in operation["command"] for operation in done),
        writes=sum("=" in operation["command"] for operation in done),
    )


def many(variant: str, seeds: Iterable[int], seconds: float = 60) -> Counter[str]:
    total: Counter[str] = Counter()
    ends = time.process_time() + seconds
    for seed in seeds:
        total.update(one_run(variant, seed))
        if time.process_time() > ends:
            break
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int)
    parser.add_argument("--first", type=int, default=0, help="seed of the first run")
    parser.add_argument("--seconds", type=float, default=60, help="of CPU for each variant")
    parser.add_argument("--variant", choices=VARIANTS, action="append")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.runs)
    print(json.dumps({name: many(name, seeds, options.seconds) for name in options.variant or VARIANTS}))


if __name__ == "__main__":
    main()
