"""Replays the data-driven tests of etcd-io/raft on this package's Raft.

A scenario is text: a command, its input, `----`, and what etcd printed. `replay(text)` carries the commands out on our
servers and returns every difference in what both have: term, vote, commit index, role, leader, configuration and log.
`play(commands)` only carries them out. What etcd does and the papers leave open or do otherwise stands in `Etcd` below.
`replay_changes(text)` does the same for the files about configurations, `quorum(case)` for a row of the quorum tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dslab.protocols import raft, raft_membership, raft_prevote
from dslab.protocols.raft_configuration import (
    Configuration,
    ConfigurationError,
    enter_joint,
    joint_commit,
    joint_vote,
    leave_joint,
    majority_commit,
    majority_vote,
    simple,
)
from dslab.sim import Simulation, System, message

MOST = 20                    # servers that a scenario may add
ELECTION_TICKS = 3           # as in etcd's test environment
RANDOMISED_TICKS = 2 * ELECTION_TICKS - 1        # the longest draw, unless the scenario sets another
WHAT = {"v": "voter", "l": "learner", "r": "remove"}


# ---- the language


class Block(NamedTuple):
    """One command of a scenario: bare arguments, {name: [values]}, input lines, and the lines that etcd printed."""

    line: int
    name: str
    arguments: list[str]
    options: dict[str, list[str]]
    input: list[str]
    expected: list[str]

    @property
    def ids(self) -> list[int]:
        return [int(argument) for argument in self.arguments if argument.isdigit()]

    def option(self, name: str, default: str = "") -> str:
        return (self.options.get(name) or [default])[0]

    def is_on(self, name: str) -> bool:
        return self.option(name, "true" if name in self.arguments else "false") == "true"


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a scenario in the datadriven format."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].startswith("#"):
            at += 1
            continue
        first, command = at, lines[at]
        while command.endswith("\\"):
            at += 1
            command = command[:-1] + lines[at]
        at += 1
        given = []
        while at < len(lines) and lines[at].strip() != "----":
            given.append(lines[at])
            at += 1
        at += 1
        ends = [""]
        if at < len(lines) and lines[at].strip() == "----":            # doubled: the output holds blank lines
            ends, at = ["----", "----"], at + 1
        expected = []
        while at < len(lines) and lines[at:at + len(ends)] != ends:
            expected.append(lines[at])
            at += 1
        at += len(ends)
        yield block(command, given, expected, first + 1)


def block(command: str, given: Iterable[str] = (), expected: Iterable[str] = (), line: int = 0) -> Block:
    """One block from its command line."""
    name, _, rest = command.strip().partition(" ")
    arguments, options = [], {}
    for key, equals, grouped, value in re.findall(r'([\w-]+)(?:(=)(?:\(([^)]*)\)|("[^"]*"|\S*)))?', rest):
        if equals:
            options[key] = [value.strip('"')] if value else re.findall(r"[^\s,]+", grouped)
        else:
            arguments.append(key)
    return Block(line, name, arguments, options, list(given), list(expected))


# ---- our servers, with etcd's habits


@message
class Proposal:
    """{source} hands a command, or the changes of a configuration, on to the leader {target}."""

    command: object
    changes: object = None
    transition: str = ""


@message
class TimeoutNow:
    """{source} asks {target} to stand for election at once (dissertation, 3.10)."""

    term: int


class Etcd(raft_membership.Compacting):
    """Our server with what etcd does besides, or leaves to an option."""

    check_quorum = steps_down_when_removed = lease_reads = False
    elapsed, limit = 0, RANDOMISED_TICKS                 # ticks: time passes only when a scenario says so
    transferee = None

    def on_start(self):
        super().on_start()
        self.active = {}                                 # peers heard since the last check of the quorum
        self.saved = (self.term, self.last_index)        # what this server may count of its own vote and log

    # ---- what waits for `process-ready`: to count a server's own vote and entries, once they are saved; to apply

    def works(self):
        return self.saved != (self.term, self.last_index) or self.last_applied < self.commit_index

    def work(self):
        super().commit_up_to(self.commit_index)
        self.saved = (self.term, self.last_index)
        if self.role in ("candidate", "pre-candidate"):
            self.count_votes()
        elif self.role == "leader":
            self.commit_up_to(self.committable())

    def count_votes(self):
        """A candidate that cannot win any more is a follower at once; the paper's waits for its timer."""
        votes = {voter: vote for voter, vote in self.votes.items() if voter != self.id or self.saved[0] == self.term}
        result = joint_vote(self.configuration, votes)
        if result == "lost":
            self.role, self.votes = "follower", {}
        elif result == "won":
            self.become_leader()

    def committable(self):
        index = joint_commit(self.configuration, {self.id: min(self.saved[1], self.last_index), **self.match_index})
        return index if self.term_at(index) == self.term else self.commit_index

    # ---- a configuration counts from when it is applied; the paper's, from when it is appended

    def newest(self):
        return self.settled

    def apply(self, entry):
        super().apply(entry)
        self.sessions = {}                               # nobody asks again here
        if isinstance(entry.command, Configuration):
            self.reconfigure()
            if self.role == "leader" and self.id in self.configuration.servers:
                self.tell_all()                          # the new ones as well

    def hears_leader(self):
        """Section 4.2.3 counts in ticks, and only with this option."""
        if not self.check_quorum or self.leader is None:
            return False
        return self.role == "leader" or self.elapsed < ELECTION_TICKS

    def reset_election_timer(self):
        super().reset_election_timer()
        self.elapsed = 0

    def tick(self):
        """One tick; whether a heartbeat is due."""
        self.elapsed += 1
        if self.role == "leader":
            if self.elapsed >= ELECTION_TICKS:
                self.elapsed = 0
                alive = {self.id: True, **self.active}
                self.active = {}
                if self.check_quorum and joint_vote(self.configuration, alive) != "won":
                    self.resign()                        # dissertation, section 6.2
            return self.role == "leader"
        if self.elapsed >= self.limit:
            self.campaign()
        return False

    def campaign(self):
        """The election timer; nothing happens on a leader or outside the configuration."""
        if self.role != "leader" and self.is_voter():
            self.on_election_timeout()

    def resign(self):
        raft_membership.Server.step_down(self)

    def step_down(self):
        if self.steps_down_when_removed:
            self.resign()

    def commit_up_to(self, index):
        """Followers are told of a new commit index at once; the paper's learn it with the next message."""
        grew = index > self.commit_index
        self.commit_index = max(index, self.commit_index)
        if grew and self.role == "leader":
            self.tell_all()

    def tell_all(self):
        for peer in self.peers:
            self.replicate(peer)

    def on_appended(self, sender, m):
        self.active[sender] = True
        super().on_appended(sender, m)
        if self.role == "leader" and sender == self.transferee:
            self.transfer(sender)
        elif self.role == "leader" and m.success and self.match_index.get(sender, self.last_index) < self.last_index:
            self.replicate(sender)                       # the paper's waits for the next heartbeat or command

    # ---- proposals may come from any server

    def take(self, command):
        """A leader appends, a follower hands on; False if there is no leader."""
        if self.role != "leader":
            return self.hand_on(Proposal(command))
        if self.id not in self.configuration.servers:
            return False
        self.log.append(raft.Entry(self.term, command))
        self.tell_all()
        self.commit_up_to(self.committable())
        return True

    def take_change(self, changes, transition):
        """A change that does not fit now becomes an entry without a command."""
        if self.role != "leader":
            return self.hand_on(Proposal(None, changes, transition))
        try:
            changed = self.changed(changes, transition)
        except ConfigurationError:
            return self.take(None)
        self.propose(changed)
        return True

    def changed(self, changes, transition):
        if self.unsettled():
            raise ConfigurationError("possible unapplied conf change")
        if self.configuration.joint and changes:
            raise ConfigurationError("must transition out of joint config first")
        if not changes:
            return leave_joint(self.configuration)
        if transition in ("", "auto") and len(changes) == 1:
            return simple(self.configuration, changes)
        return enter_joint(self.configuration, changes, auto_leave=transition != "explicit")

    def hand_on(self, m):
        if self.leader is None:
            return False
        self.send(self.leader, m)
        return True

    def on_proposal(self, sender, m):
        if m.changes is None:
            self.take(m.command)
        else:
            self.take_change(m.changes, m.transition)

    # ---- leadership transfer (dissertation, 3.10)

    def transfer(self, target):
        if target not in self.match_index or target not in self.configuration.voters:
            return
        self.transferee = target
        if self.match_index[target] == self.last_index:
            self.transferee = None
            self.send(target, TimeoutNow(self.term))
        else:
            self.replicate(target)

    def on_timeout_now(self, sender, m):
        if m.term == self.term and self.is_voter():
            raft_membership.Server.on_election_timeout(self)         # without a pre-vote: the leader wants it


