"""The connection between whoever started a run and its supervisor, and what has come over it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from dslab.sim import DslabError
from dslab.sim import errors as sim_errors

from .codec import Codec, receive_block
from .merge import Records

ROOT = Path(__file__).resolve().parents[2]
END_SECONDS = 15


class LiveError(DslabError):
    """A live run could not be started, has ended, or did not get where it should; says what to do."""


class Wire:
    """The connection to the supervisor, and what has come over it; holds no reference to the Running."""

    def __init__(self, sock: socket.socket, supervisor: subprocess.Popen[bytes], records: Records, errors: Any) -> None:
        self.sock, self.supervisor, self.records, self.errors = sock, supervisor, records, errors
        self.news = threading.Condition()
        self.answers: dict[int, dict[str, Any]] = {}
        self.futures: dict[int, Future[Any]] = {}
        self.clients: dict[int, str] = {}                    # open request -> client
        self.codec = Codec()
        self.failure: DslabError | None = None
        self.ended_us: int | None = None
        self.folder: Path | None = None
        self.heard = 0
        self.thread = threading.Thread(target=self._listen, name="dslab-live", daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        try:
            while True:
                heard = json.loads(receive_block(self.sock))
                with self.news:
                    self._take(heard)
                    self.heard += 1
                    self.news.notify_all()
        except (EOFError, OSError):
            pass
        except Exception as error:
            self.failure = LiveError(f"what a node said cannot be read: {error}")
            hang_up(self.sock)
        self._clean_up()
        with self.news:
            if self.ended_us is None and self.failure is None:
                self.failure = LiveError("the process that ran the nodes has ended; start the run again" + self._said())
            self.sock.close()
            self.errors.close()
            self._answer_none(self.failure or LiveError("the run was stopped before the answer came"))
            self.news.notify_all()

    def _take(self, heard: dict[str, Any]) -> None:
        if "answer" in heard:
            self.answers[heard["answer"]] = heard
            if heard["answer"] == 0 and "error" in heard:    # it did not start; that it ends now is no news
                self.failure = self.failure or LiveError(heard["error"])
        elif "ended" in heard:
            self.ended_us = heard["ended"]
        elif "folder" in heard:
            self.folder = Path(heard["folder"])
        self.records.add(heard)
        says = heard.get("says", {})
        if "said" in says:
            sys.stdout.write(says["said"])
        elif "answered" in says:
            self.clients.pop(says["answered"], None)
            if says["answered"] in self.futures:
                self.futures.pop(says["answered"]).set_result(self.codec.decode(says["result"]))
        elif "failed" in says:
            kind = getattr(sim_errors, says["failed"], LiveError)
            self.failure = self.failure or kind(says["text"])
            self._answer_none(self.failure)
        elif "fault" in heard and heard["fault"][0] == "crash":
            self._give_up(heard["fault"][2])

    def forget(self, request: int) -> None:
        """No answer to this request is awaited any more."""
        with self.news:
            self.futures.pop(request, None)
            self.clients.pop(request, None)

    def _answer_none(self, why: DslabError) -> None:
        for future in self.futures.values():
            future.set_exception(why)
        self.futures.clear()
        self.clients.clear()

    def _give_up(self, client: str) -> None:
        """A client that has crashed answers nothing any more."""
        for request in [r for r, asked in self.clients.items() if asked == client]:
            del self.clients[request]
            self.futures.pop(request).set_exception(LiveError(f"{client} crashed before the answer came"))

    def _said(self) -> str:
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return f" ({lines[-1]})" if lines else ""

    def _clean_up(self) -> None:
        """The supervisor is ending or was killed: what it left is put away."""
        with suppress(subprocess.TimeoutExpired):
            self.supervisor.wait(END_SECONDS)
        if self.supervisor.returncode != 0:
            with suppress(OSError):
                os.killpg(self.supervisor.pid, signal.SIGKILL)   # the nodes are in its group
            self.supervisor.wait()
        for _ in range(100):                                 # until no dying node writes into it any more
            if self.folder is None or not self.folder.exists():
                break
            shutil.rmtree(self.folder, ignore_errors=True)
            time.sleep(0.01)


def hang_up(sock: socket.socket) -> None:
    """Closes a connection for both sides, also where another thread reads from it."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def connect(records: Records) -> Wire:
    """Starts a supervisor, in a session of its own."""
    ours, theirs = socket.socketpair()
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    errors = tempfile.TemporaryFile()  # noqa: SIM115  # the supervisor's, read where it ends badly
    with theirs:
        supervisor = subprocess.Popen(
            [sys.executable, "-P", "-m", "dslab.live.supervisor", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
        )
    return Wire(ours, supervisor, records, errors)
