"""A worker that grades in no time and writes down what it does; files in its folder make it wait or die.

Its folder is in the variable STANDIN:

log          a line for each thing done: "begin NAME PID", "end NAME PID", "close - PID"
hold-NAME    grading NAME waits as long as this file is there
die-NAME     grading NAME kills its own process
"""

import os
import signal
import time
from pathlib import Path
from typing import Any, NamedTuple


class Task(NamedTuple):
    """As worker.Task."""

    assignment: Any
    name: str
    data: bytes
    timeout: float
    layers: tuple[str, ...]


def folder():
    return Path(os.environ["STANDIN"])


def log(*words):
    with (folder() / "log").open("a") as file:  # one write of a short line is never torn
        file.write(" ".join(map(str, [*words, os.getpid()])) + "\n")


def grade_task(task):
    log("begin", task.name)
    if (folder() / f"die-{task.name}").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    while (folder() / f"hold-{task.name}").exists():
        time.sleep(0.01)  # between two looks; what is awaited is the condition
    if task.data == b"raise":
        raise RuntimeError("disk on fire")
    checks = [
        {"id": check.id, "exercise": check.exercise, "title": check.title, "status": "passed",
         "points": check.points, "max_points": check.points, "hidden": check.hidden}
        for check in task.assignment.checks
    ]  # fmt: skip
    points = sum(check["points"] for check in checks)
    data = {"name": task.name, "points": points, "max_points": points, "checks": checks, "flags": []}
    log("end", task.name)
    return {"json": data, "answers": {"add": task.data.decode()}, "runs": {}, "junit": ""}


def close():
    log("close", "-")
