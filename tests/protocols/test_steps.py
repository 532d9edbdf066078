"""The parts that students write, done right: they keep what they promise, in every case and under random faults."""

from __future__ import annotations

import pytest

from dslab.check.answers import find, random_case
from dslab.protocols import (
    paxos,
    paxos_steps,
    paxos_steps_cases,
    pbft,
    pbft_steps,
    raft_cases,
    raft_steps,
    raft_steps_cases,
    raft_variants,
    ring_steps,
)

STEPS = {
    "election": (raft_steps.elected, raft_steps_cases.ELECTION, raft_steps_cases.NO_RESTARTS),
    "replication": (raft_steps.replicated, raft_steps_cases.REPLICATION, raft_steps_cases.NO_RESTARTS),
    "commitment": (raft_steps.committed, raft_steps_cases.COMMITMENT, raft_steps_cases.NO_RESTARTS),
    "restart": (raft_steps.restarted, raft_steps_cases.RESTART, None),
}


def faults(kinds):
    """Keyword arguments of random_case."""
    return {} if kinds is None else {"faults": kinds}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_done_right_keeps_its_promises(step):
    """In its cases, in the same with servers that have changed places, and in random runs of three and five."""
    cluster, cases, kinds = STEPS[step]
    moved = [case for by in (1, 2) for case in raft_cases.rotated(cases, by, 20 + by)]
    for case in [*cases, *moved]:
        assert find(cluster(case.nodes, clients=case.clients), case) is None, case.name
    for seed in range(30):
        system = cluster(3 if seed % 2 else 5)
        assert find(system, random_case(system, seed, **faults(kinds))) is None, seed


@pytest.mark.parametrize("step", ["election", "replication", "commitment"])
def test_a_step_too_early_is_found_out(step):
    """What the step before cannot do yet breaks a promise of this one: none is empty."""
    before = {
        "election": raft_steps.Skeleton,
        "replication": raft_steps.Elected,
        "commitment": raft_steps.Replicated,
    }
    maker = {
        "election": raft_steps.electing,
        "replication": raft_steps.replicating,
        "commitment": raft_steps.committing,
    }

    def breaks(case):
        try:
            return find(maker[step](before[step], case.nodes, clients=case.clients), case) is not None
        except Exception:
            return True  # a decision that is not there at all

    assert any(breaks(case) for case in STEPS[step][1])


def two_of_four(server):
    """Enough, because three elect: two and three of four have one in common."""
    held = sorted([server.last_index, *server.match_index.values()])
    index = held[len(held) // 2]
    return max(server.commit_index, index if server.term_at(index) == server.term else 0)


def term_before(server):
    """Entries of the term before count too: only the leader itself could have newer ones, and it holds these."""
    held = sorted([server.last_index, *server.match_index.values()], reverse=True)
    index = held[server.quorum - 1]
    return max(server.commit_index, index if server.term_at(index) >= server.term - 1 else 0)


@pytest.mark.parametrize("answer", [two_of_four, term_before])
def test_counting_otherwise_is_right_too(answer):
    """What the paper does not say, and no run refutes, passes."""
    moved = [case for by in (0, 1, 2, 3) for case in raft_cases.rotated(raft_cases.COMMIT, by, 20 + by)]
    for case in moved:
        assert find(raft_variants.committing(answer, case.nodes, clients=case.clients), case) is None, case.name
    for seed in range(20):
        system = raft_variants.committing(answer, 4)
        assert find(system, random_case(system, seed)) is None, seed


def test_restarts_need_the_last_step():
    """A server of the third step forgets its term and its log."""
    case = raft_steps_cases.EVERYBODY_RESTARTS
    assert find(raft_steps.restarting(raft_steps.Committed, case.nodes), case) is not None


def test_paxos_that_clients_ask_keeps_its_promises():
    """Acceptors in any order, and random faults."""
    cases = [*paxos_steps_cases.ACCEPTOR, *paxos_steps_cases.VALUE]
    moved = [case for by in (1, 2) for case in raft_cases.rotated(cases, by, 20 + by, "a")]
    for case in [*cases, *moved]:
        assert find(paxos_steps.asked(case.nodes, clients=case.clients), case) is None, case.name
    for seed in range(40):
        system = paxos_steps.asked(5)
        assert find(system, random_case(system, seed)) is None, seed


@pytest.mark.parametrize("nodes", ring_steps.RINGS)
def test_a_ring_elects_its_highest_number(nodes):
    """Whoever starts, and in whatever order the numbers stand."""
    system = ring_steps.right(nodes)
    for case in ring_steps.RING:
        assert find(system, case._replace(nodes=nodes)) is None


def test_liars_break_any_smaller_quorum():
    """One less than the quorum of the paper breaks a promise in some case, and the quorum itself in none."""
    smaller = []
    for case in [*pbft_steps.QUORUM, *pbft_steps.MORE]:
        assert find(pbft_steps.counting(pbft.byzantine_quorum, case.nodes, clients=case.clients), case) is None
        less = pbft_steps.counting(lambda n, f: pbft.byzantine_quorum(n, f) - 1, case.nodes, clients=case.clients)
        smaller.append(find(less, case) is not None)
    assert any(smaller)


@pytest.mark.parametrize("wrong", [0, 6, True, 2.5, None])
def test_a_number_that_is_no_quorum_is_refused(wrong):
    """With a sentence that says what to return."""
    case = pbft_steps.QUORUM[0]
    with pytest.raises(Exception, match="must return a whole number from 1 to 4"):
        find(pbft_steps.counting(lambda n, f: wrong, 4), case)


def test_a_ring_passes_numbers_that_exist():
    """Anything else is refused with a sentence."""
    with pytest.raises(Exception, match="it must return"):
        find(ring_steps.passing(lambda own, received, marked: 99, 3), ring_steps.RING[1])


class AnswersBelowItsPromise(paxos_steps.Acceptor):
    """Says yes to every Prepare, keeps the highest, and so promises nothing new to a proposer with a lower ballot."""

    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot > self.promised:
            self.promised = m.ballot
        self.send(sender, paxos.Promise(m.ballot, self.accepted_ballot, self.accepted_value))


class NamesItsPromise(paxos_steps.Acceptor):
    """Answers every Prepare with what it has promised, which a proposer with another ballot does not count."""

    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot > self.promised:
            self.promised = m.ballot
        self.send(sender, paxos.Promise(self.promised, self.accepted_ballot, self.accepted_value))


@pytest.mark.parametrize("acceptor", [AnswersBelowItsPromise, NamesItsPromise])
def test_an_acceptor_that_says_more_than_it_must_is_safe(acceptor):
    """It accepts nothing below its promise all the same, and what it reports is true: so it gets its points."""
    for case in paxos_steps_cases.ACCEPTOR:
        system = paxos_steps.accepting(acceptor, case.nodes, clients=case.clients)
        assert find(system, case) is None, case.name
