"""The set-up: made once, redone when what it is made from changed, recovered after being stopped anywhere."""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dslab.commands import environment as module
from dslab.commands.components import pythons
from dslab.commands.environment import Environment, SetupError
from dslab.commands.installers import reason_of

ROOT = Path(__file__).resolve().parents[1]
METADATA = '[project]\nname = "x"\n[tool.ruff]\nline-length = 1\n'


class Scripted(Environment):
    """An environment whose programs are not run but written down; creating it links this Python."""

    def __init__(self, root: Path) -> None:
        self.steps: list[str] = []
        self.commands: list[list[str]] = []
        self.failing: dict[str, str] = {}  # a word of a command -> why it fails
        self.stop_at: int | None = None  # Ctrl-C at this command
        super().__init__(root, self.steps.append)

    def call(self, command):
        command = [str(part) for part in command]
        self.commands.append(command)
        if self.stop_at == len(self.commands):
            raise KeyboardInterrupt
        if "venv" in command:
            self.python.parent.mkdir(exist_ok=True)
            self.python.unlink(missing_ok=True)
            self.python.symlink_to(sys.executable)
        return next((why for word, why in self.failing.items() if word in command), None)


@pytest.fixture
def course(tmp_path):
    """A folder with the two files that an environment is made from."""
    (tmp_path / "requirements.txt").write_text("x==1\n", "utf-8")
    (tmp_path / "pyproject.toml").write_text(METADATA, "utf-8")
    return Scripted(tmp_path)


def again(course: Scripted) -> Scripted:
    """The same folder at the next call of a command."""
    return Scripted(course.root)


pytestmark = pytest.mark.skipif(os.name == "nt", reason="makes links and sends signals as Unix does")


def test_it_is_made_once(course):
    """One line per step the first time, nothing at all the second."""
    assert course.ensure() == course.python
    assert len(course.steps) == 3
    second = again(course)
    second.ensure()
    assert second.commands == []
    assert second.steps == []


def test_changed_pins_are_installed_into_what_is_there(course):
    """What a student added to the environment stays."""
    course.ensure()
    (course.venv / "own").touch()
    (course.root / "requirements.txt").write_text("x==2\n", "utf-8")
    second = again(course)
    second.ensure()
    assert any("-r" in command for command in second.commands)
    assert (course.venv / "own").exists()


def test_settings_of_other_tools_do_not_matter(course):
    """Only the tables that an installation is made from count."""
    course.ensure()
    (course.root / "pyproject.toml").write_text(
        METADATA.replace("line-length = 1", "line-length = 2"), "utf-8"
    )
    assert again(course).ready()


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_set_up_stopped_anywhere_is_done_again(course, call):
    """Ctrl-C before any program has ended: the next call starts from nothing and gets there."""
    course.stop_at = call
    with pytest.raises(KeyboardInterrupt):
        course.ensure()
    assert not again(course).ready()
    (course.venv / "half-copied").touch()
    second = again(course)
    second.ensure()
    assert again(course).ready()
    assert not (course.venv / "half-copied").exists()


def test_a_users_own_environment_is_filled_and_never_emptied(course):
    """A .venv that somebody else made keeps its files, even when the set-up was stopped in the middle."""
    course.python.parent.mkdir(parents=True)
    course.python.symlink_to(sys.executable)
    (course.venv / "own").touch()
    course.stop_at = 1
    with pytest.raises(KeyboardInterrupt):
        course.ensure()
    second = again(course)
    second.ensure()
    assert again(course).ready()
    assert (course.venv / "own").exists()
    assert not any("venv" in command for command in second.commands)


def test_a_users_broken_environment_is_not_touched(course):
    """The one sentence says to delete it."""
    course.venv.mkdir()
    (course.venv / "own").touch()
    with pytest.raises(SetupError, match="does not start: delete that folder"):
        course.ensure()
    assert (course.venv / "own").exists()


