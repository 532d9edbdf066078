"""A class with everything in it, by the command line; and the judge alone, without anything of ours around it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hand_ins import HandIn, hand_ins
from hand_ins.courses import Course
from hand_ins.files import BAD, odd

from dslab.grading.merge import merged_notebook

ROOT = Path(__file__).resolve().parents[2]
SOME = [
    "as-the-reference", "lambda", "talkative", "twin-before", "lost-all-but-markers", "value", "syntax", "half",
    "untouched", "division", "other-cell", "raises-for-all", "loop-in-cell", "hoard", "output-flood",
    "exit-in-function", "two-exits", "sys-exit", "always-equal", "class-for-function", "surrogates", "markup",
    "tells-on-large", "tells-by-output", "tells-by-forged-flag", "tells-later", "frames-in-function",
    "callers-frame", "check-edited", "nbval-skip",
]  # fmt: skip

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the grader's sandbox needs Linux"),
    pytest.mark.timeout(900),
]


@cache
def course() -> Course:
    return Course("functions")


def chosen() -> list[HandIn]:
    return [one for some in hand_ins().values() for one in some if one.name in SOME]


def run(folder: Path, out: str, workers: int) -> subprocess.CompletedProcess[str]:
    """One run of the command."""
    command = [
        sys.executable,
        "-m",
        "dslab",
        "grade",
        str(folder / "class"),
        "--timeout",
        "3",
        "--workers",
        str(workers),
    ]
    command += ["--assignment", str(folder / "instructor.ipynb"), "--out", str(folder / out)]
    environment = {**os.environ, "TMPDIR": str(folder / "temporary"), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=800)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The folder of a class that was graded twice, and what the first run said."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "temporary").mkdir()
    (folder / "instructor.ipynb").write_text(json.dumps(course().instructor), "utf-8")
    files = {one.name: course().data(one, {}) for one in chosen()} | odd(course())
    for name, data in files.items():
        (folder / "class" / name).mkdir(parents=True)
        (folder / "class" / name / f"{name}-final (2).ipynb").write_bytes(data)  # renamed by a browser
    for name, what, _ in BAD:
        path = folder / "class" / name / "work.ipynb"
        path.parent.mkdir()
        path.write_bytes(what) if isinstance(what, bytes) else what(path)
    said = run(folder, "one", 2)
    again = run(folder, "two", 1)
    assert said.returncode == again.returncode == 0, said.stdout + said.stderr + again.stderr
    return folder, said.stdout


def results(folder):
    found = json.loads((folder / "one" / "results.json").read_text("utf-8"))["hand_ins"]
    return {result["name"]: result for result in found}


def test_two_runs_give_the_same_bytes(graded):
    """Whatever was in the class, and however many workers there were."""
    folder, _ = graded
    assert (folder / "one" / "results.json").read_bytes() == (folder / "two" / "results.json").read_bytes()


def test_everybody_is_in_the_reports_with_fair_points(graded):
    """Each hand-in once, in results, table and its own page."""
    folder, _ = graded
    found = results(folder)
    assert set(found) == {one.name for one in chosen()} | set(odd(course())) | {name for name, *_ in BAD}
    for hand_in in chosen():
        for check in found[hand_in.name]["checks"]:
            wanted = hand_in.statuses.get(check["id"], "passed").split("|")
            assert check["status"] in wanted, (hand_in.name, check)
    with (folder / "one" / "grades.csv").open(encoding="utf-8", newline="") as file:
        table = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert table == {name: result["points"] for name, result in found.items()}
    assert len(list((folder / "one" / "students").glob("*.html"))) == len(found)


@pytest.mark.parametrize(("name", "words"), [(name, words) for name, _, words in BAD])
def test_a_file_that_is_no_notebook_is_one_clear_line(graded, name, words):
    """In the output and in the report; it has no points, and no check was run."""
    folder, said = graded
    result = results(folder)[name]
    assert result["points"] == 0 and words in result["problem"] and "\n" not in result["problem"]
    assert {check["status"] for check in result["checks"]} == {"not run"}
    lines = [line for line in said.splitlines() if line.split(":")[0].strip() == name]
    assert len(lines) == 1 and words in lines[0]


@pytest.mark.parametrize("name", list(odd(course())))
def test_a_file_that_only_looks_bad_has_its_points(graded, name):
    """What JSON, an editor or a browser does to a file is not the student's answer."""
    folder, _ = graded
    result = results(folder)[name]
    assert result["points"] == result["max_points"], (result.get("problem"), result["flags"])


def test_no_byte_for_students_tells_of_a_hidden_check(graded):
    """Pages, files for a platform, the table and the results: no text, input or expected value."""
    folder, _ = graded
    canaries = course().canaries()
    files = [path for path in (folder / "one").rglob("*") if path.is_file()]
    theirs = [path for path in files if path.relative_to(folder / "one").parts[0] not in ("junit", "finished")]
    assert len(theirs) > 100
    told = [(path.name, one) for path in theirs for one in canaries if one in path.read_text("utf-8")]
    assert told == []


def test_markup_of_an_answer_is_text_on_its_page(graded):
    """No script or picture of a student's runs in the browser of whoever reads the page."""
    folder, _ = graded
    page = (folder / "one" / "students" / "markup.html").read_text("utf-8")
    assert "<script>document.title" not in page and "<img src=x" not in page and "{{7*7}}" in page
    assert "&lt;script&gt;" in page and "\x1b" not in page and "\u202e" not in page


def test_no_temporary_file_is_left(graded):
    """Both runs had the folder to themselves."""
    folder, _ = graded
    assert list((folder / "temporary").iterdir()) == []


PLAIN = [
    ("functions", "as-the-reference", set()),
    ("functions", "value", {"blend-check", "blend-hidden"}),
    ("functions", "always-equal", {"blend-check", "blend-hidden"}),
    ("functions", "class-for-function", {"blend-check", "blend-hidden"}),
    ("functions", "surrogates", {"blend-check", "blend-hidden"}),
    ("functions", "surrogate-text", {"facts-motto"}),
    ("functions", "exit-in-function", {"blend-check", "blend-hidden"}),
    ("sheet", "sheet", set()),
    ("sheet", "middle-mean", {"test-middle-hidden"}),
    ("protocol", "protocol", set()),
    ("protocol", "quorum-text", {"quorum-check", "quorum-hidden"}),
]


@pytest.mark.parametrize(("name", "hand_in", "lost"), PLAIN)
def test_the_merged_notebook_is_judged_alike_by_plain_nbval(tmp_path, name, hand_in, lost):
    """`pytest --nbval-lax` without a plugin of ours: the same cells pass."""
    made = Course(name)
    (one,) = [one for some in hand_ins().values() for one in some if one.name == hand_in]
    notebook = merged_notebook(made.assignment, made.right | one.answers, seconds=3)
    nbformat.write(notebook, tmp_path / "merged.ipynb")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider"]
    command += ["--junitxml=report.xml", "-o", "junit_family=xunit1", "merged.ipynb"]
    environment = {name: value for name, value in os.environ.items() if name != "DSLAB_GRADING"}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
    )
    failed = {line.split("::Cell ")[1].split()[0] for line in done.stdout.splitlines() if line.startswith("FAILED")}
    ids = [cell.id for cell in notebook.cells if cell.cell_type == "code"]
    assert {ids[int(number)] for number in failed} == lost, done.stdout[-3000:]
    assert done.returncode == bool(lost)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("dslab-")] == []
