"""What the handlers of a node can do to a state, each found out once for each pair of what the node is and the event.

A handler runs on copies (see standin.py). It runs again, and must do the same; and again with the dicts of its node
filled in other orders: if it does something else then, the order in which they were filled matters.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from dslab.sim import DslabError, NodeError, System
from dslab.sim.treason import forged

from .bounds import CRASH, RESTART, Bounds, Ledger
from .flights import Flights
from .frozen import AS_IT_IS, copied, freeze
from .judge import Records
from .local_states import FIELD, WIDTH, Full, Local, Locals
from .standin import Effect, Standin, effects
from .steps import Outcome, Step

OwnSteps = tuple[tuple[Any, tuple[Outcome, ...]], ...]       # (kind of step, what it may do)


class OrderMatters(Exception):
    """A handler does something else when its node's dicts were filled in another order."""


class Handlers:
    """Runs handlers and tells what they did as numbers.

    Args:
        system: whose nodes these are. hosts: where they run. bounds: how much may happen.
        locals_, flights, ledger: numbers for nodes, messages and what is used up.
        judged: for each node the verdicts on states that follow when it shows something else.
        record_shift: where the number of what a step was for clients stands in a state; None if nobody asks for it.
        naive: copy all nodes for every step.

    Attributes:
        runs: how often a handler really ran.
        attempt: the step whose handler ran last.
        handling: what runs now, for the watchdog.
        records: all that steps were for clients, by number.
    """

    def __init__(self, system: System, hosts: Sequence[Standin], bounds: Bounds, locals_: Locals, flights: Flights,
                 ledger: Ledger, judged: list[dict[int, Any]], record_shift: int | None, naive: bool) -> None:
        self.names, self.servers = system.nodes, system.servers
        self.hosts, self.bounds, self.judged = hosts, bounds, judged
        self.locals, self.flights, self.ledger = locals_, flights, ledger
        self.record_shift, self.naive = record_shift, naive
        self.runs = 0
        self.attempt: Step | None = None
        self.handling: Any = None
        self.records: list[Records] = [()]
        self._record_numbers: dict[Any, int] = {(): 0}
        self._tried: set[tuple[str, int]] = set()      # by a naive search

    # ---- the events of a node

    def start(self, i: int) -> tuple[Outcome, ...]:
        """What node i does when it starts for the first time."""
        host = self.hosts[i]
        return self._outcomes(i, 0, partial(_booted, host, host.cls.durable), f"{host.id} in on_start")

    def deliver(self, message: int, number: int, state: int) -> tuple[Outcome, ...]:
        """What the arrival of a message does to its receiver; nothing while that is down: the message waits.

        Args:
            message: its number. number: what the receiver is. state: the whole, which a naive search copies.
        """
        source, target, m = self.flights.messages[message]
        i = self.flights.index[target]
        local, host = self.locals[i][number], self.hosts[i]
        if not local.up:
            return ()
        self.attempt = Step("deliver", target, message, None)
        handler = host.cls.message_handler(type(m), target, source)

        def run(script: tuple[int, ...], order: int) -> Any:
            node = self._woken(i, local, script, order, state)
            getattr(node, handler)(source, m)
            return node
        return self._outcomes(i, number, run, f"{target} in {handler} ({m!r} from {source})")

    def own_steps(self, i: int, number: int, state: int) -> OwnSteps:
        """What node i can do without a message: join, restart, let a timer run out, ask for something, crash.

        Args:
            number: what the node is. state: the whole, which a naive search copies.
        """
        local, name, joins = self.locals[i][number], self.names[i], self.bounds.joins
        if not local.up and number == 0:
            return tuple(self._join(i, k) for k, join in enumerate(joins) if join["node"] == name)
        if not local.up:
            return (self._restart(i, number, local),) if self.bounds.restarts else ()
        steps = [self._timeout(i, number, local, timer, state) for timer in local.timers
                 if self.ledger.cost(0, ("timeout", timer)) is not None]
        steps += [self._request(i, number, local, k, state) for k in self.ledger.by_client.get(name, ())]
        if self.bounds.crashes and name in self.servers:
            delta = (number ^ self.locals.down(i, local)) << i * WIDTH
            steps.append((CRASH, (Outcome(delta, 0, self.judged[i], (), i),)))
        return tuple(steps)

    def _timeout(self, i: int, number: int, local: Local, timer: str, state: int) -> tuple[Any, tuple[Outcome, ...]]:
        name, host = self.names[i], self.hosts[i]
        handler = host.cls.timer_handler(timer)
        self.attempt = Step("timeout", name, timer, None)

        def run(script: tuple[int, ...], order: int) -> Any:
            node = self._woken(i, local, script, order, state)
            host.cancel_timer(timer)
            getattr(node, handler)()
            return node
        return ("timeout", timer), self._outcomes(i, number, run, f"{name} in {handler}")

    def _request(self, i: int, number: int, local: Local, k: int, state: int) -> tuple[Any, tuple[Outcome, ...]]:
        name, request = self.names[i], self.bounds.requests[k]
        self.attempt = Step("request", name, k, None)

        def run(script: tuple[int, ...], order: int) -> Any:
            node = self._woken(i, local, script, order, state)
            node.invoke(copied(request["command"]), request.get("to"))
            return node
        return ("request", k), self._outcomes(i, number, run, f"{name} in invoke")

    def _restart(self, i: int, number: int, local: Local) -> tuple[Any, tuple[Outcome, ...]]:
        name = self.names[i]
        self.attempt = Step(RESTART, name, None, None)
        run = partial(_booted, self.hosts[i], local.attributes)
        return RESTART, self._outcomes(i, number, run, f"{name} in on_start after a restart")

    def _join(self, i: int, k: int) -> tuple[Any, tuple[Outcome, ...]]:
        host, contact = self.hosts[i], self.bounds.joins[k]["to"]
        self.attempt = Step("join", host.id, k, None)

        def run(script: tuple[int, ...], order: int) -> Any:
            return host.boot(host.cls.durable, order, lambda node: node.on_join(contact))
        return ("join", k), self._outcomes(i, 0, run, f"{host.id} in on_join")

    # ---- running

    def _woken(self, i: int, local: Local, script: tuple[int, ...], order: int, state: int) -> Any:
        if self.naive and order is AS_IT_IS:
            return self.hosts[i].adopt(self._copy(i, state), local.timers, script)
        return self.hosts[i].wake(local.attributes, local.timers, script, order)

    def _copy(self, i: int, state: int) -> Any:
        """All nodes of a state, copied and frozen, as a search would that does neither once for all; node i of them."""
        now = [self.locals[j][(state >> j * WIDTH) & FIELD] for j in range(len(self.names))]
        nodes = copy.deepcopy([local.node for local in now])
        for local in now:
            freeze(local.attributes, self.locals.ordered)
        return nodes[i]

    def _outcomes(self, i: int, number: int, run: Callable[..., Any], place: str) -> tuple[Outcome, ...]:
        """All that a handler can do to node i."""
        host, local = self.hosts[i], self.locals[i][number]
        self.handling = (place, number)
        try:
            found = [self._outcome(i, local, number, effect)
                     for effect in effects(host, partial(run, order=AS_IT_IS), place)]
            self.runs += 1
            for order in self._orders(place, number, local):
                try:
                    again = [self._outcome(i, local, number, effect)
                             for effect in effects(host, partial(run, order=order), place)]
                except DslabError:
                    again = []
                if [(o.delta, sorted(o.sent)) for o in found] != [(o.delta, sorted(o.sent)) for o in again]:
                    if order is not AS_IT_IS:
                        raise OrderMatters(place)
                    raise NodeError(f"{place}: it does not do the same again in the same state, so it depends on "
                                    f"something outside the node: keep what it needs in self")
        except RecursionError:
            raise NodeError(f"{place}: {host.id} then holds something that holds itself, or is nested too deeply to be "
                            f"compared: use numbers, text and lists or dicts of them") from None
        finally:
            self.handling = None
        lies = self.bounds.traitors.get(host.id)
        return tuple(found if not lies else [o for outcome in found for o in self._lying(host.id, outcome, lies)])

    def _orders(self, place: str, number: int, local: Local) -> tuple[int, ...]:
        """The orders of a node's dicts in which a handler runs again; each once, even in a naive search."""
        if (place, number) in self._tried:
            return ()
        if self.naive:
            self._tried.add((place, number))
        return (AS_IT_IS,) if self.locals.ordered else (AS_IT_IS, *local.orders)

    def _outcome(self, i: int, local: Local, number: int, effect: Effect) -> Outcome:
        after = self.locals.up(i, effect)
        sent = tuple([self.flights.number(self.names[i], to, m) for to, m in effect.sends])
        changed = self.locals[i][after].view_key != local.view_key
        delta = (number ^ after) << i * WIDTH
        if effect.records and self.record_shift is not None:
            changed = True
            delta |= self._recorded(effect.records) << self.record_shift
        return Outcome(delta, self.flights.send(0, sent), self.judged[i] if changed else None, sent, i, effect.script)

    def _recorded(self, records: Records) -> int:
        """The number of what a step was for clients."""
        key = tuple([(*record[:3], freeze(record[3], self.locals.ordered)) for record in records])
        number = self._record_numbers.get(key)
        if number is None:
            number = self._record_numbers[key] = len(self.records)
            self.records.append(records)
            if number > FIELD:
                raise Full(f"clients were told more than {FIELD:,} different things")
        return number

    def _lying(self, name: str, outcome: Outcome, lies: Sequence[Mapping[str, Any]]) -> Iterator[Outcome]:
        """The same outcome with every choice of truth and lies towards each receiver."""
        messages = self.flights.messages
        receivers = list(dict.fromkeys(messages[m][1] for m in outcome.sent if messages[m][1] != name))
        choices: list[tuple[tuple[str, int], ...]] = [()]
        for receiver in receivers:
            choices = [(*choice, *lie) for choice in choices
                       for lie in [(), *(((receiver, k),) for k in range(len(lies)))]]
        told = set()
        for choice in choices:
            of = dict(choice)
            sent = []
            for number in outcome.sent:
                _, target, m = messages[number]
                if target in of:
                    m, _ = forged(m, dict(lies[of[target]]), name)
                sent.append(self.flights.number(name, target, m))
            if tuple(sent) not in told:
                told.add(tuple(sent))
                yield outcome._replace(sent=tuple(sent), sends=self.flights.send(0, tuple(sent)), lies=choice)


def _booted(host: Standin, durable: dict[str, Any], script: tuple[int, ...], order: int) -> Any:
    return host.boot(durable, order)
