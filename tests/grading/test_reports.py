"""What is written, and that it is safe to open."""

from __future__ import annotations

import csv
import json
import re

from dslab.grading.grade import Result, grade_notebook, unreadable
from dslab.grading.reports import grades_csv, gradescope_json, results_json, write_reports
from dslab.grading.run import Outcome

EVIL = "<script>alert(1)</script>\x00\u202e"


def results(course, monkeypatch):
    """anna has all, ben has add wrong with a nasty text, cleo's file was empty."""
    cells = {cell.id: Outcome("passed") for cell in course.assignment.cells}
    wrong = cells | {
        "add-check": Outcome("error", "CheckFailed", EVIL),
        "add-hidden": Outcome("error", "CheckFailed", "secret input 600"),
    }
    made = []
    for name, outcomes in (("anna", cells), ("<b>ben</b>", wrong)):
        monkeypatch.setattr("dslab.grading.grade.run_notebook", lambda *_, outcomes=outcomes, **__: outcomes)
        made.append(
            grade_notebook(course.assignment, course.hand_in(course.right | {"add": f"# {EVIL}"}), name)
        )
    return [*made, unreadable(course.assignment, "=cleo()", "the file is empty: save it")]


def test_every_report_is_written(course, monkeypatch, tmp_path):
    """One of each for the class, two per student; names are safe."""
    out = tmp_path / "out"
    write_reports(course.assignment, results(course, monkeypatch), out)
    written = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert written == [
        "grades.csv", "gradescope/anna.json", "gradescope/b-ben-b.json", "gradescope/cleo.json",
        "results.json", "students/anna.html", "students/b-ben-b.html", "students/cleo.html", "summary.html",
    ]  # fmt: skip


def test_pages_escape_everything_and_keep_hidden_checks_hidden(course, monkeypatch, tmp_path):
    """A name, a message and an answer are somebody else's text."""
    out = tmp_path / "out"
    write_reports(course.assignment, results(course, monkeypatch), out)
    page = (out / "students" / "b-ben-b.html").read_text("utf-8")
    assert "\x00" not in page and "\u202e" not in page
    for path in out.rglob("*.html"):
        assert "<script" not in path.read_text("utf-8") and "<b>" not in path.read_text("utf-8")
    everything = "".join(path.read_text("utf-8") for path in out.rglob("*") if path.is_file())
    assert "secret input" not in everything and "unseen case of" not in everything
    assert (
        "6 of 9 points" in page
        and "&lt;script&gt;" in page
        and "add-hidden" in page
        and "(unseen cases)" in page
    )
    assert not re.search(r"https?:|src=", page)
    summary = (out / "summary.html").read_text("utf-8")
    assert "1 of 2 (50 %)" in summary and "the file is empty" in summary


def test_results_json_is_canonical(course, monkeypatch):
    """Same results in another order, same bytes; the shape others rely on."""
    made = results(course, monkeypatch)
    text = results_json(course.assignment, made)
    assert text == results_json(course.assignment, made[::-1])
    data = json.loads(text)
    assert data["schema"] == 1 and data["assignment"] == "01-sums"
    assert [one["name"] for one in data["hand_ins"]] == ["<b>ben</b>", "=cleo()", "anna"]
    anna, cleo = data["hand_ins"][2], data["hand_ins"][1]
    assert (anna["points"], anna["max_points"], anna["flags"]) == (9, 9, [])
    assert anna["checks"][0] == {
        "id": "add-check", "exercise": "add", "title": "add of small numbers", "status": "passed",
        "points": 2, "max_points": 2, "hidden": False,
    }  # fmt: skip
    assert cleo["points"] == 0 and cleo["problem"] == "the file is empty: save it"


def test_grades_csv_has_nbgraders_columns(course, monkeypatch):
    """And no cell that a spreadsheet takes for a formula."""
    rows = list(csv.DictReader(grades_csv(course.assignment, results(course, monkeypatch)).splitlines()))
    assert list(rows[0]) == [
        "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
        "late_submission_penalty", "score", "max_score",
    ]  # fmt: skip
    assert [(row["student_id"], row["score"], row["max_score"]) for row in rows] == [
        ("anna", "9", "9"), ("<b>ben</b>", "6", "9"), ("'=cleo()", "0", "9"),
    ]  # fmt: skip


def test_gradescope_shape(course, monkeypatch):
    """score and tests; a failed hidden check has no output."""
    made = json.loads(gradescope_json(results(course, monkeypatch)[1]))
    assert made["score"] == 6 and len(made["tests"]) == 6
    hidden = next(test for test in made["tests"] if test["number"] == "add-hidden")
    assert (hidden["status"], hidden["score"], hidden["max_score"], hidden["output"]) == ("failed", 0, 1, "")


def test_points_are_the_checks_points():
    """Whole numbers stay whole."""
    checks = [{"points": 2}, {"points": 0.5}]
    assert Result("a", 4, checks).points == 2.5
