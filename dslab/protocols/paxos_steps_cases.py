"""Runs for the parts of Paxos that students write: each shows what becomes of an acceptor or a proposer without a rule.

Links have fixed latencies where the order of two messages matters.
"""

from __future__ import annotations

from dslab.sim.case import Case

from .raft_cases import _at


def _fast(proposer, acceptors=3):
    """The links between a proposer, the acceptors and its client take 5 ms."""
    client = "c" + proposer[1:]
    pairs = [(client, proposer), *[(proposer, f"a{i}") for i in range(1, acceptors + 1)]]
    return [_at(1, "link", source=a, target=b, latency=[5, 5]) for one in pairs for a, b in (one, one[::-1])]


def _cut(at, source, *targets):
    return [_at(at, "cut", source=source, target=target) for target in targets]


def _asks(at, proposer, command):
    return _at(at, "request", command=command, to=proposer, client="c" + proposer[1:])


ONE_ASKS = Case(
    "one-asks",
    "nothing fails; a client asks p1 for the value v.",
    [_asks(10, "p1", "v")],
    until=2_000,
    nodes=5,
    question="What does p1 wait for, and from whom?",
)

PROPOSER_DIES = Case(
    "proposer-dies",
    "p1 has its promises and dies; c2 asks p2 for the value w.",
    [*_fast("p1"), _asks(10, "p1", "v"), _at(24, "crash", node="p1"), _asks(60, "p2", "w")],
    until=4_000,
    nodes=5,
    clients=2,
    catalogue="C36",
    question="The acceptors have promised p1 something. What, and does that keep them from promising p2?",
)

SECOND_ASKS = Case(
    "second-asks",
    "a1 and a2 have accepted v under ballot 1.p1, so it is chosen; p2 hears from a2 and a3 and wants w.",
    [*_cut(1, "p1", "a3"), *_cut(1, "p2", "a1"), _asks(10, "p1", "v"), _asks(150, "p2", "w")],
    until=500,
    nodes=5,
    clients=2,
    progress=False,
    catalogue="C24",
    question="p2 hears from two acceptors. What has a2 to tell, and what must p2 ask for then?",
)

LATE_ACCEPT = Case(
    "late-accept",
    "p1's request to accept v is slow; meanwhile p2 gets w chosen; then the slow message reaches a2 and a3.",
    [
        *_fast("p1"),
        _asks(10, "p1", "v"),
        *_cut(25, "p1", "a1"),
        _at(25, "link", source="p1", target="a2", latency=[110, 110]),
        _at(25, "link", source="p1", target="a3", latency=[110, 110]),
        _asks(40, "p2", "w"),
    ],
    until=400,
    nodes=5,
    clients=2,
    progress=False,
    catalogue="C26",
    question="a2 has promised 1.p2 and gets an Accept under 1.p1. What did its promise say?",
)

RESTARTED_ACCEPTOR = Case(
    "restarted-acceptor",
    "v is chosen by a1 and a2; a2 restarts; then p2 hears from a2 and a3.",
    [
        *_cut(1, "p1", "a3"),
        *_cut(1, "p2", "a1"),
        _asks(10, "p1", "v"),
        _at(150, "crash", node="a2"),
        _at(155, "restart", node="a2"),
        _asks(170, "p2", "w"),
    ],
    until=500,
    nodes=5,
    clients=2,
    progress=False,
    catalogue="C28",
    question="What did a2 still know after its restart, and what had others built on it?",
)

FORGOTTEN_PROMISE = Case(
    "forgotten-promise",
    "p1 asks a1 and, late, a2 to accept v; meanwhile p2 gets w chosen by a2 and a3, and a2 restarts.",
    [
        *_fast("p1"),
        *_cut(1, "p2", "a1"),
        _asks(10, "p1", "v"),
        *_cut(25, "p1", "a3"),
        _at(25, "link", source="p1", target="a2", latency=[110, 110]),
        _asks(40, "p2", "w"),
        _at(110, "crash", node="a2"),
        _at(115, "restart", node="a2"),
    ],
    until=400,
    nodes=5,
    clients=2,
    progress=False,
    catalogue="C28",
    question="a2 has given its word to p2 and restarts. What keeps it from taking v now?",
)

