"""Wrong answers of every kind: each loses the points of what is wrong with it, and of nothing else."""

from __future__ import annotations

from typing import Any

from hand_ins import Cells, HandIn, both

WRONG, ERROR = "wrong", "error"

NEEDS_ANOTHER_CELL = """
def blend(a, b):
    return sum(weight * part for weight, part in zip(weights, (a, b)))
"""

DRAWS_IN_VAIN = """
import uuid
def blend(a, b):
    return [np.random.default_rng().random(), np.random.random(), uuid.uuid4().hex]
"""

PRINTS = """
def blend(a, b):
    print(3 * a + 2 * b)
"""

HALF_AN_ACCOUNT = """
class Refused(Exception):
    pass
class Account:
    def __init__(self, owner, balance=0):
        self.owner, self.balance, self.history = owner, balance, []
    def deposit(self, amount):
        if amount < 0:
            raise Refused
        self.balance += amount
        self.history.append(amount)
        return self
"""

FORGETS_SELF = """
class Refused(Exception):
    pass
class Account:
    def __init__(self, owner, balance=0):
        self.owner, self.balance, self.history = owner, balance, []
    def deposit(self, amount):
        balance += amount
        return self
    def withdraw(self, amount):
        return amount
"""

NO_CLASS = """
def Account(owner, balance=0):
    return {"owner": owner, "balance": balance, "history": []}
Refused = ValueError
"""

RAISES_OTHERWISE = """
def digits(text):
    assert text.isdecimal(), "no number"
    return sum(map(int, text))
"""

RAISES_FOR_ALL = """
def digits(text):
    raise ValueError(text)
"""

PYTHON_2 = """
def blend(a, b):
    print 3 * a + 2 * b
    return 3 * a + 2 * b
"""

BAD_INDENT = """
def blend(a, b):
    parts = 3 * a
      return parts + 2 * b
"""

HALF_CELL = """
def digits(text):
    if not text.isdecimal():
        raise ValueError(text)
    return sum(map(int, text))

print(digits("12")
"""

ASKS = """
weight = int(input("weight? "))
def blend(a, b):
    return weight * a + 2 * b
"""

CALLS_WRONGLY = """
def times(function, n, x):
    return function(x, n)
"""

DEEP_ERROR = """
def inner(a):
    return 1 / (a - a)
def middle(a, b):
    return inner(a) + b
def blend(a, b):
    return middle(a, b)
"""

OTHER_GRAPH = """
class Graph:
    def __init__(self, nodes):
        self.nodes = nodes
        self.edges = []
def reach(graph, start):
    return Graph({start} | nx.descendants(graph, start))
"""

RAISING_KEEPER = """
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.kept = [*self.kept, m.command]
        self.send(self.peers[17], ClientReply(m.number, True, m.command))
"""

NO_NODE = """
class Keeper:
    def on_client_request(self, sender, m):
        pass
"""

AN_INSTANCE = """
class Keep(Node):
    def on_client_request(self, sender, m):
        pass
Keeper = Keep()
"""

NO_MESSAGE = """
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.broadcast({"keep": m.command})
"""

NO_SUCH_NODE = """
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.send("n99", ClientReply(m.number, True, m.command))
"""

NO_HANDLER = """
@message
class Keep:
    command: object
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.broadcast(Keep(m.command))
"""

NO_TIMER_HANDLER = """
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_start(self):
        self.set_timer("wake", after=10)
    def on_client_request(self, sender, m):
        pass
"""

ODD_STATE = """
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.kept = (lambda: m.command)
        self.send(sender, ClientReply(m.number, True, m.command))
"""

ODD_MESSAGE = """
@message
class Keep:
    command: object
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.broadcast(Keep({m.command}))
    def on_keep(self, sender, m):
        pass
"""

CHANGES_A_MESSAGE = """
@message
class Keep:
    commands: object
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)
    def on_client_request(self, sender, m):
        self.kept = [*self.kept, m.command]
        self.broadcast(Keep(self.kept))
        self.send(sender, ClientReply(m.number, True, m.command))
    def on_keep(self, sender, m):
        m.commands.append("more")
        self.kept = m.commands
"""

SHARED_STATE = """
EVERYBODY_KEEPS = []
class Keeper(Node):
    shows = ("kept",)
    kept = EVERYBODY_KEEPS
    def on_client_request(self, sender, m):
        self.kept.append(m.command)
        self.send(sender, ClientReply(m.number, True, m.command))
"""

WRONG_QUORUM = "def quorum(n):\n    return str(n // 2 + 1)"
QUORUM_TOO_LARGE = "def quorum(n):\n    return n + 1"
QUORUM_RAISES = "def quorum(n):\n    return len(n) // 2"


