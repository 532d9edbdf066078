"""Writes what grading found: JSON for programs, tables for spreadsheets, pages for people.

A hand-in's result is a dict of plain data: "json" (its part of results.json), "answers" (the student's text by
exercise), "runs" (by check, the page that plays its failing run) and "junit" (XML).
"""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from dslab.grading import pages
from dslab.grading.assignment import Assignment
from dslab.grading.handins import file_names

Data = dict[str, Any]

# The columns of nbgrader's export.
_GRADES = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip
_INTEGRITY = ("student_id", "kind", "cell", "text")
LONGEST_OUTPUT = 10_000  # characters of one check's output for Gradescope


def canonical(data: Any) -> str:
    """JSON text that is the same for the same data, whatever the order it was made in."""
    return json.dumps(data, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def results_json(assignment: Assignment, results: Sequence[Data]) -> str:
    """results.json: no wall times, so that two runs give the same bytes."""
    hand_ins = sorted((result["json"] for result in results), key=lambda one: one["name"])
    return canonical({"schema": 1, "assignment": assignment.name, "hand_ins": hand_ins})


def no_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula, whichever sign it begins with."""
    return "'" + text if text.lstrip(" \u3000\u200b\ufeff")[:1] in tuple("=+-@\t\r\n＝＋－＠") else text


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: no_formula(pages.visible(v)) if isinstance(v, str) else v for name, v in row.items()})
    return out.getvalue()


def grades_csv(assignment: Assignment, results: Sequence[Data]) -> str:
    """grades.csv with the columns of nbgrader's export; what we do not know is empty."""
    rows = []
    for one in sorted((result["json"] for result in results), key=lambda one: one["name"]):
        row = {"assignment": assignment.name, "student_id": one["name"], "late_submission_penalty": 0}
        rows.append(row | {"raw_score": one["points"], "score": one["points"], "max_score": one["max_points"]})
    return _table(_GRADES, rows)


def integrity_csv(results: Sequence[Data]) -> str:
    """integrity.csv: what was odd in which hand-in; things to look at, not accusations."""
    ordered = sorted((result["json"] for result in results), key=lambda one: one["name"])
    return _table(_INTEGRITY, [{"student_id": one["name"], **flag} for one in ordered for flag in one["flags"]])


def _output(check: Data) -> str:
    """What a visible check has to say, as plain text."""
    parts = [check.get("message", "")]
    for name, words in (("call", "The call"), ("got", "Your answer gave"), ("wanted", "What is right")):
        if name in check:
            parts.append(f"{words}: {check[name]}")
    if "line" in check:
        parts.append(f"Line {check['line']} of your answer: {check.get('code', '')}")
    if "hint" in check:
        parts.append(f"Hint: {check['hint']}")
    if "property" in check:
        parts.append(f"The property that is broken: {check['property']}: {check.get('sentence', '')}")
    if "seed" in check:
        parts.append("The shortest run that breaks it:\n" + pages.replay(check))
    return pages.visible("\n".join(filter(None, parts)), LONGEST_OUTPUT)


def gradescope_json(result: Data) -> str:
    """One hand-in in the shape of Gradescope's results.json."""
    data = result["json"]
    tests = []
    for check in data["checks"]:
        test = {
            "name": pages.visible(check["title"]),
            "number": check["id"],
            "score": check["points"],
            "max_score": check["max_points"],
            "output": "" if check["hidden"] else _output(check),
            "visibility": "visible",
        }
        if not pages.by_hand(check):
            test["status"] = "passed" if check["status"] == "passed" else "failed"
        tests.append(test)
    first = pages.first_thing(data)
    output = pages.visible(f"{first['heading']}: {first['text']}")
    return canonical({"score": data["points"], "output": output, "tests": tests})


def junit_xml(text: str, hidden: Collection[str]) -> str:
    """pytest's XML without what it says of hidden checks: nbval prints the whole cell of a check that fails.

    Args:
        text: the XML; anything else gives an empty text.
        hidden: ids of the hidden checks, which stand in the first line of their cells.
    """
    try:
        root = ET.fromstring(text)
    except ET.ParseError:
        return ""
    for case in root.iter("testcase"):
        said = " ".join([*case.itertext(), *(value for part in case for value in part.attrib.values())])
        if any(f"check({name!r}, hidden=True)" in said for name in hidden):
            case[:] = [ET.Element("failure", message="a check on cases that are not shown")]
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # In one step: a report is there as a whole or as it was before. Half a character can be in no file.
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    part.replace(path)


def write_reports(
    assignment: Assignment,
    results: Sequence[Data],
    out: Path,
    *,
    isolation: str,
    seconds: Mapping[str, float] | None = None,
) -> None:
    """Writes every report into the folder `out`; a student's own files have only that student.

    Args:
        assignment: what was graded.
        results: one dict per hand-in, in any order.
        out: a folder; made if it is not there.
        isolation: "full", or "reduced: " and what is missing.
        seconds: how long each hand-in took; shown in summary.html and nowhere else.

    Raises:
        OSError: a file cannot be written.
    """
    results = sorted(results, key=lambda one: one["json"]["name"])
    hand_ins = [result["json"] for result in results]
    files = file_names([one["name"] for one in hand_ins])
    hidden = [check.id for check in assignment.checks if check.hidden]
    _write(out / "results.json", results_json(assignment, results))
    _write(out / "grades.csv", grades_csv(assignment, results))
    _write(out / "integrity.csv", integrity_csv(results))
    for result in results:
        name = files[result["json"]["name"]]
        _write(out / "students" / f"{name}.html", pages.student_page(assignment.name, result))
        _write(out / "gradescope" / f"{name}.json", gradescope_json(result))
        if xml := junit_xml(result["junit"], hidden):
            _write(out / "junit" / f"{name}.xml", xml)
    checks = [
        {"id": c.id, "title": c.title, "exercise": c.exercise, "hidden": c.hidden, "max_points": c.points}
        for c in assignment.checks
    ]
    page = pages.summary_page(assignment.name, assignment.total, checks, hand_ins, files, isolation, seconds or {})
    _write(out / "summary.html", page)
