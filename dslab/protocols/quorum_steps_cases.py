"""Runs for the steps of quorum_steps: each shows what becomes of a register without a rule.

Every link takes 10 ms unless a case says otherwise.
"""

from __future__ import annotations

from dslab.sim.case import Case

from . import storms as weather
from .quorum_cases import HALF_WRITTEN, _asks, _deaf, _fast, _slow
from .raft_cases import _at

LAST_FOUR = ("n4", "n5", "n6", "n7")

# ---- step 1: write

ONE_AFTER_THE_OTHER = Case(
    "one-after-the-other",
    "nothing fails; c1 writes x=1 at n1, then c2 x=2 at n2.",
    [_asks(10, "c1", "x=1", "n1"), _asks(200, "c2", "x=2", "n2")],
    until=1_000,
    clients=2,
    question="What must a server have heard, and from how many, before it can give a write a version?",
)

SAME_TIME = Case(
    "same-time",
    "c1 writes x=1 at n1 while c2 writes x=2 at n2.",
    [_asks(10, "c1", "x=1", "n1"), _asks(12, "c2", "x=2", "n2")],
    until=1_000,
    clients=2,
    catalogue="F8",
    question="Both servers hear of the same versions. In what do the two new ones differ?",
)

ONE_DOOR = SAME_TIME._replace(
    name="one-door",
    shows="c1 writes x=1 and c2 writes x=2, both at n1, at the same time.",
    schedule=[_asks(10, "c1", "x=1", "n1"), _asks(12, "c2", "x=2", "n1")],
    question="n1 asks for both before it has stored one. What does it know of the first when it numbers the second?",
)

BEHIND = Case(
    "behind",
    "x=1 and x=2 are written at n1, and n3 hears nothing of them; then c2 writes x=3 at n3.",
    [
        *_deaf(2, "n1", "n3"),
        _asks(10, "c1", "x=1", "n1"),
        _asks(110, "c1", "x=2", "n1"),
        _asks(250, "c2", "x=3", "n3"),
        *_deaf(255, "n1", "n3", loss=0),
    ],
    until=1_500,
    clients=2,
    catalogue="F11",
    question="n3 holds nothing of x. Who can tell it which versions there are, and how many does it have to ask?",
)

OVERTAKEN = Case(
    "overtaken",
    "n3 stores x=2, then the old message with x=1 arrives; n1 has heard nothing of x=2.",
    [
        *_slow(25, "n1", "n3", ms=300),
        _asks(10, "c1", "x=1", "n1"),
        *_deaf(130, "n2", "n1"),
        _asks(110, "c2", "x=2", "n2"),
        *_deaf(600, "n2", "n1", loss=0),
    ],
    until=1_500,
    clients=2,
    catalogue="F11",
    question="Two messages reach n3 in the wrong order. What does the later one say about which is newer?",
)

STUCK = Case(
    "stuck",
    "n1 has asked for versions and given its write one; then nothing that it sends arrives, for a while.",
    [_asks(10, "c1", "x=1", "n1"), *_deaf(25, "n1", "n2", "n3"),
     *_deaf(500, "n1", "n2", "n3", loss=0)],
    until=1_500,
    catalogue="S7",
    question="Who has stored x=1 at 100 ms, and what may c1 be told by then?",
)

FIVE_STUCK = Case(
    "five-stuck",
    "five servers, R=2 and W=4; n4 and n5 hear of the write late.",
    [_asks(10, "c1", "x=1", "n1"), *_slow(25, "n1", "n4", "n5", ms=150),
     *_fast(250, "n1", "n4", "n5")],
    until=1_500,
    nodes=5,
    catalogue="C32",
    question="Two servers answer a read. How many must have stored a write, so that one of any two has it?",
)

ONE_DOWN = Case(
    "one-down",
    "n3 has crashed; c1 writes x=1 and reads it.",
    [_at(5, "crash", node="n3"), _asks(10, "c1", "x=1", "n1"), _asks(300, "c1", "x", "n1")],
    until=1_500,
    catalogue="C35",
    question="Who answers n1, and for whom does it wait?",
)

SEVEN_BEHIND = Case(
    "seven-behind",
    "seven servers, R=5 and W=3; n4 to n7 are not reached by x=1 and x=2; then c2 writes x=3 at n4.",
    [
        _asks(10, "c1", "x=1", "n1"),
        *_deaf(25, "n1", *LAST_FOUR),
        *_deaf(100, "n1", *LAST_FOUR, loss=0),
        _asks(110, "c1", "x=2", "n1"),
        *_deaf(125, "n1", *LAST_FOUR),
        *_deaf(240, "n1", *LAST_FOUR, loss=0),
        *_slow(240, "n1", "n4", ms=30),
        *_slow(240, "n2", "n4", ms=30),
        *_slow(240, "n3", "n4", ms=30),
        _asks(250, "c2", "x=3", "n4"),
    ],
    until=1_500,
    nodes=7,
    clients=2,
    catalogue="F11",
    question="Three servers hold x=2. How many of seven must be asked, so that one of the three is among them?",
)

