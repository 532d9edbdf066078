"""Who depends on whom among transactions, and the smallest cycle of each kind.

Edges: ww (overwrote), wr (read what the other wrote), rw (the other overwrote what it had read), process, realtime.
Of lists every version's place is known from the reads. Of registers only what must be: nothing comes before the first
value, and who reads a version and writes the object puts the new version after it.

Source: P. Alvaro, K. Kingsbury, Elle, VLDB 2020, sections 4.2 and 5; A. Adya, Weak Consistency, MIT 1999, section 3.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .history import FAILED, OK, told
from .transactions import Anomaly, Transaction, Writers

Edges = dict[tuple[int, int], str]                # (from, to) of positions -> why, in words
KINDS = ("ww", "wr", "rw", "process", "realtime")
CLASSES = {"G0": ("ww",), "G1c": ("ww", "wr"), "G-single-item": ("ww", "wr", "rw"),
           "G-nonadjacent-item": ("ww", "wr", "rw"), "G2-item": ("ww", "wr", "rw")}
WALKS = 200_000                                   # edges that a search for a smaller cycle may look at


def list_edges(found: Sequence[Transaction], writers: Writers,
               orders: Mapping[Any, tuple[Any, ...]]) -> dict[str, Edges]:
    """Edges between transactions of lists, from the order of each list."""
    edges: dict[str, Edges] = {kind: {} for kind in KINDS}
    unseen: dict[Any, list[int]] = {}
    read = {(key, value) for key, order in orders.items() for value in order}
    for t, one in enumerate(found):
        committed = one.status == OK or (one.status != FAILED and any(
            (key, value) in read for key, values in one.writes.items() for value in values))
        for key, values in one.writes.items():
            if committed and values[-1] not in orders.get(key, ()):
                unseen.setdefault(key, []).append(t)
    after: dict[tuple[Any, int], list[int]] = {}          # (key, length) -> who wrote the next version
    for key, order in orders.items():
        wrote = [next(iter(writers.able(key, value)), None) for value in order]
        for at, u in enumerate(wrote):
            if u is not None:
                after[key, at] = [u]
            if at and u is not None and (before := wrote[at - 1]) is not None:
                _edge(edges["ww"], before, u, f"appended {told(order[at])} to {told(key)} after {told(order[at - 1])}")
        after[key, len(order)] = unseen.get(key, [])
        if order and (last := wrote[-1]) is not None:
            for t in unseen.get(key, []):
                _edge(edges["ww"], last, t, f"appended to {told(key)} after all that was read")
    for t, one in enumerate(found):
        for key, value in one.reads.items():
            if orders[key][: len(value)] != value:
                continue
            if value and (able := writers.able(key, value[-1])):
                _edge(edges["wr"], able[0], t, f"read {told(value[-1])} of {told(key)}")
            for u in after.get((key, len(value)), ()):     # nobody, where the next element was aborted
                _edge(edges["rw"], t, u, f"appended to {told(key)} what was not read")
    return edges


def register_edges(found: Sequence[Transaction], writers: Writers) -> tuple[dict[str, Edges], list[Anomaly]]:
    """Edges between transactions of registers as far as they are certain; and objects whose versions go in a circle."""
    edges: dict[str, Edges] = {kind: {} for kind in KINDS}
    readers: dict[tuple[Any, Any], list[int]] = {}
    for t, one in enumerate(found):
        for key, value in one.reads.items():
            readers.setdefault((key, value), []).append(t)
    source = {pair: _only(writers, *pair) for pair in readers}
    for (key, value), those in readers.items():
        if (w := source[key, value]) is None:
            continue
        for t in those:
            _edge(edges["wr"], w, t, f"read {told(value)} of {told(key)}")
    next_: dict[Any, dict[Any, dict[Any, None]]] = {}     # key -> version -> versions that must come after it
    for one in found:
        for key, values in one.writes.items():
            if one.status == FAILED or (one.status != OK and (key, values[-1]) not in readers):
                continue
            if None not in values and (key, None) in readers:
                next_.setdefault(key, {}).setdefault(None, {})[values[-1]] = None
            if one.reads.get(key) is not None and len(writers.able(key, one.reads[key])) == 1:
                next_.setdefault(key, {}).setdefault(one.reads[key], {})[values[-1]] = None
    anomalies = []
    for key, versions in next_.items():
        for version, later in versions.items():
            w = source.get((key, version), _only(writers, key, version)) if version is not None else None
            for value in later:
                u = _only(writers, key, value)
                if u is None:
                    continue
                if w is not None:
                    _edge(edges["ww"], w, u, f"wrote {told(value)} to {told(key)} after {told(version)}")
                for t in readers.get((key, version), ()):
                    _edge(edges["rw"], t, u, f"wrote {told(value)} to {told(key)}, of which {told(version)} was read")
        circle = _circle({v: list(later) for v, later in versions.items()})
        if circle:
            part = sorted({found[t].index for v in circle for t in writers.able(key, v)})
            said = f"the versions of {told(key)} go in a circle: {' before '.join(map(told, [*circle, circle[0]]))}"
            anomalies.append(Anomaly("cyclic-versions", tuple(part), said))
    return edges, anomalies


def _only(writers: Writers, key: Any, value: Any) -> int | None:
    able = writers.leave(key, value) if value is not None else []
    return able[0] if len(able) == 1 and len(writers.able(key, value)) == 1 else None


def order_edges(found: Sequence[Transaction]) -> tuple[Edges, Edges]:
    """Edges of each process's own order, and of real time, without those that follow from others."""
    process: Edges = {}
    real: Edges = {}
    marks = []
    for t, one in enumerate(found):
        if one.status != FAILED:
            marks.append((one.operation.invoked, 0, t))
        if one.status == OK and one.operation.completed is not None:
            marks.append((one.operation.completed, 1, t))     # at one time, questions come first
    newest: dict[Any, list[int]] = {}
    done: dict[int, None] = {}                            # completed, and nobody who began later has completed
    before: dict[int, list[int]] = {}
    for _, ends, t in sorted(marks):
        who = found[t].operation.process
        if not ends:
            before[t] = list(done)
            for u in newest.get(who, ()):
                _edge(process, u, t, f"{told(who)} had done the other before")
            for u in done:
                _edge(real, u, t, "began after the other had ended")
        else:
            for u in before[t]:
                done.pop(u, None)
            done[t] = None
            newest[who] = [u for u in newest.get(who, ()) if (u, t) not in process] + [t]
    return process, real


