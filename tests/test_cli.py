"""The command line as a user meets it: real processes, their output and their exit status."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from dslab.commands import main as command_line
from dslab.commands.components import PARTS, find, interpreters, pythons, why_missing
from dslab.sim import Trace

ROOT = Path(__file__).resolve().parents[1]
RUN = ("run", "raft", "--nodes", "5", "--seed", "7", "--until", "10000")


def dslab(*arguments, python=sys.executable, flags=(), **variables) -> subprocess.CompletedProcess:
    """Run `python -m dslab` and return what it said."""
    return subprocess.run(
        [str(python), *flags, "-m", "dslab", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
    )


def one_line(done: subprocess.CompletedProcess, status: int = 2) -> str:
    """Assert that a command ended with this status and a single line of explanation; return the line."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert re.fullmatch(r"[^\n]+\n", done.stderr), done.stderr
    return done.stderr


def test_help_names_every_command():
    """Each with a sentence; commands whose part of the course is not here are not offered."""
    done = dslab("--help")
    assert done.returncode == 0
    for name in ("lab", "test", "doctor", "run", *filter(command_line.present, command_line.HANDED_OVER)):
        assert re.search(rf"^    {name}\s+\w", done.stdout, re.MULTILINE), name
    assert dslab().stdout == done.stdout


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("lab", ["--port N", "--no-browser"]),
        ("test", ["--all", "pytest arguments"]),
        (
            "run",
            [
                "SYSTEM",
                "--nodes N",
                "--seed S",
                "--until MS",
                "--schedule FILE.json",
                "--digest",
                "--json FILE",
            ],
        ),
    ],
)
def test_each_command_explains_its_arguments(command, options):
    """`--help` after a command, without any set-up."""
    done = dslab(command, "--help", flags=["-S"])
    assert done.returncode == 0
    assert [option for option in options if option not in done.stdout] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fly"], "choose from"),
        (["run"], "SYSTEM"),
        (["run", "raft", "--fast"], "--help"),
        (["run", "raftt"], "choose from abd, anti_entropy, "),
        (["run", "raft", "--nodes", "0"], "whole number from 1 to 1000"),
        (["run", "raft", "--seed", "x"], "whole number from 0 up"),
        (["run", "raft", "--until", "1.5"], "whole number"),
        (["run", "raft", "--schedule", "nowhere.json"], "takes a JSON file"),
        (["run", "raft", "--json", "nowhere/trace.json"], "cannot be written"),
        (["lab", "--port", "0"], "from 1 to 65535"),
        (["lab", "--port", "http"], "from 1 to 65535"),
        (["doctor", "now"], "--help"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments, says):
    """Exit status 2, nothing on standard output, and what is accepted."""
    assert says in one_line(dslab(*arguments))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON (line 1)"),
        ("[" * 100_000, "is not JSON"),
        ("{}", "a schedule is a list of actions"),
        ("[3]", "action"),
        ('[{"at": 1, "do": "crash", "node": "n9"}]', "n9"),
        ('[{"at": 1, "do": "explode", "node": "n1"}]', "explode"),
        ('[{"at": "soon", "do": "crash", "node": "n1"}]', "at"),
        ("\ud83d".encode("utf-16-le", "surrogatepass").decode("latin-1"), ""),
    ],
)
def test_a_bad_schedule_is_one_line_and_loses_nothing(tmp_path, text, says):
    """It names the action and the mistake; a trace that was written before is still there."""
    schedule, trace = tmp_path / "schedule.json", tmp_path / "trace.json"
    schedule.write_bytes(text.encode("latin-1"))
    trace.write_text("earlier", "utf-8")
    assert says in one_line(dslab("run", "raft", "--schedule", schedule, "--json", trace))
    assert trace.read_text("utf-8") == "earlier"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["schedule.json", "trace.json"]


