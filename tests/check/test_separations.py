"""Each model is separated from its neighbour by a history that one accepts and the other refuses."""

from __future__ import annotations

import pytest

from dslab.check.history import check_history
from dslab.check.separations import PAIRS, SESSIONS, TRANSACTIONS

ALL = [*PAIRS, *SESSIONS, *TRANSACTIONS]


@pytest.mark.parametrize("pair", ALL, ids=lambda pair: f"{pair.weaker} / {pair.stronger}")
def test_the_weaker_accepts_what_the_stronger_refuses(pair):
    """The history lies between the two."""
    assert check_history(pair.operations, pair.model, pair.weaker).verdict == "ok"
    assert check_history(pair.operations, pair.model, pair.stronger).verdict == "violation"


def test_the_chain_has_no_gap():
    """From linearizable down to eventual, the weaker of one pair is the stronger of the next."""
    assert [pair.stronger for pair in PAIRS] == ["linearizable", *[pair.weaker for pair in PAIRS[:-1]]]
    assert PAIRS[-1].weaker == "eventual"
