"""A variant of raft_membership that changes from the old to the new servers without the step between."""

from __future__ import annotations

from . import raft_membership
from .raft_configuration import leave_joint


class SwitchesAtOnce(raft_membership.Server):
    """The new servers count from the moment they are named (instead of C_old,new first, section 6)."""

    catalogue = "C22"

    def propose(self, configuration, client=None, number=0):
        super().propose(leave_joint(configuration) if configuration.joint else configuration, client, number)


MUTANTS = (SwitchesAtOnce,)
