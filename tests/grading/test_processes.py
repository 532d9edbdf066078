"""Calls in other processes: whatever ends one of them, the call is made, or it is said why not."""

from __future__ import annotations

import gc
import operator
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from dslab.grading import processes
from dslab.grading.processes import CallError, DiedError, Processes, StoppedError


@pytest.fixture
def apart():
    """Processes that call functions of the standard library."""
    made = Processes(gc.collect)
    yield made
    made.stop()


def test_a_call_is_made_elsewhere(apart):
    """Its value comes back, or the words of its exception; the process serves the next call."""
    pid = apart.call(os.getpid)
    assert pid != os.getpid() and apart.call(operator.truediv, 1, 2) == 0.5
    with pytest.raises(CallError, match="ZeroDivisionError: division by zero"):
        apart.call(operator.truediv, 1, 0)
    with pytest.raises(CallError, match="TypeError"):
        apart.call(operator.attrgetter, 1)
    with pytest.raises(CallError, match="pickle"):
        apart.call(os.scandir, ".")
    assert apart.call(os.getpid) == pid
    assert apart.call(len, b"x" * 30_000_000) == 30_000_000


def test_a_process_that_dies_is_replaced_once(apart):
    """Then it is said; the next call has a new one."""
    with pytest.raises(DiedError):
        apart.call(os.abort)
    assert apart.call(operator.add, 1, 2) == 3


def test_an_idle_process_ends_and_that_is_no_death(apart, monkeypatch, wait_until, ended):
    """The next call has another."""
    monkeypatch.setattr(processes, "IDLE", 0.01)
    pids = [apart.call(os.getpid)]
    for _ in range(3):
        wait_until(lambda: ended(pids[-1]))
        pids.append(apart.call(os.getpid))
    assert len(set(pids)) == 4


def test_a_process_that_does_not_end_is_killed(monkeypatch, ended):
    """It has some time to put things away, not for ever."""
    monkeypatch.setattr(processes, "GRACE", 0.1)
    stuck = Processes(signal.pause)
    pid = stuck.call(os.getpid)
    stuck.stop()
    assert ended(pid)
    with pytest.raises(StoppedError):
        stuck.call(os.getpid)


def test_processes_are_numbered_where_they_share_a_machine(apart, wait_until):
    """From the number given, each its own; a process alone has none: many users may start one each."""
    assert apart.call(os.getenv, "DSLAB_GRADING_WORKER") is None
    numbered = Processes(gc.collect, first=4)
    try:
        with ThreadPoolExecutor(3) as threads:
            waiting = [threads.submit(numbered.call, signal.sigtimedwait, [signal.SIGUSR1], 60) for _ in range(2)]
            wait_until(lambda: len(numbered._all) == 2)
            third = threads.submit(numbered.call, os.getenv, "DSLAB_GRADING_WORKER").result()
            assert third == "6"
            numbered.stop()
            assert all(isinstance(one.exception(), StoppedError) for one in waiting)
    finally:
        numbered.stop()


def test_settings_for_pytest_are_not_for_grading(apart, monkeypatch):
    """They could change what passes."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    assert apart.call(os.getenv, "PYTEST_ADDOPTS") is None
