"""Chord with decisions from outside: where a lookup goes next, and how a ring mends; and the runs that judge them."""

from __future__ import annotations

from dslab.sim import title, violation
from dslab.sim.case import Case

from . import chord
from .chord_properties import hops_halve, lookups_find_the_owner
from .identifiers import between as between
from .identifiers import owned
from .identifiers import way as way
from .raft_cases import _at

POSITIONS = {                    # by the number of servers: where n1, n2, ... stand
    3: (10, 30, 55),
    4: (5, 20, 33, 50),
    5: (4, 17, 28, 40, 57),
    6: (3, 14, 22, 37, 45, 60),
    8: (6, 11, 19, 27, 36, 44, 52, 61),
    10: (1, 8, 14, 21, 32, 38, 42, 48, 51, 56),      # as in figures 3 and 4 of the paper of 2001
    16: (2, 5, 9, 12, 17, 20, 26, 29, 33, 38, 41, 45, 49, 54, 58, 63),
}
ABSENT = {4: ("n3",), 5: ("n4",), 6: ("n1", "n6"), 8: ("n2", "n3", "n4")}     # who is to be taken in
BITS = 6                         # a circle of 64 identifiers, so that one can count


# ---- routing


def routed(nodes, **options):
    """A finished ring of POSITIONS without repairs, lookups as in the paper; options as for chord.cluster."""
    system = _placed(nodes, **options)
    return system.replace(code=f"chord_steps.routed({nodes}{_printed(options)})")


def routing(answer, nodes, **options):
    """A finished ring of POSITIONS whose servers ask a function where a lookup goes next.

    Args:
        answer: called as answer(server, key); returns the name of the last server before the key among those in
            server.fingers and server.successors, or server.id if there is none.
        nodes: one of POSITIONS.
        options: as for chord.cluster.
    """

    class Asker(chord.Server):
        """A server whose lookups are sent on from outside."""

        shows = (*chord.Server.shows, "named")
        private = ("named",)

        def reset(self):
            super().reset()
            self.named = {}                              # "key" -> whom the function named for it

        def find_closer(self, key, avoid):
            if not owned(key, self.position_of(self.predecessor), self.position, self.bits):
                self.closest_preceding_node(key, avoid)  # also where the successor owns the key, and nobody is closer
            return super().find_closer(key, avoid)

        def closest_preceding_node(self, key, avoid=()):
            before = [self.fingers[:], self.successors[:]]
            known = dict.fromkeys([self.id, *(name for _, name in self.fingers if name), *self.successors])
            chosen = answer(self, key)
            if [self.fingers, self.successors] != before:
                raise TypeError(f"{answer.__name__}(server, {key}) changed the server's tables; it must only read them")
            if not isinstance(chosen, str) or chosen not in known:
                raise TypeError(f"{answer.__name__}(server, {key}) returned {chosen!r}; it must return the name of a "
                                f"server: one of {', '.join(known)}")
            self.named[str(key)] = chosen
            return super().closest_preceding_node(key, avoid) if chosen in avoid else chosen

    system = _placed(nodes, server=Asker, **options)
    system.always = (*system.always, closest_named)
    return system.replace(code=f"chord_steps.routing({answer.__name__}, {nodes}{_printed(options)})")


@title("The closest one is named")
def closest_named(world):
    """Of all that a server knows, itself included, it names the last one before the key."""
    if world.changed is None or hasattr(world.changed, "named"):
        return None                                      # first the lookup goes on: a long way tells more
    for server in (one for one in world.servers if hasattr(one, "named")):
        known = [server.id, *(name for _, name in server.fingers if name), *server.successors]
        for key, chosen in server.named.items():
            last = min(known, key=lambda name: way(world.nodes[name].position, int(key) - 1, server.bits))
            if chosen != last:
                here, there = (world.nodes[name].position for name in (chosen, last))
                return violation(f"{server.id}, at {server.position}, is asked for {key} and names {chosen}, at "
                                 f"{here}, but it knows {last}, at {there}", nodes=[server.id, chosen, last],
                                 expected=last, found=chosen)
    return None


