"""Runs for the simplified Raft in steps: each shows what becomes of a server that leaves a rule out.

Those of the first three steps have no restarts, because nothing is durable yet. `rotated` of raft_cases makes others
of the same kind.
"""

from __future__ import annotations

from dslab.sim.case import Case

from .raft_cases import (
    ASKED_TWICE,
    CALM,
    FIGURE_8,
    LEADER_DIES,
    LONG_LOG,
    OLD_ENTRY_FIRST,
    RESTARTED_VOTER,
    SHORT_LOG,
    TWO_CANDIDATES,
    _at,
    _stands,
)

WHO_LEADS = CALM._replace(
    name="who-leads",
    shows="nothing fails; a client asks who leads.",
    question="What does a server do when its election timer runs out, and what does it need to lead?",
)

BOTH_STAND = TWO_CANDIDATES._replace(
    name="both-stand",
    question="n1 and n2 are candidates of the same term. Whom has each of them voted for?",
)

REFUSED = Case(
    "refused",
    "n2 has voted for n1 when n3 stands in the same term; both others refuse.",
    [_at(2, "cut", source="n1", target="n3"), _stands("n1", 10), _stands("n3", 11)],
    until=200,
    progress=False,
    question="n3 has three answers, its own among them. What do they say?",
)

OLD_VOTE = Case(
    "old-vote",
    "n3's vote for n1 is slow; meanwhile n1 stands again, and n3 votes for n2 in that new term.",
    [
        _at(2, "link", source="n3", target="n1", latency=[80, 80]),
        _at(2, "cut", source="n1", target="n2"),
        _at(2, "cut", source="n2", target="n1"),
        _stands("n1", 10),
        _at(38, "cut", source="n1", target="n3"),
        _stands("n1", 42),
        _stands("n2", 44),
        _stands("n2", 46),
    ],
    until=300,
    progress=False,
    catalogue="C4",
    question="n1 gets a vote while it stands in term 2. For which term was it given?",
)

OLD_LEADER = Case(
    "old-leader",
    "n1 leads term 1 and is cut off; n2 wins term 2; then a late heartbeat of n1's arrives.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1"]]),
        _stands("n2", 90),
        _at(130, "link", source="n2", target="n1", loss=1),
        _at(130, "heal"),
    ],
    until=400,
    progress=False,
    catalogue="C4",
    question="n3 has followed n2 in term 2 and hears from n1, of term 1. What does the term tell it?",
)

SPLIT_VOTE = Case(
    "split-vote",
    "all four servers stand at the same moment, so nobody has three votes.",
    [
        *[_stands(f"n{i}", 10) for i in range(1, 5)],
        _at(600, "request", command="x=1", to="n1"),
    ],
    until=4_000,
    nodes=4,
    catalogue="C10",
    question="Every server has voted for itself. Who will do something next, and when?",
)

ANOTHER_TERM = LEADER_DIES._replace(name="another-term")

TWO_TERMS_OF_VOTES = Case(
    "two-terms-of-votes",
    "n1 gets n2's vote in term 1 and n3's in term 2; n5 stands in term 2 as well, with n2 and n4.",
    [
        _at(2, "partition", groups=[["n1", "n2"]]),
        _stands("n1", 10),
        _at(45, "partition", groups=[["n1", "n3"]]),
        _stands("n1", 50),
        _stands("n5", 50),
        _stands("n5", 52),
    ],
    until=140,
    progress=False,
    nodes=5,
    catalogue="C4",
    question="n1 has heard yes from n2 and from n3. In how many terms, and how many votes is that in the last one?",
)

COUNTED_AGAIN = Case(
    "counted-again",
    "n1 wins with the first vote that comes; the other one, and copies of both, come later.",
    [*[_at(2, "link", source=voter, target="n1", duplicate=1) for voter in ("n2", "n3")], _stands("n1", 10)],
    until=100,
    progress=False,
    catalogue="C4",
    question="n1 leads already. What does one more vote for this term change?",
)

