"""The student's side: runs answers in a sandboxed process and serves what the grader asks of them.

Nothing here is trusted once an answer has run: the answer may change any of it. The grader therefore believes only
that a value came, never what it says about itself.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import enum
import importlib
import inspect
import linecache
import os
import random
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

from dslab.grading import wire
from dslab.grading.cells import NoShell, Printed, names_in, whole, without_magics
from dslab.grading.channel import Channel
from dslab.grading.generators import with_state
from dslab.grading.operators import SPECIAL
from dslab.sim.errors import DslabError, MessageError, NodeError
from dslab.sim.guard import check_class, forbidden_calls
from dslab.sim.message import Message
from dslab.sim.node import RUNTIME_ATTRIBUTES, Node
from dslab.sim.snapshot import keep

MAX_TEXT = 2_000  # characters of an exception's text
MAX_STATE = 10_000  # characters of a value that calls may change


class LateRandom(Random):
    """A node's random numbers: asks for their state when the first one is drawn."""

    def __new__(cls, ask: Callable[[], Any]) -> LateRandom:
        return super().__new__(cls)

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask: Callable[[], Any] | None = ask

    def state(self) -> Any:
        """What the grader goes on with; None if no number was drawn."""
        return None if self._ask is not None else self.getstate()

    def _load(self) -> None:
        if self._ask is not None:
            ask, self._ask = self._ask, None
            self.setstate(ask())

    def random(self) -> float:
        self._load()
        return super().random()

    def getrandbits(self, k: int) -> int:
        self._load()
        return super().getrandbits(k)


class StandInHost:
    """What a node sees of its runtime: notes timers and messages, which the grader's simulator then applies."""

    def __init__(self, node_id: str, names: list[str]) -> None:
        self.id = node_id
        self.links = {name: name for name in names}
        self.now = 0.0
        self.timers: list[list[Any]] = []
        self.outbox: list[tuple[str, Any]] = []
        self.node: Any = None

    @property
    def sim(self) -> StandInHost:
        """The part of the simulator that sending needs."""
        return self

    def link(self, source: str, target: Any) -> Any:
        raise NodeError(f"{source} sends to {target!r}, which does not exist; there are {', '.join(self.links)}")

    def set_timer(self, name: str, after: Any, between: Any) -> None:
        type(self.node).timer_handler(name)
        self.timers.append([name, after, between])

    def cancel_timer(self, name: str) -> None:
        self.timers.append([name])

    def local_clock_ms(self) -> float:
        return self.now


class Borrowed:
    """A node of this process: the student's own, or one lent by the grader for the length of a call."""

    def __init__(self, student: Student, cls: type[Node], about: list[Any]) -> None:
        node_id, peers, names, self.key = about
        self.student = student
        self.host = StandInHost(node_id, names)
        self.node: Any = object.__new__(cls)
        self.host.node = self.node
        self.random = LateRandom(lambda: student.ask("random", self.key))
        self.node.__dict__.update(_host=self.host, id=node_id, peers=tuple(peers), random=self.random)
        self.known: dict[str, Any] = {}  # field -> value as it was handed over, in bytes if it can change

    def fields(self) -> tuple[str, ...] | list[str]:
        """What may have changed: shown and durable attributes, or all public ones."""
        cls = type(self.node)
        if cls.shows is not None:
            return tuple(dict.fromkeys([*cls.shows, *cls.durable]))
        return [name for name in vars(self.node) if name[0] != "_" and name not in RUNTIME_ATTRIBUTES]

    def everything(self) -> list[str]:
        """All attributes but the runtime's."""
        return [name for name in vars(self.node) if name != "_host" and name not in RUNTIME_ATTRIBUTES]

    def lend(self, state: list[list[str]]) -> None:
        """Takes over attributes from the grader."""
        for name, text in state:
            self.node.__dict__[name] = self.student.decode(text.encode("utf-8"))
            self.known[name] = text

    def effects(self, fields: Any) -> list[Any]:
        """[changed attributes, timers, messages, random state] since the last time."""
        changed = []
        for name in fields:
            value = getattr(self.node, name)
            simple = value.__class__ in SIMPLE
            known = self.known.get(name)
            if simple and name in self.known and known.__class__ is value.__class__ and known == value:
                continue
            try:
                text = self.student.encode(value).decode("utf-8")
            except wire.WireError as error:
                if type(self.node).shows is None and name not in type(self.node).durable:
                    continue  # such an attribute is not recorded in the notebook either
                try:
                    keep(value)
                except MessageError as reason:
                    raise MessageError(f"`shows` names {name!r}, but {reason}") from None
                raise NodeError(f"{self.node.id}.{name}: {error}") from None
            if self.known.get(name) != text:
                changed.append([name, text])
            self.known[name] = value if simple else text
        timers, self.host.timers = self.host.timers, []
        sent, self.host.outbox = [[target, m] for target, m in self.host.outbox], []
        return [changed, timers, sent]


