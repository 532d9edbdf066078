"""The four proofs of every exercise: the reference passes, the stub fails kindly, each mutant fails where its
name promises, and nothing of the answers is in the handout."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from nbformat import NotebookNode

from dslab.authoring.cells import Source, SourceCell
from dslab.authoring.notebooks import instructor_notebook
from dslab.grading import regions
from dslab.grading.assignment import Assignment, assignment_of
from dslab.grading.grade import message_of, plain
from dslab.grading.intake import hand_in_of
from dslab.grading.merge import merged_notebook
from dslab.grading.run import NbvalError, Outcome, run_notebook

# What the check of an unanswered exercise prints in a student's notebook.
KIND = "not answered yet"

# Shorter lines ("return False", "for entry in log:") are nobody's secret.
_SECRET_TAGS = {"solution", "mutant", "hidden"}
_SECRET = 20  # characters without white space


def _said(outcome: Outcome) -> str:
    """What a failed cell said, in one line."""
    text = plain(f"{outcome.ename}: {message_of(outcome)}" if outcome.ename else outcome.what)
    return " ".join(text.split())


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
            if len(bare) < _SECRET or not (secret or is_solution) or bare not in shown:
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


def _variant(
    assignment: Assignment, answers: dict[str, str], only: list[str], timeout: float
) -> dict[str, Outcome]:
    return run_notebook(merged_notebook(assignment, answers, only=only), timeout=timeout)


def prove(source: Source, student: NotebookNode, *, workers: int = 2, timeout: float = 300.0) -> list[str]:
    """What the four proofs found wrong, one sentence each; empty if they hold.

    Args:
        student: the handout, executed.
        workers: runs at the same time; each is a pytest and a kernel.
        timeout: seconds for one cell.
    """
    problems = leaks(source, student)
    if not source.exercises:
        return problems
    problems += unkind_checks(source, student)
    assignment = assignment_of(hand_in_of(instructor_notebook(source)), source.name)
    reference = assignment.solutions
    stubs = {cell.exercise: cell.text for cell in assignment.answers}
    run = partial(_variant, assignment, timeout=timeout)
    try:
        with ThreadPoolExecutor(workers) as pool:
            right = pool.submit(run, reference, source.exercises)
            blank = pool.submit(run, stubs, source.exercises)
            mutated = [
                (mutant, pool.submit(run, reference | {mutant.exercise: mutant.text}, [mutant.exercise]))
                for mutant in source.tagged("mutant")
            ]
            for cell, outcome in right.result().items():
                if outcome.what != "passed":
                    problems.append(f'with the reference answers the cell "{cell}" fails: {_said(outcome)}')
            for check in assignment.checks:
                if blank.result()[check.id].what == "passed":
                    problems.append(f'the check "{check.id}" passes with the untouched stub')
            for mutant, future in mutated:
                problem = _mutant_problem(source, mutant, future.result())
                problems += [problem] if problem else []
    except NbvalError as error:
        problems.append(str(error))
    return problems
