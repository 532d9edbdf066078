"""Questions about what clients of a store may see: `Prediction(**OTHER_CLIENT)`.

An option is (id, text, feedback) and, where it is a misconception, its catalogue name.
"""

from __future__ import annotations

OTHER_CLIENT = {
    "question": "c1 has its answer: x=1 is written. Now c2 asks n3, which is far away, and gets 0. Every client sees its "
    "own operations in order. Could one register have answered all this?",
    "options": [
        (
            "linearizable",
            "Yes: c1 sees its order, c2 sees its own, and nobody sees anything go backwards.",
            "That is sequential consistency. A register in one place would not have answered 0 after x=1 was over, "
            "whoever asks.",
            "S1",
        ),
        (
            "no",
            "No: the write was over before the read began.",
            "Real time between clients counts. c1 can call c2 on the telephone, and then both know that something is "
            "wrong.",
        ),
        (
            "overlap",
            "Yes: the news of the write was still on its way, so the two operations overlap.",
            "An operation ends when its client has the answer. What servers still do behind it is no part of it.",
            "S3",
        ),
    ],
    "right": "no",
    "reveal": 262,
}

IDENTITY = {
    "question": "v is 121 by now. c3 wants to be sure that it knows the newest version and asks n3 to set v from 119 to "
    "119. n3 answers such a question itself, because it changes nothing, as it does with reads. What does c3 hear?",
    "options": [
        (
            "refused",
            "False: a compare-and-set always looks at the newest value.",
            "It looks at the state that it is put in order with. Here that is a copy which still holds 119.",
            "S2",
        ),
        (
            "done",
            "True, although another client was told the same about 121 before.",
            "The order of all operations has c3's before c1's second write. Sequentially consistent, and stale: a "
            "compare-and-set proves something about a moment, and nobody said which.",
        ),
        (
            "waits",
            "Nothing, until n3 has heard of 121.",
            "n3 does not know that there is something to wait for.",
        ),
    ],
    "right": "done",
    "reveal": 287,
}

WANDERS = {
    "question": "x was 3 and is 5. All copies have the same writes in the same order, so they will agree in the end. c2 "
    "reads 5 at n2, and now asks n3, then n2 again. What does it see in all?",
    "options": [
        (
            "forward",
            "5, 5, 5: what somebody has seen does not get older.",
            "Nobody told n3 what c2 has seen. Eventual consistency promises the end, not the way there.",
            "S10",
        ),
        (
            "back",
            "5, 3, 5.",
            "Each copy only goes forward; a client that goes from copy to copy need not.",
        ),
        (
            "newest",
            "5, then nothing until n3 has caught up, then 5.",
            "That is what a session does: the client says how far it has seen. This one does not.",
        ),
    ],
    "right": "back",
    "reveal": 307,
}
