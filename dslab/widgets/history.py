"""Histories in pictures: intervals with the order that explains them, or a puzzle in which one looks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import anywidget
import traitlets

from dslab.check.history import HistoryVerdict, Operation, check_history, operations
from dslab.check.models import ILLEGAL, MODELS, Model
from dslab.sim import DslabError, Trace
from dslab.view.history import Chart, history_chart, history_words, points_of, units_at
from dslab.view.historypicture import history_picture
from dslab.view.words import plain_value

from .bundle import HISTORY, HISTORY_STYLES, css, javascript

MOST_PLACED, MOST_STATES, MOST_LETTERS = 12, 600, 26
MOST_STEPS = 300_000  # of the checker, each time that a run is drawn: less than a second
REAL_TIME, PROGRAM, ANY_ORDER = "interval", "program", "any"
PLACING = {  # what an order has to keep, where one may look for it by hand
    "linearizable": REAL_TIME,
    "strict serializable": REAL_TIME,
    "sequential": PROGRAM,
    "serializable": ANY_ORDER,
}


class PlacingError(DslabError):
    """A point is put where it cannot stand, or a history is no puzzle."""


class HistoryChart(anywidget.AnyWidget):
    """Operations as intervals, one lane per client, with what the checker says of them.

    Args:
        history: Operations, a Trace, or what `Trace.history` gives.
        model: the kind of object, such as "register".
        consistency: what is asked of the history, such as "linearizable".
        initial: what the object holds at first; as the model says if not given.
        puzzle: leave the order to whoever looks: each operation gets a point, by mouse, key or `place`.
        title: a heading.

    Raises:
        DslabError: there is no such model or consistency, or the history is too long for a puzzle.
    """

    _esm, _css = javascript(HISTORY, "render: renderHistory"), css(HISTORY_STYLES)

    chart = traitlets.Dict().tag(sync=True)
    placed = traitlets.Dict().tag(sync=True)
    selected = traitlets.Int(allow_none=True, default_value=None).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        history: Any,
        model: str = "register",
        consistency: str = "linearizable",
        *,
        initial: Any = ...,
        puzzle: bool = False,
        title: str = "",
    ) -> None:
        found = operations(history)
        options = {} if initial is ... else {"initial": initial}
        self.operations = found
        self.verdict: HistoryVerdict = check_history(found, model, consistency, **options)
        kind = _kind(model, initial)
        chart = _lettered(chart_of(found, self.verdict, kind))
        if puzzle:
            chart = {**chart, "table": placing_table(found, kind, consistency)}
        super().__init__(title=title, chart=chart)           # whole when it opens: a page may draw it at once

    def place(self, operation: int | str, at: float) -> str:
        """Gives an operation the moment at which it takes effect.

        Args:
            operation: its position in the history, from 0, or its letter in the picture.
            at: a moment, on the clock of the history, strictly inside the operation.

        Returns:
            What the order so far comes to.

        Raises:
            PlacingError: there is no such operation, or it has not begun, or is over, at that moment.
        """
        table, operation = self._table(), self._number(operation)
        op = self.operations[operation]
        ends = op.completed is not None and at >= op.completed
        if table["rule"] == REAL_TIME and (at <= op.invoked or ends):
            until = "on" if op.completed is None else f"to {op.completed}"
            raise PlacingError(f"{self._called(operation)} runs from {op.invoked} {until}; {at:g} is not inside it")
        return self._put({**self.placed, str(operation): _units(self.chart, at)})

    def order(self, *numbers: int | str) -> str:
        """Tries an order: each operation takes effect after those before it.

        Args:
            numbers: positions of operations in the history, from 0, or their letters in the picture.

        Returns:
            Whether it explains every answer, or where it fails.

        Raises:
            PlacingError: there is no such operation, it is named twice, or real time forbids this order.
        """
        table, listed = self._table(), [self._number(number) for number in numbers]
        found = [self.operations[number] for number in listed]
        if len(set(listed)) < len(listed):
            raise PlacingError("each operation can be in the order once only")
        if table["rule"] == REAL_TIME:
            for k, op in enumerate(found):
                for later, other in zip(listed[k + 1 :], found[k + 1 :], strict=True):
                    if other.completed is not None and other.completed < op.invoked:
                        raise PlacingError(
                            f"{self._called(later)} is over before {self._called(listed[k])} begins, "
                            "so it cannot come after it"
                        )
        return self._put(_spread(self.chart, listed, table["rule"]))

    def clear(self) -> None:
        """Takes all points away."""
        self.placed = {}

    def judge(self) -> dict[str, Any]:
        """What the points come to: {"order", "values", "wrong" (an operation or None), "missing", "done", "text"}."""
        self._table()
        return judge_points(self.chart, self.placed)

    @property
    def solved(self) -> bool:
        """Whether the points explain every answer."""
        return bool(self.judge()["done"])

    def _put(self, placed: Mapping[str, float]) -> str:
        self.placed = dict(placed)
        return str(self.judge()["text"])

    def _table(self) -> dict[str, Any]:
        if "table" not in self.chart:
            raise PlacingError("this chart shows an order; make it with puzzle=True to look for one")
        return dict(self.chart["table"])

    def _number(self, given: int | str) -> int:
        """The position of an operation that may have a moment, from its position or its letter."""
        names = [op.get("name") for op in self.chart["operations"]]
        number = names.index(given) if given in names else given
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(self.operations):
            raise PlacingError(
                f"there is no operation {given!r}; choose from {', '.join(map(self._called, range(len(names))))}"
            )
        if self.operations[number].status == "failed":
            raise PlacingError(f"{self._called(number)} failed: it has no effect and no moment")
        return number

    def _called(self, number: int) -> str:
        return str(self.chart["operations"][number].get("name", number))

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The live widget, and for places without one a picture and a paragraph."""
        made = super()._repr_mimebundle_(**kwargs)
        data, metadata = made if isinstance(made, tuple) else (made or {}, {})
        shown = hidden_order(self.chart) if "table" in self.chart else self.chart
        return {
            **data,
            "text/plain": history_words(shown),
            "image/svg+xml": history_picture(shown, self.title),
        }, metadata

    def __repr__(self) -> str:
        asked = f"{len(self.operations)} operations, {self.verdict.model}"
        return f"HistoryChart({asked}, {self.verdict.consistency}: {self.verdict.verdict})"


