"""Questions about runs in crdt_cases, to be answered before these are played: `Prediction(**ONE_TOTAL)`.

An option is (id, text, feedback) and, where it is a misconception, its catalogue name.
"""

from __future__ import annotations

# ---- TWO_COUNT with crdt_variants.SingleTotal

ONE_TOTAL = {
    "question": "n1 has added 3, and n2 has added 5. Each replica keeps one total, and whoever hears of a larger one "
    "takes "
    "it. n1 and n2 tell each other. What do they show?",
    "options": [
        (
            "eight",
            "8: three and five.",
            "Nobody adds anything here. n2 holds 5 and hears of 3, which is not larger, so the 3 is never counted.",
            "S17",
        ),
        (
            "five",
            "5.",
            "The larger of the two. Both agree, and 3 is lost: a total does not say whose it is.",
        ),
        (
            "differ",
            "n1 shows 3 and n2 shows 5.",
            "The maximum is the same on both sides: merging makes them agree. What they agree on is the trouble.",
            "S17",
        ),
    ],
    "right": "five",
    "reveal": 112,
}

# ---- DELIVERED_TWICE with crdt_variants.AddsUp

TWICE = {
    "question": "n1 has added 3, and n2 has added 5. Now merging adds what the other has, slot by slot. The state of "
    "n2 "
    "reaches n1 twice. What does n1 show?",
    "options": [
        (
            "eight",
            "8: three and five.",
            "It would, if the state had come once. The second copy is added as well: 3 + 5 + 5.",
            "S16",
        ),
        (
            "thirteen",
            "13.",
            "3 + 5 + 5. The network may deliver twice, so the second merge of the same state must change nothing.",
        ),
        (
            "refuses",
            "8: n1 notices that it has merged this state before.",
            "It could, if it kept a list of all states it has merged. A merge that takes the larger needs no list.",
            "S16",
        ),
    ],
    "right": "thirteen",
    "reveal": 75,
}

# ---- BOTH_SELL with crdt_variants.Sells

LAST_ONE = {
    "question": "One piece is in stock, and n1 and n2 both know it. Each counts in slots of its own, and sells only "
    "if it "
    "sees at least one. Both sell at the same time, then tell each other. What do they show?",
    "options": [
        (
            "zero",
            "0: one of the two sales is refused.",
            "By whom? Each saw one piece when it was asked, and did not wait for the other.",
            "S18",
        ),
        (
            "minus",
            "-1, both.",
            "They agree, as promised, and on something that must not be. Agreeing in the end guards no limit.",
        ),
        (
            "differ",
            "They cannot agree: one of them has sold what was not there.",
            "They do agree: both merge the same slots. The counter has kept its promise; nobody had promised the "
            "limit.",
            "S18",
        ),
    ],
    "right": "minus",
    "reveal": 190,
}

# ---- TWO_CARTS with the last writer winning

CARTS = {
    "question": "A customer puts milk into the cart at n1, and bread at n2, before the two have heard of each other. "
    "The "
    "last writer wins. Both writes were acknowledged. What is in the cart?",
    "options": [
        (
            "both",
            "Milk and bread: merging keeps both.",
            "A register holds one value, and this one keeps the write with the higher tag. The other one is gone.",
            "S9",
        ),
        (
            "one",
            "Bread only.",
            "Numbers are equal, and n2 stands after n1, so bread wins. Milk was acknowledged, and nobody will ever "
            "know.",
        ),
        (
            "conflict",
            "Nothing until somebody settles the conflict.",
            "Nothing here notices a conflict: a tag says which write is higher, not whether it had seen the other.",
            "S9",
        ),
    ],
    "right": "one",
    "reveal": 100,
}

# ---- ADD_AND_REMOVE with an OR-set

WHO_WINS = {
    "question": "Both replicas of an OR-set hold milk. n1 removes milk while n2 adds it once more. Then they tell each "
    "other. Do they hold milk?",
    "options": [
        (
            "no",
            "No: removed is removed.",
            "In a 2P-set, yes, and for ever. Here a remove takes away the tags that it has seen, and n2's new one was "
            "not "
            "among them.",
            "S19",
        ),
        (
            "later",
            "It depends on which of the two came later.",
            "No clock is asked. Whenever it was, n1 had not seen n2's second add.",
            "S19",
        ),
        (
            "yes",
            "Yes.",
            "n1's remove was about the adds that it had seen. n2's second add was none of them.",
        ),
    ],
    "right": "yes",
    "reveal": 310,
}

# ---- ADDED_AGAIN with a 2P-set

BACK_AGAIN = {
    "question": "A client adds milk, removes it, and adds it again, all at one replica of a 2P-set. Does it hold milk?",
    "options": [
        (
            "yes",
            "Yes: it was added last.",
            "A 2P-set keeps what was removed in a second set, and what is in there never comes back.",
            "S19",
        ),
        (
            "no",
            "No, and it never will again.",
            "Its tombstone stays. An OR-set would hold it: each add has a tag of its own.",
        ),
        (
            "here",
            "Here yes, and at the other replica no.",
            "Both keep the same two sets, so both show the same.",
            "S19",
        ),
    ],
    "right": "no",
    "reveal": 90,
}

# ---- REMOVED_BEFORE_ADDED with crdt_variants.RunsAtOnce

OVERTAKEN = {
    "question": "Replicas send operations and run them as they arrive, each once. n1 adds milk; n2 hears of it and "
    "removes "
    "it. At n3 the remove arrives before the add. What does n3 hold in the end?",
    "options": [
        (
            "nothing",
            "Nothing: these operations commute.",
            "Concurrent ones do. A remove and the add that it has seen are not concurrent: their order is not free.",
            "S20",
        ),
        (
            "milk",
            "Milk, for ever.",
            "The remove found nothing to remove, and the add came after it. n3 had to wait for what the remove had "
            "seen.",
        ),
        (
            "again",
            "Milk, until the remove is sent again.",
            "It has run, and is not run twice. Nothing will remove this milk.",
            "S20",
        ),
    ],
    "right": "milk",
    "reveal": 125,
}

# ---- COUNTED_TWICE with crdt_variants.RunsAgain

COPY = {
    "question": "Replicas of a counter send operations: n1 adds 3, and the message to n2 arrives twice. n2 runs "
    "whatever "
    "arrives. What does n2 show?",
    "options": [
        (
            "three",
            "3: a copy does no harm.",
            "A copy of a state does none, because merging takes the larger. A copy of `add 3` adds 3.",
            "S20",
        ),
        (
            "six",
            "6.",
            "n2 cannot tell a copy from a second update, unless updates have numbers.",
        ),
        (
            "repaired",
            "6, until n1 tells it that it has 3.",
            "n1 never sends its total here. Replicas that send operations have nothing else to compare.",
            "S20",
        ),
    ],
    "right": "six",
    "reveal": 35,
}
