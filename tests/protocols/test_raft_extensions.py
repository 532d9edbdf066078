"""Snapshots, pre-votes, membership changes and reads: what each adds to Raft, what it costs, and what breaks it."""

import sys
from pathlib import Path

import pytest

from dslab.check.answers import find
from dslab.check.invariants import check_trace, first_violation
from dslab.check.progress import settled, unanswered
from dslab.protocols import (
    raft,
    raft_membership,
    raft_membership_cases,
    raft_membership_variants,
    raft_prevote,
    raft_prevote_cases,
    raft_prevote_variants,
    raft_reads,
    raft_reads_cases,
    raft_reads_variants,
    raft_snapshots,
    raft_snapshots_cases,
    raft_snapshots_variants,
)
from dslab.sim import Simulation, simulate
from dslab.sim.case import Case

sys.path.insert(0, str(Path(__file__).parent))
import random_extensions
from linearizability import is_linearizable

MODULES = {
    raft_snapshots: (raft_snapshots_variants, raft_snapshots_cases),
    raft_prevote: (raft_prevote_variants, raft_prevote_cases),
    raft_membership: (raft_membership_variants, raft_membership_cases),
    raft_reads: (raft_reads_variants, raft_reads_cases),
}
CASES = [(module, case) for module, (_, cases) in MODULES.items() for case in vars(cases).values()
         if isinstance(case, Case)]


def at(ms, do, **arguments):
    return {"at": ms, "do": do, **arguments}


def stands(node, ms):
    return at(ms, "timeout", node=node, timer="election")


def broken(module, case, server=None):
    options = {} if server is None else {"server": server}
    found = find(module.cluster(case.nodes, clients=case.clients, **options), case)
    return found and found.verdict.title


def play(module, case, **options):
    system = module.cluster(case.nodes, clients=case.clients, **options)
    return simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)


def last(trace):
    return trace.state_at(len(trace) - 1)


# ---- cases and mutants


@pytest.mark.parametrize(("module", "case"), CASES, ids=[f"{m.__name__[20:]}-{c.name}" for m, c in CASES])
def test_each_extension_keeps_its_promises_in_its_cases(module, case):
    """At ten seeds; the shortest of cases has at most 15 actions."""
    assert len(case.schedule) <= 15
    for seed in range(1, 11):
        assert broken(module, case._replace(seed=seed)) is None, seed


@pytest.mark.parametrize(("module", "case", "mutant", "title"), [
    (raft_reads, raft_reads_cases.NOT_YET_KNOWN, raft_reads_variants.AnswersAtOnce, "Reads are fresh"),
    (raft_reads, raft_reads_cases.TWO_TRUTHS, raft_reads_variants.LocalReads, "Reads are fresh"),
    (raft_membership, raft_membership_cases.TWO_MAJORITIES, raft_membership_variants.SwitchesAtOnce,
     "Commits are kept"),
    (raft_snapshots, raft_snapshots_cases.BETWEEN_TWO_WRITES, raft_snapshots_variants.TrimsAfterwards, "Logs match"),
    (raft_snapshots, raft_snapshots_cases.ASKED_TWICE, raft_snapshots_variants.ForgetsSessions,
     "Commands take effect once"),
], ids=["C20", "C3", "C22", "C21", "C23"])
def test_each_mutant_is_shown_by_a_case_of_its_name(module, case, mutant, title):
    """By the schedule, not by luck: at ten seeds."""
    assert mutant.catalogue == case.catalogue
    for seed in range(1, 11):
        assert broken(module, case._replace(seed=seed), mutant) == title, seed


@pytest.mark.parametrize(("variant", "mutant", "seed", "prop"), [
    ("reads", raft_reads_variants.LocalReads, 5, "reads_are_fresh"),
    ("reads", raft_reads_variants.AnswersAtOnce, 5, "reads_are_fresh"),
    ("membership", raft_membership_variants.SwitchesAtOnce, 54, "leader_completeness"),
    ("snapshots", raft_snapshots_variants.TrimsAfterwards, 4, "log_matching"),
    ("snapshots", raft_snapshots_variants.ForgetsSessions, 626, "takes_effect_once"),
])
def test_random_faults_find_each_mutant(variant, mutant, seed, prop):
    """The seed is the first at which they do; the unmutated variant holds there."""
    always = random_extensions.system_for(variant, seed).always
    assert first_violation(random_extensions.run(variant, seed, mutant), always).name == prop
    assert first_violation(random_extensions.run(variant, seed), always) is None


