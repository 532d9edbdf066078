"""Stops a handler that never returns.

One thread for the whole process looks once a second at the simulations that are running. It changes nothing about a
run that ends; where threads do not exist (a browser) it does nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator
from typing import Any

HANDLER_SECONDS = 5


class HandlerTimeout(BaseException):
    """Raised inside a handler that has not returned; not an Exception, so that `except Exception` does not hide it."""


_running: dict[int, list[Any]] = {}       # thread -> [simulation, entry seen last, how often]
_lock = threading.Lock()
_wake = threading.Event()
_thread: threading.Thread | None = None


@contextlib.contextmanager
def watched(simulation: Any) -> Iterator[None]:
    """Watches the simulation that the current thread is about to run."""
    me = threading.get_ident()
    before = _running.get(me)
    with _lock:
        _running[me] = [simulation, None, 0]
        _start_thread()
    _wake.set()
    try:
        yield
    finally:
        with _lock:
            if before is None:
                del _running[me]
            else:
                _running[me] = before


def _start_thread() -> None:
    global _thread
    if _thread is None or not _thread.is_alive():
        thread = threading.Thread(target=_watch, name="dslab-watchdog", daemon=True)
        with contextlib.suppress(RuntimeError):
            thread.start()
            _thread = thread


def _watch() -> None:
    while True:
        _wake.wait()
        _wake.clear()
        while _running:
            threading.Event().wait(1)
            with _lock:
                for thread, watch in _running.items():
                    entry = watch[0].handling
                    if entry is None or entry is not watch[1]:
                        watch[1], watch[2] = entry, 0
                        continue
                    watch[2] += 1
                    if watch[2] == HANDLER_SECONDS:
                        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread),
                                                                   ctypes.py_object(HandlerTimeout))
