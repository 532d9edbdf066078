"""Errors that a student meets: one sentence that says what is wrong, where, and what to write instead."""

from __future__ import annotations


class DslabError(Exception):
    """Base of every error that a user of dslab can cause; shown in a notebook as its sentence, without a traceback."""

    def _render_traceback_(self) -> list[str]:      # IPython calls this in place of its own traceback
        return [f"{type(self).__name__}: {self}"]


class MessageError(DslabError):
    """A message holds something that cannot travel over a network."""


class NodeError(DslabError):
    """A node's code failed or did what a node may not do; names the node, the handler and the remedy."""


class DeterminismError(NodeError):
    """A node depends on something outside (system, seed, schedule): a clock, global randomness, a shared object."""


class BudgetError(DslabError):
    """A run did not come to an end within its budget; says what was going round."""


class ScheduleError(DslabError):
    """A schedule is not one: names the action, what is wrong with it and what is accepted."""


class TraceError(DslabError):
    """A trace file is damaged or was written by another version."""
