"""An assignment with three exercises, hand-ins made from it, and programs that grade a class."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from dslab.authoring.notebooks import instructor_notebook, student_notebook
from dslab.authoring.source import parse_source
from dslab.grading.assignment import assignment_of
from dslab.grading.intake import hand_in_of

EXERCISE = """
# %% name="NAME-exercise" tags=["exercise"]
def NAME(a, b):
    ### BEGIN SOLUTION
    return a OPERATOR b
    ### END SOLUTION

# %% name="NAME-mutant-one" tags=["mutant"] property="x"
# %% name="NAME-mutant-two" tags=["mutant"] property="x"
# %% name="NAME-check" tags=["check"] points=2 title="NAME of small numbers"
equal(NAME(6, 3), SMALL)

# %% name="NAME-hidden" tags=["hidden"] points=1
assert NAME(600, 300) == LARGE, "the unseen case of NAME"
"""

SOURCE = """\
# %% name="setup"
base = 0
def equal(got, wanted):
    assert got == wanted, f"wanted {wanted}. You gave {got}. The rest is detail."

# %% name="play" tags=["play"]
from_play = 1
"""


def exercise(name, operator, small, large):
    text = EXERCISE.replace("NAME", name).replace("OPERATOR", operator)
    return text.replace("SMALL", small).replace("LARGE", large)


PARTS = [
    exercise("add", "+", "9", "900"),
    exercise("sub", "-", "3", "300"),
    exercise("mul", "*", "18", "180000"),
]
RIGHT = {
    "add": "def add(a, b):\n    return a + b",
    "sub": "def sub(a, b):\n    return a - b",
    "mul": "def mul(a, b):\n    return a * b",
}


class Course:
    """The assignment, and hand-ins written as files."""

    def __init__(self, folder: Path) -> None:
        source = parse_source(Path("01_sums.py"), SOURCE + "".join(PARTS))
        self.folder = folder
        self.handout = json.loads(json.dumps(student_notebook(source)))
        self.instructor = json.loads(json.dumps(instructor_notebook(source)))
        self.assignment_path = folder / "instructor.ipynb"
        self.assignment_path.write_text(json.dumps(self.instructor), encoding="utf-8")
        self.assignment = assignment_of(hand_in_of(self.instructor), "01-sums")
        self.right = dict(RIGHT)

    def notebook(self, answers=None, change=None):
        """The handout with answers filled in, as plain data, changed by `change(cells by id, notebook)`."""
        notebook = copy.deepcopy(self.handout)
        cells = {cell["id"]: cell for cell in notebook["cells"]}
        for name, text in (answers or {}).items():
            cells[f"{name}-exercise"]["source"] = text
        if change is not None:
            change(cells, notebook)
        return notebook

    def hand_in(self, answers=None, change=None):
        return hand_in_of(self.notebook(answers, change))

    def with_check(self, cell_id, text):
        """The assignment with another text in one check."""
        cells = tuple(replace(cell, text=text) if cell.id == cell_id else cell for cell in self.assignment.cells)
        return replace(self.assignment, cells=cells)

    def write(self, place, answers=None, change=None):
        """A hand-in file below the folder "class"."""
        path = self.folder / "class" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.notebook(answers, change)), encoding="utf-8")
        return path


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path)


# a class, graded by a stand-in: see standin.py

MAIN = """
import sys
import standin
from dslab.grading import classroom, cli, journal
classroom.worker = standin
classroom.grader_version = journal.grader_version = lambda: "1"  # who works on the grader meanwhile changes it
sys.exit(cli.main(sys.argv[1:]))
"""
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def _wait_until(condition, seconds=120):
    """Poll until a condition is true and return its value; fail after a time that no machine needs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)  # between two looks; what is awaited is the condition
    raise AssertionError("it did not happen")


def _ended(pid):
    """True if there is no such process, or only its number is left."""
    try:
        return psutil.Process(pid).status() == "zombie"
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def wait_until():
    return _wait_until


@pytest.fixture
def ended():
    return _ended


class Class:
    """A class of hand-ins, and programs that grade it with the stand-in."""

    def __init__(self, course, names):
        self.course, self.folder, self.out = course, course.folder / "class", course.folder / "out"
        self.standin = course.folder / "standin"
        self.temp = Path(tempfile.mkdtemp())  # short, as a place for temporary files is
        for folder in (self.folder, self.standin):
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

    def start(self, *more, out=None, **streams):
        """A program that grades, in a session of its own as from a terminal of its own."""
        return self.run("-c", MAIN, *self.arguments(*more, out=out), **streams)

    def run(self, *arguments, stderr=subprocess.PIPE):
        """A Python program that is ended with the test."""
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def grade(self, *more, out=None, status=0):
        """Run a program that grades to its end; what it said."""
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
                if not _ended(pid):
                    os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.temp)


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


