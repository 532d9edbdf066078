"""The real etcd: started, asked, killed, stopped, and put away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from dslab.commands.components import find
from dslab.live.keeper import Keeper, ServiceError
from dslab.protocols import raft
from dslab.services.etcd import NoAnswerError, compare_downtime, etcd, probe

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60
FAST = {"heartbeat": 50, "election_timeout": 500}  # ms


@pytest.fixture(scope="module")
def cluster():
    """Three members."""
    with etcd(3, **FAST) as cluster:
        yield cluster


def eventually(condition):
    """Wait for what other processes do; fail if it does not happen."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)  # they tell nobody unasked


@pytest.mark.needs("etcd")
def test_the_probe_and_the_doctor_find_the_same():
    """Path and version."""
    found = probe()
    assert (found.path, found.version, found.why_not) == (str(find("etcd").path), find("etcd").version, "")


@pytest.mark.needs("etcd")
def test_what_is_written_at_one_member_is_read_at_all(cluster):
    """Linearizable reads; any text."""
    cluster.put("Füße", "naïve\n✓", member="m1")
    assert [cluster.get("Füße", member=m) for m in cluster.members] == ["naïve\n✓"] * 3
    cluster.put("empty", "")
    assert cluster.get("empty") == "" and cluster.get("nothing") is None


@pytest.mark.needs("etcd")
def test_one_member_leads(cluster):
    """And all say so."""
    leader = cluster.leader()
    status = cluster.status()
    assert [m for m in cluster.members if status[m]["role"] == "leader"] == [leader]
    assert {status[m]["leader"] for m in cluster.members} == {leader}
    assert len({status[m]["term"] for m in cluster.members}) == 1
    assert repr(cluster) == f"<etcd {probe().version}: m1 up, m2 up, m3 up>"


@pytest.mark.needs("etcd")
def test_a_killed_leader_is_replaced_and_nothing_is_lost(cluster):
    """The term grows; the killed member learns what was written without it."""
    cluster.put("kept", "through the kill")
    old, term = cluster.leader(), cluster.status()["m1"]["term"]
    elected, written = cluster.downtime()
    assert 0 < elected <= written
    assert cluster.leader() != old or cluster.status()[old]["term"] > term + 1
    assert cluster.status()["m1"]["term"] > term
    assert cluster.get("kept", member=old) == "through the kill" and cluster.get("downtime") is not None


@pytest.mark.needs("etcd")
def test_a_stopped_leader_comes_back_as_a_follower(cluster):
    """SIGSTOP: it believes that it leads until it hears of the new term."""
    old = cluster.leader()
    cluster.pause(old)
    others = [m for m in cluster.members if m != old]
    eventually(lambda: cluster.status(seconds=0.2)[others[0]]["leader"] in others)
    cluster.put("while it slept", "yes", member=others[0])
    cluster.resume(old)
    eventually(lambda: cluster.leader() in others)
    assert cluster.get("while it slept", member=old) == "yes"


@pytest.mark.needs("etcd")
def test_without_a_majority_nothing_is_answered(cluster):
    """Neither writes nor linearizable reads; with it again, all is there."""
    cluster.put("x", "before")
    cluster.crash("m1")
    cluster.crash("m2")
    with pytest.raises(NoAnswerError, match="m3 "):
        cluster.put("x", "lost", member="m3", seconds=1)
    with pytest.raises(NoAnswerError, match="m3 "):
        cluster.get("x", member="m3", seconds=1)
    with pytest.raises(NoAnswerError, match="m1 does not answer: ConnectionRefusedError"):
        cluster.get("x", member="m1")
    assert {m: about["role"] for m, about in cluster.status().items() if m != "m3"} == {"m1": "down", "m2": "down"}
    cluster.start("m1")
    cluster.restart("m2")
    assert cluster.get("x") in ("before", "lost")  # no answer is no promise


@pytest.mark.needs("etcd")
def test_downtimes_stand_beside_the_simulators():
    """Each row says what it is."""
    system = raft.cluster(3, heartbeat=50, election_timeout=(500, 1000))
    downtimes = compare_downtime(system, kills=2, trials=50)
    assert list(downtimes.times) == [f"etcd {probe().version}", "simulator"]
    assert [len(times) for times in downtimes.times.values()] == [2, 50]
    assert min(downtimes.times["simulator"]) > 450 and all(min(times) > 0 for times in downtimes.times.values())
    assert "heartbeat 50 ms, election timeout 500 to 1000 ms" in downtimes.note


