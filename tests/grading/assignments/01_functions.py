# %% [markdown] name="functions-title"
# # Functions
#
# Every kind of answer that is no protocol, and every kind of value that goes in or comes out.

# %% name="functions-setup"
import networkx as nx
import numpy as np

LIMIT = 40


class Overdrawn(Exception):
    """An account has less than was asked for."""


def equal(got, wanted):
    assert got == wanted, f"wanted {wanted!r} and got {got!r}"


# %% name="blend-exercise" tags=["exercise"] points=2
def blend(a, b):
    """Three parts of a and two of b."""
    ### BEGIN SOLUTION
    return 3 * a + 2 * b
    ### END SOLUTION

# %% name="blend-mutant-swapped" tags=["mutant"] property="blend-check"
def blend(a, b):
    return 2 * a + 3 * b

# %% name="blend-mutant-small" tags=["mutant"] property="blend-hidden"
def blend(a, b):
    return 3 * a + 2 * b if a < 1_000 else 0

# %% name="blend-check" tags=["check"] points=1 title="Blends small numbers"
equal(blend(2, 1), 8)
equal(blend(0.5, 0), 1.5)

# %% name="blend-hidden" tags=["hidden"] points=1 title="Blends other numbers"
equal(blend(58210937, 40961083), 256554977)

# %% name="groups-exercise" tags=["exercise"] points=2
def groups(words):
    """The set of words of each length, by length."""
    ### BEGIN SOLUTION
    out = {}
    for word in words:
        out.setdefault(len(word), set()).add(word)
    return out
    ### END SOLUTION

# %% name="groups-mutant-lists" tags=["mutant"] property="groups-check"
def groups(words):
    return {len(one): [word for word in words if len(word) == len(one)] for one in words}

# %% name="groups-mutant-last" tags=["mutant"] property="groups-check"
def groups(words):
    return {len(word): {word} for word in words}

# %% name="groups-check" tags=["check"] points=1 title="Groups words"
equal(groups(["a", "be", "is", "a"]), {1: {"a"}, 2: {"be", "is"}})
equal(groups([]), {})

# %% name="groups-hidden" tags=["hidden"] points=1 title="Groups other words"
equal(groups(("zyxomma", "quagga", "wombat")), {7: {"zyxomma"}, 6: {"quagga", "wombat"}})

# %% name="smooth-exercise" tags=["exercise"] points=2
def smooth(x):
    """The mean of each two neighbours in an array of n numbers; n - 1 numbers."""
    ### BEGIN SOLUTION
    return (x[1:] + x[:-1]) / 2
    ### END SOLUTION

# %% name="smooth-mutant-same-length" tags=["mutant"] property="smooth-check"
def smooth(x):
    return (x + np.roll(x, 1)) / 2

# %% name="smooth-mutant-in-place" tags=["mutant"] property="smooth-check"
def smooth(x):
    x[1:] += x[:-1]
    return x[1:]

# %% name="smooth-check" tags=["check"] points=1 title="Smooths a few numbers"
numbers = np.array([1.0, 3.0, 5.0, 1.0])
np.testing.assert_allclose(smooth(numbers), [2.0, 4.0, 3.0])
equal(numbers.tolist(), [1.0, 3.0, 5.0, 1.0])

# %% name="smooth-hidden" tags=["hidden"] points=1 title="Smooths a thousand numbers"
numbers = np.random.default_rng(731946).normal(size=1000)
got = smooth(numbers)
assert got.shape == (999,)
np.testing.assert_allclose(got.sum(), numbers.sum() - (numbers[0] + numbers[-1]) / 2)

# %% name="reach-exercise" tags=["exercise"] points=2
def reach(graph, start):
    """What can be reached from a node, as a graph."""
    ### BEGIN SOLUTION
    return graph.subgraph({start} | nx.descendants(graph, start)).copy()
    ### END SOLUTION

# %% name="reach-mutant-neighbours" tags=["mutant"] property="reach-check"
def reach(graph, start):
    return graph.subgraph([start, *graph[start]]).copy()

# %% name="reach-mutant-nodes" tags=["mutant"] property="reach-check"
def reach(graph, start):
    return {start} | nx.descendants(graph, start)

# %% name="reach-check" tags=["check"] points=1 title="Finds what can be reached"
found = reach(nx.DiGraph([("a", "b"), ("b", "c"), ("d", "a")]), "a")
equal(set(found.nodes), {"a", "b", "c"})
equal(set(found.edges), {("a", "b"), ("b", "c")})

# %% name="reach-hidden" tags=["hidden"] points=1 title="Finds it in a larger graph"
roads = nx.DiGraph()
roads.add_weighted_edges_from([(n, (7 * n + 3) % 613, n / 8) for n in range(613)])
found = reach(roads, 407)
equal(sorted(found.nodes), sorted({407} | nx.descendants(roads, 407)))
equal(found.edges[407, 400]["weight"], 50.875)

# %% name="times-exercise" tags=["exercise"] points=2
def times(function, n, x):
    """function(function(... x)), n times."""
    ### BEGIN SOLUTION
    for _ in range(n):
        x = function(x)
    return x
    ### END SOLUTION

# %% name="times-mutant-once" tags=["mutant"] property="times-check"
def times(function, n, x):
    return function(x)

# %% name="times-mutant-product" tags=["mutant"] property="times-check"
def times(function, n, x):
    return n * function(x)

# %% name="times-check" tags=["check"] points=2 title="Calls a function again and again"
calls = []


def double(x):
    calls.append(x)
    return 2 * x


