"""`python -m dslab explore`: the object, the words, the exit status, and one line for what is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dslab.commands.explore import main
from dslab.commands.run import systems
from dslab.sim import simulate
from dslab.sim.schedule import check_schedule


def test_paxos_prints_one_object(capsys):
    """The command of the course's figures: exhausted, 101,408 states."""
    assert main(["paxos", "--proposers", "2", "--acceptors", "3", "--ballots", "1", "--json"]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert (found["result"], found["states"], found["transitions"]) == ("exhausted", 101_408, 518_682)
    assert found["passed"] and found["goals"] == {"chooses": True} and not told.err


def test_words_say_what_was_explored_and_what_it_means(capsys):
    """Bounds, figures, goals, outcome."""
    assert main(["two_phase_commit", "--nodes", "3"]) == 0
    text = capsys.readouterr().out
    assert "any number of timers" in text and "288 states" in text and "reached     commits" in text
    assert "exhausted: there is no other state within these bounds" in text


def test_unmet_goal_and_spent_budget_are_no_pass(capsys):
    """Exit status 1, and the words say so."""
    assert main(["raft", "--nodes", "3", "--clients", "0", "--timeouts", "election=1"]) == 1
    assert "This is no pass" in capsys.readouterr().out
    assert main(["raft", "--nodes", "3", "--states", "500"]) == 1
    assert "proves nothing about the rest" in capsys.readouterr().out


def test_symmetry_search_and_requests(capsys):
    """Each option reaches the search."""
    assert main(["two_phase_commit", "--nodes", "5", "--symmetry", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["states"] == 314
    assert main(["raft", "--nodes", "3", "--clients", "0", "--search", "depth-first", "--timeouts", "election=1",
                 "--crashes", "1", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["search"] == "depth-first" and found["bounds"]["crashes"] == 1 and found["bounds"]["requests"] == []
    assert main(["echo", "--request", "a", "--request", "b@n1", "--json", "--losses", "1", "--network", "once"]) == 0
    assert [r["command"] for r in json.loads(capsys.readouterr().out)["bounds"]["requests"]] == ["a", "b"]


@pytest.mark.parametrize("name", systems())
def test_every_protocol_can_be_searched(name, capsys):
    """By its name alone: each ends in one of the three results, and the object agrees with the exit status."""
    status = main([name, "--states", "200", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["result"] in ("exhausted", "violated", "budget spent") and status == (0 if found["passed"] else 1)
    assert bool(found["schedule"]) == bool(found["violation"]) == (found["result"] == "violated")
    assert not found["passed"] or all(found["goals"].values())


def test_small_bounds_of_a_protocol_are_its_own(capsys):
    """Commands that it understands, as many timers as its goals need."""
    for name in ("crdt", "hash_table"):
        assert main([name, "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["bounds"]["requests"]) > 1


def test_what_relies_on_time_breaks_and_the_words_say_so(capsys):
    """Two servers that have not heard each other both lead."""
    assert main(["highest_id", "--nodes", "3"]) == 1
    assert "There is no clock in a search" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "words"), [
    (["raftt"], "no system is called 'raftt': choose from "), (["raft", "--nodes", "0"], "1 to 10,000 nodes"),
    (["two_phase_commit", "--acceptors", "3"], "takes no --acceptors; it takes --nodes"),
    (["raft", "--nodes", "3", "--request", "x=1@n9"], "there is no server 'n9'"),
    (["two_phase_commit", "--request", "x"], "has no clients"),
    (["raft", "--symmetry", "--nodes", "3"], "interchangeable"),
    (["raft", "--ballots", "1"], "no attribute 'ballots'"),
    (["raft", "--timeouts", "electoin=2"], "no timer 'electoin'"),
    (["raft", "--request", "@n1"], "there is no command before the @"),
    (["raft", "--counterexample", "no/such/x.json"], "--counterexample takes the name of a file")])
def test_wrong_argument_is_one_line(capsys, arguments, words):
    """Exit status 2, nothing on standard output."""
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert words in told.err and told.err.count("\n") == 1 and not told.out


@pytest.mark.parametrize("arguments", [
    ["raft", "--timeouts", "x"], ["raft", "--timeouts", "=1"],
    ["raft", "--network", "twice"], ["raft", "--crashes", "-1"], ["raft", "--fast"], []])
def test_what_the_parser_refuses_is_one_line(capsys, arguments):
    """Exit status 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_counterexample_is_written_and_replays(tmp_path, capsys, monkeypatch):
    """The file holds a schedule for the system that it names."""
    from dslab.protocols import two_phase_commit, two_phase_commit_variants

    cluster = two_phase_commit.cluster
    mutant = two_phase_commit_variants.MajorityCommits
    monkeypatch.setattr(two_phase_commit, "cluster", lambda nodes=3: cluster(nodes, manager=mutant))
    file = tmp_path / "found.json"
    assert main(["two_phase_commit", "--counterexample", str(file)]) == 1
    assert 'violated    "All or nothing"' in capsys.readouterr().out
    told = json.loads(file.read_text())
    system = cluster(3, manager=mutant).stepped()
    assert told["system"] == system.code and told["property"] == "consistent"
    assert simulate(system, seed=told["seed"], schedule=check_schedule(told["schedule"], system), until=told["until"])
    assert main(["two_phase_commit", "--counterexample", str(tmp_path / "no" / "x.json")]) == 2
    assert "--counterexample takes the name of a file" in capsys.readouterr().err


def test_ctrl_c_tells_what_was_seen(tmp_path):
    """Exit status 130; the object says budget spent."""
    process = subprocess.Popen([sys.executable, "-m", "dslab", "explore", "raft", "--nodes", "5", "--timeouts", "any",
                                "--states", "100000000", "--json"], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONUNBUFFERED": "1"})
    mapped = f"/proc/{process.pid}/stat"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _cpu_ticks(mapped) < 150:       # until it is well into the search
        time.sleep(0.05)  # between two looks; what is awaited is the condition
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    found = json.loads(out)
    assert process.returncode == 130 and found["result"] == "budget spent" and not found["passed"]
    assert found["why"] == "stopped by Ctrl-C" and found["states"] > 0


def _cpu_ticks(stat):
    try:
        return int(Path(stat).read_text().rsplit(")", 1)[1].split()[11])
    except OSError:
        return 10**6
