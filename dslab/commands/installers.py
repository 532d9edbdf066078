"""What the set-up asks of the machine: does uv work, why did an installer fail, is another one running."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

# Settings of the caller's shell that would send the installation somewhere else than into .venv.
MISLEADING = (
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONHOME",
    "UV_SYSTEM_PYTHON",
    "__PYVENV_LAUNCHER__",
)

REASONS = (
    ("disk is full", ("no space left on device", "os error 28", "disk quota exceeded")),
    (
        "folder is read-only or belongs to somebody else",
        ("read-only file system", "permission denied", "os error 13"),
    ),
    (
        "package index could not be reached: check the network connection",
        (
            "name resolution",
            "name or service not known",
            "nodename nor servname",
            "getaddrinfo",
            "dns error",
            "connection refused",
            "connection error",
            "connect error",
            "newconnectionerror",
            "network is unreachable",
            "timed out",
            "error sending request",
            "tcp connect",
            "max retries exceeded",
            "proxyerror",
        ),
    ),
)


def command_environment() -> dict[str, str]:
    """The variables that installers and re-executed commands run with."""
    return {name: value for name, value in os.environ.items() if name not in MISLEADING}


def reason_of(output: str) -> str:
    """Why an installer failed, in a few words: a known cause, else its first line that speaks of an error."""
    lower = output.lower()
    for reason, signs in REASONS:
        if any(sign in lower for sign in signs):
            return reason
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next(
        (line for line in lines if "error" in line.lower()), lines[-1] if lines else "it said nothing"
    )


def version_of(python: Path) -> str | None:
    """The "major.minor" an interpreter reports, or None when it does not start."""
    ask = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, env=command_environment(), timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def working_uv() -> str | None:
    """The path of a uv that starts, or None: a version manager may leave a stub that does not."""
    path = shutil.which("uv")
    if path is None:
        return None
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return path if answer.returncode == 0 and answer.stdout.startswith("uv ") else None


def take_lock(descriptor: int, wait: bool) -> None:
    """Lock an open file for this process, as the operating system does it.

    Raises:
        OSError: another process holds it and `wait` is false.
    """
    if os.name == "nt":
        import msvcrt

        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
                return
            except OSError:  # LK_LOCK gives up after ten seconds
                if not wait:
                    raise
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
