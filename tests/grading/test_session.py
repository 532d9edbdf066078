"""Answers in a process of their own: what a check can do with them, and what they cannot do to it."""

from __future__ import annotations

import contextlib
import io
import random
import sys
import textwrap

import networkx
import numpy
import psutil
import pytest

from dslab.grading.connection import AnswerError, StudentGone
from dslab.grading.names import defined_classes
from dslab.grading.session import Session


@pytest.fixture(scope="module")
def bench():
    """One zygote for all."""
    session = Session()
    yield session
    session.end()


@pytest.fixture
def given(bench):
    """given(answer, names...) runs an answer and returns its names, in the order of the alphabet."""
    bench.open(imports=["import numpy", "import networkx"], seconds=2)
    before = dict(bench.names)

    def answer(text, *names, setup="", classes=True):
        if setup:
            bench.setup("setup", setup)
            exec(setup, bench.names)
        text = textwrap.dedent(text)
        bench.answer(f"cell-{len(bench.cells)}", text, names=names, classes=defined_classes(text) if classes else ())
        found = [bench.names[name] for name in names]
        bench.check("check")
        return found[0] if len(found) == 1 else found

    yield answer
    bench.close()
    for name in set(bench.names) - set(before):
        del bench.names[name]


def test_functions_take_and_give_plain_values(given):
    """By value, in both directions, with keywords."""
    f = given("def f(a, *more, key=0, **rest):\n    return [a, more, key, rest]", "f")
    assert f(1, {2}, key=numpy.int64(3), z=(4,)) == [1, ({2},), 3, {"z": (4,)}]
    assert f.__name__ == "f" and callable(f)


def test_an_argument_that_is_changed_stays_what_it_was_here(given):
    """Lists, arrays and graphs."""
    f = given("def f(a, b, c):\n    a.append(1)\n    b[0] = 9\n    c.add_node(3)\n    return len(a), b[0], len(c)", "f")
    numbers, array, graph = [0], numpy.zeros(2), networkx.Graph([(1, 2)])
    assert f(numbers, array, graph) == (2, 9, 3)
    assert numbers == [0] and array[0] == 0 and 3 not in graph


LIARS = """
class Liar({base}):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return hash(9)
    def __bool__(self): return True
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __contains__ = __lt__
    def __sub__(self, other): return 0
    __rsub__ = __add__ = __radd__ = __mul__ = __sub__
    def __abs__(self): return 0
    def __round__(self, n=0): return self
    def __len__(self): return 3
    def __instancecheck__(cls, other): return True
    @property
    def __class__(self): return int
def f(x=0): return Liar({value})
"""


@pytest.mark.parametrize(
    ("base", "value"),
    [
        ("object", ""),
        ("int", "7"),
        ("str", "'7'"),
        ("list", "[7]"),
        ("dict", "{7: 7}"),
        ("float", "7.0"),
        ("tuple", "(7,)"),
    ],
)
def test_an_object_that_lies_is_equal_to_nothing(given, base, value):
    """Not to the wanted value, from neither side, not in a container, not by a tolerance."""
    f = given(LIARS.format(base=base, value=value), "f")
    for wanted in (9, "9", [9], {9: 9}, (9,), None, 9.5):
        assert (f(1) == wanted) is False and (wanted == f(1)) is False and f(1) not in [wanted]
        assert f(1) != wanted and wanted != f(1)
    with pytest.raises((TypeError, AssertionError)):
        assert abs(f(1) - 9) < 1e-9
    with pytest.raises((TypeError, AssertionError)):
        assert f(1) < 5 and base != "object"
        raise AssertionError
    assert type(f(1)).__name__ in ("RemoteObject", base)


def test_a_wanted_value_never_reaches_the_answer(given, bench):
    """An object that came back from a function is not asked whether it equals something."""
    f, seen = given(
        """
        heard = []
        class Ear:
            def __eq__(self, other): heard.append(other); return True
            __contains__ = __lt__ = __gt__ = __sub__ = __rsub__ = __eq__
            def __hash__(self): return 1
        def f(): return Ear()
        def seen(): return heard
        """,
        "f", "seen",
    )  # fmt: skip
    secret = 58210937
    assert f() != secret and secret != f() and f() not in {secret: 1}
    for attempt in (lambda: f() < secret, lambda: secret in f(), lambda: secret - f()):
        with pytest.raises(TypeError):
            attempt()
    assert seen() == []


