"""The words for protocols in rounds: who tells whom what, who changes its mind, who decides."""

from __future__ import annotations

from typing import Any

from dslab.sim import Event

from .scene import NodeScene
from .teller import Teller
from .words import Said, in_words, listed, say, shorten


class Rounds(Teller):
    """Tells changes of `round`, `step` and `value` (randomised consensus), of `heard`, `decision` and `decided`."""

    def _round(self, event: Event, node: NodeScene, old: dict[str, Any], changed: list[str]) -> Said | None:
        fields, me = node.fields, node.id
        for name in ("decided", "decision"):
            if name in changed and fields[name] is not None:
                return self._decides(event, node, _short(fields[name]))
        if "round" in changed and "step" in fields:
            value = _short(fields.get("value"))
            if not old.get("round"):
                return say(f"{me} starts: it prefers `{value}`", "It tells everybody, and waits for the others' word.")
            reason = (
                "Nobody proposed a value, so it tossed a coin."
                if fields.get("tossed")
                else f"Somebody has seen a majority for `{value}`, so it takes that over."
            )
            return say(f"{me} goes to round {fields['round']} with `{value}`", reason)
        if "step" in changed and fields["step"] == "propose" and isinstance(fields.get("proposals"), dict):
            mine = _latest(fields["proposals"]).get(me)
            if mine is None:
                return say(f"{me} proposes nothing in round {fields.get('round')}", "No value has a majority.")
            return say(
                f"{me} proposes `{_short(mine)}` in round {fields.get('round')}", "More than half of all prefer it."
            )
        if ("reports" in changed or "proposals" in changed) and event.message is not None:
            record = self.reading.messages[event.message]
            value = record.fields.get("value")
            if "proposals" in changed and "proposals" in fields:
                what = "proposes nothing" if value is None else f"proposes `{_short(value)}`"
            else:
                what = f"prefers `{_short(value)}`"
            return say(f"{record.source} {what}, {me} hears", f"In round {record.fields.get('round')}.")
        if "heard" in changed and isinstance(fields.get("heard"), dict):
            return self._hears_of(event, node, old)
        return None

    def _decides(self, event: Event, node: NodeScene, what: str) -> Said:
        if isinstance(node.fields.get("heard"), dict) and node.fields["heard"]:
            return say(f"{node.id} decides: `{what}`", "That is what most of what it has heard comes to.")
        if event.message is None:
            return say(f"{node.id} decides: `{what}`", "It tells the others.")
        return say(f"{node.id} decides: `{what}`", "So many propose it that nobody can decide otherwise.")

    def _hears_of(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        before = old.get("heard") if isinstance(old.get("heard"), dict) else {}
        new = [key for key in node.fields["heard"] if key not in (before or {})]
        if event.message is None or not new:
            return None
        path = new[0].split(" ")
        sender, said = self._sender(event), _short(node.fields["heard"][new[0]])
        if len(path) == 1:
            others = [key for key in node.fields["heard"] if key != node.id]
            return say(f"{node.id} hears from {sender}: `{said}`", f"It has heard from {listed(others)} so far.")
        return say(
            f"{sender} tells {node.id}: {path[-2]} said `{said}`", "Whether that is so, only the others' word can tell."
        )


def _latest(table: dict[str, Any]) -> dict[str, Any]:
    """The newest of {round: {node: value}}, or the table itself if it has no rounds."""
    inner = list(table.values())
    return inner[-1] if inner and isinstance(inner[-1], dict) else table


def _short(value: Any) -> str:
    return shorten(in_words(value), 14)
