"""Traitors: what a node that lies does to the messages that leave it.

A traitor runs the same code as everybody; only its messages are withheld, changed or late. The receiver always sees
the true sender, and a message inside a message stands for something signed by its maker: a traitor may leave it
out, but cannot make one up, because a schedule is plain data.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .errors import ScheduleError
from .message import Message, freeze, plain

# behaviour -> what it needs
BEHAVIOURS = {"silent": (), "equivocate": ("fields", "to"), "corrupt": ("fields",), "delay": ("by",)}


class Treason(NamedTuple):
    """What a traitor does to its messages to one receiver.

    Attributes:
        behaviour: one of BEHAVIOURS.
        fields: {field: what the traitor says instead}.
        by_us: how much later the messages leave, microseconds.
    """

    behaviour: str
    fields: dict[str, Any]
    by_us: int


def needs(behaviour: Any, given: Any) -> str | None:
    """What is wrong with the arguments of a turn_traitor action, or None.

    Args:
        behaviour: one of BEHAVIOURS.
        given: the action.
    """
    wanted = BEHAVIOURS.get(behaviour, ())
    for name in wanted:
        if given.get(name) is None:
            return f"{behaviour} needs {' and '.join(wanted)}, and {name!r} is missing"
    for name in ("fields", "by"):
        if given.get(name) is not None and name not in wanted:
            return f"{behaviour} takes no {name!r}"
    if behaviour == "corrupt" and given.get("to") is not None:
        return "corrupt lies to everybody; 'equivocate' lies to the nodes in 'to' only"
    if given.get("to") is not None and given.get("node") in given["to"]:
        return f"{given['node']} cannot betray itself; name other nodes in 'to'"
    return None


def known_fields() -> set[str]:
    """The fields of all message classes that exist."""
    return {field for cls in Message.__subclasses__() for field in cls.fields}


def forged(m: Message, lies: dict[str, Any], sender: str) -> tuple[Message, dict[str, Any] | None]:
    """A message with the fields that its class has replaced by lies.

    Args:
        m: what the node's code sends.
        lies: {field: value}.
        sender: who lies, for the error.

    Returns:
        The message that leaves, and {field: the truth} for what was changed; (m, None) if nothing was.

    Raises:
        ScheduleError: a lie is of another kind than the truth, so that no receiver could read it.
    """
    truth: dict[str, Any] = {}
    values = []
    for field, value in zip(m.fields, m):
        if field in lies:
            lie = lies[field]
            if not _alike(value, lie):
                raise ScheduleError(f"turn_traitor: {sender} cannot send a {type(m).__name__} with {field}={lie!r}, "
                                    f"because the truth is {_kind(value)}; give its 'fields' values of that kind")
            if lie != plain(value):
                truth[field] = plain(value)
                value = freeze(lie, type(m).__name__, field)
        values.append(value)
    return (tuple.__new__(type(m), values), truth) if truth else (m, None)


def _alike(value: Any, lie: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, (list, tuple)) and not isinstance(value, Message):
        return isinstance(lie, list) and (not value or all(_alike(value[0], item) for item in lie))
    if isinstance(value, float) and isinstance(lie, int):
        return not isinstance(lie, bool)
    return not isinstance(value, Message) and _kind(value) == _kind(lie)


def _kind(value: Any) -> str:
    if isinstance(value, Message):
        return f"a {type(value).__name__}, which only its maker can sign"
    if isinstance(value, (list, tuple)):
        return f"a list, each item {_kind(value[0])}" if value else "a list"
    names = ((bool, "True or False"), (int, "a whole number"), (float, "a number"), (str, "text"), (dict, "a dict"))
    for kind, name in names:
        if isinstance(value, kind):
            return name
    return "None"
