"""Who handed in what: names from places."""

from __future__ import annotations

import contextlib
import os
import warnings
import zipfile
from pathlib import Path

import pytest

from dslab.grading import archives, intake
from dslab.grading.handins import file_names, find_hand_ins
from dslab.grading.intake import HandInError


def tree(root, *files):
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def names(*paths):
    return [one.name for one in find_hand_ins(paths)]


def test_a_students_folder_is_the_name(tmp_path):
    """Without the file's name, which is the same for all."""
    tree(tmp_path, "anna/02.ipynb", "ben/other.ipynb", "group 1/cleo/02.ipynb")
    assert names(tmp_path) == ["anna", "ben", "group 1/cleo"]


def test_files_side_by_side_are_named_by_themselves(tmp_path):
    """In one folder, or two in a student's folder."""
    tree(tmp_path, "anna.ipynb", "ben.ipynb", "cleo/first.ipynb", "cleo/second.ipynb")
    assert names(tmp_path) == ["anna", "ben", "cleo/first", "cleo/second"]


def test_checkpoints_and_other_files_are_no_hand_ins(tmp_path):
    """Jupyter leaves copies behind."""
    tree(tmp_path, "anna/02.ipynb", "anna/.ipynb_checkpoints/02-checkpoint.ipynb", "anna/notes.txt")
    assert names(tmp_path) == ["anna"]


def test_what_cannot_be_a_notebook_is_still_listed(tmp_path):
    """A broken link, a folder with a notebook's name, a student's folder without one."""
    tree(tmp_path, "anna/notes.txt")
    (tmp_path / "ben").mkdir()
    (tmp_path / "ben" / "02.ipynb").symlink_to(tmp_path / "nowhere")
    (tmp_path / "cleo" / "02.ipynb").mkdir(parents=True)
    found = find_hand_ins([tmp_path])
    assert [one.name for one in found] == ["anna", "ben", "cleo"]
    assert "no .ipynb" in found[0].problem and not found[1].problem and not found[2].problem


def test_files_given_one_by_one(tmp_path):
    """By their own names, or by their folders where those are the same."""
    tree(tmp_path, "anna/02.ipynb", "ben/02.ipynb", "cleo.ipynb")
    assert names(tmp_path / "anna/02.ipynb") == ["02"]
    assert names(tmp_path / "anna/02.ipynb", tmp_path / "cleo.ipynb") == ["02", "cleo"]
    assert names(tmp_path / "anna/02.ipynb", tmp_path / "ben/02.ipynb") == ["anna", "ben"]


def test_names_stay_apart(tmp_path):
    """The same student in two folders."""
    tree(tmp_path, "monday/anna/02.ipynb", "friday/anna/02.ipynb")
    assert names(tmp_path / "monday", tmp_path / "friday") == ["anna", "anna-2"]


def test_file_names_are_safe_on_every_system():
    """No separators, no dots at the ends, no two that differ in case only."""
    given = ["../../etc/passwd", "Anna", "anna", "", "a/b", "a b", "..", "x" * 300]
    made = file_names(given)
    assert len({name.lower() for name in made.values()}) == len(given)
    assert all("/" not in name and not name.startswith(".") and len(name) <= 85 for name in made.values())


def given(*paths):
    """Name and problem of each hand-in."""
    return {one.name: one.problem for one in find_hand_ins(paths)}


def test_what_systems_leave_behind_is_no_hand_in(tmp_path):
    """A Mac's second halves of files and folders, an editor's copies at any depth."""
    tree(tmp_path, "anna/02.ipynb", "anna/._02.ipynb", "__MACOSX/anna/._02.ipynb", ".trash/ben/02.ipynb")
    tree(tmp_path, "cleo/part/.ipynb_checkpoints/02-checkpoint.ipynb", "cleo/part/02.ipynb")
    assert names(tmp_path) == ["anna", "cleo/part"]


