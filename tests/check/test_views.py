"""Sequential, causal and the session guarantees against their definitions, written down as plainly as possible."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations, permutations, product

import pytest

from dslab.check import sequential, views
from dslab.check.history import HistoryError, Operation, check_history
from dslab.check.models import MODELS

KEPT = {"read your writes": ("rw", "wr"), "monotonic reads": ("rw", "rr"), "monotonic writes": ("rw", "ww"),
        "writes follow reads": ("rw",), "pram": ("rw", "wr", "rr", "ww"), "causal": ("rw", "wr", "rr", "ww")}
ALL = " + ".join(list(KEPT)[:4])


def before(operations, a, b):
    return operations[a].process == operations[b].process and a < b and operations[a].status == "ok"


def told(operations):
    """What took effect: all that was answered, and any of the writes that were not."""
    sure = [i for i, one in enumerate(operations) if one.status == "ok"]
    unsure = [i for i, one in enumerate(operations) if one.status == "unknown" and one.do != "read"]
    for size in range(len(unsure) + 1):
        for more in combinations(unsure, size):
            yield sorted([*sure, *more])


def kind(one):
    return "r" if one.do == "read" or one.result is False else "w" if one.do == "write" else "rw"


def legal(operations, line, sources=None, whose=None):
    """Whether the reads (of one process, or all) in a line see the last write before them, and it is their source."""
    state, source = {}, {}
    for i in line:
        one = operations[i]
        if "r" in kind(one) and (whose is None or one.process == whose):
            seen = state.get(one.key)
            fits = seen == one.result if one.do == "read" else (seen == one.argument[0]) is (one.result is not False)
            if not fits or (sources is not None and sources[i] != source.get(one.key)):
                return False
        if "w" in kind(one):
            state[one.key] = one.argument if one.do == "write" else one.argument[1]
            source[one.key] = i
    return True


def sequential_by_definition(operations):
    return any(all(line.index(a) < line.index(b) for a in line for b in line if before(operations, a, b))
               and legal(operations, line) for those in told(operations) for line in permutations(those))


def closed(pairs):
    pairs = set(pairs)
    while more := {(a, d) for a, b in pairs for c, d in pairs if b == c} - pairs:
        pairs |= more
    return pairs


def views_by_definition(operations, name):
    for those in told(operations):
        readers = [i for i in those if "r" in kind(operations[i])]
        options = [[None, *[w for w in those if w != r and "w" in kind(operations[w])
                            and operations[w].key == operations[r].key]] for r in readers]
        for chosen in product(*options):
            sources = dict(zip(readers, chosen, strict=True))
            if all(_has_view(operations, those, sources, process, name)
                   for process in {operations[i].process for i in those}):
                return True
    return False


def _has_view(operations, those, sources, process, name):
    read_from = [(w, r) for r, w in sources.items() if w is not None]
    everywhere = set()
    if name == "causal":
        everywhere = closed([*[(a, b) for a in those for b in those if before(operations, a, b)], *read_from])
    elif name in ("monotonic writes", "pram"):
        everywhere = {(a, b) for a in those for b in those if before(operations, a, b)
                      and "w" in kind(operations[a]) and "w" in kind(operations[b])}
    elif name == "writes follow reads":
        everywhere = {(w, b) for w, r in read_from for b in those
                      if (before(operations, r, b) or r == b) and "w" in kind(operations[b]) and b != w}
    if any(a == b for a, b in everywhere):
        return False
    members = [i for i in those if "w" in kind(operations[i]) or operations[i].process == process]
    own = {(a, b) for a in members for b in members if before(operations, a, b) and operations[a].process == process
           and any(x + y in KEPT[name] for x in kind(operations[a]) for y in kind(operations[b]))}
    kept = {(a, b) for a, b in everywhere | own if a in members and b in members}
    return any(all(line.index(a) < line.index(b) for a, b in kept) and legal(operations, line, sources, process)
               for line in permutations(members))


def history(rng, size, values, cas=False):
    """Reads and writes of few processes on two registers, some never answered; most reads show what somebody wrote."""
    found = []
    for n in range(size):
        key, value, do = rng.choice("xy"), rng.randint(1, values), rng.choice(["read", "write"])
        process, status = rng.randrange(3), "unknown" if rng.random() < 0.1 else "ok"
        if cas and rng.random() < 0.25:
            done = rng.random() < 0.6
            change, end = (rng.choice([None, *range(1, values + 1)]), value), 2 * n + 1 if status == "ok" else None
            found.append(Operation(process, "cas", key, change, done if end else None, 2 * n, end, status))
        elif do == "write":
            found.append(Operation(process, do, key, value, None, 2 * n, 2 * n + 1 if status == "ok" else None, status))
        else:
            found.append(Operation(process, do, key, None, None, 2 * n, 2 * n + 1))
    for i, one in enumerate(found):
        if one.do == "read":
            writers = [w for w in found if w.do != "read" and w.key == one.key]
            wrote = [w.argument if w.do == "write" else w.argument[1] for w in writers]
            found[i] = replace(one, result=rng.choice([None, *wrote]))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_as_defined(seed):
    rng = random.Random(seed)
    verdicts = set()
    for round_ in range(80):
        operations = history(rng, rng.randint(3, 6), rng.choice([1, 2, 5]), cas=round_ % 3 == 0)
        answer = sequential_by_definition(operations)
        assert sequential.check(operations, "cas-register").verdict == ("ok" if answer else "violation"), operations
        for name in KEPT:
            answer = views_by_definition(operations, name)
            assert views.check(operations, "cas-register", name).verdict == ("ok" if answer else "violation"), \
                (name, operations)
            verdicts.add((name, answer))
        assert (views.check(operations, "cas-register", ALL).verdict
                == views.check(operations, "cas-register", "causal").verdict)
    assert len(verdicts) == 2 * len(KEPT)


def test_witnesses_are_views():
    """What is given as a view is one: own order and writes kept, every read legal."""
    rng, seen = random.Random(8), 0
    while seen < 60:
        operations = history(rng, 7, 7)
        found = views.check(operations, consistency="causal")
        order = sequential.check(operations)
        if order.verdict == "ok":
            assert legal(operations, order.witness)
        if found.verdict != "ok":
            continue
        seen += 1
        for process, view in found.details["views"].items():
            mine = [i for i in view if str(operations[i].process) == process]
            assert legal(operations, view, None, operations[mine[0]].process)
            assert all(view.index(a) < view.index(b) for a in view for b in view if before(operations, a, b))
            assert {i for i, one in enumerate(operations) if one.do == "write"} <= set(view)


@pytest.mark.parametrize("name", ["sequential", "causal", "pram", "monotonic reads", "read your writes"])
def test_smallest_part(name):
    """It fails, contains the stuck operation, and fits without any one that nothing reads."""
    rng, seen = random.Random(5), 0
    while seen < 12:
        operations = history(rng, 9, 9)
        found = check_history(operations, "register", name)
        if found.verdict != "violation":
            continue
        seen += 1
        part = [operations[i] for i in found.smallest]
        assert found.stuck in found.smallest
        assert check_history(part, "register", name).verdict == "violation"
        for one in part:
            less = [other for other in part if other is not one]
            if not any(r.do == "read" and r.key == one.key and r.result == one.argument for r in less):
                assert check_history(less, "register", name).verdict == "ok"


def test_every_model_has_sequential():
    def one(process, do, at, argument=None, result=None):
        return Operation(process, do, "k", argument, result, at, at + 1)

    late = [one("a", "acquire", 0), one("b", "acquire", 2), one("a", "release", 4), one("b", "release", 6)]
    assert sequential.check(late, "mutex").verdict == "ok"
    twice = [one("a", "acquire", 0), one("a", "acquire", 2), one("b", "acquire", 4)]
    assert sequential.check(twice, "mutex").verdict == "violation"
    appends = [one("a", "append", 0, "1"), one("b", "append", 2, "2"), one("a", "get", 4, None, "21")]
    assert sequential.check(appends, "key-value").verdict == "ok"
    assert sequential.check([*appends, one("b", "get", 6, None, "12")], "key-value").verdict == "violation"


def test_long_histories():
    """A history of a real register of many operations is accepted at once, and one stale read in it is found."""
    rng = random.Random(2)
    found, state = [], {}
    for n in range(60):
        key, process = rng.choice("xyz"), rng.randrange(5)
        if rng.random() < 0.4:
            state[key] = n
            found.append(Operation(process, "write", key, n, None, 2 * n, 2 * n + 1))
        else:
            found.append(Operation(process, "read", key, None, state.get(key), 2 * n, 2 * n + 1))
    for name in ("sequential", *KEPT):
        assert check_history(found, "register", name).verdict == "ok"
    last = max(i for i, one in enumerate(found) if one.do == "read")
    wrong = replace(found[last], result=None, process=found[last - 1].process)
    seen = Operation(wrong.process, "read", wrong.key, None, state[wrong.key], 700, 701)
    for name in ("sequential", "causal", "pram", "monotonic reads"):
        verdict = check_history([*found[:last], seen, replace(wrong, invoked=702, completed=703)], "register", name)
        assert verdict.verdict == "violation" and verdict.stuck in verdict.smallest
        assert len(verdict.smallest) <= 4


def test_bounded():
    rng = random.Random(1)
    hard = [Operation(p, "write", "x", rng.randint(1, 3), None, n, n + 1) for n in range(0, 60, 2) for p in range(4)]
    hard += [Operation(p, "read", "x", None, rng.randint(1, 3), 100 + n, 101 + n) for n in range(0, 60, 2)
             for p in range(4)]
    for name in ("sequential", "causal"):
        verdict = check_history(hard, "register", name, steps=50)
        assert verdict.verdict in ("ok", "unknown") and verdict.why
    assert check_history(hard[4:], "register", "causal", steps=3).verdict == "unknown"


def test_refused_questions():
    append = [Operation("a", "append", "x", "1", None, 0, 1)]
    with pytest.raises(HistoryError, match="defined for reads and writes"):
        views.check(append, "key-value", "causal")
    with pytest.raises(HistoryError, match="no consistency 'casual'"):
        views.check([], "register", "casual")
    with pytest.raises(HistoryError, match="no 'append'"):
        sequential.check(append, "register")
    assert views.check([], "register", "causal").verdict == sequential.check([]).verdict == "ok"


# ---- seeded bugs: a checker without one of its rules gives a wrong answer on some small history


def wrong_answers(monkeypatch, change, name, rounds=400):
    """Whether a changed checker disagrees with the definition on one of some histories."""
    rng, wrong = random.Random(3), 0
    with monkeypatch.context() as patched:
        change(patched)
        for _ in range(rounds):
            operations = history(rng, rng.randint(3, 6), rng.choice([2, 6]))
            answer = (sequential_by_definition(operations) if name == "sequential"
                      else views_by_definition(operations, name))
            wrong += (check_history(operations, "register", name).verdict == "ok") is not answer
            if wrong:
                break
    return wrong


def without(name, pair):
    def change(patched):
        kept = views.MODELS[name]
        patched.setitem(views.MODELS, name, kept._replace(own=kept.own - {pair}))
    return change


def first_source_only(patched):
    patched.setattr(views._Problem, "_sources", lambda self, v, r, old=views._Problem._sources: old(self, v, r)[:1])


def nothing_between(patched):
    patched.setattr(views._Problem, "_between", lambda self, v, w, r: [])


def reads_never_wait(patched):
    model = MODELS["register"]
    patched.setitem(MODELS, "register",
                    model._replace(reads=frozenset(["read", "write"])))


@pytest.mark.parametrize("change, name", [
    (without("read your writes", "wr"), "read your writes"),
    (without("monotonic reads", "rr"), "monotonic reads"),
    (without("pram", "rr"), "pram"),
    (without("causal", "wr"), "causal"),
    (lambda p: p.setitem(views.MODELS, "pram", views.MODELS["causal"]._replace(own=frozenset({"rr"}))), "pram"),
    (first_source_only, "causal"),
    (nothing_between, "causal"),
    (reads_never_wait, "sequential"),
])
def test_seeded_bugs(monkeypatch, change, name):
    assert wrong_answers(monkeypatch, change, name) > 0
