"""Replicated data types: every replica shows what its updates say, in any order, with losses, copies and restarts."""

from __future__ import annotations

from itertools import combinations, permutations
from random import Random

import pytest

from dslab import explore, simulate
from dslab.check.invariants import HELD, REACHED, check_trace
from dslab.protocols import crdt, crdt_cases, crdt_operations, crdt_steps_cases
from dslab.protocols.crdt_counters import BoundedCounter
from dslab.protocols.crdt_registers import MVRegister
from dslab.protocols.crdt_sequence import RGA
from dslab.protocols.crdt_sets import OptimisedORSet, ORSet
from dslab.protocols.crdt_specification import RULES, expected, update

OPERATIONS = {cls.payload.kind: cls for cls in (
    crdt_operations.CounterReplica, crdt_operations.SetReplica, crdt_operations.SequenceReplica)}
SERVERS = {**crdt.REPLICAS, **OPERATIONS}


def run(server, case):
    """The run of a case made for crdt.cluster."""
    system = crdt.cluster(case.nodes, server=server, clients=case.clients)
    return simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)


def last(trace):
    """The state of all nodes at the end."""
    return trace.state_at(len(trace) - 1)


@pytest.mark.parametrize("kind", SERVERS)
def test_replicas_keep_their_promises_in_storms(kind):
    """Losses, copies, late messages, partitions and restarts; in the end all replicas show one value to readers."""
    updates = 0
    for seed in range(8):
        nodes = 3 if seed % 2 else 5
        case = crdt_steps_cases.storms([seed], SERVERS[kind].payload, nodes)[0]
        trace = run(SERVERS[kind], case)
        system = crdt.cluster(nodes, server=SERVERS[kind])
        verdicts = check_trace(trace, system.always)
        assert all(verdict.status == HELD for verdict in verdicts), (seed, verdicts)
        at_end = last(trace)
        issued = {node: len(at_end[node]["issued"]) for node in trace.servers}
        updates += sum(issued.values())
        for node in trace.servers:
            assert {name: at_end[node]["seen"].get(name, 0) for name in trace.servers} == issued, (seed, node)
        reads = [operation["result"] for operation in trace.history if operation["invoked_us"] >= 3_000_000]
        assert len(reads) == nodes and all(read == reads[0] for read in reads), seed
    assert updates > 20


def test_every_type_has_a_specification():
    """A type that none speaks about would pass whatever it shows."""
    assert set(SERVERS) == set(RULES)
    assert expected("no such type", ()) is None


# ---- specifications by hand: updates as a replica shows them, [operation, argument, tag, seen before]

ADD1 = update("n1", 1, ["add", "x", [1, "n1"], {}])
REMOVE2 = update("n2", 1, ["remove", "x", [2, "n2"], {"n1": 1}])
ADD3 = update("n3", 1, ["add", "x", [1, "n3"], {}])
CONCURRENT_REMOVE = update("n2", 1, ["remove", "x", [2, "n2"], {"n3": 1}])


@pytest.mark.parametrize(("kind", "updates", "value"), [
    ("or-set", [ADD1, REMOVE2], []),
    ("or-set", [ADD1, ADD3, REMOVE2], ["x"]),
    ("or-set", [ADD1, ADD3, CONCURRENT_REMOVE], ["x"]),
    ("or-set", [REMOVE2], []),
    ("2p-set", [ADD1, ADD3, REMOVE2], []),
    ("g-counter", [update("n1", 1, ["inc", 3, [1, "n1"], {}]), update("n2", 1, ["inc", 5, [1, "n2"], {}])], 8),
    ("pn-counter", [update("n1", 1, ["inc", 3, [1, "n1"], {}]), update("n2", 1, ["dec", 5, [1, "n2"], {}])], -2),
    ("lww-register", [update("n1", 1, ["write", "a", [1, "n1"], {}]), update("n2", 1, ["write", "b", [1, "n2"], {}])],
     "b"),
    ("lww-register", [], None),
    ("mv-register", [update("n1", 1, ["write", "a", [1, "n1"], {}]), update("n2", 1, ["write", "b", [1, "n2"], {}])],
     ["a", "b"]),
    ("mv-register", [update("n1", 1, ["write", "a", [1, "n1"], {}]),
                     update("n2", 1, ["write", "b", [2, "n2"], {"n1": 1}])], ["b"]),
    ("sequence", [update("n1", 1, ["insert", [0, "a"], [1, "n1"], {}]),
                  update("n1", 2, ["insert", [1, "b"], [2, "n1"], {"n1": 1}]),
                  update("n2", 1, ["insert", [0, "x"], [1, "n2"], {}]),
                  update("n2", 2, ["delete", 0, [3, "n2"], {"n1": 2, "n2": 1}])], ["a", "b"]),
])
def test_specifications_say_what_they_should(kind, updates, value):
    """Concurrent adds win, overwritten values go, of concurrent inserts at one place the higher tag comes first."""
    assert expected(kind, tuple(sorted(updates, key=lambda one: one.tag))).value == value


