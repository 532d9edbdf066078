"""The side of a Lab that faces the browser: traits, commands and replies.

Events are sent once, as the bytes of a branch; the browser owns time. JupyterLab may run a command in another
thread while a cell runs, so whatever changes the tree of branches or the traits holds the lock.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable
from time import monotonic
from typing import Any

import anywidget
import traitlets

from dslab.sim import DslabError, ScheduleError
from dslab.sim.schedule import LONGEST_MS, VERBS, to_us, whole_ms

from .branches import MAIN, Branch, Branches
from .bundle import css, javascript, modules_of
from .minimising import Stopped, Tell, smaller, smallest
from .runs import MOST_EVENTS, Run, Runs
from .spec import check_number
from .verbs import make_action

LATER = "later"  # in place of a branch: the reply comes from elsewhere
TELL_EVERY_S = 0.1
MOST_AHEAD_MS = 60_000  # how much more of a run one request of the browser may ask for

Change = Callable[[Branches], str | None]


class Served(anywidget.AnyWidget):
    """A tree of branches, shown in the browser.

    Args:
        tree: the branches.
        runs: what runs them.
        parts: the views that only some labs have and this one needs.
        spec: what all branches have in common, as the browser wants it; see `lab_spec`.
    """

    spec = traitlets.Dict().tag(sync=True)
    branches = traitlets.List().tag(sync=True)
    chunks = traitlets.Dict().tag(sync=True)
    cursor = traitlets.Dict({"branch": MAIN, "time_us": 0, "event": 0, "stamp": 0}).tag(sync=True)
    selection = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)

    def __init__(self, tree: Branches, runs: Runs, parts: tuple[str, ...], spec: dict[str, Any]) -> None:
        self._esm, self._css = javascript(modules_of(parts)), css()
        self._parts = parts
        self._lock = threading.RLock()
        self._tree, self._runs = tree, runs
        self._jobs: dict[Any, threading.Event] = {}  # long commands -> what stops them
        self._seen: dict[str, int] = {}  # branch -> up to when it has been on show, us
        self.spec = spec
        self._publish(MAIN, spec["start_us"])
        self._seen.clear()  # nothing has been on show yet
        super().__init__()  # opens the widget, whole by now: a page may draw it at once
        self.on_msg(self._receive)

    @property
    def branch(self) -> str:
        """Id of the branch that the cursor is in."""
        return str(self.cursor["branch"])

    def _run(self, branch: str | None) -> Run:
        with self._lock:
            return self._runs.of(self._tree[branch or self.branch])

    def _change(self, change: Change, sign: bool = True) -> str | None:
        """Changes the tree and shows it; if that fails, nothing has changed.

        Args:
            change: does it, and returns the branch to look at.
            sign: False leaves the digests for later, because they take as long as a run.
        """
        with self._lock:
            before = self._tree.save()
            try:
                target = change(self._tree)
                self._publish(target, sign=sign)
            except BaseException:
                self._tree.restore(before)
                raise
            return target

    def _publish(self, target: str | None = None, us: int | None = None, sign: bool = True) -> None:
        """Hands all branches to the browser and puts the cursor where something happened."""
        tree = {name: self._shown(branch) for name, branch in self._tree.tree.items()}
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

    def _shown(self, branch: Branch) -> Branch:
        """As much of a branch as the browser may know."""
        return branch

    def _set_cursor(self, branch: str, us: int) -> None:
        times = [event.time_us for event in self._runs.of(self._tree[branch]).reading.events]
        moved = (branch, us) != (self.cursor.get("branch"), self.cursor.get("time_us"))
        stamp = _stamp(self.cursor) + moved
        self.cursor = {"branch": branch, "time_us": us, "event": bisect_right(times, us) - 1, "stamp": stamp}

    @traitlets.observe("cursor")
    def _cursor_moved(self, change: Any) -> None:
        branch, time = self.cursor.get("branch"), self.cursor.get("time_us")
        if isinstance(time, int) and isinstance(branch, str):
            self._seen[branch] = max(self._seen.get(branch, 0), time)

    def _do(
        self,
        branch: str,
        verb: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        at: float,
        seen_us: int,
    ) -> str:
        """What a click and a method call have in common."""
        allowed = self.spec["verbs"]
        if verb in VERBS and verb not in allowed:
            listed = ", ".join(allowed) or "no actions"
            raise ScheduleError(f"{verb} is not part of this exercise; it allows {listed}")
        return self._tree.act(branch, make_action(verb, args, kwargs, at, self._runs.system), seen_us)

    # ---- what the browser sends

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Takes over traits that the browser has set, but not while another thread is changing them.

        A cursor that was on its way while Python moved it comes too late.
        """
        with self._lock:
            if "cursor" in sync_data and _stamp(sync_data["cursor"]) < _stamp(self.cursor):
                sync_data = {name: value for name, value in sync_data.items() if name != "cursor"}
            super().set_state(sync_data)

    def _receive(self, widget: Any, content: Any, buffers: Any) -> None:
        """Does a command, answers it, and only then computes what can wait."""
        with self._lock:
            if isinstance(content, dict) and isinstance(content.get("cursor"), dict):
                self.set_state({"cursor": content["cursor"]})  # the trait itself may come later than the command
            reply = self._answer(content, lambda: {"branch": COMMANDS[content["do"]](self, content)})
            if reply.get("branch") is LATER:
                return
            self.send(reply)
            if reply["ok"]:
                self._publish()

    def _answer(self, content: Any, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What to reply to a command: the result of its work, or what went wrong in a sentence."""
        reply: dict[str, Any] = {"id": content.get("id") if isinstance(content, dict) else None}
        try:
            return {**reply, "ok": True, **work()}
        except DslabError as error:
            return {**reply, "ok": False, "error": str(error)}
        except Stopped:
            return {**reply, "ok": False, "stopped": True, "error": "Stopped; nothing has changed."}
        except Exception as error:  # whatever it is, the browser waits for an answer
            what = f"{type(error).__name__}: {error}"
            return {**reply, "ok": False, "error": f"this command could not be carried out ({what})"}

    def _minimise(self, branch: str, name: str, tell: Tell = lambda runs, left: None) -> dict[str, Any]:
        """Adds the smallest branch that breaks the same property; while it is looked for, the lab goes on."""
        if self.spec["recorded"]:
            raise ScheduleError(f"{self.spec['recorded']}, so nothing can be left out of it")
        with self._lock:
            base = self._tree[branch]
        found = smaller(self._runs, base, name, tell)
        further = smallest(self._runs, base, name, found, tell)
        actions, time = found.actions, found.verdict.time_us
        same = further is not None and further.system.code == self._runs.system.code
        if further is not None and same and further.after["actions"] < len(actions):
            actions, time = further.case.schedule, further.verdict.time_us
        before, after = len(base.actions), len(actions)
        reply: dict[str, Any] = {"branch": branch, "text": f"None of the {before} actions can be left out."}
        if after < before:
            reply["text"] = f"{_suffice(after, f'{after} of {before} actions')}."
            with self._lock:
                change = self._change(lambda tree: tree.beside(branch, actions, "minimised"), sign=False)
                reply["branch"] = str(change)
                self._set_cursor(reply["branch"], time or 0)
        if further is not None and not same and _fewer(further.before, further.after):
            reply["text"] += f" {_sizes(further.before, further.after)}"
            reply["code"] = further.cell
        return reply

    def _minimise_later(self, c: dict[str, Any]) -> str:
        """Starts `_minimise` in a thread, so that the kernel can hear that it should stop."""
        job, stop, told = c["id"], threading.Event(), 0.0

        def tell(runs: int, left: int) -> None:
            nonlocal told
            if stop.is_set():
                raise Stopped
            if monotonic() - told > TELL_EVERY_S:
                told = monotonic()
                self.send({"id": job, "progress": {"runs": runs, "left": left}})

        def work() -> None:
            reply = self._answer(c, lambda: self._minimise(c["branch"], c["property"], tell))
            self._jobs.pop(job, None)
            self.send(reply)
            self._publish()

        self._jobs[job] = stop
        try:
            threading.Thread(target=work, name="dslab-minimise", daemon=True).start()
        except RuntimeError:  # a Python in a browser has no threads: then it cannot be stopped
            work()
        return LATER

    def _history(self, c: dict[str, Any]) -> str:
        """Replies with the chart of a branch; nothing changes, so nothing is published."""

        def look() -> dict[str, Any]:
            return {"chart": self._runs.of(self._shown(self._tree[c["branch"]])).history(c["property"])}

        self.send(self._answer(c, look))
        return LATER

    def _stop(self, job: Any) -> None:
        if job in self._jobs:
            self._jobs[job].set()

    def _move(self, branch: str, times: dict[int, float]) -> Change:
        """The change that moves actions of a branch, if the exercise allows their verbs."""
        actions = self._tree[branch].actions
        for position, at in times.items():
            check_number("the time of an action", at, 0, LONGEST_MS, "ms")
            verb = actions[position]["do"] if 0 <= position < len(actions) else None
            if verb and verb not in self.spec["verbs"]:
                raise ScheduleError(f"{verb} is not part of this exercise, so it stays where it is")
        return lambda tree: tree.move(branch, {p: whole_ms(at) for p, at in times.items()})

    def _extend(self, branch: str, until_us: int) -> None:
        if len(self._run(branch).trace) >= MOST_EVENTS:
            raise ScheduleError(f"the run has reached {MOST_EVENTS:,} events and goes no further")
        until = min(until_us / 1000, self._tree[branch].until + MOST_AHEAD_MS)
        self._change(lambda tree: tree.extend(branch, until), sign=False)

    def _clicked(self, c: dict[str, Any]) -> str | None:
        at, args = whole_ms(int(c["at_us"]) / 1000), dict(c.get("args") or {})
        return self._step(
            lambda tree: self._do(c["branch"], c["verb"], (), args, at, int(c.get("seen_us", 0)))
        )

    def _step(self, change: Change) -> str | None:
        return self._change(change, sign=False)


def _stamp(cursor: Any) -> int:
    """When a cursor was moved, by Lamport's clock (CACM 1978): who moves it adds one, and the later move wins."""
    stamp = cursor.get("stamp") if isinstance(cursor, dict) else None
    return stamp if isinstance(stamp, int) else 0


def _fewer(before: dict[str, Any], after: dict[str, Any]) -> bool:
    return any(after[name] < before[name] for name in ("actions", "servers"))


def _sizes(before: dict[str, Any], after: dict[str, Any]) -> str:
    """How small another system may be: "With 3 servers instead of 5, 2 actions suffice." """
    servers = f"{after['servers']} server{'s' * (after['servers'] != 1)} instead of {before['servers']}"
    what = servers if after["servers"] < before["servers"] else "simpler latencies"
    n = after["actions"]
    return f"With {what}, {_suffice(n, f'{n} action' + 's' * (n != 1))}."


def _suffice(n: int, words: str) -> str:
    return f"{words} suffice{'s' * (n == 1)}"


COMMANDS: dict[str, Callable[[Any, dict[str, Any]], str | None]] = {
    "act": Served._clicked,
    "extend": lambda lab, c: lab._extend(c["branch"], c["until_us"]),
    "fork": lambda lab, c: lab._step(lambda tree: tree.fork(c["branch"], whole_ms(c["at_us"] / 1000))),
    "move": lambda lab, c: lab._step(
        lab._move(c["branch"], {int(p): us / 1000 for p, us in c["times_us"].items()})
    ),
    "minimise": Served._minimise_later,
    "history": Served._history,
    "stop": lambda lab, c: lab._stop(c["job"]),
    "undo": lambda lab, c: lab._step(Branches.undo),
    "redo": lambda lab, c: lab._step(Branches.redo),
    "rename": lambda lab, c: lab._step(lambda tree: tree.rename(c["branch"], c["label"])),
    "pin": lambda lab, c: lab._step(lambda tree: tree.pin(c["branch"], c.get("pinned", True))),
    "delete": lambda lab, c: lab._step(lambda tree: tree.delete(c["branch"])),
    "bookmark": lambda lab, c: lab._step(
        lambda tree: tree.bookmark(c["branch"], c["event"], c.get("label", ""))
    ),
}
