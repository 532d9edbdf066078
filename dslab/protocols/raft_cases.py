"""Runs of Raft worth keeping: each shows why a rule is there, by what happens to those who leave it out.

`timeout` actions make a server stand for election at once; all else is left to the seed. Tests prove that
Raft keeps its promises in all of them, and that the variant without the guard does not.
"""

from __future__ import annotations

from dslab.sim.case import Case


def _at(at, do, **arguments):
    return {"at": at, "do": do, **arguments}


def _stands(node, at):
    return _at(at, "timeout", node=node, timer="election")


CALM = Case(
    "calm",
    "nothing fails; a client writes x=1.",
    [_at(600, "request", command="x=1", to="n1")],
    until=2_500,
    question="What does a candidate, or a leader, wait for in this run, and from whom?",
)

LEADER_DIES = Case(
    "leader-dies",
    "the leader n1 crashes, and a client asks the others to write y=2.",
    [
        _stands("n1", 10),
        _at(60, "request", command="x=1", to="n1"),
        _at(200, "crash", node="n1"),
        _at(250, "request", command="y=2", to="n2"),
    ],
    until=4_000,
    seed=2,
    catalogue="C5",
    question="n2 and n3 have both voted before. In which term, and what does that say about a later one?",
)

TWO_CANDIDATES = Case(
    "two-candidates",
    "n1 and n2 stand for election at the same moment, and both ask n3.",
    [_stands("n1", 10), _stands("n2", 10)],
    until=200,
    progress=False,
    catalogue="C9",
    question="n3 hears from n1 and from n2 in the same term. What must it remember between the two?",
)

RESTARTED_VOTER = Case(
    "restarted-voter",
    "n3 votes for n1, crashes, restarts, and is asked by n2 in the same term.",
    [
        _at(2, "cut", source="n1", target="n2"),
        _at(2, "link", source="n2", target="n3", latency=[60, 60]),
        _stands("n1", 10),
        _stands("n2", 10),
        _at(40, "crash", node="n3"),
        _at(50, "restart", node="n3"),
    ],
    until=200,
    progress=False,
    catalogue="C9",
    question="What did n3 still know after its restart?",
)

SHORT_LOG = Case(
    "short-log",
    "n3 misses a committed entry, then asks for votes when the leader has died.",
    [
        _stands("n1", 10),
        _at(60, "request", command="x=1", to="n1"),
        _at(150, "partition", groups=[["n3"]]),
        _at(160, "request", command="y=2", to="n1"),
        _at(240, "crash", node="n1"),
        _at(250, "heal"),
        _stands("n3", 250),
    ],
    until=600,
    progress=False,
    catalogue="C8",
    question="n2 and n3 end with the same term, at different lengths. Which holds all that was committed?",
)

LONG_LOG = Case(
    "long-log",
    "n1 gathers entries that nobody else has, while n2 and n3 go on without it in a newer term.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1"]]),
        _at(70, "request", command="a=1", to="n1"),
        _at(80, "request", command="b=2", to="n1", client="c2"),
        _stands("n2", 110),
        _at(160, "request", command="c=3", to="n2", client="c3"),
        _at(260, "crash", node="n2"),
        _at(270, "heal"),
        _stands("n1", 380),
    ],
    until=700,
    progress=False,
    clients=3,
    catalogue="C7",
    question="n1 has two entries, n3 has one. Which of the three had a majority, and what says so?",
)

LONG_LOG_GOES_ON = LONG_LOG._replace(
    name="long-log-goes-on",
    shows="the same, and n1 and n3 stay alone: one log is longer, the other newer.",
    until=5_000,
    progress=True,
    question="n1 and n3 are a majority. Which of the two can lead, and why must the other vote for it?",
)

IMPATIENT = Case(
    "impatient",
    "n3 has an old log and a clock that runs three times too fast; the leader dies.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n3"]]),
        _at(70, "request", command="x=1", to="n1"),
        _at(150, "skew", node="n3", rate=3.0),
        _at(200, "crash", node="n1"),
        _at(200, "heal"),
        _at(250, "request", command="y=2", to="n2"),
    ],
    until=6_000,
    catalogue="C6",
    question="n2 could win, n3 cannot. What keeps n2 from ever standing for election?",
)

