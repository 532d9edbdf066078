"""Shortening schedules, and everything else that a failing run can do without."""

import json

import pytest

from dslab import explore
from dslab.check.counterexample import replayed
from dslab.check.shrink import _numbered, minimise, shortest, sizes
from dslab.protocols import raft, raft_variants, two_phase_commit, two_phase_commit_variants
from dslab.protocols.raft_cases import FIGURE_8
from dslab.sim import DslabError, ScheduleError
from dslab.sim.case import Case


def case_of(letters):
    """A case whose actions are letters."""
    return Case("letters", "", [{"do": letter} for letter in letters], 1)


def letters_of(case):
    """The letters of a case's actions."""
    return "".join(action["do"] for action in case.schedule)


def needs(*wanted):
    """Fails while it has all the wanted letters."""
    return lambda case: "failed" if set(wanted) <= set(letters_of(case)) else None


def test_keeps_only_what_is_needed_in_order():
    """Whatever else was there goes."""
    small, found = shortest(case_of("abcdefghij"), "failed", needs("b", "i"))
    assert (letters_of(small), found) == ("bi", "failed")


def test_result_can_be_empty():
    """A system may fail although nothing happens."""
    small, _ = shortest(case_of("abc"), "failed", lambda case: "failed")
    assert letters_of(small) == ""


def test_no_single_action_of_the_result_can_go():
    """Also where only pairs may go: ab or cd must be complete."""

    def find(case):
        return (
            "failed"
            if letters_of(case).count("a") == letters_of(case).count("b") and "c" in letters_of(case)
            else None
        )

    small, _ = shortest(case_of("abcab"), "failed", find)
    assert all(
        find(small._replace(schedule=small.schedule[:i] + small.schedule[i + 1 :])) is None
        for i in range(len(small.schedule))
    )


def test_attempts_are_limited():
    """What was found by then is still right."""
    tried = []

    def find(case):
        tried.append(case)
        return needs("z")(case)

    small, _ = shortest(case_of("abcdefghijklmnopqrstuvwxyz"), "failed", find, attempts=3)
    assert len(tried) == 3 and "z" in letters_of(small)


# ---- minimise: everything else about a run

def mutant(server=raft_variants.CommitsAnyTerm, nodes=5, clients=2):
    """A cluster that breaks under Figure 8."""
    return raft.cluster(nodes, server=server, clients=clients)


def test_figure_8_gets_smaller_and_breaks_the_same_property():
    """Fewer actions, fewer servers, one latency; what is left is one-minimal and says its sizes."""
    small = minimise(mutant(), FIGURE_8, "leader_completeness")
    assert small.verdict.name == "leader_completeness" and not small.why
    assert small.after["actions"] <= 15 and small.after["servers"] == 3
    assert small.before["actions"] == len(FIGURE_8.schedule)
    assert isinstance(small.system.network.latency, int | float) and small.system.disk == 0
    for i in range(len(small.case.schedule)):
        shorter = small.case._replace(schedule=small.case.schedule[:i] + small.case.schedule[i + 1:])
        assert replayed(small.system, shorter, raft.ALWAYS, "leader_completeness") is None
    assert "5 servers became 3" in repr(small)


def test_same_input_gives_the_same_result():
    """No chance, no clock."""
    one, other = (minimise(mutant(), FIGURE_8, "leader_completeness") for _ in range(2))
    assert one.to_json() == other.to_json() and one.cell == other.cell


def test_file_and_cell_make_the_run_again():
    """The code of the smaller system is an expression; the file holds the schedule."""
    small = minimise(mutant(), FIGURE_8, "leader_completeness")
    told = json.loads(small.to_json())
    cell, made = small.cell.replace("from dslab import Lab\n", ""), {}
    exec(cell.replace("Lab(", "made.update(again=(lambda system, **rest: (system, rest))(", 1) + ")", {"made": made})
    system, rest = made["again"]
    case = FIGURE_8._replace(schedule=rest["schedule"], until=rest["until"], seed=rest["seed"])
    assert replayed(system, case, raft.ALWAYS, told["property"]) is not None
    assert rest["schedule"] == told["schedule"] and told["before"]["actions"] > told["after"]["actions"]


def test_run_by_hand_keeps_the_meaning_of_message_numbers():
    """Leaving out an action changes the numbers of later messages; the schedule follows."""
    found = explore(two_phase_commit_variants.majority_commits(5), **two_phase_commit.BOUNDS)
    needed = found.case.schedule
    idle = next(n for n in found.system.servers if n != "tm" and all(a.get("node") != n for a in needed))
    shifted = [{**a, "message": a["message"] + 1} if "message" in a else a for a in needed]
    case = found.case._replace(schedule=[{"at": 5, "do": "timeout", "node": idle, "timer": "prepare"}, *shifted])
    small = minimise(found.system, case, "consistent")
    assert small.after["actions"] < len(needed) and small.after["servers"] < small.before["servers"]
    assert replayed(small.system, small.case, small.system.always, "consistent") is not None


