"""`python -m dslab test`: every test that this machine can run, and what it left out and why."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dslab.commands.components import find, why_missing
from dslab.commands.environment import ROOT, say

JS_TESTS = ROOT / "tests" / "js"
NO_TESTS_COLLECTED = 5  # pytest's exit status


@dataclass
class Outcome:
    """One step of the test command: what it came to and what it left out."""

    name: str
    status: str = "passed"
    note: str = ""
    seconds: float = 0.0
    left_out: list[str] = field(default_factory=list)


def call(command: Sequence[str | Path], folder: Path = ROOT, **variables: str) -> int:
    """Run one program with its output shown; returns its exit status."""
    sys.stdout.flush()
    return subprocess.run(
        [str(part) for part in command], cwd=folder, env={**os.environ, **variables}
    ).returncode


def tool(name: str, *arguments: str) -> Outcome:
    """Run a checker that is a module of the environment."""
    status = call([sys.executable, "-m", *arguments])
    return Outcome(name, "passed" if status == 0 else "failed")


def javascript() -> Outcome:
    """The widgets' own tests, in node, without a browser."""
    outcome = Outcome("javascript")
    files = sorted(JS_TESTS.glob("*.test.js"))
    reason = None if files else "no tests/js/*.test.js"
    reason = reason or why_missing("node") or why_missing("npm") or install_packages()
    if reason:
        outcome.status, outcome.left_out = "left out", [reason]
    elif call([str(find("node").path), "--test", *(file.name for file in files)], JS_TESTS):
        outcome.status = "failed"
    return outcome


def install_packages() -> str | None:
    """Bring the packages of tests/js up to date. Returns None, or why that failed."""
    wanted = hashlib.sha256(
        b"\0".join(file.read_bytes() for file in sorted(JS_TESTS.glob("package*.json")))
    ).hexdigest()
    stamp = JS_TESTS / "node_modules" / ".dslab"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return None
    say("Installing the packages of tests/js")
    npm = [str(find("npm").path), "ci" if (JS_TESTS / "package-lock.json").is_file() else "install"]
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
    if call([*npm, *(quiet if npm[1] == "install" else quiet[:2])], JS_TESTS):
        return "needs the packages of tests/js: npm could not install them (its words stand above)"
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(wanted, encoding="utf-8")
    return None


def pytest(name: str, arguments: Sequence[str | Path], strict: bool) -> Outcome:
    """One run of pytest; what it skipped is read from its own report."""
    with tempfile.TemporaryDirectory(prefix="dslab-") as folder:
        report = Path(folder, "report.xml")
        variables = {"DSLAB_TEST_ALL": "1"} if strict else {}
        status = call([sys.executable, "-m", "pytest", f"--junit-xml={report}", *arguments], **variables)
        outcome = Outcome(name, "passed" if status == 0 else "failed")
        if report.is_file():
            read_report(report, outcome)
        if status == NO_TESTS_COLLECTED:
            outcome.note = "no test was collected"
    return outcome


def read_report(report: Path, outcome: Outcome) -> None:
    """Take the counts and the skipped tests with their reasons from a JUnit report."""
    reasons: dict[str, list[str]] = {}
    total = failed = 0
    for case in ElementTree.parse(report).iter("testcase"):
        total += 1
        failed += any(part.tag in ("failure", "error") for part in case)
        for skipped in case.iter("skipped"):
            if skipped.get("type") != "pytest.xfail":
                test = f"{case.get('classname', '')}::{case.get('name', '')}".lstrip(":")
                reasons.setdefault(skipped.get("message", "no reason given"), []).append(test)
    count = sum(len(tests) for tests in reasons.values())
    outcome.note = f"{total - failed - count} passed, {failed} failed, {count} left out"
    outcome.left_out += [f"{reason} ({first_and_count(tests)})" for reason, tests in sorted(reasons.items())]


def first_and_count(tests: Sequence[str]) -> str:
    """The first of some tests, and how many more."""
    return tests[0] + (f" and {len(tests) - 1} more" if len(tests) > 1 else "")


def summary(outcomes: Sequence[Outcome], strict: bool) -> int:
    """Print how each step ended and all that was left out. Returns the exit status."""
    print("\nSummary")
    for outcome in outcomes:
        if strict and outcome.left_out:
            outcome.status = "failed"
        print(f"  {outcome.name:11} {outcome.status:9} {outcome.seconds:6.1f} s  {outcome.note}".rstrip())
    left_out = [f"  {outcome.name}: {reason}" for outcome in outcomes for reason in outcome.left_out]
    if left_out:
        print("Left out" + (", which --all counts as failed" if strict else ""))
        print("\n".join(left_out))
    else:
        print("Nothing was left out.")
    return 1 if any(outcome.status == "failed" for outcome in outcomes) else 0


def test(extra: Sequence[str], strict: bool) -> int:
    """Run the tests. Returns the exit status: 0 if all that was run passed.

    Args:
        extra: arguments for pytest; with any, only pytest is run.
        strict: what cannot be run here is a failure.
    """
    os.environ.setdefault("MPLBACKEND", "Agg")
    steps = [lambda: pytest("pytest", list(extra), strict)]
    if not extra:
        steps = [
            lambda: tool("ruff", "ruff", "check", "--output-format=concise", "."),
            lambda: tool("mypy", "mypy"),
            javascript,
            lambda: pytest("pytest", ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"], strict),
        ]
    outcomes = []
    for step in steps:
        started = time.monotonic()
        outcome = step()
        outcome.seconds = time.monotonic() - started
        outcomes.append(outcome)
    return summary(outcomes, strict)
