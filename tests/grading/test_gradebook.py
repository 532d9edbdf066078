"""The platform's own gradebook comes back with points in one column and not another byte changed."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dslab.grading.gradebook import GradebookError, add_marks, fill_gradebook, main

MOODLE = (
    "\ufeffIdentifier,\"Full name\",\"ID number\",\"Email address\",Status,Grade,\"Maximum Grade\"\r\n"
    "\"Participant 501\",\"Anna Berg\",0101,anna@uni.example,\"Submitted for grading - \",,10.00\r\n"
    "\"Participant 502\",\"Ben \"\"B\"\" Cole\",0102,Ben@Uni.example,\"No submission\nyet\",,10.00\r\n"
    "\"Participant 503\",\"Cleo Dahl\",0103,cleo@uni.example,,5.5,10.00\r\n"
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Homework 2 (9001),Final Score\n"
    "    Points Possible,,,,,10.0,(read only)\n"
    '"Berg, Anna",71,u101,anna,A,,81\n'
    '"Cole, Ben",72,u102,ben,A,,\n'
    '"Student, Test",99,,tester,A,,\n'
)


def one(name, points=3, **more):
    return {"name": name, "points": points} | more


def cells(text, delimiter=","):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter))


@pytest.mark.parametrize(
    "name",
    ["0101", "anna@uni.example", "ANNA@uni.example", "Anna Berg", "anna  berg", "Anna Berg_501_assignsubmission_file_",
     "Anna Berg_501_assignsubmission_file_/homework"],
)  # fmt: skip
def test_moodle_by_id_mail_name_or_download(name):
    """Only the one cell differs: sign at the beginning, quotes and ends of lines stay."""
    filled, notes = fill_gradebook(MOODLE, [one(name, 7.5)], "grade")
    assert filled == MOODLE.replace('grading - ",,10.00', 'grading - ",7.5,10.00')
    assert [note.partition(":")[0].split(",")[0] for note in notes] == ["row 3", "row 4"]


def test_canvas_with_its_number_behind_the_column():
    """The row of most points is nobody's, and names with commas stay in their quotes."""
    filled, notes = fill_gradebook(CANVAS, [one("anna", 9), one("coleben_72_4711_homework2", 4)], "Homework 2")
    assert filled == CANVAS.replace("anna,A,,81", "anna,A,9,81").replace("ben,A,,", "ben,A,4,")
    assert notes == ["row 5, Student, Test, 99: there is no hand-in, and the cell is as it was."]


def test_a_new_column_is_added_at_the_end():
    """Also to rows without points, so that every row has as many cells."""
    filled, _ = fill_gradebook(CANVAS, [one("anna", 9)], "Homework 3")
    assert [row[-1] for row in cells(filled)] == ["Homework 3", "", "9", "", ""]
    assert [row[:-1] for row in cells(filled)] == cells(CANVAS)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("student_id;email;points\nanna;a@x;\n", "student_id;email;points\nanna;a@x;2.5\n"),
        ("student_id;old;points\nanna;1,5;\n", "student_id;old;points\nanna;1,5;2,5\n"),
        ("Email\tpoints\rANNA\t\r", "Email\tpoints\rANNA\t2.5\r"),
        ("student_id,points\nanna,", "student_id,points\nanna,2.5"),
        ("student_id,points\nanna", "student_id,points\nanna,2.5"),
        ('"student_id","points"\n"anna",""\n', '"student_id","points"\n"anna","2.5"\n'),
        ("student_id,points\n\nanna,\n\n", "student_id,points\n\nanna,2.5\n\n"),
        ("First name,Surname,points\nAn,Na,\n", "First name,Surname,points\nAn,Na,\n"),
    ],
)
def test_other_delimiters_quotes_and_ends(text, wanted):
    """Semicolons, with a decimal comma where the file writes so; tabs; no end of the last line."""
    assert fill_gradebook(text, [one("anna", 2.5)], "points")[0] == wanted


def test_first_and_last_name_make_a_name():
    """In any of the usual orders."""
    text = "First name,Last name,points\nAnna,Berg,\n"
    for name in ("Anna Berg", "berg, anna", "Berg Anna"):
        assert fill_gradebook(text, [one(name)], "points")[0] == text.replace("Berg,", "Berg,3")


def test_nobody_gets_anybody_elses_points():
    """Two rows for one hand-in, two hand-ins for one row, nobody, one that could not be graded: a sentence each."""
    text = "student_id,email,points\nanna,a@x,1\nANNA,b@x,1\nben,ben@x,1\ncleo,c@x,1\ndora,d@x,1\n"
    results = [one("anna"), one("ben"), one("ben@x"), one("cleo", 0, problem="the file is empty"), one("nobody")]
    filled, notes = fill_gradebook(text, results, "points")
    assert filled == text
    assert notes[:4] == [
        "anna: rows 2 and 3 of the gradebook both match, and neither was filled.",
        "cleo: it could not be graded (the file is empty), and no points were filled in.",
        "nobody: no row of the gradebook has this id, login, e-mail address or name.",
        "ben and ben@x: these hand-ins match the same row 4, and it was not filled.",
    ]
    assert notes[4:] == ["row 6, dora, d@x: there is no hand-in, and the cell is as it was."]


def test_an_id_goes_before_a_name():
    """Somebody may be called as another one's login."""
    text = "login,name,points\nanna,Ben,\nben,Anna,\n"
    filled, _ = fill_gradebook(text, [one("anna", 1), one("ben", 2)], "points")
    assert filled == "login,name,points\nanna,Ben,1\nben,Anna,2\n"


