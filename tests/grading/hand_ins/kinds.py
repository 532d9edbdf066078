"""Answers of kinds that courses ask for, each with a check as nbgrader's users write them; all of them are right."""

from __future__ import annotations

KINDS = {
    "prints": (
        """
def hello(name):
    print("Hello", name)
""",
        """
import io, contextlib
said = io.StringIO()
with contextlib.redirect_stdout(said):
    hello("anna")
assert said.getvalue() == "Hello anna\\n"
""",
    ),
    "context manager": (
        """
class Door:
    def __enter__(self):
        self.open = True
        return self
    def __exit__(self, *about):
        self.open = False
""",
        """
with Door() as door:
    assert door.open
assert not door.open
""",
    ),
    "raises": (
        """
def root(x):
    if x < 0:
        raise ValueError(f"negative: {x}")
    return x ** 0.5
""",
        """
import unittest
import pytest
case = unittest.TestCase()
case.assertRaises(ValueError, root, -2)
case.assertAlmostEqual(root(2), 1.41421356)
with pytest.raises(ValueError, match="negative: -3"):
    root(-3)
assert root(4) == pytest.approx(2)
""",
    ),
    "types": (
        """
def all_sorts():
    return [1.5, "a", True, None, (1,), {1}, b"x", 2j, frozenset(), range(2), {1: [2]}]
value = 3.0
""",
        """
assert [type(one).__name__ for one in all_sorts()] == (
    "float str bool NoneType tuple set bytes complex frozenset range dict".split())
assert type(value) is float
""",
    ),
    "closures": (
        """
def adder(n):
    def add(x):
        return x + n
    return add
compose = lambda f, g: lambda x: f(g(x))
""",
        """
assert adder(3)(4) == 7
assert compose(str, abs)(-3) == "3"
assert list(map(adder(1), [1, 2])) == [2, 3]
assert compose(adder(1), lambda x: x * 2)(5) == 11
""",
    ),
    "memo": (
        """
def memo(function):
    known = {}
    def inner(*arguments):
        if arguments not in known:
            known[arguments] = function(*arguments)
        return known[arguments]
    return inner
""",
        """
calls = 0
@memo
def double(x):
    global calls
    calls += 1
    return 2 * x
assert [double(2), double(2), double(3)] == [4, 4, 6] and calls == 2
""",
    ),
    "keywords": (
        "def gather(*some, **named):\n    return some, named",
        "assert gather(1, 2, a=3) == ((1, 2), {'a': 3})\nassert gather(*range(3)) == ((0, 1, 2), {})",
    ),
    "arrays": (
        """
import numpy as np
def outer(a, b):
    return np.outer(a, b)
identity = np.eye(3)
def about(m):
    return {"mean": m.mean(), "shape": m.shape, "largest": m.argmax(axis=0)}
""",
        """
assert (outer([1, 2], [3, 4]) == np.array([[3, 4], [6, 8]])).all()
assert identity.trace() == 3
found = about(np.arange(6).reshape(2, 3))
assert found["mean"] == 2.5 and found["shape"] == (2, 3) and found["largest"].tolist() == [1, 1, 1]
assert outer(np.array([1]), np.float32(2)).dtype == np.float64
""",
    ),
    "linked list": (
        """
class Link:
    def __init__(self, value, rest=None):
        self.value, self.rest = value, rest
def chain(values):
    head = None
    for value in reversed(values):
        head = Link(value, head)
    return head
""",
        """
head = chain([1, 2])
assert head.value == 1 and head.rest.value == 2 and head.rest.rest is None
assert Link(0, head).rest.value == 1
""",
    ),
    "inheritance": (
        """
class Shape:
    sides = 0
    @classmethod
    def unit(cls):
        return cls(1)
    @staticmethod
    def name():
        return "shape"
class Square(Shape):
    sides = 4
    def __init__(self, a):
        self.a = a
    def area(self):
        return self.a ** 2
""",
        """
assert Square(3).area() == 9 and Square.unit().area() == 1
assert isinstance(Square(1), Shape) and issubclass(Square, Shape) and not isinstance(3, Shape)
assert Square.sides == 4 and Shape.name() == "shape"
""",
    ),
    "vectors": (
        """
from dataclasses import dataclass
@dataclass(frozen=True)
class Vector:
    x: int
    y: int
    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)
    def __lt__(self, other):
        return self.x < other.x
""",
        """
assert Vector(1, 2) + Vector(3, 4) == Vector(4, 6)
assert Vector(1, 2) != Vector(2, 1)
assert (Vector(1, 2) + Vector(1, 1)).x == 2
assert str(Vector(1, 2)) == "Vector(x=1, y=2)"
assert sorted([Vector(3, 0), Vector(1, 0)])[0].x == 1
""",
    ),
    "attributes": (
        "class Box:\n    def __init__(self):\n        self.a = 1",
        """
box = Box()
assert hasattr(box, "a") and not hasattr(box, "b") and getattr(box, "b", 7) == 7
box.b = 3
assert box.b == 3
""",
    ),
    "random numbers": (
        "import random\ndef roll(seed):\n    random.seed(seed)\n    return random.random()",
        "assert roll(5) == random.Random(5).random()",
    ),
    "a helper of the check": (
        "def double(x):\n    return 2 * x",
        "def test(function, cases):\n    for given, wanted in cases:\n        assert function(given) == wanted\n"
        "test(double, [(1, 2), (2, 4)])\nprint('Success!')",
    ),
}
