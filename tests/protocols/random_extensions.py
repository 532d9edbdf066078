"""The extensions of Raft under random faults, with changes of the membership, snapshots and reads happening in them.

The test suite runs 150 of each; `python tests/protocols/random_extensions.py 10000` runs as many as you like, ends
each part after a minute of CPU unless told otherwise, and prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

from dslab.check.faults import EVERYTHING, HOSTILE, KINDS, random_schedule
from dslab.check.invariants import HELD, check_trace
from dslab.protocols import raft_membership, raft_prevote, raft_reads, raft_snapshots
from dslab.sim import System, Trace, simulate

UNTIL = 3_000      # ms
SERVERS = [f"n{i}" for i in range(1, 6)]


def whole(nodes: int, **options: Any) -> System:
    system = raft_membership.cluster(5, server=raft_membership.Whole, snapshot_after=nodes - 2, **options)
    system.always = (*system.always, raft_reads.reads_are_fresh)
    return system


def membership(random: Random) -> str:
    return "members=" + " ".join(sorted(random.sample(SERVERS, random.choice([3, 3, 4, 5]))))


VARIANTS: dict[str, Any] = {
    "snapshots": lambda nodes, **o: raft_snapshots.cluster(nodes, snapshot_after=nodes - 2, **o),
    "prevote": raft_prevote.cluster,
    "reads": raft_reads.cluster,
    "membership": lambda nodes, **o: raft_membership.cluster(5, **o),
    "whole": whole,
    "both": lambda nodes, **o: raft_membership.cluster(
        5, server=raft_membership.Compacting, snapshot_after=nodes - 2, **o),
}


def system_for(variant: str, seed: int) -> System:
    return VARIANTS[variant](3 if seed % 2 else 5, clients=3, disk=(0, 20) if seed % 3 else 0)


def schedule_for(variant: str, system: System, seed: int) -> list[dict[str, Any]]:
    """Random faults and requests; four in ten requests are reads or changes of the membership where these exist."""
    random = Random(f"extensions/{seed}")
    schedule = random_schedule(system, seed, UNTIL - 300, (KINDS, KINDS, HOSTILE, EVERYTHING)[seed % 4])
    for action in schedule:
        if action["do"] == "request":
            action["client"] = random.choice(system.clients)
            if random.random() < 0.4:
                special = {"reads": "x", "membership": membership(random), "both": membership(random)}
                action["command"] = special.get(variant, action["command"])
            if variant == "whole" and random.random() < 0.4:
                action["command"] = random.choice(["x", membership(random)])
    return schedule


def run(variant: str, seed: int, server: Any = None) -> Trace:
    system = system_for(variant, seed)
    if server is not None:
        system.classes.update(dict.fromkeys(system.servers, server))
    return simulate(system, seed=seed, schedule=schedule_for(variant, system, seed), until=UNTIL)


def one_run(variant: str, seed: int) -> Counter[str]:
    """What happened in the run with this seed: violations, entries committed, and what the variant is about."""
    trace = run(variant, seed)
    verdicts = check_trace(trace, system_for(variant, seed).always)
    last = trace.state_at(len(trace) - 1)
    done = [operation["command"] for operation in trace.history if operation["completed_us"] is not None]
    return Counter(
        runs=1,
        violations=sum(verdict.status != HELD for verdict in verdicts),
        committed=max(last[server].get("commit_index", 0) for server in SERVERS if server in last),
        snapshots_sent=sum(m.type == "InstallSnapshot" for m in trace.messages),
        prevotes=sum(m.type == "PreVote" for m in trace.messages),
        reads=sum(command == "x" for command in done),
        changes=sum(command.startswith("members=") for command in done),
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
