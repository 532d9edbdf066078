"""The codec between the grader and a student's process: what crosses, and that nothing else does."""

from __future__ import annotations

import base64
import contextlib
import datetime
import enum
import json
from collections import Counter, OrderedDict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction

import networkx
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dslab.grading import wire
from dslab.grading.wire import WireError, decode, encode

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers(allow_nan=False),
    st.fractions(), st.dates(), st.datetimes(), st.timedeltas(),
)  # fmt: skip
keys = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.binary(), st.tuples(st.integers(), st.text()))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(keys, inner), st.sets(keys), st.frozensets(keys)
    ),
    max_leaves=20,
)


def same(one, other):
    """Equal, of the same types, down to the last part; NaN is NaN and -0.0 is not 0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return one.hex() == other.hex()
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return one == other


@settings(derandomize=True, max_examples=150, deadline=None)
@given(values)
def test_plain_data_arrives_as_it_was(value):
    """Whatever is nested in whatever, with its exact types."""
    assert same(decode(encode(value)), value)


MORE = [
    10**5000, -(10**5000), float("inf"), "\U0001f600 \x00\u2028", r"\ud800 \\udfff \" ",
    bytearray(b"x"), range(3, 10, 2), Decimal("1.50"), Fraction(-1, 3),
    Counter("abca"), OrderedDict(b=1, a=2), deque([1, 2]), datetime.time(1, 2), len, int, sorted,
]  # fmt: skip


@pytest.mark.parametrize("value", MORE, ids=lambda value: str(type(value).__name__))
def test_the_standard_library_crosses_too(value):
    """With its own classes."""
    assert same(decode(encode([value])), [value])


ARRAYS = [
    numpy.arange(6).reshape(2, 3), numpy.zeros((0, 4)), numpy.array(3.5), numpy.array(["a", "bcd"]),
    numpy.array([True, False]), numpy.array([1 + 2j]), numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)),
    numpy.arange(10)[::-2], numpy.array(["2020-01-01"], dtype="datetime64[D]"), numpy.array([float("nan"), 1.0]),
    numpy.array([b"a", b"bc"]), numpy.arange(4, dtype=">i2"),
]  # fmt: skip


@pytest.mark.parametrize("value", ARRAYS, ids=lambda value: f"{value.dtype}{value.shape}")
def test_arrays_cross(value):
    """Same type, shape and values, and free to be changed."""
    got = decode(encode(value))
    assert type(got) is numpy.ndarray and got.dtype == value.dtype and got.flags.writeable
    numpy.testing.assert_array_equal(got, value)


def test_numpy_scalars_stay_numpy_scalars():
    """`numpy.float64` is a float too: it must not lose its class."""
    got = decode(encode([numpy.float64(1.5), numpy.int8(3), numpy.bool_(True)]))
    assert [type(one) for one in got] == [numpy.float64, numpy.int8, numpy.bool_]


@pytest.mark.parametrize("kind", ["Graph", "DiGraph", "MultiGraph", "MultiDiGraph"])
def test_graphs_cross(kind):
    """Nodes, edges, keys and attributes."""
    graph = getattr(networkx, kind)(name="g")
    graph.add_edge(1, (2, 3), weight=2.5)
    graph.add_edge(1, (2, 3), weight=1)
    graph.add_node("alone", colour="red")
    got = decode(encode(graph))
    assert type(got) is type(graph) and networkx.utils.graphs_equal(got, graph) and got.graph == graph.graph


def liar(base, *arguments):
    """A value that says it is equal to everything, and as long, as large and as true as anybody likes."""
    lies = {name: lambda *_: True for name in ("__eq__", "__bool__", "__ge__", "__le__", "__contains__")}
    lies |= {
        "__hash__": lambda _: 0,
        "__repr__": lambda _: "9",
        "__iter__": lambda _: iter([9]),
        "__len__": lambda _: 9,
    }
    return type("Liar", (base,), lies)(*arguments)


@pytest.mark.parametrize(
    ("base", "content"),
    [(int, 5), (str, "five"), (list, [5]), (tuple, (5,)), (dict, {5: 5}), (set, {5}), (float, 5.0), (bytes, b"5")],
)
def test_a_lying_subclass_arrives_as_the_plain_value_inside(base, content):
    """Its methods stay behind."""
    got = decode(encode([liar(base, content)]))[0]
    assert type(got) is base and got == content


class Colour(enum.IntEnum):
    RED = 1


def test_an_enumeration_that_only_one_side_has_is_a_number():
    """And a named tuple a tuple."""
    assert same(decode(encode([Colour.RED, namedtuple("P", "x y")(1, 2)])), [1, (1, 2)])


class Anything:
    pass


@pytest.mark.parametrize(
    "value",
    [
        "\ud800",
        object(),
        Anything(),
        lambda: 1,
        Anything,
        numpy.array([object()]),
        numpy.zeros(2, "i4,f8"),
        iter([]),
        open,
    ],
    ids=lambda value: str(type(value).__name__),
)
def test_what_is_not_plain_is_refused_with_a_reason(value):
    """One clause that names the type."""
    with pytest.raises(WireError, match="cannot be handed over"):
        encode([value])


def test_endless_and_overgrown_values_are_refused():
    """A list that contains itself, one nested too deep, one whose parts multiply."""
    endless = []
    endless.append(endless)
    deep = []
    for _ in range(500):
        deep = [deep]
    bomb = ["x"]
    for _ in range(30):
        bomb = [bomb, bomb]
    for value, words in [(endless, "nested"), (deep, "nested"), (bomb, "parts"), ("x" * 40_000_000, "MB")]:
        with pytest.raises(WireError, match=words):
            encode(value)


HOSTILE = [
    b"", b"{", b"nul", b"NaN", b"Infinity", b"-Infinity", b'{"tuple":[1],"set":[2]}', b"{}", b'{"nonsense":1}',
    b'{"tuple":3}', b'{"dict":[1]}', b'{"dict":[[],1]}', b'{"set":[[1]]}', b'{"bytes":"%%"}', b'{"int":"12"}',
    b'{"int":"0x"}', b'{"float":"1e5"}', b'{"builtin":"eval"}', b'{"builtin":"open"}', b'{"builtin":["len"]}',
    b'{"array":["|O",[1],""]}', b'{"array":["<i8",[99999999],""]}', b'{"array":["<i8",[-1],""]}',
    b'{"array":["<i8",[1,"x"],""]}', b'{"array":[]}', b'{"array":["V8",[1],"AAAAAAAAAAA="]}', b'{"scalar":7}',
    b'{"graph":["Graph",{},[],[]]}', b'{"graph":["os",[],[],[]]}', b'{"graph":["Graph",{"dict":[]},[[1]],[]]}',
    b'{"range":["a"]}', b'{"range":[1,2,0]}', b'{"fraction":[1,0]}', b'{"decimal":"x"}', b'{"datetime":"now"}',
    b'{"timedelta":[1e400]}', b'"\\ud800"', b'["a\\uDFFFb"]', b'"\xed\xa0\x80"', b'{"range":[0,1000000000000,1]}',
    b'{"range":[0,-1000000000000,-3]}',
    b"[" * 101 + b'"' + b'\\"' * 2_000_000, b'{"yours":1}', b'{"node":[]}', b"[" * 100_000, b"[" * 400 + b"]" * 400,
    b'{"dict":[1,' * 2_000, b"1" * 5_000, b"\xff\xfe", b'"\\ud8', b"[" + b"1," * 3_000_000 + b"1]",
    json.dumps({"array": ["<U999999", [2], base64.b64encode(b"x").decode()]}).encode(),
]  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: repr(data[:40]))
def test_bytes_that_are_no_value_raise_nothing_but_a_wire_error(data):
    """Whatever a hostile process sends."""
    with pytest.raises(WireError):
        decode(data)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.data())
def test_damaged_frames_are_values_or_wire_errors(data):
    """Bytes taken out of, put into or changed in a true frame never end in another exception."""
    frame = bytearray(encode(data.draw(values)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(frame)))
        frame[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(WireError):
        decode(bytes(frame))


def test_no_callable_can_be_named_but_the_harmless_ones():
    """Nothing that reads, runs or looks around."""
    assert not {
        "eval",
        "exec",
        "open",
        "compile",
        "getattr",
        "setattr",
        "vars",
        "globals",
        "type",
        "print",
        "input",
    } & set(wire.BUILTINS)
