"""Runs one handler of a node outside any run: what it changes, what it sends, which timers it sets.

The node does not notice: it finds a host to send through, timers to set and a `self.random` to draw from. Where it
draws, every outcome is one more result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

from dslab.sim import DslabError, Message, Node, NodeError, System
from dslab.sim.diagnosis import failure
from dslab.sim.errors import BudgetError
from dslab.sim.host import _timer_range_us, _timer_us
from dslab.sim.node import RUNTIME_ATTRIBUTES
from dslab.sim.watchdog import HandlerTimeout

from .frozen import AS_IT_IS, copied

OUTCOMES = 8        # most outcomes of one draw that are followed
NOT_STATE = RUNTIME_ATTRIBUTES | {"_host"}


class Draw(BaseException):
    """A handler drew once more than its script says; not an Exception, so that `except Exception` lets it through."""

    def __init__(self, outcomes: int) -> None:
        super().__init__(outcomes)
        self.outcomes = outcomes


class Dice:
    """Stands in for `self.random`: its outcomes come from a script.

    Args:
        script: numbers of the outcomes, in order of the draws.
    """

    def __init__(self, script: Sequence[int]) -> None:
        self._script = iter(script)

    def _draw(self, outcomes: int) -> int:
        if outcomes > OUTCOMES:
            raise NodeError(f"it draws one of {outcomes} outcomes from self.random; the explorer follows at most "
                            f"{OUTCOMES}: draw from fewer, or set an attribute of the class for this search")
        if outcomes == 1:
            return 0
        outcome = next(self._script, None)
        if outcome is None:
            raise Draw(outcomes)
        return outcome

    def choice(self, items: Sequence[Any]) -> Any:
        return items[self._draw(len(items))]

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        numbers = range(start) if stop is None else range(start, stop, step)
        return numbers[self._draw(len(numbers))]

    def randint(self, low: int, high: int) -> int:
        return self.randrange(low, high + 1)

    def getrandbits(self, bits: int) -> int:
        return self._draw(1 << bits)

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        def refuse(*_: Any, **__: Any) -> NoReturn:
            remedy = ("set_timer(..., between=(lowest, highest)) lets the runtime draw the time" if name in (
                "uniform", "expovariate", "gauss", "triangular") else "choice, randrange and randint have few outcomes")
            raise NodeError(f"it calls self.random.{name}(), which has too many outcomes to follow them all: {remedy}")
        return refuse


class NoDice(Dice):
    """Stands in for `self.random` while a node starts."""

    def _draw(self, outcomes: int) -> int:
        raise NodeError("it draws from self.random while it starts, which no schedule can say the outcome of: "
                        "draw in the handler of a message or a timer")


class Standin:
    """Where a node runs while the explorer looks at it; has what Node expects of its host."""

    def __init__(self, system: System, node_id: str) -> None:
        self.id, self.cls = node_id, system.classes[node_id]
        self.peers = tuple(n for n in system.servers if n != node_id)
        self.links = {name: name for name in system.nodes}
        self.sim = self                                   # which knows about links, see `link`
        self.outbox: list[tuple[str, Message]] = []
        self.records: list[tuple[str, str, int, Any]] = []
        self.timers: dict[str, bool] = {}
        self.options = {name: value for name, value in system.options.items()
                        if node_id not in system.clients or hasattr(self.cls, name)}
        self._classes = [(owner, dict(vars(owner))) for owner in self.cls.__mro__[:self.cls.__mro__.index(Node)]]

    def link(self, source: str, target: str) -> NoReturn:
        raise NodeError(f"there is no node {target!r} to send to; the nodes are {', '.join(self.links)}")

    def set_timer(self, name: str, after: Any, between: Any) -> None:
        type(self.node).timer_handler(name)
        if between is None or after is not None:
            _timer_us(name, after, between)
        else:
            _timer_range_us(name, between)
        self.timers[name] = True

    def cancel_timer(self, name: str) -> None:
        self.timers.pop(name, None)

    def local_clock_ms(self) -> NoReturn:
        raise NodeError("it reads self.now, and the explorer has no clock, because it tries every order of events; "
                        "let a timer tell the node that time has passed")

    def record_invoke(self, number: int, command: Any, to: str) -> None:
        self.records.append(("invoke", self.id, number, copied(command)))

    def record_complete(self, number: int, result: Any) -> None:
        self.records.append(("complete", self.id, number, copied(result)))

    def wake(self, attributes: dict[str, Any], timers: Sequence[str], script: Sequence[int],
             order: int = AS_IT_IS) -> Node:
        """A node with copies of these attributes; `order` is that of their dicts, see dslab.check.frozen.copied."""
        node = object.__new__(self.cls)
        values = node.__dict__
        memo: dict[int, Any] = {}
        for name, value in attributes.items():
            values[name] = copied(value, order, memo)
        return self.adopt(node, timers, script)

    def adopt(self, node: Node, timers: Sequence[str], script: Sequence[int]) -> Node:
        """Takes in a node that is a copy already."""
        self.node = node
        node.__dict__.update(_host=self, id=self.id, peers=self.peers)
        node.random = Dice(script)  # type: ignore[assignment]
        self.timers = dict.fromkeys(timers, True)
        self.outbox, self.records = [], []
        return node

    def boot(self, durable: dict[str, Any], order: int = AS_IT_IS,
             begin: Callable[[Node], None] = lambda node: node.on_start()) -> Node:
        """A new instance with nothing but its durable attributes, as dslab.sim.host.Host.boot makes it."""
        node = self.wake(self.options, (), ())
        node.random = NoDice(())  # type: ignore[assignment]
        node.__init__()  # type: ignore[misc]
        for name, value in durable.items():
            setattr(node, name, copied(value, order))
        begin(node)
        missing = [name for name in self.cls.shows or () if not hasattr(node, name)]
        if missing:
            raise NodeError(f"`shows` names {missing[0]!r}, which the node does not have: "
                            f"set self.{missing[0]} in on_start")
        return node

    def check(self, node: Node) -> None:
        """Makes sure that a handler has changed nothing that is not part of a node's state.

        Raises:
            NodeError: it has; says what and what to do.
        """
        for name, given in (("id", self.id), ("peers", self.peers)):
            if vars(node).get(name, given) is not given:            # a class may have a property of this name
                raise NodeError(f"it assigns self.{name}, which belongs to the runtime, and the explorer would forget "
                                f"it: use another name, such as self.my_{name}")
        if not isinstance(vars(node).get("random"), Dice):
            raise NodeError("it assigns self.random, which belongs to the runtime: use another name")
        for owner, before in self._classes:
            now = vars(owner)
            changed = [name for name in {**before, **now} if now.get(name) is not before.get(name)
                       and not name.startswith("__")]
            if changed:
                raise NodeError(f"it changes {owner.__name__}.{changed[0]}, which all nodes would share: keep it in "
                                f"self.{changed[0]}")


class HandlerFailed(NodeError):
    """A handler raised an exception of its own: a fault that the search has found.

    Attributes:
        script: the outcomes that it drew before.
    """

    script: tuple[int, ...] = ()


class Effect(NamedTuple):
    """What a handler did.

    Attributes:
        attributes: of the node afterwards, its own.
        timers: names of those that run, in alphabetical order.
        sends: (receiver, message) in order.
        script: which outcomes it drew.
        node: the node itself.
        records: what this was for clients, as in World.recorded.
    """

    attributes: dict[str, Any]
    timers: tuple[str, ...]
    sends: tuple[tuple[str, Message], ...]
    script: tuple[int, ...]
    node: Node
    records: tuple[tuple[str, str, int, Any], ...] = ()


def effects(host: Standin, run: Callable[[tuple[int, ...]], Node], place: str) -> Iterator[Effect]:
    """Runs a handler once for each outcome of what it draws.

    Args:
        host: where it runs.
        run: called with a script; makes the node and runs the handler.
        place: "n1 in on_vote", for errors.

    Raises:
        HandlerFailed: it raised an exception. NodeError: it did what the explorer cannot follow.
    """
    scripts: list[tuple[int, ...]] = [()]
    while scripts:
        script = scripts.pop()
        try:
            node = run(script)
            host.check(node)
        except Draw as more:
            scripts += [(*script, outcome) for outcome in reversed(range(more.outcomes))]
            continue
        except HandlerTimeout:
            raise BudgetError(f"{place}: it did not return; look for a loop that never ends") from None
        except DslabError as error:
            raise type(error)(f"{place}: {error}") from error
        except (Exception, SystemExit) as error:
            fault = HandlerFailed(f"{place}: {failure(error)}")
            fault.script = script
            raise fault from error
        attributes = {name: value for name, value in node.__dict__.items() if name not in NOT_STATE}
        yield Effect(attributes, tuple(sorted(host.timers)), tuple(host.outbox), script, node,
                     tuple(host.records))
