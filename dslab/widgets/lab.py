"""The Lab: a run that one can watch, break and branch, with the mouse, the keyboard or Python."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import traitlets

from dslab.check.invariants import Verdict, sentence_of, title_of
from dslab.sim import DslabError, ScheduleError, System, Trace
from dslab.sim.schedule import VERBS, Action, check_schedule, literal, to_us, whole_ms
from dslab.sim.schedule import call as call_text
from dslab.view import storyboard

from .branches import AHEAD_MS, MAIN, Branches
from .bundle import css, javascript
from .predict import Prediction, PredictionError
from .runs import MOST_EVENTS, Run, Runs
from .verbs import make_action, with_verbs

MOST_AHEAD_MS = 60_000


@with_verbs
class Lab(anywidget.AnyWidget):
    """A widget that runs a system, shows it, and lets one break it.

    Every action is also a method: `lab.crash("n1", at=1200)`. An action before what has been seen makes a new branch,
    and the old one stays.

    Args:
        system: what runs, such as `raft.cluster(5)`.
        seed: any integer.
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

    _esm, _css = javascript(), css()

    spec = traitlets.Dict().tag(sync=True)
    branches = traitlets.List().tag(sync=True)
    chunks = traitlets.Dict().tag(sync=True)
    cursor = traitlets.Dict().tag(sync=True)
    selection = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    prediction = traitlets.Dict({"choice": None, "confidence": None}).tag(sync=True)
    feedback = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)

    def __init__(self, system: System, *, seed: int, schedule: Sequence[Action] = (), until: float = AHEAD_MS, start: float = 0,
                 speed: float | None = None, verbs: Sequence[str] | None = None, properties: Sequence[Callable[..., Any]] = (),
                 hide_properties: bool = False, predict: Prediction | None = None, title: str | None = None) -> None:
        self._lock = threading.RLock()        # JupyterLab may run a callback in another thread while a cell runs
        self._seen: dict[str, int] = {}       # branch -> up to when it has been on show, us
        self._predict, self._start_us = predict, to_us(start)
        actions = check_schedule(schedule, system)
        last = actions[-1]["at"] if actions else 0
        self._tree = Branches(actions, whole_ms(until if last <= until else last + AHEAD_MS))
        self._runs = Runs(system, seed, tuple(properties), hide_properties)
        run = self._runs.of(self._tree[MAIN])
        super().__init__()
        self.spec = _spec(self._runs, run.trace, verbs, start_us=self._start_us, speed=speed or 0.02, title=title,
                          predict=predict.spec() if predict else None)
        self.cursor = {"branch": MAIN, "time_us": self._start_us, "event": 0}
        self._publish(MAIN, self._start_us)
        self.on_msg(self._receive)
        self.observe(self._cursor_moved, "cursor")
        self.observe(self._predicted, "prediction")

    # ---- what one can do ------------------------------------------------------------------------------------------

    def undo(self) -> None:
        """Takes back the latest change: an action, a new name, a deletion."""
        self._change(lambda tree: tree.undo())

    def redo(self) -> None:
        """Does again what was taken back."""
        self._change(lambda tree: tree.redo())

    def fork(self, at: float | None = None, label: str | None = None) -> None:
        """Makes a branch of the current one, equal to it until something is done in it."""
        self._change(lambda tree: tree.fork(self.branch, self._at(at), label))

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

    def seek(self, at: float, branch: str | None = None) -> None:
        """Moves the cursor.

        Args:
            at: simulated ms, 0 to the end of the branch.
            branch: another branch to look at.
        """
        with self._lock:
            chosen = self._tree[branch or self.branch]
            if not isinstance(at, (int, float)) or isinstance(at, bool) or not 0 <= at <= chosen.until:
                raise ScheduleError(f"branch {chosen.id} runs from 0 to {chosen.until:g} ms, so the cursor cannot go to {at!r}")
            self._set_cursor(chosen.id, to_us(at))

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

    # ---- what one can ask -----------------------------------------------------------------------------------------

    @property
    def branch(self) -> str:
        """Id of the branch that the cursor is in."""
        return str(self.cursor["branch"])

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
        return [dict(act) for act in self._tree[branch or self.branch].actions]

    def state(self) -> dict[str, dict[str, Any]]:
        """The state of every node at the cursor."""
        return self.trace().state_at(self.cursor["event"])

    def code(self, branch: str | None = None) -> str:
        """A cell that makes a branch again."""
        chosen, system = self._tree[branch or self.branch], self._runs.system
        until = "" if chosen.until == AHEAD_MS else f", until={literal(chosen.until)}"
        return "\n".join(["from dslab import Lab", *([system.imports] if system.imports else []), "",
                          f"lab = Lab({system.code}, seed={literal(self._runs.seed)}{until})",
                          *(f"lab.{call_text(act)}" for act in chosen.actions), "lab"])

    # ---- how it is done -------------------------------------------------------------------------------------------

    def _act(self, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any], at: float | None) -> None:
        with self._lock:
            self._change(lambda tree: self._do(self.branch, verb, args, kwargs, self._at(at), self._seen.get(self.branch, 0)))

    def _do(self, branch: str, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any], at: float, seen_us: int) -> str:
        if verb in VERBS and verb not in self.spec["verbs"]:
            raise ScheduleError(f"{verb} is not part of this exercise; it allows {', '.join(self.spec['verbs']) or 'no actions'}")
        return self._tree.act(branch, make_action(verb, args, kwargs, at, self._runs.system), seen_us)

    def _at(self, at: float | None) -> float:
        return whole_ms(self.cursor["time_us"] / 1000) if at is None else at

    def _change(self, change: Callable[[Branches], str | None], sign: bool = True) -> str | None:
        """Changes the tree and shows it; returns the branch to look at. If it cannot be run, nothing has changed."""
        with self._lock:
            before = self._tree.save()
            try:
                target = change(self._tree)
                self._publish(target, sign=sign)
            except DslabError:
                self._tree.restore(before)
                raise
            return target

    def _publish(self, target: str | None = None, us: int | None = None, sign: bool = True) -> None:
        """Hands all branches to the browser and puts the cursor where something happened."""
        tree = self._tree.tree
        if sign:
            for branch in tree.values():
                _ = self._runs.of(branch).digest
        described = {name: self._runs.describe(branch, tree) for name, branch in tree.items()}
        new = target is not None and all(item["id"] != target for item in self.branches)
        with self.hold_sync():
            self.chunks = {name: chunk for name, (_, chunk) in described.items()}
            self.branches = [description for description, _ in described.values()]
            if target is not None or self.branch not in tree:
                shown = tree[target if target in tree else MAIN]
                time = us if us is not None else shown.fork_us if new else self.cursor["time_us"]
                self._set_cursor(shown.id, min(time, to_us(shown.until)))

    def _set_cursor(self, branch: str, us: int) -> None:
        times = [event[1] for event in self._runs.of(self._tree[branch]).reading.events]
        self.cursor = {"branch": branch, "time_us": us, "event": bisect_right(times, us) - 1}

    def _run(self, branch: str | None) -> Run:
        with self._lock:
            return self._runs.of(self._tree[branch or self.branch])

    # ---- the browser ----------------------------------------------------------------------------------------------

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Traits that the browser has set; not while another thread is changing them."""
        with self._lock:
            super().set_state(sync_data)

    def _receive(self, widget: Any, content: Any, buffers: Any) -> None:
        """A command of the browser: does it, answers, and only then computes what can wait."""
        with self._lock:
            reply: dict[str, Any] = {"id": content.get("id") if isinstance(content, dict) else None}
            try:
                reply.update(ok=True, branch=COMMANDS[content["do"]](self, content))
            except DslabError as error:
                reply.update(ok=False, error=str(error))
            except (KeyError, TypeError, ValueError) as error:
                reply.update(ok=False, error=f"This command is not understood ({type(error).__name__}: {error}).")
            self.send(reply)
            if reply["ok"]:
                self._publish()

    def _command_act(self, content: dict[str, Any]) -> str | None:
        branch, at_us, seen_us = content["branch"], int(content["at_us"]), int(content.get("seen_us", 0))
        return self._change(lambda tree: self._do(branch, content["verb"], (), dict(content.get("args") or {}),
                                                  whole_ms(at_us / 1000), max(seen_us, at_us)), sign=False)

    def _command_extend(self, content: dict[str, Any]) -> None:
        branch = self._tree[content["branch"]]
        if len(self._run(branch.id).trace) >= MOST_EVENTS:
            raise ScheduleError(f"the run has reached {MOST_EVENTS:,} events and goes no further")
        until = min(content["until_us"] / 1000, branch.until + MOST_AHEAD_MS)
        self._change(lambda tree: tree.extend(branch.id, until), sign=False)

    def _cursor_moved(self, change: Any) -> None:
        branch, time = self.cursor.get("branch"), self.cursor.get("time_us")
        if isinstance(time, int) and isinstance(branch, str):
            self._seen[branch] = max(self._seen.get(branch, 0), time)

    def _predicted(self, change: Any) -> None:
        """Keeps the first answer, whoever gave it, and adds what the browser may show once the moment has come."""
        first, choice = change["old"], change["new"].get("choice")
        if self._predict is None or choice is None:
            return
        if first.get("choice") is not None:
            self.set_trait("prediction", first)
            return
        try:
            self.feedback = self._predict.feedback(choice)
        except PredictionError:
            self.prediction = first

    # ---- without a browser ----------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"Lab({self._runs.system.code}, seed={self._runs.seed}), branch {self.branch}, {len(self.schedule())} actions"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        made = super()._repr_mimebundle_(**kwargs)
        data, metadata = made if isinstance(made, tuple) else (made or {}, {})
        board = storyboard(self._run(None).reading, title=self.spec["title"])
        return {**data, "text/plain": board.text, "image/svg+xml": board.svg}, metadata


def _spec(runs: Runs, trace: Trace, verbs: Sequence[str] | None, **more: Any) -> dict[str, Any]:
    """What the browser must know about a system, once."""
    system = runs.system
    unknown = [verb for verb in verbs or () if verb not in VERBS]
    if unknown:
        raise ScheduleError(f"there is no action {unknown[0]!r} to allow; choose from {', '.join(VERBS)}")
    allowed = [verb for verb in (VERBS if verbs is None else verbs) if verb != "request" or system.clients]
    fields = {event.node: [change[0] for change in event.patch if change[0][0] != "@"]
              for event in trace.events[:len(system.nodes)] if event.kind == "start"}
    properties = [{"name": prop.__name__, "title": title_of(prop), "sentence": sentence_of(prop), "kind": kind}
                  for kind, props in (("always", runs.always), ("eventually", runs.eventually)) for prop in props]
    return {"schema": 1, "system": system.name, "code": system.code, "imports": system.imports, "seed": runs.seed,
            "servers": system.servers, "clients": system.clients, "fields": fields, "verbs": allowed, "roles": {},
            "properties": [] if runs.hidden else properties, "hide_properties": runs.hidden, "reduced_motion": False,
            "shortcuts": True, "theme": None, **more}


COMMANDS: dict[str, Callable[[Lab, dict[str, Any]], str | None]] = {
    "act": Lab._command_act,
    "extend": Lab._command_extend,
    "fork": lambda lab, c: lab._change(lambda tree: tree.fork(c["branch"], whole_ms(c["at_us"] / 1000)), sign=False),
    "undo": lambda lab, c: lab._change(lambda tree: tree.undo(), sign=False),
    "redo": lambda lab, c: lab._change(lambda tree: tree.redo(), sign=False),
    "rename": lambda lab, c: lab._change(lambda tree: tree.rename(c["branch"], c["label"]), sign=False),
    "pin": lambda lab, c: lab._change(lambda tree: tree.pin(c["branch"], c.get("pinned", True)), sign=False),
    "delete": lambda lab, c: lab._change(lambda tree: tree.delete(c["branch"]), sign=False),
    "bookmark": lambda lab, c: lab._change(lambda tree: tree.bookmark(c["branch"], c["event"], c.get("label", "")), sign=False),
}