WRITE = (ONE_AFTER_THE_OTHER, SAME_TIME, ONE_DOOR, BEHIND, OVERTAKEN, STUCK, FIVE_STUCK, SEVEN_BEHIND, ONE_DOWN)

# ---- step 2: read

READ_BACK = Case(
    "read-back",
    "nothing fails; c1 writes x=1 at n1, c2 reads x at n2, and y, which nobody has written.",
    [_asks(10, "c1", "x=1", "n1"), _asks(200, "c2", "x", "n2"), _asks(300, "c2", "y", "n2")],
    until=1_000,
    clients=2,
    question="What do the replicas answer, and which of the answers is the newest?",
)

LATE_REPLICA = Case(
    "late-replica",
    "x=1 is acknowledged by n1 and n2, and on its way to n3; c2 reads at n3.",
    [
        *_slow(25, "n1", "n3"),
        _asks(10, "c1", "x=1", "n1"),
        _asks(100, "c2", "x", "n3"),
        *_fast(500, "n1", "n3"),
    ],
    until=1_500,
    clients=2,
    catalogue="S1",
    question="x=1 was acknowledged before c2 asked. Which replicas have it, and how many must n3 hear to meet one?",
)

OLD_ANSWER_LAST = LATE_REPLICA._replace(
    name="old-answer-last",
    shows="x=9 is everywhere and x=10 at n1 and n2 only; c2 reads at n1, which n3 answers first.",
    schedule=[
        _asks(10, "c1", "x=9", "n1"),
        *_slow(125, "n1", "n3", ms=500),
        _asks(110, "c1", "x=10", "n1"),
        *_slow(160, "n1", "n2", ms=60),
        *_fast(160, "n1", "n3"),
        _asks(170, "c2", "x", "n1"),
        *_fast(300, "n1", "n2"),
    ],
    question="n1 has 10 itself, and n3 answers 9. Which of the two is it, and what tells?",
)

SEVEN = Case(
    "seven",
    "seven servers, R=5 and W=3; x=2 is acknowledged by n1, n2 and n3, the others still have x=1; c2 reads at n4.",
    [
        _asks(10, "c1", "x=1", "n1"),
        *_slow(125, "n1", *LAST_FOUR),
        _asks(110, "c1", "x=2", "n1"),
        *_fast(170, "n1", "n5", "n6", "n7"),
        *_slow(170, "n1", "n4", ms=30),
        *_slow(170, "n2", "n4", ms=100),
        *_slow(170, "n3", "n4", ms=100),
        _asks(200, "c2", "x", "n4"),
        *_fast(400, "n2", "n4"),
        *_fast(400, "n3", "n4"),
    ],
    until=1_500,
    nodes=7,
    clients=2,
    catalogue="S1",
    question="Four of the five answers say 1. Is that a vote?",
)

TWO_LEFT = Case(
    "two-left",
    "x=1 is acknowledged by n1 and n2, and n3 never hears of it; n2 crashes; c2 reads at n3.",
    [
        *_deaf(25, "n1", "n3"),
        _asks(10, "c1", "x=1", "n1"),
        *_deaf(150, "n1", "n3", loss=0),
        _at(160, "crash", node="n2"),
        _asks(200, "c2", "x", "n3"),
    ],
    until=1_500,
    clients=2,
    catalogue="S6",
    question="The two answers differ, and no third one will come. Which of them may c2 be told?",
)

SAME_COUNT = Case(
    "same-count",
    "x=1 and x=2 were written at the same time, at n1 and n2, as 1.n1 and 1.n2; later c1 and c2 read at n1 and n3.",
    [
        _asks(10, "c1", "x=1", "n1"),
        *_slow(32, "n2", "n1", ms=300),
        _asks(12, "c2", "x=2", "n2"),
        _asks(100, "c1", "x", "n1"),
        _asks(150, "c2", "x", "n3"),
        *_fast(400, "n2", "n1"),
    ],
    until=1_500,
    clients=2,
    catalogue="F8",
    question="Two versions have the same number. Which of them does every server take for the newer?",
)

