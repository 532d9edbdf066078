"""`python -m dslab experiment` for the storage section: one object, a table, a picture, one-line refusals."""

from __future__ import annotations

import json

import pytest

from dslab.experiments import cli
from dslab.experiments.storage_experiments import EXPERIMENTS

SMALL = {
    "pbs": ["--trials", "2000"],
    "chord-paths": ["--nodes", "64", "--trials", "2"],
    "chord-load": ["--nodes", "100", "--keys", "1000", "--virtual", "3", "--trials", "1"],
    "chord-failures": ["--failed", "0.1", "--nodes", "200", "--trials", "50"],
    "chord-churn": ["--rules", "2001", "--rate", "0.01", "--trials", "2"],
    "kademlia-hops": ["--nodes", "64", "--k", "8", "--trials", "500"],
    "consistent-hashing": ["--nodes", "10", "--trials", "3"],
    "bounded-loads": ["--nodes", "50", "--keys", "500", "--c", "1.5", "--trials", "2"],
    "gossip": ["--nodes", "20", "--direction", "pull", "--trials", "5"],
    "rumours": ["--k", "2", "--interest", "blind-counter", "--trials", "3"],
}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_json_is_one_object_the_same_every_time(name, capsys):
    """With its inputs; nothing on standard error."""
    printed = []
    for _ in range(2):
        assert cli.main([name, *SMALL[name], "--json"]) == 0
        printed.append(capsys.readouterr())
    assert printed[0] == printed[-1]
    assert printed[0].err == ""
    got = json.loads(printed[0].out)
    assert (got["experiment"], got["seed"], str(got["trials"])) == (name, 1, SMALL[name][-1])
    assert all(option in got for option in EXPERIMENTS[name].options)


def test_pbs_has_the_three_columns_of_the_table(capsys):
    """In ms, beside the paper's own."""
    assert cli.main(["pbs", "--trace", "LNKD-DISK", "--r", "1", "--w", "2", "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    for name, published in got["paper"].items():
        assert got[name] == pytest.approx(published, rel=0.15)


def test_several_values_make_several_rows(capsys):
    """A table in which the paper's numbers stand in brackets; quorums that N replicas lack are left out."""
    assert cli.main(["pbs", "--r", "1", "2", "--w", "1", "2", "--n", "1", "3", "--trials", "1000"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 1 + 4 + 1
    assert "(45.5)" in lines[2]
    assert cli.main(["rumours", "--k", "1", "2", "--trials", "2", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["k"], row["interest"]) for row in rows[:2]] == [(1, "feedback-counter"), (1, "blind-coin")]


def test_a_picture_where_it_is_asked_for(tmp_path, capsys):
    """A PNG file, named in the output."""
    picture = tmp_path / "hops.png"
    assert cli.main(["kademlia-hops", "--nodes", "16", "--k", "1", "--trials", "10", "--out", str(picture)]) == 0
    assert str(picture) in capsys.readouterr().out
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pbs", "--trace", "DISK"], "'DISK' is not one of LNKD-SSD, LNKD-DISK, YMMR, WAN"),
        (["pbs", "--r", "4"], "--r and --w must be at most --n, which is 3"),
        (["pbs", "--r", "0"], "not a whole number from 1"),
        (["bounded-loads", "--c", "1"], "not a number from 1.001"),
        (["bounded-loads", "--c", "nan"], "not a number from 1.001"),
        (["chord-failures", "--failed", "1"], "not a number from 0 to 0.9"),
        (["gossip", "--nodes", "1"], "not a whole number from 2"),
        (["rumours", "--interest", "bored"], "'bored' is not one of feedback-counter"),
        (["kademlia-hops", "--out", "no/such/folder/x.png"], "name a file in a folder that exists"),
        (["chord-churn", "--rules", "1999"], "'1999' is not one of 2001, 2003"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments, words, capsys):
    """Status 2, what is accepted, nothing else."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1
