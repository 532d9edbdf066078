"""Run untrusted text in a forked process that can compute and answer, and nothing else.

A child of `start` is walled in by nine layers, each of which stops something alone, so that a hole in one is not yet a
way out:

user          A user namespace: an ordinary user's process may build the other walls, and a grader that runs as root
              has children which are nobody (where they also get a private file tree, through which nobody finds
              Python). It also makes the limit on threads count the child's own.
pid           A process namespace, of which the child is the first process: no other process can be named.
net, ipc      Empty network, System V IPC and message queues.
mount         A private file tree: the readable folders, read-only, /dev/null, /dev/urandom, and a memory disk of
              bounded size on /tmp which vanishes with the child. No /proc, no home, no /etc.
landlock      The same again by rights: read what is readable, write in the scratch, no TCP, no signals to outside.
seccomp       System calls. An allow-list: a list of what is forbidden would be out of date with the next kernel. What
              is not on it answers EPERM as if the user lacked the right, so a program can go on; what is newer than
              the list, or of another ABI of the processor, answers EPERM or ENOSYS as an older kernel would. It is
              made of what Python, threads, numpy, matplotlib, networkx and the simulator were seen to need.
no_new_privs  No capability, and none to be gained.
rlimits       Memory, processor time, size of a file, open files, threads; no core dump.

What it does not protect against: a fault in the kernel itself; the child reads all memory of the process that it was
forked from, so that process must hold no secret (neither may its environment); the child sees the machine's time, load
and host name and may use a processor until its time is up. Without `mount`, many small files can fill a disk.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import json
import os
import platform
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

with contextlib.suppress(ImportError):  # Windows has none
    import resource

LAYERS = ("user", "pid", "net", "ipc", "mount", "landlock", "seccomp", "no_new_privs", "rlimits")
_TITLES = ("user namespace", "process namespace", "network namespace", "IPC namespace", "private file tree",
           "Landlock", "system call filter", "dropped privileges", "resource limits")  # fmt: skip
_ABIS = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column of _CALLS, AUDIT_ARCH of seccomp
_ABI = _ABIS.get(platform.machine()) if sys.platform == "linux" and sys.maxsize > 2**32 else None
_CLONE = {"user": 0x10000000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x08000000, "mount": 0x00020000}
_INSIDE, _NOBODY, _THREADS = 1000, 65534, 64
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "USER": "student", "LC_ALL": "C.UTF-8", "TZ": "UTC", "MPLBACKEND": "agg",
                "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # fmt: skip

# Allowed whatever their arguments: name, number on x86_64, number on aarch64 (empty: it has no such call).
_CALLS = """
read:0:63 write:1:64 close:3:57 fstat:5:80 lseek:8:62 mmap:9:222 mprotect:10:226 munmap:11:215 brk:12:214
rt_sigaction:13:134 rt_sigprocmask:14:135 rt_sigreturn:15:139 rt_sigpending:127:136 rt_sigtimedwait:128:137
rt_sigsuspend:130:133 sigaltstack:131:132 pread64:17:67 pwrite64:18:68 readv:19:65 writev:20:66 preadv:295:69
pwritev:296:70 preadv2:327:286 pwritev2:328:287 open:2: openat:257:56 creat:85: access:21: faccessat:269:48
faccessat2:439:439 stat:4: lstat:6: newfstatat:262:79 statx:332:291 statfs:137:43 fstatfs:138:44 readlink:89:
readlinkat:267:78 getdents:78: getdents64:217:61 getcwd:79:17 chdir:80:49 fchdir:81:50 umask:95:166 mkdir:83:
mkdirat:258:34 rmdir:84: unlink:87: unlinkat:263:35 rename:82: renameat:264:38 renameat2:316:276 symlink:88:
symlinkat:266:36 ftruncate:77:46 fallocate:285:47 fsync:74:82 fdatasync:75:83 flock:73:32 sendfile:40:71
copy_file_range:326:285 fadvise64:221:223 dup:32:23 dup2:33: dup3:292:24 pipe:22: pipe2:293:59
close_range:436:436 select:23: pselect6:270:72 poll:7: ppoll:271:73 epoll_create:213: epoll_create1:291:20
epoll_ctl:233:21 epoll_wait:232: epoll_pwait:281:22 eventfd2:290:19 recvfrom:45:207 shutdown:48:210
getsockname:51:204 getsockopt:55:209 mremap:25:216 madvise:28:233 msync:26:227 exit:60:93 exit_group:231:94
futex:202:98 set_robust_list:273:99 rseq:334:293 membarrier:324:283 restart_syscall:219:128 sched_yield:24:124
sched_getaffinity:204:123 getcpu:309:168 getpid:39:172 getppid:110:173 gettid:186:178 getuid:102:174
geteuid:107:175 getgid:104:176 getegid:108:177 getresuid:118:148 getresgid:120:150 getgroups:115:158
getpgid:121:155 getpgrp:111: getsid:124:156 capget:125:90 nanosleep:35:101 clock_nanosleep:230:115
clock_gettime:228:113 clock_getres:229:114 gettimeofday:96:169 time:201: times:100:153 getitimer:36:102
pause:34: getrusage:98:165 getrlimit:97:163 setrlimit:160:164 getpriority:140:141
sysinfo:99:179 uname:63:160 getrandom:318:278
"""
# Allowed with one of these values: name, numbers, which argument, values.
_CALLS_WITH = {
    "prlimit64:302:261": (0, [0]),  # of itself only
    "ioctl:16:29": (1, [0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x802C542A]),  # is it a terminal, blocking
    "fcntl:72:25": (1, [*range(8), *range(36, 39), 1030, 1032, 1034]),  # no F_SETOWN, F_SETSIG: they send signals
    "socketpair:53:199": (0, [1]),  # AF_UNIX: both ends stay in the process
    "prctl:157:167": (0, [15, 16, 38, 39, 0x53564D41]),  # names, no_new_privs; never PR_SET_PDEATHSIG
}
_CLONE_NUMBER = (56, 220)
_SENDTO_NUMBER = (44, 206)
_CLONE3, _NEWEST = 435, 469  # the same everywhere; the newest call when the list was made

# Landlock's rights to files, in the order of their bits.
_RIGHTS = """
execute write_file read_file read_dir remove_dir remove_file make_char make_dir make_reg make_sock make_fifo make_block
make_sym refer truncate ioctl_dev
"""
# Audit events that no answer needs, and two that need a look at their arguments.
_EVENTS = """
os.fork os.forkpty os.system os.exec os.posix_spawn os.spawn os.kill os.killpg os.chmod os.chown os.setxattr pty.spawn
subprocess.Popen socket.connect socket.bind socket.getaddrinfo urllib.Request webbrowser.open
signal.pthread_kill resource.setrlimit resource.prlimit
"""
_ALWAYS = frozenset(_EVENTS.split())
WATCHED = _ALWAYS | {"socket.__new__", "ctypes.dlopen", "open for writing"}
_seen: set[str] = set()

if _ABI:
    _libc = ctypes.PyDLL(None, use_errno=True)  # holds the interpreter's lock, as a fork must


class Layer(NamedTuple):
    """One wall: whether it works on this machine and, where it does not, one sentence why."""

    name: str
    works: bool
    why: str


class Limits(NamedTuple):
    """What a child may use.

    Args:
        memory_bytes: address space beyond what the process has when it is forked.
        cpu_seconds: processor time; the child is killed when it is used up.
        file_bytes: the largest file, and with the layer `mount` all files together.
        open_files: file descriptors.
    """

    memory_bytes: int
    cpu_seconds: int
    file_bytes: int
    open_files: int


class _Plan(NamedTuple):
    """What the parent finds out for the child: there it is cheaper, and still allowed."""

    scratch: Path
    readable: list[Path]  # those that the parent may read
    trees: list[str]  # real paths that hold all of them
    limits: Limits
    layers: frozenset[str]
    space: int  # address space now, in bytes
    handled: list[int]  # signals that have a handler in Python


def isolation(layers: Collection[str]) -> str:
    """What the report says of these layers: "full", or "reduced: no ..." with what is missing."""
    missing = [f"no {title}" for name, title in zip(LAYERS, _TITLES) if name not in layers]
    return "reduced: " + ", ".join(missing) if missing else "full"


@functools.cache
def probe() -> tuple[Layer, ...]:
    """Which layers work here, found by building each upon those before it and looking at the effect.

    It starts a small interpreter for that (about 0.1 s, once), so the caller may have threads.
    """
    if not _ABI:
        why = f"It is made for Linux on x86_64 and aarch64; this is {platform.system()} on {platform.machine()}."
        return tuple(Layer(name, False, why) for name in LAYERS)
    answer = subprocess.run([sys.executable, "-I", __file__], capture_output=True, text=True, timeout=60, check=True)
    return tuple(Layer(*row) for row in json.loads(answer.stdout))


def system_paths() -> tuple[Path, ...]:
    """What Python itself must read here: interpreter, installed packages, this package, system libraries.

    Nothing beside this package is in it where it runs from a clone, so no notebook and no test.
    """
    prefixes = dict.fromkeys((sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, "/usr", "/"))
    paths = [Path(prefix, name) for prefix in prefixes for name in ("lib", "lib64")]
    paths += [Path(place) for place in sys.path if Path(place).name in ("site-packages", "dist-packages")]
    paths += [Path(__file__).resolve().parents[1]]
    paths += map(Path, ("/usr/share/zoneinfo", "/usr/share/fonts", "/etc/ld.so.cache", "/etc/alternatives"))
    return tuple(path for path in dict.fromkeys(paths) if os.access(path, os.F_OK))


def refused() -> list[str]:
    """Inside a child: the names of audit events that no answer needs (os.fork, socket.__new__, ...), sorted.

    A hint for the integrity log, not proof: the process that keeps the list is the student's own.
    """
    return sorted(_seen)


def start(
    run: Callable[[], None],
    *,
    keep: Sequence[int],
    scratch: Path,
    readable: Sequence[Path],
    limits: Limits,
    layers: Collection[str],
) -> int:
    """Fork the calling process, which has one thread, and call `run` in the child behind the given layers.

    In the child every file descriptor but `keep` is closed (0, 1, 2 are /dev/null), the environment is fixed, the
    working folder is the scratch. It is the first of its session, ends with status 0 when `run` returns and dies
    with the caller. The caller ends it by SIGKILL and reaps it by `os.waitpid`; nothing else is left then.

    Args:
        run: what the child does; an exception that it lets out ends the child with status 1.
        keep: file descriptors that stay open under their numbers.
        scratch: an empty folder of the caller. With `mount` it stays empty and the child sees a memory disk at /tmp.
        readable: files and folders to be read below their own names, usually `system_paths()` and more.
        limits: applied with `rlimits`; `file_bytes` also with `mount`.
        layers: names out of LAYERS, those that `probe` found.

    Returns:
        The child's process id, as the caller sees it, when all layers stand.

    Raises:
        OSError: a layer could not be built; no child is left.
        RuntimeError: the caller has several threads, or the system cannot fork.
        ValueError: a layer that does not exist.
    """
    wanted = frozenset(layers)
    if wanted - set(LAYERS):
        raise ValueError(f"No such layer: {', '.join(sorted(wanted - set(LAYERS)))}. There are: {', '.join(LAYERS)}.")
    if not hasattr(os, "fork"):
        raise RuntimeError(f"{platform.system()} cannot fork a process; grade on Linux or in WSL 2.")
    if not _ABI and wanted - {"rlimits"}:
        raise RuntimeError(probe()[0].why)
    if _ABI and len(list(Path("/proc/self/task").iterdir())) > 1:
        raise RuntimeError("Several threads run here; fork from a process with one (set OPENBLAS_NUM_THREADS=1).")
    plan = _plan(scratch, readable, limits, wanted)
    outside = _NOBODY if os.geteuid() == 0 and {"user", "mount"} <= wanted else os.geteuid()
    here, there = socket.socketpair()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = _clone(sum(flag for name, flag in _CLONE.items() if name in wanted))
        if pid == 0:
            _child(run, there, {*keep, there.fileno()}, plan)
        there.close()
        answer = "it was interrupted"
        try:
            if "user" in wanted:
                _map_user(pid, outside)
            here.sendall(b"go")
            answer = here.recv(4096).decode() or "it died"
        except OSError as problem:
            answer = str(problem)
        finally:
            if answer != "ok":
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        if answer != "ok":
            raise OSError(f"The sandbox could not be built: {answer}")
    finally:
        here.close()
        there.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return pid


def _plan(scratch: Path, readable: Sequence[Path], limits: Limits, layers: frozenset[str]) -> _Plan:
    found = [path for path in readable if os.access(path, os.R_OK)]
    trees: list[str] = []
    for path in sorted({os.path.realpath(path) for path in [*found, Path("/dev/null"), Path("/dev/urandom")]}):
        if not any(path.startswith(f"{outer}{os.sep}") for outer in trees):
            trees.append(path)
    pages = Path("/proc/self/statm").read_text().split()[0] if _ABI else "0"
    handled = [number for number in range(1, signal.NSIG) if callable(signal.getsignal(number))]
    if "seccomp" in layers:
        _filter()  # kept, so that every child finds it made
    return _Plan(scratch, found, trees, limits, layers, int(pages) * os.sysconf("SC_PAGE_SIZE"), handled)


def _call(function: str, *arguments: Any) -> int:
    """A function of the C library, an int passed as a long; OSError if it answers -1."""
    result = getattr(_libc, function)(*(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}{arguments[:1] if function == 'syscall' else ''}: {os.strerror(number)}")
    return result


def _clone(flags: int) -> int:
    """Fork into new namespaces, in one call, so that the child itself is the first process of its own."""
    if not _ABI:
        return os.fork()
    # The C library keeps the thread's id at an address that only the kernel tells; in the child it is another.
    address = ctypes.c_void_p()
    with contextlib.suppress(OSError):
        _call("prctl", 40, ctypes.byref(address), 0, 0, 0)  # PR_GET_TID_ADDRESS
    if address.value and ctypes.c_int.from_address(address.value).value == os.getpid():
        flags |= 0x01200000  # CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = _libc.syscall(ctypes.c_long(_CLONE_NUMBER[_ABI[0]]), ctypes.c_ulong(flags | signal.SIGCHLD),
                        None, None, address, address)  # fmt: skip
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    number = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid == -1:
        raise OSError(number, f"clone into new namespaces: {os.strerror(number)}")
    return pid


def _map_user(pid: int, outside: int) -> None:
    """Make the child's user 1000 the user `outside`: written from here, for only root may choose one."""
    group = os.getegid() if outside == os.geteuid() else outside
    process = Path(f"/proc/{pid}")
    if os.geteuid() != 0:
        (process / "setgroups").write_text("deny")
    (process / "uid_map").write_text(f"{_INSIDE} {outside} 1")
    (process / "gid_map").write_text(f"{_INSIDE} {group} 1")