class EtcdPreVote(raft_prevote.Server, Etcd):
    """The same with pre-votes."""

    def on_request_pre_vote(self, sender, m):
        """Ours refuses while there is a leader, which is the same to the candidate as no answer, but sooner."""
        if not self.hears_leader():
            super().on_request_pre_vote(sender, m)


KINDS = {"RequestVote": "MsgVote", "Vote": "MsgVoteResp", "RequestPreVote": "MsgPreVote", "PreVote": "MsgPreVoteResp",
         "AppendEntries": "MsgApp", "Appended": "MsgAppResp", "InstallSnapshot": "MsgSnap", "Proposal": "MsgProp",
         "TimeoutNow": "MsgTimeoutNow"}
HEARTBEATS = {"MsgApp": "MsgHeartbeat", "MsgAppResp": "MsgHeartbeatResp"}


# ---- the environment


class Flight(NamedTuple):
    """A message on its way, with the name that etcd has for its kind."""

    source: int
    target: int
    kind: str
    m: Any


class Environment:
    """Servers whose messages move only when a scenario says so.

    Attributes:
        nodes: {number: server}.
        ready: {number: messages that the server has made and not yet let go}; "Ready" in etcd.
        network: messages that may be delivered.
    """

    def __init__(self) -> None:
        self.nodes: dict[int, Etcd] = {}
        self.ready: dict[int, list[Flight]] = {}
        self.network: list[Flight] = []
        self.dropped = False                             # whether the last proposal found no leader

    def run(self, command: Block) -> None:
        """Carries out a command.

        Raises:
            NotImplementedError: this driver does not know it.
        """
        method = getattr(self, "do_" + command.name.replace("-", "_"), None)
        if method is None:
            raise NotImplementedError(f"line {command.line}: no command {command.name!r}")
        method(command)

    # ---- nodes

    def do_add_nodes(self, b: Block) -> None:
        number = b.ids[0]
        server = EtcdPreVote if b.is_on("prevote") else Etcd
        sim = Simulation(System(server, MOST), 1).run(0)
        index = int(b.option("index", "0"))
        named = {name: [f"n{i}" for i in b.options.get(name, [])] for name in ("voters", "learners")}
        first = Configuration(named["voters"], learners=named["learners"])
        for new in range(len(self.nodes) + 1, len(self.nodes) + number + 1):
            node: Any = sim.nodes[f"n{new}"]
            state = {"store": {}, "sessions": {}, "settled": first, "asked_by": (None, 0)}
            node.snapshot = {"index": index, "term": 0, "state": state}         # etcd's is of term 1, before any term 1
            node.load()
            node.reconfigure()
            node.saved = (0, index)
            node.snapshot_after = 10**9                  # only `compact` takes one
            node.check_quorum = b.is_on("checkquorum")
            node.lease_reads = b.option("read-only") == "lease-based"
            node.steps_down_when_removed = b.is_on("step-down-on-removal")
            self.nodes[new], self.ready[new] = node, []

    def act(self, number: int, method: str, *arguments: Any, heartbeat: bool = False) -> Any:
        """Calls a method of a server and collects what it sends."""
        node = self.nodes[number]
        result = getattr(node, method)(*arguments)
        for link, m in node._host.outbox:
            kind = KINDS[type(m).__name__]
            kind = HEARTBEATS.get(kind, kind) if heartbeat else kind
            self.ready[number].append(Flight(number, int(link.target[1:]), kind, m))
        node._host.outbox.clear()
        return result

    def do_campaign(self, b: Block) -> None:
        self.act(b.ids[0], "campaign")

    def do_propose(self, b: Block) -> None:
        self.dropped = not self.act(b.ids[0], "take", b.arguments[1] if len(b.arguments) > 1 else None)

    def do_propose_conf_change(self, b: Block) -> None:
        changes = changes_in(b)
        self.dropped = not self.act(b.ids[0], "take_change", changes, b.option("transition", "auto"))

    def do_transfer_leadership(self, b: Block) -> None:
        source, target = int(b.option("from", "0")), b.option("to")
        node = self.nodes[source]
        leader = source if node.role == "leader" else int((node.leader or "n0")[1:])
        if leader in self.nodes:
            self.act(leader, "transfer", f"n{target}")

    def do_forget_leader(self, b: Block) -> None:
        node = self.nodes[b.ids[0]]
        if node.role == "follower" and not node.lease_reads:
            node.leader = None

    def do_compact(self, b: Block) -> None:
        node, index = self.nodes[b.ids[0]], b.ids[1]
        applied, node.last_applied = node.last_applied, index
        node.on_snapshot_timeout()                       # the state is newer than the index; scenarios do not look
        node.last_applied = applied

    def do_send_snapshot(self, b: Block) -> None:
        source, target = b.ids
        self.nodes[source].next_index[f"n{target}"] = self.nodes[source].snapshot_index
        self.act(source, "replicate", f"n{target}")

    # ---- time

    def do_tick_heartbeat(self, b: Block) -> None:
        self.tick(b.ids[0], 1)

    def do_tick_election(self, b: Block) -> None:
        self.tick(b.ids[0], ELECTION_TICKS)

    def tick(self, number: int, ticks: int) -> None:
        for _ in range(ticks):
            if self.act(number, "tick"):
                self.act(number, "on_heartbeat_timeout", heartbeat=True)

    def do_set_randomized_election_timeout(self, b: Block) -> None:
        self.nodes[b.ids[0]].limit = int(b.option("timeout"))

    # ---- messages

    def do_process_ready(self, b: Block) -> None:
        for number in b.ids or list(self.nodes):
            self.process_ready(number)

    def process_ready(self, number: int) -> bool:
        made, self.ready[number] = self.ready[number], []
        self.network += made
        works = self.nodes[number].works()
        if works:
            self.act(number, "work")
        return bool(made) or works

    def do_deliver_msgs(self, b: Block) -> None:
        kind = b.option("type") or None
        lost = [int(number) for number in b.options.get("drop", [])]
        for number in b.ids:
            self.deliver(number, kind)
        for number in lost:
            self.take_out(number, kind)

    def take_out(self, number: int, kind: str | None = None) -> list[Flight]:
        mine = [f for f in self.network if f.target == number and kind in (None, f.kind)]
        self.network = [f for f in self.network if f not in mine]
        return mine

    def deliver(self, number: int, kind: str | None = None) -> bool:
        if number not in self.nodes:
            return False
        mine = self.take_out(number, kind)
        for flight in mine:
            handler = type(self.nodes[number]).message_handler(type(flight.m), f"n{number}", f"n{flight.source}")
            beats = flight.kind == "MsgHeartbeat"
            self.act(number, handler, f"n{flight.source}", flight.m, heartbeat=beats)
        return bool(mine)

    def do_stabilize(self, b: Block) -> None:
        numbers = b.ids or list(self.nodes)
        for _ in range(10_000):
            worked = [self.process_ready(number) for number in numbers]
            worked += [self.deliver(number) for number in numbers]
            if not any(worked):
                return
        raise RuntimeError(f"line {b.line}: the servers never come to rest")

    # ---- what has no meaning here, or is only looked at

    def do_nothing(self, b: Block) -> None:
        pass

    do_log_level = do_status = do_raft_log = do_raft_state = do_report_unreachable = do_nothing
    do_process_append_thread = do_process_apply_thread = do_print = do_nothing      # our disk is not asynchronous

    # ---- what there is to see

    def state(self, number: int) -> dict[str, Any]:
        """{"term", "vote", "commit", "role", "lead", "voter", "configuration"}, servers as numbers, 0 for none."""
        node: Any = self.nodes[number]
        return {"term": node.term, "vote": _number(node.voted_for), "commit": node.commit_index, "role": node.role,
                "lead": _number(node.leader), "voter": node.is_voter(), "configuration": shown(node.configuration)}

    def raft_log(self, number: int) -> list[str]:
        """The log as etcd prints it; of a configuration only that it is one."""
        node: Any = self.nodes[number]
        return [_entry_line(index, entry) for index, entry in enumerate(node.log, node.snapshot_index + 1)]