class Student:
    """Answers and what became of them.

    Args:
        channel: to the grader.
        refused: names of system calls that were refused so far.
    """

    def __init__(self, channel: Channel, refused: Callable[[], list[str]]) -> None:
        self.channel = channel
        self.refused = refused
        self.module = types.ModuleType("__main__")
        self.names = self.module.__dict__
        self.names["__builtins__"] = builtins
        self.shared: dict[str, type] = {}  # classes that a set-up cell defines: the grader has them too
        self.messages: dict[str, type] = {}
        self.handles: list[Any] = []
        self.known: dict[int, int] = {}  # id of an object -> its handle
        self.nodes: dict[str, Borrowed] = {}
        self.lent: list[Borrowed] = []
        self.run = types.SimpleNamespace(handling=None)  # set while a node's code runs: no clocks then, no chance
        self.printed = Printed()
        self.told: set[str] = set()
        self.own: list[str] = []  # texts of cells that are run if an answer needs what they define
        self.generators: dict[int, Any] = {}  # the grader's generators of random numbers
        self.replaced: dict[str, Any] = {}  # name -> what it stood for before a check put something in its place
        self.state: dict[str, Any] = {}  # what an answer defines, functions and classes left out -> as it was told last

    # ---- values

    def encode(self, value: Any) -> bytes:
        return wire.encode(value, self._encode)

    def decode(self, data: bytes) -> Any:
        return wire.decode(data, self._decode)

    def handle(self, value: Any) -> int:
        """The number by which the grader knows an object of the student's."""
        number = self.known.get(id(value))
        if number is None:
            number = self.known[id(value)] = len(self.handles)
            self.handles.append(value)
        return number

    def instance(self, value: Any) -> dict[str, Any]:
        return {"instance": [self.handle(value), *_name_and_text(type(value))]}

    def _encode(self, value: Any, walk: Callable[[Any], Any]) -> Any:
        kind = type(value)
        if kind is Raw:
            return value.description
        if id(value) in self.known:
            return self._described(value)
        if isinstance(value, Message):
            return {"message": [self._class_reference(kind), *[walk(field) for field in tuple.__iter__(value)]]}
        if self.shared.get(kind.__name__) is kind:
            return {"object": [kind.__name__, *taken_apart(value, walk)]}
        if kind is Callback or kind is Stream:
            return {"theirs": value._number}
        if isinstance(value, tuple) and all(name[0] != "_" for name in getattr(kind, "_fields", "_")):
            return {"named": [kind.__name__, *kind._fields, *map(walk, tuple.__iter__(value))]}
        if id(value) in wire._BUILTIN_NAMES or issubclass(kind, (*PLAIN, *wire.VIEWS)):
            return NotImplemented
        root = kind.__module__.partition(".")[0]
        if root in ("fractions", "decimal", "datetime", "numpy", "networkx") and not isinstance(value, type):
            return NotImplemented if not callable(value) else self._described(value)
        return self._described(value)

    def _described(self, value: Any) -> dict[str, Any]:
        if isinstance(value, types.ModuleType):
            return {"module": value.__name__}
        if isinstance(value, type):
            return self._class(value)
        if callable(value) and not hasattr(value, "__dict__") or isinstance(value, CALLABLE):
            return {"function": [self.handle(value), *_name_and_text(value)]}
        if isinstance(value, types.CoroutineType):
            return {"coroutine": [self.handle(value), *_name_and_text(type(value))]}
        return self.instance(value)

    def _class(self, cls: type) -> dict[str, Any]:
        about = [self.handle(cls), *_name_and_text(cls)]
        if issubclass(cls, Message):
            return {"message class": self._class_reference(cls)}
        if issubclass(cls, BaseException):
            bases = [base.__name__ for base in cls.__mro__[1:]]
            return {"exception": [*about, bases]}
        if issubclass(cls, Node):
            members = {name: getattr(cls, name) for name in dir(cls) if not name.startswith("_")}
            handlers = [name for name, value in members.items() if name.startswith("on_") and callable(value)]
            plain = []
            for name, value in members.items():
                if not callable(value) and not isinstance(value, property) and name not in ("durable", "shows"):
                    with contextlib.suppress(wire.WireError):
                        plain.append([name, self.encode(value).decode("utf-8")])
            shows = list(cls.shows) if isinstance(cls.shows, tuple | list) else cls.shows
            return {"node class": [*about, self.encode(cls.durable).decode("utf-8"), shows, handlers, plain]}
        return {"class": about}

    def _class_reference(self, cls: type) -> str:
        if cls.__module__.startswith("dslab."):
            return f"{cls.__module__}:{cls.__name__}"
        self.messages.setdefault(cls.__name__, cls)
        return cls.__name__

    def _decode(self, tag: str, data: Any) -> Any:
        if tag == "yours":
            return self.handles[data]
        if tag == "theirs":
            return Callback(self, data)
        if tag == "stream":
            return Stream(self, data)
        if tag == "random":
            if len(data) > 1:
                self.generators[data[0]] = with_state(*data[1:])
            return self.generators[data[0]]
        if tag == "shared":
            return self.shared[data]
        if tag == "message":
            return self.message_class(data[0])(*data[1:])
        if tag == "object":
            return put_together(self.shared[data[0]], *data[1:])
        if tag == "node":
            reference, about, now, state = data
            borrowed = Borrowed(self, class_at(reference), about)
            borrowed.host.now = now
            borrowed.lend(state)
            self.lent.append(borrowed)
            return borrowed.node
        raise wire.WireError(f"there is no kind of value called {tag!r}")

    def message_class(self, reference: str) -> Any:
        if ":" in reference:
            return class_at(reference)
        return self.messages.get(reference) or self.names[reference]

    # ---- what the grader asks for

    def ask(self, what: str, *about: Any) -> Any:
        """Asks the grader something in the middle of a call."""
        self.channel.send(self.encode([what, *about]))
        while True:
            kind, *content = self.decode(self.channel.receive())
            if kind == "answered":
                return content[0]
            if kind == "failed":
                name, arguments = content
                raise getattr(builtins, name, RuntimeError)(*arguments)
            self._reply(kind, content)  # what the grader was asked asks something of us in turn

    def serve(self) -> None:
        """Answers requests until the grader is gone."""
        _draw_the_same()
        sys.modules["__main__"] = self.module
        sys.stdout = sys.stderr = self.printed
        self.names["get_ipython"] = lambda: NoShell(self._run_text)
        builtins.get_ipython = self.names["get_ipython"]  # type: ignore[attr-defined]
        builtins.display = lambda *shown, **_: print(*shown)  # type: ignore[attr-defined]
        with forbidden_calls(self.run):
            while True:
                data = self.channel.receive()
                try:
                    what, *about = self.decode(data)
                except wire.WireError as error:
                    what, about = "refuse", [str(error)]
                self._reply(what, about)
                self.run.handling = None

    def do_refuse(self, why: str) -> None:
        """Says that what came cannot be used here."""
        raise TypeError(f"the check hands over something that the answer's side does not have: {why}")

    def _reply(self, what: str, about: list[Any]) -> None:
        try:
            value = getattr(self, f"do_{what}")(*about)
            data = self.encode(["value", value, self.printed.taken(), self._news(), self._changed()])
        except BaseException as error:
            told = [self._raised(error), self.printed.taken(), self._news(), self._changed()]
            data = self.encode(["raised", *told])
        self.channel.send(data)

    def _changed(self) -> list[list[str]]:
        """What calls have changed of the values that answers define."""
        changed = []
        for name, known in list(self.state.items()):
            if name in self.replaced:
                continue
            value = self.names.get(name)
            if value is known and type(value) in (*SIMPLE, float, str):
                continue
            try:
                text = self.encode(value).decode("utf-8")
            except wire.WireError:
                text = ""
            if not text or len(text) > MAX_STATE:
                del self.state[name]
            elif text != known:
                self.state[name] = value if type(value) in (*SIMPLE, float, str) else text
                changed.append([name, text])
        return changed

    def _news(self) -> list[str]:
        """System calls that were refused since the last reply."""
        refused = self.refused()
        new = [name for name in refused if name not in self.told] if len(refused) > len(self.told) else []
        self.told |= set(new)
        return new

    def do_run(self, cell: str, text: str, names: list[str], setup: bool) -> Any:
        """Runs a cell; what became of `names`, and the message classes that are new."""
        failed = None
        if self.own and not setup:
            self._bring(names_in(text)[1])
        try:
            self._run_text(text, f"<{cell}>")
        except BaseException as error:
            failed = self._raised(error)
        if self.own:
            self._bring(names)
        if setup:
            for name, value in self.names.items():
                if isinstance(value, type) and value.__module__ == "__main__":
                    self.shared[name] = value
        new = [
            value
            for value in self.names.values()
            if isinstance(value, type) and issubclass(value, Message) and not value.__module__.startswith("dslab.")
        ]
        messages = [[self._class_reference(cls), list(cls.fields), _name_and_text(cls)[1]] for cls in new]
        found, refusals = [], []
        for name in names:
            if name in self.names:
                value = self.names[name]
                try:
                    found.append([name, self.encode(value).decode("utf-8")])
                    if not isinstance(value, (type, *CALLABLE)):
                        self.state[name] = value if type(value) in (*SIMPLE, float, str) else found[-1][1]
                except Exception as error:
                    refusals.append([name, whole(str(error)[:MAX_TEXT])])
        return [found, messages, failed, refusals]

    def do_own(self, texts: list[str]) -> None:
        """Notes cells of the student's own."""
        self.own = texts

    def _bring(self, wanted: Iterable[str]) -> None:
        """Runs those cells of the student's own that define what is wanted and not there, with what they need."""
        for name in sorted(set(wanted) - self.names.keys() - vars(builtins).keys()):
            for text in reversed(self.own):
                defined, needed = names_in(text)
                if name in defined:
                    self.own = [one for one in self.own if one is not text]  # once: also if it needs itself
                    self._bring(needed)
                    with contextlib.suppress(Exception, SystemExit):
                        self._run_text(text, "a cell of the student's own")
                    if name in self.names:
                        break

    def do_call(self, number: int, arguments: list[Any], named: dict[str, Any]) -> Any:
        """Calls a function, or makes an object of a class; nodes that were lent come back with what changed."""
        function = self.handles[number]
        lent, self.lent = self.lent, []
        self.run.handling = lent or None
        value = function(*arguments, **named)
        made = isinstance(function, type)
        if made and not isinstance(value, Message):
            value = Raw(self.instance(value))
        return [value, [[*one.effects(one.everything()), one.random.state()] for one in lent]]

    def do_replace(self, name: str, described: list[str]) -> None:
        """Puts something in the place of a name, or deletes it if nothing is described."""
        names, own = self._names_with(name)
        self.replaced.setdefault(name, names.get(own, MISSING))
        names.pop(own, None)
        for text in described:
            names[own] = self.decode(text.encode("utf-8"))

    def do_restore(self, name: str) -> None:
        """Gives a name back what it stood for."""
        names, own = self._names_with(name)
        names.pop(own, None)
        if (value := self.replaced.pop(name)) is not MISSING:
            names[own] = value

    def _names_with(self, name: str) -> tuple[dict[str, Any], str]:
        module, _, own = name.rpartition(".")
        return vars(builtins) if module else self.names, own

    def do_seed(self, module: str, state: Any) -> None:
        """Sets a module's own generator of random numbers."""
        if module == "random":
            random.setstate(state)
        else:
            importlib.import_module(module).set_state(state)

    def do_get(self, number: int, name: str) -> Any:
        return getattr(self.handles[number], name)

    def do_set(self, number: int, name: str, value: Any) -> None:
        setattr(self.handles[number], name, value)

    def do_special(self, number: int, name: str, arguments: list[Any]) -> Any:
        return SPECIAL[name](self.handles[number], *arguments)

    def do_boot(self, number: int, about: list[Any], options: dict[str, Any], disk: dict[str, Any],
                begin: list[Any], now: float) -> Any:
        """Starts or restarts a node of the student's class, or lets it join: `begin` is the handler and its arguments.
        """
        cls = self.handles[number]
        check_class(cls, about[0])
        one = self.nodes[about[0]] = Borrowed(self, cls, about)
        one.host.now = now
        self.run.handling = one
        for name, value in options.items():
            setattr(one.node, name, value)
        one.node.__init__()
        for name, value in disk.items():
            setattr(one.node, name, value)
        getattr(one.node, begin[0])(*begin[1:])
        missing = [name for name in cls.shows or () if not hasattr(one.node, name)]
        if missing:
            raise NodeError(f"`shows` names {missing[0]!r}, which the node does not have: set self.{missing[0]} in "
                            f"on_start")  # fmt: skip
        return one.effects(one.fields())

    def do_event(self, node: str, handler: str, arguments: list[Any], now: float) -> Any:
        """Lets a node handle a message or a timer."""
        one = self.nodes[node]
        one.host.now = now
        self.run.handling = one
        getattr(one.node, handler)(*arguments)
        return one.effects(one.fields())

    # ---- running text

    def _run_text(self, text: str, file: str = "<answer>") -> None:
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        try:
            code = compile(text, file, "exec", flags, dont_inherit=True)
        except SyntaxError:
            plain = without_magics(text)
            if plain is text:
                raise
            code = compile(plain, file, "exec", flags, dont_inherit=True)
        result = eval(code, self.names)
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(result)

    def _raised(self, error: BaseException) -> list[Any]:
        """[names and modules of its classes, arguments, text, line, code] of an exception; the line is the answer's."""
        kind = type(error)
        plain: list[Any] = []
        with contextlib.suppress(Exception):
            plain = [argument for argument in error.args if type(argument) in (str, int, float, bool, type(None))]
            plain = [whole(part[:MAX_TEXT]) if type(part) is str else part for part in plain]
            if len(plain) != len(error.args) or len(plain) > 5:
                plain = []
        try:
            text = whole(str(error)[:MAX_TEXT])
        except BaseException:
            text = ""
        number, code = 0, ""
        if isinstance(error, SyntaxError) and str(error.filename).startswith("<"):
            number, code = error.lineno or 0, (error.text or "").strip()
            text = whole(str(error.msg)[:MAX_TEXT])
        cause = error.__cause__ if isinstance(error, DslabError) and error.__cause__ else error
        walk = cause.__traceback__
        while walk is not None:
            file = walk.tb_frame.f_code.co_filename
            if file.startswith("<") and file in linecache.cache:
                number, code = walk.tb_lineno, linecache.getline(file, walk.tb_lineno).strip()
            walk = walk.tb_next
        classes = [[whole(str(one.__name__)[:100]), whole(str(one.__module__)[:100])] for one in kind.__mro__[:20]]
        attributes = []
        for name, value in list(getattr(error, "__dict__", {}).items())[:20]:
            with contextlib.suppress(Exception):
                described = self.encode(value).decode("utf-8")
                attributes += [[name, described]] if name[0] != "_" and len(described) <= MAX_TEXT else []
        return [classes, plain, text, number, whole(code[:MAX_TEXT]), attributes]


