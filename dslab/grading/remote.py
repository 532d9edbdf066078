"""Stand-ins, in the grader's process, for what a student's process holds: functions, classes, objects, nodes.

A stand-in never lets an object of the student's take part in a comparison: `f(x) == 9` is decided here, by a plain
value, and the 9 does not leave this process.
"""

from __future__ import annotations

import inspect
import keyword
import sys
import types
from collections import namedtuple
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from dslab.grading import wire
from dslab.grading.connection import StudentGone
from dslab.grading.operators import BINARY
from dslab.sim.message import message
from dslab.sim.node import RUNTIME_ATTRIBUTES, SENDS_PER_HANDLER, Node

if TYPE_CHECKING:
    from dslab.grading.connection import Connection
    from dslab.grading.session import Session

MAX_CLASSES, MAX_FIELDS = 100, 50  # of messages and named tuples: making a class costs the grader time
MAX_CALLS = 200  # kept for the explanation of a failed check


class Call(NamedTuple):
    """A call of the student's code by a check: `result` or `error` is what came of it."""

    name: str
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    result: Any = None
    error: BaseException | None = None


class Undefined:
    """Stands for a name that the answer should define and does not; every use says so."""

    def __init__(self, name: str, why: str = "the answer does not define it") -> None:
        self.__dict__["_told"] = f"name {name!r} is not defined: {why}"

    def _fail(self, *_: Any, **__: Any) -> Any:
        raise NameError(self.__dict__["_told"])

    __call__ = __getattr__ = __setattr__ = __iter__ = __len__ = __bool__ = __contains__ = __getitem__ = _fail
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __sub__ = __rsub__ = _fail
    __mul__ = __rmul__ = __truediv__ = __int__ = __float__ = __str__ = __format__ = __hash__ = _fail

    def __repr__(self) -> str:
        return str(self.__dict__["_told"])


