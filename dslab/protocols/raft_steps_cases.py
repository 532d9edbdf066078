"""Runs for the simplified Raft in steps: each shows what becomes of a server that leaves a rule out.

Those of the first three steps have no restarts, because nothing is durable yet. `rotated` of raft_cases makes others
of the same kind.
"""

from __future__ import annotations

from dslab.sim.case import Case

from .raft_cases import (
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

ELECTION = (WHO_LEADS, BOTH_STAND, ANOTHER_TERM, REFUSED, OLD_VOTE, OLD_LEADER, SPLIT_VOTE)

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

REPLICATION = (CALM, TWO_IN_FLIGHT, NOT_RECEIVED, LATE_APPEND, ONLY_HEARTBEATS, LEFT_BEHIND, TWO_HISTORIES)

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

COMMITMENT = (CALM, FIGURE_8_CUT, TOLD_TOO_EARLY, HEIR, OTHER_COMMAND, STALE_TAIL, LEFT_BEHIND)

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

RESTART = (CALM, RESTARTED_VOTER, EVERYBODY_RESTARTS, REPLAY, LOST_ANSWER, SHORT_LOG, OLD_ENTRY_FIRST, FIGURE_8)

NO_RESTARTS = ("request", "partition", "heal", "loss", "duplicate")  # faults for servers that are not durable
