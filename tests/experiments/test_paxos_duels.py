"""How long two proposers hinder each other; and the figure of times without a leader."""

from __future__ import annotations

import pytest

from dslab.experiments.downtime_figures import figure_downtimes
from dslab.experiments.paxos_duels import PATIENCE_MS, duels


@pytest.mark.parametrize("wait", [(35, 35), (35, 38)])
def test_who_interrupts_every_ballot_never_ends(wait):
    """A ballot takes 40 ms; whoever begins the next one before that loses every one."""
    found = duels(wait, trials=5)
    assert found.ended == () and found.ballots > PATIENCE_MS / 40
    assert "0 of 5 duels end" in str(found)


def test_a_random_wait_ends_the_duel():
    """Every run ends, and the same seeds give the same times."""
    found = duels((35, 70), trials=20)
    assert len(found.ended) == 20 and found.ended == tuple(sorted(found.ended))
    assert min(found.ended) >= 35 + 40
    assert found == duels((35, 70), trials=20) != duels((35, 70), trials=20, seed=2)


def test_the_figure_shows_every_source_or_says_why_not():
    """Marks for each time, the median as a number, a sentence where there is nothing to show."""
    figure = figure_downtimes({"processes": [100, 300, 200], "etcd": "etcd is not installed"}, "Killed")
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.texts]
    assert "200" in texts and "etcd: etcd is not installed" in texts
    assert sorted(axes.lines[0].get_xdata()) == [100, 200, 300]
    assert axes.get_title() == "Killed"
