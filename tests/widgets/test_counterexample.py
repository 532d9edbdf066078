"""What a search found, opened where it matters."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dslab import DslabError, Lab, show_counterexample
from dslab.check.invariants import first_violation
from dslab.protocols import raft, raft_cases, raft_variants
from dslab.sim import simulate


class Found(SimpleNamespace):
    """Stands for the result of a search."""

    def __repr__(self) -> str:
        return f"{self.result} after 42 states"


@pytest.fixture
def violated() -> Found:
    case = raft_cases.FIGURE_8
    system = raft.cluster(case.nodes, server=raft_variants.CommitsAnyTerm, clients=case.clients)
    trace = simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)
    return Found(result="violated", case=case, system=system, verdict=first_violation(trace, system.always))


def test_a_violation_opens_one_step_before_it(violated: Found, capsys: pytest.CaptureFixture[str]) -> None:
    """The cursor stands after the last event of an earlier time, and the sentence is printed."""
    lab = show_counterexample(violated)
    assert isinstance(lab, Lab) and capsys.readouterr().out == "violated after 42 states\n"
    event = next(v.event for v in lab.verdicts() if v.name == violated.verdict.name)
    times = [e.time_us for e in lab.trace().events]
    assert lab.cursor["event"] < event and times[lab.cursor["event"]] < times[event]
    assert all(time == times[event] for time in times[lab.cursor["event"] + 1 : event + 1])
    assert lab.schedule() == violated.case.schedule


@pytest.mark.parametrize("result", ["exhausted", "budget spent"])
def test_without_a_violation_there_is_only_the_sentence(result: str) -> None:
    """A spent budget is told as it is, and nothing is opened."""
    found = Found(result=result, case=None, system=None, verdict=None)
    assert show_counterexample(found) == f"{result} after 42 states"


def test_anything_else_is_refused() -> None:
    """The error says what to give."""
    with pytest.raises(DslabError, match="what explore"):
        show_counterexample("paxos")
