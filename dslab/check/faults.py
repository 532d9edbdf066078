"""Random faults: schedules of crashes, partitions, bad links, wrong clocks, and requests, all from one seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from dslab.sim import System

Action = dict[str, Any]
PAUSE_MS = (20, 250)         # between two actions
KINDS = ("request", "crash", "restart", "partition", "heal", "loss", "duplicate")
HOSTILE = (*KINDS, "reboot", "timeout")     # adds short outages, and timers that run out at the worst moment
EVERYTHING = (*HOSTILE, "pause", "cut", "slow", "skew")     # adds one-way cuts, late messages, and clocks that go wrong
CHURN = ("request", "join", "leave", "crash", "restart")     # for systems whose servers come and go
WEIGHTS = {"request": 3}     # the others have 1


def random_schedule(system: System, seed: int, until: float, kinds: Sequence[str] = KINDS) -> list[Action]:
    """A schedule of random actions.

    Args:
        system: whose nodes the actions name.
        seed: any integer; equal seeds give equal schedules.
        until: no action at or after this time, ms.
        kinds: which of EVERYTHING and CHURN may occur.

    Returns:
        Actions in order of time. Servers may be down and links cut when it ends.
    """
    random = Random(f"faults/{seed}")
    makers: dict[str, Callable[[], Action | None]] = {}
    down: list[str] = []
    absent = list(system.absent)
    servers = system.servers
    numbers = iter(range(1, 1_000_000))
    schedule: list[Action] = []
    at = 0

    def crash() -> Action | None:
        up = [server for server in servers if server not in down and server not in absent]
        if not up:
            return None
        down.append(random.choice(up))
        return {"do": "crash", "node": down[-1]}

    def restart() -> Action | None:
        return {"do": "restart", "node": down.pop(random.randrange(len(down)))} if down else None

    def reboot() -> Action | None:
        up = [server for server in servers if server not in down and server not in absent]
        if not up:
            return None
        node = random.choice(up)
        schedule.append({"at": at, "do": "crash", "node": node})
        return {"do": "restart", "node": node}

    def join() -> Action | None:
        return {"do": "join", "node": absent.pop(random.randrange(len(absent)))} if absent else None

    def leave() -> Action | None:
        up = [server for server in servers if server not in down and server not in absent]
        if len(up) < 2:
            return None
        absent.append(random.choice(up))
        return {"do": "leave", "node": absent[-1]}

    def link(change: str) -> Action | None:
        if len(servers) < 2:
            return None
        source, target = random.sample(servers, 2)
        return {"do": "link", "source": source, "target": target, change: random.choice([0.2, 0.5, 0.9])}

    makers["join"], makers["leave"] = join, leave
    makers["request"] = lambda: {"do": "request", "command": f"x={next(numbers)}", "to": random.choice(servers)}
    makers["crash"], makers["restart"], makers["reboot"] = crash, restart, reboot
    makers["timeout"] = lambda: {"do": "timeout", "node": random.choice(servers)}
    makers["partition"] = lambda: {
        "do": "partition", "groups": [sorted(random.sample(servers, random.randint(1, max(1, len(servers) - 1))))]}
    def pause() -> Action:
        node = random.choice(servers)
        schedule.append({"at": at, "do": "pause", "node": node})
        return {"at": at + random.choice([20, 200, 800]), "do": "resume", "node": node}

    def cut() -> Action | None:
        if len(servers) < 2:
            return None
        source, target = random.sample(servers, 2)
        return {"do": random.choice(["cut", "cut", "mend"]), "source": source, "target": target}

    def slow() -> Action | None:
        if len(servers) < 2:
            return None
        source, target = random.sample(servers, 2)
        return {"do": "link", "source": source, "target": target, "latency": random.choice([1, [1, 100], 300])}

    makers["pause"], makers["cut"], makers["slow"] = pause, cut, slow
    makers["skew"] = lambda: {"do": "skew", "node": random.choice(servers), "rate": random.choice([0.5, 0.9, 1, 2])}
    makers["heal"] = lambda: {"do": "heal"}
    makers["loss"], makers["duplicate"] = lambda: link("loss"), lambda: link("duplicate")

    bag = [kind for kind in kinds for _ in range(WEIGHTS.get(kind, 1))]
    while True:
        at += random.randint(*PAUSE_MS)
        if at >= until:
            return sorted((act for act in schedule if act["at"] < until), key=lambda act: act["at"])
        made = makers[random.choice(bag)]()
        if made is not None:
            schedule.append({"at": at, **made})
