"""A Dask cluster grades as this machine does; a worker that is killed loses nothing."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
from collections import Counter

import psutil
import pytest

from dslab.grading.classroom import ClassroomError, Cluster

SLOWEST = re.compile(rb"<h2>Slowest</h2>.*?</ol>", re.DOTALL)
PRELOAD = """
import standin
from dslab.grading import classroom
classroom.worker = standin
classroom.grader_version = lambda: "1"
"""
WAIT = """
import sys
from distributed import Client
with Client(sys.argv[1], timeout=60) as client:
    client.wait_for_workers(int(sys.argv[2]), timeout=60)
"""
REFUSED = """
import sys
from dslab.grading import classroom
classroom.CONNECT_SECONDS = 1
for address in sys.argv[1:]:
    try:
        classroom.Cluster(address)
    except classroom.ClassroomError as error:
        print(error)
"""


class Dask:
    """A scheduler on the loopback address and its workers, one thread each; all of them are the class's programs."""

    def __init__(self, school, wait_until, preload=PRELOAD):
        self.school, self.wait_until = school, wait_until
        self.folder = school.course.folder / "dask"
        self.folder.mkdir()
        (self.folder / "preload.py").write_text(preload)
        self.place = self.folder / "scheduler.json"
        self.scheduler = school.run(
            "-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(self.place),
        )  # fmt: skip
        self.address = json.loads(wait_until(lambda: self.place.exists() and self.place.read_text()))["address"]
        self.workers = []

    def start_workers(self, count):
        for _ in range(count):
            self.workers.append(self.school.run(
                "-m", "dask", "worker", self.address, "--host", "127.0.0.1", "--no-nanny", "--nworkers", "1",
                "--nthreads", "1", "--no-dashboard", "--memory-limit", "0", "--local-directory", str(self.folder),
                "--preload", str(self.folder / "preload.py"),
            ))  # fmt: skip
        waiting = self.school.run("-c", WAIT, self.address, str(len(self.workers)))
        assert waiting.wait(timeout=120) == 0

    def worker_of(self, pid):
        """The worker whose grading process has this number."""
        (worker,) = [one for one in self.workers if one.pid == psutil.Process(pid).ppid()]
        return worker


@pytest.fixture
def make_dask(make, wait_until):
    """A class and a cluster that grades it with the stand-in."""

    def one(*names, workers=2, **more):
        school = make(*names)
        dask = Dask(school, wait_until, **more)
        dask.start_workers(workers)
        return school, dask

    return one


def reports(out):
    """Every report, without how long each hand-in took."""
    files = [file for file in sorted(out.rglob("*")) if file.is_file() and "finished" not in file.parts]
    return {file.relative_to(out): SLOWEST.sub(b"", file.read_bytes()) for file in files}


def test_a_cluster_gives_the_same_bytes(make_dask):
    """Every report, with the real grader: a right hand-in, a wrong one, one that ends its process, one unreadable."""
    school, dask = make_dask(preload="")
    course = school.course
    course.write("anna.ipynb", course.right)
    course.write("ben.ipynb", course.right | {"add": "def add(a, b):\n    return a - b"})
    course.write("cleo.ipynb", course.right | {"sub": "import os\nos._exit(1)"})
    (school.folder / "dan.ipynb").write_text("no notebook")
    ways = {"here": ["--workers", "2"], "there": ["--scheduler", dask.address]}
    for name, more in ways.items():
        run = school.run("-m", "dslab", "grade", *school.arguments(*more, out=course.folder / name))
        said, wrong = run.communicate(timeout=200)
        assert (run.returncode, wrong) == (0, "")
        assert said.startswith("anna: 9 of 9\nben: 6 of 9\ncleo: 6 of 9\ndan: 0 of 9  not graded: the file is not JSON")
    here, there = (reports(course.folder / name) for name in ways)
    assert list(here) == list(there) and len(here) > 10
    assert [file for file in here if here[file] != there[file]] == []


