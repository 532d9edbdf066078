"""A class is graded once and whole, whatever ends on the way: a process, the program, a cluster's worker."""

from __future__ import annotations

import contextlib
import gc
import json
import operator
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from dslab.grading import journal, processes
from dslab.grading.journal import Journal
from dslab.grading.processes import CallError, DiedError, Processes, StoppedError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MAIN = """
import sys
import standin
from dslab.grading import classroom, cli
classroom.worker = standin
sys.exit(cli.main(sys.argv[1:]))
"""
NAMES = [f"s{number:03}" for number in range(200)]


def wait_until(condition, seconds=120):
    """Poll until a condition is true and return its value; fail after a time that no machine needs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)  # between two looks; what is awaited is the condition
    raise AssertionError("it did not happen")


def ended(pid):
    """True if there is no such process, or only its number is left."""
    try:
        return psutil.Process(pid).status() == "zombie"
    except psutil.NoSuchProcess:
        return True


class Class:
    """A class of hand-ins, and programs that grade it with the stand-in."""

    def __init__(self, course, names):
        self.course, self.folder, self.out = course, course.folder / "class", course.folder / "out"
        self.standin = course.folder / "standin"
        self.temp = course.folder / "temp"
        for folder in (self.folder, self.standin, self.temp):
            folder.mkdir()
        for name in names:
            (self.folder / f"{name}.ipynb").write_text(f"by {name}")
        self.environment = {
            **os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT)]),
            "STANDIN": str(self.standin), "TMPDIR": str(self.temp),
        }  # fmt: skip
        self.started = []

    def arguments(self, *more, out=None):
        given = [self.folder, "--assignment", self.course.assignment_path, "--out", out or self.out, "--allow-reduced"]
        return [str(one) for one in [*given, *more]]

    def start(self, *more, out=None):
        """A program that grades, in a session of its own as from a terminal of its own."""
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, *self.arguments(*more, out=out)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def grade(self, *more, out=None, status=0):
        """Run a program to its end; what it said."""
        process = self.start(*more, out=out)
        said = process.communicate(timeout=240)
        assert process.returncode == status, said
        return said

    def log(self):
        """What was done: (word, name, process id)."""
        file = self.standin / "log"
        lines = file.read_text().split("\n")[:-1] if file.exists() else []
        return [(word, name, int(pid)) for word, name, pid in map(str.split, lines)]

    def count(self, word):
        return Counter(name for one, name, _ in self.log() if one == word)

    def pids(self):
        return {pid for _, _, pid in self.log()}

    def hold(self, *names):
        for name in names:
            (self.standin / f"hold-{name}").touch()

    def release(self, *names):
        for name in names:
            (self.standin / f"hold-{name}").unlink()

    def results(self, out=None):
        return {one["name"]: one for one in json.loads(((out or self.out) / "results.json").read_text())["hand_ins"]}

    def close(self):
        """Ends what a failed test left."""
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.communicate()
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                if not ended(pid):
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def make(course):
    """Makes classes; ends their processes."""
    made = []

    def one(*names):
        made.append(Class(course, names))
        return made[-1]

    yield one
    for each in made:
        each.close()


def test_two_hundred_hand_ins_are_graded_once_each(make):
    """By as many processes as were asked for, which are gone at the end, with nothing left behind."""
    school = make(*NAMES)
    said, _ = school.grade("--workers", "3")
    assert said.splitlines()[:-1] == [f"{name}: 9 of 9" for name in NAMES]
    assert school.count("end") == Counter(NAMES) and school.count("begin") == Counter(NAMES)
    assert len(school.pids()) <= 3 and school.count("close") == {"-": len(school.pids())}
    assert all(map(ended, school.pids())) and list(school.temp.iterdir()) == []
    assert list(school.results()) == NAMES
    one = school.out.with_name("one")
    school.grade("--workers", "1", out=one)
    assert (one / "results.json").read_bytes() == (school.out / "results.json").read_bytes()


def test_a_run_that_was_killed_goes_on_where_it_was(make):
    """Its processes end by themselves; the same command grades what is missing, nothing twice, nothing lost."""
    names = NAMES[:8]
    school = make(*names)
    school.hold(*names[3:])
    process = school.start("--workers", "2")
    wait_until(lambda: school.count("end").total() == 3 and school.count("begin").total() == 5)
    wait_until(lambda: len(list((school.out / "finished").glob("*.json"))) == 3)
    process.kill()
    process.wait()
    wait_until(lambda: all(map(ended, school.pids())))
    assert school.count("close") == {"-": 2} and not (school.out / "results.json").exists()
    school.release(*names[3:])
    school.grade("--workers", "2")
    assert school.count("end") == Counter(names)
    assert school.count("begin") == Counter(names) + Counter(names[3:5])
    assert list(school.results()) == names
    before = (school.out / "results.json").read_bytes()
    school.grade()  # all is finished: nothing is left to do
    assert school.count("end") == Counter(names) and (school.out / "results.json").read_bytes() == before


@pytest.mark.parametrize("how", ["", "bytes", "option", "assignment", "broken", "short", "another"])
def test_what_was_made_from_something_else_is_graded_anew(make, how):
    """Other bytes, another option, another assignment, a file that was cut; another's finished file."""
    school = make("anna", "ben")
    school.grade("--workers", "1")
    finished = school.out / "finished" / "anna.json"
    more = []
    if how == "bytes":
        (school.folder / "anna.ipynb").write_text("better")
    elif how == "option":
        more = ["--timeout", "11"]
    elif how == "assignment":
        text = school.course.assignment_path.read_text()
        school.course.assignment_path.write_text(text.replace("the unseen case of add", "an unseen case of add"))
    elif how == "broken":
        finished.write_bytes(finished.read_bytes()[:-10])
    elif how == "short":
        finished.write_text("[]")
    elif how == "another":
        shutil.copy(school.out / "finished" / "ben.json", finished)
    school.grade("--workers", "1", *more)
    again = {"": [], "option": ["anna", "ben"], "assignment": ["anna", "ben"]}.get(how, ["anna"])
    assert school.count("end") == Counter(["anna", "ben", *again])
    assert list(school.results()) == ["anna", "ben"]


