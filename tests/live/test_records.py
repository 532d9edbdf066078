"""What stands under a live run: values as text, a disk that survives a kill at any byte, logs merged into one trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dslab.live.codec import Codec, dumps, encode
from dslab.live.journal import LONG, Journal
from dslab.live.merge import Records
from dslab.sim import Client, ClientReply, ClientRequest, FrozenDict, FrozenList, MessageError, Node, System, TraceError
from dslab.sim import message as message_class

ROOT = Path(__file__).resolve().parents[2]

# ---- values as text

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=10,
)
HASHABLE = st.booleans() | st.integers() | st.text() | st.tuples(st.integers(), st.text())
STATE = st.recursive(
    PLAIN
    | st.sets(HASHABLE)
    | st.frozensets(HASHABLE)
    | st.builds(ClientReply, st.integers(), st.booleans(), PLAIN, PLAIN),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(HASHABLE, inner),
    max_leaves=10,
)


@given(STATE)
def test_a_value_comes_back_as_it_was(value):
    """Through JSON text, with tuples, sets, messages and keys that are not text."""
    again = Codec().decode(json.loads(dumps(encode(value))))
    assert again == value and type(again) is type(value)


@given(PLAIN)
def test_what_is_in_a_message_cannot_be_changed(value):
    """As in the simulator, on the other side of a socket too."""
    again = Codec().decode(encode(ClientRequest(1, [value, {"a": [1]}])))
    assert again == ClientRequest(1, [value, {"a": [1]}])
    assert type(again.command) is FrozenList and type(again.command[1]) is FrozenDict
    assert type(again.command[1]["a"]) is FrozenList and hash(again) == hash(ClientRequest(1, [value, {"a": [1]}]))


def test_a_message_class_is_known_by_module_and_name():
    """Two papers may both call a message Vote; a cell that ran again replaces its class."""

    def make(module):
        class Vote:
            """{source} votes."""

            term: int

        made = message_class(Vote)
        made.__module__ = module
        return made

    paxos, raft, raft_again = make("paxos"), make("raft"), make("raft")
    assert type(Codec().decode(encode(paxos(1)))) is paxos
    assert type(Codec().decode(encode(raft(1)))) is raft_again


@pytest.mark.parametrize(
    "value", [object(), {1: lambda: 0}, [b"bytes"], ClientReply], ids=["object", "function", "bytes", "class"]
)
def test_what_is_not_plain_data_does_not_leave_its_process(value):
    """One sentence."""
    with pytest.raises(MessageError, match=r"a \w+ cannot leave its process; use numbers, text"):
        encode(value)


def test_an_unknown_message_class_is_named():
    """For a class that a handler made on the fly."""
    with pytest.raises(MessageError, match="a Ghost arrived, but this process has no message class of that name"):
        Codec().decode({"m": ["nowhere:Ghost", 1]})


# ---- a node's disk

EMPTY = {"term": 0, "log": [], "votes": {}}
CHANGES = [
    {"term": 1, "log": [], "votes": {}},
    {"term": 1, "log": [ClientReply(1, True)], "votes": {"n1": True}},
    {"term": 2, "log": [ClientReply(1, True), (3, "x")], "votes": {}},
    {"term": 2, "log": [ClientReply(1, True), "other", None], "votes": {7: [1]}},
    {"term": 2, "log": [], "votes": {7: [1]}},
]


def written(path, changes=CHANGES):
    """A journal with some changes; the length of the file after each."""
    journal, lengths = Journal(path, EMPTY), []
    for values in changes:
        journal.save(values, journal.changed(values))
        lengths.append(path.stat().st_size)
    journal.close()
    return lengths


def read(path):
    """What a journal holds."""
    journal = Journal(path, EMPTY)
    journal.close()
    return journal.values


def test_a_file_that_is_cut_anywhere_holds_the_last_whole_change(tmp_path):
    """A kill or a power cut may leave any part of the last write."""
    path = tmp_path / "n1.journal"
    lengths = written(path)
    whole = path.read_bytes()
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        safe = sum(length <= size for length in lengths)
        assert read(path) == ([EMPTY, *CHANGES])[safe]
        assert path.stat().st_size == ([0, *lengths])[safe]


def test_a_change_with_a_wrong_byte_does_not_count_nor_what_follows(tmp_path):
    """The checksum finds it wherever it is."""
    path = tmp_path / "n1.journal"
    lengths = written(path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        assert read(path) == ([EMPTY, *CHANGES])[sum(length <= place for length in lengths)]


def test_what_is_written_after_a_cut_is_read(tmp_path):
    """The torn end is cut off before anything is added."""
    path = tmp_path / "n1.journal"
    lengths = written(path)
    path.write_bytes(path.read_bytes()[:lengths[2] + 5])
    written(path, [CHANGES[4]])
    assert read(path) == CHANGES[4]


def test_a_long_file_is_rewritten_and_a_kill_in_between_loses_nothing(tmp_path):
    """A draft that was not finished is not looked at."""
    path = tmp_path / "n1.journal"
    journal = Journal(path, EMPTY)
    sizes = []
    for term in range(1, 40):
        values = {"term": term, "log": ["x" * 100_000] * (term % 3), "votes": {}}
        journal.save(values, journal.changed(values))
        sizes.append(path.stat().st_size)
    journal.close()
    assert max(sizes) < LONG + 400_000 and min(b - a for a, b in zip([0, *sizes], sizes, strict=False)) < 0
    path.with_suffix(".new").write_bytes(b"half")
    assert read(path) == {"term": 39, "log": [], "votes": {}}


def test_attributes_that_a_class_has_no_more_are_left_out(tmp_path):
    """And new ones are as on an empty disk."""
    written(tmp_path / "n1.journal")
    journal = Journal(tmp_path / "n1.journal", {"term": 0, "new": "empty"})
    journal.close()
    assert journal.values == {"term": 2, "new": "empty"}


WRITER = """
import sys
from pathlib import Path
from dslab.live.journal import Journal
journal = Journal(Path(sys.argv[1]), {"number": 0, "log": []})
number = journal.values["number"]
while True:
    number += 1
    values = {"number": number, "log": [*journal.values["log"][-50:], number]}
    journal.save(values, journal.changed(values))
    print(number, flush=True)
