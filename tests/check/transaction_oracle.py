"""Isolation levels by their definitions, for a handful of transactions: every order, snapshot and visibility."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain, combinations, permutations, product

from dslab.check.history import Operation


class T:
    """A transaction: its external reads, its writes, and when it ran; `pinned` is what its own appends stand upon."""

    def __init__(self, operation: Operation):
        self.operation = operation
        self.reads, self.writes, self.places, self.pinned = {}, {}, {}, {}
        parts = operation.result if operation.status == "ok" else operation.argument
        for place, (do, key, value) in enumerate(parts):
            if do != "r":
                self.writes.setdefault(key, []).append(value)
            elif operation.status == "ok":
                own = tuple(self.writes.get(key, ()))
                if operation.lists:
                    assert value[len(value) - len(own) :] == own or not own
                    value = value[: len(value) - len(own)]
                    if own:
                        self.pinned[key] = value
                elif own:
                    continue
                if key not in self.reads:
                    self.reads[key], self.places[key] = value, place


def committed(found: list[T]) -> Iterator[list[T]]:
    sure = [t for t in found if t.operation.status == "ok"]
    unsure = [t for t in found if t.operation.status == "unknown"]
    for size in range(len(unsure) + 1):
        for more in combinations(unsure, size):
            yield sure + list(more)


def follows(a: T, b: T, order: str | None) -> bool:
    """Whether b must come after a."""
    one, two = a.operation, b.operation
    early = one.completed is not None and one.completed < two.invoked
    return early and (order == "realtime" or (order == "process" and one.process == two.process))


def stands(t: T, key: object, before: object) -> bool:
    """Whether what comes before its own appends to a list is what it showed."""
    return t.pinned.get(key, before) == before


def install(state: dict, t: T, lists: bool) -> dict | None:
    after = dict(state)
    if not all(stands(t, key, state.get(key, ())) for key in t.writes):
        return None
    for key, values in t.writes.items():
        after[key] = after.get(key, ()) + tuple(values) if lists else values[-1]
    return after


def agrees(state: dict, t: T, lists: bool) -> bool:
    return all(state.get(key, () if lists else None) == value for key, value in t.reads.items())


def serial(found: list[T], lists: bool, order: str | None) -> bool:
    for those in committed(found):
        for line in permutations(those):
            if any(follows(b, a, order) for a, b in combinations(line, 2)):
                continue
            state: dict = {}
            for t in line:
                if not agrees(state, t, lists):
                    break
                state = install(state, t, lists)
                if state is None:
                    break
            else:
                return True
    return False


def snapshots(found: list[T], lists: bool, order: str | None, first_wins: bool) -> bool:
    """Starts and commits in every interleaving."""
    def run(started: dict, done: frozenset, state: dict, those: list[T]) -> bool:
        if len(done) == len(those):
            return True
        for n, t in enumerate(those):
            if n in done:
                continue
            if n not in started:
                if any(follows(those[m], t, order) and m not in done for m in range(len(those))):
                    continue
                if agrees(state, t, lists) and run({**started, n: done}, done, state, those):
                    return True
            else:
                since = done - started[n]
                if first_wins and any(set(those[m].writes) & set(t.writes) for m in since):
                    continue
                after = install(state, t, lists)
                if after is not None and run(started, done | {n}, after, those):
                    return True
        return False

    return any(run({}, frozenset(), {}, those) for those in committed(found))


def version(writer: T | None, key: object, line: tuple[T, ...], lists: bool) -> object:
    """What a writer left of an object when all of an order took effect one after another."""
    if writer is None:
        return () if lists else None
    if not lists:
        return writer.writes[key][-1]
    return tuple(chain.from_iterable(t.writes.get(key, ()) for t in line[: line.index(writer) + 1]))


def pinned(line: tuple[T, ...]) -> bool:
    """Whether all lists show what came before each one's own appends in an order."""
    return all(stands(t, key, tuple(chain.from_iterable(u.writes.get(key, ()) for u in line[:n])))
               for n, t in enumerate(line) for key in t.pinned)


def visible(found: list[T], lists: bool, transitive: bool, no_conflict: bool) -> bool:
    """Cerone, Bernardi and Gotsman's axioms: an arbitration order, and who sees whom."""
    for those in committed(found):
        for line in filter(pinned, permutations(those)):
            pairs = list(combinations(range(len(line)), 2))
            for chosen in product((False, True), repeat=len(pairs)):
                sees = {pair for pair, yes in zip(pairs, chosen, strict=True) if yes}
                if transitive and any((a, d) not in sees for a, b in sees for c, d in sees if b == c):
                    continue
                if no_conflict and any(pair not in sees and set(line[pair[0]].writes) & set(line[pair[1]].writes)
                                       for pair in pairs):
                    continue
                if all(version(max((line[a] for a in range(b) if (a, b) in sees and key in line[a].writes),
                                   key=line.index, default=None), key, line, lists) == value
                       for b, t in enumerate(line) for key, value in t.reads.items()):
                    return True
    return False


def monotonic(found: list[T], lists: bool) -> bool:
    """Once something of a transaction was read, later reads miss nothing of it (Bailis)."""
    for those in committed(found):
        for line in filter(pinned, permutations(those)):
            def reader(b: int, line: tuple[T, ...] = line) -> bool:
                t = line[b]
                options = [[w for w in (None, *line[:b]) if (w is None or key in w.writes)
                            and version(w, key, line, lists) == value] for key, value in t.reads.items()]
                return any(all(w is None and key not in u.writes or w is not None
                               and (key not in u.writes or line.index(u) <= line.index(w))
                               for (key, w) in zip(t.reads, chosen, strict=True)
                               for (other, u) in zip(t.reads, chosen, strict=True)
                               if u is not None and t.places[other] < t.places[key])
                           for chosen in product(*options))
            if all(reader(b) for b in range(len(line))):
                return True
    return False


