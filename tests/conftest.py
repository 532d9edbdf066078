"""What every test may use: the marker `needs`, and a Hypothesis that draws the same examples everywhere."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from dslab.commands.components import why_missing

settings.register_profile(
    "dslab", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("dslab")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job; what a test starts must hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


# the files that take longest; a worker must not be left alone with one of them at the end
LONGEST = ("test_notebooks.py", "test_course.py", "test_nbgrader.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test out if a part it needs is missing; fail it where nothing may be left out."""
    for mark in item.iter_markers("needs"):
        for part in mark.args:
            reason = why_missing(part)
            if reason and os.environ.get("DSLAB_TEST_ALL"):
                pytest.fail(reason, pytrace=False)
            elif reason:
                pytest.skip(reason)


@pytest.fixture(autouse=True, scope="module")
def _environment_is_left_as_it_was():
    """What a test file leaves in the environment reaches every process that a later one starts."""
    before = _environment()
    yield
    assert _environment() == before


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