@pytest.mark.parametrize("variant", random_extensions.VARIANTS)
def test_extensions_hold_under_random_faults(variant):
    """The short form of `random_extensions.py 10000`; what the extension is about really happens in the runs."""
    done = random_extensions.many(variant, range(150), seconds=60)
    assert (done["runs"], done["violations"]) == (150, 0)
    happened = {"snapshots": ["snapshots_sent"], "prevote": ["prevotes"], "reads": ["reads"],
                "membership": ["changes"], "both": ["changes", "snapshots_sent"],
                "whole": ["changes", "snapshots_sent", "prevotes", "reads"]}[variant]
    assert done["committed"] > 500 and all(done[what] > 50 for what in happened)


@pytest.mark.parametrize("variant", ["snapshots", "prevote", "reads", "whole"])
def test_every_request_is_answered_once_faults_end(variant):
    """Also changes of the membership, where pre-votes keep servers quiet that were removed."""
    for seed in range(12):
        system = random_extensions.system_for(variant, seed)
        schedule = settled(random_extensions.schedule_for(variant, system, seed), system, 2_700)
        trace = simulate(system, seed=seed, schedule=[*schedule, at(3_200, "request", command="z=9")], until=7_000)
        assert unanswered(trace) is None, seed


# ---- what it costs (A10): exact counts, heartbeats excluded


@pytest.mark.parametrize("n", [3, 5, 7, 9])
def test_a_command_costs_two_messages_per_follower_and_one_round_trip(n):
    """2 (n - 1) messages between servers; committed exactly one round trip after the leader got the request."""
    trace = simulate(raft.cluster(n, latency=1, disk=0), seed=3, schedule=[at(2_000, "request", command="x=1")],
                     until=2_200)
    carried = [m for m in trace.messages if m.type == "AppendEntries" and m.fields["entries"]]
    answers = [m for m in trace.messages if m.type == "Appended" and m.sent_event in {c.end_event for c in carried}]
    assert len(carried) + len(answers) == 2 * (n - 1)
    (leader,) = {m.source for m in carried}
    commit = next(e for e in trace.events if e.node == leader and ["commit_index", 1] in [p[:2] for p in e.patch])
    assert commit.time_us - carried[0].sent_us == 2_000


@pytest.mark.parametrize("n", [3, 5, 7, 9])
def test_a_read_costs_two_messages_per_follower_and_no_entry(n):
    """Dissertation, section 6.4: one round of confirmations, nothing in the log."""
    schedule = [at(2_000, "request", command="x=1"), at(2_500, "request", command="x")]
    trace = simulate(raft_reads.cluster(n, latency=1, disk=0), seed=3, schedule=schedule, until=2_560)
    counts = [sum(m.type == name for m in trace.messages) for name in ("Confirm", "Confirmed")]
    assert counts == [n - 1, n - 1] and trace.history[1]["result"] == "1"
    assert max(state.get("commit_index", 0) for state in last(trace).values()) == 2        # the opening entry and x=1


@pytest.mark.parametrize("n", [3, 5, 7, 9])
def test_a_pre_vote_doubles_the_cost_of_an_election(n):
    """2 (n - 1) messages for the pre-votes, as many for the votes."""
    trace = simulate(raft_prevote.cluster(n, latency=1, disk=0), seed=3, schedule=[stands("n1", 10)], until=60)
    counts = [sum(m.type == name for m in trace.messages)
              for name in ("RequestPreVote", "PreVote", "RequestVote", "Vote")]
    assert counts == [n - 1] * 4 and last(trace)["n1"]["role"] == "leader"


