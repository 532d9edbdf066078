"""Fills the points of a graded class into the gradebook that a learning platform exported, and changes nothing else.

A platform takes back only what it gave out, so every other cell, its quotes, the order of rows, the sign at the
beginning of the file and the ends of lines stay as they are.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dslab.grading.arguments import Parser
from dslab.grading.pages import points_text, visible
from dslab.grading.reports import no_formula

# Columns that say who somebody is, strongest first; the first kind that knows a hand-in decides.
KINDS = (
    ("id", "identifier", "student_id", "student id", "studentid", "id number", "idnumber", "sid", "sis user id"),
    ("sis login id", "login id", "login", "username", "user name", "user"),
    ("email", "e-mail", "email address", "e-mail address", "mail"),
    ("name", "full name", "student name", "student"),
)
FIRST, LAST = ("first name", "firstname", "given name"), ("last name", "lastname", "surname", "family name")

# Folder and file names of the platforms' own downloads: what in them says who it is.
_MOODLE = re.compile(r"(?P<name>[^/]+)_(?P<number>\d+)_assignsubmission_\w*(?:/.*)?")
_CANVAS = re.compile(r"[^_/]+_(?:LATE_)?(?P<id>\d+)_\d+_.*")


class GradebookError(Exception):
    """The gradebook cannot be filled; the text is one sentence that says what to do."""


class Record(NamedTuple):
    """One line of a table: its cells as they are written, quotes included, and how it ends."""

    cells: list[str]
    end: str


def _read(text: str, delimiter: str) -> list[Record]:
    cell = re.compile(rf'("(?:[^"]|"")*+"[^{delimiter}\r\n]*|[^{delimiter}\r\n]*)({delimiter}|\r\n|\n|\r|\Z)')
    records: list[Record] = []
    cells: list[str] = []
    at = 0
    while at < len(text) or cells:
        found = cell.match(text, at)
        assert found is not None  # the second kind of cell matches anything
        cells.append(found[1])
        at = found.end()
        if found[2] != delimiter:
            records.append(Record(cells, found[2]))
            cells = []
    return records


def _value(cell: str) -> str:
    cell = cell.strip()
    return cell[1:-1].replace('""', '"').strip() if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def _like(text: str, model: str, delimiter: str) -> str:
    """`text` as a cell, in quotes where `model` is or where it must be."""
    must = any(sign in text for sign in (delimiter, '"', "\r", "\n"))
    return '"' + text.replace('"', '""') + '"' if must or model.strip()[:1] == '"' else text


def _key(text: str) -> str:
    return " ".join(text.split()).casefold()


def _people(header: list[str], cells: list[str]) -> list[set[str]]:
    """For each kind of column, by what a row is known."""
    row = dict(zip(header, map(_value, cells), strict=False))
    known = [{_key(row[name]) for name in kind if row.get(name)} for kind in KINDS]
    first = next((row[name] for name in FIRST if row.get(name)), "")
    last = next((row[name] for name in LAST if row.get(name)), "")
    if first and last:
        known[-1] |= {_key(f"{first} {last}"), _key(f"{last} {first}"), _key(f"{last}, {first}")}
    return known


def _names(hand_in: str) -> list[str]:
    """What a hand-in may be known by: its name, or the part of a download's name that says who it is."""
    if moodle := _MOODLE.fullmatch(hand_in):
        return [f"participant {moodle['number']}", _key(moodle["name"])]
    canvas = _CANVAS.fullmatch(hand_in)
    return [_key(hand_in), *([canvas["id"]] if canvas else [])]


def _rows_of(hand_in: str, people: Mapping[int, list[set[str]]]) -> list[int]:
    for name in _names(hand_in):
        for kind in range(len(KINDS)):
            rows = [row for row, known in people.items() if name in known[kind]]
            if rows:
                return rows
    return []


def _column(header: list[str], column: str) -> int | None:
    """Where the points go: the column of that name, also if the platform put a number or unit behind it."""
    exact = [at for at, name in enumerate(header) if name == _key(column)]
    close = [at for at, name in enumerate(header) if re.sub(r"\s*\([^()]*\)$", "", name) == _key(column)]
    found = exact or close
    if len(found) > 1:
        named = visible(column, 80)
        raise GradebookError(f'the gradebook has {len(found)} columns named "{named}": rename all but one')
    return found[0] if found else None


