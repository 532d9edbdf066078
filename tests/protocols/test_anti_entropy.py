"""Sites that exchange updates: all come to hold the same; figures of the paper; every variant is found."""

from __future__ import annotations

import sys
from math import exp, log, log2
from pathlib import Path
from random import Random
from statistics import mean

import pytest

from dslab import simulate
from dslab.check.answers import verify
from dslab.check.feedback import CheckFailed
from dslab.check.invariants import HELD, REACHED, check_trace, first_violation
from dslab.protocols import anti_entropy, anti_entropy_variants, death_certificates, merkle, merkle_steps, rumours

sys.path.insert(0, str(Path(__file__).parent))

import random_replicas

KINDS = (anti_entropy.Push, anti_entropy.Pull, anti_entropy.PushPull, anti_entropy.Comparing)
CONTENTS = tuple((f"k{number}", f"{number}") for number in range(30))


def last(trace):
    """The state of all nodes at the end."""
    return trace.state_at(len(trace) - 1)


@pytest.mark.parametrize("server", KINDS)
def test_all_sites_come_to_hold_the_same(server):
    """After the faults of a storm, every promise kept on the way; the newest change that got around stands."""
    for seed in range(4):
        nodes = 3 + seed % 3
        system = anti_entropy.cluster(nodes, server=server, clients=2, contents=CONTENTS)
        trace = simulate(system, seed=seed, schedule=random_replicas.site_storm(seed, nodes), until=5_000)
        assert all(v.status in (HELD, REACHED) for v in check_trace(trace, system.always, system.eventually)), seed
        stores = [last(trace)[site]["store"] for site in trace.servers]
        assert all(store == stores[0] for store in stores), seed
        counts = {}
        for world in trace.states():
            for key, entry in getattr(world.changed, "store", {}).items():
                counts.setdefault((key, tuple(entry[0]), entry[1]), set()).add(world.changed.id)
        for (key, stamp, value), sites in counts.items():    # what two sites have held was on a disk
            assert len(sites) == 1 or stores[0][key][0] > list(stamp) or stores[0][key] == [list(stamp), value], seed


def test_comparing_sends_less():
    """One change of a hundred entries: messages of a few hundred bytes instead of the whole store at each exchange."""
    contents = tuple((f"key {number}", "x" * 20) for number in range(100))
    sent = {}
    for server in (anti_entropy.PushPull, anti_entropy.Comparing):
        system = anti_entropy.cluster(2, server=server, contents=contents, depth=6) \
            if server is anti_entropy.Comparing else anti_entropy.cluster(2, server=server, contents=contents)
        schedule = [{"at": 10, "do": "request", "command": "key 7=new", "to": "n1"}]
        trace = simulate(system, seed=1, schedule=schedule, until=1_000)
        assert last(trace)["n2"]["store"]["key 7"][1] == "new"
        sent[server.__name__] = sum(last(trace)[site]["sent_bytes"] for site in trace.servers)
    assert sent["Comparing"] < sent["PushPull"] / 10, sent


@pytest.mark.parametrize(("errors", "depth"), [(1, 4), (3, 6), (12, 6)])
def test_an_exchange_asks_for_as_many_hashes_as_the_closed_form_says(errors, depth):
    """Counted in messages, against the stores before the exchange; and then nothing differs any more."""
    random = Random(f"{errors}/{depth}")
    schedule = [{"at": 1, "do": "partition", "groups": [["n1"]]}]
    keys = [f"x{random.randrange(10**6)}" for _ in range(errors)]
    schedule += [{"at": 10 + i, "do": "request", "command": f"{key}=1", "to": "n2"} for i, key in enumerate(keys)]
    schedule += [{"at": 1_000, "do": "heal"}]
    system = anti_entropy.cluster(2, server=anti_entropy.Comparing, contents=CONTENTS, depth=depth, disk=0)
    trace = simulate(system, seed=3, schedule=schedule, until=1_500)
    exchanges = [world.changed.exchange for world in trace.states()
                 if world.changed is not None and getattr(world.changed, "exchange", None)]
    done = [exchange for exchange in exchanges if exchange["state"] == "done" and exchange["leaves"]]
    leaves = sorted({merkle.leaf_of(key, depth) for key in keys})
    assert done and done[0]["leaves"] == leaves
    assert done[0]["asked"] == merkle.hashes_compared(leaves, depth)
    assert last(trace)["n1"]["store"] == last(trace)["n2"]["store"]


