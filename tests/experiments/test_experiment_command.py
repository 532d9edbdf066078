"""`python -m dslab experiment`: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import json

import pytest

from dslab.experiments import cli
from dslab.experiments.election_figures import (
    POINTS,
    figure_16,
    plot_elections,
    published,
    table,
)
from dslab.experiments.raft_elections import FreshTimers, LeaderCrash, measure

SMALL = ["raft-elections", "--timeouts", "150-300", "--trials", "20"]


def test_json_is_one_object_and_nothing_else(capsys):
    """Numbers in ms on standard output, standard error silent, the same every time."""
    assert cli.main([*SMALL, "--json"]) == 0
    first = capsys.readouterr()
    assert cli.main([*SMALL, "--json"]) == 0
    assert capsys.readouterr() == first
    assert first.err == ""
    assert first.out.count("\n") == 1
    got = json.loads(first.out)
    assert got["min"] <= got["median"] <= got["p90"] <= got["p99"] <= got["max"]
    assert got["min"] <= got["mean"] <= got["max"]
    assert (got["timeouts"], got["trials"], got["seed"], got["servers"]) == ([150, 300], 20, 1, 5)


def test_the_wan_preset_takes_the_dissertations_timeouts(capsys):
    """Fresh timers of 300-600 ms, and one more percentile."""
    assert cli.main(["raft-elections", "--preset", "wan", "--failed", "2", "--trials", "10", "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert (got["timeouts"], got["failed"], got["preset"]) == ([300, 600], 2, "wan")
    assert got["p99"] <= got["p99.9"] <= got["max"]


def test_nine_servers_give_similar_results(capsys):
    """Raft paper, section 9.3: a cluster of nine behaves alike."""
    medians = []
    for servers in ("5", "9"):
        cli.main(
            ["raft-elections", "--timeouts", "150-300", "--trials", "100", "--servers", servers, "--json"]
        )
        medians.append(json.loads(capsys.readouterr().out)["median"])
    assert medians[1] == pytest.approx(medians[0], rel=0.15)


def test_without_json_there_is_a_table_and_a_picture(tmp_path, capsys):
    """The paper's numbers stand beside ours; the picture's path is shown; equal runs give equal bytes."""
    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    for picture in pictures:
        assert cli.main([*SMALL, "--out", str(picture)]) == 0
    out = capsys.readouterr().out
    assert "(171)" in out
    assert str(pictures[0]) in out
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    assert pictures[0].read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "accepted"),
    [
        ([], "NAME"),
        (["rumors"], "raft-elections"),
        (["raft-elections", "--timeouts", "300-150"], "150-300"),
        (["raft-elections", "--timeouts", "fast"], "150-300"),
        (["raft-elections", "--timeouts", "nan-nan"], "150-300"),
        (["raft-elections", "--trials", "0"], "from 1 to"),
        (["raft-elections", "--seed", "one"], "whole number"),
        (["raft-elections", "--servers", "2"], "from 3 to"),
        (["raft-elections", "--failed", "1"], "--preset wan"),
        (["raft-elections", "--preset", "wan", "--failed", "3"], "at most 2"),
        (["raft-elections", "--preset", "lan"], "figure-16"),
        (["raft-elections", "--timeouts", "1-2", "3-4", "--json"], "one range"),
        (["raft-elections", "--out", "no/such/folder/a.png"], "make it first"),
        (["raft-elections", "--out", "."], "name a file"),
    ],
)
def test_a_wrong_argument_ends_in_one_line(arguments, accepted, capsys):
    """Status 2, nothing on standard output, and what is accepted on standard error."""
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    said = capsys.readouterr()
    assert end.value.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert accepted in said.err


def test_ctrl_c_prints_what_is_done(capsys, monkeypatch):
    """A stopped measurement is printed like a shorter one, with a note, and the status says so."""

    def stopped_early(setup, **options):
        def stop(done: int) -> None:
            raise KeyboardInterrupt

        return measure(setup, **{**options, "progress": stop})

    monkeypatch.setattr(cli, "measure", stopped_early)
    assert cli.main(["raft-elections", "--timeouts", "150-300", "--json"]) == 130
    said = capsys.readouterr()
    assert 0 < json.loads(said.out)["trials"] < 1000
    assert said.err.startswith("Stopped")


def test_published_points_name_their_source_and_agree_with_the_text():
    """The points come with a citation; the numbers printed in the paper's text are among them."""
    assert "USENIX ATC 2014" in POINTS.read_text(encoding="utf-8").splitlines()[0]
    paper = published()
    assert paper[LeaderCrash((150, 155))].numbers["median"] == pytest.approx(287, abs=1)
    assert paper[LeaderCrash((150, 200))].numbers["max"] == pytest.approx(513, abs=1)
    assert paper[LeaderCrash((12, 24))].numbers["mean"] == pytest.approx(35, abs=1)
    assert paper[LeaderCrash((12, 24))].numbers["max"] == pytest.approx(152, abs=1)
    assert paper[FreshTimers()].numbers["p99.9"] < 1500
    for curve in paper.values():
        assert list(curve.points) == sorted(curve.points)


def test_a_copy_without_the_points_still_draws(monkeypatch, tmp_path):
    """The package alone, without the notebooks' folder, shows our numbers only."""
    monkeypatch.setattr(
        "dslab.experiments.election_figures.published", lambda: published(tmp_path / "none.csv")
    )
    measured = [measure(LeaderCrash(), trials=3)]
    assert "(" not in table(measured).splitlines()[1]
    assert len(plot_elections(measured).axes[0].lines) == 2


def test_curves_differ_by_more_than_colour():
    """Each curve has its own dashes and its own marker, so that the figure can be read without colours."""
    figure = figure_16(trials=3, ranges=((150, 155), (150, 200), (150, 300), (50, 100), (12, 24)))
    assert len(figure.axes) == 2
    for axis in figure.axes:
        keys = axis.get_legend().legend_handles
        assert len({str(key.get_linestyle()) + str(key._dash_pattern) for key in keys}) == len(keys)
        assert len({key.get_marker() for key in keys}) == len(keys)


def test_the_table_says_when_trials_were_given_up():
    """Numbers that a limit has cut off are marked."""
    text = table([measure(LeaderCrash((150, 150)), trials=3, limit=500)])
    assert ">500" in text
    assert "no leader within 0.5 s" in text
