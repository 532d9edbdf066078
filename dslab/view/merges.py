"""The words for replicated data types: an update at one replica, a state on its way, a merge and what it brings."""

from __future__ import annotations

from typing import Any

from dslab.sim import Event

from .scene import NodeScene
from .teller import Teller
from .words import Said, number_word, plain_value, say, shorten


class Merges(Teller):
    """Tells changes of `state`, `value` and `seen` {replica: number of its updates} at nodes that show `crdt`."""

    def _merge(self, event: Event, node: NodeScene, old: dict[str, Any], changed: list[str]) -> Said | None:
        fields, me = node.fields, node.id
        if "crdt" not in fields:
            return None
        value = _short(fields.get("value"))
        sender = self._sender(event)
        if event.kind == "timer" and "state" not in changed:
            return say(f"{me} tells the others what it holds", f"`{value}`; whoever has seen less merges it.")
        if sender is None or sender not in self.scene.servers:
            if event.kind == "deliver" and "state" in changed:
                return say(
                    (f"{me} is updated: `{value}`", f"{me} is updated"),
                    f"{sender} is answered at once; the other replicas hear of it later.",
                )
            return None
        record = self.reading.messages[event.message] if event.message is not None else None
        sent = record.fields.get("seen") if record is not None else None
        seen, had, theirs = (_counts(item) for item in (fields.get("seen"), old.get("seen"), sent))
        if "state" not in changed and "value" not in changed and "seen" not in changed:
            return say(
                f"{me} learns nothing new from {sender}",
                "It has seen every update that is in it, so merging changes nothing.",
            )
        new = sum(seen.values()) - sum(had.values())
        alone = [name for name, count in had.items() if count > theirs.get(name, 0)]
        if new <= 0:
            return say(
                (f"{me} merges {sender}'s state: `{value}`", f"{me} merges {sender}'s state"),
                "It takes the least state that includes both.",
            )
        updates = f"{number_word(new)} {'update' if new == 1 else 'updates'}"
        if alone:
            return say(
                (f"{me} merges {sender}'s state: `{value}`", f"{me} merges {sender}'s state"),
                f"Each had updates that the other lacked; {me} now has {updates} more.",
            )
        return say(
            (f"{me} catches up with {sender}: `{value}`", f"{me} catches up with {sender}"),
            f"It lacked {updates} of those that {sender} has seen.",
        )


def _counts(value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        return {}
    return {str(name): count for name, count in value.items() if isinstance(count, int)}


def _short(value: Any) -> str:
    return shorten(plain_value(value), 20)