def other_cell(cells: Cells, notebook: dict[str, Any]) -> None:
    """A helper in a cell of the student's own that stops before it defines it."""
    cell = {"cell_type": "code", "id": "own", "metadata": {}, "source": "1 / 0\nweights = 3, 2", "outputs": []}
    notebook["cells"].insert(0, cell | {"execution_count": None})


def deleted(*names: str) -> Any:
    """Cells that are gone."""

    def change(cells: Cells, notebook: dict[str, Any]) -> None:
        for name in names:
            notebook["cells"].remove(cells[name])

    return change


BLEND, EVENS, SMOOTH = both("blend", WRONG), both("evens", WRONG), both("smooth", WRONG)
KEEPER, QUORUM = both("keeper", WRONG), both("quorum", WRONG)
EVERY_CHECK = [
    *(f"{name}-{kind}" for name in ("blend", "groups", "smooth", "reach") for kind in ("check", "hidden")),
    "times-check",
    *(f"{name}-{kind}" for name in ("evens", "digits", "account") for kind in ("check", "hidden")),
    "facts-number",
    "facts-motto",
]


def keeper(name: str, text: str, says: str, status: str = "wrong|error") -> HandIn:
    """A Node class that loses both of its checks."""
    return HandIn(name, {"keeper": text}, both("keeper", status), assignment="protocol", says=says)


