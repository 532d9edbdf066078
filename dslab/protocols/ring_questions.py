"""Questions about elections, to be answered before the run is played: `Prediction(**TWO_STARTERS)`.

An option is (id, text, feedback) and, where it is a misconception, its catalogue name.
"""

from __future__ import annotations

TWO_STARTERS = {
    "question": "Six servers stand in a ring; n2 and n4 start at the same moment. Whose numbers come all the way "
    "round to the server they belong to?",
    "options": [
        (
            "both",
            "2 and 4: who starts must learn what became of it.",
            "Then both would lead. A number goes no further than to the first server with a higher one.",
            "C2",
        ),
        (
            "four",
            "4: it is the higher of the two.",
            "n5 hears 4, drops it and sends 5; then n6 drops that and sends 6.",
            "C2",
        ),
        (
            "six",
            "6, although n6 did not start.",
            "Every server that hears a lower number sends its own instead. Only the highest number of all is never "
            "dropped.",
        ),
    ],
    "right": "six",
    "reveal": 150,
}

SLOW_ANSWER = {
    "question": "n5 lives, but its answer to n4 takes longer than n4 waits. How many servers lead?",
    "options": [
        (
            "one",
            "One: the highest number wins, and that is n5.",
            "n4 cannot tell a slow n5 from a dead one. For a while both lead.",
            "C1",
        ),
        (
            "two",
            "Two, for a while.",
            "The timeout is a guess. What they write must be protected by somebody who knows which election was last.",
        ),
        (
            "none",
            "None: n4 waits until n5 has announced itself.",
            "If n5 were dead, n4 would wait for ever. It has to guess.",
            "C10",
        ),
    ],
    "right": "two",
    "reveal": 80,
}
