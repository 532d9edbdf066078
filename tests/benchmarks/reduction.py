"""Whether partial-order reduction would pay: prints one JSON object for each of some systems.

Steps of different nodes commute, so not every order of them has to be tried. Two ways to make use of that, measured on
the explorer's own tables:

- sleep sets: a step that was tried before a sibling of another node is not tried after it. All states are seen still.
- persistent sets: where nobody else can send anything more to a node, its own steps alone need to be tried. Who can
  is looked up in the whole space here, which no real search could know: this is the most that could be gained. For
  properties of states the steps must change nothing that is shown ("invisible"); else only final states are kept.

Run: PYTHONPATH=. python tests/benchmarks/reduction.py
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator
from typing import Any

from dslab.check.explore import Exploration, explore
from dslab.check.local_states import FIELD, WIDTH
from dslab.protocols import paxos, raft, two_phase_commit

ASKS = [{"command": "x=1", "to": "n1"}]
SYSTEMS = {
    "Paxos, 2 proposers, 3 acceptors": (paxos.cluster(proposers=2, acceptors=3, ballots=1), {"timeouts": None}),
    "two-phase commit, 4 managers": (two_phase_commit.cluster(4), {"timeouts": None}),
    "Raft, 3 servers, a command": (raft.cluster(3), {"timeouts": {"election": 1}, "requests": ASKS}),
    "Raft, 3 servers, two elections": (raft.cluster(3, clients=0), {"timeouts": {"election": 2}}),
}


def moves(space: Any, state: int) -> Iterator[tuple[int, Any, int, bool, tuple[int, ...]]]:
    """Every step: whose, of what kind, where it leads, whether it shows, which messages it sends."""
    for step, new in space.steps(state):
        outcome = step.outcome
        yield (outcome.node, (step.kind, step.what), space.after(step, new), outcome.judged is not None, outcome.sent)


def plain(space: Any, start: int) -> tuple[int, int]:
    """States and steps of the whole."""
    seen, waiting, steps = {start}, [start], 0
    while waiting:
        for _, _, new, _, _ in moves(space, waiting.pop()):
            steps += 1
            if new not in seen:
                seen.add(new)
                waiting.append(new)
    return len(seen), steps


def sleep_sets(space: Any, start: int) -> tuple[int, int]:
    """The same with sleep sets; a state that is met again with a smaller one is tried again.

    Source: P. Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, LNCS 1032, 1996, section 5.
    """
    bits: dict[Any, int] = {}
    of_node = [0] * len(space.names)
    asleep, waiting, steps = {start: 0}, [(start, 0, -1)], 0
    while waiting:
        state, sleep, wanted = waiting.pop()
        done = sleep
        for i, kind, new, _, _ in moves(space, state):
            bit = bits.setdefault((i, kind), 1 << len(bits))
            of_node[i] |= bit
            if sleep & bit or not wanted & bit:
                continue
            steps += 1
            after = done & ~of_node[i]
            done |= bit
            before = asleep.get(new)
            if before is None:
                asleep[new] = after
                waiting.append((new, after, -1))
            elif before & ~after:
                asleep[new] = before & after
                waiting.append((new, before & after, before & ~after))
    return len(asleep), steps


class Oracle:
    """Knows who can still send something to whom."""

    def __init__(self, space: Any) -> None:
        self.space, self._known, self._moves = space, {}, {}
        self._own = [FIELD << i * WIDTH for i in range(len(space.names))]
        for _, i, _, _, bit in space.flights.by_bit.values():
            self._own[i] |= bit

    def moves(self, state: int) -> list[Any]:
        if state not in self._moves:
            self._moves[state] = list(moves(self.space, state))
        return self._moves[state]

    def hears_more(self, state: int, i: int) -> bool:
        """Whether the others can send something to node i while it does nothing."""
        seen, waiting = set(), [state]
        while waiting:
            now = waiting.pop()
            key = i, now & ~self._own[i]
            if key in seen or self._known.get(key) is False:
                continue
            seen.add(key)
            targets = [(new, self.space.flights.messages[m][1]) for j, _, new, _, sent in self.moves(now) if j != i
                       for m in sent]
            if self._known.get(key) or any(target == self.space.names[i] for _, target in targets):
                self._known[i, state & ~self._own[i]] = True
                return True
            waiting += [new for j, _, new, _, _ in self.moves(now) if j != i]
        self._known.update(dict.fromkeys(seen, False))
        return False


def persistent_sets(space: Any, start: int, oracle: Oracle, invisible: bool) -> tuple[int, int]:
    """States and steps where the steps of one node stand for all, if they may."""
    seen, waiting, steps = {start}, [start], 0
    while waiting:
        state = waiting.pop()
        every = oracle.moves(state)
        chosen = every
        for i in sorted({move[0] for move in every}, key=lambda i: sum(move[0] == i for move in every)):
            own = [move for move in every if move[0] == i]
            if not (invisible and any(shows for _, _, _, shows, _ in own)) and not oracle.hears_more(state, i):
                chosen = own
                break
        for _, _, new, _, _ in chosen:
            steps += 1
            if new not in seen:
                seen.add(new)
                waiting.append(new)
    return len(seen), steps


def timed(search: Any, *arguments: Any) -> dict[str, Any]:
    began = time.process_time()
    states, steps = search(*arguments)
    return {"states": states, "steps": steps, "cpu_s": round(time.process_time() - began, 2)}


def main() -> None:
    gc.disable()
    for name, (system, bounds) in SYSTEMS.items():
        found: Exploration = explore(system, **bounds)
        assert found.passed or found.result == "exhausted"
        space, start = found.space, next(iter(found.parents))
        oracle = Oracle(space)
        print(json.dumps({
            "system": name, "whole": timed(plain, space, start), "sleep_sets": timed(sleep_sets, space, start),
            "persistent_sets": {"invisible": persistent_sets(space, start, oracle, True),
                                "final_states_only": persistent_sets(space, start, oracle, False)}}), flush=True)


if __name__ == "__main__":
    main()
