"""Answers that take all they can get, or end the process: each costs its own exercise and nothing else.

What is right in spite of its hunger keeps its points: a thread that never ends is bad taste, not a wrong value.
"""

from __future__ import annotations

from hand_ins import HandIn, both

ENDED = "crashed|error"
TOO_MUCH = "memory|timeout|crashed|error"

RIGHT = "\ndef blend(a, b):\n    return 3 * a + 2 * b\n"


def blending(body: str, before: str = "") -> dict[str, str]:
    """An answer to blend whose function has this body."""
    lines = "".join(f"    {line}\n" for line in body.strip().split("\n"))
    return {"blend": f"{before}\ndef blend(a, b):\n{lines}"}


def lost(name: str, answers: dict[str, str], status: str) -> HandIn:
    """Both checks of the one exercise that was answered are lost."""
    (exercise,) = answers
    return HandIn(name, answers, both(exercise, status))


STUBBORN = """
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
"""

HOARD = """
hoard = []
while True:
    hoard.append(bytes(10**6))
"""

STUBBORN_HOARD = """
hoard = []
while True:
    try:
        hoard.append(bytes(10**6))
    except MemoryError:
        pass
"""

TINY_HOARD = """
hoard = {}
while True:
    hoard[len(hoard)] = [hoard]
"""

NO_LIMIT = """
import sys
sys.setrecursionlimit(10**9)
def down(n):
    return down(n + 1) + 1
down(0)
"""

NESTED = """
nest = []
for _ in range(200_000):
    nest = [nest]
return nest
"""

LOOPED = """
loop = [1]
loop.append(loop)
return loop
"""

MANY_THREADS = """
import threading, time
for _ in range(20_000):
    threading.Thread(target=time.sleep, args=(10**6,), daemon=True).start()
"""

ENDLESS_THREAD = """
import threading, time
def spin():
    while True:
        time.sleep(0.001)
threading.Thread(target=spin).start()
"""

BUSY_THREADS = """
import threading
def spin():
    while True:
        pass
for _ in range(3):
    threading.Thread(target=spin).start()
"""

FILE_FLOOD = """
n = 0
while True:
    with open(f"flood-{n}", "w") as file:
        file.write("x")
    n += 1
"""

BIG_FILE = """
with open("big", "wb") as file:
    for _ in range(20_000):
        file.write(bytes(10**6))
"""

OPEN_FILES = """
held = []
try:
    while True:
        held.append(open("/dev/null"))
except OSError:
    pass
"""

PHOENIX = """
class Phoenix:
    def __del__(self):
        Phoenix()
        raise ValueError("again")
ash = Phoenix()
"""

SLOW_DEATH = """
class Slow:
    def __del__(self):
        while True:
            pass
"""

AT_EXIT = """
import atexit, weakref
def for_ever():
    while True:
        pass
atexit.register(for_ever)
class Last:
    pass
last = Last()
weakref.finalize(last, for_ever)
"""

DEAF = """
import signal
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU, signal.SIGALRM, signal.SIGPIPE):
    signal.signal(number, lambda *_: None)
"""

ALARM = """
import signal
signal.setitimer(signal.ITIMER_REAL, 0.05)
"""

TIME_BOMB = """
import os, threading
threading.Timer(0.05, os._exit, [0]).start()
"""

STOPS_ITSELF = """
import os, signal
os.kill(os.getpid(), signal.SIGSTOP)
while True:
    pass
"""

OUTPUT = """
import sys
while True:
    sys.stdout.write("x" * 100_000)
"""

RAW_OUTPUT = """
import os
while True:
    for fd in (1, 2):
        os.write(fd, b"x" * 100_000)
"""

SHOWS = """
from IPython.display import display
while True:
    display("x" * 100_000)
"""

PRINTS_PER_ITEM = """
def evens(n):
    for i in range(0, n, 2):
        print("x" * 20_000)
        yield i
"""

DEEP_EXPRESSION = "value = " + "-" * 50_000 + "1\n" + RIGHT
MANY_BRACKETS = "value = " + "(" * 5_000 + ")" * 5_000 + "\n" + RIGHT

ENDLESS_ERROR = """
class Long(Exception):
    def __str__(self):
        return "x" * 10**9
    __repr__ = __str__
raise Long
"""

