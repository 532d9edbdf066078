"""The ways to go through the states of a system: breadth-first, depth-first, at random; each within a budget.

There is no partial-order reduction, because it does not pay (measured: tests/benchmarks/reduction.py). Sleep sets leave
a third to two thirds of the steps and all of the states, and take no less time: a step is no more than a look-up.
Persistent sets that keep what properties see would leave 58 to 93 % of the states of Paxos, two-phase commit and Raft,
even if an oracle said for nothing who can still send something to whom.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from itertools import islice

from dslab.sim.errors import ScheduleError

from .exploration import BUDGET_SPENT, EXHAUSTED, Exploration
from .judge import Broken
from .local_states import Full
from .retrace import prove
from .standin import HandlerFailed

WALK = 100                  # steps of one random walk, unless a depth is given
LOOK = 1 << 10              # expansions between two looks at memory and clock


class Search:
    """One search in progress.

    Args:
        found: what to write into. states, depth, memory, seed, progress: see dslab.check.explore.explore.
    """

    def __init__(self, found: Exploration, states: int, depth: int | None, memory: int, seed: int,
                 progress: Callable[[Exploration], None] | None) -> None:
        self.found, self.space = found, found.space
        self.limit, self.depth, self.memory, self.seed, self.progress = states, depth, memory, seed, progress
        self.began = time.process_time()
        self.expanded = 0
        self.seen: set[int] = set()             # states without notes whose steps are counted
        self.waiting: list[tuple[int, int]] = []     # of a depth-first search: states and how deep they are
        self.depths: dict[int, int] = {}
        self.at: int | None = None              # the state whose steps are tried

    def run(self) -> None:
        """Searches, and writes what came out into `found`."""
        found = self.found
        try:
            roots = self._roots()
            {"breadth-first": self._breadth_first, "depth-first": self._depth_first,
             "random walk": self._random_walks}[found.search](roots)
        except (Broken, HandlerFailed) as error:
            prove(found, self.at, error)
        except KeyboardInterrupt:
            self._stop("stopped by Ctrl-C")
        except Full as error:
            self._stop(str(error))
        self._count()
        earlier = found.start.earlier if found.start is not None else None
        if earlier is not None and found.result == EXHAUSTED:
            if earlier.result != EXHAUSTED:
                self._stop("the earlier search was not finished")
            elif found.space.ordered and not earlier.space.ordered:
                self._stop("the order of dicts matters, and the earlier search did not tell orders apart")

    def _roots(self) -> list[int]:
        """The states where the search begins."""
        found, space, start = self.found, self.space, self.found.start
        initial = space.initial()
        if start is None:
            if found.symmetry is not None:
                found.symmetry.check(initial)
            root = found.canonical(initial)
            found.roots_real[root] = initial
            return [root]
        if start.earlier.space.system is not space.system:
            raise ScheduleError("start: the earlier search was of another system")
        if found.symmetry is not None or start.earlier.symmetry is not None:
            raise ScheduleError("symmetry: a search in stages looks at every state")
        space.forget_goals()                           # those of the first start are not met in this search
        for state in start.states:
            real = space.adopted(start.earlier.space, state)
            found.roots.setdefault(real, (start.earlier, state))
            space.look_for_goals(real)
        return list(found.roots)

    # ---- searches

    def _breadth_first(self, roots: list[int]) -> None:
        found, space, limit = self.found, self.space, self.limit
        parents = found.parents
        parents.update((root, None) for root in roots)
        successors, canonical = space.successors, found.symmetry.canonical if found.symmetry else None
        memories, without_notes, seen = space.judge.memories, space.without_notes, self.seen
        frontier, look, locals_ = list(roots), LOOK, space.locals
        while frontier:
            if self.depth is not None and found.depth >= self.depth:
                return self._stop(f"the depth of {self.depth}", any(successors(state) for state in frontier))
            following: list[int] = []
            push = following.append
            for state in frontier:
                self.at = state
                after = successors(state)
                self.expanded += 1
                if len(memories) == 1:
                    found.transitions += len(after)
                else:
                    if not seen:                       # the first notes were just made
                        seen.update(earlier & without_notes for earlier in islice(parents, self.expanded - 1))
                    bare = state & without_notes
                    if bare not in seen:
                        seen.add(bare)
                        found.transitions += len(after)
                if canonical is not None:
                    after = list(map(canonical, after))
                for new in after:
                    if new not in parents:
                        parents[new] = state
                        push(new)
                if len(parents) > limit:
                    return self._stop(f"{limit:,} states")
                if self.expanded >= look or locals_.size > self.memory:
                    look = self.expanded + LOOK
                    if self._look():
                        return self._stop(f"{self.memory:,} bytes of memory")
            frontier = following
            found.depth += bool(following)
        found.result = EXHAUSTED

    def _depth_first(self, roots: list[int]) -> None:
        found, space = self.found, self.space
        parents = found.parents
        depths, stack = self.depths, self.waiting
        depths.update((root, 0) for root in roots)
        stack += [(root, 0) for root in reversed(roots)]
        parents.update((root, None) for root in roots)
        cut = False
        while stack:
            state, depth = stack.pop()
            if depth > depths[state]:
                continue                               # it was reached on a shorter way since
            self.at = state
            after = space.successors(state)
            self.expanded += 1
            if self.depth is not None and depth >= self.depth:
                cut = cut or bool(after)
                continue
            self._tried(state, len(after))
            found.depth = max(found.depth, depth + bool(after))
            for new in reversed(after):
                new = found.canonical(new)
                known = depths.get(new)
                if known is None or self.depth is not None and depth + 1 < known:
                    depths[new] = depth + 1
                    parents[new] = state
                    stack.append((new, depth + 1))
            if len(parents) > self.limit:
                return self._stop(f"{self.limit:,} states")
            if (self.expanded % LOOK == 0 or space.locals.size > self.memory) and self._look():
                return self._stop(f"{self.memory:,} bytes of memory")
        self._stop(f"the depth of {self.depth}", cut)

    def _random_walks(self, roots: list[int]) -> None:
        found, space, draw = self.found, self.space, random.Random(f"explore/{self.seed}")
        walk = WALK if self.depth is None else self.depth
        taken = 0
        while taken < self.limit:
            found.parents.clear()
            state = roots[draw.randrange(len(roots))]
            found.parents[state] = None
            for step in range(walk):
                self.at = state
                after = space.successors(state)
                self._tried(state, len(after))
                self.expanded += 1
                if not after:
                    break
                new = found.canonical(after[draw.randrange(len(after))])
                if new not in found.parents:
                    found.parents[new] = state
                state = new
                found.depth = max(found.depth, step + 1)
                taken += 1
            taken += 1                                  # a walk that ends at once must count as well
            if self._look():
                return self._stop(f"{self.memory:,} bytes of memory")
        self._stop(f"{self.limit:,} steps of random walks")

    # ---- bookkeeping

    def _stop(self, why: str, cut: bool = True) -> None:
        found = self.found
        found.result, found.why = (BUDGET_SPENT, why) if cut else (EXHAUSTED, "")

    def _tried(self, state: int, steps: int) -> None:
        """Counts the steps of a state once, whatever properties have noted on the way to it."""
        bare = state & self.space.without_notes
        if bare not in self.seen:
            self.seen.add(bare)
            self.found.transitions += steps

    def _look(self) -> bool:
        """Whether memory is used up; tells how far the search is."""
        full = self._too_large()
        if self.progress:
            self.progress(self.found)
        return full

    def _too_large(self) -> bool:
        found, space = self.found, self.space
        found.histories = found.states = len(found.parents)
        found.cpu_seconds = time.process_time() - self.began
        sample = [self.at or 0, *islice(found.parents, 100), *islice(reversed(found.parents), 100)]   # they grow
        each = sum(map(sys.getsizeof, sample)) / len(sample) + 16      # rounded up, and in the list of what is next
        tables = (found.parents, self.depths, self.waiting, self.seen, *space.goal_states, *space.judged)
        found.memory_bytes = int(
            sum(map(sys.getsizeof, tables)) + each * (len(found.parents) + len(self.seen)) + 64 * len(self.waiting)
            + 100 * sum(map(len, space.judged)) + 300 * space.judge.answers + 500 * len(space.flights.messages)
            + space.locals.size + 1000 * space.handlers.runs)
        return found.memory_bytes > self.memory

    def _count(self) -> None:
        """The figures at the end."""
        found, space = self.found, self.space
        self._too_large()
        if found.search == "random walk":
            found.histories = found.states = len(self.seen)
        elif len(space.judge.memories) > 1:
            whole = found.search == "breadth-first" and self.expanded == len(found.parents)
            found.states = len(self.seen if whole else {state & space.without_notes for state in found.parents})
        found.handler_runs = space.handlers.runs
        found.goals = {goal.__name__: bool(space.goals_met >> k & 1) for k, goal in enumerate(space.judge.goals)}
        found.not_evaluable = dict(space.judge.not_evaluable)
