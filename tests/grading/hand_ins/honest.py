"""Right answers, in ways that the instructor did not think of. Every one of them has full points."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hand_ins import BLEND_STUB, Cells, HandIn

# ---- what an answer may be

CALLABLE_OBJECT = """
class Blender:
    def __init__(self, p, q):
        self.p, self.q = p, q
    def __call__(self, a, b):
        return self.p * a + self.q * b
blend = Blender(3, 2)
"""

PARTIAL = """
from functools import partial, reduce
def weigh(p, q, a, b):
    return p * a + q * b
blend = partial(weigh, 3, 2)
times = lambda f, n, x: reduce(lambda value, _: f(value), range(n), x)
"""

RECURSION = """
def reach(graph, start, found=None):
    if found is None:
        found = type(graph)()
    if start in found.nodes and found.nodes[start].get("seen"):
        return found
    found.add_node(start, seen=True)
    for _, node, data in graph.out_edges(start, data=True):
        reach(graph, node, found)
        found.add_edge(start, node, **data)
    return found
"""

RECURSIVE_DIGITS = """
def digits(text):
    if text == "":
        return 0
    return int(text[0]) + digits(text[1:])
"""

VECTORISED = """
import numpy
from numpy.lib.stride_tricks import sliding_window_view
def smooth(x):
    return sliding_window_view(x, 2).mean(axis=1)
"""

NUMPY_SCALARS = """
def digits(text):
    if not text.isdecimal():
        raise ValueError
    return np.array(list(text)).astype(np.int8).sum()
"""

ARRAY_FOR_LIST = """
def evens(n):
    return np.arange(0, n, 2)
"""

GENERATOR = """
def evens(n):
    for i in range(n):
        if not i % 2:
            yield i
"""

ITERATOR_CLASS = """
class Evens:
    def __init__(self, n):
        self.n, self.at = n, 0
    def __iter__(self):
        return self
    def __next__(self):
        if self.at >= self.n:
            raise StopIteration
        self.at += 2
        return self.at - 2
evens = Evens
"""

CONTAINERS = """
from collections import defaultdict, OrderedDict
def groups(words):
    found = defaultdict(set)
    for word in reversed(list(words)):
        found[len(word)] |= {word}
    return OrderedDict((size, frozenset(some)) for size, some in found.items())
"""

HELPERS = """
PARTS = {"a": 3, "b": 2}
total = 0
def _add(n):
    global total
    total += n
    return total
def blend(a, b):
    global total
    total = 0
    _add(PARTS["a"] * a)
    return _add(PARTS["b"] * b)
"""

IMPORTS_INSIDE = """
def groups(words):
    import itertools
    import operator
    words = sorted(words, key=len)
    return {size: set(some) for size, some in itertools.groupby(words, key=len)}
"""

TALKATIVE = """
import logging, sys, warnings
def blend(a, b):
    for i in range(3000):
        print("blending", i, a, b)
    print("x" * 100_000, file=sys.stderr, flush=True)
    warnings.warn("nearly done")
    logging.warning("done")
    return 3 * a + 2 * b
blend(2, 1)
"""

TYPED = """
from __future__ import annotations
from typing import TypeVar
Number = TypeVar("Number", int, float)
def blend(a: Number, b: Number = 0) -> Number | Unknown:
    return 3 * a + 2 * b
"""

AWAITED = """
import asyncio
async def six_by_seven():
    await asyncio.sleep(0)
    return 42
answer = await six_by_seven()
motto = "Divide and conquer"
"""

ASYNC_INSIDE = """
import asyncio
async def weighed(p, a):
    await asyncio.sleep(0)
    return p * a
async def blended(a, b):
    return sum(await asyncio.gather(weighed(3, a), weighed(2, b)))
def blend(a, b):
    return asyncio.run(blended(a, b))
"""

THREADS = """
from concurrent.futures import ThreadPoolExecutor
def groups(words):
    words = list(words)
    with ThreadPoolExecutor(4) as pool:
        sizes = list(pool.map(len, words))
    return {size: {word for word, n in zip(words, sizes) if n == size} for size in sizes}
