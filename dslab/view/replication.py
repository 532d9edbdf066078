"""The words for replicated logs: what is appended, thrown away and committed, and how safe it is."""

from __future__ import annotations

from typing import Any

from dslab.sim import Event

from .scene import LEADING, term_of
from .teller import Teller
from .words import Said, number_word, payload, say


class Replication(Teller):
    """Tells changes of logs and commit indexes."""

    def _log(self, event: Event, node: Any, old: dict[str, Any]) -> Said:
        before = old.get("log") or []
        log = node.log
        same = 0
        while same < min(len(before), len(log)) and before[same] == log[same]:
            same += 1
        if same < len(before):
            return self._truncates(event, node, before, same)
        entry, index, many = log[-1], len(log), len(log) - same
        what = f"`{payload(entry)}` at index {index}" if many == 1 else f"entries {same + 1} to {index}"
        held, total, needed = (
            len(self.scene.holders(index, entry)),
            len(self.scene.servers),
            self.scene.majority,
        )
        if node.role in LEADING:
            return say(
                (f"{node.id} appends {what}", f"{node.id} appends entry {index}"),
                "It is the first to hold it."
                if needed == 1
                else f"It is safe only once {number_word(needed)} of {number_word(total)} servers hold it.",
            )
        term = f" of term {{term:{term_of(entry)}}}" if term_of(entry) else ""
        headline = (
            f"{node.id} appends entry {index}{term}"
            if many == 1
            else f"{node.id} appends entries {same + 1} to {index}",
        )
        if held < needed:
            return say(
                headline,
                f"{_count(held)} of {number_word(total)} servers hold it; it needs {number_word(needed)}.",
            )
        if held == total:
            return say(headline, f"All {number_word(total)} servers hold it now.")
        return say(headline, f"{_count(held)} of {number_word(total)} servers hold it: a majority.")

    def _truncates(self, event: Event, node: Any, before: list[Any], same: int) -> Said:
        gone = f"entry {same + 1}" if len(before) == same + 1 else f"entries {same + 1} to {len(before)}"
        term = term_of(before[same])
        headline = (
            f"{node.id} throws away {gone}" + (f" of term {{term:{term}}}" if term else ""),
            f"{node.id} throws away {gone}",
        )
        if same < self.committed:
            return say(headline, ("It had been committed, so this must never happen.",))
        leader = self._sender(event)
        if leader and len(node.log) > same:
            return say(headline, (f"It was never committed, and {leader} has another entry there.",))
        return say(headline, "It was never committed.")

    def _commits(self, node: Any, old: dict[str, Any]) -> Said | None:
        index, before = node.fields["commit_index"], old.get("commit_index") or 0
        if index <= before:
            return None
        what = f"entry {index}" if index == before + 1 else f"entries {before + 1} to {index}"
        entry = node.log[index - 1] if index <= len(node.log) else None
        self.committed = max(self.committed, index)
        if node.role not in LEADING:
            applied = (
                f" and applies `{payload(entry)}`"
                if entry is not None and node.fields.get("last_applied") == index
                else ""
            )
            source = node.fields.get("leader")
            return say(
                (f"{node.id} learns that {what} {'is' if index == before + 1 else 'are'} committed",),
                (
                    f"{source} told it{applied}.".replace("it and", "it so; it now")
                    if applied
                    else f"{source} told it so.",
                )
                if source
                else ("It heard so from another server.",),
            )
        headline = (f"{node.id} commits {what} in term {{term:{node.term}}}", f"{node.id} commits {what}")
        held, total = len(self.scene.holders(index, entry)), len(self.scene.servers)
        if held < self.scene.majority:
            return say(
                headline,
                f"Only {number_word(held)} of {number_word(total)} servers hold it, "
                "so a later leader may lack it.",
            )
        if 0 < term_of(entry) < node.term:
            return say(
                headline,
                (
                    f"It is of term {{term:{term_of(entry)}}}: though {number_word(held)} servers hold it, "
                    "it may be lost.",
                ),
            )
        holders = f"All {number_word(total)}" if held == total else f"{_count(held)} of {number_word(total)}"
        return say(
            headline,
            (
                f"{holders} servers hold it, so it will survive any later election.",
                "A majority holds it, so it will survive any later election.",
            ),
        )


def _count(n: int) -> str:
    return number_word(n).capitalize()
