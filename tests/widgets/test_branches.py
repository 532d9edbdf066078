"""The tree of branches: forks keep what was seen, undo restores anything, nothing breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dslab.sim.schedule import check_schedule
from dslab.widgets.branches import MAIN, BranchError, Branches


def crash(at: float, node: str = "n1") -> dict[str, Any]:
    return {"at": at, "do": "crash", "node": node}


def test_an_action_after_what_was_seen_stays_in_its_branch() -> None:
    """Acting at the newest moment goes on with the same branch."""
    tree = Branches([], 10_000)
    assert tree.act(MAIN, crash(1000), seen_us=1_000_000) == MAIN
    assert tree.act(MAIN, crash(1000, "n2")) == MAIN
    assert [a["node"] for a in tree[MAIN].actions] == ["n1", "n2"]


@pytest.mark.parametrize(("at", "seen_us"), [(500, 500_001), (999, 0)])
def test_an_action_before_what_was_seen_or_done_makes_a_child(at: float, seen_us: int) -> None:
    """The parent keeps its future; the child has only what came before."""
    tree = Branches([], 10_000)
    tree.act(MAIN, crash(1000))
    child = tree.act(MAIN, crash(at, "n2"), seen_us=seen_us)
    assert child == "B" and tree["B"].parent == MAIN and tree["B"].fork_us == at * 1000
    assert tree["B"].actions == (crash(at, "n2"),) and tree[MAIN].actions == (crash(1000),)


def test_a_child_keeps_the_scenario_but_not_its_single_messages() -> None:
    """What the scenario does later happens in every future, except to messages, which are others."""
    later = [
        {"at": 2000, "do": "request", "command": "x=1"},
        {"at": 2100, "do": "drop", "message": 7},
        {"at": 3000, "do": "heal"},
    ]
    tree = Branches(check_schedule(later), 10_000)
    tree.act(MAIN, crash(5000))
    child = tree[tree.act(MAIN, crash(1000))]
    assert [a["do"] for a in child.actions] == ["crash", "request", "heal"]
    assert tree.act("B", crash(1500, "n2"), seen_us=1_000_000) == "C"  # the scenario's request comes later


def test_moving_an_action_keeps_the_others_but_not_what_was_done_to_single_messages() -> None:
    """In another future a number means another message."""
    actions = [crash(1000), {"at": 1500, "do": "drop", "message": 7}, crash(2000, "n2")]
    tree = Branches(check_schedule(actions), 10_000)
    child = tree[tree.move(MAIN, {0: 1200})]
    assert [(a["at"], a["do"]) for a in child.actions] == [(1200, "crash"), (2000, "crash")]
    assert (child.fork_us, child.label, child.cause) == (1_000_000, "crash n1 later", crash(1200))
    assert tree[tree.move(MAIN, {2: 12_000})].until == 22_000
    assert len(tree[MAIN].actions) == 3


def test_an_action_beyond_the_end_lets_the_run_go_on() -> None:
    """Nobody has to know how far a run was computed; and the same actions with that end need no more."""
    tree = Branches([], 10_000)
    tree.act(MAIN, crash(12_000))
    assert tree[MAIN].until == 22_000
    again = Branches([], 22_000)
    again.act(MAIN, crash(12_000))
    assert again[MAIN] == tree[MAIN]


def test_undo_brings_a_deleted_branch_back_with_its_children() -> None:
    """Deleting takes the children along, and undo restores all of them with their names."""
    tree = Branches([], 10_000)
    tree.act(MAIN, crash(1000), seen_us=2_000_000)
    tree.act("B", crash(500), seen_us=2_000_000)
    tree.rename("C", "what I wanted")
    before = dict(tree.tree)
    tree.delete("B")
    assert list(tree.tree) == [MAIN]
    assert tree.undo() == "B" and tree.tree == before
    assert tree.redo() == MAIN and list(tree.tree) == [MAIN]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.undo(), "there is nothing to undo"),
        (lambda t: t.redo(), "there is nothing to redo"),
        (lambda t: t.delete(MAIN), "branch A is the main one"),
        (lambda t: t.rename("Z", "x"), "there is no branch 'Z'"),
        (lambda t: t.rename(MAIN, "  "), "a branch is called something"),
        (lambda t: t.fork(MAIN, 10_001), "runs from 0 to 10000"),
        (lambda t: (t.fork(MAIN, 5), t.pin("B"), t.delete("B")), "branch B is pinned"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(change: Any, sentence: str) -> None:
    """Each refusal says why, and leaves the tree as it was."""
    tree = Branches([], 10_000)
    with pytest.raises(BranchError, match=sentence):
        change(tree)


def test_bookmarks_are_set_and_removed_by_the_same_call() -> None:
    """Once marks, twice unmarks."""
    tree = Branches([], 10_000)
    tree.bookmark(MAIN, 7, "here")
    assert tree[MAIN].bookmarks == ((7, "here"),)
    tree.bookmark(MAIN, 7, "here")
    assert tree[MAIN].bookmarks == ()


names = st.sampled_from(["A", "B", "C", "D", "E"])
operations = st.lists(
    st.one_of(
        st.tuples(st.just("act"), names, st.integers(0, 20_000), st.integers(0, 20_000)),
        st.tuples(st.just("fork"), names, st.integers(0, 10_000)),
        st.tuples(st.just("delete"), names),
        st.tuples(st.just("pin"), names, st.booleans()),
        st.tuples(st.just("rename"), names, st.text(max_size=5)),
        st.tuples(st.just("bookmark"), names, st.integers(0, 9), st.just("b")),
        st.tuples(st.just("extend"), names, st.just(15_000)),
        st.tuples(st.just("move"), names, st.dictionaries(st.integers(0, 3), st.integers(0, 20_000), max_size=2)),
        st.tuples(st.just("undo")),
        st.tuples(st.just("redo")),
    ),
    max_size=30,
)


@given(operations)
def test_any_sequence_of_changes_leaves_a_consistent_tree(sequence: list[tuple[Any, ...]]) -> None:
    """Parents stand before children, actions are in order, and redoing what was undone is the identity."""
    tree = Branches([], 10_000)
    for name, *args in sequence:
        before = tree.save()
        try:
            if name == "act":
                tree.act(args[0], crash(args[1]), args[2] * 1000)
            else:
                getattr(tree, name)(*args)
        except BranchError:
            assert tree.save() == before
        check(tree)
    final, steps = dict(tree.tree), 0
    with pytest.raises(BranchError):
        while True:
            tree.undo()
            check(tree)
            steps += 1
    assert list(tree.tree) == [MAIN]
    for _ in range(steps):
        tree.redo()
    if not any(name == "extend" for name, *_ in sequence):
        assert tree.tree == final


def check(tree: Branches) -> None:
    seen: set[str] = set()
    for name, branch in tree.tree.items():
        assert branch.id == name and (branch.parent in seen or name == MAIN)
        seen.add(name)
        times = [action["at"] for action in branch.actions]
        assert times == sorted(times) and all(at <= branch.until for at in times)
