"""The optional parts of a machine that tests and real-system labs use: how to find and how to get each."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CHROMIUM_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)


@dataclass(frozen=True)
class Part:
    """One optional part: the programs that may provide it, how they tell their version, how to get it.

    Args:
        programs: names on PATH, the preferred one first.
        purpose: what in the course uses it.
        get: where it comes from, in a few words.
        ask: the argument that makes the program print its version.
        places: further full paths.
    """

    programs: tuple[str, ...]
    purpose: str
    get: str
    ask: str = "--version"
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What was found of a part: where and which version, or why not."""

    path: Path | None
    version: str = ""
    why_not: str = ""


PARTS = {
    "python": Part(("python3", "python"), "everything", "python.org, or your system's packages"),
    "uv": Part(("uv",), "a faster set-up", "`pip install uv`, or docs.astral.sh/uv"),
    "git": Part(("git",), "tests of a fresh clone", "git-scm.com; Debian: git"),
    "node": Part(("node", "nodejs"), "tests of the widgets' JavaScript", "nodejs.org; Debian: nodejs"),
    "npm": Part(("npm",), "tests of the widgets' JavaScript", "comes with Node.js; Debian: npm"),
    "chromium": Part(
        ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        "tests of the widgets in a browser",
        "Chromium or Google Chrome; Debian: chromium",
        places=CHROMIUM_PLACES,
    ),
    "nbgrader": Part(
        ("nbgrader",),
        "tests that it and our grader agree",
        "`pipx install nbgrader`: its pins are not ours, so it needs an environment of its own",
    ),
    "bash": Part(("bash",), "the tests of binder/", "your system's packages; Windows: Git Bash"),
    "java": Part(
        ("java",), "ZooKeeper and Kafka", "adoptium.net; Debian: default-jre-headless", ask="-version"
    ),
    "haproxy": Part(("haproxy",), "the load-balancing labs", "haproxy.org; Debian: haproxy", ask="-v"),
    "zookeeper": Part(
        ("zkServer.sh",), "the coordination labs", "zookeeper.apache.org; Debian: libzookeeper-java"
    ),
    "kafka": Part(
        ("kafka-server-start", "kafka-server-start.sh"),
        "the streaming labs",
        "kafka.apache.org: unpack it and set KAFKA_HOME",
    ),
    "etcd": Part(("etcd",), "a real Raft cluster in the consensus notebook", "etcd.io; Debian: etcd-server"),
}
JARS = {
    "zookeeper": (Path("/usr/share/java"), "zookeeper*.jar"),
    "kafka": (Path(os.environ.get("KAFKA_HOME", "/opt/kafka"), "libs"), "kafka_2*.jar"),
}
SHARED_DATA = ROOT.parent / "shared" / "data"


def ask_version(program: Path, argument: str) -> str | None:
    """The version a program prints, or None if it does not start or prints none."""
    try:
        answer = subprocess.run(
            [str(program), argument],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = answer.stdout + answer.stderr
    # nbgrader names Python's version before its own
    number = re.search(rf"{re.escape(program.stem)} version (\d+(?:\.\d+)+)", said) or re.search(
        r"(\d+(?:\.\d+)+)", said
    )
    return number[1] if answer.returncode == 0 and number else None


def find_jar(name: str) -> Found | None:
    """A Java part by its library file; the version stands in the file's name."""
    folder, pattern = JARS[name]
    for jar in sorted(folder.glob(pattern)) if folder.is_dir() else ():
        number = re.search(r"\d+(\.\d+)+(?=\.jar)", jar.resolve().name)
        if find("java").path is None:
            return Found(None, why_not=f"{jar} is there, but no java to run it")
        return Found(jar, number.group() if number else "unknown")
    return None


def interpreters() -> Iterator[Path]:
    """Every Python program that may be on this machine: this one, those on PATH, pyenv's."""
    yield Path(sys.executable)
    for minor in range(7, 20):
        path = shutil.which(f"python3.{minor}")
        if path:
            yield Path(path)
    root = os.environ.get("PYENV_ROOT")
    if not root and shutil.which("pyenv"):
        answer = subprocess.run(["pyenv", "root"], capture_output=True, text=True, timeout=60)
        root = answer.stdout.strip() if answer.returncode == 0 else ""
    versions = Path(root or Path.home() / ".pyenv", "versions")
    if versions.is_dir():
        yield from sorted(versions.glob("3.*/python.exe" if os.name == "nt" else "3.*/bin/python"))


@cache
def pythons() -> dict[str, Found]:
    """The first interpreter that starts for each minor version found, by "3.N".

    A version manager's stub on PATH may stand for a version that is not switched on; asking tells.
    """
    found: dict[str, Found] = {}
    for program in interpreters():
        version = ask_version(program, "--version")
        if version:
            found.setdefault(".".join(version.split(".")[:2]), Found(program, version))
    return dict(sorted(found.items(), key=lambda item: int(item[0].split(".")[1])))


@cache
def find(name: str) -> Found:
    """Look for one part: a name of PARTS, "python3.N", or "shared-data".

    Raises:
        KeyError: no part has that name.
    """
    if name == "shared-data":
        there = SHARED_DATA.is_dir()
        return (
            Found(SHARED_DATA)
            if there
            else Found(None, why_not="no folder ../shared/data beside the course's")
        )
    if name == "python":
        return Found(Path(sys.executable), ".".join(map(str, sys.version_info[:3])))
    if re.fullmatch(r"python3\.\d+", name):
        return pythons().get(
            name.removeprefix("python"), Found(None, why_not=f"no {name} on PATH or in pyenv")
        )
    part = PARTS[name]
    for place in [shutil.which(program) for program in part.programs] + [*part.places]:
        if place and Path(place).is_file():
            if name in JARS:
                return Found(Path(place), "unknown")
            version = ask_version(Path(place), part.ask)
            return Found(Path(place), version) if version else Found(None, why_not=f"{place} does not start")
    return (name in JARS and find_jar(name)) or Found(
        None, why_not=f"no {' or '.join(part.programs)} on PATH"
    )


def why_missing(name: str) -> str | None:
    """None if the part is there; else one sentence: what is missing and how to get it."""
    found = find(name)
    if found.path is not None:
        return None
    get = f"; get it: {PARTS[name].get}" if name in PARTS else ""
    return f"needs {name}: {found.why_not}{get}"
