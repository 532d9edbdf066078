"""The bytes for the browser hold the whole run, and a fork is its parent's beginning plus its own part."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from dslab.protocols import raft
from dslab.sim import Trace, simulate
from dslab.view import narrate, pack, read, shared_prefix

EVENT_COLUMNS = {
    "t": "time",
    "k": "kind",
    "n": "node",
    "c": "cause",
    "m": "message",
    "d": "detail",
    "p": "patch",
}


def random_schedule(seed: int, nodes: int = 5, actions: int = 12, until: int = 3000) -> list[dict[str, Any]]:
    """Faults of every kind at random times, requests among them."""
    random = Random(seed)
    servers = [f"n{i}" for i in range(1, nodes + 1)]
    schedule: list[dict[str, Any]] = []
    for _ in range(actions):
        a, b = random.sample(servers, 2)
        middle = random.randint(1, nodes - 1)
        shuffled = random.sample(servers, nodes)
        schedule.append(
            {
                "at": random.randint(0, until - 1),
                **random.choice(
                    [
                        {"do": "crash", "node": a},
                        {"do": "restart", "node": a},
                        {"do": "restart", "node": a, "disk": False},
                        {"do": "pause", "node": a},
                        {"do": "resume", "node": a},
                        {"do": "lose_disk", "node": a},
                        {"do": "skew", "node": a, "offset": 50, "rate": 2},
                        {"do": "timeout", "node": a, "timer": "election"},
                        {"do": "partition", "groups": [shuffled[:middle], shuffled[middle:]]},
                        {"do": "partition", "groups": [shuffled[:middle]], "in_flight": "held"},
                        {"do": "heal"},
                        {"do": "cut", "source": a, "target": b},
                        {"do": "mend", "source": a, "target": b},
                        {"do": "link", "source": a, "target": b, "loss": 0.5, "duplicate": 0.5},
                        {"do": "drop", "message": random.randint(0, 200)},
                        {"do": "hold", "message": random.randint(0, 200)},
                        {"do": "delay", "message": random.randint(0, 200), "by": 30},
                        {"do": "duplicate", "message": random.randint(0, 200)},
                        {"do": "request", "command": f"x={random.randint(0, 9)}"},
                    ]
                ),
            }
        )
    return schedule


def decode(chunk: bytes) -> dict[str, Any]:
    """What static/trace.js does with the bytes."""
    raw = json.loads(chunk)
    strings, payloads = raw["strings"], raw["payloads"]
    clock, events, messages = 0, [], []
    for t, k, n, c, m, d, p, s in zip(*(raw["e"][name] for name in "tkncmdps"), strict=True):
        clock += t
        events.append(
            {
                "time": clock,
                "kind": strings[k],
                "node": None if n < 0 else strings[n],
                "cause": None if c < 0 else c,
                "message": None if m < 0 else m,
                "detail": None if d < 0 else payloads[d],
                "patch": [] if p < 0 else payloads[p],
                "says": None if s < 0 else raw["says"][s],
            }
        )
    for f, o, y, s, u, x, w, p in zip(*(raw["m"][name] for name in "foysuxwp"), strict=True):
        messages.append(
            {
                "source": strings[f],
                "target": strings[o],
                "type": strings[y],
                "sent": s,
                "due": u,
                "end": None if x < 0 else x,
                "fate": strings[w],
                "fields": payloads[p] if p >= 0 else {},
            }
        )
    return {
        "first": raw["first"],
        "m0": raw["m0"],
        "over": raw["over"],
        "events": events,
        "messages": messages,
    }


def join(parent: dict[str, Any], child: dict[str, Any]) -> dict[str, Any]:
    """A branch put together from its parent and its own part."""
    messages = [dict(m) for m in parent["messages"][: child["m0"]]] + child["messages"]
    for number, (due, end, fate) in child["over"].items():
        messages[int(number)].update(due=due, end=None if end < 0 else end, fate=fate)
    return {"events": parent["events"][: child["first"]] + child["events"], "messages": messages}


def fold(events: list[dict[str, Any]], trace: Trace) -> list[dict[str, dict[str, Any]]]:
    """The state after each event, by patches alone."""
    status = {"start": "up", "restart": "up", "crash": "crashed", "pause": "paused", "resume": "up"}
    state: dict[str, dict[str, Any]] = {n: {"status": "crashed"} for n in [*trace.servers, *trace.clients]}
    states = []
    for event in events:
        if event["node"] is not None:
            fields = dict(state[event["node"]])
            effective = not (isinstance(event["detail"], dict) and "ignored" in event["detail"])
            if event["kind"] in status and effective:
                fields["status"] = status[event["kind"]]
            for field, *change in event["patch"]:
                if field[0] == "@":
                    continue
                if len(change) == 1:
                    fields[field] = change[0]
                else:
                    start, removed, items = change
                    fields[field] = fields[field][:start] + items + fields[field][start + removed :]
            state = {**state, event["node"]: fields}
        states.append(state)
    return states


@pytest.mark.parametrize("seed", range(6))
def test_decoded_bytes_give_the_state_after_every_event(seed: int) -> None:
    """Folding the decoded patches gives what Trace.state_at says, in runs with random faults."""
    trace = simulate(raft.cluster(5), seed=seed, schedule=random_schedule(seed), until=2000)
    reading = read(trace)
    decoded = decode(pack(reading, narrate(reading)))
    for event, record in zip(decoded["events"], trace.events, strict=True):
        assert (
            event["time"],
            event["kind"],
            event["node"],
            event["cause"],
            event["message"],
            event["detail"],
            event["patch"],
        ) == tuple(record[1:])
    for message, sent in zip(decoded["messages"], trace.messages, strict=True):
        assert (
            message["source"],
            message["target"],
            message["type"],
            message["fields"],
            message["sent"],
            message["due"],
            message["end"],
            message["fate"],
        ) == (
            sent.source,
            sent.target,
            sent.type,
            sent.fields,
            sent.sent_event,
            sent.due_us,
            sent.end_event,
            sent.fate,
        )
    states = fold(decoded["events"], trace)
    for event in range(0, len(states), 7):
        assert states[event] == trace.state_at(event)
    assert states[-1] == trace.state_at(len(states) - 1)


@pytest.mark.parametrize("seed", range(12))
def test_a_fork_is_its_parents_beginning_and_its_own_part(seed: int) -> None:
    """Whatever the parent did later, its shared events and the child's bytes make the whole child."""
    random = Random(seed)
    schedule = sorted(random_schedule(seed), key=lambda action: action["at"])
    at = random.randint(0, 1800)
    action = {
        "at": at,
        **random.choice(
            [
                {"do": "crash", "node": "n1"},
                {"do": "drop", "message": 40},
                {"do": "heal"},
                {"do": "partition", "groups": [["n1", "n2"]], "in_flight": "held"},
                {"do": "request", "command": "z=1"},
            ]
        ),
    }
    parent = read(simulate(raft.cluster(5), seed=3, schedule=schedule, until=2000))
    child = read(
        simulate(
            raft.cluster(5), seed=3, until=2000, schedule=[*(a for a in schedule if a["at"] <= at), action]
        )
    )
    first = shared_prefix(child, parent)
    assert joined_equal(decode(pack(parent)), decode(pack(child, first=first)), decode(pack(child)))
    assert len(pack(child, first=first)) <= len(pack(child))


