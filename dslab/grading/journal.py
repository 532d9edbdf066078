"""Remembers each hand-in as soon as it is graded, so that a run that was killed goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from dslab.grading.assignment import Assignment

PACKAGE = Path(__file__).resolve().parents[1]


class Finished(NamedTuple):
    """A graded hand-in, and the seconds that it took."""

    result: dict[str, Any]
    seconds: float


@cache
def grader_version() -> str:
    """A fingerprint of this package's text and of Python: another one may give other points."""
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"\0{file.relative_to(PACKAGE).as_posix()}\0".encode() + file.read_bytes())
    return digest.hexdigest()


class Journal:
    """The finished hand-ins of one class, a file each.

    Args:
        folder: made if it is not there.
        assignment: what is graded; with `options`, the grader's version and the hand-in's bytes it tells
            whether a finished one still holds.
        options: whatever else the points depend on.

    Raises:
        OSError: nothing can be written there; BlockingIOError: another run does.
    """

    def __init__(self, folder: Path, assignment: Assignment, options: object) -> None:
        self.folder = folder
        self._about = repr((grader_version(), assignment, options)).encode("utf-8", "backslashreplace")
        import fcntl  # which Windows does not have

        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder, os.O_RDONLY)  # the system lets go of it however this process ends
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise
        for part in folder.glob("*.part"):  # of a run that was killed
            part.unlink(missing_ok=True)

    def close(self) -> None:
        """Lets another run write there."""
        os.close(self._lock)

    def key(self, name: str, data: bytes) -> str:
        """What a finished hand-in must have been made from."""
        parts = (self._about, name.encode("utf-8", "backslashreplace"), data)
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()

    def find(self, file: str, key: str) -> Finished | None:
        """The finished hand-in, or None: there is none, it was made from something else, its file is broken."""
        try:
            record = json.loads((self.folder / f"{file}.json").read_text(encoding="utf-8"))
            if record["key"] == key:
                return Finished(dict(record["result"]), float(record["seconds"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass
        return None

    def keep(self, file: str, key: str, result: dict[str, Any], seconds: float) -> Finished:
        """Writes a finished hand-in in one step; returns it as it will be found."""
        record = json.dumps({"key": key, "result": result, "seconds": round(seconds, 3)})
        part = self.folder / f"{file}.json.part"
        part.write_text(record, encoding="utf-8")
        part.replace(self.folder / f"{file}.json")
        again = json.loads(record)
        return Finished(again["result"], again["seconds"])
