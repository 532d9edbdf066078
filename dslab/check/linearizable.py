"""Linearizability: an order of all operations, each between its question and its answer, that the model allows.

The search is Wing and Gong's, with Lowe's memory: among the operations that none of the others precedes, take one that
the model allows, and so on; where an operation that must be placed cannot be, go back. A pair of (operations placed,
state) that was left once is never entered again. Three things that only save time: a read that fits is placed at once;
what nobody answered is placed only where it changes something; and where the read that is answered first could not be
answered so any more, the search goes back. Objects with different keys are judged apart (Herlihy and Wing,
theorem 1), in turns of a growing number of steps, because one bad key ends it and a good one can take for ever.

Source: J. M. Wing, C. Gong, "Testing and Verifying Concurrent Objects", JPDC 17, 1993; G. Lowe, "Testing for
Linearizability", CPE 29(4), 2017, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .history import LEGAL, OK, UNKNOWN, VIOLATION, HistoryError, HistoryVerdict, Operation, in_order, told
from .models import ILLEGAL, Model, model_named
from .smallest import smallest_part

STEPS = 4_000_000           # of the model, of all keys together; each remembers at most one state
FIRST_TURN = 1_000          # steps of a key's first turn; each further turn is twice as long


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
        self.begins: dict[Any, int] = {}          # {answer: what can begin it, as bits}; filled on demand
        self.writers: dict[Any, list[int]] = {}
        for i, o in enumerate(history):
            for written in model.wrote(o):
                self.writers.setdefault(written, []).append(i)
        self.answered = [end is not None for end in ends]
        self.left = sum(self.answered) - len(may)
        self.may = [i in may for i in range(size)]
        kinds: dict[Any, dict[Any, Any]] = {}
        self.tables: list[dict[Any, Any]] = []            # per operation: {state: state after it}; shared by equal ones
        self.twin = [-1] * size         # an equal operation, asked earlier, that nobody answered either
        last: dict[Any, int] = {}
        for i, o in enumerate(history):
            kind = (o.do, o.argument, o.result, o.status, type(o.result))
            self.tables.append(kinds.setdefault(kind, {}))
            if ends[i] is None:
                self.twin[i] = last.get(kind, -1)
                last[kind] = i
        self.state = model.initial
        self.base = self.window = 0     # all operations before `base` are placed, and those of the bits of `window`
        self.stack: list[tuple[int, Any, int, int]] = []
        self.seen: set[tuple[int, int, Any]] = set()
        self.entry = self.next[0]
        self.steps = 0
        self.furthest = self.doomed = 0
        self.legal: bool | None = None

    def run(self, limit: int) -> bool | None:
        """Goes on for about so many steps of the model. Returns `legal`."""
        following, back, later, sooner = self.next, self.back, self.later, self.sooner
        answered, may, reads, twin = self.answered, self.may, self.reads, self.twin
        tables, seen, stack, history, step = self.tables, self.seen, self.stack, self.history, self.model.step
        hopeless = self.model.hopeless
        state, base, window, entry, left = self.state, self.base, self.window, self.entry, self.left
        steps = 0
        while left and steps < limit:
            if entry & 1:
                i = entry >> 1
                steps += 1
                table = tables[i]
                new = table.get(state, table)
                if new is table:
                    new = table[state] = step(state, history[i])
                if new is ILLEGAL or not answered[i] and (
                        # nobody waits for it: where it changes nothing it is of no use, and the first of equals will do
                        new == state or twin[i] >= base and not window >> (twin[i] - base) & 1):
                    entry = following[entry]
                    continue
            else:
                i = (entry >> 1) - 1
                new = state                               # it is left out, if it may be
            if entry & 1 or may[i]:
                placed, first = window | 1 << (i - base), base
                while placed & 1:
                    placed >>= 1
                    first += 1
                key = first, placed, new
                if key not in seen:
                    seen.add(key)
                    r = (later[0] >> 1) - 1               # the read that is answered first
                    if r >= 0 and not reads[i] and hopeless(new, history[r].result) \
                            and not self._beginnings(history[r].result) >> first & ~placed:
                        self.doomed = max(self.doomed, self.place[later[0]])
                    else:
                        stack.append((entry, state, base, window))
                        state, base, window = new, first, placed
                        call, answer = 2 * i + 1, 2 * i + 2
                        following[back[call]], back[following[call]] = following[call], back[call]
                        if answered[i]:
                            following[back[answer]], back[following[answer]] = following[answer], back[answer]
                            if reads[i]:
                                later[sooner[answer]], sooner[later[answer]] = later[answer], sooner[answer]
                            left -= not may[i]
                        entry = following[0]
                        continue
                if entry & 1 and not reads[i]:
                    entry = following[entry]
                    continue
            elif self.place[entry] > self.furthest:       # it could not be placed before it was answered
                self.furthest = self.place[entry]
            while stack:                                  # go back to the last choice
                entry, state, base, window = stack.pop()
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
        self.state, self.base, self.window, self.entry, self.left = state, base, window, entry, left
        self.steps += steps
        return self.legal

    def _beginnings(self, answer: Any) -> int:
        """The operations that can begin an answer, as bits."""
        found = self.begins.get(answer)
        if found is None:
            begins = self.model.begins
            able = self.writers.get(answer, []) if begins is None else [
                i for i, o in enumerate(self.history) if not self.reads[i] and begins(o, answer)]
            found = self.begins[answer] = sum([1 << i for i in able])
        return found

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


def check(history: Sequence[Operation], model: str, *, initial: Any = ..., steps: int = STEPS,
          smallest: bool = True) -> HistoryVerdict:
    """Whether a history is linearizable.

    Args:
        history: operations. model: the kind of object.
        initial: what each object holds at the start; as the model says if not given.
        steps: most steps of the model, 1 or more.
        smallest: whether to look for a smallest failing part.

    Returns:
        "unknown" only where the steps did not suffice.

    Raises:
        HistoryError: there is no such model, or an operation that it does not know.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise HistoryError(f"steps must be a whole number, 1 or more, not {steps!r}")
    kind = model_named(model)
    if initial is not ...:
        kind = kind._replace(initial=initial)
    keys: dict[Any, list[int]] = {}
    for i in in_order(history):
        o = history[i]
        kind.check(o)
        if o.status == OK or o.status == UNKNOWN and o.do not in kind.reads:
            keys.setdefault(o.key, []).append(i)
    searches = {key: Search(kind, [history[i] for i in mine]) for key, mine in keys.items()}
    bad = _in_turns(list(searches.values()), steps)
    tried = {"steps": sum(search.steps for search in searches.values()), "keys": len(searches)}
    asked = HistoryVerdict(UNKNOWN, "linearizable", model, tried=tried)
    if bad is not None:
        mine = next(keys[key] for key, search in searches.items() if search is bad)
        last = bad.stuck()
        begun = begun_by(bad.history, last)
        part = smallest_part(kind, [o for _, o in begun], Search, bad.steps) if smallest else ()
        stuck, shown = mine[last], tuple([mine[begun[i][0]] for i in part])
        return asked._replace(verdict=VIOLATION, stuck=stuck, smallest=shown, why=_why(history, stuck, shown))
    open_ = [key for key, search in searches.items() if not search.legal]
    if open_:
        return asked._replace(why=f"{tried['steps']:,} steps did not decide {len(open_)} of {len(searches)} keys, the "
                                  f"first of them {told(open_[0])}; allow more steps")
    orders = [[keys[key][i] for i in search.order()] for key, search in searches.items()]
    return asked._replace(verdict=LEGAL, witness=_merged(history, orders), why="this order gives every answer")


