"""PBFT under random faults: f traitors of every kind beside crashes, restarts, partitions, lost and doubled messages.

The test suite runs two hundred of these; `python tests/protocols/random_byzantine.py 10000` runs as many as you like
and prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from random import Random
from typing import Any

from dslab.check.faults import HOSTILE, KINDS, random_schedule
from dslab.check.invariants import first_violation
from dslab.protocols import pbft
from dslab.sim import System, simulate

UNTIL = 2_500      # ms
BEHAVIOURS = ("silent", "equivocate", "corrupt", "delay")
QUIET = ("request", "timeout", "duplicate")      # every fourth run has no fault but the traitors


def lies(random: Random, system: System) -> dict[str, Any]:
    """Fields that a traitor may fake: another client's request, wrong numbers, empty proofs."""
    client, number = random.choice(system.clients), 1        # later ones may not have been made yet
    command = f"{client}={number}"
    quoted = {"client": client, "number": number, "command": command,
              "digest": pbft.digest_of(client, number, command)}
    pool = [
        quoted, quoted, quoted, {"digest": quoted["digest"]}, {"digest": "nonsense"}, {"result": "lie"},
        {"view": random.randint(0, 4)}, {"sequence": random.randint(1, 10)}, {"number": random.randint(1, 5)},
        {"prepared": []}, {"proposals": []}, {"proofs": []}, {"replica": random.choice(system.servers)},
        {"store": {"x": "lie"}}, {"sequence": random.randint(1, 10), **quoted},
        {"view": random.randint(0, 4), **quoted},
    ]
    return random.choice(pool)


def treason(system: System, random: Random, node: str, behaviour: str) -> list[dict[str, Any]]:
    """One to three turn_traitor actions of one node."""
    actions = []
    for _ in range(random.randint(1, 3)):
        others = [n for n in system.nodes if n != node]
        some = sorted(random.sample(others, random.randint(1, len(others) - 1)))
        action: dict[str, Any] = {"at": random.choice([1, random.randint(1, UNTIL - 500)]), "do": "turn_traitor",
                                  "node": node, "behaviour": behaviour}
        if behaviour == "delay":
            action["by"] = random.choice([20, 100, 600])
        elif behaviour != "silent":
            action["fields"] = lies(random, system)
        if behaviour == "equivocate" or (behaviour != "corrupt" and random.random() < 0.5):
            action["to"] = some
        actions.append(action)
    return actions


def schedule_of(system: System, seed: int, traitors: int) -> list[dict[str, Any]]:
    """Requests of all clients, random faults, and this many traitors."""
    random = Random(f"byzantine/{seed}")
    kinds = (KINDS, HOSTILE, HOSTILE, QUIET)[seed % 4]
    schedule = [a for a in random_schedule(system, seed, UNTIL - 500, kinds) if a["do"] != "request"]
    for client in system.clients:
        times = sorted(random.randint(2, UNTIL - 800) for _ in range(5))
        schedule += [{"at": at, "do": "request", "client": client, "command": f"{client}={number}"}
                     for number, at in enumerate(times, start=1)]
    first = random.sample(system.servers, len(system.servers))
    if random.random() < 0.5:            # the primary of view 0 can do most harm
        first.sort(key=lambda node: node != "n1")
    for i, node in enumerate(first[:traitors]):
        schedule += treason(system, random, node, BEHAVIOURS[(seed + i) % 4])
    return sorted(schedule, key=lambda a: a["at"])


def one_run(seed: int, server: type = pbft.Replica, client: type = pbft.Client,
            traitors: int | None = None) -> tuple[str, int, int, int]:
    """(name of the violated property or "", events, requests answered, highest view) of the run with this seed."""
    nodes = 7 if seed % 8 == 7 else 4
    system = pbft.cluster(nodes, server=server, client=client, clients=2)
    faulty = (nodes - 1) // 3 if traitors is None else traitors
    trace = simulate(system, seed=seed, schedule=schedule_of(system, seed, faulty), until=UNTIL)
    verdict = first_violation(trace, pbft.ALWAYS)
    last = trace.state_at(len(trace) - 1)
    answered = sum(operation["completed_us"] is not None for operation in trace.history)
    return (verdict.name if verdict else "", len(trace), answered, max(last[s].get("view", 0) for s in system.servers))


def caught_at(seeds: range, server: type = pbft.Replica, client: type = pbft.Client) -> tuple[int, str] | None:
    """The first seed at which a variant breaks a property, and which."""
    for seed in seeds:
        name = one_run(seed, server, client)[0]
        if name:
            return seed, name
    return None


def many(seeds: range) -> dict[str, Any]:
    runs = [one_run(seed) for seed in seeds]
    return {"runs": len(runs), "violations": sum(bool(run[0]) for run in runs), "events": sum(run[1] for run in runs),
            "answered": sum(run[2] for run in runs), "runs_with_a_view_change": sum(run[3] > 0 for run in runs)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    began = time.perf_counter()
    with ProcessPoolExecutor(options.workers) as pool:
        parts = pool.map(many, [range(i, min(i + 100, options.runs)) for i in range(0, options.runs, 100)])
        total: Counter[str] = Counter()
        for part in parts:
            total.update(part)
    print(json.dumps({**total, "seconds": round(time.perf_counter() - began, 1)}))


if __name__ == "__main__":
    main()
