"""Chord, Kademlia, anti-entropy and replicated data types in short storms, judged while they run; see live_judge.

`python -m tests.protocols.random_replicas 10000` runs as many of each and prints one line of JSON for each, and one for
every run in which something is wrong. Longer storms of Chord, with a trace, are in random_churn.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from dslab.protocols import anti_entropy, chord, crdt, crdt_operations, crdt_steps_cases, kademlia
from dslab.protocols.chord_properties import ROUNDS, disorder
from dslab.protocols.chord_ring import PERIOD
from dslab.sim import System
from dslab.sim.case import Case

sys.path.insert(0, str(Path(__file__).parent))

from live_judge import LiveRun

OPERATIONS = {f"{cls.payload.kind} by operations": cls for cls in (
    crdt_operations.CounterReplica, crdt_operations.SetReplica, crdt_operations.SequenceReplica)}
TYPES = {**crdt.REPLICAS, **OPERATIONS}
SITES = (anti_entropy.Push, anti_entropy.Pull, anti_entropy.PushPull, anti_entropy.Comparing)
CONTENTS = tuple((f"k{number}", f"{number}") for number in range(8))
MENDED = ROUNDS * PERIOD + 100       # ms after the last change until a ring of Chord must be in order


class Attempt(NamedTuple):
    """A run, and what its end is asked: the name of what is wrong, or "". `storm_ms`: when the faults are over."""

    system: System
    case: Case
    at_end: Callable[[LiveRun], str]
    storm_ms: float


def _asks(at: float, command: str, to: str, client: str = "c1") -> dict[str, Any]:
    return {"at": at, "do": "request", "command": command, "to": to, "client": client}


def newest_is_read(run: LiveRun) -> str:
    """One client's reads give what it wrote last; writes and reads of others do not overlap them."""
    newest: dict[str, str] = {}
    for operation in run.history:
        name, is_write, value = operation["command"].partition("=")
        if is_write:
            newest[name] = value
        elif operation["completed_us"] is not None and operation["result"] != newest.get(name):
            return "newest_is_read"
    return ""


# ---- Chord: three to eight servers


def ring(seed: int, server: type = chord.Server) -> Attempt:
    """Two bursts in which servers join, leave, fail and come back; at least three stay, at most two go in a burst."""
    random = Random(f"ring/{seed}")
    nodes = 3 + seed % 6
    names = [f"n{i}" for i in range(1, nodes + 1)]
    away = random.sample(names[1:], random.randint(0, nodes - 3))
    absent = tuple(sorted(away))
    up, down, at = [name for name in names if name not in away], [], 100
    schedule = []
    for i in range(4):
        schedule.append(_asks(at := at + random.randint(30, 90), f"k{i}={i}", random.choice(up)))
    at += 600
    for _ in range(2):
        lost = 0
        for _ in range(random.randint(2, 5)):
            at += random.randint(0, 60)
            kind = random.choice(["join", "join", "leave", "crash", "restart"])
            if kind == "join" and away:
                joins = away.pop(random.randrange(len(away)))
                schedule.append({"at": at, "do": "join", "node": joins, "to": random.choice(up)})
                up.append(joins)
            elif kind == "restart" and down:
                up.append(down.pop(random.randrange(len(down))))
                schedule.append({"at": at, "do": "restart", "node": up[-1]})
            elif kind in ("leave", "crash") and len(up) > 3 and lost < 2:
                lost += 1
                gone = up.pop(random.randrange(len(up)))
                (away if kind == "leave" else down).append(gone)
                schedule.append({"at": at, "do": kind, "node": gone})
        at += random.randint(0, 300)
        schedule.append(_asks(at, f"k{random.randrange(4)}={at}", random.choice(up)))
        changed, at = at, at + random.randint(3_000, 4_000)
    at = changed + MENDED
    schedule += [_asks(at, f"k{i}", name) for i in range(4) for name in random.sample(up, 2)]

    def at_end(run: LiveRun) -> str:
        return "ring_in_order" if disorder(run.world) else newest_is_read(run)
    case = Case(f"ring-{seed}", "", schedule, at + 8_000, nodes=nodes, seed=seed)
    return Attempt(chord.cluster(nodes, absent=absent, copies=3, server=server), case, at_end, changed)