def _in_turns(searches: list[Search], steps: int) -> Search | None:
    """Gives each search its turns until all are done or the steps are used up; the first that finds no order."""
    turn = FIRST_TURN
    going = sorted(searches, key=lambda search: len(search.history))
    while going and steps > 0:
        for search in going:
            before = search.steps
            if search.run(min(turn, steps)) is False:
                return search
            steps -= search.steps - before
        going = [search for search in going if search.legal is None]
        turn *= 2
    return None


def _merged(history: Sequence[Operation], orders: list[list[int]]) -> tuple[int, ...]:
    """One order of all operations that keeps those of each key, and real time."""
    points: list[tuple[int, int, int]] = []
    for order in orders:
        latest = 0
        for place, i in enumerate(order):         # each takes effect as soon as it and all before it were asked
            latest = max(latest, history[i].invoked) if place else history[i].invoked
            points.append((latest, len(points), i))
    return tuple([i for _, _, i in sorted(points)])


def _why(history: Sequence[Operation], stuck: int, part: Sequence[int]) -> str:
    """What is wrong, in one sentence."""
    others = [f"`{history[i]}`" for i in part if i != stuck]
    if not others:
        return f"`{history[stuck]}` cannot be placed, whatever else happened"
    if len(others) > 6:
        others[5:] = [f"{len(others) - 5} more"]
    return f"`{history[stuck]}` cannot be placed in any order together with {' and '.join(others)}"
