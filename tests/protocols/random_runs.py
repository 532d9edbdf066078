"""Raft under random faults: crashes, restarts, partitions, lost and doubled messages, slow disks.

The test suite runs a few hundred of these; `python tests/protocols/random_runs.py 10000` runs as many as you like and
prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from dslab.check.faults import EVERYTHING, HOSTILE, KINDS, random_schedule
from dslab.check.invariants import first_violation
from dslab.protocols import raft, raft_variants
from dslab.sim import simulate

UNTIL = 3_000      # ms; long enough for four to six elections under these faults
MUTANTS = {cls.__name__: cls for cls in (
    raft_variants.LongestLogWins, raft_variants.LastTermOnly, raft_variants.ForgetfulVoter, raft_variants.Truncating,
    raft_variants.CommitsAnyTerm)}


def one_run(seed: int, server: type[raft.Server] = raft.Server) -> tuple[str, int, int]:
    """(name of the violated property or "", events, entries committed) of the run with this seed."""
    nodes = 3 if seed % 2 else 5
    system = raft.cluster(nodes, server=server, disk=(0, 20) if seed % 3 else 0)
    kinds = (KINDS, KINDS, HOSTILE, EVERYTHING)[seed % 4]
    trace = simulate(system, seed=seed, schedule=random_schedule(system, seed, UNTIL - 300, kinds), until=UNTIL)
    verdict = first_violation(trace, raft.ALWAYS)
    last = trace.state_at(len(trace) - 1)
    return verdict.name if verdict else "", len(trace), max(last[s].get("commit_index", 0) for s in system.servers)


def caught_at(server: type[raft.Server], seeds: range) -> tuple[int, str] | None:
    """The first seed at which a variant breaks a property, and which."""
    for seed in seeds:
        name, _, _ = one_run(seed, server)
        if name:
            return seed, name
    return None


def many(seeds: range) -> dict[str, Any]:
    runs = [one_run(seed) for seed in seeds]
    return {"runs": len(runs), "violations": sum(bool(name) for name, _, _ in runs),
            "events": sum(events for _, events, _ in runs), "committed": sum(committed for _, _, committed in runs)}


def _hunt(name: str, limit: int) -> list[Any]:
    return [name, caught_at(MUTANTS[name], range(limit))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    began = time.process_time()
    with ProcessPoolExecutor(options.workers) as pool:
        parts = list(pool.map(many, [range(i, min(i + 250, options.runs)) for i in range(0, options.runs, 250)]))
        mutants = dict(pool.map(_hunt, MUTANTS, [options.runs] * len(MUTANTS)))
    total = {key: sum(part[key] for part in parts) for key in parts[0]}
    print(json.dumps({**total, "mutants_caught": mutants, "parent_cpu_s": round(time.process_time() - began, 1)}))


if __name__ == "__main__":
    main()
