"""The command, with real runs: a class with every kind of hand-in, and a student's own notebook."""

from __future__ import annotations

import json
import signal
import zipfile

import psutil
import pytest

from dslab.grading import sandbox
from dslab.grading.cli import main


def grade(*arguments):
    return main(["grade", *map(str, arguments)])


@pytest.fixture
def hand_ins(course):
    """Three that can be graded and eight that cannot."""
    course.write("anna/01-sums.ipynb", course.right)
    course.write(
        "ben/01-sums.ipynb", course.right | {"add": "# NBVAL_SKIP\ndef add(a, b):\n    return a - b"}
    )
    course.write("cleo/01-sums.ipynb", course.right | {"sub": "import os\nos._exit(1)"})
    folder = course.folder / "class"
    for name, content in {
        "empty": b"",
        "text": b"hello",
        "deep": b"[" * 100_000,
        "three": b'{"nbformat": 3, "worksheets": []}',
        "diary": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}',
    }.items():
        (folder / name).mkdir()
        (folder / name / "01-sums.ipynb").write_bytes(content)
    (folder / "huge").mkdir()
    with (folder / "huge" / "01-sums.ipynb").open("wb") as file:
        file.truncate(200_000_000)
    (folder / "link").mkdir()
    (folder / "link" / "01-sums.ipynb").symlink_to("nowhere")
    (folder / "folder" / "01-sums.ipynb").mkdir(parents=True)
    return folder


def test_a_class_is_graded_and_two_runs_give_the_same_bytes(course, hand_ins, capsys):
    """No hand-in stops the others; each bad one is one clear line."""
    arguments = [hand_ins, "--assignment", course.assignment_path, "--allow-reduced"]
    assert grade(*arguments, "--out", course.folder / "one") == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "anna: 9 of 9\nben: 6 of 9\ncleo: 6 of 9\n" in said.out
    for name, words in {
        "empty": "the file is empty", "text": "not JSON", "deep": "nested", "three": "format 3",
        "huge": "200 MB", "link": "leads nowhere", "folder": "folder", "diary": "no answer cell",
    }.items():  # fmt: skip
        lines = [line for line in said.out.splitlines() if line.startswith(f"{name}: 0 of 9  not graded: ")]
        assert len(lines) == 1 and words in lines[0]
    assert grade(*arguments, "--out", course.folder / "two", "--workers", "3") == 0
    first, second = ((course.folder / run / "results.json").read_bytes() for run in ("one", "two"))
    assert first == second
    ben = json.loads(first)["hand_ins"][1]
    assert ben["name"] == "ben" and [flag["kind"] for flag in ben["flags"]] == ["nbval-comment"]
    assert ben["checks"][0]["message"] == "wanted 9. You gave 3. The rest is detail."


def test_a_student_sees_where_the_notebook_stands(course, capsys):
    """Visible checks, points that can be seen, the first two sentences of a failure, what is not answered."""
    own = course.write("mine.ipynb", {"add": course.right["add"], "sub": "def sub(a, b):\n    return a + b"})
    assert grade(own) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(own),
        "  add of small numbers: passed",
        "  sub of small numbers: wrong; wanted 3. You gave 9.",
        "  mul of small numbers: missing; not answered yet: the answer cell is as it was given out",
        "visible checks: 1 of 3 passed, 6 of 9 points can be seen here (2 of these 6 are yours)",
        "not answered yet: mul; write the answer into the cell with that name",
    ]


