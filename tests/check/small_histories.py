"""All small histories, up to names: for proofs by enumeration."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from dslab.check.history import Operation


def single(size: int, keys: int = 2, processes: int = 4) -> Iterator[list[Operation]]:
    """All histories of so many reads and writes, one after another, each write of a value of its own.

    Processes and keys are named in the order in which they appear; reads show anything that is written to the key, also
    later, or nothing.
    """
    for owners in _named(size, processes):
        for objects in _named(size, keys):
            for kinds in product("wr", repeat=size):
                wrote = {n: [m + 1 for m in range(size) if kinds[m] == "w" and objects[m] == objects[n]]
                         for n in range(size)}
                options = [[n + 1] if kinds[n] == "w" else [None, *wrote[n]] for n in range(size)]
                for values in product(*options):
                    yield [
                        Operation(f"c{owners[n] + 1}", "write" if kinds[n] == "w" else "read", "xy"[objects[n]],
                                  values[n] if kinds[n] == "w" else None, None if kinds[n] == "w" else values[n],
                                  2 * n, 2 * n + 1)
                        for n in range(size)
                    ]


def transactional(sizes: tuple[int, ...], processes: int = 2, keys: int = 2) -> Iterator[list[Operation]]:
    """All histories of transactions with so many parts, one after another, on registers; no transaction disagrees with
    itself, and none touches an object twice in the same way."""
    total = sum(sizes)
    for objects in _named(total, keys):
        for kinds in product("wr", repeat=total):
            starts = [sum(sizes[:n]) for n in range(len(sizes))]
            groups = [range(start, start + size) for start, size in zip(starts, sizes, strict=True)]
            if any(len({(kinds[m], objects[m]) for m in group}) < len(group) for group in groups):
                continue
            if any(kinds[m] == "w" and kinds[k] == "r" and objects[m] == objects[k]
                   for group in groups for m in group for k in group if m < k):
                continue
            wrote = {n: [m + 1 for m in range(total) if kinds[m] == "w" and objects[m] == objects[n]]
                     for n in range(total)}
            options = [[n + 1] if kinds[n] == "w" else [None, *wrote[n]] for n in range(total)]
            for values in product(*options):
                for owners in _named(len(sizes), processes):
                    yield [
                        Operation(f"c{owners[n] + 1}", "txn", None, None,
                                  tuple((kinds[m], "xy"[objects[m]], values[m]) for m in group), 2 * n, 2 * n + 1)
                        for n, group in enumerate(groups)
                    ]


def _named(size: int, names: int) -> Iterator[tuple[int, ...]]:
    """All ways to name things in the order in which they appear."""
    def grow(done: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(done) == size:
            yield done
            return
        for name in range(min(names, max(done, default=-1) + 2)):
            yield from grow((*done, name))

    return grow(())
