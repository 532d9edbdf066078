"""What each process may see: causal memory, pipelined memory (PRAM), and the four session guarantees.

In all of them every process has a *view*: one legal order of all writes and of its own reads, in which a read takes
its value from the last write before it, and in which no process reads what it will itself write later. They differ in
the pairs that every view must keep:

    read your writes      a process's own write, and its own later read
    monotonic reads       a process's own two reads
    monotonic writes      two writes of one process, whichever
    writes follow reads   a write, and a later write of a process that had read it, whichever
    pram                  all pairs of the process itself, and two writes of one process
    causal                the causal order: every process's own order, reads after the writes they read, transitively

Guarantees can be joined: "monotonic reads + monotonic writes" asks for views that keep the pairs of both. All four
together are causal. One read of a register shows one write, so alone monotonic writes and writes follow reads forbid
little: a process may have read the newer write first and the older one from a copy that was behind. What they add shows
beside monotonic reads.

Where several writes wrote the same value, a read may be of any of them, but of one and the same in every view.

Source: D. Terry et al., Session Guarantees for Weakly Consistent Replicated Data, PDIS 1994, section 3 (what each
keeps), in the form with views of J. Brzezinski et al., From Session Causality to Causal Consistency, PDP 2004; R.
Lipton, J. Sandberg, PRAM, Princeton CS-TR-180-88; M. Ahamad et al., Causal memory, Distributed Computing 9, 1995,
section 2 (causal; "CM" of A. Bouajjani et al., On Verifying Causal Consistency, POPL 2017: NP-complete).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from .history import FAILED, LEGAL, OK, UNKNOWN, VIOLATION, HistoryError, HistoryVerdict, Operation
from .models import Model, model_of
from .ordering import Arc, Budget, Choice, Order, OutOfBudget, Way, search
from .parts import failing_part

STEPS = 2_000_000


class Keeps(NamedTuple):
    """What a view keeps: pairs of its own process ("wr": a write and a later read, ...), two writes of another, and
    what follows from having read: nothing, "writes" (later writes come after what was read) or "all"."""

    own: frozenset[str]
    writes: bool = False
    read: str = ""


MODELS: dict[str, Keeps] = {
    "read your writes": Keeps(frozenset({"rw", "wr"})),
    "monotonic reads": Keeps(frozenset({"rw", "rr"})),
    "monotonic writes": Keeps(frozenset({"rw", "ww"}), writes=True),
    "writes follow reads": Keeps(frozenset({"rw"}), read="writes"),
    "pram": Keeps(frozenset({"rr", "rw", "wr", "ww"}), writes=True),
    "causal": Keeps(frozenset({"rr", "rw", "wr", "ww"}), writes=True, read="all"),
}
KINDS = {"read": "r", "get": "r", "write": "w", "put": "w", "cas": "rw"}


@dataclass(frozen=True)
class Access:
    """One operation as this file sees it: what it is ("r", "w", "rw"), where, and when."""

    kind: str
    operation: Operation
    certain: bool

    def reads(self, value: Any, initial: Any) -> bool:
        """Whether this value explains the answer; a refused compare-and-set saw any other value."""
        one = self.operation
        if one.do == "cas":
            return bool((value == one.argument[0]) is (one.result is not False))
        return bool((initial if value is None else value) == (initial if one.result is None else one.result))

    @property
    def writes(self) -> Any:
        """The value it leaves."""
        return self.operation.argument[1] if self.operation.do == "cas" else self.operation.argument


def check(operations: Sequence[Operation], model: str = "register", consistency: str = "causal",
          steps: int = STEPS, initial: Any = ...) -> HistoryVerdict:
    """Whether the history keeps one of the models of this file.

    Args:
        operations: reads, writes and compare-and-sets of registers.
        model: "register", "cas-register" or "key-value".
        consistency: a name in MODELS, or several joined by " + ".
        steps: how many ways of choices may be looked at; more makes the verdict "unknown".
        initial: what every register holds at the start; as the model says if not given.

    Returns:
        If it does: details["views"] has the order of each process. If not: the operation that cannot be placed and a
        smallest failing part.

    Raises:
        HistoryError: there is no such consistency, or an operation is no read, write or compare-and-set.
    """
    kind, keeps, budget = model_of(operations, model, initial), keeps_of(consistency), Budget(steps)
    for one in operations:
        if one.do not in KINDS:
            raise HistoryError(f"{consistency} is defined for reads and writes, not for {one.do!r}: "
                               "check sequential or linearizable instead")
    try:
        found = views(operations, kind, keeps, budget)
    except OutOfBudget:
        why = f"no views were found, and not every choice was tried: {steps} ways were looked at"
        return HistoryVerdict(UNKNOWN, consistency, model, why=why, tried={"ways": steps})
    tried = {"ways": budget.spent}
    if found is not None:
        details = {"views": {str(process): list(view) for process, view in found.items()}}
        why = "every process has a view that keeps what must be kept"
        return HistoryVerdict(LEGAL, consistency, model, why=why, tried=tried, details=details)

    def fits(part: list[Operation]) -> bool:
        return views(part, kind, keeps, Budget(steps)) is not None

    culprit, part = failing_part(operations, kind, fits)
    who = "a process" if culprit is None else str(operations[culprit].process)
    what = "its reads" if culprit is None else f"`{operations[culprit]}`"
    why = f"{what} fits no order that is allowed for {who} ({consistency})"
    return HistoryVerdict(VIOLATION, consistency, model, None, culprit, part, why, tried)


def keeps_of(consistency: str) -> Keeps:
    """What a consistency of this file keeps.

    Raises:
        HistoryError: there is no such consistency.
    """
    names = consistency.split(" + ")
    for name in names:
        if name not in MODELS:
            raise HistoryError(f"there is no consistency {name!r} of views; choose from {', '.join(MODELS)}")
    parts = [MODELS[name] for name in names]
    own = frozenset[str]().union(*(part.own for part in parts))
    return Keeps(own, any(part.writes for part in parts), min((part.read for part in parts if part.read), default=""))


def views(operations: Sequence[Operation], model: Model, keeps: Keeps,
          budget: Budget) -> dict[Any, list[int]] | None:
    """For each process the indices of all writes and its own reads in the order of its view; None if there is none.

    A write that was never answered takes effect at any time after what its process had done by then: if nobody reads it
    that is last of all, as good as never.

    Raises:
        OutOfBudget: undecided.
    """
    kept = [i for i, one in enumerate(operations) if one.status == OK or (one.status != FAILED and _kind(one) != "r")]
    accesses = [Access(_kind(operations[i]), operations[i], operations[i].status == OK) for i in kept]
    processes = list(dict.fromkeys(access.operation.process for access in accesses))
    rank = sorted(range(len(kept)), key=lambda a: (accesses[a].operation.invoked, a))
    position = {a: at for at, a in enumerate(rank)}
    result: dict[Any, list[int]] = {}
    # what one view says of another: from which write a read is, and whether an unanswered compare-and-set took effect
    joint = keeps.read or any(not access.certain and "r" in access.kind for access in accesses)
    for together in [processes] if joint else [[process] for process in processes]:
        problem = _Problem(accesses, together, model.initial, keeps)
        choices = problem.choices() if problem.start() else None
        order = None if choices is None else search(problem.order, choices, budget)
        if order is None:
            return None
        size = len(accesses)
        line = order.line([position[node % size] for node in range(len(together) * size)])
        for v, process in enumerate(together):
            inside = [node % size for node in line if node // size == v]
            result[process] = [kept[a] for a in inside
                               if "w" in accesses[a].kind or accesses[a].operation.process == process]
    return result


def _kind(one: Operation) -> str:
    return "r" if one.do == "cas" and one.result is False else KINDS[one.do]


class _Problem:
    """The views of some processes at once as one order: each access appears once in each view."""

    def __init__(self, accesses: Sequence[Access], processes: Sequence[Any], initial: Any, keeps: Keeps):
        self.accesses, self.processes, self.initial, self.keeps = accesses, processes, initial, keeps
        self.order = Order(len(accesses) * len(processes))
        self.threads: dict[Any, list[int]] = {}
        self.writers: dict[Any, list[int]] = {}
        for a in sorted(range(len(accesses)), key=lambda a: (accesses[a].operation.invoked, a)):
            self.threads.setdefault(accesses[a].operation.process, []).append(a)
            if "w" in accesses[a].kind:
                self.writers.setdefault(accesses[a].operation.key, []).append(a)

    def node(self, view: int, a: int) -> int:
        return view * len(self.accesses) + a

    def start(self) -> bool:
        """Orders what must be from the start; False if that is already impossible."""
        return all(
            self.order.add(self.node(v, a), self.node(v, b))
            for v, process in enumerate(self.processes)
            for owner, thread in self.threads.items()
            for a, b in self._pairs(thread, owner == process)
        )

    def _pairs(self, thread: list[int], own: bool) -> Iterator[Arc]:
        for at, b in enumerate(thread):
            for a in reversed(thread[:at]):
                if self.accesses[a].certain and self._kept(self.accesses[a].kind, self.accesses[b].kind, own):
                    yield a, b

    def _kept(self, first: str, second: str, own: bool) -> bool:
        if own or self.keeps.read == "all":
            return any(a + b in self.keeps.own for a in first for b in second)
        return self.keeps.writes and "w" in first and "w" in second

    def choices(self) -> list[Choice]:
        """From which write each read is, in the view of its process."""
        found = []
        for v, process in enumerate(self.processes):
            for r in self.threads[process]:
                if "r" in self.accesses[r].kind:
                    found.append(self._sources(v, r))
        return sorted(found, key=len)

    def _sources(self, v: int, r: int) -> Choice:
        reader = self.accesses[r].operation
        writers = self.writers.get(reader.key, [])
        ways = [Way(tuple(self._after_reading(v, w, r)), then=partial(self._between, v, w, r))
                for w in sorted(writers, key=partial(self._likely, r))
                if w != r and self.accesses[r].reads(self.accesses[w].writes, self.initial)]
        if self.accesses[r].reads(self.initial, self.initial):
            first = tuple((self.node(v, r), self.node(v, w)) for w in writers if w != r)
            ways.append(Way(first))
        if not self.accesses[r].certain:        # a compare-and-set that never took effect comes after all that did
            last = tuple((self.node(u, a), self.node(u, r)) for u in range(len(self.processes))
                         for a in range(len(self.accesses)) if self.accesses[a].certain)
            ways.append(Way(last))
        return tuple(ways)

    def _likely(self, r: int, w: int) -> tuple[bool, int]:
        """The write that began last before the read ended is the likeliest source."""
        end = self.accesses[r].operation.completed
        began = self.accesses[w].operation.invoked
        return end is not None and began > end, -began

    def _after_reading(self, v: int, w: int, r: int) -> Iterator[Arc]:
        yield self.node(v, w), self.node(v, r)
        if self.keeps.read == "all":
            yield from ((self.node(u, w), self.node(u, r)) for u in range(len(self.processes)) if u != v)
        elif self.keeps.read == "writes":
            thread = self.threads[self.accesses[r].operation.process]
            for later in thread[thread.index(r) :]:
                if "w" in self.accesses[later].kind and later != w:
                    yield from ((self.node(u, w), self.node(u, later)) for u in range(len(self.processes)))

    def _between(self, v: int, w: int, r: int) -> list[Choice]:
        """No other write of this object comes between a read and its source."""
        found: list[Choice] = []
        for other in self.writers[self.accesses[r].operation.key]:
            if other not in (w, r):
                ways = Way(((self.node(v, other), self.node(v, w)),)), Way(((self.node(v, r), self.node(v, other)),))
                before = self.accesses[other].operation.invoked < self.accesses[w].operation.invoked
                found.append(ways if before else ways[::-1])
        return found


pram = partial(check, consistency="pram")
causal = partial(check, consistency="causal")
read_your_writes = partial(check, consistency="read your writes")
monotonic_reads = partial(check, consistency="monotonic reads")
monotonic_writes = partial(check, consistency="monotonic writes")
writes_follow_reads = partial(check, consistency="writes follow reads")
monotonic = partial(check, consistency="monotonic reads + monotonic writes")
following = partial(check, consistency="monotonic reads + writes follow reads")
