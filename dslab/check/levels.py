"""The models and which of them implies which, as data; what each forbids; names under which they are known.

Source: A. Adya, Weak Consistency, MIT 1999, chapter 4; A. Cerone, G. Bernardi, A. Gotsman, A Framework for
Transactional Consistency Models with Atomic Visibility, CONCUR 2015 (read atomic, causal, prefix, parallel snapshot
isolation); P. Bailis et al., Highly Available Transactions, VLDB 2013 (the lattice, monotonic atomic view); K. Daudjee,
K. Salem, Lazy Database Replication with Snapshot Isolation, VLDB 2006 (strong session); P. Viotti, M. Vukolic,
Consistency in Non-Transactional Distributed Storage Systems, ACM Computing Surveys 49(1), 2016.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .history import HistoryError

# ---- of single operations: stronger -> what it directly implies

IMPLIES: dict[str, tuple[str, ...]] = {
    "linearizable": ("sequential", "eventual"),
    "sequential": ("causal",),
    "causal": ("pram", "monotonic reads + writes follow reads"),
    "pram": ("read your writes", "monotonic reads + monotonic writes"),
    "monotonic reads + monotonic writes": ("monotonic reads", "monotonic writes"),
    "monotonic reads + writes follow reads": ("monotonic reads", "writes follow reads"),
    "writes follow reads": (),
    "read your writes": (),
    "monotonic reads": (),
    "monotonic writes": (),
    "eventual": (),
}

# ---- of transactions. A read of a value whose write is not in the record is held against the stronger levels only: a
# record may begin late, and what these levels forbid shows among the recorded transactions.


class Level(NamedTuple):
    """One model of transactions.

    Attributes:
        family: which graph must be without cycles, a name in dslab.check.isolation.FAMILIES.
        order: what else it must keep: None, "process" (each process's own order) or "realtime" (everybody's).
        implies: the weaker models that it directly implies.
        forbids: the anomalies that it forbids beyond those of the models it implies.
    """

    family: str
    order: str | None
    implies: tuple[str, ...]
    forbids: tuple[str, ...]


DIRTY = ("G1a", "G1b", "G1c", "dirty-update", "incompatible-order", "future-read")

LEVELS: dict[str, Level] = {
    "read-uncommitted": Level("ww", None, (), ("G0", "duplicate-elements", "cyclic-versions")),
    "read-committed": Level("committed", None, ("read-uncommitted",), DIRTY),
    "cursor-stability": Level("committed", None, ("read-committed",), ("lost-update",)),
    "monotonic-atomic-view": Level("monotonic atomic", None, ("read-committed",), ()),
    "read-atomic": Level("atomic", None, ("monotonic-atomic-view",), ("internal",)),
    "update-atomic": Level("atomic", None, ("read-atomic",), ("lost-update",)),
    "causal-cerone": Level("causal", None, ("read-atomic",), ()),
    "prefix": Level("prefix", None, ("causal-cerone",), ("garbage-read",)),
    "consistent-view": Level(
        "view", None, ("causal-cerone", "update-atomic", "cursor-stability"), ("G-single-item", "garbage-read")
    ),
    "parallel-snapshot-isolation": Level("view", None, ("consistent-view",), ()),
    "snapshot-isolation": Level("snapshot", None, ("parallel-snapshot-isolation", "prefix"), ("G-nonadjacent-item",)),
    "repeatable-read": Level("serial", None, ("consistent-view",), ("G-nonadjacent-item", "G2-item")),
    "serializable": Level("serial", None, ("repeatable-read", "snapshot-isolation"), ()),
    "strong-session-read-uncommitted": Level("ww", "process", ("read-uncommitted",), ("G0-process",)),
    "strong-session-read-committed": Level(
        "committed", "process", ("read-committed", "strong-session-read-uncommitted"), ("G1c-process",)
    ),
    "strong-session-snapshot-isolation": Level(
        "snapshot",
        "process",
        ("snapshot-isolation", "strong-session-read-committed"),
        ("G-single-item-process", "G-nonadjacent-item-process"),
    ),
    "strong-session-serializable": Level(
        "serial", "process", ("serializable", "strong-session-snapshot-isolation"), ("G2-item-process",)
    ),
    "strong-read-uncommitted": Level("ww", "realtime", ("strong-session-read-uncommitted",), ("G0-realtime",)),
    "strong-read-committed": Level(
        "committed", "realtime", ("strong-session-read-committed", "strong-read-uncommitted"), ("G1c-realtime",)
    ),
    "strong-snapshot-isolation": Level(
        "snapshot",
        "realtime",
        ("strong-session-snapshot-isolation", "strong-read-committed"),
        ("G-single-item-realtime", "G-nonadjacent-item-realtime"),
    ),
    "strict-serializable": Level(
        "serial", "realtime", ("strong-session-serializable", "strong-snapshot-isolation"), ("G2-item-realtime",)
    ),
}

ALSO: dict[str, str] = {
    "pl-1": "read-uncommitted",
    "pl-2": "read-committed",
    "pl-cs": "cursor-stability",
    "pl-2+": "consistent-view",
    "pl-2.99": "repeatable-read",
    "pl-3": "serializable",
    "pl-si": "snapshot-isolation",
    "pl-ss": "strict-serializable",
    "conflict-serializable": "serializable",
    "view-serializable": "serializable",
    "strong-serializable": "strict-serializable",
    "strong-pl-1": "strong-read-uncommitted",
    "strong-pl-2": "strong-read-committed",
    "strong-session-pl-1": "strong-session-read-uncommitted",
    "strong-pl-si": "strong-snapshot-isolation",
    "strong-session-pl-2": "strong-session-read-committed",
    "strong-session-pl-si": "strong-session-snapshot-isolation",
    "strong-session-pl-3": "strong-session-serializable",
    "rola": "update-atomic",
    "psi": "parallel-snapshot-isolation",
    "si": "snapshot-isolation",
    "list-append": "strict-serializable",
    "rw-register": "strict-serializable",
}


def level_named(name: str) -> str:
    """The name in LEVELS of a model of transactions: "snapshot isolation", "PL-SI" and ":snapshot-isolation" are one.

    Raises:
        HistoryError: there is none.
    """
    plain = name.strip().lstrip(":").lower().replace("_", "-").replace(" ", "-")
    found = ALSO.get(plain, plain)
    if found not in LEVELS:
        raise HistoryError(f"there is no transactional model {name!r}; choose from {', '.join(LEVELS)}")
    return found


def implied(name: str, implies: Mapping[str, tuple[str, ...]] | None = None) -> tuple[str, ...]:
    """A model and everything that it implies, the model first.

    Args:
        name: a name in LEVELS, or in `implies` where that is given (such as IMPLIES).
    """
    table = implies if implies is not None else {level: LEVELS[level].implies for level in LEVELS}
    found = [name]
    for model in found:
        found += [weaker for weaker in table[model] if weaker not in found]
    return tuple(found)


def forbidden(name: str) -> tuple[str, ...]:
    """The anomalies that a model of transactions forbids, itself or through what it implies."""
    return tuple(dict.fromkeys(anomaly for level in implied(name) for anomaly in LEVELS[level].forbids))


def ruled_out(anomalies: Iterable[str]) -> tuple[str, ...]:
    """The weakest models of transactions that these anomalies rule out; all stronger ones are out too."""
    seen = set(anomalies)
    out = [level for level in LEVELS if seen & set(forbidden(level))]
    return tuple(level for level in out if not set(implied(level)[1:]) & set(out))


def strongest(satisfied: Iterable[str], implies: Mapping[str, tuple[str, ...]] | None = None) -> tuple[str, ...]:
    """Of the models that a history satisfies those that no other of them implies.

    Args:
        satisfied: names in LEVELS, or in `implies` where that is given.
    """
    kept = list(dict.fromkeys(satisfied))
    return tuple(name for name in kept if not any(name in implied(other, implies)[1:] for other in kept))