def _placed(nodes, **options):
    given = {"positions": POSITIONS[nodes], "bits": BITS, "period": None, "list_length": 2, **options}
    system = chord.cluster(nodes, **given)
    system.always = (lookups_find_the_owner, hops_halve)
    system.imports = "from dslab.protocols import chord_steps"
    return system


def _printed(options):
    return "".join(f", {name}={value!r}" for name, value in options.items())


def _lookups(*keys_and_servers):
    return [_at(60 + 400 * i, "request", command=f"#{key}", to=to) for i, (key, to) in enumerate(keys_and_servers)]


FAR = Case(
    "far",
    "a client asks n2, which stands at 8, who owns 54, almost all the way round.",
    _lookups((54, "n2")),
    until=700,
    nodes=10,
    question="Which of the fingers of n2 stand before 54, and which of them is the last?",
)

OVER_ZERO = Case(
    "over-zero",
    "lookups start shortly before the end of the circle and look for keys shortly after its beginning.",
    _lookups((7, "n9"), (2, "n10"), (12, "n8")),
    until=1_700,
    nodes=10,
    catalogue="S13",
    question="The server stands at 51 and the key at 7. Which identifiers lie between them?",
)

ON_A_SERVER = Case(
    "on-a-server",
    "the keys are the identifiers of servers.",
    _lookups((48, "n2"), (14, "n5"), (1, "n4")),
    until=1_700,
    nodes=10,
    catalogue="S13",
    question="A server stands exactly at the key. Does it come before the key?",
)

NEXT_DOOR = Case(
    "next-door",
    "the keys lie between the asked server's neighbours.",
    _lookups((20, "n1"), (36, "n3"), (4, "n5")),
    until=1_700,
    nodes=6,
    question="Between which two servers does the key lie, and which of them ends the lookup?",
)

BETWEEN_FINGERS = Case(
    "between-fingers",
    "the last server before the key is in the asked server's successor list, and no finger names it.",
    _lookups((15, "n2"), (40, "n10")),
    until=1_300,
    nodes=16,
    question="Which servers does the asked one know that are not among its fingers?",
)

ROUTING = (FAR, OVER_ZERO, ON_A_SERVER, NEXT_DOOR, BETWEEN_FINGERS)
OTHER_RINGS = (
    FAR._replace(name="sixteen", nodes=16, until=2_200,
                 schedule=_lookups((62, "n1"), (0, "n3"), (31, "n15"), (16, "n9"))),
    OVER_ZERO._replace(name="eight", nodes=8, until=2_200,
                       schedule=_lookups((3, "n5"), (11, "n8"), (58, "n2"), (35, "n6"))),
)


# ---- stabilization


class Skeleton(chord.Server):
    """A server that joins, looks up and asks, but draws no conclusions: `reconcile` and `notify` are missing."""

    shows = (*chord.Server.shows, "informed", "answerer")

    def reset(self):
        super().reset()
        self.informed = 0                                # how many messages told it who stands near it
        self.answerer = None                             # who sent the last of them

    def on_predecessor_is(self, sender, m):
        self.informed += 1
        self.answerer = sender
        super().on_predecessor_is(sender, m)

    def consider(self, name):
        if name == self.id:
            raise TypeError(f"{self.id} is told to ask itself: ask only a server that stands between this one and its "
                            f"successor, see precedes_successor")
        super().consider(name)

    def reconcile(self, successor, predecessor, others):
        """Missing: what the answer of a successor means for this server's own list."""

    def notify(self, name):
        """Missing: whether this server believes who calls itself its predecessor."""


class Stabilized(Skeleton):
    """As in chord_ring.py."""

    reconcile, notify = chord.Server.reconcile, chord.Server.notify


@title("Predecessors come nearer")
def predecessors_come_nearer(world):
    """A server gives a predecessor that runs up only for one that stands nearer before it."""
    server = world.changed
    if server is None or not hasattr(server, "predecessor"):
        return None
    before, now = world.memory.get((server.id, "predecessor")), server.predecessor
    world.memory[server.id, "predecessor"] = now
    if before in (None, now, server.id) or now not in world.nodes or world.nodes[before].status != "up":
        return None
    far, near = (way(world.nodes[name].position, server.position, server.bits) for name in (before, now))
    if near < far:
        return None
    return violation(f"{server.id} gives up its predecessor {before}, {far} before it, for {now}, {near} before it",
                     nodes=[server.id, before, now], expected=before, found=now)