def test_no_cell_of_ours_is_a_formula():
    """Not the name of a new column; what the platform itself wrote is left alone."""
    text = "student_id,points\n=1+1,\n"
    filled, _ = fill_gradebook(text, [one("=1+1")], '=HYPERLINK("x")')
    assert cells(filled) == [["student_id", "points", "'=HYPERLINK(\"x\")"], ["=1+1", "", "3"]]


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("", "points", "is empty"),
        ("\ufeff\r\n ,,, \r\n", "points", "is empty"),
        ("a,b,c\n1,2,3\n", "points", r"says who somebody is \(a, b, c\)"),
        ("id,points,Points\nanna,,\n", "points", '2 columns named "points"'),
        ("id,points\nanna,\n", "  ", "has no name"),
    ],
)
def test_a_gradebook_that_cannot_be_filled(text, column, says):
    """One sentence that says what to do."""
    with pytest.raises(GradebookError, match=says):
        fill_gradebook(text, [one("anna")], column)


TEXTS = st.text(st.characters(exclude_characters="\0\ufeff", codec="utf-8"), max_size=8)


@given(
    rows=st.lists(st.lists(TEXTS, min_size=3, max_size=3), max_size=6),
    delimiter=st.sampled_from([",", ";", "\t"]),
    end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_every_other_cell_survives(rows, delimiter, end, mark):
    """Any texts, as any writer of CSV quotes them: the same cells come back, and the same bytes with no results."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["student_id", "note", "more", "points"], *([f"s{i}", *row] for i, row in enumerate(rows))])
    text = mark + out.getvalue()
    assert fill_gradebook(text, [], "points")[0] == text
    filled, _ = fill_gradebook(text, [one(f"s{i}", i) for i in range(len(rows))], "points")
    before, after = cells(text, delimiter), cells(filled, delimiter)
    assert [row[:3] for row in after] == [row[:3] for row in before]
    assert [row[3] for row in after[1:]] == [str(i) for i in range(len(rows))]


# ---- the command line


@pytest.fixture
def folder(tmp_path):
    results = {"schema": 1, "assignment": "a", "hand_ins": [one("anna", 2), one("ben", 1.5)]}
    (tmp_path / "results.json").write_text(json.dumps(results), "utf-8")
    (tmp_path / "book.csv").write_bytes("\ufeffstudent_id,Hw\r\nanna,\r\nzoë,\r\n".encode())
    return tmp_path


def run(folder, *more, book="book.csv", column="Hw"):
    return main([str(folder), str(folder / book), "--column", column, "--out", str(folder / "filled.csv"), *more])


def test_the_command_fills_and_says_who_was_not_matched(folder, capsys):
    """The exported file stays; the sentences go to the error stream."""
    assert run(folder) == 0
    assert (folder / "filled.csv").read_bytes() == "\ufeffstudent_id,Hw\r\nanna,2\r\nzoë,\r\n".encode()
    said = capsys.readouterr()
    assert said.out == f"filled: {folder / 'filled.csv'} (2 to look at)\n"
    assert said.err.startswith("ben: no row of the gradebook") and "row 3, zoë, : there is no hand-in" in said.err


def test_bytes_that_are_not_utf_8_stay(folder):
    """An old spreadsheet's letters come back as they were."""
    (folder / "book.csv").write_bytes(b"student_id,name,Hw\nanna,J\xfcrg,\n")
    assert run(folder) == 0
    assert (folder / "filled.csv").read_bytes() == b"student_id,name,Hw\nanna,J\xfcrg,2\n"


def test_marks_given_by_hand_are_added(folder):
    """With a heading or without."""
    (folder / "marks.csv").write_text("name,points\nanna,3.5\n", "utf-8")
    assert run(folder, "--marks", str(folder / "marks.csv")) == 0
    assert b"anna,5.5\r\n" in (folder / "filled.csv").read_bytes()


@pytest.mark.parametrize(
    ("marks", "says"),
    [
        ("anna,2\nanna,2\n", "is there twice"),
        ("zed,1\n", "no hand-in"),
        ("anna,-1\n", "from 0 up"),
        ("anna,nan\n", "from 0 up"),
        ("anna,1\nben,two\n", "line 2 of the marks is not a name and points: ben, two"),
    ],
)
def test_marks_that_cannot_be_meant(marks, says):
    """A typing error must not lose somebody's points."""
    with pytest.raises(GradebookError, match=says):
        add_marks([one("anna"), one("ben")], marks)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: (f / "results.json").unlink(), "give the folder of the reports"),
        (lambda f: (f / "results.json").write_text("[" * 100_000), "these are no results of grading"),
        (lambda f: (f / "results.json").write_text('{"hand_ins": [{"name": 1, "points": 2}]}'), "no results"),
        (lambda f: (f / "book.csv").write_bytes("student_id,Hw\n".encode("utf-16")), "no CSV file in UTF-8"),
        (lambda f: (f / "book.csv").unlink(), "cannot be read"),
        (lambda f: (f / "filled.csv").mkdir(), "cannot be written there"),
    ],
)
def test_files_that_cannot_be_used(folder, capsys, spoil, says):
    """Status 2 and one line; nothing half-written is left."""
    spoil(folder)
    assert run(folder) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1
    assert not (folder / "filled.csv").is_file()


def test_wrong_arguments_are_answered_in_one_line(folder, capsys):
    """With status 2."""
    with pytest.raises(SystemExit, match="2"):
        main([str(folder), str(folder / "book.csv"), "--out", "x.csv"])
    assert "--column" in capsys.readouterr().err
