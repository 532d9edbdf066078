"""Makes a failing run smaller while the same property still breaks: first its actions, then all the rest."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from dslab.sim import DslabError, Simulation, System, simulate
from dslab.sim.case import Case
from dslab.sim.network import Exponential, LogNormal
from dslab.sim.schedule import to_python, whole_ms

from .counterexample import STEP_MS, replayed
from .invariants import NOT_YET, Verdict, check_trace
from .progress import unanswered

Found = TypeVar("Found")
RUNS = 1_000                    # most runs of one search for something smaller
BY_HAND = ("deliver", "drop", "duplicate")      # the verbs that name a message by its number


def shortest(
    case: Case, found: Found, find: Callable[[Case], Found | None], *, attempts: int = 300
) -> tuple[Case, Found]:
    """Takes actions out of a failing case while it still fails: halves, quarters, and so on to single ones.

    Args:
        case: fails.
        found: what is wrong with it.
        find: what is wrong with a case in the same way, or None.
        attempts: most runs to spend; the answer is correct but may be longer when they are used up.

    Returns:
        The shortest case found and what is wrong with it.

    Source: A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2),
    2002; of its two steps the one that removes parts.
    """
    actions: list[dict[str, Any]] = list(case.schedule)
    size = max(1, len(actions) // 2)
    while attempts > 0:
        removed = False
        start = len(actions)
        while start > 0 and attempts > 0:  # from the end: late actions are needed least
            start = max(0, start - size)
            candidate = case._replace(schedule=actions[:start] + actions[start + size :])
            if len(candidate.schedule) == len(actions):
                continue
            attempts -= 1
            again = find(candidate)
            if again is not None:
                actions, found, removed = list(candidate.schedule), again, True
        if size == 1 and not removed:
            break
        size = max(1, size // 2)
    return case._replace(schedule=actions), found


class Minimised(NamedTuple):
    """A smaller run that breaks the same property.

    Attributes:
        system, case, verdict: the run and what it breaks.
        before, after: sizes: actions, faults, requests, servers, clients, ms.
        runs: how many were tried.
        why: why the search ended before nothing could be left out; empty if it did not.
    """

    system: System
    case: Case
    verdict: Verdict
    before: dict[str, Any]
    after: dict[str, Any]
    runs: int
    why: str

    def to_json(self) -> str:
        """The run as the text of a file."""
        return json.dumps({
            "system": self.system.code, "imports": self.system.import_lines, "property": self.verdict.name,
            "seed": self.case.seed, "until": self.case.until, "before": self.before, "after": self.after,
            "schedule": self.case.schedule}, indent=1) + "\n"

    @property
    def cell(self) -> str:
        """The run as the text of a notebook cell that opens it."""
        return (f"from dslab import Lab\n{self.system.import_lines}\n\n{to_python(self.case.schedule)}"
                f"Lab({self.system.code}, seed={self.case.seed}, schedule=schedule, until={self.case.until:g})\n")

    def __repr__(self) -> str:
        parts = [f"{self.before[name]:g} {name} became {self.after[name]:g}" for name in self.before
                 if self.before[name] != self.after[name]]
        return (f'"{self.verdict.title}" still breaks: ' + (", ".join(parts) or "nothing could be left out")
                + f" ({self.runs} runs{', ' + self.why if self.why else ''})")


NO_FAULTS = ("request", "deliver", "timeout")


class _Stop(Exception):
    """No more runs are allowed."""


class _Minimiser:
    """One search for something smaller."""

    def __init__(self, system: System, case: Case, name: str, right: System | None, runs: int,
                 progress: Callable[[int, Case], None] | None) -> None:
        self.name, self.left, self.runs, self.progress = name, runs, 0, progress
        known = [prop.__name__ for prop in (*system.always, *system.eventually)]
        known += [other for other in ("requests_are_answered", "no_handler_fails") if other not in known]
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            raise DslabError(f"there is no property {name!r}; " + (
                f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}"))
        self.system, self.case, self.right = system, case, right
        verdict = self.judge(system, case)
        if verdict is None or right is not None and self.judge(right, case) is not None:
            raise DslabError(f"this run does not violate {name!r}, so there is nothing to make smaller")
        self.verdict = verdict
        # what only faults keep from happening must happen without them: a run without clients explains nothing
        self.faults_matter = (right is None and verdict.kind == "eventually"
                              and self.judge(system, without_faults(case)) is None)

    def judge(self, system: System, case: Case) -> Verdict | None:
        """The verdict on the property in a run, if it breaks there."""
        self.runs += 1
        try:
            if self.name == "requests_are_answered":
                return unanswered(simulate(system, seed=case.seed, schedule=case.schedule, until=case.until))
            if self.name in [prop.__name__ for prop in system.eventually]:
                trace = simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)
                found = check_trace(trace, (), system.eventually)
                return next((v for v in found if v.name == self.name and v.status == NOT_YET), None)
            return replayed(system, case, system.always, self.name)
        except DslabError:
            return None                     # it is no run at all

    def attempt(self, case: Case, change: Callable[[System], System] = lambda system: system) -> bool:
        """Takes a candidate if the property breaks there too, and not in the right system.

        Args:
            case: the candidate. change: what becomes different about the systems.
        """
        if self.runs >= self.left:
            raise _Stop
        system = change(self.system)
        if system.by_hand:
            case = _numbered(system, case, self.case, self.system)
        verdict = self.judge(system, case)
        if verdict is None:
            return False
        right = self.right and change(self.right)
        if right is not None and self.judge(right, case) is not None:
            return False
        if self.faults_matter and self.judge(system, without_faults(case)) is not None:
            return False
        self.system, self.case, self.verdict, self.right = system, case, verdict, right
        if self.progress:
            self.progress(self.runs, case)
        return True

    def smaller(self) -> None:
        """Everything once; again while something has become smaller."""
        while True:
            before = sizes(self.system, self.case), self.case.schedule, self.system.code
            self.actions()
            for node in [*reversed(self.system.clients), *reversed(self.system.servers)]:
                self.leave_out(node)
            if not self.system.by_hand:
                self.simpler_times()
            self.cut_end()
            if before == (sizes(self.system, self.case), self.case.schedule, self.system.code):
                return

    def actions(self) -> None:
        """Leaves actions out."""
        size = max(1, len(self.case.schedule) // 2)
        while True:
            removed = False
            start = len(self.case.schedule)
            while start > 0:
                start = max(0, start - size)
                kept = self.case.schedule[:start] + self.case.schedule[start + size:]
                if len(kept) < len(self.case.schedule) and self.attempt(self.case._replace(schedule=kept)):
                    removed = True
                    start = min(start, len(self.case.schedule))
            if size == 1 and not removed:
                return
            size = max(1, size // 2)

    def leave_out(self, node: str) -> None:
        """A system without a node, and without the actions that name it."""
        try:
            system = self.system.without(node)
        except DslabError:
            return
        schedule = []
        for act in self.case.schedule:
            if act["do"] == "partition":
                groups = [[n for n in group if n != node] for group in act["groups"]]
                act = {**act, "groups": [group for group in groups if group]}
                if not act["groups"]:
                    continue
            elif act["do"] == "turn_traitor" and "to" in act:
                act = {**act, "to": [n for n in act["to"] if n != node]}
                if not act["to"]:
                    continue
            elif node in act.values() or act["do"] == "request" and act.get("client", "c1") == node:
                continue
            schedule.append(act)
        case = self.case._replace(schedule=schedule, nodes=len(system.servers), clients=len(system.clients))
        self.attempt(case, lambda system: system.without(node))

    def simpler_times(self) -> None:
        """One latency instead of a range, no time for the disk, actions at round times."""
        for latency in _plainer(self.system.network.latency):
            if self.attempt(self.case, lambda system, latency=latency: system.replace(  # type: ignore[misc]
                    latency=latency, code=f"{system.code}.replace(latency={latency:g})")):
                break
        if self.system.disk:
            self.attempt(self.case, lambda system: system.replace(disk=0, code=f"{system.code}.replace(disk=0)"))
        for step in (100, 50, 10, 1):
            for i in range(len(self.case.schedule)):
                act = self.case.schedule[i]
                rounded = round(act["at"] / step) * step
                is_round = any(act["at"] % coarser == 0 for coarser in (100, 50, 10) if coarser > step)
                if rounded != act["at"] and not is_round:
                    schedule = [*self.case.schedule[:i], {**act, "at": rounded}, *self.case.schedule[i + 1:]]
                    self.attempt(self.case._replace(schedule=sorted(schedule, key=lambda a: a["at"])))

    def cut_end(self) -> None:
        """Ends the run just after the property breaks."""
        if self.verdict.kind == "always" and self.verdict.time_us is not None:
            until = self.verdict.time_us // 1000 + 1
            if until < self.case.until:
                self.attempt(self.case._replace(until=until))


def minimise(system: System, case: Case, name: str, *, right: System | None = None, runs: int = RUNS,
             progress: Callable[[int, Case], None] | None = None) -> Minimised:
    """Makes a failing run smaller: fewer actions, fewer nodes, simpler times, an earlier end.

    Args:
        system: what runs.
        case: breaks the property.
        name: of the property: one of `system.always`; one of `system.eventually`, which breaks where it is not reached
            by the end; "requests_are_answered" or "no_handler_fails".
        right: a system that keeps the property in the case, and must go on keeping it: so that what is left is the
            fault of `system`, and not of faults that nobody survives.
        runs: most runs to spend.
        progress: called with the number of runs and the smallest case so far, after each step forward.

    Returns:
        The smallest run found; no single action of it can be left out, unless the runs were used up or Ctrl-C was
        pressed, which loses nothing.

    Raises:
        DslabError: the case does not break the property, or breaks it in the right system too.

    Source of the order in which actions are left out: see `shortest`.
    """
    before = sizes(system, case)
    search = _Minimiser(system, case, name, right, runs, progress)
    why = ""
    try:
        search.smaller()
    except _Stop:
        why = f"all {runs:,} runs were used up"
    except KeyboardInterrupt:
        why = "stopped by Ctrl-C"
    return Minimised(search.system, search.case, search.verdict, before, sizes(search.system, search.case),
                     search.runs, why)


def without_faults(case: Case) -> Case:
    """The same run with nothing but its requests, deliveries and timers."""
    return case._replace(schedule=[act for act in case.schedule if act["do"] in NO_FAULTS])


def sizes(system: System, case: Case) -> dict[str, Any]:
    """How large a run is: what there is to make smaller."""
    verbs = [act["do"] for act in case.schedule]
    return {"actions": len(verbs), "faults": sum(verb not in NO_FAULTS for verb in verbs),
            "requests": verbs.count("request"), "servers": len(system.servers), "clients": len(system.clients),
            "ms": case.until}


def _plainer(latency: Any) -> list[float]:
    """Single latencies that could stand for a range or a distribution, simplest first."""
    fixed: list[float] = [10]
    if isinstance(latency, (list, tuple)):
        return [*fixed, whole_ms((latency[0] + latency[1]) / 2), latency[0], latency[1]]
    if isinstance(latency, Exponential):
        return [*fixed, latency.mean + latency.minimum]
    return [*fixed, latency.median] if isinstance(latency, LogNormal) else []


def _numbered(system: System, case: Case, old: Case, old_system: System) -> Case:
    """A case by hand whose actions name messages by the numbers that they have now.

    Args:
        system, case: the candidate: some actions of the old case.
        old_system, old: where the numbers are from.
    """
    trace = simulate_as_far_as_possible(old_system, old)
    meant = {number: (m.source, m.target, m.type, m.fields) for number, m in enumerate(trace.messages)} if trace else {}
    sim = Simulation(system, case.seed, [])
    at, actions = 0, []
    try:
        sim.run(0)
        for act in case.schedule:
            act = dict(act)
            if act["do"] in BY_HAND:
                number = _flying(sim, meant.get(act["message"]))
                if number is None:
                    continue
                act["message"] = number
            at += STEP_MS
            act["at"] = at
            actions.append(act)
            sim.plan(act)
            sim.run(at)
    except DslabError:
        pass                                # the run ends with this action
    return case._replace(schedule=actions, until=at + STEP_MS)


def simulate_as_far_as_possible(system: System, case: Case) -> Any:
    """The trace of a run, up to where a handler fails."""
    try:
        return simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)
    except DslabError as error:
        return getattr(error, "trace", None)


def _flying(sim: Simulation, wanted: tuple[str, str, str, Mapping[str, Any]] | None) -> int | None:
    """The number of a message in flight that is like another one."""
    if wanted is None or sim.recorder is None:
        return None
    for number, m in enumerate(sim.trace().messages):
        if m.fate == "in flight" and (m.source, m.target, m.type, m.fields) == wanted:
            return number
    return None
