"""Replicated stores: what they promise, in the runs that the course shows, in storms, and in every order of events."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest

from dslab import explore, simulate
from dslab.check.answers import verify
from dslab.check.feedback import CheckFailed
from dslab.check.invariants import HELD, check_trace, first_violation
from dslab.check.progress import unanswered
from dslab.check.properties import linearizable
from dslab.check.shrink import minimise
from dslab.protocols import (
    abd,
    chain,
    dynamo,
    dynamo_variants,
    primary_backup,
    primary_backup_cases,
    primary_backup_variants,
    quorum,
    quorum_cases,
    quorum_handoff,
    quorum_questions,
    quorum_sessions,
    quorum_steps,
    quorum_steps_cases,
    quorum_variants,
    storms,
)
from dslab.sim import Client, NodeError, ScheduleError
from dslab.sim.case import Case

sys.path.insert(0, str(Path(__file__).parent))

import linearizability
import quorum_answers
import random_storage

CARTS_STAY = "nothing_added_is_lost"
UNFINISHED = ("unknown-write", "homes-cut-off")          # an operation fails there, as it is told
CASES = {"writing": quorum_steps_cases.WRITE, "reading": quorum_steps_cases.READ,
         "repairing": quorum_steps_cases.REPAIR, "restarting": quorum_steps_cases.RESTART}
TWINS = {"writing": "written", "reading": "read", "repairing": "repaired", "restarting": "restarted"}
# every case: who keeps all promises in it, and which mutant breaks which
SHOWN = [
    (quorum_cases.HALF_WRITTEN, abd.cluster, {"server": quorum_variants.NeverRepairs}, "reads_never_go_back"),
    (quorum_cases.HALF_WRITTEN, abd.cluster, {"server": quorum_variants.RepairsLater}, "reads_never_go_back"),
    (quorum_cases.HALF_WRITTEN, abd.cluster, {"server": quorum.Replica}, "reads_never_go_back"),
    (quorum_cases.UNKNOWN_WRITE, partial(quorum_variants.believing, client=quorum.Customer, tries=1),
     {"client": quorum_variants.BelievesFailure}, "not_written_is_not_read"),
    (quorum_cases.SLOW_CLOCK, abd.cluster, {"server": quorum_variants.WallClock}, "writes_are_newer"),
    (quorum_cases.HOMES_CUT_OFF, quorum_handoff.cluster, {"server": quorum_handoff.Sloppy},
     "what_is_acknowledged_is_stored"),
    (quorum_cases.BOUNCING, quorum_sessions.cluster, {"client": quorum_sessions.Forgetful}, "no_client_goes_back"),
    (quorum_cases.TWO_CARTS, dynamo.cluster, {"server": dynamo_variants.LastWriterWins}, CARTS_STAY),
    (quorum_cases.TWO_CARTS, dynamo.cluster, {"server": dynamo_variants.ComparesTuples}, CARTS_STAY),
    (quorum_cases.TWO_CARTS, dynamo.cluster, {"server": dynamo_variants.ComparesSums}, CARTS_STAY),
    (quorum_cases.TWO_CARTS, dynamo.cluster, {"client": dynamo_variants.TakesOne}, CARTS_STAY),
    (quorum_cases.SAME_DOOR, dynamo.cluster, {"server": dynamo_variants.CountsByServer}, CARTS_STAY),
    (quorum_cases.FAST_CLOCK, dynamo.cluster, {"server": dynamo_variants.LastWriterWins}, CARTS_STAY),
    (quorum_steps_cases.LATE_REPLICA, abd.cluster, {"server": quorum_variants.FollowerReads}, "reads_are_fresh"),
    (primary_backup_cases.STILL_PRIMARY, primary_backup.cluster, {"server": primary_backup_variants.ReadsAlone},
     "linearizable"),
    (primary_backup_cases.ACKNOWLEDGED_AND_GONE, primary_backup.cluster,
     {"server": primary_backup_variants.AnswersFirst}, "the_backup_is_ahead"),
    (primary_backup_cases.EMPTY_BACKUP, primary_backup.cluster, {"service": primary_backup_variants.PromotesAtOnce},
     "linearizable"),
    (primary_backup_cases.STILL_TAIL, chain.cluster, {"server": primary_backup_variants.TrustsItself}, "linearizable"),
    (primary_backup_cases.HEAD_FAILS, chain.cluster, {"server": primary_backup_variants.HeadAnswers}, "linearizable"),
    (primary_backup_cases.MIDDLE_FAILS, chain.cluster, {"server": primary_backup_variants.ForgetsSent},
     "requests_are_answered"),
    (primary_backup_cases.TAIL_FAILS, chain.cluster, {}, ""),
    (primary_backup_cases.READ_IN_THE_MIDDLE, chain.cluster, {"server": primary_backup_variants.AnyoneReads},
     "linearizable"),
]
# a storm that each mutant does not survive, though its protocol does
FOUND = {
    quorum_variants.RepairsLater: ("abd", 216), quorum_variants.NeverRepairs: ("abd", 12),
    quorum_variants.FollowerReads: ("abd", 0), quorum_variants.HalfAndHalf: ("abd", 3),
    quorum_variants.LocalVersions: ("abd", 0), quorum_variants.WallClock: ("abd", 54),
    quorum_variants.Nameless: ("abd", 0), quorum_variants.ForgetsWhatItGave: ("abd", 0),
    quorum_variants.StoresWhatComes: ("abd", 0), quorum_variants.Volatile: ("abd", 0),
    quorum_variants.EveryTryIsNew: ("abd", 12), dynamo_variants.LastWriterWins: ("dynamo", 0),
    dynamo_variants.ComparesTuples: ("dynamo", 0), dynamo_variants.ComparesSums: ("dynamo", 0),
    dynamo_variants.CountsByServer: ("dynamo", 0), dynamo_variants.TakesOne: ("dynamo", 0),
    quorum_handoff.Sloppy: ("quorum_handoff", 8), quorum_sessions.Forgetful: ("quorum_sessions", 3),
    primary_backup_variants.ReadsAlone: ("primary_backup", 150),
    primary_backup_variants.AnswersFirst: ("primary_backup", 0),
    primary_backup_variants.PromotesAtOnce: ("primary_backup", 12),
    primary_backup_variants.TrustsItself: ("chain", 0), primary_backup_variants.HeadAnswers: ("chain", 2),
    primary_backup_variants.AnyoneReads: ("chain", 0), primary_backup_variants.ForgetsSent: ("chain", 0),
}
LINKS = {quorum_variants.RepairsLater: {"latency": (5, 15)}}
READ_TWICE = [{"command": "x=1", "to": "n1"}, {"command": "x", "to": "n2", "client": "c2"},
              {"command": "x", "to": "n3", "client": "c2"}]


def broken(system, case):
    """The first promise that a run breaks, linearizability and answers among them; "" if none."""
    trace = simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)
    verdict = first_violation(trace, system.always)
    if verdict is None and case.name not in UNFINISHED:
        verdict = unanswered(trace)
    return verdict.name if verdict else ""


def register(case):
    """Whether the objects of a case are registers, which linearizability is about."""
    return not any("+" in str(act.get("command")) for act in case.schedule)


@pytest.mark.parametrize(("case", "make", "mutation", "promise"), SHOWN,
                         ids=[f"{case.name}-{promise}" for case, _, _, promise in SHOWN])
def test_a_case_shows_what_a_rule_is_good_for(case, make, mutation, promise):
    """The protocol keeps its promises in it, and the variant without the rule breaks the one it is about."""
    expected = (linearizable(),) if register(case) and make is not quorum_sessions.cluster else ()
    assert broken(make(case.nodes, clients=case.clients).expecting(*expected), case) == ""
    wrong = make(case.nodes, clients=case.clients, **mutation)
    if promise == "linearizable":
        wrong = wrong.expecting(*expected)
    assert broken(wrong, case) == promise


def test_overlapping_quorums_are_not_enough():
    """Script 6: R + W > N, both reads hear two replicas, the first gets 1 and the second 0 (S6)."""
    case = quorum_cases.HALF_WRITTEN
    trace = simulate(quorum.cluster(3, clients=3), seed=case.seed, schedule=case.schedule, until=case.until)
    assert [(o["client"], o["result"]) for o in trace.history] == [("c1", "0"), ("c1", "1"), ("c2", "1"), ("c3", "0")]
    first, second = (o for o in trace.history if o["command"] == "x")
    assert first["completed_us"] < second["invoked_us"]
    assert not linearizability.is_linearizable(trace.history)
    atomic = simulate(abd.cluster(3, clients=3), seed=case.seed, schedule=case.schedule, until=case.until)
    assert linearizability.is_linearizable(atomic.history)


def test_a_failed_write_stays_open_and_wins_later():
    """The twist of script 6: told that it failed, c1's write is read by others, and that is linearizable (S7, S4)."""
    case = quorum_cases.UNKNOWN_WRITE
    trace = simulate(quorum.cluster(3, clients=3, tries=1), schedule=case.schedule, until=case.until, seed=case.seed)
    assert [o["result"] for o in trace.history] == ["0", None, "0", "1", "1"]
    assert trace.state_at(len(trace) - 1)["c1"]["unknown"] == ["x=1"]
    assert linearizability.is_linearizable(trace.history)


