"""Explores a system: every order of deliveries, timers, crashes, restarts, losses, duplicates, requests and lies.

The nodes are the same classes that run in the simulator. Time is left out: any timer that runs may run out next, any
message in flight may arrive next, within bounds. What comes out is "exhausted" (every reachable state was seen and
every property held), "violated" (with the steps that lead there, as a case that replays in the simulator) or "budget
spent" (nothing was found in the part that was looked at, which proves nothing).

Source of the method: explicit-state model checking, as in L. Lamport, "Specifying Systems", 2002, chapter 14, and
E. Michael et al., "Teaching Rigorous Distributed Systems With Efficient Model Checking", EuroSys 2019.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from dslab.sim import DslabError, System
from dslab.sim.case import Case
from dslab.sim.errors import ScheduleError
from dslab.sim.guard import forbidden_calls
from dslab.sim.schedule import check_schedule
from dslab.sim.treason import known_fields
from dslab.sim.watchdog import watched

from .counterexample import NO_HANDLER_FAILS, case_of, replayed, schedule_of
from .invariants import Verdict, title_of
from .judge import NOTHING, Broken, Judge, PastMatters
from .space import Bounds, Deed, Full, OrderMatters, Space
from .standin import HandlerFailed
from .symmetry import Symmetry

EXHAUSTED, VIOLATED, BUDGET_SPENT = "exhausted", "violated", "budget spent"
SEARCHES = ("breadth-first", "depth-first", "random walk")
WALK = 100                  # steps of one random walk, unless a depth is given
LOOK = 1 << 10              # expansions between two looks at memory and clock
BYTES = 2_000_000_000       # of memory, unless another bound is given


class Stage(NamedTuple):
    """Where a search goes on that follows another: states of that one."""

    earlier: Exploration
    states: tuple[int, ...]
    goal: str


class Exploration:
    """What came out of a search.

    Attributes:
        result: "exhausted", "violated" or "budget spent".
        why: for "budget spent": which budget.
        states: how many different states of the system were seen.
        transitions: how many steps were tried, each state's once.
        histories: how many different pairs of a state and the notes that properties had taken there; this is what
            was searched, and equals `states` where no property takes notes.
        depth: most steps from the start.
        handler_runs: how often a handler really ran.
        memory_bytes: about how much the states took.
        cpu_seconds: processor time.
        goals: {name: whether it was met in some state}.
        not_evaluable: {name of a property: why it could not be judged}.
        bounds: what was allowed, as a dict.
        verdict, case, system: the property violated, the steps to it and the system to replay them on; or None.
    """

    def __init__(self, space: Space, search: str) -> None:
        self.space, self.search = space, search
        self.result, self.why = BUDGET_SPENT, ""
        self.states = self.transitions = self.histories = self.depth = 0
        self.handler_runs = self.memory_bytes = 0
        self.cpu_seconds = 0.0
        self.goals: dict[str, bool] = {}
        self.not_evaluable: dict[str, str] = {}
        self.bounds: dict[str, Any] = {}
        self.verdict: Verdict | None = None
        self.case: Case | None = None
        self.system: System | None = None
        self.parents: dict[int, int | None] = {}
        self.roots: dict[int, tuple[Exploration, int]] = {}
        self.start: Stage | None = None

    @property
    def passed(self) -> bool:
        """Whether everything was seen, every property could be judged and held, and every goal was met."""
        return self.result == EXHAUSTED and all(self.goals.values()) and not self.not_evaluable

    def where(self, goal: str) -> Stage:
        """The states where a goal was met, as the start of another search.

        Raises:
            DslabError: it was not met.
        """
        names = list(self.goals)
        if goal not in names:
            raise ScheduleError(f"this search had no goal {goal!r}; its goals: {', '.join(names) or 'none'}")
        states = tuple(self.space.goal_states[names.index(goal)])
        if not states:
            raise ScheduleError(f"{goal} was met nowhere, so no search can start from there")
        return Stage(self, states, goal)

    def path(self, state: int) -> list[Deed]:
        """The steps from the start to a state."""
        states = [state]
        while (parent := self.parents[states[-1]]) is not None:
            states.append(parent)
        return self._steps(states[::-1])[0]

    def _steps(self, states: Sequence[int]) -> tuple[list[Deed], int]:
        """The steps along states of the search, and the real state at their end (which symmetry may rename)."""
        root = states[0]
        deeds = self.roots[root][0].path(self.roots[root][1]) if root in self.roots else []
        space, now = self.space, self.roots_real.get(root, root)
        for wanted in states[1:]:
            for step, i, new in space.steps(now):
                try:
                    new = space.after(i, step, new)
                except Broken:
                    continue
                if self.canonical(new) == wanted:
                    deeds.append(space.deed(step))
                    now = new
                    break
            else:
                raise DslabError("a step of the search cannot be found again; a property or a handler depends on "
                                 "something that is not part of the state")
        return deeds, now

    def canonical(self, state: int) -> int:
        """The state that stands for this one."""
        return state if self.symmetry is None else self.symmetry.canonical(state)

    symmetry: Symmetry | None = None
    roots_real: dict[int, int] = {}

    def to_json(self) -> dict[str, Any]:
        """Everything that can be written down."""
        broken = self.verdict and {"property": self.verdict.name, "title": self.verdict.title,
                                   "text": self.verdict.violation.text if self.verdict.violation else ""}
        return {"system": self.space.system.code, "search": self.search, "result": self.result, "why": self.why,
                "passed": self.passed, "states": self.states, "transitions": self.transitions,
                "histories": self.histories, "depth": self.depth, "handler_runs": self.handler_runs,
                "memory_bytes": self.memory_bytes, "cpu_seconds": round(self.cpu_seconds, 3), "goals": self.goals,
                "not_evaluable": self.not_evaluable, "bounds": self.bounds, "violation": broken,
                "replay_on": self.system.code if self.system else None,
                "schedule": self.case.schedule if self.case else None}

    def __repr__(self) -> str:
        seen = f"{self.states:,} states, {self.transitions:,} steps, up to {self.depth} deep"
        if self.start is not None:
            seen += f", from {len(self.start.states):,} states where {self.start.goal} was met"
        if self.result == VIOLATED:
            assert self.verdict is not None and self.case is not None
            text = self.verdict.violation.text if self.verdict.violation else ""
            return f'violated: "{self.verdict.title}" after {len(self.case.schedule)} actions: {text} ({seen})'
        unmet = [name for name, met in self.goals.items() if not met]
        if self.result == BUDGET_SPENT:
            told = f"budget spent ({self.why}): nothing found in {seen}; this proves nothing about the rest"
        else:
            told = f"exhausted: every property holds in all {seen}"
        if unmet:
            were = "was" if len(unmet) == 1 else "were"
            told += f"; but {' and '.join(unmet)} {were} met nowhere, so this is no pass"
        if self.not_evaluable:
            told += "; could not be judged: " + ", ".join(f"{name} ({why})" for name, why in self.not_evaluable.items())
        return told


def explore(system: System, *, requests: Sequence[Mapping[str, Any]] = (),
            timeouts: int | Mapping[str, int] | None = 0, crashes: int = 0, restarts: int = 0, losses: int = 0,
            duplicates: int = 0, joins: Sequence[Mapping[str, str]] = (),
            traitors: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
            network: str = "once", search: str = "breadth-first", goals: Sequence[Callable[..., Any]] | None = None,
            always: Sequence[Callable[..., Any]] | None = None, start: Stage | None = None, states: int = 1_000_000,
            depth: int | None = None, memory: int = BYTES, seed: int = 1, symmetry: bool = False,
            copying: str = "touched", progress: Callable[[Exploration], None] | None = None) -> Exploration:
    """Searches the states that a system can reach, for one where a safety property does not hold.

    Two states that differ in nothing but the order in which a dict was filled count as one, unless some handler does
    something else when the dicts of its node are filled in another order; then the search begins again and the order
    is part of the state. Two other orders are tried for each handler and state of its node: backwards, and the first
    key last. That finds whoever asks for the first, the last or the middle one; a handler that treats these orders
    alike and a third one not would escape. The order always counts in dicts of other types (OrderedDict, defaultdict,
    Counter), in messages, in deques and in objects of other classes. Properties must not ask for the order of a dict.

    What clients were told becomes part of the state where a property asks for it: what it notes of `world.recorded`,
    or all of `world.history`.

    Args:
        system: what to explore; its network and times do not matter here.
        requests: what clients ask, such as {"command": "x=1", "to": "n1", "client": "c1"}; each client in this order.
        timeouts: how many timers may run out: a number for all together, {timer: number} for each, None for no limit.
        crashes, restarts, losses, duplicates: how many of each.
        joins: which absent servers may join, each once and at any time, such as {"node": "n4", "to": "n1"}.
        traitors: {node: lies}; a lie is {field of a message: what to say instead}. For each message that it sends, a
            traitor may choose the truth or a lie; silence is a message that never arrives.
        network: "once": what was delivered is gone; "any number": what was sent once may arrive again and again.
        search: "breadth-first" finds a shortest way; "depth-first" and "random walk" get further with fewer states.
        goals: functions of a World to be met in some state; `system.eventually` if not given.
        always: safety properties; `system.always` if not given.
        start: begins in states of an earlier search of this system: `earlier.where("has_leader")`. Only if that one
            was exhausted can this one be; its traitors stay traitors, and tell the truth unless `traitors` names lies.
        states: most states; for a random walk: most steps.
        depth: most steps from the start; None for no limit.
        memory: most bytes for states.
        seed: of a random walk.
        symmetry: look at one state only of those that differ in which of `system.interchangeable` is which.
        copying: "deepcopy" copies every node at every step and remembers nothing, for comparison: same results, slowly.
        progress: called now and then with the unfinished result.

    Returns:
        An Exploration. Ctrl-C ends the search; what it has found by then is "budget spent".

    Raises:
        NodeError: a node does what cannot be followed, such as reading the clock; says what to do instead.
        ScheduleError: an argument is not what it must be.
    """
    if network not in ("once", "any number"):
        raise ScheduleError(f'network is "once" or "any number", not {network!r}')
    if search not in SEARCHES:
        raise ScheduleError(f"search is one of {', '.join(map(repr, SEARCHES))}, not {search!r}")
    if copying not in ("touched", "deepcopy"):
        raise ScheduleError(f'copying is "touched" or "deepcopy", not {copying!r}')
    whole = {"crashes": crashes, "restarts": restarts, "losses": losses, "duplicates": duplicates, "states": states,
             "memory": memory, "seed": seed, "depth": 0 if depth is None else depth}
    if isinstance(timeouts, Mapping):
        whole.update({f"timeouts[{timer!r}]": number for timer, number in timeouts.items()})
    else:
        whole["timeouts"] = 0 if timeouts is None else timeouts
    for name, value in whole.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ScheduleError(f"{name} must be a whole number, 0 or more, not {value!r}")
    if isinstance(timeouts, Mapping):
        _check_timers(timeouts, system)
    for name, asked_for in (("goals", goals), ("always", always)):
        if asked_for is not None and not (isinstance(asked_for, (list, tuple)) and all(map(callable, asked_for))):
            raise ScheduleError(f"{name} must be a list of functions of a World, not {asked_for!r}")
        called = [prop.__name__ for prop in asked_for or ()]
        if twice := next((one for one in called if called.count(one) > 1), None):
            raise ScheduleError(f"two of {name} are both called {twice!r}, so nobody could tell which one is meant: "
                                f"write each as a function with a name of its own")
    if not isinstance(requests, (list, tuple)) or not all(isinstance(request, Mapping) for request in requests):
        raise ScheduleError(f'requests must be a list such as [{{"command": "x=1", "to": "n1"}}], not {requests!r}')
    if not isinstance(joins, (list, tuple)) or not all(isinstance(join, Mapping) for join in joins):
        raise ScheduleError(f'joins must be a list such as [{{"node": "n4", "to": "n1"}}], not {joins!r}')
    entering = check_schedule([{"at": 0, "do": "join", **join} for join in joins], system)
    for join in entering:
        if join["node"] not in system.absent or "to" not in join:
            raise ScheduleError(f"joins: {join['node']} must be absent at first, so in System(..., absent=[...]), and "
                                f"join through a server that \"to\" names")
    if start is not None and not isinstance(start, Stage):
        raise ScheduleError(f'start must be what `earlier.where("name of a goal")` gives, not {start!r}')
    asked = check_schedule([{"at": 0, "do": "request", **request} for request in requests], system)
    bounds = Bounds(tuple({k: v for k, v in act.items() if k not in ("at", "do")} for act in asked), timeouts, crashes,
                    restarts, losses, duplicates, _checked(traitors, system, start), network == "any number",
                    tuple(entering))
    props = tuple(system.always if always is None else always)
    wanted = tuple(system.eventually if goals is None else goals)
    earlier = start.earlier.space if start is not None else None
    ordered, kept = (False, NOTHING) if earlier is None else (earlier.ordered, earlier.judge.kept)
    while True:
        judge = Judge(system, props, wanted, kept)
        space = Space(system, bounds, judge, ordered=ordered, naive=copying == "deepcopy")
        found = Exploration(space, search)
        found.start = start
        found.bounds = {"requests": list(bounds.requests), "timeouts": dict(timeouts) if isinstance(timeouts, Mapping)
                        else timeouts, "crashes": crashes, "restarts": restarts, "losses": losses,
                        "duplicates": duplicates, "joins": [dict(join) for join in joins],
                        "traitors": {n: list(lies) for n, lies in bounds.traitors.items()},
                        "network": network, "states": states, "depth": depth, "memory": memory}
        if symmetry:
            found.symmetry = Symmetry(space)
        collecting = gc.isenabled()
        gc.disable()                       # there are no cycles among numbers, only many of them to look through
        try:
            with forbidden_calls(space), watched(space):
                _Search(found, states, depth, memory, seed, progress).run(start)
            return found
        except OrderMatters:
            ordered = True
        except PastMatters as matters:
            if earlier is not None:
                raise ScheduleError("start: a property asks what clients did before, and the earlier search did not "
                                    "keep that: let that one judge by the same properties") from None
            kept = matters.kept
        finally:
            if collecting:
                gc.enable()


def _check_timers(timeouts: Mapping[str, int], system: System) -> None:
    timers = dict.fromkeys(name[3:-8] for cls in system.classes.values() for name in dir(cls)
                           if name.startswith("on_") and name.endswith("_timeout"))
    for timer in timeouts:
        if timer not in timers:
            raise ScheduleError(f"timeouts: there is no timer {timer!r}; the timers are {', '.join(timers) or 'none'}")


def _checked(traitors: Mapping[str, Sequence[Mapping[str, Any]]] | None, system: System,
             start: Stage | None) -> dict[str, list[dict[str, Any]]]:
    """The lies of each traitor, those included that were traitors in an earlier search."""
    if traitors is not None and not isinstance(traitors, Mapping):
        raise ScheduleError(f'traitors must be a dict such as {{"n1": [{{"value": "b"}}]}}, not {traitors!r}')
    given = dict(traitors or {})
    for node, lies in given.items():
        if node not in system.servers:
            raise ScheduleError(f"traitors: there is no server {node!r}; choose from {', '.join(system.servers)}")
        if not isinstance(lies, (list, tuple)) or not all(isinstance(lie, Mapping) for lie in lies):
            raise ScheduleError(f'traitors: the lies of {node} must be a list such as [{{"value": "b"}}], not {lies!r}')
        for lie in lies:
            wrong = [field for field in lie if field not in known_fields()]
            if wrong:
                raise ScheduleError(f"traitors: no message has a field {wrong[0]!r} for {node} to lie about")
    earlier = start.earlier.space.bounds.traitors if start is not None else {}
    return {**{node: [] for node in earlier}, **{node: [dict(lie) for lie in lies] for node, lies in given.items()}}


class _Search:
    """One search in progress."""

    def __init__(self, found: Exploration, states: int, depth: int | None, memory: int, seed: int,
                 progress: Callable[[Exploration], None] | None) -> None:
        self.found, self.space = found, found.space
        self.limit, self.depth, self.memory, self.seed, self.progress = states, depth, memory, seed, progress
        self.began = time.process_time()
        self.expanded = 0
        self.seen: set[int] = set()             # states without notes whose steps are counted
        self.waiting: list[Any] = []            # of a depth-first search: states and how deep they are
        self.depths: dict[int, int] = {}
        self.at: Any = None                     # the state whose steps are tried

    def run(self, start: Stage | None) -> None:
        found, space = self.found, self.space
        way: list[int] | None = []
        try:
            roots = self._roots(start)
            search = {"breadth-first": self._breadth_first, "depth-first": self._depth_first,
                      "random walk": self._random_walks}[found.search]
            way = None
            search(roots)
        except (Broken, HandlerFailed) as error:
            self._violated(error, way)
        except KeyboardInterrupt:
            found.result, found.why = BUDGET_SPENT, "stopped by Ctrl-C"
        except Full as error:
            found.result, found.why = BUDGET_SPENT, str(error)
        self._count()
        if start is not None and found.result == EXHAUSTED:
            if start.earlier.result != EXHAUSTED:
                self._stop("the earlier search was not finished")
            elif space.ordered and not start.earlier.space.ordered:
                self._stop("the order of dicts matters, and the earlier search did not tell orders apart")

    def _roots(self, start: Stage | None) -> list[int]:
        found, space = self.found, self.space
        initial = space.initial()
        if start is None:
            if found.symmetry is not None:
                found.symmetry.check(initial)
            root = found.canonical(initial)
            found.roots_real = {root: initial}
            return [root]
        if start.earlier.space.system is not space.system:
            raise ScheduleError("start: the earlier search was of another system")
        found.roots_real = {}
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
        frontier, look = list(roots), LOOK
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
                if self.expanded >= look:
                    look += LOOK
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
            if self.expanded % LOOK == 0 and self._look():
                return self._stop(f"{self.memory:,} bytes of memory")
        self._stop(f"the depth of {self.depth}", cut)

    def _random_walks(self, roots: list[int]) -> None:
        found, space, draw = self.found, self.space, random.Random(f"explore/{self.seed}")
        walk = self.depth or WALK
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
        sample = [self.at or 0, *islice(found.parents, 100)]
        each = sum(map(sys.getsizeof, sample)) / len(sample)
        tables = (found.parents, self.depths, self.waiting, self.seen, *space.goal_states, *space.judged)
        found.memory_bytes = int(
            sum(map(sys.getsizeof, tables)) + each * (len(found.parents) + len(self.seen)) + 64 * len(self.waiting)
            + 100 * sum(map(len, space.judged)) + 300 * space.judge.answers + 500 * len(space.messages)
            + 1000 * (sum(map(len, space.locals)) + space.handler_runs))
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
        found.handler_runs = space.handler_runs
        found.goals = {goal.__name__: bool(space.goals_met >> k & 1) for k, goal in enumerate(space.judge.goals)}
        found.not_evaluable = dict(space.judge.not_evaluable)

    # ---- the counterexample

    def _violated(self, error: Broken | HandlerFailed, way: list[int] | None) -> None:
        """Makes a case of the way to a violation, and proves it by running it."""
        found, space = self.found, self.space
        deeds: list[Deed] = []
        name = error.name if isinstance(error, Broken) else NO_HANDLER_FAILS
        if way is None:
            states = [self.at]
            while (parent := found.parents[states[-1]]) is not None:
                states.append(parent)
            attempt = space.attempt
            deeds, state = found._steps(states[::-1])
            deeds.append(self._last(state, name, attempt))
        started = [space.messages[m] for m in space.start_sent]
        stepped = space.system.stepped()
        schedule = schedule_of(started, deeds, space.bounds.traitors)
        case = case_of(stepped, name.replace("_", "-"), schedule)
        verdict = replayed(stepped, case, space.judge.always, name)
        if verdict is None:
            raise DslabError(f"the search found {title_of_name(space, name)!r} violated ({error}), but running its "
                             f"{len(schedule)} steps does not show it; look for an attribute that is a set whose order "
                             f"counts, or a property that asks for the order of a dict")
        found.result, found.verdict, found.case, found.system = VIOLATED, verdict, case, stepped

    def _last(self, state: int, name: str, attempt: Any) -> Deed:
        space = self.space
        try:
            for step, i, new in space.steps(state):
                try:
                    space.after(i, step, new)
                except Broken as broken:
                    if broken.name == name:
                        return space.deed(step)
        except HandlerFailed as failed:
            return space.deed(space.attempt or attempt)._replace(script=failed.script)
        raise DslabError(f"the step that violates {name} cannot be found again")


def title_of_name(space: Space, name: str) -> str:
    """The title of a property by its name."""
    return next((title_of(prop) for prop in space.judge.always if prop.__name__ == name), name)