IN_PEACE = Case(
    "in-peace",
    "n1 leads and its heartbeats arrive; a client that can reach n1 only asks for a second who leads.",
    [
        *[_at(2, "cut", source="c1", target=other) for other in ("n2", "n3")],
        _stands("n1", 10),
        *[_at(at, "request", command="x=1", to="n1") for at in range(600, 1_600, 100)],
    ],
    until=1_700,
    catalogue="C10",
    question="n2 hears from its leader every 75 ms. What keeps it from standing for election?",
)

FAR_AHEAD = Case(
    "far-ahead",
    "n2 is in term 20 and its clock is slow; n1 is down; n3, in an early term, must win.",
    [
        _at(2, "partition", groups=[["n2"]]),
        _at(3, "skew", node="n2", rate=0.05),
        *[_stands("n2", at) for at in range(10, 50, 2)],
        _at(100, "crash", node="n1"),
        _at(110, "heal"),
        _at(120, "request", command="x=1", to="n3"),
    ],
    until=1_500,
    catalogue="C4",
    question="n3 asks n2 in a term that n2 left long ago. How does n3 get to know which term it must pass?",
)

SAID_TWICE = Case(
    "said-twice",
    "n1 can reach n2 only, whose vote arrives twice; n3 stands in the same term, with n4 and n5.",
    [
        _at(2, "partition", groups=[["n1", "n2"]]),
        _at(2, "link", source="n2", target="n1", duplicate=1),
        _stands("n1", 10),
        _stands("n3", 10),
    ],
    until=100,
    progress=False,
    nodes=5,
    catalogue="C32",
    question="n1 has heard yes twice. How many servers said it?",
)

TWO_OF_FIVE_ARE_DOWN = Case(
    "two-of-five-are-down",
    "n4 and n5 of five servers are down; a client asks who leads.",
    [
        _at(5, "crash", node="n4"),
        _at(5, "crash", node="n5"),
        _at(600, "request", command="x=1", to="n1"),
    ],
    until=3_000,
    nodes=5,
    catalogue="C35",
    question="How many votes can a candidate get here, its own included, and how many does it need?",
)

ONE_REFUSES = Case(
    "one-refuses",
    "n1 and n5 stand together; n5's no reaches n1 before all others have said yes.",
    [
        *[_at(2, "link", source=a, target=b, latency=[5, 5]) for a, b in (("n1", "n5"), ("n5", "n1"))],
        *[_at(2, "cut", source="n5", target=other) for other in ("n2", "n3", "n4")],
        _stands("n1", 10),
        _stands("n5", 10),
        _at(80, "request", command="x=1", to="n1"),
    ],
    until=145,
    nodes=5,
    catalogue="C10",
    question="One of five has said no. What can the other four still make of n1?",
)

OLD_HEARTBEATS = Case(
    "old-heartbeats",
    "n1 leads term 1, hears nobody and goes on sending; n2 and n3 are in term 2, without a leader.",
    [
        _stands("n1", 10),
        _at(60, "cut", source="n2", target="n1"),
        _at(60, "cut", source="n3", target="n1"),
        _at(60, "cut", source="n3", target="n2"),
        _at(60, "cut", source="n1", target="c1"),
        _stands("n2", 62),
        _at(110, "mend", source="n3", target="n2"),
        _at(500, "request", command="x=1", to="n2"),
    ],
    until=2_000,
    catalogue="C6",
    question="n2 and n3 hear from n1 every 75 ms. Is it the leader of their term, and should that keep them quiet?",
)

LATE_CANDIDATE = Case(
    "late-candidate",
    "n1 and n2 stand together; n3 votes for n1 and hears its heartbeat; then n2's request arrives.",
    [
        _at(2, "cut", source="n1", target="n2"),
        _at(2, "link", source="n2", target="n3", latency=[70, 70]),
        _stands("n1", 10),
        _stands("n2", 10),
    ],
    until=140,
    progress=False,
    catalogue="C9",
    question="n3 knows that n1 leads term 1. Whom has it voted for in this term, and does it still know?",
)

