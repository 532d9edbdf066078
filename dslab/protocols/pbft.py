"""PBFT: a replicated service that stays correct while f of its n replicas lie, n >= 3f+1.

Source: Castro, Liskov, "Practical Byzantine Fault Tolerance", OSDI 1999, sections 4.1 to 4.3; the view change of
section 4.4 is in pbft_view_change. Left out: tentative execution, read-only requests and batches (section 5.1).
Signatures: the network authenticates who sent a message, and a message quoted inside another cannot be made up.
Requests are not signed, so a schedule in which a primary lies should quote a request that some client makes.
"""

from __future__ import annotations

import json
from hashlib import sha256

from dslab.sim import Network, System, message
from dslab.sim.client import Client as OrdinaryClient

from .pbft_properties import ALWAYS, EVENTUALLY
from .pbft_view_change import NULL, Stable, ViewChanges

LATENCY, DISK = (5, 15), 0       # ms one way; state is durable, so that a restarted replica keeps its word
VIEW_CHANGE_TIMEOUT = 150        # ms that a backup waits for a request to be executed; doubles with each view change
CHECKPOINT_EVERY = 4             # K, requests between checkpoints; the log holds at most 2K (the paper: 128)


@message
class Request:
    """{client} asks for {command} (request {number})."""

    client: str
    number: int
    command: object


@message
class Relay:
    """{source} passes on a request that waits."""

    request: Request


@message
class Reply:
    """{source} answers request {number} with {result}, in view {view}."""

    view: int
    number: int
    result: object


@message
class PrePrepare:
    """{source}, the primary of view {view}, gives {digest} the number {sequence}."""

    view: int
    sequence: int
    digest: str
    client: str
    number: int
    command: object


@message
class Prepare:
    """{source} agrees that {digest} has number {sequence} in view {view}."""

    view: int
    sequence: int
    digest: str


@message
class Commit:
    """{source} knows that a quorum prepared {digest} as number {sequence} in view {view}."""

    view: int
    sequence: int
    digest: str


@message
class Checkpoint:
    """{source} has executed everything up to {sequence}, and its state has digest {digest}."""

    sequence: int
    digest: str


@message
class Fetch:
    """{source} asks {target} for the state at checkpoint {sequence}."""

    sequence: int


@message
class Snapshot:
    """{source} sends {target} its state at checkpoint {sequence}."""

    sequence: int
    store: dict[str, object]
    replies: dict[str, list[object]]


class Client(OrdinaryClient):
    """Asks the primary, then everybody; believes a result once f+1 replicas say the same (section 4.1)."""

    shows = ("number", "command", "contact", "answers", "accepted")
    faults = None

    def on_start(self):
        super().on_start()
        self.answers = {}                    # replica -> [view, result], for the open request
        self.accepted = None                 # [number, result] of the newest request that was answered

    @property
    def enough(self):
        return faults_of(self, len(self.peers)) + 1      # one of f+1 is loyal

    def _ask(self):
        self.answers = {}
        self.send(self.contact, Request(self.id, self.number, self.command))
        self.set_timer("retry", after=300)

    def on_retry_timeout(self):
        for replica in self.peers:
            self.send(replica, Request(self.id, self.number, self.command))
        self.set_timer("retry", after=300)

    def on_reply(self, sender, m):
        if self.command is None or m.number != self.number:
            return
        self.answers[sender] = [m.view, m.result]
        views = [view for view, result in self.answers.values() if result == m.result]
        if len(views) >= self.enough:
            self.contact = self.peers[min(views) % len(self.peers)]
            self.accepted = [m.number, m.result]
            self.complete(m.result)