@pytest.mark.parametrize(("old", "new"), [(3, 4), (3, 5), (3, 7), (5, 9)])
def test_growing_costs_two_entries(old, new):
    """C_old,new and C_new go to everybody: 4 (n - 1) messages when n servers are left, none more for the rest."""
    wanted = " ".join(f"n{i}" for i in range(1, new + 1))
    schedule = [stands("n1", 10), at(200, "request", command=f"members={wanted}", to="n1")]
    trace = simulate(raft_membership.cluster(new, members=old, latency=1, disk=0), seed=3, schedule=schedule, until=230)
    def carries(m):
        return m.type == "AppendEntries" and any("@" in (e["command"] or {}) for e in m.fields["entries"])
    carried = [m for m in trace.messages if carries(m)]
    answers = [m for m in trace.messages if m.type == "Appended" and m.sent_event in {c.end_event for c in carried}]
    assert len(carried) + len(answers) == 4 * (new - 1)
    assert trace.history[0]["result"] == wanted.split()


# ---- snapshots


def test_a_follower_that_needs_what_is_gone_gets_the_snapshot():
    """Section 7, Figure 13: afterwards its state is the leader's."""
    trace = play(raft_snapshots, raft_snapshots_cases.LEFT_BEHIND)
    assert any(m.type == "InstallSnapshot" and m.target == "n3" for m in trace.messages)
    states = last(trace)
    assert states["n3"]["store"] == states["n1"]["store"] == {"x": "5", "y": "1"}
    assert states["n3"]["snapshot_index"] >= 4 and states["n3"]["commit_index"] == 6


def snapshot_server(index, terms=(), term=1):
    """n1 of a cluster of three whose log begins behind a snapshot."""
    node = Simulation(raft_snapshots.cluster(3, clients=0, disk=0), 1).run(0).nodes["n1"]
    node.snapshot = {"index": index, "term": 1, "state": {"store": {"x": "old"}, "sessions": {}}}
    node.term, node.log = term, [raft.Entry(t, f"c{i}") for i, t in enumerate(terms, index + 1)]
    node.load()
    return node


@pytest.mark.parametrize(("prev", "terms", "log", "match"), [
    (5, [1], [1, 1, 1], 6),            # begins behind the snapshot: appended where it belongs, nothing shortened
    (2, [1, 1, 1], [1, 1], 5),         # begins and ends inside it
    (0, [1, 1, 1], [1, 1], 4),         # ends before it does
    (2, [1, 1, 1, 1, 2], [1, 1, 2], 7),                                # begins before it and reaches beyond our log
    (2, [1, 1, 1, 2], [1, 2], 6),                                      # the same with a conflict at index 6
])
def test_messages_that_overlap_the_snapshot_are_cut_to_what_follows_it(prev, terms, log, match):
    """What the snapshot covers is committed, so it cannot conflict with a leader's log."""
    node = snapshot_server(4, [1, 1] if prev != 5 else [1, 1, 1], term=2)
    entries = [raft.Entry(t, f"c{prev + i}" if t == 1 else "new") for i, t in enumerate(terms, 1)]
    node.on_append_entries("n2", raft.AppendEntries(2, prev, 1 if prev else 0, entries, 4))
    ((_, answer),) = [(link.target, m) for link, m in node._host.outbox]
    assert ([e.term for e in node.log], answer.success, answer.match_index) == (log, True, match)


@pytest.mark.parametrize(("index", "term", "kept", "applied"), [
    (6, 1, [1], 6),        # an equal entry stands there: what follows it is kept
    (6, 2, [], 6),         # another one: the whole log goes
    (9, 1, [], 9),         # beyond the log
    (3, 1, [1, 1, 1], 4),  # older than ours: nothing happens
])
def test_a_snapshot_replaces_what_it_covers_and_no_more(index, term, kept, applied):
    """Figure 13, receiver's steps 5 to 8."""
    node = snapshot_server(4, [1, 1, 1], term=2)
    state = {"store": {"x": "new"}, "sessions": {}}
    node.on_install_snapshot("n2", raft_snapshots.InstallSnapshot(2, index, term, state))
    assert ([e.term for e in node.log], node.last_applied) == (kept, applied)
    assert node.store == {"x": "new" if index > 4 else "old"}


