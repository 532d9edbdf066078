"""Runs of the Byzantine generals worth keeping. In all of them a loyal commander n1 says attack."""

from __future__ import annotations

from dslab.sim.case import Case

RETREAT = {"value": "retreat"}


def _traitor(node, behaviour, **arguments):
    return {"at": 1, "do": "turn_traitor", "node": node, "behaviour": behaviour, **arguments}


def _case(name, shows, schedule, catalogue="", question="", nodes=4):
    return Case(name, shows, schedule, until=200, nodes=nodes, clients=0, catalogue=catalogue, question=question)


CALM = _case("calm", "nobody lies.", [], question="Why do the lieutenants repeat what all of them have heard?")

COMMANDER_LIES = _case(
    "commander-lies",
    "the commander n1, a traitor, says attack to n2 and n3, and retreat to n4.",
    [_traitor("n1", "equivocate", fields=RETREAT, to=["n4"])],
    "C34",
    "n4 has heard retreat from n1. What have n2 and n3 told it?",
)

COMMANDER_SPLITS = _case(
    "commander-splits",
    "the commander n1, a traitor, says attack to n2, retreat to n3, and nothing to n4.",
    [_traitor("n1", "equivocate", fields=RETREAT, to=["n3"]), _traitor("n1", "silent", to=["n4"])],
    "C34",
    "n4 has heard nothing. What must it say to n2 and n3, so that all three see the same?",
)

LIEUTENANT_LIES = _case(
    "lieutenant-lies",
    "the commander is loyal and says attack; n4 tells the others that it was retreat.",
    [_traitor("n4", "corrupt", fields=RETREAT)],
    "C33",
    "n2 holds three words: of n1, n3 and n4. How many of them are true for sure?",
)

LATE_WORD = _case(
    "late-word",
    "the commander n1, a traitor, says attack to n3, retreat to n4, and attack to n2 when the first round is over.",
    [_traitor("n1", "equivocate", fields=RETREAT, to=["n4"]), _traitor("n1", "delay", by=18, to=["n2"])],
    "C35",
    "n2 hears the order after it has told the others that it heard none. What do they believe that n2 believes?",
)

FALSE_NAME = _case(
    "false-name",
    "n4, a traitor, tells n2 that it is n3 and has heard retreat; n3's own word takes longer.",
    [
        {"at": 1, "do": "link", "source": "n3", "target": "n2", "latency": 15},
        {"at": 1, "do": "link", "source": "n4", "target": "n2", "latency": 1},
        _traitor("n4", "equivocate", fields={"path": ["n1", "n3"], **RETREAT}, to=["n2"]),
    ],
    "C34",
    "n2 gets a message that n3 is said to have sent. By which link has it come?",
)

THREE_LIEUTENANT = _case(
    "three-generals-lieutenant",
    "three generals: the loyal commander n1 says attack, and n3 tells n2 that it was retreat.",
    [_traitor("n3", "corrupt", fields=RETREAT)],
    "C32",
    "n2 has one word for attack and one for retreat. Can it tell who lies?",
    nodes=3,
)

THREE_COMMANDER = _case(
    "three-generals-commander",
    "three generals: the commander n1, a traitor, says attack to n2 and retreat to n3.",
    [_traitor("n1", "equivocate", fields=RETREAT, to=["n3"])],
    "C32",
    "n2 has one word for attack and one for retreat. Can it tell who lies?",
    nodes=3,
)

TWO_OF_SEVEN = _case(
    "two-of-seven",
    "seven generals: the commander n1 says attack to n2, n3 and n4, but n2 tells n3 and n4 that it was retreat.",
    [
        _traitor("n1", "equivocate", fields=RETREAT, to=["n5", "n6", "n7"]),
        _traitor("n2", "equivocate", fields=RETREAT, to=["n3", "n4"]),
    ],
    "C34",
    "n3 has heard n2 say retreat. What tells it whether n1 lied to n2, or n2 lies to n3?",
    nodes=7,
)
