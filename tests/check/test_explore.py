"""The explorer: the same states as two simpler searches, every seeded fault, and never a pass for a spent budget."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import OrderedDict, defaultdict, deque
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from dslab import explore
from dslab.check.invariants import VIOLATED, check_trace
from dslab.protocols import paxos, raft, raft_variants, two_phase_commit, two_phase_commit_variants
from dslab.sim import DslabError, Node, NodeError, ScheduleError, System, message, simulate, violation
from dslab.sim.schedule import check_schedule

sys.path.insert(0, str(Path(__file__).parent))

from random_protocols import by_hand, system, table
from tuple_models import paxos as paxos_by_hand
from tuple_models import two_phase_commit as two_phase_commit_by_hand


@message
class Names:
    """{source} tells {target} the {names}."""

    names: dict


@message
class Ping:
    """{source} pings {target} with {number}."""

    number: int


def never(world):
    """Holds always."""


def replays(found):
    """Runs the counterexample and finds the same property violated."""
    trace = simulate(found.system, seed=found.case.seed, schedule=found.case.schedule, until=found.case.until)
    verdicts = {v.name: v.status for v in check_trace(trace, found.system.always)}
    return verdicts[found.verdict.name] == VIOLATED


# ---- the same states as by hand


def test_paxos_has_the_states_and_steps_of_the_model_by_hand():
    """Two proposers with one ballot each and three acceptors: 101,408 states, 518,682 steps."""
    cluster = paxos.cluster(proposers=2, acceptors=3, ballots=1)
    found = explore(cluster, timeouts=None)
    assert (found.result, found.states, found.transitions) == ("exhausted", 101_408, 518_682) and found.passed
    assert paxos_by_hand() == (101_408, 518_682)
    assert found.handler_runs < 0.01 * found.transitions


def test_notes_of_properties_do_not_count_as_states():
    """Votes that were overwritten make more histories, not more states."""
    cluster = paxos.cluster(proposers=2, acceptors=3, ballots=1)
    found = explore(cluster, timeouts=None, always=(), goals=())
    assert (found.states, found.histories, found.transitions) == (101_408, 101_408, 518_682)


@pytest.mark.parametrize(("managers", "states"), [(3, 288), (5, 8_832)])
def test_two_phase_commit_has_the_states_of_the_specification(managers, states):
    """5 resource managers: 8,832 states, as Stateright finds. (7: 296,448; see tests/benchmarks/explore.py.)"""
    found = explore(two_phase_commit.cluster(managers), **two_phase_commit.BOUNDS)
    assert (found.result, found.states) == ("exhausted", states)
    assert two_phase_commit_by_hand(managers)[0] == states


@pytest.mark.parametrize(("managers", "orbits"), [(3, 80), (5, 314), (7, 920)])
def test_interchangeable_managers_count_once(managers, orbits):
    """7 resource managers: 296,448 states fall into 920 classes; both goals are still met."""
    found = explore(two_phase_commit.cluster(managers), **two_phase_commit.BOUNDS, symmetry=True)
    assert found.passed and found.states == orbits


BOUNDS = ({}, {"timeouts": 3}, {"timeouts": 1, "crashes": 2, "restarts": 1},
          {"losses": 1, "duplicates": 2, "timeouts": 1},
          {"network": "any number", "timeouts": 2, "crashes": 1, "restarts": 1})


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
def test_random_protocols_have_the_states_found_by_hand(bounds):
    """Twenty random protocols under each set of bounds; the naive way of copying finds the same."""
    for seed in range(20):
        rules = table(seed)
        found = explore(system(rules), states=20_000, **bounds)
        assert found.result == "exhausted", seed
        hand = {name: value for name, value in bounds.items() if name != "network"}
        assert (found.states, found.transitions) == by_hand(rules, kept="network" in bounds, **hand), seed
        if seed % 10 == 0:
            naive = explore(system(rules), states=20_000, copying="deepcopy", **bounds)
            assert (naive.states, naive.transitions, naive.depth) == (found.states, found.transitions, found.depth)


def test_depth_first_sees_the_same_states():
    """The order of the search changes no count."""
    for seed in range(30):
        one, other = (explore(system(table(seed)), timeouts=2, losses=1, search=search)
                      for search in ("breadth-first", "depth-first"))
        assert (one.result, one.states, one.transitions) == (other.result, other.states, other.transitions)


def test_random_protocols_break_where_the_states_say_so():
    """A state that some run reaches is found as a violation and replays; one that none reaches is never claimed."""
    hits = 0
    for seed in range(40):
        wanted = tuple(Random(seed).randrange(3) for _ in range(3))

        def avoids(world, wanted=wanted):
            """The nodes are never in these states together."""
            now = tuple(getattr(s, "state", None) for s in world.servers)
            return violation("all there") if now == wanted else None
        found = explore(system(table(seed)), timeouts=2, crashes=1, restarts=1, always=(avoids,), goals=())
        walked = explore(system(table(seed)), timeouts=2, crashes=1, restarts=1, always=(avoids,), goals=(),
                         search="random walk", states=2_000, depth=30)
        assert walked.result == ("violated" if walked.verdict else "budget spent")
        assert found.result == "violated" or walked.result != "violated"
        hits += found.result == "violated"
        if walked.case:
            assert len(found.case.schedule) <= len(walked.case.schedule)
    assert 10 < hits < 40


# ---- seeded faults


def test_raft_without_a_durable_vote_elects_two_leaders():
    """The counterexample is a schedule that replays; Raft itself is exhausted within the same bounds."""
    bounds = {"timeouts": {"election": 2}, "crashes": 1, "restarts": 1, "goals": (), "states": 60_000}
    broken = explore(raft.cluster(3, server=raft_variants.ForgetfulVoter, clients=0), **bounds)
    assert broken.result == "violated" and broken.verdict.name == "election_safety"
    assert len(broken.case.schedule) == 8 and replays(broken)
    assert broken.case.schedule == check_schedule(broken.case.schedule, broken.system)
    assert broken.system.code.endswith(".stepped()")
    sound = explore(raft.cluster(3, clients=0), timeouts={"election": 2})
    assert sound.result == "exhausted" and sound.goals == {"has_leader": True, "commits": False}
    assert not sound.passed and "commits was met nowhere, so this is no pass" in repr(sound)


@pytest.mark.parametrize("maker", ["majority_commits", "changes_its_mind"])
@pytest.mark.parametrize("symmetry", [False, True])
def test_variants_of_two_phase_commit_are_found(maker, symmetry):
    """With and without looking at one state of each class."""
    cluster = getattr(two_phase_commit_variants, maker)(3)
    found = explore(cluster, **two_phase_commit.BOUNDS, symmetry=symmetry)
    assert found.verdict.name == "consistent" and replays(found) and len(found.case.schedule) <= 9


@pytest.mark.parametrize("search", ["depth-first", "random walk"])
def test_other_searches_find_it_too(search):
    """On longer ways."""
    cluster = two_phase_commit_variants.majority_commits(3)
    found = explore(cluster, **two_phase_commit.BOUNDS, search=search, states=20_000)
    assert found.result == "violated" and replays(found)


def test_handler_that_raises_is_a_violation():
    """In one order of events only; the text names node, handler and line."""
    class Counts(Node):
        shows = ("last",)

        def on_start(self):
            self.last = 0
            if self.id == "n1":
                self.send("n2", Ping(1))
                self.send("n2", Ping(2))

        def on_ping(self, sender, m):
            self.last = 6 // (m.number - self.last + 1) and m.number
    found = explore(System(Counts, 2))
    assert found.result == "violated" and found.verdict.name == "no_handler_fails"
    text = found.verdict.violation.text
    assert "n2 in on_ping" in text and "ZeroDivisionError" in text
    assert [a["do"] for a in found.case.schedule] == ["deliver", "deliver"]


def test_duplicates_losses_and_requests_are_steps_of_the_schedule():
    """Each kind of step has its verb."""
    class Counting(Node):
        shows = ("total",)
        durable = {"total": 0}

        def on_client_request(self, sender, m):
            self.send("n2" if self.id == "n1" else "n1", Ping(1))

        def on_ping(self, sender, m):
            self.total += m.number

    def at_most_one(world):
        """No ping counts twice."""
        return "twice" if any(getattr(s, "total", 0) > 1 for s in world.servers) else None
    cluster = System(Counting, 2, clients=1, always=(at_most_one,))
    calm = explore(cluster, requests=[{"command": "x", "to": "n1"}], losses=1)
    assert calm.result == "exhausted"
    twice = explore(cluster, requests=[{"command": "x", "to": "n1"}], duplicates=1)
    assert [a["do"] for a in twice.case.schedule] == ["request", "deliver", "duplicate", "deliver", "deliver"]
    again = explore(cluster, requests=[{"command": "x", "to": "n1"}], network="any number")
    assert replays(again) and replays(twice)


def test_traitor_chooses_for_each_message():
    """Two receivers hear different values only if the sender is a traitor; honest nodes never differ."""
    class Hears(Node):
        shows = ("heard",)

        def on_start(self):
            self.heard = None
            if self.id == "n1":
                self.set_timer("speak", after=1)

        def on_speak_timeout(self):
            self.broadcast(Ping(1))

        def on_ping(self, sender, m):
            self.heard = m.number

    def same(world):
        """Nobody hears anything else."""
        heard = {s.heard for s in world.servers if getattr(s, "heard", None) is not None}
        return "different" if len(heard) > 1 else None
    cluster = System(Hears, 3, always=(same,))
    assert explore(cluster, timeouts=1).result == "exhausted"
    found = explore(cluster, timeouts=1, traitors={"n1": [{"number": 2}]})
    assert found.result == "violated" and replays(found)
    assert found.case.schedule[0]["do"] == "turn_traitor" and len(found.case.schedule) == 4
    with pytest.raises(ScheduleError, match="there is no server 'n9'"):
        explore(cluster, traitors={"n9": []})


# ---- chance, clocks, and what cannot be compared


def coin(draw):
    """A node that draws in a handler and shows what came out."""
    class Flips(Node):
        shows = ("side",)

        def on_start(self):
            self.side = None
            self.set_timer("flip", between=(1, 2))

        def on_flip_timeout(self):
            self.side = draw(self)
    return System(Flips, 1)


@pytest.mark.parametrize("draw", [
    lambda node: node.random.choice("ht"), lambda node: node.random.randrange(2),
    lambda node: node.random.randint(4, 5), lambda node: node.random.getrandbits(1)])
def test_every_outcome_of_a_draw_is_followed_and_replays(draw):
    """Both sides of a coin: three states; the schedule loads the dice."""
    found = explore(coin(draw), timeouts=1)
    assert (found.result, found.states) == ("exhausted", 3)
    sides = {found.space.locals[0][n].attributes["side"] for n in range(1, 4)} - {None}
    for side in sides:
        def avoided(world, side=side):
            """The coin never falls on this side."""
            return "it did" if getattr(world.servers[0], "side", None) == side else None
        broken = explore(coin(draw), timeouts=1, always=(avoided,))
        assert [a["do"] for a in broken.case.schedule] == ["load_dice", "timeout"]


@pytest.mark.parametrize(("draw", "words"), [
    (lambda node: node.now, "n1 in on_flip_timeout: it reads self.now, and the explorer has no clock"),
    (lambda node: node.random.random(), "calls self.random.random(), which has too many outcomes"),
    (lambda node: node.random.uniform(1, 2), "set_timer(..., between=(lowest, highest))"),
    (lambda node: node.random.randrange(100), "draws one of 100 outcomes from self.random; the explorer follows at"),
    (lambda node: (x for x in ()), "n1.side holds what the explorer cannot compare"),
    (lambda node: node.send("n9", Ping(1)), "there is no node 'n9' to send to"),
    (lambda node: node.set_timer("flap", after=1), "timer 'flap' has no handler: did you mean 'flip'?"),
])
def test_what_cannot_be_followed_is_named(draw, words):
    """One sentence: node, handler, what to do."""
    with pytest.raises(NodeError) as caught:
        explore(coin(draw), timeouts=1)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_draws_while_starting_are_refused():
    """No schedule could replay them."""
    class Early(Node):
        def on_start(self):
            self.side = self.random.choice("ht")
    with pytest.raises(NodeError, match=r"draws from self\.random while it starts"):
        explore(System(Early, 1))


def test_order_in_which_a_dict_was_filled_counts_where_it_matters():
    """First come, first served: which of two was first is part of the state, and both orders are found."""
    class Serves(Node):
        shows = ("served",)

        def on_start(self):
            self.waiting, self.served = {}, None
            if self.id == "n1":
                self.set_timer("serve", after=1)
            else:
                self.send("n1", Ping(int(self.id[1])))

        def on_ping(self, sender, m):
            self.waiting[sender] = True

        def on_serve_timeout(self):
            self.served = next(iter(self.waiting), None)

    def two_never_first(world):
        """n3 is always served first."""
        return "n2 was" if getattr(world.servers[0], "served", None) == "n2" and len(world.servers) == 3 else None

    def three_never_first(world):
        """n2 is always served first."""
        return "n3 was" if getattr(world.servers[0], "served", None) == "n3" else None
    for prop in (two_never_first, three_never_first):
        assert explore(System(Serves, 3), timeouts=1, always=(prop,)).result == "violated"
    assert explore(System(Serves, 3), timeouts=1).states == 5 + 5 + 2 + 2


class Queues(Node):
    """n1 notes who greets it; then it shows who comes at `place` in the order of its notes."""

    shows = ("first",)
    place = 0

    def on_start(self):
        self.first = None
        self.notes = self.empty()
        if self.id == "n1":
            self.set_timer("serve", after=1)
        else:
            self.set_timer("greet", after=1)

    def empty(self):
        return {}

    def on_greet_timeout(self):
        self.send("n1", Ping(1))

    def on_ping(self, sender, m):
        self.inner()[sender] = True

    def inner(self):
        return self.notes

    def on_serve_timeout(self):
        if len(self.inner()) == len(self.peers):
            self.serve()

    def serve(self):
        self.first = list(self.inner())[self.place]


class InOrderedDict(Queues):
    def empty(self):
        return OrderedDict()


class InDefaultDict(Queues):
    def empty(self):
        return defaultdict(bool)


class InDeque(Queues):
    def empty(self):
        return deque([{}])

    def inner(self):
        return self.notes[0]


class InObject(Queues):
    def empty(self):
        return SimpleNamespace(inside={})

    def inner(self):
        return self.notes.inside


class InMessage(Queues):
    def serve(self):
        self.send("n1", Names(self.notes))

    def on_names(self, sender, m):
        self.first = next(iter(m.names))


class OnDisk(Queues):
    durable = {"notes": {}}

    def on_start(self):
        self.first = None
        self.set_timer("greet" if self.id != "n1" else "serve", after=1)
        if self.id == "n1" and len(self.notes) == 2:
            self.first = next(iter(self.notes))

    def serve(self):
        """Only a restart looks at the notes."""


class InTheMiddle(Queues):
    place = 1


@pytest.mark.parametrize(("server", "nodes"), [
    (InOrderedDict, 3), (InDefaultDict, 3), (InDeque, 3), (InObject, 3), (InMessage, 3), (OnDisk, 3), (InTheMiddle, 4)])
def test_every_order_is_found_wherever_the_dict_is(server, nodes):
    """Each greeter can come first (or in the middle): none is forgotten because another order was seen before."""
    disk = {"crashes": 1, "restarts": 1} if server is OnDisk else {}
    for who in [f"n{k}" for k in range(2, nodes + 1)]:
        def avoids(world, who=who):
            """This node is never shown."""
            return "it was" if getattr(world.servers[0], "first", None) == who else None
        found = explore(System(server, nodes, always=(avoids,)), timeouts={"greet": nodes - 1, "serve": 1}, **disk)
        assert found.result == "violated" and replays(found), who


@pytest.mark.parametrize("copying", ["touched", "deepcopy"])
def test_one_list_in_several_places_stays_one(copying):
    """dict.fromkeys(peers, []) is one box for all: what one sender puts in is in every box, as in the simulator."""
    class OneBox(Node):
        shows = ("boxes",)

        def on_start(self):
            box = []
            self.boxes = {peer: box for peer in self.peers}
            self.set_timer("go", after=1)

        def on_go_timeout(self):
            self.broadcast(Ping(1))

        def on_ping(self, sender, m):
            self.boxes[sender].append(m.number)

    def one_each(world):
        """Nobody greets twice."""
        boxes = [box for server in world.servers for box in getattr(server, "boxes", {}).values()]
        return "twice" if any(len(box) > 1 for box in boxes) else None
    found = explore(System(OneBox, 3, always=(one_each,)), timeouts=None, copying=copying)
    assert found.result == "violated" and len(found.case.schedule) == 4 and replays(found)


@pytest.mark.parametrize("same", ["heads", "tails"])
def test_same_contents_in_one_list_or_two_are_two_states(same):
    """What comes next depends on it, whichever of the two is seen first."""
    class Joins(Node):
        shows = ("left", "right")

        def on_start(self):
            self.left, self.right = [], []
            self.set_timer("flip", after=1)

        def on_flip_timeout(self):
            self.right = self.left if self.random.choice(["heads", "tails"]) == same else []
            self.set_timer("add", after=1)

        def on_add_timeout(self):
            self.left.append(1)

    def nothing_on_the_right(world):
        """Only the left list grows."""
        return "something is" if getattr(world.servers[0], "right", None) else None
    assert explore(System(Joins, 1), timeouts=None).states == 5
    found = explore(System(Joins, 1, always=(nothing_on_the_right,)), timeouts=None)
    assert found.result == "violated" and replays(found)


def assigns_peers(node):
    node.peers = ("n9",)


def assigns_random(node):
    node.random = None


def changes_class(node):
    type(node).count = 1


@pytest.mark.parametrize(("act", "words"), [
    (assigns_peers, r"n1 in on_flip_timeout: it assigns self\.peers, which belongs to the runtime"),
    (assigns_random, r"it assigns self\.random"),
    (changes_class, r"it changes Flips\.count, which all nodes would share: keep it in self\.count")])
def test_what_is_no_part_of_a_state_may_not_change(act, words):
    """The explorer would forget it."""
    with pytest.raises(NodeError, match=words):
        explore(coin(act), timeouts=1)


def test_handler_that_raises_after_a_draw_replays():
    """The schedule loads the dice for the fault as well."""
    def draw(node):
        if node.random.randrange(4) == 3:
            raise ValueError("three")
    found = explore(coin(draw), timeouts=1)
    assert found.verdict.name == "no_handler_fails"
    assert [a["do"] for a in found.case.schedule] == ["load_dice", "timeout"]


def test_traitor_that_sends_while_it_starts_is_refused():
    """No schedule can make it lie before the first action."""
    class Early(Node):
        def on_start(self):
            self.broadcast(Ping(1))

        def on_ping(self, sender, m):
            """Nothing."""
    assert explore(System(Early, 3), traitors={"n1": []}).result == "exhausted"
    with pytest.raises(NodeError, match="n1 in on_start: it sends while it starts, and no schedule can make a traitor"):
        explore(System(Early, 3), traitors={"n1": [{"number": 2}]})


# ---- budgets and goals


def test_spent_budget_is_never_a_pass():
    """States, depth, memory, Ctrl-C: each is named."""
    cluster = raft.cluster(3)

    def interrupt(unfinished):
        raise KeyboardInterrupt
    for arguments, why in (({"states": 500}, "500 states"), ({"depth": 3}, "depth of 3"),
                           ({"memory": 1000}, "1,000 bytes"),
                           ({"progress": interrupt}, "Ctrl-C"), ({"search": "random walk", "states": 100}, "100 steps"),
                           ({"search": "depth-first", "states": 500}, "500 states"),
                           ({"search": "depth-first", "depth": 3}, "depth of 3")):
        found = explore(cluster, timeouts={"election": 2}, goals=(), **arguments)
        assert found.result == "budget spent" and why in found.why and not found.passed
        assert "proves nothing" in repr(found)


def test_depth_that_cuts_nothing_off_is_no_limit():
    """Exhausted at depth 9 means exhausted with a limit of 9, and not with one of 8."""
    whole = explore(raft.cluster(3, clients=0), timeouts={"election": 1}, goals=())
    for search in ("breadth-first", "depth-first"):
        same, less = (explore(raft.cluster(3, clients=0), timeouts={"election": 1}, goals=(), search=search, depth=d)
                      for d in (whole.depth, whole.depth - 1))
        assert (same.result, same.states) == ("exhausted", whole.states)
        assert less.result == "budget spent"


def test_search_goes_on_where_a_goal_was_met():
    """From a leader on, a crash and one more election; the counterexample has the steps of both searches."""
    cluster = raft.cluster(3, server=raft_variants.ForgetfulVoter, clients=0)
    first = explore(cluster, timeouts={"election": 1})
    second = explore(cluster, start=first.where("has_leader"), timeouts={"election": 1}, crashes=1, restarts=1,
                     goals=())
    assert second.result == "violated" and replays(second)
    verbs = [action["do"] for action in second.case.schedule]
    assert verbs.count("timeout") == 2 and verbs.index("crash") > verbs.index("deliver")
    with pytest.raises(ScheduleError, match="commits was met nowhere"):
        first.where("commits")
    with pytest.raises(ScheduleError, match="no goal 'peace'"):
        first.where("peace")


class Adds(Node):
    """Adds up what others tell it."""

    shows = ("total",)

    def on_start(self):
        self.total = 0
        self.set_timer("go", after=1)

    def on_go_timeout(self):
        self.broadcast(Ping(1))
        self.set_timer("go", after=1)

    def on_ping(self, sender, m):
        self.total += m.number


def test_search_from_an_unfinished_one_is_no_pass():
    """What the earlier search did not see is missing in the later one as well."""
    def told(world):
        """n1 has heard something."""
        return getattr(world.servers[0], "total", 0) > 0
    cluster = System(Adds, 3)
    first = explore(cluster, timeouts=4, goals=(told,), states=18)
    assert first.result == "budget spent" and first.goals["told"]
    second = explore(cluster, goals=(), start=first.where("told"))
    assert second.result == "budget spent" and not second.passed and "was not finished" in second.why
    assert "states where told was met" in repr(second)
    whole = explore(cluster, timeouts=1, goals=(told,))
    assert explore(cluster, goals=(), start=whole.where("told")).passed


def test_lies_of_an_earlier_search_are_replayed():
    """A traitor of the first search is one in the second, which names none; there it tells the truth."""
    def lied(world):
        """n3 has heard the lie."""
        return getattr(world.servers[2], "total", 0) == 5

    def never_seven(world):
        """n3 does not hear that much."""
        return "it did" if getattr(world.servers[2], "total", 0) == 7 else None
    cluster = System(Adds, 3, always=(never_seven,))
    first = explore(cluster, timeouts=1, goals=(lied,), traitors={"n1": [{"number": 5}]})
    second = explore(cluster, timeouts=2, goals=(), start=first.where("lied"))
    assert second.result == "violated" and replays(second) and second.bounds["traitors"] == {"n1": []}


def test_memory_counts_all_that_grows():
    """A depth-first search keeps more for each state than the state; a bound on memory ends it."""
    cluster = raft.cluster(3)
    small, large = (explore(cluster, timeouts=3, search="depth-first", goals=(), states=n) for n in (2_000, 20_000))
    assert large.memory_bytes - small.memory_bytes > 150 * (large.states - small.states)
    bounded = explore(cluster, timeouts=3, search="depth-first", goals=(), memory=small.memory_bytes)
    assert "bytes of memory" in bounded.why and bounded.states < 6_000


MEASURES = """
from pathlib import Path
from dslab import explore
from dslab.protocols import raft
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
bounds = {"timeouts": 3, "requests": [{"command": "x=1"}], "goals": ()}
explore(raft.cluster(5), states=100, **bounds)
before = resident()
found = explore(raft.cluster(5), memory=12_000_000, **bounds)
print(found.result, "bytes of memory" in found.why, found.memory_bytes / (resident() - before))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks Linux how much memory a process has")
def test_stated_memory_is_near_what_the_process_takes():
    """A bound on memory ends the search about where the process has grown by so much."""
    told = subprocess.run([sys.executable, "-c", MEASURES], check=True, capture_output=True, text=True).stdout.split()
    assert told[:2] == ["budget", "spent"] and told[2] == "True" and 0.5 < float(told[3]) < 2, told