"""


def test_what_was_said_to_be_safe_is_there_after_a_kill(tmp_path):
    """A process that writes without end, killed ten times: never less than it has told, never more than one ahead."""
    path, told = tmp_path / "n1.journal", 0
    for lines in range(1, 11):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True,
                                  env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
        for _ in range(lines):
            told = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        told = max([told, *map(int, writer.stdout.read().split())])
        writer.stdout.close()
        writer.wait()
        journal = Journal(path, {"number": 0, "log": []})
        journal.close()
        assert told <= journal.values["number"] <= told + 1
        assert journal.values["log"][-1] == journal.values["number"]


# ---- logs merged into one trace


class Quiet(Node):
    """A node whose records the tests write themselves."""


def record(life, first, events, sends=(), patches=()):
    """What a process says: events are [time, kind, cause, message, detail]."""
    return {"life": life, "first": first, "events": events, "patches": list(patches), "sends": list(sends),
            "by": first + len(events) - 1, "at": events[-1][0]}  # fmt: skip


def letter(number):
    """A message's body in a record."""
    return encode(ClientRequest(number, "x"))


@st.composite
def conversations(draw):
    """Records of three nodes that send to each other, whose clocks are wrong by up to a second."""
    nodes = ["n1", "n2", "n3"]
    skew = {node: draw(st.integers(-1000, 1000)) for node in nodes}
    now, flying, number = 1000, [], 0
    logs = {node: [record(0, 0, [[1000 + skew[node], "start", None, None, None]])] for node in nodes}
    for _ in range(draw(st.integers(1, 25))):
        now += draw(st.integers(0, 200))
        node = draw(st.sampled_from(nodes))
        mine = [m for m in flying if m[1] == node]
        event = [now + skew[node], "timer", 0, None, "t"]
        if mine and draw(st.booleans()):
            sender, _, taken = draw(st.sampled_from(mine))
            flying.remove((sender, node, taken))
            event = [now + skew[node], "deliver", None, [sender, taken], None]
        sends = []
        for target in draw(st.lists(st.sampled_from(nodes), max_size=2)):
            number += 1
            sends.append([target, number, letter(number)])
            flying.append((node, target, number))
        logs[node].append(record(0, len(logs[node]), [event], sends))
    return logs, len(flying)


def heard(logs):
    """The records of a system of three nodes, as they came in."""
    records = Records(System(Quiet, 3), 1)
    for node, entries in logs.items():
        for entry in entries:
            records.add({"node": node, "says": entry})
    return records


@given(conversations())
def test_every_message_is_received_after_it_was_sent(conversation):
    """However wrong the clocks; each node's own order is kept, and nothing is lost."""
    logs, flying = conversation
    trace = heard(logs).trace(0, whole=True)
    assert len(trace) == sum(map(len, logs.values()))
    assert [m.fate for m in trace.messages].count("in flight") == flying
    times = [event.time_us for event in trace.events]
    assert times == sorted(times)
    for event in trace.events:
        if event.kind == "deliver":
            m = trace.messages[event.message]
            assert m.sent_event == event.cause < event.id and m.sent_us <= event.time_us and m.end_event == event.id
    for node, entries in logs.items():
        mine = [(e.kind, e.message is not None and trace.messages[e.message].fields["number"]) for e in trace.events
                if e.node == node]  # fmt: skip
        assert mine == [(e["events"][0][1], bool(e["events"][0][3]) and e["events"][0][3][1]) for e in entries]


