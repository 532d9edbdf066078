"""Attacks on the sandbox, each really tried: it must fail inside, and work where the layer is left out.

Run as a script this file is the zygote's stand-in: a process with one thread which starts children and prints, as
JSON, what came of them. pytest itself has threads and must not fork.
"""

from __future__ import annotations

import contextlib
import ctypes
import encodings.idna  # noqa: F401  an address needs it, and the test's ordinary user cannot read this interpreter
import errno
import json
import mmap
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

from dslab.grading import sandbox

with contextlib.suppress(ImportError):  # another system has neither, and skips what needs them
    import fcntl
    import resource

MIB = 2**20
LIMITS = sandbox.Limits(memory_bytes=64 * MIB, cpu_seconds=20, file_bytes=4 * MIB, open_files=64)
FULL = list(sandbox.LAYERS)
NO_TREE = [name for name in FULL if name != "mount"]
NO_LANDLOCK = [name for name in FULL if name != "landlock"]
LIBC = ctypes.CDLL(None, use_errno=True) if hasattr(os, "fork") else None
ARM = platform.machine() == "aarch64"


# --- attacks: what was gained is returned; nothing, or an exception, is a failure ----------------------------------


def libc(name, *arguments):
    """A function of the C library, with its error as an exception."""
    result = getattr(LIBC, name)(*(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
    if result == -1:
        raise OSError(ctypes.get_errno(), name)
    return result


def read_secret(c):
    return c.secret.read_text()


def read_secret_through_a_link(c):
    Path("link").symlink_to(c.secret)
    return Path("link").read_text()


def read_secret_by_climbing(c):
    return Path("../" * 20 + str(c.secret)).read_text()


def read_users(c):
    return Path("/etc/passwd").read_text()


def list_the_root(c):
    return {"home", "proc"} & {path.name for path in Path("/").iterdir()}


def list_outside(c):
    return list(c.outside.iterdir())


def read_own_environment(c):
    return Path("/proc/self/environ").read_bytes() + b"."


def read_environment_of_parent(c):
    return Path(f"/proc/{c.parent}/environ").read_bytes() + b"."


def read_memory_of_parent(c):
    with Path(f"/proc/{c.parent}/mem").open("rb") as memory:
        return memory.fileno()


def write_outside(c):
    return (c.outside / "new").write_text("x")


def write_outside_through_a_link(c):
    Path("folder").symlink_to(c.outside)
    return Path("folder/new").write_text("x")


def overwrite(c):
    return c.victim.write_text("x")


def truncate(c):
    os.truncate(c.victim, 0)
    return "cut"


def delete(c):
    c.victim.unlink()
    return "deleted"


def move_in(c):
    return str(c.victim.rename("mine"))


def move_out(c):
    Path("own").write_text("x")
    return str(Path("own").rename(c.outside / "own"))


def link_in(c):
    os.link(c.victim, "mine")
    return Path("mine").read_text()


def change_mode(c):
    c.victim.chmod(0o777)
    return "changed"


def change_mode_of_own(c):
    Path("own").write_text("x")
    Path("own").chmod(0o4777)
    return "changed"


def change_owner(c):
    os.chown(c.victim, os.getuid(), os.getgid())
    return "changed"


def change_time(c):
    os.utime(c.victim, (0, 0))
    return "changed"


def write_to_shared_memory(c):
    path = Path("/dev/shm", c.name)
    path.write_text("x")
    path.unlink()
    return "written"


def connect_tcp(c):
    return socket.create_connection(("127.0.0.1", c.tcp), timeout=5).fileno()


def send_udp(c):
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", c.udp))


def connect_unix(c):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(c.unix))
        return client.fileno()


def connect_abstract(c):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(b"\0" + c.name.encode())
        return client.fileno()


def listen(c):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        return server.getsockname()


def pass_a_file_on(c):
    """A pair of local sockets is allowed, for asyncio has one; what could go through it is not."""
    one, other = socket.socketpair()
    with one, other:
        return socket.send_fds(one, [b"x"], [0])


def fork(c):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def fork_by_number(c):
    pid = libc("syscall", 220 if ARM else 56, int(signal.SIGCHLD), 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def run_a_shell(c):
    return os.system("true") == 0


def run_a_program(c):
    return subprocess.run([c.true], check=True, close_fds=False).args


def spawn_a_program(c):
    pid = os.posix_spawn(c.true, [c.true], {})
    return os.waitpid(pid, 0)[1] == 0


def become_a_program(c):
    """Only a refusal comes back: the control run would be another program."""
    os.execv(c.true, [c.true])


def trace_the_parent(c):
    return libc("ptrace", 0x4206, c.parent, 0, 0) == 0  # PTRACE_SEIZE does not stop it


def ask_to_be_traced(c):
    return libc("ptrace", 0, 0, 0, 0) == 0


def signal_the_parent(c):
    os.kill(c.parent, 0)
    return "reached"


def signal_everybody(c):
    os.kill(-1, 0)
    return "reached"


def open_the_parent(c):
    return libc("syscall", 434, c.parent, 0)  # pidfd_open


def have_a_signal_sent(c):
    fcntl.fcntl(c.wire, 8, c.parent)  # F_SETOWN
    return "set"


def outlive_the_parent(c):
    return libc("prctl", 1, 0, 0, 0, 0) == 0  # PR_SET_PDEATHSIG


def take_much_memory(c):
    return len(bytearray(128 * MIB))


def take_memory_in_pieces(c):
    pieces = []
    while len(pieces) < 128:
        pieces.append(bytearray(MIB))
    return len(pieces)


def map_much_memory(c):
    return len(mmap.mmap(-1, 128 * MIB))


def start_many_threads(c):
    go, threads = threading.Event(), []
    old = threading.stack_size(64 * 1024)
    try:
        while len(threads) < 200:
            threads.append(threading.Thread(target=go.wait))
            threads[-1].start()
    finally:
        go.set()
        for thread in threads:
            if thread.ident:
                thread.join()
        threading.stack_size(old)
    return len(threads)


def open_many_files(c):
    files = []
    try:
        while len(files) < 200:
            files.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for file in files:
            os.close(file)
    return len(files)


def write_a_large_file(c):
    try:
        with Path("large").open("wb", buffering=0) as file:
            for _ in range(8):
                assert file.write(bytes(MIB)) == MIB, "cut short"
    finally:
        Path("large").unlink()
    return "written"


def write_many_files(c):
    names = [Path(f"part{number}") for number in range(16)]
    try:
        for name in names:
            name.write_bytes(bytes(MIB))
    finally:
        for name in names:
            name.unlink(missing_ok=True)
    return "written"


def raise_a_limit(c):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard + 1))
    return hard