def test_a_process_that_is_killed_costs_nothing(make):
    """Its hand-in is graded again in a new one; the others never notice."""
    names = NAMES[:6]
    school = make(*names)
    school.hold(names[0])
    process = school.start("--workers", "2")
    wait_until(lambda: school.count("end").total() == 5)
    (pid,) = {pid for word, name, pid in school.log() if name == names[0]}
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: school.count("begin")[names[0]] == 2)
    school.release(names[0])
    assert process.wait(timeout=120) == 0
    assert school.count("end") == Counter(names)
    assert all("problem" not in one for one in school.results().values())


def test_a_hand_in_that_kills_its_process_is_given_up(make):
    """After the second time, with one line; the next run tries again, and only that one."""
    school = make("anna", "ben", "cleo")
    (school.standin / "die-ben").touch()
    (school.folder / "dan.ipynb").write_text("raise")
    said, _ = school.grade("--workers", "2")
    assert "ben: 0 of 9  not graded: grading ended its process each time it was tried" in said
    assert "dan: 0 of 9  not graded: grading stopped with RuntimeError: disk on fire" in said
    assert school.count("begin") == {"anna": 1, "ben": 2, "cleo": 1, "dan": 1}
    assert school.results()["cleo"]["points"] == 9
    (school.standin / "die-ben").unlink()
    assert "ben: 9 of 9\n" in school.grade("--workers", "2")[0]
    assert school.count("end") == {"anna": 1, "ben": 1, "cleo": 1}


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGINT", "SIGTERM"])
def test_an_interrupt_keeps_what_is_finished(make, how):
    """The reports have the hand-ins that were graded; when the program has ended nothing of it is left."""
    names = NAMES[:6]
    school = make(*names)
    school.hold(*names[2:])
    process = school.start("--workers", "2")
    wait_until(lambda: len(list((school.out / "finished").glob("*.json"))) == 2)
    wait_until(lambda: school.count("begin").total() == 4)
    if how == "Ctrl-C":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all of the program
    else:
        process.send_signal(getattr(signal, how))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130 and err == "stopped: 2 of 6 hand-ins are in the reports\n"
    assert all(map(ended, school.pids())) and school.count("close") == {"-": 2}
    assert list(school.temp.iterdir()) == [] and list(school.results()) == names[:2]
    assert out.splitlines()[:-1] == [f"{name}: 9 of 9" for name in names[:2]]
    school.release(*names[2:])
    school.grade()
    assert school.count("end") == Counter(names)


def test_two_runs_do_not_write_to_one_folder(make):
    """The second says so in one line; also when the first is killed nothing has to be cleaned."""
    school = make("anna")
    school.hold("anna")
    first = school.start()
    wait_until(lambda: school.count("begin")["anna"])
    out, err = school.grade(status=2)
    assert out == "" and "another run writes there" in err and err.count("\n") == 1
    first.kill()
    school.release("anna")
    school.grade()


