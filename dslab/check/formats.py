"""Formats of recorded histories: each reads a text and gives Operations, with what a failure means there.

Times are the places of events in the file, because lines stand in real-time order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from .edn import LONGEST, Edn
from .events import TYPES, Event, Pair, paired, read_events
from .history import FAILED, OK, UNKNOWN, HistoryError, Operation, hashable


class Format(NamedTuple):
    """How one kind of file is read.

    Attributes:
        module, function: (text) -> list of Operation.
        initial: {model: what an object holds at the start, where it is not what the model says}.
        judges: what `dslab.check.transactional.judged` is told that it holds; None: operations on single objects.
    """

    module: str
    function: str
    initial: dict[str, Any] = {}
    judges: str | None = None


FORMATS: dict[str, Format] = {
    "jepsen-etcd": Format("dslab.check.formats", "jepsen_etcd"),
    "porcupine-kv": Format("dslab.check.formats", "porcupine_kv"),
    "knossos": Format("dslab.check.formats", "knossos", {
        "register": 0, "cas-register": 0, "multi-register": (("x", 0), ("y", 0))}),
    "elle-append": Format("dslab.check.transactional_formats", "elle_append", judges="list-append"),
    "elle-register": Format("dslab.check.transactional_formats", "elle_register", judges="rw-register"),
    "bank": Format("dslab.check.transactional_formats", "bank", judges="bank"),
    "set": Format("dslab.check.transactional_formats", "set_workload", judges="set"),
    "long-fork": Format("dslab.check.transactional_formats", "long_fork", judges="long-fork"),
}

# What is asked of a model where nothing is said: linearizability, but for these.
USUAL: dict[str, str] = {}


def read_history(text: str, form: str) -> list[Operation]:
    """The operations in a recorded history.

    Args:
        text: what stands in the file.
        form: a name in FORMATS.

    Raises:
        HistoryError: there is no such format, or the text is not of it; says on which line.
    """
    if form not in FORMATS:
        raise HistoryError(f"there is no format {form!r}; choose from {', '.join(FORMATS)}")
    read: Callable[[str], list[Operation]] = getattr(import_module(FORMATS[form].module), FORMATS[form].function)
    return read(text)


# ---- etcd logs of Jepsen: one register, initially nil

LOGGED = re.compile(r".*?jepsen\.util - +(.*)")


def jepsen_etcd(text: str) -> list[Operation]:
    """A log of Jepsen's etcd test: a failed cas says that the register did not hold `from`; a failed read nothing.

    Lines that are no events are passed over, as is what the nemesis does.
    """
    events: list[Event] = []
    for number, line in enumerate(text.splitlines(), start=1):
        logged = LOGGED.match(line)
        parts = logged[1].split(None, 3) if logged else []
        if len(parts) < 2 or parts[1][1:] not in TYPES or parts[1][0] != ":":
            continue
        process, kind = parts[0].lstrip(":"), parts[1][1:]
        if not process.isdecimal() or len(process) > LONGEST:
            continue
        if len(parts) < 4 or parts[2] not in (":read", ":write", ":cas"):
            raise HistoryError(f"line {number}: an event of a client is :read, :write or :cas with a value, "
                               f"not {' '.join(parts[2:]) or 'nothing'}")
        value = Edn(parts[3], number).value()
        events.append(Event(len(events), number, int(process), kind, parts[2][1:], None, value, {}))
    if not events:
        raise HistoryError("line 1: the log holds no event: lines such as `INFO  jepsen.util - 0 :invoke :read nil`")
    found = []
    for question, answer in paired(events):
        refused = answer is not None and answer.type == "fail" and question.do == "cas"
        timed_out = refused and not isinstance(answer.value, list)  # type: ignore[union-attr]
        found.append(operation(Pair(question, None if timed_out else answer), refusal=refused))
    return found


# ---- key-value stores, as porcupine writes them: one text per key, initially empty


def porcupine_kv(text: str) -> list[Operation]:
    """Lines of get, put and append with a key and a text."""
    found = []
    for question, answer in paired(read_events(text)):
        if question.do not in ("get", "put", "append"):
            raise HistoryError(f"line {question.line}: an operation is get, put or append, not {question.do}")
        if question.key is None:
            raise HistoryError(f"line {question.line}: {question.do} needs a :key")
        texts = [None if event is None else event._replace(value=_text(event.value)) for event in (question, answer)]
        found.append(operation(Pair(*texts), key=question.key))  # type: ignore[arg-type]
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)


# ---- histories of Knossos: cas-register, mutex, multi-register


def knossos(text: str) -> list[Operation]:
    """Events of one object: what failed did not happen and says nothing; nor does a read that answers nil."""
    found = [operation(pair) for pair in paired(read_events(text))]
    return [o for o in found if not (o.do == "read" and o.status == OK and o.result is None)]


# ---- for all of them

READS = ("read", "get")


def operation(pair: Pair, *, key: Any = None, refusal: bool = False) -> Operation:
    """A question and its answer as an Operation.

    Args:
        pair: of events. key: of what object.
        refusal: whether "fail" is an answer: a compare-and-set that did not find what it should replace.
    """
    question, answer = pair
    kind = "info" if answer is None else answer.type
    done = kind == "ok" or kind == "fail" and refusal
    status = OK if done else FAILED if kind == "fail" else UNKNOWN
    argument, result = None if question.do in READS else hashable(question.value), None
    if done and answer is not None and question.do in (*READS, "txn"):
        result = hashable(answer.value)
    elif done and question.do == "cas":
        result = kind == "ok"
    completed = answer.place if answer is not None and done else None
    return Operation(question.process, question.do, key, argument, result, question.place, completed, status,
                     question.line)
