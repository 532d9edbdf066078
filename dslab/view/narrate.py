"""One headline and one reason for every event that changes the picture.

A headline is a subject, a verb and a fact in at most 45 characters; a reason has at most 75. `{term:4}` is drawn as the
term's roundel, text in backticks as code. What a protocol does not show is not talked about; a protocol with none of
the shared fields is told by its messages and timers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dslab.sim import Event

from .faults import tell_action
from .gloss import gloss, glossary
from .scene import LEADING, STANDING, Reading, Scene, granted, scenes, term_of
from .words import Said, listed, number_word, payload, plain_value, say, shorten

TOLD = frozenset({"role", "term", "view", "epoch", "votes", "voted_for", "log", "commit_index", "last_applied", "leader",
                  "next_index", "match_index", "store", "number", "command", "contact"})


def narrate(reading: Reading) -> dict[int, Said]:
    """Tells a run.

    Args:
        reading: the trace, read.

    Returns:
        {event id: (headline, reason)}, for the events that change the picture.
    """
    return dict(Narrator(reading).tell())


class Narrator:
    """Follows a run and finds words; keeps what a sentence needs to know about the time before an event."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.templates = glossary(reading)
        self.before: dict[str, dict[str, Any]] = {}      # each node's fields before the event
        self.elected: Any = None                         # the newest leader, until all its followers know it
        self.committed = 0
        self.first_start = max((e.id for e in reading.events if e.kind == "start"), default=-1)
        self.scene = Scene([], [])

    def tell(self) -> Iterator[tuple[int, Said]]:
        for event, self.scene, changed in scenes(self.reading):
            said = self._event(event, changed)
            if said is not None:
                yield event.id, said
            if event.node is not None and (changed or event.kind == "restart"):
                self.before[event.node] = dict(self.scene.nodes[event.node].fields)

    def _event(self, event: Event, changed: list[str]) -> Said | None:
        kind = event.kind
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
        return tell_action(event, self.scene, self.before, self.reading)

    def _conventional(self, event: Event) -> bool:
        """Whether the node shows fields for which there are better words than those for a message."""
        fields = self.scene.nodes[event.node or ""].fields
        return "role" in fields or "log" in fields

    def _start(self) -> Said:
        servers = [self.scene.nodes[n] for n in self.scene.servers]
        count = number_word(len(servers)).capitalize()
        what = f"{count} servers start" if len(servers) != 1 else "One server starts"
        random = [(timers[name][1], node.id, name) for node in servers for timers in [node.timers] for name in timers
                  if timers[name][2] < timers[name][3]]
        if any("role" in node.fields for node in servers):
            what += ", nobody leads yet"
        if random:
            _, first, name = min(random)
            return say(what, f"{first} drew the shortest {name} timer, so it runs out first.")
        return say(what, "Nothing has happened yet; step or play to go on.")

    # ---- servers

    def _server(self, event: Event, changed: list[str]) -> Said | None:
        node = self.scene.nodes[event.node or ""]
        old = self.before.get(node.id, {})
        was, now = old.get("role"), node.role
        term_grew = node.term > term_of(old)
        if now in LEADING and was not in LEADING:
            return self._wins(node, old)
        if now in STANDING and (was not in STANDING or term_grew):
            return self._stands(event, node, old)
        if was in LEADING and now not in LEADING:
            return say((f"{node.id} steps down: term {{term:{node.term}}} is newer", f"{node.id} steps down"),
                       self._newer_term(event, node.term))
        if was in STANDING and now not in STANDING:
            return self._gives_up(event, node, term_grew)
        if "votes" in changed and now in STANDING:
            return self._vote_arrives(event, node, old)
        vote = node.fields.get("voted_for")
        if vote is not None and ("voted_for" in changed or (term_grew and vote == self._sender(event))):
            return self._votes(event, node)
        if "log" in changed:
            return self._log(event, node, old)
        if "commit_index" in changed:
            return self._commits(node, old)
        if term_grew:
            return self._newer(event, node)
        if set(changed) <= TOLD and self._conventional(event):
            return None
        return self._plain(event, changed, node)

    def _sender(self, event: Event) -> str | None:
        return None if event.message is None else self.reading.messages[event.message].source

    def _newer_term(self, event: Event, term: int) -> tuple[str, ...]:
        sender = self._sender(event)
        if sender is None:
            return ("A newer term always wins.",)
        return (f"{sender}'s message carries term {{term:{term}}}, and a newer term always wins.",)

    def _wins(self, node: Any, old: dict[str, Any]) -> Said:
        self.elected = node
        term, quorum, servers = node.term, self.scene.majority, len(self.scene.servers)
        if servers == 1:
            return say(f"{node.id} leads term {{term:{term}}}", "It is alone, so its own vote is a majority.")
        sum_of = granted(old.get("votes"))
        votes = max(quorum, sum_of + 1) if sum_of else quorum
        rival = next((n for n in self.scene.leaders() if n is not node and n.term == term), None)
        if rival:
            return say(f"{node.id} and {rival.id} both lead term {{term:{term}}}",
                       "A term must have one leader: two majorities share a server.")
        if "votes" not in node.fields:
            return say(f"{node.id} leads term {{term:{term}}}" if term else f"{node.id} becomes {node.role}",
                       "The others hear of it with its next message.")
        return say((f"{node.id} wins term {{term:{term}}} with {votes} of {servers} votes", f"{node.id} wins term {{term:{term}}}"),
                   (f"Any two majorities share a server, so nobody else can win term {{term:{term}}}.",
                    "Any two majorities share a server, so nobody else can win."))

    def _stands(self, event: Event, node: Any, old: dict[str, Any]) -> Said:
        me, term, scene = node.id, node.term, self.scene
        headline = (f"{me} stands for election in term {{term:{term}}}", f"{me} stands in term {{term:{term}}}")
        if event.cause is not None and self.reading.events[event.cause].kind == "timeout":
            return say(headline, f"You made {me}'s timer run out.")
        if old.get("role") in STANDING:
            return say((f"{me} tries again in term {{term:{term}}}",),
                       (f"Nobody got {scene.majority} of {len(scene.servers)} votes in term {{term:{term - 1}}} in time.",))
        rival = next((n for n in scene.servers if n != me and scene.nodes[n].role in STANDING
                      and scene.nodes[n].term == term and scene.nodes[n].status == "up"), None)
        if rival:
            return say(headline, (f"{rival} stands in term {{term:{term}}} too, so the votes may be split.",))
        leader = old.get("leader") or next((n.id for n in scene.leaders() if n.id != me), None)
        if leader is None or leader == me or leader not in scene.nodes:
            return say(headline, f"Nobody leads, and {me}'s timer ran out first.")
        if scene.nodes[leader].status != "up":
            return say(headline, f"{leader} is {_down(scene.nodes[leader].status)}, and {me}'s timer ran out first.")
        if scene.is_cut(leader, me):
            return say(headline, f"{leader}'s heartbeats cannot reach {me}, so its timer ran out.")
        return say(headline, f"No heartbeat from {leader} came before {me}'s timer ran out.")

    def _gives_up(self, event: Event, node: Any, term_grew: bool) -> Said:
        if term_grew:
            return say((f"{node.id} gives up: term {{term:{node.term}}} is newer",), self._newer_term(event, node.term))
        leader = node.fields.get("leader") or self._sender(event)
        return say((f"{node.id} gives up: {leader} leads term {{term:{node.term}}}", f"{node.id} gives up its election"),
                   (f"A message of term {{term:{node.term}}} tells {node.id} that {leader} has won.",))

    def _vote_arrives(self, event: Event, node: Any, old: dict[str, Any]) -> Said:
        have, total, needed = granted(node.fields["votes"]), len(self.scene.servers), self.scene.majority
        voter = self._sender(event)
        if have <= granted(old.get("votes")) and voter:
            return say((f"{voter} refuses {node.id} its vote in term {{term:{node.term}}}", f"{voter} refuses {node.id} its vote"),
                       self._why_refused(voter, node))
        missing = needed - have
        return say((f"{node.id} has {have} of {total} votes for term {{term:{node.term}}}", f"{node.id} has {have} of {total} votes"),
                   f"{number_word(missing).capitalize()} more {'makes' if missing == 1 else 'make'} a majority of {needed}.")

    def _why_refused(self, voter: str, candidate: Any) -> tuple[str, ...]:
        other = self.scene.nodes[voter]
        if other.term == candidate.term and other.fields.get("voted_for") == voter:
            return (f"{voter} stands too, and has voted for itself.",)
        if other.term == candidate.term and other.fields.get("voted_for") not in (None, candidate.id):
            return (f"{voter} gave its only vote in term {{term:{other.term}}} to {other.fields['voted_for']}.",)
        if _last(other.log) > _last(candidate.log):
            return (f"{voter}'s log is newer than {candidate.id}'s, so {candidate.id} must not lead.",)
        return (f"{voter} did not grant it.",)

    def _votes(self, event: Event, node: Any) -> Said:
        choice = node.fields["voted_for"]
        headline = (f"{node.id} votes for {choice} in term {{term:{node.term}}}", f"{node.id} votes for {choice}")
        if "log" in node.fields and choice in self.scene.nodes:
            if _last(node.log) > _last(self.scene.nodes[choice].log):
                return say(headline, f"It has not voted in this term; but its own log is newer than {choice}'s.")
            return say(headline, f"It has not voted in this term, and {choice}'s log is as new as its own.")
        return say(headline, "It has not voted in this term yet.")

    def _newer(self, event: Event, node: Any) -> Said:
        sender = self._sender(event)
        leader = node.fields.get("leader")
        if leader and leader == sender:
            return say((f"{node.id} follows {leader} in term {{term:{node.term}}}",), self._newer_term(event, node.term))
        candidate = self.scene.nodes.get(sender or "")
        if candidate is not None and candidate.role in STANDING and "voted_for" in node.fields:
            return say((f"{node.id} moves to term {{term:{node.term}}} without a vote", f"{node.id} moves to term {{term:{node.term}}}"),
                       self._why_refused(node.id, candidate))
        return say(f"{node.id} moves to term {{term:{node.term}}}", self._newer_term(event, node.term))

    def _followed(self) -> Said | None:
        """Once, when all servers that a new leader reaches know it."""
        leader = self.elected
        if leader is None or not leader.leads:
            return None
        if any(self.scene.nodes[n].fields.get("leader", leader.id) != leader.id for n in self.scene.reach(leader.id)):
            return None
        self.elected = None
        rival = next((n for n in self.scene.leaders() if n is not leader), None)
        if rival is not None:
            return say("Two leaders, two terms", stale_leader(self.scene, rival))
        beats = [timer for name, timer in leader.timers.items() if timer[2] == timer[3]]
        if beats:
            every = f"{beats[0][2] / 1000:g} ms"
            reason: tuple[str, ...] = (f"A heartbeat every {every} restarts each follower's election timer.",
                                       f"A heartbeat every {every} keeps it so.")
        else:
            reason = ("Every server that it reaches follows it.",)
        return say(f"{leader.id} leads term {{term:{leader.term}}}", reason)

    # ---- logs

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
        held, total, needed = len(self.scene.holders(index, entry)), len(self.scene.servers), self.scene.majority
        if node.role in LEADING:
            return say((f"{node.id} appends {what}", f"{node.id} appends entry {index}"),
                       "It is the first to hold it." if needed == 1 else
                       f"It is safe only once {number_word(needed)} of {number_word(total)} servers hold it.")
        term = f" of term {{term:{term_of(entry)}}}" if term_of(entry) else ""
        headline = (f"{node.id} appends entry {index}{term}" if many == 1 else f"{node.id} appends entries {same + 1} to {index}",)
        if held < needed:
            return say(headline, f"{_count(held)} of {number_word(total)} servers hold it now; it needs {number_word(needed)}.")
        if held == total:
            return say(headline, f"All {number_word(total)} servers hold it now.")
        return say(headline, f"{_count(held)} of {number_word(total)} servers hold it: a majority.")

    def _truncates(self, event: Event, node: Any, before: list[Any], same: int) -> Said:
        gone = f"entry {same + 1}" if len(before) == same + 1 else f"entries {same + 1} to {len(before)}"
        term = term_of(before[same])
        headline = (f"{node.id} throws away {gone}" + (f" of term {{term:{term}}}" if term else ""), f"{node.id} throws away {gone}")
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
            applied = f" and applies `{payload(entry)}`" if entry is not None and node.fields.get("last_applied") == index else ""
            source = node.fields.get("leader")
            return say((f"{node.id} learns that {what} {'is' if index == before + 1 else 'are'} committed",),
                       (f"{source} told it{applied}.".replace("it and", "it so; it now") if applied else f"{source} told it so.",)
                       if source else ("It heard so from another server.",))
        headline = (f"{node.id} commits {what} in term {{term:{node.term}}}", f"{node.id} commits {what}")
        held, total = len(self.scene.holders(index, entry)), len(self.scene.servers)
        if held < self.scene.majority:
            return say(headline, f"Only {number_word(held)} of {number_word(total)} servers hold it, so a later leader may lack it.")
        if 0 < term_of(entry) < node.term:
            return say(headline, (f"It is of term {{term:{term_of(entry)}}}: though {number_word(held)} servers hold it, it may be lost.",))
        holders = f"All {number_word(total)}" if held == total else f"{_count(held)} of {number_word(total)}"
        return say(headline, (f"{holders} servers hold it, so it will survive any later election.",
                              "A majority holds it, so it will survive any later election."))

    # ---- clients, and protocols without shared fields

    def _client(self, event: Event, changed: list[str]) -> Said | None:
        me = event.node or ""
        if "contact" not in changed and event.kind != "timer":
            if event.message is not None and self.reading.messages[event.message].fields.get("ok") is False:
                server = self._sender(event)
                return say(f"{server} cannot help {me}: it knows no leader", f"{me} asks somebody else when its timer runs out.")
            return None
        contact, previous = self.scene.nodes[me].fields.get("contact"), self.before.get(me, {}).get("contact")
        if event.kind == "timer":
            return say(f"{me} asks {contact} instead", f"{previous} has not answered in time; the request keeps its number.")
        if self.scene.nodes[me].fields.get("command") is None:
            return None                                   # the answer itself; `complete` tells it
        return say(f"{previous} sends {me} on to {contact}", f"{previous} does not lead; it takes {contact} for the leader.")

    def _complete(self, event: Event) -> Said:
        detail = event.detail
        asked = next((e for e in reversed(self.reading.events[:event.id])
                      if e.kind == "invoke" and e.node == event.node and e.detail["number"] == detail["number"]), None)
        took = "" if asked is None else f" after {(event.time_us - asked.time_us) / 1000:.0f} ms"
        result = shorten(plain_value(detail["result"]), 14)
        why = "Its entry is committed and applied, so the answer will stay true." \
            if any("commit_index" in self.scene.nodes[n].fields for n in self.scene.servers) else "The operation is over."
        return say((f"{event.node} is answered `{result}`{took}", f"{event.node} is answered{took}"), why)

    def _plain(self, event: Event, changed: list[str], node: Any) -> Said:
        if event.kind == "timer":
            headline = (f"{node.id}'s {event.detail} timer runs out", f"{node.id}'s timer runs out")
        else:
            record = self.reading.messages[event.message or 0]
            headline = (f"{node.id} receives `{record.type}` from {record.source}", f"{node.id} receives `{record.type}`",
                        f"{node.id} hears from {record.source}")
        if changed:
            became = listed([f"{name.replace('_', ' ')} is `{shorten(plain_value(node.fields[name]), 24)}`" for name in changed])
            few = f"{changed[0].replace('_', ' ')} is `{shorten(plain_value(node.fields[changed[0]]), 40)}`"
            return say(headline, (f"Now {became}.", f"Now {few}."))
        if event.kind == "deliver":
            return say(headline, gloss(record, self.templates.get(record.type, "")))
        return say(headline, "It changes nothing that is shown.")


def stale_leader(scene: Scene, leader: Any) -> tuple[str, ...]:
    """Why a leader without a majority is harmless."""
    others = [n for n in scene.reach(leader.id) if n != leader.id]
    alone = f"reaches only {listed(others)}" if others else "reaches nobody"
    return (f"{leader.id} still leads term {{term:{leader.term}}} but {alone}, so nothing it appends can commit.",
            f"{leader.id} leads term {{term:{leader.term}}} but {alone}: it cannot commit.",
            f"{leader.id} is cut off from a majority, so nothing it appends can commit.")


def _count(n: int) -> str:
    return number_word(n).capitalize()


def _down(status: str) -> str:
    return "down" if status == "crashed" else status


def _last(log: list[Any]) -> tuple[int, int]:
    """What makes a log newer: the term of its last entry, then its length."""
    return (term_of(log[-1]) if log else 0, len(log))