def test_run_follows_the_schedule_and_writes_the_trace(tmp_path):
    """The file holds the very run whose digest is printed."""
    schedule, trace = tmp_path / "schedule.json", tmp_path / "trace.json"
    schedule.write_text(json.dumps([{"at": 1200, "do": "crash", "node": "n1"}]), "utf-8")
    done = dslab(*RUN, "--schedule", schedule, "--json", trace, "--digest")
    assert done.returncode == 0, done.stderr
    written = Trace.from_json(trace.read_text("utf-8"))
    assert done.stdout.strip() == written.digest()
    assert [event.node for event in written.events if event.kind == "crash"] == ["n1"]
    assert done.stdout != dslab(*RUN, "--digest").stdout


def test_run_without_digest_says_what_happened():
    """Counts, where each node ended, what held, and the digest: without any package installed."""
    done = dslab(*RUN, flags=["-S"])
    assert done.returncode == 0, done.stderr
    for line in (
        r"raft\.cluster\(5\), seed 7, 10000 ms",
        r"n1 +.*role=",
        r"held +\w",
        r"digest +[0-9a-f]{64}",
    ):
        assert re.search(rf"^{line}", done.stdout, re.MULTILINE), line


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_digest_is_the_same_everywhere(version):
    """Any Python, any hash seed, no packages: one line (a run is a function of its inputs)."""
    reason = why_missing(f"python{version}")
    if reason:
        (pytest.fail if os.environ.get("DSLAB_TEST_ALL") else pytest.skip)(reason)
    here = dslab(*RUN, "--digest").stdout
    assert re.fullmatch(r"[0-9a-f]{64}\n", here)
    python = find(f"python{version}").path
    for hash_seed in ("0", "1", "random"):
        done = dslab(*RUN, "--digest", python=python, flags=["-S"], PYTHONHASHSEED=hash_seed)
        assert (done.stdout, done.stderr) == (here, ""), f"{python} with PYTHONHASHSEED={hash_seed}"


def test_interpreters_of_a_version_manager_are_found(tmp_path, monkeypatch):
    """Its folder of versions is searched, not only its stubs on PATH."""
    python = tmp_path / "versions" / "3.11.99" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert os.name == "nt" or python in list(interpreters())
    assert ".".join(map(str, sys.version_info[:2])) in pythons()


@pytest.mark.skipif(os.name == "nt", reason="sends a signal as Unix does")
def test_ctrl_c_ends_a_run_with_one_line():
    """Exit status 130 and no traceback, in the middle of the simulation."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dslab", "run", "raft", "--nodes", "50", "--until", "1000000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watched = psutil.Process(process.pid)
    wait_until(lambda: watched.cpu_times().user > 1.5)  # past the imports, at work
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "Stopped.\n")


def test_doctor_lists_every_part_without_packages():
    """Found, version, why not and how to get it, on a Python with nothing installed."""
    done = dslab("doctor", flags=["-S"])
    assert done.returncode == 0, done.stderr
    for name, part in PARTS.items():
        row = re.search(rf"^{name} +(yes|no) +(.+)$", done.stdout, re.MULTILINE)
        assert row, name
        assert row[1] == "yes" or part.get in row[2]


def test_a_missing_part_is_explained(monkeypatch):
    """The sentence that a left-out test shows: what is missing and how to get it."""
    monkeypatch.setitem(PARTS, "haproxy", type(PARTS["haproxy"])(("no-such-program",), "labs", "haproxy.org"))
    find.cache_clear()
    assert why_missing("haproxy") == "needs haproxy: no no-such-program on PATH; get it: haproxy.org"
    find.cache_clear()


# lab: a real server, in this environment

LAB = "import sys; from dslab.commands.lab import lab; sys.exit(lab({port}, browser={browser}))"


def wait_until(condition, seconds: float = 120):
    """Poll until a condition is true and return its value; fail after a time that no machine needs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)  # between two looks; what is awaited is the condition
    raise AssertionError("it did not happen")


