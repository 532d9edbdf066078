"""A system: the nodes, the network between them, and what must hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .client import Client
from .errors import NodeError, ScheduleError
from .network import Latency, Network, latency_range_us
from .node import Node

A_DAY = 86_400_000      # ms; longer than any run by hand


class System:
    """The first of the three inputs of a run: which classes run where, over which network, with which disks.

    Args:
        server: the Node class of every server, or a dict {node id: class}.
        nodes: how many servers, 1 to 10,000; they are called n1, n2, ... (ignored when `server` is a dict).
        clients: how many clients, called c1, c2, ...; 0 for none.
        client: the class of the clients, Client or a subclass of it.
        network: what the links are like.
        disk: how long one durable write takes, ms: a number or a pair (lowest, highest); 0 for no time at all.
        options: values for attributes that the class defines, such as {"election_timeout": (150, 300)}.
        always: safety properties, functions of a World that return None or a violation.
        eventually: progress properties, functions of a World that return True once reached.
        name: for titles and traces; the class's name if not given.
        absent: names of servers that are not there when the run starts; a schedule's `join` starts them.
        code: the Python expression that makes this system again, for "copy as code".
        imports: the import line which that expression needs.

    Raises:
        NodeError: a class is not a Node or an option names no attribute of it.
        ScheduleError: a count or time is out of range.
    """

    def __init__(self, server: type[Node] | Mapping[str, type[Node]], nodes: int = 5, *, clients: int = 0,
                 client: type[Client] = Client, network: Network | None = None, disk: float | tuple[float, float] = 0,
                 options: Mapping[str, Any] | None = None, always: Sequence[Callable[..., Any]] = (),
                 eventually: Sequence[Callable[..., Any]] = (), name: str | None = None,
                 absent: Sequence[str] = (), code: str = "system", imports: str = "") -> None:
        if not isinstance(server, Mapping) and not (isinstance(nodes, int) and 1 <= nodes <= 10_000):
            raise ScheduleError(f"a system needs 1 to 10,000 nodes, not {nodes!r}")
        self.classes: dict[str, type[Node]] = (
            dict(server) if isinstance(server, Mapping) else {f"n{i}": server for i in range(1, nodes + 1)})
        for node, cls in self.classes.items():
            if not (isinstance(cls, type) and issubclass(cls, Node)):
                raise NodeError(f"{node} cannot run {cls!r}: write a class that inherits from Node and pass the class")
        if not (isinstance(client, type) and issubclass(client, Client)):
            raise NodeError(f"a client cannot run {client!r}: pass a class that inherits from dslab.sim.Client")
        self.servers = list(self.classes)
        self.clients = [f"c{i}" for i in range(1, clients + 1)]
        self.classes.update({name: client for name in self.clients})
        self.network = network or Network()
        latency_range_us(disk, "disk")
        self.disk = disk
        self.options = dict(options or {})
        for option in self.options:
            if not any(hasattr(self.classes[node], option) for node in self.servers):
                raise NodeError(f"{self.classes[self.servers[0]].__name__} has no attribute {option!r} to set; "
                                f"define it in the class first")
        if isinstance(absent, str) or not all(node in self.servers for node in absent):
            raise ScheduleError(f"absent must be a list of servers of this system, such as "
                                f"[{self.servers[-1]!r}], not {absent!r}")
        self.absent = dict.fromkeys(absent)
        if len(self.absent) == len(self.servers):
            raise ScheduleError("absent names every server; at least one must be there for the others to join")
        self.always, self.eventually = tuple(always), tuple(eventually)
        self.name = name or next(iter(self.classes.values())).__name__
        self.code, self.imports = code, imports
        self.by_hand = False
        self.interchangeable: tuple[tuple[str, ...], ...] = ()     # groups of nodes that differ by name only

    @property
    def nodes(self) -> list[str]:
        """All node ids: servers first, then clients."""
        return list(self.classes)

    @property
    def import_lines(self) -> str:
        """The lines that `code` needs: `imports`, and the home of each of our classes that it names by itself."""
        homes = {cls.__name__: cls.__module__ for cls in self.classes.values()}
        named = [f"from {home} import {name}" for name, home in homes.items()
                 if home.startswith("dslab.protocols.") and re.search(rf"(?<![.\w]){name}\b", self.code)]
        return "\n".join(dict.fromkeys([line for line in [*self.imports.splitlines(), *named] if line]))

    def replace(self, *, network: Network | None = None, latency: Latency | None = None,
                disk: float | tuple[float, float] | None = None, code: str | None = None) -> System:
        """A copy of this system on another network, or with other disks."""
        twin = object.__new__(System)
        twin.__dict__.update(self.__dict__)
        twin.network = network or (Network(latency=latency) if latency is not None else self.network)
        if disk is not None:
            latency_range_us(disk, "disk")
            twin.disk = disk
        twin.code = code or "system"
        return twin

    def expecting(self, *properties: Callable[..., Any]) -> System:
        """This system with more safety properties, such as `linearizable()` of dslab.check.properties.

        A property may carry `code`, the expression that makes it, and `imports`, the line which that needs.
        """
        made = ", ".join(getattr(prop, "code", prop.__name__) for prop in properties)
        twin = self.replace(code=f"{self.code}.expecting({made})")
        twin.always = (*self.always, *properties)
        lines = [*self.imports.splitlines(), *[getattr(prop, "imports", "") for prop in properties]]
        twin.imports = "\n".join(dict.fromkeys([line for line in lines if line]))
        return twin

    def stepped(self) -> System:
        """This system with time standing still: a message arrives by a `deliver` action only, a timer runs out by
        `timeout` only, and a durable write takes no time. So a schedule says the whole order of events.
        """
        twin = self.replace(latency=A_DAY, disk=0, code=f"{self.code}.stepped()")
        twin.by_hand = True
        return twin

    def without(self, *nodes: str) -> System:
        """This system with some of its nodes left out; the others keep their names.

        Raises:
            ScheduleError: there is no such node, or it is the last server.
        """
        unknown = [node for node in nodes if node not in self.classes]
        if unknown or not set(self.servers) - set(nodes):
            raise ScheduleError(f"there is no node {unknown[0]!r} to leave out" if unknown else
                                "a system needs at least one server")
        twin = self.replace(code=f"{self.code}.without({', '.join(f'{node!r}' for node in nodes)})".replace("'", '"'))
        twin.classes = {node: cls for node, cls in self.classes.items() if node not in nodes}
        twin.servers = [node for node in self.servers if node not in nodes]
        twin.clients = [node for node in self.clients if node not in nodes]
        twin.absent = {node: None for node in self.absent if node not in nodes}
        groups = [tuple(node for node in group if node not in nodes) for group in self.interchangeable]
        twin.interchangeable = tuple(group for group in groups if group)
        return twin

    def __repr__(self) -> str:
        return f"<System {self.name}: {len(self.servers)} servers, {len(self.clients)} clients>"
