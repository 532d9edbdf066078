"""Variants of anti-entropy: one rule taken out of each; the docstring says the belief.

Those of deletes stand in death_certificates.
"""

from __future__ import annotations

from . import anti_entropy


class TakesWhatComes(anti_entropy.PushPull):
    """What arrives is newer than what is here (instead of comparing stamps)."""

    catalogue = "S9"

    def take(self, entries):
        for key, entry in entries.items():
            self.clock = max(self.clock, entry[0][0])
            self.store[key] = entry
        return list(entries)


class ForgetsTheTree(anti_entropy.Comparing):
    """The tree is right as long as nobody writes here (instead of being kept up to date with what arrives, too)."""

    def take(self, entries):
        if all(entry[0][1] == self.id for entry in entries.values()):
            return super().take(entries)
        return super(anti_entropy.Comparing, self).take(entries)


class ComparesAll(anti_entropy.Comparing):
    """To be sure, compare the whole tree (instead of going on only where hashes differ)."""

    def descend(self, mine, theirs):
        below, leaves = super().descend(mine, dict.fromkeys(theirs, ""))
        return below, [leaf for leaf in leaves if theirs[leaf] != mine[leaf]]


class FirstDifference(anti_entropy.Comparing):
    """Where one half differs the other one need not be looked at (instead of following both)."""

    def descend(self, mine, theirs):
        below, leaves = super().descend(mine, theirs)
        return below[:2], leaves[:1]


MUTANTS = (TakesWhatComes, ForgetsTheTree, ComparesAll, FirstDifference)
