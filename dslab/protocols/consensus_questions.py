"""Questions about elections and liars, to be answered before a run is played: `Prediction(**TWO_BULLIES)`.

Options are as in raft_questions. The runs that no other module has stand here too, beside their questions.
"""

from __future__ import annotations

from dslab.sim.case import Case

SLOW_ANSWER = Case(
    "slow-answer",
    "n4 asks n5 whether it lives; n5's answer takes 90 ms, and n4 waits for 40.",
    [{"at": 0, "do": "link", "source": "n5", "target": "n4", "latency": [90, 90]}],
    until=300,
    nodes=5,
    catalogue="C1",
)

TWO_BULLIES = {
    "question": "n4 has asked n5 whether it lives. Everybody runs, but n5's answers to n4 take 90 ms. Who leads when "
    "60 ms have passed?",
    "options": [
        (
            "n5",
            "n5: it has the highest number.",
            "n5 does lead. But n4 waited 40 ms, took silence for death, and leads too, until n5's word reaches it: a "
            "time-out is a guess.",
            "C1",
        ),
        (
            "both",
            "n4 and n5.",
            "n4 took silence for death after 40 ms. Both lead until n5's word reaches n4; whatever they lead must be "
            "able to tell the older from the newer.",
        ),
        (
            "nobody",
            "Nobody: n4 must wait for n5's answer.",
            "It cannot wait for ever, because n5 might be dead; so it waits 40 ms, and then leads.",
            "C1",
        ),
    ],
    "right": "both",
    "reveal": 60,
}

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
