"""Variants of Multi-Paxos: one rule taken out of each; the docstring says what people believe who leave it out.

All of them work while nothing fails.
"""

from __future__ import annotations

from . import multi_paxos
from .multi_paxos import Accepted


class OutOfOrder(multi_paxos.Server):
    """What is chosen can be executed (instead of when everything before it has been, section 3)."""

    catalogue = "C31"

    def execute(self):
        for slot in sorted(self.slots):
            if self.is_chosen(slot) and slot not in self.executed:
                self.run(slot)


class LeavesHoles(multi_paxos.Server):
    """A slot in which nothing was begun is left alone (instead of filled with a no-op, section 3)."""

    catalogue = "C31"

    def propose(self, slot, value):
        if value != multi_paxos.NO_OP:
            super().propose(slot, value)


class OwnCommands(multi_paxos.Server):
    """A new leader starts with the commands of its own clients (instead of what others have begun, section 3)."""

    catalogue = "C24"

    def begun(self):
        return {}


class Hasty(multi_paxos.Server):
    """A promise is about prepares (instead of P1a: refuse an accept below it, section 2.2)."""

    catalogue = "C26"

    def on_accept(self, sender, m):
        if m.ballot >= self.ballot:
            super().on_accept(sender, m)
        else:
            self.slots[m.slot] = {"ballot": m.ballot, "value": m.value, "chosen": self.is_chosen(m.slot)}
            self.send(sender, Accepted(m.ballot, m.slot))


class Forgetful(multi_paxos.Server):
    """What a server has promised and accepted is kept in memory (instead of stable storage, section 2.5)."""

    catalogue = "C28"

    def on_start(self):
        self.ballot, self.slots = [0, ""], {}
        super().on_start()


class TrustsIndex(multi_paxos.Server):
    """What I hold up to the leader's index is chosen (instead of what I accepted under its own ballot)."""

    catalogue = "C13"

    def learn(self, ballot, chosen):
        for slot in range(self.known + 1, chosen + 1):
            if slot in self.slots:
                self.slots[slot]["chosen"] = True
        self.execute()


class FrontEndTable(multi_paxos.Server):
    """The leader remembers which requests it has answered (instead of every state machine, which has run them)."""

    catalogue = "C23"

    def run(self, slot):
        answered, self.sessions = self.sessions, {}
        super().run(slot)
        self.sessions = {**answered, **self.sessions} if self.role == "leader" else {}


MUTANTS = (OutOfOrder, LeavesHoles, OwnCommands, Hasty, Forgetful, TrustsIndex, FrontEndTable)
