"""The storage experiments: what each measures, for which options, and the paper's numbers beside."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from math import log2
from typing import Any, NamedTuple

from . import published
from .arguments import number, whole

Row = dict[str, Any]


class Option(NamedTuple):
    """One option of an experiment: its type, its values if it is not given, and what it is."""

    kind: Callable[[str], Any]
    usual: Sequence[Any]
    what: str


class Experiment(NamedTuple):
    """One experiment.

    Attributes:
        what: a line of help, with the source.
        options: those that take several values; one row is measured for each combination of them.
        measure: called as measure(seed=..., trials=..., **one value of each option); gives a row's numbers.
        trials: how many by default, and what they are.
        figure: name of a function in `storage_figures`, or None.
    """

    what: str
    options: dict[str, Option]
    measure: Callable[..., Row]
    trials: tuple[int, str]
    figure: str | None = None


def _pbs(trace: str, n: int, r: int, w: int, seed: int, trials: int) -> Row:
    from .pbs import TRACES, measure

    return measure(TRACES[trace], n=n, r=r, w=w, trials=trials, seed=seed).summary() | _paper(
        published.pbs(trace).get((r, w)) if n == 3 else None
    )


def _paper(numbers: dict[str, float] | None) -> Row:
    """The paper's numbers beside ours, where it has any."""
    return {"paper": numbers} if numbers else {}


def _chord_paths(nodes: int, seed: int, trials: int) -> Row:
    from .chord_ring import path_lengths

    path = path_lengths(nodes, keys_per_node=trials, seed=seed)
    ends = {f"p{percent}": path.percentile(percent) for percent in (1, 99)}
    return {"mean": round(path.mean, 3), **ends, "half_log2": round(log2(nodes) / 2, 3)}


def _chord_load(nodes: int, keys: int, virtual: int, seed: int, trials: int) -> Row:
    from .chord_ring import load

    measured = load(nodes, keys, virtual=virtual, rings=trials, seed=seed)
    ratios = {f"{name}_per_mean": getattr(measured, name) / measured.mean for name in ("p1", "p99", "largest")}
    return {name: round(value, 3) for name, value in {**ratios, "empty": measured.empty}.items()}


def _chord_failures(failed: float, nodes: int, seed: int, trials: int) -> Row:
    from .chord_churn import without_stabilisation
    from .chord_ring import failed_lookups

    lost, hops = failed_lookups(failed, nodes=nodes, keys=100 * trials, seed=seed)
    before = without_stabilisation(failed, nodes=min(nodes, 1000), lookups=trials, seed=seed)
    paper = {name: published.chord("without-stabilisation", name).get(failed) for name in ("hops", "timeouts")}
    return {
        "stabilised": {"failed_lookups": round(lost, 4), "hops": round(hops, 3)},
        "without_stabilisation": {"hops": round(before.hops, 3), "timeouts": round(before.timeouts, 3)},
    } | _paper({name: value for name, value in paper.items() if value is not None})


def _chord_churn(rules: str, rate: float, seed: int, trials: int) -> Row:
    from .chord_churn import churn

    old = {"nodes": 500, "list_length": 1, "all_fingers": True, "retry": False}
    measured = churn(rate, hours=trials / 60, seed=seed, **(old if rules == "2001" else {}))
    per_10_000 = 10_000 * measured.failed / measured.lookups
    failed = published.chord(f"churn-{rules}", "failed").get(rate)
    return {
        "lookups": measured.lookups,
        "failed_per_10000": round(per_10_000, 2),
        "hops": round(measured.hops, 3),
        "timeouts": round(measured.timeouts, 3),
    } | _paper({} if failed is None else {"failed_per_10000": failed})


def _kademlia(nodes: int, k: int, seed: int, trials: int) -> Row:
    from .kademlia_hops import hops

    return {"mean": round(hops(nodes, k, lookups=trials, seed=seed).mean, 3)}


def _arcs(nodes: int, seed: int, trials: int) -> Row:
    from .placement import largest_arc, moved

    harmonic = sum(1 / i for i in range(1, nodes + 1))
    few = min(trials, 20)
    ring, modulo = moved(nodes, rings=few, seed=seed), moved(nodes, rings=few, modulo=True, seed=seed)
    return {
        "largest_arc_per_mean": round(largest_arc(nodes, rings=trials, seed=seed), 3),
        "harmonic": round(harmonic, 3),
        "moved_by_one_more": round(ring.share, 5),
        "one_of_n_plus_1": round(1 / (nodes + 1), 5),
        "moved_modulo": round(modulo.share, 5),
    }


def _bounded(nodes: int, keys: int, c: float, seed: int, trials: int) -> Row:
    from .placement import bounded_loads

    measured = bounded_loads(nodes, keys, c=c, rings=trials, seed=seed)
    return {**measured._asdict(), "extra_hops": round(measured.extra_hops, 4), "mean_load": keys / nodes}


def _gossip(nodes: int, direction: Any, seed: int, trials: int) -> Row:
    from .gossip import spread

    return {"rounds": round(spread(nodes, direction, trials=trials, seed=seed).mean, 3)}


