"""One serial order of transactions of registers, found by placing one after another.

The exact search of dslab.check.isolation grows with the square of the writes of an object, so this is tried first:
where it finds an order in real time, that keeps every level; where it finds none, nothing is known. A transaction can
be placed once what must come before it is, all that it reads is what was written last, and whoever else reads what it
overwrites is placed.

Source: M. Herlihy, J. Wing, ACM TOPLAS 12(3), 1990, section 2: strict serializability is linearizability of all objects
together, and so the search is that of J. Wing, C. Gong, JPDC 17, 1993, with G. Lowe's memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .dependencies import order_edges
from .history import OK
from .ordering import Arc, bits, in_line
from .transactions import Transaction

STEPS = 40                        # placements for each transaction; then it is given up
ROUNDS = 10                       # of drawing conclusions


def serial_order(found: Sequence[Transaction], sources: Mapping[tuple[int, Any], int]) -> list[int] | None:
    """Positions of the transactions in real time and so that each reads what was written last; None if none was found.

    Those that were never answered take part if somebody read from them.

    Args:
        found: transactions of registers.
        sources: (reader, object) -> position of the writer that it read from, or below 0 for the start.
    """
    read_from = set(sources.values())
    members = [t for t, one in enumerate(found) if one.status == OK or t in read_from]
    _, real = order_edges([found[t] for t in members])
    arcs = _inferred(found, members, sources, real)
    if arcs is None:
        return None
    search = _Placing(found, members, sources, arcs)
    left = STEPS * len(members)
    while len(search.line) < len(members):
        if left == 0 or not search.forward():
            return None
        left -= 1
    return search.line


def _inferred(found: Sequence[Transaction], members: Sequence[int], sources: Mapping[tuple[int, Any], int],
              real: Iterable[Arc]) -> list[Arc] | None:
    """Which member must come before which, as positions in `found`; None if that goes in a circle.

    From real time and who read from whom follows more: nobody who writes an object comes between a writer and its
    reader, so who comes before the one comes before the other too (C. Tan et al., Cobra, OSDI 2020, section 4).
    """
    node = {t: n for n, t in enumerate(members)}
    arcs = dict.fromkeys([*real, *[(node[w], node[t]) for (t, _), w in sources.items() if w >= 0]])
    writes: dict[Any, int] = {}
    for n, t in enumerate(members):
        for key in found[t].writes:
            writes[key] = writes.get(key, 0) | 1 << n
    for _ in range(ROUNDS):
        line = in_line(len(members), list(arcs))
        if line is None:
            return None
        before, after = [0] * len(members), [0] * len(members)
        earlier: list[list[int]] = [[] for _ in members]
        for a, b in arcs:
            earlier[b].append(a)
        for b in line:
            for a in earlier[b]:
                before[b] |= before[a] | 1 << a
        for b in reversed(line):
            for a in earlier[b]:
                after[a] |= after[b] | 1 << b
        known = len(arcs)
        for (t, key), w in sources.items():
            if w < 0:
                continue
            others = writes[key] & ~(1 << node[t]) & ~(1 << node[w])
            more = [(x, node[w]) for x in bits(others & before[node[t]] & ~before[node[w]])]
            more += [(node[t], x) for x in bits(others & after[node[w]] & ~after[node[t]])]
            arcs.update(dict.fromkeys(more))
        if len(arcs) == known:
            break
    return [(members[a], members[b]) for a, b in arcs]


class _Placing:
    """Members placed so far, and how to take the last one back.

    Attributes:
        line: those placed, in order.
        last: object -> who wrote it last. unread: (object, writer) -> how many have yet to read that.
    """

    def __init__(self, found: Sequence[Transaction], members: Sequence[int], sources: Mapping[tuple[int, Any], int],
                 arcs: Sequence[tuple[int, int]]) -> None:
        self.reads: dict[int, dict[Any, int]] = {t: {} for t in members}
        self.writes = {t: list(found[t].writes) for t in members}
        self.unread: dict[tuple[Any, int], int] = {}
        for (t, key), w in sources.items():
            self.reads[t][key] = w
            self.unread[key, w] = self.unread.get((key, w), 0) + 1
        self.after: dict[int, list[int]] = {t: [] for t in members}
        self.wait = dict.fromkeys(members, 0)
        for a, b in arcs:
            self.after[a].append(b)
            self.wait[b] += 1
        # most urgent is who is answered first; of one that was never answered, who read from it
        ends = {t: found[t].operation.completed for t in members}
        for (t, _), w in sources.items():
            if w >= 0 and found[w].status != OK:
                ends[w] = min([end for end in (ends[w], ends[t]) if end is not None], default=None)
        self.rank = {t: (end is None, end or 0, t) for t, end in ends.items()}
        self.free = {t: None for t in members if not self.wait[t]}
        self.last: dict[Any, int] = {}
        self.line: list[int] = []
        self.undo: list[list[tuple[Any, int | None]]] = []      # per place: what was written last before
        self.mark = 0                                           # stands for who is placed and who wrote last
        self.seen: set[int] = set()
        self.open: list[list[int]] = [self._able()]             # per place: what else can be tried there

    def _able(self) -> list[int]:
        """Who can be placed next, the most urgent last."""
        able = [t for t in self.free
                if all(self.last.get(key, -1) == w for key, w in self.reads[t].items())
                and all(self.unread.get((key, self.last.get(key, -1)), 0) == (key in self.reads[t])
                        for key in self.writes[t])]
        return sorted(able, key=self.rank.__getitem__, reverse=True)

    def forward(self) -> bool:
        """Places one more, after having taken back as many as must be; False if nothing is left to try."""
        while not self.open[-1]:
            self.open.pop()
            if not self.open:
                return False
            self._take_back()
        self._place(self.open[-1].pop())
        if self.mark in self.seen:
            self._take_back()
            return True
        self.seen.add(self.mark)
        self.open.append(self._able())
        return True

    def _place(self, t: int) -> None:
        self.line.append(t)
        self.undo.append([(key, self.last.get(key)) for key in self.writes[t]])
        del self.free[t]
        self.mark ^= hash((t, "placed"))
        for key, w in self.reads[t].items():
            self.unread[key, w] -= 1
        for key in self.writes[t]:
            self.mark ^= hash((key, self.last.get(key, -1))) ^ hash((key, t))
            self.last[key] = t
        for b in self.after[t]:
            self.wait[b] -= 1
            if not self.wait[b]:
                self.free[b] = None

    def _take_back(self) -> None:
        t = self.line.pop()
        for b in self.after[t]:
            if not self.wait[b]:
                del self.free[b]
            self.wait[b] += 1
        for key, before in self.undo.pop():
            self.mark ^= hash((key, t)) ^ hash((key, -1 if before is None else before))
            if before is None:
                del self.last[key]
            else:
                self.last[key] = before
        for key, w in self.reads[t].items():
            self.unread[key, w] += 1
        self.mark ^= hash((t, "placed"))
        self.free[t] = None
