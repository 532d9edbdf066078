"""The four proofs of every exercise: the reference passes, the stub fails kindly, each mutant fails where its
name promises, and nothing of the answers is in the handout."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from typing import NamedTuple

from nbformat import NotebookNode
from tqdm import tqdm

from dslab.authoring.cells import Source, SourceCell
from dslab.authoring.notebooks import instructor_notebook
from dslab.grading import regions, sandbox, worker
from dslab.grading.assignment import Assignment, assignment_of
from dslab.grading.grade import message_of
from dslab.grading.intake import hand_in_of
from dslab.grading.outcome import Outcome
from dslab.grading.processes import CallError, DiedError, Processes

# What the check of an unanswered exercise prints in a student's notebook.
KIND = "not answered yet"

# Shorter lines ("return False", "for entry in log:") are nobody's secret, nor is a call without arguments.
_CALL = re.compile(r"[\w.]+\(\)")
_SECRET_TAGS = {"solution", "mutant", "hidden"}
_SECRET = 20  # characters without white space


class _Run(NamedTuple):
    answers: dict[str, str]
    exercises: list[str]  # whose checks run


def _said(outcome: Outcome) -> str:
    """What a failed cell said, in one line."""
    return " ".join(message_of(outcome).split()) if outcome.ename else outcome.what


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _text_of(notebook: NotebookNode) -> str:
    """Everything a student can read in the handout: texts, outputs, metadata."""
    parts: list[str] = []
    waiting: list[object] = [notebook]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            parts.append(value)
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return "\n".join(parts)


def leaks(source: Source, student: NotebookNode) -> list[str]:
    """Lines and names that the handout must not have and has, one sentence each."""
    shown = _squeezed(_text_of(student))
    # A line that the author also wrote in the open (an import, a signature) is no secret of a hidden cell.
    public = [cell for cell in source.cells if not _SECRET_TAGS & set(cell.tags)]
    open_text = _squeezed("\n".join(regions.stub_of(cell.text) for cell in public))
    found = []
    for cell in source.cells:
        secret = _SECRET_TAGS & set(cell.tags)
        if secret and cell.name in shown:
            found.append(f'the name of the cell "{cell.name}" is in the handout')
        for number, line in enumerate(cell.text.split("\n"), start=1):
            bare = _squeezed(line)
            is_solution = cell.is_code("exercise") and line in regions.solution_lines(cell.text)
            if len(bare) < _SECRET or _CALL.fullmatch(bare) or not (secret or is_solution) or bare not in shown:
                continue
            if is_solution or bare not in open_text:
                found.append(f'line {cell.line + number} of "{cell.name}" is in the handout: {line.strip()}')
    return found


def unkind_checks(source: Source, student: NotebookNode) -> list[str]:
    """Checks that say nothing kind about the untouched stub; `student` is executed."""
    texts = {cell.id: " ".join(str(one) for one in cell.get("outputs", ())) for cell in student.cells}
    return [
        f'the check "{check.name}" on the untouched stub does not print "{KIND}"'
        for check in source.tagged("check")
        if KIND not in texts[check.name].lower()
    ]


def _mutant_problem(source: Source, mutant: SourceCell, outcomes: dict[str, Outcome]) -> str | None:
    wanted = str(mutant.keys["property"])
    for check in source.tagged("check", mutant.exercise) + source.tagged("hidden", mutant.exercise):
        outcome = outcomes[check.name]
        if outcome.what == "passed":
            continue
        if wanted == check.name or wanted.lower() in _said(outcome).lower():
            return None
        words = f'the mutant "{mutant.name}" must fail at "{wanted}"'
        return f'{words} and fails at "{check.name}": {_said(outcome)}'
    return f'the mutant "{mutant.name}" passes every check: it must fail at "{wanted}"'


def _outcomes(assignment: Assignment, seconds: float, layers: tuple[str, ...], run: _Run) -> dict[str, Outcome]:
    only = run.exercises
    return worker.run_answers(assignment, run.answers, seconds=seconds, layers=layers, only=only).outcomes


def _run_all(assignment: Assignment, runs: Sequence[_Run], workers: int, timeout: float) -> list[dict[str, Outcome]]:
    """The outcomes of every run, in order."""
    layers = tuple(layer.name for layer in sandbox.probe() if layer.works)
    processes = Processes(worker.close)
    one = partial(processes.call, _outcomes, assignment, timeout, layers)
    quiet = not sys.stderr.isatty()
    with ThreadPoolExecutor(workers) as pool, tqdm(
        total=len(runs), unit="proof", file=sys.stderr, disable=quiet, leave=False
    ) as bar:
        futures = [pool.submit(one, run) for run in runs]
        try:
            for future in as_completed(futures):
                future.result()
                bar.update()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop()
    return [future.result() for future in futures]


def prove(source: Source, student: NotebookNode, *, workers: int = 2, timeout: float = 60.0) -> list[str]:
    """What the four proofs found wrong, one sentence each; empty if they hold.

    Args:
        student: the handout, executed.
        workers: processes that run them.
        timeout: seconds that an answer may use in one cell.
    """
    problems = leaks(source, student)
    if not source.exercises:
        return problems
    problems += unkind_checks(source, student)
    assignment = assignment_of(hand_in_of(instructor_notebook(source)), source.name)
    reference = assignment.solutions
    stubs = {cell.exercise: cell.text for cell in assignment.answers}
    mutants = source.tagged("mutant")
    runs = [_Run(reference, source.exercises), _Run(stubs, source.exercises)]
    runs += [_Run(reference | {one.exercise: one.text}, [one.exercise]) for one in mutants]
    try:
        right, blank, *mutated = _run_all(assignment, runs, workers, timeout)
    except (CallError, DiedError) as error:
        return [*problems, f"the proofs could not be run: {error or 'their process ended'}"]
    for name, outcome in right.items():
        if outcome.what != "passed":
            problems.append(f'with the reference answers the cell "{name}" fails: {_said(outcome)}')
    for check in assignment.checks:
        if blank[check.id].what == "passed":
            problems.append(f'the check "{check.id}" passes with the untouched stub')
    found = [_mutant_problem(source, one, outcomes) for one, outcomes in zip(mutants, mutated, strict=True)]
    return problems + [problem for problem in found if problem]
