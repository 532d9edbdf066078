"""Random runs that find every mutant of every protocol, and the smallest run that is left of each.

`python -m tests.protocols.mutant_hunt` tries up to 2,000 seeds for each mutant, makes what it finds smaller, and prints
one JSON object a line; `--first 10000` and `--first 20000` try other mixes of faults. A run counts only if the protocol
without the mutation keeps all its promises in it, also in the smaller one. The test suite repeats the seeds in FOUND of
test_mutants_are_found.py.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from dslab.check.faults import HOSTILE, KINDS, random_schedule
from dslab.check.invariants import NOT_YET, check_trace, first_violation
from dslab.check.progress import settled, unanswered
from dslab.check.shrink import Minimised, minimise
from dslab.protocols import (
    ben_or,
    ben_or_variants,
    bully,
    bully_epochs,
    bully_variants,
    generals,
    generals_variants,
    highest_id,
    highest_id_variants,
    multi_paxos,
    multi_paxos_variants,
    paxos,
    paxos_variants,
    pbft,
    pbft_variants,
    raft,
    raft_membership_variants,
    raft_prevote_variants,
    raft_reads_variants,
    raft_snapshots_variants,
    raft_variants,
    ring,
    ring_cases,
    ring_variants,
    two_phase_commit,
    two_phase_commit_variants,
)
from dslab.sim import DslabError, System, simulate
from dslab.sim.case import Case

sys.path.insert(0, str(Path(__file__).parent))

import random_byzantine
import random_extensions
import random_runs

FAULTS, QUIET = 1_500, 2_500      # ms
STOPS_FROM = 10_000               # seeds from here on have servers that stop for good
AIMED_FROM = 20_000               # and from here on faults aimed at one server; see aimed


class Attempt(NamedTuple):
    """One run: of a protocol with a mutation, and of the same protocol without."""

    mutant: System
    right: System
    case: Case


def aimed(system: System, seed: int, until: float) -> list[dict[str, Any]]:
    """Random actions in quick succession, most of them about one server, which stands for election now and then.

    There are faults that `random_schedule` has not: one direction of a link cut, also to or from a client; slow links;
    clocks that run too fast or too slow.

    Args:
        system, seed, until: as for random_schedule.
    """
    random = Random(f"aimed/{seed}")
    pause = random.choice([40, 80, 160])         # ms, the longest between two actions
    kinds = random.choices(("request", "stand", "apart", "heal", "cut", "mend", "slow", "loss", "crash", "restart",
                            "skew"), k=5)        # what this run has more of
    kinds += ["request", "request", "request", "stand", "apart", "heal", "cut", "crash", "restart"]
    chief, written, at = random.choice(system.servers), 0, 0
    schedule: list[dict[str, Any]] = []
    while (at := at + random.randint(1, pause)) < until:
        kind = random.choice(kinds)
        node = chief if random.random() < 0.7 else random.choice(system.servers)
        other = random.choice([name for name in system.nodes if name != node])
        source, target = random.sample([node, other], 2)
        if kind == "stand":
            chief = node = random.choice(system.servers)
        written += kind == "request"
        act: dict[str, Any] = {
            "request": {"do": "request", "command": f"x={written}", "to": node,
                        "client": random.choice(system.clients)},
            "stand": {"do": "timeout", "node": node, "timer": "election"},
            "apart": {"do": "partition", "groups": [[node]]},
            "heal": {"do": "heal"},
            "cut": {"do": "cut", "source": source, "target": target},
            "mend": {"do": "mend", "source": source, "target": target},
            "slow": {"do": "link", "source": source, "target": target, "latency": random.choice([1, 30, 100, 300])},
            "loss": {"do": "link", "source": source, "target": target, "loss": random.choice([0.2, 0.5, 0.9])},
            "crash": {"do": "crash", "node": node},
            "restart": {"do": "restart", "node": node},
            "skew": {"do": "skew", "node": node, "rate": random.choice([0.5, 2, 3])},
        }[kind]
        schedule.append({"at": at, **act})
    return schedule


def noisy(make: Callable[..., System], usual: type, mutant: type, seed: int, kinds: tuple[str, ...] = (),
          quiet: int = QUIET, most_down: int | None = None, **options: Any) -> Attempt:
    """Random faults, then quiet, but from STOPS_FROM on some servers stop for good; a last request is answered.

    In quiet, links are as they were before; clocks stay too fast or too slow.
    """
    nodes, clients = (3 if seed % 2 else 5, 2) if seed < AIMED_FROM else ((5, 3, 4, 3)[seed % 4], 3)
    right = make(nodes, server=usual, clients=clients, **options)
    if kinds or seed < AIMED_FROM:
        kinds = kinds or (KINDS if seed % 4 < 2 else HOSTILE)
        schedule = settled(random_schedule(right, seed, FAULTS, kinds), right, FAULTS)
        for number, action in enumerate(schedule):
            if action["do"] == "request" and (seed + number) % 2:
                action["client"] = "c2"
    else:
        schedule = settled(aimed(right, seed, FAULTS), right, FAULTS)
        for action in schedule:
            if action["do"] == "link" and action["at"] == FAULTS:
                action["latency"] = right.network.latency
    if seed < STOPS_FROM:
        schedule.append({"at": FAULTS + 100, "do": "request", "command": "last"})
    else:
        random = Random(f"stops/{seed}")
        for node in random.sample(right.servers, random.randint(0, most_down or (nodes - 1) // 2)):
            schedule.append({"at": FAULTS + random.randint(1, 200), "do": "crash", "node": node})
        to = random.choice(right.servers)
        schedule.append({"at": FAULTS + random.randint(1, 250), "do": "request", "command": "last", "to": to})
        schedule.sort(key=lambda action: action["at"])
    case = Case(f"seed-{seed}", "", schedule, FAULTS + quiet, nodes=nodes, clients=clients, seed=seed)
    return Attempt(make(nodes, server=mutant, clients=clients, **options), right, case)


def any_faults(mutant: type, seed: int) -> Attempt:
    """Raft under faults that may last to the end: safety only; see random_runs."""
    nodes = 3 if seed % 2 else 5
    options: dict[str, Any] = {"disk": (0, 20) if seed % 3 else 0}
    right = raft.cluster(nodes, **options)
    schedule = random_schedule(right, seed, random_runs.UNTIL - 300, KINDS if seed % 4 < 2 else HOSTILE)
    case = Case(f"seed-{seed}", "", schedule, random_runs.UNTIL, nodes=nodes, seed=seed, progress=False)
    return Attempt(raft.cluster(nodes, server=mutant, **options), right, case)


def calm_election(mutant: type, seed: int) -> Attempt:
    """An election by announcement in which some stop for good; ten servers now and then, whose names are n1 to n10."""
    nodes = (3, 5, 10)[seed % 3]
    right = highest_id.cluster(nodes)
    random = Random(f"calm/{seed}")
    stops = random.sample(right.servers, random.randrange(nodes))
    schedule: list[dict[str, Any]] = [{"at": random.randint(1, 300), "do": "crash", "node": node} for node in stops]
    at, to = random.randint(1, 1_000), random.choice(right.servers)
    schedule += [{"at": at, "do": "request", "command": "x=1", "to": to}]
    case = Case(f"seed-{seed}", "", sorted(schedule, key=lambda a: a["at"]), 10_000, nodes=nodes, seed=seed)
    return Attempt(highest_id.cluster(nodes, server=mutant), right, case)


def reliable_election(mutant: type, seed: int) -> Attempt:
    """A bully election within its assumptions: servers stop and come back, nothing is lost."""
    return noisy(bully.cluster, bully.Server, mutant, seed, ("request", "crash", "restart", "reboot"), most_down=2)


def ring_election(mutant: type, seed: int) -> Attempt:
    """Questions to some servers of a ring, at any time, and any faults in every other run."""
    if seed % 2:
        return noisy(ring.cluster, ring.Server, mutant, seed)
    random = Random(f"ring/{seed}")
    nodes = random.randint(3, 6)
    right = ring_cases.stage(nodes)
    schedule = [{"at": random.randint(1, 100), "do": "request", "command": "who?", "to": random.choice(right.servers),
                 "client": f"c{i}"} for i in (1, 2)]
    case = Case(f"seed-{seed}", "", sorted(schedule, key=lambda a: a["at"]), 1_000, nodes=nodes, clients=2, seed=seed)
    return Attempt(ring_cases.stage(nodes, server=mutant), right, case)


def coin(mutant: type, seed: int) -> Attempt:
    """Ben-Or with random inputs, fewer than half stopping for good, messages fast or slow."""
    nodes = 2 + seed % 6
    random = Random(f"coin/{seed}")
    options = {"inputs": tuple(random.choices((0, 1), k=nodes)), "latency": (1, 200) if seed % 2 else 10}
    stops = random.sample(range(1, nodes + 1), random.randint(0, (nodes - 1) // 2))
    schedule = [{"at": random.randint(1, 80), "do": "crash", "node": f"n{n}"} for n in stops]
    schedule += [{"at": 10, "do": "request", "command": "what?", "to": f"n{random.randint(1, nodes)}"}]
    case = Case(f"seed-{seed}", "", sorted(schedule, key=lambda a: a["at"]), 10_000, nodes=nodes, seed=seed)
    return Attempt(ben_or.cluster(nodes, server=mutant, **options), ben_or.cluster(nodes, **options), case)


def liars(mutant: type, seed: int) -> Attempt:
    """Byzantine generals with as many traitors as they stand, who lie about values and paths, or are late."""
    random = Random(f"liars/{seed}")
    nodes = random.choice([4, 4, 5, 7])
    right = generals.cluster(nodes)
    schedule: list[dict[str, Any]] = []
    for node in random.sample(right.servers, (nodes - 1) // 3):
        others = [other for other in right.servers if other != node]
        for _ in range(random.randint(1, 2)):
            to = sorted(random.sample(others, random.randint(1, len(others))))
            fields: dict[str, Any] = {"value": random.choice([generals.ATTACK, generals.RETREAT])}
            if random.random() < 0.3:
                fields["path"] = ["n1", random.choice(others)]
            lie: dict[str, Any] = random.choice([{"behaviour": "equivocate", "fields": fields, "to": to}] * 3 + [
                {"behaviour": "silent", "to": to}, {"behaviour": "delay", "by": random.choice([10, 20, 30]), "to": to}])
            schedule.append({"at": random.choice([1, 1, 30, 50]), "do": "turn_traitor", "node": node, **lie})
    case = Case(f"seed-{seed}", "", sorted(schedule, key=lambda a: a["at"]), 300, nodes=nodes, clients=0, seed=seed)
    return Attempt(generals.cluster(nodes, server=mutant), right, case)


def plot(mutant: type, seed: int) -> Attempt:
    """One liar among PBFT's replicas; see random_byzantine."""
    nodes = 5 if mutant is pbft_variants.MajorityQuorum else 4
    case = random_byzantine.plot(seed, nodes)
    part = {"client" if issubclass(mutant, pbft.Client) else "server": mutant}
    return Attempt(pbft.cluster(nodes, clients=2, **part), pbft.cluster(nodes, clients=2), case)


