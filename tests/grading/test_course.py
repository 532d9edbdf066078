"""Every exercise of the course as a handed-in file: the reference has all points, the stub none, and a mutant what it
has in a plain notebook.

Of the course's own notebooks one mutant of each exercise is handed in: `build --check` runs all of them in the grader,
and tests/test_notebooks.py compares what it finds there with a plain notebook.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hand_ins.plain import graded, plainly

from dslab.authoring.cells import Source, SourceCell
from dslab.authoring.notebooks import instructor_notebook, student_notebook
from dslab.authoring.source import read_source
from dslab.grading import sandbox, worker
from dslab.grading.assignment import Assignment, assignment_of
from dslab.grading.intake import hand_in_of

ROOT = Path(__file__).resolve().parents[2]
OWN = sorted(Path(__file__).parent.glob("assignments/0*.py"))
FILES = sorted((ROOT / "notebooks" / "source").glob("*.py")) + OWN

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the grader's sandbox needs Linux"),
    pytest.mark.timeout(900),
]


@cache
def read(path: Path) -> tuple[Source, Assignment]:
    source = read_source(path)
    return source, assignment_of(hand_in_of(json.loads(json.dumps(instructor_notebook(source)))), source.name)


EXERCISES = [path for path in FILES if "### BEGIN SOLUTION" in path.read_text("utf-8")]


def mutants(path: Path) -> list[SourceCell]:
    """The mutants that are handed in: all of an assignment's, the first of each exercise of a notebook's."""
    found = read(path)[0].tagged("mutant")
    return found if path in OWN else list({one.exercise: one for one in reversed(found)}.values())


MUTANTS = [pytest.param(path, one.name, id=one.name) for path in EXERCISES for one in mutants(path)]


@pytest.fixture(scope="module")
def pool():
    """Two processes, so that nothing that runs in them stays here."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as made:
        yield made


@pytest.fixture(scope="module")
def both(request, pool):
    """For each mutant that was asked for: what passes plainly, and what in the grader."""
    found = {}
    for item in request.session.items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        if item.path == Path(__file__) and "mutant" in params:
            source, assignment = read(params["path"])
            (mutant,) = [one for one in source.tagged("mutant") if one.name == params["mutant"]]
            data = handed_in(params["path"], {mutant.exercise: mutant.text})
            found[mutant.name] = [
                pool.submit(plainly, assignment, {mutant.exercise: mutant.text}, mutant.exercise),
                pool.submit(graded, assignment, data, mutant.exercise),
            ]
    return found


def handed_in(path: Path, answers: dict[str, str]) -> bytes:
    """The handout with some answers, as a file's bytes."""
    notebook = json.loads(json.dumps(student_notebook(read(path)[0])))
    for cell in notebook["cells"]:
        about = cell["metadata"].get("dslab", {})
        if about.get("role") == "answer":
            cell["source"] = answers.get(about["exercise"], cell["source"])
    return json.dumps(notebook).encode()


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
@pytest.mark.parametrize("what", ["reference", "stub"])
def test_the_reference_has_all_points_and_the_stub_none(pool, path, what):
    """Through the whole grader; nothing is odd about either, and a stub is missing, not wrong."""
    _, assignment = read(path)
    layers = tuple(layer.name for layer in sandbox.probe() if layer.works)
    data = handed_in(path, assignment.solutions if what == "reference" else {})
    task = worker.Task(assignment, what, data, 30.0, layers)
    result = pool.submit(worker.grade_task, task).result()["json"]
    assert result["points"] == (assignment.total if what == "reference" else 0) and result["flags"] == []
    statuses = {check["status"] for check in result["checks"]}
    assert statuses == ({"passed"} if what == "reference" else {"missing"}), result["checks"]


@pytest.mark.parametrize(("path", "mutant"), MUTANTS)
def test_a_mutant_loses_the_points_that_it_loses_in_a_plain_notebook(both, path, mutant):
    """Check by check; and at least those of one."""
    source, assignment = read(path)
    plain, ours = (future.result() for future in both[mutant])
    (cell,) = [one for one in source.tagged("mutant") if one.name == mutant]
    own = [check.id for check in assignment.checks if check.exercise == cell.exercise]
    assert ours == plain
    lost = [check for check in own if check not in ours]
    assert lost
    if cell.keys["property"] in own:
        assert lost[0] == cell.keys["property"]
