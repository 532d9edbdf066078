"""The words for ballots, slots, rounds and elections without terms: said of what happens, and never of a term 0."""

from __future__ import annotations

import pytest

from dslab.protocols import ben_or, bully, generals, highest_id, multi_paxos, paxos, pbft, ring
from dslab.sim import simulate
from dslab.view import narrate, read
from dslab.view.words import HEADLINE, REASON, plain_text

REQUESTS = [
    {"at": 300, "do": "request", "command": "x=1", "to": "n1"},
    {"at": 310, "do": "request", "command": "y=2", "to": "n2", "client": "c2"},
]
SYSTEMS = {
    "paxos": (paxos.cluster(3, clients=2), REQUESTS),
    "paxos, roles apart": (paxos.cluster(proposers=2, acceptors=3, learners=1), []),
    "multi-paxos": (multi_paxos.cluster(3, clients=2), [*REQUESTS, {"at": 600, "do": "crash", "node": "n1"}]),
    "ben-or": (ben_or.cluster(4), []),
    "bully": (bully.cluster(4), [{"at": 300, "do": "crash", "node": "n4"}]),
    "ring": (ring.cluster(5), []),
    "highest id": (highest_id.cluster(4), []),
    "generals": (generals.cluster(4), []),
    "pbft": (pbft.cluster(4), REQUESTS[:1]),
}


def told(name: str, seed: int) -> list[tuple[str, str]]:
    system, schedule = SYSTEMS[name]
    reading = read(simulate(system, seed=seed, schedule=schedule, until=1500))
    return list(narrate(reading).values())


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_sentence_fits_and_names_no_term_that_is_not_there(name: str) -> None:
    for seed in range(5):
        for headline, reason in told(name, seed):
            assert len(plain_text(headline)) <= HEADLINE and len(plain_text(reason)) <= REASON
            assert "{term:0}" not in headline + reason and "None" not in headline


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("paxos", ["n1 starts ballot {term:1} of n1", "n3 promises ballot {term:1} of n1", " is chosen, and n"]),
        ("multi-paxos", ["Slot 1 is chosen: ", "proposes `x=1` for slot 1", "leads with ballot"]),
        ("ben-or", ["starts: it prefers", "proposes ", "decides: "]),
        ("bully", ["stands for election", "n4 becomes leader", "gives up: n4 leads"]),
        ("ring", ["n5 becomes leader"]),
        ("highest id", ["hears from n3: `3`", "n4 becomes leader"]),
        ("generals", ["tells n4: n1 said `attack`", "n2 decides: `attack`"]),
    ],
)
def test_what_happens_is_said_in_the_words_of_its_paper(name: str, sentences: list[str]) -> None:
    headlines = "\n".join(headline for headline, _ in told(name, 1))
    for sentence in sentences:
        assert sentence in headlines, headlines


def test_a_proposer_says_whose_value_it_takes_over() -> None:
    """The choice of Paxos's phase 2 is the lesson: it is said why."""
    schedule = [
        {"at": 10, "do": "request", "command": "v", "to": "n1"},
        *({"at": 45, "do": "cut", "source": acceptor, "target": "n1"} for acceptor in ("n2", "n3")),
        {"at": 60, "do": "crash", "node": "n1"},
        {"at": 70, "do": "request", "command": "w", "to": "n2", "client": "c2"},
    ]
    trace = simulate(paxos.cluster(3, clients=2, latency=10, disk=0), seed=1, schedule=schedule, until=300)
    told = dict(narrate(read(trace)).values())
    assert told["n2 proposes `v` under ballot {term:2} of n2"] == "The promises report `v`: it may be chosen already."
