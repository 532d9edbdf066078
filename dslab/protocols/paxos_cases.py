"""Runs of Paxos worth keeping: each shows why a rule is there, by what happens to those who leave it out.

All but TWO_AT_ONCE are made for `stage`: two proposers p1 and p2 that want v and w, and as many acceptors a1, a2, a3 as
the case has nodes. Every message takes 10 ms, so a ballot takes 40 ms: prepare, promise, accept, accepted. `timeout`
actions make a proposer begin its next ballot at once; of itself none begins before 1,000 ms.
"""

from __future__ import annotations

from dslab.sim.case import Case

from . import paxos

RETRY = (1_000, 2_000)           # ms; long after what the schedules do
TURN_MS = 15                     # between two ballots in a duel: less than the two message delays of a phase


def stage(acceptors=3, *, proposers=2, retry=RETRY, **options):
    """The system that these runs are made for.

    Args:
        acceptors, proposers: how many of each; p1 wants v, p2 w, p3 x.
        retry: ms between the ballots of one proposer, (lowest, highest).
        options: as for paxos.cluster with roles apart, such as proposer=...; not values, latency and disk.
    """
    return paxos.cluster(proposers=proposers, acceptors=acceptors, values=("v", "w", "x")[:proposers], latency=10,
                         disk=0, retry=retry, **options)


def _at(at, do, **arguments):
    return {"at": at, "do": do, **arguments}


def _proposes(proposer, at):
    return _at(at, "timeout", node=proposer, timer="propose")


def _cut(at, source, *targets):
    return [_at(at, "cut", source=source, target=target) for target in targets]


def _slow(at, source, *targets, by):
    return [_at(at, "link", source=source, target=target, latency=by) for target in targets]


CALM = Case(
    "calm",
    "nothing fails; p1 gets v chosen in four message delays, and p2 hears of it when it asks.",
    [_proposes("p1", 10), _proposes("p2", 100)],
    until=300,
    question="Which message makes v chosen, and who knows it then?",
)

OWN_MIND = Case(
    "own-mind",
    "p1 gets v accepted by a1 and a2; then p2, which wants w, has the promises of a2 and a3.",
    [
        *_cut(1, "p1", "a3"),            # 1. ballot 1.p1 is promised by a1 and a2,
        _proposes("p1", 10),             # 2. and both accept v
        *_cut(90, "p2", "a1"),           # 3. ballot 1.p2 is promised by a2 and a3, and a2 reports v
        _proposes("p2", 100),
    ],
    until=300,
    catalogue="C24",
    question="p2 has two promises. What does a2's report, and what may have happened because of it?",
)

COMMONEST = Case(
    "commonest",
    "a1 and a2 have accepted v under 1.p1; a3, a4 and a5 have chosen w under 1.p2; p1 hears from a1, a2 and a3.",
    [
        *_cut(1, "p1", "a4", "a5"),
        *_slow(1, "a3", "p1", by=15),
        _proposes("p1", 10),             # promised by a1, a2 and a3
        *_cut(30, "p1", "a3"),           # accepted by a1 and a2 only
        *_cut(90, "p2", "a1", "a2"),
        _proposes("p2", 100),            # promised and accepted by a3, a4 and a5
        _at(190, "mend", source="p1", target="a3"),
        _proposes("p1", 200),
    ],
    until=400,
    nodes=5,
    catalogue="C25",
    question="p1 hears v, v and w. Which of the two can have been chosen, and which cannot?",
)

LATE_ACCEPT = Case(
    "late-accept",
    "w is chosen by a1 and a2 under 1.p2; then late requests to accept v under 1.p1 reach a2 and a3.",
    [
        _proposes("p1", 10),
        *_cut(25, "p1", "a1"),
        *_slow(25, "p1", "a2", "a3", by=200),
        *_cut(40, "p2", "a3"),
        _proposes("p2", 50),
    ],
    until=400,
    catalogue="C26",
    question="a2 has promised 1.p2. What has it promised not to do?",
)

