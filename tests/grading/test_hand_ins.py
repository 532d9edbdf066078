"""The grader against its own set: honest, wrong, resource-hungry and hostile hand-ins all get what is fair."""

from __future__ import annotations

import base64
import contextlib
import gzip
import html
import json
import multiprocessing
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import threading
import zlib
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hand_ins import HandIn, hand_ins
from hand_ins.courses import Course

from dslab.grading import sandbox, worker

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the grader's sandbox needs Linux")

SECONDS = {"honest": 20.0, "wrong": 20.0, "hungry": 2.0, "hostile": 2.0}  # of the student's code, in one cell
HIDDEN_KEYS = {"id", "exercise", "title", "status", "points", "max_points", "hidden"}
SET = [pytest.param(kind, one, id=f"{kind}-{one.name}") for kind, some in hand_ins().items() for one in some]
LEFT = "dslab-test-left-behind"


@cache
def course(name: str) -> Course:
    return Course(name)


class Listener:
    """Ports on which nobody may knock; `heard` has who did."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port = self.sockets[0].getsockname()[1]
        self.sockets.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        self.sockets[1].bind(f"\0dslab-test-{self.port}")
        self.sockets[1].listen()
        self.sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.sockets[2].bind(("127.0.0.1", self.port))
        self.threads = [threading.Thread(target=self.listen, args=[one], daemon=True) for one in self.sockets]
        for thread in self.threads:
            thread.start()

    def listen(self, one: socket.socket) -> None:
        while True:
            try:
                who = one.recvfrom(100)[1] if one.type == socket.SOCK_DGRAM else one.accept()[1]
            except OSError:
                return
            if who is not None:  # None: it was shut down
                self.heard.append(str(who))

    def close(self) -> None:
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # wakes the thread
            one.close()


class Grader:
    """Two workers with a private folder for temporary files, and what hand-ins try to reach."""

    def __init__(self, folder: Path) -> None:
        self.listener = Listener()
        self.temporary, self.outside = folder / "temporary", folder / "outside"
        self.temporary.mkdir()
        self.outside.mkdir()
        self.outside.chmod(0o777)
        self.instructor = folder / "teacher" / "instructor.ipynb"
        self.instructor.parent.mkdir()
        self.instructor.write_text(json.dumps(course("functions").instructor), "utf-8")
        self.before = self.instructor.stat()
        self.places = {
            "PORT": str(self.listener.port),
            "OUTSIDE": str(self.outside),
            "INSTRUCTOR": str(self.instructor),
        }
        self.layers = tuple(layer.name for layer in sandbox.probe() if layer.works)
        os.environ["TMPDIR"] = str(self.temporary)
        self.pool = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))
        self.futures: dict[str, Future[dict[str, Any]]] = {}

    def submit(self, kind: str, hand_in: HandIn) -> None:
        made = course(hand_in.assignment)
        data = made.data(hand_in, self.places)
        task = worker.Task(made.assignment, hand_in.name, data, SECONDS[kind], self.layers)
        self.futures[hand_in.name] = self.pool.submit(worker.grade_task, task)

    def close(self) -> None:
        self.pool.shutdown(cancel_futures=True)
        self.listener.close()


@pytest.fixture(scope="module")
def grader(request, tmp_path_factory):
    """Grades all hand-ins of the tests that were asked for, two at a time."""
    before = os.environ.get("TMPDIR")
    made = Grader(tmp_path_factory.mktemp("grader"))
    for item in request.session.items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        if item.path == Path(__file__) and "hand_in" in params:
            made.submit(params["kind"], params["hand_in"])
    yield made
    made.close()
    if before is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = before


def unfair(kind: str, hand_in: HandIn, result: dict[str, Any]) -> list[str]:
    """What is not as it should be, one sentence each."""
    assignment, found = course(hand_in.assignment).assignment, []
    checks = {check["id"]: check for check in result["json"]["checks"]}
    by_hand = {check.id for check in assignment.checks if check.by_hand}
    for check in assignment.checks:
        got = checks[check.id]
        wanted = "not run" if check.id in by_hand else hand_in.statuses.get(check.id, "passed")
        if got["status"] not in wanted.split("|"):
            found.append(f"{check.id} is {got['status']}, not {wanted}: {got.get('message', '')}")
        if got["points"] != (check.points if got["status"] == "passed" else 0):
            found.append(f"{check.id} is {got['status']} and has {got['points']} points")
        if check.hidden and not set(got) <= HIDDEN_KEYS:
            found.append(f"the hidden {check.id} says {set(got) - HIDDEN_KEYS}")
    said = [json.dumps(check, ensure_ascii=False) for check in checks.values() if not check["hidden"]]
    if hand_in.says and not any(hand_in.says in text for text in said):
        lost = [check.get("message", "") for check in checks.values() if check["status"] != "passed"]
        found.append(f"no message has {hand_in.says!r}: {lost}")
    kinds, wanted_kinds = {flag["kind"] for flag in result["json"]["flags"]}, set(hand_in.flags)
    if not wanted_kinds <= kinds or (kind in ("honest", "wrong") and kinds != wanted_kinds):
        found.append(f"flags {result['json']['flags']}, not {sorted(wanted_kinds)}")
    return found


def readings(text: str) -> list[str]:
    """A text as it is, without marks between digits, unescaped, and what is packed in it."""
    found = [text, html.unescape(html.unescape(text)), re.sub(r"(?<=\d)[\s,_'.](?=\d)", "", text)]
    for blob in set(re.findall(r"[A-Za-z0-9+/_-]{20,}={0,2}", text)):
        letters = blob.rstrip("=").replace("-", "+").replace("_", "/")
        letters = letters[:-1] if len(letters) % 4 == 1 else letters
        data = base64.b64decode(letters + "==")
        unpacked = [data]
        for unpack in (gzip.decompress, zlib.decompress, lambda packed: zlib.decompress(packed, -15)):
            with contextlib.suppress(OSError, EOFError, zlib.error):
                unpacked.append(unpack(data))
        found += [one.decode("latin-1") for one in unpacked]
    return found


def leaks(name: str, text: str) -> list[str]:
    """Which secrets of an assignment's hidden checks are in a text."""
    shown = readings(text)
    return [secret for secret in course(name).canaries() if any(secret in one for one in shown)]


