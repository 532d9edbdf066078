"""The states of a system and how one leads to others: what the explorer searches.

A state is one whole number. Its low bits hold a number for what each node is (all its attributes, timers and whether
it runs), one for what properties have noted (beside it, while a state is judged, what the step to it was for clients),
and one for how much of each bound is used up; each further bit stands for one message in flight, or for a second copy
of it. What a handler does depends on its node and the event alone, so it runs once for each pair of them and is looked
up ever after: a step is then a few operations on whole numbers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from dslab.sim import DslabError, Message, MessageError, NodeError, ScheduleError, System
from dslab.sim.guard import check_class
from dslab.sim.message import plain
from dslab.sim.properties import NodeState
from dslab.sim.snapshot import keep
from dslab.sim.treason import forged

from .frozen import AS_IT_IS, aliases, copied, freeze, orders, renamed
from .judge import Broken, Judge, Records, View
from .standin import Effect, Standin, effects

WIDTH = 20                            # bits for what a node is
FIELD = (1 << WIDTH) - 1
LOSS, DUPLICATE, CRASH, RESTART = "loss", "duplicate", "crash", "restart"


class OrderMatters(Exception):
    """A handler does something else when its node's dicts were filled in another order."""


class Full(Exception):
    """More different states of a node than a number has room for."""


class Bounds(NamedTuple):
    """How much may happen in a search; see dslab.check.explore.explore."""

    requests: tuple[Mapping[str, Any], ...] = ()
    timeouts: int | Mapping[str, int] | None = 0
    crashes: int = 0
    restarts: int = 0
    losses: int = 0
    duplicates: int = 0
    traitors: Mapping[str, Sequence[Mapping[str, Any]]] = {}
    kept: bool = False
    joins: tuple[Mapping[str, Any], ...] = ()


class Local(NamedTuple):
    """What one node is: its attributes, the timers that run, and what of it is shown."""

    up: bool
    attributes: dict[str, Any]
    timers: tuple[str, ...]
    view: View
    view_key: Any
    node: Any
    orders: tuple[int, ...]       # other orders in which its dicts could have been filled


class Outcome(NamedTuple):
    """What a step does to a state."""

    delta: int                    # to XOR: another number for the node
    sends: int                    # to OR: the first copies of the messages sent
    changed: bool                 # whether the node shows something else
    sent: tuple[int, ...]         # numbers of the messages, in order
    script: tuple[int, ...]       # outcomes drawn
    lies: tuple[tuple[str, int], ...]      # (receiver, which lie) where a traitor does not tell the truth


class Step(NamedTuple):
    """One step from a state."""

    kind: str                     # "deliver", "timeout", "crash", "restart", "join", "request", "loss", "duplicate"
    node: str
    what: Any                     # message number, timer, request number
    outcome: Outcome | None


class Deed(NamedTuple):
    """One step in words that mean the same to every run.

    Attributes:
        kind, node: as in Step.
        message: (source, target, message) that is delivered, lost or doubled.
        timer: the one that runs out. request: the one that is made. join: through which node.
        script: outcomes of what the node draws.
        lies: (receiver, fields) where a traitor does not tell the truth.
        sent: (source, target, message) of what the node sends, in order.
    """

    kind: str
    node: str
    message: tuple[str, str, Message] | None = None
    timer: str | None = None
    request: Mapping[str, Any] | None = None
    script: tuple[int, ...] = ()
    lies: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    sent: tuple[tuple[str, str, Message], ...] = ()
    join: str | None = None


