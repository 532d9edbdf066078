"""Histories: what clients asked, when, and what they were told; and the question whether a model allows that.

Source: M. Herlihy, J. Wing, "Linearizability: A Correctness Condition for Concurrent Objects", ACM TOPLAS 12(3), 1990,
section 2: a history is a sequence of invocations and responses; one that is open may have taken effect or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from dslab.sim import DslabError, Trace

OK, FAILED, UNKNOWN = "ok", "failed", "unknown"                 # of an operation
LEGAL, VIOLATION = "ok", "violation"                            # of a history; or UNKNOWN

# Who judges a consistency: its module and its function of (operations, model, **options) -> HistoryVerdict.
CONSISTENCY: dict[str, tuple[str, str]] = {
    "linearizable": ("dslab.check.linearizable", "check"),
    "sequential": ("dslab.check.sequential", "check"),
    "causal": ("dslab.check.views", "causal"),
    "pram": ("dslab.check.views", "pram"),
    "read your writes": ("dslab.check.views", "read_your_writes"),
    "monotonic reads": ("dslab.check.views", "monotonic_reads"),
    "monotonic writes": ("dslab.check.views", "monotonic_writes"),
    "writes follow reads": ("dslab.check.views", "writes_follow_reads"),
    "monotonic reads + monotonic writes": ("dslab.check.views", "monotonic"),
    "monotonic reads + writes follow reads": ("dslab.check.views", "following"),
    "eventual": ("dslab.check.eventual", "check"),
    "read committed": ("dslab.check.transactional", "read_committed"),
    "read atomic": ("dslab.check.transactional", "read_atomic"),
    "snapshot isolation": ("dslab.check.transactional", "snapshot_isolation"),
    "serializable": ("dslab.check.transactional", "serializable"),
    "strict serializable": ("dslab.check.transactional", "strict_serializable"),
    "bank": ("dslab.check.workloads", "bank"),
    "set": ("dslab.check.workloads", "set_"),
    "long-fork": ("dslab.check.workloads", "long_fork"),
}


class HistoryError(DslabError):
    """A history that cannot be one, or a question that cannot be asked of it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one client.

    Attributes:
        process: who asked. One process asks one thing after another.
        do: "read", "write", "cas", "get", "put", "append", "acquire", "release", "add", "remove", "txn",
            or what else a model knows.
        key: of what object; None where there is only one. Objects with different keys are independent.
        argument: what to write, (from, to) of a cas, a list of [do, key, value] of a txn; None for a read.
        result: what was answered. A cas: True, or False if the register did not hold `from`.
        invoked, completed: when, as whole numbers in real-time order; completed is None while it is open.
        status: "ok"; "failed": it certainly never took effect; "unknown": it may take effect at any time after
            `invoked`, or never.
        line: where it stands in the file that it was read from.
    """

    process: Any
    do: str
    key: Any
    argument: Any
    result: Any
    invoked: int
    completed: int | None
    status: str = OK
    line: int | None = None

    def __str__(self) -> str:
        """As one would say it, such as "c1 read x: 1"."""
        what = [str(self.process), self.do]
        if self.key is not None:
            what.append(str(self.key))
        if self.do == "cas" and isinstance(self.argument, tuple) and len(self.argument) == 2:
            what.append(f"{told(self.argument[0])} to {told(self.argument[1])}")
        elif self.do == "txn":
            what.append(told(self.result if self.status == OK else self.argument))
        elif self.argument is not None or self.do in ("write", "put"):
            what.append(told(self.argument))
        if self.status != OK:
            return " ".join(what) + (": not done" if self.status == FAILED else ": never answered")
        if self.do == "cas":
            return " ".join(what) + (": done" if self.result else ": refused")
        return " ".join(what) + (f": {told(self.result)}" if self.do in ("read", "get") else "")


class HistoryVerdict(NamedTuple):
    """What came out of judging a history.

    Attributes:
        verdict: "ok", "violation" or "unknown".
        consistency, model: what was asked.
        witness: for "ok": indices of operations in an order that the model allows; those left out never took effect.
        stuck: for "violation": the index of an operation that cannot be placed; all that ended before it can.
        smallest: for "violation": indices of a smallest failing part, in order of invocation.
        why: one sentence.
        tried: what was looked at, such as {"steps": 120, "keys": 3}.
        details: what a judge has to add, such as {"views": {"c1": [0, 2]}} or {"anomalies": ["G-single"]}.
    """

    verdict: str
    consistency: str = "linearizable"
    model: str = "register"
    witness: tuple[int, ...] | None = None
    stuck: int | None = None
    smallest: tuple[int, ...] = ()
    why: str = ""
    tried: Mapping[str, int] = {}
    details: Mapping[str, Any] = {}


def check_history(history: Any, model: str = "register", consistency: str = "linearizable",
                  **options: Any) -> HistoryVerdict:
    """Judges whether a history keeps a consistency model for objects of some kind.

    Args:
        history: Operations, a Trace, or what `Trace.history` gives.
        model: the kind of object, a name in dslab.check.models.MODELS.
        consistency: a name in CONSISTENCY.
        options: as the judge of this consistency takes them.

    Raises:
        HistoryError: there is no such model or consistency, or the history is malformed.
    """
    if consistency not in CONSISTENCY:
        raise HistoryError(f"there is no consistency {consistency!r}; choose from {', '.join(CONSISTENCY)}")
    module, function = CONSISTENCY[consistency]
    verdict: HistoryVerdict = getattr(import_module(module), function)(operations(history), model, **options)
    return verdict


def operations(history: Any) -> list[Operation]:
    """The operations of a run, in the order in which they were asked.

    Commands are strings: "x" reads, "x=1" writes, "x:1>2" writes 2 if x holds 1 (answers True or False), "x+=b"
    appends, "x|=3" adds to a set, "acquire m" and "release m" are for a mutex. A list such as
    [["r", "x", None], ["w", "y", "2"]] is a transaction; its answer is a list of the same shape with what was read.
    The answer "failed" means that the service gave up: the operation may still take effect.

    Args:
        history: a Trace, what `Trace.history` gives, or Operations (returned as they are).

    Raises:
        HistoryError: a command that is none of these.
    """
    if isinstance(history, Trace):
        history = history.history
    found = []
    for number, entry in enumerate(history):
        if isinstance(entry, Operation):
            found.append(entry)
        elif isinstance(entry, Mapping) and {"client", "command", "invoked_us"} <= set(entry):
            found.append(operation_of(entry))
        else:
            raise HistoryError(f"item {number} of the history is no operation: it is {str(entry)[:60]!r}")
    return found


def operation_of(entry: Mapping[str, Any]) -> Operation:
    """One entry of `Trace.history` as an Operation; times are those of its events where they are known."""
    do, key, argument = parsed(entry["command"])
    invoked = entry.get("invoked", entry["invoked_us"])
    completed = entry.get("completed", entry.get("completed_us"))
    result = hashable(entry.get("result"))
    status = UNKNOWN if completed is None or result == FAILED else OK
    return Operation(entry["client"], do, key, argument, result if status == OK else None, invoked,
                     completed if status == OK else None, status)


WORDS = re.compile(r"(acquire|release) (\S+)")
SIGNS = re.compile(r"([^=:+|]+)(\+=|\|=|=|:)(.*)", re.DOTALL)


def parsed(command: Any) -> tuple[str, Any, Any]:
    """What a command does, to what, with what."""
    if isinstance(command, (list, tuple)):
        return "txn", None, hashable(command)
    if not isinstance(command, str) or not command:
        raise HistoryError(f"{command!r} is no command: write text such as \"x=1\" or \"x\"")
    if words := WORDS.fullmatch(command):
        return words[1], words[2], None
    signs = SIGNS.fullmatch(command)
    if signs is None:
        return "read", command, None
    key, sign, rest = signs.groups()
    if sign == ":":
        before, arrow, after = rest.partition(">")
        if not arrow:
            raise HistoryError(f"{command!r} is no command: a compare-and-set is written x:1>2")
        return "cas", key, (before or None, after)
    return {"=": "write", "+=": "append", "|=": "add"}[sign], key, rest


def hashable(value: Any) -> Any:
    """A value that can be compared and looked up: lists become tuples, dicts tuples of pairs."""
    if isinstance(value, (list, tuple)):
        return tuple([hashable(item) for item in value])
    if isinstance(value, Mapping):
        return tuple(sorted([(hashable(k), hashable(v)) for k, v in value.items()], key=repr))
    if isinstance(value, (set, frozenset)):
        return frozenset([hashable(item) for item in value])
    return value


def told(value: Any) -> str:
    """A value in a sentence."""
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        return "[" + " ".join(map(told, value)) + "]"
    return str(value) if value != "" else '""'


def in_order(found: Iterable[Operation]) -> Sequence[int]:
    """Indices of operations in the order in which they were asked."""
    listed = list(found)
    return sorted(range(len(listed)), key=lambda i: listed[i].invoked)
