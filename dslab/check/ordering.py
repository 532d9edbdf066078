"""Can these be put in order? A strict partial order that grows until every open choice has been made.

Every model of this package that is about an order comes to this: some pairs are ordered from the start, and for
some others one of several ways must be taken ("the other write comes before the write I read, or after my read").
The order is kept closed under transitivity, as one bit mask of followers per thing, so that a way that would close
a cycle is seen at once; what has one way left is taken, and only then is anything guessed.

Source: C. Papadimitriou, The serializability of concurrent database updates, JACM 1979 (the polygraph);
C. Tan et al., Cobra, OSDI 2020 (the same with pruning by reachability).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Arc = tuple[int, int]


class OutOfBudget(Exception):
    """The search has taken as many steps as it was allowed."""


@dataclass
class Budget:
    """How many steps are left to a search; a step looks at one way of one choice."""

    steps: int
    spent: int = 0

    def spend(self, steps: int = 1) -> None:
        """Takes steps off.

        Raises:
            OutOfBudget: nothing is left.
        """
        self.spent += steps
        if self.spent > self.steps:
            raise OutOfBudget


@dataclass(frozen=True, slots=True)
class Way:
    """One way to settle a choice: arcs to add, pairs that may never become ordered, and what is to be chosen next."""

    arcs: tuple[Arc, ...] = ()
    never: tuple[Arc, ...] = ()
    then: Callable[[], list[Choice]] | None = None


Choice = tuple[Way, ...]


class Order:
    """Which of the numbers 0 .. size-1 comes before which; always transitive, never cyclic.

    Attributes:
        after: for each number the mask of those that come after it.
        before: for each number the mask of those that come before it.
    """

    __slots__ = ("after", "barred", "before")

    def __init__(self, size: int):
        self.after = [0] * size
        self.before = [0] * size
        self.barred = [0] * size

    def copy(self) -> Order:
        """An order of its own with the same arcs."""
        twin = Order(0)
        twin.after, twin.before, twin.barred = self.after[:], self.before[:], self.barred[:]
        return twin

    def has(self, first: int, second: int) -> bool:
        """True if the first comes before the second."""
        return bool(self.after[first] >> second & 1)

    def add(self, first: int, second: int) -> bool:
        """Puts the first before the second; False, with the order spoilt, if that cannot be."""
        if first == second or self.has(second, first):
            return False
        if self.has(first, second):
            return True
        earlier, later = self.before[first] | 1 << first, self.after[second] | 1 << second
        for node in bits(earlier):
            self.after[node] |= later
            if self.after[node] & self.barred[node]:
                return False
        for node in bits(later):
            self.before[node] |= earlier
        return True

    def bar(self, first: int, second: int) -> bool:
        """Promises that the first never comes before the second; False if it already does."""
        self.barred[first] |= 1 << second
        return not self.has(first, second)

    def line(self, rank: Sequence[int]) -> list[int]:
        """All numbers in one line that keeps the order; the rank decides where the order leaves it open."""
        left = dict.fromkeys(sorted(range(len(self.after)), key=rank.__getitem__))
        done, result = 0, []
        while left:
            node = next(node for node in left if not self.before[node] & ~done)
            done |= 1 << node
            del left[node]
            result.append(node)
        return result


def bits(mask: int) -> Iterator[int]:
    """The numbers whose bit is set, the smallest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def search(order: Order, choices: Sequence[Choice], budget: Budget) -> Order | None:
    """An order with every choice settled, or None if there is none: every way has been tried or ruled out.

    Args:
        order: what is ordered from the start; it is changed.
        choices: each needs one of its ways; of equally good ways the first is tried first.
        budget: steps; shared between calls that belong together.

    Raises:
        OutOfBudget: undecided within the budget.
    """
    stack = [(order, list(choices))]
    while stack:
        order, open_ = stack.pop()
        settled = _settle(order, open_, budget)
        if settled is None:
            continue
        found, culprit = _guess(order.copy(), settled, budget)
        if culprit is None:
            return found
        rest = [choice for choice in settled if choice is not culprit]
        for way in reversed(culprit):
            branch = order.copy()
            more = _take(branch, way)
            if more is not None:
                stack.append((branch, more + rest))
    return None


def _possible(order: Order, way: Way) -> bool:
    return not any(first == second or order.has(second, first) for first, second in way.arcs) and not any(
        order.has(first, second) for first, second in way.never
    )


def _done(order: Order, way: Way) -> bool:
    return not way.never and way.then is None and all(order.has(first, second) for first, second in way.arcs)


def _take(order: Order, way: Way) -> list[Choice] | None:
    fits = all(order.add(first, second) for first, second in way.arcs)
    if not fits or not all(order.bar(first, second) for first, second in way.never):
        return None
    return way.then() if way.then else []


def _settle(order: Order, choices: list[Choice], budget: Budget) -> list[Choice] | None:
    """Takes every way that is the only one left, until nothing changes; None if a choice has no way at all."""
    moved = True
    while moved:
        moved, open_ = False, []
        todo = choices[::-1]
        while todo:
            choice = todo.pop()
            budget.spend(len(choice))
            if any(_done(order, way) for way in choice):
                continue
            ways = tuple(way for way in choice if _possible(order, way))
            if not ways:
                return None
            if len(ways) > 1:
                open_.append(choice if len(ways) == len(choice) else ways)
                continue
            more = _take(order, ways[0])
            if more is None:
                return None
            todo += more
            moved = True
        choices = open_
    return choices


def _guess(order: Order, choices: list[Choice], budget: Budget) -> tuple[Order | None, Choice | None]:
    """Takes the first possible way of each choice in turn: the order reached, or the choice at which that failed."""
    for origin in choices:
        todo = [origin]
        while todo:
            choice = todo.pop()
            budget.spend(len(choice))
            if any(_done(order, way) for way in choice):
                continue
            way = next((way for way in choice if _possible(order, way)), None)
            more = None if way is None else _take(order, way)
            if more is None:
                return None, origin
            todo += more
    return order, None


def in_line(size: int, arcs: Sequence[Arc]) -> list[int] | None:
    """All nodes in a line that keeps the arcs, or None if they go in a circle (A. Kahn, CACM 5(11), 1962)."""
    after: list[list[int]] = [[] for _ in range(size)]
    wait = [0] * size
    for a, b in arcs:
        after[a].append(b)
        wait[b] += 1
    ready = [n for n in range(size - 1, -1, -1) if not wait[n]]
    line = []
    while ready:
        line.append(node := ready.pop())
        for b in after[node]:
            wait[b] -= 1
            if not wait[b]:
                ready.append(b)
    return line if len(line) == size else None