equal(times(double, 5, 1), 32)
equal(calls, [1, 2, 4, 8, 16])
equal(times(lambda text: text + "!", 2, "go"), "go!!")
equal(times(double, 0, "x"), "x")

# %% name="evens-exercise" tags=["exercise"] points=2
def evens(n):
    """The even numbers from 0 to below n, in order; anything that list() takes."""
    ### BEGIN SOLUTION
    return range(0, n, 2)
    ### END SOLUTION

# %% name="evens-mutant-odd" tags=["mutant"] property="evens-check"
def evens(n):
    return list(range(1, n, 2))

# %% name="evens-mutant-too-far" tags=["mutant"] property="evens-hidden"
def evens(n):
    return [i for i in range(n + 1) if i % 2 == 0]

# %% name="evens-check" tags=["check"] points=1 title="Lists even numbers"
equal(list(evens(7)), [0, 2, 4, 6])

# %% name="evens-hidden" tags=["hidden"] points=1 title="Lists more even numbers"
equal(sum(evens(17306)), 74865756)
equal(list(evens(17306))[-1], 17304)

# %% name="digits-exercise" tags=["exercise"] points=2
def digits(text):
    """The sum of the decimal digits in a text that has nothing else.

    Raises:
        ValueError: it has something else.
    """
    ### BEGIN SOLUTION
    if not text.isdecimal():
        raise ValueError(f"{text!r} is no number")
    return sum(map(int, text))
    ### END SOLUTION

# %% name="digits-mutant-silent" tags=["mutant"] property="digits-check"
def digits(text):
    return sum(int(sign) for sign in text if sign.isdecimal())

# %% name="digits-mutant-type" tags=["mutant"] property="digits-check"
def digits(text):
    if not text.isdecimal():
        raise TypeError(text)
    return sum(map(int, text))

# %% name="digits-check" tags=["check"] points=1 title="Adds digits, and refuses what is none"
equal(digits("2026"), 10)
try:
    digits("20x6")
except ValueError:
    pass
else:
    raise AssertionError("'20x6' is no number, so digits must raise ValueError")

# %% name="digits-hidden" tags=["hidden"] points=1 title="Adds the digits of other texts"
equal(digits("94017362285519048"), 74)

# %% name="account-exercise" tags=["exercise"] points=2
### BEGIN SOLUTION
class Refused(Exception):
    """No deposit is negative."""


class Account:
    """Money that can be paid in and taken out."""

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance
        self.history = []

    def deposit(self, amount):
        if amount < 0:
            raise Refused(amount)
        self.balance += amount
        self.history.append(amount)
        return self

    def withdraw(self, amount):
        if amount > self.balance:
            raise Overdrawn(f"{self.owner} has only {self.balance}")
        self.balance -= amount
        self.history.append(-amount)
        return amount
### STUB class Refused(Exception):
### STUB     """No deposit is negative."""
### STUB
### STUB
### STUB class Account:
### STUB     """Write __init__(owner, balance=0), deposit(amount), withdraw(amount), and keep a history."""
### END SOLUTION

# %% name="account-mutant-debt" tags=["mutant"] property="account-check"
class Refused(Exception):
    pass


class Account:
    def __init__(self, owner, balance=0):
        self.owner, self.balance, self.history = owner, balance, []

    def deposit(self, amount):
        if amount < 0:
            raise Refused(amount)
        self.balance += amount
        self.history.append(amount)
        return self

    def withdraw(self, amount):
        self.balance -= amount
        self.history.append(-amount)
        return amount

# %% name="account-mutant-shared" tags=["mutant"] property="account-hidden"
class Refused(Exception):
    pass


class Account:
    history = []

    def __init__(self, owner, balance=0):
        self.owner, self.balance = owner, balance

    def deposit(self, amount):
        if amount < 0:
            raise Refused(amount)
        self.balance += amount
        self.history.append(amount)
        return self

    def withdraw(self, amount):
        if amount > self.balance:
            raise Overdrawn(self.owner)
        self.balance -= amount
        self.history.append(-amount)
        return amount

# %% name="account-check" tags=["check"] points=1 title="Pays in and out"
purse = Account("anna", balance=10)
equal(purse.deposit(5).balance, 15)
equal(purse.withdraw(12), 12)
equal(purse.history, [5, -12])
try:
    purse.withdraw(4)
except Overdrawn:
    equal(purse.balance, 3)
else:
    raise AssertionError("3 is all there is, so withdraw(4) must raise Overdrawn")
try:
    purse.deposit(-1)
except Refused:
    pass
else:
    raise AssertionError("deposit(-1) must raise Refused")

# %% name="account-hidden" tags=["hidden"] points=1 title="Keeps two accounts apart"
one, two = Account("ben", balance=70926814), Account("cleo")
one.deposit(1)
equal((one.balance, one.history, two.balance, two.history), (70926815, [1], 0, []))

# %% name="facts-exercise" tags=["exercise"] points=2
answer = ...  # six times seven
motto = """
"""  # the three words that begin with "divide"
### BEGIN SOLUTION
answer = 42
motto = "Divide and conquer"
### STUB
### END SOLUTION

# %% name="facts-mutant-number" tags=["mutant"] property="facts-number"
answer = 54
motto = "Divide and conquer"

# %% name="facts-mutant-motto" tags=["mutant"] property="facts-motto"
answer = 42
motto = "Divide and rule"

# %% name="facts-number" tags=["check"] points=1 title="Six times seven"
equal(answer, 42)

# %% name="facts-motto" tags=["check"] points=1 title="The motto"
assert motto.strip().lower().rstrip(".") == "divide and conquer", f"the motto is not {motto}"