def _header(text: str) -> tuple[str, list[Record]]:
    """The delimiter that gives most columns, and the table."""
    if not text.strip("\ufeff\r\n\t ,;"):
        raise GradebookError("the gradebook is empty: export it from the learning platform again")
    tables = {delimiter: _read(text, delimiter) for delimiter in (",", ";", "\t")}
    delimiter = max(tables, key=lambda one: len(tables[one][0].cells))
    return delimiter, tables[delimiter]


def fill_gradebook(csv_text: str, results: Sequence[dict[str, Any]], column: str) -> tuple[str, list[str]]:
    """Writes each hand-in's points into its student's row.

    Args:
        csv_text: the gradebook as it was exported, with its sign at the beginning and its ends of lines.
        results: the hand-ins of results.json.
        column: the name of the column; a new one is added at the end if there is none.

    Returns:
        The filled gradebook, and one sentence for each hand-in or student who could not be matched.

    Raises:
        GradebookError: the text is no table, or no column of it says who somebody is.
    """
    if not column.strip():
        raise GradebookError("the column has no name: give the one that the learning platform uses")
    mark = "\ufeff" if csv_text.startswith("\ufeff") else ""
    delimiter, table = _header(csv_text[len(mark) :])
    header = [_key(_value(cell)) for cell in table[0].cells]
    if not any(name in header for kind in (*KINDS, LAST) for name in kind):
        listed = ", ".join(visible(_value(cell), 40) for cell in table[0].cells[:8])
        raise GradebookError(
            f"no column of the gradebook says who somebody is ({listed}): it needs one named student_id, ID number, "
            "SIS Login ID, Email or Name"
        )
    students = {
        row: known
        for row, record in enumerate(table)
        if row and any(known := _people(header, record.cells)) and _is_student(header, known)
    }
    points, told, notes = _matched(results, students)
    at = _column(header, column)
    place = max(len(record.cells) for record in table) if at is None else at
    comma = delimiter != "," and _decimal_comma(table)
    for row, record in enumerate(table):
        blank = not any(map(str.strip, record.cells))
        value = points_text(points[row]) if row in points else None
        if (value is None and at is not None) or blank:
            continue
        model = record.cells[place] if place < len(record.cells) else record.cells[-1]
        record.cells.extend([""] * (place + 1 - len(record.cells)))
        if row == 0:
            record.cells[place] = _like(no_formula(visible(column.strip(), 200)), model, delimiter)
        elif value is not None:
            record.cells[place] = _like(value.replace(".", ",") if comma else value, model, delimiter)
    notes += [
        f"row {row + 1}, {visible(', '.join(map(_value, table[row].cells[:2])), 120)}: there is no hand-in, and the "
        "cell is as it was."
        for row in students
        if row not in told
    ]
    return mark + "".join(delimiter.join(record.cells) + record.end for record in table), notes


def _is_student(header: list[str], known: list[set[str]]) -> bool:
    """Whether a row is a person's: not the row of most points, which has a name at most where others have an id."""
    has_ids = any(name in header for kind in KINDS[:-1] for name in kind)
    return not has_ids or any(known[:-1])


def _decimal_comma(table: Sequence[Record]) -> bool:
    values = [_value(cell) for record in table for cell in record.cells]
    return any(re.fullmatch(r"\d+,\d+", value) for value in values) and not any(
        re.fullmatch(r"\d+\.\d+", value) for value in values
    )