@pytest.fixture
def no_etcd(monkeypatch, tmp_path):
    """A machine on which etcd is not installed."""
    monkeypatch.setattr("dslab.services.etcd.PLACES", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_where_it_is_not_installed_one_sentence_says_how_to_get_it(no_etcd):
    """The notebook shows the simulator's times and the notice."""
    with pytest.raises(ServiceError, match=r"^etcd is not installed; get it: .*apt-get install etcd-server"), etcd():
        pass
    downtimes = compare_downtime(raft.cluster(3), trials=3)
    assert list(downtimes.times) == ["simulator"] and len(downtimes.times["simulator"]) == 3
    assert str(downtimes).splitlines()[-1].startswith("Nothing was measured: etcd is not installed; get it: etcd.io;")


@pytest.mark.parametrize(
    ("text", "words"),
    [("#!/bin/sh\necho something else\n", "is not etcd 3.4 or newer"), ("no program", "does not start")],
)
def test_another_program_of_that_name_is_not_taken_for_it(no_etcd, text, words):
    """The sentence names it."""
    program = no_etcd / "etcd"
    program.write_text(text)
    program.chmod(0o755)
    assert probe().path is None and f"{program} {words}" in probe().why_not


@pytest.mark.parametrize("nodes", [0, 10, "three", None])
def test_a_wrong_number_of_members_is_refused(nodes):
    """Before anything starts."""
    with pytest.raises(ServiceError, match="has 1 to 9 members"), etcd(nodes):
        pass


@pytest.mark.needs("etcd")
def test_a_member_that_ends_by_itself_is_told_with_its_last_words(cluster):
    """etcd wants five heartbeats in an election timeout."""
    with pytest.raises(ServiceError, match=r"m1 has ended by itself; it printed last: .*5 times"), etcd(
        1, heartbeat=100, election_timeout=200
    ):
        pass
    with pytest.raises(ServiceError, match="there is no member 'm7'; the members are m1, m2, m3"):
        cluster.get("x", member="m7")


PROGRAM = """
import json, sys, time
from dslab.live.keeper import Keeper
keeper = Keeper()
pids = [keeper.start(f"p{i}", ["sleep", "600"]) for i in range(2)]
keeper.signal("p1", 19)
print(json.dumps([[*pids, keeper._process.pid], str(keeper.folder)]), flush=True)
"""


def lives(pid):
    """Whether a process has not ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(pids, folder):
    """Wait until nothing is left."""
    eventually(lambda: not any(map(lives, pids)))
    eventually(lambda: not Path(folder).exists())


@pytest.mark.parametrize("end", ["", "keeper.stop()", "time.sleep(600)", "raise ValueError"])
def test_programs_end_with_whoever_started_them(end):
    """Also one that is stopped, and also after a SIGKILL."""
    program = subprocess.Popen([sys.executable, "-c", PROGRAM + end], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    pids, folder = json.loads(program.stdout.readline())
    if "sleep" in end:
        program.kill()
    gone(pids, folder)
    program.communicate(timeout=SECONDS)


def test_programs_end_with_their_keeper():
    """The kernel kills them; whoever asks is told."""
    keeper = Keeper()
    pid = keeper.start("p", ["sleep", "600"])
    os.kill(keeper._process.pid, signal.SIGKILL)
    eventually(lambda: not lives(pid))
    with pytest.raises(ServiceError, match="the process that kept the programs has ended; start them again"):
        keeper.alive("p")
    keeper.stop()


def test_what_a_program_prints_and_how_it_ends_is_known():
    """From the keeper's folder."""
    keeper = Keeper()
    keeper.start("p", ["sh", "-c", "echo $WORD; echo to stderr >&2; pwd"], {"WORD": "hello"})
    eventually(lambda: not keeper.alive("p"))
    assert keeper.output("p") == f"hello\nto stderr\n{keeper.folder.resolve()}"
    assert keeper.output("unknown") == ""
    keeper.start("q", ["no-such-program"])
    eventually(lambda: not keeper.alive("q"))
    assert keeper.output("q") == "no-such-program cannot be started: No such file or directory"
    keeper.stop()
    assert not keeper.folder.exists()
