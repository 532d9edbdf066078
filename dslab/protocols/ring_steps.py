"""Ring election with one decision from outside: what a server passes on; and the runs that judge it."""

from __future__ import annotations

from dslab.sim import title, violation
from dslab.sim.case import Case

from . import ring
from .raft_cases import _at

RINGS = {                        # by the number of servers: their numbers, in ring order, and who starts
    3: {"numbers": (2, 3, 1), "starters": None},
    4: {"numbers": (1, 4, 2, 3), "starters": ("n3",)},
    5: {"numbers": (3, 5, 1, 4, 2), "starters": None},
    6: {"numbers": (4, 2, 5, 6, 1, 3), "starters": ("n2",)},
    7: {"numbers": (6, 4, 7, 1, 3, 5, 2), "starters": ("n1", "n6")},
}


def right(nodes, **options):
    """One of RINGS, with the decision as in the paper; options as for ring.cluster."""
    return ring.cluster(nodes, **RINGS[nodes], **options)


def passing(answer, nodes, **options):
    """One of RINGS, whose servers ask a function what to pass on.

    Args:
        answer: called as answer(own, received, marked) when another server's number arrives; returns the number that
            goes on to the successor, or None for nothing.
        nodes: 3 to 7.
        options: as for ring.cluster.
    """

    class Passer(ring.Server):
        """A server of the ring whose messages are decided outside."""

        shows = (*ring.Server.shows, "sent_again")

        def on_start(self):
            self.sent_again = None                       # its number, once it was passed on although marked
            super().on_start()

        def pass_on(self, received):
            passed = answer(self.number, received, self.marked)
            if passed not in (None, received, self.number) or isinstance(passed, bool):
                raise TypeError(f"{answer.__name__}({self.number}, {received}, {self.marked}) returned {passed!r}; it "
                                f"must return {self.number}, {received} or None")
            if passed == self.number and self.marked:
                self.sent_again = passed
            return passed

    given = "".join(f", {name}={value!r}" for name, value in options.items())
    system = ring.cluster(nodes, server=Passer, **RINGS[nodes], **options)
    system.imports = "from dslab.protocols import ring_steps"
    system.always = (*system.always, nothing_twice)
    return system.replace(code=f"ring_steps.passing({answer.__name__}, {nodes}{given})")


@title("Nothing twice")
def nothing_twice(world):
    """A server whose number, or a higher one, is on its way does not send its number on again."""
    server = world.changed
    if server is None or getattr(server, "sent_again", None) is None:
        return None
    return violation(f"{server.id} sends its number {server.sent_again} again, though it or a higher one is on its way",
                     nodes=[server.id], expected="nothing", found=f"{server.sent_again}")


ALL_START = Case(
    "all-start",
    "all servers start at once, and a client asks who leads.",
    [_at(200, "request", command="?", to="n2")],
    until=2_000,
    nodes=5,
    catalogue="C2",
    question="A number comes back to its owner. What has it passed on its way, and what does that prove?",
)

ASKED_LATER = Case(
    "asked-later",
    "three servers, all of which start; a client asks the first.",
    [_at(5, "request", command="?", to="n1")],
    until=2_000,
    question="Which number should come all the way round, and which should not?",
)

ONE_STARTS = Case(
    "one-starts",
    "n2, whose number is not the highest, is the only one that starts; then a client asks it who leads.",
    [_at(20, "request", command="?", to="n2")],
    until=310,
    nodes=6,
    question="n4 has the highest number and has not started. How does the ring get to know of it?",
)

RING = (ALL_START, ASKED_LATER, ONE_STARTS)
OTHER_RINGS = (ONE_STARTS._replace(nodes=4, name="four", schedule=[_at(20, "request", command="?", to="n3")]),
               ALL_START._replace(nodes=7, seed=21, name="seven"))