ASKED_IN_VAIN = Case(
    "asked-in-vain",
    "n3, with an old log, asks n2 in term 2 and is refused; then n1, with all that n2 has, stands in term 2 too.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n3"]]),
        _at(70, "request", command="x=1", to="n1"),
        _at(145, "crash", node="n1"),
        _at(155, "restart", node="n1"),
        _at(160, "heal"),
        _at(160, "cut", source="n3", target="n1"),
        _stands("n3", 165),
        _stands("n1", 200),
        _at(255, "request", command="y=2", to="n1"),
    ],
    until=450,
    catalogue="C5",
    question="n2 is in term 2 and has given nobody its vote there. What speaks against n1, which asks for it?",
)

OLD_REQUEST = Case(
    "old-request",
    "n1's request of term 1 reaches n2 when n2 is in term 2; after it comes n3's, of term 2.",
    [
        _at(1, "cut", source="n3", target="n1"),
        _at(1, "link", source="n1", target="n2", latency=[75, 75]),
        _at(1, "link", source="n3", target="n2", latency=[90, 90]),
        _stands("n1", 5),
        _stands("n3", 10),
        _stands("n3", 12),
        _at(20, "link", source="n1", target="n2", latency=[5, 5]),
        _at(20, "link", source="n3", target="n2", latency=[5, 5]),
        _stands("n2", 30),
        _at(70, "mend", source="n3", target="n1"),
        _at(150, "request", command="x=1", to="n3"),
    ],
    until=420,
    catalogue="C4",
    question="n1 asked in term 1, and n2 is in term 2. What is that vote good for, and what does giving it cost?",
)

ASKED_AGAIN = Case(
    "asked-again",
    "two of five servers are down; each of n1's requests for a vote reaches n2 and n3 twice.",
    [
        _at(1, "link", source="n1", target="n2", duplicate=1, latency=[5, 5]),
        _at(1, "link", source="n2", target="n1", latency=[5, 5]),
        _at(1, "link", source="n1", target="n3", duplicate=1, latency=[60, 60]),
        _at(5, "crash", node="n4"),
        _at(5, "crash", node="n5"),
        _stands("n1", 10),
        _at(120, "request", command="x=1", to="n1"),
    ],
    until=400,
    nodes=5,
    catalogue="C5",
    question="n2 has voted for n1 and hears the same request again. What does its second answer tell n1?",
)

TWO_CANDIDATES_TWICE = TWO_CANDIDATES._replace(
    name="two-candidates-twice",
    shows="n1 and n2 stand for election at the same moment, and the request of each reaches n3 twice.",
    schedule=[
        *[_at(1, "link", source=source, target="n3", duplicate=1) for source in ("n1", "n2")],
        _at(1, "cut", source="n1", target="n2"),
        _at(1, "cut", source="n2", target="n1"),
        *TWO_CANDIDATES.schedule,
    ],
)

LEADER_IS_ASKED = Case(
    "leader-is-asked",
    "n1 leads term 1, n2 is down, and n3 stands in term 2: only n1 can vote for it.",
    [
        _stands("n1", 10),
        _at(60, "request", command="x=1", to="n1"),
        _at(150, "crash", node="n2"),
        _stands("n3", 200),
        _at(260, "request", command="y=2", to="n3"),
    ],
    until=530,
    catalogue="C5",
    question="n1 leads term 1 and is asked in term 2. What is it in term 2?",
)

ONE_DOWN = Case(
    "one-down",
    "n3 is down from the start; n1 leads, and a client writes x=1.",
    [_at(5, "crash", node="n3"), _stands("n1", 10), _at(100, "request", command="x=1", to="n1")],
    until=3_000,
    catalogue="C35",
    question="n1 and n2 both hold the entry. How many of the three servers is that, n1 included?",
)

TWO_OF_FIVE_DOWN = Case(
    "two-of-five-down",
    "n4 and n5 of five servers are down from the start; n1 leads, and a client writes x=1.",
    [
        _at(5, "crash", node="n4"),
        _at(5, "crash", node="n5"),
        _stands("n1", 10),
        _at(100, "request", command="x=1", to="n1"),
    ],
    until=3_000,
    nodes=5,
    catalogue="C35",
    question="How many of the five servers hold the entry, n1 included? How many does it take?",
)

