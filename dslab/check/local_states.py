"""What one node is, as a number: all its attributes, its timers, and whether it runs."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Container, Iterator, Sequence
from typing import Any, NamedTuple

from dslab.sim import DslabError, MessageError, NodeError, ScheduleError
from dslab.sim.message import plain
from dslab.sim.properties import NodeState
from dslab.sim.snapshot import keep

from .frozen import aliases, copied, freeze, orders, renamed
from .judge import View
from .standin import Effect, Standin

WIDTH = 20                            # bits for what a node is
FIELD = (1 << WIDTH) - 1


class Full(Exception):
    """More different states of a node than a number has room for."""


class Local(NamedTuple):
    """What one node is: its attributes, the timers that run, and what of it is shown."""

    up: bool
    attributes: dict[str, Any]
    timers: tuple[str, ...]
    view: View
    view_key: Any
    node: Any
    orders: tuple[int, ...]       # other orders in which its dicts could have been filled


class Locals:
    """Numbers for what each node is; 0 stands for a node that has not started.

    Args:
        hosts: where the handlers of each node run. traitors: the nodes about which nothing is promised.
        absent: the nodes that have yet to join.
        ordered: whether the order in which a dict was filled tells two states apart.

    Attributes:
        size: about how many bytes they all take.
    """

    def __init__(self, hosts: Sequence[Standin], traitors: Container[str], absent: Container[str],
                 ordered: bool) -> None:
        self.hosts, self.traitors, self.ordered = hosts, traitors, ordered
        self._all: list[list[Local]] = []
        self._known: list[dict[Any, int]] = []
        self._keys: list[list[Any]] = [[] for _ in hosts]
        self.size = 0
        for host in hosts:
            view = View(NodeState(id=host.id, status="absent" if host.id in absent else "crashed"))
            self._all.append([Local(False, copied(host.cls.durable), (), view, None, None, ())])
            self._known.append({None: 0})

    def __getitem__(self, i: int) -> list[Local]:
        """What node i has been, by number."""
        return self._all[i]

    def __iter__(self) -> Iterator[list[Local]]:
        return iter(self._all)

    def up(self, i: int, effect: Effect) -> int:
        """The number of node i as a handler has left it.

        Raises:
            NodeError: it holds what cannot be compared.
        """
        host, attributes = self.hosts[i], effect.attributes
        try:
            key = (effect.timers, frozenset([(name, freeze(v, self.ordered)) for name, v in attributes.items()]),
                   aliases(attributes))
        except MessageError as error:
            bad = next(name for name, v in attributes.items() if not _freezable(v))
            raise NodeError(f"{host.id}.{bad} holds what the explorer cannot compare: {error}; use numbers, text, "
                            f"lists, dicts, sets or messages") from None
        number = self._known[i].get(key)
        if number is None:
            shown = _shown(effect.node, attributes)
            view = View(NodeState(id=host.id, status="up", traitor=host.id in self.traitors, **shown))
            del effect.node._host, effect.node.random
            number = self._add(i, key, Local(True, attributes, effect.timers, view,
                                             ("up", freeze(shown, self.ordered)), effect.node,
                                             orders(list(attributes.values()))))
        return number

    def down(self, i: int, local: Local) -> int:
        """The number of a node after a crash: it keeps what is durable, and views keep what they saw last."""
        durable = {name: keep(local.attributes[name]) for name in self.hosts[i].cls.durable}     # as a disk does
        view = View(NodeState(**{**vars(local.view.state), "status": "crashed"}))
        return self._crashed(i, durable, view, ("crashed", local.view_key[1]))

    def _crashed(self, i: int, durable: dict[str, Any], view: View, view_key: Any) -> int:
        key = (view_key, freeze(durable, self.ordered))
        number = self._known[i].get(key)
        if number is None:
            number = self._add(i, key, Local(False, durable, (), view, view_key, None, orders(list(durable.values()))))
        return number

    def _add(self, i: int, key: Any, local: Local) -> int:
        number = self._known[i][key] = len(self._all[i])
        if number > FIELD:
            raise Full(f"{self.hosts[i].id} has more than {FIELD:,} different states")
        self._all[i].append(local)
        self.size += 500 + 3 * _size(local.attributes)     # themselves, as a key, and as what is shown
        return number

    # ---- states of other searches and of other nodes

    def adopted(self, i: int, other: Locals, number: int) -> int:
        """The number that a node's state in another search has here."""
        if len(other._keys[i]) != len(other._known[i]):
            other._keys[i] = list(other._known[i])
        key = other._keys[i][number]
        if key not in self._known[i]:
            local = other[i][number]
            view = View(NodeState(**{**vars(local.view.state), "traitor": self.hosts[i].id in self.traitors}))
            self._add(i, key, local._replace(view=view))
        return self._known[i][key]

    def renamed(self, i: int, number: int, j: int, names: dict[str, str]) -> int:
        """The number of the same state of node i at node j, with other names in it.

        Raises:
            ScheduleError: it holds one object in two places.
        """
        local, host = self._all[i][number], self.hosts[j]
        for places in aliases(local.attributes):
            where = " and ".join(sorted({path[0] for path in places}))
            raise ScheduleError(f"symmetry: in {self.hosts[i].id}, {where} holds one and the same object in two "
                                f"places, which a renamed copy would not: search without symmetry")
        attributes = renamed(local.attributes, names)
        if local.up:
            node = host.wake(attributes, local.timers, ())
            return self.up(j, Effect(attributes, local.timers, (), (), node))
        own = ("id", "status", "traitor")
        shown = renamed({k: v for k, v in vars(local.view.state).items() if k not in own}, names)
        view = View(NodeState(**{**vars(local.view.state), **shown, "id": host.id}))
        return self._crashed(j, attributes, view, ("crashed", freeze(shown, self.ordered)))


def _shown(node: Any, attributes: dict[str, Any]) -> dict[str, Any]:
    fields = type(node).shows
    if fields is None:
        return {name: value for name, value in attributes.items() if name[0] != "_" and _is_plain(value)}
    return {name: attributes[name] if name in attributes else getattr(node, name) for name in fields}


def _size(value: Any) -> int:
    """About how many bytes a value takes; its numbers are everybody's."""
    if value is None or isinstance(value, int):
        return 0
    size = sys.getsizeof(value)
    if isinstance(value, dict):
        return size + sum([_size(key) + _size(item) for key, item in value.items()])
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return size + sum([_size(item) for item in value])
    return size


def _freezable(value: Any) -> bool:
    try:
        freeze(value)
    except MessageError:
        return False
    return True


def _is_plain(value: Any) -> bool:
    try:
        plain(value)
    except DslabError:
        return False
    return True
