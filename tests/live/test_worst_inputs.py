"""What students and machines come up with: each ends in one sentence, and nothing is left behind."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from dslab.live import LiveError, start
from dslab.live.codec import LONGEST_MESSAGE
from dslab.protocols import raft
from dslab.sim import (
    BudgetError,
    DeterminismError,
    MessageError,
    Node,
    NodeError,
    System,
    message,
    simulate,
)

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60
spec = importlib.util.spec_from_file_location("nodes_of_worst_inputs", Path(__file__).with_name("nodes.py"))
nodes = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(nodes)


@message
class Blob:
    """{source} sends {target} a lot."""

    data: str


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    yield
    assert {child.pid for child in psutil.Process().children(recursive=True)} == before
    assert [path for path in tmp_path.iterdir() if path.name.startswith("dslab-live-")] == []


class Divides(Node):
    """Fails when it hears of zero."""

    def on_start(self):
        self.broadcast(nodes.Add(0))

    def on_add(self, sender, m):
        return 1 / m.amount


class DividesWhenAsked(Divides):
    """Says zero only when a client asks, so that the run begins before it ends."""

    def on_start(self):
        pass

    def on_client_request(self, sender, m):
        self.broadcast(nodes.Add(0))


class Deaf(Node):
    """Has no handler for what it is sent."""

    def on_start(self):
        self.broadcast(nodes.Add(0))


class Counts(Node):
    """Uses a timer that has no handler."""

    def on_start(self):
        self.set_timer("beet", after=1)

    def on_beat_timeout(self):
        """Never."""


class Shouts(Node):
    """Sends what is no message."""

    def on_start(self):
        self.broadcast("hello")


class Wanders(Node):
    """Sends to a node that is not there."""

    def on_start(self):
        self.send("n7", nodes.Add(1))


class Hides(Node):
    """Shows what it does not have."""

    shows = ("nothing",)

    def on_start(self):
        self.something = 1


class Hoards(Node):
    """Saves what cannot be saved."""

    durable = {"box": None}

    def on_start(self):
        self.box = object()


class Sleeps(Node):
    """Uses a real clock in a way that only a run can find."""

    def on_start(self):
        getattr(__import__("time"), "sle" + "ep")(0)


@pytest.mark.parametrize("server", [Divides, Deaf, Counts, Shouts, Wanders, Hides, Hoards, Sleeps])
def test_a_fault_in_a_class_is_told_as_in_the_simulator(server):
    """The same kind of error with the same words, but for the time and the first node to fail."""
    with pytest.raises((NodeError, MessageError)) as simulated:
        simulate(System(server, 2), seed=1)
    with pytest.raises((NodeError, MessageError)) as live, start(System(server, 2), seed=1) as running:
        running.wait(lambda states: False, SECONDS)

    def words(error):
        return re.sub(r"at [\d.]+ ms", "at T ms", re.sub(r"\bn[12]\b", "n#", str(error.value)))

    assert type(live.value) is type(simulated.value)
    assert words(live) == words(simulated)


def test_the_trace_until_a_failure_can_be_seen():
    """The run is over, what happened before is not lost."""
    running = start(System(DividesWhenAsked, 2, clients=1), seed=1)
    with pytest.raises(NodeError, match=r"n\d in on_add at .* ms \(Add\(amount=0\) from n\d\): ZeroDivisionError"):
        running.request("divide", to="n1")                   # the first that can hear of it
        running.wait(lambda states: False, SECONDS)
    with pytest.raises(NodeError, match="ZeroDivisionError"):
        running.heal()
    running.stop()
    assert "Add" in [m.type for m in running.trace().messages]


class Loops(Node):
    """Never returns."""

    def on_start(self):
        while True:
            pass


def test_a_handler_that_never_returns_is_stopped():
    """By the watchdog of its own process."""
    with pytest.raises(NodeError, match=r"n1 in on_start at .* ms: it did not return"):
        start(System(Loops, 1), seed=1)


class Floods(Node):
    """Sends without end."""

    def on_start(self):
        while True:
            self.broadcast(nodes.Add(1))


def test_a_handler_that_sends_without_end_is_stopped():
    """At the simulator's limit."""
    with pytest.raises(BudgetError, match="it sent more than 10,000 messages in one call"):
        start(System(Floods, 2), seed=1)


class Leaves(Node):
    """Ends its process."""

    def on_start(self):
        raise SystemExit(4)


def test_a_handler_that_ends_its_process_is_not_taken_for_a_crash():
    """A crash comes from outside."""
    with pytest.raises(NodeError, match="n1's process ended by itself with status 4"), start(System(Leaves, 1)) as run:
        run.wait(lambda states: False, SECONDS)


class Mails(Node):
    """Sends many bytes to its peer and counts what comes."""

    size = 0

    def on_start(self):
        self.came = 0
        self.broadcast(Blob("x" * self.size))

    def on_blob(self, sender, m):
        self.came = len(m.data)