def test_what_cannot_be_read_is_one_line_each(make):
    """Nothing of it reaches a process; the others are graded."""
    school = make("anna")
    os.mkfifo(school.folder / "ben.ipynb")
    (school.folder / "cleo.ipynb").symlink_to("/dev/zero")
    (school.folder / "dan\nforged: 9 of 9.ipynb").symlink_to("nowhere")
    (school.folder / "Anna.ipynb").write_text("another anna")
    (school.folder / ("x" * 240 + ".ipynb")).write_text("long")
    said, _ = school.grade("--workers", "1")
    lines = said.splitlines()
    assert len(lines) == 7 and "Anna: 9 of 9" in lines and "anna: 9 of 9" in lines
    for words in ("ben: 0 of 9  not graded: this is not an ordinary", "cleo: 0 of 9  not graded: this is not an ord",
                  "dan�forged: 9 of 9: 0 of 9  not graded: this is a link that leads"):  # fmt: skip
        assert sum(line.startswith(words) for line in lines) == 1
    assert len(list((school.out / "students").iterdir())) == 6 and school.count("begin").total() == 3


# one process, and what is written


@pytest.fixture
def apart():
    """Processes that call functions of the standard library."""
    made = Processes(gc.collect)
    yield made
    made.stop()


def test_a_call_is_made_elsewhere(apart):
    """Its value comes back, or the words of its exception; the process serves the next call."""
    pid = apart.call(os.getpid)
    assert pid != os.getpid() and apart.call(operator.truediv, 1, 2) == 0.5
    with pytest.raises(CallError, match="ZeroDivisionError: division by zero"):
        apart.call(operator.truediv, 1, 0)
    with pytest.raises(CallError, match="TypeError"):
        apart.call(operator.attrgetter, 1)
    with pytest.raises(CallError, match="pickle"):
        apart.call(os.scandir, ".")
    assert apart.call(os.getpid) == pid
    assert apart.call(len, b"x" * 30_000_000) == 30_000_000


def test_a_process_that_dies_is_replaced_once(apart):
    """Then it is said; the next call has a new one."""
    with pytest.raises(DiedError):
        apart.call(os.abort)
    assert apart.call(operator.add, 1, 2) == 3


def test_an_idle_process_ends_and_that_is_no_death(apart, monkeypatch):
    """The next call has another."""
    monkeypatch.setattr(processes, "IDLE", 0.01)
    pids = [apart.call(os.getpid)]
    for _ in range(3):
        wait_until(lambda: ended(pids[-1]))
        pids.append(apart.call(os.getpid))
    assert len(set(pids)) == 4


def test_a_process_that_does_not_end_is_killed(monkeypatch):
    """It has some time to put things away, not for ever."""
    monkeypatch.setattr(processes, "GRACE", 0.1)
    stuck = Processes(signal.pause)
    pid = stuck.call(os.getpid)
    stuck.stop()
    assert ended(pid)
    with pytest.raises(StoppedError):
        stuck.call(os.getpid)


def test_settings_for_pytest_are_not_for_grading(apart, monkeypatch):
    """They could change what passes."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    assert apart.call(os.getenv, "PYTEST_ADDOPTS") is None


def test_a_finished_hand_in_is_found_as_it_was_kept(course, tmp_path, monkeypatch):
    """With every sign that JSON can hold; not by another version of the grader."""
    result = {"json": {"name": "anna"}, "answers": {"add": "\ud800\x00é"}, "runs": {}, "junit": ""}
    kept = Journal(tmp_path / "finished", course.assignment, (10.0, ("user",)))
    key = kept.key("anna", b"bytes")
    (tmp_path / "finished" / "anna.json.part").write_text("half")
    assert kept.find("anna", key) is None
    assert kept.keep("anna", key, result, 1.23456) == (result, 1.235) == kept.find("anna", key)
    assert [file.name for file in (tmp_path / "finished").iterdir()] == ["anna.json"]
    with pytest.raises(BlockingIOError):
        Journal(tmp_path / "finished", course.assignment, ())
    kept.close()
    monkeypatch.setattr(journal, "grader_version", lambda: "newer")
    newer = Journal(tmp_path / "finished", course.assignment, (10.0, ("user",)))
    assert newer.key("anna", b"bytes") != key and newer.find("anna", newer.key("anna", b"bytes")) is None
    newer.close()