def _draw_the_same() -> None:
    """Lets every process draw the same random numbers, also those that are no generator's: two runs give one result."""
    random._urandom = os.urandom = Random(0).randbytes  # type: ignore[attr-defined]
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)


class Raw:
    """A description that is sent as it is."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description


class Stream:
    """An iterator of the grader's; what it gives is asked for one by one."""

    def __init__(self, student: Student, number: int) -> None:
        self._next, self._number = Callback(student, number), number

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._next()


class Callback:
    """A function of the grader's."""

    def __init__(self, student: Student, number: int) -> None:
        self._student, self._number = student, number

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._student.ask("callback", self._number, list(arguments), named)


MISSING = object()
SIMPLE = frozenset({int, bool, type(None)})
PLAIN = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, slice, type(None))
CALLABLE = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)


def _name_and_text(thing: Any) -> list[str]:
    name, text = getattr(thing, "__name__", ""), getattr(thing, "__doc__", "")
    return [whole(one[:limit]) if type(one) is str else "" for one, limit in ((name, 100), (text, MAX_TEXT))]


def class_at(reference: str) -> Any:
    """The class at "module:name"."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


def taken_apart(value: Any, walk: Callable[[Any], Any]) -> list[Any]:
    """What an object of a class that both sides have consists of.

    Raises:
        WireError: the object keeps its contents in a way that cannot be read.
    """
    if isinstance(value, enum.Enum):
        return ["member", value.name]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return ["items", [walk(item) for item in tuple.__iter__(value)]]
    names = [name for cls in type(value).__mro__ for name in _slots(cls)] + list(getattr(value, "__dict__", ()))
    present = [name for name in dict.fromkeys(names) if hasattr(value, name)]
    if isinstance(value, PLAIN) or not all(type(name) is str for name in present):
        raise wire.WireError(f"a {type(value).__name__} cannot be handed over")
    return ["attributes", [[name, walk(getattr(value, name))] for name in present]]


def put_together(cls: type, how: str, parts: Any) -> Any:
    """An object of a class that both sides have, made without running its code.

    Raises:
        WireError: the parts do not fit the class.
    """
    if how == "member" and issubclass(cls, enum.Enum):
        return cls[parts]
    if how == "items" and issubclass(cls, tuple):
        return cls._make(parts)  # type: ignore[attr-defined]
    if how != "attributes" or issubclass(cls, (*PLAIN[:-1], enum.Enum)):
        raise wire.WireError(f"a {cls.__name__} cannot be made of this")
    value = object.__new__(cls)
    for name, part in parts:
        if not isinstance(name, str) or name.startswith("__") or callable(getattr(cls, name, None)):
            raise wire.WireError(f"a {cls.__name__} cannot have an attribute {name!r}")
        object.__setattr__(value, name, part)
    return value


def _slots(cls: type) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    return tuple(name for name in ((slots,) if isinstance(slots, str) else slots) if not name.startswith("__"))
