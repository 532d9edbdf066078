"""A small source that obeys every rule; tests break one rule of it at a time."""

from __future__ import annotations

import pytest

SOURCE = '''\
# %% [markdown] name="sum-why" tags=["why"]
# # Sums
# Two numbers, **one** result.

# %% name="sum-setup"
import os


def verify(function, cases, rule):
    for a, b, want in cases:
        try:
            got = function(a, b)
        except NotImplementedError:
            if os.environ.get("DSLAB_GRADING"):
                raise AssertionError("not answered yet") from None
            print("sum-add is not answered yet")
            return
        assert got == want, f"{rule} broken: add({a}, {b}) gave {got}"
    print("passed")

# %% name="sum-play" tags=["play"]
from IPython.display import SVG, display
display(SVG("<svg xmlns='http://www.w3.org/2000/svg'/>"))

# %% [markdown] name="sum-add-statement" tags=["exercise"]
# **Goal**: add.

# %% name="sum-add-exercise" tags=["exercise"] points=5
def add(a, b):
    """The sum of a and b."""
    ### BEGIN SOLUTION
    the_sum_of_both_numbers = a + b
    return the_sum_of_both_numbers
    ### STUB # both numbers count
    ### STUB raise NotImplementedError("write your answer here")
    ### END SOLUTION

# %% name="sum-add-mutant-minus" tags=["mutant"] property="commutativity" catalogue="C7"
def add(a, b):
    return a - b  # takes away what it should add

# %% name="sum-add-mutant-capped" tags=["mutant"] property="sum-add-hidden"
def add(a, b):
    return min(a + b, 10)

# %% name="sum-add-check" tags=["check"] points=2 title="Small sums"
verify(add, [(1, 2, 3), (2, 1, 3)], "Commutativity")

# %% name="sum-add-hidden" tags=["hidden"] points=3
verify(add, [(1001, 2002, 3003)], "Magnitude for unseen numbers")

# %% name="sum-solution" tags=["solution"]
explanation_for_instructors = "adding is enough"

# %% name="sum-later" tags=["reflect", "skip-slow"]
raise SystemExit("this cell must not run")
'''


@pytest.fixture
def text() -> str:
    """The source's text."""
    return SOURCE


@pytest.fixture
def course(tmp_path):
    """A notebooks folder with that source in it."""
    source = tmp_path / "source" / "01_small_sum.py"
    source.parent.mkdir()
    source.write_text(SOURCE, encoding="utf-8")
    return tmp_path