def start_lab(home: Path, port=None, browser=False) -> subprocess.Popen:
    """A server as `dslab lab` starts it, with its own settings; what it says goes to the file "said"."""
    variables = {**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")}
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR"):
        variables.pop(name, None)
    with (home / "said").open("w", encoding="utf-8") as out:
        return subprocess.Popen(
            [sys.executable, "-c", LAB.format(port=port, browser=browser)],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def announced(process: subprocess.Popen, home: Path) -> tuple[re.Match, str]:
    """The address that a server says it is at, once it does, and all it said."""
    said = home / "said"
    wait_until(lambda: "Ctrl-C here stops it" in said.read_text("utf-8") or process.poll() is not None)
    lines = said.read_text("utf-8")
    address = re.search(
        r"^JupyterLab is at (http://127\.0\.0\.1:(\d+)/\S+\?token=(\w+))$", lines, re.MULTILINE
    )
    assert address, lines
    return address, lines


@contextlib.contextmanager
def running_lab(home: Path, port=None, browser=False):
    """A server that answers; yields process, address and lines."""
    process = start_lab(home, port, browser)
    try:
        yield process, *announced(process, home)
    finally:
        process.kill()
        process.wait()


def ask(address, path: str, body: bytes | None = None):
    """One request to the running server."""
    url = f"http://127.0.0.1:{address[2]}/{path}?token={address[3]}"
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=30) as answer:
        return json.loads(answer.read())


@pytest.mark.skipif(os.name == "nt", reason="sends signals as Unix does")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_lab_answers_and_leaves_nothing_behind(tmp_path, how):
    """It serves the page it names, starts a kernel, and takes that along when it is stopped by its id."""
    with running_lab(tmp_path) as (process, address, _):
        with urllib.request.urlopen(address[1], timeout=30) as page:
            assert page.status == 200
        kernel = ask(address, "api/kernels", b'{"name": "python3"}')["id"]
        wait_until(lambda: ask(address, f"api/kernels/{kernel}")["execution_state"] in ("idle", "starting"))
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        process.send_signal(how)
        assert process.wait(timeout=60) == 0
        wait_until(lambda: not any(child.is_running() and child.status() != "zombie" for child in family))


def test_lab_takes_the_next_free_port_and_says_so(tmp_path):
    """Somebody else has the usual one; and without a browser the address is there to be copied."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the last test's connections linger
        with contextlib.suppress(OSError):  # another program listens there: as good
            taken.bind(("127.0.0.1", 8888))
            taken.listen()
        with running_lab(tmp_path, browser=os.name != "nt") as (_, address, lines):
            assert f"Port 8888 is in use: taking {address[2]}\n" in lines
            assert ("No browser can be opened here" in lines) == (sys.platform == "linux")


def test_labs_that_start_at_once_take_different_ports(tmp_path):
    """Each listens from the moment it chose, so nobody else chooses the same."""
    homes = [tmp_path / name for name in ("anna", "ben", "cleo")]
    for home in homes:
        home.mkdir()
    processes = [start_lab(home) for home in homes]
    try:
        addresses = [announced(*started)[0] for started in zip(processes, homes)]
        assert len({address[2] for address in addresses}) == 3
        assert all(ask(address, "api/status")["kernels"] == 0 for address in addresses)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_lab_refuses_a_port_in_use_with_one_line(tmp_path):
    """The user asked for that port and no other."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        program = LAB.format(port=port, browser=False)
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
    assert f"Port {port} is in use" in one_line(done)


@pytest.mark.skipif(os.name == "nt", reason="uses a Unix pipe")
def test_a_reader_that_has_enough_is_no_error():
    """`python -m dslab doctor | head -1` ends without a word."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "dslab", "doctor"], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    assert done.stderr == b""


def test_an_interrupt_anywhere_is_130(monkeypatch, capsys):
    """The last resort of the command line."""
    monkeypatch.setattr(command_line, "dispatch", lambda argv: (_ for _ in ()).throw(KeyboardInterrupt))
    assert command_line.main(["doctor"]) == 130
    assert capsys.readouterr().err == "Stopped.\n"
