"""Questions about placing and finding keys, to be answered before the run is played: `Prediction(**ONE_MORE_SERVER)`.

An option is (id, text, feedback) and, where it is a misconception, its catalogue name.
"""

from __future__ import annotations

ONE_MORE_SERVER = {
    "question": "Five servers hold 20,000 keys, each at server number hash % 5. A sixth server comes, and the rule is "
    "now hash % 6. How many keys must move?",
    "options": [
        (
            "sixth",
            "About one in six: the new server gets its share.",
            "That is what one would like. But a key stays only if its hash has the same remainder for 5 and for 6.",
            "S11",
        ),
        (
            "most",
            "About five in six.",
            "A hash leaves the same remainder for 5 and for 6 in 5 of 30 cases. On a ring, only the keys of one arc "
            "move: about one in six.",
        ),
        (
            "half",
            "About half of them.",
            "Write the numbers from 0 to 29 with both remainders next to each other and count the equal ones.",
            "S11",
        ),
    ],
    "right": "most",
    "reveal": 3_000,
}

ONE_POINT_EACH = {
    "question": "Eight servers stand on the ring, each at the hash of its name. How many keys has the fullest, "
    "compared with the average?",
    "options": [
        (
            "even",
            "A few per cent more: a hash spreads things evenly.",
            "It spreads thousands of keys evenly over the circle, and eight servers not at all evenly: an arc is as "
            "long as chance makes it.",
            "S12",
        ),
        (
            "double",
            "About two to three times as many.",
            "The longest of n random arcs is about ln n times the mean. With a hundred points for each server the "
            "arcs of one server add up to nearly the mean.",
        ),
    ],
    "right": "double",
    "reveal": 4_500,
}

BEHIND_THE_LAST = {
    "question": "Servers stand at 10, 30 and 50 on a circle of 64 identifiers. Who owns the keys 55 and 30?",
    "options": [
        (
            "wraps",
            "55 belongs to 10, and 30 to 30.",
            "Behind the last server comes the first; and an arc includes its end: (10, 30] belongs to 30.",
        ),
        (
            "nobody",
            "55 belongs to nobody before a server comes that stands higher.",
            "The line is a circle: from 63 it goes on with 0, and the next server is the one at 10.",
            "S13",
        ),
        (
            "next",
            "55 belongs to 10, and 30 to 50, the next one.",
            "A key exactly at a server is its own: otherwise a server that looks up itself would find its successor.",
            "S13",
        ),
        (
            "last",
            "55 belongs to 50, which is the nearest below.",
            "Owners lie clockwise, at or after the key, not before it.",
            "S13",
        ),
    ],
    "right": "wraps",
    "reveal": 400,
}

STALE_FINGERS = {
    "question": "Three servers have just joined a Chord ring, and no finger has been repaired since. What becomes of "
    "lookups of keys that the new ones own?",
    "options": [
        (
            "wrong",
            "They end at the old owners, until the fingers are right.",
            "A finger only says where to go on. The last step is made by the server before the key, and that one "
            "asks its successor, which stabilization has repaired.",
            "S14",
        ),
        (
            "longer",
            "They end at the right owners, with a hop more now and then.",
            "Successors carry correctness, fingers carry speed. One wrong successor is worse than all fingers wrong.",
        ),
        (
            "fail",
            "They fail: a server that no finger names cannot be reached.",
            "It can: by the successor of the server before it.",
            "S14",
        ),
    ],
    "right": "longer",
    "reveal": 6_000,
}

SAME_HOST = {
    "question": "Each key has two copies, at the next two points of the ring. n1 and n2 run on one host. The host "
    "fails. How many copies has a key that lay at n1 and n2?",
    "options": [
        (
            "one",
            "One: two copies are two copies.",
            "Both stood on the host that failed. Copies that fail together count as one.",
            "S15",
        ),
        (
            "none",
            "None.",
            "Points of the same host must be skipped when keepers are chosen; then the second copy is elsewhere.",
        ),
    ],
    "right": "none",
    "reveal": 2_600,
}
