"""What every test may use: the marker `needs`, and a Hypothesis that draws the same examples everywhere."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from dslab.commands.components import why_missing

settings.register_profile(
    "dslab", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("dslab")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test out if a part it needs is missing; fail it where nothing may be left out."""
    for mark in item.iter_markers("needs"):
        for part in mark.args:
            reason = why_missing(part)
            if reason and os.environ.get("DSLAB_TEST_ALL"):
                pytest.fail(reason, pytrace=False)
            elif reason:
                pytest.skip(reason)