def _matched(
    results: Sequence[dict[str, Any]], students: Mapping[int, list[set[str]]]
) -> tuple[dict[int, int | float], set[int], list[str]]:
    """Points by row, the rows that have a hand-in, and a sentence for each hand-in that has no row to itself."""
    claims: dict[int, list[dict[str, Any]]] = {}
    told: set[int] = set()
    notes = []
    for one in sorted(results, key=lambda one: one["name"]):
        name, rows = visible(one["name"], 120), _rows_of(one["name"], students)
        told |= set(rows)
        if one.get("problem"):
            why = visible(one["problem"], 200)
            notes.append(f"{name}: it could not be graded ({why}), and no points were filled in.")
        elif not rows:
            notes.append(f"{name}: no row of the gradebook has this id, login, e-mail address or name.")
        elif len(rows) > 1:
            where = " and ".join(str(row + 1) for row in rows)
            notes.append(f"{name}: rows {where} of the gradebook both match, and neither was filled.")
        else:
            claims.setdefault(rows[0], []).append(one)
    for row, ones in claims.items():
        if len(ones) > 1:
            names = " and ".join(visible(one["name"], 120) for one in ones)
            notes.append(f"{names}: these hand-ins match the same row {row + 1}, and it was not filled.")
    return {row: ones[0]["points"] for row, ones in claims.items() if len(ones) == 1}, told, notes


def _results(folder: Path) -> list[dict[str, Any]]:
    path = folder / "results.json"
    try:
        hand_ins = json.loads(path.read_text("utf-8"))["hand_ins"]
        for one in hand_ins:
            _ = one["name"] + "", one["points"] + 0
    except OSError as error:
        raise GradebookError(f"{path}: it cannot be read ({error.strerror}); give the folder of the reports") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise GradebookError(f"{path}: these are no results of grading; grade the hand-ins again") from None
    return list(hand_ins)


def _text(path: Path) -> tuple[str, str]:
    """The file's text and how it is encoded; what is not UTF-8 keeps its bytes all the same."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GradebookError(f"{path}: it cannot be read ({error.strerror})") from None
    if b"\0" in data:
        raise GradebookError(f"{path}: this is no CSV file in UTF-8; export the gradebook as CSV")
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def add_marks(results: Sequence[dict[str, Any]], csv_text: str) -> list[dict[str, Any]]:
    """The results with points that were given by hand: two columns, a hand-in's name and points to add.

    Raises:
        GradebookError: a name that no hand-in has, a name twice, or points that are no number.
    """
    marks: dict[str, float] = {}
    for number, row in enumerate(csv.reader(io.StringIO(csv_text.removeprefix("\ufeff"))), start=1):
        try:
            name, points = row[0].strip(), float(row[1])
        except (IndexError, ValueError):
            if number == 1 or not any(map(str.strip, row)):
                continue  # its heading, or nothing
            given = visible(", ".join(row), 80)
            raise GradebookError(f"line {number} of the marks is not a name and points: {given}") from None
        if name in marks or not any(one["name"] == name for one in results) or not 0 <= points < 1e6:
            why = "is there twice" if name in marks else "has no points from 0 up, or is the name of no hand-in"
            raise GradebookError(f'line {number} of the marks: "{visible(name, 80)}" {why}')
        marks[name] = points
    return [one | {"points": one["points"] + marks.get(one["name"], 0)} for one in results]


def _parser() -> Parser:
    parser = Parser(
        prog="python -m dslab gradebook",
        description="Fills the points of graded hand-ins into the gradebook that a learning platform exported.",
    )
    parser.add_argument("reports", type=Path, metavar="REPORTS_FOLDER", help="the --out of grade")
    parser.add_argument("gradebook", type=Path, metavar="EXPORTED.csv")
    parser.add_argument("--column", required=True, metavar="NAME", help="where the points go")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.csv", help="the filled gradebook")
    parser.add_argument("--marks", type=Path, metavar="MARKS.csv", help="hand-in name, points given by hand")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Fills a gradebook; returns 0, or 2 if one of the files cannot be used."""
    options = _parser().parse_args(sys.argv[1:] if argv is None else argv)
    try:
        results = _results(options.reports)
        if options.marks is not None:
            results = add_marks(results, _text(options.marks)[0])
        text, encoding = _text(options.gradebook)
        filled, notes = fill_gradebook(text, results, options.column)
        part = options.out.with_name(options.out.name + ".part")
        part.write_bytes(filled.encode(encoding, "replace"))
        part.replace(options.out)
    except GradebookError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{options.out}: the gradebook cannot be written there ({error.strerror})", file=sys.stderr)
        return 2
    for note in notes:
        print(note, file=sys.stderr)
    print(f"filled: {options.out}" + (f" ({len(notes)} to look at)" if notes else ""))
    return 0
