"""The committed notebooks are what their sources build, their exercises are proved, nbval agrees strictly."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "grading"))

from hand_ins.plain import plainly

from dslab.authoring import proofs
from dslab.authoring.cli import main
from dslab.authoring.notebooks import instructor_notebook
from dslab.authoring.source import read_source
from dslab.grading.assignment import assignment_of
from dslab.grading.intake import hand_in_of

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
SOURCES = sorted((NOTEBOOKS / "source").glob("*.py"))
NAMES = [path.stem.replace("_", "-") for path in SOURCES]


def test_every_notebook_has_a_source_and_every_source_a_notebook():
    """Nobody edits the generated files, and none is forgotten."""
    assert NAMES
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == NAMES


@cache
def checked(name: str) -> tuple[int, list[tuple[Any, dict[str, Any]]]]:
    """`build --check` of a notebook: its exit status, and each set of answers with what became of it in the grader."""
    graded: list[tuple[Any, dict[str, Any]]] = []
    run_all = proofs._run_all

    def run_and_keep(assignment, runs, *others):
        outcomes = run_all(assignment, runs, *others)
        graded.extend(zip(runs, outcomes, strict=True))
        return outcomes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proofs, "_run_all", run_and_keep)
        return main(["build", "--check", name]), graded


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NAMES)
def test_the_committed_notebook_is_its_source_built_and_proved(name, capfd):
    """A fresh build gives the same notebook; reference, stub, mutants and secrecy are proved."""
    status, _ = checked(name)
    assert status == 0, capfd.readouterr().err


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_mutant_loses_in_the_grader_what_it_loses_in_a_plain_notebook(source):
    """Check by check, for every mutant: what a student sees is what is graded; and it loses at least one."""
    read = read_source(source)
    assignment = assignment_of(hand_in_of(json.loads(json.dumps(instructor_notebook(read)))), read.name)
    _, graded = checked(read.name)
    mutants = read.tagged("mutant")
    assert len(graded) == (len(mutants) + 2 if read.exercises else 0)  # the reference and the stubs come first
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        plain = [pool.submit(plainly, assignment, run.answers, *run.exercises) for run, _ in graded[2:]]
    for mutant, future, (_, outcomes) in zip(mutants, plain, graded[2:], strict=True):
        own = [check.id for check in assignment.checks if check.exercise == mutant.exercise]
        passed = [check for check in own if outcomes[check].what == "passed"]
        assert passed == future.result(), mutant.name
        assert passed != own, mutant.name


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NAMES)
def test_strict_nbval_passes_three_times_in_a_row(name, tmp_path):
    """Every output is the same again, without a sanitiser; in its own folder, as a student runs it."""
    settings = tmp_path / "pytest.ini"
    settings.write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-c", str(settings)]
    environment = {key: value for key, value in os.environ.items() if key != "DSLAB_GRADING"}
    for _ in range(3):
        run = subprocess.run(
            [*command, f"{name}.ipynb"], cwd=NOTEBOOKS, env=environment, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stdout
