"""Courses can move over and back: nbgrader grades ours, and we give its own notebooks the points that it gives."""

from __future__ import annotations

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
