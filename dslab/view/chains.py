"""The words for primary and backup, a view service, and chains: who takes which role, and what an answer waits for."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from dslab.sim import Event

from .scene import NodeScene
from .teller import Teller
from .words import Said, payload, say

CHAIN = ("head", "middle", "tail")
PAIR = ("primary", "backup", "idle")
PLACES = {
    "head": "It gives updates their order and passes them on.",
    "middle": "It passes on what comes from before it.",
    "tail": "What reaches it is everywhere: it answers.",
}


class Chains(Teller):
    """Tells changes of `view` [number, primary, backup], of the `role` primary or backup with `tag`, `ready` and `run`
    (how many operations a server has run), and of the role head, middle or tail with
    `chain`, `hist` and `acknowledged`.
    """

    def _chain(self, event: Event, node: NodeScene, old: dict[str, Any], changed: list[str]) -> Said | None:
        view = node.fields.get("view")
        if isinstance(view, list) and len(view) == 3 and isinstance(view[0], int):
            if "silent" in node.fields:
                return self._service(event, node, old, changed, view)
            if node.role in PAIR:
                return self._pair(event, node, old, changed, view)
        if "silent" in node.fields and "chain" in node.fields:
            return self._master(event, node, changed)
        if node.role in CHAIN:
            return self._link(event, node, old, changed)
        return None

    def _service(
        self, event: Event, node: NodeScene, old: dict[str, Any], changed: list[str], view: list[Any]
    ) -> Said | None:
        number, primary, backup = view
        before = old.get("view")
        if "view" in changed and number:
            pair = f"View {number}: primary {primary}, {f'backup {backup}' if backup else 'no backup'}."
            if not isinstance(before, list) or len(before) != 3 or before[1] is None:
                return say(f"{node.id} makes {primary} the primary", pair)
            if before[1] != primary:
                return say(
                    f"{node.id} makes {primary} the primary", f"{before[1]} has been silent for too long. {pair}"
                )
            return say(f"{node.id} makes {backup} the backup" if backup else f"{primary} has no backup now", pair)
        if "at_work" in changed:
            return say(
                f"{primary} is at work in view {node.fields['at_work']}", "Only now may its backup take its place."
            )
        return self._silence(event, node, changed)

    def _pair(
        self, event: Event, node: NodeScene, old: dict[str, Any], changed: list[str], view: list[Any]
    ) -> Said | None:
        me, fields, number = node.id, node.fields, view[0]
        if "role" in changed and old.get("role") in PAIR and node.role != old["role"]:
            reason = {
                "primary": f"Its backup is {view[2]}, which first gets all that it has."
                if view[2]
                else "It has no backup.",
                "backup": f"{view[1]} gives it all that it has, and then every operation.",
            }.get(str(node.role), f"{view[1]} is primary; it has no part in this view.")
            role = f"the {node.role}" if node.role != "idle" else "idle"
            return say(f"{me} is {role} in view {number}", reason)
        if "view" in changed and number:
            reason = f"Its backup is {view[2]}, which first gets all that it has." if view[2] else "It has no backup."
            return say(
                f"{me} hears of view {number}", reason if node.role == "primary" else f"The primary is {view[1]}."
            )
        if "ready" in changed and fields["ready"] is True:
            return say(
                f"{view[2] or 'The backup'} has all that {me} has",
                "So whichever of them fails, nothing acknowledged is lost.",
            )
        run, before = fields.get("run"), old.get("run")
        if "run" in changed and isinstance(run, int) and isinstance(before, int) and run > before:
            if node.role == "primary":
                return say(
                    f"{me} runs operation {run} and answers",
                    f"{view[2]} has run it, too." if view[2] else "It has no backup to wait for.",
                )
            if "tag" not in changed:
                return say(f"{me} runs operation {run} as backup", "Only after that may the primary answer.")
        if "tag" in changed and node.role == "backup":
            return say(f"{me} takes all that {view[1]} has", "From now on it can take over.")
        return None

    def _master(self, event: Event, node: NodeScene, changed: list[str]) -> Said | None:
        chain = _members(node.fields.get("chain"))
        if "chain" in changed and chain:
            first = (
                f"{chain[0]} is its head, {chain[-1]} its tail." if len(chain) > 1 else f"{chain[0]} is all of it."
            )
            return say((f"{node.id} makes the chain {' → '.join(chain)}", f"{node.id} makes a new chain"), first)
        return self._silence(event, node, changed)

    def _silence(self, event: Event, node: NodeScene, changed: list[str]) -> Said | None:
        """Who watches counts how long each server has been silent."""
        silent = node.fields.get("silent")
        if "silent" not in changed or not isinstance(silent, dict):
            return None
        if event.kind == "deliver":
            reason = "Whoever is silent for too long loses its role."
            return say(f"{node.id} hears that {self._sender(event)} is alive", reason)
        longest = max((ticks for ticks in silent.values() if isinstance(ticks, int)), default=0)
        if longest < 2:
            return say(f"{node.id} counts who is silent", "Nobody has been for long.")
        who = [server for server, ticks in silent.items() if ticks == longest]
        return say(f"{node.id} counts who is silent", f"{who[0]} has not been heard for {longest} ticks.")

    def _link(self, event: Event, node: NodeScene, old: dict[str, Any], changed: list[str]) -> Said | None:
        me, role, fields = node.id, str(node.role), node.fields
        chain = _members(fields.get("chain"))
        if "role" in changed and old.get("role") not in (None, node.role):
            return say(f"{me} is now the {role} of the chain", PLACES[role])
        after = dict(pairwise(chain)).get(me)
        if "chain" in changed and chain:
            reason = (
                f"{after} follows it now, and gets once more what is not yet acknowledged." if after else PLACES[role]
            )
            return say(f"{me} stays {role} of a new chain", reason)
        updates, had = _updates(fields), _updates(old)
        if len(updates) > len(had) + 1:
            return say(
                f"{me} takes over {len(updates)} updates as {role}",
                "It has joined, and must have all before it can be of use.",
            )
        if len(updates) > len(had):
            what = payload(updates[-1][2] if isinstance(updates[-1], list) and len(updates[-1]) == 3 else updates[-1])
            reason = {
                "head": "It gives the update its place; the answer comes from the tail.",
                "tail": "It is the last one: every server has it now, so it answers.",
            }.get(role, f"Everybody before it has it; {after or 'the next one'} gets it from here.")
            return say((f"{me} takes `{what}` as {role}", f"{me} takes an update as {role}"), reason)
        known = fields.get("acknowledged")
        if "acknowledged" in changed and isinstance(known, int) and known:
            return say(f"{me} hears that update {known} is at the tail", "It need not be sent again, whoever fails.")
        return None


def _members(chain: Any) -> list[str]:
    """The servers of a chain, head first; each may stand with the configuration in which it joined."""
    items = chain if isinstance(chain, list) else []
    return [str(item[0]) if isinstance(item, list) and item else str(item) for item in items]


def _updates(fields: dict[str, Any]) -> list[Any]:
    found = fields.get("hist", fields.get("log"))
    return found if isinstance(found, list) else []
