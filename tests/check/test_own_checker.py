"""A rule of a linearizability checker is judged by the verdicts of the checker that it makes."""

from __future__ import annotations

import sys
from itertools import permutations

import pytest

from dslab.check.feedback import CheckFailed
from dslab.check.history import OK
from dslab.check.own_checker import (
    ACCEPTS,
    QUICK,
    REFUSES,
    history_of,
    judge_order,
    judge_shortcut,
    possible_next,
    search,
)

LATE = 10**9


def in_any_order(history):
    """Every order of every choice of the operations without an answer, by brute force: the definition."""
    answered = [one for one in history if one.status == OK]
    unknown = [one for one in history if one.status != OK]
    for bits in range(2 ** len(unknown)):
        chosen = [*answered, *(one for i, one in enumerate(unknown) if bits >> i & 1)]
        for order in permutations(chosen):
            if any(b.completed is not None and b.completed < a.invoked
                   for i, a in enumerate(order) for b in order[i + 1:]):
                continue
            value = None
            for one in order:
                if one.do == "write":
                    value = one.argument
                elif one.result != value:
                    break
            else:
                return True
    return False


def test_the_right_rule_is_the_definition():
    """The plain search with the right rule says what trying all orders says, and both verdicts are frequent."""
    verdicts = []
    for seed in range(120):
        history = history_of(seed, 3 + seed % 4)
        verdicts.append(search(history, possible_next).order is not None)
        assert verdicts[-1] == in_any_order(history), seed
    assert 30 < sum(verdicts) < 110


def test_the_right_rules_pass():
    """No history speaks against them."""
    assert "right" in judge_order("next", possible_next, seeds=range(30))
    assert "right" in judge_shortcut("shortcut", lambda one, before, after: one["do"] == "read", seeds=range(30))


WRONG_ORDERS = {
    "by start": (lambda one, left: one["invoked"] == min(x["invoked"] for x in left), REFUSES),
    "by end": (lambda one, left: (one["completed"] or LATE) == min(x["completed"] or LATE for x in left), REFUSES),
    "own order only": (
        lambda one, left: one["invoked"] == min(x["invoked"] for x in left if x["client"] == one["client"]), ACCEPTS),
    "no order": (lambda one, left: True, ACCEPTS),
    "without the unanswered": (lambda one, left: one["completed"] is not None and possible_next(one, left), REFUSES),
}


@pytest.mark.parametrize("belief", WRONG_ORDERS)
def test_a_wrong_rule_is_told_by_what_it_gets_wrong(belief):
    """The text names the property and shows a small history."""
    rule, wanted = WRONG_ORDERS[belief]
    with pytest.raises(CheckFailed) as failed:
        judge_order("next", rule, seeds=range(40))
    assert wanted in str(failed.value)
    assert str(failed.value).count(" to ") <= 12


WRONG_SHORTCUTS = {
    "unchanged": (lambda one, before, after: before == after, REFUSES),
    "always": (lambda one, before, after: True, REFUSES),
    "never": (lambda one, before, after: False, QUICK),
}


@pytest.mark.parametrize("belief", WRONG_SHORTCUTS)
def test_a_wrong_shortcut_is_told_by_what_it_gets_wrong(belief):
    """A write of the value that is there changes nothing now, and something later."""
    rule, wanted = WRONG_SHORTCUTS[belief]
    with pytest.raises(CheckFailed) as failed:
        judge_shortcut("shortcut", rule, seeds=range(40))
    assert wanted in str(failed.value)


def test_a_stub_and_an_accident():
    """A stub gets a kind line; an exception is said in one sentence."""
    def stub(one, left):
        raise NotImplementedError

    assert "not answered yet" in judge_order("next", stub, seeds=range(3))
    with pytest.raises(CheckFailed, match="stops with KeyError"):
        judge_order("next", lambda one, left: one["nothing"], seeds=range(3))
    with pytest.raises(CheckFailed, match="stops with SystemExit"):
        judge_order("next", lambda one, left: sys.exit(), seeds=range(3))
    with pytest.raises(CheckFailed, match="returned None; it must return True or False"):
        judge_order("next", lambda one, left: None, seeds=range(3))
    with pytest.raises(CheckFailed, match="returned 'yes'; it must return True or False"):
        judge_shortcut("shortcut", lambda one, before, after: "yes", seeds=range(3))
