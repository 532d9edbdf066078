"""Kademlia against brute force: the k closest by XOR, buckets, and what becomes of them when servers come and go."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dslab import check_trace, simulate
from dslab.protocols import kademlia, kademlia_variants
from dslab.protocols.identifiers import identifier
from dslab.protocols.kademlia_properties import prefix
from dslab.sim import NodeError

BYTE = st.integers(0, 255)


def asks(at, command, to="n1"):
    return {"at": at, "do": "request", "command": command, "to": to}


def broken(system, schedule, until, seed=1):
    trace = simulate(system, seed=seed, schedule=schedule, until=until)
    return {v.name for v in check_trace(trace, system.always) if v.status != "held"}, trace


def lookups(count, nodes, seed=1, start=100):
    random = Random(seed)
    return [asks(start + 300 * i, f"#{random.getrandbits(16)}", f"n{random.randint(1, nodes)}") for i in range(count)]


@given(BYTE, BYTE, BYTE)
def test_xor_is_a_metric_in_which_every_distance_is_taken_once(one, two, three):
    """Section 2.1: symmetric, the triangle inequality, and unidirectional: one point at each distance."""
    assert one ^ two == two ^ one and (one ^ two == 0) == (one == two)
    assert one ^ three <= (one ^ two) + (two ^ three)
    assert [x for x in range(256) if one ^ x == two] == [one ^ two]
    shared = prefix(one, two, 8)
    assert f"{one:08b}"[:shared] == f"{two:08b}"[:shared] and f"{one:08b}"[shared:shared + 1] != f"{two:08b}"[
        shared:shared + 1] or one == two


@pytest.mark.parametrize("nodes", [3, 24])
def test_lookups_end_with_the_k_closest(nodes):
    """Against a sort of all servers, from every kind of place, in a network in which nobody comes or goes."""
    verdicts, trace = broken(kademlia.cluster(nodes), lookups(15, nodes), 6_000)
    assert not verdicts
    places = {f"n{i}": identifier(f"n{i}", 16) for i in range(1, nodes + 1)}
    for operation in trace.history:
        key = int(operation["command"][1:])
        assert operation["result"] == min(places, key=lambda name: places[name] ^ key)


def test_a_network_grows_from_one_server_and_keeps_its_buckets_in_order():
    verdicts, trace = broken(kademlia.cluster(12, joined=False), [asks(8_000, "x=1", "n5"), asks(9_000, "x", "n9")],
                             10_000)
    assert not verdicts and trace.history[-1]["result"] == "1"


def test_no_more_than_alpha_questions_are_in_flight():
    system = kademlia.cluster(30, alpha=2, refresh=None)
    for world in simulate(system, seed=1, schedule=lookups(6, 30), until=3_000).states():
        for server in world.servers:
            assert all(len(lookup["asking"]) <= 2 for lookup in server.__dict__.get("lookups", {}).values())


def bucket_of_two(schedule):
    """n1 stands at 0; n2 to n5 share no bit with it, and k is 2."""
    system = kademlia.cluster(5, positions=(0, 128, 160, 192, 224), bits=8, k=2, joined=False, refresh=None,
                              absent=("n4", "n5"))
    trace = simulate(system, seed=1, schedule=schedule, until=4_000)
    return trace.state_at(len(trace) - 1)["n1"]["buckets"]["0"]


def test_a_full_bucket_keeps_the_old_ones_while_they_live():
    """Section 2.2: the least-recently seen is pinged; if it answers, the new one is forgotten."""
    kept = bucket_of_two([{"at": 1_000, "do": "join", "node": "n4", "to": "n1"},
                          {"at": 2_000, "do": "join", "node": "n5", "to": "n1"}])
    assert sorted(kept) == ["n2", "n3"]


def test_a_full_bucket_gives_the_place_of_a_dead_one_away():
    kept = bucket_of_two([{"at": 900, "do": "crash", "node": "n2"}, {"at": 950, "do": "crash", "node": "n3"},
                          {"at": 1_000, "do": "join", "node": "n4", "to": "n1"},
                          {"at": 2_000, "do": "join", "node": "n5", "to": "n1"}])
    assert sorted(kept) == ["n4", "n5"]


@pytest.mark.parametrize("seed", range(2))
def test_values_survive_those_who_keep_them(seed):
    """Section 2.5: keys are published again, so k - 1 failures between two publications lose nothing."""
    random = Random(seed)
    names = [f"n{i}" for i in range(2, 21)]
    schedule = [asks(200 + 200 * i, f"k{i}={i}") for i in range(5)]
    for burst in range(4):
        for name in random.sample(names, 2):
            names.remove(name)
            schedule.append({"at": 2_000 + 4_000 * burst, "do": "crash", "node": name})
    schedule += [{"at": 5_000, "do": "join", "node": "n21", "to": "n1"}]
    schedule += [asks(18_000 + 300 * i, f"k{i}", random.choice([*names, "n21"])) for i in range(5)]
    verdicts, trace = broken(kademlia.cluster(21, absent=("n21",), refresh=1_500), schedule, 20_000, seed)
    assert not verdicts and [o["result"] for o in trace.history[5:]] == [str(i) for i in range(5)]


@pytest.mark.parametrize(("mutant", "wanted"), [
    (kademlia_variants.Collects, "buckets_in_order"), (kademlia_variants.AsksOnce, "lookups_find_the_closest"),
    (kademlia_variants.CountsDistance, "lookups_find_the_closest")])
def test_every_mutant_is_found(mutant, wanted):
    schedule = [*lookups(10, 24), {"at": 3_500, "do": "join", "node": "n25", "to": "n1"},
                {"at": 3_600, "do": "join", "node": "n26", "to": "n2"}]
    system = kademlia.cluster(26, absent=("n25", "n26"), server=mutant)
    assert broken(system, schedule, 8_000)[0] == {wanted}


def test_a_bucket_that_takes_the_newest_forgets_living_servers():
    """Why the oldest are kept: strangers who only knock push out everybody else."""
    schedule = [{"at": 1_000, "do": "join", "node": "n4", "to": "n1"},
                {"at": 2_000, "do": "join", "node": "n5", "to": "n1"}]
    system = kademlia.cluster(5, positions=(0, 128, 160, 192, 224), bits=8, k=2, joined=False, refresh=None,
                              absent=("n4", "n5"), server=kademlia_variants.NewestFirst)
    trace = simulate(system, seed=1, schedule=schedule, until=4_000)
    assert "n5" in trace.state_at(len(trace) - 1)["n1"]["buckets"]["0"]


@pytest.mark.parametrize("given", [
    {"positions": (1, 2)}, {"positions": (1, 1, 2)}, {"positions": (1, 2, 70), "bits": 6}])
def test_servers_without_places_of_their_own_are_refused(given):
    with pytest.raises(NodeError, match="positions"):
        kademlia.cluster(3, **given)