def change_a_limit_of_the_parent(c):
    return str(resource.prlimit(c.parent, resource.RLIMIT_CORE, (0, 0)))


def new_user_namespace(c):
    return libc("unshare", 0x10000000) == 0


def new_mount_namespace(c):
    return libc("unshare", 0x00020000) == 0


def mount_a_disk(c):
    return libc("mount", b"none", b".", b"tmpfs", 0, None) == 0


def unmount_the_scratch(c):
    return libc("umount2", b".", 2) == 0


def change_root(c):
    os.chroot(".")
    return "changed"


def become_root(c):
    os.setuid(0)
    return os.getuid() == 0


def make_a_device(c):
    os.mknod("null", 0o600 | 0o020000, os.makedev(1, 3))
    return "made"


def read_a_segment_of_shared_memory(c):
    return libc("shmget", c.key, 0, 0) >= 0


def run_from_memory(c):
    return libc("memfd_create", b"x", 0)


def type_into_the_terminal(c):
    fcntl.ioctl(0, 0x5412, b"x")  # TIOCSTI
    return "typed"


def open_another_file_descriptor(c):
    """Whatever the parent had open: its sockets, its pipes, this file."""
    return [fd for fd in range(3, 1024) if fd != c.wire and is_open(fd)]


def read_the_secret_of_the_environment(c):
    LIBC.getenv.restype = ctypes.c_char_p
    return os.environ.get("DSLAB_SECRET") or LIBC.getenv(b"DSLAB_SECRET")