# ---- figures

def spread(server, nodes, seed, **options):
    """(cycle of 100 ms in which the last site hears, share that never does, rumours sent per site)."""
    system = anti_entropy.cluster(nodes, server=server, latency=5, disk=0, cycle=(100, 100), **options)
    schedule = [{"at": 10, "do": "request", "command": "x=1", "to": "n1"}]
    trace = simulate(system, seed=seed, schedule=schedule, until=3_500 if nodes > 100 else 1_800)
    heard = [event.time_us // 100_000 for event in trace.events if any(change[0] == "store" for change in event.patch)]
    at_end = [last_state for name, last_state in last(trace).items() if name in trace.servers]
    missed = sum("x" not in state["store"] for state in at_end)
    return max(heard), missed / nodes, sum(state.get("sent_rumours", 0) for state in at_end) / nodes


def test_push_takes_about_log_n_plus_ln_n_cycles():
    """B. Pittel, "On Spreading a Rumor", 1987: log2 n + ln n + O(1) on a complete graph; the constant is about 1.35."""
    for nodes in (16, 64):
        runs = [spread(anti_entropy.Push, nodes, seed) for seed in range(4)]
        assert all(missed == 0 for _, missed, _ in runs)
        assert abs(mean(cycles for cycles, *_ in runs) - (log2(nodes) + log(nodes) + 1.35)) < 2


def test_push_and_pull_together_are_faster():
    """About log3 n + O(log log n): less than push alone, by a third at least."""
    push = mean(spread(anti_entropy.Push, 64, seed)[0] for seed in range(3))
    both = mean(spread(anti_entropy.PushPull, 64, seed)[0] for seed in range(3))
    assert both < push * 2 / 3


@pytest.mark.parametrize(("server", "k", "residue", "messages"), [
    (rumours.Push, 1, 0.18, 1.7), (rumours.Push, 2, 0.037, 3.3), (rumours.BlindCoin, 2, 0.20, 1.6),
    (rumours.Pull, 1, 0.031, 2.7)])
def test_rumours_leave_the_papers_residue(server, k, residue, messages):
    """Demers et al., tables 1 to 3, n = 1000; here fewer sites, so within three deviations or a tenth."""
    nodes, seeds = 200, range(3)
    runs = [spread(server, nodes, seed, k=k) for seed in seeds]
    missed, sent = mean(run[1] for run in runs), mean(run[2] for run in runs)
    deviation = (residue * (1 - residue) / (nodes * len(seeds))) ** 0.5
    assert abs(missed - residue) < max(0.1 * residue, 4 * deviation)
    assert sent == pytest.approx(messages, rel=0.1)
    if server is not rumours.Pull:
        assert abs(missed - exp(-sent)) < max(0.1 * residue, 4 * deviation)


# ---- deletes

AWAY = [{"at": 10, "do": "request", "command": "a=1", "to": "n1"}, {"at": 600, "do": "partition", "groups": [["n4"]]},
        {"at": 700, "do": "request", "command": "delete a", "to": "n2"}, {"at": 3_000, "do": "heal"},
        {"at": 4_500, "do": "request", "command": "a", "to": "n1"}]


@pytest.mark.parametrize("seed", range(6))
def test_a_deleted_entry_does_not_come_back(seed):
    """n4 was away while all others forgot the certificate; the site that retained it wakes it, and the entry dies."""
    system = anti_entropy.cluster(4, server=death_certificates.Site)
    trace = simulate(system, seed=seed, schedule=AWAY, until=5_000)
    assert first_violation(trace, system.always) is None
    assert trace.history[-1]["result"] is None
    shown = last(trace)
    assert all("a" not in shown[site]["store"] for site in trace.servers)
    assert 1 <= sum("a" in shown[site]["dormant"] for site in trace.servers) <= 2


def test_a_newer_value_outlives_an_old_certificate():
    """Waking a certificate changes its own time, not the stamp of what it deletes (the paper's section 2.2)."""
    schedule = [*AWAY[:3], {"at": 2_500, "do": "request", "command": "a=2", "to": "n1"}, *AWAY[3:]]
    for seed in range(4):
        system = anti_entropy.cluster(4, server=death_certificates.Site)
        trace = simulate(system, seed=seed, schedule=schedule, until=5_000)
        assert first_violation(trace, system.always) is None and trace.history[-1]["result"] == "2", seed


@pytest.mark.parametrize("server", death_certificates.MUTANTS)
@pytest.mark.parametrize("seed", range(3))
def test_without_certificates_a_deleted_entry_comes_back(server, seed):
    """Taken out of the store, or forgotten everywhere after a while: all sites show it again."""
    system = anti_entropy.cluster(4, server=server)
    trace = simulate(system, seed=seed, schedule=AWAY, until=5_000)
    found = first_violation(trace, system.always)
    assert found is not None and found.name == "deletes_last"
    assert trace.history[-1]["result"] == "1"


# ---- variants

@pytest.mark.parametrize(("server", "promise"), [
    (anti_entropy_variants.TakesWhatComes, "no_way_back"), (anti_entropy_variants.ForgetsTheTree, "few_hashes"),
    (anti_entropy_variants.ComparesAll, "few_hashes"), (anti_entropy_variants.FirstDifference, "finds_what_differs")])
def test_a_storm_finds_each_variant(server, promise):
    """And breaks no other promise first, in three storms."""
    assert server in anti_entropy_variants.MUTANTS and "instead of" in server.__doc__
    found = set()
    for seed in range(3):
        system = anti_entropy.cluster(3, server=server, clients=2, contents=CONTENTS)
        trace = simulate(system, seed=seed, schedule=random_replicas.site_storm(seed, 3), until=4_000)
        verdict = first_violation(trace, system.always)
        found.add(verdict.name if verdict else "")
    assert promise in found and found <= {promise, ""}


# ---- the exercise

def differing(mine, theirs, depth):
    """Right."""
    differ = [node for node in theirs if theirs[node] != mine[node]]
    return [node + bit for node in differ if len(node) < depth for bit in "01"], \
        [node for node in differ if len(node) == depth]


def asks_everything(mine, theirs, depth):
    return [node + bit for node in theirs if len(node) < depth for bit in "01"], \
        [node for node in theirs if len(node) == depth and theirs[node] != mine[node]]


def follows_the_first(mine, theirs, depth):
    below, leaves = differing(mine, theirs, depth)
    return below[:2], leaves[:1]


def left_only(mine, theirs, depth):
    below, leaves = differing(mine, theirs, depth)
    return [node for node in below if node.endswith("0")], leaves


def all_leaves(mine, theirs, depth):
    differ = any(theirs[node] != mine[node] for node in theirs)
    return [], [node for node in mine if len(node) == depth and differ]


def never_done(mine, theirs, depth):
    return list(theirs), []


def nothing(mine, theirs, depth):
    return [], []


def check(answer):
    return verify("merkle-diff", answer, merkle_steps.differing, like=merkle_steps.compared,
                  cases=merkle_steps.DIFFER + merkle_steps.others(5))


def test_the_right_comparison_passes():
    """In the cases and in others."""
    assert "right" in check(differing)
    for first in range(5):
        for case in merkle_steps.others(first):
            system = merkle_steps.compared(clients=2)
            trace = simulate(system, seed=first, schedule=case.schedule, until=case.until)
            assert first_violation(trace, system.always) is None
            assert last(trace)["n1"]["store"] == last(trace)["n2"]["store"]


@pytest.mark.parametrize(("answer", "title"), [
    (asks_everything, "Few hashes"), (never_done, "Few hashes"), (follows_the_first, "Exchanges find what differs"),
    (left_only, "Exchanges find what differs"), (all_leaves, "Exchanges find what differs"),
    (nothing, "Exchanges find what differs")])
def test_wrong_comparisons_fail_at_what_they_break(answer, title):
    """With a run to look at."""
    with pytest.raises(CheckFailed) as failed:
        check(answer)
    assert failed.value.verdict.title == title and len(failed.value.case.schedule) <= 4
    assert "sent_bytes" not in str(failed.value)


@pytest.mark.parametrize(("result", "told"), [(None, "not None"), ([], "two lists"), (([], ["0"]), "leaves have 4"),
                                              ((["2"], []), "two lists"), (("", []), "two lists")])
def test_what_is_no_answer_is_named(result, told):
    """And what to return instead."""
    with pytest.raises(CheckFailed, match=told):
        check(lambda mine, theirs, depth: result)


def test_a_stub_is_told_so_kindly():
    """As everywhere."""
    def stub(mine, theirs, depth):
        raise NotImplementedError

    assert "not answered yet" in check(stub)
