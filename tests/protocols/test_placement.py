"""Where keys go: against walks along the ring, and the figures of the catalogue (S11 to S15)."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dslab import check_trace, simulate
from dslab.check.progress import unanswered
from dslab.protocols import consistent_hashing, hash_table, placement
from dslab.protocols import consistent_hashing_cases as cases
from dslab.protocols import consistent_hashing_variants as variants
from dslab.protocols.identifiers import identifier
from dslab.sim import NodeError, ScheduleError

KEYS = [identifier(f"key {i}", 32) for i in range(20_000)]
FIVE, EIGHT = ([f"n{i}" for i in range(1, n + 1)] for n in (5, 8))
RINGS = st.lists(st.tuples(st.integers(0, 63), st.sampled_from(EIGHT)), min_size=1, max_size=20,
                 unique_by=lambda point: point[0])


@given(RINGS, st.integers(0, 63))
def test_the_owner_is_the_first_met_on_a_walk_round_the_circle(ring, position):
    ring = sorted(map(list, ring))
    at = dict(ring)
    walk = [at[(position + i) % 64] for i in range(64) if (position + i) % 64 in at]
    assert placement.owner(ring, position) == walk[0]
    assert placement.keepers(ring, position, 3) == list(dict.fromkeys(walk))[:3]
    hosts = {name: name in EIGHT[:4] for name in EIGHT}
    chosen = placement.keepers(ring, position, 2, hosts)
    assert chosen[0] == walk[0] and chosen[1:] == [name for name in walk if hosts[name] != hosts[walk[0]]][:1]


def test_one_more_server_moves_most_keys_of_a_table_and_a_sixth_of_a_ring():
    """S11: 5 to 6 servers, 20,000 keys."""
    six = [*FIVE, "n6"]
    table = placement.moved(*([placement.modulo(servers, key) for key in KEYS] for servers in (FIVE, six)))
    assert abs(table - 5 / 6) < 0.01
    before, after = ([placement.owner(ring, key) for key in KEYS] for ring in map(placement.points, (FIVE, six)))
    assert abs(placement.moved(before, after) - 1 / 6) < 0.03
    assert {new for old, new in zip(before, after, strict=True) if old != new} == {"n6"}


def test_one_point_per_server_is_uneven_and_a_hundred_are_not():
    """S12: 8 servers; the fullest against the mean, in the mean of 40 rings of other names."""
    def fullest(each):
        most = 0.0
        for number in range(40):
            ring = placement.points([f"{number}-{name}" for name in EIGHT], each)
            most += max(Counter(placement.owner(ring, key) for key in KEYS[:2_000]).values()) / 250
        return most / 40

    assert 2.4 < fullest(1) < 3.0 and 1.05 < fullest(100) < 1.3


def test_the_ring_wraps_and_arcs_include_their_ends():
    """S13: behind the last point comes the first; a key at a point belongs to it."""
    ring = [[10, "a"], [30, "b"], [50, "c"]]
    assert [placement.owner(ring, key) for key in (55, 30, 0, 10, 11)] == ["a", "b", "a", "a", "b"]
    assert placement.unwrapped(ring, 55) is None and placement.after(ring, 30) == "c"


def test_the_next_points_may_stand_on_one_host():
    """S15: one host fails and both copies with it."""
    ring, hosts = [[10, "a1"], [30, "a2"], [50, "b1"]], {"a1": "a", "a2": "a", "b1": "b"}
    assert placement.next_points(ring, 5, 2) == ["a1", "a2"]
    assert placement.keepers(ring, 5, 2, hosts) == ["a1", "b1"]
    assert placement.keepers(ring, 5, 3, hosts) == ["a1", "b1"], "there are two hosts only"


@pytest.mark.parametrize("slack", [0.01, 0.1, 0.25, 1, 5])
def test_nobody_has_more_than_the_bound_and_every_key_is_placed(slack):
    """Mirrokni et al. 2018: at most ceil((1 + c) m / n), whatever the ring; a key moves on only past full servers."""
    ring, keys = placement.points(EIGHT, 1), KEYS[:1_000]
    placed, loads = placement.bounded(ring, keys, slack)
    room = math.ceil((1 + slack) * 1_000 / 8)
    assert max(loads.values()) <= room and Counter(placed) == Counter(loads)
    for position, name in zip(keys, placed, strict=True):
        walk = [ring[(placement.first_at(ring, position) + i) % len(ring)][1] for i in range(len(ring))]
        assert all(loads[passed] == room for passed in walk[:walk.index(name)])


# ---- servers


def judged(case, server=consistent_hashing.Server):
    system = cases.stage(case.nodes, server=server, clients=case.clients)
    trace = simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)
    verdicts = check_trace(trace, system.always, system.eventually)
    found = {v.name for v in verdicts if v.status not in ("held", "reached", "not yet")}
    return found | ({"unanswered"} if unanswered(trace) else set()), trace


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
def test_keys_move_spread_and_survive(case):
    found, trace = judged(case)
    assert not found
    for operation in trace.history:
        if "=" not in operation["command"]:
            assert operation["result"] == operation["command"].removeprefix("key")


@pytest.mark.parametrize(("mutant", "case", "wanted"), [
    (variants.Modulo, cases.ONE_MORE, "few_keys_move"), (variants.OnePoint, cases.CROWDED, "loads_are_even"),
    (variants.NoWrap, cases.ONE_MORE, "unanswered"), (variants.NextPoints, cases.TWO_HOSTS, "copies_on_distinct_hosts"),
], ids=lambda value: getattr(value, "__name__", ""))
def test_every_mutant_is_found_by_the_case_of_its_belief(mutant, case, wanted):
    assert wanted in judged(case, mutant)[0] and mutant.catalogue == case.catalogue or mutant is variants.NoWrap


@pytest.mark.parametrize("seed", range(6))
def test_no_key_is_lost_while_servers_come_and_go_in_order(seed):
    random = Random(seed)
    schedule, up, away, at = [], ["n1", "n2", "n3", "n4"], ["n5", "n6", "n7"], 3_000
    for i in range(20):
        schedule.append({"at": 100 + 30 * i, "do": "request", "command": f"k{i}={i}", "to": random.choice(up)})
    for _ in range(8):
        if away and (random.random() < 0.5 or len(up) < 3):
            up.append(away.pop(0))
            schedule.append({"at": at, "do": "join", "node": up[-1], "to": up[0]})
        else:
            away.append(up.pop(random.randrange(len(up))))
            schedule.append({"at": at, "do": "leave", "node": away[-1]})
        at += random.randint(300, 900)
    schedule += [{"at": at + 1_000 + 100 * i, "do": "request", "command": f"k{i}", "to": random.choice(up)}
                 for i in range(20)]
    system = consistent_hashing.cluster(7, absent=("n5", "n6", "n7"), copies=1)
    trace = simulate(system, seed=seed, schedule=schedule, until=at + 5_000)
    assert [o["result"] for o in trace.history[20:]] == [str(i) for i in range(20)]


@pytest.mark.parametrize(("given", "error"), [
    ({"hosts": ("a",)}, NodeError), ({"absent": ("n1", "n2", "n3")}, ScheduleError), ({"eachh": 3}, NodeError)])
def test_a_cluster_that_cannot_be_is_refused(given, error):
    with pytest.raises(error):
        consistent_hashing.cluster(3, **given)


# ---- the table on one server


COMMANDS = st.lists(st.tuples(st.sampled_from("pgd"), st.integers(0, 30), st.integers(0, 9)), max_size=60)


@given(COMMANDS)
def test_a_table_answers_like_a_dict(commands):
    table, model = hash_table.Server(), {}
    table.on_start()
    for do, number, value in commands:
        key = f"k{number}"
        if do == "p":
            model[key] = str(value)
            assert table.put(key, str(value)) == str(value)
        elif do == "g":
            assert table.get(key) == model.get(key)
        else:
            assert table.delete(key) == model.pop(key, None)
        assert table.size == len(model) <= hash_table.FULL * len(table.buckets)


@pytest.mark.parametrize(("server", "status"), [(hash_table.Server, "held"), (hash_table.ForgetsToRehash, "violated")])
def test_a_table_that_grows_moves_its_entries(server, status):
    schedule = [{"at": 10 + 40 * i, "do": "request", "command": f"k{i}={i}"} for i in range(12)]
    system = hash_table.cluster(server=server)
    trace = simulate(system, seed=1, schedule=[*schedule, {"at": 700, "do": "request", "command": "-k3"},
                                               {"at": 800, "do": "request", "command": "k3"}], until=1_500)
    verdicts = check_trace(trace, system.always, system.eventually)
    assert [v.status for v in verdicts] == [status, "reached"]
    if status == "held":
        assert [o["result"] for o in trace.history[-2:]] == ["3", None]
