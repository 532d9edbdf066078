"""Writes what grading found: one JSON for programs, one CSV and page for the class, two files per student."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dslab.grading.assignment import Assignment
from dslab.grading.grade import CONTROL, Result
from dslab.grading.handins import file_names

_COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip

_TEMPLATES = Path(__file__).parent / "templates"


def canonical(data: Any) -> str:
    """JSON text that is the same for the same data, whatever the order it was made in."""
    return json.dumps(data, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def results_json(assignment: Assignment, results: Sequence[Result]) -> str:
    """results.json: no wall times, so that two runs give the same bytes."""
    hand_ins = [result.as_json() for result in sorted(results, key=lambda one: one.name)]
    return canonical({"schema": 1, "assignment": assignment.name, "hand_ins": hand_ins})


def _cell(text: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return "'" + text if text[:1] in "=+-@\t\r" else text


def grades_csv(assignment: Assignment, results: Sequence[Result]) -> str:
    """grades.csv with the columns of nbgrader's export; what we do not know is empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for result in results:
        row: dict[str, Any] = {"assignment": _cell(assignment.name), "student_id": _cell(result.name)}
        row |= {"raw_score": result.points, "score": result.points, "max_score": result.max_points}
        writer.writerow(row | {"late_submission_penalty": 0})
    return out.getvalue()


def gradescope_json(result: Result) -> str:
    """One hand-in in the shape of Gradescope's results.json."""
    tests = [
        {
            "name": check["title"],
            "number": check["id"],
            "score": check["points"],
            "max_score": check["max_points"],
            "status": "passed" if check["status"] == "passed" else "failed",
            "output": check.get("message", ""),
            "visibility": "visible",
        }
        for check in result.checks
    ]
    return canonical({"score": result.points, "output": result.problem, "tests": tests})


def pass_rates(assignment: Assignment, results: Sequence[Result]) -> list[dict[str, Any]]:
    """Per check: how many hand-ins passed it, of those that could be graded."""
    graded = [result for result in results if not result.problem]
    rows = []
    for index, check in enumerate(assignment.checks):
        passed = sum(result.checks[index]["status"] == "passed" for result in graded)
        share = round(100 * passed / len(graded)) if graded else 0
        rows.append({"check": check, "passed": passed, "of": len(graded), "percent": share})
    return rows


def _visible(value: Any) -> Any:
    """What a page shows of a text: signs that nobody can see become ones that everybody can."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else value


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # In one step: a report is there as a whole or as it was before.
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)


def write_reports(assignment: Assignment, results: Sequence[Result], out: Path) -> None:
    """Writes every report of `results` into the folder `out`; a student's own file has only that student."""
    pages = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,  # names, messages and code are all somebody else's text
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    results = sorted(results, key=lambda one: one.name)
    names = file_names([result.name for result in results])
    _write(out / "results.json", results_json(assignment, results))
    _write(out / "grades.csv", grades_csv(assignment, results))
    for result in results:
        page = pages.get_template("student.html").render(result=result, assignment=assignment)
        _write(out / "students" / f"{names[result.name]}.html", page)
        _write(out / "gradescope" / f"{names[result.name]}.json", gradescope_json(result))
    summary = pages.get_template("summary.html").render(
        assignment=assignment, results=results, names=names, rates=pass_rates(assignment, results)
    )
    _write(out / "summary.html", summary)