ELECTION = (
    WHO_LEADS,
    BOTH_STAND,
    ANOTHER_TERM,
    REFUSED,
    OLD_VOTE,
    OLD_LEADER,
    SPLIT_VOTE,
    TWO_TERMS_OF_VOTES,
    COUNTED_AGAIN,
    IN_PEACE,
    FAR_AHEAD,
    SAID_TWICE,
    TWO_OF_FIVE_ARE_DOWN,
    ONE_REFUSES,
    OLD_HEARTBEATS,
    LATE_CANDIDATE,
)

LEFT_BEHIND = Case(
    "left-behind",
    "n3 misses an entry; then the leader dies, and n2 has nobody but n3.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n3"]]),
        _at(70, "request", command="x=1", to="n1"),
        _at(130, "crash", node="n1"),
        _at(140, "heal"),
        _stands("n2", 150),
        _stands("n2", 200),
        _at(300, "request", command="y=2", to="n2"),
    ],
    until=4_000,
    question="n2 sends the entry after index 1 first. What does n3 lack, and how does n2 get to know?",
)

LATE_APPEND = Case(
    "late-append",
    "two appends are under way to n2, and the older and shorter one comes last.",
    [
        _stands("n1", 10),
        _at(60, "link", source="n1", target="n2", latency=[60, 60]),
        _at(65, "request", command="a=1", to="n1"),
        _at(72, "request", command="b=2", to="n1", client="c2"),
        _at(82, "link", source="n1", target="n2", latency=[5, 5]),
        _at(84, "request", command="c=3", to="n1", client="c3"),
    ],
    until=400,
    progress=False,
    clients=3,
    catalogue="C12",
    question="n2 has told n1 what it holds, and then gets an older message with less. Which entries may go?",
)

ONLY_HEARTBEATS = Case(
    "only-heartbeats",
    "n3 misses an entry, then hears the heartbeats of the next leader, which carry none.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n3"]]),
        _at(70, "request", command="x=1", to="n1"),
        _at(130, "partition", groups=[["n1"]]),
        _stands("n2", 150),
        _stands("n2", 200),
    ],
    until=600,
    progress=False,
    catalogue="C11",
    question="n2's heartbeat says which entry stands before its end. Does n3 hold that entry?",
)

NOT_RECEIVED = Case(
    "not-received",
    "n1 leads, is cut off, and a client asks it to write.",
    [_stands("n1", 10), _at(80, "partition", groups=[["n1"]]), _at(90, "request", command="x=1", to="n1")],
    until=300,
    progress=False,
    catalogue="C17",
    question="Which message tells n1 that n2 holds index 1?",
)

TWO_IN_FLIGHT = Case(
    "two-in-flight",
    "a second request comes while the answers to the first are under way; then the link to n2 is cut.",
    [
        _stands("n1", 10),
        _at(60, "request", command="x=1", to="n1"),
        _at(70, "cut", source="n1", target="n2"),
        _at(72, "request", command="y=2", to="n1", client="c2"),
    ],
    until=300,
    progress=False,
    clients=2,
    catalogue="C18",
    question="n2 answers an append with one entry; n1's own log has two by now. What does the answer prove?",
)

TWO_HISTORIES = LONG_LOG._replace(
    name="two-histories",
    question="n1 and n3 both have an entry at index 1. What must be equal before n3's next entry may stand after it?",
)

NOT_ASKED_AGAIN = Case(
    "not-asked-again",
    "n3 misses x=1 and the first heartbeat of n2, the next leader; then it gets y=2, alone.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n3"]]),
        _at(70, "request", command="x=1", to="n1"),
        _at(140, "crash", node="n1"),
        _at(145, "heal"),
        _at(145, "link", source="n2", target="n3", latency=[5, 5]),
        _at(145, "link", source="n3", target="n2", latency=[15, 15]),
        _stands("n2", 150),
        _at(165, "cut", source="n2", target="n3"),
        _at(200, "mend", source="n2", target="n3"),
        _at(205, "request", command="y=2", to="n2"),
    ],
    until=480,
    catalogue="C17",
    question="n3 says no to y=2, and no client asks for anything more. What makes n2 send again?",
)

