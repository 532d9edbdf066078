"""OM(m): interactive consistency with n > 3m whatever traitors do, not with n = 3m; counts; a second OM(m)."""

from __future__ import annotations

import itertools
from collections import Counter
from random import Random

import pytest

from dslab.check.answers import find
from dslab.check.invariants import check_trace, first_violation
from dslab.protocols import generals, generals_cases, generals_questions, generals_variants
from dslab.sim import simulate
from dslab.sim.case import Case

TRUTH, SILENCE = "truth", "silence"
SAYS = (TRUTH, "retreat", "attack", "dance", SILENCE)
CASES = [case for case in vars(generals_cases).values() if isinstance(case, Case)]
FAILS_WITH_THREE = generals_cases.THREE_LIEUTENANT


def treason(pattern):
    """{(traitor, receiver): what it says} as actions."""
    actions = []
    for (traitor, receiver), said in pattern.items():
        action = {"at": 1, "do": "turn_traitor", "node": traitor, "to": [receiver]}
        if said == SILENCE:
            actions.append({**action, "behaviour": "silent"})
        elif said != TRUTH:
            actions.append({**action, "behaviour": "equivocate", "fields": {"value": said}})
    return actions


def run(pattern, n, m, order="attack", seed=1):
    system = generals.cluster(n, m=m, order=order)
    return simulate(system, seed=seed, schedule=treason(pattern), until=20 * (m + 3))


def decisions(trace):
    last = trace.state_at(len(trace) - 1)
    return {g: last[g]["decision"] for g in trace.servers[1:]}


def oral(m, commander, value, lieutenants, pattern):
    """OM(m) as the paper writes it, recursively: what each lieutenant takes the commander's value to be."""
    def sends(receiver):
        said = pattern.get((commander, receiver), TRUTH)
        return "retreat" if said == SILENCE else value if said == TRUTH else said

    got = {i: sends(i) for i in lieutenants}
    if m == 0:
        return got
    told = {j: oral(m - 1, j, got[j], [i for i in lieutenants if i != j], pattern) for j in lieutenants}
    result = {}
    for i in lieutenants:
        values = [got[i]] + [told[j][i] for j in lieutenants if j != i]
        value_, votes = Counter(values).most_common(1)[0]
        result[i] = value_ if votes * 2 > len(values) else "retreat"
    return result


# ---- four generals, one traitor: everything that it can say


@pytest.mark.parametrize("order", ["attack", "retreat"])
@pytest.mark.parametrize("traitor", ["n1", "n2", "n3", "n4"])
def test_four_generals_stand_every_lie_of_one_traitor(traitor, order):
    """Theorem 1 for m = 1: all patterns of truth, two orders, nonsense and silence towards each receiver."""
    others = [g for g in ("n1", "n2", "n3", "n4") if g != traitor]
    listeners = others if traitor == "n1" else [g for g in others if g != "n1"]
    for said in itertools.product(SAYS, repeat=len(listeners)):
        pattern = {(traitor, g): what for g, what in zip(listeners, said)}
        trace = run(pattern, 4, 1, order)
        assert first_violation(trace, generals.ALWAYS) is None, pattern
        expected = oral(1, "n1", order, ["n2", "n3", "n4"], pattern)
        assert decisions(trace) == {g: expected[g] for g in ("n2", "n3", "n4")}, pattern


def test_seven_generals_stand_two_traitors():
    """Theorem 1 for m = 2: a thousand random pairs of traitors and patterns; the second implementation agrees."""
    random = Random("generals")
    names = [f"n{i}" for i in range(1, 8)]
    for number in range(1000):
        liars = random.sample(names, 2) if number % 2 else ["n1", random.choice(names[1:])]
        pattern = {(liar, g): random.choice(SAYS) for liar in liars for g in names if g != liar}
        trace = run(pattern, 7, 2, seed=number)
        verdicts = check_trace(trace, generals.ALWAYS, generals.EVENTUALLY)
        assert [v.status for v in verdicts] == ["held", "held", "reached"], pattern
        if number % 20 == 0:
            assert decisions(trace) == oral(2, "n1", "attack", names[1:], pattern)


def test_late_messages_are_lies_like_others():
    """A delaying traitor among four is stood, too, whatever the delay."""
    for liar, by, seed in itertools.product(["n1", "n3"], [1, 4, 8, 12, 18, 25, 60], [1, 2]):
        schedule = [{"at": 1, "do": "turn_traitor", "node": liar, "behaviour": "delay", "by": by}]
        trace = simulate(generals.cluster(4), seed=seed, schedule=schedule, until=200)
        assert first_violation(trace, generals.ALWAYS) is None


# ---- three generals