def changes_in(b: Block) -> list[tuple[str, str]]:
    """The changes that a block's input names, such as "v2 r1"; server 0 stands for none, and "u1" changes nothing."""
    words = [word for line in b.input for word in line.split()]
    return [(WHAT[word[0]], f"n{word[1:]}") for word in words if word[0] != "u" and word[1:] != "0"]


def _number(name: str | None) -> int:
    return int(name[1:]) if name else 0


def _entry_line(index: int, entry: raft.Entry) -> str:
    if isinstance(entry.command, Configuration):
        return f"{entry.term}/{index} EntryConfChange"
    return f"{entry.term}/{index} EntryNormal {json.dumps(entry.command or '')}"


def shown(configuration: Configuration) -> str:
    """A configuration as etcd prints it."""
    def group(servers: Iterable[str]) -> str:
        return "(" + " ".join(map(str, sorted(_number(server) for server in servers))) + ")"
    text = f"voters={group(configuration.voters)}"
    text += f"&&{group(configuration.outgoing)}" if configuration.joint else ""
    text += f" learners={group(configuration.learners)}" if configuration.learners else ""
    text += f" learners_next={group(configuration.learners_next)}" if configuration.learners_next else ""
    return text + (" autoleave" if configuration.joint and configuration.auto_leave else "")


