"""The words for replicated logs: what is appended, thrown away and committed, and how safe it is."""

from __future__ import annotations

from typing import Any

from dslab.sim import Event

from .scene import LEADING, NodeScene, term_of
from .teller import Teller
from .words import Said, number_word, payload, say


class Replication(Teller):
    """Tells changes of logs and commit indexes."""

    def _log(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said:
        before, log = old.get("log") or [], node.log
        same = 0
        while same < min(len(before), len(log)) and before[same] == log[same]:
            same += 1
        if same < len(before):
            return self._truncates(event, node, before, same)
        base = node.base
        index, entry, several = base + len(log), log[-1], len(log) > same + 1
        first = base + same + 1
        if node.role in LEADING:
            what = f"entries {first} to {index}" if several else f"`{payload(entry)}` at index {index}"
            return say((f"{node.id} appends {what}", f"{node.id} appends entry {index}"), self._needs())
        term = f" of term {{term:{term_of(entry)}}}" if term_of(entry) else ""
        what = f"entries {first} to {index}" if several else f"entry {index}{term}"
        return say(f"{node.id} appends {what}", self._how_safe(index, entry, node.term))

    def _compacts(self, event: Event, node: NodeScene) -> Said:
        """A snapshot takes the place of the beginning of the log: one of its own, or another server's."""
        kept = len(node.log)
        left = f"{number_word(kept)} {'entry' if kept == 1 else 'entries'}" if kept else "no entry"
        self.committed += [None] * (node.base - len(self.committed))
        sender = self._sender(event)
        if sender:
            return say(f"{node.id} takes {sender}'s snapshot up to {node.base}", f"Its log now has {left} behind it.")
        headline = (f"{node.id} puts entries 1 to {node.base} into a snapshot", f"{node.id} takes a snapshot")
        return say(headline, f"They are committed and applied; {left} stays in the log.")

    def _needs(self) -> str:
        needed, total = self.scene.majority, len(self.scene.voters)
        if self._changing():
            return "It is safe only once majorities of the old and the new servers hold it."
        if needed == 1:
            return "It is the only server, so it holds a majority."
        return f"It is safe only once {number_word(needed)} of {number_word(total)} servers hold it."

    def _changing(self) -> bool:
        """Whether two majorities count: of the old and of the new servers."""
        now = self.scene.configuration
        return now is not None and bool(now["outgoing"])

    def _how_safe(self, index: int, entry: Any, term: int) -> str:
        held, total = len(self.scene.holders(index, entry)), len(self.scene.voters)
        if self._changing():
            return f"{_of(held, total)} servers hold it; old and new each need a majority."
        if held < self.scene.majority:
            return f"{_of(held, total)} servers hold it; it needs {number_word(self.scene.majority)}."
        if 0 < term_of(entry) < term and index > len(self.committed):
            # section 5.4.2 of the Raft paper: counting copies commits entries of the current term only
            return f"{_of(held, total)} hold it, but it is of an older term, so it is not safe yet."
        return f"{_of(held, total)} servers hold it{'' if held == total else ': a majority'}."

    def _truncates(self, event: Event, node: NodeScene, before: list[Any], same: int) -> Said:
        several, base = len(before) > same + 1, node.base
        gone = f"entries {base + same + 1} to {base + len(before)}" if several else f"entry {base + same + 1}"
        term = term_of(before[same])
        of_term = f" of term {{term:{term}}}" if term and not several else ""
        headline = f"{node.id} throws away {gone}{of_term}"
        if before[same] == dict(enumerate(self.committed)).get(base + same):
            return say(headline, "It had been committed, so this must never happen.")
        they, sender = "They were" if several else "It was", self._sender(event)
        if sender and len(node.log) > same:
            return say(headline, f"{they} never committed, and {sender} has another entry there.")
        return say(headline, f"{they} never committed.")

    def _commits(self, node: NodeScene, old: dict[str, Any]) -> Said | None:
        index, before = node.fields["commit_index"], old.get("commit_index") or 0
        if index <= before:
            return None
        several = index > before + 1
        what = f"entries {before + 1} to {index}" if several else f"entry {index}"
        entry = node.entry_at(index)
        self.committed += [node.entry_at(i) for i in range(len(self.committed) + 1, min(index, node.last_index) + 1)]
        if node.role in LEADING:
            headline = (f"{node.id} commits {what} in term {{term:{node.term}}}", f"{node.id} commits {what}")
            return say(headline, self._why_safe(index, entry, node.term))
        source = node.fields.get("leader") or "Another server"
        applied = entry is not None and node.fields.get("last_applied") == index
        now = f"; it now applies `{payload(entry)}`" if applied else ""
        learns = f"{node.id} learns that {what} {'are' if several else 'is'} committed"
        return say(learns, f"{source} told it so{now}.")

    def _why_safe(self, index: int, entry: Any, term: int) -> str:
        held, total = len(self.scene.holders(index, entry)), len(self.scene.voters)
        if self._changing():
            return "A majority of the old servers and one of the new hold it."
        if held < self.scene.majority:
            holders = f"Only {number_word(held)} of {number_word(total)} servers hold it"
            return f"{holders}, so a later leader may lack it."
        if 0 < term_of(entry) < term:
            return f"It is of term {{term:{term_of(entry)}}}: a later leader may erase it, whoever holds it."
        return f"{_of(held, total)} servers hold it, so it will survive any later election."


def _of(held: int, total: int) -> str:
    if held == total:
        return f"All {number_word(total)}"
    return f"{number_word(held).capitalize()} of {number_word(total)}"
