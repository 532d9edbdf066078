"""What the timeline shows: leaders, terms, commits and faults, in agreement with the states of the run."""

from __future__ import annotations

from dslab.protocols import multi_paxos, paxos, primary_backup, raft
from dslab.sim import simulate
from dslab.view import read, survey

SCHEDULE = [
    {"at": 300, "do": "request", "command": "x=1"},
    {"at": 1200, "do": "crash", "node": "n1"},
    {"at": 1500, "do": "crash", "node": "n1"},
    {"at": 2000, "do": "pause", "node": "n2"},
    {"at": 2500, "do": "restart", "node": "n1"},
    {"at": 2600, "do": "resume", "node": "n2"},
    {"at": 3000, "do": "partition", "groups": [["n1", "n2"]]},
    {"at": 3200, "do": "cut", "source": "n3", "target": "n4"},
    {"at": 3500, "do": "heal"},
    {"at": 3600, "do": "link", "source": "n1", "target": "n2", "loss": 0.2},
]


def facts(schedule: list[dict] = SCHEDULE) -> dict:
    return survey(read(simulate(raft.cluster(5), seed=7, schedule=schedule, until=4000)))


def test_faults_are_spans_that_name_their_action() -> None:
    """Each fault knows when it began and ended, and which action of the schedule began it."""
    spans = [(f["kind"], f["label"], f["from_us"], f["to_us"], f["action"]) for f in facts()["faults"]]
    assert spans == [
        ("down", "n1 down", 1_200_000, 2_500_000, 1),
        ("pause", "n2 paused", 2_000_000, 2_600_000, 3),
        ("partition", "n1 n2 | n3 n4 n5", 3_000_000, 3_500_000, 6),
        ("cut", "n3 → n4 cut", 3_200_000, 3_500_000, 7),
        ("link", "n1 → n2 changed", 3_600_000, None, 9),
    ]


def test_the_line_of_leaders_has_gaps_and_no_overlap() -> None:
    """One leader at a time, the one of the newest term; a station where each began."""
    found = facts()
    for before, after in zip(found["leaders"], found["leaders"][1:], strict=False):
        assert before["to_us"] is not None and before["to_us"] <= after["from_us"]
    assert [s["term"] for s in found["stations"]] == sorted({s["term"] for s in found["stations"]})
    assert found["leaders"][0]["to_us"] == 1_200_000


def test_stops_are_events_of_the_run_in_order() -> None:
    """`interesting` holds elections, commits, faults and requests, and no ineffective action."""
    found = facts()
    assert found["interesting"] == sorted(set(found["interesting"]))
    assert {c["event"] for c in found["commits"]} <= set(found["interesting"])
    reading = read(simulate(raft.cluster(5), seed=7, schedule=SCHEDULE, until=4000))
    assert not any(
        isinstance(reading.events[e].detail, dict) and "ignored" in reading.events[e].detail
        for e in found["interesting"]
    )


def test_a_decision_counts_once_and_where_it_was_made() -> None:
    """A value that is chosen is interesting where the first node learns it, not again at every learner."""
    trace = simulate(paxos.cluster(proposers=2, acceptors=3, learners=2), seed=6, until=2000)
    learned = [e for e in trace.events if any(name == "chosen" and value for name, value in
                                              (change for change in e.patch if len(change) == 2))]
    found = survey(read(trace))
    assert len(learned) > 1
    assert [(d["event"], d["node"]) for d in found["decisions"]] == [(learned[0].id, learned[0].node)]
    assert learned[0].id in found["interesting"]


def test_where_ballots_take_the_place_of_terms_the_line_shows_them() -> None:
    """Each leader of Multi-Paxos has the number of its ballot, and a station where that began."""
    schedule = [{"at": 600, "do": "crash", "node": "n1"}]
    trace = simulate(multi_paxos.cluster(5), seed=3, schedule=schedule, until=2500)
    found = survey(read(trace))
    last = max(e.id for e in trace.events)
    ballots = {node: state["ballot"] for node, state in trace.state_at(last).items() if state.get("role") == "leader"}
    leader = found["leaders"][-1]
    assert ballots[leader["node"]] == [leader["term"], leader["node"]] and leader["term"] > 1
    assert [s["term"] for s in found["stations"]] == sorted({s["term"] for s in found["leaders"]})


def test_another_primary_is_interesting_also_where_there_are_no_terms() -> None:
    """But no station: a roundel is a term."""
    crash = [{"at": 900, "do": "crash", "node": "n1"}]
    trace = simulate(primary_backup.cluster(3), seed=1, schedule=crash, until=2000)
    found = survey(read(trace))
    said = [(trace.events[event].kind, trace.events[event].node) for event in found["interesting"]]
    assert said == [("deliver", "n1"), ("crash", "n1"), ("deliver", "n2")] and found["stations"] == []