def test_property_that_cannot_be_judged_is_no_pass():
    """It is named with the reason."""
    def asks_too_much(world):
        """Reads what nobody shows."""
        return world.servers[0].colour
    found = explore(raft.cluster(3, clients=0), timeouts={"election": 1}, goals=(), always=(asks_too_much,))
    assert found.result == "exhausted" and not found.passed and "colour" in repr(found)


@pytest.mark.parametrize(("arguments", "words"), [
    ({"network": "twice"}, "network is"), ({"search": "wide"}, "search is one of"),
    ({"crashes": -1}, "crashes must be"),
    ({"copying": "none"}, "copying is"), ({"timeouts": {"election": -1}}, r"timeouts\['election'\] must be"),
    ({"requests": [{"command": "x=1", "to": "n9"}]}, "to must be"), ({"symmetry": True}, "does not say which nodes"),
    ({"traitors": {"n1": [{"colour": "red"}]}}, "no message has a field 'colour'"),
    ({"traitors": ["n1"]}, "traitors must be a dict"), ({"traitors": {"n1": {"term": 2}}}, "lies of n1 must be a list"),
    ({"timeouts": {"electoin": 3}}, "no timer 'electoin'; the timers are .*election"),
    ({"timeouts": "any"}, "timeouts must be a whole number"), ({"states": "x"}, "states must be"),
    ({"states": -1}, "states must be"), ({"depth": "a"}, "depth must be"), ({"depth": -1}, "depth must be"),
    ({"memory": -1}, "memory must be"), ({"seed": "q"}, "seed must be"), ({"goals": never}, "goals must be a list"),
    ({"always": [3]}, "always must be a list"), ({"requests": ["x=1"]}, "requests must be a list"),
    ({"start": 3}, "start must be what")])