BETWEEN = Case(
    "between",
    "a2 has promised 1.p2 and accepted nothing; p1's Accept under 1.p1 comes before p2's under 1.p2.",
    [
        *_fast("p1"),
        *_fast("p2"),
        *_cut(1, "p2", "a1"),
        _asks(10, "p1", "v"),
        *_cut(25, "p1", "a3"),
        _at(25, "link", source="p1", target="a2", latency=[60, 60]),
        _asks(40, "p2", "w"),
        *[_at(52, "link", source="p2", target=a, latency=[60, 60]) for a in ("a2", "a3")],
    ],
    until=300,
    nodes=5,
    clients=2,
    progress=False,
    catalogue="C26",
    question="a2 has accepted nothing yet. May it take v, and what did it tell p2?",
)

NEVER_ASKED = Case(
    "never-asked",
    "a3 accepts w under 1.p2 without having promised it; then comes a late Accept of v under 1.p1; p1 asks anew.",
    [
        *_fast("p1", 5),
        *_fast("p2", 5),
        *_cut(1, "p2", "a1", "a3"),
        _asks(10, "p1", "v"),
        *_cut(25, "p1", "a1", "a2", "a4", "a5"),
        _at(25, "link", source="p1", target="a3", latency=[150, 150]),
        _asks(40, "p2", "w"),
        _at(57, "mend", source="p2", target="a3"),
        *_cut(57, "p2", "a2"),
        _at(195, "link", source="p1", target="a3", latency=[5, 5]),
        *[_at(195, "mend", source="p1", target=a) for a in ("a1", "a2")],
        _at(200, "timeout", node="p1", timer="propose"),
    ],
    until=270,
    nodes=7,
    clients=2,
    progress=False,
    catalogue="C26",
    question="a3 has accepted w under 1.p2. What must it never do after that, though nobody asked it to promise?",
)

LOWER_BALLOT = Case(
    "lower-ballot",
    "a2 has promised 1.p2 when p1's Prepare under 1.p1 comes, late; p2's Accept is slow.",
    [
        *_fast("p1"),
        *_fast("p2"),
        *_cut(1, "p1", "a3"),
        *_cut(1, "p2", "a1"),
        _at(2, "link", source="p1", target="a2", latency=[60, 60]),
        _asks(10, "p1", "v"),
        _asks(20, "p2", "w"),
        *[_at(32, "link", source="p2", target=a, latency=[80, 80]) for a in ("a2", "a3")],
        _at(70, "link", source="p1", target="a2", latency=[5, 5]),
    ],
    until=200,
    nodes=5,
    clients=2,
    progress=False,
    catalogue="C26",
    question="a2 has given its word to p2 and is asked for another, under a lower ballot. What becomes of the first?",
)

ASKED_ANEW = Case(
    "asked-anew",
    "v is chosen by a1 and a2; p2 has promises of a2 and a3, its Accepts are lost, and it asks both once more.",
    [
        *_fast("p1"),
        *_fast("p2"),
        *_cut(1, "p1", "a3"),
        *_cut(1, "p2", "a1"),
        _asks(10, "p1", "v"),
        _asks(60, "p2", "w"),
        *_cut(75, "p2", "a2", "a3"),
        *[_at(95, "mend", source="p2", target=a) for a in ("a2", "a3")],
        _at(100, "timeout", node="p2", timer="propose"),
    ],
    until=200,
    nodes=5,
    clients=2,
    progress=False,
    catalogue="C24",
    question="a2 has told p2 already what it has accepted. What must it tell when it is asked again?",
)

OLD_PROMISE = Case(
    "old-promise",
    "a1 has accepted v under 1.p1 and then promised 2.p1; a2 and a3 have accepted w under 1.p2; p1 asks a1 and a2.",
    [
        *_fast("p1"),
        *_fast("p2"),
        *_cut(1, "p2", "a1"),
        _asks(10, "p1", "v"),
        *_cut(24, "p1", "a2", "a3"),
        _asks(40, "p2", "w"),
        _at(85, "timeout", node="p1", timer="propose"),
        _at(105, "mend", source="p1", target="a2"),
        _at(106, "timeout", node="p1", timer="propose"),
    ],
    until=200,
    nodes=5,
    clients=2,
    progress=False,
    catalogue="C25",
    question="Under which ballot has a1 accepted v? Under which has it only promised?",
)

TWICE_THERE = Case(
    "twice-there",
    "v is chosen by a1 and a2; p2's Prepare reaches a2 twice, before a3 answers.",
    [
        *_fast("p1"),
        *_fast("p2"),
        *_cut(1, "p1", "a3"),
        *_cut(1, "p2", "a1"),
        _asks(10, "p1", "v"),
        _at(50, "link", source="p2", target="a2", duplicate=1),
        _at(50, "link", source="a3", target="p2", latency=[40, 40]),
        _asks(60, "p2", "w"),
    ],
    until=200,
    nodes=5,
    clients=2,
    progress=False,
    catalogue="C24",
    question="a2 hears the same Prepare a second time. May its second answer say less than the first?",
)