def test_the_violation_names_replica_updates_and_values():
    """What a learner reads: who includes what, what it shows, and what it should show."""
    from dslab.protocols import crdt_variants
    case = crdt_cases.TWO_COUNT
    system = crdt_cases.stage(server=crdt_variants.SingleTotal)
    trace = simulate(system, seed=1, schedule=case.schedule, until=case.until)
    found = next(v for v in check_trace(trace, system.always) if v.name == "follows_the_updates")
    assert found.violation.text == "n2 includes inc 3 at n1, inc 5 at n2, and shows 5 instead of 8"
    assert found.violation.nodes == ("n2",) and (found.violation.expected, found.violation.found) == ("8", "5")


# ---- exhausted

COUNT = [{"command": "inc 3", "to": "n1", "client": "c1"}, {"command": "inc 5", "to": "n2", "client": "c2"}]
HOLD = [{"command": "add x", "to": "n1", "client": "c1"}, {"command": "add x", "to": "n2", "client": "c2"},
        {"command": "remove x", "to": "n2", "client": "c2"}]
TYPE = [{"command": "insert 0 a", "to": "n1", "client": "c1"}, {"command": "insert 0 b", "to": "n2", "client": "c2"},
        {"command": "delete 0", "to": "n1", "client": "c1"}]


@pytest.mark.parametrize(("kind", "requests"), [
    ("g-counter", COUNT), ("pn-counter", COUNT), ("or-set", HOLD), ("or-set-optimised", HOLD), ("sequence", TYPE)])
def test_two_replicas_keep_their_promises_in_every_order(kind, requests):
    """Exhausted: two replicas, two or three updates, three gossips, and every message any number of times or never."""
    system = crdt.cluster(2, crdt=kind, clients=2)
    found = explore(system, requests=requests, timeouts={"gossip": 2}, losses=1, duplicates=1)
    assert found.passed and found.states > 500, found
    again = explore(system, requests=requests, timeouts={"gossip": 2}, network="any number")
    assert again.passed, again


def test_operations_keep_their_promises_in_every_order():
    """Exhausted: three replicas that send operations, copies included; nothing is sent again, so losses stay."""
    requests = [HOLD[0], HOLD[2]]
    found = explore(crdt.cluster(3, server=crdt_operations.SetReplica, clients=2), requests=requests, duplicates=1)
    assert found.passed, found
    found = explore(crdt.cluster(2, server=crdt_operations.SetReplica, clients=2), requests=requests, losses=1,
                    timeouts={"gossip": 2})
    assert found.passed, found


# ---- types

def test_two_sell_the_last_piece_and_only_one_may():
    """Script 7's twist: without rights both replicas come to -1; with rights one sale is refused."""
    from dslab.protocols import crdt_variants
    case = crdt_cases.BOTH_SELL
    shown = {}
    for server in (crdt_variants.Sells, crdt.BoundedCounterReplica):
        trace = simulate(crdt_cases.stage(server=server), seed=1, schedule=case.schedule, until=case.until)
        shown[server.__name__] = [last(trace)[node]["value"] for node in trace.servers], trace.history[2]["result"]
    assert shown == {"Sells": ([-1, -1], "ok"), "BoundedCounterReplica": ([0, 0], "refused")}


def test_script_seven():
    """A +3, B +5: one total shows 5, adding with one state delivered twice 13, a slot for each 8."""
    from dslab.protocols import crdt_variants
    shown = []
    for case, server in ((crdt_cases.TWO_COUNT, crdt_variants.SingleTotal),
                         (crdt_cases.DELIVERED_TWICE, crdt_variants.AddsUp),
                         (crdt_cases.TWO_COUNT, crdt.GCounterReplica),
                         (crdt_cases.DELIVERED_TWICE, crdt.GCounterReplica)):
        trace = simulate(crdt_cases.stage(server=server), seed=1, schedule=case.schedule, until=case.until)
        shown.append(trace.history[-1]["result"])
    assert shown == [5, 13, 8, 8]


def test_rights_are_never_used_twice():
    """Whatever is merged when: all that was taken away had been added before."""
    counter, random = BoundedCounter(), Random(7)
    for _ in range(200):
        states, names = {name: counter.initial() for name in ("n1", "n2", "n3")}, ["n1", "n2", "n3"]
        for number in range(30):
            name, other = random.sample(names, 2)
            do = random.choice(["inc", "dec", "give", "merge", "dec"])
            if do == "merge":
                states[name] = counter.merge(states[name], states[other])
                continue
            amount = random.randint(1, 3)
            made = getattr(counter, do)(states[name], [amount, other] if do == "give" else amount, [number, name])
            states[name] = made or states[name]
        everything = counter.initial()
        for order in permutations(names):
            everything = counter.merge(everything, states[order[0]])
        assert counter.value(everything) >= 0
        assert all(counter.left(everything, name) >= 0 for name in names)
        assert counter.value(everything) == sum(counter.left(everything, name) for name in names)


