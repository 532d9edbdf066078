"""Models: what one object does when it is asked one thing at a time.

A model has an initial state and a step. States are hashable, so that a checker can remember where it has been. An
operation whose answer nobody knows (status "unknown") is legal wherever it would change something.

Source: M. Herlihy, J. Wing, ACM TOPLAS 12(3), 1990, section 2 (sequential specifications).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .history import OK, HistoryError, Operation, told


class _Illegal:
    """What a step leads to that the model does not allow."""

    def __repr__(self) -> str:
        return "ILLEGAL"


ILLEGAL = _Illegal()


class Model(NamedTuple):
    """One kind of object.

    Attributes:
        name: as on the command line.
        initial: the state at the start.
        step: (state, operation) -> state afterwards, or ILLEGAL if the object would not have answered so.
        reads: what of `do` changes nothing, so that one without an answer says nothing.
        operations: all that it knows.
        wrote: operation -> what it leaves for others to see.
        shows: (operation, what another wrote) -> whether its answer shows that, so that one without the other
            explains nothing.
        shown: operation -> all that it shows of what others wrote, where that is few things; saves asking `shows`.
        hopeless: (state, answer) -> whether no read can answer so any more, unless a write that `begins` it comes.
        begins: (operation, answer) -> whether it can begin what a read with this answer shows, in any state; where
            none is given, only who `wrote` the answer can.
        closed: an order without some of the operations is as legal as before, as long as everything that shows what
            they wrote is left out too. It is not where an answer shows what was *not* written.
        blind: what of `do` is always legal and leaves the same whatever was there before.
        clears: of a closed one, whether an operation takes away what others wrote, so that it explains answers
            without being seen in them.
    """

    name: str
    initial: Any
    step: Callable[[Any, Operation], Any]
    reads: frozenset[str]
    operations: frozenset[str]
    wrote: Callable[[Operation], tuple[Any, ...]] = lambda operation: ()
    shows: Callable[[Operation, Any], bool] = lambda operation, written: False
    hopeless: Callable[[Any, Any], bool] = lambda state, answer: False
    begins: Callable[[Operation, Any], bool] | None = None
    shown: Callable[[Operation], tuple[Any, ...]] | None = None
    closed: bool = False
    blind: frozenset[str] = frozenset({"write", "put"})
    clears: Callable[[Operation], bool] = lambda operation: False

    def check(self, operation: Operation) -> None:
        """Refuses an operation that this model does not know.

        Raises:
            HistoryError: it does not know it, or the argument has another shape.
        """
        where = f"line {operation.line}: " if operation.line else ""
        if operation.do not in self.operations:
            raise HistoryError(f"{where}a {self.name} has no {operation.do!r}, only "
                               f"{', '.join(sorted(self.operations))}: choose another model")
        if operation.do == "cas" and not (isinstance(operation.argument, tuple) and len(operation.argument) == 2):
            raise HistoryError(f"{where}a cas needs a pair [from to], not {told(operation.argument)}")
        if operation.do == "txn":
            _check_transaction(operation, where)
        if self.step is text_step:
            for text in (operation.argument, operation.result):
                if not isinstance(text, str) and (text is not None or operation.do == "append"
                                                  and text is operation.argument):
                    raise HistoryError(f"{where}{operation.do} of a {self.name} takes and shows text, not {told(text)}")
        if self.step is set_step and operation.do == "read" and operation.status == OK:
            shown_items(operation)


# ---- one value: read, write, compare-and-set


def register_step(state: Any, operation: Operation) -> Any:
    """A register; a failed cas says that it does not hold `from`."""
    do = operation.do
    if do == "write":
        return operation.argument
    if do == "read":
        return state if operation.status != OK or state == operation.result else ILLEGAL
    before, after = operation.argument
    if operation.status != OK:
        return after if state == before else ILLEGAL
    if operation.result is False:
        return ILLEGAL if state == before else state
    return after if state == before else ILLEGAL


def register_wrote(operation: Operation) -> tuple[Any, ...]:
    """The value that it leaves."""
    if operation.do == "write":
        return (operation.argument,)
    refused = operation.status == OK and operation.result is False
    return (operation.argument[1],) if operation.do == "cas" and not refused else ()


def register_shown(operation: Operation) -> tuple[Any, ...]:
    """The value that its answer shows."""
    if operation.status != OK or operation.do == "write" or operation.result is False:
        return ()
    return (operation.argument[0] if operation.do == "cas" else operation.result,)


def register_shows(operation: Operation, written: Any) -> bool:
    """Whether its answer shows a value."""
    return written in register_shown(operation)


def register_hopeless(state: Any, answer: Any) -> bool:
    """Whether the register holds something else."""
    return bool(state != answer)


# ---- one text: get, put, append


def text_step(state: str, operation: Operation) -> Any:
    """A text; append puts more at its end."""
    do = operation.do
    if do == "append":
        return (state or "") + operation.argument
    if do in ("put", "write"):
        return operation.argument
    same = operation.status != OK or (state or "") == (operation.result or "")
    return state if same else ILLEGAL


def text_wrote(operation: Operation) -> tuple[Any, ...]:
    """The text that it puts or appends."""
    return (operation.argument,) if operation.do not in ("get", "read") and operation.argument else ()


def text_clears(operation: Operation) -> bool:
    """Whether it puts the empty text, which every answer begins with."""
    return operation.do in ("put", "write") and not operation.argument


def text_shows(operation: Operation, written: Any) -> bool:
    """Whether a text is a part of what it answers."""
    return operation.do in ("get", "read") and operation.status == OK and written in (operation.result or "")


def text_hopeless(state: str, answer: Any) -> bool:
    """Whether the answer does not begin like the text."""
    return not (answer or "").startswith(state)


def text_begins(operation: Operation, answer: Any) -> bool:
    """Whether it puts what the answer begins with."""
    return operation.do in ("put", "write") and (answer or "").startswith(operation.argument)


# ---- mutex


def mutex_step(state: bool, operation: Operation) -> Any:
    """A lock: acquired where it is free, released where it is held."""
    if operation.do == "acquire":
        return ILLEGAL if state else True
    return False if state else ILLEGAL


# ---- several registers, read and written by transactions


def multi_register_step(state: tuple[tuple[Any, Any], ...], operation: Operation) -> Any:
    """Registers; a transaction reads and writes some of them at once."""
    values = dict(state)
    for do, key, value in _parts(operation):
        if do not in READ:
            values[key] = value
        elif operation.status == OK and value is not None and values.get(key) != value:
            return ILLEGAL
    return tuple(sorted(values.items(), key=repr))


def multi_register_wrote(operation: Operation) -> tuple[Any, ...]:
    """The pairs of register and value that it writes."""
    return tuple([(key, value) for do, key, value in _parts(operation) if do not in READ])


def multi_register_shown(operation: Operation) -> tuple[Any, ...]:
    """The pairs of register and value that it reads."""
    known = operation.status == OK
    return tuple([(key, value) for do, key, value in _parts(operation) if do in READ and known])


def multi_register_shows(operation: Operation, written: Any) -> bool:
    """Whether it reads this pair."""
    return written in multi_register_shown(operation)


def _parts(operation: Operation) -> tuple[tuple[str, Any, Any], ...]:
    parts: tuple[tuple[str, Any, Any], ...] = operation.result or operation.argument
    return parts


READ = frozenset({"read", "r"})
WRITE = frozenset({"write", "w"})


def _check_transaction(operation: Operation, where: str) -> None:
    for parts in (operation.argument, operation.result):
        if parts is None and parts is not operation.argument:
            continue
        if not isinstance(parts, tuple):
            raise HistoryError(f"{where}a transaction is a list of [read|write key value], not {told(parts)}")
        for part in parts:
            if not (isinstance(part, tuple) and len(part) == 3 and part[0] in READ | WRITE):
                raise HistoryError(f"{where}a part of a transaction is [read|write key value], not {told(part)}")


# ---- set


def shown_items(operation: Operation) -> Sequence[Any]:
    """What a read of a set shows.

    Raises:
        HistoryError: no list.
    """
    shown = operation.result
    if shown is None or isinstance(shown, (tuple, frozenset)):
        return tuple(shown or ())
    where = f"line {operation.line}: " if operation.line else ""
    raise HistoryError(f"{where}a read of a set shows a list, not {told(shown)}")


def set_step(state: frozenset[Any], operation: Operation) -> Any:
    """A set; a read answers all of it."""
    if operation.do == "add":
        return state | {operation.argument}
    if operation.do == "remove":
        return state - {operation.argument}
    answer = operation.result or ()
    return state if operation.status != OK or sorted(answer, key=repr) == sorted(state, key=repr) else ILLEGAL


def set_wrote(operation: Operation) -> tuple[Any, ...]:
    """What it adds or removes."""
    return () if operation.do == "read" else ((operation.do, operation.argument),)


def set_shows(operation: Operation, written: Any) -> bool:
    """Whether its answer shows that an item was added, or removed."""
    do, item = written
    return operation.do == "read" and operation.status == OK and (item in (operation.result or ())) is (do == "add")


def _model(name: str, initial: Any, step: Callable[[Any, Operation], Any], reads: str, rest: str,
           **more: Any) -> Model:
    return Model(name, initial, step, frozenset(reads.split()), frozenset((reads + " " + rest).split()), **more)


MODELS: dict[str, Model] = {model.name: model for model in (
    _model("register", None, register_step, "read", "write cas",
           wrote=register_wrote, shows=register_shows, shown=register_shown,
           hopeless=register_hopeless),
    _model("cas-register", None, register_step, "read", "write cas",
           wrote=register_wrote, shows=register_shows, shown=register_shown,
           hopeless=register_hopeless),
    _model("key-value", "", text_step, "get read", "put write append",
           wrote=text_wrote, shows=text_shows, hopeless=text_hopeless, begins=text_begins, closed=True,
           clears=text_clears),
    _model("append", "", text_step, "get read", "put write append",
           wrote=text_wrote, shows=text_shows, hopeless=text_hopeless, begins=text_begins, closed=True,
           clears=text_clears),
    _model("mutex", False, mutex_step, "", "acquire release"),
    _model("multi-register", (), multi_register_step, "", "txn",
           wrote=multi_register_wrote, shows=multi_register_shows, shown=multi_register_shown),
    _model("set", frozenset(), set_step, "read", "add remove", wrote=set_wrote, shows=set_shows,
           closed=True),
)}

ALSO = {  # other names, the last as the recorded histories of porcupine have it
    "kv": "key-value", "compare-and-set register": "cas-register", "compare-and-set-register": "cas-register",
    'kv get/put/append, one string per key, initial ""': "key-value",
}


def model_named(name: str) -> Model:
    """The model of this name.

    Raises:
        HistoryError: there is none.
    """
    name = ALSO.get(name, name)
    if name not in MODELS:
        raise HistoryError(f"there is no model {name!r}; choose from {', '.join(MODELS)}")
    return MODELS[name]


def model_of(operations: Sequence[Operation], name: str, initial: Any = ...) -> Model:
    """The model by which a whole history is judged.

    Args:
        operations: the history.
        name: a name in MODELS.
        initial: what every object holds at the start; as the model says if not given.

    Raises:
        HistoryError: there is no such model, or it does not know an operation.
    """
    model = model_named(name)
    model = model if initial is ... else model._replace(initial=initial)
    for one in operations:
        model.check(one)
    return model
