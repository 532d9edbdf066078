"""Figures of the storage experiments: lines are measured here, open markers are the papers' own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from math import log2
from typing import Any

from . import published
from .chord_churn import without_stabilisation
from .chord_ring import load, path_lengths
from .election_figures import LOOKS
from .gossip import rumour
from .kademlia_hops import hops
from .pbs import TRACES, measure

PAPER = {"linestyle": "none", "markerfacecolor": "white", "markersize": 7, "zorder": 3}


@contextmanager
def _panels(number: int, note: str) -> Any:
    """A figure with panels side by side, and a line below that says what is whose."""
    import matplotlib.pyplot as plt

    with plt.style.context("default"):
        figure, axes = plt.subplots(
            1, number, figsize=(7.5 if number > 1 else 6, 3.6), squeeze=False, layout="constrained"
        )
        yield figure, axes[0]
        for axis in axes[0]:
            axis.grid(color="#dddddd", linewidth=0.6)
            if axis.get_legend_handles_labels()[0]:
                axis.legend(framealpha=1, fontsize=8)
        figure.supxlabel(note, fontsize=9, x=0.02, ha="left")
        plt.close(figure)  # whoever asked for it shows it, once


def figure_pbs(
    traces: Sequence[str] = ("LNKD-SSD", "LNKD-DISK", "YMMR", "WAN"), *, trials: int = 100_000, seed: int = 1
) -> Any:
    """How likely a read with N = 3, R = W = 1 sees a write, by how long after the commit it begins.

    Args:
        traces: names from TRACES.
        trials: pairs of a write and a read for each.
        seed: any integer from 0.

    Returns:
        A matplotlib Figure; the markers are the paper's times for 99.9 %.
    """
    with _panels(1, "Lines: this simulation. Markers: Bailis et al. 2012, table 4, 99.9 %.") as (figure, (axis,)):
        for name, (colour, style, marker) in zip(traces, LOOKS, strict=False):
            measured = measure(TRACES[name], trials=trials, seed=seed)
            after = [10 ** (step / 20) for step in range(-20, 71)]
            seen = [100 * measured.consistent(ms) for ms in after]
            axis.plot(after, seen, color=colour, linestyle=style, label=name)
            paper = published.pbs(name).get((1, 1))
            if paper:
                axis.plot(paper["t_visibility_ms"], 99.9, color=colour, marker=marker, **PAPER)
        axis.set(xscale="log", xlabel="read begins so long after the commit (ms)")
        axis.set(ylabel="reads that see the write (%)", ylim=(25, 101))
        axis.xaxis.set_major_formatter("{x:g}")
    return figure


def figure_paths(exponents: Sequence[int] = range(3, 14), *, keys_per_node: int = 20, seed: int = 1) -> Any:
    """Hops of a Chord lookup by the size of the ring, with the 1st and 99th percentiles.

    Args:
        exponents: rings of 2 to the power of each.
        keys_per_node: lookups for each node.
        seed: any integer from 0.
    """
    measured = [path_lengths(2**k, keys_per_node=keys_per_node, seed=seed) for k in exponents]
    with _panels(1, "Bars: 1st to 99th percentile. Marker: Stoica et al. 2001, 6.2.") as (
        figure,
        (axis,),
    ):
        sizes, means = [path.nodes for path in measured], [path.mean for path in measured]
        low, high = (
            [abs(path.percentile(percent) - path.mean) for path in measured] for percent in (1, 99)
        )
        axis.errorbar(sizes, means, (low, high), color=LOOKS[0][0], marker="o", markersize=4, capsize=3, label="mean")
        axis.plot(sizes, [log2(size) / 2 for size in sizes], color="#000000", linestyle=":", label="half of log2 N")
        paper = published.chord("paths", "middle")
        axis.plot(paper.keys(), paper.values(), color="#000000", marker="D", label="paper", **PAPER)
        axis.set(xscale="log", xlabel="nodes N", ylabel="hops", ylim=(0, None))
    return figure


def figure_virtual_nodes(
    points: Sequence[int] = (1, 2, 5, 10, 20), *, nodes: int = 10_000, keys: int = 1_000_000, seed: int = 1
) -> Any:
    """Keys per node by the number of points of each node on the ring.

    Args:
        points: of each node.
        nodes, keys: how many.
        seed: any integer from 0.
    """
    measured = [load(nodes, keys, virtual=number, rings=1, seed=seed) for number in points]
    with _panels(1, "Lines: this simulation. Markers: Stoica et al. 2001, Figure 9.") as (figure, (axis,)):
        for name, (colour, style, marker) in zip(("p1", "p99"), LOOKS, strict=False):
            label = "1st percentile" if name == "p1" else "99th percentile"
            line = [getattr(one, name) / one.mean for one in measured]
            axis.plot(points, line, color=colour, linestyle=style, label=label)
            paper = published.chord("virtual-nodes", name)
            axis.plot(paper.keys(), paper.values(), color=colour, marker=marker, **PAPER)
        axis.axhline(1, color="#000000", linewidth=0.8)
        axis.set(xlabel="points of each node on the ring", ylabel="keys of a node, times the mean", ylim=(-0.1, None))
    return figure


def figure_failures(
    shares: Sequence[float] = (0, 0.1, 0.2, 0.3, 0.4, 0.5), *, lookups: int = 2_000, seed: int = 1
) -> Any:
    """Hops and time-outs of Chord lookups right after many nodes failed at once.

    Args:
        shares: of the nodes that failed.
        lookups: for each.
        seed: any integer from 0.
    """
    measured = [without_stabilisation(share, lookups=lookups, seed=seed) for share in shares]
    with _panels(2, "1000 nodes, 20 successors each. Markers: Stoica et al. 2003, table II.") as (figure, axes):
        for axis, name, (colour, style, marker) in zip(axes, ("hops", "timeouts"), LOOKS, strict=False):
            axis.plot(shares, [getattr(one, name) for one in measured], color=colour, linestyle=style)
            paper = published.chord("without-stabilisation", name)
            axis.plot(paper.keys(), paper.values(), color=colour, marker=marker, **PAPER)
            axis.set(xlabel="share of the nodes that failed", ylabel=f"{name} of a lookup, mean", ylim=(0, None))
    return figure


def figure_hops(
    sizes: Sequence[int] = (1, 8, 20),
    exponents: Sequence[int] = (8, 10, 12, 14),
    *,
    lookups: int = 20_000,
    seed: int = 1,
) -> Any:
    """Hops of a Kademlia lookup by the size of the network and of a bucket.

    Args:
        sizes: of a bucket.
        exponents: networks of 2 to the power of each.
        lookups: for each.
        seed: any integer from 0.
    """
    with _panels(1, "One greedy path through full buckets.") as (figure, (axis,)):
        nodes = [2**exponent for exponent in exponents]
        for k, (colour, style, marker) in zip(sizes, LOOKS, strict=False):
            line = [hops(size, k, lookups=lookups, seed=seed).mean for size in nodes]
            axis.plot(nodes, line, color=colour, linestyle=style, marker=marker, label=f"k = {k}")
        axis.plot(nodes, [log2(size) / 2 for size in nodes], color="#000000", linestyle=":", label="half of log2 N")
        axis.set(xscale="log", xlabel="nodes N", ylabel="hops, mean", ylim=(0, None))
    return figure


def figure_rumours(most: int = 5, *, trials: int = 50, seed: int = 1) -> Any:
    """Sites that a rumour misses, by how soon sites lose interest in it, and what that costs.

    Args:
        most: the largest k.
        trials: for each point.
        seed: any integer from 0.
    """
    kinds = {"feedback and counter": (True, True), "blind and coin": (False, False)}
    with _panels(2, "1000 sites, push. Markers: Demers et al. 1987, tables 1 and 2.") as (figure, axes):
        for (kind, (feedback, counter)), (colour, style, marker) in zip(kinds.items(), LOOKS, strict=False):
            ks = range(1, most + 1)
            measured = [rumour(k, feedback=feedback, counter=counter, trials=trials, seed=seed) for k in ks]
            paper = published.rumours("push", kind)
            for axis, name in zip(axes, ("residue", "messages"), strict=True):
                axis.plot(ks, [getattr(one, name) for one in measured], color=colour, linestyle=style, label=kind)
                line = [numbers[name] for numbers in paper.values()]
                axis.plot(list(paper), line, color=colour, marker=marker, **PAPER)
                axis.set(xlabel="k", xticks=list(ks))
        axes[0].set(yscale="log", ylabel="share of the sites that never hear it")
        axes[1].set(ylabel="messages for each site")
    return figure


__all__ = [
    "figure_failures",
    "figure_hops",
    "figure_paths",
    "figure_pbs",
    "figure_rumours",
    "figure_virtual_nodes",
]
