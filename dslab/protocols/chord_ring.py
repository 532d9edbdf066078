"""How a Chord ring keeps together: join, stabilize, notify, check_predecessor, and lists of successors.

Source: section IV-E of the paper that chord.py names, and the three rules of Zave that it tells. Lookups are in
chord_lookup.py, keys in chord.py.
"""

from __future__ import annotations

from bisect import bisect_left

from dslab.sim import FrozenList, Node, NodeError, message

from .identifiers import between, identifier, way

PERIOD = 500            # ms between two rounds of each kind of repair; a server waits half to one and a half of it


@message
class GetPredecessor:
    """{source} asks its successor {target} who stands before it."""


@message
class PredecessorIs:
    """{source} says that {predecessor} stands before it and {successors} after it."""

    predecessor: object
    successors: list


@message
class Notify:
    """{source} thinks that it might be the predecessor of {target}, and lacks its keys if {fresh}."""

    fresh: bool


@message
class Ping:
    """{source} asks whether {target} lives."""


@message
class Pong:
    """{source} lives."""


class Ring(Node):
    """The part of a server that keeps the ring together (section IV-E of the paper)."""

    durable = {"was_member": False}       # a server that restarts joins again and makes no second ring
    bits = 16
    positions = None                      # {name: identifier}; None for the hash of the name
    members = ()                          # who is there at first, in the order of the ring
    places = ()                           # where they stand
    founder = None                        # who makes the ring
    joined = False                        # whether those who are there at first begin with the right tables
    list_length = 4
    period = PERIOD

    def on_start(self):
        self.reset()
        if self.was_member:
            self.join(self.next_contact())
        elif self.joined:
            self.take_place()
        elif self.id == self.founder:
            self.create()
        else:
            self.join(self.founder)
        self.start_repairs()

    def on_join(self, contact):
        self.reset()
        if contact is None:
            self.create()
        else:
            self.join(contact)
        self.start_repairs()

    def reset(self):
        self.position, self.metric = self.position_of(self.id), "clockwise"
        self.member = False                              # whether it is in the ring
        self.contact, self.entrance = None, None         # whom it asked to let it in; the successor that it found
        self.predecessor, self.successors = None, []
        self.fingers = [FrozenList([self.position + (1 << i) & (1 << self.bits) - 1, None]) for i in range(self.bits)]
        self.next_finger = 0
        self.fresh = True                                # whether it has yet to get the keys that it owns
        self.awaited = self.doubted = None               # whose answer stabilize and check_predecessor wait for

    def position_of(self, name):
        """The identifier of a server."""
        if self.positions and name not in self.positions:
            raise NodeError(f"{name!r} is not the name of a server, such as {self.id!r}")
        return self.positions[name] if self.positions else identifier(name, self.bits)

    @property
    def successor(self):
        """The first of the successor list; the server itself while it is alone."""
        return self.successors[0] if self.successors else self.id

    def start_repairs(self):
        if self.period is not None:
            usual = self.period / 2, 3 * self.period / 2       # section VI-D: servers do not march in step
            for name in ("stabilize", "fix_fingers", "check_predecessor"):
                self.set_timer(name, between=usual)

    def again(self, name):
        self.set_timer(name, between=(self.period / 2, 3 * self.period / 2))

    # ---- joining

    def create(self):
        """A new ring of one server."""
        self.enter()
        self.fresh = False

    def enter(self):
        self.member = self.was_member = True

    def take_place(self):
        """The tables that a ring of all members has in the end."""
        names, places = self.members, self.places
        place = bisect_left(places, self.position)
        self.create()
        self.fresh = False
        self.adopt_list([names[(place + i) % len(names)] for i in range(1, min(self.list_length + 1, len(names)))])
        self.predecessor = names[place - 1] if len(names) > 1 else None
        for number, (start, _) in enumerate(self.fingers):
            self.set_finger(number, names[bisect_left(places, start) % len(names)])

    def set_finger(self, number, name):
        start, before = self.fingers[number]
        if name != before:
            self.fingers[number] = FrozenList([start, name])

    def next_contact(self):
        """Whom to ask to be let in: one server after the other."""
        at = self.peers.index(self.contact) + 1 if self.contact in self.peers else 0
        return self.peers[at % len(self.peers)] if self.peers else None

    def join(self, contact):
        """Looks for its successor through a server of the ring; it is a member once that has answered."""
        self.contact, self.entrance = contact, None
        if contact is not None:
            self.find_successor(self.position, ["join"], [self.id])

    def found_entrance(self, owner):
        self.entrance = owner
        self.send(owner, GetPredecessor())

    # ---- stabilization

    def on_stabilize_timeout(self):
        self.again("stabilize")
        if not self.member:
            if not self.is_joining():
                self.join(self.next_contact())
            return
        if self.awaited is not None and self.awaited == self.successor:
            self.gone(self.awaited)                      # silent for a whole round
        self.stabilize()

    def stabilize(self):
        """Asks the successor who stands before it. A server that is alone asks who has notified it."""
        self.awaited = None
        if self.successors:
            self.awaited = self.successor
            self.send(self.successor, GetPredecessor())
        elif self.predecessor is not None:
            self.send(self.predecessor, GetPredecessor())

    def on_get_predecessor(self, sender, m):
        if self.member:
            self.send(sender, PredecessorIs(self.predecessor, self.successors))

    def on_predecessor_is(self, sender, m):
        if not self.member:
            if sender != self.entrance:
                return
            self.enter()
        elif sender != self.successor and not self.precedes_successor(sender):
            return                                       # an old answer
        if sender == self.awaited:
            self.awaited = None
        self.reconcile(sender, m.predecessor, m.successors)

    def reconcile(self, successor, predecessor, others):
        """What the answer of a successor means for this server's own list.

        Args:
            successor: the name of a server that lives and is, or shall be, the successor.
            predecessor: who stands before that one, as far as it knows; or None.
            others: who stands after it: its own successor list.
        """
        self.adopt_list([successor, *others])
        if predecessor is not None and self.precedes_successor(predecessor):
            self.consider(predecessor)
        self.notify_successor()

    def notify_successor(self):
        self.send(self.successor, Notify(self.fresh))

    def precedes_successor(self, name):
        return between(self.position_of(name), self.position, self.position_of(self.successor), self.bits)

    def consider(self, name):
        """There is somebody between this server and its successor: it is adopted when it answers, because it lives."""
        self.send(name, GetPredecessor())

    def adopt_list(self, names):
        """The successor list: clockwise, nobody twice, the server itself not at all."""
        kept, far = [], 0
        for name in names:
            distance = way(self.position, self.position_of(name), self.bits)
            if distance <= far:
                break
            kept.append(name)
            far = distance
        self.successors = kept[:self.list_length]

    def on_notify(self, sender, m):
        self.notify(sender)

    def notify(self, name):
        """Somebody thinks that it might be the predecessor."""
        if self.predecessor is None or between(self.position_of(name), self.position_of(self.predecessor),
                                               self.position, self.bits):
            self.predecessor = name

    def new_predecessor(self, name):
        self.predecessor = name

    def gone(self, name):
        """Takes a server that does not answer out of all tables."""
        self.successors = [other for other in self.successors if other != name]
        self.drop_finger(name)

    def drop_finger(self, name):
        for number, (_, finger) in enumerate(self.fingers):
            if finger == name:
                self.set_finger(number, None)

    def on_check_predecessor_timeout(self):
        self.again("check_predecessor")
        if self.doubted is not None and self.doubted == self.predecessor:
            self.new_predecessor(None)
        self.doubted = self.predecessor
        if self.predecessor is not None:
            self.send(self.predecessor, Ping())

    def on_ping(self, sender, m):
        if self.member:
            self.send(sender, Pong())

    def on_pong(self, sender, m):
        if sender == self.doubted:
            self.doubted = None
