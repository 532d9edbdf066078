"""The picture of a run: the same bytes everywhere, small, well formed, and of the moments that matter."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from dslab.protocols import multi_paxos, raft
from dslab.sim import Node, System, simulate
from dslab.view import narrate, read, storyboard, survey
from dslab.view.keyframes import key_frames

LESSON = [
    {"at": 300, "do": "request", "command": "x=1"},
    {"at": 1200, "do": "crash", "node": "n1"},
    {"at": 2000, "do": "request", "command": "x=2"},
    {"at": 3000, "do": "restart", "node": "n1"},
]
PRINT_DIGEST = f"""
import hashlib
from dslab.protocols import raft
from dslab.sim import simulate
from dslab.view import read, storyboard
board = storyboard(read(simulate(raft.cluster(5), seed=7, schedule={LESSON})))
print(hashlib.sha256((board.svg + board.text).encode()).hexdigest())
"""


class Quiet(Node):
    """A node that does nothing."""


def board(schedule: list[dict], size: int = 5, seed: int = 7):  # type: ignore[no-untyped-def]
    return storyboard(read(simulate(raft.cluster(size), seed=seed, schedule=schedule)))


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_equal_runs_are_drawn_with_equal_bytes(hash_seed: str) -> None:
    """The bytes depend on the run alone, not on the process or its hash seed."""
    drawn = board(LESSON)
    run = subprocess.run(
        [sys.executable, "-c", PRINT_DIGEST],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    assert run.stdout.strip() == hashlib.sha256((drawn.svg + drawn.text).encode()).hexdigest()


@pytest.mark.parametrize("seed", range(6))
def test_the_picture_is_small_and_well_formed(seed: int) -> None:
    """Under 40 KB, valid XML, nothing fetched from elsewhere, whatever happens."""
    from .test_pack import random_schedule

    drawn = board(random_schedule(seed, actions=20), seed=seed)
    assert len(drawn.svg.encode()) < 40_000
    ET.fromstring(drawn.svg)
    assert "href" not in drawn.svg and "<style" not in drawn.svg and "nan" not in drawn.svg


def test_the_moments_of_the_lesson_are_drawn() -> None:
    """Before the fault, the fault, the votes, the election, the commit after it, and the restart."""
    reading = read(simulate(raft.cluster(5), seed=7, schedule=LESSON))
    frames = key_frames(reading, survey(reading), narrate(reading))
    says = narrate(reading)
    assert 4 <= len(frames) <= 6 and frames == sorted(frames)
    kinds = [reading.events[event].kind for event in frames]
    headlines = [says[event][0] for event in frames if event in says]
    assert frames[kinds.index("crash")] - 1 == frames[0] and "restart" in kinds
    assert any("votes for term" in h for h in headlines) and any("wins term" in h for h in headlines)
    assert any("commits entry 2" in h for h in headlines)


def test_the_paragraph_says_what_the_picture_shows() -> None:
    """One line of plain text with the system, the moments and how it ended."""
    text = board(LESSON).text
    assert text.startswith("raft, 5 servers and 1 client, seed 7, 10 s, 4 actions.")
    assert "1.200 s: n1 crashes while it leads term 1." in text and "`" not in text and "\n" not in text


def test_who_leads_without_terms_leads_no_term() -> None:
    """Multi-Paxos has ballots: its leader is named, and no term beside it."""
    schedule = [{"at": 300, "do": "request", "command": "x=1"}, {"at": 3000, "do": "crash", "node": "n3"}]
    text = storyboard(read(simulate(multi_paxos.cluster(3), seed=7, schedule=schedule))).text
    assert "leads" in text and "term" not in text


def test_a_system_that_does_nothing_is_drawn_too() -> None:
    """No roles, no messages, one node: still a picture."""
    drawn = storyboard(read(simulate(System(Quiet, nodes=1), seed=1, until=10)), title="<quiet> & calm")
    ET.fromstring(drawn.svg)
    assert "&lt;quiet&gt; &amp; calm" in drawn.svg


@pytest.mark.parametrize("size", [1, 2, 3, 7, 12, 25])
def test_every_size_of_cluster_is_drawn(size: int) -> None:
    """From one server to many."""
    drawn = storyboard(read(simulate(raft.cluster(size), seed=1, until=1000)))
    ET.fromstring(drawn.svg)
    assert len(drawn.svg.encode()) < 40_000
