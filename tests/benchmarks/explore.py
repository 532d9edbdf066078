"""How fast the explorer is: prints one JSON object.

Work: single-decree Paxos, two proposers with one ballot each, three acceptors: 101,408 states, 518,682 steps. The same
Node classes are searched twice in one run: with nothing but the touched node looked up and exchanged, and with a deep
copy of every node at every step, nothing remembered; the second on as many states as `--naive` allows, in the same
order. Then two-phase commit with seven resource managers (296,448 states, the number that Stateright and TLC find),
with every manager for itself and with interchangeable ones (920). Times are CPU seconds, the best of several rounds.

Run: python tests/benchmarks/explore.py
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
from typing import Any

from dslab.check.explore import Exploration, explore
from dslab.protocols import paxos, two_phase_commit


def best(rounds: int, search: Any) -> Exploration:
    """The fastest of several equal searches."""
    return min((search() for _ in range(rounds)), key=lambda found: found.cpu_seconds)


def rate(found: Exploration) -> int:
    """States a CPU second."""
    return round(found.states / found.cpu_seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--naive", type=int, default=2_000, help="states of the naive search")
    parser.add_argument("--managers", type=int, default=7)
    options = parser.parse_args()
    cluster = paxos.cluster(proposers=2, acceptors=3, ballots=1)
    bounds: dict[str, Any] = {"timeouts": None}
    whole = best(options.rounds, lambda: explore(cluster, **bounds))
    bare = best(options.rounds, lambda: explore(cluster, always=(), goals=(), **bounds))
    naive = best(1, lambda: explore(cluster, copying="deepcopy", states=options.naive, **bounds))
    same = best(1, lambda: explore(cluster, states=options.naive, **bounds))
    assert (naive.states, naive.transitions) == (same.states, same.transitions)
    commit = two_phase_commit.cluster(options.managers)
    each = explore(commit, **two_phase_commit.BOUNDS)
    alike = explore(commit, symmetry=True, **two_phase_commit.BOUNDS)
    print(json.dumps({
        "paxos": {"result": whole.result, "states": whole.states, "transitions": whole.transitions,
                  "histories": whole.histories, "handler_runs": whole.handler_runs,
                  "handler_runs_per_transition": round(whole.handler_runs / whole.transitions, 6),
                  "cpu_s": round(whole.cpu_seconds, 3), "states_per_cpu_s": rate(whole),
                  "states_per_cpu_s_without_properties": rate(bare), "memory_mb": round(whole.memory_bytes / 1e6, 1)},
        "deepcopy": {"states": naive.states, "transitions": naive.transitions, "states_per_cpu_s": rate(naive),
                     "ours_on_the_whole_is_faster_by": round(rate(whole) / rate(naive), 1)},
        "two_phase_commit": {
            "managers": options.managers, "states": each.states, "transitions": each.transitions,
            "cpu_s": round(each.cpu_seconds, 2), "states_with_symmetry": alike.states,
            "cpu_s_with_symmetry": round(alike.cpu_seconds, 2)},
        "largest_resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "python": platform.python_version(), "platform": sys.platform}))


if __name__ == "__main__":
    main()