"""

DECORATED = """
import functools
def checked(function):
    @functools.wraps(function)
    def inner(text):
        if not isinstance(text, str) or not text.isdigit():
            raise ValueError("digits only")
        return function(text)
    return inner
@checked
@functools.lru_cache(maxsize=None)
def digits(text):
    return sum(ord(sign) - ord("0") for sign in text)
"""

OWN_ERROR = """
class NoDigits(ValueError):
    def __init__(self, text, *, where):
        super().__init__(f"{text} at {where}")
        self.where = where
def digits(text):
    for i, sign in enumerate(text):
        if sign not in "0123456789":
            raise NoDigits(text, where=i)
    return sum(map(int, text))
"""

SLOTS = """
class Refused(Exception):
    pass
class Base:
    __slots__ = ("owner", "_balance", "history")
class Account(Base):
    __slots__ = ()
    def __init__(self, owner, balance=0):
        self.owner = owner
        self._balance = balance
        self.history = []
    @property
    def balance(self):
        return self._balance
    def _book(self, amount):
        self._balance += amount
        self.history.append(amount)
    def deposit(self, amount):
        if amount < 0:
            raise Refused
        self._book(amount)
        return self
    def withdraw(self, amount):
        if amount > self._balance:
            raise Overdrawn
        self._book(-amount)
        return amount
"""

DATACLASS = """
from dataclasses import dataclass, field
class Refused(RuntimeError):
    pass
class TooMuch(Overdrawn):
    def __init__(self, amount):
        super().__init__(f"cannot take {amount}")
@dataclass
class Account:
    owner: str
    balance: int = 0
    history: list = field(default_factory=list)
    def deposit(self, amount):
        if amount < 0:
            raise Refused(amount)
        self.balance += amount
        self.history.append(amount)
        return self
    def withdraw(self, amount):
        if self.balance - amount < 0:
            raise TooMuch(amount)
        self.balance -= amount
        self.history += [-amount]
        return amount
"""

SET_UP_NAMES = """
hundred = LIMIT + 2
answer = equal(hundred, 42) or hundred
motto = f"divide and {Overdrawn.__name__ and 'conquer'}"
"""

MAGICS = """
%matplotlib inline
%load_ext autoreload
%autoreload 2
def blend(a, b):
    return 3 * a + 2 * b
%timeit -n 1 -r 1 blend(1, 2)
"""

CELL_MAGIC = """%%time
def blend(a, b):
    return 3 * a + 2 * b
"""

SHELL_LINE = """
!pip install numpy
def blend(a, b):
    return 3 * a + 2 * b
"""

DISPLAYED = """
from IPython.display import HTML, Markdown, clear_output, display
def blend(a, b):
    return 3 * a + 2 * b
clear_output()
display(blend(2, 1), HTML("<b>8</b>"))
Markdown("_done_")
"""

PLOTTED = """
import matplotlib.pyplot as plt
def smooth(x):
    return np.convolve(x, [0.5, 0.5], "valid")
plt.plot(smooth(np.arange(10.0)))
plt.title("smooth")
plt.show()
"""

SCRATCH_FILE = """
import json, os, tempfile
def groups(words):
    with open("words.json", "w") as file:
        json.dump(list(words), file)
    with tempfile.TemporaryFile("w+") as copy:
        copy.write("x")
    with open("words.json") as file:
        words = json.load(file)
    os.remove("words.json")
    return {len(one): {word for word in words if len(word) == len(one)} for one in words}
"""

MAIN_GUARD = """
def blend(a, b):
    return 3 * a + 2 * b
if __name__ == "__main__":
    assert blend(2, 1) == 8
    print(__name__, blend.__module__)
"""

GREEK = """
def blend(α, β):
    '''3·α + 2·β — „mit Gefühl“ 🙂'''
    return 3 * α + 2 * β
