"""The Lab: a run that one can watch, break and branch, with the mouse, the keyboard or Python."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import traitlets

from dslab.check.invariants import VIOLATED, Verdict
from dslab.sim import DslabError, NodeError, System, Trace, TraceError
from dslab.sim.schedule import LONGEST_MS, Action, call, check_schedule, literal, to_us, whole_ms
from dslab.view import storyboard
from dslab.view.storyboard import Storyboard

from . import export
from .branches import AHEAD_MS, MAIN, Branch, Branches
from .bundle import parts_for
from .predict import Prediction, PredictionError
from .runs import RECORDED, Recorded, Runs
from .served import Served
from .spec import check_number, chips, lab_spec
from .verbs import with_verbs

SIMULATED = "the recorded actions, in the simulator"


def _check_system(system: Any) -> None:
    if not isinstance(system, System):
        raise NodeError(f"a Lab needs a System, such as System(MyNode, nodes=3), not {system!r}")


@with_verbs
class Lab(Served):
    """A widget that runs a system, shows it, and lets one break it.

    Every action is also a method: `lab.crash("n1", at=1200)`. An action before what has been seen makes a new
    branch, and the old one stays.

    Args:
        system: what runs, such as `raft.cluster(5)`.
        seed: any integer; a counterexample that names every delivery needs none.
        schedule: actions that belong to the scenario.
        until: end of the run at first, simulated ms; it goes on as one watches.
        start: where the cursor stands at first, ms.
        speed: simulated seconds per second, 0.001 to 100.
        verbs: the actions that are allowed; None for all.
        properties: safety properties beyond the system's own.
        hide_properties: show none of them.
        predict: a question that must be answered before the run can be played.
        title: a name for the run.

    Raises:
        DslabError: an input is not what it must be.
    """

    _predict: Prediction | None
    prediction = traitlets.Dict({"choice": None, "confidence": None}).tag(sync=True)
    feedback = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)

    def __init__(
        self,
        system: System,
        *,
        seed: int = 1,
        schedule: Sequence[Action] = (),
        until: float = AHEAD_MS,
        start: float = 0,
        speed: float = 0.02,
        verbs: Sequence[str] | None = None,
        properties: Sequence[Callable[..., Any]] = (),
        hide_properties: bool = False,
        predict: Prediction | None = None,
        title: str | None = None,
    ) -> None:
        _check_system(system)
        check_number("until", until, 0, LONGEST_MS, "ms")
        actions = check_schedule(schedule, system)
        last = actions[-1]["at"] if actions else 0
        tree = Branches(actions, whole_ms(until if last <= until else last + AHEAD_MS))
        runs = Runs(system, seed, tuple(properties), hide_properties)
        self._predict = predict
        self._open(tree, runs, start, until, speed, verbs, title=title)

    @classmethod
    def recorded(
        cls,
        trace: Trace,
        *,
        system: System,
        title: str | None = None,
        start: float = 0,
        speed: float = 0.02,
    ) -> Lab:
        """A Lab over a trace that exists: it plays and can be asked about, but nothing else can happen in it.

        Args:
            trace: what was recorded, such as a run of real processes.
            system: what ran; its properties are judged on the trace.
            title: a name for the run.
            start: where the cursor stands at first, ms.
            speed: recorded seconds per second, 0.001 to 100.

        Raises:
            DslabError: an input is not what it must be, or the trace has other nodes than the system.
        """
        _check_system(system)
        if not isinstance(trace, Trace):
            raise TraceError(f"Lab.recorded needs a Trace, such as that of simulate(...), not {trace!r}")
        runs = Recorded(system, trace)
        until = whole_ms(trace.until_us / 1000)
        lab = cls.__new__(cls)
        lab._predict = None
        tree = Branches(list(trace.schedule), until)
        lab._open(tree, runs, start, until, speed, None, title=title, recorded=RECORDED)
        return lab

    def _open(
        self,
        tree: Branches,
        runs: Runs,
        start: float,
        until: float,
        speed: float,
        verbs: Sequence[str] | None,
        *,
        title: str | None,
        recorded: str | None = None,
    ) -> None:
        check_number("start", start, 0, until, "ms")
        check_number("speed", speed, 0.001, 100, "simulated seconds per second")
        more = {"title": title, "predict": self._predict.spec() if self._predict else None, "recorded": recorded}
        spec = lab_spec(runs, runs.of(tree[MAIN]).trace, verbs, start_us=to_us(start), speed=speed, **more)
        self._answered: dict[str, Any] | None = None
        shown = {field for fields in spec["fields"].values() for field in fields}
        told = {"@history"} if runs.system.clients and not runs.hidden else set()
        super().__init__(tree, runs, parts_for(shown | told), spec)

    # ---- what one can do

    def undo(self) -> None:
        """Takes back the latest change: an action, a new name, a deletion."""
        self._change(Branches.undo)

    def redo(self) -> None:
        """Does again what was taken back."""
        self._change(Branches.redo)

    def fork(self, at: float | None = None, label: str | None = None) -> None:
        """Makes a branch of the current one, equal to it until something is done in it."""
        self._change(lambda tree: tree.fork(self.branch, self._at(at), label))

    def move(self, action: int, at: float, branch: str | None = None) -> None:
        """Makes a branch in which one action happens at another time.

        Args:
            action: its position in `lab.schedule()`, from 0.
            at: simulated ms.
            branch: whose action, if not of the current branch.

        Raises:
            DslabError: there is no such action or time, or the exercise does not allow it.
        """
        with self._lock:
            self._change(self._move(branch or self.branch, {action: at}))

    def rename(self, branch: str, label: str) -> None:
        """Gives a branch another name."""
        self._change(lambda tree: tree.rename(branch, label))

    def pin(self, branch: str, pinned: bool = True) -> None:
        """Protects a branch from being deleted."""
        self._change(lambda tree: tree.pin(branch, pinned))

    def delete(self, branch: str) -> None:
        """Deletes a branch and its children; `undo` brings them back."""
        self._change(lambda tree: tree.delete(branch))

    def bookmark(self, event: int, label: str = "", branch: str | None = None) -> None:
        """Marks an event on the timeline; once more removes the mark."""
        self._change(lambda tree: tree.bookmark(branch or self.branch, event, label))

    def minimise(self, prop: str, branch: str | None = None) -> str:
        """Makes a branch in which the same property breaks with as few actions as can be found.

        Args:
            prop: name of a safety property that the branch violates.
            branch: whose actions, if not of the current branch.

        Returns:
            A sentence with the sizes before and after; where a smaller system breaks too, also a cell that opens it.

        Raises:
            DslabError: there is no such property or branch, or nothing is violated.
        """
        found = self._minimise(branch or self.branch, prop)
        return "\n\n".join(found[name] for name in ("text", "code") if name in found)

    def seek(self, at: float, branch: str | None = None) -> None:
        """Moves the cursor.

        Args:
            at: simulated ms, 0 to the end of the branch.
            branch: another branch to look at.

        Raises:
            DslabError: there is no such time or branch.
        """
        with self._lock:
            chosen = self._tree[branch or self.branch]
            check_number("the cursor's time", at, 0, chosen.until, f"ms in branch {chosen.id}")
            self._set_cursor(chosen.id, to_us(at))

    def watch(self, prop: Callable[..., Any], *, eventually: bool = False) -> None:
        """Judges one more property from now on; one of your own with the same name is replaced.

        Args:
            prop: a function of the world, made with `def`: returns None or what is wrong, a sentence or a `violation`.
            eventually: it demands progress instead: returns True once that is reached.

        Raises:
            DslabError: it is no such function, the system has one of this name, or the exercise hides properties.
        """
        if self._runs.hidden:
            raise DslabError("this exercise hides its properties, so none can be watched in it")
        with self._lock:
            self._runs.watch(prop, eventually)
            self.spec = {**self.spec, "properties": chips(self._runs)}
            self._publish()

    def answer(self, choice: str, confidence: int | None = None) -> None:
        """Answers the prediction; the first answer counts.

        Args:
            choice: id of an option.
            confidence: 1 (a guess) to 3 (sure).

        Raises:
            PredictionError: there is no such option, or nothing to predict.
        """
        if self._predict is None:
            raise PredictionError("this lab asks for no prediction")
        self._predict.option(choice)
        self.prediction = {"choice": choice, "confidence": confidence}

    # ---- what one can ask

    def trace(self, branch: str | None = None) -> Trace:
        """The trace of a branch, or of the current one."""
        return self._run(branch).trace

    def digest(self, branch: str | None = None) -> str:
        """sha256 of the trace, in hex."""
        return self._run(branch).digest

    def verdicts(self, branch: str | None = None) -> list[Verdict]:
        """What became of each property."""
        return self._run(branch).verdicts

    def schedule(self, branch: str | None = None) -> list[Action]:
        """The actions of a branch; `simulate(system, seed=..., schedule=lab.schedule())` runs them again."""
        return [dict(action) for action in self._tree[branch or self.branch].actions]

    def state(self) -> dict[str, dict[str, Any]]:
        """The state of every node at the cursor."""
        return self.trace().state_at(self.cursor["event"])

    def code(self, branch: str | None = None) -> str:
        """A cell that makes a branch again; of a recorded run, one that does the same in the simulator."""
        chosen, system = self._tree[branch or self.branch], self._runs.system
        until = "" if chosen.until == AHEAD_MS else f", until={literal(chosen.until)}"
        lines = ["# " + SIMULATED] if self.spec["recorded"] else []
        own = [prop for prop in self.spec["properties"] if "code" in prop]
        judged = f", properties=[{', '.join(prop['code'] for prop in own)}]" if own else ""
        imports = [*system.import_lines.splitlines(), *(prop["imports"] for prop in own)]
        lines += ["from dslab import Lab", *dict.fromkeys(imports), ""]
        lines += [f"lab = Lab({system.code}, seed={self._runs.seed}{until}{judged})"]
        return "\n".join([*lines, *(f"lab.{call(action)}" for action in chosen.actions), "lab"])

    def export_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """One HTML page that plays all branches as they are now, without a kernel or a network.

        What has been tried stays to be looked at; nothing new can be tried there. While a prediction is open
        the page ends where the run stands.

        Args:
            path: a file that gets the page, too.

        Returns:
            The page; an equal lab gives equal text.

        Raises:
            OSError: the file cannot be written.
        """
        with self._lock:
            state = {name: getattr(self, name) for name in ("spec", "branches", "cursor", "prediction", "feedback")}
            title = self.spec["title"] or f"{self.spec['system']}, seed {self.spec['seed']}"
            page = export.page(state, self.chunks, title, self._storyboard(), self._parts)
        if path is not None:
            Path(path).write_text(page, encoding="utf-8", newline="\n")
        return page

    # ---- how it is done

    def _act(self, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any], at: float | None) -> None:
        with self._lock:
            here, time = self.branch, self._at(at)
            self._change(lambda tree: self._do(here, verb, args, kwargs, time, self._seen.get(here, 0)))

    def _at(self, at: float | None) -> float:
        return whole_ms(self.cursor["time_us"] / 1000) if at is None else at

    def _shown(self, branch: Branch) -> Branch:
        """Nothing beyond the start while a prediction is open: neither browser nor picture may tell."""
        if self._predict is None or self._answered:
            return branch
        start = whole_ms(self.spec["start_us"] / 1000)
        known = tuple(action for action in branch.actions if action["at"] <= start)
        return replace(branch, until=min(branch.until, start), actions=known)

    @traitlets.observe("prediction")
    def _predicted(self, change: Any) -> None:
        """Keeps the first answer, whoever gave it, and adds what may be shown once the moment has come."""
        choice, confidence = change["new"].get("choice"), change["new"].get("confidence")
        if self._predict is None or change["new"] == self._answered:
            return
        if self._answered is None:
            try:
                self._answered = self._predict.record(choice, confidence)
            except PredictionError:
                return
            self.feedback = self._predict.feedback(choice)
            self._publish()
        self.prediction = self._answered

    def __repr__(self) -> str:
        if self.spec["recorded"]:
            return f"Lab.recorded({self.trace()!r}), {len(self.schedule())} actions"
        what = f"Lab({self._runs.system.code}, seed={self._runs.seed})"
        return f"{what}, branch {self.branch}, {len(self.schedule())} actions"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The live widget, and for places without one a picture and a paragraph."""
        made = super()._repr_mimebundle_(**kwargs)
        data, metadata = made if isinstance(made, tuple) else (made or {}, {})
        board = self._storyboard()
        return {**data, "text/plain": board.text, "image/svg+xml": board.svg}, metadata

    def _storyboard(self) -> Storyboard:
        run = self._runs.of(self._shown(self._tree[self.branch]))
        broken = [v.event for v in run.verdicts if v.status == VIOLATED and not self._runs.hidden]
        note = f"The run stopped early: {run.stopped}." if run.stopped else ""
        if self._predict and not self._answered:
            note = f"Predict: {self._predict.question}"
        return storyboard(run.reading, self.spec["title"], broken, note)