# ---- what etcd's output says


HEADER = re.compile(r"> (\d+) ")
HARD = re.compile(r"HardState Term:(\d+)(?: Vote:(\d+))? Commit:(\d+)")
SOFT = re.compile(r"Lead:(\d+) State:State(\w+)")
BECAME = re.compile(r"INFO (\d+) became (\S+) at term (\d+)")
SWITCHED = re.compile(r"INFO (\d+) switched to configuration (.*)")
RAFT_STATE = re.compile(r"(\d+): State(\w+) \((Voter|Non-Voter)\) Term:(\d+) Lead:(\d+)")
ROLES = {"Leader": "leader", "Follower": "follower", "Candidate": "candidate", "PreCandidate": "pre-candidate"}


def facts(b: Block) -> dict[int, dict[str, Any]]:
    """{server: what the output of a block last says of it}."""
    found: dict[int, dict[str, Any]] = {}
    node = b.ids[0] if b.ids else 0
    for line in map(str.strip, b.expected):
        if m := HEADER.match(line):
            node = int(m[1])
        elif m := HARD.match(line):
            found.setdefault(node, {}).update(term=int(m[1]), vote=int(m[2] or 0), commit=int(m[3]))
        elif m := SOFT.match(line):
            found.setdefault(node, {}).update(lead=int(m[1]), role=ROLES[m[2]])
        elif m := BECAME.match(line):
            found.setdefault(int(m[1]), {}).update(role=m[2], term=int(m[3]))
            found[int(m[1])].pop("lead", None)
        elif m := SWITCHED.match(line):
            found.setdefault(int(m[1]), {}).update(configuration=m[2])
        elif m := RAFT_STATE.match(line):
            found[int(m[1])] = {"role": ROLES[m[2]], "voter": m[3] == "Voter", "term": int(m[4]), "lead": int(m[5])}
    return found


