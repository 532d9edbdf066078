"""Questions about runs in paxos_cases, to be answered before these are played: `Prediction(**OWN_MIND)`.

An option is (id, text, feedback) and, where it is a misconception, its catalogue name.
"""

from __future__ import annotations

OWN_MIND = {
    "question": "a1 and a2 have accepted v under ballot 1.p1. p2 wants w; a2 and a3 promise it ballot 1.p2, and a2 "
    "reports v. What does p2 propose?",
    "options": [
        (
            "w",
            "w: it has the promises of a majority, so it may choose.",
            "Many think so. But a1 and a2 are a majority, so v is chosen already, and w would be chosen too.",
            "C24",
        ),
        (
            "v",
            "v: a2 has reported it.",
            "v may be chosen, and p2 cannot rule it out. So it must not propose anything else.",
        ),
        (
            "either",
            "Either: a2 is only one of three.",
            "a1 accepted v too, but p2 did not hear from it. One report is enough to make v possible.",
            "C24",
        ),
    ],
    "right": "v",
    "reveal": 130,
}

COMMONEST = {
    "question": "Of five acceptors a1 and a2 accepted v under 1.p1; a3, a4 and a5 accepted w under 1.p2, which is "
    "higher. p1 begins ballot 2.p1 and hears from a1, a2 and a3. What does it propose?",
    "options": [
        (
            "v",
            "v: two of the three reports name it.",
            "It is not a vote. v never had a majority; a3, a4 and a5 are one, so w is chosen, and p1 heard it from a3.",
            "C25",
        ),
        (
            "w",
            "w: it has the highest ballot of the three reports.",
            "Whoever proposed w had asked a majority first, so it knew that v was not chosen.",
        ),
        (
            "own",
            "Its own value: the reports contradict each other.",
            "They do not: only one of the two can be chosen, and the higher ballot says which.",
            "C24",
        ),
    ],
    "right": "w",
    "reveal": 230,
}

LATE_ACCEPT = {
    "question": "a2 promised 1.p1, then 1.p2, and has accepted w under 1.p2. Now a late request arrives: accept v "
    "under 1.p1. What does a2 do?",
    "options": [
        (
            "accepts",
            "It accepts v: it has promised 1.p1 that it would.",
            "A promise is not to accept; it is to refuse what is lower. With a3, a2 would choose v beside w.",
            "C26",
        ),
        (
            "refuses",
            "It refuses: 1.p1 is below its promise.",
            "p2 relied on that: what a2 reported to it must stay the last word below 1.p2.",
        ),
        (
            "never",
            "It refuses: who has accepted w never accepts anything else.",
            "It may, under a ballot above 1.p2. If it never did, two acceptors could hold two values for ever.",
            "C36",
        ),
    ],
    "right": "refuses",
    "reveal": 260,
}

SAME_NUMBER = {
    "question": "p1 and p2 both begin with number 1 and nothing else. a2 answers both. What can happen?",
    "options": [
        (
            "first",
            "The one that a2 answers first wins, because a2 refuses the second.",
            "It cannot tell them apart: to it, the second is the first once more.",
            "C27",
        ),
        (
            "two",
            "Both values are chosen.",
            "a1 and a2 accept v, a2 and a3 accept w, all under number 1. So a ballot carries its proposer's name.",
        ),
        (
            "none",
            "Neither is chosen; both try again with number 2.",
            "Nobody refuses anything, so nobody has a reason to try again.",
            "C29",
        ),
    ],
    "right": "two",
    "reveal": 60,
}

RESTARTED_ACCEPTOR = {
    "question": "a2 has promised 1.p2 and accepted nothing. It restarts, and a late request arrives: accept v under "
    "1.p1. What does a2 do?",
    "options": [
        (
            "accepts",
            "It accepts: after a restart it has promised nothing.",
            "Then v is chosen by a1 and a2, while p2, which a2 told that it had accepted nothing, gets w chosen.",
            "C28",
        ),
        (
            "refuses",
            "It refuses: its promise was on the disk before its answer left.",
            "Nobody can tell that it was down, and that is the point.",
        ),
        (
            "asks",
            "It asks a1 and a3 what it has missed.",
            "They do not know what it promised, and they may be down too.",
            "C28",
        ),
    ],
    "right": "refuses",
    "reveal": 160,
}

DUEL = {
    "question": "Two proposers begin a new ballot whenever they notice that the other has overtaken them. Nothing is "
    "lost and nobody crashes. How long can it take until a value is chosen?",
    "options": [
        (
            "two",
            "One ballot each, because the higher one wins.",
            "It wins only if its four messages get through before the next one begins.",
            "C29",
        ),
        (
            "bounded",
            "As long as the slowest message, and some more.",
            "The messages are never slow in this run, and yet no ballot lasts long enough.",
            "C30",
        ),
        (
            "ever",
            "For ever.",
            "Whatever the number of rounds, there is a run in which nothing is chosen in them. A random pause ends it, "
            "with probability one.",
        ),
        (
            "disagree",
            "Not long, but they may choose two values.",
            "Never: each ballot asks a majority first, and two majorities share an acceptor.",
            "C30",
        ),
    ],
    "right": "ever",
    "reveal": 1_000,
}
