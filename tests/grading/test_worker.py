"""The folder of a process that grades."""

from __future__ import annotations

import tempfile

import pytest

from dslab.grading import worker


@pytest.mark.parametrize("deep", [False, True])
def test_sockets_can_be_made_in_the_private_folder(tmp_path, monkeypatch, deep):
    """Their paths have at most 103 bytes: a longer place for temporary files is not taken."""
    place = tmp_path / ("x" * 60) if deep else tmp_path.parents[-2]
    place.mkdir(exist_ok=True)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    folder = worker._private_folder()
    try:
        assert (place in folder.parents) != deep
        assert len(str(folder / "kernel-9999999999999999999-ipc-5")) <= 103
    finally:
        folder.rmdir()