def test_students_below_one_folder_are_still_looked_for(tmp_path):
    """As some platforms export: one folder around all; a student without a notebook is not lost."""
    tree(tmp_path, "export/submission_1/02.ipynb", "export/submission_2/notes.txt", "export/metadata.yml")
    found = given(tmp_path)
    assert found == {"export/submission_1": "", "export/submission_2": found["export/submission_2"]}
    assert "no .ipynb" in found["export/submission_2"]


def test_a_zip_among_hand_ins_is_named(tmp_path):
    """It might be somebody's hand-in."""
    tree(tmp_path, "anna/02.ipynb", "ben/02.zip", "cleo.zip", "anna/more.zip")
    found = given(tmp_path)
    assert list(found) == ["anna", "ben", "cleo"]
    assert "only a zip" in found["ben"] and "zip file among" in found["cleo"]


def test_names_that_nobody_could_print_are_made_visible(tmp_path):
    """A newline, a control character, one that turns the direction of text, half a character."""
    for name in (b"an\nna", b"be\x1b[31mn", "cl\u202eeo".encode(), b"d\xffan"):
        (tmp_path / os.fsdecode(name + b".ipynb")).touch()
    assert names(tmp_path) == ["an�na", "be�[31mn", "cl�eo", "d�an"]
    assert [one.read() for one in find_hand_ins([tmp_path])] == [b""] * 4


@pytest.mark.parametrize("error", [FileNotFoundError(2, "No such file"), PermissionError(13, "Permission denied")])
def test_a_folder_that_cannot_be_opened_is_named(tmp_path, monkeypatch, error):
    """Somebody else's, or gone between listing and reading: the others are graded."""
    tree(tmp_path, "anna/02.ipynb", "ben/02.ipynb")
    scandir = os.scandir

    def scan(place):
        if Path(place).name == "ben":
            error.filename = str(place)
            raise error
        return scandir(place)

    monkeypatch.setattr(os, "scandir", scan)
    found = given(tmp_path)
    assert found["anna"] == "" and f"cannot be opened ({error.strerror})" in found["ben"]
    assert list(given(tmp_path / "ben")) == ["ben"]


# zip files, as learning platforms give them


def archive(path, entries, compression=zipfile.ZIP_DEFLATED):
    """A zip file of names and contents; a name may be a whole ZipInfo."""
    with zipfile.ZipFile(path, "w", compression) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in entries:
            file.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("places", "wanted"),
    [
        (["Anna Bell_12_assignsubmission_file_/x.ipynb", "Ben Cox_13_assignsubmission_file_/y.ipynb"],
         ["Anna Bell_12_assignsubmission_file_", "Ben Cox_13_assignsubmission_file_"]),
        (["bellanna_12345_67890_x.ipynb", "coxben_LATE_12346_67891_x-1.ipynb"],
         ["bellanna_12345_67890_x", "coxben_LATE_12346_67891_x-1"]),
        (["assignment_1_export/submission_7/x.ipynb", "assignment_1_export/submission_8/x.ipynb",
          "assignment_1_export/submission_metadata.yml"],
         ["assignment_1_export/submission_7", "assignment_1_export/submission_8"]),
        (["anna\\x.ipynb", "__MACOSX/anna/._x.ipynb", "ben/.ipynb_checkpoints/x-checkpoint.ipynb", "ben/x.ipynb"],
         ["anna", "ben"]),
    ],
    ids=["Moodle", "Canvas", "Gradescope", "Windows and Mac"],
)  # fmt: skip
def test_a_zip_is_as_good_as_its_folder(tmp_path, places, wanted):
    """The names are those that the folder would give."""
    path = archive(tmp_path / "all.zip", [(place, place) for place in places])
    found = find_hand_ins([path])
    assert [one.name for one in found] == wanted and not any(one.problem for one in found)
    assert {one.read().decode() for one in found} <= set(places)