def test_a_sloppy_quorum_is_stale_until_the_hand_off():
    """S8: acknowledged by a replica and a stand-in, missed by the read, there after the hint is delivered."""
    case = quorum_cases.HOMES_CUT_OFF
    system = quorum_handoff.cluster(4, clients=3, server=quorum_handoff.Sloppy)
    trace = simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)
    assert [o["result"] for o in trace.history] == ["0", "1", "0", "1"]
    last = trace.state_at(len(trace) - 1)
    assert last["n4"]["hints"] == {} and last["n1"]["versions"]["b"][1] == last["n2"]["versions"]["b"][1] == "1"


def test_a_client_bounces_back_without_a_token():
    """S10: 5, 3, 5; with the versions that it has seen it waits until a replica has as much."""
    case = quorum_cases.BOUNCING
    def reads(**part):
        trace = simulate(quorum_sessions.cluster(3, clients=2, **part), seed=case.seed, schedule=case.schedule,
                         until=case.until)
        return [o["result"] for o in trace.history if o["command"] == "x"]
    assert reads(client=quorum_sessions.Forgetful) == ["5", "3", "5"] and reads() == ["5", "5", "5"]


def test_conflicts_become_siblings_and_a_client_reconciles_them():
    """Script 2 and its twist: both versions are kept, and who has read both writes a version after both."""
    case = quorum_cases.TWO_CARTS
    trace = simulate(dynamo.cluster(3, clients=3), seed=case.seed, schedule=case.schedule, until=case.until)
    sizes = {len(trace.state_at(i)["n2"].get("siblings", {}).get("cart", [])) for i in range(0, len(trace), 5)}
    assert max(sizes) == 2
    (vector, items), = trace.state_at(len(trace) - 1)["n2"]["siblings"]["cart"]
    assert items == ["bread", "eggs", "milk"] and set(vector) == {"c1", "c2", "c3"}
    assert trace.history[-1]["result"] == "bread eggs milk"