def test_a_snapshot_does_not_change_after_it_is_taken():
    """Else a restart would find a store that is newer than the index it stands for."""
    node = snapshot_server(0)
    node.log, node.commit_index = [raft.Entry(1, "x=1")], 0
    node.commit_up_to(1)
    node.on_snapshot_timeout()
    node.log.append(raft.Entry(1, "x=2"))
    node.commit_up_to(2)
    assert node.snapshot["state"]["store"] == {"x": "1"} and node.store == {"x": "2"}


class LosesTheStore(raft_snapshots.Server):
    """Installs a snapshot and forgets to load it."""

    def load(self):
        self.commit_index = self.last_applied = self.snapshot_index


class Hasty(raft_snapshots.Server):
    """A follower that applies what it has not committed; its log may already begin behind a snapshot."""

    def on_append_entries(self, sender, m):
        super().on_append_entries(sender, m)
        self.commit_up_to(self.last_index)


class AnyTerm(raft_snapshots.Server):
    """Figure 8 with snapshots."""

    def up_to_date(self, m):
        return True


@pytest.mark.parametrize(("server", "prop"), [
    (LosesTheStore, "takes_effect_once"), (Hasty, "state_machine_safety"), (AnyTerm, "leader_completeness")])
def test_properties_bite_behind_a_snapshot(server, prop):
    """Seeded bugs: each property of a log with a base index can fail."""
    for seed in range(200):
        trace = random_extensions.run("snapshots", seed, server)
        verdicts = check_trace(trace, random_extensions.system_for("snapshots", seed).always)
        if any(v.name == prop and v.status == "violated" for v in verdicts):
            return
    raise AssertionError(f"{prop} never failed")


# ---- pre-votes


@pytest.mark.parametrize(("case", "plain"), [
    (raft_prevote_cases.RETURNS, raft.Server),
    (raft_prevote_cases.HEARS_ONLY, raft.Server),
    (raft_prevote_cases.HEARS_ONLY, raft_prevote_variants.LogAloneDecides),
])
def test_a_server_that_was_alone_disturbs_nobody(case, plain):
    """Dissertation, section 9.6: with pre-votes the term stays 1 and n1 leads; without, n1 has to step down."""
    for seed in range(1, 11):
        calm = play(raft_prevote, case._replace(seed=seed))
        disturbed = play(raft_prevote, case._replace(seed=seed), server=plain)
        assert check_trace(calm, [raft_prevote.leader_stays])[0].status == "held"
        assert check_trace(disturbed, [raft_prevote.leader_stays])[0].status == "violated"
        assert max(state.get("term", 0) for state in last(calm).values()) == 1 < last(disturbed)["n1"]["term"]


def test_pre_votes_promise_nothing():
    """Neither term nor vote nor timer change, and the log decides as in section 5.4.1."""
    node = Simulation(raft_prevote.cluster(3, clients=0, disk=0), 1).run(0).nodes["n1"]
    node.term, node.log = 1, [raft.Entry(1, "a"), raft.Entry(1, "b")]
    before = node.term, node.voted_for, node._host.timers["election"]
    asked = [(2, 2, 1), (2, 1, 1), (1, 2, 1), (9, 9, 0)]
    for question in asked:
        node.on_request_pre_vote("n2", raft_prevote.RequestPreVote(*question))
    assert [(m.term, m.granted) for _, m in node._host.outbox] == [(2, True), (1, False), (1, False), (1, False)]
    assert (node.term, node.voted_for, node._host.timers["election"]) == before


# ---- membership


def test_all_five_serve_after_the_change():
    """Section 6: both entries reach everybody, and a command commits under the new majority."""
    trace = play(raft_membership, raft_membership_cases.GROWS)
    states = [state for name, state in last(trace).items() if name != "c1"]
    assert all(state["configuration"]["voters"] == ["n1", "n2", "n3", "n4", "n5"] for state in states)
    assert all(state["store"] == {"x": "1"} for state in states) and len(states) == 5


