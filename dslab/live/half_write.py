"""A replica that is killed while it coordinates a write: the write is on its disk and nowhere else.

Any system can be used whose servers show `versions`, {key: [version, value]}, as those of quorum.py and abd.py do.
"""

from __future__ import annotations

from dslab.sim import System, Trace

from .running import LiveError, start

SECONDS = 60            # for anything on a busy machine
ATTEMPTS = 10           # a machine that stands still for a moment lets the write get further before the kill comes
SLOW = 200              # ms that a message of the coordinator takes: long enough to kill it before the next arrives


def kill_in_a_write(system: System, *, seed: int = 1) -> Trace:
    """Writes x=1, then kills the first server as soon as it has stored x=2 itself; others read; it comes back.

    Args:
        system: at least three servers and three clients; commands are "x=1" and "x".
        seed: of the nodes' random numbers.

    Returns:
        The trace, in which every request is answered, that for x=2 too.

    Raises:
        LiveError, NodeError: see `start`; or the kill came too late, again and again.
    """
    first, *others = system.servers
    for _ in range(ATTEMPTS):
        trace = _kill_in_a_write(system, seed)
        crash = next(event for event in trace.events if event.kind == "crash")
        at_that_moment = trace.state_at(crash.id)
        if not any(at_that_moment[peer]["versions"]["x"][1] == "2" for peer in others):
            return trace
    raise LiveError(f"this machine is too busy: {first} was killed too late {ATTEMPTS} times; try again later")


def _kill_in_a_write(system: System, seed: int) -> Trace:
    first, second, third, *_ = system.servers
    with start(system, seed=seed) as running:
        running.request("x=1", to=first, client="c1").result(SECONDS)
        for peer in system.servers[1:]:
            running.link(first, peer, latency=SLOW)
        writing = running.request("x=2", to=first, client="c1")
        running.wait(lambda states: states[first].versions["x"][1] == "2", SECONDS)
        running.crash(first)
        running.request("x", to=second, client="c2").result(SECONDS)
        running.restart(first)
        running.request("x", to=third, client="c3").result(SECONDS)
        writing.result(SECONDS)
        running.request("x", to=second, client="c2").result(SECONDS)
        return running.trace()
