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

from dslab.check.answers import find
from dslab.check.faults import HOSTILE, KINDS, random_schedule
from dslab.check.invariants import first_violation
from dslab.protocols import pbft, pbft_variants
from dslab.sim import System, simulate
from dslab.sim.case import Case

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
            traitors: int | None = None, nodes: int | None = None) -> tuple[str, int, int, int]:
    """(name of the violated property or "", events, requests answered, highest view) of the run with this seed."""
    nodes = nodes or (7 if seed % 8 == 7 else 4)
    system = pbft.cluster(nodes, server=server, client=client, clients=2)
    faulty = (nodes - 1) // 3 if traitors is None else traitors
    trace = simulate(system, seed=seed, schedule=schedule_of(system, seed, faulty), until=UNTIL)
    verdict = first_violation(trace, pbft.ALWAYS)
    last = trace.state_at(len(trace) - 1)
    answered = sum(operation["completed_us"] is not None for operation in trace.history)
    return (verdict.name if verdict else "", len(trace), answered, max(last[s].get("view", 0) for s in system.servers))


def plot(seed: int, nodes: int) -> Case:
    """A short run with one liar who says what hurts, a few cut links, and a primary that may fall silent."""
    random = Random(f"plot/{seed}")
    servers = [f"n{i}" for i in range(1, nodes + 1)]
    liar = random.choice(["n1", "n1", "n2", servers[-1]])
    others = [n for n in servers if n != liar]
    quoted = {"client": "c2", "number": 1, "command": "y=2", "digest": pbft.digest_of("c2", 1, "y=2")}
    lie = random.choice([
        {"fields": quoted}, {"fields": quoted}, {"fields": {"prepared": []}}, {"fields": {"view": 1}},
        {"fields": {"proposals": [], "sequence": 1}}, {"fields": {"result": "lie"}},
        {"fields": {"sequence": 800, "digest": "made up"}}, {}])
    action: dict[str, Any] = {"at": 1, "do": "turn_traitor", "node": liar, "behaviour": "silent", **lie}
    if lie:
        split = random.random() < 0.6
        action["behaviour"] = "equivocate" if split else "corrupt"
        if split:
            action["to"] = random.sample([*others, "c1"], random.randint(1, len(others)))
    schedule = [action]
    trouble = random.choice(["none", "cut", "link"])
    for source in servers if trouble != "none" else []:
        for target in servers if trouble == "cut" else [*servers, "c1"]:
            if source != target and random.random() < 0.2:
                wrong = {} if trouble == "cut" else {"latency": random.choice([60, 90])}
                schedule.append({"at": 2, "do": trouble, "source": source, "target": target, **wrong})
                if random.random() < 0.5:
                    right = {"do": "mend"} if trouble == "cut" else {"do": "link", "latency": [5, 15]}
                    schedule.append({"at": random.choice([45, 100]), **right, "source": source, "target": target})
    schedule += [{"at": 10, "do": "request", "command": "x=1", "client": "c1", "to": "n1"},
                 {"at": random.choice([10, 12, 50, 110]), "do": "request", "command": random.choice(["y=2", "x=2"]),
                  "client": "c2", "to": random.choice(["n1", "n2"])}]
    if random.random() < 0.4:
        schedule += [{"at": 150 + 40 * i, "do": "request", "command": f"x={i}", "client": "c1"} for i in range(3, 8)]
    if trouble != "none" and liar != "n1" and random.random() < 0.6:
        schedule += [{"at": 100, "do": "pause", "node": "n1"}, {"at": 900, "do": "resume", "node": "n1"}]
    schedule.sort(key=lambda a: a["at"])
    return Case(f"plot-{seed}", "", schedule, 3_500 if trouble == "none" else 1_500, nodes=nodes,
                clients=2, seed=seed, progress=trouble == "none")


def caught_at(seeds: range, mutant: type = pbft.Replica, nodes: int = 4) -> tuple[Case, str] | None:
    """The first plot that breaks a property of a variant, and which."""
    part = {"client" if issubclass(mutant, pbft.Client) else "server": mutant}
    system = pbft.cluster(nodes, clients=2, **part)
    for seed in seeds:
        case = plot(seed, nodes)
        broken = find(system, case)
        if broken:
            return case, broken.verdict.name
    return None


def many(seeds: range) -> dict[str, Any]:
    runs = [one_run(seed) for seed in seeds]
    return {"runs": len(runs), "violations": sum(bool(run[0]) for run in runs), "events": sum(run[1] for run in runs),
            "answered": sum(run[2] for run in runs), "runs_with_a_view_change": sum(run[3] > 0 for run in runs)}


def hunt(name: str) -> list[Any]:
    """[name, actions, property] of the first of 500 plots that breaks a variant, or [name, None]."""
    mutant = getattr(pbft_variants, name)
    found = caught_at(range(500), mutant, 5 if mutant is pbft_variants.MajorityQuorum else 4)
    return [name, len(found[0].schedule), found[1]] if found else [name, None]


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
        mutants = list(pool.map(hunt, [mutant.__name__ for mutant in pbft_variants.MUTANTS]))
    print(json.dumps({**total, "mutants": mutants, "seconds": round(time.perf_counter() - began, 1)}))


if __name__ == "__main__":
    main()