def test_classes_and_their_objects(given):
    """Attributes, methods, operators of objects that the check made; identity of those that come back."""
    stack = given(
        """
        class Stack:
            size = 0
            def __init__(self, items=()): self.items = list(items)
            def push(self, x): self.items.append(x); return self
            def __len__(self): return len(self.items)
            def __getitem__(self, i): return self.items[i]
            def __eq__(self, other): return isinstance(other, Stack) and self.items == other.items
            def __add__(self, other): return Stack(self.items + other.items)
            def __contains__(self, x): return x in self.items
            def __enter__(self): return self
            def __exit__(self, *about): self.items.clear()
        """,
        "Stack",
    )
    one = stack([1])
    assert one.push(2) is not None and one.push(3) == one
    assert len(one) == 3 and one[1] == 2 and 3 in one and list(one) == [1, 2, 3] and one.items == [1, 2, 3]
    assert stack([1]) == stack([1]) and stack([1]) != stack([2]) and (stack([1]) + stack([2])).items == [1, 2]
    assert isinstance(one, stack) and not isinstance(5, stack)
    one.size = 7
    assert one.size == 7 and stack.size == 0
    with one as same:
        assert same == one
    assert one.items == []
    with pytest.raises(AttributeError):
        _ = one.nothing
    with pytest.raises(TypeError):
        stack(1, 2, 3)


def test_a_class_where_a_function_is_wanted_decides_nothing(given):
    """Its objects are results: they are not asked whether they are equal to what is wanted."""
    text = """
        told = []
        class f:
            def __init__(self, *a): pass
            def __eq__(self, other): told.append(other); return True
            __radd__ = __rsub__ = __lt__ = __contains__ = __eq__
            def __iter__(self): return iter([1])
        def seen(): return told
        """
    f, seen = given(text, "f", "seen", classes=False)
    assert f(2) != 58210937 and f(2) != f(2)
    with pytest.raises(TypeError):
        assert f(2) < 58210937
    assert list(f(2)) == [1] and seen() == []


def test_an_object_is_equal_to_no_plain_value(given):
    """Also where a class is wanted: the plain value would tell what is expected."""
    f, seen = given(
        """
        told = []
        class F:
            def __eq__(self, other): told.append(other); return True
        def seen(): return len(told)
        """,
        "F", "seen",
    )  # fmt: skip
    assert f() != 5 and f() == f() and seen() == 1


def test_generators_closures_and_callables(given):
    """What is iterated or called once more."""
    count, adder, part = given(
        """
        import functools
        def count(n):
            yield from range(n)
        def adder(n):
            return lambda x: x + n
        part = functools.partial(pow, 2)
        """,
        "count", "adder", "part",
    )  # fmt: skip
    assert list(count(4)) == [0, 1, 2, 3] and adder(3)(4) == 7 and part(5) == 32


def test_callbacks_run_here(given):
    """And their exceptions pass through."""
    apply = given("def apply(f, xs):\n    return [f(x) for x in xs]", "apply")
    assert apply(lambda x: x * 10, [1, 2]) == [10, 20] and apply(len, ["ab"]) == [2] and apply(int, ["3"]) == [3]
    with pytest.raises(ZeroDivisionError):
        apply(lambda x: 1 / x, [0])
    assert apply(lambda n: apply(lambda m: m + 1, [n])[0], [1, 2]) == [2, 3]


SETUP = """
import enum
from collections import namedtuple
from dataclasses import dataclass
Point = namedtuple("Point", "x y")
class Colour(enum.Enum):
    RED = 1
@dataclass
class Tree:
    value: int
    left: object = None
    def total(self): return self.value + (self.left.total() if self.left else 0)
class Empty(Exception): pass
"""


def test_objects_of_set_up_classes_cross_by_value(given, bench):
    """Both sides have the class; the answer's object becomes one of ours, whose methods are ours."""
    grow, flip, colour, fail = given(
        """
        def grow(tree): return Tree(tree.value + 1, tree)
        def flip(p): return Point(p.y, p.x)
        def colour(): return Colour.RED
        def fail(): raise Empty("nothing left")
        """,
        "grow", "flip", "colour", "fail", setup=SETUP,
    )  # fmt: skip
    names = bench.names
    tree = grow(names["Tree"](1))
    assert type(tree) is names["Tree"] and tree == names["Tree"](2, names["Tree"](1)) and tree.total() == 3
    assert flip(names["Point"](1, 2)) == names["Point"](2, 1) and colour() is names["Colour"].RED
    with pytest.raises(names["Empty"], match="nothing left"):
        fail()


