"""How long a cluster is without a leader when its leader is killed: measured on processes, predicted by the simulator.

Source of the question: D. Ongaro, J. Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC
2014, section 9.3. Any class that shows `role` and is "leader" in one server can be measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from statistics import mean, median
from typing import Any

from dslab.sim import Network, Simulation, System, Trace

from .running import LiveError, Running, start

SECONDS = 60            # for anything on a busy machine
PATIENCE = 3            # s for heartbeats to bring a restarted server up to date; then a read is asked for
LIMIT = 60_000          # simulated ms to find a leader
TRIALS = 200            # simulated kills
PAUSE = 0.15            # s; up to so long after requests a leader is killed


def leading(states: dict[str, Any]) -> str | None:
    """The server that leads, in the latest term if there are terms, or None."""
    leaders = [name for name, state in states.items()
               if getattr(state, "role", None) == "leader" and state.status == "up"]
    return max(leaders, key=lambda name: getattr(states[name], "term", 0), default=None)


def without_leader(trace: Trace) -> list[float]:
    """ms from each crash of a leader to the moment at which another server leads, in order; the last may be missing."""
    times = []
    begin: tuple[int, str] | None = None
    events = trace.events
    for world in trace.states():
        node = world.changed
        if node is None or getattr(node, "role", None) != "leader":
            continue
        event = events[world.event]
        if event.kind == "crash" and begin is None:
            begin = event.time_us, node.id
        elif begin is not None and node.status == "up" and node.id != begin[1]:
            times.append((event.time_us - begin[0]) / 1000)
            begin = None
    return times


def kill_leaders(system: System, *, kills: int = 20, seed: int = 1,
                 progress: Callable[[], object] = lambda: None) -> Trace:
    """Runs a system on processes and kills its leader again and again, while its clients write and read.

    Args:
        system: such as raft.cluster(5); commands are "x=1" and "x".
        kills: how often.
        seed: of the nodes' random numbers.
        progress: called after each kill.

    Returns:
        The trace. Each killed server is started again on its disk before the next is killed.

    Raises:
        LiveError, NodeError: see `start`.
    """
    dice = Random(f"{seed}/kills")
    with start(system, seed=seed) as running:
        for kill in range(kills):
            running.wait(leading, SECONDS)
            asked = [running.request(f"x={kill}.{number}" if (kill + number) % 3 else "x", client=client)
                     for number, client in enumerate(system.clients)]
            time.sleep(dice.uniform(0, PAUSE))               # the kill comes at any point between two heartbeats
            leader = running.wait(leading, SECONDS)
            running.crash(leader)
            running.wait(leading, SECONDS)
            for future in asked:
                future.result(SECONDS)
            running.restart(leader)
            catch_up(running)
            progress()
        last = [running.request("x", client=client) for client in system.clients]
        for future in last:
            future.result(SECONDS)
        catch_up(running)
        return running.trace()


def catch_up(running: Running) -> None:
    """Waits until all servers follow one leader, have the same log and have committed all of it.

    Heartbeats alone need not bring that about: a new leader leaves entries of older terms uncommitted until it has one
    of its own (Raft, section 5.4.2), and does not cut off what a follower's log has in excess. So a read is asked for
    whenever that takes long.

    Raises:
        LiveError: not within minutes.
    """
    def agreed(states: dict[str, Any]) -> bool:
        return _agree([states[server] for server in running.system.servers])

    for client in running.system.clients[:1] * (SECONDS // PATIENCE):
        with suppress(LiveError):
            running.wait(agreed, PATIENCE)
            return
        running.request("x", client=client).result(SECONDS)
    running.wait(agreed, SECONDS)


def _agree(servers: Sequence[Any]) -> bool:
    """All have heard of the same leader and have the same log, committed as far."""
    return all(getattr(s, field, None) == getattr(servers[0], field, None)
               for s in servers for field in ("leader", "log", "commit_index"))


def measured(trace: Trace) -> dict[str, tuple[float, float]]:
    """What the machine needed, in ms, for a message's way and for a durable write; both with the wait for a processor.

    Returns:
        {"latency": (lowest, highest), "disk": (lowest, highest)}, as a System takes them: the 5th percentile, and what
        gives the uniform distribution the mean of what was measured, the slowest twentieth left out.
    """
    ways = [m.end_us - m.sent_us for m in trace.messages if m.fate == "delivered" and m.end_us is not None]
    events = trace.events
    writes = [e.time_us - events[e.cause].time_us for e in events if e.kind == "write" and e.cause is not None]
    return {"latency": _range_ms(ways), "disk": _range_ms(writes)}


def _range_ms(times: list[int]) -> tuple[float, float]:
    ordered = sorted(times) or [0]
    usual = ordered[:len(ordered) - len(ordered) // 20]
    low = ordered[len(ordered) // 20]
    return low / 1000, round(2 * mean(usual) - low) / 1000


def predicted(system: System, *, trials: int = TRIALS, seed: int = 1) -> list[float]:
    """The simulator's times without a leader, for a leader that dies at a random moment.

    Args:
        system: whose latency and disk time are those of the machine in question.
        trials: how many runs, each with another seed.
        seed: trial k is the same however many there are.

    Returns:
        ms, one per trial.
    """
    return [_trial(system, Random(f"{seed}/downtime/{number}")) for number in range(trials)]


def _trial(system: System, dice: Random) -> float:
    seed = dice.getrandbits(48)

    def led(sim: Simulation, but: str | None = None) -> str | None:
        return next((name for name, node in sim.nodes.items()
                     if name != but and getattr(node, "role", None) == "leader"), None)

    sim = Simulation(system, seed, record=False).run(LIMIT, stop=lambda sim: led(sim) is not None)
    later = sim.now_us / 1000 + dice.uniform(500, 1500)      # all have heard of it; at any point between two heartbeats
    leader = led(Simulation(system, seed, record=False).run(later))
    if leader is None:
        raise LiveError(f"{system.name} has no leader that lasts a second in the simulator; nothing can be predicted")
    crash = {"at": later, "do": "crash", "node": leader}
    sim = Simulation(system, seed, [crash], record=False)
    sim.run(later + LIMIT, stop=lambda sim: sim.now_us > later * 1000 and led(sim, but=leader) is not None)
    return sim.now_us / 1000 - later


@dataclass(frozen=True)
class Downtimes:
    """Times without a leader from several sources, side by side.

    Attributes:
        times: {source: ms, one per kill}.
        note: what was measured how, or why something is missing.
    """

    times: dict[str, list[float]]
    note: str

    def summary(self) -> dict[str, dict[str, float]]:
        """{source: kills, min, median, mean, p90 and max}, ms."""
        return {source: {"kills": len(times), "min": round(min(times), 1), "median": round(median(times), 1),
                         "mean": round(mean(times), 1), "p90": round(sorted(times)[int(0.9 * (len(times) - 1))], 1),
                         "max": round(max(times), 1)} for source, times in self.times.items() if times}

    def __str__(self) -> str:
        rows = self.summary()
        width = max(map(len, ["ms", *rows]))
        columns = ("kills", "min", "median", "mean", "p90", "max")
        lines = [f"{'ms':{width}}" + "".join(f"{column:>9}" for column in columns)]
        lines += [f"{source:{width}}" + "".join(f"{row[c]:9.0f}" for c in columns) for source, row in rows.items()]
        return "\n".join([*lines, self.note])

    __repr__ = __str__


def compare_with_processes(system: System, *, kills: int = 20, trials: int = TRIALS, seed: int = 1,
                           progress: Callable[[], object] = lambda: None) -> tuple[Downtimes, Trace]:
    """Kills leaders on processes, and predicts the same in the simulator with this machine's latency and disk times.

    Args:
        system, kills, seed, progress: see `kill_leaders`.
        trials: simulated kills.

    Returns:
        The times without a leader, and the trace of the processes.
    """
    trace = kill_leaders(system, kills=kills, seed=seed, progress=progress)
    machine = measured(trace)
    twin = system.replace(network=Network(latency=machine["latency"]))
    twin.disk = machine["disk"]
    told = ", ".join(f"{name} {low:.2f} to {high:.2f} ms" for name, (low, high) in machine.items())
    return Downtimes({"processes": without_leader(trace), "simulator": predicted(twin, trials=trials, seed=seed)},
                     f"The simulator was given what this machine needed: {told}."), trace
