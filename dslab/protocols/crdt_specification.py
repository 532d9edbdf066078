"""What each data type should show, said without states and merges: a function of the updates and who saw whom.

Source: S. Burckhardt, A. Gotsman, H. Yang, M. Zawirski, "Replicated Data Types: Specification, Verification,
Optimality", POPL 2014, section 3; the sequence: the insertion rule of H.-G. Roh et al., 2011, algorithm 1, on a list.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple


class Update(NamedTuple):
    """One update: the index-th of its replica, from 1; `seen` is what its replica had seen before, as pairs."""

    tag: tuple[int, str]
    replica: str
    index: int
    do: str
    argument: Any
    seen: tuple[tuple[str, int], ...]

    def sees(self, other):
        """Whether its replica had seen the other one."""
        return dict(self.seen).get(other.replica, 0) >= other.index


class Value(NamedTuple):
    """A value, which may be None."""

    value: Any


def update(replica, index, issued):
    """An Update from what a replica shows of it: [operation, argument, tag, seen before]."""
    do, argument, tag, seen = issued
    return Update(tuple(tag), replica, index, do, tuple(argument) if isinstance(argument, (list, tuple)) else argument,
                  tuple(sorted(seen.items())))


@lru_cache(maxsize=4096)
def expected(kind, updates):
    """What a replica should show.

    Args:
        kind: the type's name.
        updates: a tuple of Update, by tag.

    Returns:
        A Value; None if nothing is specified for such a type.
    """
    rule = RULES.get(kind)
    return None if rule is None else Value(rule(updates))


def _total(updates):
    sign = {"inc": 1, "dec": -1}
    return sum(sign.get(one.do, 0) * one.argument for one in updates if one.do in sign)


def _last(updates):
    return updates[-1].argument if updates else None


def _not_overwritten(updates):
    return sorted(one.argument for one in updates if not any(two.sees(one) for two in updates))


def _ever(updates):
    return sorted({one.argument for one in updates})


def _never_removed(updates):
    removed = {one.argument for one in updates if one.do == "remove"}
    return sorted({one.argument for one in updates if one.do == "add"} - removed)


def _add_wins(updates):
    removes = [one for one in updates if one.do == "remove"]
    return sorted({one.argument for one in updates if one.do == "add" and not any(
        two.argument == one.argument and two.sees(one) for two in removes)})


def _sequence(updates):
    placed = [(one, _place(one, tuple(two for two in updates if one.sees(two)))) for one in updates]
    return [element for _, element in _listed(placed, updates)]


@lru_cache(maxsize=65536)
def _place(one, before):
    """What an update is about: the tag that it inserts after, or deletes; "" is the beginning."""
    tags = [tag for tag, _ in _listed([(two, _place(two, tuple(three for three in before if two.sees(three))))
                                       for two in before], before)]
    place = one.argument[0] if one.do == "insert" else one.argument + 1
    return tags[place - 1] if place else ""


def _listed(placed, updates):
    """The list that comes of inserting and deleting one after the other, by tags, which is an order of causes."""
    order, elements, gone = [], {}, set()
    for one, about in placed:
        if one.do == "delete":
            gone.add(about)
            continue
        at = order.index(about) + 1 if about != "" else 0
        while at < len(order) and order[at] > one.tag:   # newer ones at the same place stand first
            at += 1
        order.insert(at, one.tag)
        elements[one.tag] = one.argument[1]
    return [(tag, elements[tag]) for tag in order if tag not in gone]


RULES = {
    "g-counter": _total, "pn-counter": _total, "bounded-counter": _total, "op-counter": _total,
    "lww-register": _last, "mv-register": _not_overwritten,
    "g-set": _ever, "2p-set": _never_removed,
    "or-set": _add_wins, "or-set-optimised": _add_wins, "op-set": _add_wins,
    "sequence": _sequence, "op-sequence": _sequence,
}
