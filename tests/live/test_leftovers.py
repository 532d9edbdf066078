"""However a run ends, its processes, its folder and its ports are gone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import KernelManager

from dslab.live import LiveError, start
from dslab.protocols import raft

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60

LAUNCHER = """
import json, multiprocessing, os, sys, time
from dslab.live import start
from dslab.protocols import raft

running = start(raft.cluster(3), seed=1)
running.wait(lambda states: any(state.role == "leader" for name, state in states.items() if name != "c1"), 60)
{extra}
wire = running._wire
print(json.dumps([[*running.pids.values(), wire.supervisor.pid], str(wire.folder)]), flush=True)
sys.stdin.readline()
"""
WAIT = "time.sleep(600)\n"


def lives(pid):
    """Whether a process has not ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(pids, folder):
    """Wait until nothing is left of a run; fail if something stays."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        left = [pid for pid in pids if lives(pid)]
        if not left and not Path(folder).exists():
            return
        time.sleep(0.02)  # processes that are not our children tell nobody else
    pytest.fail(f"left: {left}, {folder} {'exists' if Path(folder).exists() else 'is gone'}")


def launch(tmp_path, then, extra=""):
    """A program that starts a run, says what it has started and does something; its process and what it said."""
    script = tmp_path / "launcher.py"
    script.write_text(LAUNCHER.format(extra=extra) + then)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    program = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=environment,
    )  # fmt: skip
    line = program.stdout.readline()
    assert line, program.stderr.read()
    pids, folder = json.loads(line)
    assert Path(folder).is_dir() and all(map(psutil.pid_exists, pids))
    program.stdin.write("go on\n")
    program.stdin.flush()
    return program, pids, folder


def finish(program):
    """Its exit status and standard error."""
    _, errors = program.communicate(timeout=SECONDS)
    return program.returncode, errors


@pytest.mark.parametrize(
    "then",
    ["", "running.stop()\n", "del running\n" + WAIT, "raise ValueError('x')\n", "os._exit(3)\n"],
    ids=["end of the program", "stop", "nobody holds it", "exception", "hard exit"],
)
def test_nothing_is_left_of_a_run(tmp_path, then):
    """A run needs no goodbye."""
    program, pids, folder = launch(tmp_path, then)
    gone(pids, folder)
    program.kill()
    finish(program)


@pytest.mark.parametrize("extra", ["", "running.pause('n2')"], ids=["running", "one stopped"])
def test_nothing_is_left_when_the_launcher_is_killed(tmp_path, extra):
    """SIGKILL gives it no time to put anything away; a stopped node would not even see its connection close."""
    program, pids, folder = launch(tmp_path, WAIT, extra)
    program.kill()
    finish(program)
    gone(pids, folder)


def test_a_forked_child_of_a_killed_launcher_keeps_nothing_alive(tmp_path):
    """The child holds a copy of the launcher's connection, so that it never closes."""
    extra = "child = os.fork()\nif not child: time.sleep(600)\nprint(child, file=sys.stderr, flush=True)"
    program, pids, folder = launch(tmp_path, WAIT, extra)
    child = int(program.stderr.readline())
    program.kill()
    program.wait()
    gone(pids, folder)
    os.kill(child, signal.SIGKILL)
    finish(program)


def test_ctrl_c_ends_the_run_and_only_by_the_launcher(tmp_path):
    """The signal goes to a terminal's whole group; the with statement does the rest."""
    then = "with running:\n    time.sleep(600)\n"
    program, pids, folder = launch(tmp_path, then)
    program.send_signal(signal.SIGINT)
    status, errors = finish(program)
    assert status == -signal.SIGINT and errors.rstrip().endswith("KeyboardInterrupt")
    gone(pids, folder)


def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path):
    """The nodes die with it, the launcher removes the folder and says what happened."""
    then = "try: running.wait(lambda states: False, 60)\nexcept Exception as error: sys.exit(str(error))\n"
    program, pids, folder = launch(tmp_path, then, "running.pause('n2')")
    os.kill(pids[-1], signal.SIGKILL)
    status, errors = finish(program)
    assert status == 1 and "the process that ran the nodes has ended; start the run again" in errors
    gone(pids, folder)


def test_nothing_is_left_when_the_machine_shuts_down(tmp_path):
    """It asks all processes at once to end."""
    program, pids, folder = launch(tmp_path, WAIT)
    for pid in (program.pid, *reversed(pids)):
        with contextlib.suppress(ProcessLookupError):        # the launcher may have ended the others already
            os.kill(pid, signal.SIGTERM)
    finish(program)
    gone(pids, folder)


def test_what_nobody_could_remove_the_next_run_removes(tmp_path, monkeypatch):
    """Launcher and supervisor killed at once: the nodes die, and the folder goes with the next start."""
    program, pids, folder = launch(tmp_path, WAIT)
    os.kill(pids[-1], signal.SIGSTOP)
    program.kill()
    os.kill(pids[-1], signal.SIGKILL)
    finish(program)
    os.utime(folder, (0, 0))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with start(raft.cluster(1, clients=0)):
        pass
    gone(pids, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["launcher.py"]


def test_a_start_that_fails_leaves_nothing(tmp_path, monkeypatch):
    """A machine without room for more open files: one sentence, no process, no folder."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    script = (
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))\n"
        "from dslab.live import start\nfrom dslab.protocols import raft\nstart(raft.cluster(5))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=SECONDS,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert answer.returncode == 1
    assert "LiveError: " in answer.stderr.splitlines()[-1] and "Too many open files" in answer.stderr.splitlines()[-1]
    assert {child.pid for child in psutil.Process().children(recursive=True)} == before
    assert list(tmp_path.iterdir()) == []


CELL = """
import asyncio, json
from dslab import Node, System, message
from dslab.live import start

@message
class Ping:
    \"\"\"{source} greets {target}.\"\"\"
    number: int

class Greeter(Node):
    shows = ("heard",)
    def on_start(self):
        self.heard = 0
        self.broadcast(Ping(1))
    def on_ping(self, sender, m):
        self.heard += m.number

assert asyncio.get_event_loop().is_running()
running = start(System(Greeter, 2), seed=1)
running.wait(lambda states: all(state.heard == 1 for state in states.values()), 60)
print(json.dumps([[*running.pids.values(), running._wire.supervisor.pid], str(running._wire.folder)]))
"""


def run_cell(client, code):
    """What a cell printed."""
    said = []
    reply = client.execute_interactive(
        code,
        timeout=SECONDS,
        output_hook=lambda message: said.append(message["content"].get("text") or message["content"].get("evalue", "")),
    )
    assert reply["content"]["status"] == "ok", said
    return "".join(said)


def test_a_class_from_a_notebook_runs_and_ends_with_its_kernel():
    """Cells have no file that a process could import; a restart of the kernel ends what it has started."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**os.environ, "PYTHONPATH": str(ROOT)})
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=SECONDS)
        first = json.loads(run_cell(client, CELL))
        second = json.loads(run_cell(client, CELL))  # the same cell again: the first run has no name any more
        gone(*first)
        assert all(map(psutil.pid_exists, second[0]))
        manager.restart_kernel(now=True)
        gone(*second)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_after_stop_only_the_trace_is_left():
    """A verb says so; a second stop does nothing."""
    with start(raft.cluster(1, clients=0)) as running:
        pass
    running.stop()
    assert running.pids == {} and repr(running).startswith("<raft on processes, seed 1, ended: n1 ")
    assert running.trace().until_us > 0
    with pytest.raises(LiveError, match="this run has ended"):
        running.heal()