def dependencies(found: list[T], lists: bool, order: str | None, kinds: str) -> bool:
    """Adya: an order of each object's versions in which ww (and wr) edges go in no circle."""
    for those in committed(found):
        keys = list(dict.fromkeys(key for t in those for key in t.writes))
        for orders in product(*(permutations([t for t in those if key in t.writes]) for key in keys)):
            lines = dict(zip(keys, orders, strict=True))
            if not all(stands(t, key, tuple(chain.from_iterable(u.writes[key] for u in line[: line.index(t)])))
                       for key, line in lines.items() for t in line):
                continue
            edges = {(a, b) for line in orders for a, b in combinations(line, 2)}
            edges |= {(a, b) for a in those for b in those if follows(a, b, order)}
            options = []
            for t in those:
                for key, value in t.reads.items():
                    options.append([(w, t) for w in (None, *lines.get(key, ())) if w is not t
                                    and version(w, key, lines.get(key, ()), lists) == value])
            for chosen in product(*options):
                more = {(w, t) for w, t in chosen if w is not None} if "wr" in kinds else set()
                if acyclic(those, edges | more):
                    return True
    return False


def acyclic(nodes: list[T], edges: set) -> bool:
    left = list(nodes)
    while left:
        free = [n for n in left if not any(a in left and b is n for a, b in edges)]
        if not free:
            return False
        left = [n for n in left if n not in free]
    return True


def no_lost_update(found: list[T], lists: bool) -> bool:
    """Nobody updates a version that another has updated; versions are told apart by unique values."""
    return not any(key in a.writes and key in b.writes and b.reads.get(key, key) == value
                   for a, b in combinations([t for t in found if t.operation.status == "ok"], 2)
                   for key, value in a.reads.items())


def allowed(operations: list[Operation], lists: bool) -> dict[str, bool]:
    """Each level's answer."""
    found = [T(operation) for operation in operations if operation.status != "failed"]
    committed_read = dependencies(found, lists, None, "ww wr")
    atomic, psi = visible(found, lists, False, False), visible(found, lists, True, True)
    return {
        "read-committed": committed_read,
        "strong-session-read-committed": dependencies(found, lists, "process", "ww wr"),
        "strong-read-committed": dependencies(found, lists, "realtime", "ww wr"),
        "cursor-stability": committed_read and no_lost_update(found, lists),
        "monotonic-atomic-view": monotonic(found, lists),
        "read-atomic": atomic,
        "update-atomic": atomic and no_lost_update(found, lists),
        "causal-cerone": visible(found, lists, True, False),
        "consistent-view": psi,
        "parallel-snapshot-isolation": psi,
        "prefix": snapshots(found, lists, None, False),
        "snapshot-isolation": snapshots(found, lists, None, True),
        "strong-session-snapshot-isolation": snapshots(found, lists, "process", True),
        "strong-snapshot-isolation": snapshots(found, lists, "realtime", True),
        "repeatable-read": serial(found, lists, None),
        "serializable": serial(found, lists, None),
        "strong-session-serializable": serial(found, lists, "process"),
        "strict-serializable": serial(found, lists, "realtime"),
    }


class Recorded(Operation):
    """An operation that knows whether its objects are lists."""

    lists: bool


def random_history(rng: random.Random, lists: bool, size: int, unique: bool = True) -> list[Operation]:
    """Transactions that read something that somebody wrote, consistent with themselves; often with no level at all."""
    plan = []
    value = 0
    for _ in range(size):
        parts = []
        for _ in range(rng.randint(1, 3)):
            key = rng.choice("xy")
            if rng.random() < 0.5:
                value += 1
                parts.append(["append" if lists else "w", key, value if unique else rng.randint(1, 2)])
            else:
                parts.append(["r", key, None])
        plan.append(parts)
    written = {key: [p[2] for parts in plan for p in parts if p[0] != "r" and p[1] == key] for key in "xy"}
    if rng.random() < 0.5:
        for values in written.values():
            rng.shuffle(values)
    status = ["unknown" if rng.random() < 0.12 else "ok" for _ in plan]
    marks = sorted(range(2 * size), key=lambda m: rng.random())
    found = []
    for n, parts in enumerate(plan):
        first, last = sorted((marks.index(2 * n), marks.index(2 * n + 1)))
        if rng.random() < 0.6:
            first, last = 100 * n, 100 * n + 50
        seen: dict = {}
        answer = []
        for do, key, v in parts:
            if do != "r":
                seen[key] = (*seen[key], v) if lists and key in seen else v if not lists else seen.get(key)
                if lists and seen.get(key) is None:
                    seen[key] = (*written[key][: rng.randint(0, written[key].index(v))], v)
                answer.append((do, key, v))
                continue
            if key not in seen:
                cut = rng.randint(0, len(written[key]))
                seen[key] = tuple(written[key][:cut]) if lists else rng.choice([None, *written[key]])
            answer.append((do, key, seen[key]))
        done = status[n] == "ok"
        one = Recorded(rng.randrange(2), "txn", None, tuple(map(tuple, parts)), tuple(answer) if done else None,
                       first, last if done else None, status[n])
        found.append(one)
    return found
