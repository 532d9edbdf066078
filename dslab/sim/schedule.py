"""Schedules: the faults and requests of a run as plain data.

A schedule is a list of dicts, each with "at" (simulated ms), "do" (a verb) and the verb's arguments. It survives a
JSON round trip, prints as Python, and is checked before a run starts.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .errors import MessageError, ScheduleError
from .message import plain
from .network import latency_range_us
from .treason import BEHAVIOURS, known_fields, needs

Action = dict[str, Any]
REQUIRED = object()
LONGEST_MS = 10_000_000_000        # about four months; beyond it microseconds lose their exactness in a browser


def _number(low: float, high: float, what: str) -> Callable[[Any, Any], str | None]:
    def check(value: Any, system: Any) -> str | None:
        ok = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
        return None if ok else f"{what} from {low:g} to {high:g}"
    return check


def _node(value: Any, system: Any) -> str | None:
    if isinstance(value, str) and (system is None or value in system.classes):
        return None
    return "one of " + ", ".join(system.nodes) if system is not None else "a node's name"


def _server_or_none(value: Any, system: Any) -> str | None:
    if value is None or isinstance(value, str) and (system is None or value in system.servers):
        return None
    return "None or one of " + ", ".join(system.servers) if system is not None else "None or a server's name"


def _server(value: Any, system: Any) -> str | None:
    if isinstance(value, str) and (system is None or value in system.servers):
        return None
    return "one of " + ", ".join(system.servers) if system is not None else "a server's name"


def _client(value: Any, system: Any) -> str | None:
    if isinstance(value, str) and (system is None or value in system.clients):
        return None
    known = ", ".join(system.clients) if system is not None else ""
    return f"one of {known}" if known else "a client, and this system has none (System(..., clients=1) adds one)"


def _groups(value: Any, system: Any) -> str | None:
    wanted = 'a list of groups of node names, such as [["n1", "n2"], ["n3"]], each node at most once'
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(g, (list, tuple)) and g for g in value):
        return wanted
    members = [node for group in value for node in group]
    if any(_node(node, system) for node in members) or len(set(members)) < len(members):
        unknown = [node for node in members if _node(node, system)]
        return wanted + (f"; there is no {unknown[0]!r}" if unknown else "")
    return None


def _choice(*choices: Any) -> Callable[[Any, Any], str | None]:
    def check(value: Any, system: Any) -> str | None:
        known = any(value is c or (value == c and type(value) is type(c)) for c in choices)
        return None if known else " or ".join(map(repr, choices))
    return check


def _latency(value: Any, system: Any) -> str | None:
    try:
        return None if value is None else latency_range_us(value, "") and None
    except ScheduleError:
        return "None, a number of ms or a pair [lowest, highest]"


def _optional(check: Callable[[Any, Any], str | None]) -> Callable[[Any, Any], str | None]:
    def checked(value: Any, system: Any) -> str | None:
        wanted = None if value is None else check(value, system)
        return wanted and f"None or {wanted}"
    return checked


def _plain(value: Any, system: Any) -> str | None:
    try:
        json.dumps(plain(value), allow_nan=False)
        return None
    except (MessageError, ValueError, RecursionError):
        return "plain data: numbers, text, lists and dicts"


def _name_or_none(value: Any, system: Any) -> str | None:
    return None if value is None or isinstance(value, str) else "None or a timer's name"


def _receivers(value: Any, system: Any) -> str | None:
    known = isinstance(value, (list, tuple)) and value and not any(_node(node, system) for node in value)
    if known and len(set(value)) == len(value):
        return None
    names = f" among {', '.join(system.nodes)}" if system is not None else ""
    return f'a list of node names{names}, such as ["n3"], each at most once'


def _lies(value: Any, system: Any) -> str | None:
    if not isinstance(value, Mapping) or not value or not all(isinstance(field, str) for field in value):
        return 'a dict {field of a message: what to say instead}, such as {"term": 9}'
    known = known_fields() if system is not None else set(value)
    wrong = next((field for field in value if field not in known), None)
    if wrong is not None:
        near = difflib.get_close_matches(wrong, sorted(known), n=1)
        return "a dict whose keys are fields of a message" + (f" (did you mean {near[0]!r}?)" if near else "")
    return _plain(value, system)


def _outcomes(value: Any, system: Any) -> str | None:
    known = isinstance(value, (list, tuple)) and value and all(
        isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**31 for number in value)
    return None if known else "a list of numbers of outcomes, counted from 0, such as [1, 0]"


_message = _number(0, 2**53, "a message's number")
_probability = _number(0, 1, "a probability")

# verb -> {argument: (default or REQUIRED, check)}; the order is the order of positional arguments everywhere.
VERBS: dict[str, dict[str, tuple[Any, Callable[[Any, Any], str | None]]]] = {
    "crash": {"node": (REQUIRED, _node)},
    "restart": {"node": (REQUIRED, _node), "disk": (True, _choice(True, False))},
    "join": {"node": (REQUIRED, _server), "to": (None, _server_or_none)},
    "leave": {"node": (REQUIRED, _server)},
    "pause": {"node": (REQUIRED, _node)},
    "resume": {"node": (REQUIRED, _node)},
    "lose_disk": {"node": (REQUIRED, _node)},
    "skew": {"node": (REQUIRED, _node), "offset": (0, _number(-86_400_000, 86_400_000, "ms")),
             "rate": (1.0, _number(0.01, 100, "a factor"))},
    "timeout": {"node": (REQUIRED, _node), "timer": (None, _name_or_none)},
    "load_dice": {"node": (REQUIRED, _node), "outcomes": (REQUIRED, _outcomes)},
    "turn_traitor": {"node": (REQUIRED, _node), "behaviour": (REQUIRED, _choice(*BEHAVIOURS)),
                     "fields": (None, _optional(_lies)), "to": (None, _optional(_receivers)),
                     "by": (None, _optional(_number(0, 86_400_000, "ms")))},
    "turn_loyal": {"node": (REQUIRED, _node)},
    "partition": {"groups": (REQUIRED, _groups), "in_flight": ("lost", _choice("lost", "held"))},
    "heal": {},
    "cut": {"source": (REQUIRED, _node), "target": (REQUIRED, _node)},
    "mend": {"source": (REQUIRED, _node), "target": (REQUIRED, _node)},
    "link": {"source": (REQUIRED, _node), "target": (REQUIRED, _node), "latency": (None, _latency),
             "loss": (None, _optional(_probability)), "duplicate": (None, _optional(_probability)),
             "fifo": (None, _choice(None, True, False))},
    "drop": {"message": (REQUIRED, _message)},
    "hold": {"message": (REQUIRED, _message)},
    "release": {"message": (REQUIRED, _message)},
    "delay": {"message": (REQUIRED, _message), "by": (REQUIRED, _number(0, 86_400_000, "ms"))},
    "duplicate": {"message": (REQUIRED, _message)},
    "deliver": {"message": (REQUIRED, _message)},
    "request": {"command": (REQUIRED, _plain), "to": (None, _server_or_none), "client": ("c1", _client)},
}


def action(do: str, *args: Any, at: float, **kwargs: Any) -> Action:
    """One action as a dict, arguments in their order and defaults left out.

    Args:
        do: a verb of VERBS.
        at: simulated ms.

    Raises:
        ScheduleError: an unknown verb or argument.
    """
    spec = VERBS.get(do)
    if spec is None:
        raise ScheduleError(_unknown_verb(do))
    if len(args) > len(spec):
        raise ScheduleError(f"{do} takes {', '.join(spec) or 'no arguments'} and at=, but got {len(args)} values")
    given = dict(zip(spec, args))
    for name, value in kwargs.items():
        if name not in spec or name in given:
            raise ScheduleError(f"{do} takes {', '.join(spec) or 'no arguments'} and at=, not another {name!r}")
        given[name] = value
    # `plain` copies, so that a list changed later does not change the schedule
    return {"at": at, "do": do, **{name: plain(given[name]) for name, (default, _) in spec.items()
                                   if name in given and not _same(given[name], default)}}


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and value == default)


def _unknown_verb(do: Any) -> str:
    near = difflib.get_close_matches(str(do), VERBS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(VERBS)}"
    return f"there is no action {do!r}; {hint}"


def check_schedule(schedule: Any, system: Any = None) -> list[Action]:
    """The schedule in its canonical form: sorted by time, arguments in order, defaults left out.

    Args:
        schedule: a list of actions.
        system: if given, the nodes that actions may name.

    Returns:
        A new list of new dicts.

    Raises:
        ScheduleError: says which action (counted from 1), what is wrong and what is accepted.
    """
    if isinstance(schedule, (str, bytes, Mapping)) or not isinstance(schedule, Iterable):
        raise ScheduleError(f"a schedule is a list of actions such as {{'at': 1200, 'do': 'crash', 'node': 'n1'}}, "
                            f"not a {type(schedule).__name__}")
    checked = []
    for number, item in enumerate(schedule, start=1):
        if not isinstance(item, Mapping):
            raise ScheduleError(f"action {number} is {item!r}; write a dict such as "
                                f"{{'at': 1200, 'do': 'crash', 'node': 'n1'}}")
        where = f"action {number} ({item.get('do', '?')} at {item.get('at', '?')})"
        spec = VERBS.get(str(item.get("do")))
        if spec is None:
            raise ScheduleError(f"action {number}: {_unknown_verb(item.get('do'))}")
        wanted = _number(0, LONGEST_MS, "ms")(item.get("at"), system)
        if wanted:
            raise ScheduleError(f"{where}: 'at' must be {wanted}, not {item.get('at')!r}")
        extra = [name for name in item if name not in ("at", "do") and name not in spec]
        if extra:
            raise ScheduleError(f"{where} has no argument {extra[0]!r}; it takes {', '.join(spec) or 'none'}")
        for name, (default, check) in spec.items():
            if name not in item and default is REQUIRED:
                raise ScheduleError(f"{where} lacks {name!r}: {check(REQUIRED, system)}")
            wanted = check(item.get(name, default), system) if name in item else None
            if wanted:
                raise ScheduleError(f"{where}: {name} must be {wanted}, not {item[name]!r}")
        if item.get("source") is not None and item["source"] == item.get("target"):
            raise ScheduleError(f"{where}: a node's link to itself cannot be changed")
        if item["do"] == "join" and item.get("to") == item["node"]:
            raise ScheduleError(f"{where}: a node joins through another one, not through itself")
        if item["do"] == "turn_traitor" and (wrong := needs(item["behaviour"], item)):
            raise ScheduleError(f"{where}: {wrong}")
        if item["do"] == "request" and system is not None:
            wanted = _client(item.get("client", "c1"), system)
            if wanted:
                raise ScheduleError(f"{where}: client must be {wanted}")
        arguments = {name: item[name] for name in spec if name in item}
        checked.append(action(item["do"], at=whole_ms(item["at"]), **arguments))
    return sorted(checked, key=lambda a: to_us(a["at"]))


def to_us(ms: float) -> int:
    """Simulated ms as integer microseconds."""
    return round(ms * 1000)


def whole_ms(ms: float) -> float:
    """ms with at most three decimals, as an int where it is whole, so that equal times print alike."""
    us = to_us(ms)
    return us // 1000 if us % 1000 == 0 else us / 1000


def dumps(schedule: list[Action]) -> str:
    """A schedule as JSON text, one action a line."""
    return "[\n" + ",\n".join("  " + json.dumps(a) for a in check_schedule(schedule)) + "\n]\n"


def loads(text: str, system: Any = None) -> list[Action]:
    """A schedule from JSON text.

    Raises:
        ScheduleError: not JSON, or not a schedule; says where.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ScheduleError(f"the schedule is not JSON: {where}: {error.msg}") from None
    except RecursionError:
        raise ScheduleError("the schedule is nested too deeply to be one") from None
    return check_schedule(data, system)


def to_python(schedule: list[Action], name: str = "schedule") -> str:
    """A schedule as a Python assignment that makes it again."""
    lines = [f"    {literal(a)}," for a in check_schedule(schedule)]
    return f"{name} = [\n" + "\n".join(lines) + "\n]\n" if lines else f"{name} = []\n"


def call(act: Action) -> str:
    """One action as the call that makes it: `crash("n1", at=1200)`."""
    keyword_only = {"restart": 1, "join": 1, "skew": 1, "partition": 1, "link": 2, "request": 1, "delay": 1,
                    "timeout": 2, "turn_traitor": 2}
    spec = list(VERBS[act["do"]])
    parts = []
    for position, name in enumerate(spec):
        if name in act:
            positional = position < keyword_only.get(act["do"], len(spec))
            parts.append(literal(act[name]) if positional else f"{name}={literal(act[name])}")
    return act["do"] + "(" + ", ".join([*parts, "at=" + literal(act["at"])]) + ")"


def literal(value: Any) -> str:
    """A Python literal of plain data, text in double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    return repr(value)