def test_longer_run_by_hand_becomes_as_short_as_the_shortest():
    """Random walks find some way; what is left of it is about as short as breadth-first's."""
    cluster = raft.cluster(3, server=raft_variants.ForgetfulVoter, clients=0)
    bounds = {"timeouts": {"election": 3}, "crashes": 1, "restarts": 1, "goals": ()}
    short = explore(cluster, **bounds)
    for seed in (1, 2, 3):
        long = explore(cluster, search="random walk", states=200_000, seed=seed, **bounds)
        small = minimise(long.system, long.case, "election_safety")
        assert len(long.case.schedule) >= len(small.case.schedule) >= len(short.case.schedule)
        assert small.after["actions"] <= 10


@pytest.mark.parametrize("seed", [0, 3])
def test_no_single_action_of_a_run_by_hand_can_go(seed):
    """By trying every one: the rest, with its messages numbered anew, keeps the property. The sizes are right too."""
    cluster = two_phase_commit_variants.changes_its_mind(3)
    long = explore(cluster, search="random walk", states=60_000, seed=seed, **two_phase_commit.BOUNDS)
    small = minimise(long.system, long.case, "consistent")
    assert (small.before, small.after) == (sizes(long.system, long.case), sizes(small.system, small.case))
    assert small.verdict.name == "consistent" and small.after["actions"] < small.before["actions"]
    for i in range(len(small.case.schedule)):
        less = small.case._replace(schedule=small.case.schedule[:i] + small.case.schedule[i + 1:])
        less = _numbered(small.system, less, small.case, small.system)
        assert replayed(small.system, less, small.system.always, "consistent") is None


def test_nothing_is_lost_when_it_ends_early():
    """Few runs, or Ctrl-C: what was found by then still breaks the property."""
    few = minimise(mutant(), FIGURE_8, "leader_completeness", runs=20)
    assert few.why == "all 20 runs were used up" and few.runs == 20

    def interrupt(runs, case):
        raise KeyboardInterrupt
    stopped = minimise(mutant(), FIGURE_8, "leader_completeness", progress=interrupt)
    assert stopped.why == "stopped by Ctrl-C"
    for small in (few, stopped):
        assert replayed(small.system, small.case, raft.ALWAYS, "leader_completeness") is not None


def test_run_that_breaks_nothing_is_refused():
    """One sentence."""
    with pytest.raises(DslabError, match="does not violate 'election_safety'"):
        minimise(raft.cluster(3), FIGURE_8._replace(schedule=[]), "election_safety")


def test_waiting_client_is_a_property_too():
    """Without progress, what is needed is the request and whatever keeps it from being answered."""
    schedule = [{"at": 5, "do": "crash", "node": "n1"}, {"at": 6, "do": "crash", "node": "n2"},
                {"at": 50, "do": "request", "command": "x=1"}, {"at": 60, "do": "skew", "node": "n3", "rate": 2.0}]
    case = FIGURE_8._replace(schedule=schedule, until=3_000, nodes=3)
    small = minimise(raft.cluster(3), case, "requests_are_answered")
    assert small.after["actions"] < 4 and small.verdict.name == "requests_are_answered"


def test_nodes_can_be_left_out_of_a_system():
    """The others keep their names; the expression says who is missing."""
    system = raft.cluster(5).without("n2", "n4")
    assert system.servers == ["n1", "n3", "n5"] and system.code == 'raft.cluster(5).without("n2", "n4")'
    with pytest.raises(ScheduleError, match="no node 'n9'"):
        raft.cluster(3).without("n9")
    with pytest.raises(ScheduleError, match="at least one server"):
        raft.cluster(1).without("n1")


def test_what_faults_keep_from_happening_would_happen_without_them():
    """A run in which nobody asks never commits either, and explains nothing."""
    schedule = [
        *({"at": 300 + i, "do": "crash", "node": f"n{i}"} for i in (1, 2, 3)),
        {"at": 400, "do": "request", "command": "x=1"},
    ]
    small = minimise(raft.cluster(5), Case("down", "", schedule, 3_000, nodes=5), "commits")
    assert [act["do"] for act in small.case.schedule] == ["crash", "request"]


def test_the_cell_opens_where_a_variant_runs():
    """It imports the variant from its home."""
    schedule = [
        {"at": 400, "do": "cut", "source": "n1", "target": "n3"},
        {"at": 420, "do": "request", "command": "x=1", "to": "n1"},
    ]
    system = raft.cluster(3, server=raft_variants.Truncating)
    small = minimise(system, Case("cut", "", schedule, 2_500, seed=7), "leader_completeness", runs=3)
    assert "from dslab.protocols.raft_variants import Truncating" in small.cell.splitlines()


def test_a_misspelt_property_is_named():
    """With the one that was meant; not "does not violate"."""
    with pytest.raises(DslabError, match="no property 'election_safty'; did you mean 'election_safety'"):
        minimise(raft.cluster(5), FIGURE_8, "election_safty")
