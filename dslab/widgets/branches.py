"""The tree of branches: which schedules have been tried, and how one came from another.

The tree is a value. Every change makes a new one, so undo is a step back to the value before and can restore
anything, a deleted branch included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from dslab.sim import DslabError
from dslab.sim.schedule import Action, to_us, whole_ms

MAIN = "A"
AHEAD_MS = 10_000  # how far a run goes on after an action beyond its end


class BranchError(DslabError):
    """There is no such branch, or it cannot be changed in this way."""


@dataclass(frozen=True)
class Branch:
    """One schedule.

    Attributes:
        id: "A", "B", ... label: what its owner calls it.
        parent: the branch it was forked from. fork_us: when.
        actions: in order of time. until: ms. cause: the action that forked it.
        bookmarks: (event id, label) pairs. pinned: whether it is protected from being deleted.
    """

    id: str
    parent: str | None = None
    fork_us: int = 0
    label: str = "main"
    actions: tuple[Action, ...] = ()
    until: float = AHEAD_MS
    cause: Action | None = None
    bookmarks: tuple[tuple[int, str], ...] = ()
    pinned: bool = False


Tree = dict[str, Branch]


class Branches:
    """All branches of one Lab, with undo and redo.

    Args:
        actions: what the scenario itself does; a fork keeps it where it does not name single messages.
        until: end of the main branch, ms.
    """

    def __init__(self, actions: list[Action], until: float) -> None:
        self.scenario = tuple(actions)
        self.tree: Tree = {MAIN: Branch(MAIN, actions=self.scenario, until=until)}
        self._past: list[Tree] = []
        self._future: list[Tree] = []

    def __getitem__(self, branch: str) -> Branch:
        found = self.tree.get(branch)
        if found is None:
            raise BranchError(f"there is no branch {branch!r}; there are {', '.join(self.tree)}")
        return found

    def act(self, branch: str, action: Action, seen_us: int = 0) -> str:
        """Adds an action and returns the branch that has it.

        Args:
            branch: where the action was made.
            action: what and when.
            seen_us: up to when the branch has been on show; what was seen stays, so an earlier action forks.
        """
        base, at = self[branch], to_us(action["at"])
        last = max((to_us(a["at"]) for a in base.actions), default=0)
        if at >= seen_us and at >= last:
            until = base.until if action["at"] <= base.until else whole_ms(action["at"] + AHEAD_MS)
            return self._put(replace(base, actions=(*base.actions, action), until=until))
        return self._put(self._child(base, at, action))

    def fork(self, branch: str, at_ms: float, label: str | None = None) -> str:
        """A child that is equal to its parent until something is done in it."""
        base = self[branch]
        if not 0 <= at_ms <= base.until:
            raise BranchError(
                f"branch {branch} runs from 0 to {base.until:g} ms, so it cannot be forked at {at_ms!r}"
            )
        child = self._child(base, to_us(at_ms), None)
        return self._put(replace(child, label=label or child.label))

    def move(self, branch: str, times: dict[int, float]) -> str:
        """A child in which actions of a branch happen at other times; all others stay.

        Args:
            branch: whose actions.
            times: {position among the actions: ms}.
        """
        base = self[branch]
        missing = [position for position in times if not 0 <= position < len(base.actions)]
        if missing or not times:
            raise BranchError(f"branch {branch} has {len(base.actions)} actions and no action {missing[:1] or None}")
        moved = {position: {**base.actions[position], "at": at} for position, at in times.items()}
        at = min(to_us(a["at"]) for p in moved for a in (base.actions[p], moved[p]))
        # A message of the changed future has another number, so what was done to one cannot be kept.
        kept = [
            moved.get(position, action)
            for position, action in enumerate(base.actions)
            if position in moved or "message" not in action or to_us(action["at"]) <= at
        ]
        first = min(moved)
        later = times[first] > base.actions[first]["at"]
        last = max(times.values())
        child = Branch(
            self._free_id(),
            parent=base.id,
            fork_us=at,
            label=f"{_label(moved[first])[:32]} {'later' if later else 'earlier'}",
            actions=tuple(sorted(kept, key=lambda a: to_us(a["at"]))),
            until=base.until if last <= base.until else whole_ms(last + AHEAD_MS),
            cause=moved[first],
        )
        return self._put(child)

    def beside(self, branch: str, actions: list[Action], label: str) -> str:
        """A child with a schedule of its own, such as a smaller one in which the same goes wrong."""
        base = self[branch]
        same = next((i for i, pair in enumerate(zip(base.actions, actions)) if pair[0] != pair[1]), len(actions))
        first = min((to_us(a["at"]) for a in [*base.actions[same:], *actions[same:]]), default=0)
        child = Branch(self._free_id(), base.id, first, label, tuple(actions), base.until)
        return self._put(child)

    def _child(self, base: Branch, at: int, action: Action | None) -> Branch:
        # What its owner did later belongs to the other future. What the scenario does later happens in this
        # one too, except to single messages: their numbers mean other messages here.
        kept = [
            a
            for a in base.actions
            if to_us(a["at"]) <= at or (any(a is s for s in self.scenario) and "message" not in a)
        ]
        actions = sorted([*kept, action] if action else kept, key=lambda a: to_us(a["at"]))
        return Branch(
            self._free_id(),
            parent=base.id,
            fork_us=at,
            label=_label(action),
            actions=tuple(actions),
            until=base.until,
            cause=action,
        )

    def _free_id(self) -> str:
        return next(name for name in map(_letters, count(1)) if name not in self.tree)

    def _put(self, branch: Branch) -> str:
        self._commit({**self.tree, branch.id: branch})
        return branch.id

    def _commit(self, tree: Tree) -> None:
        self._past.append(self.tree)
        self._future.clear()
        self.tree = tree

    def extend(self, branch: str, until: float) -> None:
        """Lets a branch run on; not a step that can be undone."""
        if until > self[branch].until:
            self.tree = {**self.tree, branch: replace(self[branch], until=whole_ms(until))}

    def save(self) -> tuple[Tree, list[Tree], list[Tree]]:
        """Everything, undo and redo included, for `restore`."""
        return self.tree, self._past[:], self._future[:]

    def restore(self, saved: tuple[Tree, list[Tree], list[Tree]]) -> None:
        self.tree, self._past, self._future = saved

    def rename(self, branch: str, label: Any) -> None:
        if not isinstance(label, str) or not label.strip() or len(label) > 40:
            raise BranchError(f"a branch is called something of 1 to 40 characters, not {label!r}")
        self._put(replace(self[branch], label=label.strip()))

    def pin(self, branch: str, pinned: bool = True) -> None:
        self._put(replace(self[branch], pinned=bool(pinned)))

    def bookmark(self, branch: str, event: int, label: str) -> None:
        """Marks an event; once more removes the mark."""
        marks = self[branch].bookmarks
        kept = tuple(mark for mark in marks if mark[0] != event)
        self._put(
            replace(
                self[branch],
                bookmarks=kept if len(kept) < len(marks) else tuple(sorted([*marks, (event, str(label))])),
            )
        )

    def delete(self, branch: str) -> None:
        """Deletes a branch and what was forked from it."""
        if self[branch].id == MAIN:
            raise BranchError(
                "branch A is the main one and cannot be deleted; undo takes back what was done in it"
            )
        gone = {branch}
        for item in self.tree.values():  # children stand behind their parents
            if item.parent in gone:
                gone.add(item.id)
        pinned = [name for name in self.tree if name in gone and self.tree[name].pinned]
        if pinned:
            raise BranchError(f"branch {pinned[0]} is pinned; unpin it before deleting {branch}")
        self._commit({name: item for name, item in self.tree.items() if name not in gone})

    def undo(self) -> str:
        """Takes the last change back and returns the branch to look at."""
        return self._step(self._past, self._future, "undo")

    def redo(self) -> str:
        """Makes the change again that was taken back last."""
        return self._step(self._future, self._past, "redo")

    def _step(self, source: list[Tree], other: list[Tree], what: str) -> str:
        if not source:
            raise BranchError(f"there is nothing to {what}")
        old, new = self.tree, source.pop()
        other.append(old)
        self.tree = new
        touched = next((name for name in [*new, *old] if new.get(name) != old.get(name)), MAIN)
        while touched not in new:  # it is gone, so look at where it came from
            touched = old[touched].parent or MAIN
        return touched


def _letters(n: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    name = ""
    while n:
        n, rest = divmod(n - 1, 26)
        name = chr(65 + rest) + name
    return name


def _label(action: Action | None) -> str:
    """A branch's first name: what forked it."""
    if action is None:
        return "what if"
    subject = action.get("node") or (
        f"{action['source']} to {action['target']}" if "source" in action else ""
    )
    if action["do"] == "request":
        subject = str(action["command"])
    if "message" in action:
        subject = "message"
    return f"{action['do'].replace('_', ' ')} {subject}".strip()[:40]