def read_what_only_root_may(c):
    return c.roots.read_text()


def is_allowed(action):
    try:
        action()
    except OSError:
        return False
    return True


def is_open(fd):
    return is_allowed(lambda: os.fstat(fd))


# An attack and the layers with which it works: none of them, where nothing else is said. None: there is no such
# control, because `start` always stops it, or because it would hurt the machine that runs the tests.
ATTACKS = {
    attack: []
    for attack in [
        read_secret, read_secret_through_a_link, read_secret_by_climbing, read_users, list_the_root, list_outside,
        read_own_environment, read_environment_of_parent, read_memory_of_parent, write_outside,
        write_outside_through_a_link, overwrite, truncate, delete, move_in, move_out, link_in, change_mode,
        change_mode_of_own, change_owner, change_time, write_to_shared_memory, connect_tcp, send_udp, connect_unix,
        connect_abstract, listen, pass_a_file_on, fork, fork_by_number, run_a_shell, run_a_program, spawn_a_program,
        ask_to_be_traced, signal_the_parent, open_the_parent, have_a_signal_sent, outlive_the_parent, take_much_memory,
        take_memory_in_pieces, map_much_memory, start_many_threads, open_many_files, write_a_large_file,
        write_many_files, change_a_limit_of_the_parent, new_user_namespace, read_a_segment_of_shared_memory,
        run_from_memory,
    ]
}  # fmt: skip
ATTACKS |= {new_mount_namespace: ["user"], change_root: ["user"], mount_a_disk: ["user", "mount"]}
ATTACKS |= dict.fromkeys(
    [
        become_a_program, trace_the_parent, signal_everybody, raise_a_limit, unmount_the_scratch, become_root,
        make_a_device, type_into_the_terminal, open_another_file_descriptor, read_the_secret_of_the_environment,
    ]
)  # fmt: skip
# Those on files are tried without the private tree and without Landlock too: each of the two must stop them alone.
ON_FILES = list(ATTACKS)[: list(ATTACKS).index(connect_tcp)]
# What each layer stops alone: the layer, the others that it needs, the attack, the version of Landlock it takes.
ALONE = [
    ("pid", ["user"], signal_the_parent, 0),
    ("net", ["user"], connect_tcp, 0),
    ("net", ["user"], send_udp, 0),
    ("net", ["user"], connect_abstract, 0),
    ("ipc", ["user"], read_a_segment_of_shared_memory, 0),
    ("mount", ["user"], read_secret, 0),
    ("mount", ["user"], write_many_files, 0),
    ("landlock", [], read_secret, 1),
    ("landlock", [], write_outside, 1),
    ("landlock", [], truncate, 3),
    ("landlock", [], connect_tcp, 4),
    ("landlock", [], connect_abstract, 6),
    ("landlock", [], signal_the_parent, 6),
    ("seccomp", [], fork, 0),
    ("seccomp", [], connect_tcp, 0),
    ("seccomp", [], outlive_the_parent, 0),
    ("no_new_privs", ["user"], change_root, 0),
    ("rlimits", [], take_much_memory, 0),
    ("rlimits", ["user"], open_many_files, 0),
]
AS_ROOT = [("user", ["mount"], read_what_only_root_may, 0), ("user", ["mount", "rlimits"], start_many_threads, 0)]


# --- the zygote's stand-in ------------------------------------------------------------------------------------------


def zygote(job, user, *arguments):
    """Run one of the jobs below in an interpreter of its own; its answer."""
    run = subprocess.run(
        [sys.executable, __file__, job, user, *arguments], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(sandbox.__file__).parents[2]), "OPENBLAS_NUM_THREADS": "1",
             "DSLAB_SECRET": "expected values"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def start(run, layers, *, scratch, keep=(), readable=(), limits=LIMITS):
    readable = [*sandbox.system_paths(), *readable]
    return sandbox.start(run, keep=keep, scratch=scratch, readable=readable, limits=limits, layers=layers)


