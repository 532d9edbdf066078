"""The search for one object's operations in an order that its model allows, each between its question and its answer.

It is Wing and Gong's, with Lowe's memory: among the operations that none of the others precedes, take one that the
model allows, and so on; where an operation that must be placed cannot be, go back. What only saves time:

    memory          a state that was left once is never entered again with the same operations placed, nor with more
                    of those that need not be placed: who has used fewer of them can do whatever who has used more can
    reads           one that fits is placed at once: it changes nothing
    spare           what need not be placed (nobody answered it) is placed only where it changes something, and before
                    something that depends on the state: a write that is written over at once is of no use
    hopeless        where the read that is answered first could not be answered so any more, the search goes back

Source: J. M. Wing, C. Gong, "Testing and Verifying Concurrent Objects", JPDC 17, 1993; G. Lowe, "Testing for
Linearizability", CPE 29(4), 2017, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .history import OK, Operation
from .models import ILLEGAL, Model

FIRST_TURN = 1_000          # steps of a first turn


class Search:
    """The search for an order of one object's operations; it can be stopped and continued.

    Args:
        model: the kind of object.
        history: operations in the order in which they were asked.
        may: positions of operations that may be left out though they were answered.

    Attributes:
        steps: how often the model was asked.
        legal: True with an order, False where there is none, None while it is not known.
        furthest, doomed: the last answer up to which an order was found, and the last one that was seen to be out of
            reach, as places in the circle of events.
    """

    def __init__(self, model: Model, history: Sequence[Operation], may: frozenset[int] = frozenset()) -> None:
        self.model, self.history = model, history
        size = len(history)
        ends = [(o.completed if o.status == OK else None) for o in history]
        # entry 2i+1: operation i is asked; 2i+2: it is answered; 0: head and tail. At one time, questions come first.
        marks = sorted([(o.invoked, 0, 2 * i + 1) for i, o in enumerate(history)]
                       + [(end, 1, 2 * i + 2) for i, end in enumerate(ends) if end is not None])
        circle = [0, *[entry for _, _, entry in marks]]
        self.next, self.back = [0] * (2 * size + 3), [0] * (2 * size + 3)
        for entry, following in zip(circle, [*circle[1:], 0]):
            self.next[entry], self.back[following] = following, entry
        self.place, self.circle = {entry: n for n, entry in enumerate(circle)}, circle
        self.reads = [o.do in model.reads for o in history]    # one that fits need not wait: it never changes anything
        # the answers of reads that are not placed, in order, linked in the same way; and what can begin such an answer
        reads = [0, *[entry for entry in circle if entry and not entry & 1 and self.reads[(entry >> 1) - 1]]]
        self.later, self.sooner = [0] * (2 * size + 3), [0] * (2 * size + 3)
        for entry, following in zip(reads, [*reads[1:], 0]):
            self.later[entry], self.sooner[following] = following, entry
        self.begins: dict[Any, tuple[int, int]] = {}      # {answer: what can begin it, as bits}; filled on demand
        self.writers: dict[Any, list[int]] = {}
        for i, o in enumerate(history):
            for written in model.wrote(o):
                self.writers.setdefault(written, []).append(i)
        self.answered = [end is not None for end in ends]
        self.left = sum(self.answered) - len(may)
        self.may = [i in may for i in range(size)]
        # those that need not be placed are counted apart from the others; place of each among its own
        self.spare = [m or not a for m, a in zip(self.may, self.answered)]
        counts = [0, 0]
        self.rank = [0] * size
        for i, spare in enumerate(self.spare):
            self.rank[i] = counts[spare]
            counts[spare] += 1
        kinds: dict[Any, dict[Any, Any]] = {}
        self.tables: list[dict[Any, Any]] = []            # per operation: {state: state after it}; shared by equal ones
        self.twin = [-1] * size         # rank of an equal operation, asked earlier, that nobody answered either
        last: dict[Any, int] = {}
        for i, o in enumerate(history):
            kind = (o.do, o.argument, o.result, o.status, type(o.result))
            self.tables.append(kinds.setdefault(kind, {}))
            if ends[i] is None:
                self.twin[i] = last.get(kind, -1)
                last[kind] = self.rank[i]
        self.blind = [o.do in model.blind for o in history]
        self.state = model.initial
        self.base = self.window = 0     # what must be placed: all before `base` is, and what the bits of `window` say
        self.used = 0                   # what need not be: that which was placed or left out, as bits
        self.fresh = False              # whether the operation placed last need not have been
        self.stack: list[tuple[int, Any, int, int, int, bool]] = []
        self.seen: dict[tuple[int, int, Any], tuple[int, ...]] = {}       # {(base, window, state): what was used there}
        self.entry = self.next[0]
        self.steps = 0
        self.furthest = self.doomed = 0
        self.legal: bool | None = None

    def run(self, limit: int) -> bool | None:
        """Goes on for about so many steps of the model. Returns `legal`."""
        following, back, later, sooner = self.next, self.back, self.later, self.sooner
        answered, may, reads, rank = self.answered, self.may, self.reads, self.rank
        spare, twin, blind = self.spare, self.twin, self.blind
        tables, seen, stack, history, step = self.tables, self.seen, self.stack, self.history, self.model.step
        hopeless = self.model.hopeless
        state, base, window, used, fresh = self.state, self.base, self.window, self.used, self.fresh
        entry, left = self.entry, self.left
        steps = 0
        while left and steps < limit:
            if entry & 1:
                i = entry >> 1
                steps += 1
                table = tables[i]
                new = table.get(state, table)
                if new is table:
                    new = table[state] = step(state, history[i])
                if new is ILLEGAL or fresh and blind[i] or spare[i] and (
                        # where it changes nothing it is of no use, and the first of equals will do
                        new == state or twin[i] >= 0 and not used >> twin[i] & 1):
                    entry = following[entry]
                    continue
                first, placed, spent = base, window, used
                if spare[i]:
                    spent |= 1 << rank[i]
                else:
                    placed |= 1 << (rank[i] - base)
                    while placed & 1:
                        placed >>= 1
                        first += 1
                key = first, placed, new
                here = seen.get(key, ())
                for other in here:
                    if other & spent == other:
                        break
                else:
                    seen[key] = (*[other for other in here if other & spent != spent], spent)
                    r = (later[0] >> 1) - 1               # the read that is answered first
                    if r >= 0 and not reads[i] and hopeless(new, history[r].result) \
                            and not self._can_begin(history[r].result, first, placed, spent):
                        self.doomed = max(self.doomed, self.place[later[0]])
                    else:
                        stack.append((entry, state, base, window, used, fresh))
                        state, base, window, used, fresh = new, first, placed, spent, spare[i]
                        call, answer = 2 * i + 1, 2 * i + 2
                        following[back[call]], back[following[call]] = following[call], back[call]
                        if answered[i]:
                            following[back[answer]], back[following[answer]] = following[answer], back[answer]
                            if reads[i]:
                                later[sooner[answer]], sooner[later[answer]] = later[answer], sooner[answer]
                            left -= not may[i]
                        entry = following[0]
                        continue
                if not reads[i]:
                    entry = following[entry]
                    continue
            elif may[i := (entry >> 1) - 1]:              # it is left out
                key, spent = (base, window, state), used | 1 << rank[i]
                if spent not in seen.get(key, ()):
                    seen[key] = (*seen.get(key, ()), spent)
                    stack.append((entry, state, base, window, used, fresh))
                    used = spent
                    call = entry - 1
                    following[back[call]], back[following[call]] = following[call], back[call]
                    following[back[entry]], back[following[entry]] = following[entry], back[entry]
                    entry = following[entry]
                    continue
            elif self.place[entry] > self.furthest:       # it could not be placed before it was answered
                self.furthest = self.place[entry]
            while stack:                                  # go back to the last choice
                entry, state, base, window, used, fresh = stack.pop()
                i = (entry - 1) >> 1
                call, answer = 2 * i + 1, 2 * i + 2
                if answered[i]:
                    following[back[answer]] = back[following[answer]] = answer
                    if reads[i]:
                        later[sooner[answer]] = sooner[later[answer]] = answer
                    left += not may[i]
                following[back[call]] = back[following[call]] = call
                if entry & 1 and not reads[i]:
                    break
            else:
                self.legal = False
                break
            entry = following[entry]
        if not left:
            self.legal = True
        self.state, self.base, self.window, self.used, self.fresh = state, base, window, used, fresh
        self.entry, self.left = entry, left
        self.steps += steps
        return self.legal

    def _can_begin(self, answer: Any, first: int, placed: int, spent: int) -> bool:
        """Whether an operation that is not placed can begin an answer."""
        if answer not in self.begins:
            begins = self.model.begins
            able = self.writers.get(answer, []) if begins is None else [
                i for i, o in enumerate(self.history) if not self.reads[i] and begins(o, answer)]
            self.begins[answer] = (sum([1 << self.rank[i] for i in able if not self.spare[i]]),
                                   sum([1 << self.rank[i] for i in able if self.spare[i]]))
        must, need_not = self.begins[answer]
        return bool(must >> first & ~placed or need_not & ~spent)

    def order(self) -> list[int]:
        """Positions of the operations in the order found."""
        return [entry >> 1 for entry, *_ in self.stack if entry & 1]

    def stuck(self) -> int:
        """Where there is no order: the position of the first operation whose answer makes it so.

        All that was answered before can be placed; if that is too hard to find out, it is a later one.
        """
        answers = [(entry >> 1) - 1 for entry in self.circle[self.furthest:max(self.furthest, self.doomed) + 1]
                   if entry and not entry & 1]
        low, high = 0, len(answers) - 1
        while low < high:
            middle = (low + high) // 2
            search = Search(self.model, [o for _, o in begun_by(self.history, answers[middle])])
            if search.run(3 * self.steps + FIRST_TURN) is False:
                high = middle
            else:
                low = middle + 1
        return answers[low]


def begun_by(history: Sequence[Operation], last: int) -> list[tuple[int, Operation]]:
    """What was asked until the last one was answered, (position, operation); what was not yet answered then is open."""
    end = history[last].completed
    assert end is not None
    return [(i, o if o.completed is None or (o.completed, i) <= (end, last) else replace(o, completed=None))
            for i, o in enumerate(history) if o.invoked <= end]
