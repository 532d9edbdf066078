"""Raft, rule by rule and under random faults; each test names the section that it holds Raft to."""

import sys
from pathlib import Path

import pytest

from dslab.check.invariants import check_trace
from dslab.protocols import raft, raft_variants
from dslab.sim import Simulation, simulate

sys.path.insert(0, str(Path(__file__).parent))
import random_runs

E = raft.Entry


def at(ms, do, **arguments):
    return {"at": ms, "do": do, **arguments}


def server(term=1, log=(), voted_for=None, nodes=3):
    """n1 of a cluster that has just started, with the state that a test wants."""
    sim = Simulation(raft.cluster(nodes, clients=0, disk=0), 1).run(0)
    node = sim.nodes["n1"]
    node.term, node.log, node.voted_for = term, [E(t, f"c{i}") for i, t in enumerate(log, 1)], voted_for
    return node


def sent(node):
    out = [(link.target, m) for link, m in node._host.outbox]
    node._host.outbox.clear()
    return out


@pytest.mark.parametrize(("request_", "voted_for", "granted"), [
    (raft.RequestVote(2, 3, 2), None, True),      # same log
    (raft.RequestVote(2, 4, 2), None, True),      # longer
    (raft.RequestVote(2, 1, 3), None, True),      # later last term, though shorter
    (raft.RequestVote(2, 2, 2), None, False),     # shorter
    (raft.RequestVote(2, 9, 1), None, False),     # longer, but of an older term
    (raft.RequestVote(1, 3, 2), None, False),     # a term that is over
    (raft.RequestVote(2, 3, 2), "n3", False),     # the vote is given
    (raft.RequestVote(2, 3, 2), "n2", True),      # the same candidate asks again
    (raft.RequestVote(3, 3, 2), "n3", True),      # a new term, a new vote
])
def test_a_vote_is_given_once_a_term_to_a_log_that_misses_nothing(request_, voted_for, granted):
    """Sections 5.2 and 5.4.1."""
    node = server(term=2, log=[1, 1, 2], voted_for=voted_for)
    node.on_request_vote("n2", request_)
    ((target, answer),) = sent(node)
    assert (target, answer.granted, answer.term) == ("n2", granted, max(2, request_.term))
    assert (node.voted_for == "n2") is granted


def test_only_a_vote_given_restarts_the_timer():
    """Section 5.2: a candidate that cannot win must not keep the others quiet."""
    for last_term, restarts in ((0, False), (1, True)):
        node = server(term=1, log=[1])
        before = node._host.timers["election"]
        node.on_request_vote("n2", raft.RequestVote(2, 5, last_term))
        assert (node._host.timers["election"] != before) is restarts


@pytest.mark.parametrize(("log", "message", "result", "success"), [
    ([1, 1], (1, 2, 1, [1]), [1, 1, 1], True),                # appends
    ([1, 1, 1], (1, 1, 1, [1]), [1, 1, 1], True),             # an old message must not shorten the log
    ([1, 1, 1], (2, 1, 1, [2]), [1, 2], True),                # a conflict goes, and what follows it
    ([1], (1, 2, 1, [1]), [1], False),                        # a gap
    ([1, 1], (2, 2, 2, [2]), [1, 1], False),                  # the entry before is of another term
    ([1, 1], (0, 0, 0, [1]), [1, 1], False),                  # a leader of an older term
    ([1, 1], (1, 2, 1, []), [1, 1], True),                    # a heartbeat takes the same check
    ([1], (1, 2, 1, []), [1], False),
])
def test_entries_are_appended_behind_what_both_hold(log, message, result, success):
    """Section 5.3 and Figure 2, receiver's steps 1 to 4."""
    term, prev_index, prev_term, terms = message
    node = server(term=1, log=log)
    node.on_append_entries("n2", raft.AppendEntries(term, prev_index, prev_term, [E(t, "new") for t in terms], 0))
    ((_, answer),) = sent(node)
    assert ([e.term for e in node.log], answer.success) == (result, success)


def test_a_follower_commits_no_further_than_what_the_message_proves():
    """Figure 2, step 5: the minimum with the last *new* entry, not with the end of its own log."""
    node = server(term=2, log=[1, 1, 1])
    node.on_append_entries("n2", raft.AppendEntries(2, 1, 1, [], 3))
    assert node.commit_index == 1


@pytest.mark.parametrize(("log", "match", "commit"), [
    ([2, 2], {"n2": 2, "n3": 0, "n4": 0, "n5": 0}, 0), ([2, 2], {"n2": 2, "n3": 1, "n4": 0, "n5": 0}, 1),
    ([2, 2], {"n2": 2, "n3": 2, "n4": 0, "n5": 0}, 2), ([1, 1], {"n2": 2, "n3": 2, "n4": 2, "n5": 2}, 0),
    ([1, 2], {"n2": 2, "n3": 2, "n4": 0, "n5": 0}, 2), ([1, 2], {"n2": 1, "n3": 1, "n4": 1, "n5": 1}, 0),
])
def test_a_leader_counts_copies_of_its_own_term_only(log, match, commit):
    """Section 5.4.2, Figure 8."""
    node = server(term=2, log=log, nodes=5)
    node.role, node.match_index = "leader", match
    assert node.committable() == commit


