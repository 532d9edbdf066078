"""A path of a search as a case: a schedule that says the whole order of events, for a system run by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dslab.sim import DslabError, Message, System, Trace, Violation, simulate
from dslab.sim.case import Case
from dslab.sim.message import plain

from .frozen import freeze
from .invariants import VIOLATED, Verdict, check_trace
from .steps import Deed

STEP_MS = 10                # between two actions, so that one sees a message fly
NO_HANDLER_FAILS = "no_handler_fails"


class _Air:
    """Which messages are in flight, with the numbers that a run gives them."""

    def __init__(self) -> None:
        self.next = 0
        self._flying: dict[Any, list[int]] = {}

    def send(self, flight: tuple[str, str, Message]) -> None:
        self._flying.setdefault(_key(flight), []).append(self.next)
        self.next += 1

    def take(self, flight: tuple[str, str, Message], keep: bool) -> int:
        numbers = self._flying[_key(flight)]
        return numbers[0] if keep else numbers.pop(0)

    def count(self, flight: tuple[str, str, Message]) -> int:
        return len(self._flying.get(_key(flight), ()))


def _key(flight: tuple[str, str, Message]) -> Any:
    return flight[0], flight[1], freeze(flight[2])


def schedule_of(started: Sequence[tuple[str, str, Message]], deeds: Sequence[Deed],
                traitors: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The actions that make a run by hand take these steps.

    Args:
        started: what the nodes send when they start, in order.
        deeds: the steps.
        traitors: names of those about whom nothing is promised.
    """
    air = _Air()
    for flight in started:
        air.send(flight)
    actions: list[dict[str, Any]] = []
    lying: dict[str, dict[str, Any]] = {node: {} for node in traitors}
    for number, deed in enumerate(deeds):
        actions += _turns(deed, lying)
        if deed.script:
            actions.append({"do": "load_dice", "node": deed.node, "outcomes": list(deed.script)})
        if deed.message is not None:
            again = deed.kind == "deliver" and air.count(deed.message) == 1 and any(
                later.kind == "deliver" and later.message is not None and _key(later.message) == _key(deed.message)
                for later in deeds[number + 1:])
            if deed.kind == "duplicate" or again and _needs_copy(deeds[number + 1:], deed.message):
                actions.append({"do": "duplicate", "message": air.take(deed.message, True)})
                air.send(deed.message)
            if deed.kind in ("deliver", "loss"):
                verb = "deliver" if deed.kind == "deliver" else "drop"
                actions.append({"do": verb, "message": air.take(deed.message, False)})
        elif deed.kind == "timeout":
            actions.append({"do": "timeout", "node": deed.node, "timer": deed.timer})
        elif deed.kind == "join":
            actions.append({"do": "join", "node": deed.node, "to": deed.join})
        elif deed.request is not None:
            actions.append({"do": "request", **plain(dict(deed.request))})
        else:
            actions.append({"do": deed.kind, "node": deed.node})
        for flight in deed.sent:
            air.send(flight)
    unmarked = [node for node in traitors if not any(a.get("node") == node and a["do"] == "turn_traitor"
                                                     for a in actions[:1])]
    actions = [{"do": "turn_traitor", "node": node, "behaviour": "delay", "by": 0} for node in unmarked] + actions
    return [{"at": STEP_MS * (i + 1), **action} for i, action in enumerate(actions)]


def _needs_copy(later: Sequence[Deed], flight: tuple[str, str, Message]) -> bool:
    """Whether a message is delivered again before it is sent or doubled again."""
    for deed in later:
        if deed.message is not None and _key(deed.message) == _key(flight):
            return deed.kind == "deliver"
        if any(_key(sent) == _key(flight) for sent in deed.sent):
            return False
    return False


def _turns(deed: Deed, lying: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The actions that make a traitor say in this step what it says."""
    if deed.node not in lying:
        return []
    wanted = {receiver: dict(fields) for receiver, fields in deed.lies}
    now = lying[deed.node]
    actions: list[dict[str, Any]] = []
    told = {target for _, target, _ in deed.sent}
    if any(target in now and target not in wanted for target in told):
        actions.append({"do": "turn_loyal", "node": deed.node})
        now.clear()
    groups: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for receiver, fields in wanted.items():
        if now.get(receiver) != fields:
            now[receiver] = fields
            groups.setdefault(repr(fields), (fields, []))[1].append(receiver)
    for fields, receivers in groups.values():
        actions.append({"do": "turn_traitor", "node": deed.node, "behaviour": "equivocate",
                        "fields": plain(fields), "to": receivers})
    return actions


def case_of(system: System, name: str, schedule: list[dict[str, Any]]) -> Case:
    """A case around a schedule by hand; it ends one step after the last action."""
    return Case(name, "", schedule, STEP_MS * (len(schedule) + 1), nodes=len(system.servers),
                clients=len(system.clients), progress=False)


def replayed(system: System, case: Case, always: Sequence[Any], name: str) -> Verdict | None:
    """The verdict on a property when a case is run; None if it holds.

    Args:
        system: the one to run. case: what happens.
        always: the properties. name: of the one in question, or NO_HANDLER_FAILS.
    """
    trace: Trace | None
    try:
        trace = simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)
    except DslabError as error:
        if name == NO_HANDLER_FAILS:
            return failed(error)
        trace = getattr(error, "trace", None)
        if trace is None:
            raise
    verdicts = {verdict.name: verdict for verdict in check_trace(trace, always)}
    verdict = verdicts.get(name)
    return verdict if verdict is not None and verdict.status == VIOLATED else None


def failed(error: DslabError) -> Verdict:
    """The verdict on a handler that raises."""
    trace = getattr(error, "trace", None)
    time_us = None if trace is None else trace.until_us
    return Verdict(NO_HANDLER_FAILS, "No handler fails", "Every handler returns, whatever the order of events.",
                   "always", VIOLATED, None, time_us, Violation(str(error)))

