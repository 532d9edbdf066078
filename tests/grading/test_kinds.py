"""What an answer may be, and what a check may do with it: all that courses with nbgrader do every day."""

from __future__ import annotations

import json
import linecache
import multiprocessing
import sys
import types
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "assignments"))

from hand_ins.kinds import KINDS
from sheet import answer, check

from dslab.grading import sandbox, worker
from dslab.grading.assignment import assignment_of
from dslab.grading.intake import hand_in_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the grader's sandbox needs Linux")


@pytest.fixture(scope="module")
def statuses():
    """All kinds as one notebook, graded once, in a process of its own: status and message by kind."""
    cells = []
    for number, (text, tests) in enumerate(KINDS.values()):
        marked = f"### BEGIN SOLUTION\n{text}\n### END SOLUTION"
        cells += [answer(f"it-{number}", marked), check(f"test-{number}", tests, 1)]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    assignment = assignment_of(hand_in_of(notebook), "kinds")
    layers = tuple(layer.name for layer in sandbox.probe() if layer.works)
    task = worker.Task(assignment, "anna", json.dumps(notebook).encode(), 20.0, layers)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        checks = pool.submit(worker.grade_task, task).result()["json"]["checks"]
    return dict(zip(KINDS, checks, strict=True))


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_right_answer_of_any_kind_passes(statuses, kind, monkeypatch, tmp_path):
    """As it does in a plain notebook, where answer and check share one process."""
    text, tests = KINDS[kind]
    monkeypatch.chdir(tmp_path)
    plain = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", plain)
    monkeypatch.setitem(linecache.cache, "<answer>", (len(text), None, text.splitlines(keepends=True), "<answer>"))
    exec(compile(text, "<answer>", "exec", dont_inherit=True), vars(plain))
    exec(compile(tests, "<check>", "exec", dont_inherit=True), vars(plain))
    assert statuses[kind]["status"] == "passed", statuses[kind]