NEVER_HEARD_OF = Case(
    "never-heard-of",
    "p1 has promises of a1 and a2; a2 dies, and a3, which was down, is back when p1's Accept comes.",
    [
        *_fast("p1"),
        _at(2, "crash", node="a3"),
        _asks(10, "p1", "v"),
        _at(27, "crash", node="a2"),
        _at(27, "restart", node="a3"),
    ],
    until=100,
    nodes=5,
    catalogue="C26",
    question="a3 has promised nothing to anybody. What keeps it from accepting v?",
)

OLDER_PROMISE = Case(
    "older-promise",
    "a3 has promised 1.p1 and missed 2.p1, which a1 and a2 have promised; a2 dies, and a3 gets the Accept of 2.p1.",
    [
        *_fast("p1"),
        _asks(10, "p1", "v"),
        *[_at(15, "cut", source=a, target="p1") for a in ("a1", "a2", "a3")],
        *[_at(40, "mend", source=a, target="p1") for a in ("a1", "a2", "a3")],
        *_cut(40, "p1", "a3"),
        _at(60, "timeout", node="p1", timer="propose"),
        _at(70, "mend", source="p1", target="a3"),
        _at(74, "crash", node="a2"),
    ],
    until=145,
    nodes=5,
    catalogue="C26",
    question="a3's promise speaks of 1.p1. What does it forbid, and is 2.p1 among that?",
)

SAME_COUNTER = Case(
    "same-counter",
    "a1 has accepted v under 1.p1 and is asked to accept w under 1.p2; then p1 hears from a1 and a3 under 2.p1.",
    [
        *_fast("p1"),
        *_fast("p2"),
        *_cut(1, "p2", "a1"),
        _asks(10, "p1", "v"),
        *_cut(24, "p1", "a2", "a3"),
        _asks(40, "p2", "w"),
        _at(55, "mend", source="p2", target="a1"),
        *_cut(55, "p2", "a3"),
        _at(85, "mend", source="p1", target="a3"),
        _at(86, "timeout", node="p1", timer="propose"),
    ],
    until=160,
    nodes=5,
    clients=2,
    progress=False,
    catalogue="C27",
    question="a1 tells p2 that it has accepted. What has it accepted last, by its own report to p1?",
)

HIGHER_NAME = Case(
    "higher-name",
    "p1 gets v chosen under 1.p1; then p2 asks under 1.p2, and its next ballot is not due before the end.",
    [*_fast("p1"), *_fast("p2"), _asks(10, "p1", "v"), _asks(80, "p2", "w")],
    until=170,
    nodes=5,
    clients=2,
    catalogue="C27",
    question="The acceptors have promised 1.p1. Is 1.p2 higher, and what decides it?",
)

TWO_VALUES = Case(
    "two-values",
    "a1 alone has accepted v, a3 alone has accepted w under a higher ballot; then a2 dies.",
    [
        *_fast("p1"),
        *_fast("p2"),
        _asks(10, "p1", "v"),
        *_cut(25, "p1", "a2", "a3"),
        *_cut(50, "p2", "a1"),
        _asks(60, "p2", "w"),
        *_cut(75, "p2", "a2"),
        _at(100, "crash", node="a2"),
        _at(110, "heal"),
        *[_at(111, "link", source=p, target=a, latency=[5, 15]) for p in ("p1", "p2") for a in ("a1", "a3")],
    ],
    until=5_000,
    nodes=5,
    clients=2,
    catalogue="C36",
    question="Neither value was chosen. Which of the two acceptors that run must change its mind, and may it?",
)

FIVE = [
    *_fast("p1", 5),
    *_fast("p2", 5),
    _asks(10, "p1", "v"),
    *_cut(25, "p1", "a3", "a4", "a5"),
    *_cut(30, "p2", "a1", "a2"),
    _asks(40, "p2", "w"),
    *[_at(95, "mend", source="p1", target="a3")],
    _at(98, "timeout", node="p1", timer="propose"),
]

COMMONEST = Case(
    "commonest",
    "a1 and a2 have accepted v under 1.p1, a3, a4 and a5 w under 1.p2; p1 hears from a1, a2 and a3.",
    FIVE,
    until=300,
    nodes=7,
    clients=2,
    progress=False,
    catalogue="C25",
    question="p1 hears v, v and w. Which of them can have been chosen already, and what says so?",
)

