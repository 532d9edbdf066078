"""What is finished is found again, if it still holds."""

from __future__ import annotations

import pytest

from dslab.grading import journal
from dslab.grading.journal import Journal


def test_a_finished_hand_in_is_found_as_it_was_kept(course, tmp_path, monkeypatch):
    """With every sign that JSON can hold; not by another version of the grader."""
    result = {"json": {"name": "anna"}, "answers": {"add": "\ud800\x00é"}, "runs": {}, "junit": ""}
    kept = Journal(tmp_path / "finished", course.assignment, (10.0, ("user",)))
    key = kept.key("anna", b"bytes")
    (tmp_path / "finished" / "anna.json.part").write_text("half")
    assert kept.find("anna", key) is None
    assert kept.keep("anna", key, result, 1.23456) == (result, 1.235) == kept.find("anna", key)
    assert [file.name for file in (tmp_path / "finished").iterdir()] == ["anna.json"]
    with pytest.raises(BlockingIOError):
        Journal(tmp_path / "finished", course.assignment, ())
    kept.close()
    monkeypatch.setattr(journal, "grader_version", lambda: "newer")
    newer = Journal(tmp_path / "finished", course.assignment, (10.0, ("user",)))
    assert newer.key("anna", b"bytes") != key and newer.find("anna", newer.key("anna", b"bytes")) is None
    newer.close()
