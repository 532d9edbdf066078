"""Hash trees: what differs is found, with as many hashes as the closed form says."""

from __future__ import annotations

from random import Random

import pytest

from dslab.protocols import merkle


def items(random, count):
    """A store with so many entries."""
    return {f"key {random.randrange(10**9)}": random.randrange(1_000) for _ in range(count)}


def differing_by_looking(mine, theirs, depth):
    """Every key compared: the oracle."""
    return sorted({merkle.leaf_of(key, depth) for key in {**mine, **theirs}
                   if mine.get(key, "nothing") != theirs.get(key, "nothing")})


@pytest.mark.parametrize("depth", [0, 1, 2, 5, 10])
def test_finds_all_leaves_that_differ_and_no_others(depth):
    """Random stores, changed, added and removed entries; as many hashes as hashes_compared says."""
    for seed in range(30 if depth < 10 else 5):
        random = Random(f"{depth}/{seed}")
        mine = items(random, random.choice([0, 1, 10, 300]))
        theirs = dict(mine)
        for _ in range(random.choice([0, 1, 2, 20])):
            what = random.choice(["change", "add", "remove"])
            if what == "add" or not theirs:
                theirs[f"new {random.random()}"] = 1
            elif what == "remove":
                del theirs[random.choice(sorted(theirs))]
            else:
                theirs[random.choice(sorted(theirs))] = random.randrange(10**6)
        one, two = merkle.Tree(depth, mine), merkle.Tree(depth, theirs)
        asked = []

        def ask(node, two=two, asked=asked):
            asked.append(node)
            return two.hashes[node]

        wanted = differing_by_looking(mine, theirs, depth)
        assert merkle.differing(one.hashes, ask, depth) == wanted
        assert len(asked) == len(set(asked)) == merkle.hashes_compared(wanted, depth)


def test_kept_up_to_date_equals_built_anew():
    """After any puts and removes all hashes are those of a new tree; each costs depth + 1 of them."""
    random = Random(1)
    tree, store = merkle.Tree(6), {}
    for _ in range(400):
        key, work = f"k{random.randrange(60)}", tree.work
        if random.random() < 0.7:
            store[key] = random.choice([None, 0, "", [1, "n1"], 5])
            tree.put(key, store[key])
            assert tree.work - work == 7
        else:
            tree.remove(key)
            assert tree.work - work == (7 if key in store else 0)
            store.pop(key, None)
        assert tree.hashes == merkle.Tree(6, store).hashes


def test_the_order_of_writing_does_not_matter():
    """Two sites that hold the same have the same root, however they came to it."""
    store = items(Random(2), 50)
    backwards = merkle.Tree(4)
    for key in reversed(list(store)):
        backwards.put(key, "something else")
        backwards.put(key, store[key])
    assert backwards.root == merkle.Tree(4, store).root


@pytest.mark.parametrize(("errors", "depth"), [(1, 10), (3, 8), (20, 8), (500, 6)])
def test_the_mean_number_of_hashes_is_the_closed_form(errors, depth):
    """1 + 2 * sum of 2**l (1 - (1 - 2**-l)**errors), within 2 % over 400 stores; one error takes 1 + 2 * depth."""
    random, total, runs = Random(f"mean/{errors}"), 0, 400
    for _ in range(runs):
        leaves = {merkle.leaf_of(f"{random.random()}", depth) for _ in range(errors)}
        total += merkle.hashes_compared(leaves, depth)
    assert total / runs == pytest.approx(merkle.expected_hashes(errors, depth), rel=0.02)
    assert merkle.expected_hashes(1, depth) == 1 + 2 * depth
    assert merkle.expected_hashes(0, depth) == 1
    assert merkle.hashes_compared([f"{n:0{depth}b}" for n in range(2**depth)], depth) == 2 ** (depth + 1) - 1


def test_keys_spread_evenly():
    """Of 20,000 names that follow each other each of 64 leaves gets its share, within five deviations."""
    counts = dict.fromkeys(merkle.Tree(6).buckets, 0)
    for number in range(20_000):
        counts[merkle.leaf_of(f"user{number}", 6)] += 1
    mean = 20_000 / 64
    assert all(abs(count - mean) < 5 * mean**0.5 for count in counts.values())


@pytest.mark.parametrize(("one", "two"), [({"a": 1}, {"a": "1"}), ({"a": None}, {}), ({"a": ""}, {"a": None}),
                                          ({"a": [1, 2]}, {"a": [2, 1]}), ({"a": "b", "c": ""}, {"a": "", "c": "b"})])
def test_values_that_look_alike_differ(one, two):
    """Numbers and text, nothing and not there, order, and the same words at other keys."""
    assert merkle.Tree(0, one).root != merkle.Tree(0, two).root


@pytest.mark.parametrize("depth", [-1, 17])
def test_a_tree_of_another_depth_is_refused(depth):
    """It says which depths there are."""
    with pytest.raises(ValueError, match="0 to 16 levels"):
        merkle.Tree(depth)


def test_keys_of_any_text_have_a_place():
    """No text at all, other alphabets, very long ones; at any depth."""
    tree = merkle.Tree(3)
    for key in ("", "ü", "x" * 100_000, "\n", "0"):
        assert len(merkle.leaf_of(key, 3)) == 3 and merkle.leaf_of(key, 0) == ""
        tree.put(key, 1)
    assert sum(map(len, tree.buckets.values())) == 5
