"""Puzzles: is this history linearizable? Made from a seed, with a dial for how hard they are.

Every puzzle separates: at least one wrong belief about linearizability (S1, S3, S4 of the course's catalogue) gives the
wrong answer to it. An answer is yes or no, an order, or operations that cannot all have happened; it is judged with a
reason. Histories are of one register that begins at 0; each value is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

from .history import LEGAL, OK, UNKNOWN, HistoryError, Operation, check_history, told
from .models import ILLEGAL, MODELS
from .smallest import smallest_part
from .wing_gong import Search

NAMES = "ABCDEFGH"
BEGIN = "0"
MODEL = MODELS["register"]._replace(initial=BEGIN)
TRIES = 20_000


class Dial(NamedTuple):
    """How hard a puzzle is.

    Attributes:
        operations, clients: how many. pending: how many writes are never answered. overlaps: pairs that overlap.
        fewest: of the operations that cannot all have happened, where there are such.
        separating: how many beliefs give the wrong answer, where yes is right; where no is right it is one.
    """

    operations: int
    clients: int
    pending: int
    overlaps: range
    fewest: int
    separating: int


DIALS = {
    1: Dial(6, 2, 0, range(1, 5), 2, 1),
    2: Dial(6, 3, 0, range(3, 8), 2, 1),
    3: Dial(7, 3, 1, range(4, 11), 2, 1),
    4: Dial(8, 3, 1, range(7, 15), 3, 1),
    5: Dial(8, 4, 2, range(11, 22), 3, 2),
}


class Puzzle(NamedTuple):
    """One puzzle and all about its answer.

    Attributes:
        seed, difficulty: what it was made from.
        operations: in the order in which they were asked; they are called A, B, C, ...
        answer: whether the history is linearizable.
        order: names in an order that gives every answer; empty if there is none.
        bad: names of a smallest part that cannot all have happened; empty if all can.
        beliefs: {catalogue id: what somebody with this belief answers}.
    """

    seed: int
    difficulty: int
    operations: tuple[Operation, ...]
    answer: bool
    order: str
    bad: str
    beliefs: dict[str, bool]

    @property
    def separates(self) -> tuple[str, ...]:
        """The beliefs that give the wrong answer."""
        return tuple([belief for belief, says in self.beliefs.items() if says != self.answer])

    @property
    def text(self) -> str:
        """The puzzle in words, for those who cannot see the chart, and for paper."""
        lines = ["x holds 0 at first. Is this history linearizable?"]
        for name, o in zip(NAMES, self.operations):
            when = f"from {o.invoked} to {o.completed} ms" if o.completed is not None else \
                f"from {o.invoked} ms on, never answered"
            what = f"writes {o.argument}" if o.do == "write" else f"reads {told(o.result)}"
            lines.append(f"  {name}  {o.process} {what:9} {when}")
        return "\n".join(lines)


# ---- what people believe


def own_order_only(operations: Sequence[Operation]) -> bool:
    """S1: it is enough that each client sees its own operations in order."""
    apart: list[Operation] = []
    for client in dict.fromkeys(o.process for o in operations):
        mine = [o for o in operations if o.process == client]
        apart += [replace(o, invoked=2 * k, completed=None if o.completed is None else 2 * k + 1)
                  for k, o in enumerate(mine)]
    return _in_some_order(apart, lambda one, other: one.process == other.process and one.invoked < other.invoked)


def by_start(operations: Sequence[Operation]) -> bool:
    """S3: operations take effect in the order in which they were asked."""
    return not misfit(sorted(operations, key=lambda o: o.invoked))


def without_pending(operations: Sequence[Operation]) -> bool:
    """S4: a write that timed out did not happen."""
    return _linearizable([o for o in operations if o.status == OK])


BELIEFS: dict[str, Callable[[Sequence[Operation]], bool]] = {
    "S1": own_order_only, "S3": by_start, "S4": without_pending}
EXPLAINED = {
    "S1": "each client's own order is not enough: what was answered before something else was asked comes before it, "
          "whoever asked",
    "S3": "operations that overlap may take effect in any order, not only in the order in which they were asked",
    "S4": "a write that was never answered may have taken effect all the same, at any time after it was asked",
}


def _in_some_order(operations: Sequence[Operation], before: Callable[[Operation, Operation], bool]) -> bool:
    """Whether some order gives every answer and keeps to `before`; what was not answered may be left out."""
    tried: set[tuple[frozenset[int], Any]] = set()
    ways: list[tuple[frozenset[int], Any]] = [(frozenset(range(len(operations))), BEGIN)]
    while ways:
        left, state = ways.pop()
        if all(operations[i].status != OK for i in left):
            return True
        for i in left:
            new = MODEL.step(state, operations[i])
            way = (left - {i}, new)
            if new is not ILLEGAL and way not in tried and not any(
                    before(operations[j], operations[i]) for j in left if j != i):
                tried.add(way)
                ways.append(way)
    return False


def misfit(order: Sequence[Operation]) -> tuple[Operation, Any] | None:
    """The first operation of an order that was answered otherwise, and what the register held."""
    state: Any = BEGIN
    for o in order:
        new = MODEL.step(state, o)
        if new is ILLEGAL:
            return o, state
        state = new
    return None


def _linearizable(operations: Sequence[Operation]) -> bool:
    return check_history(operations, initial=BEGIN, smallest=False).verdict == LEGAL


# ---- making one


def puzzle(seed: int, difficulty: int = 2) -> Puzzle:
    """Makes a puzzle.

    Args:
        seed: which one; equal arguments give equal puzzles.
        difficulty: 1 (six operations of two clients, little overlap) to 5 (eight operations of four clients, much
            overlap, two writes without an answer).

    Raises:
        HistoryError: there is no such difficulty.
    """
    if difficulty not in DIALS:
        raise HistoryError(f"difficulty is a whole number from 1 to {max(DIALS)}, not {difficulty!r}")
    dial, random = DIALS[difficulty], Random(f"puzzle {difficulty} {seed}")
    wanted = random.random() < 0.5
    for _ in range(TRIES):
        operations = _drawn(dial, random)
        if operations is None:
            continue
        if not wanted:
            operations = _near_miss(operations, random)
        answer = _linearizable(operations)
        beliefs = {belief: says(operations) for belief, says in BELIEFS.items()}
        wrong = sum(says != answer for says in beliefs.values())
        if answer != wanted or wrong < (dial.separating if answer else 1):
            continue
        order = named(check_history(operations, initial=BEGIN, smallest=False).witness or ())
        bad = "" if answer else named(smallest_part(MODEL, operations, Search, 0))
        if answer or len(bad) >= dial.fewest:
            return Puzzle(seed, difficulty, tuple(operations), answer, order, bad, beliefs)
    raise AssertionError(f"no puzzle for seed {seed}, difficulty {difficulty}")


def _drawn(dial: Dial, random: Random) -> list[Operation] | None:
    """A linearizable history as random as the dial says, or None if it is not of that kind."""
    writes = random.randint(2, dial.operations - 3)
    kinds = ["write"] * writes + ["read"] * (dial.operations - writes)
    random.shuffle(kinds)
    moments = _moments(dial, random)
    clients = {i: f"c{client}" for client, i, _, _ in moments}
    asked = {i: at for _, i, at, _ in moments}
    ended = {i: end for _, i, _, end in moments}
    last = [i for client in range(1, dial.clients + 1) for i in [max((i for c, i, _, _ in moments if c == client),
                                                                   default=None)] if i is not None]
    open_ = [i for i in last if kinds[i] == "write"]
    if len(open_) < dial.pending:
        return None
    pending = frozenset(random.sample(open_, dial.pending))
    value, operations = 0, []
    for i, do in enumerate(kinds):
        value += do == "write"
        status = UNKNOWN if i in pending else OK
        operations.append(Operation(clients[i], do, "x", str(value) if do == "write" else None, None, asked[i],
                                    None if i in pending else ended[i], status))
    pairs = sum(_overlap(one, other) for k, one in enumerate(operations) for other in operations[:k])
    if pairs not in dial.overlaps or all(o.status != OK for o in operations if o.do == "read"):
        return None
    return _answered(operations, random)


def _moments(dial: Dial, random: Random) -> list[tuple[int, int, int, int]]:
    """(client, number, asked, answered) of operations, numbered in the order in which they are asked."""
    found: list[tuple[int, int, int, int]] = []
    running: dict[int, tuple[int, int]] = {}
    time = made = 0
    while made < dial.operations or running:
        time += 10
        client = random.randint(1, dial.clients)
        if client in running:
            number, asked = running.pop(client)
            found.append((client, number, asked, time))
        elif made < dial.operations:
            running[client] = made, time
            made += 1
    return sorted(found, key=lambda moment: moment[1])


def _answered(operations: Sequence[Operation], random: Random) -> list[Operation]:
    """The same, with what reads are told when each takes effect at a random moment of its time."""
    end = max(o.completed or o.invoked for o in operations)
    effects = {i: random.uniform(o.invoked, o.completed or end) for i, o in enumerate(operations)}
    state, found = BEGIN, list(operations)
    for i in sorted(effects, key=effects.__getitem__):
        if found[i].do == "write":
            state = found[i].argument
        else:
            found[i] = replace(found[i], result=state)
    return found


def _near_miss(operations: Sequence[Operation], random: Random) -> list[Operation]:
    """The same, with another answer to one of the reads."""
    found = list(operations)
    reads = [i for i, o in enumerate(found) if o.do == "read"]
    i = random.choice(reads)
    values = [BEGIN, *[o.argument for o in found if o.do == "write"]]
    found[i] = replace(found[i], result=random.choice([value for value in values if value != found[i].result]))
    return found


def _overlap(one: Operation, other: Operation) -> bool:
    return (one.completed is None or other.invoked < one.completed) and (
        other.completed is None or one.invoked < other.completed)


def named(part: Iterable[int]) -> str:
    """The names of operations by their places."""
    return "".join([NAMES[i] for i in part])
