"""How fast the simulator is beside simpy on the same work: prints one JSON object.

Work: 100 nodes for 100 simulated seconds. Once a second each node pings three others, drawn at random, and
each of them answers; a message takes 5-50 ms. That makes 7 events per node and second. Our side
is an ordinary node class, with every check for crashes, partitions, loss and forbidden calls on. Peers:

- idiomatic simpy: a Store as inbox and a process per node, a process per message on its way;
- simpy's bare kernel: a Timeout with a callback per message, no node, no inbox, no checks.

The second work is Raft: five servers for 60 simulated seconds, with a client that asks ten times a second.
Times are CPU seconds, the best of several rounds in which all contestants take turns.

Run: python tests/benchmarks/sim.py
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import random
import time
from collections.abc import Callable

import simpy

from dslab.protocols import raft
from dslab.sim import Network, Node, Simulation, System, message

NODES, SECONDS, PINGS = 100, 100, 3
LATENCY = (5, 50)  # ms one way
RAFT_SECONDS, RAFT_RATE = 60, 10


@message
class Ping:
    """{source} asks {target} whether it is there (round {number})."""

    number: int


@message
class Pong:
    """{source} answers {target} (round {number})."""

    number: int


class Pinger(Node):
    """Pings three others once a second and counts the answers."""

    shows = ("answers",)  # what the trace records of the state

    def on_start(self):
        self.number = self.answers = 0
        self.set_timer("tick", after=1000)

    def on_tick_timeout(self):
        self.number += 1
        for peer in self.random.sample(self.peers, PINGS):
            self.send(peer, Ping(self.number))
        self.set_timer("tick", after=1000)

    def on_ping(self, sender, m):
        self.send(sender, Pong(m.number))

    def on_pong(self, sender, m):
        self.answers += 1


def dslab(record: bool) -> int:
    """Our simulator; returns the number of answers."""
    system = System(Pinger, NODES, network=Network(latency=LATENCY))
    sim = Simulation(system, 1, record=record).run(SECONDS * 1000)
    return sum(node.answers for node in sim.nodes.values())


def simpy_idiomatic() -> int:
    """simpy as its tutorials teach it."""
    dice, env = random.Random(1), simpy.Environment()
    inboxes = [simpy.Store(env) for _ in range(NODES)]
    others = [[i for i in range(NODES) if i != me] for me in range(NODES)]
    answers = [0] * NODES

    def travel(target, letter):
        yield env.timeout(dice.uniform(*LATENCY) / 1000)
        yield inboxes[target].put(letter)

    def tick(me):
        number = 0
        while True:
            yield env.timeout(1)
            number += 1
            for peer in dice.sample(others[me], PINGS):
                env.process(travel(peer, ("ping", me, number)))

    def serve(me):
        while True:
            kind, sender, number = yield inboxes[me].get()
            if kind == "ping":
                env.process(travel(sender, ("pong", me, number)))
            else:
                answers[me] += 1

    for me in range(NODES):
        env.process(tick(me))
        env.process(serve(me))
    env.run(until=SECONDS + 1e-9)
    return sum(answers)


def simpy_callbacks() -> int:
    """simpy's kernel alone: Timeouts with callbacks."""
    dice, env = random.Random(1), simpy.Environment()
    low, high = (ms / 1000 for ms in LATENCY)
    nodes = [Callbacks(env, dice, low, high) for _ in range(NODES)]
    for node in nodes:
        node.others = [other for other in nodes if other is not node]
        simpy.Timeout(env, 1).callbacks.append(node.tick)
    env.run(until=SECONDS + 1e-9)
    return sum(node.answers for node in nodes)


class Callbacks:
    """What a node is, written on bare Timeouts."""

    def __init__(self, env, dice, low, high):
        self.env, self.dice, self.low, self.high = env, dice, low, high
        self.number = self.answers = 0
        self.others = []

    def tick(self, event):
        self.number += 1
        for peer in self.dice.sample(self.others, PINGS):
            letter = simpy.Timeout(
                self.env, self.dice.uniform(self.low, self.high), ("ping", self, self.number)
            )
            letter.callbacks.append(peer.receive)
        simpy.Timeout(self.env, 1).callbacks.append(self.tick)

    def receive(self, event):
        kind, sender, number = event.value
        if kind == "ping":
            letter = simpy.Timeout(self.env, self.dice.uniform(self.low, self.high), ("pong", self, number))
            letter.callbacks.append(sender.receive)
        else:
            self.answers += 1


def raft_minute(record: bool) -> int:
    """Raft with a client; returns the number of answered commands."""
    requests = [
        {"at": at, "do": "request", "command": f"x={at}"}
        for at in range(1000, RAFT_SECONDS * 1000, 1000 // RAFT_RATE)
    ]
    sim = Simulation(raft.cluster(5), 1, requests, record=record).run(RAFT_SECONDS * 1000)
    return sum(operation["completed_us"] is not None for operation in sim.history)


CONTESTANTS: dict[str, Callable[[], int]] = {
    "dslab": lambda: dslab(False),
    "dslab_traced": lambda: dslab(True),
    "simpy_idiomatic": simpy_idiomatic,
    "simpy_callbacks": simpy_callbacks,
    "raft": lambda: raft_minute(False),
    "raft_traced": lambda: raft_minute(True),
}


def measure(rounds: int) -> tuple[dict[str, float], dict[str, int]]:
    """Best CPU seconds and the result of each contestant."""
    best = dict.fromkeys(CONTESTANTS, float("inf"))
    results = {}
    for _ in range(rounds):
        for name, work in CONTESTANTS.items():
            gc.collect()
            begin = time.process_time()
            results[name] = work()
            best[name] = min(best[name], time.process_time() - begin)
    return best, results


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="the best of this many counts (default: 5)")
    best, results = measure(parser.parse_args().rounds)
    events = (1 + 2 * PINGS) * NODES * SECONDS
    print(
        json.dumps(
            {
                "vs_simpy_idiomatic": round(best["simpy_idiomatic"] / best["dslab"], 2),
                "vs_simpy_idiomatic_traced": round(best["simpy_idiomatic"] / best["dslab_traced"], 2),
                "vs_simpy_callbacks": round(best["simpy_callbacks"] / best["dslab"], 2),
                "raft_60s_cpu_s": round(best["raft"], 4),
                "raft_60s_traced_cpu_s": round(best["raft_traced"], 4),
                "events_per_s": {
                    name: round(events / best[name]) for name in CONTESTANTS if not name.startswith("raft")
                },
                "answers": results,
                "python": platform.python_version(),
                "simpy": simpy.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
