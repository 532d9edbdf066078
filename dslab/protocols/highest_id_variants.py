"""Variants of the election by announcement: one rule taken out of each; the docstring says what people believe."""

from __future__ import annotations

from . import highest_id


class Impatient(highest_id.Server):
    """Everybody who lives is heard within a few ms (instead of: after twice the longest latency)."""

    catalogue = "C1"
    timeout = 12


class DoesNotJoin(highest_id.Server):
    """Who calls an election runs for it (instead of everybody, once anybody does)."""

    catalogue = "C1"

    def on_my_number(self, sender, m):
        self.heard[sender] = m.number


class FirstHeard(highest_id.Server):
    """Whoever is heard first was first (instead of the highest)."""

    catalogue = "C1"

    def winner(self):
        others = [name for name in self.heard if name != self.id]
        return others[0] if others else self.id


class NamesAsText(highest_id.Server):
    """Names can be compared as they are (instead of the numbers in them: "n9" comes after "n10")."""

    catalogue = "C27"

    def winner(self):
        return max(self.heard)


MUTANTS = (Impatient, DoesNotJoin, FirstHeard, NamesAsText)