@pytest.mark.parametrize(("a", "b", "more", "less"), [
    ({}, {}, True, True), ({"c1": 1}, {}, True, False), ({"c1": 1, "c2": 5}, {"c1": 1}, True, False),
    ({"c1": 1}, {"c2": 5}, False, False), ({"c1": 2, "c2": 1}, {"c1": 1, "c2": 2}, False, False)])
def test_vectors_are_compared_entry_by_entry(a, b, more, less):
    """Every entry at most, by the definition over all clients (Parker et al., 1983)."""
    assert (dynamo.descends(a, b), dynamo.descends(b, a)) == (more, less)
    both = dynamo.joined([a, b])
    assert dynamo.descends(both, a) and dynamo.descends(both, b)
    assert all(both[c] == max(a.get(c, 0), b.get(c, 0)) for c in {*a, *b})


# ---- the steps


@pytest.mark.parametrize("step", CASES)
def test_the_right_answer_keeps_its_promises(step):
    """In every case of the step and in storms; from the third step on it is linearizable."""
    make = getattr(quorum_steps, TWINS[step])
    for case in (*CASES[step], *quorum_steps_cases.storms(range(3), restarts=step == "restarting")):
        system = make(case.nodes, clients=case.clients)
        if step in ("repairing", "restarting"):
            system = system.expecting(linearizable())
        assert (case.name, broken(system, case)) == (case.name, "")