class Replica(ViewChanges):
    """One replica: the normal case (section 4.2) and garbage collection (section 4.3)."""

    durable = {"view": 0, "changing": False, "slots": {}, "prepared": {}, "last_executed": 0, "store": {},
               "replies": {}, "stable": Stable(0, ""), "snapshots": {}}
    shows = ("role", "view", "primary", "slots", "low_mark", "high_mark", "last_executed", "store", "replies")
    faults = None                                        # f; None for as many as n allows
    customers = None                                     # names of the clients that it serves; None for all
    checkpoint_every = CHECKPOINT_EVERY
    view_change_timeout = VIEW_CHANGE_TIMEOUT

    def on_start(self):
        self.replicas = sorted([self.id, *self.peers], key=lambda name: (len(name), name))
        self.pending = {}                                # digest -> [client, number, command], not executed yet
        self.checkpoints = {}                            # sequence -> {replica: digest of its state}
        self.early = []                                  # (sender, message) of views that have not begun here
        self.start_view_changes()

    @property
    def primary(self):
        return self.primary_of(self.view)

    def primary_of(self, view):
        return self.replicas[view % len(self.replicas)]

    @property
    def role(self):
        return "changing view" if self.changing else "primary" if self.primary == self.id else "backup"

    @property
    def weak(self):
        return faults_of(self, len(self.replicas)) + 1   # f+1: at least one of them is loyal

    @property
    def quorum(self):
        return byzantine_quorum(len(self.replicas), faults_of(self, len(self.replicas)))

    @property
    def low_mark(self):
        return self.stable.sequence

    @property
    def high_mark(self):
        return self.low_mark + 2 * self.checkpoint_every

    # ---- requests (section 4.1)

    def on_request(self, sender, m):
        if sender != m.client:
            return
        done, result = self.replies.get(m.client, (0, None))
        if m.number <= done:
            if m.number == done:
                self.send(m.client, Reply(self.view, done, result))          # done before: the same answer
            return
        self.pending[digest_of(m.client, m.number, m.command)] = [m.client, m.number, m.command]
        if self.primary == self.id and not self.changing:
            self.propose()
        else:
            self.wait_for_progress()
            if self.primary != self.id:
                self.send(self.primary, Relay(m))

    def on_relay(self, sender, m):
        if self.primary == self.id:
            self.on_request(m.request.client, m.request)

    # ---- normal case (section 4.2)

    def propose(self):
        """The primary gives each waiting request the next number, as far as the marks allow."""
        for digest, (client, number, command) in list(self.pending.items()):
            given = {slot["digest"]: sequence for sequence, slot in self.slots.items() if slot["digest"] is not None}
            sequence = max([self.low_mark, *given.values()]) + 1
            if digest in given or sequence > self.high_mark:
                continue
            self.accept(sequence, digest, [client, number, command])
            self.broadcast(PrePrepare(self.view, sequence, digest, client, number, command))
            self.advance(sequence)

    def on_pre_prepare(self, sender, m):
        if not self.in_view(sender, m) or not self.believes(sender, m):
            return
        self.pending[m.digest] = [m.client, m.number, m.command]
        self.accept(m.sequence, m.digest, [m.client, m.number, m.command])
        self.wait_for_progress()
        self.prepare(m.sequence)

    def believes(self, sender, m):
        """The primary says so, for a client that exists and with its digest, and no other has this number in this view.
        """
        slot = self.slots.get(m.sequence)
        return (sender == self.primary and m.digest == digest_of(m.client, m.number, m.command)
                and (self.customers is None or m.client in self.customers)
                and (slot is None or slot["digest"] is None))

    def accept(self, sequence, digest, request):
        slot = self.slot(sequence)
        slot.update(view=self.view, digest=digest, request=request, state="pre-prepared")

    def prepare(self, sequence):
        digest = self.slots[sequence]["digest"]
        self.slots[sequence]["prepares"][self.id] = digest
        self.broadcast(Prepare(self.view, sequence, digest))
        self.advance(sequence)

    def on_prepare(self, sender, m):
        if self.in_view(sender, m) and sender != self.primary:               # its pre-prepare is its word
            self.slot(m.sequence)["prepares"].setdefault(sender, m.digest)
            self.advance(m.sequence)

    def on_commit(self, sender, m):
        if self.in_view(sender, m):
            self.slot(m.sequence)["commits"].setdefault(sender, m.digest)
            self.advance(m.sequence)

    def in_view(self, sender, m):
        """Whether a message belongs to this view and lies between the water marks; keeps those of later views."""
        if m.view > self.view or (m.view == self.view and self.changing):
            self.early.append((sender, m))
            return False
        return m.view == self.view and self.low_mark < m.sequence <= self.high_mark

    def slot(self, sequence):
        empty = {"view": self.view, "digest": None, "request": None, "prepares": {}, "commits": {}, "state": "empty"}
        return self.slots.setdefault(sequence, empty)

    def advance(self, sequence):
        """Moves one number as far as its messages allow."""
        slot = self.slots[sequence]
        if slot["state"] == "pre-prepared" and self.is_prepared(slot):
            # two quorums share a loyal replica, which prepares one digest per number and view: no other can prepare
            slot["state"] = "prepared"
            self.keep_certificate(sequence, slot)
            slot["commits"][self.id] = slot["digest"]
            self.broadcast(Commit(self.view, sequence, slot["digest"]))
        if slot["state"] == "prepared" and self.is_committed(slot):
            # f+1 loyal replicas hold the certificate, so every later view will hear of it
            slot["state"] = "committed" if sequence > self.last_executed else "executed"
            self.execute()

    def is_prepared(self, slot):
        """A pre-prepare and prepares of others, a quorum together."""
        return 1 + self.matching(slot, "prepares") >= self.quorum

    def is_committed(self, slot):
        return self.matching(slot, "commits") >= self.quorum

    def matching(self, slot, phase):
        return sum(digest == slot["digest"] for digest in slot[phase].values())

    def execute(self):
        """Runs what is committed, in the order of the numbers and without gaps."""
        before = self.last_executed
        while self.slots.get(self.last_executed + 1, {}).get("state") == "committed":
            self.last_executed += 1
            slot = self.slots[self.last_executed]
            slot["state"] = "executed"
            if slot["digest"] != NULL:
                self.run(*slot["request"])
            if self.last_executed % self.checkpoint_every == 0:
                self.take_checkpoint()
        if self.last_executed > before:
            self.made_progress()

    def run(self, client, number, command):
        """Runs a request, exactly once however often it was given a number."""
        done, result = self.replies.get(client, (0, None))
        if number > done:
            key, is_write, value = str(command).partition("=")
            if is_write:
                self.store[key] = value
            result = self.store.get(key)
            self.replies[client] = [number, result]
            self.send(client, Reply(self.view, number, result))
        self.forget_done()

    def forget_done(self):
        self.pending = {digest: request for digest, request in self.pending.items()
                        if request[1] > self.replies.get(request[0], (0, None))[0]}

    # ---- garbage collection (section 4.3)

    def take_checkpoint(self):
        self.snapshots[self.last_executed] = {"store": dict(self.store), "replies": dict(self.replies)}
        digest = state_digest(self.store, self.replies)
        self.broadcast(Checkpoint(self.last_executed, digest))
        self.note_checkpoint(self.id, self.last_executed, digest)

    def on_checkpoint(self, sender, m):
        if m.sequence > self.low_mark:
            self.note_checkpoint(sender, m.sequence, m.digest)

    def note_checkpoint(self, replica, sequence, digest):
        said = self.checkpoints.setdefault(sequence, {})
        said.setdefault(replica, digest)
        if self.is_stable(said, digest):
            self.truncate(Stable(sequence, digest))
            if self.primary == self.id and not self.changing:
                self.propose()

    def is_stable(self, said, digest):
        """A quorum reached the same state: f+1 loyal replicas can hand it on, so the messages may go."""
        return list(said.values()).count(digest) >= self.quorum

    def truncate(self, stable):
        """Forgets everything up to a stable checkpoint, and fetches the state if this replica is behind it."""
        if stable.sequence <= self.low_mark:
            return
        said = self.checkpoints.get(stable.sequence, {})
        self.stable = stable
        for kept in (self.slots, self.prepared, self.checkpoints):
            for sequence in [s for s in kept if s <= stable.sequence]:
                del kept[sequence]
        self.snapshots = {s: state for s, state in self.snapshots.items() if s >= stable.sequence}
        if self.last_executed < stable.sequence:
            for replica in self.peers:
                if said.get(replica, stable.digest) == stable.digest:
                    self.send(replica, Fetch(stable.sequence))

    def on_fetch(self, sender, m):
        if m.sequence in self.snapshots:
            state = self.snapshots[m.sequence]
            self.send(sender, Snapshot(m.sequence, state["store"], state["replies"]))

    def on_snapshot(self, sender, m):
        if m.sequence == self.low_mark > self.last_executed and state_digest(m.store, m.replies) == self.stable.digest:
            self.store, self.last_executed = dict(m.store), m.sequence
            self.replies = {client: list(reply) for client, reply in m.replies.items()}
            self.snapshots[m.sequence] = {"store": dict(self.store), "replies": dict(self.replies)}
            self.forget_done()
            self.made_progress()
            self.execute()