def test_nothing_is_unpacked(tmp_path):
    """So no name in a zip can lead out of it."""
    places = ["../../out.ipynb", "/etc/absolute.ipynb", "anna/../../ben.ipynb", "cleo.ipynb"]
    path = archive(tmp_path / "all.zip", [(place, "x") for place in places])
    found = find_hand_ins([path])
    assert {one.read() for one in found if not one.problem} == {b"x"}
    assert sorted("leads out" in one.problem for one in found) == [False, True, True, True]
    assert list(tmp_path.iterdir()) == [path]


def refusal(path):
    """Why the only hand-in in a zip cannot be read."""
    (found,) = find_hand_ins([path])
    with pytest.raises(HandInError) as error:
        found.read()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    """Neither one that says how large it is nor one that lies about it."""
    monkeypatch.setattr(intake, "LARGEST_FILE", 1_000_000)
    path = archive(tmp_path / "all.zip", [("anna.ipynb", b"0" * 1_000_001)])
    assert path.stat().st_size < 10_000 and "are read" in refusal(path)
    (honest,) = archives.entries(path)
    honest.file_size = 10
    with pytest.raises(HandInError):
        archives.read_entry(path, honest)
    monkeypatch.setattr(archives, "MAX_ENTRIES", 3)
    crowd = archive(tmp_path / "crowd.zip", [(f"{number}.ipynb", "x") for number in range(4)])
    assert "more than 3 files" in refusal(crowd)


def test_what_cannot_be_read_in_a_zip_is_one_line_each(tmp_path):
    """Encrypted, a link, packed unusually, broken, a zip in the zip, the same name twice."""
    link = zipfile.ZipInfo("link.ipynb")
    link.external_attr = (0o120777 << 16)
    entries = [("locked.ipynb", "locked"), ("broken.ipynb", "broken " * 50), ("more.zip", "x"), ("fine.ipynb", "fine")]
    path = archive(tmp_path / "all.zip", [*entries, ("fine.ipynb", "again"), (link, "/etc/passwd")], zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.index(b"broken broken")] ^= 1
    head = data.index(b"PK\x01\x02")
    data[head + 8] |= 1  # the first file of the directory: its encryption flag
    path.write_bytes(data)
    said = {}
    for one in find_hand_ins([path]):
        try:
            said[one.name] = one.read()
        except HandInError as error:
            said[one.name] = str(error)
    assert said["fine"] == b"fine" and "another file of this name" in said["fine-2"]
    for name, words in {"locked": "encrypted", "broken": "broken", "more": "zip file", "link": "a link"}.items():
        assert words in said[name]
    unusual = archive(tmp_path / "unusual.zip", [("anna.ipynb", "x")], zipfile.ZIP_LZMA)
    assert "packed in a way" in refusal(unusual)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x05\x06", b"PK\x03\x04" + b"\xff" * 100])
def test_what_is_no_zip_is_one_line(tmp_path, content):
    """It is named like one."""
    path = tmp_path / "all.ZIP"
    path.write_bytes(content)
    assert "no zip file" in refusal(path)


def test_a_zip_that_is_not_there_or_no_file_is_one_line(tmp_path):
    """Not even a pipe keeps us waiting."""
    assert "no such file" in refusal(tmp_path / "none.zip")
    os.mkfifo(tmp_path / "pipe.zip")
    assert "not an ordinary file" in refusal(tmp_path / "pipe.zip")


def test_a_zip_cut_anywhere_never_raises(tmp_path):
    """Whatever a download left of it, or changed in it."""
    whole = archive(tmp_path / "all.zip", [("anna/x.ipynb", "x" * 500), ("ben/x.ipynb", "y" * 500)]).read_bytes()
    path = tmp_path / "cut.zip"
    for at in range(0, len(whole), 3):
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :]):
            path.write_bytes(data)
            for one in find_hand_ins([path]):
                with contextlib.suppress(HandInError):
                    one.read()
