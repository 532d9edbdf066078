"""What is written, that it says what to do, and that it is safe to open."""

from __future__ import annotations

import csv
import json
import random
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from dslab.grading import pages
from dslab.grading.assignment import Assignment, Cell
from dslab.grading.reports import (
    grades_csv,
    gradescope_json,
    integrity_csv,
    junit_xml,
    results_json,
    write_reports,
)

EVIL = "<script>alert(1)</script>\x00\x1b[31m\u202e\ud800 \"'&amp;"
RUN = '<!doctype html><p>run of NAME</p><script type="module">play("<p>", "$&");</script>'
SEEN = ("id", "exercise", "title", "status", "points", "max_points", "hidden")


def check(name: str, exercise: str, status: str, points: float, hidden: bool = False, **more: Any) -> dict[str, Any]:
    got = points if status == "passed" else 0
    title = f"{name} is right"
    base = {"id": name, "exercise": exercise, "title": title, "status": status, "points": got, "max_points": points}
    return base | {"hidden": hidden} | more


def hand_in(name: str, checks: list[dict[str, Any]], *, answers=None, runs=None, flags=(), problem="", junit="<a/>"):
    data = {"name": name, "points": sum(c["points"] for c in checks), "flags": list(flags), "checks": checks}
    data |= {"max_points": sum(c["max_points"] for c in checks)} | ({"problem": problem} if problem else {})
    return {"json": data, "answers": answers or {}, "runs": runs or {}, "junit": junit}


def passed() -> list[dict[str, Any]]:
    return [
        check("add-check", "add", "passed", 2),
        check("add-hidden", "add", "passed", 1, hidden=True),
        check("vote-check", "vote", "passed", 3),
    ]


def failed(**more: Any) -> list[dict[str, Any]]:
    vote = {
        "message": "vote: broken.\n\nThe shortest:\n   1. crash(\"n1\", at=5)\n\nQuestion: who?",
        "property": "Election safety", "sentence": "One leader per term.", "seed": 7,
        "schedule": ['crash("n1", at=5)', "heal(at=9)"], "line": 1, "code": "def vote(): pass", "run": True,
    }  # fmt: skip
    add = {"message": "wanted 9", "call": "add(6, 3)", "got": "-3", "wanted": "9", "line": 2, "hint": "Mind the sign."}
    return [
        check("add-check", "add", "wrong", 2, code="    return a - b", **(add | more)),
        check("add-hidden", "add", "wrong", 1, hidden=True),
        check("vote-check", "vote", "wrong", 3, **vote),
    ]


ANSWERS = {"add": "def add(a, b):\n    return a - b", "vote": "def vote(): pass"}


@pytest.fixture
def assignment() -> Assignment:
    cells = [Cell(c["id"], "check", "", c["exercise"], c["title"], c["max_points"], c["hidden"]) for c in passed()]
    return Assignment("02-consensus", tuple(cells), {}, {}, 6, ())


@pytest.fixture
def results() -> list[dict[str, Any]]:
    """anna has all, ben little and a nasty name, cleo's file was empty."""
    flags = [{"kind": "check-changed", "cell": "add-check", "text": "the check add-check was changed"}]
    unread = [{name: c[name] for name in SEEN} | {"status": "not run", "points": 0} for c in passed()]
    runs = {"vote-check": RUN, "add-hidden": "<p>secret run</p>"}
    return [
        hand_in("anna", passed()),
        hand_in("<b>ben</b>", failed(), answers=ANSWERS, runs=runs, flags=flags),
        hand_in("=cleo()", unread, problem="the file is empty: save it", junit=""),
    ]


