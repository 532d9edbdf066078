"""The state of a run after each event, as plain data that views draw and describe.

Views know no protocol. They look for fields that many protocols share (role, term, votes, voted_for, log,
commit_index, last_applied, leader) and do without those that are missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dslab.sim import Event, MessageRecord, Trace

LEADING = ("leader", "primary", "coordinator")
STANDING = ("candidate", "proposer")
ASKING = ("pre-candidate",)


class Reading(NamedTuple):
    """A trace read once into lists, for functions that look at every event."""

    trace: Trace
    events: list[Event]
    messages: list[MessageRecord]


def read(trace: Trace) -> Reading:
    """Reads a trace."""
    return Reading(trace, list(trace.events), list(trace.messages))


class NodeScene:
    """One node.

    Attributes:
        status: "up", "crashed", "paused" or "absent".
        traitor: whether it lies now.
        fields: what it shows. timers: {name: [set, due, lowest, highest]}, microseconds.
    """

    __slots__ = ("fields", "id", "status", "timers", "traitor")

    def __init__(self, node: str) -> None:
        self.id, self.status, self.traitor = node, "up", False
        self.fields: dict[str, Any] = {}
        self.timers: dict[str, list[int]] = {}

    @property
    def role(self) -> Any:
        return self.fields.get("role")

    @property
    def term(self) -> int:
        return term_of(self.fields)

    @property
    def era(self) -> int:
        """The term, or where ballots take its place the number of the highest one that the node knows."""
        return self.term or max(map(counter_of, (self.fields.get("ballot"), self.fields.get("promised"))))

    @property
    def log(self) -> list[Any]:
        log = self.fields.get("log")
        return log if isinstance(log, list) else []

    @property
    def base(self) -> int:
        """The index behind which the log begins: 0 unless a snapshot stands for what was before."""
        base = self.fields.get("snapshot_index")
        return base if isinstance(base, int) else 0

    @property
    def last_index(self) -> int:
        return self.base + len(self.log)

    def entry_at(self, index: int) -> Any:
        """The entry at an index (from 1), or None; what is in a snapshot is no entry any more."""
        return self.log[index - self.base - 1] if self.base < index <= self.last_index else None

    @property
    def leads(self) -> bool:
        return self.status != "crashed" and self.role in LEADING


class Scene:
    """All nodes and links after an event.

    Args:
        servers, clients: node ids in order.
    """

    def __init__(self, servers: list[str], clients: list[str]) -> None:
        self.servers, self.clients = servers, clients
        self.nodes = {node: NodeScene(node) for node in [*servers, *clients]}
        self.groups: list[list[str]] = []
        self.cuts: dict[tuple[str, str], bool] = {}

    @property
    def configuration(self) -> dict[str, Any] | None:
        """The newest configuration that a server shows: its `voters` and, while a change is under way, `outgoing`."""
        known = [node for node in self.nodes.values() if isinstance(node.fields.get("configuration"), dict)]
        newest = max(known, key=lambda node: (node.leads, node.term, node.last_index), default=None)
        return newest.fields["configuration"] if newest is not None else None

    @property
    def voters(self) -> list[str]:
        """The servers whose majority counts: all of them where nothing else is shown."""
        now = self.configuration
        if now is None:
            return self.servers
        return [server for server in self.servers if server in now["voters"] or server in now["outgoing"]]

    @property
    def majority(self) -> int:
        return len(self.voters) // 2 + 1

    def apply(self, event: Event) -> list[str]:
        """Brings the scene up to date and returns the names of the fields that changed (timers excluded)."""
        kind, detail = event.kind, event.detail
        if kind in WORLD and not ignored(event):
            WORLD[kind](self, detail)
        if event.node is None:
            return []
        node = self.nodes[event.node]
        if kind in STATUS and not ignored(event):
            node.status = STATUS[kind]
            if kind == "crash":
                node.timers = {}
        if kind in ("turn_traitor", "turn_loyal"):
            node.traitor = kind == "turn_traitor"
        changed = []
        for change in event.patch:
            field = change[0]
            if field[0] == "@":
                if change[1] is None:
                    node.timers.pop(field[1:], None)
                else:
                    node.timers[field[1:]] = change[1]
                continue
            if len(change) == 2:
                node.fields[field] = change[1]
            else:
                _, start, removed, items = change
                old = node.fields[field]
                node.fields[field] = old[:start] + items + old[start + removed :]
            changed.append(field)
        return changed

    def is_cut(self, source: str, target: str) -> bool:
        """Whether messages from one node to another are stopped; clients in no group reach everybody."""
        if (source, target) in self.cuts:
            return True
        if not self.groups or source == target:
            return False
        here, there = self._side(source), self._side(target)
        return here is not None and there is not None and here != there

    def _side(self, node: str) -> int | None:
        for number, group in enumerate(self.groups):
            if node in group:
                return number
        return None if node in self.clients else -1

    def reach(self, node: str) -> list[str]:
        """The servers with which a server can talk both ways, itself included; crashed ones do not count."""
        return [
            other
            for other in self.servers
            if self.nodes[other].status == "up" or other == node
            if other == node or not (self.is_cut(node, other) or self.is_cut(other, node))
        ]

    def sides(self) -> list[list[str]]:
        """The groups of servers that a partition makes, the unnamed ones as one more."""
        named = [[n for n in group if n in self.servers] for group in self.groups]
        rest = [n for n in self.servers if self._side(n) == -1]
        return [side for side in [*named, rest] if side]

    def leaders(self) -> list[NodeScene]:
        """The servers that lead, or believe to lead, newest term or ballot first."""
        found = [self.nodes[n] for n in self.servers if self.nodes[n].leads]
        return sorted(found, key=lambda node: -node.era)

    def running(self) -> list[str]:
        """The voters that run."""
        return [n for n in self.voters if self.nodes[n].status == "up"]

    def holders(self, index: int, entry: Any) -> list[str]:
        """The voters that have this very entry at an index (from 1), in log or snapshot, running or not."""
        nodes = (self.nodes[n] for n in self.voters)
        return [node.id for node in nodes if index <= node.base or node.entry_at(index) == entry]


def scenes(reading: Reading) -> Iterator[tuple[Event, Scene, list[str]]]:
    """Each event with the scene after it (one object, brought up to date) and the fields it changed."""
    scene = Scene(reading.trace.servers, reading.trace.clients)
    for event in reading.events:
        yield event, scene, scene.apply(event)


def scene_at(reading: Reading, event: int) -> Scene:
    """The scene after an event; -1 for before the first."""
    scene = Scene(reading.trace.servers, reading.trace.clients)
    for item in reading.events[: event + 1]:
        scene.apply(item)
    return scene


def ignored(event: Event) -> str | None:
    """Why an action had no effect, or None."""
    return event.detail.get("ignored") if isinstance(event.detail, dict) else None


def _partition(scene: Scene, detail: dict[str, Any]) -> None:
    scene.groups = detail["groups"]


def _heal(scene: Scene, detail: Any) -> None:
    scene.groups, scene.cuts = [], {}


def _cut(scene: Scene, detail: dict[str, Any]) -> None:
    scene.cuts[detail["source"], detail["target"]] = True


def _mend(scene: Scene, detail: dict[str, Any]) -> None:
    scene.cuts.pop((detail["source"], detail["target"]), None)


WORLD = {"partition": _partition, "heal": _heal, "cut": _cut, "mend": _mend}
STATUS = {"start": "up", "restart": "up", "crash": "crashed", "pause": "paused", "resume": "up",
          "absent": "absent", "join": "up", "leave": "absent"}


def term_of(fields: Any) -> int:
    """The term (view, epoch) among a node's or message's fields, 0 if there is none."""
    for name in ("term", "view", "epoch"):
        value = fields.get(name) if isinstance(fields, dict) else None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return 0


def counter_of(ballot: Any) -> int:
    """The number of a ballot, which is [number, proposer] or a number; 0 if there is none."""
    number = ballot[0] if isinstance(ballot, (list, tuple)) and ballot else ballot
    return number if isinstance(number, int) and not isinstance(number, bool) else 0


def granted(votes: Any) -> int:
    """How many granted a vote; votes may be {voter: True or False}, a list of those who did, or a number."""
    if isinstance(votes, dict):
        return sum(1 for vote in votes.values() if vote is True)
    if isinstance(votes, list):
        return len(votes)
    return votes if isinstance(votes, int) else 0
