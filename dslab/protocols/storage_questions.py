"""Questions about what clients of a store may see: `Prediction(**OTHER_CLIENT)`.

An option is (id, text, feedback) and, where it is a misconception, its catalogue name.
"""

from __future__ import annotations

OTHER_CLIENT = {
    "question": "c1 has its answer: x=1 is written. Now c2 asks n3, which is far away, and gets 0. Every client sees "
    "its "
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
    "question": "v is 121 by now. c3 wants to be sure that it knows the newest version and asks n3 to set v from 119 "
    "to "
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
    "question": "x was 3 and is 5. All copies have the same writes in the same order, so they will agree in the end. "
    "c2 "
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

ONE_MORE = {
    "question": "Sixty keys lie on five servers: key number h on server h % 5. A sixth server joins, so it is h % 6 "
    "now. How "
    "many of the keys change their server?",
    "options": [
        (
            "sixth",
            "About ten: the sixth server gets its share.",
            "It does get its share. But nearly every other key gets another remainder too, and moves between old "
            "servers.",
            "S11",
        ),
        (
            "most",
            "About fifty.",
            "h % 5 and h % 6 agree for 5 of every 30 numbers. A sixth stays, five sixths move.",
        ),
        (
            "half",
            "About thirty: remainders are random, so it is even chances.",
            "Two random remainders agree once in six, not once in two.",
            "S11",
        ),
    ],
    "right": "most",
    "reveal": 3_200,
}

CROWDED = {
    "question": "Eight servers stand on the ring, each at the hash of its name. 120 keys with two copies each make 30 "
    "for each "
    "server on average. How many has the fullest one?",
    "options": [
        (
            "even",
            "A few more than 30: hashes are spread evenly.",
            "Each point is as likely anywhere as elsewhere, and that makes arcs very unequal: the longest of eight is "
            "about "
            "2.7 times the mean.",
            "S12",
        ),
        (
            "double",
            "About twice as many.",
            "The longest of n random arcs is about (1 + 1/2 + ... + 1/n) times the mean. A hundred points per server "
            "make "
            "sums of arcs, which are nearly equal.",
        ),
        (
            "all",
            "Nearly all: most keys fall into one arc.",
            "That unequal it is not; but look at the emptiest one.",
        ),
    ],
    "right": "double",
    "reveal": 4_700,
}

NEAREST = {
    "question": "Kademlia: n1 to n6 stand at 1, 4, 7, 10, 12 and 15. Which is the nearest to the key 8, by exclusive "
    "or?",
    "options": [
        (
            "n3",
            "n3, at 7: it stands next to it.",
            "0111 and 1000 differ in every bit: their distance is 15, the longest there is.",
            "S13",
        ),
        (
            "n4",
            "n4, at 10.",
            "1010 and 1000 share their first two bits; 8 xor 10 = 2.",
        ),
        (
            "n5",
            "n5, at 12: the first one clockwise would be 10, and this is the opposite.",
            "1100 shares one bit with 1000, 1010 shares two.",
        ),
    ],
    "right": "n4",
    "reveal": 102,
}

DELETED = {
    "question": "n1, n2 and n3 hold tea. c1 deletes it at n1, which takes it out of its store and says ok. Every fifth "
    "of a second two sites compare all they have, and the newer entry wins. Who holds tea in the end?",
    "options": [
        (
            "nobody",
            "Nobody: the delete is the newest thing that happened to it, so it spreads.",
            "A change spreads as an entry with a stamp. n1 holds nothing for tea, so it has nothing to send.",
        ),
        (
            "two",
            "n2 and n3: n1 has deleted it, the others have not heard.",
            "n2 compares, finds that n1 lacks tea, and sends it. That is what it would do if n1 had never had it.",
        ),
        (
            "all",
            "All three.",
            "To the comparison, deleted and never heard of look alike, so n1 is given its tea again. A delete must "
            "leave something behind that is newer: a tombstone.",
        ),
    ],
    "right": "all",
    "reveal": 727,
}

ON_ITS_WAY = {
    "question": "A chain: n1 (head), n2, n3 (tail). x=2 is stored at n1 and n2 and on its way to n3, which holds x=1. "
    "Now c2 "
    "asks n3, the tail, for x. What is it told, and is it right?",
    "options": [
        (
            "two",
            "2: two of three have it.",
            "Nobody counts here. What the tail has is done, and nothing else.",
            "S6",
        ),
        (
            "one-right",
            "1, rightly.",
            "The write is not over before the tail has it, so the read may stand before it; and nobody has been told "
            "2.",
        ),
        (
            "one-stale",
            "1, which is stale: the write began earlier.",
            "Operations that overlap may stand in either order; when they began does not decide.",
            "S3",
        ),
    ],
    "right": "one-right",
    "reveal": 633,
}
