"""The committed notebooks are what their sources build, their exercises are proved, nbval agrees strictly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dslab.authoring.cli import main

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
SOURCES = sorted((NOTEBOOKS / "source").glob("*.py"))
NAMES = [path.stem.replace("_", "-") for path in SOURCES]


def test_every_notebook_has_a_source_and_every_source_a_notebook():
    """Nobody edits the generated files, and none is forgotten."""
    assert NAMES
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == NAMES


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NAMES)
def test_the_committed_notebook_is_its_source_built_and_proved(name, capfd):
    """A fresh build gives the same notebook; reference, stub, mutants and secrecy are proved."""
    status = main(["build", "--check", name])
    assert status == 0, capfd.readouterr().err


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NAMES)
def test_strict_nbval_passes_three_times_in_a_row(name, tmp_path):
    """Every output is the same again, without a sanitiser; in its own folder, as a student runs it."""
    settings = tmp_path / "pytest.ini"
    settings.write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-c", str(settings)]
    environment = {key: value for key, value in os.environ.items() if key != "DSLAB_GRADING"}
    for _ in range(3):
        run = subprocess.run(
            [*command, f"{name}.ipynb"], cwd=NOTEBOOKS, env=environment, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stdout
