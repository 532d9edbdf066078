"""Multi-Paxos: one instance of Paxos per slot of a log, under a leader that needs phase 1 only once.

Source: L. Lamport, "Paxos Made Simple", ACM SIGACT News 32(4), 2001, section 3; at most once as in section 8 of Raft.
Left out: changes of the set of servers, and reads that bypass the log. Slots start at 1. Phase 1 covers all slots from
the first one that the new leader does not know to be chosen; its ballot is then good for every command.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Network, Node, System, message

from .multi_paxos_properties import ALWAYS, EVENTUALLY

ELECTION_TIMEOUT = (150, 300)    # ms; random, so that two do not hinder each other for ever
HEARTBEAT = 75                   # ms; also until an unanswered Accept is sent again
LATENCY, DISK = (5, 15), (1, 3)  # ms one way; ms per durable write
BOUNDS = {"timeouts": {"election": 2}}       # of an exploration, unless told otherwise


@message
class Command:
    """What a client wants executed; with neither command nor client it is a no-op."""

    command: object
    client: object = None
    number: int = 0


NO_OP = Command(None)


@message
class Prepare:
    """{source} asks {target} to accept nothing below ballot {ballot} any more, in slot {first} and all later ones."""

    ballot: list
    first: int


@message
class Promise:
    """{source} promises {target} ballot {ballot}; from the first slot on it has accepted {accepted}."""

    ballot: list
    accepted: dict


@message
class Accept:
    """{source} asks {target} to accept {value} in slot {slot} under ballot {ballot}; up to {chosen} all is chosen."""

    ballot: list
    slot: int
    value: Command
    chosen: int


@message
class Accepted:
    """{source} has accepted what {target} proposed for slot {slot} under ballot {ballot}."""

    ballot: list
    slot: int


@message
class Heartbeat:
    """{source} leads with ballot {ballot}; up to slot {chosen} all is chosen."""

    ballot: list
    chosen: int


@message
class Missing:
    """{source} asks {target} what is chosen in {slots}."""

    slots: list


@message
class Chosen:
    """{source} tells {target} that {value} is chosen in slot {slot}."""

    slot: int
    value: Command


class Server(Node):
    """Proposer, acceptor and learner; `slots` holds for each slot what it has accepted, and whether that is chosen."""

    durable = {"ballot": [0, ""], "slots": {}}           # ballot: the highest promised
    shows = ("role", "leader", "ballot", "slots", "promises", "accepts", "executed", "ran", "store")
    election_timeout = ELECTION_TIMEOUT
    heartbeat = HEARTBEAT

    def on_start(self):
        self.role, self.leader = "follower", None
        self.promises, self.accepts = {}, {}             # acceptor -> its report; slot -> who has accepted
        self.next_slot, self.overdue = 1, 1              # for the leader's next command; below it, Accepts are old
        self.executed, self.ran = [], []                 # slots, in order; requests that the state machine has run
        self.store, self.sessions = {}, {}               # the state machine; client -> (number, result)
        self.execute()
        self.reset_election_timer()

    @property
    def quorum(self):
        return (len(self.peers) + 1) // 2 + 1

    @property
    def known(self):
        """Up to this slot everything is chosen and executed here."""
        return len(self.executed)

    def reset_election_timer(self):
        self.set_timer("election", between=self.election_timeout)

    def follow(self, ballot, leader):
        """Promises a ballot, which is not below the one promised before."""
        if self.role == "leader":
            self.cancel_timer("heartbeat")
        self.role, self.leader, self.ballot = "follower", leader, ballot
        self.promises, self.accepts = {}, {}
        self.reset_election_timer()

    # ---- phase 1, once per leader

    def on_election_timeout(self):
        self.role, self.leader = "candidate", None
        self.ballot = [self.ballot[0] + 1, self.id]
        self.promises = {self.id: self.report(self.known + 1)}
        self.reset_election_timer()
        self.broadcast(Prepare(self.ballot, self.known + 1))
        self.count_promises()

    def report(self, first):
        """{slot: [ballot, value]} of what this server has accepted from a slot on."""
        return {slot: [held["ballot"], held["value"]] for slot, held in sorted(self.slots.items()) if slot >= first}

    def on_prepare(self, sender, m):
        if m.ballot > self.ballot:
            self.follow(m.ballot, None)
            self.send(sender, Promise(m.ballot, self.report(m.first)))

    def on_promise(self, sender, m):
        if self.role == "candidate" and m.ballot == self.ballot:
            self.promises[sender] = m.accepted
            self.count_promises()

    def count_promises(self):
        if len(self.promises) >= self.quorum:
            self.lead()

    def lead(self):
        """Finishes what others have begun, and fills the holes between."""
        self.role, self.leader = "leader", self.id
        self.cancel_timer("election")
        begun = self.begun()
        self.promises, self.accepts = {}, {}
        self.next_slot = max([self.known, *begun]) + 1
        for slot in range(self.known + 1, self.next_slot):
            self.propose(slot, begun.get(slot, NO_OP))   # a hole would keep later slots from being executed
        self.on_heartbeat_timeout()

    def begun(self):
        """{slot: value} of the highest ballot reported, because it may be chosen already (P2c, section 2.2)."""
        highest = {}
        for report in self.promises.values():
            for slot, (ballot, value) in report.items():
                if slot not in highest or ballot > highest[slot][0]:
                    highest[slot] = ballot, value
        return {slot: value for slot, (_, value) in highest.items()}

    # ---- phase 2, for each command

    def propose(self, slot, value):
        self.slots[slot] = {"ballot": self.ballot, "value": value, "chosen": self.is_chosen(slot)}
        self.accepts[slot] = [self.id]
        self.broadcast(Accept(self.ballot, slot, value, self.known))
        self.count_accepts(slot)

    def is_chosen(self, slot):
        return slot in self.slots and self.slots[slot]["chosen"]

    def on_accept(self, sender, m):
        if m.ballot < self.ballot:
            return
        self.follow(m.ballot, sender)
        self.slots[m.slot] = {"ballot": m.ballot, "value": m.value, "chosen": self.is_chosen(m.slot)}
        self.send(sender, Accepted(m.ballot, m.slot))
        self.learn(m.ballot, m.chosen)

    def on_accepted(self, sender, m):
        if self.role == "leader" and m.ballot == self.ballot and m.slot in self.accepts:
            if sender not in self.accepts[m.slot]:
                self.accepts[m.slot] = sorted([*self.accepts[m.slot], sender])
            self.count_accepts(m.slot)

    def count_accepts(self, slot):
        if len(self.accepts[slot]) >= self.quorum:
            del self.accepts[slot]
            self.slots[slot]["chosen"] = True
            self.execute()

    def on_heartbeat_timeout(self):
        for slot in self.accepts:
            if slot < self.overdue:                      # a message was lost, or a server was down
                self.broadcast(Accept(self.ballot, slot, self.slots[slot]["value"], self.known))
        self.overdue = self.next_slot
        self.broadcast(Heartbeat(self.ballot, self.known))
        self.set_timer("heartbeat", after=self.heartbeat)

    # ---- learning

    def on_heartbeat(self, sender, m):
        if m.ballot < self.ballot:
            return
        self.follow(m.ballot, sender)
        self.learn(m.ballot, m.chosen)
        missing = [slot for slot in range(self.known + 1, m.chosen + 1) if not self.is_chosen(slot)]
        if missing:
            self.send(sender, Missing(missing))

    def learn(self, ballot, chosen):
        """Up to `chosen`, what was accepted under the leader's own ballot is chosen: it has proposed nothing else."""
        for slot in range(self.known + 1, chosen + 1):
            if slot in self.slots and self.slots[slot]["ballot"] == ballot:
                self.slots[slot]["chosen"] = True
        self.execute()

    def on_missing(self, sender, m):
        for slot in m.slots:
            if self.is_chosen(slot):
                self.send(sender, Chosen(slot, self.slots[slot]["value"]))

    def on_chosen(self, sender, m):
        ballot = self.slots[m.slot]["ballot"] if m.slot in self.slots else self.ballot
        self.slots[m.slot] = {"ballot": ballot, "value": m.value, "chosen": True}
        self.execute()

    # ---- clients and their commands

    def on_client_request(self, sender, m):
        if self.role != "leader":
            self.send(sender, ClientReply(m.number, False, leader=self.leader))
        elif m.number == self.sessions.get(sender, (0, None))[0]:
            self.send(sender, ClientReply(m.number, True, self.sessions[sender][1]))    # done before: same answer
        elif Command(m.command, sender, m.number) not in [self.slots[slot]["value"] for slot in self.accepts]:
            self.next_slot += 1
            self.propose(self.next_slot - 1, Command(m.command, sender, m.number))

    def execute(self):
        """Runs what is chosen, in the order of slots: a later slot waits for the one before."""
        while self.is_chosen(self.known + 1):
            self.run(self.known + 1)

    def run(self, slot):
        """Runs one slot's command on the state machine, once however often it was chosen."""
        self.executed.append(slot)
        value = self.slots[slot]["value"]
        if value.client is None:
            return
        if value.number > self.sessions.get(value.client, (0, None))[0]:
            self.ran.append(f"{value.client}/{value.number}")
            key, is_write, written = str(value.command).partition("=")
            if is_write:
                self.store[key] = written
            self.sessions[value.client] = value.number, self.store.get(key)
        if self.role == "leader":
            self.send(value.client, ClientReply(value.number, True, self.sessions[value.client][1]))


def cluster(nodes=5, *, server=Server, clients=1, latency=LATENCY, disk=DISK, **options):
    """A Multi-Paxos cluster on a local network.

    Args:
        nodes, clients: how many of each; at least one node.
        server: the class to run, Server or a variant of it.
        latency, disk: ms one way and ms per durable write: a number or a pair (lowest, highest).
        options: attributes of the server class, such as election_timeout=(150, 300).
    """
    given = {"latency": latency, "disk": disk, "clients": clients, **options}
    usual = {"latency": LATENCY, "disk": DISK, "clients": 1}
    changed = [f", {k}={v!r}" for k, v in given.items() if k not in usual or v != usual[k]]
    variant = f", server={server.__name__}" if server is not Server else ""
    return System(server, nodes, clients=clients, network=Network(latency=latency), disk=disk, options=options,
                  always=ALWAYS, eventually=EVENTUALLY, name="multi-paxos",
                  imports="from dslab.protocols import multi_paxos",
                  code=f"multi_paxos.cluster({nodes}{variant}{''.join(changed)})")
