"""The words for ballots: who starts one, who promises what, which value may be proposed and when it is chosen."""

from __future__ import annotations

from typing import Any

from dslab.sim import Event

from .scene import LEADING, NodeScene
from .teller import Teller
from .words import Said, in_words, number_word, payload, say, shorten


class Ballots(Teller):
    """Tells changes of `ballot`, `phase`, `promises`, `accepts`, `chosen` (a proposer's), `promised` and
    `accepted_ballot` (an acceptor's) and `slots` {number: {"ballot", "value", "chosen"}}; a ballot is
    [counter, proposer] or a number.
    """

    def _ballot(self, event: Event, node: NodeScene, old: dict[str, Any], changed: list[str]) -> Said | None:
        fields = node.fields
        if "slots" in changed and (told := self._slot(node, old)):
            return told
        if "phase" in fields and ("ballot" in changed or "phase" in changed):
            return self._proposes(event, node, old)
        if "promises" in changed and fields.get("promises"):
            return self._promised(event, node)
        if "accepts" in changed and isinstance(fields["accepts"], list) and fields["accepts"]:
            return self._accepted(event, node)
        if "accepted_ballot" in changed:
            value = _short(fields.get("accepted_value"))
            return say(
                f"{node.id} accepts `{value}` under {named(fields['accepted_ballot'])}",
                "It has promised nothing higher.",
            )
        if "promised" in changed:
            return self._promises(event, node)
        if "chosen" in changed and fields["chosen"] is not None:
            return say(f"{node.id} hears that `{_short(fields['chosen'])}` is chosen", "Nothing else can be, ever.")
        if "ballot" in changed and "promised" not in fields and fields["ballot"] is not None and self._sender(event):
            return say(f"{node.id} promises {named(fields['ballot'])}", "It will accept nothing below it.")
        if not changed and "promised" in fields:
            return self._refuses(event, node)
        return None

    def _slot(self, node: NodeScene, old: dict[str, Any]) -> Said | None:
        slots, before = node.fields["slots"], old.get("slots") or {}
        if not isinstance(slots, dict) or not all(isinstance(s, dict) and "chosen" in s for s in slots.values()):
            return None
        new = [number for number in slots if slots[number] != before.get(number)]
        if not new:
            return None
        number = max(new, key=lambda n: bool(slots[n]["chosen"]))
        slot, what = slots[number], payload(slots[number].get("value"))
        if slot["chosen"]:
            if node.role in LEADING:
                return say(f"Slot {number} is chosen: `{what}`", f"By {node.id}'s count a majority has accepted it.")
            return say(f"{node.id} hears that slot {number} is `{what}`", "It runs when all before it are chosen.")
        under = named(slot.get("ballot"))
        if node.role in LEADING:
            return say(f"{node.id} proposes `{what}` for slot {number}", f"Under {under}; a majority must accept it.")
        return say(f"{node.id} accepts `{what}` for slot {number}", f"Under {under}, the highest that it has promised.")

    def _proposes(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        me, fields, phase = node.id, node.fields, node.fields["phase"]
        under = named(fields.get("ballot"))
        if phase == "prepare":
            wish = fields.get("wish")
            wants = f"; it wants `{_short(wish)}`" if wish is not None else ""
            if old.get("phase") in ("prepare", "accept"):
                return say(f"{me} tries again with {under}", "No majority has answered its last ballot in time.")
            return say(f"{me} starts {under}", (f"It asks the acceptors for promises{wants}.", "It asks for promises."))
        if phase == "accept":
            value = fields.get("value")
            if value == fields.get("wish"):
                reason: tuple[str, ...] = ("A majority has promised, and reports nothing else: it is free to choose.",)
            else:
                reason = (
                    f"`{_short(value)}` has the highest ballot that the promises report, so it may be chosen already.",
                    f"The promises report `{_short(value)}`: it may be chosen already.",
                )
            return say((f"{me} proposes `{_short(value)}` under {under}", f"{me} proposes `{_short(value)}`"), reason)
        if phase == "chosen":
            chosen = _short(fields.get("chosen"))
            if event.message is not None and self.reading.messages[event.message].type == "Accepted":
                return say(f"`{chosen}` is chosen, and {me} knows it", "By its count a majority has accepted it.")
            return say(f"{me} hears that `{chosen}` is chosen", "Nothing else can be, ever.")
        return None

    def _promised(self, event: Event, node: NodeScene) -> Said:
        have, sender = len(node.fields["promises"]), self._sender(event)
        record = self.reading.messages[event.message].fields if event.message is not None else {}
        reported = record.get("accepted_value")
        reason = (
            f"{sender} reports that it has accepted `{_short(reported)}` under {named(record['accepted_ballot'])}."
            if record.get("accepted_ballot") is not None
            else f"{sender} has accepted nothing yet."
        )
        promises = f"{number_word(have)} promise{'s' * (have != 1)}"
        headline = f"{node.id} has {promises} for {named(node.fields.get('ballot'))}"
        return say(headline, reason)

    def _accepted(self, event: Event, node: NodeScene) -> Said:
        have = len(node.fields["accepts"])
        return say(
            f"{number_word(have).capitalize()} accepted `{_short(node.fields.get('value'))}`, {node.id} hears",
            f"Under {named(node.fields.get('ballot'))}; a majority makes it chosen.",
        )

    def _promises(self, event: Event, node: NodeScene) -> Said:
        fields = node.fields
        if fields.get("accepted_ballot") is not None:
            value = _short(fields["accepted_value"])
            reason = f"It reports `{value}`, which it accepted under {named(fields['accepted_ballot'])}."
        else:
            reason = "It will accept nothing below it, and has accepted nothing so far."
        return say(f"{node.id} promises {named(fields['promised'])}", reason)

    def _refuses(self, event: Event, node: NodeScene) -> Said | None:
        if event.message is None or node.fields["promised"] is None:
            return None
        record = self.reading.messages[event.message]
        ballot = record.fields.get("ballot")
        if record.type not in ("Prepare", "Accept") or not _below(ballot, node.fields["promised"]):
            return None
        return say(
            f"{node.id} does not answer {named(ballot)}",
            f"It has promised {named(node.fields['promised'])}, which is higher.",
        )


def named(ballot: Any) -> str:
    """ "ballot 2 of n1" for [2, "n1"]."""
    if isinstance(ballot, list) and len(ballot) == 2 and isinstance(ballot[0], int):
        return f"ballot {{term:{ballot[0]}}} of {ballot[1]}"
    if isinstance(ballot, int) and not isinstance(ballot, bool):
        return f"ballot {{term:{ballot}}}"
    return f"ballot `{_short(ballot)}`"


def _below(ballot: Any, promised: Any) -> bool:
    try:
        return bool(ballot < promised)
    except TypeError:
        return False


def _short(value: Any) -> str:
    return shorten(in_words(value), 14)