# ---- Kademlia: eight servers and two that join


def xor(seed: int, server: type = kademlia.Server) -> Attempt:
    """Four keys are written, twice one or two of eight servers fail, or fail and come back, and two join."""
    random = Random(f"xor/{seed}")
    names = [f"n{i}" for i in range(1, 9)]
    schedule = [_asks(100 + 100 * i, f"k{i}={i}", random.choice(names)) for i in range(4)]
    at = 600
    for _ in range(2):
        at += random.randint(1_500, 2_500)
        for name in random.sample(names[1:], random.randint(1, 2)):
            schedule.append({"at": at + random.randint(0, 60), "do": "crash", "node": name})
            if random.random() < 0.4:
                schedule.append({"at": at + random.randint(100, 900), "do": "restart", "node": name})
            else:
                names.remove(name)
        schedule.append(_asks(at + 30, f"#{random.getrandbits(16)}", random.choice(names)))
    for name in ("n9", "n10"):
        schedule.append({"at": random.randint(600, at), "do": "join", "node": name, "to": "n1"})
    changed = at + 900
    at += 3_000
    schedule += [_asks(at + 100 * i, f"k{i}", random.choice([*names, "n9", "n10"])) for i in range(4)]
    schedule += [_asks(at + 500, f"#{random.getrandbits(16)}", name) for name in random.sample(names, 2)]

    def at_end(run: LiveRun) -> str:
        run.history[:] = [o for o in run.history if o["command"][0] != "#"]
        return newest_is_read(run)
    case = Case(f"xor-{seed}", "", sorted(schedule, key=lambda act: act["at"]), at + 4_000, nodes=10, seed=seed)
    return Attempt(kademlia.cluster(10, absent=("n9", "n10"), refresh=1_500, server=server), case, at_end, changed)


# ---- sites that exchange updates


