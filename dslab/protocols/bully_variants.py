"""Variants of the bully algorithm: one rule taken out of each; the docstring says what people believe."""

from __future__ import annotations

from . import bully


class Impatient(bully.Server):
    """Who lives answers within a few ms (instead of within twice the longest latency)."""

    catalogue = "C1"
    answer = 12


class WaitsForEver(bully.Server):
    """Who has answered will lead (instead of: it may die before it says so)."""

    catalogue = "C10"

    def on_answer(self, sender, m):
        if self.role == "candidate":
            self.cancel_timer("answer")


class ComesBackQuietly(bully.Server):
    """Who comes back finds a leader in office and follows (instead of calling an election)."""

    catalogue = "C1"

    def on_start(self):
        again, self.started = self.started, False
        super().on_start()
        self.started = again or self.started


class AnswersOnly(bully.Server):
    """To answer is enough, the lower one can go on by itself (instead of taking over)."""

    catalogue = "C10"

    def on_election(self, sender, m):
        self.send(sender, bully.Answer())


MUTANTS = (Impatient, WaitsForEver, ComesBackQuietly, AnswersOnly)
