"""Two-phase commit: all of several databases commit a transaction, or none does.

Source: J. Gray, L. Lamport, "Consensus on Transaction Commit", ACM TODS 31(1), 2006, section 3, with the names of its
TLA+ specification TwoPhase. A resource manager may choose to abort until it has prepared, the transaction manager until
it has committed. Left out: the request to prepare, which the specification leaves out too; retries and recovery, so
whoever has prepared waits for ever for a manager that is gone: two-phase commit blocks.
"""

from __future__ import annotations

from dslab.sim import Network, Node, System, message, title, violation

PREPARE, CHANGE_OF_MIND = (5, 50), (40, 400)      # ms until a resource manager prepares, or aborts of its own accord
PATIENCE = 300                                    # ms until the transaction manager gives up
LATENCY, DISK = (5, 15), (1, 3)                   # ms one way; ms per durable write
BOUNDS = {"timeouts": None, "network": "any number"}      # of an exploration: those of the specification


@message
class Prepared:
    """{source} can commit, and will not abort of its own accord any more."""


@message
class Commit:
    """{source} tells {target} to commit."""


@message
class Abort:
    """{source} tells {target} to abort."""


class ResourceManager(Node):
    """One database: working, then prepared or aborted; after that it does as it is told."""

    durable = {"state": "working"}
    shows = ("state",)
    manager = "tm"

    def on_start(self):
        if self.state == "working":
            self.set_timer("prepare", between=PREPARE)
            self.set_timer("abort", between=CHANGE_OF_MIND)

    def on_prepare_timeout(self):
        self.become("prepared")                     # on the disk before the message leaves: a promise
        self.send(self.manager, Prepared())

    def on_abort_timeout(self):
        self.become("aborted")

    def on_commit(self, sender, m):
        self.become("committed")

    def on_abort(self, sender, m):
        self.become("aborted")

    def become(self, state):
        self.state = state
        self.cancel_timer("prepare")
        self.cancel_timer("abort")


class TransactionManager(Node):
    """Commits when all have prepared, aborts when it does not want to wait."""

    durable = {"state": "init", "prepared": {}}      # resource manager -> True
    shows = ("state", "prepared")

    def on_start(self):
        if self.state == "init":
            self.set_timer("abort", after=PATIENCE)
            self.look()

    def on_prepared(self, sender, m):
        if self.state == "init":
            self.prepared[sender] = True
            self.look()

    def look(self):
        if self.enough():
            self.set_timer("commit", after=0)

    def enough(self):
        return len(self.prepared) == len(self.peers)      # everybody: who has not prepared may have aborted

    def on_commit_timeout(self):
        self.decide("committed", Commit())

    def on_abort_timeout(self):
        self.decide("aborted", Abort())

    def decide(self, state, m):
        self.state = state
        self.cancel_timer("commit")
        self.cancel_timer("abort")
        self.broadcast(m)


@title("All or nothing")
def consistent(world):
    """No two resource managers end differently: one committed and one aborted (TCConsistent)."""
    ends = {getattr(s, "state", None): s for s in world.servers if s.id != "tm"}
    if "committed" in ends and "aborted" in ends:
        committed, aborted = ends["committed"].id, ends["aborted"].id
        return violation(f"{committed} has committed and {aborted} has aborted", nodes=[committed, aborted],
                         expected="both the same", found="one each")
    return None


@title("Everybody commits")
def commits(world):
    """All resource managers have committed."""
    return all(getattr(s, "state", None) == "committed" for s in world.servers if s.id != "tm")


@title("Everybody aborts")
def aborts(world):
    """All resource managers have aborted."""
    return all(getattr(s, "state", None) == "aborted" for s in world.servers if s.id != "tm")


ALWAYS = (consistent,)
EVENTUALLY = (commits, aborts)


def cluster(nodes=3, *, manager=TransactionManager, resource=ResourceManager, latency=LATENCY, disk=DISK):
    """Resource managers rm1, rm2, ... and their transaction manager tm.

    Args:
        nodes: how many resource managers, 1 or more.
        manager, resource: the classes to run, or variants of them.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
    """
    names = tuple(f"rm{i}" for i in range(1, nodes + 1))
    given = {"manager": manager, "resource": resource, "latency": latency, "disk": disk}
    usual = {"manager": TransactionManager, "resource": ResourceManager, "latency": LATENCY, "disk": DISK}
    changed = [f", {name}={getattr(value, '__name__', None) or repr(value)}" for name, value in given.items()
               if value != usual[name]]
    system = System({"tm": manager, **{name: resource for name in names}}, network=Network(latency=latency), disk=disk,
                    always=ALWAYS, eventually=EVENTUALLY, name="two-phase commit",
                    code=f"two_phase_commit.cluster({nodes}{''.join(changed)})",
                    imports="from dslab.protocols import two_phase_commit")
    system.interchangeable = (names,)
    return system