HAND_INS = [
    HandIn("value", {"blend": "def blend(a, b):\n    return a + b"}, BLEND, says="wanted 8 and got 3"),
    HandIn("text", {"blend": "def blend(a, b):\n    return str(3 * a + 2 * b)"}, BLEND, says="'8'"),
    HandIn("none", {"blend": "def blend(a, b):\n    3 * a + 2 * b"}, BLEND, says="None"),
    HandIn("draws-in-vain", {"blend": DRAWS_IN_VAIN}, BLEND, says="0.595529283714828, 0.5488135039273248,"),
    HandIn("prints", {"blend": PRINTS}, BLEND, says="None"),
    HandIn("tuple", {"blend": "def blend(a, b):\n    return 3 * a + 2 * b,"}, BLEND, says="(8,)"),
    HandIn("not-a-number", {"blend": "def blend(a, b):\n    return float('nan')"}, BLEND, says="nan"),
    HandIn("infinite", {"blend": "def blend(a, b):\n    return float('inf')"}, BLEND, says="inf"),
    HandIn("array-of-nan", {"smooth": "def smooth(x):\n    return x[1:] * np.nan"}, SMOOTH),
    HandIn("array-too-long", {"smooth": "def smooth(x):\n    return (x + np.roll(x, 1)) / 2"}, SMOOTH),
    HandIn(
        "array-of-objects",
        {"smooth": "def smooth(x):\n    return np.array([object()] * (len(x) - 1))"},
        both("smooth", "wrong|error"),
    ),
    HandIn("division", {"blend": DEEP_ERROR}, both("blend", ERROR), says="ZeroDivisionError"),
    HandIn("signature", {"blend": "def blend(a):\n    return 3 * a"}, both("blend", ERROR), says="TypeError"),
    HandIn("off-by-one", {"evens": "def evens(n):\n    return range(0, n - 1, 2)"}, {"evens-check": WRONG}),
    HandIn("one-too-many", {"evens": "def evens(n):\n    return range(0, n + 1, 2)"}, {"evens-hidden": WRONG}),
    HandIn("endless-zero", {"evens": "def evens(n):\n    return [0]"}, EVENS),
    HandIn("syntax", {"blend": "def blend(a, b:\n    return"}, both("blend", ERROR), says="SyntaxError"),
    HandIn("indent", {"blend": BAD_INDENT}, both("blend", ERROR), says="IndentationError"),
    HandIn("python-2", {"blend": PYTHON_2}, both("blend", ERROR), says="SyntaxError"),
    HandIn("half-a-cell", {"digits": HALF_CELL}, both("digits", ERROR), says="SyntaxError"),
    HandIn("other-cell", {"blend": NEEDS_ANOTHER_CELL}, both("blend", ERROR), change=other_cell, says="weights"),
    HandIn("other-name", {"blend": "def mix(a, b):\n    return 3 * a + 2 * b"}, both("blend", ERROR), says="blend"),
    HandIn("emptied", {"blend": ""}, both("blend", "error|missing")),
    HandIn("only-a-comment", {"blend": "# I did not understand this one"}, both("blend", "error|missing")),
    HandIn("not-implemented", {"blend": "def blend(a, b):\n    raise NotImplementedError"}, both("blend", "missing")),
    HandIn("untouched", {}, dict.fromkeys(EVERY_CHECK, "missing"), stubs=True, says="not answered"),
    HandIn(
        "half",
        {"blend": "def blend(a, b):\n    return 3 * a + 2 * b"},
        dict.fromkeys(EVERY_CHECK[2:], "missing"),
        stubs=True,
    ),
    HandIn("asks", {"blend": ASKS}, both("blend", ERROR)),
    HandIn(
        "lists-for-sets",
        {"groups": "def groups(words):\n    return {len(w): [v for v in words if len(v) == len(w)] for w in words}"},
        both("groups", WRONG),
    ),
    HandIn("own-graph", {"reach": OTHER_GRAPH}, both("reach", "wrong|error")),
    HandIn("set-for-graph", {"reach": "def reach(graph, start):\n    return set(graph)"}, both("reach", ERROR)),
    HandIn("undirected", {"reach": "def reach(graph, start):\n    return graph.to_undirected()"}, both("reach", WRONG)),
    HandIn("callback-wrongly", {"times": CALLS_WRONGLY}, {"times-check": ERROR}, says="TypeError"),
    HandIn(
        "callback-once-more",
        {"times": "def times(f, n, x):\n    for _ in range(n + 1):\n        x = f(x)\n    return x"},
        {"times-check": WRONG},
    ),
    HandIn("assert-for-raise", {"digits": RAISES_OTHERWISE}, {"digits-check": "wrong|error"}),
    HandIn("raises-for-all", {"digits": RAISES_FOR_ALL}, both("digits", ERROR), says="ValueError"),
    HandIn("half-an-account", {"account": HALF_AN_ACCOUNT}, {"account-check": ERROR}, says="withdraw"),
    HandIn("forgets-self", {"account": FORGETS_SELF}, both("account", ERROR), says="balance"),
    HandIn("no-class", {"account": NO_CLASS}, both("account", ERROR)),
    HandIn(
        "value-is-a-function",
        {"facts": "def answer():\n    return 42\nmotto = 'Divide and conquer'"},
        {"facts-number": WRONG},
    ),
    HandIn("text-is-bytes", {"facts": "answer = 42\nmotto = b'Divide and conquer'"}, {"facts-motto": "wrong|error"}),
    HandIn("no-answer-cell", {}, both("blend", "missing"), flags=("answer-missing",), change=deleted("blend-exercise")),
    HandIn(
        "squares-generator",
        {"squares": "def squares(n):\n    return (i * i for i in range(1, n + 1))"},
        {"test-squares": "wrong|error", "test-squares-errors": WRONG},
        assignment="sheet",
    ),
    HandIn(
        "squares-from-zero",
        {"squares": "def squares(n):\n    if n < 1:\n        raise ValueError\n    return [i * i for i in range(n)]"},
        {"test-squares": WRONG},
        assignment="sheet",
    ),
    HandIn(
        "squares-small",
        {"squares": "def squares(n):\n    if n < 1:\n        raise ValueError\n    return [1, 4, 9, 16][:n]"},
        {"test-squares": "wrong|error"},
        assignment="sheet",
    ),
    HandIn(
        "middle-mean",
        {"middle": "import statistics\nmiddle = statistics.mean"},
        {"test-middle-hidden": WRONG},
        assignment="sheet",
    ),
    HandIn(
        "sheet-untouched",
        {},
        dict.fromkeys(
            ["test-squares", "test-squares-errors", "test-middle", "test-middle-hidden", "test-scaled"], "missing"
        ),
        assignment="sheet",
        stubs=True,
    ),
    keeper("keeper-raises", RAISING_KEEPER, "IndexError"),
    keeper("keeper-no-node", NO_NODE, "Node"),
    keeper("keeper-an-instance", AN_INSTANCE, ""),
    keeper("keeper-no-message", NO_MESSAGE, "@message"),
    keeper("keeper-no-such-node", NO_SUCH_NODE, "n99"),
    keeper("keeper-no-handler", NO_HANDLER, "on_keep"),
    keeper("keeper-no-timer-handler", NO_TIMER_HANDLER, "on_wake_timeout"),
    keeper("keeper-odd-state", ODD_STATE, ""),
    keeper("keeper-odd-message", ODD_MESSAGE, "set"),
    keeper("keeper-changes-a-message", CHANGES_A_MESSAGE, ""),
    keeper("keeper-shared-state", SHARED_STATE, ""),
    HandIn("quorum-text", {"quorum": WRONG_QUORUM}, QUORUM, assignment="protocol", says="whole number"),
    HandIn("quorum-too-large", {"quorum": QUORUM_TOO_LARGE}, QUORUM, assignment="protocol", says="whole number"),
    HandIn("quorum-raises", {"quorum": QUORUM_RAISES}, QUORUM, assignment="protocol", says="len(n)"),
]