@pytest.mark.parametrize(("step", "answer"), [(s, a) for s, wrong in quorum_answers.WRONG.items() for a in wrong],
                         ids=lambda value: value if isinstance(value, str) else value.__name__)
def test_a_wrong_answer_fails_at_its_property(step, answer):
    """In a case of its step; and at no other property in any of them."""
    maker, extra = getattr(quorum_steps, step), (linearizable(),) if step in ("repairing", "restarting") else ()
    found = {broken(maker(answer, case.nodes, clients=case.clients).expecting(*extra), case) for case in CASES[step]}
    assert found - {""} and found - {""} <= quorum_answers.WRONG[step][answer] | {"linearizable"}


def test_a_counter_that_begins_anew_does_no_harm():
    """What a server has given a version to it stores in the same step, and asks itself before it gives the next."""
    def stored_as_given(world):
        node = world.changed
        return all(node.versions[write["key"]][0] >= write["version"]
                   for write in getattr(node, "writes", {}).values() if write["version"]) or "a version is not stored"
    for case in (*quorum_steps_cases.RESTART, *quorum_steps_cases.storms(range(4), restarts=True)):
        system = quorum_steps.restarting(quorum_answers.CounterAnew, case.nodes, clients=case.clients)
        assert (case.name, broken(system.expecting(linearizable(), stored_as_given), case)) == (case.name, "")


@pytest.mark.parametrize(("answer", "says"), [
    (type("NoForget", (quorum_steps.Restarted,), {"on_start": lambda self: None}), "self.forget\\(\\) sets reads"),
    (type("ValueOnly", (quorum_steps.Repaired,),
          {"keep": lambda self, key, version, value: self.versions.update({key: value})}), "must be .version, value."),
    (type("Exactly", (quorum_steps.Repaired,), {"is_stored": lambda self, acks: len(acks) == self.W}), "are not")])
def test_what_is_no_store_is_told(answer, says):
    """Instead of an error of the code around it."""
    with pytest.raises(CheckFailed, match=says):
        verify("steps", answer, quorum_steps.restarting, like=quorum_steps.restarted,
               cases=quorum_steps_cases.READ[:1])


def test_verify_explains_a_missing_write_back():
    """As the notebook does it: the right answer passes; who never repairs is told which property fails, and how."""
    make = partial(verify, "quorum-repair", minutes=20, cases=quorum_steps_cases.REPAIR[:3])
    def judged(answer, nodes, **options):
        return quorum_steps.repairing(answer, nodes, **options).expecting(linearizable())
    def like(nodes, **options):
        return quorum_steps.repaired(nodes, **options).expecting(linearizable())
    assert "right" in make(quorum_steps.Repaired, judged, like=like)
    with pytest.raises(CheckFailed, match="Reads never go back"):
        make(quorum_answers.NeverRepairs, judged, like=like)


def test_a_function_decides_about_siblings():
    """The rule as it should be passes; the larger tuple loses an item; what is no list of siblings is refused."""
    def keep(siblings, vector, value):
        if any(dynamo.descends(other, vector) for other, _ in siblings):
            return siblings
        return [[v, o] for v, o in siblings if not dynamo.descends(vector, v)] + [[vector, value]]
    def larger(siblings, vector, value):
        return [max([*siblings, [vector, value]], key=lambda one: sorted(one[0].items()))]
    make = partial(verify, "siblings", cases=quorum_cases.CARTS)
    assert "right" in make(keep, dynamo_variants.merging, like=dynamo_variants.merged)
    def no_twins(siblings, vector, value):
        return siblings if value in [one for _, one in siblings] else keep(siblings, vector, value)
    with pytest.raises(CheckFailed, match="A write stays until it is seen"):
        make(no_twins, dynamo_variants.merging, like=dynamo_variants.merged)
    with pytest.raises(CheckFailed, match="A write stays until it is seen"):
        make(larger, dynamo_variants.merging, like=dynamo_variants.merged)
    with pytest.raises(CheckFailed, match="must return a list"):
        make(lambda siblings, vector, value: None, dynamo_variants.merging, like=dynamo_variants.merged)