THREE_OF_SEVEN_DOWN = Case(
    "three-of-seven-down",
    "n5, n6 and n7 of seven servers are down from the start; n1 leads, and a client writes x=1.",
    [
        *[_at(5, "crash", node=node) for node in ("n5", "n6", "n7")],
        _stands("n1", 10),
        _at(100, "request", command="x=1", to="n1"),
    ],
    until=3_000,
    nodes=7,
    catalogue="C35",
    question="How many of the seven servers hold the entry, n1 included? How many does it take?",
)

ONE_BEHIND = Case(
    "one-behind",
    "n4 and n5 are down; n2 has answered for x=1 and y=2 when n3 answers for x=1.",
    [
        *[_at(1, "link", source=a, target=b, latency=[5, 5]) for a, b in (("n1", "n2"), ("n2", "n1"))],
        _at(5, "crash", node="n4"),
        _at(5, "crash", node="n5"),
        _stands("n1", 10),
        _at(60, "link", source="n3", target="n1", latency=[40, 40]),
        _at(62, "request", command="x=1", to="n1"),
        _at(70, "request", command="y=2", to="n1", client="c2"),
    ],
    until=1_000,
    nodes=5,
    clients=2,
    catalogue="C35",
    question="n1 knows that n2 holds two entries and n3 one. How many servers hold the first, n1 included?",
)

BOTH_AT_ONCE = ONE_BEHIND._replace(
    name="both-at-once",
    shows="n4 and n5 are down; n3 misses x=1, then gets it together with y=2, and answers once for both.",
    schedule=[
        *ONE_BEHIND.schedule[:5],
        _at(60, "cut", source="n1", target="n3"),
        _at(62, "request", command="x=1", to="n1"),
        _at(82, "mend", source="n1", target="n3"),
        _at(84, "request", command="y=2", to="n1", client="c2"),
    ],
    question="n3 answers once, for index 2. What does n1 know about index 1 and index 2 now?",
)

ONE_OF_FOUR_DOWN = ONE_DOWN._replace(
    name="one-of-four-down",
    shows="n3 of four servers is down from the start; n1 leads, and a client writes x=1.",
    nodes=4,
    question="How many of the four servers hold the entry, n1 included? How many does it take?",
)

OLD_ENTRY_FIRST = Case(
    "old-entry-first",
    "n1 leads again after a restart, with an entry of its first term before the one it gets now.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1"]]),
        _at(70, "request", command="x=1", to="n1"),
        _at(100, "crash", node="n1"),
        _at(110, "restart", node="n1"),
        _at(110, "heal"),
        _stands("n1", 120),
        _at(200, "request", command="y=2", to="n1", client="c2"),
    ],
    until=3_000,
    clients=2,
    catalogue="C14",
    question="Index 1 is of term 1, index 2 of n1's own term 2. If index 2 is safe, what about index 1?",
)

LEADER_ALONE = Case(
    "leader-alone",
    "n1 leads, is cut off, and gets a request; the others elect n2.",
    [
        _stands("n1", 10),
        _at(80, "partition", groups=[["n1"]]),
        _at(90, "request", command="x=1", to="n1"),
        _stands("n2", 130),
    ],
    until=400,
    progress=False,
    catalogue="C17",
    question="Which servers hold index 1 when n1 calls it committed, and what proves it to n1?",
)

HALF = Case(
    "half",
    "four servers are split into two halves; n1 and n3 stand for election.",
    [_at(5, "partition", groups=[["n1", "n2"], ["n3", "n4"]]), _stands("n1", 10), _stands("n3", 10)],
    until=300,
    progress=False,
    nodes=4,
    catalogue="C32",
    question="How many of the four servers voted for each leader? Is there a server that could have noticed?",
)

FIGURE_8 = Case(
    "figure-8",
    "Figure 8 of the paper: an entry of an old term reaches three of five servers; then n5 is elected.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1", "n2"]]),
        _at(70, "request", command="x=1", to="n1"),
        _at(110, "crash", node="n1"),
        _stands("n5", 120),
        _at(170, "partition", groups=[["n5"]]),
        _at(180, "request", command="y=2", to="n5", client="c2"),
        _at(210, "crash", node="n5"),
        _at(220, "partition", groups=[["n1", "n2", "n3"]]),
        _at(230, "restart", node="n1"),
        _stands("n1", 240),
        _stands("n1", 250),
        _at(340, "crash", node="n1"),
        _at(350, "heal"),
        _at(350, "restart", node="n5"),
        _stands("n5", 360),
        _stands("n5", 370),
    ],
    until=600,
    progress=False,
    nodes=5,
    clients=2,
    catalogue="C14",
    question="n1 leads term 3 and calls an entry of term 1 committed. Who can still win without that entry?",
)

