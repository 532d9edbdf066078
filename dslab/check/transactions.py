"""Transactions of lists and registers: what each read from outside and left behind, and what is wrong on its face.

Lists only grow, so a read of a list shows the whole history of its object; registers show the last write only.
Names of anomalies are those of Adya as Elle writes them.

Source: A. Adya, B. Liskov, P. O'Neil, Generalized Isolation Level Definitions, ICDE 2000, section 4; P. Alvaro, K.
Kingsbury, Elle: Inferring Isolation Anomalies from Experimental Observations, VLDB 2020, sections 4 and 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .history import FAILED, OK, HistoryError, Operation, hashable, told

KINDS = ("list-append", "rw-register")
READS = frozenset({"r", "read", "get"})
WRITES = {"list-append": frozenset({"append"}), "rw-register": frozenset({"w", "write", "put"})}


class Anomaly(NamedTuple):
    """One thing that is wrong: its name, the operations it takes, and a sentence."""

    name: str
    operations: tuple[int, ...]
    why: str


@dataclass
class Transaction:
    """One transaction of a history.

    Attributes:
        index: of the operation.
        parts: (do, key, value) as far as known; of one that was never answered only what it writes.
        reads: key -> what it read there of others: a tuple for a list, a value for a register (None: nothing yet).
        shown: key -> the longest list that it read there, with what it had appended itself.
        writes: key -> what it wrote there, in its order; the last is what it leaves.
        places: key -> at which of its parts it read that key from outside.
        verb: how a write is said, "append" or "w".
    """

    index: int
    operation: Operation
    parts: tuple[tuple[str, Any, Any], ...]
    reads: dict[Any, Any] = field(default_factory=dict)
    writes: dict[Any, list[Any]] = field(default_factory=dict)
    places: dict[Any, int] = field(default_factory=dict)
    shown: dict[Any, tuple[Any, ...]] = field(default_factory=dict)
    verb: str = "w"

    @property
    def status(self) -> str:
        return self.operation.status

    def __str__(self) -> str:
        """As one would say it, such as "c1: r x [1], append x 2"."""
        said = ", ".join(f"{self.verb if do == 'w' else do} {told(key)} {told(value)}" for do, key, value in self.parts)
        return said if self.operation.process is None else f"{told(self.operation.process)}: {said}"


def transactions(operations: Sequence[Operation], kind: str) -> tuple[list[Transaction], list[Anomaly]]:
    """The transactions of a history, and where one of them disagrees with itself.

    Args:
        operations: operations whose `do` is "txn"; parts are [do, key, value], with do "r" and "append" or "w".
        kind: "list-append" or "rw-register".

    Raises:
        HistoryError: there is no such kind, or an operation is no such transaction.
    """
    if kind not in KINDS:
        raise HistoryError(f"there are no transactions of {kind!r}; choose from {', '.join(KINDS)}")
    found: list[Transaction] = []
    anomalies: list[Anomaly] = []
    for index, operation in enumerate(operations):
        transaction = Transaction(index, operation, _parts(operation, kind), verb=min(WRITES[kind], key=len))
        (_follow_lists if kind == "list-append" else _follow_registers)(transaction, anomalies)
        found.append(transaction)
    return found, anomalies


def _parts(operation: Operation, kind: str) -> tuple[tuple[str, Any, Any], ...]:
    where = f"line {operation.line}: " if operation.line else ""
    parts = operation.result if operation.status == OK and operation.result is not None else operation.argument
    if operation.do != "txn" or not isinstance(parts, (tuple, list)):
        raise HistoryError(f"{where}a transaction is a list of [do key value], not {operation.do} {told(parts)}")
    result = []
    for part in hashable(parts):
        if not isinstance(part, tuple) or len(part) not in (2, 3) or part[0] not in READS | WRITES[kind]:
            accepted = "r or append" if kind == "list-append" else "r or w"
            raise HistoryError(f"{where}a part of a {kind} transaction is [{accepted}, key, value], not {told(part)}")
        value = part[2] if len(part) == 3 else None
        if part[0] not in READS:
            result.append(("w", part[1], value))
        elif operation.status == OK:
            result.append(("r", part[1], _list(value, where) if kind == "list-append" else value))
    return tuple(result)


def _list(value: Any, where: str) -> tuple[Any, ...]:
    if value is None:
        return ()
    if not isinstance(value, tuple):
        raise HistoryError(f"{where}a read of a list shows a list or nothing, not {told(value)}")
    return value


def _follow_lists(transaction: Transaction, anomalies: list[Anomaly]) -> None:
    whole: dict[Any, tuple[Any, ...]] = {}                # lists known to their beginning
    mine: dict[Any, tuple[Any, ...]] = {}                 # what was appended since, or before anything was read
    for place, (do, key, value) in enumerate(transaction.parts):
        if do == "w":
            transaction.writes.setdefault(key, []).append(value)
            mine[key] = (*mine.get(key, ()), value)
            continue
        transaction.shown[key] = max(transaction.shown.get(key, ()), value, key=len)
        own = mine.get(key, ())
        before = value[: len(value) - len(own)]
        if value[len(before) :] != own or (key in whole and before != whole[key]):
            if key in whole or own:
                why = f"`{transaction}` disagrees with its own earlier parts about {told(key)}"
                anomalies.append(Anomaly("internal", (transaction.index,), why))
            continue
        if key not in whole:
            transaction.reads[key], transaction.places[key], whole[key] = before, place, before
            if set(before) & {v for d, k, v in transaction.parts if d == "w" and k == key}:
                why = f"`{transaction}` reads of {told(key)} what it appends itself only later"
                anomalies.append(Anomaly("future-read", (transaction.index,), why))


def _follow_registers(transaction: Transaction, anomalies: list[Anomaly]) -> None:
    known: dict[Any, Any] = {}
    for place, (do, key, value) in enumerate(transaction.parts):
        if do == "w":
            transaction.writes.setdefault(key, []).append(value)
        elif key not in known:
            transaction.reads[key], transaction.places[key] = value, place
        elif known[key] != value:
            why = f"`{transaction}` disagrees with its own earlier parts about {told(key)}"
            anomalies.append(Anomaly("internal", (transaction.index,), why))
        known[key] = value


class Writers:
    """Who wrote which value of which object.

    Attributes:
        by: (key, value) -> positions in `found` of transactions that wrote it.
    """

    def __init__(self, found: Sequence[Transaction]):
        self.found = found
        self.by: dict[tuple[Any, Any], list[int]] = {}
        for t, transaction in enumerate(found):
            for key, values in transaction.writes.items():
                for value in dict.fromkeys(values):
                    self.by.setdefault((key, value), []).append(t)

    def able(self, key: Any, value: Any) -> list[int]:
        """Those that may have taken effect."""
        return [t for t in self.by.get((key, value), ()) if self.found[t].status != FAILED]

    def leave(self, key: Any, value: Any) -> list[int]:
        """Those of them that left the value behind as their last of that object."""
        return [t for t in self.able(key, value) if self.found[t].writes[key][-1] == value]


def dirty(found: Sequence[Transaction], writers: Writers, kind: str) -> list[Anomaly]:
    """Reads of what was aborted (G1a, dirty-update), of what was overwritten at once (G1b), of what nobody wrote."""
    anomalies = []
    for t, reader in enumerate(found):
        for key, value in reader.reads.items():
            elements = value if kind == "list-append" else () if value is None else (value,)
            for at, element in enumerate(elements):
                wrote = writers.by.get((key, element), [])
                if not wrote:
                    why = f"`{reader}` reads {told(element)} of {told(key)}, which nobody wrote"
                    anomalies.append(Anomaly("garbage-read", (reader.index,), why))
                elif not writers.able(key, element):
                    aborted = found[wrote[0]]
                    why = f"`{reader}` reads {told(element)} of {told(key)}, which was aborted"
                    anomalies.append(Anomaly("G1a", (aborted.index, reader.index), why))
                    after = [u for later in elements[at + 1 :] for u in writers.able(key, later)]
                    if after:
                        why = f"`{found[after[0]]}` was put on top of {told(element)}, which was aborted"
                        part = (aborted.index, found[after[0]].index, reader.index)
                        anomalies.append(Anomaly("dirty-update", part, why))
            if not elements or not (able := writers.able(key, elements[-1])):
                continue
            others = [u for u in able if u != t]
            if not others and kind == "rw-register":
                why = f"`{reader}` reads of {told(key)} what it writes itself only later"
                anomalies.append(Anomaly("future-read", (reader.index,), why))
            elif others and not set(others) & set(writers.leave(key, elements[-1])):
                why = f"`{reader}` reads {told(elements[-1])} of {told(key)}, an intermediate value"
                anomalies.append(Anomaly("G1b", (found[others[0]].index, reader.index), why))
    return anomalies


def lost_updates(found: Sequence[Transaction], writers: Writers, kind: str) -> list[Anomaly]:
    """Two that read the same version of an object and both wrote it; a value written twice is no version."""
    seen: dict[tuple[Any, Any], Transaction] = {}
    anomalies = []
    for one in found:
        for key, value in one.reads.items():
            if one.status == OK and key in one.writes and (
                kind == "list-append" or len(writers.leave(key, value)) + (value is None) == 1
            ):
                other = seen.setdefault((key, value), one)
                if other is not one:
                    why = f"`{other}` and `{one}` both update the same version of {told(key)}"
                    anomalies.append(Anomaly("lost-update", (other.index, one.index), why))
    return anomalies


def list_orders(found: Sequence[Transaction]) -> tuple[dict[Any, tuple[Any, ...]], list[Anomaly]]:
    """The longest list that was read of each object, and where reads are no beginnings of it or repeat an element."""
    longest: dict[Any, Transaction] = {}
    anomalies: list[Anomaly] = []
    for one in found:
        for key, value in one.shown.items():
            if len(set(value)) < len(value):
                why = f"`{one}` reads an element of {told(key)} twice"
                anomalies.append(Anomaly("duplicate-elements", (one.index,), why))
            if key not in longest or len(value) > len(longest[key].shown[key]):
                longest[key] = one
    for one in found:
        for key, value in one.shown.items():
            if longest[key].shown[key][: len(value)] != value:
                why = f"`{one}` and `{longest[key]}` disagree about the order of {told(key)}"
                anomalies.append(Anomaly("incompatible-order", (one.index, longest[key].index), why))
    for one in found:
        for key, values in one.writes.items():
            whole = longest[key].shown[key] if key in longest and one.status != FAILED else ()
            there = [value for value in whole if value in values]
            if there != values[: len(there)] and len(set(there)) == len(there):
                why = f"`{longest[key]}` reads of {told(key)} what `{one}` appended, but not in its order"
                anomalies.append(Anomaly("incompatible-order", (one.index, longest[key].index), why))
    return {key: one.shown[key] for key, one in longest.items()}, anomalies
