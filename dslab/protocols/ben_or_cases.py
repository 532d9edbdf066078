"""Runs of Ben-Or worth keeping, for ben_or.cluster: n1 begins with 0, n2 with 1, n3 with 0, n4 with 1.

Nothing is lost in them: a message that must not be heard in time is slow.
"""

from __future__ import annotations

from dslab.sim.case import Case


def _at(at, do, **arguments):
    return {"at": at, "do": do, **arguments}


def _slow(*links, by=400):
    return [_at(1, "link", source=source, target=target, latency=by) for source, target in links]


CALM = Case(
    "calm",
    "nothing fails; two of three begin with 0.",
    [_at(20, "request", command="what is decided?", to="n1")],
    until=1_000,
    question="Who decides in the first round, and what does it know then?",
)

ONE_DOWN = Case(
    "one-down",
    "n3 crashes at the start.",
    [_at(1, "crash", node="n3"), _at(10, "request", command="what is decided?", to="n1")],
    until=30_000,
    catalogue="C35",
    question="n3 says nothing. Can n1 tell whether it is slow?",
)

SPLIT = Case(
    "split",
    "four servers, two begin with 0 and two with 1: nobody hears a majority.",
    [_at(20, "request", command="what is decided?", to="n1")],
    until=30_000,
    nodes=4,
    catalogue="C30",
    question="Every server hears both values. What could make the next round different from this one?",
)

TWO_MAJORITIES = Case(
    "two-majorities",
    "of four servers, n1 and n3 hear 0, 0 and 1; n2 and n4 hear 1, 1 and 0.",
    _slow(("n4", "n1"), ("n4", "n3"), ("n3", "n2"), ("n3", "n4")),
    until=300,
    nodes=4,
    progress=False,
    catalogue="C32",
    question="Two of three is more than half. Of whom?",
)

ONE_PROPOSAL = Case(
    "one-proposal",
    "n1 has heard a majority for 0 and proposes it; n2 and n3 hear nothing of that and toss coins.",
    _slow(("n2", "n1"), ("n1", "n2"), ("n1", "n3")),
    until=300,
    seed=2,                              # both coins show 1
    progress=False,
    catalogue="C15",
    question="n1 hears of one proposal, its own. Who else must have heard of it before n1 may decide?",
)

LEFT_BEHIND = Case(
    "left-behind",
    "n1 and n3 decide in the first round; n2 has heard one proposal only, and needs another round.",
    [
        *_slow(("n2", "n1"), ("n2", "n3"), by=50),
        *_slow(("n3", "n2"), by=60),
        _at(100, "request", command="what is decided?", to="n2"),
    ],
    until=280,
    catalogue="C15",
    question="n2 knows what it prefers now. Whom does it need in order to decide?",
)

CASES = (CALM, ONE_DOWN, SPLIT, TWO_MAJORITIES, ONE_PROPOSAL, LEFT_BEHIND)