def test_a_packed_secret_is_found():
    """The search below sees through escapes, separators and compression."""
    (secret,) = [one for one in course("functions").canaries() if one == "58210937"]
    packed = base64.b64encode(gzip.compress(bytes(range(40)) + secret.encode())).decode()
    raw = zlib.compressobj(wbits=-15)
    raw_packed = base64.b64encode(raw.compress(bytes(range(40)) + secret.encode()) + raw.flush()).decode()
    for text in (secret, f"src='{packed}'", f'"{raw_packed}"', "58,210,937", "58_210_937", "58210937&amp;"):
        assert secret in leaks("functions", text)
    assert leaks("functions", "58210936") == []


@pytest.mark.parametrize(("kind", "hand_in"), SET)
def test_a_hand_in_gets_its_fair_points(grader, kind, hand_in):
    """Each check has a fair status, the others their points; a lie is a wrong answer; nothing hidden is told."""
    result = grader.futures[hand_in.name].result()
    assert "problem" not in result["json"]
    problems = unfair(kind, hand_in, result)
    assert not problems, "\n".join(problems)
    told = json.dumps([result["json"], result["runs"]], ensure_ascii=False)
    assert len(told) < 20_000_000
    assert "<script>alert" not in "".join(result["runs"].values())
    assert leaks(hand_in.assignment, told) == []


def left_processes(grader: Grader) -> list[int]:
    """Processes that know the grader's private folder, or that a hand-in started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                about = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            except OSError:
                continue
            ours = str(grader.temporary).encode() in about and b"resource_tracker" not in about
            if ours or b"86397" in about:
                found.append(int(entry.name))
    return found


def left_files(grader: Grader) -> list[str]:
    """Files outside a scratch folder that hand-ins or the grader left."""
    places = [
        *map(Path, ("/tmp", "/dev/shm", "/var/tmp", "/etc", "/")),
        Path.home(),
        Path.cwd(),
        grader.instructor.parent,
    ]
    found = [one for place in places for one in place.glob(f"*{LEFT}*")]
    found += [*grader.temporary.iterdir(), *grader.outside.iterdir()]
    return [str(one) for one in found]


def test_nothing_is_left_behind(grader):
    """No process, no file, no connection, no shared memory; the instructor's notebook is as it was."""
    for future in grader.futures.values():
        future.exception()
    grader.close()
    processes, files = left_processes(grader), left_files(grader)
    try:
        assert processes == [], [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in processes]
        assert files == []
        assert grader.listener.heard == []
        after = grader.instructor.stat()
        assert (after.st_mtime_ns, after.st_mode, after.st_nlink) == (
            grader.before.st_mtime_ns, grader.before.st_mode, grader.before.st_nlink)  # fmt: skip
        assert json.loads(grader.instructor.read_text("utf-8")) == course("functions").instructor
        for kind in ("shm", "msg", "sem"):
            keys = Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
            assert not any(int(line.split()[0]) == 0x5D51AB for line in keys)
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGKILL)
        for file in map(Path, files):
            shutil.rmtree(file) if file.is_dir() and not file.is_symlink() else file.unlink()


def test_the_set_is_large_enough():
    """At least forty hand-ins in the four kinds, each with a name of its own."""
    names = [one.name for some in hand_ins().values() for one in some]
    assert len(set(names)) == len(names) >= 40 and all(len(some) >= 10 for some in hand_ins().values())


def test_temporary_files_are_private(grader):
    """The folder that is looked at is the one that workers use."""
    assert tempfile.gettempdir() != str(grader.temporary) and os.environ["TMPDIR"] == str(grader.temporary)