FIGURE_8_WIDER = FIGURE_8._replace(
    name="figure-8-wider",
    shows="Figure 8 with one more copy: an entry of an old term reaches four of five servers; then n5 is elected.",
    schedule=[
        {**action, "groups": [["n1", "n2", "n3", "n4"]]} if action.get("groups") == [["n1", "n2", "n3"]] else action
        for action in FIGURE_8.schedule
    ],
    question="Four of five hold an entry of term 1. Whose last entry is of a newer term, and who may vote for it?",
)

FIGURE_8_REPAIRED = FIGURE_8._replace(
    name="figure-8-repaired",
    shows="Figure 8 with an entry of n1's own newer term behind the old one; then n5 stands, and cannot win.",
    schedule=[
        *FIGURE_8.schedule[:12],
        _at(290, "request", command="z=3", to="n1", client="c3"),
        *[{**action, "at": action["at"] + 60} for action in FIGURE_8.schedule[12:]],
    ],
    until=560,
    clients=3,
    question="Who may vote for n5 now? Compare the last entries.",
)

FIGURE_8_OWN_ENTRY = FIGURE_8._replace(
    name="figure-8-own-entry",
    shows="Figure 8, where n1 also holds an entry of its own newer term, which reaches nobody; then n5 is elected.",
    schedule=[
        *FIGURE_8.schedule[:9],
        _at(230, "restart", node="n1"),
        _at(230, "link", source="n3", target="n1", latency=[70, 70]),
        _at(230, "cut", source="c1", target="n2"),
        _stands("n1", 240),
        _stands("n1", 250),
        _at(450, "cut", source="n1", target="n2"),
        _at(450, "cut", source="n1", target="n3"),
        _at(451, "request", command="z=3", to="n1", client="c3"),
        _at(520, "crash", node="n1"),
        _at(530, "heal"),
        _at(530, "restart", node="n5"),
        *[_stands("n5", at) for at in (540, 550, 560)],
    ],
    until=700,
    clients=3,
    question="n1 holds an entry of term 3. Who else does, when the entry of term 1 is on three servers?",
)

LATE_LEADER = Case(
    "late-leader",
    "an append of n1's, of term 1, reaches n3 after y=2 was committed there in term 2; then n2 dies.",
    [
        _at(2, "link", source="n1", target="n3", latency=[170, 170]),
        _stands("n1", 10),
        _at(55, "cut", source="n1", target="n2"),
        _at(55, "cut", source="n2", target="n1"),
        _at(60, "request", command="x=1", to="n1"),
        _stands("n2", 90),
        _at(140, "request", command="y=2", to="n2", client="c2"),
        _at(200, "cut", source="n2", target="n3"),
        _at(260, "link", source="n1", target="n3", latency=[5, 15]),
        _at(270, "crash", node="n2"),
    ],
    until=1_500,
    progress=False,
    clients=2,
    catalogue="C4",
    question="n3 is in term 2 and gets an append of term 1. What does the number tell it about the sender?",
)

EMPTY_APPEND = Case(
    "empty-append",
    "the append with x=1 is lost; the heartbeats after it arrive; then the leader dies.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1"]]),
        _at(65, "request", command="x=1", to="n1"),
        _at(90, "heal"),
        _at(160, "crash", node="n1"),
        _stands("n2", 170),
        _stands("n2", 220),
    ],
    until=600,
    progress=False,
    catalogue="C11",
    question="n1's heartbeat names index 1 as the one before its end. What does n2 hold there?",
)

OLDER_APPEND = Case(
    "older-append",
    "n2 has acknowledged two entries when an older append, with the first alone, arrives; then the leader dies.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n3"]]),
        _at(60, "link", source="n1", target="n2", latency=[60, 60]),
        _at(65, "request", command="a=1", to="n1"),
        _at(84, "link", source="n1", target="n2", latency=[5, 5]),
        _at(86, "request", command="b=2", to="n1", client="c2"),
        _at(150, "crash", node="n1"),
        _at(160, "heal"),
        _stands("n2", 170),
        _stands("n2", 220),
    ],
    until=600,
    progress=False,
    clients=2,
    catalogue="C12",
    question="What n2 acknowledged, n1 has committed. Does anything in the late message contradict it?",
)