def _child(run: Callable[[], None], parent: socket.socket, keep: set[int], plan: _Plan) -> NoReturn:
    """Build every wall, tell the parent, run."""
    status = 1
    try:
        try:
            _leave_parent(keep, plan.handled)
            if parent.recv(16) != b"go":
                os._exit(1)
            _build(plan)
        except BaseException as problem:
            parent.send(f"{problem}"[:1000].encode())
            os._exit(1)
        parent.sendall(b"ok")  # fails if the parent died before the child was set to die with it
        parent.close()
        run()
        status = 0
    finally:
        os._exit(status)


def _leave_parent(keep: set[int], handled: list[int]) -> None:
    """Own session, own signals, no file descriptor but `keep`, no environment."""
    os.setsid()
    for number in handled:
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    null = os.open(os.devnull, os.O_RDWR)
    for standard in {0, 1, 2} - keep:
        os.dup2(null, standard)
    for entry in list(Path("/proc/self/fd" if _ABI else "/dev/fd").iterdir()):
        if int(entry.name) > 2 and int(entry.name) not in keep:
            with contextlib.suppress(OSError):
                os.close(int(entry.name))
    os.environ.clear()


def _build(plan: _Plan) -> None:
    """Every layer, in the child. The order matters: each step gives up a right that those before it need."""
    layers, scratch = plan.layers, plan.scratch
    if "mount" in layers:
        trees = _open_trees(plan.trees)
        _mount(scratch, f"mode=755,uid={_INSIDE if 'user' in layers else 0},size=1m")
        os.chdir(scratch)
    if "user" in layers:
        if os.getuid() != _INSIDE:
            os.setgroups([])
        os.setresgid(_INSIDE, _INSIDE, _INSIDE)
        os.setresuid(_INSIDE, _INSIDE, _INSIDE)
    if "mount" in layers:
        _enter_tree(trees, plan.readable, plan.limits.file_bytes)
        scratch = Path("/tmp")
    os.chdir(scratch)
    os.environ.update(_ENVIRONMENT, HOME=str(scratch), TMPDIR=str(scratch))
    time.tzset()
    tempfile.tempdir = str(scratch)
    sys.dont_write_bytecode = True
    for path in plan.readable:
        if not os.access(path, os.R_OK):
            raise PermissionError(f"the user nobody, as whom root's children run, cannot read {path}: let all read it")
    if _ABI:
        _call("prctl", 1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG; a change of user would undo it
        with contextlib.suppress(AttributeError):  # musl has none
            _call("mallopt", -8, 1)  # M_ARENA_MAX: each further one takes 64 MiB of the address space
    if "no_new_privs" in layers:
        header, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
        _call("capset", header, nothing)
    if layers & {"no_new_privs", "landlock", "seccomp"}:
        _call("prctl", 38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS: without it an ordinary user gets neither of the two
    if "landlock" in layers:
        _landlock(scratch, plan.readable)
    if "rlimits" in layers:
        _limit(plan.limits, plan.space, "user" in layers)
    sys.addaudithook(functools.partial(_watch, f"{scratch}{os.sep}"))
    if "seccomp" in layers:
        code = ctypes.create_string_buffer(_filter())
        program = struct.pack("HP", len(code) // 8, ctypes.addressof(code))
        _call("prctl", 22, 2, program, 0, 0)  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


def _mount(target: Path | str, options: str) -> None:
    _call("mount", b"tmpfs", os.fsencode(target), b"tmpfs", 0x0E, options.encode())  # nosuid, nodev, noexec


def _open_trees(paths: Iterable[str]) -> dict[str, int]:
    """Detached read-only copies of the mounts below these paths."""
    _call("mount", None, b"/", None, 0x44000, None)  # MS_REC | MS_PRIVATE: what follows stays in here
    trees = {path: _call("syscall", 428, -100, os.fsencode(path), 0x88001) for path in paths}  # open_tree: clone
    for tree in trees.values():
        read_only = struct.pack("QQQQ", 0x3, 0, 0, 0)  # MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID
        _call("syscall", 442, tree, b"", 0x9000, read_only, 32)  # mount_setattr
    return trees


def _enter_tree(trees: dict[str, int], names: Iterable[Path], scratch_bytes: int) -> None:
    """Attach the copies in the memory disk that is the working folder, and make that the root."""
    Path("tmp").mkdir()
    _mount("tmp", f"mode=700,size={scratch_bytes},nr_inodes=4096")
    for path, tree in trees.items():
        Path(f".{path}").parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISDIR(os.fstat(tree).st_mode):
            Path(f".{path}").mkdir(exist_ok=True)
        else:
            Path(f".{path}").touch()
        _call("syscall", 429, tree, b"", -100, os.fsencode(f".{path}"), 0x4)  # move_mount
        os.close(tree)
    for name in names:
        if not os.path.lexists(f".{name}"):
            Path(f".{name}").parent.mkdir(parents=True, exist_ok=True)
            Path(f".{name}").symlink_to(os.path.realpath(name))
    _call("syscall", 442, -100, b".", 0, struct.pack("QQQQ", 0x1, 0, 0, 0), 32)
    _call("pivot_root", b".", b".")  # the old root now lies upon the new one
    _call("umount2", b".", 2)  # MNT_DETACH


def _landlock(scratch: Path, readable: Iterable[Path]) -> None:
    """Only read what is readable, only write in the scratch."""
    version = _call("syscall", 444, None, 0, 1)  # landlock_create_ruleset
    known = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    network, scopes = (3 if version >= 4 else 0), (3 if version >= 6 else 0)  # TCP; abstract sockets, signals
    rules = _call("syscall", 444, struct.pack("QQQ", known, network, scopes), 24, 0)
    of_files = _rights("execute write_file read_file truncate ioctl_dev")  # what a rule for a file may name
    grants = dict.fromkeys([*readable, Path("/dev/urandom")], _rights("read_file read_dir"))
    grants[Path("/dev/null")] = _rights("read_file write_file")
    grants[scratch] = _rights(
        "read_file read_dir write_file truncate make_reg make_dir make_sym remove_file remove_dir refer"
    )
    for path, rights in grants.items():
        beneath = os.open(path, os.O_PATH)
        rights &= known if path.is_dir() else known & of_files
        _call("syscall", 445, rules, 1, struct.pack("=Qi", rights, beneath), 0)  # landlock_add_rule
        os.close(beneath)
    _call("syscall", 446, rules, 0)  # landlock_restrict_self
    os.close(rules)


def _rights(names: str) -> int:
    """Bits of Landlock's rights to files."""
    return sum(1 << _RIGHTS.split().index(name) for name in names.split())


def _limit(limits: Limits, space: int, own_threads: bool) -> None:
    wanted = {
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
    }
    if space:
        wanted[resource.RLIMIT_AS] = space + limits.memory_bytes
    # Before Linux 5.14 it counts all that the user runs, in whatever namespace: no limit then but the memory.
    if own_threads and tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) >= (5, 14):
        wanted[resource.RLIMIT_NPROC] = _THREADS
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


@functools.cache
def _filter() -> bytes:
    """The system call filter as BPF: the processor first, then the number, then arguments."""
    assert _ABI
    column, processor = _ABI
    results = (0x7FFF0000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS)
    allow, deny, unknown = ((0x06, 0, 0, result) for result in results)

    def load(offset: int) -> tuple[int, int, int, int]:
        return (0x20, 0, 0, offset)

    def equal(value: int, then: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
        return [(0x15, 0, len(then), value), *then]

    code = [load(4), (0x15, 1, 0, processor), deny, load(0), (0x25, 0, 1, _NEWEST), unknown]
    for entry in _CALLS.split():
        if number := entry.split(":")[1 + column]:
            code += equal(int(number), [allow])
    for entry, (argument, values) in _CALLS_WITH.items():
        choices = [step for value in values for step in equal(value, [allow])]
        code += equal(int(entry.split(":")[1 + column]), [load(16 + 8 * argument), *choices, deny])
    code += equal(_CLONE_NUMBER[column], [load(16), (0x45, 0, 1, 0x10000), allow, deny])  # CLONE_THREAD
    address = 16 + 8 * 4  # of sendto: none, so only to whom the socket is connected
    code += equal(_SENDTO_NUMBER[column], [load(address), *equal(0, [load(address + 4), *equal(0, [allow])]), deny])
    code += equal(_CLONE3, [unknown])  # its flags lie in memory, out of a filter's sight: the C library takes clone
    return b"".join(struct.pack("HBBI", *step) for step in [*code, deny])


def _watch(scratch: str, event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook: remember the names of events that no answer needs."""
    if event in _ALWAYS or (event == "ctypes.dlopen" and arguments[0] is not None):
        _seen.add(event)
    elif event == "socket.__new__":
        if arguments[1] != 1:  # a pair of local sockets, as asyncio makes, leads nowhere
            _seen.add(event)
    elif event == "open" and isinstance(arguments[0], str) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        path = os.path.normpath(os.path.join(scratch, arguments[0]))  # noqa: PTH118
        if path != os.devnull and not f"{path}{os.sep}".startswith(scratch):
            _seen.add("open for writing")


def _try_layers() -> list[Layer]:
    """Each layer upon those that work, in a process of its own, with what must then be so."""
    spaces = {kind: Path("/proc/self/ns", kind) for kind in ("net", "ipc")}
    outside = {kind: path.readlink() for kind, path in spaces.items()}
    limits = Limits(memory_bytes=2**28, cpu_seconds=10, file_bytes=2**20, open_files=32)

    def is_refused(action: Callable[[], object]) -> bool:
        try:
            action()
        except OSError:
            return True
        return False

    effects: dict[str, Callable[[], bool]] = {
        "user": lambda: os.getuid() == _INSIDE,
        "pid": lambda: os.getpid() == 1,
        "net": lambda: spaces["net"].readlink() != outside["net"],
        "ipc": lambda: spaces["ipc"].readlink() != outside["ipc"],
        "mount": lambda: not Path("/proc").exists(),
        "landlock": lambda: is_refused(lambda: list(Path("/").iterdir())),
        "seccomp": lambda: is_refused(lambda: os.kill(os.getpid(), 0)),
        "no_new_privs": lambda: _call("prctl", 39, 0, 0, 0, 0) == 1,
        "rlimits": lambda: is_refused(lambda: [os.dup(0) for _ in range(limits.open_files)]),
    }
    layers: list[Layer] = []
    with tempfile.TemporaryDirectory(prefix="dslab-") as scratch:
        for name in LAYERS:

            def run(name: str = name) -> None:
                os._exit(0 if effects[name]() else 2)

            chosen = [layer.name for layer in layers if layer.works] + [name]
            try:
                pid = start(run, keep=[], scratch=Path(scratch), readable=system_paths(), limits=limits, layers=chosen)
                works, why = os.waitpid(pid, 0)[1] == 0, "It was set up without an error, yet has no effect."
            except OSError as problem:
                works, why = False, str(problem)
            layers.append(Layer(name, works, "" if works else why))
    return layers


if __name__ == "__main__":
    print(json.dumps(_try_layers()))