HIGHEST_FIRST = COMMONEST._replace(
    name="highest-first",
    shows="the same, and the answer of a3 is the first to arrive.",
    schedule=[*FIVE[:-1], *[_at(96, "link", source=a, target="p1", latency=[9, 9]) for a in ("a1", "a2")], FIVE[-1]],
)


def _tries(proposer, *times):
    return [_at(at, "timeout", node=proposer, timer="propose") for at in times]


TENTH_BALLOT = Case(
    "tenth-ballot",
    "a1 and a2 have accepted w under 9.p2, a3, a4 and a5 a under 10.p1; p2 hears from a1, a2 and a3.",
    [
        *_fast("p1", 5),
        *_fast("p2", 5),
        *_cut(1, "p1", "a1", "a2", "a3", "a4", "a5"),
        *_cut(1, "p2", "a1", "a2", "a3", "a4", "a5"),
        _asks(10, "p2", "w"),
        *_tries("p2", *range(20, 48, 4)),                     # ballots 2 to 8 reach nobody
        *[_at(47, "mend", source="p2", target=a) for a in ("a1", "a2", "a3")],
        *_tries("p2", 48),
        *_cut(60, "p2", "a3"),
        _asks(100, "p1", "a"),
        *_tries("p1", *range(110, 142, 4)),                   # ballots 2 to 9 reach nobody
        *[_at(141, "mend", source="p1", target=a) for a in ("a3", "a4", "a5")],
        *_tries("p1", 142),
        _at(190, "mend", source="p2", target="a3"),
        *_tries("p2", 192),
    ],
    until=260,
    nodes=7,
    clients=2,
    progress=False,
    catalogue="C25",
    question="p2 hears of the ballots 9.p2 and 10.p1. Which is the newer, and what makes it so?",
)

TENTH_PREPARE = Case(
    "tenth-prepare",
    "p1's ninth ballot is the first to reach the acceptors, and its Accepts are lost; then comes the tenth.",
    [
        *_fast("p1"),
        *_cut(1, "p1", "a1", "a2", "a3"),
        _asks(10, "p1", "v"),
        *_tries("p1", *range(20, 48, 4)),                     # ballots 2 to 8 reach nobody
        *[_at(47, "mend", source="p1", target=a) for a in ("a1", "a2", "a3")],
        *_tries("p1", 48),
        *_cut(58, "p1", "a1", "a2", "a3"),
        *[_at(71, "mend", source="p1", target=a) for a in ("a1", "a2", "a3")],
        *_tries("p1", 72),
    ],
    until=160,
    nodes=5,
    catalogue="C27",
    question="The acceptors have promised 9.p1 and are asked under 10.p1. Which is the higher, and what decides it?",
)

ITS_OWN = Case(
    "its-own",
    "a1 and a2 have accepted v under 2.p1, and p1 has not heard of it; a3 has w under 1.p2; p1 asks a1 and a3.",
    [
        *_fast("p1"),
        *_fast("p2"),
        _asks(10, "p2", "w"),
        *_cut(24, "p2", "a1", "a2"),
        _asks(40, "p1", "v"),
        *_cut(50, "p1", "a3"),
        *_tries("p1", 60),
        *[_at(77, "cut", source=a, target="p1") for a in ("a1", "a2")],
        _at(99, "mend", source="a1", target="p1"),
        _at(99, "mend", source="p1", target="a3"),
        *_cut(99, "p1", "a2"),
        *_tries("p1", 100),
    ],
    until=140,
    nodes=5,
    clients=2,
    progress=False,
    catalogue="C24",
    question="p1 hears of v, which it wanted itself, and of w. Which of the two can have been chosen already?",
)

ACCEPTOR = (ONE_ASKS, SECOND_ASKS, LATE_ACCEPT, RESTARTED_ACCEPTOR, FORGOTTEN_PROMISE, BETWEEN, NEVER_ASKED, TWO_VALUES,
            PROPOSER_DIES, LOWER_BALLOT, ASKED_ANEW, OLD_PROMISE, TWICE_THERE, NEVER_HEARD_OF, OLDER_PROMISE,
            SAME_COUNTER, HIGHER_NAME, TENTH_PREPARE)
VALUE = (ONE_ASKS, SECOND_ASKS, COMMONEST, HIGHEST_FIRST, TENTH_BALLOT, ITS_OWN)
