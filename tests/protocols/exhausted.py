"""What a search exhausts: python -m tests.protocols.exhausted [NAME ...] prints a line for each row, or each one named.

Every protocol of the course as it ships, within bounds where each reachable state is looked at: every order of
deliveries, timers, requests and faults that the bounds allow. Nothing is broken there, and each goal is met somewhere.
Two protocols promise something only while messages take bounded time, and a search has no clock: of these it finds how
they break without one. Storage is judged by what its clients are told as well.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from dslab.check.explore import BYTES, Exploration, explore
from dslab.check.properties import linearizable
from dslab.protocols import (
    abd,
    anti_entropy,
    ben_or,
    bully,
    bully_epochs,
    chain,
    chord,
    chord_cases,
    consistent_hashing,
    crdt,
    dynamo,
    echo,
    generals,
    hash_table,
    highest_id,
    kademlia,
    local_reads,
    multi_paxos,
    paxos,
    pbft,
    pbft_cases,
    primary_backup,
    quorum,
    quorum_handoff,
    quorum_sessions,
    raft,
    raft_membership,
    raft_prevote,
    raft_reads,
    raft_snapshots,
    ring,
    two_phase_commit,
)
from dslab.protocols.raft_properties import commits, has_leader
from dslab.sim import System

WRITE, READ = {"command": "x=1"}, {"command": "x"}
AT_N1 = {"command": "x=1", "to": "n1"}
SECOND = {"client": "c2"}
ELECTION = {"election": 1}
CRASH = {"crashes": 1, "restarts": 1}
HARD = {**CRASH, "losses": 1, "duplicates": 1}


class Row(NamedTuple):
    """One system and its bounds.

    Attributes:
        system: makes it. bounds: arguments of `explore`.
        goals: what is met somewhere within these bounds; None for all that the protocol names.
        told: whether what clients are told must be linearizable.
        result: what the search says.
    """

    system: Callable[[], System]
    bounds: dict[str, Any]
    goals: tuple[Callable[..., Any], ...] | None = None
    told: bool = False
    result: str = "exhausted"


def silent(system: System, node: str) -> System:
    """The same system, in which one server never starts: a traitor who says nothing, or a server that hears nothing."""
    twin = system.replace(code=f"{system.code} without {node}")
    twin.absent = {node: None}
    return twin


def two_snapshots(world: Any) -> bool:
    """Two servers have one."""
    return sum(getattr(server, "snapshot_index", 0) > 0 for server in world.servers) > 1


ROWS = {
    # elections
    "highest_id": Row(lambda: highest_id.cluster(3, clients=0), {"timeouts": None}, result="violated"),
    "bully": Row(lambda: bully.cluster(3, clients=0), {"timeouts": 2, **CRASH}),
    "bully_epochs": Row(lambda: bully_epochs.cluster(3, clients=0), {"timeouts": 1, "crashes": 1}),
    "ring": Row(lambda: ring.cluster(3, clients=0), HARD),
    "ring of 4": Row(lambda: ring.cluster(4, clients=0), {"crashes": 1, "losses": 1}),
    # consensus
    "paxos": Row(lambda: paxos.cluster(proposers=2, acceptors=3, ballots=1), {"timeouts": None}),
    "paxos, restarts": Row(lambda: paxos.cluster(proposers=2, acceptors=2, ballots=1), {"timeouts": None, **CRASH}),
    "multi_paxos": Row(lambda: multi_paxos.cluster(3), {"timeouts": ELECTION, "requests": [AT_N1], **CRASH}),
    "multi_paxos, two leaders": Row(lambda: multi_paxos.cluster(2, clients=2), {
        "timeouts": {"election": 2}, "requests": [AT_N1, {"command": "y=2", "to": "n2", **SECOND}]}),
    "ben_or": Row(lambda: ben_or.cluster(3, clients=0, last=1), {"timeouts": None, "crashes": 1}),
    "ben_or, a second round": Row(lambda: ben_or.cluster(2, clients=0, last=2), {"timeouts": None}),
    "two_phase_commit": Row(lambda: two_phase_commit.cluster(7), two_phase_commit.BOUNDS),
    "two_phase_commit, restarts": Row(lambda: two_phase_commit.cluster(4), {**two_phase_commit.BOUNDS, **CRASH}),
    # raft
    "raft": Row(lambda: raft.cluster(3), {"timeouts": ELECTION, "requests": [AT_N1], **CRASH}),
    "raft, two elections": Row(lambda: raft.cluster(3, clients=0), {"timeouts": {"election": 2}, **CRASH},
                               (has_leader,)),
    "raft, losses": Row(lambda: raft.cluster(2), {"timeouts": 2, "requests": [AT_N1], "losses": 1, "duplicates": 1}),
    "raft_snapshots": Row(lambda: raft_snapshots.cluster(2, snapshot_after=1), {
        "timeouts": {"election": 1, "heartbeat": 1, "snapshot": 2}, "requests": [AT_N1], **CRASH},
        (has_leader, commits, two_snapshots)),
    "raft_snapshots, sent": Row(lambda: raft_snapshots.cluster(3, snapshot_after=1), {
        "timeouts": {"election": 1, "heartbeat": 1, "snapshot": 1}, "requests": [AT_N1]},
        (has_leader, commits, two_snapshots)),
    "raft_prevote": Row(lambda: raft_prevote.cluster(2), {"timeouts": 2, "requests": [AT_N1]}),
    "raft_prevote of 3": Row(lambda: raft_prevote.cluster(3, clients=0), {"timeouts": {"election": 2}}, (has_leader,)),
    "raft_reads": Row(lambda: raft_reads.cluster(2), {"timeouts": 2, "requests": [WRITE, READ]}, told=True),
    "raft_reads of 3": Row(lambda: raft_reads.cluster(3), {"timeouts": 1, "requests": [{**READ, "to": "n1"}]}),
    "raft_membership": Row(lambda: raft_membership.cluster(3, members=2), {
        "timeouts": 2, "requests": [{"command": "members=n1 n3", "to": "n1"}]}),
    "raft_membership, restarts": Row(lambda: raft_membership.cluster(3, members=2, server=raft_membership.Whole), {
        "timeouts": 1, "requests": [{"command": "members=n1 n3", "to": "n1"}], **CRASH}),
    # traitors
    "generals": Row(lambda: generals.cluster(4), {"timeouts": None, "traitors": {"n1": [{"value": generals.RETREAT}]}},
                    result="violated"),
    "pbft, a silent traitor": Row(lambda: silent(pbft.cluster(4), "n4"), {"requests": [AT_N1]}),
    "pbft, the primary lies": Row(lambda: silent(pbft.cluster(4, clients=2), "n4"), {
        "requests": [AT_N1], "traitors": {"n1": [pbft_cases.SAYS_Y]}}),
    "pbft, a backup lies": Row(lambda: silent(pbft.cluster(4, clients=2), "n4"), {
        "requests": [AT_N1], "traitors": {"n3": [pbft_cases.SAYS_Y]}}),
    # copies
    "primary_backup": Row(lambda: primary_backup.cluster(2), {"timeouts": 2, "requests": [WRITE, READ], "crashes": 1},
                          told=True),
    "chain": Row(lambda: chain.cluster(2), {"timeouts": 2, "requests": [WRITE, READ], "crashes": 1}, told=True),
    "quorum": Row(lambda: quorum.cluster(3, clients=2), {"requests": [WRITE, {**READ, **SECOND}]}, told=True),
    "quorum, a crash": Row(lambda: quorum.cluster(3), {"requests": [WRITE, READ], "crashes": 1}, told=True),
    "abd": Row(lambda: abd.cluster(3, clients=2), {"requests": [WRITE, {**READ, **SECOND}]}, told=True),
    "abd, a crash": Row(lambda: abd.cluster(3), {"requests": [WRITE, READ], "crashes": 1}, told=True),
    "quorum_handoff": Row(lambda: quorum_handoff.cluster(4), {"requests": [WRITE], "crashes": 1}),
    "quorum_sessions": Row(lambda: quorum_sessions.cluster(2), {"requests": [WRITE, READ]}),
    "local_reads": Row(lambda: local_reads.cluster(2), {"requests": [WRITE, {**READ, **SECOND}]}),
    "dynamo": Row(lambda: dynamo.cluster(2, clients=2), {
        "requests": [{"command": "cart+beer"}, {"command": "cart+milk", **SECOND}]}),
    "anti_entropy": Row(lambda: anti_entropy.cluster(2, clients=2), {
        "timeouts": 2, "requests": [AT_N1, {"command": "x=2", "to": "n2", **SECOND}]}),
    # tables and rings
    "echo": Row(echo.cluster, {"requests": [WRITE, READ], "losses": 1, "duplicates": 1}),
    "hash_table": Row(hash_table.cluster, {"requests": [{"command": f"{key}=1"} for key in "abcdefghi"]}),
    "consistent_hashing": Row(lambda: consistent_hashing.cluster(2), {"timeouts": 1, "requests": [WRITE, READ]}),
    "chord": Row(lambda: chord_cases.three(chord_cases.without_fingers(chord.Server)), {
        "joins": [{"node": "n2", "to": "n1"}], "timeouts": {"stabilize": 1}, "crashes": 1}),
    "kademlia": Row(lambda: kademlia.cluster(3), {"requests": [WRITE]}),
    # replicated data types
    **{f"crdt, {kind}": Row(lambda kind=kind: crdt.cluster(2, crdt=kind, clients=2), {
        "timeouts": {"gossip": 2}, "losses": 1, "duplicates": 1, "requests": [
            {"command": first, "to": "n1"}, {"command": second, "to": "n2", **SECOND}]})
       for kind, first, second in (
           ("g-counter", "inc 1", "inc 2"), ("pn-counter", "inc 1", "dec 1"),
           ("bounded-counter", "inc 1", "dec 1"), ("lww-register", "write a", "write b"),
           ("mv-register", "write a", "write b"), ("g-set", "add a", "add b"), ("2p-set", "add a", "remove a"),
           ("or-set", "add a", "remove a"), ("or-set-optimised", "add a", "remove a"),
           ("sequence", "insert 0 a", "insert 0 b"))},
    "crdt, or-set of 3": Row(lambda: crdt.cluster(3, clients=2), {"timeouts": 3, "requests": [
        {"command": "add a", "to": "n1"}, {"command": "remove a", "to": "n2", **SECOND}]}),
}


def searched(row: Row, states: int = 5_000_000, memory: int = BYTES) -> Exploration:
    """One row, searched."""
    system = row.system()
    goals = system.eventually if row.goals is None else row.goals
    always = [*system.always, *([linearizable()] if row.told else [])]
    return explore(system, states=states, memory=memory, always=always, goals=goals, **row.bounds)


def as_stated(row: Row, found: Exploration) -> bool:
    """Whether a search has said what the table says."""
    return found.passed if row.result == "exhausted" else found.result == row.result


def main(*names: str) -> int:
    """Prints a line for each row; 1 if one is not as stated."""
    wrong = 0
    for name in names or ROWS:
        found = searched(ROWS[name])
        wrong += not as_stated(ROWS[name], found)
        print(f"{name:27} {found.result:12} {found.states:>9,} states {found.histories:>9,} histories "
              f"{found.depth:>3} deep {found.cpu_seconds:7.1f} CPU s {found.memory_bytes / 1e6:5.0f} MB"
              f"{'' if as_stated(ROWS[name], found) else '   NOT AS STATED: ' + repr(found)}", flush=True)
    print(f"{wrong} not as stated; at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB resident")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
