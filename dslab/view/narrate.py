"""One headline and one reason for every event that changes the picture.

A headline is a subject, a verb and a fact in at most 45 characters; a reason has at most 75. `{term:4}` is
drawn as the term's roundel, text in backticks as code. What a protocol does not show is not talked about; a
protocol with none of the shared fields is told by its messages and timers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dslab.sim import Event

from .agreement import Agreement
from .ballots import Ballots
from .chains import Chains
from .elections import Elections
from .faults import tell_action
from .gloss import gloss, glossary
from .merges import Merges
from .quorums import Quorums
from .replication import Replication
from .rings import Rings, bits_of
from .rounds import Rounds
from .scene import ASKING, LEADING, STANDING, Reading, ignored, scenes, term_of
from .words import Said, in_words, listed, number_word, say, shorten

COUNTS = ("sent_messages", "sent_bytes")  # what grows with every message says nothing about this one
TOLD = frozenset(
    {
        "role",
        "term",
        "view",
        "epoch",
        "votes",
        "voted_for",
        "log",
        "commit_index",
        "last_applied",
        "leader",
        "next_index",
        "match_index",
        "store",
        "number",
        "command",
        "contact",
        "lookups",
        "keys",
        "successors",
        "predecessor",
        "fingers",
        "buckets",
    }
)


def narrate(reading: Reading) -> dict[int, Said]:
    """Tells a run.

    Args:
        reading: the trace, read.

    Returns:
        {event id: (headline, reason)}, for the events that change the picture.
    """
    return dict(Narrator(reading).tell())


class Narrator(Elections, Replication, Agreement, Ballots, Rounds, Quorums, Merges, Chains, Rings):
    """Follows a run and finds words; keeps what a sentence needs to know about the time before an event."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self.templates = glossary(reading)
        self.first_start = max((e.id for e in reading.events if e.kind == "start"), default=-1)

    def tell(self) -> Iterator[tuple[int, Said]]:
        for event, scene, changed in scenes(self.reading):
            self.scene = scene
            said = self._event(event, changed)
            if said is not None:
                yield event.id, said
            if event.node is not None and (changed or event.kind == "restart"):
                self.before[event.node] = dict(self.scene.nodes[event.node].fields)

    def _event(self, event: Event, changed: list[str]) -> Said | None:
        kind = event.kind
        if ignored(event):
            return tell_action(event, self.scene, self.reading)
        if kind in ("deliver", "timer"):
            if event.node in self.scene.clients:
                return self._client(event, changed)
            said = self._server(event, changed) if changed or not self._conventional(event) else None
            return said or self._followed()
        if kind == "start":
            return self._start() if event.id == self.first_start else None
        if kind == "complete":
            return self._complete(event)
        if kind == "write":
            return None
        return tell_action(event, self.scene, self.reading)

    def _conventional(self, event: Event) -> bool:
        """Whether the node shows fields for which there are better words than those for a message."""
        fields = self.scene.nodes[event.node or ""].fields
        return "role" in fields or "log" in fields or bits_of(fields) is not None

    def _start(self) -> Said:
        servers = [self.scene.nodes[n] for n in self.scene.servers]
        count = number_word(len(servers)).capitalize()
        what = f"{count} servers start" if len(servers) != 1 else "One server starts"
        random = [
            (timers[name][1], node.id, name)
            for node in servers
            for timers in [node.timers]
            for name in timers
            if timers[name][2] < timers[name][3]
        ]
        leading = [node.id for node in servers if node.role in LEADING]
        if any("role" in node.fields for node in servers):
            what += f", {leading[0]} leads" if leading else ", nobody leads yet"
        if random:
            _, first, name = min(random)
            return say(what, f"{first} drew the shortest {name} timer, so it runs out first.")
        return say(what, "Nothing has happened yet; step or play to go on.")

    # ---- servers

    def _server(self, event: Event, changed: list[str]) -> Said | None:
        node = self.scene.nodes[event.node or ""]
        old = self.before.get(node.id, {})
        if told := self._ring(event, node, old, changed):
            return told
        was, now = old.get("role"), node.role
        term_grew = node.term > term_of(old)
        if told := self._chain(event, node, old, changed):
            return told
        if "view" in node.fields and ("role" in changed or "view" in changed):
            moved = self._view(event, node, old)
            if moved:
                return moved
        if now in LEADING and was not in LEADING:
            return self._wins(node, old)
        if now in ASKING and was not in ASKING:
            return self._asks(node)
        if now in STANDING and (was not in STANDING or term_grew):
            return self._stands(event, node, old)
        if was in LEADING and now not in LEADING and not term_grew:
            return say(f"{node.id} steps down", "It is not a member of the new configuration.")
        if was in LEADING and now not in LEADING:
            return say(
                (f"{node.id} steps down: term {{term:{node.term}}} is newer", f"{node.id} steps down"),
                self._newer_term(event, node.term),
            )
        if was in STANDING and now not in STANDING:
            return self._gives_up(event, node, term_grew)
        if "votes" in changed and now in STANDING:
            return self._vote_arrives(event, node, old)
        vote = node.fields.get("voted_for")
        if vote is not None and ("voted_for" in changed or (term_grew and vote == self._sender(event))):
            return self._votes(event, node)
        if "snapshot_index" in changed and node.base > (old.get("snapshot_index") or 0):
            return self._compacts(event, node)
        if "commit_index" in changed and (now in LEADING or "log" not in changed):
            return self._commits(node, old)
        if "log" in changed:
            return self._log(event, node, old)
        if "slots" in changed and (told := self._slots(event, node, old)):
            return told
        if told := self._quorum(event, node, old, changed) or self._merge(event, node, old, changed):
            return told
        if told := self._ballot(event, node, old, changed) or self._round(event, node, old, changed):
            return told
        if term_grew:
            return self._newer(event, node)
        if set(changed) <= TOLD and self._conventional(event):
            return None
        return self._plain(event, changed, node)

    # ---- clients, and protocols without shared fields

    def _client(self, event: Event, changed: list[str]) -> Said | None:
        me = event.node or ""
        if "contact" not in changed and event.kind != "timer":
            if event.message is not None and self.reading.messages[event.message].fields.get("ok") is False:
                server = self._sender(event)
                return say(
                    f"{server} cannot help {me}: it knows no leader",
                    f"{me} asks somebody else when its timer runs out.",
                )
            return None
        contact, previous = self.scene.nodes[me].fields.get("contact"), self.before.get(me, {}).get("contact")
        if event.kind == "timer":
            if contact == previous:
                return say(f"{me} asks everybody", f"{contact} has not answered in time; the request keeps its number.")
            return say(
                f"{me} asks {contact} instead",
                f"{previous} has not answered in time; the request keeps its number.",
            )
        if self.scene.nodes[me].fields.get("command") is None:
            return None  # the answer itself; `complete` tells it
        return say(
            f"{previous} sends {me} on to {contact}",
            f"{previous} does not lead; it takes {contact} for the leader.",
        )

    def _complete(self, event: Event) -> Said:
        detail = event.detail
        asked = next(
            (
                e
                for e in reversed(self.reading.events[: event.id])
                if e.kind == "invoke" and e.node == event.node and e.detail["number"] == detail["number"]
            ),
            None,
        )
        took = "" if asked is None else f" after {(event.time_us - asked.time_us) / 1000:.0f} ms"
        result = shorten(in_words(detail["result"]), 14)
        why = (
            "Its entry is committed and applied, so the answer will stay true."
            if any("commit_index" in self.scene.nodes[n].fields for n in self.scene.servers)
            else "The operation is over."
        )
        return say((f"{event.node} is answered `{result}`{took}", f"{event.node} is answered{took}"), why)

    def _plain(self, event: Event, changed: list[str], node: Any) -> Said:
        changed = [name for name in changed if name not in COUNTS]
        if event.kind == "timer":
            headline = (f"{node.id}'s {event.detail} timer runs out", f"{node.id}'s timer runs out")
        else:
            record = self.reading.messages[event.message or 0]
            headline = (
                f"{node.id} receives `{record.type}` from {record.source}",
                f"{node.id} receives `{record.type}`",
                f"{node.id} hears from {record.source}",
            )
        if changed:
            old = self.before.get(node.id, {})
            became = listed([_became(name, old.get(name), node.fields[name], 24) for name in changed])
            few = _became(changed[0], old.get(changed[0]), node.fields[changed[0]], 40)
            return say(headline, (f"Now {became}.", f"Now {few}."))
        if event.kind == "deliver":
            return say(headline, gloss(record, self.templates.get(record.type, "")))
        return say(headline, "It changes nothing that is shown.")


def _became(name: str, was: Any, now: Any, most: int) -> str:
    """What a shown field is now; of a table or list that was not empty, what has come or gone."""
    name, come, gone = name.replace("_", " "), None, None
    if was and isinstance(was, dict) and isinstance(now, dict):
        come = {key: item for key, item in now.items() if key not in was or was[key] != item}
        gone = [key for key in was if key not in now]
    elif was and isinstance(was, list) and isinstance(now, list):
        come, gone = ([item for item in these if item not in others] for these, others in ((now, was), (was, now)))
    if come and not gone:
        return f"{name} includes `{shorten(_items(come), most)}`"
    if gone and not come and now:
        return f"{name} is without `{shorten(_items(gone), most)}`"
    return f"{name} is `{shorten(in_words(now), most)}`"


def _items(found: Any) -> str:
    return in_words(found[0] if isinstance(found, list) and len(found) == 1 else found)