def chart_of(
    found: Sequence[Operation],
    verdict: HistoryVerdict,
    kind: Model | None,
    clock: Mapping[int, int] | None = None,
    events: Sequence[Sequence[int | None]] = (),
) -> Chart:
    """The chart of a judged history.

    Args:
        found: its operations.
        verdict: what the checker says of them.
        kind: what one object does, where there is a model of that.
        clock: {moment: microseconds} where moments are events.
        events: where each was asked and answered in a trace.
    """
    plain = [_plain(op, events[i] if i < len(events) else ()) for i, op in enumerate(found)]
    order = list(verdict.witness or ())
    known = {"order": order, "values": _values(found, order, kind) if kind else []}
    known |= {name: getattr(verdict, name) for name in ("model", "consistency", "verdict", "stuck", "smallest", "why")}
    return history_chart(plain, known, clock)


def _kind(model: str, initial: Any) -> Model | None:
    kind = MODELS.get(model)
    return kind if kind is None or initial is ... else kind._replace(initial=initial)


def _lettered(chart: Chart) -> Chart:
    """The same chart with a letter for each operation, by which one can speak of it."""
    ops = chart["operations"]
    if len(ops) > MOST_LETTERS:
        return chart
    named = [{**op, "name": chr(65 + i), "label": f"{chr(65 + i)}: {op['label']}"} for i, op in enumerate(ops)]
    return {**chart, "operations": named}