def test_wrong_arguments_are_named(arguments, words):
    """One sentence."""
    with pytest.raises(DslabError, match=words):
        explore(raft.cluster(3), **arguments)


# ---- the same everywhere

SCRIPT = """
import json
from dslab import explore
from dslab.protocols import raft, raft_variants
cluster = raft.cluster(3, server=raft_variants.ForgetfulVoter, clients=0)
outcomes = []
for search in ("breadth-first", "depth-first", "random walk"):
    found = explore(cluster, timeouts={"election": 2}, crashes=1, restarts=1, search=search, states=5000)
    outcomes.append([found.result, found.states, found.transitions, found.case and found.case.schedule])
print(json.dumps(outcomes))
"""


def test_outcome_does_not_depend_on_hashes():
    """Two processes with different hash seeds search in the same order."""
    told = [subprocess.run([sys.executable, "-c", SCRIPT], env={**os.environ, "PYTHONHASHSEED": seed}, check=True,
                           capture_output=True, text=True).stdout for seed in ("1", "2024")]
    assert told[0] == told[1] and len(json.loads(told[0])) == 3


def test_a_property_that_looks_at_all_nodes_waits_until_they_have_started():
    """While the first node starts, the others show nothing yet: no reason to leave a property out."""

    class Waker(Node):
        def on_start(self):
            self.awake = False
            self.set_timer("wake", after=1)

        def on_wake_timeout(self):
            self.awake = True

    def nobody_wakes(world):
        return violation("somebody wakes") if any(node.awake for node in world.servers) else None

    found = explore(System(Waker, nodes=2), timeouts=1, always=[nobody_wakes], goals=())
    assert found.result == "violated" and not found.not_evaluable
    everybody = [lambda world: all(node.awake for node in world.servers)]
    found = explore(System(Waker, nodes=2), timeouts=2, always=(), goals=everybody)
    assert found.passed


