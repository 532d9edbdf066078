"""The states of a system and how one leads to others: what the explorer searches.

A state is one whole number. Its low bits hold a number for what each node is (local_states.py), one for what
properties have noted (judge.py; beside it, while a state is judged, what the step to it was for clients), and one for
how much of each bound is used up (bounds.py); each further bit stands for one message in flight, or for a second copy
of it (flights.py). What a handler does depends on its node and the event alone, so it runs once for each pair of them
(handlers.py) and is looked up ever after: a step is then a few operations on whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from dslab.sim import NodeError, System
from dslab.sim.guard import check_class

from .bounds import DUPLICATE, LOSS, Bounds, Ledger
from .flights import Flights
from .handlers import Handlers, OwnSteps
from .judge import Broken, Judge, View
from .local_states import FIELD, WIDTH, Full, Locals
from .standin import Standin
from .steps import Deed, Outcome, Step

REMEMBERED = 1 << 12                  # states without messages whose steps are at hand

# the numbers of all nodes, and (kind of step, what it uses up, what it may do)
Alone = tuple[list[int], list[tuple[Any, int, tuple[Outcome, ...]]]]


class Space:
    """All that a search needs to know of a system.

    Args:
        system: what is explored. bounds: how much may happen. judge: what is looked at.
        ordered: whether the order in which a dict was filled is part of a state.
        naive: copy all nodes at every step and remember nothing: for comparison.

    Attributes:
        locals, flights, ledger, handlers: the numbers for nodes, messages and bounds, and what handlers do.
        judged: for each node, verdicts on states in which it has just changed.
        goal_states: for each goal the states where it is met. goals_met: the same as bits, one for each goal.
        start_sent: numbers of the messages that nodes send when they start.
    """

    def __init__(self, system: System, bounds: Bounds, judge: Judge, *, ordered: bool = False,
                 naive: bool = False) -> None:
        self.system, self.bounds, self.judge, self.ordered, self.naive = system, bounds, judge, ordered, naive
        self.names = system.nodes
        for cls, node in {cls: node for node, cls in reversed(system.classes.items())}.items():
            if node not in system.clients:
                check_class(cls, node)  # type: ignore[arg-type]  # classes are hashable
        count = len(self.names)
        self.memory_shift = count * WIDTH
        # what a step was for clients, until the state has been judged
        self.record_shift = (count + 1) * WIDTH
        self.used_shift = self.record_shift + (WIDTH if judge.kept else 0)
        self.net_shift = self.used_shift + WIDTH
        self.low = (1 << self.net_shift) - 1
        self.judged_bits = (1 << self.used_shift) - 1
        self.without_notes = ~(FIELD << self.memory_shift)
        self.hosts = [Standin(system, name) for name in self.names]
        self.index = {name: i for i, name in enumerate(self.names)}
        self.judged: list[dict[int, Any]] = [{} for _ in self.names]
        self.locals = Locals(self.hosts, bounds.traitors, system.absent, ordered)
        self.flights = Flights(self.index, self.net_shift, bounds.kept)
        self.ledger = Ledger(bounds, system.clients, self.used_shift)
        self.handlers = Handlers(system, self.hosts, bounds, self.locals, self.flights, self.ledger, self.judged,
                                 self.record_shift if judge.kept else None, naive)
        # per node: (where its number stands, {number: its own steps}, index)
        self.own_steps: list[tuple[int, dict[int, OwnSteps], int]] = [(i * WIDTH, {}, i) for i in range(count)]
        self.alone: dict[int, Alone] = {}              # by the low bits: most states differ by their messages only
        self.lossy = bool(bounds.losses or bounds.duplicates)
        self.goal_states: list[dict[int, None]] = [{} for _ in judge.goals]
        self.goals_met = 0
        self.start_sent: tuple[int, ...] = ()

    @property
    def handling(self) -> Any:
        """What runs now of what a student may have written, for the watchdog."""
        return self.handlers.handling or self.judge.asking

    # ---- the first state

    def initial(self) -> int:
        """The state after every node has started, judged after each start as on a trace."""
        absent = self.system.absent
        views = {name: self.locals[i][0].view for i, name in enumerate(self.names)}
        state = memory = 0
        for i, name in enumerate(self.names):
            if name not in absent:
                outcome, *lies = self.handlers.start(i)
                if lies:
                    raise NodeError(f"{name} in on_start: it sends while it starts, and no schedule can make a traitor "
                                    f"lie then: let a timer of {name} run out first, or take another traitor")
                state = self.flights.send(state ^ outcome.delta, outcome.sent)
                self.start_sent += outcome.sent
                views = {**views, name: self.locals[i][self.number(state, i)].view}
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
            new |= self.locals.adopted(i, other.locals, other.number(state, i)) << i * WIDTH
        new |= self.judge.adopt(other.judge.notes(other.memory(state))) << self.memory_shift
        for number in other.flights.of(state):
            new = self.flights.send(new, (self.flights.number(*other.flights.messages[number]),))
        return new

    # ---- what a state holds

    def number(self, state: int, i: int) -> int:
        """What node i is."""
        return state >> i * WIDTH & FIELD

    def memory(self, state: int) -> int:
        """What properties have noted."""
        return state >> self.memory_shift & FIELD

    def views(self, state: int) -> dict[str, View]:
        """What all nodes show."""
        return {name: self.locals[i][self.number(state, i)].view for i, name in enumerate(self.names)}

    # ---- verdicts

    def verdict(self, i: int, state: int) -> Any:
        """What a change of node i means for the properties: what to XOR to the state, or (that, what collects it).

        Raises:
            Broken: a safety property does not hold.
        """
        memory = self.memory(state)
        told = state >> self.record_shift & FIELD if self.judge.kept else 0
        after, met = self.judge.judge(self.views(state), self.names[i], memory, self.handlers.records[told])
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
            _, met = self.judge.judge(self.views(state), self.names[0], self.memory(state))
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

    # ---- steps

    def _alone(self, fields: int) -> Alone:
        """What nodes are and may do alone by the low bits of a state."""
        used = fields >> self.used_shift
        costs = self.ledger.costs[used]
        locals_: list[int] = []
        steps: list[tuple[Any, int, tuple[Outcome, ...]]] = []
        for shift, known, i in self.own_steps:
            local = fields >> shift & FIELD
            locals_.append(local)
            if local not in known or self.naive:
                known[local] = self.handlers.own_steps(i, local, fields)
            for kind, outcomes in known[local]:
                cost = costs[kind] if kind in costs else self.ledger.cost(used, kind)
                if cost is not None:
                    steps.append((kind, cost, outcomes))
        if not self.naive:
            if len(self.alone) >= REMEMBERED:
                self.alone.clear()
            self.alone[fields] = locals_, steps
        return locals_, steps

    def _choices(self, state: int) -> list[tuple[int, Any, tuple[Outcome, ...]]]:
        """What may happen next to a node: (the state without what is used up by it, kind of step, what it may do)."""
        fields = state & self.low
        locals_, steps = self.alone.get(fields) or self._alone(fields)
        choices = [(state ^ cost, kind, outcomes) for kind, cost, outcomes in steps]
        by_bit, net, keep, naive = self.flights.by_bit, state >> self.net_shift, self.bounds.kept, self.naive
        while net:
            bit = net & -net
            net ^= bit
            arrivals, i, more, kind, gone = by_bit[bit]
            if arrivals is None:
                continue
            try:
                outcomes = arrivals[locals_[i]]
            except KeyError:
                outcomes = self.handlers.deliver(kind[1], locals_[i], state)
                if not naive:
                    arrivals[locals_[i]] = outcomes
            if outcomes:
                rest = state if keep else self.flights.take(state, kind[1]) if more and state & more else state ^ gone
                choices.append((rest, kind, outcomes))
        return choices

    def successors(self, state: int) -> list[int]:
        """All states that one step leads to.

        Raises:
            Broken: a safety property does not hold after one of the steps.
        """
        result: list[int] = []
        keep, judged_bits = self.bounds.kept, self.judged_bits
        for rest, _, outcomes in self._choices(state):
            for delta, sends, judged, sent, i, _, _ in outcomes:
                new = rest ^ delta
                if sends:
                    new = self.flights.send(new, sent) if new & sends and not keep else new | sends
                if judged is not None:
                    try:
                        verdict = judged[new & judged_bits]
                    except KeyError:
                        verdict = self.verdict(i, new)
                    if verdict:
                        if verdict.__class__ is tuple:
                            new ^= verdict[0]
                            verdict[1](new)
                        else:
                            new ^= verdict
                result.append(new)
        if self.lossy:
            result += [new for _, new in self._accidents(state)]
        return result

    def _accidents(self, state: int) -> Iterator[tuple[Step, int]]:
        """States in which a message is lost or doubled."""
        used = (state & self.low) >> self.used_shift
        for number in dict.fromkeys(self.flights.of(state)):
            target = self.flights.messages[number][1]
            for kind in (LOSS, DUPLICATE):
                cost = self.ledger.cost(used, kind)
                if cost is not None:
                    new = self.flights.take(state, number) if kind is LOSS else self.flights.send(state, (number,))
                    yield Step(kind, target, number, None), new ^ cost

    def steps(self, state: int) -> Iterator[tuple[Step, int]]:
        """Every step from a state, in the order of `successors`, with the new state before judging."""
        for rest, kind, outcomes in self._choices(state):
            sort, what = kind if isinstance(kind, tuple) else (kind, None)
            for outcome in outcomes:
                yield Step(sort, self.names[outcome.node], what, outcome), self.flights.send(
                    rest ^ outcome.delta, outcome.sent)
        if self.lossy:
            yield from self._accidents(state)

    def after(self, step: Step, new: int) -> int:
        """A new state with the notes that properties take there.

        Raises:
            Broken: a safety property does not hold there.
        """
        outcome = step.outcome
        if outcome is None or outcome.judged is None:
            return new
        verdict = outcome.judged.get(new & self.judged_bits)
        if verdict is None:
            verdict = self.verdict(outcome.node, new)
        return new ^ (verdict[0] if verdict.__class__ is tuple else verdict)

    def deed(self, step: Step) -> Deed:
        """A step in words that mean the same to every run."""
        kind, node, what, outcome = step
        messages, bounds = self.flights.messages, self.bounds
        message = messages[what] if kind in ("deliver", LOSS, DUPLICATE) else None
        deed = Deed(kind, node, message, what if kind == "timeout" else None,
                    bounds.requests[what] if kind == "request" else None)
        if kind == "join":
            deed = deed._replace(join=bounds.joins[what]["to"])
        if outcome is None:
            return deed
        lies = tuple((receiver, bounds.traitors[node][k]) for receiver, k in outcome.lies)
        return deed._replace(script=outcome.script, lies=lies, sent=tuple(messages[m] for m in outcome.sent))