def trace_chart(trace: Trace, model: str, consistency: str, broken: int | None = None, initial: Any = ...) -> Chart:
    """The chart of a run: all its operations, judged up to the event that broke the property where there is one.

    Args:
        trace: the run.
        model, consistency, initial: what is asked of it.
        broken: id of the event at which the property was first violated.

    Raises:
        HistoryError: it has operations that the model does not know.
    """
    ends = _ends(trace)
    found = [
        replace(op, invoked=asked, completed=None if op.completed is None else answered)
        for op, (asked, answered) in zip(operations(trace), ends, strict=True)
    ]
    known = found
    if broken is not None:
        known = [
            op
            if op.completed is None or op.completed <= broken
            else replace(op, completed=None, result=None, status="unknown")
            for op in found
            if op.invoked <= broken
        ]
    clock = {end: trace.events[end].time_us for pair in ends for end in pair if end is not None}
    options: dict[str, Any] = {} if initial is ... else {"initial": initial}
    if consistency == "linearizable":
        options["steps"] = MOST_STEPS
    verdict = check_history(known, model, consistency, **options)
    return {**chart_of(found, verdict, _kind(model, initial), clock, ends), "broken": broken}


def _ends(trace: Trace) -> list[tuple[int, int | None]]:
    """The two events of each operation, in the order of `Trace.history`."""
    asked: dict[tuple[Any, Any], int] = {}
    ends: list[tuple[int, int | None]] = []
    for event in trace.events:
        if event.kind == "invoke":
            asked[event.node, event.detail["number"]] = len(ends)
            ends.append((event.id, None))
        elif event.kind == "complete":
            i = asked[event.node, event.detail["number"]]
            ends[i] = (ends[i][0], event.id)
    return ends


def _plain(op: Operation, events: Sequence[int | None]) -> dict[str, Any]:
    return {
        "process": op.process,
        "do": op.do,
        "key": op.key,
        "argument": op.argument,
        "result": op.result,
        "invoked": op.invoked,
        "completed": op.completed,
        "status": op.status,
        "events": list(events),
    }


# ---- values

States = dict[Any, Any]  # key -> state of that object


def _step(states: States, op: Operation, kind: Model) -> States | None:
    state = kind.step(states.get(op.key, kind.initial), op)
    return None if state is ILLEGAL else {**states, op.key: state}


def _values(found: Sequence[Operation], order: Sequence[int], kind: Model) -> list[str]:
    """The value after each operation of an order; none where the model does not take it."""
    states: States | None = {}
    several, values = len({op.key for op in found}) > 1, []
    for i in order:
        states = _step(states or {}, found[i], kind)
        if states is None:
            return []
        values.append(_state_text(states, kind, several))
    return values


def _state_text(states: States, kind: Model, several: bool) -> str:
    if several:
        return ", ".join(f"{key}={_value_text(states[key])}" for key in sorted(states, key=str)) or "nothing"
    return _value_text(next(iter(states.values()), kind.initial))


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "held" if value else "free"
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(map(str, value))) + "}"
    if isinstance(value, tuple) and all(isinstance(item, tuple) and len(item) == 2 for item in value):
        return ", ".join(f"{key}={plain_value(item)}" for key, item in value) or "nothing"
    if isinstance(value, tuple):
        return plain_value(list(value))
    return "nothing" if value is None or value == "" else plain_value(value)


# ---- puzzles


