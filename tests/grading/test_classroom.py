"""A class is graded once and whole, whatever ends on the way: a process, or the program itself."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import termios
from collections import Counter

import pytest

NAMES = [f"s{number:03}" for number in range(200)]


def test_two_hundred_hand_ins_are_graded_once_each(make, ended):
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


def test_a_run_that_was_killed_goes_on_where_it_was(make, wait_until, ended):
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


def test_a_process_that_is_killed_costs_nothing(make, wait_until):
    """Its hand-in is graded again in a new one; the others never notice."""
    names = NAMES[:6]
    school = make(*names)
    school.hold(names[0])
    process = school.start("--workers", "2")
    wait_until(lambda: school.count("end").total() == 5 and school.count("begin")[names[0]])
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
def test_an_interrupt_keeps_what_is_finished(make, how, wait_until, ended):
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


def test_two_runs_do_not_write_to_one_folder(make, wait_until):
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


def test_a_bar_is_for_terminals_only(make):
    """How many of how many, and how long it will still take; elsewhere nothing is said but problems."""
    school = make(*NAMES[:4])
    watching, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    run = school.start(stderr=terminal)
    os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):  # the terminal's other end is closed
        while part := os.read(watching, 4096):
            seen += part
    os.close(watching)
    assert run.wait(timeout=120) == 0 and b"4/4" in seen and b"hand-in" in seen
    out, err = school.grade()
    assert err == "" and out.count("\n") == 5