class Remote:
    """Something in the student's process, known by a number."""

    session: Session
    connection: Connection
    handle: int
    home: tuple[str, str] | None

    def __init__(self, session: Session, connection: Connection, handle: int, name: str, text: str = "") -> None:
        self.__dict__.update(session=session, connection=connection, handle=handle, home=None)
        self.__dict__.update(__name__=name, __qualname__=name, __doc__=text if isinstance(text, str) else "")

    def settle(self, home: tuple[str, str]) -> None:
        """Notes the cell and the name by which every process of the student's has it."""
        self.__dict__["home"] = home

    def number(self, connection: Connection) -> int:
        """Its number in a process."""
        return number_in(connection, self)

    def place(self) -> Connection:
        """The process to ask about it: for what a cell defines the one of this check, else the one that has it."""
        session: Session = self.session
        main = session.main()
        return main if self.home is not None or self.connection not in session.connections.values() else self.connection

    def ask(self, what: str, *about: Any) -> Any:
        """Asks its process something about it."""
        connection = self.place()
        return connection.request(what, self.number(connection), *about)

    def __repr__(self) -> str:
        return f"<{self.__name__} of the answer>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("__", "_repr_", "_ipython")):
            raise AttributeError(name)
        return self.ask("get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            self.__dict__[name] = value
        else:
            self.ask("set", name, value)

    def __delattr__(self, name: str) -> None:
        self._special("delattr", name)

    def _special(self, name: str, *arguments: Any) -> Any:
        return self.ask("special", name, list(arguments))

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        connection = self.place()
        number = self.number(connection)
        lent = [Lent(connection, argument) for argument in arguments if isinstance(argument, Node)]
        nodes = iter(lent)
        given = [next(nodes) if isinstance(argument, Node) else argument for argument in arguments]
        try:
            value, effects = connection.request("call", number, given, named)
            if len(lent) != len(effects):
                raise TypeError("the answer's process returned no effects")
            for one, (changed, timers, sent, state) in zip(lent, effects, strict=True):
                apply(self.session, connection, one.node, changed, timers, sent)
                if state is not None:
                    one.node.random.setstate((state[0], tuple(state[1]), state[2]))
        except BaseException as error:
            self._note(Call(self.__name__, arguments, named, error=error))
            raise
        self._note(Call(self.__name__, arguments, named, value))
        return value

    def _note(self, call: Call) -> None:
        if len(self.session.calls) >= MAX_CALLS:
            del self.session.calls[: MAX_CALLS // 2]
        self.session.calls.append(call)


def number_in(connection: Connection, thing: Any) -> int:
    """The number that something of the student's has in a process; what a cell defines is in each of them.

    Raises:
        StudentGone: the process that had it is gone, or another one is meant.
    """
    found = connection.found.get(thing.home) if thing.home is not None else None
    if found is None and connection is thing.connection:
        found = thing.handle
    if found is None:
        thing.session.gone = thing.session.gone or "crashed"
        raise StudentGone("the object is gone with the process that held it")
    return found


class RemoteFunction(Remote):
    """A function of the student's; what `inspect` asks of it is read off the text that was handed in."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.__dict__["__module__"] = "__main__"

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return types.FunctionType

    @property
    def __code__(self) -> types.CodeType:
        code = self.session.code_of(self.home) if self.home is not None else None
        if code is None:
            raise AttributeError("__code__")
        return code


def _asked(name: str, function: RemoteFunction) -> Any:
    return function.ask("get", name)


for _name in ("__defaults__", "__kwdefaults__", "__annotations__"):
    setattr(RemoteFunction, _name, property(partial(_asked, _name)))


class RemoteObject(Remote):
    """An object of the student's; `made` if a check made it by calling a class where the assignment wants a class.

    Only such an object takes part in operations with values of the grader's: another one came back where a plain
    value is due, and what it says about itself counts for nothing. With a plain value it is equal only if its class is
    derived from list, int and the like, by what it holds as one: never by an `__eq__` of its own.
    """

    made = False

    def _both(self, name: str, other: Any) -> Any:
        if self.made or (isinstance(other, RemoteObject) and other.made):
            return self._special(name, other)
        raise TypeError(f"the answer returned an object of class {self.__name__} where a plain value is needed")

    def __eq__(self, other: object) -> bool:
        if other is self:
            return True
        if not isinstance(other, RemoteObject):
            part = self._special("plain")  # in a list; none if its class is derived from nothing plain
            return type(part) is list and len(part) == 1 and not isinstance(part[0], RemoteObject) and part[0] == other
        return (self.made or other.made) and self._special("eq", other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((id(self.connection), self.handle))

    def __repr__(self) -> str:
        return str(self._special("repr")) if self.made else super().__repr__()

    def __bool__(self) -> bool:
        return self._special("bool") is True

    def __iter__(self) -> Any:
        return self._special("iter")

    def __next__(self) -> Any:
        return self._special("next")

    def __len__(self) -> int:
        return int(self._special("len"))

    def __str__(self) -> str:
        return str(self._special("str"))

    def __getitem__(self, key: Any) -> Any:
        return self._special("getitem", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._special("setitem", key, value)

    def __delitem__(self, key: Any) -> None:
        self._special("delitem", key)

    def __contains__(self, part: Any) -> bool:
        return self._both("contains", part) is True

    def __enter__(self) -> Any:
        return self._special("enter")

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if error is None:
            return self._special("exit") is True
        plain = [part for part in error.args if isinstance(part, str | int | float)]
        try:
            return self._special("exit", kind.__name__, plain) is True
        except kind:  # it is raised again, here and as it was
            return False

    def __format__(self, form: str) -> str:
        return str(self._special("format", form))

    def __int__(self) -> int:
        return int(self._special("int"))

    def __float__(self) -> float:
        return float(self._special("float"))


def _binary(name: str) -> None:
    setattr(RemoteObject, f"__{name.strip('_')}__", lambda self, other: self._both(name, other))


for _name in ("lt", "le", "gt", "ge", *BINARY, *(f"r{name}" for name in BINARY)):
    _binary(_name)
for _name in ("abs", "neg", "pos", "invert", "round", "reversed", "index"):
    setattr(RemoteObject, f"__{_name}__", lambda self, *about, _name=_name: self._special(_name, *about))


class RemoteClass(Remote):
    """A class of the student's."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type

    @property
    def __bases__(self) -> tuple[type, ...]:
        return (object,)

    @property
    def __signature__(self) -> inspect.Signature:
        code = self.session.code_of(self.home, "__init__") if self.home is not None else None
        if code is None:
            raise ValueError(f"no __init__ was found in {self.__name__}")
        init = self.ask("get", "__init__")
        made = types.FunctionType(code, {}, None, init.__defaults__, tuple(types.CellType() for _ in code.co_freevars))
        made.__kwdefaults__, made.__annotations__ = init.__kwdefaults__, init.__annotations__
        parameters = list(inspect.signature(made).parameters.values())
        return inspect.Signature(parameters[1:])

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        value = super().__call__(*arguments, **named)
        if isinstance(value, RemoteObject) and self.home is not None and self.home[1] in self.session.classes:
            return stand_in(self.session, value.connection, "instance", value.handle, value.__name__, made=True)
        return value

    def __iter__(self) -> Any:
        return self._special("iter")

    def __len__(self) -> int:
        return int(self._special("len"))

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, key: Any) -> Any:
        return self._special("getitem", key)

    def __instancecheck__(self, thing: Any) -> bool:
        return isinstance(thing, RemoteObject) and thing._special("isinstance", self) is True

    def __subclasscheck__(self, cls: Any) -> bool:
        return isinstance(cls, RemoteClass) and cls.ask("special", "issubclass", [self]) is True


class RemoteCoroutine(RemoteObject, Coroutine[Any, Any, Any]):
    """What a function of the student's that is `async` returns; it runs when it is awaited."""

    def __next__(self) -> Any:
        raise StopIteration(self._special("await"))

    def send(self, value: Any) -> Any:
        return next(self)

    def throw(self, *about: Any) -> Any:
        raise about[0]

    def close(self) -> None:
        """Nothing has begun."""

    def __await__(self) -> Any:
        return self._special("await")
        yield


KINDS: dict[str, type[Remote]] = {
    "function": RemoteFunction, "instance": RemoteObject, "class": RemoteClass, "coroutine": RemoteCoroutine,
}  # fmt: skip


def stand_in(session: Session, connection: Connection, kind: str, handle: int, *about: str, made: bool = False) -> Any:
    """The one stand-in for a thing: so that what is the same there is the same here.

    An object that a check made by calling a class has another one than the same object where it comes back as a value.
    """
    found = connection.objects.get((kind, handle, made))
    if found is None:
        connection.objects[kind, handle, made] = found = KINDS[kind](session, connection, handle, *about)
        if made:
            found.__dict__["made"] = True
    return found


# ---- messages and nodes


def _identifier(name: Any) -> str:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or len(name) > 100:
        raise wire.WireError("it has a name that is none")
    return name


def named_tuple(session: Session, parts: list[Any]) -> Any:
    """A named tuple like one of the student's: its name, the names of its fields, their values."""
    size = len(parts) // 2
    key = _identifier(parts[0]), *map(_identifier, parts[1 : size + 1])
    if key not in session.named:
        if size > MAX_FIELDS or len(session.named) >= MAX_CLASSES:
            raise wire.WireError("there are too many kinds of named tuples")
        session.named[key] = namedtuple(key[0], key[1:])
    return session.named[key]._make(parts[size + 1 :])


def message_class(name: Any, fields: Any, text: Any) -> type:
    """A message class like one of the student's."""
    body = {"__annotations__": {_identifier(field): object for field in fields}, "__module__": "__main__"}
    if isinstance(text, str) and text:
        body["__doc__"] = text
    return message(type(_identifier(name), (), body))


class Lent:
    """A node of the grader's, on its way to a function of the student's: by value, with all that is plain."""

    def __init__(self, connection: Connection, node: Any) -> None:
        self.connection, self.node = connection, node

    def described(self) -> dict[str, Any]:
        node = self.node
        state = []
        for name, value in vars(node).items():
            if name not in RUNTIME_ATTRIBUTES and name != "_host":
                try:
                    state.append([name, self.connection.encode(value).decode("utf-8")])
                except wire.WireError:
                    continue
        self.connection.randoms[node.id] = node.random
        return {"node": [reference(type(node)), [node.id, list(node.peers), list(node._host.sim.hosts), node.id],
                         node.now, state]}  # fmt: skip


def reference(cls: type) -> str:
    """Where the student's process finds a node's class, or the nearest one that it is derived from."""
    for one in cls.__mro__:
        if getattr(sys.modules.get(one.__module__), one.__name__, None) is one:
            return f"{one.__module__}:{one.__name__}"
    raise TypeError(f"{cls.__name__} is derived from no class that can be imported")


def apply(session: Session, connection: Connection, node: Any, changed: Any, timers: Any, sent: Any) -> None:
    """What a handler of the student's did becomes true of a node here.

    Raises:
        NodeError: a timer or message is not what it must be.
    """
    cls = type(node)
    with session._strictly(connection):
        for name, text in changed:
            private = name.startswith("_") and name not in cls.durable
            if private or not name.isidentifier() or name in RUNTIME_ATTRIBUTES or callable(getattr(cls, name, None)):
                raise wire.WireError(f"it changes {name[:60]!r}")
            value = wire.decode(text.encode("utf-8"), lambda tag, data: session.value(connection, tag, data))
            setattr(node, name, value)
        if len(sent) > SENDS_PER_HANDLER or not all(isinstance(target, str) for target, _ in sent):
            raise wire.WireError("it sends too much")
        if not all(isinstance(timer[0], str) and len(timer) in (1, 3) for timer in timers):
            raise wire.WireError("it sets no timer")
    for timer in timers:
        if len(timer) == 1:
            node.cancel_timer(timer[0])
        else:
            between = tuple(timer[2]) if isinstance(timer[2], list) else timer[2]
            node.set_timer(timer[0], after=timer[1], between=between)
    for target, m in sent:
        node.send(target, m)


class Made(type):
    """The class of a node class of the student's."""

    session: Any
    connection: Any
    handle: int
    home: tuple[str, str] | None

    def settle(cls, home: tuple[str, str]) -> None:
        """As Remote.settle."""
        cls.home = home

    def number(cls, connection: Connection) -> int:
        """Its number in a process."""
        return number_in(connection, cls)


class RemoteNode(Node):
    """A node whose handlers run in a student's process: n1 to n9 have one each, of more nodes some share one."""

    def on_start(self) -> None:
        """Starts the node there, with the same name, options and disk."""
        self._boot("on_start")

    def on_join(self, contact: str | None) -> None:
        """Lets the node there join."""
        self._boot("on_join", contact)

    def _boot(self, handler: str, *arguments: Any) -> None:
        cls: Any = type(self)
        connection = cls.session.connection_for(self._host.id)
        cls.session.replaced.tell(connection, cls.session.hidden)
        own = {name: value for name, value in vars(self).items() if name not in RUNTIME_ATTRIBUTES and name != "_host"}
        options = {name: value for name, value in own.items() if name not in cls.durable}
        disk = {name: value for name, value in own.items() if name in cls.durable}
        node_id = self._host.id
        connection.randoms[node_id] = self.random
        about = [node_id, list(self.peers), list(self._host.sim.hosts), node_id]
        self._take(connection, "boot", cls.number(connection), about, options, disk, [handler, *arguments])

    def _take(self, connection: Connection, what: str, *about: Any) -> None:
        changed, timers, sent = connection.request(what, *about, self.now)
        apply(connection.session, connection, self, changed, timers, sent)


def _handler(name: str) -> Any:
    def handle(self: Any, *arguments: Any) -> None:
        node_id = self._host.id
        self._take(type(self).session.connection_for(node_id), "event", node_id, name, list(arguments))

    handle.__name__ = name
    return handle


def node_class(session: Session, connection: Connection, data: Any) -> type:
    """A node class here for one of the student's there."""
    number, name, text, durable, shows, handlers, plain = data
    body: dict[str, Any] = {"__module__": "__main__", "__doc__": text}
    body["shows"] = tuple(map(str, shows)) if isinstance(shows, list) else shows

    def read(text: str) -> Any:
        return wire.decode(text.encode("utf-8"), lambda tag, data: session.value(connection, tag, data))

    for attribute, described in plain:
        if not hasattr(Node, _identifier(attribute)):
            body[attribute] = read(described)
    for handler in handlers:
        if not _identifier(handler).startswith("on_"):
            raise wire.WireError("it has a handler that is none")
        if handler not in ("on_start", "on_join"):
            body[handler] = _handler(handler)
    body["durable"] = read(durable)
    attributes = [*(body["durable"] if isinstance(body["durable"], dict) else ()), *(body["shows"] or ())]
    for attribute in attributes:
        if _identifier(attribute).startswith("__") or attribute == "_host" or attribute in RUNTIME_ATTRIBUTES:
            raise wire.WireError(f"it has an attribute {attribute!r} that is the runtime's")
    cls = Made(_identifier(name), (RemoteNode,), body)
    cls.session, cls.connection, cls.handle, cls.home = session, connection, number, None
    return cls
