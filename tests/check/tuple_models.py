"""Paxos and two-phase commit a second time, by hand, as tuples and sets: oracles for the explorer's counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def reachable(initial: Any, steps: Callable[[Any], Iterable[Any]]) -> tuple[int, int]:
    """(states, steps between them), searched in the simplest way there is."""
    seen, waiting, count = {initial}, [initial], 0
    while waiting:
        for new in steps(waiting.pop()):
            count += 1
            if new not in seen:
                seen.add(new)
                waiting.append(new)
    return len(seen), count


def paxos(proposers: int = 2, acceptors: int = 3) -> tuple[int, int]:
    """Single-decree Paxos, one ballot for each proposer; what is delivered is gone.

    A proposer is (phase, promises, value, acceptances); it starts by itself, forgets what it has gathered when a phase
    ends, and ignores what comes late. An acceptor is (promised, accepted) and does not answer what it refuses.
    """
    majority = acceptors // 2 + 1

    def steps(state: Any) -> Iterable[Any]:
        ps, accs, air = state
        for p, (phase, *_) in enumerate(ps):
            if phase == "idle":
                sent = frozenset(("prepare", p, a, None) for a in range(acceptors))
                yield replaced(ps, p, ("prepare", frozenset(), None, frozenset())), accs, air | sent
        for m in air:
            kind, p, a, what = m
            rest = air - {m}
            if kind == "prepare":
                promised, accepted = accs[a]
                if p > promised:
                    yield ps, replaced(accs, a, (p, accepted)), rest | {("promise", p, a, accepted)}
                else:
                    yield ps, accs, rest
            elif kind == "accept":
                if p >= accs[a][0]:
                    yield ps, replaced(accs, a, (p, (p, what))), rest | {("accepted", p, a, None)}
                else:
                    yield ps, accs, rest
            elif kind == "promise" and ps[p][0] == "prepare":
                promises = ps[p][1] | {(a, what)}
                if len(promises) < majority:
                    yield replaced(ps, p, ("prepare", promises, None, frozenset())), accs, rest
                else:
                    reported = [accepted for _, accepted in promises if accepted is not None]
                    value = max(reported)[1] if reported else p
                    sent = frozenset(("accept", p, other, value) for other in range(acceptors))
                    yield replaced(ps, p, ("accept", frozenset(), value, frozenset())), accs, rest | sent
            elif kind == "accepted" and ps[p][0] == "accept":
                votes = ps[p][3] | {a}
                done = len(votes) >= majority
                after = ("chosen" if done else "accept", frozenset(), ps[p][2], frozenset() if done else votes)
                yield replaced(ps, p, after), accs, rest
            else:
                yield ps, accs, rest

    idle = ("idle", frozenset(), None, frozenset())
    return reachable(((idle,) * proposers, ((-1, None),) * acceptors, frozenset()), steps)


def two_phase_commit(managers: int) -> tuple[int, int]:
    """The TLA+ specification TwoPhase; messages stay. Steps that change nothing are not counted."""

    def steps(state: Any) -> Iterable[Any]:
        rms, tm, prepared, air = state
        if tm == "init":
            for r in range(managers):
                if ("prepared", r) in air and r not in prepared:
                    yield rms, tm, prepared | {r}, air
            if len(prepared) == managers:
                yield rms, "committed", prepared, air | {"commit"}
            yield rms, "aborted", prepared, air | {"abort"}
        for r, rm in enumerate(rms):
            if rm == "working":
                yield replaced(rms, r, "prepared"), tm, prepared, air | {("prepared", r)}
                yield replaced(rms, r, "aborted"), tm, prepared, air
            for order, end in (("commit", "committed"), ("abort", "aborted")):
                if order in air and rm != end:
                    yield replaced(rms, r, end), tm, prepared, air

    return reachable((("working",) * managers, "init", frozenset(), frozenset()), steps)


def replaced(items: tuple[Any, ...], i: int, item: Any) -> tuple[Any, ...]:
    """The tuple with another item at a place."""
    return (*items[:i], item, *items[i + 1:])