"""

IN_PLACE = """
def smooth(x):
    x[1:] = (x[1:] + x[:-1]) / 2
    return x[1:]
"""

EATS_ARGUMENT = """
def groups(words):
    out = {}
    words = list(words) if isinstance(words, tuple) else words
    while words:
        word = words.pop()
        out.setdefault(len(word), set()).add(word)
    return out
"""

KEEPS_CALLBACK = """
def times(function, n, x):
    steps = [x]
    while len(steps) <= n:
        steps.append(function(steps[-1]))
    return steps[n]
"""

SEEDED = """
import random
def evens(n):
    some = [i for i in range(n) if i % 2 == 0]
    random.shuffle(some)
    return sorted(some)
"""

STOPS_AT_THE_END = """
def evens(n):
    return range(0, n, 2)
print(evens(3)[7])
"""

SQUARES_MAP = """
import itertools as it
def squares(n):
    if not n > 0:
        raise ValueError
    return list(map(pow, it.count(1), [2] * n))
"""

MIDDLE_SORTED = """
import statistics
import math
def middle(numbers):
    some = sorted(numbers)
    half, odd = divmod(len(some), 2)
    return some[half] if odd else math.fsum(some[half - 1:half + 1]) / 2
"""

SCALED_ARRAY = """
import numpy as np
scaled = (SCALE * np.arange(1, 4)).tolist()
"""

OTHER_KEEPER = """
@message
class Note:
    '''{source} tells {target} all it knows.'''
    known: object
    back: bool = False

class Gossip(Node):
    '''Tells the others everything, again and again.'''
    durable = {"kept": []}
    shows = ("kept", "sure")
    def on_start(self):
        self.sure = 0
        self.seen = {name: [] for name in self.peers}
        self.open = []
        self.set_timer("again", between=(20, 40))
    def learn(self, commands):
        new = [one for one in commands if one not in self.kept]
        if new:
            self.kept = sorted([*self.kept, *new])
    def on_again_timeout(self):
        for name in self.peers:
            self.send(name, Note(self.kept))
        self.set_timer("again", between=(20, 40))
    def on_note(self, sender, m):
        match m:
            case Note(known=known, back=back):
                self.learn(known)
                if not back:
                    self.send(sender, Note(self.kept, back=True))
                self.seen[sender] = list(known)
        self.settle()
    def settle(self):
        pass

class Keeper(Gossip):
    def on_client_request(self, sender, m):
        self.learn([m.command])
        self.open.append((sender, m))
        self.broadcast(Note(self.kept))
    def settle(self):
        for client, m in list(self.open):
            holders = 1 + sum(m.command in known for known in self.seen.values())
            if holders >= (len(self.peers) + 1) // 2 + 1:
                self.sure += 1
                self.open.remove((client, m))
                self.send(client, ClientReply(number=m.number, ok=True, result={"command": m.command}))
"""

OWN_WEIGHTS = """
def blend(a, b):
    return sum(weight * part for weight, part in zip(weights(), (a, b)))
"""

MODULE_OF_THE_SET_UP = """
def digits(text):
    if not text.isdecimal():
        raise ValueError
    return reduce(operator.add, map(int, text))
"""

SHELL_AND_MAGIC = """
files = !ls
%time three = 3 + len(files)
display(three, display_id="three")
def blend(a, b):
    return three * a + 2 * b
"""

VIEWS = """
def groups(words):
    found = {}
    for word in words:
        found.setdefault(len(word), {})[word] = True
    return {size: some.keys() for size, some in found.items()}