def extension(variant: str) -> Callable[[type, int], Attempt]:
    """An extension of Raft under faults, with what it is about happening in them; see random_extensions."""
    def attempt(mutant: type, seed: int) -> Attempt:
        right, wrong = (random_extensions.system_for(variant, seed) for _ in range(2))
        wrong.classes.update(dict.fromkeys(wrong.servers, mutant))
        schedule = settled(random_extensions.schedule_for(variant, right, seed), right, 2_700)
        schedule.append({"at": 2_800, "do": "request", "command": "last"})
        return Attempt(wrong, right, Case(f"seed-{seed}", "", schedule, 6_000, len(right.servers), 3, seed))
    return attempt


def transaction(mutant: type, seed: int) -> Attempt:
    """Two-phase commit with slow and lossy links."""
    nodes = 2 + seed % 3
    part = "manager" if issubclass(mutant, two_phase_commit.TransactionManager) else "resource"
    right = two_phase_commit.cluster(nodes)
    schedule = random_schedule(right, seed, 600, ("loss", "duplicate", "partition", "heal", "timeout"))
    return Attempt(two_phase_commit.cluster(nodes, **{part: mutant}), right,
                   Case(f"seed-{seed}", "", schedule, 1_500, nodes=nodes, clients=0, seed=seed, progress=False))


