"""Runs of PBFT worth keeping: each shows why a rule is there, by what happens to those who leave it out.

A lie quotes a request that its client really makes, because with signatures a primary cannot make one up.
"""

from __future__ import annotations

from dslab.sim.case import Case

X, Y = "x=1", "y=2"
SAYS_Y = {"client": "c2", "number": 1, "command": Y, "digest": f"c2.1 {Y}"}      # c2's request, in every message


def _at(at, do, **arguments):
    return {"at": at, "do": do, **arguments}


def _traitor(node, behaviour, at=1, **arguments):
    return _at(at, "turn_traitor", node=node, behaviour=behaviour, **arguments)


def _asks(client, command, at=10, to="n1"):
    return _at(at, "request", command=command, to=to, client=client)


CALM = Case(
    "calm",
    "nothing fails; a client writes x=1.",
    [_asks("c1", X)],
    until=1_000,
    nodes=4,
    question="How many messages does each phase take, and how many of them does the primary send?",
)

PRIMARY_CRASHES = Case(
    "primary-crashes",
    "the primary n1 crashes after it has executed x=1, and another client asks for y=2.",
    [_asks("c1", X), _at(100, "crash", node="n1"), _asks("c2", Y, at=110, to="n2")],
    until=3_000,
    nodes=4,
    clients=2,
    catalogue="C24",
    question="x=1 has number 1. What tells the new primary so, and who has to say it?",
)

PRIMARY_SILENT = Case(
    "primary-silent",
    "the primary n1 says nothing any more; a client asks for x=1.",
    [_traitor("n1", "silent"), _asks("c1", X)],
    until=3_000,
    nodes=4,
    catalogue="C35",
    question="Who notices that n1 is silent, and how many of them does it take to go on without it?",
)

ONE_SILENT = Case(
    "one-silent",
    "n4 says nothing; a client asks for x=1.",
    [_traitor("n4", "silent"), _asks("c1", X)],
    until=3_000,
    nodes=4,
    catalogue="C35",
    question="How many answers can a replica wait for, if one of four may never speak?",
)

TWO_STORIES = Case(
    "two-stories",
    "the primary n1 gives number 1 to x=1 when it talks to n2, and to y=2 when it talks to n3 and n4.",
    [_traitor("n1", "equivocate", fields=SAYS_Y, to=["n3", "n4"]), _asks("c1", X), _asks("c2", Y, at=12)],
    until=3_000,
    nodes=4,
    clients=2,
    progress=False,
    catalogue="C34",
    question="n2 hears prepares of n3 and n4. What do these say, and what did n2 hear from n1?",
)

TWO_LIARS = Case(
    "two-liars",
    "n1 and n2, more than the one liar that four replicas can stand, tell n4 that number 1 is y=2.",
    [
        _traitor("n1", "equivocate", fields=SAYS_Y, to=["n4"]),
        _traitor("n2", "equivocate", fields=SAYS_Y, to=["n4"]),
        _asks("c1", X),
        _asks("c2", Y, at=12),
    ],
    until=400,
    nodes=4,
    clients=2,
    progress=False,
    catalogue="C33",
    question="n3 and n4 each hear a quorum. Which replicas are in both, and are they loyal?",
)

ONE_MORE_NODE = Case(
    "one-more-node",
    "five replicas; the primary n1 says x=1 to n2 and n3, and y=2 to n4 and n5.",
    [_traitor("n1", "equivocate", fields=SAYS_Y, to=["n4", "n5"]), _asks("c1", X), _asks("c2", Y, at=12)],
    until=3_000,
    nodes=5,
    clients=2,
    progress=False,
    catalogue="C33",
    question="Two groups of three of the five: how many replicas must they share, and who may that be?",
)

HALF_AND_HALF = Case(
    "half-and-half",
    "four replicas; the primary n1 says x=1 to n2 and n3, and y=2 to n4.",
    [_traitor("n1", "equivocate", fields=SAYS_Y, to=["n4"]), _asks("c1", X), _asks("c2", Y, at=12)],
    until=3_000,
    nodes=4,
    clients=2,
    progress=False,
    catalogue="C32",
    question="Two groups of two of the four: must they share anybody?",
)

HASTY = Case(
    "hasty",
    "only n3 prepares x=1; the primary n1, a traitor, commits and then denies that it ever prepared anything.",
    [
        _traitor("n1", "corrupt", fields={"prepared": []}),
        _at(2, "cut", source="n1", target="n2"),
        _at(2, "cut", source="n3", target="n2"),
        _at(2, "cut", source="n3", target="n4"),
        _asks("c1", X),
        _asks("c2", Y, to="n2"),
        _at(100, "mend", source="n1", target="n2"),
    ],
    until=2_000,
    nodes=4,
    clients=2,
    progress=False,
    catalogue="C33",
    question="Which replicas could tell the new primary about x=1, and which of them did it hear?",
)

NEW_PRIMARY_LIES = Case(
    "new-primary-lies",
    "n2, the next primary, is a traitor: it leaves x=1 out of its new view and gives number 1 to y=2.",
    [
        _traitor("n2", "corrupt", fields={"proposals": [], "sequence": 1}),
        _asks("c1", X),
        _at(100, "pause", node="n1"),
        _asks("c2", Y, at=110, to="n2"),
        _at(900, "resume", node="n1"),
    ],
    until=4_000,
    nodes=4,
    clients=2,
    progress=False,
    catalogue="C34",
    question="A new view comes with the words of a quorum. What follows from these for number 1?",
)

STOLEN_NUMBERS = Case(
    "stolen-numbers",
    "n1, a traitor that n2 cannot hear, sends its proposals as if they were of view 1, whose primary is n2.",
    [
        _traitor("n1", "corrupt", fields={"view": 1}),
        _at(2, "cut", source="n1", target="n2"),
        _asks("c1", X),
        _asks("c2", Y, to="n2"),
    ],
    until=3_000,
    nodes=4,
    clients=2,
    progress=False,
    catalogue="C4",
    question="A proposal of view 1 arrives from n1. Who is the primary of view 1?",
)

GAP = Case(
    "gap",
    "what n1, n2 and n3 say about the first request reaches n4 late, after the second one.",
    [
        *[_at(2, "link", source=node, target="n4", latency=90) for node in ("n1", "n2", "n3")],
        _asks("c1", X),
        *[_at(45, "link", source=node, target="n4", latency=[5, 15]) for node in ("n1", "n2", "n3")],
        _asks("c2", "x=2", at=50),
    ],
    until=2_000,
    nodes=4,
    clients=2,
    catalogue="C31",
    question="n4 knows that number 2 is committed and nothing of number 1. What may it run?",
)

FALSE_CHECKPOINT = Case(
    "false-checkpoint",
    "n4, a traitor, says at the first checkpoint that it has executed 800 requests.",
    [
        _traitor("n4", "corrupt", fields={"sequence": 800, "digest": "made up"}),
        *[_asks("c1", f"x={i}", at=10 * i) for i in range(1, 7)],
    ],
    until=3_000,
    nodes=4,
    catalogue="C34",
    question="What does a replica throw away when it hears of a checkpoint, and who can give it back?",
)

FALSE_ANSWER = Case(
    "false-answer",
    "n1, a traitor, answers with a lie; the true answers travel longer.",
    [
        _traitor("n1", "equivocate", fields={"result": "lie"}, to=["c1"]),
        *[_at(2, "link", source=node, target="c1", latency=60) for node in ("n2", "n3", "n4")],
        _asks("c1", X),
    ],
    until=1_000,
    nodes=4,
    catalogue="C34",
    question="How many equal replies does it take until one of them is surely true?",
)
