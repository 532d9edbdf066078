"""Runs the schedules of branches and describes them for the browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from functools import cached_property
from typing import Any

from dslab.check.invariants import VIOLATED, Verdict, check_trace
from dslab.sim import DslabError, ScheduleError, System, Trace, TraceError, simulate
from dslab.sim.schedule import to_us
from dslab.sim.snapshot import keep
from dslab.view import announce, narrate, pack, read, shared_prefix, survey
from dslab.view.history import Chart
from dslab.view.words import Said

from .branches import Branch, Tree
from .history import trace_chart

MOST_EVENTS = 200_000
KEPT_RUNS = 24
MOST_BROUGHT = 40  # operations; the chart of a longer history is worked out when somebody looks at it
RECORDED = "this run was recorded from real processes"


class Properties:
    """The properties of a system, and those that its user adds.

    Args:
        system: whose `always` and `eventually` count.
        own: safety properties beyond them.

    Attributes:
        own: {name: (function, whether it is one of progress)}.

    Raises:
        DslabError: one of them is no function with a name of its own.
    """

    def __init__(self, system: System, own: Sequence[Callable[..., Any]] = ()) -> None:
        self.system = system
        self.own: dict[str, tuple[Callable[..., Any], bool]] = {}
        for prop in own:
            self.add(prop)

    def add(self, prop: Callable[..., Any], eventually: bool = False) -> None:
        """Adds a property, or puts it in the place of one's own of the same name."""
        name = getattr(prop, "__name__", None)
        if not callable(prop) or not isinstance(name, str) or name == "<lambda>":
            raise DslabError(
                f"a property is a function of the world with a name, made with `def` such as "
                f"`def one_leader(world): ...`, not {prop!r}"
            )
        if any(name == known.__name__ for known in (*self.system.always, *self.system.eventually)):
            raise DslabError(f"{self.system.name} has a property {name!r} already; give yours another name")
        self.own[name] = prop, eventually

    def named(self, name: str) -> Callable[..., Any]:
        """A safety property.

        Raises:
            DslabError: there is none of this name.
        """
        for kind, prop in self.listed():
            if kind == "always" and prop.__name__ == name:
                return prop
        known = ", ".join(prop.__name__ for kind, prop in self.listed() if kind == "always")
        raise DslabError(f"there is no safety property {name!r}; there are {known or 'none'}")

    def judge(self, trace: Trace, name: str) -> Verdict:
        """What becomes of one safety property in a trace.

        Raises:
            DslabError: there is none of this name.
        """
        return check_trace(_apart(trace) if name in self.own else trace, (self.named(name),))[0]

    def listed(self) -> list[tuple[str, Callable[..., Any]]]:
        """("always" or "eventually", function) for each, in the order of their chips."""
        own = list(self.own.values())
        always = [*self.system.always, *(prop for prop, eventually in own if not eventually)]
        eventually = [*self.system.eventually, *(prop for prop, eventually in own if eventually)]
        return [*(("always", prop) for prop in always), *(("eventually", prop) for prop in eventually)]


class Run:
    """One simulated schedule, and everything that is derived from its trace.

    Attributes:
        trace: what happened. stopped: why the run ended early, or None.
    """

    def __init__(self, trace: Trace, stopped: str | None, properties: Properties) -> None:
        self.trace, self.stopped, self._properties = trace, stopped, properties
        self._histories: dict[str, Chart] = {}

    @cached_property
    def reading(self) -> Any:
        return read(self.trace)

    @cached_property
    def survey(self) -> dict[str, Any]:
        return survey(self.reading)

    @cached_property
    def says(self) -> dict[int, Said]:
        return narrate(self.reading)

    @cached_property
    def verdicts(self) -> list[Verdict]:
        system, own = self._properties.system, self._properties.own
        found = check_trace(self.trace, system.always, system.eventually)
        for prop, eventually in own.values():  # each by itself: it may change what it looks at
            found += check_trace(_apart(self.trace), *(((), (prop,)) if eventually else ((prop,), ())))
        return found

    def history(self, name: str) -> Chart:
        """The operations, judged by the property of this name that is about histories; each is worked out once.

        Raises:
            DslabError: there is no such property, or it cannot judge these operations.
        """
        if name not in self._histories:
            prop = self._properties.named(name)
            if not hasattr(prop, "consistency"):
                raise DslabError(f"{name} is not about the operations of clients")
            broken = next((v.event for v in self.verdicts if v.name == name and v.status == VIOLATED), None)
            self._histories[name] = trace_chart(
                self.trace, prop.model, prop.consistency, broken, getattr(prop, "initial", ...)
            )
        return self._histories[name]

    @property
    def histories(self) -> dict[str, Chart]:
        """The charts that are small enough to travel along, so that they can be seen without a kernel."""
        if sum(event.kind == "invoke" for event in self.reading.events) > MOST_BROUGHT:
            return {}
        found = {}
        for kind, prop in self._properties.listed():
            if kind == "always" and hasattr(prop, "consistency"):
                with suppress(DslabError):
                    found[prop.__name__] = self.history(prop.__name__)
        return found

    def judge_again(self) -> None:
        """After the properties have changed."""
        self.__dict__.pop("verdicts", None)
        self._histories = {}

    @cached_property
    def digest(self) -> str:
        return self.trace.digest()

    @property
    def signed(self) -> str | None:
        """The digest if somebody has asked for it; it takes as long as the run."""
        return self.__dict__.get("digest")


