"""A student's nodes run elsewhere and the simulator here: the run is the same, byte for byte, as in the notebook."""

from __future__ import annotations

import textwrap

import pytest

from dslab.check.answers import random_case
from dslab.grading.connection import StudentGone
from dslab.grading.session import Session
from dslab.protocols import raft, raft_variants
from dslab.sim import DslabError, Network, System, simulate

SERVER = """
from dslab.sim import Node, message, ClientReply
@message
class Ping:
    "{source} pings {target} ({number})."
    number: int
    notes: object = None
@message
class Pong:
    number: int
class Server(Node):
    "Counts pings; knows who answered; draws lots."
    durable = {"count": 0, "seen": []}
    shows = ("count", "seen", "answered", "lot", "total")
    pause = 40
    def on_start(self):
        self.answered, self.lot, self.deep = {}, 0, {"a": [set(), (1, 2)]}
        self.set_timer("ping", between=(10, self.pause))
    @property
    def total(self): return self.count + len(self.answered)
    def on_ping_timeout(self):
        self.count += 1
        self.lot = self.random.randrange(1000)
        self.broadcast(Ping(self.count, {"at": [self.now, self.lot]}))
        self.set_timer("ping", after=self.pause)
    def on_ping(self, sender, m):
        self.seen.append([sender, m.number])
        if len(self.seen) > 20: del self.seen[:10]
        self.send(sender, Pong(m.number))
    def on_pong(self, sender, m):
        self.answered[sender] = m.number
        if m.number % 3 == 0: self.cancel_timer("ping"); self.set_timer("ping", after=5)
    def on_client_request(self, sender, m):
        self.send(sender, ClientReply(m.number, True, [self.id, self.peers, self.count]))
"""


@pytest.fixture(scope="module")
def bench():
    session = Session()
    yield session
    session.end()


@pytest.fixture
def remote(bench):
    """remote(text, name) is the stand-in for what an answer defines."""
    bench.open(imports=["import dslab.sim"], seconds=5)
    before = dict(bench.names)

    def answer(text, name):
        bench.answer(f"cell-{len(bench.cells)}", textwrap.dedent(text), names=(name,))
        bench.check("check")
        return bench.names[name]

    yield answer
    bench.close()
    for name in set(bench.names) - set(before):
        del bench.names[name]


def local(text, name):
    """What the same text defines in this process."""
    names = {"__name__": "__main__"}
    exec(textwrap.dedent(text), names)
    return names[name]


def system(server):
    network = Network(latency=(3, 9), loss=0.05, duplicate=0.05)
    return System(server, 4, clients=1, network=network, disk=(1, 3), options={"pause": 30}, name="s")


@pytest.mark.parametrize("seed", range(5))
def test_a_node_class_runs_the_same_here_and_there(remote, seed):
    """Every event, state and message under crashes, partitions, losses and lost disks."""
    there, here = system(remote(SERVER, "Server")), system(local(SERVER, "Server"))
    case = random_case(here, seed)
    case.schedule.insert(0, {"at": 0, "do": "request", "command": "x"})
    one, other = (simulate(s, seed=seed, schedule=case.schedule, until=1_500) for s in (there, here))
    assert one.first_difference(other) is None and one.digest() == other.digest() and len(one) > 300


VOTE = """
def grant_vote(server, candidate, request):
    if request.term < server.term:
        return False
    server.adopt(request.term)
    if server.voted_for not in (None, candidate):
        return False
    if (request.last_term, request.last_index) < (server.term_at(server.last_index), server.last_index):
        return False
    if server.random.random() < 0.2:
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True
"""


@pytest.mark.parametrize("seed", range(4))
def test_a_function_that_is_lent_a_node_runs_the_same_here_and_there(remote, seed):
    """Attributes, timers, methods and random numbers of the node are as in the notebook."""
    here, there = (raft_variants.voting(f, 5) for f in (local(VOTE, "grant_vote"), remote(VOTE, "grant_vote")))
    case = random_case(here, seed)
    one, other = (simulate(s, seed=seed, schedule=case.schedule, until=3_000) for s in (here, there))
    assert one.first_difference(other) is None and one.digest() == other.digest()