def attempt(attack, c, layers):
    """What an attack gained, its error, and whether the child could still compute and answer."""
    scratch = Path(tempfile.mkdtemp(dir=c.folder))
    c.victim.write_text("precious")
    mine, wire = socket.socketpair()
    c.wire = wire.fileno()

    def run():
        gained, error = None, None
        try:
            gained = attack(c)
        except (Exception, MemoryError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        os.write(c.wire, json.dumps([bool(gained), error]).encode())
        number = int(os.read(c.wire, 100))
        os.write(c.wire, str(sum(range(number))).encode())

    pid = start(run, layers, scratch=scratch, keep=[c.wire], readable=[c.roots.parent])
    wire.close()
    with mine:
        gained, error = json.loads(mine.recv(10_000) or b'[null, "it died"]')
        with contextlib.suppress(OSError):
            mine.send(b"1000")
        alive = mine.recv(100) == b"499500"
    status = os.waitpid(pid, 0)[1]
    return {"gained": gained, "error": error, "alive": alive and status == 0, "left": len(list(scratch.iterdir()))}


@contextlib.contextmanager
def surroundings():
    """What an attack could reach outside: files, listeners, shared memory, the parent."""
    folder = Path(tempfile.mkdtemp(prefix="dslab-"))
    folder.chmod(0o755)
    c = SimpleNamespace(folder=folder, outside=folder / "outside", name=folder.name, parent=os.getpid())
    c.outside.mkdir(mode=0o777)
    c.secret, c.victim, c.unix = c.outside / "secret", c.outside / "victim", c.outside / "socket"
    c.secret.write_text("expected values")
    c.roots = folder / "course" / "roots"
    c.roots.parent.mkdir()
    c.roots.touch(mode=0o600)
    c.roots.write_text("for root")
    c.true = shutil.which("true")
    c.key = os.getpid() + 0x10000000
    segment = libc("shmget", c.key, 4096, 0o1666)
    with contextlib.ExitStack() as stack:
        tcp, udp, unix, abstract = (
            stack.enter_context(socket.socket(*kind))
            for kind in [
                (socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM),
                (socket.AF_UNIX, socket.SOCK_STREAM), (socket.AF_UNIX, socket.SOCK_STREAM),
            ]
        )  # fmt: skip
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        unix.bind(str(c.unix))
        abstract.bind(b"\0" + c.name.encode())
        for server in (tcp, unix, abstract):
            server.listen(100)
        c.tcp, c.udp = tcp.getsockname()[1], udp.getsockname()[1]
        try:
            yield c
        finally:
            libc("shmctl", segment, 0, None)  # IPC_RMID
            shutil.rmtree(folder)


def job_attacks():
    """Every attack behind all layers, behind all but one of the two that hide files, and where it should work."""
    outcomes = {}
    with surroundings() as c:
        for attack, control in ATTACKS.items():
            layers = {"full": FULL, "control": control}
            layers |= {"no tree": NO_TREE, "no landlock": NO_LANDLOCK} if attack in ON_FILES else {}
            outcomes[attack.__name__] = {
                kind: attempt(attack, c, names) for kind, names in layers.items() if names is not None
            }
    return outcomes


def job_alone():
    """The attacks that one layer stops alone: with it, and without."""
    version = LIBC.syscall(ctypes.c_long(444), None, ctypes.c_long(0), ctypes.c_long(1))
    with surroundings() as c:
        return [
            [layer, attack.__name__, attempt(attack, c, [*others, layer]), attempt(attack, c, others)]
            for layer, others, attack, needed in [*ALONE, *(AS_ROOT if os.getuid() == 0 else [])]
            if version >= needed
        ]


def in_child(run, layers, scratch, **keywords):
    """What a child writes, and how it ended."""
    reader, writer = os.pipe()
    pid = start(lambda: run(writer), layers, scratch=scratch, keep=[writer], **keywords)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        text = answer.read().decode()
    return text, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def job_calls():
    """The error of every system call that is not on the list, with arguments that could do nothing."""

    def run(wire):
        column = 2 if ARM else 1
        numbers = {int(n) for n in (entry.split(":")[column] for entry in sandbox._CALLS.split()) if n}
        numbers |= {int(entry.split(":")[column]) for entry in sandbox._CALLS_WITH}
        errors = {}
        for number in [*range(600), *(0x40000000 + number for number in range(600))]:
            if number not in numbers | {335, 336}:  # probes of the kernel's own: no filter sees them, both kill
                result = LIBC.syscall(ctypes.c_long(number), *[ctypes.c_long(-1 if number not in (56, 220) else 0)] * 6)
                errors[number] = ctypes.get_errno() if result == -1 else 0
        os.write(wire, json.dumps(errors).encode())

    with tempfile.TemporaryDirectory() as scratch:
        return json.loads(in_child(run, FULL, Path(scratch))[0])


def job_other_abi():
    """A call by the 32-bit entry of the processor, without and with the filter: result and exit status."""
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes([0x53, 0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0x5B, 0xC3]))  # push rbx; getpid by int 0x80; pop rbx; ret
    call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    with tempfile.TemporaryDirectory() as scratch:
        layers = [["user", "pid"], ["user", "pid", "seccomp"]]
        return [in_child(lambda wire: os.write(wire, str(call()).encode()), names, Path(scratch)) for names in layers]