ANSWER_OF_TERM_1 = Case(
    "answer-of-term-1",
    "n2's answer to n1's append of term 1 is slow; y=2 of term 2 takes the place of what n2 held; n1 leads term 3.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1", "n2"]]),
        _at(60, "link", source="n2", target="n1", latency=[250, 250]),
        _at(65, "request", command="x=1", to="n1"),
        _at(67, "request", command="a=1", to="n1", client="c2"),
        _at(100, "heal"),
        _stands("n3", 100),
        _at(105, "link", source="n2", target="n1", latency=[5, 15]),
        _at(140, "request", command="y=2", to="n3", client="c3"),
        _stands("n1", 200),
        _at(240, "cut", source="n1", target="n2"),
        _at(245, "request", command="z=3", to="n1", client="c4"),
    ],
    until=360,
    progress=False,
    nodes=5,
    clients=4,
    catalogue="C18",
    question="n1 leads term 3 and is told by n2, in term 1, that index 2 is there. What has become of it since?",
)

SAME_WISH = Case(
    "same-wish",
    "n1, cut off, holds c1's x=1 of term 1; c2 wants x=1 as well, and n2 writes it down in term 2.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1"]]),
        _at(70, "request", command="x=1", to="n1"),
        _stands("n2", 90),
        _at(130, "request", command="x=1", to="n2", client="c2"),
        _at(180, "heal"),
    ],
    until=330,
    progress=False,
    clients=2,
    catalogue="C7",
    question="n1's entry and n2's say x=1, both at index 1. Are they the same entry?",
)

IN_THE_WAY = Case(
    "in-the-way",
    "n1 alone holds x=1 of term 1; n2 leads term 2; then n3 dies, and n2 has nobody but n1.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1"]]),
        _at(70, "request", command="x=1", to="n1"),
        _stands("n2", 90),
        _at(150, "crash", node="n3"),
        _at(155, "heal"),
        _at(200, "request", command="y=2", to="n2", client="c2"),
    ],
    until=3_000,
    clients=2,
    catalogue="C12",
    question="n2's append begins where n1 has an entry of its own. Does it fit there, and what becomes of that entry?",
)

BETWEEN_HEARTBEATS = Case(
    "between-heartbeats",
    "n1 leads and sends a heartbeat every 75 ms; two clients ask just after one, and the run ends before the next.",
    [
        *[_at(2, "link", source=a, target=b, latency=[5, 5])
          for other in ("n2", "n3", "c1", "c2") for a, b in (("n1", other), (other, "n1"))],
        _stands("n1", 10),
        _at(104, "request", command="x=1", to="n1"),
        _at(125, "request", command="y=2", to="n1", client="c2"),
    ],
    until=165,
    clients=2,
    catalogue="C17",
    question="Nothing is slow here. What did n1 wait for before it had an answer, and for whom?",
)

LOST_ONCE = Case(
    "lost-once",
    "n1 leads; the appends with x=1 are lost; heartbeats go on; the client does not ask again before the end.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1", "c1"]]),
        _at(62, "request", command="x=1", to="n1"),
        _at(90, "heal"),
    ],
    until=355,
    catalogue="C17",
    question="n2 and n3 answer the heartbeats. What do they lack, and from what can n1 know it?",
)

TERM_20 = Case(
    "term-20",
    "n1 leads term 1 and needs n3, which is in term 20 and has a slow clock; n2 is down.",
    [
        _at(2, "partition", groups=[["n3"]]),
        _at(3, "skew", node="n3", rate=0.05),
        _stands("n1", 10),
        *[_stands("n3", at) for at in range(20, 60, 2)],
        _at(140, "crash", node="n2"),
        _at(150, "heal"),
        _at(200, "request", command="x=1", to="n1"),
    ],
    until=2_500,
    catalogue="C4",
    question="n3 says no to n1's appends, and names a term. What is n1 in that term?",
)

