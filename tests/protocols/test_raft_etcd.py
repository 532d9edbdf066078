"""Another implementation's tests on ours: quorums, configurations and whole clusters of etcd-io/raft."""

import json
import re
import sys
from pathlib import Path

import pytest

from dslab.protocols import raft
from dslab.protocols.raft_configuration import Configuration, ConfigurationError, enter_joint, leave_joint, simple

sys.path.insert(0, str(Path(__file__).parent / "etcd_raft"))
import driver

FOLDER = Path(driver.__file__).parent
VERDICTS = json.loads((FOLDER / "verdicts.json").read_text())["files"]
SCENARIOS = sorted(path.stem for path in (FOLDER / "testdata").glob("*.txt"))
NOT_REPLAYED = {
    "replicate_pause": "shows nothing but the pauses of etcd's flow control, which ours does not have",
    "async_storage_writes": "a leader of etcd may commit while its own disk is still writing; ours saves first",
    "snapshot_succeed_via_app_resp": "a heartbeat of etcd carries no snapshot, so it takes one more round trip",
}


def text_of(name):
    return (FOLDER / "testdata" / f"{name}.txt").read_text()


@pytest.mark.parametrize("table", ["majority_commit", "joint_vote"])
def test_majorities_are_counted_alike(table):
    """Section 6: of the voters, and of old and new voters; commit index and elections."""
    for case in json.loads((FOLDER / "quorum" / f"{table}.json").read_text()):
        assert driver.quorum(case) == case["expected"], case["raw_command"]


@pytest.mark.parametrize("path", sorted((FOLDER / "confchange").glob("*.txt")), ids=lambda path: path.stem)
def test_configurations_change_alike(path):
    """What may be changed at once, what needs C_old,new, and what may not be done at all."""
    assert driver.replay_changes(path.read_text()) == []


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in NOT_REPLAYED])
def test_clusters_end_alike(name):
    """Term, vote, commit index, role, leader, configuration and log, wherever etcd's output tells them."""
    assert driver.replay(text_of(name)) == []


def compared(name):
    """How many facts of a scenario's output are compared."""
    found = list(driver.blocks(text_of(name)))
    return sum(len(fact) for b in found for fact in driver.facts(b).values()) + sum(b.name == "raft-log" for b in found)


def test_what_is_not_replayed_is_listed_with_its_reason():
    """All that are about Raft are replayed, and the list holds exactly those that differ or tell us nothing."""
    assert [n for n in SCENARIOS if not compared(n) or driver.replay(text_of(n))] == sorted(NOT_REPLAYED)
    assert not any(VERDICTS[f"testdata/{name}.txt"]["portable"] for name in NOT_REPLAYED)
    known = {file for file in VERDICTS if file.startswith("testdata/")}
    assert known == {f"testdata/{name}.txt" for name in SCENARIOS}


def test_a_scenario_without_expectations_would_prove_nothing():
    """Each scenario compares something, and most of them a lot."""
    counts = {name: compared(name) for name in SCENARIOS if name not in NOT_REPLAYED}
    assert min(counts.values()) >= 6 and sum(counts.values()) > 300, counts


@pytest.mark.parametrize(("name", "change"), [
    ("campaign", ("HardState Term:1 Vote:1 Commit:3", "HardState Term:1 Vote:1 Commit:4")),
    ("prevote", ("1/11 EntryNormal \"\"\n\ncampaign 3", "1/11 EntryNormal \"x\"\n\ncampaign 3")),
    ("checkquorum", ("INFO 1 became follower at term 3", "INFO 1 became follower at term 4")),
    ("confchange_v2_add_double_implicit", ("1 switched to configuration voters=(1 2)\n",
                                           "1 switched to configuration voters=(1 2 3)\n")),
    ("confchange_v1_remove_leader_stepdown", ("raft proposal dropped", "ok")),
    ("forget_leader", ("4: StateFollower (Non-Voter) Term:1 Lead:0", "4: StateFollower (Voter) Term:1 Lead:0")),
])
def test_an_altered_expectation_is_noticed(name, change):
    before, after = change
    assert before in text_of(name)
    assert driver.replay(text_of(name).replace(before, after))


class ShortMajority(driver.Etcd):
    """Commits what anybody holds."""

    def committable(self):
        index = max([0, *self.match_index.values()])
        return index if self.term_at(index) == self.term else self.commit_index


class Forgetful(driver.Etcd):
    """Any candidate gets the vote."""

    def up_to_date(self, m):
        return True


class Overwriting(driver.Etcd):
    """What follows a message's entries is deleted."""

    def append(self, m):
        self.log[m.prev_index - self.snapshot_index:] = m.entries
        self.reconfigure()

    def on_append_entries(self, sender, m):
        super().on_append_entries(sender, raft.AppendEntries(m.term, m.prev_index, m.prev_term, m.entries[:1],
                                                             m.commit_index))


@pytest.mark.parametrize("wrong", [ShortMajority, Forgetful, Overwriting])
def test_a_wrong_raft_is_noticed(wrong, monkeypatch):
    monkeypatch.setattr(driver, "Etcd", wrong)
    assert any(driver.replay(text_of(name)) for name in SCENARIOS if name not in NOT_REPLAYED)