class Page(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[str] = []
        self._inside, self._text = [""], ""
        self.feed(text)
        self.close()
        self.text = " ".join(self._text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside.append(tag)
        self._text += " " if tag in ("br", "dt", "dd", "th", "td", "div") else ""
        if tag in ("script", "style"):
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        while len(self._inside) > 1 and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._inside[-1] in ("script", "style"):
            self.blocks[-1] += data
        else:
            self._text += data


def student(result: dict[str, Any]) -> Page:
    return Page(pages.student_page("02-consensus", result))


def test_every_report_is_written(assignment, results, tmp_path):
    """One of each for the class, three per student; names are safe, and no XML is made up."""
    write_reports(assignment, results, tmp_path / "out", isolation="full")
    written = sorted(p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.rglob("*") if p.is_file())
    assert written == [
        "grades.csv", "gradescope/anna.json", "gradescope/b-ben-b.json", "gradescope/cleo.json", "integrity.csv",
        "junit/anna.xml", "junit/b-ben-b.xml", "results.json",
        "students/anna.html", "students/b-ben-b.html", "students/cleo.html", "summary.html",
    ]  # fmt: skip


def test_the_same_results_give_the_same_bytes(assignment, results, tmp_path):
    """Whatever the order in which hand-ins were finished, and where the folder is."""
    write_reports(assignment, results, tmp_path / "one", isolation="full")
    shuffled = results[:]
    random.Random(3).shuffle(shuffled)
    write_reports(assignment, shuffled[::-1], tmp_path / "two" / "deep", isolation="full")
    for path in (tmp_path / "one").rglob("*.*"):
        other = tmp_path / "two" / "deep" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes(), path.name
    assert len(list((tmp_path / "two").rglob("*.*"))) == len(list((tmp_path / "one").rglob("*.*")))


def test_a_wrong_value_is_laid_out(results):
    """Call, got and wanted; the hint; the line, marked in the student's own text by a sign and in words."""
    page = student(results[1])
    assert "0 of 6 points" in page.text
    assert 'What to do first "add-check is right" (2 points): add(6, 3) gave -3, and 9 is right.' in page.text
    assert "The call add(6, 3) Your answer gave -3 What is right 9" in page.text
    assert "Line 2 of your answer: return a - b Hint Mind the sign." in page.text
    assert "1def add(a, b): ▶ 2 return a - b ◀ add-check is right" in page.text
    assert "✗ wrong" in page.text


def test_a_broken_property_has_its_steps_numbered_once_and_how_to_see_it_again(results):
    """The message keeps what is not shown otherwise."""
    page = student(results[1])
    assert [tag for tag, _ in page.elements].count("ol") == 1
    assert page.text.count('crash("n1", at=5)') == 2  # the numbered step, and the line of the cell to copy
    assert 'lab = Lab(system, seed=7) lab.crash("n1", at=5) lab.heal(at=9) lab' in page.text
    assert "Election safety: One leader per term." in page.text and "Question: who?" in page.text


def test_the_failing_run_is_in_the_page_but_not_loaded(results):
    """A frame with no rights but scripts, empty until it is opened; the player is in the page once."""
    result = results[1] | {"runs": {"vote-check": RUN, "add-check": RUN.replace("NAME", "add")}}
    page = student(result)
    frames = [attrs for tag, attrs in page.elements if tag == "iframe"]
    assert len(frames) == 2
    assert all(f["sandbox"] == "allow-scripts allow-forms" and not {"src", "srcdoc"} & set(f) for f in frames)
    data = json.loads(next(block for block in page.blocks if block.startswith("{")))
    assert data["pages"]["vote-check"].replace(data["mark"], data["player"]) == RUN
    assert json.dumps(data).count("play(") == 1


def test_the_policy_names_every_script_and_the_style(results):
    """Nothing else may run, and nothing may be fetched."""
    plain, playing = student(results[0]), student(results[1])
    policies = [
        next(a["content"] for _, a in page.elements if (a.get("http-equiv") or "").startswith("Content-Sec"))
        for page in (plain, playing)
    ]
    assert "script-src" not in policies[0] and "unsafe" not in policies[0]
    assert pages._hash(plain.blocks[0]) in policies[0]
    data, loader = playing.blocks[1:]
    assert f"script-src {pages._hash(loader)} {pages._hash(json.loads(data)['player'])};" in policies[1]
    assert all(policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none';") for policy in policies)
    for page in (plain, playing):
        assert not [1 for tag, attrs in page.elements for name in attrs if name in ("src", "onclick", "style")]


def test_hidden_checks_tell_nothing(assignment, results, tmp_path):
    """Title, points, and why that is all; even if more were in the result."""
    secret = "unseen input 600"
    leaky = {"message": secret, "got": secret, "call": secret, "hint": secret, "code": secret, "line": 1, "seed": 99,
             "schedule": [secret], "property": secret, "sentence": secret, "wanted": secret}  # fmt: skip
    results[1]["json"]["checks"][1] |= leaky
    page = student(results[1])
    assert "add-hidden is right ✗ not passed 0 of 1 This check looks at cases that are not shown" in page.text
    assert "secret run" not in "".join(page.blocks)
    write_reports(assignment, results, tmp_path, isolation="full")
    shown = [*tmp_path.rglob("*.html"), *tmp_path.glob("*.csv"), *(tmp_path / "gradescope").iterdir()]
    assert shown and all(secret not in path.read_text("utf-8") for path in shown)


@pytest.mark.parametrize(
    ("status", "words", "todo"),
    [
        ("timeout", "did not end in time", "Look for a loop"),
        ("memory", "needs too much memory", "grows without end"),
        ("crashed", "ended Python", "Take it out"),
        ("missing", "not answered", "Write your answer into the cell"),
        ("error", "stops with an error", "Make the same call in your notebook"),
    ],
)
def test_every_status_says_what_to_do(status, words, todo):
    """In words, and not by a colour."""
    page = student(hand_in("anna", [check("c", "ex", status, 1, message="what happened")]))
    assert words in page.text and todo in page.text and "what happened." in page.text


def test_what_to_do_first_is_something_that_was_tried():
    """An exercise not begun comes after one that went wrong; then unseen cases; then nothing."""
    late, wrong = check("late", "late", "missing", 1), check("wrong", "wrong", "error", 1, message="KeyError: 1")
    assert pages.first_thing(hand_in("a", [late, wrong])["json"])["check"] == "wrong"
    assert pages.first_thing(hand_in("a", [late])["json"])["check"] == "late"
    hidden = pages.first_thing(hand_in("a", [check("h", "e", "wrong", 1, hidden=True)])["json"])
    assert hidden["check"] == "h" and "inputs that the visible checks leave out" in hidden["text"]
    assert pages.first_thing(hand_in("a", passed())["json"])["heading"] == "Nothing is left to do"


def test_a_cell_marked_by_hand_is_no_failure():
    """Neither in the page, nor for Gradescope, nor among the pass rates."""
    by_hand = check("essay", "essay", "not run", 4, message="marked by hand")
    result = hand_in("anna", [by_hand])
    page = student(result)
    assert "– marked by hand 0 of 4" in page.text and "Every check has passed. The rest is marked by hand." in page.text
    assert "status" not in json.loads(gradescope_json(result))["tests"][0]
    assert pages.pass_rates([result["json"]], [by_hand])[0]["of"] == 0


def test_a_hand_in_that_could_not_be_read_says_so_at_the_top(results):
    """With what to do, before anything else."""
    assert "This could not be graded the file is empty: save it." in student(results[2]).text


def test_foreign_text_stays_text(assignment, tmp_path):
    """Names, messages, values, code and runs: nothing becomes an element, and what is unseen is spelled out."""
    nasty = {name: EVIL for name in ("message", "call", "got", "wanted", "hint", "code", "property", "sentence")}
    bad = check("add-check", "add", "wrong", 2, line=1, seed=1, schedule=[EVIL], **nasty)
    flags = [{"kind": EVIL, "cell": EVIL, "text": EVIL}]
    result = hand_in(EVIL, [bad], answers={"add": EVIL}, runs={"add-check": EVIL + RUN}, flags=flags, problem=EVIL)
    write_reports(assignment, [result], tmp_path, isolation=EVIL, seconds={EVIL: 1.0})
    for path in tmp_path.rglob("*.html"):
        text = path.read_text("utf-8")
        page = Page(text)
        assert not re.search("[\x00\x1b\u202e\ud800]", text), path
        scripts = [attrs for tag, attrs in page.elements if tag == "script"]
        assert len(scripts) == (2 if path.parent.name == "students" else 0)
        assert "<script>alert(1)</script>⟨U+0000⟩⟨U+001B⟩[31m⟨U+202E⟩⟨U+D800⟩" in page.text
    for path in tmp_path.rglob("*.json"):
        json.loads(path.read_text("utf-8"))


def test_long_texts_are_cut(assignment, tmp_path):
    """A megabyte in every field, and an answer of a hundred thousand lines, give a page that can be opened."""
    long = "x" * 1_000_000
    fields = {name: long for name in ("message", "call", "got", "wanted", "hint", "code", "property", "sentence")}
    bad = check("add-check", "add", "wrong", 2, line=60_000, seed=1, schedule=["heal(at=1)"] * 10_000, **fields)
    answer = "\n".join(f"line_{number} = {'y' * 50}" for number in range(1, 100_001))
    write_reports(assignment, [hand_in("anna", [bad], answers={"add": answer})], tmp_path, isolation="full")
    text = (tmp_path / "students" / "anna.html").read_text("utf-8")
    assert len(text) < 200_000 and "more characters" in text
    assert "▶ 60000" in text and "line_60000 " in text
    assert len((tmp_path / "gradescope" / "anna.json").read_text("utf-8")) < 20_000
    assert len((tmp_path / "summary.html").read_text("utf-8")) < 40_000


def test_the_summary_shows_the_class(assignment, results, tmp_path):
    """Pass rates, the commonest wrong value, problems, what was odd, and how the answers were kept apart."""
    given = {"dora": "-3", "emil": "7", "fay": "7", "gus": "7"}
    extra = [hand_in(name, failed(got=got)) for name, got in given.items()]
    isolation = "reduced: no user namespaces"
    write_reports(assignment, [*results, *extra], tmp_path, isolation=isolation, seconds={"anna": 3})
    page = Page((tmp_path / "summary.html").read_text("utf-8"))
    assert "7 hand-ins" in page.text and "isolation: reduced: no user namespaces" in page.text
    assert "add-check is right add 2 1 of 6 (17 %) 7 (3 hand-ins)" in page.text
    assert "add-hidden is right (hidden) add 1 1 of 6 (17 %) vote-check" in page.text
    assert "Could not be graded: 1 =cleo(): the file is empty: save it" in page.text
    assert "not accusations" in page.text and "the check add-check was changed" in page.text
    assert "Slowest anna: 3.0 s" in page.text
    links = {attrs["href"] for tag, attrs in page.elements if tag == "a"}
    assert links == {p.relative_to(tmp_path).as_posix() for p in (tmp_path / "students").iterdir()}


def test_an_empty_class_has_a_summary(assignment, tmp_path):
    """Nothing is divided by nothing."""
    write_reports(assignment, [], tmp_path, isolation="full")
    assert "0 hand-ins" in Page((tmp_path / "summary.html").read_text("utf-8")).text


def test_results_json_is_canonical(assignment, results):
    """Same results in another order, same bytes; the shape that others rely on."""
    text = results_json(assignment, results)
    assert text == results_json(assignment, results[::-1])
    data = json.loads(text)
    assert (data["schema"], data["assignment"]) == (1, "02-consensus")
    assert [one["name"] for one in data["hand_ins"]] == ["<b>ben</b>", "=cleo()", "anna"]
    assert data["hand_ins"][2] == results[0]["json"]


def test_tables_have_nbgraders_columns_and_no_formulas(assignment, results):
    """A spreadsheet shows a name as it is."""
    rows = list(csv.DictReader(grades_csv(assignment, results).splitlines()))
    assert list(rows[0]) == [
        "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
        "late_submission_penalty", "score", "max_score",
    ]  # fmt: skip
    assert [(row["student_id"], row["score"], row["max_score"]) for row in rows] == [
        ("<b>ben</b>", "0", "6"), ("'=cleo()", "0", "6"), ("anna", "6", "6"),
    ]  # fmt: skip
    results[1]["json"]["flags"][0]["text"] = " =1+1"
    (row,) = csv.DictReader(integrity_csv(results).splitlines())
    assert row == {"student_id": "<b>ben</b>", "kind": "check-changed", "cell": "add-check", "text": "' =1+1"}


def test_gradescope_shape(results):
    """score, output and tests; a failed hidden check has no output."""
    made = json.loads(gradescope_json(results[1]))
    assert set(made) == {"score", "output", "tests"} and made["score"] == 0
    first, hidden, vote = made["tests"]
    assert set(first) == {"name", "number", "score", "max_score", "status", "output", "visibility"}
    assert first["status"] == "failed" and "Your answer gave: -3" in first["output"]
    assert [hidden[name] for name in ("number", "status", "max_score", "output")] == ["add-hidden", "failed", 1, ""]
    assert 'lab.crash("n1", at=5)' in vote["output"]


def test_junit_says_nothing_of_hidden_checks():
    """nbval prints the cell of a check that fails, and what it raised; the others keep it."""
    cell = "Input:\ndslab_grade.check('{}', hidden={})\nassert f(600) == {}"
    cases = "".join(
        f'<testcase name="Cell {i}"><failure message="{text}">{text} [1mx</failure></testcase>'
        for i, text in enumerate([cell.format("open", False, 5), cell.format("closed", True, 900)])
    )
    made = junit_xml(f"<testsuites><testsuite>{cases}</testsuite></testsuites>", ["closed"])
    assert "== 5" in made and "900" not in made and made.count("<failure") == 2
    assert '<testcase name="Cell 1"><failure message="a check on cases that are not shown" /></testcase>' in made
    assert junit_xml("", ["closed"]) == junit_xml("<broken", ["closed"]) == ""


def test_points_are_written_as_people_write_them():
    """Whole numbers stay whole, and tenths add up."""
    assert [pages.points_text(value) for value in (2, 2.5, 0.1 + 0.2, 0)] == ["2", "2.5", "0.3", "0"]
