"""The definition of linearizability, tried out: every order of a few operations, and objects written down once more.

Source: M. Herlihy, J. Wing, ACM TOPLAS 12(3), 1990. Independent of the package but for Operation.
"""

from dataclasses import replace
from random import Random

from dslab.check.history import Operation

NEVER = float("inf")
BEGIN = {"register": None, "key-value": "", "mutex": "free", "set": (), "multi-register": {"x": None, "y": None}}


def apply(model, state, o):
    """(whether the object could have answered so, its state afterwards)."""
    known = o.status == "ok"
    if o.do in ("read", "get"):
        seen = sorted(o.result or ()) if model == "set" else o.result
        return (not known or seen == (sorted(state) if model == "set" else state)), state
    if o.do in ("write", "put"):
        return True, o.argument
    if o.do == "cas":
        holds = state == o.argument[0]
        if known and o.result is not holds:
            return False, state
        return True, o.argument[1] if holds else state
    if o.do == "append":
        return True, state + o.argument
    if o.do in ("acquire", "release"):
        return state == ("free" if o.do == "acquire" else "held"), "held" if o.do == "acquire" else "free"
    if o.do == "add":
        return True, (*[item for item in state if item != o.argument], o.argument)
    if o.do == "remove":
        return True, tuple(item for item in state if item != o.argument)
    state = dict(state)
    for do, key, value in o.result if known else o.argument:
        if do == "write":
            state[key] = value
        elif known and value is not None and state[key] != value:
            return False, state
    return True, state


def is_linearizable(operations, model):
    """Whether some order of all that was answered, and any of what is open, is one the object could have answered."""
    ends = [NEVER if o.completed is None else o.completed for o in operations]

    def search(left, state):
        if all(ends[i] == NEVER for i in left):
            return True
        first = min(ends[i] for i in left)
        for i in left:
            if operations[i].invoked <= first:
                fits, after = apply(model, state, operations[i])
                if fits and search(left - {i}, after):
                    return True
        return False

    return search(frozenset(i for i, o in enumerate(operations) if o.status != "failed"), BEGIN[model])


def until(operations, time):
    """What had been asked and answered by a time; what was answered later is open, though its answer is known."""
    return [o if o.completed is None or o.completed <= time else replace(o, completed=None)
            for o in operations if o.invoked <= time]


DOES = {"register": ["read", "read", "write", "cas"], "key-value": ["get", "get", "put", "append", "append"],
        "mutex": ["acquire", "release"], "set": ["read", "add", "add", "remove"], "multi-register": ["txn"]}


def some(model, random: Random, most=7):
    """A random history of up to `most` operations; about one in four is linearizable."""
    size, clients = random.randint(3, most), random.randint(2, 4)
    found, running, time = [], {}, 0
    while len(found) < size or running:
        client = random.randrange(clients)
        time += 1
        if client in running:
            i = running.pop(client)
            fate = random.random()
            if fate < 0.8:
                found[i] = replace(found[i], completed=time)
            else:
                status = "failed" if fate < 0.87 else "unknown"
                found[i] = replace(found[i], status=status, result=None)
        elif len(found) < size:
            running[client] = len(found)
            found.append(Operation(client, *_asked(model, random), time, None))
            if random.random() < 0.06:                    # it is never heard of again, and somebody else comes
                del running[client]
                found[-1] = replace(found[-1], status="unknown", result=None)
                clients += 1
    return found


def _asked(model, random):
    do = random.choice(DOES[model])
    argument = result = None
    if do == "read":
        result = random.choice([(), (1,), (2,), (1, 2)] if model == "set" else [None, 1, 2, 2, 1])
    elif do == "get":
        result = random.choice(["", "a", "b", "ab", "ba", "aa"])
    elif do in ("write", "add", "remove"):
        argument = random.randint(1, 2)
    elif do in ("put", "append"):
        argument = random.choice("ab")
    elif do == "cas":
        argument, result = (random.randint(1, 2), random.randint(1, 2)), random.random() < 0.5
    elif do == "txn":
        parts = [(random.choice(["read", "write"]), random.choice("xy"), random.choice([1, 2]))
                 for _ in range(random.randint(1, 2))]
        argument = tuple((do, key, None if do == "read" else value) for do, key, value in parts)
        result = tuple((do, key, random.choice([value, None]) if do == "read" else value) for do, key, value in parts)
    return do, None, argument, result
