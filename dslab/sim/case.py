"""A case: a seed, a schedule and a size of system that belong together, because something happens there."""

from __future__ import annotations

from typing import Any, NamedTuple


class Case(NamedTuple):
    """The last two of the three inputs of a run, and the size of the system that they were made for.

    Attributes:
        name: lower case and hyphens.
        shows: one sentence: what happens.
        schedule: list of actions.
        until: simulated ms.
        nodes: how many servers.
        clients: how many clients.
        seed: any integer.
        progress: whether every request must be answered by the end.
        catalogue: the misconception that the case exposes, such as "C14"; empty if it was made for none.
        question: what to ask somebody whose answer fails here; must not contain the remedy.
    """

    name: str
    shows: str
    schedule: list[dict[str, Any]]
    until: float
    nodes: int = 3
    clients: int = 1
    seed: int = 1
    progress: bool = True
    catalogue: str = ""
    question: str = ""