TWO_WRONG_ENTRIES = Case(
    "two-wrong-entries",
    "n1 alone holds a=1 and b=2 of term 1; n2 commits c=3 and d=4 in term 2; n3, with both, leads term 3.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1"]]),
        _at(70, "request", command="a=1", to="n1"),
        _at(72, "request", command="b=2", to="n1", client="c2"),
        _stands("n2", 90),
        _at(140, "request", command="c=3", to="n2", client="c3"),
        _at(142, "request", command="d=4", to="n2", client="c4"),
        _at(250, "partition", groups=[["n1", "n3"]]),
        _stands("n3", 255),
        _stands("n3", 300),
    ],
    until=450,
    progress=False,
    clients=4,
    catalogue="C11",
    question="n1 says no to n3's first append. What does its answer prove about the entries before?",
)

FIVE_SERVERS = Case(
    "five-servers",
    "n1 leads five servers and can reach n2 only; a client asks it to write.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1", "n2", "c1"]]),
        _at(70, "request", command="x=1", to="n1"),
    ],
    until=200,
    progress=False,
    nodes=5,
    catalogue="C32",
    question="One server has answered. How many of the five hold the entry, n1 included?",
)

REPLICATION = (
    CALM,
    TWO_IN_FLIGHT,
    NOT_RECEIVED,
    LATE_APPEND,
    ONLY_HEARTBEATS,
    LEFT_BEHIND,
    TWO_HISTORIES,
    NOT_ASKED_AGAIN,
    ANSWER_OF_TERM_1,
    SAME_WISH,
    IN_THE_WAY,
    BETWEEN_HEARTBEATS,
    LOST_ONCE,
    TERM_20,
    TWO_WRONG_ENTRIES,
    FIVE_SERVERS,
)

STALE_TAIL = Case(
    "stale-tail",
    "n1 holds an entry of its own term 1 at index 1 that nobody else has; n2 commits another one there.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1"]]),
        _at(70, "request", command="a=1", to="n1"),
        _at(72, "request", command="b=2", to="n1", client="c2"),
        _stands("n2", 90),
        _at(130, "request", command="c=3", to="n2", client="c3"),
        _at(132, "request", command="d=4", to="n2", client="c4"),
        _at(200, "heal"),
        _at(200, "link", source="n1", target="n2", loss=1),
    ],
    until=700,
    progress=False,
    clients=4,
    catalogue="C13",
    question="n2 tells n1 how far is committed. Up to which index does that message prove that n1's log is n2's?",
)

OTHER_COMMAND = Case(
    "other-command",
    "n1 has c1's request at index 1 and is cut off; n2 commits c2's at that index.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1"]]),
        _at(70, "request", command="x=1", to="n1"),
        _stands("n2", 90),
        _at(130, "request", command="y=2", to="n2", client="c2"),
        _at(180, "heal"),
    ],
    until=330,
    progress=False,
    clients=2,
    catalogue="C19",
    question="n1 applies index 1. Whose command is it?",
)

TOLD_TOO_EARLY = Case(
    "told-too-early",
    "n1 leads, is cut off, and a client asks it to write.",
    NOT_RECEIVED.schedule,
    until=350,
    progress=False,
    catalogue="C15",
    question="n1 is the only server that has the request. What may it tell the client?",
)

HEIR = Case(
    "heir",
    "n1 commits x=1 and dies before anybody hears of it; n2 wins, and gets another request.",
    [
        _stands("n1", 10),
        _at(50, "request", command="x=1", to="n1"),
        _at(96, "crash", node="n1"),
        _stands("n2", 110),
        _at(150, "request", command="y=2", to="n2", client="c2"),
    ],
    until=3_000,
    clients=2,
    catalogue="C15",
    question="n2 holds x=1 and never heard that it is committed. May it go?",
)

HEIR_ANSWERS = HEIR._replace(
    name="heir-answers",
    shows="n1 commits x=1 and dies before it answers; n2 wins and commits y=2; c1 does not ask again by the end.",
    schedule=[HEIR.schedule[0], _at(45, "cut", source="n1", target="c1"), *HEIR.schedule[1:]],
    until=340,
    question="n2 applies x=1, which n1 had taken in. Who can still answer c1?",
)

