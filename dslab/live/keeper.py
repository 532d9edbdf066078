"""Programs of others, such as etcd, that end when the program ends that asked for them, by whatever way.

The keeper is a process of its own, `python -m dslab.live.keeper`, in a session of its own. When whoever started it is
gone it kills what it has started and removes the folder; when the keeper itself is killed, the kernel kills them.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from dslab.sim import DslabError

from .codec import block, dumps, receive_block

ROOT = Path(__file__).resolve().parents[2]
TAIL = 2000  # characters of a program's output


class ServiceError(DslabError):
    """A program could not be started or does not do what it should; says what it printed last."""


class Keeper:
    """Starts programs and sends them signals.

    Attributes:
        folder: private; removed with everything in it at the end.

    Raises:
        ServiceError: this machine cannot do it.
    """

    def __init__(self) -> None:
        if os.name != "posix":
            raise ServiceError("real services need Linux or macOS; on Windows run the course in WSL")
        self._socket, theirs = socket.socketpair()
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "dslab.live.keeper", str(theirs.fileno())], pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                start_new_session=True)  # fmt: skip
        self._close = weakref.finalize(self, self._socket.close)
        try:
            self.folder = Path(self._heard()["folder"])
        except BaseException:
            self.stop()
            raise

    def start(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> int:
        """Starts a program; its output goes to a file in the folder.

        Args:
            name: by which it is known here.
            command: program and arguments.
            environment: variables beside those of this process.

        Returns:
            Its process id.

        Raises:
            ServiceError: this machine starts no more processes. A program that does not exist says so in its output.
        """
        return int(self._ask(do="start", name=name, command=command, environment=environment or {})["pid"])

    def signal(self, name: str, number: int) -> None:
        """Sends a program a signal; returns after SIGKILL when it is gone."""
        self._ask(do="signal", name=name, signal=int(number))

    def alive(self, name: str) -> bool:
        """Whether a program has not ended."""
        return bool(self._ask(do="alive", name=name)["alive"])

    def output(self, name: str) -> str:
        """The end of what a program has printed."""
        with suppress(OSError):
            return (self.folder / f"{name}.log").read_text(errors="replace")[-TAIL:].strip()
        return ""

    def stop(self) -> None:
        """Kills all programs and removes the folder."""
        self._close()
        self._process.wait()

    def _ask(self, **question: Any) -> dict[str, Any]:
        with suppress(OSError):
            self._socket.sendall(block(dumps(question)))
        return self._heard()

    def _heard(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(receive_block(self._socket))
        except (EOFError, OSError):
            raise ServiceError("the process that kept the programs has ended; start them again") from None
        if "error" in answer:
            raise ServiceError(answer["error"])
        return answer


class Kept:
    """The programs, in the keeper's process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> dict[str, Any]:
        """See Keeper.start."""
        with (self.folder / f"{name}.log").open("ab") as log:
            wrapped = [sys.executable, "-P", "-m", "dslab.live.keeper", "--exec", str(os.getpid()), *command]
            self.programs[name] = subprocess.Popen(wrapped, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                   cwd=self.folder, env={**os.environ, **environment})  # fmt: skip
        return {"pid": self.programs[name].pid}

    def signal(self, name: str, signal: int) -> dict[str, Any]:
        """See Keeper.signal."""
        self.programs[name].send_signal(signal)
        if signal == 9:
            self.programs[name].wait()
        return {}

    def alive(self, name: str) -> dict[str, Any]:
        """See Keeper.alive."""
        return {"alive": self.programs[name].poll() is None}

    def stop(self) -> None:
        """Ends everything."""
        for program in self.programs.values():
            program.kill()
        for program in self.programs.values():
            program.wait()


def serve(sock: socket.socket, kept: Kept) -> None:
    """Does what it is asked until whoever asks is gone; the socket may live on in processes that it has forked."""
    parent = os.getppid()
    sock.sendall(block(dumps({"folder": str(kept.folder)})))
    with suppress(EOFError, OSError):
        while os.getppid() == parent:
            if select.select([sock], [], [], 0.25)[0]:
                asked = json.loads(receive_block(sock))
                try:
                    answer = getattr(kept, asked.pop("do"))(**asked)
                except OSError as error:
                    answer = {"error": f"{asked['name']} cannot be started: {error.strerror}"}
                sock.sendall(block(dumps(answer)))


def main() -> None:
    """Arguments: the socket to whoever asks; or --exec, the keeper's process id and a command to become."""
    from .folder import end_by_signals, private_folder  # not on Windows, where this module must still be importable

    if sys.argv[1] == "--exec":
        from .process import die_with_parent

        die_with_parent(int(sys.argv[2]))
        try:
            os.execvp(sys.argv[3], sys.argv[3:])
        except OSError as error:
            sys.exit(f"{sys.argv[3]} cannot be started: {error.strerror}")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_by_signals()
    sock = socket.socket(fileno=int(sys.argv[1]))
    try:
        with private_folder() as folder:
            kept = Kept(folder)
            try:
                serve(sock, kept)
            finally:
                kept.stop()
    except OSError as error:
        sock.sendall(block(dumps({"error": f"there is no folder for the programs' data: {error}"})))


if __name__ == "__main__":
    main()
