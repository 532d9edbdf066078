"""Who handed in what: names from places."""

from __future__ import annotations

from dslab.grading.handins import file_names, find_hand_ins


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