class Space:
    """All that a search needs to know of a system.

    Args:
        system: what is explored. bounds: how much may happen. judge: what is looked at.
        ordered: whether the order in which a dict was filled is part of a state.
        naive: copy all nodes at every step and remember nothing: for comparison.
    """

    def __init__(self, system: System, bounds: Bounds, judge: Judge, *, ordered: bool = False,
                 naive: bool = False) -> None:
        self.system, self.bounds, self.judge, self.ordered, self.naive = system, bounds, judge, ordered, naive
        self.names = system.nodes
        for cls, node in {cls: node for node, cls in reversed(system.classes.items())}.items():
            if node not in system.clients:
                check_class(cls, node)  # type: ignore[arg-type]  # classes are hashable
        count = len(self.names)
        self.hosts = [Standin(system, name) for name in self.names]
        self.index = {name: i for i, name in enumerate(self.names)}
        self.locals: list[list[Local]] = [[] for _ in self.names]
        self._known: list[dict[Any, int]] = [{} for _ in self.names]
        self._keys: list[list[Any]] = [[] for _ in self.names]
        self.memory_shift = count * WIDTH
        # what a step was for clients, until the state has been judged
        self.record_shift = (count + 1) * WIDTH
        self.used_shift = self.record_shift + (WIDTH if judge.kept else 0)
        self.net_shift = self.used_shift + WIDTH
        self.records: list[Records] = [()]
        self._record_numbers: dict[Any, int] = {(): 0}
        self.low = (1 << self.net_shift) - 1
        self.judged_bits = (1 << self.used_shift) - 1
        self.without_notes = ~(FIELD << self.memory_shift)
        self.messages: list[tuple[str, str, Message]] = []
        self.copies: list[list[int]] = []              # of each message: its bits
        self._message_numbers: dict[Any, int] = {}
        # bit -> (what its arrival does by receiver's number, receiver, judged, bits of further copies, message, bit)
        self.flights: dict[int, tuple[Any, ...]] = {}
        self.judged: list[dict[int, Any]] = [{} for _ in self.names]
        # per node: (where its number stands, {number: its own steps}, judged, index)
        self.alone: list[tuple[int, dict[int, Any], dict[int, Any], int]] = [
            (i * WIDTH, {}, self.judged[i], i) for i in range(count)]
        self.used: list[tuple[Any, ...]] = []
        self._used_numbers: dict[Any, int] = {}
        self.costs: list[dict[Any, int]] = []
        self._tried: set[tuple[str, int]] = set()      # by a naive search
        self.handling: Any = None
        self.handler_runs = 0
        self.goal_states: list[dict[int, None]] = [{} for _ in judge.goals]
        self.goals_met = 0
        self.attempt: Step | None = None               # the step whose handler ran last
        self.start_sent: tuple[int, ...] = ()
        timers = bounds.timeouts
        self._timer_limits = dict(timers) if isinstance(timers, Mapping) else None
        self.lossy = bool(bounds.losses or bounds.duplicates)
        self.by_client = {client: [k for k, r in enumerate(bounds.requests) if r.get("client", "c1") == client]
                          for client in self.system.clients}
        self._use((0, 0, 0, 0, (0,) * len(self._timer_limits or ()) or (0,), (0,) * len(self.by_client)))

    # ---- bounds

    def _use(self, used: tuple[Any, ...]) -> int:
        """The number of what is used up: (losses, duplicates, crashes, restarts, timeouts, requests)."""
        number = self._used_numbers.get(used)
        if number is None:
            number = self._used_numbers[used] = len(self.used)
            self.used.append(used)
            self.costs.append({})
        return number

    def cost(self, number: int, kind: Any) -> int | None:
        """What to XOR to a state when one more step of a kind is taken; None if its bound is used up."""
        costs = self.costs[number]
        if kind not in costs:
            after = self._after(self.used[number], kind)
            costs[kind] = None if after is None else (self._use(after) ^ number) << self.used_shift  # type: ignore
        return costs[kind]

    def _after(self, used: tuple[Any, ...], kind: Any) -> tuple[Any, ...] | None:
        bounds = self.bounds
        limits = {LOSS: bounds.losses, DUPLICATE: bounds.duplicates, CRASH: bounds.crashes, RESTART: bounds.restarts}
        if kind in limits:
            place = list(limits).index(kind)
            return None if used[place] >= limits[kind] else (*used[:place], used[place] + 1, *used[place + 1:])
        sort, what = kind
        if sort == "join":
            return used                     # who has joined is absent no more
        if sort == "timeout":
            if bounds.timeouts is None:
                return used
            limited = self._timer_limits
            if limited is not None and what not in limited:
                return None
            place, limit = (0, bounds.timeouts) if limited is None else (list(limited).index(what), limited[what])
            counts = used[4]
            if counts[place] >= limit:
                return None
            return (*used[:4], (*counts[:place], counts[place] + 1, *counts[place + 1:]), used[5])
        for place, mine in enumerate(self.by_client.values()):        # a client's requests are made in order
            if what in mine:
                made = used[5]
                if made[place] != mine.index(what):
                    return None
                return (*used[:5], (*made[:place], made[place] + 1, *made[place + 1:]))
        return None

    # ---- numbers for nodes and messages

    def _local(self, i: int, effect: Effect) -> int:
        host = self.hosts[i]
        attributes = effect.attributes
        try:
            key = (effect.timers, frozenset([(name, freeze(v, self.ordered)) for name, v in attributes.items()]),
                   aliases(attributes))
        except MessageError as error:
            bad = next(name for name, v in attributes.items() if not _freezable(v))
            raise NodeError(f"{host.id}.{bad} holds what the explorer cannot compare: {error}; use numbers, text, "
                            f"lists, dicts, sets or messages") from None
        number = self._known[i].get(key)
        if number is None:
            shown = self._shown(effect.node, attributes)
            view = View(NodeState(id=host.id, status="up", traitor=host.id in self.bounds.traitors, **shown))
            del effect.node._host, effect.node.random
            number = self._add(i, key, Local(True, attributes, effect.timers, view,
                                             ("up", freeze(shown, self.ordered)), effect.node,
                                             orders(list(attributes.values()))))
        return number

    def _shown(self, node: Any, attributes: dict[str, Any]) -> dict[str, Any]:
        fields = type(node).shows
        if fields is None:
            return {name: value for name, value in attributes.items() if name[0] != "_" and _is_plain(value)}
        return {name: attributes[name] if name in attributes else getattr(node, name) for name in fields}

    def _down(self, i: int, local: Local) -> int:
        """The number of a node after a crash: it keeps what is durable, and views keep what they saw last."""
        durable = {name: keep(local.attributes[name]) for name in self.hosts[i].cls.durable}     # as a disk does
        view_key = ("crashed", local.view_key[1])
        key = (view_key, freeze(durable, self.ordered))
        number = self._known[i].get(key)
        if number is None:
            view = View(NodeState(**{**vars(local.view.state), "status": "crashed"}))
            number = self._add(i, key, Local(False, durable, (), view, view_key, None,
                                             orders(list(durable.values()))))
        return number

    def _add(self, i: int, key: Any, local: Local) -> int:
        number = self._known[i][key] = len(self.locals[i])
        if number > FIELD:
            raise Full(f"{self.names[i]} has more than {FIELD:,} different states")
        self.locals[i].append(local)
        return number

    def message(self, source: str, target: str, m: Message) -> int:
        """The number of a message from one node to another."""
        key = source, target, freeze(m)
        number = self._message_numbers.get(key)
        if number is None:
            number = self._message_numbers[key] = len(self.messages)
            self.messages.append((source, target, m))
            self.copies.append([])
            self._new_copy(number)
        return number

    def _new_copy(self, number: int) -> int:
        """One more bit for a message, for one more copy of it in flight."""
        small, bits = 1 << len(self.flights), self.copies[number]
        bit = small << self.net_shift
        bits.append(bit)
        if len(bits) == 1:
            i = self.index[self.messages[number][1]]
            self.flights[small] = ({}, i, self.judged[i], 0, number, bit)
        else:
            first = self.flights[bits[0] >> self.net_shift]
            self.flights[bits[0] >> self.net_shift] = (*first[:3], first[3] | bit, number, first[5])
            self.flights[small] = (None, 0, None, 0, number, bit)         # the first copy speaks for all
        return bit

    def send(self, state: int, sent: tuple[int, ...]) -> int:
        """The state with more messages in flight."""
        for number in sent:
            bits = self.copies[number]
            if self.bounds.kept:
                state |= bits[0]
                continue
            bit = next((bit for bit in bits if not state & bit), None)
            state |= self._new_copy(number) if bit is None else bit
        return state

    def take(self, state: int, number: int) -> int:
        """The state with one copy of a message less."""
        if self.bounds.kept:
            return state
        return state ^ next(bit for bit in reversed(self.copies[number]) if state & bit)

    # ---- handlers

    def _outcomes(self, i: int, number: int, run: Callable[..., Any], place: str,
                  state: int) -> tuple[Outcome, ...]:
        """All that a handler can do to node i."""
        host, local = self.hosts[i], self.locals[i][number]
        self.handling = (place, number)
        try:
            found = [self._outcome(i, local, number, effect)
                     for effect in effects(host, partial(run, order=AS_IT_IS), place)]
            self.handler_runs += 1
            for order in self._other_orders(place, number, local):
                try:
                    again = [self._outcome(i, local, number, effect)
                             for effect in effects(host, partial(run, order=order), place)]
                except DslabError:
                    raise OrderMatters(place) from None
                if [(o.delta, sorted(o.sent)) for o in found] != [(o.delta, sorted(o.sent)) for o in again]:
                    raise OrderMatters(place)
        finally:
            self.handling = None
        lies = self.bounds.traitors.get(host.id)
        return tuple(found if not lies else [o for outcome in found for o in self._lying(host.id, outcome, lies)])

    def _other_orders(self, place: str, number: int, local: Local) -> tuple[int, ...]:
        """The orders of a node's dicts for which a handler has not been tried; each once, even in a naive search."""
        if self.ordered or (place, number) in self._tried:
            return ()
        if self.naive:
            self._tried.add((place, number))
        return local.orders

    def _outcome(self, i: int, local: Local, number: int, effect: Effect) -> Outcome:
        name = self.names[i]
        after = self._local(i, effect)
        sent = tuple([self.message(name, to, m) for to, m in effect.sends])
        changed = self.locals[i][after].view_key != local.view_key
        delta = (number ^ after) << i * WIDTH
        if effect.records and self.judge.kept:
            changed = True
            delta |= self._recorded(effect.records) << self.record_shift
        return Outcome(delta, self._mask(sent), changed, sent, effect.script, ())

    def _recorded(self, records: Records) -> int:
        """The number of what a step was for clients."""
        key = tuple([(*record[:3], freeze(record[3], self.ordered)) for record in records])
        number = self._record_numbers.get(key)
        if number is None:
            number = self._record_numbers[key] = len(self.records)
            self.records.append(records)
            if number > FIELD:
                raise Full(f"clients were told more than {FIELD:,} different things")
        return number

    def _mask(self, sent: tuple[int, ...]) -> int:
        return self.send(0, sent)

    def _lying(self, name: str, outcome: Outcome, lies: Sequence[Mapping[str, Any]]) -> Iterator[Outcome]:
        """The same outcome with every choice of truth and lies towards each receiver."""
        receivers = list(dict.fromkeys(self.messages[m][1] for m in outcome.sent if self.messages[m][1] != name))
        choices: list[tuple[tuple[str, int], ...]] = [()]
        for receiver in receivers:
            choices = [(*choice, *lie) for choice in choices
                       for lie in [(), *(((receiver, k),) for k in range(len(lies)))]]
        told = set()
        for choice in choices:
            of = dict(choice)
            sent = []
            for number in outcome.sent:
                _, target, m = self.messages[number]
                if target in of:
                    m, _ = forged(m, dict(lies[of[target]]), name)
                sent.append(self.message(name, target, m))
            if tuple(sent) not in told:
                told.add(tuple(sent))
                yield outcome._replace(sent=tuple(sent), sends=self._mask(tuple(sent)), lies=choice)

    def _copy(self, i: int, state: int) -> Any:
        """All nodes of a state, copied; the one that is needed."""
        nodes = copy.deepcopy([self.locals[j][(state >> j * WIDTH) & FIELD].node for j in range(len(self.names))])
        for j in range(len(self.names)):
            local = self.locals[j][(state >> j * WIDTH) & FIELD]
            frozenset([(name, freeze(value, self.ordered)) for name, value in local.attributes.items()])
        return nodes[i]

    def _woken(self, i: int, local: Local, script: tuple[int, ...], order: int, state: int) -> Any:
        if self.naive and order is AS_IT_IS:
            return self.hosts[i].adopt(self._copy(i, state), local.timers, script)
        return self.hosts[i].wake(local.attributes, local.timers, script, order)

    def deliver(self, message: int, number: int, state: int) -> tuple[Outcome, ...]:
        """What the arrival of a message does to its receiver; nothing while that is down: the message waits."""
        source, target, m = self.messages[message]
        i = self.index[target]
        local = self.locals[i][number]
        if not local.up:
            return ()
        self.attempt = Step("deliver", target, message, None)
        handler = self.hosts[i].cls.message_handler(type(m), target, source)

        def run(script: tuple[int, ...], order: int) -> Any:
            node = self._woken(i, local, script, order, state)
            getattr(node, handler)(source, m)
            return node
        return self._outcomes(i, number, run, f"{target} in {handler} ({m!r} from {source})", state)

    def own_steps(self, i: int, number: int, state: int) -> tuple[tuple[Any, tuple[Outcome, ...]], ...]:
        """What a node can do without a message: (kind of step, outcomes)."""
        local, name, host = self.locals[i][number], self.names[i], self.hosts[i]
        if not local.up and number == 0:
            return tuple(self._join(i, k, state) for k, join in enumerate(self.bounds.joins) if join["node"] == name)
        if not local.up:
            if not self.bounds.restarts:
                return ()
            self.attempt = Step(RESTART, name, None, None)
            run_again = partial(_started, host, local.attributes)
            return ((RESTART, self._outcomes(i, number, run_again, f"{name} in on_start after a restart", state)),)
        steps: list[tuple[Any, tuple[Outcome, ...]]] = []
        for timer in local.timers:
            if self._after(self.used[0], ("timeout", timer)) is None:
                continue
            handler = host.cls.timer_handler(timer)
            self.attempt = Step("timeout", name, timer, None)

            def run(script: tuple[int, ...], order: int, timer: str = timer, handler: str = handler) -> Any:
                node = self._woken(i, local, script, order, state)
                host.cancel_timer(timer)
                getattr(node, handler)()
                return node
            steps.append((("timeout", timer), self._outcomes(i, number, run, f"{name} in {handler}", state)))
        for k in self.by_client.get(name, ()):
            request = self.bounds.requests[k]
            self.attempt = Step("request", name, k, None)

            def ask(script: tuple[int, ...], order: int, request: Any = request) -> Any:
                node = self._woken(i, local, script, order, state)
                node.invoke(copied(request["command"]), request.get("to"))
                return node
            steps.append((("request", k), self._outcomes(i, number, ask, f"{name} in invoke", state)))
        if self.bounds.crashes and name in self.system.servers:
            after = self._down(i, local)
            steps.append((CRASH, (Outcome((number ^ after) << i * WIDTH, 0, True, (), (), ()),)))
        return tuple(steps)

    def _join(self, i: int, k: int, state: int) -> tuple[Any, tuple[Outcome, ...]]:
        """What an absent node does when it joins."""
        host, contact = self.hosts[i], self.bounds.joins[k]["to"]
        self.attempt = Step("join", host.id, k, None)

        def join(script: tuple[int, ...], order: int) -> Any:
            return host.boot(host.cls.durable, order, lambda node: node.on_join(contact))
        return ("join", k), self._outcomes(i, 0, join, f"{host.id} in on_join", state)

    # ---- states

    def initial(self) -> int:
        """The state after every node has started, judged after each start as on a trace."""
        absent = self.system.absent
        views = {name: View(NodeState(id=name, status="absent" if name in absent else "crashed"))
                 for name in self.names}
        state = memory = 0
        for i, name in enumerate(self.names):
            host = self.hosts[i]
            self._known[i][None] = 0            # number 0 stands for a node that has not started
            self.locals[i].append(Local(False, copied(host.cls.durable), (), views[name], None, None, ()))
            if name in absent:
                self.judge.starting = i + 1 < len(self.names)
                memory, met = self.judge.judge(views, name, memory)
                continue
            outcome, *lies = self._outcomes(i, 0, partial(_started, host, host.cls.durable), f"{name} in on_start", 0)
            if lies:
                raise NodeError(f"{name} in on_start: it sends while it starts, and no schedule can make a traitor lie "
                                f"then: let a timer of {name} run out first, or take another traitor")
            state = self.send(state ^ outcome.delta, outcome.sent)
            self.start_sent += outcome.sent
            views = {**views, name: self.locals[i][(state >> i * WIDTH) & FIELD].view}
            self.judge.starting = i + 1 < len(self.names)
            memory, met = self.judge.judge(views, name, memory)
        state |= memory << self.memory_shift
        if met:
            self._collector(met)(state)
        return state

    def adopted(self, other: Space, state: int) -> int:
        """The number that another search's state has in this one; what is used up there does not count here."""
        new = 0
        for i in range(len(self.names)):
            number = (state >> i * WIDTH) & FIELD
            key = other.keys(i)[number]
            if key not in self._known[i]:
                local = other.locals[i][number]
                traitor = self.names[i] in self.bounds.traitors
                view = View(NodeState(**{**vars(local.view.state), "traitor": traitor}))
                self._add(i, key, local._replace(view=view))
            new |= self._known[i][key] << i * WIDTH
        new |= self.judge.adopt(other.judge.notes((state >> other.memory_shift) & FIELD)) << self.memory_shift
        for number in other.in_flight(state):
            new = self.send(new, (self.message(*other.messages[number]),))
        return new

    def in_flight(self, state: int) -> Iterator[int]:
        """The numbers of the messages in flight, once for each copy."""
        net = state >> self.net_shift
        while net:
            bit = net & -net
            net ^= bit
            yield self.flights[bit][4]

    def renamed_local(self, i: int, number: int, target: str, names: dict[str, str]) -> int:
        """The number of the same state of a node at another one, with other names in it."""
        local, j = self.locals[i][number], self.index[target]
        for places in aliases(local.attributes):
            where = " and ".join(sorted({path[0] for path in places}))
            raise ScheduleError(f"symmetry: in {self.names[i]}, {where} holds one and the same object in two places, "
                                f"which a renamed copy would not: search without symmetry")
        attributes = renamed(local.attributes, names)
        if local.up:
            node = self.hosts[j].wake(attributes, local.timers, ())
            return self._local(j, Effect(attributes, local.timers, (), (), node))
        own = ("id", "status", "traitor")
        shown = renamed({k: v for k, v in vars(local.view.state).items() if k not in own}, names)
        view_key = ("crashed", freeze(shown, self.ordered))
        key = (view_key, freeze(attributes, self.ordered))
        if key not in self._known[j]:
            view = View(NodeState(**{**vars(local.view.state), **shown, "id": target}))
            self._add(j, key, Local(False, attributes, (), view, view_key, None, orders(list(attributes.values()))))
        return self._known[j][key]

    def keys(self, i: int) -> list[Any]:
        """What tells the states of node i apart, by their numbers."""
        if len(self._keys[i]) != len(self._known[i]):
            self._keys[i] = list(self._known[i])
        return self._keys[i]

    def deed(self, step: Step) -> Deed:
        """A step in words that mean the same to every run."""
        kind, node, what, outcome = step
        message = self.messages[what] if kind in ("deliver", LOSS, DUPLICATE) else None
        deed = Deed(kind, node, message, what if kind == "timeout" else None,
                    self.bounds.requests[what] if kind == "request" else None)
        if kind == "join":
            deed = deed._replace(join=self.bounds.joins[what]["to"])
        if outcome is None:
            return deed
        lies = tuple((receiver, self.bounds.traitors[node][k]) for receiver, k in outcome.lies)
        return deed._replace(script=outcome.script, lies=lies, sent=tuple(self.messages[m] for m in outcome.sent))

    def views(self, state: int) -> dict[str, View]:
        """What all nodes show."""
        return {name: self.locals[i][(state >> i * WIDTH) & FIELD].view for i, name in enumerate(self.names)}

    def verdict(self, i: int, state: int) -> Any:
        """What a change of node i means for the properties: what to XOR to the state, or (that, what collects it)."""
        views = self.views(state)
        memory = (state >> self.memory_shift) & FIELD
        told = (state >> self.record_shift) & FIELD if self.judge.kept else 0
        after, met = self.judge.judge(views, self.names[i], memory, self.records[told])
        if after > FIELD:
            raise Full(f"the properties have made more than {FIELD:,} different notes")
        delta = (memory ^ after) << self.memory_shift | told << self.record_shift
        verdict = (delta, self._collector(met)) if met else delta
        if not self.naive:
            self.judged[i][state & self.judged_bits] = verdict
        return verdict

    def forget_goals(self) -> None:
        """As if no goal had been met so far."""
        self.goals_met = 0
        for states in self.goal_states:
            states.clear()

    def look_for_goals(self, state: int) -> None:
        """Notes the goals that are met in a state where a search begins."""
        with suppress(Broken):                         # the earlier search has judged it
            _, met = self.judge.judge(self.views(state), self.names[0], (state >> self.memory_shift) & FIELD)
            if met:
                self._collector(met)(state)

    def _collector(self, goals: int) -> Callable[[int], Any]:
        """What to call with every state where these goals are met."""
        self.goals_met |= goals
        wanted = [states for k, states in enumerate(self.goal_states) if goals >> k & 1]
        if len(wanted) == 1:
            return wanted[0].setdefault

        def collect(state: int) -> None:
            for states in wanted:
                states[state] = None
        return collect

    def successors(self, state: int) -> list[int]:
        """All states that one step leads to.

        Raises:
            Broken: a safety property does not hold after one of the steps.
        """
        result: list[int] = []
        append, keep, naive, judged_bits = result.append, self.bounds.kept, self.naive, self.judged_bits
        fields = state & self.low
        used = fields >> self.used_shift
        costs = self.costs[used]
        locals_: list[int] = []
        for shift, table, judged, i in self.alone:
            local = fields >> shift & FIELD
            locals_.append(local)
            try:
                steps = table[local]
            except KeyError:
                steps = None
            if steps is None:
                steps = self.own_steps(i, local, state)
                if not naive:
                    table[local] = steps
            for kind, outcomes in steps:
                cost = costs[kind] if kind in costs else self.cost(used, kind)
                if cost is None:
                    continue
                rest = state ^ cost
                for delta, sends, changed, sent, _, _ in outcomes:
                    new = rest ^ delta
                    if sends:
                        new = self.send(new, sent) if new & sends and not keep else new | sends
                    if changed:
                        try:
                            verdict = judged[new & judged_bits]
                        except KeyError:
                            verdict = None
                        if verdict is None:
                            verdict = self.verdict(i, new)
                        if verdict:
                            if verdict.__class__ is tuple:
                                new ^= verdict[0]
                                verdict[1](new)
                            else:
                                new ^= verdict
                    append(new)
        flights, net = self.flights, state >> self.net_shift
        while net:
            bit = net & -net
            net ^= bit
            table, i, judged, more, number, gone = flights[bit]
            if table is None:
                continue
            try:
                outcomes = table[locals_[i]]
            except KeyError:
                outcomes = None
            if outcomes is None:
                outcomes = self.deliver(number, locals_[i], state)
                if not naive:
                    table[locals_[i]] = outcomes
            if not outcomes:
                continue
            rest = state if keep else self.take(state, number) if more and state & more else state ^ gone
            for delta, sends, changed, sent, _, _ in outcomes:
                new = rest ^ delta
                if sends:
                    new = self.send(new, sent) if new & sends and not keep else new | sends
                if changed:
                    try:
                        verdict = judged[new & judged_bits]
                    except KeyError:
                        verdict = None
                    if verdict is None:
                        verdict = self.verdict(i, new)
                    if verdict:
                        if verdict.__class__ is tuple:
                            new ^= verdict[0]
                            verdict[1](new)
                        else:
                            new ^= verdict
                append(new)
        if self.lossy:
            result += [new for _, new in self._accidents(state)]
        return result

    def _accidents(self, state: int) -> Iterator[tuple[Step, int]]:
        """States in which a message is lost or doubled."""
        used = (state & self.low) >> self.used_shift
        for number in dict.fromkeys(self.in_flight(state)):
            target = self.messages[number][1]
            for kind in (LOSS, DUPLICATE):
                cost = self.cost(used, kind)
                if cost is not None:
                    new = self.take(state, number) if kind is LOSS else self.send(state, (number,))
                    yield Step(kind, target, number, None), new ^ cost

    def steps(self, state: int) -> Iterator[tuple[Step, int, int]]:
        """Every step from a state: (step, the node's index, new state before judging)."""
        used = (state & self.low) >> self.used_shift
        for shift, table, _, i in self.alone:
            local = state >> shift & FIELD
            for kind, outcomes in table.get(local) or self.own_steps(i, local, state):
                cost = self.cost(used, kind)
                if cost is None:
                    continue
                for outcome in outcomes:
                    new = self.send(state ^ cost ^ outcome.delta, outcome.sent)
                    sort, what = kind if isinstance(kind, tuple) else (kind, None)
                    yield Step(sort, self.names[i], what, outcome), i, new
        for number in dict.fromkeys(self.in_flight(state)):
            table, i = self.flights[self.copies[number][0] >> self.net_shift][:2]
            local = state >> i * WIDTH & FIELD
            for outcome in table.get(local) or self.deliver(number, local, state):
                new = self.send(self.take(state, number) ^ outcome.delta, outcome.sent)
                yield Step("deliver", self.messages[number][1], number, outcome), i, new
        if self.lossy:
            for step, new in self._accidents(state):
                yield step, -1, new

    def after(self, i: int, step: Step, new: int) -> int:
        """A new state with the notes that properties take there.

        Raises:
            Broken: a safety property does not hold there.
        """
        if step.outcome is None or not step.outcome.changed:
            return new
        verdict = self.judged[i].get(new & self.judged_bits)
        if verdict is None:
            verdict = self.verdict(i, new)
        return new ^ (verdict[0] if verdict.__class__ is tuple else verdict)


def _started(host: Standin, durable: dict[str, Any], script: tuple[int, ...], order: int) -> Any:
    return host.boot(durable, order)


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
