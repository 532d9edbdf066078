"""Recorded transactions and workloads: every case and file of elle and elle-cli-workloads gets its verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dslab.check import transactional
from dslab.check.formats import FORMATS, read_history
from dslab.check.levels import LEVELS, implied, level_named
from dslab.commands.main import main

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
CASES = json.loads((DATA / "elle" / "cases.json").read_text())["cases"]
FORMAT = {"list-append": "elle-append", "rw-register": "elle-register", "bank": "bank", "set": "set",
          "long-fork": "long-fork"}
EXHAUSTIVE = {"serializable": "serializable", "strict_serializable": "strict-serializable",
              "snapshot_isolation": "snapshot-isolation"}


def forms(case):
    """One case as it may reach the command: events line by line, as one list, as the case itself."""
    yield "\n".join(json.dumps(event) for event in case["history"])
    yield json.dumps(case["history"], indent=1)
    yield json.dumps(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case):
    for text in forms(case):
        operations = read_history(text, FORMAT[case["workload"]])

        def verdict(level, operations=operations):
            return transactional.check(operations, case["workload"], level).verdict

        for level in case["valid_for"]:
            assert verdict(level) == "ok"
        for level in (*case["invalid_for"], *case["weakest_models_ruled_out"]):
            out = [stronger for stronger in LEVELS if level_named(level) in implied(stronger)]
            assert {verdict(stronger) for stronger in out} == {"violation"}
        for name, level in EXHAUSTIVE.items():
            if case["exhaustive"][name] is not None:
                assert verdict(level) == ("ok" if case["exhaustive"][name] else "violation")
        assert "unknown" not in {verdict(level) for level in LEVELS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_anomalies(case):
    """What upstream reports is found too, or something that rules out no less."""
    operations = read_history(next(forms(case)), FORMAT[case["workload"]])
    details = transactional.check(operations, case["workload"]).details
    found = set(details["anomalies"])
    assert set(case["anomalies"]) - {"G-single-item"} <= found
    for level in case["weakest_models_ruled_out"]:
        assert set(details["ruled out"]) & set(implied(level_named(level)))


def files():
    for folder in ("elle", "elle-cli-workloads"):
        verdicts = json.loads((DATA / folder / "verdicts.json").read_text())["files"]
        for name, recorded in verdicts.items():
            if "#" not in name:
                path = DATA / folder / name
                for one in sorted(path.parent.glob(path.stem + ".*")):
                    yield pytest.param(one, recorded, id=one.name)


EDGES = ("list-append", "rw-register")


@pytest.mark.parametrize("path, recorded", [*files()])
def test_file(path, recorded, capsys):
    workload = recorded["workload"]
    for model in ([workload, "serializable"] if FORMATS[FORMAT[workload]].judges in EDGES else [workload]):
        status = main(["check", model, str(path), "--format", FORMAT[workload], "--json"])
        told = json.loads(capsys.readouterr().out)
        assert told["verdict"] == ("ok" if recorded["valid"] else "violation")
        assert status == (0 if recorded["valid"] else 1)