def test_reduced_isolation_is_asked_for(course, monkeypatch, capsys):
    """One sentence says what is missing; with --allow-reduced the class is graded and the report says so."""
    course.write("anna.ipynb", course.right)
    layers = [layer._replace(works=layer.name != "landlock", why="The kernel is too old.") for layer in sandbox.probe()]
    monkeypatch.setattr(sandbox, "probe", lambda: tuple(layers))
    arguments = [course.folder / "class", "--assignment", course.assignment_path, "--out", course.folder / "out"]
    assert grade(*arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert "no Landlock (The kernel is too old); " in said.err and "--allow-reduced" in said.err
    assert grade(*arguments, "--allow-reduced") == 0 and "anna: 9 of 9" in capsys.readouterr().out
    works = sandbox.isolation([layer.name for layer in layers if layer.works])
    assert f"isolation: {works}" in (course.folder / "out" / "summary.html").read_text("utf-8")


def at_work(program):
    """All that a program started, once a student's process (child of zygote, kernel, grading process) computes."""
    generation, deep = [program], []
    try:
        for depth in range(6):
            deep += generation if depth >= 4 else []
            generation = [child for one in generation for child in one.children()]
        computes = any(one.cpu_times().user > 0.2 for one in deep)
    except psutil.NoSuchProcess:
        return []
    return program.children(recursive=True) if computes else []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("own", [False, True])
def test_whatever_ends_it_nothing_is_left(make, wait_until, ended, how, own):
    """No process, no folder: in the middle of an answer that never ends, of a class or of a student's own notebook."""
    school = make()
    path = school.course.write("anna.ipynb", {"add": "while True: pass"})
    command = [str(path)] if own else school.arguments()
    run = school.run("-m", "dslab", "grade", "--timeout", "600", *command)
    program = psutil.Process(run.pid)

    family = wait_until(lambda: at_work(program))
    run.send_signal(how)
    _, err = run.communicate(timeout=120)
    if how == signal.SIGKILL:
        wait_until(lambda: all(ended(one.pid) for one in family) and not list(school.temp.iterdir()))
    assert [one for one in family if not ended(one.pid)] == [] and list(school.temp.iterdir()) == []
    if how != signal.SIGKILL:
        stopped = "stopped\n" if own else "stopped: 0 of 1 hand-ins are in the reports\n"
        assert (run.returncode, err) == (130, stopped)


def test_a_killed_grading_process_leaves_nothing(make, wait_until, ended):
    """Its kernel and the student's process end, its folder goes; another grades the hand-in again."""
    school = make()
    school.course.write("anna.ipynb", {"add": "while True: pass"})
    run = school.run("-m", "dslab", "grade", "--timeout", "600", *school.arguments())
    program = psutil.Process(run.pid)
    family = wait_until(lambda: at_work(program))
    before = set(school.temp.iterdir())
    program.children()[0].kill()
    wait_until(lambda: all(ended(one.pid) for one in family) and not before & set(school.temp.iterdir()))
    wait_until(lambda: at_work(program))
    run.terminate()
    assert run.communicate(timeout=120)[1].startswith("stopped: 0 of 1") and list(school.temp.iterdir()) == []


def test_a_zip_is_graded_as_its_folder_would_be(course, capsys):
    """As it comes from a learning platform."""
    with zipfile.ZipFile(course.folder / "all.zip", "w") as file:
        file.write(course.write("anna.ipynb", course.right), "Anna_12_assignsubmission_file_/01-sums.ipynb")
        file.writestr("Ben_13_assignsubmission_file_/01-sums.ipynb", "no notebook")
    arguments = ["--assignment", course.assignment_path, "--out", course.folder / "out", "--allow-reduced"]
    assert grade(course.folder / "all.zip", *arguments) == 0
    first, second, _ = capsys.readouterr().out.splitlines()
    assert first == "Anna_12_assignsubmission_file_: 9 of 9"
    assert second.startswith("Ben_13_assignsubmission_file_: 0 of 9  not graded: the file is not JSON")
    assert grade(course.folder / "all.zip") == 1 and "unpack it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x.ipynb", "--assignment", "ASSIGNMENT"], "needs --out"),
        (["x.ipynb", "--out", "o"], "need --assignment"),
        (["x.ipynb", "--scheduler", "tcp://127.0.0.1:8786"], "need --assignment"),
        (["x.ipynb", "--scheduler", "s", "--workers", "2"], "not allowed with"),
        (["x.ipynb", "--assignment", "none.ipynb", "--out", "o"], "no such file"),
        (["EMPTY", "--assignment", "ASSIGNMENT", "--out", "o"], "no .ipynb file"),
        (["x.ipynb", "--assignment", "ASSIGNMENT", "--out", "ASSIGNMENT"], "no reports can be written"),
        (["x.ipynb", "--workers", "0"], "whole number"),
        (["x.ipynb", "--timeout", "soon"], "number of seconds"),
        ([], "required"),
    ],
)
def test_a_wrong_argument_ends_with_2_and_one_line(course, capsys, arguments, words):
    """It says what is wrong or missing."""
    (course.folder / "empty").mkdir()
    places = {"ASSIGNMENT": course.assignment_path, "EMPTY": course.folder / "empty"}
    try:
        status = grade(*[places.get(one, one) for one in arguments])
    except SystemExit as end:
        status = end.code
    said = capsys.readouterr().err
    assert status == 2 and words in said and said.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"no", b'{"nbformat": 4, "nbformat_minor": 5, "cells": []}'])
def test_an_own_notebook_that_cannot_be_read_is_one_line(course, capsys, content):
    """No traceback for a student."""
    path = course.folder / "mine.ipynb"
    path.write_bytes(content)
    assert grade(path) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"{path}: ") and said.err.count("\n") == 1 and said.out == ""