FIGURE_8_CUT = Case(
    "figure-8-cut",
    "Figure 8 of the paper, with links that fail in place of servers; n5 stands last.",
    [
        _stands("n1", 10),
        _at(60, "partition", groups=[["n1", "n2"]]),
        _at(70, "request", command="x=1", to="n1"),
        _at(110, "partition", groups=[["n1"], ["n2"]]),
        _stands("n5", 120),
        _at(170, "partition", groups=[["n1", "n2", "n3"], ["n5"]]),
        _at(180, "request", command="y=2", to="n5", client="c2"),
        _stands("n1", 290),
        _at(430, "partition", groups=[["n1"]]),
        _stands("n5", 530),
        _stands("n5", 540),
    ],
    until=700,
    progress=False,
    nodes=5,
    clients=2,
    catalogue="C14",
    question="n1 leads term 3 and calls an entry of term 1 committed. Who can still win without that entry?",
)

FIGURE_8_CUT_OWN_ENTRY = Case(
    "figure-8-cut-own-entry",
    "the same, where n1 also holds an entry of its own newer term, which reaches nobody; n5 stands last.",
    [
        *FIGURE_8_CUT.schedule[:5],
        _at(170, "heal"),
        *[_at(170, "cut", source="n5", target=f"n{i}") for i in (1, 2, 3, 4)],
        _at(170, "cut", source="n4", target="n1"),
        _at(180, "request", command="y=2", to="n5", client="c2"),
        _at(230, "cut", source="c1", target="n2"),
        _at(280, "link", source="n3", target="n1", latency=[70, 70]),
        _stands("n1", 290),
        *[_at(490, "cut", source="n1", target=f"n{i}") for i in (2, 3, 4, 5)],
        _at(491, "request", command="z=3", to="n1", client="c3"),
        _at(560, "heal"),
        _at(560, "partition", groups=[["n1"]]),
        *[_stands("n5", at) for at in (570, 580)],
    ],
    until=800,
    progress=False,
    nodes=5,
    clients=3,
    catalogue="C14",
    question="n1 holds an entry of term 3. Who else does, when the entry of term 1 is on three servers?",
)

READ = Case(
    "read",
    "c1 writes x=1, then asks for x.",
    [_stands("n1", 10), _at(60, "request", command="x=1", to="n1"), _at(200, "request", command="x", to="n1")],
    until=1_000,
    question="What did the state machine return for each of the two commands?",
)

ONE_IS_HEARD = Case(
    "one-is-heard",
    "n1 leads four servers; nothing that n2, n3 and n4 send reaches the client.",
    [
        *[_at(2, "cut", source=f"n{i}", target="c1") for i in (2, 3, 4)],
        _stands("n1", 10),
        _at(60, "request", command="x=1", to="n1"),
    ],
    until=1_500,
    nodes=4,
    catalogue="C15",
    question="n1 has applied the entry, and later the others do. Whom can the client hear?",
)

COMMITMENT = (CALM, FIGURE_8_CUT, FIGURE_8_CUT_OWN_ENTRY, TOLD_TOO_EARLY, HEIR, OTHER_COMMAND, STALE_TAIL, LEFT_BEHIND,
              READ, ONE_IS_HEARD, HEIR_ANSWERS)

EVERYBODY_RESTARTS = Case(
    "everybody-restarts",
    "x=1 is committed; then all servers lose their power and come back.",
    [
        _stands("n1", 10),
        _at(60, "request", command="x=1", to="n1"),
        *[_at(160, "crash", node=f"n{i}") for i in (1, 2, 3)],
        *[_at(200, "restart", node=f"n{i}") for i in (1, 2, 3)],
        _stands("n2", 210),
        _at(300, "request", command="y=2", to="n2"),
    ],
    until=3_000,
    question="A majority held x=1. Where does it stand after the restart?",
)

REPLAY = Case(
    "replay",
    "x=1 is applied everywhere; n2 restarts and hears from the leader again.",
    [
        _stands("n1", 10),
        _at(60, "request", command="x=1", to="n1"),
        _at(250, "crash", node="n2"),
        _at(260, "restart", node="n2"),
    ],
    until=600,
    progress=False,
    catalogue="C21",
    question="Up to which index had n2 applied its log, and which of its attributes still say so?",
)

