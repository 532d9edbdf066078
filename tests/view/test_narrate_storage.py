"""The words for quorums, versions, siblings, hints and merges: what happens, in numbers, and never a raw record."""

from __future__ import annotations

import json

import pytest

from dslab.protocols import chain, crdt, primary_backup, quorum
from dslab.sim import Client, Network, Node, System, message, simulate
from dslab.view import narrate, read
from dslab.view.words import HEADLINE, REASON, plain_text


def act(at, do, **more):
    return {"at": at, "do": do, **more}


def told(system, schedule, seed=4, until=900):
    said = narrate(read(simulate(system, seed=seed, schedule=schedule, until=until)))
    return [(plain_text(headline), plain_text(reason)) for headline, reason in said.values()]


REPAIR = [
    act(10, "request", client="c1", command="x=1"),
    act(60, "crash", node="n3"),
    act(70, "request", client="c1", command="x=2"),
    act(150, "restart", node="n3"),
    act(160, "crash", node="n1"),
    act(170, "request", client="c2", command="x"),
]


def test_a_write_a_read_and_a_repair_in_words():
    """Versions are asked for, one is given, two store it; later a read finds two versions and repairs the older one."""
    said = told(quorum.cluster(3, clients=2), REPAIR)
    headlines = [headline for headline, _ in said]
    story = [
        "n1 takes on the write x=1",
        "n1 gives x=1 version 1 of n1",
        "x=1 is written, n1 knows",
        "n1 gives x=2 version 2 of n1",
        "n2 asks three replicas for x",
        "n2 reads 2 for x",
        "n2's read repairs n3: x=2",
    ]
    places = [headlines.index(line) for line in story]
    assert places == sorted(places)
    reasons = dict(said)
    assert reasons["n2 reads 2 for x"] == "The newest of two answers: version 2 of n1; n3 gets it, too."
    assert reasons["n2's read repairs n3: x=2"] == "Version 2 of n1; before it held 1."
    assert reasons["n2 asks three replicas for x"] == "It waits for two answers; the newest of them counts."


def test_updates_and_merges_in_words():
    """An update is answered at once; a merge says what was lacking, and when nothing was."""
    requests = [
        act(20, "request", client="c1", command="add a", to="n1"),
        act(25, "request", client="c2", command="add b", to="n2"),
    ]
    said = told(crdt.cluster(3, crdt="or-set", clients=2), requests, seed=2, until=260)
    headlines = [headline for headline, _ in said]
    assert "n1 is updated: [a]" in headlines and "n2 merges n1's state: [a, b]" in headlines
    assert "n3 catches up with n2: [b]" in headlines and "n1 merges n2's state: [a, b]" in headlines
    assert any("learns nothing new" in line for line in headlines)


@message
class Put:
    """{source} sends {target} something."""

    news: dict


class Shows(Node):
    """Shows whatever it is sent."""

    shows = ("siblings", "hints", "versions", "reads", "writes", "crdt", "state", "value", "seen")
    script = "[]"

    def on_start(self):
        self.siblings, self.hints, self.versions, self.reads, self.writes = {}, {}, {}, {}, {}
        self.crdt = self.state = self.value = self.seen = None
        self.at = 0
        if self.id == "n1":
            self.set_timer("next", after=10)

    def on_next_timeout(self):
        script = json.loads(self.script)
        if self.at < len(script):
            self.send("n2", Put(script[self.at]))
            self.at += 1
            self.set_timer("next", after=30)

    def on_put(self, sender, m):
        for name, value in m.news.items():
            setattr(self, name, value)


def shown(*script):
    system = System(
        Shows, 2, clients=0, client=Client, network=Network(latency=5), options={"script": json.dumps(script)}
    )
    said = narrate(read(simulate(system, seed=1, until=60 + 40 * len(script))))
    return [(plain_text(a), plain_text(b)) for a, b in said.values()]


def test_siblings_appear_and_go_and_hints_are_kept_and_no_longer_needed():
    """A second sibling is news of its own; so is the value that has seen both."""
    both = [[{"n1": 1}, "a"], [{"n2": 1}, "b"]]
    said = dict(
        shown(
            {"siblings": {"x": both[:1]}},
            {"siblings": {"x": both}},
            {"siblings": {"x": [[{"n1": 1, "n2": 2}, "c"]]}},
            {"hints": {"n3": {"x": [[1, "n1"], "a"]}}},
            {"hints": {}},
        )
    )
    assert said["n2 stores a for x"] == "Version n1:1."
    assert said["n2 keeps two siblings of x"] == "Neither has seen the other: a and b."
    assert "n2's siblings of x become c" in said
    assert said["n2 keeps x for n3"] == "n3 does not answer; it gets this hint when it is back."
    assert said["n2 needs its hint for n3 no more"] == "n3 has stored what was kept for it."


