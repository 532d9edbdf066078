"""Distributed systems, run as pure functions of (system, seed, schedule). Names are loaded when they are used."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "check_history": "dslab.check.history",
    "linearizable": "dslab.check.properties",
    "puzzle": "dslab.check.puzzles",
    "BETWEEN": "dslab.check.separations",
    "BETWEEN_TRANSACTIONS": "dslab.check.separations",
    "separation_table": "dslab.check.separations",
    "judge_order": "dslab.widgets.report",
    "judge_puzzles": "dslab.widgets.report",
    "judge_shortcut": "dslab.widgets.report",
    "Node": "dslab.sim", "message": "dslab.sim", "simulate": "dslab.sim", "System": "dslab.sim", "Network": "dslab.sim",
    "Exponential": "dslab.sim", "LogNormal": "dslab.sim", "Trace": "dslab.sim", "ClientRequest": "dslab.sim",
    "ClientReply": "dslab.sim", "violation": "dslab.sim", "title": "dslab.sim", "check_repeatable": "dslab.sim",
    "DslabError": "dslab.sim", "explore": "dslab.check.explore",
    "minimise": "dslab.check.shrink", "check_trace": "dslab.check.invariants",
    "Lab": "dslab.widgets", "Prediction": "dslab.widgets", "show_source": "dslab.view.source",
    "HistoryChart": "dslab.widgets.history",
    "verify": "dslab.widgets.report", "judge_schedule": "dslab.widgets.report", "judge_laws": "dslab.widgets.report",
    "CheckFailed": "dslab.check.feedback",
    "show_counterexample": "dslab.widgets.counterexample",
    "ready": "dslab.commands.ready",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"dslab has no name {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