def test_a_cluster_of_one_serves_alone():
    trace = simulate(raft.cluster(1), seed=1, schedule=[at(500, "request", command="x=4")], until=1_000)
    assert trace.history[0]["result"] == "4"


def test_an_operation_takes_effect_once_however_often_it_is_sent():
    """Section 8: the answer is lost, the client asks again, and gets the first answer."""
    system = raft.cluster(3, latency=10)
    calm = simulate(system, seed=1, schedule=[at(500, "request", command="x=1")], until=600)
    reply = next(m for m in calm.messages if m.type == "ClientReply" and m.fields["ok"])
    lost = at(reply.sent_us / 1000 + 1, "drop", message=reply.id)
    trace = simulate(system, seed=1, schedule=[at(500, "request", command="x=1"), lost], until=1_500)
    (operation,) = trace.history
    assert operation["result"] == "1" and operation["completed_us"] > 800_000
    logs = [state["log"] for name, state in trace.state_at(len(trace) - 1).items() if name != "c1"]
    assert all(len(log) == 1 for log in logs)


def test_figure_3_holds_under_random_faults():
    """The short form of `random_runs.py 10000`: every run keeps all five properties, and the runs get somewhere."""
    done = random_runs.many(range(120))
    assert done["violations"] == 0
    assert done["committed"] > 200, "runs in which nothing commits prove nothing"


@pytest.mark.parametrize(("name", "seed", "prop"), [
    ("LongestLogWins", 1088, "leader_completeness"), ("LastTermOnly", 5, "leader_completeness"),
    ("ForgetfulVoter", 2960, "election_safety"), ("Truncating", 69, "leader_completeness"),
    ("CommitsAnyTerm", 365, "leader_completeness"),
])
def test_a_raft_without_one_guard_is_caught(name, seed, prop):
    """The seed is the first at which random faults catch it; the real Raft holds at the same seed."""
    assert random_runs.one_run(seed, random_runs.MUTANTS[name])[0] == prop
    assert random_runs.one_run(seed)[0] == ""


class Overwriting(raft.Server):
    """A leader that drops the last entry of its own log when a follower refuses."""

    def on_appended(self, sender, m):
        super().on_appended(sender, m)
        if not m.success and self.role == "leader":
            self.log = self.log[:-1]


class Relabelling(raft.Server):
    """A follower that stamps what it appends with its own name."""

    def append(self, m):
        super().append(m)
        self.log = [E(e.term, f"{e.command}@{self.id}", e.client, e.number) for e in self.log]


class Impatient(raft.Server):
    """Applies what it has not committed."""

    def on_append_entries(self, sender, m):
        super().on_append_entries(sender, m)
        self.commit_up_to(self.last_index)


@pytest.mark.parametrize(("variant", "prop"), [
    (Overwriting, "leader_append_only"), (Relabelling, "log_matching"), (Impatient, "state_machine_safety")])
def test_each_property_can_fail(variant, prop):
    """Seeded bugs: a check that never fails proves nothing."""
    for seed in range(400):
        system = raft.cluster(3, server=variant, disk=0)
        schedule = random_runs.random_schedule(system, seed, 2_500, random_runs.HOSTILE)
        verdicts = check_trace(simulate(system, seed=seed, schedule=schedule, until=2_800), raft.ALWAYS)
        if any(v.name == prop and v.status == "violated" for v in verdicts):
            return
    raise AssertionError(f"{prop} never failed")


def test_progress_is_seen_and_its_absence_too():
    held = check_trace(simulate(raft.cluster(3), seed=1, schedule=[at(500, "request", command="x")], until=1_000), (),
                       raft.EVENTUALLY)
    assert [v.status for v in held] == ["reached", "reached"]
    never = check_trace(simulate(raft.cluster(3), seed=1, until=50), (), raft.EVENTUALLY)
    assert [v.status for v in never] == ["not yet", "not yet"]


def test_a_property_that_asks_for_what_is_not_shown_is_not_evaluable():
    def wants_more(world):
        """Needs what no node shows."""
        return world.servers[0].ballot and None
    (verdict,) = check_trace(simulate(raft.cluster(3), seed=1, until=50), [wants_more])
    assert verdict.status == "not evaluable" and "ballot" in verdict.violation.text


def test_the_plain_file_stays_plain():
    assert len(Path(raft.__file__).read_text().splitlines()) <= 250
    assert raft_variants.counting(lambda n: 1).servers
