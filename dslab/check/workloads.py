"""Workloads with a rule of their own: money is neither made nor lost, what was added stays, reads do not fork.

Source: Jepsen's tests of these names (https://github.com/jepsen-io/jepsen, jepsen.tests.bank, jepsen.checker/set,
jepsen.tests.long-fork); long fork: Y. Sovran et al., Transactional Storage for Geo-Replicated Systems, SOSP 2011,
section 3 (parallel snapshot isolation allows it, snapshot isolation does not).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .history import LEGAL, OK, UNKNOWN, VIOLATION, HistoryError, HistoryVerdict, Operation, told
from .models import shown_items
from .transactions import transactions


def bank(operations: Sequence[Operation], model: str = "bank", total: int | None = None,
         negative: bool = False) -> HistoryVerdict:
    """Whether every read shows the same money, in the accounts that were there at first.

    Args:
        operations: reads whose result is pairs of (account, balance); other operations say nothing here.
        total: what all balances add up to; None: what the first read shows.
        negative: whether a balance may be below zero.
    """
    reads = [i for i, one in enumerate(operations) if one.do == "read" and one.status == OK and one.result is not None]
    first: dict[Any, Any] | None = None
    for i in reads:
        balances = _balances(operations[i])
        first = balances if first is None else first
        if total is None and None not in balances.values():
            total = sum(balances.values())
        if set(balances) != set(first):
            strange = sorted(set(balances) ^ set(first), key=repr)
            return _wrong("bank", i, (reads[0], i), f"accounts {told(tuple(strange))} are not in every read")
        for account, balance in balances.items():
            if balance is None:
                return _wrong("bank", i, (i,), f"account {told(account)} has no balance")
            if balance < 0 and not negative:
                return _wrong("bank", i, (i,), f"account {told(account)} holds {balance}, less than nothing")
        if sum(balances.values()) != total:
            said = f"the balances add up to {sum(balances.values())}, not to {total}"
            return _wrong("bank", i, tuple(dict.fromkeys((reads[0], i))), said)
    return HistoryVerdict(LEGAL, "bank", "bank", why=f"all reads add up to {total}" if reads else "nobody read",
                          tried={"reads": len(reads)})


def _balances(one: Operation) -> dict[Any, Any]:
    try:
        balances = dict(one.result)
        if all(balance is None or isinstance(balance, int) for balance in balances.values()):
            return balances
    except (TypeError, ValueError):
        pass
    where = f"line {one.line}: " if one.line else ""
    raise HistoryError(f"{where}a read of the bank shows a map from account to balance, not {told(one.result)}")


def set_(operations: Sequence[Operation], model: str = "set") -> HistoryVerdict:
    """Whether the last read shows every element whose add was answered before it, and none that nobody tried to add."""
    reads = [i for i, one in enumerate(operations) if one.do == "read" and one.status == OK and one.result is not None]
    if not reads:
        return HistoryVerdict(UNKNOWN, "set", "set", why="no read was answered, so nothing shows what is in the set")
    last = max(reads, key=lambda i: operations[i].invoked)
    items, asked = shown_items(operations[last]), operations[last].invoked
    shown = set(items)
    adds = [i for i, one in enumerate(operations) if one.do == "add"]
    for i in adds:
        one = operations[i]
        if one.status == OK and one.completed is not None and one.completed < asked and one.argument not in shown:
            return _wrong("set", last, (i, last), f"{told(one.argument)} was added and is lost")
    strange = [element for element in items if element not in {operations[i].argument for i in adds}]
    if strange:
        return _wrong("set", last, (last,), f"{told(strange[0])} is there and was never added")
    return HistoryVerdict(LEGAL, "set", "set", why="the last read shows what was added", tried={"adds": len(adds)})


def long_fork(operations: Sequence[Operation], model: str = "long-fork") -> HistoryVerdict:
    """Whether no two reads saw two writes in different orders.

    Args:
        operations: transactions that write one register, and such that read several; each register is written once.
    """
    found, _ = transactions([one for one in operations], "rw-register")
    wrote: dict[tuple[Any, Any], int] = {}
    keys: dict[Any, int] = {}
    for one in found:
        for key, values in one.writes.items():
            for value in values:
                wrote[key, value] = one.index
            if one.status == OK and keys.setdefault(key, one.index) != one.index:
                why = f"register {told(key)} is written twice, so its reads do not tell the order of writes"
                return HistoryVerdict(UNKNOWN, "long-fork", "long-fork", why=why)
    one_first: dict[tuple[Any, Any], int] = {}            # (x, y): a read that shows x written and y not
    for one in found:
        for key, value in one.reads.items():
            if value is not None and (key, value) not in wrote:
                return _wrong("long-fork", one.index, (one.index,), f"{told(value)} of {told(key)} was never written")
        yes = [key for key, value in one.reads.items() if value is not None]
        no = [key for key, value in one.reads.items() if value is None]
        for x in yes:
            for y in no:
                one_first.setdefault((x, y), one.index)
                if (y, x) in one_first:
                    other = one_first[y, x]
                    part = tuple(dict.fromkeys((*(keys[k] for k in (x, y) if k in keys), other, one.index)))
                    why = (f"`{operations[other]}` saw {told(y)} written before {told(x)}, "
                           f"`{operations[one.index]}` saw them the other way round")
                    return _wrong("long-fork", one.index, part, why)
    return HistoryVerdict(LEGAL, "long-fork", "long-fork", why="all reads saw the writes in one order",
                          tried={"reads": sum(1 for one in found if one.reads)})


def _wrong(name: str, stuck: int, part: tuple[int, ...], why: str) -> HistoryVerdict:
    return HistoryVerdict(VIOLATION, name, name, None, stuck, part, why)


WORKLOADS: dict[str, Callable[..., HistoryVerdict]] = {"bank": bank, "set": set_, "long-fork": long_fork}