# ---- storms and searches


@pytest.mark.parametrize("name", random_storage.KINDS)
def test_a_store_survives_storms(name):
    """Its promises, the definition of linearizability by brute force where it promises that, and answers."""
    total = random_storage.many(name, range(8), seconds=30)
    assert total["runs"] == 8 and total["bad_runs"] == 0 and total["answered"] > 100


@pytest.mark.parametrize("mutant", FOUND, ids=lambda cls: cls.__name__)
def test_a_storm_finds_the_mutant(mutant):
    """One in which the protocol itself keeps every promise."""
    name, seed = FOUND[mutant]
    part = "client" if issubclass(mutant, Client) else \
        "service" if issubclass(mutant, primary_backup.ViewService) else "server"
    case, links = random_storage.case_for(name, seed), LINKS.get(mutant, {})
    assert random_storage.faults_of(name, *random_storage.run(name, case, **links)) == []
    assert random_storage.faults_of(name, *random_storage.run(name, case, **{part: mutant}, **links)) != []


@pytest.mark.parametrize("name", ["HalfAndHalf", "LocalVersions", "Nameless", "ForgetsWhatItGave", "StoresWhatComes",
                                  "Volatile", "EveryTryIsNew"])
def test_what_is_left_of_a_storm_is_short(name):
    """At most 15 actions; the others are shown by a case that is no longer."""
    mutant = getattr(quorum_variants, name)
    case = random_storage.case_for(*FOUND[mutant])
    wrong, right = (random_storage.system_for("abd", case, server=cls).expecting(linearizable())
                    for cls in (mutant, abd.Server))
    promise = first_violation(random_storage.run("abd", case, server=mutant)[1], wrong.always).name
    small = minimise(wrong, case, promise, right=right, runs=250)
    assert small.after["actions"] <= 15 and small.verdict.name == promise


def test_every_mutant_is_in_the_table():
    """A new one needs a storm that finds it, and a catalogue entry."""
    every = [*quorum_variants.MUTANTS, *dynamo_variants.MUTANTS, *quorum_handoff.MUTANTS, *quorum_sessions.MUTANTS,
             *primary_backup_variants.MUTANTS]
    assert set(every) == set(FOUND) and all(mutant.catalogue and mutant.__doc__ for mutant in every)


def test_abd_is_atomic_in_every_order():
    """A write and a read of two clients on three replicas, exhausted."""
    system = abd.cluster(3, clients=2).expecting(linearizable())
    found = explore(system, requests=READ_TWICE[:2])
    assert found.passed and found.states > 10_000


def test_a_search_finds_the_missing_write_back():
    """A shortest way: the write reaches one replica, a read meets it, the next read does not."""
    system = abd.cluster(3, server=quorum_variants.NeverRepairs, clients=2).expecting(linearizable())
    found = explore(system, requests=READ_TWICE, always=[linearizable()], goals=())
    assert found.verdict.name == "linearizable" and len(found.case.schedule) == 14
    replay = simulate(found.system, seed=found.case.seed, schedule=found.case.schedule, until=found.case.until)
    assert not linearizability.is_linearizable(random_storage.by_event(replay.history))


# ---- the worst inputs


def test_what_cannot_run_is_refused_with_a_reason():
    """Options, sizes and requests that make no sense."""
    with pytest.raises(NodeError, match="'w'"):
        quorum.cluster(3, w=2)
    with pytest.raises(ScheduleError, match="1 to 10,000"):
        quorum.cluster(0)
    with pytest.raises(KeyError):
        quorum_steps.repaired(9)