TENTH = Case(
    "tenth",
    "c1 writes x ten times at n1, and n3 does not hear of the last one in time; c2 reads at n3.",
    [
        *[_asks(10 + 60 * i, "c1", f"x={20 - i}", "n1") for i in range(9)],
        *_slow(565, "n1", "n3"),
        _asks(550, "c1", "x=11", "n1"),
        _asks(650, "c2", "x", "n3"),
        *_fast(900, "n1", "n3"),
    ],
    until=1_800,
    clients=2,
    catalogue="S9",
    question="Which is newer, the version with the number 9 or the one with 10, and what did you compare?",
)

READ = (READ_BACK, LATE_REPLICA, OLD_ANSWER_LAST, SEVEN, TWO_LEFT, SAME_COUNT, TENTH, ONE_DOWN)

# ---- step 3: repair

AT_ONCE = Case(
    "at-once",
    "x=1 is on its way to n3; c2 reads at n1, where both answers agree, then c3 at n3; the run ends 100 ms later.",
    [
        *_slow(25, "n1", "n3"),
        _asks(10, "c1", "x=1", "n1"),
        _asks(130, "c2", "x", "n1"),
        *_fast(200, "n1", "n3"),
        _asks(230, "c3", "x", "n3"),
    ],
    until=330,
    clients=3,
    question="`found` has returned. Which of the two calls that end a read has it made, and is there a case with none?",
)

AGREED = Case(
    "agreed",
    "five servers, R=2 and W=4; x=1 has reached n1 and n2 only; c2 reads at n1, later c3 at n4.",
    [
        _asks(10, "c1", "x=0", "n1"),
        *_slow(220, "n1", "n3", "n4", "n5"),
        _asks(200, "c1", "x=1", "n1"),
        _asks(245, "c2", "x", "n1"),
        *_slow(265, "n2", "n4"),
        _asks(300, "c3", "x", "n4"),
        *_fast(460, "n1", "n3", "n4", "n5"),
        *_fast(460, "n2", "n4"),
    ],
    until=1_500,
    nodes=5,
    clients=3,
    catalogue="S6",
    question="Both answers to c2's read say 1. How many replicas have it, and how many must have it before c2 is told?",
)

FIVE_HALF_WRITTEN = Case(
    "five-half-written",
    "five servers, R=2 and W=4; x=1 has reached n1 only; c2 reads at n1, later c3 at n4.",
    [
        _asks(10, "c1", "x=0", "n1"),
        *_slow(220, "n1", "n2", "n3", "n4", "n5"),
        _asks(200, "c1", "x=1", "n1"),
        *_fast(232, "n1", "n2"),
        _asks(235, "c2", "x", "n1"),
        *_slow(262, "n2", "n4"),
        _asks(300, "c3", "x", "n4"),
        *_fast(460, "n1", "n3", "n4", "n5"),
        *_fast(460, "n2", "n4"),
    ],
    until=1_500,
    nodes=5,
    clients=3,
    catalogue="S6",
    question="c2's read has made n2 store 1. Which two replicas can another read hear that have not?",
)

MEANWHILE = Case(
    "meanwhile",
    "c2 reads 1 at n3, which lacks it, and has it stored; meanwhile c3 writes x=2 at n1, and reads it back.",
    [
        *_slow(25, "n1", "n3", ms=600),
        _asks(10, "c1", "x=1", "n1"),
        _asks(125, "c2", "x", "n3"),
        _asks(140, "c3", "x=2", "n1"),
        *_slow(148, "n3", "n1", "n2", ms=60),
        *_fast(250, "n3", "n1", "n2"),
        _asks(400, "c3", "x", "n2"),
    ],
    until=1_500,
    clients=3,
    catalogue="S6",
    question="What c2 reads is stored once more. Is it newer than it was, and newer than x=2?",
)

ONE_NUMBER = Case(
    "one-number",
    "x=1 and x=2 are written at the same time, as 1.n1 and 1.n2; x=2 is stuck at n2; c3 reads at n2, c4 at n1.",
    [
        _asks(10, "c1", "x=1", "n1"),
        _asks(12, "c2", "x=2", "n2"),
        *_slow(32, "n2", "n1", "n3"),
        *_fast(40, "n2", "n1"),
        _asks(100, "c3", "x", "n2"),
        *_slow(115, "n2", "n1"),
        _asks(160, "c4", "x", "n1"),
        *_fast(460, "n2", "n1", "n3"),
    ],
    until=1_500,
    clients=4,
    catalogue="F8",
    question="n1 and n2 both answer with the number 1. Do they hold the same version?",
)