def differences(environment: Environment, b: Block) -> list[str]:
    """Where our servers differ from what etcd printed for a block."""
    wrong = []
    for number, fact in facts(b).items():
        if number in environment.nodes:
            ours = environment.state(number)
            wrong += [f"line {b.line} ({b.name}): {name} of {number} is {value} in etcd and {ours[name]} here"
                      for name, value in fact.items() if ours[name] != value]
    if b.name == "raft-log":
        theirs = [re.sub(r"EntryConfChange.*", "EntryConfChange", line) for line in b.expected if "/" in line]
        first = theirs[0].split(" ")[0] if theirs else ""
        ours_log = environment.raft_log(b.ids[0])
        heads = [line.split(" ")[0] for line in ours_log]
        ours_log = ours_log[heads.index(first):] if first in heads else ours_log
        if ours_log != theirs:
            wrong.append(f"line {b.line} ({b.name}): the log of {b.ids[0]} is {theirs} in etcd and {ours_log} here")
    if b.name.startswith("propose") and environment.dropped != ("raft proposal dropped" in b.expected):
        wrong.append(f"line {b.line} ({b.name}): the proposal is {'dropped' if environment.dropped else 'taken'} here")
    return wrong


def replay(text: str) -> list[str]:
    """Carries a scenario out and returns every difference from its expected output, one sentence each."""
    environment, wrong = Environment(), []
    for b in blocks(text):
        environment.run(b)
        wrong += differences(environment, b)
    return wrong


