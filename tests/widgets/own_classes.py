"""Classes such as a student would write: the widget does not know them, but they show the fields that insets read."""

from __future__ import annotations

from typing import Any

from dslab import Node, System, message


@message
class Prepare:
    ballot: list[Any]


@message
class Promise:
    ballot: list[Any]
    accepted_ballot: list[Any] | None
    accepted_value: Any


@message
class Accept:
    ballot: list[Any]
    value: Any


@message
class Accepted:
    ballot: list[Any]


class Synod(Node):
    """Single-decree Paxos; the first and the last server propose their own names until something is chosen."""

    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    shows = (*durable, "ballot", "phase", "value", "promises", "accepts", "chosen")

    def on_start(self) -> None:
        self.ballot, self.phase, self.value, self.chosen = None, "idle", None, None
        self.promises: dict[str, Any] = {}
        self.accepts: list[str] = []
        names = [self.id, *self.peers]
        if self.id in (min(names), max(names)):
            self.set_timer("propose", after=10 if self.id == min(names) else 22)

    def on_propose_timeout(self) -> None:
        if self.chosen is not None:
            return
        highest = max(self.ballot[0] if self.ballot else 0, self.promised[0] if self.promised else 0)
        self.ballot, self.phase, self.value = [highest + 1, self.id], "prepare", f"from-{self.id}"
        self.promises, self.accepts = {}, []
        for node in [self.id, *self.peers]:
            self.send(node, Prepare(self.ballot))
        self.set_timer("propose", after=60)

    def on_prepare(self, sender: str, m: Prepare) -> None:
        if self.promised is None or list(m.ballot) > list(self.promised):
            self.promised = list(m.ballot)
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))

    def on_promise(self, sender: str, m: Promise) -> None:
        if list(m.ballot) != self.ballot or self.phase != "prepare":
            return
        self.promises[sender] = [m.accepted_ballot, m.accepted_value]
        if 2 * len(self.promises) > len(self.peers) + 1:
            told = [(list(ballot), value) for ballot, value in self.promises.values() if ballot]
            self.value = max(told)[1] if told else self.value
            self.phase = "accept"
            for node in [self.id, *self.peers]:
                self.send(node, Accept(self.ballot, self.value))

    def on_accept(self, sender: str, m: Accept) -> None:
        if self.promised is None or list(m.ballot) >= list(self.promised):
            self.promised = self.accepted_ballot = list(m.ballot)
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

    def on_accepted(self, sender: str, m: Accepted) -> None:
        if list(m.ballot) == self.ballot and sender not in self.accepts:
            self.accepts.append(sender)
            if 2 * len(self.accepts) > len(self.peers) + 1 and self.chosen is None:
                self.phase, self.chosen = "chosen", self.value


@message
class PrePrepare:
    number: int
    digest: str


@message
class Vote:
    number: int
    digest: str
    kind: str


class Replica(Node):
    """The normal case of PBFT in view 0; a primary with `two_faced` tells the last replica another digest."""

    two_faced = False
    shows = ("view", "primary", "slots", "low_mark", "high_mark")

    def on_start(self) -> None:
        self.view, self.primary = 0, min(self.id, *self.peers)
        self.slots: dict[int, Any] = {}
        self.low_mark, self.high_mark = 0, 20
        if self.id == self.primary:
            self.set_timer("order", after=5)

    def on_order_timeout(self) -> None:
        number = len(self.slots) + 1
        for peer in self.peers:
            lie = self.two_faced and peer == max(self.peers)
            self.send(peer, PrePrepare(number, f"{'b' if lie else 'a'}{number}f3c"))
        self.slots[number] = {"digest": f"a{number}f3c", "prepares": {}, "commits": {}, "state": "pre-prepared"}
        if number < 4:
            self.set_timer("order", after=25)

    def on_pre_prepare(self, sender: str, m: PrePrepare) -> None:
        slot = self._slot(m.number)
        slot["digest"], slot["state"] = m.digest, "pre-prepared"
        slot["prepares"][self.id] = m.digest
        self.broadcast(Vote(m.number, m.digest, "prepares"))
        self._advance(m.number)

    def on_vote(self, sender: str, m: Vote) -> None:
        self._slot(m.number)[m.kind][sender] = m.digest
        self._advance(m.number)

    def _slot(self, number: int) -> dict[str, Any]:
        return self.slots.setdefault(number, {"digest": None, "prepares": {}, "commits": {}, "state": ""})

    def _advance(self, number: int) -> None:
        slot, faulty = self.slots[number], len(self.peers) // 3
        same = [list(slot[kind].values()).count(slot["digest"]) for kind in ("prepares", "commits")]
        if slot["state"] == "pre-prepared" and same[0] >= 2 * faulty:
            slot["state"] = "prepared"
            slot["commits"][self.id] = slot["digest"]
            self.broadcast(Vote(number, slot["digest"], "commits"))
            same[1] += 1
        if slot["state"] == "prepared" and same[1] >= 2 * faulty + 1:
            slot["state"] = "executed"


def synod(nodes: int = 3) -> System:
    return System(Synod, nodes=nodes, name="synod")


def replicas(nodes: int = 4, *, two_faced: bool = False) -> System:
    return System(Replica, nodes=nodes, name="replicas", options={"two_faced": two_faced})