def test_a_request_that_fails_says_how_many_were_missing():
    """And that what is stored stays stored."""
    call = {
        "key": "x",
        "version": [1, "n2"],
        "value": "1",
        "asked": ["n1", "n2"],
        "answers": {},
        "acks": ["n2"],
        "need": 2,
        "state": "going",
    }
    said = dict(
        shown(
            {"writes": {"w": call}},
            {"writes": {"w": {**call, "state": "failed"}}},
            {"reads": {"r": {**call, "acks": []}}},
            {"reads": {"r": {**call, "acks": [], "state": "failed"}}},
        )
    )
    assert said["n2 gives up writing x=1"] == "Only one of two stored it in time; those keep it."
    assert said["n2 gives up reading x"] == "Only none of two answered in time."


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        "x",
        [],
        {},
        {"x": None},
        {"x": 3},
        {"x": []},
        {"x": [[]]},
        {"x": {"key": 3, "asked": 4, "answers": [], "need": "two"}},
        {"x": {"state": "done"}},
        {"x": [[1], [2]]},
        {"n1": "many"},
    ],
)
def test_fields_that_are_not_as_agreed_are_told_somehow(value):
    """No field of a student's class can stop the narration, and sentences keep their lengths."""
    for name in ("siblings", "hints", "versions", "reads", "writes", "seen", "state", "value"):
        for headline, reason in shown({"crdt": "odd", name: value}, {name: {"x": 1}}, {name: value}):
            assert len(headline) <= HEADLINE and len(reason) <= REASON


@pytest.mark.parametrize(
    "system",
    [
        quorum.cluster(3, clients=2),
        crdt.cluster(3, crdt="pn-counter", clients=2),
        crdt.cluster(3, crdt="lww-register", clients=2),
    ],
    ids=["quorum", "counter", "register"],
)
def test_every_sentence_fits_and_shows_no_record(system):
    """Over a few seeds with faults."""
    commands = ["x=1", "x", "y=2", "x"] if system.name == "quorum" else ["increment", "read", "write 3", "read"]
    schedule = [
        act(20 + 60 * i, "request", client=f"c{i % 2 + 1}", command=command) for i, command in enumerate(commands)
    ]
    schedule += [act(100, "crash", node="n2"), act(300, "restart", node="n2")]
    for seed in range(4):
        for headline, reason in told(system, sorted(schedule, key=lambda a: a["at"]), seed, 700):
            assert len(headline) <= HEADLINE and len(reason) <= REASON
            assert "{" not in headline and "client=" not in reason


def test_a_primary_its_backup_and_the_view_service_in_words():
    """Who is made what, who has everything, who may answer."""
    schedule = [act(120, "request", client="c1", command="x=1"), act(300, "crash", node="n1")]
    headlines = [headline for headline, _ in told(primary_backup.cluster(3), schedule, 1, 900)]
    story = [
        "v makes n1 the primary",
        "v makes n2 the backup",
        "n2 takes all that n1 has",
        "n1 is at work in view 2",
        "v makes n2 the primary",
        "n2 is the primary in view 3",
        "n3 has all that n2 has",
        "n3 runs operation 1 as backup",
        "n2 runs operation 1 and answers",
    ]
    places = [headlines.index(line) for line in story]
    assert places == sorted(places)


def test_a_chain_in_words():
    """An update goes down, its acknowledgement up; a server that fails is left out."""
    schedule = [act(420, "request", client="c1", command="x=1"), act(700, "crash", node="n2")]
    said = told(chain.cluster(3), schedule, 1, 1100)
    headlines = [headline for headline, _ in said]
    story = [
        "m makes the chain n1 → n2 → n3",
        "n1 takes x=1 as head",
        "n2 takes x=1 as middle",
        "n3 takes x=1 as tail",
        "n2 hears that update 1 is at the tail",
        "m makes the chain n1 → n3",
        "n3 stays tail of a new chain",
    ]
    places = [headlines.index(line) for line in story]
    assert places == sorted(places)
    assert ("n2 takes x=1 as middle", "Everybody before it has it; n3 gets it from here.") in said
    assert all(len(headline) <= HEADLINE and len(reason) <= REASON for headline, reason in said)
