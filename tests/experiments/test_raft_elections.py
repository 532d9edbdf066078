"""The elections that we measure are those of the Raft paper's Figure 16, and of a closed form."""

from __future__ import annotations

from functools import lru_cache
from math import comb

import numpy as np
import pytest

from dslab.check.invariants import check_trace
from dslab.experiments.election_figures import published
from dslab.experiments.raft_elections import (
    Elections,
    FreshTimers,
    LeaderCrash,
    measure,
    run_trials,
    trial_seed,
)
from dslab.sim import simulate

NEW_LEADER = 2  # the term that follows the crashed leader's


@lru_cache
def elections(low: float, high: float, trials: int = 1000) -> Elections:
    """A measurement that several tests look at."""
    return measure(LeaderCrash((low, high)), trials=trials, seed=1)


def numbers(low: float, high: float) -> dict[str, float]:
    """Its numbers."""
    return elections(low, high).summary()


@pytest.mark.parametrize(
    ("timeouts", "tolerance"),
    [((150, 155), 0.20), ((150, 200), 0.10), ((150, 300), 0.10), ((50, 100), 0.10), ((12, 24), 0.10)],
)
def test_medians_means_and_maxima_are_the_papers(timeouts, tolerance):
    """Raft paper, Figure 16: 1000 trials per range; a maximum of 1000 varies by up to half."""
    ours, paper = numbers(*timeouts), published()[LeaderCrash(timeouts)].numbers
    assert ours["median"] == pytest.approx(paper["median"], rel=tolerance)
    assert ours["mean"] == pytest.approx(paper["mean"], rel=tolerance)
    assert paper["max"] / 1.6 <= ours["max"] <= paper["max"] * 1.6


def test_without_randomness_ten_seconds_pass():
    """Raft paper, section 9.3: without randomness, elections consistently took more than 10 s."""
    without = measure(LeaderCrash((150, 150)), trials=20, seed=1, limit=10_001)
    assert without.summary()["median"] > 10_000
    assert without.given_up > 10


def test_more_randomness_shortens_every_election():
    """Figure 16, top: the curves of 150-151, 150-155 and 150-175 ms lie in this order from the right."""
    most, some, least = (elections(150, high, trials=300).summary() for high in (151, 155, 175))
    for name in ("mean", "p90", "max"):
        assert most[name] > some[name] > least[name]


def test_split_votes_show_as_steps():
    """150-155 ms: a split vote costs another whole timeout, so the curve rises again near 240 and 400 ms."""
    times = elections(150, 155).times

    def share(low: float, high: float) -> float:
        return float(np.mean((times >= low) & (times < high)))

    assert share(80, 175) > 0.2
    assert share(175, 235) < 0.02
    assert share(235, 325) > 0.2
    assert share(330, 385) < 0.02
    assert share(385, 480) > 0.1


def test_the_wide_area_simulation_is_the_dissertations():
    """Dissertation, section 9: one of five down, mean about 475 ms, 99.9 % within 1.5 s."""
    ours = measure(FreshTimers(), trials=3000, seed=1).summary()
    paper = published()[FreshTimers()].numbers
    assert ours["median"] == pytest.approx(paper["median"], rel=0.05)
    assert ours["mean"] == pytest.approx(paper["mean"], rel=0.05)
    assert ours["p99.9"] == pytest.approx(paper["p99.9"], rel=0.15)


def election_time(live: int, servers: int, latency: float, shortest: float) -> float:
    """Mean time to a leader with timeouts in [T, 2T], all timers fresh and a constant one-way latency.

    The dissertation's formula: the first of `live` timeouts comes 1/(live + 1) into the range; a vote splits
    when so many follow within one latency that no majority of voters is left.
    """
    late, candidates = latency / shortest, live - servers // 2
    split = sum(
        comb(live, k) * late**k * (1 - late) ** (live - k) for k in range(candidates, live + 1)
    )  # the Beta(candidates, live - candidates + 1) distribution at `late`
    return shortest * ((1 + 1 / (live + 1) + late) / (1 - split) + late)


@pytest.mark.parametrize(
    ("servers", "failed", "shortest", "latency"), [(5, 0, 150, 10), (5, 2, 150, 10), (3, 1, 300, 35)]
)
def test_the_simulator_agrees_with_the_closed_form(servers, failed, shortest, latency):
    """An independent derivation, within 3 %."""
    setup = FreshTimers((shortest, 2 * shortest), servers, failed, latency)
    ours = measure(setup, trials=1500, seed=2).summary()["mean"]
    assert ours == pytest.approx(election_time(servers - failed, servers, latency, shortest), rel=0.03)


def test_a_trial_is_a_run_that_can_be_looked_at():
    """With a trace, the same inputs give the measured time and hold all properties.

    The new leader is one of the two servers whose logs are long enough (section 5.4.1).
    """
    setup = LeaderCrash((150, 155))
    leaders = set()
    for number, time in enumerate(run_trials(setup, 1, range(12), 20_000)):
        seed = trial_seed(1, number)
        begin, schedule = setup.schedule(seed)
        trace = simulate(setup.system(), seed=seed, schedule=schedule, until=begin + time)
        end = trace.state_at(len(trace.events) - 1)
        assert len({end[n]["leader"] for n in ("n2", "n3", "n4", "n5")}) == 1
        before = trace.state_at(len(trace.events) - 2)
        assert len({before[n]["leader"] for n in ("n2", "n3", "n4", "n5")}) > 1
        leaders.add(end["n2"]["leader"])
        verdicts = check_trace(trace, setup.system().always, ())
        assert [v.name for v in verdicts if v.status == "violated"] == []
    assert leaders == {"n4", "n5"}


def test_votes_are_on_the_disk_before_they_are_sent():
    """Raft paper, Figure 2: term and vote are saved before a request for votes or a vote leaves."""
    setup = LeaderCrash((150, 300))
    trace = simulate(setup.system(), seed=3, schedule=setup.schedule(3)[1], until=400)
    sent = [m for m in trace.messages if m.type in ("RequestVote", "Vote") and m.fields["term"] >= NEW_LEADER]
    assert {m.type for m in sent} == {"RequestVote", "Vote"}
    assert {
        trace.events[m.sent_event].kind for m in sent if m.type == "RequestVote" or m.fields["granted"]
    } == {"write"}


def test_trials_do_not_depend_on_how_many_there_are():
    """Trial k is the same run in a short and in a long measurement; another seed gives other runs."""
    few, many = (measure(LeaderCrash(), trials=n, seed=4).times for n in (7, 60))
    assert list(few) == list(many[:7])
    assert list(few) != list(measure(LeaderCrash(), trials=7, seed=5).times)


def test_ctrl_c_keeps_the_trials_that_are_done():
    """A measurement that is stopped returns what it has; one that has nothing is stopped for good."""

    def stop_soon(done: int) -> None:
        raise KeyboardInterrupt

    stopped = measure(LeaderCrash(), trials=1000, progress=stop_soon)
    assert stopped.stopped
    assert 0 < len(stopped.times) < 1000
