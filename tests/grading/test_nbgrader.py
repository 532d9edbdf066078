"""Courses can move over and back: nbgrader grades ours, and we give its own notebooks the points that it gives."""

from __future__ import annotations

import copy
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hand_ins import HandIn, hand_ins
from hand_ins.courses import Course

from dslab.grading import sandbox, worker
from dslab.grading.assignment import read_assignment
from dslab.grading.intake import hand_in_of
from dslab.grading.release import student_version

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "sheet": None,  # all of the set that nbgrader can run: it has no sandbox
    "functions": ("as-the-reference", "lambda", "slots", "own-error", "value", "syntax", "off-by-one", "half"),
}

pytestmark = [pytest.mark.needs("nbgrader"), pytest.mark.timeout(900)]


class Peer:
    """A course of nbgrader's in a folder of its own; kernels are this Python's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = Path(str(shutil.which("nbgrader"))).resolve()
        self.program = program
        kernel = folder / "jupyter" / "kernels" / "python3"
        kernel.mkdir(parents=True)
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": "Python 3", "language": "python"}
        (kernel / "kernel.json").write_text(json.dumps(spec), "utf-8")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
            "PATH": os.pathsep.join([str(program.parent), os.environ["PATH"]]),  # it starts its alembic by name
            "JUPYTER_PATH": str(folder / "jupyter"),
            "HOME": str(folder),
            "PYTHONPATH": "",
            "DSLAB_GRADING": "1",
        }

    def call(self, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.program), *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=800,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def released(self) -> dict[str, Any]:
        """What nbgrader gives out."""
        made: dict[str, Any] = json.loads((self.folder / "release" / "one" / "one.ipynb").read_text("utf-8"))
        return made

    def points(self) -> dict[str, dict[str, float]]:
        """Points by tests, by student and cell."""
        book = sqlite3.connect(self.folder / "gradebook.db")
        rows = book.execute(
            "select submitted_assignment.student_id, base_cell.name, grade.auto_score from grade"
            " join base_cell on grade.cell_id = base_cell.id"
            " join submitted_notebook on grade.notebook_id = submitted_notebook.id"
            " join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id"
        ).fetchall()
        book.close()
        found: dict[str, dict[str, float]] = {}
        for student, cell, points in rows:
            if points is not None:  # None: marked by hand
                found.setdefault(student, {})[cell] = points
        return found


def chosen(name: str) -> list[HandIn]:
    """Honest and wrong hand-ins of an assignment; what nbgrader runs, it runs without walls."""
    some = [one for kind in ("honest", "wrong") for one in hand_ins()[kind] if one.assignment == name]
    return [one for one in some if NAMES[name] is None or one.name in NAMES[name]]


@pytest.fixture(scope="module", params=list(NAMES))
def graded(request, tmp_path_factory):
    """An assignment that nbgrader has made, and autograded some hand-ins of."""
    course, peer = Course(request.param), Peer(tmp_path_factory.mktemp("nbgrader"))
    source = peer.folder / "source" / "one" / "one.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(json.dumps(course.instructor), "utf-8")
    peer.call("generate_assignment", "one", "--create")
    for hand_in in chosen(request.param):
        place = peer.folder / "submitted" / hand_in.name / "one" / "one.ipynb"
        place.parent.mkdir(parents=True)
        notebook = course.notebook(hand_in, {})
        if course.source is not None:  # nbgrader grades the cells that it gave out, and those only
            answers = {cell["id"]: cell["source"] for cell in notebook["cells"]}
            notebook = peer.released()
            for cell in notebook["cells"]:
                cell["source"] = answers.get(cell["id"], cell["source"])
        place.write_text(json.dumps(notebook), "utf-8")
    peer.call("autograde", "one", "--create")
    return request.param, course, peer


def test_the_reference_has_all_points_in_nbgraders_gradebook(graded):
    """Of those that tests give."""
    name, course, peer = graded
    reference = "sheet" if name == "sheet" else "as-the-reference"
    by_tests = {check.id: check.points for check in course.assignment.checks if not check.by_hand}
    assert peer.points()[reference] == by_tests


def test_ours_gives_the_points_that_nbgrader_gives(graded):
    """To every hand-in, for every check."""
    name, course, peer = graded
    layers = tuple(layer.name for layer in sandbox.probe() if layer.works)
    ours = {}
    try:
        for hand_in in chosen(name):
            task = worker.Task(course.assignment, hand_in.name, course.data(hand_in, {}), 20.0, layers)
            checks = worker.grade_task(task)["json"]["checks"]
            ours[hand_in.name] = {check["id"]: check["points"] for check in checks}
    finally:
        worker.close()
    theirs = peer.points()
    assert {student: {cell: ours[student][cell] for cell in cells} for student, cells in theirs.items()} == theirs
    assert set(ours) == set(theirs)


SQUARES = "def squares(n):\n    if n < 1:\n        raise ValueError(n)\n    return [k * k for k in range(1, n + 1)]"
ANSWERS = {
    "right": {"squares": SQUARES, "sum_of_squares": "def sum_of_squares(n):\n    return sum(squares(n))"},
    "formula": {"squares": SQUARES, "sum_of_squares": "def sum_of_squares(n): return n * (n + 1) * (n + n + 1) // 6"},
    "no-error": {"squares": "def squares(n):\n    return [k * k for k in range(1, n + 1)]",
                 "sum_of_squares": "def sum_of_squares(n):\n    return sum(squares(n))"},
    "nothing": {},
}  # fmt: skip


def test_the_course_that_nbgrader_gives_as_an_example(tmp_path):
    """Its checks delete a function to see whether another one uses it; every hand-in gets the points that it gives."""
    peer = Peer(tmp_path / "peer")
    peer.call("quickstart", "example")
    peer.folder = peer.folder / "example"
    peer.call("generate_assignment", "ps1", "--create")
    released = json.loads((peer.folder / "release" / "ps1" / "problem1.ipynb").read_text("utf-8"))
    hand_ins = {}
    for name, answers in ANSWERS.items():
        shutil.copytree(peer.folder / "release" / "ps1", peer.folder / "submitted" / name / "ps1")
        hand_ins[name] = copy.deepcopy(released)
        for cell in hand_ins[name]["cells"]:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            cell["source"] = answers.get(grade_id, cell["source"])
        place = peer.folder / "submitted" / name / "ps1" / "problem1.ipynb"
        place.write_text(json.dumps(hand_ins[name]), "utf-8")
    peer.call("autograde", "ps1", "--create")
    theirs = peer.points()
    assignment = read_assignment(peer.folder / "source" / "ps1" / "problem1.ipynb")
    layers = tuple(layer.name for layer in sandbox.probe() if layer.works)
    try:
        for name, hand_in in hand_ins.items():
            task = worker.Task(assignment, name, json.dumps(hand_in).encode(), 20.0, layers)
            checks = worker.grade_task(task)["json"]["checks"]
            ours = {check["id"]: check["points"] for check in checks if check.get("message") != "marked by hand"}
            assert ours == {check: theirs[name][check] for check in ours}
    finally:
        worker.close()
    assert theirs["right"]["sum_of_squares_uses_squares"] == 0.5
    assert theirs["formula"]["sum_of_squares_uses_squares"] == 0


def test_release_cuts_what_nbgrader_cuts(graded):
    """Text for text, for a notebook of nbgrader's own; ours has stubs that nbgrader does not know."""
    name, course, peer = graded
    theirs = {cell.grade_id: cell.source.strip() for cell in hand_in_of(peer.released()).cells if cell.grade_id}
    ours = {cell.grade_id: cell.source.strip() for cell in hand_in_of(student_version(course.instructor)).cells}
    if name == "sheet":
        assert {grade_id: ours[grade_id] for grade_id in theirs} == theirs
    else:
        checks = {check.id: check.hidden for check in course.assignment.checks}
        assert all(theirs[one] == ("" if hidden else ours[one]) for one, hidden in checks.items())