def plainly(make: Callable[..., System], usual: type, **options: Any) -> Callable[[type, int], Attempt]:
    """`noisy` for a protocol whose servers run one class."""
    return lambda mutant, seed: noisy(make, usual, mutant, seed, **options)


def with_store(mutant: type, seed: int) -> Attempt:
    """Bully elections that go wrong, around a store that must not."""
    right = bully_epochs.cluster(3, clients=2)
    schedule = random_schedule(right, seed, FAULTS, KINDS)
    return Attempt(bully_epochs.cluster(3, clients=2, store=mutant), right,
                   Case(f"seed-{seed}", "", schedule, FAULTS + QUIET, 3, 2, seed, progress=False))


PROTOCOLS: dict[str, tuple[tuple[type, ...], Callable[[type, int], Attempt]]] = {
    "highest_id": (highest_id_variants.MUTANTS, calm_election),
    "bully": (bully_variants.MUTANTS, reliable_election),
    "bully_epochs": (bully_epochs.MUTANTS, with_store),
    "ring": (ring_variants.MUTANTS, ring_election),
    "paxos": (paxos_variants.MUTANTS, plainly(paxos.cluster, paxos.Server)),
    "multi_paxos": (multi_paxos_variants.MUTANTS, plainly(multi_paxos.cluster, multi_paxos.Server)),
    "ben_or": (ben_or_variants.MUTANTS, coin),
    "raft": (raft_variants.MUTANTS, plainly(raft_variants.serving, raft.Server, quiet=6_000)),
    "raft_safety": (tuple(random_runs.MUTANTS.values()), any_faults),
    "raft_snapshots": (raft_snapshots_variants.MUTANTS, extension("snapshots")),
    "raft_prevote": (raft_prevote_variants.MUTANTS, extension("prevote")),
    "raft_membership": (raft_membership_variants.MUTANTS, extension("membership")),
    "raft_reads": (raft_reads_variants.MUTANTS, extension("reads")),
    "generals": (generals_variants.MUTANTS, liars),
    "pbft": (pbft_variants.MUTANTS, plot),
    "two_phase_commit": (two_phase_commit_variants.MUTANTS, transaction),
}


