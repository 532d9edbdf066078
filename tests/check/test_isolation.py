"""Isolation levels against their definitions (transaction_oracle.py), anomalies by name, bank, set and long fork."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from dslab.check import dependencies, isolation, transactional, workloads
from dslab.check.formats import read_history
from dslab.check.history import HistoryError, Operation, check_history
from dslab.check.levels import LEVELS, forbidden, implied, level_named, ruled_out, strongest
from dslab.check.separations import BETWEEN_TRANSACTIONS

sys.path.insert(0, str(Path(__file__).parent))
import transaction_oracle as oracle

KIND = {True: "list-append", False: "rw-register"}
VERSIONS = ("cursor-stability", "update-atomic")          # speak of versions, so values must be unique


def histories(seed, rounds):
    rng = random.Random(seed)
    for _ in range(rounds):
        lists = rng.random() < 0.5
        unique = lists or rng.random() < 0.7
        oracle.Recorded.lists = lists
        yield lists, unique, oracle.random_history(rng, lists, rng.randint(2, 4), unique)


@pytest.mark.parametrize("seed", range(4))
def test_as_defined(seed):
    for lists, unique, operations in histories(seed, 70):
        for level, answer in oracle.allowed(operations, lists).items():
            if unique or level not in VERSIONS:
                found = transactional.check(operations, KIND[lists], level)
                assert found.verdict == ("ok" if answer else "violation"), (level, operations, found)


def test_stronger_implies_weaker():
    for lists, _, operations in histories(50, 50):
        kept = transactional.satisfied(operations, KIND[lists])
        for level in kept:
            assert set(implied(level)) <= set(kept), (level, operations)
        assert transactional.strongest_levels(operations, KIND[lists]) == strongest(kept)


def recorded_from_registers(rng, size, clients, objects):
    """What clients would record of registers that run one transaction at a time, somewhere between question and answer;
    some are never answered."""
    found, state, running, time = [], {}, {}, 0
    while len(found) < size or running:
        time += 1
        client = rng.randrange(clients)
        if client not in running and len(found) < size:
            parts = [(rng.choice("rw"), rng.randrange(objects), 3 * len(found) + n) for n in range(rng.randint(1, 3))]
            running[client] = len(found)
            found.append([parts, time, None, None])
        elif client in running and found[running[client]][2] is None:
            one = found[running[client]]
            one[2] = []
            for do, key, value in one[0]:
                state[key] = value if do == "w" else state.get(key)
                one[2].append((do, key, state[key]))
        elif client in running:
            found[running.pop(client)][3] = time if rng.random() > 0.03 else None
    return [Operation(n, "txn", None, tuple(asked), None if end is None else tuple(told), begun, end,
                      "unknown" if end is None else "ok") for n, (asked, begun, told, end) in enumerate(found)]


def test_thousand_transactions_of_registers():
    """An order is found, and it is one: in it each reads what was written last."""
    operations = recorded_from_registers(random.Random(7), 1_000, 8, 40)
    for level in ("snapshot-isolation", "read-committed"):
        assert transactional.check(operations, REGISTER, level).verdict == "ok"
    state, witness = {}, transactional.check(operations, REGISTER, "strict-serializable").witness
    for place, i in enumerate(witness):
        one = operations[i]
        for do, key, value in one.result or one.argument:
            if do == "w":
                state[key] = value
            assert one.status != "ok" or state.get(key) == value
        assert all(operations[j].invoked < (one.completed or 10 ** 9) for j in witness[:place])


def test_forbidden_anomalies_are_anomalies():
    """Whatever rules a level out by its name rules it out by the exact search too: no anomaly is made up."""
    for lists, _, operations in histories(70, 100):
        _, wrong = transactional.anomalies(operations, KIND[lists])
        allowed = oracle.allowed(operations, lists)
        for anomaly in wrong:
            for level, answer in allowed.items():
                assert not (anomaly.name in forbidden(level) and answer), (anomaly, level, operations)
            assert set(anomaly.operations) <= set(range(len(operations))) and anomaly.why


def txn(process, at, *parts, status="ok", end=None):
    done = status == "ok"
    ended = (end or at + 1) if done else None
    return Operation(process, "txn", None, parts, parts if done else None, at, ended, status)


def named(kind, *operations):
    return set(transactional.check(list(operations), kind).details["anomalies"])


LIST, REGISTER = "list-append", "rw-register"


@pytest.mark.parametrize("kind, operations, name", [
    (LIST, [txn(1, 0, ("append", "x", 1), ("append", "y", 1), end=9), txn(2, 1, ("append", "x", 2), ("append", "y", 2)),
            txn(3, 11, ("r", "x", (1, 2)), ("r", "y", (2, 1)))], "G0"),
    (LIST, [txn(1, 0, ("append", "x", 1), status="failed"), txn(2, 2, ("r", "x", (1,)))], "G1a"),
    (LIST, [txn(1, 0, ("append", "x", 1), ("append", "x", 2)), txn(2, 2, ("r", "x", (1,)))], "G1b"),
    (LIST, [txn(1, 0, ("append", "x", 1), ("r", "y", (1,)), end=5), txn(2, 2, ("append", "y", 1), ("r", "x", (1,)))],
     "G1c"),
    (LIST, [txn(1, 0, ("append", "x", 1), status="failed"), txn(2, 2, ("append", "x", 2)),
            txn(3, 4, ("r", "x", (1, 2)))], "dirty-update"),
    (LIST, [txn(1, 0, ("r", "x", (1,)), ("append", "x", 1))], "future-read"),
    (LIST, [txn(1, 0, ("append", "x", 1), ("r", "x", ()))], "internal"),
    (LIST, [txn(1, 0, ("append", "x", 1)), txn(2, 2, ("r", "x", (1, 1)))], "duplicate-elements"),
    (LIST, [txn(1, 0, ("append", "x", 1)), txn(2, 2, ("append", "x", 2)), txn(3, 4, ("r", "x", (1, 2))),
            txn(3, 6, ("r", "x", (2,)))], "incompatible-order"),
    (LIST, [txn(1, 0, ("r", "x", (7,)))], "garbage-read"),
    (LIST, [txn(1, 0, ("r", "x", ()), ("append", "x", 1), end=5), txn(2, 1, ("r", "x", ()), ("append", "x", 2))],
     "lost-update"),
    (LIST, [txn(1, 0, ("append", "x", 1)), txn(1, 2, ("r", "x", ()))], "G-single-item-process"),
    (LIST, [txn(1, 0, ("append", "x", 1)), txn(2, 2, ("r", "x", ()))], "G-single-item-realtime"),
    (LIST, [txn(1, 0, ("r", "x", ()), ("append", "y", 1), end=5), txn(2, 1, ("r", "y", ()), ("append", "x", 1))],
     "G2-item"),
    (REGISTER, [txn(1, 0, ("r", "x", 1), ("w", "x", 2), end=9), txn(2, 1, ("r", "x", 2), ("w", "x", 1))],
     "cyclic-versions"),
    (REGISTER, [txn(1, 0, ("w", "x", 1), ("w", "x", 2)), txn(2, 2, ("r", "x", 1))], "G1b"),
    (REGISTER, [txn(1, 0, ("w", "x", 1), ("w", "y", 1)), txn(2, 0, ("r", "x", None), ("r", "y", 1))], "G-single-item"),
])
def test_anomaly(kind, operations, name):
    found = transactional.check(operations, kind, "strict-serializable")
    assert name in found.details["anomalies"]
    assert found.verdict == "violation" and found.why and found.smallest
    for level in LEVELS:
        if name in forbidden(level):
            assert transactional.check(operations, kind, level).verdict == "violation"


def test_unanswered_transactions():
    """What was never answered may have happened: it counts when it is read from, and otherwise never hurts."""
    maybe = txn(1, 0, ("append", "x", 1), status="unknown")
    assert transactional.check([maybe, txn(2, 2, ("r", "x", (1,)))], LIST, "strict-serializable").verdict == "ok"
    assert transactional.check([maybe, txn(2, 2, ("r", "x", ()))], LIST, "strict-serializable").verdict == "ok"
    late = [maybe, txn(2, 2, ("r", "x", ())), txn(3, 4, ("r", "x", (1,)))]
    assert transactional.check(late, LIST, "strict-serializable").verdict == "ok"
    back = [maybe, txn(2, 2, ("r", "x", (1,))), txn(3, 4, ("r", "x", ()))]
    assert transactional.check(back, LIST, "strict-serializable").verdict == "violation"
    assert transactional.check(back, LIST, "serializable").verdict == "ok"


def test_an_element_appended_twice():
    """Elle demands unique elements; where reads alone do not decide, it is said why."""
    twice = [txn(1, 0, ("append", "x", 1)), txn(2, 2, ("append", "x", 1)), txn(3, 4, ("r", "x", (1,)))]
    found = transactional.check(twice, LIST, "strict-serializable")
    assert (found.verdict, found.why) == ("unknown", "1 is appended to x twice, so no read tells whose it is")


def test_smallest_cycle():
    """Of a history with a long and a short cycle the short one is told."""
    long = [txn(n, 0, ("r", f"k{n}", ()), ("append", f"k{(n + 1) % 6}", n), end=9) for n in range(6)]
    short = [txn(8, 0, ("r", "x", ()), ("append", "y", 8), end=9),
             txn(9, 0, ("r", "y", ()), ("append", "x", 9), end=9)]
    found = transactional.check([*long, *short], LIST)
    assert found.verdict == "violation" and sorted(found.smallest) == [6, 7]
    assert sorted(transactional.check(long, LIST).smallest) == list(range(6))


def test_registers_without_a_cycle_of_certain_edges():
    """Only the search sees this: whichever write of x came first, one read is out of place."""
    operations = [txn(1, 0, ("w", "x", 1)), txn(2, 0, ("w", "x", 2)),
                  txn(3, 0, ("r", "x", 1), ("w", "a", 1)), txn(4, 0, ("r", "x", 2), ("w", "b", 1)),
                  txn(5, 0, ("r", "a", 1), ("r", "x", 2)), txn(6, 0, ("r", "b", 1), ("r", "x", 1))]
    found = transactional.check(operations, REGISTER)
    assert found.details["anomalies"] == [] and found.verdict == "violation"
    assert found.smallest == (0, 1, 2, 3, 4, 5)
    assert transactional.check(operations[:-1], REGISTER).verdict == "ok"


def recorded(rng, size, kind, objects=20):
    """Transactions of a real serial store, a few of them open at a time."""
    state, found = {}, []
    for n in range(size):
        parts = []
        for k in range(rng.randint(1, 4)):
            key = rng.randrange(objects) + (n // 200) * objects
            if rng.random() < 0.5:
                value = 10 * n + k
                state[key] = (*state.get(key, ()), value) if kind == LIST else value
                parts.append(("append" if kind == LIST else "w", key, value))
            else:
                parts.append(("r", key, state.get(key, () if kind == LIST else None)))
        found.append(txn(n % 7, 10 * n - rng.randint(0, 20) if n % 7 else 10 * n, *parts, end=10 * n + 9))
    return found


def test_large_histories():
    rng = random.Random(4)
    lists = recorded(rng, 2_000, LIST)
    for level in ("serializable", "strict-serializable", "snapshot-isolation", "consistent-view", "read-atomic"):
        assert transactional.check(lists, LIST, level).verdict == "ok"
    skewed = [*lists, txn("a", 0, ("r", "p", ()), ("append", "q", 1)), txn("b", 0, ("r", "q", ()), ("append", "p", 1))]
    found = transactional.check(skewed, LIST)
    assert found.verdict == "violation" and sorted(found.smallest) == [2_000, 2_001]
    assert transactional.check(skewed, LIST, "snapshot-isolation").verdict == "ok"
    registers = recorded(rng, 250, REGISTER)
    assert transactional.check(registers, REGISTER, "strict-serializable").verdict == "ok"


def test_budget():
    rng = random.Random(9)
    registers = recorded(rng, 60, REGISTER, objects=2)
    assert transactional.check(registers, REGISTER, "serializable", steps=20).verdict == "unknown"


def test_names_of_levels():
    for name in ("snapshot isolation", ":snapshot-isolation", "PL-SI", "snapshot_isolation", "Snapshot-Isolation"):
        assert level_named(name) == "snapshot-isolation"
    with pytest.raises(HistoryError, match="no transactional model 'snapshots'"):
        level_named("snapshots")
    assert ruled_out(["G-single-item"]) == ("consistent-view",)
    assert check_history([txn(1, 0, ("r", "x", ()))], LIST, "snapshot isolation").verdict == "ok"


@pytest.mark.parametrize("operations, kind, why", [
    ([txn(1, 0, ("add", "x", 1))], LIST, "a part of a list-append transaction"),
    ([txn(1, 0, ("r", "x", 3))], LIST, "a read of a list shows a list"),
    ([Operation(1, "read", "x", None, 3, 0, 1)], LIST, "a transaction is a list"),
    ([txn(1, 0, ("w",))], REGISTER, "a part of a rw-register transaction"),
    ([], "bank", "no transactions of 'bank'"),
])
def test_refused_histories(operations, kind, why):
    with pytest.raises(HistoryError, match=why):
        transactional.check(operations, kind)


# ---- formats


def test_answers_alone_are_a_set():
    """Without questions nothing is known of time, not even within a process."""
    lines = ['{:process 0 :type :ok :f :txn :value [[:r x nil]]}',
             '{:process 0 :type :ok :f :txn :value [[:append x 1]]}']
    for order in (lines, lines[::-1]):
        operations = read_history("\n".join(order), "elle-append")
        assert transactional.check(operations, LIST, "strict-serializable").verdict == "ok"
    asked = ['{:process 0 :type :invoke :value [[:append x 1]]}', '{:process 0 :type :ok :value [[:append x 1]]}',
             '{:process 0 :type :invoke :value [[:r x nil]]}', '{:process 0 :type :ok :value [[:r x []]]}']
    operations = read_history("\n".join(asked), "elle-append")
    assert transactional.check(operations, LIST, "strict-serializable").verdict == "violation"
    assert transactional.check(operations, LIST, "serializable").verdict == "ok"


def test_odd_recordings():
    nemesis = '{:process :nemesis :type :info :f :start}'
    crashed = '{:process 1 :type :invoke :f :txn :value [[:w 1 2] [:r 2 nil]]}'
    info = '{:process 1 :type :info :f :txn :value nil}'
    read = ['{:process 2 :type :invoke :f :txn :value [[:r 1 nil]]}',
            '{:process 2 :type :ok :f :txn :value [[:r 1 2]]}']
    for lines in ([nemesis, crashed, info, *read], [nemesis, crashed, *read, info], [crashed, *read],
                  ["[" + crashed, *read, "]"]):
        operations = read_history("\n".join(lines), "elle-register")
        assert len(operations) == 2
        assert transactional.check(operations, REGISTER, "strict-serializable").verdict == "ok"
    failed = read_history("\n".join([crashed, info.replace("info", "fail"), *read]), "elle-register")
    assert named(REGISTER, *failed) == {"G1a"}
    with pytest.raises(HistoryError, match="answered"):
        read_history("\n".join([*read, read[1]]), "elle-register")


# ---- workloads


def read(at, result, do="read"):
    return Operation(0, do, None, None, result, at, at + 1)


def test_bank():
    def judged(*balances, **options):
        return workloads.bank([read(2 * n, tuple(b.items())) for n, b in enumerate(balances)], **options)

    assert judged({0: 60, 1: 40}, {0: 100, 1: 0}).verdict == "ok"
    assert judged({0: 60, 1: 40}, {0: 60, 1: 30}).stuck == 1
    assert judged({0: 60, 1: 40}, {0: 101, 1: -1}).verdict == "violation"
    assert judged({0: 60, 1: 40}, {0: 101, 1: -1}, negative=True).verdict == "ok"
    assert judged({0: 60, 1: 40}, total=90).verdict == "violation"
    assert judged({0: 60, 1: 40}, {0: 60, 2: 40}).verdict == "violation"
    assert judged({0: 60, 1: 40}, {0: 100, 1: None}).verdict == "violation"
    assert judged().verdict == "ok"
    with pytest.raises(HistoryError, match="a map from account"):
        workloads.bank([read(0, "all")])


def test_set():
    def add(at, value, status="ok"):
        return Operation(0, "add", None, value, None, at, at + 1 if status == "ok" else None, status)

    adds = [add(0, 1), add(2, 2), add(4, 3, "unknown"), add(6, 4, "failed")]
    assert workloads.set_([*adds, read(9, (1, 2))]).verdict == "ok"
    assert workloads.set_([*adds, read(9, (2, 1, 3))]).verdict == "ok"
    assert workloads.set_([*adds, read(9, (1, 3))]).smallest == (1, 4)
    assert workloads.set_([*adds, read(9, (1, 2, 9))]).verdict == "violation"
    assert workloads.set_([*adds, read(9, (1,)), read(11, (1, 2))]).verdict == "ok"
    assert workloads.set_(adds).verdict == "unknown"


def test_long_fork():
    writes = [txn(1, 0, ("w", 1, 1)), txn(2, 0, ("w", 2, 1))]
    forked = [*writes, txn(3, 2, ("r", 1, 1), ("r", 2, None)), txn(4, 2, ("r", 2, 1), ("r", 1, None))]
    found = workloads.long_fork(forked)
    assert found.verdict == "violation" and sorted(found.smallest) == [0, 1, 2, 3]
    assert transactional.judged(forked, "long-fork", "parallel-snapshot-isolation").verdict == "ok"
    assert transactional.judged(forked, "long-fork", "snapshot-isolation").verdict == "violation"
    assert workloads.long_fork(forked[:3]).verdict == "ok"
    assert workloads.long_fork([txn(3, 2, ("r", 1, 5))]).verdict == "violation"
    assert workloads.long_fork([*writes, txn(5, 9, ("w", 1, 2))]).verdict == "unknown"
    with pytest.raises(HistoryError, match="judged by the model 'bank'"):
        transactional.judged([], "bank", "serializable")


# ---- seeded bugs: a judge without one of its rules gives a wrong answer on some small history


def no_conflict(patched):
    patched.setattr(isolation._Problem, "ww",
                    lambda self, a, b: (2 * self.node[a] + 1, 2 * self.node[b] + 1) if self.split
                    else (self.node[a], self.node[b]))


def no_antidependency(patched):
    patched.setattr(isolation._Problem, "rw", lambda self, a, b: ([], []))


def no_real_time(patched):
    patched.setattr(isolation, "order_edges", lambda found: ({}, {}))


def no_reads(patched):
    patched.setattr(isolation._Problem, "wr", lambda self, a, b: (self.node[a], self.node[a]) if False
                    else (2 * self.node[b], 2 * self.node[b] + 1) if self.split else (self.node[b], self.node[b]))


def sees_all(patched):
    patched.setattr(isolation._Problem, "_visible", lambda self: None)


def unknown_is_failed(patched):
    patched.setattr(isolation.Writers, "able", lambda self, key, value: [
        t for t in self.by.get((key, value), ()) if self.found[t].status == "ok"])


def no_cycles(patched):
    patched.setattr(transactional, "cycles", lambda found, edges: [])
    patched.setattr(isolation, "fits", lambda *rest: isolation.Searched(True))
    patched.setattr(transactional, "fits", lambda *rest: isolation.Searched(True))


def overlapping_is_ordered(patched):
    old = dependencies.order_edges
    patched.setattr(isolation, "order_edges", lambda found: (old(found)[0], {
        (a, b): "" for a in range(len(found)) for b in range(len(found))
        if found[a].operation.invoked < found[b].operation.invoked}))


@pytest.mark.parametrize("change, level", [
    (no_conflict, "snapshot-isolation"),
    (no_antidependency, "serializable"),
    (no_antidependency, "consistent-view"),
    (no_real_time, "strict-serializable"),
    (no_real_time, "strong-session-snapshot-isolation"),
    (no_reads, "read-committed"),
    (sees_all, "read-atomic"),
    (sees_all, "causal-cerone"),
    (sees_all, "monotonic-atomic-view"),
    (unknown_is_failed, "serializable"),
    (no_cycles, "serializable"),
    (overlapping_is_ordered, "strict-serializable"),
])
def test_seeded_bugs(monkeypatch, change, level):
    with monkeypatch.context() as patched:
        patched.setattr(transactional, "cycles", lambda found, edges: [])         # the search alone is judged
        change(patched)
        for one in BETWEEN_TRANSACTIONS:
            if one.stronger == level and one.verdicts()[0].verdict != "violation":
                return
        for lists, unique, operations in histories(20, 250):
            if unique or level not in VERSIONS:
                answer = oracle.allowed(operations, lists)[level]
                if (transactional.check(operations, KIND[lists], level).verdict == "ok") is not answer:
                    return
    pytest.fail("the bug was not seen")


def test_a_read_that_misses_what_was_aborted_depends_on_nobody():
    """A list that begins with an aborted element, and a read of the list before it."""
    history = [Operation("a", "txn", None, (("append", "y", 2),), None, 0, None, "failed"),
               Operation("b", "txn", None, (("r", "y", None),), (("r", "y", ()),), 1, 2),
               Operation("c", "txn", None, (("append", "y", 3),), (("append", "y", 3),), 3, 4),
               Operation("d", "txn", None, (("r", "y", None),), (("r", "y", (2, 3)),), 5, 6)]
    for level, verdict in (("read-uncommitted", "ok"), ("read-committed", "violation"), ("serializable", "violation")):
        found = transactional.check(history, "list-append", level)
        assert found.verdict == verdict
        assert set(found.details["anomalies"]) >= {"G1a", "dirty-update"}


def test_what_ends_when_another_begins_overlaps_it():
    history = [Operation("a", "txn", None, (("w", "x", 1),), (("w", "x", 1),), 0, 5),
               Operation("b", "txn", None, (("r", "x", None),), (("r", "x", None),), 5, 5)]
    assert transactional.check(history, "rw-register", "strict-serializable").verdict == "ok"
