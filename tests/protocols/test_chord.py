"""Chord against brute force: who owns a key, how many hops it takes, and whether a ring mends."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from random import Random

import pytest

from dslab import check_trace, simulate
from dslab.check.answers import verify
from dslab.check.feedback import CheckFailed
from dslab.protocols import chord, chord_cases, chord_steps, chord_variants
from dslab.protocols.identifiers import between, identifier, owned, way
from dslab.sim import NodeError

sys.path.insert(0, str(Path(__file__).parent))

import random_replicas


def broken(system, schedule=(), *, seed=1, until=10_000):
    trace = simulate(system, seed=seed, schedule=schedule, until=until)
    return {v.name for v in check_trace(trace, system.always) if v.status != "held"}, trace


def last(trace):
    return trace.state_at(len(trace) - 1)


def asks(at, command, to, client="c1"):
    return {"at": at, "do": "request", "command": command, "to": to, "client": client}


# ---- identifiers


def test_intervals_are_those_of_a_walk_round_the_circle():
    for low in range(16):
        for high in range(16):
            walk = [(low + i) % 16 for i in range(1, 17)]             # clockwise, back to where it began
            inside = walk[:walk.index(high)]
            for x in range(16):
                assert owned(x, low, high, 4) == (x in [*inside, high]), (x, low, high)
                assert between(x, low, high, 4) == (x in inside and x != low), (x, low, high)
                assert way(low, x, 4) == (walk.index(x) + 1) % 16


def test_an_identifier_is_the_end_of_a_sha1():
    assert identifier("abc", 160) == 0xa9993e364706816aba3e25717850c26c9cd0d89d       # FIPS 180-4, example
    assert identifier("abc", 8) == 0x9d


# ---- lookups in a finished ring


@pytest.mark.parametrize("nodes", [10, 16])
def test_every_server_finds_the_owner_of_every_key_by_halving_the_way(nodes):
    """The owner by brute force; section IV-D, theorem 2: a hop halves the way, so bits are enough."""
    places = dict(zip((f"n{i}" for i in range(1, nodes + 1)), chord_steps.POSITIONS[nodes], strict=True))
    ring = sorted(places, key=places.get)
    system = chord_steps.routed(nodes, clients=4)
    for node in ring[::3]:
        schedule = [asks(50, f"#{key}", node, f"c{key % 4 + 1}") for key in range(64)]
        verdicts, trace = broken(system, schedule, until=6_000)
        assert not verdicts
        for operation in trace.history:
            key = int(operation["command"][1:])
            assert operation["result"] == next((name for name in ring if places[name] >= key), ring[0])
        hops = [len(lookup["path"]) - 1 for world in trace.states() for server in world.servers
                for lookup in server.__dict__.get("lookups", {}).values() if lookup["state"] == "found"]
        assert max(hops) <= chord_steps.BITS


def test_the_lookup_of_figure_4_takes_the_hops_of_figure_4():
    """N8 looks for K54 in the ring of the paper of 2001: by N42 and N51 to N56."""
    trace = simulate(chord_steps.routed(10), seed=1, schedule=chord_steps.FAR.schedule, until=700)
    lookup, = last(trace)["n2"]["lookups"].values()
    places = dict(zip((f"n{i}" for i in range(1, 11)), chord_steps.POSITIONS[10], strict=True))
    assert [places[name] for name in lookup["path"]] == [8, 42, 51] and places[lookup["owner"]] == 56
    assert last(trace)["n2"]["fingers"] == [[9, "n3"], [10, "n3"], [12, "n3"], [16, "n4"], [24, "n5"], [40, "n7"]]


def test_the_mean_path_is_half_the_logarithm():
    """Figure 10a of the paper: about (log2 N) / 2 hops; 200 servers, 300 random keys."""
    random, nodes = Random(7), 200
    schedule = [asks(100 + 20 * i, f"#{random.getrandbits(32)}", f"n{random.randint(1, nodes)}", f"c{i % 8 + 1}")
                for i in range(300)]
    trace = simulate(chord.cluster(nodes, clients=8, period=None), seed=1, schedule=schedule, until=20_000)
    assert all(o["completed_us"] is not None for o in trace.history)
    asked = sum(m.type == "FindSuccessor" for m in trace.messages) / 300
    assert abs(asked - math.log2(nodes) / 2) < 0.6


# ---- coming and going


@pytest.mark.parametrize("seed", range(4))
def test_a_ring_gets_over_a_storm(seed):
    """Servers join, leave, fail and come back in bursts: one ring, every key at its owner and found from everywhere."""
    case, = chord_cases.storms([seed], 8)
    system = chord.cluster(8, absent=chord_cases.absent(8), copies=3)
    verdicts, trace = broken(system, case.schedule, seed=case.seed, until=case.until)
    assert not verdicts
    newest = {}
    for operation in trace.history:
        name, is_write, value = operation["command"].partition("=")
        assert operation["completed_us"] is not None
        assert is_write or operation["result"] == newest[name], operation
        if is_write:
            newest[name] = value


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 5, 98, 136])
def test_a_small_ring_gets_over_a_short_storm(seed):
    """Three to eight servers; in 2 and 4 a server once took a write of a key that it had handed over."""
    wrong, run, _ = random_replicas.one_run("chord", seed)
    assert wrong == "" and len(run.history) >= 12


@pytest.mark.parametrize("nodes", [1, 2, 3, 9])
def test_a_ring_grows_from_one_server(nodes):
    verdicts, trace = broken(chord.cluster(nodes, joined=False), [asks(9_000, "x=1", "n1"), asks(9_500, "x", "n1")],
                             until=12_000)
    assert not verdicts and [o["result"] for o in trace.history] == ["1", "1"]


def test_a_joined_ring_is_what_a_grown_ring_becomes():
    """joined=True against the protocol itself: same lists, predecessors and fingers after it has settled."""
    grown = last(simulate(chord.cluster(7, joined=False), seed=3, until=30_000))
    begun = last(simulate(chord.cluster(7, period=None), seed=3, until=10))
    for name in begun:
        if name[0] == "n":
            for field in ("predecessor", "successors", "fingers"):
                assert grown[name][field] == begun[name][field], (name, field)


def test_all_but_two_fail():
    """Longer than a list: who is left has each other in its list only because the others went one by one."""
    crashes = [{"at": 1_000 + 3_000 * i, "do": "crash", "node": f"n{i}"} for i in range(3, 7)]
    verdicts, trace = broken(chord.cluster(6, copies=3), [asks(200, "x=1", "n3"), *crashes, asks(16_000, "x", "n2")],
                             until=24_000)
    assert not verdicts and trace.history[-1]["result"] == "1"
    assert last(trace)["n1"]["successors"] == ["n2"]


def test_a_server_that_is_back_before_anybody_noticed_gets_its_keys():
    key = identifier("x", 16)
    owner = min((f"n{i}" for i in range(1, 6)), key=lambda name: way(key, identifier(name, 16), 16))
    schedule = [asks(200, "x=1", "n1"), {"at": 2_000, "do": "crash", "node": owner},
                {"at": 2_010, "do": "restart", "node": owner}]
    verdicts, trace = broken(chord.cluster(5), schedule, until=10_000)
    assert not verdicts and key in last(trace)[owner]["keys"]


def test_who_leaves_in_order_hands_over_at_once():
    """Section IV-E.4: no round of repairs is needed, so repairs are off."""
    key = identifier("x", 16)
    owner = min((f"n{i}" for i in range(1, 6)), key=lambda name: way(key, identifier(name, 16), 16))
    other = next(f"n{i}" for i in range(1, 6) if f"n{i}" != owner)
    schedule = [asks(200, "x=1", other), {"at": 1_000, "do": "leave", "node": owner}, asks(1_100, "x", other)]
    trace = simulate(chord.cluster(5, copies=1, period=None), seed=1, schedule=schedule, until=1_400)
    assert trace.history[-1]["result"] == "1"


def test_a_join_through_a_dead_contact_finds_another():
    schedule = [{"at": 100, "do": "crash", "node": "n2"}, {"at": 200, "do": "join", "node": "n5", "to": "n2"}]
    verdicts, trace = broken(chord.cluster(5, absent=("n5",)), schedule, until=12_000)
    assert not verdicts and last(trace)["n5"]["predecessor"] is not None


@pytest.mark.parametrize("given", [
    {"positions": (1, 2)}, {"positions": (1, 1, 2)}, {"positions": (1, 2, 70), "bits": 6}, {"bits": 1}])
def test_servers_that_cannot_stand_on_the_circle_are_refused(given):
    with pytest.raises(NodeError, match=r"stand|positions"):
        chord.cluster(3, **given)


def test_the_code_of_a_system_makes_it_again():
    system = chord.cluster(4, absent=("n4",), bits=6, positions=(1, 9, 20, 50), list_length=3)
    again = eval(system.code, {"chord": chord})
    schedule = [{"at": 100, "do": "join", "node": "n4", "to": "n1"}]
    assert simulate(system, seed=1, schedule=schedule, until=2_000).digest() == \
        simulate(again, seed=1, schedule=schedule, until=2_000).digest()


# ---- the rules of 2001, and mutants


@pytest.mark.parametrize("case", chord_cases.CASES, ids=lambda case: case.name)
def test_the_rules_of_2001_leave_a_ring_that_does_not_mend(case):
    for server, expected in ((chord_variants.Chord2001, {"ring_mends"}), (chord.Server, set())):
        verdicts, _ = broken(chord_cases.three(server), case.schedule, until=case.until)
        assert verdicts == expected, server


def test_each_repair_is_needed_for_its_case():
    def verdicts(server, case):
        return broken(chord_cases.three(server), case.schedule, until=case.until)[0]

    assert verdicts(chord_variants.DeadPredecessor, chord_cases.GONE_BETWEEN) == {"ring_mends"}
    assert verdicts(chord_variants.JoinsWithOne, chord_cases.GONE_BETWEEN) == set()
    assert verdicts(chord_variants.JoinsWithOne, chord_cases.LOSES_ITS_ONLY_ONE) == {"ring_mends"}


FOUND = {
    "NoWrap": "lookups_find_the_owner", "AtTheKey": "hops_halve", "FingersOnly": "ring_mends",
    "SuccessorsOnly": "hops_halve", "NearestFinger": "hops_halve", "Unnoticed": "ring_mends",
    "FirstComeFirst": "ring_mends", "OneSuccessor": "ring_mends", "KeepsItsKeys": "keys_stay"}


@pytest.mark.parametrize("mutant", chord_variants.MUTANTS, ids=lambda mutant: mutant.__name__)
def test_every_mutant_is_found_and_is_right_but_for_its_rule(mutant):
    wanted = FOUND[mutant.__name__]
    if wanted == "hops_halve":
        found = set()
        for case in chord_steps.ROUTING:
            system = chord_steps._placed(case.nodes, server=mutant)
            found |= broken(system, case.schedule, until=case.until)[0]
        assert found == {wanted}                          # slow, and right
    else:
        case, = chord_cases.storms([0], 8)
        system = chord.cluster(8, server=mutant, absent=chord_cases.absent(8), copies=3)
        assert wanted in broken(system, case.schedule, until=case.until)[0]
    assert mutant.catalogue in ("S11", "S13", "S14") and mutant.__doc__


# ---- the steps


def last_finger(known, key):
    return next((name for _, name in reversed(known.fingers)
                 if between(known.positions[name], known.position, key, known.bits)), known.id)


def last_known(known, key):
    names = [known.id, *(name for _, name in known.fingers), *known.successors]
    return min(names, key=lambda name: (key - known.positions[name] - 1) % 2**known.bits)


def upside_down(known, key):
    known.fingers.reverse()
    return last_known(known, key)


def always_self(known, key):
    return known.id


def next_door(known, key):
    name = known.successors[0]
    return name if between(known.positions[name], known.position, key, known.bits) else known.id


def nonsense(known, key):
    return "n99"


def stub(known, key):
    raise NotImplementedError


def judge(answer):
    return verify("closest", answer, chord_steps.routing, like=chord_steps.routed,
                  cases=[*chord_steps.ROUTING, *chord_steps.OTHER_RINGS])


def test_the_last_known_before_the_key_is_right():
    assert "right" in judge(last_known) and "not answered yet" in judge(stub)


@pytest.mark.parametrize(("answer", "says"), [
    (always_self, "Lookups find the owner"), (next_door, "Lookups are short"), (nonsense, "returned 'n99'"),
    (last_finger, "The closest one is named"), (upside_down, "must only read them")])
def test_a_wrong_or_slow_choice_is_named(answer, says):
    with pytest.raises(CheckFailed, match=says):
        judge(answer)


class Mute(chord_steps.Stabilized):
    """Tells nobody."""

    def notify_successor(self):
        """Says nothing."""


class Trusting(chord_steps.Stabilized):
    """Takes whom it hears of for its successor."""

    def consider(self, name):
        self.adopt_list([name, *self.successors])


class AsksItself(chord_steps.Stabilized):
    """Asks whom it hears of, itself included."""

    def precedes_successor(self, name):
        return True


def test_stabilization_is_judged_by_the_ring_that_it_makes():
    def mend(answer):
        return verify("mend", answer, chord_steps.stabilizing, like=chord_steps.stabilized,
                      cases=chord_steps.STABILIZING)

    assert "right" in mend(chord_steps.Stabilized)
    for wrong in (chord_steps.Skeleton, Mute):
        with pytest.raises(CheckFailed, match="The ring mends"):
            mend(wrong)
    for wrong, says in ((Trusting, "A nearer successor has answered"), (AsksItself, "is told to ask itself")):
        with pytest.raises(CheckFailed, match=says):
            mend(wrong)