SAME_NUMBER = Case(
    "same-number",
    "p1 and p2 begin at the same moment; p1 reaches a1 and a2, p2 reaches a2 and a3.",
    [*_cut(1, "p1", "a3"), *_cut(1, "p2", "a1"), _proposes("p1", 10), _proposes("p2", 11)],
    until=300,
    catalogue="C27",
    question="a2 hears from both. By what does it tell their ballots apart?",
)

RESTARTED_ACCEPTOR = Case(
    "restarted-acceptor",
    "a2 promises 1.p2 and restarts; then a late request of p1 reaches it, and then one of p2.",
    [
        *_cut(1, "p1", "a3"),
        *_cut(1, "p2", "a1"),
        _proposes("p1", 10),
        *_slow(25, "p1", "a2", by=100),
        _proposes("p2", 50),
        *_slow(65, "p2", "a2", "a3", by=200),
        _at(100, "crash", node="a2"),
        _at(110, "restart", node="a2"),
    ],
    until=400,
    catalogue="C28",
    question="What does a2 still know after its restart, and who relies on it?",
)

SPLIT = Case(
    "split",
    "a1 alone has accepted v, a3 alone has accepted w under a higher ballot; then a2 stops for good.",
    [
        _proposes("p1", 10),
        *_cut(35, "p1", "a2", "a3"),
        *_cut(40, "p2", "a1"),
        _proposes("p2", 50),
        *_cut(75, "p2", "a2"),
        _at(100, "crash", node="a2"),
        _at(110, "heal"),
        _proposes("p1", 200),
        _proposes("p2", 300),
    ],
    until=500,
    catalogue="C36",
    question="Neither v nor w is chosen yet. Whose mind must change, and under which ballot?",
)

PATIENCE = Case(
    "patience",
    "p1 has its promises, but nobody hears its request to accept v; meanwhile p2 gets w chosen.",
    [
        _proposes("p1", 10),
        *_cut(25, "p1", "a1", "a2", "a3"),
        _proposes("p2", 50),
        _proposes("p1", 150),
    ],
    until=300,
    catalogue="C30",
    question="p1 has waited in vain. What does it know about v?",
)

TWO_HALVES = Case(
    "two-halves",
    "of four acceptors, p1 reaches a1 and a2, p2 reaches a3 and a4.",
    [*_cut(1, "p1", "a3", "a4"), *_cut(1, "p2", "a1", "a2"), _proposes("p1", 10), _proposes("p2", 15)],
    until=300,
    nodes=4,
    catalogue="C32",
    question="Is there an acceptor that heard of both ballots?",
)

ONE_DOWN = Case(
    "one-down",
    "a3 is down from the start; p1 proposes v.",
    [_at(5, "crash", node="a3"), _proposes("p1", 10)],
    until=300,
    catalogue="C35",
    question="How many acceptors answer p1, and how many does it need?",
)


def duel(rounds):
    """Two proposers that take turns so that neither gets a value chosen: each ballot overtakes the one before.

    Args:
        rounds: ballots of each proposer, 1 or more; while they last nothing is chosen, whatever the back-off.
    """
    schedule = [_proposes(("p1", "p2")[turn % 2], 10 + TURN_MS * turn) for turn in range(2 * rounds)]
    return Case(
        f"duel-{rounds}",
        f"p1 and p2 begin {rounds} ballots each, always before the other has its value accepted.",
        schedule,
        until=schedule[-1]["at"] + TURN_MS,
        catalogue="C29",
        question="Each proposer did what it should. What must change so that one of them is left in peace?",
    )


TWO_AT_ONCE = Case(
    "two-at-once",
    "two clients ask two servers, which play all roles, for v and for w at the same moment.",
    [
        _at(10, "request", command="v", to="n1"),
        _at(10, "request", command="w", to="n2", client="c2"),
    ],
    until=3_000,
    clients=2,
    catalogue="C29",
    question="Every few ms somebody is overtaken. What would have to happen for a ballot to last 40 ms?",
)

CASES = (CALM, OWN_MIND, COMMONEST, LATE_ACCEPT, SAME_NUMBER, RESTARTED_ACCEPTOR, SPLIT, PATIENCE, TWO_HALVES,
         ONE_DOWN)