def broken(system: System, case: Case) -> str:
    """The name of the first promise that a run breaks: safety, then answers, then what must be reached; or ""."""
    try:
        trace = simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)
    except DslabError as error:
        verdict = first_violation(error.trace, system.always) if getattr(error, "trace", None) else None
        return verdict.name if verdict else "no_handler_fails"
    verdict = first_violation(trace, system.always)
    if verdict is None and case.progress:
        verdict = unanswered(trace) or next(
            (v for v in check_trace(trace, (), system.eventually) if v.status == NOT_YET), None)
    return verdict.name if verdict else ""


def found_at(protocol: str, mutant: type, seed: int) -> tuple[Attempt, str] | None:
    """The run with this seed and the promise that only the mutant breaks, if it breaks one."""
    attempt = PROTOCOLS[protocol][1](mutant, seed)
    name = broken(attempt.mutant, attempt.case)
    if not name or broken(attempt.right, attempt.case):
        return None
    return attempt, name


def smallest(attempt: Attempt, name: str, runs: int = 3_000) -> Minimised:
    """What is left of a run."""
    return minimise(attempt.mutant, attempt.case, name, right=attempt.right, runs=runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--protocol", choices=PROTOCOLS)
    parser.add_argument("--mutant", action="append", help="only these")
    parser.add_argument("--first", type=int, default=0, help="seed of the first run")
    parser.add_argument("--seeds", type=int, default=2_000, help="most runs for each mutant")
    parser.add_argument("--seconds", type=float, default=120, help="most CPU for each mutant")
    options = parser.parse_args()
    for protocol, (mutants, _) in PROTOCOLS.items():
        for mutant in mutants if options.protocol in (None, protocol) else ():
            if options.mutant and mutant.__name__ not in options.mutant:
                continue
            began, best = time.process_time(), None
            for seed in range(options.first, options.first + options.seeds):
                found = found_at(protocol, mutant, seed)
                if found:
                    small = smallest(*found)
                    if best is None or small.after["actions"] < best[1].after["actions"]:
                        best = seed, small
                    if best[1].after["actions"] <= 15:
                        break
                if time.process_time() - began > options.seconds:
                    break
            told: dict[str, Any] = {"protocol": protocol, "mutant": mutant.__name__, "seed": None}
            if best:
                seed, small = best
                told.update(seed=seed, property=small.verdict.name, before=small.before, after=small.after)
            print(json.dumps({**told, "cpu_s": round(time.process_time() - began, 1)}), flush=True)


if __name__ == "__main__":
    main()
