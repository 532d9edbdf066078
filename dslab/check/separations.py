"""What tells two consistency models apart: for each pair of neighbours a smallest history that the weaker one accepts
and the stronger one refuses.

No history with fewer operations (of transactions: with fewer reads and writes) does; the tests try them all. S1, S2, S5
and S10 are the entries of the catalogue of misconceptions that a history answers; "identity" and "bounces" are told as
they stand there, and longer for it.

Source: as dslab.check.levels. Write skew: H. Berenson et al., A Critique of ANSI SQL Isolation Levels, SIGMOD 1995;
long fork: Y. Sovran et al., Transactional Storage for Geo-Replicated Systems, SOSP 2011; the fractured reads of read
atomic: P. Bailis et al., Scalable Atomic Visibility with RAMP Transactions, SIGMOD 2014.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any, NamedTuple

from .history import HistoryError, HistoryVerdict, Operation, check_history
from .levels import ALSO, LEVELS


class Separation(NamedTuple):
    """One history between two models.

    Attributes:
        name: of the history, such as "long-fork".
        stronger, weaker: the model that refuses it and the one that accepts it.
        history: the operations.
        sentence: what happens in it.
        catalogue: the misconception that it answers, or "".
        model: the kind of object, as `check_history` takes it.
    """

    name: str
    stronger: str
    weaker: str
    history: tuple[Operation, ...]
    sentence: str
    catalogue: str = ""
    model: str = "register"

    def verdicts(self) -> tuple[HistoryVerdict, HistoryVerdict]:
        """What the stronger and the weaker model say."""
        return tuple(judge(self.history, self.model, name) for name in (self.stronger, self.weaker))  # type: ignore


def judge(history: tuple[Operation, ...], model: str, consistency: str) -> HistoryVerdict:
    """The verdict of any model, of single operations or of transactions.

    Raises:
        HistoryError: there is no such model.
    """
    if consistency in LEVELS or consistency in ALSO:
        from .transactional import check

        return check(history, model, consistency)
    return check_history(history, model, consistency)


def _one_by_one(*told: tuple[Any, ...]) -> tuple[Operation, ...]:
    """Operations one after another: ("c1", "x", "=", 1) writes, ("c1", "x", "?", 1) reads, ("c1", "x", "cas", 1, 2)."""
    found = []
    for n, (who, key, sign, *values) in enumerate(told):
        do = {"=": "write", "?": "read", "cas": "cas"}[sign]
        argument = values[0] if sign == "=" else tuple(values) if sign == "cas" else None
        result = values[0] if sign == "?" else True if sign == "cas" else None
        found.append(Operation(who, do, key, argument, result, 2 * n, 2 * n + 1))
    return tuple(found)


def _transactions(*told: tuple[str, str], together: bool = False) -> tuple[Operation, ...]:
    """Transactions one after another, or all at once: ("c1", "x=1 y?-") writes 1 to x and finds nothing in y."""
    found = []
    for n, (who, text) in enumerate(told):
        parts = []
        for word in text.split():
            key, sign, value = word[0], word[1], word[2:]
            parts.append(("w" if sign == "=" else "r", key, None if value == "-" else int(value)))
        asked = tuple((do, key, value if do == "w" else None) for do, key, value in parts)
        start, end = (n, len(told) + n) if together else (2 * n, 2 * n + 1)
        found.append(Operation(who, "txn", None, asked, tuple(parts), start, end))
    return tuple(found)


STALE = _one_by_one(("c1", "x", "=", 1), ("c2", "x", "?", None))
IDENTITY = _one_by_one(("c1", "v", "=", 119), ("c1", "v", "=", 121), ("c2", "v", "cas", 121, 121),
                       ("c3", "v", "cas", 119, 119))
FORGETS = _one_by_one(("c1", "x", "=", 1), ("c1", "x", "?", None))
GOES_BACK = _one_by_one(("c1", "x", "=", 1), ("c2", "x", "?", 1), ("c2", "x", "?", None))
BOUNCES = _one_by_one(("c1", "x", "=", 3), ("c1", "x", "=", 5), ("c2", "x", "?", 5), ("c2", "x", "?", 3),
                      ("c2", "x", "?", 5), ("c3", "x", "=", 7), ("c2", "x", "?", 7))
OTHER_WINNER = _one_by_one(("c1", "x", "=", 1), ("c1", "x", "=", 2), ("c2", "x", "?", 1))
CROSSED = _one_by_one(("c1", "x", "=", 1), ("c1", "y", "?", None), ("c2", "y", "=", 2), ("c2", "x", "?", None))
OVERTAKEN = _one_by_one(("c1", "x", "=", 1), ("c1", "x", "=", 2), ("c2", "x", "?", 2), ("c2", "x", "?", 1))
EFFECT_FIRST = _one_by_one(("c1", "x", "=", 1), ("c2", "x", "?", 1), ("c2", "x", "=", 2), ("c3", "x", "?", 2),
                           ("c3", "x", "?", 1))

LATE = _transactions(("c1", "x=1"), ("c2", "x?-"))
LATE_OWN = _transactions(("c1", "x=1"), ("c1", "x?-"))
SKEW = _transactions(("c1", "x=1 y?-"), ("c2", "y=2 x?-"), together=True)
FORK = _transactions(("c1", "x=1"), ("c2", "y=2"), ("c3", "x?1 y?-"), ("c4", "y?2 x?-"), together=True)
LOST = _transactions(("c1", "x?- x=1"), ("c2", "x?- x=2"), together=True)
CIRCLE = _transactions(("c1", "x=1 y?2"), ("c2", "y=2 x?1"), together=True)
FRACTURED = _transactions(("c1", "x=1 y=2"), ("c2", "x?- y?2"), together=True)
HALF = _transactions(("c1", "x=1 y=2"), ("c2", "x?1 y?-"), together=True)
UNCAUSED = _transactions(("c1", "x=1"), ("c2", "x?1 y=2"), ("c3", "x?- y?2"), together=True)
MIXED = _transactions(("c1", "x=1 y?-"), ("c2", "x?- x=2 y=3"), together=True)
REPLACED = _transactions(("c1", "x?2 x=1"), ("c2", "x=2"))
REPLACED_OWN = _transactions(("c1", "x?2 x=1"), ("c1", "x=2"))
ECHO = _transactions(("c1", "x?1"), ("c2", "x=1"))
ECHO_OWN = _transactions(("c1", "x?1"), ("c1", "x=1"))

BETWEEN: tuple[Separation, ...] = (
    Separation("stale", "linearizable", "sequential", STALE,
               "c1's write is over before c2 reads, and c2 misses it: an order exists, but not in real time.", "S1"),
    Separation("identity", "linearizable", "sequential", IDENTITY,
               "Two compare-and-sets that change nothing find 121 and then 119: each acts on a past state.", "S2"),
    Separation("stale", "eventual", "sequential", STALE,
               "Nothing is written any more and c2 still misses the write: in one order it may for ever."),
    Separation("other-winner", "linearizable", "eventual", OTHER_WINNER,
               "The copies have agreed on the first write: everybody reads the same, though it was replaced."),
    Separation("bounces", "monotonic reads", "eventual", BOUNCES,
               "c2 reads 5, 3, 5 at two copies; after the last write all agree, as was promised.", "S10"),
    Separation("crossed", "sequential", "causal", CROSSED,
               "Each writes and does not see the other's write: no cause is missed, but no one order explains both."),
    Separation("effect-first", "causal", "pram", EFFECT_FIRST,
               "c3 sees c2's answer to a write before the write: every single writer's order is kept, causes are not."),
    Separation("forgets", "causal", "monotonic reads + writes follow reads", FORGETS,
               "c1 does not see its own write: what it reads does not go backwards, for it has read nothing yet."),
    Separation("goes-back", "pram", "read your writes", GOES_BACK,
               "c2 sees a write and then does not; what it wrote itself it would see, but it wrote nothing.", "S10"),
    Separation("forgets", "pram", "monotonic reads + monotonic writes", FORGETS,
               "c1 does not see its own write: what it reads does not go backwards, for it has read nothing yet."),
    Separation("overtaken", "monotonic reads + monotonic writes", "monotonic reads", OVERTAKEN,
               "c2 sees c1's second write and then the first: if they came in that order, it never went back."),
    Separation("goes-back", "monotonic reads + monotonic writes", "monotonic writes", GOES_BACK,
               "c2 sees a write and then does not: there is only one write, so no two are out of order.", "S10"),
    Separation("effect-first", "monotonic reads + writes follow reads", "monotonic reads", EFFECT_FIRST,
               "c3 sees c2's answer to a write before the write: its reads go forwards in an order of its own."),
    Separation("goes-back", "monotonic reads + writes follow reads", "writes follow reads", GOES_BACK,
               "c2 sees a write and then does not: nobody writes after reading.", "S10"),
)


def separation_table(pairs: tuple[Separation, ...]) -> str:
    """A Markdown table of separations: what happens, which models accept it, and which refuse it."""
    rows = ["| what happens | accepted by | refused by |", "|---|---|---|"]
    for sentence, group in groupby(pairs, key=lambda pair: pair.sentence):
        both = [(pair.weaker, pair.stronger) for pair in group]
        rows.append("| ".join(["", sentence, *("<br>".join(dict.fromkeys(side)) for side in zip(*both))]) + " |")
    return "\n".join(rows)


def _of(name: str, history: tuple[Operation, ...], sentence: str, *pairs: str,
        catalogue: str = "") -> tuple[Separation, ...]:
    return tuple(Separation(name, *pair.split(" > "), history, sentence, catalogue, "rw-register")  # type: ignore
                 for pair in pairs)


BETWEEN_TRANSACTIONS: tuple[Separation, ...] = (
    *_of("late", LATE, "c2 reads an old snapshot after c1 committed: an order exists, but not in real time.",
         "strict-serializable > strong-session-serializable",
         "strong-snapshot-isolation > strong-session-snapshot-isolation",
         "strong-snapshot-isolation > strong-read-committed",
         "strict-serializable > serializable", catalogue="S5"),
    *_of("late-own", LATE_OWN, "c1 commits a write and then reads an old snapshot without it.",
         "strong-session-serializable > serializable", "strong-session-snapshot-isolation > snapshot-isolation",
         "strong-session-snapshot-isolation > strong-session-read-committed"),
    *_of("write-skew", SKEW, "Each reads what the other writes, as it was before: from one snapshot, but in no order.",
         "serializable > snapshot-isolation", "strict-serializable > strong-snapshot-isolation",
         "strong-session-serializable > strong-session-snapshot-isolation", "repeatable-read > consistent-view"),
    *_of("long-fork", FORK, "Two readers see two writes in different orders, as at two sites that exchange them later.",
         "snapshot-isolation > parallel-snapshot-isolation", "prefix > causal-cerone"),
    *_of("lost-update", LOST, "Both read the same version and both write the next: one update is lost.",
         "snapshot-isolation > prefix", "consistent-view > causal-cerone", "update-atomic > read-atomic",
         "cursor-stability > read-committed"),
    *_of("mixed", MIXED, "c1 misses c2's write of y, and its write of x is overwritten unread: yet no update is lost.",
         "consistent-view > update-atomic"),
    *_of("uncaused", UNCAUSED, "c3 sees c2's write but not the write of c1 that c2 had read.",
         "causal-cerone > read-atomic"),
    *_of("fractured", FRACTURED, "c2 reads x before c1's commit and y after it: half of a transaction.",
         "read-atomic > monotonic-atomic-view", "consistent-view > cursor-stability"),
    *_of("half", HALF, "c2 sees c1's x and then still the y from before c1.",
         "monotonic-atomic-view > read-committed"),
    *_of("circle", CIRCLE, "Each reads what the other wrote before either has committed.",
         "read-committed > read-uncommitted",
         "strong-session-read-committed > strong-session-read-uncommitted",
         "strong-read-committed > strong-read-uncommitted"),
    *_of("echo", ECHO, "c1 has read a value before its writer even began.",
         "strong-read-committed > strong-session-read-committed"),
    *_of("echo-own", ECHO_OWN, "c1 reads a value that it writes only in its next transaction.",
         "strong-session-read-committed > read-committed"),
    *_of("replaced", REPLACED, "c1 has overwritten a version before its writer even began.",
         "strong-read-uncommitted > strong-session-read-uncommitted"),
    *_of("replaced-own", REPLACED_OWN, "c1 overwrites a version that it writes only in its next transaction.",
         "strong-session-read-uncommitted > read-uncommitted"),
)

SEPARATIONS: tuple[Separation, ...] = (*BETWEEN, *BETWEEN_TRANSACTIONS)

# Neighbours that no history of this kind tells apart, and why.
SAME: dict[tuple[str, str], str] = {
    ("serializable", "repeatable-read"): "they differ in phantoms: reads of a predicate, which these histories lack",
    ("parallel-snapshot-isolation", "consistent-view"): "two definitions of one model",
}


def separating(stronger: str, weaker: str) -> Separation:
    """The first separation of two models.

    Raises:
        HistoryError: there is none between these two.
    """
    for one in SEPARATIONS:
        if (one.stronger, one.weaker) == (stronger, weaker):
            return one
    raise HistoryError(f"no history is kept between {stronger!r} and {weaker!r}: they are no neighbours")