def test_a_register_of_concurrent_writes_keeps_no_version_that_another_includes():
    """The versions held exclude each other pairwise, after any writes and merges."""
    register, random = MVRegister(), Random(3)
    for _ in range(200):
        states = {name: register.initial() for name in ("n1", "n2", "n3")}
        for number in range(12):
            name, other = random.sample(list(states), 2)
            if random.random() < 0.5:
                states[name] = register.write(states[name], f"v{number}", [number, name])
            else:
                states[name] = register.merge(states[name], states[other])
            for (one, _), (two, _) in combinations(states[name], 2):
                assert not all(two.get(key, 0) >= count for key, count in one.items())


def test_the_optimised_set_shows_the_same_and_remembers_less():
    """Step by step the same value as with tombstones; nothing is kept of what was removed."""
    plain, small, random = ORSet(), OptimisedORSet(), Random(5)
    for _ in range(150):
        names = ("n1", "n2", "n3")
        states = {name: (plain.initial(), small.initial(), 0) for name in names}
        for _ in range(25):
            name, other = random.sample(names, 2)
            one, two, clock = states[name]
            what, element = random.choice(["add", "add", "remove", "merge"]), random.choice("ab")
            if what == "merge":
                theirs = states[other]
                states[name] = plain.merge(one, theirs[0]), small.merge(two, theirs[1]), max(clock, theirs[2])
            else:
                tag = [clock + 1, name]
                states[name] = (getattr(plain, what)(one, element, tag), getattr(small, what)(two, element, tag),
                                clock + 1)
            one, two, _ = states[name]
            assert plain.value(one) == small.value(two)
            assert sum(map(len, two["tags"].values())) <= 3 * len(small.value(two))


# ---- the sequence

def shown_orders(trace):
    """Every value that any replica ever shows."""
    for world in trace.states():
        if world.changed is not None and getattr(world.changed, "value", None):
            yield list(world.changed.value)


@pytest.mark.parametrize("server", [crdt.SequenceReplica, crdt_operations.SequenceReplica])
def test_two_elements_never_change_their_order(server):
    """The strong list specification: one order of all elements that ever were, and every value agrees with it."""
    for seed in range(20):
        random = Random(f"typing/{seed}")
        case = crdt_steps_cases.storms([seed], RGA)[0]
        number = iter(range(1_000))
        schedule = [{**action, "command": f"insert {random.randint(0, 2)} e{next(number)}"}
                    if action["do"] == "request" and action["command"].startswith("insert") else action
                    for action in case.schedule]
        trace = run(server, case._replace(schedule=schedule))
        before = set()
        for value in shown_orders(trace):
            pairs = set(combinations(value, 2))
            before |= pairs
            assert not {(two, one) for one, two in pairs} & before, seed


def test_an_element_goes_where_its_replica_saw_it():
    """After an insert the replica shows its list with the element at that place, and nothing else changed."""
    sequence, random = RGA(), Random(11)
    for _ in range(100):
        states = {"n1": sequence.initial(), "n2": sequence.initial()}
        for clock in range(1, 16):
            name, other = random.sample(["n1", "n2"], 2)
            before = sequence.value(states[name])
            if random.random() < 0.3:
                states[name] = sequence.merge(states[name], states[other])
            elif before and random.random() < 0.3:
                place = random.randrange(len(before))
                states[name] = sequence.delete(states[name], place, [clock, name])
                assert sequence.value(states[name]) == before[:place] + before[place + 1:]
            else:
                place = random.randint(0, len(before))
                states[name] = sequence.insert(states[name], [place, f"e{clock}"], [clock, name])
                assert sequence.value(states[name]) == [*before[:place], f"e{clock}", *before[place:]]


def typed(words, forwards):
    """Two replicas type a word each at the same place, letter by letter, then merge."""
    sequence, states = RGA(), []
    for replica, word in enumerate(words, 1):
        state = sequence.initial()
        for number, letter in enumerate(word if forwards else reversed(word)):
            state = sequence.insert(state, [number if forwards else 0, letter], [number + 1, f"n{replica}"])
        states.append(state)
    return "".join(sequence.value(sequence.merge(*states)))


def test_runs_typed_forwards_stay_together_and_backwards_may_mix():
    """What the module says about interleaving."""
    assert typed(["milk", "BREAD"], forwards=True) in ("milkBREAD", "BREADmilk")
    assert typed(["abc", "XYZ"], forwards=False) not in ("abcXYZ", "XYZabc")