def test_a_leader_that_leaves_leads_the_change_to_its_end():
    """Section 6, second problem: it counts no longer, commits C_new, steps down, and never stands again."""
    trace = play(raft_membership, raft_membership_cases.LEADER_LEAVES)
    states = last(trace)
    assert states["n1"]["role"] == "follower" and states["n1"]["term"] == 1
    assert [name for name, state in states.items() if state.get("role") == "leader"] in (["n2"], ["n3"], ["n4"])
    assert trace.history[1]["completed_us"] is not None and states["n5"]["term"] == 0


def test_another_leader_ends_the_change():
    """C_old,new is committed when its leader dies: the next one appends C_new."""
    for seed in range(1, 11):
        case = raft_membership_cases.LEADER_DIES_BETWEEN._replace(seed=seed)
        trace = play(raft_membership, case)
        voters = [state["configuration"] for name, state in last(trace).items() if name in ("n2", "n3", "n4", "n5")]
        assert all(c["outgoing"] == [] and len(c["voters"]) == 5 for c in voters), seed
        assert trace.history[0]["result"] == ["n1", "n2", "n3", "n4", "n5"]


class Heeding(raft_membership.Server):
    """Listens to whoever asks for a vote."""

    on_request_vote = raft.Server.on_request_vote


def test_a_removed_server_cannot_disturb():
    """Section 6, third problem: its requests for votes are disregarded while there is a leader."""
    case = raft_membership_cases.REMOVED_RETURNS
    calm, disturbed = play(raft_membership, case), play(raft_membership, case, server=Heeding)
    assert last(calm)["n1"]["role"] == "leader" and last(calm)["n1"]["term"] == 1 < last(calm)["n3"]["term"]
    assert last(disturbed)["n2"]["term"] > 1


def test_only_servers_that_exist_are_taken_in():
    """An unknown name is left out, and a key that only contains the word is a key."""
    schedule = [stands("n1", 10), at(200, "request", command="members=n1 n2 n4 n9", to="n1"),
                at(600, "request", command="no members=n5", to="n1")]
    states = last(simulate(raft_membership.cluster(5), seed=1, schedule=schedule, until=1_500))
    assert states["n1"]["configuration"]["voters"] == ["n1", "n2", "n4"]
    assert states["n1"]["store"] == {"no members": "n5"}


def test_new_servers_catch_up_before_they_count():
    """Section 6, first problem: C_old,new is appended only when they hold what is committed."""
    writes = [at(100 + 30 * i, "request", command=f"x={i}", to="n1") for i in range(5)]
    schedule = [stands("n1", 10), *writes, at(500, "cut", source="n1", target="n5"),
                at(510, "request", command=raft_membership_cases.FIVE, to="n1", client="c2"),
                at(900, "mend", source="n1", target="n5")]
    trace = simulate(raft_membership.cluster(5, clients=2), seed=1, schedule=schedule, until=1_500)
    before = trace.state_at(next(e.id for e in trace.events if e.time_us > 890_000))
    assert before["n1"]["configuration"]["voters"] == ["n1", "n2", "n3"] and before["n5"]["commit_index"] == 0
    assert last(trace)["n1"]["configuration"]["voters"] == ["n1", "n2", "n3", "n4", "n5"]


def test_a_snapshot_holds_the_configuration():
    """Section 7: who gets a snapshot in place of the entries learns from it who belongs to the cluster."""
    schedule = [stands("n1", 10), at(100, "request", command="members=n1 n2 n4", to="n1"),
                *[at(300 + 60 * i, "request", command=f"x={i}", to="n1") for i in range(6)],
                at(900, "request", command="members=n1 n2 n5", to="n1"),
                at(1_300, "crash", node="n5"), at(1_310, "restart", node="n5")]
    system = raft_membership.cluster(5, server=raft_membership.Compacting)
    trace = simulate(system, seed=1, schedule=schedule, until=2_000)
    assert any(m.type == "InstallSnapshot" and m.target == "n5" for m in trace.messages)
    assert sorted(last(trace)["n5"]["configuration"]["voters"]) == ["n1", "n2", "n5"]


# ---- reads


