"""Questions about runs in the modules of cases, to be answered before these are played: `Prediction(**HOLE)`.

An option is (id, text, feedback) and, where it is a misconception, its catalogue name. Those about Raft's elections
and log, single Paxos and rings stand in raft_questions, paxos_questions and ring_questions.
"""

from __future__ import annotations

# ---- multi_paxos_cases.HOLE

HOLE = {
    "question": "x=1 is chosen in slot 1 and z=3 in slot 3. y=2, meant for slot 2, has reached nobody but n1, which is "
    "dead. n2 takes over. When may z=3 be executed?",
    "options": [
        (
            "now",
            "At once: it is chosen.",
            "Chosen, yes. But something may still be put into slot 2, and a server that knows of it would execute the "
            "two in another order.",
            "C31",
        ),
        (
            "retry",
            "When c2 has sent y=2 again, which then goes into slot 2.",
            "c2 may never come back, and z=3 would wait for ever.",
            "C31",
        ),
        (
            "noop",
            "When slot 2 is filled, even with nothing.",
            "n2 gets a command without effect chosen in slot 2, and goes on. When c2 tries again, y=2 gets slot 4.",
        ),
    ],
    "right": "noop",
    "reveal": 320,
}

# ---- raft_reads_cases: NOT_YET_KNOWN with a server that answers at once, TWO_TRUTHS with one that trusts itself

NEW_LEADER_READS = {
    "question": "The client of x=1 has its answer. n2's log ends with x=1, and n2 has just won the election. It "
    "answers reads from its store at once. What does c2 read?",
    "options": [
        (
            "one",
            "x=1: a new leader holds all that was committed.",
            "It holds it, but does not know that it is committed, so it has not applied it. Its store still says x=0.",
            "C20",
        ),
        (
            "zero",
            "x=0.",
            "n2 has applied only what it knew to be committed. It must first commit an entry of its own term.",
        ),
        (
            "none",
            "Nothing: it asks the others first.",
            "It should. This one does not: it is sure of its log.",
            "C20",
        ),
    ],
    "right": "zero",
    "reveal": 335,
}

OLD_LEADER_READS = {
    "question": "n1 led, and was cut off from the others. They have elected n2, which has committed x=2. n1 still "
    "answers its clients. What does c4 read at n1?",
    "options": [
        (
            "refuses",
            "Nothing: n1 notices that it leads no more.",
            "By what? A leader learns that it was deposed from a message, and none arrives.",
            "C3",
        ),
        (
            "one",
            "x=1.",
            "n1 is sure that it leads, and its store says x=1. The write of x=2 ended before the read began, so no "
            "single copy could answer like this.",
        ),
        (
            "two",
            "x=2: it was committed.",
            "Committed, on n2 and n3. n1 has heard nothing of it.",
            "C3",
        ),
    ],
    "right": "one",
    "reveal": 525,
}

# ---- raft_membership_cases.TWO_MAJORITIES with servers that switch at once

TWO_MAJORITIES = {
    "question": "n1, n2 and n3 are the cluster, and n3 leads. It is told to let n4 and n5 in; it tells them, and from "
    "then on counts five servers. n1 and n2 are cut off before they hear of it. What can happen?",
    "options": [
        (
            "majority",
            "Nothing bad: two majorities always share a server.",
            "Two majorities of the same set do. {n1, n2} is one of three servers, {n3, n4, n5} is one of five.",
            "C22",
        ),
        (
            "both",
            "Both sides go on, each with a majority.",
            "n1 and n2 are two of the three that they know; n3, n4 and n5 are three of five. Joint consensus asks for "
            "a majority of both sets.",
        ),
        (
            "newer",
            "n3's side goes on, and the others wait, because their configuration is the older one.",
            "They cannot know that it is. That is the whole trouble.",
            "C22",
        ),
    ],
    "right": "both",
    "reveal": 245,
}

# ---- raft_prevote_cases.RETURNS with plain Raft

RETURNS = {
    "question": "n3 was cut off for a second, in which it stood for election again and again. n1 leads the others and "
    "has committed x=1, which n3 lacks. Now n3 can be heard again. What happens?",
    "options": [
        (
            "nothing",
            "Nothing: n3 cannot win with its log, so nobody minds it.",
            "Nobody votes for it. But its term is newer, and a newer term ends every role, before anybody looks at "
            "a log.",
            "C4",
        ),
        (
            "deposed",
            "n1 stops leading, though n3 cannot win.",
            "n3's term is newer. Pre-votes ask first whether an election could be won, and leave the term alone.",
        ),
        (
            "wins",
            "n3 wins: its term is the newest.",
            "Votes go by the log: n3's is behind.",
            "C7",
        ),
    ],
    "right": "deposed",
    "reveal": 1_130,
}

# ---- generals_cases.THREE_COMMANDER

THREE_GENERALS = {
    "question": "Three generals, one of them a traitor, and messengers with nothing in writing. n2 hears attack from "
    "its commander n1, and n3 tells n2 that it heard retreat. Can n2 know who lies?",
    "options": [
        (
            "majority",
            "Yes: two of three are loyal, so the majority is right.",
            "It hears one of each. A majority of three may consist of the liar and one that it has deceived.",
            "C33",
        ),
        (
            "commander",
            "Yes: n1 was there, and n3 only repeats.",
            "If n1 is the traitor, it has said attack here and retreat there, and n3 repeats the truth.",
            "C34",
        ),
        (
            "no",
            "No: either may be the liar.",
            "If n3 lies, n2 must attack. If n1 lies, n2 and n3 must do the same. n2 hears the same words in both.",
        ),
    ],
    "right": "no",
    "reveal": 62,
}

# ---- pbft_cases: ONE_MORE_NODE with quorums of a majority, HALF_AND_HALF with PBFT's own

FIVE_AND_ONE = {
    "question": "Four replicas, one liar, quorums of three: safe. Now there are five replicas, still one liar, n1, the "
    "primary, and quorums of three. It says x=1 to n2 and n3, and y=2 to n4 and n5. Is it safe?",
    "options": [
        (
            "safer",
            "Yes: one honest replica more.",
            "Many think so. But with n1 both pairs have three: {n1, n2, n3} and {n1, n4, n5} share only the liar.",
            "C33",
        ),
        (
            "majority",
            "Yes: three of five are a majority, and two majorities meet.",
            "They meet, in n1, which lies. Quorums must share a loyal replica.",
            "C33",
        ),
        (
            "no",
            "No.",
            "{n1, n2, n3} and {n1, n4, n5} share only the liar. Two quorums must have more than f members in common.",
        ),
    ],
    "right": "no",
    "reveal": 60,
}

SIGNED = {
    "question": "Four replicas, quorums of three. All messages are signed. The primary n1 lies: for number 1 it says "
    "x=1 to n2 and n3, and y=2 to n4. What happens?",
    "options": [
        (
            "signed",
            "Nothing: nobody can lie in signed messages.",
            "A signature proves who said it, not that it is said to everybody: n1 signs both.",
            "C34",
        ),
        (
            "split",
            "n4 executes y=2, and the others x=1.",
            "n4 hears y=2 from n1 only. Replicas tell each other what they heard, and n4 never gets three of a kind.",
            "C34",
        ),
        (
            "x",
            "x=1 is executed; y=2 is not.",
            "n1, n2 and n3 are three for x=1. n4 waits for a third y=2, which never comes, and catches up later.",
        ),
    ],
    "right": "x",
    "reveal": 70,
}