def site_storm(seed: int, nodes: int, until: float = 2_000, also: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Random writes and deletes at all sites, with losses, copies, partitions and restarts that end.

    Args:
        seed, nodes: as in a Case. until: ms.
        also: more kinds of faults: "pause", "cut" (one way), "slow", "skew".
    """
    random = Random(f"sites/{seed}")
    sites = [f"n{i}" for i in range(1, nodes + 1)]
    schedule: list[dict[str, Any]] = []
    at = 0
    while (at := at + random.randint(10, 100)) < until:
        site, other = random.sample(sites, 2)
        key = random.choice("abcd")
        more = {"pause": {"do": "pause", "node": site}, "cut": {"do": "cut", "source": site, "target": other},
                "slow": {"do": "link", "source": site, "target": other, "latency": [1, 300]},
                "skew": {"do": "skew", "node": site, "rate": 2}}
        schedule.append({"at": at, **random.choice([
            {"do": "request", "command": f"{key}={at}", "to": site, "client": random.choice(["c1", "c2"])},
            {"do": "request", "command": f"{key}={at}", "to": site, "client": random.choice(["c1", "c2"])},
            {"do": "request", "command": f"delete {key}", "to": site, "client": random.choice(["c1", "c2"])},
            {"do": "link", "source": site, "target": other, "loss": random.choice([0, 0.5]), "duplicate": 0.5},
            {"do": "partition", "groups": [[site]]}, {"do": "heal"}, {"do": "crash", "node": site},
            {"do": "restart", "node": other}, *(more[kind] for kind in also),
            *({"do": "resume", "node": site} for kind in also if kind == "pause")])})
    schedule += [{"at": until, "do": "heal"}, *({"at": until, "do": "restart", "node": site} for site in sites)]
    schedule += [{"at": until, "do": "resume", "node": site} for site in sites if "pause" in also]
    slow = {"latency": list(anti_entropy.LATENCY)} if "slow" in also else {}
    schedule += [{"at": until, "do": "link", "source": one, "target": two, "loss": 0, **slow}
                 for one in sites for two in sites if one != two]
    return schedule


def sites(seed: int, server: type | None = None) -> Attempt:
    """Three to five sites; the end asks whether all hold the same."""
    nodes, kind = 3 + seed % 3, SITES[seed // 3 % 4]
    system = anti_entropy.cluster(nodes, server=server or kind, clients=2, contents=CONTENTS)
    schedule = site_storm(seed, nodes, 1_500, () if seed % 2 else ("pause", "cut", "slow", "skew"))
    schedule.append(_asks(3_300, "a", "n1"))

    def at_end(run: LiveRun) -> str:
        stores = [site.store for site in run.world.servers]
        return "" if all(store == stores[0] for store in stores) else "all_the_same"
    return Attempt(system, Case(f"sites-{seed}", "", schedule, 6_000, nodes=nodes, clients=2, seed=seed), at_end, 1_500)


# ---- replicated data types


def types(seed: int, server: type | None = None) -> Attempt:
    """Every type in turn; the end asks whether all have heard of all updates and are read alike."""
    replica = server or list(TYPES.values())[seed % len(TYPES)]
    nodes = 5 if seed // len(TYPES) % 2 else 3
    case = crdt_steps_cases.storms([seed], replica.payload, nodes)[0]

    def at_end(run: LiveRun) -> str:
        servers = run.world.servers
        issued = {one.id: len(one.issued) for one in servers}
        if any({name: one.seen.get(name, 0) for name in issued} != issued for one in servers):
            return "all_heard"
        reads = [o["result"] for o in run.history if o["invoked_us"] >= 3_000_000]
        return "" if all(read == reads[0] for read in reads) else "read_alike"
    return Attempt(crdt.cluster(nodes, server=replica, clients=2), case, at_end, crdt_steps_cases.STORM_MS)


RUNS: dict[str, Callable[[int], Attempt]] = {"crdt": types, "chord": ring, "kademlia": xor, "anti_entropy": sites}


def one_run(name: str, seed: int, **parts: Any) -> tuple[str, LiveRun, Attempt]:
    """What is wrong with the run of this seed, or ""; the run; and how it was made."""
    attempt = RUNS[name](seed, **parts)
    run = LiveRun(attempt.system, attempt.case)
    wrong = run.broken or ("requests_are_answered" if run.open else "") or attempt.at_end(run)
    return wrong, run, attempt


def many(name: str, seeds: range, seconds: float) -> Counter[str]:
    total: Counter[str] = Counter()
    ends = time.process_time() + seconds
    for seed in seeds:
        wrong, run, attempt = one_run(name, seed)
        early = sum(o["completed_us"] is not None and o["completed_us"] < 1_000 * attempt.storm_ms for o in run.history)
        total.update(runs=1, bad_runs=bool(wrong), events=run.events_done, operations=len(run.history),
                     answered_in_storm=early, runs_with_answers_in_storm=bool(early))
        if wrong:
            total[wrong] += 1
            print(json.dumps({"protocol": name, "seed": seed, "wrong": wrong}), flush=True)
        if time.process_time() > ends:
            break
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int)
    parser.add_argument("--first", type=int, default=0, help="seed of the first run")
    parser.add_argument("--seconds", type=float, default=600, help="of CPU for each")
    parser.add_argument("--protocol", choices=RUNS, action="append")
    options = parser.parse_args()
    for name in options.protocol or RUNS:
        began = time.process_time()
        total = many(name, range(options.first, options.first + options.runs), options.seconds)
        print(json.dumps({"protocol": name, **total, "cpu_s": round(time.process_time() - began, 1)}), flush=True)


if __name__ == "__main__":
    main()
