"""Messages are immutable values, all the way down, and refuse what could not be sent."""

import copy
import pickle

import pytest

from dslab.sim import FrozenList, MessageError, message, plain


@message
class Inner:
    term: int


@message
class Outer:
    """{source} sends {target} {items}."""

    number: int
    items: list = ()
    table: dict = None


def test_fields_are_read_by_name_and_compared_by_type_and_value():
    assert Outer(1).number == 1 and list(Outer(1).items) == []
    assert Outer(1, [2]) == Outer(1, items=[2]) != Outer(2, [2])
    assert Inner(1) != (1,) and hash(Inner(1)) == hash(Inner(1))
    assert repr(Inner(3)) == "Inner(term=3)"


def test_contents_are_frozen_when_the_message_is_made():
    """What the sender does to its own list afterwards does not reach the message."""
    log = [Inner(1), Inner(2)]
    m = Outer(1, log, {"a": [1]})
    log.append(Inner(3))
    assert len(m.items) == 2
    for change in (lambda: m.items.append(1), lambda: m.items.sort(), lambda: m.table.update(b=1),
                   lambda: m.table["a"].append(2), lambda: m.items.__setitem__(0, 1)):
        with pytest.raises(MessageError, match=r"copy it first"):
            change()
    with pytest.raises(AttributeError):
        m.number = 2
    assert type(m.items[1:]) is list and type(list(m.items)) is list


@pytest.mark.parametrize(("value", "says"), [
    (object(), "holds a object"), ({1, 2}, "sorted"), (float("nan"), "None instead"), (lambda: 0, "holds a function"),
    ({(1, 2): 3}, "keys in a message"), ([[object()]], "Outer.number holds a object"), (b"x", "holds a bytes"),
])
def test_unserialisable_contents_are_refused_with_the_field_named(value, says):
    with pytest.raises(MessageError, match=says):
        Outer(value)


def test_wrong_arguments_name_the_message():
    with pytest.raises(TypeError, match="Outer"):
        Outer()
    with pytest.raises(MessageError, match="no default"):
        message(type("Bad", (), {"__annotations__": {"a": int, "b": int}, "a": 1}))


def test_survives_pickle_and_deepcopy():
    m = Inner(4)
    assert copy.deepcopy(m) is m
    assert copy.deepcopy(FrozenList([1])) == [1]
    assert pickle.loads(pickle.dumps(m)) == m
    assert pickle.loads(pickle.dumps(Outer(1, [2], {"k": 3}))).table == {"k": 3}


def test_plain_form_names_the_type():
    assert plain(Outer(1, [Inner(2)], {3: None})) == {
        "@": "Outer", "number": 1, "items": [{"@": "Inner", "term": 2}], "table": {"3": None}}
    assert plain({3, 1, 2}) == [1, 2, 3]