class Runs:
    """Runs schedules of one system and seed, and remembers the latest ones.

    Args:
        system, seed: what runs.
        properties: safety properties beyond the system's own.
        hide_properties: leave the verdicts out of the descriptions.
    """

    def __init__(
        self,
        system: System,
        seed: int,
        properties: tuple[Callable[..., Any], ...] = (),
        hide_properties: bool = False,
    ) -> None:
        self.system, self.seed, self.hidden = system, seed, hide_properties
        self.properties = Properties(system, properties)
        self._kept: dict[str, Run] = {}
        self._packed: dict[Any, bytes] = {}

    def watch(self, prop: Callable[..., Any], eventually: bool) -> None:
        """Judges one more property, in all runs.

        Raises:
            DslabError: it is no function with a name of its own.
        """
        before = dict(self.properties.own)
        try:
            self.properties.add(prop, eventually)
            for run in self._kept.values():
                run.judge_again()
            _ = list(self._kept.values())[-1].verdicts  # what never ends is interrupted here, and forgotten
        except BaseException:
            self.properties.own = before
            for run in self._kept.values():
                run.judge_again()
            raise

    def of(self, branch: Branch) -> Run:
        """The run of a branch.

        Raises:
            DslabError: it failed before anything could be recorded.
        """
        key = json.dumps([branch.until, branch.actions])
        run = self._kept.pop(key, None) or self._run(branch)
        self._kept[key] = run  # now the newest
        while len(self._kept) > KEPT_RUNS:
            self._kept.pop(next(iter(self._kept)))
        return run

    def _run(self, branch: Branch) -> Run:
        stopped = None
        try:
            trace = simulate(
                self.system, seed=self.seed, schedule=branch.actions, until=branch.until, budget=MOST_EVENTS
            )
        except DslabError as error:
            trace, stopped = getattr(error, "trace", None), str(error)
            if trace is None or not len(trace):
                raise
        return Run(trace, stopped, self.properties)

    def describe(self, branch: Branch, tree: Tree) -> tuple[dict[str, Any], bytes]:
        """What the browser gets for a branch: its description, and the bytes of its own part of the trace."""
        run = self.of(branch)
        parent = tree.get(branch.parent or "")
        first = shared_prefix(run.reading, self.of(parent).reading) if parent else 0
        key = (branch.id, first, id(run), branch.cause is None)
        chunk = self._packed.get(key)
        if chunk is None:
            chunk = self._packed[key] = self._pack(branch, run, first)
            self._packed = {
                k: v for k, v in self._packed.items() if k[2] in {id(kept) for kept in self._kept.values()}
            }
        violations = [v.event for v in run.verdicts if v.status == VIOLATED] if not self.hidden else []
        time = [event.time_us for event in run.reading.events]
        histories = {} if self.hidden else run.histories
        description = {
            "id": branch.id,
            "parent": branch.parent,
            "fork_event": first,
            "fork_us": branch.fork_us,
            "label": branch.label,
            "pinned": branch.pinned,
            "actions": list(branch.actions),
            "digest": run.signed,
            "until_us": to_us(branch.until),
            "verdicts": [] if self.hidden else [_verdict(v) for v in run.verdicts],
            **({"histories": histories} if histories else {}),
            "truncated": run.stopped,
            "bookmarks": [
                {"us": time[event], "event": event, "label": label}
                for event, label in branch.bookmarks
                if event < len(time)
            ],
            **run.survey,
            "interesting": sorted({*run.survey["interesting"], *(e for e in violations if e is not None)}),
        }
        return description, chunk

    def _pack(self, branch: Branch, run: Run, first: int) -> bytes:
        says = run.says
        if branch.parent and branch.cause:
            stations = [station["event"] for station in run.survey["stations"]]
            says = announce(says, run.reading, branch.id, branch.parent, first, branch.cause, stations)
        return pack(run.reading, says, first)


class Recorded(Runs):
    """A run that exists already: no other schedule can be run.

    Args:
        system: what ran. trace: what was recorded.

    Raises:
        TraceError: the trace has other nodes than the system.
    """

    def __init__(self, system: System, trace: Trace) -> None:
        if [trace.servers, trace.clients] != [system.servers, system.clients]:
            nodes = ", ".join([*trace.servers, *trace.clients])
            mine = ", ".join(system.nodes)
            raise TraceError(f"the trace is of {nodes}, the system has {mine}; give the system that ran")
        super().__init__(system, trace.seed)
        self._recorded = trace

    def of(self, branch: Branch) -> Run:
        """The recorded run, for the branch of its own schedule.

        Raises:
            ScheduleError: any other branch.
        """
        trace = self._recorded
        own = list(branch.actions) == trace.schedule and to_us(branch.until) == trace.until_us
        if branch.parent or not own:
            raise ScheduleError(
                f"{RECORDED}, so nothing else can happen in it; lab.code() is a cell that tries it in the simulator"
            )
        return super().of(branch)

    def _run(self, branch: Branch) -> Run:
        return Run(self._recorded, None, self.properties)


def _apart(trace: Trace) -> Trace:
    """The same trace with states of its own, so that whoever changes them changes nothing else."""
    twin = copy(trace)
    twin._patches = {event: keep(patch) for event, patch in trace._patches.items()}
    return twin


def _verdict(verdict: Verdict) -> dict[str, Any]:
    found = verdict.violation
    return {
        "name": verdict.name,
        "status": verdict.status,
        "event": verdict.event,
        "time_us": verdict.time_us,
        "text": found.text if found else verdict.sentence,
        "nodes": list(found.nodes) if found else [],
        "index": found.index if found else None,
        "expected": found.expected if found else None,
        "found": found.found if found else None,
    }