def test_a_forged_object_of_a_set_up_class_cannot_bring_methods(given, bench):
    """Attributes that hide a method of the class are refused."""
    f = given("def f():\n    t = Tree(1)\n    t.total = lambda: 99\n    return t", "f", setup=SETUP)
    with pytest.raises(StudentGone):
        f()


def test_exceptions_arrive_as_their_namesakes(given):
    """With line and text; what is no exception of this side is told, not raised."""
    f = given(
        """
        class Mine(ValueError): pass
        def f(n):
            if n == 0: raise KeyError("a")
            if n == 1: raise Mine("mine")
            if n == 2: raise SystemExit(3)
            if n == 3: raise KeyboardInterrupt
            if n == 4: return 1 / 0
            if n == 5: return undefined
            if n == 6: return {}["x"]
        """,
        "f",
    )
    for n, kind in enumerate((KeyError, ValueError, AnswerError, AnswerError, ZeroDivisionError, NameError, KeyError)):
        with pytest.raises(kind) as caught:
            f(n)
        assert caught.value.answer_line[0] == n + 4
    with pytest.raises(AnswerError, match="SystemExit: 3"):
        f(2)


def test_an_answer_gives_only_the_names_that_are_asked_for(given, bench):
    """It cannot put its own in the place of what the checks use."""
    bench.names["equal"] = equal = object()
    given("equal = print = assert_ = lambda *a: True\ndef f(): return 1", "f")
    assert bench.names["equal"] is equal and "assert_" not in bench.names
    with contextlib.suppress(KeyError):
        assert bench.names["print"] is print
    del bench.names["equal"]