def placing_table(found: Sequence[Operation], kind: Model | None, consistency: str) -> dict[str, Any]:
    """Every value that the object can have, and where each operation leads from it (-1: it would not answer so).

    Returns:
        {"rule": what an order must keep, "states": [text, ...], "steps": [[state or -1 per operation], ...]}; the
        first state is the initial one.

    Raises:
        PlacingError: the history is too long, or no order is looked for in this consistency.
    """
    if consistency not in PLACING or kind is None:
        raise PlacingError(f"points can be placed for {', '.join(PLACING)}, and not for {consistency}")
    if len(found) > MOST_PLACED:
        raise PlacingError(f"a puzzle has at most {MOST_PLACED} operations, this history has {len(found)}")
    several = len({op.key for op in found}) > 1
    first: States = {key: kind.initial for key in dict.fromkeys(op.key for op in found)}
    numbers, states, steps = {_frozen(first): 0}, [first], []
    for state in states:
        row = []
        for op in found:
            after = None if op.status == "failed" else _step(state, op, kind)
            if after is None:
                row.append(-1)
                continue
            if _frozen(after) not in numbers:
                numbers[_frozen(after)] = len(states)
                states.append(after)
            row.append(numbers[_frozen(after)])
        steps.append(row)
        if len(states) > MOST_STATES:
            raise PlacingError(
                f"this history can lead to more than {MOST_STATES} values; take a shorter one for a puzzle"
            )
    return {
        "rule": PLACING[consistency],
        "states": [_state_text(state, kind, several) for state in states],
        "steps": steps,
    }


def _frozen(states: States) -> tuple[Any, ...]:
    return tuple(states.values())


def judge_points(chart: Chart, placed: Mapping[str, float]) -> dict[str, Any]:
    """What the points come to; the same as the browser finds, which needs no kernel for it."""
    ops, table = chart["operations"], chart["table"]
    order = sorted((int(i) for i in placed if int(i) < len(ops)), key=lambda i: (placed[str(i)], i))
    missing = sum(op["status"] == "ok" and str(i) not in placed for i, op in enumerate(ops))
    values: list[str] = []
    state, answer = 0, {"order": order, "values": values, "missing": missing, "wrong": None, "done": False}
    for k, i in enumerate(order):
        lane, start = ops[i]["lane"], ops[i]["from"]
        late = [j for j in order[k + 1 :] if ops[j]["lane"] == lane and ops[j]["from"] < start]
        if table["rule"] == PROGRAM and late:
            who = chart["lanes"][lane]
            return {
                **answer,
                "wrong": i,
                "text": f"{who} did this after something that comes later here: {ops[late[0]]['says']}.",
            }
        state = table["steps"][state][i]
        if state < 0:
            before = f"after {_says(ops[order[k - 1]])}" if k else "at the beginning"
            value = values[-1] if values else table["states"][0]
            return {
                **answer,
                "wrong": i,
                "text": f"{_says(ops[i])} cannot be number {k + 1}: {before} the value is {value}.",
            }
        values.append(table["states"][state])
    if not order:
        return {**answer, "text": "Give each operation the moment at which it takes effect."}
    if missing:
        return {**answer, "text": f"{len(order)} placed, {missing} to go; every answer fits so far."}
    return {**answer, "done": True, "text": "It works: in this order every answer fits."}


def _says(op: Mapping[str, Any]) -> str:
    return str(op["says"]).split(";")[0]


def hidden_order(chart: Chart) -> Chart:
    """The chart without what the puzzle asks for."""
    asked = f"Is there an order that makes it {chart['consistency']}?"
    return {
        **chart,
        "verdict": "unknown",
        "order": [],
        "points": None,
        "values": [],
        "stuck": None,
        "smallest": [],
        "why": asked,
    }


def _units(chart: Chart, at: float) -> float:
    return units_at(chart["marks"], at)


def _spread(chart: Chart, order: Sequence[int], rule: str) -> dict[str, float]:
    """Points for an order: inside the intervals where they count, evenly over the width elsewhere."""
    points = [round(chart["width"] * (k + 1) / (len(order) + 1), 3) for k in range(len(order))]
    if rule == REAL_TIME:
        points = points_of(chart["operations"], order, chart["width"]) or []
        for k in range(1, len(points)):  # one may begin where another ends: then a hair apart
            points[k] = round(max(points[k], points[k - 1] + 0.001), 3)
    return {str(i): at for i, at in zip(order, points, strict=True)}