# ---- clients

def test_a_retry_counts_once():
    """Half of all messages between client and replica are lost or doubled; the client asks again, there."""
    schedule = [{"at": 1, "do": "link", "source": source, "target": target, "loss": 0.5, "duplicate": 0.5}
                for source, target in (("c1", "n1"), ("n1", "c1"))]
    schedule += [{"at": 10 + i, "do": "request", "command": "inc 1", "to": "n1"} for i in range(20)]
    for server in (crdt.GCounterReplica, crdt_operations.CounterReplica):
        trace = simulate(crdt.cluster(2, server=server), seed=3, schedule=schedule, until=60_000)
        assert [last(trace)[node]["value"] for node in ("n1", "n2")] == [20, 20]
        assert all(operation["result"] == "ok" for operation in trace.history)


def test_a_client_waits_for_its_replica():
    """While it is down nobody else answers; the update counts once it is back, and once only."""
    schedule = [{"at": 5, "do": "crash", "node": "n2"}, {"at": 10, "do": "request", "command": "inc 4", "to": "n2"},
                {"at": 2_000, "do": "restart", "node": "n2"}]
    trace = simulate(crdt.cluster(3, crdt="g-counter"), seed=1, schedule=schedule, until=4_000)
    assert trace.history[0]["completed_us"] > 2_000_000
    assert {last(trace)[node]["value"] for node in trace.servers} == {4}


WORST = [("g-counter", "x=1"), ("g-counter", ""), ("g-counter", "inc"), ("g-counter", "inc -1"),
         ("g-counter", "inc 1.5"), ("g-counter", "merge 3"), ("g-counter", "value"),
         ("pn-counter", "dec one"), ("bounded-counter", "dec 1"),
         ("bounded-counter", "give 1"), ("bounded-counter", "give 0 n1"), ("bounded-counter", "give 1 n2"),
         ("or-set", "add"), ("2p-set", "remove a"), ("lww-register", "write"), ("sequence", "insert 0"),
         ("sequence", "insert 1 a"), ("sequence", "insert -1 a"), ("sequence", "delete 0"), ("sequence", "delete x"),
         ("sequence", "insert a 0"), ("g-set", None), ("or-set", 7), ("or-set", ["add", "x"])]


@pytest.mark.parametrize(("kind", "command"), WORST)
def test_what_makes_no_sense_is_refused_and_changes_nothing(kind, command):
    """The client gets an answer, the replica keeps its state, nobody counts an update."""
    schedule = [{"at": 10, "do": "request", "command": command, "to": "n1"},
                {"at": 300, "do": "request", "command": "read", "to": "n1"}]
    trace = simulate(crdt.cluster(2, crdt=kind), seed=1, schedule=schedule, until=600)
    empty = simulate(crdt.cluster(2, crdt=kind), seed=1, schedule=schedule[1:], until=600)
    assert trace.history[0]["result"].startswith("refused")
    assert trace.history[1]["result"] == empty.history[0]["result"]
    assert last(trace)["n1"]["issued"] == []


@pytest.mark.parametrize("element", ["", "ü", "a b", "x" * 10_000, "{}", "None"])
def test_elements_are_any_text(element):
    """Spaces, other alphabets and long words travel; nothing at all is refused."""
    schedule = [{"at": 10, "do": "request", "command": f"add {element}", "to": "n1"}]
    for kind in ("or-set", "g-set"):
        trace = simulate(crdt.cluster(2, crdt=kind), seed=1, schedule=schedule, until=600)
        assert last(trace)["n2"]["value"] == ([element] if element else [])


def test_copy_as_code_makes_the_same_system():
    """The expression that a lab shows, in a namespace with the imports that it names."""
    for system in (crdt.cluster(2, crdt="sequence", clients=2), crdt.cluster(3, server=crdt_operations.SetReplica),
                   crdt_cases.stage(crdt="g-counter")):
        scope: dict[str, object] = {}
        exec(system.import_lines, scope)
        twin = eval(system.code, scope)
        runs = [simulate(one, seed=4, schedule=[{"at": 5, "do": "request", "command": "read"}], until=500).digest()
                for one in (system, twin)]
        assert runs[0] == runs[1] and twin.code == system.code


def test_replicas_of_one_promise_hold_the_property_up():
    """The goal is met in a run with an update, and in none without."""
    system = crdt.cluster(2, crdt="g-counter")
    for schedule, status in (([{"at": 5, "do": "request", "command": "inc 1"}], REACHED), ([], "not yet")):
        trace = simulate(system, seed=1, schedule=schedule, until=600)
        assert check_trace(trace, (), system.eventually)[0].status == status