OLD_VALUE_AGAIN = Case(
    "old-value-again",
    "x=1 is everywhere, then x=2 at n1 and n2; x=1 is written once more and stuck at n1; c2 reads at n1, c3 at n2.",
    [
        _asks(10, "c1", "x=1", "n1"),
        *_slow(125, "n1", "n3", ms=1_000),
        _asks(110, "c1", "x=2", "n1"),
        *_fast(160, "n1", "n3"),
        *_slow(220, "n1", "n2", "n3"),
        _asks(200, "c1", "x=1", "n1"),
        *_fast(232, "n1", "n3"),
        *_slow(236, "n1", "n2"),
        _asks(250, "c2", "x", "n1"),
        *_slow(265, "n1", "n3"),
        _asks(300, "c3", "x", "n2"),
        *_fast(700, "n1", "n2", "n3"),
    ],
    until=1_800,
    clients=3,
    catalogue="S6",
    question="n3 holds 1, as it should be now. Since when does it hold it, and would it tell others that it is new?",
)

READER_LACKS_IT = Case(
    "reader-lacks-it",
    "x=0 is everywhere; the write of 1 has reached n2 only; c2 reads at n1, which lacks it, later c3 at n3.",
    [
        _asks(10, "c1", "x=0", "n2"),
        *_slow(220, "n2", "n1", "n3"),
        _asks(200, "c1", "x=1", "n2"),
        *_fast(232, "n2", "n1"),
        *_slow(232, "n3", "n1"),
        *_slow(255, "n1", "n3"),
        _asks(240, "c2", "x", "n1"),
        *_slow(275, "n2", "n3"),
        *_fast(275, "n1", "n3"),
        *_fast(290, "n3", "n1"),
        _asks(310, "c3", "x", "n3"),
        *_fast(600, "n2", "n1", "n3"),
    ],
    until=1_800,
    clients=3,
    catalogue="S6",
    question="n1 has told c2 that x is 1. Does n1 itself hold 1 by then, and who counted it?",
)

REPAIR = (READ_BACK, AT_ONCE, HALF_WRITTEN, AGREED, FIVE_HALF_WRITTEN, MEANWHILE, SAME_COUNT, ONE_NUMBER,
          OLD_VALUE_AGAIN, READER_LACKS_IT, ONE_DOWN)

# ---- step 4: restart

ALL_RESTART = Case(
    "all-restart",
    "x=1 is acknowledged; all servers crash and restart; then c2 reads x.",
    [
        _asks(10, "c1", "x=1", "n1"),
        *[_at(200, "crash", node=f"n{i}") for i in (1, 2, 3)],
        *[_at(220, "restart", node=f"n{i}") for i in (1, 2, 3)],
        _asks(250, "c2", "x", "n2"),
    ],
    until=1_500,
    clients=2,
    catalogue="C28",
    question="Who has told c1 that x=1 is stored, and where is it when the power is back?",
)

ASKED_AGAIN = Case(
    "asked-again",
    "n1 crashes when x=1 is stored and c1 not told; c2 reads 1 and writes x=2; n1 restarts, and c1 asks again.",
    [
        _asks(10, "c1", "x=1", "n1"),
        _at(45, "crash", node="n1"),
        _asks(70, "c2", "x", "n2"),
        _asks(130, "c2", "x=2", "n2"),
        _at(250, "restart", node="n1"),
        _asks(280, "c3", "x", "n3"),
        _asks(450, "c3", "x", "n3"),
    ],
    until=1_500,
    clients=3,
    catalogue="F4",
    question="c1 asks for the same write again. Which version had it, and does n1 still know that?",
)

ONLY_DOOR = Case(
    "only-door",
    "c1 reaches n1 only; n1 crashes while it reads for c1, and comes back; c1 asks again.",
    [
        *[_at(1, "cut", source="c1", target=other) for other in ("n2", "n3")],
        _asks(10, "c2", "x=1", "n2"),
        *_deaf(190, "n1", "n2", "n3"),
        _asks(200, "c1", "x", "n1"),
        _at(250, "crash", node="n1"),
        *_deaf(260, "n1", "n2", "n3", loss=0),
        _at(270, "restart", node="n1"),
    ],
    until=3_000,
    clients=2,
    catalogue="F4",
    question="What does n1 still know of c1's read, and who goes on with it after the restart?",
)

RESTART = (READ_BACK, ALL_RESTART, ASKED_AGAIN, ONLY_DOOR, HALF_WRITTEN, OVERTAKEN, ONE_DOOR)


def storms(seeds, restarts=False):
    """Storms on three, four and five servers.

    Args:
        seeds: one storm for each.
        restarts: whether servers crash and restart in them.
    """
    faults = weather.RESTARTS if restarts else weather.NO_RESTARTS
    return tuple(weather.storm(seed, (3, 5, 4)[seed % 3], faults=faults) for seed in seeds)
