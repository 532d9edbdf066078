"""A private folder that goes when its owner does, even when that was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PREFIX = "dslab-live-"
LOCK = "lock"
YOUNG_SECONDS = 60  # a folder whose lock is free may belong to a run that is just starting


def end_by_signals() -> None:
    """Lets a machine that shuts down, and asks all processes at once to end, end this one in order."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder that only this user can read, removed at the end.

    The folders of those who could not remove theirs, because all their processes were killed at once, are removed on
    this occasion: nobody holds their lock.

    Raises:
        OSError: none can be made.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        _hold(folder)
        _sweep(folder.parent)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    for folder in parent.glob(PREFIX + "*"):
        with contextlib.suppress(OSError):
            about = folder.lstat()
            if about.st_uid != os.geteuid() or folder.is_symlink() or time.time() - about.st_mtime < YOUNG_SECONDS:
                continue
            lock = _hold(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _hold(folder: Path) -> int | None:
    """Takes the lock of a folder until this process ends; None if another has it."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
