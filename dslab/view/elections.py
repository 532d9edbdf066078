"""The words for elections: who stands, who votes for whom and why not, who wins, who steps down."""

from __future__ import annotations

from typing import Any

from dslab.sim import Event

from .ballots import named
from .scene import STANDING, NodeScene, Scene, granted, term_of
from .teller import Teller
from .words import Said, listed, number_word, say


class Elections(Teller):
    """Tells changes of role, term, votes and leader."""

    def _newer_term(self, event: Event, term: int) -> tuple[str, ...]:
        sender = self._sender(event)
        if sender is None:
            return ("A newer term always wins.",)
        return (f"{sender}'s message carries term {{term:{term}}}, and a newer term always wins.",)

    def _wins(self, node: Any, old: dict[str, Any]) -> Said:
        self.elected = node
        term, quorum, servers = node.term, self.scene.majority, len(self.scene.voters)
        if servers == 1:
            return say(f"{node.id} leads{period(node)}", "It is alone, so its own vote is a majority.")
        sum_of = granted(old.get("votes"))
        votes = max(quorum, sum_of + 1) if sum_of else quorum
        rival = next((n for n in self.scene.leaders() if n is not node and period(n) == period(node)), None)
        if rival:
            return say(
                f"{node.id} and {rival.id} both lead{period(node)}",
                "A term must have one leader: two majorities share a server."
                if term
                else "Each takes itself for the leader, and nothing tells the two apart.",
            )
        if "votes" not in node.fields:
            return say(
                f"{node.id} leads{period(node)}" if period(node) else f"{node.id} becomes {node.role}",
                "The others hear of it with its next message.",
            )
        return say(
            (
                f"{node.id} wins term {{term:{term}}} with {votes} of {servers} votes",
                f"{node.id} wins term {{term:{term}}}",
            ),
            (
                f"Any two majorities share a server, so nobody else can win term {{term:{term}}}.",
                "Any two majorities share a server, so nobody else can win.",
            ),
        )

    def _stands(self, event: Event, node: Any, old: dict[str, Any]) -> Said:
        me, term, scene = node.id, node.term, self.scene
        within = period(node).replace(" term", " in term")
        headline = (f"{me} stands for election{within}", f"{me} stands{within}")
        if event.cause is not None and self.reading.events[event.cause].kind == "timeout":
            return say(headline, "Its timer did not run out by itself: it was made to.")
        if old.get("role") in STANDING and term:
            return say(
                (f"{me} tries again in term {{term:{term}}}",),
                (
                    f"Nobody got {scene.majority} of {len(scene.voters)} votes "
                    f"in term {{term:{term - 1}}} in time.",
                ),
            )
        rival = next(
            (
                n
                for n in scene.servers
                if n != me
                and scene.nodes[n].role in STANDING
                and scene.nodes[n].term == term
                and scene.nodes[n].status == "up"
            ),
            None,
        )
        if rival and "votes" in node.fields:
            return say(headline, (f"{rival} stands{within} too, so the votes may be split.",))
        if event.message is not None:
            return say(headline, f"A message from {self._sender(event)} makes it stand.")
        if rival:
            return say(headline, f"{rival} stands too.")
        leader = old.get("leader") or next((n.id for n in scene.leaders() if n.id != me), None)
        if leader is None or leader == me or leader not in scene.nodes:
            return say(headline, f"Nobody leads, and {me}'s timer ran out first.")
        if scene.nodes[leader].status != "up":
            return say(
                headline, f"{leader} is {_down(scene.nodes[leader].status)}, and {me}'s timer ran out first."
            )
        if scene.is_cut(leader, me):
            return say(headline, f"{leader}'s heartbeats cannot reach {me}, so its timer ran out.")
        return say(headline, f"No heartbeat from {leader} came before {me}'s timer ran out.")

    def _gives_up(self, event: Event, node: Any, term_grew: bool) -> Said:
        if term_grew:
            return say(
                (f"{node.id} gives up: term {{term:{node.term}}} is newer",),
                self._newer_term(event, node.term),
            )
        leader = node.fields.get("leader") or self._sender(event)
        if not node.term:
            told = f"{self._sender(event)}'s message tells it so." if event.message is not None else "Its time is over."
            return say(f"{node.id} gives up: {leader} leads" if leader else f"{node.id} gives up its election", told)
        return say(
            (
                f"{node.id} gives up: {leader} leads term {{term:{node.term}}}",
                f"{node.id} gives up its election",
            ),
            (f"A message of term {{term:{node.term}}} tells {node.id} that {leader} has won.",),
        )

    def _asks(self, node: Any) -> Said:
        """A server finds out whether it could win before it stands."""
        return say(
            f"{node.id} asks who would vote for it in term {{term:{node.term + 1}}}",
            "It stands only if a majority would; until then its term stays.",
        )

    def _vote_arrives(self, event: Event, node: Any, old: dict[str, Any]) -> Said:
        have, total, needed = granted(node.fields["votes"]), len(self.scene.voters), self.scene.majority
        voter = self._sender(event)
        if have <= granted(old.get("votes")) and voter:
            return say(
                (
                    f"{voter} refuses {node.id} its vote in term {{term:{node.term}}}",
                    f"{voter} refuses {node.id} its vote",
                ),
                self._why_refused(voter, node),
            )
        missing = needed - have
        return say(
            (
                f"{node.id} has {have} of {total} votes for term {{term:{node.term}}}",
                f"{node.id} has {have} of {total} votes",
            ),
            f"{number_word(missing).capitalize()} more make{'s' * (missing == 1)} a majority of {needed}.",
        )

    def _why_refused(self, voter: str, candidate: Any) -> tuple[str, ...]:
        other = self.scene.nodes[voter]
        if other.term == candidate.term and other.fields.get("voted_for") == voter:
            return (f"{voter} stands too, and has voted for itself.",)
        if other.term == candidate.term and other.fields.get("voted_for") not in (None, candidate.id):
            return (
                f"{voter} gave its only vote in term {{term:{other.term}}} to {other.fields['voted_for']}.",
            )
        if _last(other) > _last(candidate):
            return (f"{voter}'s log is newer than {candidate.id}'s, so {candidate.id} must not lead.",)
        return (f"{voter} did not grant it.",)

    def _votes(self, event: Event, node: Any) -> Said:
        choice = node.fields["voted_for"]
        headline = (
            f"{node.id} votes for {choice} in term {{term:{node.term}}}",
            f"{node.id} votes for {choice}",
        )
        if "log" in node.fields and choice in self.scene.nodes:
            if _last(node) > _last(self.scene.nodes[choice]):
                return say(
                    headline, f"It has not voted in this term; but its own log is newer than {choice}'s."
                )
            return say(headline, f"It has not voted in this term, and {choice}'s log is as new as its own.")
        return say(headline, "It has not voted in this term yet.")

    def _newer(self, event: Event, node: Any) -> Said:
        sender = self._sender(event)
        leader = node.fields.get("leader")
        if leader and leader == sender:
            return say(
                (f"{node.id} follows {leader} in term {{term:{node.term}}}",),
                self._newer_term(event, node.term),
            )
        candidate = self.scene.nodes.get(sender or "")
        if candidate is not None and candidate.role in STANDING and "voted_for" in node.fields:
            return say(
                (
                    f"{node.id} moves to term {{term:{node.term}}} without a vote",
                    f"{node.id} moves to term {{term:{node.term}}}",
                ),
                self._why_refused(node.id, candidate),
            )
        return say(f"{node.id} moves to term {{term:{node.term}}}", self._newer_term(event, node.term))

    def _followed(self) -> Said | None:
        """Once, when all servers that a new leader reaches know it."""
        leader = self.elected
        if leader is None or not leader.leads:
            return None
        if any(
            self.scene.nodes[n].fields.get("leader", leader.id) != leader.id
            for n in self.scene.reach(leader.id)
        ):
            return None
        self.elected = None
        rival = next((n for n in self.scene.leaders() if n is not leader), None)
        if rival is not None:
            if period(rival) == period(leader):
                return None
            return say("Two leaders, two terms", stale_leader(self.scene, rival))
        beats = [timer for name, timer in leader.timers.items() if timer[2] == timer[3]]
        if beats:
            every = f"{beats[0][2] / 1000:g} ms"
            reason: tuple[str, ...] = (
                f"A heartbeat every {every} restarts each follower's election timer.",
                f"A heartbeat every {every} keeps it so.",
            )
        else:
            reason = ("Every server that it reaches follows it.",)
        return say(f"{leader.id} leads{period(leader)}", reason)


def period(node: NodeScene) -> str:
    """ " term 3" or " with ballot 3 of n1": what a leader leads; nothing where leaders have no number."""
    if node.term:
        return f" term {{term:{node.term}}}"
    return f" with {named(node.fields['ballot'])}" if node.fields.get("ballot") is not None else ""


def stale_leader(scene: Scene, leader: Any) -> tuple[str, ...]:
    """Why a leader without a majority is harmless."""
    others = [n for n in scene.reach(leader.id) if n != leader.id]
    alone = f"reaches only {listed(others)}" if others else "reaches nobody"
    return (
        f"{leader.id} still leads term {{term:{leader.term}}} but {alone}, so nothing it adds can commit.",
        f"{leader.id} leads term {{term:{leader.term}}} but {alone}: it cannot commit.",
        f"{leader.id} is cut off from a majority, so nothing it appends can commit.",
    )


def _down(status: str) -> str:
    return "down" if status == "crashed" else status


def _last(node: Any) -> tuple[int, int]:
    """What makes a log newer: the term of its last entry, then its length."""
    return (term_of(node.log[-1]) if node.log else 0, node.last_index)
