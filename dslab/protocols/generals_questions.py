"""Questions about runs in generals_cases, to be answered before these are played: `Prediction(**THREE)`.

An option is (id, text, feedback) and, where it is a misconception, its catalogue name, as in raft_questions.
"""

from __future__ import annotations

THREE = {     # THREE_LIEUTENANT and THREE_COMMANDER
    "question": "Three generals, one of them a traitor. n2 has heard *attack* from the commander n1, and n3 tells "
    "it that the commander said *retreat*. What should n2 do?",
    "options": [
        (
            "attack",
            "Attack: the commander's own word counts more.",
            "Then n1, if it is the traitor, has n2 attack alone: n3 has heard retreat from it, and by the same rule "
            "retreats.",
            "C34",
        ),
        (
            "retreat",
            "Retreat: in doubt, take the order that is agreed on for that.",
            "Then n3, if it is the traitor, makes n2 disobey a loyal commander.",
            "C32",
        ),
        (
            "none",
            "Whatever it does is wrong in one of two cases that look the same to it.",
            "If n3 lies, n2 must attack; if n1 lies, it must do as n3. It hears the same in both, so three generals "
            "cannot stand one traitor, whatever the rule.",
        ),
        (
            "ask",
            "Ask n1 and n3 once more.",
            "The traitor says the same again, and the loyal one, too.",
            "C35",
        ),
    ],
    "right": "none",
    "reveal": 60,
}

FOUR = {      # COMMANDER_LIES
    "question": "Four generals. The commander n1 is a traitor: it says *attack* to n2 and n3, and *retreat* to n4. "
    "The lieutenants tell one another what they heard. What do they do?",
    "options": [
        (
            "split",
            "n2 and n3 attack, n4 retreats: each obeys what it heard.",
            "That is why they ask one another: each of the three ends with the same words, attack, attack and "
            "retreat.",
            "C34",
        ),
        (
            "attack",
            "All three attack.",
            "Each holds the same three words, two for attack, so the same majority.",
        ),
        (
            "retreat",
            "All three retreat, because somebody has lied.",
            "They could agree on that, too; but then one traitor, even a lieutenant, could stop every attack of a "
            "loyal commander.",
            "C35",
        ),
    ],
    "right": "attack",
    "reveal": 60,
}