def _rumours(k: int, direction: Any, interest: str, seed: int, trials: int) -> Row:
    from .gossip import rumour

    counts, loses = interest.split("-")
    measured = rumour(
        k, direction=direction, feedback=counts == "feedback", counter=loses == "counter", trials=trials, seed=seed
    )
    rounded = {name: float(f"{value:.4g}") for name, value in measured._asdict().items()}
    return rounded | _paper(published.rumours(direction, interest.replace("-", " and ")).get(k))


def _one_of(*names: str) -> Callable[[str], str]:
    """An argument type: one of these names."""

    def convert(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(names)}")
        return text

    return convert


MILLION = 1_000_000
NODES = Option(whole(2, MILLION), (10_000,), "size of the network")
KEYS = Option(whole(1, 10 * MILLION), (500_000,), "in all")
EXPERIMENTS = {
    "pbs": Experiment(
        "Bailis et al. 2012, table 4: staleness of partial quorums",
        {
            "trace": Option(
                _one_of("LNKD-SSD", "LNKD-DISK", "YMMR", "WAN"),
                ("LNKD-DISK",),
                "the delays: LNKD-SSD, LNKD-DISK, YMMR, WAN",
            ),
            "n": Option(whole(1, 100), (3,), "replicas"),
            "r": Option(whole(1, 100), (1,), "answers that a read waits for"),
            "w": Option(whole(1, 100), (1,), "acknowledgements that a write waits for"),
        },
        _pbs,
        (400_000, "writes, each with a read"),
        "figure_pbs",
    ),
    "chord-paths": Experiment(
        "Stoica et al. 2001, Figure 10: hops of a lookup",
        {"nodes": NODES._replace(usual=tuple(2**k for k in range(3, 15)))},
        _chord_paths,
        (100, "lookups for each node"),
        "figure_paths",
    ),
    "chord-load": Experiment(
        "Stoica et al. 2001, Figures 8 and 9: keys per node, with virtual nodes",
        {
            "nodes": NODES,
            "keys": KEYS._replace(usual=(MILLION,)),
            "virtual": Option(whole(1, 1000), (1, 2, 5, 10, 20), "points of each node on the ring"),
        },
        _chord_load,
        (5, "rings"),
        "figure_virtual_nodes",
    ),
    "chord-failures": Experiment(
        "Stoica et al. 2001, section 6.3, and 2003, table II: many nodes fail at once",
        {
            "failed": Option(number(0, 0.9), (0.0, 0.1, 0.2, 0.3, 0.4, 0.5), "share of the nodes that fails"),
            "nodes": NODES,
        },
        _chord_failures,
        (10_000, "lookups, a hundred times as many after stabilisation"),
        "figure_failures",
    ),
    "chord-churn": Experiment(
        "Stoica et al. 2001, Figure 12, and 2003, table III: nodes join and fail all the time",
        {
            "rules": Option(_one_of("2001", "2003"), ("2003",), "2001 (no successor lists), 2003"),
            "rate": Option(number(0, 1), (0.05, 0.2, 0.4), "joins per second, and failures per second"),
        },
        _chord_churn,
        (120, "simulated minutes"),
    ),
    "kademlia-hops": Experiment(
        "Cai and Devroye 2013: hops of a lookup by the size of a bucket",
        {
            "nodes": NODES._replace(usual=(256, 1024, 4096, 16_384)),
            "k": Option(whole(1, 100), (1, 8, 20), "size of a bucket"),
        },
        _kademlia,
        (100_000, "lookups"),
        "figure_hops",
    ),
    "consistent-hashing": Experiment(
        "Karger et al. 1997: the largest arc, and what one more node moves",
        {"nodes": NODES._replace(usual=(10, 100, 1000))},
        _arcs,
        (100, "rings"),
    ),
    "bounded-loads": Experiment(
        "Mirrokni et al. 2018: capacity of c times the mean load",
        {
            "nodes": NODES._replace(usual=(1000,)),
            "keys": KEYS._replace(usual=(100_000,)),
            "c": Option(number(1.001, 100), (1.1, 1.25, 1.5, 2.0), "capacity, times the mean load"),
        },
        _bounded,
        (20, "rings"),
    ),
    "gossip": Experiment(
        "Pittel 1987, Karp et al. 2000: rounds until everybody knows",
        {
            "nodes": NODES._replace(usual=(100, 1000, 10_000)),
            "direction": Option(_one_of("push", "pull", "push-pull"), ("push", "push-pull"), "push, pull, push-pull"),
        },
        _gossip,
        (200, "trials"),
    ),
    "rumours": Experiment(
        "Demers et al. 1987, tables 1 to 3: sites that a rumour misses, among 1000",
        {
            "k": Option(whole(1, 50), (1, 2, 3, 4, 5), "how soon sites lose interest"),
            "direction": Option(_one_of("push", "pull"), ("push",), "push, pull"),
            "interest": Option(
                _one_of("feedback-counter", "feedback-coin", "blind-counter", "blind-coin"),
                ("feedback-counter", "blind-coin"),
                "feedback-counter, feedback-coin, blind-counter, blind-coin",
            ),
        },
        _rumours,
        (100, "trials"),
        "figure_rumours",
    ),
}


__all__ = ["EXPERIMENTS", "MILLION", "Experiment", "Option", "Row"]
