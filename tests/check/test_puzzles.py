"""Puzzles: the answer is right by every order, each separates a belief, and answers are judged with the reason."""

import sys
from pathlib import Path

import pytest

from dslab.check.history import HistoryError
from dslab.check.puzzle_answers import judge_answer
from dslab.check.puzzles import DIALS, NAMES, puzzle

sys.path.insert(0, str(Path(__file__).parent))
import brute_force

SEEDS = range(40)


@pytest.fixture(autouse=True)
def begins_at_zero(monkeypatch):
    monkeypatch.setitem(brute_force.BEGIN, "register", "0")


@pytest.mark.parametrize("difficulty", DIALS)
def test_answer_and_shape(difficulty):
    dial, answers = DIALS[difficulty], []
    for seed in SEEDS:
        made = puzzle(seed, difficulty)
        answers.append(made.answer)
        assert made == puzzle(seed, difficulty)
        assert made.answer is brute_force.is_linearizable(list(made.operations), "register")
        assert 6 <= len(made.operations) == dial.operations <= 8
        assert sum(o.status == "unknown" for o in made.operations) == dial.pending
        assert [o.invoked for o in made.operations] == sorted(o.invoked for o in made.operations)
        assert all(made.beliefs[belief] is not made.answer for belief in made.separates) and made.separates
        assert bool(made.order) is made.answer and bool(made.bad) is not made.answer
        assert made.text.count("\n") == dial.operations
    assert 10 <= sum(answers) <= 30


def test_every_belief_is_separated_and_harder_puzzles_overlap_more():
    assert {belief for difficulty in DIALS for seed in SEEDS for belief in puzzle(seed, difficulty).separates} == {
        "S1", "S3", "S4"}

    def overlaps(difficulty):
        return sum(one.invoked < (other.completed or 999) and other.invoked < (one.completed or 999)
                   for seed in SEEDS for k, one in enumerate(puzzle(seed, difficulty).operations)
                   for other in puzzle(seed, difficulty).operations[:k])

    counts = [overlaps(difficulty) for difficulty in DIALS]
    assert counts == sorted(counts)


@pytest.mark.parametrize("difficulty", DIALS)
def test_the_key_is_right_and_the_opposite_wrong(difficulty):
    for seed in SEEDS:
        made = puzzle(seed, difficulty)
        proof = judge_answer(made, made.order if made.answer else set(made.bad))
        assert proof.right and proof.score == 1.0, (made, proof)
        assert judge_answer(made, made.answer).score == 0.5
        wrong = judge_answer(made, not made.answer)
        assert not wrong.right and wrong.belief in made.separates and "Remember" in wrong.text
        if not made.answer:
            more = judge_answer(made, set(NAMES[:len(made.operations)]))
            assert more.right and more.score == (1.0 if len(made.bad) == len(made.operations) else 0.7)
            for name in made.bad:
                less = judge_answer(made, set(made.bad) - {name})
                assert not less.right, (made, name, less)
        else:
            assert not judge_answer(made, set(NAMES[:len(made.operations)])).right


def test_every_order_is_judged_as_the_definition_does():
    from itertools import permutations

    made = next(made for made in (puzzle(seed, 1) for seed in range(100)) if made.answer)
    right = []
    for order in permutations(range(6)):
        operations = [made.operations[i] for i in order]
        real_time = not any(b.completed < a.invoked for k, a in enumerate(operations) for b in operations[k + 1:])
        state, fits = "0", True
        for o in operations:
            told, state = brute_force.apply("register", state, o)
            fits = fits and told
        names = [NAMES[i] for i in order]
        assert judge_answer(made, names).right is (real_time and fits)
        right += [names] if real_time and fits else []
    assert right


def test_feedback_names_the_reason():
    made = next(made for made in (puzzle(seed, 2) for seed in range(100)) if made.answer)
    turned = judge_answer(made, made.order[::-1])
    assert turned.belief == "S1" and "was answered before" in turned.text
    assert "stands in the order twice" in judge_answer(made, made.order + made.order[0]).text
    assert "needs a place in the order" in judge_answer(made, made.order[:-1]).text
    by_start = judge_answer(made, NAMES[:6])
    assert by_start.belief == "S3" and "was told" in by_start.text
    assert "nothing is wrong with none" in judge_answer(made, set()).text


def test_what_is_no_answer_or_no_puzzle():
    made = puzzle(1)
    for answer, says in ((None, "an answer is True, False"), ("AZ", "there is no operation 'Z'"),
                         ([1], "there is no operation 1"), (3, "an answer is"), ({"AB"}, "there is no operation 'AB'")):
        with pytest.raises(HistoryError, match=says):
            judge_answer(made, answer)
    with pytest.raises(HistoryError, match="difficulty is a whole number from 1 to 5, not 6"):
        puzzle(1, 6)