def test_three_generals_cannot_stand_one_traitor():
    """Section 2: to n2 both runs look the same, so whatever it does is wrong in one of them."""
    seen = []
    for case in (generals_cases.THREE_LIEUTENANT, generals_cases.THREE_COMMANDER):
        trace = simulate(generals.cluster(3), seed=case.seed, schedule=case.schedule, until=case.until)
        seen.append(trace.state_at(len(trace) - 1)["n2"])
    assert seen[0]["heard"] == seen[1]["heard"] == {"n1": "attack", "n1 n3": "retreat"}
    titles = [[found and found.verdict.title for found in (
        find(generals.cluster(3, server=server), case)
        for case in (generals_cases.THREE_LIEUTENANT, generals_cases.THREE_COMMANDER))]
        for server in (generals.General, generals_variants.ObeysInDoubt)]
    assert titles == [["IC2: all obey a loyal commander", None], [None, "IC1: all obey the same order"]]


def test_n_equal_to_3m_is_not_enough_for_two_traitors_either():
    """Six generals, two traitors: some pattern of the commander's word and a lieutenant's breaks a condition."""
    random = Random("six")
    names = [f"n{i}" for i in range(1, 7)]
    broken = set()
    for _ in range(400):
        liars = random.sample(names[1:], 2)
        pattern = {(liar, g): "retreat" for liar in liars for g in names if g != liar}
        verdict = first_violation(run(pattern, 6, 2), generals.ALWAYS)
        broken.add(verdict and verdict.title)
        if verdict:
            break
    assert "IC2: all obey a loyal commander" in broken


# ---- counts


@pytest.mark.parametrize(("n", "m"), [(3, 1), (4, 1), (5, 1), (7, 1), (7, 2), (8, 2)])
def test_messages_equal_the_closed_form(n, m):
    """(n-1) + (n-1)(n-2) + ... with m+1 terms; traitors that speak do not change it."""
    total, term = 0, 1
    for k in range(1, m + 2):
        term *= n - k
        total += term
    for pattern in ({}, {("n2", "n3"): "retreat"}):
        trace = run(pattern, n, m)
        assert len(trace.messages) == total == generals.messages_of(n, m)
    assert all(m.fate == "delivered" for m in trace.messages)


# ---- cases and variants

KILLED_BY = {
    generals_variants.OneRoundLess: generals_cases.COMMANDER_LIES,
    generals_variants.Patient: generals_cases.LATE_WORD,
    generals_variants.TrustsNames: generals_cases.FALSE_NAME,
    generals_variants.AsksOthersOnly: generals_cases.LIEUTENANT_LIES,
    generals_variants.ObeysInDoubt: generals_cases.TWO_OF_SEVEN,
    generals_variants.DoubtsAMajority: generals_cases.LIEUTENANT_LIES,
}


def breaks(case, server=generals.General, seed=1):
    return find(generals.cluster(case.nodes, server=server), case._replace(seed=seed)) is not None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_generals_keep_their_promises_where_there_are_enough(case):
    for seed in range(1, 11):
        assert breaks(case, seed=seed) == (case is FAILS_WITH_THREE)


@pytest.mark.parametrize("mutant", generals_variants.MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_works_while_nobody_lies_and_breaks_in_its_case(mutant):
    assert not breaks(generals_cases.CALM, mutant)
    assert all(breaks(KILLED_BY[mutant], mutant, seed) for seed in range(1, 11))
    assert len(KILLED_BY[mutant].schedule) <= 15 and mutant.catalogue


@pytest.mark.parametrize("fields", [
    {"path": []}, {"path": ["n9"]}, {"path": ["n1", "n1", "n1"]}, {"path": ["n1", ""]}, {"value": ""},
])
def test_senseless_lies_are_heard_as_silence(fields):
    """Worst inputs in a message: nobody stumbles, and the conditions hold."""
    for liar in ("n1", "n4"):
        schedule = [{"at": 1, "do": "turn_traitor", "node": liar, "behaviour": "corrupt", "fields": fields}]
        trace = simulate(generals.cluster(4), seed=1, schedule=schedule, until=200)
        assert first_violation(trace, generals.ALWAYS) is None


@pytest.mark.parametrize("question", [generals_questions.THREE, generals_questions.FOUR])
def test_questions_have_one_right_option_and_name_misconceptions(question):
    """And the right answer is what happens in the case."""
    ids = [option[0] for option in question["options"]]
    assert len(set(ids)) == len(ids) and question["right"] in ids
    assert all((len(option) == 3) == (option[0] == question["right"]) for option in question["options"])


def test_the_answer_about_four_generals_is_what_happens():
    case = generals_cases.COMMANDER_LIES
    trace = simulate(generals.cluster(4), seed=case.seed, schedule=case.schedule, until=case.until)
    assert set(decisions(trace).values()) == {generals_questions.FOUR["right"]}