FIRST_OF_TWO = Case(
    "first-of-two",
    "n2's answer to the append with x=1 comes when n1 holds y=2 as well, which n2 never gets; then n1 dies.",
    [
        _stands("n1", 10),
        _at(50, "link", source="n2", target="n1", latency=[40, 40]),
        _at(50, "cut", source="n1", target="n3"),
        _at(60, "request", command="x=1", to="n1"),
        _at(95, "cut", source="n1", target="n2"),
        _at(95, "request", command="y=2", to="n1", client="c2"),
        _at(170, "crash", node="n1"),
        _stands("n2", 180),
        _stands("n2", 230),
    ],
    until=600,
    progress=False,
    clients=2,
    catalogue="C18",
    question="n1 gets one answer. Which entries had it sent when this answer was written?",
)

ASKED_TWICE = Case(
    "asked-twice",
    "x=1 is applied and its answer lost; the leader dies; c2 writes x=2; then c1 asks the new leader for x=1 again.",
    [
        _at(55, "cut", source="n1", target="c1"),
        _stands("n1", 10),
        _at(60, "request", command="x=1", to="n1"),
        _at(170, "crash", node="n1"),
        _stands("n2", 180),
        _stands("n2", 230),
        _at(270, "request", command="x=2", to="n2", client="c2"),
    ],
    until=2_000,
    clients=2,
    catalogue="C23",
    question="n2 never spoke with c1 before. From what could it know that c1's request has run?",
)

REISSUED = Case(
    "reissued",
    "x=1 stands on two of five when the leader dies; the other of the two wins; c1 hears nothing and asks again.",
    [
        _stands("n1", 10),
        _at(55, "partition", groups=[["n1", "n2"]]),
        _at(60, "request", command="x=1", to="n1"),
        _at(120, "crash", node="n1"),
        _at(130, "heal"),
        _at(135, "cut", source="n2", target="c1"),
        _stands("n2", 140),
        _stands("n2", 190),
        _at(250, "request", command="x=2", to="n2", client="c2"),
        _at(340, "mend", source="n2", target="c1"),
    ],
    until=2_000,
    nodes=5,
    clients=2,
    catalogue="C16",
    question="When c1's time is up, where does its first x=1 stand, and what becomes of it?",
)

MAJORITY = (CALM, ONE_DOWN, HALF, TWO_OF_FIVE_DOWN, THREE_OF_SEVEN_DOWN)
VOTE = (CALM, TWO_CANDIDATES, LEADER_DIES, SHORT_LOG, LONG_LOG, LONG_LOG_GOES_ON, IMPATIENT, ASKED_IN_VAIN, OLD_REQUEST,
        ASKED_AGAIN, TWO_CANDIDATES_TWICE, LEADER_IS_ASKED)
COMMIT = (CALM, ONE_DOWN, ONE_OF_FOUR_DOWN, TWO_OF_FIVE_DOWN, LEADER_ALONE, OLD_ENTRY_FIRST, FIGURE_8,
          FIGURE_8_WIDER, FIGURE_8_OWN_ENTRY, ONE_BEHIND, BOTH_AT_ONCE)


def rotated(cases, by, seed, letter="n"):
    """The same cases with every server in the place of another, and other luck; without their questions.

    Args:
        cases: some of those above.
        by: how many places each server moves on.
        seed: of all of them.
        letter: with which the names of these servers begin; there are two others if it is not "n".
    """
    return tuple(_rotated(case, by, seed, letter) for case in cases)


def _rotated(case, by, seed, letter):
    size = case.nodes if letter == "n" else case.nodes - 2
    new = {f"{letter}{i + 1}": f"{letter}{(i + by) % size + 1}" for i in range(size)}

    def renamed(value):
        if isinstance(value, list):
            return [renamed(item) for item in value]
        return new.get(value, value) if isinstance(value, str) else value

    schedule = [{name: renamed(value) for name, value in action.items()} for action in case.schedule]
    return case._replace(name=f"{case.name}-{by}", shows="", schedule=schedule, seed=seed, question="")
