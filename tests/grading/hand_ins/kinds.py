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
    "views": (
        """
def letters(t):
    return dict.fromkeys(t).keys()

def pairs(t):
    return {c: 1 for c in t}.items()

def vals(t):
    return {c: 1 for c in t}.values()
""",
        """
assert letters('aab') == {'a', 'b'} and 'a' in letters('a') and (len(letters('ab')) == 2)
assert dict(pairs('ab')) == {'a': 1, 'b': 1} and list(vals('ab')) == [1, 1] and (sorted(letters('ba')) == ['a', 'b'])
""",
    ),
    "iterators in": (
        """
def take(n, it):
    out = []
    for x in it:
        if len(out) == n:
            break
        out.append(x)
    return out

def first(it):
    return next(it, None)
""",
        """
import itertools
assert take(3, itertools.count()) == [0, 1, 2]
assert take(2, (x * x for x in range(9))) == [0, 1]
assert first(iter([])) is None and first(iter('ab')) == 'a' and (take(9, zip([1, 2], [3, 4])) == [(1, 3), (2, 4)])
""",
    ),
    "reflected": (
        """
class V:

    def __init__(self, x):
        self.x = x

    def __add__(self, o):
        return V(self.x + (o.x if isinstance(o, V) else o))
    __radd__ = __add__

    def __rmul__(self, k):
        return V(k * self.x)

    def __matmul__(self, o):
        return self.x * o.x

    def __invert__(self):
        return V(-self.x)
""",
        """
assert sum([V(1), V(2)]).x == 3 and (2 * V(3)).x == 6 and (V(2) @ V(3) == 6) and ((~V(2)).x == -2)
""",
    ),
    "exit with error": (
        """
class quiet:

    def __init__(self, kind):
        self.kind = kind

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.seen = error
        return kind is not None and issubclass(kind, self.kind)
from contextlib import contextmanager

@contextmanager
def noted(log):
    try:
        yield 5
    except ValueError as e:
        print('seen', e)
""",
        """
with quiet(ZeroDivisionError) as q:
    1 / 0
try:
    with quiet(ZeroDivisionError):
        raise KeyError(3)
except KeyError:
    pass
else:
    assert False
import io, contextlib
s = io.StringIO()
with contextlib.redirect_stdout(s):
    with noted([]) as five:
        assert five == 5
        raise ValueError('bad')
assert s.getvalue() == 'seen bad\\n'
""",
    ),
    "error attributes": (
        """
class TooMuch(Exception):

    def __init__(self, have, want):
        self.have, self.want = (have, want)

    def __str__(self):
        return f'only {self.have} of {self.want}'

def pay(have, want):
    if want > have:
        raise TooMuch(have, want)
    return have - want
""",
        """
try:
    pay(1, 3)
except TooMuch as e:
    assert e.have == 1 and e.want == 3 and (str(e) == 'only 1 of 3')
else:
    assert False
""",
    ),
    "enum": (
        """
from enum import Enum

class Light(Enum):
    RED = 1
    GREEN = 2

    def next(self):
        return Light.GREEN if self is Light.RED else Light.RED

def flip(l):
    return l.next()
""",
        """
assert Light.RED.next() == Light.GREEN and Light.RED != Light.GREEN and Light(1) == Light.RED
assert flip(Light.GREEN) is Light.RED and Light['RED'] is Light.RED
assert Light.RED.name == 'RED' and len(list(Light)) == 2
""",
    ),
    "singleton": (
        """
class One:
    it = None

    def __new__(cls):
        if cls.it is None:
            cls.it = super().__new__(cls)
        return cls.it
""",
        """
assert One() is One()
""",
    ),
    "class attributes": (
        """
class C:
    count = 0

    def __init__(self):
        C.count += 1
""",
        """
C.count = 0
C()
C()
assert C.count == 2
""",
    ),
    "global state": (
        """
total = 0
log = []

def add(n):
    global total
    total += n
    log.append(n)
    return total
""",
        """
add(2)
add(3)
assert total == 5 and log == [2, 3]
""",
    ),
    "await": (
        """
import asyncio

async def double(x):
    await asyncio.sleep(0)
    return 2 * x
""",
        """
import asyncio
import inspect

async def main():
    return (await asyncio.gather(double(1), double(2)), await double(4))

def go():
    import threading
    out = []
    t = threading.Thread(target=lambda: out.append(asyncio.run(main())))
    t.start()
    t.join()
    return out[0]
assert go() == ([2, 4], 8)
""",
    ),
    "yield send": (
        """
def avg():
    n = t = 0
    x = None
    while True:
        x = (yield (t / n if n else None))
        t += x
        n += 1
""",
        """
g = avg()
next(g)
assert g.send(2) == 2 and g.send(4) == 3
g.close()
""",
    ),
    "named tuple": (
        """
from typing import NamedTuple

class P(NamedTuple):
    x: int
    y: int = 0

def mk(a):
    return P(a)
""",
        """
assert mk(2) == (2, 0) and P(1).x == 1 and (P(1, 2) == P(1, 2)) and (P(3)._replace(y=1) == (3, 1)) and (mk(2).x == 2)
""",
    ),
    "getitem slice": (
        """
class L:

    def __init__(self, *a):
        self.a = list(a)

    def __getitem__(self, i):
        return self.a[i]

    def __len__(self):
        return len(self.a)

    def __contains__(self, x):
        return x in self.a
""",
        """
l = L(1, 2, 3)
assert l[0] == 1 and l[1:] == [2, 3] and (l[-1] == 3) and (2 in l) and (len(l) == 3)
assert list(l) == [1, 2, 3] and list(reversed(l)) == [3, 2, 1]
""",
    ),
    "table of functions": (
        """
table = {'add': lambda a, b: a + b, 'neg': lambda a: -a}
ops = [abs, len]
""",
        """
assert table['add'](1, 2) == 3 and table['neg'](4) == -4 and (ops[0](-1) == 1)
""",
    ),
    "dict subclass": (
        """
class D(dict):

    def __missing__(self, k):
        return 0
""",
        """
d = D()
d['a'] += 1
assert d['a'] == 1 and d['b'] == 0 and ('b' not in d)
""",
    ),
    "descriptor/property set": (
        """
class T:

    def __init__(self, c):
        self.c = c

    @property
    def f(self):
        return self.c * 2

    @f.setter
    def f(self, v):
        if v < 0:
            raise ValueError('neg')
        self.c = v / 2
""",
        """
t = T(2)
t.f = 10
assert t.c == 5
try:
    t.f = -1
    assert False
except ValueError:
    pass
""",
    ),
    "abstract": (
        """
from abc import ABC, abstractmethod

class S(ABC):

    @abstractmethod
    def area(self):
        ...

class Q(S):

    def area(self):
        return 4
""",
        """
try:
    S()
except TypeError:
    pass
else:
    assert False
assert Q().area() == 4 and isinstance(Q(), S)
""",
    ),
    "del and format": (
        """
class M:

    def __init__(self):
        self.x = 1

    def __format__(self, s):
        return 'M' + s

    def __repr__(self):
        return 'M()'

    def __bool__(self):
        return False
""",
        """
m = M()
assert f'{m:>3}' == 'M>3' and repr(m) == 'M()' and (not m)
del m.x
assert not hasattr(m, 'x')
""",
    ),
    "list subclass": (
        """
class Stack(list):

    def push(self, x):
        self.append(x)
""",
        """
s = Stack()
s.push(1)
s.push(2)
assert s.pop() == 2 and len(s) == 1 and (s == [1]) and (s != [2])
""",
    ),
    "relies on another": (
        """
def squares(n):
    return [i ** 2 for i in range(1, n + 1)]

def sum_of_squares(n):
    return sum(squares(n))
""",
        """
orig_squares = squares
del squares
try:
    sum_of_squares(1)
except NameError:
    pass
else:
    raise AssertionError("sum_of_squares does not use squares")
finally:
    squares = orig_squares
assert sum_of_squares(3) == 14
""",
    ),
    "another one in its place": (
        """
def price(name):
    return {"tea": 2, "cake": 3}[name]

def bill(names):
    return sum(price(name) for name in names)
""",
        """
from unittest.mock import patch
with patch("__main__.price", return_value=10) as asked:
    assert bill(["tea", "tea"]) == 20
assert asked.call_count == 2 and asked.call_args.args == ("tea",)
assert bill(["tea", "cake"]) == 5
price_before, price = price, lambda name: 7
assert bill(["nothing"]) == 7
price = price_before
assert bill(["cake"]) == 3
""",
    ),
    "a value in the place of another": (
        """
rate = 0.5

def tax(x):
    return x * rate
""",
        """
assert tax(10) == 5
rate = 2
assert tax(10) == 20
rate = 0.5
assert tax(4) == 2
""",
    ),
    "asks": (
        """
def ask():
    return int(input("a number? ")) + int(input())
""",
        """
from unittest.mock import patch
with patch("builtins.input", side_effect=["3", "4"]) as asked:
    assert ask() == 7
assert asked.call_count == 2
""",
    ),
    "print replaced": (
        """
def greet():
    print("hi", end="!")
""",
        """
from unittest.mock import patch
with patch("builtins.print") as said:
    greet()
said.assert_called_once_with("hi", end="!")
""",
    ),
    "seeded": (
        """
import random

def rolls(n):
    return [random.randint(1, 6) for _ in range(n)]
""",
        """
import random
random.seed(7)
wanted = [random.randint(1, 6) for _ in range(5)]
random.seed(7)
assert rolls(5) == wanted
random.seed(7)
assert rolls(3) == wanted[:3] and rolls(2) == wanted[3:]
""",
    ),
    "seeded numpy": (
        """
import numpy as np

def noise(n):
    return np.random.normal(size=n)
""",
        """
import numpy as np
np.random.seed(1)
wanted = np.random.normal(size=4)
np.random.seed(1)
assert np.allclose(noise(4), wanted)
np.random.seed(1)
assert np.allclose(noise(4), wanted)
""",
    ),
    "generator handed over": (
        """
def draw(random):
    return random.randint(1, 1000)
""",
        """
from random import Random
a, b = Random(3), Random(3)
assert [draw(a) for _ in range(4)] == [b.randint(1, 1000) for _ in range(4)]
""",
    ),
    "numpy generator handed over": (
        """
def draw(rng, n):
    return rng.integers(0, 1000, size=n)
""",
        """
import numpy as np
a, b = np.random.default_rng(3), np.random.default_rng(3)
assert (draw(a, 4) == b.integers(0, 1000, size=4)).all()
assert (draw(a, 4) == b.integers(0, 1000, size=4)).all()
""",
    ),
    "looked into": (
        """
import math

def hypotenuse(a, b=1, *, digits: int = 3) -> float:
    \"\"\"Pythagoras.\"\"\"
    square = a * a + b * b
    return round(math.sqrt(square), digits)
""",
        """
import inspect, types
assert callable(hypotenuse) and isinstance(hypotenuse, types.FunctionType) and inspect.isfunction(hypotenuse)
assert list(inspect.signature(hypotenuse).parameters) == ["a", "b", "digits"]
assert inspect.signature(hypotenuse).parameters["b"].default == 1
assert inspect.getfullargspec(hypotenuse).args == ["a", "b"]
assert hypotenuse.__code__.co_argcount == 2 and hypotenuse.__defaults__ == (1,)
assert "sqrt" in hypotenuse.__code__.co_names and "square" in hypotenuse.__code__.co_varnames
source = inspect.getsource(hypotenuse)
assert source.startswith("def hypotenuse") and "**" not in source and source.endswith("digits)\\n")
assert hypotenuse.__name__ == "hypotenuse" and hypotenuse.__doc__ == "Pythagoras."
assert hypotenuse.__annotations__["return"] is float
""",
    ),
    "looked into without loops": (
        """
def total(xs):
    return xs[0] + total(xs[1:]) if xs else 0
""",
        """
import ast, inspect, textwrap
tree = ast.parse(textwrap.dedent(inspect.getsource(total)))
assert not any(isinstance(node, (ast.For, ast.While)) for node in ast.walk(tree))
assert total([1, 2, 3]) == 6
""",
    ),
    "looked into a class": (
        """
class Account:
    def __init__(self, owner, balance=0):
        self.owner, self.balance = owner, balance

    def deposit(self, amount):
        self.balance += amount
""",
        """
import inspect
assert inspect.isclass(Account) and isinstance(Account, type)
assert hasattr(Account, "deposit") and callable(getattr(Account, "deposit"))
assert list(inspect.signature(Account).parameters) == ["owner", "balance"]
assert issubclass(Account, object) and not issubclass(Account, dict)
assert Account.__name__ == "Account" and isinstance(Account("x"), Account)
""",
    ),
    "names there": (
        """
def f(x):
    return x

g = 3
""",
        """
assert "f" in globals() and "g" in dir() and "f" in locals()
""",
    ),
    "files": (
        """
def write(path):
    with open(path, "w") as file:
        file.write("7")

def read(path):
    with open(path) as file:
        return file.read()
""",
        """
write("it.txt")
assert read("it.txt") == "7"
""",
    ),
    "sorted by it": (
        """
def key(word):
    return len(word), word
""",
        """
assert sorted(["bb", "a", "ab"], key=key) == ["a", "ab", "bb"]
assert list(map(key, ["a"])) == [(1, "a")]
from functools import partial
assert partial(key, "abc")() == (3, "abc")
""",
    ),
}