def work(wire):
    """What answers do: numbers, graphs, pictures, threads, files, the simulator. None of it is loaded before."""
    import asyncio
    import decimal
    import random
    import zoneinfo

    import matplotlib.pyplot as plt
    import networkx
    import numpy

    from dslab.sim import Node, simulate  # noqa: F401

    found = [
        float(numpy.linalg.det(numpy.diag([2.0, 3.0]))),
        networkx.shortest_path_length(networkx.path_graph(5), 0, 4),
    ]
    plt.plot([1, 2])
    plt.savefig("plot.png")
    found += [Path("plot.png").read_bytes()[1:4].decode(), str(decimal.Decimal("0.1") * 3)]
    total = []
    threads = [threading.Thread(target=lambda n=n: total.append(sum(range(n)))) for n in (10, 20, 30, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(0.001)
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write("kept")
        file.seek(0)
        found += [sorted(total), file.read(), Path(file.name).parent == Path.cwd()]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile("plot.png", Path(folder, "copy.png"))
    found += [
        asyncio.run(asyncio.sleep(0.001, "slept")),
        random.Random(1).random() < 1,
        str(zoneinfo.ZoneInfo("UTC")),
        sandbox.refused(),
    ]
    os.write(wire, json.dumps(found).encode())


def job_work():
    def run(wire):
        try:
            work(wire)
        except BaseException as problem:
            os.write(wire, json.dumps(repr(problem)).encode())

    answers = []
    for layers in (FULL, NO_TREE):
        with tempfile.TemporaryDirectory() as scratch:
            limits = LIMITS._replace(memory_bytes=1024 * MIB)
            answers.append(json.loads(in_child(run, layers, Path(scratch), limits=limits)[0]))
    return answers


def job_surroundings():
    """What a child finds: who and where it is, what it may list, how the C library knows its thread."""

    def run(wire):
        known = ctypes.c_void_p()
        found = {"pid": os.getpid(), "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(),
                 "folder": str(Path.cwd()), "environment": dict(os.environ), "session": os.getsid(0),
                 "signals": [number for number in range(1, 65) if callable(signal.getsignal(number))]}  # fmt: skip
        assert all(map(is_open, (0, 1, 2)))
        if not is_allowed(lambda: os.kill(1, 0)):  # then there is a filter, and no second process comes back
            assert not is_allowed(os.fork)
            assert not is_allowed(lambda: Path("/etc/new").write_text("x"))
        found["refused"] = sandbox.refused()
        with contextlib.suppress(OSError):
            libc("prctl", 40, ctypes.byref(known), 0, 0, 0)
            found["thread"] = ctypes.c_int.from_address(known.value).value
        os.write(wire, json.dumps(found).encode())

    signal.signal(signal.SIGTERM, lambda *_: None)
    with tempfile.TemporaryDirectory() as scratch:
        layers = [FULL, [name for name in FULL if name != "seccomp"]]
        return [json.loads(in_child(run, names, Path(scratch))[0]) for names in layers]


def job_many():
    """A hundred children of one process: what is open before and after, and whether any is left."""
    with tempfile.TemporaryDirectory() as scratch:
        before = {path.name for path in Path("/proc/self/fd").iterdir()}
        for _ in range(50):
            os.waitpid(start(lambda: None, FULL, scratch=Path(scratch)), 0)
            pid = start(signal.pause, FULL, scratch=Path(scratch))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        left = {path.name for path in Path("/proc/self/fd").iterdir()} - before
        try:
            os.waitpid(-1, os.WNOHANG)
            children = "some"
        except ChildProcessError:
            children = "none"
        return {"fds": len(left), "children": children, "scratch": len(list(Path(scratch).iterdir()))}


def job_ends():
    """How a child ends that returns, raises, exits, spins for ever, aborts, reads what is not there."""

    def spin(_):
        while True:
            pass

    ways = {
        "returns": lambda _: None,
        "raises": lambda _: 1 / 0,
        "exits": lambda _: os._exit(7),
        "spins": spin,
        "aborts": lambda _: os.abort(),
        "crashes": lambda _: ctypes.string_at(0),
    }
    limits = LIMITS._replace(cpu_seconds=1)
    with tempfile.TemporaryDirectory() as scratch:
        return {name: in_child(run, FULL, Path(scratch), limits=limits)[1] for name, run in ways.items()}


def job_refusals():
    """What `start` says where it cannot do what it is asked for, and whether a child is left."""
    problems = []
    for layers, scratch in ([*FULL, "magic"], "/tmp"), (FULL, "/nonexistent"):
        try:
            start(lambda: None, layers, scratch=Path(scratch))
        except (OSError, ValueError) as problem:
            problems.append(str(problem))
    go = threading.Event()
    thread = threading.Thread(target=go.wait)
    thread.start()
    try:
        start(lambda: None, [], scratch=Path("/tmp"))
    except RuntimeError as problem:
        problems.append(str(problem))
    go.set()
    thread.join()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
        problems.append("a child is left")
    return problems


def job_closed():
    """A readable folder that is open to its owner only."""
    with tempfile.TemporaryDirectory() as closed, tempfile.TemporaryDirectory() as scratch:
        try:
            os.waitpid(start(lambda: None, FULL, scratch=Path(scratch), readable=[Path(closed)]), 0)
        except OSError as problem:
            return str(problem).replace(closed, "FOLDER")
        return "started"


def job_elsewhere():
    """Another system, as far as it can be had here: no call of Linux, a plain fork with limits."""
    sandbox._ABI = None
    with tempfile.TemporaryDirectory() as scratch:
        answer = in_child(
            lambda wire: os.write(wire, str(resource.getrlimit(resource.RLIMIT_NOFILE)[0]).encode()),
            ["rlimits"],
            Path(scratch),
        )
        try:
            start(lambda: None, FULL, scratch=Path(scratch))
        except RuntimeError as problem:
            return [answer, str(problem), [layer.works for layer in sandbox.probe()]]


def job_dies(moment, wire, scratch):
    """Be killed at a moment; only the child keeps the file descriptor `wire` then."""
    parent, build, layers = os.getpid(), sandbox._build, FULL

    def kill(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def build_alone(plan):
        os.kill(parent, signal.SIGKILL)
        while os.getppid() == parent:
            time.sleep(0.001)
        build(plan)

    def run():
        Path("mine").write_text("x")
        os.write(int(wire), b"ran")
        signal.pause()

    if moment == "before the users are mapped":
        sandbox._map_user = kill
    elif moment == "while the walls are built":
        sandbox._build, layers = build_alone, [name for name in FULL if name != "pid"]
    start(run, layers, scratch=Path(scratch), keep=[int(wire)])
    signal.pause()


if __name__ == "__main__":
    if sys.argv[2] == "nobody":
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        libc("prctl", 4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, as it is for a process that was started by this user
    print(json.dumps(globals()[f"job_{sys.argv[1]}"](*sys.argv[3:])))
    sys.exit()


# --- tests ----------------------------------------------------------------------------------------------------------

import pytest  # noqa: E402  not above: the stand-in, which is forked so often, is half as large without it


@pytest.fixture(scope="module")
def every_layer():
    """The attacks need every layer; a test that this machine cannot run says which is missing."""
    missing = [layer for layer in sandbox.probe() if not layer.works]
    if missing:
        pytest.skip(f"{missing[0].name}: {missing[0].why}")


@pytest.fixture(scope="module", params=["caller", "nobody"])
def user(request, every_layer):
    """Whoever runs the tests; an ordinary user too where that is root."""
    if request.param == "nobody" and os.getuid() != 0:
        pytest.skip("the tests run as an ordinary user already")
    return request.param


@pytest.fixture(scope="module")
def attacks(user):
    return zygote("attacks", user)


@pytest.mark.parametrize("name", [attack.__name__ for attack in ATTACKS])
def test_an_attack_fails_and_the_child_goes_on(attacks, name):
    """Behind all layers; what is after files, still where one of the two is missing that hide them."""
    for kind in attacks[name].keys() - {"control"}:
        assert not attacks[name][kind]["gained"], (kind, attacks[name][kind])
        assert attacks[name][kind]["alive"], (kind, attacks[name][kind])
    assert attacks[name]["full"]["left"] == 0


@pytest.mark.parametrize("name", [attack.__name__ for attack, control in ATTACKS.items() if control is not None])
def test_the_attack_works_without_the_layers(attacks, name):
    """Or its failure would prove nothing."""
    assert attacks[name]["control"]["gained"], attacks[name]["control"]


def test_each_layer_stops_something_alone(user):
    """No layer is for show: take it away, and an attack works that it stops."""
    outcomes = zygote("alone", user)
    for layer, attack, behind, without in outcomes:
        assert not behind["gained"] and behind["alive"], (layer, attack, behind)
        assert without["gained"], (layer, attack, without)
    assert {layer for layer, *_ in outcomes} >= set(FULL) - {"user"}


def test_every_call_that_is_not_on_the_list_is_refused(user):
    """Known ones as if the user lacked the right, the newer and the other ABI's as if the kernel lacked them."""
    errors = {int(number): error for number, error in zygote("calls", user).items()}
    assert len(errors) > 800
    for number, error in errors.items():
        new = number == sandbox._CLONE3 or number > sandbox._NEWEST
        assert error == (errno.ENOSYS if new else errno.EPERM), number


def test_a_call_by_the_entry_for_32_bits_is_refused(every_layer):
    """The numbers mean other calls there."""
    if platform.machine() != "x86_64":
        pytest.skip("only x86_64 has it")
    (bare, ended), answer = zygote("other_abi", "caller")
    if ended or bare != "1":
        pytest.skip("this kernel has no 32-bit calls")
    assert answer == [str(-errno.EPERM), 0]


def test_the_numbers_of_the_calls_are_the_kernels():
    """Against the kernel's own headers, where they are installed: both processors."""
    places = [Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm-generic/unistd.h")]
    if not all(place.exists() for place in places):
        pytest.skip("the kernel's headers are not installed here")
    pattern = r"#define\s+__NR(?:3264)?_(\w+)\s+(\d+)\b"
    intel, arm = (dict(re.findall(pattern, place.read_text())) for place in places)
    arm["newfstatat"] = arm["fstatat"]
    for entry in [*sandbox._CALLS.split(), *sandbox._CALLS_WITH]:
        name, *numbers = entry.split(":")
        assert (intel[name], arm.get(name, "")) == tuple(numbers), name
    assert (int(intel["clone"]), int(arm["clone"])) == sandbox._CLONE_NUMBER
    assert (int(intel["sendto"]), int(arm["sendto"])) == sandbox._SENDTO_NUMBER


def test_answers_can_do_their_work(every_layer):
    """Libraries load and work inside, threads and temporary files do; only matplotlib's search for fonts is refused."""
    full, without_tree = zygote("work", "caller")
    assert full == [6.0, 4, "PNG", "0.3", [45, 190, 435, 780], "kept", True, "slept", True, "UTC", ["subprocess.Popen"]]
    assert without_tree == full


def test_a_child_finds_itself_alone(user):
    """First process, ordinary user, fixed environment, no handler of the parent's; its threads know their process."""
    full, other = zygote("surroundings", user)
    assert (full["pid"], full["session"], full["uid"], full["gid"]) == (1, 1, 1000, 1000)
    assert full["folder"] == full["environment"]["HOME"] == full["environment"]["TMPDIR"] == "/tmp"
    assert set(full["environment"]) == {*sandbox._ENVIRONMENT, "HOME", "TMPDIR"}
    assert full["signals"] == []
    assert full["refused"] == ["open for writing", "os.fork", "os.kill"]
    assert other.get("thread", 1) == 1


def test_many_children_leave_nothing(user):
    """Returned or killed: no file descriptor, no process, no file."""
    assert zygote("many", user) == {"fds": 0, "children": "none", "scratch": 0}


def test_how_a_child_ends(user):
    """The status says it. Processor time that is used up kills; so does a crash, in a first process too."""
    ends = zygote("ends", user)
    assert ends.pop("aborts") < 0  # by a trap of the processor: it may not send itself the usual signal
    assert ends == {"returns": 0, "raises": 1, "exits": 7, "spins": -signal.SIGKILL, "crashes": -signal.SIGSEGV}


@pytest.mark.parametrize("moment", ["before the users are mapped", "while the walls are built", "later"])
def test_a_child_dies_with_its_parent(every_layer, tmp_path, moment):
    """Whenever the parent is killed; and its files go with it."""
    reader, writer = os.pipe()
    run = subprocess.Popen(
        [sys.executable, __file__, "dies", "caller", moment, str(writer), str(tmp_path)], pass_fds=[writer],
        env={**os.environ, "PYTHONPATH": str(Path(sandbox.__file__).parents[2])},
    )  # fmt: skip
    os.close(writer)
    with os.fdopen(reader, "rb", buffering=0) as wire:
        if moment == "later":
            assert wire.read(3) == b"ran"
            run.kill()
        assert wire.read() == b""  # the end: nobody has the other side open
    assert run.wait() == -signal.SIGKILL
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_done_is_said(user):
    """One sentence each, and no child is left behind."""
    unknown, scratch, *threads = zygote("refusals", user)
    assert unknown.startswith("No such layer: magic. There are: user, pid")
    assert scratch.startswith("The sandbox could not be built: ")
    assert threads == ["Several threads run here; fork from a process with one (set OPENBLAS_NUM_THREADS=1)."]


def test_a_folder_that_a_child_cannot_read_is_named(user):
    """Better than an import that fails in somebody's answer. Only a child of root's runs as somebody else."""
    asked = user == "caller" and os.getuid() == 0
    why = "the user nobody, as whom root's children run, cannot read FOLDER: let all read it"
    assert zygote("closed", user) == (f"The sandbox could not be built: {why}" if asked else "started")


def test_another_system_has_limits_only():
    """No layer is claimed, none can be asked for, a plain fork with limits works."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    answer, problem, works = zygote("elsewhere", "caller")
    assert answer == [str(LIMITS.open_files), 0]
    assert problem.startswith("It is made for Linux on x86_64 and aarch64; this is ")
    assert works == [False] * len(FULL)


def test_isolation_says_what_is_missing():
    """What the report shows."""
    assert sandbox.isolation(FULL) == "full"
    assert sandbox.isolation(NO_TREE) == "reduced: no private file tree"
    assert sandbox.isolation(FULL[2:]) == "reduced: no user namespace, no process namespace"


def test_nothing_beside_the_package_is_readable():
    """Not the folder of a clone: notebooks, hidden checks and tests lie there."""
    root = Path(sandbox.__file__).parents[2]
    assert root / "dslab" in sandbox.system_paths()
    assert not {root, *root.parents, Path.home()} & set(sandbox.system_paths())
