"""A method of Lab for every verb of a schedule, with its arguments and defaults as its signature."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

from dslab.sim import ScheduleError
from dslab.sim.schedule import REQUIRED, VERBS, Action, action, check_schedule

DOES = {
    "crash": "Stops a node at once; whatever it has not saved is lost.",
    "restart": "Starts a crashed node again, with its disk or (disk=False) without.",
    "join": "Starts a server that is absent; it asks the server `to`, or the first that runs, to let it in.",
    "leave": "Lets a server go in order: it hands over what it has and is absent.",
    "pause": "Freezes a node; what reaches it waits.",
    "resume": "Lets a paused node go on.",
    "lose_disk": "Wipes a node's disk; a running node keeps its memory.",
    "skew": "Sets a node's clock off by `offset` ms, or lets it run `rate` times as fast.",
    "timeout": "Makes a node's timer run out now; without a name, the one that was set first.",
    "load_dice": "Decides what a node draws next from self.random: numbers of outcomes, counted from 0.",
    "turn_traitor": "Makes a node lie: silent, equivocate (to some, in `fields`), corrupt (to all) or delay (by ms).",
    "turn_loyal": "Lets a traitor send again what its code sends.",
    "partition": "Splits the network into groups that cannot talk; servers in no group are one more.",
    "heal": "Removes the partition and all cuts.",
    "cut": "Stops messages in one direction of a link.",
    "mend": "Opens one direction of a link again.",
    "link": "Changes one direction of a link: latency in ms, probabilities of loss and duplication, order.",
    "drop": "Takes a message out of the air.",
    "hold": "Keeps a message in the air until it is released.",
    "release": "Lets a held message fly on.",
    "delay": "Makes a message arrive later, by so many ms.",
    "duplicate": "Makes a message arrive twice.",
    "deliver": "Makes a message arrive now.",
    "request": "Lets a client send a command to a server, or to the one it used last.",
}


def make_action(verb: str, args: tuple[Any, ...], kwargs: dict[str, Any], at: float, system: Any) -> Action:
    """One action, checked against the system.

    Raises:
        ScheduleError: names the verb, what is wrong and what is accepted.
    """
    if verb == "partition" and args and all(isinstance(node, str) for node in args[0]):
        args = (list(args),)  # partition(["n1"], ["n2", "n3"]): the groups one by one
    made = action(verb, *_whole(args), at=at, **_whole(kwargs))
    try:
        checked = check_schedule([made], system)[0]
        json.dumps(checked, ensure_ascii=False).encode()
        return checked
    except UnicodeEncodeError:
        raise ScheduleError(f"{verb}: its text holds half a character, which no file can keep") from None
    except ScheduleError as error:
        raise ScheduleError(str(error).replace(f"action 1 ({verb} at {at})", verb)) from None


def _whole(value: Any) -> Any:
    """Whole numbers as int: the browser knows one kind of number, and both must print an action alike."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple)):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return value


def verb_method(verb: str) -> Callable[..., None]:
    """The method that a click on this verb calls, too."""

    def method(self: Any, *args: Any, at: float | None = None, **kwargs: Any) -> None:
        self._act(verb, args, kwargs, at)

    kind = inspect.Parameter
    parameters = [
        kind(name, kind.POSITIONAL_OR_KEYWORD, default=kind.empty if default is REQUIRED else default)
        for name, (default, _) in VERBS[verb].items()
    ]
    method.__name__, method.__qualname__ = verb, f"Lab.{verb}"
    method.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [kind("self", kind.POSITIONAL_ONLY), *parameters, kind("at", kind.KEYWORD_ONLY, default=None)]
    )
    method.__doc__ = (
        f"{DOES[verb]}\n\n"
        "Args:\n    at: simulated ms; the cursor's time if not given. Before what was shown, it forks.\n\n"
        "Raises:\n    ScheduleError: an argument is not what it must be.\n"
    )
    return method


def with_verbs(cls: type) -> type:
    """Gives a class a method for every verb."""
    for verb in VERBS:
        setattr(cls, verb, verb_method(verb))
    return cls
