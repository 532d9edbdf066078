"""A SIGKILL in the middle of a write: one replica has it, nobody was told."""

from __future__ import annotations

import pytest

from dslab.check.history import check_history
from dslab.live import LiveError, half_write
from dslab.live.half_write import kill_in_a_write
from dslab.protocols import quorum_steps
from dslab.sim import simulate


def test_a_write_that_was_cut_short_is_finished_or_not_and_never_both():
    """The coordinator held x=2 alone when it was killed; whatever readers saw, one register could have answered so."""
    trace = kill_in_a_write(quorum_steps.restarted(3, clients=3))
    crash = next(event for event in trace.events if event.kind == "crash")
    held = {name: trace.state_at(crash.id)[name]["versions"]["x"][1] for name in ("n2", "n3")}
    assert held == {"n2": "1", "n3": "1"}
    assert check_history(trace).verdict == "ok"
    results = [(one["command"], one["result"]) for one in trace.history]
    assert results[0] == ("x=1", "1") and ("x=2", "2") in results
    assert results[-1] == ("x", "2")     # c1 was told that x is 2 before c2 asked again


def simulated(crash_ms):
    """The same two writes in the simulator, n1 killed at some time after the second."""
    asked = [{"at": at, "do": "request", "client": "c1", "to": "n1", "command": command}
             for at, command in ((10, "x=1"), (500, "x=2"))]  # fmt: skip
    crash = {"at": crash_ms, "do": "crash", "node": "n1"}
    return simulate(quorum_steps.restarted(3, clients=3), seed=1, until=1500, schedule=[*asked, crash])


def test_a_kill_that_comes_too_late_is_tried_again(monkeypatch):
    """A busy machine does that; nobody is shown a write that is half done and is not."""
    late = simulated(1000)
    alone = next(world for world in iter(late.states()) if getattr(world.changed, "id", "") == "n1"
                 and world.changed.versions.get("x", [0, None])[1] == "2")  # fmt: skip
    in_time = simulated(late.events[alone.event].time_us // 1000 + 1)
    runs = [late, late, in_time, late]
    monkeypatch.setattr(half_write, "_kill_in_a_write", lambda system, seed: runs.pop(0))
    assert kill_in_a_write(quorum_steps.restarted(3, clients=3)) is in_time
    monkeypatch.setattr(half_write, "_kill_in_a_write", lambda system, seed: late)
    with pytest.raises(LiveError, match="n1 was killed too late 10 times"):
        kill_in_a_write(quorum_steps.restarted(3, clients=3))
