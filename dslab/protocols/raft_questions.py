"""Questions about runs in raft_cases, to be answered before these are played: `Prediction(**VOTER)`.

An option is (id, text, feedback) and, where it is a misconception, its catalogue name. They stand here,
not in the notebook, where the answer would be read before the question.
"""

from __future__ import annotations

VOTER = {
    "question": "n3 voted for n1 in term 1. It crashes and restarts at once. Then n2 asks it for a vote, in "
    "term 1. What does n3 answer?",
    "options": [
        (
            "yes",
            "Yes: its memory is empty, so it has voted for nobody.",
            "Many think so. Then n1 and n2 would both lead term 1, because n3 would have voted twice. Term "
            "and vote are on the disk before the answer leaves.",
            "C9",
        ),
        (
            "no",
            "No: it has voted in this term.",
            "Its vote was on its disk before the answer left, so the restart forgot nothing.",
        ),
        (
            "wait",
            "Nothing before term 2: a restarted server sits the term out.",
            "It need not: what it must remember, it has on its disk.",
            "C9",
        ),
    ],
    "right": "no",
    "reveal": 90,
}

TWO_LOGS = {
    "question": "n2 led term 2 and has died. n1 holds a=1 and b=2, both of term 1; n3 holds c=3 of term 2. "
    "Who can lead next?",
    "options": [
        (
            "n1",
            "n1: its log is longer.",
            "Many think so. But a=1 and b=2 never left n1, while c=3 was committed on n2 and n3: n1 would "
            "erase it.",
            "C7",
        ),
        (
            "n3",
            "n3: its last entry is of a newer term.",
            "The last terms are compared first. c=3 was committed, so n1 must not win.",
        ),
        (
            "either",
            "Either: whoever asks first.",
            "n1 does ask first. n3 refuses, because c=3 was committed and n1 would erase it.",
            "C7",
        ),
        (
            "none",
            "Neither: two of three are no majority.",
            "Two of three are a majority. Half of the servers, such as two of four, are none.",
            "C32",
        ),
    ],
    "right": "n3",
    "reveal": 560,
}

OLD_ENTRY = {
    "question": "n1 leads term 3. Its entry x=1, of term 1, now stands on n1, n2 and n3. Is x=1 committed?",
    "options": [
        (
            "yes",
            "Yes: three of five servers hold it.",
            "Most people say so; here it fails, because n5's last entry is of a newer term: n2, n3 and n4 "
            "may all vote for n5, and then y=2 replaces x=1 everywhere.",
            "C14",
        ),
        (
            "no",
            "No: it can still disappear.",
            "n5 ends with an entry of term 2, so n2, n3 and n4 may vote for it. It erases x=1.",
        ),
        (
            "soon",
            "Not yet, but it will be when n1 hears the answers.",
            "The answers tell n1 who holds it, but n5 can win all the same, and erase it.",
            "C14",
        ),
    ],
    "right": "no",
    "reveal": 430,
}