def test_a_large_message_arrives():
    """Ten million bytes pass a link, and stand in the trace."""
    with start(System(Mails, 2, options={"size": 10_000_000}), seed=1) as running:
        running.wait(lambda states: states["n2"].came == states["n1"].came == 10_000_000, SECONDS)
    assert [len(m.fields["data"]) for m in running.trace().messages] == [10_000_000] * 2


def test_a_huge_message_is_refused():
    """Fifty million bytes are not a message."""
    words = rf"n\d in on_start at .* ms: the Blob to n\d has 50,000,\d\d\d bytes, .* up to {LONGEST_MESSAGE:,}; send it"
    with pytest.raises(MessageError, match=words):
        start(System(Mails, 2, options={"size": 50_000_000}), seed=1)


class Locked(Node):
    """Holds what no other process can have."""

    lock = threading.Lock()

    def on_start(self):
        self.free = not self.lock.locked()


def test_a_class_that_cannot_be_copied_is_refused():
    """Before any process starts."""
    with pytest.raises(NodeError, match=r"class Locked cannot be copied into a process of its own: cannot pickle"):
        start(System(Locked, 2))


class Random(Node):
    """Draws from a source that the run does not seed."""

    def on_start(self):
        import random

        self.number = random.random()


def test_a_class_that_the_simulator_refuses_is_refused():
    """One class, one set of rules."""
    with pytest.raises(DeterminismError, match="uses random in on_start"):
        start(System(Random, 2))


class Prints(Node):
    """Prints."""

    def on_start(self):
        print("hello from", self.id)


def test_what_a_handler_prints_reaches_whoever_started_the_run(capfd):
    """As in the simulator."""
    with start(System(Prints, 1)) as running:
        running.wait(lambda states: "hello from n1\n" in capfd.readouterr().out or states["n1"].status != "up", SECONDS)
        assert running.states()["n1"].status == "up"


@pytest.mark.parametrize(
    ("system", "seed", "words"),
    [
        (raft.cluster(25), 1, "26 nodes are too many processes; take up to 20"),
        (raft, 1, "a run needs a System"),
        (raft.cluster(3), "x", "a seed is a whole number, not 'x'"),
        (raft.cluster(3), True, "a seed is a whole number, not True"),
    ],
)
def test_a_wrong_argument_is_refused(system, seed, words):
    """One sentence that says what is accepted."""
    with pytest.raises(Exception, match=words) as error:
        start(system, seed=seed)
    assert type(error.value).__module__.startswith("dslab.")


def limited(limit, program):
    """The last line of what a program says to standard error under a limit of this machine."""
    script = f"import resource\nresource.setrlimit(resource.{limit[0]}, ({limit[1]}, {limit[1]}))\n" + program
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=SECONDS,
                            env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert answer.returncode == 1, answer
    return answer.stderr.splitlines()[-1]


GROWS = """
from dslab.live import start
from dslab import ClientReply, Node, System

class Grows(Node):
    durable = {"text": ""}
    def on_client_request(self, sender, m):
        self.text += "x" * m.command
        self.send(sender, ClientReply(m.number, True, len(self.text)))

with start(System(Grows, 1, clients=1), seed=1) as running:
    for _ in range(10):
        print(running.request(1000).result(60), flush=True)
"""


def test_a_full_disk_is_told():
    """A limit on the size of files has the same effect."""
    said = limited(("RLIMIT_FSIZE", 5000), GROWS)
    assert "NodeError: n1 in on_client_request" in said
    assert "its durable attributes cannot be saved (File too large); make room on the disk" in said


def test_a_folder_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    """No place for the nodes' disks."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    program = (
        "import tempfile\ntempfile.gettempdir = lambda: '/proc'\ntempfile.tempdir = '/proc'\n"
        "import sys, runpy\nsys.argv = ['supervisor', sys.argv[1]]\n"
        "runpy.run_module('dslab.live.supervisor', run_name='__main__')\n"
    )
    from dslab.live import wire

    started = wire.subprocess.Popen

    def popen(command, **rest):
        return started([command[0], "-P", "-c", program, command[-1]], **rest)

    monkeypatch.setattr(wire.subprocess, "Popen", popen)
    with pytest.raises(LiveError, match=r"there is no folder for the nodes' disks: .*/proc"):
        start(raft.cluster(3))


def test_strangers_on_a_port_are_not_listened_to():
    """A connection that does not begin with the run's secret is closed; the run goes on."""
    import socket

    with start(System(nodes.Counter, 2, clients=1), seed=1) as running:
        family = [psutil.Process(pid) for pid in [*running.pids.values(), running._wire.supervisor.pid]]
        ports = [c.laddr.port for p in family for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        assert len(ports) == 3 + 6
        for port in ports:
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as stranger:
                stranger.sendall(b"x" * 400)
                with contextlib.suppress(ConnectionError):
                    assert stranger.recv(1) == b""
        assert running.request(1).result(SECONDS) == 1