"""

# ---- what an editor does to a notebook


def lost_ids(cells: Cells, notebook: dict[str, Any]) -> None:
    """As nbformat 4.0 has it."""
    notebook["nbformat_minor"] = 0
    for cell in notebook["cells"]:
        del cell["id"]


def lost_all_but_markers(cells: Cells, notebook: dict[str, Any]) -> None:
    """Copied by hand into a new notebook."""
    notebook["nbformat_minor"] = 2
    notebook["metadata"] = {}
    for cell in notebook["cells"]:
        cell.pop("id")
        cell["metadata"] = {}


def reordered(cells: Cells, notebook: dict[str, Any]) -> None:
    """Dragged about."""
    notebook["cells"].reverse()


def twin_before(cells: Cells, notebook: dict[str, Any]) -> None:
    """A pulled correction brings the original back beside the answer."""
    twin = copy.deepcopy(cells["blend-exercise"])
    twin["source"] = BLEND_STUB
    notebook["cells"].insert(0, twin)


def retyped(kind: str) -> Callable[[Cells, dict[str, Any]], None]:
    """An answer cell turned into another kind by accident."""

    def change(cells: Cells, notebook: dict[str, Any]) -> None:
        cells["blend-exercise"]["cell_type"] = kind

    return change


def windows_lines(cells: Cells, notebook: dict[str, Any]) -> None:
    """CR LF everywhere."""
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")


def lists_of_lines(cells: Cells, notebook: dict[str, Any]) -> None:
    """As nbformat writes it."""
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)


def other_kernel(cells: Cells, notebook: dict[str, Any]) -> None:
    """Done in another environment, with outputs of every kind."""
    notebook["metadata"]["kernelspec"] = {"name": "conda-env-ds-ir", "display_name": "R", "language": "R"}
    notebook["metadata"]["language_info"] = {"name": "R"}
    notebook["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    cells["blend-exercise"]["outputs"] = [{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}]
    cells["blend-exercise"]["execution_count"] = "many"


def extra_cells(cells: Cells, notebook: dict[str, Any]) -> None:
    """A student's own attempts, which no grader runs."""
    own = ["while True: pass", "%%bash\nsleep 1000", "1 / 0", "import os; os._exit(1)", "not python", "blend = None"]
    for place, text in enumerate(own):
        cell = {"cell_type": "code", "id": f"own-{place}", "metadata": {}, "source": text, "outputs": []}
        notebook["cells"].insert(2 * place, cell | {"execution_count": None})


def own_cells(cells: Cells, notebook: dict[str, Any]) -> None:
    """Helpers and imports in cells of the student's own, one of which needs another, and in the set-up cell."""
    cells["functions-setup"]["source"] = "import operator\n" + cells["functions-setup"]["source"]
    own = ["def weights():\n    return THREE, 2", "THREE = 3\nfrom functools import reduce", "THREE = 1 / 0"]
    for place, text in enumerate(own):
        cell = {"cell_type": "code", "id": f"helper-{place}", "metadata": {}, "source": text, "outputs": []}
        notebook["cells"].insert(place, cell | {"execution_count": None})


def split(cells: Cells, notebook: dict[str, Any]) -> None:
    """An answer cell in two, of which each keeps what its metadata say."""
    cell = cells["blend-exercise"]
    first, _, second = cell["source"].partition("# split here\n")
    notebook["cells"].insert(notebook["cells"].index(cell) + 1, copy.deepcopy(cell) | {"id": "x", "source": second})
    cell["source"] = first


def old_mac_lines(cells: Cells, notebook: dict[str, Any]) -> None:
    """CR everywhere."""
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r")


def stray_output(cells: Cells, notebook: dict[str, Any]) -> None:
    """Set-up and play cells changed: the grader has its own."""
    cells["functions-setup"]["source"] = "raise SystemExit"


LOST = ("answer-restored",)

