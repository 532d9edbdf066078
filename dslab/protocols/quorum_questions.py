"""Questions about runs in quorum_cases and quorum_steps_cases, to be answered before these are played.

An option is (id, text, feedback) and, where it is a misconception, its catalogue name.
"""

from __future__ import annotations

HALF_WRITTEN = {                                         # quorum_cases.HALF_WRITTEN on quorum.cluster(3, clients=3)
    "question": "N=3, R=W=2. x is 0; a write of 1 has reached n1 only and is still running. c2 reads "
    "at n1, which hears "
    "n1 and n2, and gets 1. After that c3 reads at n2, which hears n2 and n3. What may c3 get?",
    "options": [
        (
            "one",
            "1: R + W > N, so the two reads share a replica with the write.",
            "They share one with every write that is *acknowledged*. This one has reached one "
            "replica, and c3 misses it.",
            "S6",
        ),
        (
            "zero",
            "0, and that is wrong: c2 has read 1 before c3 asked.",
            "Both replicas that answer c3 have 0. No single copy could give 1 first and 0 later with "
            "no write of 0 between.",
        ),
        (
            "fine",
            "0, and that is all right: the write is still running, so it may or may not have happened.",
            "It may, until somebody has seen it. c2's answer says that it has happened, and c3 asked after that.",
            "S3",
        ),
    ],
    "right": "zero",
    "reveal": 320,
}

UNKNOWN_WRITE = {                                        # UNKNOWN_WRITE on quorum.cluster(3, clients=3, tries=1)
    "question": "A write of 1 reaches n1 only; n1 does not hear from a second replica in time and "
    "tells c1 that the write "
    "failed. x was 0. What do later reads return?",
    "options": [
        (
            "never",
            "0, always: the write has failed.",
            "n1 still has 1 on its disk. The first read that hears n1 finds the newer version and returns it.",
            "S7",
        ),
        (
            "either",
            "0 or 1, and once one has returned 1 read repair may spread it.",
            "Failed means that nobody knows: the value is somewhere, and may win later, or never be seen.",
        ),
        (
            "undone",
            "0: n1 takes the value back before it says that the write failed.",
            "It could try, but a read may have seen 1 by then, and n1 may crash before it has told everybody.",
            "S7",
        ),
    ],
    "right": "either",
    "reveal": 960,
}

HOMES_CUT_OFF = {                                        # HOMES_CUT_OFF on quorum_handoff with Sloppy
    "question": "b belongs to n1, n2 and n3; W=2. n1 and n2 are cut off. n3 stores b=1, and n4 keeps "
    "a hint for n1. All is "
    "mended, and before n4 has delivered its hint a client reads at n1, which hears n2 first. What does it get?",
    "options": [
        (
            "new",
            "b=1: two servers have it, and two are asked.",
            "n3 and n4 have it; n1 and n2 are asked. n4 is none of the three replicas, so two of "
            "these need not meet it.",
            "S8",
        ),
        (
            "old",
            "b=0: the two that answer have missed the write.",
            "The quorum of the write was sloppy: one of its two servers is none of the replicas that a read asks.",
        ),
        (
            "refused",
            "Nothing: a read fails while hints are on their way.",
            "Nobody but n4 knows of the hint. n1 and n2 answer as if nothing had happened.",
            "S8",
        ),
    ],
    "right": "old",
    "reveal": 790,
}

TWO_CARTS = {                                            # TWO_CARTS on dynamo with LastWriterWins
    "question": "Two clients put one item each into an empty cart, at the same time, at different "
    "servers; both are told "
    "that it is done. The last writer wins. What is in the cart?",
    "options": [
        (
            "both",
            "Both items: the two writes are merged.",
            "The one with the later time is kept, whole. It holds one item; the other was acknowledged and is gone.",
            "S9",
        ),
        (
            "one",
            "One item.",
            "Neither client had seen the other's item, so neither cart holds both, and one cart is thrown away.",
        ),
        (
            "none",
            "Nothing, until the conflict is resolved.",
            "The last writer wins, so there is no conflict that anybody could notice. That is what is wrong with it.",
            "S9",
        ),
    ],
    "right": "one",
    "reveal": 340,
}

VECTORS = {                                              # the same run, with dynamo_variants.ComparesTuples
    "question": "Two versions of the same cart: {c1: 2} with milk and {c2: 2} with bread. What must a replica keep?",
    "options": [
        (
            "larger",
            "The larger one: (2, 0) comes after (0, 2).",
            "That is the order of a dictionary. Neither vector is at least the other in every entry: "
            "they are concurrent.",
            "F10",
        ),
        (
            "sum",
            "Either of them: both have seen two events.",
            "The sums are equal, but the events are not the same ones, so dropping one drops an item.",
            "F10",
        ),
        (
            "both",
            "Both, as siblings.",
            "Neither has seen the other, so only somebody who knows what a cart is can say what the two make together.",
        ),
    ],
    "right": "both",
    "reveal": 340,
}

BOUNCING = {                                             # BOUNCING on quorum_sessions with Forgetful
    "question": "R=W=1. x=3 is everywhere, x=5 at n1 only so far. One client reads at n1, then at "
    "n3, then at n1. In the end "
    "all replicas will agree. What does the client read?",
    "options": [
        (
            "forward",
            "5, 5, 5: once it has seen 5, it cannot see less.",
            "n3 does not know what the client has seen. Agreement in the end says nothing about the way there.",
            "S10",
        ),
        (
            "back",
            "5, 3, 5.",
            "Each replica answers with what it has. Somebody has to bring along what was seen: a session token.",
        ),
        (
            "refused",
            "5, then an error, then 5: n3 is behind and says so.",
            "n3 has had no message about 5, so it cannot know that it is behind.",
            "S10",
        ),
    ],
    "right": "back",
    "reveal": 330,
}

LATE_REPLICA = {                                         # quorum_steps_cases.LATE_REPLICA with FollowerReads
    "question": "x=1 is acknowledged to c1: two of three replicas have it. Then c2 reads at the "
    "third, which answers from its "
    "own copy. Every client sees what it has done itself. Is this linearizable?",
    "options": [
        (
            "order",
            "Yes: each client sees its own operations in order.",
            "So it is sequentially consistent at best. c2 asked after c1 was told, and that order counts too.",
            "S1",
        ),
        (
            "stale",
            "No: c2's read begins after the write has ended, and does not see it.",
            "Real time across clients counts: what was acknowledged to one must be there for all.",
        ),
        (
            "soon",
            "Yes: the third replica gets the write a moment later.",
            "A moment later is too late: c2 has its answer, and it is one that a single copy could not have given.",
            "S10",
        ),
    ],
    "right": "stale",
    "reveal": 130,
}