CHAINED = """
error = None
for n in range(100_000):
    try:
        raise ValueError(n) from error
    except ValueError as caught:
        error = caught
raise error
"""

LOOPING_KEEPER = """
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        while True:
            pass
"""

SLEEPING_KEEPER = """
import time
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        time.sleep(10**6)
"""

FLOODING_KEEPER = """
@message
class Keep:
    command: object
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        while True:
            self.broadcast(Keep(m.command))
    def on_keep(self, sender, m):
        pass
"""

MULTIPLYING_KEEPER = """
@message
class Keep:
    command: object
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.broadcast(Keep(m.command))
    def on_keep(self, sender, m):
        self.broadcast(m)
        self.broadcast(m)
"""

TICKING_KEEPER = """
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_start(self):
        self.set_timer("tick", after=0)
    def on_tick_timeout(self):
        self.set_timer("tick", after=0)
    def on_client_request(self, sender, m):
        pass
"""

FAT_KEEPER = """
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.kept = [m.command] * 10**8
"""

EXITING_KEEPER = """
import os
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        os._exit(0)
"""


def keeper(name: str, text: str, status: str) -> HandIn:
    """A Node class that loses both of its checks."""
    return HandIn(name, {"keeper": text}, both("keeper", status), assignment="protocol")


HAND_INS = [
    lost("loop-in-cell", {"blend": "while True: pass"}, "timeout"),
    lost("loop-in-function", blending("while True: pass"), "timeout"),
    lost("stubborn-loop", {"blend": STUBBORN}, "timeout"),
    HandIn("loop-on-large", blending("while a > 1_000: pass\nreturn 3 * a + 2 * b"), {"blend-hidden": "timeout"}),
    lost("sleep", blending("import time\ntime.sleep(10**6)"), "timeout"),
    lost("sleep-on-a-lock", blending("import threading\nthreading.Semaphore(0).acquire()"), "timeout"),
    HandIn(
        "three-loops",
        dict.fromkeys(("blend", "smooth", "facts"), "while True: pass"),
        {**both("blend", "timeout"), **both("smooth", "timeout"), "facts-number": "timeout", "facts-motto": "timeout"},
    ),
    lost("ten-gigabytes", blending("return len(b'x' * 10**10)"), "memory"),
    lost("ten-gigabyte-array", blending("return np.ones((40_000, 40_000))"), "memory"),
    lost("hoard", {"blend": HOARD}, "memory"),
    lost("stubborn-hoard", {"blend": STUBBORN_HOARD}, "memory|timeout"),
    lost("tiny-hoard", {"blend": TINY_HOARD}, "memory|timeout|crashed"),
    lost("endless-recursion", blending("return blend(a, b)"), "error"),
    lost("recursion-without-limit", {"blend": NO_LIMIT}, TOO_MUCH),
    lost("billion-digits", blending("return 10 ** 10**9"), TOO_MUCH),
    lost("million-digits", blending("return 10 ** 10**6"), "wrong|error|memory"),
    lost("printed-digits", blending("print(10 ** 10**5)\nreturn 0"), "error"),
    lost("output-flood", {"blend": OUTPUT}, TOO_MUCH),
    lost("raw-output-flood", {"blend": RAW_OUTPUT}, TOO_MUCH),
    lost("display-flood", {"blend": SHOWS}, TOO_MUCH),
    lost("huge-list", blending("return [0] * 10**8"), "wrong|error|memory|timeout"),
    lost("huge-text", blending("return 'x' * 10**8"), "wrong|error|memory|timeout"),
    lost(
        "huge-array",
        {"smooth": "def smooth(x):\n    return np.zeros(10**8, dtype=np.int8)"},
        "wrong|error|memory|timeout",
    ),
    lost("deeply-nested", blending(NESTED), "wrong|error|crashed"),
    lost("contains-itself", blending(LOOPED), "wrong|error"),
    lost("many-threads", {"blend": MANY_THREADS}, TOO_MUCH),
    HandIn("endless-thread", {"blend": ENDLESS_THREAD + RIGHT}),
    HandIn("busy-threads", {"blend": BUSY_THREADS + RIGHT}, both("blend", "passed|timeout")),
    lost("file-flood", {"blend": FILE_FLOOD}, TOO_MUCH),
    lost("big-file", {"blend": BIG_FILE}, TOO_MUCH),
    HandIn("open-files", {"blend": OPEN_FILES + RIGHT}, both("blend", "passed|error|crashed")),
    lost("regular-expression", blending("import re\nreturn re.match('(a+)+$', 'a' * 64 + 'b')"), "timeout"),
    lost(
        "endless-generator",
        {"evens": "import itertools\ndef evens(n):\n    yield from itertools.count(0, 2)"},
        TOO_MUCH,
    ),
    HandIn("phoenix", {"blend": PHOENIX + RIGHT}, both("blend", "passed|timeout|error|crashed")),
    lost("slow-death", blending("Slow()\nreturn 3 * a + 2 * b", SLOW_DEATH), "timeout"),
    HandIn("at-exit", {"blend": AT_EXIT + RIGHT}),
    HandIn("deaf", {"blend": DEAF + RIGHT}),
    lost("deaf-loop", {"blend": DEAF + STUBBORN}, "timeout"),
    lost("exit-in-cell", {"blend": "import os\nos._exit(0)"}, "crashed"),
    lost("exit-in-function", blending("import os\nos._exit(0)"), "crashed"),
    HandIn(
        "exit-on-large",
        blending("import os\nif a > 1_000: os._exit(0)\nreturn 3 * a + 2 * b"),
        {"blend-hidden": "crashed"},
    ),
    HandIn(
        "two-exits",
        {"blend": "import os; os._exit(1)", "account": "import os; os._exit(1)"},
        both("blend", "crashed") | both("account", "crashed"),
    ),
    lost("sys-exit", {"blend": "import sys\nsys.exit(0)"}, ENDED),
    lost("exit-builtin", blending("exit()"), ENDED),
    lost("sys-exit-in-function", blending("raise SystemExit(0)"), ENDED),
    lost("keyboard-interrupt", blending("raise KeyboardInterrupt"), ENDED),
    lost("base-exception", blending("raise BaseException('all')"), ENDED),
    lost("generator-exit", blending("raise GeneratorExit"), ENDED),
    lost("stop-iteration", blending("raise StopIteration(8)"), ENDED),
    lost("segfault", blending("import ctypes\nctypes.string_at(0)"), ENDED),
    lost("abort", blending("import os\nos.abort()"), "crashed"),
    lost("alarm", {"blend": ALARM + "while True: pass"}, "crashed|timeout|error"),
    HandIn("alarm-later", {"blend": ALARM + RIGHT}, both("blend", "passed|crashed|error")),
    HandIn("time-bomb", {"blend": TIME_BOMB + RIGHT}, both("blend", "passed|crashed")),
    lost("stops-itself", {"blend": STOPS_ITSELF}, "timeout|error"),
    HandIn("prints-per-item", {"evens": PRINTS_PER_ITEM}, {"evens-hidden": "passed|timeout|memory|error|crashed"}),
    lost("deep-expression", {"blend": DEEP_EXPRESSION}, TOO_MUCH),
    lost("many-brackets", {"blend": MANY_BRACKETS}, TOO_MUCH),
    lost("null-bytes", {"blend": RIGHT + "\0"}, "error"),
    lost("endless-error", {"blend": ENDLESS_ERROR}, TOO_MUCH),
    lost("chained-errors", {"blend": CHAINED}, "error|crashed"),
    HandIn(
        "sheet-exit",
        {"squares": "import os\nos._exit(0)"},
        {"test-squares": "crashed", "test-squares-errors": "crashed"},
        assignment="sheet",
    ),
    keeper("keeper-loops", LOOPING_KEEPER, "timeout|wrong|error"),
    keeper("keeper-sleeps", SLEEPING_KEEPER, "timeout|wrong|error"),
    keeper("keeper-floods", FLOODING_KEEPER, "wrong|error|timeout"),
    keeper("keeper-multiplies", MULTIPLYING_KEEPER, "wrong|error|timeout|memory"),
    keeper("keeper-ticks", TICKING_KEEPER, "wrong|error|timeout"),
    keeper("keeper-fat", FAT_KEEPER, "wrong|error|timeout|memory|crashed"),
    keeper("keeper-exits", EXITING_KEEPER, "crashed|wrong|error"),
]
