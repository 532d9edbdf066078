"""Variants of primary and backup, and of the chain: one rule taken out of each. They work while nothing fails."""

from __future__ import annotations

from dslab.sim import ClientReply

from . import chain, primary_backup


class ReadsAlone(primary_backup.Server):
    """The primary has everything, so it can answer reads alone."""

    catalogue = "T4"

    def take(self, operation):
        client, number, command = operation
        if "=" in str(command):
            super().take(operation)
        else:
            self.send(client, ClientReply(number, True, self.store.get(command)))


class AnswersFirst(primary_backup.Server):
    """The backup will get it in a moment; the client need not wait for that."""

    catalogue = "T9"

    def take(self, operation):
        if self.view[2] is not None:
            self.send(self.view[2], primary_backup.Forward(self.tag, self.run + 1, operation))
        self.execute(operation)


class PromotesAtOnce(primary_backup.ViewService):
    """Who is called backup has everything, so it can be promoted whenever the primary is silent."""

    catalogue = "T9"

    def next_view(self):
        self.at_work = self.view[0]
        super().next_view()


class TrustsItself(chain.Server):
    """Nobody has told me that I am not the tail, so I am."""

    catalogue = "T4"

    def query(self, client, number, key):
        self.send(client, ClientReply(number, True, self.store.get(key)))


class HeadAnswers(chain.Server):
    """An update is safe when the head has it; the others will get it."""

    catalogue = "T9"

    def accept(self, request):
        super().accept(request)
        if self.chain[0][0] == self.id:
            self.answer(request)


class AnyoneReads(chain.Server):
    """Every server of the chain gets every update, so each can answer reads."""

    catalogue = "S1"

    def on_client_request(self, sender, m):
        if "=" in str(m.command) or not self.is_whole:
            super().on_client_request(sender, m)
        else:
            self.send(sender, ClientReply(m.number, True, self.store.get(m.command)))


class ForgetsSent(chain.Server):
    """What was passed on has been passed on; a new successor gets what comes next."""

    catalogue = "F2"

    def again(self):
        if not self.is_whole or self.is_tail:
            super().again()


PRIMARY_BACKUP = (ReadsAlone, AnswersFirst, PromotesAtOnce)
CHAIN = (TrustsItself, HeadAnswers, AnyoneReads, ForgetsSent)
MUTANTS = (*PRIMARY_BACKUP, *CHAIN)