LOST_ANSWER = Case(
    "lost-answer",
    "x=1 is applied, the leader dies before the client hears of it, and the client asks the next one again.",
    [
        _stands("n1", 10),
        _at(60, "cut", source="n1", target="c1"),
        _at(60, "request", command="x=1", to="n1"),
        _at(170, "crash", node="n1"),
        _stands("n2", 180),
        _stands("n2", 230),
    ],
    until=2_000,
    catalogue="C23",
    question="The request stands in the log twice. Who knows, at n3, that it has run already?",
)

SAME_NUMBER = Case(
    "same-number",
    "c1 writes x=1, c2 writes y=2; each is the first request of its client.",
    [
        _stands("n1", 10),
        _at(60, "request", command="x=1", to="n1"),
        _at(120, "request", command="y=2", to="n1", client="c2"),
    ],
    until=400,
    clients=2,
    catalogue="C23",
    question="Both requests have the number 1. What tells them apart?",
)

SAME_COMMAND = Case(
    "same-command",
    "c1 writes x=1, c2 writes x=2, c1 writes x=1 once more because it wants so, and c2 reads x.",
    [
        _stands("n1", 10),
        _at(60, "request", command="x=1", to="n1"),
        _at(120, "request", command="x=2", to="n1", client="c2"),
        _at(180, "request", command="x=1", to="n1"),
        _at(240, "request", command="x", to="n1", client="c2"),
    ],
    until=500,
    clients=2,
    catalogue="C16",
    question="c1 asks for x=1 twice, under two numbers. How often is it to run?",
)

TOLD_THE_SAME = ASKED_TWICE._replace(
    name="told-the-same",
    question="c1's x=1 gave 1, which c1 never heard. c1 asks again when x is 2 by now. What is the answer?",
)

LATE_REQUEST = Case(
    "late-request",
    "c1's x=1 is slow; c1 asks again, is answered and writes x=2; then the slow one arrives.",
    [
        _stands("n1", 10),
        _at(60, "link", source="c1", target="n1", latency=[500, 500]),
        _at(65, "request", command="x=1", to="n1"),
        _at(100, "link", source="c1", target="n1", latency=[5, 15]),
        _at(460, "request", command="x=2", to="n1"),
    ],
    until=800,
    catalogue="C16",
    question="Request 1 stands in the log before request 2 and behind it. How does n1 know that the last one is old?",
)

READ_AFTER = Case(
    "read-after",
    "x=1 is applied everywhere; all servers restart; then c2 reads x.",
    [
        _stands("n1", 10),
        _at(60, "request", command="x=1", to="n1"),
        *[_at(300, "crash", node=f"n{i}") for i in (1, 2, 3)],
        *[_at(340, "restart", node=f"n{i}") for i in (1, 2, 3)],
        _stands("n2", 350),
        _at(450, "request", command="x", to="n2", client="c2"),
    ],
    until=3_000,
    clients=2,
    catalogue="C21",
    question="All logs hold x=1, and no store does. What may a server not remember, so that it fills its store again?",
)

BACK_AT_ONCE = Case(
    "back-at-once",
    "the leader loses its power, is back at once, and a client asks it for more.",
    [
        _stands("n1", 10),
        _at(60, "request", command="x=1", to="n1"),
        _at(160, "crash", node="n1"),
        _at(165, "restart", node="n1"),
        _at(170, "request", command="y=2", to="n1"),
    ],
    until=3_000,
    catalogue="C3",
    question="n1 led before it lost its power. Who has told it since that it still leads?",
)

RESTART = (
    CALM,
    RESTARTED_VOTER,
    EVERYBODY_RESTARTS,
    REPLAY,
    LOST_ANSWER,
    SHORT_LOG,
    OLD_ENTRY_FIRST,
    FIGURE_8,
    SAME_NUMBER,
    SAME_COMMAND,
    TOLD_THE_SAME,
    LATE_REQUEST,
    READ_AFTER,
    BACK_AT_ONCE,
)

NO_RESTARTS = ("request", "partition", "heal", "loss", "duplicate")  # faults for servers that are not durable