def joined_equal(parent: dict[str, Any], delta: dict[str, Any], full: dict[str, Any]) -> bool:
    joined = join(parent, delta)
    return joined["events"] == full["events"] and joined["messages"] == full["messages"]


def test_a_fork_without_an_action_has_no_events_of_its_own() -> None:
    """A child equal to its parent needs nothing but what was in the air at the end."""
    reading = read(simulate(raft.cluster(3), seed=1, until=1000))
    first = shared_prefix(reading, reading)
    delta = decode(pack(reading, first=first))
    assert first == len(reading.events) and delta["events"] == [] and delta["messages"] == []
    assert joined_equal(decode(pack(reading)), delta, decode(pack(reading)))


def test_equal_runs_give_equal_bytes_and_ten_seconds_fit_a_saved_notebook() -> None:
    """The bytes are a function of the run; ten seconds of five servers with nineteen requests are small."""
    schedule = [{"at": 500 * i, "do": "request", "command": f"x={i}"} for i in range(1, 20)]
    one, two = (read(simulate(raft.cluster(5), seed=7, schedule=schedule)) for _ in range(2))
    packed = pack(one, narrate(one))
    assert packed == pack(two, narrate(two))
    assert len(packed) < 256 * 1024


def test_a_trace_read_from_json_packs_alike() -> None:
    """A trace that came from a file gives the same events; only glosses need the message classes."""
    trace = simulate(raft.cluster(3), seed=2, until=1500)
    again = Trace.from_json(trace.to_json())
    one, two = decode(pack(read(trace))), decode(pack(read(again)))
    assert one["events"] == two["events"] and one["messages"] == two["messages"]
