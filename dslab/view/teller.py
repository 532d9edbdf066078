"""What all narrators know: the run, the scene, and how things were before an event."""

from __future__ import annotations

from typing import Any

from dslab.sim import Event

from .scene import Reading, Scene


class Teller:
    """Base of the narrators.

    Attributes:
        scene: the state after the event that is being told.
        before: each node's fields before it.
        elected: the newest leader, until all servers that it reaches know it.
        committed: the entries that were ever committed, as they stood then.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.scene = Scene([], [])
        self.before: dict[str, dict[str, Any]] = {}
        self.elected: Any = None
        self.committed: list[Any] = []

    def _sender(self, event: Event) -> str | None:
        return None if event.message is None else self.reading.messages[event.message].source
