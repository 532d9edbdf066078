"""Processes that grade, apart from the one that asks: whichever of them dies, and however, nothing else does.

A ProcessPoolExecutor is broken as a whole when one of its processes dies, and does not tell with which hand-in. Here
each call has a process to itself, over a socket of its own: when it dies that one call is made again in a new process.
That works in a thread of this program and in a worker of a Dask cluster, which may have no `multiprocessing` children.

A process ends itself when its socket does, so none outlives the program that started it, even one that was killed.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
GRACE = 10  # seconds to put things away before a process is killed
IDLE = 60.0  # seconds without a call after which a process ends itself
ATTEMPTS = 2
_IDLE_STATUS = 3


class DiedError(Exception):
    """The process died in each attempt."""


class CallError(Exception):
    """The function raised; the text has the exception's name and words."""


class StoppedError(Exception):
    """No call is made any more."""


class _Process:
    """One process. `call` and `wait` are for one thread, `hang_up` for any."""

    def __init__(self, number: int, shared_out: bool) -> None:
        self.number = number
        self._socket, theirs = socket.socketpair()
        with theirs:
            program = f"from dslab.grading.processes import serve; serve({theirs.fileno()}, {IDLE})"
            self._popen = subprocess.Popen(
                [sys.executable, "-P", "-c", program],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal is for the program that asks
                env=_environment() | ({"DSLAB_GRADING_WORKER": str(number)} if shared_out else {}),
            )
        self._stream = self._socket.makefile("rwb")

    def call(self, close: Callable[[], None], function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        message = pickle.dumps(pickle.dumps((close, function, arguments)))
        try:
            self._stream.write(message)
            self._stream.flush()
            done, answer = pickle.load(self._stream)
        except (EOFError, OSError, pickle.UnpicklingError):
            raise DiedError from None
        if not done:
            raise CallError(answer)
        return answer

    def hang_up(self) -> None:
        """Tells the process to end."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def wait(self) -> int:
        """Waits until it has ended, kills it if it does not, and says its exit status."""
        self.hang_up()
        try:
            status = self._popen.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            status = self._popen.wait()
        with suppress(OSError):
            self._stream.close()
        self._socket.close()
        return status


def _environment() -> dict[str, str]:
    # The user's settings for pytest are not for grading.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return kept | {"PYTHONPATH": path}


class Processes:
    """As many processes as there are calls at the same time; each is kept for the next call.

    Args:
        close: called in each process before it ends.
        first: number of the first process, by which they share out this machine's processors; None leaves it to chance.
    """

    def __init__(self, close: Callable[[], None], first: int | None = None) -> None:
        self._close, self._first = close, first
        self._lock = threading.Lock()
        self._all: set[_Process] = set()
        self._idle: list[_Process] = []
        self._stopped = False

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What `function(*arguments)` returns in another process; once more in a new one if that dies.

        Args:
            function: known by its module and name.

        Raises:
            CallError: the function raised an exception.
            DiedError: the process died ATTEMPTS times.
            StoppedError: `stop` was called.
        """
        deaths = 0
        while True:
            process = self._take()
            try:
                answer = process.call(self._close, function, arguments)
            except DiedError:
                with self._lock:
                    self._all.discard(process)
                deaths += process.wait() != _IDLE_STATUS  # it ended just before the call reached it
                if deaths == ATTEMPTS:
                    raise
                continue
            except CallError:
                self._give_back(process)
                raise
            self._give_back(process)
            return answer

    def _take(self) -> _Process:
        with self._lock:
            if self._stopped:
                raise StoppedError
            if self._idle:
                return self._idle.pop()
            used = {process.number for process in self._all}
            number = self._first or 0
            while number in used:
                number += 1
            process = _Process(number, shared_out=self._first is not None)
            self._all.add(process)
            return process

    def _give_back(self, process: _Process) -> None:
        with self._lock:
            self._idle.append(process)

    def stop(self) -> None:
        """Ends every process, whatever it does; returns when they are gone."""
        with self._lock:
            self._stopped = True
            processes = list(self._all)
        for process in processes:
            process.hang_up()
        for process in processes:
            process.wait()


def serve(descriptor: int, idle: float) -> NoReturn:
    """In the other process: makes the calls that come over a socket, until it is closed or idle for so many seconds."""
    stream = socket.socket(fileno=descriptor).makefile("rwb")
    calls: SimpleQueue[bytes] = SimpleQueue()
    closing: list[Callable[[], None]] = []

    def end(status: int) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.alarm(GRACE)  # ends what does not end
        try:
            for close in closing:
                close()
        finally:
            os._exit(status)

    def listen() -> None:
        with suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                calls.put(pickle.load(stream))
        # The main thread has to leave its call: what it holds is put away by the thread that uses it.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    signal.signal(signal.SIGTERM, lambda *_: end(0))
    threading.Thread(target=listen, daemon=True).start()
    while True:
        try:
            call = calls.get(timeout=idle)
        except Empty:
            end(_IDLE_STATUS)
        try:
            close, function, arguments = pickle.loads(call)
            closing[:] = [close]
            answer = pickle.dumps((True, function(*arguments)))
        except Exception as error:
            answer = pickle.dumps((False, f"{type(error).__name__}: {error}"))
        with suppress(OSError):
            stream.write(answer)
            stream.flush()