@title("A nearer successor has answered")
def successors_have_answered(world):
    """A server makes a nearer one its successor only when that one has answered: it may be dead."""
    server = world.changed
    if server is None or not hasattr(server, "answerer"):
        return None
    before, now = world.memory.get((server.id, "successor")), next(iter(server.successors), None)
    world.memory[server.id, "successor"] = now
    if None in (before, now) or before not in world.nodes or now not in world.nodes or now == server.answerer:
        return None
    was, is_now = (way(server.position, world.nodes[name].position, server.bits) for name in (before, now))
    if was <= is_now:
        return None
    return violation(f"{server.id} makes {now} its successor because {server.answerer} named it, and nobody knows "
                     f"whether {now} lives", nodes=[server.id, now], expected=f"{before} until {now} answers",
                     found=now)


def stabilizing(answer, nodes, **options):
    """A ring of POSITIONS whose servers mend it with a class from outside.

    Args:
        answer: a class derived from Skeleton, with `reconcile` and `notify`.
        nodes: one of POSITIONS; ABSENT tells who is not there at first.
        options: as for chord.cluster.
    """
    given = {"positions": POSITIONS[nodes], "bits": BITS, "list_length": 3, "absent": ABSENT.get(nodes, ()), **options}
    system = chord.cluster(nodes, server=answer, **given)
    system.imports = "from dslab.protocols import chord_steps"
    system.always = (*system.always, predecessors_come_nearer, successors_have_answered)
    return system.replace(code=f"chord_steps.stabilizing({answer.__name__}, {nodes}{_printed(options)})")


def stabilized(nodes, **options):
    """The same with the rules of chord_ring.py."""
    system = stabilizing(Stabilized, nodes, **options)
    return system.replace(code=f"chord_steps.stabilized({nodes}{_printed(options)})")


JOINS = Case(
    "joins",
    "n3 joins a ring of three; then a write, and a read from each server.",
    [_at(300, "join", node="n3", to="n1"), _at(3_000, "request", command="x=1", to="n4"),
     *[_at(3_500 + 400 * i, "request", command="x", to=f"n{i}") for i in (1, 2, 3, 4)]],
    until=8_000,
    nodes=4,
    question="n3 knows its successor. Who tells the server before n3 that there is somebody between?",
)

THREE_AT_ONCE = Case(
    "three-at-once",
    "n2, n3 and n4 join between the same two servers at the same moment.",
    [_at(300, "join", node=f"n{i}", to="n6") for i in (2, 3, 4)]
    + [_at(6_000, "request", command="#13", to="n7"), _at(6_500, "request", command="#20", to="n7")],
    until=12_000,
    nodes=8,
    catalogue="S14",
    question="All three have the same successor at first. Which of them may it believe, and what do the others learn?",
)

ONE_FAILS = Case(
    "one-fails",
    "x is written, n4 joins, and n5 fails.",
    [_at(200, "request", command="x=1", to="n2"), _at(400, "join", node="n4", to="n1"), _at(4_000, "crash", node="n5"),
     *[_at(8_000 + 400 * i, "request", command="x", to=f"n{i}") for i in (1, 2, 3)]],
    until=14_000,
    nodes=5,
    question="n4 drops n5 from its list. Where did the other names of its list come from, and when?",
)

OVER_THE_END = Case(
    "over-the-end",
    "n6 and n1 join between n5 and n2, on both sides of zero.",
    [_at(300, "join", node="n6", to="n3"), _at(900, "join", node="n1", to="n4"),
     _at(5_000, "request", command="#50", to="n3"), _at(5_400, "request", command="#62", to="n4")],
    until=8_000,
    nodes=6,
    catalogue="S13",
    question="n1 stands at 3 and its predecessor at 45. Does 60 lie between them?",
)

STABILIZING = (JOINS, THREE_AT_ONCE, ONE_FAILS, OVER_THE_END)