def test_leadership_is_handed_over_to_a_server_that_holds_all():
    """Dissertation, section 3.10; the joint change that replaces the leader, then the transfer."""
    environment = driver.play([
        "add-nodes 3 voters=(1,2,3) index=2", "campaign 1", "stabilize", "add-nodes 1",
        {"command": "propose-conf-change 1 v1=false transition=explicit", "input": ["r1 v4"]}, "stabilize",
        "transfer-leadership from=1 to=4", "stabilize", "propose-conf-change 4", "stabilize"])
    states = {number: environment.state(number) for number in environment.nodes}
    assert [s["role"] for s in states.values()] == ["follower", "follower", "follower", "leader"]
    assert {s["configuration"] for n, s in states.items() if n > 1} == {"voters=(2 3 4)"}
    assert states[4]["term"] == 2 and states[2]["lead"] == 4


def test_a_learner_that_does_not_know_yet_votes():
    """Promoted by a change that has not reached it, its vote is needed, and given."""
    environment = driver.play([
        "add-nodes 3 voters=(1,2) learners=(3) index=2", "campaign 1", "stabilize",
        {"command": "propose-conf-change 1 v1=true", "input": ["v3"]}, "stabilize 1 2", "deliver-msgs drop=(3)",
        "campaign 2", "process-ready 2", "stabilize 3", "stabilize 2 3"])
    assert environment.state(2)["role"] == "leader" and environment.state(2)["term"] == 2
    assert environment.state(3)["configuration"] == "voters=(1 2 3)"


def test_a_follower_behind_the_compacted_log_gets_the_snapshot():
    """Section 7, with a leader that has no entry left that the follower could use."""
    environment = driver.play([
        "add-nodes 3 voters=(1,2,3) index=10", "campaign 1", "stabilize", "propose 1 a", "propose 1 b",
        "stabilize 1 2", "deliver-msgs drop=(3)", "compact 1 13", "propose 1 c", "stabilize", "tick-heartbeat 1",
        "stabilize"])
    assert environment.raft_log(1) == ['1/14 EntryNormal "c"'] == environment.raft_log(3)
    assert environment.state(3)["commit"] == 14 and environment.nodes[3].snapshot_index == 13


def test_pre_votes_are_refused_while_a_leader_is_heard():
    """Dissertation, section 9.6: until an election timeout has passed without a heartbeat."""
    begin = ["add-nodes 3 voters=(1,2,3) index=10 prevote=true checkquorum=true", "campaign 1", "stabilize"]
    calm = driver.play([*begin, "campaign 3", "stabilize"])
    assert [calm.state(n)["term"] for n in (1, 2, 3)] == [1, 1, 1] and calm.state(1)["role"] == "leader"
    quiet = driver.play([*begin, "set-randomized-election-timeout 2 timeout=5", "tick-election 2", "campaign 3",
                         "stabilize"])
    assert [quiet.state(n)["role"] for n in (1, 2, 3)] == ["follower", "follower", "leader"]


@pytest.mark.parametrize(("make", "text"), [
    (lambda: simple(Configuration(["a"], ["b"]), []), "can't apply simple config change in joint config"),
    (lambda: leave_joint(Configuration(["a"])), "can't leave a non-joint config"),
    (lambda: enter_joint(Configuration([]), [("voter", "a")]), "can't make a zero-voter config joint"),
])
def test_what_may_not_be_changed_is_refused_in_words(make, text):
    with pytest.raises(ConfigurationError, match=re.escape(text)):
        make()


@pytest.mark.parametrize(("first", "verb", "changes", "then"), [
    ("voters=(1)", "simple", "u1", "voters=(1)"),
    ("voters=(1 2 3)", "simple", "l1 v1", "voters=(1 2 3)"),
    ("voters=(1 2 3)", "simple", "v2 l2", "voters=(1 3) learners=(2)"),
    ("voters=(1)", "enter-joint", "r1 r2 r9 v2 v3 v4 v2 v3 v4 l2 l2 r4 r4 l1 l1",
     "voters=(3)&&(1) learners=(2) learners_next=(1)"),
    ("voters=(1)", "enter-joint", "", "voters=(1)&&(1)"),
    ("voters=(1)", "enter-joint", "r1 v2 v3 l4", "voters=(2 3)&&(1) learners=(4)"),
])
def test_changes_are_taken_one_after_the_other(first, verb, changes, then):
    """The end counts, not the way there: who is demoted and promoted at once stays."""
    names = re.findall(r"\d+", first)
    grow = "".join(f"simple\nv{name}\n----\nvoters=({' '.join(names[:i])})\n\n" for i, name in enumerate(names, 1))
    assert driver.replay_changes(f"{grow}{verb}\n{changes}\n----\n{then}\n") == []


def test_an_unknown_command_is_named():
    with pytest.raises(NotImplementedError, match="no command 'juggle'"):
        driver.play(["juggle 1 2 3"])