HAND_INS = [
    HandIn("as-the-reference"),
    HandIn("lambda", {"blend": "blend = lambda a, b: 3 * a + 2 * b"}),
    HandIn("partial", {"times": PARTIAL, "blend": PARTIAL}),
    HandIn("callable-object", {"blend": CALLABLE_OBJECT}),
    HandIn("recursion", {"reach": RECURSION, "digits": RECURSIVE_DIGITS}),
    HandIn("vectorised", {"smooth": VECTORISED}),
    HandIn("numpy-scalars", {"digits": NUMPY_SCALARS}),
    HandIn("array-for-a-list", {"evens": ARRAY_FOR_LIST}),
    HandIn("generator", {"evens": GENERATOR}),
    HandIn("iterator-class", {"evens": ITERATOR_CLASS}),
    HandIn("containers", {"groups": CONTAINERS}),
    HandIn("helpers-and-globals", {"blend": HELPERS}),
    HandIn("imports-inside", {"groups": IMPORTS_INSIDE}),
    HandIn("talkative", {"blend": TALKATIVE}),
    HandIn("typed", {"blend": TYPED}),
    HandIn("awaited", {"facts": AWAITED}),
    HandIn("async-inside", {"blend": ASYNC_INSIDE}),
    HandIn("threads", {"groups": THREADS}),
    HandIn("decorated", {"digits": DECORATED}),
    HandIn("own-error", {"digits": OWN_ERROR}),
    HandIn("slots", {"account": SLOTS}),
    HandIn("dataclass", {"account": DATACLASS}),
    HandIn("set-up-names", {"facts": SET_UP_NAMES}),
    HandIn("magics", {"blend": MAGICS}),
    HandIn("cell-magic", {"blend": CELL_MAGIC}),
    HandIn("shell-line", {"blend": SHELL_LINE}),
    HandIn("displayed", {"blend": DISPLAYED}),
    HandIn("plotted", {"smooth": PLOTTED}),
    HandIn("scratch-file", {"groups": SCRATCH_FILE}),
    HandIn("main-guard", {"blend": MAIN_GUARD}),
    HandIn("greek", {"blend": GREEK}),
    HandIn("in-place", {"smooth": IN_PLACE}),
    HandIn("eats-its-argument", {"groups": EATS_ARGUMENT}),
    HandIn("keeps-steps", {"times": KEEPS_CALLBACK}),
    HandIn("shuffled", {"evens": SEEDED}),
    HandIn("stops-after-the-function", {"evens": STOPS_AT_THE_END}),
    HandIn("lost-ids", change=lost_ids, flags=LOST),
    HandIn("lost-all-but-markers", change=lost_all_but_markers, flags=(*LOST, "check-missing")),
    HandIn("reordered", change=reordered),
    HandIn("twin-before", change=twin_before, flags=("answer-duplicate",)),
    HandIn("markdown", change=retyped("markdown"), flags=("answer-cell-type",)),
    HandIn("raw", change=retyped("raw"), flags=("answer-cell-type",)),
    HandIn("windows-lines", change=windows_lines),
    HandIn("old-mac-lines", change=old_mac_lines),
    HandIn("own-cells", {"blend": OWN_WEIGHTS, "digits": MODULE_OF_THE_SET_UP}, change=own_cells),
    HandIn(
        "split",
        {"blend": "PARTS = 3, 2\n# split here\ndef blend(a, b):\n    return PARTS[0] * a + PARTS[1] * b"},
        change=split,
        flags=("answer-duplicate",),
    ),
    HandIn("shell-and-magic", {"blend": SHELL_AND_MAGIC}),
    HandIn("views", {"groups": VIEWS}),
    HandIn("lists-of-lines", change=lists_of_lines),
    HandIn("other-kernel", change=other_kernel),
    HandIn("extra-cells", change=extra_cells),
    HandIn("changed-set-up", change=stray_output),
    HandIn("sheet", assignment="sheet"),
    HandIn(
        "sheet-otherwise", {"squares": SQUARES_MAP, "middle": MIDDLE_SORTED, "scaled": SCALED_ARRAY}, assignment="sheet"
    ),
    HandIn("sheet-lost-ids", change=lost_ids, assignment="sheet", flags=LOST),
    HandIn("protocol", assignment="protocol"),
    HandIn(
        "protocol-otherwise",
        {"keeper": OTHER_KEEPER, "quorum": "quorum = lambda n: (n + 2) // 2"},
        assignment="protocol",
    ),
]
