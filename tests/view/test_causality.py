"""Happened-before three ways: vector clocks in Python, reachability here, and the walk that the browser draws."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dslab import Node, System, Trace, message, simulate
from dslab.protocols import raft
from dslab.view import pack, read
from dslab.view.causality import Causality

STATIC = Path(__file__).parents[2] / "dslab" / "widgets" / "static"
SCRIPT = f"""
import {{ assembleTrace, decodeChunk }} from {json.dumps((STATIC / "trace.js").as_uri())};
import {{ causalPath, coneOf, lamportTimes, relation }} from {json.dumps((STATIC / "causality.js").as_uri())};
import {{ readFileSync }} from "node:fs";
const sorted = (set) => [...set].sort((a, b) => a - b);
const result = JSON.parse(readFileSync(0, "utf8")).map(({{ spec, chunk, events, pairs }}) => {{
  const trace = assembleTrace([{{ id: "A", parent: null }}], {{ A: decodeChunk(chunk) }}, "A", spec);
  const cones = events.map((i) => coneOf(trace, i));
  return {{
    lamport: [...lamportTimes(trace)],
    cones: cones.map((cone) => ({{ ...cone, past: sorted(cone.past), future: sorted(cone.future) }})),
    relations: pairs.map(([a, b]) => relation(trace, a, b)),
    paths: pairs.map(([a, b]) => causalPath(trace, a, b)),
  }};
}});
console.log(JSON.stringify(result));
"""


def random_run(seed: int) -> Trace:
    """A cluster under faults of every kind."""
    dice = random.Random(seed)
    nodes = dice.choice([2, 3, 5])
    system = raft.cluster(nodes)
    names = system.servers
    actions: list[dict[str, Any]] = []
    for at in sorted(dice.sample(range(150, 900), dice.randint(2, 14))):
        node = dice.choice(names)
        number = dice.randint(0, 40)
        actions.append({"at": at} | dice.choice([
            {"do": "crash", "node": node}, {"do": "restart", "node": node}, {"do": "pause", "node": node},
            {"do": "resume", "node": node}, {"do": "request", "command": f"x={at}"}, {"do": "heal"},
            {"do": "partition", "groups": [[node]], "in_flight": dice.choice(["held", "lost"])},
            {"do": "hold", "message": number}, {"do": "release", "message": number}, {"do": "timeout", "node": node},
            {"do": "duplicate", "message": number}, {"do": "drop", "message": number},
            {"do": "delay", "message": number, "by": 30}, {"do": "skew", "node": node, "offset": 40},
        ]))
    return simulate(system, seed=seed, schedule=actions, until=1000)


def reachable(trace: Trace) -> list[set[int]]:
    """The events before each event, by following edges: same node, cause, sending."""
    before: list[set[int]] = []
    latest: dict[str, int] = {}
    for event in trace.events:
        about_message = event.message is not None and event.kind != "deliver"
        edges = [event.cause, latest.get(event.node or "") if not about_message else None]
        edges += [trace.messages[event.message].sent_event] if event.message is not None else []
        before.append(set().union(*({edge} | before[edge] for edge in edges if edge is not None and edge < event.id)))
        if event.node and not about_message:
            latest[event.node] = event.id
    return before


def longest(before: list[set[int]]) -> list[int]:
    """Lamport times as lengths of longest paths."""
    lengths: list[int] = []
    for past in before:
        lengths.append(1 + max((lengths[i] for i in past), default=0))
    return lengths


def test_vector_clocks_equal_reachability() -> None:
    for seed in range(10):
        trace = random_run(seed)
        causality, before = Causality(trace), reachable(trace)
        assert causality.lamport == longest(before)
        for i in range(0, len(trace), 5):
            assert causality.past(i) == before[i]
            assert causality.future(i) == {j for j, past in enumerate(before) if i in past}
            assert causality.concurrent(i) == set(range(len(trace))) - causality.past(i) - causality.future(i) - {i}


@pytest.mark.needs("node")
def test_what_the_browser_draws_equals_vector_clocks_on_100_traces() -> None:
    """Past, future, number of concurrent events, vector and Lamport times, verdicts on pairs and their paths."""
    given, expected = [], []
    for seed in range(100):
        trace = random_run(seed)
        dice = random.Random(-seed)
        events = dice.sample(range(len(trace)), 12)
        pairs = [dice.sample(range(len(trace)), 2) for _ in range(12)]
        spec = {"servers": trace.servers, "clients": trace.clients}
        given.append({"spec": spec, "chunk": pack(read(trace)).decode(), "events": events, "pairs": pairs})
        expected.append((trace, Causality(trace), events, pairs))
    run = subprocess.run(["node", "--input-type=module", "-e", SCRIPT], input=json.dumps(given), text=True,
                         capture_output=True, check=False)
    assert run.returncode == 0, run.stderr
    for (trace, causality, events, pairs), seen in zip(expected, json.loads(run.stdout), strict=True):
        nodes = [*trace.servers, *trace.clients]
        assert seen["lamport"] == causality.lamport
        for i, cone in zip(events, seen["cones"], strict=True):
            assert cone["past"] == sorted(causality.past(i)) and cone["future"] == sorted(causality.future(i))
            assert cone["concurrent"] == len(causality.concurrent(i))
            assert cone["vector"] == {p: count for p, count in causality.vectors[i].items() if p in nodes}
        for (a, b), said, path in zip(pairs, seen["relations"], seen["paths"], strict=True):
            before, after = causality.before(a, b), causality.before(b, a)
            assert said == ("before" if before else "after" if after else "concurrent")
            assert (path is not None) == before
            assert not before or is_shortest(trace, path, a, b)


def is_shortest(trace: Trace, path: list[int], a: int, b: int) -> bool:
    """A path along edges, with as few of them between lanes as any: by Bellman's rule, forwards."""
    lanes = [None if e.message is not None and e.kind != "deliver" else e.node for e in trace.events]
    latest: dict[str, int] = {}
    cost: dict[int, int] = {a: 0}
    edges: set[tuple[int, int]] = set()
    for event in trace.events:
        lane = lanes[event.id]
        sent = None if event.message is None else trace.messages[event.message].sent_event
        for edge, price in ((latest.get(lane) if lane else None, 0), (event.cause, 1), (sent, 1)):
            if edge is None:
                continue
            edges.add((edge, event.id))
            if edge in cost:
                cost[event.id] = min(cost.get(event.id, len(trace)), cost[edge] + price)
        if lane:
            latest[lane] = event.id
    paid = sum(lanes[i] is None or lanes[i] != lanes[j] for i, j in itertools.pairwise(path))
    return path[0] == a and path[-1] == b and set(itertools.pairwise(path)) <= edges and paid <= cost[b]


@message
class Hello:
    pass


class Greeter(Node):
    def on_start(self) -> None:
        if self.id == "n1":
            self.send("n2", Hello())


def test_nobody_learns_of_a_message_that_is_lost() -> None:
    """The worst input: the loss is recorded at the receiver, who must stay concurrent with the sender."""
    trace = simulate(System(Greeter, nodes=2), seed=1, until=100, schedule=[
        {"at": 0, "do": "cut", "source": "n1", "target": "n2"}, {"at": 90, "do": "timeout", "node": "n2"},
        {"at": 95, "do": "pause", "node": "n2"}])
    lost = next(e for e in trace.events if e.kind == "drop")
    pause = next(e for e in trace.events if e.kind == "pause")
    sender = trace.messages[0].sent_event
    causality = Causality(trace)
    assert lost.node == "n2" and sender is not None
    assert causality.before(sender, lost.id) and not causality.before(sender, pause.id)
    assert sender in causality.concurrent(pause.id)