def byzantine_quorum(n, f):
    """How many of n replicas make a quorum if f lie: two quorums then share more than f, so a loyal one."""
    return (n + f) // 2 + 1


def faults_of(node, n):
    """f: as many liars as n replicas can stand, unless the node says otherwise."""
    return (n - 1) // 3 if node.faults is None else node.faults


def digest_of(client, number, command):
    """D(m): readable, where the paper has a hash; different requests have different ones."""
    return f"{client}.{number} {command}"


def state_digest(store, replies):
    """The digest of a checkpoint."""
    return sha256(json.dumps([sorted(store.items()), sorted(replies.items())]).encode()).hexdigest()[:8]


def cluster(nodes=4, *, server=Replica, client=Client, clients=1, latency=LATENCY, disk=DISK, **options):
    """A PBFT service on a local network.

    Args:
        nodes, clients: how many of each; f = (nodes - 1) // 3 unless the option `faults` says otherwise.
        server, client: the classes to run, or variants of them.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the classes, such as faults=1 or checkpoint_every=4.
    """
    given = {"clients": clients, "latency": latency, "disk": disk, **options}
    usual = {"clients": 1, "latency": LATENCY, "disk": DISK}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    classes = [f", {k}={v.__name__}" for k, v, plain in (("server", server, Replica), ("client", client, Client))
               if v is not plain]
    customers = tuple(f"c{i}" for i in range(1, clients + 1))
    return System(server, nodes, clients=clients, client=client, network=Network(latency=latency), disk=disk,
                  options={"customers": customers, **options}, always=ALWAYS, eventually=EVENTUALLY, name="pbft",
                  imports="from dslab.protocols import pbft",
                  code=f"pbft.cluster({nodes}{''.join(classes)}{''.join(changed)})")
