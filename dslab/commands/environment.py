"""The course's own environment: made once, checked in a moment, made again when what it is made from changed.

A record inside `.venv` says whether the last set-up came to its end. It is written *before* the first file is
installed and marked ready after the last one, so a set-up that was killed at any point is seen at the next
call and done again from nothing: installers take a half-copied package for a complete one.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dslab.commands.installers import command_environment, reason_of, take_lock, version_of, working_uv

ROOT = Path(__file__).resolve().parents[2]
ANNOUNCEMENTS = "@jupyterlab/apputils-extension:announcements"


class SetupError(Exception):
    """The environment cannot be made; the text is one sentence for the user."""


def say(line: str) -> None:
    """Report one step, on standard error: standard output belongs to the command's own result."""
    print(line, file=sys.stderr, flush=True)


def interpreter(venv: Path) -> Path:
    """The Python program of an environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


class Environment:
    """The environment in `.venv` beside requirements.txt.

    Args:
        root: the folder of the course.
        tell: called with one line per step.
    """

    def __init__(self, root: Path = ROOT, tell: Callable[[str], None] = say) -> None:
        self.root, self.tell = root, tell
        self.venv = root / ".venv"
        self.python = interpreter(self.venv)
        self.record = self.venv / "dslab.json"
        self.lock: int | None = None

    def fingerprint(self) -> str:
        """What the environment is made from: the pins, the package's metadata, the folder it is linked to."""
        metadata = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        made_from = [(self.root / "requirements.txt").read_text(encoding="utf-8"), str(self.root)]
        made_from += [
            json.dumps(metadata.get(table), sort_keys=True) for table in ("project", "build-system")
        ]
        return hashlib.sha256("\0".join(made_from).encode()).hexdigest()

    def read_record(self) -> dict[str, str]:
        """The record of the last set-up; empty when there is none that can be read."""
        try:
            record = json.loads(self.record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def write_record(self, state: str, **more: str) -> None:
        """Replace the record in one step, so that it is never seen half written."""
        draft = self.record.with_suffix(".new")
        draft.write_text(json.dumps({"state": state, **more}), encoding="utf-8")
        draft.replace(self.record)

    def ready(self) -> bool:
        """True if the environment is complete, made from the present requirements, and its Python starts."""
        record = self.read_record()
        return (
            record.get("state") == "ready"
            and record.get("fingerprint") == self.fingerprint()
            and record.get("python") == version_of(self.python)
        )

    def ensure(self) -> Path:
        """Make the environment if it is missing, unfinished or out of date; return its Python.

        Raises:
            SetupError: it cannot be made here; the text says what to do.
        """
        if not (self.root / "requirements.txt").is_file() or not (self.root / "pyproject.toml").is_file():
            raise SetupError(
                f"{self.root} has no requirements.txt: run this command from the course's folder,"
                " or, in an environment of your own, `jupyter lab` and `pytest`"
            )
        if self.ready():
            return self.python
        try:
            self.venv.mkdir(exist_ok=True)
            with self.alone():
                if not self.ready():  # somebody else may have finished it meanwhile
                    self.make()
        except OSError as error:
            where = error.filename or self.venv
            raise SetupError(
                f"Cannot write {where} ({error.strerror}): put the course's folder where you may write,"
                " with 1 GB free, and run the command again"
            ) from None
        return self.python

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the set-up's lock.

        The system releases it when this process and the installers it started are gone, however they ended:
        an installer that outlives a killed set-up is waited for, not raced with.
        """
        with (self.venv / "dslab.lock").open("a") as lock:
            try:
                take_lock(lock.fileno(), wait=False)
            except OSError:
                self.tell("Another set-up is at work in this folder: waiting for it")
                take_lock(lock.fileno(), wait=True)
            self.lock = lock.fileno()
            try:
                yield
            finally:
                self.lock = None

    def make(self) -> None:
        """Create or refresh, fill and record the environment. The lock is held."""
        record, version = self.read_record(), version_of(self.python)
        others = any(entry.name != "dslab.lock" for entry in self.venv.iterdir())
        owner = record.get("owner", "user" if others else "course")
        refresh = owner == "user" or (record.get("state") == "ready" and version == record.get("python"))
        if owner == "user" and (version is None or tuple(map(int, version.split("."))) < (3, 11)):
            what = f"has Python {version}" if version else "does not start"
            raise SetupError(f"{self.venv} {what}: delete that folder and run the command again")
        if record.get("state") == "unfinished":
            self.tell("The last set-up did not come to its end: doing it again")
        if not refresh:
            self.empty()
        self.write_record("unfinished", owner=owner)
        uv = working_uv()
        if not refresh:
            self.create(uv)
        self.install(uv, "the pinned packages", ["-r", str(self.root / "requirements.txt")])
        # hatchling is among the pins, so that linking the package itself needs no further download
        self.install(uv, "dslab itself", ["--no-build-isolation", "--no-deps", "-e", str(self.root)])
        # its question about news covers the corner of the first notebook
        result = self.call([str(self.python), "-m", "jupyterlab.labextensions", "disable", ANNOUNCEMENTS])
        if result is not None:
            self.tell(f"JupyterLab will ask whether to show news ({result})")
        made = str(version_of(self.python))
        self.write_record("ready", owner=owner, fingerprint=self.fingerprint(), python=made)

    def empty(self) -> None:
        """Remove an environment that this module made and did not finish, or whose Python is gone."""
        for entry in self.venv.iterdir():
            if entry.name != "dslab.lock":
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    def create(self, uv: str | None) -> None:
        """Make the bare environment from the Python that runs this."""
        base = str(getattr(sys, "_base_executable", None) or sys.executable)
        version = ".".join(map(str, sys.version_info[:3]))
        self.tell(f"Making .venv with Python {version} ({'uv' if uv else 'venv and pip'})")
        if uv:
            # the interpreter is named in full: uv takes a version manager's stubs for something else
            result = self.call([uv, "venv", "--quiet", "--allow-existing", "--python", base, str(self.venv)])
            if result is None:
                return
            self.tell(f"uv could not make it ({result}): using venv")
        if not importlib.util.find_spec("venv") or not importlib.util.find_spec("ensurepip"):
            name = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
            raise SetupError(
                f"This Python has no venv module: install the package python3-venv"
                f" (Debian, Ubuntu: `sudo apt install {name}`), or uv, and run the command again"
            )
        result = self.call([base, "-m", "venv", str(self.venv)])
        if result is not None:
            raise SetupError(
                f"Cannot make {self.venv} ({result}); the output is in {self.venv / 'dslab.log'}"
            )

    def install(self, uv: str | None, what: str, arguments: Sequence[str]) -> None:
        """Install into the environment, with uv where it works and pip otherwise."""
        if uv:
            self.tell(f"Installing {what}")
            result = self.call([uv, "pip", "install", "--quiet", "--python", str(self.python), *arguments])
            if result is None:
                return
            self.tell(f"uv could not ({result}): trying pip")
        self.tell(f"Installing {what}" + (" with pip: one to three minutes" if arguments[0] == "-r" else ""))
        pip = [str(self.python), "-m", "pip"]
        if self.call([*pip, "--version"]) is not None:
            self.call([str(self.python), "-m", "ensurepip", "--default-pip"])
        quiet = ["--disable-pip-version-check", "--no-input", "--quiet", "--retries", "2"]
        result = self.call([*pip, "install", *quiet, *arguments])
        if result is not None:
            raise SetupError(
                f"Cannot install {what} ({result}); then run the same command again."
                f" The full output is in {self.venv / 'dslab.log'}"
            )

    def call(self, command: Sequence[str]) -> str | None:
        """Run one program silently. Returns None, or briefly why it failed; the log has the rest."""
        try:
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
                errors="replace",
                env=command_environment(),
                pass_fds=() if self.lock is None or os.name == "nt" else (self.lock,),
            )
        except OSError as error:
            return f"{command[0]} did not start: {error.strerror}"
        if done.returncode == 0:
            return None
        with (self.venv / "dslab.log").open("a", encoding="utf-8") as log:
            log.write(f"{' '.join(command)}\n{done.stdout}\n")
        return reason_of(done.stdout)


def inside(environment: Environment) -> bool:
    """True if this process is run by that environment's Python."""
    return Path(sys.prefix).resolve() == environment.venv.resolve()


def enter(arguments: Sequence[str]) -> int | None:
    """Make the environment if need be and go on in it: `python -m dslab ARGUMENTS` by its own Python.

    Returns None when this process is already in it. On Linux and macOS the process is replaced, so that its
    id, its terminal and its signals stay the caller's; Windows gets a child process, and its exit status is
    returned.
    """
    environment = Environment()
    python = environment.ensure()
    if inside(environment):
        return None
    command = [str(python), "-m", "dslab", *arguments]
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, command_environment())
    child = subprocess.Popen(command, env=command_environment())
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # the child got it too and ends by itself
            continue