def test_a_killed_worker_of_a_cluster_loses_nothing(make_dask, wait_until, ended):
    """Its hand-in is graded by another; its grading process ends by itself; then so does the run."""
    names = [f"s{number}" for number in range(8)]
    school, dask = make_dask(*names)
    school.hold(*names[:2])
    run = school.start("--scheduler", dask.address)
    wait_until(lambda: {"s0", "s1"} <= set(school.count("begin")))
    pid = next(pid for word, name, pid in school.log() if name == "s0")
    dask.worker_of(pid).kill()
    wait_until(lambda: ended(pid))
    school.release(*names[:2])
    said, wrong = run.communicate(timeout=120)
    assert (run.returncode, wrong) == (0, "")
    assert said.splitlines()[:-1] == [f"{name}: 9 of 9" for name in names]
    assert school.count("end") == Counter(names) and school.count("begin")["s0"] >= 2
    assert all(map(ended, school.pids()))


def test_a_hand_in_that_kills_its_process_is_given_up_there_too(make_dask):
    """The cluster's worker goes on; the words are those of this machine."""
    school, dask = make_dask("anna", "ben", workers=1)
    (school.standin / "die-ben").touch()
    there, _ = school.grade("--scheduler", dask.address)
    here, _ = school.grade("--workers", "1", out=school.out.with_name("here"))
    assert there.splitlines()[:-1] == here.splitlines()[:-1]
    assert (school.out / "results.json").read_bytes() == (school.out.with_name("here") / "results.json").read_bytes()


@pytest.mark.parametrize("how", ["interrupt", "lost", "killed"])
def test_a_run_on_a_cluster_that_stops_keeps_what_is_finished(make_dask, wait_until, ended, how):
    """Ctrl-C leaves no process on the cluster; a scheduler that goes is one line; so the class goes on later."""
    names = ["s0", "s1", "s2", "s3"]
    school, dask = make_dask(*names, workers=1)
    school.hold("s2")
    run = school.start("--scheduler", dask.address)
    wait_until(lambda: school.count("begin")["s2"] and len(list((school.out / "finished").glob("*.json"))) == 2)
    if how == "interrupt":
        run.send_signal(signal.SIGINT)
    elif how == "lost":
        dask.scheduler.kill()
    else:
        run.kill()
    _, wrong = run.communicate(timeout=120)
    if how != "killed":
        assert list(school.results()) == names[:2]
        gone = "the cluster is gone: the same command grades those that are missing"
        assert wrong == f"{'stopped' if how == 'interrupt' else gone}: 2 of 4 hand-ins are in the reports\n"
        assert run.returncode == (130 if how == "interrupt" else 1)
    if how == "interrupt":
        assert all(map(ended, school.pids()))
    school.release("s2")
    school.grade("--workers", "1")
    assert list(school.results()) == names
    assert school.count("begin")["s0"] == school.count("begin")["s1"] == 1


def test_a_wrong_address_is_one_sentence(make, wait_until):
    """Nobody there, no address at all, another kind of server, a scheduler without workers."""
    school = make()
    dask = Dask(school, wait_until)
    with socket.socket() as nobody, socket.create_server(("127.0.0.1", 0)) as silent:
        nobody.bind(("127.0.0.1", 0))
        places = [f"tcp://127.0.0.1:{one.getsockname()[1]}" for one in (nobody, silent)]
        run = school.run("-c", REFUSED, *places, "gopher://x", "nonsense", "", dask.address)
        said, wrong = run.communicate(timeout=120)
    assert (run.returncode, wrong) == (0, "")
    lines = said.splitlines()
    assert len(lines) == 6 and all(line.startswith("no Dask scheduler answers at ") for line in lines[:5])
    assert lines[5] == f"the cluster at {dask.address} has no workers: start some with `dask worker {dask.address}`"


def test_without_the_package_it_is_said_what_to_install(monkeypatch):
    """It is not needed for anything else."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClassroomError, match="pip install distributed"):
        Cluster("127.0.0.1:8786")


def test_workers_with_another_course_are_refused(make_dask):
    """Their points could be others; so could those of workers that have none."""
    other = 'from dslab.grading import classroom\nclassroom.grader_version = lambda: "another"\n'
    school, dask = make_dask("anna", workers=1, preload=other)
    assert "another version of the course" in school.grade("--scheduler", dask.address, status=2)[1]
    assert list(school.out.iterdir()) == []