def test_lesson_script_5_two_truths_at_once():
    """The script's two stale reads, 0 under C20 and then 1 under C3; and neither with both guards."""
    case = raft_reads_cases.TWO_TRUTHS

    def answers(server):
        reads = [o for o in play(raft_reads, case, server=server).history if o["command"] == "x"]
        return [o["result"] for o in reads], [o["completed_us"] is not None for o in reads]

    assert answers(raft_reads_variants.AnswersAtOnce)[0] == ["0", "1"]
    assert answers(raft_reads_variants.LocalReads)[0] == ["1", "1"]
    assert answers(raft_reads.Server) == (["1", "2"], [True, True])
    for server, fresh in ((raft_reads_variants.AnswersAtOnce, False), (raft_reads_variants.LocalReads, False),
                          (raft_reads.Server, True)):
        assert is_linearizable(play(raft_reads, case, server=server).history) is fresh


def test_a_lease_outlives_a_pause_and_not_a_stopped_clock():
    """The script's twist: two seconds of pause end the lease by the leader's own clock, unless that stood still too."""
    for case, stale in ((raft_reads_cases.PAUSED_LEADER, False), (raft_reads_cases.STOPPED_CLOCK, True)):
        leased = play(raft_reads, case, server=raft_reads_variants.Leasing)
        assert (first_violation(leased, raft_reads.cluster(3).always) is not None) is stale
        assert leased.history[-1]["result"] == ("1" if stale else "2")
        assert is_linearizable(leased.history) is not stale
        assert is_linearizable(play(raft_reads, case).history)


def test_a_lease_saves_the_round_of_confirmations():
    """Dissertation, section 6.4.1: the read is answered in the handler that receives it."""
    trace = simulate(raft_reads_variants.leasing(3, latency=1, disk=0), seed=3, until=2_560,
                     schedule=[at(2_000, "request", command="x=1"), at(2_500, "request", command="x")])
    read = trace.history[1]
    assert (read["result"], read["completed_us"] - read["invoked_us"]) == ("1", 2_000)


def test_reads_are_linearizable_by_an_independent_check():
    """Under random faults; and the check finds the stale reads of the leader that trusts itself."""
    for seed in range(40):
        assert is_linearizable(random_extensions.run("reads", seed).history), seed
    assert not all(is_linearizable(random_extensions.run("reads", seed, raft_reads_variants.AnswersAtOnce).history)
                   for seed in range(40))


@pytest.mark.parametrize(("operations", "allowed"), [
    ([("x=1", 0, 2, "1"), ("x", 3, 4, "1")], True),
    ([("x=1", 0, 2, "1"), ("x", 3, 4, None)], False),
    ([("x=1", 0, 9, "1"), ("x", 3, 4, None)], True),
    ([("x=1", 0, None, None), ("x", 3, 4, None), ("x", 5, 6, "1")], True),
    ([("x=1", 0, None, None), ("x", 3, 4, "1"), ("x", 5, 6, None)], False),
    ([("x=1", 0, 9, "1"), ("x=2", 0, 9, "2"), ("x", 1, 3, "1"), ("x", 4, 5, "2"), ("x", 6, 7, "1")], False),
])
def test_the_independent_check_itself(operations, allowed):
    """Small histories with known answers (start and end in any unit; None: never answered)."""
    history = [{"command": c, "invoked_us": b, "completed_us": e, "result": r} for c, b, e, r in operations]
    assert is_linearizable(history) is allowed


# ---- as systems


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__[20:])
def test_a_system_prints_as_code_that_makes_it(module):
    system = module.cluster(3, clients=2)
    name = module.__name__.rpartition(".")[2]
    assert system.code.startswith(f"{name}.cluster(3, clients=2") and system.name == name
    scope = {}
    exec(f"{system.imports}\nagain = {system.code}", scope)
    first, second = (simulate(s, seed=4, until=1_000).digest() for s in (system, scope["again"]))
    assert first == second


@pytest.mark.parametrize("nodes", [1, 2, 3])
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__[20:])
def test_small_clusters_serve(module, nodes):
    """Also one server alone, which is its own majority."""
    schedule = [at(800, "request", command="x=4"), at(1_200, "request", command="x")]
    trace = simulate(module.cluster(nodes), seed=1, schedule=schedule, until=3_000)
    assert [o["result"] for o in trace.history] == ["4", "4"]
