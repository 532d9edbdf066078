"""binder/: the files that make the same environment on a hub, their traps, a rendering without Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from dslab.commands.environment import ANNOUNCEMENTS

ROOT = Path(__file__).resolve().parents[1]
BINDER = ROOT / "binder"
FOREIGN = ("JUPYTER", "XDG", "PYTHON")  # settings that would lead out of the throwaway environment
BUILD = "RUN ./binder/postBuild"


def pins() -> set[str]:
    """The names of the pinned distributions."""
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    return {line.split("==")[0] for line in lines if re.match(r"[\w.-]+==", line)}


def test_requirements_are_the_pins_and_the_package_itself():
    """`-e .` is resolved against the root, `-r` against the file: these two lines install one copy."""
    assert (BINDER / "requirements.txt").read_text("utf-8").splitlines() == ["-r ../requirements.txt", "-e ."]


def test_runtime_names_a_python_that_the_package_accepts():
    """Without the file a hub takes Python 3.10; with a patch number the build stops."""
    match = re.fullmatch(r"python-3\.(\d+)\n", (BINDER / "runtime.txt").read_text("utf-8"))
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert match, "runtime.txt holds python-3.N"
    assert metadata["requires-python"] == ">=3.11"
    assert int(match[1]) >= 11


def test_notebook_is_pinned_beside_jupyterlab():
    """The base image has an older notebook, which conflicts with a newer lab."""
    assert {"jupyterlab", "notebook"} <= pins()


def test_no_second_build_file_takes_over():
    """A Dockerfile, an environment.yml or a second folder would silently replace the recipe."""
    others = {"Dockerfile", "environment.yml", "Pipfile", "install.R", "default.nix", "start", "apt.txt"}
    assert not others & {file.name for file in BINDER.iterdir()}
    assert not (ROOT / ".binder").exists()


def test_post_build_is_a_shell_script_that_stops_at_errors():
    """Whatever fails in it must fail the build, not the student's first cell."""
    lines = (BINDER / "postBuild").read_text("utf-8").splitlines()
    assert lines[:2] == ["#!/bin/bash", "set -euo pipefail"]


def throwaway_environment(folder: Path) -> Path:
    """An environment with this one's packages and settings of its own; returns its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
    python = folder / "bin" / "python"
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(
        subprocess.run(ask, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    )
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    for program, module in (("jupyter", "jupyter"), ("jupyter-labextension", "jupyterlab.labextensions")):
        script = folder / "bin" / program
        script.write_text(f'#!/bin/bash\nexec "{python}" -m {module} "$@"\n', "utf-8")
        script.chmod(0o755)
    return python.parent


@pytest.mark.skipif(os.name == "nt", reason="a hub's build is a Unix system")
@pytest.mark.needs("bash")
def test_post_build_runs(tmp_path):
    """The real script ends well and turns the question about news off, for the environment it runs in."""
    programs = throwaway_environment(tmp_path / "environment")
    course = tmp_path / "course"
    shutil.copytree(ROOT / "dslab", course / "dslab", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(BINDER, course / "binder")
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)},
        "HOME": str(tmp_path),
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "MPLCONFIGDIR": str(tmp_path / "matplotlib"),
    }
    done = subprocess.run(
        ["./binder/postBuild"], cwd=course, env=variables, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    settings = json.loads(
        (tmp_path / "environment/etc/jupyter/labconfig/page_config.json").read_text("utf-8")
    )
    assert settings["disabledExtensions"] == {ANNOUNCEMENTS: True}
    assert list((tmp_path / "matplotlib").glob("fontlist*"))


@pytest.mark.skipif(os.name == "nt", reason="repo2docker itself needs a Unix system")
def test_the_recipe_renders(tmp_path):
    """repo2docker finds the recipe and orders it as meant: Python, copy, pip, postBuild. No Docker needed."""
    copy = tmp_path / "course"
    copy.mkdir()
    for name in ("binder", "dslab"):
        shutil.copytree(
            ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
        )
    for name in ("requirements.txt", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(copy)],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    rendered = done.stdout + done.stderr
    assert "conda environment for python=3.12" in rendered
    pip, build = (
        rendered.find(step) for step in ('pip install --no-cache-dir -r "binder/requirements.txt"', BUILD)
    )
    assert -1 < pip < build, rendered
