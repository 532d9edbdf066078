"""A SIGKILL in the middle of a write: one replica has it, nobody was told."""

from __future__ import annotations

from dslab.check.history import check_history
from dslab.live.half_write import kill_in_a_write
from dslab.protocols import quorum_steps


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