def test_goals_of_one_name_are_refused():
    """An unmet one would hide behind one that is met."""
    with pytest.raises(ScheduleError, match="both called '<lambda>'"):
        explore(System(Node, nodes=1), goals=[lambda world: False, lambda world: True])


class Stack(list):
    """A list with an attribute of its own."""

    def __init__(self, *items):
        super().__init__(items)
        self.name = "stack"


@pytest.mark.parametrize("what", ["method", "closure", "partial", "node", "subclass"])
def test_what_belongs_to_one_object_is_refused(what):
    """A copy of a node that holds its own method would still change the node that it was copied from."""

    class Holder(Node):
        def on_start(self):
            self.count = 0
            self.held = {
                "method": self.bump, "closure": lambda: self.bump(), "partial": partial(Holder.bump, self),
                "node": SimpleNamespace(owner=self), "subclass": Stack(1),
            }[what]
            self.set_timer("go", after=1)

        def bump(self):
            self.count += 1

        def on_go_timeout(self):
            self.count += 1

    with pytest.raises(NodeError, match=r"n1\.held holds what the explorer cannot compare"):
        explore(System(Holder, nodes=1), timeouts=2, goals=())


# ---- worst inputs


def going(handler):
    """A node whose timer runs out again and again."""
    class Goes(Node):
        def on_start(self):
            self.kept = []
            self.set_timer("go", after=1)

        def on_go_timeout(self):
            handler(self)
            self.set_timer("go", after=1)
    return System(Goes, 1)