def test_it_is_made_again_when_its_python_is_gone(course):
    """An upgrade of the system took the interpreter away."""
    course.ensure()
    course.python.unlink()
    second = again(course)
    second.ensure()
    assert any("venv" in command for command in second.commands)


def test_a_moved_folder_is_linked_again(course, tmp_path_factory):
    """The package is installed by its place, so a new place means a new link."""
    course.ensure()
    moved = Scripted(tmp_path_factory.mktemp("elsewhere") / "course")
    shutil.move(course.root, moved.root)
    moved.ensure()
    assert any(str(moved.root) in command for command in moved.commands)


def test_pip_takes_over_where_uv_fails(course, monkeypatch):
    """A uv that cannot reach an index which pip is configured for must not end the set-up."""
    monkeypatch.setattr(module, "working_uv", lambda: "/opt/uv")
    course.failing = {"/opt/uv": "no index"}
    course.ensure()
    assert any("pip" in command and "/opt/uv" not in command for command in course.commands)
    assert sum("uv could not" in step for step in course.steps) == 3


def test_pip_is_added_where_it_is_missing(course, monkeypatch):
    """An environment that uv made has none."""
    monkeypatch.setattr(module, "working_uv", lambda: None)
    course.failing = {"--version": "No module named pip"}
    course.ensure()
    assert any("ensurepip" in command for command in course.commands)


def test_a_missing_venv_module_names_the_package(course, monkeypatch):
    """Debian's Python comes without: the sentence says what to install."""
    monkeypatch.setattr(module, "working_uv", lambda: None)
    monkeypatch.setattr(
        module.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object()
    )
    with pytest.raises(SetupError, match=r"python3-venv .*apt install python3\.\d+-venv"):
        course.ensure()


def test_a_failed_installation_is_one_sentence(course, monkeypatch):
    """It says what failed, why, where the whole output is; and the next call begins again."""
    monkeypatch.setattr(module, "working_uv", lambda: None)
    course.failing = {"-r": "package index could not be reached: check the network connection"}
    with pytest.raises(SetupError) as error:
        course.ensure()
    assert "\n" not in str(error.value)
    assert "check the network connection" in str(error.value)
    assert not again(course).ready()


def test_a_read_only_folder_is_one_sentence(course, monkeypatch):
    """Nothing can be written: the sentence says where to put the folder."""
    monkeypatch.setattr(
        Path, "mkdir", lambda *a, **k: (_ for _ in ()).throw(OSError(30, "Read-only file system", "x"))
    )
    with pytest.raises(SetupError, match="where you may write"):
        course.ensure()


def test_a_folder_without_the_course_is_one_sentence(tmp_path):
    """An installed copy of the package has no pins beside it."""
    with pytest.raises(SetupError, match=r"no requirements\.txt"):
        Environment(tmp_path).ensure()


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("x\nERROR: [Errno 28] No space left on device\n", "disk is full"),
        ("error: failed to fetch\n  dns error: failed to lookup", "network"),
        ("WARNING: Retrying ... NewConnectionError(...: [Errno 111] Connection refused')", "network"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied",
            "belongs to somebody else",
        ),
        ("building\nerror: no such option\nhint: see above", "error: no such option"),
        ("", "said nothing"),
    ],
)
def test_known_causes_are_named(output, reason):
    """What pip and uv print becomes a few words that a student understands."""
    assert reason in reason_of(output)