@pytest.mark.parametrize("command", ["", "=", "x==1", "ü=1", 7])
def test_strange_commands_are_commands(command):
    """Keys may be empty or of any letters, values may hold an equals sign, and a number is a key."""
    schedule = [{"at": 10, "do": "request", "command": command, "to": "n2"}]
    system = abd.cluster(3)
    trace = simulate(system, seed=1, schedule=schedule, until=1_000)
    assert trace.history[0]["completed_us"] is not None
    assert all(verdict.status == HELD for verdict in check_trace(trace, system.always))


def test_one_replica_is_its_own_quorum():
    """N = 1: no message between servers, and a read finds the write after a restart."""
    schedule = [{"at": 10, "do": "request", "command": "x=1"}, {"at": 100, "do": "crash", "node": "n1"},
                {"at": 120, "do": "restart", "node": "n1"}, {"at": 200, "do": "request", "command": "x"}]
    trace = simulate(abd.cluster(1), seed=1, schedule=schedule, until=1_000)
    assert [o["result"] for o in trace.history] == ["1", "1"]


def test_doubled_messages_change_nothing():
    """Every message of every link comes twice, and late: no write happens twice."""
    names = ["n1", "n2", "n3", "c1", "c2"]
    schedule = [{"at": 1, "do": "link", "source": a, "target": b, "duplicate": 1, "latency": [1, 200]}
                for a in names for b in names if a != b and not (a[0] == b[0] == "c")]
    schedule += [{"at": 10 + 150 * i, "do": "request", "command": f"x={i}" if i % 3 else "x", "to": f"n{i % 3 + 1}",
                  "client": f"c{i % 2 + 1}"} for i in range(12)]
    for make in (abd.cluster, chain.cluster, primary_backup.cluster):
        system = make(3, clients=2).expecting(linearizable())
        case = Case("doubled", "", schedule, 12_000, clients=2, seed=3)
        assert broken(system, case) == ""


def test_a_lost_acknowledgement_comes_again():
    """A storm in short: the middle's acknowledgement and the tail's answer are lost, and the head is asked again."""
    lost = [("n2", "n1"), ("n3", "c1")]
    schedule = [{"at": at, "do": "link", "source": a, "target": b, "loss": part}
                for at, part in ((300, 1), (400, 0)) for a, b in lost]
    schedule.append({"at": 310, "do": "request", "command": "x=1", "to": "n1"})
    trace = simulate(chain.cluster(3), seed=1, schedule=schedule, until=1_500)
    assert unanswered(trace) is None and trace.history[0]["result"] == "1"


def test_the_same_code_makes_the_same_system():
    """`code` and `imports` of every maker, run, give a system whose run has the same digest."""
    case = storms.storm(5)
    for system in (quorum.cluster(3, clients=4, R=1), abd.cluster(3, clients=4), quorum_sessions.cluster(3, clients=4),
                   quorum_handoff.cluster(3, clients=4), dynamo.cluster(3, clients=4),
                   primary_backup.cluster(3, clients=4, dead=3), chain.cluster(3, clients=4),
                   quorum_variants.believing(3, clients=4, tries=2),
                   quorum_steps.restarted(3, clients=4), abd.cluster(3, clients=4, server=quorum_variants.Volatile)):
        scope = {}
        exec(system.import_lines, scope)
        again = eval(system.code, scope)
        case_runs = [simulate(s, seed=1, schedule=case.schedule[:60], until=400).digest() for s in (system, again)]
        assert case_runs[0] == case_runs[1]


def test_every_question_has_one_sentence_for_each_option():
    """And the right one exists; wrong ones that are misconceptions have a name."""
    questions = [value for value in vars(quorum_questions).values() if isinstance(value, dict) and "options" in value]
    assert len(questions) == 7
    for question in questions:
        ids = [option[0] for option in question["options"]]
        assert question["right"] in ids and len(set(ids)) == len(ids) >= 3
        assert all(len(option[2]) > 20 for option in question["options"])
        assert all(len(option) == 4 for option in question["options"] if option[0] != question["right"])
