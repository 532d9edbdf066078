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

QUORUMS = {2: (1, 2), 3: (2, 2), 4: (2, 3), 5: (2, 4), 6: (4, 3), 7: (5, 3)}     # servers -> (R, W); R + W > N


class Skeleton(quorum.Coordinator):
    """A server without its decisions.

    The record of an operation, `self.operation(name)`, has "answers" {replica: [version, value]}, "acks" [replicas that
    have stored its version], "version" and "value", "key", "asked" [replicas], "repairs" [].
    """

    versions = requests = counter = reads = writes = latest = None       # until on_start or a disk sets them

    def on_client_request(self, sender, m):
        missing = [name for name in ("versions", "requests", "counter", "reads", "writes", "latest")
                   if getattr(self, name) is None]
        if missing:
            raise TypeError(f"{type(self).__name__} has started and has no {', '.join(missing)}; self.forget() sets "
                            f"reads, writes and latest, all others must be durable or be set in on_start")
        super().on_client_request(sender, m)

    def held(self, key):
        found = super().held(key)
        if not isinstance(found, (list, tuple)) or len(found) != 2 or not _is_version(found[0]):
            raise TypeError(f"{type(self).__name__} stores {found!r} under {key!r}; self.versions[key] must be "
                            f"[version, value], such as [[3, {self.id!r}], '1']")
        return found

    def stored(self, name, replica):
        operation = self.operation(name)
        fewer = list(operation["acks"])
        super().stored(name, replica)
        more = list(operation["acks"])
        if len(more) > len(fewer) and operation["state"] == "done" and self.is_stored(fewer) \
                and not self.is_stored(more):
            raise TypeError(f"{type(self).__name__}.is_stored says that {', '.join(fewer)} are enough, and that "
                            f"{', '.join(more)} are not")

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
    if not _is_version(version):
        raise TypeError(f"{type(server).__name__}.new_version returned {version!r}; it must return [counter, name], "
                        f"such as [3, {server.id!r}], or None")


def _is_version(version):
    return isinstance(version, (list, tuple)) and [type(part) for part in version] == [int, str]


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
    """All as in abd.py.

    The counter could as well begin at 0 again: whatever version a server has given to a write of a key, it stores in
    the same step, and it is among those that it asks before it gives the next one.
    """

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