def test_an_old_python_is_told_so():
    """The first two files must be readable by the Pythons they turn away."""
    for name in ("__init__.py", "__main__.py"):
        ast.parse((ROOT / "dslab" / name).read_text("utf-8"), feature_version=(3, 7))
    for minor, found in pythons().items():
        if 7 <= int(minor[2:]) < 11:
            done = subprocess.run(
                [found.path, "-m", "dslab", "lab"], cwd=ROOT, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 1
            assert re.fullmatch(
                rf"dslab needs Python 3\.11 or newer and this is Python {minor}: .*\n", done.stderr
            )


# The real thing, small: the pins that the package itself is built with, and nothing else.
BUILD_PINS = ("editables", "hatchling", "packaging", "pathspec", "pluggy", "trove-classifiers")
ENSURE = "from dslab.commands.environment import Environment; Environment().ensure()"


@pytest.fixture
def small_course(tmp_path):
    """A copy of the course with hardly any pins."""
    root = tmp_path / "small course"  # a space in the path, as on many a student's disk
    shutil.copytree(ROOT / "dslab", root / "dslab", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, root)
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line.split("==")[0] in BUILD_PINS]
    assert len(pins) == len(BUILD_PINS)
    (root / "requirements.txt").write_text("\n".join(pins) + "\n", "utf-8")
    return root


def start(root: Path, **variables: str) -> subprocess.Popen:
    """Begin a set-up in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", ENSURE],
        cwd=root,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen) -> str:
    """Wait for a set-up to end well; leave the test out where no index can be reached."""
    _, lines = process.communicate(timeout=280)
    if process.returncode and "network connection" in lines:
        (pytest.fail if os.environ.get("DSLAB_TEST_ALL") else pytest.skip)("needs a package index")
    assert process.returncode == 0, lines
    return lines


def path_without_uv(folder: Path) -> str:
    """A PATH whose first uv does not work, as a version manager leaves it."""
    folder.mkdir()
    stub = folder / "uv"
    stub.write_text("#!/bin/sh\necho 'uv: command not found' >&2\nexit 127\n", "utf-8")
    stub.chmod(0o755)
    return os.pathsep.join([str(folder), os.environ["PATH"]])


@pytest.mark.parametrize("tool", [pytest.param("uv", marks=pytest.mark.needs("uv")), "pip"])
def test_the_package_is_importable_from_anywhere(small_course, tmp_path, tool):
    """With uv and without: linked to the folder, so that an edit takes effect at once."""
    lines = finish(
        start(small_course, **({} if tool == "uv" else {"PATH": path_without_uv(tmp_path / "bin")}))
    )
    assert f"({'uv' if tool == 'uv' else 'venv and pip'})" in lines
    ask = [small_course / ".venv/bin/python", "-c", "import dslab; print(dslab.__file__)"]
    answer = subprocess.run(ask, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == str(small_course / "dslab/__init__.py")
    assert finish(start(small_course)) == ""


def test_a_killed_set_up_is_recovered(small_course):
    """SIGKILL while packages are being installed; installers that live on are waited for, not raced with."""
    first = start(small_course)
    for line in first.stderr:
        if line.startswith("Installing"):
            break
    first.kill()
    first.wait(timeout=60)
    lines = finish(start(small_course))
    first.stderr.close()
    first.stdout.close()
    assert "did not come to its end" in lines
    assert Environment(small_course).ready()


def test_two_set_ups_at_once_do_not_meet(small_course):
    """`lab` and `test` typed in two terminals: one works, the other waits and finds it done."""
    both = [start(small_course), start(small_course)]
    texts = [finish(process) for process in both]
    assert sum("Making .venv" in text for text in texts) == 1
    assert Environment(small_course).ready()


def test_ctrl_c_stops_it_cleanly(small_course):
    """One line, exit status 130, and nothing left running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dslab", "test", "--version"],
        cwd=small_course,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in process.stderr:
        if line.startswith("Installing"):
            break
    os.killpg(process.pid, signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert rest.splitlines()[-1] == "Stopped."
    assert "Traceback" not in rest


@pytest.mark.needs("git")
def test_the_wheel_holds_every_file_of_the_package(tmp_path):
    """Scripts and styles of the widgets too: what is installed elsewhere is what is here."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("dslab/")}
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "dslab"]
    here = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert packed >= {name for name in here.stdout.splitlines() if (ROOT / name).is_file()}
    assert any(name.endswith(".js") for name in packed)