def _edge(edges: Edges, first: int, second: int, why: str) -> None:
    if first != second:
        edges.setdefault((first, second), why)


def cycles(found: Sequence[Transaction], edges: Mapping[str, Edges]) -> list[Anomaly]:
    """The smallest cycle found of each class of anomaly; a class is left out where a plainer one has that cycle.

    Adya's classes: G0 (ww), G1c (ww, wr), G-single (one rw), G-nonadjacent (no two rw in a row), G2 (others with rw);
    with "-process" and "-realtime" for cycles that need such edges.
    """
    anomalies = []
    seen: set[frozenset[int]] = set()
    for suffix, extra in (("", ()), ("-process", ("process",)), ("-realtime", ("realtime",))):
        for name, kinds in CLASSES.items():
            links: dict[int, dict[int, str]] = {}
            for kind in (*kinds, *extra):                 # the plainest kind explains a pair
                for first, second in edges[kind]:
                    links.setdefault(first, {}).setdefault(second, kind)
            if suffix and not any(edges[kind] for kind in extra):
                continue
            walks = [walk for part in components(links) if (walk := _smallest(links, part, name))]
            for walk in sorted(walks, key=len):
                if frozenset(walk) in seen:
                    continue
                steps = [(a, b, links[a][b]) for a, b in zip(walk, [*walk[1:], walk[0]], strict=True)]
                if not suffix or any(kind in extra for _, _, kind in steps):
                    seen.add(frozenset(walk))
                    said = "; ".join(f"`{found[b]}` {edges[kind][a, b]} ({kind})" for a, b, kind in steps)
                    anomalies.append(Anomaly(name + suffix, tuple(found[t].index for t in walk), said))
                    break
    return anomalies


def _smallest(links: Mapping[int, Mapping[int, str]], part: Sequence[int], name: str) -> list[int] | None:
    """The shortest closed walk of one class in one component, or the shortest met before the search got too long."""
    inside = set(part)
    wanted = {"G0": "ww", "G1c": "wr"}.get(name, "rw")
    best: list[int] | None = None
    looked = 0
    for a in part:
        for b, kind in links[a].items():
            if b not in inside or kind != wanted or looked > WALKS:
                continue
            walk, steps = _back(links, inside, a, b, name)
            looked += steps
            if walk and (best is None or len(walk) < len(best)):
                best = walk
            if best is not None and len(best) == 2:
                return best
    return best


def _back(links: Mapping[int, Mapping[int, str]], inside: set[int], a: int, b: int,
          name: str) -> tuple[list[int] | None, int]:
    """The shortest way from b back to a that the class allows after its edge from a to b."""
    start = (b, name == "G-nonadjacent-item")             # where, and whether no rw may follow
    came: dict[tuple[int, bool], tuple[int, bool] | None] = {start: None}
    queue = deque([start])
    steps = 0
    while queue:
        at = queue.popleft()
        if at[0] == a and not (at[1] and name == "G-nonadjacent-item"):
            walk, back = [], came[at]
            while back is not None:
                walk.append(back[0])
                back = came[back]
            return [a, *reversed(walk)], steps
        for c, kind in links[at[0]].items():
            steps += 1
            if c not in inside or (kind == "rw" and (name == "G-single-item" or at[1])):
                continue
            to = (c, name == "G-nonadjacent-item" and kind == "rw")
            if to not in came:
                came[to] = at
                queue.append(to)
    return None, steps


def components(links: Mapping[int, Iterable[int]]) -> Iterator[list[int]]:
    """The strongly connected components of more than one node (R. Tarjan, SIAM J. Computing 1(2), 1972)."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    held: dict[int, None] = {}
    for root in links:
        if root in number:
            continue
        work = [(root, iter(links.get(root, ())))]
        number[root] = low[root] = len(number)
        held[root] = None
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in number:
                    number[other] = low[other] = len(number)
                    held[other] = None
                    work.append((other, iter(links.get(other, ()))))
                    break
                if other in held:
                    low[node] = min(low[node], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    part = []
                    while True:
                        last, _ = held.popitem()
                        part.append(last)
                        if last == node:
                            break
                    if len(part) > 1:
                        yield part


def _circle(next_: Mapping[Any, Sequence[Any]]) -> list[Any] | None:
    """Some circle in a small graph, or None."""
    numbers = {v: n for n, v in enumerate(dict.fromkeys([*next_, *(w for later in next_.values() for w in later)]))}
    names = list(numbers)
    links = {numbers[v]: [numbers[w] for w in later if w != v] for v, later in next_.items()}
    part = next(components(links), None)
    return None if part is None else [names[n] for n in reversed(part)]
