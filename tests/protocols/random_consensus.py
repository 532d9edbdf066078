"""Elections, Paxos, Multi-Paxos and Ben-Or under random faults.

The test suite runs a few hundred of these; `python -m tests.protocols.random_consensus 10000` runs as many of each and
prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from random import Random

from dslab.check.faults import EVERYTHING, HOSTILE, KINDS, random_schedule
from dslab.check.invariants import first_violation
from dslab.check.progress import settled, unanswered
from dslab.protocols import ben_or, bully, bully_epochs, highest_id, multi_paxos, paxos, ring
from dslab.protocols.election_properties import all_agree
from dslab.sim import simulate
from dslab.sim.case import Case

sys.path.insert(0, str(Path(__file__).parent))

import live_judge

FAULTS, QUIET = 1_500, 2_500      # ms
ALL_FROM = 10_000                 # seeds from here on have every kind of fault


def calming(system, seed, kinds, first=()):
    """A schedule of random faults, then quiet, and a last request."""
    faults = sorted([*first, *random_schedule(system, seed, FAULTS, kinds)], key=lambda action: action["at"])
    bent = {(act["source"], act["target"]): {"at": FAULTS, "do": "link", "source": act["source"],
                                             "target": act["target"], "latency": system.network.latency}
            for act in faults if "latency" in act}
    skewed = {act["node"]: {"at": FAULTS, "do": "skew", "node": act["node"]} for act in faults if act["do"] == "skew"}
    last = {"at": FAULTS + 100, "do": "request", "command": "last"}
    return [*settled(faults, system, FAULTS), *bent.values(), *skewed.values(), last]


def broken(system, seed, kinds, first=(), quiet=QUIET):
    """(name of the violated property or "", trace): random faults, then quiet, in which a last request is answered."""
    trace = simulate(system, seed=seed, schedule=calming(system, seed, kinds, first), until=FAULTS + quiet)
    verdict = first_violation(trace, system.always) or unanswered(trace)
    return verdict.name if verdict else "", trace


def some_kinds(seed):
    """Which faults a run has; seeds from 10,000 on have them all."""
    return EVERYTHING if seed >= ALL_FROM else KINDS if seed % 4 < 2 else HOSTILE


def paxos_run(seed, server=paxos.Server):
    system = paxos.cluster(3 if seed % 2 else 5, server=server, clients=2, disk=(0, 20) if seed % 3 else 0)
    two = [{"at": 10, "do": "request", "command": "v", "to": "n1"},
           {"at": 10 + seed % 50, "do": "request", "command": "w", "to": "n2", "client": "c2"}]
    return *broken(system, seed, some_kinds(seed), two), system


def bully_run(seed, server=bully.Server):
    """Within its assumptions: servers stop and come back, nothing is lost, nothing is late."""
    system = bully.cluster(3 if seed % 2 else 5, server=server)
    name, trace = broken(system, seed, ("request", "crash", "restart"))
    return name or ("" if agree_at_end(trace) else "all_agree"), trace, system


def epochs_run(seed, store=bully_epochs.Store):
    """No assumption at all: elections may go wrong, the store must not."""
    system = bully_epochs.cluster(3 if seed % 2 else 5, store=store, clients=2, disk=(0, 20) if seed % 3 else 0)
    return *broken(system, seed, KINDS, quiet=2 * QUIET), system


def patient(system, seed, schedule):
    """(name of the violated property or "", run, system): the run ends when nobody waits, after a minute at the latest.

    A client asks one server after the other, which takes long where only one can answer and many questions wait.
    """
    run = live_judge.holds(system, Case(f"seed-{seed}", "", schedule, 60_000, seed=seed))
    return run.broken, run, system


def ring_run(seed, server=ring.Server):
    system = ring.cluster(3 if seed % 2 else 5, server=server, clients=2)
    return patient(system, seed, calming(system, seed, KINDS))


def highest_run(seed, server=highest_id.Server):
    """Within its assumptions: servers stop for good, all but one at most; nothing is lost, nothing is late."""
    system = highest_id.cluster(3 if seed % 2 else 5, server=server)
    schedule = random_schedule(system, seed, FAULTS, ("request", "crash"))
    crashes = [action for action in schedule if action["do"] == "crash"][len(system.servers) - 1:]
    schedule = [action for action in schedule if action not in crashes]
    return patient(system, seed, schedule)


def multi_paxos_run(seed, server=multi_paxos.Server):
    system = multi_paxos.cluster(3 if seed % 2 else 5, server=server, clients=2, disk=(0, 20) if seed % 3 else 0)
    return *broken(system, seed, some_kinds(seed)), system


def ben_or_run(seed, server=ben_or.Server):
    """Within its assumptions: fewer than half stop, for good; nothing is lost, though messages may be very slow."""
    nodes = 2 + seed % 6
    inputs = tuple(Random(f"inputs/{seed}").choices((0, 1), k=nodes))
    system = ben_or.cluster(nodes, server=server, inputs=inputs, latency=(1, 200) if seed % 2 else 10)
    schedule = [{"at": 10, "do": "request", "command": "what?"}]
    random = Random(f"crashes/{seed}")
    crashes = random.sample(range(1, nodes + 1), random.randint(0, (nodes - 1) // 2))
    schedule += [{"at": 5 + i * (seed % 40), "do": "crash", "node": f"n{n}"} for i, n in enumerate(crashes, 1)]
    trace = simulate(system, seed=seed, schedule=sorted(schedule, key=lambda a: a["at"]), until=60_000)
    verdict = first_violation(trace, system.always) or unanswered(trace)
    last = trace.state_at(len(trace) - 1)
    waiting = [s for s in system.servers if last[s]["status"] == "up" and last[s]["decided"] is None]
    return verdict.name if verdict else "all_decide" if waiting else "", trace, system


def agree_at_end(trace):
    for world in trace.states():
        last = world
    return all_agree(last)


RUNS = {"paxos": paxos_run, "bully": bully_run, "bully with epochs": epochs_run, "ring": ring_run,
        "highest id": highest_run, "multi-paxos": multi_paxos_run, "ben-or": ben_or_run}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int)
    parser.add_argument("--first", type=int, default=0, help="seed of the first run")
    parser.add_argument("--only", choices=RUNS)
    options = parser.parse_args()
    for name, run in RUNS.items():
        if options.only not in (None, name):
            continue
        began = time.process_time()
        bad, events = {}, 0
        for seed in range(options.first, options.first + options.runs):
            violated, trace, _ = run(seed)
            events += len(trace)
            if violated:
                bad.setdefault(violated, []).append(seed)
        print(json.dumps({"protocol": name, "runs": options.runs, "broken": bad, "events": events,
                          "cpu_s": round(time.process_time() - began, 1)}), flush=True)


if __name__ == "__main__":
    main()