def play(commands: Iterable[str | Mapping[str, Any]]) -> Environment:
    """Carries commands out: lines such as "campaign 1", or {"command": ..., "input": [...]}.

    Returns:
        The environment, whose state(number) and raft_log(number) say what became of the servers.
    """
    environment = Environment()
    for command in commands:
        if isinstance(command, str):
            environment.run(block(command))
        else:
            environment.run(block(command["command"], command.get("input", ())))
    return environment


# ---- configurations and quorums without servers


def replay_changes(text: str) -> list[str]:
    """Carries out the changes in a file about configurations and returns every difference, one sentence each."""
    configuration, wrong = Configuration([]), []
    for b in blocks(text):
        try:
            if b.name == "simple":
                configuration = simple(configuration, changes_in(b))
            elif b.name == "enter-joint":
                configuration = enter_joint(configuration, changes_in(b), b.is_on("autoleave"))
            elif b.name == "leave-joint":
                configuration = leave_joint(configuration)
            else:
                raise NotImplementedError(f"line {b.line}: no command {b.name!r}")
            ours = shown(configuration)
        except ConfigurationError as error:
            ours = str(error)
        theirs = [line for line in b.expected if not re.match(r"\d+: State", line)]        # etcd's progress
        if [ours] != theirs:
            wrong.append(f"line {b.line} ({b.name}): {theirs} in etcd and {ours!r} here")
    return wrong


def quorum(case: Mapping[str, Any]) -> Any:
    """Our answer to a row of a quorum table, in the table's words: an index, "infinity", or what became of a vote."""
    joint = Configuration(list(map(str, case["cfg"])), list(map(str, case["cfgj"] or [])))
    if case["kind"] == "vote":
        plain = majority_vote(joint.voters, case["votes"])
        return "Vote" + (plain if case["cfgj"] is None else joint_vote(joint, case["votes"])).capitalize()
    plain = majority_commit(joint.voters, case["idx"])
    index = plain if case["cfgj"] is None else joint_commit(joint, case["idx"])
    return "infinity" if index == float("inf") else index
