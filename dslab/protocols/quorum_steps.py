"""A replicated register that grows in four steps: write, read, repair, restart.

`Skeleton` is what is the same in every answer: who is asked, what is recorded, when to decide. The decisions are
missing; each step is a class that adds some and inherits the rest from the step before. All servers are replicas of
every key. Nothing is durable before the last step, so runs of the first three have slow and lost messages and
partitions, but no restarts. After the third step the register is that of abd.py, with quorums that need not be
majorities.
"""

from __future__ import annotations

from dslab.sim import Network, System

from . import abd, quorum
from .quorum_properties import ALWAYS, ATOMIC, EVENTUALLY, STORED

QUORUMS = {2: (1, 2), 3: (2, 2), 4: (2, 3), 5: (2, 4), 6: (4, 3), 7: (3, 5)}     # servers -> (R, W); R + W > N


class Skeleton(quorum.Coordinator):
    """A server without its decisions.

    The record of an operation, `self.operation(name)`, has "answers" {replica: [version, value]}, "acks" [replicas that
    have stored its version], "version" and "value", "key", "asked" [replicas], "repairs" [].
    """

    def heard(self, name, replica, version, value):
        operation = self.operation(name)
        if name in self.reads and operation["version"] is None:
            answers = {**operation["answers"], replica: [version, value]}
            _must_be_an_answer(self, self.newest(dict(answers)), list(answers.values()))
        super().heard(name, replica, version, value)

    def put(self, name, version=None):
        if version is not None:
            _must_be_a_version(self, version)
        super().put(name, version)

    # ---- step 1: write. Missing: new_version(answers), keep(key, version, value), is_stored(acks)

    # ---- step 2: read. Until then a server answers from what it holds itself

    def newest(self, answers):
        return answers.get(self.id)

    # ---- step 3: repair. Until then a client is told at once

    def found(self, name):
        self.finish(name)

    # ---- step 4: restart. Missing: what is durable


def _must_be_an_answer(server, found, answers):
    if found is not None and (not isinstance(found, (list, tuple)) or list(found) not in answers):
        raise TypeError(f"{type(server).__name__}.newest returned {found!r}; it must return one of the answers, such "
                        f"as {answers[0]!r}, or None")


def _must_be_a_version(server, version):
    if not isinstance(version, (list, tuple)) or [type(part) for part in version] != [int, str]:
        raise TypeError(f"{type(server).__name__}.new_version returned {version!r}; it must return [counter, name], "
                        f"such as [3, {server.id!r}], or None")


# ---- the steps, done: whoever is stuck at one derives the next class from these


class Written(Skeleton):
    """Writes as in quorum.py."""

    new_version, keep, is_stored = quorum.Replica.new_version, quorum.Replica.keep, quorum.Replica.is_stored


class Read(Written):
    """Writes and reads as in quorum.py, without its repairs."""

    newest = quorum.Replica.newest


class Repaired(Read):
    """Reads write back, as in abd.py."""

    found = abd.Server.found


class Restarted(Repaired):
    """All as in abd.py."""

    durable = quorum.Replica.durable

    def on_start(self):
        self.forget()


# ---- clusters


def writing(server, nodes=3, **options):
    """A store that is written to; what it reads is not judged.

    Args:
        server: a class derived from Skeleton.
        nodes: 2 to 7, with the quorums of QUORUMS.
        options: as for quorum.cluster.
    """
    return _cluster("writing", server, nodes, STORED, options)


def reading(server, nodes=3, **options):
    """A store whose reads are fresh; arguments as for writing."""
    return _cluster("reading", server, nodes, ALWAYS, options)


def repairing(server, nodes=3, **options):
    """An atomic register that need not survive restarts; arguments as for writing."""
    return _cluster("repairing", server, nodes, ATOMIC, options)


def restarting(server, nodes=3, **options):
    """An atomic register; arguments as for writing."""
    return _cluster("restarting", server, nodes, ATOMIC, options)


def written(nodes=3, **options):
    """The store of step 1, done; arguments as for writing."""
    return writing(Written, nodes, **options)


def read(nodes=3, **options):
    """The store of step 2, done."""
    return reading(Read, nodes, **options)


def repaired(nodes=3, **options):
    """The register of step 3, done."""
    return repairing(Repaired, nodes, **options)


def restarted(nodes=3, **options):
    """The register of step 4, done."""
    return restarting(Restarted, nodes, **options)


def _cluster(maker, server, nodes, always, options):
    given = "".join(f", {name}={value!r}" for name, value in options.items())
    clients = options.pop("clients", 1)
    network = Network(latency=options.pop("latency", quorum.LATENCY))
    r, w = QUORUMS[nodes]
    options = {"N": nodes, "R": r, "W": w, **options}
    return System(server, nodes, clients=clients, client=quorum.Customer, network=network,
                  disk=options.pop("disk", quorum.DISK), options=options, always=always, eventually=EVENTUALLY,
                  name="quorum", imports="from dslab.protocols import quorum_steps",
                  code=f"quorum_steps.{maker}({server.__name__}, {nodes}{given})")
