"""Variants of two-phase commit: one guard taken out of each. The docstring says the belief."""

from __future__ import annotations

from . import two_phase_commit


class MajorityCommits(two_phase_commit.TransactionManager):
    """A majority is enough, as in consensus (instead of everybody)."""

    def enough(self):
        return 2 * len(self.prepared) > len(self.peers)


class ChangesItsMind(two_phase_commit.ResourceManager):
    """Who waits too long for the outcome may abort (instead of waiting, however long)."""

    def on_prepare_timeout(self):
        super().on_prepare_timeout()
        self.set_timer("abort", between=two_phase_commit.CHANGE_OF_MIND)


def majority_commits(nodes=3, **options):
    """A cluster with this transaction manager."""
    return _cluster(nodes, "majority_commits", manager=MajorityCommits, **options)


def changes_its_mind(nodes=3, **options):
    """A cluster with these resource managers."""
    return _cluster(nodes, "changes_its_mind", resource=ChangesItsMind, **options)


def _cluster(nodes, maker, **options):
    system = two_phase_commit.cluster(nodes, **options)
    system.code = f"two_phase_commit_variants.{maker}({nodes})"
    system.imports = "from dslab.protocols import two_phase_commit_variants"
    return system


MUTANTS = (MajorityCommits, ChangesItsMind)