@given(conversations(), st.data())
def test_a_part_of_the_records_gives_a_consistent_part(conversation, data):
    """While processes run, their records come in one after the other: no receipt stands there without its sending."""
    logs, _ = conversation
    known = {node: entries[:data.draw(st.integers(1, len(entries)))] for node, entries in logs.items()}
    trace = heard(known).trace(0, whole=False)
    assert len(trace) <= sum(map(len, known.values()))
    for event in trace.events:
        assert event.kind != "deliver" or event.cause < event.id


def test_a_lost_record_is_an_error_once_the_run_is_over():
    """A receipt whose sending nobody knows of: the trace would lie."""
    logs = {"n1": [], "n2": [record(0, 0, [[5, "deliver", None, ["n1", 7], None]])], "n3": []}
    with pytest.raises(TraceError, match="the record of n1 is damaged: others received its message 7"):
        heard(logs).trace(0, whole=True)


def test_records_are_caught_up_when_every_sending_is_known():
    """The record of a receipt may be heard before that of the sending."""
    receipt = record(0, 0, [[5, "deliver", None, ["n1", 7], None]])
    sending = record(0, 0, [[4, "start", None, None, None]], [["n2", 7, letter(7)]])
    assert heard({"n1": [sending]}).caught_up() and heard({"n1": [sending], "n2": [receipt]}).caught_up()
    assert not heard({"n2": [receipt]}).caught_up()


def fault(kind, at, node=None, detail=None, number=0):
    """What a supervisor says about something that was done to the run."""
    return {"fault": [kind, at, node, detail, number]}


@pytest.mark.parametrize(
    ("happened", "fate"),
    [
        ([], None),
        ([fault("crash", 50, "n2")], (50, "crashed")),
        ([fault("crash", 5, "n2")], None),
        ([fault("crash", 50, "n3")], None),
        ([fault("crash", 50, "n1")], (50, "crashed")),
        ([fault("crash", 50, "n2", {"ignored": "it is down"})], None),
        ([fault("cut", 60, None, {"source": "n1", "target": "n2"})], (60, "cut")),
        ([fault("cut", 60, None, {"source": "n2", "target": "n1"})], None),
        ([fault("partition", 70, None, {"groups": [["n1"]], "in_flight": "lost"})], (70, "cut")),
        ([fault("partition", 70, None, {"groups": [["n1", "n2"]], "in_flight": "lost"})], None),
        ([fault("partition", 70, None, {"groups": [["n1"]], "in_flight": "held"})], None),
        ([fault("cut", 60, None, {"source": "n1", "target": "n2"}), fault("crash", 50, "n2")], (50, "crashed")),
        ([{"net": ["drop", 30, "n1", 1, "n2", "cut", None]}, fault("crash", 50, "n2")], (30, "cut")),
    ],
)
def test_a_message_that_nobody_saw_again_has_a_fate(happened, fate):
    """It was in a buffer when its receiver or sender died or its link was cut; else it is on its way."""
    records = heard({"n1": [record(0, 0, [[10, "start", None, None, None]], [["n2", 1, letter(1)]])]})
    for entry in happened:
        records.add(entry)
    trace = records.trace(100, whole=True)
    (message,) = trace.messages
    if fate is None:
        assert message.fate == "in flight" and message.end_event is None
    else:
        drop = trace.events[message.end_event]
        assert (message.fate, drop.time_us, drop.detail, drop.kind) == ("dropped", *fate, "drop")


def test_a_crash_ends_the_timers_of_its_node():
    """As in the simulator's traces, which views read."""
    patch = [[0, [["@election", encode([10, 90, 80, 80])]]]]
    records = heard({"n1": [record(0, 0, [[10, "start", None, None, None]], patches=patch)]})
    records.add(fault("crash", 8, "n1"))
    trace = records.trace(100, whole=True)
    assert [(e.kind, e.time_us, e.patch) for e in trace.events] == [
        ("start", 10, [["@election", [10, 90, 80, 80]]]), ("crash", 10, [["@election", None]])]  # fmt: skip


def test_a_pause_stands_where_it_happened_though_records_come_late():
    """The socket of a stopped process still holds what it said before."""
    records = Records(System(Quiet, 1, clients=1), 1)
    assert list(records.nodes) == ["n1", "c1"] and records.system.classes["c1"] is Client
    records.add(fault("pause", 40, "n1"))
    records.add({"node": "n1", "says": record(0, 0, [[10, "start", None, None, None]])})
    records.add(fault("resume", 60, "n1"))
    records.add({"node": "n1", "says": record(0, 1, [[61, "timer", 0, None, "t"]])})
    assert [e.kind for e in records.trace(100, whole=True).events] == ["start", "pause", "resume", "timer"]