def test_a_name_that_is_missing_says_so_whatever_is_done_with_it(given):
    """Also where a built-in function has the same name."""
    top = given("def other(): pass", "max")
    uses = [
        lambda: top([1, 2]), lambda: top == 2, lambda: list(top), lambda: top.x, lambda: top[0],
        lambda: bool(top), lambda: top + 1, lambda: top < 3, lambda: f"{top}", lambda: hash(top),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(NameError, match="the answer does not define it"):
            use()


@pytest.mark.parametrize("deed", ["os._exit(0)", "os.abort()", "ctypes.string_at(0)", "os.close(%d)"])
def test_a_process_that_ends_is_replaced(given, bench, deed):
    """The check that saw it fails; the next one has the answers again."""
    for descriptor in range(3, 12) if "%d" in deed else [0]:
        fall, add = given(
            f"import os, ctypes\ndef fall(): {deed.replace('%d', str(descriptor))}\ndef add(a, b): return a + b",
            "fall", "add",
        )  # fmt: skip
        with contextlib.suppress(StudentGone, OSError):
            fall()
        if bench.gone:
            assert bench.gone == "crashed"
            with pytest.raises(StudentGone):
                bench.checked()
        bench.check("next")
        assert add(1, 2) == 3
        bench.checked()


ENDLESS = [
    "while True: pass", "import time; time.sleep(100)", "import threading; threading.Event().wait()",
    "return loop()", "import re; re.match('(a+)+$', 'a' * 99 + 'b')",
]  # fmt: skip


@pytest.mark.parametrize("deed", ENDLESS)
def test_time_is_limited(given, bench, deed):
    """Computing, sleeping and waiting; the next check goes on."""
    bench.seconds = 0.5
    loop, add = given(f"def loop():\n    {deed}\ndef add(a, b): return a + b", "loop", "add")
    with pytest.raises((StudentGone, RecursionError)):
        loop()
    if "loop()" not in deed:
        assert bench.gone == "timeout"
    bench.check("next")
    assert add(1, 2) == 3


def test_a_hand_in_has_a_budget(given, bench):
    """After so many endless checks nothing more is tried."""
    bench.seconds, bench._budget = 0.2, 0.5
    loop = given("def loop():\n    while True: pass", "loop")
    for _ in range(4):
        bench.check("one")
        with pytest.raises(StudentGone):
            loop()
    assert bench._all_used < 2


def test_memory_is_limited_and_can_be_told(given):
    """A MemoryError like any other exception."""
    hog, add = given("def hog(): return len(bytearray(10**10))\ndef add(a, b): return a + b", "hog", "add")
    with pytest.raises(MemoryError):
        hog()
    assert add(1, 2) == 3


FORGERIES = [
    'b"\\x00\\x00\\x00\\x05[1,2]"', 'b"\\xff\\xff\\xff\\xff" * 50', 'b"\\x00\\x00\\x00\\x02{}"', 'b"x" * 10**6',
    'b"\\x00\\x00\\x00\\x16" + b\'["value",9,"","",["a"]]\'', 'b"\\x00\\x00\\x00\\x16" + b\'["callback",0,[],{}]  \'',
]  # fmt: skip


@pytest.mark.parametrize("forged", FORGERIES)
def test_bytes_written_into_the_channel_are_at_best_a_wrong_value(given, bench, forged):
    """Neither a forged reply nor garbage gets the grader to do anything."""
    f = given(
        f"import os\ndef f():\n    for d in range(3, 40):\n        try: os.write(d, {forged})\n"
        "        except OSError: pass\n    return 5",
        "f",
    )
    with contextlib.suppress(StudentGone):
        assert f() != 9
    bench.check("next")
    with contextlib.suppress(StudentGone):
        assert f() != 9


def test_what_an_answer_prints_is_printed_here_and_bounded(given):
    """So a check can look at it; a flood is cut."""
    talk = given("def talk(n):\n    print('x' * n, end='')", "talk")
    for n, length in ((5, 5), (10**7, 20_000)):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            talk(n)
        assert len(out.getvalue()) == length


def test_magics_do_nothing_and_programs_do_not_start(given):
    """A notebook's usual lines are no reason to fail."""
    assert given("%matplotlib inline\nx = 5", "x") == 5
    assert given("%%time\ny = 6", "y") == 6
    assert given("!ls\nz = !ls\nw = 7", "w") == 7


def test_hidden_checks_have_a_process_of_their_own(given, bench):
    """What they hand over cannot be told in a visible check."""
    keep, told = given("heard = []\ndef keep(x):\n    heard.append(x)\ndef told():\n    return heard", "keep", "told")
    bench.check("hidden", hidden=True)
    keep(58210937)
    assert told() == [58210937]
    bench.check("visible")
    assert told() == []


def test_variables_are_those_of_the_process_that_a_check_uses(given, bench):
    """Read anew after each call; what a hidden check did to them is not seen by the next visible one."""
    add, _ = given("total = 0\ndef add(n):\n    global total\n    total += n\n    return total", "add", "total")
    assert (add(2), bench.names["total"]) == (2, 2)
    bench.check("hidden", hidden=True)
    assert (bench.names["total"], add(58), bench.names["total"]) == (0, 58, 58)
    bench.check("visible")
    assert bench.names["total"] == 2


def test_what_an_object_holds_decides_what_it_is_equal_to(given):
    """A class derived from a plain one: the value inside, whatever its methods say; and never a wanted value's copy."""
    lie = given("""
        class Lie(int):
            def __int__(self): return 8
            __index__ = __int__
            def __eq__(self, other): return True
        kept = Lie(3)
        def lie(): return kept
    """, "lie")
    assert lie() == 3 and lie() != 8


def test_nothing_is_left(bench, tmp_path, monkeypatch):
    """No process and no folder, also after an answer that tried."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    session = Session()
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    session.open(seconds=2)
    with contextlib.suppress(Exception, StudentGone):
        session.answer("a", "import os\nopen('x', 'w').write('x' * 1000)\nos.fork()", names=())
    assert {child.pid for child in psutil.Process().children(recursive=True)} - before
    session.end()
    assert not {child.pid for child in psutil.Process().children(recursive=True)} - before
    assert list(tmp_path.iterdir()) == []


BOMBS = [
    "import os, threading\nthreading.Timer(0.05, os._exit, (0,)).start()",
    "import threading\ndef burn():\n    while True: pass\nthreading.Thread(target=burn, daemon=True).start()",
    "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.05)",
    "import signal\nsignal.alarm(1)",
    "import os\nfor d in range(3, 30):\n    try: os.write(d, b'xxxxxxxxxxxx')\n    except OSError: pass",
]


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("where", ["in the cell", "in the function"])
def test_what_an_answer_leaves_running_does_not_reach_the_next_exercise(given, bench, bomb, where):
    """Timers, threads and bytes in the channel end with their own exercise."""
    bench.seconds = 1.0
    body = bomb if where == "in the cell" else "def bomb():\n" + textwrap.indent(bomb, "    ")
    with contextlib.suppress(Exception, StudentGone):
        given(f"{body}\ndef first(): return 1", "first", "bomb")
    with contextlib.suppress(Exception, StudentGone):
        bench.names["bomb"]()
    add = given("def add(a, b):\n    total = 0\n    for _ in range(10**6): total += 1\n    return a + b", "add")
    for _ in range(4):
        bench.check("next")
        assert add(1, 2) == 3
        bench.checked()


def test_endless_iteration_is_limited_too(given, bench):
    """Each step is short; all of them together are not."""
    bench.seconds = 0.3
    count = given("import itertools\ndef count():\n    return (x for x in itertools.count())", "count")
    with pytest.raises(StudentGone):
        for _ in count():
            pass
    assert bench.gone == "timeout"


def test_an_object_of_a_check_s_own_class_does_not_cross(given, bench):
    """The answer's side has only the classes of set-up cells; the check is told, and goes on."""
    f = given("def f(x): return x", "f", setup=SETUP)
    exec("class Probe: pass\nclass Colour2: pass", bench.names)
    for value in (bench.names["Probe"](), Session):
        with pytest.raises(TypeError, match="cannot cross"):
            f(value)
    given("def g(x): return x", "g")
    with pytest.raises(TypeError, match="cannot cross"):
        f(bench.names["Probe"]())
    assert f(bench.names["Point"](1, 2)) == (1, 2)


ROOM = "place = 'here'\ndef where(): return place\ndef told(): return where()"


def test_what_a_hidden_check_leaves_behind_does_not_reach_visible_ones(given, bench):
    """Neither a value in the place of another nor a seed."""
    where, told = given(ROOM, "where", "told")
    bench.replaced.give("place", "here")
    bench.check("hidden", hidden=True)
    bench.names["place"] = "the secret"
    assert where() == "the secret"
    bench.check("visible")
    assert where() == "here" and "secret" not in str(bench.connections["visible"].replaced)
    bench.names["place"] = "there"
    assert where() == "there"
    bench.names["where"] = lambda: "nowhere"
    assert told() == "nowhere"
    bench.names["where"] = where
    assert told() == "there"


def test_a_hidden_check_before_the_next_answer_is_kept_back_too(given, bench):
    """The answer in between makes it no visible one."""
    where, _ = given(ROOM, "where", "told")
    bench.replaced.give("place", "here")
    bench.check("hidden", hidden=True)
    bench.names["place"] = "the secret"
    given("def other(): return 1", "other")
    assert where() == "here"


def test_what_cannot_cross_in_the_place_of_a_name_does_no_harm(given, bench):
    """A check may use a name of the answer's for anything of its own; also an object whose process is gone."""
    where, told, thing, end = given(
        ROOM + "\nimport os\nclass Thing: pass\ndef end(): os._exit(1)", "where", "told", "Thing", "end"
    )
    for other in (object(), bytes(200_000), sys):
        bench.names["where"] = other
        assert told() == "here"
    bench.names["where"] = kept = thing()
    with pytest.raises(TypeError, match="not callable"):
        told()
    with pytest.raises(StudentGone):
        end()
    bench.check("next")
    assert bench.names["where"] is kept and told() == "here"
    bench.names["where"] = where
    assert told() == "here"
    bench.checked()


def test_a_name_that_a_check_has_deleted_is_there_again_in_a_new_process(given, bench):
    """What is replaced is told to each process."""
    where, told = given(ROOM, "where", "told")
    del bench.names["where"]
    with pytest.raises(NameError):
        told()
    bench.close()
    with pytest.raises(NameError):
        told()
    bench.names["where"] = where
    assert told() == "here"


def test_a_generator_goes_on_from_call_to_call(given):
    """And is set anew when the check draws from its own; what the answer draws does not come back."""
    draw = given("def draw(r): return r.random()", "draw")
    mine, same = random.Random(4), random.Random(4)
    first, second = same.random(), same.random()
    assert [draw(mine), draw(mine)] == [first, second]
    assert mine.random() == first and draw(mine) == second
    with pytest.raises(TypeError, match="SystemRandom"):
        draw(random.SystemRandom())


def test_seeding_is_left_as_it_was(bench):
    """Another session, or none, finds the modules of before."""
    bench.check("check")
    assert hasattr(random.seed, "calls")
    bench.replaced.end()
    assert random.seed == random._inst.seed
