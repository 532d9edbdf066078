"""The words for Byzantine agreement: who gives a number to what, who says the same, and when that is enough."""

from __future__ import annotations

from typing import Any

from dslab.sim import Event

from .scene import LEADING, NodeScene
from .teller import Teller
from .words import Said, number_word, say

CHANGING = "changing view"
STATES = ("empty", "pre-prepared", "prepared", "committed", "executed")


class Agreement(Teller):
    """Tells changes of `slots`: {number: {"digest", "prepares", "commits", "state"}}."""

    def _view(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        me, view, was, now = node.id, f"{{term:{node.term}}}", old.get("role"), node.role
        if now == CHANGING and (was != CHANGING or old.get("view") != node.term):
            late = "A request has waited too long, so it gives up its primary."
            others = "Enough others want to leave that one of them must be loyal."
            return say(f"{me} asks for view {view}", late if event.kind == "timer" else others)
        if was == CHANGING and now != CHANGING:
            if now in LEADING:
                return say(f"{me} begins view {view}", "A quorum asked for it, and told it what was prepared before.")
            sender = self._sender(event)
            return say(f"{me} enters view {view}", f"{sender} has shown that a quorum asked for it, and what follows.")
        return None

    def _slots(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        slots, before = _agreement(node.fields.get("slots")), _agreement(old.get("slots"))
        changed = [number for number in slots if slots[number] != before.get(number)]
        if not changed:
            return self._forgets(node, before, slots) if before and before != slots else None
        # what has come furthest in this event is the news
        number = max(changed, key=lambda n: STATES.index(slots[n]["state"]))
        slot, was = slots[number], before.get(number, {"state": "empty", "prepares": {}, "commits": {}})
        if slot["state"] != was["state"] and slot["state"] != "empty":
            return self._advances(node, number, slot)
        return self._hears(event, node, number, slot, was)

    def _advances(self, node: NodeScene, number: str, slot: dict[str, Any]) -> Said:
        me, digest, state = node.id, slot["digest"], slot["state"]
        same = {phase: sum(said == digest for said in slot[phase].values()) for phase in ("prepares", "commits")}
        if state == "executed":
            headline = (f"{me} executes `{digest}` as number {number}", f"{me} executes number {number}")
            return say(headline, f"{self._of(same['commits'])} have said that it is prepared: a quorum, to {me}.")
        if state == "committed":
            return say(f"{me} knows that number {number} is committed", "It waits for the numbers before it.")
        if state == "prepared":
            return say(
                f"{me} has prepared number {number}",
                f"{self._of(same['prepares'] + 1)} say the same, the primary among them: a quorum, to {me}.",
            )
        if node.role in LEADING:
            headline = (f"{me} gives number {number} to `{digest}`", f"{me} gives out number {number}")
            return say(headline, "It tells the others, who then tell one another what they heard.")
        headline = (f"{me} accepts `{digest}` as number {number}", f"{me} accepts number {number}")
        return say(headline, "It tells the others, so that all see whether they heard the same.")

    def _hears(
        self, event: Event, node: NodeScene, number: str, slot: dict[str, Any], was: dict[str, Any]
    ) -> Said | None:
        sender = self._sender(event)
        phase = next((p for p in ("commits", "prepares") if sender in slot[p] and sender not in was[p]), None)
        if phase is None or sender is None:
            return None
        me, digest, said = node.id, slot["digest"], slot[phase][sender]
        if digest is None:
            return say(f"{me} hears {sender} speak of number {number}", "It has no word of the primary about it yet.")
        if said != digest:
            return say(
                f"{sender} contradicts {me} about number {number}",
                (f"{sender} says `{said}`, {me} has heard `{digest}`: somebody lies.", "So somebody lies."),
            )
        same = sum(other == digest for other in slot[phase].values())
        if phase == "prepares":
            reason = f"{self._of(same + 1)} say the same, the primary among them."
            return say(f"{sender} agrees with {me} about number {number}", reason)
        return say(f"{sender} tells {me}: number {number} is prepared", f"{self._of(same)} have said so by now.")

    def _of(self, count: int) -> str:
        return f"{number_word(count).capitalize()} of {number_word(len(self.scene.servers))}"

    def _forgets(self, node: NodeScene, before: dict[str, Any], slots: dict[str, Any]) -> Said:
        gone = [number for number in before if number not in slots]
        if not gone:
            return say(f"{node.id} starts over with its numbers", "They need a quorum in the new view, too.")
        what = f"numbers {gone[0]} to {gone[-1]}" if len(gone) > 1 else f"number {gone[0]}"
        return say(f"{node.id} forgets {what}", "A quorum holds the state after them, so the messages may go.")


def _agreement(slots: Any) -> dict[str, Any]:
    """The slots of a protocol of this kind; nothing if they are of another kind."""
    if not isinstance(slots, dict) or not all(
        isinstance(slot, dict) and slot.get("state") in STATES and "digest" in slot
        and isinstance(slot.get("prepares"), dict) and isinstance(slot.get("commits"), dict)
        for slot in slots.values()
    ):
        return {}
    return slots
