"""A small process that has imported what an assignment imports, and forks from itself a sandboxed process per hand-in.

It runs no student's code. It has one thread, because only such a process can be forked safely, and ends, with all that
it started, when the process that started it does.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dslab.grading import sandbox
from dslab.grading.channel import Channel, ClosedError
from dslab.grading.environment import clean_environment
from dslab.grading.student import Student

LOCK = "lock"  # in a worker's folder
MEMORY_BYTES = 768_000_000  # above what the imports have
FILE_BYTES = 16_000_000
OPEN_FILES = 64


# Only a process with one thread can be forked safely; numerical libraries start more unless told otherwise.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Started:
    """A zygote, as the process sees it that started it.

    Args:
        imports: import statements to be run before anything is forked.
        cpu_seconds: after which a student's process is ended whatever the grader does.

    Raises:
        RuntimeError: it did not start.
    """

    def __init__(self, imports: Sequence[str], cpu_seconds: int) -> None:
        self._control, theirs = socket.socketpair()
        worker = os.environ.get("DSLAB_GRADING_FOLDER")
        folder = Path(tempfile.mkdtemp(prefix="dslab-", dir=worker)).resolve()
        layers = os.environ.get("DSLAB_GRADING_LAYERS")
        about = {
            "folder": str(folder),
            "worker": worker,
            "imports": list(imports),
            "layers": None if layers is None else [layer for layer in layers.split(",") if layer],
            "cpu_seconds": cpu_seconds,
        }
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "dslab.grading.zygote", str(theirs.fileno()), json.dumps(about)],
                pass_fds=[theirs.fileno()],
                env=clean_environment(folder, grading=True) | dict.fromkeys(_ONE_THREAD, "1"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd=folder,
                start_new_session=True,
            )
        try:
            self._heard()
        except RuntimeError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def fork(self) -> tuple[int, int]:
        """A new sandboxed process: the descriptor of a socket to it, and its process id.

        Raises:
            RuntimeError: it could not be started; the text says why.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b'{"do": "fork"}'], [theirs.fileno()])
            pid = self._heard()
        if not isinstance(pid, int):
            ours.close()
            raise RuntimeError(f"no process can be started for the answers: {pid}")
        return ours.detach(), pid

    def end(self, pid: int) -> None:
        """Ends a process that it has forked."""
        if self.alive:
            self._control.sendall(json.dumps({"do": "end", "pid": pid}).encode("ascii"))
            self._heard()

    def stop(self) -> None:
        """Ends it, and with it everything that it has forked."""
        self._control.close()
        self._process.wait()

    def _heard(self) -> Any:
        line = b""
        while not line.endswith(b"\n"):
            part = self._control.recv(4096)
            if not part:
                raise RuntimeError("the process that starts students' processes has ended")
            line += part
        return json.loads(line)


class Zygote:
    """Serves one kernel, in the other process.

    Args:
        control: where the requests come from.
        folder: for scratch folders.
        layers: of the sandbox; those that this machine has.
        cpu_seconds: after which a student's process is ended whatever the grader does.
    """

    def __init__(self, control: socket.socket, folder: Path, layers: list[str], cpu_seconds: int) -> None:
        self.control, self.folder, self.layers, self.cpu_seconds = control, folder, layers, cpu_seconds
        self.scratch: dict[int, Path] = {}

    def serve(self) -> None:
        """Until the kernel is gone."""
        while True:
            data, descriptors, _, _ = socket.recv_fds(self.control, 65536, 1)
            if not data:
                break
            request = json.loads(data)
            answer: int | str
            if request["do"] == "fork":
                try:
                    answer = self.fork(descriptors[0])
                except (OSError, RuntimeError) as error:
                    answer = str(error)
                os.close(descriptors[0])
            else:
                answer = self.end(request["pid"])
            self.control.sendall(json.dumps(answer).encode("ascii") + b"\n")
        for pid in list(self.scratch):
            self.end(pid)

    def fork(self, descriptor: int) -> int:
        """A new sandboxed process that serves the other end of `descriptor`; its process id."""
        scratch = Path(tempfile.mkdtemp(dir=self.folder))

        def run() -> None:
            student = Student(Channel(descriptor), sandbox.refused)
            with suppress(ClosedError):
                student.serve()

        limits = sandbox.Limits(MEMORY_BYTES, self.cpu_seconds, FILE_BYTES, OPEN_FILES)
        pid = sandbox.start(run, keep=[descriptor], scratch=scratch, readable=sandbox.system_paths(), limits=limits,
                            layers=self.layers)  # fmt: skip
        self.scratch[pid] = scratch
        return pid

    def end(self, pid: int) -> int:
        """Ends a process and removes its scratch folder; its wait status."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        shutil.rmtree(self.scratch.pop(pid), ignore_errors=True)
        return status


def main() -> None:
    """Arguments: the control socket's descriptor and a JSON object {folder, worker, layers, imports,
    cpu_seconds}."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    about = json.loads(sys.argv[2])
    # Plots are a student's usual import; without matplotlib's font cache in memory each process would look for fonts.
    for statement in ["import matplotlib.font_manager", *about["imports"]]:
        with suppress(Exception):  # what cannot be imported fails in the cell that imports it, where it can be told
            exec(statement, {})
    folder = Path(about["folder"])
    layers = about["layers"]
    if layers is None:
        layers = [layer.name for layer in sandbox.probe() if layer.works]
    gc.collect()
    gc.freeze()  # so that a fork's collector does not touch, and thereby copy, what all share
    control = socket.socket(fileno=int(sys.argv[1]))
    control.sendall(b'"ready"\n')
    try:
        Zygote(control, folder, layers, about["cpu_seconds"]).serve()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if about["worker"] is not None:
            remove_if_left(Path(about["worker"]))


def remove_if_left(folder: Path) -> None:
    """Removes the folder of a worker that was killed: a living one holds the lock in it."""
    import fcntl

    with suppress(OSError), (folder / LOCK).open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