def nested(node):
    for _ in range(5_000):
        node.kept = [node.kept]


@pytest.mark.parametrize(("handler", "words"), [
    (lambda node, outside=[]: node.kept.append(outside.append(1) or len(outside)), "it does not do the same again"),
    (nested, "is nested too deeply to be compared"),
    (lambda node: node.kept.append(node.kept), "holds something that holds itself")])
def test_what_no_state_can_be_made_of_is_refused(handler, words):
    """One sentence with node and handler."""
    with pytest.raises(NodeError, match=words) as caught:
        explore(going(handler), timeouts=3)
    assert str(caught.value).startswith("n1 in on_go_timeout: ") and "\n" not in str(caught.value)


def test_large_nodes_count_for_what_they_hold():
    """A bound on memory ends the search after few states, not after a thousand."""
    def grows(node):
        node.kept = [*node.kept, *[[] for _ in range(10_000)]]
    found = explore(going(grows), timeouts=None, memory=20_000_000)
    assert "bytes of memory" in found.why and found.states < 50


@pytest.mark.parametrize("system", ["raft", raft, raft.Server])
def test_what_is_no_system_is_named(system):
    with pytest.raises(ScheduleError, match=r"explore takes a system such as raft\.cluster\(3\), not "):
        explore(system)


def test_property_that_leaves_or_never_returns_ends_nothing_else(monkeypatch):
    """exit() in a property is one that cannot be judged; an endless loop is told by its name."""
    monkeypatch.setattr("dslab.sim.watchdog.HANDLER_SECONDS", 1)

    def leaves(world):
        raise SystemExit

    def loops(world):
        while True:
            pass
    found = explore(raft.cluster(3), goals=(), always=[leaves])
    assert not found.passed and "leaves" in found.not_evaluable
    with pytest.raises(DslabError, match="loops: this property did not return"):
        explore(raft.cluster(3), goals=(), always=[loops])