def test_nodes_share_nothing_but_messages(remote):
    """Neither a global nor a class attribute: each node has a process of its own."""
    text = """
    import sys
    from dslab.sim import Node, message
    class Board(Node):
        shows = ("known",)
        def on_start(self):
            board = sys.modules.setdefault("board", sys)
            board.__dict__.setdefault("posted", []).append(self.id)
            self.known = sorted(board.__dict__["posted"])
    """
    trace = simulate(System(remote(text, "Board"), 4, name="board"), seed=1, until=10)
    states = trace.state_at(len(trace) - 1)
    assert {name: state["known"] for name, state in states.items()} == {f"n{i}": [f"n{i}"] for i in range(1, 5)}


MISTAKES = [
    ("self.send('n9', Ping(1))", "does not exist"),
    ("self.set_timer('pong', after=5)", "has no handler"),
    ("self.send('n2', 5)", "needs an instance of a @message class"),
    ("self.set_timer('ping')", "either after=ms or between="),
    ("self.x = __import__('random').random()", "two runs with one seed would differ"),
    ("self.x = 1 / 0", "ZeroDivisionError"),
    ("self.answered = {1: object()}", "`shows` names 'answered'"),
    ("self.send('n2', Ping({1, 2}))", "is a set"),
]


@pytest.mark.parametrize(("line", "words"), MISTAKES)
def test_a_mistake_is_told_as_in_the_notebook(remote, line, words):
    """The same class of error, the node and the handler."""
    text = SERVER.replace("self.lot = self.random.randrange(1000)", line)
    with pytest.raises(DslabError, match=words) as there:
        simulate(system(remote(text, "Server")), seed=1, until=500)
    with pytest.raises(DslabError) as here:
        simulate(system(local(text, "Server")), seed=1, until=500)
    assert type(there.value) is type(here.value) and "_exception" not in str(there.value)
    assert str(there.value).split(":")[0] == str(here.value).split(":")[0]


def test_a_class_that_breaks_the_rules_is_refused_as_in_the_notebook(remote):
    """A shared list, a clock."""
    clock = "def on_start(self):\n        import time\n        self.t = time.time()"
    for body in ("seen = []\n    def on_start(self): pass", clock):
        text = f"from dslab.sim import Node\nclass Bad(Node):\n    {body}\n"
        with pytest.raises(DslabError) as there:
            simulate(System(remote(text, "Bad"), 2, name="bad"), seed=1, until=10)
        with pytest.raises(DslabError) as here:
            simulate(System(local(text, "Bad"), 2, name="bad"), seed=1, until=10)
        assert str(here.value) in str(there.value)


HOSTILE = [
    'durable = {"_host": 1}', 'durable = {"id": "n1"}', 'shows = ("_host",)', 'shows = ("__class__",)',
    'durable = {"random": 5}',
]  # fmt: skip


@pytest.mark.parametrize("line", HOSTILE)
def test_a_class_cannot_reach_for_the_runtime(remote, bench, line):
    """Attributes that are the simulator's are refused; the answer counts as one that does not work."""
    with pytest.raises((StudentGone, DslabError, TypeError)):
        cls = remote(f"from dslab.sim import Node\nclass Bad(Node):\n    {line}\n    def on_start(self): pass", "Bad")
        simulate(System(cls, 2, name="bad"), seed=1, until=10)


def test_a_node_that_never_returns_ends_the_check_only(remote, bench):
    """And the next check has a new process."""
    text = "from dslab.sim import Node\nclass Loop(Node):\n    def on_start(self):\n        while True: pass"
    cls = remote(text, "Loop")
    bench.seconds = 0.5
    with pytest.raises(StudentGone):
        simulate(System(cls, 2, name="loop"), seed=1, until=10)
    assert bench.gone == "timeout"
    bench.check("next")
    assert bench.main().request("run", "x", "Loop", [], False)


def test_raft_itself_as_an_answer(remote):
    """The whole protocol file: what a course's last exercise hands in."""
    import inspect

    source = inspect.getsource(raft).replace("from .raft_properties", "from dslab.protocols.raft_properties")
    there, here = remote(source, "Server"), raft.Server
    case = random_case(raft.cluster(5), 3)
    one = simulate(raft.cluster(5, server=there), seed=3, schedule=case.schedule, until=2_000)
    other = simulate(raft.cluster(5, server=here), seed=3, schedule=case.schedule, until=2_000)
    assert [e[:3] for e in one.events] == [e[:3] for e in other.events]
