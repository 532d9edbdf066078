"""The command, with real runs: a class with every kind of hand-in, and a student's own notebook."""

from __future__ import annotations

import json
from concurrent.futures import Future

import pytest

from dslab.grading import cli
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
    arguments = [hand_ins, "--assignment", course.assignment_path, "--timeout", "60"]
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


def test_ctrl_c_keeps_what_is_finished(course, hand_ins, monkeypatch, capsys):
    """The reports have the hand-ins that were graded, and only those."""
    monkeypatch.setattr(
        cli, "grade_file", lambda assignment, path, name, **_: cli.unreadable(assignment, name, "x")
    )

    def interrupted(futures, bar, results):
        futures[0].result()
        futures[1].result()
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_collected", interrupted)
    submit = cli.ThreadPoolExecutor.submit
    taken = []

    def submit_two(pool, *arguments):
        taken.append(arguments)
        return submit(pool, *arguments) if len(taken) <= 2 else Future()

    monkeypatch.setattr(cli.ThreadPoolExecutor, "submit", submit_two)
    out = course.folder / "out"
    assert grade(hand_ins, "--assignment", course.assignment_path, "--out", out) == 130
    assert "stopped: 2 of 11" in capsys.readouterr().err
    assert len(json.loads((out / "results.json").read_text("utf-8"))["hand_ins"]) == 2


def test_an_unforeseen_error_costs_one_hand_in(course, monkeypatch, capsys):
    """Whatever it is, the others are graded."""
    course.write("anna.ipynb")
    course.write("ben.ipynb")

    def fail(assignment, path, name, **_):
        if name == "anna":
            raise RuntimeError("disk on fire")
        return cli.unreadable(assignment, name, "fine")

    monkeypatch.setattr(cli, "grade_file", fail)
    arguments = ["--assignment", course.assignment_path, "--out", course.folder / "out"]
    assert grade(course.folder / "class", *arguments) == 0
    said = capsys.readouterr().out
    assert (
        "anna: 0 of 9  not graded: grading stopped with RuntimeError: disk on fire" in said
        and "ben: " in said
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x.ipynb", "--assignment", "ASSIGNMENT"], "needs --out"),
        (["x.ipynb", "--out", "o"], "needs --assignment"),
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
